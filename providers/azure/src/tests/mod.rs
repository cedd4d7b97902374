//! Whole readings: answers in, identities, access and controls out.

mod access;
mod escalation;
mod identities;
mod places;
mod properties;
mod reading;
mod robustness;

use std::sync::Arc;

use evenhand_model::access::{AccessResolver, Decision, Outcome, Request};
use evenhand_model::document::{Document, FileFacts, Format, Head, ReadError};
use evenhand_model::id::IdentityId;
use evenhand_model::identity::Identity;
use evenhand_model::provider::{Provider, ReadOptions, Reading};
use evenhand_model::secret::Fingerprinter;
use serde_json::{Value, json};

use crate::{Azure, tier0};

const TENANT: &str = "0a0a0a0a-0000-4000-8000-000000000001";
const GRAPH: &str = "00000003-0000-0000-c000-000000000000";
/// The id of `User.ReadWrite.All` as an application permission.
const USER_READ_WRITE_ALL: &str = "741f803b-c850-494e-b5df-cde7c675a1ca";
const HELPDESK: &str = "729827e3-9c14-49f7-bb1b-9608f156bbb8";

fn document(path: &str, text: &str) -> Document {
    let top: Vec<Value> = serde_json::Deserializer::from_str(text).into_iter().map_while(Result::ok).collect();
    let keys = |value: &Value| value.as_object().map(|held| held.keys().cloned().collect()).unwrap_or_default();
    let first = top.first().unwrap_or(&Value::Null);
    let mut head = Head { keys: keys(first), ..Head::default() };
    for (key, value) in first.as_object().into_iter().flatten() {
        if let Some(text) = value.as_str() {
            head.values.push((key.clone(), text.to_owned()));
        }
    }
    let lists = first.as_object().into_iter().flatten().map(|(key, value)| (key.as_str(), value)).chain([("", first)]);
    for (key, list) in lists.filter_map(|(key, value)| Some((key, value.as_array()?))) {
        match list.first() {
            Some(element) => head.elements.push((key.to_owned(), keys(element))),
            None => head.empty_lists.push(key.to_owned()),
        }
    }
    Document {
        path: Arc::from(path),
        relative: Arc::from(path),
        source_name: Arc::from("capture"),
        format: if top.len() > 1 { Format::Ndjson } else { Format::Json },
        text: text.to_owned(),
        head,
        file: FileFacts::default(),
    }
}

fn read_documents(documents: Vec<Document>) -> (Reading, Vec<ReadError>) {
    let options = ReadOptions {
        now: "2026-12-01T00:00:00Z".parse().unwrap(),
        fingerprinter: Fingerprinter::keyed("test"),
        settings: std::collections::BTreeMap::new(),
    };
    let mut reader = Azure.reader(options);
    let mut errors = Vec::new();
    for document in documents {
        assert!(Azure.recognise(&document).is_some(), "{}", document.path);
        errors.extend(reader.read(document).err().into_iter().flatten());
    }
    (reader.finish(), errors)
}

/// Reads what a collection wrote.
#[cfg(feature = "live")]
pub(crate) fn read_capture(folder: &std::path::Path) -> Reading {
    let (mut open, mut documents) = (vec![folder.to_owned()], Vec::new());
    while let Some(at) = open.pop() {
        if at.is_dir() {
            open.extend(std::fs::read_dir(&at).unwrap().map(|entry| entry.unwrap().path()));
        } else {
            documents.push(at);
        }
    }
    documents.sort();
    let name = |path: &std::path::Path| path.strip_prefix(folder).unwrap().display().to_string();
    let documents = documents.iter().map(|path| document(&name(path), &std::fs::read_to_string(path).unwrap()));
    let (reading, errors) = read_documents(documents.collect());
    assert_eq!(errors, []);
    reading
}

fn graph(path: &str, value: &Value) -> Value {
    json!({ "tenant": TENANT, "host": "graph.microsoft.com", "path": format!("/v1.0{path}"), "response": { "value": value } })
}

fn manager(path: &str, value: &Value) -> Value {
    json!({ "tenant": TENANT, "host": "management.azure.com", "path": path, "response": { "value": value } })
}

fn read(answers: &[Value]) -> Reading {
    let text: String = answers.iter().map(|answer| format!("{answer}\n")).collect();
    let (reading, errors) = read_documents(vec![document("azure/all.ndjson", &text)]);
    assert_eq!(errors, []);
    reading
}

