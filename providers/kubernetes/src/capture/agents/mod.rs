//! Custom resources of agent platforms and model servers: who they run as, which tools they use, who is asked, what keys
//! they take.

mod kagent;
mod misfits;
mod toolhive;

use std::sync::Arc;

use evenhand_model::agent::AgentKind;
use serde_json::Value;

use super::literals::{self, Held};
use super::take::{Taking, mistyped, namespace};
use super::{Declared, LiteralSecret, Origin, signals};
use crate::documents::{Found, Problem, raw};
use misfits::Misfits;

/// A tool server or another agent that an agent uses.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct ToolRef {
    /// The API group that it names; empty where it names none.
    pub(crate) group: Arc<str>,
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

/// Settings of a model that agents name.
#[derive(Clone, Debug)]
pub(crate) struct ModelSettings {
    pub(crate) namespace: Arc<str>,
    pub(crate) name: Arc<str>,
    /// Whether it takes its key from a Secret; `None` where what tells it is not understood.
    pub(crate) stored_key: Option<bool>,
    pub(crate) secrets: Vec<LiteralSecret>,
}

/// An agent, a tool server or a model server of a platform.
#[derive(Clone, Debug)]
pub(crate) struct AgentResource {
    pub(crate) platform: &'static str,
    /// `None` for a model server.
    pub(crate) what: Option<AgentKind>,
    pub(crate) group: Arc<str>,
    pub(crate) kind: Arc<str>,
    pub(crate) namespace: Arc<str>,
    pub(crate) name: Arc<str>,
    pub(crate) origin: Origin,
    /// The ServiceAccounts it runs as, in its namespace, the one it acts with first. Empty = it does not say.
    pub(crate) accounts: Vec<Arc<str>>,
    /// Kind and name of what it is made from, where that says how it runs.
    pub(crate) made_from: Option<(&'static str, Arc<str>)>,
    pub(crate) tools: Vec<ToolRef>,
    /// Whether not all that it says of its tools and of who approves them is understood.
    pub(crate) unclear_tools: bool,
    /// Whether what names a tool is not understood.
    pub(crate) lost_tools: bool,
    /// Whether what names its account, or what it is made from, is not understood.
    pub(crate) unclear_account: bool,
    /// The set of tool servers that it belongs to.
    pub(crate) member_of: Option<Arc<str>>,
    /// The set of tool servers that it hands on to its callers.
    pub(crate) gathers: Option<Arc<str>>,
    pub(crate) transport: Option<Arc<str>>,
    pub(crate) image: Option<Arc<str>>,
    pub(crate) url: Option<Arc<str>>,
    pub(crate) audited: Option<bool>,
    pub(crate) authenticated: Option<bool>,
    /// Whether it decides who may call what; `None` where its platform has no such setting.
    pub(crate) authorization: Option<bool>,
    /// The name of its permission profile, empty where none is set; `None` where its platform has none.
    pub(crate) profile: Option<Arc<str>>,
    pub(crate) sandboxed: Option<bool>,
    pub(crate) privileged: Option<bool>,
    /// Whether it acts unasked, where it says so as a whole.
    pub(crate) unasked: Option<bool>,
    /// The settings of its model, by name.
    pub(crate) model: Option<Arc<str>>,
    /// Whether it takes its model's key from a Secret, as far as it says so itself.
    pub(crate) stored_key: bool,
    pub(crate) secrets: Vec<LiteralSecret>,
    /// Names of Secrets that it takes.
    pub(crate) secret_refs: Vec<Arc<str>>,
    pub(crate) declared: Declared,
}

/// A text member.
fn text<'v>(value: &'v Value, key: &str) -> Option<&'v str> {
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

/// Whether a pod template lets a container out of its confinement.
fn is_privileged(template: &Value) -> bool {
    match template {
        Value::Object(object) => object.iter().any(|(key, inner)| match (key.as_str(), inner) {
            ("privileged" | "hostNetwork" | "hostPID" | "hostIPC", Value::Bool(on)) => *on,
            ("hostPath", Value::String(path)) => is_host_control(path),
            ("hostPath", Value::Object(volume)) => {
                volume.get("path").and_then(Value::as_str).is_some_and(is_host_control)
            }
            _ => is_privileged(inner),
        }),
        Value::Array(list) => list.iter().any(is_privileged),
        _ => false,
    }
}

/// Whether a path of the node gives control over it: its root, or the socket of its container runtime.
pub(super) fn is_host_control(path: &str) -> bool {
    let path = path.trim_end_matches('/');
    ["docker.sock", "containerd.sock", "crio.sock"].iter().any(|end| path.ends_with(end))
        || path.is_empty()
        || matches!(path, "/var/run" | "/run" | "/var/run/docker")
}

