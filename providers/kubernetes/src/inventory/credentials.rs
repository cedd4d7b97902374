//! Credentials: token Secrets, tokens that pods are given, and literals where none should be.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use evenhand_agents::issued::Issued;
use evenhand_model::credential::{Credential, Exposure};
use evenhand_model::evidence::Fact;
use evenhand_model::id::{CredentialId, IdentityId};
use foldhash::fast::FixedState;
use rayon::prelude::*;

use super::{Join, Key, PROVIDER};
use crate::capture::{LiteralSecret, Repeated, Workload};

const SECONDS_OF_DAY: i64 = 24 * 60 * 60;
/// How long a token lives that a pod is given without a say, in seconds.
const DEFAULT_LIFETIME: i64 = 60 * 60;

/// Who runs with a Secret, by namespace and name: the account of the first workload that takes it.
struct Holders<'w>(HashMap<(&'w str, &'w str), &'w Arc<str>, FixedState>);

impl<'w> Holders<'w> {
    fn of(workloads: &'w [Box<Workload>]) -> Self {
        let mut accounts = HashMap::default();
        for workload in workloads {
            for secret in workload.secret_refs.iter().chain(&workload.pull_secrets) {
                accounts.entry((&*workload.namespace, &**secret)).or_insert(&workload.account);
            }
        }
        Self(accounts)
    }

    /// The account that runs with a Secret; where nothing does, the namespace's default account stands in.
    fn of_secret(&self, namespace: &str, secret: &str) -> Arc<str> {
        self.0.get(&(namespace, secret)).map_or_else(|| Arc::from("default"), |account| Arc::clone(account))
    }
}

/// What the variables that take keys of Secrets tell of these, by namespace, Secret and key.
struct Names<'w>(HashMap<(&'w str, &'w str, &'w str), Issued, FixedState>);

impl<'w> Names<'w> {
    fn of(workloads: &'w [Box<Workload>]) -> Self {
        let mut issued = HashMap::default();
        for workload in workloads {
            for held in &workload.key_refs {
                issued.entry((&*workload.namespace, &*held.secret, &*held.key)).or_insert(held.issued);
            }
        }
        Self(issued)
    }

    fn of_key(&self, namespace: &str, secret: &str, key: &str) -> Option<Issued> {
        self.0.get(&(namespace, secret, key)).copied()
    }
}

impl LiteralSecret {
    /// The word of the credentials table.
    fn word(&self) -> &'static str {
        self.issued.map_or(self.kind, |issued| issued.kind)
    }
}

