//! Clients that run in a terminal.

use evenhand_model::agent::ApprovalMode::{Bypass, Partial, Prompt};
use evenhand_model::provider::MovedFiles;

use super::{
    AGENT_FILE_KEYS, HOME, NO_KEYS, NOTHING_KNOWN, NOWHERE, SERVERS, TRUTH, XDG, definition, file, key, moved, servers,
    store,
};
use crate::clients::Effect::{
    AgentPermissionMap, Allow, AllowInProject, Ask, Deny, Escape, Folders, Forbids, ForbidsUnless, Hooks, Mode,
    NamedProjectServers, Noted, OnlyManagedHooks, OnlyManagedRules, PermissionMap, PolicyRules, ProjectServers,
    Sandbox, SandboxApproves, SandboxOneOf, Telemetry, Widen, WidenIfSelected,
};
use crate::clients::{Client, Defaults, File, Key, Level, Secrets, Servers, Unset, Words};
use crate::command::Reach;
use crate::permissions::Grammar;
use crate::tree::Syntax::{Toml, Yaml};

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

const CLAUDE_DEFINITION_SERVERS: &[Servers] = &[Servers::Map("mcpServers"), Servers::Named("mcpServers")];

const CLAUDE_STATE_KEYS: &[Key] = &[key("projects.*.allowedTools", AllowInProject(Grammar::Call))];

pub(super) static CLAUDE_CODE: Client = Client {
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
        definition(
            ".claude/agents/*.md",
            HOME,
            Level::UserOrProject,
            CLAUDE_DEFINITION_SERVERS,
            CLAUDE_DEFINITION_KEYS,
        ),
    ],
};

const CURSOR_CLI_KEYS: &[Key] = &[
    key("permissions.allow", Allow(Grammar::Call)),
    key("permissions.deny", Deny(Grammar::Call)),
    key("approvalMode", Mode(&[("allowlist", Partial), ("unrestricted", Bypass)])),
];

pub(super) static CURSOR_CLI: Client = Client {
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

pub(super) static COPILOT_CLI: Client = Client {
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

pub(super) static GEMINI_CLI: Client = Client {
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
    key("profiles.*.approval_policy", WidenIfSelected("profile", CODEX_APPROVAL)),
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

pub(super) static CODEX: Client = Client {
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

const OPENCODE_KEYS: &[Key] = &[
    key("permission", PermissionMap),
    key("agent.*.permission", AgentPermissionMap),
    key("experimental.openTelemetry", Telemetry(TRUTH)),
];
const OPENCODE_DEFINITION_KEYS: &[Key] = &[key("permission", PermissionMap), key("tools", Noted)];
const OPENCODE_SERVERS: &[Servers] = &[Servers::Map("mcp")];

pub(super) static OPENCODE: Client = Client {
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

pub(super) static GOOSE: Client = Client {
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

pub(super) static AMAZON_Q: Client = Client {
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
