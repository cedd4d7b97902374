//! A whole collection: which organisations and repositories, which calls about each, and what came of them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use evenhand_collect::{Ledger, NoAnswer, Stopped, Trouble, lock};
use evenhand_model::refusal::{Refusal, Why};
use evenhand_model::secret::Fingerprinter;
use tokio::task::{JoinError, JoinSet};

use super::client::{Client, unaccepted};
use super::plan::Plan;
use super::progress::Progress;
use super::table::{Leads, Of, Reach, Step, is_name};
use super::{CollectError, Collected, Failed};
use crate::documents::route::Route;

/// The manifest is written no more often.
const FLUSH: Duration = Duration::from_secs(30);

/// A collection under way.
pub(crate) struct Run {
    pub(super) client: Client,
    pub(super) plan: Plan,
    pub(super) progress: Mutex<Progress>,
    pub(super) ledger: Ledger,
    /// Nobody is let in any more, or nobody is there.
    over: Mutex<Option<Trouble>>,
    /// Organisations that give the app no token.
    uninstalled: Mutex<BTreeMap<String, Trouble>>,
    pub(super) identities: AtomicBool,
}

impl Run {
    pub(crate) fn new(client: Client, plan: Plan) -> Result<Self, CollectError> {
        let before = plan.before.as_ref();
        let host = before.map(|before| before.plan.host.as_str()).filter(|host| !host.is_empty());
        if let Some(before) = host.filter(|before| *before != client.host.name) {
            return Err(CollectError::OtherHost { before: before.to_owned(), now: client.host.name.clone() });
        }
        let mut progress = Progress::new(
            plan.planned(&client.host.name),
            before.map(|before| before.tags.clone()).unwrap_or_default(),
        );
        progress.narrower = progress.planned.repositories.len() != plan.repositories.len();
        progress.selections = before.map(|before| before.repository_selection.clone()).unwrap_or_default();
        let (progress, over, identities) = (Mutex::new(progress), Mutex::default(), AtomicBool::new(false));
        let uninstalled = Mutex::default();
        Ok(Self { client, plan, progress, ledger: Ledger::default(), over, uninstalled, identities })
    }

    /// Collects everything.
    pub(crate) async fn collect(self: Arc<Self>) -> Result<Collected, CollectError> {
        // Hosts, what is about them, owners.
        self.plan.folder.clean(3);
        {
            let mut progress = lock(&self.progress);
            for name in &self.plan.organisations {
                progress.announce(&Of::Organisation(name.clone()));
            }
            if let Some(name) = &self.plan.enterprise {
                progress.announce(&Of::Enterprise(name.clone()));
            }
            for (owner, name) in &self.plan.repositories {
                progress.repositories(owner, &BTreeSet::from([name.clone()]));
            }
            if !self.plan.repositories.is_empty() {
                for name in &self.plan.organisations {
                    progress.made(&format!("/orgs/{name}/repos"));
                }
            }
        }
        self.save(None);
        for name in &self.plan.organisations {
            Arc::clone(&self).organisation(name).await;
            self.unaccepted(name)?;
        }
        self.installed_nowhere()?;
        if let Some(name) = &self.plan.enterprise {
            for step in Step::of(Reach::Enterprise) {
                self.document(&Of::Enterprise(name.clone()), Some(step), &[step], &mut Leads::new()).await;
            }
        }
        let stopped = self.client.stop.now().filter(|_| !lock(&self.progress).is_whole());
        self.save(Some(stopped));
        let failed = self.ledger.close()?;
        let progress = lock(&self.progress);
        Ok(Collected {
            address: self.client.host.base().to_owned(),
            organisations: self.plan.organisations.iter().cloned().collect(),
            repositories: progress.done,
            answered: progress.answered,
            documents: progress.documents,
            identities: self.identities.load(Ordering::Relaxed),
            failed,
            stopped,
            most_held: self.client.held.most(),
            requests: self.client.budget.made(),
        })
    }

