//! The posture score as a value. How it is computed is known in `rules`.

use serde::{Deserialize, Serialize};

/// A score in millionths: 1,000,000 is the best. Shown in thousandths, rounded down; compared unrounded.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(transparent)]
pub struct Millionths(pub u32);

impl Millionths {
    /// The score where nothing is open.
    pub const BEST: Self = Self(1_000_000);

    /// The score as people see it, 0 to 1000.
    pub fn thousandths(self) -> u32 {
        self.0 / 1000
    }

    /// The score in thousandths with all of its digits, such as `8.53`, for where two that round alike are compared.
    pub fn exact(self) -> String {
        let digits = format!("{}.{:03}", self.thousandths(), self.0 % 1000);
        digits.trim_end_matches('0').trim_end_matches('.').to_owned()
    }
}

/// The number of open (identity, rule) pairs by severity: of identities affected, each once for every rule. A rule may have
/// several findings on one identity.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct OpenFindings {
    /// Critical pairs.
    pub critical: u64,
    /// High pairs.
    pub high: u64,
    /// Medium pairs.
    pub medium: u64,
    /// Low pairs.
    pub low: u64,
}

/// The score of a scan.
#[derive(Clone, Debug, Serialize)]
pub struct Score {
    /// Without waivers.
    pub raw: Millionths,
    /// With valid waivers honoured.
    pub governed: Millionths,
    /// Judged identities with an open critical or high finding, in millionths of all judged identities; `None` when there are
    /// none.
    pub exposure: Option<Millionths>,
    /// What is open.
    pub open: OpenFindings,
    /// The rules that hold the score down, with the score that fixing each alone would give; best gain first.
    pub moved_by: Vec<Mover>,
}

/// A rule and what fixing it would do.
#[derive(Clone, Debug, Serialize)]
pub struct Mover {
    /// The rule.
    pub rule: crate::id::RuleId,
    /// Its open (identity, rule) pairs.
    pub open: u64,
    /// The raw score if all of them were fixed.
    pub fixed: Millionths,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exact_score_keeps_every_digit_and_no_more() {
        for (millionths, told) in
            [(8_530, "8.53"), (8_181, "8.181"), (640_000, "640"), (1_000_000, "1000"), (5, "0.005"), (0, "0")]
        {
            assert_eq!(Millionths(millionths).exact(), told);
        }
    }
}
