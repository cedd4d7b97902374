//! Every form of report, as users and pipelines ask for it.

use evenhand::formats::FORMATS;

use crate::common::{CLUSTER, Scene, json};

/// A product of Security Hub, which one form needs.
pub(crate) const PRODUCT: &str = "arn:aws:securityhub:eu-central-1:111122223333:product/111122223333/default";

#[test]
fn every_form_depends_on_the_input_alone() {
    let scene = Scene::with_account().file("cluster.yaml", CLUSTER.as_bytes()).file(
        ".mcp.json",
        br#"{"mcpServers":{"a":{"command":"x","env":{"API_KEY":"not-a-real-secret-0123456789abcdef"}}}}"#,
    );
    for name in FORMATS.iter().map(|format| format.name).chain(["csv:credentials"]) {
        let run = |jobs: &str| scene.run(&["scan", ".", "-o", name, "--jobs", jobs, "--asff-product", PRODUCT]);
        let first = run("1");
        assert_eq!(first.code, 0, "{name}: {}", first.stderr);
        assert!(!first.stdout.is_empty(), "{name}");
        assert_eq!(run("7").stdout, first.stdout, "{name}");
    }
}

#[test]
fn the_gate_decides_alike_whatever_the_form() {
    let scene = Scene::with_account();
    for format in FORMATS {
        let run = |gate: &[&str]| {
            let mut arguments = vec!["scan", "gaad.json", "-q", "-o", format.name, "--asff-product", PRODUCT];
            arguments.extend(gate);
            scene.run(&arguments)
        };
        let (free, failed) = (run(&[]), run(&["--fail-on", "low"]));
        assert_eq!((free.code, failed.code), (0, 1), "{}", format.name);
        assert_eq!(free.stdout, failed.stdout, "{}: the report is the same", format.name);
    }
}

#[test]
fn a_table_in_a_file_holds_all_rows_and_one_on_stdout_the_first_of_them() {
    let account = |number: usize| {
        let nature = "annotations: {evenhand.dev/nature: ai_agent}";
        format!(
            "apiVersion: v1\nkind: ServiceAccount\nmetadata: {{name: bot-{number:02}, namespace: ops, {nature}}}\n---\n"
        )
    };
    let scene = Scene::new().file("all.yaml", (0..25).map(account).collect::<String>().as_bytes());
    for verb in ["scan", "inventory"] {
        let held = |text: &str| (0..25).filter(|number| text.contains(&format!("bot-{number:02}"))).count();
        let shown = scene.run(&[verb, "all.yaml"]);
        assert!(held(&shown.stdout) < 25 && shown.stdout.contains("more;"), "{verb}: {}", shown.stdout);
        let all = scene.run(&[verb, "all.yaml", "--all"]);
        assert_eq!(held(&all.stdout), 25, "{verb}: {}", all.stdout);
        let run = scene.run(&[verb, "all.yaml", "-o", "table=t.txt"]);
        assert_eq!(run.code, 0, "{verb}: {}", run.stderr);
        let file = scene.read("t.txt");
        assert!(held(&file) == 25 && !file.contains("more;"), "{verb}: {file}");
    }
}

#[test]
fn where_nobody_was_found_what_tells_gaps_is_written_all_the_same() {
    let scene = Scene::new().file("notes.json", b"{}");
    for format in FORMATS {
        let run = scene.run(&["scan", ".", "--allow-empty", "-o", format.name, "--asff-product", PRODUCT]);
        assert_eq!(run.code, 0, "{}: {}", format.name, run.stderr);
        // A form of one event per finding has nothing to say of nobody, and is an empty file all the same.
        let says = format.tells_gaps && format.name != "ocsf";
        assert_eq!(!run.stdout.is_empty(), says, "{}: {}", format.name, run.stdout);
    }
    let more = ["--save", "posture", "--evidence-dir", "ev", "-o", "table=t.txt"];
    let run = scene.run(&[&["scan", ".", "--allow-empty"][..], &more].concat());
    for said in ["no scan is saved", "no evidence file is written", "`t.txt` is not written"] {
        assert!(run.code == 0 && run.stderr.contains(said), "{said}: {}", run.stderr);
    }
    assert!(!scene.path("posture").exists() && !scene.path("ev").exists() && !scene.path("t.txt").exists());
    let log = json(&scene.run(&["scan", ".", "--allow-empty", "-o", "sarif"]).stdout);
    assert_eq!(log["runs"].as_array().unwrap().len(), 1);
    assert_eq!(log["runs"][0]["automationDetails"]["id"], "evenhand/");
}

