//! What the capture does not hold, and the audit log as far as anything tells of it.

use std::sync::Arc;

use evenhand_model::evidence::{Evidence, Fact};
use evenhand_model::gap::Subject::{
    Access, Controls, Credentials, Declared, Escalation, HumanRoles, Logs, Nature, Record, Trust, Users, Workload,
};
use evenhand_model::gap::{Gap, GapKind, Lost, Subject};
use evenhand_model::id::ScopeId;
use evenhand_model::log::Log;

use super::{Join, PROVIDER};
use crate::capture::Refused;
use crate::catalog::is_called;

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
        Lost::of("access in the whole cluster", &[Access, Escalation, HumanRoles]),
    ),
    (
        &["RoleBinding"],
        "kubectl get rolebindings -A -o json",
        Lost::of("access in namespaces", &[Access, Escalation, HumanRoles]),
    ),
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
        Lost::of("owners, environments, and whether privileged pods are refused", &[Declared, Workload]),
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

impl Refused {
    /// Whether objects of a kind were asked for.
    fn is_for(&self, kind: &str) -> bool {
        is_called(kind, &self.group, &self.resource)
    }

    fn gap(&self, scope: &ScopeId) -> Gap {
        let code = self.code.map(|code| format!("code {code}"));
        let words = [Some(&*self.reason).filter(|reason| !reason.is_empty()), code.as_deref()];
        let how = words.into_iter().flatten().collect::<Vec<_>>().join(", ");
        let said = if self.message.is_empty() { String::new() } else { format!(": {}", self.message) };
        let remedy = match self.code {
            Some(401 | 403) => {
                "export it again as somebody who may list it (`evenhand doctor kubernetes --print-role`)"
            }
            _ => "export it again",
        };
        let wanted = WANTED.iter().find(|(kinds, ..)| kinds.iter().any(|kind| self.is_for(kind)));
        Gap {
            provider: Some(PROVIDER),
            scope: Some(scope.clone()),
            kind: GapKind::Failed,
            call: self.origin.evidence("").to_string().into(),
            reason: format!("the server answered with no objects ({how}){said}; {remedy}").into(),
            facts: vec![wanted.map_or_else(|| Lost::everything("whatever was asked for"), |(.., facts)| facts.clone())],
        }
    }
}

impl Join<'_> {
    pub(super) fn take_gaps(&mut self) {
        for (kinds, call, facts) in WANTED {
            let cluster = &self.cluster;
            let refused = |kind: &&str| cluster.refused.iter().any(|call| call.is_for(kind));
            let told = |kind: &&str| cluster.seen.contains(*kind) || cluster.missing.contains(*kind) || refused(kind);
            if !kinds.iter().any(told) {
                let what = kinds.join(", ");
                self.gap(call, format!("the capture holds no {what}; export with this command"), facts.clone());
            }
        }
        for call in std::mem::take(&mut self.cluster.refused) {
            self.joined.inventory.gaps.push(call.gap(&self.scope));
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
