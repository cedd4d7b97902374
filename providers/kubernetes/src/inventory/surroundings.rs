//! What the place where a pod runs does to it: network policies, Pod Security, the Secrets that it is given.

use std::collections::HashMap;
use std::sync::Arc;

use evenhand_model::evidence::Fact;
use evenhand_model::workload::Surroundings;
use foldhash::fast::FixedState;

use super::Join;
use crate::capture::{Account, Cluster, NetworkRules, Reach, Workload};
use crate::rbac::Labels;

/// The label by which a namespace says what the server refuses in it.
const ENFORCE: &str = "pod-security.kubernetes.io/enforce";

/// What decides over the surroundings of all workloads of a cluster.
pub(super) struct Places {
    network: HashMap<Arc<str>, Vec<NetworkRules>, FixedState>,
    /// Whether pods that no policy selects are known to be selected by none.
    network_known: bool,
    /// Whether that is so in all namespaces: manifests are those of some, only a server lists all.
    network_whole: bool,
    /// Whether rules of another kind were seen, which may limit what these let through.
    other_network: bool,
    /// Whether something else than Pod Security refuses privileged pods, or may be there and do so.
    other_guard: bool,
}

impl Places {
    pub(super) fn of(cluster: &mut Cluster) -> Self {
        let mut network: HashMap<Arc<str>, Vec<NetworkRules>, FixedState> = HashMap::default();
        for rules in std::mem::take(&mut cluster.network) {
            network.entry(Arc::clone(&rules.namespace)).or_default().push(rules);
        }
        // What was not listed may be there; what a guard asks of pods is not read.
        let other_guard = cluster.guards_pods || !cluster.has_all("ValidatingWebhookConfiguration");
        let network_known = cluster.has_all("NetworkPolicy") && !cluster.other_network;
        let network_whole = network.values().flatten().all(|rules| rules.from_server);
        Self { network, network_known, network_whole, other_network: cluster.other_network, other_guard }
    }
}

impl Join<'_> {
    pub(super) fn surroundings(&self, workload: &Workload, account: Option<&Account>, places: &Places) -> Surroundings {
        let mut secrets: Vec<Arc<str>> =
            workload.secret_refs.iter().chain(&workload.pull_secrets).map(Arc::clone).collect();
        if workload.pull_secrets.is_empty() {
            // The server writes those of the account into pods that name none.
            secrets.extend(account.into_iter().flat_map(|account| account.pull_secrets.iter().map(Arc::clone)));
        }
        secrets.sort();
        secrets.dedup();
        let [ingress_restricted, egress_restricted] = self.network(workload, places);
        Surroundings {
            default_identity: Fact::Known(&*workload.account == "default"),
            egress_restricted,
            ingress_restricted,
            hardening_enforced: self.hardening(workload, places),
            secrets: Fact::read((!secrets.is_empty()).then_some(secrets)),
        }
    }

    /// Whether network policies limit what a pod takes and what it sends. Several policies that select it add up to what
    /// any of them lets through.
    fn network(&self, workload: &Workload, places: &Places) -> [Fact<bool>; 2] {
        if workload.host_network {
            return [Fact::Known(false), Fact::Known(false)];
        }
        let rules = places.network.get(&workload.namespace).map_or(&[][..], Vec::as_slice);
        let labels: Labels = if rules.is_empty() { Labels::new() } else { workload.labels.iter().cloned().collect() };
        let selecting: Vec<&NetworkRules> = rules.iter().filter(|rules| rules.selector.matches(&labels)).collect();
        let directions: [fn(&NetworkRules) -> Option<Reach>; 2] = [|rules| rules.ingress, |rules| rules.egress];
        directions.map(|reach| {
            let mut limited = false;
            for reach in selecting.iter().filter_map(|rules| reach(rules)) {
                match reach {
                    Reach::Anywhere if places.other_network => return Fact::Unknown,
                    Reach::Anywhere => return Fact::Known(false),
                    Reach::Limited => limited = true,
                }
            }
            if limited {
                Fact::Known(true)
            } else if places.network_known && (places.network_whole || !rules.is_empty()) {
                Fact::Known(false)
            } else {
                Fact::Unknown
            }
        })
    }

    /// Whether its namespace refuses privileged pods: the levels `baseline` and `restricted` do.
    fn hardening(&self, workload: &Workload, places: &Places) -> Fact<bool> {
        let Some(namespace) = self.cluster.namespaces.get(&workload.namespace) else { return Fact::Unknown };
        match namespace.labels.get(ENFORCE).map(|level| &**level) {
            Some("baseline" | "restricted") => Fact::Known(true),
            _ if places.other_guard => Fact::Unknown,
            _ => Fact::Known(false),
        }
    }
}
