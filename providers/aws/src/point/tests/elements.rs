//! Actions, resources, variables and versions.

use serde_json::{Value, json};

use super::{Ask, OBJECT, USER, allow, deny, hold, policy};

const ALL: &str = r#"{"Effect":"Allow","Action":"*","Resource":"*"}"#;

/// Whether identity policies with one statement allow a request.
fn allows(action: &str, resource: &str, statement: &str) -> bool {
    Ask::new(USER, action, resource).identity(statement).said() == "allowed"
}

fn element(effect: &str, action: (&str, Value), resource: (&str, Value)) -> String {
    json!({ "Effect": effect, action.0: action.1, resource.0: resource.1 }).to_string()
}

#[test]
fn actions_match_without_regard_to_case_and_wildcards_stay_in_the_action() {
    for (written, expected) in [
        (json!("s3:GetObject"), true),
        (json!("S3:getobject"), true),
        (json!("s3:Get*"), true),
        (json!("s3:?etObject"), true),
        (json!("*"), true),
        (json!(["sqs:*", "s3:*"]), true),
        (json!("*:GetObject"), false),
        (json!("s*:GetObject"), false),
        (json!(" s3:GetObject"), false),
        (json!("s3:GetObject "), false),
        (json!("s3:"), false),
        (json!("s3:GetObject,s3:PutObject"), false),
        (json!("s3:GetObjects"), false),
    ] {
        let statement = element("Allow", ("Action", written.clone()), ("Resource", json!("*")));
        assert_eq!(allows("s3:GetObject", OBJECT, &statement), expected, "{written}");
    }
    assert!(allows("S3:GETOBJECT", OBJECT, &allow("s3:GetObject", "*")), "the request's case does not matter either");
}

#[test]
fn not_action_is_all_but_and_what_is_badly_written_excludes_nothing() {
    for (written, expected) in [
        (json!("s3:*"), false),
        (json!("sqs:*"), true),
        (json!(["sqs:*", "s3:Get*"]), false),
        (json!(" s3:GetObject"), true),
        (json!("*:GetObject"), true),
        (json!("s3:"), true),
    ] {
        let statement = element("Allow", ("NotAction", written.clone()), ("Resource", json!("*")));
        assert_eq!(allows("s3:GetObject", OBJECT, &statement), expected, "{written}");
    }
}

#[test]
fn resources_match_segment_by_segment() {
    let instance = "arn:aws:ec2:eu-west-1:111122223333:instance/12345";
    for (action, name, written, expected) in [
        ("s3:GetObject", OBJECT, "arn:aws:s3:::b/*", true),
        ("s3:GetObject", OBJECT, "arn:aws:s3:::B/*", false),
        ("s3:GetObject", OBJECT, "arn:aws:s3:::?/x", true),
        ("s3:GetObject", "arn:aws:s3:::b/x/y:z", "arn:aws:s3:::b*z", true),
        ("s3:GetObject", OBJECT, "arn:*:s3:::b/x", true),
        ("s3:GetObject", OBJECT, "arn:aws-cn:s3:::b/x", false),
        ("s3:GetObject", OBJECT, "arn:aws:s3:eu-west-1::b/x", false),
        ("ec2:StopInstances", instance, "arn:aws:ec2:*:*:instance/*", true),
        ("ec2:StopInstances", instance, "arn:aws:ec2:us-*:*:instance/*", false),
        ("ec2:StopInstances", instance, "arn:aws:ec2:*:*:*", true),
        ("ec2:StopInstances", instance, "arn:aws:ec2:*:*:*/*", true),
        ("ec2:StopInstances", instance, "arn:aws:ec2:*:*:*/12345", false),
        ("ec2:StopInstances", instance, "arn:aws:ec2:*:*:inst*/12345", false),
    ] {
        assert_eq!(allows(action, name, &allow(action, written)), expected, "{written} {name}");
    }
}

#[test]
fn not_resource_is_all_but() {
    let but = |written: Value| element("Allow", ("Action", json!("s3:*")), ("NotResource", written));
    assert!(!allows("s3:GetObject", OBJECT, &but(json!("arn:aws:s3:::b/*"))));
    assert!(allows("s3:GetObject", OBJECT, &but(json!("arn:aws:s3:::c/*"))));
    assert!(!allows("s3:GetObject", OBJECT, &but(json!(["arn:aws:s3:::c/*", "arn:aws:s3:::*/x"]))));
    assert!(!allows("s3:GetObject", OBJECT, &but(json!("*"))));
}

