//! What is known about each user beyond its description: password, factors, keys, and when they were used.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use evenhand_model::Timestamp;
use evenhand_model::credential::{Credential, Exposure};
use evenhand_model::evidence::{Evidence, Fact};
use evenhand_model::id::{CredentialId, IdentityId};
use evenhand_model::identity::{Nature, Signal, Strength};

use super::accounts::Accounts;
use super::facts::{Facts, Said};
use super::nature::signal;
use crate::provider::NAME;
use crate::world::AccountId;

/// An access key.
#[derive(Clone, Debug)]
pub(crate) struct Key {
    pub(crate) id: Option<Arc<str>>,
    pub(crate) active: Fact<bool>,
    pub(crate) created_at: Fact<Timestamp>,
    pub(crate) last_used_at: Fact<Timestamp>,
    pub(crate) evidence: Evidence,
}

/// A key for one service.
#[derive(Clone, Debug)]
pub(crate) struct ServiceKey {
    pub(crate) id: Arc<str>,
    pub(crate) service: Arc<str>,
    pub(crate) active: Fact<bool>,
    pub(crate) created_at: Fact<Timestamp>,
    pub(crate) expires_at: Fact<Timestamp>,
    pub(crate) evidence: Evidence,
}

/// A user as its credentials show it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Person {
    pub(crate) account: Option<AccountId>,
    pub(crate) name: Option<Arc<str>>,
    pub(crate) root: bool,
    pub(crate) created_at: Fact<Timestamp>,
    pub(crate) password: Fact<bool>,
    pub(crate) password_created_at: Fact<Timestamp>,
    pub(crate) password_expires_at: Fact<Timestamp>,
    pub(crate) password_used_at: Fact<Timestamp>,
    pub(crate) password_evidence: Option<Evidence>,
    pub(crate) mfa: Fact<bool>,
    pub(crate) mfa_evidence: Option<Evidence>,
    pub(crate) keys: Vec<Key>,
    /// Whether all of the user's keys are known.
    pub(crate) keys_known: bool,
    pub(crate) service_keys: Vec<ServiceKey>,
    pub(crate) evidence: Option<Evidence>,
}

/// Everything about users, by their ids.
pub(crate) type People = BTreeMap<IdentityId, Person>;

/// The users that were described, by account and name.
pub(crate) type UserIndex = HashMap<(AccountId, Arc<str>), IdentityId, foldhash::fast::RandomState>;

struct Collect<'f> {
    users: &'f UserIndex,
    accounts: &'f mut Accounts,
    people: People,
}

impl Collect<'_> {
    /// The user whom a statement is about.
    fn user<T>(&mut self, said: &Said<T>, name: &Arc<str>) -> Option<&mut Person> {
        let account = self.accounts.of(said)?;
        let id = match self.users.get(&(account.clone(), Arc::clone(name))) {
            Some(id) => id.clone(),
            None => IdentityId::new(format!("arn:aws:iam::{}:user/{name}", account.0)),
        };
        let person = self.people.entry(id).or_default();
        person.account = Some(account);
        person.name.get_or_insert_with(|| Arc::clone(name));
        person.evidence.get_or_insert_with(|| said.evidence.clone());
        Some(person)
    }
}

/// Joins what the documents said about users.
pub(crate) fn collect(facts: &Facts, users: &UserIndex, accounts: &mut Accounts) -> People {
    let mut collect = Collect { users, accounts, people: People::new() };
    report(facts, &mut collect);
    access_keys(facts, &mut collect);
    for said in &facts.service_credentials {
        let it = &said.it;
        let Some(person) = collect.user(said, &it.user) else { continue };
        if person.service_keys.iter().any(|held| held.id == it.id) {
            continue;
        }
        person.service_keys.push(ServiceKey {
            id: Arc::clone(&it.id),
            service: Arc::clone(&it.service),
            active: it.active,
            created_at: it.created_at,
            expires_at: it.expires_at,
            evidence: said.evidence.clone(),
        });
    }
    for said in &facts.login_profiles {
        let it = &said.it;
        let Some(person) = collect.user(said, &it.user) else { continue };
        person.password = person.password.or(Fact::Known(it.present));
        person.password_created_at = person.password_created_at.or(it.created_at);
        person.password_evidence.get_or_insert_with(|| said.evidence.clone());
    }
    for said in &facts.mfa_users {
        let Some(person) = collect.user(said, &said.it) else { continue };
        person.mfa = Fact::Known(true);
        person.mfa_evidence.get_or_insert_with(|| said.evidence.clone());
    }
    roots(facts, &mut collect);
    collect.people
}

