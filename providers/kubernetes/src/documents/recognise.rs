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
        // A list that says that it is one stays one, whatever its first element is.
        let typed = is_object(keys)
            || (head.has("apiVersion") && head.value("kind").is_some_and(|kind| kind.ends_with("List")));
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

/// Whether a text that breaks the rules of its syntax is a document of Kubernetes by the names of its keys.
pub(crate) fn is_damaged(document: &Document) -> bool {
    let holds = |word: &str| document.holds_word(word);
    matches!(document.format, Format::Json | Format::Ndjson | Format::Yaml)
        && holds("apiVersion")
        && holds("kind")
        && (holds("metadata") || holds("List"))
        && !is_kubeconfig(&document.head)
        && !LOCAL_GROUPS.iter().any(|group| document.text.contains(group))
}

fn is_object(keys: &[String]) -> bool {
    ["apiVersion", "kind", "metadata"].iter().all(|wanted| keys.iter().any(|key| key == wanted))
}

fn is_kubeconfig(head: &Head) -> bool {
    head.value("kind") == Some("Config") && (head.has("clusters") || head.has("contexts") || head.has("users"))
}

#[cfg(test)]
mod tests {
    use evenhand_model::document::FileFacts;

    use super::*;

    fn head(keys: &[&str], values: &[(&str, &str)], elements: &[(&str, &[&str])]) -> Document {
        let text = |text: &&str| (*text).to_owned();
        Document {
            path: "x".into(),
            relative: "x".into(),
            source_name: "x".into(),
            format: Format::Json,
            text: String::new(),
            head: Head {
                keys: keys.iter().map(text).collect(),
                elements: elements.iter().map(|(key, keys)| (text(key), keys.iter().map(text).collect())).collect(),
                values: values.iter().map(|(key, value)| (text(key), text(value))).collect(),
                ..Head::default()
            },
            file: FileFacts::default(),
        }
    }

    #[test]
    fn a_damaged_document_is_known_by_the_names_of_its_keys() {
        let damaged =
            |text: &str| is_damaged(&Document { text: text.to_owned(), format: Format::Yaml, ..head(&[], &[], &[]) });
        assert!(damaged("kind: List\n\tapiVersion: v1\n"));
        assert!(damaged("{apiVersion\": \"v1\", \"kind\": \"Pod\", \"metadata\": {}}"));
        assert!(!damaged("a: b\n\tkind: List\n"));
        assert!(!damaged("apiVersion: kustomize.config.k8s.io/v1\n\tkind: Kustomization\nmetadata: {}\n"));
    }

    #[test]
    fn documents_are_known_by_their_head_alone() {
        let object = ["apiVersion", "kind", "metadata"];
        for (document, expected) in [
            (head(&object, &[("kind", "Pod"), ("apiVersion", "v1")], &[]), true),
            (head(&["apiVersion", "items"], &[("apiVersion", "v1")], &[("items", &object)]), true),
            (head(&["apiVersion", "items"], &[("apiVersion", "v1")], &[("items", &["metadata"])]), true),
            (head(&["apiVersion", "kind", "items"], &[("kind", "List")], &[]), true),
            (head(&["apiVersion", "kind", "items"], &[("kind", "List")], &[("items", &["kind"])]), true),
            (head(&[], &[], &[("", &object)]), true),
            (head(&["apiVersion", "kind", "clusters", "users"], &[("kind", "Config")], &[]), false),
            (head(&["apiVersion", "name", "version"], &[], &[]), false),
            (head(&["items"], &[], &[("items", &["id", "name"])]), false),
            (
                head(&object, &[("apiVersion", "kustomize.config.k8s.io/v1beta1"), ("kind", "Kustomization")], &[]),
                false,
            ),
        ] {
            assert_eq!(recognise(&document).is_some(), expected, "{:?}", document.head);
        }
    }
}
