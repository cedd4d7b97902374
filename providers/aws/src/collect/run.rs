//! A whole collection: which accounts and regions, which calls in each, and what came of them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use evenhand_collect::{Ledger, NoAnswer, NoCapture, Trouble, lock};
use evenhand_model::refusal::{Refusal, Why};
use evenhand_model::secret::Fingerprinter;
use serde_json::Value;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::client::{Client, Place};
use super::folder::{Answers, Folder, Outcome, Slot};
use super::progress::Progress;
use super::session::{Held, Partition};
use super::table::{self, Call, Reach};
use super::wire::Parameters;
use super::{CollectError, Collected, Failed, expand, withhold};
use crate::documents::form::Form;
use crate::documents::manifest::{Made, Manifest, Planned};
use crate::documents::refusal::{NOT_IN_REGION, is_answer};
use crate::inventory::arn::Arn;

/// Accounts under way at one time.
const ACCOUNTS: usize = 4;
/// Regions of one account under way at one time.
const REGIONS: usize = 4;
/// A document that takes longer than this is written with what there is, and again when it is whole. The manifest is
/// written no more often.
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
    /// The manifest of the capture to go on with; see [`Plan::resumed`].
    pub(crate) before: Option<Manifest>,
}

impl Plan {
    /// What it does not say itself it takes from the capture that it goes on with.
    pub(crate) fn resumed(mut self) -> Result<Self, CollectError> {
        let Some(folder) = self.folder.as_ref().filter(|_| self.resume) else { return Ok(self) };
        self.before = folder.read_manifest().map_err(|error| NoCapture::NoManifest(error.to_string()))?;
        if let Some(planned) = self.before.as_ref().and_then(|before| before.plan.as_ref()) {
            self.all_accounts |= planned.all_accounts;
            self.role = self.role.or_else(|| planned.role.clone());
            if self.regions.is_empty() {
                self.regions.clone_from(&planned.regions);
            }
        }
        Ok(self)
    }

    /// What is planned for the capture: this, and what was planned before.
    fn planned(&self, home: &str) -> Planned {
        let mut regions: BTreeSet<String> = self.regions.iter().cloned().collect();
        if let Some(before) = self.before.as_ref().and_then(|before| before.plan.as_ref()) {
            if before.regions.is_empty() {
                regions.clear();
            } else {
                regions.extend(before.regions.iter().cloned());
            }
        }
        Planned {
            home: home.to_owned(),
            all_accounts: self.all_accounts,
            role: self.role.clone(),
            regions: regions.into_iter().collect(),
        }
    }
}

