//! Rules tested by their own cases, through the engine that scans use.

use std::fmt;
use std::sync::Arc;

use evenhand_model::id::RuleId;
use evenhand_model::table::{Column, ColumnSpec, ColumnType, Table, Value};

use crate::engine::select::{Outcome, outcome};
use crate::pack::{Expect, Rule, RuleSet};

/// What a case gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaseResult {
    /// The rule.
    pub rule: RuleId,
    /// The rule's file.
    pub file: Arc<str>,
    /// The case.
    pub case: Arc<str>,
    /// What it should give.
    pub expected: Expect,
    /// What it gave, or why nothing.
    pub got: Result<Expect, String>,
}

impl CaseResult {
    /// Whether the rule kept its promise.
    pub fn passed(&self) -> bool {
        self.got == Ok(self.expected)
    }
}

impl fmt::Display for CaseResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: case `{}` of rule `{}` ", self.file, self.case, self.rule)?;
        match &self.got {
            Ok(got) if *got == self.expected => write!(f, "gives {}", got.as_str()),
            Ok(got) => write!(f, "gives {}, not {}", got.as_str(), self.expected.as_str()),
            Err(message) => write!(f, "cannot be evaluated: {message}"),
        }
    }
}

/// Runs the cases of all rules, in the order of rules and cases.
pub fn run(rules: &RuleSet) -> Vec<CaseResult> {
    rules.iter().flat_map(run_rule).collect()
}

/// Runs the cases of one rule.
pub fn run_rule(rule: &Rule) -> Vec<CaseResult> {
    let outcome = outcome(&table(rule), rule);
    rule.cases
        .iter()
        .enumerate()
        .map(|(row, case)| CaseResult {
            rule: rule.id.clone(),
            file: Arc::clone(&rule.file),
            case: Arc::clone(&case.name),
            expected: case.expect,
            got: outcome.as_ref().map(|outcome| of_row(outcome, row)).map_err(Clone::clone),
        })
        .collect()
}

fn of_row(outcome: &Outcome, row: usize) -> Expect {
    if outcome.applies.as_ref().is_some_and(|applies| applies.get(row) != Some(true)) {
        return Expect::NotApplicable;
    }
    match outcome.predicate.get(row) {
        Some(true) => Expect::Fail,
        Some(false) => Expect::Pass,
        None => Expect::Unknown,
    }
}

/// The cases of a rule as a table.
pub(super) fn table(rule: &Rule) -> Table {
    let columns = rule.table.columns.iter().map(|spec| {
        let mut column = Column::empty(spec.kind);
        for case in &rule.cases {
            let given = case.row.iter().find(|(name, _)| *name == spec.name).map(|(_, value)| value.clone());
            push(&mut column, given.unwrap_or_else(|| neutral(spec)));
        }
        column
    });
    Table { spec: rule.table, columns: columns.collect() }
}

/// What a case that does not mention a column has there.
fn neutral(spec: &ColumnSpec) -> Value {
    match spec.kind {
        _ if spec.nullable => Value::Null,
        ColumnType::Text => Value::Text("".into()),
        ColumnType::Integer => Value::Integer(0),
        ColumnType::Float => Value::Float(0.0),
        ColumnType::Boolean => Value::Boolean(false),
        ColumnType::Timestamp => Value::Timestamp(jiff::Timestamp::UNIX_EPOCH),
    }
}

/// Appends a value; one of another type is NULL.
fn push(column: &mut Column, value: Value) {
    match (column, value) {
        (Column::Text(held), Value::Text(value)) => held.push(Some(value)),
        (Column::Integer(held), Value::Integer(value)) => held.push(Some(value)),
        (Column::Float(held), Value::Float(value)) => held.push(Some(value)),
        (Column::Boolean(held), Value::Boolean(value)) => held.push(Some(value)),
        (Column::Timestamp(held), Value::Timestamp(value)) => held.push(Some(value)),
        (Column::Text(held), _) => held.push(None),
        (Column::Integer(held), _) => held.push(None),
        (Column::Float(held), _) => held.push(None),
        (Column::Boolean(held), _) => held.push(None),
        (Column::Timestamp(held), _) => held.push(None),
    }
}
