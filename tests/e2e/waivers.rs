//! Accepted exceptions: what they cover, and what becomes of those that nobody should have accepted.

use serde_json::Value;

use crate::common::{Scene, json};

const NOW: [&str; 2] = ["--now", "2026-11-20"];

const CAPTURE: &str = r#"
apiVersion: v1
kind: ServiceAccount
metadata: {name: bot, namespace: ops, annotations: {evenhand.dev/nature: ai_agent}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: bot}
subjects: [{kind: ServiceAccount, name: bot, namespace: ops}]
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: all}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: all}
rules: [{apiGroups: ["*"], resources: ["*"], verbs: ["*"]}]
"#;

const RULE: &str = "ai-identity-administrator";
const BOT: &str = "kubernetes:prod:serviceaccount:ops/bot";

fn waiver(rule: &str, identity: &str, approver: &str, expires: &str) -> String {
    format!(
        "[[waiver]]\nrule = \"{rule}\"\nidentity = \"{identity}\"\nreason = \"leaves in spring\"\nowner = \"alice\"\n\
         approver = \"{approver}\"\nticket = \"SEC-1\"\nexpires = {expires}\n"
    )
}

fn scan(waivers: &str, more: &[&str]) -> (Value, u8, String) {
    let scene = Scene::new().file("k8s/prod/all.yaml", CAPTURE.as_bytes()).file("waivers.toml", waivers.as_bytes());
    let arguments: Vec<&str> = ["scan", "k8s", "-o", "json"].iter().chain(&NOW).chain(more).copied().collect();
    let run = scene.run(&arguments);
    (json(&run.stdout), u8::try_from(run.code).unwrap(), run.stderr)
}

fn covered(report: &Value) -> Vec<&str> {
    let findings = report["findings"].as_array().unwrap().iter();
    findings.filter(|finding| !finding["waiver"].is_null()).map(|finding| finding["rule"].as_str().unwrap()).collect()
}

fn about_waivers(report: &Value) -> Vec<&str> {
    let findings = report["findings"].as_array().unwrap().iter();
    findings.map(|finding| finding["rule"].as_str().unwrap()).filter(|rule| rule.starts_with("waiver-")).collect()
}

#[test]
fn a_waiver_in_force_lifts_the_governed_score_and_the_gate_and_nothing_else() {
    let (before, code, _) = scan("", &["--rule", RULE, "--fail-on", "critical", "--allow-partial"]);
    assert_eq!(code, 1);
    let accepted = waiver(RULE, BOT, "bao", "2027-01-31");
    let (after, code, said) = scan(&accepted, &["--rule", RULE, "--fail-on", "critical", "--allow-partial"]);
    assert_eq!(code, 0, "{said}");
    assert_eq!(covered(&after), [RULE]);
    assert!(said.contains(", 1 accepted"), "{said}");
    assert_eq!(after["score"]["raw_millionths"], before["score"]["raw_millionths"]);
    assert_eq!((before["score"]["governed"].as_u64(), after["score"]["governed"].as_u64()), (Some(199), Some(1000)));
    let finding = after["findings"].as_array().unwrap().iter().find(|finding| finding["rule"] == RULE).unwrap();
    assert_eq!((&finding["waiver"]["ticket"], &finding["waiver"]["expires"]), (&"SEC-1".into(), &"2027-01-31".into()));
    let scene = Scene::new().file("k8s/prod/all.yaml", CAPTURE.as_bytes()).file("waivers.toml", accepted.as_bytes());
    let arguments: Vec<&str> = ["scan", "k8s"].iter().chain(&NOW).copied().collect();
    let run = scene.run(&arguments);
    assert!(run.stdout.contains("Accepted exceptions (1)"), "{}", run.stdout);
    assert!(run.stdout.contains("accepted until 2027-01-31 by bao, owner alice, SEC-1"), "{}", run.stdout);
}

#[test]
fn what_nobody_should_have_accepted_covers_nothing_and_is_found() {
    for (text, found) in [
        (waiver(RULE, BOT, "bao", "2026-11-20"), &[][..]),
        (waiver(RULE, BOT, "bao", "2026-11-19"), &["waiver-expired"]),
        (waiver(RULE, BOT, "bao", "2027-05-19"), &[]),
        (waiver(RULE, BOT, "bao", "2027-05-20"), &["waiver-not-acceptable"]),
        (waiver(RULE, BOT, "Alice", "2027-01-31"), &["waiver-not-acceptable"]),
        (waiver("ai-identity-*", BOT, "bao", "2027-01-31"), &["waiver-not-acceptable"]),
        (waiver(RULE, "kubernetes:prod:serviceaccount:ops/gone", "bao", "2027-01-31"), &["waiver-unmatched"]),
    ] {
        let (report, ..) = scan(&text, &[]);
        assert_eq!(about_waivers(&report), found, "{text}");
        let in_force = found.is_empty();
        assert_eq!(covered(&report), if in_force { &[RULE][..] } else { &[] }, "{text}");
        assert_eq!(
            report["tables"]["waivers"][0]["in_force"].as_bool().unwrap(),
            in_force || found == ["waiver-unmatched"]
        );
    }
}

