//! What is true of all identities at once: who comes to full control of a scope, and who can escalate.
//!
//! Where nothing of that is found, but an identity that it can become, or itself, may have steps that were not read, the
//! answer is unknown.
//!
//! All are found backwards, from the ends, so that the work is that of a few walks over the graph however many identities
//! there are.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};

use evenhand_model::evidence::Truth;

use super::Reach;
use super::graph::{Graph, unconditional};
use super::search::Search;

pub(crate) struct Reaches {
    /// The least cost from a node to full control of some scope.
    to_admin: Vec<Option<u64>>,
    /// The escalations that each node comes to.
    escalations: Vec<Nearest>,
    /// Nodes from which some chain leads to one that may have more steps than are known, that node included.
    leads_on: Vec<bool>,
}

impl Reaches {
    pub(crate) fn of(graph: &Graph<'_>) -> Self {
        let ((to_admin, leads_on), escalations) = rayon::join(
            || {
                let open = (0..graph.len()).filter(|at| graph.is_open(*at));
                (to_admin(graph), leading_to(graph, open.collect()))
            },
            || escalations(graph, |_| {}),
        );
        Self { to_admin, escalations, leads_on }
    }

    /// The least cost from a node to full control of some scope; 0 = it has it.
    pub(crate) fn to_admin(&self, at: usize) -> Option<u64> {
        self.to_admin.get(at).copied().flatten()
    }

    /// The nearest escalation of a node to another than itself: a tool server that could take over the agent before it gives
    /// that agent nothing.
    pub(crate) fn escalation(&self, at: usize) -> Option<Escalation> {
        let held = self.escalations.get(at)?;
        [held.first, held.second].into_iter().find(|one| *one != Escalation::NONE && one.end as usize != at)
    }

    /// The step that a node takes towards the escalation to some end; for nodes on the chain to it.
    pub(crate) fn step_towards(&self, at: usize, end: usize) -> Option<u32> {
        let held = self.escalations.get(at)?;
        [held.first, held.second].into_iter().find(|one| one.end as usize == end).map(|one| one.step)
    }

    pub(crate) fn reach_of(&self, graph: &Graph<'_>, search: &mut Search<'_, '_>, at: usize) -> Reach {
        let unless_unread = || {
            if self.leads_on.get(at) == Some(&false) && known(graph, at) { Truth::No } else { Truth::Unknown }
        };
        let reaches_admin = match self.to_admin(at) {
            _ if graph.is_admin(at) => Truth::Yes,
            Some(cost) if unconditional(cost) => Truth::Yes,
            Some(_) => Truth::Unknown,
            None => unless_unread(),
        };
        let can_escalate = if graph.is_admin(at) {
            search.gains_elsewhere(at)
        } else {
            match self.escalation(at) {
                Some(found) if unconditional(found.cost) => Truth::Yes,
                Some(_) => Truth::Unknown,
                None => unless_unread(),
            }
        };
        Reach { can_escalate, reaches_admin, target: None }
    }
}

/// Costs to the nearest full control, for all nodes that come to one.
fn to_admin(graph: &Graph<'_>) -> Vec<Option<u64>> {
    let mut costs: Vec<Option<u64>> = vec![None; graph.len()];
    // Only nodes that steps lead to can be ends of a chain.
    let ends = (0..graph.len()).filter(|at| graph.is_admin(*at) && graph.is_entered(*at));
    let mut heap: BinaryHeap<Reverse<(u64, usize)>> = ends.map(|at| Reverse((0, at))).collect();
    for Reverse((cost, at)) in &heap {
        if let Some(held) = costs.get_mut(*at) {
            *held = Some(*cost);
        }
    }
    while let Some(Reverse((cost, at))) = heap.pop() {
        if costs.get(at) != Some(&Some(cost)) {
            continue;
        }
        for (_, from, step) in graph.steps_to(at) {
            let through = cost + step.cost();
            if let Some(held) = costs.get_mut(from).filter(|held| held.is_none_or(|held| through < held)) {
                *held = Some(through);
                heap.push(Reverse((through, from)));
            }
        }
    }
    costs
}

