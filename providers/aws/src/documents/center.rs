//! Calls about Identity Center: permission sets, who has them where, and the people and groups of its store.

use std::collections::BTreeSet;
use std::sync::Arc;

use evenhand_model::document::ReadError;
use evenhand_model::evidence::Fact;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::form::Form;
use super::sheet::Sheet;
use super::values::{List, Name, Text, When};
use crate::inventory::arn::is_account;
use crate::inventory::facts::{Assignment, Facts, PermissionSet, Said, StoreUser};
use crate::policy::PolicyRole;

const STATUS: &[(&str, bool)] = &[("ENABLED", true), ("DISABLED", false)];
/// Whether an assignment is a person's or a group's.
const IS_PERSON: &[(&str, bool)] = &[("USER", true), ("GROUP", false)];

const WRAP: &str = "wrap it: {\"call\": \"sso-admin …\", \"parameters\": {\"PermissionSetArn\": …}, \"response\": …}";

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Described<'a> {
    #[serde(borrow)]
    permission_set_arn: Name<'a>,
    #[serde(borrow)]
    name: Option<Text<'a>>,
    #[serde(borrow)]
    description: Option<Text<'a>>,
    created_date: Option<When>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Managed<'a> {
    #[serde(borrow)]
    arn: Name<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Customer<'a> {
    #[serde(borrow)]
    name: Name<'a>,
    #[serde(borrow)]
    path: Option<Text<'a>>,
}

impl Customer<'_> {
    /// What stands behind `policy/` in the policy's name (ARN).
    fn full_name(&self) -> String {
        format!("{}{}", self.path.as_deref().unwrap_or("/").trim_start_matches('/'), &*self.name)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Boundary<'a> {
    #[serde(borrow)]
    managed_policy_arn: Option<Name<'a>>,
    #[serde(borrow)]
    customer_managed_policy_reference: Option<Customer<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Assigned<'a> {
    #[serde(borrow)]
    account_id: Option<Text<'a>>,
    #[serde(borrow)]
    permission_set_arn: Name<'a>,
    #[serde(borrow)]
    principal_type: Option<Text<'a>>,
    #[serde(borrow)]
    principal_id: Name<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Person<'a> {
    #[serde(borrow)]
    user_id: Name<'a>,
    #[serde(borrow)]
    user_name: Option<Text<'a>>,
    #[serde(borrow)]
    display_name: Option<Text<'a>>,
    #[serde(borrow, default)]
    emails: List<Email<'a>>,
    #[serde(borrow)]
    user_status: Option<Text<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Email<'a> {
    #[serde(borrow)]
    value: Option<Text<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct StoreGroup<'a> {
    #[serde(borrow)]
    group_id: Name<'a>,
    #[serde(borrow)]
    display_name: Option<Text<'a>>,
}

/// Reads the answer of one of Identity Center's calls.
pub(super) fn read(form: Form, sheet: &Sheet<'_>, facts: &mut Facts, errors: &mut Vec<ReadError>) {
    facts.center.read = true;
    match form {
        Form::PermissionSets => {
            for (_, arn) in sheet.list::<Name<'_>>("PermissionSets", errors) {
                set(&arn, sheet, facts);
            }
        }
        Form::PermissionSet => {
            let Some(described) = sheet.needed::<Described<'_>>("PermissionSet", errors) else { return };
            let name = described.name.map(|name| facts.texts.share(&name));
            let description = Fact::read(
                described.description.filter(|text| !text.trim().is_empty()).map(|text| facts.texts.share(&text)),
            );
            let evidence = sheet.evidence("/PermissionSet");
            let created_at = sheet.moment(format_args!("/PermissionSet/CreatedDate"), described.created_date, errors);
            let held = set(&described.permission_set_arn, sheet, facts);
            held.name = name;
            held.description = description;
            held.created_at = created_at;
            held.evidence = evidence;
        }
        Form::PermissionSetManaged => {
            let Some(arn) = asked_for(sheet, errors) else { return };
            let managed: Vec<Arc<str>> = sheet
                .list::<Managed<'_>>("AttachedManagedPolicies", errors)
                .iter()
                .map(|(_, policy)| facts.texts.share(&policy.arn))
                .collect();
            set(&arn, sheet, facts).managed.get_or_insert_default().extend(managed);
        }
        Form::PermissionSetCustomer => {
            let Some(arn) = asked_for(sheet, errors) else { return };
            let names: Vec<Arc<str>> = sheet
                .list::<Customer<'_>>("CustomerManagedPolicyReferences", errors)
                .iter()
                .map(|(_, policy)| facts.texts.share(&policy.full_name()))
                .collect();
            set(&arn, sheet, facts).customer.get_or_insert_default().extend(names);
        }
        Form::PermissionSetInline => inline(sheet, facts, errors),
        Form::PermissionSetBoundary => {
            let Some(arn) = asked_for(sheet, errors) else { return };
            let before = errors.len();
            let boundary = sheet.member::<Boundary<'_>>("PermissionsBoundary", errors);
            // A boundary that is not understood is not one that is not there.
            if errors.len() > before {
                return;
            }
            let name = boundary.and_then(|boundary| {
                let managed = boundary.managed_policy_arn.map(|arn| arn.to_string());
                managed.or(boundary.customer_managed_policy_reference.map(|policy| policy.full_name()))
            });
            let name = Fact::read(name.map(|name| facts.texts.share(&name)));
            set(&arn, sheet, facts).boundary = name;
        }
        Form::Assignments => assignments(sheet, facts, errors),
        Form::StoreUsers => users(sheet, facts, errors),
        Form::StoreGroups => {
            for (_, group) in sheet.list::<StoreGroup<'_>>("Groups", errors) {
                let id = facts.texts.share(&group.group_id);
                let name = facts.texts.share(group.display_name.as_deref().unwrap_or(&group.group_id));
                facts.center.groups.insert(id, name);
            }
        }
        // Whether it is whole is told all the same.
        _ => {
            sheet.parts(&[], errors);
        }
    }
}

