//! Federated identity credentials of Entra ID, of applications and of user-assigned identities.
//!
//! A credential compares issuer, subject and audience to the letter: case counts and a wildcard is a character. Of a token
//! whose issuer's address nobody tells, its issuer fits perhaps. A flexible one has no subject but an expression over claims,
//! in which `*` and `?` are wildcards that run over every separator.
//! The language: `claims['NAME'] eq 'TEXT'` or `matches 'PATTERN'`, joined by `and`.

use std::collections::BTreeSet;

use evenhand_model::decide::{Refusal, part};
use evenhand_model::evidence::Truth;
use evenhand_model::glob::Glob;
use evenhand_model::token::{Found, Token, bare_issuer};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::grade::{Asks, Demand};
use crate::issuer::Issuer;
use crate::platform::{Admitted, Platform, Understood};

/// Entra ID.
#[derive(Clone, Copy, Debug, Default)]
pub struct Entra;

const REMEDY: &str = "see the condition of `entra` in `evenhand schema decide-federation`";

/// A federated identity credential, as Microsoft Graph returns it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schemars(rename = "EntraCondition")]
pub(crate) struct Credential {
    /// The issuer's address. Absent: that of the token.
    issuer: Option<String>,
    /// The subject, compared to the letter. This or `claimsMatchingExpression`.
    subject: Option<String>,
    /// The audiences, of which the token must have one. Absent: any.
    audiences: Option<Vec<String>>,
    /// What a flexible credential demands of claims.
    claims_matching_expression: Option<Expression>,
    #[serde(default, rename = "id")]
    #[schemars(skip)]
    _id: Option<String>,
    #[serde(default, rename = "name")]
    #[schemars(skip)]
    _name: Option<String>,
    #[serde(default, rename = "description")]
    #[schemars(skip)]
    _description: Option<String>,
}

/// The expression of a flexible credential.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schemars(rename = "EntraExpression")]
pub(crate) struct Expression {
    /// Such as `claims['sub'] matches 'repo:octo-org/octo-repo:*'`.
    value: String,
    /// The version of the language; there is one.
    language_version: Option<u32>,
}

/// A credential, understood.
#[derive(Debug)]
struct Compared {
    issuer: Option<String>,
    tests: Vec<(String, Glob)>,
    audiences: Option<Vec<String>>,
    flexible: bool,
}

impl Platform for Entra {
    fn understand(&self, condition: &str, issuer: Issuer) -> Result<Box<dyn Understood>, Refusal> {
        let credential: Credential = part(condition, REMEDY)?;
        let issuer = match (issuer, &credential.issuer) {
            (Issuer::Other, Some(address)) => Issuer::at(&bare_issuer(address)),
            _ => issuer,
        };
        let (tests, flexible) = match (credential.subject, credential.claims_matching_expression) {
            (Some(subject), None) => (vec![("sub".to_owned(), Glob::literal(subject))], false),
            (None, Some(expression)) => {
                if expression.language_version.is_some_and(|version| version != 1) {
                    let at = "/claimsMatchingExpression/languageVersion";
                    return Err(Refusal::new(at, "the language has no such version", "write 1"));
                }
                (read(&expression.value, issuer)?, true)
            }
            (Some(_), Some(_)) => {
                return Err(Refusal::new(
                    "/claimsMatchingExpression",
                    "a credential has a subject or an expression and not both",
                    "leave one of them out",
                ));
            }
            (None, None) => {
                return Err(Refusal::new("", "the credential has neither a subject nor an expression", REMEDY));
            }
        };
        Ok(Box::new(Compared { issuer: credential.issuer, tests, audiences: credential.audiences, flexible }))
    }
}

impl Understood for Compared {
    fn admits(&self, token: &Token) -> Admitted {
        let mut open = BTreeSet::new();
        let mut truth = Truth::Yes;
        if let Some(wanted) = &self.issuer {
            truth = truth.and(is_signed_by(wanted, token, &mut open));
        }
        for (claim, wanted) in &self.tests {
            truth = truth.and(fits(token, claim, std::slice::from_ref(wanted), &mut open));
        }
        if let Some(audiences) = &self.audiences {
            let wanted: Vec<Glob> = audiences.iter().map(|audience| Glob::literal(audience.as_str())).collect();
            truth = truth.and(fits(token, "aud", &wanted, &mut open));
        }
        Admitted::new(truth, open)
    }

