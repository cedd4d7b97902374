//! Workloads: what runs with which account, and how it stands to the outside.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use evenhand_model::evidence::Fact;
use evenhand_model::identity::{Nature, Signal, Strength};
use evenhand_model::workload::Workload as Row;
use foldhash::fast::FixedState;
use rayon::prelude::*;

use super::surroundings::Places;
use super::{Join, PROVIDER};
use crate::capture::{Service, Workload, selects};
use crate::rbac::account_user;
use crate::sorted::last_of_each;

impl Join<'_> {
    pub(super) fn take_workloads(&mut self) {
        let mut all = std::mem::take(&mut self.cluster.workloads);
        self.joined.surroundings.workloads_known = !all.is_empty();
        last_of_each(&mut all, |a, b| (&a.namespace, a.kind, &a.name).cmp(&(&b.namespace, b.kind, &b.name)));
        let present: HashSet<(&str, &str, &str), FixedState> =
            all.iter().map(|workload| (&*workload.namespace, workload.kind, &*workload.name)).collect();
        // A pod says nothing that the controller which made it does not say.
        let is_owned = |workload: &Workload| {
            let owner = workload.owner.as_ref();
            owner.is_some_and(|(kind, name)| present.contains(&(&*workload.namespace, &**kind, &**name)))
        };
        let mut owned = all.iter().map(is_owned).collect::<Vec<bool>>().into_iter();
        drop(present);
        all.retain(|_| owned.next() != Some(true));
        let services = self.services();
        let places = Places::of(&mut self.cluster);
        let words: BTreeMap<&str, Arc<str>> = all.iter().map(|one| (one.word, Arc::from(one.word))).collect();
        let rows: Vec<Row> = all.par_iter().map(|workload| self.row(workload, &words, &services, &places)).collect();
        self.joined.inventory.workloads.reserve_exact(rows.len());
        for (workload, row) in all.iter().zip(rows) {
            self.workload(workload, row);
        }
        self.joined.surroundings.running.par_sort_unstable();
        self.joined.surroundings.running.dedup();
        self.cluster.workloads = all;
    }

    /// Services by namespace.
    fn services(&self) -> BTreeMap<Arc<str>, Vec<Service>> {
        let mut by_namespace: BTreeMap<Arc<str>, Vec<Service>> = BTreeMap::new();
        for service in &self.cluster.services {
            by_namespace.entry(Arc::clone(&service.namespace)).or_default().push(service.clone());
        }
        by_namespace
    }

    fn row(
        &self,
        workload: &Workload,
        words: &BTreeMap<&str, Arc<str>>,
        services: &BTreeMap<Arc<str>, Vec<Service>>,
        places: &Places,
    ) -> Row {
        let key = (Arc::clone(&workload.namespace), Arc::clone(&workload.account));
        let account = self.accounts.get(&key);
        let mounted = match (workload.automount, account) {
            (Some(mounted), _) => Fact::Known(mounted),
            (None, Some(account)) => Fact::Known(account.automount.unwrap_or(true)),
            // Every namespace has a default account, and an account that says nothing has its token mounted.
            (None, None) if &*key.1 == "default" => Fact::Known(true),
            (None, None) => Fact::Unknown,
        };
        let name = format!("{}/{}", workload.namespace, workload.name);
        let image = match workload.images.as_slice() {
            [] => None,
            [one] => Some(Arc::clone(one)),
            several => Some(several.join(", ").into()),
        };
        Row {
            id: format!("kubernetes:{}:{}:{name}", self.name, workload.word).into(),
            identity: match self.identities.get(&key) {
                Some(identity) => identity.id.clone(),
                None => self.account_id(&key.0, &key.1),
            },
            provider: PROVIDER,
            kind: words.get(workload.word).map_or_else(|| Arc::from(workload.word), Arc::clone),
            name: name.into(),
            scope: self.scope.clone(),
            image: Fact::read(image),
            token_mounted: mounted,
            needs_token: self.needs_token(&key.0, &key.1),
            exposed: self.exposed(workload, services),
            privileged: Fact::Known(workload.privileged),
            surroundings: self.surroundings(workload, account, places),
            evidence: workload.origin.evidence(""),
        }
    }

    fn workload(&mut self, workload: &Workload, row: Row) {
        let key = (Arc::clone(&workload.namespace), Arc::clone(&workload.account));
        self.imply_account(&key.0, &key.1, || row.evidence.clone());
        if row.token_mounted != Fact::Known(false) {
            self.joined.surroundings.running.push(key.clone());
        }
        if let Some(identity) = self.identities.get_mut(&key) {
            if let Some(owner) = workload.declared.owner()
                && identity.owner.value().is_none()
            {
                identity.owner = Fact::Known(Arc::clone(owner));
            }
            if identity.environment.value().is_none()
                && let Some(environment) = workload.declared.environment()
            {
                identity.environment = Fact::Known(Arc::clone(environment));
            }
        }
        self.declare_workload(workload, &key);
        for sign in &workload.signals {
            let signal = Signal {
                nature: sign.clue.speaks.nature(),
                strength: sign.clue.strength,
                reason: format!("{} {} {}", workload.word, workload.name, sign.clue.reason).into(),
                evidence: sign.origin.evidence(""),
            };
            self.sign(&key, signal);
        }
        self.joined.inventory.workloads.push(row);
    }

    /// Declarations on a workload speak for its account where the account has none of its own and is not shared by name.
    fn declare_workload(&mut self, workload: &Workload, key: &(Arc<str>, Arc<str>)) {
        let Some(all) = workload.declared.get() else { return };
        if &*key.1 == "default" {
            return;
        }
        let Some(identity) = self.identities.get_mut(key) else { return };
        if identity.job.is_none()
            && let Some(job) = &all.job
        {
            identity.job = Some(evenhand_model::id::Job::new(Arc::clone(job)));
        }
        if identity.declared_human_role.is_none() {
            identity.declared_human_role.clone_from(&all.human_role);
        }
        if identity.purpose.value().is_none()
            && let Some(purpose) = &all.purpose
        {
            identity.purpose = Fact::Known(Arc::clone(purpose));
        }
        if all.nature.as_deref() == Some(Nature::AiAgent.as_str()) {
            let reason = format!("{} {} declares it by `evenhand.dev/nature`", workload.word, workload.name).into();
            let (nature, strength) = (Nature::AiAgent, Strength::Certain);
            self.sign(key, Signal { nature, strength, reason, evidence: workload.origin.evidence("") });
        }
    }

    /// An account that nothing is granted has no use for its token; of others only its program could tell.
    fn needs_token(&self, namespace: &str, name: &str) -> Fact<bool> {
        let authorizer = &self.policy.authorizer;
        if !self.policy.known || authorizer.bindings().is_empty() {
            return Fact::Unknown;
        }
        let own = authorizer.bindings_of_user(&account_user(namespace, name));
        let group = authorizer.bindings_of_group(&format!("system:serviceaccounts:{namespace}")).len();
        if own.is_empty() && group == 0 { Fact::Known(false) } else { Fact::Unknown }
    }

    /// Whether requests from outside the cluster reach it.
    fn exposed(&self, workload: &Workload, services: &BTreeMap<Arc<str>, Vec<Service>>) -> Fact<bool> {
        if workload.host_port {
            return Fact::Known(true);
        }
        if self.cluster.services.is_empty() {
            return Fact::Unknown;
        }
        let mut inside = false;
        for service in services.get(&workload.namespace).into_iter().flatten() {
            if !selects(&service.selector, &workload.labels) {
                continue;
            }
            if service.outside
                || self.cluster.routed.contains(&(Arc::clone(&service.namespace), Arc::clone(&service.name)))
            {
                return Fact::Known(true);
            }
            inside = true;
        }
        // A Service inside the cluster may still stand behind a route that is not in the capture.
        let routes_known = self.cluster.seen.contains("Ingress") || self.cluster.seen.contains("HTTPRoute");
        if inside && !routes_known { Fact::Unknown } else { Fact::Known(false) }
    }
}