    /// Credentials that nobody accepts, before anything was answered, are no gap but an error.
    fn unaccepted(&self, organisation: &str) -> Result<(), CollectError> {
        let over = lock(&self.over).clone();
        match over {
            Some(trouble) if lock(&self.progress).answered == 0 => {
                Err(unaccepted(&self.client, &trouble, organisation))
            }
            _ => Ok(()),
        }
    }

    /// An app without a single installation likewise.
    fn installed_nowhere(&self) -> Result<(), CollectError> {
        let uninstalled = lock(&self.uninstalled);
        match uninstalled.first_key_value() {
            Some((name, trouble))
                if uninstalled.len() == self.plan.organisations.len() && lock(&self.progress).answered == 0 =>
            {
                Err(unaccepted(&self.client, trouble, name))
            }
            _ => Ok(()),
        }
    }

    pub(super) fn organisations(&self) -> impl Iterator<Item = &String> {
        self.plan.organisations.iter()
    }

    pub(super) fn enterprise(&self) -> Option<&str> {
        self.plan.enterprise.as_deref()
    }

    /// The first repository of an owner that was named.
    pub(super) fn named(&self, owner: &str) -> Option<String> {
        self.plan.repositories.iter().find(|(held, _)| held == owner).map(|(_, name)| name.clone())
    }

    pub(super) fn fingerprinter(&self) -> &Fingerprinter {
        &self.plan.fingerprinter
    }

    /// The organisation whose installation asks; about an enterprise any one may.
    pub(super) fn asked_by<'a>(&'a self, of: &'a Of) -> &'a str {
        match of {
            Of::Organisation(name) | Of::Repository(name, _) => name,
            Of::Enterprise(_) => {
                let uninstalled = lock(&self.uninstalled);
                let installed = self.plan.organisations.iter().find(|name| !uninstalled.contains_key(*name));
                installed.or(self.plan.organisations.first()).map_or("", String::as_str)
            }
        }
    }

    pub(super) fn goes_on(&self) -> bool {
        self.client.stop.now().is_none() && !self.ledger.is_broken() && lock(&self.over).is_none()
    }

    /// One organisation with its repositories.
    async fn organisation(self: Arc<Self>, name: &str) {
        let of = Of::Organisation(name.to_owned());
        let mut steps: Vec<&'static Step> = Step::of(Reach::Organisation).collect();
        // Whoever is not told of the organisation is told nothing else about it.
        let first: Vec<&'static Step> = steps.extract_if(.., |step| step.route == Route::Organisation).collect();
        for step in first {
            self.document(&of, Some(step), &[step], &mut Leads::new()).await;
        }
        // By its mark it is known again, whatever comes.
        self.save(None);
        if !self.goes_on() || self.is_hidden(name) {
            return;
        }
        let named = !self.plan.repositories.is_empty();
        let mut tasks = JoinSet::new();
        for leading in steps.iter().filter(|step| step.each.is_none() && !(named && step.route == Route::Repositories))
        {
            let strand: Vec<&'static Step> =
                steps.iter().copied().filter(|step| step.each.is_some_and(|each| each.of == leading.route)).collect();
            let (run, of, leading) = (Arc::clone(&self), of.clone(), *leading);
            tasks.spawn(async move {
                let mut leads = Leads::new();
                for step in std::iter::once(leading).chain(strand) {
                    if !run.goes_on() || run.is_hidden(&of.place()) {
                        break;
                    }
                    run.document(&of, Some(step), &[step], &mut leads).await;
                    if step.is_leading() {
                        // By its marks it is known again, whatever comes.
                        run.save(None);
                    }
                }
                leads.remove(&Route::Repository).unwrap_or_default()
            });
        }
        let mut repositories: BTreeMap<String, Option<String>> = BTreeMap::new();
        let mut listed = 0;
        while let Some(done) = tasks.join_next().await {
            for found in done.unwrap_or_else(|lost| self.lost(name, &lost)) {
                listed += 1;
                let (name, branch) =
                    found.split_once(' ').map_or((found.as_str(), None), |(name, branch)| (name, Some(branch)));
                if is_name(name) {
                    repositories.insert(name.to_owned(), branch.map(str::to_owned));
                }
            }
        }
        if named {
            let own = self.plan.repositories.iter().filter(|(owner, _)| owner == name);
            repositories = own.map(|(_, name)| (name.clone(), None)).collect();
        } else {
            match self.unlisted(&of, listed) {
                Some(Some(why)) => self.tell_unlisted(&of, why),
                Some(None) => self.drop_gone(name, &repositories),
                None => {}
            }
        }
        lock(&self.progress).repositories(name, &repositories.keys().cloned().collect());
        self.save(None);
        self.repositories(name, repositories).await;
    }

