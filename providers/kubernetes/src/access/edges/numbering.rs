//! What the numbers of steps mean: names of identities, scopes and techniques in their order.

use std::sync::Arc;

use evenhand_model::id::{IdentityId, ScopeId};
use evenhand_model::steps::{End, Steps};
use rayon::prelude::*;

use super::super::compiled::Compiled;
use super::super::techniques::{TECHNIQUES, Technique};
use super::super::{Known, Resolver};

/// Numbers of identities, scopes and techniques, in the order of their names: whoever sorts steps sorts numbers.
pub(super) struct Numbering {
    /// The number of each named identity, in their order.
    pub(super) named: Vec<u32>,
    identities: Vec<IdentityId>,
    scopes: Vec<ScopeId>,
    techniques: Vec<Arc<str>>,
    /// The numbers of [`TECHNIQUES`]; several have one id.
    pub(super) of_technique: Vec<u16>,
    /// The scope of each cluster.
    pub(super) of_cluster: Vec<u32>,
}

impl Numbering {
    /// Numbers everything that is named, sorted, or that stated steps mention.
    pub(super) fn of(named: &[(&IdentityId, &Known)], stated: &Steps, resolver: &Resolver) -> Self {
        let sorted = |mut texts: Vec<Arc<str>>| {
            texts.sort_unstable();
            texts.dedup();
            texts
        };
        let mut identities: Vec<IdentityId> = named.iter().map(|(id, _)| (*id).clone()).collect();
        if !stated.identities.is_empty() {
            identities.extend(stated.identities.iter().cloned());
            identities.par_sort();
            identities.dedup();
        }
        let mut numbers = 0u32..;
        let mut rest = identities.iter();
        let number = |(id, _): &(&IdentityId, &Known)| {
            let before = rest.by_ref().take_while(|held| *held != *id).count();
            numbers.nth(before).unwrap_or(u32::MAX)
        };
        let named = if stated.identities.is_empty() {
            (0u32..).take(named.len()).collect()
        } else {
            named.iter().map(number).collect()
        };
        let of_clusters = resolver.clusters.iter().map(|cluster| cluster.policy.scope.clone());
        let mut scopes: Vec<ScopeId> = of_clusters.chain(stated.scopes.iter().cloned()).collect();
        scopes.sort_unstable();
        scopes.dedup();
        let ids = TECHNIQUES.iter().map(|technique| Arc::from(technique.id));
        let techniques = sorted(ids.chain(stated.techniques.iter().cloned()).collect());
        let of_technique = |technique: &Technique| {
            let at = techniques.binary_search_by(|held| (**held).cmp(technique.id));
            at.ok().and_then(|at| u16::try_from(at).ok()).unwrap_or(u16::MAX)
        };
        let of_technique = TECHNIQUES.iter().map(of_technique).collect();
        let of_cluster = |cluster: &Compiled| position(&scopes, &cluster.policy.scope);
        let of_cluster = resolver.clusters.iter().map(of_cluster).collect();
        Self { named, identities, scopes, techniques, of_technique, of_cluster }
    }

    /// Gives stated steps these numbers.
    pub(super) fn renumber(&self, stated: &mut Steps) {
        let identities: Vec<u32> = stated.identities.iter().map(|id| position(&self.identities, id)).collect();
        let scopes: Vec<u32> = stated.scopes.iter().map(|scope| position(&self.scopes, scope)).collect();
        let techniques: Vec<u32> = stated.techniques.iter().map(|id| position(&self.techniques, id)).collect();
        let new = |numbers: &[u32], at: u32| numbers.get(at as usize).copied().unwrap_or(u32::MAX);
        for step in &mut stated.steps {
            step.source = new(&identities, step.source);
            step.target = match step.target {
                End::Identity(at) => End::Identity(new(&identities, at)),
                End::Admin(at) => End::Admin(new(&scopes, at)),
            };
            step.technique = u16::try_from(new(&techniques, u32::from(step.technique))).unwrap_or(u16::MAX);
        }
        stated.identities.clone_from(&self.identities);
        stated.scopes.clone_from(&self.scopes);
        stated.techniques.clone_from(&self.techniques);
    }
}

/// The position of something in a sorted list that holds it.
fn position<T: Ord>(sorted: &[T], held: &T) -> u32 {
    sorted.binary_search(held).ok().and_then(|at| u32::try_from(at).ok()).unwrap_or(u32::MAX)
}
