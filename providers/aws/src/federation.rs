//! Tokens of outside issuers against AWS's conditions: the context that a token gives, and what a condition demands of it.
//!
//! Evaluation is the policy language's ([`operator`]); how tight a demand is, is the issuer's (`evenhand-federation`). What
//! AWS itself makes of a token is in `claims`: which of its claims become context keys, and under which names.

use std::collections::BTreeSet;
use std::sync::Arc;

use evenhand_federation::{Admitted, Alternative, Asks, Issuer, Platform, Understood};
use evenhand_model::decide::Refusal;
use evenhand_model::evidence::Truth;
use evenhand_model::token::{Admission, Found, Token};
use serde::de::IgnoredAny;

use crate::access::caller::{Caller, Who};
use crate::access::{Named, named, speaks_of};
use crate::catalog::Catalogue;
use crate::point::{Policies, Understood as Policy};
use crate::policy::document::{ConditionTest, Statement};
use crate::policy::operator::{self, Operator};
use crate::policy::{Effect, PolicyDocument, PolicyRole};

mod claims;
mod demand;
mod deny;

use claims::{Claims, is_own, split};
use demand::{MISSING_AUDIENCE, cased, is_vague, lacks_audience, wanted};
pub(crate) use demand::{always_demanded, asked_by, is_about};
use deny::positive;
pub(crate) use deny::{escapes, spared};

/// AWS as a platform that admits tokens.
#[derive(Debug, Default)]
pub struct Federation {
    policies: Policies,
}

impl Platform for Federation {
    fn understand(&self, condition: &str, issuer: Issuer) -> Result<Box<dyn Understood>, Refusal> {
        let members: std::collections::BTreeMap<String, IgnoredAny> =
            evenhand_model::decide::part(condition, "write the `Condition` of a statement, or a whole trust policy")?;
        if members.contains_key("Statement") {
            let policy = self.policies.understand(PolicyRole::Trust, condition)?;
            return Ok(Box::new(Trusted { policy, issuer }));
        }
        let policy = format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":"*","Action":"{BECOME}","Condition":{condition}}}]}}"#
        );
        let policy = self.policies.understand(PolicyRole::Trust, &policy).map_err(|refusal| {
            let at = refusal.at.strip_prefix("/Statement/0/Condition").unwrap_or(&refusal.at).to_owned();
            Refusal { at, ..refusal }
        })?;
        Ok(Box::new(Trusted { policy, issuer }))
    }
}

/// The action by which a token becomes a role.
const BECOME: &str = "sts:AssumeRoleWithWebIdentity";

/// A trust policy, or a condition as one.
struct Trusted {
    policy: Arc<Policy>,
    /// Whose tokens it is asked about, as far as that is told.
    issuer: Issuer,
}

impl Trusted {
    /// The names of the providers that tokens of an issuer may come through, as the policy writes them. An address that the
    /// policy does not name may have a provider of any other name, and so may an issuer whose address is not known: of that
    /// one the name is empty.
    fn providers<'a>(&'a self, issuer: Issuer, address: Option<&'a str>) -> BTreeSet<&'a str> {
        let lists = self.policy.document.statements.iter().flat_map(|held| [&held.principals, &held.not_principals]);
        let names = lists.flatten().flat_map(|list| &list.federated).map(|name| &**name);
        let Some(address) = address else {
            return names.filter(|name| issuer.may_be_at(&provider_issuer(name))).chain([""]).collect();
        };
        let of: BTreeSet<&str> = names.filter(|name| *provider_issuer(name) == *address).collect();
        if of.is_empty() { BTreeSet::from([address]) } else { of }
    }

