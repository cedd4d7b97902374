//! What is done in a directory, in one vocabulary: the actions of directory roles.
//!
//! A person comes to a right by a directory role, an application by a permission of Microsoft Graph. That the two are one
//! right can only be seen where both are written alike: a permission that does what actions of roles do stands for these
//! actions ([`of_permission`]); every other permission is an operation of its own ([`operation_of_permission`]).
//!
//! Sources: <https://learn.microsoft.com/entra/identity/role-based-access-control/permissions-reference> for actions,
//! <https://learn.microsoft.com/graph/permissions-reference> and the tables of permissions on the pages of its operations
//! for what a permission allows. That the one is the other is a conclusion from both.

use std::borrow::Cow;

use crate::rbac::OperationPattern;

/// What begins the name of an operation that is a permission of Microsoft Graph.
const GRAPH: &str = "microsoft.graph/";
/// What begins the name of an operation that is a permission of another application.
const OTHER: &str = "api/";

/// Actions that are known without a role naming them: wildcards in roles stand for these too.
pub(super) const ACTIONS: &[&str] = &[
    "microsoft.directory/administrativeUnits/members/update",
    "microsoft.directory/applications/audience/update",
    "microsoft.directory/applications/authentication/update",
    "microsoft.directory/applications/basic/update",
    "microsoft.directory/applications/create",
    "microsoft.directory/applications/credentials/update",
    "microsoft.directory/applications/delete",
    "microsoft.directory/applications/owners/update",
    "microsoft.directory/applications/permissions/update",
    "microsoft.directory/applications/standard/read",
    "microsoft.directory/auditLogs/allProperties/read",
    "microsoft.directory/bitlockerKeys/key/read",
    "microsoft.directory/conditionalAccessPolicies/basic/update",
    "microsoft.directory/conditionalAccessPolicies/create",
    "microsoft.directory/conditionalAccessPolicies/delete",
    "microsoft.directory/conditionalAccessPolicies/standard/read",
    "microsoft.directory/deviceLocalCredentials/password/read",
    "microsoft.directory/deviceLocalCredentials/standard/read",
    "microsoft.directory/devices/delete",
    "microsoft.directory/devices/disable",
    "microsoft.directory/devices/enable",
    "microsoft.directory/devices/standard/read",
    "microsoft.directory/domains/federation/update",
    "microsoft.directory/domains/standard/read",
    "microsoft.directory/groups/basic/update",
    "microsoft.directory/groups/create",
    "microsoft.directory/groups/delete",
    "microsoft.directory/groups/members/read",
    "microsoft.directory/groups/members/update",
    "microsoft.directory/groups/owners/update",
    "microsoft.directory/groups/restore",
    "microsoft.directory/groups/standard/read",
    "microsoft.directory/groupsAssignableToRoles/members/update",
    "microsoft.directory/oAuth2PermissionGrants/basic/update",
    "microsoft.directory/oAuth2PermissionGrants/create",
    "microsoft.directory/oAuth2PermissionGrants/delete",
    "microsoft.directory/organization/standard/read",
    "microsoft.directory/roleAssignments/allProperties/read",
    "microsoft.directory/roleAssignments/allProperties/update",
    "microsoft.directory/roleDefinitions/allProperties/read",
    "microsoft.directory/roleDefinitions/allProperties/update",
    "microsoft.directory/servicePrincipals/appRoleAssignedTo/update",
    "microsoft.directory/servicePrincipals/basic/update",
    "microsoft.directory/servicePrincipals/create",
    "microsoft.directory/servicePrincipals/credentials/update",
    "microsoft.directory/servicePrincipals/delete",
    "microsoft.directory/servicePrincipals/disable",
    "microsoft.directory/servicePrincipals/enable",
    "microsoft.directory/servicePrincipals/owners/update",
    "microsoft.directory/servicePrincipals/standard/read",
    "microsoft.directory/signInReports/allProperties/read",
    "microsoft.directory/users/assignLicense",
    "microsoft.directory/users/authenticationMethods/basic/update",
    "microsoft.directory/users/authenticationMethods/create",
    "microsoft.directory/users/authenticationMethods/delete",
    "microsoft.directory/users/authenticationMethods/standard/read",
    "microsoft.directory/users/basic/update",
    "microsoft.directory/users/create",
    "microsoft.directory/users/delete",
    "microsoft.directory/users/disable",
    "microsoft.directory/users/enable",
    "microsoft.directory/users/invalidateAllRefreshTokens",
    "microsoft.directory/users/manager/update",
    "microsoft.directory/users/password/update",
    "microsoft.directory/users/restore",
    "microsoft.directory/users/standard/read",
    "microsoft.directory/users/usageLocation/update",
    "microsoft.directory/users/userPrincipalName/update",
];

