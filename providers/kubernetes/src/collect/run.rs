//! A whole collection: which clusters, which lists in each, and what came of them.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use evenhand_collect::{Folder, Held, Ledger, NoAnswer, NoCapture, Page, Stop, Stopped, Trouble, lock};
use evenhand_model::capture::Extent;
use evenhand_model::refusal::{Refusal, Why};
use evenhand_model::secret::Fingerprinter;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::client::{Client, Pace, Reply};
use super::contexts::Target;
use super::discovery::{self, Serves, Told};
use super::folder::{self, List};
use super::item::{Item, JSON};
use super::kinds::{self, Ask, EVERY, Kind, Said};
use super::page::{self, NoPage};
use super::{CollectError, Collected, Failed, Options};
use crate::server::manifest::{Call, Made, Manifest, Planned};

/// Clusters under way at one time.
const CLUSTERS: usize = 4;
/// Lists of one cluster under way at one time.
const LISTS: usize = 4;
/// Beginnings of one list: it is begun anew where it has changed too much since its first page.
const BEGINNINGS: u32 = 2;

/// How far the collection of a cluster is.
#[derive(Debug, Default)]
struct State {
    made: BTreeMap<String, Made>,
    pending: BTreeMap<String, Call>,
    unreachable: Option<Refusal>,
}

/// A cluster that is collected.
pub(super) struct Cluster {
    pub(super) name: String,
    pub(super) client: Client,
    folder: Folder,
    pub(super) plan: Planned,
    notes: Vec<String>,
    state: Mutex<State>,
}

/// A collection under way.
pub(crate) struct Run {
    folder: PathBuf,
    resume: bool,
    pub(super) clusters: Vec<Arc<Cluster>>,
    pub(super) notes: Vec<String>,
    fingerprinter: Fingerprinter,
    pub(super) stop: Stop,
    held: Arc<Held>,
    ledger: Ledger,
}

/// Why a list was not written.
enum NoList {
    NoAnswer(NoAnswer),
    Disk(std::io::Error),
}

impl From<NoAnswer> for NoList {
    fn from(no: NoAnswer) -> Self {
        Self::NoAnswer(no)
    }
}

impl From<NoPage> for NoList {
    fn from(no: NoPage) -> Self {
        match no {
            NoPage::Malformed => Self::NoAnswer(not_understood().into()),
            NoPage::Disk(error) => Self::Disk(error),
        }
    }
}

impl From<std::io::Error> for NoList {
    fn from(error: std::io::Error) -> Self {
        Self::Disk(error)
    }
}

impl Run {
    /// A run over these clusters, unless the capture is of others.
    pub(crate) fn new(
        options: &Options,
        targets: Vec<Target>,
        left_out: Vec<String>,
        before: Vec<(String, Manifest)>,
        stop: Stop,
        pace: Pace,
    ) -> Result<Self, CollectError> {
        let (slots, held) = (Arc::new(Semaphore::new(pace.at_once)), Arc::new(Held::default()));
        let mut before: BTreeMap<String, Manifest> = before.into_iter().collect();
        let mut clusters = Vec::new();
        let mut notes = left_out;
        for target in targets {
            let before = before.remove(&target.name);
            let (server, name) = (target.server(), target.name.clone());
            if let Some(before) = before.as_ref().filter(|before| {
                let known = !before.plan.server.is_empty() && !server.is_empty();
                known && before.plan.server != server
            }) {
                return Err(CollectError::OtherCluster {
                    cluster: name,
                    before: before.plan.server.clone(),
                    now: server,
                });
            }
            let asked_before = before.as_ref().is_some_and(|before| before.plan.secrets);
            let plan = Planned { context: target.context.clone(), server, secrets: options.secrets || asked_before };
            let mut state = State::default();
            for made in before.into_iter().flat_map(|before| before.calls) {
                state.made.insert(made.call.call.clone(), made);
            }
            notes.extend(target.notes.iter().cloned());
            clusters.push(Arc::new(Cluster {
                folder: folder::of_cluster(&options.terms.folder, &name),
                notes: target.notes.clone(),
                client: Client::new(target, stop.clone(), pace, Arc::clone(&slots), Arc::clone(&held)),
                name,
                plan,
                state: Mutex::new(state),
            }));
        }
        clusters.sort_by(|one, other| one.name.cmp(&other.name));
        let fingerprinter = options.terms.fingerprinter.clone();
        let (folder, resume) = (options.terms.folder.clone(), options.terms.resume);
        Ok(Self { folder, resume, clusters, notes, fingerprinter, stop, held, ledger: Ledger::default() })
    }

