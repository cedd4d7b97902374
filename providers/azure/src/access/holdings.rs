//! What is held in the directory: directory roles, application permissions, delegated permissions, and what agent
//! identities inherit of their blueprints.
//!
//! Source of inheritance: "Inheritable permissions and required resource access" of Microsoft Entra Agent ID. Graph does not
//! show on an agent what it inherits: it holds what the principal of its blueprint was granted, for the resource
//! applications that the blueprint lists, as far as it lists it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use evenhand_model::access::{Doubt, DoubtEffect, Grant};
use evenhand_model::condition::{Clause, Condition};
use evenhand_model::evidence::Evidence;

use super::activation::{Rules, until};
use super::bond::{Asked, Bond, By, Term};
use super::world::holder_of;
use crate::catalog::directory::{of_permission, operation_of_api, operation_of_permission, pattern};
use crate::catalog::graph::{self, Kind, MICROSOFT_GRAPH};
use crate::catalog::{entra, tier0};
use crate::documents::directory::{
    DelegatedGrant, DirectoryAssignment, DirectoryRole, Inheritable, PrincipalKind, ServicePrincipal,
};
use crate::documents::told::At;
use crate::facts::TenantFacts;
use crate::rbac::{ArmId, ObjectId, OperationPattern};

/// The right that everybody who is let in has without a permission.
const DEFAULT_ACCESS: &str = "00000000-0000-0000-0000-000000000000";

/// Scopes by which a person signs in, and which allow nothing else.
const SIGN_IN: [&str; 4] = ["openid", "profile", "email", "offline_access"];

/// One block of what a holding allows.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub(crate) struct Allowed {
    pub(crate) actions: Vec<OperationPattern>,
    pub(crate) excluded: Vec<OperationPattern>,
    pub(crate) condition: Option<Arc<str>>,
}

/// Something that is held in the directory.
#[derive(Clone, Debug)]
pub(crate) struct Holding {
    pub(crate) allowed: Arc<[Allowed]>,
    /// Where; none = in the whole tenant.
    pub(crate) scope: Option<ArmId>,
    /// Activation, end, and in whose name.
    pub(crate) under: Condition,
    pub(crate) grant: Grant,
    /// How it is undone.
    pub(crate) bond: Bond,
    /// What leads to the whole tenant.
    pub(crate) tier0: Option<&'static tier0::TierZero>,
}

/// What is held in the directory of a tenant.
#[derive(Debug, Default)]
pub(crate) struct Holdings {
    pub(crate) all: Vec<Holding>,
    /// By holder, who may be a group: holdings that its members have too.
    pub(crate) roles: BTreeMap<ObjectId, Vec<usize>>,
    /// By holder: holdings that nobody else has.
    pub(crate) own: BTreeMap<ObjectId, Vec<usize>>,
    /// By holder: what was not read.
    pub(crate) doubts: BTreeMap<ObjectId, Vec<Doubt>>,
}

impl Holdings {
    /// Takes what was read; `people`: whose assignments make a role of people.
    pub(crate) fn of(facts: &TenantFacts, people: &BTreeSet<ObjectId>) -> Self {
        let mut holdings = Self::default();
        holdings.directory_roles(facts, people);
        holdings.permissions(facts);
        holdings.delegated(facts);
        holdings.inherited(facts);
        holdings
    }

    /// All patterns, for a catalogue.
    pub(crate) fn patterns(&self) -> impl Iterator<Item = &OperationPattern> {
        let blocks = self.all.iter().flat_map(|held| held.allowed.iter());
        blocks.flat_map(|block| block.actions.iter().chain(&block.excluded))
    }

    fn add(&mut self, holding: Holding) -> usize {
        self.all.push(holding);
        self.all.len() - 1
    }