/// A call, of how many things it was asked, and how it was refused if it was.
pub(crate) type Trial = (&'static Call, usize, Option<Refusal>);

/// A collection under way.
pub(crate) struct Run {
    client: Client,
    plan: Plan,
    progress: Mutex<Progress>,
    ledger: Ledger,
    /// What was tried, for [`super::doctor`].
    tried: Mutex<Vec<Trial>>,
    /// Accounts of the organisation that are active.
    accounts: Mutex<BTreeSet<String>>,
}

/// An answer, unless names in it cannot be what they have to be.
fn checked(call: &Call, answer: Value) -> Outcome {
    if expand::is_sound(call, &answer) { Ok(answer) } else { Err(Refusal::new("NotUnderstood", Why::Malformed)) }
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
        let progress = Progress::after(plan.before.as_ref());
        Self {
            client,
            plan,
            progress: Mutex::new(progress),
            ledger: Ledger::default(),
            tried: Mutex::default(),
            accounts: Mutex::default(),
        }
    }

    /// Collects everything.
    pub(crate) async fn collect(self: Arc<Self>) -> Result<Collected, CollectError> {
        let home = self.own_place().await?;
        self.begin(&home)?;
        let mut accounts: BTreeSet<String> = BTreeSet::from([home.account.to_string()]);
        let mut left = Vec::new();
        let organisation = Scope { place: home.clone(), reach: Reach::Organisation };
        self.announce(&organisation);
        self.announce(&Scope { place: home.clone(), reach: Reach::Account });
        self.save(None);
        Arc::clone(&self).scope(organisation).await;
        if self.plan.all_accounts {
            let listed = lock(&self.accounts).clone();
            if listed.is_empty() && self.client.stop().now().is_none() && !self.ledger.is_broken() {
                return Err(CollectError::NoAccounts);
            }
            let known = !listed.is_empty();
            accounts.extend(listed);
            if known {
                left = self.take_out_others(&accounts);
            }
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
        let stopped = self.client.stop().now().filter(|_| !lock(&self.progress).is_whole());
        self.save(Some(stopped));
        let failed = self.ledger.close()?;
        let progress = lock(&self.progress);
        Ok(Collected {
            accounts: accounts.into_iter().collect(),
            left,
            answered: progress.made().map(|made| made.answered).sum(),
            documents: progress.made().filter(|made| made.document.is_some()).count(),
            identities: progress.made().any(|made| made.call == Form::Authorization.call() && made.answered > 0),
            failed,
            stopped,
        })
    }

    /// Tries every call once, in one region, for the first thing that it can be asked about.
    pub(crate) async fn try_all(self: Arc<Self>) -> Result<Vec<Trial>, CollectError> {
        let home = self.own_place().await?;
        let region =
            self.plan.regions.first().map_or_else(|| Arc::clone(&home.region), |region| Arc::from(region.as_str()));
        let place = Place { region, ..home };
        let regions = self.client.ask(table::regions(), &place, &Parameters::new()).await;
        let refusal = match regions {
            Err(NoAnswer::Refused(trouble)) => Some(trouble.refusal),
            _ => None,
        };
        lock(&self.tried).push((table::regions(), 1, refusal));
        for reach in [Reach::Account, Reach::Organisation, Reach::Center, Reach::Region] {
            Arc::clone(&self).scope(Scope { place: place.clone(), reach }).await;
        }
        self.try_role(&place).await;
        // What was not tried must not look like what may be done.
        if self.client.stop().now().is_some() {
            return Err(NoCapture::Stopped.into());
        }
        Ok(std::mem::take(&mut *lock(&self.tried)))
    }

    /// Tries to become the role that was named, in one other account.
    async fn try_role(&self, home: &Place) {
        if self.plan.role.is_none() {
            return;
        }
        let other = lock(&self.accounts).iter().find(|account| ***account != *home.account).cloned();
        let mut tried = (table::assume(), 0, None);
        if let Some(other) = other {
            tried.1 = 1;
            tried.2 = match self.client.credentials(&self.other_place(home, &other)).await {
                Err(NoAnswer::Refused(trouble)) => Some(trouble.refusal),
                _ => None,
            };
        }
        lock(&self.tried).push(tried);
    }

    /// Notes what is planned, unless the capture is another account's.
    fn begin(&self, home: &Place) -> Result<(), CollectError> {
        let before = self.plan.before.as_ref().and_then(|before| before.plan.as_ref());
        if let Some(before) = before.filter(|before| *before.home != *home.account) {
            return Err(CollectError::OtherAccount { before: before.home.clone(), now: home.account.to_string() });
        }
        if let Some(folder) = &self.plan.folder {
            folder.clean();
        }
        let mut progress = lock(&self.progress);
        progress.planned = self.plan.planned(&home.account);
        let regions: BTreeSet<&String> = self.plan.regions.iter().collect();
        progress.narrower = !regions.is_empty() && !regions.into_iter().eq(&progress.planned.regions);
        Ok(())
    }

    /// Who asks.
    async fn own_place(&self) -> Result<Place, CollectError> {
        let region = self.plan.regions.first().map(String::as_str).or(self.client.session.region());
        let region = region.unwrap_or("us-east-1");
        let named = self.plan.regions.iter().map(String::as_str);
        if let Some(wrong) = named.chain([region]).find(|region| !expand::is_region(region)) {
            return Err(CollectError::NotARegion(wrong.to_owned()));
        }
        let place = Place {
            account: Arc::from(""),
            region: Arc::from(region),
            credentials: Arc::clone(&self.client.session.credentials),
            role: None,
        };
        self.client.stop().or(place.credentials.get()).await.ok_or(NoCapture::Stopped)??;
        let answer = self.client.ask(table::caller(), &place, &Parameters::new()).await;
        let answer = answer.map_err(|refused| match refused {
            NoAnswer::Refused(Trouble { refusal, .. }) => CollectError::NotAccepted(refusal.code),
            NoAnswer::Stopped => NoCapture::Stopped.into(),
        })?;
        let account = answer.get("Account").and_then(Value::as_str).unwrap_or_default();
        if !crate::inventory::arn::is_account(account) {
            return Err(CollectError::NotAccepted("NotUnderstood".to_owned()));
        }
        // In another partition nobody knows these credentials.
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
            match self.client.credentials(&place).await {
                Ok(_) => {
                    // What was refused before is no gap any more.
                    self.written(|folder| folder.remove(&account.slot(table::assume())));
                }
                Err(NoAnswer::Stopped) => return,
                Err(NoAnswer::Refused(Trouble { refusal, .. })) => {
                    // Nothing of this account can be asked; one gap says so.
                    lock(&self.progress).forget(&place.account);
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
        self.save_sometimes();
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
        let held = self.held(account, &slot).remove(&Parameters::new());
        let outcome = match held {
            Some(outcome) => outcome,
            None => match self.client.ask(slot.call, &account.place, &Parameters::new()).await {
                Ok(answer) => checked(slot.call, answer),
                Err(NoAnswer::Refused(trouble)) => Err(trouble.refusal),
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

    /// Takes the accounts out of the capture that an earlier collection planned and that the organisation does not have any
    /// more: nobody can go on with them, and what there is of one must not look like all of it.
    fn take_out_others(&self, accounts: &BTreeSet<String>) -> Vec<String> {
        let slots = lock(&self.progress).take_out_others(accounts);
        let left: BTreeSet<String> = slots.iter().map(|slot| slot.account.clone()).collect();
        for slot in slots {
            self.written(|folder| folder.remove(&slot));
        }
        left.into_iter().collect()
    }

    fn announce(&self, scope: &Scope) {
        let mut progress = lock(&self.progress);
        for call in scope.calls() {
            progress.announce(&scope.slot(call));
        }
    }

    /// Writes the manifest.
    fn save(&self, end: Option<Option<super::Stopped>>) {
        let manifest = {
            let mut progress = lock(&self.progress);
            progress.written = Some(Instant::now());
            progress.manifest(end)
        };
        self.written(|folder| folder.write_manifest(&manifest));
    }

    /// The same, unless it was done a short time ago: it grows with the accounts, as do the occasions.
    fn save_sometimes(&self) {
        if lock(&self.progress).written.is_none_or(|written| written.elapsed() > FLUSH) {
            self.save(None);
        }
    }

    /// Writes something; false when it cannot be written, which ends the collection.
    fn written(&self, write: impl FnOnce(&Folder) -> std::io::Result<()>) -> bool {
        let Some(folder) = &self.plan.folder else { return true };
        self.ledger.written(write(folder))
    }

    /// What an earlier collection brought for a call and may be used again.
    fn held(&self, scope: &Scope, slot: &Slot) -> Answers {
        let Some(folder) = self.plan.folder.as_ref().filter(|_| self.plan.resume) else { return Answers::new() };
        // Which accounts there are may have changed, and is what a collection goes by.
        if slot.call.form == Form::OrgAccounts {
            return Answers::new();
        }
        let mut held = folder.read(slot);
        held.retain(|_, outcome| outcome.as_ref().map_or(true, |answer| expand::is_sound(slot.call, answer)));
        if slot.call.order && !held.is_empty() {
            // What was ordered is kept for some hours only: an order counts when all of it was fetched.
            let leads = |call: &&'static Call| call.each.iter().any(|each| each.of == slot.call.form);
            let fetched: Vec<_> =
                scope.calls().filter(leads).map(|later| (later, folder.read(&scope.slot(later)))).collect();
            held.retain(|asked, outcome| {
                let Ok(answer) = outcome else { return true };
                fetched.iter().all(|(later, answers)| {
                    let wanted = expand::following(later, slot.call, asked, answer, &scope.place.region);
                    wanted.iter().all(|wanted| answers.contains_key(wanted))
                })
            });
        }
        held
    }

    /// Writes a document whose call is done.
    fn write(&self, slot: &Slot, answers: &Answers) {
        for refusal in answers.values().filter_map(|outcome| outcome.as_ref().err()) {
            if !is_answer(slot.call.form, &refusal.code) && refusal.code != NOT_IN_REGION {
                self.ledger.failed(Failed {
                    place: slot.place(),
                    call: Some(slot.call.form.call().to_owned()),
                    code: refusal.code.clone(),
                    detail: None,
                    facts: slot.call.form.words().to_owned(),
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
        // What is not on disk is not done.
        if self.written(|folder| folder.write(slot, answers)) {
            lock(&self.progress).done(slot, made);
        }
    }

    /// All calls of one place, each after those that it depends on.
    async fn scope(self: Arc<Self>, scope: Scope) {
        let mut todo: BTreeMap<Form, BTreeSet<Parameters>> = BTreeMap::new();
        for call in scope.calls() {
            if self.ledger.is_broken() {
                return;
            }
            todo.entry(call.form).or_default().extend(expand::first(call));
            let slot = scope.slot(call);
            let mut answers = Answers::new();
            let mut held = self.held(&scope, &slot);
            loop {
                let mut fresh = todo.remove(&call.form).unwrap_or_default();
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
                let whole = Arc::clone(&self).batch(&scope, call, fresh, &held, &mut answers, &mut todo).await;
                if !whole {
                    // What there is is kept, also from before, and the call stays pending.
                    answers.append(&mut held);
                    if !answers.is_empty() {
                        self.written(|folder| folder.write(&slot, &answers));
                    }
                    return;
                }
            }
            lock(&self.tried).push((call, answers.len(), answers.values().find_map(|outcome| outcome.clone().err())));
            self.write(&slot, &answers);
        }
        self.save_sometimes();
    }

    /// Makes a call for several things at the same time; false when it was stopped before the end.
    async fn batch(
        self: Arc<Self>,
        scope: &Scope,
        call: &'static Call,
        fresh: Vec<Parameters>,
        held: &Answers,
        answers: &mut Answers,
        todo: &mut BTreeMap<Form, BTreeSet<Parameters>>,
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
            if self.ledger.is_broken() {
                return false;
            }
            let Ok((asked, outcome)) = done else {
                whole = false;
                continue;
            };
            let outcome = match outcome {
                Ok(mut answer) => {
                    withhold::keep(&mut answer, call.kept);
                    withhold::hide(&mut answer, call.withheld, &self.plan.fingerprinter);
                    checked(call, answer)
                }
                Err(NoAnswer::Refused(trouble)) => Err(trouble.refusal),
                Err(NoAnswer::Stopped) => {
                    whole = false;
                    continue;
                }
            };
            self.follow(scope, call, &asked, &outcome, todo);
            answers.insert(asked, outcome);
            if written.elapsed() > FLUSH {
                // What was held and is not used yet must not be lost.
                let all =
                    held.iter().chain(&*answers).map(|(asked, outcome)| (asked.clone(), outcome.clone())).collect();
                self.written(|folder| folder.write(&scope.slot(call), &all));
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
        todo: &mut BTreeMap<Form, BTreeSet<Parameters>>,
    ) {
        let Ok(answer) = outcome else { return };
        for later in scope.calls() {
            let more = expand::following(later, call, asked, answer, &scope.place.region);
            if !more.is_empty() {
                todo.entry(later.form).or_default().extend(more);
            }
        }
        if call.form == Form::OrgAccounts {
            let list = answer.get("Accounts").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
            let active = list.iter().filter(|account| {
                let state = account.get("State").or(account.get("Status")).and_then(Value::as_str);
                state.is_none_or(|state| state.eq_ignore_ascii_case("ACTIVE"))
            });
            lock(&self.accounts).extend(active.filter_map(|account| account.get("Id")?.as_str().map(str::to_owned)));
        }
    }
}
