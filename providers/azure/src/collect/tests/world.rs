//! What is in the tenant that the server plays.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::TENANT;
use crate::catalog::graph::MICROSOFT_GRAPH;

pub(super) const SUBSCRIPTION: &str = "5b000000-0000-4000-8000-000000000001";
pub(super) const OTHER: &str = "5b000000-0000-4000-8000-000000000002";
/// Must be found in no document.
pub(super) const CANARY: &str = "CANARY-not-a-secret";

/// Elements of lists, or single objects, by path as captures have it.
pub(super) type World = BTreeMap<String, Value>;

pub(super) fn principal(number: usize) -> String {
    format!("{:x}a000000-0000-4000-8000-{number:012}", number % 16)
}

pub(super) fn agent() -> String {
    principal(1)
}

/// A tenant with so many service principals, the second of which is an agent.
pub(super) fn world(principals: usize) -> World {
    let mut world = World::new();
    let mut put = |path: &str, value: Value| drop(world.insert(path.to_owned(), value));
    let secret = json!([{"keyId": "k", "hint": CANARY, "secretText": CANARY, "endDateTime": "2027-01-01T00:00:00Z"}]);
    let all: Vec<Value> = (0..principals)
        .map(|number| {
            json!({
                "id": principal(number), "appId": format!("app-{number}"), "displayName": format!("bot {number}"),
                "servicePrincipalType": "Application", "passwordCredentials": secret, "notes": CANARY,
                "keyCredentials": [{"keyId": "c", "key": CANARY, "usage": "Verify"}],
            })
        })
        .collect();
    let graph = json!({"id": "graph", "appId": MICROSOFT_GRAPH, "displayName": "Microsoft Graph"});
    put("/v1.0/servicePrincipals", std::iter::once(graph).chain(all).collect::<Vec<_>>().into());
    for word in ["owners", "appRoleAssignments", "transitiveMemberOf"] {
        put(&format!("/v1.0/servicePrincipals/graph/{word}"), json!([]));
    }
    put(
        "/v1.0/servicePrincipals/graph/appRoleAssignedTo",
        json!([{"principalId": principal(0), "resourceId": "graph", "appRoleId": "role"}]),
    );
    let agent_identity = json!({
        "@odata.type": "#microsoft.graph.agentIdentity", "id": agent(), "agentIdentityBlueprintId": "blueprint-app",
        "passwordCredentials": secret,
    });
    put("/v1.0/servicePrincipals/microsoft.graph.agentIdentity", json!([agent_identity]));
    put("/v1.0/servicePrincipals/microsoft.graph.agentIdentityBlueprintPrincipal", json!([]));
    let owner = json!({"@odata.type": "#microsoft.graph.user", "id": "user-1", "displayName": "Ada", "mail": CANARY});
    for number in 0..principals {
        let path = |word: &str| format!("/v1.0/servicePrincipals/{}/{word}", principal(number));
        // One has more owners than a page holds.
        let owners = if number == 0 { vec![owner.clone(); 5] } else { vec![owner.clone()] };
        put(&path("owners"), owners.into());
        put(
            &path("appRoleAssignments"),
            json!([{"principalId": principal(number), "resourceId": "graph", "appRoleId": "role"}]),
        );
        put(&path("transitiveMemberOf"), json!([]));
    }
    let sponsors = format!("/v1.0/servicePrincipals/{}/microsoft.graph.agentIdentity/sponsors", agent());
    put(&sponsors, json!([owner]));
    let application = json!({"id": "a1", "appId": "app-0", "passwordCredentials": secret, "signInAudience": "x"});
    put("/v1.0/applications", json!([application]));
    put("/v1.0/applications/a1/owners", json!([owner]));
    put(
        "/v1.0/applications/a1/federatedIdentityCredentials",
        json!([{"id": "f", "issuer": "https://x", "subject": "s"}]),
    );
    put("/v1.0/applications/microsoft.graph.agentIdentityBlueprint", json!([{"id": "b1", "appId": "blueprint-app"}]));
    put(
        "/v1.0/applications/b1/microsoft.graph.agentIdentityBlueprint/inheritablePermissions",
        json!([{"resourceAppId": "graph"}]),
    );
    put("/v1.0/applications/b1/owners", json!([owner]));
    put("/v1.0/applications/b1/federatedIdentityCredentials", json!([]));
    put("/v1.0/applications/b1/microsoft.graph.agentIdentityBlueprint/sponsors", json!([owner]));
    put(
        "/v1.0/users",
        json!([{"id": "user-1", "userPrincipalName": "ada@acme.example", "passwordProfile": {"password": CANARY}}]),
    );
    put(
        "/v1.0/users/microsoft.graph.agentUser",
        json!([{"id": "user-2", "identityParentId": agent(), "aboutMe": CANARY}]),
    );
    put(
        "/v1.0/groups",
        json!([{"id": "g1", "isAssignableToRole": true}, {"id": "g2", "isAssignableToRole": null}, {"id": "g3"}]),
    );
    for group in ["g1", "g2", "g3"] {
        put(&format!("/v1.0/groups/{group}/members"), json!([owner]));
    }
    put(
        "/v1.0/identityGovernance/privilegedAccess/group/eligibilityScheduleInstances?$filter=groupId%20eq%20'g1'",
        json!([{"principalId": "user-1", "groupId": "g1", "accessId": "member"}]),
    );
    put("/v1.0/organization", json!([{"id": TENANT, "displayName": "Acme", "technicalNotificationMails": [CANARY]}]));
    for list in [
        "oauth2PermissionGrants",
        "roleManagement/directory/roleAssignments",
        "roleManagement/directory/roleDefinitions",
        "roleManagement/directory/roleAssignmentScheduleInstances",
        "roleManagement/directory/roleEligibilityScheduleInstances",
        "policies/roleManagementPolicyAssignments?$filter=scopeId%20eq%20'%2F'%20and%20scopeType%20eq%20'DirectoryRole'",
        "identity/conditionalAccess/policies",
    ] {
        put(&format!("/v1.0/{list}"), json!([{"id": list}]));
    }
    put("/v1.0/policies/identitySecurityDefaultsEnforcementPolicy", json!({"id": "d", "isEnabled": true}));
    put("/v1.0/policies/defaultAppManagementPolicy", json!({"id": "p", "isEnabled": false}));
    put("/v1.0/identityProtection/riskyServicePrincipals", json!([{"id": principal(0), "riskState": "atRisk"}]));
    put("/beta/identityProtection/riskyAgents", json!([]));
    put(
        "/beta/agentRegistry/agentInstances",
        json!([{"id": "i", "agentIdentityId": agent(), "url": CANARY, "agentCardManifest": {"x": CANARY}}]),
    );
    put("/beta/reports/servicePrincipalSignInActivities", json!([{"appId": "app-0"}]));
    put("/beta/reports/appCredentialSignInActivities", json!([]));
    azure(&mut put);
    world
}

