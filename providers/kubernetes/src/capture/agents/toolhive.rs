//! ToolHive: tool servers that it runs behind a proxy, proxies of remote ones, and servers that gather others.

use std::sync::Arc;

use serde_json::Value;

use super::{AgentResource, at, is_privileged, text};
use crate::capture::take::Taking;

/// Members that demand a credential of callers. Without any the proxy accepts whoever reaches its port.
pub(super) const AUTHENTICATION: &[&str] = &["oidcConfig", "oidcConfigRef", "externalAuthConfigRef", "authServerRef"];

/// Members that decide who may call what.
pub(super) const AUTHORIZATION: &[&str] = &["authzConfig", "authzConfigRef"];

pub(super) fn fill(agent: &mut AgentResource, spec: &Value, taking: &mut Taking<'_>) {
    let name = Arc::clone(&agent.name);
    let made = |suffix: &str| format!("{name}{suffix}");
    let own = text(spec, "serviceAccount");
    let accounts: Vec<String> = match &*agent.kind {
        // The server's own account, and the one of the proxy in front of it.
        "MCPServer" => vec![own.map_or_else(|| made("-sa"), str::to_owned), made("-proxy-runner")],
        "MCPRemoteProxy" => vec![own.map_or_else(|| made("-remote-proxy-runner"), str::to_owned)],
        "VirtualMCPServer" => vec![own.map_or_else(|| made("-vmcp"), str::to_owned)],
        _ => Vec::new(),
    };
    agent.accounts = accounts.iter().map(|account| taking.share(account)).collect();
    // Callers reach the proxy, which speaks HTTP whatever the server behind it speaks.
    let spoken = text(spec, "transport").filter(|word| *word != "stdio").or_else(|| text(spec, "proxyMode"));
    agent.transport = Some(taking.share(spoken.unwrap_or("streamable-http")));
    agent.audited = at(spec, &["audit", "enabled"])
        .or_else(|| at(spec, &["config", "audit", "enabled"]))
        .and_then(Value::as_bool)
        .or((&*agent.kind != "MCPServerEntry").then_some(false));
    match &*agent.kind {
        "VirtualMCPServer" => {
            let incoming = spec.get("incomingAuth").or_else(|| at(spec, &["config", "incomingAuth"]));
            agent.authenticated = incoming.map(|held| text(held, "type").is_some_and(|how| how != "anonymous"));
            agent.authorization =
                Some(incoming.is_some_and(|held| held.get("authzConfig").is_some_and(Value::is_object)));
        }
        "MCPServer" | "MCPRemoteProxy" => {
            agent.authenticated = Some(AUTHENTICATION.iter().any(|key| spec.get(key).is_some_and(Value::is_object)));
            let authz = AUTHORIZATION.iter().any(|key| spec.get(key).is_some_and(Value::is_object));
            agent.authorization = Some(authz);
        }
        _ => {}
    }
    if &*agent.kind == "MCPServer" {
        let profile = spec.get("permissionProfile");
        let named = profile.and_then(|held| Some((text(held, "type").unwrap_or("builtin"), text(held, "name")?)));
        let profile = match named {
            Some(("builtin", name)) => name.to_owned(),
            Some((kind, name)) => format!("{kind}:{name}"),
            None => String::new(),
        };
        agent.profile = Some(taking.share(&profile));
        let open = ["podTemplateSpec", "volumes"].iter().filter_map(|key| spec.get(key)).any(is_privileged);
        agent.privileged = Some(open);
    }
    agent.member_of = group(spec, taking);
    if &*agent.kind == "VirtualMCPServer" {
        agent.gathers = agent.member_of.take();
    }
}

/// The group that a server names: by reference, or, in older versions, by its bare name.
fn group(spec: &Value, taking: &mut Taking<'_>) -> Option<Arc<str>> {
    let named = |value: &Value| match value {
        Value::String(name) => Some(name.clone()),
        reference => text(reference, "name").map(str::to_owned),
    };
    let ways = [&["groupRef"][..], &["config", "groupRef"], &["config", "group"]];
    ways.iter().find_map(|way| named(at(spec, way)?)).map(|name| taking.share(&name))
}
