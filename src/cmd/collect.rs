//! `evenhand collect`: a live provider becomes a capture.

use super::{Failure, Invocation, fingerprinter};
use crate::cli::{self, LiveProvider};
use crate::gate::Exit;
use crate::live;

pub(super) fn run(invocation: &Invocation, arguments: &cli::Collect) -> Result<Exit, Failure> {
    let LiveProvider::Aws = arguments.provider;
    let fingerprinter = fingerprinter(arguments.fingerprint_key.as_deref())?;
    let options = live::options(&arguments.live, &arguments.out, arguments.resume, fingerprinter);
    let collected = live::collect(&options, invocation.console, &invocation.progress())?;
    Ok(if collected.stopped.is_some() {
        Exit::Incomplete
    } else if !collected.identities {
        Exit::NothingCollected
    } else {
        Exit::Passed
    })
}