    fn directory_roles(&mut self, facts: &TenantFacts, people: &BTreeSet<ObjectId>) {
        let mut meanings: BTreeMap<String, Option<Meaning>> = BTreeMap::new();
        let policies = policies(facts);
        for (held, term) in assignments(facts) {
            let ready = term == Term::Ready;
            let id = held.role_definition_id.trim().to_ascii_lowercase();
            let principal = ObjectId::new(&held.principal_id);
            let meaning = meanings.entry(id.clone()).or_insert_with(|| meaning(facts, &id)).clone();
            let known = entra::of_template(&id);
            let name: Arc<str> = match (&meaning, known) {
                (Some((name, _)), _) => Arc::clone(name),
                (None, Some(role)) => role.name.into(),
                (None, None) => id.as_str().into(),
            };
            let allowed = match meaning {
                Some((_, allowed)) => allowed,
                None => {
                    let doubt = Doubt::new(format!("directory role {name}"), DoubtEffect::Adds);
                    if people.contains(&principal) {
                        self.doubts.entry(holder_of(&id)).or_default().push(doubt.clone());
                    }
                    self.doubts.entry(principal.clone()).or_default().push(doubt);
                    Arc::default()
                }
            };
            let said = [&held.directory_scope_id, &held.app_scope_id].into_iter().flatten().map(|place| place.trim());
            let place = said.filter(|place| !place.is_empty()).map(|place| place.trim_start_matches('/')).next();
            let Ok(scope) = ArmId::parse(&format!("/{}", place.unwrap_or_default())) else {
                // Nobody knows where it is held: not in the whole tenant for that.
                let doubt =
                    Doubt::new(format!("directory role {name} at `{}`", place.unwrap_or_default()), DoubtEffect::Adds);
                if people.contains(&principal) {
                    self.doubts.entry(holder_of(&id)).or_default().push(doubt.clone());
                }
                self.doubts.entry(principal).or_default().push(doubt);
                continue;
            };
            let scope = Some(scope).filter(|scope| !scope.is_root());
            let under =
                if ready { policies.get(&id).unwrap_or(&Rules::UNREAD).condition() } else { until(held.end_date_time) };
            let how = if ready { "eligible directory role" } else { "directory role" };
            let at = scope.as_ref().map_or_else(String::new, |scope| format!(" at {scope}"));
            let by = By::Directory {
                id: held.id.as_deref().map(Into::into),
                term,
                role: held.role_definition_id.trim().into(),
                scope: format!("/{}", place.unwrap_or_default()).into(),
            };
            let holding = Holding {
                allowed,
                under,
                bond: Bond { principal: principal.clone(), by },
                grant: grant(format!("{how} {name}{at}"), &held.at),
                tier0: tier0_of_role(facts, &id).filter(|_| scope.is_none()),
                scope,
            };
            let number = self.add(holding);
            if people.contains(&principal) {
                self.roles.entry(holder_of(&id)).or_default().push(number);
            }
            self.roles.entry(principal).or_default().push(number);
        }
    }

    fn permissions(&mut self, facts: &TenantFacts) {
        let applications: BTreeSet<String> =
            facts.applications.values().filter_map(|held| Some(held.app_id.as_deref()?.to_ascii_lowercase())).collect();
        // Only what is registered in the tenant has a manifest there.
        let asked = |principal: &ObjectId, api: &Api| -> Option<Arc<Asked>> {
            let own = facts.principals.get(principal.as_str())?.app_id.as_deref()?.to_ascii_lowercase();
            let application: Arc<str> = applications.get(&own)?.as_str().into();
            Some(Arc::new(Asked { application, api: api.app.as_deref()?.into() }))
        };
        for held in facts.app_roles.values() {
            // What a person or group is assigned decides over an application's own rooms, and is that application's to say.
            if held.principal_type.as_deref().is_some_and(|kind| kind != "ServicePrincipal") {
                continue;
            }
            let principal = ObjectId::new(&held.principal_id);
            match permission(facts, &held.resource_id, &held.app_role_id, held.resource_display_name.as_ref()) {
                Named::Nothing => {}
                Named::Unknown(text) => {
                    self.doubts.entry(principal).or_default().push(Doubt::new(text, DoubtEffect::Adds));
                }
                Named::Permission { value, api } => {
                    let by = By::Permission {
                        id: held.id.clone(),
                        resource: held.resource_id.as_str().into(),
                        role: held.app_role_id.as_str().into(),
                        asked: asked(&principal, &api),
                    };
                    let bond = Bond { principal: principal.clone(), by };
                    let holding = held_permission(&value, &api, Condition::unconditional(), "", &held.at);
                    let number = self.add(Holding { bond, ..holding });
                    self.own.entry(principal).or_default().push(number);
                }
            }
        }
    }

    fn delegated(&mut self, facts: &TenantFacts) {
        for held in facts.grants.all() {
            let client = ObjectId::new(&held.client_id);
            let api = api_of(facts, &held.resource_id, None);
            let all: Arc<str> = held.scope.as_deref().unwrap_or_default().into();
            let resource: Arc<str> = held.resource_id.as_str().into();
            for value in scopes(held.scope.as_deref()) {
                let by = By::Delegated {
                    id: held.id.clone(),
                    resource: Arc::clone(&resource),
                    value: value.into(),
                    all: Arc::clone(&all),
                };
                let bond = Bond { principal: client.clone(), by };
                let holding = held_permission(value, &api, in_the_name_of(facts, held), "delegated ", &held.at);
                let number = self.add(Holding { bond, ..holding });
                self.own.entry(client.clone()).or_default().push(number);
            }
        }
    }

