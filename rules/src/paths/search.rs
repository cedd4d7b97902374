//! Searches from one start.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

use evenhand_model::evidence::Truth;
use evenhand_model::id::ProviderName;

use super::graph::{Graph, narrow, unconditional};
use super::reach::Reaches;
use super::{Hops, MAX_TARGETS, Path};

/// Nodes that are looked at from one start; full control of a scope is found beyond them too.
pub(crate) const MAX_NODES: usize = 512;

/// Steps to an escalation that was not looked at: who would have to take more is told to escalate, and no path.
const MAX_STEPS: usize = 1024;

/// What the search under way knows of a node.
#[derive(Clone, Copy)]
struct Label {
    node: u32,
    settled: bool,
    /// Whether some step that escalates leads here, be it not the one of the least cost.
    escalated: Truth,
    cost: u64,
    /// The step that leads here at that cost, and where from; the start has none.
    by: Option<(u32, u32)>,
}

/// The labels of the nodes that the search under way has met. They are few and stand together; nothing as large as the
/// graph is cleared for the next search.
struct Labels {
    /// For each node where its label is, if one is there that bears its number.
    places: Vec<u32>,
    held: Vec<Label>,
}

impl Labels {
    fn get(&self, at: usize) -> Option<&Label> {
        self.held.get(*self.places.get(at)? as usize).filter(|label| label.node as usize == at)
    }

    fn get_mut(&mut self, at: usize) -> Option<&mut Label> {
        self.held.get_mut(*self.places.get(at)? as usize).filter(|label| label.node as usize == at)
    }

    /// Adds the label of a node that has none.
    fn add(&mut self, label: Label) {
        if let Some(place) = self.places.get_mut(label.node as usize) {
            *place = narrow(self.held.len());
            self.held.push(label);
        }
    }
}

/// Paths that were found.
#[derive(Default)]
pub(crate) struct Found {
    pub(crate) paths: Vec<Path>,
    /// The steps of all of them, path by path.
    pub(crate) hops: Vec<u32>,
}

impl Found {
    /// All paths of several searches, in their order.
    pub(crate) fn joined(parts: Vec<Self>) -> Self {
        let mut all = Self {
            paths: Vec::with_capacity(parts.iter().map(|part| part.paths.len()).sum()),
            hops: Vec::with_capacity(parts.iter().map(|part| part.hops.len()).sum()),
        };
        for part in parts {
            let before = narrow(all.hops.len());
            let behind = |hops: Hops| Hops { first: hops.first.saturating_add(before), ..hops };
            all.paths.extend(part.paths.into_iter().map(|path| Path { hops: behind(path.hops), ..path }));
            all.hops.extend(part.hops);
        }
        all
    }
}

/// Memory of searches, used again for each start.
pub(crate) struct Search<'g, 'a> {
    graph: &'g Graph<'a>,
    labels: Labels,
    heap: BinaryHeap<Reverse<(u64, usize)>>,
    /// Nodes in the order of their cost.
    settled: Vec<usize>,
    /// Whether more nodes can be reached than were looked at.
    cut: bool,
    /// Whether what is held by number goes beyond what the start holds.
    beyond: HashMap<u32, bool, foldhash::fast::FixedState>,
    /// Whether a target controls its scope, how much it holds, and its node.
    targets: Vec<(bool, u64, usize)>,
    chain: Chain,
}

impl<'g, 'a> Search<'g, 'a> {
    pub(crate) fn new(graph: &'g Graph<'a>) -> Self {
        Self {
            graph,
            labels: Labels { places: vec![0; graph.len()], held: Vec::new() },
            heap: BinaryHeap::new(),
            settled: Vec::new(),
            cut: false,
            beyond: HashMap::default(),
            targets: Vec::new(),
            chain: Chain::default(),
        }
    }

