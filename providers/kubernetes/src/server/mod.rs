//! What is said beside the objects: by a server its version and the resources that it serves, by the collector what it
//! could not read.
//!
//! What such documents say holds for the whole reading, so [`Told`] gives it to the resolver at the end.

mod discovery;
pub(crate) mod manifest;
#[cfg(test)]
mod tests;
mod version;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use evenhand_model::document::{Document, Format, ReadError};
use evenhand_model::evidence::Evidence;
use evenhand_model::gap::{Gap, GapKind, Lost, Subject};
use evenhand_model::id::ScopeId;
use evenhand_model::inventory::Hint;
use evenhand_model::provider::Settings;

use crate::access::Resolver;
use crate::capture::Cluster;
use crate::catalog::Served;
use crate::documents::cluster_of;
use crate::inventory::PROVIDER;

use manifest::Manifest;
pub(crate) use version::Version;

const DISCOVERY: &str = "Kubernetes discovery";
const VERSION: &str = "Kubernetes version";
const MANIFEST: &str = "evenhand collect kubernetes";

/// What a document of a server is, if it is one.
pub(crate) fn recognise(document: &Document) -> Option<&'static str> {
    let head = &document.head;
    if !matches!(document.format, Format::Json | Format::Ndjson) {
        return None;
    }
    if head.has("evenhand_capture") && head.value("provider") == Some(PROVIDER.0) {
        return Some(MANIFEST);
    }
    if head.value("kind").is_some_and(|kind| discovery::KINDS.contains(&kind)) {
        return Some(DISCOVERY);
    }
    let raw = head.has("gitVersion") && head.has("major") && head.has("minor");
    let both = head.has("serverVersion") && head.has("clientVersion");
    (raw || both).then_some(VERSION)
}

/// The version of a server, and where it stands.
#[derive(Debug)]
struct Said {
    version: Version,
    document: Arc<str>,
}

/// What is missing where a server did not know its own resources.
fn stale((cluster, path): &(Arc<str>, Arc<str>)) -> Gap {
    Gap {
        provider: Some(PROVIDER),
        scope: Some(ScopeId::new(format!("kubernetes:{cluster}"))),
        kind: GapKind::Failed,
        call: Arc::clone(path),
        reason: "some groups in it are stale, so it does not tell all resources; `kubectl get apiservices` says which \
                 server does not answer"
            .into(),
        facts: vec![Lost::of("what stars in roles cover in these groups", &[Subject::Access, Subject::Escalation])],
    }
}

/// What servers said, and what is configured of them.
#[derive(Debug, Default)]
pub(crate) struct Told {
    settings: Settings,
    /// By cluster.
    versions: BTreeMap<Arc<str>, Said>,
    served: BTreeSet<Served>,
    /// Documents that do not tell all resources, with their clusters.
    stale: Vec<(Arc<str>, Arc<str>)>,
    /// By cluster, with the document.
    manifests: BTreeMap<Arc<str>, (Manifest, Arc<str>)>,
}

impl Told {
    pub(crate) fn new(settings: Settings) -> Self {
        Self { settings, ..Self::default() }
    }

    /// Takes a document that [`recognise`] knows.
    pub(crate) fn take(&mut self, document: &Document, kind: &str) -> Result<(), ReadError> {
        let named = self.settings.get("cluster").filter(|name| !name.is_empty());
        let cluster = || named.map_or_else(|| cluster_of(document), |name| Arc::from(name.as_str()));
        let path = Arc::clone(&document.path);
        let understood = match kind {
            VERSION => {
                let version = version::of_text(&document.text);
                version.ok_or_else(|| "no version of a server is in it".to_owned()).map(|version| {
                    self.versions.insert(cluster(), Said { version, document: path });
                })
            }
            MANIFEST => {
                let manifest = Manifest::of_text(&document.text);
                manifest.ok_or_else(|| "no manifest of a capture is in it".to_owned()).map(|manifest| {
                    self.manifests.insert(cluster(), (manifest, path));
                })
            }
            _ => discovery::take(&document.text, &mut self.served).map(|whole| {
                if !whole {
                    self.stale.push((cluster(), path));
                }
            }),
        };
        understood.map_err(|reason| ReadError {
            document: document.path.to_string(),
            reason,
            remedy: "export it again with `kubectl get --raw`, or collect it anew".to_owned(),
        })
    }

    /// What the collector could not read, and what it says of its way.
    pub(crate) fn collected(&self) -> (Vec<Gap>, Vec<Hint>) {
        let all = || self.manifests.iter();
        let mut gaps: Vec<Gap> = all().flat_map(|(cluster, (manifest, _))| manifest.gaps(cluster)).collect();
        gaps.extend(self.stale.iter().filter(|(cluster, path)| !self.is_said(cluster, path)).map(stale));
        (gaps, all().flat_map(|(_, (manifest, document))| manifest.hints(document)).collect())
    }

    /// Whether a collector says of a document that it does not tell all.
    fn is_said(&self, cluster: &str, path: &str) -> bool {
        let name = path.rsplit('/').next().unwrap_or(path);
        self.manifests.get(cluster).is_some_and(|(manifest, _)| manifest.owns_up_to(name))
    }

    /// Tells a cluster's capture what its collector knows of it.
    pub(crate) fn inform(&self, name: &str, cluster: &mut Cluster) {
        let Some((manifest, _)) = self.manifests.get(name) else { return };
        cluster.missing = manifest.missing_kinds();
        // Another ConfigMap that was read says nothing of this one.
        if cluster.aws_auth != Some(true) {
            cluster.aws_auth = manifest.maps_aws();
        }
    }

    /// The resources that servers say they serve.
    pub(crate) fn served(&self) -> &BTreeSet<Served> {
        &self.served
    }

    /// Tells a resolver which versions its servers have. Returns what concerns no cluster of it.
    pub(crate) fn teach(self, resolver: &mut Resolver) -> Vec<Hint> {
        let only = resolver.clusters.len() == 1;
        for cluster in &mut resolver.clusters {
            cluster.policy.version = self.version(&cluster.policy.name, only);
        }
        let known = |name: &Arc<str>| only || resolver.clusters.iter().any(|cluster| cluster.policy.name == *name);
        let strange = self.versions.iter().filter(|(name, _)| !known(name));
        let hint = |(name, said): (&Arc<str>, &Said)| {
            Hint {
            evidence: Evidence::whole(Arc::clone(&said.document)),
            message: format!(
                "this is the version of cluster {name}, of which nothing else was read: put it beside the cluster's objects, or set `clusters.<name>.version`"
            )
            .into(),
        }
        };
        strange.map(hint).collect()
    }

    /// The version of a cluster's server: as configured, else as the server said. Of one cluster and one version, wherever
    /// the two files lie, it is said of the one.
    fn version(&self, cluster: &str, only: bool) -> Option<Version> {
        let configured = |key: &str| self.settings.get(key).and_then(|text| Version::parse(text));
        let said = self.versions.get(cluster).or_else(|| match (only, self.versions.len()) {
            (true, 1) => self.versions.values().next(),
            _ => None,
        });
        configured(&format!("clusters.{cluster}.version"))
            .or_else(|| configured("version"))
            .or_else(|| said.map(|said| said.version))
    }
}
