//! Controls that stand before some resources: a review before one repository, and none before another.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use evenhand_model::control::{Control, ControlKind, Way};
use evenhand_model::evidence::{Evidence, Truth};
use evenhand_model::opset::OpSet;
use evenhand_model::parity::ControlComparison;
use evenhand_model::scope::{Pattern, ResourceScope};

use super::{Side, Standing, named, row};
use crate::parity::gates::Places;
use crate::parity::view::Operations;

/// What is the same in several places.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Same {
    kind: ControlKind,
    human: Truth,
    identity: Truth,
    way: Option<Way>,
    reason: Arc<str>,
    operations: Vec<(u32, u32)>,
}

/// What is said of one side in one place.
struct Found {
    /// The operations that the control is asked for.
    operations: OpSet,
    in_place: Truth,
    way: Option<Way>,
    reason: Arc<str>,
    evidence: Vec<Evidence>,
}

/// Compares the controls of each place that the human's controls name; with the places where they stand before people.
pub(super) fn compare(
    operations: &Operations<'_>,
    human: &[Side<'_>],
    ai: &[Side<'_>],
    both: &OpSet,
    standing: &Standing,
) -> (Vec<ControlComparison>, Places) {
    let mut told = Places::new();
    let mut rows: BTreeMap<Same, (BTreeSet<String>, BTreeSet<Evidence>)> = BTreeMap::new();
    for kind in ControlKind::ALL {
        for place in places(human, kind) {
            let scope = ResourceScope::any_of([place.clone()]);
            let Some(people) = before(human, kind, &scope, both) else { continue };
            if people.in_place == Truth::No {
                continue;
            }
            let Some(mut agent) = before(ai, kind, &scope, &people.operations) else { continue };
            if kind == ControlKind::SecondPersonApproval {
                agent.in_place = agent.in_place.or(standing.approval);
            }
            let same = Same {
                kind,
                human: people.in_place,
                identity: agent.in_place,
                way: agent.way,
                reason: agent.reason,
                operations: agent.operations.ranges().to_vec(),
            };
            let (names, evidence) = rows.entry(same).or_default();
            names.insert(place.to_string());
            evidence.extend(agent.evidence.into_iter().chain(people.evidence).take(super::MAX_NAMED));
            told.insert((kind, place));
        }
    }
    let rows = rows.into_iter().map(|(same, (names, evidence))| {
        let set = OpSet::from_ranges(same.operations);
        let resource = named(names.iter().map(String::as_str));
        ControlComparison {
            way: same.way,
            reason: same.reason,
            evidence: evidence.into_iter().take(super::MAX_NAMED).collect(),
            ..row(operations, same.kind, &set, resource, same.human, same.identity)
        }
    });
    (rows.collect(), told)
}

/// The places before which some control of a kind stands, or may.
fn places(sides: &[Side<'_>], kind: ControlKind) -> BTreeSet<Pattern> {
    let stands = |control: &&&Control| control.kind == kind && control.in_place != Truth::No;
    let controls = sides.iter().flat_map(|side| side.controls.iter().filter(stands));
    controls.flat_map(|control| control.scope.all_of.iter().flat_map(|list| list.iter().cloned())).collect()
}

/// What stands before the holders of a side that reach a place, whichever of them acts; `None` = nobody does.
fn before(sides: &[Side<'_>], kind: ControlKind, place: &ResourceScope, among: &OpSet) -> Option<Found> {
    let mut all: Option<Found> = None;
    for side in sides {
        let reaching =
            side.view.slices.iter().filter(|slice| slice.scope.intersection(place).is_nothing() != Truth::Yes);
        let held = OpSet::from_ranges(reaching.flat_map(|slice| slice.operations.ranges().iter().copied()));
        let held = held.intersection(among);
        if held.is_empty() {
            continue;
        }
        let here = |control: &&&Control| control.kind == kind && control.scope.contains(place) == Truth::Yes;
        let mut controls: Vec<&Control> = side.controls.iter().filter(here).copied().collect();
        controls.sort_by_key(|control| std::cmp::Reverse(control.in_place));
        let found = match controls.first() {
            Some(best) => {
                let asked = best.operations.as_deref().map_or_else(|| held.clone(), |asked| held.intersection(asked));
                let may = if side.may_gain { Truth::Unknown } else { Truth::Yes };
                Found {
                    operations: asked,
                    in_place: best.in_place.and(may),
                    way: best.way,
                    reason: Arc::clone(&best.reason),
                    evidence: vec![best.evidence.clone()],
                }
            }
            None => {
                Found { operations: held, in_place: Truth::No, way: None, reason: Arc::from(""), evidence: Vec::new() }
            }
        };
        let found = match found.in_place {
            // What was not read may put the control before it, or take away what it would not stop.
            Truth::No if side.may_lose => Found { in_place: Truth::Unknown, ..found },
            _ => found,
        };
        if found.operations.is_empty() {
            continue;
        }
        all = Some(match all {
            None => found,
            // Whoever is stopped least decides.
            Some(held) => {
                let operations = held.operations.union(&found.operations);
                let least = if found.in_place < held.in_place { found } else { held };
                Found { operations, ..least }
            }
        });
    }
    all
}
