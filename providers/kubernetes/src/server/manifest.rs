//! The collector's own document: what a cluster's part of a capture holds, and what it would hold if everything had been
//! answered.
//!
//! Its shape is shared by the side that writes it and the side that reads it.

use std::collections::BTreeSet;
use std::sync::Arc;

use evenhand_model::capture::Extent;
use evenhand_model::evidence::Evidence;
use evenhand_model::gap::{Gap, GapKind, Lost};
use evenhand_model::id::ScopeId;
use evenhand_model::inventory::Hint;
use evenhand_model::refusal::Refusal;
use serde::{Deserialize, Serialize};

use crate::inventory::{PROVIDER, about};

/// The call that tells whether a cluster maps identities of AWS.
pub(crate) const AWS_AUTH: &str = "get configmaps kube-system/aws-auth";

/// The call that lists Secrets.
pub(crate) const SECRETS: &str = "list secrets";

/// The document `manifest.json` of a cluster's folder.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Manifest {
    /// How far it came.
    #[serde(flatten)]
    pub(crate) extent: Extent,
    /// Why the cluster could not be asked at all, or not any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) unreachable: Option<Refusal>,
    /// What was to be collected.
    pub(crate) plan: Planned,
    /// What is worth knowing of the way to the cluster.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) notes: Vec<String>,
    /// Calls that were made.
    pub(crate) calls: Vec<Made>,
    /// Calls that were not.
    pub(crate) pending: Vec<Call>,
}

/// What was to be collected. Going on with a capture means this, unless it is told otherwise.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Planned {
    /// The context of the kubeconfig; none = the cluster that the collector runs in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) context: Option<String>,
    /// The address of the API server.
    pub(crate) server: String,
    /// Whether the metadata of Secrets are listed.
    pub(crate) secrets: bool,
}

/// A call to the API server.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Call {
    /// Verb and resource as roles name them: `list deployments.apps`, `get /version`.
    pub(crate) call: String,
    /// The kind of the objects, where it is known before.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) kind: String,
    /// The facts that are unknown without it.
    pub(crate) facts: String,
}

/// A call that was made.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Made {
    /// Which one.
    #[serde(flatten)]
    pub(crate) call: Call,
    /// The document beside the manifest; none where the server does not know the resource, or did not answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) document: Option<String>,
    /// Objects in it.
    pub(crate) objects: u64,
    /// How it was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) refused: Option<Refusal>,
}

