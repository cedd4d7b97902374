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
    /// Where it is described.
    pub evidence: Evidence,
}
