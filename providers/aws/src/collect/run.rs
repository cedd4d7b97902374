//! A whole collection: which accounts and regions, which calls in each, and what came of them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use evenhand_model::secret::Fingerprinter;
use serde_json::Value;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::client::{Client, NoAnswer, Place, Refusal};
use super::folder::{Answers, Folder, Outcome, Slot};
use super::session::{Held, Partition};
use super::table::{self, Call, Reach};
use super::wire::Parameters;
use super::{CollectError, Collected, Failed, expand, withhold};
use crate::documents::manifest::{Made, Manifest, Pending};
use crate::documents::refusal::is_answer;
use crate::inventory::arn::Arn;

/// Accounts under way at one time.
const ACCOUNTS: usize = 4;
/// Regions of one account under way at one time.
const REGIONS: usize = 4;
/// A document that takes longer than this is written with what there is, and again when it is whole.
const FLUSH: Duration = Duration::from_secs(30);

/// What to collect.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    /// Where to; `None` = nowhere: the calls are only tried.
    pub(crate) folder: Option<Folder>,
    pub(crate) resume: bool,
    /// None = all that are on.
    pub(crate) regions: Vec<String>,
    /// The role to assume in other accounts.
    pub(crate) role: Option<String>,
    pub(crate) all_accounts: bool,
    pub(crate) fingerprinter: Fingerprinter,
}

/// A collection under way.
pub(crate) struct Run {
    client: Client,
    plan: Plan,
    manifest: Mutex<Manifest>,
    failed: Mutex<Vec<Failed>>,
    /// What was tried, for [`super::doctor`].
    tried: Mutex<Vec<(&'static Call, usize, Option<Refusal>)>>,
    /// The first document that could not be written.
    broken: Mutex<Option<CollectError>>,
    /// Accounts of the organisation that are active.
    accounts: Mutex<BTreeSet<String>>,
}

fn lock<T>(held: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    held.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// A set of calls in one place.
#[derive(Clone)]
struct Scope {
    place: Place,
    reach: Reach,
}

impl Scope {
    fn calls(&self) -> impl Iterator<Item = &'static Call> + use<> {
        let reach = self.reach;
        table::calls().filter(move |call| call.reach == reach)
    }

    fn slot(&self, call: &'static Call) -> Slot {
        let region = matches!(self.reach, Reach::Region | Reach::Center).then(|| self.place.region.to_string());
        Slot { call, account: self.place.account.to_string(), region }
    }
}

impl Run {
    pub(crate) fn new(client: Client, plan: Plan) -> Self {
        let manifest = Manifest { evenhand_capture: 1, provider: "aws".to_owned(), ..Manifest::default() };
        Self {
            client,
            plan,
            manifest: Mutex::new(manifest),
            failed: Mutex::default(),
            tried: Mutex::default(),
            broken: Mutex::default(),
            accounts: Mutex::default(),
        }
    }

    /// Collects everything.
    pub(crate) async fn collect(self: Arc<Self>) -> Result<Collected, CollectError> {
        let home = self.own_place().await?;
        let mut accounts: BTreeSet<String> = BTreeSet::from([home.account.to_string()]);
        let organisation = Scope { place: home.clone(), reach: Reach::Organisation };
        self.announce(&organisation);
        self.announce(&Scope { place: home.clone(), reach: Reach::Account });
        self.write_manifest(None);
        Arc::clone(&self).scope(organisation).await;
        if self.plan.all_accounts {
            let listed = lock(&self.accounts).clone();
            if listed.is_empty() && self.client.stop().now().is_none() {
                return Err(CollectError::NoAccounts);
            }
            accounts.extend(listed);
        }
        let slots = Arc::new(Semaphore::new(ACCOUNTS));
        let mut tasks = JoinSet::new();
        for account in &accounts {
            let own = **account == *home.account;
            let place = if own { home.clone() } else { self.other_place(&home, account) };
            if !own {
                self.announce(&Scope { place: place.clone(), reach: Reach::Account });
            }
            let (run, slots) = (Arc::clone(&self), Arc::clone(&slots));
            tasks.spawn(async move {
                let _slot = slots.acquire().await;
                run.account(place, own).await;
            });
        }
        while tasks.join_next().await.is_some() {}
        let stopped = self.client.stop().now().filter(|_| !lock(&self.manifest).pending.is_empty());
        self.write_manifest(Some(stopped));
        if let Some(error) = lock(&self.broken).take() {
            return Err(error);
        }
        let manifest = lock(&self.manifest);
        let mut failed = std::mem::take(&mut *lock(&self.failed));
        failed.sort();
        Ok(Collected {
            accounts: accounts.into_iter().collect(),
            answered: manifest.calls.iter().map(|made| made.answered).sum(),
            documents: manifest.calls.iter().filter(|made| made.document.is_some()).count(),
            identities: manifest
                .calls
                .iter()
                .any(|made| made.call == crate::documents::form::Form::Authorization.call() && made.answered > 0),
            failed,
            stopped,
        })
    }

