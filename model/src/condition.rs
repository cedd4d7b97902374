//! Conditions on grants, kept as data.
//!
//! A scanner seldom knows the context of a request, so a condition is neither assumed met nor assumed unmet: it travels
//! with the grant, and containment asks whether one condition implies another.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use crate::evidence::Truth;
use crate::scope::ResourceScope;

/// One comparison: a key of the request's context against values.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Test {
    /// The operator in the vendor's spelling, canonical case.
    pub operator: Arc<str>,
    /// The context key, lower-case where the vendor ignores its case.
    pub key: Arc<str>,
    /// The values, sorted. Any one will do, or for a negated operator none may occur.
    pub values: Arc<[Arc<str>]>,
    /// Whether the operator is a negated one, so that more values are stricter.
    pub negated: bool,
}

/// One part of a conjunction.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Clause {
    /// The test must hold.
    When(Test),
    /// Not all of the tests may hold for a resource in the scope: what a conditional deny leaves of a grant.
    Unless {
        /// The tests of the deny.
        tests: Vec<Test>,
        /// The resources that the deny covers.
        scope: Arc<ResourceScope>,
    },
    /// One of these alternatives must hold: what a policy that limits by several conditional statements leaves of a grant.
    AnyOf(Vec<Condition>),
    /// Something that the provider does not model, in its own words. Equal only to itself.
    Opaque(Arc<str>),
}

/// A conjunction of clauses. Empty means unconditional.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Default)]
pub struct Condition {
    clauses: BTreeSet<Clause>,
}

impl Condition {
    /// No condition.
    pub fn unconditional() -> Self {
        Self::default()
    }

    /// Whether nothing is asked.
    pub fn is_unconditional(&self) -> bool {
        self.clauses.is_empty()
    }

    /// The clauses, sorted.
    pub fn clauses(&self) -> impl Iterator<Item = &Clause> {
        self.clauses.iter()
    }

    /// This condition and one clause more.
    #[must_use]
    pub fn with(mut self, clause: Clause) -> Self {
        self.clauses.insert(clause);
        self
    }

    /// Both conditions.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        Self { clauses: self.clauses.union(&other.clauses).cloned().collect() }
    }

    /// This condition without the clauses that the filter rejects.
    #[must_use]
    pub fn filtered(&self, mut keep: impl FnMut(&Clause) -> bool) -> Self {
        Self { clauses: self.clauses.iter().filter(|clause| keep(clause)).cloned().collect() }
    }

    /// The context keys that it hangs on.
    pub fn keys(&self) -> BTreeSet<&str> {
        let mut keys = BTreeSet::new();
        for clause in &self.clauses {
            match clause {
                Clause::When(test) => keys.extend([&*test.key]),
                Clause::Unless { tests, .. } => keys.extend(tests.iter().map(|test| &*test.key)),
                Clause::AnyOf(alternatives) => keys.extend(alternatives.iter().flat_map(Self::keys)),
                Clause::Opaque(_) => {}
            }
        }
        keys
    }

    /// Whether this condition holds whenever `other` holds: ours is no stricter.
    ///
    /// `Yes` is always right. A clause of ours that `other` does not mention at all makes the answer `No`; one that
    /// `other` speaks of in different terms makes it `Unknown`.
    pub fn implied_by(&self, other: &Self) -> Truth {
        self.clauses.iter().fold(Truth::Yes, |all, clause| all.and(clause_implied(clause, other)))
    }
}

fn clause_implied(clause: &Clause, other: &Condition) -> Truth {
    if other.clauses.contains(clause) {
        return Truth::Yes;
    }
    match clause {
        Clause::When(test) => {
            let mut best = Truth::No;
            for held in &other.clauses {
                match held {
                    Clause::When(held) if held.key == test.key => {
                        let ours = |value: &Arc<str>| test.values.contains(value);
                        let theirs = |value: &Arc<str>| held.values.contains(value);
                        let implied = held.operator == test.operator
                            && if test.negated { test.values.iter().all(theirs) } else { held.values.iter().all(ours) };
                        best = best.or(if implied { Truth::Yes } else { Truth::Unknown });
                    }
                    Clause::When(_) => {}
                    // What a deny leaves says something of the keys that it tests and of no others.
                    Clause::Unless { tests, .. } if tests.iter().all(|held| held.key != test.key) => {}
                    Clause::Unless { .. } | Clause::AnyOf(_) | Clause::Opaque(_) => best = best.or(Truth::Unknown),
                }
            }
            best
        }
        Clause::AnyOf(alternatives) => alternatives.iter().fold(Truth::No, |some, one| some.or(one.implied_by(other))),
        // A deny on our side only: the other grant reaches further unless something of its own rules the same out.
        Clause::Unless { .. } | Clause::Opaque(_) => {
            if other.is_unconditional() {
                Truth::No
            } else {
                Truth::Unknown
            }
        }
    }
}

