//! What the tests of a statement demand of an issuer's tokens.

use std::borrow::Cow;
use std::sync::Arc;

use evenhand_federation::{Alternative, Demand, Issuer, Slack};
use evenhand_model::evidence::Truth;
use evenhand_model::glob::{Glob, Token as Part};

use super::claims::{carries, is_of, is_own, split};
use crate::policy::arn::Template;
use crate::policy::context::{Context, Lookup};
use crate::policy::document::{ConditionTest, Qualifier};
use crate::policy::operator::{Operator, Order};

/// The values of a positive test as patterns that are no narrower, a variable as any text; `None` where the operator has no
/// patterns. No claim that these issuers are known by is an address, a time or an ARN.
fn values(test: &ConditionTest) -> Option<Vec<Glob>> {
    let of = |text: &Arc<str>| if text.contains("${") { Some(with_any(test, text)) } else { wanted(test, text) };
    match test.operator {
        Some(Operator::StringEqualsIgnoreCase { negated: false }) => {
            let lower = |text: &Arc<str>| match text.contains("${") {
                true => cased(test, &with_any(test, text)).into_owned(),
                false => Glob::literal(text.to_lowercase()),
            };
            Some(test.values.iter().map(lower).collect())
        }
        // Claims that are numbers or truth values are texts that are written in one way.
        Some(Operator::Numeric(Order::Equals) | Operator::Binary) => {
            Some(test.values.iter().map(|text| Glob::literal(Arc::clone(text))).collect())
        }
        Some(Operator::Bool) => Some(test.values.iter().map(|text| Glob::literal(text.to_lowercase())).collect()),
        Some(Operator::IpAddress { .. } | Operator::Arn { .. } | Operator::Date(_)) => Some(Vec::new()),
        _ => test.values.iter().map(of).collect(),
    }
}

/// A value of a positive comparison of texts as a pattern; `None` for any other test, and where a variable decides.
pub(super) fn wanted(test: &ConditionTest, text: &Arc<str>) -> Option<Glob> {
    let wild = has_wildcards(test)?;
    if text.contains("${") {
        return Some(templated(text, wild)).filter(|pattern| !pattern.has_variable());
    }
    Some(if wild { Glob::wildcard(text) } else { Glob::literal(Arc::clone(text)) })
}

/// Whether `*` and `?` are wildcards in a positive comparison of texts; `None` for any other test.
fn has_wildcards(test: &ConditionTest) -> Option<bool> {
    match test.operator? {
        Operator::StringEquals { negated: false } | Operator::StringEqualsIgnoreCase { negated: false } => Some(false),
        Operator::StringLike { negated: false } => Some(true),
        _ => None,
    }
}

/// A text with `${…}` in it as a pattern. `${*}`, `${?}` and `${$}` are the characters themselves ("IAM policy elements:
/// Variables and tags", special characters).
fn templated(text: &str, wild: bool) -> Glob {
    let parts = Template::parse(text).fill(&Nothing).unwrap_or_else(|| vec![Part::Many]);
    Glob::from_tokens(parts.into_iter().map(|part| match part {
        Part::Many if !wild => Part::Char('*'),
        Part::One if !wild => Part::Char('?'),
        other => other,
    }))
}

/// The same for a test's value, with any text in the place of a variable.
fn with_any(test: &ConditionTest, text: &str) -> Glob {
    let Some(wild) = has_wildcards(test) else { return Glob::Any };
    let any = |part: Part| if let Part::Variable(_) = part { Part::Many } else { part };
    Glob::from_tokens(templated(text, wild).tokens().into_iter().map(any))
}

/// A context of which nothing is known.
struct Nothing;

impl Context for Nothing {
    fn get(&self, _: &str) -> Lookup {
        Lookup::Unknown
    }
}

/// A pattern as a test compares it: in lower case where case does not count.
pub(super) fn cased<'a>(test: &ConditionTest, pattern: &'a Glob) -> Cow<'a, Glob> {
    if !matches!(test.operator, Some(Operator::StringEqualsIgnoreCase { .. })) {
        return Cow::Borrowed(pattern);
    }
    let lower = |token: Part| match token {
        Part::Char(c) => c.to_lowercase().map(Part::Char).collect(),
        other => vec![other],
    };
    Cow::Owned(Glob::from_tokens(pattern.tokens().into_iter().flat_map(lower)))
}

