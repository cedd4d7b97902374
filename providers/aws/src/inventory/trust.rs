//! Trust policies as statements about who may become a role, and how tightly.

use std::sync::Arc;

use evenhand_federation::{Alternative, Asks, Issuer, grade};
use evenhand_model::evidence::Truth;

use crate::access::assumes;
use crate::federation::{always_demanded, asked_by, denying, escapes, is_about, only_issuer, provider_issuer, spared};
use crate::policy::document::{ConditionTest, Qualifier, Statement};
use crate::policy::{Effect, PolicyDocument, Principals, arn};

/// Who is trusted.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Who {
    /// A service of the vendor.
    Service(Arc<str>),
    /// An account, a principal of one, or a deleted principal's number, as written.
    Aws(Arc<str>),
    /// Everybody.
    Anyone,
    /// A SAML provider.
    Saml(Arc<str>),
    /// An issuer of tokens and the subject it admits; `*` for any.
    Oidc { provider: Arc<str>, issuer: Arc<str>, subject: Arc<str> },
}

/// One way into a role.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Way {
    pub(crate) who: Who,
    /// The statement, counted from 0.
    pub(crate) statement: usize,
    /// The conditions in the vendor's words.
    pub(crate) constraint: Arc<str>,
    /// Whether several factors are demanded.
    pub(crate) mfa: bool,
    /// Whether an external id is demanded.
    pub(crate) external_id: bool,
    /// Whether the caller's organisation, account or name is limited.
    pub(crate) narrowed: bool,
    /// Whether the conditions say that the service acts for something that is no agent.
    pub(crate) for_no_agent: bool,
    /// Whether the token's conditions demand something nobody here understands, so that nothing tells whether they are weak.
    pub(crate) undecided: bool,
    /// What is weak about the token's conditions.
    pub(crate) weaknesses: Vec<&'static str>,
}

impl Way {
    /// Whether its conditions are weak.
    pub(crate) fn weak(&self) -> Truth {
        match self.weaknesses.is_empty() {
            false => Truth::Yes,
            true if self.undecided => Truth::Unknown,
            true => Truth::No,
        }
    }

    /// The names of the weaknesses of its conditions, sorted.
    pub(crate) fn weakness(&self) -> Arc<str> {
        let mut names = self.weaknesses.clone();
        names.sort_unstable();
        names.dedup();
        names.join(", ").into()
    }
}

/// The ways that a trust policy opens.
pub(crate) fn ways(document: &PolicyDocument) -> Vec<Way> {
    let demanded = document.statements.iter().any(denies_without_mfa);
    let mut ways = Vec::new();
    for (index, statement) in document.statements.iter().enumerate() {
        if statement.effect != Effect::Allow || !assumes(statement) {
            continue;
        }
        let base = |who: Who| Way {
            who,
            statement: index,
            constraint: constraint(&statement.conditions),
            mfa: demanded || statement.conditions.iter().any(demands_mfa),
            external_id: statement.conditions.iter().any(|test| demands(test, "sts:externalid")),
            narrowed: statement.conditions.iter().any(narrows),
            for_no_agent: for_no_agent(&statement.conditions),
            undecided: false,
            weaknesses: Vec::new(),
        };
        let Some(principals) = &statement.principals else {
            // `NotPrincipal` with `Allow` admits everybody but a few.
            if statement.not_principals.is_some() {
                ways.push(base(Who::Anyone));
            }
            continue;
        };
        of_principals(document, principals, statement, &base, &mut ways);
    }
    ways.sort();
    ways.dedup();
    ways
}

fn of_principals(
    document: &PolicyDocument,
    principals: &Principals,
    statement: &Statement,
    base: &dyn Fn(Who) -> Way,
    ways: &mut Vec<Way>,
) {
    if principals.any {
        match only_issuer(statement) {
            Some(issuer) => oidc(document, &issuer, statement, base, ways),
            None => ways.push(base(Who::Anyone)),
        }
    }
    ways.extend(principals.aws.iter().map(|name| base(Who::Aws(Arc::clone(name)))));
    ways.extend(principals.service.iter().map(|name| base(Who::Service(Arc::clone(name)))));
    for provider in &principals.federated {
        if provider.contains(":saml-provider/") {
            let mut way = base(Who::Saml(Arc::clone(provider)));
            if !statement.conditions.iter().any(|test| demands(test, "saml:aud")) {
                way.weaknesses.push("missing-aud");
            }
            ways.push(way);
        } else {
            oidc(document, provider, statement, base, ways);
        }
    }
}