    fn inherited(&mut self, facts: &TenantFacts) {
        let blueprints = Blueprints::of(facts);
        let mut grants: BTreeMap<String, Vec<&At<DelegatedGrant>>> = BTreeMap::new();
        for held in facts.grants.all() {
            grants.entry(held.client_id.to_ascii_lowercase()).or_default().push(held);
        }
        let mut inherited: Vec<(ObjectId, Holding)> = Vec::new();
        for (id, agent) in facts.principals.iter().filter(|(_, held)| held.kind() == PrincipalKind::Agent) {
            let agent_id = ObjectId::new(id);
            let Some(blueprint) = agent.agent_identity_blueprint_id.as_deref().map(str::to_ascii_lowercase) else {
                continue;
            };
            let Some(lists) = blueprints.inheritable(facts, &blueprint) else {
                let doubt = Doubt::new(format!("permissions inherited of blueprint {blueprint}"), DoubtEffect::Adds);
                self.doubts.entry(agent_id).or_default().push(doubt);
                continue;
            };
            let Some(principal) = blueprints.principals.get(&blueprint) else {
                if !lists.is_empty() {
                    let doubt = Doubt::new(format!("the principal of blueprint {blueprint}"), DoubtEffect::Adds);
                    self.doubts.entry(agent_id).or_default().push(doubt);
                }
                continue;
            };
            let from = |resource: &str| {
                let app = api_of(facts, resource, None).app;
                lists
                    .iter()
                    .find(|held| app.is_some() && app.as_deref() == Some(&*held.resource_app_id.to_ascii_lowercase()))
            };
            for held in facts.permissions_of(principal) {
                let Some(list) = from(&held.resource_id) else { continue };
                let named =
                    permission(facts, &held.resource_id, &held.app_role_id, held.resource_display_name.as_ref());
                let Named::Permission { value, api } = named else { continue };
                let takes = list.inheritable_roles.as_ref();
                // Where the answer speaks of no roles at all, it is one of the form that lists applications alone.
                if takes.map_or(list.inheritable_scopes.is_none(), |roles| {
                    roles.holds(&value) || roles.holds(&held.app_role_id)
                }) {
                    let holding = held_permission(&value, &api, Condition::unconditional(), "inherited ", &held.at);
                    inherited.push((agent_id.clone(), holding));
                }
            }
            for held in grants.get(principal).into_iter().flatten() {
                let Some(list) = from(&held.resource_id) else { continue };
                let api = api_of(facts, &held.resource_id, None);
                for value in scopes(held.scope.as_deref()) {
                    if list.inheritable_scopes.as_ref().is_some_and(|scopes| scopes.holds(value)) {
                        let under = in_the_name_of(facts, held);
                        let holding = held_permission(value, &api, under, "inherited delegated ", &held.at);
                        inherited.push((agent_id.clone(), holding));
                    }
                }
            }
        }
        for (agent, holding) in inherited {
            let number = self.add(holding);
            self.own.entry(agent).or_default().push(number);
        }
    }
}

/// Blueprints of agents by their application ids.
pub(crate) struct Blueprints {
    /// Their principals' object ids.
    pub(crate) principals: BTreeMap<String, String>,
    /// Their applications' object ids.
    pub(crate) applications: BTreeMap<String, String>,
}

impl Blueprints {
    pub(crate) fn of(facts: &TenantFacts) -> Self {
        let app = |id: &Option<String>| id.as_deref().map(str::to_ascii_lowercase);
        let not_agents = facts.principals.iter().filter(|(_, held)| held.kind() != PrincipalKind::Agent);
        Self {
            principals: not_agents.filter_map(|(id, held)| Some((app(&held.app_id)?, id.clone()))).collect(),
            applications: facts
                .applications
                .iter()
                .filter_map(|(id, held)| Some((app(&held.app_id)?, id.clone())))
                .collect(),
        }
    }

    /// What agents inherit of a blueprint; `None` = that was not read.
    fn inheritable<'f>(&self, facts: &'f TenantFacts, blueprint: &str) -> Option<&'f [At<Inheritable>]> {
        let id = self.applications.get(blueprint);
        // A call may name the application by either of its ids.
        let list = id.and_then(|id| facts.inheritable.get(id)).or_else(|| facts.inheritable.get(blueprint))?;
        list.is_read().then(|| list.all())
    }
}

