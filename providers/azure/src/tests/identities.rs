//! Who there is, who answers for it, and what proves it.

use evenhand_model::control::ControlKind;
use evenhand_model::evidence::{Fact, Truth};
use evenhand_model::identity::{Nature, judge};
use evenhand_model::token::Token;
use serde_json::json;

use super::*;

#[test]
fn agents_are_agents_and_everybody_else_is_what_he_is() {
    let reading = read(&tenant(&[]));
    for (who, nature) in [
        (id("agent_identity", "agent"), Nature::AiAgent),
        (id("agent_blueprint", "blueprint"), Nature::Workload),
        (id("service_principal", "bot"), Nature::Workload),
        (id("user", "ann"), Nature::Human),
        (id("group", "support"), Nature::HumanRole),
        (id("directory_role", HELPDESK), Nature::HumanRole),
    ] {
        assert_eq!(judge(&find(&reading, &who).signals).nature, nature, "{who}");
    }
    assert!(find(&reading, &id("service_principal", "graph")).vendor_managed);
}

#[test]
fn owners_and_sponsors_are_known_absent_or_unknown() {
    let agent = id("agent_identity", "agent");
    let facts = |more: &[Value]| {
        let mut answers = tenant(&[]);
        answers.extend_from_slice(more);
        let reading = read(&answers);
        let identity = find(&reading, &agent);
        (identity.owner.clone(), identity.owner_active, identity.sponsor.clone())
    };
    let owners = |list: Value| graph("/servicePrincipals/agent/owners", &list);
    let sponsors = |list: Value| graph("/servicePrincipals/agent/sponsors", &list);
    assert_eq!(facts(&[]), (Fact::Unknown, Fact::Unknown, Fact::Unknown));
    assert_eq!(facts(&[owners(json!([])), sponsors(json!([]))]), (Fact::Unknown, Fact::Unknown, Fact::Absent));
    let ann = json!([{ "@odata.type": "#microsoft.graph.user", "id": "ann", "userPrincipalName": "ann@acme.example" }]);
    let named = Fact::Known(Arc::from("ann@acme.example"));
    assert_eq!(facts(&[owners(ann.clone()), sponsors(ann)]), (named.clone(), Fact::Known(true), named));
    let bot = json!([{ "@odata.type": "#microsoft.graph.servicePrincipal", "id": "bot", "displayName": "bot" }]);
    assert_eq!(facts(&[owners(bot)]).1, Fact::Known(false));
}

#[test]
fn a_refused_list_of_owners_is_unknown_and_a_gap() {
    let mut answers = tenant(&[]);
    answers.push(json!({ "tenant": TENANT, "host": "graph.microsoft.com", "path": "/v1.0/servicePrincipals/agent/sponsors",
        "error": { "code": "403 Authorization_RequestDenied", "kind": "refused" }, "accepted": "Application.Read.All" }));
    let reading = read(&answers);
    assert_eq!(find(&reading, &id("agent_identity", "agent")).sponsor, Fact::Unknown);
    let gap = reading.inventory.gaps.iter().find(|gap| &*gap.call == "/servicePrincipals/{id}/sponsors").unwrap();
    assert!(
        gap.reason.contains("403 Authorization_RequestDenied")
            && gap.reason.contains("(Application.Read.All); of agent"),
        "{}",
        gap.reason
    );
}

