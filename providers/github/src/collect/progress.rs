//! How far a collection is: what was planned and what is pending. The manifest says it on disk.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use evenhand_collect::Stopped;
use evenhand_model::capture::Extent;

use super::table::{Of, Reach, Step};
use crate::PROVIDER;
use crate::documents::manifest::{Manifest, Planned, Tag};

/// The state of a collection.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    pub(crate) planned: Planned,
    /// Whether this run asks less than that.
    pub(crate) narrower: bool,
    /// Calls that are not made yet, and what of them is known to be missing: paths.
    pending: BTreeSet<String>,
    /// Repositories that are not begun yet.
    repositories: BTreeSet<(String, String)>,
    /// By which lists are known again, by path.
    tags: BTreeMap<String, Vec<Tag>>,
    pub(crate) answered: usize,
    pub(crate) documents: usize,
    /// Repositories that are done.
    pub(crate) done: usize,
    /// Organisations and repositories that GitHub does not tell of, and organisations that give the app no token.
    pub(crate) hidden: BTreeSet<String>,
    /// Calls that lead to others and brought no answer in this run: paths.
    pub(crate) unanswered: BTreeSet<String>,
    /// Which repositories the app's installation reaches, by organisation.
    pub(crate) selections: BTreeMap<String, String>,
    /// When it was last written.
    pub(crate) written: Option<Instant>,
}

/// The calls that are made of something whatever the others answer.
fn certain(of: &Of) -> impl Iterator<Item = String> {
    let reach = match of {
        Of::Organisation(_) => Reach::Organisation,
        Of::Repository(..) => Reach::Repository,
        Of::Enterprise(_) => Reach::Enterprise,
    };
    Step::of(reach).filter(|step| step.each.is_none()).map(|step| step.path(of, ""))
}

impl Progress {
    pub(crate) fn new(planned: Planned, tags: BTreeMap<String, Vec<Tag>>) -> Self {
        Self { planned, tags, ..Self::default() }
    }

    /// Notes what is planned before anything is asked.
    pub(crate) fn announce(&mut self, of: &Of) {
        self.pending.extend(certain(of));
    }

    /// Notes repositories to ask about.
    pub(crate) fn repositories(&mut self, owner: &str, names: &BTreeSet<String>) {
        self.repositories.extend(names.iter().map(|name| (owner.to_owned(), name.clone())));
    }

    /// Notes that a repository is under way: its calls are pending one by one from now on.
    pub(crate) fn begin(&mut self, of: &Of) {
        if let Of::Repository(owner, name) = of {
            self.repositories.remove(&(owner.clone(), name.clone()));
        }
        self.announce(of);
    }

    /// Notes that nothing more will be asked about something.
    pub(crate) fn leave_out(&mut self, of: &Of) {
        certain(of).for_each(|path| self.made(&path));
    }

    pub(crate) fn pend(&mut self, path: String) {
        self.pending.insert(path);
    }

    /// Whether a call is not made yet.
    pub(crate) fn is_pending(&self, path: &str) -> bool {
        self.pending.contains(path)
    }

    pub(crate) fn made(&mut self, path: &str) {
        self.pending.remove(path);
    }

    pub(crate) fn tags(&self, path: &str) -> Vec<Tag> {
        self.tags.get(path).cloned().unwrap_or_default()
    }

    pub(crate) fn set_tags(&mut self, path: &str, tags: Vec<Tag>) {
        if tags.is_empty() {
            self.tags.remove(path);
        } else {
            self.tags.insert(path.to_owned(), tags);
        }
    }

    pub(crate) fn is_whole(&self) -> bool {
        self.pending.is_empty() && self.repositories.is_empty()
    }

    /// The manifest; `end` = that the collection is over, and why it ended early.
    pub(crate) fn manifest(&self, end: Option<Option<Stopped>>) -> Manifest {
        let repositories = self
            .repositories
            .iter()
            .flat_map(|(owner, name)| certain(&Of::Repository(owner.clone(), name.clone())).collect::<Vec<_>>());
        let pending: BTreeSet<String> = self.pending.iter().cloned().chain(repositories).collect();
        Manifest {
            extent: Extent {
                evenhand_capture: Extent::VERSION,
                provider: PROVIDER.0.to_owned(),
                complete: end == Some(None) && self.is_whole() && !self.narrower,
                stopped: end.flatten().map(|stopped| stopped.as_str().to_owned()),
            },
            plan: self.planned.clone(),
            pending: pending.into_iter().collect(),
            tags: self.tags.clone(),
            repository_selection: self.selections.clone(),
        }
    }
}
