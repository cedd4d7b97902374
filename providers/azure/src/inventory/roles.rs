//! Roles as people hold them: what the people who are assigned a directory role or an Azure role have by it, and the
//! generic roles that every subscription knows.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use evenhand_model::evidence::{Evidence, Fact};
use evenhand_model::identity::{Nature, Strength};
use evenhand_model::inventory::Inventory;

use super::{Join, holds_something, signal};
use crate::access::Resolver;
use crate::access::holdings::definition;
use crate::access::world::{GENERIC, everywhere, holder_of};
use crate::catalog::entra;
use crate::documents::told::Told;
use crate::rbac::{ObjectId, RoleKey};

/// The kinds of identities that are roles.
const ROLES: [&str; 2] = ["directory_role", "azure_role"];

impl Join<'_> {
    pub(super) fn take_roles(&mut self) {
        self.take_directory_roles();
        self.take_azure_roles();
    }

    fn take_directory_roles(&mut self) {
        let facts = self.facts;
        let lists = [&facts.directory_assignments, &facts.directory_active, &facts.directory_eligible];
        let mut held: BTreeMap<String, Evidence> = BTreeMap::new();
        for one in lists.into_iter().flat_map(Told::all) {
            if self.people.contains(&ObjectId::new(&one.principal_id)) {
                let id = one.role_definition_id.trim().to_ascii_lowercase();
                held.entry(id).or_insert_with(|| one.at.clone());
            }
        }
        for (role, at) in held {
            let told = definition(facts, &role);
            let name: Arc<str> = told
                .and_then(|role| role.display_name.clone())
                .or_else(|| entra::of_template(&role).map(|role| role.name.into()))
                .unwrap_or_else(|| role.as_str().into());
            let at = told.map_or(at, |role| role.at.clone());
            self.take_role("directory_role", &role, &name, &at, "a directory role that people hold");
        }
    }

    fn take_azure_roles(&mut self) {
        let facts = self.facts;
        let definitions: BTreeMap<RoleKey, (Option<Arc<str>>, &Evidence)> = facts
            .role_definitions
            .all()
            .iter()
            .map(|held| (RoleKey::new(&held.id), (held.own.role_name.clone(), &held.at)))
            .collect();
        let lists = [&facts.role_assignments, &facts.role_active, &facts.role_eligible];
        let held: BTreeSet<RoleKey> = lists
            .into_iter()
            .flat_map(Told::all)
            .filter(|held| self.people.contains(&ObjectId::new(&held.own.principal_id)))
            .map(|held| RoleKey::new(&held.own.role_definition_id))
            .collect();
        for role in held {
            let Some((name, at)) = definitions.get(&role) else { continue };
            let key = role.to_string();
            let name = name.clone().unwrap_or_else(|| key.as_str().into());
            self.take_role("azure_role", &key, &name, at, "an Azure role that people hold");
        }
        for key in GENERIC {
            let Some((Some(name), at)) = definitions.get(&RoleKey::new(key)) else { continue };
            let id = self.id("built_in_role", key);
            let mut identity = self.identity(&id, "built_in_role", Arc::clone(name), at);
            identity.generic_role = true;
            identity.owner = Fact::Absent;
            identity.enabled = Fact::Known(true);
            let reason = "a role that every subscription has";
            identity.signals.push(signal(Nature::HumanRole, Strength::Certain, reason, at));
            self.inventory.identities.push(identity);
            self.actor(id, everywhere(key).as_str(), Vec::new(), Vec::new());
        }
    }

    fn take_role(&mut self, kind: &'static str, role: &str, name: &Arc<str>, at: &Evidence, reason: &str) {
        let id = self.id(kind, role);
        let mut identity = self.identity(&id, kind, Arc::clone(name), at);
        identity.enabled = Fact::Known(true);
        identity.signals.push(signal(Nature::HumanRole, Strength::Strong, reason, at));
        self.inventory.identities.push(identity);
        self.take_controls(&id, "", at);
        self.actor(id, holder_of(role).as_str(), Vec::new(), Vec::new());
    }
}

/// Takes roles away that turned out to allow nothing: such a role is no measure for anybody.
pub(super) fn drop_empty(inventory: &mut Inventory, resolver: &Resolver) {
    let mut dropped = BTreeSet::new();
    inventory.identities.retain(|identity| {
        let keep = !ROLES.contains(&identity.kind) || holds_something(resolver, &identity.id);
        if !keep {
            dropped.insert(identity.id.clone());
        }
        keep
    });
    inventory.controls.retain(|control| !dropped.contains(&control.identity));
}
