//! Approval parity: what stands before a change of the default branch, and who gets past it.
//!
//! The gates of a repository are its effective rules and the classic protection of its default branch. An identity is
//! stopped where one gate stops it; it is not where every gate lets it past, or where it may change the gate. What was
//! withheld is unknown: it may let past whom it likes.

mod bypass;
mod gates;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use evenhand_model::control::{Control, ControlKind, Way};
use evenhand_model::evidence::{Evidence, Truth};
use evenhand_model::scope::ResourceScope;

use crate::access::{Reach, pattern};
use crate::catalog::{Catalogue, Level};
use crate::facts::{OwnerFacts, RepositoryFacts};
use crate::inventory::{Actor, full_name};
use gates::Gates;

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

/// Whether an identity is stopped, and what says so.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Faced {
    pub(crate) in_place: Truth,
    pub(crate) way: Option<Way>,
    pub(crate) reason: Arc<str>,
    pub(crate) evidence: Evidence,
}

/// The controls of an organisation's identities before the repositories that they may change.
pub(crate) fn controls(owner: &OwnerFacts, actors: &[Actor]) -> Vec<Control> {
    let catalogue = Catalogue::global();
    let gated = Arc::new(catalogue.all_of(GATED.iter().copied()));
    let repositories: BTreeMap<Arc<str>, (&RepositoryFacts, Gates<'_>)> = owner
        .repositories
        .values()
        .filter(|repository| !repository.is_archived())
        .map(|repository| (full_name(owner, &repository.name), (repository, Gates::of(owner, repository))))
        .filter(|(_, (_, gates))| gates.may_stop())
        .collect();
    let mut controls = Vec::new();
    for actor in actors {
        let mut groups: BTreeMap<(ControlKind, Faced), BTreeSet<&str>> = BTreeMap::new();
        // Most reach few of very many.
        let mut reach = actor.held.reach("contents", Level::Write);
        if let Some(unread) = &actor.who.unread {
            reach.extend(unread.clone());
        }
        let reached: Vec<_> = match reach {
            Reach::All => repositories.iter().collect(),
            Reach::Some(names) => names.iter().filter_map(|name| repositories.get_key_value(name)).collect(),
        };
        for (name, (repository, gates)) in reached {
            for kind in [ControlKind::SecondPersonApproval, ControlKind::ChangeGate] {
                if let Some(faced) = gates.faced(kind, actor, name, owner, repository) {
                    groups.entry((kind, faced)).or_default().insert(name);
                }
            }
        }
        controls.extend(groups.into_iter().map(|((kind, faced), names)| Control {
            operations: Some(Arc::clone(&gated)),
            scope: Arc::new(ResourceScope::any_of(names.into_iter().map(pattern))),
            way: faced.way,
            reason: faced.reason,
            ..Control::new(actor.id.clone(), kind, faced.in_place, faced.evidence)
        }));
    }
    controls
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
        assert!(gated.iter().all(|operation| catalogue.level(operation).weight() >= 5));
    }
}
