//! `evenhand scan`: everything, from the sources to the exit code.

use std::sync::Arc;
use std::time::Instant;

use evenhand_model::finding::{Finding, Status};
use evenhand_model::identity::Nature;
use evenhand_reports::asff::Product;
use evenhand_reports::report::{SourceFile, SourceStatus, known_score};
use evenhand_reports::text::counted;
use evenhand_reports::{Report, terminal};
use evenhand_rules::evaluate::Keep;

use super::gating::{Before, asked, conclude, tell_idle};
use super::{Failure, Invocation, live_sources};
use crate::assess::{self, Depth, Options};
use crate::cli;
use crate::formats::Rendering;
use crate::gate::{self, Exit, Posture};
use crate::output::{self, Output, to_file, to_stdout};
use crate::progress::Progress;
use crate::ruleset;
use crate::store;

pub(super) fn run(invocation: &Invocation, arguments: &cli::Scan) -> Result<Exit, Failure> {
    let began = Instant::now();
    let message = |message| Failure::Message(message, None);
    let outputs = output::checked(&arguments.output.output).map_err(message)?;
    let product = arguments.output.asff_product.as_ref();
    output::sensible(&outputs, true, product).map_err(message)?;
    let folder = arguments.output.evidence_dir.as_deref();
    let evidence = output::evidence_prefix(folder).map_err(message)?;
    let written = Written { screen: invocation.screen(arguments.output.all), evidence: &evidence, product };
    let progress = invocation.progress();
    let sources = live_sources::LiveSources::of(arguments)?;
    let config = invocation.config_to_judge_by(&sources.paths)?;
    let (gate_settings, places) = asked(&config, &arguments.gate);
    let before = Before::of(&gate_settings, &places, &config, &arguments.gate)?;
    tell_idle(invocation, &gate_settings, &config, &arguments.gate);
    let rules = ruleset::load(&arguments.selection, &config, invocation.console)?;
    let (capture, now) = sources.read(invocation, arguments, &config, &progress)?;
    let (bytes, unreadable_source) = (capture.bytes, capture.unreadable_source);
    let unfinished = !capture.unfinished.is_empty();
    let empty = capture.inventory.identities.is_empty();
    let options = Options {
        config: &config,
        rules: &rules,
        strict: gate_settings.strict,
        stable_fingerprints: arguments.input.fingerprint_key.as_ref().is_some_and(|key| !key.is_empty()),
        now,
        progress: &progress,
    };
    if empty {
        let broken = |file: &SourceFile| matches!(file.status, SourceStatus::Failed | SourceStatus::Partial);
        let read = !capture.is_partial() && !capture.files.iter().any(broken);
        let excused = arguments.gate.allow_empty && read;
        let failure = match (excused, capture.unasked_source || !capture.unread.is_empty()) {
            (true, _) => None,
            // Nobody was found because nobody could be asked, which another export does not mend.
            (false, true) if gate_settings.allow_partial => Some(Failure::Told(Exit::NothingCollected)),
            (false, true) => Some(Failure::Told(Exit::Incomplete)),
            (false, false) => Some(invocation.nobody(&capture)),
        };
        // The files with the reasons are what helps now; a table without identities does not.
        let report = assess::report(assess::assess(capture, options, Keep::Report), options, Depth::Whole);
        let tells = |output: &Output| output.format.listed().is_some_and(|format| format.tells_gaps);
        let (files, others): (Vec<Output>, Vec<Output>) = outputs.into_iter().partition(tells);
        let unwritten = others.into_iter().filter_map(|output| output.path);
        write(&report, &files, written)?;
        return match failure {
            Some(failure) => Err(failure),
            None => {
                invocation.console.note("no identity was found, which --allow-empty allows");
                let save = arguments.output.save.is_some().then_some("no scan is saved (--save)");
                let folder = folder.is_some().then_some("no evidence file is written (--evidence-dir)");
                for said in [save, folder].into_iter().flatten() {
                    invocation.console.note(said);
                }
                for path in unwritten {
                    invocation.console.note(&format!("`{}` is not written", path.display()));
                }
                Ok(Exit::Passed)
            }
        };
    }
    let assessing = assess::assess(capture, options, Keep::Report);
    for error in &assessing.assessed.errors {
        invocation.console.error(&error.to_string(), None);
    }
    let coverage = assess::coverage(&assessing.capture, &assessing.assessed, &rules);
    let rule_pack = ruleset::fingerprint(&rules);
    let known = before.told(invocation, (env!("CARGO_PKG_VERSION"), rule_pack.as_str()), gate_settings.strict);
    let decision = gate::decide(
        &gate_settings,
        &Posture {
            findings: &assessing.assessed.findings,
            score: known_score(&assessing.assessed.score, &assessing.assessed.inventory.gaps, coverage.decided),
            coverage: coverage.percent(),
            identities: assessing.assessed.facts.table("identities"),
            gaps: &assessing.assessed.inventory.gaps,
            unreadable_source,
            unfinished,
            identity_count: assessing.assessed.inventory.identities.len(),
            ai_count: coverage
                .natures
                .iter()
                .find(|(nature, _)| *nature == Nature::AiAgent.as_str())
                .map_or(0, |(_, n)| *n),
            possible_agents: assess::possible_agents(&assessing.assessed, &config).len(),
            rule_errors: !assessing.assessed.errors.is_empty(),
            rules: &rules,
            before: &known,
            places: &places,
        },
    );
    let mut report = assess::report(assessing, options, Depth::Whole);
    report.coverage.settings.rules_chosen_by = arguments.selection.words().into_iter().map(Arc::from).collect();
    {
        let _stage = progress.stage("write", None);
        if let Some(folder) = &arguments.output.save {
            store::save(&report, folder)?;
        }
        if let Some(least) = arguments.output.severity {
            report.leave_out_below(least);
        }
        write(&report, &outputs, written)?;
        folder.map(|folder| output::to_folder(folder, &report)).transpose()?;
    }
    summary(invocation, &report, bytes, before.is_given().then_some(&known), &progress, began);
    Ok(conclude(invocation, &gate_settings, &decision))
}

