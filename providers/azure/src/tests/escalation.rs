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
    for edge in &edges {
        let twice = edge.grants.iter().enumerate().any(|(at, grant)| edge.grants[..at].contains(grant));
        assert!(!twice, "a statement is told once: {edge:?}");
    }
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

/// Everything that is said to lead to the tenant is judged when somebody holds it: as a permission, as a role that stands, and
/// as a role that has to be activated first.
#[test]
fn everything_that_leads_to_the_tenant_is_a_step_of_whoever_holds_it() {
    let agent = id("agent_identity", "agent");
    let (mut permissions, mut roles) = (0, 0);
    for held in tier0::TIER_ZERO {
        let conditional = held.class != tier0::Class::Direct;
        let name = held.name.replace(' ', "-");
        let template = held.id().unwrap();
        let with_role = |list: &str| {
            let mut answers = tenant(&[]);
            let path = format!("/roleManagement/directory/{list}");
            answers.retain(|answer| answer["path"] != json!(format!("/v1.0{path}")));
            let role =
                json!([{ "id": "x", "principalId": "agent", "roleDefinitionId": template, "directoryScopeId": "/" }]);
            answers.push(graph(&path, &role));
            steps(&read(&answers), &agent)
        };
        match held.kind {
            tier0::Kind::Permission => {
                let found = steps(&read(&tenant(&[template])), &agent);
                let technique = format!("graph.{name}");
                let expected = step(&technique, "admin of azure:T", conditional);
                assert!(found.contains(&expected), "{}: {found:?}", held.name);
                let takes = resolver(&read(&tenant(&[template]))).takes(&technique);
                assert_eq!(takes.is_some_and(|takes| takes.ends_with(held.way)), conditional, "{}", held.name);
                permissions += 1;
            }
            tier0::Kind::Role => {
                let standing = step(&format!("entra-role.{name}"), "admin of azure:T", conditional);
                assert!(with_role("roleAssignments").contains(&standing), "{}", held.name);
                let ready = step(&format!("entra-eligible.{name}"), "admin of azure:T", true);
                assert_eq!(with_role("roleEligibilityScheduleInstances"), [ready], "{}", held.name);
                roles += 1;
            }
        }
    }
    println!(
        "{permissions} permissions and {roles} directory roles lead to the tenant; each is a step, none is left out"
    );
    assert_eq!((permissions, roles), (41, 31));
}

#[test]
fn what_has_to_be_activated_adds_nothing_to_what_is_held_anyway() {
    let mut answers = tenant(&["9e3f62cf-ca93-4989-b6ce-bf83c28f9fe8"]);
    answers.push(graph(
        "/roleManagement/directory/roleEligibilityScheduleInstances",
        &json!([{ "id": "x", "principalId": "agent", "roleDefinitionId": HELPDESK, "directoryScopeId": "/" }]),
    ));
    let found = steps(&read(&answers), &id("agent_identity", "agent"));
    assert_eq!(found, [step("graph.RoleManagement.ReadWrite.Directory", "admin of azure:T", false)]);
}

#[test]
fn whoever_reaches_more_than_is_listed_is_told_how_much_is_left_out() {
    const MANY: usize = 100;
    let group = "/subscriptions/s/resourceGroups/g/providers/Microsoft.ManagedIdentity/userAssignedIdentities";
    let mut answers = tenant(&[]);
    answers.retain(|answer| !answer["path"].as_str().unwrap().contains("Microsoft.Authorization/role"));
    let identities: Vec<Value> = (0..MANY)
        .map(|number| json!({ "id": format!("{group}/i-{number:03}"), "properties": { "principalId": format!("mi-{number:03}"), "tenantId": TENANT } }))
        .collect();
    answers.push(manager(
        "/subscriptions/s/providers/Microsoft.ManagedIdentity/userAssignedIdentities",
        &json!(identities),
    ));
    let at = "/subscriptions/s/providers/Microsoft.Authorization";
    let trusts = "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials/write";
    answers.push(manager(
        &format!("{at}/roleDefinitions"),
        &json!([{ "id": "r", "properties": { "roleName": "R", "permissions": [{ "actions": [trusts] }] } }]),
    ));
    let assigned = |number: usize, who: &str, scope: &str| json!({ "id": number.to_string(), "properties": { "principalId": who, "roleDefinitionId": "r", "scope": scope } });
    answers.push(manager(
        &format!("{at}/roleAssignments"),
        &json!([
            assigned(1, "bot", "/subscriptions/s"),
            assigned(2, "mi-007", "/subscriptions/s"),
            assigned(3, "agent", &format!("{group}/i-042")),
            assigned(4, "blueprint", &format!("{group}/i-04")),
        ]),
    ));
    let reading = read(&answers);
    let of = |kind: &str, object: &str| steps(&reading, &id(kind, object));
    assert_eq!(of("service_principal", "bot").len(), 64);
    let own = of("managed_identity", "mi-007");
    assert!(own.len() == 64 && own.iter().all(|(_, target, _)| target != "mi-007"), "{own:?}");
    assert_eq!(of("agent_identity", "agent"), [step("azure-write-federated-credential", "mi-042", false)]);
    let blueprint = of("agent_blueprint", "blueprint");
    assert!(blueprint.iter().all(|(technique, _, _)| technique == "entra-agent-of-blueprint"), "{blueprint:?}");
    let hints: Vec<String> = resolver(&reading).edges_left_out().iter().map(|hint| hint.message.to_string()).collect();
    assert_eq!(hints.len(), 2, "{hints:?}");
    assert!(hints.iter().any(|hint| hint.contains("mi-007") && hint.contains("35 further")), "{hints:?}");
    assert!(hints.iter().any(|hint| hint.contains(":bot") && hint.contains("36 further")), "{hints:?}");
}
