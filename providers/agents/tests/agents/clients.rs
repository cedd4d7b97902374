//! Every client: its servers are found at their line, its approval keys are understood, its default holds when unset.

use crate::common::{client, document, inventory, read, server};
use evenhand_agents::Agents;
use evenhand_model::agent::ApprovalMode::{self, Bypass, Partial, Prompt};
use evenhand_model::evidence::Fact;
use evenhand_model::provider::Provider;

/// Client, file, content, server in it with its line (0 = none), the approval mode (`None` = unknown), whether it is
/// the default.
type Case = (&'static str, &'static str, &'static str, &'static str, u32, Option<ApprovalMode>, bool);

const SERVERS: &str = "{\n  // comment\n  \"mcpServers\": {\n    \"one\": {\"command\": \"npx\", \"args\": [\"-y\", \"pkg@1.2.3\"],},\n  },\n}";

const CASES: &[Case] = &[
    ("claude-code", ".mcp.json", SERVERS, "one", 4, Some(Prompt), true),
    (
        "claude-code",
        ".mcp.json",
        "{\"one\": {\"type\": \"http\", \"url\": \"https://example.test/mcp\"}}",
        "one",
        1,
        Some(Prompt),
        true,
    ),
    (
        "claude-code",
        "home/ana/.claude.json",
        "{\"projects\": {\"/src/shop\": {\n\"mcpServers\": {\"one\": {\"command\": \"x\"}}}}}",
        "one",
        2,
        Some(Prompt),
        true,
    ),
    ("claude-code", ".claude/settings.json", "{}", "", 0, Some(Prompt), true),
    (
        "claude-code",
        ".claude/settings.json",
        "{\"permissions\": {\"defaultMode\": \"bypassPermissions\"}}",
        "",
        0,
        Some(Bypass),
        false,
    ),
    (
        "claude-code",
        ".claude/settings.json",
        "{\"permissions\": {\"defaultMode\": \"acceptEdits\"}}",
        "",
        0,
        Some(Partial),
        false,
    ),
    ("claude-code", ".claude/settings.json", "{\"permissions\": {\"defaultMode\": \"unheard\"}}", "", 0, None, false),
    (
        "claude-code",
        ".claude/settings.local.json",
        "{\"permissions\": {\"allow\": [\"Bash(ls:*)\"]}}",
        "",
        0,
        Some(Partial),
        false,
    ),
    (
        "claude-code",
        "home/ana/.claude/settings.json",
        "{\"sandbox\": {\"enabled\": true}}",
        "",
        0,
        Some(Partial),
        false,
    ),
    (
        "claude-code",
        "home/ana/.claude/settings.json",
        "{\"sandbox\": {\"enabled\": true, \"autoAllowBashIfSandboxed\": false}}",
        "",
        0,
        Some(Prompt),
        true,
    ),
    ("claude-desktop", "home/ana/.config/Claude/claude_desktop_config.json", SERVERS, "one", 4, None, true),
    ("cursor", ".cursor/mcp.json", SERVERS, "one", 4, None, true),
    ("cursor", ".cursor/permissions.json", "{\"terminalAllowlist\": [\"*\"]}", "", 0, None, false),
    ("cursor", ".cursor/permissions.json", "{\"mcpAllowlist\": [\"*:*\"]}", "", 0, Some(Bypass), false),
    ("cursor-cli", ".cursor/cli.json", "{\"permissions\": {\"allow\": [\"Shell(git)\"]}}", "", 0, Some(Partial), false),
    ("cursor-cli", ".cursor/cli.json", "{}", "", 0, Some(Prompt), true),
    (
        "vscode",
        ".vscode/mcp.json",
        "{\"inputs\": [],\n\"servers\": {\n\"one\": {\"url\": \"https://example.test/sse\"}}}",
        "one",
        3,
        Some(Prompt),
        true,
    ),
    (
        "vscode",
        ".vscode/settings.json",
        "{\"mcp\": {\"servers\": {\n\"one\": {\"command\": \"x\"}}}}",
        "one",
        2,
        Some(Prompt),
        true,
    ),
    ("vscode", ".vscode/settings.json", "{\"chat.tools.global.autoApprove\": true}", "", 0, Some(Bypass), false),
    ("vscode", ".vscode/settings.json", "{\"chat.permissions.default\": \"autopilot\"}", "", 0, Some(Bypass), false),
    (
        "vscode",
        ".vscode/settings.json",
        "{\"chat.tools.terminal.autoApprove\": {\"git status\": true, \"rm\": false}}",
        "",
        0,
        Some(Partial),
        false,
    ),
    ("vscode", ".vscode/settings.json", "{\"chat.agent.sandbox.enabled\": true}", "", 0, Some(Partial), false),
    ("copilot-cli", "home/ana/.copilot/mcp-config.json", SERVERS, "one", 4, Some(Prompt), true),
    (
        "windsurf",
        "home/ana/.codeium/windsurf/mcp_config.json",
        "{\"mcpServers\": {\"one\": {\"serverUrl\": \"https://example.test/mcp\"}}}",
        "one",
        1,
        Some(Prompt),
        true,
    ),
    ("gemini-cli", ".gemini/settings.json", SERVERS, "one", 4, Some(Prompt), true),
    (
        "gemini-cli",
        ".gemini/settings.json",
        "{\"general\": {\"defaultApprovalMode\": \"auto_edit\"}}",
        "",
        0,
        Some(Partial),
        false,
    ),
    (
        "gemini-cli",
        ".gemini/settings.json",
        "{\"tools\": {\"allowed\": [\"run_shell_command(git)\"]}}",
        "",
        0,
        Some(Partial),
        false,
    ),
    (
        "gemini-cli",
        "home/ana/.gemini/policies/all.toml",
        "[[rule]]\ntoolName = \"*\"\ndecision = \"allow\"\npriority = 9\n",
        "",
        0,
        Some(Bypass),
        false,
    ),
    (
        "gemini-cli",
        "home/ana/.gemini/policies/y.toml",
        "[[rule]]\ntoolName = \"*\"\ndecision = \"allow\"\nmodes = [\"yolo\"]\n",
        "",
        0,
        Some(Prompt),
        true,
    ),
    (
        "codex",
        ".codex/config.toml",
        "model = \"m\"\n[mcp_servers.one]\ncommand = \"npx\"\nargs = [\"-y\", \"pkg\"]\n",
        "one",
        2,
        Some(Partial),
        true,
    ),
    ("codex", ".codex/config.toml", "approval_policy = \"never\"\n", "", 0, Some(Bypass), false),
    ("codex", ".codex/config.toml", "approval_policy = \"untrusted\"\n", "", 0, Some(Prompt), false),
    (
        "codex",
        ".codex/config.toml",
        "approval_policy = \"untrusted\"\nprofile = \"fast\"\n[profiles.fast]\napproval_policy = \"never\"\n",
        "",
        0,
        Some(Bypass),
        false,
    ),
    (
        "codex",
        ".codex/config.toml",
        "approval_policy = \"untrusted\"\n[profiles.fast]\napproval_policy = \"never\"\n",
        "",
        0,
        Some(Prompt),
        false,
    ),
    (
        "zed",
        ".zed/settings.json",
        "{\"context_servers\": {\"one\": {\"command\": {\"path\": \"npx\", \"args\": [\"-y\", \"pkg\"]}}}}",
        "one",
        1,
        Some(Prompt),
        true,
    ),
    (
        "zed",
        ".zed/settings.json",
        "{\"agent\": {\"tool_permissions\": {\"default\": \"allow\"}}}",
        "",
        0,
        Some(Bypass),
        false,
    ),
    ("zed", ".zed/settings.json", "{\"agent\": {\"always_allow_tool_actions\": true}}", "", 0, Some(Bypass), false),
    (
        "opencode",
        "opencode.json",
        "{\"mcp\": {\"one\": {\"type\": \"local\", \"command\": [\"npx\", \"-y\", \"pkg\"]}}}",
        "one",
        1,
        Some(Bypass),
        true,
    ),
    ("opencode", "opencode.jsonc", "{\"permission\": \"ask\"}", "", 0, Some(Prompt), false),
    ("opencode", "opencode.json", "{\"permission\": {\"edit\": \"ask\"}}", "", 0, Some(Partial), false),
    (
        "opencode",
        "opencode.json",
        "{\"permission\": {\"*\": \"ask\", \"bash\": {\"git status\": \"allow\"}}}",
        "",
        0,
        Some(Partial),
        false,
    ),
    (
        "goose",
        "home/ana/.config/goose/config.yaml",
        "extensions:\n  one:\n    type: stdio\n    cmd: uvx\n    args: [pkg]\n",
        "one",
        2,
        Some(Bypass),
        true,
    ),
    ("goose", "home/ana/.config/goose/config.yaml", "GOOSE_MODE: approve\n", "", 0, Some(Prompt), false),
    ("goose", "home/ana/.config/goose/config.yaml", "GOOSE_MODE: smart_approve\n", "", 0, Some(Partial), false),
    (
        "cline",
        "home/ana/.config/Code/User/globalStorage/saoudrizwan.claude-dev/settings/cline_mcp_settings.json",
        SERVERS,
        "one",
        4,
        None,
        true,
    ),
    ("roo-code", ".roo/mcp.json", SERVERS, "one", 4, None, true),
    ("kiro", ".kiro/settings/mcp.json", SERVERS, "one", 4, Some(Prompt), true),
    (
        "kiro",
        ".kiro/agents/dev.json",
        "{\"name\": \"dev\", \"allowedTools\": [\"fs_read\"]}",
        "",
        0,
        Some(Partial),
        false,
    ),
    ("amazon-q", "home/ana/.aws/amazonq/mcp.json", SERVERS, "one", 4, Some(Prompt), true),
    ("amazon-q", ".amazonq/cli-agents/dev.json", "{\"allowedTools\": [\"*\"]}", "", 0, Some(Bypass), false),
    (
        "continue",
        ".continue/config.yaml",
        "mcpServers:\n  - name: one\n    command: npx\n    args: [\"-y\", \"pkg\"]\n",
        "one",
        2,
        None,
        true,
    ),
    ("junie", ".junie/mcp/mcp.json", SERVERS, "one", 4, None, true),
    ("unknown", "any/where.json", SERVERS, "one", 4, None, true),
    ("unknown", "any/mcp.json", "{\"servers\": {\"one\": {\"command\": \"x\"}}}", "one", 1, None, true),
    ("unknown", "any/else.json", "{\"context_servers\": {\"one\": {\"command\": \"x\"}}}", "one", 1, None, true),
];

