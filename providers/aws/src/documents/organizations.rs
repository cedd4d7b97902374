//! Calls about the organisation: its accounts, its tree, and the policies that limit accounts.

use std::collections::BTreeSet;
use std::sync::Arc;

use evenhand_model::document::ReadError;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::form::Form;
use super::sheet::Sheet;
use super::values::{List, Name, Text};
use crate::inventory::arn::{Arn, is_account};
use crate::inventory::facts::{Facts, OrgAccount, OrgPolicy, Said};
use crate::policy::PolicyRole;

pub(crate) const SERVICE_CONTROL: &str = "SERVICE_CONTROL_POLICY";
pub(crate) const RESOURCE_CONTROL: &str = "RESOURCE_CONTROL_POLICY";

/// Whether an account is active by its state, or by its status as older answers call it.
const STATUS: &[(&str, bool)] = &[
    ("ACTIVE", true),
    ("SUSPENDED", false),
    ("CLOSED", false),
    ("PENDING_CLOSURE", false),
    ("PENDING_ACTIVATION", false),
];

const WRAP: &str = "wrap it: {\"call\": \"organizations …\", \"parameters\": {…}, \"response\": …}";

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Account<'a> {
    #[serde(borrow)]
    id: Name<'a>,
    #[serde(borrow)]
    arn: Option<Text<'a>>,
    #[serde(borrow)]
    name: Option<Text<'a>>,
    #[serde(borrow)]
    status: Option<Text<'a>>,
    #[serde(borrow)]
    state: Option<Text<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Organization<'a> {
    #[serde(borrow)]
    id: Option<Text<'a>>,
    #[serde(borrow)]
    master_account_id: Option<Text<'a>>,
    #[serde(borrow)]
    management_account_id: Option<Text<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct PolicySummary<'a> {
    #[serde(borrow)]
    id: Name<'a>,
    #[serde(borrow)]
    name: Option<Text<'a>>,
    #[serde(borrow, rename = "Type")]
    kind: Option<Text<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Policy<'a> {
    #[serde(borrow)]
    policy_summary: Option<PolicySummary<'a>>,
    #[serde(borrow)]
    content: Option<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Target<'a> {
    #[serde(borrow)]
    target_id: Name<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Node<'a> {
    #[serde(borrow)]
    id: Name<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Root<'a> {
    #[serde(borrow)]
    id: Name<'a>,
    /// Missing in some exports: then nothing tells which kinds are on.
    #[serde(borrow, default)]
    policy_types: Option<List<PolicyType<'a>>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct PolicyType<'a> {
    #[serde(borrow, rename = "Type")]
    kind: Text<'a>,
    #[serde(borrow)]
    status: Option<Text<'a>>,
}

/// Reads the answer of one of the organisation's calls.
pub(super) fn read(form: Form, sheet: &Sheet<'_>, facts: &mut Facts, errors: &mut Vec<ReadError>) {
    match form {
        Form::OrgAccounts | Form::OrgAccountsOfParent => accounts(form, sheet, facts, errors),
        Form::Organization => organization(sheet, facts, errors),
        Form::OrgPolicies | Form::OrgPoliciesOfTarget => policies(form, sheet, facts, errors),
        Form::OrgPolicy => policy(sheet, facts, errors),
        Form::OrgTargets => targets(sheet, facts, errors),
        Form::OrgRoots => roots(sheet, facts, errors),
        Form::OrgUnits => nodes(sheet, "OrganizationalUnits", facts, errors),
        Form::OrgChildren => nodes(sheet, "Children", facts, errors),
        Form::OrgParents => parents(sheet, facts, errors),
        _ => {}
    }
}

