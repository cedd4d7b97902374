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

/// Where the coding agent may work.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct CopilotAgent {
    /// `all`, `selected`, `none`.
    pub enabled_repositories: Option<String>,
}

/// What limits the coding agent in a repository. The API is a preview: what is absent is unknown.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct CopilotConfiguration {
    /// Its tool servers, by their names; what configures them is not kept.
    #[serde(default, deserialize_with = "server_names")]
    pub mcp_configuration: Vec<String>,
    /// Whether it may only connect to listed hosts.
    pub is_firewall_enabled: Option<bool>,
    /// Whether its workflows wait until a person lets them run.
    pub require_actions_workflow_approval: Option<bool>,
    /// Whether events may start it without a person.
    pub is_automations_enabled: Option<bool>,
    /// Whether only who may write can start it by an event.
    pub require_write_access_for_automation_triggers: Option<bool>,
}

/// Only names leave a configuration of tool servers: it may hold keys.
fn server_names<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    struct Servers {
        #[serde(default, rename = "mcpServers")]
        servers: BTreeMap<String, serde::de::IgnoredAny>,
    }
    let held: Option<Servers> = Option::deserialize(deserializer)?;
    Ok(held.map(|held| held.servers.into_keys().collect()).unwrap_or_default())
}

/// Where the audit log is sent.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct LogStream {
    /// The kind of store.
    pub stream_type: Option<String>,
    /// Whether it is on.
    pub enabled: Option<bool>,
}
