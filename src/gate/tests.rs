//! The gate's decisions, one promise each.

use std::sync::Arc;

use evenhand_model::fact_table;
use evenhand_model::finding::{Dimension, Status};
use evenhand_model::id::ProviderName;
use evenhand_model::score::{Millionths, Mover, OpenFindings};
use evenhand_model::table::Row as _;

use super::tripped::rests_on_baseline;
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
        waiver: None,
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
        unfinished: false,
        identity_count: 1,
        ai_count: 1,
        possible_agents: 0,
        rule_errors: false,
        rules: Box::leak(Box::new(RuleSet::embedded().rules)),
        before: Box::leak(Box::default()),
        places: Box::leak(Box::default()),
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
        facts: Vec::new(),
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
fn what_is_spared_because_its_baseline_is_a_guess_is_counted_beside_what_trips() {
    let (table, score) = (sample(0.5, "mined", None), score(900));
    let guessed = finding(&parity_rule(), Severity::Critical, Status::Fail);
    let sure = finding("r", Severity::Critical, Status::Fail);
    let settings = GateSettings { fail_on: Some(Severity::Low), ..GateSettings::default() };
    for (findings, said) in [
        (vec![sure.clone()], None),
        (vec![sure.clone(), guessed.clone()], Some("; 1 more rests on a guessed human role and does not count")),
        (vec![sure, guessed.clone(), guessed], Some("; 2 more rest on a guessed human role and do not count")),
    ] {
        let case = Case { findings: &findings, identities: &table, score: &score, gaps: &[] };
        let reasons = decide(&settings, &posture(&case)).reasons;
        assert!(reasons[0].contains(": 1 finding of low or worse: "), "{reasons:?}");
        match said {
            Some(said) => assert!(reasons[0].ends_with(said), "{reasons:?}"),
            None => assert!(!reasons[0].contains("guessed"), "{reasons:?}"),
        }
    }
}

