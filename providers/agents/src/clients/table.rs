//! The table of clients. Sources: the vendors' documentation and settings schemas, as of November 2026.

use evenhand_model::agent::ApprovalMode::{Bypass, Partial, Prompt};
use evenhand_model::provider::MovedFiles;

use super::Effect::{
    AgentPermissionMap, Allow, AllowInProject, AllowTool, Ask, Deny, Escape, Folders, Forbids, ForbidsUnless, Hooks,
    Mode, NamedProjectServers, Noted, OnlyManagedHooks, OnlyManagedRules, PermissionMap, PolicyRules, ProjectServers,
    Sandbox, SandboxApproves, SandboxOneOf, Telemetry, ToolMap, Widen,
};
use super::{Client, Defaults, File, Key, Level, Secrets, Servers, Unset, Words};
use crate::command::Reach;
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

const CLAUDE_MODES: Words<evenhand_model::agent::ApprovalMode> = &[
    ("default", Prompt),
    ("manual", Prompt),
    ("plan", Prompt),
    ("delegate", Prompt),
    ("acceptEdits", Partial),
    ("auto", Partial),
    ("dontAsk", Partial),
    ("bypassPermissions", Bypass),
];

const CLAUDE_KEYS: &[Key] = &[
    key("permissions.defaultMode", Mode(CLAUDE_MODES)),
    key("permissions.allow", Allow(Grammar::Call)),
    key("permissions.ask", Ask(Grammar::Call)),
    key("permissions.deny", Deny(Grammar::Call)),
    key("permissions.additionalDirectories", Folders),
    key("permissions.disableBypassPermissionsMode", Forbids(&[("disable", true), ("*", false)])),
    key("disableBypassPermissionsMode", Forbids(&[("disable", true), ("*", false)])),
    key("enableAllProjectMcpServers", ProjectServers(TRUTH)),
    key("enabledMcpjsonServers", NamedProjectServers),
    key("sandbox.enabled", Sandbox(TRUTH)),
    key("sandbox.autoAllowBashIfSandboxed", SandboxApproves(TRUTH)),
    key("sandbox.allowUnsandboxedCommands", Escape(TRUTH)),
    key("sandbox.excludedCommands", Escape(TRUTH)),
    key("sandbox.credentials", Noted),
    key("hooks", Hooks),
    key("skipDangerousModePermissionPrompt", Noted),
    key("permissions.disableAutoMode", Noted),
    key("disableAutoMode", Noted),
    key("allowManagedPermissionRulesOnly", OnlyManagedRules),
    key("allowManagedHooksOnly", OnlyManagedHooks),
    key("allowManagedMcpServersOnly", Noted),
    key("allowedMcpServers", Noted),
    key("deniedMcpServers", Noted),
    key("env.CLAUDE_CODE_ENABLE_TELEMETRY", Telemetry(&[("1", true), ("true", true), ("*", false)])),
];

const CLAUDE_DEFINITION_KEYS: &[Key] = &[
    key("permissionMode", Mode(CLAUDE_MODES)),
    key("tools", Noted),
    key("disallowedTools", Noted),
    key("hooks", Hooks),
];

const CLAUDE_STATE_KEYS: &[Key] = &[key("projects.*.allowedTools", AllowInProject(Grammar::Call))];

