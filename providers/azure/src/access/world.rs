//! What the answers about role assignments say, as the authorizer takes it.
//!
//! Roles that are held ready join the assignments that stand; what activating them takes is kept beside them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use evenhand_model::access::{Doubt, DoubtEffect, Grant};
use evenhand_model::condition::Condition as Under;
use evenhand_model::evidence::Evidence;

use super::activation::{Rules, until};
use super::bond::{Bond, By};
use super::vaults;
use crate::documents::manager::{Assignment, Block, Named};
use crate::documents::route::Route;
use crate::documents::told::At;
use crate::facts::{Managed, TenantFacts};
use crate::rbac::{
    ArmId, Authorizer, Condition, DenyAssignment, Groups, Hierarchy, ObjectId, OperationPattern, Permission,
    Principals, RoleAssignment, RoleDefinition, RoleKey, World,
};

/// An assignment beside what the authorizer knows of it.
#[derive(Clone, Debug)]
pub(crate) struct Beside {
    /// What the assignment hangs on, activation and end.
    pub(crate) under: Under,
    /// For people.
    pub(crate) grant: Grant,
    /// How it is undone.
    pub(crate) bond: Bond,
}

/// Role assignments of a tenant.
#[derive(Debug)]
pub(crate) struct Assigned {
    pub(crate) authorizer: Authorizer,
    /// One for each assignment, in their order.
    pub(crate) beside: Vec<Beside>,
    /// What could not be understood of it, with its place.
    pub(crate) notes: Vec<(Evidence, String)>,
    /// What is held or denied nobody knows where, by whom it is about.
    pub(crate) doubts: BTreeMap<ObjectId, Vec<Doubt>>,
    /// The same about everybody.
    pub(crate) doubts_of_all: Vec<Doubt>,
    /// The lists that it is in, and what is wrong with it.
    pub(crate) unplaced: Vec<(Route, String)>,
}

/// The principal that stands for whoever of the people holds a role.
pub(crate) fn holder_of(role: &str) -> ObjectId {
    ObjectId::new(&format!("role:{role}"))
}

/// The principal that stands for a role held everywhere.
pub(crate) fn everywhere(role: &str) -> ObjectId {
    ObjectId::new(&format!("everywhere:{role}"))
}

/// Roles that every subscription knows and people are given as a last resort, by the id of their definitions.
/// Source: Microsoft's built-in role reference.
pub(crate) const GENERIC: [&str; 2] = ["acdd72a7-3385-48ef-bd42-f606fba81ae7", "b24988ac-6180-42a0-ab88-20f7382dd24c"];

/// The role of whoever holds a key of a resource: all that is done with its data. No assignment gives it.
const KEY_ROLE: &str = "key-of-a-resource";

/// Whether a resource is an account that answers for models.
fn is_account(id: &str) -> bool {
    let behind = id.rsplit_once("/providers/microsoft.cognitiveservices/accounts/");
    behind.is_some_and(|(_, name)| !name.contains('/'))
}