    /// Collects everything.
    pub(crate) async fn collect(self: Arc<Self>) -> Result<Collected, CollectError> {
        if !self.resume && folder::of_capture(&self.folder).is_used() {
            return Err(NoCapture::Used(self.folder.display().to_string()).into());
        }
        for cluster in &self.clusters {
            cluster.folder.clean(0);
            cluster.announce();
            self.save(cluster, None);
        }
        let slots = Arc::new(Semaphore::new(CLUSTERS));
        let mut tasks = JoinSet::new();
        for cluster in &self.clusters {
            let (run, cluster, slots) = (Arc::clone(&self), Arc::clone(cluster), Arc::clone(&slots));
            tasks.spawn(async move {
                let _slot = slots.acquire().await;
                run.cluster(&cluster).await;
            });
        }
        while tasks.join_next().await.is_some() {}
        let whole = self.clusters.iter().all(|cluster| cluster.is_whole());
        let stopped = self.stop.now().filter(|_| !whole);
        for cluster in &self.clusters {
            self.save(cluster, Some(stopped.filter(|_| !cluster.is_whole())));
        }
        let failed = self.ledger.close()?;
        let mut collected = Collected {
            clusters: self.clusters.iter().map(|cluster| cluster.name.clone()).collect(),
            objects: 0,
            documents: 0,
            identities: false,
            failed,
            notes: self.notes.clone(),
            stopped,
            most_held: self.held.most(),
        };
        for cluster in &self.clusters {
            for made in lock(&cluster.state).made.values() {
                collected.objects += made.objects;
                collected.documents += usize::from(made.document.is_some());
                collected.identities |= made.call.kind == "ServiceAccount" && made.objects > 0;
            }
        }
        Ok(collected)
    }

    /// One cluster, until everything was asked or nothing more can be.
    async fn cluster(self: &Arc<Self>, cluster: &Arc<Cluster>) {
        if !self.say(cluster, &kinds::VERSION).await {
            return;
        }
        let serves = self.discover(cluster).await;
        if !self.goes_on(cluster) {
            return;
        }
        let items = self.plan(cluster, &serves);
        let slots = Arc::new(Semaphore::new(LISTS));
        let mut tasks = JoinSet::new();
        for item in items {
            let (run, cluster, slots) = (Arc::clone(self), Arc::clone(cluster), Arc::clone(&slots));
            tasks.spawn(async move {
                let _slot = slots.acquire().await;
                if run.goes_on(&cluster) {
                    run.item(&cluster, &item).await;
                }
            });
        }
        while tasks.join_next().await.is_some() {}
    }

    fn goes_on(&self, cluster: &Cluster) -> bool {
        self.stop.now().is_none() && !self.ledger.is_broken() && lock(&cluster.state).unreachable.is_none()
    }

    /// Turns the table into lists, as far as the server has them and they were not read before. What it does not have is
    /// known to be absent.
    fn plan(&self, cluster: &Cluster, serves: &Serves) -> Vec<Item> {
        let mut items = Vec::new();
        for kind in kinds::kinds(cluster.plan.secrets) {
            match serves.of(kind) {
                Some(all) => {
                    if all.is_empty() || kind.resource == EVERY {
                        cluster.done(Made { call: kind.call(), ..Made::default() });
                    }
                    items.extend(all.into_iter().map(|(resource, version)| Item { kind, resource, version }));
                }
                // Not even the names of its resources are known; that the server did not tell them is a failure of its own.
                None => {
                    let refusal = Refusal::new("NotTold", Why::Failed);
                    self.refused(cluster, kind.call(), refusal.into());
                }
            }
        }
        items.retain(|item| {
            let call = item.call();
            let held = cluster.holds(&call.call).is_some();
            if held {
                lock(&cluster.state).pending.remove(&call.call);
            } else {
                cluster.pend(call);
            }
            !held
        });
        self.save(cluster, None);
        items
    }

