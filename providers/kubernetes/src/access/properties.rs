//! What must hold for any cluster: decisions, enumeration and the server's own notion of covering say the same.

use std::sync::Arc;

use evenhand_model::access::{AccessResolver, Outcome, Request};
use evenhand_model::catalog::Catalog;
use evenhand_model::evidence::Truth;
use evenhand_model::id::IdentityId;
use evenhand_model::inventory::Inventory;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::catalog::Operations;
use crate::rbac::properties::rules;
use crate::rbac::{Rule, covers};
use crate::tests::{document, read_all};

const VERBS: [&str; 7] = ["get", "list", "create", "delete", "deletecollection", "impersonate", "*"];
const GROUPS: [&str; 4] = ["", "apps", "core", "*"];
const RESOURCES: [&str; 11] = [
    "pods",
    "pods/exec",
    "pods/*",
    "*/scale",
    "secrets",
    "nodes",
    "namespaces",
    "deployments",
    "deployments/scale",
    "users",
    "*",
];

fn rule() -> impl Strategy<Value = Value> {
    let resources = (
        prop::sample::subsequence(&VERBS[..], 1..4),
        prop::sample::subsequence(&GROUPS[..], 1..3),
        prop::sample::subsequence(&RESOURCES[..], 1..4),
        prop::sample::subsequence(&["x", "a"][..], 0..2),
        prop::bool::weighted(0.7),
    );
    resources.prop_map(|(verbs, groups, resources, names, all)| {
        let names = if all { Vec::new() } else { names };
        json!({ "verbs": verbs, "apiGroups": groups, "resources": resources, "resourceNames": names })
    })
}

fn role() -> impl Strategy<Value = Vec<Value>> {
    let urls = prop::option::of(prop::sample::subsequence(&["/healthz", "/api*", "*"][..], 1..3));
    (prop::collection::vec(rule(), 1..4), urls).prop_map(|(mut rules, urls)| {
        rules.extend(urls.map(|urls| json!({ "verbs": ["get"], "nonResourceURLs": urls })));
        rules
    })
}

const API: &str = "rbac.authorization.k8s.io/v1";

fn binding() -> impl Strategy<Value = Value> {
    let subject = prop::sample::select(vec![
        json!({ "kind": "ServiceAccount", "name": "x", "namespace": "a" }),
        json!({ "kind": "ServiceAccount", "name": "y", "namespace": "b" }),
        json!({ "kind": "User", "name": "ann" }),
        json!({ "kind": "Group", "name": "sre" }),
        json!({ "kind": "Group", "name": "system:serviceaccounts:a" }),
        json!({ "kind": "Group", "name": "system:authenticated" }),
    ]);
    let role =
        prop::sample::select(vec![("ClusterRole", "r0"), ("ClusterRole", "r1"), ("Role", "r0"), ("Role", "lost")]);
    (prop::sample::select(vec!["", "a", "b"]), role, prop::collection::vec(subject, 1..3), any::<u16>()).prop_map(
        |(home, (kind, name), subjects, number)| {
            let own = if home.is_empty() { "ClusterRoleBinding" } else { "RoleBinding" };
            json!({
                "apiVersion": API, "kind": own, "metadata": { "name": format!("b{number}"), "namespace": home },
                "roleRef": { "kind": kind, "name": name }, "subjects": subjects
            })
        },
    )
}

fn cluster(roles: &[Vec<Value>], bindings: &[Value]) -> (Inventory, Box<dyn AccessResolver>) {
    let mut items = vec![
        json!({ "apiVersion": "v1", "kind": "ServiceAccount", "metadata": { "name": "x", "namespace": "a" } }),
        json!({ "apiVersion": "v1", "kind": "ServiceAccount", "metadata": { "name": "y", "namespace": "b" } }),
    ];
    for (at, rules) in roles.iter().enumerate() {
        let mut add = |kind: &str, namespace: &str| {
            let metadata = json!({ "name": format!("r{at}"), "namespace": namespace });
            items.push(json!({ "apiVersion": API, "kind": kind, "metadata": metadata, "rules": rules }));
        };
        add("ClusterRole", "");
        add("Role", "a");
        add("Role", "b");
    }
    items.extend(bindings.iter().cloned());
    let text = json!({ "apiVersion": "v1", "kind": "List", "items": items }).to_string();
    let (reading, errors) = read_all(vec![document("k8s/c/all.json", &text)], &[]);
    assert_eq!(errors, []);
    (reading.inventory, reading.resolver.expect("a resolver"))
}

const ASKED: [&str; 16] = [
    "get pods",
    "list pods",
    "create pods",
    "create pods/exec",
    "get secrets",
    "deletecollection secrets",
    "get deployments.apps",
    "create deployments.apps",
    "get deployments.apps/scale",
    "list nodes",
    "delete nodes",
    "get namespaces",
    "delete namespaces",
    "impersonate users",
    "get /healthz",
    "get /api",
];

