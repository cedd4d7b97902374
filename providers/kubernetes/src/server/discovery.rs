//! Discovery documents: which resources a server serves, with which verbs.
//!
//! Two forms: one list for each group and version (`kubectl get --raw /apis/apps/v1`, also in the cache of `kubectl` below
//! `~/.kube/cache/discovery`), and one for all groups (`/api` and `/apis`, asked for as `APIGroupDiscoveryList`).

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;

use crate::catalog::Served;

/// The kinds of discovery documents that list resources.
pub(super) const KINDS: [&str; 3] = ["APIResourceList", "APIGroupDiscoveryList", "APIGroupDiscovery"];

/// One group and version.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ResourceList {
    group_version: String,
    resources: Vec<Resource>,
}

#[derive(Deserialize)]
struct Resource {
    /// `pods`, or `pods/exec`.
    name: String,
    namespaced: bool,
    verbs: Vec<Arc<str>>,
}

/// All groups.
#[derive(Deserialize)]
struct GroupList {
    items: Vec<Group>,
}

#[derive(Deserialize)]
struct Group {
    #[serde(default)]
    metadata: Named,
    #[serde(default)]
    versions: Vec<GroupVersion>,
}

#[derive(Default, Deserialize)]
struct Named {
    /// Absent for the core group.
    #[serde(default)]
    name: Arc<str>,
}

#[derive(Deserialize)]
struct GroupVersion {
    /// `Stale` where the server that has the resources did not answer: they may be old, or missing altogether.
    #[serde(default)]
    freshness: String,
    #[serde(default)]
    resources: Vec<GroupResource>,
}

#[derive(Deserialize)]
struct GroupResource {
    resource: Arc<str>,
    scope: String,
    #[serde(default)]
    verbs: Vec<Arc<str>>,
    #[serde(default)]
    subresources: Vec<GroupSubresource>,
}

#[derive(Deserialize)]
struct GroupSubresource {
    subresource: Arc<str>,
    #[serde(default)]
    verbs: Vec<Arc<str>>,
}

/// Adds the resources of all documents in a text. False where not all of them were known to the server itself; those that
/// were are added all the same. The error says in a few words what is wrong, without quoting.
pub(super) fn take(text: &str, served: &mut BTreeSet<Served>) -> Result<bool, String> {
    let mut stale = 0;
    for document in serde_json::Deserializer::from_str(text).into_iter::<Value>() {
        let document = document.map_err(|error| format!("no JSON at {}:{}", error.line(), error.column()))?;
        let kind = document.get("kind").and_then(Value::as_str).unwrap_or_default().to_owned();
        let broken = |_| format!("no {kind} as servers write it");
        match kind.as_str() {
            "APIResourceList" => list(ResourceList::deserialize(document).map_err(broken)?, served),
            "APIGroupDiscoveryList" => {
                for held in GroupList::deserialize(document).map_err(broken)?.items {
                    stale += group(held, served);
                }
            }
            "APIGroupDiscovery" => stale += group(Group::deserialize(document).map_err(broken)?, served),
            // What lies between them says nothing of resources.
            _ => {}
        }
    }
    Ok(stale == 0)
}

fn list(list: ResourceList, served: &mut BTreeSet<Served>) {
    let group: Arc<str> = Arc::from(list.group_version.split_once('/').map_or("", |(group, _)| group));
    for resource in list.resources {
        let (name, sub) = resource.name.split_once('/').unwrap_or((&resource.name, ""));
        served.insert(Served {
            group: Arc::clone(&group),
            resource: name.into(),
            sub: sub.into(),
            namespaced: resource.namespaced,
            verbs: resource.verbs,
        });
    }
}

/// Adds the resources of a group. Returns how many of its versions are stale.
fn group(group: Group, served: &mut BTreeSet<Served>) -> usize {
    let stale = group.versions.iter().filter(|version| version.freshness == "Stale").count();
    for resource in group.versions.into_iter().flat_map(|version| version.resources) {
        let one = |sub: Arc<str>, verbs: Vec<Arc<str>>| Served {
            group: Arc::clone(&group.metadata.name),
            resource: Arc::clone(&resource.resource),
            sub,
            namespaced: resource.scope == "Namespaced",
            verbs,
        };
        served.insert(one("".into(), resource.verbs.clone()));
        served.extend(resource.subresources.iter().map(|held| one(Arc::clone(&held.subresource), held.verbs.clone())));
    }
    stale
}

#[cfg(test)]
mod tests {
    use super::*;

    fn served(text: &str) -> Vec<String> {
        let mut served = BTreeSet::new();
        take(text, &mut served).expect("discovery documents");
        let word = |one: &Served| {
            let scope = if one.namespaced { "n" } else { "c" };
            format!("{}.{}/{} {scope} {}", one.resource, one.group, one.sub, one.verbs.join(","))
        };
        served.iter().map(word).collect()
    }

    #[test]
    fn both_forms_say_the_same() {
        let lists = r#"{"kind":"APIResourceList","groupVersion":"v1","resources":[
            {"name":"pods","singularName":"","namespaced":true,"kind":"Pod","verbs":["get"]},
            {"name":"pods/exec","namespaced":true,"kind":"PodExecOptions","verbs":["create","get"]}]}
            {"kind":"APIResourceList","apiVersion":"v1","groupVersion":"metrics.k8s.io/v1beta1","resources":[
            {"name":"nodes","namespaced":false,"kind":"NodeMetrics","verbs":["get","list"]}]}"#;
        let groups = r#"{"kind":"APIGroupDiscoveryList","apiVersion":"apidiscovery.k8s.io/v2","metadata":{},"items":[
            {"metadata":{},"versions":[{"version":"v1","freshness":"Current","resources":[
                {"resource":"pods","scope":"Namespaced","verbs":["get"],"subresources":[{"subresource":"exec","verbs":["create","get"]}]}]}]},
            {"metadata":{"name":"metrics.k8s.io"},"versions":[{"version":"v1beta1","resources":[
                {"resource":"nodes","scope":"Cluster","verbs":["get","list"]}]}]}]}"#;
        let expected = ["pods./ n get", "pods./exec n create,get", "nodes.metrics.k8s.io/ c get,list"];
        assert_eq!(served(lists), expected);
        assert_eq!(served(groups), expected);
    }

    #[test]
    fn what_the_server_did_not_know_itself_is_said_and_the_rest_counts() {
        let text = r#"{"kind":"APIGroupDiscoveryList","items":[
            {"metadata":{"name":"canary.example.com"},"versions":[{"version":"v1","freshness":"Stale","resources":[]}]},
            {"metadata":{"name":"ray.io"},"versions":[{"version":"v1","freshness":"Current","resources":[
                {"resource":"rayjobs","scope":"Namespaced","verbs":["list"]}]}]}]}"#;
        let mut held = BTreeSet::new();
        assert_eq!(take(text, &mut held), Ok(false));
        assert_eq!(held.iter().map(|one| &*one.resource).collect::<Vec<_>>(), ["rayjobs"]);
        assert_eq!(take(&text.replace("Stale", "Current"), &mut held), Ok(true));
    }

    #[test]
    fn what_is_broken_is_said_without_a_quote() {
        for text in [
            r#"{"kind":"APIResourceList","groupVersion":"v1","resources":[{"name":"CANARY"}]}"#,
            r#"{"kind":"APIResourceList","#,
        ] {
            let said = take(text, &mut BTreeSet::new()).unwrap_err();
            assert!(!said.contains("CANARY") && !said.is_empty(), "{said}");
        }
    }
}
