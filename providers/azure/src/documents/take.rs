//! Answers become facts, call by call.

use std::sync::Arc;

use evenhand_model::evidence::Evidence;
use evenhand_model::json_error;
use evenhand_model::json_shape::{self, Unfit};
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use super::directory::{
    AppRoleAssignment, Application, CredentialActivity, DirectoryRole, Group, GroupEligibility, LastSignIn, Reference,
    ServicePrincipal, SignInActivity, User,
};
use super::manager::{Descendant, ManagedIdentity, Resource, nested};
use super::route::{Asked, Route};
use super::told::At;
use super::{Answer, Problem};
use crate::facts::{Facts, Managed, TenantFacts, Unanswered};

/// The answer under way: where it stands, and what of it cannot be understood.
struct Taking<'a> {
    document: &'a Arc<str>,
    pointer: &'a str,
    response: Option<&'a RawValue>,
    problems: Vec<Problem>,
    /// Whether the answer says that there is another page.
    followed: bool,
}

/// A list in an answer: its elements, and the place of each.
type Elements<'a> = Vec<(&'a RawValue, String)>;

impl<'a> Taking<'a> {
    fn evidence(&self, below: &str) -> Evidence {
        let pointer = format!("{}{below}", self.pointer);
        if pointer.is_empty() {
            Evidence::whole(Arc::clone(self.document))
        } else {
            Evidence::pointer(Arc::clone(self.document), pointer)
        }
    }

    fn unfit(&mut self, above: &str, unfit: &Unfit) {
        let reason = format!("the answer {}", json_error::reason(&unfit.error));
        self.problems.push(Problem { below: format!("{above}{}", unfit.below), reason });
    }

    /// The elements of a list: of `value` or `data`, of the answer itself, or the answer where it is one object.
    fn raw(&mut self) -> Option<Elements<'a>> {
        #[derive(serde::Deserialize)]
        struct Page<'p> {
            #[serde(borrow)]
            value: Option<&'p RawValue>,
            #[serde(borrow)]
            data: Option<&'p RawValue>,
            id: Option<serde::de::IgnoredAny>,
            #[serde(borrow, rename = "@odata.nextLink")]
            graph: Option<&'p RawValue>,
            #[serde(borrow, rename = "nextLink")]
            manager: Option<&'p RawValue>,
            #[serde(borrow, rename = "$skipToken", alias = "skip_token", alias = "skipToken")]
            query: Option<&'p RawValue>,
        }
        let whole = self.response?;
        let (list, below) = if whole.get().starts_with('[') {
            (whole, "")
        } else {
            let page: Page<'a> = match json_shape::from_str(whole.get()) {
                Ok(page) => page,
                Err(unfit) => {
                    self.unfit("", &unfit);
                    return None;
                }
            };
            let links = [page.graph, page.manager, page.query].into_iter().flatten();
            self.followed = links.map(RawValue::get).any(|link| link.len() > 2 && link.starts_with('"'));
            match (page.value, page.data) {
                (Some(list), _) if list.get().starts_with('[') => (list, "/value"),
                (None, Some(list)) => (list, "/data"),
                _ if page.id.is_some() => return Some(vec![(whole, String::new())]),
                _ => {
                    self.problems.push(Problem {
                        below: String::new(),
                        reason: "the answer has no list `value` and is no object with an `id`".to_owned(),
                    });
                    return None;
                }
            }
        };
        match json_shape::from_str::<Vec<&RawValue>>(list.get()) {
            Ok(list) => Some(list.into_iter().enumerate().map(|(at, raw)| (raw, format!("{below}/{at}"))).collect()),
            Err(unfit) => {
                self.unfit(below, &unfit);
                None
            }
        }
    }

    /// A list; an element that cannot be understood costs nobody else's.
    fn elements<T: DeserializeOwned>(&mut self) -> Option<Vec<At<T>>> {
        let raw = self.raw()?;
        let mut read = Vec::with_capacity(raw.len());
        for (element, below) in raw {
            match json_shape::from_str(element.get()) {
                Ok(value) => read.push(At { value, at: self.evidence(&below) }),
                Err(unfit) => self.unfit(&below, &unfit),
            }
        }
        Some(read)
    }

    /// A list of Resource Manager's. One whose elements have no ids keeps them by their places.
    fn managed<T: DeserializeOwned>(&mut self) -> Option<Vec<At<Managed<T>>>> {
        let raw = self.raw()?;
        let mut read = Vec::with_capacity(raw.len());
        for (element, below) in raw {
            match nested::<T>(element) {
                Ok((outer, own)) => {
                    let id = outer.id.or(outer.name).unwrap_or_else(|| below.clone());
                    read.push(At { value: Managed { id, own }, at: self.evidence(&below) });
                }
                Err(unfit) => self.unfit(&below, &unfit),
            }
        }
        Some(read)
    }
}

