//! What in a policy AWS would refuse or never match, with its place.
//!
//! A reader of exports takes policies as they come, because AWS took them; whoever writes a request is told.

use std::net::IpAddr;

use evenhand_model::decide::{Refusal, plain, step};
use serde_json::{Map, Value};

use super::principal::is_account;
use crate::policy::PolicyRole;
use crate::policy::document::split_operator;
use crate::policy::operator::{Operator, is_address};

/// Checks a document.
pub(super) fn check(role: PolicyRole, text: &str) -> Result<(), Refusal> {
    let value: Value = serde_json::from_str(text)
        .map_err(|error| Refusal::new("", format!("this is no policy: {}", plain(&error)), "write a JSON object"))?;
    let Value::Object(policy) = &value else {
        return Err(Refusal::new("", "this is no policy, but something else than an object", "write a JSON object"));
    };
    for (key, value) in policy {
        match (key.as_str(), value) {
            ("Version", Value::String(version)) if version == "2012-10-17" || version == "2008-10-17" => {}
            ("Version", other) => {
                return Err(Refusal::new(
                    step("Version"),
                    format!("the language has no version `{}`", shown(other)),
                    "write `2012-10-17`, or `2008-10-17` for policies without variables",
                ));
            }
            ("Id" | "Statement", _) => {}
            (other, _) => return Err(unknown(&step(other), other, "Version, Id, Statement")),
        }
    }
    match policy.get("Statement") {
        Some(Value::Object(only)) => statement(role, only, &step("Statement")),
        Some(Value::Array(statements)) => statements.iter().enumerate().try_for_each(|(number, value)| match value {
            Value::Object(one) => statement(role, one, &format!("/Statement/{number}")),
            _ => Err(Refusal::new(format!("/Statement/{number}"), "a statement is an object", "write it as one")),
        }),
        Some(_) => Err(Refusal::new(step("Statement"), "`Statement` is neither an object nor a list", "write a list")),
        None => Err(Refusal::new("", "the policy has no `Statement`", "add one, if need be an empty list")),
    }
}

const ELEMENTS: &str = "Sid, Effect, Principal, NotPrincipal, Action, NotAction, Resource, NotResource, Condition";

fn statement(role: PolicyRole, statement: &Map<String, Value>, at: &str) -> Result<(), Refusal> {
    for (key, value) in statement {
        let at = format!("{at}{}", step(key));
        match key.as_str() {
            "Effect" if !matches!(value.as_str(), Some("Allow" | "Deny")) => {
                return Err(Refusal::new(
                    at,
                    format!("`{}` is no effect", shown(value)),
                    "write `Allow` or `Deny`; their case matters",
                ));
            }
            "Sid" | "Effect" => {}
            "Principal" | "NotPrincipal" => {
                may_name(role, key, value, &at)?;
                principals(value, &at)?;
            }
            "Action" | "NotAction" => texts(value, &at, |_, _| Ok(()))?,
            "Resource" | "NotResource" => texts(value, &at, resource)?,
            "Condition" => conditions(value, &at)?,
            other => return Err(unknown(&at, other, ELEMENTS)),
        }
    }
    for (one, other, needed) in [
        ("Effect", "Effect", true),
        ("Action", "NotAction", true),
        ("Principal", "NotPrincipal", false),
        // Trust policies mean the role that they stand on; so do some policies of resources.
        ("Resource", "NotResource", !matches!(role, PolicyRole::Trust | PolicyRole::Resource)),
    ] {
        let held = [one, other].iter().filter(|key| statement.contains_key(**key)).count();
        if held == 0 && needed {
            return Err(Refusal::new(at, format!("the statement has no `{one}`"), "add it"));
        }
        if held == 2 && one != other {
            return Err(Refusal::new(at, format!("the statement has both `{one}` and `{other}`"), "keep one of them"));
        }
    }
    Ok(())
}

/// Refuses principals where the language has none: policies of principals and organisations mean those that they are
/// attached to, and resource control policies everybody.
fn may_name(role: PolicyRole, key: &str, value: &Value, at: &str) -> Result<(), Refusal> {
    let place = match role {
        PolicyRole::Resource | PolicyRole::Trust | PolicyRole::Endpoint => return Ok(()),
        PolicyRole::ResourceControl => {
            let is_everybody = |value: &Value| value == "*" || value.get("AWS").is_some_and(|name| name == "*");
            if key == "Principal" && is_everybody(value) && value.as_object().is_none_or(|kinds| kinds.len() == 1) {
                return Ok(());
            }
            return Err(Refusal::new(
                at,
                "a resource control policy names no principals",
                "write `\"Principal\": \"*\"`, and limit whom it means by a condition such as on `aws:PrincipalArn`",
            ));
        }
        PolicyRole::Identity => "a policy of a principal or session",
        PolicyRole::ServiceControl => "a service control policy",
    };
    Err(Refusal::new(
        at,
        format!("{place} has no `{key}`"),
        "leave it out, or give the document as `resource_policy` if it is one",
    ))
}

