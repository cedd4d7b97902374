//! Ids and scopes that are not as usual: what is held nobody knows where is unknown and told, never dropped and never held
//! everywhere.

use evenhand_model::access::Outcome;
use evenhand_model::gap::GapKind;
use serde_json::json;

use super::*;

const START: &str = "Microsoft.Compute/virtualMachines/start/action";

/// A tenant in which the bot holds a role that allows everything, where the test says.
fn assigned(scope: Option<&str>) -> Reading {
    let at = "/subscriptions/s/providers/Microsoft.Authorization";
    let mut answers = tenant(&[]);
    answers.retain(|answer| !answer["path"].as_str().unwrap().contains("Microsoft.Authorization/role"));
    answers.push(manager(
        &format!("{at}/roleDefinitions"),
        &json!([{ "id": "r", "properties": { "roleName": "R", "permissions": [{ "actions": ["*"] }] } }]),
    ));
    let mut held = json!({ "principalId": "bot", "roleDefinitionId": "r" });
    if let Some(scope) = scope {
        held["scope"] = scope.into();
    }
    answers.push(manager(&format!("{at}/roleAssignments"), &json!([{ "id": "odd-one", "properties": held }])));
    read(&answers)
}

#[test]
fn a_role_that_is_held_nobody_knows_where_is_unknown_and_told() {
    let bot = id("service_principal", "bot");
    let machine = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/vm";
    for scope in [None, Some("subscriptions/s"), Some("/subscriptions//s"), Some("")] {
        let reading = assigned(scope);
        assert_eq!(decide(&reading, &bot, START, Some(machine)), Outcome::Unknown, "{scope:?}");
        let gap = reading.inventory.gaps.iter().find(|gap| gap.reason.contains("odd-one"));
        assert_eq!(gap.map(|gap| gap.kind), Some(GapKind::Failed), "{scope:?}");
        assert_eq!(resolver(&reading).is_admin(&bot), None, "{scope:?}");
    }
}

#[test]
fn names_may_hold_what_paths_have_other_meanings_for() {
    let bot = id("service_principal", "bot");
    for name in ["a b", "a+b&c", "50%", "größe", "it's (one)", "#1?"] {
        let group = format!("/subscriptions/s/resourceGroups/{name}");
        let reading = assigned(Some(&group));
        let machine = format!("{group}/providers/Microsoft.Compute/virtualMachines/vm");
        assert_eq!(decide(&reading, &bot, START, Some(&machine)), Outcome::Allowed, "{name}");
        assert_eq!(decide(&reading, &bot, START, Some("/subscriptions/s")), Outcome::ImplicitlyDenied, "{name}");
    }
}

#[test]
fn a_directory_role_is_not_held_everywhere_because_its_place_is_odd() {
    for (place, expected) in [
        (json!("/"), Outcome::Allowed),
        (json!(null), Outcome::Allowed),
        (json!("/administrativeUnits/u"), Outcome::Allowed),
        (json!("administrativeUnits/u"), Outcome::Allowed),
        (json!("/administrativeUnits//u"), Outcome::Unknown),
    ] {
        let mut answers = tenant(&[]);
        answers.push(graph(
            "/roleManagement/directory/roleAssignments",
            &json!([{ "id": "x", "principalId": "bot", "roleDefinitionId": HELPDESK, "directoryScopeId": place }]),
        ));
        let reading = read(&answers);
        let bot = id("service_principal", "bot");
        assert_eq!(decide(&reading, &bot, RESET, None), expected, "{place}");
        let everywhere =
            resolver(&reading).access(&bot).unwrap().slices().iter().any(|slice| slice.scope.is_everything());
        assert_eq!(everywhere, place == json!("/") || place.is_null(), "{place}");
    }
}

const VAULT: &str = "/subscriptions/s/resourceGroups/g/providers/Microsoft.KeyVault/vaults/v";
const GET: &str = "Microsoft.KeyVault/vaults/secrets/getSecret/action";

/// A vault with a policy for the bot.
fn vault(properties: &Value) -> Reading {
    let mut answers = tenant(&[]);
    answers.push(json!({ "tenant": TENANT, "host": "management.azure.com", "path": "/providers/Microsoft.ResourceGraph/resources", "response": { "data": [
        { "id": VAULT, "name": "v", "type": "microsoft.keyvault/vaults", "properties": properties }
    ] } }));
    read(&answers)
}

#[test]
fn an_access_policy_of_a_vault_is_held_in_that_vault_unless_it_takes_roles() {
    let policy = |permissions: Value| json!([{ "tenantId": TENANT, "objectId": "BOT", "permissions": permissions }]);
    let bot = id("service_principal", "bot");
    let secret = format!("{VAULT}/secrets/db");
    for (properties, expected) in [
        (
            json!({ "enableRbacAuthorization": false, "accessPolicies": policy(json!({ "secrets": ["Get", "list"] })) }),
            Outcome::Allowed,
        ),
        (json!({ "accessPolicies": policy(json!({ "secrets": ["all"] })) }), Outcome::Allowed),
        (
            json!({ "enableRbacAuthorization": true, "accessPolicies": policy(json!({ "secrets": ["get"] })) }),
            Outcome::ImplicitlyDenied,
        ),
        (
            json!({ "accessPolicies": policy(json!({ "keys": ["get"], "secrets": ["list"] })) }),
            Outcome::ImplicitlyDenied,
        ),
        (json!({ "accessPolicies": policy(json!({ "secrets": [] })) }), Outcome::ImplicitlyDenied),
        (json!({ "accessPolicies": [] }), Outcome::ImplicitlyDenied),
    ] {
        let reading = vault(&properties);
        assert_eq!(decide(&reading, &bot, GET, Some(&secret)), expected, "{properties}");
        let other = secret.replace("vaults/v", "vaults/w");
        assert_eq!(decide(&reading, &bot, GET, Some(&other)), Outcome::ImplicitlyDenied, "{properties}");
    }
    let through = json!([{ "objectId": "bot", "applicationId": "APP", "permissions": { "secrets": ["get"] } }]);
    let reading = vault(&json!({ "accessPolicies": through }));
    assert_eq!(decide(&reading, &bot, GET, Some(&secret)), Outcome::Conditional);
}

