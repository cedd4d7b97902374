//! Calls of a collection that brought no answer: why, and what to do about it.
//!
//! The same words are written into a capture by the side that collects and read from it by the side that scans.

use serde::{Deserialize, Serialize};

/// Why a call brought no answer. It decides the remedy.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// The credentials may not make it, or the vendor will not carry it out.
    #[default]
    Refused,
    /// The credentials are over, and no new ones could be had.
    Expired,
    /// The endpoint does not know the call.
    Unsupported,
    /// The answer cannot be understood.
    Malformed,
    /// The vendor asked again and again to come back later.
    Throttled,
    /// There is no connection, no answer in time, or a fault of the vendor's.
    Failed,
}

impl Why {
    /// The reason and the remedy in one line, for the collection of a provider.
    pub fn said(self, code: &str, provider: &str) -> String {
        match self {
            Self::Refused => format!("the call was refused: {code}; grant it to the collector's role"),
            Self::Expired => format!(
                "the credentials are over: {code}; sign in again and go on with `evenhand collect {provider} --resume`"
            ),
            Self::Unsupported => format!("the endpoint does not support the call: {code}; use another endpoint"),
            Self::Malformed => format!("the answer could not be understood: {code}; make the call again"),
            Self::Throttled => format!("the call was throttled: {code}; make it again, later"),
            Self::Failed => format!("the call failed: {code}; make it again"),
        }
    }
}

/// A call that brought no answer, as captures keep it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Refusal {
    /// The vendor's code, or the collector's.
    pub code: String,
    /// Which kind of failure it is.
    #[serde(rename = "kind", default)]
    pub why: Why,
}

impl Refusal {
    /// A refusal with its code.
    pub fn new(code: impl Into<String>, why: Why) -> Self {
        Self { code: code.into(), why }
    }
}
