//! Steps from an identity to more access.
//!
//! Whoever may start pods in a namespace can become every account of it, so the pairs of source and target grow with the
//! square of the accounts. Edges are therefore limited to what tells something: only targets whose access the source does
//! not have already, the strongest first, at most [`TARGETS`] for each source and place and [`EQUALS`] with the same
//! access; of several techniques to one target the most direct one, and every technique at least once. What is left out
//! weighs no more than what is shown, and a hint says that something is. Accounts with a cloud's role or tools behind them
//! are never taken for covered.
//! Identities that hold the same are worked out once.
//!
//! `ground` says what each technique takes and who holds it, `candidates` orders the accounts, `reach` goes through the
//! techniques, `named` through rules that are limited to names; `numbering` gives everything its number. What the steps do
//! not tell of an identity is in `unlisted`, who cannot be listed in `open`.

mod candidates;
mod ground;
mod named;
mod numbering;
mod open;
mod reach;
mod unlisted;

use std::collections::{HashMap, HashSet};
use std::hash::BuildHasher;
use std::sync::{Arc, OnceLock};

use evenhand_model::access::Grant;
use evenhand_model::evidence::Evidence;
use evenhand_model::id::IdentityId;
use evenhand_model::inventory::Hint;
use evenhand_model::parallel::IN_A_ROW;
use evenhand_model::steps::{End, Step, Steps};
use foldhash::fast::FixedState;
use rayon::prelude::*;

use super::compiled::Compiled;
use super::power::{Outline, Power};
use super::sets::Held;
use super::techniques::{Leads, TECHNIQUES};
use super::{Actor, Known, Resolver, Surroundings};
use candidates::{Account, Candidates, Pools};
use ground::{Ground, Triggers};
use numbering::Numbering;

pub(super) use unlisted::unlisted;

/// The most targets that a technique is given for one source in one place.
const TARGETS: usize = 100;
/// The most targets that hold the same.
const EQUALS: usize = 3;
/// The most kinds of access that are compared with one source's; accounts are ordered by strength.
const COMPARED: usize = 1000;
/// Accounts that a power mostly reaches.
const SEEN: usize = 24;

/// The steps, sorted, and what is left out of them.
pub(super) fn steps(resolver: &Resolver) -> (Steps, Vec<Hint>) {
    let mut named: Vec<(&IdentityId, &Known)> = resolver.identities.iter().collect();
    named.par_sort_unstable_by_key(|(id, _)| *id);
    let mut all = Steps::from(resolver.stated.clone());
    let numbering = Numbering::of(&named, &all, resolver);
    let mut members: Vec<Vec<Member<'_>>> = resolver.clusters.iter().map(|_| Vec::new()).collect();
    for ((id, known), number) in named.into_iter().zip(&numbering.named) {
        if let Some(members) = members.get_mut(known.cluster as usize) {
            members.push(Member { id, known, number: *number });
        }
    }
    numbering.renumber(&mut all);
    let is_one_run = all.steps.is_empty() && resolver.clusters.len() < 2;
    let mut left_out = Vec::new();
    let nothing = Surroundings::default();
    for ((at, cluster), members) in (0u32..).zip(&resolver.clusters).zip(&members) {
        let surroundings = resolver.surroundings.get(at as usize).unwrap_or(&nothing);
        let field = Field::new(resolver, cluster, surroundings, members);
        left_out.extend(field.add_steps(&numbering, at, &mut all));
        left_out.extend(open::hints(cluster));
    }
    // Those of each cluster come sorted and each once, so that this joins a few runs.
    let order = |step: &Step| (step.source, step.target, step.technique, step.conditional);
    if !is_one_run {
        if !all.steps.is_sorted_by_key(order) {
            all.steps.par_sort_by_key(order);
        }
        all.steps.dedup_by(|b, a| a.source == b.source && a.target == b.target && a.technique == b.technique);
    }
    (all, left_out)
}

/// An identity of a cluster and its number.
#[derive(Clone, Copy)]
struct Member<'r> {
    id: &'r IdentityId,
    known: &'r Known,
    number: u32,
}

type Map<K, V> = HashMap<K, V, FixedState>;

/// A namespace, with its number among those of the accounts.
#[derive(Clone, Copy)]
struct Home<'a> {
    name: &'a Arc<str>,
    number: u32,
}

/// A step that a power allows.
struct Allowed<'p> {
    technique: usize,
    /// The namespace in which the technique is held; `None` = in the whole cluster.
    home: Option<&'p Arc<str>>,
    /// The name that the rule is limited to.
    name: Option<&'p Arc<str>>,
    target: Target,
    conditional: bool,
}