#[test]
fn credentials_end_were_used_and_keep_no_part_of_the_secret() {
    let mut answers = tenant(&[]);
    answers.push(graph(
        "/applications",
        &json!([{ "id": "bot-definition", "appId": "bot-app", "passwordCredentials": [
            { "keyId": "K1", "hint": "Zq9", "displayName": "Zq9-rotated", "secretText": "Zq9wholesecret", "startDateTime": "2025-01-01T00:00:00Z", "endDateTime": "2026-01-01T00:00:00Z" }
        ], "keyCredentials": [{ "keyId": "K2", "key": "Zq9wholekey", "type": "AsymmetricX509Cert", "startDateTime": "2026-01-01T00:00:00Z", "endDateTime": "2028-01-01T00:00:00Z" }] }]),
    ));
    answers.push(graph(
        "/reports/appCredentialSignInActivities",
        &json!([{ "id": "x", "keyId": "k2", "appId": "bot-app", "signInActivity": { "lastSignInDateTime": "2026-11-01T00:00:00Z" } }]),
    ));
    let reading = read(&answers);
    let of = |kind: &str| reading.inventory.credentials.iter().find(|held| &*held.kind == kind).unwrap();
    assert_eq!((of("client_secret").enabled, of("client_secret").last_used_at), (Fact::Known(false), Fact::Unknown));
    assert_eq!(of("certificate").enabled, Fact::Known(true));
    assert_eq!(of("certificate").last_used_at, Fact::Known("2026-11-01T00:00:00Z".parse().unwrap()));
    assert!(!format!("{:?}", reading.inventory).contains("Zq9"));
}

#[test]
fn a_federated_credential_lets_in_the_workflow_that_it_names() {
    let mut answers = tenant(&[]);
    answers.push(graph(
        "/applications/bot-definition/federatedIdentityCredentials",
        &json!([
            { "id": "1", "name": "main", "issuer": "https://token.actions.githubusercontent.com", "subject": "repo:acme/shop:ref:refs/heads/main", "audiences": ["api://AzureADTokenExchange"] },
            { "id": "2", "name": "any", "issuer": "https://token.actions.githubusercontent.com", "audiences": ["api://AzureADTokenExchange"], "claimsMatchingExpression": { "value": "claims['sub'] matches 'repo:acme/*'", "languageVersion": 1 } }
        ]),
    ));
    let reading = read(&answers);
    let acceptances = &reading.inventory.acceptances;
    assert_eq!(acceptances.len(), 2);
    let token = |subject: &str| {
        Token::of_subject(Some("token.actions.githubusercontent.com".into()), subject)
            .with("aud", "api://AzureADTokenExchange")
    };
    let strict = acceptances.iter().find(|held| held.weak == Truth::No).unwrap();
    assert_eq!(strict.condition.admits(&token("repo:acme/shop:ref:refs/heads/main")), Truth::Yes);
    assert_eq!(strict.condition.admits(&token("repo:acme/shop:pull_request")), Truth::No);
    let wide = acceptances.iter().find(|held| held.weak == Truth::Yes).unwrap();
    assert!(!wide.weakness.is_empty());
    assert_eq!(wide.condition.admits(&token("repo:acme/other:pull_request")), Truth::Yes);
}

#[test]
fn keys_of_models_work_unless_they_are_switched_off() {
    let account = |name: &str, properties: Value| {
        json!({ "id": format!("/subscriptions/s/resourceGroups/g/providers/Microsoft.CognitiveServices/accounts/{name}"), "name": name,
            "type": "Microsoft.CognitiveServices/accounts", "kind": "AIServices", "properties": properties })
    };
    let mut answers = tenant(&[]);
    answers.push(manager(
        "/subscriptions/s/providers/Microsoft.CognitiveServices/accounts",
        &json!([
            account("open", json!({})),
            account("closed", json!({ "disableLocalAuth": true })),
            account("untold", Value::Null)
        ]),
    ));
    let reading = read(&answers);
    let open =
        id("resource_key", "/subscriptions/s/resourcegroups/g/providers/microsoft.cognitiveservices/accounts/open");
    let asks = "Microsoft.CognitiveServices/accounts/OpenAI/deployments/chat/completions/action";
    let at = "/subscriptions/s/resourceGroups/g/providers/Microsoft.CognitiveServices/accounts/open";
    assert_eq!(decide(&reading, &open, asks, Some(at)), Outcome::Allowed);
    assert_eq!(decide(&reading, &open, asks, Some("/subscriptions/s")), Outcome::ImplicitlyDenied);
    let keys: Vec<(&str, Fact<bool>)> = reading
        .inventory
        .credentials
        .iter()
        .filter(|held| &*held.kind == "azure_resource_key")
        .map(|held| (held.identity.as_str().rsplit('/').next().unwrap(), held.enabled))
        .collect();
    assert_eq!(keys, [("open", Fact::Known(true)), ("untold", Fact::Unknown)]);
}

