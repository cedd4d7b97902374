//! Which settings are gates, and what is said of one that was not read.

use super::*;

/// Whether a change gate stands before an identity.
fn gate(reading: &Reading, identity: &str) -> Option<(Truth, Option<Way>)> {
    let mut rows = reading.inventory.controls.iter();
    let row = rows.find(|row| row.kind == ControlKind::ChangeGate && row.identity.as_str() == identity)?;
    Some((row.in_place, row.way))
}

/// Why an identity is, or may be, past the review.
fn reason(reading: &Reading, identity: &str) -> String {
    let mut rows = reading.inventory.controls.iter();
    let row = rows.find(|row| row.kind == ControlKind::SecondPersonApproval && row.identity.as_str() == identity);
    row.unwrap().reason.to_string()
}

fn pushing(gates: Vec<Value>) -> Reading {
    read(&[organisation(&json!({ "contents": "write" }), "{}"), gates].concat())
}

#[test]
fn reviews_of_a_team_that_a_rule_names_are_reviews() {
    let team = |approvals: Value| json!([{ "minimum_approvals": approvals, "file_patterns": ["*"], "reviewer": { "id": 61, "type": "Team" } }]);
    let stopped = Some((Truth::Yes, None));
    for (reviewers, expected) in [
        (json!([]), None),
        (Value::Null, None),
        // It is asked, and need not answer.
        (team(json!(0)), None),
        (team(json!(1)), stopped),
        (team(json!(2)), stopped),
    ] {
        let mut gates = ruled(&json!([]));
        gates[0]["response"][0]["parameters"] =
            json!({ "required_approving_review_count": 0, "required_reviewers": reviewers });
        let reading = pushing(gates);
        assert_eq!(approval(&reading, APP), expected, "{reviewers}");
        assert_eq!(gate(&reading, APP), stopped, "a pull request is demanded all the same");
    }
}

#[test]
fn rules_that_a_change_must_meet_are_gates_and_others_are_not() {
    for (kind, is_gate) in [
        ("code_scanning", true),
        ("required_status_checks", true),
        ("required_deployments", true),
        ("merge_queue", true),
        ("update", true),
        ("workflows", true),
        ("non_fast_forward", false),
        ("required_signatures", false),
    ] {
        let mut gates = ruled(&json!([]));
        gates[0]["response"][0] =
            json!({ "type": kind, "ruleset_id": 9, "ruleset_source_type": "Repository", "parameters": {} });
        let reading = pushing(gates);
        assert_eq!(gate(&reading, APP), is_gate.then_some((Truth::Yes, None)), "{kind}");
        assert_eq!(approval(&reading, APP), None, "{kind}");
    }
}

#[test]
fn a_branch_that_is_locked_stops_everybody_but_those_for_whom_it_is_not_enforced() {
    let locked = |locked: bool, enforced: bool| {
        let protection = json!({ "lock_branch": { "enabled": locked }, "enforce_admins": { "enabled": enforced } });
        let reading = pushing(vec![
            answered("/repos/acme/shop/rules/branches/main", &json!([])),
            answered("/repos/acme/shop/branches/main/protection", &protection),
        ]);
        [APP, KEY, "github:acme:user:bob", "github:acme:user:root"].map(|who| gate(&reading, who))
    };
    let stopped = Some((Truth::Yes, None));
    let (unenforced, changes) = (Some((Truth::No, Some(Way::Unenforced))), Some((Truth::No, Some(Way::Changes))));
    assert_eq!(locked(true, true), [stopped, stopped, stopped, changes]);
    assert_eq!(locked(true, false), [stopped, unenforced, stopped, unenforced]);
    assert_eq!(locked(false, true), [None; 4]);
}

#[test]
fn a_team_that_may_bypass_is_named() {
    for (number, name) in [(61, "the team web"), (60, "the team all")] {
        let reading = pushing(ruled(&json!([{ "actor_type": "Team", "actor_id": number }])));
        assert_eq!(reason(&reading, TEAM), format!("may bypass the ruleset `main` as a member of {name}"));
    }
}

