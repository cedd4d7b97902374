//! When a grant stands: the tests of a condition that begin or end it.

use evenhand_model::Timestamp;
use evenhand_model::condition::{Clause, Condition, Test};
use evenhand_model::evidence::Truth;

/// Whether one grant certainly stands only while another one does too.
///
/// Each is given by the clauses of its condition that speak of time. What cannot be compared is not within.
pub(crate) fn within(inner: &Condition, outer: &Condition) -> bool {
    outer.clauses().all(|asked| {
        let alone = Condition::unconditional().with(asked.clone());
        alone.implied_by(inner) == Truth::Yes
            || inner.clauses().any(|held| match (held, asked) {
                (Clause::When(held), Clause::When(asked)) => no_later(held, asked) || no_sooner(held, asked),
                _ => false,
            })
    })
}

/// Whether a test is one that a moment passes for ever after.
pub(crate) fn is_beginning(test: &Test) -> bool {
    !test.negated && test.operator.to_ascii_lowercase().contains("greaterthan")
}

fn is_end(test: &Test) -> bool {
    !test.negated && test.operator.to_ascii_lowercase().contains("lessthan")
}

fn no_later(held: &Test, asked: &Test) -> bool {
    is_end(held) && alike(held, asked) && moments(held, asked).is_some_and(|(held, asked)| held <= asked)
}

fn no_sooner(held: &Test, asked: &Test) -> bool {
    is_beginning(held) && alike(held, asked) && moments(held, asked).is_some_and(|(held, asked)| held >= asked)
}

fn alike(held: &Test, asked: &Test) -> bool {
    held.operator == asked.operator && held.key == asked.key && !asked.negated
}

/// The moments of two tests in one measure: dates with dates, seconds with seconds.
fn moments(held: &Test, asked: &Test) -> Option<(i64, i64)> {
    let ([held], [asked]) = (&*held.values, &*asked.values) else { return None };
    let dates = held.parse::<Timestamp>().ok().zip(asked.parse::<Timestamp>().ok());
    match dates {
        Some((held, asked)) => Some((held.as_second(), asked.as_second())),
        None => held.parse().ok().zip(asked.parse().ok()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn when(tests: &[(&str, &str)]) -> Condition {
        tests.iter().fold(Condition::unconditional(), |all, (operator, value)| {
            all.with(Clause::When(Test {
                operator: (*operator).into(),
                key: "now".into(),
                values: [std::sync::Arc::from(*value)].into(),
                negated: false,
            }))
        })
    }

    #[test]
    fn a_window_lies_within_another_that_begins_no_later_and_ends_no_sooner() {
        let from = |day: &'static str| ("DateGreaterThan", day);
        let to = |day: &'static str| ("DateLessThan", day);
        let (one, two, three) = ("2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z", "2036-01-01T00:00:00Z");
        for (inner, outer, expected) in [
            (vec![to(one)], vec![to(one)], true),
            (vec![to(one)], vec![to(two)], true),
            (vec![to(three)], vec![to(two)], false),
            (vec![], vec![to(two)], false),
            (vec![to(two)], vec![], true),
            (vec![from(one), to(two)], vec![to(three)], true),
            (vec![from(two), to(three)], vec![from(one), to(three)], true),
            (vec![from(one), to(three)], vec![from(two), to(three)], false),
            (vec![to("1767225600")], vec![to("1769904000")], true),
            (vec![to("1767225600")], vec![to(two)], false),
            (vec![("NumericLessThan", one)], vec![to(two)], false),
        ] {
            assert_eq!(within(&when(&inner), &when(&outer)), expected, "{inner:?} in {outer:?}");
        }
    }
}
