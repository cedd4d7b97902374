//! Which resources a server serves, in which versions: what decides whether and how an optional kind is listed.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::kinds::{EVERY, Kind};

/// How servers are asked for everything at once; older ones answer with the names of groups.
pub(crate) const ACCEPT: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,\
     application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json";

/// A resource that can be listed.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Resource {
    name: String,
    version: String,
}

/// What a server serves.
#[derive(Debug, Default)]
pub(crate) struct Serves {
    /// By group; the first version that has a resource is the one that the server prefers.
    groups: BTreeMap<String, Vec<Resource>>,
    /// Groups of which the server did not know all resources itself when it told them.
    stale: BTreeSet<String>,
    /// Whether the core group, and whether all others, were told.
    core: bool,
    others: bool,
}

/// What an answer to a question for all groups is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Told {
    /// Everything.
    All,
    /// Everything but for some groups, whose own servers did not answer: with these groups and versions.
    Stale(Vec<String>),
    /// Names of groups and versions, by path: each has to be asked.
    Paths(Vec<String>),
    /// Neither.
    Nothing,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    kind: String,
    #[serde(default)]
    items: Vec<Group>,
    /// Of the core group, in the older form.
    #[serde(default)]
    versions: Vec<String>,
    /// Of all others, in the older form.
    #[serde(default)]
    groups: Vec<OldGroup>,
    #[serde(default)]
    group_version: String,
    #[serde(default)]
    resources: Vec<OldResource>,
}

#[derive(Deserialize)]
struct Group {
    #[serde(default)]
    metadata: Named,
    #[serde(default)]
    versions: Vec<Version>,
}

#[derive(Default, Deserialize)]
struct Named {
    #[serde(default)]
    name: String,
}

#[derive(Deserialize)]
struct Version {
    version: String,
    /// `Stale` where the server that has the resources did not answer: they may be old, or missing altogether.
    #[serde(default)]
    freshness: String,
    #[serde(default)]
    resources: Vec<NewResource>,
}

#[derive(Deserialize)]
struct NewResource {
    resource: String,
    #[serde(default)]
    verbs: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OldGroup {
    name: String,
    #[serde(default)]
    versions: Vec<OldVersion>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OldVersion {
    version: String,
}

#[derive(Deserialize)]
struct OldResource {
    name: String,
    #[serde(default)]
    verbs: Vec<String>,
}

/// What a group and version are called whose resources the server could not ask for.
const STALE: &str = "Stale";

/// Whether this can be a part of a path and of a file's name.
fn is_name(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'.');
    !text.is_empty() && text.len() <= 253 && !text.starts_with('.') && text.bytes().all(plain)
}

impl Serves {
    /// Takes what a server said of the core group, or of all others.
    pub(crate) fn take(&mut self, core: bool, text: &[u8]) -> Told {
        let Ok(answer) = serde_json::from_slice::<Answer>(text) else { return Told::Nothing };
        match answer.kind.as_str() {
            "APIGroupDiscoveryList" => {
                // What an older answer said of the same groups is over.
                self.groups.retain(|group, _| group.is_empty() != core);
                self.stale.retain(|group| group.is_empty() != core);
                let mut stale = Vec::new();
                for group in answer.items {
                    for version in group.versions {
                        if version.freshness == STALE {
                            let (name, version) = (&group.metadata.name, &version.version);
                            let plain = is_name(version) && (name.is_empty() || is_name(name));
                            stale.push(if plain { format!("{name}/{version}") } else { "a group".to_owned() });
                            self.stale.insert(group.metadata.name.clone());
                        }
                        for resource in version.resources.iter().filter(|resource| listed(&resource.verbs)) {
                            self.add(&group.metadata.name, &version.version, &resource.resource);
                        }
                    }
                }
                self.told_all(core);
                if stale.is_empty() { Told::All } else { Told::Stale(stale) }
            }
            "APIVersions" if core => {
                let versions = answer.versions.iter().filter(|version| is_name(version));
                Told::Paths(versions.map(|version| format!("/api/{version}")).collect())
            }
            "APIGroupList" if !core => {
                let groups = answer.groups.iter().filter(|group| is_name(&group.name));
                let path = |group: &OldGroup, version: &OldVersion| format!("/apis/{}/{}", group.name, version.version);
                let all = groups.flat_map(|group| {
                    group.versions.iter().filter(|version| is_name(&version.version)).map(move |one| path(group, one))
                });
                Told::Paths(all.collect())
            }
            _ => Told::Nothing,
        }
    }

