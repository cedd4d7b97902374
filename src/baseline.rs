//! Baselines: the findings that were there when somebody began to gate, so that only new ones trip it.
//!
//! A baseline accepts nothing: its findings are reported and counted as ever. It names exact findings, and says which
//! version of the tool and which rules made it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use evenhand_rules::pack::RuleSet;
use serde::{Deserialize, Serialize};

use crate::ruleset::fingerprint;
use crate::snapshot::{Seen, Snapshot};

/// The file, where nobody names another.
pub const NAME: &str = "evenhand-baseline.json";

/// The form of the file.
const SCHEMA: &str = "evenhand/baseline/v1";

/// Findings of one scan, by id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Baseline {
    schema: String,
    /// The version of the tool that made it.
    pub tool: String,
    /// The rules that made it.
    pub rules: String,
    /// The moment of the scan.
    pub time: String,
    /// The findings.
    pub findings: BTreeMap<String, Seen>,
}

/// Why a baseline cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("`{}` {what}", .path.display())]
pub struct BaselineError {
    path: PathBuf,
    what: String,
    /// What to do about it.
    pub remedy: &'static str,
}

/// What became of a baseline when it was brought up to date.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Turnover {
    /// Findings that are new in it.
    pub added: usize,
    /// Findings that are no longer in it.
    pub removed: usize,
    /// Findings that stayed.
    pub kept: usize,
}

impl Baseline {
    /// Of a scan.
    pub fn of(snapshot: &Snapshot, rules: &RuleSet) -> Self {
        Self {
            schema: SCHEMA.to_owned(),
            tool: snapshot.version.clone(),
            rules: fingerprint(rules),
            time: snapshot.time.clone(),
            findings: snapshot.findings.clone(),
        }
    }

    /// Reads a baseline.
    ///
    /// # Errors
    /// When it cannot be read or is none.
    pub fn read(path: &Path) -> Result<Self, BaselineError> {
        const REMEDY: &str = "make one with `evenhand baseline create`";
        let fail = |what: String| BaselineError { path: path.to_owned(), what, remedy: REMEDY };
        let text = std::fs::read_to_string(path).map_err(|error| fail(format!("cannot be read: {error}")))?;
        let baseline: Self = serde_json::from_str(&text).map_err(|error| fail(format!("is no baseline: {error}")))?;
        match baseline.schema == SCHEMA {
            true => Ok(baseline),
            false => Err(fail(format!("is of the form `{}`, and `{SCHEMA}` is wanted", baseline.schema))),
        }
    }

    /// Whether other rules, or another version of the tool, made it: findings may then be new because the rules are.
    pub fn is_of_others(&self, version: &str, rules: &RuleSet) -> bool {
        self.tool != version || self.rules != fingerprint(rules)
    }

    /// Takes in a later scan: what is new is added, what is resolved is taken out. What rules found that this scan did not
    /// evaluate stays.
    pub fn update(&mut self, mut now: Self, evaluated: impl Fn(&str) -> bool) -> Turnover {
        let unasked = self.findings.iter().filter(|(_, seen)| !evaluated(&seen.rule));
        now.findings.extend(unasked.map(|(id, seen)| (id.clone(), seen.clone())));
        let kept = now.findings.keys().filter(|id| self.findings.contains_key(*id)).count();
        let turnover = Turnover { added: now.findings.len() - kept, removed: self.findings.len() - kept, kept };
        *self = now;
        turnover
    }

    /// Takes out what a later scan no longer finds, and adds nothing. What rules found that this scan did not evaluate stays.
    pub fn prune(&mut self, now: &Self, evaluated: impl Fn(&str) -> bool) -> Turnover {
        let before = self.findings.len();
        self.findings.retain(|id, seen| now.findings.contains_key(id) || !evaluated(&seen.rule));
        Turnover { added: 0, removed: before - self.findings.len(), kept: self.findings.len() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn baseline(ids: &[&str]) -> Baseline {
        let seen = Seen {
            rule: "r".to_owned(),
            severity: "high".to_owned(),
            status: "fail".to_owned(),
            identity: "bot".to_owned(),
            title: String::new(),
            waived: false,
        };
        Baseline {
            schema: SCHEMA.to_owned(),
            tool: "0.1.0".to_owned(),
            rules: fingerprint(&RuleSet::default()),
            time: String::new(),
            findings: ids.iter().map(|id| ((*id).to_owned(), seen.clone())).collect(),
        }
    }

    #[test]
    fn pruning_adds_nothing_and_updating_takes_the_present() {
        let mut pruned = baseline(&["a", "b"]);
        assert_eq!(pruned.prune(&baseline(&["b", "c"]), |_| true), Turnover { added: 0, removed: 1, kept: 1 });
        assert_eq!(pruned, baseline(&["b"]));
        let mut updated = baseline(&["a", "b"]);
        assert_eq!(updated.update(baseline(&["b", "c"]), |_| true), Turnover { added: 1, removed: 1, kept: 1 });
        assert_eq!(updated, baseline(&["b", "c"]));
        let other_rules = |rule: &str| rule != "r";
        assert_eq!(updated.prune(&baseline(&[]), other_rules), Turnover { added: 0, removed: 0, kept: 2 });
        assert_eq!(updated.update(baseline(&[]), other_rules), Turnover { added: 0, removed: 0, kept: 2 });
    }

    #[test]
    fn another_version_is_told() {
        let held = baseline(&[]);
        assert!(!held.is_of_others("0.1.0", &RuleSet::default()));
        assert!(held.is_of_others("0.2.0", &RuleSet::default()));
        assert!(held.is_of_others("0.1.0", &RuleSet::embedded().rules));
    }
}
