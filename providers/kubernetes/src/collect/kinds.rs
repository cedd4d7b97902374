//! Every list and object that the collector asks for. All else follows from this table: the requests, the roles that
//! allow them, what `doctor` tries, and the facts that a refusal costs.

use crate::server::manifest::Call;

/// A kind of objects, or all kinds of a group.
#[derive(Debug)]
pub(crate) struct Kind {
    /// The API group; empty for the core.
    pub(crate) group: &'static str,
    /// The version to ask for where the server does not say which ones it serves.
    pub(crate) version: &'static str,
    /// The plural name; [`EVERY`] for all resources of the group that the server says can be listed.
    pub(crate) resource: &'static str,
    /// The kind of its objects; empty for all of a group.
    pub(crate) kind: &'static str,
    pub(crate) ask: Ask,
    /// Whether what the cluster reports of an object is kept beside what people want of it.
    pub(crate) status: bool,
    /// Whether every server has it. Where another one is absent, nothing is missing.
    pub(crate) builtin: bool,
    /// Resources of a whole group that are left out: they hold no facts.
    pub(crate) except: &'static [&'static str],
    /// What is unknown without it.
    pub(crate) facts: &'static str,
}

/// Stands for all resources of a group, as in roles.
pub(crate) const EVERY: &str = "*";

