//! Workloads: what runs with an identity.

use std::sync::Arc;

use crate::evidence::{Evidence, Fact};
use crate::id::{IdentityId, ProviderName, ScopeId};

/// A running or declared program that carries an identity.
#[derive(Clone, Debug)]
pub struct Workload {
    /// The workload's id.
    pub id: Arc<str>,
    /// The identity it carries.
    pub identity: IdentityId,
    /// Who read it.
    pub provider: ProviderName,
    /// The provider's word: `deployment`, `function`, `task_definition`, `agent` …
    pub kind: Arc<str>,
    /// Its name.
    pub name: Arc<str>,
    /// Where it runs.
    pub scope: ScopeId,
    /// Container images, comma separated; `Absent` for workloads without one.
    pub image: Fact<Arc<str>>,
    /// Whether the identity's token is placed inside it.
    pub token_mounted: Fact<bool>,
    /// Whether it needs that token.
    pub needs_token: Fact<bool>,
    /// Whether it takes requests from outside.
    pub exposed: Fact<bool>,
    /// Whether it runs privileged, shares the host's namespaces or mounts a container socket.
    pub privileged: Fact<bool>,
    /// What the place where it runs does to it.
    pub surroundings: Surroundings,
    /// Where it is described.
    pub evidence: Evidence,
}

/// What the place where a workload runs gives to it and takes from it.
#[derive(Clone, Debug, Default)]
pub struct Surroundings {
    /// Whether its identity is the one that its place gives to whatever names none.
    pub default_identity: Fact<bool>,
    /// Whether network rules limit where it may connect to.
    pub egress_restricted: Fact<bool>,
    /// Whether network rules limit who may connect to it.
    pub ingress_restricted: Fact<bool>,
    /// Whether its place refuses to run privileged containers.
    pub hardening_enforced: Fact<bool>,
    /// The stored secrets that are placed inside it or used to fetch it, by name, sorted; `Absent` = none.
    pub secrets: Fact<Vec<Arc<str>>>,
}
