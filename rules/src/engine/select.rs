//! One select for all rules over a table.

use evenhand_model::finding::Status;
use evenhand_model::table::Table;
use polars::prelude::{
    BooleanChunked, ChunkFull as _, ChunkFullNull as _, DataFrame, DataType, Expr, IntoLazy as _, LazyFrame, PlSmallStr,
};
use rayon::prelude::*;

use crate::engine::EngineError;
use crate::engine::compile::{Compiled, one_line};
use crate::engine::frame::{empty, frame};
use crate::engine::open::Question;
use crate::pack::Rule;

/// The rows of a table that a rule finds something about.
pub(crate) struct Selected<'r> {
    pub(crate) rule: &'r Rule,
    /// Row numbers, ascending.
    pub(crate) rows: Vec<(usize, Status)>,
    /// The rows that the rule applies to and that pass.
    pub(crate) passed: Vec<u32>,
    /// What undecided rows wait for.
    pub(crate) question: Question,
    /// The values of the question's conditions for every row; none where no row is undecided.
    pub(crate) conditions: Vec<BooleanChunked>,
}

/// The outcome for every row: whether the rule applies, and what its predicate says.
pub(crate) struct Outcome {
    pub(crate) applies: Option<BooleanChunked>,
    pub(crate) predicate: BooleanChunked,
}

/// Evaluates rules of one table.
pub(crate) fn select<'r>(table: &Table, rules: &[&'r Rule]) -> (Vec<Selected<'r>>, Vec<EngineError>) {
    let mut errors = Vec::new();
    let mut fail = |rule: &Rule, message: String| errors.push(EngineError { rule: rule.id.clone(), message });

    let mut compiled: Vec<(&Rule, Compiled)> = Vec::with_capacity(rules.len());
    for rule in rules {
        match Compiled::new(rule) {
            Ok(conditions) => compiled.push((rule, conditions)),
            Err(message) => fail(rule, message),
        }
    }
    let mut columns: Vec<String> = compiled.iter().flat_map(|(_, conditions)| conditions.columns()).collect();
    columns.sort();
    columns.dedup();
    let wanted: Vec<&str> = columns.iter().map(String::as_str).collect();
    let frame = match frame(table, &wanted) {
        Ok(frame) => frame.lazy(),
        Err(error) => {
            for (rule, _) in &compiled {
                fail(rule, one_line(&error.to_string()));
            }
            return (Vec::new(), errors);
        }
    };

    let mut selected = Vec::with_capacity(compiled.len());
    let all: Vec<&Compiled> = compiled.iter().map(|(_, conditions)| conditions).collect();
    match outcomes(&frame, &all, table.rows()) {
        Ok(outcomes) => {
            let rules = compiled.par_iter().zip(outcomes);
            selected.par_extend(rules.map(|((rule, conditions), outcome)| Selected::of(rule, conditions, &outcome)));
        }
        // Some rule fails on these rows. One by one tells which, and lets the others go on.
        Err(_) => {
            for (rule, conditions) in &compiled {
                match outcomes(&frame, &[conditions], table.rows()) {
                    Ok(outcomes) => {
                        selected.extend(outcomes.iter().map(|outcome| Selected::of(rule, conditions, outcome)));
                    }
                    Err(message) => fail(rule, message),
                }
            }
        }
    }
    ask(&frame, table.rows(), &mut selected);
    (selected, errors)
}

