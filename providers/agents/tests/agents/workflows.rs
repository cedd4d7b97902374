//! Agents that workflows run: who may start them, with what in reach.

use evenhand_agents::Agents;
use evenhand_model::agent::ApprovalMode::{self, Bypass, Partial, Prompt};
use evenhand_model::agent::{Agent, AgentKind};
use evenhand_model::credential::Exposure;
use evenhand_model::document::{Document, FileFacts, Format};
use evenhand_model::evidence::Fact;
use evenhand_model::gap::Subject;
use evenhand_model::identity::{Nature, judge};
use evenhand_model::inventory::Inventory;
use evenhand_model::provider::{Provider, ReadOptions};
use evenhand_model::secret::Fingerprinter;
use evenhand_model::trust::Mechanism;

use crate::common::{document, inventory, read};

const PATH: &str = ".github/workflows/agent.yml";
const STEP: &str =
    "      - uses: anthropics/claude-code-action@v1\n        with: {anthropic_api_key: '${{ secrets.KEY }}'}\n";

fn workflow(on: &str, job: &str, steps: &str) -> String {
    format!("name: Agent\non: {on}\njobs:\n  work:\n    runs-on: x\n{job}    steps:\n{steps}")
}

fn only(inventory: &Inventory) -> &Agent {
    assert_eq!(inventory.agents.len(), 1, "{:?}", inventory.agents);
    &inventory.agents[0]
}

#[test]
fn who_may_start_an_agent_follows_from_events_conditions_and_inputs() {
    let member = "    if: contains(fromJSON('[\"OWNER\",\"MEMBER\"]'), github.event.comment.author_association)\n";
    let open = "      - uses: anthropics/claude-code-action@v1\n        with: {allowed_non_write_users: '*'}\n";
    let gemini = "      - uses: google-github-actions/run-gemini-cli@v0\n";
    let everyone = "      - uses: openai/codex-action@v1\n        with: {allow-users: '*'}\n";
    let told =
        "      - uses: anthropics/claude-code-action@v1\n        with: {allowed_non_write_users: '${{ vars.WHO }}'}\n";
    let told_codex = "      - uses: openai/codex-action@v1\n        with: {allow-users: '${{ vars.WHO }}'}\n";
    let few = "      - uses: anthropics/claude-code-action@v1\n        with: {allowed_non_write_users: 'ana, ben'}\n";
    let both = "      - uses: anthropics/claude-code-action@v1\n        with: {allowed_non_write_users: '${{ vars.WHO }},*'}\n";
    let cases: &[(&str, &str, &str, Fact<bool>)] = &[
        ("workflow_dispatch", "", gemini, Fact::Known(false)),
        ("[push, schedule]", "", gemini, Fact::Known(false)),
        ("issue_comment", "", gemini, Fact::Unknown),
        ("{issues: {types: [labeled]}}", "", gemini, Fact::Known(false)),
        ("{issues: {types: [labeled, opened]}}", "", gemini, Fact::Unknown),
        ("issue_comment", member, gemini, Fact::Known(false)),
        ("workflow_call", "", gemini, Fact::Unknown),
        ("pull_request_target", "", gemini, Fact::Unknown),
        ("issue_comment", "", STEP, Fact::Known(false)),
        ("issue_comment", "", open, Fact::Known(true)),
        ("push", "", open, Fact::Known(false)),
        ("issue_comment", member, open, Fact::Known(false)),
        ("issue_comment", "    environment: guarded\n", open, Fact::Unknown),
        ("issues", "", everyone, Fact::Known(true)),
        ("issues", "", told, Fact::Unknown),
        ("issues", "", told_codex, Fact::Unknown),
        ("push", "", told, Fact::Known(false)),
        ("issues", "", few, Fact::Known(false)),
        ("issues", "", both, Fact::Known(true)),
    ];
    for (on, job, step, expected) in cases {
        let found = inventory(&[(PATH, &workflow(on, job, step))]);
        assert_eq!(only(&found).untrusted_trigger, *expected, "{on}, {job}, {step}");
    }
}

/// What is read of a workflow in a repository of this visibility.
fn read_in(visibility: &str, text: &str) -> Inventory {
    let options = ReadOptions {
        now: "2026-11-23T00:00:00Z".parse().unwrap(),
        fingerprinter: Fingerprinter::keyed("test"),
        settings: [("repository_visibility".to_owned(), visibility.to_owned())].into(),
    };
    let mut reader = Agents.reader(options);
    reader.read(document(PATH, text)).unwrap();
    reader.finish().inventory
}