    /// What a server says of itself, kept as it is. False when nothing more can be asked.
    async fn say(&self, cluster: &Cluster, said: &Said) -> bool {
        let reply = cluster.client.get(said.path, JSON).await;
        let done = match reply {
            Ok(Reply::Answer(page)) if is_version(&page.bytes) => Ok(page),
            Ok(_) => Err(not_understood().into()),
            Err(NoAnswer::Refused(trouble)) => Err(trouble),
            Err(NoAnswer::Stopped) => return false,
        };
        match done {
            Ok(page) => self.keep(cluster, said.call(), said.document, &page),
            // Everybody may ask for this. Who gets no answer here gets none anywhere.
            Err(trouble) if trouble.refusal.why != Why::Refused => return self.give_up(cluster, trouble),
            Err(trouble) => self.refused(cluster, said.call(), trouble),
        }
        true
    }

    /// Which resources the server has.
    async fn discover(&self, cluster: &Cluster) -> Serves {
        let mut serves = Serves::default();
        for (said, core) in [(&kinds::CORE, true), (&kinds::GROUPS, false)] {
            if !self.goes_on(cluster) {
                break;
            }
            let held = cluster.holds(&said.call().call).and_then(|document| cluster.folder.read(&document));
            if held.is_some_and(|held| serves.take(core, &held) == Told::All) {
                continue;
            }
            let page = match cluster.client.get(said.path, discovery::ACCEPT).await {
                Ok(Reply::Answer(page)) => page,
                Ok(_) => {
                    self.refused(cluster, said.call(), not_understood().into());
                    continue;
                }
                Err(no) => {
                    self.no_answer(cluster, said.call(), no);
                    continue;
                }
            };
            match serves.take(core, &page.bytes) {
                Told::All => self.keep(cluster, said.call(), said.document, &page),
                Told::Stale(groups) => self.keep_stale(cluster, said, &page, &groups),
                Told::Paths(paths) => {
                    // Whatever comes between, what was not asked is known to be missing.
                    for call in paths.iter().map(|path| path_call(path, said.facts)) {
                        if cluster.holds(&call.call).is_none() {
                            cluster.pend(call);
                        }
                    }
                    cluster.done(Made { call: said.call(), ..Made::default() });
                    let mut whole = true;
                    for path in paths {
                        whole &= self.discover_one(cluster, &path, said.facts, &mut serves).await;
                    }
                    if whole {
                        serves.told_all(core);
                    }
                }
                Told::Nothing => self.refused(cluster, said.call(), not_understood().into()),
            }
        }
        serves
    }

    /// The resources of one group and version, for servers that do not tell all at once.
    async fn discover_one(&self, cluster: &Cluster, path: &str, facts: &str, serves: &mut Serves) -> bool {
        if !self.goes_on(cluster) {
            return false;
        }
        let call = path_call(path, facts);
        let held = cluster.holds(&call.call).and_then(|document| cluster.folder.read(&document));
        if held.is_some_and(|held| serves.take_list(&held)) {
            return true;
        }
        match cluster.client.get(path, JSON).await {
            Ok(Reply::Answer(page)) if serves.take_list(&page.bytes) => {
                let document = format!("discovery-{}", path.trim_start_matches('/').replace('/', "."));
                self.keep(cluster, call, &document, &page);
                true
            }
            Ok(_) => {
                self.refused(cluster, call, not_understood().into());
                false
            }
            Err(no) => {
                self.no_answer(cluster, call, no);
                false
            }
        }
    }

    /// A list or an object.
    async fn item(&self, cluster: &Cluster, item: &Item) {
        let call = item.call();
        let written = match item.kind.ask {
            Ask::Object { .. } => self.object(cluster, item).await,
            Ask::Objects | Ask::Metadata { .. } => self.list(cluster, item).await,
        };
        match written {
            Ok(Some(objects)) => {
                cluster.done(Made { call, document: Some(item.document()), objects, refused: None });
            }
            // Known to be absent.
            Ok(None) => {
                self.written(|| cluster.folder.remove(&item.document()));
                cluster.done(Made { call, ..Made::default() });
            }
            Err(NoList::NoAnswer(no)) => {
                self.no_answer(cluster, call, no);
                self.written(|| cluster.folder.remove(&item.document()));
            }
            Err(NoList::Disk(error)) => {
                self.written(|| Err(error));
            }
        }
        self.save(cluster, None);
    }

