//! `evenhand schema`: JSON Schemas on stdout.

use evenhand_reports::schema;
use evenhand_rules::facts::tables::TABLES;
use serde_json::{Map, Value, json};

use super::Failure;
use crate::cli::{self, SchemaOf};
use crate::config::file::ConfigFile;
use crate::gate::Exit;
use crate::output::to_stdout;

pub(super) fn run(arguments: &cli::Schema) -> Result<Exit, Failure> {
    let schema = of(arguments.of);
    to_stdout(|sink| {
        serde_json::to_writer_pretty(&mut *sink, &schema)?;
        sink.write_all(b"\n")
    })?;
    Ok(Exit::Passed)
}

/// A schema as a value.
pub(crate) fn of(what: SchemaOf) -> Value {
    match what {
        SchemaOf::Report => schema::report(TABLES),
        SchemaOf::Config => schemars::schema_for!(ConfigFile).to_value(),
        SchemaOf::Tables => {
            let tables: Map<String, Value> =
                TABLES.iter().map(|table| (table.name.to_owned(), schema::table_schema(table))).collect();
            json!({ "$schema": "https://json-schema.org/draft/2020-12/schema", "$defs": tables })
        }
        SchemaOf::DecideAws => evenhand_aws::point::schema(),
        SchemaOf::DecideAzure => evenhand_azure::point::schema(),
        SchemaOf::DecideKubernetes => evenhand_kubernetes::point::schema(),
        SchemaOf::DecideFederation => evenhand_federation::decide::schema(),
    }
}
