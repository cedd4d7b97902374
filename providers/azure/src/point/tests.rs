//! Lines in, answers out.

use evenhand_model::decide::Decides;
use serde_json::{Value, json};

use super::*;

const VM: &str = "/subscriptions/a/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines/vm";

fn reply(line: &Value) -> Value {
    match Decider::default().reply(&line.to_string()) {
        Ok(bytes) => serde_json::from_slice(&bytes).unwrap(),
        Err(refusal) => json!({ "at": refusal.at, "message": refusal.message }),
    }
}

fn line(request: Value, more: Value) -> Value {
    let mut line = json!({
        "request": { "principal": "ann", "action": "Microsoft.Compute/virtualMachines/read", "resource": VM },
        "roleAssignments": [{ "principalId": "ann", "roleDefinitionId": "r", "scope": "/subscriptions/a" }],
        "roleDefinitions": [{ "name": "r", "roleName": "Reader", "permissions": [{ "actions": ["*/read"] }] }],
    });
    for (key, value) in request.as_object().unwrap() {
        line["request"][key] = value.clone();
    }
    for (key, value) in more.as_object().unwrap() {
        line[key] = value.clone();
    }
    line
}

#[test]
fn both_forms_of_objects_are_read() {
    let flat = reply(&line(json!({}), json!({})));
    assert_eq!(
        flat,
        json!({ "decision": "allowed", "matched": [{ "effect": "Allow", "assignment": "roleAssignments/0",
                "name": "Reader", "permission": 0, "scope": "/subscriptions/a" }] })
    );
    let id = "/subscriptions/A/providers/Microsoft.Authorization/roleAssignments/x";
    let nested = json!({
        "roleAssignments": [{ "id": id, "name": "x", "type": "Microsoft.Authorization/roleAssignments", "properties": {
            "principalId": "ANN", "principalType": "User", "createdOn": "2026-01-01T00:00:00Z",
            "roleDefinitionId": "/subscriptions/a/providers/Microsoft.Authorization/roleDefinitions/R" } }],
        "roleDefinitions": [{ "id": "/providers/Microsoft.Authorization/roleDefinitions/r", "properties": {
            "roleName": "Reader", "type": "BuiltInRole", "permissions": [{ "actions": ["*/read"], "notActions": [] }] } }],
    });
    let nested = reply(&line(json!({}), nested));
    assert_eq!(nested["decision"], "allowed");
    assert_eq!(nested["matched"][0]["assignment"], id);
    assert_eq!(nested["matched"][0]["scope"], "/subscriptions/a");
}

#[test]
fn an_id_at_the_root_tells_the_scope_too() {
    let id = "/providers/Microsoft.Authorization/roleAssignments/x";
    let rooted = json!({ "roleAssignments": [{ "id": id, "principalId": "ann", "roleDefinitionId": "r" }] });
    assert_eq!(reply(&line(json!({}), rooted))["matched"][0]["scope"], "/");
}

#[test]
fn deny_assignments_name_everybody_by_zeros_and_type() {
    let deny = |kind: &str, effect: &str| {
        json!({ "denyAssignments": [{ "id": "d", "properties": { "denyAssignmentName": "freeze", "scope": "/subscriptions/a",
            "permissions": [{ "actions": ["*"] }], "denyAssignmentEffect": effect,
            "principals": [{ "id": "00000000-0000-0000-0000-000000000000", "type": kind }] } }] })
    };
    let denied = reply(&line(json!({}), deny("SystemDefined", "enforced")));
    assert_eq!(
        denied,
        json!({ "decision": "explicitly_denied", "matched": [{ "effect": "Deny", "assignment": "d", "name": "freeze",
                "permission": 0, "scope": "/subscriptions/a" }] })
    );
    assert_eq!(reply(&line(json!({}), deny("User", "enforced")))["decision"], "allowed");
    let audited = reply(&line(json!({}), deny("SystemDefined", "audit")));
    assert_eq!(audited["decision"], "allowed");
    assert_eq!(audited["notes"][0]["at"], "/denyAssignments/0");
}

#[test]
fn conditions_are_decided_from_attributes() {
    const ASKS: &str = "@Resource[Microsoft.X/y:name] StringEquals 'prod'";
    let bound = || {
        json!({ "roleAssignments": [{ "principalId": "ann", "roleDefinitionId": "r", "scope": "/", "condition": ASKS,
                "conditionVersion": "2.0" }] })
    };
    let key = "@Resource[microsoft.x/y:NAME]";
    for (attributes, expected) in [
        (json!({}), "conditional"),
        (json!({ key: "prod" }), "allowed"),
        (json!({ key: ["prod"] }), "allowed"),
        (json!({ key: "dev" }), "implicitly_denied"),
        (json!({ key: null }), "implicitly_denied"),
    ] {
        let answer = reply(&line(json!({ "attributes": attributes.clone() }), bound()));
        assert_eq!(answer["decision"], expected, "{attributes}");
        assert_eq!(answer["conditions"] == json!([ASKS]), expected == "conditional");
    }
    let mut odd = bound();
    odd["roleAssignments"][0]["condition"] = json!("whatever");
    let answer = reply(&line(json!({}), odd));
    assert_eq!(answer["decision"], "conditional");
    assert_eq!(answer["notes"][0]["at"], "/roleAssignments/0/condition");
}

