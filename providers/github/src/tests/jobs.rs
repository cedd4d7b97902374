//! Jobs of workflows: their agents, machines, secrets and variables.

use super::*;

#[test]
fn an_agent_that_a_job_runs_is_the_job() {
    let mut answers = organisation(&json!({}), "{}");
    for answer in &mut answers {
        if answer["path"].as_str().unwrap().ends_with("ci.yml") {
            answer["response"]["content"] = json!(
                "on: issue_comment\njobs: {do: {runs-on: [self-hosted], permissions: write-all, steps: [{uses: anthropics/claude-code-action@v1}]}}\n"
            );
        }
    }
    let reading = read(&answers);
    let identity = reading.inventory.identities.iter().find(|identity| identity.id.as_str() == JOB).unwrap();
    assert_eq!(judge(&identity.signals).nature, Nature::AiAgent);
    let [agent] = reading.inventory.agents.as_slice() else { panic!() };
    assert_eq!((agent.identity.as_str(), agent.token_writes), (JOB, Fact::Known(true)));
    assert!(agent.evidence.document.starts_with("https://github.com/acme/shop/blob/HEAD/.github/workflows/"));
    let workload = reading.inventory.workloads.iter().find(|workload| workload.identity.as_str() == JOB).unwrap();
    assert_eq!((&*workload.kind, workload.name == agent.name), ("self_hosted_job", true));
}

#[test]
fn a_label_that_no_known_machine_has_tells_nothing_where_runners_were_not_read() {
    let runners = |path: &str, labels: &[&str]| {
        let labels: Vec<Value> = labels.iter().map(|label| json!({ "name": label })).collect();
        answered(path, &json!({ "runners": [{ "id": 1, "name": "r", "labels": labels }] }))
    };
    let (own, shared) = ("/repos/acme/shop/actions/runners", "/orgs/acme/actions/runners");
    for (asked, more, expected) in [
        ("ubuntu-latest", vec![], "hosted_job"),
        ("Windows-2022", vec![], "hosted_job"),
        ("build-farm", vec![], "workflow_job"),
        ("build-farm", vec![runners(own, &["gpu"])], "workflow_job"),
        ("build-farm", vec![runners(own, &["gpu"]), runners(shared, &[])], "hosted_job"),
        ("build-farm", vec![runners(shared, &["Build-Farm"])], "self_hosted_job"),
        ("self-hosted", vec![], "self_hosted_job"),
    ] {
        let text = format!("on: push\njobs: {{do: {{runs-on: {asked}, steps: [{{run: make}}]}}}}\n");
        let reading = with_workflow(&text, &more);
        let job = reading.inventory.workloads.iter().find(|held| held.identity.as_str() == JOB).unwrap();
        assert_eq!(&*job.kind, expected, "{asked} {more:?}");
    }
}

#[test]
fn secrets_that_are_inherited_and_variables_of_environments_have_their_jobs() {
    let text = "on: push\njobs:\n  do: {uses: ./.github/workflows/other.yml, secrets: inherit}\n  \
                eu: {runs-on: x, environment: eu, steps: [{run: make}]}\n  \
                us: {runs-on: x, environment: us, steps: [{run: make}]}\n";
    let variable = json!({ "variables": [{ "name": "DEPLOY_PASSWORD", "value": "c4nary-Zx81-correct-horse" }] });
    let reading = with_workflow(
        text,
        &[
            answered("/repos/acme/shop/actions/secrets", &json!({ "secrets": [{ "name": "NPM_TOKEN" }] })),
            answered("/repos/acme/shop/environments/us/variables", &variable),
            answered("/repos/acme/shop/environments/eu/variables", &variable),
            answered("/repos/acme/shop/environments/unused/variables", &variable),
        ],
    );
    let stored = |part: &str| -> Vec<(String, String)> {
        let found = reading.inventory.credentials.iter().filter(|held| held.id.as_str().contains(part));
        found.map(|held| (held.id.to_string(), held.identity.to_string())).collect()
    };
    let of = |id: &str, job: &str| (format!("github:acme:{id}"), format!("github:acme:job:shop/ci/{job}"));
    assert_eq!(stored(":secret:"), [of("secret:shop/NPM_TOKEN", "do")]);
    let variables = ["eu", "us"].map(|name| of(&format!("variable:shop/{name}/DEPLOY_PASSWORD"), name));
    assert_eq!(stored(":variable:"), variables);
    assert!(reading.inventory.hints.iter().any(|hint| hint.message.contains("acme/shop/unused")), "no job sees it");
}

