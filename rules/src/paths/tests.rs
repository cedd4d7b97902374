//! Paths over small graphs.

use std::collections::BTreeSet;
use std::sync::Arc;

use evenhand_model::access::{Doubt, DoubtEffect, Edge, EdgeTarget, Unlisted, Unread};
use evenhand_model::evidence::{Evidence, Truth};
use evenhand_model::gap::{Gap, GapKind, Lost, Subject};
use evenhand_model::id::{IdentityId, ProviderName};
use evenhand_model::identity::Nature;
use evenhand_model::trust::{Crossing, Mechanism};
use proptest::prelude::*;

use super::graph::Graph;
use super::reach::{Reaches, escalations};
use super::search::{MAX_NODES, Search};
use super::{MAX_TARGETS, Missing, PathsResult, find_all, gaps, missing};
use crate::parity::toy::{TOY, Town, plain};

fn found(town: Town) -> PathsResult {
    let (inventory, judged, resolvers, _) = town.built();
    find_all(&inventory, &judged, &resolvers)
}

fn to(id: &str) -> EdgeTarget {
    EdgeTarget::Identity(id.into())
}

fn techniques(result: &PathsResult, identity: &str) -> Vec<(String, String)> {
    result
        .paths_of(&identity.into())
        .iter()
        .map(|path| {
            let hops: Vec<String> = result.hops(path).map(|hop| hop.technique.to_string()).collect();
            let target = match &path.target {
                EdgeTarget::Identity(id) => id.to_string(),
                EdgeTarget::Admin(scope) => format!("admin of {scope}"),
            };
            (target, hops.join(" > "))
        })
        .collect()
}

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
    assert_eq!(result.escalation_of(&"a/agent".into()).unwrap().target, to("a/tools"));
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
        let path = result.escalation_of(&"a/agent".into()).unwrap();
        assert!(result.paths_of(&"a/agent".into()).len() <= MAX_TARGETS);
        let steps: Vec<String> = result.hops(path).map(|hop| hop.technique.to_string()).collect();
        assert_eq!(steps, ["uses-tool", "take-over"]);
    }
}

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
fn a_search_looks_at_few_nodes_however_far_away_an_escalation_is() {
    // Behind a hub of many, or at the end of a chain that is short enough to be shown, or of one that is not.
    for (hub, length, beyond, expected) in [
        (true, 3000, true, Some(2)),
        (true, 3000, false, None),
        (false, 800, true, Some(801)),
        (false, 800, false, None),
        (false, 3000, true, None),
    ] {
        let mut town = Town::default();
        town.add(Nature::AiAgent, "a/agent", Some(vec![plain(&[1])]));
        town.add(Nature::Workload, "a/taken", Some(vec![plain(&[1])]));
        for at in 0..length {
            town.add(Nature::Workload, &format!("a/t{at}"), Some(vec![]));
            let before = if hub || at == 0 { "a/agent".to_owned() } else { format!("a/t{}", at - 1) };
            town.trust(&before, Mechanism::UsesTool, &format!("a/t{at}"));
        }
        let end = if beyond { "a/taken" } else { "a/agent" };
        town.edge(&format!("a/t{}", length - 1), to(end), "take-over", true, false);
        let (inventory, judged, resolvers, _) = town.built();
        let graph = Graph::new(&inventory, &judged, &resolvers);
        let reaches = Reaches::of(&graph);
        let mut search = Search::new(&graph);
        let start = judged.position(&"a/agent".into()).unwrap();
        let paths = search.paths_from(&reaches, start);
        assert_eq!(paths.first().map(|path| path.len()), expected, "{hub} {length} {beyond}");
        assert!(search.looked_at() <= MAX_NODES + 2, "{} nodes: {hub} {length} {beyond}", search.looked_at());
        let can_escalate = reaches.reach_of(&graph, &mut search, start).can_escalate;
        assert_eq!(can_escalate, if beyond { Truth::Yes } else { Truth::No }, "{hub} {length} {beyond}");
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

#[test]
fn escalations_of_everyone_are_found_in_work_that_grows_as_the_graph_does() {
    // Everyone's own tool could take him over, and everyone trusts a hub that a long chain starts from.
    for (beyond, expected) in [(false, Truth::No), (true, Truth::Yes)] {
        let size = 200;
        let mut town = Town::default();
        town.add(Nature::Workload, "a/hub", Some(vec![]));
        for at in 0..size {
            for name in ["chain", "tool", "user"] {
                town.add(Nature::Workload, &format!("a/{name}{at}"), Some(vec![plain(&[1])]));
            }
            let before = if at == 0 { "a/hub".to_owned() } else { format!("a/chain{}", at - 1) };
            town.edge(&before, to(&format!("a/chain{at}")), "trust", false, false);
            town.edge(&format!("a/user{at}"), to("a/hub"), "trust", false, false);
            town.edge(&format!("a/user{at}"), to(&format!("a/tool{at}")), "trust", false, false);
            town.edge(&format!("a/tool{at}"), to(&format!("a/user{at}")), "take-over", true, false);
        }
        if beyond {
            town.edge(&format!("a/chain{}", size - 1), to("a/chain0"), "take-over", true, false);
        }
        let (inventory, judged, resolvers, _) = town.built();
        let graph = Graph::new(&inventory, &judged, &resolvers);
        let mut looks = 0;
        let nearest = escalations(&graph, |_| looks += 1);
        assert_eq!(nearest.len(), graph.len());
        assert!(looks <= 2 * graph.len(), "{looks} looks at {} nodes", graph.len());
        let result = find_all(&inventory, &judged, &resolvers);
        for at in 0..size {
            let reach = result.reach_of(&format!("a/user{at}").into()).unwrap();
            assert_eq!(reach.can_escalate, expected, "user {at}");
        }
    }
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

#[test]
fn control_is_found_beyond_the_bound_of_a_search() {
    let mut town = Town::default();
    for at in 0..700 {
        town.add(Nature::Workload, &format!("a/n{at:03}"), Some(vec![]));
        if at > 0 {
            town.edge(&format!("a/n{:03}", at - 1), to(&format!("a/n{at:03}")), "trust", false, false);
        }
    }
    town.edge("a/n699", EdgeTarget::Admin("a".into()), "force", true, false);
    let result = found(town);
    let path = &result.paths_of(&"a/n000".into())[0];
    assert_eq!((path.len(), path.reaches_admin), (700, true));
    assert_eq!(result.reach_of(&"a/n000".into()).unwrap().can_escalate, Truth::Yes);
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

#[test]
fn what_lies_beyond_a_search_that_was_cut_is_unknown() {
    for (between, expected) in [(5, Truth::Yes), (600, Truth::Unknown)] {
        let mut town = Town::default();
        town.add(Nature::Workload, "a/boss", Some(vec![plain(&[1])]));
        town.toy.admins.push("a/boss".into());
        for at in 0..between {
            town.add(Nature::Workload, &format!("a/t{at:03}"), Some(vec![plain(&[1])]));
        }
        town.add(Nature::Workload, "b/far", Some(vec![plain(&[1])]));
        town.edge("a/boss", to("a/t000"), "trust", false, false);
        for at in 1..between {
            town.edge(&format!("a/t{:03}", at - 1), to(&format!("a/t{at:03}")), "trust", false, false);
        }
        town.edge(&format!("a/t{:03}", between - 1), to("b/far"), "take-over", true, false);
        assert_eq!(found(town).reach_of(&"a/boss".into()).unwrap().can_escalate, expected, "{between}");
    }
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