#[test]
fn a_project_of_agents_makes_its_identity_an_agent() {
    let project = "/subscriptions/s/resourceGroups/g/providers/Microsoft.CognitiveServices/accounts/a/projects/p";
    let mut answers = tenant(&[]);
    answers.push(json!({ "tenant": TENANT, "host": "management.azure.com", "path": "/providers/Microsoft.ResourceGraph/resources", "response": { "data": [
        { "id": project, "name": "p", "type": "microsoft.cognitiveservices/accounts/projects", "tags": { "owner": "ops" }, "identity": { "type": "SystemAssigned", "principalId": "pmi", "tenantId": TENANT } }
    ] } }));
    let reading = read(&answers);
    let identity = find(&reading, &id("managed_identity", "pmi"));
    assert_eq!(judge(&identity.signals).nature, Nature::AiAgent);
    assert_eq!(identity.owner, Fact::Known(Arc::from("ops")));
    assert_eq!(reading.inventory.workloads.len(), 1);
}

#[test]
fn conditional_access_is_a_control_where_it_lets_nobody_past() {
    let policy = |users: Value, applications: Value| {
        json!({ "id": "p", "displayName": "mfa", "state": "enabled", "conditions": { "users": users, "applications": applications, "clientAppTypes": ["all"] },
            "grantControls": { "operator": "OR", "builtInControls": ["mfa"] } })
    };
    let all = json!({ "includeApplications": ["All"], "excludeApplications": [] });
    let factors = |policies: Option<Value>| {
        let mut answers = tenant(&[]);
        answers.extend(policies.map(|list| graph("/identity/conditionalAccess/policies", &list)));
        let reading = read(&answers);
        let of = |who: IdentityId| {
            reading
                .inventory
                .controls
                .iter()
                .find(|held| held.identity == who && held.kind == ControlKind::Mfa)
                .unwrap()
                .in_place
        };
        (of(id("user", "ann")), of(id("group", "support")))
    };
    assert_eq!(factors(None), (Truth::Unknown, Truth::Unknown));
    assert_eq!(
        factors(Some(json!([policy(json!({ "includeUsers": ["All"] }), all.clone())]))),
        (Truth::Yes, Truth::Yes)
    );
    assert_eq!(
        factors(Some(json!([policy(json!({ "includeUsers": ["All"], "excludeUsers": ["ann"] }), all.clone())]))),
        (Truth::Unknown, Truth::Unknown)
    );
    assert_eq!(
        factors(Some(json!([policy(json!({ "includeUsers": ["All"], "excludeUsers": ["breakglass"] }), all.clone())]))),
        (Truth::Yes, Truth::Yes)
    );
    assert_eq!(factors(Some(json!([policy(json!({ "includeGroups": ["SUPPORT"] }), all)]))), (Truth::Yes, Truth::Yes));
    assert_eq!(
        factors(Some(json!([policy(json!({ "includeUsers": ["All"] }), json!({ "includeApplications": ["one"] }))]))),
        (Truth::Unknown, Truth::Unknown)
    );
}

