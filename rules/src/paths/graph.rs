//! The graph: identities and scopes, and the steps between them.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use evenhand_model::access::{Edge, EdgeTarget, Grant};
use evenhand_model::id::{IdentityId, ProviderName, ScopeId};
use evenhand_model::identity::Identity;
use evenhand_model::inventory::Inventory;
use evenhand_model::opset::OpSet;
use evenhand_model::trust::{Mechanism, Trust};
use petgraph::graph::{DiGraph, NodeIndex};
use petgraph::visit::EdgeRef;

use super::Hop;
use crate::judgements::Judgements;
use crate::parity::Memo;
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

/// How much an identity holds.
#[derive(Debug, Default)]
pub(crate) struct Strength {
    pub(crate) weight: u64,
    pub(crate) operations: OpSet,
}

/// Nodes 0 to n are the identities of the inventory by position; others follow.
pub(crate) struct Graph<'a> {
    pub(crate) graph: DiGraph<Node<'a>, Arc<Hop>>,
    judged: &'a Judgements,
    resolvers: &'a Resolvers,
    strengths: Memo<(ProviderName, u64), Strength>,
    admins: Vec<OnceLock<bool>>,
}

/// The cost of a step: conditional ones first, escalating ones second, any step third.
pub(crate) fn cost(hop: &Hop) -> u64 {
    (u64::from(hop.conditional) << 42) | (u64::from(hop.escalation) << 21) | 1
}

/// Whether a chain of some cost depends on no unknown condition.
pub(crate) fn unconditional(cost: u64) -> bool {
    cost >> 42 == 0
}

impl<'a> Graph<'a> {
    pub(crate) fn new(inventory: &'a Inventory, judged: &'a Judgements, resolvers: &'a Resolvers) -> Self {
        let edges: Vec<(ProviderName, Vec<Edge>)> =
            resolvers.iter().map(|(provider, resolver)| (provider, resolver.edges())).collect();
        let count = edges.iter().map(|(_, edges)| edges.len()).sum();
        let mut graph = DiGraph::with_capacity(inventory.identities.len() + 16, count);
        for identity in &inventory.identities {
            graph.add_node(Node::Known(identity));
        }
        let mut builder = Builder { graph, judged, others: HashMap::default() };
        for (provider, edges) in edges {
            builder.add_edges(provider, edges);
        }
        builder.add_trusts(&inventory.trusts, resolvers);
        let graph = builder.graph;
        let admins = (0..graph.node_count()).map(|_| OnceLock::new()).collect();
        Self { graph, judged, resolvers, strengths: Memo::default(), admins }
    }

    pub(crate) fn node(&self, at: usize) -> Option<&Node<'a>> {
        self.graph.node_weight(NodeIndex::new(at))
    }

    pub(crate) fn has_steps(&self, at: usize) -> bool {
        self.graph.edges(NodeIndex::new(at)).next().is_some()
    }

    /// The steps from a node: number, where to, and the step.
    pub(crate) fn steps(&self, at: usize) -> impl Iterator<Item = (usize, usize, &Arc<Hop>)> {
        self.graph.edges(NodeIndex::new(at)).map(|edge| (edge.id().index(), edge.target().index(), edge.weight()))
    }

    /// Whether a node is full control of a scope, or an identity that has it.
    pub(crate) fn is_admin(&self, at: usize) -> bool {
        let ask = || match self.node(at) {
            Some(Node::Admin(..)) => true,
            Some(Node::Known(identity)) => self
                .resolvers
                .get(identity.provider)
                .is_some_and(|resolver| resolver.is_admin(&identity.id) == Some(true)),
            Some(Node::Foreign(..)) | None => false,
        };
        match self.admins.get(at) {
            Some(held) => held.get().copied().unwrap_or_else(|| {
                // Asked outside the cell: a resolver may itself wait on this pool of threads.
                let answer = ask();
                let _ = held.set(answer);
                answer
            }),
            None => ask(),
        }
    }

    /// Where a node is.
    pub(crate) fn scope(&self, at: usize) -> Option<&ScopeId> {
        match self.node(at)? {
            Node::Known(identity) => Some(&identity.scope),
            Node::Admin(scope, _) => Some(scope),
            Node::Foreign(..) => None,
        }
    }

    pub(crate) fn provider(&self, at: usize) -> Option<ProviderName> {
        match self.node(at)? {
            Node::Known(identity) => Some(identity.provider),
            Node::Admin(_, provider) | Node::Foreign(_, provider) => Some(*provider),
        }
    }

    /// The provider of an identity of the inventory.
    pub(crate) fn provider_of(&self, id: &IdentityId) -> Option<ProviderName> {
        self.provider(self.judged.position(id)?)
    }

    pub(crate) fn target(&self, at: usize) -> Option<EdgeTarget> {
        Some(match self.node(at)? {
            Node::Known(identity) => EdgeTarget::Identity(identity.id.clone()),
            Node::Foreign(id, _) => EdgeTarget::Identity(id.clone()),
            Node::Admin(scope, _) => EdgeTarget::Admin(scope.clone()),
        })
    }

    /// Whether anything is known of what an identity holds.
    pub(crate) fn access_known(&self, at: usize) -> bool {
        match self.node(at) {
            Some(Node::Known(identity)) => self
                .resolvers
                .get(identity.provider)
                .is_some_and(|resolver| resolver.access_key(&identity.id).is_some()),
            Some(Node::Admin(..)) => true,
            Some(Node::Foreign(..)) | None => false,
        }
    }

    /// What an identity holds; `None` where that is not known.
    pub(crate) fn strength(&self, at: usize) -> Option<Arc<Strength>> {
        let Some(Node::Known(identity)) = self.node(at) else { return None };
        let resolver = self.resolvers.get(identity.provider)?;
        let key = resolver.access_key(&identity.id)?;
        Some(self.strengths.get((identity.provider, key), || {
            resolver.access(&identity.id).map_or_else(Strength::default, |access| {
                let operations =
                    if access.unlimited { OpSet::all(resolver.catalog().len()) } else { access.operations() };
                Strength { weight: resolver.catalog().weight_of(&operations), operations }
            })
        }))
    }
}

