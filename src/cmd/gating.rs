//! What a gate is asked, what it holds a posture against, and how its decision is told: for a scan and for the report of one.

use std::collections::BTreeMap;

use evenhand_model::finding::Severity;

use super::{Failure, Invocation};
use crate::baseline::Baseline;
use crate::cli;
use crate::config::Config;
use crate::gate::{self, Condition, Decision, Exit, GateSettings, Places};
use crate::snapshot::Snapshot;

/// What is asked of the posture, and where the configuration asks it. Flags win.
pub(super) fn asked(config: &Config, flags: &cli::Gate) -> (GateSettings, Places) {
    let held = config.gate;
    let settings = GateSettings {
        fail_on: flags.fail_on.iter().copied().min().or(held.fail_on),
        min_score: flags.min_score.or(held.min_score),
        max_excess: flags.max_excess.or(held.max_excess),
        min_coverage: flags.min_coverage.or(held.min_coverage),
        max_drop: flags.max_drop.or(held.max_drop),
        new_only: flags.new_only || held.new_only,
        min_confidence: held.min_confidence,
        strict: flags.evidence.map_or(held.strict, |mode| mode == cli::Evidence::Strict),
        allow_partial: flags.allow_partial || held.allow_partial,
        exit_zero: flags.exit_zero,
    };
    let said = [
        (!flags.fail_on.is_empty(), Condition::FailOn),
        (flags.min_score.is_some(), Condition::MinScore),
        (flags.max_excess.is_some(), Condition::MaxExcess),
        (flags.min_coverage.is_some(), Condition::MinCoverage),
        (flags.max_drop.is_some(), Condition::MaxDrop),
    ];
    let said = said.into_iter().filter_map(|(said, condition)| said.then_some(condition));
    (settings, config.gate_places.clone().without(said))
}

/// Refuses what would change nothing: whoever writes it into a pipeline believes that it is gated.
fn without_effect(settings: &GateSettings, flags: &cli::Gate) -> Result<(), Failure> {
    if flags.baseline.is_some() && !settings.new_only {
        return Err(Failure::new(
            "`--baseline` changes nothing without --new-only",
            "add --new-only, so that only findings that the baseline does not know trip --fail-on; or leave `--baseline` out",
        ));
    }
    if flags.new_only && settings.fail_on.is_none() {
        return Err(Failure::new(
            "`--new-only` changes nothing without --fail-on",
            "say from which level on new findings fail, as in `--fail-on high`; or leave `--new-only` out",
        ));
    }
    Ok(())
}

/// Says what speaks of a gate that nobody asks for. In a configuration that is no error: the flags of another run may ask.
pub(super) fn tell_idle(invocation: &Invocation, settings: &GateSettings, config: &Config, flags: &cli::Gate) {
    let told = |said: String, remedy: &str| invocation.console.alarm(&said, &[], Some(remedy));
    let file = config.file.as_deref().unwrap_or_default();
    if settings.strict && !settings.is_asked() {
        let strict = match flags.evidence {
            Some(_) => "`--evidence strict`".to_owned(),
            None => format!("`evidence = \"strict\"` in {file}"),
        };
        told(
            format!("{strict} lowers the score by what is undecided, and no gate is asked for that could fail"),
            "add a condition, such as --fail-on or --min-score",
        );
    }
    if settings.new_only && settings.fail_on.is_none() {
        told(
            format!("`new_only` in {file} changes nothing without `fail_on`"),
            "say from which level on new findings fail, as in `fail_on = \"high\"`; or leave `new_only` out",
        );
    }
    if config.baseline.is_some() && settings.fail_on.is_some() && !settings.new_only {
        match flags.fail_on.is_empty() {
            true => told(
                format!("`fail_on` in {file} does not look at `baseline` without `new_only`"),
                "add `new_only = true`, so that only findings that the baseline does not know fail; or leave `baseline` out",
            ),
            // Who gates by flags may hold some runs against the baseline and others not, and ask for quiet.
            false => invocation.console.warning(
                &format!("`--fail-on` does not look at `baseline` in {file} without --new-only"),
                Some("add --new-only, so that only findings that the baseline does not know fail"),
            ),
        }
    }
    if settings.fail_on.is_some() && !settings.new_only && settings.max_drop.is_none() {
        let fails = match flags.fail_on.is_empty() {
            true => format!("`fail_on` in {file}"),
            false => "`--fail-on`".to_owned(),
        };
        let add = "so that only findings that the earlier report does not know fail";
        match (&flags.against, &config.against) {
            (Some(_), _) => told(
                format!("{fails} does not look at `--against` without --new-only"),
                &format!("add --new-only, {add}; or say with --max-drop how far the score may fall"),
            ),
            (None, Some(_)) if flags.fail_on.is_empty() => told(
                format!("{fails} does not look at `against` without `new_only`"),
                &format!("add `new_only = true`, {add}; or leave `against` out"),
            ),
            (None, Some(_)) => invocation.console.warning(
                &format!("{fails} does not look at `against` in {file} without --new-only"),
                Some(&format!("add --new-only, {add}")),
            ),
            (None, None) => {}
        }
    }
}

