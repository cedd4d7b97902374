//! Credentials: token Secrets, tokens that pods are given, and literals where none should be.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use evenhand_model::credential::{Credential, Exposure};
use evenhand_model::evidence::Fact;
use evenhand_model::id::{CredentialId, IdentityId};

use super::{Join, Key, PROVIDER};
use crate::capture::LiteralSecret;

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
            // Without the label nothing is known: the server began to set it at some time.
            credential.last_used_at = Fact::known(token.last_used);
            credential.enabled = Fact::Known(!token.invalid);
            self.joined.inventory.credentials.push(credential);
            self.joined.surroundings.tokens.push((token.namespace, token.name, token.account));
        }
        self.joined.surroundings.tokens.sort();
    }

    /// Tokens that the server issues to pods and that end by themselves.
    fn take_bound_tokens(&mut self) {
        let mut given: BTreeMap<(IdentityId, String), Credential> = BTreeMap::new();
        let running = std::mem::take(&mut self.joined.surroundings.running);
        let mounting: BTreeSet<&Key> = running.iter().collect();
        for workload in &self.cluster.workloads {
            let key = (Arc::clone(&workload.namespace), Arc::clone(&workload.account));
            let id = self.account_id(&key.0, &key.1);
            let mut give = |word: &'static str, audience: &str| {
                given.entry((id.clone(), format!("{word}:{audience}"))).or_insert_with(|| {
                    let what = if audience.is_empty() { word.to_owned() } else { format!("{word}:{audience}") };
                    let mut credential = Credential::new(
                        CredentialId::new(format!("{id}#{what}")),
                        id.clone(),
                        PROVIDER,
                        word,
                        workload.origin.evidence(""),
                    );
                    credential.is_static = Fact::Known(false);
                    credential.exposure = Fact::Known(Exposure::None);
                    credential.in_arguments = Fact::Known(false);
                    credential.enabled = Fact::Known(true);
                    credential
                });
            };
            if workload.automount != Some(false) && mounting.contains(&key) {
                give("bound_token", "");
            }
            for token in &workload.projected {
                give("projected_token", &token.audience);
            }
        }
        drop(mounting);
        self.joined.surroundings.running = running;
        self.joined.inventory.credentials.extend(given.into_values());
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
        for agent in &agents {
            let id = self.identity_of(agent);
            for secret in &agent.secrets {
                self.literal(&id, secret, Exposure::Environment, &mut numbers);
            }
        }
        // Whoever runs with a Secret of a file holds it; where nothing does, the namespace's default account stands in.
        for (namespace, secret) in std::mem::take(&mut self.cluster.stored) {
            let name = secret.holder.rsplit_once('/').map_or("", |(_, name)| name);
            let user = workloads.iter().find(|workload| {
                workload.namespace == namespace && workload.secret_refs.iter().any(|held| **held == *name)
            });
            let account = user.map_or_else(|| Arc::from("default"), |workload| Arc::clone(&workload.account));
            self.imply_account(&namespace, &account, || secret.origin.evidence(""));
            let id = self.account_id(&namespace, &account);
            self.literal(&id, &secret, Exposure::Committed, &mut numbers);
        }
        self.cluster.workloads = workloads;
        self.cluster.agents = agents;
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
        let mut credential =
            Credential::new(CredentialId::new(id), identity.clone(), PROVIDER, secret.kind, secret.origin.evidence(""));
        credential.is_static = Fact::Known(true);
        credential.exposure =
            Fact::Known(if secret.file.tracked == Some(true) { Exposure::Committed } else { exposure });
        credential.in_arguments = Fact::Known(secret.in_arguments);
        credential.file_readable_by_others = Fact::known(secret.file.readable_by_others);
        credential.fingerprint = Some(secret.fingerprint);
        self.joined.inventory.credentials.push(credential);
    }
}
