//! A report of ten thousand identities, as large as a page gets in practice.

use std::sync::Arc;

use evenhand_model::fact_table;
use evenhand_model::finding::{Dimension, Finding, Severity, Status};
use evenhand_model::id::ProviderName;
use evenhand_model::parity::{Baseline, BaselineSource, Comparison, Verdict};
use evenhand_model::score::{Millionths, OpenFindings, Score};
use evenhand_model::table::Row as _;
use evenhand_reports::Report;
use evenhand_reports::report::{Coverage, Scan, Tool};

const IDENTITIES: u32 = 10_000;
/// One identity in so many is an AI agent.
const AGENTS: u32 = 5;

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
        /// The weight of its access.
        access_weight: Option<i64>,
    }
}

fn id(number: u32) -> String {
    format!("arn:aws:iam::{:012}:role/team-{}/service-{number:05}", number / 100, number % 37)
}

fn is_agent(number: u32) -> bool {
    number.is_multiple_of(AGENTS)
}

pub(crate) fn report() -> Report {
    let row = |number| IdentityRow {
        id: id(number).into(),
        name: format!("service-{number:05}").into(),
        provider: "aws".into(),
        scope: format!("{:012}", number / 100).into(),
        nature: if is_agent(number) { "ai_agent" } else { "workload" }.into(),
        access_weight: Some(i64::from(number % 977)),
    };
    let mut rows: Vec<IdentityRow> = (0..IDENTITIES).map(row).collect();
    rows.sort_by(|a, b| a.id.cmp(&b.id));
    let comparison = |number: u32| Comparison {
        identity: id(number).as_str().into(),
        verdict: Verdict::ALL.into_iter().nth(number as usize % 6).expect("a verdict"),
        summary: format!("holds {} operations that engineer-{} does not", number % 91, number % 13),
        baseline: Baseline {
            roles: vec!["role/engineer".into()],
            name: format!("engineer-{}", number % 13).into(),
            source: BaselineSource::Configured,
            reason: "job `delivery` in evenhand.toml".into(),
        },
        operations: Some(number % 400),
        access_weight: Some(number % 977),
        human_operations: Some(200),
        human_weight: Some(500),
        excess: Vec::new(),
        excess_operations: number % 91,
        wider_operations: 0,
        excess_weight: number % 300,
        high_risk_excess: number % 7,
        undecided_operations: 0,
        coverage: Some(0.5),
        controls: Vec::new(),
        doubts: Vec::new(),
    };
    let finding = |number: u32, turn: u32| Finding {
        id: format!("{number:08}{turn:08}").as_str().into(),
        rule: format!("rule-{}", (number + turn) % 60).as_str().into(),
        severity: Severity::WORST_FIRST.into_iter().nth(((number + turn) % 4) as usize).expect("a severity"),
        dimension: Dimension::ALL.into_iter().nth((turn % 7) as usize).expect("a dimension"),
        status: if (number + turn).is_multiple_of(3) { Status::Unknown } else { Status::Fail },
        provider: ProviderName("aws"),
        scope: format!("{:012}", number / 100).as_str().into(),
        identity: id(number).as_str().into(),
        name: format!("service-{number:05}").into(),
        title: format!("service-{number:05} may do {turn} things that nobody needs on bucket-{}", number % 501),
        facts: vec![("operations".into(), number.to_string())],
        evidence: Vec::new(),
        remedy: "take them away".into(),
        missing: Arc::default(),
        frameworks: Arc::from([]),
        waiver: None,
    };
    let agents = (0..IDENTITIES).filter(|number| is_agent(*number));
    Report {
        tool: Tool { name: "evenhand", version: "0.0.0".into(), rules: 60, rule_pack: String::new(), catalogs: vec![] },
        scan: Scan {
            id: "0123456789abcdef".to_owned(),
            time: "2026-01-02T03:04:05Z".parse().expect("a time"),
            sources: vec![],
        },
        score: Some(Score {
            raw: Millionths(12_345),
            governed: Millionths(12_345),
            exposure: None,
            open: OpenFindings { critical: 10_000, high: 10_000, medium: 10_000, low: 10_000 },
            moved_by: vec![],
        }),
        tables: vec![IdentityRow::table(rows)],
        comparisons: agents.map(comparison).collect(),
        findings: (0..IDENTITIES)
            .flat_map(|number| (0..4).map(move |turn| (number, turn)))
            .map(|(a, b)| finding(a, b))
            .collect(),
        filtered: 0,
        gaps: vec![],
        hints: vec![],
        possible_agents: vec![],
        coverage: Coverage {
            identities: IDENTITIES as usize,
            natures: vec![("workload", 8_000), ("ai_agent", 2_000)],
            ..Coverage::default()
        },
        rules: vec![],
    }
}
