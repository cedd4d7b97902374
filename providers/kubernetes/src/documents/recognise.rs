//! Telling Kubernetes documents from others by their head.

use evenhand_model::document::{Document, Format, Head};

/// API groups whose objects configure programs on a machine and never stand in a cluster.
const LOCAL_GROUPS: &[&str] = &["kustomize.config.k8s.io", "kubeadm.k8s.io", "kubelet.config.k8s.io", "kind.x-k8s.io"];

/// What a document is, if it is one of Kubernetes.
pub(crate) fn recognise(document: &Document) -> Option<&'static str> {
    if !matches!(document.format, Format::Json | Format::Ndjson | Format::Yaml) {
        return None;
    }
    let head = &document.head;
    if let Some(keys) = head.element("") {
        return is_object(keys).then_some("Kubernetes objects");
    }
    if let Some(keys) = head.element("items") {
        let typed = is_object(keys);
        let listed = keys.iter().any(|key| key == "metadata")
            && head.value("kind").is_none_or(|kind| kind.ends_with("List"))
            && head.has("apiVersion");
        return (typed || listed).then_some("Kubernetes list");
    }
    if !head.has("apiVersion") || !head.has("kind") {
        return None;
    }
    let group = head.value("apiVersion").and_then(|version| version.rsplit_once('/')).map_or("", |(group, _)| group);
    if LOCAL_GROUPS.contains(&group) || is_kubeconfig(head) {
        return None;
    }
    let list = head.value("kind").is_some_and(|kind| kind.ends_with("List"));
    // An empty list is a list; anything else has a name.
    match (list || head.has("items"), document.format) {
        (true, _) => Some("Kubernetes list"),
        (false, Format::Yaml) if head.has("metadata") => Some("Kubernetes manifest"),
        (false, _) if head.has("metadata") => Some("Kubernetes objects"),
        _ => None,
    }
}

fn is_object(keys: &[String]) -> bool {
    ["apiVersion", "kind", "metadata"].iter().all(|wanted| keys.iter().any(|key| key == wanted))
}

fn is_kubeconfig(head: &Head) -> bool {
    head.value("kind") == Some("Config") && (head.has("clusters") || head.has("contexts") || head.has("users"))
}
