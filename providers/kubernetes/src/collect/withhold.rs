//! What an object holds that must not reach the disk: values of environments, secrets wherever they stand, free texts for
//! models, and texts that embed any of these, such as annotations that repeat the whole object.

use std::slice;

use evenhand_model::secret::{Fingerprinter, withheld};
use serde_json::{Map, Value};

use super::arguments::{Shell, argument, arguments};
use super::script;
use super::secret::{ENVIRONMENTS, holds_values, instead, is_called_a_secret, is_secret};
use crate::capture::kind_of;
use crate::documents::LAST_APPLIED;

/// Members that hold command lines.
const COMMANDS: [&str; 4] = ["args", "command", "entrypoint", "extraArgs"];

/// Members that hold texts which no fact comes from: for models, and settings and command lines in one piece.
const FREE_TEXTS: [&str; 9] = [
    "entrypoint",
    "instruction",
    "instructions",
    "prompt",
    "promptTemplate",
    "runtimeEnvYAML",
    "serveConfigV2",
    "systemMessage",
    "systemPrompt",
];

/// Texts that facts come from though they may have lines or be documents of their own, by the member they stand in and
/// their own name: the mappings of AWS, and the conditions of CEL under which admission looks at a request.
const READ_WHOLE: [(&str, &str); 3] = [("data", "mapRoles"), ("data", "mapUsers"), ("matchConditions", "expression")];

/// Longer annotations are no facts: they repeat objects, packed or plain.
const LONGEST_ANNOTATION: usize = 512;

/// Where a value stands.
#[derive(Clone, Copy, Default)]
struct Place {
    /// In a list: it is an element, and what is told of it is told of the list.
    listed: bool,
    /// Inside a member that holds values, however deep.
    values: bool,
}

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
        walk(name, member, Place::default(), fingerprinter);
    }
}

