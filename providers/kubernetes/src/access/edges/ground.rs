//! What techniques rest on: which work on a server, what they need, and whether somebody holds it.

use std::collections::BTreeSet;
use std::sync::Arc;

use evenhand_model::access::Grant;
use evenhand_model::evidence::Truth;
use evenhand_model::opset::{OpSet, OperationIx};

use super::super::compiled::Compiled;
use super::super::policy::Grantor;
use super::super::power::Power;
use super::super::sets::Held;
use super::super::techniques::{Leads, Names, TECHNIQUES, Technique, Wanted};
use crate::catalog::Operations;
use crate::rbac::Rule;

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
    fn dangerous(&self) -> OpSet {
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

    /// The rules of whoever holds a set, to be told as statements.
    pub(super) fn statements(&self, held: &Held) -> Statements<'r> {
        let rules_of = |grantor: &Grantor| {
            let grantor = *grantor;
            let rules = self.cluster.rules_of(grantor);
            rules.map(move |(at, rule, operations, home)| HeldRule { grantor, at, rule, operations, home })
        };
        let rules: Vec<HeldRule<'r>> = held.grantors.iter().flat_map(rules_of).collect();
        let written = vec![None; rules.len()];
        Statements { ground: *self, rules, written }
    }
}

/// A rule that somebody holds.
struct HeldRule<'r> {
    grantor: Grantor,
    /// Its number among those of the grantor's role.
    at: u32,
    rule: &'r Rule,
    operations: &'r OpSet,
    /// The namespace in which it is bound; empty = the whole cluster.
    home: &'r Arc<str>,
}

/// The rules of whoever holds a set. Each is written as a statement once, however many techniques rest on it.
pub(super) struct Statements<'r> {
    ground: Ground<'r>,
    rules: Vec<HeldRule<'r>>,
    written: Vec<Option<Grant>>,
}

impl Statements<'_> {
    /// The statements that give what a technique needs in a place, or on a name there.
    pub(super) fn grants(&mut self, technique: usize, place: Option<&Arc<str>>, name: Option<&Arc<str>>) -> Vec<Grant> {
        let mut found: Vec<Grant> = Vec::new();
        let in_namespace = place.is_some();
        for need in self.ground.needs(technique) {
            let which = |fits: &dyn Fn(&OpSet) -> bool| {
                self.rules.iter().position(|HeldRule { rule, operations, home, .. }| {
                    (home.is_empty() || place == Some(*home))
                        && (rule.resource_names.is_empty()
                            || name.is_some_and(|name| rule.resource_names.contains(name)))
                        && fits(operations)
                })
            };
            let at = which(&|held| need.is_met(held, in_namespace)).or_else(|| which(&|held| need.touches(held)));
            let grant = at.and_then(|at| self.written(at));
            found.extend(grant.filter(|grant| !found.contains(grant)));
        }
        found
    }

    /// A rule as a statement.
    fn written(&mut self, at: usize) -> Option<Grant> {
        if let Some(Some(grant)) = self.written.get(at) {
            return Some(grant.clone());
        }
        let HeldRule { grantor, at: rule, .. } = self.rules.get(at)?;
        let mut others = self.rules.iter().zip(&self.written).filter(|(other, _)| other.grantor == *grantor);
        let beside = others.find_map(|(_, written)| written.as_ref());
        let policy = &self.ground.cluster.policy;
        let grant = match beside {
            Some(beside) => policy.grant_beside(beside, *grantor, *rule),
            None => policy.grant(*grantor, *rule),
        };
        *self.written.get_mut(at)? = Some(grant.clone());
        Some(grant)
    }
}

/// Which techniques a set of operations may make: a quick look before the exact one. One bit for each technique that leads
/// somewhere, by its position among them; should there be more, some share one.
pub(super) struct Triggers {
    /// Sorted by operation: the techniques whose first need it meets.
    of_operations: Vec<(u32, u64)>,
    /// The techniques that take something else first.
    others: u64,
}

impl Triggers {
    /// The bit of a technique by its position among those that lead somewhere.
    pub(super) fn bit(at: usize) -> u64 {
        1 << (at % 64)
    }

    pub(super) fn new(ground: &Ground<'_>) -> Self {
        let dangerous = ground.dangerous();
        let mut of_operations: Vec<(u32, u64)> = dangerous.iter().map(|operation| (operation.0, 0)).collect();
        let mut others = 0;
        for (at, (technique, ..)) in ground.leading().enumerate() {
            let Some(first) = ground.needs(technique).first() else { continue };
            if first.takes_whole() {
                others |= Self::bit(at);
            }
            for (operation, bits) in &mut of_operations {
                if first.any().contains(OperationIx(*operation)) {
                    *bits |= Self::bit(at);
                }
            }
        }
        Self { of_operations, others }
    }

    /// The techniques that a set may make; `None` where nothing in it contributes to one that leads somewhere.
    pub(super) fn of(&self, held: &OpSet) -> Option<u64> {
        let mut found: Option<u64> = None;
        let mut rest = self.of_operations.as_slice();
        for (start, end) in held.ranges() {
            let before = rest.partition_point(|(operation, _)| operation < start);
            rest = rest.get(before..).unwrap_or_default();
            for (_, bits) in rest.iter().take_while(|(operation, _)| operation < end) {
                *found.get_or_insert(self.others) |= bits;
            }
        }
        found
    }

    /// The same of a set that is looked at whatever it holds.
    pub(super) fn of_any(&self, held: &OpSet) -> u64 {
        self.of(held).unwrap_or(self.others)
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
