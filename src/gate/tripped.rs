//! What trips the gate, and what would pass, in words.

use std::collections::{BTreeMap, BTreeSet};

use evenhand_model::finding::{Finding, Severity, Status};
use evenhand_model::id::IdentityId;
use evenhand_model::score::{Millionths, Score};
use evenhand_model::table::{Table, Value};
use evenhand_reports::text::counted;
use evenhand_rules::pack::{Rule, RuleSet};
use evenhand_rules::score::ceiling;

use super::{GateSettings, Posture};

/// What of the posture trips the gate, and what would pass, a line each.
pub(super) fn tripped(settings: &GateSettings, posture: &Posture<'_>) -> Vec<String> {
    let confidence = Confidence::new(posture.identities);
    let mut reasons = Vec::new();
    if let Some(level) = settings.fail_on {
        let mut tripping: BTreeMap<&str, (Severity, usize)> = BTreeMap::new();
        for finding in posture.findings.iter().filter(|finding| finding.severity >= level) {
            if finding.waiver.is_some() || (finding.status == Status::Unknown && !settings.strict) {
                continue;
            }
            let known = posture.before.findings.get(finding.id.as_str());
            if settings.new_only && known.is_some_and(|severity| *severity >= finding.severity) {
                continue;
            }
            if confidence.is_doubtful(finding, posture.rules, settings.min_confidence) {
                continue;
            }
            tripping.entry(finding.rule.as_str()).or_insert((finding.severity, 0)).1 += 1;
        }
        let total: usize = tripping.values().map(|(_, count)| count).sum();
        if total > 0 {
            let mut rules: Vec<(&str, (Severity, usize))> = tripping.into_iter().collect();
            rules.sort_by_key(|(rule, (severity, count))| (std::cmp::Reverse((*severity, *count)), *rule));
            let named: Vec<String> = rules
                .iter()
                .take(3)
                .map(|(rule, (severity, count))| format!("{count} × {rule} ({severity})"))
                .collect();
            let rest = and_more(rules.len().saturating_sub(3));
            let what = match settings.new_only {
                true => counted(total, "new finding", "new findings"),
                false => counted(total, "finding", "findings"),
            };
            reasons.push(format!(
                "--fail-on {level}: {what} of {level} or worse: {}{rest}; it passes when these are resolved",
                named.join(", "),
            ));
        }
    }
    with_score(settings, posture, reasons, &confidence)
}

fn with_score(
    settings: &GateSettings,
    posture: &Posture<'_>,
    mut reasons: Vec<String>,
    confidence: &Confidence,
) -> Vec<String> {
    if let Some(least) = settings.min_score {
        match posture.score {
            Some(score) if score.governed < Millionths(least.saturating_mul(1000)) => {
                reasons.push(format!(
                    "--min-score {least}: the governed score is {}{}",
                    score.governed.thousandths(),
                    what_would_pass(posture.findings, score, least, settings.strict)
                ));
            }
            Some(_) => {}
            None => reasons.push(format!("--min-score {least}: there is no score")),
        }
    }
    if let Some(most) = settings.max_drop {
        match (posture.before.score, posture.score.map(|score| score.governed.thousandths())) {
            (Some(before), Some(now)) if before.saturating_sub(now) > most => reasons.push(format!(
                "--max-drop {most}: the governed score fell from {before} to {now}; it passes at {} or more, `evenhand diff` tells \
                 what is new",
                before - most
            )),
            (Some(_), Some(_)) => {}
            (None, _) => reasons.push(format!("--max-drop {most}: the report of --against has no score")),
            (_, None) => reasons.push(format!("--max-drop {most}: there is no score")),
        }
    }
    if let Some(most) = settings.max_excess {
        let over = confidence.over(most, settings.min_confidence);
        if let Some((name, excess)) = over.first() {
            let others = over.len() - 1;
            let rest = match others {
                0 => String::new(),
                1 => ", and 1 more identity is over the limit".to_owned(),
                _ => format!(", and {others} more identities are over the limit"),
            };
            reasons.push(format!(
                "--max-excess {most}: `{}` holds {excess} operations that its human role does not cover{rest}; it passes when \
                 the excess is removed or the role is shown to need it",
                evenhand_reports::text::printable(name),
            ));
        }
    }
    if let Some(least) = settings.min_coverage {
        match posture.coverage {
            Some(coverage) if coverage >= u64::from(least) => {}
            Some(coverage) => reasons.push(format!(
                "--min-coverage {least}: {coverage}% of the rule results are decided; it passes with the documents that \
                 the gaps and the undecided findings name"
            )),
            None => reasons.push(format!("--min-coverage {least}: how many rule results are decided is not known")),
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
        return String::new();
    };
    let mut rules: BTreeMap<&str, BTreeSet<&IdentityId>> = BTreeMap::new();
    for finding in findings.iter().filter(counts).filter(|finding| finding.severity == worst) {
        rules.entry(finding.rule.as_str()).or_default().insert(&finding.identity);
    }
    let rules: BTreeMap<&str, usize> = rules.into_iter().map(|(rule, held)| (rule, held.len())).collect();
    let count: usize = rules.values().sum();
    let mut rules: Vec<(&str, usize)> = rules.into_iter().collect();
    rules.sort_by_key(|(rule, count)| (std::cmp::Reverse(*count), *rule));
    let named: Vec<String> = rules.iter().take(3).map(|(rule, count)| format!("{count} × {rule}")).collect();
    let rest = and_more(rules.len().saturating_sub(3));
    let band = match line > ceiling(worst) {
        true => format!(", and no more than {} while anything {worst} is open", ceiling(worst).thousandths()),
        false => String::new(),
    };
    format!("{band}; resolve the {count} {worst} first: {}{rest}", named.join(", "))
}

fn and_more(rules: usize) -> String {
    if rules > 0 { format!(" and {}", counted(rules, "more rule", "more rules")) } else { String::new() }
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