#[test]
fn of_several_waivers_for_one_pair_each_is_judged_and_one_is_enough() {
    let [good, long, own] = [("bao", "2027-01-31"), ("bao", "2028-01-31"), ("alice", "2027-01-31")]
        .map(|(approver, expires)| waiver(RULE, BOT, approver, expires));
    let later = waiver(RULE, BOT, "bao", "2027-02-15");
    for (waivers, found) in [
        ([&good, &long, &own], &["waiver-not-acceptable", "waiver-not-acceptable"][..]),
        ([&long, &own, &good], &["waiver-not-acceptable", "waiver-not-acceptable"]),
        ([&good, &later, &own], &["waiver-not-acceptable", "waiver-unmatched"]),
    ] {
        let text: String = waivers.into_iter().map(String::as_str).collect();
        let (report, ..) = scan(&text, &[]);
        assert_eq!(about_waivers(&report), found, "{text}");
        assert_eq!(covered(&report), [RULE], "{text}");
        // A line above them makes none of them new.
        let ids = |report: &Value| -> Vec<Value> {
            let all = report["findings"].as_array().unwrap().iter();
            all.filter(|finding| finding["rule"] != RULE).map(|finding| finding["id"].clone()).collect()
        };
        let (moved, ..) = scan(&format!("# exceptions\n{text}"), &[]);
        assert_eq!(ids(&moved), ids(&report), "{text}");
    }
}

#[test]
fn no_waiver_accepts_that_a_waiver_is_at_fault() {
    let expired = waiver(RULE, BOT, "bao", "2026-11-19");
    let of_that = waiver("waiver-expired", BOT, "bao", "2027-01-31");
    let (report, ..) = scan(&format!("{expired}{of_that}"), &[]);
    assert_eq!(about_waivers(&report), ["waiver-expired", "waiver-not-acceptable"]);
    assert!(covered(&report).is_empty());
}

