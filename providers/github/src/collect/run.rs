//! A whole collection: which organisations and repositories, which calls about each, and what came of them.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use evenhand_collect::{Folder, Ledger, NoAnswer, Stopped, Trouble, lock};
use evenhand_model::refusal::{Refusal, Why};
use evenhand_model::secret::Fingerprinter;
use tokio::task::{JoinError, JoinSet};

use super::client::{Client, Got, Refused, Reply, unaccepted};
use super::document::{self, HeldLine, Lines};
use super::page::{NoPage, Whole};
use super::progress::Progress;
use super::table::{Leads, Of, Pages, Reach, Step, is_answer, is_name};
use super::{CollectError, Collected, Failed, NoCapture, Options};
use crate::documents::listed;
use crate::documents::manifest::{Manifest, Planned, Tag};
use crate::documents::people::Organisation;
use crate::documents::route::{Asked, Route};

/// Repositories under way at one time.
const REPOSITORIES: usize = 8;
/// The manifest is written no more often.
const FLUSH: Duration = Duration::from_secs(30);

/// What to collect.
pub(crate) struct Plan {
    pub(crate) folder: Folder,
    resume: bool,
    organisations: BTreeSet<String>,
    /// Only these, by owner and name; none = all.
    repositories: BTreeSet<(String, String)>,
    enterprise: Option<String>,
    fingerprinter: Fingerprinter,
    /// The manifest of the capture to go on with.
    before: Option<Manifest>,
}

impl Plan {
    /// What options say; what they do not say is taken from the capture to go on with.
    pub(crate) fn new(options: &Options) -> Result<Self, CollectError> {
        let folder = document::of_capture(&options.terms.folder);
        let before: Option<Manifest> = match options.terms.resume {
            true => folder.read_manifest().map_err(|error| NoCapture::NoManifest(error.to_string()))?,
            false => None,
        };
        let planned = before.as_ref().map(|before| &before.plan);
        let mut organisations: BTreeSet<String> = options.organisations.iter().cloned().collect();
        let mut repositories = BTreeSet::new();
        let named = |name: &str| if is_name(name) { Ok(()) } else { Err(CollectError::NotAName(name.to_owned())) };
        for name in &options.repositories {
            let (owner, repository) = match name.split_once('/') {
                Some((owner, repository)) => (owner.to_owned(), repository),
                None => match organisations.iter().next().filter(|_| organisations.len() == 1) {
                    Some(only) => (only.clone(), name.as_str()),
                    None => return Err(CollectError::Elsewhere(name.clone())),
                },
            };
            named(repository)?;
            if !organisations.contains(&owner) {
                return Err(CollectError::Elsewhere(name.clone()));
            }
            repositories.insert((owner, repository.to_owned()));
        }
        if let Some(planned) = planned {
            let all_before = planned.repositories.is_empty() && !planned.organisations.is_empty();
            organisations.extend(planned.organisations.iter().cloned());
            let split = |name: &String| name.split_once('/').map(|(owner, name)| (owner.to_owned(), name.to_owned()));
            if options.repositories.is_empty() && !all_before {
                repositories.extend(planned.repositories.iter().filter_map(split));
            }
        }
        let enterprise = options.enterprise.clone().or_else(|| planned.and_then(|planned| planned.enterprise.clone()));
        for name in organisations.iter().chain(&enterprise) {
            named(name)?;
        }
        if organisations.is_empty() {
            return Err(CollectError::NoOrganisation);
        }
        let (resume, fingerprinter) = (options.terms.resume, options.terms.fingerprinter.clone());
        Ok(Self { folder, resume, organisations, repositories, enterprise, fingerprinter, before })
    }

    /// What is planned for the capture: this, and what was planned before.
    fn planned(&self, host: &str) -> Planned {
        let before = self.before.as_ref().map(|before| &before.plan).filter(|plan| !plan.organisations.is_empty());
        let name = |(owner, name): &(String, String)| format!("{owner}/{name}");
        let mut repositories: BTreeSet<String> = self.repositories.iter().map(name).collect();
        match before {
            Some(before) if before.repositories.is_empty() => repositories.clear(),
            Some(before) => repositories.extend(before.repositories.iter().cloned()),
            None => {}
        }
        Planned {
            host: host.to_owned(),
            organisations: self.organisations.iter().cloned().collect(),
            repositories: repositories.into_iter().collect(),
            enterprise: self.enterprise.clone(),
        }
    }
}

/// How the work on something ended.
enum Ended {
    /// Everything was asked, whatever came of it.
    Whole,
    /// The collection ends.
    Early,
}

/// Why a line was not written.
enum NoLine {
    /// The collection ends.
    Early,
    Disk(io::Error),
}

