//! Collections from Kubernetes clusters.

use evenhand_kubernetes::collect::{Collected, Options, Terms};
use evenhand_reports::text::counted;

use crate::cli::{Live, LiveProvider};
use crate::console::Console;

/// The options of a collection.
pub(crate) fn options(live: &Live, terms: Terms) -> Options {
    Options {
        terms,
        kubeconfig: live.kubeconfig.clone(),
        contexts: live.contexts.clone(),
        all_contexts: live.all_contexts,
        secrets: live.secrets,
    }
}

/// Says on stderr what is worth knowing of the ways to the clusters.
pub(crate) fn tell_notes(notes: &[String], console: Console) {
    for note in notes {
        console.warning(note, None);
    }
}

/// Says on stderr what could not be had.
pub(super) fn tell(collected: &Collected, console: Console) -> super::Collected {
    tell_notes(&collected.notes, console);
    super::tell_failed(&collected.failed, LiveProvider::Kubernetes, ("cluster", "clusters"), console);
    let gone = collected.failed.iter().filter(|failed| failed.call.is_none()).count();
    let clusters = match (counted(collected.clusters.len(), "cluster", "clusters"), gone) {
        (all, 0) => all,
        (all, gone) => format!("{} of {all}", collected.clusters.len() - gone),
    };
    let documents = counted(collected.documents, "document", "documents");
    let objects = usize::try_from(collected.objects).unwrap_or(usize::MAX);
    let failed = collected.failed.iter().filter(|failed| failed.call.is_some()).count();
    console.note(&format!(
        "collected {} in {documents} from {clusters}, {} not answered",
        counted(objects, "object", "objects"),
        counted(failed, "call", "calls")
    ));
    console
        .detail(&format!("at most {} of answers were held at one time", counted(collected.most_held, "byte", "bytes")));
    let whole = collected.stopped.is_none() && gone == 0;
    super::Collected { identities: collected.identities, stopped: collected.stopped, whole, unasked: false }
}
