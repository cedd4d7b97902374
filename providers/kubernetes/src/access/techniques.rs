//! The ways to more access, as data: which permissions each takes, and where it leads.
//!
//! What a technique needs must be held together in one place, by whatever bindings. Techniques whose effect is a side
//! effect on others (diverting traffic, deleting pods) lead to no account and are not listed.

use evenhand_model::opset::OpSet;

use crate::catalog::Operations;

/// Some verbs on some resources, of which any one will do: verbs, then group, resource and subresource.
pub(super) struct Need(
    pub(super) &'static [&'static str],
    pub(super) &'static [(&'static str, &'static str, &'static str)],
);

/// Where a technique leads.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Leads {
    /// To every account of the place.
    Accounts,
    /// To the accounts that workloads of the place carry.
    Running,
    /// To the accounts whose tokens lie in Secrets of the place.
    TokenSecrets,
    /// To the accounts with these names, wherever they are.
    Controllers(&'static [&'static str]),
    /// To full control of the cluster; only where it is held in the whole cluster.
    Cluster,
    /// To full control of the cluster, where it is held in this namespace.
    ClusterFrom(&'static str),
}

/// A way to more access.
pub(super) struct Technique {
    pub(super) id: &'static str,
    /// All of them are needed.
    pub(super) needs: &'static [Need],
    pub(super) leads: Leads,
    /// Whether it works only under circumstances that no export shows.
    pub(super) conditional: bool,
    /// Whether names in a rule choose the accounts: a token or an impersonation of just these.
    pub(super) by_name: bool,
}

const WRITE: &[&str] = &["create", "patch", "update"];
const CHANGE: &[&str] = &["patch", "update"];
const RBAC: &str = "rbac.authorization.k8s.io";
const ADMISSION: &str = "admissionregistration.k8s.io";
const CONTROLLERS: &[(&str, &str, &str)] = &[
    ("apps", "daemonsets", ""),
    ("apps", "deployments", ""),
    ("apps", "replicasets", ""),
    ("apps", "statefulsets", ""),
    ("batch", "cronjobs", ""),
    ("batch", "jobs", ""),
    ("", "replicationcontrollers", ""),
];
const WORKLOADS: &[(&str, &str, &str)] = &[
    ("", "pods", ""),
    ("apps", "daemonsets", ""),
    ("apps", "deployments", ""),
    ("apps", "replicasets", ""),
    ("apps", "statefulsets", ""),
    ("batch", "cronjobs", ""),
    ("batch", "jobs", ""),
    ("", "replicationcontrollers", ""),
];

const fn technique(id: &'static str, needs: &'static [Need], leads: Leads) -> Technique {
    Technique { id, needs, leads, conditional: false, by_name: false }
}

const fn conditional(id: &'static str, needs: &'static [Need], leads: Leads) -> Technique {
    Technique { id, needs, leads, conditional: true, by_name: false }
}

const fn by_name(id: &'static str, needs: &'static [Need], leads: Leads) -> Technique {
    Technique { id, needs, leads, conditional: false, by_name: true }
}