#[test]
fn groups_and_management_groups_of_the_line_count() {
    const TOP: &str = "/providers/Microsoft.Management/managementGroups/top";
    let held = |more: Value| {
        let mut objects = json!({ "roleAssignments": [{ "principalId": "g", "roleDefinitionId": "r", "scope": TOP }],
            "groups": [{ "id": "g", "members": ["h"] }, { "id": "h", "members": ["ann"] }] });
        objects.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        reply(&line(json!({}), objects))
    };
    let unknown = held(json!({}));
    assert_eq!(
        (&unknown["decision"], &unknown["missing"][0]),
        (&json!("unknown"), &json!(format!("what lies in {}", TOP.to_lowercase())))
    );
    let inside = held(json!({ "managementGroups": [{ "id": "/subscriptions/a", "parent": TOP }] }));
    assert_eq!(inside["decision"], "allowed");
    let outside = held(json!({ "managementGroups": [{ "id": "/subscriptions/a", "parent": null }] }));
    assert_eq!(outside["decision"], "implicitly_denied");
}

#[test]
fn an_operation_that_may_be_misspelt_is_noted_where_nothing_grants_it() {
    for (action, noted) in [
        ("Microsoft.Compute/virtualMachines/delete", false),
        ("Microsoft.Compute/virtualMachines/delet", true),
        ("Microsoft.Compute/virtualMachinez/read", false),
    ] {
        let answer = reply(&line(json!({ "action": action }), json!({})));
        assert_eq!(answer["notes"][0]["at"] == "/request/action", noted, "{answer}");
    }
}

#[test]
fn what_is_not_understood_is_refused_with_its_place() {
    for (request, more, at, message) in [
        (json!({ "action": "*/read" }), json!({}), "/request/action", "`*/read` is no operation"),
        (json!({ "action": "read" }), json!({}), "/request/action", "`read` is no operation"),
        (json!({ "dataAction": "a/b" }), json!({}), "/request", "two operations are asked about"),
        (json!({ "action": null }), json!({}), "/request", "no operation is asked about"),
        (json!({ "principal": " " }), json!({}), "/request/principal", "nobody asks"),
        (json!({ "resource": "vm" }), json!({}), "/request/resource", "`vm` is no resource id"),
        (json!({ "attributes": { "name": "x" } }), json!({}), "/request/attributes/name", "`name` is no attribute"),
        (
            json!({}),
            json!({ "roleAssignments": [{ "principalId": "ann", "scope": "/" }] }),
            "/roleAssignments/0",
            "`roleDefinitionId` is missing",
        ),
        (
            json!({}),
            json!({ "roleAssignments": [{ "principalId": "ann", "roleDefinitionId": "r", "scope": "a" }] }),
            "/roleAssignments/0/scope",
            "`a` is no scope",
        ),
        (
            json!({}),
            json!({ "roleAssignments": [{ "principalId": "ann", "roleDefinitionId": "r" }] }),
            "/roleAssignments/0",
            "`scope` is missing",
        ),
        (json!({}), json!({ "roleDefinitions": [{ "name": "r" }] }), "/roleDefinitions/0", "`permissions` is missing"),
        (
            json!({}),
            json!({ "roleDefinitions": [{ "name": "r", "permissions": [] }, { "id": "/x/R", "permissions": [] }] }),
            "/roleDefinitions/1",
            "a role definition before this one has the same id",
        ),
        (
            json!({}),
            json!({ "denyAssignments": [{ "properties": { "permissions": [], "scope": "/" } }] }),
            "/denyAssignments/0/properties",
            "`principals` is missing",
        ),
        (
            json!({}),
            json!({ "managementGroups": [{ "id": "/subscriptions/a", "parent": "top" }] }),
            "/managementGroups/0/parent",
            "`top` is no scope",
        ),
    ] {
        let answer = reply(&line(request, more));
        assert_eq!((&answer["at"], &answer["message"]), (&json!(at), &json!(message)));
    }
    let odd = reply(&line(json!({}), json!({ "roleAssignments": [{ "principal": "ann" }] })));
    assert_eq!(odd["at"], "/roleAssignments/0/principal");
}
