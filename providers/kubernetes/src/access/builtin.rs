//! The roles that every API server creates, for captures that name them without holding them.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::capture::label_selector;
use crate::rbac::{AggregationRule, Metadata, Role, Rule};

const TABLE: &str = include_str!("../../data/builtin-roles.txt");

/// The roles through which people are given access everywhere.
pub(crate) const HUMAN_ROLES: [&str; 4] = ["view", "edit", "admin", "cluster-admin"];

/// ClusterRoles and Roles of Kubernetes 1.36, aggregated ones without rules.
pub(crate) fn roles() -> Vec<Role> {
    let mut roles: Vec<(Role, Vec<Rule>)> = Vec::new();
    for line in TABLE.lines().filter(|line| !line.starts_with('#')) {
        match line.strip_prefix("  ") {
            Some(rule) => {
                if let Some((_, rules)) = roles.last_mut() {
                    rules.push(rule_of(rule));
                }
            }
            None => roles.push((role_of(line), Vec::new())),
        }
    }
    roles.into_iter().map(|(role, rules)| Role { rules: rules.into(), ..role }).collect()
}

fn role_of(line: &str) -> Role {
    const PREFIX: &str = "rbac.authorization.k8s.io/";
    let mut words = line.split(' ');
    let clusterwide = words.next() == Some("ClusterRole");
    let mut metadata = Metadata { name: words.next().unwrap_or_default().into(), ..Metadata::default() };
    if !clusterwide {
        metadata.namespace = words.next().unwrap_or_default().into();
    }
    let mut aggregation_rule = None;
    let mut labels: BTreeMap<Arc<str>, Arc<str>> = BTreeMap::new();
    labels.insert("kubernetes.io/bootstrapping".into(), "rbac-defaults".into());
    for word in words {
        if let Some(label) = word.strip_prefix('+') {
            labels.insert(format!("{PREFIX}{label}").into(), "true".into());
        } else if let Some(label) = word.strip_prefix('<') {
            let selector = label_selector(&format!("{PREFIX}{label}"));
            aggregation_rule = Some(AggregationRule { cluster_role_selectors: vec![selector] });
        }
    }
    metadata.labels = labels;
    Role { metadata, aggregation_rule, ..Role::default() }
}

fn rule_of(text: &str) -> Rule {
    let list = |text: &str| -> Vec<Arc<str>> {
        text.trim().split(',').map(|word| Arc::from(if word == "-" { "" } else { word })).collect()
    };
    if let Some((verbs, urls)) = text.split_once(" @ ") {
        return Rule { verbs: list(verbs), non_resource_urls: list(urls), ..Rule::default() };
    }
    let mut parts = text.split(" | ");
    let mut next = || parts.next().map(list).unwrap_or_default();
    Rule { verbs: next(), api_groups: next(), resources: next(), resource_names: next(), ..Rule::default() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rbac::{Authorizer, World, covers};

    fn aggregated(names: &str) -> Vec<Rule> {
        let (roles, cluster_roles) = roles().into_iter().partition(|role| !role.metadata.namespace.is_empty());
        let authorizer = Authorizer::new(World { roles, cluster_roles, ..World::default() });
        let role = authorizer.roles().iter().find(|role| &*role.metadata.name == names);
        role.expect("a built-in role").rules.to_vec()
    }

    #[test]
    fn the_table_is_whole_and_each_human_role_holds_the_smaller_ones() {
        assert_eq!(roles().len(), 77);
        let [view, edit, admin, all] = HUMAN_ROLES.map(aggregated);
        assert!(view.len() > 10 && covers(&edit, &view).is_empty() && covers(&admin, &edit).is_empty());
        assert!(covers(&all, &admin).is_empty());
        assert!(!covers(&view, &edit).is_empty());
    }

    #[test]
    fn the_human_roles_are_those_that_a_server_returns() {
        let Some(shared) = std::env::var_os("EVENHAND_SHARED") else {
            println!("EVENHAND_SHARED is not set: the built-in roles are not compared with a server's");
            return;
        };
        let path = std::path::Path::new(&shared).join("samples/kubernetes/kubernetes-1.36-human-roles.json");
        let list: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        for item in list["items"].as_array().unwrap() {
            let role: Role = serde_json::from_value(item.clone()).unwrap();
            let ours = aggregated(&role.metadata.name);
            let theirs = role.rules.to_vec();
            assert_eq!(covers(&ours, &theirs), [], "{}", role.metadata.name);
            assert_eq!(covers(&theirs, &ours), [], "{}", role.metadata.name);
        }
    }
}