/// Adds an answer to the facts. What cannot be understood is returned; everything else is kept.
pub(crate) fn take(answer: Answer<'_>, document: &Arc<str>, facts: &mut Facts) -> Vec<Problem> {
    let Answer { tenant, host, asked, response, error, accepted, pointer } = answer;
    facts.tenant(&tenant).cloud.note(&host);
    let tenant = facts.tenant(&tenant);
    if let Some(refusal) = error {
        let accepted = accepted.map(Arc::from);
        tenant.unanswered.push(Unanswered { route: asked.route, of: asked.of, refusal, accepted });
        return Vec::new();
    }
    let mut taking = Taking { document, pointer: &pointer, response, problems: Vec::new(), followed: false };
    if tenant.somewhere.is_none() {
        tenant.somewhere = Some(taking.evidence(""));
    }
    let before = taking.problems.len();
    let Asked { route, of } = &asked;
    if route.is_graph() {
        of_graph(&mut taking, *route, of, tenant);
    } else {
        of_manager(&mut taking, *route, of, tenant);
    }
    if taking.problems.len() == before {
        tenant.read.insert(*route);
    }
    let followed = taking.followed;
    let pages = tenant.pages.entry(asked).or_default();
    if followed {
        pages.followed += 1;
    } else {
        pages.last += 1;
    }
    taking.problems
}

fn key(id: &str) -> String {
    id.trim().to_ascii_lowercase()
}

fn of_graph(t: &mut Taking<'_>, route: Route, of: &str, tenant: &mut TenantFacts) {
    let of = || of.to_owned();
    macro_rules! by_id {
        ($member:ident: $kind:ty) => {
            for held in t.elements::<$kind>().into_iter().flatten() {
                tenant.$member.entry(key(&held.value.id)).or_insert(held);
            }
        };
    }
    macro_rules! list {
        ($to:expr) => {
            if let Some(read) = t.elements() {
                $to.extend(read);
            }
        };
    }
    match route {
        Route::Organisation => {
            if let Some(read) = t.elements() {
                tenant.organisation = read.into_iter().next().or(tenant.organisation.take());
            }
        }
        Route::ServicePrincipals => {
            for held in t.elements::<ServicePrincipal>().into_iter().flatten() {
                match tenant.principals.get_mut(&key(&held.id)) {
                    Some(known) => known.value.fill(held.value),
                    None => {
                        tenant.principals.insert(key(&held.id), held);
                    }
                }
            }
        }
        Route::Applications => {
            for mut held in t.elements::<Application>().into_iter().flatten() {
                let id = key(&held.id);
                if let Some(inheritable) = held.value.inheritable_permissions.take() {
                    let each = inheritable.into_iter().map(|value| At { value, at: held.at.clone() }).collect();
                    tenant.inheritable.entry(id.clone()).or_default().extend(each);
                }
                match tenant.applications.get_mut(&id) {
                    Some(known) => known.value.fill(held.value),
                    None => {
                        tenant.applications.insert(id, held);
                    }
                }
            }
        }
        Route::Users => by_id!(users: User),
        Route::Groups => by_id!(groups: Group),
        Route::Owners => list!(tenant.owners.entry(of()).or_default()),
        Route::Sponsors => list!(tenant.sponsors.entry(of()).or_default()),
        Route::Members => list!(tenant.members.entry(of()).or_default()),
        Route::MemberOf => {
            let Some(read) = t.elements::<Reference>() else { return };
            // Directory roles are named beside groups; their assignments tell more.
            let is_group = |held: &At<Reference>| {
                held.object_type.as_deref().is_none_or(|kind| kind.to_ascii_lowercase().ends_with("group"))
            };
            let groups = read.into_iter().filter(is_group).collect();
            tenant.member_of.entry(of()).or_default().extend(groups);
        }
        Route::AppRoleAssignments | Route::AppRoleAssignedTo => {
            let Some(read) = t.elements::<AppRoleAssignment>() else { return };
            if route == Route::AppRoleAssignments {
                tenant.app_roles_of.insert(of());
            } else {
                // One that lies bare does not say of which resource it is; its elements do.
                tenant.app_roles_to.extend(read.first().map(|held| key(&held.resource_id)));
                tenant.app_roles_to.insert(of());
            }
            for held in read {
                let at = (key(&held.principal_id), key(&held.resource_id), key(&held.app_role_id));
                tenant.app_roles.entry(at).or_insert(held);
            }
        }
        Route::DelegatedGrants => list!(tenant.grants),
        Route::FederatedCredentials => list!(tenant.federated.entry(of()).or_default()),
        Route::InheritablePermissions => list!(tenant.inheritable.entry(of()).or_default()),
        Route::DirectoryAssignments => list!(tenant.directory_assignments),
        Route::DirectoryRoles => by_id!(directory_roles: DirectoryRole),
        Route::DirectoryActive => list!(tenant.directory_active),
        Route::DirectoryEligible => list!(tenant.directory_eligible),
        Route::ActivationRules => list!(tenant.activation_policies),
        Route::GroupEligible => {
            let Some(read) = t.elements::<GroupEligibility>() else { return };
            tenant.group_eligible.extend(read);
        }
        Route::ConditionalAccess => list!(tenant.conditional_access),
        Route::SecurityDefaults => {
            if let Some(read) = t.elements() {
                tenant.security_defaults = read.into_iter().next();
            }
        }
        Route::AgentRegistry => list!(tenant.registry),
        Route::RiskyPrincipals | Route::RiskyAgents => list!(tenant.risky),
        Route::CredentialPolicy => {
            if let Some(read) = t.elements() {
                tenant.credential_policy = read.into_iter().next();
            }
        }
        Route::SignIns => {
            let latest = |held: &SignInActivity| {
                let all = [&held.application_authentication_client_sign_in_activity, &held.last_sign_in_activity];
                all.into_iter().flatten().filter_map(|one: &LastSignIn| one.last_sign_in_date_time).max()
            };
            for held in t.elements::<SignInActivity>().into_iter().flatten() {
                tenant.sign_ins.insert(key(&held.app_id), latest(&held));
            }
        }
        Route::CredentialUse => {
            for held in t.elements::<CredentialActivity>().into_iter().flatten() {
                let last = held.sign_in_activity.as_ref().and_then(|one| one.last_sign_in_date_time);
                tenant.credential_use.insert(key(&held.key_id), last);
            }
        }
        _ => {}
    }
}

