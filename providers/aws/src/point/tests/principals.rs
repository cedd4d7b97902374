//! Whom a policy of a resource names.

use serde_json::json;

use super::{Ask, OBJECT, ROLE, SESSION, USER, aws, grant, hold};

const ALL: &str = r#"{"Effect":"Allow","Action":"*","Resource":"*"}"#;
const NOBODY: &str = r#"{"type":"Anonymous"}"#;

fn read(principal: &str, named: &str) -> Ask {
    Ask::new(principal, "s3:GetObject", OBJECT).resource(&grant(named, "s3:*"))
}

#[test]
fn a_star_is_everybody_anonymous_callers_included() {
    for named in [r#""*""#, r#"{"AWS":"*"}"#, r#"{"AWS":["*"]}"#] {
        for who in [USER, ROLE, SESSION, NOBODY, "arn:aws:sts::111122223333:federated-user/f"] {
            assert_eq!(read(who, named).said(), "allowed", "{who} {named}");
        }
    }
}

#[test]
fn a_role_stands_for_its_sessions_and_a_session_for_itself() {
    let pathed = "arn:aws:iam::111122223333:role/team/Deploy";
    hold(vec![
        (read(SESSION, &aws(ROLE)), "allowed"),
        (read(SESSION, &aws(pathed)), "allowed"),
        (read(SESSION, &aws("arn:aws:iam::444455556666:role/deploy")), "implicitly_denied: identity"),
        (read(SESSION, &aws("arn:aws:iam::111122223333:role/other")), "implicitly_denied: identity"),
        (read(SESSION, &aws("arn:aws:sts::111122223333:assumed-role/deploy/s2")), "implicitly_denied: identity"),
        (read(ROLE, &aws(SESSION)), "implicitly_denied: identity"),
        (read(ROLE, &aws(pathed)), "implicitly_denied: identity"),
    ]);
    let denied =
        |named: &str| format!(r#"{{"Effect":"Deny","Principal":{},"Action":"s3:*","Resource":"*"}}"#, aws(named));
    let granted = |named: &str| Ask::new(SESSION, "s3:GetObject", OBJECT).identity(ALL).resource(&denied(named));
    hold(vec![
        (granted(ROLE), "explicitly_denied: resource"),
        (granted(SESSION), "explicitly_denied: resource"),
        (granted("111122223333"), "explicitly_denied: resource"),
        (granted("arn:aws:sts::111122223333:assumed-role/deploy/s2"), "allowed"),
    ]);
}

#[test]
fn a_statement_that_names_nobody_matches_nobody_and_its_siblings_count() {
    let nobody = r#"{"Effect":"Deny","Action":"s3:*","Resource":"*"}"#;
    let ask = Ask::new(USER, "s3:GetObject", OBJECT).resource(&format!("{nobody},{}", grant(&aws(USER), "s3:*")));
    assert_eq!(ask.said(), "allowed");
}

#[test]
fn all_but_some_are_those_who_are_not_listed() {
    let but = |listed: &str| {
        Ask::new(USER, "s3:GetObject", OBJECT)
            .identity(ALL)
            .resource(&format!(r#"{{"Effect":"Deny","NotPrincipal":{listed},"Action":"s3:*","Resource":"*"}}"#))
    };
    hold(vec![
        (but(&aws(USER)), "allowed"),
        (but(&aws("111122223333")), "allowed"),
        (but(&aws("arn:aws:iam::111122223333:root")), "allowed"),
        (but(&aws(ROLE)), "explicitly_denied: resource"),
        (but(r#"{"Service":"lambda.amazonaws.com"}"#), "explicitly_denied: resource"),
        (but(r#""*""#), "allowed"),
    ]);
}

#[test]
fn anonymous_callers_have_only_the_resource() {
    let but = |listed: &str| {
        Ask::new(NOBODY, "s3:GetObject", OBJECT)
            .resource(&format!(r#"{{"Effect":"Allow","NotPrincipal":{listed},"Action":"s3:*","Resource":"*"}}"#))
    };
    let on = |condition: &str| {
        Ask::new(NOBODY, "s3:GetObject", OBJECT).resource(&format!(
            r#"{{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"*","Condition":{condition}}}"#
        ))
    };
    hold(vec![
        (Ask::new(NOBODY, "s3:GetObject", OBJECT).identity(ALL), "implicitly_denied: resource"),
        (read(NOBODY, &aws("111122223333")), "implicitly_denied: resource"),
        (read(NOBODY, r#"{"Service":"lambda.amazonaws.com"}"#), "implicitly_denied: resource"),
        (but(&aws(USER)), "allowed"),
        (but(r#"{"AWS":"*"}"#), "implicitly_denied: resource"),
        (on(r#"{"StringEquals":{"aws:PrincipalOrgID":"o-1"}}"#), "implicitly_denied: resource"),
        (on(r#"{"StringLike":{"aws:PrincipalArn":"*"}}"#), "implicitly_denied: resource"),
    ]);
}

#[test]
fn a_service_is_let_in_by_its_own_name_only() {
    let service = "lambda.amazonaws.com";
    hold(vec![
        (read(service, r#"{"Service":"lambda.amazonaws.com"}"#), "allowed"),
        (read(service, r#"{"Service":["ec2.amazonaws.com","lambda.amazonaws.com"]}"#), "allowed"),
        (read(service, r#"{"Service":"ec2.amazonaws.com"}"#), "implicitly_denied: resource"),
        (read(service, r#""*""#), "implicitly_denied: resource"),
        (Ask::new(service, "s3:GetObject", OBJECT).identity(ALL), "implicitly_denied: resource"),
        (
            Ask::new(service, "s3:GetObject", OBJECT).resource(&format!(
                r#"{},{{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*","Condition":{{"Bool":{{"aws:PrincipalIsAWSService":"true"}}}}}}"#,
                grant(r#"{"Service":"lambda.amazonaws.com"}"#, "s3:*")
            )),
            "explicitly_denied: resource",
        ),
    ]);
}

#[test]
fn identity_providers_and_canonical_users_match_exactly() {
    let provider = "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com";
    let web = |who: &str, named: &str| {
        Ask::new(who, "sts:AssumeRoleWithWebIdentity", ROLE).resource(&format!(
            r#"{{"Effect":"Allow","Principal":{named},"Action":"sts:AssumeRoleWithWebIdentity",
            "Condition":{{"StringEquals":{{"token.actions.githubusercontent.com:sub":"repo:o/r"}}}}}}"#
        ))
    };
    let federated = json!({ "Federated": provider }).to_string();
    let sub = "token.actions.githubusercontent.com:sub";
    hold(vec![
        (web(provider, &federated), "implicitly_denied: resource"),
        (web(provider, &federated).context(sub, json!("repo:o/r")), "allowed"),
        (web("accounts.google.com", &federated).context(sub, json!("repo:o/r")), "implicitly_denied: resource"),
        (
            web("accounts.google.com", r#"{"Federated":"accounts.google.com"}"#).context(sub, json!("repo:o/r")),
            "allowed",
        ),
        (read(r#"{"type":"CanonicalUser","id":"79a5"}"#, r#"{"CanonicalUser":"79a5"}"#), "allowed"),
        (read(r#"{"type":"CanonicalUser","id":"79a5"}"#, r#"{"CanonicalUser":"79a6"}"#), "implicitly_denied: resource"),
    ]);
}

#[test]
fn a_federated_user_resolves_to_its_user() {
    let federated = "arn:aws:sts::111122223333:federated-user/ann";
    hold(vec![
        (read(federated, &aws(federated)), "allowed"),
        (read(federated, &aws(USER)), "allowed"),
        (read(federated, &aws("arn:aws:iam::111122223333:user/bob")), "implicitly_denied: identity"),
    ]);
}

#[test]
fn the_root_user_needs_no_policy_and_becomes_no_role() {
    let root = "arn:aws:iam::111122223333:root";
    hold(vec![
        (Ask::new(root, "s3:GetObject", OBJECT), "allowed"),
        (
            Ask::new(root, "s3:GetObject", OBJECT)
                .resource(r#"{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*"}"#),
            "explicitly_denied: resource",
        ),
        (Ask::new(root, "s3:GetObject", OBJECT).owned_by("444455556666"), "implicitly_denied: resource"),
        (read(root, &aws(root)).owned_by("444455556666"), "allowed"),
        (
            Ask::new(root, "sts:AssumeRole", ROLE)
                .resource(r#"{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole"}"#),
            "implicitly_denied: service",
        ),
    ]);
}

#[test]
fn the_caller_tells_its_own_keys_and_a_value_that_is_given_wins() {
    let on = |key: &str, value: &str| {
        format!(
            r#"{{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{{"StringEquals":{{"{key}":"{value}"}}}}}}"#
        )
    };
    let ask = |who: &str, key: &str, value: &str| Ask::new(who, "s3:GetObject", OBJECT).identity(&on(key, value));
    hold(vec![
        (ask(USER, "aws:PrincipalArn", USER), "allowed"),
        (ask(SESSION, "aws:PrincipalArn", ROLE), "allowed"),
        (ask(USER, "AWS:username", "ann"), "allowed"),
        (ask(ROLE, "aws:username", "deploy"), "implicitly_denied: identity"),
        (ask(ROLE, "aws:PrincipalAccount", "111122223333"), "allowed"),
        (ask(USER, "aws:PrincipalType", "User"), "allowed"),
        (ask(USER, "aws:ResourceAccount", "111122223333"), "allowed"),
        (ask(USER, "aws:username", "bob").context("aws:UserName", json!("bob")), "allowed"),
        (ask(USER, "aws:username", "ann").context("aws:UserName", json!("bob")), "implicitly_denied: identity"),
    ]);
}

#[test]
fn wildcard_trust_is_narrowed_by_who_asks() {
    let on = |key: &str, value: &str| {
        Ask::new(SESSION, "kms:Decrypt", super::KEY).resource(&format!(
            r#"{{"Effect":"Allow","Principal":{{"AWS":"*"}},"Action":"kms:*","Resource":"*",
            "Condition":{{"StringEquals":{{"{key}":"{value}"}}}}}}"#
        ))
    };
    hold(vec![
        (on("kms:CallerAccount", "111122223333"), "allowed"),
        (on("kms:CallerAccount", "444455556666"), "implicitly_denied: identity, resource"),
        (on("aws:PrincipalArn", ROLE), "allowed"),
        (on("aws:PrincipalArn", SESSION), "implicitly_denied: identity, resource"),
        (on("aws:PrincipalOrgID", "o-1"), "implicitly_denied: identity, resource"),
        (on("aws:PrincipalOrgID", "o-1").context("aws:PrincipalOrgID", json!("o-1")), "allowed"),
    ]);
}
