//! Joins and counts that the rows need, made once.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::hash::Hash;
use std::sync::Arc;

use evenhand_model::agent::AgentKind;
use evenhand_model::credential::Credential;
use evenhand_model::evidence::{Evidence, Fact, Truth};
use evenhand_model::id::{IdentityId, ScopeId};
use evenhand_model::identity::{Identity, Nature};
use evenhand_model::inventory::Inventory;
use evenhand_model::log::Log;
use evenhand_model::parity::Comparison;
use evenhand_model::trust::Mechanism;
use rayon::prelude::*;

use crate::facts::FactInput;
use crate::facts::access::AccessTable;
use crate::link::is_held_copy;
use crate::paths::{Path, Reach};

/// A map that hashes fast; keys come from the inventory, which a scan reads once.
pub(super) type FastMap<K, V> = HashMap<K, V, foldhash::fast::FixedState>;

/// The credentials of one identity.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct CredentialCount {
    /// Credentials that were read.
    pub(super) all: i64,
    /// Those that are static and not known to be switched off.
    pub(super) in_force: i64,
    /// Those of which it is not known whether they are.
    pub(super) perhaps_in_force: i64,
    /// The largest number of identities that hold one of them.
    pub(super) most_shared: i64,
}

impl CredentialCount {
    fn add(&mut self, credential: &Credential, shared_by: i64) {
        self.all += 1;
        self.most_shared = self.most_shared.max(shared_by);
        if credential.enabled != Fact::Known(false) {
            match credential.is_static {
                Fact::Known(true) => self.in_force += 1,
                Fact::Known(false) => {}
                Fact::Absent | Fact::Unknown => self.perhaps_in_force += 1,
            }
        }
    }

    /// Whether a record of an action names one actor, of so many who use the identity; `None` = nothing tells.
    ///
    /// Short-lived proof is issued to one holder at a time, and records name the session: an AWS event its
    /// `sessionContext`, a Kubernetes event the pod or credential that its token was issued to. A secret that several hold
    /// is the same whoever uses it.
    pub(super) fn attributable(&self, users: i64) -> Option<bool> {
        match (users, self.most_shared, self.in_force) {
            (_, 2.., _) => Some(false),
            (1, ..) => Some(true),
            // One secret that serves them all.
            (2.., _, 1) if self.perhaps_in_force == 0 => Some(false),
            (2.., _, 0) if self.perhaps_in_force == 0 && self.all > 0 => Some(true),
            _ => None,
        }
    }
}

/// What the logs of a scope tell.
#[derive(Clone, Copy, Debug)]
pub(super) struct LogFacts {
    pub(super) on: Truth,
    pub(super) covers_agents: Truth,
}

/// Everything that rows are made from.
pub(super) struct Context<'a> {
    pub(super) input: &'a FactInput<'a>,
    pub(super) inventory: &'a Inventory,
    pub(super) access: &'a AccessTable,
    comparisons: Vec<Option<u32>>,
    reaches: Vec<Option<&'a Reach>>,
    paths: FastMap<&'a IdentityId, &'a [Path]>,
    pub(super) users: Vec<u32>,
    /// For each identity that others act through as a tool: their number.
    pub(super) used_by: FastMap<&'a IdentityId, i64>,
    pub(super) registered_agents: BTreeSet<usize>,
    pub(super) credentials: Vec<CredentialCount>,
    /// For each credential: the position of whom it proves.
    holders: Vec<Option<u32>>,
    pub(super) shared_by: Vec<i64>,
    pub(super) secret_names: Vec<Option<Arc<str>>>,
    environments: FastMap<usize, BTreeSet<Arc<str>>>,
    pub(super) logs: FastMap<&'a ScopeId, LogFacts>,
    pub(super) ai_identities: FastMap<&'a ScopeId, i64>,
}

