//! Rows to columns, in chunks, on all cores.

use evenhand_model::table::{Column, ColumnSpec, ColumnType, Row, Table, TableBuilder};
use evenhand_model::texts::Texts;
use rayon::prelude::*;

use crate::facts::words::Words;

/// Rows that one core makes one after the other.
const CHUNK: usize = 1024;

/// Makes a table of `rows` rows from a function of the row's number.
pub(super) fn tabulate<R: Row>(rows: usize, row: impl Fn(usize, &mut Words) -> Option<R> + Sync) -> Table {
    let chunks: Vec<Table> = (0..rows.div_ceil(CHUNK))
        .into_par_iter()
        .with_max_len(1)
        .map(|chunk| {
            let start = chunk * CHUNK;
            let chunk = start..rows.min(start + CHUNK);
            let mut table = TableBuilder::with_capacity(chunk.len());
            let mut words = Words::default();
            chunk.filter_map(|at| row(at, &mut words)).for_each(|row| table.push(row));
            table.build()
        })
        .collect();
    let mut parts: Vec<Vec<Column>> = R::SPEC.columns.iter().map(|_| Vec::with_capacity(chunks.len())).collect();
    for chunk in chunks {
        for (slot, column) in parts.iter_mut().zip(chunk.columns) {
            slot.push(column);
        }
    }
    Table { spec: R::SPEC, columns: parts.into_par_iter().zip(R::SPEC.columns).map(join).collect() }
}

/// Joins the parts of a column.
fn join((parts, spec): (Vec<Column>, &ColumnSpec)) -> Column {
    macro_rules! joined {
        ($kind:ident, $join:expr) => {
            // All parts come from one schema: their types are the same.
            Column::$kind($join(
                parts
                    .into_iter()
                    .filter_map(|part| if let Column::$kind(values) = part { Some(values) } else { None })
                    .collect(),
            ))
        };
    }
    match spec.kind {
        ColumnType::Text => joined!(Text, Texts::joined),
        ColumnType::Integer => joined!(Integer, concat),
        ColumnType::Float => joined!(Float, concat),
        ColumnType::Boolean => joined!(Boolean, concat),
        ColumnType::Timestamp => joined!(Timestamp, concat),
    }
}

/// One list of all values, with room for no more than them: columns are never appended to again.
fn concat<T: Copy>(parts: Vec<Vec<T>>) -> Vec<T> {
    let mut all = Vec::with_capacity(parts.iter().map(Vec::len).sum());
    for part in parts {
        all.extend_from_slice(&part);
    }
    all
}
