//! From a capture to a report: the assessment, its stages timed, and what a format needs beside it.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use evenhand_model::access::AccessResolver;
use evenhand_model::finding::Status;
use evenhand_model::id::RuleId;
use evenhand_model::identity::{Identity, Nature};
use evenhand_model::parity::Verdict;
use evenhand_reports::Report;
use evenhand_reports::report::{Coverage, Levelled, PossibleAgent, RuleOutcome, Scan, Settings, SourceStatus, Tool};
use evenhand_rules::evaluate::{self, Assessed, Assessment, Keep, Stage};
use evenhand_rules::pack::RuleSet;
use evenhand_rules::parity::ParityConfig;
use jiff::Timestamp;

use crate::config::Config;
use crate::pipeline::Capture;
use crate::progress::Progress;
use crate::ruleset;

/// How to assess.
#[derive(Clone, Copy, Debug)]
pub struct Options<'a> {
    /// The configuration.
    pub config: &'a Config,
    /// The rules.
    pub rules: &'a RuleSet,
    /// Whether undecided findings count like failed ones.
    pub strict: bool,
    /// Whether fingerprints mean the same in the next scan.
    pub stable_fingerprints: bool,
    /// The moment of the scan.
    pub now: Timestamp,
    /// Where progress is shown.
    pub progress: &'a Progress,
}

/// A capture with everything that was found in it.
#[derive(Debug)]
pub struct Assessing {
    /// The capture; its inventory and its resolvers have moved into the assessment.
    pub capture: Capture,
    /// What was found.
    pub assessed: Assessed,
    /// The jobs and thresholds of the comparison.
    pub parity: ParityConfig,
}

impl Assessing {
    /// The provider's view of an identity's access; `None` for identities that hold none of their own.
    pub fn resolver(&self, identity: &Identity) -> Option<&dyn AccessResolver> {
        self.assessed.resolvers.get(identity.provider)
    }
}

/// Assesses a capture.
pub fn assess(mut capture: Capture, options: Options<'_>, keep: Keep) -> Assessing {
    let inventory = std::mem::take(&mut capture.inventory);
    let resolvers = std::mem::take(&mut capture.resolvers);
    let parity = ParityConfig::new(options.config.jobs.clone());
    let under_way = RefCell::new(None);
    let assessed = evaluate::assess(
        inventory,
        resolvers,
        Assessment {
            parity: &parity,
            register: options.config.register.as_ref(),
            rules: options.rules,
            waivers: &options.config.waivers,
            strict: options.strict,
            stable_fingerprints: options.stable_fingerprints,
            now: options.now,
            keep,
        },
        &|stage| {
            // The stage before ends when the next one begins.
            under_way.take();
            if stage != Stage::Done {
                under_way.replace(Some(options.progress.stage(stage.as_str(), None)));
            }
        },
    );
    drop(under_way);
    Assessing { capture, assessed, parity }
}

/// What a report is made of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Depth {
    /// Everything.
    Whole,
    /// Who is there: nothing was judged, so that there is no score and nothing to report as found.
    Inventory,
}

/// Makes the report; the tables move into it.
pub fn report(assessing: Assessing, options: Options<'_>, depth: Depth) -> Report {
    let Assessing { capture, assessed, .. } = assessing;
    let coverage = Coverage { settings: settings(options.config), ..coverage(&capture, &assessed, options.rules) };
    let possible_agents = possible_agents(&assessed, options.config);
    let rules = outcomes(&assessed, options.rules);
    let Assessed { mut inventory, judgements, comparisons, mut facts, findings, score, .. } = assessed;
    let (gaps, hints) = (std::mem::take(&mut inventory.gaps), std::mem::take(&mut inventory.hints));
    let tables = std::mem::take(&mut facts.tables);
    // Millions of small values: giving them back takes longer than writing the report, which need not wait for it.
    rayon::spawn(move || drop((judgements, inventory, facts)));
    Report {
        tool: Tool {
            name: "evenhand",
            version: env!("CARGO_PKG_VERSION").into(),
            rules: options.rules.len(),
            rule_pack: ruleset::fingerprint(options.rules),
            catalogs: capture.catalogs,
        },
        scan: Scan { id: scan_id(&capture.digest, options), time: options.now, sources: capture.files },
        score: (depth == Depth::Whole).then_some(score),
        tables,
        comparisons: if depth == Depth::Inventory { Vec::new() } else { comparisons },
        filtered: 0,
        findings,
        gaps,
        hints,
        possible_agents,
        coverage,
        rules,
    }
}

