//! Every format writes the same small, hostile report as it did before.
#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "a test that cannot set up its input has failed")]

use std::collections::BTreeMap;
use std::sync::Arc;

use evenhand_model::access::Grant;
use evenhand_model::catalog::AccessLevel;
use evenhand_model::control::{ControlKind, Way};
use evenhand_model::evidence::{Evidence, Truth};
use evenhand_model::fact_table;
use evenhand_model::finding::{Dimension, Finding, Missing, Severity, Status};
use evenhand_model::gap::{Gap, GapKind, Lost, Subject, to_know};
use evenhand_model::id::ProviderName;
use evenhand_model::identity::Nature;
use evenhand_model::inventory::Hint;
use evenhand_model::parity::{
    Baseline, BaselineSource, Comparison, ControlComparison, ExcessAtom, GateComparison, Verdict,
};
use evenhand_model::score::{Millionths, Mover, OpenFindings, Score};
use evenhand_model::table::Row as _;
use evenhand_model::waiver::Waiver;
use evenhand_reports::evidence_folder::EvidenceFolder;
use evenhand_reports::report::{
    Coverage, Levelled, PossibleAgent, Report, RuleOutcome, Scan, Settings, SourceFile, SourceStatus, Tool,
};
use evenhand_reports::{asff, csv, json, junit, markdown, ocsf, oscal, parity_card, sarif, schema, terminal};

fact_table! {
    #[table("identities", "identity")]
    /// The columns that the terminal reads.
    struct IdentityRow {
        /// The id.
        id: Arc<str>,
        /// The name.
        name: Arc<str>,
        /// The scope.
        scope: Arc<str>,
        /// The nature.
        nature: Arc<str>,
        /// Days idle.
        idle_days: Option<i64>,
    }
}

const HOSTILE: &str = "=HYPERLINK(\"x\")\u{1b}]8;;http://evil\u{7}\u{202e}bot";

