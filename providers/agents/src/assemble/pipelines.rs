//! The rows of agents that workflows run: identity, agent, tool servers, credentials, and the principals that the job signs
//! in as.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use evenhand_model::agent::{Agent, AgentKind, ApprovalMode};
use evenhand_model::credential::{Credential, Exposure};
use evenhand_model::document::FileFacts;
use evenhand_model::evidence::{Evidence, Fact, Truth};
use evenhand_model::gap::{Gap, GapKind, Lost, Subject};
use evenhand_model::id::{CredentialId, IdentityId, ScopeId};
use evenhand_model::identity::{Identity, Nature, Signal, Strength};
use evenhand_model::inventory::{Hint, Inventory};
use evenhand_model::trust::{Mechanism, Trust};

use super::Ground;
use super::lending::Holder;
use super::rows::{Out, describe, signal};
use crate::provider_name;
use crate::reader::WorkflowRead;
use crate::scope::Place;
use crate::secret::Found;
use crate::visibility;
use crate::workflow::{MissingPart, Workflow, WorkflowAgent, listed};

/// A repository that somebody else reads, with the identities that its jobs act as.
pub struct Repository<'r> {
    /// The workflow's file, as reports name it.
    pub document: Arc<str>,
    /// The file's name without its endings.
    pub stem: String,
    /// The repository's name, as ids of tool servers hold it.
    pub shown: String,
    /// The organisation.
    pub scope: ScopeId,
    /// Whether everyone can see the repository; `None` = not known.
    pub public: Option<bool>,
    /// The identity of a job, which its caller lists.
    pub identity: &'r dyn Fn(&str) -> IdentityId,
}

/// The rows of the agents of one workflow of a repository whose jobs are identities of their own: agents, tool servers,
/// credentials, principals that the jobs sign in as; and for each agent its job and the reason to call that an agent.
pub fn rows(workflow: Workflow, at: &Repository<'_>) -> (Inventory, Vec<(String, Signal)>) {
    let mut inventory = Inventory::default();
    let mut signals = Vec::new();
    let read = WorkflowRead {
        place: Place { root: at.shown.clone(), shown: at.shown.clone(), source: at.shown.clone() },
        document: Arc::clone(&at.document),
        facts: FileFacts { tracked: Some(true), ..FileFacts::default() },
        stem: at.stem.clone(),
        is_source: false,
        workflow,
        beside: Vec::new(),
    };
    let mut out = Out::new(&mut inventory);
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    let mut ids = Vec::new();
    for agent in &read.workflow.agents {
        let id = (at.identity)(&agent.job);
        let number = seen.entry(&agent.job).or_default();
        *number += 1;
        let row = if *number > 1 { format!("{id}.{number}") } else { id.to_string() };
        let found = out.pipeline(&read, agent, &id, &row, &at.scope, at.public);
        signals.push((agent.job.clone(), found));
        ids.push(id);
    }
    let holder = WorkflowHolder {
        document: &read.document,
        facts: read.facts,
        agents: &read.agents_of(&ids),
        jobs: Some(at.identity),
    };
    out.literals(&read.place, &read.stem, &holder, &read.workflow.found);
    (inventory, signals)
}

/// A file of workflows with those who may hold what stands in it.
struct WorkflowHolder<'h> {
    document: &'h Arc<str>,
    facts: FileFacts,
    /// The agents with what the file says of them; of those that another file runs it says nothing.
    agents: &'h [(Option<&'h WorkflowAgent>, &'h IdentityId)],
    /// The identities of jobs, where somebody else lists them.
    jobs: Option<&'h dyn Fn(&str) -> IdentityId>,
}

impl WorkflowRead {
    /// The agents with their identities. `ids`: those, in the order of the agents.
    fn agents_of<'a>(&'a self, ids: &'a [IdentityId]) -> Vec<(Option<&'a WorkflowAgent>, &'a IdentityId)> {
        self.workflow.agents.iter().map(Some).zip(ids).collect()
    }
}

