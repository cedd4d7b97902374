//! Calls between workflow files: which jobs a repository runs, those of the reusable workflows that it calls among them.
//!
//! A called job runs for the repository of its caller: its token is that repository's and does no more than the calling
//! job's, and it has the secrets that it is handed ("Reuse workflows", "Reusing workflow configurations"). Each call makes
//! jobs of its own, so that each has the token that it runs with. What is called is read as it stands on the default branch.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use evenhand_agents::workflow::{Audience, OutlinedJob, Repositories, TokenPermissions, Workflow};
use evenhand_model::evidence::Evidence;
use evenhand_model::secret::Fingerprinter;

use super::jobs::ALL_SECRETS;
use crate::facts::{Facts, OwnerFacts, RepositoryFacts, WorkflowFile};

/// Calls deeper than this GitHub refuses.
const DEEPEST: usize = 10;

/// So many jobs of one start are followed; what lies behind further calls stays a job that calls.
const MOST: usize = 1024;

/// The event of a workflow that others call.
pub(crate) const CALLED: &str = "workflow_call";

/// A workflow file where it lies.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Source<'a> {
    pub(crate) owner: &'a OwnerFacts,
    pub(crate) repository: &'a RepositoryFacts,
    pub(crate) path: &'a str,
    pub(crate) file: &'a WorkflowFile,
}

impl Source<'_> {
    /// Owner, repository and path.
    pub(crate) fn key(&self) -> String {
        format!("{}/{}/{}", self.owner.name, self.repository.name, self.path)
    }

    /// The file's name without its ending.
    pub(crate) fn stem(&self) -> &str {
        let name = self.path.rsplit('/').next().unwrap_or(self.path);
        name.rsplit_once('.').map_or(name, |(stem, _)| stem)
    }

    /// The name that the file gives its workflow.
    pub(crate) fn title(&self) -> &str {
        self.file.outline.name.as_deref().unwrap_or(self.stem())
    }

    fn is(&self, other: &Source<'_>) -> bool {
        std::ptr::eq(self.file, other.file)
    }
}

/// A job that a repository runs.
#[derive(Clone, Debug)]
pub(crate) struct Run<'a> {
    /// The file that events start.
    pub(crate) started: Source<'a>,
    /// The file in which the job stands.
    pub(crate) source: Source<'a>,
    pub(crate) job: &'a OutlinedJob,
    /// The jobs whose calls lead to it, the first one first.
    pub(crate) callers: Vec<&'a OutlinedJob>,
    /// The called file as tokens name it; `None` = the job stands in the file that was started.
    pub(crate) called: Option<Arc<str>>,
    /// The branch, tag or commit that the call names, where that is not the default branch, which was read.
    pub(crate) elsewhere: Option<Arc<str>>,
}

impl Run<'_> {
    /// Its name below the repository: the file that was started, the jobs that call, the job.
    pub(crate) fn name(&self) -> String {
        format!("{}/{}", self.started.stem(), self.keys())
    }

    /// The jobs that call, and the job.
    pub(crate) fn keys(&self) -> String {
        let keys: Vec<&str> = self.callers.iter().chain([&self.job]).map(|job| job.key.as_str()).collect();
        keys.join("/")
    }

    /// The place of the job.
    pub(crate) fn evidence(&self) -> Evidence {
        Evidence::line(Arc::clone(&self.source.file.document), self.job.line)
    }

    /// What the `permissions` say from the first call to the job itself. Those of a called job that say nothing leave it
    /// what its caller has.
    pub(crate) fn permissions(&self) -> impl Iterator<Item = &TokenPermissions> {
        let said = self.callers.iter().chain([&self.job]).map(|job| &job.permissions);
        said.enumerate().filter(|(at, said)| *at == 0 || **said != TokenPermissions::Default).map(|(_, said)| said)
    }

    /// Names of the repository's secrets that it is handed, sorted; `*` = all of them. A caller that lists secrets hands
    /// over these, under whatever names: any of them may be the one that the job uses.
    pub(crate) fn secrets(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.job.secrets.iter().map(String::as_str).collect();
        for caller in self.callers.iter().rev() {
            let handed = &caller.secrets;
            if !names.is_empty() && !handed.iter().any(|name| name == ALL_SECRETS) {
                names = handed.iter().map(String::as_str).collect();
            }
        }
        names
    }

    /// Who may start it, the conditions of all files considered.
    pub(crate) fn audience(&self) -> Audience {
        let Some(first) = self.callers.first() else { return self.job.audience };
        // Of a file that is called, only a condition that lets in nobody but writers tells more than its caller.
        let closed = self.callers.iter().chain([&self.job]).any(|job| job.audience == Audience::Writers);
        if closed { Audience::Writers } else { first.audience }
    }

    /// Whether the repository that runs it is not known: nothing but calls starts its file, and no call was read.
    pub(crate) fn is_strangers(&self) -> bool {
        is_only_called(self.started.file)
    }
}