fn of_manager(t: &mut Taking<'_>, route: Route, of: &str, tenant: &mut TenantFacts) {
    macro_rules! list {
        ($to:expr) => {
            if let Some(read) = t.managed() {
                $to.extend(read);
            }
        };
    }
    match route {
        Route::RoleAssignments => list!(tenant.role_assignments),
        Route::RoleDefinitions => list!(tenant.role_definitions),
        Route::DenyAssignments => list!(tenant.denies),
        Route::RoleActive => list!(tenant.role_active),
        Route::RoleEligible => list!(tenant.role_eligible),
        Route::RoleActivationRules => list!(tenant.role_policies),
        Route::ManagedIdentities => {
            for held in t.managed::<ManagedIdentity>().into_iter().flatten() {
                tenant.identities.entry(key(&held.id)).or_insert(held);
            }
            // Their tags stand around them, as those of any resource.
            resources(t, tenant);
        }
        Route::IdentityFederatedCredentials => {
            let Some(read) = t.managed() else { return };
            let read = read.into_iter().map(|held| At { value: held.value.own, at: held.at }).collect();
            tenant.federated.entry(of.to_owned()).or_default().extend(read);
        }
        Route::Resources => resources(t, tenant),
        Route::DiagnosticSettings => list!(tenant.diagnostics.entry(of.to_owned()).or_default()),
        Route::Hierarchy => {
            for held in t.managed::<Descendant>().into_iter().flatten() {
                let parent = held.own.parent.as_ref().and_then(|parent| parent.id.as_deref()).map(key);
                tenant.hierarchy.insert(key(&held.id), parent);
            }
        }
        _ => {}
    }
}

fn resources(t: &mut Taking<'_>, tenant: &mut TenantFacts) {
    for held in t.elements::<Resource>().into_iter().flatten() {
        let id = key(&held.id);
        if id.is_empty() {
            continue;
        }
        match tenant.resources.get_mut(&id) {
            Some(known) => {
                let more = held.value;
                let value = &mut known.value;
                value.identity = value.identity.take().or(more.identity);
                value.properties = value.properties.take().or(more.properties);
                value.tags = value.tags.take().or(more.tags);
                value.kind = value.kind.take().or(more.kind);
            }
            None => {
                tenant.resources.insert(id, held);
            }
        }
    }
}
