//! Machines that may change a gate, or make a key that is let past it.

use super::*;

const CHANGES: (Truth, Option<Way>) = (Truth::No, Some(Way::Changes));

fn sourced(bypass: &Value, source: &str) -> Vec<Value> {
    let mut gates = ruled(bypass);
    gates[0]["response"][0]["ruleset_source_type"] = json!(source);
    gates
}

/// The row of an identity before a place.
fn row<'r>(reading: &'r Reading, identity: &str, place: &str) -> Option<&'r evenhand_model::control::Control> {
    let mut rows = reading.inventory.controls.iter().filter(|row| {
        row.kind == ControlKind::SecondPersonApproval
            && row.identity.as_str() == identity
            && row.scope.to_string() == place
    });
    let found = rows.next();
    assert!(rows.next().is_none(), "{identity} has one row before {place}");
    found
}

#[test]
fn a_machine_that_changes_a_gate_alone_is_told_with_the_permission_that_lets_it() {
    let administration = json!({ "administration": "write" });
    let organisation_wide = json!({ "organization_administration": "write" });
    for (app, source, expected, permission) in [
        (&administration, "Repository", Some(CHANGES), "administration: write"),
        (&administration, "Organization", None, ""),
        (&administration, "Enterprise", None, ""),
        (&organisation_wide, "Organization", Some(CHANGES), "organization_administration: write"),
        (&organisation_wide, "Repository", None, ""),
        (&json!({ "administration": "read" }), "Repository", None, ""),
        (&json!({ "issues": "write" }), "Repository", None, ""),
    ] {
        let reading = read(&[organisation(app, "{}"), sourced(&json!([]), source)].concat());
        assert_eq!(approval(&reading, APP), expected, "{app} {source}");
        let Some(row) = row(&reading, APP, "acme/shop/*") else { continue };
        assert!(
            row.reason.contains(permission) && row.reason.contains("permissions of the app deliverer"),
            "{}",
            row.reason
        );
        assert!(row.evidence.to_string().contains("settings/installations/1"), "{}", row.evidence);
        let operations = row.operations.as_ref().unwrap();
        let held = reading.resolver.as_ref().unwrap().access(&APP.into()).unwrap();
        assert!(held.operations().intersects(operations), "by what it holds");
    }
}

#[test]
fn whoever_may_make_a_deploy_key_is_past_a_gate_that_deploy_keys_are_past() {
    let keys = json!([{ "actor_type": "DeployKey", "actor_id": null, "bypass_mode": "always" }]);
    let both = json!({ "contents": "write", "administration": "write" });
    let alone = json!({ "administration": "write" });
    for (app, bypass, switched, expected) in [
        (&both, &keys, Value::Null, Some(CHANGES)),
        (&both, &keys, json!(true), Some(CHANGES)),
        (&both, &keys, json!(false), Some((Truth::Yes, None))),
        (&both, &json!([]), Value::Null, Some((Truth::Yes, None))),
        (&alone, &keys, Value::Null, Some(CHANGES)),
        (&alone, &keys, json!(false), None),
        (&alone, &json!([]), Value::Null, None),
        // Whom the ruleset lets past was withheld.
        (&alone, &Value::Null, Value::Null, Some((Truth::Unknown, Some(Way::Untold)))),
        (&json!({ "contents": "write" }), &keys, Value::Null, Some((Truth::Yes, None))),
    ] {
        let mut answers = [organisation(app, "{}"), sourced(bypass, "Organization")].concat();
        answers[0]["response"]["deploy_keys_enabled_for_repositories"] = switched.clone();
        let reading = read(&answers);
        assert_eq!(approval(&reading, APP), expected, "{app} {bypass} {switched}");
        if expected == Some(CHANGES) {
            let row = row(&reading, APP, "acme/shop/*").unwrap();
            assert!(row.reason.starts_with("may make a deploy key"), "{}", row.reason);
        }
    }
}

#[test]
fn one_gate_that_a_machine_cannot_change_stands_and_one_that_was_not_read_may() {
    let app = json!({ "administration": "write" });
    let mut two = sourced(&json!([]), "Repository");
    let rule = json!({ "type": "pull_request", "ruleset_id": 10, "ruleset_source_type": "Organization",
        "parameters": { "required_approving_review_count": 1 } });
    two[0]["response"].as_array_mut().unwrap().push(rule);
    two.push(answered("/orgs/acme/rulesets/10", &json!({ "id": 10, "name": "all", "bypass_actors": [] })));
    assert_eq!(approval(&read(&[organisation(&app, "{}"), two].concat()), APP), None);
    let mut unread = sourced(&json!([]), "Repository");
    unread[2]["error"]["code"] = json!("403 Resource not accessible by integration");
    let reading = read(&[organisation(&app, "{}"), unread].concat());
    assert_eq!(approval(&reading, APP), Some((Truth::Unknown, Some(Way::Untold))));
}

