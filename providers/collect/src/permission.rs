//! Which calls may be made: what a trial of each said.

use evenhand_model::refusal::Why;

use crate::Trouble;

/// What became of a call that was tried.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum State {
    /// It was answered.
    Allowed,
    /// The vendor has no such thing here.
    Absent,
    /// There was nothing to ask about.
    NothingToAsk,
    /// It was not tried: the call that says what there is to ask about brought no answer.
    NotTried,
    /// It was refused, with the vendor's code.
    Refused(String),
    /// It failed for another reason, with the code and the cause.
    Failed(String),
}

impl State {
    /// What a failure says.
    pub fn of(trouble: Trouble) -> Self {
        let code = trouble.refusal.code;
        match (trouble.refusal.why, trouble.detail) {
            (Why::Refused, _) => Self::Refused(code),
            (_, None) => Self::Failed(code),
            (_, Some(detail)) => Self::Failed(format!("{code}: {detail}")),
        }
    }

    /// Whether the call is missing that should be there.
    pub fn is_missing(&self) -> bool {
        match self {
            Self::Allowed | Self::Absent | Self::NothingToAsk => false,
            Self::NotTried | Self::Refused(_) | Self::Failed(_) => true,
        }
    }
}

/// A call, and whether it may be made.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Permission {
    /// What was asked; see [`crate::Failed::place`].
    pub place: String,
    /// The call as the provider spells it.
    pub call: String,
    /// The right that it needs, where the call itself does not say it.
    pub needs: Option<String>,
    /// What is unknown without it.
    pub facts: String,
    /// What became of it.
    pub state: State,
}
