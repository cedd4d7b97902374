//! Bindings to everybody: no path can name who walks it.

use std::collections::BTreeMap;

use evenhand_model::inventory::Hint;

use super::super::compiled::Compiled;
use crate::rbac::{ACCOUNTS, ANONYMOUS, AUTHENTICATED, BindingIx, Subject, UNAUTHENTICATED};

/// Roles that every server binds to everybody: discovery, and questions about oneself.
const DISCOVERY: [&str; 4] =
    ["system:basic-user", "system:discovery", "system:public-info-viewer", "system:service-account-issuer-discovery"];

/// The most bindings that are told one by one.
const TOLD: usize = 20;

/// Who a subject stands for, if it stands for more than one can list.
fn everybody(subject: &Subject) -> Option<&'static str> {
    match (&*subject.kind, &*subject.name) {
        ("Group", AUTHENTICATED) => Some("whoever shows a valid credential"),
        ("Group", UNAUTHENTICATED) | ("User", ANONYMOUS) => Some("whoever shows no credential"),
        ("Group", ACCOUNTS) => Some("every ServiceAccount of the cluster"),
        ("Group", name) if name.strip_prefix(ACCOUNTS).is_some_and(|rest| rest.starts_with(':')) => {
            Some("every ServiceAccount of a namespace")
        }
        _ => None,
    }
}

/// What is bound to everybody: a hint for each role and whom it is bound to.
pub(super) fn hints(cluster: &Compiled) -> Vec<Hint> {
    let policy = &cluster.policy;
    // By the role and whom it is bound to: the first binding, and how many there are.
    let mut bound: BTreeMap<(String, &str), (BindingIx, String, usize)> = BTreeMap::new();
    for (at, binding) in (0u32..).zip(policy.authorizer.bindings()) {
        let role = &binding.role_ref;
        if DISCOVERY.contains(&&*role.name) || policy.role_index(BindingIx(at)).is_none() {
            continue;
        }
        for (subject, who) in binding.subjects.iter().filter_map(|subject| Some((subject, everybody(subject)?))) {
            let home = &binding.metadata.namespace;
            let place =
                if home.is_empty() { "in the whole cluster".to_owned() } else { format!("in namespace {home}") };
            let said = format!("{} {} {place}", subject.kind, subject.name);
            let key = (format!("{} {}", role.kind, role.name), who);
            bound.entry(key).or_insert_with(|| (BindingIx(at), said, 0)).2 += 1;
        }
    }
    let count = bound.len();
    let hint = |((role, who), (ix, said, count)): ((String, &str), (BindingIx, String, usize))| {
        let more = if count > 1 { format!(", and so do {} other bindings", count - 1) } else { String::new() };
        Hint {
            evidence: policy.binding_evidence(ix, ""),
            message: format!(
                "k8s.public-binding: {said} is bound to {role}{more}: {who} holds it, and no path can name them; bind those that need it"
            )
            .into(),
        }
    };
    let mut hints: Vec<Hint> = bound.into_iter().take(TOLD).map(hint).collect();
    if let (Some(more @ 1..), Some(first)) = (count.checked_sub(TOLD), hints.first()) {
        let message =
            format!("k8s.public-binding: {more} more roles of cluster {} are bound to everybody", policy.name);
        hints.push(Hint { evidence: first.evidence.clone(), message: message.into() });
    }
    hints
}
