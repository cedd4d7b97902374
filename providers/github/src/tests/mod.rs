//! Whole readings: answers in, identities, access and controls out.

mod access;
mod approval;
mod calls;
mod documents;
mod gates;
mod jobs;
mod keys;
mod machines;
mod rewriters;

use std::sync::Arc;

use evenhand_model::access::{Outcome, Request};
use evenhand_model::control::{ControlKind, Way};
use evenhand_model::document::{Document, FileFacts, Format, Head, ReadError};
use evenhand_model::evidence::{Fact, Truth};
use evenhand_model::gap::GapKind;
use evenhand_model::identity::{Nature, judge};
use evenhand_model::provider::{Provider, ReadOptions, Reading};
use evenhand_model::secret::Fingerprinter;
use serde_json::{Value, json};

use crate::Github;

fn document(path: &str, text: &str) -> Document {
    let top: Vec<Value> = serde_json::Deserializer::from_str(text).into_iter().map(Result::unwrap).collect();
    let keys = |value: &Value| value.as_object().map(|held| held.keys().cloned().collect()).unwrap_or_default();
    let first = top.first().unwrap_or(&Value::Null);
    let mut head = Head { keys: keys(first), ..Head::default() };
    for (key, value) in first.as_object().into_iter().flatten() {
        if let Some(text) = value.as_str() {
            head.values.push((key.clone(), text.to_owned()));
        }
        if let Some(element) = value.as_array().and_then(|list| list.first()) {
            head.elements.push((key.clone(), keys(element)));
        }
    }
    Document {
        path: Arc::from(path),
        relative: Arc::from(path),
        source_name: Arc::from("capture"),
        format: if top.len() > 1 { Format::Ndjson } else { Format::Json },
        text: text.to_owned(),
        head,
        file: FileFacts::default(),
    }
}

fn options(settings: &[(&str, &str)]) -> ReadOptions {
    ReadOptions {
        now: "2026-12-01T00:00:00Z".parse().unwrap(),
        fingerprinter: Fingerprinter::keyed("test"),
        settings: settings.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect(),
    }
}

fn read_documents(documents: Vec<Document>, settings: &[(&str, &str)]) -> (Reading, Vec<ReadError>) {
    let mut reader = Github.reader(options(settings));
    let mut errors = Vec::new();
    for document in documents {
        assert!(Github.recognise(&document).is_some(), "{}", document.path);
        errors.extend(reader.read(document).err().into_iter().flatten());
    }
    (reader.finish(), errors)
}

fn answered(path: &str, response: &Value) -> Value {
    json!({ "host": "github.com", "path": path, "response": response })
}

fn read(answers: &[Value]) -> Reading {
    let text: String = answers.iter().map(|answer| format!("{answer}\n")).collect();
    let (reading, errors) = read_documents(vec![document("github/org.ndjson", &text)], &[]);
    assert_eq!(errors, []);
    reading
}

