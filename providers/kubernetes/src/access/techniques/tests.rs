//! Every known grant, judged on whole readings; and the table beside the list that it was made from.

use std::collections::BTreeSet;
use std::path::Path;

use evenhand_model::access::{AccessResolver, Edge, EdgeTarget, Unlisted};
use evenhand_model::evidence::Truth;
use evenhand_model::id::IdentityId;
use evenhand_model::inventory::Inventory;
use serde_json::{Value, json};

use super::*;
use crate::tests::{document, read_all};

const API: &str = "rbac.authorization.k8s.io/v1";

/// How a technique shows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Shown {
    /// A step to an account.
    To(&'static str),
    /// A step to an account, under a condition.
    Perhaps(&'static str),
    /// A step to full control.
    Control,
    /// A step to full control, under a condition.
    PerhapsControl,
    /// No step: it is told with what the steps do not tell.
    Unlisted,
}

/// Verbs, group, resources, names.
type Grant = (&'static str, &'static str, &'static str, &'static str);

/// Whether the roles are bound in the whole cluster; what they grant.
struct Case(&'static str, bool, &'static [Grant], Shown);

const ROOT: &str = "ops/root";
const ARGOCD: &str = "argocd/argocd-application-controller";
const RBAC_GROUP: &str = "rbac.authorization.k8s.io";
const CERTS: &str = "certificates.k8s.io";
const ADMISSION_GROUP: &str = "admissionregistration.k8s.io";
const AUTH: &str = "authentication.k8s.io";

/// What each technique takes at least. Each grant is a role of its own, the first bound to the account, the others to a
/// group of it; without any one of them the technique is not there.
const CASES: &[Case] = &[
    Case("k8s.all", false, &[("*", "*", "*", "")], Shown::To(ROOT)),
    Case("k8s.read-all", false, &[("get", "*", "*", "")], Shown::To(ROOT)),
    Case("k8s.read-all", true, &[("list", "*", "*", "")], Shown::To(ROOT)),
    Case("k8s.secrets.read", false, &[("watch", "", "secrets", "")], Shown::To(ROOT)),
    Case("k8s.secrets.read", false, &[("list", "", "secrets", "root-token")], Shown::To(ROOT)),
    Case(
        "k8s.secrets.mint-token",
        false,
        &[("create", "", "secrets", ""), ("get", "", "secrets", "")],
        Shown::To(ROOT),
    ),
    Case("k8s.secrets.mint-token", false, &[("patch", "", "secrets", "")], Shown::To(ROOT)),
    Case("k8s.sa-token.create", false, &[("create", "", "serviceaccounts/token", "")], Shown::To(ROOT)),
    Case("k8s.sa-token.create", true, &[("create", "", "serviceaccounts/token", "root")], Shown::To(ROOT)),
    Case("k8s.workload.create", false, &[("create", "apps", "statefulsets", "")], Shown::To(ROOT)),
    Case("k8s.workload.create", false, &[("create", "", "pods", "")], Shown::PerhapsControl),
    Case("k8s.workload.update", false, &[("patch", "batch", "cronjobs", "")], Shown::To(ROOT)),
    Case("k8s.workload.update", false, &[("update", "", "pods", "")], Shown::To(ROOT)),
    Case("k8s.workload.update", false, &[("patch", "apps", "deployments", "web")], Shown::Perhaps(ROOT)),
    Case("k8s.pods.exec", false, &[("create", "", "*/exec", "")], Shown::To(ROOT)),
    Case("k8s.pods.exec", true, &[("create", "", "pods/attach", "")], Shown::To(ROOT)),
    Case("k8s.pods.exec", false, &[("get", "", "pods/exec", "")], Shown::Perhaps(ROOT)),
    Case("k8s.pods.exec", false, &[("create", "", "pods/exec", "web-1")], Shown::Unlisted),
    Case("k8s.pods.ephemeral", false, &[("patch", "", "pods/ephemeralcontainers", "")], Shown::To(ROOT)),
    Case("k8s.pods.portforward", false, &[("create", "", "pods/portforward", "")], Shown::Unlisted),
    Case("k8s.impersonate.user-group", true, &[("impersonate", "", "users", "")], Shown::Control),
    Case(
        "k8s.impersonate.user-group",
        true,
        &[("impersonate", "", "groups", "system:masters"), ("impersonate", "", "serviceaccounts", "actor")],
        Shown::Control,
    ),
    Case(
        "k8s.impersonate.user-group",
        true,
        &[("impersonate", "", "groups", ""), ("impersonate", "", "users", "ann")],
        Shown::Control,
    ),
    Case("k8s.impersonate.sa", false, &[("impersonate", "", "serviceaccounts", "")], Shown::To(ROOT)),
    Case("k8s.impersonate.sa", true, &[("impersonate", "", "serviceaccounts", "root")], Shown::To(ROOT)),
    Case(
        "k8s.impersonate.attributes",
        true,
        &[("impersonate", AUTH, "userextras/scopes", ""), ("impersonate", "", "users", "")],
        Shown::Unlisted,
    ),
    Case(
        "k8s.impersonate.attributes",
        true,
        &[("impersonate", AUTH, "uids", ""), ("impersonate", "", "users", "")],
        Shown::Unlisted,
    ),
    Case(
        "k8s.impersonate.constrained",
        false,
        &[
            ("impersonate:serviceaccount", AUTH, "serviceaccounts", ""),
            ("impersonate-on:serviceaccount:list", "", "secrets", ""),
        ],
        Shown::Perhaps(ROOT),
    ),
    Case(
        "k8s.impersonate.constrained",
        true,
        &[("impersonate:user-info", AUTH, "users", ""), ("impersonate-on:user-info:get", "", "pods", "")],
        Shown::PerhapsControl,
    ),
    Case(
        "k8s.impersonate.constrained",
        true,
        &[("impersonate:arbitrary-node", AUTH, "nodes", ""), ("impersonate-on:arbitrary-node:get", "", "pods", "")],
        Shown::Perhaps(ROOT),
    ),
    Case(
        "k8s.impersonate.constrained",
        true,
        &[("impersonate:associated-node", AUTH, "nodes", ""), ("impersonate-on:associated-node:get", "", "pods", "")],
        Shown::Perhaps(ROOT),
    ),
    Case(
        "k8s.bind",
        false,
        &[("bind", RBAC_GROUP, "roles", ""), ("create", RBAC_GROUP, "rolebindings", "")],
        Shown::To(ROOT),
    ),
    Case(
        "k8s.bind",
        true,
        &[("bind", RBAC_GROUP, "clusterroles", "cluster-admin"), ("patch", RBAC_GROUP, "clusterrolebindings", "")],
        Shown::Control,
    ),
    Case(
        "k8s.bind",
        false,
        &[("bind", RBAC_GROUP, "clusterroles", "edit"), ("create", RBAC_GROUP, "rolebindings", "")],
        Shown::To(ROOT),
    ),
    Case(
        "k8s.bind",
        false,
        &[("bind", RBAC_GROUP, "clusterroles", "view"), ("create", RBAC_GROUP, "rolebindings", "")],
        Shown::Unlisted,
    ),
    Case(
        "k8s.escalate",
        false,
        &[("escalate", RBAC_GROUP, "roles", ""), ("update", RBAC_GROUP, "roles", "")],
        Shown::To(ROOT),
    ),
    Case(
        "k8s.escalate",
        true,
        &[("escalate", RBAC_GROUP, "clusterroles", "mine"), ("patch", RBAC_GROUP, "clusterroles", "mine")],
        Shown::PerhapsControl,
    ),
    Case("k8s.bindings.write", false, &[("create", RBAC_GROUP, "rolebindings", "")], Shown::Unlisted),
    Case("k8s.aggregation", true, &[("patch", RBAC_GROUP, "clusterroles", "")], Shown::Unlisted),
    Case(
        "k8s.csr.approve",
        true,
        &[
            ("approve", CERTS, "signers", ""),
            ("create", CERTS, "certificatesigningrequests", ""),
            ("update", CERTS, "certificatesigningrequests/approval", ""),
        ],
        Shown::Control,
    ),
    Case(
        "k8s.csr.approve",
        true,
        &[
            ("approve", CERTS, "signers", "kubernetes.io/*"),
            ("create", CERTS, "certificatesigningrequests", ""),
            ("update", CERTS, "certificatesigningrequests/approval", ""),
        ],
        Shown::Control,
    ),
    Case(
        "k8s.csr.sign",
        true,
        &[("sign", CERTS, "signers", ""), ("patch", CERTS, "certificatesigningrequests/status", "")],
        Shown::PerhapsControl,
    ),
    Case("k8s.nodes.proxy", true, &[("get", "", "nodes/proxy", "")], Shown::To(ROOT)),
    Case("k8s.nodes.proxy", true, &[("create", "", "nodes/proxy", "")], Shown::PerhapsControl),
    Case("k8s.nodes.proxy", true, &[("get", "", "nodes/proxy", "n1")], Shown::Unlisted),
    Case("k8s.nodes.kubelet", true, &[("get", "", "nodes/log", "")], Shown::Unlisted),
    Case("k8s.nodes.kubelet", true, &[("create", "", "nodes/checkpoint", "")], Shown::Unlisted),
    Case(
        "k8s.pv.create",
        true,
        &[
            ("create", "", "persistentvolumes", ""),
            ("create", "", "persistentvolumeclaims", ""),
            ("create", "", "pods", ""),
        ],
        Shown::PerhapsControl,
    ),
    Case(
        "k8s.storageclass.write",
        true,
        &[
            ("create", "storage.k8s.io", "storageclasses", ""),
            ("create", "", "persistentvolumeclaims", ""),
            ("create", "batch", "jobs", ""),
        ],
        Shown::PerhapsControl,
    ),
    Case(
        "k8s.webhooks.write",
        true,
        &[("update", ADMISSION_GROUP, "mutatingwebhookconfigurations", "")],
        Shown::PerhapsControl,
    ),
    Case(
        "k8s.webhooks.write",
        true,
        &[("create", ADMISSION_GROUP, "validatingwebhookconfigurations", "")],
        Shown::Unlisted,
    ),
    Case(
        "k8s.admission-policy.write",
        true,
        &[
            ("create", ADMISSION_GROUP, "mutatingadmissionpolicies", ""),
            ("create", ADMISSION_GROUP, "mutatingadmissionpolicybindings", ""),
        ],
        Shown::PerhapsControl,
    ),
    Case(
        "k8s.admission-policy.write",
        true,
        &[("delete", ADMISSION_GROUP, "validatingadmissionpolicies", "")],
        Shown::Unlisted,
    ),
    Case(
        "k8s.crd.write",
        true,
        &[("patch", "apiextensions.k8s.io", "customresourcedefinitions", "")],
        Shown::Perhaps(ARGOCD),
    ),
    Case(
        "k8s.apiservice.write",
        true,
        &[("create", "apiregistration.k8s.io", "apiservices", "")],
        Shown::PerhapsControl,
    ),
    Case("k8s.aws-auth.write", true, &[("patch", "", "configmaps", "")], Shown::PerhapsControl),
    Case("k8s.aws-auth.write", true, &[("update", "", "configmaps", "aws-auth")], Shown::PerhapsControl),
    Case("k8s.traffic.capture", false, &[("patch", "", "services/status", "")], Shown::Unlisted),
    Case("k8s.traffic.capture", false, &[("update", "", "endpoints", "")], Shown::Unlisted),
    Case("k8s.traffic.capture", false, &[("patch", "discovery.k8s.io", "endpointslices", "")], Shown::Unlisted),
    Case("k8s.traffic.capture", false, &[("create", "", "services", "")], Shown::Unlisted),
    Case(
        "k8s.pods.steal",
        true,
        &[("patch", "", "nodes/status", ""), ("delete", "", "pods", "")],
        Shown::Perhaps(ROOT),
    ),
    Case(
        "k8s.pods.steal",
        true,
        &[("update", "", "nodes", ""), ("create", "", "pods/eviction", "")],
        Shown::Perhaps(ROOT),
    ),
    Case(
        "k8s.namespace.patch",
        false,
        &[("patch", "", "namespaces", ""), ("create", "", "pods", "")],
        Shown::PerhapsControl,
    ),
    Case("k8s.operator-cr.write", false, &[("create", "argoproj.io", "applications", "")], Shown::Perhaps(ARGOCD)),
    Case("k8s.operator-cr.write", false, &[("create", "tekton.dev", "taskruns", "")], Shown::To(ROOT)),
    Case("k8s.agent-cr.write", false, &[("create", "kagent.dev", "agents", "")], Shown::To(ROOT)),
    Case("k8s.agent-cr.write", false, &[("update", "toolhive.stacklok.dev", "mcpservers", "")], Shown::To(ROOT)),
];

/// A cluster in which an account holds some grants, another one everything, with a workload and a token of it.
fn cluster(clusterwide: bool, grants: &[&Grant], settings: &[(&str, &str)]) -> (Inventory, Box<dyn AccessResolver>) {
    let account = |namespace: &str, name: &str| json!({ "apiVersion": "v1", "kind": "ServiceAccount", "metadata": { "name": name, "namespace": namespace } });
    let subject =
        |namespace: &str, name: &str| json!({ "kind": "ServiceAccount", "name": name, "namespace": namespace });
    let binding = |name: &str, clusterwide: bool, kind: &str, role: &str, subjects: Value| {
        let own = if clusterwide { "ClusterRoleBinding" } else { "RoleBinding" };
        json!({
            "apiVersion": API, "kind": own, "metadata": { "name": name, "namespace": if clusterwide { "" } else { "ops" } },
            "roleRef": { "kind": kind, "name": role }, "subjects": subjects
        })
    };
    let (argo_home, argo_name) = ARGOCD.split_once('/').unwrap();
    let mut items = vec![
        account("ops", "actor"),
        account("ops", "root"),
        account(argo_home, argo_name),
        binding(
            "root",
            true,
            "ClusterRole",
            "cluster-admin",
            json!([subject("ops", "root"), subject(argo_home, argo_name)]),
        ),
        json!({
            "apiVersion": "v1", "kind": "Pod", "metadata": { "name": "web-1", "namespace": "ops" },
            "spec": { "serviceAccountName": "root", "containers": [{ "name": "main", "image": "example.com/web:1" }] }
        }),
        json!({
            "apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/service-account-token",
            "metadata": { "name": "root-token", "namespace": "ops", "annotations": { "kubernetes.io/service-account.name": "root" } }
        }),
    ];
    let (kind, home) = if clusterwide { ("ClusterRole", "") } else { ("Role", "ops") };
    for (at, (verbs, group, resources, names)) in grants.iter().enumerate() {
        let words = |text: &str| text.split(',').filter(|word| !word.is_empty()).map(str::to_owned).collect::<Vec<_>>();
        let name = format!("r{at}");
        items.push(json!({
            "apiVersion": API, "kind": kind, "metadata": { "name": name, "namespace": home },
            "rules": [{ "verbs": words(verbs), "apiGroups": [group], "resources": words(resources), "resourceNames": words(names) }]
        }));
        let group = json!([{ "kind": "Group", "name": "system:serviceaccounts:ops" }]);
        let subjects = if at == 0 { json!([subject("ops", "actor")]) } else { group };
        items.push(binding(&name, clusterwide, kind, &name, subjects));
    }
    let text = json!({ "apiVersion": "v1", "kind": "List", "items": items }).to_string();
    let (reading, errors) = read_all(vec![document("k8s/c/all.json", &text)], settings);
    assert_eq!(errors, []);
    (reading.inventory, reading.resolver.expect("a resolver"))
}

fn actor() -> IdentityId {
    IdentityId::from("kubernetes:c:serviceaccount:ops/actor")
}

/// How a technique shows for the account, in all ways.
fn shown(resolver: &dyn AccessResolver, id: &str) -> Vec<Shown> {
    shown_for(resolver, &actor(), id)
}

fn shown_for(resolver: &dyn AccessResolver, who: &IdentityId, id: &str) -> Vec<Shown> {
    let how = |edge: &Edge| match (&edge.target, edge.conditional) {
        (EdgeTarget::Admin(_), false) => Shown::Control,
        (EdgeTarget::Admin(_), true) => Shown::PerhapsControl,
        (EdgeTarget::Identity(target), conditional) => {
            let name = if target.as_str().ends_with(ROOT) { ROOT } else { ARGOCD };
            if conditional { Shown::Perhaps(name) } else { Shown::To(name) }
        }
    };
    let edges = resolver.edges();
    let mut all: Vec<Shown> =
        edges.iter().filter(|edge| edge.source == *who && &*edge.technique == id).map(how).collect();
    let told = resolver.unlisted(who);
    let is_it = |told: &&Unlisted| matches!(told, Unlisted::Lesser(text) if text.split(' ').next() == Some(id));
    all.extend(told.iter().filter(is_it).map(|_| Shown::Unlisted));
    all
}

#[test]
fn each_technique_is_there_where_all_that_it_needs_is_held_by_whatever_bindings() {
    for Case(id, clusterwide, grants, expected) in CASES {
        let all: Vec<&Grant> = grants.iter().collect();
        let (_, resolver) = cluster(*clusterwide, &all, &[]);
        let found = shown(&*resolver, id);
        assert!(found.contains(expected), "{id} by {grants:?}: {found:?}, not {expected:?}");
        for edge in resolver.edges().iter().filter(|edge| edge.source == actor() && &*edge.technique == *id) {
            assert!(!edge.grants.is_empty(), "{id} by {grants:?}: nothing allows {edge:?}");
        }
        for left_out in 0..grants.len() {
            let rest: Vec<&Grant> =
                all.iter().enumerate().filter(|(at, _)| *at != left_out).map(|(_, one)| *one).collect();
            let (_, resolver) = cluster(*clusterwide, &rest, &[]);
            let found = shown(&*resolver, id);
            assert!(!found.contains(expected), "{id} by {rest:?} alone: {found:?}");
        }
    }
}

#[test]
fn what_only_looks_like_a_technique_is_none() {
    for (id, clusterwide, grants) in [
        // Dead rules and other spellings.
        ("k8s.pods.exec", false, &[("create", "", "pods/*", "")][..]),
        ("k8s.secrets.read", false, &[("get", "core", "secrets", "")]),
        ("k8s.workload.create", false, &[("create", "", "deployments", "")]),
        (
            "k8s.impersonate.attributes",
            true,
            &[("impersonate", AUTH, "userextras", ""), ("impersonate", "", "users", "")],
        ),
        // A verb on bindings is none on roles, a star is no name, creation carries none.
        (
            "k8s.bind",
            true,
            &[("bind", RBAC_GROUP, "clusterrolebindings", ""), ("create", RBAC_GROUP, "clusterrolebindings", "")],
        ),
        ("k8s.workload.create", false, &[("create", "", "pods", "web")]),
        ("k8s.aws-auth.write", true, &[("patch", "", "configmaps", "other")]),
        (
            "k8s.csr.approve",
            true,
            &[
                ("approve", CERTS, "signers", "example.com/*"),
                ("create", CERTS, "certificatesigningrequests", ""),
                ("update", CERTS, "certificatesigningrequests/approval", ""),
            ],
        ),
        // Of the whole cluster, held in a namespace.
        ("k8s.impersonate.user-group", false, &[("impersonate", "", "users", "")]),
        ("k8s.nodes.proxy", false, &[("get", "", "nodes/proxy", "")]),
        ("k8s.aws-auth.write", false, &[("patch", "", "configmaps", "")]),
        // A group without anybody in it; reading some things and not all.
        ("k8s.impersonate.user-group", true, &[("impersonate", "", "groups", "")]),
        ("k8s.read-all", false, &[("get,list,watch", "", "*", "")]),
        ("k8s.all", false, &[("get,list,watch", "*", "*", "")]),
    ] {
        let all: Vec<&Grant> = grants.iter().collect();
        let (_, resolver) = cluster(clusterwide, &all, &[]);
        let found: Vec<Shown> = shown(&*resolver, id).into_iter().filter(|one| *one != Shown::Unlisted).collect();
        assert_eq!(found, [], "{id} by {grants:?}");
    }
}

#[test]
fn reading_everything_is_never_called_read_only() {
    let everything = ("get,list,watch", "*", "*", "");
    let (_, resolver) = cluster(true, &[&everything], &[]);
    for id in ["k8s.read-all", "k8s.secrets.read", "k8s.nodes.proxy"] {
        let found = shown(&*resolver, id);
        assert!(found.contains(&Shown::To(ROOT)), "{id}: {found:?}");
    }
    assert!(shown(&*resolver, "k8s.nodes.proxy").contains(&Shown::PerhapsControl));
}

#[test]
fn what_works_depends_on_the_version_of_the_server() {
    let websocket = [("get", "", "pods/exec", "")];
    let constrained = [
        ("impersonate:serviceaccount", AUTH, "serviceaccounts", ""),
        ("impersonate-on:serviceaccount:list", "", "secrets", ""),
    ];
    for (id, grants, version, expected) in [
        ("k8s.pods.exec", &websocket[..], None, vec![Shown::Perhaps(ROOT)]),
        ("k8s.pods.exec", &websocket, Some("1.34"), vec![Shown::To(ROOT)]),
        ("k8s.pods.exec", &websocket, Some("1.35"), vec![]),
        ("k8s.impersonate.constrained", &constrained, None, vec![Shown::Perhaps(ROOT)]),
        ("k8s.impersonate.constrained", &constrained, Some("1.35"), vec![]),
        ("k8s.impersonate.constrained", &constrained, Some("1.36"), vec![Shown::Perhaps(ROOT)]),
    ] {
        let all: Vec<&Grant> = grants.iter().collect();
        let settings: Vec<(&str, &str)> = version.map(|version| ("version", version)).into_iter().collect();
        let (_, resolver) = cluster(false, &all, &settings);
        assert_eq!(shown(&*resolver, id), expected, "{id} on {version:?}");
    }
}

/// The list of grants: header and rows.
fn listed() -> Option<Vec<Vec<String>>> {
    let Some(shared) = std::env::var_os("EVENHAND_SHARED") else {
        println!("EVENHAND_SHARED is not set: the techniques are not compared with the list of grants");
        return None;
    };
    let text = std::fs::read_to_string(Path::new(&shared).join("reference/kubernetes-rules.csv")).unwrap();
    Some(text.lines().map(fields).collect())
}

/// The fields of a line; quotes are doubled inside quotes.
fn fields(line: &str) -> Vec<String> {
    let (mut all, mut quoted) = (vec![String::new()], false);
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => all.last_mut().unwrap().push(chars.next().unwrap()),
            '"' => quoted = !quoted,
            ',' if !quoted => all.push(String::new()),
            c => all.last_mut().unwrap().push(c),
        }
    }
    all
}

