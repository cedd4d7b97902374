//! The graph: identities and scopes, and the steps between them.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use evenhand_model::access::{AccessResolver, Doubt, Edge, EdgeTarget, Grant};
use evenhand_model::evidence::Truth;
use evenhand_model::id::{IdentityId, ProviderName, ScopeId};
use evenhand_model::identity::Identity;
use evenhand_model::inventory::Inventory;
use evenhand_model::opset::OpSet;
use evenhand_model::steps::{End, Steps};
use evenhand_model::trust::{Mechanism, Trust};
use petgraph::graph::{DiGraph, EdgeIndex, NodeIndex};
use petgraph::visit::EdgeRef;
use rayon::prelude::*;

use crate::judgements::Judgements;
use crate::resolvers::Resolvers;

/// What can be reached.
#[derive(Clone, Debug)]
pub(crate) enum Node<'a> {
    /// An identity of the inventory.
    Known(&'a Identity),
    /// An identity that only edges name.
    Foreign(IdentityId, ProviderName),
    /// Full control of a scope.
    Admin(ScopeId, ProviderName),
}

impl Node<'_> {
    fn provider(&self) -> ProviderName {
        match self {
            Self::Known(identity) => identity.provider,
            Self::Foreign(_, provider) | Self::Admin(_, provider) => *provider,
        }
    }

    fn scope(&self) -> Option<&ScopeId> {
        match self {
            Self::Known(identity) => Some(&identity.scope),
            Self::Admin(scope, _) => Some(scope),
            Self::Foreign(..) => None,
        }
    }
}

/// What a search asks of a step; the whole of it is looked up by number.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Step {
    pub(crate) conditional: bool,
    pub(crate) escalation: bool,
}

impl Step {
    /// Conditional steps cost most, then escalating ones, then any step.
    pub(crate) fn cost(self) -> u64 {
        (u64::from(self.conditional) << 42) | (u64::from(self.escalation) << 21) | 1
    }
}

/// Whether a chain of some cost depends on no unknown condition.
pub(crate) fn unconditional(cost: u64) -> bool {
    cost >> 42 == 0
}

/// How much an identity holds.
#[derive(Debug, Default)]
pub(crate) struct Strength {
    pub(crate) weight: u64,
    pub(crate) operations: OpSet,
}

/// Nodes 0 to n are the identities of the inventory by position; others follow.
pub(crate) struct Graph<'a> {
    pub(crate) graph: DiGraph<Node<'a>, Step>,
    /// The steps, by their numbers in the graph.
    steps: Steps,
    admins: Vec<bool>,
    /// Nodes that may have more steps than the graph has.
    open: Vec<bool>,
    /// For each node the number of what it holds; none where that is not known.
    held: Vec<Option<u32>>,
    /// What is held, for nodes that some step leads to or from.
    strengths: Vec<Option<Strength>>,
    /// For each node a number for provider and scope together.
    places: Vec<u32>,
}

impl<'a> Graph<'a> {
    pub(crate) fn new(inventory: &'a Inventory, judged: &'a Judgements, resolvers: &'a Resolvers) -> Self {
        let mut graph = DiGraph::with_capacity(inventory.identities.len() + 16, 0);
        for identity in &inventory.identities {
            graph.add_node(Node::Known(identity));
        }
        let aliases = inventory.named_by_others();
        let mut builder = Builder { graph, steps: Steps::default(), judged, aliases, others: HashMap::default() };
        let crossed = builder.crossed(inventory);
        for (provider, resolver) in resolvers.iter() {
            builder.add_steps(provider, resolver.steps(), &crossed);
        }
        builder.add_trusts(inventory, resolvers);
        let Builder { graph, steps, .. } = builder;
        let (held, strengths) = strengths(&graph, resolvers);
        let admins = admins(&graph, resolvers);
        Self { open: open(&graph, &admins, resolvers), admins, places: places(&graph), held, strengths, graph, steps }
    }

