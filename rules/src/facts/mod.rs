//! The fact tables: their schema ([`tables`]) and how an inventory and its comparisons become rows.
//!
//! Everything that several rules would have to join or count is computed here, so that one predicate answers for one
//! row. What was not read is NULL; nothing here guesses.

mod access;
mod context;
mod grounds;
mod identities;
mod listing;
mod parity;
mod places;
mod rows;
pub mod tables;
mod tabulate;
#[cfg(test)]
mod tests;
mod words;
mod written;

use std::collections::BTreeSet;

use evenhand_model::inventory::Inventory;
use evenhand_model::parity::{Comparison, GateComparison};
use evenhand_model::table::{Row as _, Table};
use jiff::Timestamp;

use crate::jobs::Register;
use crate::judgements::Judgements;
use crate::paths::PathsResult;
pub use access::AccessTable;
use context::Context;
pub(crate) use grounds::{Ground, Grounds};
pub(crate) use places::Places;

/// What the tables are made of.
#[derive(Clone, Copy, Debug)]
pub struct FactInput<'a> {
    /// What was read, linked and sorted.
    pub inventory: &'a Inventory,
    /// What was decided about its identities.
    pub judgements: &'a Judgements,
    /// The AI identities beside their human roles.
    pub comparisons: &'a [Comparison],
    /// Machines before gates, whatever job anybody does.
    pub gates: &'a [GateComparison],
    /// Paths to more access.
    pub paths: &'a PathsResult,
    /// What the identities may do.
    pub access: &'a AccessTable,
    /// The columns of table `identities` that rules read: what they rest on is told.
    pub reads: &'a BTreeSet<&'a str>,
    /// The register of known agents; `None` = the configuration has none.
    pub register: Option<&'a Register>,
    /// Whether fingerprints mean the same in the next scan, so that they may be printed.
    pub stable_fingerprints: bool,
    /// The moment of the scan.
    pub now: Timestamp,
}

/// The fact tables of a scan.
#[derive(Clone, Debug)]
pub struct Facts {
    /// The tables, in the order of [`tables::TABLES`].
    pub tables: Vec<Table>,
    places: Vec<Places>,
    grounds: Grounds,
}

impl Facts {
    /// Tables whose rows stand in no document, such as those of a rule's cases.
    pub fn without_places(tables: Vec<Table>) -> Self {
        let places = tables.iter().map(|_| Places::None).collect();
        Self { tables, places, grounds: Grounds::default() }
    }

    /// A table by name.
    pub fn table(&self, name: &str) -> Option<&Table> {
        self.tables.iter().find(|table| table.spec.name == name)
    }

    /// Fills a table that was built empty.
    pub(crate) fn fill(&mut self, table: Table, places: Places) {
        let at = self.tables.iter().position(|held| held.spec.name == table.spec.name);
        let slots = at.and_then(|at| Some((self.tables.get_mut(at)?, self.places.get_mut(at)?)));
        if let Some((held, old)) = slots {
            *held = table;
            *old = places;
        }
    }

    /// Where the rows of a table are written.
    pub(crate) fn places(&self, table: &str) -> &Places {
        let at = self.tables.iter().position(|held| held.spec.name == table);
        at.and_then(|at| self.places.get(at)).unwrap_or(&Places::None)
    }

    /// What facts of table `identities` rest on.
    pub(crate) fn grounds(&self) -> &Grounds {
        &self.grounds
    }
}

/// Builds all tables. Rows keep the order of the inventory and of the comparisons.
pub fn build(input: &FactInput<'_>) -> Facts {
    let context = Context::new(input);
    let (tables, places) = [
        identities::table(&context),
        rows::credentials(&context),
        parity::excess(&context),
        parity::paths(&context),
        rows::trusts(&context),
        parity::controls(&context),
        rows::agents(&context),
        rows::workloads(&context),
        rows::logs(&context),
        rows::gaps(&context),
        // What waivers cover is known when the rules over the other tables have been evaluated.
        (tables::WaiverRow::table(Vec::new()), Places::None),
    ]
    .into_iter()
    .unzip();
    Facts { tables, places, grounds: Grounds::new(&context) }
}

/// Whole days from one moment to a later one; 0 where clocks disagree about the order.
pub(crate) fn days_between(from: Timestamp, to: Timestamp) -> i64 {
    const SECONDS_PER_DAY: i64 = 24 * 60 * 60;
    (to.as_second().saturating_sub(from.as_second()) / SECONDS_PER_DAY).max(0)
}
