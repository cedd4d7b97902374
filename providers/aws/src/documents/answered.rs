//! Whose account an answer is about that says no account itself: what stands in it may.

use std::collections::BTreeSet;

use crate::inventory::facts::{Facts, Said};
use crate::world::AccountId;

/// How much of what tells its account by its name (ARN) was said before an answer was read. Trails are left out: an
/// account sees those of its organisation, which are another account's.
pub(super) struct Before {
    placed: usize,
    listed: usize,
    agents: usize,
    agents_named: usize,
    report: usize,
}

impl Before {
    pub(super) fn of(facts: &Facts) -> Self {
        Self {
            placed: facts.placed.len(),
            listed: facts.listed.len(),
            agents: facts.agents.len(),
            agents_named: facts.agents_named.len(),
            report: facts.report.len(),
        }
    }

    /// The accounts that what was said since tells.
    pub(super) fn accounts_since(&self, facts: &Facts) -> BTreeSet<AccountId> {
        let mut told = BTreeSet::new();
        add(&facts.placed, self.placed, &mut told);
        add(&facts.listed, self.listed, &mut told);
        add(&facts.agents, self.agents, &mut told);
        add(&facts.agents_named, self.agents_named, &mut told);
        add(&facts.report, self.report, &mut told);
        told
    }
}

fn add<T>(said: &[Said<T>], before: usize, told: &mut BTreeSet<AccountId>) {
    for account in said.iter().skip(before).filter_map(|said| said.account.as_ref()) {
        if !told.contains(account) {
            told.insert(account.clone());
        }
    }
}