fn report() -> Report {
    let identity = |id: &str, name: &str, nature: &str, idle_days| IdentityRow {
        id: id.into(),
        name: name.into(),
        scope: "prod".into(),
        nature: nature.into(),
        idle_days,
    };
    let evidence = Evidence::pointer("dump.json", "/RoleDetailList/3");
    Report {
        tool: Tool { name: "evenhand", version: "0.0.0".into(), rules: 2, rule_pack: String::new(), catalogs: vec![] },
        scan: Scan {
            id: "0123456789abcdef".to_owned(),
            time: "2026-01-02T03:04:05Z".parse().expect("a time"),
            sources: vec![
                SourceFile {
                    path: "dump.json".into(),
                    status: SourceStatus::Read,
                    provider: Some("cloud"),
                    what: "identities".into(),
                    bytes: 10,
                },
                SourceFile {
                    path: "notes.json".into(),
                    status: SourceStatus::Unrecognised,
                    provider: None,
                    what: "no provider knows such a document".into(),
                    bytes: 3,
                },
            ],
        },
        score: Some(Score {
            raw: Millionths(199_999),
            governed: Millionths(199_999),
            exposure: Some(Millionths(333_333)),
            open: OpenFindings { critical: 1, high: 0, medium: 0, low: 1 },
            moved_by: vec![Mover { rule: "excess-high-risk".into(), open: 1, fixed: Millionths(999_000) }],
        }),
        tables: vec![IdentityRow::table(vec![
            identity("agent/a", HOSTILE, "ai_agent", Some(3)),
            identity("role/ops", "ops", "human_role", None),
        ])],
        comparisons: vec![Comparison {
            identity: "agent/a".into(),
            verdict: Verdict::Excess,
            summary: "holds 1 operation that ops does not, 1 of high risk".to_owned(),
            baseline: Baseline {
                roles: vec!["role/ops".into()],
                name: "ops".into(),
                source: BaselineSource::Configured,
                reason: "job `incident-response` in evenhand.toml".into(),
            },
            operations: Some(12),
            access_weight: Some(40),
            human_operations: Some(11),
            human_weight: Some(32),
            excess: vec![ExcessAtom {
                operation: "iam:PassRole".into(),
                operations: 1,
                level: AccessLevel::PermissionManagement,
                scope: "*".into(),
                condition: "".into(),
                weight: 13,
                high_risk: 1,
                used: None,
                grant: Arc::new(Grant {
                    policy: "inline policy deploy".into(),
                    statement: Some(2),
                    name: "".into(),
                    evidence: evidence.clone(),
                }),
                decided: true,
                people_have: Some("on role/ci-* if mfa".into()),
            }],
            excess_operations: 1,
            wider_operations: 1,
            excess_weight: 13,
            high_risk_excess: 1,
            undecided_operations: 0,
            coverage: Some(0.84),
            controls: vec![ControlComparison {
                control: ControlKind::Mfa,
                operations: vec!["ec2:TerminateInstances".into()],
                count: 1,
                resource: "*".into(),
                human: Truth::Yes,
                identity: Truth::No,
                way: None,
                reason: "".into(),
                evidence: Vec::new(),
            }],
            doubts: vec![],
        }],
        findings: vec![
            Finding {
                id: "00000000000000aa".into(),
                rule: "excess-high-risk".into(),
                severity: Severity::Critical,
                dimension: Dimension::Access,
                status: Status::Fail,
                provider: ProviderName("cloud"),
                scope: "prod".into(),
                identity: "agent/a".into(),
                name: HOSTILE.into(),
                title: format!("{HOSTILE} may do what ops may not"),
                facts: vec![("high_risk_excess".into(), "1".to_owned())],
                evidence: vec![evidence.clone()],
                remedy: "take iam:PassRole away".into(),
                missing: Arc::default(),
                frameworks: vec![(Arc::from("owasp_nhi_2025"), Arc::from("NHI5:2025"))].into(),
                waiver: None,
            },
            Finding {
                id: "00000000000000ab".into(),
                rule: "not-logged".into(),
                severity: Severity::High,
                dimension: Dimension::Logging,
                status: Status::Unknown,
                provider: ProviderName("cloud"),
                scope: "prod".into(),
                identity: "agent/a".into(),
                name: HOSTILE.into(),
                title: format!("{HOSTILE}: not known is whether it is logged, so “Not logged” is open"),
                facts: vec![],
                evidence: vec![],
                remedy: "To know it: list trails in prod: not part of the capture.".into(),
                missing: [Missing {
                    column: "logged".into(),
                    what: "whether its scope has an audit log that is on".into(),
                    because: Some("no log was read".into()),
                }]
                .into(),
                frameworks: Arc::from([]),
                waiver: None,
            },
            Finding {
                id: "00000000000000ac".into(),
                rule: "excess-accepted".into(),
                severity: Severity::Medium,
                dimension: Dimension::Access,
                status: Status::Fail,
                provider: ProviderName("cloud"),
                scope: "prod".into(),
                identity: "agent/a".into(),
                name: HOSTILE.into(),
                title: format!("{HOSTILE} may do what ops may not"),
                facts: vec![("high_risk_excess".into(), "1".to_owned())],
                evidence: vec![evidence.clone()],
                remedy: "take iam:PassRole away".into(),
                missing: Arc::default(),
                frameworks: vec![(Arc::from("owasp_nhi_2025"), Arc::from("NHI5:2025"))].into(),
                waiver: Some(Arc::new(Waiver {
                    rule: "excess-accepted".into(),
                    identity: "agent/a".into(),
                    reason: HOSTILE.into(),
                    owner: "alice".into(),
                    approver: HOSTILE.into(),
                    ticket: "SEC-1".into(),
                    expires: jiff::civil::date(2026, 3, 31),
                    evidence: Evidence::line("waivers.toml", 1),
                })),
            },
        ],
        filtered: 1,
        gaps: vec![Gap {
            provider: Some(ProviderName("cloud")),
            scope: Some("prod".into()),
            kind: GapKind::NotCollected,
            call: "list trails".into(),
            reason: "not part of the capture".into(),
            facts: vec![Lost::of("logged", &[Subject::Logs])],
        }],
        hints: vec![Hint { evidence, message: "`s3:GetObjekt` is in no catalogue".into() }],
        possible_agents: vec![PossibleAgent {
            identity: "role/bot".into(),
            hint: "its name holds the word `bot`".into(),
        }],
        coverage: Coverage {
            files_read: 1,
            files_unrecognised: 1,
            identities: 2,
            natures: vec![("human_role", 1), ("ai_agent", 1)],
            verdicts: vec![("EXCESS", 1)],
            rules: 2,
            decided: 3,
            undecided: 1,
            ..Coverage::default()
        },
        rules: vec![
            rule("excess-high-risk", "Holds what the human role does not", Severity::Critical, (0, 1, 0)),
            rule("no-owner", "Nobody answers for it", Severity::High, (2, 0, 0)),
            rule("not-logged", "Not logged", Severity::High, (0, 0, 1)),
            rule("not-met", "Judges nothing here", Severity::Low, (0, 0, 0)),
        ],
    }
}

