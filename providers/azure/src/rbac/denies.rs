//! Deny assignments, found by whom they deny something to.

use std::collections::{BTreeSet, HashMap};

use super::world::{DenyAssignment, ObjectId};

/// Deny assignments, in their order.
#[derive(Debug, Default)]
pub(crate) struct Denies {
    all: Vec<DenyAssignment>,
    /// By whom they name; those that name everybody stand apart.
    named: HashMap<ObjectId, Vec<usize>, foldhash::fast::RandomState>,
    to_all: Vec<usize>,
}

impl Denies {
    pub(super) fn new(all: Vec<DenyAssignment>) -> Self {
        let mut denies = Self::default();
        for (at, deny) in all.iter().enumerate() {
            if deny.principals.everybody {
                denies.to_all.push(at);
            } else {
                deny.principals.named.iter().for_each(|id| denies.named.entry(id.clone()).or_default().push(at));
            }
        }
        denies.all = all;
        denies
    }

    pub(super) fn all(&self) -> &[DenyAssignment] {
        &self.all
    }

    pub(crate) fn get(&self, at: usize) -> Option<&DenyAssignment> {
        self.all.get(at)
    }

    /// Those that deny something to a principal that is all of these, in their order.
    pub(crate) fn of(&self, who: &BTreeSet<ObjectId>) -> Vec<(usize, &DenyAssignment)> {
        let named = who.iter().filter_map(|id| self.named.get(id)).flatten();
        let mut places: Vec<usize> = named.chain(&self.to_all).copied().collect();
        places.sort_unstable();
        places.dedup();
        let denies = places.into_iter().filter_map(|at| Some((at, self.all.get(at)?)));
        denies.filter(|(_, deny)| !deny.excluded.include(who)).collect()
    }
}