    /// Takes what a server said of one group and version. False where it said nothing of the kind.
    pub(crate) fn take_list(&mut self, text: &[u8]) -> bool {
        let Ok(answer) = serde_json::from_slice::<Answer>(text) else { return false };
        if answer.kind != "APIResourceList" {
            return false;
        }
        let (group, version) = answer.group_version.split_once('/').unwrap_or(("", &answer.group_version));
        for resource in answer.resources.iter().filter(|resource| listed(&resource.verbs)) {
            self.add(group, version, &resource.name);
        }
        true
    }

    /// Notes that all lists of the core group, or of all others, were taken.
    pub(crate) fn told_all(&mut self, core: bool) {
        *(if core { &mut self.core } else { &mut self.others }) = true;
    }

    fn add(&mut self, group: &str, version: &str, name: &str) {
        if !is_name(name) || !is_name(version) || !(group.is_empty() || is_name(group)) {
            return;
        }
        let held = self.groups.entry(group.to_owned()).or_default();
        if !held.iter().any(|held| held.name == name) {
            held.push(Resource { name: name.to_owned(), version: version.to_owned() });
        }
    }

    /// The resources of a kind, with the versions to ask for. `None` where it is not known whether the server has any: a
    /// version is guessed of what every server has only, as elsewhere its absence says nothing of others.
    pub(crate) fn of(&self, kind: &Kind) -> Option<Vec<(String, String)>> {
        let told = if kind.group.is_empty() { self.core } else { self.others };
        let known = told && !self.stale.contains(kind.group);
        let held = self.groups.get(kind.group).map(Vec::as_slice).unwrap_or_default();
        if kind.resource == EVERY {
            let kept = held.iter().filter(|resource| !kind.except.contains(&resource.name.as_str()));
            let mut all: Vec<_> = kept.map(|resource| (resource.name.clone(), resource.version.clone())).collect();
            all.sort();
            return (known || !all.is_empty()).then_some(all);
        }
        let version = match held.iter().find(|resource| resource.name == kind.resource) {
            Some(resource) => resource.version.as_str(),
            None if kind.builtin => kind.version,
            // Only what the server told whole is absent when it is missing from it.
            None => return known.then(Vec::new),
        };
        Some(vec![(kind.resource.to_owned(), version.to_owned())])
    }
}

fn listed(verbs: &[String]) -> bool {
    verbs.iter().any(|verb| verb == "list")
}

#[cfg(test)]
mod tests {
    use super::super::kinds::KINDS;
    use super::*;

    fn kind(group: &str, resource: &str) -> &'static Kind {
        KINDS.iter().find(|kind| kind.group == group && kind.resource == resource).unwrap()
    }

    fn pairs(of: &[(&str, &str)]) -> Option<Vec<(String, String)>> {
        Some(of.iter().map(|(name, version)| ((*name).to_owned(), (*version).to_owned())).collect())
    }