/// The words of a field, what stands in brackets apart.
fn words(field: &str) -> BTreeSet<String> {
    let mut depth = 0;
    let plain: String = field
        .chars()
        .map(|c| {
            depth += i32::from(c == '(');
            let kept = if depth == 0 { c } else { ' ' };
            depth -= i32::from(c == ')');
            kept
        })
        .collect();
    let split = plain.split(|c: char| !(c.is_ascii_alphanumeric() || "/:.*-".contains(c)));
    split.filter(|word| !word.is_empty() && *word != "or").map(str::to_owned).collect()
}

#[test]
fn every_listed_grant_is_judged() {
    let Some(rows) = listed() else { return };
    let header = &rows[0];
    let column = |name: &str| header.iter().position(|held| held == name).unwrap_or_else(|| panic!("{name}"));
    let (id, verbs, resources) = (column("id"), column("verbs"), column("resources"));
    let cases: BTreeSet<&str> = CASES.iter().map(|case| case.0).collect();
    let (mut techniques, mut others) = (0, 0);
    for row in &rows[1..] {
        let id = row[id].as_str();
        match id {
            // What no permission of the subject decides.
            "k8s.public-binding" => a_binding_to_everybody_is_told(),
            "k8s.sa.cloud-role" => the_cloud_role_of_an_account_is_a_step(),
            "k8s.unused" => use_is_not_known(),
            "k8s.dangling-binding" => a_binding_to_nothing_is_told(),
            _ => {
                assert!(cases.contains(id), "{id} has no case");
                let mut held: BTreeSet<String> = BTreeSet::new();
                for need in
                    TECHNIQUES.iter().filter(|technique| technique.id == id).flat_map(|technique| technique.needs)
                {
                    match need {
                        Need::Any(verbs, resources) => {
                            held.extend(verbs.iter().map(|verb| (*verb).to_owned()));
                            held.extend(resources.iter().map(|(_, resource, sub)| match *sub {
                                "" => (*resource).to_owned(),
                                "*" => format!("{resource}/KEY"),
                                sub => format!("{resource}/{sub}"),
                            }));
                        }
                        Need::Prefix(prefix) => drop(held.insert((*prefix).to_owned())),
                        Need::Everything([]) => held.extend(["*".to_owned()]),
                        Need::Everything(verbs) => {
                            held.extend(verbs.iter().map(|verb| (*verb).to_owned()));
                            held.insert("*".to_owned());
                        }
                    }
                }
                for word in words(&row[verbs]).into_iter().chain(words(&row[resources])) {
                    // What is claimed beside a user needs that user first.
                    let beside = ["groups", "uids", "userextras/KEY"];
                    if id == "k8s.impersonate.constrained" && beside.contains(&word.as_str()) {
                        continue;
                    }
                    assert!(held.contains(&word), "{id} does not look at `{word}`: {held:?}");
                }
                techniques += 1;
                continue;
            }
        }
        others += 1;
    }
    println!("{techniques} grants by permissions and {others} others, all judged");
    assert_eq!((techniques, others), (rows.len() - 5, 4));
    let known: BTreeSet<&str> = rows[1..].iter().map(|row| row[id].as_str()).collect();
    for technique in TECHNIQUES {
        assert!(known.contains(technique.id), "{} is not listed", technique.id);
        assert!(!technique.effect().is_empty(), "{} says not what it does", technique.id);
    }
}

