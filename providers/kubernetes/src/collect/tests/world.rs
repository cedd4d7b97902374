//! A small cluster with agents, in which secrets stand wherever people put them.

use serde_json::{Value, json};

use super::server::World;

/// Stands in every place in which a secret may be. Nothing of it may reach a capture.
pub(crate) const CANARY: &str = "fake-canary-0123456789";

const RBAC: (&str, &str) = ("rbac.authorization.k8s.io", "v1");

fn meta(namespace: Option<&str>, name: &str) -> Value {
    let mut meta = json!({
        "name": name,
        "uid": format!("uid-{name}"),
        "creationTimestamp": "2026-01-02T03:04:05Z",
        "managedFields": [{"manager": "kubectl", "fieldsV1": {"f:data": {"f:canary-key": {}}}}],
        "annotations": {
            "kubectl.kubernetes.io/last-applied-configuration": format!("{{\"env\":\"{CANARY}\"}}"),
        },
    });
    if let Some(namespace) = namespace {
        meta["namespace"] = namespace.into();
    }
    meta
}

fn role(namespace: Option<&str>, name: &str, rules: Value) -> Value {
    json!({"metadata": meta(namespace, name), "rules": rules})
}

fn binding(namespace: Option<&str>, name: &str, role: (&str, &str), subjects: Value) -> Value {
    json!({
        "metadata": meta(namespace, name),
        "subjects": subjects,
        "roleRef": {"apiGroup": RBAC.0, "kind": role.0, "name": role.1},
    })
}

/// The template of a pod with literal keys.
fn template(account: &str) -> Value {
    json!({
        "metadata": {
            "labels": {"app": account},
            "annotations": {"kubectl.kubernetes.io/last-applied-configuration": CANARY},
        },
        "spec": {
            "serviceAccountName": account,
            "containers": [{
                "name": "main",
                "image": "ghcr.io/github/github-mcp-server:v1",
                "env": [
                    {"name": "ANTHROPIC_API_KEY", "value": format!("sk-ant-{CANARY}")},
                    {"name": "DB_PASSWORD", "value": CANARY},
                    {"name": "LOG_LEVEL", "value": format!("debug-{CANARY}")},
                    {"name": "HF_TOKEN", "valueFrom": {"secretKeyRef": {"name": "hf", "key": "token"}}},
                ],
                "args": ["serve", "--mcp", format!("--api-key={CANARY}"), "--port=8080"],
            }],
        },
    })
}

/// A pod that a ReplicaSet made.
pub(crate) fn pod(at: usize) -> Value {
    let template = template("tools");
    let mut metadata = meta(Some("ops"), &format!("tools-{at:06}"));
    metadata["labels"] = template["metadata"]["labels"].clone();
    metadata["ownerReferences"] =
        json!([{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "tools-1", "controller": true}]);
    json!({
        "metadata": metadata,
        "spec": template["spec"],
        "status": {"phase": "Running", "containerStatuses": [{"image": CANARY}]},
    })
}

/// A service account.
pub(crate) fn account(at: usize) -> Value {
    json!({"metadata": meta(Some("many"), &format!("account-{at:06}"))})
}

