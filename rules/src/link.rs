//! Joins over the merged inventory that need no vendor knowledge, made before anything is judged.
//!
//! One provider reads who holds a key, another whose key it is; one reads an agent, another the role that trusts it.
//! Here these halves meet: trusts and signals are added to the inventory, nothing is taken away.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use evenhand_model::credential::{Credential, Exposure};
use evenhand_model::evidence::{Evidence, Fact, Truth};
use evenhand_model::glob::Glob;
use evenhand_model::id::{IdentityId, Job};
use evenhand_model::identity::{Identity, Nature, Signal, Strength, nature_of};
use evenhand_model::inventory::{Hint, Inventory};
use evenhand_model::trust::{Mechanism, Trust};
use rayon::prelude::*;

#[cfg(test)]
mod tests;
mod tokens;

pub use crate::jobs::{JobConfig, JobRule, Register, RegisterEntry, Selector};
pub use crate::judgements::Judgements;
use crate::patterns::Patterns;

/// Positions of identities by id.
type Positions = HashMap<IdentityId, usize, foldhash::fast::FixedState>;

/// Joins what several providers, and the configuration, say about the same identities, and sorts the inventory.
///
/// - A job of the configuration speaks for the nature of the identities that it names.
/// - Whoever holds a copy of another identity's credential may become it; if the holder is an AI agent, the other one is
///   used by an AI agent. The same holds for an identity that an AI agent may become by federation, or that its workloads
///   carry. All go on until nothing new is found.
/// - Whoever can get a token that something accepts may become what accepts it ([`tokens`]).
/// - What a configuration names by a key's public id, or by a pattern that one identity alone fits, is that identity.
/// - Who enters another provider under an id that others have for it, such as a role's without its path, is that identity.
/// - Under whatever name people enter another provider, they do the same job there.
/// - An owner who is a person of the inventory is as active as that person.
pub fn link(inventory: &mut Inventory, jobs: &JobConfig) {
    declare_jobs(inventory, jobs);
    let positions = positions(inventory);
    resolve_targets(inventory, &positions);
    resolve_sources(inventory, &positions);
    let held = held_credentials(inventory, &positions);
    inventory.trusts.extend(held);
    tokens::join(inventory, &positions);
    spread_agents(inventory, &positions);
    carry_jobs(inventory, &positions, jobs);
    find_owners(inventory);
    inventory.sort();
}

/// Whether a credential is a copy that lies somewhere, as opposed to the issuer's own record of it.
pub(crate) fn is_held_copy(credential: &Credential) -> bool {
    matches!(
        credential.exposure,
        Fact::Known(Exposure::Committed | Exposure::UserFile | Exposure::Environment | Exposure::Store)
    )
}

fn positions(inventory: &Inventory) -> Positions {
    let mut positions = Positions::with_capacity_and_hasher(inventory.identities.len(), Default::default());
    for (at, identity) in inventory.identities.iter().enumerate() {
        positions.entry(identity.id.clone()).or_insert(at);
    }
    positions
}

/// Signals from `[[job]]`: what the configuration declares outweighs what documents suggest.
fn declare_jobs(inventory: &mut Inventory, jobs: &JobConfig) {
    if jobs.jobs.is_empty() {
        return;
    }
    inventory.identities.par_iter_mut().for_each(|identity| {
        let signal = |nature, job: &JobRule, part: &str| Signal {
            nature,
            strength: Strength::Certain,
            reason: format!("job `{}` names it among its {part}", job.name).into(),
            evidence: job.evidence.clone(),
        };
        if let Some(job) = jobs.agent_job(identity) {
            // First, because the first of equal signals decides: a user that its tag calls a workload may be an agent.
            identity.signals.insert(0, signal(Nature::AiAgent, job, "agents"));
            // Whoever reviewed the job reviewed what does it.
            let reviewed = job.reviewed_on.and_then(|day| day.to_zoned(jiff::tz::TimeZone::UTC).ok());
            if let Some(reviewed) = reviewed.map(|day| day.timestamp())
                && identity.reviewed_at.value().is_none_or(|held| *held < reviewed)
            {
                identity.reviewed_at = Fact::Known(reviewed);
            }
        } else if let Some(job) = jobs.human_job(identity)
            && nature_of(&identity.signals) != Nature::Human
        {
            identity.signals.insert(0, signal(Nature::HumanRole, job, "human roles"));
        }
    });
    let idle = jobs.jobs.par_iter().flat_map_iter(|job| {
        let unmatched = |selector: &&Selector| !inventory.identities.iter().any(|identity| selector.matches(identity));
        let sides = job.human.iter().map(|one| ("human", one)).chain(job.agents.iter().map(|one| ("agents", one)));
        sides.filter(|(_, selector)| unmatched(selector)).map(|(side, selector)| Hint {
            evidence: job.evidence.clone(),
            message: format!(
                "`{selector}` under `{side}` of job `{}` chooses nobody that was read; `evenhand inventory` shows the names",
                job.name
            )
            .into(),
        }).collect::<Vec<_>>()
    });
    let idle: Vec<Hint> = idle.collect();
    inventory.hints.extend(idle);
}

