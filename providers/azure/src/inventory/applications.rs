//! Service principals: applications, managed identities, agents, and the blueprints of agents.

use std::collections::BTreeMap;
use std::sync::Arc;

use evenhand_model::access::{Doubt, DoubtEffect};
use evenhand_model::evidence::Fact;
use evenhand_model::id::IdentityId;
use evenhand_model::identity::{Identity, Nature, Strength};
use evenhand_model::trust::Mechanism;

use super::declared::{declare, of_texts};
use super::{Join, either, is_read, of_name, signal};
use crate::access::edges::{Owned, Target};
use crate::access::holdings::Blueprints;
use crate::documents::directory::{Application, PrincipalKind, Reference, ServicePrincipal};
use crate::documents::route::Route;
use crate::documents::told::{At, Told};
use crate::rbac::ObjectId;

/// The tenants in which Microsoft's own applications are at home.
/// Source: "Verify first-party Microsoft applications in sign-in reports".
const MICROSOFT: [&str; 2] = ["f8cdef31-a31e-4b4a-93e4-5f571e91255a", "72f988bf-86f1-41af-91ab-2d7cd011db47"];

/// Whether an application is at home in one of Microsoft's tenants.
pub(super) fn is_microsofts(held: &ServicePrincipal) -> bool {
    let home = held.app_owner_organization_id.as_deref();
    home.is_some_and(|home| MICROSOFT.iter().any(|one| home.eq_ignore_ascii_case(one)))
}

/// The provider's word for a service principal.
pub(super) fn kind_of(held: &ServicePrincipal) -> &'static str {
    match held.kind() {
        PrincipalKind::Application => "service_principal",
        PrincipalKind::ManagedIdentity => "managed_identity",
        PrincipalKind::Agent => "agent_identity",
        PrincipalKind::Blueprint => "agent_blueprint",
    }
}

