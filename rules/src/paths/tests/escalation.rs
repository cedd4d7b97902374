//! Whether somebody can escalate, and which target is named.

use std::collections::BTreeSet;

use evenhand_model::access::{Doubt, DoubtEffect, EdgeTarget};
use evenhand_model::evidence::Truth;
use evenhand_model::id::IdentityId;
use evenhand_model::identity::Nature;
use evenhand_model::trust::Mechanism;
use proptest::prelude::*;

use super::{found, techniques, to};
use crate::parity::toy::{Town, plain};
use crate::paths::MAX_TARGETS;

#[test]
fn an_escalation_to_the_same_operations_elsewhere_is_named() {
    let mut town = Town::default();
    town.add(Nature::AiAgent, "a/agent", Some(vec![plain(&[1, 2])]));
    town.add(Nature::Workload, "a/robot", Some(vec![plain(&[1])]));
    town.edge("a/agent", to("a/robot"), "take-over", true, false);
    let result = found(town);
    let reach = result.reach_of(&"a/agent".into()).unwrap();
    assert_eq!((reach.can_escalate, reach.target.clone()), (Truth::Yes, Some(to("a/robot"))));
}

#[test]
fn who_takes_over_somebody_who_holds_nothing_gains_nothing_unless_that_one_may_hold_more() {
    type Change = fn(&mut Town);
    type Expected = (Truth, Option<EdgeTarget>);
    let taken = || Some(to("a/taken"));
    let cases: [(&str, Change, Expected); 5] = [
        ("all was read", |_| {}, (Truth::No, None)),
        (
            "a policy was not read",
            |town| town.access_of("a/taken").doubts.push(Doubt::new("unread", DoubtEffect::Adds)),
            (Truth::Unknown, taken()),
        ),
        (
            "a limit was not read",
            |town| town.access_of("a/taken").doubts.push(Doubt::new("unread", DoubtEffect::Limits)),
            (Truth::No, None),
        ),
        (
            "nothing was read",
            |town| {
                town.toy.accesses.remove(&IdentityId::from("a/taken"));
            },
            (Truth::Yes, taken()),
        ),
        (
            "it can become somebody",
            |town| {
                town.add(Nature::Workload, "a/next", Some(vec![plain(&[3])]));
                town.edge("a/taken", to("a/next"), "trust", false, false);
            },
            (Truth::Yes, Some(to("a/next"))),
        ),
    ];
    for (name, change, expected) in cases {
        let mut town = Town::default();
        town.add(Nature::AiAgent, "a/agent", Some(vec![plain(&[1, 2])]));
        town.add(Nature::Workload, "a/taken", Some(vec![]));
        town.edge("a/agent", to("a/taken"), "take-over", true, false);
        change(&mut town);
        let result = found(town);
        let reach = result.reach_of(&"a/agent".into()).unwrap();
        assert_eq!((reach.can_escalate, reach.target.clone()), expected, "{name}");
        assert_eq!(result.paths_of(&"a/agent".into()).is_empty(), expected.1.is_none(), "{name}");
    }
}

#[test]
fn what_an_agent_can_escalate_to_is_named_with_the_shortest_path_whichever_steps_lead_there() {
    let mut town = Town::default();
    town.add(Nature::AiAgent, "a/agent", Some(vec![plain(&[1, 2])]));
    town.add(Nature::Workload, "a/tools", Some(vec![plain(&[1, 2])]));
    town.edge("a/agent", to("a/tools"), "take-over", true, false);
    town.edge("a/agent", to("a/tools"), "uses-tool", false, false);
    let result = found(town);
    let reach = result.reach_of(&"a/agent".into()).unwrap();
    assert_eq!((reach.can_escalate, reach.target.clone()), (Truth::Yes, Some(to("a/tools"))));
    assert_eq!(techniques(&result, "a/agent"), [("a/tools".into(), "uses-tool".into())]);
    assert_eq!(reach.escalation(result.paths_of(&"a/agent".into())).unwrap().target, to("a/tools"));
}

#[test]
fn what_an_agent_can_escalate_to_is_named_behind_any_number_of_stronger_and_of_nearer_targets() {
    for (others, strength) in [(MAX_TARGETS, &[1, 2, 3][..]), (700, &[1, 2, 3]), (700, &[])] {
        let mut town = Town::default();
        town.add(Nature::AiAgent, "a/agent", Some(vec![plain(&[1])]));
        town.add(Nature::Workload, "a/taken", Some(vec![plain(&[1])]));
        for at in 0..others {
            town.add(Nature::Workload, &format!("a/t{at:03}"), Some(vec![plain(strength)]));
            town.trust("a/agent", Mechanism::UsesTool, &format!("a/t{at:03}"));
        }
        town.edge(&format!("a/t{:03}", others - 1), to("a/taken"), "take-over", true, false);
        let result = found(town);
        let reach = result.reach_of(&"a/agent".into()).unwrap();
        assert_eq!((reach.can_escalate, reach.target.clone()), (Truth::Yes, Some(to("a/taken"))), "{others}");
        let path = reach.escalation(result.paths_of(&"a/agent".into())).unwrap();
        assert!(result.paths_of(&"a/agent".into()).len() <= MAX_TARGETS);
        let steps: Vec<String> = result.hops(path).map(|hop| hop.technique.to_string()).collect();
        assert_eq!(steps, ["uses-tool", "take-over"]);
    }
}

