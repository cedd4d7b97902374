//! Agents and tool servers: the platforms' custom resources, and workloads that run a known image of one.

use std::collections::BTreeMap;
use std::sync::Arc;

use evenhand_model::access::{Edge, EdgeTarget, Grant};
use evenhand_model::agent::{Agent, AgentKind, ApprovalMode};
use evenhand_model::evidence::{Fact, Truth};
use evenhand_model::id::IdentityId;
use evenhand_model::identity::{Identity, Nature, Signal, Strength};
use evenhand_model::trust::{Mechanism, Trust};

use super::accounts::declare;
use super::{Join, Key, PROVIDER};
use crate::capture::{AgentResource, Approval, ToolRef, Workload, selects};

impl Join<'_> {
    pub(super) fn take_agents(&mut self) {
        let mut resources = BTreeMap::new();
        for resource in std::mem::take(&mut self.cluster.agents) {
            let key = (Arc::clone(&resource.kind), Arc::clone(&resource.namespace), Arc::clone(&resource.name));
            resources.insert(key, resource);
        }
        let resources: Vec<AgentResource> = resources.into_values().collect();
        for resource in &resources {
            self.resource(resource);
        }
        for resource in &resources {
            for tool in &resource.tools {
                self.tool(resource, tool, &resources);
            }
        }
        self.cluster.agents = resources;
        let workloads = std::mem::take(&mut self.cluster.workloads);
        for workload in &workloads {
            self.agent_workload(workload);
        }
        self.cluster.workloads = workloads;
    }

    /// The identity that a resource acts as: its first account, or itself where nothing tells its account.
    pub(super) fn identity_of(&self, resource: &AgentResource) -> IdentityId {
        match resource.accounts.first() {
            Some(account) => self.account_id(&resource.namespace, account),
            None => IdentityId::new(format!("kubernetes:{}:agent:{}/{}", self.name, resource.namespace, resource.name)),
        }
    }

    fn resource(&mut self, resource: &AgentResource) {
        let evidence = resource.origin.evidence("");
        let article = match resource.what {
            Some(AgentKind::Agent) => "acts as the agent",
            Some(AgentKind::ToolServer) => "runs the tool server",
            None => "serves models as",
        };
        let reason: Arc<str> = format!("{article} {} {}/{}", resource.kind, resource.namespace, resource.name).into();
        let strength = if resource.what.is_some() { Strength::Certain } else { Strength::Medium };
        for account in &resource.accounts {
            let key: Key = (Arc::clone(&resource.namespace), Arc::clone(account));
            self.imply_account(&key.0, &key.1, || evidence.clone());
            self.sign(&key, strength, Arc::clone(&reason), evidence.clone());
            if let Some(identity) = self.identities.get_mut(&key)
                && resource.what.is_some()
                && &**account != "default"
            {
                declare(identity, &resource.declared);
            }
        }
        let Some(what) = resource.what else { return };
        let id = self.identity_of(resource);
        if resource.accounts.is_empty() {
            let mut identity = Identity::new(
                id.clone(),
                PROVIDER,
                self.scope.clone(),
                "agent",
                format!("{}/{}", resource.namespace, resource.name),
                evidence.clone(),
            );
            declare(&mut identity, &resource.declared);
            identity.signals.push(Signal {
                nature: Nature::AiAgent,
                strength: Strength::Certain,
                reason,
                evidence: evidence.clone(),
            });
            self.joined.inventory.identities.push(identity);
        }
        let mut agent = Agent::new(
            format!("kubernetes:{}:{}:{}/{}", self.name, resource.kind, resource.namespace, resource.name),
            id,
            PROVIDER,
            self.scope.clone(),
            resource.platform,
            what,
            format!("{}/{}", resource.namespace, resource.name),
            evidence,
        );
        agent.ambient_credentials = Fact::Known(false);
        agent.telemetry = Fact::known(resource.audited);
        agent.sandboxed = Fact::known(resource.sandboxed);
        agent.command_pinned = Fact::known(resource.image.as_deref().map(is_pinned));
        match what {
            AgentKind::Agent => {
                agent.transport = Fact::Absent;
                approvals(&mut agent, resource);
            }
            AgentKind::ToolServer => {
                agent.transport = Fact::known(resource.transport.clone());
                agent.remote = match (&resource.transport, &resource.url) {
                    (_, Some(_)) => Fact::Known(true),
                    (Some(transport), None) => Fact::Known(&**transport != "stdio"),
                    (None, None) => Fact::Unknown,
                };
                agent.tls = Fact::known(resource.url.as_deref().map(|url| url.starts_with("https:")));
                agent.authenticated = Fact::known(resource.authenticated);
            }
        }
        self.joined.inventory.agents.push(agent);
    }

    /// A workload that is recognised by its image alone.
    fn agent_workload(&mut self, workload: &Workload) {
        let Some((strength, reason)) = workload.signals.first() else { return };
        let described = self.cluster.agents.iter().any(|resource| {
            resource.namespace == workload.namespace
                && (resource.name == workload.name || workload.name.starts_with(&*resource.name))
        });
        if *strength < Strength::Strong || described || workload.word.starts_with("sandbox") {
            return;
        }
        let tool = reason.contains("mcp") || workload.signals.iter().any(|(_, reason)| reason.contains("--mcp"));
        let mut agent = Agent::new(
            format!("kubernetes:{}:{}:{}/{}#agent", self.name, workload.word, workload.namespace, workload.name),
            self.account_id(&workload.namespace, &workload.account),
            PROVIDER,
            self.scope.clone(),
            "container",
            if tool { AgentKind::ToolServer } else { AgentKind::Agent },
            format!("{}/{}", workload.namespace, workload.name),
            workload.origin.evidence(""),
        );
        agent.ambient_credentials = Fact::Known(false);
        agent.privileged = Fact::Known(workload.privileged);
        agent.command_pinned = Fact::Known(workload.images.iter().all(|image| is_pinned(image)));
        if !tool {
            agent.transport = Fact::Absent;
        }
        self.joined.inventory.agents.push(agent);
    }

    /// An agent may do what its tool server's account may do, limited by the tools it is given.
    fn tool(&mut self, agent: &AgentResource, tool: &ToolRef, resources: &[AgentResource]) {
        let source = self.identity_of(agent);
        let evidence = agent.origin.evidence("");
        let mut targets: Vec<IdentityId> = Vec::new();
        let found = resources
            .iter()
            .find(|other| other.kind == tool.kind && other.namespace == tool.namespace && other.name == tool.name);
        match found {
            Some(server) if !server.accounts.is_empty() => targets.push(self.identity_of(server)),
            Some(server) => {
                if let Some((namespace, name)) =
                    server.url.as_deref().and_then(|url| service_of(url, &server.namespace))
                {
                    targets = self.accounts_behind(&namespace, &name);
                }
            }
            None if &*tool.kind == "Service" => targets = self.accounts_behind(&tool.namespace, &tool.name),
            None => {}
        }
        if targets.is_empty() {
            self.hint(
                evidence,
                format!(
                    "{} {}/{} uses {} {}/{}, whose account nothing in the capture tells: its access is at least what is shown; add that object to the capture",
                    agent.kind, agent.namespace, agent.name, tool.kind, tool.namespace, tool.name
                ),
            );
            return;
        }
        let mut constraint = String::new();
        if !tool.tools.is_empty() {
            constraint = format!("tools {}", tool.tools.join(", "));
        }
        match &tool.approval {
            Approval::Unset => {}
            Approval::All => constraint.push_str("; approval for all"),
            Approval::Tools(tools) => constraint.push_str(&format!("; approval for {}", tools.join(", "))),
        }
        let constraint: Arc<str> = constraint.trim_start_matches("; ").into();
        for target in targets.into_iter().filter(|target| *target != source) {
            self.joined.inventory.trusts.push(Trust {
                source: source.shared(),
                target: target.clone(),
                provider: PROVIDER,
                mechanism: Mechanism::UsesTool,
                constraint: Arc::clone(&constraint),
                weak: Truth::No,
                weakness: Arc::from(""),
                evidence: evidence.clone(),
            });
            self.joined.stated.push(Edge {
                source: source.clone(),
                target: EdgeTarget::Identity(target),
                technique: "uses-tool".into(),
                escalation: false,
                conditional: false,
                grants: Arc::from([Grant {
                    policy: format!(
                        "{} {}/{} uses {} {}",
                        agent.kind, agent.namespace, agent.name, tool.kind, tool.name
                    )
                    .into(),
                    statement: 0,
                    name: Arc::clone(&constraint),
                    evidence: evidence.clone(),
                }]),
            });
        }
    }

    /// The accounts of the workloads that a Service sends requests to.
    fn accounts_behind(&self, namespace: &str, name: &str) -> Vec<IdentityId> {
        let mut found: Vec<IdentityId> = self
            .cluster
            .services
            .iter()
            .filter(|service| *service.namespace == *namespace && *service.name == *name)
            .flat_map(|service| {
                self.cluster.workloads.iter().filter(|workload| {
                    workload.namespace == service.namespace && selects(&service.selector, &workload.labels)
                })
            })
            .map(|workload| self.account_id(&workload.namespace, &workload.account))
            .collect();
        found.sort();
        found.dedup();
        found
    }
}

