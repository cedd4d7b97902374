//! Whole readings: answers in, identities, access and controls out.

use std::sync::Arc;

use evenhand_model::access::{Outcome, Request};
use evenhand_model::control::{ControlKind, Way};
use evenhand_model::document::{Document, FileFacts, Format, Head, ReadError};
use evenhand_model::evidence::{Fact, Truth};
use evenhand_model::gap::GapKind;
use evenhand_model::identity::{Nature, judge};
use evenhand_model::provider::{Provider, ReadOptions, Reading};
use evenhand_model::secret::Fingerprinter;
use serde_json::{Value, json};

use crate::Github;

fn document(path: &str, text: &str) -> Document {
    let top: Vec<Value> = serde_json::Deserializer::from_str(text).into_iter().map(Result::unwrap).collect();
    let keys = |value: &Value| value.as_object().map(|held| held.keys().cloned().collect()).unwrap_or_default();
    let first = top.first().unwrap_or(&Value::Null);
    let mut head = Head { keys: keys(first), ..Head::default() };
    for (key, value) in first.as_object().into_iter().flatten() {
        if let Some(text) = value.as_str() {
            head.values.push((key.clone(), text.to_owned()));
        }
        if let Some(element) = value.as_array().and_then(|list| list.first()) {
            head.elements.push((key.clone(), keys(element)));
        }
    }
    Document {
        path: Arc::from(path),
        relative: Arc::from(path),
        source_name: Arc::from("capture"),
        format: if top.len() > 1 { Format::Ndjson } else { Format::Json },
        text: text.to_owned(),
        head,
        file: FileFacts::default(),
    }
}

fn read_documents(documents: Vec<Document>, settings: &[(&str, &str)]) -> (Reading, Vec<ReadError>) {
    let settings = settings.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    let options = ReadOptions {
        now: "2026-12-01T00:00:00Z".parse().unwrap(),
        fingerprinter: Fingerprinter::keyed("test"),
        settings,
    };
    let mut reader = Github.reader(options);
    let mut errors = Vec::new();
    for document in documents {
        assert!(Github.recognise(&document).is_some(), "{}", document.path);
        errors.extend(reader.read(document).err().into_iter().flatten());
    }
    (reader.finish(), errors)
}

fn answered(path: &str, response: &Value) -> Value {
    json!({ "host": "github.com", "path": path, "response": response })
}

fn read(answers: &[Value]) -> Reading {
    let text: String = answers.iter().map(|answer| format!("{answer}\n")).collect();
    let (reading, errors) = read_documents(vec![document("github/org.ndjson", &text)], &[]);
    assert_eq!(errors, []);
    reading
}

/// An organisation with one repository, an app of number 7 that may write to it, a job, a key and two people.
fn organisation(app: &Value, job: &str) -> Vec<Value> {
    let workflow = format!("on: push\njobs: {{do: {{runs-on: x, permissions: {job}, steps: [{{run: make}}]}}}}\n");
    let person = |login: &str, id: u64| json!({ "login": login, "id": id, "type": "User" });
    vec![
        answered("/orgs/acme", &json!({ "login": "acme", "default_repository_permission": "none" })),
        answered("/orgs/acme/members", &json!([person("ann", 11), person("bob", 12), person("root", 13)])),
        answered("/orgs/acme/members?role=admin", &json!([person("root", 13)])),
        answered(
            "/orgs/acme/teams",
            &json!([
                { "id": 61, "slug": "web", "name": "Web", "parent": { "slug": "all" } },
                { "id": 60, "slug": "all", "name": "All", "parent": null }
            ]),
        ),
        answered("/orgs/acme/teams/web/members", &json!([person("ann", 11)])),
        answered("/orgs/acme/teams/all/members", &json!([])),
        answered("/orgs/acme/teams/web/repos", &json!([{ "full_name": "acme/shop", "role_name": "write" }])),
        answered("/orgs/acme/teams/all/repos", &json!([])),
        answered(
            "/orgs/acme/installations",
            &json!({ "installations": [
                { "id": 1, "app_id": 7, "app_slug": "deliverer", "repository_selection": "all", "permissions": app }
            ]}),
        ),
        answered(
            "/repos/acme/shop",
            &json!({
                "name": "shop", "full_name": "acme/shop", "default_branch": "main", "visibility": "private"
            }),
        ),
        answered(
            "/repos/acme/shop/collaborators",
            &json!([
                { "login": "ann", "id": 11, "role_name": "write" },
                { "login": "bob", "id": 12, "role_name": "maintain" },
                { "login": "root", "id": 13, "role_name": "admin" }
            ]),
        ),
        answered("/repos/acme/shop/keys", &json!([{ "id": 5, "title": "sync", "read_only": false }])),
        answered("/repos/acme/shop/contents/.github/workflows", &json!([{ "path": ".github/workflows/ci.yml" }])),
        answered("/repos/acme/shop/contents/.github/workflows/ci.yml", &json!({ "content": workflow })),
        answered(
            "/repos/acme/shop/actions/permissions/workflow",
            &json!({
                "default_workflow_permissions": "read", "can_approve_pull_request_reviews": false
            }),
        ),
    ]
}