#[test]
fn a_job_whose_permissions_cannot_be_told_may_be_trusted_by_clouds() {
    let text = "on: push\njobs: {do: {runs-on: x, permissions: [id-token], steps: [{run: make}]}}\n";
    let edges = with_workflow(text, &[]).resolver.unwrap().edges();
    assert!(edges.iter().any(|edge| edge.source.as_str() == KEY), "whoever writes the file may become it");
}

#[test]
fn outsiders_reach_no_machine_behind_an_approval_or_in_a_group_that_is_closed_to_them() {
    let site = answered(
        "/repos/acme/shop",
        &json!({ "name": "shop", "full_name": "acme/shop", "default_branch": "main", "visibility": "public" }),
    );
    let policy = |word: &str| {
        let path = "/repos/acme/shop/actions/permissions/fork-pr-contributor-approval";
        answered(path, &json!({ "approval_policy": word }))
    };
    let runner = || json!({ "id": 1, "name": "r", "runner_group_id": 4, "labels": [{ "name": "self-hosted" }] });
    let shared = answered("/orgs/acme/actions/runners", &json!({ "runners": [runner()] }));
    let own = |runners: Value| answered("/repos/acme/shop/actions/runners", &json!({ "runners": runners }));
    let group = |public: bool, visibility: &str| {
        let group = json!({ "id": 4, "visibility": visibility, "allows_public_repositories": public });
        answered("/orgs/acme/actions/runner-groups", &json!({ "runner_groups": [group] }))
    };
    let selected = |name: &str| {
        let path = "/orgs/acme/actions/runner-groups/4/repositories";
        answered(path, &json!({ "repositories": [{ "full_name": name }] }))
    };
    let (yes, no, unknown) = (Fact::Known(true), Fact::Known(false), Fact::Unknown);
    for (on, more, expected) in [
        ("pull_request", vec![policy("first_time_contributors")], &yes),
        ("[push, pull_request]", vec![policy("all_external_contributors")], &no),
        ("pull_request", vec![], &unknown),
        ("[pull_request, issue_comment]", vec![policy("all_external_contributors")], &yes),
        ("pull_request_target", vec![policy("all_external_contributors")], &yes),
        ("push", vec![], &no),
        ("issues", vec![], &yes),
        ("issues", vec![shared.clone(), own(json!([])), group(false, "all")], &no),
        ("issues", vec![shared.clone(), group(false, "all")], &unknown),
        ("issues", vec![shared.clone(), own(json!([runner()])), group(false, "all")], &yes),
        ("issues", vec![shared.clone(), own(json!([])), group(true, "all")], &yes),
        ("issues", vec![shared.clone(), own(json!([])), group(true, "selected")], &unknown),
        ("issues", vec![shared.clone(), own(json!([])), group(true, "selected"), selected("Acme/Shop")], &yes),
        ("issues", vec![shared.clone(), own(json!([])), group(true, "selected"), selected("acme/till")], &no),
        ("issues", vec![shared.clone(), own(json!([]))], &unknown),
        ("issues", vec![group(false, "all")], &unknown),
    ] {
        let text = format!("on: {on}\njobs: {{do: {{runs-on: self-hosted, steps: [{{run: make}}]}}}}\n");
        let reading = with_workflow(&text, &[vec![site.clone()], more.clone()].concat());
        let job = reading.inventory.workloads.iter().find(|held| held.identity.as_str() == JOB).unwrap();
        assert_eq!(&job.exposed, expected, "{on} {more:?}");
    }
}

