//! The built binary against servers that play AWS, Azure, GitHub and Kubernetes: what is there is found again, and what it cannot
//! answer is a gap. Servers listen on 127.0.0.1 only and end with the test.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot set up its input, or finds another shape than it expects, has failed"
)]

mod azure;
mod github;
#[cfg(unix)]
mod interrupt;
mod kubernetes;
#[path = "../tools/npm.rs"]
mod npm;
mod store;
#[path = "../tools/mod.rs"]
mod tools;

use std::collections::BTreeSet;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

const MOTO: (&str, &str) = ("moto[server]", "5.2.5");

/// A server with an organisation in it.
struct Cloud {
    child: Child,
    url: String,
    made: Value,
    home: tempfile::TempDir,
}

impl Drop for Cloud {
    fn drop(&mut self) {
        // By its own id; nothing else is ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Cloud {
    fn start() -> Self {
        let server = tools::python_program(MOTO.0, MOTO.1, "moto_server");
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let child = Command::new(&server)
            .args(["-H", "127.0.0.1", "-p", &port.to_string()])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the server starts");
        let mut cloud = Self {
            child,
            url: format!("http://127.0.0.1:{port}"),
            made: Value::Null,
            home: tempfile::tempdir().unwrap(),
        };
        let began = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(began.elapsed() < Duration::from_secs(60), "the server does not answer");
            std::thread::sleep(Duration::from_millis(200));
        }
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/live/world.py");
        let done = Command::new(server.with_file_name("python"))
            .arg(script)
            .arg(&cloud.url)
            .env_remove("AWS_PROFILE")
            .env("NO_PROXY", "127.0.0.1")
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .output()
            .expect("python runs");
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        cloud.made = serde_json::from_slice(&done.stdout).unwrap();
        cloud
    }

    fn evenhand(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_evenhand"))
            .args(arguments)
            .current_dir(self.home.path())
            .env_clear()
            .env("HOME", self.home.path())
            .env("EVENHAND_HOME", self.home.path())
            .env("AWS_ENDPOINT_URL", &self.url)
            .env("AWS_ACCESS_KEY_ID", "testing")
            .env("AWS_SECRET_ACCESS_KEY", "testing")
            .env("AWS_REGION", "eu-west-1")
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .output()
            .expect("the binary runs")
    }

    fn list(&self, name: &str) -> Vec<&Value> {
        self.made[name].as_array().unwrap().iter().collect()
    }
}

