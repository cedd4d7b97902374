//! The configuration: `evenhand.toml`.
//!
//! Two layers. [`file`] is the file as people write it, with its places, and the source of its JSON schema. [`Config`] is
//! what the pipeline uses: selectors read, days parsed, provider settings flattened and checked.

pub mod file;
mod find;
mod gate;
mod job;
mod problem;
mod register;
mod waivers;

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use evenhand_model::evidence::Evidence;
use evenhand_model::finding::Severity;
use evenhand_model::id::ProviderName;
use evenhand_model::provider::{Provider, Settings};
use evenhand_model::waiver::Waiver;
use evenhand_rules::jobs::{JobConfig, Register, RegisterEntry, Selector};
use evenhand_rules::pack::ParamValue;
use toml::Spanned;

pub(crate) use find::NAME;
pub use find::{above_source, find};
pub use problem::ConfigProblem;
pub(crate) use waivers::NAME as WAIVERS;

use crate::baseline;
use crate::gate::{GateSettings, Places};
use problem::Text;

/// A configuration, checked.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// The file; `None` = defaults.
    pub file: Option<Arc<str>>,
    /// The `[scope]` table.
    pub scope: file::Scope,
    /// Settings by provider.
    pub providers: BTreeMap<ProviderName, Settings>,
    /// Job functions.
    pub jobs: JobConfig,
    /// The register of known agents; `None` = there is no register.
    pub register: Option<Register>,
    /// The gate.
    pub gate: GateSettings,
    /// Where its conditions stand.
    pub gate_places: Places,
    /// Rules' levels and parameters, by rule id.
    pub rules: Vec<RuleSetting>,
    /// Folders with own rules, relative to the file.
    pub pack_dirs: Vec<PathBuf>,
    /// Folders to scan when no source is named, relative to the file.
    pub folders: Vec<PathBuf>,
    /// The baseline of the gate, where the file names one; [`Config::baseline`] is what is taken.
    pub baseline: Option<PathBuf>,
    /// The report of an earlier scan that the gate holds this one against.
    pub against: Option<PathBuf>,
    /// Accepted exceptions, those of the file itself first.
    pub waivers: Vec<Waiver>,
    /// The file of waivers in use; `None` = there is none.
    pub waiver_file: Option<Arc<str>>,
}

/// What the configuration says of one rule.
#[derive(Clone, Debug, PartialEq)]
pub struct RuleSetting {
    /// The rule.
    pub rule: String,
    /// Another severity.
    pub severity: Option<Severity>,
    /// Whether it is switched off.
    pub off: bool,
    /// Other values of its parameters.
    pub params: Vec<(String, ParamValue)>,
    /// Where that stands, as `evenhand.toml:12:1`.
    pub place: String,
}

impl Config {
    /// The baseline: the one that the file names, else [`baseline::NAME`] in the current folder.
    pub fn baseline(&self) -> &Path {
        self.baseline.as_deref().unwrap_or(Path::new(baseline::NAME))
    }

    /// Reads a configuration file.
    ///
    /// # Errors
    /// When it cannot be read, or says something that is not understood; the error names the place.
    pub fn read(path: &Path, providers: &[Box<dyn Provider>]) -> Result<Self, ConfigProblem> {
        let named: Arc<str> = path.to_string_lossy().into();
        let content = std::fs::read_to_string(path).map_err(|error| ConfigProblem::unreadable(&named, &error))?;
        let mut config = Self::parse(&named, content, providers)?;
        config.read_waivers(&path.with_file_name(waivers::NAME))?;
        Ok(config)
    }

    /// Adds the waivers of a file, where there is one.
    ///
    /// # Errors
    /// As [`Config::read`].
    pub fn read_waivers(&mut self, path: &Path) -> Result<(), ConfigProblem> {
        if !path.is_file() {
            return Ok(());
        }
        let named: Arc<str> = path.to_string_lossy().into();
        let content = std::fs::read_to_string(path).map_err(|error| ConfigProblem::no_waivers(&named, &error))?;
        self.waivers.extend(waivers::parse(&named, content)?);
        self.waiver_file = Some(named);
        Ok(())
    }