/// Begins the target of a trust that names a credential by its public id.
const CREDENTIAL: &str = "credential:";

/// Replaces targets that name an identity indirectly. One that leads nowhere, or that several fit, stays as it is written,
/// so that comparisons can say what was not read.
fn resolve_targets(inventory: &mut Inventory, positions: &Positions) {
    let indirect = |target: &str| target.starts_with(CREDENTIAL) || target.contains(['*', '?']);
    let mut wanted: BTreeSet<IdentityId> = BTreeSet::new();
    // Of a cloud's identity an annotation may give the id by which it asks for tokens, which is that of its credentials.
    let mut clients: BTreeSet<IdentityId> = BTreeSet::new();
    for trust in &inventory.trusts {
        if trust.mechanism == Mechanism::Federation && !positions.contains_key(&trust.target) {
            clients.insert(trust.target.clone());
        }
        let borrows = matches!(trust.mechanism, Mechanism::HoldsCredential | Mechanism::Ambient);
        if borrows && indirect(trust.target.as_str()) && !positions.contains_key(&trust.target) {
            wanted.insert(trust.target.clone());
        }
    }
    if wanted.is_empty() && clients.is_empty() {
        return;
    }
    let issued = issued(inventory, positions);
    let aliases = inventory.named_by_others();
    clients.retain(|client| issued.contains_key(client.as_str()) || aliases.contains_key(client));
    if wanted.is_empty() && clients.is_empty() {
        return;
    }
    let targets: Vec<(&IdentityId, Glob)> = wanted
        .iter()
        .filter(|target| !target.as_str().starts_with(CREDENTIAL))
        .map(|target| (target, Glob::wildcard(target.as_str())))
        .collect();
    let patterns = Patterns::new(targets.iter().enumerate().map(|(at, (target, _))| (at, target.as_str())));
    let fitting = inventory.identities.par_iter().flat_map_iter(|identity| {
        let fits =
            |at: &usize| targets.get(*at).is_some_and(|(_, glob)| glob.matches(identity.id.as_str()) == Truth::Yes);
        patterns.candidates([identity.id.as_str()]).into_iter().filter(fits).map(|at| (at, &identity.id))
    });
    let fitting: Vec<(usize, &IdentityId)> = fitting.collect();
    let mut meant: HashMap<&IdentityId, BTreeSet<&IdentityId>> = HashMap::new();
    for (at, id) in fitting {
        if let Some((target, _)) = targets.get(at) {
            meant.entry(target).or_default().insert(id);
        }
    }
    let by_id = wanted.iter().filter_map(|target| Some((target, target.as_str().strip_prefix(CREDENTIAL)?)));
    for (target, id) in by_id.chain(clients.iter().map(|client| (client, client.as_str()))) {
        let records = issued.get(id);
        for credential in records.into_iter().flatten() {
            meant.entry(target).or_default().insert(&credential.identity);
        }
    }
    for client in &clients {
        let named = aliases.get(client).copied().filter(|identity| positions.contains_key(*identity));
        meant.entry(client).or_default().extend(named);
    }
    let known: HashMap<IdentityId, IdentityId> = meant
        .into_iter()
        .filter_map(|(target, found)| {
            let mut found = found.into_iter();
            let only = found.next().filter(|_| found.next().is_none())?;
            Some((target.clone(), only.clone()))
        })
        .collect();
    for trust in &mut inventory.trusts {
        if let Some(target) = known.get(&trust.target) {
            trust.target = target.clone();
        }
    }
}

