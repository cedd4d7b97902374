//! The built binary against an API server of our own: what a user sees of a collection, of its failures, and of what may
//! not be read.

#[expect(dead_code, reason = "the provider's own tests use the rest")]
#[path = "../../providers/kubernetes/src/collect/tests/server.rs"]
mod server;
#[expect(dead_code, reason = "the provider's own tests use the rest")]
#[path = "../../providers/kubernetes/src/collect/tests/world.rs"]
mod world;

use std::collections::BTreeSet;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::{files, said, text};
use server::{Fault, Server};
use world::{CANARY, world};

/// A user's machine: a home folder with a kubeconfig.
struct Machine {
    home: tempfile::TempDir,
}

impl Machine {
    fn with(servers: &[(&str, &Server)]) -> Self {
        let home = tempfile::tempdir().unwrap();
        std::fs::create_dir(home.path().join(".kube")).unwrap();
        std::fs::write(home.path().join(".kube/config"), Server::kubeconfig(servers)).unwrap();
        Self { home }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_evenhand"));
        command
            .args(arguments)
            .current_dir(self.home.path())
            .env_clear()
            .env("HOME", self.home.path())
            .env("EVENHAND_HOME", self.home.path())
            .env("EVENHAND_FINGERPRINT_KEY", "test")
            .env("EVENHAND_NOW", "2026-11-01");
        command
    }

    fn evenhand(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().expect("the binary runs")
    }

    fn report(&self, arguments: &[&str]) -> Value {
        let done = self.evenhand(arguments);
        serde_json::from_slice(&done.stdout).unwrap_or_else(|_| panic!("{}", said(&done)))
    }
}

#[test]
fn a_cluster_is_collected_scanned_and_holds_no_secret() {
    let server = Server::new(world(), |seen| match seen.path.as_str() {
        "/api/v1/nodes" => Some(Fault::Status(403, "Forbidden")),
        _ => None,
    });
    let machine = Machine::with(&[("prod", &server)]);
    let done = machine.evenhand(&["collect", "kubernetes", "--out", "capture", "--secrets"]);
    assert!(done.status.success(), "{}", said(&done));
    let stderr = String::from_utf8_lossy(&done.stderr).into_owned();
    for part in [
        "kubernetes list nodes: Forbidden (prod)",
        "which nodes there are",
        "without TLS",
        "from 1 cluster, 1 call not answered",
    ] {
        assert!(stderr.contains(part), "no `{part}` in {stderr}");
    }
    for file in files(&machine.home.path().join("capture")) {
        let held = std::fs::read_to_string(&file).unwrap().to_lowercase();
        assert!(!held.contains("canary"), "a secret is in {}: {held}", file.display());
    }
    let scanned = machine.report(&["scan", "capture", "-o", "json"]);
    for file in scanned["scan"]["sources"].as_array().unwrap() {
        assert_eq!(file["status"], "read", "{file}");
    }
    let failed: Vec<&Value> =
        scanned["gaps"].as_array().unwrap().iter().filter(|gap| gap["kind"] == "failed").collect();
    assert!(failed.len() == 1 && failed[0]["call"] == "list nodes", "{failed:?}");
    let agent = "kubernetes:prod:serviceaccount:ops/agent";
    let identities = scanned["tables"]["identities"].as_array().unwrap();
    let row = identities.iter().find(|row| row["id"] == agent).unwrap_or_else(|| panic!("{identities:?}"));
    assert_eq!((&row["nature"], &row["owner"]), (&"ai_agent".into(), &"platform".into()), "{row}");
    let gated = machine.evenhand(&["scan", "capture", "--fail-on", "critical", "-o", "json=r.json"]);
    assert_eq!(gated.status.code(), Some(4), "what may not be read is never passed: {}", said(&gated));

    // At once, under names that are no paths of this machine.
    let live = machine.report(&["scan", "kubernetes", "--secrets", "-o", "json"]);
    assert_eq!(live["tables"], renamed(&scanned["tables"]), "a live scan says the same");
    let paths: BTreeSet<String> =
        live["scan"]["sources"].as_array().unwrap().iter().map(|file| text(&file["path"])).collect();
    assert!(paths.contains("kubernetes/prod/pods.json") && paths.iter().all(|path| path.starts_with("kubernetes/")));

    assert!(server.seen().iter().all(|seen| seen.method == "GET"));
    assert_eq!(machine.evenhand(&["collect", "kubernetes", "--out", "capture"]).status.code(), Some(2));
    for (arguments, part) in [
        (&["collect", "kubernetes", "--out", "x", "--region", "eu-west-1"][..], "`--region` is an option of `aws`"),
        (&["scan", ".", "--context", "prod"][..], "no source is one"),
        (&["collect", "kubernetes", "--out", "x", "--context", "stage"][..], "no context `stage`"),
        (&["collect", "kubernetes", "--out", "x", "--kubeconfig", "none"][..], "no cluster is configured"),
    ] {
        let done = machine.evenhand(arguments);
        assert!(done.status.code() == Some(2) && said(&done).contains(part), "{}", said(&done));
    }
}