    /// Looks for all nodes near a start: for each the least cost and the step that leads there.
    fn run(&mut self, start: usize) {
        let graph = self.graph;
        self.settled.clear();
        self.cut = false;
        self.heap.clear();
        self.beyond.clear();
        self.labels.held.clear();
        let first = Label { node: narrow(start), settled: false, escalated: Truth::No, cost: 0, by: None };
        self.labels.add(first);
        self.heap.push(Reverse((0, start)));
        while let Some(Reverse((so_far, at))) = self.heap.pop() {
            match self.labels.get_mut(at) {
                Some(label) if !label.settled => label.settled = true,
                _ => continue,
            }
            self.settled.push(at);
            if self.settled.len() > MAX_NODES {
                self.cut = true;
                break;
            }
            for (number, to, step) in graph.steps(at) {
                let cost = so_far + step.cost();
                let by = Some((number, narrow(at)));
                // Who comes back to himself has gained nothing.
                let escalated = if step.escalation && to != start { escalated_at(cost) } else { Truth::No };
                match self.labels.get_mut(to) {
                    None => {
                        self.labels.add(Label { node: step.to, settled: false, escalated, cost, by });
                        self.heap.push(Reverse((cost, to)));
                    }
                    Some(label) => {
                        label.escalated = label.escalated.or(escalated);
                        if label.settled {
                            continue;
                        }
                        // Of steps that cost the same the first counts.
                        if cost < label.cost {
                            (label.cost, label.by) = (cost, by);
                            self.heap.push(Reverse((cost, to)));
                        } else if cost == label.cost && label.by.is_some_and(|(step, _)| number < step) {
                            label.by = by;
                        }
                    }
                }
            }
        }
    }

    /// Adds the nearest escalation to what was found near a start: steps that escalate cost most, so that many others may
    /// stand before them. Returns the chain to it where none was found that depends on as little.
    fn add_escalation(&mut self, reaches: &Reaches, start: usize) -> Option<(usize, Chain)> {
        let escalation = reaches.escalation(start).filter(|_| self.cut)?;
        let end = escalation.end as usize;
        let label = self.labels.get(end).copied();
        let far = if label.is_some_and(|label| label.cost <= escalation.cost) {
            None
        } else {
            let chain = to_escalation(self.graph, reaches, start, end)?;
            let (node, cost) = (escalation.end, escalation.cost);
            match self.labels.get_mut(end) {
                Some(label) => (label.settled, label.cost, label.by) = (false, cost, None),
                None => self.labels.add(Label { node, settled: false, escalated: Truth::No, cost, by: None }),
            }
            Some((end, chain))
        };
        if label.is_none_or(|label| !label.settled) {
            self.settled.push(end);
        }
        if let Some(label) = self.labels.get_mut(end) {
            label.escalated = label.escalated.or(escalated_at(escalation.cost));
        }
        far
    }

    /// Whether some chain to a node ends in a step that escalates, as far as it was found.
    fn escalated(&self, at: usize) -> Truth {
        self.labels.get(at).map_or(Truth::No, |label| label.escalated)
    }

    /// Follows the steps from the start to a node.
    fn follow(&self, start: usize, to: usize, chain: &mut Chain) {
        chain.begin(self.graph, start, to);
        let mut at = to;
        // The start has no step that leads to it.
        while let Some((step, from)) = self.labels.get(at).and_then(|label| label.by) {
            at = from as usize;
            chain.add(self.graph, at, step);
        }
        chain.hops.reverse();
    }

    /// Whether a node that was found holds something that the start does not; the same elsewhere counts too.
    fn gains(&mut self, start: usize, at: usize) -> bool {
        let Some(strength) = self.graph.strength(at).filter(|strength| !strength.operations.is_empty()) else {
            return false;
        };
        if self.graph.apart(at, start) {
            return true;
        }
        let (Some(own), Some(number)) = (self.graph.strength(start), self.graph.held(at)) else { return true };
        *self.beyond.entry(number).or_insert_with(|| !strength.operations.is_subset(&own.operations))
    }