#[test]
fn who_may_bypass_was_withheld_or_the_ruleset_was_not_read_and_each_is_a_gap_that_names_the_permission() {
    let summary = || answered("/repos/acme/shop/rulesets", &json!([{ "id": 9, "name": "main" }]));
    let refusal = || {
        json!({ "host": "github.com", "path": "/repos/acme/shop/rulesets/9",
            "error": { "code": "403 Resource not accessible by integration" } })
    };
    let unread = |more: Vec<Value>| [ruled(&json!([])), more].concat();
    for (gates, own, said, gap) in [
        (ruled(&json!([])), true, "", ""),
        (
            ruled(&Value::Null),
            true,
            "who may bypass the ruleset `main` was withheld",
            "who may bypass the ruleset `main` of shop was withheld",
        ),
        (
            unread(vec![summary()]),
            false,
            "who may bypass the ruleset `main` was not read",
            "the capture holds no answer for the ruleset `main` of shop",
        ),
        (unread(vec![]), false, "who may bypass ruleset 9 was not read", "no answer for ruleset 9 of shop"),
        (unread(vec![refusal()]), false, "who may bypass ruleset 9 was not read", "403"),
    ] {
        let mut gates = gates;
        gates.retain(|answer| own || answer["path"] != "/repos/acme/shop/rulesets/9" || answer.get("error").is_some());
        let reading = pushing(gates);
        assert!(reason(&reading, APP).starts_with(said), "{}", reason(&reading, APP));
        let call = "/repos/{owner}/{repo}/rulesets/{ruleset}";
        let gaps: Vec<_> = reading.inventory.gaps.iter().filter(|held| &*held.call == call).collect();
        match gaps.as_slice() {
            [] => assert_eq!(gap, "", "{said}"),
            [one] => {
                let told = !gap.is_empty() && one.reason.contains(gap) && one.reason.contains("administration=write");
                assert!(told, "{}", one.reason);
            }
            more => panic!("{more:?}"),
        }
    }
}

#[test]
fn rulesets_are_gaps_that_say_who_can_read_them_and_rules_that_are_no_gates_are_none() {
    let of_repository = "/repos/{owner}/{repo}/rulesets/{ruleset}";
    let owners = "is told to owners of the enterprise alone";
    for (kind, source, told, gap, why) in [
        (
            "pull_request",
            "Organization",
            Some("/orgs/{org}/rulesets/{ruleset}"),
            "write access to the ruleset (organization_administration=write)",
            "read it with write access",
        ),
        (
            "pull_request",
            "Repository",
            Some(of_repository),
            "write access to the ruleset (administration=write)",
            "read it with write access",
        ),
        ("pull_request", "Enterprise", Some(of_repository), owners, owners),
        ("required_signatures", "Repository", None, "", ""),
    ] {
        let rule = json!([{ "type": kind, "ruleset_id": 70, "ruleset_source_type": source,
            "parameters": { "required_approving_review_count": 1 } }]);
        for permission in ["contents", "administration"] {
            let reading = read(
                &[
                    organisation(&json!({ permission: "write" }), "{}"),
                    vec![
                        answered("/repos/acme/shop/rules/branches/main", &rule),
                        json!({ "host": "github.com", "path": "/repos/acme/shop/branches/main/protection",
                            "error": { "code": "404 Branch not protected" } }),
                    ],
                ]
                .concat(),
            );
            let found = reading.inventory.gaps.iter().find(|gap| gap.call.ends_with("/{ruleset}"));
            assert_eq!(found.map(|gap| &*gap.call), told, "{kind} {source}");
            assert!(found.is_none_or(|found| found.reason.contains(gap)), "{kind} {source} {found:?}");
            let changes = permission == "administration" && source == "Repository";
            if told.is_some() && !changes {
                let said = reason(&reading, APP);
                assert!(said.contains(why), "{kind} {source} {permission}: {said}");
                assert_eq!(said.contains("write access"), source != "Enterprise", "{said}");
            }
        }
    }
}

#[test]
fn rulesets_of_one_gap_are_told_in_a_row_that_ends() {
    for (count, said) in [
        (1, "for ruleset 1 of shop;"),
        (2, "for ruleset 1 of shop and ruleset 2 of shop;"),
        (6, "ruleset 4 of shop, ruleset 5 of shop and 1 more;"),
    ] {
        let rule = |id: u64| json!({ "type": "pull_request", "ruleset_id": id, "ruleset_source_type": "Repository" });
        let rules: Vec<Value> = (1..=count).map(rule).collect();
        let reading = pushing(vec![answered("/repos/acme/shop/rules/branches/main", &json!(rules))]);
        let gap = reading.inventory.gaps.iter().find(|gap| gap.call.ends_with("/{ruleset}")).unwrap();
        assert!(gap.reason.contains(said), "{}", gap.reason);
    }
}