impl<'a> Context<'a> {
    pub(super) fn new(input: &'a FactInput<'a>) -> Self {
        let inventory = input.inventory;
        let count = inventory.identities.len();
        let position = |id: &IdentityId| input.judgements.position(id);

        let comparisons = || {
            let mut comparisons = vec![None; count];
            for (at, comparison) in input.comparisons.iter().enumerate() {
                if let Some(slot) = position(&comparison.identity).and_then(|position| comparisons.get_mut(position)) {
                    *slot = u32::try_from(at).ok();
                }
            }
            comparisons
        };
        let credentials = || {
            let holder = |credential: &Credential| u32::try_from(position(&credential.identity)?).ok();
            let holders: Vec<Option<u32>> = inventory.credentials.par_iter().map(holder).collect();
            let shared_by = shared_by(&inventory.credentials);
            let mut counts = vec![CredentialCount::default(); count];
            for ((credential, shared_by), holder) in inventory.credentials.iter().zip(&shared_by).zip(&holders) {
                if let Some(slot) = holder.and_then(|holder| counts.get_mut(holder as usize)) {
                    slot.add(credential, *shared_by);
                }
            }
            (holders, shared_by, counts)
        };
        let ai_identities = || {
            let mut ai_identities: FastMap<&ScopeId, i64> = FastMap::default();
            for (at, identity) in inventory.identities.iter().enumerate() {
                if input.judgements.nature_at(at) == Nature::AiAgent {
                    *ai_identities.entry(&identity.scope).or_default() += 1;
                }
            }
            ai_identities
        };
        // Each goes once through some list of the inventory and needs none of the others.
        let (
            ((comparisons, (holders, shared_by, credentials)), users),
            ((environments, secret_names), ((reaches, paths), ai_identities)),
        ) = rayon::join(
            || rayon::join(|| rayon::join(comparisons, credentials), || users(input)),
            || {
                rayon::join(
                    || {
                        rayon::join(
                            || environments(input),
                            || secret_names(&inventory.credentials, input.stable_fingerprints),
                        )
                    },
                    || rayon::join(|| (reaches(input), paths(input)), ai_identities),
                )
            },
        );
        Self {
            input,
            inventory,
            access: input.access,
            comparisons,
            reaches,
            paths,
            users,
            used_by: used_by(inventory),
            registered_agents: registered_agents(input),
            credentials,
            holders,
            shared_by,
            secret_names,
            environments,
            logs: logs(&inventory.logs),
            ai_identities,
        }
    }

    /// The comparison of the identity at a position.
    pub(super) fn comparison(&self, position: usize) -> Option<&'a Comparison> {
        let at = self.comparisons.get(position).copied().flatten()?;
        self.input.comparisons.get(at as usize)
    }

    /// What the identity at a position can become.
    pub(super) fn reach(&self, position: usize) -> Option<&'a Reach> {
        self.reaches.get(position).copied().flatten()
    }

    /// The path to the target that is named for an identity with this reach.
    pub(super) fn escalation(&self, id: &IdentityId, reach: &Reach) -> Option<&'a Path> {
        reach.escalation(self.paths.get(id).copied()?)
    }

    /// The nature of an identity, as a word.
    pub(super) fn nature(&self, id: &IdentityId) -> &'static str {
        self.input.judgements.nature(id).as_str()
    }

    /// The nature of whom a credential proves, as a word.
    pub(super) fn nature_of_holder(&self, credential: usize) -> &'static str {
        let holder = self.holders.get(credential).copied().flatten();
        holder.map_or(Nature::Unknown, |holder| self.input.judgements.nature_at(holder as usize)).as_str()
    }

    /// The number of environments in which the identity at a position is used.
    pub(super) fn environments(&self, position: usize) -> i64 {
        let own = self.inventory.identities.get(position).and_then(|identity| identity.environment.value());
        match self.environments.get(&position) {
            None => i64::from(own.is_some()),
            Some(users) => int(users.len()) + i64::from(own.is_some_and(|own| !users.contains(own))),
        }
    }
}

/// A count as a column holds it.
pub(super) fn int(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// For each identity: what it can become.
fn reaches<'a>(input: &FactInput<'a>) -> Vec<Option<&'a Reach>> {
    let found = &input.paths.reach;
    let mut next = 0;
    let reach_of = |identity: &'a Identity| match found.get_index(next) {
        // Both lists have the same order, and one lacks some.
        Some((id, reach)) if *id == identity.id => {
            next += 1;
            Some(reach)
        }
        _ => found.get(&identity.id),
    };
    input.inventory.identities.iter().map(reach_of).collect()
}

/// For each identity that paths start at: these.
fn paths<'a>(input: &FactInput<'a>) -> FastMap<&'a IdentityId, &'a [Path]> {
    let of_one = input.paths.paths.chunk_by(|a, b| a.identity == b.identity);
    of_one.filter_map(|paths| Some((&paths.first()?.identity, paths))).collect()
}

/// For each identity: the number of distinct workloads and agents that run as it. Tool servers are used by their agent, and
/// an agent and the workload of the same name that runs it are one.
fn users(input: &FactInput<'_>) -> Vec<u32> {
    let mut users = vec![0; input.inventory.identities.len()];
    let mut seen: HashSet<(usize, &str), foldhash::fast::FixedState> = HashSet::default();
    let workloads = input.inventory.workloads.iter().map(|workload| (&workload.identity, &*workload.name));
    let agents = input.inventory.agents.iter().filter(|agent| agent.kind == AgentKind::Agent);
    for (identity, name) in workloads.chain(agents.map(|agent| (&agent.identity, &*agent.name))) {
        if let Some(position) = input.judgements.position(identity)
            && seen.insert((position, name))
            && let Some(count) = users.get_mut(position)
        {
            *count += 1;
        }
    }
    users
}

