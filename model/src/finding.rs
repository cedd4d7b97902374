//! Findings: rules that fail, or cannot be decided.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::evidence::Evidence;
use crate::id::{FindingId, IdentityId, ProviderName, RuleId, ScopeId};
use crate::waiver::Waiver;

/// How bad a finding is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Hygiene.
    Low,
    /// To be planned.
    Medium,
    /// To be fixed soon.
    High,
    /// To be fixed now.
    Critical,
}

impl Severity {
    /// All severities, worst first.
    pub const WORST_FIRST: [Self; 4] = [Self::Critical, Self::High, Self::Medium, Self::Low];

    /// The word used everywhere.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }

    /// The severity with that word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::WORST_FIRST.into_iter().find(|severity| severity.as_str() == word)
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The seven ways in which an identity can be out of line.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dimension {
    /// It may do too much.
    Access,
    /// Nobody is asked.
    Approval,
    /// Nobody can see it.
    Logging,
    /// Nobody answers for it.
    Accountability,
    /// What proves it leaks or lasts.
    Secrets,
    /// It should no longer be there.
    Lifecycle,
    /// It is not kept apart.
    Isolation,
}

impl Dimension {
    /// All dimensions, in the order of reports.
    pub const ALL: [Self; 7] = [
        Self::Access,
        Self::Approval,
        Self::Logging,
        Self::Accountability,
        Self::Secrets,
        Self::Lifecycle,
        Self::Isolation,
    ];

    /// The word used everywhere; also the folder of the dimension's rules.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Access => "access",
            Self::Approval => "approval",
            Self::Logging => "logging",
            Self::Accountability => "accountability",
            Self::Secrets => "secrets",
            Self::Lifecycle => "lifecycle",
            Self::Isolation => "isolation",
        }
    }
}

impl fmt::Display for Dimension {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Whether a rule failed or could not be decided. A pass is no finding.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// The predicate is true.
    Fail,
    /// The predicate is NULL: evidence is missing.
    Unknown,
}

impl Status {
    /// The word used everywhere.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Fail => "fail",
            Self::Unknown => "unknown",
        }
    }
}

/// A fact that an undecided finding waits for.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Missing {
    /// The column of the rule's table that would hold it.
    pub column: Arc<str>,
    /// What is not known, in plain words; for a column that has a value and leaves the verdict open, what it says.
    pub what: Arc<str>,
    /// Why it is not known, where that can be told.
    pub because: Option<Arc<str>>,
}

/// One rule that fails, or cannot be decided, for one row of a fact table.
#[derive(Clone, Debug, Serialize)]
pub struct Finding {
    /// Stable over scans.
    pub id: FindingId,
    /// The rule.
    pub rule: RuleId,
    /// How bad it is.
    pub severity: Severity,
    /// In which way.
    pub dimension: Dimension,
    /// Failed or undecidable.
    pub status: Status,
    /// Whose evidence.
    pub provider: ProviderName,
    /// Where.
    pub scope: ScopeId,
    /// Who.
    pub identity: IdentityId,
    /// The identity's name, for people.
    pub name: Arc<str>,
    /// What is wrong, in one line, with the facts of this row.
    pub title: String,
    /// The column values that the rule cites, in the rule's order; then `<column>_by` for columns that statements, logs or
    /// controls decide: which they are, what they say and where they stand.
    pub facts: Vec<(Arc<str>, String)>,
    /// Where that is written, most telling first.
    pub evidence: Vec<Evidence>,
    /// What to do; for what cannot be decided, how to learn what is missing.
    pub remedy: Arc<str>,
    /// What an undecided finding waits for; empty for one that fails.
    pub missing: Arc<[Missing]>,
    /// Framework ids: (framework key, id).
    pub frameworks: Arc<[(Arc<str>, Arc<str>)]>,
    /// The waiver in force that covers it; `None` = it is nobody's accepted exception.
    pub waiver: Option<Arc<Waiver>>,
}
