//! Paths: what an identity holds once it has become everyone it can become.
//!
//! Providers contribute edges whose preconditions they have already decided, documents contribute trusts that cross
//! providers, and this module walks them. It knows no technique by name and no vendor.
//!
//! Of all ways to a target the one that depends least on unknown conditions is shown, then the one that escalates least,
//! then the shortest. Searches are bounded for each start; whether an identity reaches full control of a scope, and
//! whether it can escalate at all, is decided for all identities at once and has no bound.
//!
//! A step to somebody who holds nothing and can become nobody else is no escalation; if something was not read that may give
//! him more, it may be one.
//!
//! What was not read is unknown. An identity may have steps that no edge tells of: a provider says that it holds all that
//! a step takes but for something that was not read ([`Unread`]), or its access may be more than what was read
//! ([`Doubt::may_add`]). Where such an identity, or whoever can become it, is found to reach nothing, the answer is
//! unknown. What is found stays found: a doubt that can only take access away ([`Doubt::may_limit`] alone) turns no yes
//! into unknown, for a limit that nobody saw excuses no right that everybody sees. It is told beside the access.

mod builder;
mod by_node;
mod graph;
mod reach;
mod search;
#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use evenhand_model::access::{Doubt, Edge, EdgeTarget, Unread};
use evenhand_model::evidence::Truth;
use evenhand_model::gap::Gap;
use evenhand_model::id::IdentityId;
use evenhand_model::identity::{Identity, Nature};
use evenhand_model::inventory::Inventory;
use evenhand_model::steps::{End, Step, Steps};
use indexmap::IndexMap;
use rayon::prelude::*;

use crate::judgements::Judgements;
use crate::resolvers::Resolvers;

/// Targets that are listed for one start, strongest first.
pub const MAX_TARGETS: usize = 10;

/// A chain of steps to more access.
#[derive(Clone, Debug)]
pub struct Path {
    /// Who starts.
    pub identity: IdentityId,
    /// What is reached.
    pub target: EdgeTarget,
    /// The steps, at least one: see [`PathsResult::hops`].
    hops: Hops,
    /// Whether some step escalates.
    pub escalates: bool,
    /// Whether the target is come to by escalation, on this path or on another one that costs more; `Unknown` where every
    /// such chain depends on a condition not known to hold.
    pub to_escalation: Truth,
    /// Whether some step depends on a condition not known to hold.
    pub conditional: bool,
    /// Whether it leaves a provider.
    pub crosses_provider: bool,
    /// Whether the target controls a whole scope.
    pub reaches_admin: bool,
}

impl Path {
    /// The number of steps, at least one.
    #[expect(clippy::len_without_is_empty, reason = "a path is never empty")]
    pub fn len(&self) -> usize {
        self.hops.len as usize
    }
}

/// A stretch of a list that holds the steps of all paths, by their numbers.
#[derive(Clone, Copy, Debug)]
struct Hops {
    first: u32,
    len: u32,
}

/// What an identity can become, in short.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reach {
    /// Whether it can get more access than it holds by a step that escalates. `Unknown` where every such chain depends
    /// on a condition not known to hold, something that was not read may offer one, or its own access is not known.
    pub can_escalate: Truth,
    /// Whether it controls a whole scope, or can come to; `Unknown` for the same reasons.
    pub reaches_admin: Truth,
    /// The strongest target among those that it comes to by escalation, before others one that depends on no unknown
    /// condition; `None` = none is listed.
    pub target: Option<EdgeTarget>,
}

impl Reach {
    /// Of the identity's paths the one to the target that is named.
    pub(crate) fn escalation<'p>(&self, paths: &'p [Path]) -> Option<&'p Path> {
        let target = self.target.as_ref()?;
        paths.iter().find(|path| path.target == *target)
    }
}

/// All paths, and what each identity can become.
#[derive(Clone, Debug, Default)]
pub struct PathsResult {
    /// Paths of AI identities and workloads, sorted by identity, strongest target first; at most [`MAX_TARGETS`] each.
    pub paths: Vec<Path>,
    /// By identity, in the order of the inventory; identities that the vendor manages are left out.
    pub reach: IndexMap<IdentityId, Reach, foldhash::fast::FixedState>,
    /// The steps of all paths, by number.
    hops: Vec<u32>,
    /// Every step of the graph. There are many more of them than identities, so that paths name them by number.
    steps: Steps,
}

