//! OSCAL through trestle, which knows the models and that UUIDs are not given twice, and through a reader of NIST's
//! metaschema, which knows the members, data types, cardinalities and allowed values of the very version.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::tools::python_program;
use crate::{file, python, reports, said, work};

/// A folder of trestle's, made anew: it imports nothing under a name that is taken.
fn workspace() -> PathBuf {
    let folder = work("oscal").join("workspace");
    if folder.exists() {
        std::fs::remove_dir_all(&folder).expect("removed");
    }
    std::fs::create_dir_all(&folder).expect("a folder");
    let made = trestle(&folder, &["init", "--local"]);
    assert!(made.status.success(), "{}", said(&made));
    folder
}

fn trestle(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(python_program("compliance-trestle", "5.2.0", "trestle"))
        .current_dir(folder)
        .args(arguments)
        .output()
        .expect("trestle runs")
}

/// Imports a document and validates it as trestle's own.
fn check(folder: &Path, name: &str, text: &str) -> Output {
    let document = file("oscal", &format!("{name}.json"), text);
    let done = trestle(folder, &["import", "-f", document.to_str().expect("UTF-8"), "-o", name]);
    if !done.status.success() {
        return done;
    }
    trestle(folder, &["validate", "-t", "assessment-results", "-n", name])
}

#[test]
fn the_assessment_results_are_valid_in_the_eyes_of_trestle() {
    let all = reports("oscal", &[]);
    let folder = workspace();
    for (at, report) in all.iter().enumerate() {
        let done = check(&folder, &format!("good-{at}"), report);
        assert!(done.status.success(), "{}", said(&done));
        // What refers to an item, an observation or a risk refers to one that there is.
        let document: serde_json::Value = serde_json::from_str(report).expect("JSON");
        let result = &document["assessment-results"]["results"][0];
        let uuids = |list: &serde_json::Value| -> std::collections::BTreeSet<String> {
            list.as_array().into_iter().flatten().filter_map(|of| of["uuid"].as_str()).map(str::to_owned).collect()
        };
        let items = uuids(&result["local-definitions"]["inventory-items"]);
        let (observations, risks) = (uuids(&result["observations"]), uuids(&result["risks"]));
        let refers =
            |list: &serde_json::Value, inner: &str, member: &str, known: &std::collections::BTreeSet<String>| {
                for of in list.as_array().into_iter().flatten() {
                    for to in of[inner].as_array().into_iter().flatten() {
                        assert!(known.contains(to[member].as_str().expect("a UUID")), "{to} of {of}");
                    }
                }
            };
        refers(&result["observations"], "subjects", "subject-uuid", &items);
        refers(&result["findings"], "related-observations", "observation-uuid", &observations);
        refers(&result["findings"], "related-risks", "risk-uuid", &risks);
    }
    let report = &all[1];
    let start = report.find("\"start\"").expect("a start");
    let (before, after) = report.split_at(start);
    let broken = format!("{before}\"begin\"{}", after.strip_prefix("\"start\"").expect("a start"));
    assert!(!check(&folder, "broken", &broken).status.success(), "a result without start must be refused");
}

#[test]
fn the_assessment_results_are_valid_by_the_metaschema() {
    let script = "import sys\nfrom oscal import OSCAL\n\
                  content=OSCAL.load(sys.argv[1])\n\
                  assert content and content.oscal_version=='v1.2.1', content\n\
                  assert content.is_valid and not content.validation_errors, content.validation_errors";
    let folder = work("oscal");
    let check = |name: &str, text: &str| {
        let document = file("oscal", &format!("{name}.json"), text);
        python("oscal", "3.2.2", script, &folder, &[document.to_str().expect("UTF-8")])
    };
    let all = reports("oscal", &[]);
    for (at, report) in all.iter().enumerate() {
        let done = check(&format!("whole-{at}"), report);
        assert!(done.status.success(), "{}", said(&done));
    }
    for (what, was, is) in [
        ("a member that there is not", "\"start\"", "\"begin\""),
        ("a state that is not allowed", "\"not-satisfied\"", "\"perhaps\""),
        ("a UUID that is none", "\"uuid\": \"", "\"uuid\": \"x"),
    ] {
        let broken = all[0].replacen(was, is, 1);
        assert_ne!(broken, all[0], "{was}");
        assert!(!check("torn", &broken).status.success(), "{what} must be refused");
    }
}
