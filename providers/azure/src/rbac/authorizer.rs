//! The compiled form: assignments by principal, roles by key.

use std::collections::{BTreeSet, HashMap};

use evenhand_model::scope::ResourceScope;

use super::scope::{ArmId, Hierarchy};
use super::world::{DenyAssignment, ObjectId, RoleAssignment, RoleDefinition, RoleKey, World};

type Map<K, V> = HashMap<K, V, foldhash::fast::RandomState>;

/// Decides requests and lists access.
#[derive(Debug, Default)]
pub struct Authorizer {
    pub(super) world: World,
    roles: Map<RoleKey, usize>,
    held: Map<ObjectId, Vec<usize>>,
    /// Deny assignments by whom they name; those that name everybody stand apart.
    denied: Map<ObjectId, Vec<usize>>,
    denied_to_all: Vec<usize>,
    /// What lies in management groups that something is assigned at: as much as there are subscriptions, so each once.
    reach: Map<ArmId, ResourceScope>,
}

impl Authorizer {
    /// Takes a world. Of several role definitions of one key the first counts.
    pub fn new(world: World) -> Self {
        let mut roles: Map<RoleKey, usize> = Map::default();
        for (at, role) in world.definitions.iter().enumerate() {
            roles.entry(role.key.clone()).or_insert(at);
        }
        let mut held: Map<ObjectId, Vec<usize>> = Map::default();
        for (at, assignment) in world.assignments.iter().enumerate() {
            held.entry(assignment.principal.clone()).or_default().push(at);
        }
        let (mut denied, mut denied_to_all): (Map<ObjectId, Vec<usize>>, _) = (Map::default(), Vec::new());
        for (at, deny) in world.denies.iter().enumerate() {
            if deny.principals.everybody {
                denied_to_all.push(at);
            } else {
                deny.principals.named.iter().for_each(|id| denied.entry(id.clone()).or_default().push(at));
            }
        }
        let mut reach: Map<ArmId, ResourceScope> = Map::default();
        let scopes =
            world.assignments.iter().map(|held| &held.scope).chain(world.denies.iter().map(|deny| &deny.scope));
        for scope in scopes.filter(|scope| scope.is_management_group()) {
            if !reach.contains_key(scope) {
                reach.insert(scope.clone(), world.hierarchy.scope(scope));
            }
        }
        Self { world, roles, held, denied, denied_to_all, reach }
    }

    /// The resources at a scope and below it.
    pub(crate) fn reach(&self, scope: &ArmId) -> ResourceScope {
        self.reach.get(scope).cloned().unwrap_or_else(|| self.world.hierarchy.scope(scope))
    }

    /// The world.
    pub fn world(&self) -> &World {
        &self.world
    }

    /// A role definition.
    pub(super) fn role(&self, key: &RoleKey) -> Option<(usize, &RoleDefinition)> {
        let at = *self.roles.get(key)?;
        Some((at, self.world.definitions.get(at)?))
    }

    /// The assignments of a principal and of the groups that it is in, in their order.
    pub(crate) fn held_by(&self, who: &BTreeSet<ObjectId>) -> Vec<(usize, &RoleAssignment)> {
        let mut held: Vec<usize> = who.iter().filter_map(|id| self.held.get(id)).flatten().copied().collect();
        held.sort_unstable();
        held.into_iter().filter_map(|at| Some((at, self.world.assignments.get(at)?))).collect()
    }

    /// The deny assignments that name a principal, in their order.
    pub(crate) fn denied_to(&self, who: &BTreeSet<ObjectId>) -> Vec<(usize, &DenyAssignment)> {
        let named = who.iter().filter_map(|id| self.denied.get(id)).flatten();
        let mut denies: Vec<usize> = named.chain(&self.denied_to_all).copied().collect();
        denies.sort_unstable();
        denies.dedup();
        let denies = denies.into_iter().filter_map(|at| Some((at, self.world.denies.get(at)?)));
        denies.filter(|(_, deny)| !deny.excluded.include(who)).collect()
    }

    /// What is above what.
    pub(crate) fn hierarchy(&self) -> &Hierarchy {
        &self.world.hierarchy
    }
}
