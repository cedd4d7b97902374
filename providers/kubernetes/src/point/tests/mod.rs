//! Lines in, decisions or refusals out.

mod conformance;
mod within;

use evenhand_model::decide::{Decides, Refusal};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::Decider;

fn answer(decider: &dyn Decides, line: &Value) -> Result<Value, Refusal> {
    let reply = decider.reply(&line.to_string())?;
    Ok(serde_json::from_slice(&reply).expect("an answer is JSON"))
}

fn alone(line: &Value) -> Result<Value, Refusal> {
    let decider = Decider::default();
    let first = answer(&decider, line);
    assert_eq!(answer(&decider, line), first, "known objects decide alike");
    first
}

fn role(name: &str, namespace: Option<&str>, rules: Value) -> Value {
    let mut role = json!({ "metadata": { "name": name }, "rules": rules });
    if let Some(namespace) = namespace {
        role["metadata"]["namespace"] = namespace.into();
    }
    role
}

fn binding(name: &str, namespace: Option<&str>, kind: &str, role: &str, subject: Value) -> Value {
    let mut binding = json!({
        "metadata": { "name": name }, "roleRef": { "kind": kind, "name": role }, "subjects": [subject]
    });
    if let Some(namespace) = namespace {
        binding["metadata"]["namespace"] = namespace.into();
    }
    binding
}

fn rule(verbs: &[&str], groups: &[&str], resources: &[&str]) -> Value {
    json!({ "verbs": verbs, "apiGroups": groups, "resources": resources })
}

fn asked(user: &str, verb: &str, resource: &str, namespace: &str) -> Value {
    json!({ "user": user, "verb": verb, "resource": resource, "namespace": namespace })
}

const BOT: &str = "system:serviceaccount:ops:bot";

fn bot() -> Value {
    json!({ "kind": "ServiceAccount", "name": "bot", "namespace": "ops" })
}

#[test]
fn the_id_of_a_line_stands_in_its_answer_as_it_was_written() {
    for id in [json!("case 1"), json!(17), json!({ "suite": "a" })] {
        let line = json!({ "id": id, "requests": [asked("ann", "get", "pods", "ops")] });
        assert_eq!(alone(&line).unwrap()["id"], id);
    }
    let line = json!({ "requests": [asked("ann", "get", "pods", "ops")] });
    assert_eq!(alone(&line).unwrap().get("id"), None);
    for member in ["name", "expected"] {
        let mut line = line.clone();
        line[member] = "x".into();
        assert!(alone(&line).is_err(), "{member} means nothing here");
    }
}

#[test]
fn every_rule_that_allows_is_named_in_order() {
    let world = json!({
        "roles": [role("reader", Some("ops"), json!([rule(&["list"], &["apps"], &["*"]), rule(&["get"], &[""], &["pods"])]))],
        "clusterRoles": [role("all", None, json!([rule(&["*"], &["*"], &["*"])]))],
        "roleBindings": [
            binding("own", Some("ops"), "Role", "reader", json!({ "kind": "ServiceAccount", "name": "bot" })),
            binding("far", Some("dev"), "ClusterRole", "all", bot()),
        ],
        "clusterRoleBindings": [binding("root", None, "ClusterRole", "all", json!({ "kind": "Group", "name": "system:serviceaccounts:ops" }))],
        "requests": [asked(BOT, "get", "pods", "ops"), asked(BOT, "get", "pods", "dev"), asked("ann", "get", "pods", "ops")],
    });
    let root = json!({ "binding": "ClusterRoleBinding root", "role": "ClusterRole all", "rule": 0 });
    assert_eq!(
        alone(&world).unwrap(),
        json!({ "decisions": [
            { "allowed": true, "by": [root, { "binding": "RoleBinding ops/own", "role": "Role ops/reader", "rule": 1 }] },
            { "allowed": true, "by": [root, { "binding": "RoleBinding dev/far", "role": "ClusterRole all", "rule": 0 }] },
            { "allowed": false, "by": [] },
        ] })
    );
}

