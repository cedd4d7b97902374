//! Loading rules: the pack in the binary and folders of the user.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{fs, io};

use evenhand_model::finding::Severity;
use evenhand_model::id::RuleId;

use crate::pack::check::check;
use crate::pack::file::{Problem, parse};
use crate::pack::rule::{ParamValue, Rule};

/// The files of the pack: path below `pack/`, content.
static PACK: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/pack.rs"));

/// Rules, sorted by id, no two with the same id.
#[derive(Clone, Debug, Default)]
pub struct RuleSet {
    rules: Vec<Rule>,
}

/// Rules with what is wrong about their files.
#[derive(Debug, Default)]
pub struct Loaded {
    /// The rules that can be used.
    pub rules: RuleSet,
    /// Problems, by file and place. The rules of files with a fatal one are left out.
    pub problems: Vec<Problem>,
}

/// Why a setting of the configuration cannot be applied to a rule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SettingError {
    /// No such rule.
    #[error("there is no rule `{rule}`; `evenhand rules list` shows all")]
    UnknownRule {
        /// As configured.
        rule: String,
    },
    /// No such parameter.
    #[error("rule `{rule}` has no parameter `{param}`; it has {known}")]
    UnknownParam {
        /// The rule.
        rule: String,
        /// As configured.
        param: String,
        /// The parameters that it has.
        known: String,
    },
    /// A value of another type.
    #[error("parameter `{param}` of rule `{rule}` is {expected}, not `{value}`")]
    WrongType {
        /// The rule.
        rule: String,
        /// The parameter.
        param: String,
        /// What it is.
        expected: &'static str,
        /// As configured.
        value: String,
    },
}

impl RuleSet {
    /// The pack in the binary.
    pub fn embedded() -> Loaded {
        Self::embedded_of(|_| true)
    }

    /// The rules of the pack whose ids are wanted; the others are not even read.
    pub fn embedded_of(wanted: impl Fn(&str) -> bool) -> Loaded {
        let files = PACK.iter().filter(|(name, _)| wanted(stem(name)));
        load(files.map(|(name, text)| (format!("pack/{name}"), (*text).to_owned())), true)
    }

    /// The ids of the pack.
    pub fn embedded_ids() -> impl Iterator<Item = &'static str> {
        PACK.iter().map(|(name, _)| stem(name))
    }

    /// The rules of a folder and the folders below it: every `.yaml` or `.yml` file, in the order of their names.
    ///
    /// # Errors
    /// When a folder or file cannot be read; the path is named.
    pub fn load_dir(folder: &Path) -> Result<Loaded, (PathBuf, io::Error)> {
        let mut paths = Vec::new();
        collect(folder, &mut paths)?;
        paths.sort();
        let mut files = Vec::with_capacity(paths.len());
        for path in paths {
            let text = fs::read_to_string(&path).map_err(|error| (path.clone(), error))?;
            files.push((path.display().to_string(), text));
        }
        Ok(load(files, false))
    }

    /// Adds rules. One with the id of a rule that is there already is left out, with a problem.
    pub fn add(&mut self, other: Self) -> Vec<Problem> {
        let mut problems = Vec::new();
        for rule in other.rules {
            match self.position(rule.id.as_str()) {
                Ok(at) => {
                    let held = self.rules.get(at).map(|held| Arc::clone(&held.file)).unwrap_or_default();
                    let message =
                        format!("rule `{}` is already defined in `{held}`; give this one another id", rule.id);
                    problems.push(Problem::new(&rule.file, None, true, message));
                }
                Err(at) => self.rules.insert(at, rule),
            }
        }
        problems
    }

    /// The rules, sorted by id.
    pub fn iter(&self) -> std::slice::Iter<'_, Rule> {
        self.rules.iter()
    }

    /// The number of rules.
    pub fn len(&self) -> usize {
        self.rules.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// A rule by id.
    pub fn get(&self, id: &str) -> Option<&Rule> {
        self.rules.get(self.position(id).ok()?)
    }

    /// Leaves out the rules that the filter rejects.
    pub fn retain(&mut self, keep: impl FnMut(&Rule) -> bool) {
        self.rules.retain(keep);
    }

    /// Sets a parameter of a rule: `[rules.<id>] params.<name>`.
    ///
    /// # Errors
    /// For a rule or parameter that does not exist and for a value of another type.
    pub fn set_param(&mut self, rule: &str, param: &str, value: &ParamValue) -> Result<(), SettingError> {
        let held = self.get_mut(rule)?;
        let names: Vec<String> = held.params.iter().map(|param| format!("`{}`", param.name)).collect();
        let Some(slot) = held.params.iter_mut().find(|slot| *slot.name == *param) else {
            let known = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
            return Err(SettingError::UnknownParam { rule: rule.to_owned(), param: param.to_owned(), known });
        };
        slot.value = value.in_type_of(&slot.default).ok_or_else(|| SettingError::WrongType {
            rule: rule.to_owned(),
            param: param.to_owned(),
            expected: slot.default.kind(),
            value: value.text(),
        })?;
        Ok(())
    }

    /// Sets the severity of a rule: `[rules.<id>] level`.
    ///
    /// # Errors
    /// For a rule that does not exist.
    pub fn set_severity(&mut self, rule: &str, severity: Severity) -> Result<(), SettingError> {
        self.get_mut(rule)?.severity = severity;
        Ok(())
    }

    fn get_mut(&mut self, id: &str) -> Result<&mut Rule, SettingError> {
        let at = self.position(id).ok();
        at.and_then(|at| self.rules.get_mut(at)).ok_or_else(|| SettingError::UnknownRule { rule: id.to_owned() })
    }

    fn position(&self, id: &str) -> Result<usize, usize> {
        self.rules.binary_search_by(|rule| rule.id.as_str().cmp(id))
    }
}

