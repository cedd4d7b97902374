//! The built binary against a tenant on 127.0.0.1, to which it signs in as a managed identity and, on Unix, by an Azure CLI
//! that is none: what is there is found again, and what it may not read is a gap. Pages, batches that fail and limits are
//! tested beside the connector.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::{Arc, Mutex};

use evenhand_collect::served::{Reply, Request, Served};
use serde_json::{Value, json};

use super::{files, said, text};

const TENANT: &str = "7e9a0000-0000-4000-8000-000000000001";
const BOT: &str = "0a000000-0000-4000-8000-000000000001";
const SUBSCRIPTION: &str = "5b000000-0000-4000-8000-000000000001";
/// Claims of the tenant, as a token has them: what stands around them is fake.
const CLAIMS: &str = "eyJ0aWQiOiI3ZTlhMDAwMC0wMDAwLTQwMDAtODAwMC0wMDAwMDAwMDAwMDEifQ";

fn token() -> String {
    format!("fake.{CLAIMS}.fake")
}

/// The tenant: an application that may write all users, and a subscription that it contributes to.
fn tenant() -> BTreeMap<String, Value> {
    let user_write = "741f803b-c850-494e-b5df-cde7c675a1ca";
    let graph = "0a000000-0000-4000-8000-0000000000ff";
    let contributor = "b24988ac-6180-42a0-ab88-20f7382dd24c";
    let authorization = format!("/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Authorization");
    let lists = [
        ("/v1.0/organization".to_owned(), json!([{"id": TENANT, "displayName": "Acme"}])),
        (
            "/v1.0/servicePrincipals".to_owned(),
            json!([
                {"id": BOT, "appId": "app-1", "displayName": "support-agent", "servicePrincipalType": "Application"},
                {"id": graph, "appId": "00000003-0000-0000-c000-000000000000", "displayName": "Microsoft Graph"},
            ]),
        ),
        (
            format!("/v1.0/servicePrincipals/{BOT}/appRoleAssignments"),
            json!([{"principalId": BOT, "principalType": "ServicePrincipal", "resourceId": graph, "appRoleId": user_write}]),
        ),
        (
            "/v1.0/users".to_owned(),
            json!([{"id": "u1", "displayName": "Ada", "userPrincipalName": "ada@acme.example"}]),
        ),
        ("/subscriptions".to_owned(), json!([{"subscriptionId": SUBSCRIPTION}])),
        (
            format!("{authorization}/roleAssignments"),
            json!([{"id": format!("{authorization}/roleAssignments/1"), "name": "1", "properties": {
                "principalId": BOT, "principalType": "ServicePrincipal", "scope": format!("/subscriptions/{SUBSCRIPTION}"),
                "roleDefinitionId": format!("{authorization}/roleDefinitions/{contributor}"),
            }}]),
        ),
        (
            format!("{authorization}/roleDefinitions"),
            json!([{"id": format!("{authorization}/roleDefinitions/{contributor}"), "name": contributor, "properties": {
                "roleName": "Contributor", "permissions": [{"actions": ["*"], "notActions": ["Microsoft.Authorization/*/Write"]}],
            }}]),
        ),
    ];
    lists.into_iter().collect()
}

/// A tenant that is served, and everything that was asked: method and path.
struct Azure {
    served: Served,
    log: Arc<Mutex<Vec<String>>>,
    home: tempfile::TempDir,
}

impl Azure {
    fn start() -> Self {
        let log: Arc<Mutex<Vec<String>>> = Arc::default();
        let (held, tenant) = (Arc::clone(&log), tenant());
        let served = Served::new(move |request| answer(request, &tenant, &held)).unwrap();
        Self { served, log, home: tempfile::tempdir().unwrap() }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_evenhand"));
        command
            .args(arguments)
            .args(["--graph-url", &self.served.url, "--arm-url", &self.served.url])
            .current_dir(self.home.path())
            .env_clear()
            .env("HOME", self.home.path())
            .env("EVENHAND_HOME", self.home.path())
            .env("EVENHAND_FINGERPRINT_KEY", "test");
        command
    }

