//! Machines beside the least role that must pass a gate.

use std::sync::Arc;

use evenhand_model::access::{Doubt, DoubtEffect};
use evenhand_model::control::{Control, ControlKind, Way};
use evenhand_model::evidence::{Evidence, Truth};
use evenhand_model::identity::Nature;
use evenhand_model::opset::OperationIx;
use evenhand_model::parity::{GateComparison, Verdict};
use evenhand_model::trust::Mechanism;

use super::pair_town;
use crate::parity::toy::{Town, plain, scope};
use crate::parity::{ParityConfig, compare_all};

fn at_gates(town: Town) -> Vec<GateComparison> {
    let (inventory, judged, resolvers, jobs) = town.built();
    compare_all(&inventory, &judged, &resolvers, &ParityConfig::new(jobs)).gates
}

#[test]
fn a_gate_is_told_beside_the_least_role_that_must_pass_it_whatever_the_job() {
    let control = |identity: &str, place: &str, in_place, reason: &str| Control {
        scope: Arc::new(scope(&[place])),
        operations: Some(Arc::new([OperationIx(3), OperationIx(8)].into_iter().collect())),
        reason: reason.into(),
        ..Control::new(identity.into(), ControlKind::SecondPersonApproval, in_place, Evidence::whole(identity))
    };
    let least = |in_place| control("a/write", "shop", in_place, "");
    let above = control("a/admin", "shop", Truth::No, "administers");
    let agent = control("a/ops-agent", "shop", Truth::No, "listed");
    let key = control("a/key", "shop", Truth::Unknown, "untold");
    let people = |in_place| control("a/ops-people", "shop", in_place, "");
    let approved =
        || Control::new("a/ops-agent".into(), ControlKind::SecondPersonApproval, Truth::Yes, Evidence::whole("x"));
    let row = |identity: &str, human, has, reason: &str| (identity.to_owned(), human, has, reason.to_owned());
    let (of_agent, of_key) =
        (|human| row("a/ops-agent", human, Truth::No, "listed"), |human| row("a/key", human, Truth::Unknown, "untold"));
    for (people_hold, controls, verdict, expected) in [
        // The people of the job do not get there: an excess, and a gate that others must pass.
        (
            &[1][..],
            vec![least(Truth::Yes), above.clone(), agent.clone(), key.clone()],
            Verdict::Excess,
            vec![of_agent(Truth::Yes), of_key(Truth::Yes)],
        ),
        // Their own row tells of it.
        (
            &[1, 3],
            vec![people(Truth::Yes), least(Truth::Yes), agent.clone(), key.clone()],
            Verdict::ControlGap,
            vec![of_key(Truth::Yes)],
        ),
        // They are let past themselves, which others are not.
        (&[3], vec![people(Truth::No), least(Truth::Yes), agent.clone()], Verdict::Parity, vec![of_agent(Truth::Yes)]),
        (&[1], vec![least(Truth::Unknown), agent.clone()], Verdict::Excess, vec![of_agent(Truth::Unknown)]),
        // Nobody is stopped, or nobody knows a gate there.
        (&[1], vec![least(Truth::No), above.clone(), agent.clone(), key.clone()], Verdict::Excess, vec![]),
        (&[1], vec![control("a/write", "till", Truth::Yes, ""), agent.clone()], Verdict::Excess, vec![]),
        // What stands before all that it does stands there too.
        (
            &[1],
            vec![least(Truth::Yes), agent.clone(), approved()],
            Verdict::Excess,
            vec![row("a/ops-agent", Truth::Yes, Truth::Yes, "")],
        ),
    ] {
        let mut town = pair_town(vec![plain(&[3])], vec![plain(people_hold)]);
        town.add(Nature::HumanRole, "a/write", Some(vec![plain(&[1, 3])])).generic_role = true;
        town.add(Nature::HumanRole, "a/admin", Some(vec![plain(&[1, 3, 4])])).generic_role = true;
        town.add(Nature::Workload, "a/key", Some(vec![plain(&[3])]));
        town.inventory.controls = controls.clone();
        let (inventory, judged, resolvers, jobs) = town.built();
        let found = compare_all(&inventory, &judged, &resolvers, &ParityConfig::new(jobs));
        assert_eq!(found.comparisons[0].verdict, verdict, "{controls:?}");
        let rows: Vec<_> = found
            .gates
            .iter()
            .map(|gate| {
                assert_eq!(
                    (gate.human_role.as_str(), gate.control.count, &*gate.control.resource),
                    ("a/write", 1, "shop")
                );
                (gate.identity.to_string(), gate.control.human, gate.control.identity, gate.control.reason.to_string())
            })
            .collect();
        assert_eq!(rows, expected, "{controls:?}");
    }
    for (doubt, in_place, expected) in [
        // A grant that was not read may give the same without the gate.
        (DoubtEffect::Adds, Truth::Yes, Truth::Unknown),
        (DoubtEffect::Adds, Truth::No, Truth::No),
        (DoubtEffect::Limits, Truth::Yes, Truth::Yes),
        (DoubtEffect::Limits, Truth::No, Truth::Unknown),
    ] {
        let mut town = pair_town(vec![plain(&[3])], vec![plain(&[1])]);
        town.add(Nature::HumanRole, "a/write", Some(vec![plain(&[1, 3])])).generic_role = true;
        town.access_of("a/ops-agent").doubts.push(Doubt::new("x", doubt));
        town.inventory.controls = vec![least(Truth::Yes), control("a/ops-agent", "shop", in_place, "")];
        assert_eq!(
            at_gates(town).iter().map(|gate| gate.control.identity).collect::<Vec<_>>(),
            [expected],
            "{doubt:?}"
        );
    }
}

