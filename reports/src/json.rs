//! JSON: the frozen, versioned form of a report. `evenhand schema report` prints its JSON Schema.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::Arc;

use evenhand_model::finding::{Finding, Missing};
use evenhand_model::gap::Gap;
use evenhand_model::inventory::Hint;
use evenhand_model::parity::Comparison;
use evenhand_model::score::Score;
use evenhand_model::table::{Column, Table};
use serde::ser::{SerializeMap, SerializeSeq};
use serde::{Serialize, Serializer};

use crate::each::Each;
use crate::report::{Coverage, Levelled, PossibleAgent, Report, RuleOutcome, Scan, Tool, WriteError};

/// The version of the form. Members are only ever added under one version.
pub const SCHEMA: &str = "evenhand/report/v1";

#[derive(Serialize)]
struct Document<'a, F: Serialize> {
    schema: &'static str,
    tool: &'a Tool,
    scan: &'a Scan,
    score: Option<ScoreDocument<'a>>,
    coverage: CoverageDocument<'a>,
    findings: F,
    filtered_findings: usize,
    gaps: &'a [Gap],
    hints: &'a [Hint],
    possible_agents: &'a [PossibleAgent],
    rules: &'a [RuleOutcome],
    comparisons: &'a [Comparison],
    tables: Tables<'a>,
}

#[derive(Serialize)]
struct ScoreDocument<'a> {
    /// Thousandths, as people see it. This and the next three are NULL where the score is not known.
    raw: Option<u32>,
    governed: Option<u32>,
    raw_millionths: Option<u32>,
    governed_millionths: Option<u32>,
    exposure_millionths: Option<u32>,
    open: &'a evenhand_model::score::OpenFindings,
    moved_by: Vec<MoverDocument<'a>>,
    /// Whether the numbers say anything, and whether all could be read that should be there.
    known: bool,
    complete: bool,
}

#[derive(Serialize)]
struct MoverDocument<'a> {
    rule: &'a str,
    open: u64,
    fixed: u32,
    fixed_millionths: u32,
}

/// How much was read and judged, with what is counted by name as an object.
#[derive(Serialize)]
pub(crate) struct CoverageDocument<'a> {
    percent: Option<u64>,
    decided: u64,
    undecided: u64,
    rules: usize,
    identities: usize,
    natures: BTreeMap<&'a str, usize>,
    verdicts: BTreeMap<&'a str, usize>,
    files_read: usize,
    files_partial: usize,
    files_failed: usize,
    files_unrecognised: usize,
    configuration: Option<&'a str>,
    waivers: Option<&'a str>,
    rules_off: &'a [Arc<str>],
    rules_levelled: &'a [Levelled],
    rules_chosen_by: &'a [Arc<str>],
}

/// A finding as every JSON that has room for all of it writes it.
#[derive(Serialize)]
pub(crate) struct FindingDocument<'a> {
    id: &'a str,
    rule: &'a str,
    severity: &'a str,
    dimension: &'a str,
    status: &'a str,
    provider: &'a str,
    scope: &'a str,
    identity: &'a str,
    name: &'a str,
    title: &'a str,
    facts: Facts<'a>,
    evidence: Vec<EvidenceDocument<'a>>,
    remedy: &'a str,
    missing: &'a [Missing],
    frameworks: BTreeMap<&'a str, Vec<&'a str>>,
    waiver: Option<WaiverDocument<'a>>,
}

/// What a finding cites, in the order of its rule.
struct Facts<'a>(&'a [(Arc<str>, String)]);

impl Serialize for Facts<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

/// The waiver that covers a finding.
#[derive(Serialize)]
struct WaiverDocument<'a> {
    reason: &'a str,
    owner: &'a str,
    approver: &'a str,
    ticket: &'a str,
    expires: String,
}

#[derive(Serialize)]
struct EvidenceDocument<'a> {
    document: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pointer: Option<&'a str>,
    /// The address of the page on which people see and change it.
    #[serde(skip_serializing_if = "Option::is_none")]
    page: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    column: Option<u32>,
}

/// Writes the report as one JSON document, rows streamed from the columns.
///
/// # Errors
/// When the sink refuses.
pub fn write(report: &Report, sink: &mut dyn Write) -> Result<(), WriteError> {
    let document = Document {
        schema: SCHEMA,
        tool: &report.tool,
        scan: &report.scan,
        score: report.score.as_ref().map(|held| score(held, report)),
        coverage: coverage(&report.coverage),
        findings: Each(report.findings.iter().map(FindingDocument::of)),
        filtered_findings: report.filtered,
        gaps: &report.gaps,
        hints: &report.hints,
        possible_agents: &report.possible_agents,
        rules: &report.rules,
        comparisons: &report.comparisons,
        tables: Tables(&report.tables),
    };
    serde_json::to_writer_pretty(&mut *sink, &document)?;
    sink.write_all(b"\n")?;
    Ok(())
}

