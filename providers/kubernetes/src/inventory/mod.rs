//! Joins what the documents of a cluster said: who is there, what proves them, what runs with them, whom they may become.

mod accounts;
mod agents;
mod credentials;
mod gaps;
mod guards;
mod mapped;
mod roster;
mod subjects;
mod surroundings;
mod tools;
mod workloads;

use std::collections::BTreeMap;
use std::sync::Arc;

use evenhand_model::access::{Edge, Unread};
use evenhand_model::evidence::Evidence;
use evenhand_model::id::{IdentityId, ProviderName, ScopeId};
use evenhand_model::identity::{Nature, Signal, Strength};
use evenhand_model::inventory::{Hint, Inventory};
use evenhand_model::provider::Settings;
use rayon::prelude::*;

use crate::access::{Actor, Policy, Surroundings};
use crate::capture::Cluster;
use crate::catalog::Operations;
use roster::Roster;

/// The provider's name.
pub(crate) const PROVIDER: ProviderName = ProviderName("kubernetes");

/// Namespace and name.
pub(crate) type Key = (Arc<str>, Arc<str>);

/// An identity as the authorizer knows it.
#[derive(Clone, Debug)]
pub(crate) struct Acting {
    pub(crate) id: IdentityId,
    pub(crate) actor: Actor,
    /// Whether some workload carries its token.
    pub(crate) carried: bool,
}

/// One cluster, joined.
pub(crate) struct Joined {
    pub(crate) inventory: Inventory,
    pub(crate) surroundings: Surroundings,
    pub(crate) stated: Vec<Edge>,
    /// As whom the authorizer knows each identity.
    pub(crate) actors: Vec<Acting>,
    /// What identities act through and was not read.
    pub(crate) unread: BTreeMap<IdentityId, Vec<Arc<Unread>>>,
    /// Identities of clouds that accounts name, each with the document that tells of it.
    pub(crate) elsewhere: BTreeMap<IdentityId, Arc<str>>,
}

/// What the parts of the joining share.
pub(crate) struct Join<'j> {
    pub(super) name: &'j Arc<str>,
    pub(super) scope: ScopeId,
    pub(super) policy: &'j Policy,
    pub(super) cluster: Cluster,
    pub(super) settings: &'j Settings,
    accounts: Roster,
    /// Whether a server returned the accounts, so that one that is missing does not exist.
    pub(super) accounts_complete: bool,
    /// For each workload the number of its account.
    account_of: Vec<usize>,
    pub(super) joined: Joined,
}

/// Joins one cluster whose roles and bindings were taken out already; [`Join::finish`] ends it.
pub(crate) fn join<'j>(
    cluster: Cluster,
    policy: &'j Policy,
    bindings: subjects::Declarations,
    settings: &'j Settings,
) -> Join<'j> {
    let surroundings = Surroundings { aws_auth: cluster.aws_auth, ..Surroundings::default() };
    let mut join = Join {
        name: &policy.name,
        scope: policy.scope.clone(),
        policy,
        cluster,
        settings,
        accounts: Roster::default(),
        accounts_complete: false,
        account_of: Vec::new(),
        joined: Joined {
            inventory: Inventory::default(),
            surroundings,
            stated: Vec::new(),
            actors: Vec::new(),
            unread: BTreeMap::new(),
            elsewhere: BTreeMap::new(),
        },
    };
    join.take_accounts();
    join.take_subjects(bindings);
    join.take_mapped();
    join.take_workloads();
    join.take_agents();
    join.take_credentials();
    join.take_gaps();
    join
}

pub(crate) use gaps::about;
pub(crate) use subjects::Declarations as BindingDeclarations;

impl Join<'_> {
    /// Adds what takes the catalogue, and hands over what was joined.
    pub(crate) fn finish(mut self, operations: &Operations) -> Joined {
        let (keys, mut identities, carried) = std::mem::take(&mut self.accounts).finish();
        let actors: Vec<Acting> = identities
            .par_iter_mut()
            .zip(keys)
            .zip(carried)
            .map(|((identity, (namespace, name)), carried)| {
                self.inherit_owner(&namespace, identity);
                Acting { id: identity.id.clone(), actor: Actor::Account(namespace, name), carried }
            })
            .collect();
        self.joined.actors.extend(actors);
        let others = std::mem::replace(&mut self.joined.inventory.identities, identities);
        self.joined.inventory.identities.extend(others);
        self.take_guards(operations);
        let hints = std::mem::take(&mut self.cluster.hints);
        for (origin, message) in hints {
            self.hint(origin.evidence(""), message);
        }
        // Nobody needs to wait until what was read is given back.
        rayon::spawn(move || drop(self.cluster));
        self.joined
    }

    pub(super) fn account_id(&self, namespace: &str, name: &str) -> IdentityId {
        IdentityId::new(format!("kubernetes:{}:serviceaccount:{namespace}/{name}", self.name))
    }

    pub(super) fn hint(&mut self, evidence: Evidence, message: impl Into<Arc<str>>) {
        self.joined.inventory.hints.push(Hint { evidence, message: message.into() });
    }

    /// Adds a sign to an account's identity. Of signs that are equally strong the first counts: one of an agent comes
    /// before one of software, because who runs an agent beside a model server runs an agent.
    pub(super) fn sign(&mut self, account: usize, signal: Signal) {
        let Some(identity) = self.accounts.identity_mut(account) else { return };
        if identity.signals.contains(&signal) {
            return;
        }
        let software = |held: &Signal| held.nature == Nature::Workload && held.strength == signal.strength;
        let at = match signal.nature {
            Nature::AiAgent if signal.strength < Strength::Certain => identity.signals.iter().position(software),
            _ => None,
        };
        identity.signals.insert(at.unwrap_or(identity.signals.len()), signal);
    }
}