fn set<'f>(arn: &str, sheet: &Sheet<'_>, facts: &'f mut Facts) -> &'f mut PermissionSet {
    let arn = facts.texts.share(arn);
    facts.center.sets.entry(arn).or_insert_with(|| PermissionSet::new(sheet.evidence("")))
}

fn asked_for(sheet: &Sheet<'_>, errors: &mut Vec<ReadError>) -> Option<String> {
    let arn = sheet.parameter("PermissionSetArn").map(str::to_owned);
    if arn.is_none() {
        errors.push(sheet.error(
            "",
            "does not say which permission set it is about: the parameter `PermissionSetArn` is missing",
            WRAP,
        ));
    }
    arn
}

fn inline(sheet: &Sheet<'_>, facts: &mut Facts, errors: &mut Vec<ReadError>) {
    let Some(arn) = asked_for(sheet, errors) else { return };
    // An empty text is the vendor's way to say that there is none.
    let raw = sheet.member::<&RawValue>("InlinePolicy", errors).filter(|raw| raw.get() != "\"\"");
    let name = set(&arn, sheet, facts).name.clone();
    let label = format!("inline policy of permission set {}", name.as_deref().unwrap_or(&arn));
    let policy = raw.and_then(|raw| facts.policy(&label, PolicyRole::Identity, raw, sheet.evidence("/InlinePolicy")));
    set(&arn, sheet, facts).inline = Some(policy);
}

fn assignments(sheet: &Sheet<'_>, facts: &mut Facts, errors: &mut Vec<ReadError>) {
    for (pointer, assigned) in sheet.list::<Assigned<'_>>("AccountAssignments", errors) {
        let number = assigned.account_id.as_deref().or_else(|| sheet.parameter("AccountId")).unwrap_or("");
        if !is_account(number) {
            errors.push(sheet.error(&pointer, "does not say in which account", "keep the member `AccountId`"));
            continue;
        }
        sheet.word(format_args!("{pointer}/PrincipalType"), assigned.principal_type.as_deref(), IS_PERSON, errors);
        let account = facts.account(number);
        set(&assigned.permission_set_arn, sheet, facts);
        let it = Assignment {
            set: facts.texts.share(&assigned.permission_set_arn),
            principal_kind: facts.texts.share(assigned.principal_type.as_deref().unwrap_or("")),
            principal: facts.texts.share(&assigned.principal_id),
        };
        facts.center.assignments.push(Said { account: Some(account), evidence: sheet.evidence(&pointer), it });
    }
}

fn users(sheet: &Sheet<'_>, facts: &mut Facts, errors: &mut Vec<ReadError>) {
    for (pointer, person) in sheet.list::<Person<'_>>("Users", errors) {
        let names: BTreeSet<String> = [person.user_name.as_deref(), person.display_name.as_deref()]
            .into_iter()
            .chain(person.emails.0.iter().map(|email| email.value.as_deref()))
            .flatten()
            .map(|name| name.trim().to_lowercase())
            .filter(|name| !name.is_empty())
            .collect();
        let label = person.user_name.as_deref().or(person.display_name.as_deref()).unwrap_or(&person.user_id);
        let held = StoreUser {
            names,
            label: facts.texts.share(label),
            // Answers of older versions carry no status: people who left were deleted then.
            active: match person.user_status.as_deref() {
                None => Fact::Known(true),
                status => sheet.word(format_args!("{pointer}/UserStatus"), status, STATUS, errors),
            },
        };
        let id = facts.texts.share(&person.user_id);
        facts.center.users.insert(id, held);
    }
}
