//! The steps of a graph, put together: those that resolvers tell, and the trusts that none of them decides.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use evenhand_model::access::{Edge, EdgeTarget, Grant};
use evenhand_model::evidence::Truth;
use evenhand_model::id::{IdentityId, ProviderName};
use evenhand_model::inventory::Inventory;
use evenhand_model::steps::{End, Steps};
use evenhand_model::trust::{Mechanism, Trust};
use rayon::prelude::*;

use super::graph::{Link, Node, narrow};
use crate::judgements::Judgements;
use crate::resolvers::Resolvers;

/// A graph that is being put together.
pub(super) struct Builder<'a, 'j> {
    pub(super) nodes: Vec<Node<'a>>,
    pub(super) links: Vec<Link>,
    pub(super) steps: Steps,
    pub(super) judged: &'j Judgements,
    /// Identities by the ids under which others name them.
    pub(super) aliases: HashMap<&'a IdentityId, &'a IdentityId>,
    /// Nodes that are no identities of the inventory.
    pub(super) others: HashMap<EdgeTarget, u32, foldhash::fast::FixedState>,
}

/// Two nodes.
type Ends = (u32, u32);

impl Builder<'_, '_> {
    /// The node of an identity of the inventory.
    fn known(&self, id: &IdentityId) -> Option<u32> {
        let named = || self.judged.position(self.aliases.get(id).copied()?);
        self.judged.position(id).or_else(named).map(narrow)
    }

    fn other(&mut self, target: EdgeTarget, provider: ProviderName) -> u32 {
        if let Some(held) = self.others.get(&target) {
            return *held;
        }
        let node = narrow(self.nodes.len());
        self.nodes.push(match &target {
            EdgeTarget::Identity(id) => Node::Foreign(id.clone(), provider),
            EdgeTarget::Admin(scope) => Node::Admin(scope.clone(), provider),
        });
        self.others.insert(target, node);
        node
    }

    /// The ends of which both sides were read: whether there is a step, and how certain it is, [`Self::add_trusts`] tells.
    pub(super) fn crossed(&self, inventory: &Inventory) -> HashSet<Ends, foldhash::fast::FixedState> {
        let apart = |from: &IdentityId, to: &IdentityId| {
            let ends = self.judged.position(from).zip(self.judged.position(to))?;
            let provider = |at: usize| inventory.identities.get(at).map(|held| held.provider);
            (provider(ends.0) != provider(ends.1)).then_some((narrow(ends.0), narrow(ends.1)))
        };
        inventory.crossings.iter().filter_map(|held| apart(&held.source, &held.target)).collect()
    }

    /// Adds a resolver's steps, but for those between ends whose two sides say more than it knows.
    pub(super) fn add_steps(
        &mut self,
        provider: ProviderName,
        mut steps: Steps,
        crossed: &HashSet<Ends, foldhash::fast::FixedState>,
    ) {
        let mut listed = std::mem::take(&mut steps.steps);
        self.links.reserve_exact(listed.len());
        // Each name is looked up once, however many steps bear it.
        let mut identities: Vec<Option<u32>> = steps.identities.par_iter().map(|id| self.known(id)).collect();
        let mut scopes: Vec<Option<u32>> = vec![None; steps.scopes.len()];
        listed.retain(|step| {
            if step.target == End::Identity(step.source) {
                return false;
            }
            let mut identity = |at: u32| {
                let (slot, id) = (identities.get_mut(at as usize)?, steps.identities.get(at as usize)?);
                Some(*slot.get_or_insert_with(|| self.other(EdgeTarget::Identity(id.clone()), provider)))
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
                let (conditional, escalation) = (step.conditional, step.escalation);
                self.links.push(Link { from, to, conditional, escalation });
            }
            ends.is_some()
        });
        steps.steps = listed;
        for (id, node) in steps.identities.iter_mut().zip(&identities) {
            if let Some(Node::Known(known)) = node.and_then(|node| self.nodes.get(node as usize))
                && known.id != *id
            {
                *id = known.id.clone();
            }
        }
        self.steps.append(steps);
    }

    /// Adds the trusts that no resolver decides: between identities of different providers, and of providers without one.
    pub(super) fn add_trusts(&mut self, inventory: &Inventory, resolvers: &Resolvers) {
        let undecided = |trust| self.undecided(trust, resolvers);
        let trusts: Vec<(&Trust, &'static str, u32, u32)> = inventory.trusts.par_iter().filter_map(undecided).collect();
        if trusts.is_empty() {
            return;
        }
        // Some nodes have very many steps, which must not be gone through for each trust.
        let mut is_source = vec![false; self.nodes.len()];
        for (_, _, from, _) in &trusts {
            if let Some(is_source) = is_source.get_mut(*from as usize) {
                *is_source = true;
            }
        }
        let ends = self.links.iter().filter(|step| is_source.get(step.from as usize) == Some(&true));
        let mut linked: HashSet<Ends, foldhash::fast::FixedState> = ends.map(|step| (step.from, step.to)).collect();
        let mut crossing: Vec<Edge> = Vec::new();
        for (trust, technique, from, to) in trusts {
            if !linked.insert((from, to)) {
                continue;
            }
            // The reader names an identity as source only where the trust's constraint admits it. Of what was joined, the
            // other side tells whether that is certain, and where it is written.
            let joined = inventory.crossings_of(trust);
            let conditional = !joined.is_empty() && joined.iter().all(|held| held.admitted != Truth::Yes);
            let step = Link { from, to, conditional, escalation: false };
            self.links.push(step);
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
    fn undecided<'t>(&self, trust: &'t Trust, resolvers: &Resolvers) -> Option<(&'t Trust, &'static str, u32, u32)> {
        let technique = match trust.mechanism {
            Mechanism::Federation => "federation",
            Mechanism::WorkloadCreation => "workload-identity",
            Mechanism::HoldsCredential => "holds-credential",
            Mechanism::UsesTool => "uses-tool",
            Mechanism::Ambient => "ambient-credentials",
            Mechanism::Assignment => "assignment",
            _ => return None,
        };
        let from = narrow(self.judged.position(&IdentityId::new(Arc::clone(&trust.source)))?);
        let to = narrow(self.judged.position(&trust.target)?);
        let provider = |node: u32| match self.nodes.get(node as usize) {
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
