//! The gate: whether a pipeline may go on. Decided once, after everything is written, whatever the formats are.

mod settings;
#[cfg(test)]
mod tests;
mod tripped;

use std::collections::BTreeMap;

use evenhand_model::finding::{Finding, Severity};
use evenhand_model::gap::{Gap, GapKind};
use evenhand_model::score::{Millionths, Score};
use evenhand_model::table::Table;
use evenhand_reports::text::counted;
use evenhand_rules::pack::RuleSet;

pub use settings::{Condition, GateSettings, Places};
use tripped::tripped;

/// What ends a run, as the exit code says it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Exit {
    /// The gate passed, or none was asked for.
    Passed,
    /// The gate failed.
    GateFailed,
    /// The command, the configuration or the tool itself is at fault.
    Error,
    /// No identity was found in the sources.
    NothingCollected,
    /// Evidence is missing that should be there, and that is not allowed.
    Incomplete,
}

impl Exit {
    /// The exit code.
    pub fn code(self) -> u8 {
        match self {
            Self::Passed => 0,
            Self::GateFailed => 1,
            Self::Error => 2,
            Self::NothingCollected => 3,
            Self::Incomplete => 4,
        }
    }
}

/// What the gate looks at: never what report filters left of it.
#[derive(Clone, Copy, Debug)]
pub struct Posture<'a> {
    /// All findings, worst first.
    pub findings: &'a [Finding],
    /// The score; `None` = it is not known.
    pub score: Option<&'a Score>,
    /// Decided rule results in percent.
    pub coverage: Option<u64>,
    /// The fact table of identities.
    pub identities: Option<&'a Table>,
    /// What could not be read.
    pub gaps: &'a [Gap],
    /// Whether some source could not be read at all.
    pub unreadable_source: bool,
    /// Whether the collection of some capture did not come to its end.
    pub unfinished: bool,
    /// The number of identities.
    pub identity_count: usize,
    /// The number of AI identities, tool servers included.
    pub ai_count: usize,
    /// The number of identities that weak signs hint to be agents.
    pub possible_agents: usize,
    /// Whether some rule could not be evaluated.
    pub rule_errors: bool,
    /// The rules that were evaluated.
    pub rules: &'a RuleSet,
    /// What was there before.
    pub before: &'a Before,
    /// Where the configuration asks for what it asks.
    pub places: &'a Places,
}

/// What was there before, as far as somebody wrote it down.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Before {
    /// The findings of a baseline or an earlier scan that a gate saw then, by id, with how bad they were: what was
    /// undecided or accepted is new when it fails, and so is what has become worse.
    pub findings: BTreeMap<String, Severity>,
    /// The governed score of an earlier scan.
    pub score: Option<Millionths>,
}

impl Before {
    /// Whether a finding was there before and has not become worse.
    pub fn knows(&self, finding: &Finding) -> bool {
        self.findings.get(finding.id.as_str()).is_some_and(|severity| *severity >= finding.severity)
    }
}

/// The gate's decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// The exit.
    pub exit: Exit,
    /// What tripped it, and what would pass, a line each; for people, on stderr.
    pub reasons: Vec<String>,
    /// What was asked and did not trip it, though nothing is known: a line each.
    pub warnings: Vec<String>,
}

