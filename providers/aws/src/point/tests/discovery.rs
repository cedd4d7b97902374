//! Under which missing context keys a request would be allowed.

use serde_json::{Value, json};

use super::{Ask, OBJECT, OTHER, USER, aws};

fn ask(statements: &str) -> Ask {
    Ask::new(USER, "s3:GetObject", OBJECT).with("mode", json!("discover")).identity(statements)
}

fn on(condition: &str) -> String {
    format!(r#"{{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{condition}}}"#)
}

fn keys(answer: &Value) -> Vec<&str> {
    answer["missing_keys"].as_array().unwrap().iter().filter_map(Value::as_str).collect()
}

#[test]
fn keys_that_the_decision_hangs_on_are_named() {
    let answer = ask(&on(r#"{"Bool":{"aws:SecureTransport":"true"},"StringEquals":{"aws:username":"ann"}}"#))
        .scp(
            r#"{"Effect":"Allow","Action":"*","Resource":"*"},
            {"Effect":"Deny","Action":"*","Resource":"*","Condition":{"StringNotEquals":{"aws:RequestedRegion":"eu-west-1"}}}"#,
        )
        .answer()
        .unwrap();
    assert_eq!(answer["decision"], "conditional");
    assert_eq!(keys(&answer), ["aws:requestedregion", "aws:securetransport"]);
    let conditions = answer["conditions"].as_array().unwrap();
    assert_eq!(conditions.len(), 2, "{conditions:?}");
    assert!(conditions[1].as_str().unwrap().starts_with("scp: unless ("), "{conditions:?}");
}

#[test]
fn variables_that_have_no_value_are_keys_too() {
    let answer = ask(r#"{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::${aws:PrincipalTag/team}/*"}"#)
        .answer()
        .unwrap();
    assert_eq!((answer["decision"].as_str(), keys(&answer)), (Some("conditional"), vec!["aws:principaltag/team"]));
    let answer = ask(&on(r#"{"StringEquals":{"aws:username":"${saml:sub}"}}"#)).answer().unwrap();
    assert_eq!(keys(&answer), ["saml:sub"]);
}

#[test]
fn what_no_context_changes_is_decided() {
    let all = r#"{"Effect":"Allow","Action":"*","Resource":"*"}"#;
    for (statements, decision) in [
        (all.to_owned(), "allowed"),
        (on(r#"{"Bool":{"k":"true"}}"#).replace("s3:*", "sqs:*"), "implicitly_denied"),
        (format!("{all},{}", all.replace("Allow", "Deny")), "explicitly_denied"),
        // Another statement allows it whatever the key is.
        (format!("{},{all}", on(r#"{"Bool":{"k":"true"}}"#)), "allowed"),
    ] {
        let answer = ask(&statements).answer().unwrap();
        assert_eq!(answer["decision"], decision, "{statements}");
        assert_eq!((keys(&answer).len(), answer["conditions"].as_array().unwrap().len()), (0, 0), "{statements}");
    }
    let known = ask(&on(r#"{"Bool":{"k":"true"}}"#)).context("k", json!(false)).answer().unwrap();
    assert_eq!(known["decision"], "implicitly_denied", "a key that is given is known");
}

#[test]
fn alternatives_are_told_as_such_and_what_changes_nothing_is_not() {
    let told = |ask: Ask| {
        let answer = ask.answer().unwrap();
        assert_eq!(answer["decision"], "conditional");
        let texts = answer["conditions"].as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned());
        (texts.collect::<Vec<_>>().join(" / "), keys(&answer).join(" "))
    };
    let bool_of = |key: &str| on(&format!(r#"{{"Bool":{{"{key}":"true"}}}}"#));
    let to_user = |key: &str| {
        format!(
            r#"{{"Effect":"Allow","Principal":{},"Action":"s3:*","Resource":"*","Condition":{{"Bool":{{"{key}":"true"}}}}}}"#,
            aws(USER)
        )
    };
    let sqs = r#"{"Effect":"Allow","Action":"sqs:*","Resource":"*"}"#;
    let either = ask(&bool_of("a")).resource(&to_user("b"));
    for (ask, conditions, missing) in [
        (either.clone(), "a Bool true; or resource: b Bool true", "a b"),
        // Across accounts both are needed.
        (either.clone().owned_by(OTHER), "a Bool true / resource: b Bool true", "a b"),
        // The boundary stops what identity policies give, and not what names the user.
        (either.clone().boundary(sqs), "resource: b Bool true", "b"),
        (
            either.clone().boundary(&bool_of("c")),
            "a Bool true and boundary: c Bool true; or resource: b Bool true",
            "a b c",
        ),
        (either.scp(&bool_of("c")), "a Bool true; or resource: b Bool true / scp: c Bool true", "a b c"),
        // An account in the resource's policy lets identity policies decide, which they do at home anyway.
        (ask(&bool_of("a")).resource(&to_user("b").replace(USER, "111122223333")), "a Bool true", "a"),
        (ask(&format!("{},{}", bool_of("a"), bool_of("b"))), "a Bool true; or b Bool true", "a b"),
    ] {
        assert_eq!(told(ask), (conditions.to_owned(), missing.to_owned()));
    }
}

#[test]
fn the_path_of_a_sessions_role_is_open() {
    let session = "arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_Admin_0123456789abcdef/ann";
    let like = |arn: &str| on(&format!(r#"{{"ArnLike":{{"aws:PrincipalArn":"{arn}"}}}}"#));
    let reserved = "arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/*";
    let ask = Ask::new(session, "s3:GetObject", OBJECT).with("mode", json!("discover")).identity(&like(reserved));
    let answer = ask.answer().unwrap();
    assert_eq!((answer["decision"].as_str(), keys(&answer)), (Some("conditional"), vec!["aws:principalarn"]));
    let given = "arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Admin_0123456789abcdef";
    assert_eq!(ask.context("aws:PrincipalArn", json!(given)).said(), "allowed");
    // A user's name tells all.
    let user = Ask::new(USER, "s3:GetObject", OBJECT).with("mode", json!("discover"));
    assert_eq!(user.identity(&like(reserved)).said(), "implicitly_denied: identity");
}

#[test]
fn without_it_absent_keys_are_absent_and_nothing_is_said_of_them() {
    let answer = ask(&on(r#"{"Bool":{"k":"true"}}"#)).with("mode", json!("decide")).answer().unwrap();
    assert_eq!(answer, json!({ "decision": "implicitly_denied", "blocked_by": ["identity"], "matched": [] }));
}