impl fmt::Display for Test {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} ", self.key, self.operator)?;
        self.values.iter().enumerate().try_for_each(|(at, value)| {
            if at > 0 {
                f.write_str(" | ")?;
            }
            f.write_str(value)
        })
    }
}

impl fmt::Display for Clause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::When(test) => write!(f, "{test}"),
            Self::Unless { tests, scope } => {
                f.write_str("unless (")?;
                for (at, test) in tests.iter().enumerate() {
                    if at > 0 {
                        f.write_str(" and ")?;
                    }
                    write!(f, "{test}")?;
                }
                f.write_str(")")?;
                if !scope.is_everything() {
                    write!(f, " on {scope}")?;
                }
                Ok(())
            }
            Self::AnyOf(alternatives) => {
                f.write_str("one of (")?;
                for (at, alternative) in alternatives.iter().enumerate() {
                    if at > 0 {
                        f.write_str("; ")?;
                    }
                    write!(f, "{alternative}")?;
                }
                f.write_str(")")
            }
            Self::Opaque(text) => f.write_str(text),
        }
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.clauses.iter().enumerate().try_for_each(|(at, clause)| {
            if at > 0 {
                f.write_str(" and ")?;
            }
            write!(f, "{clause}")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn when(operator: &str, key: &str, values: &[&str]) -> Condition {
        let negated = operator.contains("Not");
        let values: Vec<Arc<str>> = values.iter().map(|value| Arc::from(*value)).collect();
        Condition::unconditional().with(Clause::When(Test {
            operator: operator.into(),
            key: key.into(),
            values: values.into(),
            negated,
        }))
    }

    #[test]
    fn a_deny_about_another_key_implies_nothing_about_this_one() {
        let unless = |key: &str| {
            let test = Test {
                operator: "StringNotEquals".into(),
                key: key.into(),
                values: [Arc::from("eu")].into(),
                negated: true,
            };
            Condition::unconditional().with(Clause::Unless { tests: vec![test], scope: Arc::default() })
        };
        let mfa = when("Bool", "mfa", &["true"]);
        assert_eq!(mfa.implied_by(&unless("region")), Truth::No);
        assert_eq!(mfa.implied_by(&unless("mfa")), Truth::Unknown);
    }

    #[test]
    fn every_key_that_a_condition_hangs_on_is_told() {
        let test = |key: &str| Test {
            operator: "Bool".into(),
            key: key.into(),
            values: [Arc::from("true")].into(),
            negated: false,
        };
        let condition = when("StringEquals", "region", &["eu"])
            .with(Clause::Unless { tests: vec![test("mfa")], scope: Arc::default() })
            .with(Clause::AnyOf(vec![when("Bool", "tls", &["true"]), when("Bool", "mfa", &["true"])]))
            .with(Clause::Opaque("something else".into()));
        assert_eq!(condition.keys().into_iter().collect::<Vec<_>>(), ["mfa", "region", "tls"]);
    }

    #[test]
    fn a_condition_is_covered_by_the_same_or_a_wider_one_only() {
        let none = Condition::unconditional();
        let eu = when("StringEquals", "region", &["eu"]);
        let eu_us = when("StringEquals", "region", &["eu", "us"]);
        assert_eq!(none.implied_by(&eu), Truth::Yes);
        assert_eq!(eu.implied_by(&none), Truth::No);
        assert_eq!(eu_us.implied_by(&eu), Truth::Yes);
        assert_eq!(eu.implied_by(&eu_us), Truth::Unknown);
        assert_eq!(eu.implied_by(&when("Bool", "mfa", &["true"])), Truth::No);
        assert_eq!(
            when("StringNotEquals", "region", &["us"]).implied_by(&when("StringNotEquals", "region", &["eu", "us"])),
            Truth::Yes
        );
    }
}
