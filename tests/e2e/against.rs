//! A scan beside an earlier one: what changed, what is new, and what a gate says of that.

use serde_json::Value;

use crate::common::{Scene, account, json};

const LOW: [&str; 4] = ["--fail-on", "low", "--allow-partial", "--new-only"];

/// A scene whose agent later may do more than it might.
fn later(more: &str) -> Scene {
    let held = r#"["logs:*","s3:DeleteBucket"]"#;
    let later = account().replace(held, &held.replace(']', &format!(",\"{more}\"]")));
    assert_ne!(later, account());
    Scene::with_account().file("later/gaad.json", later.as_bytes())
}

#[test]
fn diff_tells_what_is_new_what_is_resolved_and_whose_access_changed() {
    let scene = later("iam:CreateUser");
    for (source, file) in [("gaad.json", "old.json"), ("later", "new.json")] {
        let run = scene.run(&["scan", source, "-o", &format!("json={file}")]);
        assert_eq!(run.code, 0, "{}", run.stderr);
    }
    let same = scene.run(&["diff", "old.json", "old.json"]);
    assert!(same.code == 0 && same.stdout.contains("nothing changed"), "{}", same.stdout);
    let told: Value = json(&scene.run(&["diff", "old.json", "new.json", "-o", "json"]).stdout);
    let agent = "arn:aws:iam::111122223333:role/incident-agent";
    let access = told["access"].as_array().unwrap().iter().find(|change| change["id"] == agent).unwrap();
    assert_eq!(access["gained"], serde_json::json!(["iam:CreateUser on *"]));
    assert_eq!(access["lost"], serde_json::json!([]));
    let back = scene.run(&["diff", "new.json", "old.json"]);
    assert!(back.stdout.contains("excess lost: iam:CreateUser on *"), "{}", back.stdout);
    let markdown = scene.run(&["diff", "old.json", "new.json", "-o", "markdown"]).stdout;
    assert!(markdown.contains("#### Access that changed (1)"), "{markdown}");
}

#[test]
fn what_is_no_whole_report_is_refused_with_a_remedy() {
    let scene = Scene::with_account().file("broken.json", b"{");
    scene.run(&["scan", "gaad.json", "-o", "json=whole.json"]);
    scene.run(&["scan", "gaad.json", "-o", "json=filtered.json", "--severity", "critical"]);
    for (file, said) in [
        ("absent.json", "cannot be read"),
        ("broken.json", "is no JSON report of a scan"),
        ("filtered.json", "by --severity"),
    ] {
        let run = scene.run(&["diff", "whole.json", file]);
        assert!(run.code == 2 && run.stderr.contains(said) && run.stderr.contains("help:"), "{file}: {}", run.stderr);
    }
}

#[test]
fn a_gate_that_knows_the_old_findings_trips_on_new_ones_alone() {
    let scene = later("iam:*");
    let blind = scene.run(&[&["scan", "gaad.json"], &LOW[..]].concat());
    assert!(blind.code == 2 && blind.stderr.contains("evenhand baseline create"), "{}", blind.stderr);

    assert_eq!(scene.run(&["baseline", "create", "gaad.json"]).code, 0);
    assert_eq!(scene.run(&["baseline", "create", "gaad.json"]).code, 2, "a baseline is not written over");
    let known = ["--baseline", "evenhand-baseline.json"];
    assert_eq!(scene.run(&[&["scan", "gaad.json"], &LOW[..], &known].concat()).code, 0);
    let tripped = scene.run(&[&["scan", "later"], &LOW[..], &known].concat());
    assert!(tripped.code == 1 && tripped.stderr.contains("new finding"), "{}", tripped.stderr);
    let all = scene.run(&["scan", "gaad.json", "--fail-on", "low", "--allow-partial"]);
    assert_eq!(all.code, 1, "without --new-only the old ones count");

    assert_eq!(scene.run(&["baseline", "update", "later"]).code, 0);
    assert_eq!(scene.run(&[&["scan", "later"], &LOW[..], &known].concat()).code, 0);
    let pruned = scene.run(&["baseline", "prune", "gaad.json"]);
    assert!(pruned.stderr.contains("0 added"), "{}", pruned.stderr);
    assert_eq!(scene.run(&[&["scan", "later"], &LOW[..], &known].concat()).code, 1, "pruned means gone");

    scene.run(&["scan", "gaad.json", "-o", "json=old.json"]);
    assert_eq!(scene.run(&[&["scan", "gaad.json"], &LOW[..], &["--against", "old.json"]].concat()).code, 0);
    assert_eq!(scene.run(&[&["scan", "later"], &LOW[..], &["--against", "old.json"]].concat()).code, 1);
}