    /// Reads the text of a configuration file.
    ///
    /// # Errors
    /// As [`Config::read`].
    pub fn parse(path: &str, content: String, providers: &[Box<dyn Provider>]) -> Result<Self, ConfigProblem> {
        let text = Text::new(path, content);
        let raw: file::ConfigFile = toml::from_str(text.content()).map_err(|error| text.syntax(&error))?;
        let folder = Path::new(path).parent().unwrap_or(Path::new("")).to_owned();
        let beside = |folders: &[String]| folders.iter().map(|entry| folder.join(entry)).collect::<Vec<_>>();
        let (gate, gate_places) = gate::read(&raw.gate, &text)?;
        let mut config = Self {
            file: Some(path.into()),
            baseline: gate::file("baseline", raw.gate.baseline.as_ref(), &folder, &text)?,
            against: gate::file("against", raw.gate.against.as_ref(), &folder, &text)?,
            pack_dirs: beside(&raw.pack.dirs),
            folders: beside(&raw.scope.folders),
            scope: raw.scope,
            gate,
            gate_places,
            register: raw.register.as_ref().map(|register| register_of(register, &folder, &text)).transpose()?,
            ..Self::default()
        };
        for (name, table) in &raw.providers {
            let (provider, settings) = provider_settings(name, table, providers, &text)?;
            config.providers.insert(provider, settings);
        }
        for job in &raw.job {
            config.jobs.jobs.push(job::read(job, &text)?);
        }
        for (id, rule) in &raw.rules {
            config.rules.push(rule_setting(id, rule, &text)?);
        }
        config.waivers = waivers::of_tables(&raw.waiver, &text)?;
        Ok(config)
    }
}

fn selectors(entries: &[Spanned<String>], text: &Text) -> Result<Vec<Selector>, ConfigProblem> {
    entries
        .iter()
        .map(|entry| Selector::parse(entry.get_ref()).map_err(|error| text.at(entry.span(), error.to_string(), None)))
        .collect()
}

fn register_of(register: &file::RegisterTable, folder: &Path, text: &Text) -> Result<Register, ConfigProblem> {
    let mut entries = Vec::new();
    for written in [&register.agents, &register.tool_servers] {
        for (entry, selector) in written.iter().zip(selectors(written, text)?) {
            let line = u32::try_from(text.place(entry.span().start).0).unwrap_or(u32::MAX);
            entries.push(RegisterEntry { selector, evidence: Evidence::line(text.path(), line) });
        }
    }
    if let Some(file) = &register.file {
        let read = register::read(&folder.join(file.get_ref()));
        entries.extend(read.map_err(|(message, remedy)| text.at(file.span(), message, Some(remedy)))?);
    }
    Ok(Register::new(entries))
}

fn date(value: &toml::Value) -> Option<jiff::civil::Date> {
    match value {
        toml::Value::String(text) => text.parse().ok(),
        toml::Value::Datetime(moment) => moment.date.and_then(|date| date.to_string().parse().ok()),
        _ => None,
    }
}

/// A level. `also`: what else may stand in its place.
fn severity(level: &str, also: &[&str], span: Range<usize>, text: &Text) -> Result<Severity, ConfigProblem> {
    Severity::parse(level).ok_or_else(|| {
        let known = [&Severity::WORST_FIRST.map(Severity::as_str)[..], also].concat();
        text.at(span, format!("there is no level `{level}`"), one_of(level, &known))
    })
}

/// The level of a rule that is not to be evaluated.
const OFF: &str = "off";

fn rule_setting(
    id: &Spanned<String>,
    table: &BTreeMap<String, Spanned<toml::Value>>,
    text: &Text,
) -> Result<RuleSetting, ConfigProblem> {
    let (line, column) = text.place(id.span().start);
    let mut setting = RuleSetting {
        rule: id.get_ref().clone(),
        severity: None,
        off: false,
        params: Vec::new(),
        place: format!("{}:{line}:{column}", text.path()),
    };
    for (name, value) in table {
        let param = match value.get_ref() {
            toml::Value::String(level) if name == "level" && level == OFF => {
                setting.off = true;
                continue;
            }
            level if name == "level" => {
                setting.severity = Some(severity(level.as_str().unwrap_or_default(), &[OFF], value.span(), text)?);
                continue;
            }
            toml::Value::Boolean(value) => ParamValue::Boolean(*value),
            toml::Value::Integer(value) => ParamValue::Integer(*value),
            toml::Value::Float(value) => ParamValue::Float(*value),
            toml::Value::String(value) => ParamValue::Text(value.clone()),
            _ => {
                let message = format!("parameter `{name}` is neither a number, nor text, nor true or false");
                return Err(text.at(value.span(), message, None));
            }
        };
        setting.params.push((name.clone(), param));
    }
    Ok(setting)
}

