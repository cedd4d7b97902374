//! The organisation's limits on each account, level by level from its root.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use evenhand_model::evidence::{Evidence, Fact};

use super::accounts::Accounts;
use super::facts::{Facts, Organisation};
use crate::documents::organizations::{RESOURCE_CONTROL, SERVICE_CONTROL};
use crate::policy::PolicyRole;
use crate::world::{AccountId, AccountLimits, PolicyIx};

/// The vendor's own policy that allows everything, attached wherever nothing else is; its content is documented.
const ALLOW_ALL: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;
const RESOURCE_ALLOW_ALL: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}]}"#;

/// Gives the vendor's own policies their content where it was not read. Must run before policies are compiled.
pub(crate) fn complete(facts: &mut Facts) {
    for (id, policy) in &mut facts.organisation.policies {
        let (role, label, text) = match &**id {
            "p-FullAWSAccess" => (PolicyRole::ServiceControl, "scp FullAWSAccess", ALLOW_ALL),
            "p-RCPFullAWSAccess" => (PolicyRole::ResourceControl, "rcp RCPFullAWSAccess", RESOURCE_ALLOW_ALL),
            _ => continue,
        };
        if policy.content.is_none() {
            let evidence =
                facts.organisation.evidence.clone().unwrap_or_else(|| Evidence::whole("the vendor's own policy"));
            policy.content = Some(facts.policies.add(Arc::from(label), role, text, evidence));
        }
    }
}

/// What is known about the limits of each account, and what is missing to know them.
pub(crate) struct Limits {
    pub(crate) by_account: BTreeMap<AccountId, AccountLimits>,
    /// Account → what is missing, in words.
    pub(crate) missing: BTreeMap<AccountId, BTreeSet<String>>,
}

/// The limits of all accounts of the capture.
pub(crate) fn limits(facts: &Facts, accounts: &mut Accounts) -> Limits {
    let mut none: BTreeSet<AccountId> = BTreeSet::new();
    for said in &facts.organisation.none_for {
        none.extend(accounts.of(said));
    }
    let mut limits = Limits { by_account: BTreeMap::new(), missing: BTreeMap::new() };
    for account in accounts.described() {
        let mut missing = BTreeSet::new();
        let held = if none.contains(account) || facts.organisation.management.as_ref() == Some(account) {
            AccountLimits { service_control: Fact::Absent, resource_control: Fact::Absent }
        } else {
            AccountLimits {
                service_control: of_kind(&facts.organisation, account, SERVICE_CONTROL, &mut missing),
                resource_control: of_kind(&facts.organisation, account, RESOURCE_CONTROL, &mut missing),
            }
        };
        limits.by_account.insert(account.clone(), held);
        if !missing.is_empty() {
            limits.missing.insert(account.clone(), missing);
        }
    }
    limits
}

/// The way from the root down to the account.
fn path(organisation: &Organisation, account: &AccountId) -> Option<Vec<Arc<str>>> {
    let mut path = vec![Arc::clone(&account.0)];
    while let Some(parent) = organisation.parents.get(path.last()?) {
        // A tree has no more levels than nodes: more means that the documents contradict each other.
        if path.contains(parent) {
            return None;
        }
        path.push(Arc::clone(parent));
    }
    path.reverse();
    path.first().is_some_and(|top| top.starts_with("r-")).then_some(path)
}

fn of_kind(
    organisation: &Organisation,
    account: &AccountId,
    kind: &str,
    missing: &mut BTreeSet<String>,
) -> Fact<Vec<Vec<PolicyIx>>> {
    if organisation.kinds_off.contains(kind) {
        return Fact::Absent;
    }
    let Some(path) = path(organisation, account) else {
        missing.insert("organizations list-parents (the units above the account)".to_owned());
        return Fact::Unknown;
    };
    if let Some(on) = path.first().and_then(|root| organisation.roots.get(root))
        && !on.iter().any(|held| &**held == kind)
    {
        return Fact::Absent;
    }
    let mut levels = Vec::with_capacity(path.len());
    let mut known = true;
    for node in &path {
        let Some(ids) = attached(organisation, node, kind) else {
            missing.insert(format!("organizations list-policies-for-target --target-id {node} --filter {kind}"));
            known = false;
            continue;
        };
        let mut level = Vec::with_capacity(ids.len());
        for id in ids {
            match organisation.policies.get(&id).and_then(|policy| policy.content) {
                Some(content) => level.push(content),
                None => {
                    missing.insert(format!("organizations describe-policy --policy-id {id}"));
                    known = false;
                }
            }
        }
        levels.push(level);
    }
    if known { Fact::Known(levels) } else { Fact::Unknown }
}

/// The policies of one kind on one node; `None` where that was not read.
fn attached(organisation: &Organisation, node: &Arc<str>, kind: &str) -> Option<BTreeSet<Arc<str>>> {
    let key = (Arc::clone(node), Arc::from(kind));
    if let Some(ids) = organisation.of_target.get(&key) {
        return Some(ids.clone());
    }
    // The other way round: all policies of the kind are known, and so are the targets of each.
    if !organisation.policies_listed.contains(kind) {
        return None;
    }
    let mut ids = BTreeSet::new();
    for (id, policy) in &organisation.policies {
        if &*policy.kind == kind && organisation.targets.get(id)?.contains(node) {
            ids.insert(Arc::clone(id));
        }
    }
    Some(ids)
}