impl Allowed<'_> {
    /// Whether the same statements allow another step: they depend on technique, namespace and name.
    fn is_allowed_like(&self, other: &Self) -> bool {
        // Most often the texts are not only the same but one.
        let same = |a: Option<&Arc<str>>, b: Option<&Arc<str>>| match (a, b) {
            (Some(a), Some(b)) => std::ptr::eq(a, b) || a == b,
            (a, b) => a.is_none() && b.is_none(),
        };
        self.technique == other.technique && same(self.home, other.home) && same(self.name, other.name)
    }
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Target {
    /// An account, by its position among those of the field.
    Account(u32),
    /// Another identity, by its number.
    Actor(u32),
    Cluster,
}

/// How a technique is held, and where it leads by that.
struct Way<'a> {
    /// Its number.
    technique: usize,
    leads: Leads,
    /// The namespace in which it is held; `None` = in the whole cluster.
    home: Option<Home<'a>>,
    /// The name that the rule is limited to.
    name: Option<&'a Arc<str>>,
    /// Whether it depends on what is not known.
    conditional: bool,
}

impl<'a> Way<'a> {
    fn step(&self, target: Target, conditional: bool) -> Allowed<'a> {
        Allowed {
            technique: self.technique,
            home: self.home.map(|home| home.name),
            name: self.name,
            target,
            conditional: self.conditional || conditional,
        }
    }
}

/// One cluster, prepared.
struct Field<'r> {
    resolver: &'r Resolver,
    cluster: &'r Compiled,
    /// Everyone, sorted by id.
    members: &'r [Member<'r>],
    surroundings: &'r Surroundings,
    powers: Vec<Power>,
    outlines: Vec<Outline>,
    admins: Vec<bool>,
    /// The power of each set.
    power_of: Vec<usize>,
    accounts: Vec<Account<'r>>,
    /// The numbers of the accounts' namespaces.
    homes: Map<&'r str, u32>,
    all: Pools,
    running: Pools,
    tokens: Pools,
    /// Accounts by name, once somebody asks.
    by_name: OnceLock<Map<&'r str, Vec<u32>>>,
    ground: Ground<'r>,
    /// The techniques that work and lead somewhere, as [`Ground::leading`] tells them.
    leading: Vec<(usize, Leads, bool)>,
    /// Which of them a set may make.
    triggers: Triggers,
}

