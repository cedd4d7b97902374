//! Which calls the present credentials may make: each is tried once, for one object at most, and nothing is kept.

use evenhand_collect::Stopper;
use evenhand_model::refusal::Why;

use super::client::Pace;
use super::run::{Outcome, Run, Trial};
use super::{CollectError, Options, run};

/// What became of a call.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum State {
    /// It was answered.
    Allowed,
    /// The server has no such resource or object.
    Absent,
    /// The server did not say which resources there are.
    NotTried,
    /// It was refused, with the server's code.
    Refused(String),
    /// It failed for another reason, with the code and the cause.
    Failed(String),
}

/// A call, and whether it may be made.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Permission {
    /// The cluster.
    pub cluster: String,
    /// Verb and resource as roles name them.
    pub call: String,
    /// What is unknown without it.
    pub facts: String,
    /// What became of it.
    pub state: State,
}

/// Tries every call with the credentials at hand; returns them with what is worth knowing of the ways to the clusters.
///
/// # Errors
/// When nothing can be asked at all.
pub fn doctor(options: &Options, stopper: &Stopper) -> Result<(Vec<Permission>, Vec<String>), CollectError> {
    let (tried, notes) = run(options, stopper, Pace::default(), Run::try_all)?;
    Ok((tried.into_iter().map(Permission::of).collect(), notes))
}

impl Permission {
    /// What a trial says.
    pub(super) fn of(trial: Trial) -> Self {
        let state = match trial.outcome {
            Outcome::Answered => State::Allowed,
            Outcome::Absent => State::Absent,
            Outcome::Unknown => State::NotTried,
            Outcome::Refused(refusal, _) if refusal.why == Why::Refused => State::Refused(refusal.code),
            Outcome::Refused(refusal, None) => State::Failed(refusal.code),
            Outcome::Refused(refusal, Some(detail)) => State::Failed(format!("{}: {detail}", refusal.code)),
        };
        Self { cluster: trial.cluster, call: trial.call.call, facts: trial.call.facts, state }
    }
}