struct Builder<'a, 'j> {
    graph: DiGraph<Node<'a>, Arc<Hop>>,
    judged: &'j Judgements,
    /// Nodes that are no identities of the inventory.
    others: HashMap<EdgeTarget, NodeIndex, foldhash::fast::FixedState>,
}

impl Builder<'_, '_> {
    fn node(&mut self, target: &EdgeTarget, provider: ProviderName) -> NodeIndex {
        if let EdgeTarget::Identity(id) = target
            && let Some(at) = self.judged.position(id)
        {
            return NodeIndex::new(at);
        }
        if let Some(held) = self.others.get(target) {
            return *held;
        }
        let node = self.graph.add_node(match target {
            EdgeTarget::Identity(id) => Node::Foreign(id.clone(), provider),
            EdgeTarget::Admin(scope) => Node::Admin(scope.clone(), provider),
        });
        self.others.insert(target.clone(), node);
        node
    }

    fn add_edges(&mut self, provider: ProviderName, edges: Vec<Edge>) {
        for edge in edges {
            let from = self.node(&EdgeTarget::Identity(edge.source.clone()), provider);
            let to = self.node(&edge.target, provider);
            if from == to {
                continue;
            }
            self.graph.add_edge(
                from,
                to,
                Arc::new(Hop {
                    from: edge.source,
                    to: edge.target,
                    technique: edge.technique,
                    escalation: edge.escalation,
                    conditional: edge.conditional,
                    grants: edge.grants,
                }),
            );
        }
    }

    /// Adds the trusts that no resolver decides: between identities of different providers, and of providers without one.
    fn add_trusts(&mut self, trusts: &[Trust], resolvers: &Resolvers) {
        for trust in trusts {
            let technique = match trust.mechanism {
                Mechanism::Federation => "federation",
                Mechanism::HoldsCredential => "holds-credential",
                Mechanism::UsesTool => "uses-tool",
                Mechanism::Assignment => "assignment",
                _ => continue,
            };
            let source = IdentityId::new(Arc::clone(&trust.source));
            let (Some(from), Some(to)) = (self.judged.position(&source), self.judged.position(&trust.target)) else {
                continue;
            };
            let (from, to) = (NodeIndex::new(from), NodeIndex::new(to));
            let provider = |node: NodeIndex| match self.graph.node_weight(node) {
                Some(Node::Known(identity)) => Some(identity.provider),
                _ => None,
            };
            let (source_provider, target_provider) = (provider(from), provider(to));
            let decided = source_provider == target_provider
                && source_provider.is_some_and(|provider| resolvers.get(provider).is_some())
                && matches!(trust.mechanism, Mechanism::Federation | Mechanism::Assignment);
            if from == to || decided || self.graph.find_edge(from, to).is_some() {
                continue;
            }
            self.graph.add_edge(
                from,
                to,
                Arc::new(Hop {
                    from: source,
                    to: EdgeTarget::Identity(trust.target.clone()),
                    technique: technique.into(),
                    escalation: false,
                    // The reader names an identity as source only where the trust's constraint admits it.
                    conditional: false,
                    grants: vec![Grant {
                        policy: format!("{} of {}", technique, trust.target).into(),
                        statement: 0,
                        name: Arc::from(""),
                        evidence: trust.evidence.clone(),
                    }],
                }),
            );
        }
    }
}
