//! Which calls the present credentials may make: each is tried once, in its cheapest form, and nothing is kept.

use evenhand_collect::Stopper;
use evenhand_model::refusal::Why;

use super::client::Pace;
use super::run::{Run, Trial};
use super::{CollectError, Options, run};
use crate::documents::refusal::{NOT_IN_REGION, is_answer};

/// What became of a call.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum State {
    /// It was answered.
    Allowed,
    /// There was nothing to ask about, the call that would tell was refused, or the region has no such service.
    NotTried,
    /// It was refused, with the vendor's code.
    Refused(String),
    /// It failed for another reason, with the code.
    Failed(String),
}

/// A call, and whether it may be made.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Permission {
    /// The call as the command line spells it.
    pub call: &'static str,
    /// The operation that a policy has to allow.
    pub action: String,
    /// What is unknown without it.
    pub facts: &'static str,
    /// What became of it.
    pub state: State,
}

/// Tries every call with the credentials at hand, in one region; where a role is named, also to become it in one other
/// account of the organisation.
///
/// # Errors
/// When nothing can be asked at all.
pub fn doctor(options: &Options, stopper: &Stopper) -> Result<Vec<Permission>, CollectError> {
    // One page is enough to know whether a call may be made.
    let pace = Pace { first_page: true, ..Pace::default() };
    Ok(run(options, None, stopper, pace, Run::try_all)?.into_iter().map(Permission::of).collect())
}

impl Permission {
    /// What a trial says: of how many things the call was asked, and how it was refused if it was.
    pub(super) fn of((call, asked, refusal): Trial) -> Self {
        let state = match refusal {
            _ if asked == 0 => State::NotTried,
            None => State::Allowed,
            Some(refusal) if refusal.code == NOT_IN_REGION => State::NotTried,
            Some(refusal) if is_answer(call.form, &refusal.code) => State::Allowed,
            Some(refusal) if refusal.why == Why::Refused => State::Refused(refusal.code),
            Some(refusal) => State::Failed(refusal.code),
        };
        Self { call: call.form.call(), action: call.action(), facts: call.form.words(), state }
    }
}
