//! Workflows that call workflows: of the same repository, of another one, of one that was not read.

use std::collections::BTreeSet;

use evenhand_model::token::{Bearer, Found};

use super::*;

const RELEASE: &str = "github:acme:job:shop/ci/ship/release";
const DEPLOY: &str = ".github/workflows/deploy.yml";

/// The repository `acme/flows` with one workflow file.
fn flows(path: &str, text: &str) -> Vec<Value> {
    vec![
        answered("/repos/acme/flows", &json!({ "name": "flows", "full_name": "acme/flows", "default_branch": "main" })),
        answered("/repos/acme/flows/keys", &json!([{ "id": 6, "title": "edit", "read_only": false }])),
        answered(&format!("/repos/acme/flows/contents/{path}"), &json!({ "content": text })),
    ]
}

fn called(permissions: &str) -> String {
    format!(
        "on: {{workflow_call: {{secrets: {{KEY: {{}}}}}}}}\njobs:\n  release:\n    runs-on: x\n    {permissions}\n    \
         environment: production\n    steps: [{{run: make, env: {{K: '${{{{ secrets.KEY }}}}'}}}}]\n"
    )
}

fn caller(target: &str, permissions: &str, secrets: &str) -> String {
    format!(
        "on: {{push: {{branches: [main]}}}}\njobs:\n  ship:\n    uses: {target}\n    permissions: {permissions}\n    {secrets}\n"
    )
}

fn jobs(reading: &Reading) -> Vec<&str> {
    let of = reading.inventory.identities.iter().filter(|identity| identity.kind == "workflow_job");
    of.map(|identity| identity.id.as_str().trim_start_matches("github:acme:job:")).collect()
}

fn claim(bearer: &Bearer, name: &str) -> String {
    match bearer.token.find(name) {
        Found::Texts(texts) => texts.first().map(|text| text.to_string()).unwrap_or_default(),
        Found::AnyOf(pattern) => format!("{pattern:?}"),
        other => format!("{other:?}"),
    }
}

#[test]
fn a_called_job_runs_for_its_callers_repository_with_no_more_than_the_calling_job_may() {
    let (shop, flow) = (Some("acme/shop"), Some("acme/flows"));
    let target = "Acme/flows/.github/workflows/deploy.yml@main";
    for (caller_may, callee_asks, fetch, push) in [
        ("{contents: write}", "", Outcome::Allowed, Outcome::Allowed),
        ("{contents: read}", "", Outcome::Allowed, Outcome::ImplicitlyDenied),
        ("{contents: read}", "permissions: write-all", Outcome::Allowed, Outcome::ImplicitlyDenied),
        ("{contents: write}", "permissions: {contents: read}", Outcome::Allowed, Outcome::ImplicitlyDenied),
        ("write-all", "permissions: {issues: write}", Outcome::ImplicitlyDenied, Outcome::ImplicitlyDenied),
        ("write-all", "permissions: read-all", Outcome::Allowed, Outcome::ImplicitlyDenied),
        ("{}", "permissions: write-all", Outcome::ImplicitlyDenied, Outcome::ImplicitlyDenied),
    ] {
        let reading = with_workflow(&caller(target, caller_may, ""), &flows(DEPLOY, &called(callee_asks)));
        assert_eq!(
            jobs(&reading),
            ["shop/ci/ship/release"],
            "the calling job has no steps, the called one no other token"
        );
        let may = |operation, resource| outcome(&reading, RELEASE, operation, resource);
        assert_eq!((may("git/fetch", shop), may("git/push", shop)), (fetch, push), "{caller_may} {callee_asks}");
        assert_eq!(may("git/fetch", flow), Outcome::ImplicitlyDenied);
    }
}