#[test]
fn aggregated_roles_are_filled_in_and_say_where_each_rule_is_written() {
    let labelled = |name: &str, label: &str, rules: Value| {
        let mut role = role(name, None, rules);
        role["metadata"]["labels"] = json!({ label: "true" });
        role
    };
    let collects = |label: &str| json!({ "clusterRoleSelectors": [{ "matchLabels": { label: "true" } }] });
    let mut view = labelled("view", "to-edit", json!([rule(&["*"], &["*"], &["*"])]));
    view["aggregationRule"] = collects("to-view");
    let mut edit = role("edit", None, json!([]));
    edit["aggregationRule"] = json!({ "clusterRoleSelectors": [
        { "matchExpressions": [{ "key": "to-edit", "operator": "In", "values": ["true"] }] }
    ] });
    let parts =
        labelled("parts", "to-view", json!([rule(&["get"], &[""], &["secrets"]), rule(&["get"], &[""], &["pods"])]));
    let world = json!({
        "clusterRoles": [edit, view, parts],
        "clusterRoleBindings": [binding("b", None, "ClusterRole", "edit", json!({ "kind": "User", "name": "ann" }))],
        "requests": [asked("ann", "get", "pods", ""), asked("ann", "delete", "pods", "")],
    });
    assert_eq!(
        alone(&world).unwrap()["decisions"],
        json!([
            { "allowed": true, "by": [{
                "binding": "ClusterRoleBinding b", "role": "ClusterRole edit", "rule": 1,
                "collected_from": { "role": "ClusterRole parts", "rule": 1 }
            }] },
            { "allowed": false, "by": [] },
        ])
    );
}

#[test]
fn groups_that_are_not_given_are_those_that_the_server_gives() {
    let bound = |group: &str, user: &str, groups: Option<Value>| {
        let mut request = asked(user, "get", "pods", "ops");
        if let Some(groups) = groups {
            request["groups"] = groups;
        }
        let world = json!({
            "clusterRoles": [role("r", None, json!([rule(&["get"], &[""], &["pods"])]))],
            "clusterRoleBindings": [binding("b", None, "ClusterRole", "r", json!({ "kind": "Group", "name": group }))],
            "requests": [request],
        });
        alone(&world).unwrap()["decisions"][0]["allowed"].as_bool().unwrap()
    };
    for (group, user, groups, expected) in [
        ("system:authenticated", "ann", None, true),
        ("system:authenticated", "ann", Some(json!([])), false),
        ("system:authenticated", "ann", Some(json!(null)), true),
        ("system:authenticated", BOT, None, true),
        ("system:serviceaccounts", BOT, None, true),
        ("system:serviceaccounts:ops", BOT, None, true),
        ("system:serviceaccounts:dev", BOT, None, false),
        ("system:serviceaccounts", "ann", None, false),
        ("system:authenticated", "system:anonymous", None, false),
        ("system:unauthenticated", "system:anonymous", None, true),
        ("sre", "", Some(json!(["sre"])), true),
    ] {
        assert_eq!(bound(group, user, groups.clone()), expected, "{group} {user} {groups:?}");
    }
}

#[test]
fn masters_are_let_through_by_no_binding() {
    let world = json!({ "requests": [{ "verb": "get", "path": "/x", "groups": ["system:masters"] }] });
    assert_eq!(alone(&world).unwrap(), json!({ "decisions": [{ "allowed": true, "by": [], "unlimited": true }] }));
}

#[test]
fn a_request_is_about_a_resource_unless_only_a_path_is_given() {
    let world = |request: Value| {
        alone(&json!({
            "clusterRoles": [role("r", None, json!([
                { "verbs": ["get"], "nonResourceURLs": ["/healthz*"] }, rule(&["get"], &[""], &["pods"])
            ]))],
            "clusterRoleBindings": [binding("b", None, "ClusterRole", "r", json!({ "kind": "User", "name": "ann" }))],
            "requests": [request],
        }))
    };
    for (members, expected) in [
        (json!({ "path": "/healthz/etcd" }), true),
        (json!({ "path": "/metrics" }), false),
        (json!({ "resource": "pods" }), true),
        (json!({ "resource": "pods", "resourceRequest": false }), false),
        (json!({ "resource": "pods", "path": "/healthz", "resourceRequest": false }), true),
        (json!({ "resource": "nodes", "path": "/healthz", "resourceRequest": true }), false),
    ] {
        let mut request = json!({ "verb": "get", "user": "ann" });
        request.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        assert_eq!(world(request).unwrap()["decisions"][0]["allowed"], expected, "{members}");
    }
    let both = world(json!({ "verb": "get", "user": "ann", "resource": "pods", "path": "/healthz" }));
    assert_eq!(both.unwrap_err().at, "/requests/0");
}

