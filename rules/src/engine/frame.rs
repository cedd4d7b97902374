//! Fact tables as data frames: only the columns that some rule reads.

use evenhand_model::table::{Column, ColumnSpec, Table, TableSpec};
use polars::prelude::{
    BooleanChunked, Column as PolarsColumn, DataFrame, Float64Chunked, Int64Chunked, IntoColumn as _,
    NewChunkedArray as _, PlSmallStr, PolarsResult, StringChunked, TimeUnit,
};
use rayon::prelude::*;

/// A frame of some columns of a table. Moments are UTC milliseconds without a zone.
pub(super) fn frame(table: &Table, columns: &[&str]) -> PolarsResult<DataFrame> {
    let wanted: Vec<(&ColumnSpec, &Column)> =
        table.spec.columns.iter().zip(&table.columns).filter(|(spec, _)| columns.contains(&spec.name)).collect();
    let converted: Vec<PolarsColumn> =
        wanted.into_par_iter().map(|(spec, column)| convert(spec.name, column)).collect();
    DataFrame::new(table.rows(), converted)
}

/// A frame of all columns of a table. Moments are UTC milliseconds without a zone.
///
/// # Errors
/// When the columns are not of one length.
pub fn whole(table: &Table) -> PolarsResult<DataFrame> {
    let columns: Vec<&str> = table.spec.columns.iter().map(|column| column.name).collect();
    frame(table, &columns)
}

/// The frame of a table without rows, with all columns: what a rule's types are checked against.
pub(super) fn empty(spec: &'static TableSpec) -> PolarsResult<DataFrame> {
    DataFrame::new(0, spec.columns.iter().map(|column| convert(column.name, &Column::empty(column.kind))).collect())
}

fn convert(name: &'static str, column: &Column) -> PolarsColumn {
    let name = PlSmallStr::from_static(name);
    match column {
        Column::Text(values) => {
            StringChunked::from_iter_options(name, values.iter().map(|text| text.map(|text| &**text))).into_column()
        }
        Column::Integer(values) => Int64Chunked::from_iter_options(name, values.iter().copied()).into_column(),
        Column::Float(values) => Float64Chunked::from_iter_options(name, values.iter().copied()).into_column(),
        Column::Boolean(values) => BooleanChunked::from_iter_options(name, values.iter().copied()).into_column(),
        Column::Timestamp(values) => {
            let moments = values.iter().map(|moment| moment.map(|moment| moment.as_millisecond()));
            Int64Chunked::from_iter_options(name, moments).into_datetime(TimeUnit::Milliseconds, None).into_column()
        }
    }
}
