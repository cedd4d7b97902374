//! The techniques.
//!
//! Of several ways to one account the first is reported, so the most direct ones come first. Sources: the RBAC authorizer,
//! the admission plugins and the kubelet of Kubernetes 1.36; for operators and agents, the custom resources of each.

use super::{Leads, Names, Need, Resource, Technique, Versions};
use crate::server::Version;

const WRITE: &[&str] = &["create", "patch", "update"];
const CHANGE: &[&str] = &["patch", "update"];
const READ: &[&str] = &["get", "list", "watch"];
const RBAC: &str = "rbac.authorization.k8s.io";
const ADMISSION: &str = "admissionregistration.k8s.io";
const AUTHENTICATION: &str = "authentication.k8s.io";
const CERTIFICATES: &str = "certificates.k8s.io";
const CONTROLLERS: &[Resource] = &[
    ("apps", "daemonsets", ""),
    ("apps", "deployments", ""),
    ("apps", "replicasets", ""),
    ("apps", "statefulsets", ""),
    ("batch", "cronjobs", ""),
    ("batch", "jobs", ""),
    ("", "replicationcontrollers", ""),
];
const WORKLOADS: &[Resource] = &[
    ("", "pods", ""),
    ("apps", "daemonsets", ""),
    ("apps", "deployments", ""),
    ("apps", "replicasets", ""),
    ("apps", "statefulsets", ""),
    ("batch", "cronjobs", ""),
    ("batch", "jobs", ""),
    ("", "replicationcontrollers", ""),
];
/// Agents and tool servers whose specification names the account that they run with.
const AGENTS: &[Resource] = &[
    ("kagent.dev", "agents", ""),
    ("kagent.dev", "mcpservers", ""),
    ("toolhive.stacklok.dev", "mcpservers", ""),
    ("toolhive.stacklok.dev", "virtualmcpservers", ""),
    ("toolhive.stacklok.dev", "mcpremoteproxies", ""),
    ("agents.x-k8s.io", "sandboxes", ""),
];
const START: Need = Need::Any(&["create"], WORKLOADS);
const CLAIM: Need = Need::Any(&["create"], &[("", "persistentvolumeclaims", "")]);
/// The signer of client certificates, by itself and with all others of its domain.
const CLIENT_SIGNERS: &[&str] = &["kubernetes.io/kube-apiserver-client", "kubernetes.io/*"];
const ARGO: &[&str] = &["argocd-application-controller"];
const KUSTOMIZE: &[&str] = &["kustomize-controller"];
const HELM: &[&str] = &["helm-controller"];
const OPERATORS: &[&str] = &["argocd-application-controller", "helm-controller", "kustomize-controller"];

/// Since 1.35 a WebSocket needs `create` where `get` was enough (AuthorizePodWebsocketUpgradeCreatePermission).
const STRICT_WEBSOCKETS: Version = Version::new(1, 35);
/// Constrained impersonation is on by default since 1.36.
const CONSTRAINED: Version = Version::new(1, 36);

const fn way(id: &'static str, needs: &'static [Need], leads: Leads) -> Technique {
    Technique::new(id, needs, leads)
}

