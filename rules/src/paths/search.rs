//! Searches from one start.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

use evenhand_model::evidence::Truth;
use evenhand_model::id::ProviderName;

use super::graph::{Graph, unconditional};
use super::reach::Reaches;
use super::{MAX_TARGETS, Path};

/// Nodes that are looked at from one start; full control of a scope is found beyond them too.
pub(crate) const MAX_NODES: usize = 512;

/// Steps to an escalation that was not looked at: who would have to take more is told to escalate, and no path.
const MAX_STEPS: usize = 1024;

/// What the search under way knows of a node; of another search where `turn` is not the present one.
#[derive(Clone, Copy)]
struct Label {
    turn: u32,
    settled: bool,
    cost: u64,
    /// The step that leads here at that cost, and where from; the start has none.
    by: Option<(u32, u32)>,
    /// Whether some step that escalates leads here, be it not the one of the least cost.
    escalated: Truth,
}

impl Label {
    const NEW: Self = Self { turn: 0, settled: false, cost: 0, by: None, escalated: Truth::No };
}

/// Memory of searches, used again for each start.
pub(crate) struct Search<'g, 'a> {
    graph: &'g Graph<'a>,
    turn: u32,
    labels: Vec<Label>,
    heap: BinaryHeap<Reverse<(u64, usize)>>,
    /// Nodes in the order of their cost.
    settled: Vec<usize>,
    /// Whether more nodes can be reached than were looked at.
    cut: bool,
    /// Whether what is held by number goes beyond what the start holds.
    beyond: HashMap<u32, bool, foldhash::fast::FixedState>,
}

impl<'g, 'a> Search<'g, 'a> {
    pub(crate) fn new(graph: &'g Graph<'a>) -> Self {
        Self {
            graph,
            turn: 0,
            labels: vec![Label::NEW; graph.len()],
            heap: BinaryHeap::new(),
            settled: Vec::new(),
            cut: false,
            beyond: HashMap::default(),
        }
    }