/// Whether outsiders may start the only agent of a workflow in a repository of this visibility; how many remarks on the
/// setting there are.
fn started_in(visibility: &str, text: &str) -> (Fact<bool>, usize) {
    let found = read_in(visibility, text);
    let remarks = found.hints.iter().filter(|hint| hint.message.contains("repository_visibility")).count();
    (only(&found).untrusted_trigger, remarks)
}

#[test]
fn a_repository_that_everyone_sees_lets_everyone_start_what_nothing_guards() {
    let text = workflow("issue_comment", "", "      - uses: google-github-actions/run-gemini-cli@v0\n");
    let started = |visibility: &str| started_in(visibility, &text);
    assert_eq!(started("public"), (Fact::Known(true), 0));
    assert_eq!(started("Public"), (Fact::Known(true), 0));
    assert_eq!(started("private"), (Fact::Known(false), 0));
    assert_eq!(started("internal"), (Fact::Known(false), 0));
    assert_eq!(started("pubic"), (Fact::Unknown, 1));
    assert_eq!(started("3"), (Fact::Unknown, 1));
    assert!(Agents.known_settings().iter().any(|(key, _)| *key == "repository_visibility"));
}

#[test]
fn a_run_that_outsiders_start_holds_the_secrets_unless_it_is_a_forks_pull_request() {
    let (yes, no) = (Fact::Known(true), Fact::Known(false));
    let gemini = "      - uses: google-github-actions/run-gemini-cli@v0\n";
    let member = "    if: github.event_name == 'pull_request' || github.event.comment.author_association == 'MEMBER'\n";
    let cases = [
        ("pull_request", "", yes, no),
        ("pull_request_target", "", yes, yes),
        ("issue_comment", "", yes, yes),
        ("issues", "", yes, yes),
        ("discussion", "", yes, yes),
        ("pull_request_review_comment", "", yes, yes),
        ("[pull_request, issues]", "", yes, yes),
        ("[pull_request, issue_comment]", member, yes, no),
        ("[pull_request, push]", "", yes, no),
        ("workflow_run", "", Fact::Unknown, Fact::Unknown),
        ("workflow_call", "", Fact::Unknown, Fact::Unknown),
        ("{pull_request: {types: [labeled]}}", "", no, no),
        ("push", "", no, no),
    ];
    for (on, job, started, privileged) in cases {
        let text = workflow(on, job, gemini);
        let found = read_in("public", &text);
        let row = only(&found);
        assert_eq!((row.untrusted_trigger, row.outsider_run_privileged), (started, privileged), "{on}");
        let private = read_in("private", &text);
        assert_eq!(only(&private).outsider_run_privileged, no, "{on}");
    }
    let unseen = inventory(&[(PATH, &workflow("issues", "", gemini))]);
    assert_eq!(only(&unseen).outsider_run_privileged, Fact::Unknown);
    let open = "      - uses: anthropics/claude-code-action@v1\n        with: {allowed_non_write_users: '*'}\n";
    let lifted = inventory(&[(PATH, &workflow("pull_request", "", open))]);
    assert_eq!((only(&lifted).untrusted_trigger, only(&lifted).outsider_run_privileged), (yes, no));
}

#[test]
fn who_sees_a_repository_is_asked_for_only_where_it_decides() {
    let gemini = "      - uses: google-github-actions/run-gemini-cli@v0\n";
    let gaps = |found: Inventory| found.gaps.len();
    let text = workflow("issues", "", gemini);
    let found = inventory(&[(PATH, &text)]);
    let [gap] = found.gaps.as_slice() else { panic!("{:?}", found.gaps) };
    assert_eq!(&*gap.call, "repository_visibility");
    assert!(gap.is_about(Subject::Trigger) && gap.reason.contains("[providers.agents]"), "{gap:?}");
    assert_eq!(gap.scope.as_ref(), Some(&only(&found).scope));
    assert_eq!(gaps(read_in("public", &text)), 0);
    assert_eq!(gaps(inventory(&[(PATH, &workflow("push", "", gemini))])), 0);
}

