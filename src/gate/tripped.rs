//! What trips the gate, and what would pass, in words.

use std::collections::{BTreeMap, BTreeSet};

use evenhand_model::finding::{Finding, Severity, Status};
use evenhand_model::id::IdentityId;
use evenhand_model::score::{Millionths, Score};
use evenhand_model::table::{Table, Value};
use evenhand_reports::text::counted;
use evenhand_rules::pack::{Rule, RuleSet};
use evenhand_rules::score::ceiling;

use super::{Condition, GateSettings, Posture};

/// What of the posture trips the gate, and what would pass, a line each.
pub(super) fn tripped(settings: &GateSettings, posture: &Posture<'_>) -> Vec<String> {
    let confidence = Confidence::new(posture.identities);
    let mut reasons = Vec::new();
    if let Some(level) = settings.fail_on {
        let counts = |finding: &&Finding| {
            finding.severity >= level
                && finding.waiver.is_none()
                && (finding.status == Status::Fail || settings.strict)
                && !(settings.new_only && posture.before.knows(finding))
        };
        let is_doubtful = |finding: &&Finding| confidence.is_doubtful(finding, posture.rules, settings.min_confidence);
        let (doubtful, tripping): (Vec<&Finding>, Vec<&Finding>) =
            posture.findings.iter().filter(counts).partition(is_doubtful);
        if !tripping.is_empty() {
            let asked = posture.places.named(Condition::FailOn, &level);
            let spared = match doubtful.len() {
                0 => String::new(),
                1 => "; 1 more rests on a guessed human role and does not count".to_owned(),
                more => format!("; {more} more rest on a guessed human role and do not count"),
            };
            reasons.push(format!("{asked}: {}{spared}", failing(&tripping, level, settings.new_only)));
        }
    }
    with_score(settings, posture, reasons, &confidence)
}

/// The findings that trip [`GateSettings::fail_on`], the worst rules first, and what becomes of them for it to pass.
fn failing(tripping: &[&Finding], level: Severity, new_only: bool) -> String {
    let mut rules: BTreeMap<&str, (Severity, usize)> = BTreeMap::new();
    for finding in tripping {
        rules.entry(finding.rule.as_str()).or_insert((finding.severity, 0)).1 += 1;
    }
    let mut rules: Vec<(&str, (Severity, usize))> = rules.into_iter().collect();
    rules.sort_by_key(|(rule, (severity, count))| (std::cmp::Reverse((*severity, *count)), *rule));
    let named: Vec<String> =
        rules.iter().take(3).map(|(rule, (severity, count))| format!("{count} × {rule} ({severity})")).collect();
    let rest = and_more(rules.len().saturating_sub(3));
    let what = match new_only {
        true => counted(tripping.len(), "new finding", "new findings"),
        false => counted(tripping.len(), "finding", "findings"),
    };
    let (open, decide) = match tripping.iter().filter(|finding| finding.status == Status::Unknown).count() {
        0 => (String::new(), ""),
        open => (format!(", {open} of them undecided"), ", and what is undecided is decided"),
    };
    format!(
        "{what} of {level} or worse{open}: {}{rest}; it passes when these are resolved or waived{decide}",
        named.join(", ")
    )
}

fn with_score(
    settings: &GateSettings,
    posture: &Posture<'_>,
    mut reasons: Vec<String>,
    confidence: &Confidence,
) -> Vec<String> {
    let places = posture.places;
    if let Some(least) = settings.min_score {
        let asked = places.named(Condition::MinScore, &least);
        // That it is not known makes the scan incomplete, and trips nothing.
        if let Some(score) = posture.score
            && score.governed < Millionths(least.saturating_mul(1000))
        {
            reasons.push(format!(
                "{asked}: the governed score is {}{}",
                score.governed.thousandths(),
                what_would_pass(posture.findings, score, least, settings.strict)
            ));
        }
    }
    if let Some(most) = settings.max_drop {
        let asked = places.named(Condition::MaxDrop, &most);
        let allowed = most.saturating_mul(1000);
        match (posture.before.score, posture.score.map(|score| score.governed)) {
            (Some(before), Some(now)) if before.0.saturating_sub(now.0) > allowed => reasons.push(format!(
                "{asked}: the governed score fell from {} to {}; it passes at {} or more, `evenhand diff` tells what is new",
                before.exact(),
                now.exact(),
                Millionths(before.0.saturating_sub(allowed)).exact(),
            )),
            (None, _) => {
                reasons.push(format!(
                    "{asked}: the report of --against has no known score, so that the two cannot be compared; name the \
                     report of a whole scan"
                ));
            }
            (Some(_), _) => {}
        }
    }
    if let Some(most) = settings.max_excess {
        let over = confidence.over(most, settings.min_confidence);
        if let Some((name, excess)) = over.first() {
            let others = over.len() - 1;
            let rest = match others {
                0 => String::new(),
                1 => ", and 1 more identity is over the limit (the report tells which)".to_owned(),
                _ => format!(", and {others} more identities are over the limit (the report tells which)"),
            };
            reasons.push(format!(
                "{}: `{}` holds {excess} operations that its human role does not cover{rest}; it passes when \
                 the excess is removed or the role is shown to need it",
                places.named(Condition::MaxExcess, &most),
                evenhand_reports::text::printable(name),
            ));
        }
    }
    if let Some(least) = settings.min_coverage {
        let asked = places.named(Condition::MinCoverage, &least);
        match posture.coverage {
            Some(coverage) if coverage >= u64::from(least) => {}
            Some(coverage) => reasons.push(format!(
                "{asked}: {coverage}% of the rule results are decided; it passes at {least}% or more, with the documents \
                 that the gaps and the undecided findings name"
            )),
            None => reasons.push(format!(
                "{asked}: how many rule results are decided is not known; it passes where some rule is evaluated"
            )),
        }
    }
    reasons
}