/// What of a configuration a reader has to know.
fn settings(config: &Config) -> Settings {
    let mut rules_off: Vec<Arc<str>> =
        config.rules.iter().filter(|rule| rule.off).map(|rule| Arc::from(rule.rule.as_str())).collect();
    rules_off.sort();
    let levelled = config.rules.iter().filter(|rule| !rule.off);
    let mut rules_levelled: Vec<Levelled> = levelled
        .filter_map(|rule| Some(Levelled { rule: rule.rule.as_str().into(), severity: rule.severity? }))
        .collect();
    rules_levelled.sort_by(|a, b| a.rule.cmp(&b.rule));
    Settings {
        configuration: config.file.clone(),
        waivers: config.waiver_file.clone(),
        rules_off,
        rules_levelled,
        rules_chosen_by: Vec::new(),
    }
}

/// What came of each rule, in the order of their ids. Counted before report filters.
fn outcomes(assessed: &Assessed, rules: &RuleSet) -> Vec<RuleOutcome> {
    let mut counts: BTreeMap<&RuleId, (u64, u64)> = BTreeMap::new();
    for finding in &assessed.findings {
        let (failed, undecided) = counts.entry(&finding.rule).or_default();
        match finding.status {
            Status::Fail => *failed += 1,
            Status::Unknown => *undecided += 1,
        }
    }
    let mut outcomes: Vec<RuleOutcome> = rules
        .iter()
        .map(|rule| {
            let (failed, undecided) = counts.get(&rule.id).copied().unwrap_or_default();
            let error = assessed.errors.iter().find(|error| error.rule == rule.id);
            RuleOutcome {
                id: rule.id.clone(),
                title: Arc::clone(&rule.title),
                severity: rule.severity,
                default_severity: rule.default_severity,
                dimension: rule.dimension,
                what: Arc::clone(&rule.docs.what),
                why: Arc::clone(&rule.docs.why),
                fix: Arc::clone(&rule.docs.fix),
                frameworks: rule.frameworks.iter().map(|of| (Arc::clone(&of.framework), Arc::clone(&of.id))).collect(),
                passed: assessed.passed.get(&rule.id).copied().unwrap_or_default(),
                failed,
                undecided,
                error: error.map(ToString::to_string),
            }
        })
        .collect();
    outcomes.sort_by(|a, b| a.id.cmp(&b.id));
    outcomes
}

/// Identities that a weak sign hints to be agents and that nobody has settled: not judged to be agents or people, run by
/// the organisation itself, and not in its register.
pub fn possible_agents(assessed: &Assessed, config: &Config) -> Vec<PossibleAgent> {
    let register = config.register.as_ref();
    let settled = |identity: &Identity| {
        identity.vendor_managed
            || register.is_some_and(|register| {
                register.holds(identity.provider.0, identity.id.as_str(), identity.kind, &identity.name)
            })
    };
    let judged = assessed.judgements.iter().zip(&assessed.inventory.identities);
    judged
        .filter(|(judged, _)| !matches!(judged.nature, Nature::AiAgent | Nature::Human | Nature::HumanRole))
        .filter(|(_, identity)| !settled(identity))
        .filter_map(|(judged, identity)| {
            Some(PossibleAgent { identity: identity.id.clone(), hint: judged.ai_hint.clone()? })
        })
        .collect()
}

/// The same for the same input, moment, rules and configuration.
fn scan_id(digest: &str, options: Options<'_>) -> String {
    let mut hasher = blake3::Hasher::new();
    let mut add = |text: &str| {
        hasher.update(text.as_bytes()).update(&[0]);
    };
    add(env!("CARGO_PKG_VERSION"));
    add(digest);
    add(&options.now.to_string());
    add(&format!("{:?}", options.config));
    add(&ruleset::fingerprint(options.rules));
    hasher.finalize().to_hex().chars().take(32).collect()
}

/// How much was read and judged.
pub fn coverage(capture: &Capture, assessed: &Assessed, rules: &RuleSet) -> Coverage {
    let files = |status| capture.files.iter().filter(|file| file.status == status).count();
    let natures = Nature::ALL.map(|nature| {
        let count = assessed.judgements.iter().filter(|judged| judged.nature == nature).count();
        (nature.as_str(), count)
    });
    let verdicts = Verdict::ALL.map(|verdict| {
        let count = assessed.comparisons.iter().filter(|comparison| comparison.verdict == verdict).count();
        (verdict.as_str(), count)
    });
    let undecided = assessed.findings.iter().filter(|finding| finding.status == Status::Unknown).count() as u64;
    Coverage {
        files_read: files(SourceStatus::Read),
        files_partial: files(SourceStatus::Partial),
        files_failed: files(SourceStatus::Failed),
        files_unrecognised: files(SourceStatus::Unrecognised),
        identities: assessed.inventory.identities.len(),
        natures: natures.to_vec(),
        verdicts: verdicts.to_vec(),
        rules: rules.len(),
        decided: assessed.passed.values().sum::<u64>() + (assessed.findings.len() as u64).saturating_sub(undecided),
        undecided,
        settings: Settings::default(),
    }
}
