//! The compiled form: assignments by principal, roles by key.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use evenhand_model::scope::ResourceScope;

use super::denies::Denies;
use super::scope::{ArmId, Hierarchy};
use super::world::{ObjectId, RoleAssignment, RoleDefinition, RoleKey, World};

type Map<K, V> = HashMap<K, V, foldhash::fast::RandomState>;

/// Decides requests and lists access.
#[derive(Debug, Default)]
pub struct Authorizer {
    /// Without the deny assignments.
    pub(super) world: World,
    roles: Map<RoleKey, usize>,
    held: Map<ObjectId, Vec<usize>>,
    denies: Arc<Denies>,
    /// What lies in management groups that something is assigned at: as much as there are subscriptions, so each once.
    reach: Map<ArmId, ResourceScope>,
}

impl Authorizer {
    /// Takes a world. Of several role definitions of one key the first counts.
    pub fn new(mut world: World) -> Self {
        let mut roles: Map<RoleKey, usize> = Map::default();
        for (at, role) in world.definitions.iter().enumerate() {
            roles.entry(role.key.clone()).or_insert(at);
        }
        let mut held: Map<ObjectId, Vec<usize>> = Map::default();
        for (at, assignment) in world.assignments.iter().enumerate() {
            held.entry(assignment.principal.clone()).or_default().push(at);
        }
        let denies = Denies::new(std::mem::take(&mut world.denies));
        let mut reach: Map<ArmId, ResourceScope> = Map::default();
        let scopes =
            world.assignments.iter().map(|held| &held.scope).chain(denies.all().iter().map(|deny| &deny.scope));
        for scope in scopes.filter(|scope| scope.is_management_group()) {
            if !reach.contains_key(scope) {
                reach.insert(scope.clone(), world.hierarchy.scope(scope));
            }
        }
        Self { world, roles, held, denies: Arc::new(denies), reach }
    }

    /// The resources at a scope and below it.
    pub(crate) fn reach(&self, scope: &ArmId) -> ResourceScope {
        self.reach.get(scope).cloned().unwrap_or_else(|| self.world.hierarchy.scope(scope))
    }

    /// The world, but for its deny assignments, which stand apart.
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

    /// The deny assignments.
    pub(crate) fn denies(&self) -> &Arc<Denies> {
        &self.denies
    }

    /// What is above what.
    pub(crate) fn hierarchy(&self) -> &Hierarchy {
        &self.world.hierarchy
    }
}
