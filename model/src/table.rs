//! Tables: columns of optional values with a documented schema. What rules read and reports print.

use std::marker::PhantomData;
use std::sync::Arc;

use jiff::Timestamp;

use crate::texts::{Texts, TextsBuilder};

/// The type of a column.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ColumnType {
    /// Text.
    Text,
    /// A whole number.
    Integer,
    /// A real number.
    Float,
    /// True or false.
    Boolean,
    /// A moment, UTC.
    Timestamp,
}

impl ColumnType {
    /// The word used in documentation.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Integer => "integer",
            Self::Float => "float",
            Self::Boolean => "boolean",
            Self::Timestamp => "timestamp",
        }
    }
}

/// A column's documentation.
#[derive(Clone, Copy, Debug)]
pub struct ColumnSpec {
    /// Its name, snake_case.
    pub name: &'static str,
    /// Its type.
    pub kind: ColumnType,
    /// Whether NULL, unknown, can occur.
    pub nullable: bool,
    /// What it means.
    pub doc: &'static str,
}

/// A table's documentation.
#[derive(Clone, Copy, Debug)]
pub struct TableSpec {
    /// Its name, snake_case.
    pub name: &'static str,
    /// What a row is.
    pub row: &'static str,
    /// Its columns.
    pub columns: &'static [ColumnSpec],
}

/// Values of a column.
#[derive(Clone, Debug, PartialEq)]
pub enum Column {
    /// Text.
    Text(Texts),
    /// Whole numbers.
    Integer(Vec<Option<i64>>),
    /// Real numbers.
    Float(Vec<Option<f64>>),
    /// Truth values.
    Boolean(Vec<Option<bool>>),
    /// Moments.
    Timestamp(Vec<Option<Timestamp>>),
}

/// One value of a table.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Unknown.
    Null,
    /// Text.
    Text(Arc<str>),
    /// A whole number.
    Integer(i64),
    /// A real number.
    Float(f64),
    /// A truth value.
    Boolean(bool),
    /// A moment.
    Timestamp(Timestamp),
}

impl Column {
    /// An empty column of a type.
    pub fn empty(kind: ColumnType) -> Self {
        match kind {
            ColumnType::Text => Self::Text(Texts::default()),
            ColumnType::Integer => Self::Integer(Vec::new()),
            ColumnType::Float => Self::Float(Vec::new()),
            ColumnType::Boolean => Self::Boolean(Vec::new()),
            ColumnType::Timestamp => Self::Timestamp(Vec::new()),
        }
    }

    /// The number of values.
    pub fn len(&self) -> usize {
        match self {
            Self::Text(values) => values.len(),
            Self::Integer(values) => values.len(),
            Self::Float(values) => values.len(),
            Self::Boolean(values) => values.len(),
            Self::Timestamp(values) => values.len(),
        }
    }

    /// Whether there are no values.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// One value; NULL outside the column.
    pub fn value(&self, row: usize) -> Value {
        match self {
            Self::Text(values) => values.get(row).cloned().map_or(Value::Null, Value::Text),
            Self::Integer(values) => known(values, row).map_or(Value::Null, Value::Integer),
            Self::Float(values) => known(values, row).map_or(Value::Null, Value::Float),
            Self::Boolean(values) => known(values, row).map_or(Value::Null, Value::Boolean),
            Self::Timestamp(values) => known(values, row).map_or(Value::Null, Value::Timestamp),
        }
    }

    /// Whether a value is NULL; outside the column it is.
    pub fn is_null(&self, row: usize) -> bool {
        match self {
            Self::Text(values) => values.get(row).is_none(),
            Self::Integer(values) => known(values, row).is_none(),
            Self::Float(values) => known(values, row).is_none(),
            Self::Boolean(values) => known(values, row).is_none(),
            Self::Timestamp(values) => known(values, row).is_none(),
        }
    }

    /// A text, without counting one more holder of it; `None` where it is NULL, and in columns of other types.
    pub fn text(&self, row: usize) -> Option<&Arc<str>> {
        match self {
            Self::Text(values) => values.get(row),
            Self::Integer(_) | Self::Float(_) | Self::Boolean(_) | Self::Timestamp(_) => None,
        }
    }
}

