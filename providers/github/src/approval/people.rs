//! Ordinary people before the gates: very many who stand before very many gates alike.
//!
//! Whoever may change the same repositories in the same rank faces the same, unless a gate names him. So it is worked out
//! once for all of them, and told in one row for each thing that can be said: how many settings say it, and where.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use evenhand_model::control::{ControlKind, Way};
use evenhand_model::evidence::Truth;
use evenhand_model::scope::ResourceScope;
use foldhash::fast::FixedState;

use super::{Faced, Gated, Groups, changes, scope_of};
use crate::access::Reach;
use crate::catalog::Level;
use crate::inventory::{Actor, Who};

/// A row of everybody who stands alike.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) kind: ControlKind,
    pub(super) faced: Faced,
    pub(super) scope: Arc<ResourceScope>,
}

/// What can be said of a control.
type Said = (ControlKind, Truth, Option<Way>);

/// Settings that say the same.
struct Alike<'r> {
    /// The first of them.
    faced: Faced,
    settings: usize,
    repositories: Vec<&'r str>,
}

/// What decides what a person faces.
#[derive(PartialEq, Eq, Hash)]
struct Rank {
    changes: Reach,
    administers: Reach,
    administers_organisation: bool,
    who: Who,
    /// Whether the account has a number, without which a list of numbers tells nothing of it.
    numbered: bool,
    /// Who it is, where a gate names it.
    named: Option<Arc<str>>,
}

/// Ordinary people, by rank.
#[derive(Default)]
pub(super) struct People<'r> {
    /// Whom gates name, by numbers and by logins in lower case.
    numbers: BTreeSet<u64>,
    logins: BTreeSet<String>,
    known: HashMap<Rank, Arc<[Row]>, FixedState>,
    /// The sets of repositories that rows share.
    scopes: HashMap<Vec<&'r str>, Arc<ResourceScope>, FixedState>,
}

impl<'r> People<'r> {
    pub(super) fn of(repositories: &BTreeMap<Arc<str>, Gated<'_>>) -> Self {
        let mut all = Self::default();
        repositories.values().for_each(|gated| gated.gates.named(&mut all.numbers, &mut all.logins));
        all
    }

    /// The rows of a person; `groups`: what stands before him, setting by setting.
    pub(super) fn rows(&mut self, actor: &Actor, groups: impl FnOnce() -> Groups<'r>) -> Arc<[Row]> {
        let rank = self.rank(actor);
        if let Some(known) = self.known.get(&rank) {
            return Arc::clone(known);
        }
        let rows = self.joined(groups());
        self.known.insert(rank, Arc::clone(&rows));
        rows
    }

    fn rank(&self, actor: &Actor) -> Rank {
        let user = actor.who.user.as_ref();
        let named = user.filter(|(number, login)| {
            let listed = number.map_or(!self.numbers.is_empty(), |number| self.numbers.contains(&number));
            listed || self.logins.contains(&login.to_lowercase())
        });
        Rank {
            changes: changes(actor),
            administers: actor.held.reach("administration", Level::Write),
            administers_organisation: actor.held.allows_of_organisation("organization_administration", Level::Write),
            who: Who { user: None, ..actor.who.clone() },
            numbered: user.is_some_and(|(number, _)| number.is_some()),
            named: named.map(|(_, login)| Arc::clone(login)),
        }
    }

    fn joined(&mut self, groups: Groups<'r>) -> Arc<[Row]> {
        let mut joined: BTreeMap<Said, Alike<'r>> = BTreeMap::new();
        for ((kind, faced), names) in groups {
            let said = (kind, faced.in_place, faced.way);
            let alike = joined.entry(said).or_insert_with(|| Alike { faced, settings: 0, repositories: Vec::new() });
            alike.settings += 1;
            alike.repositories.extend(names);
        }
        joined
            .into_iter()
            .map(|((kind, ..), Alike { mut faced, settings, mut repositories })| {
                if settings > 1 && !faced.reason.is_empty() {
                    faced.reason = format!("{}, and likewise for {} more settings", faced.reason, settings - 1).into();
                }
                repositories.sort_unstable();
                let scope = self.scopes.entry(repositories);
                let scope = scope.or_insert_with_key(|names| scope_of(names.iter().copied()));
                Row { kind, faced, scope: Arc::clone(scope) }
            })
            .collect()
    }
}
