//! Everything that the answers of a capture say, by tenant: typed, without a secret, and with what was not read kept apart
//! from what is not there.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use evenhand_model::evidence::Evidence;
use evenhand_model::refusal::Refusal;
use jiff::Timestamp;

use crate::documents::directory::{
    ActivationPolicy, AppRoleAssignment, Application, ConditionalAccess, DelegatedGrant, DirectoryAssignment,
    DirectoryRole, FederatedCredential, Group, GroupEligibility, Inheritable, Organisation, Reference,
    SecurityDefaults, ServicePrincipal, User,
};
use crate::documents::manager::{Assignment, Definition, Deny, Diagnostic, ManagedIdentity, Resource, RoleActivation};
use crate::documents::route::Route;
use crate::documents::told::{At, List};

/// What was read, by tenant in lower case; empty = no document says of which.
#[derive(Debug, Default)]
pub(crate) struct Facts {
    pub(crate) tenants: BTreeMap<String, TenantFacts>,
}

impl Facts {
    /// What is to be filled for a tenant.
    pub(crate) fn tenant(&mut self, id: &str) -> &mut TenantFacts {
        self.tenants.entry(id.trim().to_ascii_lowercase()).or_default()
    }

    /// Gives the documents that say nothing of their tenant to the only one that there is, or that they themselves name.
    pub(crate) fn settle(&mut self) {
        let Some(untold) = self.tenants.remove("") else { return };
        let named = match self.tenants.len() {
            0 => untold.names_itself(),
            1 => self.tenants.keys().next().cloned(),
            _ => None,
        };
        match named {
            Some(name) => match self.tenants.remove(&name) {
                Some(mut held) => {
                    held.absorb(untold);
                    self.tenants.insert(name, held);
                }
                None => {
                    self.tenants.insert(name, untold);
                }
            },
            None => {
                self.tenants.insert(String::new(), untold);
            }
        }
    }
}

/// An answer that was asked for and not given.
#[derive(Clone, Debug)]
pub(crate) struct Unanswered {
    pub(crate) route: Route,
    pub(crate) of: String,
    pub(crate) refusal: Refusal,
    pub(crate) accepted: Option<Arc<str>>,
}

/// An object of Resource Manager with its id.
#[derive(Clone, Debug)]
pub(crate) struct Managed<T> {
    pub(crate) id: String,
    pub(crate) own: T,
}

/// What is known of a tenant. Ids are in lower case.
#[derive(Debug, Default)]
pub(crate) struct TenantFacts {
    pub(crate) organisation: Option<At<Organisation>>,
    /// Lists that were read, whatever they hold.
    pub(crate) read: BTreeSet<Route>,
    pub(crate) principals: BTreeMap<String, At<ServicePrincipal>>,
    pub(crate) applications: BTreeMap<String, At<Application>>,
    pub(crate) users: BTreeMap<String, At<User>>,
    pub(crate) groups: BTreeMap<String, At<Group>>,
    /// By the object that they are of.
    pub(crate) owners: BTreeMap<String, List<Reference>>,
    pub(crate) sponsors: BTreeMap<String, List<Reference>>,
    pub(crate) members: BTreeMap<String, List<Reference>>,
    pub(crate) member_of: BTreeMap<String, List<Reference>>,
    /// Application permissions, once each; by holder, resource and permission.
    pub(crate) app_roles: BTreeMap<(String, String, String), At<AppRoleAssignment>>,
    /// Whose application permissions were read.
    pub(crate) app_roles_of: BTreeSet<String>,
    /// Of which resources it was read who holds their permissions.
    pub(crate) app_roles_to: BTreeSet<String>,
    pub(crate) grants: List<DelegatedGrant>,
    pub(crate) federated: BTreeMap<String, List<FederatedCredential>>,
    pub(crate) inheritable: BTreeMap<String, List<Inheritable>>,
    pub(crate) directory_assignments: List<DirectoryAssignment>,
    pub(crate) directory_active: List<DirectoryAssignment>,
    pub(crate) directory_eligible: List<DirectoryAssignment>,
    pub(crate) directory_roles: BTreeMap<String, At<DirectoryRole>>,
    pub(crate) activation_policies: List<ActivationPolicy>,
    pub(crate) group_eligible: List<GroupEligibility>,
    pub(crate) conditional_access: List<ConditionalAccess>,
    pub(crate) security_defaults: Option<At<SecurityDefaults>>,
    /// When an application last signed in, by its application id; `None` = never.
    pub(crate) sign_ins: BTreeMap<String, Option<Timestamp>>,
    /// When a secret or certificate was last used, by its id.
    pub(crate) credential_use: BTreeMap<String, Option<Timestamp>>,
    pub(crate) role_assignments: List<Managed<Assignment>>,
    pub(crate) role_definitions: List<Managed<Definition>>,
    pub(crate) denies: List<Managed<Deny>>,
    pub(crate) role_active: List<Managed<Assignment>>,
    pub(crate) role_eligible: List<Managed<Assignment>>,
    pub(crate) role_policies: List<Managed<RoleActivation>>,
    /// By the identity's id.
    pub(crate) identities: BTreeMap<String, At<Managed<ManagedIdentity>>>,
    /// By their ids.
    pub(crate) resources: BTreeMap<String, At<Resource>>,
    /// By the resource whose logs they send on; empty = the tenant.
    pub(crate) diagnostics: BTreeMap<String, List<Managed<Diagnostic>>>,
    /// What lies in what, by id; no parent = nothing but the root is above.
    pub(crate) hierarchy: BTreeMap<String, Option<String>>,
    pub(crate) unanswered: Vec<Unanswered>,
    /// The first place of all, as evidence of the tenant as a whole.
    pub(crate) somewhere: Option<Evidence>,
}

