//! The example organisation: what a newcomer sees on the first day, held to a snapshot. `UPDATE=1` rewrites it.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::Path;

use crate::common::{Scene, json};

#[test]
fn the_example_shows_every_verdict_and_its_expected_findings() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let output = Scene::new()
        .command()
        .current_dir(root)
        .args(["scan", "examples/acme", "-o", "json", "--now", "2026-12-01"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let report = json(&String::from_utf8(output.stdout).unwrap());

    let mut text = format!("score {}\n\n", report["score"]["governed"]);
    let mut verdicts = BTreeSet::new();
    for identity in report["tables"]["identities"].as_array().unwrap() {
        if let Some(verdict) = identity["verdict"].as_str() {
            verdicts.insert(verdict.to_owned());
            writeln!(text, "{verdict:<12} {}", identity["id"].as_str().unwrap()).unwrap();
        }
    }
    let all = ["CONTROL_GAP", "EXCESS", "NARROWER", "NO_BASELINE", "PARITY", "UNKNOWN"];
    assert_eq!(verdicts.iter().map(String::as_str).collect::<Vec<_>>(), all);

    text.push('\n');
    for finding in report["findings"].as_array().unwrap() {
        let word = |member: &str| finding[member].as_str().unwrap();
        writeln!(text, "{:<8} {:<7} {} {}", word("severity"), word("status"), word("rule"), word("identity")).unwrap();
    }
    let snapshot = root.join("tests/snapshots/acme.txt");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::create_dir_all(snapshot.parent().unwrap()).unwrap();
        std::fs::write(&snapshot, &text).unwrap();
    }
    let held = std::fs::read_to_string(&snapshot).unwrap_or_default().replace("\r\n", "\n");
    assert_eq!(held, text, "if this is as it should be: UPDATE=1 cargo test -p evenhand --test e2e acme");
}

#[test]
fn an_explanation_tells_what_one_grant_gives_once() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let arguments = ["explain", "editor-mcp", "--from", "examples/acme", "--now", "2026-12-01"];
    let output = Scene::new().command().current_dir(root).args(arguments).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(text.matches("  orgs/get, repos/list-for-org\n").count(), 1, "{text}");
}