/// The cluster.
pub(crate) fn world() -> World {
    let mut world = World::default();
    let core = ("", "v1");
    let mut agent = meta(Some("ops"), "agent");
    agent["annotations"]["eks.amazonaws.com/role-arn"] = "arn:aws:iam::111122223333:role/agent".into();
    agent["labels"] = json!({"team": "platform"});
    world.add(
        core,
        ("serviceaccounts", "ServiceAccount"),
        true,
        vec![
            json!({"metadata": agent}),
            json!({"metadata": meta(Some("ops"), "tools")}),
            json!({"metadata": meta(Some("shop"), "default"), "automountServiceAccountToken": false}),
        ],
    );
    world.add(
        core,
        ("namespaces", "Namespace"),
        false,
        vec![
            json!({"metadata": meta(None, "ops"), "status": {"phase": "Active"}}),
            json!({"metadata": meta(None, "shop"), "status": {"phase": "Active"}}),
        ],
    );
    world.made(core, ("pods", "Pod"), true, 5, pod);
    world.add(core, ("replicationcontrollers", "ReplicationController"), true, Vec::new());
    world.add(
        core,
        ("nodes", "Node"),
        false,
        vec![json!({"metadata": meta(None, "node-1"), "status": {"images": [CANARY]}})],
    );
    world.add(
        core,
        ("services", "Service"),
        true,
        vec![json!({
            "metadata": meta(Some("ops"), "tools"),
            "spec": {"type": "LoadBalancer", "selector": {"app": "tools"}},
            "status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}},
        })],
    );
    let token = json!({
        "metadata": {
            "name": "tools-token",
            "namespace": "ops",
            "uid": "uid-tools-token",
            "creationTimestamp": "2025-01-02T03:04:05Z",
            "annotations": {
                "kubernetes.io/service-account.name": "tools",
                "kubectl.kubernetes.io/last-applied-configuration": CANARY,
            },
            "labels": {"kubernetes.io/legacy-token-last-used": "2026-10-01"},
        },
        "type": "kubernetes.io/service-account-token",
        "data": {"token": CANARY},
    });
    let opaque = json!({"metadata": meta(Some("ops"), "hf"), "type": "Opaque", "data": {"token": CANARY}});
    world.add(core, ("secrets", "Secret"), true, vec![token, opaque]);
    world.add(
        core,
        ("configmaps", "ConfigMap"),
        true,
        vec![
            json!({"metadata": meta(Some("kube-system"), "aws-auth"), "data": {"mapRoles": "- rolearn: x"}}),
            json!({"metadata": meta(Some("kube-system"), "kube-apiserver-legacy-service-account-token-tracking"),
                "data": {"since": "2024-01-01"}}),
            json!({"metadata": meta(Some("shop"), "settings"), "data": {"key": CANARY}}),
        ],
    );
    let owner =
        |kind: &str, name: &str| json!([{"apiVersion": "apps/v1", "kind": kind, "name": name, "controller": true}]);
    let mut set = meta(Some("ops"), "tools-1");
    set["ownerReferences"] = owner("Deployment", "tools");
    let apps = ("apps", "v1");
    world.add(
        apps,
        ("deployments", "Deployment"),
        true,
        vec![json!({"metadata": meta(Some("ops"), "tools"), "spec": {"template": template("tools")}, "status": {"replicas": 5}})],
    );
    world.add(
        apps,
        ("replicasets", "ReplicaSet"),
        true,
        vec![json!({"metadata": set, "spec": {"template": template("tools")}})],
    );
    world.add(apps, ("daemonsets", "DaemonSet"), true, Vec::new());
    world.add(apps, ("statefulsets", "StatefulSet"), true, Vec::new());
    let batch = ("batch", "v1");
    world.add(batch, ("jobs", "Job"), true, Vec::new());
    world.add(
        batch,
        ("cronjobs", "CronJob"),
        true,
        vec![json!({
            "metadata": meta(Some("shop"), "report"),
            "spec": {"jobTemplate": {"spec": {"template": template("default")}}},
        })],
    );
    let account = |name: &str| json!([{"kind": "ServiceAccount", "name": name, "namespace": "ops"}]);
    world.add(
        RBAC,
        ("clusterroles", "ClusterRole"),
        false,
        vec![
            role(None, "all", json!([{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}])),
            role(None, "look", json!([{"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list"]}])),
        ],
    );
    world.add(
        RBAC,
        ("clusterrolebindings", "ClusterRoleBinding"),
        false,
        vec![binding(None, "tools", ("ClusterRole", "all"), account("tools"))],
    );
    world.add(
        RBAC,
        ("roles", "Role"),
        true,
        vec![role(Some("ops"), "read", json!([{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get"]}]))],
    );
    world.add(
        RBAC,
        ("rolebindings", "RoleBinding"),
        true,
        vec![
            binding(Some("ops"), "agent", ("ClusterRole", "look"), account("agent")),
            binding(
                Some("ops"),
                "people",
                ("Role", "read"),
                json!([{"kind": "Group", "apiGroup": RBAC.0, "name": "sre"}]),
            ),
        ],
    );
    world.add(("networking.k8s.io", "v1"), ("ingresses", "Ingress"), true, Vec::new());
    world.add(("networking.k8s.io", "v1"), ("networkpolicies", "NetworkPolicy"), true, Vec::new());
    for (name, kind) in [
        ("validatingwebhookconfigurations", "ValidatingWebhookConfiguration"),
        ("mutatingwebhookconfigurations", "MutatingWebhookConfiguration"),
        ("validatingadmissionpolicies", "ValidatingAdmissionPolicy"),
        ("validatingadmissionpolicybindings", "ValidatingAdmissionPolicyBinding"),
    ] {
        world.add(("admissionregistration.k8s.io", "v1"), (name, kind), false, Vec::new());
    }
    world.add(
        ("certificates.k8s.io", "v1"),
        ("certificatesigningrequests", "CertificateSigningRequest"),
        false,
        Vec::new(),
    );
    world.add(
        ("kagent.dev", "v1alpha2"),
        ("agents", "Agent"),
        true,
        vec![json!({
            "metadata": meta(Some("ops"), "agent"),
            "spec": {
                "type": "Declarative",
                "declarative": {
                    "systemMessage": format!("the password is {CANARY}"),
                    "deployment": {
                        "serviceAccountName": "agent",
                        "env": [{"name": "OPENAI_API_KEY", "value": CANARY}],
                    },
                    "tools": [{"type": "McpServer", "mcpServer": {"kind": "MCPServer", "name": "tools", "toolNames": ["apply"]}}],
                },
            },
            "status": {"conditions": [{"type": "Ready", "status": "True"}]},
        })],
    );
    world.add(
        ("kagent.dev", "v1alpha1"),
        ("mcpservers", "MCPServer"),
        true,
        vec![json!({
            "metadata": meta(Some("ops"), "tools"),
            "spec": {"transportType": "stdio", "deployment": {"serviceAccountName": "tools", "env": {"API_KEY": CANARY}}},
        })],
    );
    world
}