/// Adds the agents of all workflows. `public`: whether everyone can see the repositories; `None` = not known.
pub(crate) fn pipelines(workflows: &[WorkflowRead], public: Option<bool>, inventory: &mut Inventory) {
    let compiled: BTreeSet<(&str, &str)> = workflows
        .iter()
        .filter(|read| !read.is_source)
        .map(|read| (read.place.root.as_str(), read.stem.as_str()))
        .collect();
    let mut out = Out::new(inventory);
    for read in workflows {
        // What is compiled is what runs.
        if read.is_source && compiled.contains(&(read.place.root.as_str(), read.stem.as_str())) {
            continue;
        }
        let mut seen: BTreeMap<(&str, &str), usize> = BTreeMap::new();
        let mut ids: Vec<IdentityId> = Vec::new();
        for agent in &read.workflow.agents {
            let number = seen.entry((agent.product, &agent.job)).or_default();
            *number += 1;
            let more = if *number > 1 { format!(".{number}") } else { String::new() };
            let place = &read.place.shown;
            let id = IdentityId::new(format!("agent:{}:{place}#{}/{}{more}", agent.product, read.stem, agent.job));
            let scope = ScopeId::new(format!("agents:{place}"));
            let signal = out.pipeline(read, agent, &id, id.as_str(), &scope, public);
            let mut identity = Identity::new(
                id.clone(),
                provider_name(),
                scope,
                "workflow_agent",
                title(read, agent).as_str(),
                signal.evidence.clone(),
            );
            identity.signals.push(signal);
            out.inventory.identities.push(identity);
            ids.push(id);
        }
        let agents = read.agents_of(&ids);
        let holder = WorkflowHolder { document: &read.document, facts: read.facts, agents: &agents, jobs: None };
        out.literals(&read.place, &read.stem, &holder, &read.workflow.found);
        for (file, found) in &read.beside {
            let agents: Vec<(Option<&WorkflowAgent>, &IdentityId)> = agents.iter().map(|(_, id)| (None, *id)).collect();
            let holder = WorkflowHolder { document: &file.document, facts: file.facts, agents: &agents, jobs: None };
            out.literals(&file.place, &file.stem, &holder, found);
        }
    }
    if public.is_none() {
        let undecided = |read: &&WorkflowRead| {
            let mut agents = read.workflow.agents.iter();
            agents.any(|agent| agent.audience.outsiders(public) == Truth::Unknown)
        };
        let places: BTreeSet<&str> = workflows.iter().filter(undecided).map(|read| read.place.shown.as_str()).collect();
        inventory.gaps.extend(places.into_iter().map(unseen));
    }
}

/// Tells that nobody said who sees a repository. `place`: the repository's folder, as people see it.
fn unseen(place: &str) -> Gap {
    Gap {
        provider: Some(provider_name()),
        scope: Some(ScopeId::new(format!("agents:{place}"))),
        kind: GapKind::NotCollected,
        call: visibility::KEY.into(),
        reason: Arc::from(
            "who sees a repository is not in its files; set it to `public`, `private` or `internal` under \
             `[providers.agents]` in evenhand.toml",
        ),
        facts: vec![Lost::of("whether outsiders may start the agents of its workflows", &[Subject::Trigger])],
    }
}

/// Tells of a call that leads to a file that was not read.
pub(crate) fn missing_part(document: &Arc<str>, part: &MissingPart, inventory: &mut Inventory) {
    let MissingPart { line, called, is_workflow, .. } = part;
    if *is_workflow {
        inventory.gaps.push(Gap {
            provider: Some(provider_name()),
            scope: None,
            kind: GapKind::NotCollected,
            call: Arc::from(called.as_str()),
            reason: Arc::from(format!(
                "the workflow that {document}:{line} calls is not among the documents; add it to the scan"
            )),
            facts: vec![Lost::of("the agents that it runs", &[Subject::Settings, Subject::Trigger])],
        });
    } else {
        // Such an action may be fetched by an earlier step, and need not lie in the repository.
        inventory.hints.push(Hint {
            evidence: Evidence::line(Arc::clone(document), *line),
            message: format!(
                "the action `{called}` is not among the documents, and whether it runs an agent is not known; add it to \
                 the scan if it lies in the repository"
            )
            .into(),
        });
    }
}

/// What people call the agent of a job.
fn title(read: &WorkflowRead, said: &WorkflowAgent) -> String {
    format!("{}/{}", read.workflow.name.as_deref().unwrap_or(&read.stem), said.job)
}

