//! Collections from the command line: options, interruptions, and what is said of them.

mod aws;
mod azure;
mod github;
mod kubernetes;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use evenhand_collect::{Failed, Stopped, Stopper, Terms, grouped};
use evenhand_model::secret::Fingerprinter;
use evenhand_reports::text::counted;

use crate::cli::{Live, LiveProvider};
use crate::cmd::Failure;
use crate::console::Console;
use crate::progress::Progress;

pub(crate) use aws::options as aws_options;
pub(crate) use azure::options as azure_options;
pub(crate) use github::options as github_options;
pub(crate) use kubernetes::options as kubernetes_options;
pub(crate) use kubernetes::tell_notes;

/// The terms of a collection: a deadline begins now. One that lies further off than clocks count is none.
pub(crate) fn terms(live: &Live, folder: &Path, resume: bool, fingerprinter: Fingerprinter) -> Terms {
    let deadline = live.deadline.and_then(|time| Instant::now().checked_add(time));
    Terms { folder: folder.to_owned(), resume, deadline, fingerprinter }
}

/// What came of a collection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Collected {
    /// Whether somebody's identities were read.
    pub(crate) identities: bool,
    /// Why it ended early.
    pub(crate) stopped: Option<Stopped>,
    /// Whether every call was made, whatever came of it.
    pub(crate) whole: bool,
    /// Whether nothing that was named could be asked about, so that nothing is known of it; it is told already.
    pub(crate) unasked: bool,
}

/// Collects from one provider, where that is the whole command.
pub(crate) fn collect(
    provider: LiveProvider,
    live: &Live,
    terms: Terms,
    console: Console,
    progress: &Progress,
) -> Result<Collected, Failure> {
    collect_one(provider, live, terms, console, progress, &Interrupt::listen())
}

/// Collects, and says on stderr what could not be had. A command has one listener for all of its providers: one that is
/// over takes the next interruption as the second.
pub(crate) fn collect_one(
    provider: LiveProvider,
    live: &Live,
    terms: Terms,
    console: Console,
    progress: &Progress,
    interrupt: &Interrupt,
) -> Result<Collected, Failure> {
    let stage = progress.stage(format!("collect {}", provider.as_str()), None);
    let tell: Box<dyn FnOnce() -> Collected> = match provider {
        LiveProvider::Aws => {
            let collected = evenhand_aws::collect::collect(&aws::options(live, terms), &interrupt.stopper)?;
            Box::new(move || aws::tell(&collected, console))
        }
        LiveProvider::Azure => {
            let options = azure::options(live, terms, &stage)?;
            let collected = evenhand_azure::collect::collect(&options, &interrupt.stopper)?;
            Box::new(move || azure::tell(&collected, console))
        }
        LiveProvider::Github => {
            let options = github::options(live, terms, &stage);
            let collected = evenhand_github::collect::collect(&options, &interrupt.stopper)?;
            Box::new(move || github::tell(&collected, console))
        }
        LiveProvider::Kubernetes => {
            let options = kubernetes::options(live, terms);
            let collected = evenhand_kubernetes::collect::collect(&options, &interrupt.stopper)?;
            Box::new(move || kubernetes::tell(&collected, console))
        }
    };
    // The bar is gone before anything is said.
    drop(stage);
    let collected = tell();
    match collected.stopped {
        Some(Stopped::Interrupted) => console.warning("interrupted: the capture holds what was read so far", None),
        Some(Stopped::Deadline) => console.warning("out of time: the capture holds what was read so far", None),
        None => {}
    }
    Ok(collected)
}

/// Says on stderr which calls brought no answer; `places` is what one and several of what was asked are called.
fn tell_failed(failed: &[Failed], provider: LiveProvider, (one, several): (&str, &str), console: Console) {
    const SHOWN: usize = 20;
    const NAMED: usize = 3;
    let groups = grouped(failed);
    for group in groups.iter().take(SHOWN) {
        let place = match group.places.len() {
            ..=NAMED => group.places.join(", "),
            more => counted(more, one, several),
        };
        match group.call {
            Some(call) => {
                let help = format!("without it is unknown: {}", group.facts);
                console.warning(&format!("{} {call}: {} ({place})", provider.as_str(), group.code), Some(&help));
            }
            None => console.warning(
                &format!("{place} could not be asked: {}", group.code),
                Some("check its name, the network and the credentials, and go on with --resume"),
            ),
        }
    }
    if let Some(more @ 1..) = groups.len().checked_sub(SHOWN) {
        console.warning(&format!("{more} more calls were not answered; a scan of the capture lists all gaps"), None);
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_deadline_beyond_what_clocks_count_is_none() {
        let of = |time: Duration| {
            let live = Live { deadline: Some(time), ..Live::default() };
            terms(&live, Path::new("capture"), false, Fingerprinter::keyed("k")).deadline
        };
        assert!(of(Duration::from_secs(60)).is_some());
        assert_eq!(of(Duration::MAX), None);
    }
}