/// Directory roles: those that stand, those that end, and those that are held ready. Each once: what was activated is held
/// ready already.
fn assignments(facts: &TenantFacts) -> Vec<(&At<DirectoryAssignment>, Term)> {
    let key = |id: &str| id.trim().to_ascii_lowercase();
    let activated = |held: &DirectoryAssignment| held.assignment_type.as_deref() == Some("Activated");
    let place = |held: &DirectoryAssignment| {
        let scope = held.directory_scope_id.as_deref().or(held.app_scope_id.as_deref()).unwrap_or("/");
        (key(&held.principal_id), key(&held.role_definition_id), key(scope))
    };
    let mut told: BTreeSet<String> = BTreeSet::new();
    let mut temporary = BTreeSet::new();
    let mut seen = BTreeSet::new();
    let mut all = Vec::new();
    for held in facts.directory_active.all() {
        let ends = held.end_date_time.is_some();
        if activated(held) || ends {
            told.extend(held.role_assignment_origin_id.as_deref().map(key));
            temporary.insert(place(held));
        }
        match activated(held) {
            // That it can be activated again is said by a list that was not read.
            true if !facts.directory_eligible.is_read() => all.push((held, Term::Ready)),
            false if ends => all.push((held, Term::Ends)),
            _ => {}
        }
    }
    for held in facts.directory_assignments.all() {
        let told = held.id.as_deref().is_some_and(|id| told.contains(&key(id))) || temporary.contains(&place(held));
        if !told && seen.insert((place(held), false)) {
            all.push((held, Term::Standing));
        }
    }
    // A capture may hold the instances alone.
    if !facts.directory_assignments.is_read() {
        let standing = |held: &&At<DirectoryAssignment>| !activated(held) && held.end_date_time.is_none();
        for held in facts.directory_active.all().iter().filter(standing) {
            if seen.insert((place(held), false)) {
                all.push((held, Term::Standing));
            }
        }
    }
    for held in facts.directory_eligible.all() {
        if seen.insert((place(held), true)) {
            all.push((held, Term::Ready));
        }
    }
    all
}

/// The name of a directory role and what it allows.
type Meaning = (Arc<str>, Arc<[Allowed]>);

/// What a directory role allows, with its name; `None` = that was not read.
fn meaning(facts: &TenantFacts, id: &str) -> Option<Meaning> {
    let role = definition(facts, id)?;
    let name = role.display_name.clone().unwrap_or_else(|| id.into());
    if role.is_enabled == Some(false) {
        return Some((name, Arc::default()));
    }
    let patterns = |texts: &Option<Vec<String>>| texts.iter().flatten().map(|text| pattern(text)).collect();
    let blocks = role.role_permissions.as_ref()?.iter().map(|block| Allowed {
        actions: patterns(&block.allowed_resource_actions),
        excluded: patterns(&block.excluded_resource_actions),
        condition: block.condition.as_deref().map(Arc::from),
    });
    Some((name, blocks.collect()))
}

/// The definition of a directory role, by its id or by that of its template.
pub(crate) fn definition<'f>(facts: &'f TenantFacts, id: &str) -> Option<&'f At<DirectoryRole>> {
    facts.directory_roles.get(id).or_else(|| {
        let of_template = |held: &&At<DirectoryRole>| {
            held.template_id.as_deref().is_some_and(|template| template.eq_ignore_ascii_case(id))
        };
        facts.directory_roles.values().find(of_template)
    })
}

fn tier0_of_role(facts: &TenantFacts, id: &str) -> Option<&'static tier0::TierZero> {
    let template = definition(facts, id).and_then(|role| role.template_id.as_deref());
    tier0::of_role(template.unwrap_or(id))
}

/// What activating directory roles takes, by their ids.
fn policies(facts: &TenantFacts) -> BTreeMap<String, Rules> {
    let of_roles = facts
        .activation_policies
        .all()
        .iter()
        .filter(|held| held.scope_type.as_deref().is_none_or(|kind| matches!(kind, "Directory" | "DirectoryRole")));
    let each = of_roles.filter_map(|held| {
        let rules = held.policy.as_ref()?.rules.as_deref()?;
        Some((held.role_definition_id.as_deref()?.trim().to_ascii_lowercase(), Rules::of(rules)))
    });
    each.collect()
}

/// What activating the membership of groups takes, by the groups' ids.
pub(crate) fn group_policies(facts: &TenantFacts) -> BTreeMap<String, Rules> {
    let of_groups = facts.activation_policies.all().iter().filter(|held| {
        held.scope_type.as_deref() == Some("Group") && held.role_definition_id.as_deref() == Some("member")
    });
    let each = of_groups.filter_map(|held| {
        let rules = held.policy.as_ref()?.rules.as_deref()?;
        Some((held.scope_id.as_deref()?.trim().to_ascii_lowercase(), Rules::of(rules)))
    });
    each.collect()
}