impl PathsResult {
    /// What an identity can become.
    pub fn reach_of(&self, identity: &IdentityId) -> Option<&Reach> {
        self.reach.get(identity)
    }

    /// The steps of a path. A trust that crosses providers has its mechanism as technique: `uses-tool`,
    /// `holds-credential`, `federation` …
    pub fn hops(&self, path: &Path) -> impl Iterator<Item = Edge> {
        self.numbers(path).iter().filter_map(|step| self.steps.edge(*step as usize))
    }

    /// The steps of a path, by number.
    fn numbers(&self, path: &Path) -> &[u32] {
        let Hops { first, len } = path.hops;
        self.hops.get(first as usize..).and_then(|hops| hops.get(..len as usize)).unwrap_or_default()
    }

    /// The steps of a path, as they stand in [`steps`](Self::steps).
    pub(crate) fn taken(&self, path: &Path) -> impl Iterator<Item = &Step> {
        self.numbers(path).iter().filter_map(|step| self.steps.steps.get(*step as usize))
    }

    /// All steps that paths can take.
    pub(crate) fn steps(&self) -> &Steps {
        &self.steps
    }

    /// Everyone whom a path passes between its start and its target, in order.
    pub fn through(&self, path: &Path) -> impl Iterator<Item = &IdentityId> {
        self.taken(path).skip(1).filter_map(|step| self.steps.source(step))
    }

    /// Whether two paths use the same techniques by the same statements.
    pub(crate) fn taken_alike(&self, a: &Path, b: &Path) -> bool {
        let of = |step: &Step| (step.technique, step.grants);
        a.len() == b.len() && self.taken(a).map(of).eq(self.taken(b).map(of))
    }

    /// Everyone that an identity can become, itself first.
    fn becomes(&self, identity: &IdentityId) -> Vec<IdentityId> {
        let mut from: HashMap<&IdentityId, Vec<&IdentityId>, foldhash::fast::FixedState> = HashMap::default();
        let named = |at: u32| self.steps.identities.get(at as usize);
        for step in &self.steps.steps {
            if let (Some(source), End::Identity(target)) = (named(step.source), step.target) {
                from.entry(source).or_default().extend(named(target));
            }
        }
        let mut seen: BTreeSet<&IdentityId> = BTreeSet::from([identity]);
        let mut all = vec![identity];
        let mut at = 0;
        while let Some(next) = all.get(at) {
            let further = from.get(next).into_iter().flatten().filter(|target| seen.insert(target));
            let further: Vec<&IdentityId> = further.copied().collect();
            all.extend(further);
            at += 1;
        }
        all.into_iter().cloned().collect()
    }

    /// The paths of one identity, strongest target first.
    pub fn paths_of(&self, identity: &IdentityId) -> &[Path] {
        let start = self.paths.partition_point(|path| path.identity < *identity);
        let end = self.paths.partition_point(|path| path.identity <= *identity);
        self.paths.get(start..end).unwrap_or_default()
    }
}

/// Why paths may be missing that start at one identity.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Missing {
    /// Something was not read that may offer a step.
    Unread(Arc<Unread>),
    /// An identity that it can become may hold more than is known.
    Doubt(IdentityId, Arc<str>),
}

/// Why paths may be missing that start at an identity: its own reasons, and those of everyone that it can become. Who
/// controls its scope has none.
pub fn missing(
    inventory: &Inventory,
    judged: &Judgements,
    resolvers: &Resolvers,
    found: &PathsResult,
    identity: &IdentityId,
) -> BTreeSet<Missing> {
    let mut missing = BTreeSet::new();
    for id in found.becomes(identity) {
        let known = judged.position(&id).and_then(|at| inventory.identities.get(at));
        let Some(resolver) = known.and_then(|known| resolvers.get(known.provider)) else { continue };
        if resolver.is_admin(&id) == Some(true) {
            continue;
        }
        missing.extend(resolver.unread(&id).into_iter().map(Missing::Unread));
        let access = resolver.access(&id);
        let doubts = access.iter().flat_map(|access| &access.doubts).filter(|doubt| doubt.may_add());
        missing.extend(doubts.map(|doubt: &Doubt| Missing::Doubt(id.clone(), Arc::clone(&doubt.text))));
    }
    missing
}

