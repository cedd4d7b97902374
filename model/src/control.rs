//! Controls: what stands between an identity and an operation.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::evidence::{Evidence, Truth};
use crate::id::IdentityId;
use crate::opset::OpSet;
use crate::scope::ResourceScope;

/// A kind of control. The set is closed: parity compares kind by kind.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ControlKind {
    /// A second person approves.
    SecondPersonApproval,
    /// Rights are activated when needed and end by themselves.
    JustInTime,
    /// A change ticket, review or pipeline gate.
    ChangeGate,
    /// Several factors or a hardware-bound credential.
    Mfa,
    /// A network or device condition.
    NetworkOrDevice,
}

impl ControlKind {
    /// All kinds, in the order of reports.
    pub const ALL: [Self; 5] =
        [Self::SecondPersonApproval, Self::JustInTime, Self::ChangeGate, Self::Mfa, Self::NetworkOrDevice];

    /// The word used in the fact tables.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SecondPersonApproval => "second_person_approval",
            Self::JustInTime => "just_in_time",
            Self::ChangeGate => "change_gate",
            Self::Mfa => "mfa",
            Self::NetworkOrDevice => "network_or_device",
        }
    }

    /// The kind with that word, as configuration files spell it.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

/// How an identity gets past a control.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// It is named as one who need not pass.
    Listed,
    /// Likewise, and no record is left of it.
    Unrecorded,
    /// The control is not enforced for identities of its rank.
    Unenforced,
    /// It may change or remove the control.
    Changes,
    /// It may give itself what the control asks for.
    Satisfies,
    /// Who gets past was not told.
    Untold,
}

impl Way {
    /// The word used in the fact tables.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Listed => "listed",
            Self::Unrecorded => "unrecorded",
            Self::Unenforced => "unenforced",
            Self::Changes => "changes",
            Self::Satisfies => "satisfies",
            Self::Untold => "untold",
        }
    }
}

/// That an identity is, or is not, under a control: for all that it does, or for what it does to some resources.
///
/// Where a control stands before some resources only, every identity that reaches them has one of the same kind for them,
/// in place or not; for resources that none speaks of, nothing stands before anybody.
///
/// Controls that stand in the conditions of single grants are not listed here; they travel with the grant's
/// [`crate::condition::Condition`] and the catalogue says which control a condition key stands for.
#[derive(Clone, Debug)]
pub struct Control {
    /// The identity.
    pub identity: IdentityId,
    /// The control.
    pub kind: ControlKind,
    /// The operations it stands before; `None` = all of them.
    pub operations: Option<Arc<OpSet>>,
    /// The resources it stands before: everything, or one list without exclusions.
    pub scope: Arc<ResourceScope>,
    /// Whether it is in place.
    pub in_place: Truth,
    /// How the identity gets past it, or might.
    pub way: Option<Way>,
    /// The same in a few words, or why it is not known; empty = nothing to say.
    pub reason: Arc<str>,
    /// Where that is written.
    pub evidence: Evidence,
}

impl Control {
    /// A control, in place or not, before everything that the identity does.
    pub fn new(identity: IdentityId, kind: ControlKind, in_place: Truth, evidence: Evidence) -> Self {
        Self {
            identity,
            kind,
            operations: None,
            scope: Arc::default(),
            in_place,
            way: None,
            reason: Arc::from(""),
            evidence,
        }
    }
}