#[test]
fn what_was_accepted_or_undecided_before_is_new_when_it_fails() {
    let scene = Scene::new().file("k8s/prod/all.yaml", CAPTURE.as_bytes());
    let waivers = waiver(RULE, BOT, "bao", "2027-01-31");
    let scene = scene.file("waivers.toml", waivers.as_bytes());
    let all = |more: &[&'static str]| [&["scan", "k8s", "--rule", RULE, "--allow-partial"][..], &NOW, more].concat();
    assert_eq!(scene.run(&all(&["-o", "json=accepted.json"])).code, 0);
    std::fs::remove_file(scene.path("waivers.toml")).unwrap();
    let gate = ["--against", "accepted.json", "--new-only", "--fail-on", "critical"];
    assert_eq!(scene.run(&all(&gate)).code, 1, "nobody accepts it any longer");
    assert_eq!(scene.run(&all(&["-o", "json=open.json"])).code, 0);
    let known = ["--against", "open.json", "--new-only", "--fail-on", "critical"];
    assert_eq!(scene.run(&all(&known)).code, 0);
    let undecided = scene.read("open.json").replace("\"status\": \"fail\"", "\"status\": \"unknown\"");
    let scene = scene.file("open.json", undecided.as_bytes());
    assert_eq!(scene.run(&all(&known)).code, 1, "undecided was no failure");
}

#[test]
fn a_baseline_is_not_made_of_what_could_not_be_read() {
    let scene = Scene::new().file("k8s/prod/all.yaml", CAPTURE.as_bytes());
    assert_eq!(scene.run(&["baseline", "create", "k8s"]).code, 0);
    let before = scene.read("evenhand-baseline.json");
    let scene = scene.file("k8s/prod/broken.yaml", b"apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: [}\n");
    let run = scene.run(&["baseline", "prune", "k8s"]);
    assert!(run.code == 4 && run.stderr.contains("stays as it is"), "{} {}", run.code, run.stderr);
    assert_eq!(scene.read("evenhand-baseline.json"), before);
    std::fs::remove_file(scene.path("k8s/prod/broken.yaml")).unwrap();
    let narrow = scene.run(&["baseline", "prune", "k8s", "--rule", "no-owner"]);
    assert!(narrow.stderr.contains("0 taken out"), "{}", narrow.stderr);
}

#[test]
fn a_waiver_of_a_rule_that_was_left_out_is_not_called_unmatched() {
    let accepted = waiver(RULE, BOT, "bao", "2027-01-31");
    let (report, ..) = scan(&accepted, &["--skip", RULE]);
    let unmatched = |finding: &&Value| finding["rule"] == "waiver-unmatched";
    let finding = report["findings"].as_array().unwrap().iter().find(unmatched).unwrap();
    assert_eq!(finding["status"], "unknown");
    assert_eq!(report["tables"]["waivers"][0]["findings"], Value::Null);
}

#[test]
fn a_waiver_of_a_misspelt_rule_is_an_error_that_knows_the_nearest() {
    let text = waiver("ai-identity-adminstrator", BOT, "bao", "2027-01-31");
    let scene = Scene::new().file("k8s/prod/all.yaml", CAPTURE.as_bytes()).file("waivers.toml", text.as_bytes());
    let run = scene.run(&["scan", "k8s"]);
    assert_eq!(run.code, 2);
    for said in ["waivers.toml:1", "`ai-identity-adminstrator`", "did you mean `ai-identity-administrator`?"] {
        assert!(run.stderr.contains(said), "{said}: {}", run.stderr);
    }
}

#[test]
fn waivers_are_found_where_a_configuration_would_be_without_one() {
    let accepted = waiver(RULE, BOT, "bao", "2027-01-31");
    let broken = accepted.replace("ticket", "tikcet");
    let gate = ["--rule", RULE, "--fail-on", "critical", "--allow-partial"];
    let run = |scene: &Scene, more: &[&str]| {
        let sources = ["scan", "k8s", "-o", "csv:gaps"];
        scene.run(&sources.iter().chain(&NOW).chain(&gate).chain(more).copied().collect::<Vec<_>>())
    };
    let scene = || Scene::new().file("k8s/prod/all.yaml", CAPTURE.as_bytes());
    assert_eq!(run(&scene(), &[]).code, 1);
    for place in ["waivers.toml", "k8s/waivers.toml"] {
        let held = scene().file(place, accepted.as_bytes());
        assert_eq!(run(&held, &[]).code, 0, "{place}");
        assert_eq!(run(&held, &["--no-config"]).code, 1, "{place}");
        let wrong = run(&scene().file(place, broken.as_bytes()), &[]);
        assert_eq!(wrong.code, 2, "{place}: {}", wrong.stderr);
        assert!(wrong.stderr.contains(&format!("{place}:7")), "{place}: {}", wrong.stderr);
        // Beside a configuration that brings none of its own, too.
        let with_configuration = scene().file(place, accepted.as_bytes()).file("evenhand.toml", b"");
        assert_eq!(run(&with_configuration, &[]).code, 0, "{place}");
    }
    let above = scene().file("waivers.toml", accepted.as_bytes()).file("below/notes.txt", b"");
    let arguments = [&["scan", "../k8s", "-o", "csv:gaps"][..], &NOW, &gate].concat();
    let output = above.command().current_dir(above.path("below")).args(arguments).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_configuration_that_is_named_brings_its_own_waivers_or_none() {
    let accepted = waiver(RULE, BOT, "bao", "2027-01-31");
    let scene =
        Scene::new().file("k8s/prod/all.yaml", CAPTURE.as_bytes()).file("k8s/waivers.toml", accepted.as_bytes());
    let scene = scene.file("ci/evenhand.toml", b"");
    let gate = ["--config", "ci/evenhand.toml", "--rule", RULE, "--fail-on", "critical", "--allow-partial"];
    let arguments = [&["scan", "k8s", "-o", "json"][..], &NOW, &gate].concat();
    let run = scene.run(&arguments);
    assert_eq!(run.code, 1, "{}", run.stderr);
    assert!(run.stdout.contains("waivers of evenhand that this scan does not use"), "{}", run.stdout);
    let scene = scene.file("ci/waivers.toml", accepted.as_bytes());
    assert_eq!(scene.run(&arguments).code, 0);
}

#[test]
fn of_waivers_in_two_sources_neither_speaks_for_both() {
    let accepted = waiver(RULE, BOT, "bao", "2027-01-31");
    let scene =
        Scene::new().file("k8s/prod/all.yaml", CAPTURE.as_bytes()).file("k8s/waivers.toml", accepted.as_bytes());
    let run = scene.file("more/waivers.toml", accepted.as_bytes()).run(&["scan", "k8s", "more"]);
    assert!(run.code == 2 && run.stderr.contains("several sources hold waivers"), "{}", run.stderr);
    assert!(run.stderr.contains("k8s/waivers.toml") && run.stderr.contains("help:"), "{}", run.stderr);
}
