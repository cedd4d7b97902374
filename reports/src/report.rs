//! The report model: everything a format may say about a scan.

use std::fmt;
use std::sync::Arc;

use evenhand_model::catalog::CatalogSource;
use evenhand_model::finding::{Dimension, Finding, Severity};
use evenhand_model::gap::{Gap, GapKind};
use evenhand_model::id::{IdentityId, RuleId};
use evenhand_model::inventory::Hint;
use evenhand_model::parity::Comparison;
use evenhand_model::score::{Millionths, Score};
use evenhand_model::table::Table;
use jiff::Timestamp;
use serde::{Deserialize, Serialize, Serializer};

/// A whole scan, ready to be written.
#[derive(Clone, Debug)]
pub struct Report {
    /// The tool that made it.
    pub tool: Tool,
    /// The scan.
    pub scan: Scan,
    /// The posture score; `None` where no rules were asked for.
    pub score: Option<Score>,
    /// The fact tables.
    pub tables: Vec<Table>,
    /// Parity of the AI identities, in the order of their ids.
    pub comparisons: Vec<Comparison>,
    /// Findings after report filters, worst first.
    pub findings: Vec<Finding>,
    /// Findings that report filters left out.
    pub filtered: usize,
    /// What could not be read.
    pub gaps: Vec<Gap>,
    /// Remarks on the input.
    pub hints: Vec<Hint>,
    /// Identities that may be agents although nothing proves it, in the order of their ids.
    pub possible_agents: Vec<PossibleAgent>,
    /// How much was read and judged.
    pub coverage: Coverage,
    /// The rules that were evaluated, in the order of their ids.
    pub rules: Vec<RuleOutcome>,
}

/// A rule that was evaluated, and what came of it. The counts are of rows, before report filters.
#[derive(Clone, Debug, Serialize)]
pub struct RuleOutcome {
    /// Its id.
    pub id: RuleId,
    /// What is wrong when it fails, in a few words.
    pub title: Arc<str>,
    /// How bad that is.
    pub severity: Severity,
    /// The same where no configuration says otherwise.
    pub default_severity: Severity,
    /// In which way.
    pub dimension: Dimension,
    /// What is looked at.
    pub what: Arc<str>,
    /// Why it matters.
    pub why: Arc<str>,
    /// How to put it right: a line, and steps that begin with `- `.
    pub fix: Arc<str>,
    /// Framework ids: (framework key, id).
    #[serde(serialize_with = "by_name")]
    pub frameworks: Vec<(Arc<str>, Arc<str>)>,
    /// Rows that pass.
    pub passed: u64,
    /// Rows that fail.
    pub failed: u64,
    /// Rows that cannot be decided.
    pub undecided: u64,
    /// Why it could not be evaluated at all.
    pub error: Option<String>,
}

/// Writes framework ids as objects.
fn by_name<S: Serializer>(frameworks: &[(Arc<str>, Arc<str>)], serializer: S) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct Named<'a> {
        framework: &'a str,
        id: &'a str,
    }

    serializer.collect_seq(frameworks.iter().map(|(framework, id)| Named { framework, id }))
}

impl Report {
    /// Leaves out the findings below a severity, and counts them.
    pub fn leave_out_below(&mut self, least: Severity) {
        let all = self.findings.len();
        self.findings.retain(|finding| finding.severity >= least);
        self.filtered += all - self.findings.len();
    }

    /// Whether all could be read that should be there. What was never collected is a gap, and no failure.
    pub fn is_complete(&self) -> bool {
        is_complete(&self.gaps)
    }

    /// Whether the score says anything. Where nothing is open, that is so only if some check was decided and nothing failed
    /// to be read: what nobody looked at is no perfect posture.
    pub fn is_score_known(&self) -> bool {
        self.known_score().is_some()
    }

    /// The score, if it says anything.
    pub fn known_score(&self) -> Option<&Score> {
        known_score(self.score.as_ref()?, &self.gaps, self.coverage.decided)
    }
}

/// Whether all could be read that should be there, by what was not read.
pub fn is_complete(gaps: &[Gap]) -> bool {
    !gaps.iter().any(|gap| gap.kind == GapKind::Failed)
}

/// A score, if it says anything beside what could not be read and the number of decided checks.
pub fn known_score<'a>(score: &'a Score, gaps: &[Gap], decided: u64) -> Option<&'a Score> {
    (score.raw != Millionths::BEST || (decided > 0 && is_complete(gaps))).then_some(score)
}

