//! What is true of all identities at once: who comes to full control of a scope, and who can escalate.
//!
//! Where nothing of that is found, but an identity that it can become, or itself, may have steps that were not read, the
//! answer is unknown.
//!
//! All are found backwards, from the ends, so that the work is that of one walk over the graph however many identities
//! there are.

use std::collections::BTreeSet;

use evenhand_model::evidence::Truth;
use petgraph::algo::dijkstra;
use petgraph::graph::NodeIndex;
use petgraph::visit::{EdgeFiltered, EdgeRef, Reversed, Visitable};

use super::Reach;
use super::graph::{Graph, Step, unconditional};
use super::search::Search;

pub(crate) struct Reaches {
    /// The least cost from a node to full control of some scope.
    to_admin: Vec<Option<u64>>,
    /// Nodes from which an escalating step can be taken, at no unknown condition.
    escalates: Nodes,
    /// The same under conditions not known to hold.
    may_escalate: Nodes,
    /// Nodes from which some chain leads to one that may have more steps than are known, that node included.
    leads_on: Nodes,
}

/// A set of nodes.
type Nodes = <petgraph::graph::DiGraph<(), ()> as Visitable>::Map;

impl Reaches {
    pub(crate) fn of(graph: &Graph<'_>) -> Self {
        let ((to_admin, leads_on), (escalates, may_escalate)) = rayon::join(
            || {
                let open = graph.graph.node_indices().filter(|at| graph.is_open(at.index()));
                (to_admin(graph), leading_to(graph, open, true))
            },
            || {
                let certain = leading_to_escalation(graph, false);
                let conditional = graph.graph.edge_weights().any(|step| step.conditional);
                let perhaps = if conditional { leading_to_escalation(graph, true) } else { certain.clone() };
                (certain, perhaps)
            },
        );
        Self { to_admin, escalates, may_escalate, leads_on }
    }

    /// The least cost from a node to full control of some scope; 0 = it has it.
    pub(crate) fn to_admin(&self, at: usize) -> Option<u64> {
        self.to_admin.get(at).copied().flatten()
    }

    /// Whether some chain from a node may end in an escalating step.
    pub(crate) fn may_escalate(&self, at: usize) -> bool {
        self.may_escalate.contains(at)
    }

    pub(crate) fn reach_of(&self, graph: &Graph<'_>, search: &mut Search<'_, '_>, at: usize) -> Reach {
        let unless_unread = || {
            if !self.leads_on.contains(at) && known(graph, at) { Truth::No } else { Truth::Unknown }
        };
        let reaches_admin = match self.to_admin(at) {
            _ if graph.is_admin(at) => Truth::Yes,
            Some(cost) if unconditional(cost) => Truth::Yes,
            Some(_) => Truth::Unknown,
            None => unless_unread(),
        };
        let can_escalate = if graph.is_admin(at) {
            search.gains_elsewhere(at)
        } else if self.escalates.contains(at) && escalates_beyond(graph, at, false) {
            Truth::Yes
        } else if self.may_escalate(at) && escalates_beyond(graph, at, true) {
            Truth::Unknown
        } else {
            unless_unread()
        };
        Reach { can_escalate, reaches_admin, target: None }
    }
}

/// Costs to the nearest full control, for all nodes that come to one.
fn to_admin(graph: &Graph<'_>) -> Vec<Option<u64>> {
    // Only nodes that steps lead to can be ends of a chain.
    let entered = |node: &NodeIndex| graph.graph.edges_directed(*node, petgraph::Direction::Incoming).next().is_some();
    let admins: Vec<NodeIndex> =
        graph.graph.node_indices().filter(|node| graph.is_admin(node.index())).filter(entered).collect();
    if admins.is_empty() {
        return vec![None; graph.len()];
    }
    // One end behind all ends makes many searches one.
    let mut ends = graph.graph.map(|_, _| (), |_, step| step.cost());
    let all = ends.add_node(());
    for node in admins {
        ends.add_edge(node, all, 0);
    }
    let costs = dijkstra(Reversed(&ends), all, None, |edge| *edge.weight());
    graph.graph.node_indices().map(|node| costs.get(&node).copied()).collect()
}

/// The nodes from which some chain leads to an escalating step, that step included.
fn leading_to_escalation(graph: &Graph<'_>, conditional_too: bool) -> Nodes {
    let counts = |step: &Step| step.escalation && (conditional_too || !step.conditional);
    let escalating = |node: &NodeIndex| graph.graph.edges(*node).any(|step| counts(step.weight()));
    leading_to(graph, graph.graph.node_indices().filter(escalating), conditional_too)
}

/// Whether a node that comes to an escalating step comes by one to another than itself: a tool server that could take over
/// the agent before it gives that agent nothing.
fn escalates_beyond(graph: &Graph<'_>, at: usize, conditional_too: bool) -> bool {
    let mut into = graph.graph.edges_directed(NodeIndex::new(at), petgraph::Direction::Incoming);
    if !into.any(|edge| edge.weight().escalation) {
        return true;
    }
    let mut seen = BTreeSet::from([at]);
    let mut next = vec![at];
    while let Some(from) = next.pop() {
        for (_, to, step) in graph.steps(from).filter(|(.., step)| conditional_too || !step.conditional) {
            if step.escalation && to != at {
                return true;
            }
            if seen.insert(to) {
                next.push(to);
            }
        }
    }
    false
}

/// The nodes from which some chain leads to one of the ends, the ends included.
fn leading_to(graph: &Graph<'_>, ends: impl Iterator<Item = NodeIndex>, conditional_too: bool) -> Nodes {
    let usable = EdgeFiltered::from_fn(&graph.graph, |edge| conditional_too || !edge.weight().conditional);
    let backwards = Reversed(&usable);
    let mut walk = petgraph::visit::Dfs::from_parts(ends.collect(), graph.graph.visit_map());
    while walk.next(backwards).is_some() {}
    walk.discovered
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