/// The gaps because of which steps of some identity may be missing, each once, sorted.
pub fn gaps(inventory: &Inventory, resolvers: &Resolvers) -> Vec<Gap> {
    let unread = |identity: &Identity| {
        let resolver = resolvers.get(identity.provider)?;
        Some(resolver.unread(&identity.id))
    };
    let unread: BTreeSet<Arc<Unread>> = inventory.identities.par_iter().filter_map(unread).flatten_iter().collect();
    unread.into_iter().map(|held| held.gap.clone()).collect()
}

/// The paths of one identity, whatever its nature; nothing of what identities can become.
pub fn find_from(
    inventory: &Inventory,
    judged: &Judgements,
    resolvers: &Resolvers,
    identity: &IdentityId,
) -> PathsResult {
    let Some(start) = judged.position(identity) else { return PathsResult::default() };
    let graph = graph::Graph::new(inventory, judged, resolvers);
    let mut found = search::Found::default();
    search::Search::new(&graph).paths_from(&reach::Reaches::of(&graph), start, &mut found);
    PathsResult { paths: found.paths, hops: found.hops, reach: IndexMap::default(), steps: graph.into_steps() }
}

/// Finds the paths of every AI identity and workload, and what every identity can become.
pub fn find_all(inventory: &Inventory, judged: &Judgements, resolvers: &Resolvers) -> PathsResult {
    let graph = graph::Graph::new(inventory, judged, resolvers);
    let reach = reach::Reaches::of(&graph);
    let mut starts: Vec<usize> = inventory
        .identities
        .par_iter()
        .enumerate()
        .filter(|(at, identity)| {
            matches!(judged.nature_at(*at), Nature::AiAgent | Nature::Workload)
                && !identity.vendor_managed
                && graph.has_steps(*at)
                && judged.position(&identity.id) == Some(*at)
        })
        .map(|(at, _)| at)
        .collect();
    let id = |at: usize| inventory.identities.get(at).map(|identity| &identity.id);
    starts.sort_by(|a, b| id(*a).cmp(&id(*b)));
    type Targets = Vec<(usize, EdgeTarget)>;
    let (found, targets): (Vec<search::Found>, Vec<Targets>) = starts
        .par_chunks(chunk(starts.len()))
        .map(|starts| {
            let mut search = search::Search::new(&graph);
            let mut targets = Targets::new();
            let mut found = search::Found::default();
            for start in starts {
                let before = found.paths.len();
                search.paths_from(&reach, *start, &mut found);
                let target = strongest(found.paths.get(before..).unwrap_or_default());
                targets.extend(target.map(|target| (*start, target.clone())));
            }
            (found, targets)
        })
        .unzip();
    let mut reaches: Vec<Option<Reach>> = inventory
        .identities
        .par_iter()
        .enumerate()
        .with_min_len(chunk(inventory.identities.len()))
        .map_init(
            || search::Search::new(&graph),
            |search, (at, identity)| (!identity.vendor_managed).then(|| reach.reach_of(&graph, search, at)),
        )
        .collect();
    for (start, target) in targets.into_iter().flatten() {
        if let Some(Some(reach)) = reaches.get_mut(start) {
            reach.target = Some(target);
        }
    }
    let by_identity = || {
        let mut by_identity: IndexMap<IdentityId, Reach, foldhash::fast::FixedState> =
            IndexMap::with_capacity_and_hasher(inventory.identities.len(), Default::default());
        for (identity, reach) in inventory.identities.iter().zip(reaches) {
            if let Some(reach) = reach {
                by_identity.entry(identity.id.clone()).or_insert(reach);
            }
        }
        by_identity
    };
    let (found, reach) = rayon::join(|| search::Found::joined(found), by_identity);
    PathsResult { paths: found.paths, hops: found.hops, reach, steps: graph.into_steps() }
}

/// Of paths of one start, the strongest first, the target that is named of them: the first to which an escalation leads,
/// before others where that depends on no unknown condition.
fn strongest(paths: &[Path]) -> Option<&EdgeTarget> {
    let first = |truth: Truth| paths.iter().find(|path| path.to_escalation == truth);
    first(Truth::Yes).or_else(|| first(Truth::Unknown)).map(|path| &path.target)
}

/// Starts that are searched from one after the other: few enough to keep all cores busy, and so many that the memory of
/// a search, which is as large as the graph, is not made for every start.
fn chunk(starts: usize) -> usize {
    starts.div_ceil(rayon::current_num_threads() * 8).max(64)
}