/// A call that leads to a file that was not read.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct MissingCall {
    /// What is called, as it is written.
    pub(crate) called: String,
    /// The host and the owner of what is called, in lower case.
    pub(crate) owner: String,
    /// The calling file, by owner, repository and path.
    pub(crate) by: String,
    /// Where it is called.
    pub(crate) at: Evidence,
}

/// What one workflow file of a repository runs.
#[derive(Debug)]
pub(crate) struct Started<'a> {
    pub(crate) source: Source<'a>,
    /// Jobs with steps, and jobs with calls that cannot be followed.
    pub(crate) runs: Vec<Run<'a>>,
    /// The files that it calls, each once.
    parts: Vec<Source<'a>>,
    pub(crate) missing: Vec<MissingCall>,
}

/// Who calls whom, over everything that was read.
pub(crate) struct Calls<'a> {
    facts: &'a Facts,
    /// Files that others call, by their places.
    called: BTreeSet<String>,
}

impl<'a> Calls<'a> {
    pub(crate) fn of(facts: &'a Facts) -> Self {
        let mut calls = Self { facts, called: BTreeSet::new() };
        for owner in facts.owners.values() {
            for repository in owner.repositories.values().filter(|repository| repository.runs_workflows()) {
                for (path, file) in &repository.workflows {
                    let from = Source { owner, repository, path, file };
                    let targets = file.outline.jobs.iter().filter_map(|job| calls.target(&from, job.calls.as_deref()?));
                    let others = targets.filter(|target| !target.is(&from));
                    let places: Vec<String> = others.map(|target| calls.place(&target)).collect();
                    calls.called.extend(places);
                }
            }
        }
        calls
    }

    fn place(&self, source: &Source<'_>) -> String {
        format!("{}/{}", source.owner.host, source.key())
    }

    /// The file that a call names, where it was read. `./` is the repository of the calling file.
    fn target(&self, from: &Source<'a>, called: &str) -> Option<Source<'a>> {
        let (owner, repository, path) = match called.strip_prefix("./") {
            Some(path) => (from.owner, from.repository, path),
            None => {
                let (place, _) = called.rsplit_once('@')?;
                let (owner, rest) = place.split_once('/')?;
                let (name, path) = rest.split_once('/')?;
                let owner = self.facts.owners.get(&(from.owner.host.clone(), owner.to_lowercase()))?;
                (owner, owner.repositories.get(&name.to_lowercase())?, path)
            }
        };
        let (path, file) = repository.workflows.get_key_value(path)?;
        Some(Source { owner, repository, path, file })
    }

    /// What the workflow files of a repository run. A file that nothing but calls starts runs where it is called.
    pub(crate) fn started(&self, owner: &'a OwnerFacts, repository: &'a RepositoryFacts) -> Vec<Started<'a>> {
        let files = repository.workflows.iter().map(|(path, file)| Source { owner, repository, path, file });
        files
            .filter(|source| !(is_only_called(source.file) && self.called.contains(&self.place(source))))
            .map(|source| {
                let mut started = Started { source, runs: Vec::new(), parts: Vec::new(), missing: Vec::new() };
                for job in &source.file.outline.jobs {
                    let run = Run { started: source, source, job, callers: Vec::new(), called: None, elsewhere: None };
                    self.follow(run, &mut vec![source], &mut started);
                }
                started.missing.sort();
                started.missing.dedup();
                started
            })
            .collect()
    }

    /// Adds a job, or the jobs of the file that it calls. `above`: the files that led to it.
    fn follow(&self, run: Run<'a>, above: &mut Vec<Source<'a>>, started: &mut Started<'a>) {
        let Some(called) = run.job.calls.as_deref() else {
            started.runs.push(run);
            return;
        };
        let Some(target) = self.target(&run.source, called) else {
            let written = called.split('/').next().filter(|first| *first != ".");
            started.missing.push(MissingCall {
                called: called.to_owned(),
                owner: written.map_or_else(|| run.source.owner.name.to_lowercase(), str::to_lowercase),
                by: run.source.key(),
                at: run.evidence(),
            });
            started.runs.push(run);
            return;
        };
        let loops = above.iter().any(|held| held.is(&target));
        if loops || above.len() > DEEPEST || started.runs.len() >= MOST || target.file.outline.jobs.is_empty() {
            started.runs.push(run);
            return;
        }
        if !started.parts.iter().any(|held| held.is(&target)) {
            started.parts.push(target);
        }
        let (name, elsewhere) = named(&run, called, &target);
        let callers: Vec<&OutlinedJob> = run.callers.iter().copied().chain([run.job]).collect();
        above.push(target);
        for job in &target.file.outline.jobs {
            let inner = Run {
                started: run.started,
                source: target,
                job,
                callers: callers.clone(),
                called: Some(Arc::clone(&name)),
                elsewhere: elsewhere.clone(),
            };
            self.follow(inner, above, started);
        }
        above.pop();
    }

