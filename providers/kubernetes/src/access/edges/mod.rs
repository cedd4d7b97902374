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
//! techniques, `named` through rules that are limited to names. What the steps do not tell of an identity is in `unlisted`,
//! who cannot be listed in `open`.

mod candidates;
mod ground;
mod named;
mod open;
mod reach;
mod unlisted;

use std::cmp::Ordering;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, OnceLock};

use evenhand_model::access::{Edge, EdgeTarget, Grant};
use evenhand_model::evidence::Evidence;
use evenhand_model::id::IdentityId;
use evenhand_model::inventory::Hint;
use evenhand_model::opset::OpSet;
use foldhash::fast::FixedState;
use rayon::prelude::*;

use super::compiled::Compiled;
use super::power::Power;
use super::sets::Held;
use super::techniques::{Leads, TECHNIQUES};
use super::{Actor, Resolver, Surroundings};
use candidates::{Account, Places};
use ground::Ground;

pub(super) use unlisted::{Untold, unlisted};

/// The most targets that a technique is given for one source in one place.
const TARGETS: usize = 100;
/// The most targets that hold the same.
const EQUALS: usize = 3;
/// The most kinds of access that are compared with one source's; accounts are ordered by strength.
const COMPARED: usize = 1000;

/// The steps, sorted, and what is left out of them.
pub(super) fn edges(resolver: &Resolver) -> (Vec<Edge>, Vec<Hint>) {
    let mut edges: Vec<Edge> = resolver.stated.clone();
    let mut left_out = Vec::new();
    let nothing = Surroundings::default();
    for (at, cluster) in resolver.clusters.iter().enumerate() {
        let surroundings = resolver.surroundings.get(at).unwrap_or(&nothing);
        let (more, hint) = Field::new(resolver, at, cluster, surroundings).edges();
        edges.extend(more);
        left_out.extend(hint);
        left_out.extend(open::hints(cluster));
    }
    // Those of each cluster come sorted, so that this joins a few runs.
    edges.sort_by(order);
    edges.dedup_by(|b, a| a.source == b.source && a.target == b.target && a.technique == b.technique);
    (edges, left_out)
}

fn order(a: &Edge, b: &Edge) -> Ordering {
    (&a.source, &a.target, &a.technique, a.conditional).cmp(&(&b.source, &b.target, &b.technique, b.conditional))
}

type Map<K, V> = HashMap<K, V, FixedState>;

/// A step that a power allows.
#[derive(Clone)]
struct Step {
    technique: usize,
    /// The namespace in which the technique is held; `None` = in the whole cluster.
    place: Option<Arc<str>>,
    /// The name that the rule is limited to.
    name: Option<Arc<str>>,
    target: Target,
    conditional: bool,
}

impl Step {
    /// Whether the same statements allow another step: they depend on technique, place and name.
    fn is_allowed_like(&self, other: &Self) -> bool {
        self.technique == other.technique && self.place == other.place && self.name == other.name
    }
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Target {
    Account(u32),
    Actor(IdentityId),
    Cluster,
}

/// How a technique is held, and where it leads by that.
struct Way<'a> {
    /// Its number.
    technique: usize,
    leads: Leads,
    /// The namespace in which it is held; `None` = in the whole cluster.
    place: Option<&'a Arc<str>>,
    /// The name that the rule is limited to.
    name: Option<&'a Arc<str>>,
    /// Whether it depends on what is not known.
    conditional: bool,
}

impl Way<'_> {
    fn step(&self, target: Target, conditional: bool) -> Step {
        Step {
            technique: self.technique,
            place: self.place.cloned(),
            name: self.name.cloned(),
            target,
            conditional: self.conditional || conditional,
        }
    }
}

/// One cluster, prepared.
struct Field<'r> {
    resolver: &'r Resolver,
    cluster: &'r Compiled,
    number: u32,
    surroundings: &'r Surroundings,
    powers: Vec<Power>,
    admins: Vec<bool>,
    /// The power of each set.
    power_of: Vec<usize>,
    accounts: Vec<Account<'r>>,
    all: Places,
    running: Places,
    tokens: Places,
    by_name: Map<&'r str, Vec<u32>>,
    ground: Ground<'r>,
    /// Whatever contributes to a technique that leads somewhere.
    dangerous: OpSet,
}

