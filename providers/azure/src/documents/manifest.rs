//! The collector's own document: what a capture would hold if the collection had not been stopped.
//!
//! Its shape is shared by the side that writes it and the side that reads it. Refusals are not here: they stand where the
//! answers would.

use std::collections::BTreeSet;

use evenhand_model::capture::Extent;
use evenhand_model::gap::{Gap, GapKind, Lost};
use evenhand_model::id::ScopeId;
use serde::{Deserialize, Serialize};

use super::route::Asked;
use crate::PROVIDER;
use crate::inventory::scope_of;

/// The document `manifest.json` of a capture.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Manifest {
    /// How far it came.
    #[serde(flatten)]
    pub extent: Extent,
    /// What was to be collected.
    pub plan: Planned,
    /// Calls that were not made, by host and path: `graph.microsoft.com/v1.0/users`.
    pub pending: Vec<String>,
}

/// What was to be collected. Going on with a capture means this, unless it is told otherwise.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Planned {
    /// The tenant's id.
    pub tenant: String,
    /// The subscriptions; none = all that can be seen.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub subscriptions: Vec<String>,
}

impl Manifest {
    /// What was not read.
    pub(crate) fn gaps(&self) -> Vec<Gap> {
        if self.extent.complete {
            return Vec::new();
        }
        let reason = self.extent.unfinished(PROVIDER);
        let scope: Option<ScopeId> = (!self.plan.tenant.is_empty()).then(|| scope_of(&self.plan.tenant));
        let gap = |call: &str, facts: Lost| Gap {
            provider: Some(PROVIDER),
            scope: scope.clone(),
            kind: GapKind::Failed,
            call: call.into(),
            reason: reason.as_str().into(),
            facts: vec![facts],
        };
        // One gap for each kind of call, however many objects it is pending for.
        let pending: BTreeSet<_> =
            self.pending.iter().filter_map(|path| Asked::parse(path)).map(|asked| asked.route).collect();
        let mut gaps: Vec<Gap> =
            pending.into_iter().map(|route| gap(route.call().path, route.call().lost.clone())).collect();
        // Without a reason the end came unforeseen, and not everything that is pending may be listed.
        if gaps.is_empty() || self.extent.stopped.is_none() {
            gaps.push(gap("evenhand collect azure", Lost::everything("everything that was not collected yet")));
        }
        gaps
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_pending_is_a_gap_for_each_call() {
        let mut manifest = Manifest {
            extent: Extent { stopped: Some("deadline".to_owned()), ..Extent::default() },
            pending: vec![
                "graph.microsoft.com/v1.0/servicePrincipals/1/owners".to_owned(),
                "graph.microsoft.com/v1.0/applications/2/owners".to_owned(),
                "management.azure.com/subscriptions/s/providers/Microsoft.Authorization/roleAssignments".to_owned(),
            ],
            ..Manifest::default()
        };
        assert_eq!(manifest.gaps().len(), 2);
        manifest.extent.stopped = None;
        assert_eq!(manifest.gaps().len(), 3, "not everything may be listed");
        manifest.extent.complete = true;
        assert!(manifest.gaps().is_empty());
    }
}
