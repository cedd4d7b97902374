//! What stands before people and not before the identity beside them.

use std::sync::Arc;

use evenhand_model::condition::{Clause, Test};
use evenhand_model::control::{Control, ControlKind};
use evenhand_model::credential::Credential;
use evenhand_model::evidence::{Evidence, Fact, Truth};
use evenhand_model::identity::Nature;
use evenhand_model::opset::OperationIx;
use evenhand_model::parity::{ControlComparison, Verdict};
use evenhand_model::scope::ResourceScope;
use evenhand_model::trust::Mechanism;

use super::{compared, job, none, pair, pair_town};
use crate::parity::toy::{TOY, plain, scope, slice, test, when};

#[test]
fn a_control_in_a_condition_is_a_control_and_no_limit() {
    let all = ResourceScope::everything;
    let worded = |operator: &str, key: &str, value: &str| Test { operator: operator.into(), ..test(key, value) };
    let asked = |operator: &str, key: &str, value: &str| none().with(Clause::When(worded(operator, key, value)));
    let denied = |operator: &str| {
        none().with(Clause::Unless { tests: vec![worded(operator, "mfa", "false")], scope: Arc::new(all()) })
    };
    let deny_without = || denied("EqualsIfExists");
    for (name, ai, human, verdict) in [
        ("only the human is asked", none(), when("mfa", "true"), Verdict::ControlGap),
        ("both are asked", when("mfa", "true"), when("mfa", "true"), Verdict::Parity),
        ("only the agent is asked", when("mfa", "true"), none(), Verdict::Parity),
        ("the human is asked by a deny", none(), deny_without(), Verdict::ControlGap),
        ("the agent is asked by a deny", deny_without(), when("mfa", "true"), Verdict::Parity),
        ("one is asked for this, one for that", when("network", "in"), when("mfa", "true"), Verdict::ControlGap),
        ("the absence of a control limits", none(), when("mfa", "false"), Verdict::Excess),
        (
            "a request without the key passes",
            asked("EqualsIfExists", "mfa", "true"),
            when("mfa", "true"),
            Verdict::Unknown,
        ),
        ("a request without the key is not denied", denied("Equals"), when("mfa", "true"), Verdict::Unknown),
        ("any network will do", when("network", "0.0.0.0/0"), when("network", "10.0.0.0/8"), Verdict::ControlGap),
        ("any network will do for people", none(), when("network", "0.0.0.0/0"), Verdict::Parity),
    ] {
        let comparison = pair(vec![slice(&[3, 4], all(), ai)], vec![slice(&[3, 4], all(), human)]);
        assert_eq!(comparison.verdict, verdict, "{name}: {comparison:#?}");
    }
    // What only reads is not compared.
    let reads = pair(vec![plain(&[1])], vec![slice(&[1], all(), when("mfa", "true"))]);
    assert_eq!(reads.verdict, Verdict::Parity);
}

#[test]
fn a_human_with_one_uncontrolled_grant_is_not_under_the_control() {
    let all = ResourceScope::everything;
    let comparison = pair(vec![plain(&[3])], vec![slice(&[3], all(), when("mfa", "true")), plain(&[3])]);
    assert_eq!(comparison.verdict, Verdict::Parity);
}

#[test]
fn controls_before_identities_and_jobs_are_compared_too() {
    let control = |identity: &str, in_place| {
        Control::new(identity.into(), ControlKind::SecondPersonApproval, in_place, Evidence::whole("toy.json"))
    };
    for (controls, verdict) in [
        (vec![], Verdict::Parity),
        (vec![control("a/ops-people", Truth::Yes)], Verdict::ControlGap),
        (vec![control("a/ops-people", Truth::No)], Verdict::Parity),
        (vec![control("a/ops-people", Truth::Yes), control("a/ops-agent", Truth::Yes)], Verdict::Parity),
        (vec![control("a/ops-people", Truth::Yes), control("a/ops-agent", Truth::Unknown)], Verdict::Unknown),
    ] {
        let mut town = pair_town(vec![plain(&[3])], vec![plain(&[3])]);
        town.inventory.controls = controls.clone();
        assert_eq!(compared(town).remove(0).verdict, verdict, "{controls:?}");
    }
    let by_process = || {
        let mut town = pair_town(vec![plain(&[3])], vec![plain(&[3])]);
        let mut rule = job("ops", "ops-people", "ops-agent");
        rule.controls = vec![ControlKind::ChangeGate];
        town.jobs.jobs.push(rule);
        town
    };
    let gate = |identity: &str| Control { kind: ControlKind::ChangeGate, ..control(identity, Truth::Yes) };
    for (controls, verdict) in [
        // What stands before both alike is not the gate that people pass beside it.
        (vec![gate("a/ops-people"), gate("a/ops-agent")], Verdict::ControlGap),
        (vec![gate("a/ops-agent")], Verdict::Parity),
    ] {
        let mut town = by_process();
        town.inventory.controls = controls.clone();
        assert_eq!(compared(town).remove(0).verdict, verdict, "{controls:?}");
    }
    let comparison = compared(by_process()).remove(0);
    assert_eq!(comparison.verdict, Verdict::ControlGap);
    assert_eq!(comparison.controls.len(), 1);
    assert_eq!(comparison.summary, "does without a change gate what ops-people does under it, 1 operation");
}

