//! A scan beside an earlier one: what changed, what is new, and what a gate says of that.

use serde_json::Value;

use crate::common::{Scene, account, json};
use crate::fix::acme;

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
    let scans = [("gaad.json", "old.json", "2026-11-01T00:00:00Z"), ("later", "new.json", "2026-11-01T00:00:01Z")];
    for (source, file, now) in scans {
        let run = scene.run(&["scan", source, "--now", now, "-o", &format!("json={file}")]);
        assert_eq!(run.code, 0, "{}", run.stderr);
    }
    let same = scene.run(&["diff", "old.json", "old.json"]);
    assert!(same.code == 0 && same.stdout.contains("nothing changed"), "{}", same.stdout);
    let told: Value = json(&scene.run(&["diff", "old.json", "new.json", "-o", "json"]).stdout);
    let agent = "arn:aws:iam::111122223333:role/incident-agent";
    let access = told["access"].as_array().unwrap().iter().find(|change| change["id"] == agent).unwrap();
    assert_eq!(access["gained"], serde_json::json!(["iam:CreateUser on *"]));
    assert_eq!(access["lost"], serde_json::json!([]));
    assert_eq!(access["access_gained"], serde_json::json!(["iam:CreateUser on *"]));
    assert_eq!((&access["access_changed"], &access["access_lost"]), (&Value::Bool(true), &serde_json::json!([])));
    let back = scene.run(&["diff", "new.json", "old.json"]);
    assert!(back.stderr.contains("the first scan is later than the second"), "{}", back.stderr);
    assert!(!same.stderr.contains("later than"), "{}", same.stderr);
    assert!(back.stdout.contains("\n      lost: iam:CreateUser on *"), "{}", back.stdout);
    assert!(back.stdout.contains("excess lost: iam:CreateUser on *"), "{}", back.stdout);
    let markdown = scene.run(&["diff", "old.json", "new.json", "-o", "markdown"]).stdout;
    assert!(markdown.contains("#### Access that changed (1)"), "{markdown}");
}

#[test]
fn a_diff_with_a_report_of_a_version_that_did_not_write_access_says_what_it_did_not_compare() {
    let scene = Scene::with_account();
    scene.run(&["scan", "gaad.json", "-o", "json=new.json"]);
    let mut old = json(&scene.read("new.json"));
    for identity in old["tables"]["identities"].as_array_mut().unwrap() {
        identity.as_object_mut().unwrap().retain(|member, _| !member.starts_with("access_"));
    }
    let scene = scene.file("old.json", old.to_string().as_bytes());
    let told = scene.run(&["diff", "old.json", "new.json"]);
    assert!(told.stdout.contains(" may do was not compared: one of the reports is of a version"), "{}", told.stdout);
    assert!(told.stdout.contains("nothing else changed"), "{}", told.stdout);
}