/// The same with the paths that a live scan shows.
fn renamed(tables: &Value) -> Value {
    serde_json::from_str(&tables.to_string().replace("capture/kubernetes/", "kubernetes/")).unwrap()
}

#[test]
fn doctor_says_what_may_not_be_asked_and_prints_the_roles() {
    let server = Server::new(world(), |seen| (seen.path == "/api/v1/pods").then_some(Fault::Status(403, "Forbidden")));
    let machine = Machine::with(&[("prod", &server)]);
    let done = machine.evenhand(&["doctor", "kubernetes"]);
    assert_eq!(done.status.code(), Some(4), "{}", said(&done));
    let lines = String::from_utf8(done.stdout).unwrap();
    let line = |call: &str| lines.lines().find(|line| line.contains(call)).unwrap_or_else(|| panic!("{call}: {lines}"));
    assert!(line(" list serviceaccounts ").starts_with("allowed"));
    assert!(line(" list pods ").starts_with("refused") && line(" list pods ").contains("what runs with each account"));
    assert!(line(" list *.ray.io ").starts_with("absent"));
    assert!(!lines.contains("secrets") && String::from_utf8_lossy(&done.stderr).contains("--print-role"));

    let role = String::from_utf8(machine.evenhand(&["doctor", "kubernetes", "--print-role"]).stdout).unwrap();
    assert!(role.contains("kind: ClusterRole\n") && !role.contains("secrets") && !role.contains("get, list"), "{role}");
    let both =
        String::from_utf8(machine.evenhand(&["doctor", "kubernetes", "--print-role", "--secrets"]).stdout).unwrap();
    assert!(both.starts_with(&role) && both.contains("name: evenhand-secrets"), "{both}");
}

#[test]
fn a_cluster_that_lets_nobody_in_makes_a_scan_incomplete_without_a_gate_too() {
    let good = Server::new(world(), |_| None);
    let dead = Server::new(world(), |_| Some(Fault::Status(401, "Unauthorized")));
    let machine = Machine::with(&[("good", &good), ("dead", &dead)]);
    for which in [&["--context", "good", "--context", "dead"][..], &["--all-contexts"]] {
        let scan = |more: &[&str]| machine.evenhand(&[&["scan", "kubernetes", "-o", "json"], which, more].concat());
        let done = scan(&[]);
        assert_eq!(done.status.code(), Some(4), "{}", said(&done));
        let stderr = String::from_utf8_lossy(&done.stderr).into_owned();
        assert!(stderr.contains("a source could not be read") && stderr.contains("--allow-partial"), "{stderr}");
        // What could be read is reported all the same.
        let report: Value = serde_json::from_slice(&done.stdout).unwrap();
        let identities = report["tables"]["identities"].to_string();
        assert!(identities.contains("kubernetes:good:") && !identities.contains("kubernetes:dead:"), "{identities}");
        assert_eq!(scan(&["--allow-partial"]).status.code(), Some(0));
    }
    let alone = machine.evenhand(&["scan", "kubernetes", "--context", "good", "-o", "json"]);
    assert_eq!(alone.status.code(), Some(0), "{}", said(&alone));
}