    async fn object(&self, cluster: &Cluster, item: &Item) -> Result<Option<u64>, NoList> {
        match cluster.client.get(&item.path(), item.accept()).await? {
            Reply::Absent => Ok(None),
            Reply::Gone(_) => Err(NoPage::Malformed.into()),
            Reply::Answer(page) => {
                let mut list = folder::begin(&cluster.folder, &item.document())?;
                page::write_one(&page.bytes, item.kind, &mut list, &self.fingerprinter)?;
                list.finish()?;
                Ok(Some(1))
            }
        }
    }

    /// All pages of a list, each on disk before the next is asked for. `None` where the server has no such list.
    async fn list(&self, cluster: &Cluster, item: &Item) -> Result<Option<u64>, NoList> {
        let client = &cluster.client;
        let mut list = folder::begin(&cluster.folder, &item.document())?;
        let mut next: Option<String> = None;
        let mut beginnings = 1;
        for _ in 0..client.pace.pages {
            let address = item.page(client.pace.page, next.as_deref());
            match client.get(&address, item.accept()).await? {
                Reply::Answer(page) => {
                    let before = next.take();
                    next = self.page(&page, item, &mut list)?;
                    if next.is_none() {
                        let objects = list.objects();
                        list.finish()?;
                        return Ok(Some(objects));
                    }
                    if next == before {
                        break;
                    }
                }
                Reply::Absent if list.objects() == 0 && item.kind.may_be_absent() => return Ok(None),
                Reply::Gone(on) if next.is_some() => {
                    if beginnings < BEGINNINGS {
                        beginnings += 1;
                        list = folder::begin(&cluster.folder, &item.document())?;
                        next = None;
                    } else {
                        // A list that is longer than the server's memory of the past: its rest as it is now. Each object
                        // is whole all the same, and none comes twice.
                        let other = on.filter(|on| next.as_ref() != Some(on));
                        next = Some(other.ok_or_else(|| NoAnswer::from(Refusal::new("Expired", Why::Failed)))?);
                    }
                }
                Reply::Absent => return Err(NoAnswer::from(not_found()).into()),
                Reply::Gone(_) => return Err(NoPage::Malformed.into()),
            }
        }
        // Half a list must not look like a whole one.
        Err(NoAnswer::from(Refusal::new("EndlessPages", Why::Malformed)).into())
    }

    fn page(&self, page: &Page, item: &Item, list: &mut List) -> Result<Option<String>, NoPage> {
        page::write(&page.bytes, item.kind, list, &self.fingerprinter)
    }

    /// Keeps an answer as it is.
    fn keep(&self, cluster: &Cluster, call: Call, document: &str, page: &Page) {
        let document = format!("{document}.json");
        if self.written(|| cluster.folder.put(&document, |sink| sink.write_all(&page.bytes))) {
            cluster.done(Made { call, document: Some(document), ..Made::default() });
            self.save(cluster, None);
        }
    }

    /// Keeps what a server said of its resources and does not know whole itself: what it said counts, and the rest is
    /// missing.
    fn keep_stale(&self, cluster: &Cluster, said: &Said, page: &Page, groups: &[String]) {
        let document = format!("{}.json", said.document);
        if self.written(|| cluster.folder.put(&document, |sink| sink.write_all(&page.bytes))) {
            let refusal = Refusal::new("Stale", Why::Failed);
            let detail = format!("the server could not ask for {}", groups.join(", "));
            self.made(
                cluster,
                Made { call: said.call(), document: Some(document), refused: Some(refusal), ..Made::default() },
                Some(detail),
            );
            self.save(cluster, None);
        }
    }

    fn no_answer(&self, cluster: &Cluster, call: Call, no: NoAnswer) {
        match no {
            NoAnswer::Stopped => {}
            // It will be the same for everything else.
            NoAnswer::Refused(trouble) if trouble.refusal.why == Why::Expired => {
                self.give_up(cluster, trouble);
            }
            NoAnswer::Refused(trouble) => self.refused(cluster, call, trouble),
        }
    }