fn azure(put: &mut impl FnMut(&str, Value)) {
    let groups = "/providers/Microsoft.Management/managementGroups";
    put(
        &format!("{groups}/{TENANT}/descendants"),
        json!([
            {"id": format!("{groups}/prod"), "type": "Microsoft.Management/managementGroups", "name": "prod"},
            {"id": format!("/subscriptions/{SUBSCRIPTION}"), "type": "/subscriptions", "name": SUBSCRIPTION},
        ]),
    );
    put("/subscriptions", json!([{"subscriptionId": SUBSCRIPTION}, {"subscriptionId": OTHER}]));
    let account =
        format!("/subscriptions/{SUBSCRIPTION}/resourceGroups/r/providers/Microsoft.CognitiveServices/accounts/ai");
    put(
        "/providers/Microsoft.ResourceGraph/resources",
        json!([
            {"id": account, "type": "microsoft.cognitiveservices/accounts", "properties": {"disableLocalAuth": false}},
            {"id": format!("{account}/projects/p"), "type": "microsoft.cognitiveservices/accounts/projects"},
            {"id": "/subscriptions/x/2", "type": "microsoft.web/sites"},
        ]),
    );
    put("/providers/microsoft.aadiam/diagnosticSettings", json!([]));
    put(&format!("{account}/providers/Microsoft.Insights/diagnosticSettings"), json!([]));
    let connection = json!([{"id": "c", "properties": {"authType": "ApiKey", "credentials": {"key": CANARY}}}]);
    put(&format!("{account}/connections"), connection.clone());
    put(&format!("{account}/projects/p/connections"), connection);
    for subscription in [SUBSCRIPTION, OTHER] {
        put(&format!("/subscriptions/{subscription}/providers/Microsoft.Insights/diagnosticSettings"), json!([]));
    }
    let identity = |subscription: &str| {
        format!(
            "/subscriptions/{subscription}/resourceGroups/r/providers/Microsoft.ManagedIdentity/userAssignedIdentities/m"
        )
    };
    let scopes = [
        format!("{groups}/{TENANT}"),
        format!("{groups}/prod"),
        format!("/subscriptions/{SUBSCRIPTION}"),
        format!("/subscriptions/{OTHER}"),
    ];
    for scope in &scopes {
        let filter = if scope.starts_with(groups) { "?$filter=atScope()" } else { "" };
        for (kind, filter) in [
            ("roleAssignments", filter),
            ("roleDefinitions", ""),
            ("denyAssignments", filter),
            ("roleAssignmentScheduleInstances", filter),
            ("roleEligibilityScheduleInstances", filter),
            ("roleManagementPolicyAssignments", ""),
        ] {
            let path = format!("{scope}/providers/Microsoft.Authorization/{kind}");
            put(
                &format!("{path}{filter}"),
                json!([{"id": format!("{path}/1")}, {"id": format!("{path}/2")}, {"id": format!("{path}/3")}]),
            );
        }
    }
    for subscription in [SUBSCRIPTION, OTHER] {
        let list = format!("/subscriptions/{subscription}/providers/Microsoft.ManagedIdentity/userAssignedIdentities");
        put(&list, json!([{"id": identity(subscription), "properties": {"principalId": "p"}}]));
        put(&format!("{}/federatedIdentityCredentials", identity(subscription)), json!([]));
    }
}