/// The agent, tool server or model server that an object describes.
pub(super) fn agent(found: &Found<'_, '_>, taking: &mut Taking<'_>) -> Result<Option<AgentResource>, Problem> {
    let object = &found.object;
    let (group, kind) = (object.group(), object.kind.as_str());
    let platform = signals::platform_of(group, kind)
        .map(|(platform, what)| (platform, Some(what)))
        .or_else(|| signals::model_platform_of(group, kind).map(|platform| (platform, None)));
    let Some((platform, what)) = platform else { return Ok(None) };
    let spec: Value = raw(object.spec).unwrap_or_default();
    if !matches!(spec, Value::Null | Value::Object(_)) {
        return Err(mistyped(found, "/spec"));
    }
    let misfits = Misfits::of(&spec, platform);
    if let (None, true, Some(pointer)) = (what, misfits.account, misfits.pointers.first()) {
        // All that is told of what serves models is whose workload it is.
        return Err(mistyped(found, pointer));
    }
    taking.misfits.extend(misfits.pointers.iter().map(|pointer| mistyped(found, pointer)));
    let name: Arc<str> = Arc::from(object.meta.name.as_str());
    let home = namespace(&object.meta, taking);
    let mut agent = AgentResource {
        platform,
        what,
        group: taking.share(group),
        kind: taking.share(kind),
        namespace: Arc::clone(&home),
        name,
        origin: taking.origin(found.spot.clone()),
        accounts: Vec::new(),
        made_from: None,
        tools: Vec::new(),
        unclear_tools: misfits.tools,
        lost_tools: misfits.lost_tools,
        unclear_account: misfits.account,
        member_of: None,
        gathers: None,
        transport: None,
        image: text(&spec, "image").map(|image| taking.share(image)),
        url: ["url", "remoteUrl", "remoteURL"]
            .iter()
            .find_map(|key| text(&spec, key))
            .map(|url| taking.share(address(url))),
        audited: None,
        authenticated: None,
        authorization: None,
        profile: None,
        sandboxed: None,
        privileged: None,
        unasked: None,
        model: None,
        stored_key: false,
        secrets: Vec::new(),
        secret_refs: Vec::new(),
        declared: Declared::of(&object.meta, taking),
    };
    match platform {
        "kagent" => kagent::fill(&mut agent, &spec, taking),
        "toolhive" if what.is_some() => toolhive::fill(&mut agent, &spec, taking),
        "agent-sandbox" => sandbox(&mut agent, &spec, taking),
        "k8sgpt" => k8sgpt(&mut agent, &spec),
        _ => {}
    }
    // What is not understood may be what turns a fact to yes: no is known without it only.
    for (unclear, fact) in [
        (misfits.confinement, &mut agent.privileged),
        (misfits.sandbox, &mut agent.sandboxed),
        (misfits.audit, &mut agent.audited),
        (misfits.authentication, &mut agent.authenticated),
        (misfits.authorization, &mut agent.authorization),
    ] {
        if unclear {
            *fact = fact.filter(|on| *on);
        }
    }
    if misfits.account {
        // No account stands in for one that is named and not understood.
        agent.accounts.clear();
    } else if agent.accounts.is_empty() && agent.made_from.is_none() {
        let mut named = Vec::new();
        account_names(&spec, &mut named);
        named.sort();
        named.dedup();
        agent.accounts = named.iter().map(|account| taking.share(account)).collect();
    }
    // What stands in a sandbox's pod template is taken with the workload.
    if platform != "agent-sandbox" || agent.made_from.is_some() {
        let holder: Arc<str> = format!("{} {}/{}", agent.kind, agent.namespace, agent.name).into();
        let Held { literals, refs } = literals::of_spec(&spec, &holder, found, taking);
        agent.secrets = literals;
        agent.secret_refs = refs;
    }
    agent.tools.sort();
    agent.tools.dedup();
    Ok(Some(agent))
}

/// A Sandbox and its template hold a pod template; a claim names a pool or a template, a pool a template.
fn sandbox(agent: &mut AgentResource, spec: &Value, taking: &mut Taking<'_>) {
    let reference = |key: &str| text(spec.get(key)?, "name");
    let made_from = match &*agent.kind {
        "SandboxClaim" => reference("warmPoolRef")
            .map(|name| ("SandboxWarmPool", name))
            .or_else(|| reference("sandboxTemplateRef").map(|name| ("SandboxTemplate", name))),
        "SandboxWarmPool" => reference("sandboxTemplateRef").map(|name| ("SandboxTemplate", name)),
        _ => None,
    };
    if let Some((kind, name)) = made_from {
        agent.made_from = Some((kind, taking.share(name)));
        return;
    }
    let Some(pod) = at(spec, &["podTemplate", "spec"]) else { return };
    agent.accounts = vec![taking.share(text(pod, "serviceAccountName").unwrap_or("default"))];
    // A runtime class other than the node's own is what isolates a sandbox.
    agent.sandboxed = Some(pod.get("runtimeClassName").is_some_and(Value::is_string));
    agent.privileged = Some(is_privileged(pod));
}

/// K8sGPT's operator: it analyses, and where it is told to it changes what it finds wrong.
fn k8sgpt(agent: &mut AgentResource, spec: &Value) {
    let Some(ai) = spec.get("ai") else { return };
    agent.unasked = at(ai, &["autoRemediation", "enabled"]).and_then(Value::as_bool);
    agent.stored_key = ai.get("secret").is_some_and(|secret| text(secret, "name").is_some());
}

/// The settings of a model that an object holds.
pub(super) fn model_settings(found: &Found<'_, '_>, taking: &mut Taking<'_>) -> Option<ModelSettings> {
    kagent::model_settings(found, taking)
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

/// An address without what is asked of it, where keys may stand.
fn address(url: &str) -> &str {
    url.split(['?', '#']).next().unwrap_or(url)
}
