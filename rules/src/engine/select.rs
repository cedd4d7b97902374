//! One select for all rules over a table.
//!
//! Many rules speak of few rows: of agents among all identities. Their conditions are evaluated over these rows alone,
//! unless they may fail on what some row holds: such an error is told whatever rows the rule speaks of.

use std::sync::Arc;

use evenhand_model::finding::Status;
use evenhand_model::table::Table;
use polars::prelude::{
    BooleanChunked, ChunkFull as _, ChunkFullNull as _, DataFrame, DataType, Expr, IntoLazy as _, LazyFrame, PlSmallStr,
};
use rayon::prelude::*;

use crate::engine::EngineError;
use crate::engine::compile::{Compiled, columns, first_condition, one_line};
use crate::engine::frame::{Rows, empty, frame};
use crate::engine::open::{Cited, Question};
use crate::pack::Rule;

/// The rows of a table that a rule finds something about.
pub(crate) struct Selected<'r> {
    pub(crate) rule: &'r Rule,
    /// Row numbers, ascending.
    pub(crate) rows: Vec<(usize, Status)>,
    /// How many rows the rule judges that pass.
    pub(crate) passed: u64,
    /// What undecided rows wait for.
    question: Question,
    /// The rows over which conditions were evaluated.
    over: Arc<Rows>,
    /// The values of the question's conditions for these rows; none where no row is undecided.
    conditions: Vec<BooleanChunked>,
}

/// The outcome for every row: whether the rule applies, and what its predicate says.
pub(crate) struct Outcome {
    pub(crate) applies: Option<BooleanChunked>,
    pub(crate) predicate: BooleanChunked,
}

/// A rule that is ready to be evaluated, and which rows it judges.
struct Ready<'r, J> {
    rule: &'r Rule,
    conditions: Compiled,
    judges: J,
}

/// Evaluates rules of one table, each with the rows that it judges.
pub(crate) fn select<'r, J>(table: &Table, rules: Vec<(&'r Rule, J)>) -> (Vec<Selected<'r>>, Vec<EngineError>)
where
    J: Fn(usize) -> bool + Send + Sync,
{
    let mut errors = Vec::new();
    let mut ready: Vec<Ready<'r, J>> = Vec::with_capacity(rules.len());
    for (rule, judges) in rules {
        match Compiled::new(rule) {
            Ok(conditions) => ready.push(Ready { rule, conditions, judges }),
            Err(message) => errors.push(EngineError { rule: rule.id.clone(), message }),
        }
    }
    let mut selected = Vec::with_capacity(ready.len());
    for (rows, rules) in groups(table, ready) {
        selected.extend(select_among(table, &Arc::new(rows), &rules, &mut errors));
    }
    (selected, errors)
}

/// Rules by the rows over which they are evaluated: none, where a rule judges no row at all, those that rules of few rows
/// may speak of, and all. What speaks of few is told by the first condition of `applies_to`. A rule that may fail on data
/// is evaluated over all rows, so that neither the size of the table nor other rules decide whether it does.
fn groups<'r, J: Fn(usize) -> bool>(table: &Table, rules: Vec<Ready<'r, J>>) -> Vec<(Rows, Vec<Ready<'r, J>>)> {
    /// Tables of fewer rows are evaluated sooner than thought about.
    const FEWEST: usize = 4096;
    /// A rule of few rows speaks of no more than one in so many.
    const FEW: usize = 4;
    let count = table.rows();
    if count < FEWEST {
        return vec![(Rows::All(count), rules)];
    }
    let (mut over_all, rules): (Vec<_>, Vec<_>) = rules.into_iter().partition(|rule| rule.conditions.may_fail());
    let (rules, idle): (Vec<_>, Vec<_>) = rules.into_iter().partition(|rule| (0..count).any(&rule.judges));
    let mut asked: Vec<Expr> = Vec::new();
    let first = |rule: &Ready<'r, J>| rule.conditions.applies.as_ref().map(|applies| first_condition(applies).clone());
    for condition in rules.iter().filter_map(first) {
        if !asked.contains(&condition) {
            asked.push(condition);
        }
    }
    // Where one of them fails, so does the whole condition, and which rule that is gets told there.
    let answers = truths(table, &asked).unwrap_or_default();
    let mut is_chosen = vec![false; count];
    let is_few: Vec<bool> = answers
        .iter()
        .map(|answer| {
            let few = answer.iter().filter(|value| *value == Some(true)).count() <= count / FEW;
            if few {
                is_chosen.iter_mut().zip(answer.iter()).for_each(|(chosen, value)| *chosen |= value == Some(true));
            }
            few
        })
        .collect();
    let of_few = |rule: &Ready<'r, J>| {
        let at = first(rule).and_then(|condition| asked.iter().position(|held| *held == condition));
        at.and_then(|at| is_few.get(at)).copied().unwrap_or(false)
    };
    let chosen: Vec<u32> = (0..).zip(&is_chosen).filter(|(_, chosen)| **chosen).map(|(row, _)| row).collect();
    // Rules of few rows each may together speak of many.
    let together = chosen.len() > count / FEW;
    let (few, many): (Vec<_>, Vec<_>) = rules.into_iter().partition(|rule| !together && of_few(rule));
    over_all.extend(many);
    let groups = [(Rows::Chosen(Vec::new()), idle), (Rows::Chosen(chosen), few), (Rows::All(count), over_all)];
    groups.into_iter().filter(|(_, rules)| !rules.is_empty()).collect()
}