impl Manifest {
    /// Reads a manifest; `None` where it is none.
    pub(crate) fn of_text(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    /// The kinds that were to be listed and were not: that they are missing is said by [`Manifest::gaps`].
    pub(super) fn missing_kinds(&self) -> BTreeSet<Box<str>> {
        let refused = self.calls.iter().filter(|made| made.refused.is_some()).map(|made| &made.call);
        let missing = refused.chain(&self.pending).map(|call| Box::from(call.kind.as_str()));
        missing.chain((!self.plan.secrets).then(|| Box::from("Secret"))).collect()
    }

    /// Whether it says itself that a document beside it does not tell all.
    pub(super) fn owns_up_to(&self, document: &str) -> bool {
        self.calls.iter().any(|made| made.refused.is_some() && made.document.as_deref() == Some(document))
    }

    /// Whether the cluster maps identities of AWS; `None` where that was not read.
    pub(super) fn maps_aws(&self) -> Option<bool> {
        let made = self.calls.iter().find(|made| made.call.call == AWS_AUTH && made.refused.is_none())?;
        Some(made.objects > 0)
    }

    /// What was not read of a cluster.
    pub(super) fn gaps(&self, cluster: &str) -> Vec<Gap> {
        let gap = |kind: GapKind, call: &str, reason: String, facts: Lost| Gap {
            provider: Some(PROVIDER),
            scope: Some(ScopeId::new(format!("kubernetes:{cluster}"))),
            kind,
            call: call.into(),
            reason: reason.into(),
            facts: vec![facts],
        };
        let lost = |call: &Call| Lost { words: call.facts.clone().into(), about: about(&call.kind) };
        const ALL: &str = "evenhand collect kubernetes";
        let all = || Lost::everything("everything that was not collected yet");
        let mut gaps = Vec::new();
        for made in &self.calls {
            if let Some(refusal) = &made.refused {
                let reason = refusal.why.said(&refusal.code, PROVIDER.0);
                gaps.push(gap(GapKind::Failed, &made.call.call, reason, lost(&made.call)));
            }
        }
        if !self.plan.secrets {
            let reason = "Secrets are listed with `--secrets` only, and then their metadata alone".to_owned();
            gaps.push(gap(GapKind::NotCollected, SECRETS, reason, Lost::of("tokens without expiry", about("Secret"))));
        }
        let reason = self.extent.unfinished(PROVIDER);
        match &self.unreachable {
            Some(refusal) => {
                let reason = refusal.why.said(&refusal.code, PROVIDER.0);
                gaps.push(gap(GapKind::Failed, ALL, reason, all()));
            }
            None if self.extent.complete => {}
            None => {
                for call in &self.pending {
                    gaps.push(gap(GapKind::Failed, &call.call, reason.clone(), lost(call)));
                }
                // Without a reason the end came unforeseen, and not everything that is pending may be listed.
                if self.pending.is_empty() || self.extent.stopped.is_none() {
                    gaps.push(gap(GapKind::Failed, ALL, reason, all()));
                }
            }
        }
        gaps
    }

    /// What is worth knowing of the way to the cluster.
    pub(super) fn hints(&self, document: &Arc<str>) -> Vec<Hint> {
        let hint =
            |note: &String| Hint { evidence: Evidence::whole(Arc::clone(document)), message: note.as_str().into() };
        self.notes.iter().map(hint).collect()
    }
}

#[cfg(test)]
mod tests {
    use evenhand_model::refusal::Why;

    use super::*;

    fn call(call: &str, kind: &str) -> Call {
        Call { call: call.to_owned(), kind: kind.to_owned(), facts: format!("facts of {call}") }
    }

    #[test]
    fn what_was_refused_and_what_is_pending_is_a_gap_and_what_is_absent_is_none() {
        let mut manifest = Manifest {
            extent: Extent {
                evenhand_capture: Extent::VERSION,
                provider: "kubernetes".to_owned(),
                complete: false,
                stopped: Some("deadline".to_owned()),
            },
            plan: Planned { secrets: true, ..Planned::default() },
            calls: vec![
                Made {
                    call: call("list nodes", "Node"),
                    refused: Some(Refusal::new("Forbidden", Why::Refused)),
                    ..Made::default()
                },
                Made { call: call(AWS_AUTH, "ConfigMap"), ..Made::default() },
            ],
            pending: vec![call("list pods", "Pod")],
            ..Manifest::default()
        };
        let said = |manifest: &Manifest| -> Vec<(String, GapKind)> {
            manifest.gaps("c").iter().map(|gap| (gap.call.to_string(), gap.kind)).collect()
        };
        let failed = |name: &str| (name.to_owned(), GapKind::Failed);
        assert_eq!(said(&manifest), [failed("list nodes"), failed("list pods")]);
        let reason = &manifest.gaps("c")[1].reason;
        assert!(reason.contains("ran out of time") && reason.contains("--resume"), "{reason}");
        assert_eq!(manifest.maps_aws(), Some(false));
        assert_eq!(manifest.missing_kinds(), ["Node".into(), "Pod".into()].into());

        manifest.unreachable = Some(Refusal::new("Unauthorized", Why::Expired));
        assert_eq!(said(&manifest), [failed("list nodes"), failed("evenhand collect kubernetes")]);
        (manifest.unreachable, manifest.extent.complete, manifest.plan.secrets) = (None, true, false);
        manifest.calls.clear();
        assert_eq!(said(&manifest), [(SECRETS.to_owned(), GapKind::NotCollected)]);
        assert_eq!(manifest.maps_aws(), None, "nobody asked");
        assert_eq!(Manifest::of_text(&serde_json::to_string(&manifest).unwrap()), Some(manifest));
    }
}