/// The tool.
#[derive(Clone, Debug, Serialize)]
pub struct Tool {
    /// Its name.
    pub name: &'static str,
    /// Its version.
    pub version: Arc<str>,
    /// The number of rules evaluated.
    pub rules: usize,
    /// A hash of these rules and their thresholds: equal where the same facts give the same findings.
    pub rule_pack: String,
    /// The catalogues of operations that access was resolved with.
    pub catalogs: Vec<CatalogSource>,
}

/// The scan.
#[derive(Clone, Debug, Serialize)]
pub struct Scan {
    /// A hash of the input and the options: the same for the same scan.
    pub id: String,
    /// The moment of the scan.
    pub time: Timestamp,
    /// What was read.
    pub sources: Vec<SourceFile>,
}

/// A file that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SourceFile {
    /// Its path as the user named it.
    pub path: Arc<str>,
    /// Whether it was understood.
    pub status: SourceStatus,
    /// The provider that read it.
    pub provider: Option<&'static str>,
    /// What it is, in the provider's words; or why it was not read.
    pub what: Arc<str>,
    /// Its size in bytes, decompressed.
    pub bytes: u64,
}

/// What a source file is that evenhand wrote as evidence of an earlier scan: it says what was found there, and is no evidence
/// of anything itself.
pub const OWN_EVIDENCE: &str = "evidence that evenhand wrote";
/// The same of a JSON report and of a baseline.
pub const OWN_REPORT: &str = "a report or a baseline that evenhand wrote";

/// Begins what a source file is that no provider knows where it lies, and that one would know elsewhere.
pub const LOOKS_LIKE: &str = "it looks like ";

impl SourceFile {
    /// Whether nobody expects a provider to know it.
    pub fn is_expected(&self) -> bool {
        self.is_prose() || self.is_own()
    }

    /// Whether evenhand wrote it itself.
    pub fn is_own(&self) -> bool {
        self.status == SourceStatus::Unrecognised && [OWN_EVIDENCE, OWN_REPORT].contains(&&*self.what)
    }

    /// Whether it is text that people write beside their documents, such as a README: no provider knows it, and nobody
    /// expects one to.
    pub fn is_prose(&self) -> bool {
        const NAMES: [&str; 9] =
            ["authors", "changelog", "contributing", "copying", "license", "licence", "notice", "notices", "readme"];
        const ENDINGS: [&str; 6] = ["adoc", "markdown", "md", "mdx", "rst", "txt"];
        const DATA: [&str; 15] = [
            "csv", "env", "gz", "hcl", "ini", "json", "json5", "jsonc", "jsonl", "ndjson", "toml", "xml", "yaml",
            "yml", "zst",
        ];
        const CODE: [&str; 24] = [
            "bicep", "c", "cpp", "cs", "go", "html", "j2", "java", "js", "jsx", "kt", "mjs", "php", "ps1", "py", "rb",
            "rs", "sh", "sql", "tf", "tfvars", "tmpl", "ts", "tsx",
        ];
        let name = self.path.rsplit('/').next().unwrap_or(&self.path).to_ascii_lowercase();
        let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
        // `export.json.txt` is an export that somebody renamed.
        let is_data = name.split('.').skip(1).any(|ending| DATA.contains(&ending));
        // What follows such a name says whose it is: `LICENSE-MIT`, `LICENSE.project`.
        let is_called_so = || name.split(['.', '-', '_']).next().is_some_and(|first| NAMES.contains(&first));
        let is_text = ENDINGS.contains(&ending) || (!CODE.contains(&ending) && is_called_so());
        // A pattern stands for several files of one type.
        let is_unknown = self.status == SourceStatus::Unrecognised && !self.what.starts_with(LOOKS_LIKE);
        is_unknown && is_text && !is_data && self.bytes > 0
    }
}

/// What became of a file.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SourceStatus {
    /// A provider read it.
    Read,
    /// A provider read it, but parts of it could not be understood.
    Partial,
    /// It could not be understood at all.
    Failed,
    /// No provider knows such documents.
    Unrecognised,
}

/// An identity that a weak sign, such as its name, hints to be an agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PossibleAgent {
    /// The identity.
    pub identity: IdentityId,
    /// The sign.
    pub hint: Arc<str>,
}

