//! A workflow of one capture and a role of another: who can get a token that the role's trust admits.

use std::path::Path;

use serde_json::Value;

use crate::common::{Scene, json};

const JOB: &str = "github:acme:job:shop/release/roll-out";
const ROLE: &str = "arn:aws:iam::222222222222:role/release-bot";

fn run(arguments: &[&str]) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let output = Scene::new().command().current_dir(root).args(arguments).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_workflow_becomes_the_role_whose_trust_admits_its_subject_with_evidence_of_both() {
    let report = json(&run(&["scan", "examples/acme", "-o", "json", "--now", "2026-12-01"]));
    let rows = |table: &str| report["tables"][table].as_array().unwrap().clone();
    let trusts: Vec<Value> =
        rows("trusts").into_iter().filter(|row| row["source"] == JOB && row["target"] == ROLE).collect();
    let [trust] = trusts.as_slice() else { panic!("{trusts:?}") };
    assert_eq!(
        (trust["weak"].as_bool(), &trust["weakness"], trust["joined"].as_bool()),
        (Some(true), &"org-wide".into(), Some(true))
    );
    let constraint = trust["constraint"].as_str().unwrap();
    assert!(constraint.starts_with("for environment production; "), "{constraint}");
    assert!(trust["location"].as_str().unwrap().contains(".github/workflows/release.yml"), "{trust}");

    let paths: Vec<Value> =
        rows("paths").into_iter().filter(|row| row["identity"] == JOB && row["target"] == ROLE).collect();
    let [path] = paths.as_slice() else { panic!("{paths:?}") };
    assert_eq!((path["techniques"].as_str(), path["crosses_provider"].as_bool()), (Some("federation"), Some(true)));
    assert_eq!(path["conditional"].as_bool(), Some(false), "the settings of the repository tell its subjects");
    let sides = ["federation of ", "trust of "].map(|side| format!("{side}{ROLE}"));
    let evidence = path["evidence"].as_str().unwrap();
    assert!(sides.iter().all(|side| evidence.contains(side)), "{evidence}");

    let wide: Vec<&Value> = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|finding| finding["rule"] == "federated-trust-too-wide" && finding["identity"] == ROLE)
        .collect();
    assert_eq!(wide.len(), 1, "the same condition is told once");
}

#[test]
fn the_trust_is_explained_from_either_side() {
    let role = run(&["explain", ROLE, "--from", "examples/acme", "--now", "2026-12-01"]);
    assert!(role.contains(JOB) && role.contains("weak: org-wide"), "{role}");
    let job = run(&["explain", JOB, "--from", "examples/acme", "--now", "2026-12-01"]);
    let path = job.split("Paths to more access").nth(1).unwrap_or_default();
    assert!(
        path.contains("release.yml:11") && path.contains("account-authorization-details.json#/RoleDetailList/"),
        "{job}"
    );
}