    fn refused(&self, cluster: &Cluster, call: Call, trouble: Trouble) {
        self.made(cluster, Made { call, refused: Some(trouble.refusal), ..Made::default() }, trouble.detail);
    }

    /// Notes a call with its refusal, if it has one, and the cause of that.
    fn made(&self, cluster: &Cluster, made: Made, detail: Option<String>) {
        if let Some(refusal) = &made.refused {
            self.ledger.failed(Failed {
                place: cluster.name.clone(),
                call: Some(made.call.call.clone()),
                code: refusal.code.clone(),
                detail,
                facts: made.call.facts.clone(),
            });
        }
        cluster.done(made);
    }

    /// Leaves a cluster that cannot be asked, with everything pending that was not answered. Always false.
    fn give_up(&self, cluster: &Cluster, trouble: Trouble) -> bool {
        let first = lock(&cluster.state).unreachable.replace(trouble.refusal.clone()).is_none();
        if first {
            self.ledger.failed(Failed {
                place: cluster.name.clone(),
                call: None,
                code: trouble.refusal.code,
                detail: trouble.detail,
                facts: "everything that was not collected yet".to_owned(),
            });
        }
        false
    }

    /// Writes the manifest; `end` = that the collection is over, and why it ended early.
    fn save(&self, cluster: &Cluster, end: Option<Option<Stopped>>) {
        let manifest = cluster.manifest(end);
        self.written(|| cluster.folder.write_manifest(&manifest));
    }

    /// Writes something; false when it cannot be written, which ends the collection.
    fn written(&self, write: impl FnOnce() -> std::io::Result<()>) -> bool {
        self.ledger.written(write())
    }
}

/// What every server has and this one does not know.
pub(super) fn not_found() -> Refusal {
    Refusal::new("NotFound", Why::Unsupported)
}

/// An answer that is none of the API.
pub(super) fn not_understood() -> Refusal {
    Refusal::new("NotUnderstood", Why::Malformed)
}

/// The call for the resources of one group and version.
pub(super) fn path_call(path: &str, facts: &str) -> Call {
    Call { call: format!("get {path}"), kind: String::new(), facts: facts.to_owned() }
}

impl Cluster {
    /// Notes what is planned before anything is asked.
    fn announce(&self) {
        let said = [kinds::VERSION, kinds::CORE, kinds::GROUPS].map(|said| said.call());
        let lists = kinds::kinds(self.plan.secrets).map(Kind::call);
        for call in said.into_iter().chain(lists) {
            if self.holds(&call.call).is_none() {
                self.pend(call);
            }
        }
    }

    fn pend(&self, call: Call) {
        let mut state = lock(&self.state);
        state.made.remove(&call.call);
        state.pending.insert(call.call.clone(), call);
    }

    fn done(&self, made: Made) {
        let mut state = lock(&self.state);
        state.pending.remove(&made.call.call);
        state.made.insert(made.call.call.clone(), made);
    }

    /// The document of a call that was answered before. Refusals do not count, so that they are tried again, and what was
    /// absent may be there now.
    fn holds(&self, call: &str) -> Option<String> {
        let state = lock(&self.state);
        let made = state.made.get(call).filter(|made| made.refused.is_none())?;
        made.document.clone().filter(|document| self.folder.has(document))
    }

    fn is_whole(&self) -> bool {
        lock(&self.state).pending.is_empty()
    }

    fn manifest(&self, end: Option<Option<Stopped>>) -> Manifest {
        let state = lock(&self.state);
        Manifest {
            extent: Extent {
                evenhand_capture: Extent::VERSION,
                provider: crate::inventory::PROVIDER.0.to_owned(),
                complete: end == Some(None) && state.pending.is_empty(),
                stopped: end.flatten().map(|stopped| stopped.as_str().to_owned()),
            },
            unreachable: state.unreachable.clone(),
            plan: self.plan.clone(),
            notes: self.notes.clone(),
            calls: state.made.values().cloned().collect(),
            pending: state.pending.values().cloned().collect(),
        }
    }
}

/// Whether this is what servers say of their version.
pub(super) fn is_version(bytes: &[u8]) -> bool {
    let said: Option<serde_json::Value> = serde_json::from_slice(bytes).ok();
    said.is_some_and(|said| said.get("gitVersion").is_some_and(serde_json::Value::is_string))
}
