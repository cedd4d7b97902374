//! What a server answers in place of objects: a `Status`, which stands in a capture where a call was refused.

use std::sync::Arc;

use serde::Deserialize;

use super::Origin;
use super::take::Taking;
use crate::documents::{Found, Text, raw};

/// A call that a server refused or could not answer.
#[derive(Clone, Debug)]
pub(crate) struct Refused {
    pub(crate) origin: Origin,
    /// The HTTP status.
    pub(crate) code: Option<u16>,
    /// The server's word for why, such as `Forbidden`; may be empty.
    pub(crate) reason: Arc<str>,
    /// What it says, on one line; may be empty.
    pub(crate) message: Arc<str>,
    /// Group and resource that were asked for; empty where it does not say.
    pub(crate) group: Arc<str>,
    pub(crate) resource: Arc<str>,
}

/// Longer messages are cut.
const LONGEST: usize = 400;

/// The refusal that an object tells of; `None` where the call succeeded.
pub(super) fn of(found: &Found<'_, '_>, taking: &mut Taking<'_>) -> Option<Refused> {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Details<'a> {
        #[serde(borrow)]
        group: Text<'a>,
        /// The resource, though it is called so.
        #[serde(borrow)]
        kind: Text<'a>,
    }
    let object = &found.object;
    let code: Option<u16> = raw(object.code);
    let said = !object.message.is_empty() || !object.reason.is_empty();
    if code.map_or(!said, |code| code < 400) {
        return None;
    }
    let details: Details<'_> = raw(object.details).unwrap_or_default();
    let words: Vec<&str> = object.message.as_str().split_whitespace().collect();
    let message: String = words.join(" ").chars().take(LONGEST).collect();
    Some(Refused {
        origin: taking.origin(found.spot.clone()),
        code,
        reason: taking.share(object.reason.as_str()),
        message: message.into(),
        group: taking.share(details.group.as_str()),
        resource: taking.share(details.kind.as_str()),
    })
}