    fn node(&self, at: usize) -> Option<&Node<'a>> {
        self.graph.node_weight(NodeIndex::new(at))
    }

    pub(crate) fn len(&self) -> usize {
        self.graph.node_count()
    }

    pub(crate) fn has_steps(&self, at: usize) -> bool {
        self.graph.edges(NodeIndex::new(at)).next().is_some()
    }

    /// The steps from a node: number, where to, and what it takes.
    pub(crate) fn steps(&self, at: usize) -> impl Iterator<Item = (usize, usize, Step)> {
        self.graph.edges(NodeIndex::new(at)).map(|edge| (edge.id().index(), edge.target().index(), *edge.weight()))
    }

    /// What a search asks of a step, by its number.
    pub(crate) fn step(&self, number: u32) -> Option<Step> {
        self.graph.edge_weight(EdgeIndex::new(number as usize)).copied()
    }

    /// Where a step leads, by its number.
    pub(crate) fn end(&self, number: u32) -> Option<usize> {
        self.graph.edge_endpoints(EdgeIndex::new(number as usize)).map(|(_, to)| to.index())
    }

    /// Who takes a step.
    pub(crate) fn source(&self, number: u32) -> Option<&IdentityId> {
        self.steps.source(self.steps.steps.get(number as usize)?)
    }

    /// All steps by number, for those who only name them.
    pub(crate) fn into_steps(self) -> Steps {
        self.steps
    }

    /// Whether a node is full control of a scope, or an identity that has it.
    pub(crate) fn is_admin(&self, at: usize) -> bool {
        self.admins.get(at).copied().unwrap_or(false)
    }

    /// Whether a node may have more steps than are known, because something was not read. Who controls its scope has
    /// nothing to gain by more.
    pub(crate) fn is_open(&self, at: usize) -> bool {
        self.open.get(at).copied().unwrap_or(false)
    }

    /// Whether two nodes are not of the same provider and scope.
    pub(crate) fn apart(&self, a: usize, b: usize) -> bool {
        self.places.get(a) != self.places.get(b)
    }

    pub(crate) fn provider(&self, at: usize) -> Option<ProviderName> {
        self.node(at).map(Node::provider)
    }

    pub(crate) fn is_foreign(&self, at: usize) -> bool {
        matches!(self.node(at), Some(Node::Foreign(..)))
    }

    pub(crate) fn target(&self, at: usize) -> Option<EdgeTarget> {
        Some(match self.node(at)? {
            Node::Known(identity) => EdgeTarget::Identity(identity.id.clone()),
            Node::Foreign(id, _) => EdgeTarget::Identity(id.clone()),
            Node::Admin(scope, _) => EdgeTarget::Admin(scope.clone()),
        })
    }

    /// What nodes are ordered by where nothing else tells them apart: their names, as [`EdgeTarget`] orders them.
    pub(crate) fn name(&self, at: usize) -> Option<(bool, &str)> {
        Some(match self.node(at)? {
            Node::Known(identity) => (false, identity.id.as_str()),
            Node::Foreign(id, _) => (false, id.as_str()),
            Node::Admin(scope, _) => (true, scope.as_str()),
        })
    }

    /// Whether anything is known of what a node holds.
    pub(crate) fn access_known(&self, at: usize) -> bool {
        matches!(self.node(at), Some(Node::Admin(..))) || self.held(at).is_some()
    }

    /// The number of what an identity holds: the same for identities that hold the same.
    pub(crate) fn held(&self, at: usize) -> Option<u32> {
        self.held.get(at).copied().flatten()
    }

    /// What an identity holds that some step leads to or from; `None` where that is not known.
    pub(crate) fn strength(&self, at: usize) -> Option<&Strength> {
        self.strengths.get(self.held(at)? as usize)?.as_ref()
    }
}

fn admins(graph: &DiGraph<Node<'_>, Step>, resolvers: &Resolvers) -> Vec<bool> {
    let nodes: Vec<&Node<'_>> = graph.node_weights().collect();
    nodes
        .par_iter()
        .map(|node| match node {
            Node::Admin(..) => true,
            Node::Known(identity) => {
                let resolver = resolvers.get(identity.provider);
                resolver.is_some_and(|resolver| resolver.is_admin(&identity.id) == Some(true))
            }
            Node::Foreign(..) => false,
        })
        .collect()
}

