//! What an object holds that must not reach the disk: values of environments, secrets wherever they stand, free texts for
//! models, and annotations that repeat the whole object.

use evenhand_model::secret::{Fingerprinter, withheld};
use serde_json::{Map, Value};

use crate::capture::kind_of;
use crate::documents::LAST_APPLIED;

/// Members that hold environments, as a list of names and values or as a map.
const ENVIRONMENTS: [&str; 5] = ["env", "envs", "envVars", "environment", "environmentVariables"];

/// Members that hold command lines.
const COMMANDS: [&str; 3] = ["args", "command", "extraArgs"];

/// Members that hold texts for models, which nobody but the model needs to know.
const FREE_TEXTS: [&str; 6] =
    ["instruction", "instructions", "prompt", "promptTemplate", "systemMessage", "systemPrompt"];

/// Longer annotations are no facts: they repeat objects, packed or plain.
const LONGEST_ANNOTATION: usize = 512;

/// Longer arguments are scripts.
const LONGEST_ARGUMENT: usize = 256;

/// What is left of an object.
pub(crate) fn clean(object: &mut Map<String, Value>, status: bool, fingerprinter: &Fingerprinter) {
    if let Some(Value::Object(metadata)) = object.get_mut("metadata") {
        // Which tool wrote which member, and of Secrets the names of their keys.
        metadata.remove("managedFields");
    }
    if !status && let Some(Value::Object(held)) = object.get_mut("status") {
        held.retain(|name, _| name == "phase");
        if held.is_empty() {
            object.remove("status");
        }
    }
    for (name, member) in object {
        walk(name, member, fingerprinter);
    }
}

