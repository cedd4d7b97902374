//! What the collector's roles have to allow, made from the table of kinds.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use super::kinds::{self, Ask, Kind, Said};

/// The names of the roles.
const ROLE: &str = "evenhand";
const MAPS: &str = "evenhand-kube-system";
const SECRETS: &str = "evenhand-secrets";

/// The least-privilege roles as a manifest: a ClusterRole with every list, and a Role for single objects of `kube-system`.
pub fn role() -> String {
    let lists = rules(kinds::KINDS.iter().filter(|kind| kind.ask == Ask::Objects));
    let mut text = object("ClusterRole", ROLE, None, &lists);
    let objects = kinds::KINDS.iter().filter_map(|kind| match kind.ask {
        Ask::Object { namespace, name, .. } => Some((kind, namespace, name)),
        Ask::Objects | Ask::Metadata { .. } => None,
    });
    let mut by_namespace: BTreeMap<&str, BTreeMap<(&str, &str), BTreeSet<&str>>> = BTreeMap::new();
    for (kind, namespace, name) in objects {
        by_namespace.entry(namespace).or_default().entry((kind.group, kind.resource)).or_default().insert(name);
    }
    for (namespace, held) in by_namespace {
        let rules: Vec<String> = held
            .into_iter()
            .map(|((group, resource), names)| {
                let names = names.into_iter().collect::<Vec<_>>().join(", ");
                format!("- apiGroups: [\"{group}\"]\n  resources: [{resource}]\n  resourceNames: [{names}]\n  verbs: [get]\n")
            })
            .collect();
        text.push_str("---\n");
        text.push_str(&object("Role", MAPS, Some(namespace), &rules));
    }
    text
}

/// The additional role for `--secrets`. Whoever holds it can read the values of all Secrets: RBAC knows no right to their
/// metadata alone.
pub fn secrets_role() -> String {
    object("ClusterRole", SECRETS, None, &rules(kinds::SECRETS.iter()))
}

/// Rules for lists, one for each set of resources of a group.
fn rules(kinds: impl Iterator<Item = &'static Kind>) -> Vec<String> {
    // In the order of the table.
    let mut groups: Vec<(&str, Vec<&str>)> = Vec::new();
    for kind in kinds {
        match groups.iter_mut().find(|(group, _)| *group == kind.group) {
            Some((_, resources)) if resources.contains(&kind.resource) => {}
            Some((_, resources)) => resources.push(kind.resource),
            None => groups.push((kind.group, vec![kind.resource])),
        }
    }
    // Groups of which the same is asked stand in one rule.
    let mut rules: Vec<(Vec<&str>, Vec<&str>)> = Vec::new();
    for (group, resources) in groups {
        match rules.iter_mut().find(|(_, held)| *held == resources) {
            Some((groups, _)) => groups.push(group),
            None => rules.push((vec![group], resources)),
        }
    }
    let rule = |(groups, resources): (Vec<&str>, Vec<&str>)| {
        let quoted =
            |text: &str| if text.is_empty() || text == kinds::EVERY { format!("\"{text}\"") } else { text.to_owned() };
        let list = |texts: Vec<&str>| texts.into_iter().map(quoted).collect::<Vec<_>>().join(", ");
        format!("- apiGroups: [{}]\n  resources: [{}]\n  verbs: [list]\n", list(groups), list(resources))
    };
    rules.into_iter().map(rule).collect()
}

fn object(kind: &str, name: &str, namespace: Option<&str>, rules: &[String]) -> String {
    let place = namespace.map(|namespace| format!("  namespace: {namespace}\n")).unwrap_or_default();
    format!(
        "apiVersion: rbac.authorization.k8s.io/v1\nkind: {kind}\nmetadata:\n  name: {name}\n{place}rules:\n{}",
        rules.concat()
    )
}

/// The calls as a table in Markdown: call, where an absence is an answer, and what is unknown without it.
pub fn calls_table() -> String {
    let mut text = "| call | unknown without it |\n|---|---|\n".to_owned();
    for said in [kinds::VERSION, kinds::CORE, kinds::GROUPS].iter().map(Said::call) {
        let _ = writeln!(text, "| `{}` | {} |", said.call, said.facts);
    }
    for kind in kinds::kinds(true) {
        let call = kind.call();
        let how = match kind.ask {
            Ask::Metadata { .. } => ", metadata only, with `--secrets`",
            Ask::Objects if !kind.builtin => ", where the server has it",
            Ask::Objects | Ask::Object { .. } => "",
        };
        let but = match kind.except {
            [] => String::new(),
            except => format!(", but for {}", except.join(", ")),
        };
        let _ = writeln!(text, "| `{}`{how}{but} | {} |", call.call, call.facts);
    }
    text
}