#[test]
fn every_client_is_read() {
    for (id, path, text, name, line, mode, defaulted) in CASES {
        let inventory = inventory(&[(path, text)]);
        let row = client(&inventory, id);
        assert_eq!(row.approval_mode, Fact::known(*mode), "mode in {path}: {text}");
        assert_eq!(row.approval_defaulted, Fact::Known(*defaulted), "default in {path}: {text}");
        if *line > 0 {
            let server = server(&inventory, name);
            assert_eq!(server.evidence.line_number(), Some(*line), "line in {path}");
            assert_eq!(&*server.client, *id);
            assert!(inventory.identities.iter().any(|identity| identity.id == server.identity));
            assert!(inventory.trusts.iter().any(|trust| trust.target == server.identity && *trust.source == *row.id));
        }
    }
}

#[test]
fn every_client_of_the_table_has_a_case_and_home_files() {
    let files = Agents.home_files();
    for path in [
        ".claude.json",
        ".codex/config.toml",
        ".config/Code/User/mcp.json",
        "AppData/Roaming/Claude/claude_desktop_config.json",
    ] {
        assert!(files.contains(&path), "{path}");
    }
    assert!(files.is_sorted());
}

#[test]
fn carriage_returns_comments_and_byte_order_marks_do_no_harm() {
    let text = format!("\u{feff}{}", SERVERS.replace('\n', "\r\n"));
    let inventory = inventory(&[(".cursor/mcp.json", &text)]);
    assert_eq!(server(&inventory, "one").evidence.line_number(), Some(4));
    assert_eq!(server(&inventory, "one").command_pinned, Fact::Known(true));
}

