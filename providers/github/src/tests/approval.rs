//! Who is stopped by the gates of a default branch, and who gets past them.

use super::*;

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
fn a_machine_that_may_write_workflows_is_not_known_to_be_stopped_where_these_get_secrets() {
    const STOPPED: (Truth, Option<Way>) = (Truth::Yes, None);
    const CHANGES: (Truth, Option<Way>) = (Truth::Unknown, Some(Way::Changes));
    let (own, shared) = ("/repos/acme/shop/actions/secrets", "/repos/acme/shop/actions/organization-secrets");
    let environments = "/repos/acme/shop/environments";
    let held = json!({ "secrets": [{ "name": "ADMIN_TOKEN" }] });
    let environment = |rules: Value, policy: Value| {
        vec![
            answered(
                environments,
                &json!({ "environments": [{ "name": "live", "protection_rules": rules, "deployment_branch_policy": policy }] }),
            ),
            answered("/repos/acme/shop/environments/live/secrets", &held),
        ]
    };
    let reviewers = json!([{ "type": "required_reviewers", "reviewers": [{ "type": "User" }] }]);
    let protected = json!({ "protected_branches": true, "custom_branch_policies": false });
    let listed = answered("/repos/acme/shop/branches", &json!([{ "name": "main", "protected": true }]));
    let main_only = [environment(json!([]), protected), vec![listed]].concat();
    let refused = json!({ "host": "github.com", "path": "/repos/acme/shop/environments/live/secrets",
        "error": { "code": "403 Resource not accessible by integration" } });
    let unread = |rules: Value, answer: Option<Value>| {
        environment(rules, Value::Null).into_iter().take(1).chain(answer).collect::<Vec<_>>()
    };
    let both = json!({ "contents": "write", "workflows": "write" });
    for (permissions, gone, more, app, key) in [
        (&both, None, vec![], STOPPED, STOPPED),
        (&both, None, vec![answered(own, &held)], CHANGES, CHANGES),
        (&both, None, vec![answered(shared, &held)], CHANGES, CHANGES),
        (&both, Some(own), vec![], CHANGES, CHANGES),
        (&both, Some(environments), vec![], CHANGES, CHANGES),
        (&both, None, unread(json!([]), None), CHANGES, CHANGES),
        (&both, None, unread(json!([]), Some(refused)), CHANGES, CHANGES),
        (&both, None, unread(reviewers.clone(), None), STOPPED, STOPPED),
        // What is known is enough.
        (&both, Some(own), vec![answered(shared, &held)], CHANGES, CHANGES),
        (&both, None, environment(json!([]), Value::Null), CHANGES, CHANGES),
        (&both, None, environment(reviewers, Value::Null), STOPPED, STOPPED),
        (&both, None, main_only, STOPPED, STOPPED),
        (
            &both,
            None,
            vec![answered(own, &held), answered("/repos/acme/shop/actions/permissions", &json!({ "enabled": false }))],
            STOPPED,
            STOPPED,
        ),
        // Neither is enough alone.
        (&json!({ "contents": "write" }), None, vec![answered(own, &held)], STOPPED, CHANGES),
    ] {
        let mut answers = organisation(permissions, "write-all");
        answers
            .retain(|answer| answer["path"].as_str() != gone && !more.iter().any(|one| one["path"] == answer["path"]));
        let reading = read(&[answers, ruled(&json!([])), more.clone()].concat());
        assert_eq!(
            (approval(&reading, APP), approval(&reading, KEY)),
            (Some(app), Some(key)),
            "{permissions} {more:?}"
        );
        assert_eq!(approval(&reading, TEAM), Some(STOPPED), "what people do a person has done");
        assert!(approval(&reading, JOB).is_none_or(|faced| faced == STOPPED), "no job may write workflows");
    }
    let alone = read(&[organisation(&json!({ "workflows": "write" }), "{}"), ruled(&json!([]))].concat());
    assert_eq!(approval(&alone, APP), None, "it changes nothing");
    let reading = read(&[organisation(&both, "{}"), ruled(&json!([])), vec![answered(own, &held)]].concat());
    let reason = |reading: &Reading| {
        reading.inventory.controls.iter().find(|row| row.identity.as_str() == APP).unwrap().reason.to_string()
    };
    assert_eq!(
        reason(&reading),
        "may write workflows, which get secrets (`ADMIN_TOKEN`): what these open is not known"
    );
    let unread = organisation(&both, "{}").into_iter().filter(|answer| answer["path"] != environments);
    let reading = read(&unread.chain(ruled(&json!([]))).collect::<Vec<_>>());
    assert_eq!(reason(&reading), "may write workflows; which secrets these get in acme/shop was not read");
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

/// The organisation with two more apps and two tokens, a review of so many, and what is told of jobs.
fn with_machines(count: u32, of_owners: bool, may: Value, more: &[Value]) -> Reading {
    let mut gates = ruled(&json!([]));
    gates[0]["response"][0]["parameters"] =
        json!({ "required_approving_review_count": count, "require_code_owner_review": of_owners });
    let mut answers = [organisation(&json!({ "contents": "write", "pull_requests": "write" }), "{}"), gates].concat();
    for answer in &mut answers {
        if answer["path"].as_str().unwrap().ends_with("permissions/workflow") {
            answer["response"] =
                json!({ "default_workflow_permissions": "read", "can_approve_pull_request_reviews": may });
        }
    }
    read(&[answers, more.to_vec()].concat())
}

fn app(id: u64, slug: &str) -> Value {
    let permissions = json!({ "pull_requests": "write" });
    let app =
        json!({ "id": id, "app_id": id, "app_slug": slug, "repository_selection": "all", "permissions": permissions });
    answered("/orgs/acme/installations", &json!({ "installations": [app] }))
}

fn token(id: u64, login: &str) -> Value {
    let permissions = json!({ "repository": { "pull_requests": "write", "contents": "write" } });
    let token =
        json!({ "id": id, "owner": { "login": login }, "repository_selection": "all", "permissions": permissions });
    answered("/orgs/acme/personal-access-tokens", &json!([token]))
}

#[test]
fn a_machine_that_another_machine_may_approve_is_under_no_second_person() {
    const STOPPED: (Truth, Option<Way>) = (Truth::Yes, None);
    const OPEN: (Truth, Option<Way>) = (Truth::Unknown, Some(Way::Satisfies));
    const PAST: (Truth, Option<Way>) = (Truth::No, Some(Way::Satisfies));
    let (ann, bob) = (token(3, "ann"), token(4, "bob"));
    let cases = vec![
        (1, false, vec![], STOPPED, ""),
        // Whether an app's approval counts is reported differently.
        (1, false, vec![app(8, "reviewer")], OPEN, "github:acme:app:reviewer"),
        (1, false, vec![app(8, "renovate")], STOPPED, ""),
        // The approval by a token is that of its owner.
        (1, false, vec![ann.clone()], PAST, "github:acme:token:3"),
        (1, false, vec![ann.clone(), app(8, "reviewer")], PAST, "github:acme:token:3"),
        (2, false, vec![ann.clone()], STOPPED, ""),
        (2, false, vec![ann.clone(), token(5, "Ann")], STOPPED, ""),
        (2, false, vec![ann.clone(), bob.clone()], PAST, "github:acme:token:3 and github:acme:token:4"),
        (2, false, vec![ann.clone(), app(8, "reviewer")], OPEN, "github:acme:token:3 and github:acme:app:reviewer"),
        // Apps own no code, and whether she does is not read.
        (1, true, vec![app(8, "reviewer")], STOPPED, ""),
        (1, true, vec![ann.clone()], OPEN, "github:acme:token:3"),
    ];
    for (count, of_owners, more, expected, named) in cases {
        let reading = with_machines(count, of_owners, json!(false), &more);
        assert_eq!(approval(&reading, APP), Some(expected), "{count} {of_owners} {more:?}");
        let rows = &reading.inventory.controls;
        let row =
            rows.iter().find(|held| held.identity.as_str() == APP && held.kind == ControlKind::SecondPersonApproval);
        let reason = &row.unwrap().reason;
        let says = format!("{named} may approve what {APP} proposes");
        assert!(named.is_empty() || reason.starts_with(&says), "{reason}");
        assert_eq!(approval(&reading, TEAM), Some(STOPPED), "people are reviewed by people");
        assert_eq!(approval(&reading, KEY), Some(STOPPED), "a key opens no pull request");
    }
    let both = with_machines(1, false, json!(false), &[ann, app(8, "reviewer")]);
    assert_eq!(approval(&both, "github:acme:token:3").unwrap(), OPEN, "and the other way round");
}

#[test]
fn workflows_approve_what_apps_propose_where_they_may() {
    let job = |text: &str| answered("/repos/acme/shop/contents/.github/workflows/ci.yml", &json!({ "content": text }));
    let approving = "on: push\njobs: {do: {runs-on: x, permissions: {pull-requests: write}, steps: [{run: make}]}}\n";
    let idle = "on: push\njobs: {do: {runs-on: x, permissions: {contents: read}, steps: [{run: make}]}}\n";
    for (may, text, expected) in [
        (json!(true), approving, (Truth::Unknown, Some(Way::Satisfies))),
        (Value::Null, approving, (Truth::Unknown, Some(Way::Untold))),
        (json!(false), approving, (Truth::Yes, None)),
        (json!(true), idle, (Truth::Yes, None)),
    ] {
        let reading = with_machines(1, false, may.clone(), &[job(text)]);
        assert_eq!(approval(&reading, APP), Some(expected), "{may} {text}");
    }
}

#[test]
fn ordinary_people_have_a_row_for_what_they_face_alike_however_many_they_and_the_repositories_are() {
    const MANY: u64 = 1000;
    let person = |number: u64| json!({ "login": format!("p{number}"), "id": number, "type": "User" });
    let people: Vec<Value> = (1..=MANY).map(person).collect();
    let repositories: Vec<Value> =
        (0..MANY).map(|number| json!({ "full_name": format!("acme/r{number}"), "role_name": "write" })).collect();
    let mut answers = vec![
        answered("/orgs/acme", &json!({ "login": "acme", "default_repository_permission": "read" })),
        answered("/orgs/acme/members", &json!(people)),
        answered("/orgs/acme/members?role=admin", &json!([])),
        answered("/orgs/acme/teams", &json!([{ "id": 61, "slug": "web" }])),
        answered("/orgs/acme/teams/web/members", &json!(people)),
        answered("/orgs/acme/teams/web/repos", &json!(repositories)),
    ];
    for number in 0..MANY {
        let at = |rest: &str| format!("/repos/acme/r{number}{rest}");
        // Each has a ruleset of its own; one of them names a person.
        let bypass = if number == 7 { json!([{ "actor_type": "User", "actor_id": 5 }]) } else { json!([]) };
        let rule = json!([{ "type": "pull_request", "ruleset_id": 9, "ruleset_source_type": "Repository",
            "parameters": { "required_approving_review_count": 1 } }]);
        answers.extend([
            answered(
                &at(""),
                &json!({ "name": format!("r{number}"), "default_branch": "main", "visibility": "private" }),
            ),
            answered(&at("/collaborators"), &json!([])),
            answered(&at("/rules/branches/main"), &rule),
            answered(&at("/rulesets/9"), &json!({ "id": 9, "name": "main", "bypass_actors": bypass })),
            json!({ "host": "github.com", "path": at("/branches/main/protection"),
                "error": { "code": "404 Branch not protected" } }),
        ]);
    }
    let reading = read(&answers);
    let of = |login: &str| {
        let id = format!("github:acme:user:{login}");
        let rows = reading.inventory.controls.iter().filter(move |held| held.identity.as_str() == id);
        rows.filter(|held| held.kind == ControlKind::SecondPersonApproval).collect::<Vec<_>>()
    };
    let all = reading.inventory.controls.iter().filter(|held| held.identity.as_str().contains(":user:")).count();
    assert!(all <= 4 * 1000, "{all} rows");
    let rows = of("p1");
    let [row] = rows.as_slice() else { panic!("{rows:?}") };
    assert!(row.in_place == Truth::Yes && row.scope.matches(&["acme/r999", ""]) == Truth::Yes);
    let rows = of("p5");
    let of_truth = |truth: Truth| rows.iter().find(|row| row.in_place == truth).unwrap();
    let (named, stopped) = (of_truth(Truth::No), of_truth(Truth::Yes));
    assert_eq!((rows.len(), named.way, named.scope.to_string()), (2, Some(Way::Listed), "acme/r7/*".to_owned()));
    assert_eq!(stopped.scope.matches(&["acme/r7", ""]), Truth::No);
    let team = reading.inventory.controls.iter().filter(|held| held.identity.as_str() == TEAM).count();
    assert!(team > 1000, "roles, by which others are measured, have each setting");
}