/// Decides.
pub fn decide(settings: &GateSettings, posture: &Posture<'_>) -> Decision {
    let mut reasons = Vec::new();
    let mut warnings = Vec::new();
    if posture.rule_errors {
        reasons.push("some rule could not be evaluated; the posture is not known, see the errors above".to_owned());
        return Decision { exit: Exit::Error, reasons, warnings };
    }
    if posture.identity_count == 0 {
        reasons.push("no identity was found in these sources".to_owned());
        return Decision { exit: Exit::NothingCollected, reasons, warnings };
    }
    let tripped = tripped(settings, posture);
    let failed = !tripped.is_empty();
    reasons.extend(tripped);
    // What was refused or failed; what nobody asked for is told as a gap and stops nothing.
    let broken: Vec<&Gap> = posture.gaps.iter().filter(|gap| gap.kind == GapKind::Failed).collect();
    let mut incomplete = false;
    let partial = posture.unreadable_source || posture.unfinished || (settings.is_asked() && !broken.is_empty());
    if partial {
        let what = match (posture.unreadable_source, posture.unfinished) {
            (true, _) => "a source could not be read",
            (false, true) => "the collection of a capture did not come to its end",
            (false, false) => "evidence was refused or could not be read",
        };
        let gaps = named(&broken);
        if settings.allow_partial {
            warnings.push(format!("incomplete, which --allow-partial or the configuration allows: {what} ({gaps})"));
        } else {
            reasons.push(format!("incomplete: {what} ({gaps}); mend the input, or allow it with --allow-partial"));
            incomplete = true;
        }
    }
    if let Some(line) = unknown_score(settings, posture) {
        if settings.allow_partial {
            warnings.push(line);
        } else {
            reasons.push(format!("incomplete: {line}; or allow it with --allow-partial"));
            incomplete = true;
        }
    }
    if settings.is_asked() && posture.ai_count == 0 {
        let (line, unanswered) = nobody_to_judge(settings, posture);
        if unanswered && !settings.allow_partial {
            reasons.push(format!("incomplete: {line}; or allow it with --allow-partial"));
            incomplete = true;
        } else {
            warnings.push(line);
        }
    }
    let exit = match (incomplete, failed && !settings.exit_zero) {
        (true, _) => Exit::Incomplete,
        (false, true) => Exit::GateFailed,
        (false, false) => Exit::Passed,
    };
    Decision { exit, reasons, warnings }
}

/// How many gaps there are, and the first ones: what was asked for, and why it is not there.
fn named(gaps: &[&Gap]) -> String {
    const NAMED: usize = 3;
    let one = |gap: &&Gap| {
        let place = gap.scope.as_ref().map(|scope| format!(" of {scope}")).unwrap_or_default();
        // What to do about it stands behind the reason, in the report.
        match gap.reason.split("; ").next().filter(|why| !why.is_empty()) {
            Some(why) => format!("`{}`{place}: {why}", gap.call),
            None => format!("`{}`{place}", gap.call),
        }
    };
    let count = counted(gaps.len(), "gap", "gaps");
    if gaps.is_empty() {
        return count;
    }
    let first: Vec<String> = gaps.iter().take(NAMED).map(one).collect();
    let more = match gaps.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!("; and {more} more, which the report lists"),
    };
    format!("{count}: {}{more}", first.join("; "))
}

/// What is said where something is asked of a score that is not known.
fn unknown_score(settings: &GateSettings, posture: &Posture<'_>) -> Option<String> {
    let asked: Vec<String> =
        [(settings.min_score.is_some(), Condition::MinScore), (settings.max_drop.is_some(), Condition::MaxDrop)]
            .into_iter()
            .filter(|(asked, _)| *asked && posture.score.is_none())
            .map(|(_, condition)| posture.places.called(condition))
            .collect();
    (!asked.is_empty()).then(|| {
        format!(
            "{} has nothing to be compared with: the score is not known, for nothing is open in what was read, and either \
             that is not all or no check could be decided; mend or complete the input",
            asked.join(" and ")
        )
    })
}

/// What is said where no AI identity was recognised, and whether something that was asked is about nobody else: a score or
/// an excess of no agents is no good score and no small excess.
fn nobody_to_judge(settings: &GateSettings, posture: &Posture<'_>) -> (String, bool) {
    let asked: Vec<String> =
        [(settings.min_score.is_some(), Condition::MinScore), (settings.max_excess.is_some(), Condition::MaxExcess)]
            .into_iter()
            .filter(|(asked, _)| *asked)
            .map(|(_, condition)| posture.places.called(condition))
            .collect();
    let possible = match posture.possible_agents {
        0 => String::new(),
        count => format!(", though {} may be one", counted(count, "identity", "identities")),
    };
    let nothing = match asked.is_empty() {
        true => "the gate says nothing about agents".to_owned(),
        false => format!("{} has nobody to judge", asked.join(" and ")),
    };
    let line = format!(
        "no AI identity was recognised{possible}, so {nothing}; name yours on the identity or under `agents` of a [[job]]"
    );
    (line, !asked.is_empty())
}