fn report(facts: &Facts, collect: &mut Collect<'_>) {
    for said in &facts.report {
        let row = &said.it;
        let id = IdentityId::new(Arc::clone(&row.arn));
        let account = collect.accounts.of(said);
        let person = collect.people.entry(id).or_default();
        person.account = account;
        person.name = Some(if row.root { Arc::from("root") } else { Arc::clone(&row.user) });
        person.root = row.root;
        person.created_at = row.created_at;
        // The root user always has a password, and the report does not say so.
        person.password = if row.root { Fact::Known(true) } else { row.password_enabled };
        person.password_created_at = row.password_changed_at;
        person.password_expires_at = row.password_next_rotation;
        person.password_used_at = row.password_last_used;
        person.password_evidence = Some(said.evidence.clone());
        person.mfa = row.mfa;
        person.mfa_evidence = Some(said.evidence.clone());
        person.evidence = Some(said.evidence.clone());
        person.keys_known = true;
        for key in &row.keys {
            let created_at = match (key.active, key.rotated_at) {
                // A key was made at some time, even where the report does not say when.
                (Fact::Known(true), Fact::Absent) => Fact::Unknown,
                (Fact::Known(true), at) | (Fact::Known(false), at @ Fact::Known(_)) => at,
                // A slot without a date holds no key.
                (Fact::Known(false), Fact::Absent) => continue,
                (Fact::Known(false), Fact::Unknown) | (Fact::Absent | Fact::Unknown, _) => {
                    person.keys_known = false;
                    continue;
                }
            };
            person.keys.push(Key {
                id: None,
                active: key.active,
                created_at,
                last_used_at: key.last_used_at,
                evidence: said.evidence.clone(),
            });
        }
    }
}

fn access_keys(facts: &Facts, collect: &mut Collect<'_>) {
    for said in &facts.access_keys {
        let it = &said.it;
        let Some(person) = collect.user(said, &it.user) else { continue };
        if person.keys.iter().any(|held| held.id.as_ref() == Some(&it.id)) {
            continue;
        }
        // The report knows the same keys by their date only.
        let same = person.keys.iter_mut().find(|held| held.id.is_none() && held.created_at == it.created_at);
        match same {
            Some(held) => {
                held.id = Some(Arc::clone(&it.id));
                held.active = it.active.or(held.active);
                held.evidence = said.evidence.clone();
            }
            None => {
                // Another date: the report's slot is this key or the user's other one; its last use may be the other's.
                if let Some(slot) = person.keys.iter().position(|held| held.id.is_none()) {
                    person.keys.swap_remove(slot);
                }
                person.keys.push(Key {
                    id: Some(Arc::clone(&it.id)),
                    active: it.active,
                    created_at: it.created_at,
                    last_used_at: Fact::Unknown,
                    evidence: said.evidence.clone(),
                });
            }
        }
        person.keys_known = true;
    }
    let mut by_id: HashMap<&str, Fact<Timestamp>, foldhash::fast::RandomState> = HashMap::default();
    for said in &facts.access_key_uses {
        match &said.it.id {
            Some(id) => {
                by_id.insert(id, said.it.last_used_at);
            }
            None => {
                let Some(user) = said.it.user.clone() else { continue };
                let Some(person) = collect.user(said, &user) else { continue };
                // Without the key's id the answer says something only where the user has one key.
                if let [key] = person.keys.as_mut_slice() {
                    key.last_used_at = said.it.last_used_at;
                }
            }
        }
    }
    for person in collect.people.values_mut() {
        for key in &mut person.keys {
            if let Some(used) = key.id.as_deref().and_then(|id| by_id.get(id)) {
                key.last_used_at = *used;
            }
        }
    }
}

fn roots(facts: &Facts, collect: &mut Collect<'_>) {
    for said in &facts.summaries {
        let Some(account) = collect.accounts.of(said) else { continue };
        let id = IdentityId::new(format!("arn:aws:iam::{}:root", account.0));
        let person = collect.people.entry(id).or_default();
        let from_report = person.root;
        person.account = Some(account);
        person.name = Some(Arc::from("root"));
        person.root = true;
        person.password = Fact::Known(true);
        person.mfa = person.mfa.or(Fact::known(said.it.root_mfa));
        person.mfa_evidence.get_or_insert_with(|| said.evidence.clone());
        person.evidence.get_or_insert_with(|| said.evidence.clone());
        if !from_report && said.it.root_keys == Some(true) {
            person.keys.push(Key {
                id: None,
                active: Fact::Unknown,
                created_at: Fact::Unknown,
                last_used_at: Fact::Unknown,
                evidence: said.evidence.clone(),
            });
        }
        person.keys_known = person.keys_known || said.it.root_keys.is_some();
    }
}

impl Person {
    /// When the user last acted, as far as its credentials tell.
    pub(crate) fn last_used_at(&self) -> Fact<Timestamp> {
        let mut all = vec![self.password_used_at];
        if self.keys_known {
            all.extend(self.keys.iter().map(|key| key.last_used_at));
        } else {
            all.push(Fact::Unknown);
        }
        match all.iter().filter_map(|fact| fact.value().copied()).max() {
            Some(latest) => Fact::Known(latest),
            None if all.iter().all(|fact| *fact == Fact::Absent) => Fact::Absent,
            None => Fact::Unknown,
        }
    }

