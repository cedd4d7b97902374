//! Everything that the answers of a capture say, by tenant: typed, without a secret, and with what was not read kept apart
//! from what is not there.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use evenhand_model::evidence::Evidence;
use evenhand_model::refusal::{Refusal, Why};
use jiff::Timestamp;

use crate::cloud::Cloud;
use crate::documents::directory::{
    ActivationPolicy, AgentInstance, AppRoleAssignment, Application, ConditionalAccess, CredentialPolicy,
    DelegatedGrant, DirectoryAssignment, DirectoryRole, FederatedCredential, Group, GroupEligibility, Inheritable,
    Organisation, Reference, Risky, SecurityDefaults, ServicePrincipal, User,
};
use crate::documents::manager::{Assignment, Definition, Deny, Diagnostic, ManagedIdentity, Resource, RoleActivation};
use crate::documents::route::{Asked, Route};
use crate::documents::told::{At, List, Pages};

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

    /// Puts together what belongs together, and notes of which lists a part is missing.
    pub(crate) fn settle(&mut self) {
        self.place_untold();
        self.tenants.values_mut().for_each(TenantFacts::cut);
    }

    /// Gives the documents that say nothing of their tenant to the only one that there is, or that they themselves name.
    fn place_untold(&mut self) {
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
    /// How many pages of each answer there are.
    pub(crate) pages: BTreeMap<Asked, Pages>,
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
    pub(crate) registry: List<AgentInstance>,
    pub(crate) risky: List<Risky>,
    pub(crate) credential_policy: Option<At<CredentialPolicy>>,
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
    /// Where it lies, by the hosts that answered.
    pub(crate) cloud: Cloud,
}

impl TenantFacts {
    /// The application permissions that a principal, in lower case, holds itself.
    pub(crate) fn permissions_of<'s>(&'s self, principal: &'s str) -> impl Iterator<Item = &'s At<AppRoleAssignment>> {
        let first = (principal.to_owned(), String::new(), String::new());
        self.app_roles.range(first..).take_while(move |((holder, _, _), _)| holder == principal).map(|(_, held)| held)
    }

    /// Takes lists of which the last page is missing for what they are: a part.
    fn cut(&mut self) {
        let cut: Vec<Asked> =
            self.pages.iter().filter(|(_, pages)| pages.is_cut()).map(|(asked, _)| asked.clone()).collect();
        for asked in cut {
            let of = &asked.of;
            let by_object = |lists: &mut BTreeMap<String, List<Reference>>| {
                if let Some(list) = lists.get_mut(of) {
                    list.cut();
                }
            };
            self.read.remove(&asked.route);
            match asked.route {
                Route::Owners => by_object(&mut self.owners),
                Route::Sponsors => by_object(&mut self.sponsors),
                Route::Members => by_object(&mut self.members),
                Route::MemberOf => by_object(&mut self.member_of),
                Route::AppRoleAssignments => {
                    self.app_roles_of.remove(of);
                }
                Route::AppRoleAssignedTo => self.app_roles_to.clear(),
                Route::DelegatedGrants => self.grants.cut(),
                Route::DirectoryAssignments => self.directory_assignments.cut(),
                Route::DirectoryActive => self.directory_active.cut(),
                Route::DirectoryEligible => self.directory_eligible.cut(),
                Route::ActivationRules => self.activation_policies.cut(),
                Route::ConditionalAccess => self.conditional_access.cut(),
                Route::RoleAssignments => self.role_assignments.cut(),
                Route::RoleDefinitions => self.role_definitions.cut(),
                Route::DenyAssignments => self.denies.cut(),
                Route::RoleActive => self.role_active.cut(),
                Route::RoleEligible => self.role_eligible.cut(),
                Route::RoleActivationRules => self.role_policies.cut(),
                Route::InheritablePermissions => {
                    if let Some(list) = self.inheritable.get_mut(of) {
                        list.cut();
                    }
                }
                Route::AgentRegistry => self.registry.cut(),
                // Of these nothing follows from what is missing.
                Route::Organisation
                | Route::ServicePrincipals
                | Route::Applications
                | Route::Users
                | Route::Groups
                | Route::FederatedCredentials
                | Route::DirectoryRoles
                | Route::GroupEligible
                | Route::SecurityDefaults
                | Route::SignIns
                | Route::CredentialUse
                | Route::RiskyPrincipals
                | Route::RiskyAgents
                | Route::CredentialPolicy
                | Route::ManagedIdentities
                | Route::IdentityFederatedCredentials
                | Route::Resources
                | Route::DiagnosticSettings
                | Route::Hierarchy => {}
            }
            let refusal =
                Refusal::new("its last page is missing; export what the link to the next one leads to", Why::Malformed);
            self.unanswered.push(Unanswered { route: asked.route, of: asked.of, refusal, accepted: None });
        }
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
        self.cloud.absorb(other.cloud);
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
            registry,
            risky,
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
        for (asked, more) in other.pages {
            let pages = self.pages.entry(asked).or_default();
            pages.followed += more.followed;
            pages.last += more.last;
        }
        self.organisation = self.organisation.take().or(other.organisation);
        self.security_defaults = self.security_defaults.take().or(other.security_defaults);
        self.credential_policy = self.credential_policy.take().or(other.credential_policy);
        self.unanswered.append(&mut other.unanswered);
        self.somewhere = self.somewhere.take().or(other.somewhere);
    }
}