fn said(output: &Output) -> String {
    format!("{}\n{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}

/// Pairs as (first, second).
fn pairs(values: &[&Value]) -> BTreeSet<(String, String)> {
    values.iter().map(|pair| (text(&pair[0]), text(&pair[1]))).collect()
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found
}

/// The rows of a table of a report as pairs of two columns, where a third one has a value.
fn rows(report: &Value, table: &str, first: &str, second: &str, only: (&str, &str)) -> BTreeSet<(String, String)> {
    let rows = report["tables"][table].as_array().unwrap_or_else(|| panic!("no table {table}"));
    rows.iter().filter(|row| row[only.0] == only.1).map(|row| (text(&row[first]), text(&row[second]))).collect()
}

#[test]
fn an_organisation_is_found_again_and_what_cannot_be_answered_is_a_gap() {
    let cloud = Cloud::start();
    let collect =
        ["collect", "aws", "--out", "capture", "--all-accounts", "--role", "evenhand-audit", "--region", "eu-west-1"];
    let done = cloud.evenhand(&collect);
    assert!(done.status.success(), "{}", said(&done));
    let capture = cloud.home.path().join("capture");
    for file in files(&capture) {
        let held = std::fs::read_to_string(&file).unwrap();
        // The second is how the first begins in Base64, as user data are.
        let secret = ["canary", "ZmFrZS1jYW5hcn"].iter().any(|secret| held.contains(secret));
        assert!(!secret, "a secret is in {}: {held}", file.display());
    }

    let done = cloud.evenhand(&["inventory", "capture", "-o", "json"]);
    let report: Value = serde_json::from_slice(&done.stdout).unwrap_or_else(|_| panic!("{}", said(&done)));
    for file in report["scan"]["sources"].as_array().unwrap() {
        assert_eq!(file["status"], "read", "{file}");
    }
    let of_kind = |kind: &str| -> BTreeSet<String> {
        rows(&report, "identities", "id", "kind", ("kind", kind)).into_iter().map(|(id, _)| id).collect()
    };
    let made = |name: &str| -> BTreeSet<String> { cloud.list(name).into_iter().map(text).collect() };
    assert_eq!(of_kind("user"), made("users"));
    assert_eq!(of_kind("group"), made("groups"));
    assert!(of_kind("role").is_superset(&made("roles")), "{:?}", of_kind("role"));

    // Edges: keys of users, roles of agents and functions, permission sets in accounts.
    let keys: BTreeSet<(String, String)> = rows(&report, "credentials", "identity", "id", ("kind", "access_key"))
        .into_iter()
        .map(|(user, id)| (user, id.rsplit(['#', '/', ':']).next().unwrap().to_owned()))
        .collect();
    assert!(keys.is_superset(&pairs(&cloud.list("keys"))), "{keys:?} {:?}", cloud.made["keys"]);
    let carried: BTreeSet<(String, String)> = report["tables"]["workloads"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| (text(&row["id"]), text(&row["identity"])))
        .collect();
    for wanted in ["agents", "functions", "running"].iter().flat_map(|name| pairs(&cloud.list(name))) {
        assert!(carried.contains(&wanted), "{wanted:?} is not in {carried:?}");
    }
    for set in cloud.list("permission_sets") {
        let id = format!("{}@{}", text(&set[0]), text(&set[2]));
        assert!(of_kind("permission_set").contains(&id), "{id} is not in {:?}", of_kind("permission_set"));
    }
    let logs = report["tables"]["logs"].as_array().unwrap();
    let trail = logs.iter().find(|log| log["log"] == *cloud.list("trails")[0]).expect("the trail");
    assert_eq!(trail["enabled"], true);
    let secret = rows(&report, "credentials", "id", "identity", ("exposure", "environment"));
    assert!(secret.iter().any(|(id, _)| id.contains("DB_PASSWORD")), "{secret:?}");

    // Edges that decide: groups, boundaries, the organisation's policies.
    let production = text(cloud.list("accounts")[2]);
    let staging = text(cloud.list("accounts")[1]);
    for (name, operation, allowed) in [
        (format!("arn:aws:iam::{production}:user/ann"), "logs:GetLogEvents", true),
        (format!("arn:aws:iam::{production}:role/runtime"), "s3:GetObject", true),
        (format!("arn:aws:iam::{production}:role/runtime"), "ec2:RunInstances", false),
        (format!("arn:aws:iam::{staging}:role/support-agent"), "s3:DeleteObject", true),
        (format!("arn:aws:iam::{production}:role/support-agent"), "s3:DeleteObject", false),
        (format!("arn:aws:iam::{production}:role/support-agent"), "s3:GetObject", true),
    ] {
        let done = cloud.evenhand(&["can", &name, operation, "--from", "capture"]);
        assert_eq!(done.status.success(), allowed, "{name} {operation}: {}", said(&done));
    }

    // What the server does not implement was not found to be absent: it is unknown, and the scan says so.
    let gaps: BTreeSet<String> = report["gaps"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|gap| gap["kind"] == "failed")
        .map(|gap| text(&gap["call"]))
        .collect();
    for call in ["iam list-service-specific-credentials", "bedrock-agentcore-control list-workload-identities"] {
        assert!(gaps.contains(call), "no gap for {call}: {gaps:?}");
    }
    for call in ["iam get-account-authorization-details", "organizations list-accounts", "bedrock-agent get-agent"] {
        assert!(!gaps.contains(call), "a gap for {call}: {gaps:?}");
    }
    let gated = cloud.evenhand(&["scan", "capture", "--fail-on", "critical", "-o", "json"]);
    assert_eq!(gated.status.code(), Some(4), "{}", said(&gated));
    take_overs(&cloud, &serde_json::from_slice(&gated.stdout).unwrap());

    // A capture is not overwritten, and going on with a finished one keeps what was answered.
    assert_eq!(cloud.evenhand(&collect).status.code(), Some(2));
    let before = std::fs::read_to_string(capture.join("aws/organization/policies-of-targets.ndjson")).unwrap();
    let resumed = cloud.evenhand(&[&collect[..], &["--resume"]].concat());
    assert!(resumed.status.success(), "{}", said(&resumed));
    let after = std::fs::read_to_string(capture.join("aws/organization/policies-of-targets.ndjson")).unwrap();
    assert_eq!(before, after);

    live_scan(&cloud);
    doctor(&cloud);
}

/// Whoever may do everything with what runs with a role takes it over, and all of what the server knows was read.
fn take_overs(cloud: &Cloud, report: &Value) {
    let cara = format!("arn:aws:iam::{}:user/cara", text(cloud.list("accounts")[2]));
    let identities = report["tables"]["identities"].as_array().unwrap();
    let row = identities.iter().find(|row| row["id"] == *cara).expect("the user");
    assert_eq!(row["can_escalate"], true, "{row}");
    for gap in report["gaps"].as_array().unwrap() {
        assert!(!text(&gap["facts"]).contains("can take over"), "{gap}");
    }
}

/// `scan aws` says the same, and no path of this machine.
fn live_scan(cloud: &Cloud) {
    let done = cloud.evenhand(&["scan", "aws", "--region", "eu-west-1", "-o", "json"]);
    let report: Value = serde_json::from_slice(&done.stdout).unwrap_or_else(|_| panic!("{}", said(&done)));
    let management = text(&cloud.made["management"]);
    let paths: Vec<String> =
        report["scan"]["sources"].as_array().unwrap().iter().map(|file| text(&file["path"])).collect();
    let details = format!("aws/{management}/account-authorization-details.json");
    assert!(paths.contains(&details), "{paths:?}");
    assert!(paths.iter().all(|path| path.starts_with("aws/")), "{paths:?}");
    assert_eq!(cloud.evenhand(&["scan", ".", "--profile", "x"]).status.code(), Some(2));
}

fn doctor(cloud: &Cloud) {
    let done = cloud.evenhand(&["doctor", "aws", "--region", "eu-west-1"]);
    assert_eq!(done.status.code(), Some(4), "{}", said(&done));
    let lines = String::from_utf8(done.stdout).unwrap();
    let line = |call: &str| lines.lines().find(|line| line.contains(call)).unwrap_or_else(|| panic!("{call}: {lines}"));
    assert!(line(" iam get-account-authorization-details ").starts_with("allowed"));
    let failed = line(" iam list-service-specific-credentials ");
    assert!(failed.starts_with("failed") && failed.contains("long-term keys for Bedrock"), "{failed}");
    assert!(line(" bedrock-agent get-agent ").starts_with("not tried"), "this account has no agents");
}