impl TenantFacts {
    /// The application permissions that a principal, in lower case, holds itself.
    pub(crate) fn permissions_of<'s>(&'s self, principal: &'s str) -> impl Iterator<Item = &'s At<AppRoleAssignment>> {
        let first = (principal.to_owned(), String::new(), String::new());
        self.app_roles.range(first..).take_while(move |((holder, _, _), _)| holder == principal).map(|(_, held)| held)
    }

    /// The tenant that the documents themselves name.
    fn names_itself(&self) -> Option<String> {
        let organisation = self.organisation.as_ref().map(|held| held.id.as_str());
        let identities = self.identities.values().filter_map(|held| held.value.own.tenant_id.as_deref());
        let carried = self.resources.values().filter_map(|held| held.identity.as_ref()?.tenant_id.as_deref());
        organisation.into_iter().chain(identities).chain(carried).map(str::to_ascii_lowercase).next()
    }

    /// Takes what another part of the same tenant says.
    fn absorb(&mut self, mut other: Self) {
        macro_rules! maps {
            ($($member:ident),+) => {
                $(for (key, value) in other.$member { self.$member.entry(key).or_insert(value); })+
            };
        }
        macro_rules! lists {
            ($($member:ident),+) => {
                $(if other.$member.is_read() { self.$member.extend(other.$member.all().to_vec()); })+
            };
        }
        macro_rules! maps_of_lists {
            ($($member:ident),+) => {
                $(for (key, value) in std::mem::take(&mut other.$member) {
                    self.$member.entry(key).or_default().extend(value.all().to_vec());
                })+
            };
        }
        maps_of_lists!(owners, sponsors, members, member_of, federated, inheritable, diagnostics);
        lists!(
            grants,
            directory_assignments,
            directory_active,
            directory_eligible,
            activation_policies,
            group_eligible,
            conditional_access,
            role_assignments,
            role_definitions,
            denies,
            role_active,
            role_eligible,
            role_policies
        );
        for (id, held) in other.principals {
            match self.principals.get_mut(&id) {
                Some(known) => known.value.fill(held.value),
                None => {
                    self.principals.insert(id, held);
                }
            }
        }
        for (id, held) in other.applications {
            match self.applications.get_mut(&id) {
                Some(known) => known.value.fill(held.value),
                None => {
                    self.applications.insert(id, held);
                }
            }
        }
        maps!(users, groups, app_roles, directory_roles, sign_ins, credential_use, identities, resources, hierarchy);
        self.app_roles_of.append(&mut other.app_roles_of);
        self.app_roles_to.append(&mut other.app_roles_to);
        self.read.append(&mut other.read);
        self.organisation = self.organisation.take().or(other.organisation);
        self.security_defaults = self.security_defaults.take().or(other.security_defaults);
        self.unanswered.append(&mut other.unanswered);
        self.somewhere = self.somewhere.take().or(other.somewhere);
    }
}