#[test]
fn access_policies_of_a_vault_that_were_not_read_are_unknown_and_told_and_those_beside_them_count() {
    let policy = |who: &str| json!({ "objectId": who, "permissions": { "secrets": ["get"] } });
    let odd = json!({ "objectId": 1 });
    let bot = id("service_principal", "bot");
    for (properties, expected, told) in [
        (json!(null), Outcome::Unknown, true),
        (json!({}), Outcome::Unknown, true),
        (json!({ "enableRbacAuthorization": false, "accessPolicies": null }), Outcome::Unknown, true),
        (json!({ "accessPolicies": "none" }), Outcome::Unknown, true),
        (json!({ "accessPolicies": [odd, policy("other")] }), Outcome::Unknown, true),
        (json!({ "accessPolicies": [odd, policy("bot")] }), Outcome::Allowed, true),
        (json!({ "accessPolicies": [policy("bot")] }), Outcome::Allowed, false),
        (json!({ "accessPolicies": [policy("other")] }), Outcome::ImplicitlyDenied, false),
        (json!({ "enableRbacAuthorization": true }), Outcome::ImplicitlyDenied, false),
    ] {
        let reading = vault(&properties);
        assert_eq!(decide(&reading, &bot, GET, Some(&format!("{VAULT}/secrets/db"))), expected, "{properties}");
        let gap = reading.inventory.gaps.iter().find(|gap| gap.reason.contains("policies of the key vault"));
        assert_eq!(gap.map(|gap| gap.kind), told.then_some(GapKind::Failed), "{properties}");
    }
}

#[test]
fn the_registry_tells_which_agents_it_knows_and_an_empty_one_tells_nothing() {
    let registered = |instances: Value| {
        let mut answers = tenant(&[]);
        answers.push(graph("/agentRegistry/agentInstances", &instances));
        let reading = read(&answers);
        let hints = reading.inventory.hints.iter().map(|hint| hint.message.to_string()).collect::<Vec<_>>();
        (find(&reading, &id("agent_identity", "agent")).registered, hints)
    };
    use evenhand_model::evidence::Fact;
    assert_eq!(registered(json!([])).0, Fact::Absent);
    assert_eq!(registered(json!([{ "id": "1", "agentIdentityId": "AGENT" }])).0, Fact::Known(true));
    let (known, hints) = registered(json!([{ "id": "1", "displayName": "helper", "originatingStore": "Studio" }]));
    assert_eq!(known, Fact::Known(false));
    assert!(hints.iter().any(|hint| hint.contains("`helper` of Studio")), "{hints:?}");
}

#[test]
fn a_registry_that_was_not_read_or_only_in_part_misses_no_agent() {
    use evenhand_model::evidence::Fact;
    let registered = |instances: Option<Value>| {
        let mut answers = tenant(&[]);
        if let Some(instances) = instances {
            let mut page = graph("/agentRegistry/agentInstances", &instances);
            page["response"]["@odata.nextLink"] = "https://graph.microsoft.com/beta/next".into();
            answers.push(page);
        }
        find(&read(&answers), &id("agent_identity", "agent")).registered
    };
    for (instances, expected) in [
        (None, Fact::Unknown),
        (Some(json!([])), Fact::Unknown),
        (Some(json!([{ "id": "1", "displayName": "helper" }])), Fact::Unknown),
        (Some(json!([{ "id": "1", "agentIdentityId": "AGENT" }])), Fact::Known(true)),
    ] {
        assert_eq!(registered(instances.clone()), expected, "{instances:?}");
    }
}

#[test]
fn risks_and_a_policy_that_is_off_are_told() {
    let mut answers = tenant(&[]);
    answers.push(graph(
        "/identityProtection/riskyServicePrincipals",
        &json!([{ "id": "bot", "riskState": "atRisk", "riskLevel": "high" }, { "id": "graph", "riskState": "dismissed" }]),
    ));
    answers.push(graph(
        "/identityProtection/riskyAgents",
        &json!([{ "id": "agent", "riskState": "confirmedCompromised" }]),
    ));
    answers.push(
        json!({ "tenant": TENANT, "host": "graph.microsoft.com", "path": "/v1.0/policies/defaultAppManagementPolicy",
        "response": { "id": "p", "isEnabled": false } }),
    );
    let reading = read(&answers);
    let hints: Vec<String> = reading.inventory.hints.iter().map(|hint| hint.message.to_string()).collect();
    for text in [":bot signs in: atRisk, level high", ":agent signs in: confirmedCompromised", "policy for credentials"]
    {
        assert!(hints.iter().any(|hint| hint.contains(text)), "{text}: {hints:?}");
    }
    assert_eq!(hints.len(), 3, "{hints:?}");
}
