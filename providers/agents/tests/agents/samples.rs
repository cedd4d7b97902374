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
    ("claude_agent_scenario-terraform-builder.md", ".claude/agents/scenario-terraform-builder.md", Outcome::NotOurs),
    ("cloudsplaining_claude_settings.json", ".claude/settings.json", Outcome::Read("claude-code")),
    ("gh-aw_source_issue-triage.md", ".github/workflows/issue-triage.md", Outcome::NotOurs),
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
    ("wf_claude_ci-failure-auto-fix.yml", "examples/ci-failure-auto-fix.yml", Outcome::NotOurs),
    ("wf_claude_static-key.yml", "examples/claude.yml", Outcome::NotOurs),
    ("wf_codex_unprivileged-user.yml", "examples/unprivileged-user.yml", Outcome::NotOurs),
    ("wf_gemini-invoke.yml", "examples/workflows/gemini-assistant/gemini-invoke.yml", Outcome::NotOurs),
    ("wf_gh-aw_issue-triage.lock.yml", ".github/workflows/issue-triage.lock.yml", Outcome::NotOurs),
];

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
                client(&reading.inventory, id);
                assert!(reading.inventory.credentials.is_empty(), "{name}: {:?}", reading.inventory.credentials);
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
}