    const NEW: &str = r#"{"kind":"APIGroupDiscoveryList","items":[
        {"metadata":{"name":"kagent.dev"},"versions":[
            {"version":"v1alpha2","resources":[
                {"resource":"agents","scope":"Namespaced","verbs":["get","list"]},
                {"resource":"../../etc","scope":"Namespaced","verbs":["list"]}]},
            {"version":"v1alpha1","resources":[
                {"resource":"agents","scope":"Namespaced","verbs":["list"]},
                {"resource":"memories","scope":"Namespaced","verbs":["list"]},
                {"resource":"writes","scope":"Namespaced","verbs":["create"]}]}]},
        {"metadata":{"name":"core.k8sgpt.ai"},"versions":[{"version":"v1","resources":[
            {"resource":"results","scope":"Namespaced","verbs":["list"]}]}]},
        {"metadata":{"name":"apps"},"versions":[{"version":"v2","resources":[
            {"resource":"deployments","scope":"Namespaced","verbs":["list"]}]}]}]}"#;

    #[test]
    fn the_preferred_version_is_asked_and_what_is_not_served_is_not() {
        let mut serves = Serves::default();
        assert_eq!(serves.of(kind("kagent.dev", EVERY)), None);
        assert_eq!(serves.of(kind("apps", "deployments")), pairs(&[("deployments", "v1")]));
        assert_eq!(serves.of(kind("gateway.networking.k8s.io", "httproutes")), None, "its version would be a guess");
        assert_eq!(serves.take(false, NEW.as_bytes()), Told::All);
        assert_eq!(serves.of(kind("kagent.dev", EVERY)), pairs(&[("agents", "v1alpha2"), ("memories", "v1alpha1")]));
        assert_eq!(serves.of(kind("core.k8sgpt.ai", EVERY)), pairs(&[]));
        assert_eq!(serves.of(kind("ray.io", EVERY)), pairs(&[]));
        assert_eq!(serves.of(kind("apps", "deployments")), pairs(&[("deployments", "v2")]));
        assert_eq!(serves.of(kind("apps", "statefulsets")), pairs(&[("statefulsets", "v1")]), "every server has it");
        assert_eq!(serves.of(kind("gateway.networking.k8s.io", "httproutes")), pairs(&[]));
        assert_eq!(serves.of(kind("", "pods")), pairs(&[("pods", "v1")]));
    }

    #[test]
    fn older_servers_are_asked_group_by_group() {
        let mut serves = Serves::default();
        let groups = r#"{"kind":"APIGroupList","groups":[
            {"name":"ray.io","versions":[{"groupVersion":"ray.io/v1","version":"v1"}]},
            {"name":"a/b","versions":[{"groupVersion":"x","version":"v1"}]}]}"#;
        assert_eq!(serves.take(false, groups.as_bytes()), Told::Paths(vec!["/apis/ray.io/v1".to_owned()]));
        assert_eq!(
            serves.take(true, br#"{"kind":"APIVersions","versions":["v1"]}"#),
            Told::Paths(vec!["/api/v1".to_owned()])
        );
        assert!(serves.take_list(
            br#"{"kind":"APIResourceList","groupVersion":"ray.io/v1","resources":[
                {"name":"rayclusters","verbs":["list"]},{"name":"rayclusters/status","verbs":["get"]}]}"#
        ));
        assert_eq!(serves.of(kind("ray.io", EVERY)), pairs(&[("rayclusters", "v1")]));
        assert!(!serves.take_list(b"<html>"));
        assert_eq!(serves.take(false, b"<html>"), Told::Nothing);
    }

    #[test]
    fn what_the_server_does_not_know_itself_is_not_absent() {
        let document = |fresh: &str| {
            format!(
                r#"{{"kind":"APIGroupDiscoveryList","items":[
                {{"metadata":{{"name":"kagent.dev"}},"versions":[
                    {{"version":"v1alpha2","freshness":"{fresh}","resources":[]}}]}},
                {{"metadata":{{"name":"ray.io"}},"versions":[
                    {{"version":"v1","freshness":"Current","resources":[{{"resource":"rayjobs","verbs":["list"]}}]}},
                    {{"version":"v1alpha1","freshness":"{fresh}"}}]}},
                {{"metadata":{{"name":"gateway.networking.k8s.io"}},"versions":[
                    {{"version":"v1","freshness":"{fresh}","resources":[]}}]}}]}}"#
            )
        };
        let stale = ["kagent.dev/v1alpha2", "ray.io/v1alpha1", "gateway.networking.k8s.io/v1"].map(str::to_owned);
        let mut serves = Serves::default();
        assert_eq!(serves.take(false, document("Stale").as_bytes()), Told::Stale(stale.to_vec()));
        assert_eq!(serves.of(kind("kagent.dev", EVERY)), None);
        assert_eq!(serves.of(kind("gateway.networking.k8s.io", "httproutes")), None);
        assert_eq!(serves.of(kind("ray.io", EVERY)), pairs(&[("rayjobs", "v1")]), "what it does know is asked for");
        assert_eq!(serves.of(kind("kubeflow.org", EVERY)), pairs(&[]), "of all others it knows all");
        // The next answer counts alone.
        assert_eq!(serves.take(false, document("Current").as_bytes()), Told::All);
        assert_eq!(serves.of(kind("kagent.dev", EVERY)), pairs(&[]));
    }
}