/// A tenant with Microsoft Graph, an agent that holds what the test gives it, and a support group that is eligible for
/// Helpdesk Administrator, under rules that ask for approval.
fn tenant(granted: &[&str]) -> Vec<Value> {
    let assignments: Vec<Value> = granted
        .iter()
        .map(|role| json!({ "principalId": "agent", "principalType": "ServicePrincipal", "resourceId": "graph", "appRoleId": role }))
        .collect();
    vec![
        graph(
            "/servicePrincipals",
            &json!([
                { "id": "graph", "appId": GRAPH, "displayName": "Microsoft Graph",
                  "appOwnerOrganizationId": "f8cdef31-a31e-4b4a-93e4-5f571e91255a", "servicePrincipalType": "Application" },
                { "@odata.type": "#microsoft.graph.agentIdentity", "id": "agent", "displayName": "support-agent",
                  "servicePrincipalType": "ServiceIdentity", "agentIdentityBlueprintId": "blueprint-app", "accountEnabled": true },
                { "@odata.type": "#microsoft.graph.agentIdentityBlueprintPrincipal", "id": "blueprint",
                  "appId": "blueprint-app", "displayName": "support blueprint", "appOwnerOrganizationId": TENANT },
                { "id": "bot", "appId": "bot-app", "displayName": "bot", "servicePrincipalType": "Application",
                  "appOwnerOrganizationId": TENANT, "accountEnabled": true, "tags": [] }
            ]),
        ),
        graph(
            "/applications",
            &json!([
                { "id": "bot-definition", "appId": "bot-app", "displayName": "bot" },
                { "id": "blueprint-definition", "appId": "blueprint-app", "displayName": "support blueprint" }
            ]),
        ),
        graph("/users", &json!([{ "id": "ann", "userPrincipalName": "ann@acme.example", "accountEnabled": true }])),
        graph("/groups", &json!([{ "id": "support", "displayName": "Customer support" }])),
        graph("/groups/support/members", &json!([{ "@odata.type": "#microsoft.graph.user", "id": "ann" }])),
        graph("/servicePrincipals/agent/appRoleAssignments", &json!(assignments)),
        graph("/servicePrincipals/bot/appRoleAssignments", &json!([])),
        graph("/servicePrincipals/blueprint/appRoleAssignments", &json!([])),
        graph("/oauth2PermissionGrants", &json!([])),
        graph("/roleManagement/directory/roleAssignments", &json!([])),
        graph(
            "/roleManagement/directory/roleDefinitions",
            &json!([{ "id": HELPDESK, "templateId": HELPDESK, "displayName": "Helpdesk Administrator", "isBuiltIn": true,
                "isEnabled": true, "rolePermissions": [{ "allowedResourceActions": [
                    "microsoft.directory/users/invalidateAllRefreshTokens", "microsoft.directory/users/password/update"
                ] }] }]),
        ),
        graph(
            "/roleManagement/directory/roleEligibilityScheduleInstances",
            &json!([{ "id": "e", "principalId": "support", "roleDefinitionId": HELPDESK, "directoryScopeId": "/" }]),
        ),
        graph(
            "/policies/roleManagementPolicyAssignments",
            &json!([{ "id": "p", "scopeId": "/", "scopeType": "DirectoryRole", "roleDefinitionId": HELPDESK, "policy": { "rules": [
                { "id": "Expiration_EndUser_Assignment", "maximumDuration": "PT4H" },
                { "id": "Enablement_EndUser_Assignment", "enabledRules": ["MultiFactorAuthentication"] },
                { "id": "Approval_EndUser_Assignment", "setting": { "isApprovalRequired": true } }
            ] } }]),
        ),
        graph(
            "/applications/blueprint-definition/microsoft.graph.agentIdentityBlueprint/inheritablePermissions",
            &json!([]),
        ),
        manager("/subscriptions/s/providers/Microsoft.Authorization/roleAssignments", &json!([])),
        manager("/subscriptions/s/providers/Microsoft.Authorization/denyAssignments", &json!([])),
    ]
}

fn id(kind: &str, object: &str) -> IdentityId {
    IdentityId::new(format!("azure:{TENANT}:{kind}:{object}"))
}

fn find<'r>(reading: &'r Reading, id: &IdentityId) -> &'r Identity {
    reading.inventory.identities.iter().find(|held| held.id == *id).unwrap_or_else(|| panic!("no {id}"))
}

fn resolver(reading: &Reading) -> &dyn AccessResolver {
    &**reading.resolver.as_ref().unwrap()
}

fn decide(reading: &Reading, who: &IdentityId, operation: &str, resource: Option<&str>) -> Outcome {
    decision(reading, who, operation, resource).outcome
}

fn decision(reading: &Reading, who: &IdentityId, operation: &str, resource: Option<&str>) -> Decision {
    let request = Request {
        identity: who.to_string(),
        operation: operation.to_owned(),
        resource: resource.map(str::to_owned),
        context: std::collections::BTreeMap::new(),
    };
    resolver(reading).decide(who, &request).unwrap()
}

const REVOKE: &str = "microsoft.directory/users/invalidateAllRefreshTokens";
const DELETE: &str = "microsoft.directory/users/delete";
const RESET: &str = "microsoft.directory/users/password/update";
