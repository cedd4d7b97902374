//! Jobs of workflows, each with the token that it gets, and the agents that they run.

use std::collections::BTreeMap;
use std::sync::Arc;

use evenhand_agents::workflow::{self, OutlinedJob, TokenPermissions, Workflow};
use evenhand_model::access::{Doubt, DoubtEffect};
use evenhand_model::control::{Control, ControlKind};
use evenhand_model::evidence::{Evidence, Fact, Truth};
use evenhand_model::id::IdentityId;
use evenhand_model::identity::{Nature, Signal, Strength};
use evenhand_model::workload::{Surroundings, Workload};

use super::nature::ACTIONS_APP;
use super::{Actor, Join, Who, full_name, signal};
use crate::PROVIDER;
use crate::access::{Held, Holding, Reach, roles};
use crate::catalog::{Level, Permissions};
use crate::documents::actions::Runner;
use crate::documents::told::At;
use crate::facts::{Facts, RepositoryFacts, WorkflowFile};

/// The agents of a workflow file, taken out of the facts.
pub(super) struct AgentsRead {
    /// The key of the owner.
    pub(super) owner: (String, String),
    repository: String,
    path: String,
    workflow: std::cell::RefCell<Option<Workflow>>,
}

/// Takes the agents of all workflow files.
pub(super) fn take_agents(facts: &mut Facts) -> Vec<AgentsRead> {
    let mut all = Vec::new();
    for (key, owner) in &mut facts.owners {
        for (name, repository) in &mut owner.repositories {
            for (path, file) in &mut repository.workflows {
                if let Some(workflow) = file.agents.take() {
                    all.push(AgentsRead {
                        owner: key.clone(),
                        repository: name.clone(),
                        path: path.clone(),
                        workflow: Some(workflow).into(),
                    });
                }
            }
        }
    }
    all
}

/// The file's name without its ending.
fn stem(path: &str) -> &str {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.rsplit_once('.').map_or(name, |(stem, _)| stem)
}

/// The id of a job, below the scope's.
fn job_name(repository: &str, path: &str, job: &str) -> String {
    format!("{repository}/{}/{job}", stem(path))
}