fn ruled(bypass: &Value) -> Vec<Value> {
    let mut ruleset = json!({ "id": 9, "name": "main", "enforcement": "active", "source_type": "Repository" });
    if !bypass.is_null() {
        ruleset["bypass_actors"] = bypass.clone();
    }
    vec![
        answered(
            "/repos/acme/shop/rules/branches/main",
            &json!([{
                "type": "pull_request", "ruleset_id": 9, "ruleset_source_type": "Repository",
                "parameters": { "required_approving_review_count": 1 }
            }]),
        ),
        answered("/repos/acme/shop/rulesets/9", &ruleset),
        json!({ "host": "github.com", "path": "/repos/acme/shop/branches/main/protection",
            "error": { "code": "404 Branch not protected" } }),
    ]
}

const APP: &str = "github:acme:app:deliverer";
const KEY: &str = "github:acme:deploy_key:shop/5";
const JOB: &str = "github:acme:job:shop/ci/do";
const TEAM: &str = "github:acme:team:web";

/// Whether an identity is stopped by a review before the default branch, and how it gets past.
fn approval(reading: &Reading, identity: &str) -> Option<(Truth, Option<Way>)> {
    let mut found =
        reading.inventory.controls.iter().filter(|control| {
            control.kind == ControlKind::SecondPersonApproval && control.identity.as_str() == identity
        });
    let control = found.next()?;
    assert!(found.next().is_none() && control.scope.to_string() == "acme/shop/*", "{identity}");
    Some((control.in_place, control.way))
}

