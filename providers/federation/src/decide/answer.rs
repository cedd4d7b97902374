//! What comes out. The doc comments are the descriptions in the JSON Schema.

use schemars::JsonSchema;
use serde::Serialize;

use crate::grade::Grade;

/// Whether the token is admitted, and how tightly the condition holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Answer {
    /// The name that the line has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Whether the token is admitted; `null` where `open` decides.
    #[serde(rename = "match")]
    pub matched: Option<bool>,
    /// How tightly the condition holds, whatever token is asked about: `safe` admits the workload that it names and no
    /// other; `weak` admits more of its contexts, rests on a name that may change hands, or admits nobody; `unsafe` admits
    /// workloads of others, or changes that nobody has reviewed; `null` where a part that is not understood decides, which
    /// `notes` cite. A whole name of GitHub alone is told as `name-based` and stays `safe`.
    pub grade: Option<Grade>,
    /// The pattern that decides the grade; `null` where nothing is weak.
    pub pattern: Option<&'static str>,
    /// What that pattern means; empty where nothing is weak.
    pub reason: &'static str,
    /// Everything that was recognised, weak or not, sorted; in the names of the public vectors where these have one.
    pub patterns: Vec<&'static str>,
    /// The claims and context keys that decide and of which nothing is known, sorted.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub open: Vec<String>,
    /// What else there is to know of the condition.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<Note>,
}

/// Something to know of a condition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Note {
    /// Its place in the line, as a JSON pointer (RFC 6901).
    pub at: String,
    /// What it is.
    pub message: String,
}