#[test]
fn what_an_app_holds_and_where_is_unknown_where_it_was_not_told() {
    const OPEN: Option<(Truth, Option<Way>)> = Some((Truth::Unknown, Some(Way::Untold)));
    let listed = json!([{ "actor_type": "Integration", "actor_id": 7 }]);
    let held = |permissions: Value, selection: &str, bypass: &Value| {
        let mut answers = [organisation(&permissions, "{}"), ruled(bypass)].concat();
        for answer in &mut answers {
            if answer["path"] == "/orgs/acme/installations" {
                answer["response"]["installations"][0]["repository_selection"] = json!(selection);
            }
        }
        approval(&read(&answers), APP)
    };
    let administration = || json!({ "administration": "write" });
    let contents = || json!({ "contents": "write" });
    assert_eq!(held(administration(), "selected", &json!([])), OPEN, "it may be installed there");
    assert_eq!(held(contents(), "selected", &listed), OPEN);
    assert_eq!(held(contents(), "selected", &json!([])), None, "wherever it is, it is stopped");
    assert_eq!(held(Value::Null, "all", &json!([])), OPEN, "permissions were withheld");
    assert_eq!(held(Value::Null, "all", &listed), Some((Truth::No, Some(Way::Listed))));
    assert_eq!(held(json!({}), "all", &json!([])), None, "it has none");
}

#[test]
fn a_machine_that_administers_changes_the_reviews_of_environments() {
    let environment = |rules: Value| {
        answered(
            "/repos/acme/shop/environments",
            &json!({ "environments": [{ "name": "live", "protection_rules": rules }] }),
        )
    };
    let reviewers = || json!([{ "type": "required_reviewers", "reviewers": [{ "type": "User" }] }]);
    let place = "acme/shop/environments/live";
    let found = |app: Value, rules: Value| {
        let mut answers = organisation(&app, "{}");
        answers.retain(|answer| answer["path"] != "/repos/acme/shop/environments");
        let reading = read(&[answers, vec![environment(rules)]].concat());
        let write = "github:acme:repository_role:write";
        [APP, write, TEAM, KEY].map(|who| row(&reading, who, place).map(|row| (row.in_place, row.way)))
    };
    let administration = || json!({ "administration": "write" });
    let stopped = Some((Truth::Yes, None));
    assert_eq!(found(administration(), reviewers()), [Some(CHANGES), stopped, None, None]);
    assert_eq!(found(Value::Null, reviewers()), [Some((Truth::Unknown, Some(Way::Untold))), stopped, None, None]);
    assert_eq!(found(administration(), json!([{ "type": "wait_timer" }])), [None; 4]);
    assert_eq!(found(json!({ "environments": "write" }), reviewers()), [None; 4], "that is for secrets and variables");
}

#[test]
fn an_account_that_its_name_calls_a_machine_stands_before_gates_as_one() {
    let secret = answered("/repos/acme/shop/actions/secrets", &json!({ "secrets": [{ "name": "ADMIN_TOKEN" }] }));
    let mut answers = organisation(&json!({}), "{}");
    answers.retain(|answer| answer["path"] != secret["path"]);
    for answer in &mut answers {
        let path = answer["path"].as_str().unwrap().to_owned();
        match path.as_str() {
            "/orgs/acme/members" => {
                answer["response"].as_array_mut().unwrap().push(json!({ "login": "acme-ci", "id": 14 }));
            }
            "/orgs/acme/teams/web/members" => {
                answer["response"].as_array_mut().unwrap().push(json!({ "login": "acme-ci", "id": 14 }));
            }
            "/orgs/acme/teams/all/members" => answer["response"] = json!([{ "login": "acme-ci", "id": 14 }]),
            _ => {}
        }
    }
    answers.push(answered("/orgs/acme/members?filter=2fa_disabled", &json!([{ "login": "acme-ci", "id": 14 }])));
    let reading = read(&[answers, vec![secret], ruled(&json!([]))].concat());
    let ci = "github:acme:user:acme-ci";
    let judged = |id: &str| {
        let found = reading.inventory.identities.iter().find(|held| held.id.as_str() == id).unwrap();
        judge(&found.signals)
    };
    let of_ci = judged(ci);
    assert_eq!((of_ci.nature, of_ci.confidence), (Nature::Workload, 0.6));
    assert_eq!(&*of_ci.reason, "its name holds the word `ci`, which machines are given");
    assert_eq!(judged("github:acme:user:ann").nature, Nature::Human);
    // What it writes runs with the secrets of the repository, and no person has done it.
    assert_eq!(approval(&reading, ci), Some((Truth::Unknown, Some(Way::Changes))));
    assert_eq!(approval(&reading, "github:acme:user:ann"), Some((Truth::Yes, None)));
    // Nobody is measured by it: not by its second factor, and not by a team that it is alone in.
    let factors = |id: &str| {
        let mut controls = reading.inventory.controls.iter();
        controls.find(|row| row.kind == ControlKind::Mfa && row.identity.as_str() == id).unwrap().in_place
    };
    assert_eq!((factors(ci), factors(TEAM)), (Truth::No, Truth::Yes));
    assert_eq!(judged(TEAM).nature, Nature::HumanRole);
    assert_eq!(judged("github:acme:team:all").nature, Nature::Workload);
}