impl<'r> Field<'r> {
    fn new(
        resolver: &'r Resolver,
        cluster: &'r Compiled,
        surroundings: &'r Surroundings,
        members: &'r [Member<'r>],
    ) -> Self {
        let each: Vec<(Power, u64)> = cluster
            .sets()
            .par_iter()
            .map(|held| {
                let power = Power::of(cluster, held);
                let hash = FixedState::default().hash_one(&power);
                (power, hash)
            })
            .collect();
        let (powers, power_of) = distinct(each);
        let (admins, strengths): (Vec<bool>, Vec<(bool, u64, u64)>) = powers
            .par_iter()
            .map(|power| (power.is_admin(&resolver.operations), power.strength(&resolver.operations)))
            .unzip();
        let outlines: Vec<Outline> = powers.par_iter().map(Power::outline).collect();
        let leading: HashSet<&IdentityId, FixedState> = resolver.stated.iter().map(|edge| &edge.source).collect();
        let mut homes: Map<&'r str, u32> = Map::default();
        let mut accounts: Vec<Account<'r>> = Vec::with_capacity(members.len());
        for member in members {
            let (Actor::Account(namespace, name), Some(power)) =
                (&member.known.actor, power_of.get(member.known.set as usize))
            else {
                continue;
            };
            // They are sorted, so that those of one namespace mostly stand together.
            let home = match accounts.last() {
                Some(last) if last.namespace == namespace => last.home,
                _ => {
                    let next = u32::try_from(homes.len()).unwrap_or(u32::MAX);
                    *homes.entry(&**namespace).or_insert(next)
                }
            };
            let (number, carried) = (member.number, member.known.carried);
            let leads_on = leading.contains(member.id);
            accounts.push(Account { number, namespace, name, home, power: *power, leads_on, carried });
        }
        // Strongest first; the id decides among equals.
        accounts.par_sort_by(|a, b| {
            strengths.get(b.power).cmp(&strengths.get(a.power)).then_with(|| a.power.cmp(&b.power))
        });
        let pools = |among: &dyn Fn(&Account<'r>) -> bool| {
            let mut pools = Pools::new(homes.len());
            for (at, account) in (0u32..).zip(&accounts) {
                if among(account) {
                    pools.add(at, account, outlines.get(account.power).copied().unwrap_or_default());
                }
            }
            pools
        };
        let running = || pools(&|account| account.carried || !surroundings.workloads_known);
        let tokens = || {
            let tokens = surroundings.tokens.iter();
            let stored: HashSet<(&str, &str), FixedState> =
                tokens.map(|(namespace, _, account)| (&**namespace, &**account)).collect();
            pools(&|account| stored.contains(&(&**account.namespace, &**account.name)))
        };
        // Each goes once through all accounts and needs none of the others.
        let (all, (running, tokens)) = rayon::join(|| pools(&|_| true), || rayon::join(running, tokens));
        let ground = Ground::new(&resolver.operations, cluster);
        Self {
            resolver,
            cluster,
            members,
            surroundings,
            powers,
            outlines,
            admins,
            power_of,
            accounts,
            homes,
            all,
            running,
            tokens,
            by_name: OnceLock::new(),
            ground,
            leading: ground.leading().collect(),
            triggers: Triggers::new(&ground),
        }
    }

    /// A namespace by its name.
    fn home<'a>(&self, name: &'a Arc<str>) -> Home<'a> {
        Home { name, number: self.homes.get(&**name).copied().unwrap_or(u32::MAX) }
    }

    /// The accounts of a name, wherever they are.
    fn named(&self, name: &str) -> &[u32] {
        let by_name = self.by_name.get_or_init(|| {
            let mut by_name: Map<&'r str, Vec<u32>> = Map::default();
            for (at, account) in (0u32..).zip(&self.accounts) {
                by_name.entry(account.name).or_default().push(at);
            }
            by_name
        });
        by_name.get(name).map_or(&[], Vec::as_slice)
    }

    /// Adds the steps of everyone in the cluster, sorted by source, target and technique; says what is left out of them.
    fn add_steps(&self, numbering: &Numbering, cluster: u32, all: &mut Steps) -> Option<Hint> {
        let sources: Vec<&Member<'_>> =
            self.members.iter().filter(|member| !matches!(member.known.actor, Actor::HolderOf(_))).collect();
        // What holds the same is worked out once, and where the same power leads, too.
        let mut used = vec![false; self.power_of.len()];
        for source in &sources {
            if let Some(used) = used.get_mut(source.known.set as usize) {
                *used = true;
            }
        }
        let mut users = vec![0_u32; self.powers.len()];
        for (power, _) in self.power_of.iter().zip(&used).filter(|(_, used)| **used) {
            if let Some(users) = users.get_mut(*power) {
                *users += 1;
            }
        }
        let shared: Vec<OnceLock<Taken<'_>>> = self.powers.iter().map(|_| OnceLock::new()).collect();
        let sets: Vec<(usize, &Held)> = self.power_of.iter().copied().zip(self.cluster.sets()).collect();
        let (of_sets, grants): (Vec<OfSet>, Vec<Lists>) = sets
            .par_iter()
            .with_max_len(IN_A_ROW)
            .zip(&used)
            .map(|((power, held), used)| match shared.get(*power) {
                Some(_) if !used => Default::default(),
                Some(shared) if users.get(*power).is_some_and(|users| *users > 1) => {
                    self.of_set(held, shared.get_or_init(|| self.reach(*power)), numbering, cluster)
                }
                _ => self.of_set(held, &self.reach(*power), numbering, cluster),
            })
            .unzip();
        let mut firsts: Vec<u32> = Vec::with_capacity(grants.len());
        let mut next = u32::try_from(all.grants.len()).unwrap_or(u32::MAX);
        for grants in &grants {
            firsts.push(next);
            next = next.saturating_add(u32::try_from(grants.len()).unwrap_or(u32::MAX));
        }
        let (steps, statements) = (&mut all.steps, &mut all.grants);
        let put_steps = || {
            let of = |source: &Member<'_>| of_sets.get(source.known.set as usize);
            steps.reserve_exact(sources.iter().filter_map(|source| of(source)).map(|set| set.steps.len()).sum());
            let mut cut: Option<(&Member<'_>, usize, usize)> = None;
            for source in &sources {
                let (Some(set), Some(first)) = (of(source), firsts.get(source.known.set as usize)) else { continue };
                if set.left_out {
                    cut.get_or_insert((source, steps.len(), 0)).2 += 1;
                }
                let own = set.steps.iter().filter(|step| step.target != End::Identity(source.number));
                let (source, first) = (source.number, *first);
                steps.extend(own.map(|step| Step { source, grants: step.grants.saturating_add(first), ..*step }));
            }
            drop(of_sets);
            cut
        };
        let put_grants = || {
            statements.reserve_exact(grants.iter().map(Vec::len).sum());
            statements.extend(grants.into_iter().flatten());
        };
        let (cut, ()) = rayon::join(put_steps, put_grants);
        let (first, at, count) = cut?;
        let step = all.steps.get(at).filter(|step| step.source == first.number);
        let allows = step.and_then(|step| all.grants.get(step.grants as usize)?.first());
        Some(self.left_out(first.id, count, allows))
    }

    /// That some identities can become more accounts than their steps say.
    fn left_out(&self, first: &IdentityId, count: usize, allows: Option<&Grant>) -> Hint {
        let evidence =
            allows.map_or_else(|| Evidence::whole(self.cluster.policy.scope.shared()), |grant| grant.evidence.clone());
        let identities = if count == 1 { "identity" } else { "identities" };
        let message = format!(
            "{count} {identities} of cluster {}, {first} among them, can become more accounts than their paths name: \
             {TARGETS} for one way in one place, and {EQUALS} that hold the same; take the way away and none is left",
            self.cluster.policy.name
        );
        Hint { evidence, message: message.into() }
    }

    /// The steps of whoever holds a set, sorted by target and technique and each once, and what they rest on.
    fn of_set(&self, held: &Held, taken: &Taken<'_>, numbering: &Numbering, cluster: u32) -> (OfSet, Lists) {
        let mut all = OfSet { left_out: taken.left_out, ..OfSet::default() };
        let mut granted = Lists::new();
        if taken.steps.is_empty() {
            return (all, granted);
        }
        all.steps.reserve_exact(taken.steps.len());
        let mut statements = self.ground.statements(held);
        let mut rests_on: Vec<&Allowed<'_>> = Vec::new();
        for allowed in &taken.steps {
            let target = match &allowed.target {
                Target::Cluster => End::Admin(numbering.of_cluster.get(cluster as usize).copied().unwrap_or(u32::MAX)),
                Target::Actor(number) => End::Identity(*number),
                Target::Account(at) => match self.accounts.get(*at as usize) {
                    Some(account) => End::Identity(account.number),
                    None => continue,
                },
            };
            let Some(technique) = numbering.of_technique.get(allowed.technique) else { continue };
            let alike = rests_on.iter().rposition(|held| held.is_allowed_like(allowed));
            let grants = alike.unwrap_or_else(|| {
                granted.push(statements.grants(allowed.technique, allowed.home, allowed.name).into());
                rests_on.push(allowed);
                rests_on.len() - 1
            });
            all.steps.push(Step {
                source: u32::MAX,
                target,
                grants: u32::try_from(grants).unwrap_or(u32::MAX),
                technique: *technique,
                escalation: true,
                conditional: allowed.conditional,
            });
        }
        all.steps.sort_by_key(|step| (step.target, step.technique, step.conditional));
        all.steps.dedup_by(|b, a| a.target == b.target && a.technique == b.technique);
        (all, granted)
    }
}