fn score<'a>(score: &'a Score, report: &Report) -> ScoreDocument<'a> {
    let known = report.known_score().map(|score| (score.raw, score.governed));
    ScoreDocument {
        raw: known.map(|(raw, _)| raw.thousandths()),
        governed: known.map(|(_, governed)| governed.thousandths()),
        raw_millionths: known.map(|(raw, _)| raw.0),
        governed_millionths: known.map(|(_, governed)| governed.0),
        exposure_millionths: score.exposure.map(|exposure| exposure.0),
        open: &score.open,
        moved_by: score
            .moved_by
            .iter()
            .map(|mover| MoverDocument {
                rule: mover.rule.as_str(),
                open: mover.open,
                fixed: mover.fixed.thousandths(),
                fixed_millionths: mover.fixed.0,
            })
            .collect(),
        known: known.is_some(),
        complete: report.is_complete(),
    }
}

pub(crate) fn coverage(coverage: &Coverage) -> CoverageDocument<'_> {
    CoverageDocument {
        percent: coverage.percent(),
        decided: coverage.decided,
        undecided: coverage.undecided,
        rules: coverage.rules,
        identities: coverage.identities,
        natures: coverage.natures.iter().copied().collect(),
        verdicts: coverage.verdicts.iter().copied().collect(),
        files_read: coverage.files_read,
        files_partial: coverage.files_partial,
        files_failed: coverage.files_failed,
        files_unrecognised: coverage.files_unrecognised,
        configuration: coverage.settings.configuration.as_deref(),
        waivers: coverage.settings.waivers.as_deref(),
        rules_off: &coverage.settings.rules_off,
        rules_levelled: &coverage.settings.rules_levelled,
        rules_chosen_by: &coverage.settings.rules_chosen_by,
    }
}

impl<'a> FindingDocument<'a> {
    pub(crate) fn of(finding: &'a Finding) -> Self {
        use evenhand_model::evidence::Place;
        let mut frameworks: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (framework, id) in finding.frameworks.iter() {
            frameworks.entry(framework).or_default().push(id);
        }
        Self {
            id: finding.id.as_str(),
            rule: finding.rule.as_str(),
            severity: finding.severity.as_str(),
            dimension: finding.dimension.as_str(),
            status: finding.status.as_str(),
            provider: finding.provider.0,
            scope: finding.scope.as_str(),
            identity: finding.identity.as_str(),
            name: &finding.name,
            title: &finding.title,
            facts: Facts(&finding.facts),
            evidence: finding
                .evidence
                .iter()
                .map(|evidence| EvidenceDocument {
                    document: &evidence.document,
                    pointer: match &evidence.place {
                        Place::Pointer(pointer) | Place::Setting { pointer, .. } => Some(pointer),
                        _ => None,
                    },
                    page: if let Place::Setting { page, .. } = &evidence.place { Some(page) } else { None },
                    line: evidence.line_number(),
                    column: if let Place::LineColumn(_, column) = evidence.place { Some(column) } else { None },
                })
                .collect(),
            remedy: &finding.remedy,
            missing: &finding.missing,
            frameworks,
            waiver: finding.waiver.as_ref().map(|waiver| WaiverDocument {
                reason: &waiver.reason,
                owner: &waiver.owner,
                approver: &waiver.approver,
                ticket: &waiver.ticket,
                expires: waiver.expires.to_string(),
            }),
        }
    }
}

struct Tables<'a>(&'a [Table]);

impl Serialize for Tables<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for table in self.0 {
            map.serialize_entry(table.spec.name, &Rows(table))?;
        }
        map.end()
    }
}

struct Rows<'a>(&'a Table);

impl Serialize for Rows<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut rows = serializer.serialize_seq(Some(self.0.rows()))?;
        for row in 0..self.0.rows() {
            rows.serialize_element(&RowDocument { table: self.0, row })?;
        }
        rows.end()
    }
}

/// A row of a fact table, by column.
pub(crate) struct RowDocument<'a> {
    pub(crate) table: &'a Table,
    pub(crate) row: usize,
}

impl Serialize for RowDocument<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.table.columns.len()))?;
        for (spec, column) in self.table.spec.columns.iter().zip(&self.table.columns) {
            match column {
                Column::Text(values) => map.serialize_entry(spec.name, &values.get(self.row))?,
                Column::Integer(values) => map.serialize_entry(spec.name, &values.get(self.row).copied().flatten())?,
                Column::Float(values) => map.serialize_entry(spec.name, &values.get(self.row).copied().flatten())?,
                Column::Boolean(values) => map.serialize_entry(spec.name, &values.get(self.row).copied().flatten())?,
                Column::Timestamp(values) => {
                    map.serialize_entry(spec.name, &values.get(self.row).copied().flatten())?
                }
            }
        }
        map.end()
    }
}
