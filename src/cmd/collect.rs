//! `evenhand collect`: a live provider becomes a capture.

use super::{Failure, Invocation, fingerprinter, own_options};
use crate::cli;
use crate::gate::Exit;
use crate::live;

pub(super) fn run(invocation: &Invocation, arguments: &cli::Collect) -> Result<Exit, Failure> {
    own_options(&arguments.live, &[arguments.provider])?;
    let fingerprinter = fingerprinter(arguments.fingerprint_key.as_deref())?;
    let terms = live::terms(&arguments.live, &arguments.out, arguments.resume, fingerprinter);
    let progress = invocation.progress();
    let collected = live::collect(arguments.provider, &arguments.live, terms, invocation.console, &progress)?;
    Ok(if collected.stopped.is_some() || collected.unasked {
        Exit::Incomplete
    } else if !collected.identities {
        Exit::NothingCollected
    } else if !collected.whole {
        Exit::Incomplete
    } else {
        Exit::Passed
    })
}
