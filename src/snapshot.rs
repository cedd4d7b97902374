//! A scan of another time, as its JSON report tells it: what `diff`, `baseline` and the gate hold the present against.
//!
//! Only what can be compared is taken. Who writes such a report is [`evenhand_reports::json`]; members that it gains are
//! no concern here.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

use evenhand_model::score::Millionths;
use evenhand_model::table::{Table, Value};
use evenhand_reports::Report;
use evenhand_reports::json::SCHEMA;
use serde::{Deserialize, Deserializer, Serialize};

use crate::growth::{Measures, measures};

/// Excess of an AI identity over its human role.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Atom {
    /// The operation, or a wildcard for several.
    pub operation: String,
    /// On what.
    pub scope: String,
    /// Under what condition; empty where there is none.
    pub condition: String,
    /// Whether it is excess for certain.
    pub decided: bool,
}

/// What a scan found, by stable ids.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// The scan's id.
    pub scan: String,
    /// Its moment.
    pub time: String,
    /// The version of the tool.
    pub version: String,
    /// The hash of the rules that were evaluated; `None` = the report is of a version that did not write it.
    pub rule_pack: Option<String>,
    /// The score, without and with accepted exceptions; `None` where nothing was judged, or the numbers say nothing.
    pub score: Option<(Millionths, Millionths)>,
    /// Findings by id.
    pub findings: BTreeMap<String, Seen>,
    /// What tells how bad a finding is, by its id.
    pub measures: BTreeMap<String, Measures>,
    /// Identities by id.
    pub identities: BTreeMap<String, Standing>,
    /// The accounts, clusters … of these.
    pub scopes: BTreeSet<String>,
    /// What was not read: where, empty for no place in particular, and the call.
    pub gaps: BTreeSet<(String, String)>,
    /// Whether it is of a version that did not write what identities may do.
    pub without_access: bool,
    /// Excess of AI identities over their human roles, by identity.
    pub excess: BTreeMap<String, BTreeSet<Atom>>,
}

/// A finding of a snapshot.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Seen {
    /// The rule.
    pub rule: String,
    /// How bad it is.
    pub severity: String,
    /// `fail` or `unknown`.
    pub status: String,
    /// Who.
    pub identity: String,
    /// What is wrong, in one line.
    pub title: String,
    /// Whether a waiver covered it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub waived: bool,
    /// Whose evidence it rests on; empty in baselines of a version that did not write it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub provider: String,
    /// The account, cluster … of whom it is about; empty where nobody knows, and as `provider` is.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub scope: String,
}

impl Seen {
    /// Whether a gate saw it: it failed, and nobody had accepted it. What was undecided counts under `strict` alone.
    pub fn tripped(&self, strict: bool) -> bool {
        !self.waived && (self.status == "fail" || strict)
    }
}

/// An identity of a snapshot.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Standing {
    /// Its name.
    pub name: String,
    /// Its nature.
    pub nature: String,
    /// Its parity verdict; `None` for those that are not compared.
    pub verdict: Option<String>,
    /// The operations that it may use; `None` = not known.
    pub operations: Option<i64>,
    /// What it may do; `None` = no AI identity, not known, or too long for a report.
    #[serde(skip)]
    pub access_list: Option<String>,
    /// A hash of that; `None` = no AI identity, not known, or a report of a version that did not write it.
    #[serde(skip)]
    pub access_hash: Option<String>,
}

/// Why a snapshot cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("`{}` {what}", .path.display())]
pub struct SnapshotError {
    path: PathBuf,
    what: String,
    /// What to do about it.
    pub remedy: &'static str,
}

/// How a snapshot is made.
const MAKE: &str = "write one with `evenhand scan … -o json=FILE`";

#[derive(Deserialize)]
struct Document {
    schema: String,
    tool: Tool,
    scan: Scan,
    score: Option<Score>,
    findings: Vec<Finding>,
    filtered_findings: usize,
    gaps: Vec<Gap>,
    tables: Tables,
}

#[derive(Deserialize)]
struct Gap {
    scope: Option<String>,
    call: String,
}

#[derive(Deserialize)]
struct Tool {
    version: String,
    rule_pack: Option<String>,
}

#[derive(Deserialize)]
struct Scan {
    id: String,
    time: String,
}

