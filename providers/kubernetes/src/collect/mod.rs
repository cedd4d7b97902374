//! Live clusters, read into a capture: the only part of this crate that talks to a network.
//!
//! A table names every list; everything that is sent only reads. Answers are kept as `kubectl get -o json` prints them, so
//! that everything after the collection is the same for captures that were made by hand. What could not be read is part
//! of the capture too. Nothing here knows identities, access or rules.

mod client;
mod contexts;
mod discovery;
mod doctor;
mod folder;
mod item;
mod kinds;
mod page;
mod role;
mod run;
mod withhold;

#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use evenhand_model::secret::Fingerprinter;

pub use doctor::{Permission, State, doctor};
pub use evenhand_collect::{Stopped, Stopper};
pub use role::{calls_table, role, secrets_role};

use client::Pace;
use contexts::Wanted;
use run::Run;

/// What to collect, with whose credentials.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where the capture goes; it is made below a folder `kubernetes` in it.
    pub folder: PathBuf,
    /// Whether to go on with a capture that is there already.
    pub resume: bool,
    /// The file with contexts; `None` = the vendor's own choice, else the cluster that the program runs in.
    pub kubeconfig: Option<PathBuf>,
    /// The contexts to ask; none = the current one.
    pub contexts: Vec<String>,
    /// Whether to ask all contexts.
    pub all_contexts: bool,
    /// Whether to list the metadata of Secrets.
    pub secrets: bool,
    /// When to stop.
    pub deadline: Option<Instant>,
    /// Turns secrets into fingerprints before anything is written.
    pub fingerprinter: Fingerprinter,
}

/// What was collected.
#[derive(Clone, Debug)]
pub struct Collected {
    /// The clusters, sorted.
    pub clusters: Vec<String>,
    /// Objects that the capture holds.
    pub objects: u64,
    /// Documents that hold them.
    pub documents: usize,
    /// Whether the identities of at least one cluster were read.
    pub identities: bool,
    /// Calls that brought no answer, sorted. Each is a gap when the capture is read.
    pub failed: Vec<Failed>,
    /// What is worth knowing of the ways to the clusters.
    pub notes: Vec<String>,
    /// Why the collection ended early.
    pub stopped: Option<Stopped>,
    /// The bytes of answers that were held in memory at one time, at most.
    pub most_held: usize,
}

/// A call that brought no answer.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Failed {
    /// The cluster.
    pub cluster: String,
    /// Verb and resource as roles name them; `None` = the whole cluster could not be asked, or not any more.
    pub call: Option<String>,
    /// The server's code, or ours.
    pub code: String,
    /// The cause in words, where there is more to say.
    pub detail: Option<String>,
    /// The facts that are unknown because of it.
    pub facts: String,
}

/// Why nothing was collected.
#[derive(Debug, thiserror::Error)]
pub enum CollectError {
    /// Nothing says where a cluster is.
    #[error("no cluster is configured: {0}")]
    NoConfiguration(String),
    /// The configuration names no current context.
    #[error("the kubeconfig names no current context")]
    NoContext,
    /// A context that is not in the configuration.
    #[error("the kubeconfig has no context `{0}`")]
    UnknownContext(String),
    /// It was stopped before there was anything to keep.
    #[error("it was stopped before the end")]
    Stopped,
    /// The folder holds a capture already.
    #[error("`{0}` holds a capture already")]
    Used(String),
    /// The capture to go on with is of another cluster.
    #[error("the capture of `{cluster}` was begun from `{before}`, and its context leads to `{now}`")]
    OtherCluster {
        /// The cluster's name in the capture.
        cluster: String,
        /// The address that the capture says.
        before: String,
        /// The address of the configuration.
        now: String,
    },
    /// The capture to go on with does not say what was planned.
    #[error("the manifest of the capture cannot be read: {0}")]
    NoManifest(String),
    /// A document could not be written.
    #[error("the capture could not be written: {0}")]
    NotWritten(String),
    /// The system gives no threads or timers.
    #[error("no calls can be made here: {0}")]
    NoRuntime(String),
}

impl CollectError {
    /// What to do about it.
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::NoConfiguration(_) => "name a kubeconfig with --kubeconfig or in KUBECONFIG",
            Self::NoContext => "name one with --context, or ask all with --all-contexts",
            Self::UnknownContext(_) => "`kubectl config get-contexts` lists them",
            Self::Stopped => "run it again, with a later --deadline if there was one",
            Self::Used(_) => "name another folder, or go on with --resume",
            Self::OtherCluster { .. } => "use the kubeconfig that it was begun with, or name another folder",
            Self::NoManifest(_) => "name another folder, and collect from the beginning",
            Self::NotWritten(_) => "check the folder and the space on it",
            Self::NoRuntime(_) => "try again with fewer programs running",
        }
    }
}

/// Collects a capture.
///
/// # Errors
/// When nothing could be asked, or nothing could be written. A call that fails is no error; see [`Collected::failed`].
pub fn collect(options: &Options, stopper: &Stopper) -> Result<Collected, CollectError> {
    run(options, stopper, Pace::default(), Run::collect)
}

/// Makes a run and has it work until its end.
fn run<T, F: Future<Output = Result<T, CollectError>>>(
    options: &Options,
    stopper: &Stopper,
    pace: Pace,
    work: impl FnOnce(Arc<Run>) -> F,
) -> Result<T, CollectError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| CollectError::NoRuntime(error.to_string()))?;
    let before = match options.resume {
        true => folder::manifests(&options.folder).map_err(|error| CollectError::NoManifest(error.to_string()))?,
        false => Vec::new(),
    };
    let wanted = Wanted {
        kubeconfig: options.kubeconfig.clone(),
        contexts: options.contexts.clone(),
        all: options.all_contexts,
        before: before.iter().map(|(name, manifest)| (name.clone(), manifest.plan.context.clone())).collect(),
    };
    let done = runtime.block_on(async {
        let stop = stopper.watch(options.deadline);
        let (targets, left_out) = stop.or(contexts::targets(&wanted)).await.ok_or(CollectError::Stopped)??;
        work(Arc::new(Run::new(options, targets, left_out, before, stop, pace)?)).await
    });
    // A program for credentials that hangs must not hold up the end.
    runtime.shutdown_background();
    done
}