/// Whoever enters another provider under an id that others have for it.
fn resolve_sources(inventory: &mut Inventory, positions: &Positions) {
    if inventory.aliases.is_empty() {
        return;
    }
    let aliases = inventory.named_by_others();
    let meant = |trust: &Trust| {
        if trust.mechanism != Mechanism::Assignment {
            return None;
        }
        let source = IdentityId::new(Arc::clone(&trust.source));
        let known = |identity: &&&IdentityId| !positions.contains_key(&source) && positions.contains_key(**identity);
        aliases.get(&source).filter(known).map(|id| id.shared())
    };
    let meant: Vec<Option<Arc<str>>> = inventory.trusts.iter().map(meant).collect();
    for (trust, source) in inventory.trusts.iter_mut().zip(meant) {
        if let Some(source) = source {
            trust.source = source;
        }
    }
}

/// Credentials by public id.
type Issued<'i> = HashMap<&'i str, Vec<&'i Credential>, foldhash::fast::FixedState>;

/// The issuers' own records of credentials, of identities that were read.
fn issued<'i>(inventory: &'i Inventory, positions: &Positions) -> Issued<'i> {
    let mut issued = Issued::default();
    for credential in &inventory.credentials {
        if let Some(id) = credential.public_id.as_deref()
            && !is_held_copy(credential)
            && positions.contains_key(&credential.identity)
        {
            issued.entry(id).or_default().push(credential);
        }
    }
    issued
}

/// Trusts from the holders of credentials to the identities that these prove.
fn held_credentials(inventory: &Inventory, positions: &Positions) -> Vec<Trust> {
    if !inventory.credentials.iter().any(is_held_copy) {
        return Vec::new();
    }
    let issued = issued(inventory, positions);
    let mut known: BTreeSet<(IdentityId, IdentityId)> = inventory
        .trusts
        .iter()
        .filter(|trust| trust.mechanism == Mechanism::HoldsCredential)
        .map(|trust| (IdentityId::new(Arc::clone(&trust.source)), trust.target.clone()))
        .collect();
    let mut trusts = Vec::new();
    for held in inventory.credentials.iter().filter(|credential| is_held_copy(credential)) {
        let Some(records) = held.public_id.as_deref().and_then(|id| issued.get(id)) else { continue };
        for record in records.iter().filter(|record| record.identity != held.identity) {
            if known.insert((held.identity.clone(), record.identity.clone())) {
                trusts.push(Trust {
                    source: held.identity.shared(),
                    target: record.identity.clone(),
                    provider: held.provider,
                    mechanism: Mechanism::HoldsCredential,
                    constraint: "".into(),
                    weak: Truth::No,
                    weakness: "".into(),
                    evidence: held.evidence.clone(),
                });
            }
        }
    }
    trusts
}

/// Carries the nature `ai_agent` along held credentials and federation, until nothing changes.
fn spread_agents(inventory: &mut Inventory, positions: &Positions) {
    struct Step {
        source: usize,
        target: usize,
        mechanism: Mechanism,
        evidence: Evidence,
    }
    let mut steps: Vec<Step> = inventory
        .trusts
        .iter()
        .filter(|trust| {
            matches!(trust.mechanism, Mechanism::Federation | Mechanism::HoldsCredential | Mechanism::WorkloadCreation)
        })
        .filter_map(|trust| {
            let source = *positions.get(&IdentityId::new(Arc::clone(&trust.source)))?;
            let target = *positions.get(&trust.target)?;
            let evidence = trust.evidence.clone();
            (source != target).then_some(Step { source, target, mechanism: trust.mechanism, evidence })
        })
        .collect();
    // The order of input must not show: the first of equal signals decides the reason that people read.
    let key = |inventory: &Inventory, at: usize| inventory.identities.get(at).map(|identity| identity.id.clone());
    steps.sort_by_cached_key(|step| {
        (key(inventory, step.target), key(inventory, step.source), step.mechanism, step.evidence.clone())
    });
    steps.dedup_by(|later, earlier| {
        (later.source, later.target, later.mechanism) == (earlier.source, earlier.target, earlier.mechanism)
    });

    let is_agent = |identity: &Identity| nature_of(&identity.signals) == Nature::AiAgent;
    let mut agents: Vec<bool> = inventory.identities.par_iter().map(is_agent).collect();
    while !steps.is_empty() {
        let (ready, rest): (Vec<Step>, Vec<Step>) =
            steps.into_iter().partition(|step| agents.get(step.source).copied().unwrap_or(false));
        if ready.is_empty() {
            break;
        }
        steps = rest;
        for step in ready {
            let Some(source) = inventory.identities.get(step.source).map(|identity| Arc::clone(&identity.name)) else {
                continue;
            };
            let Some(target) = inventory.identities.get_mut(step.target) else { continue };
            let reason = match step.mechanism {
                Mechanism::HoldsCredential => format!("AI agent `{source}` holds its credential"),
                Mechanism::WorkloadCreation => format!("workloads of AI agent `{source}` run with it"),
                _ => format!("AI agent `{source}` may become it by federation"),
            };
            target.signals.push(Signal {
                nature: Nature::AiAgent,
                strength: Strength::Strong,
                reason: reason.into(),
                evidence: step.evidence,
            });
            if let Some(slot) = agents.get_mut(step.target) {
                *slot = is_agent(target);
            }
        }
    }
}

