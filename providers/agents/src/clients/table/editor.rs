//! Editors and desktop programs, what extends them, and what Copilot runs at GitHub.

use evenhand_model::agent::ApprovalMode::{Bypass, Prompt};

use super::{
    AGENT_FILE_KEYS, DEFINITION_KEYS, HOME, NO_KEYS, NOTHING_KNOWN, NOWHERE, SERVERS, TRUTH, USER_DATA, XDG,
    definition, file, key, servers, store,
};
use crate::clients::Effect::{
    Allow, AllowTool, Deny, Hooks, Mode, Noted, Sandbox, SandboxApproves, Telemetry, ToolMap, Widen,
};
use crate::clients::{Client, Defaults, File, Key, Level, Secrets, Servers, Unset};
use crate::command::Reach;
use crate::permissions::Grammar;
use crate::tree::Syntax::{Json, Yaml};

pub(super) static CLAUDE_DESKTOP: Client = Client {
    id: "claude-desktop",
    name: "Claude Desktop",
    // What people allow for good lies in its own storage.
    default: Unset::Elsewhere,
    shell: false,
    defaults: NOTHING_KNOWN,
    moved: &[],
    files: &[servers("Claude/claude_desktop_config.json", USER_DATA, Level::User)],
};

pub(super) static CURSOR: Client = Client {
    id: "cursor",
    name: "Cursor",
    default: Unset::Elsewhere,
    shell: true,
    defaults: NOTHING_KNOWN,
    moved: &[],
    files: &[
        servers(".cursor/mcp.json", HOME, Level::UserOrProject),
        file(
            ".cursor/permissions.json",
            HOME,
            Level::UserOrProject,
            &[],
            &[
                key("mcpAllowlist", Allow(Grammar::ServerTool)),
                key("terminalAllowlist", Allow(Grammar::Command)),
                key("terminalDenylist", Deny(Grammar::Command)),
                key("autoRun", Noted),
            ],
        ),
        file(".cursor/hooks.json", HOME, Level::UserOrProject, &[], &[key("hooks", Hooks)]),
        definition(".cursor/agents/*.md", HOME, Level::UserOrProject, &[], DEFINITION_KEYS),
    ],
};

const VSCODE_KEYS: &[Key] = &[
    key("chat.tools.global.autoApprove", Widen(&[("true", Bypass)])),
    key("chat.tools.autoApprove", Widen(&[("true", Bypass)])),
    key("chat.permissions.default", Mode(&[("default", Prompt), ("autoApprove", Bypass), ("autopilot", Bypass)])),
    key("chat.tools.terminal.autoApprove", Allow(Grammar::Command)),
    key("chat.tools.edits.autoApprove", AllowTool("edits", TRUTH)),
    key("chat.tools.urls.autoApprove", AllowTool("fetch", TRUTH)),
    key("github.copilot.chat.claudeAgent.allowDangerouslySkipPermissions", Widen(&[("true", Bypass)])),
    key("chat.agent.sandbox.enabled", Sandbox(&[("true", true), ("on", true), ("false", false), ("off", false)])),
    key(
        "chat.agent.sandbox.enabled",
        SandboxApproves(&[("true", true), ("on", true), ("false", false), ("off", false)]),
    ),
    key("github.copilot.chat.otel.enabled", Telemetry(TRUTH)),
];

/// Where Copilot keeps its sign-in: Linux and macOS, Windows.
const COPILOT_DATA: &[&str] = &[".config/", "AppData/Local/"];

const VSCODE_NEEDS: &[&str] = &["mcp", "chat", "github.copilot"];
const VSCODE_SECRETS: Secrets = Secrets::Under(&["mcp", "chat", "github.copilot"]);

