//! Every call: what fills its path, what of its answer is kept, and what it leads to.
//!
//! What each needs and what is unknown without it is in [`crate::documents::route`].

use super::step::{About, Pages, Step, graph, lead, lead_where, manager};
use crate::catalog::graph::MICROSOFT_GRAPH;
use crate::documents::route::Route;

/// The query that Resource Graph is asked: resources that carry an identity, AI services with the switch of their keys, and
/// key vaults with the access policies that stand beside roles there.
/// Nothing else of a resource's properties is asked for: they may hold secrets.
pub(crate) const RESOURCES: &str = "resources \
    | where isnotnull(identity) or type startswith 'microsoft.cognitiveservices/accounts' \
    or type startswith 'microsoft.search/searchservices' or type startswith 'microsoft.machinelearningservices/workspaces' \
    or type =~ 'microsoft.keyvault/vaults' \
    | project id, name, type, kind, location, resourceGroup, subscriptionId, tenantId, tags, identity, \
    properties = bag_pack('disableLocalAuth', properties.disableLocalAuth, \
    'publicNetworkAccess', properties.publicNetworkAccess, 'dateCreated', properties.dateCreated, \
    'enableRbacAuthorization', properties.enableRbacAuthorization, \
    'accessPolicies', iff(type =~ 'microsoft.keyvault/vaults', properties.accessPolicies, dynamic(null)), \
    'networkDefaultAction', properties.networkAcls.defaultAction) \
    | order by id asc";

/// Of credentials neither texts nor hints nor keys are kept; see `page`.
const PRINCIPAL: &[&str] = &[
    "id",
    "appId",
    "displayName",
    "servicePrincipalType",
    "accountEnabled",
    "appOwnerOrganizationId",
    "tags",
    "createdDateTime",
    "alternativeNames",
    "appRoles",
    "passwordCredentials",
    "keyCredentials",
    "description",
];
/// The same for agents, of which all members are asked for and these are kept.
const AGENT: &[&str] = &[
    "@odata.type",
    "id",
    "appId",
    "displayName",
    "servicePrincipalType",
    "accountEnabled",
    "appOwnerOrganizationId",
    "tags",
    "createdDateTime",
    "agentIdentityBlueprintId",
    "createdByAppId",
    "appRoles",
    "passwordCredentials",
    "keyCredentials",
    "description",
];
const APPLICATION: &[&str] = &[
    "id",
    "appId",
    "displayName",
    "signInAudience",
    "tags",
    "createdDateTime",
    "passwordCredentials",
    "keyCredentials",
    "description",
];
const BLUEPRINT: &[&str] = &[
    "@odata.type",
    "id",
    "appId",
    "displayName",
    "signInAudience",
    "tags",
    "createdDateTime",
    "passwordCredentials",
    "keyCredentials",
    "description",
];
const USER: &[&str] = &["id", "displayName", "userPrincipalName", "accountEnabled", "userType", "createdDateTime"];
const GROUP: &[&str] = &[
    "id",
    "displayName",
    "description",
    "securityEnabled",
    "mailEnabled",
    "isAssignableToRole",
    "groupTypes",
    "createdDateTime",
];
const REFERENCE: &[&str] = &["@odata.type", "id", "displayName", "userPrincipalName"];
const ORGANISATION: &[&str] = &["id", "displayName", "createdDateTime"];
/// What a connection leads to, its metadata and what it proves itself with may hold secrets.
const CONNECTION: &[&str] = &["id", "name", "type", "properties/authType", "properties/category"];
const AGENT_USER: &[&str] = &[
    "@odata.type",
    "id",
    "displayName",
    "userPrincipalName",
    "accountEnabled",
    "userType",
    "createdDateTime",
    "identityParentId",
];
/// Of an agent's card and addresses nothing is asked: they may hold anything.
const INSTANCE: &[&str] =
    &["id", "displayName", "agentIdentityId", "agentUserId", "originatingStore", "createdDateTime"];
const RISKY: &[&str] = &["id", "riskLevel", "riskState", "riskLastUpdatedDateTime"];
const FEDERATED: &[&str] = &["id", "name", "issuer", "subject", "audiences", "claimsMatchingExpression"];

