//! The built binary against GitHub's own description of its API, played by Prism: every request is one that GitHub
//! describes, every answer is understood, and its links, which lead to another host, are not followed.
//!
//! What it exits with where GitHub tells nothing is tried against a server of our own.
//!
//! The program and the description are installed once under `target/tools`. Prism keeps nothing and pages nothing: what
//! needs a server with a memory is tested beside the connector.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use evenhand_collect::served::{Reply, Request, Served};
use serde_json::Value;

use super::{files, npm, said, text};

const PRISM: (&str, &str) = ("@stoplight/prism-cli", "5.14.2");
const DESCRIPTION: (&str, &str, &str) = ("@octokit/openapi", "23.0.2", "package/generated/ghec.json");

/// GitHub as it describes itself.
struct Github {
    child: Child,
    url: String,
    home: tempfile::TempDir,
}

impl Drop for Github {
    fn drop(&mut self) {
        // By its own id; nothing else is ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Github {
    fn start() -> Self {
        let prism = npm::program(PRISM.0, PRISM.1, "dist/index.js");
        let home = tempfile::tempdir().unwrap();
        let description = home.path().join("description.json");
        described(&npm::file(DESCRIPTION.0, DESCRIPTION.1, DESCRIPTION.2), &description);
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut child = Command::new("node")
            .arg(prism)
            .args(["mock", "-h", "127.0.0.1", "-p", &port.to_string()])
            .arg(&description)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("node runs");
        // It says so when it listens; what it says afterwards is read so that it does not wait.
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let began = Instant::now();
        let listens = lines.by_ref().any(|line| line.contains("Prism is listening"));
        assert!(listens && began.elapsed() < Duration::from_secs(300), "the server does not answer");
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, url: format!("http://127.0.0.1:{port}"), home }
    }

    fn evenhand(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_evenhand"))
            .args(arguments)
            .current_dir(self.home.path())
            .env_clear()
            .env("HOME", self.home.path())
            .env("EVENHAND_HOME", self.home.path())
            .env("EVENHAND_FINGERPRINT_KEY", "test")
            .env("GITHUB_API_URL", &self.url)
            .env("GITHUB_TOKEN", "fake-token")
            // This machine is reached without: nobody is there.
            .env("HTTP_PROXY", "http://127.0.0.1:9")
            .env("HTTPS_PROXY", "http://127.0.0.1:9")
            .output()
            .expect("the binary runs")
    }
}

/// The description as Prism can serve it: references that lead nowhere are left out, examples lead to every call, and
/// answers have the type that GitHub's clients ask for.
fn described(from: &Path, to: &Path) {
    let mut description: Value = serde_json::from_str(&std::fs::read_to_string(from).unwrap()).unwrap();
    let example = at(&mut description, &["components", "examples", "server-statistics", "value", "0"]);
    for member in example.as_object_mut().unwrap().values_mut().filter(|member| member.get("$ref").is_some()) {
        *member = Value::Object(Default::default());
    }
    lead_everywhere(&mut description);
    typed(&mut description);
    std::fs::write(to, description.to_string()).unwrap();
}

/// A part of the description, which must be there.
fn at<'d>(description: &'d mut Value, place: &[&str]) -> &'d mut Value {
    let pointer: String = place.iter().map(|step| format!("/{}", step.replace('~', "~0").replace('/', "~1"))).collect();
    description.pointer_mut(&pointer).unwrap_or_else(|| panic!("the description has no {pointer}"))
}

/// The successful answer of a call.
fn answer<'d>(description: &'d mut Value, path: &str) -> &'d mut Value {
    at(description, &["paths", path, "get", "responses", "200", "content", "application/json"])
}

/// GitHub's examples show one case of several; here it is the one that leads to a further call.
fn lead_everywhere(description: &mut Value) {
    let examples = ["components", "examples"];
    for (example, place, value) in [
        ("org-pat-grant-paginated", &["0", "repository_selection"][..], "subset"),
        ("repo-codespaces-secret-paginated", &["secrets", "0", "visibility"], "selected"),
    ] {
        *at(description, &[&examples[..], &[example, "value"], place].concat()) = Value::from(value);
    }
    let policy = ["environments", "value", "environments", "0", "deployment_branch_policy"];
    *at(description, &[&examples[..], &policy].concat()) =
        serde_json::json!({"protected_branches": false, "custom_branch_policies": true});
    let choices = answer(description, "/orgs/{org}/copilot/coding-agent/permissions");
    choices["examples"].as_object_mut().unwrap().retain(|name, _| name == "selected_enabled");
    // A reference among data, which nobody follows.
    let gates = "/repos/{owner}/{repo}/environments/{environment_name}/deployment_protection_rules";
    answer(description, gates)["schema"].as_object_mut().unwrap().remove("example");
    // Prism takes no path of several parts for one parameter.
    const FOLDER: &str = "/repos/{owner}/{repo}/contents/.github/workflows";
    let mut listed =
        at(description, &["components", "examples", "content-file-response-if-content-is-a-directory", "value"])
            .clone();
    listed[0]["path"] = ".github/workflows/ci.yml".into();
    let one = "#/components/examples/content-file-response-if-content-is-a-file";
    for (path, schema, example) in [
        (FOLDER.to_owned(), "content-directory", serde_json::json!({"value": listed})),
        (format!("{FOLDER}/{{path}}"), "content-file", serde_json::json!({"$ref": one})),
    ] {
        let mut call = at(description, &["paths", "/repos/{owner}/{repo}/contents/{path}", "get"]).clone();
        call["operationId"] = format!("repos/get-{schema}").into();
        call["responses"]["200"]["content"] = serde_json::json!({"application/json": {
            "schema": {"$ref": format!("#/components/schemas/{schema}")}, "examples": {"default": example},
        }});
        if path == FOLDER {
            call["parameters"].as_array_mut().unwrap().retain(|parameter| parameter["name"] != "path");
        }
        at(description, &["paths"])[path] = serde_json::json!({"get": call});
    }
}