#[cfg(unix)]
#[test]
fn ctrl_c_leaves_a_capture_that_can_be_gone_on_with() {
    let waits = std::sync::atomic::AtomicBool::new(true);
    let server = Server::new(world(), move |seen| {
        let first = seen.path == "/api/v1/pods" && waits.swap(false, std::sync::atomic::Ordering::SeqCst);
        first.then_some(Fault::Slow(Duration::from_secs(5)))
    });
    let machine = Machine::with(&[("prod", &server)]);
    let collect = ["collect", "kubernetes", "--out", "capture"];
    let child = machine.command(&collect).stderr(std::process::Stdio::piped()).spawn().unwrap();
    let began = Instant::now();
    // Everything else is there before the end.
    while server.count("/apis/kagent.dev/v1alpha1/mcpservers") == 0 {
        assert!(began.elapsed() < Duration::from_secs(30), "the lists are not asked for");
        std::thread::sleep(Duration::from_millis(20));
    }
    std::thread::sleep(Duration::from_millis(300));
    let told = Command::new("sh").arg("-c").arg(format!("kill -INT {}", child.id())).status().unwrap();
    assert!(told.success());
    let done = child.wait_with_output().unwrap();
    assert_eq!(done.status.code(), Some(4), "{}", said(&done));
    assert!(said(&done).contains("interrupted"), "{}", said(&done));
    let report = machine.report(&["inventory", "capture", "-o", "json"]);
    let gaps = report["gaps"].to_string();
    assert!(gaps.contains("list pods") && gaps.contains("collect kubernetes --resume"), "{gaps}");
    let done = machine.evenhand(&[&collect[..], &["--resume"]].concat());
    assert!(done.status.success(), "{}", said(&done));
    assert_eq!(server.count("/api/v1/serviceaccounts"), 1, "what was read is not read again");
    assert!(machine.home.path().join("capture/kubernetes/prod/pods.json").is_file());
}

/// The vendor's own client understands the server, so that what the tests prove holds for real servers too.
#[test]
fn kubectl_lists_what_the_server_serves_and_a_scan_of_that_says_the_same() {
    let Some(kubectl) = std::env::var_os("PATH").and_then(|path| {
        std::env::split_paths(&path).map(|folder| folder.join("kubectl")).find(|program| program.is_file())
    }) else {
        println!("skipped: there is no kubectl on this machine");
        return;
    };
    let server = Server::new(world(), |_| None);
    let machine = Machine::with(&[("prod", &server)]);
    let folder = machine.home.path().join("export/kubernetes/prod");
    std::fs::create_dir_all(&folder).unwrap();
    let run = |arguments: &[&str]| -> Vec<u8> {
        let done = Command::new(&kubectl)
            .args(arguments)
            .env_clear()
            .env("HOME", machine.home.path())
            .env("KUBECONFIG", machine.home.path().join(".kube/config"))
            .output()
            .expect("kubectl runs");
        assert!(done.status.success(), "{arguments:?}: {}", said(&done));
        done.stdout
    };
    let all = "serviceaccounts,namespaces,pods,services,deployments,replicasets,cronjobs,roles,clusterroles,rolebindings,\
               clusterrolebindings,agents.kagent.dev,mcpservers.kagent.dev";
    for (name, arguments) in [
        ("objects", &["get", all, "-A", "-o", "json", "--chunk-size", "2"][..]),
        ("version", &["get", "--raw", "/version"][..]),
    ] {
        std::fs::write(folder.join(format!("{name}.json")), run(arguments)).unwrap();
    }
    for path in [
        "/api/v1",
        "/apis/admissionregistration.k8s.io/v1",
        "/apis/apps/v1",
        "/apis/batch/v1",
        "/apis/certificates.k8s.io/v1",
        "/apis/kagent.dev/v1alpha1",
        "/apis/kagent.dev/v1alpha2",
        "/apis/networking.k8s.io/v1",
        "/apis/rbac.authorization.k8s.io/v1",
    ] {
        let name = path.trim_start_matches('/').replace('/', ".");
        std::fs::write(folder.join(format!("{name}.json")), run(&["get", "--raw", path])).unwrap();
    }
    let exported = std::fs::read_to_string(folder.join("objects.json")).unwrap();
    assert!(exported.contains(CANARY), "an export holds what people put into it");
    let done = machine.evenhand(&["collect", "kubernetes", "--out", "capture"]);
    assert!(done.status.success(), "{}", said(&done));
    let identities = |source: &str| -> BTreeSet<String> {
        let report = machine.report(&["inventory", source, "-o", "json"]);
        let rows = report["tables"]["identities"].as_array().unwrap().clone();
        // Where something stands differs, and so may what depends on lists that were not exported.
        let column = |row: &Value, name: &str| format!("{name}={} ", row[name]);
        let all = ["id", "kind", "nature", "owner", "scope", "operations", "admin"];
        rows.iter().map(|row| all.iter().map(|name| column(row, name)).collect()).collect()
    };
    let (live, exported) = (identities("capture"), identities("export"));
    assert!(live.len() > 5 && live == exported, "{live:#?} {exported:#?}");
}

