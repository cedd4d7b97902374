//! Agents and tool servers: the platforms' custom resources, and workloads that run a known image of one.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use evenhand_model::agent::{Agent, AgentKind, ApprovalMode};
use evenhand_model::credential::Exposure;
use evenhand_model::evidence::Fact;
use evenhand_model::id::IdentityId;
use evenhand_model::identity::{Identity, Nature, Signal, Strength};
use evenhand_model::workload::{Surroundings, Workload as Row};
use foldhash::fast::FixedState;

use super::accounts::declare;
use super::{Join, PROVIDER};
use crate::capture::{AgentResource, Approval, LiteralSecret, Speaks, ToolRef, Workload};

/// Workloads by namespace and name, and by what owns them.
type Running<'w> = HashMap<(&'w str, &'w str), Vec<&'w Workload>, FixedState>;

fn running(workloads: &[Box<Workload>]) -> Running<'_> {
    let mut by_name: Running<'_> = HashMap::default();
    for workload in workloads {
        let owner = workload.owner.as_ref().map(|(_, name)| &**name).filter(|name| **name != *workload.name);
        for name in [Some(&*workload.name), owner].into_iter().flatten() {
            by_name.entry((&*workload.namespace, name)).or_default().push(workload);
        }
    }
    by_name
}

/// The word of the fact tables for a kind: `InferenceService` is an `inference_service`.
fn word_of(kind: &str) -> String {
    let mut word = String::new();
    let letters: Vec<char> = kind.chars().collect();
    for (at, letter) in letters.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|at| letters.get(at));
        let after = letters.get(at + 1);
        // A capital begins a word after a small letter, and before one at the end of a run of capitals.
        let begins = letter.is_ascii_uppercase()
            && before.is_some_and(|before| {
                before.is_ascii_lowercase()
                    || (before.is_ascii_uppercase() && after.is_some_and(char::is_ascii_lowercase))
            });
        if begins {
            word.push('_');
        }
        word.push(letter.to_ascii_lowercase());
    }
    word
}