    /// Adds the paths from one identity to more access, strongest target first. Where it can escalate, what it comes to
    /// that way is among the targets, whatever the steps of the path.
    pub(crate) fn paths_from(&mut self, reaches: &Reaches, start: usize, found: &mut Found) {
        self.run(start);
        let mut escalation = self.add_escalation(reaches, start);
        let graph = self.graph;
        let start_admin = graph.is_admin(start);
        let mut targets = std::mem::take(&mut self.targets);
        targets.clear();
        let settled = std::mem::take(&mut self.settled);
        for at in settled.iter().copied().filter(|at| *at != start) {
            let admin = graph.is_admin(at);
            // Who controls a scope gains nothing in it.
            if start_admin && !graph.apart(at, start) {
                continue;
            }
            // An escalation is a gain by the provider's own decision, be it the same operations on other resources.
            if admin || self.escalated(at) != Truth::No || self.gains(start, at) {
                targets.push((admin, graph.strength(at).map_or(0, |strength| strength.weight), at));
            }
        }
        self.settled = settled;
        targets
            .sort_unstable_by(|a, b| (b.0, b.1).cmp(&(a.0, a.1)).then_with(|| graph.name(a.2).cmp(&graph.name(b.2))));
        let is_far = |at: usize| escalation.as_ref().is_some_and(|(end, _)| *end == at);
        let far = if start_admin || targets.iter().any(|(admin, _, at)| *admin && !is_far(*at)) {
            None
        } else {
            to_admin(graph, reaches, start)
        };
        // The chain to an escalation is not the cheapest of all to its end.
        if let Some((to, chain)) = &far {
            targets.retain(|(.., at)| at != to);
            chain.add_path(graph, start, *to, self.escalated(*to), found);
        }
        let room = MAX_TARGETS - usize::from(far.is_some());
        let by_escalation = |truth: Truth| targets.iter().position(|(.., at)| self.escalated(*at) == truth);
        if let Some(at) = by_escalation(Truth::Yes).or_else(|| by_escalation(Truth::Unknown)).filter(|at| *at >= room) {
            targets.swap(room - 1, at);
        }
        targets.truncate(room);
        let mut near = std::mem::take(&mut self.chain);
        for (.., at) in targets.iter().copied() {
            let far = escalation.take_if(|(end, _)| *end == at);
            if far.is_none() {
                self.follow(start, at, &mut near);
            }
            let chain = far.as_ref().map_or(&near, |(_, chain)| chain);
            chain.add_path(graph, start, at, self.escalated(at), found);
        }
        (self.chain, self.targets) = (near, targets);
    }

    /// How many nodes were looked at from the last start.
    #[cfg(test)]
    pub(crate) fn looked_at(&self) -> usize {
        self.settled.len()
    }

    /// Whether an identity that controls its scope can escalate to something outside it. Unknown where nothing was found
    /// and not everything was looked at, or something outside may have steps that were not read.
    pub(crate) fn gains_elsewhere(&mut self, start: usize) -> Truth {
        if !self.graph.has_steps(start) {
            return Truth::No;
        }
        self.run(start);
        let mut gains = if self.cut { Truth::Unknown } else { Truth::No };
        for at in &self.settled {
            if self.graph.is_open(*at) && self.graph.apart(*at, start) {
                gains = gains.or(Truth::Unknown);
            }
            let so_far = self.labels.get(*at).map_or(0, |label| label.cost);
            for (_, to, step) in self.graph.steps(*at) {
                if step.escalation && self.graph.apart(to, start) {
                    gains = gains.or(escalated_at(so_far + step.cost()));
                }
            }
        }
        gains
    }
}

/// Whether a chain of some cost, whose last step escalates, certainly leads to its end.
fn escalated_at(cost: u64) -> Truth {
    if unconditional(cost) { Truth::Yes } else { Truth::Unknown }
}

/// Steps in a row, and whether they leave the provider of the first.
#[derive(Default)]
struct Chain {
    hops: Vec<u32>,
    home: Option<ProviderName>,
    crosses_provider: bool,
}

