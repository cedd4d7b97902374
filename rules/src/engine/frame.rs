//! Fact tables as data frames: only the columns that some rule reads.

use evenhand_model::table::{Column, ColumnSpec, Table, TableSpec, known};
use polars::prelude::{
    BooleanChunked, Column as PolarsColumn, DataFrame, Float64Chunked, Int64Chunked, IntoColumn as _,
    NewChunkedArray as _, PlSmallStr, PolarsResult, StringChunked, TimeUnit,
};
use rayon::prelude::*;

/// Rows of a table that conditions are evaluated over.
#[derive(Debug)]
pub(crate) enum Rows {
    /// So many: all.
    All(usize),
    /// These, ascending.
    Chosen(Vec<u32>),
}

impl Rows {
    pub(super) fn len(&self) -> usize {
        match self {
            Self::All(count) => *count,
            Self::Chosen(rows) => rows.len(),
        }
    }

    /// The row at a place among these.
    pub(super) fn row(&self, at: usize) -> Option<usize> {
        match self {
            Self::All(count) => (at < *count).then_some(at),
            Self::Chosen(rows) => rows.get(at).map(|row| *row as usize),
        }
    }

    /// The place of a row among these.
    pub(super) fn place(&self, row: usize) -> Option<usize> {
        match self {
            Self::All(count) => (row < *count).then_some(row),
            Self::Chosen(rows) => rows.binary_search(&u32::try_from(row).ok()?).ok(),
        }
    }

    /// Something of each of the rows.
    fn map<T>(&self, value: impl Fn(usize) -> Option<T>) -> impl Iterator<Item = Option<T>> {
        (0..self.len()).map(move |at| value(self.row(at)?))
    }
}

/// A frame of some columns of a table, for some of its rows. Moments are UTC milliseconds without a zone.
pub(super) fn frame(table: &Table, columns: &[&str], rows: &Rows) -> PolarsResult<DataFrame> {
    let wanted: Vec<(&ColumnSpec, &Column)> =
        table.spec.columns.iter().zip(&table.columns).filter(|(spec, _)| columns.contains(&spec.name)).collect();
    let converted: Vec<PolarsColumn> =
        wanted.into_par_iter().map(|(spec, column)| convert(spec.name, column, rows)).collect();
    DataFrame::new(rows.len(), converted)
}

/// A frame of all columns of a table. Moments are UTC milliseconds without a zone.
///
/// # Errors
/// When the columns are not of one length.
pub fn whole(table: &Table) -> PolarsResult<DataFrame> {
    let columns: Vec<&str> = table.spec.columns.iter().map(|column| column.name).collect();
    frame(table, &columns, &Rows::All(table.rows()))
}

/// The frame of a table without rows, with all columns: what a rule's types are checked against.
pub(super) fn empty(spec: &'static TableSpec) -> PolarsResult<DataFrame> {
    let column = |column: &ColumnSpec| convert(column.name, &Column::empty(column.kind), &Rows::All(0));
    DataFrame::new(0, spec.columns.iter().map(column).collect())
}

fn convert(name: &'static str, column: &Column, rows: &Rows) -> PolarsColumn {
    let name = PlSmallStr::from_static(name);
    match column {
        Column::Text(values) => {
            StringChunked::from_iter_options(name, rows.map(|row| values.get(row).map(|text| &**text))).into_column()
        }
        Column::Integer(values) => {
            Int64Chunked::from_iter_options(name, rows.map(|row| known(values, row))).into_column()
        }
        Column::Float(values) => {
            Float64Chunked::from_iter_options(name, rows.map(|row| known(values, row))).into_column()
        }
        Column::Boolean(values) => {
            BooleanChunked::from_iter_options(name, rows.map(|row| known(values, row))).into_column()
        }
        Column::Timestamp(values) => {
            let moments = rows.map(|row| known(values, row).map(|moment| moment.as_millisecond()));
            Int64Chunked::from_iter_options(name, moments).into_datetime(TimeUnit::Milliseconds, None).into_column()
        }
    }
}