#[test]
fn short_names_are_read_by_the_rule_of_their_place() {
    let plain = "arn:aws:s3";
    let wild = "arn:aws:s*";
    let granted = || Ask::new(USER, "s3:GetObject", OBJECT).identity(ALL);
    let on_resource = |written: &str, effect: &str, element: &str| {
        let statement = json!({ "Effect": effect, "Principal": "*", "Action": "s3:*", element: written }).to_string();
        Ask::new(USER, "s3:GetObject", OBJECT).resource(&statement)
    };
    hold(vec![
        (Ask::new(USER, "s3:GetObject", OBJECT).identity(&allow("s3:*", plain)), "allowed"),
        (granted().boundary(&allow("s3:*", plain)), "allowed"),
        (granted().session(&allow("s3:*", plain)), "allowed"),
        (
            granted().endpoint(r#"{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3"}"#),
            "allowed",
        ),
        (on_resource(plain, "Allow", "Resource"), "implicitly_denied: identity"),
        (on_resource(wild, "Allow", "Resource"), "allowed"),
        (granted().scp(&allow("s3:*", plain)), "implicitly_denied: scp"),
        (granted().scp(&allow("s3:*", wild)), "allowed"),
        (granted().scp(ALL).scp(&format!("{ALL},{}", deny("s3:*", "arn:*:s3"))), "allowed"),
        (granted().rcp(r#"{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"arn:aws:s*"}"#), "allowed"),
        // Turned round, a short name makes no statement match, but where it stands plainly on a resource.
        (
            Ask::new(USER, "s3:GetObject", OBJECT)
                .identity(r#"{"Effect":"Allow","Action":"s3:*","NotResource":"arn:aws:sqs"}"#),
            "implicitly_denied: identity",
        ),
        (on_resource("arn:aws:sq*", "Allow", "NotResource"), "implicitly_denied: identity"),
        (on_resource(plain, "Allow", "NotResource"), "allowed"),
    ]);
}

#[test]
fn actions_without_resources_ask_for_a_star() {
    let name = "arn:aws:s3:::b";
    for (element, written, expected) in [
        ("Resource", "*", "allowed"),
        ("Resource", name, "implicitly_denied: identity"),
        ("NotResource", name, "allowed"),
        ("NotResource", "*", "implicitly_denied: identity"),
    ] {
        let statement = json!({ "Effect": "Allow", "Action": "s3:ListAllMyBuckets", element: written }).to_string();
        let ask = Ask::new(USER, "s3:ListAllMyBuckets", "*").identity(&statement);
        assert_eq!(ask.said(), expected, "{element} {written}");
        let against = statement.replace("Allow", "Deny");
        let ask = Ask::new(USER, "s3:ListAllMyBuckets", "*").identity(ALL).identity(&against);
        assert_eq!(ask.said() == "explicitly_denied: identity", expected == "allowed", "Deny {element} {written}");
    }
}

#[test]
fn a_pattern_is_allowed_by_what_it_touches_and_denied_by_what_covers_it() {
    let any = "arn:aws:s3:::b/*";
    let ask = |statements: &str| Ask::new(USER, "s3:GetObject", any).identity(statements).said();
    let but =
        |effect: &str, written: &str| json!({ "Effect": effect, "Action": "s3:*", "NotResource": written }).to_string();
    for (statements, expected) in [
        (allow("s3:*", "arn:aws:s3:::b/x"), "allowed"),
        (allow("s3:*", "arn:aws:s3:::*/x"), "allowed"),
        (allow("s3:*", "arn:aws:s3:::c/*"), "implicitly_denied: identity"),
        (format!("{ALL},{}", deny("s3:*", "arn:aws:s3:::b/x")), "allowed"),
        (format!("{ALL},{}", deny("s3:*", "arn:aws:s3:::b*")), "explicitly_denied: identity"),
        (but("Allow", "arn:aws:s3:::b/x"), "allowed"),
        (but("Allow", "arn:aws:s3:::b/*"), "implicitly_denied: identity"),
        (format!("{ALL},{}", but("Deny", "arn:aws:s3:::b/x")), "allowed"),
        (format!("{ALL},{}", but("Deny", "arn:aws:s3:::c/*")), "explicitly_denied: identity"),
    ] {
        assert_eq!(ask(&statements), expected, "{statements}");
    }
    assert_eq!(Ask::new(USER, "s3:GetObject", "*").identity(&allow("s3:*", "arn:aws:s3:::b/x")).said(), "allowed");
}

#[test]
fn variables_are_put_in_place_and_their_wildcards_are_characters() {
    let own = |written: &str, name: &str| Ask::new(USER, "s3:GetObject", name).identity(&allow("s3:*", written));
    hold(vec![
        (own("arn:aws:s3:::b/${aws:username}/*", "arn:aws:s3:::b/ann/x"), "allowed"),
        (own("arn:aws:s3:::b/${AWS:UserName}/*", "arn:aws:s3:::b/bob/x"), "implicitly_denied: identity"),
        (own("arn:aws:s3:::b/${k}", OBJECT).context("k", json!("x")), "allowed"),
        (own("arn:aws:s3:::b/${k}", OBJECT).context("k", json!("*")), "implicitly_denied: identity"),
        (own("arn:aws:s3:::b/${k}", "arn:aws:s3:::b/a*").context("k", json!("a*")), "allowed"),
        (own("arn:aws:s3:::b/${k}", OBJECT), "implicitly_denied: identity"),
        (own("arn:aws:s3:::b/${k, 'x'}", OBJECT), "allowed"),
        (own("arn:aws:s3:::b/${k,'x'}", OBJECT).context("k", json!("y")), "implicitly_denied: identity"),
        (own("arn:aws:s3:::b/${k}", OBJECT).context("k", json!(["x", "y"])), "implicitly_denied: identity"),
        (own("arn:aws:s3:::b/${k, 'x'}", OBJECT).context("k", json!(["x", "y"])), "implicitly_denied: identity"),
        // `${*}`, `${?}` and `${$}` are the characters.
        (own("arn:aws:s3:::b/${*}", OBJECT), "implicitly_denied: identity"),
        (own("arn:aws:s3:::b/${$}", "arn:aws:s3:::b/$"), "allowed"),
        // A variable without value makes `NotResource` match nothing, too.
        (
            Ask::new(USER, "s3:GetObject", OBJECT)
                .identity(r#"{"Effect":"Allow","Action":"s3:*","NotResource":"arn:aws:s3:::c/${k}"}"#),
            "implicitly_denied: identity",
        ),
        (
            Ask::new(USER, "s3:GetObject", OBJECT).identity(&format!(
                r#"{ALL},{{"Effect":"Deny","Action":"s3:*","NotResource":"arn:aws:s3:::c/${{k}}"}}"#
            )),
            "allowed",
        ),
    ]);
}

#[test]
fn the_older_version_has_no_variables_in_names_or_conditions() {
    let statement = json!({
        "Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::b/${aws:username}",
    });
    let condition = json!({
        "Effect": "Allow", "Action": "s3:*", "Resource": "*",
        "Condition": { "StringEquals": { "k": "${aws:username}" } },
    });
    let ask = |version: Option<&str>, statement: &Value, name: &str, k: &str| {
        let mut document = policy("");
        document["Statement"] = json!([statement]);
        match version {
            Some(version) => document["Version"] = json!(version),
            None => {
                document.as_object_mut().unwrap().remove("Version");
            }
        }
        Ask::new(USER, "s3:GetObject", name)
            .with("identity_policies", json!([{ "name": "p", "policy": document }]))
            .context("k", json!(k))
            .said()
            == "allowed"
    };
    for (version, variables) in [(Some("2012-10-17"), true), (Some("2008-10-17"), false), (None, false)] {
        assert_eq!(ask(version, &statement, "arn:aws:s3:::b/ann", "-"), variables, "{version:?}");
        assert_eq!(ask(version, &statement, "arn:aws:s3:::b/${aws:username}", "-"), !variables, "{version:?}");
        assert_eq!(ask(version, &condition, OBJECT, "ann"), variables, "{version:?}");
        assert_eq!(ask(version, &condition, OBJECT, "${aws:username}"), !variables, "{version:?}");
    }
}
