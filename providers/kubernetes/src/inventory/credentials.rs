//! Credentials: token Secrets, tokens that pods are given, and literals where none should be.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use evenhand_agents::issued::Issued;
use evenhand_model::credential::{Credential, Exposure};
use evenhand_model::evidence::Fact;
use evenhand_model::id::{CredentialId, IdentityId};
use foldhash::fast::FixedState;
use indexmap::IndexMap;
use rayon::prelude::*;

use super::{Join, Key, PROVIDER};
use crate::capture::{LiteralSecret, Repeated, Workload};

const SECONDS_OF_DAY: i64 = 24 * 60 * 60;
/// How long a token lives that a pod is given without a say, in seconds.
const DEFAULT_LIFETIME: i64 = 60 * 60;

/// Who runs with a Secret, by namespace and name: the account of the first workload that takes it.
struct Holders<'w>(HashMap<(&'w str, &'w str), &'w Arc<str>, FixedState>);

impl<'w> Holders<'w> {
    fn of(workloads: &'w [Workload]) -> Self {
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
    fn of(workloads: &'w [Workload]) -> Self {
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
        /// Namespace, account, word and audience.
        type Of<'w> = (&'w Arc<str>, &'w Arc<str>, &'static str, &'w str);
        let mounting: HashSet<&Key, FixedState> = self.joined.surroundings.running.iter().collect();
        // Of several pods the one counts whose token lives longest.
        let mut given: IndexMap<Of<'_>, (i64, &Workload), FixedState> = IndexMap::default();
        for workload in &self.cluster.workloads {
            let key = (Arc::clone(&workload.namespace), Arc::clone(&workload.account));
            let mounted = workload.automount != Some(false) && mounting.contains(&key);
            let automatic = mounted.then_some(("bound_token", "", DEFAULT_LIFETIME));
            let projected = workload.projected.iter();
            let projected =
                projected.map(|token| ("projected_token", &*token.audience, token.seconds.unwrap_or(DEFAULT_LIFETIME)));
            for (word, audience, seconds) in automatic.into_iter().chain(projected) {
                let days = seconds / SECONDS_OF_DAY;
                let of = (&workload.namespace, &workload.account, word, audience);
                let held = given.entry(of).or_insert((days, workload));
                if held.0 < days {
                    *held = (days, workload);
                }
            }
        }
        let given: Vec<(Of<'_>, (i64, &Workload))> = given.into_iter().collect();
        let credentials: Vec<Credential> = given
            .into_par_iter()
            .map(|((namespace, account, word, audience), (days, workload))| {
                let id = self.account_id(namespace, account);
                let name = if audience.is_empty() { format!("{id}#{word}") } else { format!("{id}#{word}:{audience}") };
                let evidence = workload.origin.evidence("");
                let mut credential = Credential::new(CredentialId::new(name), id, PROVIDER, word, evidence);
                credential.is_static = Fact::Known(false);
                credential.exposure = Fact::Known(Exposure::None);
                credential.in_arguments = Fact::Known(false);
                credential.enabled = Fact::Known(true);
                credential.audience = Fact::read((!audience.is_empty()).then(|| Arc::from(audience)));
                credential.in_metadata = Fact::Known(false);
                credential.lifetime_days = Fact::Known(days);
                credential
            })
            .collect();
        self.joined.inventory.credentials.extend(credentials);
    }

    fn take_literals(&mut self) {
        let workloads = std::mem::take(&mut self.cluster.workloads);
        let agents = std::mem::take(&mut self.cluster.agents);
        let mut numbers: BTreeMap<String, u32> = BTreeMap::new();
        for workload in &workloads {
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