#[test]
fn files_of_other_programs_are_left_alone() {
    let others = [
        (".vscode/settings.json", "{\"editor.tabSize\": 2}"),
        (".zed/settings.json", "{\"theme\": \"dark\"}"),
        ("docker/compose.yaml", "services:\n  web:\n    image: x\nextensions:\n  a: b\n"),
        ("openapi.json", "{\"servers\": [{\"url\": \"https://example.test\"}], \"paths\": {}}"),
        ("package.json", "{\"name\": \"x\", \"scripts\": {}}"),
        (".github/workflows/agent.yml", "on: push\njobs:\n  a:\n    steps:\n      - uses: x/agent-action@v1\n"),
        ("notes.txt", "mcpServers are listed elsewhere"),
    ];
    for (path, text) in others {
        assert_eq!(Agents.recognise(&document(path, text)), None, "{path}");
    }
}

#[test]
fn broken_files_name_the_place_and_never_pass_for_empty() {
    let cases = [
        (".mcp.json", "{\"mcpServers\": {\n\"one\": {\"command\": \"x\" \"args\": []}}}", "lab/.mcp.json:2:"),
        (".mcp.json", "{\"mcpServers\": []}", "lab/.mcp.json:1"),
        (".mcp.json", "[]", "lab/.mcp.json:1"),
        (".mcp.json", "", "lab/.mcp.json:1:1"),
        (".cursor/mcp.json", "{\"mcpServers\": {\n\"one\": \"npx pkg\"}}", "lab/.cursor/mcp.json:2"),
        (".codex/config.toml", "a = 1\nb = \n", "lab/.codex/config.toml:2:"),
        ("home/ana/.config/goose/config.yaml", "a: 1\nb: [\n", "lab/home/ana/.config/goose/config.yaml:"),
        ("any/mcp.json", "{\"mcp\": [], \"x\": {}}", "lab/any/mcp.json:1"),
        ("any/mcp.json", "{\"x\": {}}", "lab/any/mcp.json:1"),
        ("opencode.json", "{\"mcp\": 1}", "lab/opencode.json:1"),
        ("opencode.json", "{\"permission\": 7}", "lab/opencode.json:1"),
        (
            "desk/.well-known/agent-card.json",
            "{\"name\":\n7, \"url\": \"x\", \"skills\": []}",
            "lab/desk/.well-known/agent-card.json:2",
        ),
        (
            "desk/.well-known/agent-card.json",
            "{\"name\": \"a\", \"url\": \"x\", \"skills\": [],\n\"securitySchemes\": []}",
            "lab/desk/.well-known/agent-card.json:2",
        ),
        (".claude/settings.json", "{\"permissions\":\n7}", "lab/.claude/settings.json:2"),
        (".claude/settings.json", "{\"permissions\": {\"allow\": [\"Read\",\n7]}}", "lab/.claude/settings.json:2"),
        (".claude/settings.json", "{\"permissions\": {\"deny\":\n{\"Read\": 7}}}", "lab/.claude/settings.json:2"),
        (".claude/settings.json", "{\"sandbox\": {\"enabled\":\n[true]}}", "lab/.claude/settings.json:2"),
        (".gemini/settings.json", "{\"security\": {\"disableYoloMode\":\n7}}", "lab/.gemini/settings.json:2"),
        (".claude/settings.json", "{\"permissions\": {\"allow\":\n\"Bash(*)\"}}", "lab/.claude/settings.json:2"),
        (".claude/settings.json", "{\"hooks\":\n\"abc\"}", "lab/.claude/settings.json:2"),
        (
            ".claude/settings.json",
            "{\"hooks\": {\"Stop\": [],\n\"PostToolUse\": \"x\"}}",
            "lab/.claude/settings.json:2",
        ),
        (".mcp.json", "{\"mcpServers\": {\"one\": {\"command\": \"npx\",\n\"args\": 7}}}", "lab/.mcp.json:2"),
        (".mcp.json", "{\"mcpServers\": {\"one\": {\"command\": \"npx\",\n\"env\": [\"A=b\"]}}}", "lab/.mcp.json:2"),
        // Servers of a project do not stand in for those of the person.
        (
            "home/ana/.claude.json",
            "{\n\"mcpServers\": [\"x\"], \"projects\": {\"/p\": {\"mcpServers\": {}}}}",
            "lab/home/ana/.claude.json:2",
        ),
    ];
    for (path, text, place) in cases {
        let (_, errors) = read(vec![document(path, text)]);
        assert_eq!(errors.len(), 1, "{path}: {text}");
        assert!(errors[0].document.starts_with(place), "{} for {path}", errors[0].document);
        assert!(!errors[0].remedy.is_empty());
    }
}