#[test]
fn the_built_in_roles_hold_what_is_listed_of_them() {
    let Some(rows) = listed() else { return };
    let header = &rows[0];
    let column = |name: &str| header.iter().position(|held| held == name).unwrap_or_else(|| panic!("{name}"));
    let mut compared = 0;
    for role in ["view", "edit", "admin"] {
        let user = json!([{ "kind": "ServiceAccount", "name": "root", "namespace": "ops" }]);
        let items = json!([
            { "apiVersion": API, "kind": "ClusterRoleBinding", "metadata": { "name": "b" }, "roleRef": { "kind": "ClusterRole", "name": role }, "subjects": [{ "kind": "User", "name": "ann" }] },
            { "apiVersion": API, "kind": "ClusterRoleBinding", "metadata": { "name": "root" }, "roleRef": { "kind": "ClusterRole", "name": "cluster-admin" }, "subjects": user },
        ]);
        let text = json!({ "apiVersion": "v1", "kind": "List", "items": items }).to_string();
        // A version on which all techniques mean what the list says.
        let (reading, _) = read_all(vec![document("k8s/c/all.json", &text)], &[("version", "1.36")]);
        let resolver = reading.resolver.expect("a resolver");
        let ann = IdentityId::from("kubernetes:c:user:ann");
        for row in &rows[1..] {
            let (id, expected) = (row[column("id")].as_str(), row[column(&format!("in_{role}"))].as_str());
            if expected.is_empty() {
                continue;
            }
            let held = !shown_for(&*resolver, &ann, id).is_empty();
            // The list speaks of the first grant where a technique takes several.
            if expected != "n" && !row[column("also_needs")].is_empty() {
                continue;
            }
            assert_eq!(held, expected != "n", "{role} and {id}, listed as {expected}");
            compared += 1;
        }
    }
    println!("{compared} grants of built-in roles compared");
}