impl Join<'_> {
    /// The identity of a job.
    pub(super) fn job_id(&self, repository: &str, path: &str, job: &str) -> IdentityId {
        self.id("job", &job_name(repository, path, job))
    }

    pub(super) fn take_jobs(&mut self, agents: &[&AgentsRead]) {
        let owner = self.owner;
        for (lower, repository) in &owner.repositories {
            if repository.actions.get().is_some_and(|actions| actions.enabled == Some(false))
                || repository.is_archived()
            {
                continue;
            }
            for (path, file) in &repository.workflows {
                let read = agents.iter().find(|read| read.repository == *lower && read.path == *path);
                let workflow = read.and_then(|read| read.workflow.borrow_mut().take());
                let signals = workflow.map(|workflow| self.take_workflow_agents(repository, path, file, workflow));
                for job in &file.outline.jobs {
                    self.job(repository, path, file, job, signals.as_deref().unwrap_or_default());
                }
            }
        }
    }

    fn take_workflow_agents(
        &mut self,
        repository: &RepositoryFacts,
        path: &str,
        file: &WorkflowFile,
        workflow: Workflow,
    ) -> Vec<(String, Signal)> {
        let (inventory, signals) = {
            let identity = |job: &str| self.job_id(&repository.name, path, job);
            let at = workflow::Repository {
                document: Arc::clone(&file.document),
                stem: stem(path).to_owned(),
                shown: full_name(self.owner, &repository.name).to_string(),
                scope: self.scope.clone(),
                public: repository.is_public(),
                identity: &identity,
            };
            workflow::rows(workflow, &at)
        };
        self.inventory.merge(inventory);
        signals
    }

    fn job(
        &mut self,
        repository: &RepositoryFacts,
        path: &str,
        file: &WorkflowFile,
        job: &OutlinedJob,
        signals: &[(String, Signal)],
    ) {
        let id = self.job_id(&repository.name, path, &job.key);
        let at = Evidence::line(Arc::clone(&file.document), job.line);
        let workflow = file.outline.name.as_deref().unwrap_or(stem(path));
        let shown = format!("{}/{workflow}/{}", repository.name, job.key);
        let mut identity = self.identity(&id, "workflow_job", shown, &at);
        identity.signals.push(signal(Nature::Workload, Strength::Medium, "a job of a workflow", &at));
        identity.signals.extend(signals.iter().filter(|(key, _)| *key == job.key).map(|(_, signal)| signal.clone()));
        identity.human_sign_in = Fact::Known(false);
        identity.third_party = Fact::Known(false);
        if let Some(held) = repository.repository.get() {
            identity.owner = Fact::read(held.property("owner").or(held.property("team")).map(Arc::from));
            identity.environment = Fact::known(held.property("environment").map(Arc::from));
            identity.purpose = Fact::known(held.property("evenhand-purpose").map(Arc::from));
            identity.job = held.property("evenhand-job").map(Into::into);
            identity.declared_human_role = held.property("evenhand-human-role").map(Arc::from);
        }
        self.inventory.identities.push(identity);
        let mut credential = self.credential(format!("{id}/token"), &id, "github_job_token", &at);
        credential.is_static = Fact::Known(false);
        credential.lifetime_days = Fact::Known(0);
        self.inventory.credentials.push(credential);
        let held = self.token_of(repository, job, &at);
        self.tell_token(repository, &id, &held);
        let reviewed = self.environment_control(repository, job, &id);
        self.inventory.controls.extend(reviewed);
        let name = full_name(self.owner, &repository.name);
        let who = Who {
            app: Some(ACTIONS_APP),
            slug: Some(Arc::from("github-actions")),
            job_of: Some(name),
            ..Who::default()
        };
        let federates = match &job.permissions {
            TokenPermissions::WriteAll => true,
            TokenPermissions::Listed(listed) => {
                listed.iter().any(|(family, level)| family == "id_token" && level == "write")
            }
            TokenPermissions::Default | TokenPermissions::ReadAll | TokenPermissions::Unclear => false,
        };
        let worth = federates || !job.secrets.is_empty();
        self.actors.push(Actor { id: id.clone(), who, held, worth });
        self.inventory.workloads.push(Workload {
            id: id.shared(),
            identity: id,
            provider: PROVIDER,
            kind: Arc::from(self.machine_of(repository, job)),
            // As the agent that it runs is called: they are one.
            name: format!("{workflow}/{}", job.key).into(),
            scope: self.scope.clone(),
            image: Fact::Absent,
            token_mounted: Fact::Known(true),
            needs_token: Fact::Unknown,
            exposed: Fact::known(job.audience.outsiders(repository.is_public()).known()),
            privileged: Fact::Unknown,
            surroundings: Surroundings {
                default_identity: Fact::Known(job.permissions == TokenPermissions::Default),
                egress_restricted: Fact::Unknown,
                ingress_restricted: Fact::Unknown,
                hardening_enforced: Fact::Unknown,
                secrets: self.secrets_of(repository, job),
            },
            evidence: at,
        });
    }

    /// Tells the agents of a job whether its token may change the repository, where their file left it to the default.
    fn tell_token(&mut self, repository: &RepositoryFacts, id: &IdentityId, held: &Held) {
        let name = full_name(self.owner, &repository.name);
        let writes = held.holdings.iter().any(|held| held.reach.holds(&name) && held.permissions.writes());
        let known = if writes || held.doubts.is_empty() { Fact::Known(writes) } else { Fact::Unknown };
        for agent in self.inventory.agents.iter_mut().filter(|agent| agent.identity == *id) {
            if agent.token_writes == Fact::Unknown {
                agent.token_writes = known;
            }
        }
    }

    /// What kind of machine a job runs on: `hosted_job` = one of GitHub's, new for every job; `ephemeral_job` = one's own,
    /// likewise; `self_hosted_job` = one's own, which later jobs share; `workflow_job` = the file does not tell.
    fn machine_of(&self, repository: &RepositoryFacts, job: &OutlinedJob) -> &'static str {
        if job.runs_on.is_empty() || job.runs_on.iter().any(|label| label.contains("${{")) {
            return "workflow_job";
        }
        let fits = |runner: &&At<Runner>| {
            let has = |label: &String| runner.labels.iter().any(|held| held.name.eq_ignore_ascii_case(label));
            job.runs_on.iter().all(has)
        };
        let mut fitting = self.owner.runners.all().iter().chain(repository.runners.all()).filter(fits).peekable();
        let own = fitting.peek().is_some() || job.runs_on.iter().any(|label| label.eq_ignore_ascii_case("self-hosted"));
        match own {
            false => "hosted_job",
            true if fitting.peek().is_some() && fitting.all(|runner| runner.ephemeral == Some(true)) => "ephemeral_job",
            true => "self_hosted_job",
        }
    }

    /// What the token of a job may do.
    fn token_of(&self, repository: &RepositoryFacts, job: &OutlinedJob, at: &Evidence) -> Held {
        let mut doubts = Vec::new();
        let (permissions, by, at) = match &job.permissions {
            TokenPermissions::WriteAll => (roles::job_with(Level::Write), "permissions: write-all", at.clone()),
            TokenPermissions::ReadAll => (roles::job_with(Level::Read), "permissions: read-all", at.clone()),
            TokenPermissions::Listed(listed) => (roles::job_listed(listed), "permissions of the job", at.clone()),
            TokenPermissions::Unclear => {
                doubts.push(Doubt::new("what the permissions of the job say", DoubtEffect::Either));
                (Permissions::default(), "permissions of the job", at.clone())
            }
            TokenPermissions::Default => {
                let told = repository.workflow_defaults.get().or(self.owner.workflow_defaults.get());
                let word = told.and_then(|told| told.default_workflow_permissions.as_deref());
                let at = told.map_or_else(|| at.clone(), |told| told.at.clone());
                match word {
                    Some("write") => (roles::job_with(Level::Write), "default permissions of workflows: write", at),
                    Some("read") => (roles::job_by_default(), "default permissions of workflows: read", at),
                    _ => {
                        doubts.push(Doubt::new("the default permissions of workflows", DoubtEffect::Adds));
                        (roles::job_by_default(), "default permissions of workflows", at)
                    }
                }
            }
        };
        let reach = Reach::one(full_name(self.owner, &repository.name));
        Held { holdings: vec![Holding::new(Arc::new(permissions), reach, by, at)], doubts }
    }

    /// The review that a job waits for, where its environment demands one.
    fn environment_control(&self, repository: &RepositoryFacts, job: &OutlinedJob, id: &IdentityId) -> Option<Control> {
        let name = job.environment.as_deref().filter(|name| !name.contains("${{"))?;
        let environment = repository.environments.all().iter().find(|held| held.name.eq_ignore_ascii_case(name))?;
        let reviewed = environment
            .protection_rules
            .iter()
            .any(|rule| rule.kind == "required_reviewers" && !rule.reviewers.is_empty());
        reviewed.then(|| Control {
            reason: format!("reviewers of the environment {name}").into(),
            ..Control::new(id.clone(), ControlKind::SecondPersonApproval, Truth::Yes, environment.at.clone())
        })
    }

    /// Names of the secrets that lie in a job's reach.
    fn secrets_of(&self, repository: &RepositoryFacts, job: &OutlinedJob) -> Fact<Vec<Arc<str>>> {
        let all = job.secrets.iter().any(|name| name == "*");
        let mut names: Vec<Arc<str>> =
            job.secrets.iter().filter(|name| *name != "*").map(|name| Arc::from(name.as_str())).collect();
        if all {
            let lists = [&repository.secrets, &repository.shared_secrets];
            if lists.iter().any(|list| !list.is_read()) {
                return Fact::Unknown;
            }
            names.extend(lists.iter().flat_map(|list| list.all()).map(|secret| Arc::from(secret.name.as_str())));
        }
        names.sort();
        names.dedup();
        if names.is_empty() { Fact::Absent } else { Fact::Known(names) }
    }
}

/// Jobs that use a stored secret, by its name in upper case.
pub(super) fn users_of_secrets(
    repository: &RepositoryFacts,
    id: impl Fn(&str, &str) -> IdentityId,
) -> BTreeMap<String, Vec<(IdentityId, &OutlinedJob)>> {
    let mut users: BTreeMap<String, Vec<(IdentityId, &OutlinedJob)>> = BTreeMap::new();
    for (path, file) in &repository.workflows {
        for job in &file.outline.jobs {
            for name in &job.secrets {
                users.entry(name.to_uppercase()).or_default().push((id(path, &job.key), job));
            }
        }
    }
    users
}
