//! Resources: which of them carry identities, which answer for models, and by what static key.
//!
//! A key of a resource is never asked for: that local authentication is not switched off tells that keys work.

use std::collections::BTreeMap;
use std::sync::Arc;

use evenhand_model::access::{Doubt, DoubtEffect};
use evenhand_model::condition::Condition;
use evenhand_model::credential::{Credential, Exposure};
use evenhand_model::evidence::{Evidence, Fact};
use evenhand_model::id::{CredentialId, IdentityId};
use evenhand_model::identity::{Nature, Signal, Strength};
use evenhand_model::workload::{Surroundings, Workload};

use super::applications::id_of;
use super::declared::declare;
use super::{Join, of_name, signal};
use crate::PROVIDER;
use crate::access::Actor;
use crate::access::edges::{Assignable, Carrier};
use crate::documents::directory::PrincipalKind;
use crate::documents::manager::Resource;
use crate::documents::told::At;
use crate::rbac::ObjectId;

/// Projects of Azure AI Foundry: the agents in one act by the project's identity.
/// Source: "Agent Service: authentication and permissions" of Azure AI Foundry.
const PROJECT: &str = "microsoft.cognitiveservices/accounts/projects";
/// What answers for models.
const ACCOUNT: &str = "microsoft.cognitiveservices/accounts";
/// Ways in which connections prove themselves with something that is stored.
/// Source: "Connections" in the REST API reference of Azure AI Foundry.
const KEYS: [&str; 6] = ["AccessKey", "AccountKey", "ApiKey", "CustomKeys", "PAT", "SAS"];
/// What connections lead to that takes identities of Entra.
const AZURES: [&str; 6] =
    ["AIServices", "AzureBlob", "AzureOpenAI", "AzureStorageAccount", "CognitiveSearch", "CosmosDb"];
const IDENTITY: &str = "microsoft.managedidentity/userassignedidentities";

/// The type of a resource in lower case, as it says or as its id says.
fn type_of(id: &str, held: &Resource) -> String {
    if let Some(kind) = &held.resource_type {
        return kind.to_ascii_lowercase();
    }
    let behind = id.rsplit_once("/providers/").map_or("", |(_, behind)| behind);
    let segments: Vec<&str> = behind.split('/').collect();
    let words = segments.iter().enumerate().filter(|(at, _)| *at == 0 || at % 2 == 1).map(|(_, word)| *word);
    words.collect::<Vec<_>>().join("/")
}

/// What a resource is called, by itself or by its id.
fn name_of(id: &str, held: &Resource) -> Arc<str> {
    held.name.clone().unwrap_or_else(|| id.rsplit('/').next().unwrap_or(id).into())
}