/// The assignments that count at a scope and what stands above it.
const HERE: &str = "$filter=atScope()";

use About::{
    Account, Agent, Application, Blueprint, Group, Identity, ManagementGroup, MicrosoftGraph, Project, RoleGroup,
    ServicePrincipal, Subscription, Tenant,
};

/// Every call.
pub(crate) static STEPS: &[Step] = &[
    Step { keep: ORGANISATION, select: true, ..graph(Tenant, Route::Organisation, "/v1.0/organization") },
    Step {
        keep: PRINCIPAL,
        select: true,
        query: "$top=999",
        leads: &[lead(ServicePrincipal, "id"), lead_where(MicrosoftGraph, "id", "appId", MICROSOFT_GRAPH)],
        ..graph(Tenant, Route::ServicePrincipals, "/v1.0/servicePrincipals")
    },
    Step {
        keep: AGENT,
        leads: &[lead(Agent, "id")],
        needs: Some("AgentIdentity.Read.All"),
        ..graph(Tenant, Route::ServicePrincipals, "/v1.0/servicePrincipals/microsoft.graph.agentIdentity")
    },
    Step {
        keep: AGENT,
        leads: &[lead(Agent, "id")],
        needs: Some("AgentIdentityBlueprintPrincipal.Read.All"),
        ..graph(
            Tenant,
            Route::ServicePrincipals,
            "/v1.0/servicePrincipals/microsoft.graph.agentIdentityBlueprintPrincipal",
        )
    },
    Step {
        keep: APPLICATION,
        select: true,
        query: "$top=999",
        leads: &[lead(Application, "id")],
        ..graph(Tenant, Route::Applications, "/v1.0/applications")
    },
    Step {
        keep: BLUEPRINT,
        leads: &[lead(Application, "id"), lead(Blueprint, "id")],
        needs: Some("AgentIdentityBlueprint.Read.All"),
        ..graph(Tenant, Route::Applications, "/v1.0/applications/microsoft.graph.agentIdentityBlueprint")
    },
    Step { keep: USER, select: true, query: "$top=999", ..graph(Tenant, Route::Users, "/v1.0/users") },
    Step { keep: AGENT_USER, ..graph(Tenant, Route::Users, "/v1.0/users/microsoft.graph.agentUser") },
    Step {
        keep: GROUP,
        select: true,
        query: "$top=999",
        leads: &[lead(Group, "id"), lead_where(RoleGroup, "id", "isAssignableToRole", "true")],
        ..graph(Tenant, Route::Groups, "/v1.0/groups")
    },
    graph(Tenant, Route::DelegatedGrants, "/v1.0/oauth2PermissionGrants"),
    graph(Tenant, Route::DirectoryAssignments, "/v1.0/roleManagement/directory/roleAssignments"),
    graph(Tenant, Route::DirectoryRoles, "/v1.0/roleManagement/directory/roleDefinitions"),
    graph(Tenant, Route::DirectoryActive, "/v1.0/roleManagement/directory/roleAssignmentScheduleInstances"),
    graph(Tenant, Route::DirectoryEligible, "/v1.0/roleManagement/directory/roleEligibilityScheduleInstances"),
    Step {
        filter: "$filter=scopeId%20eq%20'%2F'%20and%20scopeType%20eq%20'DirectoryRole'",
        query: "$expand=policy($expand=rules)",
        ..graph(Tenant, Route::ActivationRules, "/v1.0/policies/roleManagementPolicyAssignments")
    },
    graph(Tenant, Route::ConditionalAccess, "/v1.0/identity/conditionalAccess/policies"),
    Step {
        pages: Pages::One,
        ..graph(Tenant, Route::SecurityDefaults, "/v1.0/policies/identitySecurityDefaultsEnforcementPolicy")
    },
    // No v1.0 has them.
    graph(Tenant, Route::SignIns, "/beta/reports/servicePrincipalSignInActivities"),
    graph(Tenant, Route::CredentialUse, "/beta/reports/appCredentialSignInActivities"),
    Step { keep: INSTANCE, ..graph(Tenant, Route::AgentRegistry, "/beta/agentRegistry/agentInstances") },
    Step { keep: RISKY, ..graph(Tenant, Route::RiskyAgents, "/beta/identityProtection/riskyAgents") },
    Step { keep: RISKY, ..graph(Tenant, Route::RiskyPrincipals, "/v1.0/identityProtection/riskyServicePrincipals") },
    Step {
        keep: &["id", "isEnabled"],
        pages: Pages::One,
        ..graph(Tenant, Route::CredentialPolicy, "/v1.0/policies/defaultAppManagementPolicy")
    },
    Step {
        leads: &[
            lead_where(ManagementGroup, "name", "type", "Microsoft.Management/managementGroups"),
            lead_where(Subscription, "name", "type", "Microsoft.Management/managementGroups/subscriptions"),
            lead_where(Subscription, "name", "type", "/subscriptions"),
        ],
        ..manager(
            Tenant,
            Route::Hierarchy,
            "/providers/Microsoft.Management/managementGroups/{}/descendants",
            "api-version=2020-05-01",
        )
    },
    Step {
        leads: &[lead(Subscription, "subscriptionId")],
        only_leads: true,
        ..manager(Tenant, Route::Hierarchy, "/subscriptions", "api-version=2022-12-01")
    },
    Step {
        pages: Pages::Query,
        leads: &[
            lead_where(Account, "id", "type", "microsoft.cognitiveservices/accounts"),
            lead_where(Project, "id", "type", "microsoft.cognitiveservices/accounts/projects"),
        ],
        ..manager(Tenant, Route::Resources, "/providers/Microsoft.ResourceGraph/resources", "api-version=2022-10-01")
    },
    manager(
        Tenant,
        Route::DiagnosticSettings,
        "/providers/microsoft.aadiam/diagnosticSettings",
        "api-version=2017-04-01",
    ),
    // Owners and members are of several kinds, of which no one selection fits all.
    Step { keep: REFERENCE, ..graph(ServicePrincipal, Route::Owners, "/v1.0/servicePrincipals/{}/owners") },
    graph(ServicePrincipal, Route::AppRoleAssignments, "/v1.0/servicePrincipals/{}/appRoleAssignments"),
    Step {
        keep: REFERENCE,
        ..graph(ServicePrincipal, Route::MemberOf, "/v1.0/servicePrincipals/{}/transitiveMemberOf")
    },
    Step {
        keep: REFERENCE,
        ..graph(Agent, Route::Sponsors, "/v1.0/servicePrincipals/{}/microsoft.graph.agentIdentity/sponsors")
    },
    // All who hold a permission of Microsoft Graph's at once: it tells the same where single ones are refused.
    Step {
        query: "$top=999",
        ..graph(MicrosoftGraph, Route::AppRoleAssignedTo, "/v1.0/servicePrincipals/{}/appRoleAssignedTo")
    },
    Step { keep: REFERENCE, ..graph(Application, Route::Owners, "/v1.0/applications/{}/owners") },
    Step {
        keep: FEDERATED,
        ..graph(Application, Route::FederatedCredentials, "/v1.0/applications/{}/federatedIdentityCredentials")
    },
    graph(
        Blueprint,
        Route::InheritablePermissions,
        "/v1.0/applications/{}/microsoft.graph.agentIdentityBlueprint/inheritablePermissions",
    ),
    Step {
        keep: REFERENCE,
        needs: Some("Application.Read.All"),
        ..graph(Blueprint, Route::Sponsors, "/v1.0/applications/{}/microsoft.graph.agentIdentityBlueprint/sponsors")
    },
    Step { keep: REFERENCE, query: "$top=999", ..graph(Group, Route::Members, "/v1.0/groups/{}/members") },
    Step {
        filter: "$filter=groupId%20eq%20'{}'",
        ..graph(
            RoleGroup,
            Route::GroupEligible,
            "/v1.0/identityGovernance/privilegedAccess/group/eligibilityScheduleInstances",
        )
    },
    Step { filter: HERE, ..at_scope(ManagementGroup, Route::RoleAssignments) },
    at_scope(ManagementGroup, Route::RoleDefinitions),
    Step { filter: HERE, ..at_scope(ManagementGroup, Route::DenyAssignments) },
    Step { filter: HERE, ..at_scope(ManagementGroup, Route::RoleActive) },
    Step { filter: HERE, ..at_scope(ManagementGroup, Route::RoleEligible) },
    at_scope(ManagementGroup, Route::RoleActivationRules),
    at_scope(Subscription, Route::RoleAssignments),
    at_scope(Subscription, Route::RoleDefinitions),
    at_scope(Subscription, Route::DenyAssignments),
    at_scope(Subscription, Route::RoleActive),
    at_scope(Subscription, Route::RoleEligible),
    at_scope(Subscription, Route::RoleActivationRules),
    manager(
        Subscription,
        Route::DiagnosticSettings,
        "/subscriptions/{}/providers/Microsoft.Insights/diagnosticSettings",
        "api-version=2021-05-01-preview",
    ),
    Step {
        leads: &[lead(Identity, "id")],
        ..manager(
            Subscription,
            Route::ManagedIdentities,
            "/subscriptions/{}/providers/Microsoft.ManagedIdentity/userAssignedIdentities",
            "api-version=2023-01-31",
        )
    },
    manager(Identity, Route::IdentityFederatedCredentials, "{}/federatedIdentityCredentials", "api-version=2023-01-31"),
    manager(
        Account,
        Route::DiagnosticSettings,
        "{}/providers/Microsoft.Insights/diagnosticSettings",
        "api-version=2021-05-01-preview",
    ),
    // Their secrets are told by another call only, which is not made.
    Step { keep: CONNECTION, ..manager(Account, Route::Resources, "{}/connections", "api-version=2025-06-01") },
    Step { keep: CONNECTION, ..manager(Project, Route::Resources, "{}/connections", "api-version=2025-06-01") },
];

