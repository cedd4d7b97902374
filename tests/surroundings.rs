//! What stands around the program, the action, the manifests and the units, is what others take for one, and it does what
//! it says.
#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot set up its input, or finds another shape than it expects, has failed"
)]

mod tools;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use tools::{python_program, tools};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).expect(path)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// An empty folder under `target/tools`.
fn folder(name: &str) -> PathBuf {
    let folder = tools().join(name);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).expect("a folder");
    folder
}

const CHECKER: (&str, &str) = ("check-jsonschema", "0.39.0");

#[test]
fn the_action_is_one_in_the_eyes_of_another_validator() {
    let checker = python_program(CHECKER.0, CHECKER.1, "check-jsonschema");
    let check = |file: &Path| {
        let builtin = ["--builtin-schema", "vendor.github-actions"];
        Command::new(&checker).args(builtin).arg(file).output().expect("the validator runs")
    };
    let done = check(&root().join("action.yml"));
    assert!(done.status.success(), "{}", text(&done.stdout));
    let broken = folder("action-broken").join("action.yml");
    std::fs::write(&broken, read("action.yml").replacen("using: composite", "using: shell", 1)).expect("written");
    assert!(!check(&broken).status.success(), "an unknown way of running must be refused");
}

/// The steps of the action.
fn steps() -> Vec<Value> {
    let python = python_program(CHECKER.0, CHECKER.1, "python");
    let script = "import json,sys\nfrom ruamel.yaml import YAML\n\
                  print(json.dumps(YAML(typ='safe').load(open(sys.argv[1]))['runs']['steps']))";
    let done = Command::new(python).args(["-c", script]).arg(root().join("action.yml")).output().expect("python runs");
    assert!(done.status.success(), "{}", text(&done.stderr));
    serde_json::from_slice(&done.stdout).expect("JSON")
}

#[test]
fn no_script_of_the_action_holds_an_expression() {
    let scripts: Vec<Value> = steps().iter().filter_map(|step| step.get("run").cloned()).collect();
    assert!(scripts.len() >= 4);
    assert!(!scripts.iter().any(|script| script.as_str().is_some_and(|script| script.contains("${{"))), "{scripts:?}");
}

/// Runs the scan of the action as a runner would, in a folder of its own; what it said, and its outputs and summary.
#[cfg(unix)]
fn scan(name: &str, inputs: &[(&str, &str)]) -> (Output, BTreeMap<String, String>, PathBuf) {
    let work = folder(name);
    let binary = work.join("temp/evenhand/bin");
    std::fs::create_dir_all(&binary).expect("a folder");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_evenhand"), binary.join("evenhand")).expect("linked");
    let steps = steps();
    let step = steps.iter().find(|step| step["id"] == "scan").expect("a step `scan`");
    let script = work.join("temp/script.sh");
    std::fs::write(&script, step["run"].as_str().expect("a script")).expect("written");
    let mut command = Command::new("bash");
    command.args(["--noprofile", "--norc", "-e", "-o", "pipefail"]).arg(&script).current_dir(&work);
    // As the action gives its inputs over, without which a test would pass over a name that is spelled wrong.
    for (variable, expression) in step["env"].as_object().expect("inputs") {
        let input = expression.as_str().expect("text").trim_start_matches("${{ inputs.").trim_end_matches(" }}");
        let given = inputs.iter().find(|(name, _)| *name == input);
        command.env(variable, given.map_or("", |(_, value)| value));
    }
    for (input, _) in inputs {
        assert!(
            step["env"].as_object().expect("inputs").values().any(|held| held == &format!("${{{{ inputs.{input} }}}}")),
            "{input}"
        );
    }
    let outputs = work.join("temp/outputs");
    command.env("RUNNER_TEMP", work.join("temp")).env("GITHUB_OUTPUT", &outputs);
    command.env("GITHUB_STEP_SUMMARY", work.join("temp/summary")).env("EVENHAND_NOW", "2026-11-20T09:00:00Z");
    let done = command.output().expect("bash runs");
    let written = std::fs::read_to_string(&outputs).expect("outputs");
    let written = written.lines().filter_map(|line| line.split_once('='));
    let written = written.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    (done, written, work)
}