#[test]
fn a_row_of_controls_cites_every_one_that_stands_before_its_operations() {
    let gate = |identity: &str, document: &str, operations: &[u32]| Control {
        operations: Some(Arc::new(operations.iter().copied().map(OperationIx).collect())),
        ..Control::new(identity.into(), ControlKind::ChangeGate, Truth::Yes, Evidence::whole(document))
    };
    let mut town = pair_town(vec![plain(&[3, 8])], vec![plain(&[3, 8])]);
    town.inventory.controls = vec![
        gate("a/ops-people", "one", &[3]),
        gate("a/ops-people", "two", &[3, 8]),
        gate("a/ops-agent", "two", &[3, 8]),
        gate("a/ops-agent", "elsewhere", &[1]),
    ];
    let comparison = compared(town).remove(0);
    let cited = |row: &ControlComparison| row.evidence.iter().map(ToString::to_string).collect::<Vec<_>>();
    let rows: Vec<_> = comparison.controls.iter().map(|row| (row.identity, row.count, cited(row))).collect();
    assert_eq!(rows, [(Truth::Yes, 2, vec!["one".to_owned(), "two".to_owned()])]);

    // A tool server that two agents share stands under its own gates for each of them.
    let mut town = pair_town(vec![plain(&[3])], vec![plain(&[3, 8])]);
    town.add(Nature::AiAgent, "a/other-agent", Some(vec![plain(&[3])])).declared_human_role = Some("ops-people".into());
    town.add(Nature::Workload, "a/tool", Some(vec![plain(&[8])]));
    town.inventory.controls = vec![gate("a/ops-people", "one", &[8]), gate("a/tool", "two", &[8])];
    for agent in ["a/ops-agent", "a/other-agent"] {
        town.trust(agent, Mechanism::UsesTool, "a/tool");
    }
    let rows: Vec<_> = compared(town)
        .iter()
        .flat_map(|one| one.controls.iter().map(|row| (one.identity.clone(), cited(row))))
        .collect();
    let both = vec!["one".to_owned(), "two".to_owned()];
    assert_eq!(rows, [("a/ops-agent".into(), both.clone()), ("a/other-agent".into(), both)]);
}

#[test]
fn a_row_of_controls_tells_of_every_operation_where_it_is_held() {
    for (ai, resource) in [
        (vec![plain(&[3]), slice(&[4], scope(&["shop"]), none())], "*; shop"),
        (vec![plain(&[3, 4]), slice(&[4], scope(&["shop"]), none())], "*"),
        (vec![slice(&[4], scope(&["shop"]), none())], "shop"),
    ] {
        let comparison = pair(ai, vec![slice(&[3, 4], ResourceScope::everything(), when("mfa", "true"))]);
        let [row] = &comparison.controls[..] else { panic!("{comparison:#?}") };
        assert_eq!(&*row.resource, resource);
    }
}

#[test]
fn a_control_before_some_resources_is_compared_there() {
    let control = |identity: &str, patterns: &[&str], in_place| Control {
        scope: Arc::new(scope(patterns)),
        reason: "bypass".into(),
        ..Control::new(identity.into(), ControlKind::SecondPersonApproval, in_place, Evidence::whole("toy.json"))
    };
    let people = |patterns: &[&str]| control("a/ops-people", patterns, Truth::Yes);
    let agent = |patterns: &[&str], in_place| control("a/ops-agent", patterns, in_place);
    for (reached, controls, verdict, resource) in [
        (
            &["*"][..],
            vec![people(&["shop", "till"]), agent(&["shop", "till"], Truth::Yes)],
            Verdict::Parity,
            "shop; till",
        ),
        (
            &["*"],
            vec![people(&["shop", "till"]), agent(&["shop"], Truth::Yes), agent(&["till"], Truth::No)],
            Verdict::ControlGap,
            "till",
        ),
        (
            &["*"],
            vec![people(&["shop", "till"]), agent(&["shop"], Truth::Yes), agent(&["till"], Truth::Unknown)],
            Verdict::Unknown,
            "till",
        ),
        // What no people's control speaks of is open to everybody.
        (
            &["*"],
            vec![people(&["shop"]), agent(&["shop"], Truth::Yes), agent(&["till"], Truth::No)],
            Verdict::Parity,
            "shop",
        ),
        // What the agent does not reach is no gap.
        (&["shop"], vec![people(&["shop", "till"]), agent(&["shop"], Truth::Yes)], Verdict::Narrower, "shop"),
        (&["shop"], vec![people(&["shop", "till"])], Verdict::ControlGap, "shop"),
    ] {
        let reached = if reached == ["*"] { ResourceScope::everything() } else { scope(reached) };
        let mut town = pair_town(vec![slice(&[3], reached, none())], vec![plain(&[3])]);
        town.inventory.controls = controls.clone();
        let comparison = compared(town).remove(0);
        assert_eq!(comparison.verdict, verdict, "{controls:?}");
        assert_eq!(&*comparison.controls[0].resource, resource, "{controls:?}");
    }
}

