//! The collector's own document: what a capture would hold if the collection had not been stopped.
//!
//! Its shape is shared by the side that writes it and the side that reads it. Refusals are not here: they stand where the
//! answers would.

use std::collections::{BTreeMap, BTreeSet};

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
    /// Calls that were not made, by their paths.
    pub pending: Vec<String>,
    /// By which the lists that lead to further calls are known again, by their paths: going on asks for them anew, and what
    /// is as it was costs nothing.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, Vec<Tag>>,
    /// By organisation, which repositories the app that asked is installed on: `all`, `selected`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub repository_selection: BTreeMap<String, String>,
}

/// A page of a list, as GitHub marked it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tag {
    /// The path and query of the page.
    pub page: String,
    /// Its ETag.
    pub tag: String,
}

/// What was to be collected. Going on with a capture means this, unless it is told otherwise.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Planned {
    /// The host.
    pub host: String,
    /// The organisations.
    pub organisations: Vec<String>,
    /// The repositories by owner and name; none = all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub repositories: Vec<String>,
    /// The enterprise that they belong to, where it was named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enterprise: Option<String>,
}

impl Manifest {
    /// What was not read.
    pub(crate) fn gaps(&self) -> Vec<Gap> {
        if self.extent.complete {
            return Vec::new();
        }
        let reason = self.extent.unfinished(PROVIDER);
        let gap = |scope: Option<ScopeId>, call: &str, facts: Lost| Gap {
            provider: Some(PROVIDER),
            scope,
            kind: GapKind::Failed,
            call: call.into(),
            reason: reason.as_str().into(),
            facts: vec![facts],
        };
        // One gap for each call of an organisation, however many repositories it is pending for.
        let mut pending = BTreeSet::new();
        for asked in self.pending.iter().filter_map(|path| Asked::parse(path)) {
            pending.insert((scope_of(&self.plan.host, asked.at(0)), asked.route));
        }
        let mut gaps: Vec<Gap> = pending
            .into_iter()
            .filter_map(|(scope, route)| Some(gap(Some(scope), route.call()?.path, route.call()?.lost.clone())))
            .collect();
        // Without a reason the end came unforeseen, and not everything that is pending may be listed.
        if gaps.is_empty() || self.extent.stopped.is_none() {
            gaps.push(gap(None, "evenhand collect github", Lost::everything("everything that was not collected yet")));
        }
        gaps
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_pending_is_a_gap_for_each_call_of_an_organisation() {
        let mut manifest = Manifest {
            extent: Extent { stopped: Some("deadline".to_owned()), ..Extent::default() },
            plan: Planned { host: "github.com".to_owned(), ..Planned::default() },
            pending: vec![
                "/repos/acme/a/keys".to_owned(),
                "/repos/acme/b/keys".to_owned(),
                "/orgs/acme/hooks".to_owned(),
            ],
            ..Manifest::default()
        };
        let said = |manifest: &Manifest| manifest.gaps().iter().map(|gap| gap.call.to_string()).collect::<Vec<_>>();
        assert_eq!(said(&manifest), ["/orgs/{org}/hooks", "/repos/{owner}/{repo}/keys"]);
        manifest.extent.stopped = None;
        assert_eq!(said(&manifest).len(), 3, "not everything may be listed");
        manifest.extent.complete = true;
        assert!(manifest.gaps().is_empty());
    }
}
