//! Baselines: the findings that were there when somebody began to gate, so that only new ones trip it.
//!
//! A baseline accepts nothing: its findings are reported and counted as ever. It names exact findings, and says which
//! version of the tool and which rules made it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use evenhand_model::finding::Status;
use evenhand_model::gap::{Gap, Subject};
use evenhand_model::table::Value;
use evenhand_reports::Report;
use evenhand_rules::engine::subjects;
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
    /// What was not read when they were found, by scope, that of no scope under an empty name; `None` = a version that did
    /// not write it made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gaps: Option<Gaps>,
}

/// The status of a finding that could not be decided.
const UNDECIDED: &str = Status::Unknown.as_str();

/// Calls and documents that were not read, by scope.
type Gaps = BTreeMap<String, BTreeSet<String>>;

/// A gap's place among [`Gaps`]: its scope, and its name there.
fn place(gap: &Gap) -> (String, String) {
    let scope = gap.scope.as_ref().map(|scope| scope.as_str().to_owned()).unwrap_or_default();
    let provider = gap.provider.map(|provider| format!("{}: ", provider.0)).unwrap_or_default();
    (scope, format!("{provider}{}", gap.call))
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
    /// The rules with what their answers rest on.
    rules: BTreeMap<String, BTreeSet<Subject>>,
    identities: BTreeSet<String>,
    scopes: BTreeSet<String>,
    providers: BTreeSet<String>,
    gaps: Vec<Gap>,
}

impl Reach {
    /// Of a scan with these rules. It reached the scopes whose identities it read.
    pub fn of(report: &Report, rules: &RuleSet) -> Self {
        let mut reach = Self {
            rules: rules.iter().map(|rule| (rule.id.as_str().to_owned(), subjects(rule))).collect(),
            gaps: report.gaps.clone(),
            ..Self::default()
        };
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
        self.rules.contains_key(&seen.rule)
    }

    /// Whether that was read which somebody was found in.
    fn read(&self, seen: &Seen) -> bool {
        self.identities.contains(&seen.identity)
            || match seen.scope.is_empty() {
                true => self.providers.contains(&seen.provider),
                false => self.scopes.contains(&seen.scope),
            }
    }

    /// Whether something was not read there that the rule's answer rests on, and that was read when it was found.
    fn lacks(&self, seen: &Seen, gaps_then: Option<&Gaps>) -> bool {
        let Some(subjects) = self.rules.get(&seen.rule) else { return false };
        let is_there = |gap: &Gap| {
            let scope = gap.scope.as_ref().map(|scope| scope.as_str());
            gap.provider.is_none_or(|provider| seen.provider.is_empty() || provider.0 == seen.provider)
                && scope.is_none_or(|scope| seen.scope.is_empty() || scope == seen.scope)
        };
        let is_new = |gap: &Gap| {
            let (scope, name) = place(gap);
            !gaps_then.and_then(|then| then.get(&scope)).is_some_and(|names| names.contains(&name))
        };
        let matters = |gap: &Gap| subjects.iter().any(|subject| gap.is_about(*subject));
        self.gaps.iter().any(|gap| is_there(gap) && matters(gap) && is_new(gap))
    }

    /// What was not read.
    fn gaps(&self) -> Gaps {
        let mut gaps = Gaps::new();
        for (scope, name) in self.gaps.iter().map(place) {
            gaps.entry(scope).or_default().insert(name);
        }
        gaps
    }
}

