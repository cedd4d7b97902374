//! From a merged inventory to everything that a report says: the stages of an assessment, in order.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use evenhand_model::finding::Finding;
use evenhand_model::gap::Gap;
use evenhand_model::id::{IdentityId, RuleId};
use evenhand_model::inventory::Inventory;
use evenhand_model::parity::Comparison;
use evenhand_model::score::Score;
use evenhand_model::table::{Row as _, TableSpec};
use evenhand_model::waiver::Waiver;
use jiff::Timestamp;
use rayon::prelude::*;

use crate::engine::{self, EngineError};
use crate::facts::tables::WaiverRow;
use crate::facts::{self, AccessTable, FactInput, Facts};
use crate::jobs::Register;
use crate::judgements::Judgements;
use crate::link::link;
use crate::pack::RuleSet;
use crate::parity::{self, ParityConfig};
use crate::paths::{self, PathsResult};
use crate::resolvers::Resolvers;
use crate::score::score;
use crate::waivers;

/// A stage of an assessment, announced when it begins.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Stage {
    /// What several providers say about the same identities is joined.
    Link,
    /// The nature of every identity is decided.
    Judge,
    /// AI identities are held beside their human roles.
    Compare,
    /// Paths to more access are searched.
    Paths,
    /// Fact tables are built.
    Facts,
    /// Rules are evaluated.
    Evaluate,
    /// The score is counted.
    Score,
    /// Nothing is left to do.
    Done,
}

impl Stage {
    /// What is being done, for people.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Link => "link",
            Self::Judge => "judge",
            Self::Compare => "compare",
            Self::Paths => "paths",
            Self::Facts => "facts",
            Self::Evaluate => "evaluate",
            Self::Score => "score",
            Self::Done => "done",
        }
    }
}

/// What is kept of an assessment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Keep {
    /// All of it, so that everything found can be explained.
    Everything,
    /// What a report says. Resolvers, paths and excess are given back as soon as the fact tables tell of them.
    Report,
}

/// What an assessment needs beside the inventory and the resolvers.
#[derive(Clone, Copy, Debug)]
pub struct Assessment<'a> {
    /// Jobs and thresholds of the comparison.
    pub parity: &'a ParityConfig,
    /// The register of known agents; `None` = the configuration has none.
    pub register: Option<&'a Register>,
    /// The rules.
    pub rules: &'a RuleSet,
    /// Accepted exceptions, in force or not.
    pub waivers: &'a [Waiver],
    /// Whether a rule that cannot be decided counts like one that fails.
    pub strict: bool,
    /// Whether fingerprints of secrets mean the same in the next scan.
    pub stable_fingerprints: bool,
    /// The moment of the scan.
    pub now: Timestamp,
    /// What is kept.
    pub keep: Keep,
}

/// Everything that an assessment found.
#[derive(Debug)]
pub struct Assessed {
    /// The inventory, linked and sorted.
    pub inventory: Inventory,
    /// What the identities may do; none under [`Keep::Report`].
    pub resolvers: Resolvers,
    /// The nature and job of each identity.
    pub judgements: Judgements,
    /// The AI identities beside their human roles, sorted by identity; without excess atoms under [`Keep::Report`].
    pub comparisons: Vec<Comparison>,
    /// Paths to more access; none under [`Keep::Report`].
    pub paths: PathsResult,
    /// The fact tables.
    pub facts: Facts,
    /// What the rules found, worst first.
    pub findings: Vec<Finding>,
    /// Rules that could not be evaluated: the assessment is then not to be trusted as complete.
    pub errors: Vec<EngineError>,
    /// The rows that passed, by rule; with the findings, all that were judged.
    pub passed: BTreeMap<RuleId, u64>,
    /// The score.
    pub score: Score,
}

