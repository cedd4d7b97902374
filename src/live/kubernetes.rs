//! Collections from Kubernetes clusters.

use std::collections::BTreeMap;
use std::time::Instant;

use evenhand_kubernetes::collect::{Collected, Failed, Options};
use evenhand_reports::text::counted;

use super::Target;
use crate::cli::Live;
use crate::console::Console;

/// The options of a collection.
pub(crate) fn options(live: &Live, target: Target<'_>) -> Options {
    Options {
        folder: target.folder.to_owned(),
        resume: target.resume,
        kubeconfig: live.kubeconfig.clone(),
        contexts: live.contexts.clone(),
        all_contexts: live.all_contexts,
        secrets: live.secrets,
        deadline: live.deadline.map(|time| Instant::now() + time),
        fingerprinter: target.fingerprinter,
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
    const SHOWN: usize = 20;
    tell_notes(&collected.notes, console);
    let mut calls: BTreeMap<_, Vec<&Failed>> = BTreeMap::new();
    for failed in &collected.failed {
        calls.entry((&failed.call, &failed.code, &failed.detail)).or_default().push(failed);
    }
    for ((call, code, detail), failed) in calls.iter().take(SHOWN) {
        let place = match failed.as_slice() {
            few @ ([_] | [_, _] | [_, _, _]) => {
                few.iter().map(|one| one.cluster.as_str()).collect::<Vec<_>>().join(", ")
            }
            more => counted(more.len(), "cluster", "clusters"),
        };
        let code = detail.as_ref().map_or_else(|| (*code).to_owned(), |detail| format!("{code}: {detail}"));
        match call {
            Some(call) => {
                let facts = failed.first().map_or("", |one| one.facts.as_str());
                let help = format!("without it is unknown: {facts}");
                console.warning(&format!("kubernetes {call}: {code} ({place})"), Some(&help));
            }
            None => console.warning(
                &format!("{place} could not be asked: {code}"),
                Some("check the context, the network and the credentials, and go on with --resume"),
            ),
        }
    }
    if let Some(more @ 1..) = calls.len().checked_sub(SHOWN) {
        console.warning(&format!("{more} more calls were not answered; a scan of the capture lists all gaps"), None);
    }
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
    super::Collected { identities: collected.identities, stopped: collected.stopped, whole }
}
