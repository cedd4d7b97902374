//! Reusable workflows and composite actions of the same repository: an agent behind a call has what its callers give.

use evenhand_agents::Agents;
use evenhand_agents::workflow::{self, Audience, Repositories};
use evenhand_model::agent::Agent;
use evenhand_model::agent::ApprovalMode::{Bypass, Partial, Prompt};
use evenhand_model::evidence::{Fact, Truth};
use evenhand_model::inventory::Inventory;
use evenhand_model::provider::{Provider, ReadOptions};
use evenhand_model::secret::Fingerprinter;

use crate::common::{document, inventory, read};

const CALLED: &str = ".github/workflows/agent.yml";
const CALLER: &str = ".github/workflows/caller.yml";
const ACTION: &str = ".github/actions/fix/action.yml";

fn only(inventory: &Inventory) -> &Agent {
    assert_eq!(inventory.agents.len(), 1, "{:?}", inventory.agents);
    &inventory.agents[0]
}

fn words(words: &Fact<Vec<std::sync::Arc<str>>>) -> String {
    words.value().map(|words| words.join(", ")).unwrap_or_default()
}

/// A workflow that others call; it runs Gemini with a secret and whatever arguments it is given.
fn called(permissions: &str) -> String {
    format!(
        "on:\n  workflow_call:\n    inputs: {{args: {{default: ''}}}}\njobs:\n  work:\n    runs-on: x\n{permissions}    env: {{KEY: '${{{{ secrets.KEY }}}}'}}\n    steps:\n      - run: copilot -p x ${{{{ inputs.args }}}}\n"
    )
}

fn caller(on: &str, job: &str) -> String {
    format!("on: {on}\njobs:\n  call:\n    uses: ./{CALLED}\n{job}")
}

fn both(called: &str, caller: &str) -> Inventory {
    inventory(&[(CALLED, called), (CALLER, caller)])
}

#[test]
fn a_called_agent_has_the_events_and_conditions_of_its_caller() {
    let guard = "    if: contains(fromJSON('[\"OWNER\"]'), github.event.comment.author_association)\n";
    let cases = [
        ("push", "", "push, workflow_call", Some(false)),
        ("issue_comment", "", "comment, workflow_call", Some(true)),
        ("issue_comment", guard, "comment, workflow_call", Some(false)),
    ];
    for (on, job, trigger, by_caller) in cases {
        let files = [(CALLED, called("")), (CALLER, caller(on, job))];
        // Whoever else calls is not known; a private repository only private ones can call.
        let public = if by_caller == Some(true) { Fact::Known(true) } else { Fact::Unknown };
        for (visibility, expected) in [("public", public), ("private", Fact::Known(false))] {
            let found = seen_by(visibility, &files);
            let row = only(&found);
            assert_eq!(
                (row.trigger.value().map(|word| &**word), row.untrusted_trigger),
                (Some(trigger), expected),
                "{visibility}: {on}{job}"
            );
        }
        let found = both(&called(""), &caller(on, job));
        let row = only(&found);
        assert_eq!(row.untrusted_trigger, Fact::Unknown, "{on}{job}");
        assert!(row.evidence.document.ends_with("agent.yml"), "the agent stands in the called file");
        assert_eq!(row.evidence.line_number(), Some(9));
    }
    let alone = inventory(&[(CALLED, &called(""))]);
    assert_eq!(only(&alone).untrusted_trigger, Fact::Unknown);
    assert_eq!(only(&alone).trigger.value().map(|word| &**word), Some("workflow_call"));
}

/// Repositories that are all as visible.
fn seen_by(visibility: &str, files: &[(&str, String)]) -> Inventory {
    let options = ReadOptions {
        now: "2026-11-23T00:00:00Z".parse().unwrap(),
        fingerprinter: Fingerprinter::keyed("test"),
        settings: [("repository_visibility".to_owned(), visibility.to_owned())].into(),
    };
    let mut reader = Agents.reader(options);
    for (path, text) in files {
        reader.read(document(path, text)).unwrap();
    }
    reader.finish().inventory
}