fn accounts(form: Form, sheet: &Sheet<'_>, facts: &mut Facts, errors: &mut Vec<ReadError>) {
    let parent = sheet.parameter("ParentId").map(|parent| facts.texts.share(parent));
    for (pointer, account) in sheet.list::<Account<'_>>("Accounts", errors) {
        if !is_account(&account.id) {
            errors.push(sheet.error(&pointer, "has no account number of twelve digits", "export it again"));
            continue;
        }
        // arn:aws:organizations::<management account>:account/<organisation>/<account>
        if let Some(management) = account.arn.as_deref().and_then(Arn::parse).and_then(|arn| arn.account_number()) {
            let management = facts.account(management);
            facts.organisation.management.get_or_insert(management);
        }
        let id = facts.account(&account.id);
        if let Some(parent) = &parent {
            facts.organisation.parents.insert(Arc::clone(&id.0), Arc::clone(parent));
        }
        let (member, status) = match account.state {
            Some(state) => ("State", Some(state)),
            None => ("Status", account.status),
        };
        let held = OrgAccount {
            name: facts.texts.share(account.name.as_deref().unwrap_or("")),
            active: sheet.word(format_args!("{pointer}/{member}"), status.as_deref(), STATUS, errors),
        };
        facts.organisation.accounts.insert(id, held);
    }
    if form == Form::OrgAccounts {
        facts.organisation.accounts_listed = true;
        facts.organisation.evidence.get_or_insert(sheet.evidence(""));
    }
}

fn organization(sheet: &Sheet<'_>, facts: &mut Facts, errors: &mut Vec<ReadError>) {
    let Some(organization) = sheet.needed::<Organization<'_>>("Organization", errors) else { return };
    if let Some(id) = &organization.id {
        facts.organisation.id = Some(facts.texts.share(id));
    }
    if let Some(management) = organization.management_account_id.or(organization.master_account_id) {
        if !is_account(&management) {
            let reason = "has no account number of twelve digits for its management account";
            errors.push(sheet.error("/Organization", reason, "export it again"));
            return;
        }
        facts.organisation.management = Some(facts.account(&management));
    }
    facts.organisation.evidence.get_or_insert(sheet.evidence("/Organization"));
}

fn hold(summary: &PolicySummary<'_>, kind: &str, facts: &mut Facts) -> Arc<str> {
    let id = facts.texts.share(&summary.id);
    let name = facts.texts.share(summary.name.as_deref().unwrap_or(&summary.id));
    let kind = facts.texts.share(summary.kind.as_deref().unwrap_or(kind));
    let held = facts.organisation.policies.entry(Arc::clone(&id)).or_insert(OrgPolicy {
        name: Arc::clone(&name),
        kind: Arc::clone(&kind),
        content: None,
    });
    if !kind.is_empty() {
        held.kind = kind;
    }
    if summary.name.is_some() {
        held.name = name;
    }
    id
}

fn policies(form: Form, sheet: &Sheet<'_>, facts: &mut Facts, errors: &mut Vec<ReadError>) {
    let filter = sheet.parameter("Filter").unwrap_or("").to_owned();
    let mut kinds: BTreeSet<Arc<str>> = BTreeSet::new();
    if !filter.is_empty() {
        kinds.insert(facts.texts.share(&filter));
    }
    let target = sheet.parameter("TargetId").map(|target| facts.texts.share(target));
    if form == Form::OrgPoliciesOfTarget && target.is_none() {
        errors.push(sheet.error(
            "",
            "does not say whose policies these are: the parameter `TargetId` is missing",
            WRAP,
        ));
    }
    let (mut ids, before) = (Vec::new(), errors.len());
    for (_, summary) in sheet.list::<PolicySummary<'_>>("Policies", errors) {
        let id = hold(&summary, &filter, facts);
        if let Some(held) = facts.organisation.policies.get(&id) {
            kinds.insert(Arc::clone(&held.kind));
        }
        ids.push(id);
    }
    // Without those that were not understood a target would seem to be limited to less than it is, or not at all.
    if errors.len() > before {
        return;
    }
    match (form, target) {
        (Form::OrgPolicies, _) => facts.organisation.policies_listed.extend(kinds),
        (_, Some(target)) => {
            for kind in kinds {
                let of_kind: BTreeSet<Arc<str>> = ids
                    .iter()
                    .filter(|id| facts.organisation.policies.get(*id).is_some_and(|held| held.kind == kind))
                    .cloned()
                    .collect();
                facts.organisation.of_target.entry((Arc::clone(&target), kind)).or_default().extend(of_kind);
            }
        }
        _ => {}
    }
}

