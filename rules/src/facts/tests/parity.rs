//! What comparisons become: columns of identities and rows of controls.

use evenhand_model::control::ControlKind;
use evenhand_model::evidence::Truth;
use evenhand_model::identity::Nature;
use evenhand_model::parity::{Baseline, BaselineSource, Comparison, ControlComparison, GateComparison, Verdict};
use evenhand_model::table::Value;

use super::{facts, facts_at_gates, identity, text};
use crate::parity::toy::Town;

fn comparison(id: &str, verdict: Verdict) -> Comparison {
    Comparison {
        identity: id.into(),
        verdict,
        summary: String::new(),
        baseline: Baseline {
            roles: vec!["s/role".into()],
            name: "role".into(),
            source: BaselineSource::Configured,
            reason: "".into(),
        },
        operations: Some(4),
        access_weight: Some(10),
        human_operations: Some(3),
        human_weight: Some(8),
        excess: Vec::new(),
        excess_operations: 0,
        wider_operations: 0,
        excess_weight: 0,
        high_risk_excess: 0,
        undecided_operations: 0,
        coverage: Some(1.0),
        controls: Vec::new(),
        doubts: Vec::new(),
    }
}

#[test]
fn comparison_columns_are_null_where_there_is_nothing_to_compare() {
    let mut town = Town::default();
    for id in ["s/equal", "s/lost", "s/alone", "s/empty"] {
        town.add(Nature::AiAgent, id, None);
    }
    town.add(Nature::HumanRole, "s/role", None);
    let lost = Comparison { operations: None, access_weight: None, ..comparison("s/lost", Verdict::Unknown) };
    let mut alone = comparison("s/alone", Verdict::NoBaseline);
    alone.baseline.roles.clear();
    alone.baseline.source = BaselineSource::None;
    let empty = Comparison { operations: Some(0), access_weight: Some(0), ..comparison("s/empty", Verdict::Narrower) };
    let comparisons = [comparison("s/equal", Verdict::Parity), lost, alone, empty];
    let facts = facts(town, &comparisons, None);
    for (id, verdict, excess, ratio) in [
        ("s/equal", text("PARITY"), Value::Integer(0), Value::Float(0.0)),
        ("s/lost", text("UNKNOWN"), Value::Null, Value::Null),
        ("s/alone", text("NO_BASELINE"), Value::Null, Value::Null),
        ("s/empty", text("NARROWER"), Value::Integer(0), Value::Float(0.0)),
        ("s/role", Value::Null, Value::Null, Value::Null),
    ] {
        assert_eq!(identity(&facts, id, "verdict"), verdict, "{id}");
        assert_eq!(identity(&facts, id, "excess_operations"), excess, "{id}");
        assert_eq!(identity(&facts, id, "excess_ratio"), ratio, "{id}");
    }
    assert_eq!(identity(&facts, "s/alone", "baseline_source"), text("none"));
    assert_eq!(identity(&facts, "s/alone", "human_role"), Value::Null);
    assert_eq!(identity(&facts, "s/equal", "human_role"), text("s/role"));
}

#[test]
fn a_control_gap_that_may_be_there_is_unknown_and_a_certain_one_is_counted() {
    let control = |kind, identity| ControlComparison {
        control: kind,
        operations: vec!["op".into()],
        count: 7,
        resource: "*".into(),
        human: Truth::Yes,
        identity,
        way: None,
        reason: "".into(),
        evidence: Vec::new(),
    };
    let mut town = Town::default();
    for id in ["s/gap", "s/maybe", "s/fine", "s/unread"] {
        town.add(Nature::AiAgent, id, None);
    }
    let with = |id, controls| Comparison { controls, ..comparison(id, Verdict::Parity) };
    let comparisons = [
        with("s/gap", vec![control(ControlKind::Mfa, Truth::No), control(ControlKind::JustInTime, Truth::Unknown)]),
        with("s/maybe", vec![control(ControlKind::Mfa, Truth::Unknown)]),
        with("s/fine", vec![control(ControlKind::Mfa, Truth::Yes)]),
        Comparison { human_operations: None, ..comparison("s/unread", Verdict::Unknown) },
    ];
    let facts = facts(town, &comparisons, None);
    for (id, gaps, list, open) in [
        ("s/gap", Value::Integer(1), text("mfa"), text("just_in_time")),
        ("s/maybe", Value::Null, Value::Null, text("mfa")),
        ("s/fine", Value::Integer(0), text(""), text("")),
        ("s/unread", Value::Null, Value::Null, Value::Null),
    ] {
        assert_eq!(identity(&facts, id, "open_control_gap_list"), open, "{id}");
        assert_eq!(identity(&facts, id, "control_gaps"), gaps, "{id}");
        assert_eq!(identity(&facts, id, "control_gap_list"), list, "{id}");
    }
    let controls = facts.table("controls").unwrap();
    assert_eq!(controls.rows(), 4);
    assert_eq!(controls.value(0, "operation"), text("op and 6 more"));
}

#[test]
fn a_control_that_a_machine_changes_is_told_with_what_people_pass_it_before() {
    let gate = |stands_before: &[&str]| GateComparison {
        identity: "s/key".into(),
        human_role: "s/write".into(),
        control: ControlComparison {
            control: ControlKind::ChangeGate,
            operations: vec!["rules/change".into()],
            count: 3,
            resource: "shop".into(),
            human: Truth::Yes,
            identity: Truth::No,
            way: None,
            reason: "".into(),
            evidence: Vec::new(),
        },
        stands_before: stands_before.iter().map(|name| (*name).into()).collect(),
    };
    let mut town = Town::default();
    town.add(Nature::Workload, "s/key", None);
    let facts = facts_at_gates(town, &[], &[gate(&["push", "merge"]), gate(&[])], None);
    let controls = facts.table("controls").unwrap();
    let told = [0, 1].map(|row| controls.value(row, "operation"));
    assert_eq!(told, [text("push, merge"), text("rules/change and 2 more")]);
}
