//! Paths: what an identity holds once it has become everyone it can become.
//!
//! Providers contribute edges whose preconditions they have already decided, documents contribute trusts that cross
//! providers, and this module walks them. It knows no technique by name and no vendor.
//!
//! Of all ways to a target the one that depends least on unknown conditions is shown, then the one that escalates least,
//! then the shortest. Searches are bounded for each start; whether an identity reaches full control of a scope, and
//! whether it can escalate at all, is decided for all identities at once and has no bound.
//!
//! What was not read is unknown. An identity may have steps that no edge tells of: a provider says that it holds all that
//! a step takes but for something that was not read ([`Unread`]), or its access may be more than what was read
//! ([`Doubt::may_add`]). Where such an identity, or whoever can become it, is found to reach nothing, the answer is
//! unknown. What is found stays found: a doubt that can only take access away ([`Doubt::may_limit`] alone) turns no yes
//! into unknown, for a limit that nobody saw excuses no right that everybody sees. It is told beside the access.

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
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path {
    /// Who starts.
    pub identity: IdentityId,
    /// What is reached.
    pub target: EdgeTarget,
    /// The steps, at least one: see [`PathsResult::hops`].
    hops: Vec<u32>,
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
        self.hops.len()
    }
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

/// All paths, and what each identity can become.
#[derive(Clone, Debug, Default)]
pub struct PathsResult {
    /// Paths of AI identities and workloads, sorted by identity, strongest target first; at most [`MAX_TARGETS`] each.
    pub paths: Vec<Path>,
    /// By identity, in the order of the inventory; identities that the vendor manages are left out.
    pub reach: IndexMap<IdentityId, Reach, foldhash::fast::FixedState>,
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
        path.hops.iter().filter_map(|step| self.steps.edge(*step as usize))
    }

    /// The same, as numbers in [`steps`](Self::steps).
    pub(crate) fn taken(&self, path: &Path) -> impl Iterator<Item = &Step> {
        path.hops.iter().filter_map(|step| self.steps.steps.get(*step as usize))
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
        let of = |hop: &u32| self.steps.steps.get(*hop as usize).map(|step| (step.technique, step.grants));
        a.len() == b.len() && a.hops.iter().map(of).eq(b.hops.iter().map(of))
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

    /// The path to the target that is named for an identity that can escalate.
    pub fn escalation_of(&self, identity: &IdentityId) -> Option<&Path> {
        let target = self.reach_of(identity)?.target.as_ref()?;
        self.paths_of(identity).iter().find(|path| path.target == *target)
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
    let paths = search::Search::new(&graph).paths_from(&reach::Reaches::of(&graph), start);
    PathsResult { paths, reach: IndexMap::default(), steps: graph.into_steps() }
}

/// Finds the paths of every AI identity and workload, and what every identity can become.
pub fn find_all(inventory: &Inventory, judged: &Judgements, resolvers: &Resolvers) -> PathsResult {
    let graph = graph::Graph::new(inventory, judged, resolvers);
    let reach = reach::Reaches::of(&graph);
    let mut starts: Vec<usize> = inventory
        .identities
        .iter()
        .enumerate()
        .filter(|(at, identity)| {
            matches!(judged.nature_at(*at), Nature::AiAgent | Nature::Workload)
                && !identity.vendor_managed
                && judged.position(&identity.id) == Some(*at)
                && graph.has_steps(*at)
        })
        .map(|(at, _)| at)
        .collect();
    let id = |at: usize| inventory.identities.get(at).map(|identity| &identity.id);
    starts.sort_by(|a, b| id(*a).cmp(&id(*b)));
    let found: Vec<Vec<Path>> = starts
        .par_chunks(chunk(starts.len()))
        .map(|starts| {
            let mut search = search::Search::new(&graph);
            starts.iter().flat_map(|start| search.paths_from(&reach, *start)).collect()
        })
        .collect();
    let mut paths: Vec<Path> = Vec::with_capacity(found.iter().map(Vec::len).sum());
    paths.extend(found.into_iter().flatten());
    let mut by_identity: IndexMap<IdentityId, Reach, foldhash::fast::FixedState> =
        IndexMap::with_capacity_and_hasher(inventory.identities.len(), Default::default());
    let positions: Vec<(usize, &Identity)> = inventory.identities.iter().enumerate().collect();
    let reaches: Vec<Vec<Option<Reach>>> = positions
        .par_chunks(chunk(positions.len()))
        .map(|chunk| {
            let mut search = search::Search::new(&graph);
            let mut reach_of = |at| reach.reach_of(&graph, &mut search, at);
            chunk.iter().map(|(at, identity)| (!identity.vendor_managed).then(|| reach_of(*at))).collect()
        })
        .collect();
    for (identity, reach) in inventory.identities.iter().zip(reaches.into_iter().flatten()) {
        if let Some(reach) = reach {
            by_identity.entry(identity.id.clone()).or_insert(reach);
        }
    }
    for certainty in [Truth::Yes, Truth::Unknown] {
        for path in paths.iter().filter(|path| path.to_escalation == certainty) {
            if let Some(reach) = by_identity.get_mut(&path.identity)
                && reach.target.is_none()
            {
                reach.target = Some(path.target.clone());
            }
        }
    }
    PathsResult { paths, reach: by_identity, steps: graph.into_steps() }
}

/// Starts that are searched from one after the other: few enough to keep all cores busy, and so many that the memory of
/// a search, which is as large as the graph, is not made for every start.
fn chunk(starts: usize) -> usize {
    starts.div_ceil(rayon::current_num_threads() * 8).max(64)
}
