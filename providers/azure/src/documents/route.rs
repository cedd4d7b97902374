//! The calls that are understood: their paths, the permission that each needs, and what is unknown without it.
//!
//! One table for the side that makes the calls and the side that reads the answers.

use evenhand_model::gap::Lost;
use evenhand_model::gap::Subject::{
    Access, Controls, Credentials, Declared, Escalation, HumanRoles, Logs, Nature, People, Record, Register, Trust,
    Use, Users, Workload,
};
use percent_encoding::percent_decode_str;

/// A call that is understood.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
#[expect(missing_docs, reason = "each is what its path in the table says")]
pub enum Route {
    Organisation,
    ServicePrincipals,
    Applications,
    Users,
    Groups,
    Owners,
    Sponsors,
    Members,
    MemberOf,
    AppRoleAssignments,
    AppRoleAssignedTo,
    DelegatedGrants,
    FederatedCredentials,
    InheritablePermissions,
    DirectoryAssignments,
    DirectoryRoles,
    DirectoryActive,
    DirectoryEligible,
    ActivationRules,
    GroupEligible,
    ConditionalAccess,
    SecurityDefaults,
    SignIns,
    CredentialUse,
    AgentRegistry,
    RiskyPrincipals,
    RiskyAgents,
    CredentialPolicy,
    RoleAssignments,
    RoleDefinitions,
    DenyAssignments,
    RoleActive,
    RoleEligible,
    RoleActivationRules,
    ManagedIdentities,
    IdentityFederatedCredentials,
    Resources,
    DiagnosticSettings,
    Hierarchy,
}

/// A call, for people.
#[derive(Debug)]
pub struct Call {
    /// Its path.
    pub path: &'static str,
    /// The least privilege that answers it.
    pub permission: &'static str,
    /// What is unknown without it.
    pub lost: Lost,
}

const fn call(path: &'static str, permission: &'static str, lost: Lost) -> Call {
    Call { path, permission, lost }
}

const READER: &str = "role Reader";

impl Route {
    /// All of them.
    pub const ALL: [Self; 39] = [
        Self::Organisation,
        Self::ServicePrincipals,
        Self::Applications,
        Self::Users,
        Self::Groups,
        Self::Owners,
        Self::Sponsors,
        Self::Members,
        Self::MemberOf,
        Self::AppRoleAssignments,
        Self::AppRoleAssignedTo,
        Self::DelegatedGrants,
        Self::FederatedCredentials,
        Self::InheritablePermissions,
        Self::DirectoryAssignments,
        Self::DirectoryRoles,
        Self::DirectoryActive,
        Self::DirectoryEligible,
        Self::ActivationRules,
        Self::GroupEligible,
        Self::ConditionalAccess,
        Self::SecurityDefaults,
        Self::SignIns,
        Self::CredentialUse,
        Self::AgentRegistry,
        Self::RiskyPrincipals,
        Self::RiskyAgents,
        Self::CredentialPolicy,
        Self::RoleAssignments,
        Self::RoleDefinitions,
        Self::DenyAssignments,
        Self::RoleActive,
        Self::RoleEligible,
        Self::RoleActivationRules,
        Self::ManagedIdentities,
        Self::IdentityFederatedCredentials,
        Self::Resources,
        Self::DiagnosticSettings,
        Self::Hierarchy,
    ];