    /// Whether GitHub does not know an organisation or a repository, or does not tell of it.
    pub(super) fn is_hidden(&self, name: &str) -> bool {
        lock(&self.progress).hidden.contains(name)
    }

    /// Notes that a part of the work was lost: what it would have asked is still pending.
    pub(super) fn lost<T: Default>(&self, place: &str, why: &JoinError) -> T {
        self.ledger.failed(Failed {
            place: place.to_owned(),
            call: None,
            code: if why.is_panic() { "Panicked" } else { "Cancelled" }.to_owned(),
            detail: Some("a fault of the collector itself; report it, and go on with --resume".to_owned()),
            facts: "what was not collected of it".to_owned(),
        });
        T::default()
    }

    /// Notes that an organisation gives the app no token, once: nothing can be asked about it.
    pub(super) fn uninstalled(&self, of: &Of, trouble: &Trouble) {
        let name = self.asked_by(of).to_owned();
        lock(&self.progress).hidden.insert(name.clone());
        if lock(&self.uninstalled).insert(name.clone(), trouble.clone()).is_none() {
            self.ledger.failed(Failed {
                place: name,
                call: None,
                code: trouble.refusal.code.clone(),
                detail: Some("the app is not installed in the organisation, or is suspended there".to_owned()),
                facts: "everything".to_owned(),
            });
        }
    }

    /// Whether a failure ends the collection, which it does where nobody is let in any more, or nobody is there.
    pub(super) fn is_end(&self, no: NoAnswer) -> bool {
        match no {
            NoAnswer::Stopped => true,
            NoAnswer::Refused(trouble) if trouble.refusal.why == Why::Expired || self.client.is_gone(&trouble) => {
                if lock(&self.over).replace(trouble.clone()).is_none() {
                    self.ledger.failed(Failed {
                        place: self.client.host.name.clone(),
                        call: None,
                        code: trouble.refusal.code,
                        detail: trouble.detail,
                        facts: "everything that was not collected yet".to_owned(),
                    });
                }
                true
            }
            NoAnswer::Refused(_) => false,
        }
    }

    pub(super) fn failed(&self, of: &Of, step: &Step, refusal: &Refusal, detail: Option<String>) {
        self.ledger.failed(Failed {
            place: of.place(),
            call: Some(format!("GET {}", step.call().path)),
            code: refusal.code.clone(),
            detail,
            facts: step.call().lost.words.to_string(),
        });
    }

    /// Writes the manifest; `end` = that the collection is over, and why it ended early.
    fn save(&self, end: Option<Option<Stopped>>) {
        let manifest = {
            let mut progress = lock(&self.progress);
            progress.written = Some(Instant::now());
            progress.selections.extend(self.client.selections());
            progress.manifest(end)
        };
        self.ledger.written(self.plan.folder.write_manifest(&manifest));
    }

    /// The same, unless it was done a short time ago: it grows with the repositories, as do the occasions.
    pub(super) fn save_sometimes(&self) {
        if lock(&self.progress).written.is_none_or(|written| written.elapsed() > FLUSH) {
            self.save(None);
        }
    }
}
