//! Baselines: the findings that were there when somebody began to gate, so that only new ones trip it.
//!
//! A baseline accepts nothing: its findings are reported and counted as ever. It names exact findings, and says which
//! version of the tool and which rules made it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use evenhand_model::table::Value;
use evenhand_reports::Report;
use evenhand_rules::pack::RuleSet;
use evenhand_rules::waivers::CONFIGURATION;
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
    /// Of these, the ones that the later scan did not find because it did not read where they are: whether they are resolved
    /// is not known.
    pub unread: usize,
}

/// How far a scan reaches: of what it did not find there, it is known that it is no longer so.
#[derive(Clone, Debug, Default)]
pub struct Reach {
    rules: BTreeSet<String>,
    identities: BTreeSet<String>,
    scopes: BTreeSet<String>,
    providers: BTreeSet<String>,
}

impl Reach {
    /// Of a scan with these rules. It reached the scopes whose identities it read.
    pub fn of(report: &Report, rules: &RuleSet) -> Self {
        let mut reach =
            Self { rules: rules.iter().map(|rule| rule.id.as_str().to_owned()).collect(), ..Self::default() };
        // What a configuration says is read whenever it is in force.
        reach.providers.insert(CONFIGURATION.to_owned());
        let Some(table) = report.tables.iter().find(|table| table.spec.name == "identities") else { return reach };
        for row in 0..table.rows() {
            for (column, held) in
                [("id", &mut reach.identities), ("scope", &mut reach.scopes), ("provider", &mut reach.providers)]
            {
                if let Value::Text(text) = table.value(row, column)
                    && !held.contains(&*text)
                {
                    held.insert(text.to_string());
                }
            }
        }
        reach
    }

    /// Whether the rule that found something was evaluated.
    fn evaluated(&self, seen: &Seen) -> bool {
        self.rules.contains(&seen.rule)
    }

    /// Whether that was read which somebody was found in.
    fn read(&self, seen: &Seen) -> bool {
        self.identities.contains(&seen.identity)
            || match seen.scope.is_empty() {
                true => self.providers.contains(&seen.provider),
                false => self.scopes.contains(&seen.scope),
            }
    }
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
    ///
    /// `rule_pack`: the hash of the rules.
    pub fn is_of_others(&self, version: &str, rule_pack: &str) -> bool {
        self.tool != version || self.rules != rule_pack
    }

    /// Takes in a later scan: what is new is added, what is resolved is taken out. What is beyond the reach of that scan
    /// stays.
    pub fn update(&mut self, now: Self, reach: &Reach) -> Turnover {
        let turnover = self.prune(&now, reach);
        let added = now.findings.keys().filter(|id| !self.findings.contains_key(*id)).count();
        let mut findings = std::mem::take(&mut self.findings);
        findings.extend(now.findings);
        *self = Self { findings, ..now };
        Turnover { added, ..turnover }
    }

    /// Takes out what a later scan no longer finds, and adds nothing. What is beyond the reach of that scan stays.
    pub fn prune(&mut self, now: &Self, reach: &Reach) -> Turnover {
        let before = self.findings.len();
        let mut unread = 0;
        self.findings.retain(|id, seen| {
            if now.findings.contains_key(id) || !reach.evaluated(seen) {
                return true;
            }
            let is_beyond = !reach.read(seen);
            unread += usize::from(is_beyond);
            is_beyond
        });
        Turnover { added: 0, removed: before - self.findings.len(), kept: self.findings.len(), unread }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Findings by id, each with the scope that it is in.
    fn baseline(ids: &[(&str, &str)]) -> Baseline {
        let seen = |scope: &str| Seen {
            rule: "r".to_owned(),
            severity: "high".to_owned(),
            status: "fail".to_owned(),
            identity: "bot".to_owned(),
            title: String::new(),
            waived: false,
            provider: "aws".to_owned(),
            scope: scope.to_owned(),
        };
        Baseline {
            schema: SCHEMA.to_owned(),
            tool: "0.1.0".to_owned(),
            rules: fingerprint(&RuleSet::default()),
            time: String::new(),
            findings: ids.iter().map(|(id, scope)| ((*id).to_owned(), seen(scope))).collect(),
        }
    }

    fn reach(rules: &[&str], scopes: &[&str]) -> Reach {
        let all = |names: &[&str]| -> BTreeSet<String> { names.iter().map(|name| (*name).to_owned()).collect() };
        Reach { rules: all(rules), scopes: all(scopes), ..Reach::default() }
    }

    #[test]
    fn pruning_adds_nothing_and_updating_takes_the_present() {
        let ids = |ids: &[&'static str]| ids.iter().map(|id| (*id, "1")).collect::<Vec<_>>();
        let (ab, bc, b) = (baseline(&ids(&["a", "b"])), baseline(&ids(&["b", "c"])), baseline(&ids(&["b"])));
        let all = reach(&["r"], &["1"]);
        let mut pruned = ab.clone();
        assert_eq!(pruned.prune(&bc, &all), Turnover { removed: 1, kept: 1, ..Turnover::default() });
        assert_eq!(pruned, b);
        let mut updated = ab;
        assert_eq!(updated.update(bc.clone(), &all), Turnover { added: 1, removed: 1, kept: 1, unread: 0 });
        assert_eq!(updated, bc);
        let other_rules = reach(&["other"], &["1"]);
        let stays = Turnover { kept: 2, ..Turnover::default() };
        assert_eq!(updated.prune(&baseline(&[]), &other_rules), stays);
        assert_eq!(updated.update(baseline(&[]), &other_rules), stays);
    }

    #[test]
    fn what_lies_where_a_scan_did_not_read_stays_and_is_counted() {
        let held = baseline(&[("a", "1"), ("b", "2"), ("c", "")]);
        let one = reach(&["r"], &["1"]);
        let mut pruned = held.clone();
        assert_eq!(pruned.prune(&baseline(&[]), &one), Turnover { added: 0, removed: 1, kept: 2, unread: 2 });
        assert_eq!(pruned, baseline(&[("b", "2"), ("c", "")]));
        let mut updated = held.clone();
        let turnover = updated.update(baseline(&[("d", "1")]), &one);
        assert_eq!(turnover, Turnover { added: 1, removed: 1, kept: 2, unread: 2 });
        assert_eq!(updated, baseline(&[("b", "2"), ("c", ""), ("d", "1")]));
        // What names no scope is known by its provider, or by the identity that it is about.
        for more in [
            Reach { providers: BTreeSet::from(["aws".to_owned()]), ..one.clone() },
            Reach { identities: BTreeSet::from(["bot".to_owned()]), ..one.clone() },
        ] {
            let mut pruned = held.clone();
            pruned.prune(&baseline(&[]), &more);
            assert!(!pruned.findings.contains_key("c"), "{more:?}");
        }
    }

    #[test]
    fn another_version_is_told() {
        let held = baseline(&[]);
        let (none, all) = (fingerprint(&RuleSet::default()), fingerprint(&RuleSet::embedded().rules));
        assert!(!held.is_of_others("0.1.0", &none));
        assert!(held.is_of_others("0.2.0", &none));
        assert!(held.is_of_others("0.1.0", &all));
    }
}