    /// The call. Permissions of Graph are application permissions, those of Resource Manager roles.
    pub fn call(self) -> &'static Call {
        macro_rules! table {
            ($($route:ident: $path:literal, $permission:expr, $words:literal, [$($about:ident),*];)+) => {
                match self {
                    $(Self::$route => {
                        static CALL: Call = call($path, $permission, Lost::of($words, &[$($about),*]));
                        &CALL
                    })+
                }
            };
        }
        table! {
            Organisation: "/organization", "Organization.Read.All", "the name of the tenant", [Record];
            ServicePrincipals: "/servicePrincipals", "Application.Read.All", "which applications and agents act", [Record, Nature, Access];
            Applications: "/applications", "Application.Read.All", "secrets and certificates of applications", [Credentials];
            Users: "/users", "User.Read.All", "who the people are", [People];
            Groups: "/groups", "GroupMember.Read.All", "groups and their names", [People, HumanRoles, Access];
            Owners: "/servicePrincipals/{id}/owners", "Application.Read.All", "who owns applications", [Declared, Escalation];
            Sponsors: "/servicePrincipals/{id}/sponsors", "Application.Read.All", "who sponsors agent identities", [Declared];
            Members: "/groups/{id}/members", "GroupMember.Read.All", "who is in groups", [Access, People, HumanRoles];
            MemberOf: "/servicePrincipals/{id}/transitiveMemberOf", "Application.Read.All", "which groups applications are in", [Access];
            AppRoleAssignments: "/servicePrincipals/{id}/appRoleAssignments", "Application.Read.All", "application permissions", [Access, Escalation];
            AppRoleAssignedTo: "/servicePrincipals/{id}/appRoleAssignedTo", "Application.Read.All", "who may use an application", [Access];
            DelegatedGrants: "/oauth2PermissionGrants", "Directory.Read.All", "delegated permissions", [Access];
            FederatedCredentials: "/applications/{id}/federatedIdentityCredentials", "Application.Read.All", "whose tokens applications trust", [Trust, Credentials];
            InheritablePermissions: "/applications/{id}/microsoft.graph.agentIdentityBlueprint/inheritablePermissions", "AgentIdentityBlueprint.Read.All", "what agent identities inherit", [Access];
            DirectoryAssignments: "/roleManagement/directory/roleAssignments", "RoleManagement.Read.Directory", "directory roles", [Access, Escalation, HumanRoles];
            DirectoryRoles: "/roleManagement/directory/roleDefinitions", "RoleManagement.Read.Directory", "what directory roles allow", [Access, Escalation];
            DirectoryActive: "/roleManagement/directory/roleAssignmentScheduleInstances", "RoleAssignmentSchedule.Read.Directory", "when directory roles end", [Controls];
            DirectoryEligible: "/roleManagement/directory/roleEligibilityScheduleInstances", "RoleEligibilitySchedule.Read.Directory", "directory roles that people may activate", [Access, Controls, HumanRoles];
            ActivationRules: "/policies/roleManagementPolicyAssignments", "RoleManagementPolicy.Read.Directory", "what activating a directory role takes", [Controls];
            GroupEligible: "/identityGovernance/privilegedAccess/group/eligibilityScheduleInstances", "PrivilegedEligibilitySchedule.Read.AzureADGroup", "groups that people may activate", [Access, Controls, HumanRoles];
            ConditionalAccess: "/identity/conditionalAccess/policies", "Policy.Read.All", "conditional access", [Controls];
            SecurityDefaults: "/policies/identitySecurityDefaultsEnforcementPolicy", "Policy.Read.All", "security defaults", [Controls];
            SignIns: "/reports/servicePrincipalSignInActivities", "AuditLog.Read.All", "when applications last signed in", [Use];
            CredentialUse: "/reports/appCredentialSignInActivities", "AuditLog.Read.All", "when secrets and certificates were last used", [Use];
            AgentRegistry: "/agentRegistry/agentInstances", "AgentInstance.Read.All", "which agents the registry knows", [Register];
            RiskyPrincipals: "/identityProtection/riskyServicePrincipals", "IdentityRiskyServicePrincipal.Read.All", "which applications Entra holds for compromised", [];
            RiskyAgents: "/identityProtection/riskyAgents", "IdentityRiskyAgent.Read.All", "which agents Entra holds for compromised", [];
            CredentialPolicy: "/policies/defaultAppManagementPolicy", "Policy.Read.All", "whether secrets of applications are limited", [];
            RoleAssignments: "/{scope}/providers/Microsoft.Authorization/roleAssignments", READER, "Azure role assignments", [Access, Escalation, HumanRoles];
            RoleDefinitions: "/{scope}/providers/Microsoft.Authorization/roleDefinitions", READER, "what Azure roles allow", [Access, Escalation];
            DenyAssignments: "/{scope}/providers/Microsoft.Authorization/denyAssignments", READER, "deny assignments", [Access];
            RoleActive: "/{scope}/providers/Microsoft.Authorization/roleAssignmentScheduleInstances", READER, "when Azure roles end", [Controls];
            RoleEligible: "/{scope}/providers/Microsoft.Authorization/roleEligibilityScheduleInstances", READER, "Azure roles that people may activate", [Access, Controls, HumanRoles];
            RoleActivationRules: "/{scope}/providers/Microsoft.Authorization/roleManagementPolicyAssignments", READER, "what activating an Azure role takes", [Controls];
            ManagedIdentities: "/subscriptions/{id}/providers/Microsoft.ManagedIdentity/userAssignedIdentities", READER, "managed identities", [Record, Declared];
            IdentityFederatedCredentials: "/{identity}/federatedIdentityCredentials", READER, "whose tokens managed identities trust", [Trust];
            Resources: "/providers/Microsoft.ResourceGraph/resources", READER, "resources that carry identities or hold keys", [Workload, Users, Credentials];
            DiagnosticSettings: "/{resource}/providers/Microsoft.Insights/diagnosticSettings", READER, "where logs are kept", [Logs];
            Hierarchy: "/providers/Microsoft.Management/managementGroups/{id}/descendants", READER, "the subscriptions of management groups", [Access];
        }
    }

    /// The command that exports its answer by hand.
    pub(crate) fn export(self) -> String {
        let path = self.call().path;
        let manager =
            |version: &str| format!("az rest --url 'https://management.azure.com{path}?api-version={version}'");
        match self {
            Self::ServicePrincipals => "az ad sp list --all".to_owned(),
            Self::Applications => "az ad app list --all".to_owned(),
            Self::Users => "az ad user list".to_owned(),
            Self::Groups => "az ad group list".to_owned(),
            Self::RoleAssignments => "az role assignment list --all".to_owned(),
            Self::RoleDefinitions => "az role definition list".to_owned(),
            Self::ManagedIdentities => "az identity list".to_owned(),
            Self::Resources => {
                "az graph query -q 'resources | where isnotnull(identity) or type has \"cognitiveservices\" \
                 or type =~ \"microsoft.keyvault/vaults\"'"
                    .to_owned()
            }
            Self::ActivationRules => {
                let query = "$filter=scopeId eq '/' and scopeType eq 'DirectoryRole'&$expand=policy($expand=rules)";
                format!("az rest --url \"https://graph.microsoft.com/v1.0{path}?{}\"", query.replace('$', "\\$"))
            }
            Self::SignIns | Self::CredentialUse | Self::AgentRegistry | Self::RiskyAgents => {
                format!("az rest --url https://graph.microsoft.com/beta{path}")
            }
            Self::DenyAssignments => manager("2022-04-01"),
            Self::RoleActive | Self::RoleEligible | Self::RoleActivationRules => manager("2020-10-01"),
            Self::IdentityFederatedCredentials => manager("2023-01-31"),
            Self::DiagnosticSettings => manager("2021-05-01-preview"),
            Self::Hierarchy => manager("2020-05-01"),
            Self::Organisation
            | Self::Owners
            | Self::Sponsors
            | Self::Members
            | Self::MemberOf
            | Self::AppRoleAssignments
            | Self::AppRoleAssignedTo
            | Self::DelegatedGrants
            | Self::FederatedCredentials
            | Self::InheritablePermissions
            | Self::DirectoryAssignments
            | Self::DirectoryRoles
            | Self::DirectoryActive
            | Self::DirectoryEligible
            | Self::GroupEligible
            | Self::ConditionalAccess
            | Self::SecurityDefaults
            | Self::RiskyPrincipals
            | Self::CredentialPolicy => format!("az rest --url https://graph.microsoft.com/v1.0{path}"),
        }
    }

    /// Whether Graph answers it; else Resource Manager does.
    pub fn is_graph(self) -> bool {
        self < Self::RoleAssignments
    }
}

