//! Jobs of workflows, each with the token that it gets, and the agents that they run.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use evenhand_agents::workflow::{self, OutlinedJob, TokenPermissions};
use evenhand_model::access::{Doubt, DoubtEffect};
use evenhand_model::control::{Control, ControlKind};
use evenhand_model::evidence::{Evidence, Fact, Truth};
use evenhand_model::id::IdentityId;
use evenhand_model::identity::{Nature, Signal, Strength};
use evenhand_model::workload::{Surroundings, Workload};

use super::calls::{Run, Source, Started};
use super::nature::ACTIONS_APP;
use super::{Actor, Join, Who, full_name, signal};
use crate::PROVIDER;
use crate::access::{Held, Holding, Reach, roles};
use crate::catalog::{Level, Permissions};
use crate::facts::{RepositoryFacts, WorkflowFile};
use crate::federation::{bearers, may_ask};

impl Join<'_> {
    /// The identity of a job that a repository runs.
    pub(super) fn job_id(&self, repository: &RepositoryFacts, run: &Run<'_>) -> IdentityId {
        self.id("job", &format!("{}/{}", repository.name, run.name()))
    }

    pub(super) fn take_jobs(&mut self) {
        let all = std::mem::take(&mut self.started);
        for (lower, files) in &all {
            let Some(repository) = self.owner.repositories.get(*lower).filter(|held| held.runs_workflows()) else {
                continue;
            };
            for started in files {
                let signals = self.take_workflow_agents(repository, started);
                for run in &started.runs {
                    self.job(repository, run, &signals);
                }
                let bearers = bearers(self.owner, repository, &started.runs, &|run| self.job_id(repository, run));
                self.inventory.bearers.extend(bearers);
            }
        }
        self.started = all;
    }

    /// The agents of a file and of what it calls: once for each call, as they act for its job. With each job's identity, why
    /// it is one.
    fn take_workflow_agents(
        &mut self,
        repository: &RepositoryFacts,
        started: &Started<'_>,
    ) -> Vec<(IdentityId, Signal)> {
        let mut agents = self.calls.agents(started, &self.options.fingerprinter);
        let mut ways: Vec<(Source<'_>, String)> = vec![(started.source, started.source.stem().to_owned())];
        for run in started.runs.iter().filter(|run| !run.callers.is_empty()) {
            let name = run.name();
            let way = name.rsplit_once('/').map_or(name.as_str(), |(way, _)| way);
            if ways.iter().all(|(_, held)| held != way) {
                ways.push((run.source, way.to_owned()));
            }
        }
        let mut signals = Vec::new();
        for (source, way) in ways {
            let Some(workflow) = agents.of(&source) else { continue };
            let identity = |job: &str| self.id("job", &format!("{}/{way}/{job}", repository.name));
            let at = workflow::Repository {
                document: Arc::clone(&source.file.document),
                stem: source.stem().to_owned(),
                shown: full_name(self.owner, &repository.name).to_string(),
                scope: self.scope.clone(),
                public: repository.is_public(),
                identity: &identity,
            };
            let (inventory, found) = workflow::rows(workflow, &at);
            signals.extend(found.into_iter().map(|(job, signal)| (identity(&job), signal)));
            self.inventory.merge(inventory);
        }
        signals
    }

    fn job(&mut self, repository: &RepositoryFacts, run: &Run<'_>, signals: &[(IdentityId, Signal)]) {
        let job = run.job;
        let id = self.job_id(repository, run);
        let at = run.evidence();
        let shown = format!("{}/{}/{}", repository.name, run.started.title(), run.keys());
        let mut identity = self.identity(&id, "workflow_job", shown, &at);
        let what = if run.called.is_some() { "a job of a workflow that is called" } else { "a job of a workflow" };
        identity.signals.push(signal(Nature::Workload, Strength::Medium, what, &at));
        identity.signals.extend(signals.iter().filter(|(of, _)| *of == id).map(|(_, signal)| signal.clone()));
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
        let held = self.token_of(repository, run);
        let outsiders = run.audience().outsiders(repository.is_public());
        self.tell_agents(repository, &id, &held, outsiders);
        let reviewed = self.environment_control(repository, job, &id);
        self.inventory.controls.extend(reviewed);
        let who = Who {
            app: Some(ACTIONS_APP),
            slug: Some(Arc::from("github-actions")),
            job_of: Some(full_name(self.owner, &repository.name)),
            written_in: self.written_in(run),
            machine: true,
            ..Who::default()
        };
        let of_environment = environment_secrets(repository, run);
        let has_secrets = !run.secrets().is_empty() || of_environment.is_none_or(|names| !names.is_empty());
        let worth = may_ask(run).is_some() || has_secrets;
        self.actors.push(Actor { id: id.clone(), who, held, worth });
        let machine = self.machine_of(repository, job);
        let mut exposed = outsiders;
        if matches!(machine, "self_hosted_job" | "ephemeral_job") {
            exposed = exposed.and(unapproved(repository, run.started.file)).and(self.reaches_machine(repository, run));
        }
        self.inventory.workloads.push(Workload {
            id: id.shared(),
            identity: id,
            provider: PROVIDER,
            kind: Arc::from(machine),
            // As the agent that it runs is called: they are one.
            name: format!("{}/{}", run.source.title(), job.key).into(),
            scope: self.scope.clone(),
            image: Fact::Absent,
            token_mounted: Fact::Known(true),
            needs_token: Fact::Unknown,
            exposed: Fact::known(exposed.known()),
            privileged: Fact::Unknown,
            surroundings: Surroundings {
                default_identity: Fact::Known(run.permissions().all(|said| *said == TokenPermissions::Default)),
                egress_restricted: Fact::Unknown,
                ingress_restricted: Fact::Unknown,
                hardening_enforced: Fact::Unknown,
                secrets: secrets_of(repository, run),
            },
            evidence: at,
        });
    }

    /// The other repositories of the organisation that hold what a job does. What is called by a commit cannot be changed.
    fn written_in(&self, run: &Run<'_>) -> BTreeSet<Arc<str>> {
        let fixed = run.called.as_deref().and_then(|called| called.rsplit_once('@')).is_some_and(|(_, reference)| {
            reference.len() >= 40 && reference.bytes().all(|byte| byte.is_ascii_hexdigit())
        });
        let own = std::ptr::eq(run.source.repository, run.started.repository);
        if fixed || own || !std::ptr::eq(run.source.owner, self.owner) {
            return BTreeSet::new();
        }
        BTreeSet::from([full_name(self.owner, &run.source.repository.name)])
    }

    /// Tells the agents of a job what their file left to others: whether its token may change the repository, and that
    /// nobody from outside starts it where nobody can start the job.
    fn tell_agents(&mut self, repository: &RepositoryFacts, id: &IdentityId, held: &Held, outsiders: Truth) {
        let name = full_name(self.owner, &repository.name);
        let writes = held.holdings.iter().any(|held| held.reach.holds(&name) && held.permissions.writes());
        let known = if writes || held.doubts.is_empty() { Fact::Known(writes) } else { Fact::Unknown };
        for agent in self.inventory.agents.iter_mut().filter(|agent| agent.identity == *id) {
            if agent.token_writes == Fact::Unknown {
                agent.token_writes = known;
            }
            if agent.untrusted_trigger == Fact::Unknown && outsiders == Truth::No {
                agent.untrusted_trigger = Fact::Known(false);
            }
        }
    }

    /// What the token of a job may do: what the first of the jobs that lead to it may, as far as all others may too.
    fn token_of(&self, repository: &RepositoryFacts, run: &Run<'_>) -> Held {
        if run.is_strangers() {
            let doubt =
                Doubt::new("whose token the called workflow runs with: no call of it was read", DoubtEffect::Adds);
            return Held { holdings: Vec::new(), doubts: vec![doubt] };
        }
        let mut said = run.permissions();
        let line = run.callers.first().map_or(run.job.line, |first| first.line);
        let at = Evidence::line(Arc::clone(&run.started.file.document), line);
        let mut held = said.next().map(|first| self.token_by(repository, first, at)).unwrap_or_default();
        for limit in said {
            let permissions = match limit {
                TokenPermissions::WriteAll | TokenPermissions::Default => continue,
                TokenPermissions::ReadAll => roles::job_with(Level::Read),
                TokenPermissions::Listed(listed) => roles::job_listed(listed),
                TokenPermissions::Unclear => {
                    held.doubts.push(Doubt::new("what the permissions of the called job say", DoubtEffect::Limits));
                    continue;
                }
            };
            let reach = Reach::one(full_name(self.owner, &repository.name));
            let limit = Holding::new(Arc::new(permissions), reach, "permissions of the called job", run.evidence());
            let within: Vec<Holding> = held.holdings.iter().filter_map(|held| held.within(&limit)).collect();
            if let Some(reference) = run.elsewhere.as_deref().filter(|_| within != held.holdings) {
                let what = format!("what {} asks for at {reference}: its default branch was read", run.source.path);
                held.doubts.push(Doubt::new(what, DoubtEffect::Adds));
            }
            held.holdings = within;
        }
        held
    }

    /// What one block of permissions gives to a token.
    fn token_by(&self, repository: &RepositoryFacts, said: &TokenPermissions, at: Evidence) -> Held {
        let mut doubts = Vec::new();
        let (permissions, by, at) = match said {
            TokenPermissions::WriteAll => (roles::job_with(Level::Write), "permissions: write-all", at),
            TokenPermissions::ReadAll => (roles::job_with(Level::Read), "permissions: read-all", at),
            TokenPermissions::Listed(listed) => (roles::job_listed(listed), "permissions of the job", at),
            TokenPermissions::Unclear => {
                doubts.push(Doubt::new("what the permissions of the job say", DoubtEffect::Either));
                (Permissions::default(), "permissions of the job", at)
            }
            TokenPermissions::Default => {
                let told = repository.workflow_defaults.get().or(self.owner.workflow_defaults.get());
                let word = told.and_then(|told| told.default_workflow_permissions.as_deref());
                let at = told.map_or(at, |told| told.at.clone());
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
}

/// Names of the secrets of its environment that a job uses: they are its own, whatever its callers hand over ("Reuse
/// workflows", using secrets). `None` = what the environment holds was not read.
fn environment_secrets<'r>(repository: &'r RepositoryFacts, run: &Run<'_>) -> Option<Vec<&'r str>> {
    let used = &run.job.secrets;
    let Some(environment) = run.job.environment.as_deref().filter(|_| !used.is_empty()) else {
        return Some(Vec::new());
    };
    let environment = environment.to_lowercase();
    let (_, held) = repository.environment_secrets.iter().find(|(name, _)| name.to_lowercase() == environment)?;
    let held = held.get()?.iter().map(|secret| secret.name.as_str());
    let is_used = |name: &str| used.iter().any(|used| used == ALL_SECRETS || used.eq_ignore_ascii_case(name));
    Some(held.filter(|name| is_used(name)).collect())
}

/// Names of the secrets that lie in a job's reach.
fn secrets_of(repository: &RepositoryFacts, run: &Run<'_>) -> Fact<Vec<Arc<str>>> {
    let handed = run.secrets();
    let of_environment = environment_secrets(repository, run);
    let is_handed = |name: &String| name != ALL_SECRETS && handed.contains(&name.as_str());
    if of_environment.is_none() && !run.job.secrets.iter().all(is_handed) {
        return Fact::Unknown;
    }
    let mut names: Vec<Arc<str>> =
        handed.iter().filter(|name| **name != ALL_SECRETS).map(|name| Arc::from(*name)).collect();
    if handed.contains(&ALL_SECRETS) {
        let lists = [&repository.secrets, &repository.shared_secrets];
        if lists.iter().any(|list| !list.is_read()) {
            return Fact::Unknown;
        }
        names.extend(lists.iter().flat_map(|list| list.all()).map(|secret| Arc::from(secret.name.as_str())));
    }
    for name in of_environment.into_iter().flatten() {
        if !names.iter().any(|held| held.eq_ignore_ascii_case(name)) {
            names.push(Arc::from(name));
        }
    }
    names.sort();
    names.dedup();
    if names.is_empty() { Fact::Absent } else { Fact::Known(names) }
}

/// Events that only people who may change the repository can cause.
pub(super) const OF_WRITERS: &[&str] = &[
    "push",
    "schedule",
    "workflow_dispatch",
    "repository_dispatch",
    "create",
    "delete",
    "deployment",
    "deployment_status",
    "release",
    "merge_group",
];

/// Whether outsiders start a workflow without anybody's approval. A repository's policy stands before pull requests from
/// forks alone ("Approving workflow runs from forks").
fn unapproved(repository: &RepositoryFacts, file: &WorkflowFile) -> Truth {
    let mut others = file.outline.events.iter().filter(|event| !OF_WRITERS.contains(&event.as_str()));
    if !others.all(|event| event == "pull_request") {
        return Truth::Yes;
    }
    let policy = repository.fork_approval.get().and_then(|told| told.approval_policy.as_deref());
    policy.map_or(Truth::Unknown, |policy| (policy != "all_external_contributors").into())
}

/// The name under which a job stands that is handed all secrets.
pub(super) const ALL_SECRETS: &str = "*";

/// Jobs that use stored secrets, by the environment in lower case and the secret's name in upper case.
#[derive(Default)]
pub(super) struct SecretUsers {
    users: BTreeMap<(Option<String>, String), Vec<IdentityId>>,
}

impl SecretUsers {
    pub(super) fn of<'r, 'a: 'r>(
        repository: &RepositoryFacts,
        runs: impl Iterator<Item = &'r Run<'a>>,
        id: impl Fn(&Run<'_>) -> IdentityId,
    ) -> Self {
        let mut all = Self::default();
        for run in runs {
            let mut note = |environment: Option<String>, name: &str| {
                all.users.entry((environment, name.to_uppercase())).or_default().push(id(run));
            };
            run.secrets().into_iter().for_each(|name| note(None, name));
            if let Some(environment) = &run.job.environment {
                let names = environment_secrets(repository, run).into_iter().flatten();
                names.for_each(|name| note(Some(environment.to_lowercase()), name));
            }
        }
        all
    }

    /// Who uses a secret of the repository, or of one of its environments.
    pub(super) fn find(&self, environment: Option<&str>, name: &str) -> impl Iterator<Item = &IdentityId> {
        let environment = environment.map(str::to_lowercase);
        [name.to_uppercase(), ALL_SECRETS.to_owned()]
            .into_iter()
            .filter_map(move |name| self.users.get(&(environment.clone(), name)))
            .flatten()
    }
}
