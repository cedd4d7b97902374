//! What every collection is told, and why one may bring nothing at all, whoever the vendor is.

use std::path::PathBuf;
use std::time::Instant;

use evenhand_model::secret::Fingerprinter;

use crate::{Stop, Stopper};

/// The terms of a collection, the same for every provider.
#[derive(Clone, Debug)]
pub struct Terms {
    /// Where the capture goes; it is made below a folder in it that is named after the provider.
    pub folder: PathBuf,
    /// Whether to go on with a capture that is there already.
    pub resume: bool,
    /// When to stop.
    pub deadline: Option<Instant>,
    /// Turns secrets into fingerprints before anything is written.
    pub fingerprinter: Fingerprinter,
}

/// Why there is no capture, for reasons that are no vendor's.
#[derive(Debug, thiserror::Error)]
pub enum NoCapture {
    /// It was stopped before there was anything to keep.
    #[error("it was stopped before the end")]
    Stopped,
    /// The folder holds a capture already.
    #[error("`{0}` holds a capture already")]
    Used(String),
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

/// An error that says what to do about it.
pub trait CollectFailure: std::error::Error {
    /// What to do about it.
    fn remedy(&self) -> &'static str;
}

impl CollectFailure for NoCapture {
    fn remedy(&self) -> &'static str {
        match self {
            Self::Stopped => "run it again, with a later --deadline if there was one",
            Self::Used(_) => "name another folder, or go on with --resume",
            Self::NoManifest(_) => "name another folder, and collect from the beginning",
            Self::NotWritten(_) => "check the folder and the space on it",
            Self::NoRuntime(_) => "try again with fewer programs running",
        }
    }
}

/// Does the work of a collection until its end, or the one that comes from outside.
///
/// # Errors
/// Those of the work, and where the system gives no threads or timers.
pub fn work<T, E: From<NoCapture>, F: Future<Output = Result<T, E>>>(
    stopper: &Stopper,
    deadline: Option<Instant>,
    work: impl FnOnce(Stop) -> F,
) -> Result<T, E> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| NoCapture::NoRuntime(error.to_string()))?;
    let done = runtime.block_on(async { work(stopper.watch(deadline)).await });
    // What hangs outside of the work, such as the look-up of a host or a program, must not hold up the end.
    runtime.shutdown_background();
    done
}