/// Gives the job of human roles to those of another provider that they are let in as, such as a group of a cluster, where
/// these say nothing of a job and all who enter by them do the same. A provider's generic role is anybody's.
fn carry_jobs(inventory: &mut Inventory, positions: &Positions, jobs: &JobConfig) {
    let is_human = |identity: &Identity| matches!(nature_of(&identity.signals), Nature::Human | Nature::HumanRole);
    let mut carried: BTreeMap<usize, Option<Job>> = BTreeMap::new();
    for trust in inventory.trusts.iter().filter(|trust| trust.mechanism == Mechanism::Assignment) {
        let source = positions.get(&IdentityId::new(Arc::clone(&trust.source)));
        let source = source.and_then(|at| inventory.identities.get(*at));
        let target = positions.get(&trust.target).and_then(|at| Some((*at, inventory.identities.get(*at)?)));
        let (Some(source), Some((at, target))) = (source, target) else { continue };
        let says_nothing = target.job.is_none() && jobs.job_of(target).is_none() && !target.generic_role;
        if source.provider == target.provider || !says_nothing || !is_human(source) || !is_human(target) {
            continue;
        }
        let job = jobs.job_of(source).or_else(|| source.job.clone());
        carried
            .entry(at)
            .and_modify(|held| *held = held.take().filter(|held| Some(held) == job.as_ref()))
            .or_insert(job);
    }
    for (at, job) in carried {
        if let Some(identity) = inventory.identities.get_mut(at) {
            identity.job = job;
        }
    }
}

/// Fills [`Identity::owner_active`] where the owner is a person of the inventory, by name or id, or where another
/// provider knows an owner of exactly that name.
///
/// An owner who is not found stays unknown: the inventory need not list everybody.
fn find_owners(inventory: &mut Inventory) {
    let wanted =
        |identity: &Identity| identity.owner_active == Fact::Unknown && matches!(identity.owner, Fact::Known(_));
    if !inventory.identities.iter().any(wanted) {
        return;
    }
    // Of several people with one name any active one will do; where providers disagree nothing is known.
    let mut people: HashMap<String, Truth, foldhash::fast::FixedState> = HashMap::default();
    let mut owners: HashMap<String, Truth, foldhash::fast::FixedState> = HashMap::default();
    let is_person = |identity: &Identity| nature_of(&identity.signals) == Nature::Human;
    let is_person: Vec<bool> = inventory.identities.par_iter().map(is_person).collect();
    for (identity, is_person) in inventory.identities.iter().zip(is_person) {
        if let (Fact::Known(owner), Fact::Known(active)) = (&identity.owner, &identity.owner_active) {
            let active = Truth::from(*active);
            let held = owners.entry(owner.to_lowercase()).or_insert(active);
            if *held != active {
                *held = Truth::Unknown;
            }
        }
        if is_person {
            let active = identity.enabled.value().map_or(Truth::Unknown, |enabled| Truth::from(*enabled));
            for name in [identity.name.to_lowercase(), identity.id.as_str().to_lowercase()] {
                people.entry(name).and_modify(|held| *held = held.or(active)).or_insert(active);
            }
        }
    }
    inventory.identities.par_iter_mut().filter(|identity| wanted(identity)).for_each(|identity| {
        let Fact::Known(owner) = &identity.owner else { return };
        let owner = owner.to_lowercase();
        let local = owner.split_once('@').map(|(local, _)| local);
        let person = people.get(&owner).or_else(|| people.get(local?)).and_then(|active| active.known());
        let elsewhere = || owners.get(&owner).and_then(|active| active.known());
        identity.owner_active = Fact::known(person.or_else(elsewhere));
    });
}
