//! How far the collection of a capture came: what the manifests of all providers begin with.
//!
//! The side that collects writes it, and the side that scans reads it.

use serde::{Deserialize, Serialize};

use crate::id::ProviderName;

/// How much of what was to be collected a capture holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Extent {
    /// The version of the manifest's shape: 1.
    pub evenhand_capture: u32,
    /// Whose capture it is.
    pub provider: String,
    /// Whether every call was made, whatever came of it.
    pub complete: bool,
    /// Why it ended early: `interrupted`, `deadline`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stopped: Option<String>,
}

impl Extent {
    /// The version of the manifest's shape that is written.
    pub const VERSION: u32 = 1;

    /// Why what is pending is missing, and how to go on.
    pub fn unfinished(&self, provider: ProviderName) -> String {
        let why = match self.stopped.as_deref() {
            Some("deadline") => "ran out of time",
            _ => "was stopped",
        };
        format!("the collection {why}; go on with `evenhand collect {provider} --resume`")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_unfinished_says_why_and_how_to_go_on() {
        for (stopped, why) in
            [(Some("deadline"), "ran out of time"), (Some("interrupted"), "was stopped"), (None, "was stopped")]
        {
            let stopped = stopped.map(str::to_owned);
            let said = Extent { stopped, ..Extent::default() }.unfinished(ProviderName("aws"));
            assert_eq!(said, format!("the collection {why}; go on with `evenhand collect aws --resume`"));
        }
    }
}
