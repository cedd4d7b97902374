//! Collections from the command line: options, interruptions, and what is said of them.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use evenhand_aws::collect::{self, CollectError, Collected, Failed, Options, Stopped, Stopper};
use evenhand_model::secret::Fingerprinter;
use evenhand_reports::text::counted;

use crate::cli::Live;
use crate::console::Console;
use crate::progress::Progress;

/// The options of a collection.
pub(crate) fn options(live: &Live, folder: &Path, resume: bool, fingerprinter: Fingerprinter) -> Options {
    Options {
        folder: folder.to_owned(),
        resume,
        profile: live.profile.clone(),
        regions: live.regions.clone(),
        role: live.role.clone(),
        all_accounts: live.all_accounts,
        deadline: live.deadline.map(|time| Instant::now() + time),
        fingerprinter,
    }
}

/// Collects, and says on stderr what could not be had.
pub(crate) fn collect(options: &Options, console: Console, progress: &Progress) -> Result<Collected, CollectError> {
    let interrupt = Interrupt::listen();
    let collected = {
        let _stage = progress.stage("collect aws", None);
        collect::collect(options, &interrupt.stopper)?
    };
    tell(&collected, console);
    Ok(collected)
}

fn tell(collected: &Collected, console: Console) {
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
    match collected.stopped {
        Some(Stopped::Interrupted) => console.warning("interrupted: the capture holds what was read so far", None),
        Some(Stopped::Deadline) => console.warning("out of time: the capture holds what was read so far", None),
        None => {}
    }
}

/// Turns the first interruption into an orderly end of the collection; any other one ends the program, as it would
/// without this.
pub(crate) struct Interrupt {
    pub(crate) stopper: Stopper,
    over: Arc<AtomicBool>,
}

/// The exit code of a program that an interruption ended, as shells have it.
const INTERRUPTED: i32 = 130;

impl Interrupt {
    pub(crate) fn listen() -> Self {
        let interrupt = Self { stopper: Stopper::default(), over: Arc::new(AtomicBool::new(false)) };
        let (stopper, over) = (interrupt.stopper.clone(), Arc::clone(&interrupt.over));
        std::thread::spawn(move || {
            // Without a runtime an interruption ends the program at once, which it may.
            let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_io().build() else { return };
            runtime.block_on(async {
                while wait().await {
                    if over.swap(true, Ordering::SeqCst) {
                        std::process::exit(INTERRUPTED);
                    }
                    stopper.stop();
                }
            });
        });
        interrupt
    }
}

impl Drop for Interrupt {
    fn drop(&mut self) {
        self.over.store(true, Ordering::SeqCst);
    }
}

/// Waits for an interruption: Ctrl-C, or the polite end that job schedulers send. False where none can come.
#[cfg(unix)]
async fn wait() -> bool {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut interrupt), Ok(mut end)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate())) else {
        return false;
    };
    std::future::poll_fn(|context| {
        let came = interrupt.poll_recv(context).is_ready() || end.poll_recv(context).is_ready();
        if came { std::task::Poll::Ready(true) } else { std::task::Poll::Pending }
    })
    .await
}

#[cfg(not(unix))]
async fn wait() -> bool {
    tokio::signal::ctrl_c().await.is_ok()
}