static CLAUDE_CODE: Client = Client {
    id: "claude-code",
    name: "Claude Code",
    default: Unset::Mode(Prompt),
    shell: true,
    defaults: Defaults {
        sandboxed: Some(false),
        escape: Some(true),
        telemetry: Some(false),
        project_servers: Some(false),
        reach: Some(Reach::Project),
    },
    moved: &[
        MovedFiles { variable: "CLAUDE_CONFIG_DIR", inside: ".claude.json", home: ".claude.json" },
        moved("CLAUDE_CONFIG_DIR", ".claude/"),
    ],
    files: &[
        file(".claude/settings.json", HOME, Level::UserOrProject, &[], CLAUDE_KEYS),
        file(".claude/settings.local.json", HOME, Level::Local, &[], CLAUDE_KEYS),
        file(
            ".claude.json",
            HOME,
            Level::User,
            &[Servers::Map("mcpServers"), Servers::Map("projects.*.mcpServers")],
            CLAUDE_STATE_KEYS,
        ),
        file(".mcp.json", NOWHERE, Level::Project, &[Servers::Map("mcpServers"), Servers::Top], NO_KEYS),
        file("claude-code/managed-settings.json", NOWHERE, Level::Managed, &[], CLAUDE_KEYS),
        file("ClaudeCode/managed-settings.json", NOWHERE, Level::Managed, &[], CLAUDE_KEYS),
        file("claude-code/managed-settings.d/*.json", NOWHERE, Level::Managed, &[], CLAUDE_KEYS),
        file("ClaudeCode/managed-settings.d/*.json", NOWHERE, Level::Managed, &[], CLAUDE_KEYS),
        servers("claude-code/managed-mcp.json", NOWHERE, Level::Managed),
        servers("ClaudeCode/managed-mcp.json", NOWHERE, Level::Managed),
        store(".claude/.credentials.json", HOME),
        definition(".claude/agents/*.md", HOME, Level::UserOrProject, SERVERS, CLAUDE_DEFINITION_KEYS),
    ],
};

static CLAUDE_DESKTOP: Client = Client {
    id: "claude-desktop",
    name: "Claude Desktop",
    // What people allow for good lies in its own storage.
    default: Unset::Elsewhere,
    shell: false,
    defaults: NOTHING_KNOWN,
    moved: &[],
    files: &[servers("Claude/claude_desktop_config.json", USER_DATA, Level::User)],
};

/// Keys of agent definitions that no client lets widen approval.
const DEFINITION_KEYS: &[Key] = &[key("tools", Noted), key("readonly", Noted)];

