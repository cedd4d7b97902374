//! Whom clusters let in: principals that are users and groups of a cluster, or hold roles of it by access policies.
//!
//! The other half is in the cluster: what its users, groups and roles may do. Both name them alike, by the cluster's name.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use evenhand_model::access::Unread;
use evenhand_model::evidence::{Evidence, Truth};
use evenhand_model::gap::{Gap, GapKind, Lost, Subject};
use evenhand_model::id::{IdentityId, ScopeId};
use evenhand_model::inventory::{Hint, Inventory};
use evenhand_model::trust::{Mechanism, Trust};

use super::accounts::Accounts;
use super::facts::{Facts, Said};
use crate::provider::NAME;
use crate::world::AccountId;

/// Access policies that grant what a role of the cluster itself grants, by the vendor's table of access policies
/// (EKS user guide, "Review access policy permissions").
const ROLES: &[(&str, &str)] = &[
    ("AmazonEKSViewPolicy", "view"),
    ("AmazonEKSEditPolicy", "edit"),
    ("AmazonEKSAdminPolicy", "admin"),
    ("AmazonEKSClusterAdminPolicy", "cluster-admin"),
];

/// What principals may get into that the names of a cluster's identities do not tell.
pub(super) type Unseen = BTreeMap<IdentityId, Vec<Arc<Unread>>>;

/// Adds a trust for each name under which, and each role with which, a principal enters a cluster. Returns what leads to
/// no identity that a cluster may have. `shared`: names of clusters that leave open which cluster is meant.
pub(super) fn join(facts: &Facts, shared: &BTreeSet<Arc<str>>, into: &mut Inventory) -> Unseen {
    let mut unseen = Unseen::new();
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
        let cluster = &it.cluster.name;
        if shared.contains(cluster) {
            doubt(&mut unseen, said, &it.principal, format!("what lets it into a cluster `{cluster}`"), SHARED);
            continue;
        }
        // A template makes a name for each session.
        let user = it.user.iter().filter(|name| !name.contains("{{")).map(|name| ("user", name));
        for (word, name) in user.chain(it.groups.iter().map(|group| ("group", group))) {
            let target = format!("kubernetes:{cluster}:{word}:{name}");
            enter(&it.principal, target, String::new(), &said.evidence);
        }
    }
    for said in &facts.access_policies {
        let it = &said.it;
        let cluster = &it.cluster.name;
        let what = format!("`{}` in cluster `{cluster}`", it.policy);
        if shared.contains(cluster) {
            doubt(&mut unseen, said, &it.principal, what, SHARED);
            continue;
        }
        let role = ROLES.iter().find(|(policy, _)| **policy == *it.policy).map(|(_, role)| *role);
        let target = match role {
            Some(role) => format!("kubernetes:{cluster}:clusterrole:{role}"),
            None => format!("kubernetes:{cluster}:accesspolicy:{}", it.policy),
        };
        if it.everywhere {
            enter(&it.principal, target, String::new(), &said.evidence);
            if role.is_none() {
                doubt(
                    &mut unseen,
                    said,
                    &it.principal,
                    what,
                    "no role of the cluster grants the same; look it up with the vendor",
                );
            }
            continue;
        }
        let why = match it.namespaces.is_empty() {
            true => "the answer does not say in which namespaces it holds; run the call again and add its output",
            false => "it holds in some namespaces, and no identity of the cluster has the same there; look into them",
        };
        doubt(&mut unseen, said, &it.principal, what, why);
        // Whoever holds a role in one namespace is not who holds it everywhere.
        for namespace in &it.namespaces {
            let constraint = format!("in namespace {namespace}");
            enter(&it.principal, format!("{target}/{namespace}"), constraint, &said.evidence);
        }
    }
    unseen.values_mut().for_each(|held| {
        held.sort();
        held.dedup();
    });
    unseen
}

const SHARED: &str = "clusters of that name are in several accounts or regions; scan each of them by itself";

/// Where clusters of a name are, as far as documents tell.
struct Places<'a> {
    accounts: BTreeSet<AccountId>,
    regions: BTreeSet<&'a Arc<str>>,
    /// The first that names one.
    first: &'a Evidence,
}

/// Names that clusters of several accounts or regions have: whose identities a cluster's name begins is then not known.
pub(super) fn shared_names(facts: &Facts, accounts: &Accounts, into: &mut Inventory) -> BTreeSet<Arc<str>> {
    let entries = facts.access_entries.iter().map(|said| (&said.it.cluster, &said.evidence));
    let policies = facts.access_policies.iter().map(|said| (&said.it.cluster, &said.evidence));
    let pods = facts.pods.iter().map(|said| (&said.it.cluster, &said.evidence));
    let mut places: BTreeMap<&Arc<str>, Places<'_>> = BTreeMap::new();
    for (cluster, evidence) in entries.chain(policies).chain(pods) {
        let held = places.entry(&cluster.name).or_insert_with(|| Places {
            accounts: BTreeSet::new(),
            regions: BTreeSet::new(),
            first: evidence,
        });
        held.accounts.extend(cluster.account.clone().or_else(|| accounts.near(&evidence.document)));
        held.regions.extend(&cluster.region);
        held.first = evidence.min(held.first);
    }
    places.retain(|_, held| held.accounts.len() > 1 || held.regions.len() > 1);
    for (name, held) in &places {
        into.hints.push(Hint {
            evidence: held.first.clone(),
            message: format!(
                "clusters `{name}` are in more than one account or region, and what is read of `{name}` may be of any of \
                 them; who they let in, and which roles their pods carry, is tied to none: scan each of them by itself"
            )
            .into(),
        });
    }
    places.into_keys().cloned().collect()
}

/// Notes that a principal may get into more than is known.
fn doubt<T>(unseen: &mut Unseen, said: &Said<T>, principal: &Arc<str>, what: String, why: &str) {
    let gap = Gap {
        provider: Some(NAME),
        scope: said.account.as_ref().map(|account| ScopeId::new(Arc::clone(&account.0))),
        kind: GapKind::NotCollected,
        call: Arc::from("aws eks list-associated-access-policies"),
        reason: format!("{what}: {why}").into(),
        facts: vec![Lost::of("what principals may do in clusters", &[Subject::Escalation])],
    };
    let unread = Arc::new(Unread { what: what.into(), gap });
    unseen.entry(IdentityId::new(Arc::clone(principal))).or_default().push(unread);
}
