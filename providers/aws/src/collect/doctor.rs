//! Which calls the present credentials may make: each is tried once, in its cheapest form, and nothing is kept.

use evenhand_collect::{Permission, State, Stopper};

use super::client::Pace;
use super::run::{Run, Trial};
use super::{CollectError, Options, run};
use crate::documents::refusal::{NOT_IN_REGION, is_answer};

/// Tries every call with the credentials at hand, in one region; where a role is named, also to become it in one other
/// account of the organisation.
///
/// # Errors
/// When nothing can be asked at all.
pub fn doctor(options: &Options, stopper: &Stopper) -> Result<Vec<Permission>, CollectError> {
    // One page is enough to know whether a call may be made.
    let pace = Pace { first_page: true, ..Pace::default() };
    Ok(run(options, None, stopper, pace, Run::try_all)?.into_iter().map(permission).collect())
}

/// What a trial says: of how many things the call was asked, and how it was refused if it was.
pub(super) fn permission((call, asked, refusal): Trial) -> Permission {
    let state = match refusal {
        _ if asked == 0 => State::NothingToAsk,
        None => State::Allowed,
        Some(refusal) if refusal.code == NOT_IN_REGION => State::NothingToAsk,
        Some(refusal) if is_answer(call.form, &refusal.code) => State::Allowed,
        Some(refusal) => State::of(refusal.into()),
    };
    Permission {
        place: String::new(),
        call: call.form.call().to_owned(),
        needs: Some(call.action()),
        facts: call.form.words().to_owned(),
        state,
    }
}