fn read(items: &Value) -> (Inventory, Box<dyn AccessResolver>) {
    let text = json!({ "apiVersion": "v1", "kind": "List", "items": items }).to_string();
    let (reading, errors) = read_all(vec![document("k8s/c/all.json", &text)], &[]);
    assert_eq!(errors, []);
    (reading.inventory, reading.resolver.expect("a resolver"))
}

fn bound(name: &str, role: &str, subject: Value) -> Value {
    json!({ "apiVersion": API, "kind": "ClusterRoleBinding", "metadata": { "name": name }, "roleRef": { "kind": "ClusterRole", "name": role }, "subjects": [subject] })
}

#[test]
fn a_binding_to_everybody_is_told() {
    for (kind, name) in [
        ("Group", "system:authenticated"),
        ("Group", "system:unauthenticated"),
        ("Group", "system:serviceaccounts"),
        ("Group", "system:serviceaccounts:ops"),
        ("User", "system:anonymous"),
    ] {
        let all = json!([
            bound("open", "edit", json!({ "kind": kind, "name": name })),
            bound("usual", "system:discovery", json!({ "kind": kind, "name": name })),
            { "apiVersion": "v1", "kind": "ServiceAccount", "metadata": { "name": "a", "namespace": "ops" } },
        ]);
        let (_, resolver) = read(&all);
        let hints = resolver.edges_left_out();
        let told: Vec<&str> = hints
            .iter()
            .map(|hint| &*hint.message)
            .filter(|message| message.starts_with("k8s.public-binding"))
            .collect();
        assert!(matches!(told.as_slice(), [one] if one.contains(name) && one.contains("ClusterRole edit")), "{told:?}");
        // Whoever is in the group holds the role.
        let account = IdentityId::from("kubernetes:c:serviceaccount:ops/a");
        let holds = resolver.access(&account).is_some_and(|access| {
            access.operations().intersects(&resolver.catalog().expand("create deployments.apps"))
        });
        let member = !matches!(name, "system:unauthenticated" | "system:anonymous");
        assert_eq!(holds, member, "{name}");
    }
    let (_, resolver) = read(&json!([bound("team", "edit", json!({ "kind": "Group", "name": "team" }))]));
    assert_eq!(resolver.edges_left_out(), []);
}