/// All techniques.
pub(in crate::access) const TECHNIQUES: &[Technique] = &[
    way("k8s.impersonate.user-group", &[Need::Any(&["impersonate"], &[("", "users", "")])], Leads::Cluster)
        .names(Names::Identities),
    // A group is claimed beside some user or account.
    way(
        "k8s.impersonate.user-group",
        &[
            Need::Any(&["impersonate"], &[("", "groups", "")]),
            Need::Any(&["impersonate"], &[("", "users", ""), ("", "serviceaccounts", "")]),
        ],
        Leads::ClusterFromAnywhere,
    )
    .names(Names::Identities),
    way(
        "k8s.bind",
        &[Need::Any(&["bind"], &[(RBAC, "clusterroles", "")]), Need::Any(WRITE, &[(RBAC, "clusterrolebindings", "")])],
        Leads::Cluster,
    )
    .names(Names::Roles),
    way(
        "k8s.escalate",
        &[Need::Any(&["escalate"], &[(RBAC, "clusterroles", "")]), Need::Any(CHANGE, &[(RBAC, "clusterroles", "")])],
        Leads::Cluster,
    )
    .names(Names::Objects(&[])),
    way(
        "k8s.csr.approve",
        &[
            Need::Any(&["approve"], &[(CERTIFICATES, "signers", "")]),
            Need::Any(&["create"], &[(CERTIFICATES, "certificatesigningrequests", "")]),
            Need::Any(CHANGE, &[(CERTIFICATES, "certificatesigningrequests", "approval")]),
        ],
        Leads::Cluster,
    )
    .names(Names::Objects(CLIENT_SIGNERS)),
    way("k8s.impersonate.sa", &[Need::Any(&["impersonate"], &[("", "serviceaccounts", "")])], Leads::Accounts)
        .names(Names::Accounts),
    way("k8s.sa-token.create", &[Need::Any(&["create"], &[("", "serviceaccounts", "token")])], Leads::Accounts)
        .names(Names::Accounts),
    way(
        "k8s.bind",
        &[
            Need::Any(&["bind"], &[(RBAC, "roles", ""), (RBAC, "clusterroles", "")]),
            Need::Any(WRITE, &[(RBAC, "rolebindings", "")]),
        ],
        Leads::Accounts,
    )
    .names(Names::Roles),
    way(
        "k8s.escalate",
        &[Need::Any(&["escalate"], &[(RBAC, "roles", "")]), Need::Any(CHANGE, &[(RBAC, "roles", "")])],
        Leads::Accounts,
    )
    .names(Names::Objects(&[])),
    way("k8s.workload.create", &[START], Leads::Accounts),
    way("k8s.workload.update", &[Need::Any(CHANGE, CONTROLLERS)], Leads::Accounts).names(Names::Objects(&[])),
    way("k8s.agent-cr.write", &[Need::Any(WRITE, AGENTS)], Leads::Accounts).names(Names::Objects(&[])),
    way(
        "k8s.secrets.mint-token",
        &[Need::Any(&["create"], &[("", "secrets", "")]), Need::Any(READ, &[("", "secrets", "")])],
        Leads::Accounts,
    ),
    way("k8s.secrets.mint-token", &[Need::Any(CHANGE, &[("", "secrets", "")])], Leads::Accounts),
    way("k8s.secrets.read", &[Need::Any(READ, &[("", "secrets", "")])], Leads::TokenSecrets).names(Names::Secrets),
    way("k8s.pods.exec", &[Need::Any(&["create"], &[("", "pods", "exec"), ("", "pods", "attach")])], Leads::Running),
    way("k8s.pods.exec", &[Need::Any(&["get"], &[("", "pods", "exec"), ("", "pods", "attach")])], Leads::Running)
        .versions(Versions::Before(STRICT_WEBSOCKETS)),
    way("k8s.pods.ephemeral", &[Need::Any(CHANGE, &[("", "pods", "ephemeralcontainers")])], Leads::Running),
    way("k8s.workload.update", &[Need::Any(CHANGE, &[("", "pods", "")])], Leads::Running),
    way(
        "k8s.impersonate.constrained",
        &[
            Need::Any(&["impersonate:serviceaccount"], &[(AUTHENTICATION, "serviceaccounts", "")]),
            Need::Prefix("impersonate-on:serviceaccount:"),
        ],
        Leads::Accounts,
    )
    .conditional()
    .names(Names::Accounts)
    .versions(Versions::Since(CONSTRAINED)),
    way(
        "k8s.impersonate.constrained",
        &[
            Need::Any(&["impersonate:user-info"], &[(AUTHENTICATION, "users", "")]),
            Need::Prefix("impersonate-on:user-info:"),
        ],
        Leads::Cluster,
    )
    .conditional()
    .versions(Versions::Since(CONSTRAINED)),
    way(
        "k8s.impersonate.constrained",
        &[
            Need::Any(&["impersonate:arbitrary-node"], &[(AUTHENTICATION, "nodes", "")]),
            Need::Prefix("impersonate-on:arbitrary-node:"),
        ],
        Leads::Running,
    )
    .conditional()
    .versions(Versions::Since(CONSTRAINED)),
    way(
        "k8s.impersonate.constrained",
        &[
            Need::Any(&["impersonate:associated-node"], &[(AUTHENTICATION, "nodes", "")]),
            Need::Prefix("impersonate-on:associated-node:"),
        ],
        Leads::Running,
    )
    .conditional()
    .versions(Versions::Since(CONSTRAINED)),
    way(
        "k8s.operator-cr.write",
        &[Need::Any(WRITE, &[("argoproj.io", "applications", ""), ("argoproj.io", "appprojects", "")])],
        Leads::Controllers(ARGO),
    )
    .conditional()
    .names(Names::Objects(&[])),
    way(
        "k8s.operator-cr.write",
        &[Need::Any(WRITE, &[("kustomize.toolkit.fluxcd.io", "kustomizations", "")])],
        Leads::Controllers(KUSTOMIZE),
    )
    .conditional()
    .names(Names::Objects(&[])),
    way(
        "k8s.operator-cr.write",
        &[Need::Any(WRITE, &[("helm.toolkit.fluxcd.io", "helmreleases", "")])],
        Leads::Controllers(HELM),
    )
    .conditional()
    .names(Names::Objects(&[])),
    way(
        "k8s.operator-cr.write",
        &[Need::Any(WRITE, &[("tekton.dev", "taskruns", ""), ("tekton.dev", "pipelineruns", "")])],
        Leads::Accounts,
    ),
    // Whoever rewrites the definition rewrites its objects, through a conversion webhook.
    way(
        "k8s.crd.write",
        &[Need::Any(WRITE, &[("apiextensions.k8s.io", "customresourcedefinitions", "")])],
        Leads::Controllers(OPERATORS),
    )
    .conditional()
    .names(Names::Objects(&[])),
    way("k8s.nodes.proxy", &[Need::Any(&["create", "get"], &[("", "nodes", "proxy")])], Leads::Running),
    // What runs on a node that one controls is one's own.
    way(
        "k8s.pods.steal",
        &[
            Need::Any(CHANGE, &[("", "nodes", ""), ("", "nodes", "status")]),
            Need::Any(&["delete"], &[("", "pods", "")]),
        ],
        Leads::Running,
    )
    .conditional(),
    way(
        "k8s.pods.steal",
        &[
            Need::Any(CHANGE, &[("", "nodes", ""), ("", "nodes", "status")]),
            Need::Any(&["create"], &[("", "pods", "eviction")]),
        ],
        Leads::Running,
    )
    .conditional(),
    way("k8s.read-all", &[Need::Everything(READ)], Leads::TokenSecrets),
    way("k8s.all", &[Need::Everything(&[])], Leads::Accounts),
    // The rest leads to the whole cluster, under conditions.
    way("k8s.nodes.proxy", &[Need::Any(&["create", "get"], &[("", "nodes", "proxy")])], Leads::Cluster).conditional(),
    // A privileged pod takes its node, where Pod Security lets it.
    way("k8s.workload.create", &[START], Leads::ClusterFromAnywhere).conditional(),
    way("k8s.workload.update", &[Need::Any(CHANGE, CONTROLLERS)], Leads::ClusterFromAnywhere)
        .conditional()
        .names(Names::Objects(&[])),
    way("k8s.sa-token.create", &[Need::Any(&["create"], &[("", "serviceaccounts", "token")])], Leads::Cluster)
        .conditional(),
    way("k8s.impersonate.sa", &[Need::Any(&["impersonate"], &[("", "serviceaccounts", "")])], Leads::Cluster)
        .conditional(),
    way("k8s.secrets.mint-token", &[Need::Any(CHANGE, &[("", "secrets", "")])], Leads::Cluster).conditional(),
    way(
        "k8s.secrets.mint-token",
        &[Need::Any(&["create"], &[("", "secrets", "")]), Need::Any(READ, &[("", "secrets", "")])],
        Leads::Cluster,
    )
    .conditional(),
    // It takes the key of an authority that the server trusts.
    way(
        "k8s.csr.sign",
        &[
            Need::Any(&["sign"], &[(CERTIFICATES, "signers", "")]),
            Need::Any(CHANGE, &[(CERTIFICATES, "certificatesigningrequests", "status")]),
        ],
        Leads::Cluster,
    )
    .conditional()
    .names(Names::Objects(CLIENT_SIGNERS)),
    way("k8s.webhooks.write", &[Need::Any(WRITE, &[(ADMISSION, "mutatingwebhookconfigurations", "")])], Leads::Cluster)
        .conditional()
        .names(Names::Objects(&[])),
    way(
        "k8s.admission-policy.write",
        &[
            Need::Any(WRITE, &[(ADMISSION, "mutatingadmissionpolicies", "")]),
            Need::Any(WRITE, &[(ADMISSION, "mutatingadmissionpolicybindings", "")]),
        ],
        Leads::Cluster,
    )
    .conditional()
    .names(Names::Objects(&[])),
    way("k8s.apiservice.write", &[Need::Any(WRITE, &[("apiregistration.k8s.io", "apiservices", "")])], Leads::Cluster)
        .conditional()
        .names(Names::Objects(&[])),
    // A volume of the node's own files; Pod Security does not look at PersistentVolumes.
    way(
        "k8s.pv.create",
        &[Need::Any(&["create"], &[("", "persistentvolumes", "")]), CLAIM, START],
        Leads::ClusterFromAnywhere,
    )
    .conditional(),
    // The same through a provisioner, if there is one that takes a path of the node.
    way(
        "k8s.storageclass.write",
        &[Need::Any(&["create", "patch"], &[("storage.k8s.io", "storageclasses", "")]), CLAIM, START],
        Leads::ClusterFromAnywhere,
    )
    .conditional(),
    way("k8s.namespace.patch", &[Need::Any(CHANGE, &[("", "namespaces", "")]), START], Leads::ClusterFromAnywhere)
        .conditional()
        .names(Names::Namespaces),
    way("k8s.aws-auth.write", &[Need::Any(CHANGE, &[("", "configmaps", "")])], Leads::ClusterFrom("kube-system"))
        .names(Names::Objects(&["aws-auth"])),
    // What leads to no account.
    way("k8s.pods.portforward", &[Need::Any(&["create"], &[("", "pods", "portforward")])], Leads::Nowhere),
    way("k8s.pods.portforward", &[Need::Any(&["get"], &[("", "pods", "portforward")])], Leads::Nowhere)
        .versions(Versions::Before(STRICT_WEBSOCKETS)),
    way(
        "k8s.impersonate.attributes",
        &[
            Need::Any(&["impersonate"], &[(AUTHENTICATION, "uids", ""), (AUTHENTICATION, "userextras", "*")]),
            Need::Any(&["impersonate"], &[("", "users", "")]),
        ],
        Leads::Nowhere,
    ),
    way(
        "k8s.bindings.write",
        &[Need::Any(WRITE, &[(RBAC, "rolebindings", ""), (RBAC, "clusterrolebindings", "")])],
        Leads::Nowhere,
    ),
    way("k8s.aggregation", &[Need::Any(WRITE, &[(RBAC, "clusterroles", "")])], Leads::Nowhere),
    way("k8s.nodes.kubelet", &[Need::Any(&["get"], &[("", "nodes", "log"), ("", "nodes", "configz")])], Leads::Nowhere),
    way("k8s.nodes.kubelet", &[Need::Any(&["create"], &[("", "nodes", "checkpoint")])], Leads::Nowhere),
    way(
        "k8s.webhooks.write",
        &[Need::Any(WRITE, &[(ADMISSION, "validatingwebhookconfigurations", "")])],
        Leads::Nowhere,
    ),
    way(
        "k8s.admission-policy.write",
        &[Need::Any(
            &["create", "delete", "patch", "update"],
            &[
                (ADMISSION, "validatingadmissionpolicies", ""),
                (ADMISSION, "validatingadmissionpolicybindings", ""),
                (ADMISSION, "mutatingadmissionpolicies", ""),
                (ADMISSION, "mutatingadmissionpolicybindings", ""),
            ],
        )],
        Leads::Nowhere,
    ),
    way(
        "k8s.traffic.capture",
        &[Need::Any(
            CHANGE,
            &[("", "services", "status"), ("", "endpoints", ""), ("discovery.k8s.io", "endpointslices", "")],
        )],
        Leads::Nowhere,
    ),
    way("k8s.traffic.capture", &[Need::Any(WRITE, &[("", "services", "")])], Leads::Nowhere),
];