/// A call with what it is about.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Asked {
    /// The call.
    pub route: Route,
    /// The object, scope or resource that it is about, in lower case; empty = the tenant as a whole.
    pub of: String,
}

impl Asked {
    fn new(route: Route, of: impl Into<String>) -> Option<Self> {
        Some(Self { route, of: of.into() })
    }

    /// The call of a path, with or without host, version and query; `None` = none that is understood.
    pub fn parse(path: &str) -> Option<Self> {
        let path = path.trim();
        let path = path.strip_prefix("https://").unwrap_or(path);
        let path = path.split(['?', '#']).next().unwrap_or_default();
        let path = percent_decode_str(path).decode_utf8_lossy().to_ascii_lowercase();
        let mut segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
        // A host has a dot, and no first segment of either interface has.
        if segments.first().is_some_and(|first| first.contains('.') && *first != "v1.0") {
            segments.remove(0);
        }
        if matches!(segments.first(), Some(&("v1.0" | "beta"))) {
            segments.remove(0);
        }
        if matches!(segments.first(), Some(&("subscriptions" | "providers"))) {
            return of_manager(&segments);
        }
        // The type that an object is seen as says nothing more.
        segments.retain(|segment| !segment.starts_with("microsoft.graph.") && !segment.starts_with("graph."));
        of_graph(&segments)
    }
}