impl Join<'_> {
    pub(super) fn take_agents(&mut self) {
        let mut resources = BTreeMap::new();
        for resource in std::mem::take(&mut self.cluster.agents) {
            let key = (
                Arc::clone(&resource.group),
                Arc::clone(&resource.kind),
                Arc::clone(&resource.namespace),
                Arc::clone(&resource.name),
            );
            resources.insert(key, resource);
        }
        let mut resources: Vec<AgentResource> = resources.into_values().collect();
        let workloads = std::mem::take(&mut self.cluster.workloads);
        if !resources.is_empty() {
            let running = running(&workloads);
            self.settle(&mut resources, &running);
            for resource in &resources {
                self.resource(resource, &running);
            }
        }
        let mut described: HashMap<&str, Vec<&str>, FixedState> = HashMap::default();
        for resource in &resources {
            described.entry(&resource.namespace).or_default().push(&resource.name);
        }
        for workload in &workloads {
            let names = described.get(&*workload.namespace).map_or(&[][..], Vec::as_slice);
            self.agent_workload(workload, names);
        }
        drop(described);
        self.cluster.agents = resources;
        self.cluster.workloads = workloads;
        self.take_tools();
    }

    /// Finds out how those run that say it elsewhere: what is made from a template runs as that says, and what its operator
    /// runs is a workload of the same name.
    fn settle(&mut self, resources: &mut [AgentResource], running: &Running<'_>) {
        // A claim names a pool and a pool a template: two steps at most.
        for _ in 0..2 {
            type Runs = (Vec<Arc<str>>, Option<bool>, Option<bool>);
            let known: HashMap<String, Runs, FixedState> = resources
                .iter()
                .filter(|one| matches!(&*one.kind, "SandboxTemplate" | "SandboxWarmPool") && !one.accounts.is_empty())
                .map(|one| {
                    let key = format!("{} {}/{}", one.kind, one.namespace, one.name);
                    (key, (one.accounts.clone(), one.sandboxed, one.privileged))
                })
                .collect();
            for resource in resources.iter_mut().filter(|one| one.accounts.is_empty()) {
                let Some((kind, name)) = &resource.made_from else { continue };
                let key = format!("{kind} {}/{name}", resource.namespace);
                if let Some((accounts, sandboxed, privileged)) = known.get(&key) {
                    resource.accounts.clone_from(accounts);
                    resource.sandboxed = *sandboxed;
                    resource.privileged = *privileged;
                }
            }
        }
        let open = |one: &&mut AgentResource| one.accounts.is_empty() && one.made_from.is_none() && one.url.is_none();
        for resource in resources.iter_mut().filter(open) {
            let found = running.get(&(&*resource.namespace, &*resource.name)).into_iter().flatten();
            let mut accounts: Vec<Arc<str>> = found.map(|workload| Arc::clone(&workload.account)).collect();
            accounts.sort();
            accounts.dedup();
            resource.accounts = accounts;
        }
        let lost = resources.iter().filter(|one| one.accounts.is_empty()).filter_map(|one| {
            let (kind, name) = one.made_from.as_ref()?;
            Some((self.identity_of(one), format!("{kind} {}/{name}", one.namespace)))
        });
        let lost: Vec<(IdentityId, String)> = lost.collect();
        for (identity, what) in lost {
            self.unresolved(identity, &what, "extensions.agents.x-k8s.io");
        }
    }

    /// The identity that a resource acts as: its first account, or itself where nothing tells its account.
    pub(super) fn identity_of(&self, resource: &AgentResource) -> IdentityId {
        match resource.accounts.first() {
            Some(account) => self.account_id(&resource.namespace, account),
            None => IdentityId::new(format!("kubernetes:{}:agent:{}/{}", self.name, resource.namespace, resource.name)),
        }
    }

    fn resource(&mut self, resource: &AgentResource, running: &Running<'_>) {
        let evidence = resource.origin.evidence("");
        let article = match resource.what {
            Some(AgentKind::Agent) => "acts as the agent",
            Some(AgentKind::ToolServer) => "runs the tool server",
            None => "serves models as",
        };
        let reason: Arc<str> = format!("{article} {} {}/{}", resource.kind, resource.namespace, resource.name).into();
        // Who serves models acts on nobody's behalf; should it also be an agent's account, that counts.
        let strength = if resource.what.is_some() { Strength::Certain } else { Strength::Strong };
        let nature = Speaks::of(resource.what).nature();
        for account in &resource.accounts {
            let number = self.imply_account(&resource.namespace, account, || evidence.clone());
            self.sign(number, Signal { nature, strength, reason: Arc::clone(&reason), evidence: evidence.clone() });
            if let Some(identity) = self.accounts.identity_mut(number)
                && resource.what.is_some()
                && &**account != "default"
            {
                declare(identity, &resource.declared);
            }
        }
        let Some(what) = resource.what else {
            self.model_server(resource);
            return;
        };
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
        // An image is fetched where its tag is moved by design.
        agent.command_fetched = Fact::known(resource.image.as_ref().map(|_| true));
        agent.authenticated = Fact::known(resource.authenticated);
        agent.authorization = Fact::known(resource.authorization);
        agent.permission_profile = match &resource.profile {
            Some(name) => Fact::read(Some(Arc::clone(name)).filter(|name| !name.is_empty())),
            None => Fact::Unknown,
        };
        agent.model_key = self.model_key(resource);
        let behind = running.get(&(&*resource.namespace, &*resource.name)).into_iter().flatten();
        agent.privileged = match behind.map(|workload| workload.privileged).max() {
            Some(privileged) => Fact::Known(privileged || resource.privileged == Some(true)),
            None => Fact::known(resource.privileged),
        };
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
            }
        }
        self.joined.inventory.agents.push(agent);
    }

    /// What serves models is a workload of its own kind.
    fn model_server(&mut self, resource: &AgentResource) {
        let word = word_of(&resource.kind);
        let (namespace, name) = (&resource.namespace, &resource.name);
        let account = resource.accounts.first().map_or("default", |account| &**account);
        self.joined.inventory.workloads.push(Row {
            id: format!("kubernetes:{}:{word}:{namespace}/{name}", self.name).into(),
            identity: self.account_id(namespace, account),
            provider: PROVIDER,
            kind: word.into(),
            name: format!("{namespace}/{name}").into(),
            scope: self.scope.clone(),
            image: Fact::known(resource.image.clone()),
            token_mounted: Fact::Unknown,
            needs_token: Fact::Unknown,
            exposed: Fact::Unknown,
            privileged: Fact::known(resource.privileged),
            surroundings: Surroundings {
                default_identity: Fact::Known(account == "default"),
                secrets: Fact::read((!resource.secret_refs.is_empty()).then(|| resource.secret_refs.clone())),
                ..Surroundings::default()
            },
            evidence: resource.origin.evidence(""),
        });
        self.imply_account(namespace, &Arc::from(account), || resource.origin.evidence(""));
    }

    /// Where the key of its model lies.
    fn model_key(&self, resource: &AgentResource) -> Fact<Exposure> {
        let model = resource.model.as_ref().and_then(|name| {
            self.cluster.models.iter().find(|model| model.namespace == resource.namespace && model.name == *name)
        });
        // Whatever its model's own settings hold is the key of that.
        let of_model = model.and_then(|model| literal(model.secrets.iter()));
        let of_agent = || literal(resource.secrets.iter().filter(|secret| secret.calls_models()));
        if let Some(exposure) = of_model.or_else(of_agent) {
            return Fact::Known(exposure);
        }
        match model {
            _ if resource.stored_key => Fact::Known(Exposure::Store),
            Some(model) => match model.stored_key {
                Some(true) => Fact::Known(Exposure::Store),
                // Models that run in the cluster, or that the agent's own cloud role may call.
                Some(false) => Fact::Absent,
                None => Fact::Unknown,
            },
            None => Fact::Unknown,
        }
    }

    /// A workload that is recognised by its image alone. `described`: the names of its namespace's resources, whose
    /// operators run workloads of that name or one that begins so.
    fn agent_workload(&mut self, workload: &Workload, described: &[&str]) {
        let strongest = workload.signals.iter().find(|sign| sign.clue.speaks != Speaks::ModelServer);
        let Some(sign) = strongest.filter(|sign| sign.clue.strength >= Strength::Strong) else { return };
        if described.iter().any(|name| is_of(&workload.name, name)) || workload.word.starts_with("sandbox") {
            return;
        }
        let tool = workload
            .signals
            .iter()
            .any(|sign| sign.clue.speaks == Speaks::ToolServer && sign.clue.strength >= Strength::Medium);
        let mut agent = Agent::new(
            format!("kubernetes:{}:{}:{}/{}#agent", self.name, workload.word, workload.namespace, workload.name),
            self.account_id(&workload.namespace, &workload.account),
            PROVIDER,
            self.scope.clone(),
            "container",
            if tool { AgentKind::ToolServer } else { AgentKind::Agent },
            format!("{}/{}", workload.namespace, workload.name),
            sign.origin.evidence(""),
        );
        agent.ambient_credentials = Fact::Known(false);
        let stored = workload.key_refs.iter().any(|held| held.issued.calls_models).then_some(Exposure::Store);
        let models = workload.secrets.iter().filter(|secret| secret.calls_models());
        agent.model_key = Fact::known(literal(models).or(stored));
        agent.privileged = Fact::Known(workload.privileged);
        agent.command_pinned = Fact::Known(workload.images.iter().all(|image| is_pinned(image)));
        agent.command_fetched = Fact::Known(true);
        if !tool {
            agent.transport = Fact::Absent;
        }
        self.joined.inventory.agents.push(agent);
    }
}