#[test]
fn every_kind_of_bypass_actor_lets_past_whom_it_stands_for_and_nobody_else() {
    const STOPPED: (Truth, Option<Way>) = (Truth::Yes, None);
    const LISTED: (Truth, Option<Way>) = (Truth::No, Some(Way::Listed));
    const OPEN: (Truth, Option<Way>) = (Truth::Unknown, Some(Way::Untold));
    let user = "github:acme:user:bob";
    for (actor, past) in [
        (json!({ "actor_type": "Integration", "actor_id": 7, "bypass_mode": "always" }), vec![(APP, LISTED)]),
        (json!({ "actor_type": "Integration", "actor_id": 7, "bypass_mode": "pull_request" }), vec![(APP, LISTED)]),
        (
            json!({ "actor_type": "Integration", "actor_id": 7, "bypass_mode": "exempt" }),
            vec![(APP, (Truth::No, Some(Way::Unrecorded)))],
        ),
        (json!({ "actor_type": "Integration", "actor_id": 15368 }), vec![(JOB, LISTED)]),
        (json!({ "actor_type": "Integration", "actor_id": 8 }), vec![]),
        (json!({ "actor_type": "Integration", "actor_id": null }), vec![]),
        (json!({ "actor_type": "DeployKey", "actor_id": null }), vec![(KEY, LISTED)]),
        (json!({ "actor_type": "User", "actor_id": 12 }), vec![(user, LISTED)]),
        // A team of which it is a part.
        (json!({ "actor_type": "Team", "actor_id": 60 }), vec![(TEAM, LISTED)]),
        (json!({ "actor_type": "Team", "actor_id": 61 }), vec![(TEAM, LISTED)]),
        // Exactly this role; whether a higher one is let past is not known.
        (json!({ "actor_type": "RepositoryRole", "actor_id": 4 }), vec![(TEAM, LISTED), (user, OPEN)]),
        (json!({ "actor_type": "RepositoryRole", "actor_id": 2 }), vec![(user, LISTED)]),
        (json!({ "actor_type": "RepositoryRole", "actor_id": 5 }), vec![]),
        (json!({ "actor_type": "OrganizationAdmin", "actor_id": 1 }), vec![]),
        // Only people may own the enterprise.
        (json!({ "actor_type": "EnterpriseOwner", "actor_id": null }), vec![(user, OPEN)]),
        (json!({ "actor_type": "EnterpriseRole", "actor_id": 3 }), vec![(user, OPEN)]),
        (
            json!({ "actor_type": "Unheard", "actor_id": 3 }),
            vec![(APP, OPEN), (KEY, OPEN), (JOB, OPEN), (TEAM, OPEN), (user, OPEN)],
        ),
    ] {
        let answers = [organisation(&json!({ "contents": "write" }), "write-all"), ruled(&json!([actor]))].concat();
        let reading = read(&answers);
        for identity in [APP, KEY, JOB, TEAM, user] {
            let expected = past.iter().find(|(held, _)| *held == identity).map_or(STOPPED, |(_, faced)| *faced);
            assert_eq!(approval(&reading, identity), Some(expected), "{identity} by {actor}");
        }
    }
}

#[test]
fn owners_are_let_past_where_owners_are_named_and_by_changing_the_gate() {
    for bypass in [json!([{ "actor_type": "OrganizationAdmin", "actor_id": 1 }]), json!([])] {
        let reading = read(&[organisation(&json!({}), "{}"), ruled(&bypass)].concat());
        let (stopped, way) = approval(&reading, "github:acme:user:root").unwrap();
        let expected = if bypass == json!([]) { Way::Changes } else { Way::Listed };
        assert_eq!((stopped, way), (Truth::No, Some(expected)));
    }
}

#[test]
fn what_is_withheld_or_was_not_read_is_unknown_and_what_is_not_there_stops_nobody() {
    let organisation = || organisation(&json!({ "contents": "write" }), "write-all");
    let withheld = read(&[organisation(), ruled(&Value::Null)].concat());
    assert_eq!(approval(&withheld, APP), Some((Truth::Unknown, Some(Way::Untold))));
    let mut unread = ruled(&json!([]));
    unread.remove(0);
    assert_eq!(approval(&read(&[organisation(), unread].concat()), APP), Some((Truth::Unknown, Some(Way::Untold))));
    let mut open = ruled(&json!([]));
    open[0]["response"] = json!([]);
    assert_eq!(approval(&read(&[organisation(), open].concat()), APP), None);
    let mut other = ruled(&json!([]));
    other[2]["error"]["code"] = json!("403 Resource not accessible by integration");
    // The ruleset stops it whatever the protection says.
    assert_eq!(approval(&read(&[organisation(), other].concat()), APP), Some((Truth::Yes, None)));
}

#[test]
fn whoever_may_change_a_gate_is_not_stopped_by_it() {
    let reading = |app: Value, source: &str| {
        let mut gates = ruled(&json!([]));
        gates[0]["response"][0]["ruleset_source_type"] = json!(source);
        approval(&read(&[organisation(&app, "{}"), gates].concat()), APP).unwrap().0
    };
    let repository = json!({ "contents": "write", "administration": "write" });
    let organisation = json!({ "contents": "write", "organization_administration": "write" });
    for (app, source, stopped) in [
        (&repository, "Repository", Truth::No),
        (&repository, "Organization", Truth::Yes),
        (&organisation, "Organization", Truth::No),
        (&organisation, "Enterprise", Truth::Yes),
    ] {
        assert_eq!(reading(app.clone(), source), stopped, "{app} {source}");
    }
}

