//! What an answer holds that must not reach the disk: values of variables, addresses and secrets of webhooks, what configures
//! tool servers, and secrets in files.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use evenhand_agents::stored;
use evenhand_model::secret::{Fingerprinter, withheld};
use serde_json::Value;

/// Replaces the values at these places of an element: JSON pointers in which `*` is any element.
pub(crate) fn hide(element: &mut Value, places: &[&str], fingerprinter: &Fingerprinter) {
    for place in places {
        let steps: Vec<&str> = place.split('/').skip(1).collect();
        let name = element.get("name").and_then(Value::as_str).map(str::to_owned);
        walk(element, &steps, name.as_deref().unwrap_or_default(), fingerprinter);
    }
}

fn walk(value: &mut Value, steps: &[&str], name: &str, fingerprinter: &Fingerprinter) {
    let Some((step, rest)) = steps.split_first() else { return leaves(value, name, fingerprinter) };
    match value {
        Value::Object(members) => {
            if let Some(member) = members.get_mut(*step) {
                // The value of a variable is called as the variable is.
                let name = if *step == "value" { name } else { step };
                walk(member, rest, name, fingerprinter);
            }
        }
        Value::Array(elements) if *step == "*" => {
            for element in elements {
                walk(element, rest, name, fingerprinter);
            }
        }
        // Where something else stands than the vendor describes, it is not trusted either.
        other => leaves(other, name, fingerprinter),
    }
}

/// Replaces every text below a value; names stay.
fn leaves(value: &mut Value, name: &str, fingerprinter: &Fingerprinter) {
    match value {
        Value::String(text) => *text = instead(name, text, fingerprinter),
        Value::Array(elements) => {
            for element in elements {
                leaves(element, name, fingerprinter);
            }
        }
        Value::Object(members) => {
            for (name, member) in members {
                leaves(member, name, fingerprinter);
            }
        }
        Value::Number(_) => *value = withheld(None).into(),
        Value::Null | Value::Bool(_) => {}
    }
}

/// What is written in place of a text.
fn instead(name: &str, text: &str, fingerprinter: &Fingerprinter) -> String {
    if name == "url"
        && let Some((scheme, rest)) = text.split_once("://")
    {
        // Who is told is a fact; how it is addressed there may be a secret.
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let host = authority.rsplit('@').next().unwrap_or_default();
        return format!("{scheme}://{host}/{}", withheld(None));
    }
    withheld(stored::secret_in(name, text, fingerprinter).map(|(kind, fingerprint)| (known(kind), fingerprint)))
}

/// A kind among those that captures tell.
fn known(kind: &str) -> &'static str {
    const KINDS: [(&str, &str); 5] = [
        ("private_key", "private_key"),
        ("password", "password"),
        ("connection", "connection_string"),
        ("token", "token"),
        ("key", "api_key"),
    ];
    KINDS.iter().find(|(part, _)| kind.contains(part)).map_or("secret", |(_, word)| word)
}

/// Replaces the secrets in a file's content.
pub(crate) fn file(file: &mut Value, fingerprinter: &Fingerprinter) {
    let Some(Value::String(content)) = file.get_mut("content") else { return };
    let packed: String = content.split_ascii_whitespace().collect();
    let text = STANDARD.decode(packed).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    match text {
        Some(text) => {
            let cut = stored::cut_out(&text, |kind, secret| {
                withheld(Some((known(kind), fingerprinter.fingerprint(secret.as_bytes()))))
            });
            // What holds none is kept as it was sent.
            if cut != text {
                *content = STANDARD.encode(cut);
            }
        }
        // Whatever it is, it is no text of a workflow.
        None => content.clear(),
    }
}

#[cfg(test)]
mod tests {
    use evenhand_model::secret::of_withheld;
    use serde_json::json;

    use super::*;
    use crate::collect::table::STEPS;
    use crate::documents::route::Route;

    const CANARY: &str = "fake-canary-0123456789";

    fn hidden(mut element: Value, places: &[&str]) -> Value {
        hide(&mut element, places, &Fingerprinter::keyed("test"));
        assert!(!element.to_string().contains("canary"), "{element}");
        element
    }