/// A chain whose last step escalates.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Escalation {
    pub(crate) cost: u64,
    /// The node that the last step leads to.
    pub(crate) end: u32,
    /// The first step.
    step: u32,
}

impl Escalation {
    /// Farther away than any, and to no node.
    const NONE: Self = Self { cost: u64::MAX, end: u32::MAX, step: u32::MAX };

    /// What tells the nearer of two.
    fn distance(self) -> (u64, u32) {
        (self.cost, self.end)
    }
}

/// The two nearest escalations of a node that lead to different ends: if any leads to another than the node itself, one of
/// these does.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Nearest {
    first: Escalation,
    second: Escalation,
}

impl Nearest {
    const NONE: Self = Self { first: Escalation::NONE, second: Escalation::NONE };

    /// Takes an escalation if it is among the two nearest; whether it is.
    fn take(&mut self, new: Escalation) -> bool {
        if new.end == self.first.end {
            let nearer = new.cost < self.first.cost;
            if nearer {
                self.first = new;
            }
            return nearer;
        }
        if new.distance() < self.first.distance() {
            self.second = std::mem::replace(&mut self.first, new);
            return true;
        }
        let nearer = new.distance() < self.second.distance();
        if nearer {
            self.second = new;
        }
        nearer
    }

    fn holds(&self, distance: (u64, u32)) -> bool {
        self.first.distance() == distance || self.second.distance() == distance
    }
}

/// For each node its nearest escalations. `look` is told of each node when the steps to it are gone through, which is at most
/// twice: once for each of the escalations that it keeps.
pub(crate) fn escalations(graph: &Graph<'_>, mut look: impl FnMut(usize)) -> Vec<Nearest> {
    let mut nearest = vec![Nearest::NONE; graph.len()];
    for (number, step) in (0_u32..).zip(graph.links()).filter(|(_, step)| step.escalation) {
        if let Some(held) = nearest.get_mut(step.from as usize) {
            held.take(Escalation { cost: step.cost(), end: step.to, step: number });
        }
    }
    let own = nearest.iter().enumerate().flat_map(|(at, held)| [(at, held.first), (at, held.second)]);
    let mut heap: BinaryHeap<Reverse<((u64, u32), usize)>> =
        own.filter(|(_, one)| *one != Escalation::NONE).map(|(at, one)| Reverse((one.distance(), at))).collect();
    while let Some(Reverse((distance, at))) = heap.pop() {
        if !nearest.get(at).is_some_and(|held| held.holds(distance)) {
            continue;
        }
        look(at);
        let (so_far, end) = distance;
        for (number, from, step) in graph.steps_to(at) {
            let through = Escalation { cost: so_far + step.cost(), end, step: number };
            if nearest.get_mut(from).is_some_and(|held| held.take(through)) {
                heap.push(Reverse((through.distance(), from)));
            }
        }
    }
    nearest
}

/// Whether some chain leads from each node to one of the ends; the ends included.
fn leading_to(graph: &Graph<'_>, mut ends: Vec<usize>) -> Vec<bool> {
    let mut leading = vec![false; graph.len()];
    let mut take = |at: usize| leading.get_mut(at).is_some_and(|leads| !std::mem::replace(leads, true));
    ends.retain(|at| take(*at));
    while let Some(at) = ends.pop() {
        ends.extend(graph.steps_to(at).map(|(_, from, _)| from).filter(|from| take(*from)));
    }
    leading
}

/// Whether what a node can do is known: its access was read, or it borrows all its access from such.
fn known(graph: &Graph<'_>, at: usize) -> bool {
    if graph.access_known(at) {
        return true;
    }
    let mut seen = BTreeSet::from([at]);
    let mut next = vec![at];
    while let Some(at) = next.pop() {
        if graph.access_known(at) {
            continue;
        }
        if graph.is_foreign(at) || !graph.has_steps(at) {
            return false;
        }
        next.extend(graph.steps(at).map(|(_, to, _)| to).filter(|to| seen.insert(*to)));
    }
    true
}