#[test]
fn a_job_that_may_approve_is_no_proof_of_a_review() {
    for (may, expected) in [(Some(true), Some(Way::Satisfies)), (None, Some(Way::Untold)), (Some(false), None)] {
        let mut answers = [organisation(&json!({}), "write-all"), ruled(&json!([]))].concat();
        let at = answers
            .iter()
            .position(|answer| answer["path"].as_str().unwrap().ends_with("permissions/workflow"))
            .unwrap();
        answers[at]["response"] =
            json!({ "default_workflow_permissions": "read", "can_approve_pull_request_reviews": may });
        assert_eq!(approval(&read(&answers), JOB).unwrap().1, expected, "{may:?}");
    }
}

#[test]
fn classic_protection_lets_past_by_allowance_by_rank_and_by_the_list_of_who_may_push() {
    let classic = |protection: Value| {
        let mut answers = organisation(&json!({ "contents": "write" }), "write-all");
        answers.push(answered("/repos/acme/shop/rules/branches/main", &json!([])));
        answers.push(answered("/repos/acme/shop/branches/main/protection", &protection));
        read(&answers)
    };
    let reviews = |allowed: Value, enforced: bool| {
        json!({
            "required_pull_request_reviews": { "required_approving_review_count": 2, "bypass_pull_request_allowances": allowed },
            "enforce_admins": { "enabled": enforced }
        })
    };
    let none = || json!({ "users": [], "teams": [], "apps": [] });
    let root = "github:acme:user:root";
    for (protection, identity, expected) in [
        (reviews(none(), true), APP, (Truth::Yes, None)),
        (reviews(json!({ "apps": [{ "slug": "deliverer" }] }), true), APP, (Truth::No, Some(Way::Listed))),
        (reviews(json!({ "teams": [{ "slug": "all" }] }), true), TEAM, (Truth::No, Some(Way::Listed))),
        (
            reviews(json!({ "users": [{ "login": "Bob" }] }), true),
            "github:acme:user:bob",
            (Truth::No, Some(Way::Listed)),
        ),
        (reviews(none(), false), root, (Truth::No, Some(Way::Unenforced))),
        (reviews(none(), true), root, (Truth::No, Some(Way::Changes))),
        (reviews(none(), false), APP, (Truth::Yes, None)),
    ] {
        assert_eq!(approval(&classic(protection.clone()), identity), Some(expected), "{identity} {protection}");
    }
    let reading = classic(
        json!({ "restrictions": { "apps": [{ "slug": "deliverer" }] }, "enforce_admins": { "enabled": true } }),
    );
    let gate = |identity: &str| {
        let found = reading
            .inventory
            .controls
            .iter()
            .find(|control| control.kind == ControlKind::ChangeGate && control.identity.as_str() == identity);
        found.map(|control| control.in_place)
    };
    assert_eq!((gate(APP), gate(TEAM)), (Some(Truth::No), Some(Truth::Yes)));
    assert_eq!(approval(&reading, APP), None, "nobody reviews");
}

fn outcome(reading: &Reading, identity: &str, operation: &str, resource: Option<&str>) -> Outcome {
    let request = Request {
        identity: identity.to_owned(),
        operation: operation.to_owned(),
        resource: resource.map(str::to_owned),
        context: Default::default(),
    };
    reading.resolver.as_ref().unwrap().decide(&identity.into(), &request).unwrap().outcome
}