/// Conditions over all rows of a table.
fn truths(table: &Table, conditions: &[Expr]) -> Result<Vec<BooleanChunked>, String> {
    if conditions.is_empty() {
        return Ok(Vec::new());
    }
    let rows = Rows::All(table.rows());
    let frame = frame_of(table, conditions.iter().flat_map(columns), &rows)?;
    let name = |at: usize| condition_name(0, at);
    let named: Vec<Expr> =
        conditions.iter().enumerate().map(|(at, condition)| condition.clone().alias(name(at))).collect();
    let results = frame.select(named).collect().map_err(|error| one_line(&error.to_string()))?;
    (0..conditions.len()).map(|at| truth(&results, &name(at), rows.len())).collect()
}

/// A frame with the columns of these names.
fn frame_of(table: &Table, names: impl Iterator<Item = String>, rows: &Rows) -> Result<LazyFrame, String> {
    let mut columns: Vec<String> = names.collect();
    columns.sort();
    columns.dedup();
    let wanted: Vec<&str> = columns.iter().map(String::as_str).collect();
    Ok(frame(table, &wanted, rows).map_err(|error| one_line(&error.to_string()))?.lazy())
}

/// Evaluates rules over some rows of their table.
fn select_among<'r, J>(
    table: &Table,
    rows: &Arc<Rows>,
    rules: &[Ready<'r, J>],
    errors: &mut Vec<EngineError>,
) -> Vec<Selected<'r>>
where
    J: Fn(usize) -> bool + Sync,
{
    let mut fail = |rule: &Rule, message: String| errors.push(EngineError { rule: rule.id.clone(), message });
    let frame = match frame_of(table, rules.iter().flat_map(|ready| ready.conditions.columns()), rows) {
        Ok(frame) => frame,
        Err(message) => {
            for ready in rules {
                fail(ready.rule, message.clone());
            }
            return Vec::new();
        }
    };
    let mut selected = Vec::with_capacity(rules.len());
    let all: Vec<&Compiled> = rules.iter().map(|ready| &ready.conditions).collect();
    match outcomes(&frame, &all, rows.len()) {
        Ok(outcomes) => {
            let rules = rules.par_iter().zip(outcomes);
            selected.par_extend(rules.map(|(ready, outcome)| Selected::of(ready, &outcome, rows)));
        }
        // Some rule fails on these rows. One by one tells which, and lets the others go on.
        Err(_) => {
            for ready in rules {
                match outcomes(&frame, &[&ready.conditions], rows.len()) {
                    Ok(outcomes) => {
                        selected.extend(outcomes.iter().map(|outcome| Selected::of(ready, outcome, rows)));
                    }
                    Err(message) => fail(ready.rule, message),
                }
            }
        }
    }
    ask(&frame, rows.len(), &mut selected);
    selected
}

/// Evaluates the conditions inside the predicates that some row leaves undecided, all in one select.
fn ask(frame: &LazyFrame, rows: usize, selected: &mut [Selected<'_>]) {
    let mut open: Vec<&mut Selected<'_>> = selected
        .iter_mut()
        .filter(|selected| selected.rows.iter().any(|(_, status)| *status == Status::Unknown))
        .collect();
    if open.is_empty() {
        return;
    }
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
    fn of<J: Fn(usize) -> bool>(ready: &Ready<'r, J>, outcome: &Outcome, over: &Arc<Rows>) -> Self {
        let mut selected = Self {
            rule: ready.rule,
            rows: Vec::new(),
            passed: 0,
            question: Question::new(&ready.conditions.predicate, ready.rule.table),
            over: Arc::clone(over),
            conditions: Vec::new(),
        };
        let mut sort = |at: usize, value: Option<bool>| {
            let Some(row) = over.row(at).filter(|row| (ready.judges)(*row)) else { return };
            match value {
                Some(true) => selected.rows.push((row, Status::Fail)),
                Some(false) => selected.passed += 1,
                None => selected.rows.push((row, Status::Unknown)),
            }
        };
        let predicate = outcome.predicate.iter().enumerate();
        match &outcome.applies {
            None => predicate.for_each(|(at, value)| sort(at, value)),
            Some(applies) => {
                let applicable = applies.iter().zip(predicate).filter(|(applies, _)| *applies == Some(true));
                applicable.for_each(|(_, (at, value))| sort(at, value));
            }
        }
        selected
    }

    /// The columns that a row waits for.
    pub(crate) fn cited(&self, table: &Table, row: usize) -> Vec<Cited> {
        let at = self.over.place(row);
        self.question.cited(table, row, |condition| self.conditions.get(condition)?.get(at?))
    }
}

/// The outcome of a rule for every row of a table.
pub(crate) fn outcome(table: &Table, rule: &Rule) -> Result<Outcome, String> {
    let conditions = Compiled::new(rule)?;
    check_types(table, &conditions)?;
    let frame = frame_of(table, conditions.columns().into_iter(), &Rows::All(table.rows()))?;
    let mut outcomes = outcomes(&frame, &[&conditions], table.rows())?;
    outcomes.pop().ok_or_else(|| "nothing was evaluated".to_owned())
}
