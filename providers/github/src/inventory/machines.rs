//! The machines that jobs run on: those of GitHub's, and one's own with the groups that they are in.

use std::sync::Arc;

use evenhand_agents::workflow::OutlinedJob;
use evenhand_model::evidence::{Evidence, Fact, Truth};
use evenhand_model::id::IdentityId;
use evenhand_model::identity::{Nature, Strength};
use evenhand_model::trust::{Mechanism, Trust};
use evenhand_model::workload::{Surroundings, Workload};

use super::{Actor, Join, Who, full_name, signal};
use crate::PROVIDER;
use crate::access::Held;
use crate::documents::actions::{Runner, RunnerGroup};
use crate::documents::told::{At, Told};
use crate::facts::RepositoryFacts;

impl Join<'_> {
    /// Runners that are not GitHub's. Where jobs of a public repository may run on one, strangers' proposals reach it.
    pub(super) fn take_runners(&mut self) {
        let owner = self.owner;
        owner.runner_groups.all().iter().for_each(|group| self.runner_group(group));
        for runner in owner.runners.all() {
            let group = owner.runner_groups.all().iter().find(|group| Some(group.id) == runner.runner_group_id);
            let open = group.map_or(Truth::Unknown, |group| self.serves_public(group));
            let name = match group {
                Some(group) if !group.name.is_empty() => format!("{} (group {})", runner.name, group.name),
                _ => runner.name.clone(),
            };
            self.runner(runner, &runner.name, name, open);
        }
        for repository in owner.repositories.values().filter(|repository| !repository.is_archived()) {
            let open = repository.is_public().map_or(Truth::Unknown, Truth::from);
            for runner in repository.runners.all() {
                let name = format!("{}/{}", repository.name, runner.name);
                let id = self.runner(runner, &name.clone(), name, open);
                let own = full_name(owner, &repository.name);
                self.starts_jobs(own, &id, "the repository's own runner".to_owned(), open, &runner.at);
            }
        }
    }

    /// A group of runners, with who may have jobs run on what is in it. One that makes its runners when a job asks has none
    /// at other times, and stands for them.
    fn runner_group(&mut self, group: &At<RunnerGroup>) {
        let owner = self.owner;
        let id = self.id("runner_group", &group.id.to_string());
        let name = if group.name.is_empty() { group.id.to_string() } else { group.name.clone() };
        let shown = format!("runner group {name}");
        let open = self.serves_public(group);
        let mut identity = self.identity(&id, "runner_group", shown.as_str(), &group.at);
        identity.signals.push(signal(Nature::Workload, Strength::Strong, "a group of runners of one's own", &group.at));
        identity.human_sign_in = Fact::Known(false);
        identity.third_party = Fact::Known(false);
        self.inventory.identities.push(identity);
        self.actors.push(Actor { id: id.clone(), who: Who::default(), held: Held::default(), worth: false });
        if owner.runners.all().iter().all(|runner| runner.runner_group_id != Some(group.id)) {
            self.inventory.workloads.push(self.machine_row(&id, "runner_group", &shown, open, &group.at));
        }
        let public = match group.allows_public_repositories {
            Some(true) => "public ones too",
            Some(false) => "no public ones",
            None => "nothing tells whether public ones too",
        };
        let workflows = if group.restricted_to_workflows == Some(true) { ", listed workflows only" } else { "" };
        let says = |which: &str| format!("{which}, {public}{workflows}");
        let selected = owner.group_repositories.get(&group.id).and_then(Told::get);
        match (group.visibility.as_deref(), selected) {
            (Some("selected"), Some(names)) => {
                for named in names {
                    let repository = owner.find(&named.full_name);
                    let open = Self::serves(group, repository.and_then(RepositoryFacts::is_public));
                    let source = self.spelled(&named.full_name).unwrap_or_else(|| Arc::from(named.full_name.as_str()));
                    self.starts_jobs(source, &id, says("selected repositories"), open, &group.at);
                }
            }
            (visibility, _) => {
                let which = match visibility {
                    Some("all") => "all repositories",
                    Some("private") => "all private repositories",
                    Some("selected") => "selected repositories, which were not read",
                    _ => "nothing tells which repositories",
                };
                self.starts_jobs(format!("{}/*", owner.name).into(), &id, says(which), open, &group.at);
            }
        }
    }

    /// That jobs of a repository may be started on a machine. Weak where strangers propose such jobs.
    fn starts_jobs(
        &mut self,
        repository: Arc<str>,
        machine: &IdentityId,
        constraint: String,
        open: Truth,
        at: &Evidence,
    ) {
        self.inventory.trusts.push(Trust {
            source: repository,
            target: machine.clone(),
            provider: PROVIDER,
            mechanism: Mechanism::WorkloadCreation,
            constraint: constraint.into(),
            weak: open,
            weakness: Arc::from(if open == Truth::Yes { "public-repositories" } else { "" }),
            evidence: at.clone(),
        });
    }

    /// The row of a machine that jobs run on, or of a group of them.
    fn machine_row(&self, id: &IdentityId, kind: &str, shown: &str, open: Truth, at: &Evidence) -> Workload {
        Workload {
            id: id.shared(),
            identity: id.clone(),
            provider: PROVIDER,
            kind: Arc::from(kind),
            name: shown.into(),
            scope: self.scope.clone(),
            image: Fact::Absent,
            token_mounted: Fact::Known(true),
            needs_token: Fact::Known(true),
            exposed: Fact::known(open.known()),
            privileged: Fact::Unknown,
            surroundings: Surroundings { default_identity: Fact::Known(false), ..Surroundings::default() },
            evidence: at.clone(),
        }
    }

    fn runner(&mut self, runner: &At<Runner>, below: &str, shown: String, open: Truth) -> IdentityId {
        let id = self.id("runner", below);
        let ephemeral = runner.ephemeral == Some(true);
        let mut identity = self.identity(&id, "runner", shown.as_str(), &runner.at);
        identity.signals.push(signal(Nature::Workload, Strength::Strong, "a runner of one's own", &runner.at));
        identity.human_sign_in = Fact::Known(false);
        identity.third_party = Fact::Known(false);
        self.inventory.identities.push(identity);
        self.actors.push(Actor { id: id.clone(), who: Who::default(), held: Held::default(), worth: false });
        let kind = if ephemeral { "ephemeral_runner" } else { "self_hosted_runner" };
        self.inventory.workloads.push(self.machine_row(&id, kind, &shown, open, &runner.at));
        id
    }

    /// Whether some public repository may use a group of runners. A group that is open to all of them serves those to come.
    fn serves_public(&self, group: &RunnerGroup) -> Truth {
        let listed = match group.visibility.as_deref() {
            Some("all") => Truth::Yes,
            Some("private") => Truth::No,
            Some("selected") => match self.owner.group_repositories.get(&group.id).and_then(Told::get) {
                Some(names) => names.iter().fold(Truth::No, |some, named| {
                    let found = self.owner.find(&named.full_name).and_then(RepositoryFacts::is_public);
                    some.or(found.map_or(Truth::Unknown, Truth::from))
                }),
                None => Truth::Unknown,
            },
            _ => Truth::Unknown,
        };
        Self::serves(group, listed.known())
    }

    /// Whether strangers may have something run in a group if one of its repositories is public. Where workflows are listed
    /// too, what they propose runs there only if it is one of these, and the list is in no answer.
    fn serves(group: &RunnerGroup, public: Option<bool>) -> Truth {
        let allowed = group.allows_public_repositories.map_or(Truth::Unknown, Truth::from);
        let any_workflow = if group.restricted_to_workflows == Some(true) { Truth::Unknown } else { Truth::Yes };
        allowed.and(public.map_or(Truth::Unknown, Truth::from)).and(any_workflow)
    }

    /// What kind of machine a job runs on: `hosted_job` = one of GitHub's, new for every job; `ephemeral_job` = one's own,
    /// likewise; `self_hosted_job` = one's own, which later jobs share; `workflow_job` = nothing tells.
    pub(super) fn machine_of(&self, repository: &RepositoryFacts, job: &OutlinedJob) -> &'static str {
        if job.runs_on.is_empty() || job.runs_on.iter().any(|label| label.contains("${{")) {
            return "workflow_job";
        }
        let mut fitting =
            fitting(self.owner.runners.all(), job).chain(fitting(repository.runners.all(), job)).peekable();
        let own = fitting.peek().is_some() || job.runs_on.iter().any(|label| label.eq_ignore_ascii_case("self-hosted"));
        let unread = !self.owner.runners.is_read() || !repository.runners.is_read();
        match own {
            // Any other label may be that of a runner that was not read.
            false if unread && !job.runs_on.iter().any(|label| is_hosted(label)) => "workflow_job",
            false => "hosted_job",
            true if fitting.peek().is_some() && fitting.all(|runner| runner.ephemeral == Some(true)) => "ephemeral_job",
            true => "self_hosted_job",
        }
    }

    /// Whether a job gets one of the machines of the organisation's own that it asks for, or of the repository's: groups
    /// of runners may be closed to a repository. Where no machine is known that fits, any group may hold one.
    pub(super) fn reaches_machine(&self, repository: &RepositoryFacts, job: &OutlinedJob) -> Truth {
        if fitting(repository.runners.all(), job).next().is_some() {
            return Truth::Yes;
        }
        let groups = self.owner.runner_groups.all();
        let of_machines: Vec<Truth> = fitting(self.owner.runners.all(), job)
            .map(|runner| groups.iter().find(|group| Some(group.id) == runner.runner_group_id))
            .map(|group| group.map_or(Truth::Unknown, |group| self.is_open(group, repository)))
            .collect();
        let known = !of_machines.is_empty();
        let open = of_machines
            .into_iter()
            .chain(groups.iter().filter(|_| !known).map(|group| self.is_open(group, repository)));
        match open.reduce(Truth::or) {
            None => Truth::Yes,
            // Machines of the repository itself are in no group.
            Some(Truth::No) if !known || !repository.runners.is_read() => Truth::Unknown,
            Some(open) => open,
        }
    }

    /// Whether a repository may use a group of runners.
    fn is_open(&self, group: &RunnerGroup, repository: &RepositoryFacts) -> Truth {
        let to_public = match (repository.is_public(), group.allows_public_repositories) {
            (Some(false), _) | (_, Some(true)) => Truth::Yes,
            (Some(true), Some(false)) => Truth::No,
            (None, _) | (_, None) => Truth::Unknown,
        };
        if group.visibility.as_deref() != Some("selected") {
            return to_public;
        }
        let name = full_name(self.owner, &repository.name);
        let selected = self.owner.group_repositories.get(&group.id).and_then(Told::get);
        let listed = selected.map_or(Truth::Unknown, |names| {
            names.iter().any(|named| self.spelled(&named.full_name).as_ref() == Some(&name)).into()
        });
        to_public.and(listed)
    }
}

/// Runners that have all labels that a job asks for.
fn fitting<'r>(runners: &'r [At<Runner>], job: &'r OutlinedJob) -> impl Iterator<Item = &'r At<Runner>> {
    runners.iter().filter(|runner| {
        let has = |label: &String| runner.labels.iter().any(|held| held.name.eq_ignore_ascii_case(label));
        job.runs_on.iter().all(has)
    })
}

/// Whether a label is one of those that GitHub gives to its own machines ("About GitHub-hosted runners", Supported runners).
fn is_hosted(label: &str) -> bool {
    let label = label.to_ascii_lowercase();
    ["ubuntu-", "windows-", "macos-"].iter().any(|system| label.starts_with(system))
}