#[test]
fn what_only_unread_callers_could_allow_is_never_certain() {
    let open = [
        "uses: anthropics/claude-code-action@v1\n        with: {allowed_non_write_users: '*'}",
        "uses: openai/codex-action@v1\n        with: {allow-users: '*'}",
    ];
    for step in open {
        let text = format!("on: workflow_call\njobs:\n  work:\n    steps:\n      - {step}\n");
        assert_eq!(only(&inventory(&[(CALLED, &text)])).untrusted_trigger, Fact::Unknown, "{step}");
        assert_eq!(only(&both(&text, &caller("push", ""))).untrusted_trigger, Fact::Unknown, "{step}");
        assert_eq!(only(&both(&text, &caller("issues", ""))).untrusted_trigger, Fact::Known(true), "{step}");
    }
}

#[test]
fn calls_beyond_the_limit_of_a_repository_are_as_if_strangers_made_them() {
    let use_of = |action: &str| format!("      - uses: ./.github/actions/{action}\n");
    let busy = format!("on: push\njobs:\n  all:\n    steps:\n{}{}", use_of("fix"), use_of("idle").repeat(4095));
    let late = format!("on: issues\njobs:\n  late:\n    steps:\n{}", use_of("fix"));
    let action = |run: &str| format!("runs: {{using: composite, steps: [{{run: {run}}}]}}\n");
    let mut repositories = Repositories::default();
    for (path, text) in [
        (".github/actions/fix/action.yml", action("claude -p fix")),
        (".github/actions/idle/action.yml", action("true")),
        (".github/workflows/a.yml", busy),
        (".github/workflows/b.yml", late),
        (CALLED, called("")),
        (CALLER, caller("issues", "")),
    ] {
        repositories.add("big", &format!("big/{path}"), &text).unwrap();
    }
    repositories.add("next", &format!("next/{CALLER}"), &caller("issues", "")).unwrap();
    repositories.add("next", &format!("next/{CALLED}"), &called("")).unwrap();
    let read = repositories.read(&Fingerprinter::keyed("test"));
    let of = |path: &str| {
        let found = read.workflows.iter().find(|(held, _)| held == path);
        found.map(|(_, workflow)| workflow.agents[0].audience)
    };
    assert_eq!(of("big/.github/workflows/agent.yml"), Some(Audience::Unknown));
    assert_eq!(of("big/.github/actions/fix/action.yml"), Some(Audience::Unknown), "its later user is not forgotten");
    assert_eq!(of("next/.github/workflows/agent.yml"), Some(Audience::Readers), "each repository has its own limit");
}

#[test]
fn an_action_for_others_is_told_beside_the_job_that_tries_it() {
    let action = "runs: {using: composite, steps: [{run: claude -p fix}]}\n";
    let user = |folder: &str| format!("on: push\njobs:\n  a:\n    steps:\n      - uses: ./{folder}\n");
    for (folder, expected) in [("", 2), ("tools/fix", 2), (".github/actions/fix", 1)] {
        let path = if folder.is_empty() { "action.yml".to_owned() } else { format!("{folder}/action.yml") };
        let found = inventory(&[(&path, action), (CALLER, &user(folder))]);
        let started: Vec<_> = found.agents.iter().map(|agent| agent.untrusted_trigger).collect();
        assert_eq!(started.len(), expected, "{folder}");
        assert!(started.contains(&Fact::Known(false)), "{folder}");
        assert_eq!(started.contains(&Fact::Unknown), expected == 2, "{folder}");
    }
}

#[test]
fn a_called_agent_never_has_more_than_the_token_of_the_calling_job() {
    let own = "    permissions: {contents: write}\n";
    let cases = [
        ("", "    permissions: {contents: write}\n", Fact::Known(true)),
        // Another caller may give more.
        ("", "    permissions: {contents: read}\n", Fact::Unknown),
        (own, "    permissions: {contents: read}\n", Fact::Unknown),
        (own, "    permissions: {contents: write}\n", Fact::Known(true)),
        (own, "", Fact::Unknown),
        ("    permissions: {}\n", "", Fact::Known(false)),
    ];
    for (permissions, job, expected) in cases {
        let found = both(&called(permissions), &caller("push", job));
        assert_eq!(only(&found).token_writes, expected, "{permissions}{job}");
    }
}