fn typed(value: &mut Value) {
    match value {
        Value::Object(members) => {
            if let Some(Value::Object(content)) = members.get_mut("content")
                && let Some(json) = content.get("application/json").cloned()
            {
                content.insert("application/vnd.github+json".to_owned(), json);
            }
            members.values_mut().for_each(typed);
        }
        Value::Array(elements) => elements.iter_mut().for_each(typed),
        _ => {}
    }
}

#[test]
fn every_call_is_one_that_github_describes_and_every_answer_is_understood() {
    let github = Github::start();
    let done =
        github.evenhand(&["doctor", "github", "--org", "octo-org", "--repo", "hello-world", "--enterprise", "octo"]);
    let lines = String::from_utf8(done.stdout.clone()).unwrap();
    let others: Vec<&str> = lines.lines().filter(|line| !line.starts_with("allowed")).collect();
    assert_eq!(others, [""; 0], "{}", said(&done));
    assert!(lines.lines().count() > 75, "{}", said(&done));

    // Each page says that the next one is on another host, and never ends.
    let done =
        github.evenhand(&["collect", "github", "--org", "octo-org", "--repo", "hello-world", "--out", "capture"]);
    let told = said(&done);
    assert!(told.contains("ForeignLink: the next page is on another host"), "{told}");
    let (mut answers, mut others) = (0, Vec::new());
    for file in files(&github.home.path().join("capture/github/127.0.0.1")) {
        for line in std::fs::read_to_string(&file).unwrap().lines() {
            let answer: Value = serde_json::from_str(line).unwrap();
            let code = answer.get("error").map(|error| text(&error["code"]));
            let expected = match code.as_deref() {
                None | Some("ForeignLink") => true,
                Some(_) => false,
            };
            if !expected {
                others.push(line.to_owned());
            }
            answers += usize::from(code.is_none());
        }
    }
    assert!(others.is_empty(), "{others:#?}");
    assert!(answers > 10, "what has one page is there: {answers}");
}

/// The binary with a token for a server at an address, in a folder of its own.
fn evenhand_at(url: &str, home: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_evenhand"))
        .args(arguments)
        .current_dir(home)
        .env_clear()
        .env("HOME", home)
        .env("EVENHAND_HOME", home)
        .env("EVENHAND_FINGERPRINT_KEY", "test")
        .env("GITHUB_API_URL", url)
        .env("GITHUB_TOKEN", "fake-token")
        .output()
        .expect("the binary runs")
}

/// GitHub with one organisation of one person, which refuses everything else in its own words.
fn small_github(status: u16, words: &'static str) -> Served {
    Served::new(move |request: &Request| {
        let (status, body) = match request.path.as_str() {
            "/orgs/acme" => (200, serde_json::json!({ "login": "acme", "id": 1 })),
            "/orgs/acme/members" => (200, serde_json::json!([{ "login": "ann", "id": 2, "type": "User" }])),
            "/orgs/acme/repos" => (200, serde_json::json!([])),
            _ => (status, serde_json::json!({ "message": words })),
        };
        let headers = vec![("content-type".to_owned(), "application/json; charset=utf-8".to_owned())];
        Reply { status, headers, body: body.to_string(), ..Reply::default() }
    })
    .expect("the server starts")
}

#[test]
fn an_organisation_that_cannot_be_asked_is_a_source_that_could_not_be_read() {
    const VENDORS: &str = "aws iam get-account-authorization-details";
    let home = tempfile::tempdir().unwrap();
    let hidden = small_github(404, "Not Found");
    let refused = small_github(403, "Resource protected by organization SAML enforcement.");
    for (server, arguments, code, says) in [
        (&hidden, &["scan", "github", "--org", "no-such"][..], 4, &["`no-such`", "404", "spelling", "SSO"][..]),
        (&hidden, &["scan", "github", "--org", "no-such", "--allow-partial"], 3, &["`no-such`", "404"]),
        (&hidden, &["scan", "github", "--org", "no-such", "--allow-empty"], 4, &["`no-such`", "404"]),
        (&hidden, &["scan", "github", "--org", "no-such", "-q"], 4, &["`no-such`", "404"]),
        (&hidden, &["collect", "github", "--org", "no-such", "--out", "one"], 4, &["`no-such`", "SSO"]),
        (&refused, &["scan", "github", "--org", "no-such"], 4, &["no-such", "SSO"]),
        // Beside one that answers it is a part that is missing.
        (&hidden, &["scan", "github", "--org", "acme", "--org", "no-such"], 4, &["`no-such`", "404"]),
        (&hidden, &["scan", "github", "--org", "acme", "--org", "no-such", "--allow-partial"], 0, &["`no-such`"]),
    ] {
        let done = evenhand_at(&server.url, home.path(), arguments);
        let told = said(&done);
        assert_eq!(done.status.code(), Some(code), "{arguments:?}: {told}");
        assert!(says.iter().chain(&["127.0.0.1"]).all(|word| told.contains(word)), "{arguments:?}: {told}");
        assert!(!told.contains(VENDORS), "{arguments:?}: {told}");
    }
}
