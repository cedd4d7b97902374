//! Which targets are shown, and which of the ways to them.

use std::collections::BTreeSet;

use evenhand_model::access::{Edge, EdgeTarget};
use evenhand_model::evidence::Truth;
use evenhand_model::id::IdentityId;
use evenhand_model::identity::Nature;
use evenhand_model::trust::Mechanism;
use proptest::prelude::*;

use super::{found, techniques, to};
use crate::parity::toy::{Town, plain};
use crate::paths::MAX_TARGETS;

#[test]
fn a_step_to_an_identity_by_another_name_of_it_leads_to_that_identity() {
    let mut town = Town::default();
    town.add(Nature::Workload, "a/pods", Some(vec![]));
    town.add(Nature::Workload, "a/machine", Some(vec![plain(&[1])]));
    town.inventory.aliases.push(("client-id".into(), "a/machine".into()));
    town.edge("a/pods", to("client-id"), "workload-identity", false, true);
    let result = found(town);
    assert_eq!(techniques(&result, "a/pods"), [("a/machine".into(), "workload-identity".into())]);
    let hop = result.hops(&result.paths_of(&"a/pods".into())[0]).next().unwrap();
    assert_eq!(hop.target, to("a/machine"));
}

#[test]
fn an_agent_reaches_control_through_its_tool_servers_credential() {
    let mut town = Town::default();
    town.add(Nature::AiAgent, "desk/agent", None);
    town.add(Nature::AiAgent, "desk/tool", None);
    town.add(Nature::Workload, "a/robot", Some(vec![plain(&[1])]));
    town.add(Nature::HumanRole, "a/boss", Some(vec![plain(&[1, 2, 3, 4])]));
    town.toy.admins.push("a/boss".into());
    town.trust("desk/agent", Mechanism::UsesTool, "desk/tool");
    town.trust("desk/tool", Mechanism::HoldsCredential, "a/robot");
    town.edge("a/robot", to("a/boss"), "take-over", true, false);
    let result = found(town);
    assert_eq!(
        techniques(&result, "desk/agent"),
        [
            ("a/boss".into(), "uses-tool > holds-credential > take-over".into()),
            ("a/robot".into(), "uses-tool > holds-credential".into())
        ]
    );
    let reach = result.reach_of(&"desk/agent".into()).unwrap();
    assert_eq!((reach.can_escalate, reach.reaches_admin), (Truth::Yes, Truth::Yes));
    assert_eq!(reach.target, Some(to("a/boss")));
    assert!(result.paths_of(&"desk/agent".into())[0].reaches_admin);
    assert!(result.paths_of(&"a/boss".into()).is_empty());
    assert_eq!(result.reach_of(&"a/boss".into()).unwrap().reaches_admin, Truth::Yes);
}

#[test]
fn the_way_with_fewest_doubts_then_fewest_escalations_then_fewest_steps_is_shown() {
    let mut town = Town::default();
    for name in ["start", "x", "y", "z"] {
        town.add(Nature::Workload, &format!("a/{name}"), Some(vec![]));
    }
    let end = || EdgeTarget::Admin("a".into());
    town.edge("a/start", end(), "perhaps", false, true);
    town.edge("a/start", end(), "force", true, false);
    town.edge("a/start", to("a/x"), "trust", false, false);
    town.edge("a/x", to("a/y"), "trust", false, false);
    town.edge("a/y", end(), "last", false, false);
    let result = found(town);
    assert_eq!(techniques(&result, "a/start"), [("admin of a".into(), "trust > trust > last".into())]);
    assert!(!result.paths_of(&"a/start".into())[0].escalates);
    assert_eq!(result.reach_of(&"a/z".into()).unwrap().reaches_admin, Truth::No);
}

#[test]
fn weaker_targets_in_the_same_scope_are_no_gain_and_the_strongest_come_first() {
    let mut town = Town::default();
    town.add(Nature::Workload, "a/start", Some(vec![plain(&[1, 2])]));
    town.add(Nature::Workload, "a/weak", Some(vec![plain(&[1])]));
    for at in 0..20_u32 {
        let operations: Vec<u32> = (3..4 + at).collect();
        town.add(Nature::Workload, &format!("a/t{at:02}"), Some(vec![plain(&operations)]));
        town.edge("a/start", to(&format!("a/t{at:02}")), "trust", false, false);
    }
    town.edge("a/start", to("a/weak"), "trust", false, false);
    let result = found(town);
    let targets: Vec<String> = techniques(&result, "a/start").into_iter().map(|(target, _)| target).collect();
    assert_eq!(targets.len(), MAX_TARGETS);
    assert_eq!(targets[..2], ["a/t19", "a/t18"]);
    assert_eq!(result.reach_of(&"a/start".into()).unwrap().can_escalate, Truth::No);
}

/// For each identity everyone it can become, by a walk that has nothing in common with the searches.
fn closure(count: usize, edges: &BTreeSet<(usize, usize)>) -> BTreeSet<(usize, usize)> {
    let mut closed = edges.clone();
    for via in 0..count {
        for from in 0..count {
            for to in 0..count {
                if closed.contains(&(from, via)) && closed.contains(&(via, to)) {
                    closed.insert((from, to));
                }
            }
        }
    }
    closed.into_iter().filter(|(from, to)| from != to).collect()
}

/// Who becomes whom according to the paths, in a town where every identity lives and acts alone.
fn becomes(count: usize, edges: &BTreeSet<(usize, usize)>) -> BTreeSet<(usize, usize)> {
    let mut town = Town::default();
    for at in 0..count {
        let operations = [u32::try_from(at).unwrap()];
        town.add(Nature::Workload, &format!("s{at}/n"), Some(vec![plain(&operations)]));
    }
    for (from, end) in edges {
        town.edge(&format!("s{from}/n"), to(&format!("s{end}/n")), "trust", false, false);
    }
    let number = |id: &IdentityId| id.as_str().trim_start_matches('s').trim_end_matches("/n").parse().unwrap();
    let result = found(town);
    result
        .paths
        .iter()
        .map(|path| {
            let EdgeTarget::Identity(target) = &path.target else { panic!("no scope is a target here") };
            let hops: Vec<Edge> = result.hops(path).collect();
            assert_eq!(hops.first().unwrap().source, path.identity);
            assert_eq!(hops.last().unwrap().target, path.target);
            assert!(hops.windows(2).all(|pair| pair[0].target == EdgeTarget::Identity(pair[1].source.clone())));
            assert!(result.through(path).eq(hops.iter().skip(1).map(|hop| &hop.source)));
            (number(&path.identity), number(target))
        })
        .collect()
}

proptest! {
    #[test]
    fn the_closure_is_what_a_plain_walk_finds_and_is_idempotent(
        edges in prop::collection::btree_set((0..8_usize, 0..8_usize), 0..20),
    ) {
        let edges: BTreeSet<_> = edges.into_iter().filter(|(from, to)| from != to).collect();
        let once = becomes(8, &edges);
        prop_assert_eq!(&once, &closure(8, &edges));
        prop_assert_eq!(becomes(8, &once), once);
    }
}
