//! What comes out: an answer, or why a line has none. The doc comments are the descriptions in the JSON Schema.

use std::borrow::Cow;
use std::sync::Arc;

use evenhand_model::access::DecideError;
use schemars::JsonSchema;
use serde::Serialize;

use crate::access::answer::Layer;
use crate::policy;

/// What happens to a request, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Answer<'a> {
    /// What happens.
    pub decision: Decided,
    /// The layers that stop it: those that deny, and those that would have to allow and do not. Empty where it is allowed.
    pub blocked_by: Vec<Layer>,
    /// Every statement that matches the request, layer by layer.
    pub matched: Vec<Matched<'a>>,
    /// With `discover` only: the context keys, in lower case, that the request does not carry and the decision hangs on.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Vec<String>>")]
    pub missing_keys: Option<Vec<Arc<str>>>,
    /// With `discover` only: what must be so for the request to be allowed. Each of them; of parts joined by `; or`, one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conditions: Option<Vec<String>>,
    /// What in the policies nobody can mean, such as actions that no catalogue knows: it matches nothing. Absent: nothing.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(default)]
    pub notes: Vec<Note>,
}

/// Something in a policy that matches nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Note {
    /// The policy in the line, as a JSON pointer (RFC 6901).
    pub at: String,
    /// The statement, counted from 0, and what is wrong with it.
    pub message: String,
}

/// What happens to a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Decided {
    /// It is allowed.
    Allowed,
    /// Nothing allows it, or some layer that has to allow it does not.
    ImplicitlyDenied,
    /// A statement denies it.
    ExplicitlyDenied,
    /// With `discover` only: it depends on context keys that the request does not carry.
    Conditional,
}

/// A statement that matches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Matched<'a> {
    /// The name of its policy; where it has none, its place, such as `identity_policies/0`.
    pub policy: Cow<'a, str>,
    /// The statement, counted from 0.
    pub statement: usize,
    /// What it does.
    pub effect: Effect,
}

/// What a statement does.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, JsonSchema)]
pub enum Effect {
    /// It allows.
    Allow,
    /// It denies.
    Deny,
}

impl From<policy::Effect> for Effect {
    fn from(effect: policy::Effect) -> Self {
        match effect {
            policy::Effect::Allow => Self::Allow,
            policy::Effect::Deny => Self::Deny,
        }
    }
}

/// Why a line has no answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    /// Where in the line, as a JSON pointer (RFC 6901); empty for the line as a whole.
    pub at: String,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub remedy: String,
}

impl Refusal {
    pub(super) fn new(at: impl Into<String>, message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { at: at.into(), message: message.into(), remedy: remedy.into() }
    }

    /// What the question itself is refused for.
    pub(super) fn decision(at: &str, error: &DecideError) -> Self {
        let (message, remedy) = match error {
            DecideError::UnknownOperation { operation, remedy } => {
                (format!("no operation `{operation}` is known"), remedy.clone())
            }
            DecideError::BadResource { resource, remedy } => {
                (format!("`{resource}` is no resource name"), remedy.clone())
            }
            DecideError::BadContext { key, reason } => {
                (format!("context key `{key}` has a value that cannot be used"), reason.clone())
            }
        };
        Self::new(at, message, remedy)
    }

    /// The same, in a document that stands at a place.
    pub(super) fn below(&self, at: &str) -> Self {
        Self { at: format!("{at}{}", self.at), ..self.clone() }
    }
}

/// The answer to a line that cannot be understood.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(super) struct Refused {
    /// Why.
    error: LineError,
}

/// A refusal with its line.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(super) struct LineError {
    /// The line of the input, counted from 1.
    line: usize,
    /// Where and why.
    #[serde(flatten)]
    refusal: Refusal,
}