impl Join<'_> {
    pub(super) fn take_credentials(&mut self) {
        self.take_tokens();
        self.take_bound_tokens();
        self.take_literals();
    }

    fn take_tokens(&mut self) {
        let mut seen: BTreeSet<Key> = BTreeSet::new();
        // The last of several objects with one name counts.
        for token in std::mem::take(&mut self.cluster.tokens).into_iter().rev() {
            if !seen.insert((Arc::clone(&token.namespace), Arc::clone(&token.name))) {
                continue;
            }
            let evidence = token.origin.evidence("");
            if token.account.is_empty() {
                self.hint(
                    evidence,
                    format!(
                        "token Secret {}/{} names no account and holds no token; delete it",
                        token.namespace, token.name
                    ),
                );
                continue;
            }
            self.imply_account(&token.namespace, &token.account, || evidence.clone());
            let mut credential = Credential::new(
                CredentialId::new(format!("kubernetes:{}:secret:{}/{}", self.name, token.namespace, token.name)),
                self.account_id(&token.namespace, &token.account),
                PROVIDER,
                "service_account_token",
                evidence,
            );
            credential.is_static = Fact::Known(true);
            // Pods and outside programs alike can be given tokens that end.
            credential.federable = Fact::Known(true);
            credential.exposure = Fact::Known(Exposure::Store);
            credential.in_arguments = Fact::Known(false);
            credential.created_at = Fact::known(token.created);
            credential.expires_at = Fact::Absent;
            credential.last_used_at = match (token.last_used, token.created, self.cluster.tracked_since) {
                (Some(day), ..) => Fact::Known(day),
                // The server has noted every use since before it was made, and none of this one.
                (None, Some(made), Some(since)) if made > since => Fact::Absent,
                (None, ..) => Fact::Unknown,
            };
            credential.in_metadata = Fact::Known(token.in_metadata);
            credential.enabled = Fact::Known(!token.invalid);
            self.joined.inventory.credentials.push(credential);
            self.joined.surroundings.tokens.push((token.namespace, token.name, token.account));
        }
        self.joined.surroundings.tokens.sort();
    }

    /// Tokens that the server issues to pods and that end by themselves.
    fn take_bound_tokens(&mut self) {
        /// What is given to an account, by whatever workload: word and audience.
        struct Given<'w> {
            account: &'w IdentityId,
            word: &'static str,
            audience: &'w str,
            days: i64,
            workload: &'w Workload,
        }
        let mut given: Vec<Given<'_>> = Vec::with_capacity(self.accounts.identities.len());
        let mut automatic = vec![false; self.accounts.identities.len()];
        let mut projected: HashMap<(usize, &str), usize, FixedState> = HashMap::default();
        for (workload, account) in self.cluster.workloads.iter().zip(&self.account_of) {
            let (workload, number): (&Workload, usize) = (workload, *account);
            let Some(account) = self.accounts.identity(number).map(|identity| &identity.id) else { continue };
            let mounted = workload.automount != Some(false) && self.accounts.is_carried(number);
            if mounted && automatic.get_mut(number).is_some_and(|given| !std::mem::replace(given, true)) {
                let days = DEFAULT_LIFETIME / SECONDS_OF_DAY;
                given.push(Given { account, word: "bound_token", audience: "", days, workload });
            }
            for token in &workload.projected {
                let days = token.seconds.unwrap_or(DEFAULT_LIFETIME) / SECONDS_OF_DAY;
                let one = Given { account, word: "projected_token", audience: &token.audience, days, workload };
                match projected.get(&(number, one.audience)).and_then(|at| given.get_mut(*at)) {
                    // Of several pods the one counts whose token lives longest.
                    Some(held) if held.days < days => *held = one,
                    Some(_) => {}
                    None => {
                        projected.insert((number, one.audience), given.len());
                        given.push(one);
                    }
                }
            }
        }
        // Literals may come behind them.
        let mut credentials: Vec<Credential> = Vec::with_capacity(given.len() + given.len() / 16);
        given
            .into_par_iter()
            .map(|Given { account, word, audience, days, workload }| {
                let name = if audience.is_empty() {
                    format!("{account}#{word}")
                } else {
                    format!("{account}#{word}:{audience}")
                };
                let evidence = workload.origin.evidence("");
                let mut credential =
                    Credential::new(CredentialId::new(name), account.clone(), PROVIDER, word, evidence);
                credential.is_static = Fact::Known(false);
                credential.exposure = Fact::Known(Exposure::None);
                credential.in_arguments = Fact::Known(false);
                credential.enabled = Fact::Known(true);
                credential.audience = Fact::read((!audience.is_empty()).then(|| Arc::from(audience)));
                credential.in_metadata = Fact::Known(false);
                credential.lifetime_days = Fact::Known(days);
                credential
            })
            .collect_into_vec(&mut credentials);
        let held = &mut self.joined.inventory.credentials;
        if held.is_empty() {
            *held = credentials;
        } else {
            held.append(&mut credentials);
        }
    }

    fn take_literals(&mut self) {
        let workloads = std::mem::take(&mut self.cluster.workloads);
        let agents = std::mem::take(&mut self.cluster.agents);
        let mut numbers: BTreeMap<String, u32> = BTreeMap::new();
        for workload in workloads.iter().filter(|workload| !workload.secrets.is_empty()) {
            let id = self.account_id(&workload.namespace, &workload.account);
            for secret in &workload.secrets {
                self.literal(&id, secret, Exposure::Environment, &mut numbers);
            }
        }
        let models = std::mem::take(&mut self.cluster.models);
        for agent in &agents {
            let id = self.identity_of(agent);
            let model = agent
                .model
                .as_ref()
                .and_then(|name| models.iter().find(|model| model.namespace == agent.namespace && model.name == *name));
            for secret in agent.secrets.iter().chain(model.into_iter().flat_map(|model| &model.secrets)) {
                self.literal(&id, secret, Exposure::Environment, &mut numbers);
            }
        }
        self.cluster.models = models;
        let (stored, repeated) = (std::mem::take(&mut self.cluster.stored), std::mem::take(&mut self.cluster.repeated));
        let named = Names::of(if stored.is_empty() { &[] } else { &workloads });
        let holders = if stored.is_empty() && repeated.is_empty() { &[][..] } else { &workloads };
        let holders = Holders::of(holders);
        // Whoever runs with a Secret of a file holds it.
        for (namespace, mut secret) in stored {
            let name = secret.holder.rsplit_once('/').map_or("", |(_, name)| name);
            let account = holders.of_secret(&namespace, name);
            secret.issued = secret.issued.or_else(|| named.of_key(&namespace, name, &secret.key));
            self.imply_account(&namespace, &account, || secret.origin.evidence(""));
            let id = self.account_id(&namespace, &account);
            self.literal(&id, &secret, Exposure::Committed, &mut numbers);
        }
        self.take_repeated(repeated, &holders);
        self.cluster.workloads = workloads;
        self.cluster.agents = agents;
    }

    /// Secrets that the annotation of `kubectl apply` repeats: that it is there is what is known of them.
    fn take_repeated(&mut self, repeated: Vec<Repeated>, holders: &Holders<'_>) {
        for secret in repeated {
            let (namespace, name) = (&secret.namespace, &secret.name);
            let account = holders.of_secret(namespace, name);
            self.imply_account(namespace, &account, || secret.origin.evidence(""));
            let mut credential = Credential::new(
                CredentialId::new(format!("kubernetes:{}:secret:{namespace}/{name}", self.name)),
                self.account_id(namespace, &account),
                PROVIDER,
                "secret",
                secret.origin.evidence(""),
            );
            credential.exposure = Fact::Known(Exposure::Store);
            credential.in_arguments = Fact::Known(false);
            credential.in_metadata = Fact::Known(true);
            credential.created_at = Fact::known(secret.created);
            self.joined.inventory.credentials.push(credential);
        }
    }

    fn literal(
        &mut self,
        identity: &IdentityId,
        secret: &LiteralSecret,
        exposure: Exposure,
        numbers: &mut BTreeMap<String, u32>,
    ) {
        let base = format!("{identity}#{}:{}", secret.holder, secret.key);
        let number = numbers.entry(base.clone()).or_insert(0);
        *number += 1;
        let id = if *number == 1 { base } else { format!("{base}:{number}") };
        let mut credential = Credential::new(
            CredentialId::new(id),
            identity.clone(),
            PROVIDER,
            secret.word(),
            secret.origin.evidence(""),
        );
        credential.is_static = Fact::Known(!secret.issued.is_some_and(|issued| issued.short_lived));
        // Of a workload in a cluster it is known what it could call a model with instead, and of nothing else.
        let of_model = secret.issued.filter(|issued| issued.calls_models);
        credential.federable = Fact::known(of_model.and_then(|issued| issued.federable));
        credential.exposure =
            Fact::Known(if secret.file.tracked == Some(true) { Exposure::Committed } else { exposure });
        credential.in_arguments = Fact::Known(secret.in_arguments);
        credential.in_metadata = Fact::Known(secret.in_metadata);
        credential.file_readable_by_others = Fact::known(secret.file.readable_by_others);
        credential.fingerprint = Some(secret.fingerprint);
        self.joined.inventory.credentials.push(credential);
    }
}