#[derive(Deserialize)]
struct Score {
    /// `None` where the score is not known.
    raw_millionths: Option<u32>,
    governed_millionths: Option<u32>,
    /// `None` where a version that did not write it made the report. Earlier ones wrote numbers beside `false`.
    known: Option<bool>,
}

#[derive(Deserialize)]
struct Finding {
    id: String,
    rule: String,
    severity: String,
    status: String,
    provider: String,
    scope: String,
    identity: String,
    title: String,
    #[serde(default)]
    facts: BTreeMap<String, String>,
    waiver: Option<serde::de::IgnoredAny>,
}

#[derive(Deserialize)]
struct Tables {
    identities: Vec<Identity>,
    excess: Vec<Excess>,
}

#[derive(Deserialize)]
struct Identity {
    id: String,
    scope: String,
    name: String,
    nature: String,
    verdict: Option<String>,
    operations: Option<i64>,
    access_list: Option<String>,
    /// `None` where it is not written at all.
    #[serde(default, deserialize_with = "written")]
    access_hash: Option<Option<String>>,
}

/// A member that is there, whatever it holds.
fn written<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<String>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

#[derive(Deserialize)]
struct Excess {
    identity: String,
    operation: String,
    scope: String,
    condition: String,
    decided: bool,
}

impl Snapshot {
    /// Reads the JSON report of a scan.
    ///
    /// # Errors
    /// When it cannot be read, is no report, or is not whole because a filter left findings out.
    pub fn read(path: &Path) -> Result<Self, SnapshotError> {
        let fail = |what: String, remedy| SnapshotError { path: path.to_owned(), what, remedy };
        if path.is_dir() {
            let remedy =
                "write one with `evenhand scan … -o json=FILE`; `evenhand history` tells what changed in a store";
            return Err(fail("is a folder, and the JSON report of a scan is wanted".to_owned(), remedy));
        }
        let file = File::open(path).map_err(|error| fail(format!("cannot be read: {error}"), MAKE))?;
        let mut text = Vec::new();
        BufReader::new(file).read_to_end(&mut text).map_err(|error| fail(format!("cannot be read: {error}"), MAKE))?;
        let document: Document = serde_json::from_slice(&text)
            .map_err(|error| fail(format!("is no JSON report of a scan: {error}"), MAKE))?;
        if document.schema != SCHEMA {
            let what = format!("is of the form `{}`, and `{SCHEMA}` is wanted", document.schema);
            return Err(fail(what, "scan again with this version"));
        }
        if document.filtered_findings > 0 {
            let what = format!("left out {} findings by --severity", document.filtered_findings);
            return Err(fail(what, "write it without --severity: a comparison needs all findings"));
        }
        Ok(Self::from(document))
    }

    /// Whether another version of the tool, or other rules, made it: findings may then be new because the rules are.
    ///
    /// `rule_pack`: the hash of the rules.
    pub fn is_of_others(&self, version: &str, rule_pack: &str) -> bool {
        self.version != version || self.rule_pack.as_ref().is_some_and(|held| held != rule_pack)
    }

    /// What the present scan found. Its report must hold all findings.
    pub fn of(report: &Report) -> Self {
        let findings = report.findings.iter().map(|finding| {
            let seen = Seen {
                rule: finding.rule.to_string(),
                severity: finding.severity.to_string(),
                status: finding.status.as_str().to_owned(),
                identity: finding.identity.to_string(),
                title: finding.title.clone(),
                waived: finding.waiver.is_some(),
                provider: finding.provider.0.to_owned(),
                scope: finding.scope.to_string(),
            };
            (finding.id.to_string(), seen)
        });
        let facts = report.findings.iter().map(|finding| {
            let facts = finding.facts.iter().map(|(name, told)| (&**name, told.as_str()));
            (finding.id.to_string(), measures(facts))
        });
        let table = |name: &str| report.tables.iter().find(|table| table.spec.name == name);
        let gaps = report.gaps.iter().map(|gap| {
            let scope = gap.scope.as_ref().map(ToString::to_string);
            (scope.unwrap_or_default(), gap.call.to_string())
        });
        Self {
            scan: report.scan.id.clone(),
            time: report.scan.time.to_string(),
            version: report.tool.version.to_string(),
            rule_pack: Some(report.tool.rule_pack.clone()),
            score: report.known_score().map(|score| (score.raw, score.governed)),
            findings: findings.collect(),
            measures: facts.collect(),
            identities: table("identities").map(identities).unwrap_or_default(),
            scopes: table("identities").map(scopes).unwrap_or_default(),
            gaps: gaps.collect(),
            without_access: false,
            excess: table("excess").map(excess).unwrap_or_default(),
        }
    }
}