#[test]
fn what_kubectl_prints_can_be_pasted() {
    let world = json!({
        "clusterRoles": [{
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole",
            "metadata": {
                "name": "r", "uid": "1", "resourceVersion": "7", "creationTimestamp": "2026-01-01T00:00:00Z",
                "annotations": { "a": "b" }, "managedFields": [{ "manager": "x" }], "labels": null
            },
            "rules": [{ "verbs": ["get"], "apiGroups": [""], "resources": ["pods"], "resourceNames": null }],
            "aggregationRule": null
        }],
        "clusterRoleBindings": null,
        "requests": [asked("ann", "get", "pods", "")],
    });
    assert_eq!(alone(&world).unwrap()["decisions"][0]["allowed"], false);
}

#[test]
fn what_is_not_understood_is_refused_at_its_place() {
    let request = asked("ann", "get", "pods", "");
    for (line, at, said) in [
        (json!([]), "", "something else than an object"),
        (json!({}), "", "missing field `requests`"),
        (json!({ "requests": [], "role": [] }), "/role", "unknown field `role`"),
        (json!({ "requests": [{ "user": "ann" }] }), "/requests/0", "missing field `verb`"),
        (json!({ "requests": [["get"]] }), "/requests/0", "expected an object"),
        (
            json!({ "requests": [{ "verb": "get", "user": "ann", "ressource": "pods" }] }),
            "/requests/0/ressource",
            "unknown field",
        ),
        (json!({ "requests": [{ "verb": "get", "resource": "pods" }] }), "/requests/0", "nobody asks"),
        (json!({ "requests": [request], "cluster": "c" }), "/cluster", "no capture"),
        (json!({ "requests": [], "roles": {} }), "/roles", "expected a sequence"),
        (json!({ "requests": [], "roles": [1] }), "/roles/0", "expected an object"),
        (json!({ "requests": [], "roles": [{ "rulez": [] }] }), "/roles/0/rulez", "unknown field"),
        (
            json!({ "requests": [], "roles": [{ "kind": "ClusterRole" }] }),
            "/roles/0/kind",
            "holds objects of kind Role",
        ),
        (json!({ "requests": [], "roles": [{ "apiVersion": "apps/v1" }] }), "/roles/0/apiVersion", "`apps`"),
        (
            json!({ "requests": [], "roles": [{ "metadata": { "nmae": "x" } }] }),
            "/roles/0/metadata/nmae",
            "unknown field",
        ),
        (
            json!({ "requests": [], "clusterRoles": [{ "rules": [{ "verbs": "get" }] }] }),
            "/clusterRoles/0/rules/0/verbs",
            "expected a sequence",
        ),
        (
            json!({ "requests": [], "roleBindings": [{ "subjects": [{ "kind": 1 }] }] }),
            "/roleBindings/0/subjects/0/kind",
            "expected a",
        ),
        (
            json!({ "requests": [], "clusterRoles": [role("a", None, json!([])), role("a", Some("x"), json!([]))] }),
            "/clusterRoles/1/metadata/name",
            "there are two",
        ),
        (
            json!({ "requests": [], "clusterRoles": [{ "aggregationRule": { "clusterRoleSelectors": [{ "matchExpressions": [{ "key": "a", "operator": "in" }] }] } }] }),
            "/clusterRoles/0/aggregationRule/clusterRoleSelectors/0/matchExpressions/0/operator",
            "unknown variant `in`",
        ),
    ] {
        let refusal = alone(&line).unwrap_err();
        assert_eq!(refusal.at, at, "{line}: {refusal:?}");
        assert!(refusal.message.contains(said) && !refusal.remedy.is_empty(), "{line}: {refusal:?}");
    }
}