#[test]
fn how_a_gate_is_passed_is_a_fact_whoever_does_the_job() {
    let (table, score) = (sample(0.3, "generic", None), score(900));
    let settings = GateSettings { fail_on: Some(Severity::Low), ..GateSettings::default() };
    for (way, expected) in [("listed", Exit::GateFailed), ("", Exit::Passed)] {
        let facts = vec![("way".into(), way.to_owned())];
        let findings = [Finding { facts, ..finding("gate-lets-agent-past", Severity::Critical, Status::Fail) }];
        let case = Case { findings: &findings, identities: &table, score: &score, gaps: &[] };
        assert_eq!(exit(settings, &case), expected, "{way}");
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
    assert_eq!(reasons, ["--min-score 700: the governed score is 640; resolving `r` alone gives 1000"]);
}

#[test]
fn nothing_is_held_against_a_score_that_is_not_known_and_that_is_incomplete() {
    let (table, score) = (sample(1.0, "configured", None), score(1000));
    let case = Case { findings: &[], identities: &table, score: &score, gaps: &[] };
    let before = Before { score: Some(Millionths(560_000)), ..Before::default() };
    let none = GateSettings::default();
    for (settings, said) in [
        (GateSettings { min_score: Some(1), ..none }, "incomplete: --min-score has nothing to be compared with"),
        (GateSettings { max_drop: Some(1), ..none }, "incomplete: --max-drop has nothing to be compared with"),
    ] {
        let posture = Posture { score: None, before: &before, ..posture(&case) };
        let decision = decide(&settings, &posture);
        assert_eq!(decision.exit, Exit::Incomplete);
        assert!(decision.reasons[0].starts_with(said), "{:?}", decision.reasons);
        let allowed = decide(&GateSettings { allow_partial: true, ..settings }, &posture);
        assert_eq!((allowed.exit, allowed.warnings.len()), (Exit::Passed, 1));
    }
    let unasked = GateSettings { fail_on: Some(Severity::Low), ..none };
    assert_eq!(decide(&unasked, &Posture { score: None, ..posture(&case) }).exit, Exit::Passed);
}

#[test]
fn what_was_there_before_trips_nothing_where_only_the_new_counts() {
    let (table, score) = (sample(1.0, "configured", None), score(500));
    let findings = [finding("r", Severity::High, Status::Fail)];
    let case = Case { findings: &findings, identities: &table, score: &score, gaps: &[] };
    let known =
        Before { findings: BTreeMap::from([("f".to_owned(), Severity::High)]), score: Some(Millionths(560_000)) };
    let milder = Before { findings: BTreeMap::from([("f".to_owned(), Severity::Medium)]), score: None };
    let none = GateSettings::default();
    let new_only = GateSettings { fail_on: Some(Severity::High), new_only: true, ..none };
    for (settings, before, expected) in [
        (new_only, &known, Exit::Passed),
        (new_only, &milder, Exit::GateFailed),
        (new_only, &Before::default(), Exit::GateFailed),
        (GateSettings { new_only: false, ..new_only }, &known, Exit::GateFailed),
        (GateSettings { max_drop: Some(60), ..none }, &known, Exit::Passed),
        (GateSettings { max_drop: Some(59), ..none }, &known, Exit::GateFailed),
        (
            GateSettings { max_drop: Some(0), ..none },
            &Before { score: Some(Millionths(400_000)), ..known.clone() },
            Exit::Passed,
        ),
        (GateSettings { max_drop: Some(59), ..none }, &Before::default(), Exit::GateFailed),
        // What is cut off for people counts: 500.001 fell, and half of a thousandth is less than one.
        (
            GateSettings { max_drop: Some(0), ..none },
            &Before { score: Some(Millionths(500_001)), ..known.clone() },
            Exit::GateFailed,
        ),
        (
            GateSettings { max_drop: Some(1), ..none },
            &Before { score: Some(Millionths(500_500)), ..known.clone() },
            Exit::Passed,
        ),
        (
            GateSettings { max_drop: Some(1), ..none },
            &Before { score: Some(Millionths(501_001)), ..known.clone() },
            Exit::GateFailed,
        ),
    ] {
        assert_eq!(decide(&settings, &Posture { before, ..posture(&case) }).exit, expected, "{settings:?}");
    }
}

#[test]
fn what_somebody_accepted_trips_nothing() {
    let (table, score) = (sample(1.0, "configured", None), score(500));
    let mut findings = [finding("r", Severity::High, Status::Fail)];
    findings[0].waiver = Some(Arc::new(evenhand_model::waiver::Waiver {
        rule: "r".into(),
        identity: "agent".into(),
        reason: "leaves in spring".into(),
        owner: "alice".into(),
        approver: "bao".into(),
        ticket: "SEC-1".into(),
        expires: jiff::civil::date(2027, 1, 31),
        evidence: evenhand_model::evidence::Evidence::whole("waivers.toml"),
    }));
    let case = Case { findings: &findings, identities: &table, score: &score, gaps: &[] };
    let settings = GateSettings { fail_on: Some(Severity::High), ..GateSettings::default() };
    assert_eq!(exit(settings, &case), Exit::Passed);
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
    let unfinished = decide(&GateSettings::default(), &Posture { unfinished: true, ..posture(&case) });
    assert_eq!(unfinished.exit, Exit::Incomplete, "without a gate, too");
    assert!(unfinished.reasons[0].contains("did not come to its end (1 gap: `a.json`); "), "{unfinished:?}");
    let allowed = GateSettings { allow_partial: true, ..GateSettings::default() };
    let let_pass = decide(&allowed, &Posture { unfinished: true, ..posture(&case) });
    assert_eq!((let_pass.exit, let_pass.reasons.len()), (Exit::Passed, 0));
    assert!(let_pass.warnings[0].contains("did not come to its end (1 gap: `a.json`)"), "{let_pass:?}");
    let nobody = Posture { identity_count: 0, ..posture(&case) };
    assert_eq!(decide(&asked, &nobody).exit, Exit::NothingCollected);
    let broken = Posture { rule_errors: true, ..posture(&case) };
    assert_eq!(decide(&asked, &broken).exit, Exit::Error);
}

#[test]
fn evidence_that_was_refused_stops_a_gate_by_name_and_what_was_never_collected_does_not() {
    let (table, score) = (sample(1.0, "configured", None), score(900));
    let gap = |kind, call: &str| Gap {
        scope: Some("111122223333".into()),
        kind,
        call: call.into(),
        reason: "the call was refused: AccessDenied; grant it".into(),
        ..failed_gap()
    };
    let refused: Vec<Gap> = ["one", "two", "three", "four"].map(|call| gap(GapKind::Failed, call)).into();
    let absent = [gap(GapKind::NotCollected, "five")];
    let asked = GateSettings { min_score: Some(5), ..GateSettings::default() };
    let case = |gaps| Case { findings: &[], identities: &table, score: &score, gaps };
    assert_eq!(exit(asked, &case(absent.as_slice())), Exit::Passed);
    assert_eq!(exit(GateSettings { allow_partial: true, ..asked }, &case(refused.as_slice())), Exit::Passed);
    let decision = decide(&asked, &posture(&case(refused.as_slice())));
    assert_eq!(decision.exit, Exit::Incomplete);
    let said = "(4 gaps: `one` of 111122223333: the call was refused: AccessDenied; `two` of";
    assert!(
        decision.reasons[0].contains(said) && decision.reasons[0].contains("; and 1 more, which the report lists)"),
        "{decision:?}"
    );
}

#[test]
fn what_keeps_the_score_below_the_line_is_named_first() {
    let table = sample(1.0, "configured", None);
    let open = OpenFindings { critical: 2, high: 5, medium: 0, low: 0 };
    let score = Score { open, moved_by: Vec::new(), ..score(13) };
    let findings = [
        finding("b", Severity::Critical, Status::Fail),
        finding("a", Severity::Critical, Status::Fail),
        finding("h", Severity::High, Status::Fail),
        finding("u", Severity::Critical, Status::Unknown),
    ];
    let case = Case { findings: &findings, identities: &table, score: &score, gaps: &[] };
    let at_least = |least| GateSettings { min_score: Some(least), ..GateSettings::default() };
    assert_eq!(
        decide(&at_least(700), &posture(&case)).reasons,
        [
            "--min-score 700: the governed score is 13, and no more than 399 while anything critical is open; resolve what \
             is critical first: a (1 identity), b (1 identity)"
        ]
    );
    // A line that the severity allows is reached from the worst down all the same.
    assert_eq!(
        decide(&at_least(300), &posture(&case)).reasons,
        ["--min-score 300: the governed score is 13; resolve what is critical first: a (1 identity), b (1 identity)"]
    );
}

#[test]
fn every_reason_says_what_tripped_where_it_was_asked_for_and_what_would_pass() {
    let (table, score) = (sample(1.0, "configured", Some(4)), score(640));
    let findings = [finding("r", Severity::High, Status::Fail), finding("r", Severity::High, Status::Unknown)];
    let case = Case { findings: &findings, identities: &table, score: &score, gaps: &[] };
    let mut places = Places::default();
    places.note(Condition::MinScore, "evenhand.toml:3");
    let before = Before { score: Some(Millionths(700_000)), ..Before::default() };
    let none = GateSettings::default();
    for (settings, said) in [
        (
            GateSettings { fail_on: Some(Severity::High), ..none },
            "--fail-on high: 1 finding of high or worse: 1 × r (high); it passes when these are resolved or waived",
        ),
        (
            GateSettings { fail_on: Some(Severity::Low), strict: true, ..none },
            "--fail-on low: 2 findings of low or worse, 1 of them undecided: 2 × r (high); it passes when these are \
             resolved or waived, and what is undecided is decided",
        ),
        (
            GateSettings { min_score: Some(700), ..none },
            "min_score = 700 (evenhand.toml:3): the governed score is 640; resolving `r` alone gives 1000",
        ),
        (
            GateSettings { max_drop: Some(10), ..none },
            "--max-drop 10: the governed score fell from 700 to 640; it passes at 690 or more, `evenhand diff` tells what is \
             new",
        ),
        (
            GateSettings { max_excess: Some(3), ..none },
            "--max-excess 3: `agent` holds 4 operations that its human role does not cover; it passes when the excess is \
             removed or the role is shown to need it",
        ),
        (
            GateSettings { min_coverage: Some(81), ..none },
            "--min-coverage 81: 80% of the rule results are decided; it passes at 81% or more, with the documents that the \
             gaps and the undecided findings name",
        ),
    ] {
        let posture = Posture { places: &places, before: &before, ..posture(&case) };
        assert_eq!(decide(&settings, &posture).reasons, [said], "{settings:?}");
    }
}

#[test]
fn a_score_of_nobody_is_no_pass() {
    let (table, score) = (sample(1.0, "configured", None), score(1000));
    let case = Case { findings: &[], identities: &table, score: &score, gaps: &[] };
    let none = GateSettings::default();
    for (settings, exit, warned) in [
        (none, Exit::Passed, false),
        (GateSettings { min_score: Some(1), ..none }, Exit::Incomplete, false),
        (GateSettings { max_excess: Some(1), ..none }, Exit::Incomplete, false),
        (GateSettings { min_score: Some(1), allow_partial: true, ..none }, Exit::Passed, true),
        (GateSettings { fail_on: Some(Severity::Low), ..none }, Exit::Passed, true),
    ] {
        let nobody = Posture { ai_count: 0, possible_agents: 2, ..posture(&case) };
        let decision = decide(&settings, &nobody);
        assert_eq!((decision.exit, !decision.warnings.is_empty()), (exit, warned), "{settings:?}");
        let said = decision.reasons.iter().chain(&decision.warnings).all(|line| line.contains("2 identities may be"));
        assert!(said, "{decision:?}");
        assert_eq!(decide(&settings, &posture(&case)).exit, Exit::Passed, "{settings:?}");
    }
}
