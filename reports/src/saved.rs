//! A report read back from its JSON form, so that it can be written in every other form without a scan.
//!
//! What the JSON form does not hold is not made up: the place of a waiver is unknown, and what a gap is about is whatever
//! there is to know. No form prints either.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use evenhand_model::catalog::CatalogSource;
use evenhand_model::evidence::{Evidence, Place};
use evenhand_model::finding::{Dimension, Finding, Missing, Severity, Status};
use evenhand_model::gap::{Gap, GapKind, Lost, Subject};
use evenhand_model::id::{FindingId, IdentityId, ProviderName, RuleId, ScopeId};
use evenhand_model::identity::Nature;
use evenhand_model::inventory::Hint;
use evenhand_model::parity::{Comparison, Verdict};
use evenhand_model::score::{Millionths, Mover, OpenFindings, Score};
use evenhand_model::table::{Column, Table, TableSpec};
use evenhand_model::waiver::Waiver;
use jiff::Timestamp;
use jiff::civil::Date;
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::json::SCHEMA;
use crate::report::{
    Coverage, Levelled, PossibleAgent, Report, RuleOutcome, Scan, Settings, SourceFile, SourceStatus, Tool,
};

/// Where a rule is asked for: framework and id, as findings hold them.
type References = Arc<[(Arc<str>, Arc<str>)]>;

/// What a reader of a saved report has to know from elsewhere.
#[derive(Clone, Copy, Debug)]
pub struct Known<'a> {
    /// The fact tables. One that the report lacks is empty; columns that it lacks are NULL.
    pub tables: &'a [&'static TableSpec],
    /// The providers that may be named.
    pub providers: &'a [ProviderName],
}