/// The calls about one object, by their last segment.
pub(crate) fn relation(word: &str) -> Option<Route> {
    Some(match word {
        "owners" => Route::Owners,
        "sponsors" => Route::Sponsors,
        "members" | "transitivemembers" => Route::Members,
        "memberof" | "transitivememberof" => Route::MemberOf,
        "approleassignments" => Route::AppRoleAssignments,
        "approleassignedto" => Route::AppRoleAssignedTo,
        "oauth2permissiongrants" => Route::DelegatedGrants,
        "federatedidentitycredentials" => Route::FederatedCredentials,
        "inheritablepermissions" => Route::InheritablePermissions,
        _ => return None,
    })
}

fn of_graph(segments: &[&str]) -> Option<Asked> {
    let collection = |name: &str| {
        Some(match name {
            "serviceprincipals" => Route::ServicePrincipals,
            "applications" => Route::Applications,
            "users" => Route::Users,
            "groups" => Route::Groups,
            _ => return None,
        })
    };
    match segments {
        ["organization", ..] => Asked::new(Route::Organisation, ""),
        ["oauth2permissiongrants"] => Asked::new(Route::DelegatedGrants, ""),
        [name] => Asked::new(collection(name)?, ""),
        [name, id] if collection(name).is_some() => Asked::new(collection(name)?, *id),
        [name, id, word] if collection(name).is_some() => Asked::new(relation(word)?, *id),
        ["rolemanagement", "directory", "roleassignments" | "transitiveroleassignments"] => {
            Asked::new(Route::DirectoryAssignments, "")
        }
        ["rolemanagement", "directory", "roledefinitions"] => Asked::new(Route::DirectoryRoles, ""),
        ["rolemanagement", "directory", "roleassignmentscheduleinstances"] => Asked::new(Route::DirectoryActive, ""),
        ["rolemanagement", "directory", "roleeligibilityscheduleinstances"] => Asked::new(Route::DirectoryEligible, ""),
        ["policies", "rolemanagementpolicyassignments"] => Asked::new(Route::ActivationRules, ""),
        ["policies", "identitysecuritydefaultsenforcementpolicy"] => Asked::new(Route::SecurityDefaults, ""),
        ["identitygovernance", "privilegedaccess", "group", "eligibilityscheduleinstances"] => {
            Asked::new(Route::GroupEligible, "")
        }
        ["identity", "conditionalaccess", "policies"] => Asked::new(Route::ConditionalAccess, ""),
        ["policies", "defaultappmanagementpolicy"] => Asked::new(Route::CredentialPolicy, ""),
        ["agentregistry", "agentinstances"] => Asked::new(Route::AgentRegistry, ""),
        ["identityprotection", "riskyserviceprincipals"] => Asked::new(Route::RiskyPrincipals, ""),
        ["identityprotection", "riskyagents"] => Asked::new(Route::RiskyAgents, ""),
        ["reports", "serviceprincipalsigninactivities"] => Asked::new(Route::SignIns, ""),
        ["reports", "appcredentialsigninactivities"] => Asked::new(Route::CredentialUse, ""),
        _ => None,
    }
}

