//! Patterns over operation names.
//!
//! Azure ignores the case of operations, and a star stands for any text, slashes included. Source: "Understand Azure role
//! definitions", section on actions.

use std::fmt;
use std::sync::Arc;

use evenhand_model::evidence::Truth;
use evenhand_model::glob::{Glob, Token};

/// One entry of `actions`, `notActions`, `dataActions` or `notDataActions`.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct OperationPattern {
    written: Arc<str>,
    lower: Arc<str>,
    glob: Glob,
}

impl OperationPattern {
    /// A pattern as it is written. White space around it does not count.
    pub fn new(text: &str) -> Self {
        let written = text.trim();
        let lower = written.to_ascii_lowercase();
        let glob = Glob::from_tokens(lower.chars().map(|c| if c == '*' { Token::Many } else { Token::Char(c) }));
        Self { written: written.into(), lower: lower.into(), glob }
    }

    /// Whether an operation, in lower case, is meant.
    pub fn matches(&self, operation: &str) -> bool {
        self.glob.matches(operation) == Truth::Yes
    }

    /// The pattern in lower case.
    pub(crate) fn lower(&self) -> &str {
        &self.lower
    }

    /// Whether it holds a wildcard.
    pub(crate) fn is_wildcard(&self) -> bool {
        self.lower.contains('*')
    }
}

impl fmt::Display for OperationPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.written)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_does_not_matter_and_a_star_spans_segments() {
        for (pattern, operation, expected) in [
            ("Microsoft.Compute/virtualMachines/Read", "microsoft.compute/virtualmachines/read", true),
            ("*", "microsoft.compute/virtualmachines/read", true),
            ("*/read", "microsoft.compute/virtualmachines/extensions/read", true),
            ("Microsoft.Compute/*", "microsoft.compute/virtualmachines/start/action", true),
            ("Microsoft.Compute/*/read", "microsoft.compute/virtualmachines/write", false),
            ("Microsoft.Compute/*/extensions/*", "microsoft.compute/virtualmachines/extensions/read", true),
            ("Microsoft.Compute/*/extensions/*", "microsoft.compute/virtualmachines/read", false),
            ("Microsoft.Compute", "microsoft.compute/virtualmachines/read", false),
            ("Microsoft.Comput?/a/read", "microsoft.compute/a/read", false),
        ] {
            assert_eq!(OperationPattern::new(pattern).matches(operation), expected, "{pattern} {operation}");
        }
    }
}