/// For each identity that others act through as a tool: the number of those. Agents that share an identity are told apart
/// by where they are configured.
fn used_by(inventory: &Inventory) -> FastMap<&IdentityId, i64> {
    let agents: BTreeSet<(&str, &Evidence)> = inventory
        .agents
        .iter()
        .filter(|agent| agent.kind == AgentKind::Agent)
        .map(|agent| (agent.identity.as_str(), &agent.evidence))
        .collect();
    let mut users: FastMap<&IdentityId, BTreeSet<(&str, Option<&Evidence>)>> = FastMap::default();
    for trust in inventory.trusts.iter().filter(|trust| trust.mechanism == Mechanism::UsesTool) {
        let agent = Some(&trust.evidence).filter(|evidence| agents.contains(&(&*trust.source, evidence)));
        users.entry(&trust.target).or_default().insert((&trust.source, agent));
    }
    users.into_iter().map(|(tool, users)| (tool, int(users.len()))).collect()
}

/// The identities one of whose agents is in the register.
fn registered_agents(input: &FactInput<'_>) -> BTreeSet<usize> {
    let Some(register) = input.register else { return BTreeSet::new() };
    let registered = input
        .inventory
        .agents
        .iter()
        .filter(|agent| register.holds(agent.provider.0, &agent.id, &agent.client, &agent.name));
    registered.filter_map(|agent| input.judgements.position(&agent.identity)).collect()
}

/// For each credential: the number of identities that hold the same secret.
///
/// The issuer's own record of a credential is no holder: a key that only its agent has is held once.
fn shared_by(credentials: &[Credential]) -> Vec<i64> {
    let by_secret = holders(credentials, |credential| credential.fingerprint);
    let by_id = holders(credentials, |credential| credential.public_id.as_ref().filter(|_| is_held_copy(credential)));
    let held = |count: Option<&BTreeSet<&IdentityId>>| count.map_or(1, |holders| int(holders.len()));
    credentials
        .iter()
        .map(|credential| {
            let secret = held(credential.fingerprint.and_then(|fingerprint| by_secret.get(&fingerprint)));
            secret.max(held(credential.public_id.as_ref().and_then(|id| by_id.get(&id))))
        })
        .collect()
}

fn holders<'a, K: Eq + Hash>(
    credentials: &'a [Credential],
    key: impl Fn(&'a Credential) -> Option<K>,
) -> FastMap<K, BTreeSet<&'a IdentityId>> {
    let mut holders: FastMap<K, BTreeSet<&IdentityId>> = FastMap::default();
    for credential in credentials {
        if let Some(key) = key(credential) {
            holders.entry(key).or_default().insert(&credential.identity);
        }
    }
    holders
}

/// For each credential with a fingerprint: a name for its secret that reveals nothing.
fn secret_names(credentials: &[Credential], stable: bool) -> Vec<Option<Arc<str>>> {
    let mut names: FastMap<evenhand_model::secret::Fingerprint, Arc<str>> = FastMap::default();
    credentials
        .iter()
        .map(|credential| {
            let fingerprint = credential.fingerprint?;
            let next = names.len() + 1;
            let name = names
                .entry(fingerprint)
                .or_insert_with(|| if stable { fingerprint.to_hex().into() } else { format!("secret-{next}").into() });
            Some(Arc::clone(name))
        })
        .collect()
}

/// For each identity that others may become: the environments of these others.
fn environments(input: &FactInput<'_>) -> FastMap<usize, BTreeSet<Arc<str>>> {
    let mut environments: FastMap<usize, BTreeSet<Arc<str>>> = FastMap::default();
    if input.inventory.identities.iter().all(|identity| identity.environment.value().is_none()) {
        return environments;
    }
    for trust in &input.inventory.trusts {
        let source = input.judgements.position(&IdentityId::new(Arc::clone(&trust.source)));
        let source = source.and_then(|position| input.inventory.identities.get(position));
        if let Some(environment) = source.and_then(|identity| identity.environment.value())
            && let Some(target) = input.judgements.position(&trust.target)
        {
            environments.entry(target).or_default().insert(Arc::clone(environment));
        }
    }
    environments
}

/// What the logs of each scope tell.
fn logs(logs: &[Log]) -> FastMap<&ScopeId, LogFacts> {
    let truth = |fact: &Fact<bool>| fact.value().map_or(Truth::Unknown, |value| Truth::from(*value));
    let mut facts: FastMap<&ScopeId, LogFacts> = FastMap::default();
    for log in logs {
        let on = truth(&log.enabled);
        let covers_agents = on.and(truth(&log.covers_agents));
        facts
            .entry(&log.scope)
            .and_modify(|held| {
                held.on = held.on.or(on);
                held.covers_agents = held.covers_agents.or(covers_agents);
            })
            .or_insert(LogFacts { on, covers_agents });
    }
    facts
}
