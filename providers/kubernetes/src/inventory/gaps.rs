//! What the capture does not hold, and the audit log as far as anything tells of it.

use std::sync::Arc;

use evenhand_model::evidence::{Evidence, Fact};
use evenhand_model::gap::Subject::{
    Access, Controls, Credentials, Declared, Escalation, Logs, Nature, Record, Trust, Users, Workload,
};
use evenhand_model::gap::{Gap, GapKind, Lost, Subject};
use evenhand_model::log::Log;

use super::{Join, PROVIDER};

/// Kinds of which any one will do, the call that exports them, and the facts that are unknown without.
const WANTED: &[(&[&str], &str, Lost)] = &[
    (
        &["ServiceAccount"],
        "kubectl get serviceaccounts -A -o json",
        Lost::of("which service accounts exist, owners, cloud roles", &[Record, Declared, Trust]),
    ),
    (
        &["ClusterRoleBinding"],
        "kubectl get clusterrolebindings -o json",
        Lost::of("access in the whole cluster", &[Access, Escalation]),
    ),
    (&["RoleBinding"], "kubectl get rolebindings -A -o json", Lost::of("access in namespaces", &[Access, Escalation])),
    (
        &["ClusterRole"],
        "kubectl get clusterroles -o json",
        Lost::of("what roles of the cluster grant", &[Access, Escalation]),
    ),
    (&["Role"], "kubectl get roles -A -o json", Lost::of("what roles of namespaces grant", &[Access, Escalation])),
    (
        &["Secret"],
        "kubectl get secrets -A --field-selector type=kubernetes.io/service-account-token -o json, with `data` removed",
        Lost::of("tokens without expiry", &[Credentials, Escalation]),
    ),
    (
        &["Pod", "Deployment", "DaemonSet", "StatefulSet", "Job", "CronJob", "ReplicaSet", "ReplicationController"],
        "kubectl get pods,deployments,daemonsets,statefulsets,jobs,cronjobs -A -o json",
        Lost::of("what runs with each account", &[Users, Workload, Nature, Escalation]),
    ),
    (
        &["Namespace"],
        "kubectl get namespaces -o json",
        Lost::of("environments, and whether privileged pods are refused", &[Declared, Workload]),
    ),
    (
        &["NetworkPolicy"],
        "kubectl get networkpolicies -A -o json",
        Lost::of("where workloads may connect to", &[Workload]),
    ),
    (
        &["ValidatingWebhookConfiguration", "ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"],
        "kubectl get validatingwebhookconfigurations,validatingadmissionpolicies,validatingadmissionpolicybindings -o json",
        Lost::of("what stands before an operation that roles allow", &[Controls]),
    ),
];

/// What objects of a kind tell of; the empty kind stands for any.
pub(crate) fn about(kind: &str) -> &'static [Subject] {
    match kind {
        "Service" | "Ingress" | "HTTPRoute" => &[Workload],
        "ConfigMap" => &[Trust, Credentials],
        kind => WANTED.iter().find(|(kinds, ..)| kinds.contains(&kind)).map_or(Subject::ALL, |(.., lost)| lost.about),
    }
}

impl Join<'_> {
    pub(super) fn take_gaps(&mut self) {
        for (kinds, call, facts) in WANTED {
            let told = |kind: &&str| self.cluster.seen.contains(*kind) || self.cluster.missing.contains(*kind);
            if !kinds.iter().any(told) {
                let what = kinds.join(", ");
                self.gap(call, format!("the capture holds no {what}; export with this command"), facts.clone());
            }
        }
        self.take_audit();
    }

    fn gap(&mut self, call: &str, reason: String, facts: Lost) {
        self.joined.inventory.gaps.push(Gap {
            provider: Some(PROVIDER),
            scope: Some(self.scope.clone()),
            kind: GapKind::NotCollected,
            call: call.into(),
            reason: reason.into(),
            facts: vec![facts],
        });
    }

    /// The audit policy is a file of the API server and no API object: its pod's arguments tell, or the configuration.
    fn take_audit(&mut self) {
        let setting =
            |key: &str| self.settings.get(&format!("clusters.{}.{key}", self.name)).or_else(|| self.settings.get(key));
        let configured = setting("audit_log").and_then(|word| match word.as_str() {
            "on" | "true" => Some(true),
            "off" | "false" => Some(false),
            _ => None,
        });
        let days = setting("audit_retention_days").and_then(|days| days.parse::<i64>().ok());
        let server =
            self.cluster.workloads.iter().find_map(|workload| Some((workload.audit?, workload.origin.evidence(""))));
        let log = |enabled: bool, retention: Option<i64>, evidence: Evidence| Log {
            scope: self.scope.clone(),
            provider: PROVIDER,
            name: Arc::from("API server audit log"),
            enabled: Fact::Known(enabled),
            // An agent's account is recorded like any other.
            covers_agents: Fact::Known(enabled),
            retention_days: Fact::known(retention),
            tamper_protected: Fact::Unknown,
            evidence,
        };
        let found = match (configured, server) {
            (Some(enabled), _) => Some(log(enabled, days, Evidence::whole("evenhand.toml"))),
            (None, Some((audit, evidence))) => Some(log(audit.policy, audit.max_age_days.or(days), evidence)),
            (None, None) => None,
        };
        match found {
            Some(log) => self.joined.inventory.logs.push(log),
            None => self.gap(
                "audit policy of the API server",
                "no API object holds it; set `audit_log = \"on\"` or `\"off\"` under `[providers.kubernetes]`"
                    .to_owned(),
                Lost::of("whether actions of this cluster's identities are recorded", &[Logs]),
            ),
        }
    }
}