fn of_manager(segments: &[&str]) -> Option<Asked> {
    let path = |segments: &[&str]| -> String { segments.iter().map(|segment| format!("/{segment}")).collect() };
    if let ["subscriptions", _, "resources"] = segments {
        return Asked::new(Route::Resources, path(segments));
    }
    // Which subscriptions there are: only that nobody told is part of a capture.
    if let ["subscriptions"] = segments {
        return Asked::new(Route::Hierarchy, "");
    }
    let at = segments.iter().rposition(|segment| *segment == "providers")?;
    let (scope, kind) = (segments.get(..at)?, segments.get(at + 1..)?);
    let of = path(scope);
    match kind {
        ["microsoft.authorization", "roleassignments"] => Asked::new(Route::RoleAssignments, of),
        ["microsoft.authorization", "roledefinitions"] => Asked::new(Route::RoleDefinitions, of),
        ["microsoft.authorization", "denyassignments"] => Asked::new(Route::DenyAssignments, of),
        ["microsoft.authorization", "roleassignmentscheduleinstances"] => Asked::new(Route::RoleActive, of),
        ["microsoft.authorization", "roleeligibilityscheduleinstances"] => Asked::new(Route::RoleEligible, of),
        ["microsoft.authorization", "rolemanagementpolicyassignments"] => Asked::new(Route::RoleActivationRules, of),
        ["microsoft.managedidentity", "userassignedidentities"] => Asked::new(Route::ManagedIdentities, of),
        ["microsoft.managedidentity", "userassignedidentities", _, "federatedidentitycredentials"] => {
            let identity = segments.split_last().map_or(&[][..], |(_, identity)| identity);
            Asked::new(Route::IdentityFederatedCredentials, path(identity))
        }
        ["microsoft.resourcegraph", "resources"] | ["microsoft.cognitiveservices", "accounts"] => {
            Asked::new(Route::Resources, of)
        }
        ["microsoft.cognitiveservices", "accounts", _, "projects" | "connections"]
        | ["microsoft.cognitiveservices", "accounts", _, "projects", _, "connections"] => {
            Asked::new(Route::Resources, of)
        }
        ["microsoft.insights" | "microsoft.aadiam", "diagnosticsettings"] => Asked::new(Route::DiagnosticSettings, of),
        ["microsoft.management", "managementgroups", _, "descendants"] => Asked::new(Route::Hierarchy, ""),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_call_of_the_table_is_understood_and_says_what_it_needs() {
        for route in Route::ALL {
            let call = route.call();
            let path =
                call.path.replace("/{scope}", "/subscriptions/s").replace("/{resource}", "/subscriptions/s").replace(
                    "/{identity}",
                    "/subscriptions/s/resourceGroups/g/providers/Microsoft.ManagedIdentity/userAssignedIdentities/i",
                );
            assert_eq!(Asked::parse(&path).map(|asked| asked.route), Some(route), "{path}");
            assert!(!call.permission.is_empty());
        }
        assert_eq!(Route::ALL.iter().filter(|route| route.is_graph()).count(), 28);
    }

    #[test]
    fn every_answer_can_be_exported_by_a_command_with_the_version_that_it_takes() {
        for route in Route::ALL {
            let command = route.export();
            assert!(command.starts_with("az "), "{command}");
            assert_eq!(command.contains("management.azure.com"), command.contains("api-version="), "{command}");
        }
        assert!(Route::SignIns.export().contains("/beta/reports/"));
        assert!(Route::ActivationRules.export().contains("\\$expand=policy(\\$expand=rules)"));
    }

    #[test]
    fn hosts_versions_casts_queries_and_case_do_not_matter() {
        for (path, route, of) in [
            ("https://graph.microsoft.com/v1.0/servicePrincipals?$top=5", Route::ServicePrincipals, ""),
            ("/beta/servicePrincipals/AB-1/microsoft.graph.agentIdentity/sponsors", Route::Sponsors, "ab-1"),
            ("graph.microsoft.com/v1.0/servicePrincipals/graph.agentIdentity", Route::ServicePrincipals, ""),
            (
                "/subscriptions/S/resourceGroups/G/providers/Microsoft.Compute/virtualMachines/v/providers/Microsoft.Authorization/roleAssignments",
                Route::RoleAssignments,
                "/subscriptions/s/resourcegroups/g/providers/microsoft.compute/virtualmachines/v",
            ),
            ("/providers/microsoft.aadiam/diagnosticSettings", Route::DiagnosticSettings, ""),
            (
                "/subscriptions/s/resourceGroups/a%20b/providers/Microsoft.ManagedIdentity/userAssignedIdentities/50%25%2B/federatedIdentityCredentials",
                Route::IdentityFederatedCredentials,
                "/subscriptions/s/resourcegroups/a b/providers/microsoft.managedidentity/userassignedidentities/50%+",
            ),
            (
                "management.azure.com/subscriptions/s/resources?$filter=x",
                Route::Resources,
                "/subscriptions/s/resources",
            ),
        ] {
            assert_eq!(Asked::parse(path), Asked::new(route, of), "{path}");
        }
        for path in [
            "",
            "/v1.0/me",
            "/orgs/acme/members",
            "/subscriptions/s/providers/Microsoft.Storage/storageAccounts/a/listKeys",
        ] {
            assert_eq!(Asked::parse(path), None, "{path}");
        }
    }
}