fn policy(sheet: &Sheet<'_>, facts: &mut Facts, errors: &mut Vec<ReadError>) {
    let Some(policy) = sheet.needed::<Policy<'_>>("Policy", errors) else { return };
    let Some(summary) = policy.policy_summary else {
        errors.push(sheet.error("/Policy", "has no `PolicySummary`", "export it again with the whole answer"));
        return;
    };
    let id = hold(&summary, "", facts);
    let Some(content) = policy.content else { return };
    let Some((name, kind)) =
        facts.organisation.policies.get(&id).map(|held| (Arc::clone(&held.name), Arc::clone(&held.kind)))
    else {
        return;
    };
    let (role, word) = match &*kind {
        SERVICE_CONTROL => (PolicyRole::ServiceControl, "scp"),
        RESOURCE_CONTROL => (PolicyRole::ResourceControl, "rcp"),
        _ => return,
    };
    let evidence = sheet.evidence("/Policy/Content");
    let content = facts.policy(&format!("{word} {name}"), role, content, evidence);
    if let Some(held) = facts.organisation.policies.get_mut(&id) {
        held.content = content;
    }
}

fn targets(sheet: &Sheet<'_>, facts: &mut Facts, errors: &mut Vec<ReadError>) {
    let Some(policy) = sheet.parameter("PolicyId").map(|policy| facts.texts.share(policy)) else {
        errors.push(sheet.error("", "does not say whose targets these are: the parameter `PolicyId` is missing", WRAP));
        return;
    };
    let targets: BTreeSet<Arc<str>> = sheet
        .list::<Target<'_>>("Targets", errors)
        .iter()
        .map(|(_, target)| facts.texts.share(&target.target_id))
        .collect();
    facts.organisation.targets.entry(policy).or_default().extend(targets);
}

fn roots(sheet: &Sheet<'_>, facts: &mut Facts, errors: &mut Vec<ReadError>) {
    for (_, root) in sheet.list::<Root<'_>>("Roots", errors) {
        let Some(kinds) = root.policy_types else { continue };
        let on = kinds
            .0
            .iter()
            .filter(|kind| kind.status.as_deref().is_none_or(|status| status.eq_ignore_ascii_case("ENABLED")))
            .map(|kind| facts.texts.share(&kind.kind))
            .collect();
        let id = facts.texts.share(&root.id);
        facts.organisation.roots.insert(id, on);
    }
}

fn nodes(sheet: &Sheet<'_>, list: &'static str, facts: &mut Facts, errors: &mut Vec<ReadError>) {
    let Some(parent) = sheet.parameter("ParentId").map(|parent| facts.texts.share(parent)) else {
        errors.push(sheet.error(
            "",
            "does not say whose children these are: the parameter `ParentId` is missing",
            WRAP,
        ));
        return;
    };
    for (_, node) in sheet.list::<Node<'_>>(list, errors) {
        let id = facts.texts.share(&node.id);
        facts.organisation.parents.insert(id, Arc::clone(&parent));
    }
}

fn parents(sheet: &Sheet<'_>, facts: &mut Facts, errors: &mut Vec<ReadError>) {
    let Some(child) = sheet.parameter("ChildId").map(|child| facts.texts.share(child)) else {
        errors.push(sheet.error("", "does not say whose parent this is: the parameter `ChildId` is missing", WRAP));
        return;
    };
    for (_, node) in sheet.list::<Node<'_>>("Parents", errors) {
        let id = facts.texts.share(&node.id);
        facts.organisation.parents.insert(Arc::clone(&child), id);
    }
}

/// The answer that a kind of policy is switched off in the organisation. Whether the call says which kind.
pub(super) fn not_enabled(sheet: &Sheet<'_>, facts: &mut Facts) -> bool {
    let kind = ["Filter", "PolicyType"].into_iter().find_map(|name| sheet.parameter(name));
    let Some(kind) = kind.map(|kind| facts.texts.share(kind)) else { return false };
    facts.organisation.kinds_off.insert(kind);
    facts.organisation.evidence.get_or_insert(sheet.evidence(""));
    true
}

/// The answer that the account belongs to no organisation.
pub(super) fn in_none(sheet: &Sheet<'_>, facts: &mut Facts) {
    facts.organisation.none_for.push(Said { account: sheet.account.clone(), evidence: sheet.evidence(""), it: () });
}
