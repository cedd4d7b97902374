//! What was not read or depends on something unknown.

use std::collections::BTreeSet;
use std::sync::Arc;

use evenhand_model::access::{Doubt, DoubtEffect, EdgeTarget, Unlisted, Unread};
use evenhand_model::evidence::{Evidence, Truth};
use evenhand_model::gap::{Gap, GapKind, Lost, Subject};
use evenhand_model::id::ProviderName;
use evenhand_model::identity::Nature;
use evenhand_model::trust::{Crossing, Mechanism};
use proptest::prelude::*;

use super::{found, to};
use crate::parity::toy::{TOY, Town, plain};
use crate::paths::{Missing, find_all, gaps, missing};

#[test]
fn what_depends_on_unknown_conditions_is_unknown() {
    let mut town = Town::default();
    town.add(Nature::AiAgent, "a/start", Some(vec![]));
    town.add(Nature::AiAgent, "desk/blind", None);
    town.edge("a/start", EdgeTarget::Admin("a".into()), "perhaps", true, true);
    let result = found(town);
    let reach = |id: &str| result.reach_of(&id.into()).map(|reach| (reach.can_escalate, reach.reaches_admin)).unwrap();
    assert_eq!(reach("a/start"), (Truth::Unknown, Truth::Unknown));
    assert_eq!(reach("desk/blind"), (Truth::Unknown, Truth::Unknown));
    assert!(result.paths_of(&"a/start".into())[0].conditional);
}

fn unread(town: &mut Town, id: &str) {
    let gap = Gap {
        provider: Some(TOY),
        scope: Some("a".into()),
        kind: GapKind::NotCollected,
        call: "list machines".into(),
        reason: "not read".into(),
        facts: vec![Lost::of("who can take over machines", &[Subject::Escalation])],
    };
    let unread = Unread { what: "machines of a".into(), gap };
    town.toy.unlisted.entry(id.into()).or_default().push(Unlisted::Unread(Arc::new(unread)));
}

fn doubt(town: &mut Town, id: &str, effect: DoubtEffect) {
    town.access_of(id).doubts.push(Doubt::new("policy `p` was not read", effect));
}

#[test]
fn what_was_not_read_turns_no_into_unknown_and_nothing_else() {
    let (no, unknown, yes) = (Truth::No, Truth::Unknown, Truth::Yes);
    type Change = fn(&mut Town);
    let cases: [(&str, Change, (Truth, Truth)); 13] = [
        ("all was read", |_| {}, (no, no)),
        ("a step of its own", |town| unread(town, "a/start"), (unknown, unknown)),
        ("a step of someone it can become", |town| unread(town, "a/next"), (unknown, unknown)),
        ("a step of someone it may be able to become", |town| unread(town, "a/perhaps"), (unknown, unknown)),
        ("a step of someone else", |town| unread(town, "a/other"), (no, no)),
        (
            "lesser targets",
            |town| {
                town.toy.unlisted.insert("a/start".into(), vec![Unlisted::Lesser("many".into())]);
            },
            (no, no),
        ),
        ("more access", |town| doubt(town, "a/start", DoubtEffect::Adds), (unknown, unknown)),
        ("other access", |town| doubt(town, "a/next", DoubtEffect::Either), (unknown, unknown)),
        ("less access", |town| doubt(town, "a/start", DoubtEffect::Limits), (no, no)),
        (
            "an escalation beside it",
            |town| {
                unread(town, "a/start");
                town.edge("a/start", to("a/other"), "take-over", true, false);
            },
            (yes, unknown),
        ),
        (
            "control beside it",
            |town| {
                unread(town, "a/start");
                town.edge("a/start", EdgeTarget::Admin("a".into()), "force", true, false);
            },
            (yes, yes),
        ),
        (
            "less access and an escalation",
            |town| {
                doubt(town, "a/start", DoubtEffect::Limits);
                town.edge("a/start", EdgeTarget::Admin("a".into()), "force", true, false);
            },
            (yes, yes),
        ),
        (
            "someone it can become controls the scope",
            |town| {
                unread(town, "a/next");
                doubt(town, "a/next", DoubtEffect::Adds);
                town.toy.admins.push("a/next".into());
            },
            (no, yes),
        ),
    ];
    for (name, change, expected) in cases {
        let mut town = Town::default();
        for id in ["a/start", "a/next", "a/perhaps", "a/other"] {
            town.add(Nature::AiAgent, id, Some(vec![plain(&[1])]));
        }
        town.edge("a/start", to("a/next"), "trust", false, false);
        town.edge("a/start", to("a/perhaps"), "trust", false, true);
        change(&mut town);
        let result = found(town);
        let reach = result.reach_of(&"a/start".into()).unwrap();
        assert_eq!((reach.can_escalate, reach.reaches_admin), expected, "{name}");
    }
}

