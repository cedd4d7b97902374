//! The inventory: everything that was read, in one vocabulary.

use std::cmp::Ordering;
use std::collections::HashMap;

use crate::agent::Agent;
use crate::control::Control;
use crate::credential::Credential;
use crate::gap::Gap;
use crate::id::IdentityId;
use crate::identity::Identity;
use crate::log::Log;
use crate::order::sort_by_text;
use crate::token::{Acceptance, Bearer};
use crate::trust::{Crossing, Mechanism, Trust};
use crate::workload::Workload;

/// What one provider read, or, merged, what all of them read.
#[derive(Clone, Debug, Default)]
pub struct Inventory {
    /// Principals.
    pub identities: Vec<Identity>,
    /// Ids under which others name identities, such as the client id of an application, each with the identity's own.
    pub aliases: Vec<(IdentityId, IdentityId)>,
    /// What proves them.
    pub credentials: Vec<Credential>,
    /// Who may become whom.
    pub trusts: Vec<Trust>,
    /// Tokens that identities can get; trusts come of those that something accepts.
    pub bearers: Vec<Bearer>,
    /// What takes tokens for an identity.
    pub acceptances: Vec<Acceptance>,
    /// The other side of trusts that come of these two.
    pub crossings: Vec<Crossing>,
    /// What runs with them.
    pub workloads: Vec<Workload>,
    /// What stands before them as a whole.
    pub controls: Vec<Control>,
    /// What records them.
    pub logs: Vec<Log>,
    /// Agents and tool servers in configuration.
    pub agents: Vec<Agent>,
    /// What could not be read.
    pub gaps: Vec<Gap>,
    /// What people should know and no rule judges: an operation that no catalogue knows, a statement that grants nothing.
    pub hints: Vec<Hint>,
}

/// A remark on the input.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, serde::Serialize, serde::Deserialize)]
pub struct Hint {
    /// Where.
    pub evidence: crate::evidence::Evidence,
    /// What, in one line with a remedy.
    pub message: std::sync::Arc<str>,
}

impl Inventory {
    /// Adds everything of another inventory.
    pub fn merge(&mut self, other: Self) {
        join(&mut self.identities, other.identities);
        join(&mut self.aliases, other.aliases);
        join(&mut self.credentials, other.credentials);
        join(&mut self.trusts, other.trusts);
        join(&mut self.bearers, other.bearers);
        join(&mut self.acceptances, other.acceptances);
        join(&mut self.crossings, other.crossings);
        join(&mut self.workloads, other.workloads);
        join(&mut self.controls, other.controls);
        join(&mut self.logs, other.logs);
        join(&mut self.agents, other.agents);
        join(&mut self.gaps, other.gaps);
        join(&mut self.hints, other.hints);
    }

    /// Identities by the ids under which others name them. An id that several share names none.
    pub fn named_by_others(&self) -> HashMap<&IdentityId, &IdentityId> {
        let mut named: HashMap<&IdentityId, Option<&IdentityId>> = HashMap::with_capacity(self.aliases.len());
        for (alias, identity) in &self.aliases {
            let held = named.entry(alias).or_insert(Some(identity));
            *held = held.filter(|held| *held == identity);
        }
        named.into_iter().filter_map(|(alias, identity)| Some((alias, identity?))).collect()
    }

    /// The other side of a trust that was joined; empty = it was not. The inventory must be sorted.
    pub fn crossings_of(&self, trust: &Trust) -> &[Crossing] {
        if trust.mechanism != Mechanism::Federation {
            return &[];
        }
        let wanted = (&*trust.source, trust.target.as_str());
        let ends = |held: &Crossing| (held.source.as_str(), held.target.as_str()).cmp(&wanted);
        let from = self.crossings.partition_point(|held| ends(held).is_lt());
        let to = self.crossings.partition_point(|held| ends(held).is_le());
        self.crossings.get(from..to).unwrap_or_default()
    }

    /// Sorts every list by its key, so that reports do not depend on the order of input.
    pub fn sort(&mut self) {
        let Self { identities, credentials, trusts, workloads, controls, .. } = self;
        let trusts_of_one = |a: &Trust, b: &Trust| {
            (&a.source, a.mechanism, &a.constraint).cmp(&(&b.source, b.mechanism, &b.constraint))
        };
        // Part of each sort is for one core: the long lists are sorted side by side.
        rayon::join(
            || {
                rayon::join(
                    || sort_by_text(identities, |held| held.id.as_str(), |a, b| a.evidence.cmp(&b.evidence)),
                    || sort_by_text(credentials, |held| held.id.as_str(), |a, b| a.evidence.cmp(&b.evidence)),
                )
            },
            || {
                sort_by_text(trusts, |held| held.target.as_str(), trusts_of_one);
                sort_by_text(
                    controls,
                    |held| held.identity.as_str(),
                    |a, b| (a.kind, &a.evidence).cmp(&(b.kind, &b.evidence)),
                );
                sort_by_text(workloads, |held| &*held.id, |_, _| Ordering::Equal);
            },
        );
        // Aliases, bearers and acceptances are in no report: whoever joins them sorts what comes of it.
        self.crossings.sort();
        self.logs.sort_by(|a, b| (&a.scope, &a.name).cmp(&(&b.scope, &b.name)));
        self.agents.sort_by(|a, b| (&a.id, &a.evidence).cmp(&(&b.id, &b.evidence)));
        self.gaps.sort();
        self.gaps.dedup();
        self.hints.sort();
        self.hints.dedup();
    }
}

/// Adds a list to another, without copying where there is nothing to add to, and no room was made for it.
fn join<T>(held: &mut Vec<T>, mut more: Vec<T>) {
    if held.is_empty() && held.capacity() < more.len() {
        *held = more;
        held.shrink_to_fit();
    } else {
        held.append(&mut more);
    }
}