    /// Tries every call once, in one region, for the first thing that it can be asked about.
    pub(crate) async fn try_all(self: Arc<Self>) -> Result<Vec<(&'static Call, usize, Option<Refusal>)>, CollectError> {
        let home = self.own_place().await?;
        let region =
            self.plan.regions.first().map_or_else(|| Arc::clone(&home.region), |region| Arc::from(region.as_str()));
        let place = Place { region, ..home };
        let regions = self.client.ask(table::regions(), &place, &Parameters::new()).await;
        let refusal = match regions {
            Err(NoAnswer::Refused(refusal)) => Some(refusal),
            _ => None,
        };
        lock(&self.tried).push((table::regions(), 1, refusal));
        for reach in [Reach::Account, Reach::Organisation, Reach::Center, Reach::Region] {
            Arc::clone(&self).scope(Scope { place: place.clone(), reach }).await;
        }
        // What was not tried must not look like what may be done.
        if self.client.stop().now().is_some() {
            return Err(CollectError::Stopped);
        }
        Ok(std::mem::take(&mut *lock(&self.tried)))
    }

    /// Who asks.
    async fn own_place(&self) -> Result<Place, CollectError> {
        let region = self.plan.regions.first().map(String::as_str).or(self.client.session.region());
        let place = Place {
            account: Arc::from(""),
            region: Arc::from(region.unwrap_or("us-east-1")),
            credentials: Arc::clone(&self.client.session.credentials),
            role: None,
        };
        place.credentials.get().await?;
        let answer = self.client.ask(table::caller(), &place, &Parameters::new()).await;
        let answer = answer.map_err(|refused| match refused {
            NoAnswer::Refused(refusal) => CollectError::NotAccepted(refusal.code),
            NoAnswer::Stopped => CollectError::Stopped,
        })?;
        let account = answer.get("Account").and_then(Value::as_str).unwrap_or_default();
        if !crate::inventory::arn::is_account(account) {
            return Err(CollectError::NotAccepted("NotUnderstood".to_owned()));
        }
        // Without a region of its own the caller's partition says where to look.
        let partition =
            answer.get("Arn").and_then(Value::as_str).and_then(Arn::parse).map(|arn| arn.partition.to_owned());
        if partition.is_some_and(|partition| partition != Partition::of(&place.region).name) {
            return Err(CollectError::NoRegion);
        }
        Ok(Place { account: Arc::from(account), ..place })
    }

    fn other_place(&self, home: &Place, account: &str) -> Place {
        let partition = Partition::of(&home.region).name;
        let role = self.plan.role.as_ref().map(|role| Arc::from(format!("arn:{partition}:iam::{account}:role/{role}")));
        Place {
            account: Arc::from(account),
            region: Arc::clone(&home.region),
            credentials: Arc::new(Held::of_role()),
            role,
        }
    }

    async fn account(self: Arc<Self>, place: Place, own: bool) {
        let account = Scope { place: place.clone(), reach: Reach::Account };
        if let Some(role) = place.role.clone() {
            match self.client.assume(&place, &role).await {
                Ok(credentials) => place.credentials.put(credentials).await,
                Err(NoAnswer::Stopped) => return,
                Err(NoAnswer::Refused(refusal)) => {
                    // Nothing of this account can be asked; one gap says so.
                    self.forget(&account);
                    let parameters = Parameters::from([("RoleArn".to_owned(), role.to_string())]);
                    self.write(&account.slot(table::assume()), &Answers::from([(parameters, Err(refusal))]));
                    return;
                }
            }
        }
        let regions = self.regions(&account).await;
        let mut scopes = Vec::new();
        for region in regions {
            let place = Place { region: Arc::from(region), ..place.clone() };
            scopes.push(Scope { place: place.clone(), reach: Reach::Region });
            if own {
                scopes.push(Scope { place, reach: Reach::Center });
            }
        }
        scopes.iter().for_each(|scope| self.announce(scope));
        self.write_manifest(None);
        Arc::clone(&self).scope(account).await;
        let slots = Arc::new(Semaphore::new(REGIONS));
        let mut tasks = JoinSet::new();
        for scope in scopes {
            let (run, slots) = (Arc::clone(&self), Arc::clone(&slots));
            tasks.spawn(async move {
                let _slot = slots.acquire().await;
                run.scope(scope).await;
            });
        }
        while tasks.join_next().await.is_some() {}
    }

