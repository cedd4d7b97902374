//! Searches from one start.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap, HashMap};
use std::sync::Arc;

use evenhand_model::evidence::Truth;

use super::graph::{Graph, cost, unconditional};
use super::reach::Reaches;
use super::{Hop, MAX_TARGETS, Path};

/// Nodes that are looked at from one start; full control of a scope is found beyond them too.
const MAX_NODES: usize = 512;

/// What a search from a start found: for each node the least cost and the step that leads there.
struct Found {
    /// Nodes in the order of their cost.
    settled: Vec<usize>,
    by: HashMap<usize, (u64, usize, Option<usize>), foldhash::fast::FixedState>,
}

fn search(graph: &Graph<'_>, start: usize) -> Found {
    let mut found = Found { settled: Vec::new(), by: HashMap::default() };
    let mut done: BTreeSet<usize> = BTreeSet::new();
    let mut heap = BinaryHeap::from([Reverse((0_u64, start))]);
    found.by.insert(start, (0, start, None));
    while let Some(Reverse((so_far, at))) = heap.pop() {
        if !done.insert(at) {
            continue;
        }
        found.settled.push(at);
        if found.settled.len() > MAX_NODES {
            break;
        }
        for (step, to, hop) in graph.steps(at) {
            let through = so_far + cost(hop);
            let better = found.by.get(&to).is_none_or(|(held, _, by)| (through, Some(step)) < (*held, *by));
            if better && !done.contains(&to) {
                found.by.insert(to, (through, at, Some(step)));
                heap.push(Reverse((through, to)));
            }
        }
    }
    found
}

impl Found {
    /// The steps from the start to a node.
    fn steps(&self, graph: &Graph<'_>, to: usize) -> Vec<Arc<Hop>> {
        let mut hops = Vec::new();
        let mut at = to;
        while let Some((_, from, Some(step))) = self.by.get(&at) {
            hops.extend(hop(graph, *step));
            at = *from;
        }
        hops.reverse();
        hops
    }
}

fn hop(graph: &Graph<'_>, step: usize) -> Option<Arc<Hop>> {
    graph.graph.edge_weight(petgraph::graph::EdgeIndex::new(step)).cloned()
}

/// The paths from one identity to more access, strongest target first.
pub(crate) fn paths_from(graph: &Graph<'_>, reaches: &Reaches, start: usize) -> Vec<Path> {
    let found = search(graph, start);
    let own = graph.strength(start);
    let start_admin = graph.is_admin(start);
    let elsewhere = |at: usize| graph.scope(at) != graph.scope(start) || graph.provider(at) != graph.provider(start);
    let mut targets: Vec<(bool, u64, usize)> = Vec::new();
    for at in found.settled.iter().copied().filter(|at| *at != start) {
        let admin = graph.is_admin(at);
        // Who controls a scope gains nothing in it.
        if start_admin && !elsewhere(at) {
            continue;
        }
        let strength = graph.strength(at);
        let weight = strength.as_ref().map_or(0, |strength| strength.weight);
        // An escalation is a gain by the provider's own decision, be it the same operations on other resources.
        let escalates =
            found.by.get(&at).and_then(|(_, _, step)| hop(graph, (*step)?)).is_some_and(|hop| hop.escalation);
        let more = admin
            || escalates
            || strength.is_some_and(|strength| {
                !strength.operations.is_empty()
                    && (elsewhere(at) || own.as_ref().is_none_or(|own| !strength.operations.is_subset(&own.operations)))
            });
        if more {
            targets.push((admin, weight, at));
        }
    }
    let name = |at: usize| graph.target(at);
    targets.sort_by(|a, b| (b.0, b.1).cmp(&(a.0, a.1)).then_with(|| name(a.2).cmp(&name(b.2))));
    targets.truncate(MAX_TARGETS);
    let mut paths: Vec<Path> =
        targets.into_iter().filter_map(|(_, _, at)| path(graph, start, at, found.steps(graph, at))).collect();
    if !start_admin
        && !paths.iter().any(|path| path.reaches_admin)
        && let Some((to, hops)) = to_admin(graph, reaches, start)
        && let Some(path) = path(graph, start, to, hops)
    {
        paths.insert(0, path);
        paths.truncate(MAX_TARGETS);
    }
    paths
}

fn path(graph: &Graph<'_>, start: usize, to: usize, hops: Vec<Arc<Hop>>) -> Option<Path> {
    let first = hops.first()?;
    // Nodes along the way are looked up by the steps' own ends; a scope belongs to whoever's step leads there.
    let home = graph.provider(start);
    let crosses_provider = graph.provider(to) != home || hops.iter().any(|hop| graph.provider_of(&hop.from) != home);
    Some(Path {
        identity: first.from.clone(),
        target: graph.target(to)?,
        crosses_provider,
        reaches_admin: graph.is_admin(to),
        hops,
    })
}

/// The cheapest chain to full control, followed along the costs that were found backwards.
fn to_admin(graph: &Graph<'_>, reaches: &Reaches, start: usize) -> Option<(usize, Vec<Arc<Hop>>)> {
    let mut hops = Vec::new();
    let mut at = start;
    let mut left = reaches.to_admin(start)?;
    while left > 0 {
        let (_, to, hop) = graph
            .steps(at)
            .filter(|(_, to, hop)| reaches.to_admin(*to).is_some_and(|rest| rest + cost(hop) == left))
            .min_by_key(|(step, _, _)| *step)?;
        hops.push(Arc::clone(hop));
        at = to;
        left = reaches.to_admin(at)?;
    }
    Some((at, hops))
}

/// Whether an identity that controls its scope can escalate to something outside it.
pub(crate) fn gains_elsewhere(graph: &Graph<'_>, start: usize) -> Truth {
    let found = search(graph, start);
    let mut gains = Truth::No;
    for at in &found.settled {
        let so_far = found.by.get(at).map_or(0, |(cost, _, _)| *cost);
        for (_, to, hop) in graph.steps(*at) {
            let outside = graph.scope(to) != graph.scope(start) || graph.provider(to) != graph.provider(start);
            if hop.escalation && outside {
                gains = gains.or(if unconditional(so_far + cost(hop)) { Truth::Yes } else { Truth::Unknown });
            }
        }
    }
    gains
}