#[test]
fn tokens_of_a_called_job_name_the_callers_repository_and_the_called_file() {
    let target = |reference: &str| format!("acme/flows/{DEPLOY}@{reference}");
    for (reference, callee_asks, named, certain) in [
        ("main", "", "acme/flows/.github/workflows/deploy.yml@refs/heads/main", true),
        ("refs/heads/main", "", "acme/flows/.github/workflows/deploy.yml@refs/heads/main", true),
        ("refs/tags/v1", "", "acme/flows/.github/workflows/deploy.yml@refs/tags/v1", false),
    ] {
        let form = answered(
            "/repos/acme/shop/actions/oidc/customization/sub",
            &json!({ "use_default": true, "use_immutable_subject": false }),
        );
        let text = caller(&target(reference), "{id-token: write}", "");
        let reading = with_workflow(&text, &[flows(DEPLOY, &called(callee_asks)), vec![form]].concat());
        let [bearer] = reading.inventory.bearers.as_slice() else { panic!("{:?}", reading.inventory.bearers) };
        assert_eq!(bearer.identity.as_str(), RELEASE);
        assert_eq!(claim(bearer, "sub"), "repo:acme/shop:environment:production");
        assert_eq!(claim(bearer, "job_workflow_ref"), named);
        assert_eq!(claim(bearer, "workflow_ref"), "acme/shop/.github/workflows/ci.yml@refs/heads/main");
        assert_eq!(bearer.certain, certain, "{reference}");
    }
    for (caller_may, callee_asks) in
        [("{contents: read}", "permissions: write-all"), ("write-all", "permissions: {contents: read}")]
    {
        let text = caller(&target("main"), caller_may, "");
        let reading = with_workflow(&text, &flows(DEPLOY, &called(callee_asks)));
        assert!(reading.inventory.bearers.is_empty(), "both must let it ask: {caller_may} {callee_asks}");
    }
}

#[test]
fn a_called_job_has_the_secrets_that_it_is_handed_and_those_of_its_environment() {
    let target = format!("acme/flows/{DEPLOY}@main");
    let own =
        answered("/repos/acme/shop/actions/secrets", &json!({ "secrets": [{ "name": "KEY" }, { "name": "PROD" }] }));
    let of_environment = |names: &[&str]| {
        let secrets: Vec<Value> = names.iter().map(|name| json!({ "name": name })).collect();
        vec![answered("/repos/acme/shop/environments/Production/secrets", &json!({ "secrets": secrets }))]
    };
    let known = |names: &[&str]| Fact::Known(names.iter().map(|name| Arc::from(*name)).collect::<Vec<Arc<str>>>());
    let other = "secrets: {KEY: '${{ secrets.PROD }}'}";
    for (secrets, environment, reach, held) in [
        ("secrets: inherit", of_environment(&["KEY"]), known(&["KEY"]), &["shop/KEY", "shop/Production/KEY"][..]),
        ("secrets: inherit", vec![], known(&["KEY"]), &["shop/KEY"]),
        (other, of_environment(&["KEY"]), known(&["KEY", "PROD"]), &["shop/PROD", "shop/Production/KEY"]),
        (other, of_environment(&["ELSE"]), known(&["PROD"]), &["shop/PROD"]),
        (other, vec![], Fact::Unknown, &["shop/PROD"]),
        ("", of_environment(&["KEY"]), known(&["KEY"]), &["shop/Production/KEY"]),
        ("", of_environment(&["ELSE"]), Fact::Absent, &[]),
        ("", vec![], Fact::Unknown, &[]),
    ] {
        let stored = [vec![own.clone()], environment].concat();
        let text = caller(&target, "{}", secrets);
        let reading = with_workflow(&text, &[flows(DEPLOY, &called("")), stored].concat());
        let workload = reading.inventory.workloads.iter().find(|held| held.identity.as_str() == RELEASE).unwrap();
        assert_eq!(workload.surroundings.secrets, reach, "{secrets}");
        let of_job = reading.inventory.credentials.iter().filter(|held| held.identity.as_str() == RELEASE);
        let found: BTreeSet<&str> =
            of_job.filter_map(|held| held.id.as_str().strip_prefix("github:acme:secret:")).collect();
        assert_eq!(found, held.iter().copied().collect::<BTreeSet<_>>(), "{secrets}");
    }
}