/// What runs unasked, and what a person approves.
fn approvals(agent: &mut Agent, resource: &AgentResource) {
    if let Some(unasked) = resource.unasked {
        agent.approval_mode = Fact::Known(if unasked { ApprovalMode::Bypass } else { ApprovalMode::Prompt });
        agent.approval_defaulted = Fact::Known(false);
        agent.auto_approve_all = Fact::Known(unasked);
        return;
    }
    if resource.platform != "kagent" || resource.tools.is_empty() || resource.unclear_tools {
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

/// Where literal keys lie, in the worst place of theirs.
fn literal<'s>(secrets: impl Iterator<Item = &'s LiteralSecret>) -> Option<Exposure> {
    let exposure = |secret: &LiteralSecret| match secret.file.tracked {
        Some(true) => Exposure::Committed,
        _ => Exposure::Environment,
    };
    secrets.map(exposure).min_by_key(|exposure| *exposure != Exposure::Committed)
}

/// Whether an image names one version: a digest, or a tag that is not moved by design.
fn is_pinned(image: &str) -> bool {
    if image.contains("@sha256:") {
        return true;
    }
    let name = image.rsplit('/').next().unwrap_or(image);
    name.split_once(':').is_some_and(|(_, tag)| !tag.is_empty() && tag != "latest")
}

/// Whether a workload has a resource's name, or one that goes on after it.
fn is_of(workload: &str, resource: &str) -> bool {
    workload.strip_prefix(resource).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
}

#[cfg(test)]
mod tests {
    use super::word_of;

    #[test]
    fn kinds_become_words() {
        for (kind, word) in [
            ("InferenceService", "inference_service"),
            ("LLMInferenceService", "llm_inference_service"),
            ("VLLMRuntime", "vllm_runtime"),
            ("Notebook", "notebook"),
        ] {
            assert_eq!(word_of(kind), word);
        }
    }
}