    /// As a managed identity.
    fn evenhand(&self, arguments: &[&str]) -> Output {
        let mut command = self.command(arguments);
        command
            .env("IDENTITY_ENDPOINT", format!("{}/msi/token", self.served.url))
            .env("IDENTITY_HEADER", "fake-header");
        command.output().expect("the binary runs")
    }
}

fn answer(request: &Request, tenant: &BTreeMap<String, Value>, log: &Mutex<Vec<String>>) -> Reply {
    log.lock().unwrap().push(format!("{} {}", request.method, request.path));
    let reply = |status: u16, body: Value| Reply { status, body: body.to_string(), ..Reply::default() };
    if request.path == "/msi/token" {
        assert_eq!((request.method.as_str(), request.header("x-identity-header")), ("GET", "fake-header"));
        let resource = request.fields().find(|(name, _)| name == "resource").map(|(_, value)| value);
        let answer =
            json!({"access_token": token(), "expires_on": "4102444800", "resource": resource, "token_type": "Bearer"});
        return reply(200, answer);
    }
    if request.header("authorization") != format!("Bearer {}", token()) {
        return reply(401, json!({"error": {"code": "InvalidAuthenticationToken"}}));
    }
    if request.path == "/v1.0/$batch" {
        let asked: Value = serde_json::from_str(&request.body).unwrap();
        let one = |asked: &Value| {
            let path = format!("/v1.0{}", text(&asked["url"]));
            let (status, body) = list(path.split('?').next().unwrap(), tenant);
            json!({"id": asked["id"], "status": status, "body": body})
        };
        let responses: Vec<Value> = asked["requests"].as_array().unwrap().iter().map(one).collect();
        return reply(200, json!({ "responses": responses }));
    }
    let (status, body) = list(&request.path, tenant);
    reply(status, body)
}

/// What is there; what is not may not be read, but for lists of objects, which are empty.
fn list(path: &str, tenant: &BTreeMap<String, Value>) -> (u16, Value) {
    if let Some(list) = tenant.get(path) {
        return (200, json!({ "value": list }));
    }
    match path {
        "/v1.0/identity/conditionalAccess/policies" => (403, json!({"error": {"code": "Authorization_RequestDenied"}})),
        "/v1.0/policies/identitySecurityDefaultsEnforcementPolicy" => (200, json!({"id": "d", "isEnabled": true})),
        "/providers/Microsoft.ResourceGraph/resources" => (200, json!({"data": []})),
        _ => (200, json!({"value": []})),
    }
}

/// Every line of a capture.
fn lines(capture: &Path) -> Vec<Value> {
    let all = files(capture).into_iter().filter(|path| path.extension().is_some_and(|end| end == "ndjson"));
    let all =
        all.flat_map(|path| std::fs::read_to_string(path).unwrap().lines().map(str::to_owned).collect::<Vec<_>>());
    all.map(|line| serde_json::from_str(&line).unwrap()).collect()
}

#[test]
fn a_tenant_is_collected_and_its_application_is_found_with_what_it_holds() {
    let azure = Azure::start();
    let done = azure.evenhand(&["collect", "azure", "--out", "capture"]);
    assert_eq!(done.status.code(), Some(0), "{}", said(&done));
    let told = said(&done);
    assert!(told.contains("403 Authorization_RequestDenied: needs Policy.Read.All"), "{told}");
    assert!(told.contains(TENANT) && told.contains("1 subscription"), "{told}");
    let capture = azure.home.path().join("capture");
    let lines = lines(&capture);
    assert!(lines.len() > 30, "{}", lines.len());
    assert_eq!(lines.iter().filter(|line| line.get("error").is_some()).count(), 1);
    for one in azure.log.lock().unwrap().iter() {
        let question =
            ["POST /v1.0/$batch", "POST /providers/Microsoft.ResourceGraph/resources"].contains(&one.as_str());
        assert!(one.starts_with("GET ") || question, "{one}");
        assert!(!one.to_ascii_lowercase().contains("listkeys"), "{one}");
    }
    for file in files(&capture) {
        assert!(!std::fs::read_to_string(&file).unwrap().contains(CLAIMS), "{} holds a token", file.display());
    }

    let mut command = Command::new(env!("CARGO_BIN_EXE_evenhand"));
    let inventory =
        command.args(["inventory", "capture", "-o", "json"]).current_dir(azure.home.path()).output().unwrap();
    let listed = String::from_utf8(inventory.stdout.clone()).unwrap();
    assert!(listed.contains("support-agent"), "{}", said(&inventory));
}