#[test]
fn calls_are_followed_through_files_and_repositories_and_end_where_they_run_in_circles() {
    let outer = "on: workflow_call\njobs: {inner: {uses: ./.github/workflows/leaf.yml}, again: {uses: ./.github/workflows/deploy.yml}}\n";
    let leaf = "on: workflow_call\njobs: {leaf: {runs-on: x, steps: [{run: make}]}}\n";
    let local = "on: push\njobs:\n  ship: {uses: acme/flows/.github/workflows/deploy.yml@main, permissions: {id-token: write}}\n  \
                 own: {uses: ./.github/workflows/leaf.yml, permissions: {id-token: write}}\n";
    let file = |repository: &str, text: &str| {
        let path = format!("/repos/acme/{repository}/contents/.github/workflows/leaf.yml");
        answered(&path, &json!({ "content": text }))
    };
    let more =
        [flows(DEPLOY, outer), vec![file("flows", leaf), file("shop", &leaf.replace("leaf:", "mine:"))]].concat();
    let reading = with_workflow(local, &more);
    assert_eq!(jobs(&reading), ["shop/ci/own/mine", "shop/ci/ship/again", "shop/ci/ship/inner/leaf"]);
    let named = |job: &str| {
        let of = reading.inventory.bearers.iter().find(|held| held.identity.as_str().ends_with(job));
        claim(of.unwrap(), "job_workflow_ref")
    };
    assert_eq!(named("ship/inner/leaf"), "acme/flows/.github/workflows/leaf.yml@refs/heads/main");
}

#[test]
fn a_call_of_what_was_not_read_is_told_by_its_name() {
    let said = |target: &str| {
        let reading = with_workflow(&caller(target, "{contents: write}", ""), &[]);
        assert_eq!(jobs(&reading), ["shop/ci/ship"], "what the call may do is held by the job that calls");
        assert_eq!(outcome(&reading, "github:acme:job:shop/ci/ship", "git/push", Some("acme/shop")), Outcome::Allowed);
        let gap = reading.inventory.gaps.iter().any(|gap| gap.reason.contains(target));
        (gap, reading.inventory.hints.iter().any(|hint| hint.message.contains(target)))
    };
    assert_eq!(said("acme/flows/.github/workflows/deploy.yml@v1"), (true, false));
    assert_eq!(said("./.github/workflows/gone.yml"), (true, false));
    assert_eq!(said("elsewhere/flows/.github/workflows/deploy.yml@v1"), (false, true), "nobody here can add it");
}

#[test]
fn what_a_file_says_at_another_reference_is_not_known_to_limit_it() {
    let push = |reference: &str, asks: &str| {
        let text = caller(&format!("acme/flows/{DEPLOY}@{reference}"), "{contents: write}", "");
        outcome(&with_workflow(&text, &flows(DEPLOY, &called(asks))), RELEASE, "git/push", Some("acme/shop"))
    };
    assert_eq!(push("main", "permissions: {contents: read}"), Outcome::ImplicitlyDenied);
    assert_eq!(push("v1", "permissions: {contents: read}"), Outcome::Unknown);
    assert_eq!(push("v1", ""), Outcome::Allowed, "the call lets it");
}

#[test]
fn whose_token_a_workflow_has_that_nobody_here_calls_is_unknown() {
    let reading = with_workflow("on: push\njobs: {}\n", &flows(DEPLOY, &called("permissions: write-all")));
    let release = "github:acme:job:flows/deploy/release";
    assert_eq!(jobs(&reading), ["flows/deploy/release"]);
    assert_eq!(outcome(&reading, release, "git/push", Some("acme/flows")), Outcome::Unknown);
    assert_eq!(outcome(&reading, release, "git/push", Some("acme/shop")), Outcome::Unknown);
}