#[test]
fn a_job_gets_machines_of_the_group_that_it_names_and_of_groups_that_take_its_file() {
    const FILE: &str = "acme/shop/.github/workflows/ci.yml";
    let site = answered(
        "/repos/acme/shop",
        &json!({ "name": "shop", "full_name": "acme/shop", "default_branch": "main", "visibility": "public" }),
    );
    let runner = |id: u64, group: u64| {
        let labels = json!([{ "name": "self-hosted" }]);
        json!({ "id": id, "name": format!("r{id}"), "runner_group_id": group, "labels": labels })
    };
    let none = answered("/repos/acme/shop/actions/runners", &json!({ "runners": [] }));
    let machines = answered("/orgs/acme/actions/runners", &json!({ "runners": [runner(1, 4), runner(2, 5)] }));
    // Two groups: `farm`, of which each row tells something, and `open`.
    let groups = |more: Value| {
        let mut farm = json!({ "id": 4, "name": "farm", "visibility": "all", "allows_public_repositories": true });
        for (key, value) in more.as_object().unwrap() {
            farm[key] = value.clone();
        }
        let open = json!({ "id": 5, "name": "open", "visibility": "all", "allows_public_repositories": true });
        answered("/orgs/acme/actions/runner-groups", &json!({ "runner_groups": [farm, open] }))
    };
    let other = answered(
        "/orgs/acme/actions/runner-groups/4/repositories",
        &json!({ "repositories": [{ "full_name": "acme/till" }] }),
    );
    let listed = |files: Value| json!({ "restricted_to_workflows": true, "selected_workflows": files });
    let (yes, no, unknown) = (Fact::Known(true), Fact::Known(false), Fact::Unknown);
    for (on, runs_on, more, kind, expected) in [
        ("issues", "{group: Farm}", json!({}), "self_hosted_job", &yes),
        ("issues", "{group: farm, labels: [self-hosted]}", json!({}), "self_hosted_job", &yes),
        ("issues", "{group: org/farm}", json!({}), "self_hosted_job", &yes),
        ("issues", "{group: organization/Farm}", json!({ "visibility": "selected" }), "self_hosted_job", &no),
        // A group of the enterprise's is none of the organisation's.
        ("issues", "{group: ent/farm, labels: [self-hosted]}", json!({}), "self_hosted_job", &unknown),
        ("issues", "{group: enterprise/farm}", json!({ "visibility": "selected" }), "workflow_job", &yes),
        // The other group is open, and is not asked for.
        ("issues", "{group: farm}", json!({ "visibility": "selected" }), "self_hosted_job", &no),
        ("issues", "self-hosted", json!({ "visibility": "selected" }), "self_hosted_job", &yes),
        // A group of private repositories is none of a public one's, whatever it allows.
        ("issues", "{group: farm}", json!({ "visibility": "private" }), "self_hosted_job", &no),
        // What is in it may be of GitHub's, or made for the job.
        ("issues", "{group: farm, labels: [big]}", json!({}), "workflow_job", &yes),
        ("issues", "{group: '${{ vars.GROUP }}'}", json!({}), "workflow_job", &yes),
        // Files that a group lists, each at a reference.
        ("issues", "{group: farm}", listed(json!([])), "self_hosted_job", &no),
        ("issues", "{group: farm}", listed(json!([format!("{FILE}@main")])), "self_hosted_job", &yes),
        ("issues", "{group: farm}", listed(json!([format!("{FILE}@refs/heads/main")])), "self_hosted_job", &yes),
        ("issues", "{group: farm}", listed(json!([format!("{FILE}@v1")])), "self_hosted_job", &unknown),
        (
            "issues",
            "{group: farm}",
            listed(json!(["acme/infra/.github/workflows/ci.yml@main"])),
            "self_hosted_job",
            &no,
        ),
        ("issues", "{group: farm}", listed(Value::Null), "self_hosted_job", &unknown),
        ("pull_request_review", "{group: farm}", listed(json!([format!("{FILE}@main")])), "self_hosted_job", &unknown),
        // A list that is switched off does not count.
        (
            "issues",
            "{group: farm}",
            json!({ "restricted_to_workflows": false, "selected_workflows": [] }),
            "self_hosted_job",
            &yes,
        ),
    ] {
        let text = format!("on: {on}\njobs: {{do: {{runs-on: {runs_on}, steps: [{{run: make}}]}}}}\n");
        let answers = [site.clone(), none.clone(), machines.clone(), groups(more.clone()), other.clone()];
        let reading = with_workflow(&text, &answers);
        let job = reading.inventory.workloads.iter().find(|held| held.identity.as_str() == JOB).unwrap();
        assert_eq!((&*job.kind, &job.exposed), (kind, expected), "{on} {runs_on} {more}");
    }
}
