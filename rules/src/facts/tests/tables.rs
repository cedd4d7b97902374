//! All tables and their columns, whatever they hold.

use std::sync::Arc;

use evenhand_model::identity::Nature;
use evenhand_model::table::{Row as _, Value};

use super::{facts, text};
use crate::facts::tables::{IdentityRow, TABLES};
use crate::parity::toy::Town;

#[test]
fn all_tables_are_built_in_the_documented_order() {
    let facts = facts(Town::default(), &[], None);
    let names: Vec<&str> = facts.tables.iter().map(|table| table.spec.name).collect();
    assert_eq!(names, TABLES.iter().map(|table| table.name).collect::<Vec<_>>());
    for table in &facts.tables {
        assert_eq!(table.columns.len(), table.spec.columns.len());
        assert!(table.columns.iter().all(evenhand_model::table::Column::is_empty), "{}", table.spec.name);
    }
}

#[test]
fn many_rows_keep_their_order_and_their_columns_one_length() {
    let mut town = Town::default();
    for number in 0..3000 {
        town.add(Nature::Workload, &format!("s/{number:04}"), None);
    }
    let facts = facts(town, &[], None);
    let table = facts.table("identities").unwrap();
    assert!(table.columns.iter().all(|column| column.len() == 3000));
    assert_eq!(table.value(2777, "name"), text("2777"));
    assert_eq!(table.value(3000, "name"), Value::Null);
}

#[test]
fn columns_are_documented() {
    for table in TABLES {
        assert!(!table.row.is_empty());
        for column in table.columns {
            assert!(
                column.doc.ends_with(['.', '…', '?']) && column.doc.len() > 5,
                "{}.{}: {:?}",
                table.name,
                column.name,
                column.doc
            );
        }
    }
    let names: Vec<Arc<str>> = IdentityRow::SPEC.columns.iter().map(|column| column.name.into()).collect();
    assert!(names.contains(&"nature".into()));
}