/// What is asked of a kind.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Ask {
    /// All objects.
    Objects,
    /// The metadata of all objects that a field selector leaves, in a document of its own. Where the selector names their
    /// type, it is put back, since metadata do not tell it.
    Metadata { selector: &'static str, type_: Option<&'static str>, document: &'static str },
    /// One object, by namespace and name.
    Object { namespace: &'static str, name: &'static str, document: &'static str },
}

const RBAC: &str = "rbac.authorization.k8s.io";
const ADMISSION: &str = "admissionregistration.k8s.io";
const PROVES_TOKENS: &str = "tokens without expiry";

const fn builtin(
    group: &'static str,
    resource: &'static str,
    kind: &'static str,
    status: bool,
    facts: &'static str,
) -> Kind {
    Kind { group, version: "v1", resource, kind, ask: Ask::Objects, status, builtin: true, except: &[], facts }
}

const fn newer(
    group: &'static str,
    version: &'static str,
    resource: &'static str,
    kind: &'static str,
    facts: &'static str,
) -> Kind {
    Kind { group, version, resource, kind, ask: Ask::Objects, status: true, builtin: false, except: &[], facts }
}

const fn every(group: &'static str, except: &'static [&'static str], facts: &'static str) -> Kind {
    Kind {
        group,
        version: "",
        resource: EVERY,
        kind: "",
        ask: Ask::Objects,
        status: true,
        builtin: false,
        except,
        facts,
    }
}

const fn map(name: &'static str, document: &'static str, facts: &'static str) -> Kind {
    Kind {
        group: "",
        version: "v1",
        resource: "configmaps",
        kind: "ConfigMap",
        ask: Ask::Object { namespace: "kube-system", name, document },
        status: false,
        builtin: true,
        except: &[],
        facts,
    }
}

const fn secrets(selector: &'static str, type_: Option<&'static str>, document: &'static str) -> Kind {
    Kind {
        group: "",
        version: "v1",
        resource: "secrets",
        kind: "Secret",
        ask: Ask::Metadata { selector, type_, document },
        status: false,
        builtin: true,
        except: &[],
        facts: PROVES_TOKENS,
    }
}

/// The kinds that are always asked for.
pub(crate) const KINDS: &[Kind] = &[
    builtin("", "serviceaccounts", "ServiceAccount", false, "which service accounts exist, owners, cloud roles"),
    builtin(RBAC, "clusterrolebindings", "ClusterRoleBinding", false, "access in the whole cluster"),
    builtin(RBAC, "rolebindings", "RoleBinding", false, "access in namespaces"),
    builtin(RBAC, "clusterroles", "ClusterRole", false, "what roles of the cluster grant"),
    builtin(RBAC, "roles", "Role", false, "what roles of namespaces grant"),
    builtin("", "namespaces", "Namespace", false, "owners, environments and Pod Security levels of namespaces"),
    builtin("", "pods", "Pod", false, "what runs with each account, keys in environments"),
    builtin("", "replicationcontrollers", "ReplicationController", false, "what runs with each account"),
    builtin("apps", "deployments", "Deployment", false, "what runs with each account, keys in environments"),
    builtin("apps", "daemonsets", "DaemonSet", false, "what runs with each account, keys in environments"),
    builtin("apps", "statefulsets", "StatefulSet", false, "what runs with each account, keys in environments"),
    builtin("apps", "replicasets", "ReplicaSet", false, "which pods belong to which deployment"),
    builtin("batch", "jobs", "Job", false, "what runs with each account, keys in environments"),
    builtin("batch", "cronjobs", "CronJob", false, "what runs with each account, keys in environments"),
    builtin("", "nodes", "Node", false, "which nodes there are"),
    builtin("", "services", "Service", true, "what can be reached from outside"),
    builtin("networking.k8s.io", "ingresses", "Ingress", true, "what can be reached from outside"),
    builtin(
        "networking.k8s.io",
        "networkpolicies",
        "NetworkPolicy",
        false,
        "which workloads are shut off from the network",
    ),
    builtin(
        ADMISSION,
        "validatingwebhookconfigurations",
        "ValidatingWebhookConfiguration",
        false,
        "which changes are checked before they take effect",
    ),
    builtin(
        ADMISSION,
        "mutatingwebhookconfigurations",
        "MutatingWebhookConfiguration",
        false,
        "which changes are rewritten before they take effect",
    ),
    newer(
        ADMISSION,
        "v1",
        "validatingadmissionpolicies",
        "ValidatingAdmissionPolicy",
        "which changes are checked before they take effect",
    ),
    newer(
        ADMISSION,
        "v1",
        "validatingadmissionpolicybindings",
        "ValidatingAdmissionPolicyBinding",
        "which changes are checked before they take effect",
    ),
    newer(
        ADMISSION,
        "v1",
        "mutatingadmissionpolicies",
        "MutatingAdmissionPolicy",
        "which changes are rewritten before they take effect",
    ),
    newer(
        ADMISSION,
        "v1",
        "mutatingadmissionpolicybindings",
        "MutatingAdmissionPolicyBinding",
        "which changes are rewritten before they take effect",
    ),
    builtin(
        "certificates.k8s.io",
        "certificatesigningrequests",
        "CertificateSigningRequest",
        true,
        "client certificates that were asked for lately",
    ),
    map("aws-auth", "configmap-aws-auth", "which identities of AWS are mapped to users and groups"),
    map(
        "kube-apiserver-legacy-service-account-token-tracking",
        "configmap-token-tracking",
        "since when the use of tokens without expiry is recorded",
    ),
    newer("gateway.networking.k8s.io", "v1", "httproutes", "HTTPRoute", "what can be reached from outside"),
    every("kyverno.io", &["updaterequests"], "rules of Kyverno that changes have to pass"),
    every("policies.kyverno.io", &[], "rules of Kyverno that changes have to pass"),
    every("templates.gatekeeper.sh", &[], "rules of Gatekeeper that changes have to pass"),
    every("constraints.gatekeeper.sh", &[], "rules of Gatekeeper that changes have to pass"),
    every("kagent.dev", &[], "agents of kagent, their tools and models"),
    every("toolhive.stacklok.dev", &[], "tool servers of ToolHive"),
    every("agents.x-k8s.io", &[], "sandboxes of agents"),
    every("extensions.agents.x-k8s.io", &[], "sandboxes of agents"),
    every("kubeagents.x-k8s.io", &[], "agents of kube-agents"),
    every("core.k8sgpt.ai", &["results"], "agents of k8sgpt"),
    every("serving.kserve.io", &[], "model servers of KServe"),
    every("ray.io", &[], "model servers of Ray"),
    every("production-stack.vllm.ai", &[], "model servers of vLLM"),
    every("inference.networking.k8s.io", &[], "pools of model servers"),
    every("inference.networking.x-k8s.io", &[], "pools of model servers"),
    every("kubeflow.org", &[], "notebooks and training of Kubeflow"),
];

/// What is asked for in addition with `--secrets`: metadata only. The right for it, alas, is the right to read the values.
pub(crate) const SECRETS: &[Kind] = &[
    secrets(
        "type=kubernetes.io/service-account-token",
        Some("kubernetes.io/service-account-token"),
        "secrets-service-account-tokens",
    ),
    secrets("type!=kubernetes.io/service-account-token", None, "secrets"),
];

/// The kinds of a collection.
pub(crate) fn kinds(secrets: bool) -> impl Iterator<Item = &'static Kind> {
    KINDS.iter().chain(if secrets { SECRETS } else { &[] })
}

/// What a server says of itself, and the version that is asked first. Everyone who is let in may ask for these.
pub(crate) const VERSION: Said =
    Said { path: "/version", document: "version", facts: "which techniques work on this version of the server" };
/// The resources of the core group.
pub(crate) const CORE: Said =
    Said { path: "/api", document: "discovery-api", facts: "which resources stars in rules stand for" };
/// The resources of all other groups.
pub(crate) const GROUPS: Said = Said {
    path: "/apis",
    document: "discovery-apis",
    facts: "which resources stars in rules stand for, which agent platforms are installed",
};

/// A document of a server about itself.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Said {
    pub(crate) path: &'static str,
    pub(crate) document: &'static str,
    pub(crate) facts: &'static str,
}

