//! The built binary on small captures: what goes in, what comes out, and with which code.

use crate::common::{CLUSTER, Scene, account, gzip, json};

#[test]
fn an_empty_folder_is_exit_3_and_says_what_to_do() {
    let run = Scene::new().run(&["scan", "."]);
    assert_eq!(run.code, 3);
    assert!(run.stderr.contains("no identity was found") && run.stderr.contains("help:"), "{}", run.stderr);
    assert_eq!(run.stdout, "");
}

#[test]
fn no_source_reads_this_folder_and_the_users_own_agent_files() {
    let config = br#"{"mcpServers":{"files":{"command":"npx","args":["-y","example-files-server"]}}}"#;
    let scene = Scene::new().file(".mcp.json", config).home_file(".cursor/mcp.json", config);
    let run = scene.run(&["scan", "-o", "json"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let paths: Vec<String> = json(&run.stdout)["scan"]["sources"]
        .as_array()
        .unwrap()
        .iter()
        .map(|file| file["path"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(paths, [".mcp.json", "~/.cursor/mcp.json"]);
}

#[test]
fn what_no_provider_knows_is_listed_with_a_reason() {
    let scene = Scene::with_account().file("notes.txt", b"hello").file("x.json", b"{\"a\":1}").file("p.png", b"\x89");
    let report = json(&scene.run(&["scan", ".", "-o", "json"]).stdout);
    let reasons: Vec<(&str, &str)> = report["scan"]["sources"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|file| file["status"] == "unrecognised")
        .map(|file| (file["path"].as_str().unwrap(), file["what"].as_str().unwrap()))
        .collect();
    assert_eq!(
        reasons,
        [
            ("**/*.png", "1 file of a type that is never read"),
            ("notes.txt", "text that no provider knows"),
            ("x.json", "JSON, but no provider knows its keys"),
        ]
    );
}

#[test]
fn the_agent_is_held_beside_its_human_role() {
    let scene = Scene::with_account();
    let run = scene.run(&["compare", "incident-agent", "--from", "gaad.json", "-o", "json"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let card = json(&run.stdout);
    assert_eq!(card["verdict"], "EXCESS");
    assert_eq!(card["baseline"]["name"], "incident-responder");
    let table = scene.run(&["compare", "incident-agent", "--from", "gaad.json"]);
    assert!(table.stdout.contains("more; use --all") && table.stdout.lines().count() < 80, "{}", table.stdout);
    let table = scene.run(&["compare", "incident-agent", "--from", "gaad.json", "--all"]);
    assert!(table.stdout.contains("s3:DeleteBucket"), "{}", table.stdout);
}

#[test]
fn the_gate_decides_the_exit_code_and_says_why() {
    let scene = Scene::with_account();
    for (flags, code) in [
        (&[][..], 0),
        (&["--fail-on", "low"], 1),
        (&["--fail-on", "critical,low"], 1),
        (&["--min-score", "1000"], 1),
        (&["--max-excess", "0"], 1),
        (&["--max-excess", "100000"], 0),
        (&["--fail-on", "low", "--exit-zero"], 0),
        (&["--fail-on", "lowest"], 2),
        (&["--min-score", "1001"], 2),
    ] {
        let run = scene.run(&[&["scan", "gaad.json", "-o", "json"], flags].concat());
        assert_eq!(run.code, code, "{flags:?}: {}", run.stderr);
        if code == 1 {
            assert!(run.stderr.contains(flags[0]), "{}", run.stderr);
        }
    }
}

#[test]
fn a_report_names_the_configuration_in_force_and_what_it_leaves_out() {
    let other = "[gate]\nallow_partial = true\n[rules.ai-identity-can-tamper-with-logs]\nlevel = \"off\"\n\
                 [rules.ai-identity-administrator]\nlevel = \"low\"\n";
    let scene =
        Scene::new().file("other/gaad.json", account().as_bytes()).file("other/evenhand.toml", other.as_bytes());
    let forms = ["-o", "table", "-o", "json=r.json", "-o", "markdown=r.md", "-o", "html=r.html"];
    let run = scene.run(&[&["scan", "other", "--skip", "no-owner"][..], &forms].concat());
    assert_eq!(run.code, 0, "{}", run.stderr);
    let coverage = &json(&scene.read("r.json"))["coverage"];
    assert_eq!(coverage["configuration"], "other/evenhand.toml");
    assert_eq!(
        (&coverage["waivers"], &coverage["rules_off"][0]),
        (&serde_json::Value::Null, &"ai-identity-can-tamper-with-logs".into())
    );
    assert_eq!(coverage["rules_levelled"], serde_json::json!(["ai-identity-administrator = low"]));
    assert_eq!(coverage["rules_chosen_by"][0], "--skip no-owner");
    let said = "1 rule switched off there: ai-identity-can-tamper-with-logs";
    assert!(run.stdout.contains("configuration: other/evenhand.toml") && run.stdout.contains(said), "{}", run.stdout);
    assert!(scene.read("r.html").contains(said));
    let levelled = "1 rule is given a level there: ai-identity-administrator = low";
    assert!(run.stdout.contains(levelled) && scene.read("r.html").contains(levelled), "{}", run.stdout);
    assert!(scene.read("r.md").contains("1 rule switched off there"), "{}", scene.read("r.md"));
    let without = scene.run(&["scan", "other", "--no-config"]);
    assert!(!without.stdout.contains("switched off"), "{}", without.stdout);
}

#[test]
fn what_evenhand_wrote_beside_its_input_is_no_file_that_somebody_forgot() {
    let scene = Scene::new().file("data/gaad.json", account().as_bytes());
    let first = json(&scene.run(&["scan", "data", "-o", "json"]).stdout);
    assert_eq!(scene.run(&["scan", "data", "-o", "json=data/report.json"]).code, 0);
    assert_eq!(scene.run(&["baseline", "create", "data", "--file", "data/evenhand-baseline.json"]).code, 0);
    let run = scene.run(&["scan", "data", "-o", "json"]);
    assert!(!run.stderr.contains("not recognised"), "{}", run.stderr);
    let again = json(&run.stdout);
    assert_eq!(again["scan"]["id"], first["scan"]["id"], "what an earlier scan found makes this one no other");
    let own = again["scan"]["sources"].as_array().unwrap().iter();
    let own: Vec<_> = own.filter(|file| file["what"] == "a report or a baseline that evenhand wrote").collect();
    assert_eq!(own.len(), 2, "{again}");
    assert!(scene.run(&["scan", "data"]).stdout.contains("2 files that an earlier scan wrote"));
}

#[test]
fn a_gate_that_failed_is_told_though_it_lets_pass_and_nobody_wants_to_hear() {
    let scene = Scene::with_account();
    let gate = ["scan", "gaad.json", "-o", "json", "--fail-on", "low", "--exit-zero"];
    for quiet in [&[][..], &["-q"]] {
        let run = scene.run(&[&gate[..], quiet].concat());
        assert_eq!(run.code, 0, "{}", run.stderr);
        assert!(run.stderr.contains("warning: --fail-on low: "), "{quiet:?}: {}", run.stderr);
        assert!(run.stderr.contains("the gate failed, and --exit-zero lets the run pass"), "{quiet:?}: {}", run.stderr);
    }
    let passed = scene.run(&["scan", "gaad.json", "-o", "json", "-q", "--max-excess", "100000", "--exit-zero"]);
    assert_eq!((passed.code, passed.stderr.as_str()), (0, ""));
}

#[test]
fn a_number_of_the_gate_that_can_be_none_is_refused_with_its_bounds_wherever_it_stands() {
    for (flag, key, value, bounds) in [
        ("--min-score", "min_score", "-1", "write a whole number from 0 to 1000"),
        ("--min-score", "min_score", "5000", "write a whole number from 0 to 1000"),
        ("--max-drop", "max_drop", "-20", "write a whole number from 0 to 1000"),
        ("--min-coverage", "min_coverage", "200", "write a whole number from 0 to 100"),
        ("--min-coverage", "min_coverage", "-1", "write a whole number from 0 to 100"),
        ("--max-excess", "max_excess", "-1", "write a whole number, 0 or more"),
        ("--max-excess", "max_excess", "0.5", "write a whole number, 0 or more"),
    ] {
        let scene = Scene::with_account().file("evenhand.toml", format!("[gate]\n{key} = {value}\n").as_bytes());
        let run = scene.run(&["scan", "gaad.json", "--no-config", flag, value]);
        assert!(run.code == 2 && run.stderr.contains(bounds), "{flag} {value}: {}", run.stderr);
        assert!(run.stderr.contains(&format!("'{value}'")) && !run.stderr.contains("tip:"), "{}", run.stderr);
        let run = scene.run(&["scan", "gaad.json"]);
        assert!(run.code == 2 && run.stderr.contains(bounds), "{key} {value}: {}", run.stderr);
        let place = format!("evenhand.toml:2:{}: `{key}`", key.len() + 4);
        assert!(run.stderr.contains(&place), "{place}: {}", run.stderr);
    }
}

#[test]
fn what_a_configuration_says_of_a_gate_without_effect_is_told() {
    let mut scene = Scene::with_account();
    assert_eq!(scene.run(&["baseline", "create", "gaad.json"]).code, 0);
    assert_eq!(scene.run(&["scan", "gaad.json", "-o", "json=old.json"]).code, 0);
    for (gate, said) in [
        ("evidence = \"strict\"", "`evidence = \"strict\"` in evenhand.toml lowers the score"),
        ("new_only = true", "`new_only` in evenhand.toml changes nothing without `fail_on`"),
        ("new_only = true\nmin_score = 0", "`new_only` in evenhand.toml changes nothing without `fail_on`"),
        ("fail_on = \"low\"\nbaseline = \"nope.json\"", "does not look at `baseline` without `new_only`"),
        ("fail_on = \"low\"\nagainst = \"old.json\"", "does not look at `against` without `new_only`"),
    ] {
        let config = format!("[gate]\nallow_partial = true\n{gate}\n");
        scene = scene.file("evenhand.toml", config.as_bytes());
        let run = scene.run(&["scan", "gaad.json", "-q", "-o", "json"]);
        assert!(run.stderr.contains(said) && run.stderr.contains("help:"), "{gate}: {}", run.stderr);
    }
    for gate in ["evidence = \"strict\"\nmin_score = 0", "new_only = true\nfail_on = \"low\"", "baseline = \"b.json\""]
    {
        let config = format!("[gate]\nallow_partial = true\n{gate}\n");
        scene = scene.file("evenhand.toml", config.as_bytes());
        let run = scene.run(&["scan", "gaad.json", "-q", "-o", "json"]);
        assert!(
            !run.stderr.contains("without `") && !run.stderr.contains("no gate is asked for"),
            "{gate}: {}",
            run.stderr
        );
    }
    // A flag of one run that leaves the baseline of the configuration aside.
    let config = b"[gate]\nallow_partial = true\nbaseline = \"evenhand-baseline.json\"\n";
    let scene = scene.file("evenhand.toml", config);
    let told = "`--fail-on` does not look at `baseline` in evenhand.toml without --new-only";
    for (flags, code, is_told) in
        [(&["--fail-on", "low"][..], 1, true), (&["--fail-on", "low", "--new-only"], 0, false), (&[], 0, false)]
    {
        let run = scene.run(&[&["scan", "gaad.json", "-o", "csv:gaps"][..], flags].concat());
        assert_eq!((run.code, run.stderr.contains(told)), (code, is_told), "{flags:?}: {}", run.stderr);
    }
}

#[test]
fn what_trips_the_gate_names_where_it_was_asked_for() {
    let scene = Scene::with_account().file("evenhand.toml", b"[gate]\nallow_partial = true\nmin_score = 1000\n");
    let run = scene.run(&["scan", "gaad.json", "-q", "-o", "csv:gaps"]);
    assert_eq!(run.code, 1, "{}", run.stderr);
    assert!(run.stderr.contains("min_score = 1000 (evenhand.toml:3): the governed score is"), "{}", run.stderr);
    let run = scene.run(&["scan", "gaad.json", "-q", "-o", "csv:gaps", "--min-score", "999"]);
    assert_eq!(run.code, 1, "{}", run.stderr);
    assert!(run.stderr.contains("--min-score 999: the governed score is"), "{}", run.stderr);
}

#[test]
fn a_report_filter_never_changes_the_gate() {
    let scene = Scene::with_account();
    let all = scene.run(&["scan", "gaad.json", "-o", "json", "--fail-on", "low"]);
    let few = scene.run(&["scan", "gaad.json", "-o", "json", "--fail-on", "low", "--severity", "critical"]);
    assert_eq!((all.code, few.code), (1, 1));
    let (all, few) = (json(&all.stdout), json(&few.stdout));
    assert_eq!(all["score"], few["score"]);
    assert!(all["findings"].as_array().unwrap().len() > few["findings"].as_array().unwrap().len());
    assert!(few["filtered_findings"].as_u64().unwrap() > 0);
}

#[test]
fn a_broken_document_is_a_gap_and_the_rest_is_read() {
    let whole = account().into_bytes();
    let truncated = &whole[..whole.len() / 2];
    let scene = Scene::new().file("gaad.json", truncated).file("cluster.yaml", CLUSTER.as_bytes());
    let run = scene.run(&["scan", ".", "-o", "json"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(run.stderr.contains("gaad.json") && run.stderr.contains("help:"), "{}", run.stderr);
    let report = json(&run.stdout);
    assert!(report["gaps"].as_array().unwrap().iter().any(|gap| gap["kind"] == "failed"));
    assert!(run.stdout.contains("triage"));
    assert_eq!(scene.run(&["scan", ".", "--fail-on", "critical"]).code, 4);
    assert_ne!(scene.run(&["scan", ".", "--fail-on", "critical", "--allow-partial"]).code, 4);
    assert_eq!(scene.run(&["scan", ".", "--fail-on", "low", "--exit-zero"]).code, 4);
}

#[test]
fn errors_in_named_files_have_a_place() {
    let scene = Scene::with_account()
        .file("bad.json", b"{\n  \"a\": ]\n}")
        .file("latin.json", b"{\n\"UserDetailList\": [], \"x\": \"\xe9\"}");
    for (file, place) in [
        ("bad.json", "bad.json:2:8: it is not valid JSON"),
        ("latin.json", "latin.json:2:29: it is not UTF-8"),
        ("missing.json", "missing.json: there is no such file"),
    ] {
        let run = scene.run(&["scan", "gaad.json", file]);
        assert_eq!(run.code, 4, "{file}: {}", run.stderr);
        assert!(run.stderr.contains(place), "{file}: {}", run.stderr);
        assert_eq!(scene.run(&["scan", "gaad.json", file, "--allow-partial"]).code, 0, "{file}");
    }
}

#[test]
fn a_deeply_nested_known_document_is_an_error_and_no_crash() {
    let deep = format!("{{\"UserDetailList\":[{{\"Path\":{}", "[".repeat(200_000));
    let yaml = format!("apiVersion: v1\nkind: Pod\nmetadata: {}", "{a: ".repeat(50_000));
    let scene = Scene::with_account().file("deep.json", deep.as_bytes()).file("deep.yaml", yaml.as_bytes());
    let run = scene.run(&["scan", "."]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(run.stderr.contains("deep.json") && run.stderr.contains("deep.yaml"), "{}", run.stderr);
}

#[test]
fn compressed_exports_are_read_as_they_are() {
    let plain = Scene::with_account().run(&["inventory", "gaad.json", "-o", "csv:inventory"]);
    let scene = Scene::new().file("gaad.json.gz", &gzip(account().as_bytes()));
    let packed = scene.run(&["inventory", "gaad.json.gz", "-o", "csv:inventory"]);
    assert_eq!(packed.code, 0, "{}", packed.stderr);
    assert_eq!(plain.stdout.replace("gaad.json", "gaad.json.gz"), packed.stdout);
}

#[test]
fn several_formats_in_one_run_each_in_its_place() {
    let scene = Scene::with_account();
    let run = scene.run(&["scan", "gaad.json", "-o", "json=p.json", "-o", "csv:findings=f.csv", "-o", "csv:inventory"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(scene.read("p.json").starts_with('{') && scene.read("f.csv").contains("finding_id"));
    assert!(run.stdout.contains("incident-agent"));
    let twice = scene.run(&["scan", "gaad.json", "-o", "json", "-o", "table"]);
    assert_eq!(twice.code, 2);
    assert!(twice.stderr.contains("both go to stdout"), "{}", twice.stderr);
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    use std::process::Stdio;
    let scene = Scene::with_account();
    let mut child = std::process::Command::new(assert_cmd::cargo::cargo_bin!("evenhand"))
        .args(["scan", "gaad.json", "-o", "json", "-q", "--no-config"])
        .current_dir(scene.path(""))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn no_secret_is_in_any_output() {
    const CANARY: &str = "CanaryX7q0Lw93";
    let secret = |kind: &str| format!("{kind}{CANARY}0123456789abcdefABCDEF");
    let mcp = format!(
        r#"{{"mcpServers":{{"a":{{"command":"npx","args":["-y","srv","--api-key={}"],"env":{{"TOKEN":"{}","N":1}}}},
 "b":{{"url":"https://u:{}@example.invalid/x?token={}","headers":{{"Authorization":"Bearer {}"}}}}}}}}"#,
        secret("a"),
        secret("ghp_"),
        secret("p"),
        secret("q"),
        secret("t")
    );
    let cluster = format!(
        "apiVersion: v1\nkind: Secret\nmetadata:\n  name: s\n  namespace: ops\ntype: Opaque\nstringData:\n  k: {}\n---\n{CLUSTER}",
        secret("k")
    );
    let broken = format!("{{\"mcpServers\":{{\"a\":{{\"command\":7,\"env\":{{\"K\":\"{}\" }}", secret("z"));
    let scene = Scene::with_account()
        .file(".mcp.json", mcp.as_bytes())
        .file("sub/.mcp.json", broken.as_bytes())
        .file("cluster.yaml", cluster.as_bytes())
        .file(
            ".codex/config.toml",
            format!("[mcp_servers.a]\ncommand = \"x\"\n[mcp_servers.a.env]\nK = \"{}\"\n", secret("c")).as_bytes(),
        )
        .file("settings.txt", secret("plain").as_bytes());
    for arguments in [
        &["scan", ".", "-v", "-o", "json"][..],
        &["scan", ".", "--all"],
        &["scan", ".", "-o", "csv:findings"],
        &["scan", ".", "-o", "csv:credentials"],
        &["scan", ".", "-o", "csv:agents"],
        &["inventory", "."],
        &["explain", "mcp", "--from", "."],
    ] {
        let run = scene.run(arguments);
        assert!(!run.stdout.contains(CANARY), "{arguments:?} stdout");
        assert!(!run.stderr.contains(CANARY), "{arguments:?} stderr: {}", run.stderr);
    }
}

#[test]
fn names_cannot_act_on_a_terminal() {
    let evil = account().replace("incident-agent", "evil\\u001b[31m\\u202e\\u0007agent");
    let scene = Scene::new().file("gaad.json", evil.as_bytes()).file("bad\u{1b}[2J.json.gz", b"\x1f\x8b\x00");
    for arguments in [
        &["scan", ".", "--all"][..],
        &["inventory", "."],
        &["explain", "evil", "--from", "."],
        &["explain", "evil", "s3:DeleteBucket", "--from", "."],
        &["compare", "evil", "--from", "."],
        &["can", "evil", "s3:DeleteBucket", "--from", "."],
        &["can", "no\u{1b}[31msuch", "s3:DeleteBucket", "--from", "."],
    ] {
        let run = scene.run(arguments);
        for (stream, text) in [("stdout", &run.stdout), ("stderr", &run.stderr)] {
            let acting = text.chars().find(|c| (c.is_control() && *c != '\n') || *c == '\u{202e}');
            assert_eq!(acting, None, "{arguments:?} {stream}: {text:?}");
        }
    }
}

#[test]
fn questions_are_answered_one_by_one_or_from_stdin() {
    let scene = Scene::with_account();
    let allowed = scene.run(&["can", "incident-agent", "s3:DeleteBucket", "--from", "gaad.json"]);
    assert_eq!(allowed.code, 0, "{}{}", allowed.stdout, allowed.stderr);
    assert!(allowed.stdout.contains("allowed") && allowed.stdout.contains("gaad.json"), "{}", allowed.stdout);
    let meant = "\n  identity arn:aws:iam::111122223333:role/incident-agent\n";
    assert!(allowed.stdout.contains(meant), "{}", allowed.stdout);
    assert_eq!(scene.run(&["can", "incident-responder", "s3:DeleteBucket", "--from", "gaad.json"]).code, 1);
    assert_eq!(scene.run(&["can", "incident", "s3:DeleteBucket", "--from", "gaad.json"]).code, 2);
    assert_eq!(scene.run(&["can", "incident-agent", "s3:NoSuchThing", "--from", "gaad.json"]).code, 2);
    let questions = "{\"identity\":\"incident-agent\",\"operation\":\"s3:DeleteBucket\"}\nnonsense\n\n\
                     {\"identity\":\"nobody\",\"operation\":\"s3:GetObject\"}\n\
                     {\"identity\":\"incident-responder\",\"operation\":\"s3:DeleteBucket\"}\n";
    let run = scene.run_with(&["can", "--from", "gaad.json"], questions);
    assert_eq!(run.code, 2);
    let answers: Vec<serde_json::Value> = run.stdout.lines().map(json).collect();
    assert_eq!(answers.len(), 4);
    assert_eq!(answers[0]["outcome"], "allowed");
    assert_eq!((&answers[1]["line"], &answers[2]["line"]), (&json("2"), &json("4")));
    assert_eq!(answers[3]["outcome"], "implicitly_denied");
}

#[test]
fn an_option_that_changes_no_answer_is_not_passed_over() {
    let scene = Scene::with_account();
    let line = "\u{feff}{\"identity\":\"incident-agent\",\"operation\":\"s3:DeleteBucket\"}\n";
    for (options, said) in [
        (&["--on", "arn:aws:s3:::b"][..], "`--on` is about one question"),
        (&["--context", "a=b"], "`--context` is about one question"),
        (&["-n", "ops"], "`--namespace` is about one question"),
        (&["--name", "db"], "`--name` is about one question"),
        (&["-o", "table"], "answered in JSON"),
    ] {
        let run = scene.run_with(&[&["can", "--from", "gaad.json"][..], options].concat(), line);
        assert_eq!((run.code, run.stdout.as_str()), (2, ""), "{options:?}");
        assert!(run.stderr.contains(said) && run.stderr.contains("help: "), "{options:?}: {}", run.stderr);
    }
    let run = scene.run_with(&["can", "--from", "gaad.json", "-o", "json"], line);
    assert!(run.code == 0 && run.stdout.contains("\"allowed\""), "{}{}", run.stdout, run.stderr);
    for option in [["-n", "ops"], ["--name", "db"]] {
        let ask = [&["can", "incident-agent", "s3:DeleteBucket", "--from", "gaad.json"][..], &option].concat();
        let run = scene.run(&ask);
        assert!(run.code == 2 && run.stderr.contains("are for Kubernetes"), "{option:?}: {}", run.stderr);
    }
}

#[test]
fn an_explanation_names_policy_statement_and_document() {
    let scene = Scene::with_account();
    let run = scene.run(&["explain", "incident-agent", "s3:DeleteBucket", "--from", "gaad.json"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    for part in ["main", "statement 0", "gaad.json#/RoleDetailList/1", "s3:DeleteBucket"] {
        assert!(run.stdout.contains(part), "{part}: {}", run.stdout);
    }
    let identity = scene.run(&["explain", "incident-agent", "--from", "gaad.json"]);
    for part in ["ai_agent", "EXCESS", "incident-responder", "bedrock.amazonaws.com"] {
        assert!(identity.stdout.contains(part), "{part}: {}", identity.stdout);
    }
    let report = json(&scene.run(&["scan", "gaad.json", "-o", "json"]).stdout);
    let id = report["findings"][0]["id"].as_str().unwrap().to_owned();
    let finding = scene.run(&["explain", &id, "--from", "gaad.json"]);
    assert!(finding.stdout.contains(&id) && finding.stdout.contains("remedy"), "{}", finding.stdout);
}

#[test]
fn an_explanation_that_is_cut_short_says_how_to_see_the_rest() {
    let actions =
        ["ec2:RunInstances", "ec2:StopInstances", "iam:GetRole", "iam:PassRole", "kms:Decrypt", "kms:Encrypt"];
    let others = ["lambda:InvokeFunction", "s3:GetObject", "s3:PutObject", "sns:Publish", "sqs:SendMessage"];
    let held = serde_json::to_string(&[&actions[..], &others].concat()).unwrap();
    let account = account().replace(r#"["logs:*","s3:DeleteBucket"]"#, &held);
    let scene = Scene::new().file("gaad.json", account.as_bytes());
    for asked in [&["incident-agent"][..], &["incident-agent", "*"]] {
        let run = scene.run(&[&["explain"][..], asked, &["--from", "gaad.json"]].concat());
        assert!(run.stdout.contains(" more; --all shows them"), "{}{}", run.stdout, run.stderr);
        let run = scene.run(&[&["explain"][..], asked, &["--from", "gaad.json", "--all"]].concat());
        assert!(!run.stdout.contains(" more; --all") && run.stdout.contains("sqs:SendMessage"), "{}", run.stdout);
    }
}

#[test]
fn an_explanation_lists_what_is_not_granted_where_all_is_asked_for() {
    let scene = Scene::with_account();
    let ask = ["explain", "incident-agent", "s3:Delete*", "--from", "gaad.json"];
    let cut = scene.run(&ask).stdout;
    assert!(cut.contains("\nNot granted\n") && cut.contains("\n  --all lists them\n"), "{cut}");
    assert!(!cut.contains("s3:DeleteObject"), "{cut}");
    let all = scene.run(&[&ask[..], &["--all"]].concat()).stdout;
    assert!(all.contains("s3:DeleteObject") && !all.contains("--all lists"), "{all}");
}

#[test]
fn a_rule_that_is_asked_for_is_told_also_where_it_is_left_out_or_a_source_is_missing() {
    let scene = Scene::with_account();
    let out = scene.run(&["explain", "no-owner", "--skip", "no-owner", "--from", "gaad.json"]);
    assert!(out.code == 2 && out.stderr.contains("the rule `no-owner` is left out by"), "{}", out.stderr);
    let missing = scene.run(&["explain", "no-owner", "--from", "nosuch"]);
    assert!(missing.code == 0 && missing.stderr.contains("nosuch: there is no such file"), "{}", missing.stderr);
    assert_eq!(scene.run(&["explain", "no-owner", "--from", "gaad.json"]).stderr, "");
    let upper = scene.run(&["explain", "AI-IDENTITY-CAN-ESCALATE", "--from", "gaad.json"]);
    assert!(upper.stderr.contains("rule ai-identity-can-escalate"), "{}", upper.stderr);
    let nobody = scene.run(&["can", "nosuch", "s3:GetObject", "--from", "gaad.json"]);
    assert!(nobody.stderr.contains("evenhand inventory") && !nobody.stderr.contains("rules list"), "{}", nobody.stderr);
}

#[test]
fn an_explanation_names_the_group_or_the_binding_that_leads_to_the_statement() {
    const ACCOUNT: &str = r#"{"UserDetailList":[{"Path":"/","UserName":"ada","UserId":"AIDAEXAMPLE00000001",
"Arn":"arn:aws:iam::111122223333:user/ada","CreateDate":"2026-01-01T00:00:00Z","GroupList":["on-call"],
"AttachedManagedPolicies":[],"Tags":[]},{"Path":"/","UserName":"bao","UserId":"AIDAEXAMPLE00000002",
"Arn":"arn:aws:iam::111122223333:user/bao","CreateDate":"2026-01-01T00:00:00Z","GroupList":["on-call"],"Tags":[],
"AttachedManagedPolicies":[{"PolicyName":"look","PolicyArn":"arn:aws:iam::111122223333:policy/look"}]}],
"GroupDetailList":[{"Path":"/","GroupName":"on-call","GroupId":"AGPAEXAMPLE00000001",
"Arn":"arn:aws:iam::111122223333:group/on-call","CreateDate":"2026-01-01T00:00:00Z","GroupPolicyList":[{"PolicyName":"act",
"PolicyDocument":{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"ec2:RebootInstances","Resource":"*"}]}}],
"AttachedManagedPolicies":[{"PolicyName":"look","PolicyArn":"arn:aws:iam::111122223333:policy/look"}]}],"RoleDetailList":[],
"Policies":[{"PolicyName":"look","PolicyId":"ANPAEXAMPLE00000001","Arn":"arn:aws:iam::111122223333:policy/look","Path":"/",
"DefaultVersionId":"v1","PolicyVersionList":[{"VersionId":"v1","IsDefaultVersion":true,"Document":{"Version":"2012-10-17",
"Statement":[{"Effect":"Allow","Action":"logs:GetLogEvents","Resource":"*"}]}}]}]}"#;
    let scene = Scene::new().file("gaad.json", ACCOUNT.as_bytes());
    let group = "through group on-call at gaad.json#/UserDetailList/0/GroupList";
    for (operation, policy) in [
        ("ec2:RebootInstances", "by inline policy act statement 0"),
        ("logs:GetLogEvents", "by managed policy look statement 0"),
    ] {
        let run = scene.run(&["explain", "ada", operation, "--from", "gaad.json"]);
        let lines: Vec<&str> = run.stdout.lines().map(str::trim).collect();
        let at = lines.iter().position(|line| *line == group).unwrap_or_else(|| panic!("{}", run.stdout));
        assert_eq!(lines[at + 1], policy);
    }
    let both = scene.run(&["explain", "bao", "logs:GetLogEvents", "--from", "gaad.json"]).stdout;
    assert!(both.contains("through group on-call") && both.contains("through its own attachment"), "{both}");
    let itself = scene.run(&["explain", "group/on-call", "--from", "gaad.json"]);
    assert!(itself.code == 0 && !itself.stdout.contains("through group"), "{}", itself.stdout);
}

#[test]
fn a_finding_names_the_operations_and_the_statement_that_it_rests_on() {
    let scene = Scene::with_account();
    let report = json(&scene.run(&["scan", "gaad.json", "-o", "json"]).stdout);
    let findings = report["findings"].as_array().unwrap();
    let finding = findings.iter().find(|finding| finding["rule"] == "write-on-all-resources").unwrap();
    let by = finding["facts"]["write_on_everything_by"].as_str().unwrap();
    let place = "gaad.json#/RoleDetailList/1/RolePolicyList/0/PolicyDocument/Statement/0";
    assert!(by.contains("by inline policy main statement 0 (Main)") && by.ends_with(place), "{by}");
    assert!(place.ends_with(finding["evidence"][0]["pointer"].as_str().unwrap()), "{finding}");
    let explained = scene.run(&["explain", finding["id"].as_str().unwrap(), "--from", "gaad.json"]).stdout;
    assert!(explained.contains(by) && explained.contains(&format!("evidence     {place}")), "{explained}");
}

#[test]
fn what_cannot_be_explained_says_what_to_ask_instead() {
    let scene = Scene::with_account();
    let report = json(&scene.run(&["scan", "gaad.json", "-o", "json"]).stdout);
    let finding = report["findings"].as_array().unwrap().iter().find(|one| one["name"] == "incident-agent").unwrap();
    let id = finding["id"].as_str().unwrap();
    for (asked, said) in [
        (&["incident-agent", "s3:DeleteBuket"][..], "did you mean `s3:DeleteBucket`?"),
        (&["no-owner", "s3:DeleteBucket"], "`no-owner` is a rule"),
        (&[id, "s3:DeleteBucket"], "ask about `arn:aws:iam::111122223333:role/incident-agent`"),
        (&[" "], "name a rule, a finding or an identity"),
    ] {
        let run = scene.run(&[&["explain"][..], asked, &["--from", "gaad.json"]].concat());
        assert!(run.code == 2 && run.stderr.contains(said), "{asked:?}: {}", run.stderr);
    }
}

#[test]
fn the_one_source_that_holds_a_configuration_speaks_for_all_and_two_are_refused() {
    let scene =
        Scene::with_account().file("one/evenhand.toml", b"[gate]\nfail_onn = \"low\"\n").file("two/.mcp.json", b"{}");
    let run = scene.run(&["scan", "one", "two"]);
    assert!(run.code == 2 && run.stderr.contains("evenhand.toml:2:1"), "{}", run.stderr);
    let scene = scene.file("two/evenhand.toml", b"");
    let run = scene.run(&["scan", "one", "two"]);
    assert!(run.code == 2 && run.stderr.contains("--config"), "{}", run.stderr);
}

#[test]
fn a_configuration_above_a_source_that_is_not_used_is_told_with_the_way_to_use_it() {
    let scene = Scene::new()
        .file("acme/evenhand.toml", b"[gate]\nfail_on = \"low\"\n")
        .file("acme/aws/gaad.json", account().as_bytes());
    let plain = scene.run(&["scan", "acme/aws"]);
    let said = "no configuration is used, though `acme/evenhand.toml` lies above `acme/aws`";
    assert_eq!(plain.code, 0, "{}", plain.stderr);
    for part in [said, "--config acme/evenhand.toml"] {
        assert!(plain.stderr.contains(part), "{part}: {}", plain.stderr);
    }
    for others in [&["acme"][..], &["acme/aws", "--config", "acme/evenhand.toml"], &["acme/aws", "--no-config"]] {
        let run = scene.run(&[&["scan"], others].concat());
        assert!(!run.stderr.contains("lies above"), "{others:?}: {}", run.stderr);
    }
}

#[test]
fn the_configuration_is_found_and_its_errors_have_a_place() {
    let scene = Scene::with_account().file("evenhand.toml", b"[gate]\nfail_on = \"low\"\n");
    assert_eq!(scene.run(&["scan", "."]).code, 1);
    assert_eq!(scene.run(&["scan", ".", "--no-config"]).code, 0);
    let scene = Scene::with_account().file("evenhand.toml", b"[gate]\nfail_onn = \"low\"\n");
    let run = scene.run(&["scan", "."]);
    assert_eq!(run.code, 2);
    assert!(run.stderr.contains("evenhand.toml:2:1") && run.stderr.contains("`fail_on`"), "{}", run.stderr);
    let scene = Scene::with_account().file("evenhand.toml", b"[rules.no-such-rule]\nlevel = \"off\"\n");
    let run = scene.run(&["scan", "."]);
    assert!(run.code == 2 && run.stderr.contains("evenhand.toml:1:8"), "{}", run.stderr);
}

#[test]
fn rules_are_listed_shown_tested_and_selected() {
    let scene = Scene::with_account();
    assert!(scene.run(&["rules", "list"]).stdout.lines().count() >= 30);
    let rule = json(&scene.run(&["rules", "list", "-o", "json"]).stdout)[0]["id"].as_str().unwrap().to_owned();
    assert!(scene.run(&["rules", "show", &rule]).stdout.contains("Predicate"));
    assert_eq!(scene.run(&["rules", "show", "no-such"]).code, 2);
    assert_eq!(scene.run(&["rules", "test"]).code, 0);
    let report = json(&scene.run(&["scan", "gaad.json", "-o", "json", "--rule", &rule]).stdout);
    assert!(report["findings"].as_array().unwrap().iter().all(|finding| finding["rule"] == *rule));
    assert_eq!(scene.run(&["scan", "gaad.json", "--skip", "no-such"]).code, 2);
}

#[test]
fn own_rules_are_read_and_their_errors_have_a_place() {
    let scene = Scene::with_account().file("own/bad.yaml", b"id: bad\nseverity: enormous\n");
    let run = scene.run(&["scan", "gaad.json", "--rules", "own"]);
    assert_eq!(run.code, 2);
    assert!(run.stderr.contains("own/bad.yaml:2:"), "{}", run.stderr);
    assert_eq!(scene.run(&["scan", "gaad.json", "--rules", "nowhere"]).code, 2);
}

#[test]
fn help_schema_manual_and_completions_come_from_one_place() {
    let scene = Scene::new();
    for arguments in [
        &["--help"][..],
        &["schema", "report"],
        &["schema", "config"],
        &["schema", "tables"],
        &["man"],
        &["completions", "bash"],
        &["--version"],
    ] {
        let run = scene.run(arguments);
        assert_eq!(run.code, 0, "{arguments:?}");
        assert!(!run.stdout.is_empty() && run.stderr.is_empty(), "{arguments:?}: {}", run.stderr);
    }
    assert!(scene.run(&["--version", "--verbose"]).stdout.contains("aws:"));
    assert_eq!(scene.run(&["scna"]).code, 2);
}

#[test]
fn a_value_of_the_environment_that_is_none_is_told_by_the_name_of_its_variable() {
    let scene = Scene::with_account();
    let refused = |variable: &str, value: &std::ffi::OsStr| {
        let output = scene.command().env(variable, value).args(["inventory", "gaad.json"]).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{variable}");
        String::from_utf8(output.stderr).unwrap()
    };
    for (variable, value, said) in [
        ("EVENHAND_JOBS", "x", "invalid value 'x' for 'EVENHAND_JOBS': write a whole number from 0 to 256"),
        ("EVENHAND_JOBS", "", "invalid value '' for 'EVENHAND_JOBS': write a whole number from 0 to 256"),
        ("EVENHAND_JOBS", "100000", "invalid value '100000' for 'EVENHAND_JOBS': write a whole number from 0 to 256"),
        ("EVENHAND_NOW", "soon", "invalid value 'soon' for 'EVENHAND_NOW': write it as 2026-01-31"),
        ("EVENHAND_CONFIG", "", "a value is required for 'EVENHAND_CONFIG'"),
        ("EVENHAND_HOME", "", "a value is required for 'EVENHAND_HOME'"),
    ] {
        let stderr = refused(variable, value.as_ref());
        assert!(stderr.contains(said) && stderr.contains(&format!("tip: set {variable} to")), "{stderr}");
        assert!(!stderr.contains("--jobs") && !stderr.contains("--now"), "{stderr}");
    }
    #[cfg(unix)]
    for variable in ["EVENHAND_JOBS", "EVENHAND_FINGERPRINT_KEY"] {
        let stderr = refused(variable, std::os::unix::ffi::OsStrExt::from_bytes(b"\xff"));
        assert!(stderr.contains("UTF-8") && stderr.contains(&format!("tip: set {variable} to")), "{stderr}");
    }
    // What is typed is another matter.
    // What is typed overrules it, and which version it is hangs on none.
    for arguments in [&["inventory", ".", "--jobs", "2"][..], &["--jobs=2", "inventory", "."], &["--version"]] {
        let output = scene.command().env("EVENHAND_JOBS", "x").args(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
    let output = scene.command().env("EVENHAND_JOBS", "2").args(["inventory", ".", "--jobs", "y"]).output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(stderr.contains("invalid value 'y' for '--jobs <N>'") && !stderr.contains("EVENHAND_JOBS"), "{stderr}");
}

#[test]
fn a_flag_of_one_run_overrules_the_environment() {
    let scene = Scene::with_account().file("evenhand.toml", b"[gate]\nfail_on = \"low\"\n");
    for (flags, code) in [(&[][..], 1), (&["--no-config"], 0)] {
        let mut command = scene.command();
        command.env("EVENHAND_CONFIG", "evenhand.toml").args(["scan", "gaad.json", "-o", "json"]).args(flags);
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(code), "{flags:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
    let both = scene.run(&["scan", "gaad.json", "--config", "evenhand.toml", "--no-config"]);
    assert!(both.code == 2 && both.stderr.contains("cannot be used with"), "{}", both.stderr);
}