fn provider_settings(
    name: &Spanned<String>,
    table: &toml::Table,
    providers: &[Box<dyn Provider>],
    text: &Text,
) -> Result<(ProviderName, Settings), ConfigProblem> {
    let Some(provider) = providers.iter().find(|provider| provider.name().0 == name.get_ref()) else {
        let known: Vec<&str> = providers.iter().map(|provider| provider.name().0).collect();
        let message = format!("there is no provider `{}`", name.get_ref());
        return Err(text.at(name.span(), message, one_of(name.get_ref(), &known)));
    };
    let mut settings = Settings::new();
    flatten("", table, &mut settings);
    let known: Vec<&str> = provider.known_settings().iter().map(|(key, _)| *key).collect();
    for key in settings.keys() {
        // A known key that ends in `*` stands for all keys that begin so.
        let fits = |known: &&str| known.strip_suffix('*').map_or(*known == key, |prefix| key.starts_with(prefix));
        if !known.iter().any(fits) {
            let message = format!("provider `{}` has no setting `{key}`", name.get_ref());
            return Err(text.at(name.span(), message, one_of(key, &known)));
        }
    }
    Ok((provider.name(), settings))
}

fn flatten(prefix: &str, table: &toml::Table, settings: &mut Settings) {
    for (key, value) in table {
        let key = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
        let text = |value: &toml::Value| match value {
            toml::Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        match value {
            toml::Value::Table(inner) => flatten(&key, inner, settings),
            toml::Value::Array(values) => {
                settings.insert(key, values.iter().map(text).collect::<Vec<_>>().join(","));
            }
            plain => {
                settings.insert(key, text(plain));
            }
        }
    }
}

/// The remedy for a word that is not one of those known: the nearest, and all of them where they are few.
fn one_of(word: &str, known: &[&str]) -> Option<String> {
    if known.is_empty() {
        return Some("remove it".to_owned());
    }
    let all = known.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ");
    Some(match crate::lookup::nearest(word, known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`? known: {all}"),
        None => format!("known: {all}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Config, ConfigProblem> {
        Config::parse("conf/evenhand.toml", text.to_owned(), &crate::providers())
    }

    #[test]
    fn a_whole_configuration_is_understood() {
        let config = parse(
            r#"
[scope]
homes = ["people/*"]
folders = ["captures"]

[[job]]
name = "delivery"
human = ["role/deployer", "kubernetes:group/release"]
agents = ["ci-*"]
rationale = "both ship"
reviewed_by = "ada"
reviewed_on = 2026-01-31
controls = ["second_person_approval"]

[register]
agents = ["ci-*"]

[gate]
fail_on = "high"
min_score = 700
evidence = "strict"

[rules.some-rule]
level = "low"
max_days = 30

[rules.other]
level = "off"

[pack]
dirs = ["rules"]
"#,
        )
        .unwrap();
        let job = &config.jobs.jobs[0];
        assert_eq!((job.human.len(), job.agents.len(), job.controls.len()), (2, 1, 1));
        assert_eq!(job.evidence.to_string(), "conf/evenhand.toml:6");
        assert!(job.reviewed_on.is_some());
        assert_eq!(config.gate.fail_on, Some(Severity::High));
        assert!(config.gate.strict);
        assert_eq!(config.pack_dirs, [PathBuf::from("conf/rules")]);
        assert_eq!(config.folders, [PathBuf::from("conf/captures")]);
        assert!(config.rules.iter().any(|rule| rule.off));
        assert!(config.rules.iter().any(|rule| rule.params == [("max_days".to_owned(), ParamValue::Integer(30))]));
        assert!(config.register.unwrap().holds("aws", "arn", "role", "ci-1"));
    }

    #[test]
    fn what_is_not_understood_is_named_with_its_place_and_the_nearest_word() {
        for (text, place, message) in [
            ("[gate]\nmin_scor = 1\n", "2:1", "did you mean `min_score`?"),
            ("[gat]\n", "1:2", "did you mean `gate`?"),
            ("[gate]\nfail_on = \"hihg\"\n", "2:11", "did you mean `high`?"),
            ("[[job]]\nname = \"a\"\ncontrols = [\"mfaa\"]\n", "3:13", "did you mean `mfa`?"),
            ("[[job]]\nname = \"a\"\nhuman = [\"\"]\n", "3:10", "an empty selector"),
            ("[[job]]\nname = \"a\"\nreviewed_on = \"soon\"\n", "3:15", "2026-01-31"),
            ("[providers.awz]\n", "1:12", "did you mean `aws`?"),
            (
                "[rules.a]\nlevel = \"of\"\n",
                "2:9",
                "did you mean `off`? known: `critical`, `high`, `medium`, `low`, `off`",
            ),
            ("a = [\n", "", ""),
        ] {
            let problem = parse(text).unwrap_err();
            let said = format!("{problem} {}", problem.remedy().unwrap_or_default());
            assert!(said.contains(message), "{text:?}: {said}");
            assert!(said.contains(&format!("conf/evenhand.toml:{place}")), "{text:?}: {said}");
        }
    }
}