const fn vscode_settings(suffix: &'static str, homes: &'static [&'static str], level: Level) -> File {
    File {
        suffix,
        homes,
        level,
        syntax: Json,
        servers: &[Servers::Map("mcp.servers")],
        keys: VSCODE_KEYS,
        needs: VSCODE_NEEDS,
        secrets: VSCODE_SECRETS,
    }
}

pub(super) static VSCODE: Client = Client {
    id: "vscode",
    name: "VS Code with Copilot",
    default: Unset::Mode(Prompt),
    shell: true,
    defaults: Defaults {
        sandboxed: Some(false),
        escape: None,
        telemetry: Some(false),
        project_servers: None,
        reach: Some(Reach::Project),
    },
    moved: &[],
    files: &[
        file(".vscode/mcp.json", NOWHERE, Level::Project, &[Servers::Map("servers")], NO_KEYS),
        file("Code/User/mcp.json", USER_DATA, Level::User, &[Servers::Map("servers")], NO_KEYS),
        file("Code - Insiders/User/mcp.json", USER_DATA, Level::User, &[Servers::Map("servers")], NO_KEYS),
        vscode_settings(".vscode/settings.json", NOWHERE, Level::Project),
        vscode_settings("Code/User/settings.json", USER_DATA, Level::User),
        vscode_settings("Code - Insiders/User/settings.json", USER_DATA, Level::User),
        store("github-copilot/apps.json", COPILOT_DATA),
        store("github-copilot/hosts.json", COPILOT_DATA),
    ],
};

pub(super) static COPILOT_CODING_AGENT: Client = Client {
    id: "copilot-coding-agent",
    name: "Copilot coding agent",
    default: Unset::Elsewhere,
    shell: false,
    defaults: NOTHING_KNOWN,
    moved: &[],
    files: &[
        definition(".github/agents/*.md", NOWHERE, Level::Project, &[Servers::Map("mcp-servers")], DEFINITION_KEYS),
        file(".github/hooks/*.json", NOWHERE, Level::Project, &[], &[key("hooks", Hooks)]),
    ],
};

pub(super) static WINDSURF: Client = Client {
    id: "windsurf",
    name: "Windsurf",
    default: Unset::Mode(Prompt),
    shell: true,
    defaults: NOTHING_KNOWN,
    moved: &[],
    files: &[
        servers(".codeium/windsurf/mcp_config.json", HOME, Level::User),
        servers(".codeium/mcp_config.json", HOME, Level::User),
        File {
            suffix: "Windsurf/User/settings.json",
            homes: USER_DATA,
            level: Level::User,
            syntax: Json,
            servers: &[],
            keys: &[
                key("windsurf.cascadeCommandsAllowList", Allow(Grammar::Command)),
                key("windsurf.cascadeCommandsDenyList", Deny(Grammar::Command)),
            ],
            needs: &["windsurf"],
            secrets: Secrets::Under(&["windsurf"]),
        },
    ],
};

const ZED_KEYS: &[Key] = &[
    key("agent.tool_permissions.default", Mode(&[("confirm", Prompt), ("deny", Prompt), ("allow", Bypass)])),
    key("agent.always_allow_tool_actions", Widen(&[("true", Bypass)])),
    key("agent.tool_permissions.tools", ToolMap),
];

const fn zed(suffix: &'static str, homes: &'static [&'static str], level: Level) -> File {
    File {
        suffix,
        homes,
        level,
        syntax: Json,
        servers: &[Servers::Map("context_servers")],
        keys: ZED_KEYS,
        needs: &["context_servers", "agent", "assistant"],
        secrets: Secrets::Under(&["context_servers", "agent", "assistant", "language_models"]),
    }
}

pub(super) static ZED: Client = Client {
    id: "zed",
    name: "Zed",
    default: Unset::Mode(Prompt),
    shell: true,
    defaults: NOTHING_KNOWN,
    moved: &[XDG],
    files: &[
        zed("zed/settings.json", &[".config/"], Level::User),
        zed("Zed/settings.json", &["AppData/Roaming/"], Level::User),
        zed(".zed/settings.json", NOWHERE, Level::Project),
    ],
};

/// Where editors keep what their extensions store.
const GLOBAL_STORAGE: &[&str] = &[
    ".config/Code/User/globalStorage/",
    "Library/Application Support/Code/User/globalStorage/",
    "AppData/Roaming/Code/User/globalStorage/",
];

pub(super) static CLINE: Client = Client {
    id: "cline",
    name: "Cline",
    // What people allow for good lies in its own storage.
    default: Unset::Elsewhere,
    shell: true,
    defaults: NOTHING_KNOWN,
    moved: &[],
    files: &[
        servers("saoudrizwan.claude-dev/settings/cline_mcp_settings.json", GLOBAL_STORAGE, Level::User),
        servers("cline_mcp_settings.json", NOWHERE, Level::User),
    ],
};

pub(super) static ROO_CODE: Client = Client {
    id: "roo-code",
    name: "Roo Code",
    // What people allow for good lies in its own storage.
    default: Unset::Elsewhere,
    shell: true,
    defaults: NOTHING_KNOWN,
    moved: &[],
    files: &[
        servers("rooveterinaryinc.roo-cline/settings/mcp_settings.json", GLOBAL_STORAGE, Level::User),
        servers("mcp_settings.json", NOWHERE, Level::User),
        servers(".roo/mcp.json", NOWHERE, Level::Project),
    ],
};

pub(super) static KIRO: Client = Client {
    id: "kiro",
    name: "Kiro",
    default: Unset::Mode(Prompt),
    shell: true,
    defaults: NOTHING_KNOWN,
    moved: &[],
    files: &[
        servers(".kiro/settings/mcp.json", HOME, Level::UserOrProject),
        file(".kiro/agents/*.json", HOME, Level::UserOrProject, SERVERS, AGENT_FILE_KEYS),
        store(".aws/sso/cache/kiro-auth-token.json", HOME),
    ],
};

const fn continue_file(suffix: &'static str, homes: &'static [&'static str], level: Level) -> File {
    File {
        suffix,
        homes,
        level,
        syntax: Yaml,
        servers: &[Servers::List("mcpServers")],
        keys: NO_KEYS,
        needs: &[],
        secrets: Secrets::Everywhere,
    }
}

pub(super) static CONTINUE: Client = Client {
    id: "continue",
    name: "Continue",
    default: Unset::Elsewhere,
    shell: true,
    defaults: NOTHING_KNOWN,
    moved: &[],
    files: &[
        continue_file(".continue/config.yaml", HOME, Level::UserOrProject),
        continue_file(".continue/mcpServers/*.yaml", HOME, Level::UserOrProject),
        servers(".continue/mcpServers/*.json", HOME, Level::UserOrProject),
    ],
};

pub(super) static JUNIE: Client = Client {
    id: "junie",
    name: "JetBrains Junie",
    default: Unset::Elsewhere,
    shell: true,
    defaults: NOTHING_KNOWN,
    moved: &[],
    files: &[servers(".junie/mcp/mcp.json", HOME, Level::UserOrProject)],
};
