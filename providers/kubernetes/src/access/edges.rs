//! Steps from an identity to more access.
//!
//! Whoever may start pods in a namespace can become every account of it, so the pairs of source and target grow with the
//! square of the accounts. Edges are therefore limited to what tells something: only targets whose access the source does
//! not have already, the strongest first, at most [`TARGETS`] for each source and place and [`EQUALS`] with the same
//! access; of several techniques to one target the most direct one, and every technique at least once. What is left out
//! weighs no more than what is shown, and a hint says that something is. Accounts with a cloud's role or tools behind them
//! are never taken for covered.
//! Identities that hold the same are worked out once.

use std::collections::{BTreeSet, HashMap};
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
use super::techniques::{Leads, TECHNIQUES, Technique};
use super::{Actor, Resolver, Surroundings};

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
    }
    edges.sort_by(|a, b| {
        (&a.source, &a.target, &a.technique, a.conditional).cmp(&(&b.source, &b.target, &b.technique, b.conditional))
    });
    edges.dedup_by(|b, a| a.source == b.source && a.target == b.target && a.technique == b.technique);
    (edges, left_out)
}

type Map<K, V> = HashMap<K, V, FixedState>;

/// An account that can be become.
struct Account<'r> {
    id: &'r IdentityId,
    namespace: &'r Arc<str>,
    name: &'r Arc<str>,
    power: usize,
    /// Whether a document states a step from it: what lies behind is no part of its own access.
    leads_on: bool,
}

/// Accounts of one place, as numbers.
#[derive(Default)]
struct Candidates {
    /// Those that lead on by what a document states.
    leading: Vec<u32>,
    /// The others by what they hold, strongest first.
    groups: Vec<Group>,
    /// How many they are.
    grouped: usize,
}

/// Accounts that hold the same.
struct Group {
    power: usize,
    /// A few of them.
    members: Vec<u32>,
    /// How many there are.
    count: usize,
}

impl Candidates {
    fn add(&mut self, number: u32, account: &Account<'_>) {
        if account.leads_on {
            self.leading.push(number);
            return;
        }
        self.grouped += 1;
        match self.groups.last_mut() {
            Some(group) if group.power == account.power => {
                group.count += 1;
                if group.members.len() < EQUALS {
                    group.members.push(number);
                }
            }
            _ => self.groups.push(Group { power: account.power, members: vec![number], count: 1 }),
        }
    }
}

/// Accounts by place.
#[derive(Default)]
struct Places {
    everywhere: Candidates,
    by_namespace: Map<Arc<str>, Candidates>,
    nobody: Candidates,
}

impl Places {
    fn add(&mut self, number: u32, account: &Account<'_>) {
        self.everywhere.add(number, account);
        self.by_namespace.entry(Arc::clone(account.namespace)).or_default().add(number, account);
    }

