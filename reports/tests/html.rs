//! The page of a small, hostile report: its structure, and that no name in it is more than text.
#![expect(clippy::expect_used, reason = "a test that finds another shape has failed")]

use std::sync::Arc;

use evenhand_model::control::ControlKind;
use evenhand_model::evidence::{Evidence, Truth};
use evenhand_model::fact_table;
use evenhand_model::finding::{Dimension, Finding, Severity, Status};
use evenhand_model::gap::{Gap, GapKind, Lost, Subject};
use evenhand_model::id::ProviderName;
use evenhand_model::parity::{Baseline, BaselineSource, Comparison, ControlComparison, Verdict};
use evenhand_model::score::{Millionths, Mover, OpenFindings, Score};
use evenhand_model::table::Row as _;
use evenhand_reports::html;
use evenhand_reports::report::{Coverage, PossibleAgent, Report, RuleOutcome, Scan, SourceFile, SourceStatus, Tool};
use serde_json::Value;

const HOSTILE: &str = "</script><img src=x onerror=\"alert('acted')\"><!--\u{202e}bot";

fact_table! {
    #[table("identities", "identity")]
    /// Who can act.
    struct IdentityRow {
        /// The id.
        id: Arc<str>,
        /// The name.
        name: Arc<str>,
        /// The provider.
        provider: Arc<str>,
        /// The scope.
        scope: Arc<str>,
        /// The nature.
        nature: Arc<str>,
        /// Whether it has an owner.
        has_owner: Option<bool>,
    }
}

fact_table! {
    #[table("excess", "excess atom")]
    /// Access beyond the human role.
    struct ExcessRow {
        /// The identity.
        identity: Arc<str>,
        /// The operation.
        operation: Arc<str>,
        /// How many.
        operations: i64,
        /// The level.
        access_level: Arc<str>,
        /// The resources.
        scope: Arc<str>,
        /// The weight.
        weight: i64,
        /// Whether it is of high risk.
        high_risk: bool,
        /// The statement.
        granted_by: Arc<str>,
        /// Whether it is decided.
        decided: bool,
    }
}

fact_table! {
    #[table("paths", "path")]
    /// Ways to more access.
    struct PathRow {
        /// Who starts.
        identity: Arc<str>,
        /// Its nature.
        nature: Arc<str>,
        /// The end.
        target: Arc<str>,
        /// How many steps.
        hops: i64,
        /// How.
        techniques: Arc<str>,
        /// Whether it escalates.
        escalation: bool,
        /// Who is passed.
        through: Arc<str>,
    }
}

fact_table! {
    #[table("credentials", "credential")]
    /// What proves an identity.
    struct CredentialRow {
        /// Whom it proves.
        identity: Arc<str>,
        /// That one's nature.
        nature: Arc<str>,
        /// The kind.
        kind: Arc<str>,
        /// Whether it lasts.
        r#static: Option<bool>,
        /// Its age.
        age_days: Option<i64>,
        /// Where it lies.
        exposure: Option<Arc<str>>,
    }
}

fn tables() -> Vec<evenhand_model::table::Table> {
    let identity = |id: &str, name: &str, nature: &str, has_owner| IdentityRow {
        id: id.into(),
        name: name.into(),
        provider: "cloud".into(),
        scope: "prod".into(),
        nature: nature.into(),
        has_owner,
    };
    let excess = |operation: &str, level: &str, weight, decided| ExcessRow {
        identity: HOSTILE.into(),
        operation: operation.into(),
        operations: 1,
        access_level: level.into(),
        scope: "*".into(),
        weight,
        high_risk: weight > 8,
        granted_by: format!("inline policy {HOSTILE} statement 0").into(),
        decided,
    };
    let credential = |age_days, exposure: Option<&str>| CredentialRow {
        identity: HOSTILE.into(),
        nature: "ai_agent".into(),
        kind: "access_key".into(),
        r#static: Some(true),
        age_days,
        exposure: exposure.map(Into::into),
    };
    vec![
        IdentityRow::table(vec![
            identity(HOSTILE, HOSTILE, "ai_agent", Some(false)),
            identity("role/ops", "ops", "human_role", None),
        ]),
        CredentialRow::table(vec![credential(Some(400), Some("committed")), credential(None, None)]),
        ExcessRow::table(vec![
            excess("iam:PassRole", "permission_management", 13, true),
            excess("s3:PutObject", "write", 5, true),
            excess("s3:GetObject", "read", 2, false),
        ]),
        PathRow::table(vec![PathRow {
            identity: HOSTILE.into(),
            nature: "ai_agent".into(),
            target: "admin of prod".into(),
            hops: 2,
            techniques: "assume-role > put-policy".into(),
            escalation: true,
            through: "role/ops".into(),
        }]),
    ]
}