/// What outputs are written with.
#[derive(Clone, Copy)]
pub(super) struct Written<'a> {
    pub(super) screen: terminal::Options,
    pub(super) evidence: &'a str,
    pub(super) product: Option<&'a Product>,
}

/// Writes every output.
pub(super) fn write(report: &Report, outputs: &[Output], with: Written<'_>) -> Result<(), Failure> {
    let Written { screen, evidence, product } = with;
    for output in outputs {
        let rendering = |screen| Rendering { report, screen, evidence, product };
        match &output.path {
            None => to_stdout(|sink| output.format.write(rendering(screen), sink))?,
            // A file outlives the terminal it was made on: no colour, and nothing left out for want of room.
            Some(path) => {
                let screen = terminal::Options { width: 120, color: false, limit: None, ..screen };
                to_file(path, |sink| output.format.write(rendering(screen), sink))?;
            }
        }
    }
    Ok(())
}

/// Says in a line what was read and found; of what is held against earlier findings (`before`), how much is new.
pub(super) fn summary(
    invocation: &Invocation,
    report: &Report,
    bytes: u64,
    before: Option<&gate::Before>,
    progress: &Progress,
    began: Instant,
) {
    for (stage, time) in progress.times() {
        invocation.console.detail(&format!("{stage:>16} {:8.1} ms", time.as_secs_f64() * 1000.0));
    }
    let coverage = &report.coverage;
    let sources = || report.scan.sources.iter();
    let (prose, own) =
        (sources().filter(|file| file.is_prose()).count(), sources().filter(|file| file.is_own()).count());
    // The counts that the reports have.
    let mut parts = vec![counted(coverage.files_read, "file read", "files read")];
    for (count, what) in [
        (coverage.files_partial, "in part"),
        (coverage.files_failed, "failed"),
        (coverage.files_unrecognised.saturating_sub(prose + own), "not recognised"),
        (prose, "of text for people"),
        (own, "of an earlier scan"),
    ] {
        if count > 0 {
            parts.push(format!("{count} {what}"));
        }
    }
    parts.push(counted(coverage.identities, "identity", "identities"));
    if report.score.is_some() {
        let agents: usize = coverage.verdicts.iter().map(|(_, count)| count).sum();
        parts.push(if agents == 0 { "none of AI recognised".to_owned() } else { format!("{agents} of AI compared") });
        parts.extend(found(&report.findings, before));
        if report.filtered > 0 {
            parts.push(format!("{} not reported", report.filtered));
        }
    }
    #[expect(clippy::cast_precision_loss, reason = "a size for people")]
    let size = bytes as f64 / 1_000_000.0;
    invocation.console.note(&format!("{} in {:.2} s ({size:.1} MB)", parts.join(", "), began.elapsed().as_secs_f64()));
}

/// How much was found: what fails, what nothing decides, and what somebody accepted, each apart.
fn found(findings: &[Finding], before: Option<&gate::Before>) -> Vec<String> {
    let (accepted, open): (Vec<&Finding>, Vec<&Finding>) =
        findings.iter().partition(|finding| finding.waiver.is_some());
    let (failing, undecided): (Vec<&Finding>, Vec<&Finding>) =
        open.into_iter().partition(|finding| finding.status == Status::Fail);
    let failed = counted(failing.len(), "finding", "findings");
    let failed = match before {
        Some(before) => {
            let known = failing.iter().filter(|finding| before.knows(finding)).count();
            format!("{failed} ({} new, {known} known)", failing.len() - known)
        }
        None => failed,
    };
    let mut parts = vec![failed, format!("{} undecided", undecided.len())];
    if !accepted.is_empty() {
        parts.push(format!("{} accepted", accepted.len()));
    }
    parts
}