/// One of the values of a column; `None` where it is NULL or outside the column.
pub fn known<T: Copy>(values: &[Option<T>], row: usize) -> Option<T> {
    values.get(row).copied().flatten()
}

/// A field's name as a column: without the mark that Rust puts before its keywords.
#[doc(hidden)]
pub const fn column_name(field: &'static str) -> &'static str {
    match field.as_bytes() {
        [b'r', b'#', ..] => field.split_at(2).1,
        _ => field,
    }
}

/// A column to which values are added one by one.
#[derive(Debug)]
pub enum ColumnBuilder {
    /// Text.
    Text(TextsBuilder),
    /// Whole numbers.
    Integer(Vec<Option<i64>>),
    /// Real numbers.
    Float(Vec<Option<f64>>),
    /// Truth values.
    Boolean(Vec<Option<bool>>),
    /// Moments.
    Timestamp(Vec<Option<Timestamp>>),
}

impl ColumnBuilder {
    fn with_capacity(kind: ColumnType, rows: usize) -> Self {
        match kind {
            ColumnType::Text => Self::Text(TextsBuilder::with_capacity(rows)),
            ColumnType::Integer => Self::Integer(Vec::with_capacity(rows)),
            ColumnType::Float => Self::Float(Vec::with_capacity(rows)),
            ColumnType::Boolean => Self::Boolean(Vec::with_capacity(rows)),
            ColumnType::Timestamp => Self::Timestamp(Vec::with_capacity(rows)),
        }
    }

    fn build(self) -> Column {
        match self {
            Self::Text(values) => Column::Text(values.build()),
            Self::Integer(values) => Column::Integer(values),
            Self::Float(values) => Column::Float(values),
            Self::Boolean(values) => Column::Boolean(values),
            Self::Timestamp(values) => Column::Timestamp(values),
        }
    }
}

/// A value that a column can hold.
pub trait ColumnValue: Sized {
    /// The column's type.
    const KIND: ColumnType;

    /// Adds a value to a column of its type, where there is one.
    fn add(value: Option<Self>, column: Option<&mut ColumnBuilder>);
}

macro_rules! column_value {
    ($type:ty, $kind:ident) => {
        impl ColumnValue for $type {
            const KIND: ColumnType = ColumnType::$kind;

            // Called for every cell, from other crates.
            #[inline]
            fn add(value: Option<Self>, column: Option<&mut ColumnBuilder>) {
                if let Some(ColumnBuilder::$kind(values)) = column {
                    values.push(value);
                }
            }
        }
    };
}

column_value!(Arc<str>, Text);
column_value!(i64, Integer);
column_value!(f64, Float);
column_value!(bool, Boolean);
column_value!(Timestamp, Timestamp);

/// What a field of a row is: a value, or an optional one for a column that can be NULL.
pub trait Field {
    /// The column's type.
    const KIND: ColumnType;
    /// Whether NULL can occur.
    const NULLABLE: bool;

    /// Adds the field to its column, where there is one.
    fn add_to(self, column: Option<&mut ColumnBuilder>);
}

impl<T: ColumnValue> Field for Option<T> {
    const KIND: ColumnType = T::KIND;
    const NULLABLE: bool = true;

    fn add_to(self, column: Option<&mut ColumnBuilder>) {
        T::add(self, column);
    }
}

macro_rules! plain_field {
    ($($type:ty),*) => {
        $(impl Field for $type {
            const KIND: ColumnType = <$type as ColumnValue>::KIND;
            const NULLABLE: bool = false;

            #[inline]
            fn add_to(self, column: Option<&mut ColumnBuilder>) {
                <$type as ColumnValue>::add(Some(self), column);
            }
        })*
    };
}

plain_field!(Arc<str>, i64, f64, bool, Timestamp);

/// A table: its documentation and its columns, all of one length.
#[derive(Clone, Debug)]
pub struct Table {
    /// The documentation.
    pub spec: &'static TableSpec,
    /// The columns, in the order of the documentation.
    pub columns: Vec<Column>,
}

impl Table {
    /// The number of rows.
    pub fn rows(&self) -> usize {
        self.columns.first().map_or(0, Column::len)
    }

    /// A column by name.
    pub fn column(&self, name: &str) -> Option<&Column> {
        let at = self.spec.columns.iter().position(|column| column.name == name)?;
        self.columns.get(at)
    }

    /// One value; NULL for a row or column that does not exist.
    pub fn value(&self, row: usize, column: &str) -> Value {
        self.column(column).map_or(Value::Null, |column| column.value(row))
    }
}

/// A row type with a documented table: see [`crate::fact_table`].
pub trait Row: Sized {
    /// The table's documentation.
    const SPEC: &'static TableSpec;

    /// Adds each field to its column; the columns are those of the documentation, in its order.
    fn add_to(self, columns: &mut [ColumnBuilder]);

    /// Turns rows into columns, in the order given.
    fn table(rows: Vec<Self>) -> Table {
        let mut table = TableBuilder::with_capacity(rows.len());
        rows.into_iter().for_each(|row| table.push(row));
        table.build()
    }
}

/// A table to which rows are added one by one: their fields go to the columns at once, and no row is kept.
#[derive(Debug)]
pub struct TableBuilder<R> {
    columns: Vec<ColumnBuilder>,
    row: PhantomData<fn(R)>,
}

impl<R: Row> TableBuilder<R> {
    /// Without rows, with room for some.
    pub fn with_capacity(rows: usize) -> Self {
        let columns = R::SPEC.columns.iter().map(|column| ColumnBuilder::with_capacity(column.kind, rows)).collect();
        Self { columns, row: PhantomData }
    }

    /// Adds a row.
    pub fn push(&mut self, row: R) {
        row.add_to(&mut self.columns);
    }

    /// The table of all rows.
    pub fn build(self) -> Table {
        Table { spec: R::SPEC, columns: self.columns.into_iter().map(ColumnBuilder::build).collect() }
    }
}

/// Declares a fact table: a row struct whose doc comments are the documentation of the columns.
#[macro_export]
macro_rules! fact_table {
    (
        #[table($name:literal, $row:literal)]
        $(#[doc = $table_doc:literal])*
        $vis:vis struct $struct:ident {
            $(#[doc = $doc:literal] $field:ident: $type:ty,)*
        }
    ) => {
        $(#[doc = $table_doc])*
        #[derive(Clone, Debug)]
        $vis struct $struct {
            $(#[doc = $doc] pub $field: $type,)*
        }

        impl $crate::table::Row for $struct {
            const SPEC: &'static $crate::table::TableSpec = &$crate::table::TableSpec {
                name: $name,
                row: $row,
                columns: &[$($crate::table::ColumnSpec {
                    name: $crate::table::column_name(stringify!($field)),
                    kind: <$type as $crate::table::Field>::KIND,
                    nullable: <$type as $crate::table::Field>::NULLABLE,
                    doc: $doc.trim_ascii(),
                },)*],
            };

            fn add_to(self, columns: &mut [$crate::table::ColumnBuilder]) {
                let mut columns = columns.iter_mut();
                $($crate::table::Field::add_to(self.$field, columns.next());)*
            }
        }
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    fact_table! {
        #[table("samples", "sample")]
        /// A sample.
        struct Sample {
            /// Its id.
            id: Arc<str>,
            /// Its age in days.
            age_days: Option<i64>,
        }
    }

    #[test]
    fn rows_become_columns_with_their_documentation() {
        let table = Sample::table(vec![
            Sample { id: "a".into(), age_days: Some(1) },
            Sample { id: "b".into(), age_days: None },
        ]);
        assert_eq!(table.rows(), 2);
        assert_eq!(table.value(1, "age_days"), Value::Null);
        assert_eq!(table.value(0, "id"), Value::Text("a".into()));
        assert_eq!(table.columns[0].text(1).map(|id| &**id), Some("b"));
        assert_eq!((table.columns[1].text(0), table.columns[0].text(2)), (None, None));
        assert_eq!([0, 1, 2].map(|row| table.columns[1].is_null(row)), [false, true, true]);
        assert!(!Sample::SPEC.columns[0].nullable && Sample::SPEC.columns[1].nullable);
        assert_eq!(Sample::SPEC.columns[1].doc.trim(), "Its age in days.");
    }
}