/// Powers, each once, and which of them each is.
fn distinct(each: Vec<(Power, u64)>) -> (Vec<Power>, Vec<usize>) {
    let mut by_hash: Map<u64, usize> = HashMap::with_capacity_and_hasher(each.len(), FixedState::default());
    // Those whose hash another one has, too.
    let mut more: Vec<usize> = Vec::new();
    let (mut powers, mut numbers) = (Vec::<Power>::new(), Vec::with_capacity(each.len()));
    for (power, hash) in each {
        let next = powers.len();
        let first = *by_hash.entry(hash).or_insert(next);
        let is_it = |at: &usize| powers.get(*at) == Some(&power);
        let held = if first == next { None } else { [first].iter().chain(&more).copied().find(is_it) };
        numbers.push(held.unwrap_or(next));
        if held.is_none() {
            if first != next {
                more.push(next);
            }
            powers.push(power);
        }
    }
    (powers, numbers)
}

/// Lists of statements.
type Lists = Vec<Arc<[Grant]>>;

/// The steps of whoever holds a set: without their source, and with the position of their statements in the list beside.
#[derive(Default)]
struct OfSet {
    steps: Vec<Step>,
    /// Whether there may be targets beyond those that are shown.
    left_out: bool,
}

/// What was found for one power so far.
#[derive(Default)]
struct Taken<'p> {
    /// The accounts that are reached, and whether only under a condition.
    seen: Map<u32, bool>,
    /// Whether the powers that were compared are covered.
    covered: Map<usize, bool>,
    /// The candidates that were looked at last, whom of them the power reaches, and whether only under a condition so far.
    looked_at: Option<&'p Candidates>,
    reached: Vec<u32>,
    conditional: bool,
    steps: Vec<Allowed<'p>>,
    /// Whether there may be targets beyond those that are shown.
    left_out: bool,
}

impl Taken<'_> {
    /// Notes that an account is reached. Whether that is news: the first way to it, or the first without a condition.
    fn reaches(&mut self, account: u32, conditional: bool) -> bool {
        if self.seen.is_empty() {
            self.seen.reserve(SEEN);
        }
        match self.seen.get_mut(&account) {
            None => self.seen.insert(account, conditional).is_none(),
            Some(held) => std::mem::replace(held, *held && conditional) && !conditional,
        }
    }
}