/// Permissions that do what actions of roles do.
const MEANS: &[(&str, &[&str])] = &[
    (
        "Application.Read.All",
        &["microsoft.directory/applications/standard/read", "microsoft.directory/servicePrincipals/standard/read"],
    ),
    (
        "Application.ReadWrite.All",
        &[
            "microsoft.directory/applications/audience/update",
            "microsoft.directory/applications/authentication/update",
            "microsoft.directory/applications/basic/update",
            "microsoft.directory/applications/create",
            "microsoft.directory/applications/credentials/update",
            "microsoft.directory/applications/delete",
            "microsoft.directory/applications/owners/update",
            "microsoft.directory/applications/permissions/update",
            "microsoft.directory/applications/standard/read",
            "microsoft.directory/servicePrincipals/basic/update",
            "microsoft.directory/servicePrincipals/create",
            "microsoft.directory/servicePrincipals/credentials/update",
            "microsoft.directory/servicePrincipals/delete",
            "microsoft.directory/servicePrincipals/disable",
            "microsoft.directory/servicePrincipals/enable",
            "microsoft.directory/servicePrincipals/owners/update",
            "microsoft.directory/servicePrincipals/standard/read",
        ],
    ),
    ("AppRoleAssignment.ReadWrite.All", &["microsoft.directory/servicePrincipals/appRoleAssignedTo/update"]),
    (
        "AuditLog.Read.All",
        &["microsoft.directory/auditLogs/allProperties/read", "microsoft.directory/signInReports/allProperties/read"],
    ),
    ("BitlockerKey.Read.All", &["microsoft.directory/bitlockerKeys/key/read"]),
    (
        "DelegatedPermissionGrant.ReadWrite.All",
        &[
            "microsoft.directory/oAuth2PermissionGrants/basic/update",
            "microsoft.directory/oAuth2PermissionGrants/create",
            "microsoft.directory/oAuth2PermissionGrants/delete",
        ],
    ),
    ("Device.Read.All", &["microsoft.directory/devices/standard/read"]),
    (
        "DeviceLocalCredential.Read.All",
        &[
            "microsoft.directory/deviceLocalCredentials/password/read",
            "microsoft.directory/deviceLocalCredentials/standard/read",
        ],
    ),
    (
        "Directory.Read.All",
        &[
            "microsoft.directory/applications/standard/read",
            "microsoft.directory/devices/standard/read",
            "microsoft.directory/domains/standard/read",
            "microsoft.directory/groups/members/read",
            "microsoft.directory/groups/standard/read",
            "microsoft.directory/organization/standard/read",
            "microsoft.directory/roleAssignments/allProperties/read",
            "microsoft.directory/roleDefinitions/allProperties/read",
            "microsoft.directory/servicePrincipals/standard/read",
            "microsoft.directory/users/standard/read",
        ],
    ),
    ("Domain.Read.All", &["microsoft.directory/domains/standard/read"]),
    ("Group.Read.All", &["microsoft.directory/groups/members/read", "microsoft.directory/groups/standard/read"]),
    ("GroupMember.Read.All", &["microsoft.directory/groups/members/read", "microsoft.directory/groups/standard/read"]),
    (
        "GroupMember.ReadWrite.All",
        &[
            "microsoft.directory/groups/members/read",
            "microsoft.directory/groups/members/update",
            "microsoft.directory/groups/standard/read",
        ],
    ),
    ("Organization.Read.All", &["microsoft.directory/organization/standard/read"]),
    (
        "Policy.ReadWrite.ConditionalAccess",
        &[
            "microsoft.directory/conditionalAccessPolicies/basic/update",
            "microsoft.directory/conditionalAccessPolicies/create",
            "microsoft.directory/conditionalAccessPolicies/delete",
            "microsoft.directory/conditionalAccessPolicies/standard/read",
        ],
    ),
    (
        "RoleManagement.Read.Directory",
        &[
            "microsoft.directory/roleAssignments/allProperties/read",
            "microsoft.directory/roleDefinitions/allProperties/read",
        ],
    ),
    (
        "RoleManagement.ReadWrite.Directory",
        &[
            "microsoft.directory/roleAssignments/allProperties/read",
            "microsoft.directory/roleAssignments/allProperties/update",
            "microsoft.directory/roleDefinitions/allProperties/read",
            "microsoft.directory/roleDefinitions/allProperties/update",
        ],
    ),
    ("User.DeleteRestore.All", &["microsoft.directory/users/delete", "microsoft.directory/users/restore"]),
    ("User.EnableDisableAccount.All", &["microsoft.directory/users/disable", "microsoft.directory/users/enable"]),
    ("User.Read.All", &["microsoft.directory/users/standard/read"]),
    (
        "User.ReadWrite.All",
        &[
            "microsoft.directory/users/assignLicense",
            "microsoft.directory/users/basic/update",
            "microsoft.directory/users/create",
            "microsoft.directory/users/delete",
            "microsoft.directory/users/disable",
            "microsoft.directory/users/enable",
            "microsoft.directory/users/invalidateAllRefreshTokens",
            "microsoft.directory/users/manager/update",
            "microsoft.directory/users/standard/read",
            "microsoft.directory/users/usageLocation/update",
            "microsoft.directory/users/userPrincipalName/update",
        ],
    ),
    ("User.RevokeSessions.All", &["microsoft.directory/users/invalidateAllRefreshTokens"]),
    ("User-PasswordProfile.ReadWrite.All", &["microsoft.directory/users/password/update"]),
    (
        "UserAuthenticationMethod.ReadWrite.All",
        &[
            "microsoft.directory/users/authenticationMethods/basic/update",
            "microsoft.directory/users/authenticationMethods/create",
            "microsoft.directory/users/authenticationMethods/delete",
            "microsoft.directory/users/authenticationMethods/standard/read",
        ],
    ),
];