/// An AWS that tells who is asking and refuses all else.
fn refusing_aws() -> String {
    use std::io::{BufRead, BufReader, Read, Write};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let serve = |mut stream: std::net::TcpStream| {
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        let (mut line, mut length) = (String::new(), 0);
        while reader.read_line(&mut line).unwrap_or(0) > 0 && !line.trim().is_empty() {
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
            line.clear();
        }
        let mut body = vec![0; length];
        if reader.read_exact(&mut body).is_err() {
            return;
        }
        let (status, answer) = if String::from_utf8_lossy(&body).contains("GetCallerIdentity") {
            let told = "<Account>111122223333</Account><Arn>arn:aws:iam::111122223333:user/auditor</Arn>";
            (
                "200 OK",
                format!(
                    "<GetCallerIdentityResponse><GetCallerIdentityResult>{told}</GetCallerIdentityResult></GetCallerIdentityResponse>"
                ),
            )
        } else {
            ("403 Forbidden", "<ErrorResponse><Error><Code>AccessDenied</Code></Error></ErrorResponse>".to_owned())
        };
        let _ = write!(
            stream,
            "HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{answer}",
            answer.len()
        );
    };
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            std::thread::spawn(move || serve(stream.unwrap()));
        }
    });
    url
}

#[cfg(unix)]
#[test]
fn one_ctrl_c_during_the_second_provider_leaves_a_valid_capture_of_kubernetes() {
    const PODS: &str = "/api/v1/pods";
    let server = Server::new(world(), |seen| (seen.path == PODS).then_some(Fault::Slow(Duration::from_millis(500))));
    let machine = Machine::with(&[("prod", &server)]);
    // A provider that is named again is not collected again, into a folder that is used by then.
    let child = machine
        .command(&["scan", "aws", "kubernetes", "aws", "--keep-capture", "capture", "--region", "eu-west-1"])
        .env("AWS_ENDPOINT_URL", refusing_aws())
        .env("AWS_ACCESS_KEY_ID", "testing")
        .env("AWS_SECRET_ACCESS_KEY", "testing")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let began = Instant::now();
    while server.count(PODS) == 0 && began.elapsed() < Duration::from_secs(60) {
        std::thread::sleep(Duration::from_millis(20));
    }
    let told = Command::new("sh").arg("-c").arg(format!("kill -INT {}", child.id())).status().unwrap();
    assert!(told.success());
    let done = child.wait_with_output().unwrap();
    assert_eq!(done.status.code(), Some(4), "{}", said(&done));
    assert!(String::from_utf8_lossy(&done.stderr).contains("interrupted"), "{}", said(&done));
    let capture = machine.home.path().join("capture");
    assert!(capture.join("aws/manifest.json").exists());
    let manifest = std::fs::read_to_string(capture.join("kubernetes/prod/manifest.json")).unwrap();
    let manifest: Value = serde_json::from_str(&manifest).unwrap();
    assert_eq!(manifest["stopped"], "interrupted", "{manifest}");
    assert!(manifest["pending"].to_string().contains("list pods"), "{manifest}");
}