fn rule(id: &str, title: &str, severity: Severity, counts: (u64, u64, u64)) -> RuleOutcome {
    RuleOutcome {
        id: id.into(),
        title: title.into(),
        severity,
        default_severity: severity,
        dimension: Dimension::Access,
        what: "Looks at the operations of the AI identity.".into(),
        why: "A second trust model for AI is what nobody decided on.".into(),
        fix: "Narrow the grants.\n- Remove `iam:PassRole`.".into(),
        frameworks: vec![
            ("owasp_nhi_2025".into(), "NHI5:2025".into()),
            ("nist_800_53_r5.2.0".into(), "AC-6(7)".into()),
        ],
        passed: counts.0,
        failed: counts.1,
        undecided: counts.2,
        error: None,
    }
}

fn written(write: impl FnOnce(&Report, &mut Vec<u8>)) -> String {
    let mut bytes = Vec::new();
    write(&report(), &mut bytes);
    String::from_utf8(bytes).expect("UTF-8")
}

fn plain(width: usize) -> terminal::Options {
    terminal::Options { width, color: false, limit: Some(20), every_file: false }
}

#[test]
fn terminal_wide() {
    insta::assert_snapshot!(written(|report, out| terminal::write(report, plain(120), out).expect("written")));
}

#[test]
fn terminal_narrow() {
    let text = written(|report, out| terminal::write(report, plain(60), out).expect("written"));
    assert!(text.lines().all(|line| unicode_width::UnicodeWidthStr::width(line) <= 60), "{text}");
    insta::assert_snapshot!(text);
}

/// Thirty AI identities with a finding each, half of them in line with people, and eight things that were not read.
fn large() -> Report {
    let mut report = report();
    let finding = report.findings[0].clone();
    let (comparison, gap) = (report.comparisons[0].clone(), report.gaps[0].clone());
    let id = |number: usize| format!("agent/bot-{number:02}");
    report.tables = vec![IdentityRow::table(
        (0..30)
            .map(|number| IdentityRow {
                id: id(number).as_str().into(),
                name: format!("bot-{number:02}").as_str().into(),
                scope: "prod".into(),
                nature: "ai_agent".into(),
                idle_days: None,
            })
            .collect(),
    )];
    let verdict = |number: usize| if number < 15 { Verdict::Excess } else { Verdict::Parity };
    let compared = |number: usize| Comparison {
        identity: id(number).as_str().into(),
        verdict: verdict(number),
        ..comparison.clone()
    };
    report.comparisons = (0..30).map(compared).collect();
    let found = |number: usize| Finding {
        rule: format!("rule-{:02}", number % 15).as_str().into(),
        severity: if number % 15 == 14 { Severity::Low } else { Severity::Critical },
        identity: id(number).as_str().into(),
        name: format!("bot-{number:02}").into(),
        title: format!("bot-{number:02} may do what ops may not"),
        ..finding.clone()
    };
    let undecided = report.findings[1].clone();
    report.findings = (0..30).map(found).chain([undecided]).collect();
    report.gaps = (0..8)
        .map(|number| Gap { call: format!("list things {number}").into(), ..gap.clone() })
        .chain([gap.clone()])
        .collect();
    report
}

fn table(report: &Report, options: terminal::Options) -> String {
    let mut bytes = Vec::new();
    terminal::write(report, options, &mut bytes).expect("written");
    String::from_utf8(bytes).expect("UTF-8")
}