    /// Looks for all nodes near a start: for each the least cost and the step that leads there.
    fn run(&mut self, start: usize) {
        self.turn += 1;
        self.settled.clear();
        self.cut = false;
        self.heap.clear();
        self.beyond.clear();
        self.heap.push(Reverse((0, start)));
        self.label(start, 0, None);
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
            let graph = self.graph;
            for (number, to, step) in graph.steps(at) {
                let through = so_far + step.cost();
                let by = (narrow(number), narrow(at));
                let better = match self.labels.get(to) {
                    Some(label) if label.turn == self.turn => {
                        !label.settled && (through, Some(by.0)) < (label.cost, label.by.map(|(step, _)| step))
                    }
                    Some(_) => true,
                    None => false,
                };
                if better {
                    self.label(to, through, Some(by));
                    self.heap.push(Reverse((through, to)));
                }
                // Who comes back to himself has gained nothing.
                if step.escalation && to != start {
                    self.escalate(to, through);
                }
            }
        }
    }

    /// Adds the nearest escalation to what was found near a start: steps that escalate cost most, so that many others may
    /// stand before them. Returns the chain to it where none was found that depends on as little.
    fn add_escalation(&mut self, reaches: &Reaches, start: usize) -> Option<(usize, Chain)> {
        let escalation = reaches.escalation(start).filter(|_| self.cut)?;
        let end = escalation.end as usize;
        let label = self.labels.get(end).copied().filter(|label| label.turn == self.turn);
        let far = if label.is_some_and(|label| label.cost <= escalation.cost) {
            None
        } else {
            let chain = to_escalation(self.graph, reaches, start, end)?;
            self.label(end, escalation.cost, None);
            Some((end, chain))
        };
        if label.is_none_or(|label| !label.settled) {
            self.settled.push(end);
        }
        self.escalate(end, escalation.cost);
        far
    }

    fn label(&mut self, at: usize, cost: u64, by: Option<(u32, u32)>) {
        if let Some(label) = self.labels.get_mut(at) {
            let escalated = if label.turn == self.turn { label.escalated } else { Truth::No };
            *label = Label { turn: self.turn, settled: false, cost, by, escalated };
        }
    }

    /// Notes that a chain of some cost, whose last step escalates, leads to a node.
    fn escalate(&mut self, at: usize, cost: u64) {
        let certain = unconditional(cost);
        if let Some(label) = self.labels.get_mut(at) {
            label.escalated = label.escalated.or(if certain { Truth::Yes } else { Truth::Unknown });
        }
    }

    /// Whether some chain to a node ends in a step that escalates, as far as it was found.
    fn escalated(&self, at: usize) -> Truth {
        self.labels.get(at).filter(|label| label.turn == self.turn).map_or(Truth::No, |label| label.escalated)
    }

    /// The step that leads to a node that was found, and where from.
    fn last(&self, at: usize) -> Option<(u32, usize)> {
        self.labels.get(at)?.by.map(|(step, from)| (step, from as usize))
    }

    /// The steps from the start to a node.
    fn chain(&self, start: usize, to: usize) -> Chain {
        let mut chain = Chain::new(self.graph, start, to);
        let mut at = to;
        while let Some((step, from)) = self.last(at) {
            chain.add(self.graph, from, step);
            at = from;
        }
        chain.hops.reverse();
        chain
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

    /// The paths from one identity to more access, strongest target first. Where it can escalate, what it comes to that
    /// way is among the targets, whatever the steps of the path.
    pub(crate) fn paths_from(&mut self, reaches: &Reaches, start: usize) -> Vec<Path> {
        self.run(start);
        let mut escalation = self.add_escalation(reaches, start);
        let graph = self.graph;
        let start_admin = graph.is_admin(start);
        let mut targets: Vec<(bool, u64, usize)> = Vec::new();
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
        if let Some((to, _)) = &far {
            targets.retain(|(.., at)| at != to);
        }
        let far = far.and_then(|(to, chain)| chain.path(graph, to, self.escalated(to)));
        let room = MAX_TARGETS - usize::from(far.is_some());
        let by_escalation = |truth: Truth| targets.iter().position(|(.., at)| self.escalated(*at) == truth);
        if let Some(at) = by_escalation(Truth::Yes).or_else(|| by_escalation(Truth::Unknown)).filter(|at| *at >= room) {
            targets.swap(room - 1, at);
        }
        targets.truncate(room);
        let mut paths: Vec<Path> = Vec::with_capacity(targets.len() + 1);
        paths.extend(far);
        paths.extend(targets.into_iter().filter_map(|(.., at)| {
            let far = escalation.take_if(|(end, _)| *end == at);
            let chain = far.map_or_else(|| self.chain(start, at), |(_, chain)| chain);
            chain.path(graph, at, self.escalated(at))
        }));
        paths
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
                    gains = gains.or(if unconditional(so_far + step.cost()) { Truth::Yes } else { Truth::Unknown });
                }
            }
        }
        gains
    }
}

/// Graphs have fewer than 2³² nodes and steps: their own indices are of that size.
pub(crate) fn narrow(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// Steps in a row, and whether they leave the provider of the first.
struct Chain {
    hops: Vec<u32>,
    home: Option<ProviderName>,
    crosses_provider: bool,
}

impl Chain {
    fn new(graph: &Graph<'_>, start: usize, to: usize) -> Self {
        let home = graph.provider(start);
        Self { hops: Vec::with_capacity(2), home, crosses_provider: graph.provider(to) != home }
    }

    fn add(&mut self, graph: &Graph<'_>, from: usize, step: u32) {
        self.crosses_provider |= graph.provider(from) != self.home;
        self.hops.push(step);
    }

    /// `escalated`: whether some other chain to the same end escalates.
    fn path(mut self, graph: &Graph<'_>, to: usize, escalated: Truth) -> Option<Path> {
        self.hops.shrink_to_fit();
        let steps = || self.hops.iter().filter_map(|step| graph.step(*step));
        let escalates = steps().any(|step| step.escalation);
        let conditional = steps().any(|step| step.conditional);
        let itself = match (escalates, conditional) {
            (false, _) => Truth::No,
            (true, false) => Truth::Yes,
            (true, true) => Truth::Unknown,
        };
        Some(Path {
            identity: graph.source(*self.hops.first()?)?.clone(),
            target: graph.target(to)?,
            crosses_provider: self.crosses_provider,
            reaches_admin: graph.is_admin(to),
            escalates,
            conditional,
            to_escalation: itself.or(escalated),
            hops: self.hops,
        })
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
        steps.push((at, narrow(number)));
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