#[test]
fn who_controls_a_scope_may_escalate_where_somebody_outside_it_was_not_read_whole() {
    for (open, expected) in [("b/far", Truth::Unknown), ("a/near", Truth::No), ("a/boss", Truth::No)] {
        let mut town = Town::default();
        for id in ["a/boss", "a/near", "b/far"] {
            town.add(Nature::Workload, id, Some(vec![plain(&[1])]));
        }
        town.toy.admins.push("a/boss".into());
        town.edge("a/boss", to("a/near"), "trust", false, false);
        town.edge("a/boss", to("b/far"), "trust", false, false);
        unread(&mut town, open);
        assert_eq!(found(town).reach_of(&"a/boss".into()).unwrap().can_escalate, expected, "{open}");
    }
}

#[test]
fn what_is_missing_is_told_with_whose_it_is_and_is_a_gap_once() {
    let mut town = Town::default();
    for id in ["a/start", "a/next", "a/boss", "a/other"] {
        town.add(Nature::AiAgent, id, Some(vec![plain(&[1])]));
        unread(&mut town, id);
    }
    town.toy.admins.push("a/boss".into());
    town.edge("a/start", to("a/next"), "trust", false, false);
    town.edge("a/start", to("a/boss"), "trust", false, false);
    town.edge("a/next", to("a/start"), "trust", false, false);
    doubt(&mut town, "a/next", DoubtEffect::Either);
    doubt(&mut town, "a/boss", DoubtEffect::Either);
    let (inventory, judged, resolvers, _) = town.built();
    let result = find_all(&inventory, &judged, &resolvers);
    let told: Vec<String> = missing(&inventory, &judged, &resolvers, &result, &"a/start".into())
        .into_iter()
        .map(|missing| match missing {
            Missing::Unread(unread) => unread.what.to_string(),
            Missing::Doubt(whose, text) => format!("{whose}: {text}"),
        })
        .collect();
    assert_eq!(told, ["machines of a", "a/next: policy `p` was not read"]);
    assert_eq!(gaps(&inventory, &resolvers).len(), 1);
}

proptest! {
    #[test]
    fn reading_more_only_decides(
        edges in prop::collection::btree_set((0..6_usize, 0..6_usize, any::<bool>(), any::<bool>()), 0..14),
        open in prop::collection::btree_set(0..6_usize, 0..4),
        read in 0..6_usize,
    ) {
        let reaches = |open: &BTreeSet<usize>| {
            let mut town = Town::default();
            for at in 0..6 {
                town.add(Nature::Workload, &format!("a/n{at}"), Some(vec![plain(&[1])]));
            }
            for (from, end, escalation, conditional) in &edges {
                town.edge(&format!("a/n{from}"), to(&format!("a/n{end}")), "step", *escalation, *conditional);
            }
            for at in open {
                unread(&mut town, &format!("a/n{at}"));
            }
            let result = found(town);
            result.reach.values().map(|reach| (reach.can_escalate, reach.reaches_admin)).collect::<Vec<_>>()
        };
        let before = reaches(&open);
        let after = reaches(&open.iter().copied().filter(|at| *at != read).collect());
        for (before, after) in before.into_iter().zip(after) {
            prop_assert!(before.0 == after.0 || (before.0, after.0) == (Truth::Unknown, Truth::No));
            prop_assert!(before.1 == after.1 || (before.1, after.1) == (Truth::Unknown, Truth::No));
        }
    }
}

#[test]
fn a_step_of_which_both_sides_were_read_is_as_certain_as_they_say() {
    for (admitted, expected) in [
        (None, Some(true)),
        (Some(Truth::Yes), Some(false)),
        (Some(Truth::Unknown), Some(true)),
        (Some(Truth::No), None),
    ] {
        let mut town = Town::default();
        town.add(Nature::AiAgent, "a/agent", None).provider = ProviderName("cluster");
        town.add(Nature::Workload, "b/role", Some(vec![plain(&[1, 2])]));
        // What the source's side says alone.
        town.edge("a/agent", to("b/role"), "annotation", false, true);
        if let Some(admitted) = admitted {
            let (source, target) = ("a/agent".into(), "b/role".into());
            town.inventory.crossings.push(Crossing { source, target, admitted, evidence: Evidence::whole("trust") });
        }
        if admitted != Some(Truth::No) {
            town.trust("a/agent", Mechanism::Federation, "b/role");
        }
        let result = found(town);
        let paths = result.paths_of(&"a/agent".into());
        assert_eq!(paths.first().map(|path| path.conditional), expected, "{admitted:?}");
    }
}