#[test]
fn the_user_account_of_an_agent_is_no_person() {
    let mut answers = tenant(&[]);
    answers.push(graph(
        "/users",
        &json!([{ "@odata.type": "#microsoft.graph.agentUser", "id": "au", "userPrincipalName": "support.agent@acme.example", "identityParentId": "agent" }]),
    ));
    let reading = read(&answers);
    let account = id("agent_user", "au");
    assert_eq!(judge(&find(&reading, &account).signals).nature, Nature::AiAgent);
    assert_eq!(find(&reading, &account).human_sign_in, Fact::Known(false));
    let edges = resolver(&reading).edges();
    assert!(
        edges
            .iter()
            .any(|edge| &*edge.technique == "entra-user-of-agent" && edge.source == id("agent_identity", "agent"))
    );
}

#[test]
fn a_tag_decides_what_an_application_is() {
    let mut answers = tenant(&[]);
    answers.push(graph(
        "/servicePrincipals",
        &json!([{ "id": "tagged", "appId": "x", "displayName": "triage", "tags": ["evenhand:nature:ai-agent", "evenhand:job:support", "owner:ops"] }]),
    ));
    let reading = read(&answers);
    let identity = find(&reading, &id("service_principal", "tagged"));
    assert_eq!(judge(&identity.signals).nature, Nature::AiAgent);
    assert_eq!(
        (identity.job.as_ref().map(|job| job.as_str()), &identity.owner),
        (Some("support"), &Fact::Known(Arc::from("ops")))
    );
}

#[test]
fn a_connection_by_key_is_a_stored_key_of_whoever_uses_it() {
    let project = "/subscriptions/s/resourceGroups/g/providers/Microsoft.CognitiveServices/accounts/a/projects/p";
    let connection = |name: &str, kind: &str, category: &str| {
        json!({ "id": format!("{project}/connections/{name}"), "name": name, "type": "Microsoft.CognitiveServices/accounts/projects/connections",
            "properties": { "authType": kind, "category": category, "target": "https://x.example.test", "credentials": { "key": "Zq9key" } } })
    };
    let mut answers = tenant(&[]);
    answers.push(manager(
        "/subscriptions/s/resourceGroups/g/providers/Microsoft.CognitiveServices/accounts/a/projects",
        &json!([{ "id": project, "name": "p", "type": "Microsoft.CognitiveServices/accounts/projects", "identity": { "principalId": "pmi" } }]),
    ));
    answers.push(manager(
        &format!("{project}/connections"),
        &json!([
            connection("search", "ApiKey", "CognitiveSearch"),
            connection("own", "CustomKeys", "CustomKeys"),
            connection("aad", "AAD", "AzureOpenAI")
        ]),
    ));
    let reading = read(&answers);
    let held = reading.inventory.credentials.iter().filter(|held| &*held.kind == "connection_key");
    let found: Vec<(&str, Fact<bool>)> =
        held.map(|held| (held.id.as_str().rsplit('/').next().unwrap(), held.federable)).collect();
    assert_eq!(found, [("own", Fact::Unknown), ("search", Fact::Known(true))]);
    assert!(!format!("{:?}", reading.inventory).contains("Zq9"));
}

#[test]
fn whatever_asks_for_tokens_is_known_by_its_client_id() {
    let machine = |name: &str, client: &str| {
        let at = format!(
            "/subscriptions/s/resourceGroups/g/providers/Microsoft.ManagedIdentity/userAssignedIdentities/{name}"
        );
        json!({ "id": at, "name": name, "type": "Microsoft.ManagedIdentity/userAssignedIdentities",
            "properties": { "principalId": name, "clientId": client, "tenantId": TENANT } })
    };
    let mut answers = tenant(&[]);
    answers.push(manager(
        "/subscriptions/s/providers/Microsoft.ManagedIdentity/userAssignedIdentities",
        &json!([machine("deployer", "C0FFEE")]),
    ));
    let reading = read(&answers);
    let named = reading.inventory.named_by_others();
    // An application without a secret, and a managed identity that no list of principals describes.
    for (client, id) in [("bot-app", id("service_principal", "bot")), ("c0ffee", id("managed_identity", "deployer"))] {
        assert_eq!(named.get(&IdentityId::from(client)), Some(&&id), "{client}");
    }
}
