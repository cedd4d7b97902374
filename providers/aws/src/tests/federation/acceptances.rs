//! Which tokens the trust policy of a role admits.

use super::HOST;
use crate::Federation;
use crate::tests::{details, read, role};

#[test]
fn a_role_accepts_the_tokens_that_its_trust_policy_admits() {
    use evenhand_model::evidence::Truth;
    use evenhand_model::glob::Glob;
    use evenhand_model::token::Token;
    let trust = format!(
        r#"{{"Effect":"Allow","Principal":{{"Federated":"arn:aws:iam::111122223333:oidc-provider/{HOST}"}},"Action":"sts:AssumeRoleWithWebIdentity",
        "Condition":{{"StringEquals":{{"{HOST}:aud":"sts.amazonaws.com"}},"StringLike":{{"{HOST}:sub":["repo:o/r:ref:refs/heads/main","repo:o/*"]}}}}}},
        {{"Effect":"Deny","Principal":"*","Action":"sts:AssumeRoleWithWebIdentity","Condition":{{"StringLike":{{"{HOST}:sub":"repo:o/secret:*"}}}}}}"#
    );
    let read = read(&[("gaad.json", &details("", "", &role("r", &trust, ""), ""))]);
    let said: Vec<(&str, Truth, &str)> =
        read.inventory.acceptances.iter().map(|held| (&*held.issuer, held.weak, &*held.weakness)).collect();
    assert_eq!(said, [(HOST, Truth::Yes, "org-wide"), (HOST, Truth::No, "")]);
    let token = |issuer: &str, subject: Glob| {
        Token { issuer: Some(issuer.into()), ..Token::default() }.with_any("aud", Glob::Any).with_any("sub", subject)
    };
    for (issuer, subject, wide, tight) in [
        (HOST, "repo:o/r:ref:refs/heads/main", Truth::Yes, Truth::Yes),
        (HOST, "repo:o/r:ref:refs/heads/*", Truth::Yes, Truth::Yes),
        (HOST, "repo:o/x:pull_request", Truth::Yes, Truth::No),
        (HOST, "repo:o/secret:pull_request", Truth::No, Truth::No),
        (HOST, "repo:p/x:*", Truth::No, Truth::No),
        ("gitlab.com", "repo:o/r:ref:refs/heads/main", Truth::No, Truth::No),
    ] {
        let token = token(issuer, Glob::wildcard(subject));
        let admitted: Vec<Truth> =
            read.inventory.acceptances.iter().map(|held| held.condition.admits(&token)).collect();
        assert_eq!(admitted, [wide, tight], "{issuer} {subject}");
    }
}

#[test]
fn a_service_account_whose_issuer_is_not_known_fits_providers_of_clusters_alone() {
    use evenhand_model::evidence::Truth;
    use evenhand_model::token::Token;
    let host = "oidc.eks.eu-west-1.amazonaws.com/id/0A1B";
    let statement = |host: &str| {
        format!(
            r#"{{"Effect":"Allow","Principal":{{"Federated":"arn:aws:iam::111122223333:oidc-provider/{host}"}},"Action":"sts:AssumeRoleWithWebIdentity",
            "Condition":{{"StringLike":{{"{host}:sub":"system:serviceaccount:shop:*"}}}}}}"#
        )
    };
    for (host, expected) in [(host, Truth::Yes), (HOST, Truth::No)] {
        let read = read(&[("gaad.json", &details("", "", &role("r", &statement(host), ""), ""))]);
        let token = Token::of_subject(None, "system:serviceaccount:shop:web");
        let [held] = read.inventory.acceptances.as_slice() else { panic!() };
        assert_eq!(held.condition.admits(&token), expected, "{host}");
    }
}