#[test]
fn a_scan_that_is_incomplete_says_so_in_every_form_of_findings() {
    let scene = Scene::with_account().file("broken.json", br#"{"RoleDetailList":[{"RoleName":7}]}"#);
    let run = |format: &str| scene.run(&["scan", ".", "-q", "-o", format, "--asff-product", PRODUCT]);
    let gaps = json(&run("json").stdout)["gaps"].to_string();
    assert!(gaps.contains("\"failed\"") && gaps.contains("broken.json"), "{gaps}");
    for format in FORMATS.iter().filter(|format| format.tells_gaps) {
        let text = run(format.name).stdout;
        assert!(text.contains("broken.json"), "{}: {text}", format.name);
    }
    let log = json(&run("sarif").stdout);
    assert_eq!(log["runs"][0]["invocations"][0]["executionSuccessful"], false);
}

#[test]
fn the_evidence_folder_holds_what_sarif_points_at() {
    let scene = Scene::with_account();
    let run = scene.run(&["scan", "gaad.json", "-o", "sarif", "--evidence-dir", "out/evidence"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let log = json(&run.stdout);
    let results: Vec<_> =
        log["runs"].as_array().unwrap().iter().flat_map(|run| run["results"].as_array().unwrap()).collect();
    assert!(!results.is_empty());
    for result in results {
        let place = &result["locations"][0]["physicalLocation"];
        let text = scene.read(place["artifactLocation"]["uri"].as_str().unwrap());
        let first = usize::try_from(place["region"]["startLine"].as_u64().unwrap()).unwrap();
        let id = text.lines().nth(first).unwrap();
        assert!(id.contains(result["partialFingerprints"]["evenhandFinding/v1"].as_str().unwrap()), "{id}");
    }
    let index = json(&scene.read("out/evidence/evenhand-evidence.json"));
    for file in index["files"].as_array().unwrap() {
        assert!(scene.path("out/evidence").join(file["path"].as_str().unwrap()).is_file());
    }
    let blocked = scene.run(&["scan", "gaad.json", "-o", "sarif", "--evidence-dir", "gaad.json"]);
    assert_eq!(blocked.code, 2);
    assert!(blocked.stderr.contains("`gaad.json` is no folder"), "{}", blocked.stderr);
}

#[test]
fn evidence_of_an_earlier_scan_is_no_source_and_leaves_the_folder_when_it_is_stale() {
    let scene = Scene::with_account().file("ev/mine.json", b"{}");
    let scan = |more: &[&str]| scene.run(&[&["scan", ".", "--evidence-dir", "ev", "-o", "json"][..], more].concat());
    let (first, second) = (scan(&[]), scan(&[]));
    let (was, is) = (json(&first.stdout), json(&second.stdout));
    assert_eq!((&was["scan"]["id"], &was["findings"]), (&is["scan"]["id"], &is["findings"]));
    assert!(second.stderr.contains("1 not recognised"), "only the file of the user's own: {}", second.stderr);
    let held = || -> Vec<String> {
        let files = walkdir::WalkDir::new(scene.path("ev")).sort_by_file_name().into_iter().map(Result::unwrap);
        let files = files.filter(|file| file.file_type().is_file());
        files.map(|file| file.path().strip_prefix(scene.path("ev")).unwrap().display().to_string()).collect()
    };
    let before = held();
    assert_eq!(scan(&["--rule", "expired-credential-left"]).code, 0);
    let index = json(&scene.read("ev/evenhand-evidence.json"));
    let listed = index["files"].as_array().unwrap().iter().map(|file| file["path"].as_str().unwrap().to_owned());
    let mut expected: Vec<String> = listed.chain(["evenhand-evidence.json", "mine.json"].map(str::to_owned)).collect();
    expected.sort();
    assert_eq!(held(), expected);
    assert!(before.len() > expected.len(), "{before:?}");
    assert!(scene.path("ev").read_dir().unwrap().all(|entry| entry.unwrap().file_type().unwrap().is_file()));
}

#[cfg(unix)]
#[test]
fn no_new_evidence_is_stale_under_another_name_and_nothing_outside_the_folder_is() {
    use std::os::unix::fs::symlink;

    const INDEX: &str = "ev/evenhand-evidence.json";
    let scene = Scene::with_account();
    let scan = |scene: &Scene| scene.run(&["scan", "gaad.json", "--evidence-dir", "ev", "-o", "json=out.json"]).code;
    assert_eq!(scan(&scene), 0);
    let mut index = json(&scene.read(INDEX));
    let files = index["files"].as_array_mut().unwrap();
    let path = files[0]["path"].as_str().unwrap().to_owned();
    // As a file system has it that tells no `A` from `a`.
    files[0]["path"] = path.replacen("aws/", "AWS/", 1).into();
    files.push(serde_json::json!({"path": "linked/mine.json"}));
    symlink("aws", scene.path("ev/AWS")).unwrap();
    symlink("../outside", scene.path("ev/linked")).unwrap();
    let evidence = scene.read(&format!("ev/{path}"));
    let scene = scene.file(INDEX, index.to_string().as_bytes()).file("outside/mine.json", evidence.as_bytes());
    assert_eq!(scan(&scene), 0);
    for path in [format!("ev/{path}"), "outside/mine.json".to_owned()] {
        assert!(scene.path(&path).exists(), "{path}");
    }
}

#[test]
fn a_form_that_has_nothing_to_say_is_refused_with_a_remedy() {
    let scene = Scene::with_account();
    for (arguments, told) in [
        (["scan", "gaad.json", "-o", "asff"].as_slice(), "--asff-product arn:aws:securityhub:"),
        (&["inventory", "gaad.json", "-o", "sarif"], "take `evenhand scan`"),
        (&["scan", "gaad.json", "-o", "junitt"], "did you mean `junit`?"),
        (&["scan", "gaad.json", "-o", "asff", "--asff-product", "hub"], "arn:aws:securityhub:REGION:ACCOUNT"),
    ] {
        let run = scene.run(arguments);
        assert_eq!(run.code, 2, "{arguments:?}");
        assert!(run.stderr.contains(told), "{arguments:?}: {}", run.stderr);
    }
}

/// Everything that the example organisation has, and an accepted exception.
#[test]
fn a_saved_report_is_written_in_every_form_as_the_scan_would_have_written_it() {
    let acme = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/acme");
    let acme = acme.to_str().unwrap();
    let config = std::fs::read_to_string(format!("{acme}/evenhand.toml")).unwrap();
    let waived = "\n[[waiver]]\nrule = \"ai-identity-administrator\"\n\
                  identity = \"kubernetes:prod-eu:serviceaccount:sre/cluster-tools\"\n\
                  reason = \"r\"\nowner = \"a\"\napprover = \"b\"\nticket = \"T\"\nexpires = 2027-01-31\n";
    let scene = Scene::new().file("evenhand.toml", format!("{config}{waived}").as_bytes());
    let names = || {
        let tables = ["csv:credentials", "csv:excess", "csv:paths", "csv:gaps"];
        FORMATS.iter().map(|format| format.name).chain(tables)
    };
    let all = |folder: &str| -> Vec<String> {
        std::fs::create_dir_all(scene.path(folder)).unwrap();
        names().flat_map(|name| ["-o".to_owned(), format!("{name}={folder}/{name}")]).collect()
    };
    let more = ["--asff-product", PRODUCT, "--evidence-dir"];
    let scanned = all("scanned");
    let scanned: Vec<&str> = scanned.iter().map(String::as_str).collect();
    let run = scene.run(
        &[&["scan", acme, "--config", "evenhand.toml"][..], &scanned, &more, &["ev-a", "--save", "store-a"]].concat(),
    );
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(scene.read("scanned/json").contains("\"ticket\": \"T\""), "an exception is among them");
    let again = all("again");
    let again: Vec<&str> = again.iter().map(String::as_str).collect();
    let run = scene.run(&[&["report", "scanned/json"][..], &again, &more, &["ev-b", "--save", "store-b"]].concat());
    assert_eq!(run.code, 0, "{}", run.stderr);
    for name in names() {
        let text = |folder: &str| scene.read(&format!("{folder}/{name}")).replace("ev-a", "ev").replace("ev-b", "ev");
        let (was, is) = (text("scanned"), text("again"));
        let first = was.lines().zip(is.lines()).find(|(was, is)| was != is);
        assert!(was == is, "{name}: {first:?}");
    }
    assert_eq!(scene.read("ev-a/evenhand-evidence.json"), scene.read("ev-b/evenhand-evidence.json"));
    let query = ["--sql", "SELECT COUNT(*) AS findings, SUM(LENGTH(title)) AS letters FROM findings", "-o", "csv"];
    let asked = |store: &str| scene.run(&[&["history", store][..], &query].concat()).stdout;
    assert_eq!(asked("store-a"), asked("store-b"));
    let trend = |store: &str| scene.run(&["history", store, "-o", "csv"]).stdout;
    assert_eq!(trend("store-a"), trend("store-b"));
    // A pipe of reports.
    let piped = scene.run_with(&["report", "-", "-o", "csv:findings"], &scene.read("scanned/json"));
    assert_eq!(piped.stdout, scene.read("scanned/csv:findings"));
}

#[test]
fn what_is_no_report_of_this_version_is_refused_with_a_remedy() {
    let scene = Scene::with_account();
    assert_eq!(scene.run(&["scan", "gaad.json", "-o", "json=whole.json"]).code, 0);
    assert_eq!(scene.run(&["scan", "gaad.json", "-o", "json=part.json", "--severity", "critical"]).code, 0);
    assert_eq!(scene.run(&["inventory", "gaad.json", "-o", "json=inventory.json"]).code, 0);
    let whole = scene.read("whole.json");
    let id = json(&whole)["scan"]["id"].as_str().unwrap().to_owned();
    let scene = scene
        .file("path.json", whole.replace(&id, "../../../evil").as_bytes())
        .file("form.json", whole.replace("evenhand/report/v1", "evenhand/report/v9").as_bytes())
        .file("provider.json", whole.replace("\"provider\": \"aws\"", "\"provider\": \"moon\"").as_bytes());
    for (arguments, told) in [
        (&["report", "absent.json"][..], "cannot be read"),
        (&["report", "gaad.json"], "is no JSON report of a scan"),
        (&["report", "form.json"], "`evenhand/report/v9`"),
        (&["report", "provider.json"], "`moon`"),
        (&["report", "path.json", "--save", "store"], "has the scan id `../../../evil`"),
        (&["report", "part.json", "--save", "store"], "not a whole scan"),
        (&["report", "inventory.json", "-o", "sarif"], "is about findings"),
        (&["report", "whole.json", "-o", "asff"], "--asff-product"),
    ] {
        let run = scene.run(arguments);
        assert!(run.code == 2 && run.stderr.contains(told), "{arguments:?}: {}", run.stderr);
    }
    assert_eq!(scene.run(&["report", "inventory.json"]).code, 0);
    let filtered = scene.run(&["report", "whole.json", "--severity", "critical", "-o", "json"]);
    assert_eq!(filtered.stdout, scene.read("part.json"), "filtered later as at first");
}