#[test]
fn a_short_table_leaves_nothing_decisive_out_and_counts_the_rest() {
    let report = large();
    for width in [60, 80, 100, 160] {
        let text = table(&report, plain(width));
        let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(text.lines().all(|line| unicode_width::UnicodeWidthStr::width(line) <= width), "{text}");
        assert!(text.lines().count() < 200, "{} lines at {width}: {text}", text.lines().count());
        let identities = words.split("May be AI agents").next().unwrap_or_default();
        for number in 0..30 {
            assert!(identities.contains(&format!("bot-{number:02}")), "{number} at {width}: {text}");
        }
        // Fourteen rules are critical and two rows fail of each; the low one is a number.
        for number in 0..14 {
            assert!(words.contains(&format!("rule-{number:02} (2)")), "{number} at {width}: {text}");
        }
        for part in [
            "PARITY (15): bot-15 (prod) beside ops;",
            "… only named are 15 more; --all tells what differs",
            "… and 5 rules more, critical: rule-10 (2), rule-11 (2), rule-12 (2), rule-13 (2); low: 2 findings of 1 rule; --all",
            "to know it: close gap 1 below",
            "gap 1: in prod: list trails: not part of the capture",
            "… and 6 more; --all shows them",
        ] {
            assert!(words.contains(part), "{part} at {width}: {text}");
        }
        assert_eq!(words.matches("list trails").count(), 1, "{text}");
    }
}

#[test]
fn checks_that_lack_the_same_in_several_scopes_are_told_once() {
    let mut report = report();
    let (undecided, gap) = (report.findings.remove(1), report.gaps.remove(0));
    for scope in ["one", "two", "three"] {
        let gap = Gap { scope: Some(scope.into()), ..gap.clone() };
        let remedy = to_know(&[gap.remedy()]).into();
        report.findings.push(Finding { scope: scope.into(), remedy, ..undecided.clone() });
        report.gaps.push(gap);
    }
    let text = table(&report, plain(120));
    assert!(text.contains("\n  3 checks of not-logged\n      to know it: close gap 1 below\n\n"), "{text}");
    assert_eq!(text.matches("list trails").count(), 1, "{text}");
}

#[test]
fn each_gap_that_a_short_table_names_by_its_number_is_shown() {
    let mut report = report();
    let (undecided, gap) = (report.findings.remove(1), report.gaps.remove(0));
    let gaps = (0..12).map(|number| Gap { call: format!("list things {number}").into(), ..gap.clone() });
    report.gaps = gaps.collect();
    let waiting = |numbers: std::ops::Range<usize>| {
        let steps: Vec<String> = numbers.map(|number| report.gaps[number].remedy()).collect();
        Finding { remedy: to_know(&steps).into(), ..undecided.clone() }
    };
    let open = [waiting(0..2), waiting(0..2), waiting(2..4), waiting(4..10)];
    report.findings.extend(open);
    let text = table(&report, plain(120));
    for words in
        ["close gap 1 or 2 below\n", "close gap 3 or 4 below\n", "close gap 5, 6, 7 or 8 below; or one of 2 more"]
    {
        assert!(text.contains(words), "{words}: {text}");
    }
    for number in 1..=8 {
        assert!(
            text.contains(&format!("\n    gap {number}: in prod: list things {}: ", number - 1)),
            "{number}: {text}"
        );
    }
    assert!(text.contains("\n  … and 4 more; --all shows them\n"), "{text}");
    let whole = table(&report, terminal::Options { limit: None, ..plain(120) });
    assert!(whole.contains("close gap 5, 6, 7, 8, 9 or 10 below\n"), "{whole}");
}

#[test]
fn a_short_table_counts_identities_that_it_names_apart_from_those_that_it_does_not() {
    let mut report = large();
    let comparison = report.comparisons[0].clone();
    let compared = |number: usize| Comparison {
        identity: format!("agent/{number:03}").as_str().into(),
        verdict: if number < 30 { Verdict::Excess } else { Verdict::NoBaseline },
        ..comparison.clone()
    };
    report.comparisons = (0..90).map(compared).collect();
    let text = table(&report, plain(120));
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    for part in [
        "EXCESS (10 more): agent/020 beside ops;",
        "NO_BASELINE (60): agent/030 beside ops;",
        "; and 40 more … only named are 30 more, and only counted 40; --all tells what differs",
    ] {
        assert!(words.contains(part), "{part}: {text}");
    }
}

#[test]
fn one_file_of_text_for_people_is_one_in_the_whole_sentence() {
    let mut report = report();
    let notes = report.scan.sources[1].clone();
    report.scan.sources.push(SourceFile { path: "README.md".into(), ..notes });
    let text = table(&report, plain(160));
    let line =
        "1 file of text for people, no document of any provider; -v or -o json lists it among those not recognised";
    assert!(text.contains(line), "{text}");
}

