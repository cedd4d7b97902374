//! The repositories of an organisation: which there are, which there are no more, and what is asked about each.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use evenhand_collect::lock;
use tokio::task::JoinSet;

use super::Failed;
use super::asking::Ended;
use super::document::{self, HeldLine};
use super::run::Run;
use super::table::{Leads, Of, Reach, Step};
use crate::documents::listed;
use crate::documents::people::Organisation;
use crate::documents::route::Route;

/// Repositories under way at one time.
const REPOSITORIES: usize = 8;

/// The call that lists the repositories of an organisation.
fn listing() -> Option<&'static Step> {
    Step::of(Reach::Organisation).find(|step| step.route == Route::Repositories)
}

impl Run {
    /// Why a list of so many repositories is not known to be whole; `None` inside = it is, `None` = it was not answered.
    /// The organisation tells how many there are, to those who may know it.
    pub(super) fn unlisted(&self, of: &Of, listed: usize) -> Option<Option<String>> {
        {
            let (progress, path) = (lock(&self.progress), listing()?.path(of, ""));
            if progress.unanswered.contains(&path) || progress.is_pending(&path) {
                return None;
            }
        }
        let host = &self.client.host.name;
        let whole = Step::of(Reach::Organisation).find(|step| step.route == Route::Organisation);
        let held = document::read(&self.plan.folder, &document::name(host, of, whole), host);
        let answer = held.values().next().and_then(HeldLine::response)?;
        let organisation: Organisation = serde_json::from_str(answer).ok()?;
        let selection = self.client.selections().remove(&of.place());
        Some(listed::partly(&organisation, listed, selection.as_deref()))
    }

    /// Notes that the credentials see some repositories of an organisation only. The capture says it by itself.
    pub(super) fn tell_unlisted(&self, of: &Of, why: String) {
        self.ledger.failed(Failed {
            place: of.place(),
            call: listing().map(|step| format!("GET {}", step.call().path)),
            code: "PartlyListed".to_owned(),
            detail: Some(why),
            facts: listed::LOST.words.to_string(),
        });
    }

    /// Removes what an earlier collection left of repositories that the whole list of an organisation does not name any
    /// more: they were deleted, renamed or given away. GitHub does not tell names apart by their case.
    pub(super) fn drop_gone(&self, owner: &str, listed: &BTreeMap<String, Option<String>>) {
        let one = Of::Repository(owner.to_owned(), String::new());
        let own = document::name(&self.client.host.name, &one, None);
        let Some((folder, ending)) = own.rsplit_once('/') else { return };
        for file in self.plan.folder.names(folder) {
            let Some(name) = file.strip_suffix(ending) else { continue };
            if !listed.keys().any(|held| held.eq_ignore_ascii_case(name)) {
                self.ledger.written(self.plan.folder.remove(&format!("{folder}/{file}")));
            }
        }
    }

    /// Repositories by name, with their default branches where these are known.
    pub(super) async fn repositories(self: Arc<Self>, owner: &str, repositories: BTreeMap<String, Option<String>>) {
        let all = repositories.len();
        let mut waiting = repositories.into_iter();
        let mut tasks = JoinSet::new();
        let mut done = 0_usize;
        let mut under_way = HashMap::new();
        loop {
            while tasks.len() < REPOSITORIES && self.goes_on() && !self.is_hidden(owner) {
                let Some((name, branch)) = waiting.next() else { break };
                let (run, of) = (Arc::clone(&self), Of::Repository(owner.to_owned(), name));
                let place = of.place();
                let task = tasks.spawn(async move { run.repository(&of, branch).await });
                under_way.insert(task.id(), place);
            }
            match tasks.join_next_with_id().await {
                None => return,
                Some(Ok((task, ()))) => {
                    under_way.remove(&task);
                }
                Some(Err(lost)) => {
                    let place = under_way.remove(&lost.id());
                    self.lost::<()>(place.as_deref().unwrap_or(owner), &lost);
                }
            }
            done += 1;
            self.tell(done, all);
            self.save_sometimes();
        }
    }

    async fn repository(&self, of: &Of, branch: Option<String>) {
        lock(&self.progress).begin(of);
        let mut leads = Leads::new();
        let mut steps: Vec<&'static Step> = Step::of(Reach::Repository).collect();
        if let Some(branch) = branch {
            // The list of repositories said what it says itself.
            steps.retain(|step| step.route != Route::Repository);
            lock(&self.progress)
                .made(&Step::of(Reach::Repository).next().map(|step| step.path(of, "")).unwrap_or_default());
            for step in &steps {
                if step.each.is_some_and(|each| each.of == Route::Repository) {
                    leads.entry(step.route).or_default().insert(branch.clone());
                }
            }
        }
        let ended = self.document(of, None, &steps, &mut leads).await;
        if matches!(ended, Ended::Whole) && !self.is_hidden(&of.place()) {
            lock(&self.progress).done += 1;
        }
    }

    fn tell(&self, done: usize, all: usize) {
        let left =
            self.client.budget.left().map(|left| format!(", {} requests left", left.requests)).unwrap_or_default();
        (self.client.tell.0)(&format!("{done} of {all} repositories{left}"));
    }
}
