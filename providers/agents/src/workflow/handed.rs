//! What a job hands to the agent that it runs: secrets in its reach, credentials, and the principals it signs in as.

use super::job::{Whole, is_blank};
use super::reference::{self, Context, Reference};
use super::token::Token;
use super::{JobCredential, sorted};
use crate::secret::{self, Borrowed};
use crate::tree::{Entry, Node, Value};

/// Names of the secrets that a job holds: whatever a step is given lies on the runner that the agent works on.
pub(super) fn secrets(whole: &Whole<'_>, job: &Node) -> Vec<String> {
    let mut names = Vec::new();
    for node in whole.env.into_iter().chain([job]) {
        collect(node, &mut names);
    }
    names.retain(|name| name != "GITHUB_TOKEN");
    sorted(names)
}

fn collect(node: &Node, names: &mut Vec<String>) {
    match &node.value {
        Value::Text(text) => {
            // Outside an expression the word is a script's own.
            for expression in text.split("${{").skip(1).filter_map(|rest| rest.split("}}").next()) {
                names.extend(reference::all(expression).filter_map(|found| match found {
                    Reference::Named(Context::Secrets, name) => Some(name.to_owned()),
                    Reference::All(Context::Secrets) => Some(String::from("*")),
                    Reference::Named(Context::Inputs, _) | Reference::All(Context::Inputs) => None,
                }));
            }
        }
        Value::List(elements) => elements.iter().for_each(|element| collect(element, names)),
        Value::Map(entries) => entries.iter().for_each(|entry| collect(&entry.node, names)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Inputs and variables that hand a credential to an agent, beside the names of keys with which models are called: name,
/// kind, static, federation offered by the issuer.
const CREDENTIALS: &[(&str, &str, bool, Option<bool>)] = &[
    ("anthropic_federation_rule_id", "federated", false, Some(true)),
    ("gcp_workload_identity_provider", "federated", false, Some(true)),
    ("COPILOT_GITHUB_TOKEN", "github_token", true, Some(true)),
    ("aws-access-key-id", "aws_access_key", true, Some(true)),
    ("credentials_json", "google_service_account_key", true, Some(true)),
    ("role-to-assume", "federated", false, Some(true)),
    ("workload_identity_provider", "federated", false, Some(true)),
];

/// What is handed over under a name: kind, static, federation offered by the issuer.
fn credential(name: &str) -> Option<(&'static str, bool, Option<bool>)> {
    let said = CREDENTIALS.iter().find(|(held, ..)| *held == name);
    said.map(|(_, kind, is_static, federable)| (*kind, *is_static, *federable)).or_else(|| {
        let of_model = secret::of_name(name).filter(|kind| secret::calls_models(kind.name));
        of_model.map(|kind| (kind.name, !kind.short_lived, kind.federable))
    })
}

pub(super) fn credentials(job: &Node, step: &Node, product: &str, line: u32, token: Token) -> Vec<JobCredential> {
    let mut held: Vec<JobCredential> = Vec::new();
    let mut told_elsewhere = false;
    let mut look = |entries: &[Entry]| {
        for entry in entries.iter().filter(|entry| !is_blank(&entry.node)) {
            let Some((kind, is_static, federable)) = credential(&entry.key) else { continue };
            // A key that stands in the file itself is in no store; it is told with the literals of the file.
            if is_literal(entry, entries) {
                told_elsewhere = true;
                continue;
            }
            if !held.iter().any(|one| one.slot == *entry.key) {
                held.push(JobCredential { slot: entry.key.clone(), kind, is_static, federable, line: entry.line });
            }
        }
    };
    for key in ["with", "env"] {
        look(step.get(key).map_or(&[][..], |entry| entry.node.entries()));
    }
    look(job.get("env").map_or(&[][..], |entry| entry.node.entries()));
    // Sign-in to a cloud is a step of its own, and what it leaves behind serves every later step.
    for other in job.get("steps").map_or(&[][..], |entry| entry.node.elements()) {
        let uses = other.get("uses").and_then(|entry| entry.node.text()).unwrap_or("");
        if ["aws-actions/configure-aws-credentials@", "google-github-actions/auth@"]
            .iter()
            .any(|action| uses.starts_with(action))
        {
            look(other.get("with").map_or(&[][..], |entry| entry.node.entries()));
        }
    }
    if product == "model-call" && held.is_empty() && !told_elsewhere && token.models {
        held.push(JobCredential {
            slot: String::from("permissions.models"),
            kind: "federated",
            is_static: false,
            federable: Some(true),
            line,
        });
    }
    held
}

/// Whether an input or variable holds its secret literally. The id of a key of AWS is no secret: what stands beside it tells.
fn is_literal(entry: &Entry, beside: &[Entry]) -> bool {
    let telling = match entry.key.as_str() {
        "aws-access-key-id" => beside.iter().find(|other| other.key == "aws-secret-access-key"),
        _ => Some(entry),
    };
    telling.is_some_and(|entry| {
        let text = entry.node.scalar().unwrap_or_default();
        secret::in_slot(&entry.key, &text).iter().any(|hit| !hit.kind.public)
    })
}

/// Principals that a job signs in as, where the file names them.
pub(super) fn borrowed(job: &Node) -> Vec<Borrowed> {
    const SIGN_IN: &[(&str, &str, &str)] = &[
        ("aws-actions/configure-aws-credentials@", "role-to-assume", ""),
        ("google-github-actions/auth@", "service_account", ""),
        ("azure/login@", "client-id", "azure-app:"),
    ];
    let mut borrowed = Vec::new();
    for step in job.get("steps").map_or(&[][..], |entry| entry.node.elements()) {
        let uses = step.get("uses").and_then(|entry| entry.node.text()).unwrap_or("");
        for (action, key, prefix) in SIGN_IN {
            let named = step.get("with").and_then(|with| with.node.get(key));
            let named = named.and_then(|entry| entry.node.text().map(|text| (text.trim(), entry.line)));
            if let (true, Some((text, line))) = (uses.to_ascii_lowercase().starts_with(action), named)
                && !text.is_empty()
                && !text.contains("${{")
            {
                borrowed.push(Borrowed { target: format!("{prefix}{text}"), key, line });
            }
        }
    }
    borrowed
}