impl Baseline {
    /// Of a scan that reached so far.
    pub fn of(snapshot: &Snapshot, rules: &RuleSet, reach: &Reach) -> Self {
        Self {
            schema: SCHEMA.to_owned(),
            tool: snapshot.version.clone(),
            rules: fingerprint(rules),
            time: snapshot.time.clone(),
            findings: snapshot.findings.clone(),
            gaps: Some(reach.gaps()),
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
    pub fn update(&mut self, mut now: Self, reach: &Reach) -> Turnover {
        // What failed and cannot be decided any more is what it was, until as much is read again.
        now.findings.retain(|id, seen| {
            let is_forgotten =
                |held: &Seen| held.status != UNDECIDED && (!reach.read(held) || reach.lacks(held, self.gaps.as_ref()));
            seen.status != UNDECIDED || !self.findings.get(id).is_some_and(is_forgotten)
        });
        let turnover = self.prune(&now, reach);
        let added = now.findings.keys().filter(|id| !self.findings.contains_key(*id)).count();
        let gaps = Some(self.gaps_beside(&now, reach));
        let mut findings = std::mem::take(&mut self.findings);
        findings.extend(now.findings);
        *self = Self { findings, gaps, ..now };
        Turnover { added, ..turnover }
    }

    /// What was not read for any of the findings that stay and those of a later scan.
    fn gaps_beside(&self, now: &Self, reach: &Reach) -> Gaps {
        let then = self.gaps.clone().unwrap_or_default();
        let staying = self.findings.iter().filter(|(id, _)| !now.findings.contains_key(*id));
        let staying: BTreeSet<&str> = staying.map(|(_, seen)| seen.scope.as_str()).collect();
        let mut gaps = now.gaps.clone().unwrap_or_default();
        for (scope, names) in &mut gaps {
            // What stays there was found when more was read, and goes only where as much is read again.
            if staying.contains(scope.as_str()) || scope.is_empty() && !staying.is_empty() {
                names.retain(|name| then.get(scope).is_some_and(|then| then.contains(name)));
            }
        }
        for (scope, names) in then {
            if !reach.scopes.contains(&scope) {
                gaps.entry(scope).or_insert(names);
            }
        }
        gaps
    }

    /// Takes out what a later scan no longer finds, and adds nothing. What is beyond the reach of that scan stays.
    pub fn prune(&mut self, now: &Self, reach: &Reach) -> Turnover {
        let before = self.findings.len();
        let mut unread = 0;
        self.findings.retain(|id, seen| {
            if now.findings.contains_key(id) || !reach.evaluated(seen) {
                return true;
            }
            let is_beyond = !reach.read(seen) || reach.lacks(seen, self.gaps.as_ref());
            unread += usize::from(is_beyond);
            is_beyond
        });
        Turnover { added: 0, removed: before - self.findings.len(), kept: self.findings.len(), unread }
    }
}

#[cfg(test)]
mod tests {
    use evenhand_model::gap::{GapKind, Lost};

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
            gaps: Some(Gaps::new()),
        }
    }

    fn reach(rules: &[&str], scopes: &[&str]) -> Reach {
        let all = |names: &[&str]| -> BTreeSet<String> { names.iter().map(|name| (*name).to_owned()).collect() };
        let rules = rules.iter().map(|rule| ((*rule).to_owned(), BTreeSet::from([Subject::Logs]))).collect();
        Reach { rules, scopes: all(scopes), ..Reach::default() }
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
    fn what_rests_on_evidence_that_was_read_once_stays_until_it_is_read_again() {
        let gap = |call: &str, about: &'static [Subject]| Gap {
            provider: None,
            scope: Some("1".into()),
            kind: GapKind::NotCollected,
            call: call.into(),
            reason: "".into(),
            facts: vec![Lost::of("x", about)],
        };
        let held = baseline(&[("a", "1"), ("b", "2")]);
        let of = |gaps: Vec<Gap>| Reach { gaps, ..reach(&["r"], &["1", "2"]) };
        for (about, unread) in [(&[Subject::Logs] as &'static [Subject], 1), (&[Subject::Use], 0)] {
            let less = of(vec![gap("list logs", about)]);
            let turnover = held.clone().prune(&baseline(&[]), &less);
            assert_eq!((turnover.unread, turnover.removed), (unread, 2 - unread), "{about:?}");
        }
        let less = of(vec![gap("list logs", &[Subject::Logs])]);
        // What was not read then either is no reason to keep it.
        let mut as_little = Baseline { gaps: Some(less.gaps()), ..held.clone() };
        assert_eq!(as_little.prune(&baseline(&[]), &less).removed, 2);
        // An update remembers how much was read for what stays.
        let mut updated = held.clone();
        let now = Baseline { gaps: Some(less.gaps()), ..baseline(&[]) };
        assert_eq!(updated.update(now.clone(), &less).unread, 1);
        assert_eq!(updated.update(now, &less).unread, 1);
        assert_eq!(updated.prune(&baseline(&[]), &of(Vec::new())).removed, 1);
        // A baseline of a version that did not write what was not read is left alone where something is not.
        assert_eq!(Baseline { gaps: None, ..held }.prune(&baseline(&[]), &less).unread, 1);
    }

    #[test]
    fn what_failed_stays_so_where_less_is_read_and_it_cannot_be_decided_any_more() {
        let undecided = |mut held: Baseline| {
            held.findings.values_mut().for_each(|seen| seen.status = UNDECIDED.to_owned());
            held
        };
        let held = baseline(&[("a", "1")]);
        let gap = Gap {
            provider: None,
            scope: Some("1".into()),
            kind: GapKind::NotCollected,
            call: "list logs".into(),
            reason: "".into(),
            facts: vec![Lost::of("x", &[Subject::Logs])],
        };
        let less = Reach { gaps: vec![gap], ..reach(&["r"], &["1"]) };
        let mut updated = held.clone();
        updated.update(Baseline { gaps: Some(less.gaps()), ..undecided(held.clone()) }, &less);
        assert_eq!(updated.findings, held.findings);
        // Where as much was read, undecided is what it is now.
        let mut updated = held.clone();
        updated.update(undecided(held.clone()), &reach(&["r"], &["1"]));
        assert_eq!(updated.findings, undecided(held).findings);
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