#[test]
fn access_follows_roles_teams_tokens_keys_and_blocks() {
    let mut answers =
        organisation(&json!({ "contents": "read", "issues": "write" }), "{contents: read, id-token: write}");
    answers.push(answered("/orgs/acme/credential-authorizations", &json!([
        { "login": "ann", "credential_id": 1, "credential_type": "personal access token", "scopes": ["repo"] },
        { "login": "root", "credential_id": 2, "credential_type": "personal access token", "scopes": ["repo", "admin:org"] }
    ])));
    answers.push(answered(
        "/orgs/acme/personal-access-tokens",
        &json!([{
            "id": 3, "owner": { "login": "ann" }, "repository_selection": "all", "token_name": "t",
            "permissions": { "repository": { "contents": "write", "administration": "write" } }
        }]),
    ));
    let reading = read(&answers);
    let (shop, other) = (Some("acme/shop"), Some("acme/other"));
    for (identity, operation, resource, expected) in [
        (APP, "git/fetch", other, Outcome::Allowed),
        (APP, "git/push", shop, Outcome::ImplicitlyDenied),
        (APP, "issues create-comment", shop, Outcome::Allowed),
        (KEY, "git/push-workflow-files", shop, Outcome::Allowed),
        (KEY, "git/push", other, Outcome::ImplicitlyDenied),
        (JOB, "git/fetch", Some("ACME/Shop"), Outcome::Allowed),
        (JOB, "git/push", shop, Outcome::ImplicitlyDenied),
        (TEAM, "git/push", shop, Outcome::Allowed),
        ("github:acme:user:ann", "git/push", shop, Outcome::Allowed),
        ("github:acme:user:ann", "git/fetch", other, Outcome::ImplicitlyDenied),
        ("github:acme:user:root", "repos/delete", other, Outcome::Allowed),
        // A token opens no more than its owner may do.
        ("github:acme:token:ann/1", "git/push", shop, Outcome::Allowed),
        ("github:acme:token:ann/1", "repos/create-deploy-key", shop, Outcome::ImplicitlyDenied),
        ("github:acme:token:root/2", "repos/create-deploy-key", other, Outcome::Allowed),
        ("github:acme:token:root/2", "orgs/set-membership-for-user", None, Outcome::Allowed),
        ("github:acme:token:3", "git/push", shop, Outcome::Allowed),
        ("github:acme:token:3", "git/push", other, Outcome::ImplicitlyDenied),
        ("github:acme:token:3", "repos/create-deploy-key", shop, Outcome::ImplicitlyDenied),
    ] {
        assert_eq!(outcome(&reading, identity, operation, resource), expected, "{identity} {operation} {resource:?}");
    }
    let resolver = reading.resolver.as_ref().unwrap();
    assert_eq!(resolver.is_admin(&"github:acme:user:root".into()), Some(true));
    assert_eq!(resolver.is_admin(&APP.into()), Some(false));
    let edges = resolver.edges();
    let escalation = |source: &str| edges.iter().filter(|edge| edge.source.as_str() == source).count();
    assert_eq!((escalation(KEY), escalation(APP)), (1, 0), "the key may rewrite the job that clouds trust");
}

#[test]
fn what_a_default_gives_is_unknown_where_the_default_was_not_read() {
    let mut answers = organisation(&json!({}), "null");
    for answer in &mut answers {
        if answer["path"].as_str().unwrap().ends_with("ci.yml") {
            answer["response"]["content"] = json!("on: push\njobs: {do: {runs-on: x, steps: [{run: make}]}}\n");
        }
    }
    let push = |answers: &[Value]| outcome(&read(answers), JOB, "git/push", Some("acme/shop"));
    assert_eq!(push(&answers), Outcome::ImplicitlyDenied, "the default is to read");
    answers.retain(|answer| !answer["path"].as_str().unwrap().ends_with("permissions/workflow"));
    assert_eq!(push(&answers), Outcome::Unknown);
}

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
fn no_value_of_a_variable_or_tool_server_is_kept() {
    const CANARY: &str = "c4nary-Zx81-correct-horse";
    let mut answers = organisation(&json!({}), "{}");
    answers.push(answered(
        "/repos/acme/shop/actions/variables",
        &json!({ "variables": [
            { "name": "DEPLOY_PASSWORD", "value": CANARY }, { "name": "REGION", "value": "eu" }
        ]}),
    ));
    answers.push(answered("/orgs/acme/copilot/coding-agent/permissions", &json!({ "enabled_repositories": "all" })));
    answers.push(answered("/repos/acme/shop/copilot/cloud-agent/configuration", &json!({
        "mcp_configuration": { "mcpServers": { "erp": { "env": { "TOKEN": CANARY } } } }, "is_firewall_enabled": false
    })));
    let reading = read(&answers);
    assert!(!format!("{:?}", reading.inventory).contains(CANARY));
    let found: Vec<_> = reading.inventory.credentials.iter().filter(|held| held.fingerprint.is_some()).collect();
    assert_eq!(found.len(), 1, "the region is no secret");
    let agent = reading.inventory.workloads.iter().find(|held| &*held.kind == "coding_agent").unwrap();
    assert_eq!(agent.surroundings.egress_restricted, Fact::Known(false));
}

