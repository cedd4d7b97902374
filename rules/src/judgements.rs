//! The nature of every identity, decided once and looked up by position or id.

use std::collections::HashMap;

use evenhand_model::id::{IdentityId, Job};
use evenhand_model::identity::{Judged, Nature, judge};
use evenhand_model::inventory::Inventory;
use rayon::prelude::*;

use crate::jobs::JobConfig;

/// What was decided about the identities of one inventory, in the order of [`Inventory::identities`].
///
/// Positions hold as long as that list is not changed.
#[derive(Debug, Default)]
pub struct Judgements {
    judged: Vec<Judged>,
    jobs: Vec<Option<Job>>,
    by_id: HashMap<IdentityId, usize, foldhash::fast::FixedState>,
}

impl Judgements {
    /// Judges every identity by its signals and finds its job: configured first, then declared.
    ///
    /// Should two identities share an id, look-ups by id find the first.
    pub fn new(inventory: &Inventory, jobs: &JobConfig) -> Self {
        let decide = || {
            let identities = inventory.identities.par_iter();
            identities
                .map(|identity| (judge(&identity.signals), jobs.job_of(identity).or_else(|| identity.job.clone())))
                .unzip()
        };
        let index = || {
            let mut by_id = HashMap::with_capacity_and_hasher(inventory.identities.len(), Default::default());
            for (at, identity) in inventory.identities.iter().enumerate() {
                by_id.entry(identity.id.clone()).or_insert(at);
            }
            by_id
        };
        let ((judged, jobs), by_id) = rayon::join(decide, index);
        Self { judged, jobs, by_id }
    }

    /// The position of an identity in the inventory; `None` for one outside it.
    pub fn position(&self, id: &IdentityId) -> Option<usize> {
        self.by_id.get(id).copied()
    }

    /// The judgement on the identity at a position.
    pub fn at(&self, position: usize) -> Option<&Judged> {
        self.judged.get(position)
    }

    /// The judgement on an identity.
    pub fn of(&self, id: &IdentityId) -> Option<&Judged> {
        self.at(self.position(id)?)
    }

    /// The nature of the identity at a position; [`Nature::Unknown`] outside the inventory.
    pub fn nature_at(&self, position: usize) -> Nature {
        self.at(position).map_or(Nature::Unknown, |judged| judged.nature)
    }

    /// The nature of an identity; [`Nature::Unknown`] outside the inventory.
    pub fn nature(&self, id: &IdentityId) -> Nature {
        self.of(id).map_or(Nature::Unknown, |judged| judged.nature)
    }

    /// The job function of the identity at a position.
    pub fn job_at(&self, position: usize) -> Option<&Job> {
        self.jobs.get(position)?.as_ref()
    }

    /// All judgements, in the order of the inventory.
    pub fn iter(&self) -> impl Iterator<Item = &Judged> {
        self.judged.iter()
    }

    /// The number of identities.
    pub fn len(&self) -> usize {
        self.judged.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.judged.is_empty()
    }
}