fn text(table: &Table, row: usize, column: &str) -> Option<String> {
    match table.value(row, column) {
        Value::Text(text) => Some(text.to_string()),
        _ => None,
    }
}

fn identities(table: &Table) -> BTreeMap<String, Standing> {
    let rows = (0..table.rows()).filter_map(|row| {
        let standing = Standing {
            name: text(table, row, "name")?,
            nature: text(table, row, "nature")?,
            verdict: text(table, row, "verdict"),
            operations: match table.value(row, "operations") {
                Value::Integer(count) => Some(count),
                _ => None,
            },
            access_list: text(table, row, "access_list"),
            access_hash: text(table, row, "access_hash"),
        };
        Some((text(table, row, "id")?, standing))
    });
    rows.collect()
}

fn scopes(table: &Table) -> BTreeSet<String> {
    (0..table.rows()).filter_map(|row| text(table, row, "scope")).collect()
}

fn excess(table: &Table) -> BTreeMap<String, BTreeSet<Atom>> {
    let column = |row: usize, name: &str| text(table, row, name);
    let rows = (0..table.rows()).filter_map(|row| {
        let atom = Atom {
            operation: column(row, "operation")?,
            scope: column(row, "scope")?,
            condition: column(row, "condition")?,
            decided: table.value(row, "decided") == Value::Boolean(true),
        };
        Some((column(row, "identity")?, atom))
    });
    by_identity(rows)
}

fn by_identity(rows: impl Iterator<Item = (String, Atom)>) -> BTreeMap<String, BTreeSet<Atom>> {
    let mut all: BTreeMap<String, BTreeSet<Atom>> = BTreeMap::new();
    for (identity, atom) in rows {
        all.entry(identity).or_default().insert(atom);
    }
    all
}

impl From<Document> for Snapshot {
    fn from(document: Document) -> Self {
        let facts = document.findings.iter().map(|finding| {
            let facts = finding.facts.iter().map(|(name, told)| (name.as_str(), told.as_str()));
            (finding.id.clone(), measures(facts))
        });
        let measures = facts.collect();
        let findings = document.findings.into_iter().map(|finding| {
            let seen = Seen {
                rule: finding.rule,
                severity: finding.severity,
                status: finding.status,
                identity: finding.identity,
                title: finding.title,
                waived: finding.waiver.is_some(),
                provider: finding.provider,
                scope: finding.scope,
            };
            (finding.id, seen)
        });
        let without_access = document.tables.identities.iter().any(|identity| identity.access_hash.is_none());
        let scopes = document.tables.identities.iter().map(|identity| identity.scope.clone()).collect();
        let gaps = document.gaps.into_iter().map(|gap| (gap.scope.unwrap_or_default(), gap.call));
        let identities = document.tables.identities.into_iter().map(|identity| {
            let Identity { id, scope: _, name, nature, verdict, operations, access_list, access_hash } = identity;
            let access_hash = access_hash.flatten();
            (id, Standing { name, nature, verdict, operations, access_list, access_hash })
        });
        Self {
            scan: document.scan.id,
            time: document.scan.time,
            version: document.tool.version,
            rule_pack: document.tool.rule_pack,
            score: document
                .score
                .filter(|score| score.known != Some(false))
                .and_then(|score| Some((Millionths(score.raw_millionths?), Millionths(score.governed_millionths?)))),
            findings: findings.collect(),
            measures,
            identities: identities.collect(),
            scopes,
            gaps: gaps.collect(),
            without_access,
            excess: by_identity(document.tables.excess.into_iter().map(|excess| {
                let Excess { identity, operation, scope, condition, decided } = excess;
                (identity, Atom { operation, scope, condition, decided })
            })),
        }
    }
}
