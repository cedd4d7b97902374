//! Machines of which nothing tells in which repositories they hold what they hold: an app that is installed on some lists
//! them to nobody else. They may be past a gate wherever they would be if they were there, and that is not known.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use evenhand_model::control::{ControlKind, Way};
use evenhand_model::evidence::Truth;

use super::{Faced, Gated, Groups, rewriters};
use crate::access::Held;
use crate::facts::OwnerFacts;
use crate::inventory::{Actor, Who};

/// What such a machine would not be stopped by.
#[derive(Default)]
pub(super) struct Perhaps<'n> {
    /// As one who changes the branch.
    pub(super) changing_the_branch: Groups<'n>,
    /// As one who changes the gate alone.
    pub(super) changing_the_gate: Groups<'n>,
}

/// What a machine may not be stopped by where nothing tells whether it is there. `told`: what is said of it already.
pub(super) fn groups<'n>(
    owner: &OwnerFacts,
    actor: &Actor,
    repositories: &'n BTreeMap<Arc<str>, Gated<'_>>,
    told: [&Groups<'n>; 2],
) -> Perhaps<'n> {
    if actor.who.unlisted.is_empty() {
        return Perhaps::default();
    }
    let everywhere = Actor {
        id: actor.id.clone(),
        who: Who { unlisted: Vec::new(), ..actor.who.clone() },
        held: Held { holdings: actor.who.unlisted.clone(), doubts: actor.held.doubts.clone() },
        worth: actor.worth,
    };
    let of_kind = |((kind, _), names): (&(ControlKind, Faced), &BTreeSet<&'n str>)| {
        names.iter().map(|name| (*kind, *name)).collect::<Vec<_>>()
    };
    let told: BTreeSet<(ControlKind, &str)> = told.into_iter().flatten().flat_map(of_kind).collect();
    Perhaps {
        changing_the_branch: doubted(super::groups(owner, &everywhere, repositories), &told),
        changing_the_gate: doubted(rewriters::groups(owner, &everywhere, repositories), &told),
    }
}

/// The same as what is not known. Where a gate stops it, it does so wherever it is.
fn doubted<'n>(groups: Groups<'n>, told: &BTreeSet<(ControlKind, &'n str)>) -> Groups<'n> {
    let mut doubted = Groups::new();
    for ((kind, faced), names) in groups {
        let names: BTreeSet<&str> = names.into_iter().filter(|name| !told.contains(&(kind, *name))).collect();
        if faced.in_place == Truth::Yes || names.is_empty() {
            continue;
        }
        let reason = format!("{}; which repositories it reaches was not read", faced.reason);
        let faced = Faced { in_place: Truth::Unknown, way: Some(Way::Untold), reason: reason.into(), ..faced };
        doubted.entry((kind, faced)).or_default().extend(names);
    }
    doubted
}
