//! How far a collection is: what was planned, which calls were made and which are pending. The manifest says it on disk.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use evenhand_collect::Stopped;
use evenhand_model::capture::Extent;

use super::expand::is_region;
use super::folder::Slot;
use super::table;
use crate::documents::manifest::{Made, Manifest, Pending, Planned};
use crate::inventory::arn::is_account;
use crate::provider::NAME;

/// The state of a collection.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    /// Everything that was ever planned for this capture.
    pub(crate) planned: Planned,
    /// Whether this run looks into less than that.
    pub(crate) narrower: bool,
    made: BTreeMap<Pending, Made>,
    pending: BTreeSet<Pending>,
    /// When it was last written.
    pub(crate) written: Option<Instant>,
}

fn row(slot: &Slot) -> Pending {
    Pending { account: slot.account.clone(), region: slot.region.clone(), call: slot.call.form.call().to_owned() }
}

fn is_made(call: &str) -> bool {
    table::calls().any(|made| made.form.call() == call)
}

/// Where the document of a call is, unless the manifest has been tampered with.
fn slot(row: Pending) -> Option<Slot> {
    let mut calls = table::calls().chain([table::regions(), table::assume()]);
    let call = calls.find(|call| call.form.call() == row.call)?;
    let is_place = is_account(&row.account) && row.region.as_deref().is_none_or(is_region);
    is_place.then_some(Slot { call, account: row.account, region: row.region })
}

impl Progress {
    /// Goes on where an earlier collection ended: its pending calls stay pending until they are made.
    pub(crate) fn after(before: Option<&Manifest>) -> Self {
        let Some(before) = before else { return Self::default() };
        let key = |made: &Made| Pending {
            account: made.account.clone(),
            region: made.region.clone(),
            call: made.call.clone(),
        };
        Self {
            made: before.calls.iter().map(|made| (key(made), made.clone())).collect(),
            // A call that this version does not make would be pending for ever.
            pending: before.pending.iter().filter(|row| is_made(&row.call)).cloned().collect(),
            ..Self::default()
        }
    }

    pub(crate) fn announce(&mut self, slot: &Slot) {
        let row = row(slot);
        self.made.remove(&row);
        self.pending.insert(row);
    }

    /// Moves a call from what is pending to what was made.
    pub(crate) fn done(&mut self, slot: &Slot, made: Made) {
        let row = row(slot);
        self.pending.remove(&row);
        self.made.insert(row, made);
    }

    /// Leaves out an account into which nothing leads.
    pub(crate) fn forget(&mut self, account: &str) {
        self.pending.retain(|row| row.account != account);
    }

    /// Leaves out all accounts but some, and returns where the documents of the others are.
    pub(crate) fn take_out_others(&mut self, accounts: &BTreeSet<String>) -> Vec<Slot> {
        let other = |row: &Pending| !accounts.contains(&row.account);
        let mut rows: Vec<Pending> = self.pending.extract_if(.., |row| other(row)).collect();
        rows.extend(self.made.extract_if(.., |row, _| other(row)).map(|(row, _)| row));
        rows.into_iter().filter_map(slot).collect()
    }

    pub(crate) fn is_whole(&self) -> bool {
        self.pending.is_empty()
    }

    pub(crate) fn made(&self) -> impl Iterator<Item = &Made> {
        self.made.values()
    }

    /// The manifest; `end` = that the collection is over, and why it ended early.
    pub(crate) fn manifest(&self, end: Option<Option<Stopped>>) -> Manifest {
        Manifest {
            extent: Extent {
                evenhand_capture: Extent::VERSION,
                provider: NAME.0.to_owned(),
                complete: end == Some(None) && self.is_whole() && !self.narrower,
                stopped: end.flatten().map(|stopped| stopped.as_str().to_owned()),
            },
            plan: Some(self.planned.clone()),
            calls: self.made.values().cloned().collect(),
            pending: self.pending.iter().cloned().collect(),
        }
    }
}