#[test]
fn what_limits_the_token_is_told_from_the_file() {
    let cases = [
        ("", "", Some("default")),
        ("permissions: {contents: read}\n", "", Some("limited")),
        ("permissions: write-all\n", "", Some("write_all")),
        ("permissions: write-all\n", "    permissions: {contents: read}\n", Some("limited")),
        ("permissions: '${{ vars.X }}'\n", "", None),
    ];
    for (whole, job, expected) in cases {
        let text = format!("{whole}{}", workflow("push", job, STEP));
        let found = inventory(&[(PATH, &text)]);
        assert_eq!(only(&found).token_grant.value().map(|grant| &**grant), expected, "{whole}{job}");
    }
    let called = inventory(&[(PATH, &workflow("workflow_call", "", STEP))]);
    assert_eq!(only(&called).token_grant, Fact::Unknown, "its caller may limit it");
}

#[test]
fn the_base_action_asks_nobody_who_they_are() {
    let cases = [
        ("anthropics/claude-code-base-action@v1", Fact::Known(true)),
        ("anthropics/claude-code-action/base-action@v1", Fact::Known(true)),
        ("anthropics/claude-code-action@v1", Fact::Known(false)),
    ];
    for (uses, expected) in cases {
        let text = workflow("issues", "", &format!("      - uses: {uses}\n"));
        assert_eq!(started_in("public", &text).0, expected, "{uses}");
        assert_eq!(started_in("private", &text).0, Fact::Known(false), "{uses}");
    }
}

#[test]
fn a_job_behind_a_guarded_one_is_guarded_too() {
    let text = "on: issues\njobs:\n  gate:\n    if: github.event.issue.author_association == 'OWNER'\n    steps: []\n  work:\n    needs: gate\n    steps:\n      - run: gemini --yolo -p hi\n";
    let found = inventory(&[(PATH, text)]);
    assert_eq!(only(&found).untrusted_trigger, Fact::Known(false));
    let always = text.replace("    needs: gate\n", "    needs: gate\n    if: always()\n");
    assert_eq!(only(&inventory(&[(PATH, &always)])).untrusted_trigger, Fact::Unknown);
}

#[test]
fn code_of_others_beside_secrets_is_seen() {
    let checkout =
        |reference: &str| format!("      - uses: actions/checkout@v5\n        with: {{ref: '{reference}'}}\n{STEP}");
    let head = checkout("${{ github.event.pull_request.head.sha }}");
    let run = checkout("${{ github.event.workflow_run.head_sha }}");
    let branch = checkout("${{ github.event.workflow_run.head_branch }}");
    let plain = format!("      - uses: actions/checkout@v5\n{STEP}");
    let script = format!("      - run: gh pr checkout ${{{{ github.event.issue.number }}}}\n{STEP}");
    let cases = [
        ("pull_request_target", head.as_str(), Fact::Known(true)),
        ("pull_request", head.as_str(), Fact::Known(false)),
        ("pull_request_target", plain.as_str(), Fact::Known(false)),
        ("issue_comment", script.as_str(), Fact::Known(true)),
        ("workflow_call", head.as_str(), Fact::Unknown),
        ("workflow_run", run.as_str(), Fact::Known(true)),
        ("workflow_run", branch.as_str(), Fact::Known(false)),
    ];
    for (on, steps, expected) in cases {
        let found = inventory(&[(PATH, &workflow(on, "", steps))]);
        assert_eq!(only(&found).untrusted_checkout, expected, "{on}: {steps}");
    }
}

#[test]
fn code_behind_a_run_is_the_repositorys_own_where_a_condition_before_the_call_says_so() {
    let caller = |guard: &str| {
        format!(
            "on: workflow_run\njobs:\n  call:\n    if: {guard}\n    uses: ./.github/workflows/work.yml\n    with: {{commit: '${{{{ github.event.workflow_run.head_sha }}}}'}}\n    secrets: inherit\n"
        )
    };
    let called = format!(
        "on: {{workflow_call: {{inputs: {{commit: {{type: string}}}}}}}}\njobs:\n  work:\n    steps:\n      - uses: actions/checkout@v5\n        with: {{ref: '${{{{ inputs.commit }}}}'}}\n{STEP}"
    );
    let found = |guard: &str| {
        let files = [(".github/workflows/call.yml", &*caller(guard)), (".github/workflows/work.yml", &*called)];
        let inventory = inventory(&files);
        only(&inventory).untrusted_checkout
    };
    assert_eq!(found("always()"), Fact::Known(true));
    // Who else calls it is not known.
    let own = "github.event.workflow_run.head_repository.full_name == github.repository";
    assert_eq!(found(own), Fact::Unknown);
}