fn walk(name: &str, value: &mut Value, fingerprinter: &Fingerprinter) {
    match value {
        Value::Object(members) if name == "annotations" => annotations(members, fingerprinter),
        Value::Object(members) if ENVIRONMENTS.contains(&name) => {
            for (name, member) in members {
                match member {
                    Value::String(text) => *text = instead(name, text, fingerprinter),
                    other => walk(name, other, fingerprinter),
                }
            }
        }
        Value::Object(members) => {
            for (name, member) in members {
                walk(name, member, fingerprinter);
            }
        }
        Value::Array(elements) if COMMANDS.contains(&name) => arguments(elements, fingerprinter),
        Value::Array(elements) => {
            let all = ENVIRONMENTS.contains(&name) || name.to_ascii_lowercase().ends_with("headers");
            for element in elements {
                if !pair(element, all, fingerprinter) {
                    walk(name, element, fingerprinter);
                }
            }
        }
        Value::String(text) => {
            if FREE_TEXTS.contains(&name) {
                *text = withheld(None);
            } else if is_secret(name, text) {
                *text = instead(name, text, fingerprinter);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Replaces the value of a `{"name": …, "value": …}`: always, or where it is a secret. False for anything else.
fn pair(element: &mut Value, always: bool, fingerprinter: &Fingerprinter) -> bool {
    let Value::Object(members) = element else { return false };
    let Some(Value::String(name)) = members.get("name").cloned() else { return false };
    let Some(Value::String(text)) = members.get_mut("value") else { return false };
    if always || kind_of(&name, text).is_some() {
        *text = instead(&name, text, fingerprinter);
    }
    true
}

/// What is written in place of a value.
fn instead(name: &str, text: &str, fingerprinter: &Fingerprinter) -> String {
    withheld(kind_of(name, text).map(|kind| (kind, fingerprinter.fingerprint(text.as_bytes()))))
}

/// Whether the value of a member is a secret. By the conventions of the API a member such as `apiKeySecret` names the
/// object that holds one.
fn is_secret(name: &str, text: &str) -> bool {
    let names_an_object = text.len() <= 253
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'.'));
    match kind_of(name, text) {
        Some("secret") => !names_an_object,
        Some(_) => true,
        None => false,
    }
}

/// The annotations of an object or of a template. Those that repeat objects keep their name: that they are there is a
/// fact of its own.
fn annotations(members: &mut Map<String, Value>, fingerprinter: &Fingerprinter) {
    for (name, value) in members {
        let Value::String(text) = value else { continue };
        let short = name.rsplit_once('/').map_or(name.as_str(), |(_, short)| short);
        let repeats = name == LAST_APPLIED
            || short.contains("last-applied")
            || text.len() > LONGEST_ANNOTATION
            || text.trim_start().starts_with(['{', '['])
            || text.starts_with("H4sI");
        if repeats {
            *text = withheld(None);
        } else if kind_of(short, text).is_some() {
            *text = instead(short, text, fingerprinter);
        }
    }
}

/// The words of a command line: flags and plain words stay, since they tell what runs. Secrets are told by kind and
/// fingerprint, scripts are gone.
fn arguments(words: &mut [Value], fingerprinter: &Fingerprinter) {
    let mut flag: Option<String> = None;
    for word in words {
        let Value::String(text) = word else { continue };
        let before = flag.take();
        match text.strip_prefix("--").map(|rest| (rest, rest.split_once('='))) {
            Some((_, Some((name, value)))) => {
                if let Some(kept) = argument(name, value, fingerprinter) {
                    *text = format!("--{name}={kept}");
                }
            }
            Some((name, None)) if !name.contains(char::is_whitespace) => flag = Some(name.to_owned()),
            _ => {
                if let Some(kept) = argument(before.as_deref().unwrap_or_default(), text, fingerprinter) {
                    *text = kept;
                }
            }
        }
    }
}

/// What is written in place of an argument; `None` where it may stay.
fn argument(name: &str, text: &str, fingerprinter: &Fingerprinter) -> Option<String> {
    let assigned = || text.split_once('=').is_some_and(|(name, value)| kind_of(name, value).is_some());
    let script = text.len() > LONGEST_ARGUMENT || text.contains(['\n', ' ', '{']) || assigned();
    match kind_of(name, text) {
        Some(_) => Some(instead(name, text, fingerprinter)),
        None if script => Some(withheld(None)),
        None => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn cleaned(object: Value) -> Value {
        let Value::Object(mut members) = object else { panic!("no object") };
        clean(&mut members, false, &Fingerprinter::keyed("test"));
        Value::Object(members)
    }

    #[test]
    fn secrets_go_and_facts_stay() {
        let canary = "fake-canary-0123456789";
        let key = "sk-ant-fake-canary-0123456789";
        let template = json!({
            "metadata": {"annotations": {"kubectl.kubernetes.io/last-applied-configuration": canary}},
            "spec": {
                "serviceAccountName": "agent",
                "containers": [{
                    "image": "registry.example/mcp-server:1",
                    "env": [
                        {"name": "OPENAI_API_KEY", "value": key},
                        {"name": "PLAIN", "value": canary},
                        {"name": "FROM", "valueFrom": {"secretKeyRef": {"name": "kept-secret", "key": "api-key"}}},
                    ],
                    "args": ["--mcp", "--api-key=fake-canary-1", "--token", "fake-canary-2", "sh", "-c",
                        "export X=fake-canary-3 && run", "PASSWORD=fake-canary-4", "--transport=sse", key],
                    "livenessProbe": {"httpGet": {"httpHeaders": [{"name": "Authorization", "value": canary}]}},
                }],
            },
        });
        let text = cleaned(json!({
            "metadata": {
                "name": "a",
                "managedFields": [{"fieldsV1": {"f:data": {"f:canary": {}}}}],
                "annotations": {
                    "kubectl.kubernetes.io/last-applied-configuration": format!("{{\"data\":\"{canary}\"}}"),
                    "kapp.k14s.io/original": format!("{{\"x\":\"{canary}\"}}"),
                    "objectset.rio.cattle.io/applied": "H4sICanary",
                    "example.com/api-token": canary,
                    "eks.amazonaws.com/role-arn": "arn:aws:iam::111122223333:role/kept-role",
                },
            },
            "spec": {
                "template": template,
                "declarative": {"systemMessage": canary, "apiKeySecret": "kept-name", "tools": [{"toolNames": ["kept-tool"]}]},
                "environment": {"A": canary},
                "provider": {"apiKey": canary, "url": format!("https://user:{canary}@models.example")},
            },
            "status": {"phase": "Running", "containerStatuses": [canary]},
        }))
        .to_string();
        assert!(!text.to_ascii_lowercase().contains("canary"), "{text}");
        for kept in [
            "last-applied-configuration",
            "kept-role",
            "agent",
            "mcp-server",
            "OPENAI_API_KEY",
            "kept-secret",
            "--mcp",
            "--transport=sse",
            "--api-key=evenhand:withheld:api_key:",
            "evenhand:withheld:token:",
            "kept-name",
            "kept-tool",
            "Running",
        ] {
            assert!(text.contains(kept), "{kept} is lost: {text}");
        }
    }

    #[test]
    fn a_fingerprint_is_the_one_that_the_value_itself_would_have() {
        let fingerprinter = Fingerprinter::keyed("test");
        let value = "not-a-real-key-0000";
        let object = cleaned(json!({"spec": {"env": [{"name": "OPENAI_API_KEY", "value": value}]}}));
        let written = object["spec"]["env"][0]["value"].as_str().unwrap();
        assert_eq!(written, withheld(Some(("api_key", fingerprinter.fingerprint(value.as_bytes())))));
    }
}
