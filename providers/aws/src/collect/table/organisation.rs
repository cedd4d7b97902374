//! Calls about the whole organisation: its tree and policies, and the people of Identity Center.

use super::{Call, Each, Protocol, Reach, Service, capital_token, each, row};
use crate::documents::form::Form;

const ORGANIZATIONS: Service = Service {
    id: "Organizations",
    host: "organizations",
    signing: "organizations",
    prefix: "organizations",
    protocol: Protocol::Json { version: "1.1", target: "AWSOrganizationsV20161128" },
    global: true,
};
const SSO: Service = Service {
    id: "SSO Admin",
    host: "sso",
    signing: "sso",
    prefix: "sso",
    protocol: Protocol::Json { version: "1.1", target: "SWBExternalService" },
    global: false,
};
const STORE: Service = Service {
    id: "identitystore",
    host: "identitystore",
    signing: "identitystore",
    prefix: "identitystore",
    protocol: Protocol::Json { version: "1.1", target: "AWSIdentityStore" },
    global: false,
};

const fn org(operation: &'static str, form: Form, file: &'static str) -> Call {
    row(&ORGANIZATIONS, operation, form, file, Reach::Organisation)
}

const fn center(operation: &'static str, form: Form, file: &'static str) -> Call {
    row(&SSO, operation, form, file, Reach::Center)
}

/// Everything below the roots: the roots themselves and every unit, level by level.
const PARENTS: &[Each] = &[
    each(Form::OrgRoots, "Roots", &[("ParentId", "/Id")]),
    each(Form::OrgUnits, "OrganizationalUnits", &[("ParentId", "/Id")]),
];

/// What a permission set is asked about with.
const SETS: &[Each] =
    &[Each { keep: &["InstanceArn"], ..each(Form::PermissionSets, "PermissionSets", &[("PermissionSetArn", "")]) }];
const STORES: &[Each] = &[each(Form::CenterInstances, "Instances", &[("IdentityStoreId", "/IdentityStoreId")])];

pub(super) static CALLS: &[Call] = &[
    Call { holds: Some("Organization"), ..org("DescribeOrganization", Form::Organization, "organization") },
    Call {
        pages: capital_token(&["Accounts"]),
        each: &[each(Form::Organization, "", &[])],
        ..org("ListAccounts", Form::OrgAccounts, "accounts")
    },
    Call {
        pages: capital_token(&["Roots"]),
        each: &[each(Form::Organization, "", &[])],
        ..org("ListRoots", Form::OrgRoots, "roots")
    },
    Call {
        pages: capital_token(&["OrganizationalUnits"]),
        each: PARENTS,
        omits_empty: true,
        ..org("ListOrganizationalUnitsForParent", Form::OrgUnits, "units")
    },
    Call {
        pages: capital_token(&["Accounts"]),
        each: PARENTS,
        omits_empty: true,
        ..org("ListAccountsForParent", Form::OrgAccountsOfParent, "accounts-of-units")
    },
    Call {
        pages: capital_token(&["Policies"]),
        each: &[
            each(Form::OrgRoots, "Roots", &[("TargetId", "/Id")]),
            each(Form::OrgUnits, "OrganizationalUnits", &[("TargetId", "/Id")]),
            each(Form::OrgAccounts, "Accounts", &[("TargetId", "/Id")]),
        ],
        vary: Some(("Filter", &["SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY"])),
        omits_empty: true,
        ..org("ListPoliciesForTarget", Form::OrgPoliciesOfTarget, "policies-of-targets")
    },
    Call {
        each: &[each(Form::OrgPoliciesOfTarget, "Policies", &[("PolicyId", "/Id")])],
        holds: Some("Policy"),
        ..org("DescribePolicy", Form::OrgPolicy, "policies")
    },
    Call {
        pages: capital_token(&["Instances"]),
        omits_empty: true,
        ..center("ListInstances", Form::CenterInstances, "instances")
    },
    Call {
        pages: capital_token(&["PermissionSets"]),
        each: &[each(Form::CenterInstances, "Instances", &[("InstanceArn", "/InstanceArn")])],
        omits_empty: true,
        ..center("ListPermissionSets", Form::PermissionSets, "permission-sets")
    },
    Call {
        each: SETS,
        holds: Some("PermissionSet"),
        ..center("DescribePermissionSet", Form::PermissionSet, "permission-set-descriptions")
    },
    Call {
        pages: capital_token(&["AttachedManagedPolicies"]),
        each: SETS,
        omits_empty: true,
        ..center("ListManagedPoliciesInPermissionSet", Form::PermissionSetManaged, "managed-policies")
    },
    Call {
        pages: capital_token(&["CustomerManagedPolicyReferences"]),
        each: SETS,
        omits_empty: true,
        ..center("ListCustomerManagedPolicyReferencesInPermissionSet", Form::PermissionSetCustomer, "customer-policies")
    },
    Call { each: SETS, ..center("GetInlinePolicyForPermissionSet", Form::PermissionSetInline, "inline-policies") },
    Call { each: SETS, ..center("GetPermissionsBoundaryForPermissionSet", Form::PermissionSetBoundary, "boundaries") },
    Call {
        pages: capital_token(&["AccountIds"]),
        each: SETS,
        omits_empty: true,
        ..center("ListAccountsForProvisionedPermissionSet", Form::CenterAccounts, "provisioned-accounts")
    },
    Call {
        pages: capital_token(&["AccountAssignments"]),
        each: &[Each {
            keep: &["InstanceArn", "PermissionSetArn"],
            ..each(Form::CenterAccounts, "AccountIds", &[("AccountId", "")])
        }],
        omits_empty: true,
        ..center("ListAccountAssignments", Form::Assignments, "assignments")
    },
    Call {
        pages: capital_token(&["Users"]),
        each: STORES,
        ..row(&STORE, "ListUsers", Form::StoreUsers, "users", Reach::Center)
    },
    Call {
        pages: capital_token(&["Groups"]),
        each: STORES,
        ..row(&STORE, "ListGroups", Form::StoreGroups, "groups", Reach::Center)
    },
];