    /// The statements that let tokens of an issuer in, each once for each provider through which they come; `None`: for
    /// whichever one it has. Where none lets an address in, those for any address that the issuer may have.
    fn doors<'a>(&'a self, issuer: Issuer, address: Option<&'a str>) -> Vec<(&'a Statement, Option<&'a str>)> {
        let mut doors = Vec::new();
        let providers = self.providers(issuer, address);
        for statement in self.statements().filter(|statement| statement.effect == Effect::Allow) {
            let meant = providers.iter().copied().filter(|provider| means(statement, provider));
            doors.extend(meant.map(|provider| (statement, Some(provider).filter(|name| !name.is_empty()))));
        }
        if doors.is_empty() && address.is_some() { self.doors(issuer, None) } else { doors }
    }

    /// The statements about becoming the role by a token.
    fn statements(&self) -> impl Iterator<Item = &Statement> {
        let number = Catalogue::global().operation(BECOME);
        let of = self.policy.document.statements.iter().zip(&self.policy.compiled.statements);
        of.filter(move |(_, compiled)| {
            number.is_some_and(|number| compiled.parts.iter().any(|part| part.operations.contains(number)))
        })
        .map(|(statement, _)| statement)
    }

    /// The ways to be spared by each statement that denies tokens of a provider, or the statement where these are not known;
    /// `None`: of whichever provider an issuer has.
    fn denying(&self, provider: Option<&str>, issuer: Issuer) -> Vec<Result<Vec<Alternative>, String>> {
        let denies = self.statements().filter(|statement| statement.effect == Effect::Deny);
        let meant = denies.filter(|statement| match provider {
            Some(provider) => means(statement, provider),
            None => may_mean(statement, issuer),
        });
        let ways = |statement: &Statement| {
            let tests = &*statement.conditions;
            // Whose keys its tokens carry is not known otherwise.
            let known = provider.and_then(|provider| escapes(tests, issuer, &provider_issuer(provider)));
            known.ok_or_else(|| format!("Deny {}", tests.iter().map(written).collect::<Vec<_>>().join("; ")))
        };
        meant.map(ways).collect()
    }
}

impl Understood for Trusted {
    fn admits(&self, token: &Token) -> Admitted {
        let mut open = BTreeSet::new();
        let providers = self.providers(self.issuer, token.issuer.as_deref());
        let truth = providers.into_iter().fold(Truth::No, |some, provider| {
            let meant = self.statements().filter(|statement| means(statement, provider));
            let tests = meant.map(|statement| (statement.effect, &*statement.conditions));
            // What comes through a provider is of its issuer.
            let host = Some(provider).filter(|name| !name.is_empty()).map(provider_issuer);
            let address = token.issuer.as_deref().or(host.as_deref());
            some.or(decide(tests, &Claims { token, issuer: self.issuer, address }, &mut open))
        });
        Admitted::new(truth, open)
    }

    fn asks(&self, issuer: Issuer, address: Option<&str>) -> Asks {
        let mut asks = Asks::default();
        for (statement, provider) in self.doors(issuer, address) {
            let host = provider.map(provider_issuer);
            let asked = asked_by(&*statement.conditions, issuer, host.as_deref());
            let vague = statement.conditions.iter().filter(|test| is_vague(test, issuer, host.as_deref()));
            let mut cited: Vec<String> = vague.map(written).collect();
            let keys = statement.conditions.iter().filter_map(|test| split(&test.key));
            let own = keys.filter(|(prefix, _)| is_own(prefix, issuer, host.as_deref()) != Truth::No);
            asks.tested.extend(own.map(|(_, claim)| claim));
            let mut denies = Vec::new();
            for denied in self.denying(provider, issuer) {
                match denied {
                    Ok(ways) => denies.push(ways),
                    Err(deny) => cited.push(deny),
                }
            }
            for part in cited {
                if !asks.opaque.contains(&part) {
                    asks.opaque.push(part);
                }
            }
            let ways = spared(asked, &denies);
            let lacks = ways.iter().any(|way| lacks_audience(&way.demands));
            asks.remarks.extend(lacks.then_some(MISSING_AUDIENCE));
            asks.alternatives.extend(ways);
        }
        asks
    }

    fn issuer(&self) -> Option<Issuer> {
        let principals = self.statements().filter_map(|statement| statement.principals.as_deref());
        let providers = principals.flat_map(|list| &list.federated).map(|name| Issuer::at(&provider_issuer(name)));
        let tests = self.statements().flat_map(|statement| statement.conditions.iter());
        let keys = tests.filter_map(|test| split(&test.key)).map(|(prefix, _)| Issuer::at(prefix));
        let mut kinds: Vec<Issuer> = providers.chain(keys).filter(|kind| *kind != Issuer::Other).collect();
        kinds.sort_unstable();
        kinds.dedup();
        match kinds.as_slice() {
            [one] => Some(*one),
            _ => None,
        }
    }

    fn notes(&self) -> Vec<(String, String)> {
        self.policy.notes.iter().map(|note| (String::new(), note.clone())).collect()
    }
}

/// One way into a role for tokens: the conditions of a statement with one of its subjects, and what the policy denies.
#[derive(Debug)]
pub(crate) struct Door {
    issuer: Arc<str>,
    tests: Vec<ConditionTest>,
    denies: Vec<Arc<[ConditionTest]>>,
    /// What subjects begin with.
    start: String,
}

