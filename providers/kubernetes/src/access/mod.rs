//! What identities may do: roles and bindings compiled against the catalogue, single decisions, steps to more access.

mod builtin;
mod compiled;
mod decide;
mod edges;
mod grantings;
mod policy;
mod power;
#[cfg(test)]
mod properties;
mod proposal;
mod sets;
mod techniques;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, OnceLock};

use evenhand_model::access::{
    Access, AccessResolver, DecideError, Decision, Edge, Grant, GrantIx, Link, Request as Question, Unlisted, Unread,
};
use evenhand_model::catalog::Catalog;
use evenhand_model::decide::Decides;
use evenhand_model::evidence::Evidence;
use evenhand_model::id::IdentityId;
use evenhand_model::inventory::Hint;
use evenhand_model::opset::OpSet;
use evenhand_model::proposal::Proposes;
use evenhand_model::steps::Steps;
use foldhash::fast::FixedState;
use rayon::prelude::*;

pub(crate) use compiled::Compiled;
pub(crate) use grantings::{Distinct, Grantings};
pub(crate) use policy::Policy;
pub(crate) use sets::{Held, Sets};

use crate::catalog::Operations;
use crate::point::Within;

/// As whom the authorizer knows an identity.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Actor {
    /// Namespace and name.
    Account(Arc<str>, Arc<str>),
    User(Arc<str>),
    Group(Arc<str>),
    /// Whoever holds a ClusterRole cluster-wide, and nothing else.
    HolderOf(Arc<str>),
}

/// An identity's place in the resolver.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    pub(crate) cluster: u32,
    pub(crate) set: u32,
    pub(crate) actor: Actor,
    /// Whether some workload carries its token.
    pub(crate) carried: bool,
}

/// What edges need beside permissions and what runs where: which tokens lie in Secrets, and what is known.
#[derive(Clone, Debug, Default)]
pub(crate) struct Surroundings {
    /// Whether workloads are part of the capture at all.
    pub(crate) workloads_known: bool,
    /// Namespace, Secret and account of every token Secret.
    pub(crate) tokens: Vec<(Arc<str>, Arc<str>, Arc<str>)>,
    /// Whether the cluster maps cloud roles in ConfigMap aws-auth; `None` = not known.
    pub(crate) aws_auth: Option<bool>,
}

/// Access over everything that was read.
pub(crate) struct Resolver {
    pub(crate) operations: Operations,
    pub(crate) clusters: Vec<Compiled>,
    pub(crate) surroundings: Vec<Surroundings>,
    pub(crate) identities: HashMap<IdentityId, Known, FixedState>,
    /// Steps that documents state: tools of agents, roles of clouds.
    pub(crate) stated: Vec<Edge>,
    /// What identities act through and was not read.
    pub(crate) unread: BTreeMap<IdentityId, Vec<Arc<Unread>>>,
    /// Identities of clouds that accounts name, each with the document that tells of it.
    pub(crate) elsewhere: BTreeMap<IdentityId, Arc<str>>,
    /// Which steps were left out when they were last worked out.
    pub(crate) left_out: OnceLock<Vec<Hint>>,
}

impl Drop for Resolver {
    /// Gives back what there is most of on all cores: whoever waits for its memory waits less.
    fn drop(&mut self) {
        let clusters = std::mem::take(&mut self.clusters);
        let identities = std::mem::take(&mut self.identities);
        rayon::join(|| clusters.into_par_iter().for_each(drop), || drop(identities));
    }
}

impl Resolver {
    fn cluster_of(&self, identity: &IdentityId) -> Option<(&Compiled, &Known)> {
        let known = self.identities.get(identity)?;
        Some((self.clusters.get(known.cluster as usize)?, known))
    }
}

impl AccessResolver for Resolver {
    fn catalog(&self) -> &dyn Catalog {
        &self.operations
    }

    fn access_key(&self, identity: &IdentityId) -> Option<u64> {
        let known = self.identities.get(identity)?;
        Some(u64::from(known.cluster) << 32 | u64::from(known.set))
    }

    fn access(&self, identity: &IdentityId) -> Option<Arc<Access>> {
        let (cluster, known) = self.cluster_of(identity)?;
        cluster.access(known.set)
    }

    fn is_admin(&self, identity: &IdentityId) -> Option<bool> {
        let (cluster, known) = self.cluster_of(identity)?;
        let held = cluster.set(known.set)?;
        if held.unlimited {
            return Some(true);
        }
        let everywhere = OpSet::from_ranges(held.grantors.iter().flat_map(|grantor| {
            cluster
                .rules_of(*grantor)
                .filter(|(_, rule, _, home)| home.is_empty() && rule.resource_names.is_empty())
                .flat_map(|(_, _, operations, _)| operations.ranges().iter().copied())
        }));
        Some(self.operations.resources().is_subset(&everywhere))
    }

    fn grant(&self, grant: GrantIx) -> Grant {
        self.clusters.iter().find_map(|cluster| cluster.grant(grant)).unwrap_or_else(|| Grant {
            policy: Arc::from(""),
            statement: None,
            name: Arc::from(""),
            evidence: Evidence::whole(""),
        })
    }

    fn links(&self, identity: &IdentityId, grant: GrantIx) -> Vec<Link> {
        let Some((cluster, known)) = self.cluster_of(identity) else { return Vec::new() };
        let Some((grantor, rule)) = cluster.granting(grant) else { return Vec::new() };
        let (user, groups) = decide::credentials(&known.actor);
        cluster.policy.links(grantor, rule, &user, &groups)
    }

    fn decide(&self, identity: &IdentityId, request: &Question) -> Result<Decision, DecideError> {
        decide::decide(self, identity, request)
    }

    fn narrower(&self) -> &'static str {
        "-n and --name"
    }

    fn decider(&self) -> Option<Box<dyn Decides + '_>> {
        Some(Box::new(Within::new(self)))
    }

    fn edges(&self) -> Vec<Edge> {
        self.steps().edges().collect()
    }

    fn steps(&self) -> Steps {
        let (steps, left_out) = edges::steps(self);
        // They are the same every time.
        let _ = self.left_out.set(left_out);
        steps
    }

    fn unlisted(&self, identity: &IdentityId) -> Vec<Unlisted> {
        let words = self.identities.get(identity).map_or_else(Vec::new, |known| edges::unlisted(self, known));
        let lesser = words.into_iter().map(Unlisted::Lesser);
        lesser.chain(self.unread(identity).into_iter().map(Unlisted::Unread)).collect()
    }

    /// What it acts through and was not read. Roles and bindings that are missing are doubts of the access.
    fn unread(&self, identity: &IdentityId) -> Vec<Arc<Unread>> {
        self.unread.get(identity).cloned().unwrap_or_default()
    }

    fn edges_left_out(&self) -> Vec<Hint> {
        self.left_out.get_or_init(|| edges::steps(self).1).clone()
    }

    fn told_by(&self, named: &IdentityId) -> Option<Arc<str>> {
        self.elsewhere.get(named).cloned()
    }

    fn proposer(&self) -> Option<&dyn Proposes> {
        Some(self)
    }

    fn used(&self, _identity: &IdentityId) -> Option<OpSet> {
        // Use is in audit logs, which are no part of an export.
        None
    }
}