impl Join<'_> {
    pub(super) fn take_resources(&mut self) {
        self.take_identities();
        let facts = self.facts;
        let mut projects: BTreeMap<IdentityId, Vec<Signal>> = BTreeMap::new();
        for (resource, held) in &facts.resources {
            let kind = type_of(resource, held);
            let carries = self.take_carried(resource, &kind, held);
            if kind == PROJECT {
                let name = name_of(resource, held);
                let reason = format!("the identity of the agents in project {name}");
                let told = signal(Nature::AiAgent, Strength::Strong, reason, &held.at);
                for id in carries {
                    projects.entry(id).or_default().push(told.clone());
                }
            }
            if kind == ACCOUNT {
                self.take_account(resource, held);
            }
        }
        for identity in &mut self.inventory.identities {
            identity.signals.extend(projects.remove(&identity.id).unwrap_or_default());
        }
        // Who holds the key of a connection is known once all resources are.
        for (resource, held) in &facts.resources {
            if type_of(resource, held).ends_with("/connections") {
                self.take_connection(resource, held);
            }
        }
    }

    /// Managed identities of their own. The list of principals knows them too, by the same object id.
    fn take_identities(&mut self) {
        let facts = self.facts;
        for (resource, held) in &facts.identities {
            let Some(object) = held.own.principal_id.as_deref().map(str::to_ascii_lowercase) else { continue };
            let known = self.ids.get(&object).cloned();
            let id = match known {
                Some(id) => id,
                None => {
                    let id = self.id("managed_identity", &object);
                    self.ids.insert(object.clone(), id.clone());
                    let name = resource.rsplit('/').next().unwrap_or(resource);
                    self.take_machine(&id, &object, name, resource, held.at.clone());
                    id
                }
            };
            self.take_client(held.own.client_id.as_deref(), &id);
            self.ground.assignable.push(Assignable { id, resource: resource.clone() });
        }
    }

    /// A managed identity that no list of principals describes.
    fn take_machine(&mut self, id: &IdentityId, object: &str, name: &str, resource: &str, at: Evidence) {
        let facts = self.facts;
        let described = facts.resources.get(resource);
        let shown = described.and_then(|held| held.name.clone()).unwrap_or_else(|| name.into());
        let mut identity = self.identity(id, "managed_identity", shown, &at);
        declare(&mut identity, described.and_then(|held| held.tags.as_ref()));
        identity.human_sign_in = Fact::Known(false);
        identity.third_party = Fact::Known(false);
        identity.enabled = Fact::Known(true);
        identity.signals.push(signal(Nature::Workload, Strength::Medium, "a managed identity", &at));
        identity.signals.extend(of_name(&identity.name, &at));
        self.inventory.identities.push(identity);
        self.take_issued(id, PrincipalKind::ManagedIdentity, &at);
        self.take_federated(id, resource);
        let mut doubts = self.membership_doubts(object, &format!("the groups of {object}"));
        let mut unread = self.unread.clone();
        if !self.permissions_read(object) {
            let text = format!("application permissions of {object}");
            doubts.push(Doubt::new(text, DoubtEffect::Adds));
            unread.extend(self.permission_gap(object));
        }
        self.ground.sources.push((id.clone(), ObjectId::new(object)));
        self.actor(id.clone(), object, doubts, unread);
    }

    /// The identities that a resource carries, which are returned.
    fn take_carried(&mut self, resource: &str, kind: &str, held: &At<Resource>) -> Vec<IdentityId> {
        let Some(carried) = &held.identity else { return Vec::new() };
        let mut carries: Vec<IdentityId> = Vec::new();
        if kind != IDENTITY
            && let Some(object) = carried.principal_id.as_deref().map(str::to_ascii_lowercase)
        {
            let id = match id_of(&self.ids, &object) {
                Some(id) => id,
                None => {
                    let id = self.id("managed_identity", &object);
                    self.ids.insert(object.clone(), id.clone());
                    let name = resource.rsplit('/').next().unwrap_or(resource);
                    self.take_machine(&id, &object, name, resource, held.at.clone());
                    id
                }
            };
            carries.push(id);
        }
        for (assigned, told) in carried.user_assigned_identities.iter().flatten() {
            let by_resource = self.facts.identities.get(&assigned.to_ascii_lowercase());
            let object = told
                .as_ref()
                .and_then(|told| told.principal_id.as_deref())
                .or_else(|| by_resource.and_then(|held| held.own.principal_id.as_deref()));
            carries.extend(object.and_then(|object| id_of(&self.ids, object)));
        }
        carries.sort();
        carries.dedup();
        if carries.is_empty() {
            return carries;
        }
        let name = name_of(resource, held);
        for (number, id) in carries.iter().enumerate() {
            self.inventory.workloads.push(Workload {
                id: if number == 0 { resource.into() } else { format!("{resource}#{number}").into() },
                identity: id.clone(),
                provider: PROVIDER,
                kind: kind.into(),
                name: Arc::clone(&name),
                scope: self.scope.clone(),
                image: Fact::Absent,
                token_mounted: Fact::Unknown,
                needs_token: Fact::Unknown,
                exposed: Fact::Unknown,
                // Nothing of one's own runs in an AI service.
                privileged: if kind.starts_with(ACCOUNT) { Fact::Known(false) } else { Fact::Unknown },
                surroundings: Surroundings::default(),
                evidence: held.at.clone(),
            });
        }
        let carrier = Carrier { resource: resource.to_owned(), kind: kind.to_owned(), carries: carries.clone() };
        self.ground.carriers.push(carrier);
        carries
    }

    /// An account that answers for models: its keys are an identity of their own, because nobody who uses one is known.
    fn take_account(&mut self, resource: &str, held: &At<Resource>) {
        let works = held.takes_keys();
        if works == Some(false) {
            return;
        }
        let name = name_of(resource, held);
        let id = self.id("resource_key", resource);
        let mut identity = self.identity(&id, "resource_key", format!("keys of {name}"), &held.at);
        declare(&mut identity, held.tags.as_ref());
        identity.human_sign_in = Fact::Known(false);
        identity.third_party = Fact::Known(false);
        identity.enabled = Fact::known(works);
        identity.signals.push(signal(Nature::Workload, Strength::Strong, "the keys of a resource", &held.at));
        self.inventory.identities.push(identity);
        let credential = CredentialId::new(format!("{id}/key"));
        let mut credential = Credential::new(credential, id.clone(), PROVIDER, "azure_resource_key", held.at.clone());
        credential.is_static = Fact::Known(true);
        credential.federable = Fact::Known(true);
        credential.exposure = Fact::Known(Exposure::None);
        credential.in_arguments = Fact::Known(false);
        credential.in_metadata = Fact::Known(false);
        credential.enabled = Fact::known(works);
        credential.created_at = Fact::known(held.properties.as_ref().and_then(|own| own.date_created));
        credential.expires_at = Fact::Absent;
        self.inventory.credentials.push(credential);
        self.ground.keyed.push(Assignable { id: id.clone(), resource: resource.to_owned() });
        // A key is no principal of the directory: nothing that is read of principals bears on it.
        self.actors.push(Actor {
            id,
            object: ObjectId::new(resource),
            ready: Vec::new(),
            under: Condition::unconditional(),
            doubts: Vec::new(),
            unread: Vec::new(),
        });
    }

    /// A connection of a project or account that proves itself with a stored key.
    fn take_connection(&mut self, resource: &str, held: &At<Resource>) {
        let Some(own) = &held.properties else { return };
        let by_key = own.auth_type.as_deref().is_some_and(|kind| KEYS.iter().any(|one| kind.eq_ignore_ascii_case(one)));
        let Some((parent, name)) = resource.split_once("/connections/").filter(|_| by_key) else { return };
        let holder = self.facts.resources.get(parent).and_then(|held| held.identity.as_ref()?.principal_id.as_deref());
        let Some(id) = holder.and_then(|object| id_of(&self.ids, object)) else { return };
        let credential = CredentialId::new(format!("{id}/connection/{name}"));
        let mut credential = Credential::new(credential, id, PROVIDER, "connection_key", held.at.clone());
        credential.is_static = Fact::Known(true);
        // Azure's own services take the project's identity instead.
        let of_azure = own.category.as_deref().map(|kind| AZURES.iter().any(|one| kind.eq_ignore_ascii_case(one)));
        credential.federable = if of_azure == Some(true) { Fact::Known(true) } else { Fact::Unknown };
        credential.exposure = Fact::Known(Exposure::Store);
        credential.in_arguments = Fact::Known(false);
        credential.in_metadata = Fact::Known(false);
        self.inventory.credentials.push(credential);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_type_of_a_resource_is_in_its_id() {
        for (id, expected) in [
            ("/subscriptions/s/resourcegroups/g/providers/microsoft.web/sites/x", "microsoft.web/sites"),
            (
                "/subscriptions/s/resourcegroups/g/providers/microsoft.cognitiveservices/accounts/a/projects/p",
                "microsoft.cognitiveservices/accounts/projects",
            ),
        ] {
            assert_eq!(type_of(id, &Resource::default()), expected);
        }
    }
}
