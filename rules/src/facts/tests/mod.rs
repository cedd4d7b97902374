//! What the columns promise, on small inventories.

mod access;
mod identities;
mod parity;
mod tables;
mod users;

use std::collections::BTreeSet;

use evenhand_model::parity::{Comparison, GateComparison};
use evenhand_model::table::{Row as _, Value};
use jiff::Timestamp;

use crate::facts::tables::IdentityRow;
use crate::facts::{AccessTable, FactInput, Facts, build};
use crate::jobs::Register;
use crate::parity::toy::Town;
use crate::paths;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// The facts of a town on a day in 2026.
fn facts(town: Town, comparisons: &[Comparison], register: Option<&Register>) -> Facts {
    facts_at_gates(town, comparisons, &[], register)
}

fn facts_at_gates(
    town: Town,
    comparisons: &[Comparison],
    gates: &[GateComparison],
    register: Option<&Register>,
) -> Facts {
    let columns: BTreeSet<&str> = IdentityRow::SPEC.columns.iter().map(|column| column.name).collect();
    facts_read(town, comparisons, gates, register, &columns)
}

/// Of the grounds those of some columns only.
fn facts_read(
    town: Town,
    comparisons: &[Comparison],
    gates: &[GateComparison],
    register: Option<&Register>,
    reads: &BTreeSet<&str>,
) -> Facts {
    let (inventory, judgements, resolvers, _) = town.built();
    let paths = paths::find_all(&inventory, &judgements, &resolvers);
    build(&FactInput {
        inventory: &inventory,
        judgements: &judgements,
        comparisons,
        gates,
        paths: &paths,
        access: &AccessTable::new(&inventory, &judgements, &resolvers, reads),
        reads,
        register,
        stable_fingerprints: false,
        now: at("2026-07-01T00:00:00Z"),
    })
}

/// A value of the identity with an id.
fn identity(facts: &Facts, id: &str, column: &str) -> Value {
    value(facts, "identities", id, column)
}

fn value(facts: &Facts, table: &str, id: &str, column: &str) -> Value {
    let table = facts.table(table).unwrap();
    assert!(table.column(column).is_some(), "{column}");
    let row = (0..table.rows()).find(|row| table.value(*row, "id") == Value::Text(id.into())).unwrap();
    table.value(row, column)
}

fn yes() -> Value {
    Value::Boolean(true)
}

fn no() -> Value {
    Value::Boolean(false)
}

fn text(text: &str) -> Value {
    Value::Text(text.into())
}
