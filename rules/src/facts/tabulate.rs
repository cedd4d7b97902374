//! Rows to columns, in chunks that fit a processor's cache, on all cores.

use evenhand_model::table::{Column, Row, Table};
use rayon::prelude::*;

/// Rows that are made and turned into columns together.
const CHUNK: usize = 256;

/// Makes a table of `rows` rows from a function of the row's number.
pub(super) fn tabulate<R: Row + Send>(rows: usize, row: impl Fn(usize) -> Option<R> + Sync) -> Table {
    let chunks: Vec<Table> = (0..rows.div_ceil(CHUNK))
        .into_par_iter()
        .map(|chunk| {
            let start = chunk * CHUNK;
            R::table((start..rows.min(start + CHUNK)).filter_map(&row).collect())
        })
        .collect();
    let mut columns: Vec<Column> = R::SPEC.columns.iter().map(|column| Column::empty(column.kind)).collect();
    let mut parts: Vec<Vec<Column>> = columns.iter().map(|_| Vec::with_capacity(chunks.len())).collect();
    for chunk in chunks {
        for (slot, column) in parts.iter_mut().zip(chunk.columns) {
            slot.push(column);
        }
    }
    columns.par_iter_mut().zip(parts).for_each(|(column, parts)| {
        reserve(column, parts.iter().map(Column::len).sum());
        for part in parts {
            append(column, part);
        }
    });
    Table { spec: R::SPEC, columns }
}

/// Makes room for values, and for no more than them: columns are never appended to again.
fn reserve(column: &mut Column, values: usize) {
    match column {
        Column::Text(held) => held.reserve_exact(values),
        Column::Integer(held) => held.reserve_exact(values),
        Column::Float(held) => held.reserve_exact(values),
        Column::Boolean(held) => held.reserve_exact(values),
        Column::Timestamp(held) => held.reserve_exact(values),
    }
}

/// Appends values of the same type.
fn append(column: &mut Column, part: Column) {
    match (column, part) {
        (Column::Text(held), Column::Text(more)) => held.extend(more),
        (Column::Integer(held), Column::Integer(more)) => held.extend(more),
        (Column::Float(held), Column::Float(more)) => held.extend(more),
        (Column::Boolean(held), Column::Boolean(more)) => held.extend(more),
        (Column::Timestamp(held), Column::Timestamp(more)) => held.extend(more),
        // Both come from one schema: the types are the same.
        _ => {}
    }
}