    /// The agents in the files of a start, as they run in it.
    pub(crate) fn agents(&self, started: &Started<'a>, keys: &Fingerprinter) -> Agents {
        let mut agents = Agents { all: Repositories::default(), keys: keys.clone(), read: None };
        let files = || [&started.source].into_iter().chain(&started.parts);
        if !files().any(|source| source.file.runs_agents) {
            return agents;
        }
        for source in files() {
            let Some(written) = source.file.text() else { continue };
            let mut text = written.to_owned();
            for called in source.file.outline.jobs.iter().filter_map(|job| job.calls.as_deref()) {
                if let Some(target) = self.target(source, called) {
                    text = redirected(&text, called, &format!("./{}", target.key()));
                }
            }
            // What was outlined is a map, so that nothing is refused here.
            let _ = agents.all.add("", &source.key(), &text);
        }
        agents.read = Some(agents.again());
        agents
    }
}

/// The agents in the files of a start.
pub(crate) struct Agents {
    all: Repositories,
    keys: Fingerprinter,
    /// By file; `None` = there are none. One that was taken is missing.
    read: Option<BTreeMap<String, Option<Workflow>>>,
}

impl Agents {
    fn again(&self) -> BTreeMap<String, Option<Workflow>> {
        self.all.read(&self.keys).workflows.into_iter().map(|(key, read)| (key, Some(read))).collect()
    }

    /// The agents of one file. It may be asked for once for each way that leads to it.
    pub(crate) fn of(&mut self, source: &Source<'_>) -> Option<Workflow> {
        let key = source.key();
        if self.read.as_ref()?.get(&key)?.is_none() {
            self.read = Some(self.again());
        }
        self.read.as_mut()?.get_mut(&key)?.take()
    }
}

fn is_only_called(file: &WorkflowFile) -> bool {
    !file.outline.events.is_empty() && file.outline.events.iter().all(|event| event == CALLED)
}

/// A called file as tokens name it, and the reference where it is not the one that was read.
fn named(run: &Run<'_>, called: &str, target: &Source<'_>) -> (Arc<str>, Option<Arc<str>>) {
    let place = target.key();
    match (called.strip_prefix("./"), &run.called) {
        // It is read at the reference at which the started file runs.
        (Some(_), None) => (Arc::from(called), None),
        (Some(path), Some(outer)) => match outer.rsplit_once('@') {
            Some((_, reference)) => (format!("{place}@{reference}").into(), run.elsewhere.clone()),
            None => (format!("./{path}").into(), run.elsewhere.clone()),
        },
        (None, _) => {
            let reference = called.rsplit_once('@').map_or("", |(_, reference)| reference);
            let plain = reference.strip_prefix("refs/heads/").unwrap_or(reference);
            if target.repository.default_branch() == Some(plain) {
                (format!("{place}@refs/heads/{plain}").into(), None)
            } else {
                (format!("{place}@{reference}").into(), Some(Arc::from(reference)))
            }
        }
    }
}

/// A text in which a call leads to another place. Lines stay where they are.
fn redirected(text: &str, called: &str, to: &str) -> String {
    let goes_on = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '/' | '_' | '-' | '@');
    let mut new = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(called) {
        new.push_str(before);
        let whole = !new.ends_with(goes_on) && !after.starts_with(goes_on);
        new.push_str(if whole { to } else { called });
        rest = after;
    }
    new.push_str(rest);
    new
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_call_itself_is_redirected() {
        let call = "acme/flows/.github/workflows/x.yml@v1";
        for (text, expected) in [
            ("uses: acme/flows/.github/workflows/x.yml@v1\n", "uses: ./there\n"),
            ("{uses: 'acme/flows/.github/workflows/x.yml@v1', with: {}}", "{uses: './there', with: {}}"),
            ("uses: acme/flows/.github/workflows/x.yml@v1.2", "uses: acme/flows/.github/workflows/x.yml@v1.2"),
            ("uses: big-acme/flows/.github/workflows/x.yml@v1", "uses: big-acme/flows/.github/workflows/x.yml@v1"),
        ] {
            assert_eq!(redirected(text, call, "./there"), expected);
        }
    }
}