impl From<io::Error> for NoLine {
    fn from(error: io::Error) -> Self {
        Self::Disk(error)
    }
}

/// A collection under way.
pub(crate) struct Run {
    pub(super) client: Client,
    pub(super) plan: Plan,
    progress: Mutex<Progress>,
    ledger: Ledger,
    /// Nobody is let in any more, or nobody is there.
    over: Mutex<Option<Trouble>>,
    /// Organisations that give the app no token.
    uninstalled: Mutex<BTreeMap<String, Trouble>>,
    identities: AtomicBool,
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

    fn goes_on(&self) -> bool {
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
            self.tell_unlisted(&of, listed);
        }
        lock(&self.progress).repositories(name, &repositories.keys().cloned().collect());
        self.save(None);
        self.repositories(name, repositories).await;
    }

    /// Whether GitHub does not know an organisation, or does not tell of it.
    fn is_hidden(&self, name: &str) -> bool {
        lock(&self.progress).hidden.contains(name)
    }

    /// Notes that a part of the work was lost: what it would have asked is still pending.
    fn lost<T: Default>(&self, place: &str, why: &JoinError) -> T {
        self.ledger.failed(Failed {
            place: place.to_owned(),
            call: None,
            code: if why.is_panic() { "Panicked" } else { "Cancelled" }.to_owned(),
            detail: Some("a fault of the collector itself; report it, and go on with --resume".to_owned()),
            facts: "what was not collected of it".to_owned(),
        });
        T::default()
    }

    /// Notes where the credentials see some repositories of an organisation only. The capture says it by itself: the
    /// organisation tells how many there are.
    fn tell_unlisted(&self, of: &Of, listed: usize) {
        let Some(step) = Step::of(Reach::Organisation).find(|step| step.route == Route::Repositories) else { return };
        {
            let (progress, path) = (lock(&self.progress), step.path(of, ""));
            if progress.unanswered.contains(&path) || progress.is_pending(&path) {
                return;
            }
        }
        let host = &self.client.host.name;
        let whole = Step::of(Reach::Organisation).find(|step| step.route == Route::Organisation);
        let held = document::read(&self.plan.folder, &document::name(host, of, whole), host);
        let answer = held.values().next().and_then(HeldLine::response);
        let Some(organisation) = answer.and_then(|text| serde_json::from_str::<Organisation>(text).ok()) else {
            return;
        };
        let selection = self.client.selections().remove(&of.place());
        if let Some(why) = listed::partly(&organisation, listed, selection.as_deref()) {
            self.ledger.failed(Failed {
                place: of.place(),
                call: Some(format!("GET {}", step.call().path)),
                code: "PartlyListed".to_owned(),
                detail: Some(why),
                facts: listed::LOST.words.to_string(),
            });
        }
    }

    /// Repositories by name, with their default branches where these are known.
    async fn repositories(self: Arc<Self>, owner: &str, repositories: BTreeMap<String, Option<String>>) {
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
        if let Ended::Whole = self.document(of, None, &steps, &mut leads).await {
            lock(&self.progress).done += 1;
        }
    }

    fn tell(&self, done: usize, all: usize) {
        let left =
            self.client.budget.left().map(|left| format!(", {} requests left", left.requests)).unwrap_or_default();
        (self.client.tell.0)(&format!("{done} of {all} repositories{left}"));
    }

    /// The answers of some calls as one document; `call`: which one, where it is one only.
    async fn document(
        &self,
        of: &Of,
        call: Option<&'static Step>,
        steps: &[&'static Step],
        leads: &mut Leads,
    ) -> Ended {
        let host = &self.client.host.name;
        let name = document::name(host, of, call);
        let mut held = match self.plan.resume {
            true => document::read(&self.plan.folder, &name, host),
            false => BTreeMap::new(),
        };
        let done = match Lines::begin(&self.plan.folder, &name, host) {
            Ok(mut lines) => {
                let done = self.lines(of, steps, leads, &mut held, &mut lines).await;
                done.and_then(|ended| Ok((self.close(lines, &name, &ended, held)?, ended).1))
            }
            Err(error) => Err(error),
        };
        match done {
            Ok(ended) => ended,
            Err(error) => {
                self.ledger.written(Err(error));
                Ended::Early
            }
        }
    }

    /// Ends a document. One that ended early holds what it held before, too.
    fn close(&self, mut lines: Lines, name: &str, ended: &Ended, held: BTreeMap<String, HeldLine>) -> io::Result<()> {
        if let Ended::Early = ended {
            held.values().try_for_each(|line| lines.copy(line))?;
        }
        let answered = lines.answered;
        if lines.finish()? {
            let mut progress = lock(&self.progress);
            progress.answered += answered;
            progress.documents += 1;
        } else {
            // What an earlier collection was refused does not count any more.
            self.plan.folder.remove(name)?;
        }
        Ok(())
    }

    async fn lines(
        &self,
        of: &Of,
        steps: &[&'static Step],
        leads: &mut Leads,
        held: &mut BTreeMap<String, HeldLine>,
        lines: &mut Lines,
    ) -> io::Result<Ended> {
        for step in steps {
            let values = match step.each {
                None => BTreeSet::from([String::new()]),
                Some(_) => leads.remove(&step.route).unwrap_or_default(),
            };
            let paths: Vec<String> = values.iter().map(|value| step.path(of, value)).collect();
            for path in &paths {
                lock(&self.progress).pend(path.clone());
            }
            for path in paths {
                let line = match held.remove(&path) {
                    Some(line) => {
                        let done = self.go_on(of, step, &path, &line, lines, leads).await;
                        if let Err(NoLine::Early) = done {
                            // What was there before stays, whatever it would have become.
                            held.insert(path.clone(), line);
                        }
                        done
                    }
                    None => self.ask(of, step, &path, lines, leads).await,
                };
                match line {
                    Ok(()) => lock(&self.progress).made(&path),
                    Err(NoLine::Early) => return Ok(Ended::Early),
                    Err(NoLine::Disk(error)) => return Err(error),
                }
            }
            // What a list led to before is not lost because the list is not answered now.
            if !held.is_empty() && self.is_unanswered(of, step) {
                let is_led = |path: &&String| Asked::parse(path).is_some_and(|asked| asked.route == step.route);
                let rest: Vec<String> = held.keys().filter(is_led).cloned().collect();
                rest.iter().filter_map(|path| held.remove(path)).try_for_each(|line| lines.copy(&line))?;
            }
        }
        Ok(Ended::Whole)
    }

    /// Whether the call that leads to this one brought no answer in this run.
    fn is_unanswered(&self, of: &Of, step: &Step) -> bool {
        let leading = step.each.and_then(|each| Step::of(step.reach).find(|leading| leading.route == each.of));
        leading.is_some_and(|leading| lock(&self.progress).unanswered.contains(&leading.path(of, "")))
    }

    /// Uses an answer that is there again, or asks anew. Where that brings no answer, both stay: what is known from before,
    /// with what it leads to, and that it may not be so any more.
    async fn go_on(
        &self,
        of: &Of,
        step: &'static Step,
        path: &str,
        line: &HeldLine,
        lines: &mut Lines,
        leads: &mut Leads,
    ) -> Result<(), NoLine> {
        match self.is_as_it_was(of, step, path, line, leads).await {
            Some(true) => {
                lines.copy(line)?;
                self.notice(step);
                Ok(())
            }
            Some(false) => {
                self.ask(of, step, path, lines, leads).await?;
                let unanswered = lock(&self.progress).unanswered.contains(path);
                if unanswered && self.follow(step, line, leads) {
                    lines.copy(line)?;
                    self.notice(step);
                }
                Ok(())
            }
            None => Err(NoLine::Early),
        }
    }

    /// Notes what an answer that is there leads to; false where it cannot be understood.
    fn follow(&self, step: &'static Step, line: &HeldLine, leads: &mut Leads) -> bool {
        let mut whole = Whole::new(step, &self.plan.fingerprinter);
        let response = line.response().unwrap_or_default();
        whole.page(response.as_bytes(), &mut io::sink(), leads).is_ok()
    }

    /// Whether an answer that is there may be used again; then with what it leads to. `None` = the collection ends.
    ///
    /// What an organisation's lists lead to decides what is asked, so these are asked for again, unless GitHub says that
    /// they are as they were, which costs nothing.
    async fn is_as_it_was(
        &self,
        of: &Of,
        step: &'static Step,
        path: &str,
        line: &HeldLine,
        leads: &mut Leads,
    ) -> Option<bool> {
        if step.is_leading() && line.answered {
            let tags = lock(&self.progress).tags(path);
            if step.reach == Reach::Organisation {
                if tags.is_empty() {
                    return Some(false);
                }
                for Tag { page, tag } in tags {
                    match self.client.get(self.asked_by(of), &page, Some(&tag)).await {
                        Ok(Reply::Unchanged) => {}
                        Ok(_) => return Some(false),
                        Err(no) => return if self.is_end(no) { None } else { Some(false) },
                    }
                }
            }
            return Some(self.follow(step, line, leads));
        }
        Some(true)
    }

    /// Notes what the capture holds.
    fn notice(&self, step: &Step) {
        if matches!(step.route, Route::Members | Route::Installations) {
            self.identities.store(true, Ordering::Relaxed);
        }
    }

    /// Makes a call until its answer is whole: all pages, each on disk before the next is asked for.
    async fn ask(
        &self,
        of: &Of,
        step: &'static Step,
        path: &str,
        lines: &mut Lines,
        leads: &mut Leads,
    ) -> Result<(), NoLine> {
        if !self.goes_on() {
            return Err(NoLine::Early);
        }
        let mark = lines.open(path)?;
        let mut whole = Whole::new(step, &self.plan.fingerprinter);
        let mut address = step.page(path, self.client.pace.page);
        let mut tags = Vec::new();
        let mut refused = None;
        for _ in 0..self.client.pace.pages {
            match self.client.get(self.asked_by(of), &address, None).await {
                Ok(Reply::Answer(Got { page, next, tag, .. })) => {
                    match whole.page(&page.bytes, lines.sink(), leads) {
                        Ok(()) => {}
                        Err(NoPage::Malformed) => {
                            refused = Some(not_understood());
                            break;
                        }
                        Err(NoPage::Disk(error)) => return Err(error.into()),
                    }
                    drop(page);
                    tags.extend(tag.map(|tag| Tag { page: address.clone(), tag }));
                    match next.filter(|_| step.pages != Pages::First) {
                        Some(next) if next == address => break,
                        Some(next) => address = next,
                        None => {
                            whole.finish(lines.sink())?;
                            lines.close()?;
                            self.notice(step);
                            if step.is_leading() && step.reach == Reach::Organisation {
                                lock(&self.progress).set_tags(path, tags);
                            }
                            return Ok(());
                        }
                    }
                }
                Ok(Reply::Empty) => {
                    lines.take_back(mark)?;
                    lines.open(path)?;
                    lines.sink().write_all(b"null")?;
                    lines.close()?;
                    return Ok(());
                }
                Ok(Reply::Unchanged) => {
                    refused = Some(not_understood());
                    break;
                }
                Ok(Reply::Refused(no)) => {
                    refused = Some(no);
                    break;
                }
                Err(no) => {
                    lines.take_back(mark)?;
                    let trouble = match no {
                        NoAnswer::Refused(ref trouble) if !self.is_end(no.clone()) => trouble.clone(),
                        _ => return Err(NoLine::Early),
                    };
                    if trouble.refusal.why == Why::Refused {
                        // It is no call that is refused, but the token to make it with.
                        self.uninstalled(of, &trouble);
                        if step.route != Route::Organisation {
                            return Err(NoLine::Early);
                        }
                    } else {
                        self.unanswered(step, path);
                        self.failed(of, step, &trouble.refusal, trouble.detail);
                    }
                    lines.refused(path, trouble.refusal, None)?;
                    return Ok(());
                }
            }
        }
        lines.take_back(mark)?;
        // Half a list must not look like a whole one.
        let Refused { refusal, accepted } = refused
            .unwrap_or_else(|| Refused { refusal: Refusal::new("EndlessPages", Why::Malformed), accepted: None });
        if step.route == Route::Organisation && refusal.code.starts_with("404") {
            lock(&self.progress).hidden.insert(of.place());
            self.ledger.failed(Failed {
                place: of.place(),
                call: None,
                code: refusal.code.clone(),
                detail: Some("there is no such organisation, or the credentials may not see it".to_owned()),
                facts: "everything".to_owned(),
            });
        } else if !is_answer(step.route, &refusal) {
            let plan = step.plan.filter(|_| refusal.code.starts_with("404")).map(|plan| format!("{plan} only"));
            let needs = accepted.as_ref().map(|accepted| format!("needs {accepted}"));
            self.unanswered(step, path);
            self.failed(of, step, &refusal, plan.or(needs));
        }
        lines.refused(path, refusal, accepted)?;
        Ok(())
    }

    /// Notes that a call that leads to others brought no answer.
    fn unanswered(&self, step: &Step, path: &str) {
        if step.is_leading() {
            lock(&self.progress).unanswered.insert(path.to_owned());
        }
    }

    /// Notes that an organisation gives the app no token, once: nothing can be asked about it.
    fn uninstalled(&self, of: &Of, trouble: &Trouble) {
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
    fn is_end(&self, no: NoAnswer) -> bool {
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

    fn failed(&self, of: &Of, step: &Step, refusal: &Refusal, detail: Option<String>) {
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
    fn save_sometimes(&self) {
        if lock(&self.progress).written.is_none_or(|written| written.elapsed() > FLUSH) {
            self.save(None);
        }
    }
}

/// An answer that is none to the question.
fn not_understood() -> Refused {
    Refused { refusal: Refusal::new("NotUnderstood", Why::Malformed), accepted: None }
}
