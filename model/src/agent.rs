//! Agents and tool servers as they stand in configuration.

use std::sync::Arc;

use serde::Serialize;

use crate::credential::Exposure;
use crate::evidence::{Evidence, Fact};
use crate::id::{IdentityId, ProviderName, ScopeId};

/// How much an agent may do before a person is asked.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ApprovalMode {
    /// A person is asked before each action with an effect.
    Prompt,
    /// Some actions go through unasked: an allow-list, edits.
    Partial,
    /// Nothing is asked.
    Bypass,
}

impl ApprovalMode {
    /// The word used in the fact tables.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Prompt => "prompt",
            Self::Partial => "partial",
            Self::Bypass => "bypass",
        }
    }
}

/// Whether a row describes an agent or something it acts through.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AgentKind {
    /// A program that decides by itself.
    Agent,
    /// A tool server through which an agent acts.
    ToolServer,
}

impl AgentKind {
    /// The word used in the fact tables.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Agent => "agent",
            Self::ToolServer => "tool_server",
        }
    }
}

/// An agent or tool server as configured.
#[derive(Clone, Debug)]
pub struct Agent {
    /// The row's id.
    pub id: Arc<str>,
    /// The identity it acts as.
    pub identity: IdentityId,
    /// Who read it.
    pub provider: ProviderName,
    /// The scope it is configured in.
    pub scope: ScopeId,
    /// The client or platform: `claude-code`, `cursor`, `bedrock` …
    pub client: Arc<str>,
    /// Agent or tool server.
    pub kind: AgentKind,
    /// Its name.
    pub name: Arc<str>,
    /// Where it is configured.
    pub evidence: Evidence,
    /// `stdio`, `http`, `sse`, `in_process`; `Absent` for agents.
    pub transport: Fact<Arc<str>>,
    /// Whether the command or image is pinned to a version or digest; `Absent` where nothing is fetched.
    pub command_pinned: Fact<bool>,
    /// Whether the command fetches code when it starts (`npx`, `uvx`, `docker run`).
    pub command_fetched: Fact<bool>,
    /// Whether the endpoint is reached over the network.
    pub remote: Fact<bool>,
    /// Whether it runs inside a sandbox.
    pub sandboxed: Fact<bool>,
    /// How much it may do unasked, after the client's default is applied.
    pub approval_mode: Fact<ApprovalMode>,
    /// Whether `approval_mode` is the client's default because nothing was set.
    pub approval_defaulted: Fact<bool>,
    /// Tools that run unasked, sorted; `Absent` = none.
    pub auto_approved: Fact<Vec<Arc<str>>>,
    /// Whether every tool runs unasked.
    pub auto_approve_all: Fact<bool>,
    /// Whether a tool that runs unasked has effects outside the machine (push, merge, deploy, delete).
    pub external_effect_approved: Fact<bool>,
    /// Whether a managed policy forbids bypassing approval.
    pub managed_policy: Fact<bool>,
    /// Whether project-supplied tool servers start without review.
    pub project_servers_enabled: Fact<bool>,
    /// Whether commands that a repository brings along (hooks) run beside it.
    pub project_hooks: Fact<bool>,
    /// Whether commands may leave the sandbox that it runs in; `Absent` where there is none.
    pub sandbox_escape: Fact<bool>,
    /// Whether code that an outsider can write is checked out where it runs; for agents of a pipeline.
    pub untrusted_checkout: Fact<bool>,
    /// Whether the token that a pipeline hands to it may change the repository.
    pub token_writes: Fact<bool>,
    /// What limits the token that a pipeline hands to it: `limited`, `default` (nothing there does), `write_all`.
    pub token_grant: Fact<Arc<str>>,
    /// Names of the pipeline's secrets in its reach, sorted; `Absent` = none.
    pub secrets_in_reach: Fact<Vec<Arc<str>>>,
    /// Every key that bears on approval or isolation, with the place of each, in the order of precedence.
    pub approval_keys: Vec<(Arc<str>, Evidence)>,
    /// Whether the endpoint demands a credential; `Absent` for local processes.
    pub authenticated: Fact<bool>,
    /// Whether the endpoint is reached over TLS; `Absent` for local processes.
    pub tls: Fact<bool>,
    /// The widest folder it may touch: `project`, `home`, `root`.
    pub file_scope: Fact<Arc<str>>,
    /// Whether it runs as root, privileged, or with a container socket.
    pub privileged: Fact<bool>,
    /// Where the key lies with which it calls its model; `Absent` = it takes none.
    pub model_key: Fact<Exposure>,
    /// Whether it decides for each caller or tool what may be called.
    pub authorization: Fact<bool>,
    /// The name of the profile that limits what it may touch where it runs; `Absent` = none is set.
    pub permission_profile: Fact<Arc<str>>,
    /// Whether telemetry of its actions is exported.
    pub telemetry: Fact<bool>,
    /// What starts it: `person`, `pull_request`, `issue`, `comment`, `schedule`, `request` …; several joined by `, `.
    pub trigger: Fact<Arc<str>>,
    /// Whether someone outside the organisation can start it.
    pub untrusted_trigger: Fact<bool>,
    /// Whether someone outside the organisation can start it in a run that holds its secrets and rights; `Absent` where such
    /// a run holds no less than any other: then `untrusted_trigger` tells.
    pub outsider_run_privileged: Fact<bool>,
    /// Whether it is in the register of known agents (filled by the pipeline from the configuration).
    pub registered: Fact<bool>,
    /// Whether the credentials it uses are those of the person at the machine.
    pub ambient_credentials: Fact<bool>,
    /// Whether it is switched off (it still holds its secrets).
    pub disabled: bool,
}

impl Agent {
    /// An agent or tool server of which nothing is known but who it is and where it stands.
    pub fn new(
        id: impl Into<Arc<str>>,
        identity: IdentityId,
        provider: ProviderName,
        scope: ScopeId,
        client: impl Into<Arc<str>>,
        kind: AgentKind,
        name: impl Into<Arc<str>>,
        evidence: Evidence,
    ) -> Self {
        Self {
            id: id.into(),
            identity,
            provider,
            scope,
            client: client.into(),
            kind,
            name: name.into(),
            evidence,
            transport: Fact::Unknown,
            command_pinned: Fact::Unknown,
            command_fetched: Fact::Unknown,
            remote: Fact::Unknown,
            sandboxed: Fact::Unknown,
            approval_mode: Fact::Unknown,
            approval_defaulted: Fact::Unknown,
            auto_approved: Fact::Unknown,
            auto_approve_all: Fact::Unknown,
            external_effect_approved: Fact::Unknown,
            managed_policy: Fact::Unknown,
            project_servers_enabled: Fact::Unknown,
            project_hooks: Fact::Unknown,
            sandbox_escape: Fact::Unknown,
            untrusted_checkout: Fact::Unknown,
            token_writes: Fact::Unknown,
            token_grant: Fact::Unknown,
            secrets_in_reach: Fact::Unknown,
            approval_keys: Vec::new(),
            authenticated: Fact::Unknown,
            tls: Fact::Unknown,
            file_scope: Fact::Unknown,
            privileged: Fact::Unknown,
            model_key: Fact::Unknown,
            authorization: Fact::Unknown,
            permission_profile: Fact::Unknown,
            telemetry: Fact::Unknown,
            trigger: Fact::Unknown,
            untrusted_trigger: Fact::Unknown,
            outsider_run_privileged: Fact::Absent,
            registered: Fact::Unknown,
            ambient_credentials: Fact::Unknown,
            disabled: false,
        }
    }
}