#[test]
fn short_lived_proof_answers_factors_at_sign_in_but_not_a_condition() {
    for (is_static, by_condition, verdict) in [
        (Some(false), false, Verdict::Parity),
        (Some(true), false, Verdict::ControlGap),
        (None, false, Verdict::Unknown),
        (Some(false), true, Verdict::ControlGap),
    ] {
        let condition = if by_condition { when("mfa", "true") } else { none() };
        let mut town = pair_town(vec![plain(&[3])], vec![slice(&[3], ResourceScope::everything(), condition)]);
        if !by_condition {
            let evidence = Evidence::whole("toy.json");
            town.inventory.controls.push(Control::new("a/ops-people".into(), ControlKind::Mfa, Truth::Yes, evidence));
        }
        let evidence = Evidence::whole("toy.json");
        let mut credential = Credential::new("c".into(), "a/ops-agent".into(), TOY, "session", evidence);
        credential.is_static = Fact::known(is_static);
        town.inventory.credentials.push(credential);
        assert_eq!(compared(town).remove(0).verdict, verdict, "{is_static:?} {by_condition}");
    }
    // A token that is got by a key that stays valid proves what the key proves.
    let mut town = pair_town(vec![plain(&[3])], vec![plain(&[3])]);
    let evidence = || Evidence::whole("toy.json");
    town.inventory.controls.push(Control::new("a/ops-people".into(), ControlKind::Mfa, Truth::Yes, evidence()));
    let mut token = Credential::new("c".into(), "a/ops-agent".into(), TOY, "app_token", evidence());
    (token.is_static, token.by_unseen_static) = (Fact::Known(false), true);
    town.inventory.credentials.push(token);
    let comparison = compared(town).remove(0);
    assert_eq!((comparison.verdict, comparison.controls[0].identity), (Verdict::ControlGap, Truth::No));
    // Nobody can be asked for factors where nothing tells what proves it.
    let mut town = pair_town(vec![plain(&[3])], vec![plain(&[3])]);
    let evidence = Evidence::whole("toy.json");
    town.inventory.controls.push(Control::new("a/ops-people".into(), ControlKind::Mfa, Truth::Yes, evidence));
    let comparison = compared(town).remove(0);
    assert_eq!((comparison.verdict, comparison.controls[0].is_gap()), (Verdict::Unknown, Truth::Unknown));
}

#[test]
fn just_in_time_access_is_compared_by_when_it_ends() {
    let all = ResourceScope::everything;
    let (tonight, next_year, never) = ("2026-11-01T18:00:00Z", "2027-11-01T18:00:00Z", "");
    let until = |date: &str| {
        let test = Test { operator: "DateLessThan".into(), ..test("clock", date) };
        if date.is_empty() { none() } else { none().with(Clause::When(test)) }
    };
    for (ai, human, verdict) in [
        (tonight, tonight, Verdict::Parity),
        (tonight, next_year, Verdict::Parity),
        (next_year, tonight, Verdict::Unknown),
        (never, tonight, Verdict::ControlGap),
        (tonight, never, Verdict::Parity),
    ] {
        let comparison = pair(vec![slice(&[3], all(), until(ai))], vec![slice(&[3], all(), until(human))]);
        assert_eq!(comparison.verdict, verdict, "{ai} beside {human}: {comparison:#?}");
    }
    // People who activate a role are under it; a date on the agent's grant is another thing.
    let mut town = pair_town(vec![slice(&[3], all(), until(next_year))], vec![plain(&[3])]);
    let activation = |identity: &str| {
        Control::new(identity.into(), ControlKind::JustInTime, Truth::Yes, Evidence::whole("toy.json"))
    };
    town.inventory.controls.push(activation("a/ops-people"));
    assert_eq!(compared(town).remove(0).verdict, Verdict::Unknown);
    // Whoever activates too is under it, whatever the dates.
    let mut town = pair_town(vec![slice(&[3], all(), until(next_year))], vec![slice(&[3], all(), until(tonight))]);
    town.inventory.controls.push(activation("a/ops-agent"));
    assert_eq!(compared(town).remove(0).verdict, Verdict::Parity);
    // A grant that only begins stands for ever after.
    let begins = Test { operator: "DateGreaterThan".into(), ..test("clock", tonight) };
    let since = none().with(Clause::When(begins));
    let comparison = pair(vec![slice(&[3], all(), since)], vec![slice(&[3], all(), until(next_year))]);
    assert_eq!(comparison.verdict, Verdict::Unknown);
}