impl Out<'_> {
    /// The literal secrets of a file of workflows: each with the agent that its step runs, else with the first of the job in
    /// which it stands, or with the job itself where that runs none; what stands outside of jobs reaches all of them and is
    /// with the first agent of all.
    fn literals(&mut self, place: &Place, stem: &str, holder: &WorkflowHolder<'_>, found: &[Found]) {
        let mut held: BTreeMap<IdentityId, Vec<Found>> = BTreeMap::new();
        for found in found {
            let mut parts = found.slot.split('.');
            let (root, job, member) = (parts.next(), parts.next(), parts.next());
            let job = job.filter(|_| root == Some("jobs"));
            let first =
                |fits: &dyn Fn(&WorkflowAgent) -> bool| holder.agents.iter().find(|(own, _)| own.is_some_and(fits));
            let is_of_step = |own: &WorkflowAgent| own.lines.contains(&found.line);
            let agent = match (job, member) {
                // The steps of an action are those of the job that uses it, and what a job hands to a workflow that it calls
                // is for the jobs of that.
                (None, _) if root == Some("runs") => holder.agents.first(),
                (Some(_), Some("with" | "secrets")) => holder.agents.iter().find(|(own, _)| own.is_none()),
                (Some(job), member) => {
                    let is_of_job = |own: &WorkflowAgent| own.job == job;
                    first(&|own: &WorkflowAgent| is_of_job(own) && member == Some("steps") && is_of_step(own))
                        .or_else(|| first(&is_of_job))
                }
                // Settings that a step carries as a text have no job in their names.
                (None, _) => first(&is_of_step).or_else(|| first(&|_: &WorkflowAgent| true)),
            };
            let identity = match (agent, job, holder.jobs) {
                (Some((_, id)), ..) => (*id).clone(),
                (None, Some(job), Some(listed)) => listed(job),
                _ => self.without_agents(place, stem, job, Evidence::line(Arc::clone(holder.document), found.line)),
            };
            held.entry(identity).or_default().push(found.clone());
        }
        for (identity, found) in &held {
            let holder = Holder { identity, kind: Ground::Project, document: holder.document, facts: holder.facts };
            self.secrets(&holder, found);
        }
    }

    /// The identity of a job, or of a workflow, that runs no agent and holds something all the same.
    fn without_agents(&mut self, place: &Place, stem: &str, job: Option<&str>, evidence: Evidence) -> IdentityId {
        let name = job.map_or_else(|| stem.to_owned(), |job| format!("{stem}/{job}"));
        let id = IdentityId::new(format!("workflow:{}#{name}", place.shown));
        if self.taken.insert(id.to_string()) {
            let scope = ScopeId::new(format!("agents:{}", place.shown));
            let mut identity =
                Identity::new(id.clone(), provider_name(), scope, "workflow_job", name.as_str(), evidence.clone());
            identity.signals.push(Signal {
                nature: Nature::Workload,
                strength: Strength::Certain,
                reason: Arc::from("the part of a workflow that runs no agent"),
                evidence,
            });
            self.inventory.identities.push(identity);
        }
        id
    }

    /// The rows of one agent but for its identity; the reason to call that an agent.
    fn pipeline(
        &mut self,
        read: &WorkflowRead,
        said: &WorkflowAgent,
        id: &IdentityId,
        row: &str,
        scope: &ScopeId,
        public: Option<bool>,
    ) -> Signal {
        let at = |line: u32| Evidence::line(Arc::clone(&read.document), line);
        let title = title(read, said);
        let evidence = at(said.line);
        let reason = signal(format!("a workflow runs {}", said.product), &evidence);
        let mut agent = Agent::new(
            row,
            id.clone(),
            provider_name(),
            scope.clone(),
            said.product,
            AgentKind::Agent,
            title.as_str(),
            evidence,
        );
        agent.transport = Fact::Absent;
        agent.remote = Fact::Known(false);
        agent.authenticated = Fact::Absent;
        agent.tls = Fact::Absent;
        agent.command_fetched = match said.pinned {
            Fact::Absent => Fact::Unknown,
            _ => Fact::Known(true),
        };
        agent.command_pinned = said.pinned;
        agent.sandboxed = said.sandboxed;
        agent.privileged = said.privileged;
        agent.approval_mode = said.approval_mode;
        agent.approval_defaulted = Fact::Known(said.approval_defaulted);
        agent.auto_approved = match said.approval_mode {
            Fact::Known(ApprovalMode::Prompt) => Fact::Absent,
            Fact::Known(_) if said.tools.is_empty() => Fact::Unknown,
            Fact::Known(_) => listed(&said.tools),
            Fact::Absent | Fact::Unknown => Fact::Unknown,
        };
        agent.auto_approve_all = said.approval_mode.map(|mode| mode == ApprovalMode::Bypass);
        agent.external_effect_approved = Fact::known(said.external_effect.known());
        agent.project_servers_enabled = Fact::Absent;
        // A workflow asks nobody: what must be forbidden is forbidden by the branch and the environment.
        agent.managed_policy = Fact::Absent;
        agent.file_scope = Fact::Known(Arc::from("project"));
        agent.trigger = Fact::Known(said.triggers.join(", ").into());
        agent.untrusted_trigger = Fact::known(said.audience.outsiders(public).known());
        agent.outsider_run_privileged = Fact::known(said.armed_audience.outsiders(public).known());
        agent.token_grant = Fact::known(said.token_grant.map(|grant| Arc::from(grant.as_str())));
        agent.ambient_credentials = Fact::Known(false);
        agent.untrusted_checkout = Fact::known(said.untrusted_checkout.known());
        agent.token_writes = Fact::known(said.token_writes.known());
        agent.secrets_in_reach = said.secrets.as_deref().map_or(Fact::Unknown, listed);
        agent.project_hooks = Fact::Absent;
        agent.approval_keys =
            said.approval_keys.iter().map(|(key, line)| (Arc::from(key.as_str()), at(*line))).collect();
        self.inventory.agents.push(agent);
        for handed in &said.credentials {
            let mut credential = Credential::new(
                CredentialId::new(format!("{row}/{}", handed.slot)),
                id.clone(),
                provider_name(),
                handed.kind,
                at(handed.line),
            );
            credential.is_static = Fact::Known(handed.is_static);
            credential.federable = Fact::known(handed.federable);
            credential.exposure = Fact::Known(if handed.is_static { Exposure::Store } else { Exposure::None });
            credential.in_arguments = Fact::Known(false);
            self.inventory.credentials.push(credential);
        }
        let holder = Holder { identity: id, kind: Ground::Project, document: &read.document, facts: read.facts };
        self.borrowed(&holder, scope, (&read.place, None), &said.borrowed);
        for server in &said.servers {
            let server_id = IdentityId::new(format!("{row}#{}", server.name));
            let evidence = at(server.line);
            let mut identity = Identity::new(
                server_id.clone(),
                provider_name(),
                scope.clone(),
                "tool_server",
                server.name.as_str(),
                evidence.clone(),
            );
            identity
                .signals
                .push(signal(format!("MCP server of an agent that a workflow runs ({})", said.product), &evidence));
            identity.enabled = Fact::Known(!server.disabled);
            self.inventory.identities.push(identity);
            let mut row = Agent::new(
                server_id.as_str(),
                server_id.clone(),
                provider_name(),
                scope.clone(),
                said.product,
                AgentKind::ToolServer,
                server.name.as_str(),
                evidence.clone(),
            );
            describe(&mut row, server, &read.document);
            row.approval_mode = said.approval_mode;
            row.approval_defaulted = Fact::Known(said.approval_defaulted);
            row.auto_approve_all = said.approval_mode.map(|mode| mode == ApprovalMode::Bypass);
            row.trigger = Fact::Known(said.triggers.join(", ").into());
            row.untrusted_trigger = Fact::known(said.audience.outsiders(public).known());
            row.outsider_run_privileged = Fact::known(said.armed_audience.outsiders(public).known());
            row.ambient_credentials = Fact::Known(false);
            row.project_servers_enabled = Fact::Absent;
            row.managed_policy = Fact::Absent;
            self.inventory.agents.push(row);
            self.inventory.trusts.push(Trust {
                source: id.shared(),
                target: server_id.clone(),
                provider: provider_name(),
                mechanism: Mechanism::UsesTool,
                constraint: Arc::from(""),
                weak: Truth::No,
                weakness: Arc::from(""),
                evidence,
            });
            let holder = Holder { identity: &server_id, ..holder };
            self.secrets(&holder, &server.found);
            self.borrowed(&holder, scope, (&read.place, None), &server.borrowed);
        }
        reason
    }
}
