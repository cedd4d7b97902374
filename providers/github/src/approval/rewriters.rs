//! Whoever may change a gate, for whom it is none. A machine need not be able to change what the gate guards: it takes the
//! gate away from before everybody, or makes a key that is let past.
//!
//! A deploy key is made with the administration of its repository ("Create a deploy key"), and one that may write is a
//! deploy key like any other: where a ruleset lets these past, who makes one is past it.

use std::collections::BTreeMap;
use std::sync::Arc;

use evenhand_model::control::{ControlKind, Way};
use evenhand_model::evidence::Truth;

use super::bypass::Past;
use super::gates::{Gate, Gates, Let, OF_ENTERPRISE, READ_AS, Source};
use super::{Faced, GATES, Gated, Groups, changes};
use crate::access::{Holding, Reach};
use crate::catalog::Level;
use crate::facts::OwnerFacts;
use crate::inventory::Actor;

/// The permission with which the settings of a repository are changed.
pub(super) const OF_REPOSITORY: &str = "administration";

/// The same of an organisation.
const OF_ORGANISATION: &str = "organization_administration";

/// Operations that change what stands before a default branch, or who is let past it.
pub(super) const OPERATIONS: &[&str] = &[
    "repos/create-deploy-key",
    "repos/delete-admin-branch-protection",
    "repos/delete-branch-protection",
    "repos/delete-org-ruleset",
    "repos/delete-pull-request-review-protection",
    "repos/delete-repo-ruleset",
    "repos/remove-status-check-protection",
    "repos/update-branch-protection",
    "repos/update-org-ruleset",
    "repos/update-pull-request-review-protection",
    "repos/update-repo-ruleset",
    "repos/update-status-check-protection",
];

/// How somebody changes a gate, or gets past it with a key of his own making; `None` = he does not.
pub(super) fn past(gate: &Gate<'_>, actor: &Actor, repository: &str, owner: &OwnerFacts) -> Option<Past> {
    let (family, place) = match gate.source {
        Source::Repository => (OF_REPOSITORY, Some(repository)),
        Source::Organisation => (OF_ORGANISATION, None),
        Source::Enterprise => return with_a_key(gate, actor, repository, owner),
    };
    match actor.held.by(family, Level::Write, place) {
        Some(holding) => Some(told(actor, holding, family, &format!("may change {} itself", gate.name))),
        None => with_a_key(gate, actor, repository, owner),
    }
}

fn with_a_key(gate: &Gate<'_>, actor: &Actor, repository: &str, owner: &OwnerFacts) -> Option<Past> {
    let holding = actor.held.by(OF_REPOSITORY, Level::Write, Some(repository))?;
    let organisation = owner.organisation.get();
    if organisation.is_some_and(|told| told.deploy_keys_enabled_for_repositories == Some(false)) {
        return None;
    }
    match &gate.lets {
        Let::Listed(actors) if actors.iter().any(|listed| listed.actor_type == "DeployKey") => {
            let how = format!("may make a deploy key, and deploy keys may bypass {}", gate.name);
            Some(told(actor, holding, OF_REPOSITORY, &how))
        }
        Let::Withheld | Let::Unread => {
            let why = match (gate.source, &gate.lets) {
                (Source::Enterprise, _) => OF_ENTERPRISE.to_owned(),
                (_, Let::Unread) => format!("was not read; {READ_AS}"),
                _ => format!("was withheld; {READ_AS}"),
            };
            let how = format!("may make a deploy key, and whether these may bypass {} {why}", gate.name);
            Some(Past::by_the_gate(Truth::Unknown, Way::Untold, how))
        }
        Let::Listed(_) | Let::Classic(..) => None,
    }
}

/// That a permission lets past. Of a machine it is named; people are too many to be told apart by it.
fn told(actor: &Actor, holding: &Holding, family: &str, how: &str) -> Past {
    let past = Past::by_the_gate(Truth::Yes, Way::Changes, how);
    match actor.who.machine {
        true => Past {
            how: format!("{how} ({family}: write, by {})", holding.by).into(),
            by: Some(holding.evidence.clone()),
            ..past
        },
        false => past,
    }
}

/// What a machine faces that changes gates, and nothing of what they guard.
pub(super) fn groups<'n>(
    owner: &OwnerFacts,
    actor: &Actor,
    repositories: &'n BTreeMap<Arc<str>, Gated<'_>>,
) -> Groups<'n> {
    let mut groups = Groups::new();
    let administers = match actor.held.by(OF_ORGANISATION, Level::Write, None) {
        Some(_) => Reach::All,
        None => actor.held.reach(OF_REPOSITORY, Level::Write),
    };
    if !actor.who.machine || matches!(&administers, Reach::Some(names) if names.is_empty()) {
        return groups;
    }
    let changed = changes(actor);
    for (name, gated) in repositories.iter().filter(|(name, _)| administers.holds(name) && !changed.holds(name)) {
        for kind in GATES {
            if let Some(faced) = faced(&gated.gates, kind, actor, name, owner) {
                groups.entry((kind, faced)).or_default().insert(name);
            }
        }
    }
    groups
}

/// What such a machine faces of a kind; `None` = nothing of it, or some gate stands that it does not change.
fn faced(gates: &Gates<'_>, kind: ControlKind, actor: &Actor, repository: &str, owner: &OwnerFacts) -> Option<Faced> {
    let mut most: Option<Faced> = None;
    for gate in gates.of_kind(kind) {
        let faced = gate.faced(past(gate, actor, repository, owner)?);
        if most.as_ref().is_none_or(|held| faced.in_place > held.in_place) {
            most = Some(faced);
        }
    }
    match most {
        Some(faced) if faced.in_place != Truth::No => Some(faced),
        // A gate that was not read may stand.
        most => gates.unread().or(most),
    }
}
