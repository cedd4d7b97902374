//! The parity view as data: each AI identity as a pair of bars, with what a card tells of the comparison.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use evenhand_model::catalog::AccessLevel;
use evenhand_model::evidence::Truth;
use evenhand_model::parity::{Comparison, ControlComparison};
use serde::Serialize;

use super::facts::Facts;
use super::strings::{StringIx, Strings};
use crate::report::Report;

/// The levels in the order of [`AccessLevel`]; rows name them by position.
pub(super) const LEVELS: [AccessLevel; 5] =
    [AccessLevel::List, AccessLevel::Read, AccessLevel::Tagging, AccessLevel::Write, AccessLevel::PermissionManagement];

/// The position of a level by its word.
pub(super) fn level_position(word: &str) -> Option<usize> {
    LEVELS.iter().position(|level| level.as_str() == word)
}

/// One AI identity beside its human role. Weights are those of [`Comparison`].
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Pair {
    identity: u32,
    verdict: &'static str,
    summary: StringIx,
    roles: usize,
    human: StringIx,
    reason: StringIx,
    confidence: f64,
    operations: Option<u32>,
    weight: Option<u32>,
    human_operations: Option<u32>,
    human_weight: Option<u32>,
    /// What of the human role's weight the AI identity holds too.
    shared: u32,
    /// The weight of what is not decided.
    open: u32,
    /// The excess weight by level, adding up to `excess_weight`.
    excess: [u32; 5],
    excess_weight: u32,
    excess_operations: u32,
    high_risk: u32,
    undecided: u32,
    coverage: Option<f64>,
    controls: Vec<Control>,
    doubts: Vec<StringIx>,
    /// All its excess atoms, whether or not the page holds them.
    atoms: usize,
}

#[derive(Serialize)]
struct Control {
    control: &'static str,
    operations: StringIx,
    resource: StringIx,
    human: Option<bool>,
    agent: Option<bool>,
    reason: StringIx,
    evidence: StringIx,
}

/// The comparisons in the order of reports: what is worst first.
pub(super) fn ranked(report: &Report) -> Vec<&Comparison> {
    let mut ranked: Vec<&Comparison> = report.comparisons.iter().collect();
    let standing = |held: &Comparison| (held.verdict, Reverse(held.high_risk_excess), Reverse(held.excess_weight));
    ranked.sort_by(|a, b| standing(a).cmp(&standing(b)).then_with(|| a.identity.cmp(&b.identity)));
    ranked
}

/// What the atoms of one identity weigh, by level, each operation once.
#[derive(Default)]
pub(super) struct Weighed {
    levels: [u64; 5],
    open: u64,
    atoms: usize,
    seen: HashSet<Arc<str>>,
}

impl Weighed {
    fn add(&mut self, operation: &Arc<str>, level: Option<usize>, weight: u64, decided: bool) {
        self.atoms += 1;
        // Decided atoms come first, so that an operation that is excess somewhere is not undecided elsewhere.
        if !self.seen.insert(Arc::clone(operation)) {
            return;
        }
        if !decided {
            self.open += weight;
        } else if let Some(slot) = level.and_then(|level| self.levels.get_mut(level)) {
            *slot += weight;
        }
    }

    /// The levels' shares of a total: atoms that overlap weigh more together than the operations that they stand for.
    fn shares(&self, total: u32) -> [u32; 5] {
        let sum: u64 = self.levels.iter().sum();
        if sum == 0 {
            return [0; 5];
        }
        let mut shares = self.levels.map(|held| u32::try_from(held * u64::from(total) / sum).unwrap_or(total));
        let rest = total - shares.iter().sum::<u32>().min(total);
        if let Some(most) = shares.iter_mut().max_by_key(|share| **share) {
            *most += rest;
        }
        shares
    }
}