#[test]
fn what_depends_on_no_unknown_condition_is_named_before_what_does() {
    let mut town = Town::default();
    town.add(Nature::AiAgent, "a/agent", Some(vec![plain(&[1])]));
    town.add(Nature::Workload, "a/strong", Some(vec![plain(&[1, 2, 3, 4])]));
    town.add(Nature::Workload, "a/weak", Some(vec![plain(&[1, 2])]));
    town.edge("a/agent", to("a/strong"), "perhaps", true, true);
    town.edge("a/agent", to("a/weak"), "take-over", true, false);
    let result = found(town);
    assert_eq!(result.reach_of(&"a/agent".into()).unwrap().target, Some(to("a/weak")));
}

#[test]
fn who_can_only_become_himself_again_does_not_escalate() {
    for (beyond, expected) in [(false, (Truth::No, None)), (true, (Truth::Yes, Some(to("a/other"))))] {
        let mut town = Town::default();
        town.add(Nature::AiAgent, "a/agent", Some(vec![plain(&[1])]));
        town.add(Nature::Workload, "a/tools", Some(vec![plain(&[1])]));
        town.add(Nature::Workload, "a/other", Some(vec![plain(&[1])]));
        town.trust("a/agent", Mechanism::UsesTool, "a/tools");
        town.edge("a/tools", to("a/agent"), "take-over", true, false);
        if beyond {
            town.edge("a/tools", to("a/other"), "take-over", true, false);
        }
        let result = found(town);
        let reach = result.reach_of(&"a/agent".into()).unwrap();
        assert_eq!((reach.can_escalate, reach.target.clone()), expected);
        // For the tool server the agent is another.
        assert_eq!(result.reach_of(&"a/tools".into()).unwrap().can_escalate, Truth::Yes);
    }
}

#[test]
fn a_certain_escalation_far_away_is_named_before_an_uncertain_one_nearby() {
    let mut town = Town::default();
    town.add(Nature::AiAgent, "a/agent", Some(vec![plain(&[1])]));
    for id in ["a/perhaps", "a/taken"] {
        town.add(Nature::Workload, id, Some(vec![plain(&[1])]));
    }
    for at in 0..700 {
        town.add(Nature::Workload, &format!("a/t{at:03}"), Some(vec![]));
        town.trust("a/agent", Mechanism::UsesTool, &format!("a/t{at:03}"));
    }
    town.edge("a/agent", to("a/perhaps"), "take-over", true, true);
    town.edge("a/t699", to("a/taken"), "take-over", true, false);
    let result = found(town);
    let reach = result.reach_of(&"a/agent".into()).unwrap();
    assert_eq!((reach.can_escalate, reach.target.clone()), (Truth::Yes, Some(to("a/taken"))));
}

/// Whether somebody can escalate to another than himself, by a walk that has nothing in common with the searches.
fn escalates(start: usize, steps: &BTreeSet<(usize, usize, bool, bool)>, conditional_too: bool) -> bool {
    let mut reached = BTreeSet::from([start]);
    loop {
        let mut further = BTreeSet::new();
        for (from, end, escalation, conditional) in steps {
            if reached.contains(from) && (conditional_too || !conditional) {
                if *escalation && *end != start {
                    return true;
                }
                further.insert(*end);
            }
        }
        if further.is_subset(&reached) {
            return false;
        }
        reached.extend(further);
    }
}

proptest! {
    #[test]
    fn who_can_escalate_is_what_a_plain_walk_finds_and_is_told_with_a_target(
        steps in prop::collection::btree_set((0..6_usize, 0..6_usize, any::<bool>(), any::<bool>()), 0..14),
    ) {
        let steps: BTreeSet<_> = steps.into_iter().filter(|(from, end, ..)| from != end).collect();
        let mut town = Town::default();
        for at in 0..6 {
            town.add(Nature::Workload, &format!("a/n{at}"), Some(vec![plain(&[1])]));
        }
        for (from, end, escalation, conditional) in &steps {
            town.edge(&format!("a/n{from}"), to(&format!("a/n{end}")), "step", *escalation, *conditional);
        }
        for (at, reach) in found(town).reach.values().enumerate() {
            let expected = match (escalates(at, &steps, false), escalates(at, &steps, true)) {
                (true, _) => Truth::Yes,
                (false, true) => Truth::Unknown,
                (false, false) => Truth::No,
            };
            prop_assert_eq!(reach.can_escalate, expected);
            prop_assert_eq!(reach.target.is_some(), expected != Truth::No);
        }
    }
}

#[test]
fn who_controls_a_scope_gains_nothing_in_it() {
    let mut town = Town::default();
    town.add(Nature::AiAgent, "a/boss", Some(vec![plain(&[1])]));
    town.add(Nature::Workload, "a/other", Some(vec![plain(&[1, 2])]));
    town.add(Nature::Workload, "b/far", Some(vec![plain(&[1])]));
    town.toy.admins.push("a/boss".into());
    town.edge("a/boss", to("a/other"), "take-over", true, false);
    town.edge("a/boss", EdgeTarget::Admin("a".into()), "force", true, false);
    let inside = found(town);
    assert!(inside.paths.is_empty());
    assert_eq!(inside.reach_of(&"a/boss".into()).unwrap().can_escalate, Truth::No);
}
