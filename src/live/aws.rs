//! Collections from AWS.

use evenhand_aws::collect::{Collected, Options, Terms};
use evenhand_reports::text::counted;

use crate::cli::{Live, LiveProvider};
use crate::console::Console;

/// The options of a collection.
pub(crate) fn options(live: &Live, terms: Terms) -> Options {
    Options {
        terms,
        profile: live.profile.clone(),
        regions: live.regions.clone(),
        role: live.role.clone(),
        all_accounts: live.all_accounts,
    }
}

/// Says on stderr what could not be had.
pub(super) fn tell(collected: &Collected, console: Console) -> super::Collected {
    let places = ("account or region", "accounts and regions");
    super::tell_failed(&collected.failed, LiveProvider::Aws, places, console);
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
        unasked: false,
    }
}
