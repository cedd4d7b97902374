//! Real files of other projects, laid under their original paths: each is read, gives a clear error, or is not ours.

use std::path::PathBuf;

use evenhand_agents::Agents;
use evenhand_model::agent::ApprovalMode;
use evenhand_model::document::{Document, Format};
use evenhand_model::evidence::Fact;
use evenhand_model::provider::Provider;

use crate::common::{client, document, read, server};

/// Sample, original path, and what becomes of it.
const SAMPLES: &[(&str, &str, Outcome)] = &[
    ("a2a_currency_agent_card.json", "currency_agent/agent_card.json", Outcome::Read("a2a")),
    ("agt_claude_mcp.json", "agent-governance-claude-code/.mcp.json", Outcome::Read("claude-code")),
    ("azure-sdk-rust_mcp.json", ".mcp.json", Outcome::Read("claude-code")),
    ("claude-code-action_settings.json", ".claude/settings.json", Outcome::Read("claude-code")),
    (
        "claude_agent_scenario-terraform-builder.md",
        ".claude/agents/scenario-terraform-builder.md",
        Outcome::Read("claude-code"),
    ),
    ("cloudsplaining_claude_settings.json", ".claude/settings.json", Outcome::Read("claude-code")),
    ("gh-aw_source_issue-triage.md", ".github/workflows/issue-triage.md", Outcome::Read("gh-aw")),
    ("iam-policy-autopilot_mcp.json", "power-iam-policy-autopilot/mcp.json", Outcome::Read("unknown")),
    ("multiple_transport.json", "configs_files/multiple_transport.json", Outcome::Read("vscode")),
    ("prowler_plugin_mcp.json", "claude_plugins/prowler/.mcp.json", Outcome::Read("claude-code")),
    ("sentry_claude_settings.json", ".claude/settings.json", Outcome::Read("claude-code")),
    ("sentry_cursor_mcp.json", ".cursor/mcp.json", Outcome::Read("cursor")),
    ("sentry_vscode_mcp.json", ".vscode/mcp.json", Outcome::Read("vscode")),
    ("testclient_invalid_mcp.json", ".test-client-invalid/mcp.json", Outcome::Error("`mcp` is a list")),
    (
        "vs_code_settings_file_with_empty_mcp.json",
        "configs_files/vs_code_settings_file_with_empty_mcp.json",
        Outcome::Read("vscode"),
    ),
    ("wf_agent-approval-check.yml", "examples/agent-approval-check.yml", Outcome::NotOurs),
    ("wf_claude_ci-failure-auto-fix.yml", "examples/ci-failure-auto-fix.yml", Outcome::Read("claude-code-action")),
    ("wf_claude_static-key.yml", "examples/claude.yml", Outcome::Read("claude-code-action")),
    ("wf_codex_unprivileged-user.yml", "examples/unprivileged-user.yml", Outcome::Read("codex-action")),
    ("wf_gemini-invoke.yml", "examples/workflows/gemini-assistant/gemini-invoke.yml", Outcome::Read("run-gemini-cli")),
    ("wf_gh-aw_issue-triage.lock.yml", ".github/workflows/issue-triage.lock.yml", Outcome::Read("gh-aw")),
];

/// What somebody who reads the samples from top to bottom finds: every key that bears on approval or isolation, with its
/// line, and every credential of a pipeline that a file hands on, with its line and whether it is static. None of the files
/// holds a literal secret. Written from the files before the reader was first run on them.
const KEYS: &[(&str, &[(&str, u32)])] = &[
    ("a2a_currency_agent_card.json", &[]),
    ("agt_claude_mcp.json", &[]),
    ("azure-sdk-rust_mcp.json", &[]),
    ("claude-code-action_settings.json", &[("hooks", 2)]),
    ("claude_agent_scenario-terraform-builder.md", &[("tools", 4)]),
    (
        "cloudsplaining_claude_settings.json",
        &[("permissions.allow", 10), ("permissions.deny", 79), ("permissions.additionalDirectories", 98)],
    ),
    (
        "gh-aw_source_issue-triage.md",
        &[("on.roles", 13), ("permissions", 15), ("network", 20), ("safe-outputs", 27), ("tools", 44)],
    ),
    ("iam-policy-autopilot_mcp.json", &[("autoApprove", 8)]),
    ("multiple_transport.json", &[]),
    ("prowler_plugin_mcp.json", &[]),
    (
        "sentry_claude_settings.json",
        &[
            ("permissions.allow", 4),
            ("permissions.deny", 152),
            ("enableAllProjectMcpServers", 154),
            ("enabledMcpjsonServers", 155),
        ],
    ),
    ("sentry_cursor_mcp.json", &[]),
    ("sentry_vscode_mcp.json", &[]),
    ("vs_code_settings_file_with_empty_mcp.json", &[]),
    ("wf_claude_ci-failure-auto-fix.yml", &[("claude_args", 117)]),
    ("wf_claude_static-key.yml", &[]),
    ("wf_codex_unprivileged-user.yml", &[("safety-strategy", 37), ("codex-user", 38)]),
    ("wf_gemini-invoke.yml", &[("GEMINI_CLI_TRUST_WORKSPACE", 71), ("settings", 91), ("includeTools", 112)]),
    // The command begins a line above its flags.
    ("wf_gh-aw_issue-triage.lock.yml", &[("--allow-tool", 939)]),
];