impl Door {
    /// The way that a statement of a trust policy opens for a subject; `*` for any.
    pub(crate) fn of(policy: &PolicyDocument, statement: usize, provider: &str, subject: &str) -> Option<Self> {
        let issuer = provider_issuer(provider);
        let mut tests = policy.statements.get(statement)?.conditions.to_vec();
        let is_of = |test: &&mut ConditionTest| {
            is_about(test, &issuer, "sub")
                && always_demanded(test)
                && test.values.iter().any(|value| **value == *subject)
        };
        if let Some(test) = tests.iter_mut().find(is_of) {
            test.values = vec![subject.into()];
        }
        let denies = denying(policy, provider).map(|held| Arc::clone(&held.conditions)).collect();
        let start = subject_start(&issuer, &tests);
        Some(Self { issuer, tests, denies, start })
    }
}

impl Admission for Door {
    fn admits(&self, token: &Token) -> Truth {
        let kind = Issuer::at(&self.issuer);
        // Who signs a token may not be known; its subject then tells at least which kind of issuer it is.
        let fits = match &token.issuer {
            Some(issuer) => *issuer == self.issuer,
            None => {
                kind == Issuer::Other || token.text("sub").is_some_and(|subject| Issuer::of_subject(subject) == kind)
            }
        };
        if !fits {
            return Truth::No;
        }
        let denies = self.denies.iter().map(|tests| (Effect::Deny, &**tests));
        // Whoever comes through the provider is of its issuer.
        let claims = Claims { token, issuer: kind, address: Some(&self.issuer) };
        decide(std::iter::once((Effect::Allow, &*self.tests)).chain(denies), &claims, &mut BTreeSet::new())
    }

    fn subject_start(&self) -> &str {
        &self.start
    }
}

/// What a subject must begin with to pass all tests: the longest beginning that a test of it demands which always counts
/// and compares texts as they are.
fn subject_start(issuer: &str, tests: &[ConditionTest]) -> String {
    let compares = |test: &&ConditionTest| {
        let exactly = matches!(
            test.operator,
            Some(Operator::StringEquals { negated: false } | Operator::StringLike { negated: false })
        );
        exactly && is_about(test, issuer, "sub") && always_demanded(test)
    };
    let start = |value: &Arc<str>| value.split(['*', '?', '$']).next().unwrap_or_default().to_owned();
    let common = |one: String, other: String| -> String {
        one.chars().zip(other.chars()).take_while(|(a, b)| a == b).map(|(a, _)| a).collect()
    };
    let starts = tests.iter().filter(compares).filter_map(|test| test.values.iter().map(start).reduce(common));
    starts.max_by_key(String::len).unwrap_or_default()
}

/// Whether a statement may be about tokens of an issuer: it names no provider, or one that may be the issuer's.
fn may_mean(statement: &Statement, issuer: Issuer) -> bool {
    statement.principals.as_ref().is_none_or(|list| {
        list.any || list.federated.iter().any(|provider| issuer.may_be_at(&provider_issuer(provider)))
    })
}

/// The issuer whose tokens alone a statement lets in that names everybody: it demands one of their claims, which nobody else
/// brings.
pub(crate) fn only_issuer(statement: &Statement) -> Option<Arc<str>> {
    let mut demanded = statement.conditions.iter().filter(|test| always_demanded(test));
    let (issuer, _) = demanded.find_map(|test| split(&test.key))?;
    speaks_of(statement, BECOME).then(|| Arc::from(issuer))
}

/// The statements of a trust policy that deny tokens of a provider.
pub(crate) fn denying<'a>(policy: &'a PolicyDocument, provider: &'a str) -> impl Iterator<Item = &'a Statement> {
    policy.statements.iter().filter(move |statement| {
        statement.effect == Effect::Deny && means(statement, provider) && speaks_of(statement, BECOME)
    })
}

/// A test in the vendor's words.
fn written(test: &ConditionTest) -> String {
    format!("{} {} {}", test.written, test.key, test.values.join(" | "))
}

/// Whether a statement is about whoever brings a token through a provider.
fn means(statement: &Statement, provider: &str) -> bool {
    named(statement, &Caller::new(Who::Federated, provider, None, None)) != Named::No
}

/// What statements, each by its effect and tests, decide over a token: let in by one, and kept out by none.
fn decide<'a>(
    statements: impl Iterator<Item = (Effect, &'a [ConditionTest])>,
    claims: &Claims<'_>,
    open: &mut BTreeSet<String>,
) -> Truth {
    let (mut admitted, mut denied) = (Truth::No, Truth::No);
    for (effect, tests) in statements {
        let holds = all_hold(effect, tests, claims, open);
        match effect {
            Effect::Allow => admitted = admitted.or(holds),
            Effect::Deny => denied = denied.or(holds),
        }
    }
    admitted.and(denied.not())
}