/// An organisation with one repository, an app of number 7 that may write to it, a job, a key and two people.
fn organisation(app: &Value, job: &str) -> Vec<Value> {
    let workflow = format!("on: push\njobs: {{do: {{runs-on: x, permissions: {job}, steps: [{{run: make}}]}}}}\n");
    let person = |login: &str, id: u64| json!({ "login": login, "id": id, "type": "User" });
    vec![
        answered("/orgs/acme", &json!({ "login": "acme", "default_repository_permission": "none" })),
        answered("/orgs/acme/members", &json!([person("ann", 11), person("bob", 12), person("root", 13)])),
        answered("/orgs/acme/members?role=admin", &json!([person("root", 13)])),
        answered(
            "/orgs/acme/teams",
            &json!([
                { "id": 61, "slug": "web", "name": "Web", "parent": { "slug": "all" } },
                { "id": 60, "slug": "all", "name": "All", "parent": null }
            ]),
        ),
        answered("/orgs/acme/teams/web/members", &json!([person("ann", 11)])),
        answered("/orgs/acme/teams/all/members", &json!([])),
        answered("/orgs/acme/teams/web/repos", &json!([{ "full_name": "acme/shop", "role_name": "write" }])),
        answered("/orgs/acme/teams/all/repos", &json!([])),
        answered(
            "/orgs/acme/installations",
            &json!({ "installations": [
                { "id": 1, "app_id": 7, "app_slug": "deliverer", "repository_selection": "all", "permissions": app }
            ]}),
        ),
        answered(
            "/repos/acme/shop",
            &json!({
                "name": "shop", "full_name": "acme/shop", "default_branch": "main", "visibility": "private"
            }),
        ),
        answered(
            "/repos/acme/shop/collaborators",
            &json!([
                { "login": "ann", "id": 11, "role_name": "write" },
                { "login": "bob", "id": 12, "role_name": "maintain" },
                { "login": "root", "id": 13, "role_name": "admin" }
            ]),
        ),
        answered("/repos/acme/shop/keys", &json!([{ "id": 5, "title": "sync", "read_only": false }])),
        answered("/repos/acme/shop/contents/.github/workflows", &json!([{ "path": ".github/workflows/ci.yml" }])),
        answered("/repos/acme/shop/contents/.github/workflows/ci.yml", &json!({ "content": workflow })),
        answered(
            "/repos/acme/shop/actions/permissions/workflow",
            &json!({
                "default_workflow_permissions": "read", "can_approve_pull_request_reviews": false
            }),
        ),
        answered("/repos/acme/shop/actions/secrets", &json!({ "secrets": [] })),
        answered("/repos/acme/shop/actions/organization-secrets", &json!({ "secrets": [] })),
        answered("/repos/acme/shop/environments", &json!({ "environments": [] })),
    ]
}

fn ruled(bypass: &Value) -> Vec<Value> {
    let mut ruleset = json!({ "id": 9, "name": "main", "enforcement": "active", "source_type": "Repository" });
    if !bypass.is_null() {
        ruleset["bypass_actors"] = bypass.clone();
    }
    vec![
        answered(
            "/repos/acme/shop/rules/branches/main",
            &json!([{
                "type": "pull_request", "ruleset_id": 9, "ruleset_source_type": "Repository",
                "parameters": { "required_approving_review_count": 1 }
            }]),
        ),
        answered("/repos/acme/shop/rulesets/9", &ruleset),
        json!({ "host": "github.com", "path": "/repos/acme/shop/branches/main/protection",
            "error": { "code": "404 Branch not protected" } }),
    ]
}

const APP: &str = "github:acme:app:deliverer";

const KEY: &str = "github:acme:deploy_key:shop/5";

const JOB: &str = "github:acme:job:shop/ci/do";

const TEAM: &str = "github:acme:team:web";

/// Whether an identity is stopped by a review before the default branch, and how it gets past.
fn approval(reading: &Reading, identity: &str) -> Option<(Truth, Option<Way>)> {
    let mut found =
        reading.inventory.controls.iter().filter(|control| {
            control.kind == ControlKind::SecondPersonApproval && control.identity.as_str() == identity
        });
    let control = found.next()?;
    assert!(found.next().is_none() && control.scope.to_string() == "acme/shop/*", "{identity}");
    Some((control.in_place, control.way))
}

fn outcome(reading: &Reading, identity: &str, operation: &str, resource: Option<&str>) -> Outcome {
    let request = Request {
        identity: identity.to_owned(),
        operation: operation.to_owned(),
        resource: resource.map(str::to_owned),
        context: Default::default(),
    };
    reading.resolver.as_ref().unwrap().decide(&identity.into(), &request).unwrap().outcome
}

/// The organisation with a workflow file of its own, and more answers.
fn with_workflow(text: &str, more: &[Value]) -> Reading {
    let mut answers = organisation(&json!({}), "{}");
    for answer in &mut answers {
        if answer["path"].as_str().unwrap().ends_with("ci.yml") {
            answer["response"]["content"] = json!(text);
        }
    }
    read(&[answers, more.to_vec()].concat())
}