#[test]
fn an_agent_behind_calls_acts_as_the_job_of_each_caller() {
    let agent = "on: {workflow_call: {inputs: {args: {}}}}\njobs:\n  think:\n    runs-on: ubuntu-latest\n    steps:\n      \
                 - {uses: anthropics/claude-code-action@v1, with: {claude_args: '${{ inputs.args }}'}}\n";
    let local = "on: push\njobs:\n  asks: {uses: acme/flows/.github/workflows/deploy.yml@main, permissions: {contents: read}}\n  \
                 does: {uses: acme/flows/.github/workflows/deploy.yml@main, permissions: {contents: write}}\n";
    let reading = with_workflow(local, &flows(DEPLOY, agent));
    let agents: Vec<(&str, Fact<bool>, Fact<bool>)> = reading
        .inventory
        .agents
        .iter()
        .map(|agent| (agent.identity.as_str(), agent.token_writes, agent.untrusted_trigger))
        .collect();
    let (asks, does) = ("github:acme:job:shop/ci/asks/think", "github:acme:job:shop/ci/does/think");
    assert_eq!(agents.iter().map(|(id, ..)| *id).collect::<Vec<_>>(), [asks, does]);
    assert!(agents.iter().all(|(_, _, trigger)| *trigger == Fact::Known(false)), "only who may push starts it");
    for id in [asks, does] {
        let identity = reading.inventory.identities.iter().find(|held| held.id.as_str() == id).unwrap();
        assert_eq!(judge(&identity.signals).nature, Nature::AiAgent, "{id}");
        let workload = reading.inventory.workloads.iter().find(|held| held.identity.as_str() == id).unwrap();
        let row = reading.inventory.agents.iter().find(|held| held.identity.as_str() == id).unwrap();
        assert_eq!(workload.name, row.name);
    }
}

#[test]
fn whoever_writes_the_called_file_becomes_the_jobs_of_its_callers_unless_a_commit_is_called() {
    let commit = "0123456789abcdef0123456789abcdef01234567";
    for (reference, becomes) in [("main", true), ("v1", true), (commit, false)] {
        let text = caller(&format!("acme/flows/{DEPLOY}@{reference}"), "{id-token: write}", "");
        let edges = with_workflow(&text, &flows(DEPLOY, &called(""))).resolver.unwrap().edges();
        let from = |key: &str| edges.iter().filter(|edge| edge.source.as_str() == key).count();
        assert_eq!(from("github:acme:deploy_key:flows/6"), usize::from(becomes), "{reference}");
        assert_eq!(from(KEY), 1, "and of course who writes the calling one");
    }
}

#[test]
fn a_file_that_is_called_without_a_reference_stands_at_its_callers() {
    const LEAF: &str = ".github/workflows/leaf.yml";
    let site = json!({ "name": "shop", "full_name": "acme/shop", "default_branch": "main", "visibility": "public" });
    let leaf = "on: workflow_call\njobs: {do: {runs-on: self-hosted, steps: [{run: make}]}}\n";
    let runner = json!({ "id": 1, "name": "r", "runner_group_id": 4, "labels": [{ "name": "self-hosted" }] });
    for (on, listed, expected) in [
        ("pull_request_target", format!("acme/shop/{LEAF}@refs/heads/main"), Fact::Known(true)),
        ("issues", format!("acme/shop/{LEAF}@main"), Fact::Known(true)),
        ("pull_request_target", format!("acme/shop/{LEAF}@v1"), Fact::Unknown),
        ("pull_request_review", format!("acme/shop/{LEAF}@main"), Fact::Unknown),
        ("pull_request_target", "acme/shop/.github/workflows/ci.yml@main".to_owned(), Fact::Known(false)),
    ] {
        let group = json!({ "id": 4, "name": "farm", "visibility": "all", "allows_public_repositories": true,
            "restricted_to_workflows": true, "selected_workflows": [listed] });
        let reading = with_workflow(
            &format!("on: {on}\njobs: {{ship: {{uses: ./{LEAF}}}}}\n"),
            &[
                answered("/repos/acme/shop", &site),
                answered(&format!("/repos/acme/shop/contents/{LEAF}"), &json!({ "content": leaf })),
                answered("/repos/acme/shop/actions/runners", &json!({ "runners": [] })),
                answered("/orgs/acme/actions/runners", &json!({ "runners": [runner] })),
                answered("/orgs/acme/actions/runner-groups", &json!({ "runner_groups": [group] })),
            ],
        );
        let mut jobs = reading.inventory.workloads.iter();
        let job = jobs.find(|held| held.identity.as_str() == "github:acme:job:shop/ci/ship/do").unwrap();
        assert_eq!(job.exposed, expected, "{on} {listed}");
    }
}
