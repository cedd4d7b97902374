//! `evenhand baseline`: the findings that are there today, so that a gate trips on new ones only.

#[cfg(feature = "live")]
use std::path::PathBuf;

use evenhand_reports::report::is_complete;
use evenhand_reports::text::counted;
use evenhand_rules::evaluate::Keep;

use super::{Failure, Invocation};
use crate::assess::{self, Depth, Options};
use crate::baseline::{Baseline, Reach, Turnover};
use crate::cli::{self, BaselineVerb};
use crate::config::Config;
use crate::gate::Exit;
use crate::output::to_file;
use crate::ruleset;
use crate::snapshot::Snapshot;

pub(super) fn run(invocation: &Invocation, verb: &BaselineVerb) -> Result<Exit, Failure> {
    let (BaselineVerb::Create(arguments) | BaselineVerb::Update(arguments) | BaselineVerb::Prune(arguments)) = verb;
    #[cfg(feature = "live")]
    nobody_is_asked(&arguments.sources)?;
    let config = invocation.config_to_judge_by(&arguments.sources)?;
    let file = arguments.file.as_deref().unwrap_or_else(|| config.baseline());
    // Before everything is read.
    let held = match verb {
        BaselineVerb::Create(_) if file.exists() => {
            return Err(Failure::new(
                format!("`{}` is there already", file.display()),
                "bring it up to date with `evenhand baseline update`, or name another file with --file",
            ));
        }
        BaselineVerb::Create(_) => None,
        BaselineVerb::Update(_) | BaselineVerb::Prune(_) => Some(Baseline::read(file)?),
    };
    let (now, reach) = scanned(invocation, &config, arguments)?;
    let (baseline, turnover) = match (verb, held) {
        (BaselineVerb::Update(_), Some(mut held)) => {
            let turnover = held.update(now, &reach);
            (held, turnover)
        }
        (BaselineVerb::Prune(_), Some(mut held)) => {
            let turnover = held.prune(&now, &reach);
            (held, turnover)
        }
        _ => {
            let turnover = Turnover { added: now.findings.len(), ..Turnover::default() };
            (now, turnover)
        }
    };
    to_file(file, |sink| {
        serde_json::to_writer_pretty(&mut *sink, &baseline)?;
        sink.write_all(b"\n")
    })?;
    let Turnover { added, removed, kept, unread } = turnover;
    invocation.console.note(&format!(
        "`{}` holds {}: {added} added, {removed} taken out, {kept} kept",
        file.display(),
        held_words(&baseline)
    ));
    if unread > 0 {
        invocation.console.warning(
            &format!(
                "{unread} of the kept ones rest on what this scan did not read, so whether they are resolved is not known"
            ),
            Some("name these sources too; where they are gone for good, make the baseline anew"),
        );
    }
    Ok(Exit::Passed)
}

/// Refuses the words by which a scan asks a live provider: a baseline reads, and a folder of that name is another thing.
#[cfg(feature = "live")]
fn nobody_is_asked(sources: &[PathBuf]) -> Result<(), Failure> {
    match sources.iter().find_map(|source| cli::LiveProvider::of_source(source)) {
        Some(live) => {
            let word = live.as_str();
            Err(Failure::new(
                format!("`{word}` asks a live provider, and a baseline is made of files and folders"),
                format!("write `./{word}` for the folder; or collect first, with `evenhand collect {word} --out DIR`"),
            ))
        }
        None => Ok(()),
    }
}

/// What a baseline holds, by what a gate makes of it: what fails, what nothing decides, what somebody accepted.
fn held_words(baseline: &Baseline) -> String {
    let (mut failed, mut undecided, mut accepted) = (0, 0, 0);
    for seen in baseline.findings.values() {
        match (seen.waived, seen.tripped(false)) {
            (true, _) => accepted += 1,
            (false, true) => failed += 1,
            (false, false) => undecided += 1,
        }
    }
    let mut words = format!("{} and {undecided} undecided", counted(failed, "finding", "findings"));
    if accepted > 0 {
        words.push_str(&format!(", {accepted} accepted"));
    }
    words
}

/// A baseline of what is there now, and how far the scan of it reached.
fn scanned(
    invocation: &Invocation,
    config: &Config,
    arguments: &cli::BaselineArguments,
) -> Result<(Baseline, Reach), Failure> {
    let rules = ruleset::load(&arguments.selection, config, invocation.console)?;
    let progress = invocation.progress();
    let (capture, now) = invocation.read(&arguments.sources, config, &arguments.input, &progress)?;
    if capture.inventory.identities.is_empty() {
        return Err(invocation.nobody(&capture));
    }
    let options = Options {
        config,
        rules: &rules,
        strict: config.gate.strict,
        stable_fingerprints: false,
        now,
        progress: &progress,
    };
    let partial = capture.is_partial();
    let assessing = assess::assess(capture, options, Keep::Report);
    if partial || !is_complete(&assessing.assessed.inventory.gaps) {
        invocation.console.error(
            "evidence could not be read, so what is resolved is not known; the baseline stays as it is",
            Some("mend the input; `evenhand scan` lists the gaps"),
        );
        return Err(Failure::Told(Exit::Incomplete));
    }
    if let Some(error) = assessing.assessed.errors.first() {
        // Findings of a rule that was not evaluated would later look new.
        return Err(Failure::new(error.to_string(), "a baseline needs every rule"));
    }
    let report = assess::report(assessing, options, Depth::Whole);
    let reach = Reach::of(&report, &rules);
    Ok((Baseline::of(&Snapshot::of(&report), &rules, &reach), reach))
}