/// What the gate holds this scan against, read before anything else is.
pub(super) struct Before {
    baseline: Option<Baseline>,
    against: Option<Snapshot>,
}

impl Before {
    pub(super) fn of(
        settings: &GateSettings,
        places: &Places,
        config: &Config,
        flags: &cli::Gate,
    ) -> Result<Self, Failure> {
        without_effect(settings, flags)?;
        let against = flags.against.as_ref().or(config.against.as_ref());
        let usual = || Some(config.baseline()).filter(|file| against.is_none() && file.exists());
        let baseline = flags.baseline.as_deref().or(config.baseline.as_deref()).or_else(usual);
        if settings.new_only && baseline.is_none() && against.is_none() {
            let asked = match (&config.file, flags.new_only) {
                (Some(file), false) => format!("`new_only` in {file}"),
                _ => "--new-only".to_owned(),
            };
            return Err(Failure::new(
                format!("{asked} has nothing to know old findings by"),
                "make a baseline with `evenhand baseline create`, name one with --baseline, or an earlier report with --against",
            ));
        }
        if settings.max_drop.is_some() && against.is_none() {
            return Err(Failure::new(
                format!("{} has no earlier score", places.called(Condition::MaxDrop)),
                "name an earlier JSON report with --against",
            ));
        }
        Ok(Self {
            baseline: baseline.filter(|_| settings.new_only).map(Baseline::read).transpose()?,
            against: against.map(|path| Snapshot::read(path)).transpose()?,
        })
    }

    /// Whether findings are held against earlier ones.
    pub(super) fn is_given(&self) -> bool {
        self.baseline.is_some() || self.against.is_some()
    }

    /// The same for the gate of a scan by this version with the rules of this hash; says where what is new may be new because
    /// the rules are.
    pub(super) fn told(
        &self,
        invocation: &Invocation,
        (version, rule_pack): (&str, &str),
        strict: bool,
    ) -> gate::Before {
        if self.baseline.as_ref().is_some_and(|baseline| baseline.is_of_others(version, rule_pack)) {
            invocation.console.warning(
                "the baseline was made by another version or with other rules, so findings may be new because a rule is",
                Some("look at them, then run `evenhand baseline update`"),
            );
        }
        if self.against.as_ref().is_some_and(|snapshot| snapshot.is_of_others(version, rule_pack)) {
            invocation.console.warning(
                "the report of --against was made by another version or with other rules, so findings may be new because a \
                 rule is",
                Some("scan the earlier capture again with this version and these rules"),
            );
        }
        let known = self.baseline.iter().map(|baseline| &baseline.findings);
        let known = known.chain(self.against.iter().map(|snapshot| &snapshot.findings));
        let mut findings: BTreeMap<String, Severity> = BTreeMap::new();
        for (id, seen) in known.flatten().filter(|(_, seen)| seen.tripped(strict)) {
            // A level that this version does not know hides nothing.
            if let Some(severity) = Severity::parse(&seen.severity) {
                let held = findings.entry(id.clone()).or_insert(severity);
                *held = severity.max(*held);
            }
        }
        gate::Before {
            findings,
            score: self.against.as_ref().and_then(|snapshot| snapshot.score).map(|(_, governed)| governed),
        }
    }
}

/// Says what the gate decided. That it failed is told whoever asked for quiet, and whatever the code is.
pub(super) fn conclude(invocation: &Invocation, settings: &GateSettings, decision: &Decision) -> Exit {
    let console = invocation.console;
    let let_pass = decision.exit == Exit::Passed && !decision.reasons.is_empty();
    for reason in &decision.reasons {
        match let_pass {
            true => console.alarm(reason, &[], None),
            false => console.error(reason, None),
        }
    }
    for warning in &decision.warnings {
        console.alarm(warning, &[], None);
    }
    if let_pass {
        console.alarm("the gate failed, and --exit-zero lets the run pass", &[], None);
    } else if settings.is_asked() && decision.reasons.is_empty() {
        console.note("gate: passed");
    }
    decision.exit
}