/// Kind, line, and whether it is static.
type Held = (&'static str, u32, bool);

const CREDENTIALS: &[(&str, &[Held])] = &[
    ("wf_claude_ci-failure-auto-fix.yml", &[("anthropic_api_key", 116, true)]),
    ("wf_claude_static-key.yml", &[("anthropic_api_key", 37, true)]),
    ("wf_codex_unprivileged-user.yml", &[("openai_api_key", 36, true)]),
    ("wf_gemini-invoke.yml", &[("federated", 77, false), ("google_api_key", 78, true), ("google_api_key", 82, true)]),
    ("wf_gh-aw_issue-triage.lock.yml", &[("github_token", 945, true)]),
];

#[test]
fn every_approval_key_and_every_credential_of_the_samples_is_found_and_nothing_else() {
    for (name, path, outcome) in SAMPLES {
        let (Some(document), Outcome::Read(_)) = (sample(name, path), outcome) else { continue };
        let inventory = read(vec![document]).0.inventory;
        let mut keys: Vec<(&str, u32)> = inventory
            .agents
            .iter()
            .flat_map(|agent| &agent.approval_keys)
            .map(|(key, evidence)| (&**key, evidence.line_number().unwrap()))
            .collect();
        keys.sort_by_key(|(_, line)| *line);
        let expected = KEYS.iter().find(|(held, _)| held == name).map(|(_, keys)| keys.to_vec());
        assert_eq!(Some(keys), expected, "{name}");
        let mut held: Vec<(&str, u32, bool)> = inventory
            .credentials
            .iter()
            .map(|held| (&*held.kind, held.evidence.line_number().unwrap(), held.is_static == Fact::Known(true)))
            .collect();
        held.sort_by_key(|(_, line, _)| *line);
        let expected = CREDENTIALS.iter().find(|(held, _)| held == name).map_or(&[][..], |(_, held)| held);
        assert_eq!(held, expected, "{name}");
        assert!(inventory.credentials.iter().all(|held| held.fingerprint.is_none()), "no literal is in {name}");
    }
}

enum Outcome {
    Read(&'static str),
    Error(&'static str),
    NotOurs,
}

fn sample(name: &str, path: &str) -> Option<Document> {
    let Some(folder) = std::env::var_os("EVENHAND_SHARED") else {
        eprintln!("EVENHAND_SHARED is not set: the samples are not read");
        return None;
    };
    let text = std::fs::read_to_string(PathBuf::from(folder).join("samples/agents").join(name)).unwrap();
    let mut document = document(path, &text);
    if path.ends_with(".md") {
        document.format = Format::Text;
    }
    Some(document)
}

#[test]
fn every_sample_is_read_or_gives_an_error_or_is_not_ours() {
    for (name, path, outcome) in SAMPLES {
        let Some(document) = sample(name, path) else { return };
        match outcome {
            Outcome::NotOurs => assert_eq!(Agents.recognise(&document), None, "{name}"),
            Outcome::Read(id) => {
                let (reading, errors) = read(vec![document]);
                assert!(errors.is_empty(), "{name}: {errors:?}");
                assert!(reading.inventory.agents.iter().any(|row| &*row.client == *id), "{name}");
                assert!(reading.inventory.agents.iter().all(|row| &*row.client == *id), "{name}");
            }
            Outcome::Error(reason) => {
                let (_, errors) = read(vec![document]);
                assert!(errors.iter().any(|error| error.reason.contains(reason)), "{name}: {errors:?}");
            }
        }
    }
}

#[test]
fn what_a_careful_reader_finds_in_the_samples_is_found() {
    let one = |name: &str, path: &str| sample(name, path).map(|document| read(vec![document]).0.inventory);
    let Some(found) = one("sentry_claude_settings.json", ".claude/settings.json") else { return };
    let row = client(&found, "claude-code");
    assert_eq!(row.approval_mode, Fact::Known(ApprovalMode::Partial));
    assert_eq!(row.external_effect_approved, Fact::Known(true));
    assert_eq!(row.project_servers_enabled, Fact::Known(true));
    assert_eq!(row.auto_approve_all, Fact::Known(false));
    assert!(row.auto_approved.value().is_some_and(|rules| rules.iter().any(|rule| &**rule == "Bash(gh pr merge:*)")));

    let Some(found) = one("cloudsplaining_claude_settings.json", ".claude/settings.json") else { return };
    let row = client(&found, "claude-code");
    assert_eq!(row.external_effect_approved, Fact::Known(true));
    assert_eq!(row.file_scope.value().map(|scope| &**scope), Some("project"));

    let Some(found) = one("sentry_cursor_mcp.json", ".cursor/mcp.json") else { return };
    assert_eq!(client(&found, "cursor").approval_mode, Fact::Unknown);
    assert_eq!(server(&found, "sentry").tls, Fact::Known(true));
    assert_eq!(server(&found, "sentry-dev").remote, Fact::Known(false));

    let Some(found) = one("iam-policy-autopilot_mcp.json", "power-iam-policy-autopilot/mcp.json") else { return };
    let row = server(&found, "iam-policy-autopilot-mcp");
    assert_eq!((row.command_fetched, row.command_pinned), (Fact::Known(true), Fact::Known(false)));

    let Some(found) = one("prowler_plugin_mcp.json", "claude_plugins/prowler/.mcp.json") else { return };
    assert_eq!(server(&found, "prowler").authenticated, Fact::Known(true));

    let Some(found) = one("azure-sdk-rust_mcp.json", ".mcp.json") else { return };
    assert_eq!(server(&found, "azure-sdk-mcp").command_fetched, Fact::Known(false));
    assert_eq!(server(&found, "github-agentic-workflows").evidence.line_number(), Some(11));

    let Some(found) = one("a2a_currency_agent_card.json", "currency_agent/agent_card.json") else { return };
    assert_eq!(client(&found, "a2a").authenticated, Fact::Known(false));

    let Some(found) = one("claude-code-action_settings.json", ".claude/settings.json") else { return };
    assert_eq!(client(&found, "claude-code").project_hooks, Fact::Known(true));
}

#[test]
fn what_a_careful_reader_finds_in_the_sample_workflows_is_found() {
    let one = |name: &str, path: &str| sample(name, path).map(|document| read(vec![document]).0.inventory);
    let text = |words: &Fact<Vec<std::sync::Arc<str>>>| words.value().map(|words| words.join(", ")).unwrap_or_default();

    let Some(found) = one("wf_claude_ci-failure-auto-fix.yml", "examples/ci-failure-auto-fix.yml") else { return };
    let row = client(&found, "claude-code-action");
    assert_eq!(
        (row.approval_mode, row.external_effect_approved),
        (Fact::Known(ApprovalMode::Partial), Fact::Known(true))
    );
    // What it checks out is a branch of the repository itself, as the note at its head says.
    assert_eq!((row.untrusted_checkout, row.token_writes), (Fact::Known(false), Fact::Known(true)));
    assert_eq!((row.trigger.value().map(|word| &**word), row.untrusted_trigger), (Some("workflow_run"), Fact::Unknown));
    assert_eq!(text(&row.secrets_in_reach), "ANTHROPIC_API_KEY");
    assert_eq!(row.command_pinned, Fact::Known(false));

    let Some(found) = one("wf_claude_static-key.yml", "examples/claude.yml") else { return };
    let row = client(&found, "claude-code-action");
    assert_eq!((row.untrusted_trigger, row.token_writes), (Fact::Known(false), Fact::Known(true)));
    assert_eq!((row.untrusted_checkout, row.approval_defaulted), (Fact::Known(false), Fact::Known(true)));

    let Some(found) = one("wf_codex_unprivileged-user.yml", "examples/unprivileged-user.yml") else { return };
    let row = client(&found, "codex-action");
    assert_eq!((row.approval_mode, row.sandboxed), (Fact::Known(ApprovalMode::Bypass), Fact::Known(true)));
    assert_eq!((row.privileged, row.token_writes), (Fact::Known(false), Fact::Unknown));
    assert_eq!(row.untrusted_trigger, Fact::Known(false));

    let Some(found) = one("wf_gemini-invoke.yml", "gemini-invoke.yml") else { return };
    let row = client(&found, "run-gemini-cli");
    assert_eq!((row.approval_mode, row.untrusted_trigger), (Fact::Known(ApprovalMode::Bypass), Fact::Unknown));
    assert_eq!(text(&row.secrets_in_reach), "APP_PRIVATE_KEY, GEMINI_API_KEY, GOOGLE_API_KEY");
    let github = server(&found, "github");
    assert_eq!((github.command_fetched, github.command_pinned), (Fact::Known(true), Fact::Known(true)));
    assert_eq!(github.evidence.line_number(), Some(102));

    let Some(found) = one("wf_gh-aw_issue-triage.lock.yml", ".github/workflows/issue-triage.lock.yml") else { return };
    let row = client(&found, "gh-aw");
    assert_eq!((row.untrusted_trigger, row.token_writes), (Fact::Known(false), Fact::Known(false)));
    assert_eq!((row.sandboxed, row.command_pinned), (Fact::Known(true), Fact::Known(true)));
    assert_eq!(text(&row.secrets_in_reach), "COPILOT_GITHUB_TOKEN, GH_AW_GITHUB_MCP_SERVER_TOKEN, GH_AW_GITHUB_TOKEN");
    assert!(text(&row.auto_approved).contains("context7(query-docs)"), "{:?}", row.auto_approved);

    let Some(found) = one("gh-aw_source_issue-triage.md", ".github/workflows/issue-triage.md") else { return };
    let row = client(&found, "gh-aw");
    assert_eq!((row.untrusted_trigger, row.token_writes), (Fact::Known(true), Fact::Known(false)));
}