#[test]
fn approval_follows_the_action_its_inputs_and_the_flags_of_programs() {
    let cases: &[(&str, ApprovalMode, bool)] = &[
        ("      - uses: openai/codex-action@v1\n", Bypass, true),
        ("      - uses: google-github-actions/run-gemini-cli@v0\n", Bypass, true),
        ("      - uses: anthropics/claude-code-action@v1\n", Partial, true),
        (
            "      - uses: anthropics/claude-code-action@v1\n        with: {claude_args: '--dangerously-skip-permissions'}\n",
            Bypass,
            false,
        ),
        (
            "      - uses: anthropics/claude-code-action@v1\n        with: {claude_args: '--allowedTools Bash'}\n",
            Bypass,
            false,
        ),
        (
            "      - uses: google-github-actions/run-gemini-cli@v0\n        with:\n          settings: |\n            {\"tools\": {\"core\": [\"read_file\", \"run_shell_command(git log)\"]}}\n",
            Partial,
            false,
        ),
        (
            "      - uses: google-github-actions/run-gemini-cli@v0\n        with:\n          settings: |\n            {\"tools\": {\"core\": [\"run_shell_command\"]}}\n",
            Bypass,
            false,
        ),
        ("      - uses: openai/codex-action@v1\n        with: {sandbox: read-only}\n", Partial, true),
        ("      - uses: openai/codex-action@v1\n        with: {permission-profile: ':read-only'}\n", Partial, true),
        ("      - uses: openai/codex-action@v1\n        with: {permission-profile: ':workspace'}\n", Bypass, true),
        ("      - run: codex exec fix\n", Partial, true),
        ("      - run: codex exec --full-auto fix\n", Bypass, true),
        ("      - run: codex exec -c sandbox_mode=\"danger-full-access\" fix\n", Bypass, true),
        ("      - run: codex exec --yolo fix\n", Bypass, false),
        ("      - uses: sst/opencode/github@latest\n", Bypass, true),
        (
            "      - uses: sst/opencode/github@latest\n        env: {OPENCODE_PERMISSION: '{\"bash\": \"deny\"}'}\n",
            Partial,
            false,
        ),
        ("      - run: goose run -t fix\n", Bypass, true),
        ("      - run: goose run -t fix\n        env: {GOOSE_MODE: chat}\n", Prompt, false),
        ("      - run: claude -p fix\n", Prompt, true),
        ("      - run: claude -p fix --allowedTools 'Bash(git push:*)'\n", Partial, false),
        ("      - run: copilot -p fix --allow-all-tools\n", Bypass, false),
        ("      - uses: actions/ai-inference@v1\n", Prompt, true),
        ("      - run: curl https://api.openai.com/v1/responses -d @x\n", Prompt, true),
        (
            "      - uses: anthropics/claude-code-action@v1\n        with:\n          settings: |\n            {\"permissions\": {\"defaultMode\": \"bypassPermissions\"}}\n",
            Bypass,
            false,
        ),
    ];
    for (step, mode, defaulted) in cases {
        let found = inventory(&[(PATH, &workflow("push", "", step))]);
        let row = only(&found);
        assert_eq!(row.approval_mode, Fact::Known(*mode), "{step}");
        assert_eq!(row.approval_defaulted, Fact::Known(*defaulted), "{step}");
    }
}

#[test]
fn a_list_of_gemini_s_own_tools_limits_none_of_a_server() {
    let server = r#""mcpServers": {"github": {"command": "npx", "args": ["x"]}}"#;
    let core = r#""tools": {"core": ["read_file"]}"#;
    let alone = format!("          settings: '{{{core}}}'\n");
    let cases = [
        (alone.clone(), Partial),
        (format!("          settings: '{{{core}, \"mcpServers\": {{}}}}'\n"), Partial),
        (format!("          settings: '{{{core}, {server}}}'\n"), Bypass),
        (format!("          settings: '{{{server}, {core}}}'\n"), Bypass),
        (format!("{alone}          mcp_config: '{{{server}}}'\n"), Bypass),
    ];
    for (inputs, mode) in cases {
        let step = format!("      - uses: google-github-actions/run-gemini-cli@v0\n        with:\n{inputs}");
        let found = inventory(&[(PATH, &workflow("push", "", &step))]);
        let row = found.agents.iter().find(|row| row.kind == AgentKind::Agent).unwrap();
        assert_eq!(row.approval_mode, Fact::Known(mode), "{inputs}");
        assert_eq!(row.approval_defaulted, Fact::Known(mode == Bypass), "{inputs}");
    }
}

