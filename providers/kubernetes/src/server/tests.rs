//! What servers say, in whole readings.

use evenhand_model::access::AccessResolver;
use evenhand_model::document::{Document, Format};
use evenhand_model::provider::{Reader, Reading};

use super::Version;
use crate::reader::KubernetesReader;
use crate::tests::{document, options, read_all};

const ROLE: &str = r#"
apiVersion: v1
kind: ServiceAccount
metadata: {name: a, namespace: ops}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: all}
rules:
- {apiGroups: [meters.example.com, "", widgets.example.com], resources: ["*"], verbs: ["*"]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: all}
subjects: [{kind: ServiceAccount, name: a, namespace: ops}]
roleRef: {kind: ClusterRole, name: all, apiGroup: rbac.authorization.k8s.io}
"#;

const METRICS: &str = r#"{"kind":"APIResourceList","apiVersion":"v1","groupVersion":"meters.example.com/v1beta1","resources":[
    {"name":"nodes","namespaced":false,"kind":"NodeMetrics","verbs":["get","list"]},
    {"name":"nodes/history","namespaced":false,"kind":"NodeMetrics","verbs":["get"]}]}"#;

fn version(minor: u32) -> String {
    format!(r#"{{"major":"1","minor":"{minor}","gitVersion":"v1.{minor}.1"}}"#)
}

/// A document with the look at its head that loading takes.
fn said(path: &str, text: &str) -> Document {
    let mut document = document(path, text);
    document.format = Format::Json;
    let value: serde_json::Value = serde_json::from_str(text).expect("JSON");
    for (key, value) in value.as_object().expect("an object") {
        document.head.keys.push(key.clone());
        document.head.values.extend(value.as_str().map(|text| (key.clone(), text.to_owned())));
    }
    document
}

fn names(reading: &Reading) -> Vec<String> {
    let resolver: &dyn AccessResolver = reading.resolver.as_deref().expect("a resolver");
    let access = resolver.access(&"kubernetes:c:serviceaccount:ops/a".into()).expect("access");
    let names = access.operations().iter().map(|one| resolver.catalog().name(one).to_string());
    names.filter(|name| name.contains(".meters") || name.contains(".widgets")).collect()
}

fn versions(documents: Vec<Document>, settings: &[(&str, &str)]) -> Vec<Option<Version>> {
    let mut reader = KubernetesReader::new(options(settings));
    for document in documents {
        reader.read(document).expect("a document");
    }
    let resolver = reader.resolve().1.expect("a resolver");
    resolver.clusters.iter().map(|one| one.policy.version).collect()
}

#[test]
fn stars_are_expanded_over_what_the_server_says_it_serves() {
    let plain = read_all(vec![document("k8s/c/all.yaml", ROLE)], &[]).0;
    assert_eq!(names(&plain).len(), 16, "of unknown groups one resource stands for all, with all verbs");
    let (told, errors) = read_all(vec![said("k8s/c/metrics.json", METRICS), document("k8s/c/all.yaml", ROLE)], &[]);
    assert_eq!(errors, []);
    let held = names(&told);
    assert_eq!(
        held.iter().filter(|name| name.contains(".meters")).collect::<Vec<_>>(),
        ["get nodes.meters.example.com", "list nodes.meters.example.com", "get nodes.meters.example.com/history"]
    );
    assert_eq!(held.len(), 11);
}

#[test]
fn the_version_is_as_configured_or_as_the_server_says() {
    let role = || document("k8s/c/all.yaml", ROLE);
    let of = |minor: u32| vec![Some(Version::new(1, minor))];
    assert_eq!(versions(vec![role()], &[]), [None]);
    let beside = || said("k8s/c/version.json", &version(34));
    assert_eq!(versions(vec![beside(), role()], &[]), of(34));
    assert_eq!(versions(vec![said("version.json", &version(34)), role()], &[]), of(34));
    assert_eq!(versions(vec![beside(), role()], &[("version", "1.36")]), of(36));
    assert_eq!(versions(vec![role()], &[("clusters.c.version", "v1.35.2"), ("version", "1.36")]), of(35));
    let two = || vec![role(), document("k8s/d/all.yaml", ROLE)];
    let mut documents = two();
    documents.push(beside());
    assert_eq!(versions(documents, &[]), [Some(Version::new(1, 34)), None]);
    let mut documents = two();
    documents.push(said("k8s/x/version.json", &version(34)));
    assert_eq!(versions(documents.clone(), &[]), [None, None]);
    let reading = read_all(documents, &[]).0;
    assert!(reading.inventory.hints.iter().any(|hint| hint.message.contains("version of cluster x")));
}

#[test]
fn documents_of_servers_that_are_broken_are_errors() {
    let bad = r#"{"kind":"APIResourceList","groupVersion":"v1","resources":[{"name":"CANARY"}]}"#;
    let (_, errors) = read_all(vec![said("k8s/c/x.json", bad), document("k8s/c/all.yaml", ROLE)], &[]);
    assert_eq!(errors.len(), 1);
    assert!(errors[0].document == "k8s/c/x.json" && !errors[0].to_string().contains("CANARY"));
}

#[test]
fn what_the_collector_says_of_aws_auth_counts_more_than_another_map_beside_it() {
    let maps = r#"{"kind":"ConfigMapList","apiVersion":"v1","items":[
        {"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"other","namespace":"kube-system"}}]}"#;
    for (made, expected) in [
        (r#""objects":0"#, Some(false)),
        (r#""objects":1"#, Some(true)),
        (r#""refused":{"code":"Forbidden","kind":"refused"}"#, None),
    ] {
        let manifest = format!(
            r#"{{"evenhand_capture":1,"provider":"kubernetes","complete":true,"calls":[{{"call":"{}",{made}}}]}}"#,
            super::manifest::AWS_AUTH
        );
        let mut reader = KubernetesReader::new(options(&[]));
        for document in [
            said("k8s/c/manifest.json", &manifest),
            document("k8s/c/maps.json", maps),
            document("k8s/c/all.yaml", ROLE),
        ] {
            reader.read(document).expect("a document");
        }
        let resolver = reader.resolve().1.expect("a resolver");
        assert_eq!(resolver.surroundings[0].aws_auth, expected, "{made}");
    }
}

#[test]
fn a_document_that_does_not_tell_all_is_one_gap_whoever_says_so() {
    let stale = r#"{"kind":"APIGroupDiscoveryList","items":[
        {"metadata":{"name":"canary.example.com"},"versions":[{"version":"v1","freshness":"Stale","resources":[]}]}]}"#;
    let manifest = |document: &str| {
        let manifest = format!(
            r#"{{"evenhand_capture":1,"provider":"kubernetes","complete":true,"plan":{{"secrets":true}},"calls":[
                {{"call":"get /apis","document":"{document}","refused":{{"code":"Stale","kind":"failed"}}}}]}}"#
        );
        said("k8s/c/manifest.json", &manifest)
    };
    let apis = || said("k8s/c/discovery-apis.json", stale);
    let beside = "k8s/c/discovery-apis.json";
    for (documents, expected) in [
        (vec![apis()], vec![beside]),
        (vec![apis(), manifest("discovery-apis.json")], vec!["get /apis"]),
        (vec![manifest("discovery-apis.json"), apis()], vec!["get /apis"]),
        (vec![manifest("discovery-api.json"), apis()], vec!["get /apis", beside]),
    ] {
        let (reading, errors) = read_all(documents, &[]);
        assert_eq!(errors, []);
        let gaps: Vec<&str> = reading.inventory.gaps.iter().map(|gap| &*gap.call).collect();
        assert_eq!(gaps, expected);
        assert!(reading.inventory.gaps.iter().all(|gap| !gap.reason.contains("canary")));
    }
}