#[test]
fn identities_of_one_name_are_told_apart_where_a_short_table_names_them() {
    let mut report = report();
    let finding = report.findings[0].clone();
    let row = |id: &str, scope: &str| IdentityRow {
        id: id.into(),
        name: "bot".into(),
        scope: scope.into(),
        nature: "ai_agent".into(),
        idle_days: None,
    };
    let bots = [("agent/1", "one"), ("agent/2", "two"), ("agent/3", "three"), ("agent/4", "three")];
    report.tables = vec![IdentityRow::table(bots.iter().map(|(id, scope)| row(id, scope)).collect())];
    let found = |(id, scope): (&str, &str), rule: &str| Finding {
        rule: rule.into(),
        identity: id.into(),
        name: "bot".into(),
        scope: scope.into(),
        ..finding.clone()
    };
    let mut findings: Vec<Finding> = bots.iter().map(|bot| found(*bot, "everywhere")).collect();
    findings.extend((0..10).map(|number| found(bots[0], &format!("rule-{number}"))));
    report.findings = findings;
    let text = table(&report, plain(120));
    assert!(text.contains("everywhere (4): bot (one), bot (two), agent/3, agent/4\n"), "{text}");
    assert!(text.contains("rule-0 (1): bot\n"), "{text}");
}

#[test]
fn a_whole_table_tells_each_finding_with_its_place_and_each_gap_once() {
    let report = large();
    let text = table(&report, terminal::Options { limit: None, ..plain(120) });
    assert!(!text.contains('…') && !text.contains("--all"), "{text}");
    for number in 0..30 {
        assert!(text.contains(&format!("bot-{number:02} may do what ops may not\n")), "{number}: {text}");
    }
    assert_eq!(text.matches("at dump.json#/RoleDetailList/3").count(), 30, "{text}");
    assert_eq!(text.matches("in prod: list t").count(), 9, "{text}");
}

/// A gate that people with write access must pass.
fn gates(comparison: &Comparison) -> Vec<GateComparison> {
    let control = ControlComparison {
        control: ControlKind::SecondPersonApproval,
        operations: vec!["git/push".into(), "pulls/merge".into()],
        count: 8,
        resource: "acme/shop/*".into(),
        human: Truth::Yes,
        identity: Truth::No,
        way: Some(Way::Listed),
        reason: "may bypass the ruleset `main` as an app".into(),
        evidence: vec![Evidence::whole("rules.json")],
    };
    let gate = |control| GateComparison {
        identity: comparison.identity.clone(),
        human_role: "github:acme:repository_role:write".into(),
        stands_before: Vec::new(),
        control,
    };
    let open = ControlComparison { identity: Truth::Unknown, ..control.clone() };
    let stopped = ControlComparison { identity: Truth::Yes, ..control.clone() };
    [control, open, stopped].map(gate).to_vec()
}

#[test]
fn parity_card() {
    insta::assert_snapshot!(written(|report, out| {
        parity_card::write(&report.comparisons[0], &gates(&report.comparisons[0]), Nature::AiAgent, plain(100), out)
            .expect("written");
    }));
}

#[test]
fn a_parity_card_tells_what_takes_a_gate_away_apart_from_what_people_pass_it_before() {
    for (human, identity, whether, does) in [
        (Truth::Yes, Truth::No, "", ", the AI identity takes it away"),
        (Truth::Yes, Truth::Unknown, "", ", the AI identity may take it away"),
        (Truth::Unknown, Truth::No, "whether ", " is not known; the AI identity can take it away"),
        (Truth::Unknown, Truth::Unknown, "whether ", " is not known; the AI identity may take it away"),
    ] {
        let text = written(|report, out| {
            let mut gate = gates(&report.comparisons[0]).remove(0);
            gate.stands_before = std::mem::take(&mut gate.control.operations);
            gate.control.operations = vec!["repos/update-repo-ruleset".into()];
            gate.control.count = 1;
            gate.control.human = human;
            gate.control.identity = identity;
            parity_card::write(&report.comparisons[0], &[gate], Nature::AiAgent, plain(400), out).expect("written");
        });
        let said = format!(
            "whatever the job: {whether}people with github:acme:repository_role:write pass second person approval before \
             git/push, pulls/merge on acme/shop/*{does} by repos/update-repo-ruleset: may bypass"
        );
        assert!(text.contains(&said), "{text}");
    }
}

