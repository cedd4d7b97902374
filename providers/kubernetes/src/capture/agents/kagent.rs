//! kagent: agents with their tools and models, tool servers that it runs (kmcp) and those it reaches over the network.

use std::sync::Arc;

use serde_json::Value;

use super::misfits::{WHOSE, is_other};
use super::{AgentResource, Approval, Held, ModelSettings, ToolRef, at, is_privileged, literals, text, texts};
use crate::capture::take::{Taking, mistyped, namespace};
use crate::documents::{Found, raw};

const GROUP: &str = "kagent.dev";

pub(super) fn fill(agent: &mut AgentResource, spec: &Value, taking: &mut Taking<'_>) {
    // Two kinds of an agent hold their deployment in a member of their own; older versions at the top.
    let deployment = [&["declarative", "deployment"][..], &["byo", "deployment"], &["deployment"]]
        .iter()
        .find_map(|way| at(spec, way));
    let own = deployment.and_then(|held| text(held, "serviceAccountName"));
    match &*agent.kind {
        "Agent" | "SandboxAgent" | "MCPServer" => {
            // The controller makes an account named like the object.
            agent.accounts = vec![own.map_or_else(|| Arc::clone(&agent.name), |name| taking.share(name))];
        }
        _ => agent.accounts.extend(own.map(|name| taking.share(name))),
    }
    agent.privileged = deployment.map(is_privileged);
    if agent.image.is_none() {
        agent.image = deployment.and_then(|held| text(held, "image")).map(|image| taking.share(image));
    }
    if &*agent.kind == "SandboxAgent" {
        agent.sandboxed = Some(true);
    }
    agent.transport = ["transportType", "protocol"]
        .iter()
        .find_map(|key| text(spec, key))
        .map(|word| taking.share(&word.to_ascii_lowercase()));
    match &*agent.kind {
        "MCPServer" => {
            // A server that speaks over its standard input is put behind an adapter that speaks HTTP.
            agent.transport = Some(taking.share("http"));
            agent.authenticated = Some(is_set(spec.get("authn")) || at(spec, &["authz", "server"]).is_some());
            agent.authorization = Some(is_set(spec.get("authz")));
        }
        // What is sent there is what the far side may ask for.
        "RemoteMCPServer" => agent.authenticated = Some(is_set(spec.get("headersFrom"))),
        "ToolServer" => {
            let config = ["streamableHttp", "sse"].iter().find_map(|way| at(spec, &["config", way]));
            if let Some(config) = config {
                agent.url = text(config, "url").map(|url| taking.share(super::address(url)));
                agent.transport = Some(taking.share("http"));
                agent.authenticated = Some(is_set(config.get("headers")) || is_set(config.get("headersFrom")));
            } else if at(spec, &["config", "stdio"]).is_some() {
                agent.transport = Some(taking.share("stdio"));
            }
        }
        _ => {}
    }
    for way in [&["declarative", "tools"][..], &["tools"]] {
        for tool in at(spec, way).and_then(Value::as_array).into_iter().flatten() {
            agent.tools.extend(tool_ref(tool, &agent.namespace, taking));
        }
    }
    if matches!(&*agent.kind, "Agent" | "SandboxAgent") && spec.get("byo").is_none() {
        let model = [&["declarative", "modelConfig"][..], &["modelConfig"]]
            .iter()
            .find_map(|way| at(spec, way)?.as_str())
            .unwrap_or("default-model-config");
        agent.model = Some(taking.share(model));
    } else if let Some(model) = text(spec, "modelConfigRef") {
        agent.model = Some(taking.share(model));
    }
}

/// Whether a setting is there and holds something.
fn is_set(value: Option<&Value>) -> bool {
    value.is_some_and(|value| match value {
        Value::Array(list) => !list.is_empty(),
        Value::Object(object) => !object.is_empty(),
        _ => false,
    })
}

/// `ModelConfig` and `ModelProviderConfig`.
pub(super) fn model_settings(found: &Found<'_, '_>, taking: &mut Taking<'_>) -> Option<ModelSettings> {
    let object = &found.object;
    if object.group() != GROUP || !matches!(object.kind.as_str(), "ModelConfig" | "ModelProviderConfig") {
        return None;
    }
    let spec: Value = raw(object.spec)?;
    let home = namespace(&object.meta, taking);
    let name = taking.share(object.meta.name.as_str());
    let wrong = if is_other(Some(&spec), Value::is_object) {
        Some("/spec")
    } else {
        is_other(spec.get("apiKeySecret"), Value::is_string).then_some("/spec/apiKeySecret")
    };
    taking.misfits.extend(wrong.map(|pointer| mistyped(found, pointer)));
    let stored =
        text(&spec, "apiKeySecret").is_some() || spec.get("apiKeySecretRef").is_some_and(|held| !held.is_null());
    let stored_key = (stored || wrong.is_none()).then_some(stored);
    let holder: Arc<str> = format!("{} {home}/{name}", object.kind.as_str()).into();
    let Held { literals: secrets, .. } = literals::of_spec(&spec, &holder, found, taking);
    Some(ModelSettings { namespace: home, name, stored_key, secrets })
}

fn tool_ref(tool: &Value, home: &Arc<str>, taking: &mut Taking<'_>) -> Option<ToolRef> {
    let (reference, fallback) = match (tool.get("mcpServer"), tool.get("agent")) {
        (Some(server), _) => (server, "MCPServer"),
        (None, Some(agent)) => (agent, "Agent"),
        (None, None) => return None,
    };
    if WHOSE.iter().any(|member| is_other(reference.get(member), Value::is_string)) {
        return None;
    }
    let (namespace, name) = match (text(reference, "namespace"), text(reference, "name")?) {
        // Older versions write `namespace/name` in one.
        (None, name) => name.split_once('/').map_or((None, name), |(namespace, name)| (Some(namespace), name)),
        (namespace, name) => (namespace, name),
    };
    let approval = match reference.get("requireApproval") {
        Some(Value::Bool(true)) => Approval::All,
        Some(list @ Value::Array(tools)) if !tools.is_empty() => Approval::Tools(texts(Some(list), taking)),
        _ => Approval::Unset,
    };
    let kind = match reference.get("toolServer") {
        // The first version named a ToolServer by a member of its own.
        Some(_) => "ToolServer",
        None => text(reference, "kind").unwrap_or(fallback),
    };
    Some(ToolRef {
        group: taking.share(text(reference, "apiGroup").unwrap_or_default()),
        kind: taking.share(kind),
        namespace: namespace.map_or_else(|| Arc::clone(home), |namespace| taking.share(namespace)),
        name: taking.share(name),
        tools: texts(reference.get("toolNames"), taking),
        approval,
    })
}