#[test]
fn tool_servers_in_arguments_and_in_sources_of_agentic_workflows_are_listed() {
    let step = "      - uses: anthropics/claude-code-action@v1\n        with:\n          claude_args: |\n            --max-turns 5\n            --mcp-config '{\"mcpServers\": {\"one\": {\"command\": \"npx\", \"args\": [\"-y\", \"pkg\"], \"env\": {\"API_TOKEN\": \"fake-3f9a1c-77b2\"}}}}'\n";
    let found = inventory(&[(PATH, &workflow("push", "", step))]);
    let server = found.agents.iter().find(|row| row.kind == AgentKind::ToolServer).unwrap();
    assert_eq!((server.command_pinned, server.evidence.line_number()), (Fact::Known(false), Some(11)));
    let secrets = found.credentials.iter().filter(|held| held.fingerprint.is_some()).count();
    assert_eq!(secrets, 1, "{:?}", found.credentials);

    let source = "---\non: issues\nengine: claude\npermissions: {contents: write}\ntools:\n  bash: [':*']\nmcp-servers:\n  one:\n    command: npx\n    args: [-y, pkg@1.2.3]\n    env: {API_TOKEN: fake-3f9a1c-77b2}\n  two: {container: 'org/tool:latest'}\n---\nText.\n";
    let (reading, errors) = read(vec![markdown(".github/workflows/triage.md", source)]);
    assert!(errors.is_empty(), "{errors:?}");
    let found = reading.inventory;
    let server = |name: &str| {
        let row = found.agents.iter().find(|row| &*row.name == name).unwrap();
        (row.command_pinned, row.sandboxed, row.evidence.line_number())
    };
    assert_eq!(server("one"), (Fact::Known(true), Fact::Unknown, Some(8)));
    assert_eq!(server("two"), (Fact::Known(false), Fact::Known(true), Some(12)));
    let [secret] = found.credentials.as_slice() else { panic!("{:?}", found.credentials) };
    assert!(secret.identity.as_str().ends_with("#one"), "{secret:?}");
    let agent = found.agents.iter().find(|row| row.kind == AgentKind::Agent).unwrap();
    assert_eq!(agent.approval_mode, Fact::Known(Bypass), "every command runs unasked");
    assert_eq!(agent.external_effect_approved, Fact::Known(true), "with a token that writes");
}

#[test]
fn a_mode_that_an_expression_yields_is_unknown_and_a_variable_of_the_job_holds_for_its_steps() {
    let step = "      - run: goose run -t fix\n";
    for (job, mode) in [
        ("    env: {GOOSE_MODE: '${{ vars.MODE }}'}\n", Fact::Unknown),
        ("    env: {GOOSE_MODE: smart_approve}\n", Fact::Known(Partial)),
        ("", Fact::Known(Bypass)),
    ] {
        let found = inventory(&[(PATH, &workflow("push", job, step))]);
        let row = only(&found);
        assert_eq!(row.approval_mode, mode, "{job}");
        assert_eq!(row.approval_keys.len(), usize::from(!job.is_empty()), "{job}");
    }
}

#[test]
fn what_codex_does_in_a_sandbox_that_the_file_does_not_tell_is_unknown() {
    let action = |inputs: &str| format!("      - uses: openai/codex-action@v1\n        with: {{{inputs}}}\n");
    let cases = [
        (action("sandbox: '${{ vars.MODE }}'"), Fact::Unknown, Fact::Unknown),
        (action("permission-profile: mine"), Fact::Unknown, Fact::Unknown),
        (action("codex-args: '--sandbox $MODE'"), Fact::Unknown, Fact::Unknown),
        (action("permission-profile: mine, codex-args: '--yolo'"), Fact::Known(Bypass), Fact::Known(false)),
        (action("permission-profile: read-only"), Fact::Unknown, Fact::Unknown),
        (String::from("      - run: codex exec --sandbox \"$MODE\" fix\n"), Fact::Unknown, Fact::Unknown),
        (String::from("      - run: codex exec -c sandbox_mode=$X fix\n"), Fact::Unknown, Fact::Unknown),
        (String::from("      - run: codex exec fix\n"), Fact::Known(Partial), Fact::Known(true)),
    ];
    for (step, mode, sandboxed) in cases {
        let found = inventory(&[(PATH, &workflow("push", "", &step))]);
        let row = only(&found);
        assert_eq!((row.approval_mode, row.sandboxed), (mode, sandboxed), "{step}");
    }
}

