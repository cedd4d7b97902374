//! The compiled form: assignments by principal, roles by key.

use std::collections::{BTreeSet, HashMap};

use super::scope::Hierarchy;
use super::world::{DenyAssignment, ObjectId, RoleAssignment, RoleDefinition, RoleKey, World};

type Map<K, V> = HashMap<K, V, foldhash::fast::RandomState>;

/// Decides requests and lists access.
#[derive(Debug, Default)]
pub struct Authorizer {
    pub(super) world: World,
    roles: Map<RoleKey, usize>,
    held: Map<ObjectId, Vec<usize>>,
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
        Self { world, roles, held }
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
        let names = |deny: &DenyAssignment| deny.principals.include(who) && !deny.excluded.include(who);
        self.world.denies.iter().enumerate().filter(|(_, deny)| names(deny)).collect()
    }

    /// What is above what.
    pub(crate) fn hierarchy(&self) -> &Hierarchy {
        &self.world.hierarchy
    }
}