    #[test]
    fn tokens_that_github_puts_into_its_answers_go() {
        let of = |route| STEPS.iter().find(|step| step.route == route).unwrap().withheld;
        let cloned = json!({ "name": "shop", "temp_clone_token": "canary" });
        hidden(json!({ "temp_clone_token": "canary", "parent": cloned, "source": cloned }), of(Route::Repository));
        for route in [Route::Repositories, Route::TeamRepositories, Route::TokenGrantRepositories] {
            hidden(json!([cloned]), of(route));
        }
        for route in [
            Route::InstallationRepositories,
            Route::OrganisationSecretRepositories,
            Route::RunnerGroupRepositories,
            Route::CopilotAgentRepositories,
        ] {
            hidden(json!({ "repositories": [cloned] }), of(route));
        }
        let file = json!({ "name": "ci.yml", "download_url": "https://raw.example.test/ci.yml?token=canary" });
        hidden(json!([file]), of(Route::WorkflowFiles));
        hidden(file, of(Route::File));
        for route in [Route::OrganisationHooks, Route::RepositoryHooks] {
            hidden(json!([{ "config": { "username": "canary", "password": "canary", "token": "canary" } }]), of(route));
        }
    }

    #[test]
    fn values_go_and_names_stay() {
        let held = hidden(
            json!({"name": "DEPLOY_PASSWORD", "value": CANARY, "updated_at": "2026-01-01T00:00:00Z"}),
            &["/value"],
        );
        assert_eq!((&held["name"], &held["updated_at"]), (&json!("DEPLOY_PASSWORD"), &json!("2026-01-01T00:00:00Z")));
        let (kind, fingerprint) = of_withheld(held["value"].as_str().unwrap()).unwrap().unwrap();
        assert_eq!((kind, fingerprint), ("password", Fingerprinter::keyed("test").fingerprint(CANARY.as_bytes())));
        let held = hidden(json!({"name": "REGION", "value": "eu-west-1"}), &["/value"]);
        assert_eq!(of_withheld(held["value"].as_str().unwrap()), Some(None));
        let hook = json!({"name": "web", "config": {"url": format!("https://u:{CANARY}@hooks.example/{CANARY}?t={CANARY}"), "secret": CANARY, "insecure_ssl": "0"}});
        let held = hidden(hook, &["/config/url", "/config/secret"]);
        assert_eq!(held["config"]["url"], "https://hooks.example/evenhand:withheld");
        assert_eq!(held["config"]["insecure_ssl"], "0");
        let servers = json!({"mcp_configuration": {"mcpServers": {"tickets": {"command": "x", "env": {"K": CANARY}, "args": [CANARY]}}}, "is_firewall_enabled": true});
        let held = hidden(servers, &["/mcp_configuration"]);
        assert!(held["mcp_configuration"]["mcpServers"]["tickets"]["command"].is_string());
        assert_eq!(held["is_firewall_enabled"], true);
        hidden(json!({"mcp_configuration": CANARY}), &["/mcp_configuration"]);
    }

    #[test]
    fn secrets_in_files_go_and_the_rest_of_the_text_stays() {
        let token = format!("ghp_{}", "a1B2c3".repeat(6));
        let text = format!("on: push\njobs:\n  a:\n    env:\n      API_TOKEN: {token}\n    steps: [{{run: make}}]\n");
        let mut held = json!({"path": "x.yml", "encoding": "base64", "content": STANDARD.encode(&text)});
        file(&mut held, &Fingerprinter::keyed("test"));
        let kept = String::from_utf8(STANDARD.decode(held["content"].as_str().unwrap()).unwrap()).unwrap();
        assert!(!kept.contains(&token) && kept.contains("evenhand:withheld:") && kept.contains("run: make"), "{kept}");
        let mut plain = json!({"content": "b24=\n"});
        file(&mut plain, &Fingerprinter::keyed("test"));
        assert_eq!(plain["content"], "b24=\n");
        let mut binary = json!({"content": STANDARD.encode([0xff, 0xfe])});
        file(&mut binary, &Fingerprinter::keyed("test"));
        assert_eq!(binary["content"], "");
    }
}
