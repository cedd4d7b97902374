//! Which calls follow from an answer.

use std::collections::BTreeSet;

use serde_json::Value;

use super::table::{Call, Each, Only};
use super::wire::Parameters;
use crate::documents::form::Form;
use crate::inventory::arn::is_account;
use crate::inventory::nature::is_agent_service;

/// What a call that depends on no other one is asked with.
pub(crate) fn first(call: &Call) -> BTreeSet<Parameters> {
    if call.each.is_empty() { completed(call, Parameters::new()).collect() } else { BTreeSet::new() }
}

/// What a call is asked with because of an earlier answer.
pub(crate) fn following(
    call: &Call,
    earlier: &Call,
    asked: &Parameters,
    answer: &Value,
    region: &str,
) -> BTreeSet<Parameters> {
    let mut all = BTreeSet::new();
    for each in call.each.iter().filter(|each| each.of == earlier.form) {
        let list = match each.list {
            "" => std::slice::from_ref(answer),
            name => answer.get(name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default(),
        };
        for element in list.iter().filter(|element| counts(each, element, region)) {
            if let Some(parameters) = taken(each, asked, element) {
                all.extend(completed(call, parameters));
            }
        }
    }
    all
}

/// Whether the names in an answer that become paths and hosts are what they have to be.
pub(crate) fn is_sound(call: &Call, answer: &Value) -> bool {
    let all = |list: &str, member: &str, fits: fn(&str) -> bool| {
        let list = answer.get(list).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        list.iter().filter_map(|element| element.get(member)).all(|name| name.as_str().is_some_and(fits))
    };
    match call.form {
        Form::Regions => all("Regions", "RegionName", is_region),
        Form::OrgAccounts => all("Accounts", "Id", is_account),
        _ => true,
    }
}

/// Whether a text can be the name of a region.
pub(crate) fn is_region(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    !text.is_empty() && text.len() <= 40 && text.bytes().all(fits) && !text.starts_with('-') && !text.ends_with('-')
}

fn counts(each: &Each, element: &Value, region: &str) -> bool {
    match each.only {
        Only::All => true,
        // What does not say where it lives is asked about where it was found.
        Only::Here(pointer) => element.pointer(pointer).and_then(Value::as_str).is_none_or(|home| home == region),
        Only::AgentRoles => trusts_an_agent_service(element),
    }
}

fn trusts_an_agent_service(role: &Value) -> bool {
    fn each(value: Option<&Value>) -> &[Value] {
        match value {
            Some(Value::Array(all)) => all,
            Some(one) => std::slice::from_ref(one),
            None => &[],
        }
    }
    each(role.pointer("/AssumeRolePolicyDocument/Statement"))
        .iter()
        .flat_map(|statement| each(statement.pointer("/Principal/Service")))
        .any(|service| service.as_str().is_some_and(is_agent_service))
}

/// `None` where the element lacks what the call needs.
fn taken(each: &Each, asked: &Parameters, element: &Value) -> Option<Parameters> {
    let mut parameters = Parameters::new();
    for name in each.keep {
        parameters.insert((*name).to_owned(), asked.get(*name)?.clone());
    }
    for (name, pointer) in each.take {
        let text = element.pointer(pointer)?.as_str().filter(|text| !text.is_empty())?;
        parameters.insert((*name).to_owned(), text.to_owned());
    }
    Some(parameters)
}

fn completed(call: &Call, parameters: Parameters) -> impl Iterator<Item = Parameters> {
    let mut parameters = parameters;
    parameters.extend(call.fixed.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    let values = call.vary.map(|(name, values)| values.iter().map(move |value| (name, *value))).into_iter().flatten();
    let mut all: Vec<Parameters> = values
        .map(|(name, value)| {
            let mut parameters = parameters.clone();
            parameters.insert(name.to_owned(), value.to_owned());
            parameters
        })
        .collect();
    if all.is_empty() {
        all.push(parameters);
    }
    all.into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::table::calls;

    fn call(operation: &str) -> &'static Call {
        calls().find(|call| call.operation == operation).unwrap()
    }

    fn asked(pairs: &[(&str, &str)]) -> Parameters {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn follow(operation: &str, earlier: &str, with: &[(&str, &str)], answer: Value) -> Vec<Parameters> {
        following(call(operation), call(earlier), &asked(with), &answer, "eu-west-1").into_iter().collect()
    }

    #[test]
    fn parameters_come_from_elements_answers_and_the_question_before() {
        let users = serde_json::json!({"UserDetailList": [{"UserName": "b"}, {"UserName": "a"}, {"Arn": "x"}]});
        let keys = follow("ListAccessKeys", "GetAccountAuthorizationDetails", &[], users);
        assert_eq!(keys, [asked(&[("UserName", "a")]), asked(&[("UserName", "b")])]);
        let accounts = serde_json::json!({"AccountIds": ["111122223333"]});
        let with = [("InstanceArn", "i"), ("PermissionSetArn", "p")];
        let assigned = follow("ListAccountAssignments", "ListAccountsForProvisionedPermissionSet", &with, accounts);
        assert_eq!(
            assigned,
            [asked(&[("AccountId", "111122223333"), ("InstanceArn", "i"), ("PermissionSetArn", "p")])]
        );
        let roots = serde_json::json!({"Roots": [{"Id": "r-1"}]});
        assert_eq!(follow("ListPoliciesForTarget", "ListRoots", &[], roots).len(), 2, "one for each kind of policy");
    }

    #[test]
    fn what_becomes_a_path_or_a_host_is_looked_at() {
        use crate::collect::table::regions;
        for (call, answer, sound) in [
            (regions(), serde_json::json!({"Regions": [{"RegionName": "eu-west-1"}]}), true),
            (regions(), serde_json::json!({"Regions": [{"RegionName": "eu-west-1.evil.example/"}]}), false),
            (regions(), serde_json::json!({"Regions": [{"RegionName": "../x"}]}), false),
            (call("ListAccounts"), serde_json::json!({"Accounts": [{"Id": "111122223333"}]}), true),
            (call("ListAccounts"), serde_json::json!({"Accounts": [{"Id": "../../etc"}]}), false),
            (call("ListAccounts"), serde_json::json!({"Accounts": [{"Id": 1}]}), false),
        ] {
            assert_eq!(is_sound(call, &answer), sound, "{answer}");
        }
    }

    #[test]
    fn only_agents_roles_and_trails_that_live_here_are_asked_about() {
        let role = |service: &str| {
            serde_json::json!({"Arn": service, "AssumeRolePolicyDocument": {"Statement":
                {"Principal": {"Service": service}}}})
        };
        let roles = serde_json::json!({"RoleDetailList":
            [role("bedrock.amazonaws.com"), role("ec2.amazonaws.com"), {"Arn": "bare"}]});
        let asked = follow("GenerateServiceLastAccessedDetails", "GetAccountAuthorizationDetails", &[], roles);
        assert_eq!(asked.len(), 1);
        assert_eq!(asked[0]["Arn"], "bedrock.amazonaws.com");
        let trails = serde_json::json!({"trailList": [{"TrailARN": "a", "HomeRegion": "us-east-1"},
            {"TrailARN": "b", "HomeRegion": "eu-west-1"}, {"TrailARN": "c"}]});
        assert_eq!(follow("GetTrailStatus", "DescribeTrails", &[], trails).len(), 2);
    }
}