/// Looks at the value of a member, or at an element of the list that it is.
fn walk(name: &str, value: &mut Value, place: Place, fingerprinter: &Fingerprinter) {
    match value {
        Value::Object(members) if name == "annotations" && !place.values => annotations(members, fingerprinter),
        Value::Object(members) => object(name, members, place, fingerprinter),
        Value::Array(words) if COMMANDS.contains(&name) && !place.values => {
            arguments(words, Shell::default(), fingerprinter, &|word| {
                walk(name, word, Place::default(), fingerprinter);
            });
        }
        Value::Array(elements) => {
            let place = Place { listed: true, values: place.values || holds_values(name) };
            for element in elements {
                walk(name, element, place, fingerprinter);
            }
        }
        Value::String(text) => {
            // A label may be called `env`, too, and its value is what environment something belongs to.
            let values = place.values || (holds_values(name) && !(ENVIRONMENTS.contains(&name) && is_label(text)));
            if values {
                *text = instead(name, text, fingerprinter);
            } else if COMMANDS.contains(&name) && !FREE_TEXTS.contains(&name) {
                // A whole command in one text is what a shell is handed.
                let shell = Shell { called: false, expects: name == "command" };
                arguments(slice::from_mut(value), shell, fingerprinter, &|_| {});
            } else if let Some(written) = in_place(name, text, fingerprinter)
                && !names_an_object(name, text)
            {
                *text = written;
            }
        }
        Value::Number(_) if place.values || is_called_a_secret(name) => *value = withheld(None).into(),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Looks at the members of an object.
fn object(name: &str, members: &mut Map<String, Value>, place: Place, fingerprinter: &Fingerprinter) {
    let values = place.values || holds_values(name);
    let pair = pair(members).map(str::to_owned);
    // Elsewhere `name` and `key` are names of values like all others.
    let tells_its_name = place.listed || pair.is_some();
    let called = pair.as_deref().unwrap_or(name);
    // A container's arguments are handed to its command.
    let command = members.get("command").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let shell = Shell::behind(command);
    let are_arguments = COMMANDS.contains(&name);
    for (member, value) in members {
        match value {
            Value::String(text) if values && !(tells_its_name && matches!(member.as_str(), "key" | "name")) => {
                *text = instead(if member == "value" { called } else { member }, text, fingerprinter);
            }
            // Arguments by name.
            Value::String(text) if are_arguments && !(tells_its_name && matches!(member.as_str(), "key" | "name")) => {
                let called = if member == "value" { called } else { member };
                if let Some(written) = argument(called, text, false, fingerprinter) {
                    *text = written;
                }
            }
            Value::String(text) if member == "value" => {
                if let Some(written) = in_place(called, text, fingerprinter) {
                    *text = written;
                }
            }
            Value::String(text) if READ_WHOLE.contains(&(name, member)) => {
                if kind_of(member, text).is_some() {
                    *text = instead(member, text, fingerprinter);
                }
            }
            Value::Array(words) if member == "args" && shell.called && !values => {
                arguments(words, shell, fingerprinter, &|word| {
                    walk(member, word, Place::default(), fingerprinter);
                });
            }
            Value::Number(_) if member == "value" && is_called_a_secret(called) => *value = withheld(None).into(),
            // The name is no value; what is referred to stands elsewhere.
            Value::String(_) => walk(member, value, Place::default(), fingerprinter),
            Value::Object(_) if is_reference(member) => walk(member, value, Place::default(), fingerprinter),
            _ => walk(member, value, Place { listed: false, values }, fingerprinter),
        }
    }
}

/// Whether a member tells by convention where a value is taken from.
fn is_reference(member: &str) -> bool {
    member == "valueFrom" || member.ends_with("Ref")
}

/// The name in a `{"name": …, "value": …}` or `{"key": …, "value": …}`: what the value is called.
fn pair(members: &Map<String, Value>) -> Option<&str> {
    members.get("value").filter(|value| value.is_string() || value.is_number())?;
    ["name", "key"].iter().find_map(|called| members.get(*called)?.as_str())
}

/// Whether a text could be the value of a label.
fn is_label(text: &str) -> bool {
    text.len() <= 63 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
}

/// Whether a text has lines or is a document of its own, so that anything may stand in it.
fn embeds(text: &str) -> bool {
    let start = text.trim_start();
    text.contains('\n') || start.starts_with('[') || (start.starts_with('{') && !start.starts_with("{{"))
}

/// What is written in place of a text that is no environment's; `None` where it may stay.
fn in_place(name: &str, text: &str, fingerprinter: &Fingerprinter) -> Option<String> {
    if FREE_TEXTS.contains(&name) {
        Some(withheld(None))
    } else if is_secret(name, text) {
        Some(instead(name, text, fingerprinter))
    } else {
        embeds(text).then(|| withheld(None)).or_else(|| script::addresses(text, fingerprinter))
    }
}

/// Whether a member names the object that holds a secret. By the conventions of the API one such as `apiKeySecret` does;
/// `clientSecret` is the word of OAuth for the secret itself.
fn names_an_object(name: &str, text: &str) -> bool {
    kind_of(name, "any-secret") == Some("secret")
        && !name.to_ascii_lowercase().replace(['-', '_'], "").ends_with("clientsecret")
        && text.len() <= 253
        && text.bytes().any(|byte| byte.is_ascii_lowercase())
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'.'))
        && kind_of("", text).is_none()
}

/// The annotations of an object or of a template. Those that repeat objects keep their name: that they are there is a
/// fact of its own.
fn annotations(members: &mut Map<String, Value>, fingerprinter: &Fingerprinter) {
    for (name, value) in members {
        let Value::String(text) = value else {
            walk(name, value, Place::default(), fingerprinter);
            continue;
        };
        let short = name.rsplit_once('/').map_or(name.as_str(), |(_, short)| short);
        // What people declare for this program may have lines.
        let lines = text.trim_end().contains('\n') && !name.starts_with("evenhand.dev/");
        let repeats = name == LAST_APPLIED
            || short.contains("last-applied")
            || text.len() > LONGEST_ANNOTATION
            || text.trim_start().starts_with(['{', '['])
            || text.starts_with("H4sI")
            || lines;
        if repeats {
            *text = withheld(None);
        } else if is_secret(short, text) {
            *text = instead(short, text, fingerprinter);
        }
    }
}