static CURSOR: Client = Client {
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

const CURSOR_CLI_KEYS: &[Key] = &[
    key("permissions.allow", Allow(Grammar::Call)),
    key("permissions.deny", Deny(Grammar::Call)),
    key("approvalMode", Mode(&[("allowlist", Partial), ("unrestricted", Bypass)])),
];

static CURSOR_CLI: Client = Client {
    id: "cursor-cli",
    name: "Cursor CLI",
    default: Unset::Mode(Prompt),
    shell: true,
    defaults: NOTHING_KNOWN,
    moved: &[],
    files: &[
        file(".cursor/cli-config.json", HOME, Level::User, &[], CURSOR_CLI_KEYS),
        file(".cursor/cli.json", NOWHERE, Level::Project, &[], CURSOR_CLI_KEYS),
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

static VSCODE: Client = Client {
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

static COPILOT_CLI: Client = Client {
    id: "copilot-cli",
    name: "Copilot CLI",
    default: Unset::Mode(Prompt),
    shell: true,
    defaults: NOTHING_KNOWN,
    moved: &[moved("COPILOT_HOME", ".copilot/")],
    files: &[
        servers(".copilot/mcp-config.json", HOME, Level::User),
        file(
            ".copilot/config.json",
            HOME,
            Level::User,
            &[],
            &[key("trusted_folders", Folders), key("trustedFolders", Folders)],
        ),
    ],
};

static COPILOT_CODING_AGENT: Client = Client {
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

static WINDSURF: Client = Client {
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

const GEMINI_KEYS: &[Key] = &[
    key(
        "general.defaultApprovalMode",
        Mode(&[("default", Prompt), ("plan", Prompt), ("auto_edit", Partial), ("yolo", Bypass)]),
    ),
    key("tools.allowed", Allow(Grammar::Call)),
    key("allowedTools", Allow(Grammar::Call)),
    key("tools.exclude", Deny(Grammar::Call)),
    key("tools.autoAccept", Widen(&[("true", Partial)])),
    key("autoAccept", Widen(&[("true", Partial)])),
    key("security.disableYoloMode", Forbids(TRUTH)),
    key("admin.secureModeEnabled", Forbids(TRUTH)),
    key("tools.sandbox", Sandbox(&[("false", false), ("*", true)])),
    key("sandbox", Sandbox(&[("false", false), ("*", true)])),
    key("telemetry.enabled", Telemetry(TRUTH)),
    key("context.includeDirectories", Folders),
    key("hooks", Hooks),
    key("security.disableAlwaysAllow", Noted),
    key("security.folderTrust.enabled", Noted),
    key("admin.mcp.enabled", Noted),
    key("admin.mcp.config", Noted),
];

const GEMINI_POLICY_KEYS: &[Key] = &[key("rule", PolicyRules)];

const fn gemini_policies(suffix: &'static str, homes: &'static [&'static str], level: Level) -> File {
    File {
        suffix,
        homes,
        level,
        syntax: Toml,
        servers: &[],
        keys: GEMINI_POLICY_KEYS,
        needs: &[],
        secrets: Secrets::Everywhere,
    }
}

static GEMINI_CLI: Client = Client {
    id: "gemini-cli",
    name: "Gemini CLI",
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
        file(".gemini/settings.json", HOME, Level::UserOrProject, SERVERS, GEMINI_KEYS),
        file("gemini-cli/settings.json", NOWHERE, Level::Managed, SERVERS, GEMINI_KEYS),
        file("GeminiCli/settings.json", NOWHERE, Level::Managed, SERVERS, GEMINI_KEYS),
        file("gemini-cli/system-defaults.json", NOWHERE, Level::System, SERVERS, GEMINI_KEYS),
        file("GeminiCli/system-defaults.json", NOWHERE, Level::System, SERVERS, GEMINI_KEYS),
        gemini_policies(".gemini/policies/*.toml", HOME, Level::UserOrProject),
        gemini_policies("gemini-cli/policies/*.toml", NOWHERE, Level::Managed),
        store(".gemini/oauth_creds.json", HOME),
        store(".gemini/mcp-oauth-tokens.json", HOME),
    ],
};

const CODEX_APPROVAL: Words<evenhand_model::agent::ApprovalMode> =
    &[("untrusted", Prompt), ("on-request", Partial), ("on-failure", Partial), ("never", Bypass)];
const CODEX_SANDBOX: Words<bool> = &[("read-only", true), ("workspace-write", true), ("danger-full-access", false)];

const CODEX_KEYS: &[Key] = &[
    key("approval_policy", Mode(CODEX_APPROVAL)),
    key("profiles.*.approval_policy", Widen(CODEX_APPROVAL)),
    key("sandbox_mode", Sandbox(CODEX_SANDBOX)),
    key("profiles.*.sandbox_mode", Sandbox(CODEX_SANDBOX)),
    key("sandbox_workspace_write.writable_roots", Folders),
    key("sandbox_workspace_write.network_access", Noted),
    key("shell_environment_policy.inherit", Noted),
    key("otel.exporter", Telemetry(&[("none", false), ("*", true)])),
    key("allowed_approval_policies", ForbidsUnless("never")),
    key("allow_managed_hooks_only", OnlyManagedHooks),
];

const fn codex(suffix: &'static str, homes: &'static [&'static str], level: Level) -> File {
    File {
        suffix,
        homes,
        level,
        syntax: Toml,
        servers: &[Servers::Map("mcp_servers")],
        keys: CODEX_KEYS,
        needs: &[],
        secrets: Secrets::Everywhere,
    }
}

const CODEX_REQUIREMENTS: &[Key] = &[
    key("allowed_approval_policies", ForbidsUnless("never")),
    key("allowed_sandbox_modes", SandboxOneOf(CODEX_SANDBOX)),
    key("allow_managed_hooks_only", OnlyManagedHooks),
];

/// What an administrator allows: the servers in it are identities that may be used, not servers that are configured.
const fn codex_requirements(suffix: &'static str, homes: &'static [&'static str]) -> File {
    File {
        suffix,
        homes,
        level: Level::Managed,
        syntax: Toml,
        servers: &[],
        keys: CODEX_REQUIREMENTS,
        needs: &[],
        secrets: Secrets::Everywhere,
    }
}

static CODEX: Client = Client {
    id: "codex",
    name: "Codex",
    default: Unset::Mode(Partial),
    shell: true,
    defaults: Defaults {
        sandboxed: None,
        escape: None,
        telemetry: Some(false),
        project_servers: None,
        reach: Some(Reach::Project),
    },
    moved: &[moved("CODEX_HOME", ".codex/")],
    files: &[
        codex(".codex/config.toml", HOME, Level::UserOrProject),
        codex("etc/codex/config.toml", NOWHERE, Level::System),
        codex("OpenAI/Codex/config.toml", NOWHERE, Level::System),
        codex("codex/managed_config.toml", NOWHERE, Level::Managed),
        codex("Codex/managed_config.toml", NOWHERE, Level::Managed),
        codex(".codex/managed_config.toml", HOME, Level::Managed),
        codex_requirements("codex/requirements.toml", NOWHERE),
        codex_requirements("Codex/requirements.toml", NOWHERE),
        codex_requirements(".codex/requirements.toml", HOME),
        store(".codex/auth.json", HOME),
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

static ZED: Client = Client {
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

const OPENCODE_KEYS: &[Key] = &[
    key("permission", PermissionMap),
    key("agent.*.permission", AgentPermissionMap),
    key("experimental.openTelemetry", Telemetry(TRUTH)),
];
const OPENCODE_DEFINITION_KEYS: &[Key] = &[key("permission", PermissionMap), key("tools", Noted)];
const OPENCODE_SERVERS: &[Servers] = &[Servers::Map("mcp")];

static OPENCODE: Client = Client {
    id: "opencode",
    name: "opencode",
    default: Unset::Mode(Bypass),
    shell: true,
    defaults: Defaults {
        sandboxed: Some(false),
        escape: None,
        telemetry: Some(false),
        project_servers: None,
        reach: Some(Reach::Project),
    },
    moved: &[XDG, moved("OPENCODE_CONFIG", ".config/opencode/opencode.json")],
    files: &[
        file("etc/opencode/opencode.json", NOWHERE, Level::Managed, OPENCODE_SERVERS, OPENCODE_KEYS),
        file("etc/opencode/opencode.jsonc", NOWHERE, Level::Managed, OPENCODE_SERVERS, OPENCODE_KEYS),
        file("Application Support/opencode/opencode.json", NOWHERE, Level::Managed, OPENCODE_SERVERS, OPENCODE_KEYS),
        file("Application Support/opencode/opencode.jsonc", NOWHERE, Level::Managed, OPENCODE_SERVERS, OPENCODE_KEYS),
        file("ProgramData/opencode/opencode.json", NOWHERE, Level::Managed, OPENCODE_SERVERS, OPENCODE_KEYS),
        file("ProgramData/opencode/opencode.jsonc", NOWHERE, Level::Managed, OPENCODE_SERVERS, OPENCODE_KEYS),
        file(".config/opencode/opencode.json", HOME, Level::User, OPENCODE_SERVERS, OPENCODE_KEYS),
        file(".config/opencode/opencode.jsonc", HOME, Level::User, OPENCODE_SERVERS, OPENCODE_KEYS),
        file(".config/opencode/config.json", HOME, Level::User, OPENCODE_SERVERS, OPENCODE_KEYS),
        file(".opencode/opencode.json", NOWHERE, Level::Project, OPENCODE_SERVERS, OPENCODE_KEYS),
        file(".opencode/opencode.jsonc", NOWHERE, Level::Project, OPENCODE_SERVERS, OPENCODE_KEYS),
        file("opencode.json", NOWHERE, Level::Project, OPENCODE_SERVERS, OPENCODE_KEYS),
        file("opencode.jsonc", NOWHERE, Level::Project, OPENCODE_SERVERS, OPENCODE_KEYS),
        store(".local/share/opencode/auth.json", HOME),
        definition(".opencode/agent/*.md", NOWHERE, Level::Project, &[], OPENCODE_DEFINITION_KEYS),
        definition(".config/opencode/agent/*.md", HOME, Level::User, &[], OPENCODE_DEFINITION_KEYS),
    ],
};

const fn goose(
    suffix: &'static str,
    homes: &'static [&'static str],
    servers: &'static [Servers],
    keys: &'static [Key],
    secrets: Secrets,
) -> File {
    File { suffix, homes, level: Level::User, syntax: Yaml, servers, keys, needs: &[], secrets }
}

const GOOSE_SERVERS: &[Servers] = &[Servers::Map("extensions")];
const GOOSE_KEYS: &[Key] =
    &[key("GOOSE_MODE", Mode(&[("auto", Bypass), ("smart_approve", Partial), ("approve", Prompt), ("chat", Prompt)]))];
const GOOSE_PERMISSIONS: &[Key] = &[
    key("user.always_allow", Allow(Grammar::Tool)),
    key("user.ask_before", Ask(Grammar::Tool)),
    key("user.never_allow", Deny(Grammar::Tool)),
];

static GOOSE: Client = Client {
    id: "goose",
    name: "Goose",
    default: Unset::Mode(Bypass),
    shell: true,
    defaults: NOTHING_KNOWN,
    moved: &[XDG],
    files: &[
        goose("goose/config.yaml", &[".config/"], GOOSE_SERVERS, GOOSE_KEYS, Secrets::Everywhere),
        goose("goose/config/config.yaml", &["AppData/Roaming/Block/"], GOOSE_SERVERS, GOOSE_KEYS, Secrets::Everywhere),
        goose("goose/permission.yaml", &[".config/"], &[], GOOSE_PERMISSIONS, Secrets::Everywhere),
        goose("goose/config/permission.yaml", &["AppData/Roaming/Block/"], &[], GOOSE_PERMISSIONS, Secrets::Everywhere),
        goose("goose/secrets.yaml", &[".config/"], &[], NO_KEYS, Secrets::Values),
        goose("goose/config/secrets.yaml", &["AppData/Roaming/Block/"], &[], NO_KEYS, Secrets::Values),
    ],
};

/// Where editors keep what their extensions store.
const GLOBAL_STORAGE: &[&str] = &[
    ".config/Code/User/globalStorage/",
    "Library/Application Support/Code/User/globalStorage/",
    "AppData/Roaming/Code/User/globalStorage/",
];

static CLINE: Client = Client {
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

static ROO_CODE: Client = Client {
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

const AGENT_FILE_KEYS: &[Key] = &[
    key("allowedTools", Allow(Grammar::At)),
    key("tools", Noted),
    key("toolsSettings.*.allowedPaths", Folders),
    key("toolsSettings.*.allowedServices", Noted),
    key("useLegacyMcpJson", Noted),
    key("hooks", Hooks),
];

static KIRO: Client = Client {
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

static AMAZON_Q: Client = Client {
    id: "amazon-q",
    name: "Amazon Q CLI",
    default: Unset::Mode(Prompt),
    shell: true,
    defaults: NOTHING_KNOWN,
    moved: &[],
    files: &[
        servers(".aws/amazonq/mcp.json", HOME, Level::User),
        file(".aws/amazonq/cli-agents/*.json", HOME, Level::User, SERVERS, AGENT_FILE_KEYS),
        servers(".amazonq/mcp.json", NOWHERE, Level::Project),
        file(".amazonq/cli-agents/*.json", NOWHERE, Level::Project, SERVERS, AGENT_FILE_KEYS),
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

static CONTINUE: Client = Client {
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

static JUNIE: Client = Client {
    id: "junie",
    name: "JetBrains Junie",
    default: Unset::Elsewhere,
    shell: true,
    defaults: NOTHING_KNOWN,
    moved: &[],
    files: &[servers(".junie/mcp/mcp.json", HOME, Level::UserOrProject)],
};

/// Every client, in the order in which files are looked up: a longer suffix stands before a shorter one it ends with.
pub(crate) static CLIENTS: &[&Client] = &[
    &CLAUDE_CODE,
    &CLAUDE_DESKTOP,
    &CURSOR,
    &CURSOR_CLI,
    &VSCODE,
    &COPILOT_CLI,
    &COPILOT_CODING_AGENT,
    &WINDSURF,
    &GEMINI_CLI,
    &CODEX,
    &ZED,
    &OPENCODE,
    &GOOSE,
    &CLINE,
    &ROO_CODE,
    &KIRO,
    &AMAZON_Q,
    &CONTINUE,
    &JUNIE,
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
