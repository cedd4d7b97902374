//! What statements that deny leave of what is demanded of tokens.
//!
//! A statement spares a token for which one of its tests fails. What is told of that may be wider than it is and never
//! narrower, so that no grade is better than it should be.

use evenhand_federation::{Alternative, Demand, Issuer, Slack};
use evenhand_model::glob::Glob;

use super::claims::{carries, is_of, split};
use super::demand::{cased, is_there, wanted};
use crate::policy::document::{ConditionTest, Qualifier};
use crate::policy::operator::Operator;

/// Alternatives beyond which a statement that denies is left out.
const MOST: usize = 64;

/// The ways to meet what is demanded and to be spared by every statement; of each of these, the ways to be spared by it.
pub(crate) fn spared(asked: Alternative, denies: &[Vec<Alternative>]) -> Vec<Alternative> {
    let mut all = vec![asked];
    for ways in denies {
        if all.len() * ways.len() <= MOST {
            all = all.iter().flat_map(|held| ways.iter().map(move |way| both(held, way))).collect();
        }
    }
    all
}

fn both(held: &Alternative, way: &Alternative) -> Alternative {
    Alternative {
        demands: [&*held.demands, &*way.demands].concat(),
        denied: [&*held.denied, &*way.denied].concat(),
        forbids: held.forbids,
        vague: held.vague,
    }
}

/// The ways to be spared by a statement that denies the tokens of a provider; none: it spares nobody. `None` where a test of
/// it is not understood, so that it may spare anybody.
pub(crate) fn escapes(tests: &[ConditionTest], issuer: Issuer, provider: &str) -> Option<Vec<Alternative>> {
    let mut ways = Vec::new();
    for test in tests {
        ways.extend(fails(test, issuer, provider)?);
    }
    Some(ways)
}

/// When a test fails: never where there is no way, always where a way demands nothing.
fn fails(test: &ConditionTest, issuer: Issuer, provider: &str) -> Option<Vec<Alternative>> {
    let never = || Some(Vec::new());
    let always = || Some(vec![Alternative::default()]);
    let (prefix, claim) = split(&test.key)?;
    // A key of another issuer is never there.
    let carried = if is_of(prefix, provider) { carries(prefix, &claim) } else { Some(false) };
    let in_every = carried == Some(true) && issuer.always_has(&claim);
    let operator = test.operator?;
    if operator == Operator::Null {
        return match is_there(&[test], &test.key) {
            Some(true) if in_every => never(),
            Some(true) if carried == Some(false) => always(),
            Some(false) if in_every => always(),
            Some(false) if carried == Some(false) => never(),
            _ => None,
        };
    }
    let passes_absent = test.if_exists
        || match test.qualifier {
            Qualifier::ForAllValues => true,
            Qualifier::ForAnyValue => false,
            Qualifier::None => operator.negated(),
        };
    if carried == Some(false) {
        return if passes_absent { never() } else { always() };
    }
    // Of an issuer of no known form nothing is known of what other claims say.
    if issuer == Issuer::Other && !matches!(claim.as_str(), "sub" | "aud" | "oaud" | "email") {
        return None;
    }
    let compared = ConditionTest { operator: Some(positive(operator)?), ..test.clone() };
    let pattern = |value| Some(cased(&compared, &wanted(&compared, value)?).into_owned());
    let caseless = matches!(operator, Operator::StringEqualsIgnoreCase { .. });
    let slack: Vec<Slack> = caseless.then_some(Slack::Case).into_iter().collect();
    if operator.negated() {
        // Otherwise whoever lacks the key is spared too.
        if !passes_absent && !in_every {
            return None;
        }
        // Where a variable has no value a negated test fails as well.
        let values = compared.values.iter().map(pattern).collect::<Option<Vec<Glob>>>()?;
        return Some(vec![vec![Demand { claim, values, slack }].into()]);
    }
    // A key that is perhaps not there keeps nobody out for certain, nor does a value that is not known.
    carried?;
    let values = compared.values.iter().filter_map(pattern).collect();
    Some(vec![Alternative { denied: vec![Demand { claim, values, slack }], ..Alternative::default() }])
}

/// The comparison of texts that an operator makes or negates; `None` for any other operator.
pub(super) fn positive(operator: Operator) -> Option<Operator> {
    match operator {
        Operator::StringEquals { .. } => Some(Operator::StringEquals { negated: false }),
        Operator::StringEqualsIgnoreCase { .. } => Some(Operator::StringEqualsIgnoreCase { negated: false }),
        Operator::StringLike { .. } => Some(Operator::StringLike { negated: false }),
        _ => None,
    }
}
