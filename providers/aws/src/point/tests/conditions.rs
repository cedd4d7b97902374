//! Condition blocks.

use serde_json::{Value, json};

use super::{Ask, OBJECT, USER, hold};

/// Whether a condition holds for a request with a context.
fn holds(condition: &str, context: Value) -> bool {
    let mut ask = Ask::new(USER, "s3:GetObject", OBJECT)
        .identity(&format!(r#"{{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{condition}}}"#));
    for (key, value) in context.as_object().unwrap() {
        ask = ask.context(key, value.clone());
    }
    match ask.said().as_str() {
        "allowed" => true,
        "implicitly_denied: identity" => false,
        other => panic!("{other}"),
    }
}

#[test]
fn operators_and_keys_are_joined_by_and_and_values_by_or() {
    let both = r#"{"StringEquals":{"a":["1","2"],"b":"x"},"Bool":{"c":"true"}}"#;
    for (context, expected) in [
        (json!({"a": "1", "b": "x", "c": true}), true),
        (json!({"a": "2", "b": "x", "c": "true"}), true),
        (json!({"a": "3", "b": "x", "c": true}), false),
        (json!({"a": "1", "b": "y", "c": true}), false),
        (json!({"a": "1", "b": "x", "c": false}), false),
        (json!({"a": "1", "b": "x"}), false),
    ] {
        assert_eq!(holds(both, context.clone()), expected, "{context}");
    }
    // Negated: none of them.
    for (value, expected) in [("1", false), ("2", false), ("3", true)] {
        assert_eq!(holds(r#"{"StringNotEquals":{"a":["1","2"]}}"#, json!({"a": value})), expected, "{value}");
    }
}

#[test]
fn keys_are_compared_without_regard_to_case_and_values_with() {
    assert!(holds(r#"{"StringEquals":{"AWS:RequestTag/Team":"x"}}"#, json!({"aws:requesttag/team": "x"})));
    assert!(!holds(r#"{"StringEquals":{"aws:RequestTag/team":"X"}}"#, json!({"aws:RequestTag/team": "x"})));
}

#[test]
fn a_key_with_no_values_is_absent() {
    for (condition, expected) in [
        (r#"{"Null":{"k":"true"}}"#, true),
        (r#"{"Null":{"k":"false"}}"#, false),
        (r#"{"ForAnyValue:Null":{"k":"true"}}"#, true),
        (r#"{"StringNotEquals":{"k":"a"}}"#, true),
        (r#"{"StringEquals":{"k":"a"}}"#, false),
    ] {
        assert_eq!(holds(condition, json!({"k": []})), expected, "{condition}");
    }
}

#[test]
fn an_absent_key_decides_by_the_kind_of_operator() {
    for (condition, expected) in [
        (r#"{"StringEquals":{"k":"a"}}"#, false),
        (r#"{"StringLike":{"k":"*"}}"#, false),
        (r#"{"StringNotEquals":{"k":"a"}}"#, true),
        (r#"{"NumericNotEquals":{"k":"1"}}"#, true),
        (r#"{"NotIpAddress":{"k":"203.0.113.0/24"}}"#, true),
        (r#"{"ArnNotLike":{"k":"arn:aws:iam::1:role/a"}}"#, true),
        (r#"{"Bool":{"k":"false"}}"#, false),
        (r#"{"StringEqualsIfExists":{"k":"a"}}"#, true),
        (r#"{"BoolIfExists":{"k":"true"}}"#, true),
        (r#"{"Null":{"k":"true"}}"#, true),
        (r#"{"Null":{"k":"false"}}"#, false),
        (r#"{"ForAllValues:StringEquals":{"k":"a"}}"#, true),
        (r#"{"ForAnyValue:StringEquals":{"k":"a"}}"#, false),
        (r#"{"ForAnyValue:StringNotEquals":{"k":"a"}}"#, false),
        (r#"{"ForAnyValue:StringEqualsIfExists":{"k":"a"}}"#, true),
    ] {
        assert_eq!(holds(condition, json!({})), expected, "{condition}");
        // An empty list is no value.
        assert_eq!(
            holds(condition, json!({"k": []})) && !condition.contains("Null"),
            expected && !condition.contains("Null"),
            "[] {condition}"
        );
    }
}

#[test]
fn set_operators_look_at_every_value_and_others_at_one() {
    for (condition, values, expected) in [
        (r#"{"ForAllValues:StringEquals":{"k":["a","b"]}}"#, json!(["a", "b"]), true),
        (r#"{"ForAllValues:StringEquals":{"k":["a","b"]}}"#, json!(["a", "c"]), false),
        (r#"{"ForAnyValue:StringEquals":{"k":["a","b"]}}"#, json!(["a", "c"]), true),
        (r#"{"ForAnyValue:StringEquals":{"k":["a","b"]}}"#, json!(["c"]), false),
        (r#"{"ForAnyValue:StringLike":{"k":"a*"}}"#, json!("ab"), true),
        (r#"{"ForAllValues:StringEquals":{"k":"a"}}"#, json!("a"), true),
        (r#"{"StringEquals":{"k":"a"}}"#, json!(["a", "b"]), false),
        (r#"{"StringNotEquals":{"k":"x"}}"#, json!(["a", "b"]), false),
        (r#"{"ForAllValues:Null":{"k":"false"}}"#, json!(["a"]), true),
        (r#"{"ForAnyValue:Null":{"k":"true"}}"#, json!(["a"]), false),
    ] {
        assert_eq!(holds(condition, json!({"k": values})), expected, "{condition} {values}");
    }
}

#[test]
fn each_family_compares_as_documented() {
    for (condition, value, expected) in [
        (r#"{"StringEquals":{"k":"a*"}}"#, json!("ab"), false),
        (r#"{"StringEquals":{"k":"a*"}}"#, json!("a*"), true),
        (r#"{"StringLike":{"k":"a?c*"}}"#, json!("abcd"), true),
        (r#"{"StringNotLike":{"k":"a*"}}"#, json!("b"), true),
        (r#"{"StringEqualsIgnoreCase":{"k":"AB"}}"#, json!("ab"), true),
        (r#"{"StringEqualsIgnoreCase":{"k":"A*"}}"#, json!("ab"), false),
        (r#"{"StringNotEqualsIgnoreCase":{"k":"AB"}}"#, json!("ab"), false),
        (r#"{"NumericEquals":{"k":"10"}}"#, json!("10.0"), true),
        (r#"{"NumericLessThanEquals":{"k":10}}"#, json!(10), true),
        (r#"{"NumericGreaterThan":{"k":"9"}}"#, json!(10.5), true),
        (r#"{"NumericEquals":{"k":"ten"}}"#, json!("ten"), false),
        (r#"{"NumericNotEquals":{"k":"10"}}"#, json!("ten"), false),
        (r#"{"DateGreaterThan":{"k":"2026-01-01"}}"#, json!("2026-01-01T00:00:01Z"), true),
        (r#"{"DateLessThan":{"k":"2026-01-01T00:00:00Z"}}"#, json!("1767225599000"), true),
        (r#"{"DateEquals":{"k":"2026-01-01"}}"#, json!(1_767_225_600_000_u64), true),
        (r#"{"DateNotEquals":{"k":"2026-01-01"}}"#, json!("soon"), false),
        (r#"{"Bool":{"k":"TRUE"}}"#, json!(true), true),
        (r#"{"Bool":{"k":"yes"}}"#, json!("yes"), false),
        (r#"{"BinaryEquals":{"k":"QmFzZTY0"}}"#, json!("QmFzZTY0"), true),
        (r#"{"BinaryEquals":{"k":"QmFzZTY0"}}"#, json!("qmFzZTY0"), false),
        (r#"{"IpAddress":{"k":"203.0.113.0/24"}}"#, json!("203.0.113.255"), true),
        (r#"{"IpAddress":{"k":["198.51.100.7","203.0.113.0/24"]}}"#, json!("198.51.100.7"), true),
        (r#"{"IpAddress":{"k":"2001:db8::/32"}}"#, json!("2001:db8:ffff::1"), true),
        (r#"{"IpAddress":{"k":"203.0.113.0/24"}}"#, json!("2001:db8::1"), false),
        (r#"{"NotIpAddress":{"k":"203.0.113.0/24"}}"#, json!("2001:db8::1"), true),
        (r#"{"NotIpAddress":{"k":"203.0.113.0/24"}}"#, json!("nowhere"), false),
        (r#"{"ArnEquals":{"k":"arn:aws:iam::*:role/a?"}}"#, json!("arn:aws:iam::111122223333:role/ab"), true),
        (r#"{"ArnLike":{"k":"arn:aws:iam::*:role/A*"}}"#, json!("arn:aws:iam::111122223333:role/ab"), false),
        (r#"{"ArnNotEquals":{"k":"arn:aws:iam::*:role/b"}}"#, json!("arn:aws:iam::111122223333:role/a"), true),
    ] {
        assert_eq!(holds(condition, json!({"k": value})), expected, "{condition} {value}");
    }
}

#[test]
fn variables_stand_in_values_and_one_without_value_fails_every_operator() {
    for (condition, value, expected) in [
        (r#"{"StringEquals":{"k":"${aws:username}"}}"#, "ann", true),
        (r#"{"StringLike":{"k":"home/${aws:username}/*"}}"#, "home/ann/x", true),
        (r#"{"StringEquals":{"k":"${x, 'none'}"}}"#, "none", true),
        (r#"{"StringLike":{"k":"a${*}b"}}"#, "axb", false),
        (r#"{"StringLike":{"k":"a${*}b"}}"#, "a*b", true),
        (r#"{"StringEquals":{"k":"${x}"}}"#, "a", false),
        (r#"{"StringNotEquals":{"k":"${x}"}}"#, "a", false),
        (r#"{"ArnNotLike":{"k":"arn:aws:iam::1:role/${x}"}}"#, "arn:aws:iam::1:role/a", false),
        (r#"{"NotIpAddress":{"k":"${x}"}}"#, "203.0.113.1", false),
    ] {
        assert_eq!(holds(condition, json!({"k": value})), expected, "{condition} {value}");
    }
}

#[test]
fn conditions_of_denies_and_of_other_resources_owners_count() {
    let all = r#"{"Effect":"Allow","Action":"*","Resource":"*"}"#;
    let deny = r#"{"Effect":"Deny","Action":"s3:*","NotResource":"arn:aws:s3:::own/*",
        "Condition":{"StringNotEqualsIfExists":{"aws:ResourceOrgID":"o-1"}}}"#;
    let ask = || Ask::new(USER, "s3:GetObject", OBJECT).identity(all).scp(&format!("{all},{deny}"));
    hold(vec![
        (ask(), "explicitly_denied: scp"),
        (ask().context("aws:ResourceOrgID", json!("o-2")), "explicitly_denied: scp"),
        (ask().context("aws:ResourceOrgID", json!("o-1")), "allowed"),
    ]);
}