/// Whether a test is positive and fails where the key is absent.
pub(crate) fn always_demanded(test: &ConditionTest) -> bool {
    is_positive(test) && !passes_absent(test)
}

fn is_positive(test: &ConditionTest) -> bool {
    test.operator.is_some_and(|operator| !operator.negated() && operator != Operator::Null)
}

/// Whether a positive test passes where the key is absent.
fn passes_absent(test: &ConditionTest) -> bool {
    test.if_exists || test.qualifier == Qualifier::ForAllValues
}

/// Whether a test of an issuer's claim demands something that no pattern says: an order of numbers.
pub(super) fn is_vague(test: &ConditionTest, issuer: Issuer, address: Option<&str>) -> bool {
    is_positive(test)
        && values(test).is_none()
        && split(&test.key).is_some_and(|(prefix, claim)| {
            is_own(prefix, issuer, address) != Truth::No && (!passes_absent(test) || issuer.always_has(&claim))
        })
}

/// Whether tests, each by itself, demand that a key is there, or that it is not.
pub(super) fn is_there(tests: &[&ConditionTest], key: &str) -> Option<bool> {
    let null = tests.iter().find(|test| test.operator == Some(Operator::Null) && *test.key == *key)?;
    let says = |word: &str| !null.values.is_empty() && null.values.iter().all(|value| value.eq_ignore_ascii_case(word));
    if says("false") { Some(true) } else { says("true").then_some(false) }
}

/// The name for a trust that takes tokens for any audience of its provider. It admits no other workload, only tokens of
/// the same one that were meant for somebody else, so that it takes nothing from the grade.
pub(super) const MISSING_AUDIENCE: &str = "missing-aud";

/// Whether nothing is demanded of the audience.
pub(super) fn lacks_audience(demands: &[Demand]) -> bool {
    !demands.iter().any(|demand| matches!(demand.claim.as_str(), "aud" | "oaud"))
}

/// Whether a test is about a claim of a provider's tokens.
pub(crate) fn is_about(test: &ConditionTest, provider: &str, claim: &str) -> bool {
    split(&test.key).is_some_and(|(prefix, held)| held == claim && is_of(prefix, provider))
}

/// What tests demand of an issuer's tokens; `provider`: the issuer that the statement names, `None` where it may be at any
/// address.
pub(crate) fn asked_by<'a>(
    tests: impl IntoIterator<Item = &'a ConditionTest>,
    issuer: Issuer,
    provider: Option<&str>,
) -> Alternative {
    let tests: Vec<&ConditionTest> = tests.into_iter().collect();
    let mut asked = Alternative::default();
    for test in &tests {
        let Some((prefix, claim)) = split(&test.key) else { continue };
        let own = is_own(prefix, issuer, provider);
        // A key of another issuer, or one that AWS does not make of these tokens, is never there. One that may be of another
        // is not always there.
        let carried = own != Truth::No && carries(prefix, &claim) != Some(false);
        let always = own == Truth::Yes && carried && issuer.always_has(&claim);
        let Some(operator) = test.operator else { continue };
        if operator == Operator::Null {
            // What every token has cannot be missing, and what none has cannot be there.
            let never = match is_there(&tests, &test.key) {
                Some(true) => !carried,
                Some(false) => always,
                None => false,
            };
            if never {
                asked.demands.push(Demand::new(claim, Vec::new()));
            }
            continue;
        }
        if operator.negated() {
            asked.forbids |= carried;
            // Where there is no value, none of any differs.
            if !carried && !test.if_exists && test.qualifier == Qualifier::ForAnyValue {
                asked.demands.push(Demand::new(claim, Vec::new()));
            }
            continue;
        }
        // Where a token may lack the key, such a test demands nothing of those that do.
        let lax = passes_absent(test) && is_there(&tests, &test.key) != Some(true);
        if lax && !always {
            continue;
        }
        if is_vague(test, issuer, provider) && carried {
            asked.vague = true;
        }
        let values = if carried { values(test).unwrap_or_else(|| vec![Glob::Any]) } else { Vec::new() };
        let mut demand = Demand::new(claim, values);
        demand.slack.extend(lax.then_some(Slack::Missing));
        let caseless = matches!(operator, Operator::StringEqualsIgnoreCase { .. });
        demand.slack.extend(caseless.then_some(Slack::Case));
        asked.demands.push(demand);
    }
    asked
}
