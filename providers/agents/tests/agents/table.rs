//! The table of clients, row by row: where each keeps its files on every system, and for each client a configuration in
//! which something is wrong, one in which it is not, and one that does not tell.

use std::collections::BTreeSet;

use evenhand_agents::Agents;
use evenhand_model::agent::AgentKind;
use evenhand_model::agent::ApprovalMode::{self, Bypass, Partial, Prompt};
use evenhand_model::evidence::Fact;
use evenhand_model::provider::Provider;

use crate::common::{document, inventory, read};

/// Something that a row of the agents table says.
#[derive(Debug)]
enum Said {
    /// The client's approval mode.
    Mode(Fact<ApprovalMode>),
    /// The approval mode of the tool server `one`.
    ServerMode(Fact<ApprovalMode>),
    /// A tool of the tool server `one` that runs unasked.
    Unasked(&'static str),
    /// Whether what the tool server `one` fetches is pinned.
    Pinned(Fact<bool>),
    /// Whether the tool server `one` demands a credential.
    Authenticated(Fact<bool>),
    /// How far over the file system the client reaches.
    Scope(Fact<&'static str>),
    /// Whether outsiders can start the agent.
    Outsiders(Fact<bool>),
}

use Said::{Authenticated, Mode, Outsiders, Pinned, Scope, ServerMode, Unasked};

type Case = (&'static str, &'static str, Said);

const LATEST: &str = r#"{"mcpServers": {"one": {"command": "npx", "args": ["-y", "pkg"]}}}"#;
const FIXED: &str = r#"{"mcpServers": {"one": {"command": "npx", "args": ["-y", "pkg@1.2.3"]}}}"#;
const VARIABLE: &str = r#"{"mcpServers": {"one": {"command": "npx", "args": ["-y", "pkg@${VERSION}"]}}}"#;
const ALLOWED: &str =
    r#"{"mcpServers": {"one": {"command": "x", "alwaysAllow": ["delete_item"], "autoApprove": ["delete_item"]}}}"#;
const PLAIN: &str = r#"{"mcpServers": {"one": {"command": "x"}}}"#;
const SIGNS_IN: &str = r#"{"mcpServers": {"one": {"url": "https://mcp.example.test/mcp"}}}"#;
const YES: Fact<bool> = Fact::Known(true);
const NO: Fact<bool> = Fact::Known(false);

/// Client; then a configuration in which something is wrong, one in which it is not, one that does not tell.
const CLIENTS: &[(&str, [Case; 3])] = &[
    (
        "claude-code",
        [
            (
                ".claude/settings.json",
                r#"{"permissions": {"defaultMode": "bypassPermissions"}}"#,
                Mode(Fact::Known(Bypass)),
            ),
            (".claude/settings.json", r#"{"permissions": {"defaultMode": "plan"}}"#, Mode(Fact::Known(Prompt))),
            (".claude/settings.json", r#"{"permissions": {"defaultMode": "unheard"}}"#, Mode(Fact::Unknown)),
        ],
    ),
    (
        "claude-desktop",
        [
            ("home/ana/.config/Claude/claude_desktop_config.json", LATEST, Pinned(NO)),
            ("home/ana/.config/Claude/claude_desktop_config.json", FIXED, Pinned(YES)),
            ("home/ana/.config/Claude/claude_desktop_config.json", VARIABLE, Pinned(Fact::Unknown)),
        ],
    ),
    (
        "cursor",
        [
            (".cursor/permissions.json", r#"{"mcpAllowlist": ["*:*"]}"#, Mode(Fact::Known(Bypass))),
            (".cursor/mcp.json", FIXED, Pinned(YES)),
            (".cursor/mcp.json", PLAIN, Mode(Fact::Unknown)),
        ],
    ),
    (
        "cursor-cli",
        [
            (".cursor/cli.json", r#"{"approvalMode": "unrestricted"}"#, Mode(Fact::Known(Bypass))),
            (".cursor/cli.json", r#"{"permissions": {"deny": ["Shell(rm)"]}}"#, Mode(Fact::Known(Prompt))),
            (".cursor/cli.json", r#"{"approvalMode": "unheard"}"#, Mode(Fact::Unknown)),
        ],
    ),
    (
        "vscode",
        [
            (".vscode/settings.json", r#"{"chat.permissions.default": "autopilot"}"#, Mode(Fact::Known(Bypass))),
            (".vscode/settings.json", r#"{"chat.permissions.default": "default"}"#, Mode(Fact::Known(Prompt))),
            (".vscode/settings.json", r#"{"chat.permissions.default": "unheard"}"#, Mode(Fact::Unknown)),
        ],
    ),
    (
        "copilot-cli",
        [
            ("home/ana/.copilot/config.json", r#"{"trusted_folders": ["/"]}"#, Scope(Fact::Known("root"))),
            ("home/ana/.copilot/config.json", r#"{"trustedFolders": ["/src/shop"]}"#, Scope(Fact::Known("project"))),
            ("home/ana/.copilot/config.json", "{}", Scope(Fact::Unknown)),
        ],
    ),
    (
        "copilot-coding-agent",
        [
            (
                ".github/agents/a.md",
                "---\nmcp-servers:\n  one: {command: npx, args: [-y, pkg]}\n---\nText.\n",
                Pinned(NO),
            ),
            (
                ".github/agents/a.md",
                "---\nmcp-servers:\n  one: {command: npx, args: [-y, pkg@1.2.3]}\n---\n",
                Pinned(YES),
            ),
            (
                ".github/agents/a.md",
                "---\nmcp-servers:\n  one: {command: npx, args: [-y, \"pkg@${V}\"]}\n---\n",
                Pinned(Fact::Unknown),
            ),
        ],
    ),
    (
        "windsurf",
        [
            (
                "home/ana/.config/Windsurf/User/settings.json",
                r#"{"windsurf.cascadeCommandsAllowList": ["*"]}"#,
                Mode(Fact::Known(Partial)),
            ),
            (
                "home/ana/.config/Windsurf/User/settings.json",
                r#"{"windsurf.cascadeCommandsDenyList": ["rm"]}"#,
                Mode(Fact::Known(Prompt)),
            ),
            ("home/ana/.codeium/windsurf/mcp_config.json", SIGNS_IN, Authenticated(Fact::Unknown)),
        ],
    ),
    (
        "gemini-cli",
        [
            (".gemini/settings.json", r#"{"general": {"defaultApprovalMode": "yolo"}}"#, Mode(Fact::Known(Bypass))),
            (".gemini/settings.json", r#"{"general": {"defaultApprovalMode": "default"}}"#, Mode(Fact::Known(Prompt))),
            (".gemini/settings.json", r#"{"general": {"defaultApprovalMode": "unheard"}}"#, Mode(Fact::Unknown)),
        ],
    ),
    (
        "codex",
        [
            (".codex/config.toml", "approval_policy = \"never\"\n", Mode(Fact::Known(Bypass))),
            (".codex/config.toml", "approval_policy = \"untrusted\"\n", Mode(Fact::Known(Prompt))),
            (".codex/config.toml", "approval_policy = \"unheard\"\n", Mode(Fact::Unknown)),
        ],
    ),
    (
        "zed",
        [
            (
                ".zed/settings.json",
                r#"{"agent": {"tool_permissions": {"default": "allow"}}}"#,
                Mode(Fact::Known(Bypass)),
            ),
            (
                ".zed/settings.json",
                r#"{"agent": {"tool_permissions": {"default": "confirm"}}}"#,
                Mode(Fact::Known(Prompt)),
            ),
            (".zed/settings.json", r#"{"agent": {"tool_permissions": {"default": "unheard"}}}"#, Mode(Fact::Unknown)),
        ],
    ),
    (
        "opencode",
        [
            ("opencode.json", "{}", Mode(Fact::Known(Bypass))),
            ("opencode.json", r#"{"permission": "ask"}"#, Mode(Fact::Known(Prompt))),
            ("opencode.json", r#"{"permission": "unheard"}"#, Mode(Fact::Unknown)),
        ],
    ),
    (
        "goose",
        [
            ("home/ana/.config/goose/config.yaml", "extensions: {}\n", Mode(Fact::Known(Bypass))),
            ("home/ana/.config/goose/config.yaml", "GOOSE_MODE: approve\n", Mode(Fact::Known(Prompt))),
            ("home/ana/.config/goose/config.yaml", "GOOSE_MODE: unheard\n", Mode(Fact::Unknown)),
        ],
    ),
    (
        "cline",
        [
            ("any/cline_mcp_settings.json", ALLOWED, Unasked("delete_item")),
            ("any/cline_mcp_settings.json", FIXED, Pinned(YES)),
            ("any/cline_mcp_settings.json", PLAIN, ServerMode(Fact::Unknown)),
        ],
    ),
    (
        "roo-code",
        [
            (".roo/mcp.json", ALLOWED, Unasked("delete_item")),
            (".roo/mcp.json", FIXED, Pinned(YES)),
            (".roo/mcp.json", PLAIN, ServerMode(Fact::Unknown)),
        ],
    ),
    (
        "kiro",
        [
            (".kiro/agents/dev.json", r#"{"allowedTools": ["*"]}"#, Mode(Fact::Known(Bypass))),
            (".kiro/settings/mcp.json", PLAIN, Mode(Fact::Known(Prompt))),
            (".kiro/settings/mcp.json", SIGNS_IN, Authenticated(Fact::Unknown)),
        ],
    ),
    (
        "amazon-q",
        [
            (".amazonq/cli-agents/dev.json", r#"{"allowedTools": ["*"]}"#, Mode(Fact::Known(Bypass))),
            (".amazonq/mcp.json", PLAIN, Mode(Fact::Known(Prompt))),
            (".amazonq/mcp.json", SIGNS_IN, Authenticated(Fact::Unknown)),
        ],
    ),
    (
        "continue",
        [
            (".continue/config.yaml", "mcpServers:\n  - {name: one, command: npx, args: [-y, pkg]}\n", Pinned(NO)),
            (
                ".continue/config.yaml",
                "mcpServers:\n  - {name: one, command: npx, args: [-y, pkg@1.2.3]}\n",
                Pinned(YES),
            ),
            ("home/ana/.continue/config.yaml", "mcpServers: []\n", Mode(Fact::Unknown)),
        ],
    ),
    (
        "junie",
        [
            (".junie/mcp/mcp.json", LATEST, Pinned(NO)),
            (".junie/mcp/mcp.json", FIXED, Pinned(YES)),
            (".junie/mcp/mcp.json", PLAIN, Mode(Fact::Unknown)),
        ],
    ),
    (
        "unknown",
        [
            ("any/where.json", LATEST, Pinned(NO)),
            ("any/where.json", FIXED, Pinned(YES)),
            ("any/where.json", PLAIN, Mode(Fact::Unknown)),
        ],
    ),
    (
        "a2a",
        [
            (
                "desk/agent_card.json",
                r#"{"name": "Desk", "url": "https://desk.example.test", "skills": [], "capabilities": {}}"#,
                Authenticated(NO),
            ),
            (
                "desk/agent_card.json",
                r#"{"name": "Desk", "url": "https://desk.example.test", "skills": [], "capabilities": {}, "securitySchemes": {"o": {}}, "security": [{"o": []}]}"#,
                Authenticated(YES),
            ),
            (
                "desk/agent_card.json",
                r#"{"name": "Desk", "url": "https://desk.example.test", "skills": [], "capabilities": {}}"#,
                Outsiders(Fact::Unknown),
            ),
        ],
    ),
];

#[test]
fn every_client_has_a_wrong_a_right_and_an_unknown_case() {
    for (client, cases) in CLIENTS {
        for (path, text, said) in cases {
            let inventory = inventory(&[(path, text)]);
            let agents = || inventory.agents.iter().filter(|row| &*row.client == *client);
            let server = || agents().find(|row| &*row.name == "one" && row.kind == AgentKind::ToolServer);
            let row = agents().find(|row| row.kind == AgentKind::Agent).unwrap_or_else(|| panic!("no row of {client}"));
            let server = || server().unwrap_or_else(|| panic!("no tool server of {client} in {path}"));
            let right = match said {
                Mode(expected) => row.approval_mode == *expected,
                ServerMode(expected) => server().approval_mode == *expected,
                Unasked(tool) => {
                    server().auto_approved.value().is_some_and(|tools| tools.iter().any(|held| held.contains(tool)))
                }
                Pinned(expected) => server().command_pinned == *expected,
                Authenticated(expected) if *client == "a2a" => row.authenticated == *expected,
                Authenticated(expected) => server().authenticated == *expected,
                Scope(expected) => row.file_scope.value().map(|scope| &**scope) == expected.value().copied(),
                Outsiders(expected) => row.untrusted_trigger == *expected,
            };
            assert!(right, "{client}, {path}: expected {said:?} of {text}; got {row:?}");
        }
    }
}

#[test]
fn every_client_of_the_table_is_in_the_cases() {
    let readme = include_str!("../../README.md");
    let (_, rest) = readme.split_once("<!-- clients -->").unwrap();
    let (table, _) = rest.split_once("<!-- /clients -->").unwrap();
    let listed: BTreeSet<&str> = table.lines().filter_map(|line| line.split("(`").nth(1)?.split("`)").next()).collect();
    let tested: BTreeSet<&str> = CLIENTS.iter().map(|(client, _)| *client).collect();
    assert!(listed.len() > 18, "{listed:?}");
    assert_eq!(listed.difference(&tested).collect::<Vec<_>>(), Vec::<&&str>::new());
}

#[test]
fn every_client_of_the_reference_is_in_the_cases() {
    let Some(folder) = std::env::var_os("EVENHAND_SHARED") else {
        eprintln!("EVENHAND_SHARED is not set: the reference is not read");
        return;
    };
    let table = std::path::PathBuf::from(folder).join("reference/agent_clients.csv");
    let table = std::fs::read_to_string(table).unwrap();
    let mut lines = table.lines();
    assert!(lines.next().is_some_and(|head| head.starts_with("client,")), "the first column names the client");
    let names: BTreeSet<&str> = lines.filter_map(|line| line.split(',').next()).collect();
    assert!(names.len() > 18, "{names:?}");
    let id = |name: &str| match name {
        "VS Code/Copilot" => "vscode".to_owned(),
        "Amazon Q CLI" => "amazon-q".to_owned(),
        "JetBrains Junie" => "junie".to_owned(),
        name => name.to_ascii_lowercase().replace(' ', "-"),
    };
    let missing: Vec<&str> =
        names.into_iter().filter(|name| !CLIENTS.iter().any(|(client, _)| *client == id(name))).collect();
    assert_eq!(missing, Vec::<&str>::new(), "each needs a wrong, a right and an unknown case");
}

const JSON: &str = r#"{"mcpServers": {}}"#;

/// Every path under which a client keeps a file, by the vendors' documentation, with the client's name.
const PATHS: &[(&str, &str, &str)] = &[
    ("Users/ana/Library/Application Support/Claude/claude_desktop_config.json", JSON, "Claude Desktop"),
    ("Users/ana/AppData/Roaming/Claude/claude_desktop_config.json", JSON, "Claude Desktop"),
    ("home/ana/.claude.json", JSON, "Claude Code"),
    ("repo/.mcp.json", JSON, "Claude Code"),
    ("home/ana/.claude/settings.json", "{}", "Claude Code"),
    ("repo/.claude/settings.json", "{}", "Claude Code"),
    ("repo/.claude/settings.local.json", "{}", "Claude Code"),
    ("repo/.claude/agents/review.md", "---\nname: review\n---\n", "Claude Code"),
    ("Library/Application Support/ClaudeCode/managed-settings.json", "{}", "Claude Code"),
    ("Library/Application Support/ClaudeCode/managed-mcp.json", JSON, "Claude Code"),
    ("etc/claude-code/managed-settings.json", "{}", "Claude Code"),
    ("etc/claude-code/managed-mcp.json", JSON, "Claude Code"),
    ("Program Files/ClaudeCode/managed-settings.json", "{}", "Claude Code"),
    ("home/ana/.cursor/mcp.json", JSON, "Cursor"),
    ("repo/.cursor/mcp.json", JSON, "Cursor"),
    ("home/ana/.cursor/permissions.json", "{}", "Cursor"),
    ("repo/.cursor/permissions.json", "{}", "Cursor"),
    ("home/ana/.cursor/cli-config.json", "{}", "Cursor CLI"),
    ("repo/.cursor/cli.json", "{}", "Cursor CLI"),
    ("home/ana/.config/Code/User/mcp.json", "{\"servers\": {}}", "VS Code with Copilot"),
    ("Users/ana/Library/Application Support/Code/User/mcp.json", "{\"servers\": {}}", "VS Code with Copilot"),
    ("Users/ana/AppData/Roaming/Code/User/mcp.json", "{\"servers\": {}}", "VS Code with Copilot"),
    ("repo/.vscode/mcp.json", "{\"servers\": {}}", "VS Code with Copilot"),
    ("home/ana/.config/Code/User/settings.json", "{\"mcp\": {}}", "VS Code with Copilot"),
    ("repo/.vscode/settings.json", "{\"mcp\": {}}", "VS Code with Copilot"),
    ("home/ana/.copilot/mcp-config.json", JSON, "Copilot CLI"),
    ("home/ana/.copilot/config.json", "{}", "Copilot CLI"),
    ("repo/.github/agents/review.md", "---\nname: review\n---\n", "Copilot coding agent"),
    ("home/ana/.codeium/windsurf/mcp_config.json", JSON, "Windsurf"),
    ("home/ana/.gemini/settings.json", "{}", "Gemini CLI"),
    ("repo/.gemini/settings.json", "{}", "Gemini CLI"),
    ("etc/gemini-cli/settings.json", "{}", "Gemini CLI"),
    ("etc/gemini-cli/system-defaults.json", "{}", "Gemini CLI"),
    ("Library/Application Support/GeminiCli/settings.json", "{}", "Gemini CLI"),
    ("ProgramData/gemini-cli/settings.json", "{}", "Gemini CLI"),
    ("home/ana/.gemini/policies/a.toml", "", "Gemini CLI"),
    ("etc/gemini-cli/policies/a.toml", "", "Gemini CLI"),
    ("home/ana/.codex/config.toml", "", "Codex"),
    ("repo/.codex/config.toml", "", "Codex"),
    ("etc/codex/config.toml", "", "Codex"),
    ("ProgramData/OpenAI/Codex/config.toml", "", "Codex"),
    ("etc/codex/requirements.toml", "", "Codex"),
    ("etc/codex/managed_config.toml", "", "Codex"),
    ("home/ana/.config/zed/settings.json", "{\"context_servers\": {}}", "Zed"),
    ("Users/ana/AppData/Roaming/Zed/settings.json", "{\"context_servers\": {}}", "Zed"),
    ("repo/.zed/settings.json", "{\"context_servers\": {}}", "Zed"),
    ("home/ana/.config/opencode/opencode.json", "{}", "opencode"),
    ("home/ana/.config/opencode/opencode.jsonc", "{}", "opencode"),
    ("repo/opencode.json", "{}", "opencode"),
    ("repo/opencode.jsonc", "{}", "opencode"),
    ("etc/opencode/opencode.json", "{}", "opencode"),
    ("Library/Application Support/opencode/opencode.jsonc", "{}", "opencode"),
    ("ProgramData/opencode/opencode.json", "{}", "opencode"),
    ("home/ana/.config/goose/config.yaml", "a: b\n", "Goose"),
    ("Users/ana/AppData/Roaming/Block/goose/config/config.yaml", "a: b\n", "Goose"),
    ("home/ana/.config/goose/permission.yaml", "a: b\n", "Goose"),
    ("home/ana/.config/goose/secrets.yaml", "a: b\n", "Goose"),
    ("home/ana/.config/Code/User/globalStorage/saoudrizwan.claude-dev/settings/cline_mcp_settings.json", JSON, "Cline"),
    (
        "Users/ana/AppData/Roaming/Code/User/globalStorage/rooveterinaryinc.roo-cline/settings/mcp_settings.json",
        JSON,
        "Roo Code",
    ),
    ("repo/.roo/mcp.json", JSON, "Roo Code"),
    ("home/ana/.aws/amazonq/mcp.json", JSON, "Amazon Q CLI"),
    ("home/ana/.aws/amazonq/cli-agents/a.json", "{}", "Amazon Q CLI"),
    ("repo/.amazonq/mcp.json", JSON, "Amazon Q CLI"),
    ("repo/.amazonq/cli-agents/a.json", "{}", "Amazon Q CLI"),
    ("home/ana/.kiro/settings/mcp.json", JSON, "Kiro"),
    ("repo/.kiro/settings/mcp.json", JSON, "Kiro"),
    ("home/ana/.kiro/agents/a.json", "{}", "Kiro"),
    ("home/ana/.continue/config.yaml", "a: b\n", "Continue"),
    ("repo/.continue/mcpServers/a.yaml", "a: b\n", "Continue"),
    ("home/ana/.junie/mcp/mcp.json", JSON, "JetBrains Junie"),
    ("repo/.junie/mcp/mcp.json", JSON, "JetBrains Junie"),
    ("site/.well-known/agent-card.json", "{\"name\": \"Desk\"}", "A2A agent card"),
    ("site/.well-known/agent.json", "{\"name\": \"Desk\"}", "A2A agent card"),
];

#[test]
fn files_are_known_by_their_paths_on_every_system() {
    for (path, text, client) in PATHS {
        assert_eq!(Agents.recognise(&document(path, text)), Some(*client), "{path}");
        assert!(evenhand_agents::is_known_path(path), "{path}");
        let (_, errors) = read(vec![document(path, text)]);
        assert!(errors.is_empty(), "{path}: {errors:?}");
    }
    for path in ["repo/data.json", "home/ana/photos/a.md", "repo/src/main.rs", "repo/.github/workflows/ci.txt"] {
        assert!(!evenhand_agents::is_known_path(path), "{path}");
    }
}

#[test]
fn json5_is_read_where_a_client_writes_it() {
    let text = "{\n  // trusted\n  mcpServers: {\n    'one': {command: 'npx', args: ['-y', 'pkg@1.2.3',], env: {N: +1, H: 0x1F}},\n  },\n}";
    let inventory = inventory(&[(".gemini/settings.json", text)]);
    let server = inventory.agents.iter().find(|row| &*row.name == "one").unwrap();
    assert_eq!((server.command_pinned, server.evidence.line_number()), (YES, Some(4)));
}

#[test]
fn machine_wide_files_lie_where_administrators_put_them() {
    let files = Agents.system_files();
    for path in [
        "/etc/claude-code/managed-settings.json",
        "/Library/Application Support/ClaudeCode/managed-mcp.json",
        "C:/Program Files/ClaudeCode/managed-settings.json",
        "/etc/codex/requirements.toml",
        "/etc/codex/config.toml",
        "/etc/gemini-cli/policies",
        "C:/ProgramData/opencode/opencode.json",
        "/Library/Application Support/opencode/opencode.json",
    ] {
        assert!(files.contains(&path), "{path}: {files:?}");
    }
    assert!(files.is_sorted());
}