fn comparison() -> Comparison {
    Comparison {
        identity: HOSTILE.into(),
        verdict: Verdict::Excess,
        summary: format!("holds 2 operations that {HOSTILE} does not, 1 of high risk"),
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
        excess: Vec::new(),
        excess_operations: 2,
        wider_operations: 0,
        excess_weight: 18,
        high_risk_excess: 1,
        undecided_operations: 1,
        coverage: Some(0.625),
        controls: vec![ControlComparison {
            control: ControlKind::Mfa,
            operations: vec!["ec2:TerminateInstances".into()],
            count: 2,
            resource: "*".into(),
            human: Truth::Yes,
            identity: Truth::No,
            way: None,
            reason: HOSTILE.into(),
            evidence: Vec::new(),
        }],
        doubts: vec![HOSTILE.into()],
    }
}

fn finding(id: &str, severity: Severity, status: Status) -> Finding {
    Finding {
        id: id.into(),
        rule: "excess-high-risk".into(),
        severity,
        dimension: Dimension::Access,
        status,
        provider: ProviderName("cloud"),
        scope: HOSTILE.into(),
        identity: HOSTILE.into(),
        name: HOSTILE.into(),
        title: format!("{HOSTILE} may do what ops may not"),
        facts: vec![("high_risk_excess".into(), HOSTILE.to_owned())],
        evidence: vec![Evidence::pointer(HOSTILE, "/3")],
        remedy: format!("take it away\n- {HOSTILE}").into(),
        missing: Arc::default(),
        frameworks: vec![(Arc::from("owasp_nhi_2025"), Arc::from("NHI5:2025"))].into(),
        waiver: None,
    }
}

fn report() -> Report {
    Report {
        tool: Tool { name: "evenhand", version: "0.0.0".into(), rules: 1, rule_pack: String::new(), catalogs: vec![] },
        scan: Scan {
            id: "0123456789abcdef".to_owned(),
            time: "2026-01-02T03:04:05Z".parse().expect("a time"),
            sources: vec![SourceFile {
                path: HOSTILE.into(),
                status: SourceStatus::Read,
                provider: Some("cloud"),
                what: HOSTILE.into(),
                bytes: 10,
            }],
        },
        score: Some(Score {
            raw: Millionths(199_999),
            governed: Millionths(639_999),
            exposure: Some(Millionths(333_333)),
            open: OpenFindings { critical: 1, high: 0, medium: 0, low: 0 },
            moved_by: vec![Mover { rule: "excess-high-risk".into(), open: 1, fixed: Millionths(1_000_000) }],
        }),
        tables: tables(),
        comparisons: vec![comparison()],
        findings: vec![
            finding("00000000000000aa", Severity::Critical, Status::Fail),
            finding("00000000000000ab", Severity::High, Status::Unknown),
        ],
        filtered: 1,
        gaps: vec![Gap {
            provider: Some(ProviderName("cloud")),
            scope: Some(HOSTILE.into()),
            kind: GapKind::NotCollected,
            call: HOSTILE.into(),
            reason: "not part of the capture".into(),
            facts: vec![Lost::of("logged", &[Subject::Logs])],
        }],
        hints: vec![],
        possible_agents: vec![PossibleAgent { identity: HOSTILE.into(), hint: HOSTILE.into() }],
        coverage: Coverage {
            files_read: 1,
            identities: 2,
            natures: vec![("human_role", 1), ("ai_agent", 1)],
            verdicts: vec![("EXCESS", 1)],
            rules: 1,
            decided: 3,
            undecided: 1,
            ..Coverage::default()
        },
        rules: vec![RuleOutcome {
            id: "excess-high-risk".into(),
            title: HOSTILE.into(),
            severity: Severity::Critical,
            default_severity: Severity::Critical,
            dimension: Dimension::Access,
            what: "".into(),
            why: "".into(),
            fix: "".into(),
            frameworks: vec![("owasp_nhi_2025".into(), "NHI5:2025".into()), ("house".into(), HOSTILE.into())],
            passed: 2,
            failed: 1,
            undecided: 1,
            error: None,
        }],
    }
}

fn page(report: &Report) -> String {
    let mut bytes = Vec::new();
    html::write(report, &mut bytes).expect("written");
    String::from_utf8(bytes).expect("UTF-8")
}

/// What stands between two marks.
fn between<'p>(page: &'p str, from: &str, to: &str) -> &'p str {
    page.split_once(from).and_then(|(_, rest)| rest.split_once(to)).expect("both marks").0
}

fn data(page: &str) -> Value {
    serde_json::from_str(between(page, "id=\"data\">", "</script>")).expect("JSON")
}

#[test]
fn the_page_of_a_small_report() {
    let page = page(&report());
    let mut shown = page.clone();
    for (from, to) in [("<style>", "</style>"), ("<script>", "</script>"), ("id=\"data\">", "</script>")] {
        shown = shown.replace(between(&page, from, to), "…");
    }
    let policy = between(&page, "default-src", "base-uri");
    let shown = shown.replace(policy, " … ");
    insta::assert_snapshot!(format!("{shown}\n\n{:#}", data(&page)));
}

