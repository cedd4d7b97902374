//! What stands before people on a default branch, and which machines get past it, whatever job anybody does.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::common::{Scene, json as parsed};

const AGENT: &str = "github:acme:app:claude";
const KEY: &str = "github:acme:deploy_key:shop/5";

/// A repository with the number and the name of its ruleset, and whether that lets machines past.
type Repository = (&'static str, u64, &'static str, bool);

const SHOP: Repository = ("shop", 5, "reviewed", true);
const SITE: Repository = ("site", 6, "reviewed", false);

/// An organisation without a `[[job]]`: an agent and a key that the ruleset of a repository lets past, and a key that it
/// stops.
fn organisation() -> Scene {
    organisation_of(&[SHOP, SITE])
}

fn organisation_of(repositories: &[Repository]) -> Scene {
    let answer = |path: &str, response: Value| json!({ "host": "github.com", "path": path, "response": response });
    let app = json!({ "id": 1, "app_id": 7, "app_slug": "claude", "repository_selection": "all",
        "permissions": { "contents": "write", "pull_requests": "write" } });
    let mut answers = vec![
        answer("/orgs/acme", json!({ "login": "acme", "default_repository_permission": "read" })),
        answer("/orgs/acme/installations", json!({ "installations": [app] })),
    ];
    let bypass = json!([
        { "actor_type": "Integration", "actor_id": 7, "bypass_mode": "always" },
        { "actor_type": "DeployKey", "actor_id": null, "bypass_mode": "always" }
    ]);
    for (name, key, ruleset, lets_past) in repositories.iter().copied() {
        let bypass = if lets_past { bypass.clone() } else { json!([]) };
        let of = |rest: &str| format!("/repos/acme/{name}{rest}");
        let rule = json!({ "type": "pull_request", "ruleset_id": key, "ruleset_source_type": "Repository",
            "parameters": { "required_approving_review_count": 1 } });
        let ruleset = json!({ "id": key, "name": ruleset, "enforcement": "active", "bypass_actors": bypass });
        answers.extend([
            answer(&of(""), json!({ "name": name, "full_name": format!("acme/{name}"), "default_branch": "main" })),
            answer(&of("/rules/branches/main"), json!([rule])),
            answer(&of(&format!("/rulesets/{key}")), ruleset),
            answer(&of("/branches/main/protection"), json!({ "enforce_admins": { "enabled": true } })),
            answer(&of("/keys"), json!([{ "id": key, "title": "sync", "read_only": false }])),
            answer(&of("/actions/secrets"), json!({ "secrets": [] })),
            answer(&of("/actions/organization-secrets"), json!({ "secrets": [] })),
            answer(&of("/environments"), json!({ "environments": [] })),
        ]);
    }
    let text: String = answers.iter().map(|answer| format!("{answer}\n")).collect();
    Scene::new().file("capture/org.ndjson", text.as_bytes())
}

#[test]
fn a_machine_that_is_let_past_a_review_is_found_whoever_does_its_job() {
    let run = organisation().run(&["scan", "capture", "--no-config", "-o", "json"]);
    let report = parsed(&run.stdout);
    let found = |rule: &str| -> Vec<(String, String, String)> {
        let of = |finding: &Value| finding["rule"] == rule && finding["status"] == "fail";
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let findings = report["findings"].as_array().unwrap().iter().filter(|finding| of(finding));
        let said = |finding: &Value| {
            let evidence = finding["evidence"][0].to_string();
            (text(&finding["identity"]), text(&finding["facts"]["human_role"]), evidence)
        };
        findings.map(said).collect()
    };
    for (rule, identity) in [("gate-lets-agent-past", AGENT), ("gate-lets-machine-past", KEY)] {
        let findings = found(rule);
        assert_eq!(findings.len(), 2, "a review and a pull request: {findings:?}");
        for (who, role, evidence) in findings {
            assert_eq!((who.as_str(), role.as_str()), (identity, "github:acme:repository_role:write"));
            assert!(evidence.contains("https://github.com/acme/shop/settings/rules/5"), "{evidence}");
        }
    }
    let comparison = &report["comparisons"][0];
    assert_eq!((&comparison["identity"], &comparison["verdict"]), (&json!(AGENT), &json!("EXCESS")));
    assert_eq!(comparison["controls"], json!([]), "the verdict speaks of the human role alone");
}

#[test]
fn a_finding_stays_the_same_where_one_repository_more_has_the_setting_and_each_ruleset_has_its_own() {
    let ids = |repositories: &[Repository]| -> BTreeSet<String> {
        let run = organisation_of(repositories).run(&["scan", "capture", "--no-config", "-o", "json"]);
        let report = parsed(&run.stdout);
        let findings = report["findings"].as_array().unwrap().iter();
        let found = findings.filter(|finding| finding["rule"] == "gate-lets-agent-past" && finding["status"] == "fail");
        found.map(|finding| finding["id"].as_str().unwrap().to_owned()).collect()
    };
    let before = ids(&[SHOP, SITE]);
    assert_eq!(before.len(), 2);
    assert_eq!(ids(&[SHOP, SITE, ("till", 7, "reviewed", true)]), before);
    let after = ids(&[SHOP, SITE, ("till", 7, "signed", true)]);
    assert!(after.len() == 4 && after.is_superset(&before), "{before:?} {after:?}");
}

#[test]
fn a_bypass_fails_the_gate_of_a_pipeline_though_the_human_role_is_a_guess() {
    let run = organisation().run(&["scan", "capture", "--no-config", "--fail-on", "critical", "--allow-partial"]);
    assert_eq!(run.code, 1, "{}", run.stderr);
    assert!(run.stderr.contains("gate-lets-agent-past"), "{}", run.stderr);
}

#[test]
fn a_comparison_shows_the_gate_beside_the_role_that_must_pass_it() {
    let scene = organisation();
    let run = scene.run(&["compare", KEY, "--from", "capture", "--no-config"]);
    let text = run.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(text.contains("people with github:acme:repository_role:write pass second person approval"), "{text}");
    assert!(text.contains("may bypass the ruleset `reviewed` as a deploy key"), "{text}");
    let run = scene.run(&["compare", AGENT, "--from", "capture", "--no-config", "-o", "json"]);
    let gates = parsed(&run.stdout)["gates"].as_array().unwrap().clone();
    let ways: Vec<&Value> = gates.iter().map(|gate| &gate["way"]).collect();
    assert_eq!(ways[..2], [&json!("listed"), &json!("listed")], "{gates:?}");
}