#[test]
fn the_secrets_in_reach_are_those_that_the_callers_hand_over() {
    // Those that were not read may hand over what the workflow asks for, under the name that it asks by.
    let cases = [
        ("    secrets: inherit\n", "KEY"),
        ("    secrets: {KEY: '${{ secrets.PROD }}'}\n", "KEY, PROD"),
        ("    secrets: {OTHER: '${{ secrets.PROD }}'}\n", "KEY"),
        ("", "KEY"),
    ];
    for (job, expected) in cases {
        let found = both(&called(""), &caller("push", job));
        assert_eq!(words(&only(&found).secrets_in_reach), expected, "{job}");
    }
}

#[test]
fn inputs_of_the_caller_decide_like_flags() {
    let cases =
        [("", Prompt), ("    with: {args: --allow-all-tools}\n", Bypass), ("    with: {args: '--model x'}\n", Prompt)];
    for (job, expected) in cases {
        let found = both(&called(""), &caller("push", job));
        assert_eq!(only(&found).approval_mode, Fact::Known(expected), "{job}");
    }
}

#[test]
fn of_several_callers_the_widest_counts() {
    let strict = caller("push", "    permissions: {contents: read}\n");
    let wide = caller(
        "issues",
        "    permissions: {contents: write}\n    secrets: inherit\n    with: {args: --allow-all-tools}\n",
    );
    let found = inventory(&[(CALLED, &called("")), (CALLER, &strict), (".github/workflows/wide.yml", &wide)]);
    let row = only(&found);
    assert_eq!(row.trigger.value().map(|word| &**word), Some("issue, push, workflow_call"));
    assert_eq!((row.untrusted_trigger, row.token_writes), (Fact::Unknown, Fact::Known(true)));
    assert_eq!((row.approval_mode, words(&row.secrets_in_reach).as_str()), (Fact::Known(Bypass), "KEY"));
}

#[test]
fn calls_of_calls_are_followed_and_circles_end() {
    let middle = format!("on: workflow_call\njobs:\n  on:\n    uses: ./{CALLED}\n    secrets: inherit\n");
    let outer = "on: schedule\njobs:\n  a:\n    uses: ./.github/workflows/middle.yml\n    secrets: {KEY: '${{ secrets.NIGHT }}'}\n";
    let files = [(CALLED, called("")), (".github/workflows/middle.yml", middle), (CALLER, outer.to_owned())];
    let found = inventory(&files.each_ref().map(|(path, text)| (*path, text.as_str())));
    let row = only(&found);
    assert_eq!(row.trigger.value().map(|word| &**word), Some("schedule, workflow_call"));
    assert_eq!(words(&row.secrets_in_reach), "KEY, NIGHT");
    let circle = format!(
        "on: [push, workflow_call]\njobs:\n  again:\n    uses: ./{CALLER}\n  work:\n    steps: [{{run: gemini --yolo}}]\n"
    );
    assert_eq!(only(&inventory(&[(CALLER, &circle)])).trigger.value().map(|word| &**word), Some("push, workflow_call"));
}

