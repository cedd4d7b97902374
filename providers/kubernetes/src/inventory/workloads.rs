//! Workloads: what runs with which account, and how it stands to the outside.

use std::collections::BTreeMap;
use std::sync::Arc;

use evenhand_model::evidence::Fact;
use evenhand_model::identity::{Nature, Signal, Strength};
use evenhand_model::workload::Workload as Row;
use rayon::prelude::*;

use super::surroundings::Places;
use super::{Join, PROVIDER};
use crate::capture::{Service, Workload, selects};
use crate::sorted::last_of_each;

impl Join<'_> {
    pub(super) fn take_workloads(&mut self) {
        let mut all = std::mem::take(&mut self.cluster.workloads);
        self.joined.surroundings.workloads_known = !all.is_empty();
        last_of_each(&mut all, |workload| (&*workload.namespace, workload.kind, &*workload.name));
        // A pod says nothing that the controller which made it does not say.
        let is_owned = |workload: &Workload| {
            workload.owner.as_ref().is_some_and(|(kind, name)| {
                let wanted = (&*workload.namespace, &**kind, &**name);
                all.binary_search_by(|held| (&*held.namespace, held.kind, &*held.name).cmp(&wanted)).is_ok()
            })
        };
        let mut owned = all.iter().map(|workload| is_owned(workload)).collect::<Vec<bool>>().into_iter();
        all.retain(|_| owned.next() != Some(true));
        let services = self.services();
        let places = Places::of(&mut self.cluster);
        let words: BTreeMap<&str, Arc<str>> = all.iter().map(|one| (one.word, Arc::from(one.word))).collect();
        // Agents may serve models by workloads of their own.
        let mut rows = Vec::with_capacity(all.len() + self.cluster.agents.len());
        let mut accounts = Vec::new();
        all.par_iter()
            .map(|workload| {
                let account = self.accounts.number(&workload.namespace, &workload.account);
                (self.row(workload, account, &words, &services, &places), account)
            })
            .unzip_into_vecs(&mut rows, &mut accounts);
        self.account_of.reserve_exact(all.len());
        for ((workload, row), account) in all.iter().zip(&rows).zip(accounts) {
            self.workload(workload, row, account);
        }
        self.joined.inventory.workloads = rows;
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
        number: Option<usize>,
        words: &BTreeMap<&str, Arc<str>>,
        services: &BTreeMap<Arc<str>, Vec<Service>>,
        places: &Places,
    ) -> Row {
        let account = number.and_then(|number| self.accounts.object(number));
        let identity = number.and_then(|number| self.accounts.identity(number));
        let mounted = match (workload.automount, account) {
            (Some(mounted), _) => Fact::Known(mounted),
            (None, Some(account)) => Fact::Known(account.automount.unwrap_or(true)),
            // Every namespace has a default account, and an account that says nothing has its token mounted.
            (None, None) if &*workload.account == "default" => Fact::Known(true),
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
            identity: match identity {
                Some(identity) => identity.id.clone(),
                None => self.account_id(&workload.namespace, &workload.account),
            },
            provider: PROVIDER,
            kind: words.get(workload.word).map_or_else(|| Arc::from(workload.word), Arc::clone),
            name: name.into(),
            scope: self.scope.clone(),
            image: Fact::read(image),
            token_mounted: mounted,
            needs_token: self.needs_token(&workload.namespace, &workload.account),
            exposed: self.exposed(workload, services),
            privileged: Fact::Known(workload.privileged),
            surroundings: self.surroundings(workload, account, places),
            evidence: workload.origin.evidence(""),
        }
    }

    /// Takes what a workload tells of its account, whose number may be known.
    fn workload(&mut self, workload: &Workload, row: &Row, account: Option<usize>) {
        let account = account
            .unwrap_or_else(|| self.imply_account(&workload.namespace, &workload.account, || row.evidence.clone()));
        self.account_of.push(account);
        if row.token_mounted != Fact::Known(false) {
            self.accounts.carry(account);
        }
        if let Some(identity) = self.accounts.identity_mut(account) {
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
        self.declare_workload(workload, account);
        for sign in &workload.signals {
            let signal = Signal {
                nature: sign.clue.speaks.nature(),
                strength: sign.clue.strength,
                reason: format!("{} {} {}", workload.word, workload.name, sign.clue.reason).into(),
                evidence: sign.origin.evidence(""),
            };
            self.sign(account, signal);
        }
    }

    /// Declarations on a workload speak for its account where the account has none of its own and is not shared by name.
    fn declare_workload(&mut self, workload: &Workload, account: usize) {
        let Some(all) = workload.declared.get() else { return };
        if &*workload.account == "default" {
            return;
        }
        let Some(identity) = self.accounts.identity_mut(account) else { return };
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
            self.sign(account, Signal { nature, strength, reason, evidence: workload.origin.evidence("") });
        }
    }

    /// An account that nothing is granted has no use for its token; of others only its program could tell.
    fn needs_token(&self, namespace: &str, name: &str) -> Fact<bool> {
        let authorizer = &self.policy.authorizer;
        if !self.policy.known || authorizer.bindings().is_empty() {
            return Fact::Unknown;
        }
        let bound = !authorizer.bindings_of_account(namespace, name).is_empty()
            || !authorizer.bindings_of_namespace(namespace).is_empty();
        if bound { Fact::Unknown } else { Fact::Known(false) }
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
        let routes = ["Ingress", "HTTPRoute"];
        let routes_known = routes.iter().any(|kind| self.cluster.seen.contains(*kind))
            && !routes.iter().any(|kind| self.cluster.dropped.contains(*kind));
        if inside && !routes_known { Fact::Unknown } else { Fact::Known(false) }
    }
}
