//! What people read: errors that name cause and remedy, names that fit several, undecided checks, narrow terminals.

use crate::common::{CLUSTER, Run, Scene, account, json};

/// A command in a terminal of a width.
fn run_at(scene: &Scene, width: usize, arguments: &[&str]) -> Run {
    let output = scene.command().env("COLUMNS", width.to_string()).args(arguments).output().unwrap();
    Run {
        code: output.status.code().unwrap(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

#[test]
fn an_undecided_check_says_what_is_missing_and_how_to_get_it() {
    let scene = Scene::with_account();
    let report = json(&scene.run(&["scan", "gaad.json", "-o", "json"]).stdout);
    let findings = report["findings"].as_array().unwrap();
    let open: Vec<_> = findings.iter().filter(|finding| finding["status"] == "unknown").collect();
    assert!(!open.is_empty());
    for finding in &open {
        let missing = finding["missing"].as_array().unwrap();
        let (title, remedy) = (finding["title"].as_str().unwrap(), finding["remedy"].as_str().unwrap());
        assert!(!missing.is_empty() && remedy.starts_with("To know it"), "{finding}");
        for fact in missing {
            assert!(title.contains(fact["what"].as_str().unwrap()), "{finding}");
        }
    }
    for finding in findings.iter().filter(|finding| finding["status"] == "fail") {
        assert_eq!(finding["missing"], json("[]"), "{finding}");
    }
    let of = |rule: &str| open.iter().find(|finding| finding["rule"] == rule).unwrap();
    // The gap that is the cause names its call.
    let unlogged = of("agent-acts-unlogged");
    assert_eq!(unlogged["missing"][0]["column"], "logged");
    assert!(unlogged["remedy"].as_str().unwrap().contains("aws cloudtrail describe-trails"), "{unlogged}");
    let unregistered = of("ai-identity-not-registered");
    assert_eq!(unregistered["missing"][0]["because"], "there is no register, or it was not read");
    assert!(unregistered["remedy"].as_str().unwrap().contains("[register]"), "{unregistered}");

    let table = scene.run(&["scan", "gaad.json", "--all"]).stdout;
    let section = table.split("Not decided, for lack of evidence").nth(1).unwrap_or_default();
    for part in
        ["agent-acts-unlogged", "not known: whether its scope has an audit log", "aws cloudtrail describe-trails"]
    {
        assert!(section.contains(part), "{part}: {table}");
    }
    let explained = scene.run(&["explain", unlogged["id"].as_str().unwrap(), "--from", "gaad.json"]).stdout;
    assert!(explained.contains("not known") && explained.contains("(logged)"), "{explained}");
}

#[test]
fn what_to_fix_first_is_told_by_identity() {
    let scene = Scene::with_account();
    let table = scene.run(&["scan", "gaad.json"]).stdout;
    let section = table.split("Fix first").nth(1).and_then(|rest| rest.split("Findings, worst first").next());
    let section = section.unwrap_or_default();
    assert!(section.contains("incident-agent (111122223333): ") && section.contains("fix: "), "{table}");
    let first = section.lines().nth(1).unwrap_or_default();
    assert!(first.contains("critical"), "{section}");
}

#[test]
fn the_report_of_a_scan_that_found_nobody_ends_as_the_scan_did() {
    let scene = Scene::new().file("in/a.json", b"{\"foo\": 1}");
    assert_eq!(scene.run(&["scan", "in", "-o", "json=r.json"]).code, 3);
    let run = scene.run(&["report", "r.json"]);
    assert!(run.code == 3 && run.stderr.contains("no identity was found in the scan of `r.json`"), "{}", run.stderr);
    assert!(run.stdout.contains("0 identities in 0 documents"), "{}", run.stdout);
    let allowed = scene.run(&["report", "r.json", "--allow-empty", "-o", "markdown"]);
    assert_eq!(allowed.code, 0, "{}", allowed.stderr);
    let said = "1 file was not recognised, and nothing else is known to be missing";
    assert!(allowed.stdout.contains(said), "{}", allowed.stdout);
}

#[test]
fn a_cut_export_is_told_in_the_first_lines_and_its_score_is_not_perfect() {
    let export = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("examples/acme/aws/111111111111/account-authorization-details.json");
    let whole = std::fs::read(export).unwrap();
    let scene = Scene::new().file("gaad.json", &whole[..whole.len() / 2]);
    let forms = ["-o", "table", "-o", "json=r.json", "-o", "markdown=r.md", "-o", "html=r.html"];
    let run = scene.run(&[&["scan", "gaad.json"][..], &forms].concat());
    let incomplete = "1 document is damaged or not understood; 1 part of the input could not be read";
    let first: Vec<&str> = run.stdout.split_whitespace().take(60).collect();
    for (form, text) in [("table", first.join(" ")), ("markdown", scene.read("r.md")), ("html", scene.read("r.html"))] {
        assert!(text.contains(incomplete), "{form}: {text}");
        assert!(text.contains("not known: nothing is open in what was read"), "{form}: {text}");
        assert!(!text.contains("1000 of 1000"), "{form}: {text}");
    }
    let score = &json(&scene.read("r.json"))["score"];
    assert_eq!((&score["known"], &score["complete"]), (&json("false"), &json("false")), "{score}");
    for name in ["raw", "governed", "raw_millionths", "governed_millionths"] {
        assert!(score[name].is_null(), "{score}");
    }
    for (format, said) in [("junit", r#"name="score_known" value="false""#), ("oscal", r#""score-known""#)] {
        // From the JSON report as from the scan.
        for run in [scene.run(&["scan", "gaad.json", "-o", format]), scene.run(&["report", "r.json", "-o", format])] {
            assert!(run.stdout.contains(said) && !run.stdout.contains("raw_score"), "{format}: {}", run.stdout);
            assert!(!run.stdout.contains("raw-score"), "{format}: {}", run.stdout);
        }
    }
    // Nor do a comparison with it and the trend call it perfect.
    let scene = scene.file("whole.json", &whole);
    scene.run(&["scan", "whole.json", "-o", "json=w.json"]);
    let diff = scene.run(&["diff", "w.json", "r.json"]).stdout;
    assert!(diff.contains(" → not known, raw and governed"), "{diff}");
    let told = json(&scene.run(&["diff", "w.json", "r.json", "-o", "json"]).stdout);
    assert!(told["new"]["raw"].is_null() && told["old"]["raw"].is_number(), "{told}");
    scene.run(&["scan", "gaad.json", "--save", "posture", "-o", "csv:gaps"]);
    let trend = scene.run(&["history", "posture"]).stdout;
    assert!(trend.contains("? of 1000 raw, ? governed"), "{trend}");
}

#[test]
fn a_gate_names_what_keeps_the_score_down() {
    let scene = Scene::with_account();
    let run = scene.run(&["scan", "gaad.json", "-q", "-o", "json=r.json", "--min-score", "700"]);
    assert_eq!(run.code, 1);
    let report = json(&scene.read("r.json"));
    let critical = |finding: &&serde_json::Value| finding["severity"] == "critical" && finding["status"] == "fail";
    let rule =
        report["findings"].as_array().unwrap().iter().find(critical).unwrap()["rule"].as_str().unwrap().to_owned();
    assert!(run.stderr.contains("no more than 399 while anything critical is open"), "{}", run.stderr);
    assert!(run.stderr.contains(&rule), "{rule}: {}", run.stderr);
}

#[test]
fn without_an_ai_identity_a_score_is_no_pass_and_candidates_are_named() {
    let named = CLUSTER.replace("name: triage", "name: triage-agent");
    let scene = Scene::new().file("cluster.yaml", named.as_bytes());
    let plain = scene.run(&["scan", "cluster.yaml"]);
    assert_eq!(plain.code, 0, "{}", plain.stderr);
    for part in
        ["no AI identity was recognised", "May be AI agents, by weak signs only (1)", "ops/triage-agent", "[[job]]"]
    {
        assert!(plain.stdout.contains(part), "{part}: {}", plain.stdout);
    }
    let report = json(&scene.run(&["scan", "cluster.yaml", "-o", "json"]).stdout);
    assert_eq!(report["possible_agents"].as_array().unwrap().len(), 1);
    for (flags, code) in [
        (&["--min-score", "1"][..], 4),
        (&["--max-excess", "5"], 4),
        (&["--min-score", "1", "--exit-zero"], 4),
        (&["--min-score", "1", "--allow-partial"], 0),
        (&["--fail-on", "critical"], 0),
    ] {
        let run = scene.run(&[&["scan", "cluster.yaml", "-q"], flags].concat());
        assert_eq!(run.code, code, "{flags:?}: {}", run.stderr);
        assert!(run.stderr.contains("no AI identity was recognised, though 1 identity may be one"), "{}", run.stderr);
    }
    // Who settles it is not asked again.
    let settled = scene.file("evenhand.toml", b"[register]\nagents = [\"*triage-agent\"]\n");
    let report = json(&settled.run(&["scan", "cluster.yaml", "-o", "json"]).stdout);
    assert_eq!(report["possible_agents"], json("[]"));
}

#[test]
fn a_name_that_fits_several_lists_them_and_one_that_fits_none_what_is_alike() {
    let both = account().replace("incident-agent", "triage");
    let scene = Scene::new().file("gaad.json", both.as_bytes()).file("cluster.yaml", CLUSTER.as_bytes());
    for verb in [&["explain", "triage"][..], &["compare", "triage"], &["can", "triage", "s3:GetObject"]] {
        let run = scene.run(&[verb, &["--from", "."]].concat());
        assert_eq!((run.code, run.stdout.as_str()), (2, ""), "{verb:?}");
        let lines: Vec<&str> = run.stderr.lines().collect();
        assert!(lines.iter().any(|line| line.ends_with("`triage` fits 2 identities:")), "{}", run.stderr);
        for id in ["  arn:aws:iam::111122223333:role/triage", "serviceaccount:ops/triage"] {
            assert!(lines.iter().any(|line| line.ends_with(id)), "{id}: {}", run.stderr);
        }
        assert!(run.stderr.contains("help: name one by its id"), "{}", run.stderr);
    }
    // A folder behind the operation is no part of it, and nothing is read for it.
    for verb in ["can", "explain"] {
        let run = scene.run(&[verb, "role/triage", "s3:GetObject", "elsewhere"]);
        assert_eq!((run.code, run.stdout.as_str()), (2, ""), "{verb}");
        assert!(run.stderr.contains("`elsewhere` stands behind the operation, which is the one word `s3:GetObject`"));
        assert!(run.stderr.contains("--from"), "{}", run.stderr);
    }
    for longer in ["role/triage", "ops/triage"] {
        assert_eq!(scene.run(&["explain", longer, "--from", "."]).code, 0, "{longer}");
    }

    let finding =
        json(&scene.run(&["scan", ".", "-o", "json"]).stdout)["findings"][0]["id"].as_str().unwrap().to_owned();
    for (asked, said) in [
        ("excess-over-human", "rule excess-over-human-role"),
        ("triag-e", "identity arn:aws:iam::111122223333:role/triage"),
        (&finding[..4], "finding "),
    ] {
        let run = scene.run(&["explain", asked, "--from", "."]);
        assert!(run.code == 2 && run.stderr.contains(said), "{asked}: {}", run.stderr);
    }
}

#[test]
fn a_quiet_run_names_the_source_that_fails_its_cause_and_a_remedy() {
    let scene = Scene::new()
        .file("empty.json", b"")
        .file("tabs.yaml", b"apiVersion: v1\nkind: Pod\nmetadata:\n\tname: x\n")
        .file("other.json", b"{\"a\":1}")
        .file("broken.yaml", b"a: b\n  c: [d\n");
    for (file, said) in [
        ("empty.json", "empty.json: it is empty"),
        ("missing.json", "missing.json: there is no such file or folder"),
        ("tabs.yaml", "tabs.yaml:4:2: this is no YAML: the line is indented with a tab"),
        ("other.json", "other.json: JSON, but no provider knows its keys"),
        ("broken.yaml", "it is not valid YAML"),
    ] {
        let run = scene.run(&["scan", file, "-q"]);
        assert_eq!(run.code, 3, "{file}");
        assert!(run.stderr.contains(said) && run.stderr.contains("help: "), "{file}: {}", run.stderr);
    }
}

#[cfg(unix)]
#[test]
fn a_file_that_may_not_be_read_is_named_with_the_cause() {
    use std::os::unix::fs::PermissionsExt;
    let scene = Scene::with_account();
    let path = scene.path("gaad.json");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o000)).unwrap();
    if std::fs::read(&path).is_ok() {
        println!("this user may read everything");
        return;
    }
    let run = scene.run(&["scan", "gaad.json", "-q"]);
    assert!(run.stderr.contains("gaad.json: this user may not read it"), "{}", run.stderr);
}

#[test]
fn a_question_without_sources_says_what_it_was_answered_from() {
    let scene = Scene::with_account();
    for verb in [
        &["explain", "incident-agent"][..],
        &["compare", "incident-agent"],
        &["can", "incident-agent", "s3:DeleteBucket"],
    ] {
        let said = "no --from is given: this folder, the agent files of the project around it and those of your home folder were read \
                    (1 document)";
        let run = scene.run(verb);
        assert!(run.stderr.contains(said), "{verb:?}: {}", run.stderr);
        assert_eq!(scene.run(&[verb, &["-q"]].concat()).stderr, "", "{verb:?}");
        assert_eq!(scene.run(&[verb, &["--from", "gaad.json"]].concat()).stderr, "", "{verb:?}");
    }
}

#[test]
fn no_line_is_wider_than_the_terminal_and_no_name_is_cut_inside_a_word() {
    let scene = Scene::with_account()
        .file("cluster.yaml", CLUSTER.as_bytes())
        .file(".mcp.json", br#"{"mcpServers":{"files":{"command":"npx","args":["-y","example-files-server"]}}}"#);
    let finding =
        json(&scene.run(&["scan", ".", "-o", "json"]).stdout)["findings"][0]["id"].as_str().unwrap().to_owned();
    for arguments in [
        &["scan", "."][..],
        &["scan", ".", "--all", "-v"],
        &["inventory", "."],
        &["compare", "incident-agent", "--from", "."],
        &["explain", "incident-agent", "--from", "."],
        &["explain", "incident-agent", "s3:*", "--from", "."],
        &["explain", &finding, "--from", "."],
        &["explain", "ai-identity-can-escalate"],
        &["can", "incident-agent", "s3:DeleteBucket", "--from", "."],
        &["rules", "list"],
        &["rules", "show", "high-risk-excess-over-human-role"],
    ] {
        for width in [40, 60, 90] {
            let run = run_at(&scene, width, arguments);
            assert!(!run.stdout.is_empty(), "{arguments:?}: {}", run.stderr);
            let wide = run.stdout.lines().find(|line| line.chars().count() > width);
            assert_eq!(wide, None, "{arguments:?} at {width}");
        }
    }
    let narrow = run_at(&scene, 60, &["scan", ".", "--all"]).stdout;
    assert!(narrow.contains("incident-responder") && !narrow.contains('…'), "{narrow}");
}

#[test]
fn text_for_people_beside_documents_is_counted_and_listed_where_asked() {
    let scene =
        Scene::with_account().file("README.md", b"# hello\n").file("LICENSE", b"free\n").file("x.json", b"{\"a\":1}");
    let plain = scene.run(&["scan", "."]);
    assert!(plain.stdout.contains("2 files of text for people"), "{}", plain.stdout);
    assert!(!plain.stdout.contains("README.md") && plain.stdout.contains("x.json: JSON"), "{}", plain.stdout);
    assert!(plain.stderr.contains(" 1 not recognised, 2 of text for people,"), "{}", plain.stderr);
    let verbose = scene.run(&["scan", ".", "-v"]).stdout;
    assert!(verbose.contains("README.md: text that no provider knows") && verbose.contains("LICENSE: "), "{verbose}");
    let report = json(&scene.run(&["scan", ".", "-o", "json"]).stdout);
    assert_eq!(report["coverage"]["files_unrecognised"], 3);
}

#[test]
fn errors_look_alike_wherever_they_come_from() {
    let scene = Scene::with_account().file("evenhand.toml", b"[gate]\nfail_onn = \"low\"\n");
    let run = scene.run(&["scan", "gaad.json"]);
    assert!(run.stderr.starts_with("error: "), "{}", run.stderr);
    assert!(run.stderr.contains("fail_onn = \"low\"") && run.stderr.contains("help: did you mean"), "{}", run.stderr);
}

#[test]
fn what_an_environment_variable_sets_is_not_shown_as_required() {
    let scene = Scene::new();
    for (arguments, usage) in [
        (&["explain"][..], "evenhand explain [OPTIONS] <IDENTITY|FINDING|RULE> [OPERATION]..."),
        (&["compare"], "evenhand compare [OPTIONS] <IDENTITY>"),
        (&["can", "x"], "evenhand can [OPTIONS] [IDENTITY] [OPERATION]..."),
        (&["rules", "show"], "evenhand rules show [OPTIONS] <ID>"),
        (&["collect", "aws"], "evenhand collect [OPTIONS] --out <DIR> <PROVIDER>"),
        (&["doctor", "--print-policy"], "evenhand doctor [OPTIONS] [PROVIDER]"),
    ] {
        if !cfg!(feature = "live") && matches!(arguments[0], "collect" | "doctor") {
            continue;
        }
        let output = scene.command().env("EVENHAND_JOBS", "2").args(arguments).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(said.contains(&format!("Usage: {usage}\n")), "{arguments:?}: {said}");
    }
}

#[test]
fn rules_are_listed_under_a_header_and_counted_as_people_count() {
    let scene = Scene::new().file("own/mine.yaml", RULE.as_bytes());
    let list = scene.run(&["rules", "list"]).stdout;
    let header: Vec<&str> = list.lines().next().unwrap_or_default().split_whitespace().collect();
    assert_eq!(header, ["RULE", "SEVERITY", "DIMENSION", "TITLE"]);
    let run = scene.run(&["rules", "test", "own"]);
    assert_eq!(run.stdout.lines().last(), Some("1 rule, 3 cases passed, 0 failed"), "{}", run.stderr);
}

const RULE: &str = "\
id: mine
title: Mine
dimension: secrets
severity: high
since: 0.1.0
providers: all
table: credentials
predicate: age_days > 90
message: \"{kind} is {age_days} days old\"
docs: { what: w, why: y, fix: f }
cases:
  - { name: old, row: { age_days: 91 }, expect: fail }
  - { name: new, row: { age_days: 1 }, expect: pass }
  - { name: no date, row: { age_days: null }, expect: unknown }
";

#[test]
fn what_is_no_ai_identity_is_compared_with_a_word_about_that() {
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/acme");
    for (name, noted) in [("sre-copilot-runtime", false), ("ci-legacy", true)] {
        let run = Scene::new().run(&["compare", name, "--from", example]);
        assert_eq!(run.stderr.contains("is not known to be an AI identity"), noted, "{name}: {}", run.stderr);
    }
}

#[test]
fn what_is_no_role_of_people_is_not_taken_for_one_silently() {
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/acme");
    for (human, code, said) in [
        ("release-bot", 2, "would be held beside itself"),
        ("sre-copilot-runtime", 2, "is an AI identity, and no role of people"),
        ("stack-deployer", 0, "is not known to be a role of people"),
        ("ReleaseEngineer", 0, ""),
    ] {
        let run = Scene::new().run(&["compare", "release-bot", "--human", human, "--from", example]);
        assert_eq!(run.code, code, "{human}: {}", run.stderr);
        assert!(run.stderr.contains(said), "{human}: {}", run.stderr);
        assert_eq!(run.stderr.contains("role of people"), said.contains("role of people"), "{human}: {}", run.stderr);
    }
    let run = Scene::new().run(&["compare", "stack-deployer", "--from", example]);
    assert!(run.stdout.contains("  Workload ") && !run.stdout.contains("AI identity"), "{}", run.stdout);
}

#[test]
fn an_unknown_answer_names_what_was_not_read() {
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/acme");
    let run = Scene::new().run(&["can", "fraud-watch-agent", "s3:GetObject", "--from", example]);
    assert!(run.stdout.starts_with("unknown"), "{}", run.stdout);
    assert!(run.stdout.contains("AmazonFraudDetectorFullAccessPolicy`, which was not read"), "{}", run.stdout);
}
