use std::collections::BTreeSet;

use super::*;

fn rule(value: serde_json::Value) -> Rule {
    serde_json::from_value(value).expect("a rule")
}

fn names(operations: &Operations, set: &OpSet) -> Vec<String> {
    set.iter().map(|operation| operations.name(operation).to_string()).collect()
}

#[test]
fn a_star_over_subresources_of_one_resource_grants_nothing() {
    let dead = rule(serde_json::json!({"verbs": ["*"], "apiGroups": ["", "core"], "resources": ["pods/*"]}));
    let operations = Operations::new(&[], &BTreeSet::new(), std::iter::once(&dead));
    let granting = operations.granted_by(&dead);
    assert!(granting.cluster.is_empty());
    assert_eq!(granting.dead, [Arc::from("core"), Arc::from("pods/*")]);
}

#[test]
fn a_rule_with_names_refuses_requests_without_one() {
    let named = rule(serde_json::json!({
        "verbs": ["create", "get", "list", "deletecollection"], "apiGroups": [""],
        "resources": ["secrets", "serviceaccounts/token"], "resourceNames": ["a"]
    }));
    let operations = Operations::new(&[], &BTreeSet::new(), std::iter::once(&named));
    assert_eq!(
        names(&operations, &operations.granted_by(&named).namespaced),
        ["get secrets", "list secrets", "create serviceaccounts/token"]
    );
}

#[test]
fn bound_in_a_namespace_a_rule_reaches_no_cluster_resource_but_the_namespace() {
    let all = rule(serde_json::json!({"verbs": ["*"], "apiGroups": [""], "resources": ["nodes", "namespaces"]}));
    let operations = Operations::new(&[], &BTreeSet::new(), std::iter::once(&all));
    assert_eq!(
        names(&operations, &operations.granted_by(&all).namespaced),
        ["get namespaces", "patch namespaces", "update namespaces", "delete namespaces"]
    );
}

#[test]
fn patterns_are_written_as_kubectl_writes_them() {
    let operations = Operations::new(&[], &BTreeSet::new(), std::iter::empty());
    assert_eq!(names(&operations, &operations.expand("get pods")), ["get pods"]);
    assert_eq!(names(&operations, &operations.expand("get deployments")), ["get deployments.apps"]);
    assert_eq!(names(&operations, &operations.expand("create deployments.apps")), ["create deployments.apps"]);
    assert_eq!(operations.expand("* secrets").len(), 8);
    assert_eq!(names(&operations, &operations.expand("update deployments/scale")), ["update deployments.apps/scale"]);
    assert_eq!(names(&operations, &operations.expand("GET /healthz")), ["get /healthz"]);
    assert_eq!(operations.expand("* *"), *operations.resources());
    assert_eq!(names(&operations, &operations.expand("get configmap")), ["get configmaps"]);
    assert_eq!(names(&operations, &operations.expand("get deploy/scale")), ["get deployments.apps/scale"]);
    assert_eq!(names(&operations, &operations.expand("create deployment.apps")), ["create deployments.apps"]);
    assert!(operations.expand("get nothings").is_empty());
}

#[test]
fn every_group_is_summarised_as_one() {
    let operations = Operations::new(&[], &BTreeSet::new(), std::iter::empty());
    let apps = operations.expand("* *.apps");
    let both = apps.union(&operations.expand("get pods"));
    let summary = operations.summarise(&both);
    assert_eq!(summary.iter().map(|(name, _)| &**name).collect::<Vec<_>>(), ["get pods", "* *.apps"]);
    assert_eq!(operations.weight_of(&both), both.iter().map(|one| u64::from(operations.weight(one))).sum::<u64>());
}

#[test]
fn a_star_over_an_unknown_group_is_still_something() {
    let open = rule(serde_json::json!({"verbs": ["*"], "apiGroups": ["example.com"], "resources": ["*"]}));
    let operations = Operations::new(&[], &BTreeSet::new(), std::iter::once(&open));
    assert_eq!(operations.granted_by(&open).cluster.len(), 8);
}