#[test]
fn a_parity_card_calls_an_identity_what_it_is() {
    for (nature, head, sentence) in [
        (Nature::Workload, "  Workload ", ", the workload does not"),
        (Nature::Unknown, "  Identity ", ", the identity does not"),
    ] {
        let text = written(|report, out| {
            let (comparison, gates) = (&report.comparisons[0], gates(&report.comparisons[0]));
            parity_card::write(comparison, &gates, nature, plain(400), out).expect("written");
        });
        assert!(text.contains(head) && text.contains(sentence) && !text.contains("AI identity"), "{text}");
    }
}

#[test]
fn parity_card_narrow() {
    let text = written(|report, out| {
        parity_card::write(&report.comparisons[0], &gates(&report.comparisons[0]), Nature::AiAgent, plain(60), out)
            .expect("written");
    });
    assert!(text.lines().all(|line| unicode_width::UnicodeWidthStr::width(line) <= 60), "{text}");
    insta::assert_snapshot!(text);
}

#[test]
fn inventory_table() {
    insta::assert_snapshot!(written(|report, out| terminal::inventory(report, plain(100), out).expect("written")));
}

#[test]
fn json_document() {
    insta::assert_snapshot!(written(|report, out| json::write(report, out).expect("written")));
}

#[test]
fn csv_findings() {
    insta::assert_snapshot!(written(|report, out| csv::findings(report, out).expect("written")));
}

#[test]
fn csv_inventory() {
    insta::assert_snapshot!(written(|report, out| csv::inventory(report, out).expect("written")));
}

#[test]
fn json_schema_of_a_table_tells_what_can_be_null() {
    insta::assert_json_snapshot!(schema::table_schema(IdentityRow::SPEC));
}

#[test]
fn no_name_can_act_on_a_terminal() {
    for width in [40, 80, 200] {
        for color in [false, true] {
            let options = terminal::Options { width, color, limit: None, every_file: true };
            let text = written(|report, out| {
                terminal::write(report, options, out).expect("written");
                terminal::inventory(report, options, out).expect("written");
            });
            assert!(!text.contains("\u{1b}]8") && !text.contains('\u{7}') && !text.contains('\u{202e}'), "{text}");
        }
    }
}

#[test]
fn sarif_document() {
    insta::assert_snapshot!(written(|report, out| {
        sarif::write(report, &EvidenceFolder::of(report, "evenhand-evidence"), out).expect("written");
    }));
}

#[test]
fn junit_document() {
    insta::assert_snapshot!(written(|report, out| junit::write(report, out).expect("written")));
}

#[test]
fn markdown_summary() {
    insta::assert_snapshot!(written(|report, out| {
        markdown::write(report, markdown::Size::SUMMARY, out).expect("written");
    }));
}

#[test]
fn ocsf_events() {
    insta::assert_snapshot!(written(|report, out| ocsf::write(report, out).expect("written")));
}

#[test]
fn asff_batches() {
    let product =
        "arn:aws:securityhub:eu-central-1:111122223333:product/111122223333/default".parse().expect("a product");
    insta::assert_snapshot!(written(|report, out| asff::write(report, &product, out).expect("written")));
}

#[test]
fn oscal_document() {
    insta::assert_snapshot!(written(|report, out| oscal::write(report, out).expect("written")));
}

#[test]
fn no_cell_of_a_csv_file_holds_what_acts() {
    for write in [csv::findings, csv::inventory, csv::vanta] {
        let text = written(|report, out| write(report, out).expect("written"));
        assert!(text.contains("agent/a") && !text.contains(['\u{1b}', '\u{7}', '\u{202e}']), "{text}");
    }
}

#[test]
fn every_account_of_an_access_file_has_an_owner_and_a_status() {
    let text = written(|report, out| csv::vanta(report, out).expect("written"));
    for line in text.lines().skip(1) {
        let cells: Vec<&str> = line.split(',').collect();
        assert!(cells.get(1).is_some_and(|owner| !owner.is_empty()), "{line}");
        assert!(matches!(cells.last(), Some(&"Active" | &"Deactivated")), "{line}");
    }
}

#[test]
fn csv_vanta() {
    insta::assert_snapshot!(written(|report, out| csv::vanta(report, out).expect("written")));
}

