//! The third-party cases that are single questions, said on documents: what an export holds is written into the request.

use serde_json::{Value, json};

use super::Ask;
use crate::access::conformance::{folder, json, list, text};

/// The documents of one principal and the account's organisation as a request.
fn request(case: &Value, export: &Value, files: &dyn Fn(&str) -> Vec<Value>) -> Option<Ask> {
    let principal = text(case, "principal");
    let resource = text(case, "resource");
    let entry = ["UserDetailList", "RoleDetailList"]
        .iter()
        .flat_map(|list_name| list(export, list_name))
        .find(|entry| text(entry, "Arn") == principal)?;
    let document = |arn: &str| {
        let policy = list(export, "Policies").find(|policy| text(policy, "Arn") == arn)?;
        let version = list(policy, "PolicyVersionList").find(|version| version["IsDefaultVersion"] == true)?;
        Some(version["Document"].clone())
    };
    let mut policies: Vec<Value> = ["UserPolicyList", "RolePolicyList"]
        .iter()
        .flat_map(|list_name| list(entry, list_name))
        .map(|policy| json!({ "name": policy["PolicyName"], "policy": policy["PolicyDocument"] }))
        .collect();
    for attached in list(entry, "AttachedManagedPolicies") {
        policies.push(json!({ "name": attached["PolicyName"], "policy": document(text(attached, "PolicyArn"))? }));
    }
    let mut ask = Ask::new(principal, text(case, "action"), resource).with("identity_policies", policies.into());
    let boundary = text(&entry["PermissionsBoundary"], "PermissionsBoundaryArn");
    if !boundary.is_empty() {
        ask = ask.with("permissions_boundaries", json!([{ "name": boundary, "policy": document(boundary)? }]));
    }
    for held in files("resources").iter().flat_map(|file| file.as_array().cloned().unwrap_or_default()) {
        if resource == text(&held, "Resource") || resource.starts_with(&format!("{}/", text(&held, "Resource"))) {
            ask = ask.with("resource_policy", held["Policy"].clone()).owned_by(text(&held, "Account"));
        }
    }
    for tree in files("scps") {
        let account = principal.split(':').nth(4)?;
        if let Some(levels) = levels(&tree, account) {
            ask = ask.with("service_control_policies", levels.into());
        }
    }
    for (key, value) in list(case, "conditions").filter_map(Value::as_str).filter_map(|pair| pair.split_once('=')) {
        ask = ask.context(key, json!(value));
    }
    // Without strict conditions, some context that allows is enough.
    let mode = if case["strict_conditions"] == true { "decide" } else { "discover" };
    Some(ask.with("mode", json!(mode)))
}

/// The levels from a node of an organisation down to an account; none for the account that owns the organisation.
fn levels(node: &Value, account: &str) -> Option<Vec<Value>> {
    let policies: Vec<Value> =
        list(node, "Policies").map(|policy| json!({ "name": policy["Name"], "policy": policy["Content"] })).collect();
    let own = json!({ "level": node["Id"], "policies": policies });
    if text(node, "Id") == account {
        let owner = text(node, "Arn").split(':').nth(4) == Some(account);
        return Some(if owner { Vec::new() } else { vec![own] });
    }
    let below = list(node, "Children").find_map(|child| levels(child, account))?;
    Some(if below.is_empty() { below } else { std::iter::once(own).chain(below).collect() })
}

#[test]
fn iamspy_questions_are_decided_as_labelled() {
    let Some(folder) = folder("iamspy") else { return };
    let cases = json(&folder.join("cases.json"));
    let mut asked = 0;
    for (number, case) in cases.as_array().unwrap().iter().enumerate().filter(|(_, case)| case["query"] == "can_i") {
        let files = |kind: &str| -> Vec<Value> {
            list(&case["files"], kind)
                .filter_map(Value::as_str)
                .map(|file| json(&folder.join("files").join(file)))
                .collect()
        };
        let exports = files("gaads");
        // One asks about somebody who is in no export: there are no documents to say it on.
        let Some(ask) = exports.iter().find_map(|export| request(case, export, &files)) else { continue };
        let answer = ask.answer().unwrap_or_else(|refusal| panic!("case {number}: {refusal:?} in {}", ask.0));
        let allowed = matches!(answer["decision"].as_str(), Some("allowed" | "conditional"));
        assert_eq!(json!(allowed), case["expected"], "case {number}: {}", ask.0);
        asked += 1;
    }
    assert_eq!(asked, 21);
}
