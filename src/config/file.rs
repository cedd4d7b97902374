//! The configuration file as people write it. The doc comments are the descriptions in its JSON schema.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use toml::Spanned;

/// The configuration of evenhand: `evenhand.toml`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ConfigFile {
    /// What to scan, and what the scan is expected to find.
    pub scope: Scope,
    /// Settings by provider: `[providers.aws]`. Credentials never stand here.
    #[schemars(with = "BTreeMap<String, serde_json::Map<String, serde_json::Value>>")]
    pub providers: BTreeMap<Spanned<String>, toml::Table>,
    /// Job functions: who does a job, people and AI identities alike.
    #[schemars(with = "Vec<JobTable>")]
    pub job: Vec<Spanned<JobTable>>,
    /// The agents and tool servers that the organisation knows of. Without this table nothing is called unregistered.
    pub register: Option<RegisterTable>,
    /// The conditions under which a pipeline may go on. Flags of the command line win.
    pub gate: GateTable,
    /// Levels and parameters of rules: `[rules.<id>]`.
    #[schemars(with = "BTreeMap<String, RuleTable>")]
    pub rules: BTreeMap<Spanned<String>, BTreeMap<String, Spanned<toml::Value>>>,
    /// Own rules.
    pub pack: PackTable,
    /// Accepted exceptions. More of them may lie in `waivers.toml` beside this file.
    #[schemars(with = "Vec<WaiverTable>")]
    pub waiver: Vec<Spanned<WaiverTable>>,
}

/// The file of waivers, beside the configuration or alone: `waivers.toml`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WaiverFile {
    /// Accepted exceptions.
    pub waiver: Vec<Spanned<WaiverTable>>,
}

/// An accepted exception: one rule, for one identity, for 180 days at most.
///
/// One that names a pattern, that its owner approved alone, that has expired or that holds for longer covers nothing and
/// is a finding itself, as is one that no finding needs.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WaiverTable {
    /// The rule, by its id.
    #[schemars(with = "String")]
    pub rule: Spanned<String>,
    /// The identity, by its id as in reports.
    #[schemars(with = "String")]
    pub identity: Spanned<String>,
    /// Why it is accepted.
    #[schemars(with = "String")]
    pub reason: Spanned<String>,
    /// Who answers for it.
    #[schemars(with = "String")]
    pub owner: Spanned<String>,
    /// Who accepted it: somebody else than the owner.
    #[schemars(with = "String")]
    pub approver: Spanned<String>,
    /// Where that was discussed.
    #[schemars(with = "String")]
    pub ticket: Spanned<String>,
    /// The last day on which it holds, UTC: `YYYY-MM-DD`.
    #[schemars(with = "String")]
    pub expires: Spanned<toml::Value>,
}

/// What to scan, and what the scan is expected to find.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Scope {
    /// Folders to scan when no source is named, relative to this file.
    pub folders: Vec<String>,
    /// Accounts that the capture must hold. One that is missing is reported as a gap.
    pub accounts: Vec<String>,
    /// Organisations that the capture must hold. One that is missing is reported as a gap.
    pub organisations: Vec<String>,
    /// Clusters that the capture must hold. One that is missing is reported as a gap.
    pub clusters: Vec<String>,
    /// Folders inside the sources that stand for people's home folders, as patterns such as `laptops/home/*`: settings
    /// that lie there are a user's own, whatever version control says of the copy.
    pub homes: Vec<String>,
    /// The largest document that is read, decompressed, in MiB. Default: 4096.
    pub max_document_mib: Option<u64>,
}