impl Chain {
    fn new(graph: &Graph<'_>, start: usize, to: usize) -> Self {
        let mut chain = Self::default();
        chain.begin(graph, start, to);
        chain
    }

    /// Begins another one in the same memory.
    fn begin(&mut self, graph: &Graph<'_>, start: usize, to: usize) {
        self.hops.clear();
        self.home = graph.provider(start);
        self.crosses_provider = graph.provider(to) != self.home;
    }

    fn add(&mut self, graph: &Graph<'_>, from: usize, step: u32) {
        self.crosses_provider |= graph.provider(from) != self.home;
        self.hops.push(step);
    }

    /// Adds the path that it is. `escalated`: whether some other chain to the same end escalates.
    fn add_path(&self, graph: &Graph<'_>, start: usize, to: usize, escalated: Truth, found: &mut Found) {
        let (Some(identity), Some(target)) = (graph.identity(start), graph.target(to)) else { return };
        if self.hops.is_empty() {
            return;
        }
        let steps = || self.hops.iter().filter_map(|step| graph.step(*step));
        let escalates = steps().any(|step| step.escalation);
        let conditional = steps().any(|step| step.conditional);
        let itself = match (escalates, conditional) {
            (false, _) => Truth::No,
            (true, false) => Truth::Yes,
            (true, true) => Truth::Unknown,
        };
        found.paths.push(Path {
            identity: identity.clone(),
            target,
            crosses_provider: self.crosses_provider,
            reaches_admin: graph.is_admin(to),
            escalates,
            conditional,
            to_escalation: itself.or(escalated),
            hops: Hops { first: narrow(found.hops.len()), len: narrow(self.hops.len()) },
        });
        found.hops.extend_from_slice(&self.hops);
    }
}

/// The cheapest chain to full control, followed along the costs that were found backwards.
fn to_admin(graph: &Graph<'_>, reaches: &Reaches, start: usize) -> Option<(usize, Chain)> {
    let mut steps: Vec<(usize, u32)> = Vec::new();
    let mut at = start;
    let mut left = reaches.to_admin(start)?;
    while left > 0 {
        let (number, to, _) = graph
            .steps(at)
            .filter(|(_, to, step)| reaches.to_admin(*to).is_some_and(|rest| rest + step.cost() == left))
            .min_by_key(|(number, _, _)| *number)?;
        steps.push((at, number));
        at = to;
        left = reaches.to_admin(at)?;
    }
    let mut chain = Chain::new(graph, start, at);
    for (from, step) in steps {
        chain.add(graph, from, step);
    }
    Some((at, chain))
}

/// The cheapest chain to an escalation, as far as where it first comes to whom that leads to. `None` = it is too long.
fn to_escalation(graph: &Graph<'_>, reaches: &Reaches, start: usize, end: usize) -> Option<Chain> {
    let mut chain = Chain::new(graph, start, end);
    let mut at = start;
    while at != end {
        if chain.hops.len() == MAX_STEPS {
            return None;
        }
        let step = reaches.step_towards(at, end)?;
        chain.add(graph, at, step);
        at = graph.end(step)?;
    }
    Some(chain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_of_another_search_are_none_of_this_one() {
        let label = |node: u32, cost: u64| Label { node, settled: false, escalated: Truth::No, cost, by: None };
        let mut labels = Labels { places: vec![0; 4], held: Vec::new() };
        let costs = |labels: &Labels| (0..5).map(|at| labels.get(at).map(|label| label.cost)).collect::<Vec<_>>();
        [label(2, 20), label(0, 0), label(9, 90)].into_iter().for_each(|label| labels.add(label));
        assert_eq!(costs(&labels), [Some(0), None, Some(20), None, None]);
        labels.held.clear();
        labels.add(label(3, 30));
        assert_eq!(costs(&labels), [None, None, None, Some(30), None]);
    }
}
