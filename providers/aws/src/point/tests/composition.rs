//! How the layers are put together.

use serde_json::json;

use super::{Ask, KEY, OBJECT, OTHER, ROLE, SESSION, USER, allow, aws, deny, grant, hold};

const ALL: &str = r#"{"Effect":"Allow","Action":"*","Resource":"*"}"#;
const SQS: &str = r#"{"Effect":"Allow","Action":"sqs:*","Resource":"*"}"#;

fn read(principal: &str) -> Ask {
    Ask::new(principal, "s3:GetObject", OBJECT)
}

fn everybody(action: &str) -> String {
    grant(r#""*""#, action)
}

#[test]
fn an_explicit_deny_in_any_layer_wins() {
    let no = deny("s3:*", "*");
    let both = format!("{ALL},{no}");
    let on_resource = r#"{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*"}"#;
    let granted = || read(USER).identity(ALL);
    hold(vec![
        (granted().identity(&no), "explicitly_denied: identity"),
        (granted().resource(on_resource), "explicitly_denied: resource"),
        (granted().boundary(&both), "explicitly_denied: boundary"),
        (granted().session(&both), "explicitly_denied: session"),
        (granted().scp(ALL).scp(&both), "explicitly_denied: scp"),
        (
            granted().rcp(r#"{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*"}"#),
            "explicitly_denied: rcp",
        ),
        (granted().endpoint(&format!("{},{on_resource}", everybody("s3:*"))), "explicitly_denied: endpoint"),
        // One explicit deny among several layers makes the whole answer explicit; all are told.
        (read(USER).identity(SQS).scp(&both).boundary(SQS), "explicitly_denied: scp, boundary, identity"),
    ]);
}

#[test]
fn at_home_identity_or_resource_is_enough() {
    let to_user = grant(&aws(USER), "s3:*");
    hold(vec![
        (read(USER), "implicitly_denied: identity"),
        (read(USER).identity(ALL), "allowed"),
        (read(USER).resource(&to_user), "allowed"),
        (read(USER).identity(SQS).resource(&to_user), "allowed"),
        (read(ROLE).resource(&grant(&aws(ROLE), "s3:*")), "allowed"),
        (read(USER).resource(&everybody("s3:*")), "allowed"),
    ]);
}

#[test]
fn an_account_in_a_resource_policy_opens_the_door_to_identity_policies_only() {
    for account in ["111122223333", "arn:aws:iam::111122223333:root"] {
        let to_account = grant(&aws(account), "s3:*");
        hold(vec![
            (read(USER).resource(&to_account), "implicitly_denied: identity"),
            (read(USER).resource(&to_account).identity(ALL), "allowed"),
        ]);
    }
}

#[test]
fn across_accounts_both_sides_have_to_allow() {
    let away = || read(USER).owned_by(OTHER);
    hold(vec![
        (away(), "implicitly_denied: identity, resource"),
        (away().identity(ALL), "implicitly_denied: resource"),
        (away().resource(&grant(&aws(USER), "s3:*")), "implicitly_denied: identity"),
        (away().identity(ALL).resource(&grant(&aws(USER), "s3:*")), "allowed"),
        (away().identity(ALL).resource(&grant(&aws("111122223333"), "s3:*")), "allowed"),
        (away().identity(ALL).resource(&everybody("s3:*")), "allowed"),
        (away().identity(ALL).resource(&grant(&aws(OTHER), "s3:*")), "implicitly_denied: resource"),
        // The account also stands in most names.
        (
            Ask::new(USER, "sqs:SendMessage", "arn:aws:sqs:eu-west-1:444455556666:q").identity(ALL),
            "implicitly_denied: resource",
        ),
    ]);
}

#[test]
fn keys_and_roles_ask_for_the_resources_own_policy_even_at_home() {
    let decrypt = || Ask::new(USER, "kms:Decrypt", KEY);
    let assume = || Ask::new(USER, "sts:AssumeRole", ROLE);
    let trust =
        |who: &str, action: &str| format!(r#"{{"Effect":"Allow","Principal":{},"Action":"{action}"}}"#, aws(who));
    hold(vec![
        (decrypt().identity(ALL), "implicitly_denied: resource"),
        (decrypt().resource(&grant(&aws(USER), "kms:*")), "allowed"),
        (decrypt().resource(&grant(&aws("111122223333"), "kms:*")), "implicitly_denied: identity"),
        (decrypt().resource(&grant(&aws("111122223333"), "kms:*")).identity(ALL), "allowed"),
        (Ask::new(USER, "kms:ListKeys", "*").identity(ALL), "allowed"),
        (Ask::new(USER, "kms:CreateKey", "*").identity(ALL), "allowed"),
        (Ask::new(USER, "kms:ListKeys", "*"), "implicitly_denied: identity"),
        (assume().identity(ALL), "implicitly_denied: resource"),
        (assume().resource(&trust(USER, "sts:AssumeRole")), "allowed"),
        (assume().resource(&trust("111122223333", "sts:AssumeRole")), "implicitly_denied: identity"),
        (assume().resource(&trust("111122223333", "sts:AssumeRole")).identity(ALL), "allowed"),
        (assume().identity(ALL).resource(&trust(USER, "sts:TagSession")), "implicitly_denied: resource"),
        (Ask::new(USER, "sts:TagSession", ROLE).identity(ALL), "implicitly_denied: resource"),
        (
            Ask::new(USER, "sts:AssumeRole", "arn:aws:iam::444455556666:role/r")
                .resource(&trust(USER, "sts:AssumeRole")),
            "implicitly_denied: identity",
        ),
    ]);
}

#[test]
fn sts_without_a_role_is_for_identity_policies_and_stays_at_home() {
    let token = |resource: &str| Ask::new(USER, "sts:GetFederationToken", resource).identity(ALL);
    hold(vec![
        (token("arn:aws:sts::111122223333:federated-user/x"), "allowed"),
        (
            token("arn:aws:sts::444455556666:federated-user/x").resource(&everybody("sts:*")),
            "implicitly_denied: resource",
        ),
    ]);
}

#[test]
fn who_one_is_may_always_be_asked() {
    let ask = Ask::new(USER, "sts:GetCallerIdentity", "*").identity(&deny("*", "*")).session(SQS).scp(&deny("*", "*"));
    assert_eq!(ask.said(), "allowed");
}

#[test]
fn every_level_of_service_control_policies_has_to_allow() {
    let granted = || read(USER).identity(ALL);
    hold(vec![
        (granted().scp(ALL).scp(ALL), "allowed"),
        (granted().scp(ALL).scp(SQS), "implicitly_denied: scp"),
        (granted().scp(ALL).level("service_control_policies", None), "implicitly_denied: scp"),
        (granted().scp(ALL).scp(&deny("s3:*", "*")), "explicitly_denied: scp"),
        (granted().with("service_control_policies", json!([])), "allowed"),
        // They limit what the resource grants, too, and the root user.
        (read(USER).resource(&grant(&aws(USER), "s3:*")).scp(SQS), "implicitly_denied: scp"),
        (read("arn:aws:iam::111122223333:root").scp(SQS), "implicitly_denied: scp"),
        (read(r#"{"type":"Anonymous"}"#).resource(&everybody("s3:*")).scp(SQS), "allowed"),
        (
            Ask::new(
                "arn:aws:iam::111122223333:role/aws-service-role/x.amazonaws.com/AWSServiceRoleForX",
                "s3:GetObject",
                OBJECT,
            )
            .identity(ALL)
            .scp(SQS),
            "allowed",
        ),
        (
            Ask::new("arn:aws:sts::111122223333:assumed-role/AWSServiceRoleForX/s", "s3:GetObject", OBJECT)
                .identity(ALL)
                .scp(SQS),
            "allowed",
        ),
    ]);
}

#[test]
fn resource_control_policies_only_deny_and_only_for_services_that_have_them() {
    let no = |action: &str| format!(r#"{{"Effect":"Deny","Principal":"*","Action":"{action}","Resource":"*"}}"#);
    hold(vec![
        (read(USER).identity(ALL).level("resource_control_policies", None), "allowed"),
        (read(USER).identity(ALL).rcp(&no("sqs:*")), "allowed"),
        (read(USER).identity(ALL).rcp(&no("s3:*")), "explicitly_denied: rcp"),
        (read(USER).identity(ALL).rcp(&no("sqs:*")).rcp(&no("s3:*")), "explicitly_denied: rcp"),
        (read(r#"{"type":"Anonymous"}"#).resource(&everybody("s3:*")).rcp(&no("*")), "explicitly_denied: rcp"),
        (Ask::new(USER, "ec2:StartInstances", "*").identity(ALL).rcp(&no("*")), "allowed"),
        (
            read("arn:aws:iam::111122223333:role/aws-service-role/x.amazonaws.com/AWSServiceRoleForX")
                .identity(ALL)
                .rcp(&no("s3:*")),
            "allowed",
        ),
    ]);
}

#[test]
fn a_boundary_limits_what_identity_policies_give_and_an_empty_list_limits_nothing() {
    hold(vec![
        (read(USER).identity(ALL).boundary(ALL), "allowed"),
        (read(USER).identity(ALL).boundary(SQS), "implicitly_denied: boundary"),
        (read(USER).identity(ALL).boundary(""), "implicitly_denied: boundary"),
        (read(USER).identity(ALL).with("permissions_boundaries", json!([])), "allowed"),
        (read(USER).boundary(ALL), "implicitly_denied: identity"),
        (read(USER).boundary(SQS), "implicitly_denied: boundary, identity"),
    ]);
}

#[test]
fn a_grant_to_the_callers_own_name_lifts_a_silent_boundary_at_home_and_one_to_the_role_does_not() {
    let by = |who: &str, named: &str| read(who).boundary(SQS).resource(&grant(&aws(named), "s3:*"));
    hold(vec![
        (by(USER, USER), "allowed"),
        (by(SESSION, SESSION), "allowed"),
        (by(SESSION, ROLE), "implicitly_denied: boundary"),
        (by(ROLE, ROLE), "implicitly_denied: boundary"),
        (by(USER, "*"), "allowed"),
        (by(SESSION, "*"), "allowed"),
        (by(SESSION, "111122223333").identity(ALL), "implicitly_denied: boundary"),
        // Never across accounts, and never against an explicit deny.
        (by(USER, USER).identity(ALL).owned_by(OTHER), "implicitly_denied: boundary"),
        (by(USER, USER).boundary(&deny("s3:*", "*")), "explicitly_denied: boundary"),
    ]);
}

#[test]
fn a_session_policy_intersects_with_everything() {
    hold(vec![
        (read(SESSION).identity(ALL).session(&allow("s3:*", "*")), "allowed"),
        (read(SESSION).identity(ALL).session(SQS), "implicitly_denied: session"),
        (read(SESSION).identity(ALL).session(SQS).session(ALL), "allowed"),
        (read(SESSION).session(ALL), "implicitly_denied: identity"),
        (read(SESSION).session(SQS).resource(&grant(&aws(ROLE), "s3:*")), "implicitly_denied: session"),
        (read(SESSION).session(SQS).resource(&grant(&aws(SESSION), "s3:*")), "implicitly_denied: session"),
        (read(SESSION).session(ALL).resource(&grant(&aws(SESSION), "s3:*")), "allowed"),
        (read(SESSION).identity(ALL).with("session_policies", json!([])), "allowed"),
    ]);
}

#[test]
fn an_endpoints_policy_has_to_allow_action_resource_principal_and_conditions() {
    let through = |statements: &str| read(USER).identity(ALL).endpoint(statements);
    let only = |part: &str| format!(r#"{{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"*",{part}}}"#);
    hold(vec![
        (through(&everybody("*")), "allowed"),
        (through(&everybody("sqs:*")), "implicitly_denied: endpoint"),
        (through(&grant(&aws(USER), "*")), "allowed"),
        (through(&grant(&aws("111122223333"), "*")), "allowed"),
        (through(&grant(&aws(ROLE), "*")), "implicitly_denied: endpoint"),
        (through(ALL), "implicitly_denied: endpoint"),
        (
            through(r#"{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::other/*"}"#),
            "implicitly_denied: endpoint",
        ),
        (through(&only(r#""Condition":{"Bool":{"aws:SecureTransport":"true"}}"#)), "implicitly_denied: endpoint"),
        (
            through(&only(r#""Condition":{"Bool":{"aws:SecureTransport":"true"}}"#))
                .context("aws:SecureTransport", json!(true)),
            "allowed",
        ),
        (read(USER).identity(ALL).with("endpoint_policies", json!([])), "allowed"),
    ]);
}

#[test]
fn however_a_key_is_written_its_policy_is_asked_for() {
    for resource in [
        "*",
        "arn:aws:kms:us-east-1:111122223333:*",
        "arn:aws:kms:us-east-1:111122223333:ke*",
        "arn:aws:kms:us-east-1:111122223333:key/x",
        "arn:aws:kms:us-east-1:111122223333:alias/x",
        "arn:aws:*:us-east-1:111122223333:key/x",
    ] {
        let decrypt = || Ask::new(USER, "kms:Decrypt", resource).identity(ALL);
        hold(vec![
            (decrypt(), "implicitly_denied: resource"),
            (decrypt().resource(&grant(&aws("111122223333"), "kms:*")), "allowed"),
        ]);
    }
}

#[test]
fn a_deny_to_all_but_some_holds_for_everyone_with_a_boundary() {
    let deny = format!(r#"{{"Effect":"Deny","NotPrincipal":{},"Action":"s3:*","Resource":"*"}}"#, aws(USER));
    hold(vec![
        (read(USER).identity(ALL).resource(&deny), "allowed"),
        (read(USER).identity(ALL).boundary(ALL).resource(&deny), "explicitly_denied: resource"),
        (read(ROLE).identity(ALL).resource(&deny), "explicitly_denied: resource"),
    ]);
}

#[test]
fn what_a_service_keeps_to_itself_no_policy_gives() {
    let fixed = "arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_x_1";
    let linked = "arn:aws:iam::111122223333:role/aws-service-role/x.amazonaws.com/AWSServiceRoleForX";
    let alias = "arn:aws:kms:eu-west-1:111122223333:alias/aws/s3";
    let managed = "arn:aws:iam::aws:policy/ReadOnlyAccess";
    hold(vec![
        (Ask::new(USER, "iam:CreatePolicyVersion", managed).identity(ALL), "implicitly_denied: service"),
        (Ask::new(USER, "iam:TagPolicy", managed).identity(ALL), "implicitly_denied: service"),
        (Ask::new(USER, "iam:GetPolicy", managed).identity(ALL), "allowed"),
        (Ask::new(USER, "iam:UpdateRole", fixed).identity(ALL), "implicitly_denied: service"),
        (Ask::new(USER, "iam:PassRole", linked).identity(ALL), "implicitly_denied: service"),
        (Ask::new(USER, "iam:GetRole", linked).identity(ALL), "allowed"),
        (Ask::new(USER, "kms:DeleteAlias", alias).identity(ALL), "implicitly_denied: service"),
        (
            Ask::new(USER, "kms:DeleteAlias", alias).identity(&deny("kms:*", "*")),
            "explicitly_denied: identity, service",
        ),
        (Ask::new(USER, "kms:CreateAlias", "arn:aws:kms:eu-west-1:111122223333:alias/own").identity(ALL), "allowed"),
    ]);
}

#[test]
fn all_policies_of_a_caller_are_read_together() {
    let ask = Ask::new(USER, "s3:GetObject", OBJECT).identity(SQS).identity(&allow("s3:Get*", "*"));
    assert_eq!(ask.said(), "allowed");
}