impl Said {
    pub(crate) fn call(&self) -> Call {
        Call { call: format!("get {}", self.path), kind: String::new(), facts: self.facts.to_owned() }
    }
}

impl Kind {
    /// Whether it says something when the server has no such thing. Of what every server has, it is a failure.
    pub(crate) fn may_be_absent(&self) -> bool {
        !self.builtin || matches!(self.ask, Ask::Object { .. })
    }

    /// The verb that a role has to allow.
    pub(crate) fn verb(&self) -> &'static str {
        match self.ask {
            Ask::Object { .. } => "get",
            Ask::Objects | Ask::Metadata { .. } => "list",
        }
    }

    /// The call, as it is known before the server has told its resources.
    pub(crate) fn call(&self) -> Call {
        self.call_of(self.resource)
    }

    /// The call for one resource of the kind.
    pub(crate) fn call_of(&self, resource: &str) -> Call {
        let resource = if self.group.is_empty() { resource.to_owned() } else { format!("{resource}.{}", self.group) };
        let what = match self.ask {
            Ask::Objects => String::new(),
            Ask::Metadata { selector, type_: Some(_), .. } => format!(" {selector}"),
            Ask::Metadata { type_: None, .. } => String::new(),
            Ask::Object { namespace, name, .. } => format!(" {namespace}/{name}"),
        };
        Call {
            call: format!("{} {resource}{what}", self.verb()),
            kind: self.kind.to_owned(),
            facts: self.facts.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::server::manifest;

    #[test]
    fn every_kind_has_a_call_of_its_own_and_only_reads() {
        let mut calls = BTreeSet::new();
        for kind in kinds(true) {
            let call = kind.call();
            assert!(["get", "list"].contains(&kind.verb()) && !kind.facts.is_empty());
            assert!(calls.insert(call.call.clone()), "{}", call.call);
            assert_eq!(kind.resource == EVERY, kind.kind.is_empty(), "{}", call.call);
        }
        assert!(calls.contains(manifest::AWS_AUTH) && calls.contains(manifest::SECRETS));
        assert!(calls.contains("list deployments.apps") && calls.contains("list *.kagent.dev"));
    }

    #[test]
    fn secrets_are_asked_for_by_their_metadata_and_only_where_they_are_wanted() {
        let of = |secrets| {
            kinds(secrets).filter(|kind| kind.resource == "secrets" || kind.resource == EVERY && kind.group.is_empty())
        };
        assert_eq!(of(false).count(), 0);
        assert!(of(true).count() == 2 && of(true).all(|kind| matches!(kind.ask, Ask::Metadata { .. })));
    }
}
