//! Input that is broken, hostile or just odd: the rest is still read, what is missing is said, and nothing panics.

use std::process::Stdio;

use crate::common::{CLUSTER, Scene, account, gzip, json};

/// Scans a folder with one odd file beside a good cluster. Returns how the report lists the odd one.
fn beside_a_cluster(name: &str, content: &[u8]) -> (String, String) {
    let scene = Scene::new().file("cluster.yaml", CLUSTER.as_bytes()).file(name, content);
    let run = scene.run(&["scan", ".", "-o", "json"]);
    assert_eq!(run.code, 0, "{name}: {}", run.stderr);
    assert!(!run.stderr.contains("panicked"), "{name}: {}", run.stderr);
    let report = json(&run.stdout);
    let held = report["tables"]["identities"].as_array().unwrap();
    assert!(held.iter().any(|row| row["name"] == "ops/triage"), "{name}: the rest is read");
    let source = report["scan"]["sources"].as_array().unwrap().iter().find(|file| file["path"] == name).cloned();
    let source = source.unwrap_or_else(|| panic!("{name} is listed: {}", report["scan"]["sources"]));
    let status = source["status"].as_str().unwrap().to_owned();
    let gaps = report["gaps"].as_array().unwrap().iter().any(|gap| gap["kind"] == "failed");
    assert_eq!(gaps, status == "failed" || status == "partial", "{name}: a gap for what could not be read");
    (status, source["what"].as_str().unwrap().to_owned())
}

#[test]
fn odd_input_is_listed_and_the_rest_is_read() {
    let whole = account();
    let deep = |open: &str, times: usize| open.repeat(times);
    let alias = |times: usize| -> String {
        (1..times).map(|at| format!("k{at}: &a{at} [{}]\n", vec![format!("*a{}", at - 1); 9].join(","))).collect()
    };
    let bomb = format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: x}}\nk0: &a0 [x]\n{}", alias(9));
    let mut flipped = gzip(whole.as_bytes());
    let middle = flipped.len() / 2;
    flipped[middle] ^= 0xff;
    let cut = gzip(whole.as_bytes())[..middle].to_vec();
    let utf16: Vec<u8> = [0xff, 0xfe].into_iter().chain(whole.encode_utf16().flat_map(u16::to_le_bytes)).collect();
    let long = format!("{{\"a\":\"{}\"}}", "x".repeat(4 << 20));
    for (name, content, status) in [
        ("latin.json", whole.replace("incident", "incid\u{e9}nt").chars().map(|c| c as u8).collect(), "failed"),
        ("utf16.json", utf16, "read"),
        (
            "deep.json",
            format!("{{\"UserDetailList\":[],\"RoleDetailList\":{}", deep("[", 100_000)).into_bytes(),
            "partial",
        ),
        ("deep.yaml", format!("apiVersion: v1\nkind: List\nitems: {}", deep("[", 3_000)).into_bytes(), "partial"),
        ("bomb.yaml", bomb.into_bytes(), "partial"),
        ("empty.json", Vec::new(), "unrecognised"),
        (
            "noise.json",
            (0..50_000_u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 13) as u8).collect(),
            "unrecognised",
        ),
        ("line.json", long.into_bytes(), "unrecognised"),
        ("flipped.json.gz", flipped, "failed"),
        ("cut.json.gz", cut, "failed"),
        ("header.csv", b"user,arn,foo\nx,y,z\n".to_vec(), "unrecognised"),
        ("lost-quote.json", whole.replacen('"', "", 1).into_bytes(), "failed"),
        ("doubled.json", whole.replacen('{', "{,", 1).into_bytes(), "failed"),
        ("lost-brace.json", whole.replacen('{', "", 1).into_bytes(), "failed"),
        ("tab.yaml", b"kind: List\n\tapiVersion: v1\n".to_vec(), "failed"),
        ("tsconfig.json", b"// strict\n{\"compilerOptions\": {\"strict\": true,},}\n".to_vec(), "unrecognised"),
        ("fixture.json", b"{\"foo\":1,,}".to_vec(), "unrecognised"),
        (".mcp.json", b"{\"mcpServers\":{\"a\":{\"command\":\"x\",\"args\":[\"y\"".to_vec(), "partial"),
    ] {
        let (found, what) = beside_a_cluster(name, &content);
        assert_eq!(found, status, "{name}: {what}");
        assert!(!what.is_empty(), "{name}");
    }
    for part in 1..10 {
        let (found, what) = beside_a_cluster("gaad.json", &whole.as_bytes()[..whole.len() * part / 10]);
        assert!(found == "partial" || found == "failed", "cut at {part}/10: {found} {what}");
    }
}

