//! Logs: what records the actions of identities.

use std::sync::Arc;

use crate::evidence::{Evidence, Fact};
use crate::id::{ProviderName, ScopeId};

/// A log of a scope.
#[derive(Clone, Debug)]
pub struct Log {
    /// The account, cluster, organisation or machine it records.
    pub scope: ScopeId,
    /// Who read it.
    pub provider: ProviderName,
    /// The log's name.
    pub name: Arc<str>,
    /// Whether it is on.
    pub enabled: Fact<bool>,
    /// Whether it records what agents do (model invocations, agent data events).
    pub covers_agents: Fact<bool>,
    /// How long records are kept; `Absent` = for ever.
    pub retention_days: Fact<i64>,
    /// Whether records are protected against change (validation, lock, another account).
    pub tamper_protected: Fact<bool>,
    /// Where it is described.
    pub evidence: Evidence,
}