impl Assigned {
    /// Takes what was read; `people`: whose assignments make a role of people.
    pub(crate) fn of(facts: &TenantFacts, groups: Groups, people: &BTreeSet<ObjectId>) -> Self {
        let mut notes = Vec::new();
        let (mut doubts, mut unplaced): (BTreeMap<ObjectId, Vec<Doubt>>, _) = (BTreeMap::new(), Vec::new());
        let mut doubts_of_all = Vec::new();
        let mut world = World { groups, ..World::default() };
        let mut places: BTreeMap<RoleKey, Evidence> = BTreeMap::new();
        for held in facts.role_definitions.all() {
            let key = RoleKey::new(&held.id);
            if places.insert(key.clone(), held.at.clone()).is_some() {
                continue;
            }
            world.definitions.push(RoleDefinition {
                key,
                name: held.own.role_name.clone().unwrap_or_else(|| held.id.as_str().into()),
                permissions: held.own.permissions.iter().map(|block| permission(block, &held.at, &mut notes)).collect(),
            });
        }
        let names: BTreeMap<RoleKey, Arc<str>> =
            world.definitions.iter().map(|role| (role.key.clone(), Arc::clone(&role.name))).collect();
        for held in facts.denies.all() {
            if held.own.deny_assignment_effect.as_deref().is_some_and(|effect| effect.eq_ignore_ascii_case("audit")) {
                continue;
            }
            let Some(scope) = scope(held.own.scope.as_deref(), &held.id, "denyassignments") else {
                unplaced.push((Route::DenyAssignments, format!("`{}` has no scope that is understood", held.id)));
                let doubt = Doubt::new(format!("deny assignment {}", held.id), DoubtEffect::Limits);
                let named = principals(&held.own.principals);
                if named.everybody {
                    doubts_of_all.push(doubt);
                } else {
                    named.named.into_iter().for_each(|id| doubts.entry(id).or_default().push(doubt.clone()));
                }
                continue;
            };
            world.denies.push(DenyAssignment {
                id: held.id.as_str().into(),
                name: held.own.deny_assignment_name.clone().unwrap_or_else(|| held.id.as_str().into()),
                permissions: held.own.permissions.iter().map(|block| permission(block, &held.at, &mut notes)).collect(),
                scope,
                not_below: held.own.do_not_apply_to_child_scopes.unwrap_or_default(),
                principals: principals(&held.own.principals),
                excluded: principals(held.own.exclude_principals.as_deref().unwrap_or_default()),
                condition: condition(held.own.condition.as_deref(), &held.at, &mut notes),
            });
        }
        let parents = facts.hierarchy.iter().filter_map(|(child, parent)| {
            Some((ArmId::parse(child).ok()?, parent.as_deref().map(ArmId::parse).transpose().ok()?))
        });
        world.hierarchy = Hierarchy::new(parents);
        let mut beside = Vec::new();
        let policies = policies(facts);
        for (held, kind) in all(facts) {
            let tail = match kind {
                Kind::Standing => "roleassignments",
                Kind::Ends => "roleassignmentscheduleinstances",
                Kind::Ready => "roleeligibilityscheduleinstances",
            };
            let Some(scope) = scope(held.own.scope.as_deref(), &held.id, tail) else {
                let route = match kind {
                    Kind::Standing => Route::RoleAssignments,
                    Kind::Ends => Route::RoleActive,
                    Kind::Ready => Route::RoleEligible,
                };
                unplaced.push((route, format!("`{}` has no scope that is understood", held.id)));
                let doubt = Doubt::new(format!("role assignment {}", held.id), DoubtEffect::Adds);
                let principal = ObjectId::new(&held.own.principal_id);
                if people.contains(&principal) {
                    let role = RoleKey::new(&held.own.role_definition_id).to_string();
                    doubts.entry(holder_of(&role)).or_default().push(doubt.clone());
                }
                doubts.entry(principal).or_default().push(doubt);
                continue;
            };
            let role = RoleKey::new(&held.own.role_definition_id);
            let name = names.get(&role).map_or_else(|| role.to_string(), ToString::to_string);
            let ready = kind == Kind::Ready;
            let under = if ready {
                policies.get(&(scope.clone(), role.clone())).unwrap_or(&Rules::UNREAD).condition()
            } else {
                until(held.own.end_date_time)
            };
            let how = if ready { "eligible role" } else { "role" };
            let principal = ObjectId::new(&held.own.principal_id);
            let id: Arc<str> = held.id.as_str().into();
            let by = match kind {
                Kind::Standing => By::Assignment(Arc::clone(&id)),
                Kind::Ends | Kind::Ready => By::Scheduled { ready, role: role.clone(), scope: scope.clone() },
            };
            let beside_it = Beside {
                under,
                bond: Bond { principal: principal.clone(), by },
                grant: Grant {
                    policy: format!("{how} {name} at {scope}").into(),
                    statement: None,
                    name: Arc::from(""),
                    evidence: held.at.clone(),
                },
            };
            let assignment = RoleAssignment {
                id,
                principal: principal.clone(),
                role: role.clone(),
                scope,
                condition: condition(held.own.condition.as_deref(), &held.at, &mut notes),
            };
            if people.contains(&principal) {
                world
                    .assignments
                    .push(RoleAssignment { principal: holder_of(&role.to_string()), ..assignment.clone() });
                beside.push(beside_it.clone());
            }
            world.assignments.push(assignment);
            beside.push(beside_it);
        }
        let keyed: Vec<_> =
            facts.resources.iter().filter(|(id, held)| is_account(id) && held.takes_keys() != Some(false)).collect();
        if !keyed.is_empty() {
            world.definitions.push(RoleDefinition {
                key: RoleKey::new(KEY_ROLE),
                name: "whoever holds a key".into(),
                permissions: vec![Permission {
                    data_actions: vec![OperationPattern::new("Microsoft.CognitiveServices/*")],
                    ..Permission::default()
                }],
            });
        }
        for (id, held) in keyed {
            let Ok(scope) = ArmId::parse(id) else {
                unplaced.push((Route::Resources, format!("`{id}` is no id that is understood")));
                let doubt = Doubt::new(format!("what the keys of {id} open"), DoubtEffect::Adds);
                doubts.entry(ObjectId::new(id)).or_default().push(doubt);
                continue;
            };
            world.assignments.push(RoleAssignment {
                id: id.as_str().into(),
                principal: ObjectId::new(id),
                role: RoleKey::new(KEY_ROLE),
                scope,
                condition: None,
            });
            beside.push(Beside {
                under: Under::unconditional(),
                grant: Grant {
                    policy: "local authentication of the resource".into(),
                    statement: None,
                    name: Arc::from(""),
                    evidence: held.at.clone(),
                },
                bond: Bond { principal: ObjectId::new(id), by: By::Keys(id.as_str().into()) },
            });
        }
        for given in vaults::given(facts) {
            world.definitions.push(given.role);
            world.assignments.push(given.assignment);
            beside.push(Beside { under: given.under, grant: given.grant, bond: given.bond });
        }
        for id in vaults::unread(facts) {
            unplaced.push((Route::Resources, format!("not all access policies of the key vault `{id}` were read")));
            // A policy is for one principal: what was not read may be something else for each.
            let doubt = Doubt::new(format!("access policies of the key vault {id}"), DoubtEffect::Adds);
            doubts_of_all.push(Doubt { about: Doubt::OWN, ..doubt });
        }
        for key in GENERIC {
            let role = RoleKey::new(key);
            if let (Some(at), Some(name), Ok(scope)) = (places.get(&role), names.get(&role), ArmId::parse("/")) {
                world.assignments.push(RoleAssignment {
                    id: format!("role {name}").into(),
                    principal: everywhere(key),
                    role,
                    scope,
                    condition: None,
                });
                beside.push(Beside {
                    under: Under::unconditional(),
                    grant: Grant {
                        policy: format!("role {name}").into(),
                        statement: None,
                        name: Arc::from(""),
                        evidence: at.clone(),
                    },
                    bond: Bond::nothing(),
                });
            }
        }
        Self { authorizer: Authorizer::new(world), beside, notes, doubts, doubts_of_all, unplaced }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Standing,
    Ends,
    Ready,
}

/// All assignments, each once: what was activated is held ready already, and what ends is told by its instance.
fn all(facts: &TenantFacts) -> Vec<(&At<Managed<Assignment>>, Kind)> {
    let key = |id: &str| id.trim().to_ascii_lowercase();
    let activated = |held: &Assignment| held.assignment_type.as_deref() == Some("Activated");
    let mut told: BTreeSet<String> = BTreeSet::new();
    let mut seen: BTreeSet<String> = BTreeSet::new();
    let mut all = Vec::new();
    for held in facts.role_active.all() {
        if let Some(origin) = &held.own.origin_role_assignment_id
            && (activated(&held.own) || held.own.end_date_time.is_some())
        {
            told.insert(key(origin));
        }
        let new = seen.insert(key(&held.id));
        match (activated(&held.own), held.own.end_date_time) {
            // That it can be activated again is said by a list that was not read.
            (true, _) if new && !facts.role_eligible.is_read() => all.push((held, Kind::Ready)),
            (false, Some(_)) if new => all.push((held, Kind::Ends)),
            _ => {}
        }
    }
    for held in facts.role_assignments.all() {
        let id = key(&held.id);
        if !told.contains(&id) && seen.insert(id) {
            all.push((held, Kind::Standing));
        }
    }
    for held in facts.role_eligible.all() {
        if seen.insert(key(&held.id)) {
            all.push((held, Kind::Ready));
        }
    }
    all
}

fn policies(facts: &TenantFacts) -> BTreeMap<(ArmId, RoleKey), Rules> {
    let each = facts.role_policies.all().iter().filter_map(|held| {
        let scope = scope(held.own.scope.as_deref(), &held.id, "rolemanagementpolicyassignments")?;
        let role = RoleKey::new(held.own.role_definition_id.as_deref()?);
        Some(((scope, role), Rules::of(held.own.effective_rules.as_deref()?)))
    });
    each.collect()
}

/// The scope that an object says or, where it says none, the one that its id begins with.
fn scope(said: Option<&str>, id: &str, kind: &str) -> Option<ArmId> {
    ArmId::parse(said.or_else(|| ArmId::text_before(id, kind))?).ok()
}

fn condition(text: Option<&str>, at: &Evidence, notes: &mut Vec<(Evidence, String)>) -> Option<Condition> {
    let condition = Condition::new(text.filter(|text| !text.trim().is_empty())?);
    if let Err(problem) = condition.check() {
        notes.push((at.clone(), format!("this condition is not understood, and may hold or not: {problem}")));
    }
    Some(condition)
}

fn permission(block: &Block, at: &Evidence, notes: &mut Vec<(Evidence, String)>) -> Permission {
    let lists = [&block.actions, &block.not_actions, &block.data_actions, &block.not_data_actions];
    Permission::written(lists, condition(block.condition.as_deref(), at, notes))
}

fn principals(all: &[Named]) -> Principals {
    Principals::of(all.iter().map(|held| (held.id.as_str(), held.kind.as_deref())))
}
