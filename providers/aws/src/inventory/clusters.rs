//! Whom clusters let in: principals that are users and groups of a cluster, or hold roles of it by access policies.
//!
//! The other half is in the cluster: what its users, groups and roles may do. Both name them alike, by the cluster's name.

use std::sync::Arc;

use evenhand_model::evidence::{Evidence, Truth};
use evenhand_model::id::IdentityId;
use evenhand_model::inventory::Inventory;
use evenhand_model::trust::{Mechanism, Trust};

use super::facts::Facts;
use crate::provider::NAME;

/// Access policies that grant what a role of the cluster itself grants, by the vendor's table of access policies
/// (EKS user guide, "Review access policy permissions").
const ROLES: &[(&str, &str)] = &[
    ("AmazonEKSViewPolicy", "view"),
    ("AmazonEKSEditPolicy", "edit"),
    ("AmazonEKSAdminPolicy", "admin"),
    ("AmazonEKSClusterAdminPolicy", "cluster-admin"),
];

/// Adds a trust for each name under which, and each role with which, a principal enters a cluster.
pub(super) fn join(facts: &Facts, into: &mut Inventory) {
    let mut enter = |principal: &Arc<str>, target: String, constraint: String, evidence: &Evidence| {
        into.trusts.push(Trust {
            source: Arc::clone(principal),
            target: IdentityId::new(target),
            provider: NAME,
            mechanism: Mechanism::Assignment,
            constraint: constraint.into(),
            weak: Truth::No,
            weakness: Arc::from(""),
            evidence: evidence.clone(),
        });
    };
    for said in facts.access_entries.iter().filter(|said| said.it.standard) {
        let it = &said.it;
        // A template makes a name for each session.
        let user = it.user.iter().filter(|name| !name.contains("{{")).map(|name| ("user", name));
        for (word, name) in user.chain(it.groups.iter().map(|group| ("group", group))) {
            let target = format!("kubernetes:{}:{word}:{name}", it.cluster);
            enter(&it.principal, target, String::new(), &said.evidence);
        }
    }
    for said in &facts.access_policies {
        let it = &said.it;
        let role = ROLES.iter().find(|(policy, _)| **policy == *it.policy).map(|(_, role)| *role);
        let target = match role {
            Some(role) => format!("kubernetes:{}:clusterrole:{role}", it.cluster),
            None => format!("kubernetes:{}:accesspolicy:{}", it.cluster, it.policy),
        };
        if it.everywhere {
            enter(&it.principal, target, String::new(), &said.evidence);
            continue;
        }
        // Whoever holds a role in one namespace is not who holds it everywhere.
        for namespace in &it.namespaces {
            let constraint = format!("in namespace {namespace}");
            enter(&it.principal, format!("{target}/{namespace}"), constraint, &said.evidence);
        }
    }
}
