//! The tenant of the example organisation: what people activate with an approval and its agents hold for good.

use std::path::Path;

use serde_json::Value;

use crate::common::{Scene, json};

const TENANT: &str = "azure:3f2a1c00-5d41-4f6e-9a0b-0acac0acac01";
const SUPPORT: &str = "azure:3f2a1c00-5d41-4f6e-9a0b-0acac0acac01:agent_identity:7c0de000-0000-4000-8000-000000000102";
const RETURNS: &str = "azure:3f2a1c00-5d41-4f6e-9a0b-0acac0acac01:agent_identity:7c0de000-0000-4000-8000-000000000103";
const DEPLOYER: &str =
    "azure:3f2a1c00-5d41-4f6e-9a0b-0acac0acac01:service_principal:7c0de000-0000-4000-8000-000000000105";
const JOB: &str = "github:acme:job:shop/release/roll-out";

fn run(arguments: &[&str]) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let output = Scene::new().command().current_dir(root).args(arguments).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn report() -> Value {
    json(&run(&["scan", "examples/acme", "-o", "json", "--now", "2026-12-01"]))
}

fn row(report: &Value, id: &str) -> Value {
    let rows = report["tables"]["identities"].as_array().unwrap();
    rows.iter().find(|row| row["id"] == id).unwrap_or_else(|| panic!("no {id}")).clone()
}

fn statuses<'r>(report: &'r Value, id: &str) -> Vec<(&'r str, &'r str)> {
    let findings = report["findings"].as_array().unwrap().iter().filter(|finding| finding["identity"] == id);
    findings.map(|finding| (finding["rule"].as_str().unwrap(), finding["status"].as_str().unwrap())).collect()
}

#[test]
fn the_agent_holds_for_good_what_the_support_group_activates_with_an_approval() {
    let report = report();
    let agent = row(&report, SUPPORT);
    assert_eq!(
        (agent["nature"].as_str(), agent["human_role_name"].as_str()),
        (Some("ai_agent"), Some("Customer support"))
    );
    assert_eq!(agent["verdict"], "EXCESS");
    let gaps = agent["control_gap_list"].as_str().unwrap();
    assert!(gaps.contains("second_person_approval") && gaps.contains("just_in_time"), "{gaps}");
    let found = statuses(&report, SUPPORT);
    for rule in
        ["standing-privilege-where-humans-activate", "human-needs-approval-agent-does-not", "excess-over-human-role"]
    {
        assert!(found.contains(&(rule, "fail")), "{rule}: {found:?}");
    }
    let excess = report["tables"]["excess"].as_array().unwrap();
    let deletes =
        excess.iter().find(|row| row["identity"] == SUPPORT && row["operation"] == "microsoft.directory/users/delete");
    assert_eq!(deletes.unwrap()["granted_by"], "application permission User.ReadWrite.All of Microsoft Graph");
    let deployer = row(&report, DEPLOYER);
    assert_eq!(deployer["verdict"], "CONTROL_GAP", "{deployer}");
}

#[test]
fn an_agent_shows_what_it_inherits_of_its_blueprint() {
    let report = report();
    let inherited: Vec<&Value> =
        report["tables"]["excess"].as_array().unwrap().iter().filter(|row| row["identity"] == RETURNS).collect();
    let [mail] = inherited.as_slice() else { panic!("{inherited:?}") };
    assert_eq!(mail["operation"], "microsoft.graph/Mail.Read");
    assert!(mail["granted_by"].as_str().unwrap().starts_with("inherited application permission Mail.Read"), "{mail}");
    assert!(statuses(&report, RETURNS).contains(&("agent-identity-without-sponsor", "fail")));
    assert!(!statuses(&report, SUPPORT).iter().any(|(rule, _)| *rule == "agent-identity-without-sponsor"));
    let card = run(&["compare", RETURNS, "--from", "examples/acme", "--now", "2026-12-01"]);
    assert!(card.contains("Mail.Read"), "{card}");
}

#[test]
fn a_workflow_becomes_the_application_whose_credential_names_its_environment() {
    let report = report();
    let rows = |table: &str| report["tables"][table].as_array().unwrap().clone();
    let trusts: Vec<Value> =
        rows("trusts").into_iter().filter(|row| row["source"] == JOB && row["target"] == DEPLOYER).collect();
    let [trust] = trusts.as_slice() else { panic!("{trusts:?}") };
    assert_eq!((trust["weak"].as_bool(), trust["joined"].as_bool()), (Some(false), Some(true)), "{trust}");
    let paths: Vec<Value> =
        rows("paths").into_iter().filter(|row| row["identity"] == JOB && row["target"] == DEPLOYER).collect();
    assert_eq!(paths.len(), 1, "{paths:?}");
    assert_eq!(paths[0]["crosses_provider"].as_bool(), Some(true));
}

#[test]
fn fifteen_rules_and_more_speak_of_the_tenant() {
    let report = report();
    let findings = report["findings"].as_array().unwrap().iter();
    let failed: std::collections::BTreeSet<&str> = findings
        .filter(|finding| finding["status"] == "fail" && finding["identity"].as_str().unwrap().starts_with(TENANT))
        .map(|finding| finding["rule"].as_str().unwrap())
        .collect();
    assert!(failed.len() >= 15, "{failed:?}");
}

#[test]
fn one_question_is_answered_from_the_tenant() {
    for (who, operation, expected) in [
        (SUPPORT, "microsoft.directory/users/delete", "allowed"),
        (SUPPORT, "microsoft.directory/users/password/update", "implicitly_denied"),
        ("Customer support", "microsoft.directory/users/password/update", "conditional"),
    ] {
        let output = Scene::new()
            .command()
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .args(["can", who, operation, "--from", "examples/acme", "-o", "json", "--now", "2026-12-01"])
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.contains(expected), "{who} {operation}: {text} {}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn a_step_that_takes_something_besides_is_explained_with_that() {
    let text = run(&["explain", "customer-support-agent", "--from", "examples/acme", "--now", "2026-12-01"]);
    let way = "if there is something suitable: its holder edits what dynamic groups and other systems tell users by";
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains(way), "{text}");
    assert!(
        words.contains("ai-identity-holds-tier-zero: customer-support-agent holds graph.User.ReadWrite.All"),
        "{text}"
    );
}