    /// The regions to look into: those that were named, else those that are on in the account.
    async fn regions(&self, account: &Scope) -> Vec<String> {
        if !self.plan.regions.is_empty() {
            return self.plan.regions.clone();
        }
        let slot = account.slot(table::regions());
        let held = self.held(&slot).remove(&Parameters::new());
        let outcome = match held {
            Some(outcome) => outcome,
            None => match self.client.ask(slot.call, &account.place, &Parameters::new()).await {
                Ok(answer) => Ok(answer),
                Err(NoAnswer::Refused(refusal)) => Err(refusal),
                Err(NoAnswer::Stopped) => return vec![account.place.region.to_string()],
            },
        };
        let named = |answer: &Value| -> Vec<String> {
            let list = answer.get("Regions").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
            list.iter().filter_map(|region| region.get("RegionName")?.as_str().map(str::to_owned)).collect()
        };
        let regions = outcome.as_ref().map(named).unwrap_or_default();
        self.write(&slot, &Answers::from([(Parameters::new(), outcome)]));
        if regions.is_empty() { vec![account.place.region.to_string()] } else { regions }
    }

    fn announce(&self, scope: &Scope) {
        let mut manifest = lock(&self.manifest);
        for call in scope.calls() {
            let slot = scope.slot(call);
            manifest.pending.push(Pending {
                account: slot.account,
                region: slot.region,
                call: call.form.call().to_owned(),
            });
        }
        manifest.pending.sort();
        manifest.pending.dedup();
    }

    fn forget(&self, scope: &Scope) {
        for call in scope.calls() {
            self.done(&scope.slot(call), None);
        }
    }

    /// Moves a call from what is pending to what was made.
    fn done(&self, slot: &Slot, made: Option<Made>) {
        let mut manifest = lock(&self.manifest);
        let call = slot.call.form.call();
        manifest.pending.retain(|held| held.call != call || held.account != slot.account || held.region != slot.region);
        manifest.calls.extend(made);
    }

    fn write_manifest(&self, end: Option<Option<super::Stopped>>) {
        let Some(folder) = &self.plan.folder else { return };
        let manifest = {
            let mut manifest = lock(&self.manifest);
            manifest.calls.sort();
            if let Some(stopped) = end {
                manifest.complete = stopped.is_none() && manifest.pending.is_empty();
                manifest.stopped = stopped.map(|stopped| stopped.as_str().to_owned());
            }
            manifest.clone()
        };
        if let Err(error) = folder.write_manifest(&manifest) {
            self.broke(error);
        }
    }

    fn broke(&self, error: std::io::Error) {
        lock(&self.broken).get_or_insert(CollectError::NotWritten(error.to_string()));
    }

    fn held(&self, slot: &Slot) -> Answers {
        match &self.plan.folder {
            Some(folder) if self.plan.resume => folder.read(slot),
            _ => Answers::new(),
        }
    }

    /// Writes a document whose call is done.
    fn write(&self, slot: &Slot, answers: &Answers) {
        for refusal in answers.values().filter_map(|outcome| outcome.as_ref().err()) {
            if !is_answer(slot.call.form, &refusal.code) {
                lock(&self.failed).push(Failed {
                    account: slot.account.clone(),
                    region: slot.region.clone(),
                    call: slot.call.form.call(),
                    code: refusal.code.clone(),
                    facts: slot.call.form.facts(),
                });
            }
        }
        let made = Made {
            account: slot.account.clone(),
            region: slot.region.clone(),
            call: slot.call.form.call().to_owned(),
            document: (!answers.is_empty()).then(|| slot.document()),
            answered: answers.values().filter(|outcome| outcome.is_ok()).count(),
            failed: answers.values().filter(|outcome| outcome.is_err()).count(),
        };
        self.put(slot, answers);
        self.done(slot, Some(made));
    }