/// A job function.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct JobTable {
    /// Its name, such as `incident-response`.
    #[schemars(with = "String")]
    pub name: Spanned<String>,
    /// Selectors of the roles through which people do the job: an id, a name, `kind/name`, with `*` and `?`, and
    /// `provider:` in front where it matters. Left out where they declare the job themselves, by tag or annotation.
    #[schemars(with = "Option<Vec<String>>")]
    pub human: Option<Spanned<Vec<Spanned<String>>>>,
    /// Selectors of the AI identities that do the job. Left out where they declare it themselves.
    #[schemars(with = "Option<Vec<String>>")]
    pub agents: Option<Spanned<Vec<Spanned<String>>>>,
    /// Why these belong together.
    pub rationale: Option<String>,
    /// Who reviewed the mapping.
    pub reviewed_by: Option<String>,
    /// When: `YYYY-MM-DD`.
    #[schemars(with = "Option<String>")]
    pub reviewed_on: Option<Spanned<toml::Value>>,
    /// Controls that stand before the people who do the job although no document shows them:
    /// `second_person_approval`, `just_in_time`, `change_gate`, `mfa`, `network_or_device`.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub controls: Vec<Spanned<String>>,
}

/// The agents and tool servers that the organisation knows of.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RegisterTable {
    /// Selectors of agents.
    #[schemars(with = "Vec<String>")]
    pub agents: Vec<Spanned<String>>,
    /// Selectors of tool servers.
    #[schemars(with = "Vec<String>")]
    pub tool_servers: Vec<Spanned<String>>,
    /// A file with more of both, CSV or JSON, relative to this one: the export of whatever keeps the register. The column
    /// or member `selector`, `id`, `identity`, `agent` or `name` names each.
    #[schemars(with = "Option<String>")]
    pub file: Option<Spanned<String>>,
}

/// The conditions under which a pipeline may go on.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct GateTable {
    /// Fails on any finding of this level or worse; of several levels the lowest counts.
    #[schemars(with = "Option<OneOrMany>")]
    pub fail_on: Option<Spanned<toml::Value>>,
    /// The lowest governed score that passes, 0 to 1000.
    #[schemars(with = "Option<u32>", range(max = 1000))]
    pub min_score: Option<Spanned<toml::Value>>,
    /// The largest number of excess operations that an AI identity may hold over its human role.
    #[schemars(with = "Option<u64>")]
    pub max_excess: Option<Spanned<toml::Value>>,
    /// The lowest share of decided rule results that passes, in percent.
    #[schemars(with = "Option<u8>", range(max = 100))]
    pub min_coverage: Option<Spanned<toml::Value>>,
    /// The lowest confidence of a baseline at which parity findings and excess trip the gate. Default: 0.7.
    #[schemars(with = "Option<f64>", range(min = 0.0, max = 1.0))]
    pub min_confidence: Option<Spanned<toml::Value>>,
    /// Of the findings, lets only those trip `fail_on` that `baseline` or `against` does not know.
    pub new_only: bool,
    /// The baseline that `evenhand baseline` writes and `new_only` reads, relative to this file. Without it:
    /// `evenhand-baseline.json` in the folder that evenhand runs in.
    #[schemars(with = "Option<String>")]
    pub baseline: Option<Spanned<String>>,
    /// The JSON report of an earlier scan, relative to this file.
    #[schemars(with = "Option<String>")]
    pub against: Option<Spanned<String>>,
    /// The largest fall of the governed score below that of `against` that passes.
    #[schemars(with = "Option<u32>", range(max = 1000))]
    pub max_drop: Option<Spanned<toml::Value>>,
    /// `strict` counts undecided findings like failed ones.
    pub evidence: EvidenceMode,
    /// Lets a scan pass although evidence was refused or could not be read.
    pub allow_partial: bool,
}

/// How undecided findings count for the gate.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EvidenceMode {
    /// They do not trip it.
    #[default]
    Normal,
    /// They count like failed ones.
    Strict,
}

/// One word or several, in the schema.
#[derive(JsonSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "describes the schema; the reader takes values with their places")]
enum OneOrMany {
    /// One.
    One(String),
    /// Several.
    Many(Vec<String>),
}

/// A rule's level and parameters, in the schema.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "describes the schema; the reader takes values with their places")]
struct RuleTable {
    /// `critical`, `high`, `medium`, `low` or `off`.
    level: Option<String>,
    /// The rule's parameters, under their own names.
    #[serde(flatten)]
    params: BTreeMap<String, serde_json::Value>,
}

/// Own rules.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PackTable {
    /// Folders with rule files, relative to this file.
    pub dirs: Vec<String>,
}