#[test]
fn what_belongs_in_place_of_a_map_is_told_as_the_client_documents_it() {
    for (path, text, reason) in [
        (
            ".claude/settings.json",
            r#"{"permissions": {"allow": {"bash": ["ls"]}}}"#,
            "`permissions.allow` is or holds a map, where a list of rules belongs",
        ),
        (
            ".vscode/settings.json",
            r#"{"chat.tools.terminal.autoApprove": {"ls": 7}}"#,
            "`chat.tools.terminal.autoApprove` is or holds a number, where true or false belongs",
        ),
    ] {
        let (_, errors) = read(vec![document(path, text)]);
        let told: Vec<&str> = errors.iter().map(|error| error.reason.as_str()).collect();
        assert_eq!(told, [reason], "{path}");
    }
}

#[test]
fn what_a_value_of_another_type_would_decide_is_unknown() {
    let settings = "{\"permissions\": {\"allow\": 7}}";
    let (reading, errors) = read(vec![document("home/ana/.claude/settings.json", settings)]);
    assert_eq!(errors.len(), 1, "{errors:?}");
    let row = client(&reading.inventory, "claude-code");
    assert_eq!((row.approval_mode, row.sandboxed), (Fact::Unknown, Fact::Unknown));

    let servers = r#"{"mcpServers": {
        "args": {"command": "npx", "args": 7},
        "trust": {"command": "npx", "args": ["-y", "pkg@1.2.3"], "autoApprove": 7},
        "headers": {"url": "https://mcp.example.test/mcp", "headers": "x"}
    }}"#;
    let (reading, errors) = read(vec![document(".mcp.json", servers)]);
    assert_eq!(errors.len(), 3, "{errors:?}");
    let row = |name: &str| server(&reading.inventory, name);
    assert_eq!((row("args").command_pinned, &row("args").transport), (Fact::Unknown, &Fact::Unknown));
    assert_eq!((row("trust").command_pinned, row("trust").approval_mode), (Fact::Known(true), Fact::Unknown));
    assert_eq!(row("headers").authenticated, Fact::Unknown);
}

