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
fn the_coding_agent_is_known_by_the_number_of_its_installation() {
    let agent = "github:acme:app:copilot-swe-agent";
    let bypass = json!([{ "actor_type": "Integration", "actor_id": 1_143_301, "bypass_mode": "always" }]);
    for (number, expected) in [
        (json!(1_143_301), (Truth::No, Some(Way::Listed))),
        (json!(8), (Truth::Yes, None)),
        (Value::Null, (Truth::Unknown, Some(Way::Untold))),
    ] {
        let mut answers = [organisation(&json!({}), "{}"), ruled(&bypass)].concat();
        let on = json!({ "enabled_repositories": "all" });
        answers.push(answered("/orgs/acme/copilot/coding-agent/permissions", &on));
        let installation = json!({ "id": 2, "app_id": number, "app_slug": "copilot-swe-agent" });
        answers.push(answered("/orgs/acme/installations", &json!({ "installations": [installation] })));
        assert_eq!(approval(&read(&answers), agent), Some(expected), "{number}");
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
    let allowed = json!({ "apps": [{ "slug": "deliverer" }] });
    for (checks, expected) in [(Value::Null, Truth::No), (json!({ "contexts": ["build"] }), Truth::Yes)] {
        let mut protection = reviews(allowed.clone(), true);
        protection["required_status_checks"] = checks;
        let reading = classic(protection);
        let mut gates = reading.inventory.controls.iter();
        let gate = gates.find(|held| held.kind == ControlKind::ChangeGate && held.identity.as_str() == APP);
        assert_eq!(gate.unwrap().in_place, expected, "an allowance excuses from no check");
        assert_eq!(approval(&reading, APP), Some((Truth::No, Some(Way::Listed))));
    }
}

#[test]
fn a_role_that_bypasses_protections_is_let_past_where_it_is_held_and_they_are_not_enforced() {
    let role = |words: &[&str]| json!({ "custom_roles": [{ "id": 70, "name": "releaser", "base_role": "write", "permissions": words }] });
    let past = |words: &[&str], enforced: Value, team: &str| {
        let mut answers = organisation(&json!({}), "{}");
        for answer in &mut answers {
            if answer["path"] == "/orgs/acme/teams/web/repos" {
                answer["response"][0]["role_name"] = json!(team);
            }
        }
        answers.push(answered("/orgs/acme/custom-repository-roles", &role(words)));
        answers.push(answered("/repos/acme/shop/rules/branches/main", &json!([])));
        let mut protection = json!({ "required_pull_request_reviews": { "required_approving_review_count": 1 } });
        protection["enforce_admins"] = enforced;
        answers.push(answered("/repos/acme/shop/branches/main/protection", &protection));
        let reading = read(&answers);
        [TEAM, "github:acme:user:ann", "github:acme:repository_role:releaser"]
            .map(|who| approval(&reading, who).unwrap())
    };
    let (off, on) = (json!({ "enabled": false }), json!({ "enabled": true }));
    let bypass: &[&str] = &["bypass_branch_protection"];
    let (stopped, unenforced) = ((Truth::Yes, None), (Truth::No, Some(Way::Unenforced)));
    assert_eq!(past(bypass, off.clone(), "releaser"), [unenforced; 3]);
    assert_eq!(past(bypass, on, "releaser"), [stopped; 3]);
    assert_eq!(past(bypass, Value::Null, "releaser"), [(Truth::Unknown, Some(Way::Untold)); 3]);
    assert_eq!(past(&["manage_webhooks"], off.clone(), "releaser"), [stopped; 3]);
    assert_eq!(past(bypass, off, "write"), [stopped, stopped, unenforced], "nobody of the team holds the role");
}

#[test]
fn whoever_holds_a_role_that_was_not_read_is_not_known_to_be_stopped() {
    let with = |role: &str, gates: Vec<Value>| {
        let mut answers = [organisation(&json!({ "contents": "write" }), "{}"), gates].concat();
        for answer in &mut answers {
            if answer["path"] == "/orgs/acme/teams/web/repos" {
                answer["response"][0]["role_name"] = json!(role);
            }
        }
        let reading = read(&answers);
        [TEAM, "github:acme:user:ann", "github:acme:user:bob", APP].map(|who| approval(&reading, who).unwrap())
    };
    let classic = || {
        let protection = json!({ "required_pull_request_reviews": { "required_approving_review_count": 1 },
            "enforce_admins": { "enabled": true } });
        vec![
            answered("/repos/acme/shop/rules/branches/main", &json!([])),
            answered("/repos/acme/shop/branches/main/protection", &protection),
        ]
    };
    let (stopped, open) = ((Truth::Yes, None), (Truth::Unknown, Some(Way::Untold)));
    for gates in [ruled(&json!([])), classic()] {
        assert_eq!(with("releaser", gates.clone()), [open, open, stopped, stopped]);
        assert_eq!(with("write", gates), [stopped; 4]);
    }
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
fn repositories_are_the_same_however_an_answer_spells_them() {
    let mut answers = [organisation(&json!({}), "{}"), ruled(&json!([]))].concat();
    for answer in &mut answers {
        if answer["path"] == "/orgs/acme/teams/web/repos" {
            answer["response"][0]["full_name"] = json!("Acme/Shop");
        }
    }
    let reading = read(&answers);
    assert_eq!(outcome(&reading, TEAM, "git/push", Some("acme/shop")), Outcome::Allowed);
    assert_eq!(approval(&reading, TEAM), Some((Truth::Yes, None)));
}

#[test]
fn where_members_were_not_read_nobody_is_called_one_and_teams_count_all_the_same() {
    let bypass = json!([{ "actor_type": "Team", "actor_id": 62 }]);
    let mut answers = [organisation(&json!({}), "{}"), ruled(&bypass)].concat();
    answers.push(answered("/orgs/acme/teams/web/members", &json!([{ "login": "Eve", "id": 14 }])));
    answers.push(answered(
        "/orgs/acme/personal-access-tokens",
        &json!([{
            "id": 3, "owner": { "login": "eve" }, "repository_selection": "all",
            "permissions": { "repository": { "contents": "write" } }
        }]),
    ));
    let whole = read(&answers);
    answers.retain(|answer| answer["path"] != "/orgs/acme/members");
    let reading = read(&answers);
    let of = |reading: &Reading, login: &str| {
        let id = format!("github:acme:user:{login}");
        let found = reading.inventory.identities.iter().find(|held| held.id.as_str() == id).unwrap();
        (found.kind, found.third_party)
    };
    assert_eq!(of(&whole, "ann"), ("member", Fact::Known(false)));
    assert_eq!(of(&reading, "ann"), ("collaborator", Fact::Unknown));
    assert_eq!(of(&reading, "root"), ("member", Fact::Known(false)), "owners are members");
    // What a team gives is held, and there may be more.
    assert_eq!(outcome(&reading, "github:acme:user:ann", "git/push", Some("acme/shop")), Outcome::Allowed);
    assert_eq!(outcome(&reading, "github:acme:user:ann", "git/push", Some("acme/other")), Outcome::Unknown);
    assert_eq!(outcome(&whole, "github:acme:token:3", "git/push", Some("acme/shop")), Outcome::Allowed);
    assert_eq!(approval(&reading, "github:acme:user:bob"), Some((Truth::Unknown, Some(Way::Untold))));
    assert_eq!(approval(&whole, "github:acme:user:bob"), Some((Truth::Yes, None)));
}

#[test]
fn the_list_of_members_without_a_second_factor_tells_nothing_of_others() {
    let factors = |demanded: Value| {
        let mut answers = organisation(&json!({}), "{}");
        answers[0]["response"]["two_factor_requirement_enabled"] = demanded;
        let outside = json!([{ "login": "guest", "id": 20 }]);
        answers.push(answered("/orgs/acme/outside_collaborators", &outside));
        answers.push(answered("/orgs/acme/members?filter=2fa_disabled", &json!([{ "login": "bob", "id": 12 }])));
        let reading = read(&answers);
        ["ann", "bob", "root", "guest"].map(|login| {
            let id = format!("github:acme:user:{login}");
            let mut controls = reading.inventory.controls.iter();
            controls.find(|held| held.kind == ControlKind::Mfa && held.identity.as_str() == id).unwrap().in_place
        })
    };
    assert_eq!(factors(json!(false)), [Truth::Yes, Truth::No, Truth::Yes, Truth::Unknown]);
    assert_eq!(factors(json!(true)), [Truth::Yes; 4]);
}

#[test]
fn scopes_of_classic_tokens_for_public_repositories_and_for_deleting_are_scopes_of_their_own() {
    let token = |scopes: &[&str], listed: bool, visibility: Value| {
        let mut answers = organisation(&json!({}), "{}");
        let named = |name: &str, visibility: Value| json!({ "name": name, "full_name": format!("acme/{name}"), "visibility": visibility });
        answers.push(answered("/repos/acme/site", &named("site", json!("public"))));
        answers.push(answered("/repos/acme/new", &named("new", visibility)));
        if listed {
            answers.push(answered("/orgs/acme/repos", &json!([])));
        }
        let kind = "personal access token";
        answers.push(answered(
            "/orgs/acme/credential-authorizations",
            &json!([
                { "login": "root", "credential_id": 2, "credential_type": kind, "scopes": scopes }
            ]),
        ));
        read(&answers)
    };
    let asked = |reading: &Reading, operation: &str, name: &str| {
        outcome(reading, "github:acme:token:root/2", operation, Some(name))
    };
    use Outcome::{Allowed, ImplicitlyDenied, Unknown};
    for (scopes, site, shop, deleted) in [
        (&["public_repo"][..], Allowed, ImplicitlyDenied, ImplicitlyDenied),
        (&["repo"], Allowed, Allowed, ImplicitlyDenied),
        (&["repo", "public_repo", "delete_repo"], Allowed, Allowed, Allowed),
        (&["delete_repo"], ImplicitlyDenied, ImplicitlyDenied, Allowed),
        (&["read:org"], ImplicitlyDenied, ImplicitlyDenied, ImplicitlyDenied),
    ] {
        let reading = token(scopes, true, json!("private"));
        let push = |name| asked(&reading, "git/push", name);
        assert_eq!((push("acme/site"), push("acme/shop")), (site, shop), "{scopes:?}");
        assert_eq!(asked(&reading, "repos/delete", "acme/site"), deleted, "{scopes:?}");
    }
    let shut = asked(&token(&["delete_repo"], true, json!("private")), "repos/create-deploy-key", "acme/site");
    assert_eq!(shut, ImplicitlyDenied, "whoever may delete changes no gate");
    for (listed, visibility) in [(true, Value::Null), (false, json!("private"))] {
        let reading = token(&["public_repo"], listed, visibility);
        assert_eq!(asked(&reading, "git/push", "acme/site"), Allowed);
        assert_eq!(asked(&reading, "git/push", "acme/new"), Unknown);
    }
}

#[test]
fn a_token_takes_the_steps_that_its_owner_and_its_permissions_both_allow() {
    let grant = |owner: &str| {
        let permissions = json!({
            "organization": { "members": "write" }, "repository": { "contents": "write", "workflows": "write" }
        });
        json!([{ "id": 3, "owner": { "login": owner }, "repository_selection": "all", "permissions": permissions }])
    };
    let steps = |owner: &str, unread: &str| {
        let mut answers = organisation(&json!({}), "write-all");
        answers.retain(|answer| answer["path"] != unread);
        answers.push(answered("/orgs/acme/personal-access-tokens", &grant(owner)));
        let edges = read(&answers).resolver.unwrap().edges();
        let of_token = edges.iter().filter(|edge| edge.source.as_str() == "github:acme:token:3");
        of_token.map(|edge| (edge.technique.to_string(), edge.conditional)).collect::<Vec<_>>()
    };
    let (membership, workflow) = ("github-set-membership".to_owned(), "github-write-workflow".to_owned());
    assert_eq!(steps("root", ""), [(workflow.clone(), false), (membership.clone(), false)]);
    assert_eq!(steps("ann", ""), [(workflow.clone(), false)], "she sets no members");
    assert_eq!(steps("ann", "/orgs/acme/members?role=admin"), [(workflow, true), (membership, true)]);
}

#[test]
fn all_repositories_of_an_organisation_are_none_of_another() {
    let mut answers = organisation(&json!({ "contents": "write" }), "{}");
    answers.push(answered("/repos/other/shop", &json!({ "name": "shop", "full_name": "other/shop" })));
    let reading = read(&answers);
    for (resource, expected) in [
        (Some("acme/new"), Outcome::Allowed),
        (Some("ACME/Shop"), Outcome::Allowed),
        (Some("other/shop"), Outcome::ImplicitlyDenied),
        (None, Outcome::Allowed),
    ] {
        assert_eq!(outcome(&reading, APP, "git/push", resource), expected, "{resource:?}");
    }
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

/// The organisation with a workflow file of its own, and more answers.
fn with_workflow(text: &str, more: &[Value]) -> Reading {
    let mut answers = organisation(&json!({}), "{}");
    for answer in &mut answers {
        if answer["path"].as_str().unwrap().ends_with("ci.yml") {
            answer["response"]["content"] = json!(text);
        }
    }
    read(&[answers, more.to_vec()].concat())
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
fn no_value_of_another_form_is_in_an_error_or_gap() {
    const CANARY: &str = "c4nary-Zx81-correct-horse";
    let one = |answer: Value| document("x.json", &answer.to_string());
    let bare = |path: &str, text: String| Document { head: Head::default(), text, ..document(path, "{}") };
    for document in [
        one(answered("/repos/acme/shop/actions/variables", &json!({ "variables": CANARY }))),
        one(answered("/repos/acme/shop/actions/variables", &json!({ "variables": [CANARY, { "value": [CANARY] }] }))),
        one(answered(
            "/repos/acme/shop/actions/variables",
            &json!({ "variables": [{ "name": "A", "value": "b", "created_at": CANARY }] }),
        )),
        one(answered("/orgs/acme", &json!(CANARY))),
        one(json!({ "host": "github.com", "path": "/orgs/acme", "error": CANARY })),
        one(json!({ "host": "github.com", "path": "/orgs/acme", "response": null, "accepted": [CANARY] })),
        bare("github/orgs/acme.json", format!("{{\"login\": {CANARY}}}")),
    ] {
        let (reading, errors) = read_documents(vec![document], &[]);
        assert!(!errors.is_empty());
        let said = format!("{errors:?} {:?}", reading.inventory);
        assert!(!said.contains(CANARY), "{said}");
    }
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
