//! Parity: an AI identity beside the human role that does the same job.
//!
//! This is what evenhand is for. For each AI identity the module finds the human role ([`baseline`]), decides by
//! containment what the identity holds beyond it ([`containment`]), compares the controls that stand before both
//! ([`controls`]), and says the outcome in one word and one line. It knows no vendor: operations, scopes and conditions
//! are sets and patterns here, and everything it says can be traced to a statement that the provider names.
//!
//! Equal work is done once: accesses are told apart by [`AccessResolver::access_key`], pairs of them are compared once,
//! and everything else is a look-up.
//!
//! [`AccessResolver::access_key`]: evenhand_model::access::AccessResolver::access_key

mod absent;
mod baseline;
mod candidates;
mod compare;
mod containment;
mod controls;
mod gates;
mod memo;
mod mined;
mod names;
mod outcome;
#[cfg(test)]
mod properties;
mod subject;
mod summary;
#[cfg(test)]
mod tests;
#[cfg(test)]
pub(crate) mod toy;
mod view;
mod window;
mod world;

use evenhand_model::id::IdentityId;
use evenhand_model::inventory::Inventory;
use evenhand_model::parallel::IN_A_ROW;
use evenhand_model::parity::{Comparison, GateComparison};
use rayon::prelude::*;

use crate::jobs::JobConfig;
use crate::judgements::Judgements;
use crate::resolvers::Resolvers;

/// What the user decides about comparisons.
#[derive(Clone, Debug)]
pub struct ParityConfig {
    /// The jobs, with the human roles and AI identities that do them.
    pub jobs: JobConfig,
    /// The share of peers, 0 to 1, that must hold a right before it is part of a mined baseline.
    pub tau: f64,
    /// The number of peers below which nothing is mined.
    pub min_peers: usize,
}

impl ParityConfig {
    /// The configuration with these jobs and the usual thresholds: 60 % of at least three peers.
    pub fn new(jobs: JobConfig) -> Self {
        Self { jobs, tau: 0.6, min_peers: 3 }
    }
}

impl Default for ParityConfig {
    fn default() -> Self {
        Self::new(JobConfig::default())
    }
}

/// What was compared.
#[derive(Debug)]
pub struct Compared {
    /// The AI identities that the organisation itself runs, sorted by identity.
    pub comparisons: Vec<Comparison>,
    /// Machines before gates, whatever job anybody does: AI identities first, and of these only what their comparisons do
    /// not tell.
    pub gates: Vec<GateComparison>,
}

/// Compares every AI identity that the organisation itself runs, and every machine with what stands before people.
pub fn compare_all(
    inventory: &Inventory,
    judged: &Judgements,
    resolvers: &Resolvers,
    config: &ParityConfig,
) -> Compared {
    let world = world::World::new(inventory, judged, resolvers, config);
    let gates = gates::Gates::of(&world);
    let compare = |scratch: &mut _, identity: &&_| compare::compare(&world, &gates, identity, None, scratch);
    let each: (Vec<Comparison>, Vec<Vec<GateComparison>>) =
        world.subjects.par_iter().with_max_len(IN_A_ROW).map_init(containment::Scratch::default, compare).unzip();
    let mut passed: Vec<GateComparison> = each.1.into_iter().flatten().collect();
    passed.extend(gates.before_machines(&world));
    Compared { comparisons: each.0, gates: passed }
}

/// Compares one identity, of whatever nature, with its human role, or with the one that is named; and with what stands
/// before people where that role does not get.
///
/// `None` where the identity, or the human role that is named, is not in the inventory.
pub fn compare_one(
    inventory: &Inventory,
    judged: &Judgements,
    resolvers: &Resolvers,
    config: &ParityConfig,
    identity: &IdentityId,
    human: Option<&IdentityId>,
) -> Option<(Comparison, Vec<GateComparison>)> {
    let world = world::World::new(inventory, judged, resolvers, config);
    let subject = world.find(identity)?;
    let named = match human {
        Some(human) => Some(world.find(human)?),
        None => None,
    };
    let gates = gates::Gates::of(&world);
    Some(compare::compare(&world, &gates, subject, named, &mut containment::Scratch::default()))
}