impl<'r> Field<'r> {
    fn new(resolver: &'r Resolver, at: usize, cluster: &'r Compiled, surroundings: &'r Surroundings) -> Self {
        let number = u32::try_from(at).unwrap_or(u32::MAX);
        let each: Vec<Power> = cluster.sets().par_iter().map(|held| Power::of(cluster, held)).collect();
        let mut numbers: Map<Power, usize> = Map::default();
        let mut powers: Vec<Power> = Vec::new();
        let mut power_of = Vec::with_capacity(each.len());
        for power in each {
            let next = powers.len();
            let number = *numbers.entry(power.clone()).or_insert(next);
            if number == next {
                powers.push(power);
            }
            power_of.push(number);
        }
        let admins = powers.iter().map(|power| power.is_admin(&resolver.operations)).collect();
        let strengths: Vec<(bool, u64, u64)> =
            powers.par_iter().map(|power| power.strength(&resolver.operations)).collect();
        let leading: HashSet<&IdentityId, FixedState> = resolver.stated.iter().map(|edge| &edge.source).collect();
        let mut accounts: Vec<Account<'r>> = resolver
            .identities
            .iter()
            .filter(|(_, known)| known.cluster == number)
            .filter_map(|(id, known)| match &known.actor {
                Actor::Account(namespace, name) => {
                    let power = *power_of.get(known.set as usize)?;
                    Some(Account { id, namespace, name, power, leads_on: leading.contains(id) })
                }
                _ => None,
            })
            .collect();
        // Strongest first; the id decides among equals, so that the order does not depend on the map.
        accounts.par_sort_unstable_by(|a, b| {
            strengths.get(b.power).cmp(&strengths.get(a.power)).then_with(|| (a.power, a.id).cmp(&(b.power, b.id)))
        });
        let carried: HashSet<(&str, &str), FixedState> =
            surroundings.running.iter().map(|(namespace, name)| (&**namespace, &**name)).collect();
        let stored: HashSet<(&str, &str), FixedState> =
            surroundings.tokens.iter().map(|(namespace, _, account)| (&**namespace, &**account)).collect();
        let (mut all, mut running, mut tokens) = (Places::default(), Places::default(), Places::default());
        let mut by_name: Map<&str, Vec<u32>> = Map::default();
        for (number, account) in (0u32..).zip(&accounts) {
            all.add(number, account);
            by_name.entry(account.name).or_default().push(number);
            if !surroundings.workloads_known || carried.contains(&(&**account.namespace, &**account.name)) {
                running.add(number, account);
            }
            if stored.contains(&(&**account.namespace, &**account.name)) {
                tokens.add(number, account);
            }
        }
        let ground = Ground::new(&resolver.operations, cluster);
        Self {
            resolver,
            cluster,
            number,
            surroundings,
            powers,
            admins,
            power_of,
            accounts,
            all,
            running,
            tokens,
            by_name,
            ground,
            dangerous: ground.dangerous(),
        }
    }

    /// The steps of everyone in the cluster, sorted by source, and what is left out of them.
    fn edges(&self) -> (Vec<Edge>, Option<Hint>) {
        let mut sources: Vec<(&IdentityId, u32)> = self
            .resolver
            .identities
            .iter()
            .filter(|(_, known)| known.cluster == self.number && !matches!(known.actor, Actor::HolderOf(_)))
            .map(|(id, known)| (id, known.set))
            .collect();
        sources.par_sort_unstable();
        let power_of = |set: u32| self.power_of.get(set as usize).copied();
        let mut users = vec![0_u32; self.powers.len()];
        for power in sources.iter().filter_map(|(_, set)| power_of(*set)) {
            if let Some(users) = users.get_mut(power) {
                *users += 1;
            }
        }
        // Where a power leads is kept only as long as someone else needs it.
        let shared: Vec<OnceLock<Taken>> = self.powers.iter().map(|_| OnceLock::new()).collect();
        let techniques: Vec<Arc<str>> = TECHNIQUES.iter().map(|technique| Arc::from(technique.id)).collect();
        let untold: Vec<OnceLock<Untold>> = self.powers.iter().map(|_| OnceLock::new()).collect();
        let each: Vec<(Vec<Edge>, bool)> = sources
            .par_iter()
            .map(|(source, set)| {
                let (Some(power), Some(held)) = (power_of(*set), self.cluster.set(*set)) else {
                    return (Vec::new(), false);
                };
                let edges = |taken: &Taken| {
                    if let Some(untold) = untold.get(power) {
                        untold.get_or_init(|| self.untold(power, taken));
                    }
                    let mut edges = self.edges_of(source, held, &taken.steps, &techniques);
                    edges.sort_by(order);
                    (edges, taken.left_out)
                };
                match shared.get(power).filter(|_| users.get(power).is_some_and(|users| *users > 1)) {
                    Some(shared) => edges(shared.get_or_init(|| self.reach(power))),
                    None => edges(&self.reach(power)),
                }
            })
            .collect();
        let cut: Vec<&IdentityId> =
            sources.iter().zip(&each).filter(|(_, (_, left_out))| *left_out).map(|((source, _), _)| *source).collect();
        let mut edges = Vec::with_capacity(each.iter().map(|(edges, _)| edges.len()).sum());
        edges.extend(each.into_iter().flat_map(|(edges, _)| edges));
        let hint = self.left_out(&cut, &edges);
        let of_set = |power: &usize| untold.get(*power).and_then(OnceLock::get).copied().unwrap_or_default();
        // They are the same every time.
        let _ = self.cluster.untold.set(self.power_of.iter().map(of_set).collect());
        (edges, hint)
    }