#[test]
fn sandboxes_of_codex_follow_its_inputs() {
    let with = |inputs: &str| {
        let step = format!("      - uses: openai/codex-action@v1\n        with: {{{inputs}}}\n");
        let found = inventory(&[(PATH, &workflow("push", "", &step))]);
        (only(&found).sandboxed, only(&found).privileged)
    };
    assert_eq!(with("prompt: x"), (Fact::Known(true), Fact::Known(false)));
    assert_eq!(with("sandbox: danger-full-access"), (Fact::Known(false), Fact::Known(false)));
    assert_eq!(with("safety-strategy: unsafe"), (Fact::Known(true), Fact::Known(true)));
    assert_eq!(with("safety-strategy: read-only"), (Fact::Known(true), Fact::Known(false)));
    assert_eq!(with("permission-profile: ':read-only'"), (Fact::Known(true), Fact::Known(false)));
    assert_eq!(with("permission-profile: mine"), (Fact::Unknown, Fact::Known(false)), "a file decides");
    assert_eq!(with("sandbox: '${{ vars.MODE }}'"), (Fact::Unknown, Fact::Known(false)));
}

#[test]
fn the_credentials_of_a_job_are_told_apart() {
    let sign_in = "      - uses: aws-actions/configure-aws-credentials@0123456789012345678901234567890123456789\n        with: {role-to-assume: 'arn:aws:iam::111122223333:role/agent'}\n      - uses: anthropics/claude-code-action@0123456789012345678901234567890123456789\n        with: {use_bedrock: 'true'}\n";
    let found = inventory(&[(PATH, &workflow("push", "    permissions: {id-token: write}\n", sign_in))]);
    let row = only(&found);
    assert_eq!((row.command_pinned, row.token_writes), (Fact::Known(true), Fact::Known(true)));
    assert_eq!(found.credentials.len(), 1);
    assert_eq!((&*found.credentials[0].kind, found.credentials[0].is_static), ("federated", Fact::Known(false)));
    let trust = &found.trusts[0];
    assert_eq!(
        (trust.mechanism, trust.target.as_str()),
        (Mechanism::HoldsCredential, "arn:aws:iam::111122223333:role/agent")
    );
    assert_eq!(trust.evidence.line_number(), Some(9));

    let found = inventory(&[(PATH, &workflow("push", "", STEP))]);
    assert_eq!(found.credentials[0].exposure, Fact::Known(Exposure::Store));
    assert_eq!(
        (found.credentials[0].is_static, found.credentials[0].federable),
        (Fact::Known(true), Fact::Known(true))
    );
}

#[test]
fn a_literal_secret_in_a_workflow_is_found_at_its_line_once() {
    let text = "on: push\nenv:\n  A_TOKEN: fake-3f9a1c-77b2\njobs:\n  work:\n    steps:\n      - uses: google-github-actions/run-gemini-cli@v0\n        with:\n          gemini_api_key: fake-3f9a1c-77b3\n          settings: |-\n            {\n              \"mcpServers\": {\n                \"one\": {\"command\": \"x\", \"env\": {\"API_KEY\": \"fake-3f9a1c-77b4\"}}\n              }\n            }\n";
    let mut file = document(PATH, text);
    file.file = FileFacts { tracked: Some(true), ..FileFacts::default() };
    let (reading, errors) = read(vec![file]);
    assert!(errors.is_empty());
    let mut found: Vec<u32> = reading
        .inventory
        .credentials
        .iter()
        .filter(|held| held.exposure == Fact::Known(Exposure::Committed))
        .map(|held| held.evidence.line_number().unwrap())
        .collect();
    found.sort_unstable();
    assert_eq!(found, [3, 9, 13]);
    assert!(!format!("{reading:?}").contains("fake-3f9a1c"));
}

