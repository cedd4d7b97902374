//! Lines beside a capture.

use evenhand_model::access::AccessResolver;
use evenhand_model::decide::Refusal;
use serde_json::{Value, json};

use super::{answer, asked, binding, role, rule};
use crate::tests::{document, read_all};

const BOT: &str = "system:serviceaccount:ops:bot";

const OPS: &str = r#"
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: reader, namespace: ops}
rules:
- {apiGroups: [""], resources: [pods], verbs: [get]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: own, namespace: ops}
subjects: [{kind: ServiceAccount, name: bot}]
roleRef: {kind: Role, name: reader, apiGroup: rbac.authorization.k8s.io}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: lost, namespace: dev}
subjects: [{kind: ServiceAccount, name: bot, namespace: ops}]
roleRef: {kind: Role, name: lost, apiGroup: rbac.authorization.k8s.io}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBindingList
items: []
"#;

fn ask(documents: &[(&str, &str)], line: &Value) -> Result<Value, Refusal> {
    let documents = documents.iter().map(|(path, text)| document(path, text)).collect();
    let (reading, errors) = read_all(documents, &[]);
    assert_eq!(errors, []);
    let resolver: Box<dyn AccessResolver> = reading.resolver.expect("a resolver");
    let decider = resolver.decider().expect("a decider");
    let first = answer(&*decider, line);
    assert_eq!(answer(&*decider, line), first);
    first
}

fn one(line: &Value) -> Result<Value, Refusal> {
    ask(&[("k8s/a/ops.yaml", OPS)], line)
}

#[test]
fn lists_that_are_left_out_are_those_of_the_capture() {
    let requests = json!([asked(BOT, "get", "pods", "ops"), asked(BOT, "list", "pods", "ops")]);
    assert_eq!(
        one(&json!({ "requests": requests })).unwrap(),
        json!({ "decisions": [
            { "allowed": true, "by": [{ "binding": "RoleBinding ops/own", "role": "Role ops/reader", "rule": 0, "at": "k8s/a/ops.yaml:6" }] },
            { "allowed": false, "by": [] },
        ] })
    );
    // The bindings of the capture over another role, and the capture's role under another binding.
    let other = role("reader", Some("ops"), json!([rule(&["list"], &[""], &["pods"])]));
    let changed = one(&json!({ "roles": [other], "requests": requests })).unwrap();
    assert_eq!(
        (&changed["decisions"][0]["allowed"], &changed["decisions"][1]["allowed"]),
        (&json!(false), &json!(true))
    );
    let none = one(&json!({ "roleBindings": [], "requests": requests })).unwrap();
    assert_eq!(none["decisions"][0]["allowed"], false);
    let ann = binding("x", Some("ops"), "Role", "reader", json!({ "kind": "User", "name": "ann" }));
    let given = one(&json!({ "roleBindings": [ann], "requests": [asked("ann", "get", "pods", "ops")] })).unwrap();
    assert_eq!(
        given["decisions"][0]["by"],
        json!([{ "binding": "RoleBinding ops/x", "role": "Role ops/reader", "rule": 0 }])
    );
}

#[test]
fn a_role_that_was_not_read_leaves_the_answer_open_where_it_counts() {
    let requests = json!([asked(BOT, "get", "pods", "dev"), asked(BOT, "list", "pods", "ops")]);
    let allowed = |line: Value| {
        let answer = one(&line).unwrap();
        [0, 1].map(|at| answer["decisions"][at]["allowed"].clone())
    };
    assert_eq!(allowed(json!({ "requests": requests })), [json!(null), json!(false)]);
    let why = one(&json!({ "requests": requests })).unwrap();
    assert_eq!(why["decisions"][0]["unread"], json!(["Role dev/lost, which is bound to the caller, was not read"]));
    assert_eq!(allowed(json!({ "roles": [], "requests": requests })), [json!(false), json!(false)]);
}

#[test]
fn bindings_that_were_not_read_leave_the_answer_open() {
    let role = OPS.split("---").next().unwrap();
    let read = |line: Value| ask(&[("k8s/a/ops.yaml", role)], &line).unwrap()["decisions"][0]["allowed"].clone();
    let requests = json!([asked(BOT, "get", "pods", "ops")]);
    assert_eq!(read(json!({ "requests": requests })), json!(null));
    let why = ask(&[("k8s/a/ops.yaml", role)], &json!({ "requests": requests })).unwrap();
    assert_eq!(
        why["decisions"][0]["unread"],
        json!([
            "ClusterRoleBindings were not read: `kubectl get clusterrolebindings -o json`",
            "RoleBindings were not read: `kubectl get rolebindings -A -o json`",
        ])
    );
    assert_eq!(read(json!({ "roleBindings": [], "requests": requests })), json!(null));
    assert_eq!(read(json!({ "roleBindings": [], "clusterRoleBindings": [], "requests": requests })), json!(false));
    // No RoleBinding grants anything in the whole cluster.
    let everywhere = json!([asked(BOT, "list", "pods", "")]);
    assert_eq!(read(json!({ "clusterRoleBindings": [], "requests": everywhere })), json!(false));
}

#[test]
fn a_line_says_which_cluster_it_means_where_there_are_several() {
    let both = [("k8s/a/ops.yaml", OPS), ("k8s/b/ops.yaml", OPS)];
    let line = |cluster: Option<&str>| {
        let mut line = json!({ "requests": [asked(BOT, "get", "pods", "ops")] });
        if let Some(cluster) = cluster {
            line["cluster"] = cluster.into();
        }
        line
    };
    let refusal = ask(&both, &line(None)).unwrap_err();
    assert_eq!((&*refusal.at, &*refusal.remedy), ("/cluster", "say which one is meant: `a`, `b`"));
    assert_eq!(ask(&both, &line(Some("b"))).unwrap()["decisions"][0]["by"][0]["at"], "k8s/b/ops.yaml:6");
    assert!(ask(&both, &line(Some("c"))).unwrap_err().message.contains("no cluster `c`"));
}

#[test]
fn a_capture_without_roles_and_bindings_leaves_open_what_a_line_does_not_bring() {
    let accounts = "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: a, namespace: ns}\n";
    let allowed = |line: Value| ask(&[("k8s/a/x.yaml", accounts)], &line).unwrap()["decisions"][0]["allowed"].clone();
    let requests = json!([asked(BOT, "get", "pods", "ops")]);
    assert_eq!(allowed(json!({ "requests": requests })), json!(null));
    assert_eq!(allowed(json!({ "clusterRoleBindings": [], "requests": requests })), json!(null));
    assert_eq!(allowed(json!({ "clusterRoleBindings": [], "roleBindings": [], "requests": requests })), json!(false));
    let own = binding("x", Some("ops"), "ClusterRole", "view", json!({ "kind": "User", "name": BOT }));
    assert_eq!(allowed(json!({ "roleBindings": [own], "requests": requests })), json!(true));
}
