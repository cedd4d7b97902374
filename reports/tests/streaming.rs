//! A report of very many findings is in memory once: what a format holds while it writes does not grow with the text that
//! it writes.
#![expect(clippy::expect_used, reason = "a test that cannot set up its input has failed")]

use std::sync::Arc;

use evenhand_model::evidence::Evidence;
use evenhand_model::fact_table;
use evenhand_model::finding::{Dimension, Finding, Severity, Status};
use evenhand_model::id::ProviderName;
use evenhand_model::score::{Millionths, OpenFindings, Score};
use evenhand_model::table::Row as _;
use evenhand_reports::evidence_folder::EvidenceFolder;
use evenhand_reports::report::{Coverage, Report, RuleOutcome, Scan, Tool, WriteError};
use evenhand_reports::{asff, csv, json, junit, markdown, ocsf, oscal, sarif, terminal};
use peak_alloc::PeakAlloc;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

fact_table! {
    #[table("identities", "identity")]
    /// The columns that formats look identities up by.
    struct IdentityRow {
        /// The id.
        id: Arc<str>,
        /// The name.
        name: Arc<str>,
        /// The provider.
        provider: Arc<str>,
        /// The scope.
        scope: Arc<str>,
    }
}

/// The number of identities, whatever the number of findings.
const IDENTITIES: usize = 100;

fn report(findings: usize) -> Report {
    let id = |at: usize| format!("cloud:account:role/agent-{:04}", at % IDENTITIES);
    let remedy: Arc<str> = "take the grant away".into();
    let frameworks: Arc<[(Arc<str>, Arc<str>)]> =
        [(Arc::from("nist_800_53_r5.2.0"), Arc::from("AC-6")), (Arc::from("owasp_nhi_2025"), Arc::from("NHI5:2025"))]
            .into();
    let finding = |at: usize| Finding {
        id: format!("{at:016x}").into(),
        rule: "write-on-everything".into(),
        severity: Severity::High,
        dimension: Dimension::Access,
        status: if at.is_multiple_of(10) { Status::Unknown } else { Status::Fail },
        provider: ProviderName("cloud"),
        scope: "account".into(),
        identity: id(at).into(),
        name: format!("agent-{:04}", at % IDENTITIES).into(),
        title: format!("agent may write everything that number {at} of its grants speaks of, wherever it lies"),
        facts: vec![("operation".into(), format!("service{at}:PutThing")), ("weight".into(), at.to_string())],
        evidence: vec![Evidence::pointer("export.json", format!("/Roles/{at}/Policies/0/Statement/{at}"))],
        remedy: Arc::clone(&remedy),
        missing: Arc::default(),
        frameworks: Arc::clone(&frameworks),
        waiver: None,
    };
    Report {
        tool: Tool { name: "evenhand", version: "0.0.0".into(), rules: 1, rule_pack: String::new(), catalogs: vec![] },
        scan: Scan {
            id: "0123456789abcdef".to_owned(),
            time: "2026-01-02T03:04:05Z".parse().expect("a time"),
            sources: vec![],
        },
        score: Some(Score {
            raw: Millionths(0),
            governed: Millionths(0),
            exposure: None,
            open: OpenFindings::default(),
            moved_by: vec![],
        }),
        tables: vec![IdentityRow::table(
            (0..IDENTITIES)
                .map(|at| IdentityRow {
                    id: id(at).into(),
                    name: format!("agent-{at:04}").into(),
                    provider: "cloud".into(),
                    scope: "account".into(),
                })
                .collect(),
        )],
        comparisons: vec![],
        findings: (0..findings).map(finding).collect(),
        filtered: 0,
        gaps: vec![],
        hints: vec![],
        possible_agents: vec![],
        coverage: Coverage { identities: IDENTITIES, rules: 1, ..Coverage::default() },
        rules: vec![RuleOutcome {
            id: "write-on-everything".into(),
            title: "May write everything".into(),
            severity: Severity::High,
            default_severity: Severity::High,
            dimension: Dimension::Access,
            what: "Looks at what may be written.".into(),
            why: "Nobody needs that.".into(),
            fix: "Narrow the grants.".into(),
            frameworks: frameworks.to_vec(),
            passed: 0,
            failed: findings as u64,
            undecided: 0,
            error: None,
        }],
    }
}

type Writer = fn(&Report, &mut dyn std::io::Write) -> Result<(), WriteError>;

/// The formats that write as they go.
const FORMATS: [(&str, Writer); 8] = [
    ("json", |report, sink| json::write(report, sink)),
    ("csv:findings", |report, sink| csv::findings(report, sink)),
    ("ocsf", |report, sink| ocsf::write(report, sink)),
    ("asff", |report, sink| {
        let product = "arn:aws:securityhub:eu-central-1:111122223333:product/111122223333/default";
        asff::write(report, &product.parse().expect("a product"), sink)
    }),
    ("junit", |report, sink| junit::write(report, sink)),
    ("oscal", |report, sink| oscal::write(report, sink)),
    ("sarif", |report, sink| sarif::write(report, &EvidenceFolder::of(report, "evidence"), sink)),
    ("markdown", |report, sink| markdown::write(report, markdown::Size::SUMMARY, sink)),
];

/// What a format holds at most while it writes, in bytes, and how much it writes.
fn held(write: Writer, report: &Report) -> (usize, usize) {
    struct Count(usize);
    impl std::io::Write for Count {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0 += bytes.len();
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let before = MEMORY.current_usage();
    MEMORY.reset_peak_usage();
    let mut sink = Count(0);
    write(report, &mut sink).expect("written");
    (MEMORY.peak_usage().saturating_sub(before), sink.0)
}

#[test]
fn what_a_format_holds_does_not_grow_with_what_it_writes() {
    const FEW: usize = 2_000;
    const MANY: usize = 12_000;
    let few = report(FEW);
    let before = MEMORY.current_usage();
    let many = report(MANY);
    let size = (MEMORY.current_usage() - before) / MANY;
    for (name, write) in FORMATS {
        let ((small, _), (large, written)) = (held(write, &few), held(write, &many));
        let growth = large.saturating_sub(small) / (MANY - FEW);
        // References and counts may be kept for each finding, its text may not: a quarter of what it takes is too much.
        assert!(growth < size / 4, "{name} holds {growth} bytes more for each finding, which takes {size} itself");
        assert!(large < written.max(1 << 20), "{name} holds {large} bytes to write {written}");
    }
    // The page for people is bounded by what a screen shows.
    let options = terminal::Options { width: 100, color: false, limit: Some(20), every_file: false };
    let mut page = Vec::new();
    terminal::write(&many, options, &mut page).expect("written");
    assert!(page.len() < 100_000, "{}", page.len());
}