#[test]
fn a_name_that_holds_markup_is_text_in_the_page_and_in_its_data() {
    let page = page(&report());
    let (style, script) = (between(&page, "<style>", "</style>"), between(&page, "<script>", "</script>"));
    let rest = page.replace(style, "").replace(script, "");
    assert!(!rest.contains("<img") && !rest.contains("<!--") && !rest.contains('\u{202e}'), "{rest}");
    assert_eq!(rest.matches("<script").count(), 2, "the data and the script, and no more");
    assert_eq!(rest.matches("</script").count(), 2);
    let data = data(&page);
    let name = data["strings"][data["identities"]["name"][0].as_u64().expect("a number") as usize].as_str();
    assert_eq!(name, Some(HOSTILE.replace('\u{202e}', "\\u{202e}").as_str()), "the name is whole");
}

#[test]
fn nothing_in_the_page_is_fetched() {
    let page = page(&report());
    assert!(page.contains("default-src 'none'"));
    for fetched in
        [" src=\"", "url(", "@import", "<link", "<img", "href=\"http", "fetch(", "XMLHttpRequest", "innerHTML"]
    {
        assert!(!page.contains(fetched), "{fetched}");
    }
    // What a page may link to is its own parts, which are there.
    for target in page.split("href=\"").skip(1) {
        let (target, _) = target.split_once('"').expect("the end of the attribute");
        let part = target.strip_prefix('#').expect("a part of the page");
        assert!(page.contains(&format!("id=\"{part}\"")), "{target}");
    }
}

#[test]
fn the_tally_says_how_many_findings_are_not_shown() {
    for (filtered, said) in [(0, ""), (1, "1 not shown"), (1_234, "1,234 not shown")] {
        let page = page(&Report { filtered, ..report() });
        let after = between(&page, "aria-label=\"Findings\">", "<h3>").split_once("</dl>").expect("a tally").1;
        assert_eq!(after.contains("not shown"), filtered > 0, "{after}");
        assert!(after.contains(said), "{after}");
    }
}

#[test]
fn the_bars_add_up_to_what_was_compared() {
    let data = data(&page(&report()));
    let pair = &data["pairs"][0];
    let excess: u64 = pair["excess"].as_array().expect("levels").iter().filter_map(Value::as_u64).sum();
    assert_eq!(excess, pair["excessWeight"].as_u64().expect("a weight"));
    assert_eq!((pair["shared"].as_u64(), pair["open"].as_u64()), (Some(20), Some(2)));
}

#[test]
fn an_inventory_and_an_empty_report_are_pages_too() {
    let inventory = Report { score: None, comparisons: vec![], findings: vec![], ..report() };
    assert!(page(&inventory).contains("nothing was judged"));
    let nobody = Report { comparisons: vec![], ..report() };
    assert!(page(&nobody).contains("<h1>No AI identity was recognised</h1>"));
}

#[test]
fn an_incomplete_scan_says_so_above_everything_and_no_number_looks_perfect() {
    let mut cut = report();
    cut.gaps[0].kind = GapKind::Failed;
    let first = |report: &Report| between(&page(report), "<main", "</aside>").to_owned();
    let low = first(&cut);
    let told = "1 part of the input could not be read";
    assert!(low.contains(told) && low.contains("of an incomplete scan") && low.contains("<b>199</b>"), "{low}");
    if let Some(score) = &mut cut.score {
        (score.raw, score.governed) = (Millionths::BEST, Millionths::BEST);
    }
    let best = first(&cut);
    assert!(best.contains(told) && best.contains("not known: nothing is open") && !best.contains("of 1000"), "{best}");
    assert!(!first(&report()).contains("incomplete"));
}

#[test]
fn the_headline_says_what_was_found_and_no_more() {
    use Verdict::{ControlGap, Excess, Narrower, NoBaseline, Parity, Unknown};
    let same_job = "than the human who does the same job";
    for (verdicts, headline) in [
        (&[Excess, Parity][..], "1 of 2 AI identities holds more access"),
        (&[Excess, Excess, ControlGap], "2 of 3 AI identities hold more access"),
        (&[ControlGap, NoBaseline], "1 of 2 AI identities faces fewer controls"),
        (&[NoBaseline, Parity], "None of 2 AI identities is known to hold more access"),
        (&[Unknown], "None of 1 AI identity is known to hold more access"),
        (&[Parity, Narrower], "None of 2 AI identities holds more access"),
    ] {
        let comparisons = verdicts.iter().map(|verdict| Comparison { verdict: *verdict, ..comparison() }).collect();
        let page = page(&Report { comparisons, ..report() });
        assert_eq!(between(&page, "<h1>", "</h1>"), format!("{headline} {same_job}"), "{verdicts:?}");
    }
}
