//! Approval parity: what stands before a change of the default branch, and who gets past it.
//!
//! The gates of a repository are its effective rules and the classic protection of its default branch. An identity is
//! stopped where one gate stops it; it is not where every gate lets it past, or where it may change the gate. What was
//! withheld is unknown: it may let past whom it likes.

mod approvers;
mod bypass;
mod environments;
mod gates;
mod people;
mod rewriters;
mod unlisted;
mod workflows;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use evenhand_model::control::{Control, ControlKind, Way};
use evenhand_model::evidence::{Evidence, Truth};
use evenhand_model::opset::OpSet;
use evenhand_model::scope::ResourceScope;

use crate::access::{Reach, pattern};
use crate::catalog::{Catalogue, Level};
use crate::facts::{OwnerFacts, RepositoryFacts};
use crate::inventory::{Actor, full_name};
use approvers::{Approvers, Machines};
use gates::Gates;
pub(crate) use gates::{Stands, kinds};
use people::People;

/// Operations that change the default branch.
const GATED: &[&str] = &[
    "git/push",
    "git/push-workflow-files",
    "git/update-ref",
    "pulls/merge",
    "repos/create-or-update-file-contents",
    "repos/delete-file",
    "repos/merge",
    "repos/merge-upstream",
];

/// What stands before a default branch.
const GATES: [ControlKind; 2] = [ControlKind::SecondPersonApproval, ControlKind::ChangeGate];

/// Whether an identity is stopped, and what says so.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Faced {
    pub(crate) in_place: Truth,
    pub(crate) way: Option<Way>,
    pub(crate) reason: Arc<str>,
    pub(crate) evidence: Evidence,
}

/// A repository with what stands before its default branch.
pub(super) struct Gated<'a> {
    facts: &'a RepositoryFacts,
    gates: Gates<'a>,
    approvers: Approvers,
}

/// What stands before an identity, and the repositories where it does.
pub(super) type Groups<'n> = BTreeMap<(ControlKind, Faced), BTreeSet<&'n str>>;

/// The controls of an organisation's identities before the repositories that they may change. Of machines and of roles each
/// setting has a row. Ordinary people are many, and so may settings be: of them there is one row for everything that they
/// face alike.
pub(crate) fn controls(owner: &OwnerFacts, actors: &[Actor]) -> Vec<Control> {
    let catalogue = Catalogue::global();
    let gated = Arc::new(catalogue.all_of(GATED.iter().copied()));
    let changing = Arc::new(catalogue.all_of(rewriters::OPERATIONS.iter().copied()));
    let machines = Machines::of(actors);
    let repositories: BTreeMap<Arc<str>, Gated<'_>> = owner
        .repositories
        .values()
        .filter(|repository| !repository.is_archived())
        .map(|facts| (full_name(owner, &facts.name), facts, Gates::of(owner, facts)))
        .filter(|(_, _, gates)| gates.may_stop())
        .map(|(name, facts, gates)| {
            let approvers = machines.approvers(&name, owner, facts);
            (name, Gated { facts, gates, approvers })
        })
        .collect();
    let mut controls = Vec::new();
    let mut people = People::of(&repositories);
    for actor in actors {
        let row = |operations: &Arc<OpSet>, kind: ControlKind, faced: Faced, scope: Arc<ResourceScope>| Control {
            operations: Some(Arc::clone(operations)),
            scope,
            way: faced.way,
            reason: faced.reason,
            ..Control::new(actor.id.clone(), kind, faced.in_place, faced.evidence)
        };
        if actor.who.people || actor.who.machine {
            let of_branch = groups(owner, actor, &repositories);
            let of_gate = rewriters::groups(owner, actor, &repositories);
            let perhaps = unlisted::groups(owner, actor, &repositories, [&of_branch, &of_gate]);
            for (operations, held) in [
                (&gated, of_branch),
                (&changing, of_gate),
                (&gated, perhaps.changing_the_branch),
                (&changing, perhaps.changing_the_gate),
            ] {
                let rows = held.into_iter();
                controls.extend(
                    rows.map(|((kind, faced), names)| row(operations, kind, faced, scope_of(names.into_iter()))),
                );
            }
        } else {
            let rows = people.rows(actor, || groups(owner, actor, &repositories));
            controls
                .extend(rows.iter().map(|held| row(&gated, held.kind, held.faced.clone(), Arc::clone(&held.scope))));
        }
    }
    controls.extend(environments::controls(owner, actors));
    controls
}

fn scope_of<'n>(names: impl Iterator<Item = &'n str>) -> Arc<ResourceScope> {
    Arc::new(ResourceScope::any_of(names.map(pattern)))
}

/// What stands before an identity, by all repositories that it may change.
fn groups<'n>(owner: &OwnerFacts, actor: &Actor, repositories: &'n BTreeMap<Arc<str>, Gated<'_>>) -> Groups<'n> {
    let mut groups = Groups::new();
    // Most reach few of very many.
    let reached: Vec<_> = match changes(actor) {
        Reach::All => repositories.iter().collect(),
        Reach::Some(names) => names.iter().filter_map(|name| repositories.get_key_value(name)).collect(),
    };
    for (name, gated) in reached {
        for kind in GATES {
            if let Some(faced) = gated.gates.faced(kind, actor, name, owner, gated.facts, &gated.approvers) {
                groups.entry((kind, faced)).or_default().insert(name);
            }
        }
    }
    groups
}

/// The repositories that an identity may change, or may be able to.
fn changes(actor: &Actor) -> Reach {
    let mut reach = actor.held.reach("contents", Level::Write);
    if let Some(unread) = &actor.who.unread {
        reach.extend(unread.clone());
    }
    reach
}

#[cfg(test)]
mod tests {
    use evenhand_model::catalog::Catalog as _;

    use super::*;

    #[test]
    fn gated_operations_are_operations_of_the_catalogue_that_write() {
        let catalogue = Catalogue::global();
        let gated = catalogue.all_of(GATED.iter().copied());
        assert_eq!(gated.len(), GATED.len());
        for changing in [rewriters::OPERATIONS, environments::OPERATIONS] {
            assert_eq!(catalogue.all_of(changing.iter().copied()).len(), changing.len());
        }
        assert!(gated.iter().all(|operation| catalogue.level(operation).weight() >= 5));
    }
}
