//! Forms of documents, and documents that are broken.

use evenhand_model::gap::GapKind;
use serde_json::json;

use super::*;

#[test]
fn what_az_prints_is_read_without_an_envelope() {
    let sp = json!([{ "id": "bot", "appId": "bot-app", "displayName": "bot", "servicePrincipalType": "Application", "appOwnerOrganizationId": TENANT }]);
    let assignments = json!([{ "id": "/subscriptions/s/providers/Microsoft.Authorization/roleAssignments/1", "name": "1", "principalId": "bot", "principalType": "ServicePrincipal",
        "roleDefinitionId": "/subscriptions/s/providers/Microsoft.Authorization/roleDefinitions/r", "scope": "/subscriptions/s" },
        { "id": "/subscriptions/s/providers/Microsoft.Authorization/roleAssignments/2", "name": "2", "principalId": "ann", "principalName": "ann@acme.example", "principalType": "User",
        "roleDefinitionId": "/subscriptions/s/providers/Microsoft.Authorization/roleDefinitions/r", "scope": "/subscriptions/s" }]);
    let definitions = json!([{ "id": "/subscriptions/s/providers/Microsoft.Authorization/roleDefinitions/r", "name": "r", "roleName": "R", "roleType": "CustomRole",
        "permissions": [{ "actions": ["Microsoft.Compute/virtualMachines/read"], "notActions": [], "dataActions": [], "notDataActions": [] }] }]);
    let documents = vec![
        document(&format!("azure/{TENANT}/sp.json"), &sp.to_string()),
        document("assignments.json", &assignments.to_string()),
        document("definitions.json", &definitions.to_string()),
    ];
    let (reading, errors) = read_documents(documents);
    assert_eq!(errors, []);
    // Documents that say nothing of their tenant are of the only one that there is.
    let read = "Microsoft.Compute/virtualMachines/read";
    assert_eq!(
        decide(&reading, &id("user", "ann"), read, Some("/subscriptions/s/x")),
        Outcome::Unknown,
        "deny assignments were not read"
    );
    assert_eq!(&*find(&reading, &id("user", "ann")).name, "ann@acme.example");
    let gaps: Vec<&str> = reading.inventory.gaps.iter().map(|gap| &*gap.call).collect();
    assert!(gaps.iter().any(|call| call.ends_with("denyAssignments")) && gaps.contains(&"/users"), "{gaps:?}");
    assert!(reading.inventory.gaps.iter().all(|gap| gap.kind == GapKind::NotCollected));
}

#[test]
fn a_broken_element_costs_nobody_else_and_names_its_place() {
    let answers = [
        graph(
            "/servicePrincipals",
            &json!([{ "id": 7, "appId": "x" }, { "id": "bot", "appId": "bot-app", "displayName": "bot" }]),
        ),
        json!({ "tenant": TENANT, "host": "graph.microsoft.com", "path": "/v1.0/me", "response": {} }),
        json!({ "tenant": TENANT, "host": "graph.microsoft.com", "path": "/v1.0/users", "response": "Zq9secret" }),
    ];
    let text: String = answers.iter().map(|answer| format!("{answer}\n")).collect();
    let (reading, errors) = read_documents(vec![document("a.ndjson", &text)]);
    let said: Vec<String> = errors.iter().map(ToString::to_string).collect();
    assert_eq!(said.len(), 3, "{said:?}");
    assert!(said[0].starts_with("a.ndjson#/0/response/value/0/id: the answer has another shape"), "{said:?}");
    assert!(said[1].contains("`/v1.0/me` is no call that is understood"), "{said:?}");
    assert!(said.iter().all(|one| !one.contains("Zq9")), "{said:?}");
    find(&reading, &id("service_principal", "bot"));
    assert_eq!(reading.inventory.gaps.iter().filter(|gap| gap.kind == GapKind::Failed).count(), 3);
}

#[test]
fn a_document_that_ends_early_keeps_what_came_before() {
    let whole = graph("/servicePrincipals", &json!([{ "id": "bot", "appId": "a", "displayName": "bot" }])).to_string();
    let cut = graph("/users", &json!([{ "id": "ann" }])).to_string();
    let text = format!("{whole}\n{}", cut.get(..cut.len() - 9).unwrap());
    let mut document = document("a.ndjson", &text);
    document.format = Format::Ndjson;
    let (reading, errors) = read_documents(vec![document]);
    assert_eq!(errors.len(), 1);
    find(&reading, &id("service_principal", "bot"));
}

#[test]
fn the_order_of_documents_does_not_matter() {
    let answers = tenant(&[USER_READ_WRITE_ALL]);
    let shown = |answers: &[Value]| {
        let documents = answers
            .iter()
            .enumerate()
            .map(|(at, answer)| document(&format!("{at}.json"), &answer.to_string()))
            .collect();
        let (reading, errors) = read_documents(documents);
        assert_eq!(errors, []);
        let names: Vec<String> = reading
            .inventory
            .identities
            .iter()
            .map(|held| format!("{} {} {:?}", held.id, held.name, held.owner))
            .collect();
        (names, reading.inventory.gaps.iter().map(|gap| gap.reason.to_string()).collect::<Vec<_>>())
    };
    let backwards: Vec<Value> = answers.iter().rev().cloned().collect();
    assert_eq!(shown(&answers), shown(&backwards));
}

#[test]
fn the_manifest_tells_what_was_not_collected() {
    let manifest = json!({ "evenhand_capture": 1, "provider": "azure", "complete": false, "stopped": "deadline", "plan": { "tenant": TENANT }, "pending": ["graph.microsoft.com/v1.0/users"] });
    let mut all = vec![document("manifest.json", &manifest.to_string())];
    all.push(document("a.json", &graph("/groups", &json!([])).to_string()));
    let (reading, errors) = read_documents(all);
    assert_eq!(errors, []);
    let gap = reading.inventory.gaps.iter().find(|gap| gap.kind == GapKind::Failed).unwrap();
    assert_eq!((&*gap.call, gap.reason.contains("--resume")), ("/users", true));
}