    fn asks(&self, issuer: Issuer, _: Option<&str>) -> Asks {
        if self.issuer.as_deref().is_some_and(|address| !issuer.may_be_at(&bare_issuer(address))) {
            return Asks::default();
        }
        let mut demands: Vec<Demand> =
            self.tests.iter().map(|(claim, wanted)| Demand::new(claim.as_str(), vec![wanted.clone()])).collect();
        if let Some(audiences) = &self.audiences {
            demands.push(Demand::new("aud", audiences.iter().map(|one| Glob::literal(one.as_str())).collect()));
        }
        // Whoever reads subjects alone finds none.
        let remarks = if self.flexible { vec!["scanner-blindspot"] } else { Vec::new() };
        Asks { alternatives: vec![demands.into()], remarks, ..Asks::default() }
    }

    fn issuer(&self) -> Option<Issuer> {
        named(self.issuer.as_deref())
    }
}

/// Who issues at an address, if that is an issuer that is understood.
pub(crate) fn named(address: Option<&str>) -> Option<Issuer> {
    address.map(|address| Issuer::at(&bare_issuer(address))).filter(|issuer| *issuer != Issuer::Other)
}

/// Whether a token is signed by the issuer at an address. Every token names its issuer, so that one of which no address is
/// told leaves the answer open.
pub(crate) fn is_signed_by(wanted: &str, token: &Token, open: &mut BTreeSet<String>) -> Truth {
    match (token.find("iss"), &token.issuer) {
        // A closing slash or a capital more makes another issuer of it.
        (Found::Texts(_) | Found::AnyOf(_), _) => fits(token, "iss", &[Glob::literal(wanted)], open),
        (_, Some(signed)) => (bare_issuer(wanted) == *signed).into(),
        (_, None) => {
            open.insert("iss".to_owned());
            Truth::Unknown
        }
    }
}

/// Whether a claim of a token has a text that fits.
pub(crate) fn fits(token: &Token, claim: &str, wanted: &[Glob], open: &mut BTreeSet<String>) -> Truth {
    let any = |fit: &dyn Fn(&Glob) -> Truth| wanted.iter().fold(Truth::No, |some, one| some.or(fit(one)));
    match token.find(claim) {
        Found::Texts(texts) => texts.iter().fold(Truth::No, |some, text| some.or(any(&|one| one.matches(text)))),
        Found::AnyOf(pattern) => any(&|one| one.overlaps(pattern)),
        Found::Absent => Truth::No,
        Found::Unknown => {
            open.insert(claim.to_owned());
            Truth::Unknown
        }
    }
}

const AT: &str = "/claimsMatchingExpression/value";

/// The claims that the language may name, by issuer: GitHub's workflow beside the subject, of others the subject alone.
fn may_name(claim: &str, issuer: Issuer) -> Result<(), Refusal> {
    let known: &[&str] = match issuer {
        Issuer::GitHub => &["sub", "job_workflow_ref"],
        Issuer::GitLab | Issuer::Terraform => &["sub"],
        Issuer::Bitbucket | Issuer::CircleCi | Issuer::Kubernetes | Issuer::Other => {
            return Err(Refusal::new(
                AT,
                "expressions compare tokens of GitHub, GitLab and Terraform Cloud only",
                "give the credential's `subject`, or the token's `issuer`",
            ));
        }
    };
    if known.contains(&claim) {
        return Ok(());
    }
    Err(Refusal::new(
        AT,
        format!("an expression cannot name the claim `{claim}` of this issuer"),
        format!("known here: {}", known.join(", ")),
    ))
}

fn read(expression: &str, issuer: Issuer) -> Result<Vec<(String, Glob)>, Refusal> {
    let mut rest = expression.trim_start();
    let mut tests = Vec::new();
    loop {
        rest = word(rest, "claims", "`claims['NAME']`")?;
        rest = word(rest, "[", "`[` after `claims`")?;
        let (claim, after) = text(rest)?;
        may_name(&claim, issuer)?;
        rest = word(after, "]", "`]` after the claim's name")?;
        let (operator, after) = rest.split_at(rest.find(char::is_whitespace).unwrap_or(rest.len()));
        let (wanted, after) = text(after.trim_start())?;
        tests.push((
            claim,
            match operator {
                "eq" => Glob::literal(wanted),
                "matches" => Glob::wildcard(&wanted),
                other => {
                    return Err(Refusal::new(AT, format!("there is no operator `{other}`"), "write `eq` or `matches`"));
                }
            },
        ));
        rest = after.trim_start();
        if rest.is_empty() {
            return Ok(tests);
        }
        rest = word(rest, "and", "`and` or the end")?;
    }
}