#[test]
fn a_deny_over_what_the_bearer_chooses_takes_certain_access_only_where_it_leaves_no_choice() {
    use evenhand_model::evidence::Truth;
    use evenhand_model::glob::Glob;
    use evenhand_model::token::Token;
    let provider = format!(r#"{{"Federated":"arn:aws:iam::111122223333:oidc-provider/{HOST}"}}"#);
    for (denied, expected) in [
        ("repo:o/r:pull_request", Truth::Unknown),
        ("repo:o/r:ref:refs/heads/rel*", Truth::Unknown),
        ("repo:o/*", Truth::No),
        ("repo:p/*", Truth::Yes),
    ] {
        let statements = format!(
            r#"{{"Effect":"Allow","Principal":{provider},"Action":"sts:AssumeRoleWithWebIdentity","Condition":{{"StringLike":{{"{HOST}:sub":"repo:o/*"}}}}}},
            {{"Effect":"Deny","Principal":"*","Action":"sts:*","Condition":{{"StringLike":{{"{HOST}:sub":"{denied}"}}}}}}"#
        );
        let read = read(&[("gaad.json", &details("", "", &role("r", &statements, ""), ""))]);
        let [held] = read.inventory.acceptances.as_slice() else { panic!() };
        let token = Token { issuer: Some(HOST.into()), ..Token::default() };
        let token = token.with_any("sub", Glob::wildcard("repo:o/r:*"));
        assert_eq!(held.condition.admits(&token), expected, "{denied}");
        assert_eq!(policy_admits(&statements, &token), expected, "{denied}");
    }
}

#[test]
fn a_deny_of_all_but_some_refuses_for_certain_what_the_bearer_can_choose_of_none_of_these() {
    use evenhand_model::evidence::Truth;
    use evenhand_model::glob::Glob;
    use evenhand_model::token::Token;
    for (operator, spared, subject, expected) in [
        ("StringNotEquals", "repo:o/r:ref:refs/heads/main", "repo:o/r:ref:refs/pull/*", Truth::No),
        ("StringNotEquals", "repo:o/r:ref:refs/heads/main", "repo:o/r:ref:refs/tags/*", Truth::No),
        ("StringNotEquals", "repo:o/r:ref:refs/heads/main", "repo:o/r:ref:refs/heads/gh-readonly-queue/*", Truth::No),
        ("StringNotEquals", "repo:o/r:ref:refs/heads/main", "repo:o/r:ref:refs/heads/*", Truth::Unknown),
        ("StringNotEqualsIgnoreCase", "REPO:o/r:ref:refs/heads/Main", "repo:o/r:ref:refs/heads/*", Truth::Unknown),
        ("StringNotEqualsIgnoreCase", "REPO:o/r:ref:refs/heads/Main", "repo:o/r:ref:refs/tags/*", Truth::No),
        ("StringNotLike", "repo:o/r:ref:refs/heads/*", "repo:o/r:ref:refs/heads/rel*", Truth::Yes),
        ("StringNotLike", "repo:o/r:ref:refs/heads/*", "repo:o/r:ref:refs/tags/*", Truth::No),
        ("StringNotLike", "repo:o/${aws:PrincipalTag/x}:*", "repo:o/r:ref:refs/tags/*", Truth::Unknown),
    ] {
        let provider = format!(r#"{{"Federated":"arn:aws:iam::111122223333:oidc-provider/{HOST}"}}"#);
        let statements = format!(
            r#"{{"Effect":"Allow","Principal":{provider},"Action":"sts:AssumeRoleWithWebIdentity","Condition":{{"StringLike":{{"{HOST}:sub":"repo:o/*"}}}}}},
            {{"Effect":"Deny","Principal":"*","Action":"sts:*","Condition":{{"{operator}":{{"{HOST}:sub":"{spared}"}}}}}}"#
        );
        let read = read(&[("gaad.json", &details("", "", &role("r", &statements, ""), ""))]);
        let [held] = read.inventory.acceptances.as_slice() else { panic!() };
        let token = Token { issuer: Some(HOST.into()), ..Token::default() };
        let token = token.with_any("sub", Glob::wildcard(subject));
        assert_eq!(held.condition.admits(&token), expected, "{operator} {spared} {subject}");
    }
}

/// What a trust policy of these statements, given by itself, says of a token.
fn policy_admits(statements: &str, token: &evenhand_model::token::Token) -> evenhand_model::evidence::Truth {
    use evenhand_federation::{Issuer, Platform};
    let policy = format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#);
    Federation::default().understand(&policy, Issuer::GitHub).unwrap().admits(token).truth
}

#[test]
fn a_deny_to_everybody_but_a_provider_lets_its_tokens_in() {
    use evenhand_model::evidence::Truth;
    use evenhand_model::token::Token;
    let provider = |host: &str| format!(r#"{{"Federated":"arn:aws:iam::111122223333:oidc-provider/{host}"}}"#);
    let deny = |rest: &str| format!(r#"{{"Effect":"Deny",{rest}}}"#);
    let web = r#""Action":"sts:AssumeRoleWithWebIdentity""#;
    for (second, expected) in [
        (deny(&format!(r#""NotPrincipal":{},{web}"#, provider(HOST))), Truth::Yes),
        (deny(&format!(r#""NotPrincipal":{},{web}"#, provider("gitlab.com"))), Truth::No),
        (deny(&format!(r#""NotPrincipal":{{"AWS":"111122223333"}},{web}"#)), Truth::No),
        (deny(r#""Principal":"*","Action":"sts:AssumeRole""#), Truth::Yes),
    ] {
        let statements = format!(
            r#"{{"Effect":"Allow","Principal":{},{web},"Condition":{{"StringLike":{{"{HOST}:sub":"repo:o/*"}}}}}},{second}"#,
            provider(HOST)
        );
        let read = read(&[("gaad.json", &details("", "", &role("r", &statements, ""), ""))]);
        let [held] = read.inventory.acceptances.as_slice() else { panic!() };
        let token = Token::of_subject(Some(HOST.into()), "repo:o/r:pull_request");
        assert_eq!(held.condition.admits(&token), expected, "{second}");
        assert_eq!(policy_admits(&statements, &token), expected, "{second}");
    }
}

#[test]
fn case_counts_in_what_the_bearer_chooses_only_where_the_operator_says_so() {
    use evenhand_model::evidence::Truth;
    use evenhand_model::glob::Glob;
    use evenhand_model::token::Token;
    for (operator, wanted, expected) in [
        ("StringEqualsIgnoreCase", "REPO:O/R:environment:Production", Truth::Yes),
        ("StringEqualsIgnoreCase", "REPO:O/X:environment:Production", Truth::No),
        ("StringEquals", "REPO:O/R:environment:Production", Truth::No),
    ] {
        let statement = format!(
            r#"{{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRoleWithWebIdentity","Condition":{{"{operator}":{{"{HOST}:sub":"{wanted}"}}}}}}"#
        );
        let token = Token { issuer: Some(HOST.into()), ..Token::default() };
        let token = token.with_any("sub", Glob::wildcard("repo:o/r:environment:pr*"));
        assert_eq!(policy_admits(&statement, &token), expected, "{operator} {wanted}");
    }
}
