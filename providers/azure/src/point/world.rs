//! The objects of a line as the authorizer takes them.

use std::collections::BTreeSet;
use std::sync::Arc;

use evenhand_model::decide::{Refusal, part};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::answer::Note;
use super::input::{Assignment, Block, Definition, Deny, DenyEffect, Group, Input, Lies, Principal, REMEDY};
use crate::rbac::{
    self, ArmId, Authorizer, Condition, DenyAssignment, Groups, Hierarchy, ObjectId, Permission, Principals,
    RoleAssignment, RoleDefinition, RoleKey,
};

const ASSIGNMENTS: &str = "roleAssignments";
const DEFINITIONS: &str = "roleDefinitions";
const DENIES: &str = "denyAssignments";
const GROUPS: &str = "groups";
const MANAGEMENT_GROUPS: &str = "managementGroups";

/// What decides a line.
#[derive(Debug, Default)]
pub(super) struct World {
    pub(super) authorizer: Authorizer,
    pub(super) notes: Vec<Note>,
}

/// The lists of a line as one text, with a character between them that no JSON text has.
pub(super) fn text(input: &Input<'_>) -> String {
    [input.role_assignments, input.role_definitions, input.deny_assignments, input.groups, input.management_groups]
        .map(|list| list.map_or("", RawValue::get))
        .join("\0")
}

impl World {
    /// Reads the lists of a line.
    pub(super) fn read(input: &Input<'_>) -> Result<Self, Refusal> {
        let mut notes = Vec::new();
        let mut world = rbac::World::default();
        for (at, definition) in list::<Definition>(DEFINITIONS, input.role_definitions)?.into_iter().enumerate() {
            let place = format!("/{DEFINITIONS}/{at}");
            world.definitions.push(definition.read(&place, &mut notes)?);
        }
        let mut seen = BTreeSet::new();
        if let Some(at) = world.definitions.iter().position(|definition| !seen.insert(&definition.key)) {
            return Err(Refusal::new(
                format!("/{DEFINITIONS}/{at}"),
                "a role definition before this one has the same id",
                "give each definition once",
            ));
        }
        for (at, assignment) in list::<Assignment>(ASSIGNMENTS, input.role_assignments)?.into_iter().enumerate() {
            world.assignments.push(assignment.read(at, &mut notes)?);
        }
        for (at, deny) in list::<Deny>(DENIES, input.deny_assignments)?.into_iter().enumerate() {
            world.denies.extend(deny.read(at, &mut notes)?);
        }
        let groups = list::<Group>(GROUPS, input.groups)?;
        world.groups =
            Groups::new(groups.iter().flat_map(|group| {
                group.members.iter().map(|member| (ObjectId::new(&group.id), ObjectId::new(member)))
            }));
        let mut pairs = Vec::new();
        for (at, lies) in list::<Lies>(MANAGEMENT_GROUPS, input.management_groups)?.into_iter().enumerate() {
            let place = format!("/{MANAGEMENT_GROUPS}/{at}");
            let parent = lies.parent.map(|parent| arm(&parent, &format!("{place}/parent"))).transpose()?;
            pairs.push((arm(&lies.id, &format!("{place}/id"))?, parent));
        }
        world.hierarchy = Hierarchy::new(pairs);
        Ok(Self { authorizer: Authorizer::new(world), notes })
    }
}

/// The role definitions of a document.
#[cfg(test)]
pub(crate) fn definitions(text: &str) -> Result<Vec<RoleDefinition>, Refusal> {
    let all: Vec<Definition> = part(text, REMEDY)?;
    all.into_iter().map(|definition| definition.read("", &mut Vec::new())).collect()
}

fn list<'a, T: Deserialize<'a>>(name: &str, text: Option<&'a RawValue>) -> Result<Vec<T>, Refusal> {
    let read = |text: &'a RawValue| part::<Option<Vec<T>>>(text.get(), REMEDY);
    let all = text.map(read).transpose().map_err(|refusal| refusal.below(&format!("/{name}")))?;
    Ok(all.flatten().unwrap_or_default())
}

fn arm(text: &str, at: &str) -> Result<ArmId, Refusal> {
    ArmId::parse(text).map_err(|_| {
        Refusal::new(
            at,
            format!("`{text}` is no scope"),
            "write it from the root on, such as `/subscriptions/ID/resourceGroups/NAME`",
        )
    })
}

fn missing(at: &str, member: &str) -> Refusal {
    Refusal::new(at, format!("`{member}` is missing"), REMEDY)
}

