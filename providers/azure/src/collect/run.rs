//! A whole collection: what there is to ask about, which calls about each, and what came of them.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use evenhand_collect::{Folder, Ledger, NoAnswer, Stopped, Trouble, lock};
use evenhand_model::refusal::{Refusal, Why};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::client::{Client, Reply};
use super::cloud::Interface;
use super::document::{self, Lines};
use super::page::{Leads, Next, NoPage, Whole};
use super::progress::Progress;
use super::step::{About, Pages, Step, is_value};
use super::table::RESOURCES;
use super::{CollectError, Collected, Failed, NoCapture, Options, credentials};
use crate::documents::manifest::Manifest;
use crate::documents::route::Route;

/// The manifest is written no more often.
const FLUSH: Duration = Duration::from_secs(30);

/// What to collect.
pub(crate) struct Plan {
    pub(crate) folder: Folder,
    resume: bool,
    tenant: Option<String>,
    /// Only these; none = all that are seen.
    subscriptions: BTreeSet<String>,
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
        let mut subscriptions: BTreeSet<String> =
            options.subscriptions.iter().map(|id| id.to_ascii_lowercase()).collect();
        if subscriptions.is_empty() {
            subscriptions.extend(planned.into_iter().flat_map(|planned| planned.subscriptions.iter().cloned()));
        }
        let tenant = options.tenant.clone().or_else(|| planned.map(|planned| planned.tenant.clone()));
        let tenant = tenant.filter(|tenant| !tenant.is_empty()).map(|tenant| tenant.to_ascii_lowercase());
        for name in subscriptions.iter().chain(&tenant) {
            if !is_name(name) {
                return Err(CollectError::NotAnId(name.clone()));
            }
        }
        Ok(Self { folder, resume: options.terms.resume, tenant, subscriptions, before })
    }
}

