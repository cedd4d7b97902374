//! Under which missing context keys a request would be allowed.

use serde_json::{Value, json};

use super::{Ask, OBJECT, USER};

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
fn without_it_absent_keys_are_absent_and_nothing_is_said_of_them() {
    let answer = ask(&on(r#"{"Bool":{"k":"true"}}"#)).with("mode", json!("decide")).answer().unwrap();
    assert_eq!(answer, json!({ "decision": "implicitly_denied", "blocked_by": ["identity"], "matched": [] }));
}