/// The issuer of a provider: what its name says behind `oidc-provider/`, or the name itself.
pub(crate) fn provider_issuer(provider: &str) -> Arc<str> {
    let issuer = provider.split_once(":oidc-provider/").map_or(provider, |(_, issuer)| issuer);
    issuer.to_ascii_lowercase().into()
}

/// Whether all tests of a statement hold for a token.
fn all_hold(effect: Effect, tests: &[ConditionTest], claims: &Claims<'_>, open: &mut BTreeSet<String>) -> Truth {
    tests.iter().fold(Truth::Yes, |all, test| {
        let holds = holds(effect, test, claims);
        if holds == Truth::Unknown {
            open.insert(test.key.to_string());
        }
        all.and(holds)
    })
}

fn holds(effect: Effect, test: &ConditionTest, claims: &Claims<'_>) -> Truth {
    if let Some((prefix, _)) = split(&test.key)
        && claims.is_own(prefix) == Truth::Unknown
    {
        // The key is of the token's issuer or of another one, in whose place no address is like.
        let of = |address| holds(effect, test, &Claims { address: Some(address), ..*claims });
        let (own, other) = (of(prefix), of(""));
        return if own == other { own } else { Truth::Unknown };
    }
    let Some(claim) = claims.claim(&test.key) else { return operator::holds(test, claims) };
    let Found::AnyOf(pattern) = claims.token.find(&claim) else { return operator::holds(test, claims) };
    let pattern = cased(test, pattern);
    if let Some(operator) = test.operator.filter(|operator| operator.negated()) {
        // Its bearer may take a text that fits a value, or one that fits none, as far as there are both.
        let Some(operator) = positive(operator) else { return Truth::Unknown };
        let compared = ConditionTest { operator: Some(operator), ..test.clone() };
        let fits = test.values.iter().fold(Truth::No, |some, value| {
            let Some(value) = wanted(&compared, value) else { return some.or(Truth::Unknown) };
            let value = cased(&compared, &value);
            some.or(match value.contains(&pattern) {
                Truth::Yes => Truth::Yes,
                _ => value.overlaps(&pattern).and(Truth::Unknown),
            })
        });
        return fits.not();
    }
    test.values.iter().fold(Truth::No, |some, value| {
        let Some(value) = wanted(test, value) else { return some.or(Truth::Unknown) };
        let value = cased(test, &value);
        let fits = value.overlaps(&pattern);
        some.or(match effect {
            // Its bearer has the choice, and takes a text that lets it in ...
            Effect::Allow => fits,
            // ... and none that keeps it out, as long as there are others.
            Effect::Deny if value.contains(&pattern) == Truth::Yes => Truth::Yes,
            Effect::Deny => fits.and(Truth::Unknown),
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_begins_as_every_test_of_it_that_always_counts_demands() {
        const KEY: &str = "token.actions.githubusercontent.com:sub";
        let start = |condition: &str| {
            let condition = condition.replace("SUB", KEY);
            let policy = format!(
                r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":"*","Action":"*","Condition":{condition}}}]}}"#
            );
            let policy = PolicyDocument::parse(&policy).unwrap();
            subject_start("token.actions.githubusercontent.com", &policy.statements[0].conditions)
        };
        for (condition, expected) in [
            (r#"{"StringEquals":{"SUB":"repo:a/b:ref:refs/heads/main"}}"#, "repo:a/b:ref:refs/heads/main"),
            (r#"{"StringLike":{"SUB":"repo:a/*"}}"#, "repo:a/"),
            (r#"{"StringLike":{"SUB":["repo:a/b:*","repo:a/c:*"]}}"#, "repo:a/"),
            (r#"{"StringLike":{"SUB":"repo:a/*"},"StringEquals":{"SUB":"repo:a/b:x"}}"#, "repo:a/b:x"),
            (r#"{"StringLike":{"SUB":"repo:${aws:username}/*"}}"#, "repo:"),
            // These let in what begins otherwise.
            (r#"{"StringEqualsIgnoreCase":{"SUB":"repo:a/b"}}"#, ""),
            (r#"{"StringNotEquals":{"SUB":"repo:a/b"}}"#, ""),
            (r#"{"StringLikeIfExists":{"SUB":"repo:a/*"}}"#, ""),
            (r#"{"ForAllValues:StringLike":{"SUB":"repo:a/*"}}"#, ""),
            (r#"{"StringEquals":{"token.actions.githubusercontent.com:aud":"sts.amazonaws.com"}}"#, ""),
        ] {
            assert_eq!(start(condition), expected, "{condition}");
        }
    }
}