/// How much was read and judged.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Coverage {
    /// Files by what became of them.
    pub files_read: usize,
    /// Files of which parts were not understood.
    pub files_partial: usize,
    /// Files not understood at all.
    pub files_failed: usize,
    /// Files that no provider knows, text for people and what an earlier scan wrote among them.
    pub files_unrecognised: usize,
    /// All identities.
    pub identities: usize,
    /// Identities by nature, in the order of [`evenhand_model::identity::Nature`].
    pub natures: Vec<(&'static str, usize)>,
    /// AI identities by verdict, in the order of [`evenhand_model::parity::Verdict`].
    pub verdicts: Vec<(&'static str, usize)>,
    /// Rules evaluated.
    pub rules: usize,
    /// Decided (rule, row) pairs: passed or failed.
    pub decided: u64,
    /// Undecided (rule, row) pairs.
    pub undecided: u64,
    /// What the configuration and the command line made of it.
    pub settings: Settings,
}

/// What was in force besides the input: whoever reads a report has to see that somebody switched a rule off.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Settings {
    /// The configuration; `None` = defaults, or a report of a version that did not write it.
    pub configuration: Option<Arc<str>>,
    /// The file of waivers beside it or alone.
    pub waivers: Option<Arc<str>>,
    /// The rules that the configuration switches off, sorted.
    pub rules_off: Vec<Arc<str>>,
    /// The rules that it gives a level, sorted.
    pub rules_levelled: Vec<Levelled>,
    /// The options of the command line that chose the rules, as `--skip no-owner`.
    pub rules_chosen_by: Vec<Arc<str>>,
}

/// A rule with the level that a configuration gives it; written as `no-owner = low`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Levelled {
    /// The rule.
    pub rule: Arc<str>,
    /// Its level.
    pub severity: Severity,
}

impl fmt::Display for Levelled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} = {}", self.rule, self.severity)
    }
}

impl From<Levelled> for String {
    fn from(levelled: Levelled) -> Self {
        levelled.to_string()
    }
}

impl TryFrom<String> for Levelled {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let parts = text.split_once(" = ").and_then(|(rule, level)| Some((rule, Severity::parse(level)?)));
        let (rule, severity) = parts.ok_or_else(|| format!("`{text}` is no rule with its level"))?;
        Ok(Self { rule: rule.into(), severity })
    }
}

impl Coverage {
    /// Decided pairs in percent of all, rounded down; `None` when nothing was to be decided.
    pub fn percent(&self) -> Option<u64> {
        let all = self.decided.checked_add(self.undecided).filter(|all| *all > 0)?;
        Some(self.decided.saturating_mul(100) / all)
    }
}

/// Why a report could not be written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The sink refused.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// A value could not be serialised.
    #[error("the report could not be serialised: {0}")]
    Json(#[from] serde_json::Error),
    /// A CSV record could not be written.
    #[error("the CSV could not be written: {0}")]
    Csv(#[from] ::csv::Error),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_for_people_is_told_by_its_name_and_not_what_looks_like_a_document() {
        let is_prose = |path: &str, what: &str| {
            let file = SourceFile {
                path: path.into(),
                status: SourceStatus::Unrecognised,
                provider: None,
                what: what.into(),
                bytes: 1,
            };
            file.is_prose()
        };
        let unknown = "text that no provider knows";
        for path in ["NOTICE", "a/project.NOTICE.txt", "LICENSE-MIT", "LICENSE.project", "b/README.md", "notes.v2.txt"]
        {
            assert!(is_prose(path, unknown), "{path}");
        }
        for path in [
            "license.json",
            "README.yaml",
            "notice.csv.gz",
            "Makefile",
            "export.json.txt",
            "roles.yaml.md",
            "license_check.tf",
            "notice.py",
        ] {
            assert!(!is_prose(path, unknown), "{path}");
        }
        assert!(!is_prose("agent.md", &format!("{LOOKS_LIKE}the definition of an agent")));
    }

    #[test]
    fn a_rule_with_its_level_is_read_as_it_is_written() {
        let levelled = Levelled { rule: "no-owner".into(), severity: Severity::Low };
        let text = serde_json::to_string(&levelled).unwrap();
        assert_eq!(text, r#""no-owner = low""#);
        assert_eq!(serde_json::from_str::<Levelled>(&text).unwrap(), levelled);
        for wrong in [r#""no-owner""#, r#""no-owner = lowest""#] {
            assert!(serde_json::from_str::<Levelled>(wrong).is_err(), "{wrong}");
        }
    }
}