#[test]
fn a_literal_key_is_one_credential_of_the_agent_of_its_job() {
    let text = "on: push\njobs:\n  one:\n    steps:\n      - run: gemini --yolo -p x\n  two:\n    container: {image: x, env: {DB_PASSWORD: fake-3f9a1c-77b2}}\n    env: {ANTHROPIC_API_KEY: '${{ secrets.KEY }}'}\n    steps:\n      - uses: anthropics/claude-code-action@v1\n        with: {claude_code_oauth_token: fake-3f9a1c-77b3}\n";
    let found = inventory(&[(PATH, text)]);
    let mut held: Vec<(String, Fact<Exposure>)> =
        found.credentials.iter().map(|held| (held.id.to_string(), held.exposure)).collect();
    held.sort_by(|a, b| a.0.cmp(&b.0));
    let agent = "agent:claude-code-action:lab#agent/two";
    let file = Fact::Known(Exposure::UserFile);
    assert_eq!(
        held,
        [
            (format!("{agent}/ANTHROPIC_API_KEY"), Fact::Known(Exposure::Store)),
            (format!("{agent}/jobs.two.container.env.DB_PASSWORD"), file),
            (format!("{agent}/jobs.two.steps.0.with.claude_code_oauth_token"), file),
        ]
    );
    assert!(found.credentials.iter().all(|held| held.identity.as_str() == agent));

    // With a key of AWS, the secret tells where it lies.
    let aws = |secret: &str| {
        let steps = format!(
            "      - uses: aws-actions/configure-aws-credentials@v5\n        with: {{aws-access-key-id: AKIAFAKEFAKEFAKEFAKE, aws-secret-access-key: '{secret}'}}\n      - run: gemini --yolo -p x\n"
        );
        let found = inventory(&[(PATH, &workflow("push", "", &steps))]);
        let kept = found.credentials.iter().filter(|held| held.exposure != Fact::Known(Exposure::None));
        kept.map(|held| (held.kind.to_string(), held.exposure)).collect::<Vec<_>>()
    };
    let kind = String::from("aws_access_key");
    assert_eq!(aws("${{ secrets.KEY }}"), [(kind.clone(), Fact::Known(Exposure::Store))]);
    assert_eq!(aws("zuFakeFakeSlswRu7BJ86wekitnifILbZam1KYY3"), [(kind, file)]);
}

#[test]
fn a_literal_of_a_job_without_an_agent_is_with_that_job() {
    let text = "on: push\njobs:\n  build:\n    env: {DB_PASSWORD: fake-3f9a1c-77b2}\n    steps: [{run: make}]\n  agent:\n    env: {API_KEY: fake-3f9a1c-77b3}\n    steps: [{run: gemini --yolo -p x}]\n";
    let found = inventory(&[(PATH, text)]);
    let mut held: Vec<&str> = found.credentials.iter().map(|held| held.identity.as_str()).collect();
    held.sort_unstable();
    assert_eq!(held, ["agent:gemini-cli:lab#agent/agent", "workflow:lab#agent/build"]);
    let job = found.identities.iter().find(|identity| identity.id.as_str() == "workflow:lab#agent/build").unwrap();
    assert_eq!(judge(&job.signals).nature, Nature::Workload);
    assert_eq!(job.kind, "workflow_job");
}

#[test]
fn workflows_made_to_keep_a_reader_busy_do_not() {
    let jobs: String = (0..200)
        .map(|at| {
            let needs: Vec<String> = (0..at).map(|other| format!("j{other}")).collect();
            format!(
                "  j{at}:\n    needs: [{}]\n    if: {}x{}\n    steps: [{{run: gemini --yolo -p x}}]\n",
                needs.join(","),
                "(".repeat(3000),
                ")".repeat(3000)
            )
        })
        .collect();
    let found = inventory(&[(PATH, &format!("on: [issues, issue_comment]\njobs:\n{jobs}"))]);
    assert_eq!(found.agents.len(), 200);
}

fn markdown(path: &str, text: &str) -> Document {
    Document { format: Format::Text, ..document(path, text) }
}

#[test]
fn a_source_counts_only_where_it_is_not_compiled() {
    let source = "---\non:\n  issues:\n    types: [opened]\npermissions: read-all\nengine: claude\ntools:\n  bash: [\"git status\"]\n---\nDo it.\n";
    let lock = "# gh-aw-metadata: {}\n# gh-aw-manifest: {\"secrets\":[\"KEY\"],\"actions\":[{\"sha\":\"v1\"}]}\non: issues\njobs:\n  agent:\n    steps:\n      - run: claude -p x\n";
    let (reading, _) = read(vec![markdown(".github/workflows/triage.md", source)]);
    let row = only(&reading.inventory);
    assert_eq!(
        (&*row.client, row.untrusted_trigger, row.token_writes),
        ("gh-aw", Fact::Known(false), Fact::Known(false))
    );
    // The compiler adds the engine's key.
    assert_eq!((&row.secrets_in_reach, row.sandboxed), (&Fact::Unknown, Fact::Known(true)));
    let (reading, _) = read(vec![
        markdown(".github/workflows/triage.md", source),
        document(".github/workflows/triage.lock.yml", lock),
    ]);
    let row = only(&reading.inventory);
    assert!(row.evidence.document.ends_with("triage.lock.yml"));
    assert_eq!((row.command_pinned, row.untrusted_trigger), (Fact::Known(false), Fact::Known(true)));
    assert_eq!(Agents.recognise(&markdown(".github/workflows/README.md", "# Hello\n")), None);
}