#[test]
fn servers_tell_how_they_are_reached() {
    let text = r#"{"mcpServers": {
        "local": {"command": "node", "args": ["server.js"]},
        "line": {"command": "npx -y pkg@1.0.0 --flag"},
        "docker": {"command": "docker", "args": ["run", "--privileged", "-v", "/:/host", "img"]},
        "open": {"url": "http://mcp.example.test/mcp"},
        "closed": {"url": "https://mcp.example.test/sse", "headers": {"Authorization": "Bearer ${TOKEN}"}},
        "asks": {"url": "https://mcp.example.test/mcp"},
        "here": {"httpUrl": "http://localhost:8080/mcp"},
        "bridge": {"command": "npx", "args": ["mcp-remote", "https://mcp.example.test/mcp"]},
        "files": {"command": "npx", "args": ["-y", "@x/server-filesystem@1.2.3", "/home/ana"]},
        "off": {"command": "x", "disabled": true}
    }}"#;
    let inventory = inventory(&[(".cursor/mcp.json", text)]);
    let row = |name: &str| server(&inventory, name);
    assert_eq!(row("local").transport.value().map(|text| &**text), Some("stdio"));
    assert_eq!((row("local").remote, row("local").command_fetched), (Fact::Known(false), Fact::Known(false)));
    assert_eq!((row("local").tls, row("local").authenticated), (Fact::Absent, Fact::Absent));
    assert_eq!((row("line").command_fetched, row("line").command_pinned), (Fact::Known(true), Fact::Known(true)));
    assert_eq!((row("docker").privileged, row("docker").command_pinned), (Fact::Known(true), Fact::Known(false)));
    assert_eq!(row("docker").file_scope.value().map(|text| &**text), Some("root"));
    assert_eq!((row("open").remote, row("open").tls), (Fact::Known(true), Fact::Known(false)));
    assert_eq!(row("open").authenticated, Fact::Known(false));
    assert_eq!((row("asks").remote, row("asks").authenticated), (Fact::Known(true), Fact::Unknown));
    assert_eq!((row("closed").tls, row("closed").authenticated), (Fact::Known(true), Fact::Known(true)));
    assert_eq!(row("closed").transport.value().map(|text| &**text), Some("sse"));
    assert_eq!((row("here").remote, row("here").tls), (Fact::Known(false), Fact::Absent));
    assert_eq!((row("bridge").remote, row("bridge").authenticated), (Fact::Known(true), Fact::Unknown));
    assert_eq!(row("files").file_scope.value().map(|text| &**text), Some("home"));
    assert!(row("off").disabled);
    assert!(inventory.credentials.is_empty());
}

