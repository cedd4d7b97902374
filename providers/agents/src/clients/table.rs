//! The table of clients, with what their rows share. Sources: the vendors' documentation and settings schemas, as of November
//! 2026.

mod editor;
mod terminal;

use evenhand_model::provider::MovedFiles;

use crate::clients::Effect::{Allow, Folders, Hooks, Noted};
use crate::clients::{Client, Defaults, File, Key, Level, Secrets, Servers, Unset, Words};
use crate::permissions::Grammar;
use crate::tree::Syntax::{Frontmatter, Json, Toml, Yaml};

const TRUTH: Words<bool> = &[("true", true), ("false", false)];
const SERVERS: &[Servers] = &[Servers::Map("mcpServers")];
const NO_KEYS: &[Key] = &[];

/// Below the home folder itself.
const HOME: &[&str] = &[""];
/// Where desktop programs keep user data: Linux, macOS, Windows.
const USER_DATA: &[&str] = &[".config/", "Library/Application Support/", "AppData/Roaming/"];
/// Not below a home folder.
const NOWHERE: &[&str] = &[];

const NOTHING_KNOWN: Defaults =
    Defaults { sandboxed: None, escape: None, telemetry: None, project_servers: None, reach: None };

/// A folder of a home folder that a variable moves.
const fn moved(variable: &'static str, home: &'static str) -> MovedFiles {
    MovedFiles { variable, inside: "", home }
}

/// Programs that keep to the XDG base directory specification.
const XDG: MovedFiles = moved("XDG_CONFIG_HOME", ".config/");

const fn key(path: &'static str, effect: super::Effect) -> Key {
    Key { path, effect }
}

/// A JSON file that holds tool servers under `mcpServers` and belongs to the client alone.
const fn servers(suffix: &'static str, homes: &'static [&'static str], level: Level) -> File {
    file(suffix, homes, level, SERVERS, NO_KEYS)
}

/// A JSON file that belongs to the client alone.
const fn file(
    suffix: &'static str,
    homes: &'static [&'static str],
    level: Level,
    servers: &'static [Servers],
    keys: &'static [Key],
) -> File {
    File { suffix, homes, level, syntax: Json, servers, keys, needs: &[], secrets: Secrets::Everywhere }
}

/// A JSON file in which a client keeps what it signs in with.
const fn store(suffix: &'static str, homes: &'static [&'static str]) -> File {
    File {
        suffix,
        homes,
        level: Level::User,
        syntax: Json,
        servers: &[],
        keys: NO_KEYS,
        needs: &[],
        secrets: Secrets::Store,
    }
}

/// A Markdown file whose first lines define an agent that the client runs.
const fn definition(
    suffix: &'static str,
    homes: &'static [&'static str],
    level: Level,
    servers: &'static [Servers],
    keys: &'static [Key],
) -> File {
    File { suffix, homes, level, syntax: Frontmatter, servers, keys, needs: &[], secrets: Secrets::Everywhere }
}

/// Keys of agent definitions that no client lets widen approval.
const DEFINITION_KEYS: &[Key] = &[key("tools", Noted), key("readonly", Noted)];

const AGENT_FILE_KEYS: &[Key] = &[
    key("allowedTools", Allow(Grammar::At)),
    key("tools", Noted),
    key("toolsSettings.*.allowedPaths", Folders),
    key("toolsSettings.*.allowedServices", Noted),
    key("useLegacyMcpJson", Noted),
    key("hooks", Hooks),
];

/// Every client, in the order in which files are looked up: a longer suffix stands before a shorter one it ends with.
pub(crate) static CLIENTS: &[&Client] = &[
    &terminal::CLAUDE_CODE,
    &editor::CLAUDE_DESKTOP,
    &editor::CURSOR,
    &terminal::CURSOR_CLI,
    &editor::VSCODE,
    &terminal::COPILOT_CLI,
    &editor::COPILOT_CODING_AGENT,
    &editor::WINDSURF,
    &terminal::GEMINI_CLI,
    &terminal::CODEX,
    &editor::ZED,
    &terminal::OPENCODE,
    &terminal::GOOSE,
    &editor::CLINE,
    &editor::ROO_CODE,
    &editor::KIRO,
    &terminal::AMAZON_Q,
    &editor::CONTINUE,
    &editor::JUNIE,
];

/// A client that only the content gives away: something reads these tool servers, nothing says what.
pub(crate) static UNKNOWN: Client = Client {
    id: "unknown",
    name: "an unknown client",
    default: Unset::Elsewhere,
    shell: false,
    defaults: NOTHING_KNOWN,
    moved: &[],
    files: &[
        file(
            "",
            NOWHERE,
            Level::Project,
            &[
                Servers::Map("mcpServers"),
                Servers::Map("mcp_servers"),
                Servers::Map("servers"),
                Servers::Map("context_servers"),
                Servers::Map("mcp.servers"),
                Servers::Map("mcp"),
                Servers::Map("extensions"),
                Servers::List("mcpServers"),
            ],
            NO_KEYS,
        ),
        File {
            suffix: "",
            homes: NOWHERE,
            level: Level::Project,
            syntax: Toml,
            servers: &[Servers::Map("mcp_servers"), Servers::Map("mcpServers"), Servers::Map("mcp")],
            keys: NO_KEYS,
            needs: &[],
            secrets: Secrets::Under(&["mcp_servers", "mcpServers", "mcp"]),
        },
        File {
            suffix: "",
            homes: NOWHERE,
            level: Level::Project,
            syntax: Yaml,
            servers: &[
                Servers::Map("mcpServers"),
                Servers::List("mcpServers"),
                Servers::Map("mcp_servers"),
                Servers::Map("servers"),
                Servers::Map("extensions"),
            ],
            keys: NO_KEYS,
            needs: &[],
            secrets: Secrets::Under(&["mcpServers", "mcp_servers", "servers", "extensions"]),
        },
    ],
};

/// Ends of the names of environment files.
pub(crate) const DOTENV: &[&str] = &[".env", ".env.local", ".env.development", ".env.production", ".envrc"];