#[test]
fn what_seems_to_grant_and_does_not_is_noted() {
    let world = json!({
        "roles": [
            role("r", Some("ops"), json!([rule(&["get"], &["core"], &["pods/*", "pods"])])),
            role("nowhere", None, json!([{ "verbs": ["get"], "nonResourceURLs": ["/metrics"] }])),
        ],
        "clusterRoles": [role("named", None, json!([
            { "verbs": ["get"], "apiGroups": [""], "resources": ["secrets"], "resourceNames": ["*"] }
        ]))],
        "roleBindings": [binding("b", Some("dev"), "Role", "r", json!({ "kind": "Robot", "name": "x" }))],
        "clusterRoleBindings": [binding("c", None, "ClusterRole", "named", json!({ "kind": "ServiceAccount", "name": "x" }))],
        "requests": [],
    });
    let answer = alone(&world).unwrap();
    let places: Vec<&str> =
        answer["notes"].as_array().unwrap().iter().map(|note| note["at"].as_str().unwrap()).collect();
    assert_eq!(
        places,
        [
            "/clusterRoles/0/rules/0",
            "/roles/0/rules/0",
            "/roles/0/rules/0",
            "/roles/1",
            "/roles/1/rules/0",
            "/clusterRoleBindings/0/subjects/0",
            "/roleBindings/0/roleRef",
            "/roleBindings/0/subjects/0",
        ]
    );
    let many: Vec<Value> = (0..50).map(|_| rule(&["get"], &["core"], &["pods"])).collect();
    let world = json!({ "roles": [role("r", Some("n"), json!(many))], "requests": [] });
    let notes = alone(&world).unwrap()["notes"].clone();
    assert_eq!(notes.as_array().unwrap().len(), 21);
    assert!(notes[20]["message"].as_str().unwrap().contains("30 more"));
}

#[test]
fn the_schema_names_every_member_that_is_understood() {
    let schema = super::schema();
    assert_eq!(schema["$ref"], "#/$defs/World");
    let members = |name: &str| -> Vec<String> {
        schema["$defs"][name]["properties"].as_object().unwrap_or_else(|| panic!("{name}")).keys().cloned().collect()
    };
    assert_eq!(
        members("World"),
        ["id", "cluster", "roles", "clusterRoles", "roleBindings", "clusterRoleBindings", "requests"]
    );
    assert_eq!(
        members("Request"),
        [
            "verb",
            "apiGroup",
            "resource",
            "subresource",
            "name",
            "namespace",
            "resourceRequest",
            "path",
            "user",
            "groups"
        ]
    );
    assert_eq!(members("Rule"), ["verbs", "apiGroups", "resources", "resourceNames", "nonResourceURLs"]);
    assert_eq!(members("Decision"), ["allowed", "by", "unlimited", "unread"]);
    assert!(schema["$defs"]["Refused"].is_object());
}

proptest! {
    #[test]
    fn any_text_is_answered_or_refused(text in ".*", cut in any::<(prop::sample::Index, prop::sample::Index)>(), put in ".{0,3}") {
        let whole = json!({
            "roles": [role("r", Some("ops"), json!([rule(&["get"], &[""], &["pods"])]))],
            "roleBindings": [binding("b", Some("ops"), "Role", "r", bot())],
            "requests": [asked(BOT, "get", "pods", "ops")],
        }).to_string();
        // A line of which a part is replaced.
        let (from, to) = (cut.0.index(whole.len()), cut.1.index(whole.len()));
        let (before, after) = (whole.chars().take(from.min(to)), whole.chars().skip(from.max(to)));
        let broken: String = before.chain(put.chars()).chain(after).collect();
        for text in [text, broken] {
            match Decider::default().reply(&text) {
                Ok(reply) => prop_assert!(serde_json::from_slice::<Value>(&reply).is_ok()),
                Err(refusal) => {
                    prop_assert!(!refusal.message.is_empty() && !refusal.remedy.is_empty());
                    prop_assert!(refusal.at.is_empty() || refusal.at.starts_with('/'));
                }
            }
        }
    }
}