fn unknown(at: &str, key: &str, known: &str) -> Refusal {
    Refusal::new(at, format!("the policy language has no element `{key}` here"), format!("known here: {known}"))
}

/// A value, for people.
fn shown(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Looks at a text or a list of texts.
fn texts(value: &Value, at: &str, look: impl Fn(&str, &str) -> Result<(), Refusal>) -> Result<(), Refusal> {
    match value {
        Value::String(text) => look(text, at),
        Value::Array(list) => list.iter().enumerate().try_for_each(|(number, one)| {
            let at = format!("{at}/{number}");
            match one {
                Value::String(text) => look(text, &at),
                _ => Err(Refusal::new(at, format!("`{}` is no text", shown(one)), "write a text")),
            }
        }),
        _ => Err(Refusal::new(at, "this is neither a text nor a list of texts", "write one of them")),
    }
}

/// Refuses what is no resource name in any place; short names have rules of their own and are let pass.
fn resource(text: &str, at: &str) -> Result<(), Refusal> {
    let may_be_name = text == "*" || text.starts_with("arn:") || text.starts_with("${") || {
        // A wildcard may stand for any part of the beginning.
        let head = text.split(':').next().unwrap_or_default();
        head.contains(['*', '?'])
    };
    if may_be_name {
        return Ok(());
    }
    Err(Refusal::new(
        at,
        format!("`{text}` is no resource name"),
        "write it as `arn:aws:service:region:account:resource`, or `*`",
    ))
}

fn principals(value: &Value, at: &str) -> Result<(), Refusal> {
    match value {
        // A bare name is one of the kind `AWS`.
        Value::String(_) | Value::Array(_) => texts(value, at, principal),
        Value::Object(kinds) => kinds.iter().try_for_each(|(kind, names)| {
            let at = format!("{at}{}", step(kind));
            match kind.as_str() {
                "AWS" => texts(names, &at, principal),
                "Service" | "Federated" | "CanonicalUser" => texts(names, &at, |_, _| Ok(())),
                other => Err(Refusal::new(
                    at,
                    format!("there are no principals of the kind `{other}`"),
                    "known kinds: AWS, Service, Federated, CanonicalUser",
                )),
            }
        }),
        _ => Err(Refusal::new(
            at,
            format!("`{}` is no principal", shown(value)),
            "write `*`, or principals by kind as in {\"AWS\": \"arn:aws:iam::account:role/name\"}",
        )),
    }
}

/// A name of the kind `AWS`: everybody, an account, an ARN, or the unique id that AWS leaves of a deleted principal.
fn principal(text: &str, at: &str) -> Result<(), Refusal> {
    let is_id = text.len() >= 16 && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    let is_arn = crate::policy::arn::split(text).is_some_and(|[arn, ..]| arn == "arn");
    if text == "*" || is_account(text) || is_arn || is_id {
        return Ok(());
    }
    Err(Refusal::new(
        at,
        format!("`{text}` is no principal"),
        "write `*`, an account of twelve digits, or the ARN of a user, role or session",
    ))
}

fn conditions(value: &Value, at: &str) -> Result<(), Refusal> {
    let object = |value: &'_ Value, at: &str| -> Result<Map<String, Value>, Refusal> {
        match value {
            Value::Object(object) => Ok(object.clone()),
            _ => Err(Refusal::new(at, "a condition is operators, then keys, then values", "write nested objects")),
        }
    };
    for (written, keys) in object(value, at)? {
        let at = format!("{at}{}", step(&written));
        let Some(operator) = split_operator(&written).1 else {
            return Err(Refusal::new(
                at,
                format!("there is no condition operator `{written}`"),
                "see \"IAM JSON policy elements: Condition operators\" for those that there are",
            ));
        };
        for (key, values) in object(&keys, &at)? {
            let at = format!("{at}{}", step(&key));
            let one = |value: &Value, at: &str| match value {
                Value::String(text) if matches!(operator, Operator::IpAddress { .. }) => address(text, at),
                Value::String(_) | Value::Number(_) | Value::Bool(_) => Ok(()),
                _ => Err(Refusal::new(
                    at,
                    format!("`{}` is no value", shown(value)),
                    "write a text, number or truth value",
                )),
            };
            match &values {
                Value::Array(list) => {
                    list.iter().enumerate().try_for_each(|(number, value)| one(value, &format!("{at}/{number}")))?
                }
                only => one(only, &at)?,
            }
        }
    }
    Ok(())
}

fn address(text: &str, at: &str) -> Result<(), Refusal> {
    if text.contains("${") || is_address(text) {
        return Ok(());
    }
    let remedy = match text.split_once('/').map(|(address, _)| address.parse::<IpAddr>()) {
        Some(Ok(IpAddr::V4(_))) => "the length after the slash is a number from 0 to 32",
        Some(Ok(IpAddr::V6(_))) => "the length after the slash is a number from 0 to 128",
        _ => "write it as `203.0.113.0/24` or `2001:db8::/32`",
    };
    Err(Refusal::new(at, format!("`{text}` is no address range"), remedy))
}
