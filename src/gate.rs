//! The gate: whether a pipeline may go on. Decided once, after everything is written, whatever the formats are.

use std::collections::BTreeMap;

use evenhand_model::finding::{Finding, Severity, Status};
use evenhand_model::gap::{Gap, GapKind};
use evenhand_model::score::{Millionths, Score};
use evenhand_model::table::{Table, Value};
use evenhand_rules::pack::{Rule, RuleSet};

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

/// What is asked of the posture.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct GateSettings {
    /// Any finding of this severity or worse fails.
    pub fail_on: Option<Severity>,
    /// The lowest governed score that passes, in thousandths.
    pub min_score: Option<u32>,
    /// The largest number of excess operations that one AI identity may hold.
    pub max_excess: Option<u64>,
    /// The lowest share of decided rule results, in percent.
    pub min_coverage: Option<u8>,
    /// The lowest confidence of a baseline at which findings that rest on it count.
    pub min_confidence: f64,
    /// Whether undecided findings count like failed ones.
    pub strict: bool,
    /// Whether missing evidence is allowed.
    pub allow_partial: bool,
    /// Whether a failed gate still exits 0.
    pub exit_zero: bool,
}

impl Default for GateSettings {
    fn default() -> Self {
        Self {
            fail_on: None,
            min_score: None,
            max_excess: None,
            min_coverage: None,
            min_confidence: Self::CONFIDENCE,
            strict: false,
            allow_partial: false,
            exit_zero: false,
        }
    }
}

impl GateSettings {
    /// Baselines below this confidence are guesses: a group of the same function has it, mined permissions do not.
    pub const CONFIDENCE: f64 = 0.7;

    /// Whether anything is asked.
    pub fn is_asked(&self) -> bool {
        self.fail_on.is_some() || self.min_score.is_some() || self.max_excess.is_some() || self.min_coverage.is_some()
    }
}

/// What the gate looks at: never what report filters left of it.
#[derive(Clone, Copy, Debug)]
pub struct Posture<'a> {
    /// All findings, worst first.
    pub findings: &'a [Finding],
    /// The score.
    pub score: Option<&'a Score>,
    /// Decided rule results in percent.
    pub coverage: Option<u64>,
    /// The fact table of identities.
    pub identities: Option<&'a Table>,
    /// What could not be read.
    pub gaps: &'a [Gap],
    /// Whether some source could not be read at all.
    pub unreadable_source: bool,
    /// The number of identities.
    pub identity_count: usize,
    /// Whether some rule could not be evaluated.
    pub rule_errors: bool,
    /// The rules that were evaluated.
    pub rules: &'a RuleSet,
}

/// The gate's decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// The exit.
    pub exit: Exit,
    /// What tripped it, and what would pass, a line each; for people, on stderr.
    pub reasons: Vec<String>,
}

/// Decides.
pub fn decide(settings: &GateSettings, posture: &Posture<'_>) -> Decision {
    let mut reasons = Vec::new();
    if posture.rule_errors {
        reasons.push("some rule could not be evaluated; the posture is not known, see the errors above".to_owned());
        return Decision { exit: Exit::Error, reasons };
    }
    if posture.identity_count == 0 {
        reasons.push("no identity was found in these sources".to_owned());
        return Decision { exit: Exit::NothingCollected, reasons };
    }
    let tripped = tripped(settings, posture);
    let failed = !tripped.is_empty();
    reasons.extend(tripped);
    let broken = posture.gaps.iter().filter(|gap| gap.kind == GapKind::Failed).count();
    if !settings.allow_partial && (posture.unreadable_source || (settings.is_asked() && broken > 0)) {
        let what = if posture.unreadable_source { "a source could not be read" } else { "evidence could not be read" };
        reasons.push(format!(
            "incomplete: {what} ({broken} {}); mend the input, or allow it with --allow-partial",
            if broken == 1 { "gap" } else { "gaps" }
        ));
        return Decision { exit: Exit::Incomplete, reasons };
    }
    let exit = if failed && !settings.exit_zero { Exit::GateFailed } else { Exit::Passed };
    Decision { exit, reasons }
}

