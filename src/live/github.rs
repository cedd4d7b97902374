//! Collections from GitHub.

use std::sync::Arc;

use evenhand_github::collect::{Collected, Failed, Options, Tell, Terms, Who};
use evenhand_reports::text::counted;

use crate::cli::{Live, LiveProvider};
use crate::console::Console;
use crate::progress::Stage;

/// The options of a collection, which says in a stage how far it is.
pub(crate) fn options(live: &Live, terms: Terms, stage: &Stage<'_>) -> Options {
    let say = stage.sayer();
    let who = match (&live.token_file, &live.app_id, &live.app_key) {
        (_, Some(id), Some(key)) => Who::App { id: id.clone(), key: key.clone(), installation: live.installation },
        (Some(path), _, _) => Who::TokenFile(path.clone()),
        (None, _, _) => Who::Environment,
    };
    Options {
        terms,
        organisations: live.organisations.clone(),
        repositories: live.repositories.clone(),
        enterprise: live.enterprise.clone(),
        api_url: live.api_url.clone(),
        who,
        tell: Tell(Arc::new(say)),
    }
}

/// GitHub does not tell what is not there from what may not be seen.
const NOT_SEEN: &str = "check its spelling and the address, and that the token may see it: a fine-grained token belongs to one \
                        organisation, which may have to approve it, and a classic one is authorised for an organisation with \
                        single sign-on (SSO) by itself; `evenhand doctor github` tries every call";

/// Says on stderr what could not be had.
pub(super) fn tell(collected: &Collected, console: Console) -> super::Collected {
    let places = ("organisation or repository", "organisations and repositories");
    let is_hidden = |failed: &Failed| {
        failed.call.is_none() && failed.code.starts_with("404") && collected.organisations.contains(&failed.place)
    };
    let (hidden, others): (Vec<Failed>, Vec<Failed>) = collected.failed.iter().cloned().partition(is_hidden);
    for Failed { place, code, .. } in &hidden {
        let host = &collected.address;
        console
            .error(&format!("the organisation `{place}` could not be asked about at {host}: {code}"), Some(NOT_SEEN));
    }
    super::tell_failed(&others, LiveProvider::Github, places, console);
    // What is told of a call that failed does not say that nothing came of any.
    let unasked = collected.answered == 0 && collected.stopped.is_none();
    if unasked && hidden.is_empty() {
        let named = collected.organisations.join(", ");
        console.error(&format!("nothing was answered about {named} at {}", collected.address), Some(NOT_SEEN));
    }
    let organisations = counted(collected.organisations.len(), "organisation", "organisations");
    let repositories = counted(collected.repositories, "repository", "repositories");
    let documents = counted(collected.documents, "document", "documents");
    let (gone, failed): (Vec<_>, Vec<_>) = collected.failed.iter().partition(|failed| failed.call.is_none());
    console.note(&format!(
        "collected {} in {documents} from {organisations} with {repositories}, {} not answered",
        counted(collected.answered, "answer", "answers"),
        counted(failed.len(), "call", "calls")
    ));
    let (requests, free) = collected.requests;
    console.detail(&format!(
        "{requests} requests, {free} of them without cost; at most {} of answers were held at one time",
        counted(collected.most_held, "byte", "bytes")
    ));
    let whole = collected.stopped.is_none() && gone.is_empty();
    super::Collected { identities: collected.identities, stopped: collected.stopped, whole, unasked }
}