/// Whether something can be the id of a tenant or subscription, and a name of a folder.
fn is_name(text: &str) -> bool {
    is_value(text) && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
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

/// A call with the path that it is made about, as captures have it.
#[derive(Clone, Debug)]
struct Question {
    step: &'static Step,
    path: String,
}

/// A collection under way.
pub(crate) struct Run {
    pub(super) client: Client,
    plan: Plan,
    pub(super) tenant: String,
    progress: Mutex<Progress>,
    ledger: Ledger,
    /// Kinds of calls that were told of as failed, with their codes: one of a kind is enough.
    told: Mutex<BTreeSet<(&'static str, String)>>,
    /// Nobody is let in any more, at these interfaces.
    over: Mutex<BTreeMap<Interface, Trouble>>,
    identities: AtomicBool,
}

impl Run {
    /// Signs in, and finds out whose tenant it is.
    pub(crate) async fn begin(client: Client, plan: Plan) -> Result<Self, CollectError> {
        let (mut named, mut failures) = (None, Vec::new());
        for interface in Interface::ALL {
            match client.token(interface).await {
                Ok(token) => named = named.or_else(|| credentials::tenant_in(&token)),
                Err(NoAnswer::Stopped) => return Err(NoCapture::Stopped.into()),
                Err(NoAnswer::Refused(trouble)) => failures.push((interface, trouble)),
            }
        }
        if let (Some((_, first)), 2) = (failures.first(), failures.len()) {
            return Err(unaccepted(first));
        }
        let named = named.map(|tenant| tenant.to_ascii_lowercase()).filter(|tenant| is_name(tenant));
        let tenant = match (plan.tenant.clone(), named) {
            (Some(said), Some(held)) if said != held => {
                return Err(CollectError::OtherTenant { before: said, now: held });
            }
            (_, Some(held)) => held,
            (Some(said), None) => said,
            (None, None) => return Err(CollectError::NoTenant),
        };
        let progress = Progress::new(&tenant, plan.before.as_ref(), &plan.subscriptions);
        let run = Self {
            client,
            plan,
            tenant,
            progress: Mutex::new(progress),
            ledger: Ledger::default(),
            told: Mutex::default(),
            over: Mutex::default(),
            identities: AtomicBool::new(false),
        };
        for (interface, trouble) in failures {
            run.is_end(interface, NoAnswer::Refused(trouble));
        }
        Ok(run)
    }

    /// Collects everything.
    pub(crate) async fn collect(self: Arc<Self>) -> Result<Collected, CollectError> {
        self.plan.folder.clean(2);
        for step in Step::of(About::Tenant).filter(|step| self.is_asked(step)) {
            self.pend(step, &step.path(&self.tenant));
        }
        self.save(None);
        let once: Vec<&'static Step> = Step::of(About::Tenant).filter(|step| self.is_asked(step)).collect();
        let units = once.into_iter().map(|step| {
            let question = Question { step, path: step.path(&self.tenant) };
            (document::of_step(&self.tenant, step), vec![question])
        });
        let mut leads = Arc::clone(&self).work(units.collect()).await;
        self.unaccepted()?;
        self.plan_scopes(&mut leads);
        for about in [About::ManagementGroup, About::Subscription] {
            lock(&self.progress).found(about, leads.get(&about).map_or(0, BTreeSet::len));
        }
        let units = self.units(&leads);
        self.save(None);
        let more = Arc::clone(&self).work(units).await;
        // What is known only after the subscriptions were asked.
        let units = self.units(&more);
        Arc::clone(&self).work(units).await;
        let stopped = self.client.stop.now().filter(|_| !lock(&self.progress).is_whole());
        self.save(Some(stopped));
        let failed = self.ledger.close()?;
        let progress = lock(&self.progress);
        Ok(Collected {
            tenant: self.tenant.clone(),
            subscriptions: progress.count(About::Subscription),
            management_groups: progress.count(About::ManagementGroup),
            answered: progress.answered,
            documents: progress.documents,
            identities: self.identities.load(Ordering::Relaxed),
            failed,
            stopped,
            most_held: self.client.held.most(),
        })
    }

    /// Whether a call is made at all: who names subscriptions does not ask which there are.
    pub(super) fn is_asked(&self, step: &Step) -> bool {
        !step.only_leads || self.plan.subscriptions.is_empty()
    }

    /// The scopes to ask about: the tenant's own management group always, and the subscriptions that are named.
    pub(super) fn plan_scopes(&self, leads: &mut Leads) {
        leads.entry(About::ManagementGroup).or_default().insert(self.tenant.clone());
        if !self.plan.subscriptions.is_empty() {
            leads.insert(About::Subscription, self.plan.subscriptions.clone());
        }
    }

    /// What is asked about what was found, by document.
    fn units(&self, leads: &Leads) -> Vec<(String, Vec<Question>)> {
        let mut units: BTreeMap<String, Vec<Question>> = BTreeMap::new();
        for (about, values) in leads {
            for value in values {
                let unit = units.entry(document::of_value(&self.tenant, *about, value)).or_default();
                for step in Step::of(*about) {
                    let path = step.path(value);
                    self.pend(step, &path);
                    unit.push(Question { step, path });
                }
            }
        }
        // Questions of a kind side by side fill batches.
        for unit in units.values_mut() {
            unit.sort_by_key(|question| question.step.path);
        }
        units.into_iter().filter(|(_, questions)| !questions.is_empty()).collect()
    }

    /// Makes documents, a few at one time; returns what their answers lead to.
    async fn work(self: Arc<Self>, units: Vec<(String, Vec<Question>)>) -> Leads {
        let all = units.len();
        let mut waiting = units.into_iter();
        let (mut tasks, mut leads, mut done) = (JoinSet::new(), Leads::new(), 0_usize);
        loop {
            while tasks.len() < self.client.pace.at_once && self.goes_on() {
                let Some((name, questions)) = waiting.next() else { break };
                let run = Arc::clone(&self);
                tasks.spawn(async move {
                    let mut leads = Leads::new();
                    run.document(&name, &questions, &mut leads).await;
                    leads
                });
            }
            let Some(found) = tasks.join_next().await else { return leads };
            for (about, values) in found.unwrap_or_default() {
                leads.entry(about).or_default().extend(values);
            }
            done += 1;
            (self.client.tell.0)(&format!("{done} of {all} parts"));
            self.save_sometimes();
        }
    }

    fn goes_on(&self) -> bool {
        self.client.stop.now().is_none() && !self.ledger.is_broken() && lock(&self.over).len() < Interface::ALL.len()
    }

    /// The answers to some questions as one document.
    async fn document(&self, name: &str, questions: &[Question], leads: &mut Leads) {
        let mut held = match self.plan.resume {
            true => document::read(&self.plan.folder, name, &self.tenant),
            false => BTreeMap::new(),
        };
        let written = match Lines::begin(&self.plan.folder, name, &self.tenant) {
            Ok(mut lines) => match self.lines(questions, leads, &mut held, &mut lines).await {
                Ok(()) => self.close(lines, name),
                // One that ended early holds what it held before, too.
                Err(NoLine::Early) => {
                    held.values().try_for_each(|line| lines.copy(line)).and_then(|()| self.close(lines, name))
                }
                Err(NoLine::Disk(error)) => Err(error),
            },
            Err(error) => Err(error),
        };
        self.ledger.written(written);
    }

    fn close(&self, lines: Lines, name: &str) -> io::Result<()> {
        let answered = lines.answered;
        if lines.finish()? {
            let mut progress = lock(&self.progress);
            progress.answered += answered;
            progress.documents += 1;
            Ok(())
        } else {
            // What an earlier collection was refused does not count any more.
            self.plan.folder.remove(name)
        }
    }

    async fn lines(
        &self,
        questions: &[Question],
        leads: &mut Leads,
        held: &mut BTreeMap<String, Box<str>>,
        lines: &mut Lines,
    ) -> Result<(), NoLine> {
        let mut open = Vec::new();
        for question in questions {
            let host = &self.client.host(question.step.interface).name;
            // What decides what else is asked is asked anew.
            let before = held.remove(&format!("{host}{}", question.path)).filter(|_| !question.step.is_leading());
            match before {
                Some(line) => {
                    lines.copy(&line)?;
                    self.made(question);
                }
                None => open.push(question),
            }
        }
        for group in open.chunk_by(|one, other| std::ptr::eq(one.step, other.step)) {
            let Some(first) = group.first() else { continue };
            if !first.step.is_batched() {
                for question in group {
                    self.answer(question, None, lines, leads).await?;
                }
                continue;
            }
            for batch in group.chunks(self.client.pace.batch.max(1)) {
                self.batch(batch, lines, leads).await?;
            }
        }
        Ok(())
    }

    /// Makes calls at once, and goes on one by one with what has more pages.
    async fn batch(&self, batch: &[&Question], lines: &mut Lines, leads: &mut Leads) -> Result<(), NoLine> {
        if !self.may_ask(Interface::Graph) {
            return Err(NoLine::Early);
        }
        let addresses: Vec<String> = batch.iter().map(|question| question.step.address(&question.path)).collect();
        match self.client.batch(&addresses).await {
            Ok(replies) => {
                for (question, reply) in batch.iter().zip(replies) {
                    self.answer(question, Some(reply.map_err(NoAnswer::Refused)), lines, leads).await?;
                }
                Ok(())
            }
            Err(NoAnswer::Stopped) => Err(NoLine::Early),
            Err(NoAnswer::Refused(trouble)) if trouble.refusal.why == Why::Expired => {
                self.is_end(Interface::Graph, NoAnswer::Refused(trouble));
                Err(NoLine::Early)
            }
            // Each by itself may still be answered, or says why not.
            Err(NoAnswer::Refused(_)) => {
                for question in batch {
                    self.answer(question, None, lines, leads).await?;
                }
                Ok(())
            }
        }
    }

    fn may_ask(&self, interface: Interface) -> bool {
        self.goes_on() && !lock(&self.over).contains_key(&interface)
    }

    /// Makes a call until its answer is whole: all pages, each on disk before the next is asked for. The first reply may be
    /// there already.
    async fn answer(
        &self,
        question: &Question,
        first: Option<Result<Reply, NoAnswer>>,
        lines: &mut Lines,
        leads: &mut Leads,
    ) -> Result<(), NoLine> {
        let Question { step, path } = question;
        if !self.goes_on() {
            return Err(NoLine::Early);
        }
        if !self.may_ask(step.interface) {
            // The interface lets nobody in: its calls stay pending, the other one's are made.
            return Ok(());
        }
        let host = self.client.host(step.interface).name.clone();
        let mark = lines.open(&host, path)?;
        let mut whole = Whole::new(step);
        let mut address = step.address(path);
        let mut body = (step.pages == Pages::Query).then(|| self.query(None));
        let mut reply = first;
        let mut refused = None;
        for _ in 0..self.client.pace.pages {
            let said = match reply.take() {
                Some(reply) => reply,
                None => self.client.ask(step.interface, &address, body.as_ref()).await,
            };
            match said {
                Ok(Reply::Answer(page)) => {
                    let next = match whole.page(&page.bytes, lines.sink(), leads) {
                        Ok(next) => next,
                        Err(NoPage::Malformed) => {
                            refused = Some(Refusal::new("NotUnderstood", Why::Malformed));
                            break;
                        }
                        Err(NoPage::Disk(error)) => return Err(error.into()),
                    };
                    drop(page);
                    match next {
                        None => {
                            whole.finish(lines.sink())?;
                            self.end_line(question, mark, lines)?;
                            return self.note_odd(&whole, lines);
                        }
                        Some(Next::Token(token)) => body = Some(self.query(Some(&token))),
                        Some(Next::Link(link)) => match self.client.host(step.interface).path_of(&link) {
                            // One that leads to itself has no end.
                            Some(next) if next != address => address = next,
                            Some(_) => break,
                            // What another host says is no part of the list.
                            None => {
                                refused = Some(Refusal::new("ForeignLink", Why::Malformed));
                                break;
                            }
                        },
                    }
                }
                Ok(Reply::Empty) => {
                    lines.take_back(mark)?;
                    lines.open(&host, path)?;
                    lines.sink().write_all(b"null")?;
                    self.end_line(question, mark, lines)?;
                    return Ok(());
                }
                Ok(Reply::Refused(no)) => {
                    refused = Some(no);
                    break;
                }
                Err(NoAnswer::Stopped) => {
                    lines.take_back(mark)?;
                    return Err(NoLine::Early);
                }
                Err(NoAnswer::Refused(trouble)) => {
                    if self.is_end(step.interface, NoAnswer::Refused(trouble.clone())) {
                        lines.take_back(mark)?;
                        return Ok(());
                    }
                    self.failed(step, &trouble.refusal, trouble.detail);
                    refused = Some(trouble.refusal);
                    break;
                }
            }
        }
        lines.take_back(mark)?;
        // Half a list must not look like a whole one.
        let refusal = refused.unwrap_or_else(|| Refusal::new("EndlessPages", Why::Malformed));
        let needs = step.permission();
        self.failed(step, &refusal, Some(format!("needs {needs}")).filter(|_| refusal.why == Why::Refused));
        lines.refused(&host, path, refusal, Some(needs.to_owned()))?;
        self.made(question);
        Ok(())
    }

    /// Says what of an answer nothing was asked about.
    fn note_odd(&self, whole: &Whole, lines: &mut Lines) -> Result<(), NoLine> {
        for (about, value) in whole.odd() {
            for step in Step::of(*about) {
                let refusal = Refusal::new("NotAnId", Why::Malformed);
                let shown: String = value.chars().filter(|c| !c.is_control()).take(200).collect();
                self.failed(step, &refusal, Some(format!("`{shown}` is no id that can be asked about")));
                let host = &self.client.host(step.interface).name;
                lines.refused(host, &step.path_of_odd(value), refusal, Some(step.permission().to_owned()))?;
            }
        }
        Ok(())
    }

    /// Ends the line of an answer. One that only says what there is to ask about is no part of the capture.
    fn end_line(&self, question: &Question, mark: u64, lines: &mut Lines) -> io::Result<()> {
        if question.step.only_leads {
            lines.take_back(mark)?;
        } else {
            lines.close()?;
        }
        if matches!(question.step.route, Route::ServicePrincipals | Route::Users) {
            self.identities.store(true, Ordering::Relaxed);
        }
        self.made(question);
        Ok(())
    }

    /// What Resource Graph is asked.
    pub(super) fn query(&self, token: Option<&str>) -> Value {
        let mut options = json!({"resultFormat": "objectArray", "$top": 1000});
        if let (Some(token), Some(options)) = (token, options.as_object_mut()) {
            options.insert("$skipToken".to_owned(), token.into());
        }
        let mut query = json!({"query": RESOURCES, "options": options});
        if let (false, Some(query)) = (self.plan.subscriptions.is_empty(), query.as_object_mut()) {
            query.insert("subscriptions".to_owned(), self.plan.subscriptions.iter().cloned().collect());
        }
        query
    }

    fn pend(&self, step: &Step, path: &str) {
        lock(&self.progress).pend(format!("{}{path}", self.client.host(step.interface).name));
    }

    fn made(&self, question: &Question) {
        let host = &self.client.host(question.step.interface).name;
        lock(&self.progress).made(&format!("{host}{}", question.path));
    }

    /// Whether a failure ends the questions to an interface, which it does where nobody is let in any more.
    fn is_end(&self, interface: Interface, no: NoAnswer) -> bool {
        let NoAnswer::Refused(trouble) = no else { return true };
        if trouble.refusal.why != Why::Expired {
            return false;
        }
        if lock(&self.over).insert(interface, trouble.clone()).is_none() {
            self.ledger.failed(Failed {
                place: self.client.host(interface).name.clone(),
                call: None,
                code: trouble.refusal.code,
                detail: trouble.detail,
                facts: "everything that it was not asked yet".to_owned(),
            });
        }
        true
    }

    /// Credentials that nobody accepts, before anything was answered, are no gap but an error.
    fn unaccepted(&self) -> Result<(), CollectError> {
        let over = lock(&self.over);
        match over.values().next() {
            Some(trouble) if over.len() == Interface::ALL.len() && lock(&self.progress).answered == 0 => {
                Err(unaccepted(trouble))
            }
            _ => Ok(()),
        }
    }

    fn failed(&self, step: &'static Step, refusal: &Refusal, detail: Option<String>) {
        if lock(&self.told).insert((step.path, refusal.code.clone())) {
            self.ledger.failed(Failed {
                place: self.tenant.clone(),
                call: Some(step.said()),
                code: refusal.code.clone(),
                detail,
                facts: step.route.call().lost.words.to_string(),
            });
        }
    }

    /// Writes the manifest; `end` = that the collection is over, and why it ended early.
    fn save(&self, end: Option<Option<Stopped>>) {
        let manifest = {
            let mut progress = lock(&self.progress);
            progress.written = Some(Instant::now());
            progress.manifest(end)
        };
        self.ledger.written(self.plan.folder.write_manifest(&manifest));
    }

    /// The same, unless it was done a short time ago.
    fn save_sometimes(&self) {
        if lock(&self.progress).written.is_none_or(|written| written.elapsed() > FLUSH) {
            self.save(None);
        }
    }
}

/// What a failure to sign in means, before anything was asked.
pub(super) fn unaccepted(trouble: &Trouble) -> CollectError {
    let code = &trouble.refusal.code;
    CollectError::NotAccepted(match &trouble.detail {
        Some(detail) => format!("{code}: {detail}"),
        None => code.clone(),
    })
}
