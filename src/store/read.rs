//! Reading a store: its scans, and queries over its tables.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Cursor;

use jiff::Timestamp;
use polars::prelude::{AnyValue, Column, DataFrame, DataType, IntoLazy as _, PlSmallStr, TimeUnit};
use polars::sql::{SQLContext, extract_table_identifiers};
use polars_io::SerReader as _;
use polars_io::parquet::read::ParquetReader;
use serde_json::Value;

use super::place::Shelf;
use super::{FINDINGS, FORM, Place, SCANS, StoreError, one_line};
use evenhand_rules::facts::tables::TABLES;

/// Saved scans.
#[derive(Debug)]
pub struct Store {
    shelf: Shelf,
    /// The ids of the scans that are whole, by their files in the table of scans.
    scans: BTreeSet<String>,
}

/// A scan of a store.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct StoredScan {
    /// Its id.
    pub id: String,
    /// Its moment, as RFC 3339 writes it.
    pub time: String,
    /// The score, 0 to 1000, without accepted exceptions; `None` = not known.
    pub raw: Option<i64>,
    /// The score with them left out.
    pub governed: Option<i64>,
    /// The findings that fail and that nobody accepted.
    pub findings: Counts,
    /// Those that could not be decided.
    pub undecided: Option<i64>,
    /// Identities.
    pub identities: Option<i64>,
    /// Of these the AI identities that are compared: those that the organisation itself runs.
    pub ai_identities: Option<i64>,
    /// Operations that AI identities hold beyond their human roles.
    pub excess_operations: Option<i64>,
}

/// Findings by severity; `None` = not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Counts {
    /// Critical ones.
    pub critical: Option<i64>,
    /// High ones.
    pub high: Option<i64>,
    /// Medium ones.
    pub medium: Option<i64>,
    /// Low ones.
    pub low: Option<i64>,
}

/// The answer to a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The names of its columns.
    pub names: Vec<String>,
    /// Its rows, a value for each column.
    pub rows: Vec<Vec<Value>>,
}

impl Store {
    /// Opens a store.
    ///
    /// # Errors
    /// When there is no scan in it, or it cannot be read.
    pub fn open(place: &Place) -> Result<Self, StoreError> {
        let shelf = place.open()?;
        let scans: BTreeSet<String> = shelf.files(SCANS)?.iter().filter_map(|file| scan_of(file)).collect();
        match scans.is_empty() {
            true => Err(StoreError::Empty(place.to_string())),
            false => Ok(Self { shelf, scans }),
        }
    }

    /// The tables that there may be.
    pub fn tables() -> Vec<&'static str> {
        [SCANS, FINDINGS].into_iter().chain(TABLES.iter().map(|table| table.name)).collect()
    }

    /// Its scans, earliest first.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn scans(&self) -> Result<Vec<StoredScan>, StoreError> {
        let frame = self.table(SCANS)?;
        let value = |row: usize, name: &str| frame.column(name).ok().and_then(|column| column.get(row).ok());
        let number = |row: usize, name: &str| value(row, name).and_then(|value| value.extract::<i64>());
        let mut scans: Vec<StoredScan> = (0..frame.height())
            .map(|row| StoredScan {
                id: value(row, "scan_id").map(|id| plain(&id)).unwrap_or_default(),
                time: value(row, "scan_time").map(|time| plain(&time)).unwrap_or_default(),
                raw: number(row, "score"),
                governed: number(row, "governed_score"),
                findings: Counts {
                    critical: number(row, "critical"),
                    high: number(row, "high"),
                    medium: number(row, "medium"),
                    low: number(row, "low"),
                },
                undecided: number(row, "undecided"),
                identities: number(row, "identities"),
                ai_identities: number(row, "ai_identities"),
                excess_operations: number(row, "excess_operations"),
            })
            .collect();
        scans.sort_by(|a, b| (&a.time, &a.id).cmp(&(&b.time, &b.id)));
        Ok(scans)
    }

    /// The answer to a query over the tables.
    ///
    /// # Errors
    /// When the query is not understood, or a file cannot be read.
    pub fn query(&self, query: &str) -> Result<Answer, StoreError> {
        let ask = |error: polars::prelude::PolarsError| StoreError::Query(one_line(&error));
        let mut context = SQLContext::new();
        let named = extract_table_identifiers(query, false, true).map_err(ask)?;
        // Only what is asked for is read.
        for table in Self::tables() {
            if named.iter().any(|name| name == table) {
                context.register(table, self.table(table)?.lazy());
            }
        }
        let answer = context.execute(query).and_then(|frame| frame.collect()).map_err(ask)?;
        let names = answer.get_column_names().iter().map(|name| name.to_string()).collect();
        let cell = |column: &Column, row: usize| column.get(row).map_or(Value::Null, |value| json(&value));
        let rows =
            (0..answer.height()).map(|row| answer.columns().iter().map(|column| cell(column, row)).collect()).collect();
        Ok(Answer { names, rows })
    }

    /// All rows of a table, of all whole scans. Columns, and fact tables, that a scan of an earlier version lacks are NULL.
    fn table(&self, name: &str) -> Result<DataFrame, StoreError> {
        let mut all: Option<DataFrame> = None;
        let mut without: BTreeSet<&String> = self.scans.iter().collect();
        for file in self.shelf.files(name)? {
            let Some(scan) = scan_of(&file).filter(|scan| self.scans.contains(scan)) else { continue };
            without.remove(&scan);
            let frame = self.frame(&file)?;
            all = Some(match all {
                None => frame,
                Some(held) => below(held, frame)?,
            });
        }
        // Every version writes findings: a scan without them did not find nothing.
        match without.first().filter(|_| name == FINDINGS) {
            Some(scan) => Err(StoreError::Damaged {
                place: self.shelf.named(FINDINGS),
                what: format!("the findings of scan {scan} are missing"),
            }),
            None => Ok(all.unwrap_or_default()),
        }
    }

    /// One file, where this version knows its form.
    fn frame(&self, file: &str) -> Result<DataFrame, StoreError> {
        let place = || self.shelf.named(file);
        let damaged = |error| StoreError::Damaged { place: place(), what: one_line(&error) };
        let mut reader = ParquetReader::new(Cursor::new(self.shelf.read(file)?));
        let (key, known) = FORM;
        let held = reader.get_metadata().map_err(damaged)?.key_value_metadata().iter().flatten();
        let form = held.filter(|held| held.key == key).find_map(|held| held.value.clone());
        match form {
            Some(form) if form == known => reader.finish().map_err(damaged),
            Some(form) => Err(StoreError::Form { place: place(), form }),
            None => Err(StoreError::Damaged { place: place(), what: "it does not say which form it is of".to_owned() }),
        }
    }
}

