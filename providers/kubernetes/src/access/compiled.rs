//! A policy compiled against the catalogue, and the access that follows.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use evenhand_model::access::{Access, Doubt, DoubtEffect, Grant, GrantIx, Slice};
use evenhand_model::condition::Condition;
use evenhand_model::evidence::Evidence;
use evenhand_model::glob::Glob;
use evenhand_model::opset::OpSet;
use evenhand_model::scope::{Pattern, ResourceScope};
use foldhash::fast::FixedState;
use rayon::prelude::*;

use super::grantings::Grantings;
use super::policy::{Grantor, Policy, index};
use super::sets::Held;
use super::techniques::Wanted;
use crate::rbac::{Role, Rule};

/// A policy whose rules are sets of operations.
pub(crate) struct Compiled {
    pub(crate) policy: Policy,
    grantings: Grantings,
    /// The number of the first rule of each grantor.
    bases: Vec<u32>,
    /// The number of this cluster's first rule among those of all clusters.
    first: u32,
    end: u32,
    scopes: HashMap<Arc<str>, Arc<ResourceScope>, FixedState>,
    everywhere: Arc<ResourceScope>,
    always: Arc<Condition>,
    sets: Vec<Held>,
    accesses: Vec<OnceLock<Arc<Access>>>,
    /// What each technique needs, in operations of the catalogue.
    pub(super) needs: OnceLock<Vec<Vec<Wanted>>>,
}

impl Drop for Compiled {
    /// As that of the resolver.
    fn drop(&mut self) {
        let accesses = std::mem::take(&mut self.accesses);
        let sets = std::mem::take(&mut self.sets);
        rayon::join(|| accesses.into_par_iter().for_each(drop), || drop(sets));
    }
}

impl Compiled {
    pub(crate) fn new(policy: Policy, grantings: Grantings, first: u32, sets: Vec<Held>) -> Self {
        let roles = policy.authorizer.roles();
        let mut scopes: HashMap<Arc<str>, Arc<ResourceScope>, FixedState> = HashMap::default();
        for binding in policy.authorizer.bindings() {
            let home = &binding.metadata.namespace;
            if !home.is_empty() && !scopes.contains_key(home) {
                let pattern = Pattern::new([Glob::literal(Arc::clone(home)), Glob::Any], '/');
                scopes.insert(Arc::clone(home), Arc::new(ResourceScope::any_of([pattern])));
            }
        }
        let grantors = policy.authorizer.bindings().len() + policy.human_roles.len();
        let mut bases = Vec::with_capacity(grantors);
        let mut end = first;
        for grantor in 0..grantors {
            bases.push(end);
            let (_, role) = policy.parts(Grantor(index(grantor)));
            let rules = role.and_then(|role| roles.get(role)).map_or(0, |role| role.rules.len());
            end = end.saturating_add(index(rules));
        }
        let accesses = sets.iter().map(|_| OnceLock::new()).collect();
        Self {
            policy,
            grantings,
            bases,
            first,
            end,
            scopes,
            everywhere: Arc::new(ResourceScope::everything()),
            always: Arc::new(Condition::unconditional()),
            sets,
            accesses,
            needs: OnceLock::new(),
        }
    }

    /// The number after this cluster's last rule.
    pub(crate) fn end(&self) -> u32 {
        self.end
    }

    pub(crate) fn set(&self, set: u32) -> Option<&Held> {
        self.sets.get(set as usize)
    }

    pub(crate) fn sets(&self) -> &[Held] {
        &self.sets
    }

    /// The statement behind a number, if it is one of this cluster's.
    pub(crate) fn grant(&self, grant: GrantIx) -> Option<Grant> {
        let (grantor, rule) = self.granting(grant)?;
        Some(self.policy.grant(grantor, rule))
    }

    /// The grantor and the rule behind a number, if it is one of this cluster's.
    pub(super) fn granting(&self, grant: GrantIx) -> Option<(Grantor, u32)> {
        if grant.0 < self.first || grant.0 >= self.end {
            return None;
        }
        let after = self.bases.partition_point(|base| *base <= grant.0);
        let grantor = after.checked_sub(1)?;
        let base = self.bases.get(grantor)?;
        Some((Grantor(index(grantor)), grant.0 - base))
    }

    /// What each rule of a grantor grants, with the namespace it is bound in.
    pub(crate) fn rules_of(&self, grantor: Grantor) -> impl Iterator<Item = (u32, &Rule, &Arc<OpSet>, &Arc<str>)> {
        let (binding, role) = self.policy.parts(grantor);
        let everywhere = self.everywhere_name();
        let home = binding
            .and_then(|ix| self.policy.authorizer.binding(ix))
            .map_or(everywhere, |binding| &binding.metadata.namespace);
        let rules =
            role.and_then(|role| self.policy.authorizer.roles().get(role)).map_or(&[][..], |role| role.rules.shared());
        // Without a role there are no rules that these could be told of.
        let grantings = self.grantings.by_role(role.unwrap_or_default());
        (0u32..).zip(rules.iter().zip(grantings)).map(move |(at, (rule, granting))| {
            (at, &**rule, if home.is_empty() { &granting.cluster } else { &granting.namespaced }, home)
        })
    }