fn oidc(
    document: &PolicyDocument,
    provider: &Arc<str>,
    statement: &Statement,
    base: &dyn Fn(Who) -> Way,
    ways: &mut Vec<Way>,
) {
    let issuer: Arc<str> = match provider.split_once(":oidc-provider/") {
        Some((_, issuer)) => Arc::from(issuer),
        None => Arc::clone(provider),
    };
    let full = provider_issuer(provider);
    let known = Issuer::at(&full);
    let mut one = |subject: Arc<str>, kind: Issuer, asked: Alternative| {
        let denies: Vec<Vec<Alternative>> =
            denying(document, provider).filter_map(|held| escapes(&held.conditions, kind, &full)).collect();
        let alternatives = spared(asked, &denies);
        let graded = grade(kind, &Asks { alternatives, ..Asks::default() });
        let mut way = base(Who::Oidc { provider: Arc::clone(provider), issuer: Arc::clone(&issuer), subject });
        // What admits nobody lets nobody in who should not be.
        let weak = graded.is_avoidable() && !graded.vague && graded.pattern != Some("always-false");
        way.undecided = graded.vague;
        way.weaknesses.extend(graded.pattern.filter(|_| weak));
        ways.push(way);
    };
    let subjects = statement.conditions.iter().filter(|test| is_about(test, &full, "sub") && always_demanded(test));
    let mut tested = false;
    for test in subjects {
        tested = true;
        for subject in &test.values {
            let kind = if known == Issuer::Other { Issuer::of_subject(subject) } else { known };
            let only = ConditionTest { values: vec![Arc::clone(subject)], ..test.clone() };
            let tests = statement.conditions.iter().map(|held| if std::ptr::eq(held, test) { &only } else { held });
            one(Arc::clone(subject), kind, asked_by(tests, kind, Some(&full)));
        }
    }
    if !tested {
        one(Arc::from("*"), known, asked_by(&*statement.conditions, known, Some(&full)));
    }
}

/// The operator without qualifier and suffix, in lower case.
fn operator(test: &ConditionTest) -> String {
    let lower = test.written.to_ascii_lowercase();
    let name = lower.rsplit(':').next().unwrap_or(&lower);
    name.strip_suffix("ifexists").unwrap_or(name).to_owned()
}

fn demands(test: &ConditionTest, key: &str) -> bool {
    &*test.key == key && always_demanded(test) && test.values.iter().all(|value| &**value != "*")
}

fn demands_mfa(test: &ConditionTest) -> bool {
    let says = |word: &str| !test.values.is_empty() && test.values.iter().all(|value| value.eq_ignore_ascii_case(word));
    match &*test.key {
        "aws:multifactorauthpresent" => !test.if_exists && operator(test) == "bool" && says("true"),
        "aws:multifactorauthage" => {
            (operator(test).starts_with("numericless") && !test.if_exists)
                || (operator(test) == "null" && says("false"))
        }
        _ => false,
    }
}

/// `Deny` to everybody who did not show several factors.
fn denies_without_mfa(statement: &Statement) -> bool {
    statement.effect == Effect::Deny
        && statement.principals.as_ref().is_some_and(|principals| principals.any)
        && assumes(statement)
        && match &*statement.conditions {
            [test] => {
                &*test.key == "aws:multifactorauthpresent"
                    && operator(test) == "bool"
                    && test.values.iter().any(|value| value.eq_ignore_ascii_case("false"))
                    // Without `IfExists` a caller with a long-term key, who carries no such key, slips through.
                    && test.if_exists
            }
            _ => false,
        }
}

/// Whether a test keeps strangers out. Tags do not: whoever owns an account tags its principals as it likes.
fn narrows(test: &ConditionTest) -> bool {
    const KEYS: [&str; 7] = [
        "aws:principalorgid",
        "aws:principalorgpaths",
        "aws:principalaccount",
        "aws:sourceaccount",
        "aws:sourceorgid",
        "aws:sourcearn",
        "kms:calleraccount",
    ];
    KEYS.iter().any(|key| demands(test, key))
        || (demands(test, "aws:principalarn") && test.values.iter().all(|name| names_account(name)))
        || (test.qualifier == Qualifier::ForAnyValue && &*test.key == "aws:principalorgpaths")
}

/// Whether a pattern of names holds to one account: in any other one a role of the wanted name is made in a moment.
fn names_account(name: &str) -> bool {
    arn::split(name).is_some_and(|segments| !segments[4].contains(['*', '?']))
}

