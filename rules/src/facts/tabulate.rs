//! Rows to columns, in chunks that fit a processor's cache, on all cores.

use evenhand_model::table::{Column, ColumnSpec, ColumnType, Row, Table};
use evenhand_model::texts::Texts;
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
fn concat<T>(parts: Vec<Vec<T>>) -> Vec<T> {
    let mut all = Vec::with_capacity(parts.iter().map(Vec::len).sum());
    all.extend(parts.into_iter().flatten());
    all
}