/// Namespace and name of requests that exist: creations and deletions of many carry no name.
fn places(operation: &str) -> Vec<Option<(&'static str, &'static str)>> {
    if operation.contains(" /") {
        return vec![None];
    }
    let nameless =
        (operation.starts_with("create ") && !operation.contains('/')) || operation.starts_with("deletecollection ");
    let names: &[&str] = if nameless { &[""] } else { &["", "x", "a"] };
    ["a", "b", "c", ""].iter().flat_map(|home| names.iter().map(move |name| Some((*home, *name)))).collect()
}

fn decide(
    resolver: &dyn AccessResolver,
    id: &IdentityId,
    operation: &str,
    place: Option<(&str, &str)>,
) -> Option<Outcome> {
    let request = Request {
        identity: id.to_string(),
        operation: operation.to_owned(),
        resource: place.map(|(namespace, name)| format!("{namespace}/{name}")),
        context: Default::default(),
    };
    resolver.decide(id, &request).ok().map(|decision| decision.outcome)
}

/// Whether the enumeration says that an operation is held on an object.
fn reaches(resolver: &dyn AccessResolver, id: &IdentityId, operation: &str, place: Option<(&str, &str)>) -> bool {
    let number = resolver.catalog().expand(operation).iter().next().expect("a known operation");
    let access = resolver.access(id).expect("access");
    let (namespace, name) = place.unwrap_or_default();
    // A request for one Namespace carries that namespace.
    let place = match (operation.ends_with(" namespaces"), namespace.is_empty()) {
        (true, true) => [name, name],
        (true, false) => [namespace, namespace],
        _ => [namespace, name],
    };
    access.slices().iter().any(|slice| slice.operations.contains(number) && slice.scope.matches(&place) == Truth::Yes)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn decisions_and_enumeration_agree(
        roles in prop::collection::vec(role(), 2),
        bindings in prop::collection::vec(binding(), 0..5),
    ) {
        let (inventory, resolver) = cluster(&roles, &bindings);
        for identity in &inventory.identities {
            for operation in ASKED {
                for place in places(operation) {
                    let Some(outcome) = decide(&*resolver, &identity.id, operation, place) else { continue };
                    let reached = reaches(&*resolver, &identity.id, operation, place);
                    prop_assert_eq!(outcome == Outcome::Allowed, reached, "{} {} {:?}", identity.id, operation, place);
                }
            }
        }
    }

    #[test]
    fn one_more_binding_takes_no_access_away(
        roles in prop::collection::vec(role(), 2),
        bindings in prop::collection::vec(binding(), 0..4),
        more in binding(),
    ) {
        let (inventory, before) = cluster(&roles, &bindings);
        let all: Vec<Value> = bindings.iter().cloned().chain([more]).collect();
        let (_, after) = cluster(&roles, &all);
        for identity in &inventory.identities {
            for operation in ASKED {
                for place in places(operation) {
                    if decide(&*before, &identity.id, operation, place) == Some(Outcome::Allowed) {
                        let outcome = decide(&*after, &identity.id, operation, place);
                        prop_assert_eq!(outcome, Some(Outcome::Allowed), "{} {} {:?}", identity.id, operation, place);
                        prop_assert!(reaches(&*after, &identity.id, operation, place));
                    }
                }
            }
        }
    }
}

proptest! {
    /// Containment of operations is the server's Covers over what exists: stars are expanded first, then each tuple needs
    /// one rule.
    #[test]
    fn containment_is_covering_what_exists(owner in rules(), servant in rules()) {
        let operations = Operations::new(&[], &std::collections::BTreeSet::new(), owner.iter().chain(&servant));
        for rule in &servant {
            let granted = operations.granted_by(rule).cluster;
            for operation in granted.iter().step_by(5) {
                let name = operations.name(operation);
                let Some(tuple) = tuple(&operations, &name, rule) else { continue };
                let contained = owner.iter().any(|held| {
                    operations.granted_by(held).cluster.contains(operation)
                        && (held.resource_names.is_empty()
                            || (!tuple.resource_names.is_empty()
                                && tuple.resource_names.iter().all(|name| held.resource_names.contains(name))))
                });
                prop_assert_eq!(covers(&owner, std::slice::from_ref(&tuple)).is_empty(), contained, "{:?}", tuple);
            }
        }
    }
}

/// An operation as the rule that grants it alone, limited like the rule that it comes from. `None` for what stands for
/// resources that nobody knows.
fn tuple(operations: &Operations, name: &str, from: &Rule) -> Option<Rule> {
    let (verb, what) = name.split_once(' ')?;
    let verbs = vec![Arc::from(verb)];
    if what.starts_with('/') || what == "*" {
        return Some(Rule { verbs, non_resource_urls: vec![what.into()], ..Rule::default() });
    }
    let (whole, sub) = what.split_once('/').unwrap_or((what, ""));
    let (resource, group) = whole.split_once('.').unwrap_or((whole, ""));
    operations.entry(group, resource, sub)?;
    if resource == "*" || group == "*" {
        return None;
    }
    let resource = if sub.is_empty() { resource.to_owned() } else { format!("{resource}/{sub}") };
    Some(Rule {
        verbs,
        api_groups: vec![group.into()],
        resources: vec![resource.into()],
        resource_names: from.resource_names.clone(),
        ..Rule::default()
    })
}