/// Why a text is no report that this version can read.
#[derive(Debug, thiserror::Error)]
pub enum SavedError {
    /// It is not JSON, or not of this shape.
    #[error("is no JSON report of a scan: {0}")]
    Shape(#[from] serde_json::Error),
    /// It is of another form.
    #[error("is of the form `{0}`, and `{SCHEMA}` is wanted")]
    Form(String),
    /// It was written before the form had all that other forms need.
    #[error("was written by an earlier version, which left out the {0}")]
    Earlier(&'static str),
    /// It speaks of what this version does not know.
    #[error("names the {0} `{1}`, which this version does not know")]
    Unknown(&'static str, String),
    /// The scan's id is not of the form in which scans are numbered. It names files of a store, so nothing else is taken.
    #[error("has the scan id `{0}`, and 32 hexadecimal digits in lower case are wanted")]
    ScanId(String),
}

#[derive(Deserialize)]
struct Document<'a> {
    schema: String,
    tool: ToolDocument,
    scan: ScanDocument,
    score: Option<ScoreDocument>,
    coverage: CoverageDocument,
    findings: Vec<FindingDocument>,
    filtered_findings: usize,
    gaps: Vec<GapDocument>,
    hints: Vec<Hint>,
    possible_agents: Vec<PossibleAgent>,
    rules: Option<Vec<RuleDocument>>,
    comparisons: Option<Vec<Comparison>>,
    #[serde(borrow)]
    tables: HashMap<String, &'a RawValue>,
}

#[derive(Deserialize)]
struct ToolDocument {
    version: Arc<str>,
    rules: usize,
    #[serde(default)]
    rule_pack: String,
    catalogs: Vec<CatalogSource>,
}

#[derive(Deserialize)]
struct ScanDocument {
    id: String,
    time: Timestamp,
    sources: Vec<SourceDocument>,
}

#[derive(Deserialize)]
struct SourceDocument {
    path: Arc<str>,
    status: SourceStatus,
    provider: Option<String>,
    what: Arc<str>,
    bytes: u64,
}

#[derive(Deserialize)]
struct ScoreDocument {
    /// `None` where it is not known: nothing was open in what was read.
    raw_millionths: Option<u32>,
    governed_millionths: Option<u32>,
    exposure_millionths: Option<u32>,
    open: OpenFindings,
    moved_by: Vec<MoverDocument>,
}

#[derive(Deserialize)]
struct MoverDocument {
    rule: RuleId,
    open: u64,
    fixed_millionths: u32,
}

#[derive(Deserialize)]
struct CoverageDocument {
    decided: u64,
    undecided: u64,
    rules: usize,
    identities: usize,
    natures: HashMap<String, usize>,
    verdicts: HashMap<String, usize>,
    files_read: usize,
    files_partial: usize,
    files_failed: usize,
    files_unrecognised: usize,
    configuration: Option<Arc<str>>,
    waivers: Option<Arc<str>>,
    #[serde(default)]
    rules_off: Vec<Arc<str>>,
    #[serde(default)]
    rules_levelled: Vec<Levelled>,
    #[serde(default)]
    rules_chosen_by: Vec<Arc<str>>,
}

#[derive(Deserialize)]
struct FindingDocument {
    id: FindingId,
    rule: RuleId,
    severity: Severity,
    dimension: Dimension,
    status: Status,
    provider: String,
    scope: ScopeId,
    identity: IdentityId,
    name: Arc<str>,
    title: String,
    #[serde(deserialize_with = "in_order")]
    facts: Vec<(Arc<str>, String)>,
    evidence: Vec<EvidenceDocument>,
    remedy: Arc<str>,
    missing: Vec<Missing>,
    #[serde(deserialize_with = "in_order")]
    frameworks: Vec<(Arc<str>, Vec<Arc<str>>)>,
    waiver: Option<WaiverDocument>,
}

#[derive(Deserialize)]
struct EvidenceDocument {
    document: Arc<str>,
    pointer: Option<Arc<str>>,
    page: Option<Arc<str>>,
    line: Option<u32>,
    column: Option<u32>,
}

#[derive(Deserialize)]
struct WaiverDocument {
    reason: Arc<str>,
    owner: Arc<str>,
    approver: Arc<str>,
    ticket: Arc<str>,
    expires: Date,
}

#[derive(Deserialize)]
struct GapDocument {
    provider: Option<String>,
    scope: Option<ScopeId>,
    kind: GapKind,
    call: Arc<str>,
    reason: Arc<str>,
    facts: String,
}

#[derive(Deserialize)]
struct RuleDocument {
    id: RuleId,
    title: Arc<str>,
    severity: Severity,
    default_severity: Option<Severity>,
    dimension: Dimension,
    what: Arc<str>,
    why: Arc<str>,
    fix: Arc<str>,
    frameworks: Vec<FrameworkDocument>,
    passed: u64,
    failed: u64,
    undecided: u64,
    error: Option<String>,
}

#[derive(Deserialize)]
struct FrameworkDocument {
    framework: Arc<str>,
    id: Arc<str>,
}

/// Reads a report from what [`crate::json::write`] wrote.
///
/// # Errors
/// When it is none, or of another version that left out or names something.
pub fn read(text: &str, known: Known<'_>) -> Result<Report, SavedError> {
    let document: Document<'_> = serde_json::from_str(text)?;
    if document.schema != SCHEMA {
        return Err(SavedError::Form(document.schema));
    }
    let rules: Vec<RuleOutcome> =
        document.rules.ok_or(SavedError::Earlier("rules"))?.into_iter().map(RuleOutcome::from).collect();
    let frameworks: HashMap<&RuleId, References> =
        rules.iter().map(|rule| (&rule.id, rule.frameworks.as_slice().into())).collect();
    let findings =
        document.findings.into_iter().map(|finding| finding.read(known, &frameworks)).collect::<Result<Vec<_>, _>>()?;
    let gaps = document.gaps.into_iter().map(|gap| gap.read(known)).collect::<Result<Vec<_>, _>>()?;
    let ScanDocument { id, time, sources } = document.scan;
    if !is_scan_id(&id) {
        return Err(SavedError::ScanId(id));
    }
    let sources = sources.into_iter().map(|source| source.read(known)).collect::<Result<Vec<_>, _>>()?;
    let tables = known
        .tables
        .iter()
        .map(|spec| table(spec, document.tables.get(spec.name).copied()))
        .collect::<Result<Vec<_>, _>>()?;
    let Document { tool, score, coverage, filtered_findings, hints, possible_agents, comparisons, .. } = document;
    Ok(Report {
        tool: Tool {
            name: "evenhand",
            version: tool.version,
            rules: tool.rules,
            rule_pack: tool.rule_pack,
            catalogs: tool.catalogs,
        },
        scan: Scan { id, time, sources },
        score: score.map(Score::from),
        tables,
        comparisons: comparisons.ok_or(SavedError::Earlier("comparisons"))?,
        findings,
        filtered: filtered_findings,
        gaps,
        hints,
        possible_agents,
        coverage: coverage.read()?,
        rules,
    })
}

/// Whether a text is the id of a scan: 32 hexadecimal digits in lower case.
fn is_scan_id(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'))
}

impl Known<'_> {
    fn provider(&self, name: &str) -> Result<ProviderName, SavedError> {
        let found = self.providers.iter().find(|provider| provider.0 == name);
        found.copied().ok_or_else(|| SavedError::Unknown("provider", name.to_owned()))
    }
}

impl SourceDocument {
    fn read(self, known: Known<'_>) -> Result<SourceFile, SavedError> {
        let Self { path, status, provider, what, bytes } = self;
        let provider = provider.map(|name| known.provider(&name)).transpose()?.map(|provider| provider.0);
        Ok(SourceFile { path, status, provider, what, bytes })
    }
}

impl From<ScoreDocument> for Score {
    fn from(score: ScoreDocument) -> Self {
        let mover = |mover: MoverDocument| Mover {
            rule: mover.rule,
            open: mover.open,
            fixed: Millionths(mover.fixed_millionths),
        };
        Self {
            raw: score.raw_millionths.map_or(Millionths::BEST, Millionths),
            governed: score.governed_millionths.map_or(Millionths::BEST, Millionths),
            exposure: score.exposure_millionths.map(Millionths),
            open: score.open,
            moved_by: score.moved_by.into_iter().map(mover).collect(),
        }
    }
}

impl CoverageDocument {
    fn read(self) -> Result<Coverage, SavedError> {
        Ok(Coverage {
            files_read: self.files_read,
            files_partial: self.files_partial,
            files_failed: self.files_failed,
            files_unrecognised: self.files_unrecognised,
            identities: self.identities,
            natures: counted("nature", &self.natures, Nature::ALL.map(Nature::as_str))?,
            verdicts: counted("verdict", &self.verdicts, Verdict::ALL.map(Verdict::as_str))?,
            rules: self.rules,
            decided: self.decided,
            undecided: self.undecided,
            settings: Settings {
                configuration: self.configuration,
                waivers: self.waivers,
                rules_off: self.rules_off,
                rules_levelled: self.rules_levelled,
                rules_chosen_by: self.rules_chosen_by,
            },
        })
    }
}

/// Counts by name, in the order of the names.
fn counted<const N: usize>(
    what: &'static str,
    counts: &HashMap<String, usize>,
    names: [&'static str; N],
) -> Result<Vec<(&'static str, usize)>, SavedError> {
    let mut unknown: Vec<&String> = counts.keys().filter(|name| !names.contains(&name.as_str())).collect();
    unknown.sort();
    match unknown.first() {
        Some(name) => Err(SavedError::Unknown(what, (*name).clone())),
        None => Ok(names.into_iter().filter_map(|name| Some((name, *counts.get(name)?))).collect()),
    }
}

impl FindingDocument {
    fn read(self, known: Known<'_>, frameworks: &HashMap<&RuleId, References>) -> Result<Finding, SavedError> {
        let of_rule = frameworks.get(&self.rule).map(Arc::clone);
        let written = self.frameworks;
        let waiver = self.waiver.map(|waiver| {
            Arc::new(Waiver {
                rule: self.rule.shared(),
                identity: self.identity.shared(),
                reason: waiver.reason,
                owner: waiver.owner,
                approver: waiver.approver,
                ticket: waiver.ticket,
                expires: waiver.expires,
                evidence: Evidence::whole(""),
            })
        });
        Ok(Finding {
            id: self.id,
            rule: self.rule,
            severity: self.severity,
            dimension: self.dimension,
            status: self.status,
            provider: known.provider(&self.provider)?,
            scope: self.scope,
            identity: self.identity,
            name: self.name,
            title: self.title,
            facts: self.facts,
            evidence: self.evidence.into_iter().map(Evidence::from).collect(),
            remedy: self.remedy,
            missing: self.missing.into(),
            frameworks: of_rule.unwrap_or_else(|| {
                let each =
                    |(key, ids): (Arc<str>, Vec<Arc<str>>)| ids.into_iter().map(move |id| (Arc::clone(&key), id));
                written.into_iter().flat_map(each).collect()
            }),
            waiver,
        })
    }
}

impl From<EvidenceDocument> for Evidence {
    fn from(evidence: EvidenceDocument) -> Self {
        let EvidenceDocument { document, pointer, page, line, column } = evidence;
        let place = match (pointer, page, line, column) {
            (pointer, Some(page), ..) => Place::Setting { pointer: pointer.unwrap_or_default(), page },
            (Some(pointer), ..) => Place::Pointer(pointer),
            (None, None, Some(line), Some(column)) => Place::LineColumn(line, column),
            (None, None, Some(line), None) => Place::Line(line),
            (None, None, None, _) => Place::Whole,
        };
        Self { document, place }
    }
}

impl GapDocument {
    fn read(self, known: Known<'_>) -> Result<Gap, SavedError> {
        let provider = self.provider.map(|name| known.provider(&name)).transpose()?;
        let lost = Lost { words: Cow::Owned(self.facts), about: Subject::ALL };
        Ok(Gap {
            provider,
            scope: self.scope,
            kind: self.kind,
            call: self.call,
            reason: self.reason,
            facts: if lost.words.is_empty() { Vec::new() } else { vec![lost] },
        })
    }
}

impl From<RuleDocument> for RuleOutcome {
    fn from(rule: RuleDocument) -> Self {
        Self {
            id: rule.id,
            title: rule.title,
            severity: rule.severity,
            // Reports of older versions do not tell it.
            default_severity: rule.default_severity.unwrap_or(rule.severity),
            dimension: rule.dimension,
            what: rule.what,
            why: rule.why,
            fix: rule.fix,
            frameworks: rule.frameworks.into_iter().map(|of| (of.framework, of.id)).collect(),
            passed: rule.passed,
            failed: rule.failed,
            undecided: rule.undecided,
            error: rule.error,
        }
    }
}

/// The members of an object in the order in which they are written.
fn in_order<'de, D: Deserializer<'de>, V: Deserialize<'de>>(deserializer: D) -> Result<Vec<(Arc<str>, V)>, D::Error> {
    struct Members<V>(std::marker::PhantomData<V>);

    impl<'de, V: Deserialize<'de>> Visitor<'de> for Members<V> {
        type Value = Vec<(Arc<str>, V)>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut members = Vec::with_capacity(map.size_hint().unwrap_or_default());
            while let Some(member) = map.next_entry()? {
                members.push(member);
            }
            Ok(members)
        }
    }

    deserializer.deserialize_map(Members(std::marker::PhantomData))
}

