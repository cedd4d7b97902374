//! Collections from AWS.

use std::collections::BTreeMap;
use std::time::Instant;

use evenhand_aws::collect::{Collected, Failed, Options};
use evenhand_reports::text::counted;

use super::Target;
use crate::cli::Live;
use crate::console::Console;

/// The options of a collection.
pub(crate) fn options(live: &Live, target: Target<'_>) -> Options {
    Options {
        folder: target.folder.to_owned(),
        resume: target.resume,
        profile: live.profile.clone(),
        regions: live.regions.clone(),
        role: live.role.clone(),
        all_accounts: live.all_accounts,
        deadline: live.deadline.map(|time| Instant::now() + time),
        fingerprinter: target.fingerprinter,
    }
}

/// Says on stderr what could not be had.
pub(super) fn tell(collected: &Collected, console: Console) -> super::Collected {
    const SHOWN: usize = 20;
    let mut calls: BTreeMap<(&str, &str), Vec<&Failed>> = BTreeMap::new();
    for failed in &collected.failed {
        calls.entry((failed.call, &failed.code)).or_default().push(failed);
    }
    for ((call, code), failed) in calls.iter().take(SHOWN) {
        let places = failed.iter().map(|one| (&one.account, &one.region)).collect::<std::collections::BTreeSet<_>>();
        let place = match (places.len(), failed.first()) {
            (1, Some(one)) => {
                let region = one.region.as_ref().map(|region| format!(" {region}")).unwrap_or_default();
                format!("{}{region}", one.account)
            }
            (more, _) => format!("{more} accounts and regions"),
        };
        let facts = failed.first().map_or("", |one| one.facts);
        console.warning(&format!("aws {call}: {code} ({place})"), Some(&format!("without it is unknown: {facts}")));
    }
    if let Some(more @ 1..) = calls.len().checked_sub(SHOWN) {
        console.warning(&format!("{more} more calls were not answered; a scan of the capture lists all gaps"), None);
    }
    if !collected.left.is_empty() {
        let accounts = counted(collected.left.len(), "account", "accounts");
        let names = collected.left.join(", ");
        console.note(&format!("{accounts} left the organisation and the capture: {names}"));
    }
    let accounts = counted(collected.accounts.len(), "account", "accounts");
    let documents = counted(collected.documents, "document", "documents");
    let failed = collected.failed.len();
    console.note(&format!(
        "collected {} in {documents} from {accounts}, {failed} not answered",
        counted(collected.answered, "answer", "answers")
    ));
    super::Collected {
        identities: collected.identities,
        stopped: collected.stopped,
        whole: collected.stopped.is_none(),
    }
}