#[test]
fn doctor_says_what_is_missing_and_prints_what_to_grant() {
    let azure = Azure::start();
    let done = azure.evenhand(&["doctor", "azure"]);
    assert_eq!(done.status.code(), Some(4), "{}", said(&done));
    let out = String::from_utf8(done.stdout.clone()).unwrap();
    let refused: Vec<&str> = out.lines().filter(|line| line.starts_with("refused")).collect();
    assert_eq!(refused.len(), 1, "{out}");
    assert!(refused[0].contains("/v1.0/identity/conditionalAccess/policies") && refused[0].contains("Policy.Read.All"));
    assert!(out.lines().filter(|line| line.starts_with("allowed")).count() > 25, "{out}");

    let before = azure.log.lock().unwrap().len();
    let printed = azure.evenhand(&["doctor", "azure", "--print-permissions"]);
    let printed: Value = serde_json::from_slice(&printed.stdout).unwrap();
    assert_eq!(printed["azure_roles_at_the_root_management_group"], json!(["Reader"]));
    assert_eq!(azure.log.lock().unwrap().len(), before, "nobody is asked");
}

#[test]
fn who_signs_in_is_said_in_full() {
    let azure = Azure::start();
    let fails = |arguments: &[&str], words: &str| {
        let done = azure.command(arguments).output().unwrap();
        assert_eq!(done.status.code(), Some(2), "{}", said(&done));
        assert!(said(&done).contains(words), "{}", said(&done));
    };
    fails(&["collect", "azure", "--out", "x"], "no credentials for Azure were found");
    fails(&["collect", "azure", "--out", "x", "--sign-in", "pipelines"], "--sign-in-id");
    fails(&["collect", "azure", "--out", "x", "--sign-in", "cli", "--sign-in-id", "y"], "takes no `--sign-in-id`");
    fails(&["collect", "azure", "--out", "x", "--tenant", "../x", "--sign-in", "cli"], "no id of a tenant");
    assert!(azure.log.lock().unwrap().is_empty());
}

#[cfg(unix)]
#[test]
fn the_azure_cli_signs_in_only_when_it_is_asked_to() {
    use std::os::unix::fs::PermissionsExt;

    let azure = Azure::start();
    let program = azure.home.path().join("az");
    let answer = json!({"accessToken": token(), "expires_on": 4_102_444_800_i64, "tokenType": "Bearer"});
    std::fs::write(
        &program,
        format!("#!/bin/sh\necho x >> '{}'\necho '{answer}'\n", azure.home.path().join("ran").display()),
    )
    .unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:/usr/bin:/bin", azure.home.path().display());
    let run = |arguments: &[&str]| azure.command(arguments).env("PATH", &path).output().unwrap();
    let done = run(&["collect", "azure", "--out", "one"]);
    assert_eq!(done.status.code(), Some(2), "{}", said(&done));
    assert!(!azure.home.path().join("ran").exists());
    let done = run(&["collect", "azure", "--out", "two", "--sign-in", "cli"]);
    assert_eq!(done.status.code(), Some(0), "{}", said(&done));
    assert!(azure.home.path().join("ran").exists());
}