    fn in_place(&self, place: Option<&Arc<str>>) -> &Candidates {
        match place {
            None => &self.everywhere,
            Some(namespace) => self.by_namespace.get(namespace).unwrap_or(&self.nobody),
        }
    }
}

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
    needs: Vec<Vec<OpSet>>,
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
        let leading: BTreeSet<&IdentityId> = resolver.stated.iter().map(|edge| &edge.source).collect();
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
        accounts.sort_by(|a, b| {
            strengths.get(b.power).cmp(&strengths.get(a.power)).then_with(|| (a.power, a.id).cmp(&(b.power, b.id)))
        });
        let carried: BTreeSet<(&str, &str)> =
            surroundings.running.iter().map(|(namespace, name)| (&**namespace, &**name)).collect();
        let stored: BTreeSet<(&str, &str)> =
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
        let needs: Vec<Vec<OpSet>> = TECHNIQUES
            .iter()
            .map(|technique| technique.needs.iter().map(|need| need.operations(&resolver.operations)).collect())
            .collect();
        let dangerous = needs.iter().flatten().fold(OpSet::new(), |all, need| all.union(need));
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
            needs,
            dangerous,
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
        sources.sort();
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
        let each: Vec<(Vec<Edge>, bool)> = sources
            .par_iter()
            .map(|(source, set)| {
                let (Some(power), Some(held)) = (power_of(*set), self.cluster.set(*set)) else {
                    return (Vec::new(), false);
                };
                let edges = |taken: &Taken| (self.edges_of(source, held, &taken.steps, &techniques), taken.left_out);
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
                    let granted: Arc<[Grant]> = self.grants(held, step).into();
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

    /// The statements that give what a step needs.
    fn grants(&self, held: &Held, step: &Step) -> Vec<Grant> {
        let mut found: Vec<Grant> = Vec::new();
        for need in self.needs.get(step.technique).into_iter().flatten() {
            let grant = held.grantors.iter().find_map(|grantor| {
                self.cluster
                    .rules_of(*grantor)
                    .find(|(_, rule, operations, home)| {
                        (home.is_empty() || step.place.as_ref() == Some(*home))
                            && (rule.resource_names.is_empty()
                                || step.name.as_ref().is_some_and(|name| rule.resource_names.contains(name)))
                            && !operations.intersection(need).is_empty()
                    })
                    .map(|(at, ..)| self.cluster.policy.grant(*grantor, at))
            });
            if let Some(grant) = grant
                && !found.contains(&grant)
            {
                found.push(grant);
            }
        }
        found
    }

    /// Everything that a power leads to.
    fn reach(&self, power_at: usize) -> Taken {
        let mut taken = Taken::default();
        let Some(power) = self.powers.get(power_at) else { return taken };
        if self.admins.get(power_at) == Some(&true) {
            return taken;
        }
        for (at, technique) in TECHNIQUES.iter().enumerate() {
            let everywhere = self.meets(at, &power.cluster);
            if everywhere {
                self.take(power_at, at, technique, None, &mut taken);
                continue;
            }
            for (home, local) in &power.local {
                if !local.intersection(&self.dangerous).is_empty() && self.meets(at, &power.within(home)) {
                    self.take(power_at, at, technique, Some(home), &mut taken);
                }
            }
        }
        self.take_named(power_at, power, &mut taken);
        taken
    }

    fn meets(&self, technique: usize, held: &OpSet) -> bool {
        self.needs
            .get(technique)
            .is_some_and(|needs| !needs.is_empty() && needs.iter().all(|need| !need.intersection(held).is_empty()))
    }

    fn take(&self, power: usize, at: usize, technique: &Technique, place: Option<&Arc<str>>, taken: &mut Taken) {
        let step = |target: Target, conditional: bool| Step {
            technique: at,
            place: place.cloned(),
            name: None,
            target,
            conditional: technique.conditional || conditional,
        };
        let (candidates, conditional): (&Candidates, bool) = match technique.leads {
            Leads::Cluster => {
                if place.is_none() {
                    taken.steps.push(step(Target::Cluster, false));
                }
                return;
            }
            Leads::ClusterFrom(home) => {
                let there = place.is_none_or(|place| **place == *home);
                let mapped = self.surroundings.aws_auth;
                if there && mapped != Some(false) {
                    let step = step(Target::Cluster, true);
                    taken.steps.push(Step { conditional: mapped.is_none(), ..step });
                }
                return;
            }
            Leads::Accounts => (self.all.in_place(place), false),
            Leads::Running => (self.running.in_place(place), !self.surroundings.workloads_known),
            Leads::TokenSecrets => (self.tokens.in_place(place), false),
            Leads::Controllers(names) => {
                for name in names {
                    for number in self.by_name.get(name).into_iter().flatten() {
                        if self.has_more(power, *number, taken) {
                            taken.steps.push(step(Target::Account(*number), true));
                        }
                    }
                }
                return;
            }
        };
        let mut reached: Vec<u32> = candidates.leading.iter().copied().take(TARGETS).collect();
        let mut unseen = candidates.grouped;
        for group in candidates.groups.iter().take(COMPARED) {
            if reached.len() >= TARGETS {
                break;
            }
            unseen = unseen.saturating_sub(group.count);
            if self.holds_more(power, group.power, taken) {
                reached.extend(&group.members);
                taken.left_out |= group.members.len() < group.count;
            }
        }
        taken.left_out |= candidates.leading.len() > TARGETS || unseen > 0;
        let mut shown = false;
        for number in &reached {
            if taken.seen.insert(*number) {
                taken.steps.push(step(Target::Account(*number), conditional));
                shown = true;
            }
        }
        // Every technique is shown at least once, if only towards a target that a more direct one reaches too.
        if let Some(number) = reached.first().filter(|_| !shown)
            && !taken.steps.iter().any(|held| {
                held.target == Target::Account(*number)
                    && TECHNIQUES.get(held.technique).is_some_and(|held| held.id == technique.id)
            })
        {
            taken.steps.push(step(Target::Account(*number), conditional));
        }
    }

    /// Whether someone else's access reaches anything that a power does not.
    fn holds_more(&self, power: usize, other: usize, taken: &mut Taken) -> bool {
        power != other
            && !*taken.covered.entry(other).or_insert_with(|| match (self.powers.get(power), self.powers.get(other)) {
                (Some(ours), Some(theirs)) => ours.covers(theirs),
                _ => true,
            })
    }

    /// Whether an account leads to anything that a power does not.
    fn has_more(&self, power: usize, account: u32, taken: &mut Taken) -> bool {
        self.accounts
            .get(account as usize)
            .is_some_and(|account| account.leads_on || self.holds_more(power, account.power, taken))
    }

    /// Steps that rules with names allow.
    fn take_named(&self, power_at: usize, power: &Power, taken: &mut Taken) {
        for ((home, name), held) in &power.named {
            if held.intersection(&self.dangerous).is_empty() {
                continue;
            }
            let place = (!home.is_empty()).then(|| Arc::clone(home));
            for (at, technique) in TECHNIQUES.iter().enumerate() {
                let step = |target: Target, conditional: bool| Step {
                    technique: at,
                    place: place.clone(),
                    name: Some(Arc::clone(name)),
                    target,
                    conditional: technique.conditional || conditional,
                };
                let first = self.needs.get(at).and_then(|needs| needs.first());
                let meets = first.is_some_and(|need| !need.intersection(held).is_empty());
                if !meets {
                    continue;
                }
                match (technique.id, technique.leads) {
                    (_, Leads::Accounts) if technique.by_name => {
                        for number in self.by_name.get(&**name).into_iter().flatten() {
                            let there = self
                                .accounts
                                .get(*number as usize)
                                .is_some_and(|account| place.as_ref().is_none_or(|place| account.namespace == place));
                            if there && self.has_more(power_at, *number, taken) && taken.seen.insert(*number) {
                                taken.steps.push(step(Target::Account(*number), false));
                            }
                        }
                    }
                    (_, Leads::TokenSecrets) => {
                        for (namespace, secret, account) in &self.surroundings.tokens {
                            let there = secret == name && place.as_ref().is_none_or(|place| namespace == place);
                            for number in self.by_name.get(&**account).into_iter().flatten().filter(|_| there) {
                                let same = self
                                    .accounts
                                    .get(*number as usize)
                                    .is_some_and(|account| account.namespace == namespace);
                                if same && self.has_more(power_at, *number, taken) && taken.seen.insert(*number) {
                                    taken.steps.push(step(Target::Account(*number), false));
                                }
                            }
                        }
                    }
                    ("k8s.impersonate.user-group", _) => self.take_impersonation(at, name, held, power, taken),
                    ("k8s.bind", Leads::Cluster) => {
                        let rest = self.needs.get(at).and_then(|needs| needs.get(1));
                        let writes = rest.is_some_and(|need| !need.intersection(&power.cluster).is_empty());
                        if writes && self.cluster.grants_everything(name, self.resolver.operations.resources()) {
                            taken.steps.push(step(Target::Cluster, false));
                        }
                    }
                    (_, Leads::ClusterFrom(namespace)) => {
                        let there = place.as_ref().is_none_or(|place| **place == *namespace);
                        if there && &**name == "aws-auth" && self.surroundings.aws_auth != Some(false) {
                            let step = step(Target::Cluster, true);
                            let conditional = self.surroundings.aws_auth.is_none();
                            taken.steps.push(Step { conditional, ..step });
                        }
                    }
                    _ => {}
                }
            }
        }
    }

    /// Impersonation of a named user or group. A group can only be claimed beside some user.
    fn take_impersonation(&self, at: usize, name: &Arc<str>, held: &OpSet, power: &Power, taken: &mut Taken) {
        let of = |resource: &str| self.resolver.operations.operations("", resource, "", &["impersonate"]);
        let step = |target: Target| Step {
            technique: at,
            place: None,
            name: Some(Arc::clone(name)),
            target,
            conditional: false,
        };
        let named = |word: &str| IdentityId::new(format!("kubernetes:{}:{word}:{name}", self.cluster.policy.name));
        let users = of("users");
        if !held.intersection(&users).is_empty() {
            let id = named("user");
            if self.resolver.identities.contains_key(&id) {
                taken.steps.push(step(Target::Actor(id)));
            }
        }
        let some_user = !power.cluster.intersection(&users).is_empty()
            || power.named.values().any(|held| !held.intersection(&users).is_empty());
        if some_user && !held.intersection(&of("groups")).is_empty() {
            let id = named("group");
            if &**name == crate::rbac::MASTERS {
                taken.steps.push(step(Target::Cluster));
            } else if self.resolver.identities.contains_key(&id) {
                taken.steps.push(step(Target::Actor(id)));
            }
        }
    }
}

/// What was found for one power so far.
#[derive(Default)]
struct Taken {
    seen: BTreeSet<u32>,
    /// Whether the powers that were compared are covered.
    covered: Map<usize, bool>,
    steps: Vec<Step>,
    /// Whether there may be targets beyond those that are shown.
    left_out: bool,
}