    fn everywhere_name(&self) -> &Arc<str> {
        static EVERYWHERE: OnceLock<Arc<str>> = OnceLock::new();
        EVERYWHERE.get_or_init(|| Arc::from(""))
    }

    /// Rules that name what no server understands: where, and what to do.
    pub(crate) fn dead_rules(&self) -> Vec<(Evidence, String)> {
        let mut all = Vec::new();
        if self.grantings.each().iter().all(|rule| rule.dead.is_empty()) {
            return all;
        }
        for (at, role) in self.policy.authorizer.roles().iter().enumerate() {
            for (number, rule) in (0u32..).zip(self.grantings.by_role(at)) {
                let Some(first) = rule.dead.first() else { continue };
                if role.aggregation_rule.is_some() {
                    continue;
                }
                let message = format!(
                    "rule {number} of role {} names `{first}`, which grants nothing: write the core group as an empty text, and subresources one by one or as `*/NAME`",
                    role.metadata.name
                );
                all.push((self.policy.role_evidence(at, Some(number)), message));
            }
        }
        all
    }

    /// What a role grants without names when it is bound, in the whole cluster or in a namespace. The role is by its own
    /// namespace, empty for ClusterRoles, and name; one that does not exist grants nothing.
    pub(crate) fn operations_of(&self, namespace: &str, name: &str, clusterwide: bool) -> OpSet {
        let roles = self.policy.authorizer.roles();
        let is_it = |role: &Role| *role.metadata.namespace == *namespace && *role.metadata.name == *name;
        let Some((at, role)) = roles.iter().enumerate().find(|(_, role)| is_it(role)) else { return OpSet::new() };
        let unnamed = role.rules.iter().zip(self.grantings.by_role(at));
        let unnamed = unnamed.filter(|(rule, _)| rule.resource_names.is_empty());
        OpSet::from_ranges(
            unnamed
                .map(|(_, granting)| if clusterwide { &granting.cluster } else { &granting.namespaced })
                .flat_map(|operations| operations.ranges().iter().copied()),
        )
    }

    /// The access of a set, computed once.
    pub(crate) fn access(&self, set: u32) -> Option<Arc<Access>> {
        let cell = self.accesses.get(set as usize)?;
        let held = self.sets.get(set as usize)?;
        Some(Arc::clone(cell.get_or_init(|| Arc::new(self.resolve(held)))))
    }

    fn resolve(&self, held: &Held) -> Access {
        let rules = held.grantors.iter().map(|grantor| {
            let (_, role) = self.policy.parts(*grantor);
            role.and_then(|role| self.policy.authorizer.roles().get(role)).map_or(0, |role| role.rules.len())
        });
        let (mut slices, mut doubts) = (Vec::with_capacity(rules.sum()), Vec::new());
        for grantor in &held.grantors {
            let base = self.bases.get(grantor.0 as usize).copied().unwrap_or(self.first);
            for (at, rule, operations, home) in self.rules_of(*grantor) {
                if operations.is_empty() {
                    continue;
                }
                let scope = if !rule.resource_names.is_empty() {
                    let namespace = if home.is_empty() { Glob::Any } else { Glob::literal(Arc::clone(home)) };
                    Arc::new(ResourceScope::any_of(
                        rule.resource_names
                            .iter()
                            .map(|name| Pattern::new([namespace.clone(), Glob::literal(Arc::clone(name))], '/')),
                    ))
                } else if home.is_empty() {
                    Arc::clone(&self.everywhere)
                } else {
                    self.scopes.get(home).map_or_else(|| Arc::clone(&self.everywhere), Arc::clone)
                };
                slices.push(Slice {
                    operations: Arc::clone(operations),
                    scope,
                    condition: Arc::clone(&self.always),
                    grant: GrantIx(base.saturating_add(at)),
                });
            }
            self.doubt(*grantor, &mut doubts);
        }
        // A role taken by itself is what it says, whoever is bound to it.
        let is_role = held.grantors.iter().any(|grantor| self.policy.parts(*grantor).0.is_none());
        if !is_role && !held.unlimited {
            let own = |text| Doubt { about: Doubt::OWN, ..Doubt::new(text, DoubtEffect::Adds) };
            doubts.extend(self.policy.bindings_unread(true, true).map(own));
        }
        Access::new(slices, doubts, held.unlimited)
    }

    /// A role that is bound but not in the capture may grant something, unless the capture is the whole cluster.
    fn doubt(&self, grantor: Grantor, doubts: &mut Vec<Doubt>) {
        let (Some(ix), None) = self.policy.parts(grantor) else { return };
        if self.policy.complete {
            return;
        }
        if let Some(binding) = self.policy.authorizer.binding(ix) {
            // A role of one name is another one, or bound to less, in another namespace.
            let home = &binding.metadata.namespace;
            let place = if home.is_empty() { String::new() } else { format!(" in namespace {home}") };
            let (kind, name) = (&binding.role_ref.kind, &binding.role_ref.name);
            let doubt = Doubt::new(format!("{kind} {name} is bound{place} but not in the capture"), DoubtEffect::Adds);
            if !doubts.contains(&doubt) {
                doubts.push(doubt);
            }
        }
    }
}