/// The files of the evidence folder of a report, by path.
fn evidence(report: &Report) -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    let written = EvidenceFolder::of(report, "").write(|path, write| {
        let mut bytes = Vec::new();
        write(&mut bytes).map_err(|error| error.to_string())?;
        let text = String::from_utf8(bytes).map_err(|error| error.to_string())?;
        assert!(files.insert(path.to_owned(), text).is_none(), "{path} is written twice");
        Ok::<(), String>(())
    });
    written.expect("written");
    files
}

#[test]
fn evidence_folder() {
    let files = evidence(&report());
    insta::assert_snapshot!(files.iter().map(|(path, text)| format!("== {path}\n{text}")).collect::<String>());
}

#[test]
fn what_a_configuration_makes_of_rules_is_told_to_programs_too() {
    let mut report = report();
    report.coverage.settings = Settings {
        configuration: Some("evenhand.toml".into()),
        waivers: None,
        rules_off: vec!["no-sponsor".into(), "no-owner".into()],
        rules_levelled: vec![Levelled { rule: "not-logged".into(), severity: Severity::Low }],
        rules_chosen_by: vec![],
    };
    let text = |write: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = Vec::new();
        write(&mut bytes);
        String::from_utf8(bytes).expect("UTF-8")
    };
    let parsed = |text: &str| -> serde_json::Value { serde_json::from_str(text).expect("JSON") };
    let settings = serde_json::json!({
        "configuration": "evenhand.toml", "rules_off": "no-sponsor, no-owner", "rules_levelled": "not-logged = low",
    });
    let folder = EvidenceFolder::of(&report, "evidence");
    let log = parsed(&text(&|out| sarif::write(&report, &folder, out).expect("written")));
    let run = &log["runs"][0];
    assert_eq!(
        run["invocations"][0]["ruleConfigurationOverrides"],
        serde_json::json!([
            {"descriptor": {"id": "no-sponsor"}, "configuration": {"enabled": false}},
            {"descriptor": {"id": "no-owner"}, "configuration": {"enabled": false}},
            {"descriptor": {"id": "not-logged"}, "configuration": {"level": "note"}},
        ])
    );
    assert_eq!(run["properties"]["settings"], settings);
    let xml = text(&|out| junit::write(&report, out).expect("written"));
    for property in [
        "<property name=\"configuration\" value=\"evenhand.toml\"/>",
        "<property name=\"rules_off\" value=\"no-sponsor, no-owner\"/>",
        "<property name=\"rules_levelled\" value=\"not-logged = low\"/>",
    ] {
        assert!(xml.contains(property), "{property}: {xml}");
    }
    for event in text(&|out| ocsf::write(&report, out).expect("written")).lines() {
        assert_eq!(parsed(event)["unmapped"]["scan"]["settings"], settings, "{event}");
    }
    let results = parsed(&text(&|out| oscal::write(&report, out).expect("written")));
    let properties = results["assessment-results"]["results"][0]["props"].as_array().expect("properties");
    let value = |name: &str| properties.iter().find(|one| one["name"] == name).map(|one| one["value"].clone());
    assert_eq!(value("rules-off"), Some("no-sponsor, no-owner".into()));
    assert_eq!(value("rules-levelled"), Some("not-logged = low".into()));
}

#[test]
fn sarif_tells_the_level_that_a_rule_has_itself_beside_the_one_that_a_configuration_gives_it() {
    let mut report = report();
    report.coverage.settings.rules_levelled =
        vec![Levelled { rule: "excess-high-risk".into(), severity: Severity::Low }];
    report.rules[0].severity = Severity::Low;
    let mut bytes = Vec::new();
    sarif::write(&report, &EvidenceFolder::of(&report, "evidence"), &mut bytes).expect("written");
    let log: serde_json::Value = serde_json::from_slice(&bytes).expect("JSON");
    let runs = log["runs"].as_array().expect("runs");
    let mut rules = runs.iter().filter_map(|run| run["tool"]["driver"]["rules"].as_array()).flatten();
    let rule = rules.find(|rule| rule["id"] == "excess-high-risk").expect("the rule");
    assert_eq!(rule["defaultConfiguration"]["level"], "error");
    let overridden = &runs[0]["invocations"][0]["ruleConfigurationOverrides"][0];
    assert_eq!(overridden["configuration"]["level"], "note", "{overridden:#}");
}

