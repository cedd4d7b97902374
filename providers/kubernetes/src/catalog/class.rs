//! How far each operation reaches, and which ones escalate, tamper or read secrets.

use evenhand_model::catalog::{AccessLevel, OperationClass};

use super::Entry;

/// The classes, in the order in which they are computed.
pub(super) const CLASSES: [OperationClass; 4] =
    [OperationClass::Escalation, OperationClass::LogTamper, OperationClass::GateTamper, OperationClass::SecretRead];

const RBAC: &str = "rbac.authorization.k8s.io";

fn writes(verb: &str) -> bool {
    matches!(verb, "create" | "patch" | "update")
}

fn removes(verb: &str) -> bool {
    matches!(verb, "delete" | "deletecollection")
}

pub(super) fn level(entry: &Entry, verb: &str) -> AccessLevel {
    let (group, resource, sub) = (&*entry.group, &*entry.resource, &*entry.sub);
    // These are questions, whatever their verb.
    let question = matches!(group, "authorization.k8s.io" | "authentication.k8s.io") && verb == "create";
    match verb {
        "list" | "watch" if group.is_empty() && resource == "namespaces" => AccessLevel::List,
        "get" | "list" | "watch" if sub != "exec" && sub != "attach" && sub != "proxy" && sub != "portforward" => {
            AccessLevel::Read
        }
        "bind" | "escalate" | "approve" | "sign" | "attest" => AccessLevel::PermissionManagement,
        _ if verb.starts_with("impersonate") => AccessLevel::PermissionManagement,
        _ if group == RBAC => AccessLevel::PermissionManagement,
        "create" if (resource, sub) == ("serviceaccounts", "token") => AccessLevel::PermissionManagement,
        _ if (group, sub) == ("certificates.k8s.io", "approval") => AccessLevel::PermissionManagement,
        _ if question => AccessLevel::Read,
        _ => AccessLevel::Write,
    }
}

pub(super) fn is(class: OperationClass, entry: &Entry, verb: &str) -> bool {
    let place = (&*entry.group, &*entry.resource, &*entry.sub);
    match class {
        OperationClass::Escalation => escalates(place, verb),
        OperationClass::LogTamper => matches!(place, ("" | "events.k8s.io", "events", "")) && removes(verb),
        OperationClass::GateTamper => is_gate(place) && (writes(verb) || removes(verb)),
        OperationClass::SecretRead => place == ("", "secrets", "") && matches!(verb, "get" | "list" | "watch"),
    }
}

/// Objects that decide what the API server lets through.
fn is_gate((group, resource, sub): (&str, &str, &str)) -> bool {
    sub.is_empty()
        && (matches!(group, "admissionregistration.k8s.io" | "constraints.gatekeeper.sh" | "templates.gatekeeper.sh")
            || matches!(group, "policies.kyverno.io")
            || (group == "kyverno.io" && resource.contains("polic")))
}

fn escalates(place: (&str, &str, &str), verb: &str) -> bool {
    if verb == "bind" || verb == "escalate" || verb.starts_with("impersonate") {
        return true;
    }
    match place {
        ("", "secrets", "") | ("", "pods" | "replicationcontrollers", "") => writes(verb),
        ("apps", "deployments" | "daemonsets" | "statefulsets" | "replicasets", "") => writes(verb),
        ("batch", "jobs" | "cronjobs", "") => writes(verb),
        ("", "serviceaccounts", "token") => verb == "create",
        ("", "pods", "exec" | "attach") => matches!(verb, "create" | "get"),
        ("", "pods", "ephemeralcontainers") => matches!(verb, "update" | "patch"),
        ("", "nodes", "proxy") => matches!(verb, "create" | "get"),
        ("", "persistentvolumes", "") => verb == "create",
        ("certificates.k8s.io", "signers", "") => matches!(verb, "approve" | "sign"),
        ("certificates.k8s.io", "certificatesigningrequests", "approval") => matches!(verb, "update" | "patch"),
        ("admissionregistration.k8s.io", resource, "") => {
            writes(verb) && (resource.contains("webhook") || resource.starts_with("mutating"))
        }
        ("apiextensions.k8s.io", "customresourcedefinitions", "") => writes(verb),
        ("apiregistration.k8s.io", "apiservices", "") => writes(verb),
        ("argoproj.io", "applications" | "appprojects", "")
        | ("kustomize.toolkit.fluxcd.io", "kustomizations", "")
        | ("helm.toolkit.fluxcd.io", "helmreleases", "")
        | ("tekton.dev", "taskruns" | "pipelineruns", "")
        | ("kagent.dev", "agents" | "mcpservers", "")
        | ("toolhive.stacklok.dev", "mcpservers" | "virtualmcpservers" | "mcpremoteproxies", "")
        | ("agents.x-k8s.io", "sandboxes", "") => writes(verb),
        _ => false,
    }
}
