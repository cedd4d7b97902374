//! What comes out. The doc comments are the descriptions in the JSON Schema.

use std::fmt;

use schemars::JsonSchema;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

/// The decisions of one line.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Answer<'a> {
    /// The `id` of the line, as it was written. Absent: it has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<serde_json::Value>", default)]
    pub id: Option<&'a RawValue>,
    /// One for each request, in their order.
    pub decisions: Vec<Decision<'a>>,
    /// What in the objects of the line grants nothing although it seems to: parts of rules that match no request, roles
    /// that are bound and not there, subjects that match nobody. Absent: nothing was found.
    #[serde(skip_serializing_if = "<[Note]>::is_empty")]
    #[schemars(default)]
    pub notes: &'a [Note],
}

/// What happens to a request.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Decision<'a> {
    /// Whether it is allowed. RBAC never denies: what nothing allows is not allowed. `null` with `--from` only: nothing
    /// that was read allows it, and a role that is bound to the caller, or the bindings of a kind, are not in the capture.
    pub allowed: Option<bool>,
    /// Every rule that allows it, by ClusterRoleBindings and then RoleBindings, in their order.
    pub by: Vec<Grant<'a>>,
    /// The caller is in `system:masters`, whom the server lets do everything before it asks RBAC. Absent: it is not.
    #[serde(skip_serializing_if = "is_false")]
    #[schemars(default)]
    pub unlimited: bool,
    /// Why `allowed` is `null`: what was not read and may allow it. Absent: `allowed` is known.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(default)]
    pub unread: Vec<String>,
}

fn is_false(value: &bool) -> bool {
    !value
}

/// A rule that allows a request.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Grant<'a> {
    /// The binding: `ClusterRoleBinding NAME` or `RoleBinding NAMESPACE/NAME`. Where it has no name, its place among the
    /// objects instead, such as `clusterRoleBindings/0`.
    #[schemars(with = "String")]
    pub binding: Named<'a>,
    /// The role that it binds: `ClusterRole NAME` or `Role NAMESPACE/NAME`.
    #[schemars(with = "String")]
    pub role: Named<'a>,
    /// The rule of that role, counted from 0.
    pub rule: u32,
    /// For an aggregated ClusterRole, the ClusterRole that the rule was collected from. Absent: the rule is its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub collected_from: Option<Collected<'a>>,
    /// Where the rule is written, if everything is from the capture: a document, and a place in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
}

/// Where a rule of an aggregated ClusterRole comes from.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Collected<'a> {
    /// `ClusterRole NAME`.
    #[schemars(with = "String")]
    pub role: Named<'a>,
    /// Its rule, counted from 0.
    pub rule: u32,
}

/// Something that grants nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Note {
    /// Its place in the line, as a JSON pointer (RFC 6901).
    pub at: String,
    /// What is wrong with it, and what to do.
    pub message: String,
}

/// An object by kind, namespace and name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Named<'a> {
    /// The kind.
    pub kind: &'static str,
    /// The namespace; empty for objects of the cluster.
    pub namespace: &'a str,
    /// The name; may be empty.
    pub name: &'a str,
    /// The list that it stands in and its place there, for objects without a name.
    pub place: (&'static str, usize),
}

impl fmt::Display for Named<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, namespace, name, place: (list, at) } = self;
        match (namespace.is_empty(), name.is_empty()) {
            (_, true) => write!(f, "{kind} {list}/{at}"),
            (true, false) => write!(f, "{kind} {name}"),
            (false, false) => write!(f, "{kind} {namespace}/{name}"),
        }
    }
}

impl Serialize for Named<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
