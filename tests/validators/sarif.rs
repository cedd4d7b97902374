//! SARIF against its schema, Microsoft's multitool with the rules of GitHub, and what neither of them sees.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::tools::python_program;
use crate::{NOW, accepts_and_refuses, evenhand_in, file, hostile, npm, reports, root, work};

const PACKAGE: &str = "@microsoft/sarif-multitool-linux";
const VERSION: &str = "5.7.0";

#[test]
fn sarif_fits_its_schema() {
    let schema = npm::program(PACKAGE, VERSION, "sarif-2.1.0.json");
    let checker = python_program("check-jsonschema", "0.39.0", "check-jsonschema");
    let check = |document: &Path| {
        Command::new(&checker).arg("--schemafile").arg(&schema).arg(document).output().expect("the validator runs")
    };
    for report in reports("sarif", &[]) {
        let broken = report.replacen("\"kind\": \"fail\"", "\"kind\": \"failure\"", 1);
        accepts_and_refuses(
            &check(&file("sarif", "schema.sarif", &report)),
            &check(&file("sarif", "schema-broken.sarif", &broken)),
            "a kind of result that there is not",
        );
    }
}

/// What the multitool finds wrong. It ends with 0 whatever it finds.
fn wrong(document: &Path) -> Vec<Value> {
    use std::os::unix::fs::PermissionsExt;
    let output = document.with_extension("checked.sarif");
    let program = npm::program(PACKAGE, VERSION, "Sarif.Multitool");
    // The package leaves it to its installation scripts to make it a program, and those are not run.
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).expect("a program");
    let done = Command::new(program)
        .env("DOTNET_SYSTEM_GLOBALIZATION_INVARIANT", "1")
        .args(["validate", "--rule-kind", "Sarif;Ghas", "--level", "Error", "--log", "ForceOverwrite", "-o"])
        .arg(&output)
        .arg(document)
        .output()
        .expect("the multitool runs");
    let text = std::fs::read_to_string(&output)
        .unwrap_or_else(|error| panic!("the multitool wrote nothing ({error}): {}", crate::said(&done)));
    let log: Value = serde_json::from_str(text.trim_start_matches('\u{feff}')).expect("JSON");
    log["runs"][0]["results"].as_array().cloned().unwrap_or_default()
}

#[test]
fn the_multitool_finds_nothing_wrong_by_the_rules_of_sarif_and_of_github() {
    for (at, report) in reports("sarif", &[]).iter().enumerate() {
        let found = wrong(&file("sarif", &format!("multitool-{at}.sarif"), report));
        assert!(found.is_empty(), "{}", serde_json::to_string_pretty(&found).expect("JSON"));
        let broken = report.replacen("\"ruleIndex\": 0", "\"ruleIndex\": 999", 1);
        let found = wrong(&file("sarif", &format!("multitool-broken-{at}.sarif"), &broken));
        assert!(!found.is_empty(), "an index beyond the rules must be found");
    }
}

/// A path as it was before it became an address.
fn decoded(uri: &str) -> String {
    let mut parts = uri.split('%');
    let mut bytes = parts.next().expect("a beginning").as_bytes().to_vec();
    for part in parts {
        let (code, rest) = part.split_at(2);
        bytes.push(u8::from_str_radix(code, 16).expect("two digits"));
        bytes.extend(rest.as_bytes());
    }
    String::from_utf8(bytes).expect("UTF-8")
}

/// What GitHub refuses a whole file for, and no validator tells.
fn unplaced(log: &Value) -> Vec<&Value> {
    let results = log["runs"].as_array().unwrap().iter().flat_map(|run| run["results"].as_array().unwrap());
    results
        .filter(|result| {
            let place = &result["locations"][0]["physicalLocation"];
            let uri = place["artifactLocation"]["uri"].as_str().unwrap_or_default();
            let relative = !uri.is_empty()
                && !uri.starts_with('/')
                && !uri.contains(':')
                && !uri.split('/').any(|part| part == "..");
            !relative || place["region"]["startLine"].as_u64().is_none_or(|line| line == 0)
        })
        .collect()
}

#[test]
fn every_result_has_a_file_and_a_line_that_exist() {
    let evidence = work("sarif-evidence");
    for (folder, source) in [(root().to_owned(), "examples/acme"), (hostile(), ".mcp.json")] {
        let into = evidence.join(source.trim_matches('.').replace('/', "-"));
        let arguments = ["scan", source, "--now", NOW, "-o", "sarif", "--evidence-dir", into.to_str().expect("UTF-8")];
        let text = String::from_utf8(evenhand_in(&folder, &arguments)).expect("UTF-8");
        let mut log: Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(unplaced(&log), Vec::<&Value>::new());
        let runs = log["runs"].as_array().expect("runs");
        assert!(runs.len() <= 20);
        for run in runs {
            let successful = run["invocations"][0]["executionSuccessful"].as_bool();
            assert_eq!(successful, Some(true));
            for result in run["results"].as_array().expect("results") {
                let place = &result["locations"][0]["physicalLocation"];
                let uri = place["artifactLocation"]["uri"].as_str().expect("a path");
                // The folder lies elsewhere, so its last name stands for it; what is not below it is a file of the source.
                let name = into.file_name().expect("a name").to_str().expect("UTF-8");
                let path = match uri.strip_prefix(name) {
                    Some(below) => into.join(below.trim_start_matches('/')),
                    None => folder.join(decoded(uri)),
                };
                let lines =
                    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{uri}: {error}")).lines().count();
                let last = place["region"]["endLine"].as_u64().expect("a line");
                assert!(usize::try_from(last).expect("small") <= lines, "{uri} has {lines} lines, not {last}");
                let rule = usize::try_from(result["ruleIndex"].as_u64().expect("an index")).expect("small");
                assert_eq!(run["tool"]["driver"]["rules"][rule]["id"], result["ruleId"]);
            }
        }
        log["runs"][0]["results"][0]["locations"][0].as_object_mut().expect("a location").remove("physicalLocation");
        assert_eq!(unplaced(&log).len(), 1, "a result without a file must be found");
    }
}