/// An application that offers permissions.
struct Api {
    /// Its application id, in lower case.
    app: Option<String>,
    /// What it is called.
    name: Arc<str>,
}

impl Api {
    fn is_graph(&self) -> bool {
        self.app.as_deref() == Some(MICROSOFT_GRAPH)
    }
}

fn resource<'f>(facts: &'f TenantFacts, id: &str) -> Option<&'f At<ServicePrincipal>> {
    facts.principals.get(&id.trim().to_ascii_lowercase())
}

fn api_of(facts: &TenantFacts, id: &str, name: Option<&Arc<str>>) -> Api {
    let held = resource(facts, id);
    let called = held.and_then(|held| held.display_name.clone()).or_else(|| name.cloned());
    let app = held.and_then(|held| held.app_id.as_deref().map(str::to_ascii_lowercase)).or_else(|| {
        // The name is Microsoft's own, and an answer carries it where the list of principals was not read.
        (held.is_none() && called.as_deref() == Some("Microsoft Graph")).then(|| MICROSOFT_GRAPH.to_owned())
    });
    Api { app, name: called.unwrap_or_else(|| id.into()) }
}

enum Named {
    /// The right that everybody who is let in has.
    Nothing,
    Permission {
        value: Arc<str>,
        api: Api,
    },
    /// What was not read.
    Unknown(String),
}

/// The permission that an assignment names by its id.
fn permission(facts: &TenantFacts, resource_id: &str, role: &str, name: Option<&Arc<str>>) -> Named {
    if role == DEFAULT_ACCESS {
        return Named::Nothing;
    }
    let offered = resource(facts, resource_id).and_then(|held| held.app_roles.as_ref());
    let said = offered.into_iter().flatten().find(|held| held.id.eq_ignore_ascii_case(role));
    let api = api_of(facts, resource_id, name);
    let value = said.and_then(|held| held.value.clone()).filter(|value| !value.is_empty()).or_else(|| {
        // Ids of Microsoft Graph's permissions are the same everywhere, and nobody else's.
        let known = graph::of_id(Kind::Application, role)?;
        (api.is_graph() || api.app.is_none()).then(|| Arc::clone(&known.name))
    });
    match value {
        Some(value) => {
            let api = if api.app.is_none() && graph::of_id(Kind::Application, role).is_some() {
                Api { app: Some(MICROSOFT_GRAPH.to_owned()), name: "Microsoft Graph".into() }
            } else {
                api
            };
            Named::Permission { value, api }
        }
        None => Named::Unknown(format!("permission {role} of {}", api.name)),
    }
}

fn held_permission(value: &str, api: &Api, under: Condition, how: &str, at: &Evidence) -> Holding {
    let actions: Vec<OperationPattern> = if api.is_graph() {
        match of_permission(value) {
            [] => vec![OperationPattern::new(&operation_of_permission(value))],
            actions => actions.iter().map(|action| OperationPattern::new(action)).collect(),
        }
    } else {
        vec![OperationPattern::new(&operation_of_api(&api.name, value))]
    };
    // In a person's name it leads no further than the person may go.
    let tier0 = if api.is_graph() && !how.contains("delegated") { tier0::of_permission(value) } else { None };
    let kind = if how.contains("delegated") { "permission" } else { "application permission" };
    Holding {
        allowed: Arc::from([Allowed { actions, ..Allowed::default() }]),
        scope: None,
        under,
        grant: grant(format!("{how}{kind} {value} of {}", api.name), at),
        bond: Bond::nothing(),
        tier0,
    }
}

fn grant(policy: String, at: &Evidence) -> Grant {
    Grant { policy: policy.into(), statement: None, name: Arc::from(""), evidence: at.clone() }
}

fn scopes(text: Option<&str>) -> impl Iterator<Item = &str> {
    text.unwrap_or_default().split_ascii_whitespace().filter(|scope| !SIGN_IN.contains(scope))
}

/// A client with delegated permissions may do what the person may whom it acts for, and only while that person is signed
/// in.
fn in_the_name_of(facts: &TenantFacts, held: &DelegatedGrant) -> Condition {
    let whom = match held.principal_id.as_deref().filter(|_| held.consent_type.as_deref() != Some("AllPrincipals")) {
        Some(id) => {
            let user = facts.users.get(&id.to_ascii_lowercase());
            user.and_then(|user| user.user_principal_name.clone()).unwrap_or_else(|| id.into())
        }
        None => "whoever is signed in".into(),
    };
    Condition::unconditional().with(Clause::Opaque(format!("in the name of {whom}, who must have the right").into()))
}