#[cfg(unix)]
#[test]
fn the_action_scans_and_hands_the_gate_s_answer_on() {
    let acme = root().join("examples/acme");
    let acme = acme.to_string_lossy();
    let (done, written, work) = scan(
        "action-failed",
        &[
            ("sources", &acme),
            ("json", "posture.json"),
            ("sarif", "e.sarif"),
            ("summary", "true"),
            ("fail-on", "critical"),
        ],
    );
    assert!(done.status.success(), "the gate is the last step: {}", text(&done.stderr));
    assert_eq!(written.get("exit-code").map(String::as_str), Some("1"), "{}", text(&done.stderr));
    assert_eq!(written.get("json").map(String::as_str), Some("posture.json"));
    assert!(work.join("posture.json").is_file() && work.join("e.sarif").is_file());
    assert_eq!(written.get("sarif").map(String::as_str), Some("e.sarif"));
    let (done, written, _) =
        scan("action-passed", &[("sources", &acme), ("arguments", "--rule\nno-owner\n--fail-on\ncritical")]);
    assert_eq!(written.get("exit-code").map(String::as_str), Some("0"), "{}", text(&done.stderr));
}

#[cfg(unix)]
#[test]
fn whatever_is_passed_to_the_action_is_a_text_and_never_code() {
    let hostile = "$(touch pwned); `touch pwned` \"; touch pwned; '";
    for input in ["sources", "config", "fail-on", "min-score", "baseline", "json", "arguments"] {
        let mut inputs = vec![(input, hostile)];
        if input != "sources" {
            inputs.push(("sources", "."));
        }
        let (_, written, work) = scan("action-hostile", &inputs);
        assert_ne!(written.get("exit-code").map(String::as_str), Some("0"), "{input}");
        assert!(!work.join("pwned").exists(), "{input} was run");
    }
}

#[test]
fn the_role_of_the_cron_job_is_the_least_that_a_scan_needs() {
    let done = Command::new(env!("CARGO_BIN_EXE_evenhand"))
        .args(["doctor", "kubernetes", "--print-role"])
        .output()
        .expect("the binary runs");
    assert!(done.status.success(), "{}", text(&done.stderr));
    assert_eq!(
        read("deploy/kubernetes/role.yaml"),
        text(&done.stdout),
        "write it anew with `evenhand doctor kubernetes --print-role`"
    );
}

#[test]
fn the_manifests_fit_the_schemas_of_kubernetes() {
    let checker = python_program("kubernetes-validate", "1.37.0", "kubernetes-validate");
    let check = |file: &Path| {
        let strict = ["-k", "1.36", "--strict"];
        Command::new(&checker).args(strict).arg(file).output().expect("the validator runs")
    };
    for name in ["access", "cronjob", "role"] {
        let done = check(&root().join(format!("deploy/kubernetes/{name}.yaml")));
        assert!(done.status.success(), "{name}: {}{}", text(&done.stdout), text(&done.stderr));
    }
    let broken = folder("manifests").join("cronjob.yaml");
    let misspelt = read("deploy/kubernetes/cronjob.yaml").replacen("readOnlyRootFilesystem", "readOnlyRoot", 1);
    std::fs::write(&broken, misspelt).expect("written");
    assert!(!check(&broken).status.success(), "an unknown setting must be refused");
}

#[test]
fn the_units_are_understood_and_locked_up() {
    let analyze =
        |arguments: &[&str], files: &[PathBuf]| Command::new("systemd-analyze").args(arguments).args(files).output();
    if analyze(&["--version"], &[]).is_err() {
        println!("skipped: there is no systemd-analyze on this machine");
        return;
    }
    let work = folder("units");
    let files = ["evenhand.service", "evenhand.timer"].map(|name| {
        // The program has to be where the unit says, and here it is elsewhere.
        let unit = read(&format!("deploy/systemd/{name}"))
            .replace("ExecStart=/usr/local/bin/evenhand", &format!("ExecStart={}", env!("CARGO_BIN_EXE_evenhand")));
        let path = work.join(name);
        std::fs::write(&path, unit).expect("written");
        path
    });
    let done = analyze(&["verify", "--man=no"], &files).expect("runs");
    assert!(done.status.success() && done.stderr.is_empty(), "{}", text(&done.stderr));
    // 0 is locked up, 10 is open.
    let done = analyze(&["security", "--offline=yes", "--threshold=20"], &files[..1]).expect("runs");
    assert!(done.status.success(), "{}{}", text(&done.stdout), text(&done.stderr));
}
