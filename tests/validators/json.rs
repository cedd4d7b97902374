//! The JSON report against its published schema.

use std::path::Path;
use std::process::Command;

use crate::tools::python_program;
use crate::{accepts_and_refuses, evenhand, file, reports};

#[test]
fn the_json_report_fits_its_published_schema_in_the_eyes_of_another_validator() {
    let checker = python_program("check-jsonschema", "0.39.0", "check-jsonschema");
    let schema = file("json", "schema.json", &String::from_utf8(evenhand(&["schema", "report"])).expect("UTF-8"));
    let check = |document: &Path| {
        Command::new(&checker).arg("--schemafile").arg(&schema).arg(document).output().expect("the validator runs")
    };
    for report in reports("json", &[]) {
        let broken = report.replacen("\"severity\": \"", "\"severity\": 9, \"was\": \"", 1);
        accepts_and_refuses(
            &check(&file("json", "report.json", &report)),
            &check(&file("json", "broken.json", &broken)),
            "a severity that is a number",
        );
    }
}