#[test]
fn the_cloud_role_of_an_account_is_a_step() {
    for (annotation, role) in [
        ("eks.amazonaws.com/role-arn", "arn:aws:iam::111122223333:role/a"),
        ("azure.workload.identity/client-id", "00000000-0000-0000-0000-000000000001"),
        ("iam.gke.io/gcp-service-account", "a@project.iam.gserviceaccount.com"),
    ] {
        let metadata = json!({ "name": "a", "namespace": "ops", "annotations": { annotation: role } });
        let (_, resolver) = read(
            &json!([{ "apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata }, bound("b", "view", json!({ "kind": "User", "name": "ann" }))]),
        );
        let edges = resolver.edges();
        let step = edges.iter().find(|edge| edge.target == EdgeTarget::Identity(role.into())).expect("a step");
        assert_eq!((&*step.technique, step.escalation), ("workload-identity", false));
    }
}

#[test]
fn use_is_not_known() {
    let (_, resolver) = cluster(false, &[], &[]);
    assert!(resolver.used(&actor()).is_none());
}

#[test]
fn a_binding_to_nothing_is_told() {
    let server = |name: &str| json!({ "apiVersion": API, "kind": "ClusterRole", "metadata": { "name": name, "uid": "1" }, "rules": [] });
    let account = json!({ "kind": "ServiceAccount", "name": "gone", "namespace": "ops" });
    let there = json!({ "apiVersion": "v1", "kind": "ServiceAccount", "metadata": { "name": "a", "namespace": "ops", "uid": "2" } });
    let (inventory, _) = read(&json!([
        server("cluster-admin"),
        server("system:aggregate-to-view"),
        there,
        bound("lost-role", "lost", json!({ "kind": "User", "name": "ann" })),
        bound("lost-account", "cluster-admin", account),
    ]));
    let told = |text: &str| inventory.hints.iter().any(|hint| hint.message.contains(text));
    assert!(told("lost-role binds ClusterRole lost, which does not exist"), "{:?}", inventory.hints);
    assert!(told("binds ServiceAccount ops/gone, which does not exist"), "{:?}", inventory.hints);
}

#[test]
fn versions_of_which_nothing_is_known_leave_it_open() {
    let old = TECHNIQUES.iter().find(|technique| matches!(technique.versions, Versions::Before(_))).unwrap();
    assert_eq!(
        [None, Some(Version::new(1, 34)), Some(Version::new(1, 35))].map(|version| old.works_on(version)),
        [Truth::Unknown, Truth::Yes, Truth::No]
    );
}
