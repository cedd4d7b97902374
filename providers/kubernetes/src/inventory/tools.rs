//! What agents act through: tool servers, other agents, and whatever stands behind a URL inside the cluster.
//!
//! An agent may do what the account of its tool server may do. Where a reference leads to nothing that was read, its access
//! is at least what is shown, and that is said as a gap.

use std::collections::HashMap;
use std::sync::Arc;

use evenhand_model::access::{Edge, EdgeTarget, Grant, Unread};
use evenhand_model::evidence::Truth;
use evenhand_model::gap::{Gap, GapKind, Lost, Subject};
use evenhand_model::id::IdentityId;
use evenhand_model::trust::{Mechanism, Trust};
use foldhash::fast::FixedState;

use super::{Join, PROVIDER};
use crate::capture::{AgentResource, Approval, ToolRef, selects};

/// Where resources are, by namespace and name.
type Index<'r> = HashMap<(&'r str, &'r str), Vec<&'r AgentResource>, FixedState>;

impl Join<'_> {
    pub(super) fn take_tools(&mut self) {
        let resources = std::mem::take(&mut self.cluster.agents);
        let mut index: Index<'_> = HashMap::default();
        let mut groups: Index<'_> = HashMap::default();
        for resource in &resources {
            index.entry((&*resource.namespace, &*resource.name)).or_default().push(resource);
            if let Some(group) = &resource.member_of {
                groups.entry((&*resource.namespace, &**group)).or_default().push(resource);
            }
        }
        for agent in &resources {
            if agent.lost_tools {
                self.misunderstood(agent, "what names a tool");
            }
            if agent.unclear_account && agent.accounts.is_empty() {
                self.misunderstood(agent, "what names the account");
            }
            for tool in &agent.tools {
                self.tool(agent, tool, &index);
            }
            if let Some(group) = &agent.gathers {
                let members = groups.get(&(&*agent.namespace, &**group)).map_or(&[][..], Vec::as_slice);
                if members.is_empty() {
                    self.unresolved(
                        self.identity_of(agent),
                        &format!("tool servers of MCPGroup {}/{group}", agent.namespace),
                        &agent.group,
                    );
                }
                for server in members {
                    let constraint = Arc::from(format!("member of group {group}"));
                    self.uses(agent, &server.kind, &server.name, self.identity_of(server), constraint, Truth::No);
                }
            }
        }
        self.cluster.agents = resources;
    }

    fn tool(&mut self, agent: &AgentResource, tool: &ToolRef, index: &Index<'_>) {
        let found = index.get(&(&*tool.namespace, &*tool.name)).into_iter().flatten().find(|other| {
            // A reference may name the group with or without its version.
            let group = tool.group.split('/').next().unwrap_or_default();
            other.kind == tool.kind && (group.is_empty() || *other.group == *group)
        });
        let mut targets: Vec<IdentityId> = Vec::new();
        match found {
            Some(server) if !server.accounts.is_empty() => targets.push(self.identity_of(server)),
            Some(server) => {
                let service = server.url.as_deref().and_then(|url| service_of(url, &server.namespace));
                if let Some((namespace, name)) = service {
                    targets = self.accounts_behind(&namespace, &name);
                }
                if targets.is_empty() {
                    // What it may do out there is in no capture of this cluster, or not in this one.
                    targets.push(self.identity_of(server));
                    let what = format!("what stands behind {} {}/{}", server.kind, server.namespace, server.name);
                    self.unresolved(self.identity_of(agent), &what, "services, pods");
                }
            }
            None if &*tool.kind == "Service" => targets = self.accounts_behind(&tool.namespace, &tool.name),
            None => {}
        }
        if targets.is_empty() {
            let what = format!("{} {}/{}", tool.kind, tool.namespace, tool.name);
            self.unresolved(self.identity_of(agent), &what, &tool.group);
            let kind = tool.kind.to_ascii_lowercase();
            targets.push(IdentityId::new(format!("kubernetes:{}:{kind}:{}/{}", self.name, tool.namespace, tool.name)));
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
        let open = Truth::from(tool.tools.is_empty() && &*tool.kind != "Agent");
        for target in targets {
            self.uses(agent, &tool.kind, &tool.name, target, Arc::clone(&constraint), open);
        }
    }

    /// States that an agent acts through something. `open`: whether nothing limits which tools it may call.
    fn uses(
        &mut self,
        agent: &AgentResource,
        kind: &str,
        name: &str,
        target: IdentityId,
        constraint: Arc<str>,
        open: Truth,
    ) {
        let source = self.identity_of(agent);
        if source == target {
            return;
        }
        let evidence = agent.origin.evidence("");
        self.joined.inventory.trusts.push(Trust {
            source: source.shared(),
            target: target.clone(),
            provider: PROVIDER,
            mechanism: Mechanism::UsesTool,
            constraint: Arc::clone(&constraint),
            weak: open,
            weakness: Arc::from(if open == Truth::Yes { "all-tools" } else { "" }),
            evidence: evidence.clone(),
        });
        self.joined.stated.push(Edge {
            source,
            target: EdgeTarget::Identity(target),
            technique: "uses-tool".into(),
            escalation: false,
            conditional: false,
            grants: Arc::from([Grant {
                policy: format!("{} {}/{} uses {kind} {name}", agent.kind, agent.namespace, agent.name).into(),
                statement: None,
                name: constraint,
                evidence,
            }]),
        });
    }

    /// Something that an identity acts through and that was not read: its access is at least what is shown.
    pub(super) fn unresolved(&mut self, identity: IdentityId, what: &str, group: &str) {
        let kind = what.split(' ').next().unwrap_or(what);
        let call = match group {
            "" => format!("kubectl get {} -A -o json", kind.to_ascii_lowercase()),
            group if group.contains('.') => {
                let group = group.split('/').next().unwrap_or(group);
                format!("kubectl get {}s.{group} -A -o json", kind.to_ascii_lowercase())
            }
            group => format!("kubectl get {} -A -o json", group.replace(", ", ",")),
        };
        let reason = format!(
            "{what} is named by {identity} and nothing in the capture tells its account; add it to the capture"
        );
        self.unread(identity, what, GapKind::NotCollected, call, reason);
    }

    /// Something that a resource acts through, or with, and that stands in it in a form that is not understood.
    fn misunderstood(&mut self, agent: &AgentResource, what: &str) {
        let what = format!("{what} of {} {}/{}", agent.kind, agent.namespace, agent.name);
        let reason = format!("{what} has a value of another type than expected; export it again");
        let place = agent.origin.evidence("").to_string();
        self.unread(self.identity_of(agent), &what, GapKind::Failed, place, reason);
    }

    fn unread(&mut self, identity: IdentityId, what: &str, kind: GapKind, call: String, reason: String) {
        let gap = Gap {
            provider: Some(PROVIDER),
            scope: Some(self.scope.clone()),
            kind,
            call: call.into(),
            reason: reason.into(),
            facts: vec![Lost::of(
                "what may be done through it: access is at least what is shown",
                &[Subject::Access, Subject::Escalation],
            )],
        };
        self.joined.unread.entry(identity).or_default().push(Arc::new(Unread { what: what.into(), gap }));
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
