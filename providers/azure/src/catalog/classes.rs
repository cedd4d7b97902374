//! Levels of operations by the word they end in, groups of operations that rules ask about, and the controls that
//! condition attributes stand for.

use evenhand_model::catalog::AccessLevel;
use evenhand_model::control::ControlKind;
use evenhand_model::opset::OpSet;

use super::{Catalogue, directory, entra, graph};

/// Operations by which their holder comes to more access: assignments and roles of his own, the identity of another, keys
/// that stand for rights nobody assigned, code that runs as a managed identity.
///
/// Source: Microsoft's built-in role reference on privileged operations; the control plane leads to the data plane.
const ESCALATION: &[&str] = &[
    "Microsoft.Authorization/elevateAccess/action",
    "Microsoft.Authorization/roleAssignments/write",
    "Microsoft.Authorization/roleDefinitions/write",
    "Microsoft.Authorization/roleAssignmentScheduleRequests/write",
    "Microsoft.Authorization/roleEligibilityScheduleRequests/write",
    "Microsoft.App/containerApps/write",
    "Microsoft.Automation/automationAccounts/jobs/write",
    "Microsoft.Automation/automationAccounts/runbooks/draft/write",
    "Microsoft.Automation/automationAccounts/runbooks/write",
    "Microsoft.Compute/virtualMachines/extensions/write",
    "Microsoft.Compute/virtualMachines/runCommand/action",
    "Microsoft.Compute/virtualMachines/runCommands/write",
    "Microsoft.Compute/virtualMachineScaleSets/extensions/write",
    "Microsoft.Compute/virtualMachines/write",
    "Microsoft.ContainerInstance/containerGroups/write",
    "Microsoft.HybridCompute/machines/extensions/write",
    "Microsoft.HybridCompute/machines/runCommands/write",
    "Microsoft.KeyVault/vaults/accessPolicies/write",
    "Microsoft.Logic/workflows/write",
    "Microsoft.ManagedIdentity/userAssignedIdentities/*/assign/action",
    "Microsoft.ManagedIdentity/userAssignedIdentities/assign/action",
    "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials/write",
    "Microsoft.Web/sites/publishxml/action",
    "Microsoft.Web/sites/write",
    "microsoft.directory/applications/credentials/update",
    "microsoft.directory/applications/owners/update",
    "microsoft.directory/domains/federation/update",
    "microsoft.directory/groupsAssignableToRoles/members/update",
    "microsoft.directory/roleAssignments/allProperties/update",
    "microsoft.directory/roleDefinitions/allProperties/update",
    "microsoft.directory/servicePrincipals/appRoleAssignedTo/update",
    "microsoft.directory/servicePrincipals/credentials/update",
    "microsoft.directory/servicePrincipals/owners/update",
    "microsoft.directory/users/authenticationMethods/create",
    "microsoft.graph/PrivilegedAccess.ReadWrite.AzureADGroup",
    "microsoft.graph/PrivilegedAssignmentSchedule.ReadWrite.AzureADGroup",
    "microsoft.graph/RoleAssignmentSchedule.ReadWrite.Directory",
    "microsoft.graph/UserAuthMethod-TAP.ReadWrite.All",
];

/// Operations that stop, redirect or delete logs and what reads them.
const LOG_TAMPER: &[&str] = &[
    "Microsoft.Insights/ActionGroups/delete",
    "Microsoft.Insights/ActivityLogAlerts/delete",
    "Microsoft.Insights/DataCollectionRules/delete",
    "Microsoft.Insights/DataCollectionRules/write",
    "Microsoft.Insights/DiagnosticSettings/delete",
    "Microsoft.Insights/DiagnosticSettings/write",
    "Microsoft.Insights/LogProfiles/delete",
    "Microsoft.Insights/LogProfiles/write",
    "Microsoft.OperationalInsights/workspaces/delete",
    "Microsoft.OperationalInsights/workspaces/tables/delete",
    "Microsoft.OperationalInsights/workspaces/tables/write",
    "Microsoft.SecurityInsights/alertRules/delete",
];

/// Operations that change the rules by which others are gated: policies, locks, deny assignments, activation rules.
const GATE_TAMPER: &[&str] = &[
    "Microsoft.Authorization/denyAssignments/delete",
    "Microsoft.Authorization/denyAssignments/write",
    "Microsoft.Authorization/locks/delete",
    "Microsoft.Authorization/locks/write",
    "Microsoft.Authorization/policyAssignments/delete",
    "Microsoft.Authorization/policyAssignments/write",
    "Microsoft.Authorization/policyDefinitions/write",
    "Microsoft.Authorization/policyExemptions/write",
    "Microsoft.Authorization/roleManagementPolicies/write",
    "microsoft.directory/conditionalAccessPolicies/basic/update",
    "microsoft.directory/conditionalAccessPolicies/create",
    "microsoft.directory/conditionalAccessPolicies/delete",
    "microsoft.graph/RoleManagementPolicy.ReadWrite.AzureADGroup",
    "microsoft.graph/RoleManagementPolicy.ReadWrite.Directory",
];

