//! Network policies: which pods they select, and whether what they let through is limited at all.

use std::sync::Arc;

use serde::Deserialize;

use super::take::{Taking, member, namespace};
use crate::documents::{Found, Problem};
use crate::rbac::LabelSelector;

/// What a policy lets through in one direction.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Reach {
    /// Nothing, or named peers only.
    Limited,
    /// Any peer.
    Anywhere,
}

/// A NetworkPolicy.
#[derive(Clone, Debug)]
pub(crate) struct NetworkRules {
    pub(crate) namespace: Arc<str>,
    pub(crate) selector: LabelSelector,
    /// `None` = it says nothing of this direction.
    pub(crate) ingress: Option<Reach>,
    pub(crate) egress: Option<Reach>,
    /// Whether a server returned it.
    pub(crate) from_server: bool,
}

/// Kinds of network rules that other software adds, by group and kind. What they select is not read.
pub(super) fn is_other(group: &str, kind: &str) -> bool {
    match group {
        "cilium.io" => kind.ends_with("NetworkPolicy"),
        "crd.projectcalico.org" | "projectcalico.org" => kind.ends_with("NetworkPolicy"),
        "policy.networking.k8s.io" => kind.ends_with("NetworkPolicy"),
        _ => false,
    }
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Spec {
    pod_selector: LabelSelector,
    policy_types: Option<Vec<String>>,
    ingress: Option<Vec<Rule>>,
    egress: Option<Vec<Rule>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Rule {
    from: Option<Vec<Peer>>,
    to: Option<Vec<Peer>>,
    ports: Option<Vec<Port>>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Peer {
    ip_block: Option<Block>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Block {
    cidr: String,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Port {
    port: Option<serde_json::Value>,
    end_port: Option<serde_json::Value>,
}

impl Rule {
    /// A rule without peers lets any through; name resolution alone is no way out.
    fn is_open(&self, peers: &Option<Vec<Peer>>) -> bool {
        let peers = peers.as_deref().unwrap_or_default();
        let everywhere = |peer: &Peer| {
            peer.ip_block.as_ref().is_some_and(|block| matches!(block.cidr.as_str(), "0.0.0.0/0" | "::/0"))
        };
        let ports = self.ports.as_deref().unwrap_or_default();
        let resolves_names = !ports.is_empty()
            && ports.iter().all(|port| match &port.port {
                _ if port.end_port.is_some() => false,
                Some(serde_json::Value::Number(number)) => number.as_u64() == Some(53),
                Some(serde_json::Value::String(name)) => name.starts_with("dns"),
                _ => false,
            });
        (peers.is_empty() || peers.iter().any(everywhere)) && !resolves_names
    }
}

/// A NetworkPolicy, reduced.
pub(super) fn rules(found: &Found<'_, '_>, taking: &mut Taking<'_>) -> Result<NetworkRules, Problem> {
    let spec: Spec = member(found, found.object.spec, "spec")?.unwrap_or_default();
    // Without types a policy is one of ingress, and one of egress where it has such rules.
    let types = |wanted: &str, by_default: bool| match &spec.policy_types {
        Some(types) if !types.is_empty() => types.iter().any(|held| held == wanted),
        _ => by_default,
    };
    let reach = |rules: &Option<Vec<Rule>>, peers: fn(&Rule) -> &Option<Vec<Peer>>| {
        let open = rules.iter().flatten().any(|rule| rule.is_open(peers(rule)));
        if open { Reach::Anywhere } else { Reach::Limited }
    };
    Ok(NetworkRules {
        namespace: namespace(&found.object.meta, taking),
        ingress: types("Ingress", true).then(|| reach(&spec.ingress, |rule| &rule.from)),
        egress: types("Egress", spec.egress.is_some()).then(|| reach(&spec.egress, |rule| &rule.to)),
        selector: spec.pod_selector,
        from_server: !found.object.meta.uid.is_empty(),
    })
}