#[test]
fn sarif_points_at_the_lines_of_the_finding_in_the_evidence_file() {
    let mut report = report();
    // Findings of one identity whose entries differ in length.
    for (at, name) in ["b", "c", "d"].into_iter().enumerate() {
        let mut finding = report.findings[at % 2].clone();
        finding.id = format!("00000000000000b{at}").as_str().into();
        finding.facts = (0..at).map(|fact| (format!("{name}{fact}").into(), "x".to_owned())).collect();
        report.findings.push(finding);
    }
    let files = evidence(&report);
    let mut bytes = Vec::new();
    sarif::write(&report, &EvidenceFolder::of(&report, "base"), &mut bytes).expect("written");
    let log: serde_json::Value = serde_json::from_slice(&bytes).expect("JSON");
    let results = log["runs"][0]["results"].as_array().expect("results");
    assert_eq!(results.len(), report.findings.len());
    for result in results {
        let place = &result["locations"][0]["physicalLocation"];
        let path =
            place["artifactLocation"]["uri"].as_str().expect("a path").strip_prefix("base/").expect("below the folder");
        let line = |member: &str| usize::try_from(place["region"][member].as_u64().expect("a line")).expect("small");
        let lines: Vec<&str> = files[path].lines().collect();
        let entry = lines[line("startLine") - 1..line("endLine")].join("\n");
        let entry: serde_json::Value = serde_json::from_str(entry.trim().trim_end_matches(',')).expect("a whole entry");
        assert_eq!(entry["id"], result["partialFingerprints"]["evenhandFinding/v1"]);
    }
}

#[test]
fn sarif_keeps_to_the_limits_worst_first_and_says_what_it_cut() {
    let mut report = report();
    let (fails, open) = (report.findings[0].clone(), report.findings[1].clone());
    report.findings = (0..6_000)
        .map(|at| {
            let mut finding = if at % 2 == 0 { open.clone() } else { fails.clone() };
            finding.id = format!("{at:016x}").as_str().into();
            finding.severity = Severity::WORST_FIRST[at % 4];
            finding.identity = format!("agent/{at}").as_str().into();
            finding
        })
        .collect();
    let mut bytes = Vec::new();
    sarif::write(&report, &EvidenceFolder::of(&report, "e"), &mut bytes).expect("written");
    let log: serde_json::Value = serde_json::from_slice(&bytes).expect("JSON");
    let run = &log["runs"][0];
    let results = run["results"].as_array().expect("results");
    assert_eq!(results.len(), 5_000);
    let kinds: Vec<&str> = results.iter().filter_map(|result| result["kind"].as_str()).collect();
    assert!(kinds[..3_000].iter().all(|kind| *kind == "fail") && kinds[3_000..].iter().all(|kind| *kind == "open"));
    let said = run["invocations"][0]["toolExecutionNotifications"].to_string();
    assert!(said.contains("1,000 results are of the least severity"), "{said}");
    // More scopes than a file has room for runs.
    for (at, finding) in report.findings.iter_mut().enumerate() {
        finding.scope = format!("scope-{}", at % 30).as_str().into();
    }
    let mut bytes = Vec::new();
    sarif::write(&report, &EvidenceFolder::of(&report, "e"), &mut bytes).expect("written");
    let log: serde_json::Value = serde_json::from_slice(&bytes).expect("JSON");
    assert_eq!(log["runs"].as_array().expect("runs").len(), 1);
    assert_eq!(log["runs"][0]["automationDetails"]["id"], "evenhand/cloud/");
}

#[test]
fn a_comment_keeps_to_what_github_takes() {
    let mut report = report();
    let finding = report.findings[0].clone();
    report.findings = vec![finding; 20_000];
    let gap = report.gaps[0].clone();
    report.gaps = vec![gap; 2_000];
    for (size, most) in [(markdown::Size::COMMENT, 65_536), (markdown::Size::SUMMARY, 1_024 * 1_024)] {
        let mut bytes = Vec::new();
        markdown::write(&report, size, &mut bytes).expect("written");
        let text = String::from_utf8(bytes).expect("UTF-8");
        assert!(text.len() < most && text.contains("more; `-o json` has them all"), "{}", text.len());
        assert_eq!(text.matches("<details>").count(), text.matches("</details>").count());
    }
}