#[test]
fn steps_of_a_composite_action_run_in_the_job_that_uses_it() {
    let action = "inputs: {args: {default: ''}, key: {}}\nruns:\n  using: composite\n  steps:\n    - run: echo\n    - run: claude -p fix ${{ inputs.args }}\n      env: {ANTHROPIC_API_KEY: '${{ inputs.key }}'}\n";
    let text = |with: &str, condition: &str| {
        format!(
            "on: issue_comment\njobs:\n  work:\n    permissions: {{contents: write}}\n    steps:\n      - uses: ./.github/actions/fix\n{condition}        with: {{key: '${{{{ secrets.MODEL }}}}'{with}}}\n"
        )
    };
    let guard = "        if: github.event.comment.author_association == 'OWNER'\n";
    let cases = [
        ("", "", Prompt, Fact::Unknown),
        (", args: --dangerously-skip-permissions", "", Bypass, Fact::Unknown),
        (", args: --permission-mode acceptEdits", guard, Partial, Fact::Known(false)),
    ];
    for (with, condition, mode, outsiders) in cases {
        let found = inventory(&[(ACTION, action), (CALLER, &text(with, condition))]);
        let row = only(&found);
        assert_eq!((row.approval_mode, row.untrusted_trigger), (Fact::Known(mode), outsiders), "{with}");
        assert_eq!((row.token_writes, words(&row.secrets_in_reach).as_str()), (Fact::Known(true), "MODEL"));
        assert_eq!(row.evidence.line_number(), Some(6), "the line of the call");
        assert!(found.credentials.iter().any(|held| &*held.kind == "anthropic_api_key"), "{:?}", found.credentials);
    }
    let unused = inventory(&[(ACTION, action)]);
    assert_eq!(only(&unused).untrusted_trigger, Fact::Unknown);
    assert!(only(&unused).id.ends_with("#fix/action"), "{}", only(&unused).id);
}

#[test]
fn literal_secrets_of_files_that_take_part_are_found_where_they_stand() {
    let literal = "ghp_FakeFakeFakeFakeFakeFakeFakeFakeFake";
    let action =
        format!("runs:\n  using: composite\n  steps:\n    - run: gemini --yolo\n      env: {{GH_TOKEN: {literal}}}\n");
    let user = "on: push\njobs:\n  a:\n    steps:\n      - uses: ./.github/actions/fix\n";
    let found = inventory(&[(ACTION, &action), (CALLER, user)]);
    let places: Vec<String> = found.credentials.iter().map(|held| held.evidence.to_string()).collect();
    assert_eq!(places, ["lab/.github/actions/fix/action.yml:5"]);

    let calls = caller("push", &format!("    with: {{args: 'x {literal}'}}\n"));
    let found = both(&called(""), &calls);
    let places: Vec<String> = found.credentials.iter().map(|held| held.evidence.to_string()).collect();
    assert_eq!(places, ["lab/.github/workflows/caller.yml:5"]);
    assert!(found.credentials[0].identity.as_str().starts_with("agent:"), "it is handed to the agent");

    // What stands in other jobs of the caller, and in its own environment, never reaches what it calls.
    let calls = format!("env: {{GH_TOKEN: {literal}}}\n{}", caller("push", ""));
    let found = both(&called(""), &calls);
    let held: Vec<&str> = found.credentials.iter().map(|held| held.identity.as_str()).collect();
    assert_eq!(held, ["workflow:lab#caller"]);
}

#[test]
fn a_call_of_what_was_not_read_is_told() {
    let (reading, errors) = read(vec![document(CALLER, &caller("push", ""))]);
    assert!(errors.is_empty() && reading.inventory.agents.is_empty());
    let [gap] = reading.inventory.gaps.as_slice() else { panic!("{:?}", reading.inventory.gaps) };
    assert!(gap.reason.contains("caller.yml:4"), "{}", gap.reason);
    let user = "on: push\njobs:\n  a:\n    steps:\n      - uses: ./.github/actions/fix\n";
    let found = inventory(&[(CALLER, user)]);
    assert!(found.gaps.is_empty());
    assert!(found.hints[0].message.contains("./.github/actions/fix"), "{:?}", found.hints);
}

#[test]
fn one_workflow_alone_is_read_without_its_calls() {
    let read = workflow::read(&called(""), &Fingerprinter::keyed("test")).unwrap().unwrap();
    assert_eq!(read.agents.len(), 1);
    assert_eq!((read.agents[0].audience, read.agents[0].token_writes), (Audience::Unknown, Truth::Unknown));
    assert!(workflow::read(&caller("push", ""), &Fingerprinter::keyed("test")).unwrap().is_none());
}
