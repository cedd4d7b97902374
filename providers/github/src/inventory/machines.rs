//! The machines that jobs run on: those of GitHub's, and one's own with the groups that they are in.

use std::sync::Arc;

use evenhand_agents::workflow::OutlinedJob;
use evenhand_model::evidence::{Evidence, Fact, Truth};
use evenhand_model::id::IdentityId;
use evenhand_model::identity::{Nature, Strength};
use evenhand_model::trust::{Mechanism, Trust};
use evenhand_model::workload::{Surroundings, Workload};

use super::calls::Run;
use super::jobs::OF_WRITERS;
use super::{Actor, Join, Who, full_name, signal};
use crate::PROVIDER;
use crate::access::Held;
use crate::documents::actions::{Runner, RunnerGroup};
use crate::documents::told::{At, Told};
use crate::facts::{OwnerFacts, RepositoryFacts};

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
                    let open = self.serves(group, repository.and_then(RepositoryFacts::is_public));
                    let source = self.spelled(&named.full_name).unwrap_or_else(|| Arc::from(named.full_name.as_str()));
                    self.starts_jobs(source, &id, says("selected repositories"), open, &group.at);
                }
            }
            (visibility, _) => {
                let constraint = match visibility {
                    Some("all") => says("all repositories"),
                    // That it allows public ones does not count then.
                    Some("private") => format!("all private repositories{workflows}"),
                    Some("selected") => says("selected repositories, which were not read"),
                    _ => says("nothing tells which repositories"),
                };
                self.starts_jobs(format!("{}/*", owner.name).into(), &id, constraint, open, &group.at);
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
        self.serves(group, listed.known())
    }

    /// Whether strangers may have something run in a group if one of its repositories is public. Where workflows are listed
    /// too, only these run there, and whether strangers start one is not known of the group; those that stand in a
    /// repository which not everyone sees, no public one runs.
    fn serves(&self, group: &RunnerGroup, public: Option<bool>) -> Truth {
        let allowed = group.allows_public_repositories.map_or(Truth::Unknown, Truth::from);
        let workflow = match (group.restricted_to_workflows, &group.selected_workflows) {
            (Some(true), Some(listed)) => listed.iter().fold(Truth::No, |some, one| some.or(self.may_be_public(one))),
            (Some(true), None) => Truth::Unknown,
            _ => Truth::Yes,
        };
        allowed.and(public.map_or(Truth::Unknown, Truth::from)).and(workflow)
    }

    /// Whether a public repository may run a listed workflow: not where that stands in one that not everyone sees.
    fn may_be_public(&self, workflow: &str) -> Truth {
        let mut pieces = workflow.splitn(3, '/');
        let repository = match (pieces.next(), pieces.next()) {
            (Some(owner), Some(name)) => self.owner.find(&format!("{owner}/{name}")),
            _ => None,
        };
        match repository.and_then(RepositoryFacts::is_public) {
            Some(false) => Truth::No,
            _ => Truth::Unknown,
        }
    }

    /// What kind of machine a job runs on: `hosted_job` = one of GitHub's, new for every job; `ephemeral_job` = one's own,
    /// likewise; `self_hosted_job` = one's own, which later jobs share; `workflow_job` = nothing tells.
    pub(super) fn machine_of(&self, repository: &RepositoryFacts, job: &OutlinedJob) -> &'static str {
        let mut asked = job.runs_on.iter().chain(&job.runner_group).peekable();
        if asked.peek().is_none() || asked.any(|asked| asked.contains("${{")) {
            return "workflow_job";
        }
        let mut fitting = shared(self.owner, job).chain(own(repository, job)).peekable();
        let own = fitting.peek().is_some() || job.runs_on.iter().any(|label| label.eq_ignore_ascii_case("self-hosted"));
        let unread = !self.owner.runners.is_read() || !repository.runners.is_read();
        match own {
            // A group may hold larger machines of GitHub's, and one's own that are made when a job asks.
            false if job.runner_group.is_some() => "workflow_job",
            // Any other label may be that of a runner that was not read.
            false if unread && !job.runs_on.iter().any(|label| is_hosted(label)) => "workflow_job",
            false => "hosted_job",
            true if fitting.peek().is_some() && fitting.all(|runner| runner.ephemeral == Some(true)) => "ephemeral_job",
            true => "self_hosted_job",
        }
    }

    /// Whether a job gets one of the machines of the organisation's own that it asks for, or of the repository's: groups
    /// of runners may be closed to a repository. Where no machine is known that fits, any group may hold one that the job
    /// does not rule out by naming another.
    pub(super) fn reaches_machine(&self, repository: &RepositoryFacts, run: &Run<'_>) -> Truth {
        let job = run.job;
        if own(repository, job).next().is_some() {
            return Truth::Yes;
        }
        let groups = self.owner.runner_groups.all();
        let of_machines: Vec<Truth> = shared(self.owner, job)
            .map(|runner| groups.iter().find(|group| Some(group.id) == runner.runner_group_id))
            .map(|group| group.map_or(Truth::Unknown, |group| self.is_open(group, repository, run)))
            .collect();
        let known = !of_machines.is_empty();
        let open = of_machines.into_iter().chain(
            groups
                .iter()
                .filter(|group| !known && is_asked(group, job))
                .map(|group| self.is_open(group, repository, run)),
        );
        match (open.reduce(Truth::or), &job.runner_group) {
            (None, None) => Truth::Yes,
            (None, Some(_)) => Truth::Unknown,
            // Machines of the repository itself are in no group.
            (Some(Truth::No), None) if !known || !repository.runners.is_read() => Truth::Unknown,
            (Some(open), _) => open,
        }
    }

    /// Whether a job of a repository may use a group of runners.
    fn is_open(&self, group: &RunnerGroup, repository: &RepositoryFacts, run: &Run<'_>) -> Truth {
        let public = repository.is_public();
        let to_public = match (public, group.allows_public_repositories) {
            (Some(false), _) | (_, Some(true)) => Truth::Yes,
            (Some(true), Some(false)) => Truth::No,
            (None, _) | (_, None) => Truth::Unknown,
        };
        let listed = match group.visibility.as_deref() {
            Some("private") => public.map_or(Truth::Unknown, |public| Truth::from(!public)),
            Some("selected") => {
                let name = full_name(self.owner, &repository.name);
                let selected = self.owner.group_repositories.get(&group.id).and_then(Told::get);
                selected.map_or(Truth::Unknown, |names| {
                    names.iter().any(|named| self.spelled(&named.full_name).as_ref() == Some(&name)).into()
                })
            }
            _ => Truth::Yes,
        };
        to_public.and(listed).and(takes(group, run))
    }
}