/// What each technique does.
pub(in crate::access) const EFFECTS: &[(&str, &str)] = &[
    ("k8s.all", "everything"),
    ("k8s.read-all", "reads every Secret, and in the whole cluster runs commands on nodes: not read-only"),
    ("k8s.secrets.read", "reads credentials"),
    ("k8s.secrets.mint-token", "makes a token without expiry for any account"),
    ("k8s.sa-token.create", "makes a token for any account"),
    ("k8s.workload.create", "runs a pod as any account, with any Secret"),
    ("k8s.workload.update", "changes what an existing workload runs, and as which account"),
    ("k8s.pods.exec", "runs commands in pods"),
    ("k8s.pods.ephemeral", "adds a container to running pods"),
    ("k8s.pods.portforward", "reaches any port of pods"),
    ("k8s.impersonate.user-group", "acts as another user or group"),
    ("k8s.impersonate.sa", "acts as any account"),
    ("k8s.impersonate.attributes", "forges the unique id and extra fields of who acts"),
    ("k8s.impersonate.constrained", "acts as another identity, for some requests"),
    ("k8s.bind", "grants itself roles"),
    ("k8s.escalate", "writes any rule into a role that it holds"),
    ("k8s.bindings.write", "hands out what it holds itself, and keeps it so"),
    ("k8s.aggregation", "makes rules that it holds itself part of other roles"),
    ("k8s.csr.approve", "gets a client certificate for any user or group but the masters"),
    ("k8s.csr.sign", "signs a client certificate, with the key of a trusted authority"),
    ("k8s.nodes.proxy", "runs commands in any pod through the kubelet"),
    ("k8s.nodes.kubelet", "reads logs and settings of nodes, or dumps the memory of containers"),
    ("k8s.pv.create", "mounts files of nodes"),
    ("k8s.storageclass.write", "mounts files of nodes through a provisioner"),
    ("k8s.webhooks.write", "reads what is written to the cluster, Secrets among it, and blocks or changes it"),
    ("k8s.admission-policy.write", "takes guards of the cluster away, or changes what is written to it"),
    ("k8s.crd.write", "reads and rewrites custom resources through a conversion webhook"),
    ("k8s.apiservice.write", "takes over an API group"),
    ("k8s.aws-auth.write", "maps AWS roles to cluster administrators"),
    ("k8s.traffic.capture", "diverts the traffic of services"),
    ("k8s.pods.steal", "pulls pods to a node that it controls"),
    ("k8s.namespace.patch", "drops the Pod Security of a namespace"),
    ("k8s.operator-cr.write", "acts with the rights of an operator"),
    ("k8s.agent-cr.write", "starts an agent or tool server with any account"),
];
