//! `evenhand report`: the report of an earlier scan in other forms.

use std::io::Read;
use std::path::Path;

use evenhand_model::id::ProviderName;
use evenhand_model::identity::Nature;
use evenhand_model::table::TableSpec;
use evenhand_reports::Report;
use evenhand_reports::report::known_score;
use evenhand_reports::saved::{self, Known, SavedError};
use evenhand_rules::facts::tables::TABLES;
use evenhand_rules::pack::RuleSet;
use evenhand_rules::score::again;
use evenhand_rules::waivers::CONFIGURATION;

use super::gating::{Before, asked, conclude, tell_idle};
use super::scan::{Written, write};
use super::{Failure, Invocation};
use crate::cli::{self, Selection};
use crate::gate::{self, Decision, Exit, GateSettings, Places, Posture};
use crate::output;
use crate::ruleset;
use crate::store;

pub(super) fn run(invocation: &Invocation, arguments: &cli::Report) -> Result<Exit, Failure> {
    let message = |message| Failure::Message(message, None);
    let wanted = &arguments.output;
    let outputs = output::checked(&wanted.output).map_err(message)?;
    let product = wanted.asff_product.as_ref();
    let folder = wanted.evidence_dir.as_deref();
    let evidence = output::evidence_prefix(folder).map_err(message)?;
    // Without a flag that asks for a gate there is none, whatever a configuration that lies here asks of scans.
    let gated = arguments.gate.is_asked().then(|| Gated::of(invocation, &arguments.gate)).transpose()?;
    let mut report = read(invocation, &arguments.report)?;
    output::sensible(&outputs, report.score.is_some(), product).map_err(message)?;
    if let Some(place) = &wanted.save {
        if report.filtered > 0 || report.score.is_none() {
            return Err(Failure::new(
                format!("`{}` is not a whole scan, and a store keeps whole ones", arguments.report.display()),
                "write it with `evenhand scan … -o json=FILE` and without --severity",
            ));
        }
        store::save(&report, place)?;
    }
    // The gate sees what the filter of this run leaves out.
    let decision = gated.as_ref().map(|gated| gated.decide(invocation, &report, &arguments.report)).transpose()?;
    if let Some(least) = wanted.severity {
        report.leave_out_below(least);
    }
    write(&report, &outputs, Written { screen: invocation.screen(wanted.all), evidence: &evidence, product })?;
    folder.map(|folder| output::to_folder(folder, &report)).transpose()?;
    Ok(match (&gated, decision) {
        (Some(gated), Some(decision)) => conclude(invocation, &gated.settings, &decision),
        _ if report.coverage.identities == 0 => {
            let said = format!("no identity was found in the scan of `{}`", arguments.report.display());
            invocation.console.error(&said, Some("scan what names somebody, or allow it with --allow-empty"));
            Exit::NothingCollected
        }
        _ => Exit::Passed,
    })
}

/// A gate before the report of an earlier scan.
struct Gated {
    settings: GateSettings,
    places: Places,
    before: Before,
    rules: RuleSet,
    allow_empty: bool,
}

impl Gated {
    fn of(invocation: &Invocation, flags: &cli::Gate) -> Result<Self, Failure> {
        let config = invocation.config(&[])?;
        let (settings, places) = asked(&config, flags);
        let before = Before::of(&settings, &places, &config, flags)?;
        tell_idle(invocation, &settings, &config, flags);
        let rules = ruleset::load_all(&Selection::default(), &config, invocation.console)?;
        Ok(Self { settings, places, before, rules, allow_empty: flags.allow_empty })
    }

    /// Decides on what the report holds. Its score is counted again, because the gate may be stricter than the scan was.
    fn decide(&self, invocation: &Invocation, report: &Report, file: &Path) -> Result<Decision, Failure> {
        let Some(score) = report.score.as_ref().filter(|_| report.filtered == 0) else {
            return Err(Failure::new(
                format!("`{}` is not a whole scan, and a gate needs all findings", file.display()),
                "write it with `evenhand scan … -o json=FILE` and without --severity",
            ));
        };
        let broken = !report.is_complete();
        if report.coverage.identities == 0 && self.allow_empty && !broken {
            return Ok(Decision { exit: Exit::Passed, reasons: Vec::new(), warnings: Vec::new() });
        }
        let made_by = (&*report.tool.version, report.tool.rule_pack.as_str());
        let known = self.before.told(invocation, made_by, self.settings.strict);
        let score = again(&report.findings, score.exposure, self.settings.strict);
        let agents = report.coverage.natures.iter().find(|(nature, _)| *nature == Nature::AiAgent.as_str());
        Ok(gate::decide(
            &self.settings,
            &Posture {
                findings: &report.findings,
                score: known_score(&score, &report.gaps, report.coverage.decided),
                coverage: report.coverage.percent(),
                identities: report.tables.iter().find(|table| table.spec.name == "identities"),
                gaps: &report.gaps,
                // Whatever was not read when the report was made is a gap of it.
                unreadable_source: false,
                unfinished: false,
                identity_count: report.coverage.identities,
                ai_count: agents.map_or(0, |(_, count)| *count),
                possible_agents: report.possible_agents.len(),
                rule_errors: report.rules.iter().any(|rule| rule.error.is_some()),
                rules: &self.rules,
                before: &known,
                places: &self.places,
            },
        ))
    }
}

fn read(invocation: &Invocation, file: &Path) -> Result<Report, Failure> {
    const MAKE: &str = "write one with `evenhand scan … -o json=FILE`";
    let text = match file == Path::new("-") {
        true => {
            let mut text = String::new();
            std::io::stdin().lock().read_to_string(&mut text).map(|_| text)
        }
        false => std::fs::read_to_string(file),
    };
    let text = text.map_err(|error| Failure::new(format!("`{}` cannot be read: {error}", file.display()), MAKE))?;
    let tables: Vec<&'static TableSpec> = TABLES.to_vec();
    // What waivers say of nobody who was read is the configuration's.
    let providers: Vec<ProviderName> =
        invocation.providers.iter().map(|provider| provider.name()).chain([ProviderName(CONFIGURATION)]).collect();
    saved::read(&text, Known { tables: &tables, providers: &providers }).map_err(|error| {
        let remedy = match error {
            SavedError::Shape(_) | SavedError::Earlier(_) | SavedError::ScanId(_) => MAKE,
            SavedError::Form(_) | SavedError::Unknown(..) => "scan again with this version",
        };
        Failure::new(format!("`{}` {error}", file.display()), remedy)
    })
}