/// The excess of all AI identities, weighed.
pub(super) fn weighed(report: &Report) -> HashMap<String, Weighed> {
    let excess = Facts::of(report, "excess");
    let mut all: HashMap<String, Weighed> = HashMap::new();
    for row in 0..excess.rows() {
        let (Some(identity), Some(operation)) = (excess.text(row, "identity"), excess.text(row, "operation")) else {
            continue;
        };
        let level = excess.text(row, "access_level").and_then(|word| level_position(&word));
        let weight = u64::try_from(excess.integer(row, "weight").unwrap_or(0)).unwrap_or(0);
        let decided = excess.boolean(row, "decided") == Some(true);
        let held = match all.get_mut(&*identity) {
            Some(held) => held,
            None => all.entry(identity.to_string()).or_default(),
        };
        held.add(&operation, level, weight, decided);
    }
    // A report of which no table tells the excess may hold it with the comparison.
    for comparison in report.comparisons.iter().filter(|held| !held.excess.is_empty()) {
        if all.contains_key(comparison.identity.as_str()) {
            continue;
        }
        let held = all.entry(comparison.identity.as_str().to_owned()).or_default();
        for atom in &comparison.excess {
            held.add(&atom.operation, level_position(atom.level.as_str()), u64::from(atom.weight), atom.decided);
        }
    }
    all
}

impl Pair {
    pub(super) fn of(comparison: &Comparison, identity: u32, weighed: Option<&Weighed>, strings: &mut Strings) -> Self {
        let human_weight = comparison.human_weight.filter(|_| !comparison.baseline.roles.is_empty());
        let covered = comparison.access_weight.unwrap_or(0).saturating_sub(comparison.excess_weight);
        let open = weighed.map_or(0, |held| held.open);
        Self {
            identity,
            verdict: comparison.verdict.as_str(),
            summary: strings.add(&comparison.summary),
            roles: comparison.baseline.roles.len(),
            human: strings.add(&comparison.baseline.name),
            reason: strings.add(&comparison.baseline.reason),
            confidence: comparison.baseline.source.confidence(),
            operations: comparison.operations,
            weight: comparison.access_weight,
            human_operations: comparison.human_operations,
            human_weight,
            shared: shared(comparison.coverage, human_weight.unwrap_or(0)),
            open: u32::try_from(open).unwrap_or(u32::MAX).min(covered),
            excess: weighed.map_or([0; 5], |held| held.shares(comparison.excess_weight)),
            excess_weight: comparison.excess_weight,
            excess_operations: comparison.excess_operations,
            high_risk: comparison.high_risk_excess,
            undecided: comparison.undecided_operations,
            coverage: comparison.coverage,
            controls: comparison.controls.iter().map(|control| Control::of(control, strings)).collect(),
            doubts: comparison.doubts.iter().map(|doubt| strings.add(doubt)).collect(),
            atoms: weighed.map_or(0, |held| held.atoms),
        }
    }
}

/// A share of a weight, in whole weights.
fn shared(coverage: Option<f64>, weight: u32) -> u32 {
    let part = coverage.unwrap_or(0.0).clamp(0.0, 1.0) * f64::from(weight);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and a u32")]
    let part = part.round() as u32;
    part
}

impl Control {
    fn of(control: &ControlComparison, strings: &mut Strings) -> Self {
        let mut operations = control.operations.join(", ");
        let more = (control.count as usize).saturating_sub(control.operations.len());
        if more > 0 {
            operations.push_str(&format!(" and {more} more"));
        }
        let evidence = control.evidence.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
        Self {
            control: control.control.as_str(),
            operations: strings.add(&operations),
            resource: strings.add(&control.resource),
            human: Truth::known(control.human),
            agent: Truth::known(control.identity),
            reason: strings.add(&control.reason),
            evidence: strings.add(&evidence),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_add_up_and_an_operation_counts_once() {
        let mut held = Weighed::default();
        held.add(&"a".into(), Some(0), 1, true);
        held.add(&"b".into(), Some(3), 5, true);
        held.add(&"b".into(), Some(3), 5, true);
        held.add(&"b".into(), Some(3), 5, false);
        held.add(&"c".into(), Some(1), 2, false);
        assert_eq!((held.levels, held.open, held.atoms), ([1, 0, 0, 5, 0], 2, 5));
        assert_eq!(held.shares(10), [1, 0, 0, 9, 0]);
        assert_eq!(Weighed::default().shares(10), [0; 5]);
    }

    #[test]
    fn levels_are_named_by_their_position() {
        for (at, level) in LEVELS.iter().enumerate() {
            assert_eq!(level_position(level.as_str()), Some(at));
        }
        assert!(LEVELS.is_sorted());
    }
}