/// Evaluates the conditions inside the predicates that some row leaves undecided, all in one select.
fn ask(frame: &LazyFrame, rows: usize, selected: &mut [Selected<'_>]) {
    let mut open: Vec<&mut Selected<'_>> = selected
        .iter_mut()
        .filter(|selected| selected.rows.iter().any(|(_, status)| *status == Status::Unknown))
        .collect();
    let expressions: Vec<Expr> = open
        .iter()
        .enumerate()
        .flat_map(|(rule, selected)| {
            let conditions = selected.question.conditions().cloned().enumerate();
            conditions.map(move |(at, condition)| condition.alias(condition_name(rule, at)))
        })
        .collect();
    // What fails here has been evaluated before as a part of the predicate; should it fail all the same, the finding
    // says less and is there.
    let Ok(results) = frame.clone().select(expressions).collect() else { return };
    for (rule, selected) in open.iter_mut().enumerate() {
        let count = selected.question.conditions().count();
        let values = (0..count).map(|at| truth(&results, &condition_name(rule, at), rows)).collect();
        selected.conditions = Result::unwrap_or_default(values);
    }
}

fn condition_name(rule: usize, at: usize) -> PlSmallStr {
    format!("condition {rule} {at}").into()
}

/// Whether conditions are truth values over the types of a table.
pub(crate) fn check_types(table: &Table, conditions: &Compiled) -> Result<(), String> {
    let frame = empty(table.spec).map_err(|error| one_line(&error.to_string()))?;
    outcomes(&frame.lazy(), &[conditions], 0).map(|_| ())
}

/// Evaluates conditions over the rows of a frame.
fn outcomes(frame: &LazyFrame, conditions: &[&Compiled], rows: usize) -> Result<Vec<Outcome>, String> {
    let mut expressions: Vec<Expr> = Vec::with_capacity(conditions.len() * 2);
    for (at, conditions) in conditions.iter().enumerate() {
        expressions.push(conditions.predicate.clone().alias(predicate_name(at)));
        if let Some(applies) = &conditions.applies {
            expressions.push(applies.clone().alias(applies_name(at)));
        }
    }
    let results = frame.clone().select(expressions).collect().map_err(|error| one_line(&error.to_string()))?;
    conditions
        .iter()
        .enumerate()
        .map(|(at, conditions)| {
            let applies = conditions.applies.as_ref().map(|_| truth(&results, &applies_name(at), rows)).transpose()?;
            Ok(Outcome { applies, predicate: truth(&results, &predicate_name(at), rows)? })
        })
        .collect()
}

fn predicate_name(at: usize) -> PlSmallStr {
    format!("predicate {at}").into()
}

fn applies_name(at: usize) -> PlSmallStr {
    format!("applies {at}").into()
}

/// A column of truth values; a condition without columns is one value for all rows.
fn truth(results: &DataFrame, name: &str, rows: usize) -> Result<BooleanChunked, String> {
    let column = results.column(name).map_err(|error| one_line(&error.to_string()))?;
    let truth = match column.dtype() {
        DataType::Boolean => column.bool().map_err(|error| one_line(&error.to_string()))?.clone(),
        DataType::Null => BooleanChunked::full_null(PlSmallStr::EMPTY, column.len()),
        other => return Err(format!("a condition is true or false, but this one is of type {other}")),
    };
    if truth.len() == rows {
        return Ok(truth);
    }
    Ok(match truth.get(0) {
        Some(value) => BooleanChunked::full(PlSmallStr::EMPTY, value, rows),
        None => BooleanChunked::full_null(PlSmallStr::EMPTY, rows),
    })
}

impl<'r> Selected<'r> {
    fn of(rule: &'r Rule, conditions: &Compiled, outcome: &Outcome) -> Self {
        let question = Question::new(&conditions.predicate);
        let mut selected = Self { rule, rows: Vec::new(), passed: Vec::new(), question, conditions: Vec::new() };
        let mut sort = |row: usize, value: Option<bool>| match value {
            Some(true) => selected.rows.push((row, Status::Fail)),
            Some(false) => selected.passed.extend(u32::try_from(row)),
            None => selected.rows.push((row, Status::Unknown)),
        };
        let predicate = outcome.predicate.iter().enumerate();
        match &outcome.applies {
            None => predicate.for_each(|(row, value)| sort(row, value)),
            Some(applies) => {
                let applicable = applies.iter().zip(predicate).filter(|(applies, _)| *applies == Some(true));
                applicable.for_each(|(_, (row, value))| sort(row, value));
            }
        }
        selected
    }
}

/// The outcome of a rule for every row of a table.
pub(crate) fn outcome(table: &Table, rule: &Rule) -> Result<Outcome, String> {
    let conditions = Compiled::new(rule)?;
    check_types(table, &conditions)?;
    let columns = conditions.columns();
    let wanted: Vec<&str> = columns.iter().map(String::as_str).collect();
    let frame = frame(table, &wanted).map_err(|error| one_line(&error.to_string()))?;
    let mut outcomes = outcomes(&frame.lazy(), &[&conditions], table.rows())?;
    outcomes.pop().ok_or_else(|| "nothing was evaluated".to_owned())
}