#[test]
fn an_environment_is_open_to_whoever_may_make_a_branch_that_its_patterns_fit() {
    let stopped = Some((Truth::Yes, None));
    let changes = Some((Truth::Unknown, Some(Way::Changes)));
    let pattern = |name: &str, kind: &str| json!([{ "name": name, "type": kind }]);
    let protected = json!([{ "name": "live", "protected": true }]);
    let (gets, unread) = ("which get secrets (`LIVE_TOKEN`)", "was not read");
    for (patterns, branches, expected, why) in [
        (Some(pattern("*", "branch")), None, changes, gets),
        (Some(pattern("release/*", "branch")), None, changes, gets),
        (Some(pattern("v*", "tag")), None, changes, gets),
        (Some(pattern("live", "branch")), Some(json!([])), changes, gets),
        (Some(pattern("live", "branch")), Some(protected), stopped, ""),
        (Some(pattern("main", "branch")), None, stopped, ""),
        (Some(json!([])), None, stopped, ""),
        (Some(pattern("live", "branch")), None, changes, unread),
        (None, None, changes, unread),
    ] {
        let at = |rest: &str| format!("/repos/acme/shop/{rest}");
        let policy = json!({ "protected_branches": false, "custom_branch_policies": true });
        let environment = json!({ "name": "live", "protection_rules": [], "deployment_branch_policy": policy });
        let mut answers = organisation(&json!({ "contents": "write", "workflows": "write" }), "{}");
        answers.retain(|answer| answer["path"] != at("environments").as_str());
        answers.extend(ruled(&json!([])));
        answers.push(answered(&at("environments"), &json!({ "environments": [environment] })));
        answers.push(answered(&at("environments/live/secrets"), &json!({ "secrets": [{ "name": "LIVE_TOKEN" }] })));
        let asked = format!("{patterns:?} {branches:?}");
        answers.extend(patterns.map(|patterns| {
            answered(&at("environments/live/deployment-branch-policies"), &json!({ "branch_policies": patterns }))
        }));
        answers.extend(branches.map(|branches| answered(&at("branches"), &branches)));
        let reading = read(&answers);
        assert_eq!(approval(&reading, APP), expected, "{asked}");
        assert!(reason(&reading, APP).contains(why), "{asked}: {}", reason(&reading, APP));
    }
}

#[test]
fn an_environment_for_protected_branches_is_open_where_none_is_protected() {
    let stopped = Some((Truth::Yes, None));
    let changes = Some((Truth::Unknown, Some(Way::Changes)));
    let branches = |all: &[(&str, Value)]| {
        let all: Vec<Value> =
            all.iter().map(|(name, protected)| json!({ "name": name, "protected": protected })).collect();
        Some(json!(all))
    };
    let (gets, unread) = ("which get secrets (`LIVE_TOKEN`)", "was not read");
    for (branches, expected, why) in [
        (branches(&[("main", json!(false))]), changes, gets),
        (branches(&[("main", json!(false)), ("dev", json!(false))]), changes, gets),
        (branches(&[("main", json!(false)), ("dev", json!(true))]), stopped, ""),
        (branches(&[("main", json!(true))]), stopped, ""),
        (branches(&[("main", json!(false)), ("dev", Value::Null)]), changes, unread),
        (None, changes, unread),
    ] {
        let at = |rest: &str| format!("/repos/acme/shop/{rest}");
        let policy = json!({ "protected_branches": true, "custom_branch_policies": false });
        let environment = json!({ "name": "live", "protection_rules": [], "deployment_branch_policy": policy });
        let mut answers = organisation(&json!({ "contents": "write", "workflows": "write" }), "{}");
        answers.retain(|answer| answer["path"] != at("environments").as_str());
        answers.extend(ruled(&json!([])));
        answers.push(answered(&at("environments"), &json!({ "environments": [environment] })));
        answers.push(answered(&at("environments/live/secrets"), &json!({ "secrets": [{ "name": "LIVE_TOKEN" }] })));
        answers.extend(branches.iter().map(|branches| answered(&at("branches"), branches)));
        let reading = read(&answers);
        assert_eq!(approval(&reading, APP), expected, "{branches:?}");
        assert!(reason(&reading, APP).contains(why), "{branches:?}: {}", reason(&reading, APP));
    }
}