/// Operations that hand out secrets or keys.
const SECRET_READ: &[&str] = &[
    "*/listAccountSas/action",
    "*/listAdminCredential/action",
    "*/listClusterAdminCredential/action",
    "*/listConnectionStrings/action",
    "*/listCredentials/action",
    "*/listKeys/action",
    "*/listServiceSas/action",
    "Microsoft.KeyVault/vaults/secrets/getSecret/action",
    "Microsoft.Web/sites/config/list/action",
    "microsoft.directory/bitlockerKeys/key/read",
    "microsoft.directory/deviceLocalCredentials/password/read",
];

/// The operations that the classes name without a wildcard. Built-in roles reach many of them by wildcards alone.
pub(super) fn named() -> impl Iterator<Item = &'static str> {
    let all = [ESCALATION, LOG_TAMPER, GATE_TAMPER, SECRET_READ].into_iter().flatten();
    all.copied().filter(|name| !name.contains('*'))
}

/// The classes in the order of [`evenhand_model::catalog::OperationClass`].
pub(super) fn all(catalogue: &Catalogue) -> [OpSet; 4] {
    [ESCALATION, LOG_TAMPER, GATE_TAMPER, SECRET_READ].map(|names| catalogue.all_of(names))
}

/// The level of an operation, in lower case. The last word tells reading from writing; what is written tells the rest.
pub(super) fn level(lower: &str) -> AccessLevel {
    if let Some(permission) = directory::permission_of(lower) {
        return graph::level(permission);
    }
    if directory::is_of_directory(lower) {
        return entra::level_of_action(lower);
    }
    let verb = lower.rsplit('/').next().unwrap_or_default();
    if verb == "read" {
        return AccessLevel::Read;
    }
    let on = |kind: &str| lower.contains(kind);
    if lower.starts_with("microsoft.authorization/") || on("/federatedidentitycredentials/") || on("/assign/action") {
        return AccessLevel::PermissionManagement;
    }
    if on("microsoft.resources/tags/") {
        return AccessLevel::Tagging;
    }
    AccessLevel::Write
}

/// Keys of conditions that stand for what activating a role takes. No language of Azure's has them: they say of a grant that
/// it is held ready, and how it is come by.
pub(crate) const ACTIVATION: &str = "activated-for";
/// Somebody approves the activation.
pub(crate) const APPROVAL: &str = "activation-approved";
/// The activation takes several factors.
pub(crate) const FACTORS: &str = "activation-with-mfa";
/// A grant that ends by itself.
pub(crate) const UNTIL: &str = "until";

/// The control behind an attribute of conditions, such as `@Environment[isPrivateLink]`.
pub(super) fn control_of_key(key: &str) -> Option<ControlKind> {
    let key = key.to_ascii_lowercase();
    match key.as_str() {
        ACTIVATION | UNTIL => return Some(ControlKind::JustInTime),
        APPROVAL => return Some(ControlKind::SecondPersonApproval),
        FACTORS => return Some(ControlKind::Mfa),
        _ => {}
    }
    match key.strip_prefix("@environment[")?.strip_suffix(']')? {
        "isprivatelink" | "microsoft.network/privateendpoints" | "microsoft.network/virtualnetworks/subnets" => {
            Some(ControlKind::NetworkOrDevice)
        }
        "utcnow" => Some(ControlKind::JustInTime),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use evenhand_model::catalog::Catalog;

    use super::*;

    #[test]
    fn every_operation_named_here_is_in_the_catalogue() {
        let catalogue = Catalogue::global();
        for name in named() {
            assert_eq!(catalogue.expand(name).len(), 1, "{name}");
        }
        for class in all(catalogue) {
            assert!(class.len() > 5, "{class:?}");
        }
    }

    #[test]
    fn levels_follow_the_last_word() {
        for (name, expected) in [
            ("microsoft.compute/virtualmachines/read", AccessLevel::Read),
            ("microsoft.compute/virtualmachines/write", AccessLevel::Write),
            ("microsoft.storage/storageaccounts/listkeys/action", AccessLevel::Write),
            ("microsoft.authorization/roleassignments/write", AccessLevel::PermissionManagement),
            ("microsoft.authorization/roleassignments/read", AccessLevel::Read),
            ("microsoft.resources/tags/write", AccessLevel::Tagging),
            (
                "microsoft.managedidentity/userassignedidentities/federatedidentitycredentials/write",
                AccessLevel::PermissionManagement,
            ),
            ("contoso.robots/arms/*", AccessLevel::Write),
        ] {
            assert_eq!(level(name), expected, "{name}");
        }
    }

    #[test]
    fn environment_attributes_stand_for_controls() {
        assert_eq!(control_of_key("@Environment[isPrivateLink]"), Some(ControlKind::NetworkOrDevice));
        assert_eq!(control_of_key("@Environment[UtcNow]"), Some(ControlKind::JustInTime));
        assert_eq!(control_of_key("@Resource[isPrivateLink]"), None);
    }
}
