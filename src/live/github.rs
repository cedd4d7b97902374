//! Collections from GitHub.

use std::sync::Arc;

use evenhand_github::collect::{Collected, Options, Tell, Terms, Who};
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

/// Says on stderr what could not be had.
pub(super) fn tell(collected: &Collected, console: Console) -> super::Collected {
    let places = ("organisation or repository", "organisations and repositories");
    super::tell_failed(&collected.failed, LiveProvider::Github, places, console);
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
    let misnamed = gone.iter().any(|failed| failed.code.starts_with("404"));
    super::Collected { identities: collected.identities, stopped: collected.stopped, whole, misnamed }
}