#[test]
fn what_people_pass_a_gate_before_is_told_apart_from_what_takes_it_away() {
    let control = |identity: &str, in_place, way, operation: u32| Control {
        scope: Arc::new(scope(&["shop"])),
        operations: Some(Arc::new([OperationIx(operation)].into_iter().collect())),
        way,
        ..Control::new(identity.into(), ControlKind::SecondPersonApproval, in_place, Evidence::whole("toy.json"))
    };
    for (held, way, by, before) in
        [(4, Way::Changes, "op:04", &["op:03"][..]), (3, Way::Changes, "op:03", &[]), (3, Way::Listed, "op:03", &[])]
    {
        let mut town = pair_town(vec![plain(&[held])], vec![plain(&[1])]);
        town.add(Nature::HumanRole, "a/write", Some(vec![plain(&[1, 3])])).generic_role = true;
        town.inventory.controls =
            vec![control("a/write", Truth::Yes, None, 3), control("a/ops-agent", Truth::No, Some(way), held)];
        let gates = at_gates(town);
        let [gate] = gates.as_slice() else { panic!("{gates:?}") };
        let own: Vec<&str> = gate.control.operations.iter().map(|name| &**name).collect();
        let told: Vec<&str> = gate.stands_before.iter().map(|name| &**name).collect();
        assert_eq!((own.as_slice(), told.as_slice()), (&[by][..], before), "{way:?}");
    }
}

#[test]
fn what_an_agent_and_its_tool_server_face_alike_at_several_gates_is_told_once() {
    let control = |identity: &str, place: &str, in_place, reason: &str| Control {
        scope: Arc::new(scope(&[place])),
        reason: reason.into(),
        ..Control::new(identity.into(), ControlKind::SecondPersonApproval, in_place, Evidence::whole("toy.json"))
    };
    let mut town = pair_town(vec![plain(&[3])], vec![plain(&[1])]);
    town.add(Nature::HumanRole, "a/write", Some(vec![plain(&[1, 3])])).generic_role = true;
    town.add(Nature::Workload, "a/tool", Some(vec![plain(&[3])]));
    town.trust("a/ops-agent", Mechanism::UsesTool, "a/tool");
    town.inventory.controls = vec![
        control("a/write", "shop", Truth::Yes, ""),
        control("a/write", "till", Truth::Yes, ""),
        control("a/ops-agent", "shop", Truth::No, "listed"),
        control("a/ops-agent", "till", Truth::No, "may change it"),
    ];
    let gates = at_gates(town);
    let told: Vec<(&str, &str)> = gates.iter().map(|gate| (&*gate.control.resource, &*gate.control.reason)).collect();
    assert_eq!(told, [("shop", "listed"), ("till", "may change it")]);
}