/// Whether the source of the service's call is limited to things that are no agents: model customisation, batch
/// inference, evaluation, knowledge bases.
fn for_no_agent(tests: &[ConditionTest]) -> bool {
    const OTHERS: [&str; 6] = [
        ":model-customization-job/",
        ":model-invocation-job/",
        ":evaluation-job/",
        ":knowledge-base/",
        ":model-import-job/",
        ":provisioned-model/",
    ];
    let sources: Vec<&Arc<str>> = tests
        .iter()
        .filter(|test| &*test.key == "aws:sourcearn" && always_demanded(test))
        .flat_map(|test| &test.values)
        .collect();
    !sources.is_empty() && sources.iter().all(|source| OTHERS.iter().any(|other| source.contains(other)))
}

fn constraint(tests: &[ConditionTest]) -> Arc<str> {
    let mut parts: Vec<String> = tests
        .iter()
        .map(|test| {
            let values: Vec<&str> = test.values.iter().map(|value| &**value).collect();
            format!("{} {} {}", test.written, test.key, values.join(" | "))
        })
        .collect();
    parts.sort();
    parts.join("; ").into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(statement: &str) -> Vec<Way> {
        let text = format!(r#"{{"Version":"2012-10-17","Statement":[{statement}]}}"#);
        ways(&PolicyDocument::parse(&text).unwrap().owned())
    }

    #[test]
    fn several_factors_are_demanded_only_where_a_long_term_key_cannot_slip_through() {
        let statement = |operator: &str| {
            format!(
                r#"{{"Effect":"Allow","Principal":{{"AWS":"111122223333"}},"Action":"sts:AssumeRole",
                "Condition":{{"{operator}":{{"aws:MultiFactorAuthPresent":"true"}}}}}}"#
            )
        };
        assert!(read(&statement("Bool"))[0].mfa);
        assert!(!read(&statement("BoolIfExists"))[0].mfa);
    }

    #[test]
    fn each_admitted_subject_is_a_way_with_its_own_weakness() {
        let ways = read(
            r#"{"Effect":"Allow","Principal":{"Federated":"arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"},
            "Action":"sts:AssumeRoleWithWebIdentity","Condition":{
            "StringEquals":{"token.actions.githubusercontent.com:aud":"sts.amazonaws.com"},
            "StringLike":{"token.actions.githubusercontent.com:sub":["repo:o/r:ref:refs/heads/main","repo:o/*"]}}}"#,
        );
        let weak: Vec<&[&str]> = ways.iter().map(|way| way.weaknesses.as_slice()).collect();
        assert_eq!(weak, [&["org-wide"][..], &[][..]]);
    }

    #[test]
    fn what_another_statement_denies_is_no_weakness() {
        const HOST: &str = "token.actions.githubusercontent.com";
        let way = |denied: &str| {
            let statements = format!(
                r#"{{"Effect":"Allow","Principal":{{"Federated":"arn:aws:iam::111122223333:oidc-provider/{HOST}"}},
                "Action":"sts:AssumeRoleWithWebIdentity","Condition":{{
                "StringEquals":{{"{HOST}:aud":"sts.amazonaws.com"}},"StringLike":{{"{HOST}:sub":"repo:o/*"}}}}}},
                {{"Effect":"Deny","Principal":"*","Action":"sts:AssumeRoleWithWebIdentity","Condition":{denied}}}"#
            );
            read(&statements).remove(0).weaknesses
        };
        let but = |subject: &str| way(&format!(r#"{{"StringNotLike":{{"{HOST}:sub":"{subject}"}}}}"#));
        assert_eq!(but("repo:o/r:ref:refs/heads/main"), [""; 0]);
        assert_eq!(but("repo:o/r:ref:refs/heads/*"), ["unprotected-branch"]);
        assert_eq!(way(r#"{"IpAddress":{"aws:SourceIp":"203.0.113.0/24"}}"#), ["org-wide"]);
    }

    #[test]
    fn everybody_is_whoever_brings_a_token_of_which_a_claim_is_demanded() {
        const BRING: &str = "sts:AssumeRoleWithWebIdentity";
        let way = |action: &str, condition: &str| {
            let condition = condition.replace("HOST", "token.actions.githubusercontent.com");
            let statement =
                format!(r#"{{"Effect":"Allow","Principal":"*","Action":"{action}","Condition":{condition}}}"#);
            let [way] = <[Way; 1]>::try_from(read(&statement)).unwrap();
            (way.who == Who::Anyone, way.weaknesses)
        };
        let exact = r#"{"StringEquals":{"HOST:sub":"repo:o/r:environment:p","HOST:aud":"sts.amazonaws.com"}}"#;
        assert_eq!(way(BRING, exact), (false, vec![]));
        assert_eq!(way("sts:*", exact), (false, vec![]));
        assert_eq!(way(BRING, r#"{"StringLike":{"HOST:sub":"repo:o/*"}}"#), (false, vec!["org-wide"]));
        for (action, condition) in [
            ("sts:AssumeRole", exact),
            (BRING, r#"{"StringEqualsIfExists":{"HOST:sub":"repo:o/r:environment:p"}}"#),
            (BRING, r#"{"StringNotEquals":{"HOST:sub":"repo:o/r:environment:p"}}"#),
            (BRING, r#"{"StringEquals":{"aws:PrincipalOrgID":"o-abc"}}"#),
        ] {
            assert_eq!(way(action, condition), (true, vec![]), "{action} {condition}");
        }
    }

    #[test]
    fn a_token_is_weak_by_its_subject_and_not_by_its_audience() {
        let ways = read(
            r#"{"Effect":"Allow","Principal":{"Federated":"arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"},
            "Action":"sts:AssumeRoleWithWebIdentity",
            "Condition":{"StringLikeIfExists":{"token.actions.githubusercontent.com:sub":"repo:o/r:*"}}}"#,
        );
        assert_eq!(ways[0].weaknesses, ["repo-wide"]);
        // The provider's own audiences are the only ones that the vendor takes.
        let ways = read(
            r#"{"Effect":"Allow","Principal":{"Federated":"arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"},
            "Action":"sts:AssumeRoleWithWebIdentity",
            "Condition":{"StringEquals":{"token.actions.githubusercontent.com:sub":"repo:o/r:ref:refs/heads/main"}}}"#,
        );
        assert_eq!((ways[0].weak(), &*ways[0].weakness()), (Truth::No, ""));
    }

    #[test]
    fn a_service_that_customises_models_is_no_agent() {
        let ways = read(
            r#"{"Effect":"Allow","Principal":{"Service":"bedrock.amazonaws.com"},"Action":"sts:AssumeRole",
            "Condition":{"ArnLike":{"aws:SourceArn":"arn:aws:bedrock:eu-west-1:111122223333:model-customization-job/*"}}}"#,
        );
        assert!(ways[0].for_no_agent);
    }

    #[test]
    fn what_anyone_can_arrange_does_not_narrow_a_trust_in_everybody() {
        let narrowed = |condition: &str| {
            let statement =
                format!(r#"{{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole","Condition":{condition}}}"#);
            read(&statement)[0].narrowed
        };
        assert!(narrowed(r#"{"StringEquals":{"aws:PrincipalOrgID":"o-abc"}}"#));
        assert!(narrowed(r#"{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::111122223333:role/x*"}}"#));
        assert!(!narrowed(r#"{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::*:role/x"}}"#));
        assert!(!narrowed(r#"{"StringEquals":{"aws:PrincipalTag/team":"x"}}"#));
    }

    #[test]
    fn a_pin_that_admits_everything_is_none() {
        let ways = read(
            r#"{"Effect":"Allow","Principal":{"Federated":"arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"},
            "Action":"sts:AssumeRoleWithWebIdentity",
            "Condition":{"StringEquals":{"token.actions.githubusercontent.com:aud":"sts.amazonaws.com"},
                "StringLike":{"token.actions.githubusercontent.com:repository_id":"*"}}}"#,
        );
        assert_eq!(ways[0].weaknesses, ["missing-sub"]);
    }

    #[test]
    fn wildcards_and_inversions_in_actions_open_ways() {
        for (action, opens) in [
            (r#""Action":"sts:Assume*""#, true),
            (r#""Action":"sts:*Role""#, true),
            (r#""Action":"sts:?ssumeRoleWithSAML""#, true),
            (r#""NotAction":"sts:TagSession""#, true),
            (r#""NotAction":"sts:*""#, false),
        ] {
            let statement = format!(r#"{{"Effect":"Allow","Principal":{{"AWS":"111122223333"}},{action}}}"#);
            assert_eq!(!read(&statement).is_empty(), opens, "{action}");
        }
    }

    #[test]
    fn a_statement_about_session_tags_opens_no_way() {
        assert!(read(r#"{"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"sts:TagSession"}"#).is_empty());
        assert_eq!(
            read(r#"{"Effect":"Allow","NotPrincipal":{"AWS":"111122223333"},"Action":"sts:AssumeRole"}"#)[0].who,
            Who::Anyone
        );
    }
}