/// All techniques. Of several ways to one account the first is reported, so the most direct ones come first.
pub(super) const TECHNIQUES: &[Technique] = &[
    technique(
        "k8s.impersonate.user-group",
        &[Need(&["impersonate"], &[("", "users", ""), ("", "groups", "")])],
        Leads::Cluster,
    ),
    technique(
        "k8s.bind",
        &[Need(&["bind"], &[(RBAC, "clusterroles", "")]), Need(WRITE, &[(RBAC, "clusterrolebindings", "")])],
        Leads::Cluster,
    ),
    technique(
        "k8s.escalate",
        &[Need(&["escalate"], &[(RBAC, "clusterroles", "")]), Need(CHANGE, &[(RBAC, "clusterroles", "")])],
        Leads::Cluster,
    ),
    technique(
        "k8s.csr.approve",
        &[
            Need(&["approve"], &[("certificates.k8s.io", "signers", "")]),
            Need(&["create"], &[("certificates.k8s.io", "certificatesigningrequests", "")]),
            Need(CHANGE, &[("certificates.k8s.io", "certificatesigningrequests", "approval")]),
        ],
        Leads::Cluster,
    ),
    by_name("k8s.impersonate.sa", &[Need(&["impersonate"], &[("", "serviceaccounts", "")])], Leads::Accounts),
    by_name("k8s.sa-token.create", &[Need(&["create"], &[("", "serviceaccounts", "token")])], Leads::Accounts),
    technique(
        "k8s.bind",
        &[
            Need(&["bind"], &[(RBAC, "roles", ""), (RBAC, "clusterroles", "")]),
            Need(WRITE, &[(RBAC, "rolebindings", "")]),
        ],
        Leads::Accounts,
    ),
    technique(
        "k8s.escalate",
        &[Need(&["escalate"], &[(RBAC, "roles", "")]), Need(CHANGE, &[(RBAC, "roles", "")])],
        Leads::Accounts,
    ),
    technique("k8s.workload.create", &[Need(&["create"], WORKLOADS)], Leads::Accounts),
    technique("k8s.workload.update", &[Need(CHANGE, CONTROLLERS)], Leads::Accounts),
    technique(
        "k8s.agent-cr.write",
        &[Need(
            WRITE,
            &[
                ("kagent.dev", "agents", ""),
                ("kagent.dev", "mcpservers", ""),
                ("toolhive.stacklok.dev", "mcpservers", ""),
                ("toolhive.stacklok.dev", "virtualmcpservers", ""),
                ("toolhive.stacklok.dev", "mcpremoteproxies", ""),
                ("agents.x-k8s.io", "sandboxes", ""),
            ],
        )],
        Leads::Accounts,
    ),
    technique(
        "k8s.secrets.mint-token",
        &[Need(&["create"], &[("", "secrets", "")]), Need(&["get", "list", "watch"], &[("", "secrets", "")])],
        Leads::Accounts,
    ),
    technique("k8s.secrets.mint-token", &[Need(CHANGE, &[("", "secrets", "")])], Leads::Accounts),
    by_name("k8s.secrets.read", &[Need(&["get", "list", "watch"], &[("", "secrets", "")])], Leads::TokenSecrets),
    technique("k8s.pods.exec", &[Need(&["create"], &[("", "pods", "exec"), ("", "pods", "attach")])], Leads::Running),
    technique("k8s.pods.ephemeral", &[Need(CHANGE, &[("", "pods", "ephemeralcontainers")])], Leads::Running),
    technique("k8s.workload.update", &[Need(CHANGE, &[("", "pods", "")])], Leads::Running),
    conditional(
        "k8s.impersonate.constrained",
        &[
            Need(&["impersonate:serviceaccount"], &[("authentication.k8s.io", "serviceaccounts", "")]),
            Need(&["impersonate-on:serviceaccount:"], &[]),
        ],
        Leads::Accounts,
    ),
    conditional(
        "k8s.impersonate.constrained",
        &[
            Need(&["impersonate:user-info"], &[("authentication.k8s.io", "users", "")]),
            Need(&["impersonate-on:user-info:"], &[]),
        ],
        Leads::Cluster,
    ),
    conditional(
        "k8s.operator-cr.write",
        &[Need(WRITE, &[("argoproj.io", "applications", ""), ("argoproj.io", "appprojects", "")])],
        Leads::Controllers(&["argocd-application-controller"]),
    ),
    conditional(
        "k8s.operator-cr.write",
        &[Need(WRITE, &[("kustomize.toolkit.fluxcd.io", "kustomizations", "")])],
        Leads::Controllers(&["kustomize-controller"]),
    ),
    conditional(
        "k8s.operator-cr.write",
        &[Need(WRITE, &[("helm.toolkit.fluxcd.io", "helmreleases", "")])],
        Leads::Controllers(&["helm-controller"]),
    ),
    technique(
        "k8s.operator-cr.write",
        &[Need(WRITE, &[("tekton.dev", "taskruns", ""), ("tekton.dev", "pipelineruns", "")])],
        Leads::Accounts,
    ),
    technique("k8s.nodes.proxy", &[Need(&["create", "get"], &[("", "nodes", "proxy")])], Leads::Running),
    conditional("k8s.nodes.proxy", &[Need(&["create", "get"], &[("", "nodes", "proxy")])], Leads::Cluster),
    conditional("k8s.workload.create", &[Need(&["create"], WORKLOADS)], Leads::Cluster),
    conditional("k8s.sa-token.create", &[Need(&["create"], &[("", "serviceaccounts", "token")])], Leads::Cluster),
    conditional("k8s.impersonate.sa", &[Need(&["impersonate"], &[("", "serviceaccounts", "")])], Leads::Cluster),
    conditional("k8s.secrets.mint-token", &[Need(CHANGE, &[("", "secrets", "")])], Leads::Cluster),
    conditional(
        "k8s.csr.sign",
        &[
            Need(&["sign"], &[("certificates.k8s.io", "signers", "")]),
            Need(CHANGE, &[("certificates.k8s.io", "certificatesigningrequests", "status")]),
        ],
        Leads::Cluster,
    ),
    conditional(
        "k8s.webhooks.write",
        &[Need(WRITE, &[(ADMISSION, "mutatingwebhookconfigurations", "")])],
        Leads::Cluster,
    ),
    conditional(
        "k8s.admission-policy.write",
        &[
            Need(WRITE, &[(ADMISSION, "mutatingadmissionpolicies", "")]),
            Need(WRITE, &[(ADMISSION, "mutatingadmissionpolicybindings", "")]),
        ],
        Leads::Cluster,
    ),
    conditional(
        "k8s.apiservice.write",
        &[Need(WRITE, &[("apiregistration.k8s.io", "apiservices", "")])],
        Leads::Cluster,
    ),
    conditional(
        "k8s.pv.create",
        &[
            Need(&["create"], &[("", "persistentvolumes", "")]),
            Need(&["create"], &[("", "persistentvolumeclaims", "")]),
            Need(&["create"], WORKLOADS),
        ],
        Leads::Cluster,
    ),
    conditional(
        "k8s.namespace.patch",
        &[Need(CHANGE, &[("", "namespaces", "")]), Need(&["create"], WORKLOADS)],
        Leads::Cluster,
    ),
    conditional("k8s.aws-auth.write", &[Need(CHANGE, &[("", "configmaps", "")])], Leads::ClusterFrom("kube-system")),
];

impl Need {
    /// The operations of which any one will do.
    pub(super) fn operations(&self, operations: &Operations) -> OpSet {
        let Self(verbs, resources) = self;
        if resources.is_empty() {
            // Verbs that contain another verb and stand on whatever resource that verb would.
            return verbs.iter().fold(OpSet::new(), |all, prefix| all.union(&operations.verbs_with_prefix(prefix)));
        }
        resources.iter().fold(OpSet::new(), |all, (group, resource, sub)| {
            all.union(&operations.operations(group, resource, sub, verbs))
        })
    }
}