#[test]
fn servers_approved_by_their_own_keys_or_by_their_client_say_so() {
    let inventory = inventory(&[
        (
            ".kiro/settings/mcp.json",
            r#"{"mcpServers": {"some": {"command": "x", "alwaysAllow": ["list_items", "delete_item"]}, "none": {"command": "x"}}}"#,
        ),
        (".gemini/settings.json", r#"{"mcpServers": {"trusted": {"command": "x", "trust": true}}}"#),
        (".mcp.json", r#"{"mcpServers": {"ruled": {"command": "x"}}}"#),
        (
            ".claude/settings.json",
            r#"{"permissions": {"allow": ["mcp__ruled__get_item"]}, "enableAllProjectMcpServers": true}"#,
        ),
    ]);
    let row = |name: &str| server(&inventory, name);
    assert_eq!(row("some").approval_mode, Fact::Known(Partial));
    assert_eq!(row("some").external_effect_approved, Fact::Known(true));
    assert_eq!(row("none").approval_mode, Fact::Known(Prompt));
    assert_eq!(row("none").auto_approved, Fact::Absent);
    assert_eq!(
        (row("trusted").approval_mode, row("trusted").auto_approve_all),
        (Fact::Known(Bypass), Fact::Known(true))
    );
    assert_eq!(row("ruled").approval_mode, Fact::Known(Partial));
    assert_eq!(row("ruled").external_effect_approved, Fact::Known(false));
    assert_eq!(client(&inventory, "claude-code").project_servers_enabled, Fact::Known(true));
}

#[test]
fn files_of_one_place_are_read_together_in_the_clients_order() {
    let inventory = inventory(&[
        ("home/ana/.claude/settings.json", "{\"permissions\": {\"defaultMode\": \"bypassPermissions\"}}"),
        (
            "home/ana/src/shop/.claude/settings.json",
            "{\"permissions\": {\"allow\": [\"Bash(git push:*)\"],\n\"defaultMode\": \"default\"}}",
        ),
        ("home/ana/src/shop/.claude/settings.local.json", "{\"permissions\": {\"deny\": [\"Bash(git push:*)\"]}}"),
        ("home/ben/.claude.json", "{}"),
        ("home/ben/.cursor/mcp.json", "{\"mcpServers\": {\"one\": {\"command\": \"x\"}}}"),
    ]);
    let mode = |id: &str| inventory.agents.iter().find(|agent| &*agent.id == id).map(|agent| agent.approval_mode);
    assert_eq!(mode("agent:claude-code:home/ana"), Some(Fact::Known(Bypass)));
    assert_eq!(mode("agent:claude-code:home/ana/src/shop"), Some(Fact::Known(Prompt)));
    assert_eq!(mode("agent:claude-code:home/ben"), Some(Fact::Known(Prompt)));
    let owner = |id: &str| {
        inventory.identities.iter().find(|identity| identity.id.as_str() == id).map(|identity| identity.owner.clone())
    };
    assert_eq!(owner("agent:cursor:home/ben#one"), Some(Fact::Known("ben".into())));
    assert_eq!(owner("agent:claude-code:home/ana/src/shop"), Some(Fact::Unknown));
}

#[test]
fn an_administrators_policy_holds_for_everyone_on_the_machine() {
    let policy = "{\"permissions\": {\"disableBypassPermissionsMode\": \"disable\"}}";
    let bypass = "{\"permissions\": {\"defaultMode\": \"bypassPermissions\"}}";
    let inventory =
        inventory(&[("etc/claude-code/managed-settings.json", policy), ("home/ana/.claude/settings.json", bypass)]);
    let row = client(&inventory, "claude-code");
    assert_eq!((row.approval_mode, row.managed_policy), (Fact::Known(Prompt), Fact::Known(true)));
    let alone = crate::common::inventory(&[("home/ana/.claude/settings.json", bypass)]);
    assert_eq!(client(&alone, "claude-code").managed_policy, Fact::Unknown);
    let codex = crate::common::inventory(&[
        ("etc/codex/requirements.toml", "allowed_approval_policies = [\"untrusted\", \"on-request\"]\n"),
        ("home/ana/.codex/config.toml", "approval_policy = \"never\"\n"),
    ]);
    assert_eq!(client(&codex, "codex").managed_policy, Fact::Known(true));
    assert_eq!(client(&codex, "codex").approval_mode, Fact::Known(Prompt));
}

#[test]
fn the_deciding_key_is_the_evidence() {
    let text = "{\n\"model\": \"m\",\n\"permissions\": {\n\"defaultMode\": \"bypassPermissions\"\n}\n}";
    let inventory = inventory(&[(".claude/settings.json", text)]);
    let row = client(&inventory, "claude-code");
    assert_eq!(row.evidence.to_string(), "lab/.claude/settings.json:4");
    assert_eq!(row.id.as_ref(), "agent:claude-code:lab");
    assert_eq!(row.scope.as_str(), "agents:lab");
}

#[test]
fn what_a_projects_files_do_not_tell_stays_unknown() {
    let project = inventory(&[(".claude/settings.json", r#"{"model": "opus"}"#)]);
    let row = client(&project, "claude-code");
    assert_eq!(
        (row.sandboxed, row.telemetry, row.project_servers_enabled),
        (Fact::Unknown, Fact::Unknown, Fact::Unknown)
    );
    let home = inventory(&[("home/ana/.claude/settings.json", "{}")]);
    let row = client(&home, "claude-code");
    assert_eq!((row.sandboxed, row.telemetry), (Fact::Known(false), Fact::Known(false)));
    assert_eq!(row.ambient_credentials, Fact::Unknown, "nothing was read of what the person holds");
}

#[test]
fn what_configures_nothing_is_no_client_but_in_a_home() {
    let nothing = [
        (".mcp.json", r#"{"mcpServers": {}}"#),
        (".mcp.json", r#"{"mcpServers": []}"#),
        ("mcp.json", r#"{"mcp": []}"#),
        (".cursor/mcp.json", r#"{"mcpServers": null}"#),
        (".vscode/settings.json", r#"{"mcp": [], "editor.tabSize": 2}"#),
        (".vscode/mcp.json", r#"{"servers": {}, "inputs": []}"#),
        ("settings.json", r#"{"mcp": {"servers": {}}}"#),
    ];
    for (path, text) in nothing {
        // A list in place of a map is an error too.
        let found = read(vec![document(path, text)]).0.inventory;
        assert!(found.identities.is_empty() && found.agents.is_empty(), "{path}: {text}: {:?}", found.identities);
    }
    let something = [
        (".mcp.json", r#"{"mcpServers": {"one": {"command": "x"}}}"#),
        (".claude/settings.json", r#"{"permissions": {"allow": ["Read"]}}"#),
        // Where settings are kept, what they leave out has its default.
        ("opencode.json", "{}"),
        (".claude/settings.json", "{}"),
        (".vscode/settings.json", r#"{"chat.tools.global.autoApprove": false}"#),
        ("home/ana/.claude/settings.json", "{}"),
        ("home/ana/.cursor/mcp.json", r#"{"mcpServers": {}}"#),
    ];
    for (path, text) in something {
        assert!(!inventory(&[(path, text)]).agents.is_empty(), "{path}: {text}");
    }
}

#[test]
fn agent_cards_say_whether_they_demand_a_credential() {
    let card = |more: &str| {
        format!(
            "{{\"name\": \"Desk\", \"url\": \"https://desk.example.test\", \"skills\": [{{\"id\": \"a\"}}], \"capabilities\": {{}}{more}}}"
        )
    };
    let open = inventory(&[("desk/agent_card.json", &card(""))]);
    let row = client(&open, "a2a");
    assert_eq!((row.authenticated, row.tls, row.remote), (Fact::Known(false), Fact::Known(true), Fact::Known(true)));
    assert_eq!(open.identities[0].owner, Fact::Absent);
    let closed = inventory(&[(
        "desk/.well-known/agent-card.json",
        &card(
            ", \"provider\": {\"organization\": \"Example\"}, \"securitySchemes\": {\"o\": {}}, \"security\": [{\"o\": []}]",
        ),
    )]);
    assert_eq!(client(&closed, "a2a").authenticated, Fact::Known(true));
    assert_eq!(closed.identities[0].owner, Fact::Known("Example".into()));
}

#[test]
fn what_is_no_hook_runs_nothing_and_leaves_unknown_whether_something_does() {
    for (hooks, runs) in [
        (r#""abc""#, Fact::Unknown),
        (r#"{"PostToolUse": "x"}"#, Fact::Unknown),
        (r#"{"PostToolUse": "x", "Stop": [{"hooks": [{"command": "x"}]}]}"#, Fact::Known(true)),
        (r#"{"Stop": [{"hooks": [{"command": "x"}]}]}"#, Fact::Known(true)),
        (r#"{"Stop": []}"#, Fact::Known(false)),
    ] {
        let text = format!("{{\"hooks\": {hooks}}}");
        let (reading, _) = read(vec![document(".claude/settings.json", &text)]);
        assert_eq!(client(&reading.inventory, "claude-code").project_hooks, runs, "{hooks}");
    }
}

#[test]
fn a_card_is_kept_whatever_of_it_is_not_understood_but_its_name() {
    let text = "{\"name\": \"Desk\", \"url\": \"https://desk.example.test\", \"skills\": [], \"provider\": \"Acme\", \"security\": 7}";
    let (reading, errors) = read(vec![document("desk/.well-known/agent-card.json", text)]);
    assert_eq!(errors.len(), 2, "{errors:?}");
    let row = client(&reading.inventory, "a2a");
    assert_eq!((row.authenticated, row.tls), (Fact::Unknown, Fact::Known(true)));
    assert_eq!(reading.inventory.identities[0].owner, Fact::Unknown);
}

#[test]
fn the_order_of_documents_does_not_matter() {
    let files = [
        (".mcp.json", SERVERS),
        (".claude/settings.json", "{\"permissions\": {\"allow\": [\"Bash(ls:*)\", \"Bash(git push:*)\"]}}"),
        ("home/ana/.claude.json", "{\"mcpServers\": {\"two\": {\"command\": \"x\"}}}"),
        ("opencode.json", "{}"),
    ];
    let forward = inventory(&files);
    let mut reversed = files;
    reversed.reverse();
    assert_eq!(format!("{forward:?}"), format!("{:?}", inventory(&reversed)));
}

#[test]
fn a_project_that_only_brings_servers_is_used_by_the_client_of_the_home() {
    let inventory = inventory(&[
        ("home/ana/.claude/settings.json", "{\"permissions\": {\"defaultMode\": \"bypassPermissions\"}}"),
        ("home/ana/src/shop/.mcp.json", "{\"mcpServers\": {\"one\": {\"command\": \"x\"}}}"),
    ]);
    assert_eq!(client(&inventory, "claude-code").id.as_ref(), "agent:claude-code:home/ana");
    let row = server(&inventory, "one");
    assert_eq!(row.id.as_ref(), "agent:claude-code:home/ana/src/shop#one");
    assert_eq!(row.approval_mode, Fact::Known(Bypass));
    let users: Vec<&str> = inventory.trusts.iter().map(|trust| &*trust.source).collect();
    assert_eq!(users, ["agent:claude-code:home/ana"]);
}

#[test]
fn equal_places_in_two_sources_stay_apart() {
    let text = "{\"mcpServers\": {\"one\": {\"command\": \"x\"}}}";
    let mut documents = vec![document("shop/.mcp.json", text), document("shop/.mcp.json", text)];
    documents[1].path = "barn/shop/.mcp.json".into();
    documents[1].source_name = "barn".into();
    let (reading, _) = read(documents);
    let ids: Vec<&str> = reading.inventory.agents.iter().map(|agent| &*agent.id).collect();
    assert_eq!(
        ids,
        [
            "agent:claude-code:barn/shop",
            "agent:claude-code:barn/shop#one",
            "agent:claude-code:lab/shop",
            "agent:claude-code:lab/shop#one"
        ]
    );
}

#[test]
fn a_large_state_file_is_read_in_linear_time() {
    let projects: Vec<String> = (0..2_000)
        .map(|at| {
            format!(
                "\"/src/p{at}\": {{\"history\": [\"a\", \"b\"], \"mcpServers\": {{\"s\": {{\"command\": \"x\"}}}}}}"
            )
        })
        .collect();
    let text = format!("{{\"projects\": {{{}}}}}", projects.join(",\n"));
    let started = std::time::Instant::now();
    let inventory = inventory(&[("home/ana/.claude.json", &text)]);
    assert_eq!(inventory.agents.len(), 2_001);
    assert!(started.elapsed().as_secs() < 20, "{:?}", started.elapsed());
}

#[test]
fn what_one_project_allows_holds_in_that_project_only() {
    let state = r#"{"projects": {
        "/home/ana/shop": {"allowedTools": ["Bash(git push:*)", "mcp__one"], "mcpServers": {"one": {"command": "x"}}},
        "/home/ana/gone": {"allowedTools": ["Bash"], "mcpServers": {"two": {"command": "x"}}}
    }}"#;
    let found = inventory(&[
        ("home/ana/.claude.json", state),
        ("home/ana/shop/.mcp.json", r#"{"mcpServers": {"three": {"command": "x"}}}"#),
        ("home/ana/other/.claude/settings.json", r#"{"permissions": {"allow": ["Read"]}}"#),
    ]);
    let mode = |id: &str| {
        let mut rows = found.agents.iter().filter(|row| &*row.id == id);
        let row = rows.next().unwrap_or_else(|| panic!("no row {id}"));
        (row.approval_mode, row.auto_approved.clone())
    };
    let listed = |tools: &[&str]| Fact::Known(tools.iter().map(|tool| (*tool).into()).collect::<Vec<_>>());
    assert_eq!(mode("agent:claude-code:home/ana"), (Fact::Known(Prompt), Fact::Absent));
    assert_eq!(
        mode("agent:claude-code:home/ana/shop"),
        (Fact::Known(Partial), listed(&["Bash(git push:*)", "mcp__one"]))
    );
    assert_eq!(mode("agent:claude-code:home/ana/other"), (Fact::Known(Partial), listed(&["Read"])));
    assert_eq!(mode("agent:claude-code:home/ana:/home/ana/shop#one").0, Fact::Known(Bypass));
    assert_eq!(mode("agent:claude-code:home/ana:/home/ana/gone#two").0, Fact::Known(Prompt));
    assert_eq!(mode("agent:claude-code:home/ana/shop#three").0, Fact::Known(Prompt));
}

#[test]
fn a_sandbox_that_an_administrator_demands_is_in_force_whatever_a_person_sets() {
    let own = "sandbox_mode = \"danger-full-access\"\napproval_policy = \"never\"\n";
    let with = |requirements: &str, own: &str| {
        let found = inventory(&[("home/ana/.codex/config.toml", own), ("etc/codex/requirements.toml", requirements)]);
        let row = client(&found, "codex");
        (row.sandboxed, row.file_scope.clone())
    };
    let (project, home) = (Fact::Known("project".into()), Fact::Known("home".into()));
    let cases = [
        ("allowed_sandbox_modes = [\"read-only\"]\n", own, Fact::Known(true), &project),
        ("allowed_sandbox_modes = [\"read-only\", \"workspace-write\"]\n", own, Fact::Known(true), &project),
        ("allowed_sandbox_modes = [\"read-only\"]\n", "model = \"x\"\n", Fact::Known(true), &project),
        ("allowed_sandbox_modes = [\"read-only\", \"danger-full-access\"]\n", own, Fact::Known(false), &home),
        ("allowed_sandbox_modes = [\"read-only\", \"another\"]\n", own, Fact::Unknown, &project),
        ("allowed_sandbox_modes = []\n", own, Fact::Known(false), &home),
        ("allow_managed_hooks_only = true\n", own, Fact::Known(false), &home),
    ];
    for (requirements, own, sandboxed, reach) in cases {
        assert_eq!(with(requirements, own), (sandboxed, reach.clone()), "{requirements}{own}");
    }
}

#[test]
fn a_home_is_called_the_same_whether_its_files_or_its_folders_are_known() {
    let of_home = |path: &str, text: &str| {
        let mut document = document(path, text);
        document.path = format!("~/{path}").into();
        document.source_name = "home".into();
        document.file.user_level = true;
        document
    };
    let servers = r#"{"mcpServers": {"one": {"command": "x"}}}"#;
    let (folder, file) = (".aws/amazonq/cli-agents/dev.json", ".aws/amazonq/mcp.json");
    let agent = of_home(folder, r#"{"allowedTools": ["fs_read"]}"#);
    for documents in [vec![agent.clone()], vec![agent, of_home(file, servers)]] {
        let (reading, errors) = read(documents);
        assert!(errors.is_empty(), "{errors:?}");
        assert_eq!(&*client(&reading.inventory, "amazon-q").id, "agent:amazon-q:home");
    }
}