/// What runs unasked, and what a person approves.
fn approvals(agent: &mut Agent, resource: &AgentResource) {
    if resource.platform != "kagent" || resource.tools.is_empty() {
        return;
    }
    let servers: Vec<&ToolRef> = resource.tools.iter().filter(|tool| &*tool.kind != "Agent").collect();
    if servers.is_empty() {
        return;
    }
    let mut unasked: Vec<Arc<str>> = Vec::new();
    let (mut asked, mut open) = (false, false);
    for server in &servers {
        let approved: &[Arc<str>] = match &server.approval {
            Approval::All => {
                asked = true;
                continue;
            }
            Approval::Tools(tools) => {
                asked = true;
                tools
            }
            Approval::Unset => &[],
        };
        open |= server.tools.is_empty();
        if server.tools.is_empty() {
            unasked.push(format!("{}/*", server.name).into());
        }
        unasked.extend(
            server
                .tools
                .iter()
                .filter(|tool| !approved.contains(tool))
                .map(|tool| Arc::from(format!("{}/{tool}", server.name))),
        );
    }
    unasked.sort();
    agent.approval_mode = Fact::Known(match (asked, unasked.is_empty()) {
        (_, true) => ApprovalMode::Prompt,
        (true, false) => ApprovalMode::Partial,
        (false, false) => ApprovalMode::Bypass,
    });
    agent.approval_defaulted = Fact::Known(!asked);
    agent.auto_approve_all = Fact::Known(!asked && open);
    agent.auto_approved = Fact::read((!unasked.is_empty()).then_some(unasked));
}

/// Whether an image names one version: a digest, or a tag that is not moved by design.
fn is_pinned(image: &str) -> bool {
    if image.contains("@sha256:") {
        return true;
    }
    let name = image.rsplit('/').next().unwrap_or(image);
    name.split_once(':').is_some_and(|(_, tag)| !tag.is_empty() && tag != "latest")
}

/// The namespace and name of the Service that a URL inside the cluster leads to.
fn service_of(url: &str, home: &str) -> Option<(String, String)> {
    let host = url.split_once("://")?.1.split(['/', '?', ':']).next()?;
    let mut labels = host.split('.');
    let name = labels.next().filter(|name| !name.is_empty())?;
    match (labels.next(), labels.next()) {
        (None, _) => Some((home.to_owned(), name.to_owned())),
        (Some(namespace), None | Some("svc")) => Some((namespace.to_owned(), name.to_owned())),
        _ => None,
    }
}