#[cfg(test)]
mod tests {
    use evenhand_model::secret::withheld_of;
    use serde_json::json;

    use super::*;
    use crate::capture::{found, issued};

    fn cleaned(object: Value) -> Value {
        let Value::Object(mut members) = object else { panic!("no object") };
        clean(&mut members, false, &Fingerprinter::keyed("test"));
        Value::Object(members)
    }

    #[test]
    fn what_is_asked_of_an_address_goes_and_the_address_stays() {
        let kept = cleaned(json!({"spec": {
            "url": "https://mcp.example/sse?api_key=canary",
            "args": ["https://mcp.example/sse?k=canary", "--server=https://mcp.example/sse?k=canary"],
            "image": "registry.example/x:1",
        }}));
        assert!(!kept.to_string().contains("canary"), "{kept}");
        assert_eq!(kept.to_string().matches("https://mcp.example/sse?").count(), 3, "{kept}");
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
    fn every_place_that_may_hold_a_secret_is_withheld_and_what_is_read_is_not() {
        let canary = "canary";
        for (object, kept) in [
            // Texts that embed environments and command lines.
            (json!({"runtimeEnvYAML": "env_vars:\n  HF_TOKEN: canary"}), &[][..]),
            (json!({"runtimeEnvYAML": "{env_vars: {HF_TOKEN: canary}}"}), &[]),
            (json!({"serveConfigV2": "runtime_env: {env_vars: {X: canary}}"}), &[]),
            (json!({"entrypoint": "API_KEY=canary python x --token canary"}), &[]),
            (json!({"entrypoint": "canary"}), &[]),
            (json!({"entrypoint": ["run", "--token=canary"]}), &["run", "--token="]),
            (json!({"anything": "a: b\nc: canary"}), &[]),
            (json!({"anything": "{\"c\": \"canary\"}"}), &[]),
            (json!({"command": "python x --token canary"}), &["python", "--token evenhand:withheld:token:"]),
            (
                json!({"url": "see https://kept.example/sse?api_key=canary&k=canary for more"}),
                &["see https://kept.example/sse?api_key=evenhand:withheld:api_key:", "&k=evenhand:withheld for more"],
            ),
            (json!({"note": "postgres://app:canary@db/app is it"}), &[]),
            (json!({"args": ["sh", "-c", "cat <<E\ncanary\ntoken: canary\nE"]}), &["sh", "cat"]),
            // Texts with lines that no shell is handed are no scripts.
            (
                json!({"args": ["--keys", "canary\ncanary", "--users=canary\ncanary", "canary canary"]}),
                &["--keys", "--users="],
            ),
            (
                json!({"args": ["--keys canary\ncanary==", "-c", "canary\ncanary", "sh", "x", "-c", "canary\nx"]}),
                &["sh"],
            ),
            (json!({"args": "canary\ncanary"}), &[]),
            (json!({"args": ["sh", "-c", "kept", "-c", "canary\ncanary"]}), &["kept"]),
            (
                json!({"args": ["--prompt", "canary sk-ant-example-000000000000"]}),
                &["--prompt", "evenhand:withheld:api_key:"],
            ),
            (json!({"args": ["/bin/bash", "-euo", "pipefail", "-c", "kept && echo canary"]}), &["kept && "]),
            (
                json!({"command": ["/bin/sh", "-lc"], "args": ["kept --token canary"]}),
                &["kept --token evenhand:withheld:token:"],
            ),
            (
                json!({"command": ["bash", "-e"], "args": ["-c", "kept --token canary"]}),
                &["kept --token evenhand:withheld:token:"],
            ),
            (json!({"command": ["tool"], "args": ["-c", "canary\ncanary"]}), &["tool"]),
            (json!({"args": ["sh", "-c", "GH_TOKEN=canary kept-or-not"]}), &["GH_TOKEN=evenhand:withheld:token:"]),
            // Addresses that prove by themselves who asks.
            (
                json!({"args": ["--hook=https://kept.example/bot1:Acanary/x?kept-too=1", "https://canaryC@kept.example/x"]}),
                &["https://kept.example/evenhand:withheld?kept-too=", "\"https://kept.example/x\""],
            ),
            (json!({"url": "https://canaryC@kept.example/x?ref=main"}), &["https://kept.example/x?ref="]),
            (json!({"args": "--api-key=canary"}), &["--api-key=evenhand:withheld:api_key:"]),
            (json!({"args": "serve"}), &["serve"]),
            (json!({"args": [{"name": "api-key", "value": "canary"}, ["--token", "canary"]]}), &["api-key", "--token"]),
            (json!({"extraArgs": {"api-key": "canary", "mode": "kept"}}), &["kept"]),
            // Texts that are read.
            (
                json!({"data": {"mapRoles": "- rolearn: kept-1\n", "mapUsers": "[{\"userarn\": \"kept-2\"}]", "other": "- canary\n"}}),
                &["kept-1", "kept-2"],
            ),
            (
                json!({"matchConditions": [{"name": "kept", "expression": "request.userInfo.username\n  != 'kept-too'"}]}),
                &["kept", "userInfo", "kept-too"],
            ),
            (
                json!({"metadata": {"annotations": {"evenhand.dev/purpose": "kept\nlines", "owner": "kept-owner\n", "x": "a\ncanary"}}}),
                &["kept\\nlines", "kept-owner"],
            ),
            // What members that hold values hold, in whatever form.
            (json!({"headers": [{"key": "Authorization", "value": "Bearer canary"}]}), &["Authorization", ":token:"]),
            (json!({"more": [{"key": "Authorization", "value": "Bearer canary"}]}), &["Authorization", ":token:"]),
            (json!({"env": ["API_KEY=canary"]}), &[]),
            (json!({"env": "API_KEY=canary"}), &[]),
            (json!({"headers": ["Authorization: Bearer canary"]}), &[]),
            (json!({"extraHeaders": "canary"}), &[]),
            (json!({"env": [{"PLAIN": "canary"}]}), &["PLAIN"]),
            (
                json!({"env": {"name": "canary", "key": "canary", "SOME_ID": "canary", "SOME_URL": "https://canary"}}),
                &["SOME_ID"],
            ),
            (json!({"env": {"API_KEY": {"value": "canary"}, "X": {"deep": [["canary"]]}}}), &["API_KEY", ":api_key:"]),
            (
                json!({"env": [{"name": "X", "valueFrom": {"secretKeyRef": {"name": "kept-1", "key": "kept-2"}}}]}),
                &["kept-1", "kept-2"],
            ),
            (
                json!({"headersFrom": [{"name": "X", "valueFrom": {"type": "Secret", "name": "kept-1", "key": "kept-2"}}]}),
                &["Secret", "kept-1", "kept-2"],
            ),
            (
                json!({"addHeadersFromSecret": [{"headerName": "X", "valueSecretRef": {"name": "kept-1", "key": "kept-2"}}]}),
                &["kept-1", "kept-2"],
            ),
            (json!({"labels": {"env": "kept-1"}, "selector": {"environment": "kept-2"}}), &["kept-1", "kept-2"]),
            // What is called a secret, whatever it looks like.
            (json!({"password": "correct canary"}), &["password"]),
            (json!({"password": "/canary"}), &[]),
            (json!({"apiKey": "x://canary"}), &[]),
            (json!({"secretKey": "canary", "privateKey": "canary"}), &[]),
            (json!({"authorization": "Bearer canary"}), &[":token:"]),
            (json!({"clientSecret": "canary"}), &[":secret:"]),
            (json!({"token": {"value": "a canary"}}), &[]),
            (json!({"token": {"secretKeyRef": {"name": "kept-1", "key": "token"}}}), &["kept-1"]),
            (json!({"serviceAccountToken": {"audience": "kept-1", "expirationSeconds": 3607}}), &["kept-1", "3607"]),
            (json!({"more": [{"name": "DB_PASSWORD", "value": "correct canary"}]}), &["DB_PASSWORD"]),
            (
                json!({"password": "$(KEPT)", "token": "{{ .kept }}", "apiKeySecret": "kept-name", "more": {"apiKey": ""}}),
                &["$(KEPT)", "{{ .kept }}", "kept-name"],
            ),
            (json!({"password": "${OTHER:-canary}", "token": "$(OTHER)canary"}), &[]),
            (json!({"annotations": {"example.com/token": "a canary", "example.com/token-of": "kept"}}), &["kept"]),
            (
                json!({"args": ["--secret-key", "/canary", "--api-key=x://canary", "--token", "-canary", "--mcp"]}),
                &["--secret-key", "--mcp"],
            ),
            (
                json!({"args": ["-redis.password", "canary", "-token", "canary", "-api-key=canary", "-v", "kept"]}),
                &[
                    "-redis.password",
                    "evenhand:withheld:password:",
                    "-token",
                    "evenhand:withheld:token:",
                    "-api-key=",
                    "-v",
                    "kept",
                ],
            ),
            (
                json!({"args": ["--env", "A=canary", "--header=X:canary", "API_KEY=/canary", "--token", "$(KEPT)", "-", "--", "kept"]}),
                &["$(KEPT)", "kept"],
            ),
            (
                json!({"args": ["--audit-policy-file=/etc/kept", "--audit-log-maxage=30", "--transport", "sse", "-c", "kept"]}),
                &["--audit-policy-file=/etc/kept", "--audit-log-maxage=30", "\"--transport\",\"sse\"", "kept"],
            ),
        ] {
            let text = cleaned(json!({"spec": object.clone(), "data": object["data"], "metadata": object["metadata"]}));
            let text = text.to_string();
            assert!(!text.contains(canary), "{object} is written as {text}");
            for kept in kept {
                assert!(text.contains(kept), "{kept} is lost: {text}");
            }
        }
    }

    #[test]
    fn numbers_that_are_secrets_go_and_others_stay() {
        let object = cleaned(json!({
            "spec": {
                "password": 1234,
                "env": [{"name": "PIN", "value": 1234}, 1234],
                "headers": {"X": 1234},
                "args": ["--token", 1234, "--port", 8080],
                "more": [{"name": "PASSWORD", "value": 1234}, {"apiKey": {"value": 1234}}],
                "replicas": 5,
                "automountServiceAccountToken": true,
            },
        }));
        let text = object.to_string();
        assert!(!text.contains("1234"), "{text}");
        assert!(text.contains("8080") && object["spec"]["replicas"] == 5, "{text}");
        assert_eq!(object["spec"]["automountServiceAccountToken"], true);
    }

    #[test]
    fn a_fingerprint_is_the_one_that_the_value_itself_would_have() {
        let fingerprinter = Fingerprinter::keyed("test");
        let value = "not-a-real-key-0000";
        let object = cleaned(json!({"spec": {"env": [{"name": "OPENAI_API_KEY", "value": value}]}}));
        let written = object["spec"]["env"][0]["value"].as_str().unwrap();
        assert_eq!(written, withheld(Some(("api_key", fingerprinter.fingerprint(value.as_bytes())))));
    }

    #[test]
    fn a_secret_inside_a_longer_value_is_told_as_it_is_when_the_value_itself_is_read() {
        let fingerprinter = Fingerprinter::keyed("test");
        let key = "sk-ant-example-000000000000";
        let value = format!("--verbose {key}");
        let expected = withheld_of("api_key", fingerprinter.fingerprint(key.as_bytes()), "anthropic_api_key");
        for (object, place) in [
            (json!({"spec": {"env": [{"name": "ARGS", "value": value}]}}), "/spec/env/0/value"),
            (json!({"spec": {"note": value}}), "/spec/note"),
            (json!({"metadata": {"annotations": {"note": value}}}), "/metadata/annotations/note"),
            (json!({"spec": {"args": ["--with", value]}}), "/spec/args/1"),
        ] {
            let object = cleaned(object);
            let written = object.pointer(place).and_then(Value::as_str).unwrap();
            assert_eq!(written, expected, "{place}");
            assert_eq!(issued("ARGS", written), issued("ARGS", &value), "{place}");
            assert_eq!(found("ARGS", written, &fingerprinter), found("ARGS", &value, &fingerprinter), "{place}");
        }
    }
}
