//! Live clusters, read into a capture: the only part of this crate that talks to a network.
//!
//! A table names every list; everything that is sent only reads. Answers are kept as `kubectl get -o json` prints them, so
//! that everything after the collection is the same for captures that were made by hand. What could not be read is part
//! of the capture too. Nothing here knows identities, access or rules.

mod arguments;
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
mod script;
mod secret;
mod withhold;

#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::sync::Arc;

pub use doctor::doctor;
pub use evenhand_collect::{CollectFailure, Failed, NoCapture, Permission, State, Stopped, Stopper, Terms};
pub use role::{calls_table, role, secrets_role};

use client::Pace;
use contexts::Wanted;
use run::Run;

/// What to collect, with whose credentials.
#[derive(Clone, Debug)]
pub struct Options {
    /// What is the same for every provider; the capture is made below a folder `kubernetes`.
    pub terms: Terms,
    /// The file with contexts; `None` = the vendor's own choice, else the cluster that the program runs in.
    pub kubeconfig: Option<PathBuf>,
    /// The contexts to ask; none = the current one.
    pub contexts: Vec<String>,
    /// Whether to ask all contexts.
    pub all_contexts: bool,
    /// Whether to list the metadata of Secrets.
    pub secrets: bool,
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

/// Why nothing was collected.
#[derive(Debug, thiserror::Error)]
pub enum CollectError {
    /// For a reason that is not the vendor's.
    #[error(transparent)]
    NoCapture(#[from] NoCapture),
    /// Nothing says where a cluster is.
    #[error("no cluster is configured: {0}")]
    NoConfiguration(String),
    /// The configuration names no current context.
    #[error("the kubeconfig names no current context")]
    NoContext,
    /// A context that is not in the configuration.
    #[error("the kubeconfig has no context `{0}`")]
    UnknownContext(String),
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
}

impl CollectFailure for CollectError {
    fn remedy(&self) -> &'static str {
        match self {
            Self::NoCapture(none) => none.remedy(),
            Self::NoConfiguration(_) => "name a kubeconfig with --kubeconfig or in KUBECONFIG",
            Self::NoContext => "name one with --context, or ask all with --all-contexts",
            Self::UnknownContext(_) => "`kubectl config get-contexts` lists them",
            Self::OtherCluster { .. } => "use the kubeconfig that it was begun with, or name another folder",
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
    let before = match options.terms.resume {
        true => folder::manifests(&options.terms.folder).map_err(|error| NoCapture::NoManifest(error.to_string()))?,
        false => Vec::new(),
    };
    let wanted = Wanted {
        kubeconfig: options.kubeconfig.clone(),
        contexts: options.contexts.clone(),
        all: options.all_contexts,
        before: before.iter().map(|(name, manifest)| (name.clone(), manifest.plan.context.clone())).collect(),
    };
    evenhand_collect::work(stopper, options.terms.deadline, |stop| async move {
        let (targets, left_out) = stop.or(contexts::targets(&wanted)).await.ok_or(NoCapture::Stopped)??;
        work(Arc::new(Run::new(options, targets, left_out, before, stop, pace)?)).await
    })
}
