//! Azure RBAC, sentence by sentence, and its two answers against each other.

mod corpus;
mod properties;
mod semantics;

use std::sync::Arc;

use evenhand_model::access::Outcome;
use evenhand_model::evidence::Truth;
use evenhand_model::opset::OperationIx;

use super::condition::Attributes;
use super::*;
use crate::catalog::Catalogue;

/// The group that everything of the tests lies in, and one below it.
pub(super) const TOP: &str = "/providers/Microsoft.Management/managementGroups/top";
pub(super) const PROD: &str = "/providers/Microsoft.Management/managementGroups/prod";

pub(super) fn id(text: &str) -> ArmId {
    ArmId::parse(text).unwrap()
}

pub(super) fn patterns(texts: &[&str]) -> Vec<OperationPattern> {
    texts.iter().map(|text| OperationPattern::new(text)).collect()
}

pub(super) fn block(actions: &[&str], not_actions: &[&str]) -> Permission {
    Permission { actions: patterns(actions), not_actions: patterns(not_actions), ..Permission::default() }
}

pub(super) fn role(key: &str, permissions: Vec<Permission>) -> RoleDefinition {
    RoleDefinition { key: RoleKey::new(key), name: key.into(), permissions }
}

pub(super) fn assigned(principal: &str, role: &str, scope: &str) -> RoleAssignment {
    RoleAssignment {
        id: Arc::from(""),
        principal: ObjectId::new(principal),
        role: RoleKey::new(role),
        scope: id(scope),
        condition: None,
    }
}

pub(super) fn named(ids: &[&str]) -> Principals {
    Principals { everybody: false, named: ids.iter().map(|id| ObjectId::new(id)).collect() }
}

pub(super) fn denied(principals: Principals, permissions: Vec<Permission>, scope: &str) -> DenyAssignment {
    DenyAssignment {
        id: Arc::from(""),
        name: Arc::from(""),
        permissions,
        scope: id(scope),
        not_below: false,
        principals,
        excluded: Principals::default(),
        condition: None,
    }
}

/// Management groups: subscription a in prod, prod and subscription b in top.
pub(super) fn hierarchy() -> Hierarchy {
    Hierarchy::new([
        (id(TOP), None),
        (id(PROD), Some(id(TOP))),
        (id("/subscriptions/a"), Some(id(PROD))),
        (id("/subscriptions/b"), Some(id(TOP))),
    ])
}

pub(super) fn asked(principal: &str, plane: Plane, operation: &str, resource: &str) -> Request {
    Request {
        principal: ObjectId::new(principal),
        plane,
        operation: operation.to_owned(),
        resource: id(resource),
        suboperation: None,
        attributes: Attributes::default(),
    }
}

pub(super) fn outcome(world: &World, principal: &str, operation: &str, resource: &str) -> Outcome {
    Authorizer::new(world.clone()).decide(&asked(principal, Plane::Control, operation, resource)).outcome
}

/// What a list of access says about one operation on one resource: allowed, conditional, or neither.
pub(super) fn listed(listed: &Listed, operation: OperationIx, resource: &ArmId) -> Truth {
    let reaching = listed.slices.iter().filter(|slice| {
        slice.operations.contains(operation) && slice.scope.matches(&[resource.as_str()]) == Truth::Yes
    });
    reaching.fold(Truth::No, |best, slice| {
        best.or(if slice.condition.is_unconditional() { Truth::Yes } else { Truth::Unknown })
    })
}

/// What a decision says in the same words.
pub(super) fn granted(outcome: Outcome) -> Truth {
    match outcome {
        Outcome::Allowed => Truth::Yes,
        Outcome::Conditional | Outcome::Unknown => Truth::Unknown,
        Outcome::ImplicitlyDenied | Outcome::ExplicitlyDenied => Truth::No,
    }
}
