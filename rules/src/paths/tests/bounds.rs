//! How far a search looks, and what is found beyond it.

use evenhand_model::access::EdgeTarget;
use evenhand_model::evidence::Truth;
use evenhand_model::identity::Nature;
use evenhand_model::trust::Mechanism;

use super::{found, to};
use crate::parity::toy::{Town, plain};
use crate::paths::find_all;
use crate::paths::graph::Graph;
use crate::paths::reach::{Reaches, escalations};
use crate::paths::search::{Found, MAX_NODES, Search};

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
        let mut found = Found::default();
        search.paths_from(&reaches, start, &mut found);
        assert_eq!(found.paths.first().map(|path| path.len()), expected, "{hub} {length} {beyond}");
        assert!(search.looked_at() <= MAX_NODES + 2, "{} nodes: {hub} {length} {beyond}", search.looked_at());
        let can_escalate = reaches.reach_of(&graph, &mut search, start).can_escalate;
        assert_eq!(can_escalate, if beyond { Truth::Yes } else { Truth::No }, "{hub} {length} {beyond}");
    }
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