/// What would lift the score over the line: first of all what is of a severity that keeps it below.
fn what_would_pass(findings: &[Finding], score: &Score, least: u32, strict: bool) -> String {
    let line = Millionths(least.saturating_mul(1000));
    if let Some(mover) = score.moved_by.iter().find(|mover| mover.fixed >= line) {
        return format!("; resolving `{}` alone gives {}", mover.rule, mover.fixed.thousandths());
    }
    let counts = |finding: &&Finding| finding.waiver.is_none() && (finding.status == Status::Fail || strict);
    let Some(worst) = findings.iter().filter(counts).map(|finding| finding.severity).max() else {
        return format!("; it passes at {least} or more");
    };
    let mut rules: BTreeMap<&str, BTreeSet<&IdentityId>> = BTreeMap::new();
    for finding in findings.iter().filter(counts).filter(|finding| finding.severity == worst) {
        rules.entry(finding.rule.as_str()).or_default().insert(&finding.identity);
    }
    let rules: BTreeMap<&str, usize> = rules.into_iter().map(|(rule, held)| (rule, held.len())).collect();
    let mut rules: Vec<(&str, usize)> = rules.into_iter().collect();
    rules.sort_by_key(|(rule, count)| (std::cmp::Reverse(*count), *rule));
    // The score counts a rule once for each identity, however many findings that has.
    let named = |(rule, count): &(&str, usize)| format!("{rule} ({})", counted(*count, "identity", "identities"));
    let named: Vec<String> = rules.iter().take(3).map(named).collect();
    let rest = and_more(rules.len().saturating_sub(3));
    let band = match line > ceiling(worst) {
        true => format!(", and no more than {} while anything {worst} is open", ceiling(worst).thousandths()),
        false => String::new(),
    };
    format!("{band}; resolve what is {worst} first: {}{rest}", named.join(", "))
}

fn and_more(rules: usize) -> String {
    if rules > 0 {
        format!(" and {}, which the report lists", counted(rules, "more rule", "more rules"))
    } else {
        String::new()
    }
}

/// What the identities table says of the baselines that parity findings rest on.
struct Confidence {
    by_identity: BTreeMap<std::sync::Arc<str>, Held>,
}

struct Held {
    name: std::sync::Arc<str>,
    confidence: f64,
    has_baseline: bool,
    excess: Option<i64>,
}

impl Confidence {
    fn new(identities: Option<&Table>) -> Self {
        let mut by_identity = BTreeMap::new();
        let Some(table) = identities else { return Self { by_identity } };
        for row in 0..table.rows() {
            // Only AI identities have a verdict.
            let (Value::Text(id), Value::Text(_)) = (table.value(row, "id"), table.value(row, "verdict")) else {
                continue;
            };
            let Value::Text(name) = table.value(row, "name") else { continue };
            let confidence = match table.value(row, "baseline_confidence") {
                Value::Float(value) => value,
                _ => 0.0,
            };
            let has_baseline = matches!(table.value(row, "baseline_source"), Value::Text(source) if &*source != "none");
            let excess = match table.value(row, "excess_operations") {
                Value::Integer(count) => Some(count),
                _ => None,
            };
            by_identity.insert(id, Held { name, confidence, has_baseline, excess });
        }
        Self { by_identity }
    }

    /// Whether a finding rests on a baseline that is only a guess. How an identity gets past a gate that stops people is a
    /// fact, whoever of the people does its job.
    fn is_doubtful(&self, finding: &Finding, rules: &RuleSet, least: f64) -> bool {
        let gets_past = finding.facts.iter().any(|(column, value)| &**column == "way" && !value.is_empty());
        !gets_past
            && rules.get(finding.rule.as_str()).is_some_and(rests_on_baseline)
            && self
                .by_identity
                .get(finding.identity.as_str())
                .is_some_and(|held| held.has_baseline && held.confidence < least)
    }

    /// Identities with more excess than allowed, over a baseline that is sure enough; most first.
    fn over(&self, most: u64, least: f64) -> Vec<(&str, i64)> {
        let mut over: Vec<(&str, i64)> = self
            .by_identity
            .values()
            .filter(|held| held.confidence >= least)
            .filter_map(|held| Some((&*held.name, held.excess?)))
            .filter(|(_, excess)| u64::try_from(*excess).is_ok_and(|excess| excess > most))
            .collect();
        over.sort_by_key(|(name, excess)| (std::cmp::Reverse(*excess), *name));
        over
    }
}

/// Whether a rule judges the comparison with the human role.
pub(super) fn rests_on_baseline(rule: &Rule) -> bool {
    const COLUMNS: [&str; 9] = [
        "coverage",
        "control_gap_list",
        "control_gaps",
        "excess_operations",
        "excess_ratio",
        "excess_weight",
        "high_risk_excess",
        "undecided_operations",
        "verdict",
    ];
    matches!(rule.table.name, "excess" | "controls")
        || rule.predicate.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').any(|word| COLUMNS.contains(&word))
}
