//! Custom resources of agent platforms: who they run as, which tools they use, who is asked.

use std::sync::Arc;

use evenhand_model::agent::AgentKind;
use serde_json::Value;

use super::take::{Taking, namespace};
use super::{Declared, LiteralSecret, Origin, pod, signals};
use crate::documents::{Found, raw};

/// A tool server or another agent that an agent uses.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct ToolRef {
    /// The kind that it names; `Agent` for an agent.
    pub(crate) kind: Arc<str>,
    pub(crate) namespace: Arc<str>,
    pub(crate) name: Arc<str>,
    /// The tools that it may call; none = all of them.
    pub(crate) tools: Vec<Arc<str>>,
    /// The tools that need a person's approval.
    pub(crate) approval: Approval,
}

/// Which tools a person approves.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Approval {
    /// Nothing is said: none.
    Unset,
    /// These.
    Tools(Vec<Arc<str>>),
    /// All.
    All,
}

/// An agent, a tool server or a model server of a platform.
#[derive(Clone, Debug)]
pub(crate) struct AgentResource {
    pub(crate) platform: &'static str,
    /// `None` for a model server.
    pub(crate) what: Option<AgentKind>,
    pub(crate) kind: Arc<str>,
    pub(crate) namespace: Arc<str>,
    pub(crate) name: Arc<str>,
    pub(crate) origin: Origin,
    /// The ServiceAccounts it runs as, in its namespace, the one it acts with first. Empty = nothing tells.
    pub(crate) accounts: Vec<Arc<str>>,
    pub(crate) tools: Vec<ToolRef>,
    pub(crate) transport: Option<Arc<str>>,
    pub(crate) image: Option<Arc<str>>,
    pub(crate) url: Option<Arc<str>>,
    pub(crate) audited: Option<bool>,
    pub(crate) authenticated: Option<bool>,
    pub(crate) sandboxed: Option<bool>,
    pub(crate) secrets: Vec<LiteralSecret>,
    pub(crate) declared: Declared,
}

/// Custom resources that serve models, by group and kind.
const MODEL_KINDS: &[(&str, &str, &str)] = &[
    ("serving.kserve.io", "InferenceService", "kserve"),
    ("serving.kserve.io", "LLMInferenceService", "kserve"),
    ("serving.kserve.io", "InferenceGraph", "kserve"),
    ("ray.io", "RayCluster", "ray"),
    ("ray.io", "RayJob", "ray"),
    ("ray.io", "RayService", "ray"),
    ("production-stack.vllm.ai", "VLLMRuntime", "vllm"),
    ("production-stack.vllm.ai", "VLLMRouter", "vllm"),
    ("kubeflow.org", "Notebook", "kubeflow"),
];

/// A text member.
pub(super) fn text<'v>(value: &'v Value, key: &str) -> Option<&'v str> {
    value.get(key)?.as_str().filter(|text| !text.is_empty())
}

fn at<'v>(value: &'v Value, path: &[&str]) -> Option<&'v Value> {
    path.iter().try_fold(value, |value, key| value.get(key))
}

fn texts(value: Option<&Value>, taking: &mut Taking<'_>) -> Vec<Arc<str>> {
    let mut all: Vec<Arc<str>> = value
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .map(|text| taking.share(text))
        .collect();
    all.sort();
    all.dedup();
    all
}

