//! The sources of a scan: paths, and live providers, which become paths by being collected.

use std::path::PathBuf;

use jiff::Timestamp;

use super::{Failure, Invocation};
use crate::cli;
use crate::config::Config;
use crate::pipeline::Capture;
use crate::progress::Progress;

/// The sources as they were named.
pub(super) struct LiveSources {
    /// Files and folders.
    pub(super) paths: Vec<PathBuf>,
    #[cfg(feature = "live")]
    aws: bool,
}

#[cfg(not(feature = "live"))]
impl LiveSources {
    pub(super) fn of(arguments: &cli::Scan) -> Result<Self, Failure> {
        Ok(Self { paths: arguments.sources.clone() })
    }

    pub(super) fn read(
        &self,
        invocation: &Invocation,
        arguments: &cli::Scan,
        config: &Config,
        progress: &Progress,
    ) -> Result<(Capture, Timestamp), Failure> {
        invocation.read(&self.paths, config, &arguments.input, progress)
    }
}

#[cfg(feature = "live")]
impl LiveSources {
    pub(super) fn of(arguments: &cli::Scan) -> Result<Self, Failure> {
        let of = |source: &PathBuf| cli::LiveProvider::of_source(source);
        let (live, paths): (Vec<PathBuf>, Vec<PathBuf>) =
            arguments.sources.iter().cloned().partition(|source| of(source).is_some());
        if live.is_empty() && (arguments.live.is_asked() || arguments.save.is_some()) {
            return Err(Failure::new(
                "options of a live provider are given, but no source is one",
                "name it as a source, as in `evenhand scan aws`",
            ));
        }
        Ok(Self { paths, aws: !live.is_empty() })
    }

    /// Reads the sources; live ones are collected first, so that everything after that is the same for all.
    pub(super) fn read(
        &self,
        invocation: &Invocation,
        arguments: &cli::Scan,
        config: &Config,
        progress: &Progress,
    ) -> Result<(Capture, Timestamp), Failure> {
        if !self.aws {
            return invocation.read(&self.paths, config, &arguments.input, progress);
        }
        // One key for what is collected and what is read beside it: a secret that is in both is one secret.
        let fingerprinter = super::fingerprinter(arguments.input.fingerprint_key.as_deref())?;
        let scratch = tempfile::tempdir().map_err(|error| {
            Failure::new(format!("no folder for the capture can be made: {error}"), "name one in TMPDIR")
        })?;
        let folder = arguments.save.as_deref().unwrap_or(scratch.path());
        let options = crate::live::options(&arguments.live, folder, false, fingerprinter.clone());
        let collected = crate::live::collect(&options, invocation.console, progress)?;
        if collected.stopped == Some(evenhand_aws::collect::Stopped::Interrupted) {
            return Err(Failure::Told(crate::gate::Exit::Incomplete));
        }
        let capture = folder.join("aws");
        let shown = match arguments.save {
            Some(_) => Vec::new(),
            None => vec![(capture.clone(), "aws".to_owned())],
        };
        let named = std::iter::once(capture).chain(self.paths.iter().cloned()).collect();
        let sources = super::Sources { named, shown, only_agents: false, fingerprinter };
        invocation.read_sources(sources, config, &arguments.input, progress)
    }
}