#[test]
fn what_was_refused_is_a_gap_that_names_the_permission_and_a_plan_is_no_failure() {
    let mut answers = organisation(&json!({}), "{}");
    let refused = |path: &str, code: &str, accepted: Option<&str>| {
        let error = json!({ "code": code, "kind": "refused" });
        json!({ "host": "github.com", "path": path, "error": error, "accepted": accepted })
    };
    answers.push(refused(
        "/orgs/acme/hooks",
        "403 Resource not accessible by integration",
        Some("organization_hooks=read"),
    ));
    answers.push(refused("/orgs/acme/custom-repository-roles", "404 Not Found", None));
    answers.push(refused("/repos/acme/shop/hooks", "403 Forbidden", None));
    let reading = read(&answers);
    let gap = |call: &str| reading.inventory.gaps.iter().find(|gap| &*gap.call == call).unwrap();
    let hooks = gap("/orgs/{org}/hooks");
    assert!(hooks.kind == GapKind::Failed && hooks.reason.contains("organization_hooks=read"), "{hooks:?}");
    assert_eq!(gap("/orgs/{org}/custom-repository-roles").kind, GapKind::NotCollected);
    assert!(gap("/repos/{owner}/{repo}/hooks").reason.contains("in shop"));
    assert_eq!(gap("/orgs/{org}/personal-access-tokens").kind, GapKind::NotCollected, "nobody asked");
}

#[test]
fn bare_answers_say_the_same_as_those_with_their_question() {
    let answers = [organisation(&json!({ "contents": "write" }), "{}"), ruled(&json!([]))].concat();
    let bare = answers.iter().filter(|answer| answer.get("response").is_some()).map(|answer| {
        let path = answer["path"].as_str().unwrap();
        document(&format!("capture/github{path}.json"), &answer["response"].to_string())
    });
    let (reading, errors) = read_documents(bare.collect(), &[]);
    assert_eq!(errors, []);
    let ids = |reading: &Reading| -> Vec<String> {
        reading.inventory.identities.iter().map(|identity| identity.id.to_string()).collect()
    };
    assert_eq!(ids(&reading), ids(&read(&answers)));
    // The refusal that says that nothing protects the branch has no bare form; the ruleset stops it all the same.
    assert_eq!(approval(&reading, APP), Some((Truth::Yes, None)));
}

#[test]
fn an_element_of_another_form_is_an_error_and_costs_no_other() {
    let answer = answered("/repos/acme/shop/keys", &json!([{ "id": "no number" }, { "id": 5, "title": "sync" }]));
    let (reading, errors) = read_documents(vec![document("x.json", &answer.to_string())], &[]);
    let [error] = errors.as_slice() else { panic!("{errors:?}") };
    assert_eq!(error.document, "x.json#/response/0");
    assert!(reading.inventory.identities.iter().any(|identity| identity.id.as_str() == KEY));
    assert!(reading.inventory.gaps.iter().any(|gap| gap.kind == GapKind::Failed));
}

#[test]
fn machine_users_are_told_by_the_configuration() {
    let text: String = organisation(&json!({}), "{}").iter().map(|answer| format!("{answer}\n")).collect();
    let (reading, _) = read_documents(vec![document("x.ndjson", &text)], &[("machine_users", "Bob, eve")]);
    let nature = |login: &str| {
        let id = format!("github:acme:user:{login}");
        judge(&reading.inventory.identities.iter().find(|held| held.id.as_str() == id).unwrap().signals).nature
    };
    assert_eq!((nature("ann"), nature("bob")), (Nature::Human, Nature::Workload));
}