/// Whether a group of runners takes jobs of the workflow file in which a job stands. Where it takes listed files only, no
/// job of another one gets there, and none of those that a listed one calls ("Managing access to self-hosted runners using
/// groups", which workflows can access a group). Each is listed at one reference.
fn takes(group: &RunnerGroup, run: &Run<'_>) -> Truth {
    if group.restricted_to_workflows != Some(true) {
        return Truth::Yes;
    }
    let Some(listed) = &group.selected_workflows else { return Truth::Unknown };
    let file = run.source.key();
    // A call without a reference runs what stands at its caller's.
    let called_at = run.called.as_deref().and_then(|called| called.rsplit_once('@')).map(|(_, at)| at);
    let at = called_at.or(run.source.repository.default_branch());
    // What strangers propose runs at the reference of their proposal, which no list holds as far as is known.
    let mut events = run.started.file.outline.events.iter().map(String::as_str);
    let at_branch = called_at.is_some() || events.any(|event| !OF_WRITERS.contains(&event) && !is_proposal(event));
    listed.iter().fold(Truth::No, |some, one| {
        let (listed, reference) = one.split_once('@').unwrap_or((one.as_str(), ""));
        if !listed.eq_ignore_ascii_case(&file) {
            return some;
        }
        let same = at.is_some_and(|at| bare(at) == bare(reference));
        some.or(if same && at_branch { Truth::Yes } else { Truth::Unknown })
    })
}

/// Whether an event runs at the merge of a pull request.
fn is_proposal(event: &str) -> bool {
    matches!(event, "pull_request" | "pull_request_review" | "pull_request_review_comment")
}

/// A branch or tag without what it begins with in full.
fn bare(reference: &str) -> &str {
    ["refs/heads/", "refs/tags/"].iter().find_map(|begins| reference.strip_prefix(begins)).unwrap_or(reference)
}

/// Whether a job may get machines of a group by the name that it asks for. `org/` and `organization/` before it say that the
/// group is the organisation's ("Choosing the runner for a job", Choosing runners in a group); one of the enterprise's, which
/// `ent/` and `enterprise/` say, is none of these.
fn is_asked(group: &RunnerGroup, job: &OutlinedJob) -> bool {
    job.runner_group.as_ref().is_none_or(|asked| {
        let own = ["org/", "organization/"].iter().find_map(|begins| asked.strip_prefix(begins));
        [Some(asked.as_str()), own].into_iter().flatten().any(|asked| group.name.eq_ignore_ascii_case(asked))
    })
}

/// Machines of the organisation's that a job may get by what it asks for.
fn shared<'r>(owner: &'r OwnerFacts, job: &'r OutlinedJob) -> impl Iterator<Item = &'r At<Runner>> {
    let groups = owner.runner_groups.all();
    let is_in = move |runner: &&At<Runner>| {
        groups.iter().any(|group| Some(group.id) == runner.runner_group_id && is_asked(group, job))
    };
    fitting(owner.runners.all(), job).filter(move |runner| job.runner_group.is_none() || is_in(runner))
}

/// Machines of a repository's own that a job may get by what it asks for. They are in no group.
fn own<'r>(repository: &'r RepositoryFacts, job: &'r OutlinedJob) -> impl Iterator<Item = &'r At<Runner>> {
    fitting(repository.runners.all(), job).filter(move |_| job.runner_group.is_none())
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
