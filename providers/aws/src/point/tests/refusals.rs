//! What is not understood is refused, with its place and what to do.

use serde_json::{Value, json};

use super::{Ask, Decider, OBJECT, USER, policy};

fn refusal_of(line: &str) -> (String, String) {
    let refusal = Decider::default().answer(line).expect_err(line);
    assert!(!refusal.remedy.is_empty(), "{refusal:?}");
    (refusal.at, refusal.message)
}

fn ask() -> Ask {
    Ask::new(USER, "s3:GetObject", OBJECT)
}

/// Where a request is refused.
fn at(ask: &Ask) -> String {
    refusal_of(&ask.0.to_string()).0
}

#[test]
fn what_is_no_request_is_refused() {
    for (line, at) in [
        ("", ""),
        ("nonsense", ""),
        ("[]", ""),
        ("{", ""),
        ("{}", ""),
        (r#"{"request":1}"#, "/request"),
        (r#"{"request":{"principal":"lambda.amazonaws.com"}}"#, "/request"),
        (r#"{"request":{"principal":1,"action":"s3:GetObject"}}"#, "/request/principal"),
        (r#"{"request":{"principal":{"type":"Martian"},"action":"s3:GetObject"}}"#, "/request/principal/type"),
    ] {
        let found = refusal_of(line).0;
        assert!(found == at || (at.ends_with("/type") && at.starts_with(&found)), "{line}: {found}");
    }
}

#[test]
fn unknown_members_are_refused_where_they_stand() {
    let line = ask().with("resource_polices", json!({})).0.to_string();
    assert_eq!(refusal_of(&line).0, "/resource_polices");
    let mut inner = ask();
    inner.0["request"]["acction"] = json!("x");
    assert_eq!(at(&inner), "/request/acction");
    let policy = ask().with("identity_policies", json!([{ "name": "a", "policy": policy(""), "sid": 1 }]));
    assert_eq!(at(&policy), "/identity_policies/0/sid");
    assert_eq!(at(&ask().with("mode", json!("guess"))), "/mode");
}

#[test]
fn actions_resources_principals_and_accounts_are_looked_at() {
    for action in ["s3:GetObjct", "s3", "s3:*", "", "deeplens:CreateProject"] {
        assert_eq!(at(&Ask::new(USER, action, OBJECT)), "/request/action", "{action}");
    }
    for resource in [
        "b/x",
        "arn:aws:s3",
        "",
        "s3:::b",
        "arn:aws:s3:::",
        "arn:aws::::b",
        "arn:gcp:s3:::b/x",
        "arn:aws:sqs:eu-west-1:1234:q",
    ] {
        assert_eq!(at(&Ask::new(USER, "s3:GetObject", resource)), "/request/resource", "{resource}");
    }
    assert_eq!(at(&Ask::new("ann", "s3:GetObject", OBJECT)), "/request/principal");
    assert_eq!(at(&ask().owned_by("1111")), "/request/resource_account");
    let queue = Ask::new(USER, "sqs:SendMessage", "arn:aws:sqs:eu-west-1:444455556666:q").owned_by("111122223333");
    assert_eq!(at(&queue), "/request/resource_account");
    assert_eq!(at(&ask().context("a", json!("x")).context("A", json!("y"))), "/request/context");
    assert_eq!(at(&ask().context("a", json!({}))), "/request/context/a");
}

#[test]
fn a_key_given_twice_is_found_among_very_many() {
    let mut keys: Vec<String> = (0..40_000).map(|n| format!(r#""aws:RequestTag/{n}":"x""#)).collect();
    let line = |keys: &[String]| {
        format!(r#"{{"request":{{"principal":"{USER}","action":"s3:GetObject","context":{{{}}}}}}}"#, keys.join(","))
    };
    let decider = Decider::default();
    let begun = std::time::Instant::now();
    assert!(decider.answer(&line(&keys)).is_ok());
    keys.push(r#""AWS:requesttag/7":"y""#.to_owned());
    let (at, message) = refusal_of(&line(&keys));
    assert_eq!(at, "/request/context");
    assert!(message.contains("`aws:requesttag/7`"), "{message}");
    // Each pair compared, it takes some ten times as long even without a debugger's checks.
    assert!(begun.elapsed().as_secs() < 3, "{:?}", begun.elapsed());
}

#[test]
fn policies_are_looked_at_statement_by_statement() {
    let refused = |statement: Value| {
        let listed = ask().with(
            "identity_policies",
            json!([
                { "name": "good", "policy": policy("") },
                { "name": "bad", "policy": { "Version": "2012-10-17", "Statement": [statement] } },
            ]),
        );
        let at = at(&listed);
        at.strip_prefix("/identity_policies/1/policy/Statement/0").unwrap_or(&at).to_owned()
    };
    let with = |member: &str, value: Value| {
        let mut statement = json!({ "Effect": "Allow", "Action": "s3:*", "Resource": "*" });
        statement[member] = value;
        statement
    };
    for (statement, at) in [
        (with("Conditions", json!({})), "/Conditions"),
        (with("Effect", json!("allow")), "/Effect"),
        (with("NotAction", json!("s3:*")), ""),
        (with("Action", json!(1)), "/Action"),
        (with("Resource", json!(["*", "b/x"])), "/Resource/1"),
        (with("Condition", json!({ "StringSoundsLike": { "a": "b" } })), "/Condition/StringSoundsLike"),
        (with("Condition", json!({ "NullIfExists": { "a": "true" } })), "/Condition/NullIfExists"),
        (
            with("Condition", json!({ "IpAddress": { "aws:SourceIp": "203.0.113.0/33" } })),
            "/Condition/IpAddress/aws:SourceIp",
        ),
        (
            with("Condition", json!({ "NotIpAddress": { "k": ["203.0.113.0/24", "home"] } })),
            "/Condition/NotIpAddress/k/1",
        ),
        (
            with("Condition", json!({ "StringEquals": { "aws:RequestTag/a": {} } })),
            "/Condition/StringEquals/aws:RequestTag~1a",
        ),
        (with("Condition", json!("x")), "/Condition"),
        (json!({ "Effect": "Allow", "Action": "s3:*" }), ""),
        (json!({ "Effect": "Allow", "Resource": "*" }), ""),
        (json!({ "Action": "*", "Resource": "*" }), ""),
        (json!("x"), ""),
    ] {
        assert_eq!(refused(statement.clone()), at, "{statement}");
    }
}

#[test]
fn principals_are_looked_at_and_refused_where_the_language_has_none() {
    let named = |key: &str, value: Value| {
        let mut statement = json!({ "Effect": "Deny", "Action": "s3:*", "Resource": "*" });
        statement[key] = value;
        json!({ "Statement": [statement] })
    };
    for (value, place) in [
        (json!("ann"), "/Principal"),
        (json!({ "AWS": ["*", "ann"] }), "/Principal/AWS/1"),
        (json!({ "Martian": "x" }), "/Principal/Martian"),
    ] {
        let at = at(&ask().with("resource_policy", named("Principal", value)));
        assert_eq!(at, format!("/resource_policy/Statement/0{place}"));
    }
    let list = |member: &str, document: &Value| {
        let policies = json!([{ "policy": document }]);
        let levels = member.contains("control");
        let at = if levels { format!("/{member}/0/policies/0/policy") } else { format!("/{member}/0/policy") };
        (ask().with(member, if levels { json!([{ "policies": policies }]) } else { policies }), at)
    };
    for key in ["Principal", "NotPrincipal"] {
        let star = named(key, json!("*"));
        for member in ["identity_policies", "permissions_boundaries", "session_policies", "service_control_policies"] {
            let (asked, place) = list(member, &star);
            assert_eq!(at(&asked), format!("{place}/Statement/0/{key}"));
        }
        assert!(list("endpoint_policies", &star).0.answer().is_ok());
        assert!(ask().with("resource_policy", star).answer().is_ok());
    }
    let organisation = |key: &str, value: Value| list("resource_control_policies", &named(key, value)).0;
    for value in [json!("*"), json!({ "AWS": "*" })] {
        assert!(organisation("Principal", value).answer().is_ok());
    }
    for (key, value) in [
        ("Principal", json!(USER)),
        ("Principal", json!({ "AWS": USER })),
        ("Principal", json!({ "AWS": "*", "Service": "s3.amazonaws.com" })),
        ("NotPrincipal", json!("*")),
    ] {
        let expected = format!("/resource_control_policies/0/policies/0/policy/Statement/0/{key}");
        assert_eq!(at(&organisation(key, value)), expected);
    }
}

#[test]
fn documents_are_looked_at_in_every_place() {
    let bad = json!({ "Statement": [], "Comment": "x" });
    let named = json!([{ "name": "a", "policy": bad }]);
    let levels = json!([{ "level": "r-1", "policies": [] }, { "level": "a", "policies": named }]);
    for (member, value, expected) in [
        ("identity_policies", &named, "/identity_policies/0/policy/Comment"),
        ("permissions_boundaries", &named, "/permissions_boundaries/0/policy/Comment"),
        ("session_policies", &named, "/session_policies/0/policy/Comment"),
        ("endpoint_policies", &named, "/endpoint_policies/0/policy/Comment"),
        ("resource_policy", &bad, "/resource_policy/Comment"),
        ("service_control_policies", &levels, "/service_control_policies/1/policies/0/policy/Comment"),
        ("resource_control_policies", &levels, "/resource_control_policies/1/policies/0/policy/Comment"),
    ] {
        assert_eq!(at(&ask().with(member, value.clone())), expected);
    }
    for (document, expected) in [
        (json!({ "Version": "2020-01-01", "Statement": [] }), "/resource_policy/Version"),
        (json!({ "Version": "2012-10-17" }), "/resource_policy"),
        (json!({ "Statement": "x" }), "/resource_policy/Statement"),
        (json!({ "Statement": { "Effect": "Maybe", "Action": "*" } }), "/resource_policy/Statement/Effect"),
        (json!([]), "/resource_policy"),
    ] {
        assert_eq!(at(&ask().with("resource_policy", document)), expected);
    }
}

#[test]
fn a_refused_document_is_refused_again_and_in_its_own_place() {
    let decider = Decider::default();
    let bad = json!({ "Statement": [], "Comment": "x" });
    for (member, value) in [("resource_policy", bad.clone()), ("session_policies", json!([{ "policy": bad }]))] {
        for _ in 0..2 {
            let refusal = decider.answer(&ask().with(member, value.clone()).0.to_string()).unwrap_err();
            assert!(refusal.at.starts_with(&format!("/{member}")) && refusal.at.ends_with("/Comment"), "{refusal:?}");
        }
    }
}

#[test]
fn absent_null_and_empty_are_the_same_and_names_may_be_missing() {
    let all = policy(r#"{"Effect":"Allow","Action":"*","Resource":"*"}"#);
    let mut asked = ask().with("identity_policies", json!([{ "policy": all }]));
    for member in ["permissions_boundaries", "session_policies", "endpoint_policies", "resource_policy"] {
        asked = asked.with(member, Value::Null);
    }
    asked = asked.with("service_control_policies", Value::Null).with("resource_control_policies", json!([]));
    let answer = asked.answer().unwrap();
    assert_eq!(answer["decision"], "allowed");
    assert_eq!(answer["matched"][0]["policy"], "identity_policies/0");
}
