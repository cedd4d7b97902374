//! Evaluates rules over fact tables.
//!
//! All conditions of all rules over one table are boolean columns of one select; where the table is large, those of rules
//! that speak of few rows are columns of a select of these rows. A row is judged where the provider is one of the rule's
//! and `applies_to` is TRUE; the predicate then decides: TRUE fails, FALSE passes, NULL is unknown. An `applies_to` that is
//! NULL judges nothing: it chooses the rows that a rule speaks of, and a row of which not even that is known would be an
//! unknown of every rule at once, which hides the unknowns that matter. What a verdict rests on belongs in the predicate.
//!
//! A predicate that fails to evaluate is an error of that rule, never a pass; the other rules go on.

pub mod cases;
mod compile;
mod finding;
mod frame;
mod knowledge;
mod open;
mod owners;
mod select;
#[cfg(test)]
mod sql_tests;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use evenhand_model::finding::Finding;
use evenhand_model::gap::Subject;
use evenhand_model::id::RuleId;
use evenhand_model::inventory::Inventory;
use evenhand_model::parity::Comparison;
use evenhand_model::table::TableSpec;
use rayon::prelude::*;

use crate::engine::finding::Found;
use crate::engine::owners::{Owners, Subjects};
use crate::facts::Facts;
use crate::judgements::Judgements;
use crate::pack::{Rule, RuleSet};

pub(crate) use compile::{columns, expression};
pub use frame::whole as whole_frame;

/// What a rule's answers rest on: where something of that was not read, a finding may be missing that was there before. Empty
/// for a rule that cannot be evaluated.
pub fn subjects(rule: &Rule) -> BTreeSet<Subject> {
    let Ok(compiled) = compile::Compiled::new(rule) else { return BTreeSet::new() };
    let columns = compiled.columns();
    let read = columns.iter().filter_map(|column| knowledge::about(rule.table.name, column));
    // Identities are there for whoever was read at all; the rows of other tables are evidence themselves.
    let rows = (rule.table.name != "identities").then(|| knowledge::about(rule.table.name, "")).flatten();
    // Who is no agent for all that was read has no row there.
    let who = (rule.table.name == "agents").then_some(Subject::Nature);
    read.chain(rows).chain(who).collect()
}

/// A rule that could not be evaluated. A tool error: the scan cannot be trusted to be complete.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("rule `{rule}` cannot be evaluated: {message}; correct its SQL or leave it out with `--skip {rule}`")]
pub struct EngineError {
    /// The rule.
    pub rule: RuleId,
    /// What went wrong.
    pub message: String,
}

/// What the rules say.
#[derive(Debug, Default)]
pub struct Evaluation {
    /// Findings: worst first, then by rule, identity and what tells rows apart.
    pub findings: Vec<Finding>,
    /// Rules that could not be evaluated, by rule.
    pub errors: Vec<EngineError>,
    /// The rows that passed, by rule.
    pub passed: BTreeMap<RuleId, u64>,
}

impl Evaluation {
    /// Takes in what was found over other tables.
    pub(crate) fn append(&mut self, mut more: Self) {
        self.findings.append(&mut more.findings);
        // The sort is stable: findings of one rule keep their order.
        self.findings.sort_by(|a, b| (Reverse(a.severity), &a.rule).cmp(&(Reverse(b.severity), &b.rule)));
        self.errors.append(&mut more.errors);
        self.errors.sort_by(|a, b| a.rule.cmp(&b.rule));
        self.passed.append(&mut more.passed);
    }
}

/// The columns of table `identities` that the predicates of rules read, and other words of them.
pub(crate) fn reads_of_identities(rules: &RuleSet) -> BTreeSet<&str> {
    rules.iter().flat_map(finding::reads_of_identities).collect()
}

/// Evaluates the rules over some fact tables of an inventory. `comparisons`: of its AI identities, sorted by identity; what
/// is in doubt there says why a rule cannot be decided.
pub fn evaluate(
    rules: &RuleSet,
    facts: &Facts,
    inventory: &Inventory,
    judgements: &Judgements,
    comparisons: &[Comparison],
    over: impl Fn(&TableSpec) -> bool,
) -> Evaluation {
    let subjects = Subjects::new(inventory, judgements, comparisons);
    let mut errors = Vec::new();
    let mut passed = BTreeMap::new();
    let mut found: Vec<Found<'_>> = Vec::with_capacity(rules.len());
    for table in facts.tables.iter().filter(|table| over(table.spec)) {
        let of_table: Vec<&Rule> = rules.iter().filter(|rule| rule.table.name == table.spec.name).collect();
        if of_table.is_empty() {
            continue;
        }
        let mut owners: BTreeMap<&str, Arc<Owners<'_>>> = BTreeMap::new();
        for rule in &of_table {
            let owners_by = || Arc::new(Owners::of(table, rule.identity, &subjects));
            owners.entry(rule.identity).or_insert_with(owners_by);
        }
        let judging =
            of_table.iter().filter_map(|rule| Some((*rule, owners.get(rule.identity)?.judged_by(rule, &subjects))));
        let (selected, failed) = select::select(table, judging.collect());
        errors.extend(failed);
        for selected in selected {
            let Some(owners) = owners.get(selected.rule.identity).map(Arc::clone) else { continue };
            passed.insert(selected.rule.id.clone(), selected.passed);
            found.push(Found { selected, table, owners });
        }
    }
    errors.sort_by(|a, b| a.rule.cmp(&b.rule));
    found.sort_by_key(|found| (Reverse(found.selected.rule.severity), &found.selected.rule.id));
    found.par_iter_mut().for_each(Found::sort);
    Evaluation { findings: finding::findings(&found, facts, &subjects), errors, passed }
}
