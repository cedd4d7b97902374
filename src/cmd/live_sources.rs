//! The sources of a scan: paths, and live providers, which become paths by being collected.

use std::path::PathBuf;

#[cfg(feature = "live")]
use evenhand_collect::Stopped;
use jiff::Timestamp;

use super::{Failure, Invocation};
use crate::cli;
use crate::config::Config;
#[cfg(feature = "live")]
use crate::gate::Exit;
#[cfg(feature = "live")]
use crate::live;
use crate::pipeline::Capture;
use crate::progress::Progress;

/// The sources as they were named.
pub(super) struct LiveSources {
    /// Files and folders.
    pub(super) paths: Vec<PathBuf>,
    #[cfg(feature = "live")]
    live: Vec<cli::LiveProvider>,
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
        if live.is_empty() && (arguments.live.is_asked() || arguments.keep_capture.is_some()) {
            return Err(Failure::new(
                "options of a live provider are given, but no source is one",
                "name it as a source, as in `evenhand scan aws`, `scan azure`, `scan github` or `scan kubernetes`",
            ));
        }
        let live = each_once(live.iter().filter_map(of));
        super::own_options(&arguments.live, &live)?;
        Ok(Self { paths, live })
    }

    /// Reads the sources; live ones are collected first, so that everything after that is the same for all.
    pub(super) fn read(
        &self,
        invocation: &Invocation,
        arguments: &cli::Scan,
        config: &Config,
        progress: &Progress,
    ) -> Result<(Capture, Timestamp), Failure> {
        if self.live.is_empty() {
            return invocation.read(&self.paths, config, &arguments.input, progress);
        }
        // One key for what is collected and what is read beside it: a secret that is in both is one secret.
        let fingerprinter = super::fingerprinter(arguments.input.fingerprint_key.as_deref())?;
        let scratch = tempfile::tempdir().map_err(|error| {
            Failure::new(format!("no folder for the capture can be made: {error}"), "name one in TMPDIR")
        })?;
        let folder = arguments.keep_capture.as_deref().unwrap_or(scratch.path());
        let (mut named, mut shown) = (Vec::new(), Vec::new());
        let (mut whole, mut unasked) = (true, false);
        let interrupt = live::Interrupt::listen();
        for provider in &self.live {
            let terms = live::terms(&arguments.live, folder, false, fingerprinter.clone());
            let collected =
                live::collect_one(*provider, &arguments.live, terms, invocation.console, progress, &interrupt)?;
            if collected.stopped == Some(Stopped::Interrupted) {
                return Err(Failure::Told(Exit::Incomplete));
            }
            whole &= collected.whole && !collected.unasked;
            unasked |= collected.unasked;
            let capture = folder.join(provider.as_str());
            if arguments.keep_capture.is_none() {
                shown.push((capture.clone(), provider.as_str().to_owned()));
            }
            named.push(capture);
        }
        // From here on an interruption ends the program, as without live sources.
        drop(interrupt);
        named.extend(self.paths.iter().cloned());
        let sources = super::Sources { named, shown, only_agents: false, fingerprinter };
        let (mut capture, at) = invocation.read_sources(sources, config, &arguments.input, progress)?;
        // An account, an organisation or a cluster that could not be asked is a source that could not be read.
        capture.unreadable_source |= !whole;
        if whole {
            invocation.tell_unfinished(&capture);
        }
        capture.unasked_source = unasked;
        Ok((capture, at))
    }
}

/// The providers in the order in which they were named first.
#[cfg(feature = "live")]
fn each_once(named: impl Iterator<Item = cli::LiveProvider>) -> Vec<cli::LiveProvider> {
    let mut live = Vec::new();
    for provider in named {
        if !live.contains(&provider) {
            live.push(provider);
        }
    }
    live
}

#[cfg(all(test, feature = "live"))]
mod tests {
    use super::*;

    #[test]
    fn a_provider_that_is_named_again_is_collected_once() {
        use cli::LiveProvider::{Aws, Kubernetes};
        assert_eq!(each_once([Aws, Kubernetes, Aws, Kubernetes].into_iter()), [Aws, Kubernetes]);
        assert_eq!(each_once([Kubernetes, Kubernetes, Aws].into_iter()), [Kubernetes, Aws]);
    }
}