impl Join<'_> {
    pub(super) fn take_principals(&mut self) {
        let facts = self.facts;
        let by_app: BTreeMap<String, (&String, &At<Application>)> = facts
            .applications
            .iter()
            .filter_map(|(id, held)| Some((held.app_id.as_deref()?.to_ascii_lowercase(), (id, held))))
            .collect();
        for (object, held) in &facts.principals {
            let app = held.app_id.as_deref().map(str::to_ascii_lowercase);
            let definition = app.as_ref().and_then(|app| by_app.get(app)).copied();
            self.take_principal(object, held, definition);
        }
        // A definition without a principal acts nowhere yet; where the list of principals was not read, it may.
        if !self.is_read(Route::ServicePrincipals) && facts.principals.is_empty() {
            for (object, held) in &facts.applications {
                self.take_definition(object, held);
            }
        }
        self.take_blueprints();
    }

    fn take_principal(
        &mut self,
        object: &String,
        held: &At<ServicePrincipal>,
        definition: Option<(&String, &At<Application>)>,
    ) {
        let kind = held.kind();
        let Some(id) = self.ids.get(object).cloned() else { return };
        let name = held.display_name.clone().unwrap_or_else(|| object.as_str().into());
        let mut identity = self.identity(&id, kind_of(held), name, &held.at);
        self.declare_principal(&mut identity, held, definition.map(|(_, app)| app));
        identity.enabled = Fact::known(held.account_enabled);
        identity.created_at =
            Fact::known(held.created_date_time.or_else(|| definition.and_then(|(_, app)| app.created_date_time)));
        identity.human_sign_in = Fact::Known(false);
        identity.last_used_at = self.last_sign_in(held);
        let home = held.app_owner_organization_id.as_deref();
        let microsoft = is_microsofts(held);
        identity.third_party = match (kind, home) {
            (PrincipalKind::ManagedIdentity, _) => Fact::Known(false),
            (_, Some(_)) if microsoft => Fact::Known(false),
            (_, Some(home)) if !self.tenant.is_empty() => Fact::Known(!home.eq_ignore_ascii_case(self.tenant)),
            _ => Fact::Unknown,
        };
        identity.vendor_managed = microsoft && kind == PrincipalKind::Application;
        identity.signals.push(match kind {
            PrincipalKind::Agent => signal(Nature::AiAgent, Strength::Certain, "an agent identity of Entra", &held.at),
            PrincipalKind::Blueprint => {
                signal(Nature::Workload, Strength::Certain, "a blueprint of agent identities", &held.at)
            }
            PrincipalKind::ManagedIdentity => {
                signal(Nature::Workload, Strength::Medium, "a managed identity", &held.at)
            }
            PrincipalKind::Application => {
                signal(Nature::Workload, Strength::Medium, "the service principal of an application", &held.at)
            }
        });
        // A blueprint is named after the agents that are made from it.
        if kind != PrincipalKind::Blueprint {
            identity.signals.extend(of_name(&identity.name, &held.at));
        }
        let (owner, active) = self.owner(object, held, definition.map(|(id, _)| id));
        identity.owner = either(owner, std::mem::take(&mut identity.owner));
        identity.owner_active = active;
        if matches!(kind, PrincipalKind::Agent | PrincipalKind::Blueprint) {
            identity.sponsor = self.sponsor(object, definition.map(|(id, _)| id));
        }
        self.inventory.identities.push(identity);
        self.take_client(held.app_id.as_deref(), &id);
        if kind == PrincipalKind::Application || kind == PrincipalKind::Blueprint {
            self.take_credentials(&id, held.app_id.as_deref(), Some(held), definition);
            self.ground.applications.push(Target {
                id: id.clone(),
                objects: std::iter::once(object)
                    .chain(definition.map(|(id, _)| id))
                    .map(|object| format!("/{object}"))
                    .collect(),
                strong: false,
            });
        } else {
            self.take_issued(&id, kind, &held.at);
            if let Some(resource) = identity_resource(held) {
                self.take_federated(&id, &resource);
            }
        }
        self.take_network(&id, object, &held.at);
        let mut doubts = self.membership_doubts(object, &format!("the groups of {object}"));
        let mut unread = self.unread.clone();
        if !self.permissions_read(object) {
            doubts.push(Doubt::new(format!("application permissions of {object}"), DoubtEffect::Adds));
            unread.extend(self.permission_gap(object));
        }
        if !facts_read_grants(self) {
            doubts.push(Doubt::new(format!("delegated permissions of {object}"), DoubtEffect::Adds));
        }
        // Microsoft's own are listed and never judged.
        if !(microsoft && kind == PrincipalKind::Application) {
            self.ground.sources.push((id.clone(), ObjectId::new(object)));
        }
        self.actor(id, object, doubts, unread);
    }

    /// An application of which no principal was read.
    fn take_definition(&mut self, object: &String, held: &At<Application>) {
        let id = self.id("application", object);
        let name = held.display_name.clone().unwrap_or_else(|| object.as_str().into());
        let mut identity = self.identity(&id, "application", name, &held.at);
        let tags = held.tags.as_ref().map(of_texts);
        declare(&mut identity, tags.as_ref());
        identity.created_at = Fact::known(held.created_date_time);
        identity.human_sign_in = Fact::Known(false);
        identity.signals.push(signal(Nature::Workload, Strength::Medium, "an application", &held.at));
        identity.signals.extend(of_name(&identity.name, &held.at));
        self.inventory.identities.push(identity);
        self.take_client(held.app_id.as_deref(), &id);
        self.take_credentials(&id, held.app_id.as_deref(), None, Some((object, held)));
    }

    /// The client id under which workloads ask for tokens of an identity, and by which these name it.
    pub(super) fn take_client(&mut self, client: Option<&str>, id: &IdentityId) {
        let client =
            client.filter(|client| !client.is_empty()).map(|client| IdentityId::new(client.to_ascii_lowercase()));
        self.inventory.aliases.extend(client.map(|client| (client, id.clone())));
    }

    fn declare_principal(
        &self,
        identity: &mut Identity,
        held: &At<ServicePrincipal>,
        definition: Option<&At<Application>>,
    ) {
        let of_resource = identity_resource(held).and_then(|resource| self.facts.resources.get(&resource));
        let texts = [held.tags.as_ref(), definition.and_then(|app| app.tags.as_ref())];
        let mut tags = of_texts(texts.iter().copied().flatten().flatten());
        tags.extend(of_resource.and_then(|resource| resource.tags.clone()).into_iter().flatten());
        let told = match held.kind() {
            PrincipalKind::ManagedIdentity => of_resource.is_some(),
            _ => texts.iter().any(Option::is_some),
        };
        declare(identity, (told || !tags.is_empty()).then_some(&tags));
        let said = [&held.description, &held.notes];
        let of_definition = definition.map(|app| [&app.description, &app.notes]);
        let mut said = said.into_iter().chain(of_definition.into_iter().flatten()).flatten();
        if let Some(text) = said.find(|text| !text.trim().is_empty()) {
            identity.purpose = Fact::Known(Arc::clone(text));
        }
    }

    fn last_sign_in(&self, held: &ServicePrincipal) -> Fact<jiff::Timestamp> {
        let last = held.app_id.as_deref().and_then(|app| self.facts.sign_ins.get(&app.to_ascii_lowercase()));
        // The report does not say how far back it goes: one that is not in it may have signed in before.
        Fact::known(last.copied().flatten())
    }

    /// Who answers for a principal: who owns it or its definition; and whether that is somebody active.
    fn owner(
        &self,
        object: &str,
        held: &ServicePrincipal,
        definition: Option<&String>,
    ) -> (Fact<Arc<str>>, Fact<bool>) {
        if held.kind() == PrincipalKind::ManagedIdentity {
            return (Fact::Absent, Fact::Unknown);
        }
        let own = self.facts.owners.get(object);
        let of_definition = definition.map(|id| self.facts.owners.get(id));
        let owners: Vec<&At<Reference>> = own.into_iter().chain(of_definition.flatten()).flat_map(Told::all).collect();
        let all_read = is_read(own) && of_definition.is_none_or(is_read);
        let Some(first) = owners.first() else {
            return (if all_read { Fact::Absent } else { Fact::Unknown }, Fact::Unknown);
        };
        let mut names: Vec<&str> = owners.iter().map(|owner| shown(owner)).collect();
        names.sort_unstable();
        names.dedup();
        let name = if names.is_empty() { shown(first).into() } else { names.join(", ").into() };
        let active = owners.iter().map(|owner| self.is_active(owner));
        let active: Vec<Option<bool>> = active.collect();
        let verdict = if active.contains(&Some(true)) {
            Fact::Known(true)
        } else if active.iter().all(|one| *one == Some(false)) {
            Fact::Known(false)
        } else {
            Fact::Unknown
        };
        (Fact::Known(name), verdict)
    }

    /// Whether an owner is an active person: an application is none.
    fn is_active(&self, owner: &Reference) -> Option<bool> {
        let id = owner.id.to_ascii_lowercase();
        match self.facts.users.get(&id) {
            Some(user) => user.account_enabled,
            None => self.facts.principals.contains_key(&id).then_some(false),
        }
    }

    fn sponsor(&self, object: &str, definition: Option<&String>) -> Fact<Arc<str>> {
        let lists = [self.facts.sponsors.get(object), definition.and_then(|id| self.facts.sponsors.get(id))];
        let mut names: Vec<&str> = lists.iter().flatten().flat_map(|list| list.all()).map(|held| shown(held)).collect();
        names.sort_unstable();
        names.dedup();
        if !names.is_empty() {
            Fact::Known(names.join(", ").into())
        } else if is_read(lists.first().copied().flatten()) {
            Fact::Absent
        } else {
            Fact::Unknown
        }
    }

    /// Whether it was read which application permissions a principal holds.
    pub(super) fn permissions_read(&self, object: &str) -> bool {
        // Whoever holds a permission of Graph's is told by Graph's own list, all holders at once.
        self.facts.app_roles_of.contains(object) || self.graphs_holders_read
    }

    /// Agents of blueprints: whoever holds the blueprint's credential acts as each of them.
    fn take_blueprints(&mut self) {
        let facts = self.facts;
        let blueprints = Blueprints::of(facts);
        for (object, agent) in facts.principals.iter().filter(|(_, held)| held.kind() == PrincipalKind::Agent) {
            let blueprint = agent.agent_identity_blueprint_id.as_deref().map(str::to_ascii_lowercase);
            let principal = blueprint.and_then(|blueprint| blueprints.principals.get(&blueprint));
            let ids = principal.and_then(|principal| Some((self.ids.get(principal)?, self.ids.get(object)?)));
            let Some((source, target)) = ids.map(|(source, target)| (source.clone(), target.clone())) else { continue };
            self.trust(&source, &target, Mechanism::TokenCreation, &agent.at);
            self.ground.blueprints.push(Owned { owner: source, target, evidence: agent.at.clone() });
        }
    }

    /// Applications that own applications.
    pub(super) fn take_owned(&mut self) {
        let facts = self.facts;
        let principals: BTreeMap<String, &String> = facts
            .principals
            .iter()
            .filter(|(_, held)| held.kind() != PrincipalKind::Agent)
            .filter_map(|(id, held)| Some((held.app_id.as_deref()?.to_ascii_lowercase(), id)))
            .collect();
        let of_definition: BTreeMap<&String, &String> = facts
            .applications
            .iter()
            .filter_map(|(id, held)| Some((id, *principals.get(&held.app_id.as_deref()?.to_ascii_lowercase())?)))
            .collect();
        let mut owned = Vec::new();
        for (object, owners) in &facts.owners {
            let target = self.ids.get(of_definition.get(object).copied().unwrap_or(object));
            let Some(target) = target else { continue };
            for owner in owners.all() {
                let source = self.ids.get(&owner.id.to_ascii_lowercase());
                if let Some(source) = source.filter(|source| *source != target) {
                    owned.push(Owned { owner: source.clone(), target: target.clone(), evidence: owner.at.clone() });
                }
            }
        }
        self.ground.owned = owned;
    }
}

fn facts_read_grants(join: &Join<'_>) -> bool {
    join.facts.grants.is_read()
}

/// The name of somebody whom a list names.
fn shown(held: &Reference) -> &str {
    held.user_principal_name.as_deref().or(held.display_name.as_deref()).unwrap_or(&held.id)
}

/// The resource that a managed identity is, or belongs to, in lower case.
pub(super) fn identity_resource(held: &ServicePrincipal) -> Option<String> {
    let names = held.alternative_names.as_ref()?;
    names.iter().find(|name| name.starts_with("/subscriptions/")).map(|name| name.to_ascii_lowercase())
}

/// Nobody but a resource's own machine gets its tokens.
pub(super) fn of_machine(kind: PrincipalKind) -> &'static str {
    match kind {
        PrincipalKind::Agent => "agent_token",
        _ => "managed_identity_token",
    }
}

/// Ids by which resources know principals.
pub(super) fn id_of(ids: &super::Ids, object: &str) -> Option<IdentityId> {
    ids.get(&object.to_ascii_lowercase()).cloned()
}