/// A word or a sign; a word ends where its letters do.
fn word<'a>(text: &'a str, wanted: &str, what: &str) -> Result<&'a str, Refusal> {
    let is_letter = |c: char| c.is_alphanumeric() || c == '_';
    match text.strip_prefix(wanted) {
        Some(rest) if !(wanted.ends_with(is_letter) && rest.starts_with(is_letter)) => Ok(rest.trim_start()),
        _ => Err(unexpected(text, what)),
    }
}

/// A text in single quotes.
fn text(from: &str) -> Result<(String, &str), Refusal> {
    let inner = from.strip_prefix('\'').ok_or_else(|| unexpected(from, "a text in single quotes"))?;
    let (text, rest) = inner.split_once('\'').ok_or_else(|| unexpected(from, "the end of the text, a `'`"))?;
    Ok((text.to_owned(), rest.trim_start()))
}

fn unexpected(found: &str, wanted: &str) -> Refusal {
    let found: String = found.chars().take(20).collect();
    let found = if found.is_empty() { "the end".to_owned() } else { format!("`{found}`") };
    Refusal::new(AT, format!("{found} stands where {wanted} is expected"), REMEDY)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admits(condition: &str, token: &Token) -> Truth {
        Entra.understand(condition, Issuer::GitHub).unwrap().admits(token).truth
    }

    #[test]
    fn issuer_subject_and_audience_are_compared_to_the_letter() {
        let token = Token {
            whole: true,
            ..Token::of_subject(Some("token.actions.githubusercontent.com".into()), "repo:o/r:pull_request")
        }
        .with("aud", "api://AzureADTokenExchange");
        for (condition, expected) in [
            (r#"{"subject":"repo:o/r:pull_request"}"#, Truth::Yes),
            (r#"{"subject":"repo:O/r:pull_request"}"#, Truth::No),
            (r#"{"subject":"repo:o/*"}"#, Truth::No),
            (r#"{"subject":"repo:o/r:pull_request","audiences":["api://AzureADTokenExchange"]}"#, Truth::Yes),
            (r#"{"subject":"repo:o/r:pull_request","audiences":["other"]}"#, Truth::No),
            (
                r#"{"subject":"repo:o/r:pull_request","issuer":"https://token.actions.githubusercontent.com"}"#,
                Truth::Yes,
            ),
            (r#"{"subject":"repo:o/r:pull_request","issuer":"https://gitlab.com"}"#, Truth::No),
        ] {
            assert_eq!(admits(condition, &token), expected, "{condition}");
        }
    }

    #[test]
    fn what_was_not_said_of_a_token_leaves_the_answer_open() {
        const GITHUB: &str = "https://token.actions.githubusercontent.com";
        const MAIN: &str = "repo:o/r:ref:refs/heads/main";
        let bare = Token::of_subject(None, MAIN);
        let whole = |token: &Token| Token { whole: true, ..token.clone() };
        let signed = Token::of_subject(Some(bare_issuer(GITHUB)), MAIN);
        let open = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<String>>();
        for (token, subject, issuer, audience, expected, hangs_on) in [
            (bare.clone(), MAIN, None, None, Truth::Yes, open(&[])),
            (bare.clone(), MAIN, Some(GITHUB), None, Truth::Unknown, open(&["iss"])),
            (bare.clone(), MAIN, None, Some("a"), Truth::Unknown, open(&["aud"])),
            (bare.clone(), MAIN, Some(GITHUB), Some("a"), Truth::Unknown, open(&["aud", "iss"])),
            // What is known decides.
            (bare.clone(), "repo:o/r:ref:refs/heads/Main", Some(GITHUB), Some("a"), Truth::No, open(&[])),
            (whole(&bare), MAIN, Some(GITHUB), None, Truth::Unknown, open(&["iss"])),
            (whole(&bare), MAIN, None, Some("a"), Truth::No, open(&[])),
            (bare.clone().with("aud", "b"), MAIN, Some(GITHUB), Some("a"), Truth::No, open(&[])),
            (bare.clone().with("aud", "a"), MAIN, Some(GITHUB), Some("a"), Truth::Unknown, open(&["iss"])),
            (signed.clone(), MAIN, Some(GITHUB), None, Truth::Yes, open(&[])),
            (signed.clone(), MAIN, Some(GITHUB), Some("a"), Truth::Unknown, open(&["aud"])),
            (signed.clone(), MAIN, Some("https://gitlab.com"), None, Truth::No, open(&[])),
            (signed.with("aud", "a"), MAIN, Some(GITHUB), Some("a"), Truth::Yes, open(&[])),
        ] {
            let mut condition = serde_json::json!({ "subject": subject });
            if let Some(issuer) = issuer {
                condition["issuer"] = issuer.into();
            }
            if let Some(audience) = audience {
                condition["audiences"] = serde_json::json!([audience]);
            }
            let admitted = Entra.understand(&condition.to_string(), Issuer::GitHub).unwrap().admits(&token);
            assert_eq!((admitted.truth, admitted.open), (expected, hangs_on), "{condition} {token:?}");
        }
    }

    #[test]
    fn a_slash_or_a_capital_more_makes_another_issuer() {
        let signed = |address: &str| {
            Token::of_subject(Some(bare_issuer(address)), "repo:o/r:environment:p").with("iss", address)
        };
        for (wanted, address, expected) in [
            ("https://token.actions.githubusercontent.com", "https://token.actions.githubusercontent.com", Truth::Yes),
            ("https://token.actions.githubusercontent.com/", "https://token.actions.githubusercontent.com", Truth::No),
            ("https://Token.actions.githubusercontent.com", "https://token.actions.githubusercontent.com", Truth::No),
            ("https://eu.oic.prod-aks.azure.com/t/c/", "https://eu.oic.prod-aks.azure.com/t/c/", Truth::Yes),
            ("https://eu.oic.prod-aks.azure.com/t/c", "https://eu.oic.prod-aks.azure.com/t/c/", Truth::No),
        ] {
            let condition = serde_json::json!({ "issuer": wanted, "subject": "repo:o/r:environment:p" }).to_string();
            assert_eq!(admits(&condition, &signed(address)), expected, "{wanted} {address}");
        }
    }

    #[test]
    fn expressions_have_wildcards_and_and() {
        let token = Token::of_subject(None, "repo:o/r:ref:refs/heads/main")
            .with("job_workflow_ref", "o/x/w.yml@refs/heads/main");
        for (expression, expected) in [
            ("claims['sub'] matches 'repo:o/*'", Truth::Yes),
            ("claims['sub'] eq 'repo:o/*'", Truth::No),
            ("claims['sub'] matches 'repo:o/r:ref:refs/heads/????'", Truth::Yes),
            ("claims['sub'] matches 'repo:o/r:ref:refs/heads/?????'", Truth::No),
            ("claims['sub'] matches '*' and claims['job_workflow_ref'] matches 'o/x/*@refs/heads/main'", Truth::Yes),
            (" claims['sub']  eq  'x'  and  claims['job_workflow_ref'] eq 'y' ", Truth::No),
        ] {
            let condition = serde_json::json!({ "claimsMatchingExpression": { "value": expression } }).to_string();
            assert_eq!(admits(&condition, &token), expected, "{expression}");
        }
    }

    #[test]
    fn what_the_service_would_not_take_is_refused_with_its_place() {
        let refuse = |condition: &str| Entra.understand(condition, Issuer::GitLab).err().unwrap();
        for expression in [
            "",
            "claims",
            "claims['sub']",
            "claims['sub'] like 'x'",
            "claims['sub'] eq 'x",
            "claims['project_id'] eq '1'",
            "claims['sub'] eq 'x' or claims['sub'] eq 'y'",
            "claims['sub'] eq 'x'andclaims['sub'] eq 'y'",
            "claims['sub'] eq 'x' andclaims['sub'] eq 'y'",
            "claims['sub'] eq 'x' and_ claims['sub'] eq 'y'",
            "claimsx['sub'] eq 'x'",
        ] {
            let condition = serde_json::json!({ "claimsMatchingExpression": { "value": expression } }).to_string();
            assert_eq!(refuse(&condition).at, AT, "{expression}");
        }
        assert!(refuse("{}").message.contains("neither"));
        assert_eq!(refuse(r#"{"subjekt":"x"}"#).at, "/subjekt");
    }
}