fn open(graph: &DiGraph<Node<'_>, Step>, admins: &[bool], resolvers: &Resolvers) -> Vec<bool> {
    let nodes: Vec<(&Node<'_>, &bool)> = graph.node_weights().zip(admins).collect();
    nodes
        .par_iter()
        .map(|(node, admin)| match node {
            Node::Known(identity) if !**admin => {
                resolvers.get(identity.provider).is_some_and(|resolver| may_have_more(resolver, &identity.id))
            }
            _ => false,
        })
        .collect()
}

/// Whether an identity may have more steps than are known: something was not read that may offer some, or that may grant
/// it more access.
fn may_have_more(resolver: &dyn AccessResolver, identity: &IdentityId) -> bool {
    !resolver.unread(identity).is_empty()
        || resolver.access(identity).is_some_and(|access| access.doubts.iter().any(Doubt::may_add))
}

/// What nodes hold, worked out once for equal access, and only where a step needs it.
fn strengths(graph: &DiGraph<Node<'_>, Step>, resolvers: &Resolvers) -> (Vec<Option<u32>>, Vec<Option<Strength>>) {
    let nodes: Vec<(NodeIndex, &Node<'_>)> = graph.node_indices().zip(graph.node_weights()).collect();
    let keys: Vec<Option<(ProviderName, u64)>> = nodes
        .par_iter()
        .map(|(_, node)| {
            let Node::Known(identity) = node else { return None };
            Some((identity.provider, resolvers.get(identity.provider)?.access_key(&identity.id)?))
        })
        .collect();
    let mut numbers: HashMap<(ProviderName, u64), u32, foldhash::fast::FixedState> = HashMap::default();
    let mut examples: Vec<Option<(&dyn AccessResolver, &Identity)>> = Vec::new();
    let mut held = Vec::with_capacity(nodes.len());
    for ((index, node), key) in nodes.iter().zip(keys) {
        let (Some(key), Node::Known(identity)) = (key, node) else {
            held.push(None);
            continue;
        };
        let next = u32::try_from(examples.len()).unwrap_or(u32::MAX);
        let number = *numbers.entry(key).or_insert(next);
        if number == next {
            examples.push(None);
        }
        let linked = graph.neighbors_undirected(*index).next().is_some();
        if let Some(slot) = examples.get_mut(number as usize).filter(|slot| linked && slot.is_none()) {
            *slot = resolvers.get(identity.provider).map(|resolver| (resolver, *identity));
        }
        held.push(Some(number));
    }
    let strengths = examples
        .into_par_iter()
        .map(|example| {
            let (resolver, identity) = example?;
            Some(resolver.access(&identity.id).map_or_else(Strength::default, |access| {
                let operations =
                    if access.unlimited { OpSet::all(resolver.catalog().len()) } else { access.operations().clone() };
                Strength { weight: resolver.catalog().weight_of(&operations), operations }
            }))
        })
        .collect();
    (held, strengths)
}

fn places(graph: &DiGraph<Node<'_>, Step>) -> Vec<u32> {
    let mut numbers: BTreeMap<(ProviderName, Option<&ScopeId>), u32> = BTreeMap::new();
    graph
        .node_weights()
        .map(|node| {
            let next = u32::try_from(numbers.len()).unwrap_or(u32::MAX);
            *numbers.entry((node.provider(), node.scope())).or_insert(next)
        })
        .collect()
}

struct Builder<'a, 'j> {
    graph: DiGraph<Node<'a>, Step>,
    steps: Steps,
    judged: &'j Judgements,
    /// Identities by the ids under which others name them.
    aliases: HashMap<&'a IdentityId, &'a IdentityId>,
    /// Nodes that are no identities of the inventory.
    others: HashMap<EdgeTarget, NodeIndex, foldhash::fast::FixedState>,
}

impl Builder<'_, '_> {
    fn identity(&mut self, id: &IdentityId, provider: ProviderName) -> NodeIndex {
        let named = || self.judged.position(self.aliases.get(id).copied()?);
        match self.judged.position(id).or_else(named) {
            Some(at) => NodeIndex::new(at),
            None => self.other(EdgeTarget::Identity(id.clone()), provider),
        }
    }

    fn other(&mut self, target: EdgeTarget, provider: ProviderName) -> NodeIndex {
        if let Some(held) = self.others.get(&target) {
            return *held;
        }
        let node = self.graph.add_node(match &target {
            EdgeTarget::Identity(id) => Node::Foreign(id.clone(), provider),
            EdgeTarget::Admin(scope) => Node::Admin(scope.clone(), provider),
        });
        self.others.insert(target, node);
        node
    }

    /// The ends of which both sides were read: whether there is a step, and how certain it is, [`Self::add_trusts`] tells.
    fn crossed(&self, inventory: &Inventory) -> HashSet<(NodeIndex, NodeIndex), foldhash::fast::FixedState> {
        let apart = |from: &IdentityId, to: &IdentityId| {
            let ends = self.judged.position(from).zip(self.judged.position(to))?;
            let provider = |at: usize| inventory.identities.get(at).map(|held| held.provider);
            (provider(ends.0) != provider(ends.1)).then_some((NodeIndex::new(ends.0), NodeIndex::new(ends.1)))
        };
        inventory.crossings.iter().filter_map(|held| apart(&held.source, &held.target)).collect()
    }

    /// Adds a resolver's steps, but for those between ends whose two sides say more than it knows.
    fn add_steps(
        &mut self,
        provider: ProviderName,
        mut steps: Steps,
        crossed: &HashSet<(NodeIndex, NodeIndex), foldhash::fast::FixedState>,
    ) {
        let mut listed = std::mem::take(&mut steps.steps);
        self.graph.reserve_exact_edges(listed.len());
        // Each name is looked up once, however many steps bear it, and only where one does.
        let mut identities: Vec<Option<NodeIndex>> = vec![None; steps.identities.len()];
        let mut scopes: Vec<Option<NodeIndex>> = vec![None; steps.scopes.len()];
        listed.retain(|step| {
            if step.target == End::Identity(step.source) {
                return false;
            }
            let mut identity = |at: u32| {
                let (slot, id) = (identities.get_mut(at as usize)?, steps.identities.get(at as usize)?);
                Some(*slot.get_or_insert_with(|| self.identity(id, provider)))
            };
            let from = identity(step.source);
            let to = match step.target {
                End::Identity(at) => identity(at),
                End::Admin(at) => {
                    scopes.get_mut(at as usize).zip(steps.scopes.get(at as usize)).map(|(slot, scope)| {
                        *slot.get_or_insert_with(|| self.other(EdgeTarget::Admin(scope.clone()), provider))
                    })
                }
            };
            let ends = from.zip(to).filter(|ends| !crossed.contains(ends));
            if let Some((from, to)) = ends {
                self.graph.add_edge(from, to, Step { conditional: step.conditional, escalation: step.escalation });
            }
            ends.is_some()
        });
        steps.steps = listed;
        for (id, node) in steps.identities.iter_mut().zip(&identities) {
            if let Some(Node::Known(known)) = node.and_then(|node| self.graph.node_weight(node))
                && known.id != *id
            {
                *id = known.id.clone();
            }
        }
        self.steps.append(steps);
    }

    /// Adds the trusts that no resolver decides: between identities of different providers, and of providers without one.
    fn add_trusts(&mut self, inventory: &Inventory, resolvers: &Resolvers) {
        let undecided = |trust| self.undecided(trust, resolvers);
        let trusts: Vec<(&Trust, &'static str, NodeIndex, NodeIndex)> =
            inventory.trusts.par_iter().filter_map(undecided).collect();
        // Some nodes have very many steps, which must not be gone through for each trust.
        let sources: HashSet<NodeIndex, foldhash::fast::FixedState> =
            trusts.iter().map(|(_, _, from, _)| *from).collect();
        let ends = sources.iter().flat_map(|from| self.graph.edges(*from).map(|edge| (edge.source(), edge.target())));
        let mut linked: HashSet<(NodeIndex, NodeIndex), foldhash::fast::FixedState> = ends.collect();
        let mut crossing: Vec<Edge> = Vec::new();
        for (trust, technique, from, to) in trusts {
            if !linked.insert((from, to)) {
                continue;
            }
            // The reader names an identity as source only where the trust's constraint admits it. Of what was joined, the
            // other side tells whether that is certain, and where it is written.
            let joined = inventory.crossings_of(trust);
            let conditional = !joined.is_empty() && joined.iter().all(|held| held.admitted != Truth::Yes);
            let step = Step { conditional, escalation: false };
            self.graph.add_edge(from, to, step);
            crossing.push(Edge {
                source: IdentityId::new(Arc::clone(&trust.source)),
                target: EdgeTarget::Identity(trust.target.clone()),
                technique: technique.into(),
                escalation: step.escalation,
                conditional: step.conditional,
                grants: std::iter::once((technique, &trust.evidence))
                    .chain(joined.iter().map(|held| ("trust", &held.evidence)))
                    .map(|(side, evidence)| Grant {
                        policy: format!("{side} of {}", trust.target).into(),
                        statement: None,
                        name: Arc::from(""),
                        evidence: evidence.clone(),
                    })
                    .collect(),
            });
        }
        self.steps.append(crossing.into());
    }

    /// A trust between two identities that no resolver decides: by which technique it is a step, and between which nodes.
    fn undecided<'t>(
        &self,
        trust: &'t Trust,
        resolvers: &Resolvers,
    ) -> Option<(&'t Trust, &'static str, NodeIndex, NodeIndex)> {
        let technique = match trust.mechanism {
            Mechanism::Federation => "federation",
            Mechanism::WorkloadCreation => "workload-identity",
            Mechanism::HoldsCredential => "holds-credential",
            Mechanism::UsesTool => "uses-tool",
            Mechanism::Ambient => "ambient-credentials",
            Mechanism::Assignment => "assignment",
            _ => return None,
        };
        let from = NodeIndex::new(self.judged.position(&IdentityId::new(Arc::clone(&trust.source)))?);
        let to = NodeIndex::new(self.judged.position(&trust.target)?);
        let provider = |node: NodeIndex| match self.graph.node_weight(node) {
            Some(Node::Known(identity)) => Some(identity.provider),
            _ => None,
        };
        let source = provider(from);
        let decided = source == provider(to)
            && source.is_some_and(|provider| resolvers.get(provider).is_some())
            && matches!(trust.mechanism, Mechanism::Federation | Mechanism::Assignment | Mechanism::WorkloadCreation);
        (from != to && !decided).then_some((trust, technique, from, to))
    }
}
