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
        walk(name, member, false, fingerprinter);
    }
}

/// Looks at the value of a member, or at an element of the list that it is.
fn walk(name: &str, value: &mut Value, listed: bool, fingerprinter: &Fingerprinter) {
    match value {
        Value::Object(members) if name == "annotations" => annotations(members, fingerprinter),
        Value::Object(members) if holds_values(name) && !listed && !is_pair(members) => {
            for (name, member) in members {
                match member {
                    Value::String(text) => *text = instead(name, text, fingerprinter),
                    other => walk(name, other, false, fingerprinter),
                }
            }
        }
        Value::Object(members) => {
            let paired = members.get("name").and_then(Value::as_str).filter(|_| is_pair(members)).map(str::to_owned);
            for (member, value) in members {
                match (value, &paired) {
                    (Value::String(text), Some(called)) if member == "value" => {
                        if holds_values(name) || is_authorization(called) || kind_of(called, text).is_some() {
                            *text = instead(called, text, fingerprinter);
                        }
                    }
                    (value, _) => walk(member, value, false, fingerprinter),
                }
            }
        }
        Value::Array(elements) if COMMANDS.contains(&name) => arguments(elements, fingerprinter),
        Value::Array(elements) => {
            for element in elements {
                walk(name, element, true, fingerprinter);
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

/// Whether what stands below a member are values that are nobody's business, by name: environments and headers.
fn holds_values(name: &str) -> bool {
    ENVIRONMENTS.contains(&name) || name.to_ascii_lowercase().contains("headers")
}

/// The header by which callers prove who they are.
fn is_authorization(name: &str) -> bool {
    name.eq_ignore_ascii_case("authorization")
}

/// Whether this is a `{"name": …, "value": …}`: the first is the name of the second.
fn is_pair(members: &Map<String, Value>) -> bool {
    members.get("name").is_some_and(Value::is_string) && members.get("value").is_some_and(Value::is_string)
}

/// What is written in place of a value.
fn instead(name: &str, text: &str, fingerprinter: &Fingerprinter) -> String {
    // What authenticates stands behind a word for how: `Bearer`, `Basic`.
    let (name, text) = match text.split_once(' ') {
        Some((_, credential)) if is_authorization(name) => ("BEARER", credential),
        _ => (name, text),
    };
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
                "headersFrom": [{"name": "Authorization", "value": format!("Bearer {canary}"), "more": {"token": canary}}],
                "defaultHeaders": {"X": canary},
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
