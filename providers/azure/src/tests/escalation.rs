//! Steps to more access.

use evenhand_model::access::{Edge, EdgeTarget};
use serde_json::json;

use super::*;

fn steps(reading: &Reading, who: &IdentityId) -> Vec<(String, String, bool)> {
    let target = |edge: &Edge| match &edge.target {
        EdgeTarget::Identity(id) => id.as_str().rsplit(':').next().unwrap().to_owned(),
        EdgeTarget::Admin(scope) => format!("admin of {}", scope.as_str().replace(TENANT, "T")),
    };
    let edges = resolver(reading).edges();
    edges
        .iter()
        .filter(|edge| edge.source == *who)
        .map(|edge| (edge.technique.to_string(), target(edge), edge.conditional))
        .collect()
}

fn step(technique: &str, target: &str, conditional: bool) -> (String, String, bool) {
    (technique.to_owned(), target.to_owned(), conditional)
}

#[test]
fn permissions_that_lead_to_the_tenant_are_steps() {
    let agent = id("agent_identity", "agent");
    let reading = read(&tenant(&[USER_READ_WRITE_ALL]));
    assert_eq!(steps(&reading, &agent), [step("graph.User.ReadWrite.All", "admin of azure:T", true)]);
    // RoleManagement.ReadWrite.Directory
    let reading = read(&tenant(&["9e3f62cf-ca93-4989-b6ce-bf83c28f9fe8"]));
    assert_eq!(steps(&reading, &agent), [step("graph.RoleManagement.ReadWrite.Directory", "admin of azure:T", false)]);
    assert_eq!(resolver(&reading).is_admin(&agent), Some(true));
    let reading = read(&tenant(&[]));
    assert_eq!(steps(&reading, &agent), []);
    assert_eq!(resolver(&reading).is_admin(&agent), Some(false));
}

#[test]
fn whoever_writes_applications_becomes_each_of_them() {
    // Application.ReadWrite.All
    let reading = read(&tenant(&["1bfefb4e-e0b5-418b-a88f-73c46d2cc8e9"]));
    let found = steps(&reading, &id("agent_identity", "agent"));
    assert!(found.contains(&step("entra-add-credential", "bot", false)), "{found:?}");
    assert!(found.contains(&step("entra-add-credential", "blueprint", false)), "{found:?}");
    assert!(found.contains(&step("graph.Application.ReadWrite.All", "admin of azure:T", true)), "{found:?}");
}

#[test]
fn an_owner_takes_over_what_it_owns_with_the_permission_alone() {
    let owns = graph(
        "/applications/bot-definition/owners",
        &json!([{ "@odata.type": "#microsoft.graph.servicePrincipal", "id": "agent" }]),
    );
    let agent = id("agent_identity", "agent");
    let mut answers = tenant(&[]);
    answers.push(owns.clone());
    assert_eq!(steps(&read(&answers), &agent), []);
    // Application.ReadWrite.OwnedBy
    let mut answers = tenant(&["18a4783c-866b-4cc7-a460-3d5e5662c884"]);
    answers.push(owns);
    let found = steps(&read(&answers), &agent);
    assert!(found.contains(&step("entra-owner-adds-credential", "bot", false)), "{found:?}");
}

#[test]
fn whoever_has_a_blueprint_acts_as_its_agents() {
    let found = steps(&read(&tenant(&[])), &id("agent_blueprint", "blueprint"));
    assert_eq!(found, [step("entra-agent-of-blueprint", "agent", false)]);
}

const AI: &str = "/subscriptions/s/resourcegroups/g/providers/microsoft.cognitiveservices/accounts/ai";

#[test]
fn machines_and_identities_are_taken_over_by_what_azure_lets_one_do() {
    let at = "/subscriptions/s/providers/Microsoft.Authorization";
    let identity =
        "/subscriptions/s/resourceGroups/g/providers/Microsoft.ManagedIdentity/userAssignedIdentities/deployer";
    let machine = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/vm";
    let found = |actions: &[&str]| {
        let mut answers = tenant(&[]);
        answers.retain(|answer| !answer["path"].as_str().unwrap().contains("Microsoft.Authorization/role"));
        answers.push(manager(
            "/subscriptions/s/providers/Microsoft.ManagedIdentity/userAssignedIdentities",
            &json!([{ "id": identity, "name": "deployer", "type": "Microsoft.ManagedIdentity/userAssignedIdentities", "tags": { "owner": "ops" }, "properties": { "principalId": "mi", "clientId": "c", "tenantId": TENANT } }]),
        ));
        answers.push(json!({ "tenant": TENANT, "host": "management.azure.com", "path": "/providers/Microsoft.ResourceGraph/resources", "response": { "data": [
            { "id": AI, "name": "ai", "type": "microsoft.cognitiveservices/accounts", "properties": { "disableLocalAuth": false } },
            { "id": machine, "name": "vm", "type": "microsoft.compute/virtualmachines", "identity": { "type": "UserAssigned", "userAssignedIdentities": { identity: { "principalId": "mi", "clientId": "c" } } } }
        ] } }));
        answers.push(manager(
            &format!("{at}/roleDefinitions"),
            &json!([{ "id": format!("{at}/roleDefinitions/r"), "properties": { "roleName": "R", "permissions": [{ "actions": actions }] } }]),
        ));
        answers.push(manager(
            &format!("{at}/roleAssignments"),
            &json!([{ "id": "1", "properties": { "principalId": "bot", "roleDefinitionId": "r", "scope": "/subscriptions/s/resourceGroups/g" } }]),
        ));
        steps(&read(&answers), &id("service_principal", "bot"))
    };
    assert_eq!(
        found(&["Microsoft.Compute/virtualMachines/runCommand/action"]),
        [step("azure-run-code-on-carrier", "mi", false)]
    );
    assert_eq!(found(&["Microsoft.Compute/virtualMachines/read"]), []);
    assert_eq!(found(&["Microsoft.ManagedIdentity/userAssignedIdentities/*/assign/action"]), []);
    assert_eq!(
        found(&["Microsoft.ManagedIdentity/userAssignedIdentities/*/assign/action", "Microsoft.Web/sites/write"]),
        [step("azure-assign-managed-identity", "mi", false)]
    );
    assert_eq!(found(&["Microsoft.CognitiveServices/accounts/listKeys/action"]), [step("azure-list-keys", AI, false)]);
    assert_eq!(
        found(&["Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials/write"]),
        [step("azure-write-federated-credential", "mi", false)]
    );
    assert_eq!(
        found(&["Microsoft.Authorization/roleAssignments/write"]),
        [step("azure-role-assignment-write", "admin of azure:/subscriptions/s/resourcegroups/g", false)]
    );
}
