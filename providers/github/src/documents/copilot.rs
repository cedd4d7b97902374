//! Copilot, its coding agent and other agents that GitHub runs, as the API describes them.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;

use super::people::Account;

/// Copilot in an organisation.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct CopilotBilling {
    /// `business`, `enterprise`.
    pub plan_type: Option<String>,
    /// Who has a seat: `assign_all`, `assign_selected`, `disabled`, `unconfigured`.
    pub seat_management_setting: Option<String>,
}

/// A person who uses Copilot.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Seat {
    /// Who.
    pub assignee: Option<Account>,
    /// When last.
    pub last_activity_at: Option<Timestamp>,
}

/// The answer that lists them.
#[derive(Debug, Deserialize)]
pub(crate) struct Seats {
    #[serde(default)]
    pub(crate) seats: Vec<Seat>,
}

/// Where the coding agent may work.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct CopilotAgent {
    /// `all`, `selected`, `none`.
    pub enabled_repositories: Option<String>,
}

/// What limits the coding agent in a repository. The API is a preview: members are taken as they come.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct CopilotConfiguration {
    /// Its tool servers.
    pub mcp_configuration: Option<serde_json::Value>,
    /// Whether it may only connect to listed hosts.
    pub is_firewall_enabled: Option<bool>,
    /// Whether hosts that GitHub recommends are among them.
    pub is_firewall_recommended_allowlist_enabled: Option<bool>,
    /// Whether its workflows wait until a person lets them run.
    pub require_actions_workflow_approval: Option<bool>,
    /// Everything else.
    #[serde(flatten)]
    pub rest: BTreeMap<String, serde::de::IgnoredAny>,
}

/// Where the audit log is sent.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct LogStream {
    /// The kind of store.
    pub stream_type: Option<String>,
    /// Whether it is on.
    pub enabled: Option<bool>,
}
