//! A fact table as the page reads it. A table or column that a report does not have holds nothing but unknown values.

use evenhand_model::table::{Table, Value};

use crate::report::Report;

#[derive(Clone, Copy)]
pub(super) struct Facts<'a>(Option<&'a Table>);

impl<'a> Facts<'a> {
    pub(super) fn of(report: &'a Report, name: &str) -> Self {
        Self(report.tables.iter().find(|table| table.spec.name == name))
    }

    pub(super) fn rows(&self) -> usize {
        self.0.map_or(0, Table::rows)
    }

    pub(super) fn value(&self, row: usize, column: &str) -> Value {
        self.0.map_or(Value::Null, |table| table.value(row, column))
    }

    pub(super) fn text(&self, row: usize, column: &str) -> Option<std::sync::Arc<str>> {
        match self.value(row, column) {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(super) fn integer(&self, row: usize, column: &str) -> Option<i64> {
        match self.value(row, column) {
            Value::Integer(number) => Some(number),
            _ => None,
        }
    }

    pub(super) fn boolean(&self, row: usize, column: &str) -> Option<bool> {
        match self.value(row, column) {
            Value::Boolean(truth) => Some(truth),
            _ => None,
        }
    }
}