fn tripped(settings: &GateSettings, posture: &Posture<'_>) -> Vec<String> {
    let confidence = Confidence::new(posture.identities);
    let mut reasons = Vec::new();
    if let Some(level) = settings.fail_on {
        let mut counted: BTreeMap<&str, (Severity, usize)> = BTreeMap::new();
        for finding in posture.findings.iter().filter(|finding| finding.severity >= level) {
            if finding.status == Status::Unknown && !settings.strict {
                continue;
            }
            if confidence.is_doubtful(finding, posture.rules, settings.min_confidence) {
                continue;
            }
            counted.entry(finding.rule.as_str()).or_insert((finding.severity, 0)).1 += 1;
        }
        let total: usize = counted.values().map(|(_, count)| count).sum();
        if total > 0 {
            let mut rules: Vec<(&str, (Severity, usize))> = counted.into_iter().collect();
            rules.sort_by_key(|(rule, (severity, count))| (std::cmp::Reverse((*severity, *count)), *rule));
            let named: Vec<String> = rules
                .iter()
                .take(3)
                .map(|(rule, (severity, count))| format!("{count} × {rule} ({severity})"))
                .collect();
            let more = rules.len().saturating_sub(3);
            let rest = if more > 0 { format!(" and {more} more rules") } else { String::new() };
            reasons.push(format!(
                "--fail-on {level}: {} of {level} or worse: {}{rest}; it passes when these are resolved",
                if total == 1 { "1 finding".to_owned() } else { format!("{total} findings") },
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
                    "--min-score {least}: the score is {}{}",
                    score.governed.thousandths(),
                    movers(score, least)
                ));
            }
            Some(_) => {}
            None => reasons.push(format!("--min-score {least}: there is no score")),
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
                "--max-excess {most}: `{}` holds {excess} operations that its human role does not{rest}; it passes when \
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

/// What would lift the score over the line.
fn movers(score: &Score, least: u32) -> String {
    let enough = score.moved_by.iter().find(|mover| mover.fixed >= Millionths(least.saturating_mul(1000)));
    match (enough, score.moved_by.first()) {
        (Some(mover), _) => format!("; resolving `{}` alone gives {}", mover.rule, mover.fixed.thousandths()),
        (None, Some(mover)) => format!(
            "; no single rule lifts it over the line, resolving `{}` first gives {}",
            mover.rule,
            mover.fixed.thousandths()
        ),
        (None, None) => String::new(),
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

    /// Whether a finding rests on a baseline that is only a guess.
    fn is_doubtful(&self, finding: &Finding, rules: &RuleSet, least: f64) -> bool {
        rules.get(finding.rule.as_str()).is_some_and(rests_on_baseline)
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
fn rests_on_baseline(rule: &Rule) -> bool {
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use evenhand_model::fact_table;
    use evenhand_model::finding::Dimension;
    use evenhand_model::id::ProviderName;
    use evenhand_model::score::{Mover, OpenFindings};
    use evenhand_model::table::Row as _;

    use super::*;

    fact_table! {
        #[table("identities", "identity")]
        /// The columns that the gate reads.
        struct Sample {
            /// Id.
            id: Arc<str>,
            /// Name.
            name: Arc<str>,
            /// Verdict.
            verdict: Option<Arc<str>>,
            /// Confidence.
            baseline_confidence: f64,
            /// Source.
            baseline_source: Arc<str>,
            /// Excess.
            excess_operations: Option<i64>,
        }
    }

    fn sample(confidence: f64, source: &str, excess: Option<i64>) -> Table {
        Sample::table(vec![Sample {
            id: "agent".into(),
            name: "agent".into(),
            verdict: Some("EXCESS".into()),
            baseline_confidence: confidence,
            baseline_source: source.into(),
            excess_operations: excess,
        }])
    }

    fn finding(rule: &str, severity: Severity, status: Status) -> Finding {
        Finding {
            id: "f".into(),
            rule: rule.into(),
            severity,
            dimension: Dimension::Access,
            status,
            provider: ProviderName("aws"),
            scope: "1".into(),
            identity: "agent".into(),
            name: "agent".into(),
            title: String::new(),
            facts: Vec::new(),
            evidence: Vec::new(),
            remedy: "".into(),
            missing: Arc::default(),
            frameworks: Arc::from([]),
        }
    }

    fn score(thousandths: u32) -> Score {
        Score {
            raw: Millionths(thousandths * 1000),
            governed: Millionths(thousandths * 1000),
            exposure: None,
            open: OpenFindings::default(),
            moved_by: vec![Mover { rule: "r".into(), open: 1, fixed: Millionths(1_000_000) }],
        }
    }

    struct Case<'a> {
        findings: &'a [Finding],
        identities: &'a Table,
        score: &'a Score,
        gaps: &'a [Gap],
    }

    fn exit(settings: GateSettings, case: &Case<'_>) -> Exit {
        decide(&settings, &posture(case)).exit
    }

    fn posture<'a>(case: &Case<'a>) -> Posture<'a> {
        Posture {
            findings: case.findings,
            score: Some(case.score),
            coverage: Some(80),
            identities: Some(case.identities),
            gaps: case.gaps,
            unreadable_source: false,
            identity_count: 1,
            rule_errors: false,
            rules: Box::leak(Box::new(RuleSet::embedded().rules)),
        }
    }

    fn parity_rule() -> String {
        let rules = RuleSet::embedded().rules;
        let rule = rules.iter().find(|rule| rests_on_baseline(rule)).unwrap();
        rule.id.as_str().to_owned()
    }

    fn failed_gap() -> Gap {
        Gap {
            provider: None,
            scope: None,
            kind: GapKind::Failed,
            call: "a.json".into(),
            reason: "".into(),
            facts: "".into(),
        }
    }

    #[test]
    fn a_level_and_worse_trips_and_unknown_only_under_strict_evidence() {
        let (table, score) = (sample(1.0, "configured", None), score(900));
        let on = |level| GateSettings { fail_on: Some(level), ..GateSettings::default() };
        for (severity, status, settings, expected) in [
            (Severity::High, Status::Fail, on(Severity::High), Exit::GateFailed),
            (Severity::Critical, Status::Fail, on(Severity::High), Exit::GateFailed),
            (Severity::Medium, Status::Fail, on(Severity::High), Exit::Passed),
            (Severity::High, Status::Unknown, on(Severity::High), Exit::Passed),
            (Severity::High, Status::Unknown, GateSettings { strict: true, ..on(Severity::High) }, Exit::GateFailed),
            (Severity::High, Status::Fail, GateSettings { exit_zero: true, ..on(Severity::High) }, Exit::Passed),
            (Severity::Critical, Status::Fail, GateSettings::default(), Exit::Passed),
        ] {
            let findings = [finding("r", severity, status)];
            let case = Case { findings: &findings, identities: &table, score: &score, gaps: &[] };
            assert_eq!(exit(settings, &case), expected, "{severity} {status:?} {settings:?}");
        }
    }

    #[test]
    fn a_guessed_baseline_trips_nothing_and_a_missing_one_does() {
        let score = score(900);
        let findings = [finding(&parity_rule(), Severity::Critical, Status::Fail)];
        let settings = GateSettings { fail_on: Some(Severity::Low), max_excess: Some(3), ..GateSettings::default() };
        for (confidence, source, expected) in
            [(0.5, "mined", Exit::Passed), (0.7, "same_function", Exit::GateFailed), (0.0, "none", Exit::GateFailed)]
        {
            let table = sample(confidence, source, Some(9));
            let case = Case { findings: &findings, identities: &table, score: &score, gaps: &[] };
            assert_eq!(exit(settings, &case), expected, "{source}");
        }
    }

    #[test]
    fn excess_score_and_coverage_have_lines_of_their_own() {
        let (table, score) = (sample(1.0, "configured", Some(4)), score(640));
        let case = Case { findings: &[], identities: &table, score: &score, gaps: &[] };
        let none = GateSettings::default();
        for (settings, expected) in [
            (GateSettings { max_excess: Some(3), ..none }, Exit::GateFailed),
            (GateSettings { max_excess: Some(4), ..none }, Exit::Passed),
            (GateSettings { min_score: Some(641), ..none }, Exit::GateFailed),
            (GateSettings { min_score: Some(640), ..none }, Exit::Passed),
            (GateSettings { min_coverage: Some(81), ..none }, Exit::GateFailed),
            (GateSettings { min_coverage: Some(80), ..none }, Exit::Passed),
        ] {
            assert_eq!(exit(settings, &case), expected, "{settings:?}");
        }
        let reasons = decide(&GateSettings { min_score: Some(700), ..none }, &posture(&case)).reasons;
        assert_eq!(reasons, ["--min-score 700: the score is 640; resolving `r` alone gives 1000"]);
    }

    #[test]
    fn missing_evidence_goes_before_a_failed_gate_and_is_never_hidden() {
        let (table, score, gaps) = (sample(1.0, "configured", None), score(900), [failed_gap()]);
        let findings = [finding("r", Severity::High, Status::Fail)];
        let case = Case { findings: &findings, identities: &table, score: &score, gaps: &gaps };
        let asked = GateSettings { fail_on: Some(Severity::High), ..GateSettings::default() };
        assert_eq!(exit(asked, &case), Exit::Incomplete);
        assert_eq!(exit(GateSettings { exit_zero: true, ..asked }, &case), Exit::Incomplete);
        assert_eq!(exit(GateSettings { allow_partial: true, ..asked }, &case), Exit::GateFailed);
        assert_eq!(exit(GateSettings::default(), &case), Exit::Passed);
        let unreadable = Posture { unreadable_source: true, ..posture(&case) };
        assert_eq!(decide(&GateSettings::default(), &unreadable).exit, Exit::Incomplete);
        let nobody = Posture { identity_count: 0, ..posture(&case) };
        assert_eq!(decide(&asked, &nobody).exit, Exit::NothingCollected);
        let broken = Posture { rule_errors: true, ..posture(&case) };
        assert_eq!(decide(&asked, &broken).exit, Exit::Error);
    }
}