impl<'a> IntoIterator for &'a RuleSet {
    type Item = &'a Rule;
    type IntoIter = std::slice::Iter<'a, Rule>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl FromIterator<Rule> for RuleSet {
    /// Collects rules; of several with one id the first is kept.
    fn from_iter<I: IntoIterator<Item = Rule>>(rules: I) -> Self {
        let mut rules: Vec<Rule> = rules.into_iter().collect();
        rules.sort_by(|a, b| a.id.cmp(&b.id));
        rules.dedup_by(|later, earlier| later.id == earlier.id);
        Self { rules }
    }
}

fn load(files: impl IntoIterator<Item = (String, String)>, embedded: bool) -> Loaded {
    let mut loaded = Loaded::default();
    for (name, text) in files {
        let file: Arc<str> = name.into();
        match parse(&file, &text) {
            Ok(parsed) => {
                let (rule, problems) = check(&file, parsed, embedded);
                loaded.problems.extend(problems);
                if let Some(rule) = rule {
                    let clashes = loaded.rules.add(RuleSet { rules: vec![rule] });
                    loaded.problems.extend(clashes);
                }
            }
            Err(problem) => loaded.problems.push(problem),
        }
    }
    loaded
}

/// All rule files below a folder. Links to folders are not followed, so a link to a parent folder ends nothing.
fn collect(folder: &Path, paths: &mut Vec<PathBuf>) -> Result<(), (PathBuf, io::Error)> {
    let at = |error| (folder.to_path_buf(), error);
    for entry in fs::read_dir(folder).map_err(at)? {
        let entry = entry.map_err(at)?;
        let path = entry.path();
        if entry.file_type().map_err(at)?.is_dir() {
            collect(&path, paths)?;
        } else if path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml") {
            paths.push(path);
        }
    }
    Ok(())
}

/// The id that a file's name stands for.
pub(crate) fn id_of(file: &str) -> RuleId {
    RuleId::new(stem(file))
}

/// The name of a file without its ending, which is the id of the rule in it.
fn stem(file: &str) -> &str {
    let name = file.rsplit(['/', '\\']).next().unwrap_or(file);
    name.strip_suffix(".yaml").or_else(|| name.strip_suffix(".yml")).unwrap_or(name)
}
