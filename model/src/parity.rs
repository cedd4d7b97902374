//! The comparison of an AI identity with the human role that does the same job, as a value.

use std::sync::Arc;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

use crate::access::Grant;
use crate::catalog::AccessLevel;
use crate::control::{ControlKind, Way};
use crate::evidence::{Evidence, Truth};
use crate::id::IdentityId;

/// The outcome of a comparison.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Verdict {
    /// It holds access that the human role does not cover.
    Excess,
    /// It holds no more, but faces fewer controls for the same sensitive operations.
    ControlGap,
    /// What was read does not tell.
    Unknown,
    /// No human role is known that does the same job. Never a pass.
    NoBaseline,
    /// It holds the same access.
    Parity,
    /// It holds less.
    Narrower,
}

impl Verdict {
    /// All verdicts, in the order of reports.
    pub const ALL: [Self; 6] =
        [Self::Excess, Self::ControlGap, Self::Unknown, Self::NoBaseline, Self::Parity, Self::Narrower];

    /// The word used everywhere.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Excess => "EXCESS",
            Self::ControlGap => "CONTROL_GAP",
            Self::Unknown => "UNKNOWN",
            Self::NoBaseline => "NO_BASELINE",
            Self::Parity => "PARITY",
            Self::Narrower => "NARROWER",
        }
    }
}

/// Where a baseline comes from, most trustworthy first.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BaselineSource {
    /// A reviewed mapping in the configuration.
    Configured,
    /// A tag or annotation on the identity.
    Declared,
    /// The person on whose behalf it acts.
    Delegated,
    /// A group, permission set or binding of people with the same job function.
    SameFunction,
    /// A human role whose name speaks of the same job; a guess, too weak to gate on.
    Named,
    /// Permissions that most human peers hold.
    Mined,
    /// A role that the provider ships.
    Generic,
    /// None found.
    None,
}

impl BaselineSource {
    /// The word used in the fact tables.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Configured => "configured",
            Self::Declared => "declared",
            Self::Delegated => "delegated",
            Self::SameFunction => "same_function",
            Self::Named => "named",
            Self::Mined => "mined",
            Self::Generic => "generic",
            Self::None => "none",
        }
    }

    /// How sure a baseline of this source is, 0 to 1.
    pub fn confidence(self) -> f64 {
        match self {
            Self::Configured => 1.0,
            Self::Declared => 0.9,
            Self::Delegated => 0.8,
            Self::SameFunction => 0.7,
            Self::Named => 0.6,
            Self::Mined => 0.5,
            Self::Generic => 0.3,
            Self::None => 0.0,
        }
    }
}

/// The human role beside which an AI identity is held.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Baseline {
    /// The roles; together they are the human's access. Empty = none.
    pub roles: Vec<IdentityId>,
    /// Their names, joined by ` + `.
    pub name: Arc<str>,
    /// Where the choice comes from.
    pub source: BaselineSource,
    /// The choice in a few words: ``job `delivery` in evenhand.toml``.
    pub reason: Arc<str>,
}

/// Access of an AI identity that the human role does not cover, or of which nothing tells whether it does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExcessAtom {
    /// The operation, or a wildcard that stands for all of a service's operations.
    pub operation: Arc<str>,
    /// The number of operations it stands for.
    pub operations: u32,
    /// The highest level among them.
    pub level: AccessLevel,
    /// The resources.
    pub scope: Arc<str>,
    /// The condition; empty = none.
    pub condition: Arc<str>,
    /// The summed weight.
    pub weight: u32,
    /// The number of operations of high risk among them.
    pub high_risk: u32,
    /// Whether some of them was used in 90 days.
    pub used: Option<bool>,
    /// The statement that grants it: one value for all that it grants, as far as that is known.
    pub grant: Arc<Grant>,
    /// `true` = certainly not covered.
    pub decided: bool,
    /// Where people have all of its operations, though not there or not without a condition: resources and conditions,
    /// the first ones. `None` = they do not have some of them at all.
    pub people_have: Option<Arc<str>>,
}

/// One control, for the sensitive operations that both hold.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ControlComparison {
    /// The control.
    pub control: ControlKind,
    /// Some of the operations, at most five.
    pub operations: Vec<Arc<str>>,
    /// How many there are.
    pub count: u32,
    /// The resources.
    pub resource: Arc<str>,
    /// Whether the human is under it.
    pub human: Truth,
    /// Whether the AI identity is under it.
    pub identity: Truth,
    /// How the AI identity gets past it, or might.
    pub way: Option<Way>,
    /// The same in a few words, or why it is not known; empty = nothing tells.
    pub reason: Arc<str>,
    /// The settings that say so; none for controls that stand in conditions of grants.
    pub evidence: Vec<Evidence>,
}

impl ControlComparison {
    /// Whether the human is under the control and the AI identity is not.
    pub fn is_gap(&self) -> Truth {
        match (self.human, self.identity) {
            (Truth::Yes, Truth::No) => Truth::Yes,
            (Truth::No, _) | (_, Truth::Yes) => Truth::No,
            _ => Truth::Unknown,
        }
    }
}

/// A control before some resources, before a machine of any nature and before the least role with which people get there:
/// whatever job anybody does, and whether or not the machine is an AI identity.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct GateComparison {
    /// The machine.
    pub identity: IdentityId,
    /// The role.
    pub human_role: IdentityId,
    /// The control; the AI identity that it speaks of is the machine.
    #[serde(flatten)]
    pub control: ControlComparison,
    /// Operations before which people pass it, at most five, where those of the control are others: the ones by which the
    /// machine takes the control away. Empty = they are the same.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub stands_before: Vec<Arc<str>>,
}

/// An AI identity beside its human role.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// The AI identity.
    pub identity: IdentityId,
    /// The outcome.
    pub verdict: Verdict,
    /// The outcome in one line, for people.
    pub summary: String,
    /// The human role.
    pub baseline: Baseline,
    /// Operations the AI identity may use; `None` = its access is not known.
    pub operations: Option<u32>,
    /// Their summed weight.
    pub access_weight: Option<u32>,
    /// Operations the human role may use.
    pub human_operations: Option<u32>,
    /// Their summed weight.
    pub human_weight: Option<u32>,
    /// Excess, heaviest first; undecided atoms last.
    pub excess: Vec<ExcessAtom>,
    /// Distinct excess operations.
    pub excess_operations: u32,
    /// Those of them that the human role has too, on fewer resources or under more conditions.
    pub wider_operations: u32,
    /// Their summed weight.
    pub excess_weight: u32,
    /// Distinct excess operations of high risk.
    pub high_risk_excess: u32,
    /// Distinct operations of which nothing tells whether the human role covers them.
    pub undecided_operations: u32,
    /// Summed weight of the operations that both hold over that of the human role.
    #[serde(deserialize_with = "exact")]
    pub coverage: Option<f64>,
    /// Controls, gaps first.
    pub controls: Vec<ControlComparison>,
    /// Why the comparison may be other than this.
    pub doubts: Vec<Arc<str>>,
}

/// A share as it was written: the reader of JSON may be off by the last bit.
fn exact<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
    match Option::<Box<RawValue>>::deserialize(deserializer)? {
        Some(number) => number.get().parse().map(Some).map_err(D::Error::custom),
        None => Ok(None),
    }
}