/// A list of `Microsoft.Authorization` at a scope.
const fn at_scope(about: About, route: Route) -> Step {
    macro_rules! path {
        ($kind:literal, $version:literal) => {
            match about {
                About::ManagementGroup => manager(
                    about,
                    route,
                    concat!(
                        "/providers/Microsoft.Management/managementGroups/{}/providers/Microsoft.Authorization/",
                        $kind
                    ),
                    concat!("api-version=", $version),
                ),
                _ => manager(
                    about,
                    route,
                    concat!("/subscriptions/{}/providers/Microsoft.Authorization/", $kind),
                    concat!("api-version=", $version),
                ),
            }
        };
    }
    match route {
        Route::RoleDefinitions => path!("roleDefinitions", "2022-04-01"),
        Route::DenyAssignments => path!("denyAssignments", "2022-04-01"),
        Route::RoleActive => path!("roleAssignmentScheduleInstances", "2020-10-01"),
        Route::RoleEligible => path!("roleEligibilityScheduleInstances", "2020-10-01"),
        Route::RoleActivationRules => path!("roleManagementPolicyAssignments", "2020-10-01"),
        _ => path!("roleAssignments", "2022-04-01"),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::collect::cloud::Interface;
    use crate::documents::route::Asked;

    #[test]
    fn every_call_is_one_that_the_reader_understands_and_none_returns_a_key() {
        for step in STEPS.iter().filter(|step| !step.only_leads) {
            let group = "/subscriptions/s/resourceGroups/g/providers";
            let value = match step.about {
                About::Identity => format!("{group}/Microsoft.ManagedIdentity/userAssignedIdentities/i"),
                About::Account => format!("{group}/Microsoft.CognitiveServices/accounts/a"),
                About::Project => format!("{group}/Microsoft.CognitiveServices/accounts/a/projects/p"),
                _ => "x".to_owned(),
            };
            let asked = Asked::parse(&step.path(&value)).unwrap_or_else(|| panic!("{}", step.path(&value)));
            assert_eq!(asked.route, step.route, "{}", step.path(&value));
            assert_eq!(step.route.is_graph(), step.interface == Interface::Graph, "{}", step.path);
        }
        for step in STEPS {
            let text = step.address(&step.path("x")).to_ascii_lowercase();
            assert!(
                !["listkeys", "listsecrets", "getsecret", "regenerate"].iter().any(|word| text.contains(word)),
                "{text}"
            );
            assert_eq!(step.interface == Interface::Manager, text.contains("api-version="), "{text}");
        }
        let documents: BTreeSet<String> = Step::of(About::Tenant).map(Step::document).collect();
        assert_eq!(documents.len(), Step::of(About::Tenant).count());
    }
}