/// The actions that a permission of Microsoft Graph stands for; none = it is an operation of its own.
pub(crate) fn of_permission(name: &str) -> &'static [&'static str] {
    MEANS.iter().find(|(held, _)| held.eq_ignore_ascii_case(name)).map_or(&[], |(_, actions)| actions)
}

/// The operation that a permission is which stands for no actions.
pub(crate) fn operation_of_permission(name: &str) -> String {
    format!("{GRAPH}{name}")
}

/// The operation that a permission of another application is; `api`: what the application is called.
pub(crate) fn operation_of_api(api: &str, name: &str) -> String {
    let plain = |text: &str| text.trim().replace(['/', '*'], "_");
    format!("{OTHER}{}/{}", plain(api), plain(name))
}

/// The permission behind an operation, by its name in lower case: of Microsoft Graph, or of another application.
pub(super) fn permission_of(lower: &str) -> Option<&str> {
    lower.strip_prefix(GRAPH).or_else(|| lower.strip_prefix(OTHER)?.split_once('/').map(|(_, name)| name))
}

/// Whether an operation, in lower case, is one of the directory, by its name alone.
pub(super) fn is_of_directory(lower: &str) -> bool {
    lower.starts_with("microsoft.directory/") || permission_of(lower).is_some()
}

/// An action of a role as a pattern: `allEntities`, `allProperties` and `allTasks` stand for whatever is there.
pub(crate) fn pattern(action: &str) -> OperationPattern {
    let mut parts: Vec<Cow<'_, str>> = Vec::new();
    for part in action.trim().split('/') {
        let all = ["allEntities", "allProperties", "allTasks"].iter().any(|word| part.eq_ignore_ascii_case(word));
        match (all, parts.last().map(AsRef::as_ref)) {
            (true, Some("*")) => {}
            (true, _) => parts.push("*".into()),
            (false, _) => parts.push(part.into()),
        }
    }
    OperationPattern::new(&parts.join("/"))
}

#[cfg(test)]
mod tests {
    use evenhand_model::catalog::{AccessLevel, Catalog, OperationClass};

    use super::*;
    use crate::catalog::{Catalogue, graph};
    use crate::rbac::Plane;

    #[test]
    fn every_permission_and_action_of_the_table_is_known() {
        assert!(ACTIONS.is_sorted());
        for (name, actions) in MEANS {
            assert!(graph::of_name(name).is_some_and(|held| held.application.is_some()), "{name}");
            for action in *actions {
                assert!(ACTIONS.contains(action), "{name} {action}");
            }
        }
    }

    #[test]
    fn a_permission_that_writes_is_never_translated_into_reading_alone() {
        let catalogue = Catalogue::global();
        for (name, actions) in MEANS {
            let highest = actions.iter().flat_map(|action| catalogue.expand(action).iter().collect::<Vec<_>>());
            let highest = highest.map(|operation| catalogue.level(operation)).max().unwrap();
            let writes = graph::level(name) >= AccessLevel::Write;
            assert_eq!(writes, highest >= AccessLevel::Write, "{name}");
        }
    }

    #[test]
    fn all_of_something_is_whatever_is_there() {
        for (action, expected) in [
            ("microsoft.directory/users/allProperties/allTasks", "microsoft.directory/users/*"),
            ("microsoft.directory/users/allProperties/read", "microsoft.directory/users/*/read"),
            ("microsoft.directory/users/password/update", "microsoft.directory/users/password/update"),
            ("microsoft.azure.serviceHealth/allEntities/allTasks", "microsoft.azure.serviceHealth/*"),
        ] {
            assert_eq!(pattern(action).to_string(), expected);
        }
    }

    #[test]
    fn the_directory_is_apart_from_resources() {
        let catalogue = Catalogue::global();
        let everything = catalogue.matching([&OperationPattern::new("*")], Plane::Control);
        let directory = catalogue.matching([&OperationPattern::new("*")], Plane::Directory);
        assert!(!everything.intersects(&directory) && directory.len() >= ACTIONS.len());
        let users =
            catalogue.matching([&pattern("microsoft.directory/users/allProperties/allTasks")], Plane::Directory);
        assert!(users.len() > 10);
        let escalates = catalogue.class(OperationClass::Escalation);
        assert!(escalates.intersects(&catalogue.expand("microsoft.directory/roleAssignments/allProperties/update")));
    }
}