#[test]
fn what_is_no_whole_report_is_refused_with_a_remedy() {
    let scene = Scene::with_account().file("broken.json", b"{").file("store/scans/a.parquet", b"");
    scene.run(&["scan", "gaad.json", "-o", "json=whole.json"]);
    scene.run(&["scan", "gaad.json", "-o", "json=filtered.json", "--severity", "critical"]);
    for (file, said) in [
        ("absent.json", "cannot be read"),
        ("broken.json", "is no JSON report of a scan"),
        ("store", "is a folder"),
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
    assert_eq!(
        scene.run(&[&["scan", "gaad.json"], &LOW[..]].concat()).code,
        0,
        "found where `baseline create` puts it"
    );
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

#[test]
fn pruning_keeps_what_the_scan_did_not_read_and_says_how_much() {
    let other = account().replace("111122223333", "444455556666").replace("AROAEXAMPLE0", "AROAEXAMPLE1");
    let scene = Scene::with_account().file("other.json", other.as_bytes());
    let held = |scope: &str| {
        let findings = json(&scene.read("evenhand-baseline.json"))["findings"].clone();
        findings.as_object().unwrap().values().filter(|seen| seen["scope"] == scope).count()
    };
    assert_eq!(scene.run(&["baseline", "create", "gaad.json", "other.json"]).code, 0);
    let before = (held("111122223333"), held("444455556666"));
    assert!(before.0 > 0 && before.1 > 0, "{before:?}");
    for verb in ["prune", "update"] {
        let run = scene.run(&["baseline", verb, "gaad.json"]);
        let said = format!("{} of the kept ones rest on what this scan did not read", before.1);
        assert!(run.code == 0 && run.stderr.contains(" 0 taken out") && run.stderr.contains(&said), "{}", run.stderr);
        assert_eq!((held("111122223333"), held("444455556666")), before, "{verb}");
    }
    let whole = scene.run(&["baseline", "prune", "gaad.json", "other.json"]);
    assert!(!whole.stderr.contains("did not read"), "{}", whole.stderr);
}

#[test]
fn pruning_by_a_part_of_an_account_keeps_what_rests_on_the_rest_of_it() {
    let scene = acme();
    let held = || -> Vec<String> {
        let findings = json(&scene.read("evenhand-baseline.json"))["findings"].clone();
        let rules = ["rotation-overdue", "static-key-where-federation-works", "agent-activity-not-recorded"];
        let of =
            findings.as_object().unwrap().iter().filter(|(_, seen)| rules.iter().any(|rule| seen["rule"] == *rule));
        of.filter(|(_, seen)| seen["scope"] == "222222222222").map(|(id, _)| id.clone()).collect()
    };
    let config = ["--config", "acme/evenhand.toml"];
    assert_eq!(scene.run(&[&["baseline", "create", "acme"][..], &config].concat()).code, 0);
    let before = held();
    assert!(before.len() > 3, "{before:?}");
    let part = "acme/aws/222222222222/account-authorization-details.json";
    for verb in ["prune", "update"] {
        let run = scene.run(&[&["baseline", verb, part][..], &config].concat());
        assert!(run.code == 0 && run.stderr.contains("rest on what this scan did not read"), "{}", run.stderr);
        let after = held();
        assert!(before.iter().all(|id| after.contains(id)), "{verb}: {before:?} {after:?}");
    }
}

#[test]
#[cfg(feature = "live")]
fn a_word_that_a_scan_asks_a_provider_by_is_no_folder_of_a_baseline() {
    let scene = Scene::new().file("aws/gaad.json", account().as_bytes());
    let run = scene.run(&["baseline", "create", "aws"]);
    assert!(run.code == 2 && run.stderr.contains("write `./aws` for the folder"), "{}", run.stderr);
    assert_eq!(scene.run(&["baseline", "create", "./aws"]).code, 0);
}

#[test]
fn what_is_new_is_told_apart_from_what_was_there() {
    let scene = later("iam:*");
    let made = scene.run(&["baseline", "create", "gaad.json"]);
    assert!(made.stderr.contains("`evenhand-baseline.json` holds "), "{}", made.stderr);
    let held = made.stderr.split(" holds ").nth(1).unwrap();
    let failing = held.split(" finding").next().unwrap();
    assert!(held.contains(" undecided: "), "{}", made.stderr);
    let plain = scene.run(&["scan", "gaad.json", "-o", "csv:gaps"]);
    assert!(plain.stderr.contains(&format!(", {failing} finding")), "{}", plain.stderr);
    assert!(!plain.stderr.contains(" new, "), "nothing was held against anything: {}", plain.stderr);
    let same = scene.run(&[&["scan", "gaad.json", "-o", "csv:gaps"], &LOW[..]].concat());
    assert!(same.stderr.contains(&format!(" (0 new, {failing} known), ")), "{}", same.stderr);
    let more = scene.run(&[&["scan", "later", "-o", "csv:gaps"], &LOW[..]].concat());
    assert!(more.stderr.contains(" new, ") && !more.stderr.contains("(0 new, "), "{}", more.stderr);
}

#[test]
fn a_store_keeps_scans_once_each_and_history_tells_the_trend() {
    let scene = later("iam:*");
    let empty = scene.run(&["history", "posture"]);
    assert!(
        empty.code == 2 && empty.stderr.contains("holds no scan") && empty.stderr.contains("--save"),
        "{}",
        empty.stderr
    );
    for (source, day) in [("gaad.json", "2026-11-01"), ("later", "2026-11-08"), ("later", "2026-11-08")] {
        let run =
            scene.run(&["scan", source, "--now", day, "--save", "posture", "--severity", "critical", "-o", "csv:gaps"]);
        assert_eq!(run.code, 0, "{}", run.stderr);
    }
    let scans = json(&scene.run(&["history", "posture", "-o", "json"]).stdout);
    let [first, second] = scans.as_array().unwrap().as_slice() else { panic!("saved again is saved once: {scans}") };
    assert!(first["excess_operations"].as_i64() < second["excess_operations"].as_i64(), "{scans}");
    assert!(first["governed"].as_i64() >= second["governed"].as_i64(), "{scans}");
    for scan in [first, second] {
        assert!(scan["time"].as_str().unwrap().ends_with("T00:00:00Z"), "{scan}");
        assert!(scan["raw"].is_number() && scan["findings"]["critical"].is_number(), "{scan}");
    }
    let page = scene.run(&["history", "posture", "-o", "markdown"]).stdout;
    assert!(page.contains("| Identities | AI compared | Excess |"), "{page}");
    assert!(page.contains("| Scan | Raw | Governed | Critical |") && page.contains("\n| 2026-11-08T00"), "{page}");
    let moments = ["--sql", "SELECT scan_time, '|' AS bar FROM scans ORDER BY scan_time LIMIT 1"];
    let asked = scene.run(&[&["history", "posture", "-o", "markdown"][..], &moments].concat()).stdout;
    assert!(asked.ends_with("| 2026-11-01T00&#58;00&#58;00Z | \\| |\n"), "{asked}");
    let table = scene.run(&["history", "posture"]).stdout;
    assert!(table.starts_with("posture ") && table.contains("2026-11-08"), "{table}");

    // The store holds all findings, whatever the report left out.
    let query =
        "SELECT severity, COUNT(*) AS many FROM findings WHERE status = 'fail' GROUP BY severity ORDER BY severity";
    let counted = json(&scene.run(&["history", "posture", "--sql", query, "-o", "json"]).stdout);
    assert!(counted.as_array().unwrap().iter().any(|row| row["severity"] == "medium"), "{counted}");
    // The query that the help shows tells what the trend does.
    let help = scene.run(&["history", "--help"]).stdout;
    let (_, shown) = help.split_once("--sql \"").unwrap();
    let shown: Vec<&str> = shown.split('"').next().unwrap().split_whitespace().collect();
    let counted = json(&scene.run(&["history", "posture", "--sql", &shown.join(" "), "-o", "json"]).stdout);
    let told: Vec<_> = scans.as_array().unwrap().iter().map(|scan| &scan["findings"]["critical"]).collect();
    assert_eq!(counted.as_array().unwrap().iter().map(|row| &row["findings"]).collect::<Vec<_>>(), told);
    let joined = "SELECT i.name, f.rule FROM findings f JOIN identities i ON f.identity = i.id AND f.scan_id = i.scan_id \
                  WHERE f.severity = 'critical' ORDER BY f.rule";
    let run = scene.run(&["history", "posture", "--sql", joined, "-o", "csv"]);
    assert!(run.stdout.starts_with("name,rule\nincident-agent,"), "{} {}", run.stdout, run.stderr);
    let numbers = json(
        &scene
            .run(&[
                "history",
                "posture",
                "--sql",
                "SELECT COUNT(*) AS many, 1234567.5 AS part FROM scans",
                "-o",
                "json",
            ])
            .stdout,
    );
    assert_eq!(numbers, serde_json::json!([{"many": 2, "part": 1234567.5}]));
    let wrong = scene.run(&["history", "posture", "--sql", "SELECT nothing FROM nowhere"]);
    assert!(wrong.code == 2 && wrong.stderr.contains("nowhere"), "{}", wrong.stderr);

    // Half a scan is none: without its row among the scans, nothing of it counts.
    let day = scene.path("posture/scans/scan_date=2026-11-08");
    std::fs::remove_dir_all(day).unwrap();
    let left = "SELECT COUNT(DISTINCT scan_id) AS scans FROM findings";
    let run = scene.run(&["history", "posture", "--sql", left, "-o", "csv"]);
    assert_eq!(run.stdout, "scans\n1\n", "{}", run.stderr);
}

#[test]
fn a_report_is_gated_as_the_scan_that_wrote_it_would_be() {
    let scene = Scene::with_account().file("evenhand.toml", b"[gate]\nmin_score = 1000\n");
    assert_eq!(scene.run(&["scan", "gaad.json", "--no-config", "-o", "json=all.json"]).code, 0);
    let said = |run: &crate::common::Run| -> (i32, Vec<String>) {
        (run.code, run.stderr.lines().filter(|line| !line.contains("read, ")).map(str::to_owned).collect())
    };
    for flags in [
        &["--fail-on", "critical"][..],
        &["--fail-on", "low", "--evidence", "strict"],
        &["--min-score", "1"],
        &["--min-score", "1", "--evidence", "strict"],
        &["--min-score", "999"],
        &["--max-excess", "0"],
        &["--max-excess", "9999"],
        &["--min-coverage", "100"],
        &["--max-drop", "0", "--against", "all.json"],
        &["--fail-on", "low", "--new-only", "--against", "all.json"],
        &["--min-score", "999", "--exit-zero"],
    ] {
        let scanned = scene.run(&[&["scan", "gaad.json", "--no-config", "-o", "csv:gaps"][..], flags].concat());
        let again = scene.run(&[&["report", "all.json", "--no-config", "-o", "csv:gaps"][..], flags].concat());
        assert_eq!(said(&again), said(&scanned), "{flags:?}");
    }
    assert_eq!(scene.run(&["report", "all.json", "-o", "csv:gaps"]).code, 0, "a scan's gate is no gate of a report");
    let beside = scene.run(&["report", "all.json", "-o", "csv:gaps", "--max-excess", "9999"]);
    assert!(beside.code == 1 && beside.stderr.contains("min_score = 1000 (evenhand.toml:2)"), "{}", beside.stderr);
    let filtered = scene.run(&["report", "all.json", "-o", "csv:gaps", "--severity", "critical", "--fail-on", "low"]);
    assert_eq!(filtered.code, 1, "the gate sees what the filter leaves out");
    scene.run(&["scan", "gaad.json", "--no-config", "--severity", "critical", "-o", "json=part.json"]);
    let part = scene.run(&["report", "part.json", "--fail-on", "low"]);
    assert!(part.code == 2 && part.stderr.contains("a gate needs all findings"), "{}", part.stderr);
}

#[test]
fn a_condition_that_can_change_nothing_is_refused_or_told() {
    let scene = Scene::with_account();
    assert_eq!(scene.run(&["baseline", "create", "gaad.json"]).code, 0);
    assert_eq!(scene.run(&["scan", "gaad.json", "-o", "json=old.json"]).code, 0);
    let against = ["--fail-on", "low", "--against", "old.json"];
    for (flags, code, told) in [
        (
            &["--baseline", "none.json", "--fail-on", "critical"][..],
            2,
            "`--baseline` changes nothing without --new-only",
        ),
        (&["--new-only"], 2, "`--new-only` changes nothing without --fail-on"),
        (&["-q", "--evidence", "strict"], 0, "no gate is asked for that could fail"),
        (&against, 1, "`--fail-on` does not look at `--against` without --new-only"),
    ] {
        let run = scene.run(&[&["scan", "gaad.json", "-o", "csv:gaps"][..], flags].concat());
        assert!(run.code == code && run.stderr.contains(told) && run.stderr.contains("help:"), "{}", run.stderr);
    }
    for more in [&["--new-only", "--allow-partial"][..], &["--max-drop", "0"]] {
        let run = scene.run(&[&["scan", "gaad.json", "-o", "csv:gaps"][..], &against, more].concat());
        assert!(!run.stderr.contains("does not look at"), "{more:?}: {}", run.stderr);
    }
}

#[test]
fn a_finding_that_became_worse_is_new() {
    let scene = Scene::with_account();
    let gate = ["--against", "old.json", "--new-only", "--fail-on", "high", "--allow-partial"];
    assert_eq!(scene.run(&["scan", "gaad.json", "-o", "json=old.json"]).code, 0);
    assert_eq!(scene.run(&[&["scan", "gaad.json"][..], &gate].concat()).code, 0);
    let milder = scene.read("old.json").replace("\"severity\": \"critical\"", "\"severity\": \"medium\"");
    let scene = scene.file("old.json", milder.as_bytes());
    let run = scene.run(&[&["scan", "gaad.json"][..], &gate].concat());
    assert!(run.code == 1 && run.stderr.contains("new finding"), "{}", run.stderr);
    let stricter = scene.read("old.json").replace("\"severity\": \"medium\"", "\"severity\": \"critical\"");
    let scene = scene.file("old.json", stricter.as_bytes());
    assert_eq!(scene.run(&[&["scan", "gaad.json"][..], &gate].concat()).code, 0, "what became milder is known");
}

#[test]
fn an_earlier_report_of_other_rules_or_another_version_is_told() {
    let scene = Scene::with_account();
    assert_eq!(scene.run(&["scan", "gaad.json", "--rule", "no-owner", "-o", "json=few.json"]).code, 0);
    assert_eq!(scene.run(&["scan", "gaad.json", "-o", "json=all.json"]).code, 0);
    let said = |file: &str| scene.run(&["scan", "gaad.json", "--against", file, "-o", "csv:gaps"]).stderr;
    assert!(said("few.json").contains("with other rules"), "{}", said("few.json"));
    assert!(!said("all.json").contains("other rules"), "{}", said("all.json"));
    let diff = scene.run(&["diff", "few.json", "all.json"]);
    assert!(diff.code == 0 && diff.stderr.contains("evaluated different rules"), "{}", diff.stderr);
    let version = format!("\"version\": \"{}\"", env!("CARGO_PKG_VERSION"));
    let older = scene.read("all.json").replacen(&version, "\"version\": \"0.0.1\"", 1);
    let scene = scene.file("older.json", older.as_bytes());
    let run = scene.run(&["scan", "gaad.json", "--against", "older.json", "-o", "csv:gaps"]);
    assert!(run.stderr.contains("another version"), "{}", run.stderr);
}

#[test]
fn a_store_of_a_later_form_and_one_that_lost_its_findings_are_refused() {
    let scene = Scene::with_account();
    assert_eq!(scene.run(&["scan", "gaad.json", "--save", "posture", "-o", "csv:gaps"]).code, 0);
    let count = ["history", "posture", "--sql", "SELECT COUNT(*) AS many FROM findings"];
    assert_eq!(scene.run(&count).code, 0);
    let file = walkdir::WalkDir::new(scene.path("posture/findings")).into_iter().map(Result::unwrap);
    let file = file.filter(|file| file.file_type().is_file()).map(|file| file.into_path()).next().unwrap();
    let bytes = std::fs::read(&file).unwrap();
    let key = b"evenhand.store";
    let at = bytes.windows(key.len()).position(|window| window == key).unwrap() + key.len();
    let version = at + bytes[at..].windows(2).position(|window| window == b"v1").unwrap();
    let mut later = bytes.clone();
    later[version + 1] = b'9';
    std::fs::write(&file, &later).unwrap();
    let run = scene.run(&count);
    assert!(
        run.code == 2 && run.stderr.contains("of the form `v9`") && run.stderr.contains("later one"),
        "{}",
        run.stderr
    );
    std::fs::remove_dir_all(scene.path("posture/findings")).unwrap();
    let run = scene.run(&count);
    assert!(run.code == 2 && run.stderr.contains("findings of scan"), "{} {}", run.stdout, run.stderr);
    let elsewhere = scene.run(&["history", "gs://posture"]);
    assert!(elsewhere.code == 2 && elsewhere.stderr.contains("gs://"), "{}", elsewhere.stderr);
}