#[test]
fn a_damaged_export_in_a_folder_does_not_pass_a_gate_and_an_empty_scan_of_it_is_not_excused() {
    let damaged = account().replacen('"', "", 1);
    let scene = Scene::new().file("in/cluster.yaml", CLUSTER.as_bytes()).file("in/2222/gaad.json", damaged.as_bytes());
    let run = scene.run(&["scan", "in", "--fail-on", "critical"]);
    assert_eq!(run.code, 4, "{}", run.stderr);
    assert!(run.stderr.contains("warning: in/2222/gaad.json:1:2: it is not valid JSON"), "{}", run.stderr);
    let alone = scene.run(&["scan", "in/2222", "--allow-empty", "-o", "json"]);
    assert_eq!(alone.code, 3, "{}", alone.stderr);
    assert_eq!(json(&alone.stdout)["score"]["complete"], false);
}

#[test]
fn what_cannot_be_read_in_the_folder_of_a_capture_is_a_failure() {
    let manifest = r#"{"evenhand_capture":1,"provider":"kubernetes","complete":true,"plan":{"server":"https://prod.example","secrets":true},"calls":[],"pending":[]}"#;
    let scene = Scene::new()
        .file("in/prod/manifest.json", manifest.as_bytes())
        .file("in/prod/all.yaml", CLUSTER.as_bytes())
        .file("in/prod/zeros.json", &[0; 64])
        .file("in/prod/call.json", br#"{"call":7,"response":{"Functions":[]}}"#)
        .file("in/beside/call.json", br#"{"call":"some other","response":{}}"#)
        .file("in/prod/below/empty.ndjson", b"")
        .file("in/prod/README.md", b"")
        .file("in/beside/zeros.json", &[0; 64]);
    let report = json(&scene.run(&["scan", "in", "-o", "json"]).stdout);
    let status = |path: &str| {
        let mut sources = report["scan"]["sources"].as_array().unwrap().iter();
        sources.find(|file| file["path"] == path).unwrap()["status"].clone()
    };
    assert_eq!(status("in/prod/zeros.json"), "failed");
    assert_eq!(status("in/prod/call.json"), "failed");
    assert_eq!(status("in/beside/call.json"), "unrecognised");
    assert_eq!(status("in/prod/below/empty.ndjson"), "failed");
    assert_eq!(status("in/prod/README.md"), "unrecognised");
    assert_eq!(status("in/beside/zeros.json"), "unrecognised");
    assert_eq!(report["score"]["complete"], false);
}

#[cfg(unix)]
#[test]
fn pipes_and_loops_of_links_are_not_followed() {
    let scene = Scene::with_account();
    std::os::unix::fs::symlink(".", scene.path("loop")).unwrap();
    std::os::unix::fs::symlink("nowhere", scene.path("dangling.json")).unwrap();
    let made = std::process::Command::new("mkfifo").arg(scene.path("pipe.json")).status();
    let run = scene.run(&["scan", ".", "-o", "json"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let listed = json(&run.stdout)["scan"]["sources"].clone();
    let reason = |name: &str| {
        let file = listed.as_array().unwrap().iter().find(|file| file["path"] == name);
        file.map(|file| file["what"].as_str().unwrap().to_owned())
    };
    assert!(reason("loop").unwrap().contains("symbolic link"));
    assert!(reason("dangling.json").unwrap().contains("symbolic link"));
    if made.is_ok_and(|status| status.success()) {
        assert_eq!(reason("pipe.json").as_deref(), Some("neither a file nor a folder"));
    }
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let scene = Scene::with_account();
    for arguments in [&["scan", "gaad.json", "-o", "json"][..], &["scan", "gaad.json"], &["rules", "list"], &["man"]] {
        let mut command = std::process::Command::new(assert_cmd::cargo::cargo_bin!("evenhand"));
        command.env_clear().env("HOME", scene.path("")).current_dir(scene.path("")).args(arguments);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {said}");
        assert!(!said.contains("error"), "{arguments:?}: {said}");
    }
}

#[test]
fn questions_go_on_after_lines_that_are_none() {
    let scene = Scene::with_account();
    let mut lines = b"{\"identity\":\"incident-agent\",\"operation\":\"s3:DeleteBucket\"}\n\xff\xfe\n".to_vec();
    lines.extend(b"[\"incident-agent\",\"s3:DeleteBucket\"]\n{\"identity\":\"incident-agent\"}\n");
    lines.extend(b"{\"identity\":\"incident-agent\",\"operation\":\"s3:DeleteBucket\",\"more\":1}\r\n\n");
    lines.extend(b"{\"identity\":\"incident-responder\",\"operation\":\"s3:DeleteBucket\"}");
    let output = scene.command().args(["can", "--from", "gaad.json"]).write_stdin(lines).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let answers: Vec<serde_json::Value> = String::from_utf8(output.stdout).unwrap().lines().map(json).collect();
    let outcomes: Vec<&str> = answers
        .iter()
        .map(|answer| answer["outcome"].as_str().unwrap_or_else(|| answer["error"].as_str().unwrap()))
        .collect();
    assert_eq!(outcomes.len(), 6, "{outcomes:?}");
    assert_eq!((outcomes[0], outcomes[5]), ("allowed", "implicitly_denied"));
    assert!(outcomes[1].starts_with("column 1: this is not UTF-8; write {"), "{outcomes:?}");
    assert!(outcomes[2].contains("a question is a JSON object"), "{outcomes:?}");
    assert!(outcomes[3].contains("missing key `operation`") && !outcomes[3].contains("line 1"), "{outcomes:?}");
    assert!(outcomes[4].contains("unknown key `more`"), "{outcomes:?}");
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("4 questions could not be answered") && !said.contains("stdout"), "{said}");
    let none = scene.run_with(&["can", "--from", "gaad.json"], "\n\n");
    assert_eq!((none.code, none.stdout.as_str()), (0, ""));
    assert!(none.stderr.contains("no question was given") && none.stderr.contains("help: write"), "{}", none.stderr);
}

#[test]
fn a_cluster_is_asked_as_kubectl_asks() {
    let scene = Scene::new().file("cluster.yaml", CLUSTER.as_bytes());
    for (arguments, code) in [
        (&["can", "ops/triage", "get", "secrets", "--on", "ops/db"][..], 0),
        (&["can", "system:serviceaccount:ops:triage", "get secrets", "--on", "ops/db"], 0),
        (&["can", "ops/triage", "delete", "secrets", "--on", "ops/db"], 1),
        (&["can", "ops/triage", "get", "secrets", "more"], 2),
        (&["can", "ops/triage", "get/secrets"], 2),
        (&["explain", "ops/triage", "get", "secrets"], 0),
    ] {
        let run = scene.run(&[arguments, &["--from", "cluster.yaml"]].concat());
        assert_eq!(run.code, code, "{arguments:?}: {}{}", run.stdout, run.stderr);
    }
    // A verb may be one of somebody's own, so that it is no error.
    for (ask, said) in [
        (&["can", "ops/triage", "gett", "secrets"][..], "did you mean `get secrets`?"),
        (&["can", "ops/triage", "get", "secrets", "--context", "a=b"], "`--context` changes nothing"),
    ] {
        let run = scene.run(&[ask, &["--from", "cluster.yaml"]].concat());
        assert!(run.code == 1 && run.stderr.contains(said), "{ask:?}: {} {}", run.code, run.stderr);
    }
    let typed = scene.run(&["can", "ops/triage", "get", "secrts", "--from", "cluster.yaml"]);
    assert!(typed.stderr.contains("did you mean `get secrets`?"), "{}", typed.stderr);
}

#[test]
fn the_configuration_in_use_is_no_input_and_another_one_is_listed() {
    let scene = Scene::with_account().file("evenhand.toml", b"[gate]\n").file("old/evenhand.toml", b"[gate]\n");
    let listed = |arguments: &[&str]| -> Vec<String> {
        let report = json(&scene.run(arguments).stdout);
        let files = report["scan"]["sources"].as_array().unwrap().clone();
        files
            .iter()
            .map(|file| format!("{}: {}", file["path"].as_str().unwrap(), file["what"].as_str().unwrap()))
            .collect()
    };
    let unused = "a configuration of evenhand that this scan does not use";
    let used = listed(&["scan", ".", "-o", "json"]);
    assert!(!used.iter().any(|line| line.starts_with("evenhand.toml")), "{used:?}");
    assert!(used.contains(&format!("old/evenhand.toml: {unused}")), "{used:?}");
    let without = listed(&["scan", ".", "-o", "json", "--no-config"]);
    assert!(without.contains(&format!("evenhand.toml: {unused}")), "{without:?}");
}

#[test]
fn an_output_without_a_folder_is_refused_before_anything_is_read() {
    let scene = Scene::with_account();
    for (output, said) in [("json=no/such.json", "there is no folder `no`"), ("json=.", "`.` is a folder")] {
        let run = scene.run(&["scan", "gaad.json", "-o", output]);
        assert_eq!(run.code, 2, "{output}");
        assert!(run.stderr.contains(said) && !run.stderr.contains("read"), "{}", run.stderr);
    }
}

#[test]
fn a_person_is_explained_with_the_paths_that_lie_open() {
    let escalating = account().replace("logs:GetLogEvents", "iam:CreatePolicyVersion").replace("logs:*", "iam:*");
    let scene = Scene::new().file("gaad.json", escalating.as_bytes());
    let run = scene.run(&["explain", "incident-responder", "--from", "gaad.json"]);
    let paths = run.stdout.split("Paths to more access").nth(1).unwrap_or_default().to_owned();
    assert!(!paths.is_empty(), "{}", run.stdout);
    let agent = scene.run(&["explain", "incident-agent", "--from", "gaad.json"]);
    let paths = agent.stdout.split("Paths to more access").nth(1).unwrap_or_default().to_owned();
    for part in ["1. ", "to become", "by inline policy main statement 0", "at gaad.json#/RoleDetailList/1"] {
        assert!(paths.contains(part), "{part}: {paths}");
    }
}

#[test]
fn a_step_under_conditions_tells_what_it_hangs_on() {
    let assume =
        r#""Action":"sts:AssumeRole","Resource":"*","Condition":{"Bool":{"aws:MultiFactorAuthPresent":"true"}}"#;
    let details = account()
        .replace(r#""Action":["logs:*","s3:DeleteBucket"],"Resource":"*""#, assume)
        .replace(r#""Action":["logs:GetLogEvents","logs:DescribeLogGroups"]"#, r#""Action":"*""#)
        .replace(r#""Federated":"arn:aws:iam::111122223333:saml-provider/sso""#, r#""AWS":"111122223333""#)
        .replace("sts:AssumeRoleWithSAML", "sts:AssumeRole")
        .replace("SAML:aud", "sts:ExternalId");
    let scene = Scene::new().file("gaad.json", details.as_bytes());
    let run = scene.run(&["explain", "incident-agent", "--from", "gaad.json"]);
    let paths = run.stdout.split("Paths to more access").nth(1).unwrap_or_default().to_owned();
    for part in [
        "which has full control (under conditions)",
        ", under conditions on aws:multifactorauthpresent and the conditions of who lets it in",
        "on * if aws:multifactorauthpresent Bool true",
        "if StringEquals sts:externalid https://signin.aws.amazon.com/saml",
    ] {
        assert!(paths.contains(part), "{part}: {paths}");
    }
}

#[test]
fn self_service_of_an_agent_is_no_excess_over_the_self_service_of_people() {
    let statement = |actions: &str, resource: &str| {
        format!(r#"{{"Effect":"Allow","Action":{actions},"Resource":"arn:aws:iam::*:user/{resource}"}}"#)
    };
    let policy = |kind: &str, statement: &str| {
        format!(
            r#""{kind}":[{{"PolicyName":"p","PolicyDocument":{{"Version":"2012-10-17","Statement":[{statement}]}}}}]"#
        )
    };
    let excess = |agents: &str| {
        let keys = r#"["iam:ChangePassword","iam:CreateAccessKey"]"#;
        let user = format!(
            r#"{{"Path":"/","UserName":"bot","UserId":"AIDABOT","Arn":"arn:aws:iam::111122223333:user/bot","GroupList":[],
            "Tags":[{{"Key":"evenhand:nature","Value":"ai_agent"}},{{"Key":"evenhand:human-role","Value":"staff"}}],{}}}"#,
            policy("UserPolicyList", &statement(keys, agents))
        );
        let group = format!(
            r#"{{"Path":"/","GroupName":"staff","GroupId":"AGPA","Arn":"arn:aws:iam::111122223333:group/staff",{}}}"#,
            policy("GroupPolicyList", &statement(keys, "${aws:username}"))
        );
        let ann = r#"{"Path":"/","UserName":"ann","UserId":"AIDAANN","Arn":"arn:aws:iam::111122223333:user/ann",
            "GroupList":["staff"],"Tags":[{"Key":"evenhand:nature","Value":"human"}]}"#;
        let details = format!(
            r#"{{"UserDetailList":[{user},{ann}],"GroupDetailList":[{group}],"RoleDetailList":[],"Policies":[]}}"#
        );
        let scene = Scene::new().file("gaad.json", details.as_bytes());
        let report = json(&scene.run(&["scan", "gaad.json", "-q", "-o", "json"]).stdout);
        let rows = report["tables"]["identities"].as_array().unwrap();
        let agent = rows.iter().find(|row| row["name"] == "bot").unwrap();
        assert_eq!(agent["human_role_name"], "staff", "{agent}");
        agent["excess_operations"].as_u64().unwrap()
    };
    assert_eq!((excess("${aws:username}"), excess("*"), excess("ann")), (0, 2, 0));
}

#[test]
fn the_result_depends_neither_on_the_run_nor_on_the_number_of_threads() {
    let scene = Scene::with_account().file("cluster.yaml", CLUSTER.as_bytes()).file(
        ".mcp.json",
        br#"{"mcpServers":{"a":{"command":"npx","args":["x"]},"b":{"url":"https://b.example.test"}}}"#,
    );
    for format in ["table", "json", "csv:findings", "csv:credentials"] {
        let one = scene.run(&["scan", ".", "-q", "-o", format, "--jobs", "1"]).stdout;
        for jobs in ["1", "2", "0"] {
            assert_eq!(scene.run(&["scan", ".", "-q", "-o", format, "--jobs", jobs]).stdout, one, "{format} {jobs}");
        }
    }
}

#[test]
fn a_document_with_a_broken_part_was_read_in_part_and_the_part_is_told() {
    let trust = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"bedrock.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;
    let details = account().replace(trust, r#""{no policy""#);
    assert_ne!(details, account());
    let run = Scene::new().file("gaad.json", details.as_bytes()).run(&["scan", "gaad.json", "-o", "json"]);
    assert_eq!(json(&run.stdout)["scan"]["sources"][0]["status"], "partial");
    for said in [
        "warning: gaad.json#/RoleDetailList/1/AssumeRolePolicyDocument: ",
        "help: export it again",
        "0 files read, 1 in part, ",
    ] {
        assert!(run.stderr.contains(said), "{said}: {}", run.stderr);
    }
}

#[test]
fn a_document_whose_last_page_is_missing_was_read_in_part() {
    let page = account().replacen('{', r#"{"IsTruncated":true,"Marker":"m","#, 1);
    let run = Scene::new().file("gaad.json", page.as_bytes()).run(&["scan", "gaad.json", "-o", "json"]);
    let report = json(&run.stdout);
    assert_eq!(report["scan"]["sources"][0]["status"], "partial");
    assert_eq!((&report["coverage"]["files_read"], &report["coverage"]["files_partial"]), (&json("0"), &json("1")));
    for said in ["warning: gaad.json: the last page of ", "0 files read, 1 in part, "] {
        assert!(run.stderr.contains(said), "{said}: {}", run.stderr);
    }
}

#[test]
fn a_damaged_document_is_one_gap_with_one_reason() {
    let answer = r#"{"tenant":"3f2a1c00-5d41-4f6e-9a0b-0acac0acac01","host":"graph.microsoft.com","path":"/v1.0/organization","response":{"value":[]}}"#;
    for (name, content) in [
        ("gaad-2.json", account()[..900].to_owned()),
        ("cut.yaml", format!("{CLUSTER}---\nkind: Role\nrules: [\n")),
        ("answers.ndjson", format!("{answer}\n{{\"tenant\": \"x")),
    ] {
        let scene = Scene::with_account().file(name, content.as_bytes());
        let report = json(&scene.run(&["scan", ".", "-o", "json"]).stdout);
        let gaps = report["gaps"].as_array().unwrap();
        let failed: Vec<_> = gaps.iter().filter(|gap| gap["kind"] == "failed").collect();
        assert_eq!(failed.len(), 1, "{name}: {failed:?}");
    }
}
