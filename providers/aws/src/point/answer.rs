//! What comes out: an answer, or why a line has none. The doc comments are the descriptions in the JSON Schema.

use std::borrow::Cow;
use std::sync::Arc;

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