#[test]
fn a_compiled_agent_is_confined_only_where_the_firewall_starts_it() {
    let sandboxed = |script: &str| {
        let lock = format!(
            "# gh-aw-metadata: {{}}\non: issues\njobs:\n  agent:\n    steps:\n      - run: awf logs summary\n      - run: |\n          {script}\n"
        );
        only(&inventory(&[(".github/workflows/triage.lock.yml", &lock)])).sandboxed
    };
    let cases = [
        ("sudo -E awf --config x -- /bin/bash -c 'claude -p fix'", Fact::Known(true)),
        ("awf --config x -- npx claude -p fix", Fact::Known(true)),
        ("claude -p fix", Fact::Unknown),
        ("awf --version; claude -p fix", Fact::Unknown),
    ];
    for (script, expected) in cases {
        assert_eq!(sandboxed(script), expected, "{script}");
    }
}

#[test]
fn a_token_that_the_action_gets_beside_the_jobs_may_write() {
    let writes = |action: &str, permissions: &str, inputs: &str| {
        let step = format!("      - uses: {action}@v1\n        with: {{prompt: x{inputs}}}\n");
        let job = format!("    permissions: {{{permissions}}}\n");
        only(&inventory(&[(PATH, &workflow("push", &job, &step))])).token_writes
    };
    let claude = "anthropics/claude-code-action";
    let reads = "contents: read, id-token: write";
    let cases = [
        (claude, reads, "", Fact::Known(true)),
        (claude, reads, ", github_token: ''", Fact::Known(true)),
        (claude, reads, ", github_token: '${{ secrets.GITHUB_TOKEN }}'", Fact::Known(false)),
        (claude, reads, ", github_token: '${{ secrets.AGENT }}'", Fact::Unknown),
        (claude, reads, ", additional_permissions: 'contents: read'", Fact::Unknown),
        (claude, "contents: read", "", Fact::Known(false)),
        (claude, "contents: read", ", github_token: '${{ secrets.AGENT }}'", Fact::Unknown),
        (claude, "contents: write", ", github_token: '${{ secrets.AGENT }}'", Fact::Known(true)),
        ("anthropics/claude-code-base-action", reads, "", Fact::Known(false)),
        ("openai/codex-action", reads, "", Fact::Known(false)),
    ];
    for (action, permissions, inputs, expected) in cases {
        assert_eq!(writes(action, permissions, inputs), expected, "{action}, {permissions}{inputs}");
    }
}

#[test]
fn set_up_steps_tell_of_the_coding_agent() {
    let text = "on: workflow_dispatch\njobs:\n  copilot-setup-steps:\n    permissions: {contents: read}\n    env: {TOKEN: '${{ secrets.NPM }}'}\n    steps:\n      - run: npm ci\n";
    let found = inventory(&[(".github/workflows/copilot-setup-steps.yml", text)]);
    let row = only(&found);
    assert_eq!((&*row.client, row.token_writes), ("copilot-coding-agent", Fact::Known(false)));
    assert_eq!(row.secrets_in_reach, Fact::Known(vec!["NPM".into()]));
}

#[test]
fn a_workflow_that_does_not_parse_is_told_and_one_without_agents_is_not_ours() {
    let (_, errors) = read(vec![document(PATH, "on: push\njobs:\n  a: [anthropics/claude-code-action\n")]);
    assert_eq!(errors.len(), 1);
    for text in [
        "on: push\njobs:\n  a:\n    steps:\n      - run: cargo test\n",
        "on: push\njobs:\n  a:\n    steps:\n      - uses: anthropics/claude-code-action/agent-approval-check@main\n",
        "on: push\njobs:\n  a:\n    steps:\n      - run: npm install -g @anthropic-ai/claude-code\n",
    ] {
        assert_eq!(Agents.recognise(&document(PATH, text)), None, "{text}");
    }
}