    /// That some identities can become more accounts than their steps say.
    fn left_out(&self, cut: &[&IdentityId], edges: &[Edge]) -> Option<Hint> {
        let first = cut.first()?;
        let allows = edges.iter().find(|edge| edge.source == **first).and_then(|edge| edge.grants.first());
        let evidence =
            allows.map_or_else(|| Evidence::whole(self.cluster.policy.scope.shared()), |grant| grant.evidence.clone());
        let (count, identities) = (cut.len(), if cut.len() == 1 { "identity" } else { "identities" });
        let message = format!(
            "{count} {identities} of cluster {}, {first} among them, can become more accounts than their paths name: \
             {TARGETS} for one way in one place, and {EQUALS} that hold the same; take the way away and none is left",
            self.cluster.policy.name
        );
        Some(Hint { evidence, message: message.into() })
    }

    /// The steps of one identity.
    fn edges_of(&self, source: &IdentityId, held: &Held, steps: &[Step], techniques: &[Arc<str>]) -> Vec<Edge> {
        let mut grants: Vec<(&Step, Arc<[Grant]>)> = Vec::new();
        let mut edges = Vec::with_capacity(steps.len());
        for step in steps {
            let target = match &step.target {
                Target::Cluster => EdgeTarget::Admin(self.cluster.policy.scope.clone()),
                Target::Actor(id) => EdgeTarget::Identity(id.clone()),
                Target::Account(number) => match self.accounts.get(*number as usize) {
                    Some(account) => EdgeTarget::Identity(account.id.clone()),
                    None => continue,
                },
            };
            if matches!(&target, EdgeTarget::Identity(id) if id == source) {
                continue;
            }
            let Some(technique) = techniques.get(step.technique) else { continue };
            let alike = grants.iter().rev().find(|(held, _)| held.is_allowed_like(step));
            let granted = match alike {
                Some((_, granted)) => Arc::clone(granted),
                None => {
                    let (place, name) = (step.place.as_ref(), step.name.as_ref());
                    let granted: Arc<[Grant]> = self.ground.grants(held, step.technique, place, name).into();
                    grants.push((step, Arc::clone(&granted)));
                    granted
                }
            };
            edges.push(Edge {
                source: source.clone(),
                target,
                technique: Arc::clone(technique),
                escalation: true,
                conditional: step.conditional,
                grants: granted,
            });
        }
        edges
    }
}

/// What was found for one power so far.
#[derive(Default)]
struct Taken {
    /// The accounts that are reached, and whether only under a condition.
    seen: BTreeMap<u32, bool>,
    /// Whether the powers that were compared are covered.
    covered: Map<usize, bool>,
    steps: Vec<Step>,
    /// Whether there may be targets beyond those that are shown.
    left_out: bool,
}

impl Taken {
    /// Notes that an account is reached. Whether that is news: the first way to it, or the first without a condition.
    fn reaches(&mut self, account: u32, conditional: bool) -> bool {
        match self.seen.get_mut(&account) {
            None => self.seen.insert(account, conditional).is_none(),
            Some(held) => std::mem::replace(held, *held && conditional) && !conditional,
        }
    }
}
