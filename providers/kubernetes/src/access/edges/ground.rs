//! What techniques rest on: which work on a server, what they need, and whether somebody holds it.

use std::collections::BTreeSet;
use std::sync::Arc;

use evenhand_model::access::Grant;
use evenhand_model::evidence::Truth;
use evenhand_model::opset::OpSet;

use super::super::compiled::Compiled;
use super::super::power::Power;
use super::super::sets::Held;
use super::super::techniques::{Leads, Names, TECHNIQUES, Technique, Wanted};
use crate::catalog::Operations;

/// A cluster and the techniques, against one catalogue.
#[derive(Clone, Copy)]
pub(super) struct Ground<'r> {
    operations: &'r Operations,
    cluster: &'r Compiled,
    /// What each technique needs.
    needs: &'r [Vec<Wanted>],
}

impl<'r> Ground<'r> {
    pub(super) fn new(operations: &'r Operations, cluster: &'r Compiled) -> Self {
        let wanted = |technique: &Technique| technique.needs.iter().map(|need| Wanted::of(need, operations)).collect();
        let needs = cluster.needs.get_or_init(|| TECHNIQUES.iter().map(wanted).collect());
        Self { operations, cluster, needs }
    }

    /// Whatever contributes to a technique that leads somewhere. Whoever holds everything, or reads everything, holds some
    /// of it as well.
    pub(super) fn dangerous(&self) -> OpSet {
        TECHNIQUES
            .iter()
            .zip(self.needs)
            .filter(|(technique, _)| technique.leads != Leads::Nowhere)
            .flat_map(|(_, needs)| needs)
            .fold(OpSet::new(), |all, need| all.union(need.any()))
    }

    /// What a technique needs.
    pub(super) fn needs(&self, technique: usize) -> &'r [Wanted] {
        self.needs.get(technique).map_or(&[], Vec::as_slice)
    }

    /// The techniques that work on this server and lead somewhere: number, where to, and whether it is open that they work.
    pub(super) fn leading(&self) -> impl Iterator<Item = (usize, Leads, bool)> {
        TECHNIQUES
            .iter()
            .enumerate()
            .filter(|(_, technique)| technique.leads != Leads::Nowhere)
            .filter_map(|(at, technique)| Some((at, technique.leads, self.works(technique)?)))
    }

    /// Whether it is open that a technique works on this server; `None` = it does not.
    pub(super) fn works(&self, technique: &Technique) -> Option<bool> {
        match technique.works_on(self.cluster.policy.version) {
            Truth::No => None,
            Truth::Yes => Some(technique.conditional),
            Truth::Unknown => Some(true),
        }
    }

    /// What exists in a namespace, or in the whole cluster.
    pub(super) fn there(&self, in_namespace: bool) -> &'r OpSet {
        if in_namespace { self.operations.in_namespaces() } else { self.operations.resources() }
    }

    /// Whether what is held in one place, a namespace or the whole cluster, is all that a technique needs.
    pub(super) fn meets(&self, technique: usize, held: &OpSet, in_namespace: bool) -> bool {
        let needs = self.needs(technique);
        !needs.is_empty() && needs.iter().all(|need| need.is_met(held, in_namespace))
    }

    /// Where a power holds all that a technique needs.
    pub(super) fn held_in<'p>(&self, at: usize, technique: &Technique, power: &'p Power) -> Where<'p> {
        let mut places = Where { everywhere: self.meets(at, &power.cluster, false), ..Where::default() };
        if places.everywhere {
            return places;
        }
        let touched = |held: &OpSet| self.needs(at).iter().any(|need| need.touches(held));
        let local = power.local.iter().filter(|(_, held)| touched(held)).map(|(home, _)| home);
        places.namespaces = local.filter(|home| self.meets(at, &power.within(home), true)).collect();
        for ((home, name), held) in power.named.iter() {
            let known = match technique.names {
                Names::Objects(known) => known.is_empty() || known.contains(&&**name),
                _ => true,
            };
            if known
                && !places.namespaces.contains(home)
                && touched(held)
                && self.meets(at, &power.within(home).union(held), !home.is_empty())
            {
                places.objects.insert((home, name));
            }
        }
        places
    }

    /// The statements that give what a technique needs in a place, or on a name there.
    pub(super) fn grants(
        &self,
        held: &Held,
        technique: usize,
        place: Option<&Arc<str>>,
        name: Option<&Arc<str>>,
    ) -> Vec<Grant> {
        let mut found: Vec<Grant> = Vec::new();
        for need in self.needs(technique) {
            let which = |fits: &dyn Fn(&OpSet) -> bool| {
                held.grantors.iter().find_map(|grantor| {
                    self.cluster
                        .rules_of(*grantor)
                        .find(|(_, rule, operations, home)| {
                            (home.is_empty() || place == Some(*home))
                                && (rule.resource_names.is_empty()
                                    || name.is_some_and(|name| rule.resource_names.contains(name)))
                                && fits(operations)
                        })
                        .map(|(at, ..)| self.cluster.policy.grant(*grantor, at))
                })
            };
            let in_namespace = place.is_some();
            let grant = which(&|held| need.is_met(held, in_namespace)).or_else(|| which(&|held| need.touches(held)));
            if let Some(grant) = grant
                && !found.contains(&grant)
            {
                found.push(grant);
            }
        }
        found
    }
}

/// Where a technique is held.
#[derive(Default)]
pub(super) struct Where<'a> {
    pub(super) everywhere: bool,
    pub(super) namespaces: BTreeSet<&'a Arc<str>>,
    /// Namespace and name.
    pub(super) objects: BTreeSet<(&'a Arc<str>, &'a Arc<str>)>,
}

impl Where<'_> {
    pub(super) fn is_nowhere(&self) -> bool {
        !self.everywhere && self.namespaces.is_empty() && self.objects.is_empty()
    }
}