/// The scope that an assignment says or, where it says none, the one that its id begins with.
fn scope(said: Option<&str>, id: Option<&str>, kind: &str, at: &str) -> Result<ArmId, Refusal> {
    if let Some(said) = said {
        return arm(said, &format!("{at}/scope"));
    }
    match id.and_then(|id| ArmId::text_before(id, kind)) {
        Some("/") => arm("/", at),
        Some(head) => arm(head, &format!("{at}/id")),
        None => Err(missing(at, "scope")),
    }
}

fn condition(text: Option<&str>, at: &str, notes: &mut Vec<Note>) -> Option<Condition> {
    let condition = Condition::new(text.filter(|text| !text.trim().is_empty())?);
    if let Err(problem) = condition.check() {
        notes.push(Note {
            at: format!("{at}/condition"),
            message: format!("this condition is not understood, and may hold or not: {problem}"),
        });
    }
    Some(condition)
}

fn blocks(blocks: Option<&[Block]>, at: &str, notes: &mut Vec<Note>) -> Result<Vec<Permission>, Refusal> {
    let blocks = blocks.ok_or_else(|| missing(at, "permissions"))?;
    let read = |(number, block): (usize, &Block)| {
        let lists = [&block.actions, &block.not_actions, &block.data_actions, &block.not_data_actions];
        let condition = condition(block.condition.as_deref(), &format!("{at}/permissions/{number}"), notes);
        Permission::written(lists, condition)
    };
    Ok(blocks.iter().enumerate().map(read).collect())
}

impl Assignment {
    fn read(self, number: usize, notes: &mut Vec<Note>) -> Result<RoleAssignment, Refusal> {
        let at = format!("/{ASSIGNMENTS}/{number}");
        let (held, at) = match &self.properties {
            Some(properties) => (&**properties, format!("{at}/properties")),
            None => (&self, at),
        };
        let principal = held.principal_id.as_deref().ok_or_else(|| missing(&at, "principalId"))?;
        let role = held.role_definition_id.as_deref().ok_or_else(|| missing(&at, "roleDefinitionId"))?;
        Ok(RoleAssignment {
            id: self.id.as_deref().map_or_else(|| format!("{ASSIGNMENTS}/{number}").into(), Arc::from),
            principal: ObjectId::new(principal),
            role: RoleKey::new(role),
            scope: scope(held.scope.as_deref(), self.id.as_deref(), "roleassignments", &at)?,
            condition: condition(held.condition.as_deref(), &at, notes),
        })
    }
}

impl Definition {
    fn read(self, place: &str, notes: &mut Vec<Note>) -> Result<RoleDefinition, Refusal> {
        let id = self.id.as_deref().or(self.name.as_deref()).ok_or_else(|| missing(place, "id"))?;
        let (held, at) = match &self.properties {
            Some(properties) => (&**properties, format!("{place}/properties")),
            None => (&self, place.to_owned()),
        };
        Ok(RoleDefinition {
            key: RoleKey::new(id),
            name: held.role_name.as_deref().unwrap_or(id).into(),
            permissions: blocks(held.permissions.as_deref(), &at, notes)?,
        })
    }
}

impl Deny {
    /// The deny assignment; `None` where it only records what it would deny.
    fn read(self, number: usize, notes: &mut Vec<Note>) -> Result<Option<DenyAssignment>, Refusal> {
        let place = format!("/{DENIES}/{number}");
        let (held, at) = match &self.properties {
            Some(properties) => (&**properties, format!("{place}/properties")),
            None => (&self, place.clone()),
        };
        if held.deny_assignment_effect == Some(DenyEffect::Audit) {
            notes.push(Note { at: place, message: "it only records what it would deny".to_owned() });
            return Ok(None);
        }
        let named = held.principals.as_deref().ok_or_else(|| missing(&at, "principals"))?;
        let id: Arc<str> = self.id.as_deref().map_or_else(|| format!("{DENIES}/{number}").into(), Arc::from);
        Ok(Some(DenyAssignment {
            name: held.deny_assignment_name.as_deref().map_or_else(|| Arc::clone(&id), Arc::from),
            id,
            permissions: blocks(held.permissions.as_deref(), &at, notes)?,
            scope: scope(held.scope.as_deref(), self.id.as_deref(), "denyassignments", &at)?,
            not_below: held.do_not_apply_to_child_scopes.unwrap_or_default(),
            principals: principals(named),
            excluded: principals(held.exclude_principals.as_deref().unwrap_or_default()),
            condition: condition(held.condition.as_deref(), &at, notes),
        }))
    }
}

fn principals(all: &[Principal]) -> Principals {
    Principals::of(all.iter().map(|held| (held.id.as_str(), held.kind.as_deref())))
}
