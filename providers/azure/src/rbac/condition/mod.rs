//! Conditions of role assignments, role definitions and deny assignments, decided in three values.
//!
//! A scanner seldom knows the attributes of a request: what hangs on one that is not known is unknown, and with it the
//! access is conditional, never gone. Source of the language: "Azure role assignment condition format and syntax".

mod attributes;
mod compare;
mod parse;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;

use evenhand_model::evidence::Truth;

pub use attributes::{Attribute, Attributes, Source, Value};
use compare::Comparison;

use super::pattern::OperationPattern;

/// A condition.
#[derive(Clone, Debug)]
pub struct Condition {
    written: Arc<str>,
    /// None: it is not written in the language as this program knows it, and may hold or not.
    parsed: Option<Expression>,
}

/// What is known of a request when a condition is decided.
#[derive(Clone, Copy, Debug)]
pub struct Known<'a> {
    /// The operation, in lower case.
    pub operation: &'a str,
    /// The suboperation. None = it is not known; an empty text = there is none.
    pub suboperation: Option<&'a str>,
    /// Attributes.
    pub attributes: &'a Attributes,
}

/// A part of a condition.
#[derive(Clone, Debug)]
enum Expression {
    And(Box<Self>, Box<Self>),
    Or(Box<Self>, Box<Self>),
    Not(Box<Self>),
    ActionMatches(Vec<OperationPattern>),
    SubOperationMatches(Vec<OperationPattern>),
    Exists(Attribute),
    Compare(Comparison),
}

impl Condition {
    /// A condition as it is written.
    pub fn new(text: &str) -> Self {
        Self { written: text.trim().into(), parsed: parse::parse(text).ok() }
    }

    /// The text.
    pub fn as_str(&self) -> &Arc<str> {
        &self.written
    }

    /// Why it cannot be decided, if it cannot.
    ///
    /// # Errors
    /// What is not understood in it.
    pub fn check(&self) -> Result<(), NotUnderstood> {
        parse::parse(&self.written).map(|_| ())
    }

    /// Whether it holds for a request.
    pub fn holds(&self, known: &Known<'_>) -> Truth {
        self.parsed.as_ref().map_or(Truth::Unknown, |parsed| parsed.holds(known))
    }
}

impl Expression {
    fn holds(&self, known: &Known<'_>) -> Truth {
        match self {
            Self::And(a, b) => a.holds(known).and(b.holds(known)),
            Self::Or(a, b) => a.holds(known).or(b.holds(known)),
            Self::Not(inner) => inner.holds(known).not(),
            Self::ActionMatches(patterns) => patterns.iter().any(|pattern| pattern.matches(known.operation)).into(),
            Self::SubOperationMatches(patterns) => match known.suboperation {
                None => Truth::Unknown,
                Some("") => Truth::No,
                Some(text) => {
                    let lower = text.to_ascii_lowercase();
                    patterns.iter().any(|pattern| pattern.matches(&lower)).into()
                }
            },
            Self::Exists(attribute) => match known.attributes.get(attribute) {
                None => Truth::Unknown,
                Some(Value::Absent) => Truth::No,
                Some(Value::Texts(_)) => Truth::Yes,
            },
            Self::Compare(comparison) => comparison.holds(known.attributes),
        }
    }
}

/// What is not understood in a condition.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{what} at character {at}")]
pub struct NotUnderstood {
    /// What.
    pub what: String,
    /// Where, counted from 1.
    pub at: usize,
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.written)
    }
}
