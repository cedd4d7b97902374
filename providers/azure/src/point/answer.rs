//! What comes out. The doc comments are the descriptions in the JSON Schema.

use std::sync::Arc;

use evenhand_model::access::Outcome;
use evenhand_model::evidence::Truth;
use schemars::JsonSchema;
use serde::Serialize;

use crate::rbac::{Authorizer, Condition, Decided, Match};

/// What happens to a request, and why.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Answer<'a> {
    /// What happens.
    pub decision: Decision,
    /// What decided. Of an allowed request all that allows it; of an explicitly denied one all that denies it; else
    /// everything that may count.
    pub matched: Vec<Matched<'a>>,
    /// Of a `conditional` or `unknown` request: the conditions that hang on what is not known, as they are written. Absent:
    /// none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(default)]
    pub conditions: Vec<&'a str>,
    /// Of an `unknown` request: what would have to be in the line to decide it. Absent: nothing.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(default)]
    pub missing: Vec<String>,
    /// What in the line does not do what it seems to: conditions that are not understood, deny assignments that only record,
    /// and an operation that nothing grants and no built-in role names. Absent: nothing.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(default)]
    pub notes: Vec<Note>,
}

/// What happens to a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// It is allowed.
    Allowed,
    /// It is allowed or not, by conditions on what the request leaves open.
    Conditional,
    /// Nothing grants it.
    ImplicitlyDenied,
    /// A deny assignment denies it.
    ExplicitlyDenied,
    /// Something that is not in the line decides.
    Unknown,
}

/// Something that speaks about a request.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Matched<'a> {
    /// Whether it allows or denies.
    pub effect: Effect,
    /// The id of the role assignment or deny assignment; where it has none, its place, such as `roleAssignments/0`.
    pub assignment: &'a str,
    /// The name of the role, or of the deny assignment. Absent: the role is not in the line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<&'a str>,
    /// The permission block of it, counted from 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub permission: Option<usize>,
    /// Where it is assigned, in lower case.
    pub scope: &'a str,
    /// Whether it counts is not known. Absent: it counts.
    #[serde(skip_serializing_if = "is_false")]
    #[schemars(default)]
    pub undecided: bool,
}

fn is_false(value: &bool) -> bool {
    !value
}

/// Whether something allows or denies.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, JsonSchema)]
pub enum Effect {
    /// It allows.
    Allow,
    /// It denies.
    Deny,
}

/// Something that does not do what it seems to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Note {
    /// Its place in the line, as a JSON pointer (RFC 6901).
    pub at: String,
    /// What is wrong with it.
    pub message: String,
}

impl<'a> Answer<'a> {
    pub(super) fn new(decided: &Decided<'a>, authorizer: &'a Authorizer, notes: Vec<Note>) -> Self {
        let mut answer = Self {
            decision: match decided.outcome {
                Outcome::Allowed => Decision::Allowed,
                Outcome::Conditional => Decision::Conditional,
                Outcome::ImplicitlyDenied => Decision::ImplicitlyDenied,
                Outcome::ExplicitlyDenied => Decision::ExplicitlyDenied,
                Outcome::Unknown => Decision::Unknown,
            },
            matched: Vec::with_capacity(decided.matches.len()),
            conditions: Vec::new(),
            missing: Vec::new(),
            notes,
        };
        for held in &decided.matches {
            answer.add(held, authorizer);
        }
        answer
    }

    fn add(&mut self, held: &Match<'a>, authorizer: &'a Authorizer) {
        let world = authorizer.world();
        match held {
            Match::UnreadRole { assignment } => {
                let Some(held) = world.assignments.get(*assignment) else { return };
                self.missing(format!("the role definition {}", held.role));
                self.matched.push(Matched {
                    effect: Effect::Allow,
                    assignment: &held.id,
                    name: None,
                    permission: None,
                    scope: held.scope.as_str(),
                    undecided: true,
                });
            }
            Match::Grant { assignment, role, permission, holds, conditions, unread } => {
                let (Some(held), Some(role)) = (world.assignments.get(*assignment), world.definitions.get(*role))
                else {
                    return;
                };
                self.open(conditions, *unread, held.scope.as_str());
                self.matched.push(Matched {
                    effect: Effect::Allow,
                    assignment: &held.id,
                    name: Some(&role.name),
                    permission: Some(*permission),
                    scope: held.scope.as_str(),
                    undecided: *holds == Truth::Unknown,
                });
            }
            Match::Deny { deny, permission, holds, conditions, unread } => {
                let Some(held) = authorizer.denies().get(*deny) else { return };
                self.open(conditions, *unread, held.scope.as_str());
                self.matched.push(Matched {
                    effect: Effect::Deny,
                    assignment: &held.id,
                    name: Some(&held.name),
                    permission: Some(*permission),
                    scope: held.scope.as_str(),
                    undecided: *holds == Truth::Unknown,
                });
            }
        }
    }

    fn open(&mut self, conditions: &[&'a Condition], unread: bool, scope: &str) {
        for condition in conditions {
            let text: &'a Arc<str> = condition.as_str();
            if !self.conditions.contains(&&**text) {
                self.conditions.push(text);
            }
        }
        if unread {
            self.missing(format!("what lies in {scope}"));
        }
    }

    fn missing(&mut self, what: String) {
        if !self.missing.contains(&what) {
            self.missing.push(what);
        }
    }
}