/// A fact table from its rows, which are read into the columns one after the other.
fn table(spec: &'static TableSpec, rows: Option<&RawValue>) -> Result<Table, SavedError> {
    let mut table = Table { spec, columns: spec.columns.iter().map(|column| Column::empty(column.kind)).collect() };
    if let Some(rows) = rows {
        let mut source = serde_json::Deserializer::from_str(rows.get());
        Rows(&mut table).deserialize(&mut source)?;
    }
    Ok(table)
}

struct Rows<'t>(&'t mut Table);

impl<'de> DeserializeSeed<'de> for Rows<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Rows<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of rows")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut rows: A) -> Result<(), A::Error> {
        while rows.next_element_seed(Row(&mut *self.0))?.is_some() {}
        Ok(())
    }
}

struct Row<'t>(&'t mut Table);

impl<'de> DeserializeSeed<'de> for Row<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Row<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a row")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let Table { spec, columns } = self.0;
        let rows = columns.first().map_or(0, Column::len);
        while let Some(name) = members.next_key::<Cow<'_, str>>()? {
            let at = spec.columns.iter().position(|column| column.name == name);
            match at.and_then(|at| columns.get_mut(at)).filter(|column| column.len() == rows) {
                Some(Column::Text(values)) => values.push(members.next_value::<Option<Arc<str>>>()?),
                Some(Column::Integer(values)) => values.push(members.next_value()?),
                Some(Column::Float(values)) => values.push(members.next_value::<Exact>()?.0),
                Some(Column::Boolean(values)) => values.push(members.next_value()?),
                Some(Column::Timestamp(values)) => values.push(members.next_value()?),
                None => {
                    members.next_value::<IgnoredAny>()?;
                }
            }
        }
        // A column that the row does not have.
        for column in columns.iter_mut().filter(|column| column.len() == rows) {
            match column {
                Column::Text(values) => values.push(None),
                Column::Integer(values) => values.push(None),
                Column::Float(values) => values.push(None),
                Column::Boolean(values) => values.push(None),
                Column::Timestamp(values) => values.push(None),
            }
        }
        Ok(())
    }
}

/// A number as it was written: the reader of JSON may be off by the last bit.
struct Exact(Option<f64>);

impl<'de> Deserialize<'de> for Exact {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error as _;
        match Option::<&RawValue>::deserialize(deserializer)? {
            Some(number) => number.get().parse().map(|number| Self(Some(number))).map_err(D::Error::custom),
            None => Ok(Self(None)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_of_a_scan_is_no_part_of_a_path_but_a_name() {
        for (text, is) in [
            ("0123456789abcdef0123456789abcdef", true),
            ("0123456789abcdef0123456789abcde", false),
            ("0123456789abcdef0123456789abcdef0", false),
            ("0123456789ABCDEF0123456789ABCDEF", false),
            ("../../../../../../../../evil", false),
            ("", false),
        ] {
            assert_eq!(is_scan_id(text), is, "{text}");
        }
    }
}
