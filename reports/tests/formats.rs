//! Every format writes the same small, hostile report as it did before.
#![expect(clippy::expect_used, reason = "a test that cannot set up its input has failed")]

use std::sync::Arc;

use evenhand_model::access::Grant;
use evenhand_model::catalog::AccessLevel;
use evenhand_model::control::ControlKind;
use evenhand_model::evidence::{Evidence, Truth};
use evenhand_model::fact_table;
use evenhand_model::finding::{Dimension, Finding, Missing, Severity, Status};
use evenhand_model::gap::{Gap, GapKind, Lost, Subject};
use evenhand_model::id::ProviderName;
use evenhand_model::inventory::Hint;
use evenhand_model::parity::{Baseline, BaselineSource, Comparison, ControlComparison, ExcessAtom, Verdict};
use evenhand_model::score::{Millionths, Mover, OpenFindings, Score};
use evenhand_model::table::Row as _;
use evenhand_reports::report::{Coverage, PossibleAgent, Report, Scan, SourceFile, SourceStatus, Tool};
use evenhand_reports::{csv, json, parity_card, schema, terminal};

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
        tool: Tool { name: "evenhand", version: "0.0.0", rules: 2, catalogs: vec![] },
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
                grant: Grant {
                    policy: "inline policy deploy".into(),
                    statement: 2,
                    name: "".into(),
                    evidence: evidence.clone(),
                },
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

#[test]
fn parity_card() {
    insta::assert_snapshot!(written(|report, out| {
        parity_card::write(&report.comparisons[0], plain(100), out).expect("written");
    }));
}

#[test]
fn parity_card_narrow() {
    let text = written(|report, out| {
        parity_card::write(&report.comparisons[0], plain(60), out).expect("written");
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