    fn put(&self, slot: &Slot, answers: &Answers) {
        if let Some(folder) = &self.plan.folder
            && let Err(error) = folder.write(slot, answers)
        {
            self.broke(error);
        }
    }

    /// All calls of one place, each after those that it depends on.
    async fn scope(self: Arc<Self>, scope: Scope) {
        let mut todo: BTreeMap<&'static str, BTreeSet<Parameters>> = BTreeMap::new();
        for call in scope.calls() {
            todo.entry(call.operation).or_default().extend(expand::first(call));
            let slot = scope.slot(call);
            let mut answers = Answers::new();
            let mut held = self.held(&slot);
            loop {
                let mut fresh = todo.remove(call.operation).unwrap_or_default();
                fresh.retain(|asked| !answers.contains_key(asked));
                if self.plan.folder.is_none() {
                    fresh = fresh.into_iter().next().filter(|_| answers.is_empty()).into_iter().collect();
                }
                if fresh.is_empty() {
                    break;
                }
                let (before, fresh): (Vec<_>, Vec<_>) = fresh.into_iter().partition(|asked| held.contains_key(asked));
                let before = before.into_iter().filter_map(|asked| held.remove_entry(&asked)).collect::<Vec<_>>();
                for (asked, outcome) in before {
                    self.follow(&scope, call, &asked, &outcome, &mut todo);
                    answers.insert(asked, outcome);
                }
                let whole = Arc::clone(&self).batch(&scope, call, fresh, &mut answers, &mut todo).await;
                if !whole {
                    // What there is is kept, and the call stays pending.
                    self.put(&slot, &answers);
                    return;
                }
            }
            lock(&self.tried).push((call, answers.len(), answers.values().find_map(|outcome| outcome.clone().err())));
            self.write(&slot, &answers);
        }
        if self.plan.folder.is_some() {
            self.write_manifest(None);
        }
    }

    /// Makes a call for several things at the same time; false when it was stopped before the end.
    async fn batch(
        self: Arc<Self>,
        scope: &Scope,
        call: &'static Call,
        fresh: Vec<Parameters>,
        answers: &mut Answers,
        todo: &mut BTreeMap<&'static str, BTreeSet<Parameters>>,
    ) -> bool {
        let mut tasks = JoinSet::new();
        for asked in fresh {
            let (run, place) = (Arc::clone(&self), scope.place.clone());
            tasks.spawn(async move {
                let outcome = run.client.ask(call, &place, &asked).await;
                (asked, outcome)
            });
        }
        let mut whole = true;
        let mut written = Instant::now();
        while let Some(done) = tasks.join_next().await {
            let Ok((asked, outcome)) = done else {
                whole = false;
                continue;
            };
            let outcome = match outcome {
                Ok(mut answer) => {
                    withhold::hide(&mut answer, call.withheld, &self.plan.fingerprinter);
                    Ok(answer)
                }
                Err(NoAnswer::Refused(refusal)) => Err(refusal),
                Err(NoAnswer::Stopped) => {
                    whole = false;
                    continue;
                }
            };
            self.follow(scope, call, &asked, &outcome, todo);
            answers.insert(asked, outcome);
            if written.elapsed() > FLUSH {
                self.put(&scope.slot(call), answers);
                written = Instant::now();
            }
        }
        whole
    }

    /// Notes which calls an answer leads to.
    fn follow(
        &self,
        scope: &Scope,
        call: &'static Call,
        asked: &Parameters,
        outcome: &Outcome,
        todo: &mut BTreeMap<&'static str, BTreeSet<Parameters>>,
    ) {
        let Ok(answer) = outcome else { return };
        for later in scope.calls() {
            let more = expand::following(later, call, asked, answer, &scope.place.region);
            if !more.is_empty() {
                todo.entry(later.operation).or_default().extend(more);
            }
        }
        if call.form == crate::documents::form::Form::OrgAccounts {
            let list = answer.get("Accounts").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
            let active = list.iter().filter(|account| {
                let state = account.get("State").or(account.get("Status")).and_then(Value::as_str);
                state.is_none_or(|state| state.eq_ignore_ascii_case("ACTIVE"))
            });
            lock(&self.accounts).extend(active.filter_map(|account| account.get("Id")?.as_str().map(str::to_owned)));
        }
    }
}