/// The agent, tool server or model server that an object describes.
pub(super) fn agent(found: &Found<'_, '_>, taking: &mut Taking<'_>) -> Option<AgentResource> {
    let object = &found.object;
    let (group, kind) = (object.group(), object.kind.as_str());
    let platform = signals::platform_of(group, kind).map(|(platform, what)| (platform, Some(what))).or_else(|| {
        let model = MODEL_KINDS.iter().find(|(held, name, _)| *held == group && *name == kind);
        model.map(|(_, _, platform)| (*platform, None))
    });
    let (platform, what) = platform?;
    let spec: Value = raw(object.spec).unwrap_or_default();
    let name: Arc<str> = Arc::from(object.meta.name.as_str());
    let home = namespace(&object.meta, taking);
    let mut agent = AgentResource {
        platform,
        what,
        kind: taking.share(kind),
        namespace: Arc::clone(&home),
        name: Arc::clone(&name),
        origin: taking.origin(found.spot.clone()),
        accounts: Vec::new(),
        tools: Vec::new(),
        transport: text(&spec, "transport")
            .or_else(|| text(&spec, "transportType"))
            .or_else(|| text(&spec, "protocol"))
            .map(|word| taking.share(&word.to_ascii_lowercase())),
        image: text(&spec, "image")
            .or_else(|| at(&spec, &["deployment"]).and_then(|deployment| text(deployment, "image")))
            .map(|image| taking.share(image)),
        url: text(&spec, "url").or_else(|| text(&spec, "remoteURL")).map(|url| taking.share(url)),
        audited: at(&spec, &["audit", "enabled"]).and_then(Value::as_bool),
        authenticated: None,
        sandboxed: None,
        secrets: Vec::new(),
        declared: Declared::of(&object.meta, taking),
    };
    let own = |way: &[&str]| at(&spec, way).and_then(|held| text(held, "serviceAccountName")).map(str::to_owned);
    let accounts: Vec<String> = match (platform, kind) {
        ("kagent", "Agent" | "SandboxAgent") => {
            let held = own(&["declarative", "deployment"]).or_else(|| own(&["byo", "deployment"]));
            vec![held.or_else(|| own(&["deployment"])).unwrap_or_else(|| name.to_string())]
        }
        ("kagent", "MCPServer") => vec![own(&["deployment"]).unwrap_or_else(|| name.to_string())],
        ("toolhive", "MCPServer") => vec![
            text(&spec, "serviceAccount").map_or_else(|| format!("{name}-sa"), str::to_owned),
            format!("{name}-proxy-runner"),
        ],
        ("toolhive", "MCPRemoteProxy") => {
            vec![text(&spec, "serviceAccount").map_or_else(|| format!("{name}-remote-proxy-runner"), str::to_owned)]
        }
        ("toolhive", "VirtualMCPServer") => {
            vec![text(&spec, "serviceAccount").map_or_else(|| format!("{name}-vmcp"), str::to_owned)]
        }
        ("agent-sandbox", _) => vec![own(&["podTemplate", "spec"]).unwrap_or_else(|| "default".to_owned())],
        _ => {
            let mut named = Vec::new();
            account_names(&spec, &mut named);
            named.sort();
            named.dedup();
            named
        }
    };
    agent.accounts = accounts.iter().map(|account| taking.share(account)).collect();
    match platform {
        "kagent" => {
            for way in [&["declarative", "tools"][..], &["tools"][..]] {
                for tool in at(&spec, way).and_then(Value::as_array).into_iter().flatten() {
                    agent.tools.extend(tool_ref(tool, &home, taking));
                }
            }
            for way in [
                &["spec", "declarative", "deployment", "env"][..],
                &["spec", "byo", "deployment", "env"][..],
                &["spec", "deployment", "env"][..],
            ] {
                literals(&mut agent, &spec, way, found, taking);
            }
        }
        "toolhive" => {
            agent.authenticated = spec.get("oidcConfig").or_else(|| spec.get("incomingAuth")).map(|_| true);
            literals(&mut agent, &spec, &["spec", "env"], found, taking);
        }
        "agent-sandbox" => {
            // A runtime class other than the node's own is what isolates a sandbox.
            agent.sandboxed = at(&spec, &["podTemplate", "spec", "runtimeClassName"]).map(Value::is_string);
        }
        _ => {}
    }
    agent.tools.sort();
    agent.tools.dedup();
    Some(agent)
}

fn literals(agent: &mut AgentResource, spec: &Value, way: &[&str], found: &Found<'_, '_>, taking: &mut Taking<'_>) {
    let holder: Arc<str> = format!("{} {}/{}", agent.kind, agent.namespace, agent.name).into();
    if let Some(list) = way.get(1..).and_then(|way| at(spec, way)) {
        agent.secrets.extend(pod::literals_of_env(list, &holder, found, way, taking));
    }
}

/// Every `serviceAccountName` below a value.
fn account_names(value: &Value, names: &mut Vec<String>) {
    match value {
        Value::Object(object) => {
            for (key, inner) in object {
                match inner {
                    Value::String(name) if key == "serviceAccountName" && !name.is_empty() => names.push(name.clone()),
                    _ => account_names(inner, names),
                }
            }
        }
        Value::Array(list) => list.iter().for_each(|inner| account_names(inner, names)),
        _ => {}
    }
}

fn tool_ref(tool: &Value, home: &Arc<str>, taking: &mut Taking<'_>) -> Option<ToolRef> {
    let (reference, fallback) = match (tool.get("mcpServer"), tool.get("agent")) {
        (Some(server), _) => (server, "MCPServer"),
        (None, Some(agent)) => (agent, "Agent"),
        (None, None) => return None,
    };
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
    Some(ToolRef {
        kind: taking.share(text(reference, "kind").unwrap_or(fallback)),
        namespace: namespace.map_or_else(|| Arc::clone(home), |namespace| taking.share(namespace)),
        name: taking.share(name),
        tools: texts(reference.get("toolNames"), taking),
        approval,
    })
}