/// Assesses an inventory, all providers' readings merged.
pub fn assess(
    mut inventory: Inventory,
    mut resolvers: Resolvers,
    with: Assessment<'_>,
    progress: &dyn Fn(Stage),
) -> Assessed {
    progress(Stage::Link);
    link(&mut inventory, &with.parity.jobs);
    let gone = with.register.map(|register| register.offboarding(&inventory)).unwrap_or_default();
    inventory.hints.extend(gone);
    progress(Stage::Judge);
    let judgements = Judgements::new(&inventory, &with.parity.jobs);
    progress(Stage::Compare);
    let parity::Compared { mut comparisons, gates } =
        parity::compare_all(&inventory, &judgements, &resolvers, with.parity);
    progress(Stage::Paths);
    let mut paths = paths::find_all(&inventory, &judgements, &resolvers);
    inventory.hints.extend(resolvers.iter().flat_map(|(_, resolver)| resolver.edges_left_out()));
    inventory.hints.sort();
    let unread = paths::gaps(&inventory, &resolvers);
    add_gaps(&mut inventory.gaps, unread);
    progress(Stage::Facts);
    let reads = engine::reads_of_identities(with.rules);
    let access = AccessTable::new(&inventory, &judgements, &resolvers, &reads);
    if with.keep == Keep::Report {
        // Before the tables are made, not beside it: then the two are never held together.
        drop(std::mem::take(&mut resolvers));
    }
    let mut facts = facts::build(&FactInput {
        inventory: &inventory,
        judgements: &judgements,
        comparisons: &comparisons,
        gates: &gates,
        paths: &paths,
        access: &access,
        reads: &reads,
        register: with.register,
        stable_fingerprints: with.stable_fingerprints,
        now: with.now,
    });
    // Very many small things, given back on all cores.
    rayon::join(
        || drop(access),
        || {
            if with.keep == Keep::Report {
                comparisons.par_iter_mut().for_each(|comparison| comparison.excess = Vec::new());
                paths = PathsResult::default();
            }
        },
    );
    progress(Stage::Evaluate);
    let is_of_waivers = |table: &TableSpec| table.name == WaiverRow::SPEC.name;
    let evaluate = |facts: &Facts, over: &dyn Fn(&TableSpec) -> bool| {
        engine::evaluate(with.rules, facts, &inventory, &judgements, &comparisons, over)
    };
    let mut evaluation = evaluate(&facts, &|table| !is_of_waivers(table));
    if !with.waivers.is_empty() {
        let evaluated = |rule: &RuleId| {
            with.rules.iter().any(|held| held.id == *rule) && !evaluation.errors.iter().any(|error| error.rule == *rule)
        };
        let of_waivers = |rule: &RuleId| with.rules.get(rule.as_str()).is_some_and(|held| is_of_waivers(held.table));
        let applied = waivers::apply(with.waivers, &mut evaluation.findings, evaluated, of_waivers, with.now);
        let find = |id: &str| inventory.identities.get(judgements.position(&IdentityId::new(id))?);
        let (table, places) = applied.table(find);
        facts.fill(table, places);
        evaluation.append(evaluate(&facts, &is_of_waivers));
    }
    progress(Stage::Score);
    let score = score(&evaluation.findings, &inventory, &judgements, with.strict);
    progress(Stage::Done);
    Assessed {
        inventory,
        resolvers,
        judgements,
        comparisons,
        paths,
        facts,
        findings: evaluation.findings,
        errors: evaluation.errors,
        passed: evaluation.passed,
        score,
    }
}

/// Adds gaps to those of a reading. What is a gap already leaves more unknown.
fn add_gaps(gaps: &mut Vec<Gap>, more: Vec<Gap>) {
    let key = |gap: &Gap| (gap.provider, gap.scope.clone(), Arc::clone(&gap.call));
    let more: BTreeMap<_, Gap> = more.into_iter().map(|gap| (key(&gap), gap)).collect();
    let mut held = BTreeSet::new();
    for gap in gaps.iter_mut().filter(|_| !more.is_empty()) {
        let key = key(gap);
        if let Some(same) = more.get(&key) {
            gap.facts.extend_from_slice(&same.facts);
            held.insert(key);
        }
    }
    gaps.extend(more.into_iter().filter(|(key, _)| !held.contains(key)).map(|(_, gap)| gap));
    gaps.sort();
}

#[cfg(test)]
mod tests {
    use evenhand_model::gap::{GapKind, Lost};
    use evenhand_model::id::ProviderName;

    use super::*;

    fn gap(scope: &str, kind: GapKind, call: &str, facts: &'static str) -> Gap {
        let provider = Some(ProviderName("toy"));
        Gap {
            provider,
            scope: Some(scope.into()),
            kind,
            call: call.into(),
            reason: "why".into(),
            facts: vec![Lost::of(facts, &[])],
        }
    }

    #[test]
    fn a_gap_that_is_there_tells_more_and_another_is_added_once() {
        let (failed, absent) = (GapKind::Failed, GapKind::NotCollected);
        let mut gaps =
            vec![gap("b", failed, "list", "roles"), gap("a", failed, "list", "roles"), gap("a", absent, "get", "")];
        add_gaps(&mut gaps, vec![gap("a", absent, "list", "steps"), gap("c", absent, "list", "steps")]);
        let told: Vec<_> = gaps
            .iter()
            .map(|gap| {
                let scope = gap.scope.as_ref().map_or("", |scope| scope.as_str());
                (scope, gap.kind, &*gap.call, gap.unknown())
            })
            .collect();
        let expected = [
            ("a", failed, "list", "roles; steps"),
            ("a", absent, "get", ""),
            ("b", failed, "list", "roles"),
            ("c", absent, "list", "steps"),
        ];
        assert_eq!(told, expected.map(|(scope, kind, call, facts)| (scope, kind, call, facts.to_owned())));
    }
}