/// The scan that a file is of.
fn scan_of(file: &str) -> Option<String> {
    Some(file.rsplit('/').next()?.strip_suffix(".parquet")?.to_owned())
}

/// A value as JSON has it.
fn json(value: &AnyValue<'_>) -> Value {
    match value {
        AnyValue::Null => Value::Null,
        AnyValue::Boolean(truth) => Value::Bool(*truth),
        AnyValue::Float32(number) => f64::from(*number).into(),
        AnyValue::Float64(number) => (*number).into(),
        AnyValue::List(values) => values.iter().map(|value| json(&value)).collect(),
        other if other.is_integer() => other.extract::<i64>().map_or_else(|| plain(other).into(), Value::from),
        other => plain(other).into(),
    }
}

/// A value as text.
fn plain(value: &AnyValue<'_>) -> String {
    match value {
        AnyValue::String(text) => (*text).to_owned(),
        AnyValue::StringOwned(text) => text.to_string(),
        AnyValue::Datetime(since, unit, _) => moment(*since, *unit),
        AnyValue::DatetimeOwned(since, unit, _) => moment(*since, *unit),
        other => other.to_string(),
    }
}

/// A moment as RFC 3339 writes it. Moments of a store are in UTC.
fn moment(since: i64, unit: TimeUnit) -> String {
    let moment = match unit {
        TimeUnit::Nanoseconds => Timestamp::from_nanosecond(since.into()),
        TimeUnit::Microseconds => Timestamp::from_microsecond(since),
        TimeUnit::Milliseconds => Timestamp::from_millisecond(since),
    };
    moment.map_or_else(|_| since.to_string(), |moment| moment.to_string())
}

/// One frame below another, over the columns of both.
fn below(upper: DataFrame, lower: DataFrame) -> Result<DataFrame, StoreError> {
    let kinds: BTreeMap<PlSmallStr, DataType> = [&upper, &lower]
        .iter()
        .flat_map(|frame| frame.columns().iter().map(|column| (column.name().clone(), column.dtype().clone())))
        .collect();
    let order: Vec<PlSmallStr> = upper.get_column_names_owned();
    let added = lower.get_column_names_owned().into_iter().filter(|name| !order.contains(name));
    let order: Vec<PlSmallStr> = order.iter().cloned().chain(added).collect();
    let widened = |frame: DataFrame| -> Result<DataFrame, StoreError> {
        let rows = frame.height();
        let columns = order.iter().filter_map(|name| match frame.column(name) {
            Ok(column) => Some(column.clone()),
            Err(_) => Some(Column::full_null(name.clone(), rows, kinds.get(name)?)),
        });
        Ok(DataFrame::new(rows, columns.collect())?)
    };
    let mut whole = widened(upper)?;
    whole.vstack_mut_owned(widened(lower)?)?;
    Ok(whole)
}
