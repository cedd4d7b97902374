//! `evenhand inventory`: who is there. No rules, no score, no gate.

use std::time::Instant;

use evenhand_rules::evaluate::Keep;
use evenhand_rules::pack::RuleSet;

use super::{Failure, Invocation, scan};
use crate::assess::{self, Depth, Options};
use crate::cli;
use crate::gate::Exit;
use crate::output;

pub(super) fn run(invocation: &Invocation, arguments: &cli::Inventory) -> Result<Exit, Failure> {
    let began = Instant::now();
    let outputs = output::checked(&arguments.output)
        .and_then(|outputs| output::sensible(&outputs, false, None).map(|()| outputs))
        .map_err(|message| Failure::Message(message, None))?;
    let progress = invocation.progress();
    let config = invocation.config_to_judge_by(&arguments.sources)?;
    let (capture, now) = invocation.read(&arguments.sources, &config, &arguments.input, &progress)?;
    if capture.inventory.identities.is_empty() {
        return Err(invocation.nobody(&capture));
    }
    let (bytes, partial) = (capture.bytes, capture.is_partial());
    let options = Options {
        config: &config,
        rules: &RuleSet::default(),
        strict: false,
        stable_fingerprints: arguments.input.fingerprint_key.as_ref().is_some_and(|key| !key.is_empty()),
        now,
        progress: &progress,
    };
    let report = assess::report(assess::assess(capture, options, Keep::Report), options, Depth::Inventory);
    let screen = invocation.screen(arguments.all);
    scan::write(&report, &outputs, scan::Written { screen, evidence: "", product: None })?;
    scan::summary(invocation, &report, bytes, None, &progress, began);
    Ok(if partial { Exit::Incomplete } else { Exit::Passed })
}