    /// Whether some credential is accepted at present.
    pub(crate) fn enabled(&self) -> Fact<bool> {
        let mut all: Vec<Fact<bool>> = vec![self.password];
        all.extend(self.keys.iter().map(|key| key.active));
        all.extend(self.service_keys.iter().map(|key| key.active));
        if all.contains(&Fact::Known(true)) {
            return Fact::Known(true);
        }
        if self.keys_known && all.iter().all(|fact| *fact == Fact::Known(false)) {
            Fact::Known(false)
        } else {
            Fact::Unknown
        }
    }

    /// Whether several factors stand before everything that the user can prove itself with.
    pub(crate) fn factors(&self) -> Option<bool> {
        let active_key = self.keys.iter().any(|key| key.active == Fact::Known(true));
        match (self.password, self.mfa) {
            // A key alone is a way in that asks for nothing else.
            _ if active_key => Some(false),
            (Fact::Known(true), Fact::Known(mfa)) if self.keys_known => Some(mfa),
            (Fact::Known(true), Fact::Known(false)) => Some(false),
            _ => None,
        }
    }

    /// Reasons for the user's nature.
    pub(crate) fn signals(&self) -> Vec<Signal> {
        let mut signals = Vec::new();
        let Some(evidence) = &self.evidence else { return signals };
        let password = self.password_evidence.as_ref().unwrap_or(evidence);
        if self.root {
            signals.push(signal(Nature::Human, Strength::Strong, "the account's root user", evidence));
            return signals;
        }
        if self.password_used_at.value().is_some() {
            signals.push(signal(Nature::Human, Strength::Strong, "signed in to the console", password));
        } else if self.password == Fact::Known(true) {
            signals.push(signal(Nature::Human, Strength::Strong, "has a console password", password));
        }
        if let Some(key) = self.service_keys.iter().find(|key| key.service.starts_with("bedrock")) {
            let reason = "holds a long-term key for Bedrock";
            signals.push(signal(Nature::AiAgent, Strength::Strong, reason, &key.evidence));
        }
        if self.mfa == Fact::Known(true) {
            let evidence = self.mfa_evidence.as_ref().unwrap_or(evidence);
            signals.push(signal(Nature::Human, Strength::Medium, "has a device for several factors", evidence));
        }
        if self.password == Fact::Known(false) && !self.keys.is_empty() {
            let reason = "has access keys and no console password";
            signals.push(signal(Nature::Workload, Strength::Medium, reason, evidence));
        }
        signals
    }

    /// The user's credentials.
    pub(crate) fn credentials(&self, id: &IdentityId) -> Vec<Credential> {
        let mut all = Vec::new();
        for (index, key) in self.keys.iter().enumerate() {
            let name = match &key.id {
                Some(key) => format!("{id}#{key}"),
                None => format!("{id}#access-key-{}", index + 1),
            };
            let mut credential =
                Credential::new(CredentialId::new(name), id.clone(), NAME, "access_key", key.evidence.clone());
            credential.is_static = Fact::Known(true);
            credential.federable = Fact::Known(true);
            credential.created_at = key.created_at;
            credential.expires_at = Fact::Absent;
            credential.last_used_at = key.last_used_at;
            credential.enabled = key.active;
            credential.exposure = Fact::Known(Exposure::None);
            credential.public_id = key.id.clone();
            all.push(credential);
        }
        if self.password == Fact::Known(true)
            && let Some(evidence) = &self.password_evidence
        {
            let mut credential = Credential::new(
                CredentialId::new(format!("{id}#password")),
                id.clone(),
                NAME,
                "password",
                evidence.clone(),
            );
            credential.is_static = Fact::Known(true);
            credential.federable = Fact::Known(!self.root);
            credential.created_at = self.password_created_at;
            credential.expires_at = self.password_expires_at;
            credential.last_used_at = self.password_used_at;
            credential.enabled = Fact::Known(true);
            credential.exposure = Fact::Known(Exposure::None);
            all.push(credential);
        }
        for key in &self.service_keys {
            let kind = if key.service.starts_with("bedrock") { "bedrock_api_key" } else { "service_credential" };
            let mut credential = Credential::new(
                CredentialId::new(format!("{id}#{}", key.id)),
                id.clone(),
                NAME,
                kind,
                key.evidence.clone(),
            );
            credential.is_static = Fact::Known(true);
            // Short-term keys and signed requests serve the same purpose.
            credential.federable = Fact::Known(true);
            credential.created_at = key.created_at;
            credential.expires_at = key.expires_at;
            credential.enabled = key.active;
            credential.exposure = Fact::Known(Exposure::None);
            credential.public_id = Some(Arc::clone(&key.id));
            all.push(credential);
        }
        all
    }
}
