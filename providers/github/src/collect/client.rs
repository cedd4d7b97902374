//! Requests to the API: who asks, retries, limits, and what an answer means. Every loop has an end.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use evenhand_collect::{Answer, Held, Http, NoAnswer, Page, Stop, Tries, Trouble, lock, retried};
use evenhand_model::refusal::{Refusal, Why};
use http::Request;
use http::header::{ACCEPT, AUTHORIZATION, ETAG, IF_NONE_MATCH, LINK, LOCATION, USER_AGENT};
use serde::Deserialize;
use tokio::sync::Semaphore;

use super::budget::{Budget, until};
use super::credentials::{App, Credentials, LASTS, Token};
use super::host::{Host, next_link};
use super::{CollectError, Tell};

/// How calls are paced and bounded.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    /// The first wait before a call is made again; later ones double.
    pub(crate) first_wait: Duration,
    /// The wait after a secondary limit that names none.
    pub(crate) secondary_wait: Duration,
    /// The time between two requests: 900 a minute are allowed.
    pub(crate) apart: Duration,
    /// Added to every wait for a new budget.
    pub(crate) margin: Duration,
    /// Calls under way at one time; 100 are allowed.
    pub(crate) at_once: usize,
    /// Elements of one page; 100 are allowed.
    pub(crate) page: usize,
    /// Pages of one list at most.
    pub(crate) pages: usize,
    /// Whether the first page is enough.
    pub(crate) first_page: bool,
    /// The time that one answer may take.
    pub(crate) answer: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            first_wait: Duration::from_millis(500),
            secondary_wait: Duration::from_secs(60),
            apart: Duration::from_millis(67),
            margin: Duration::from_secs(1),
            at_once: 8,
            page: 100,
            pages: 10_000,
            first_page: false,
            answer: Duration::from_secs(60),
        }
    }
}

/// A budget comes back within the hour.
const TRIES: Tries = Tries { throttled: 8, failed: 4, malformed: 1, longest: Duration::from_secs(3700) };

/// So many calls in a row without any answer, each after all its tries, and the host counts as gone.
const SILENT: u32 = 16;

/// Redirections of one request at most: something was renamed.
const REDIRECTIONS: u32 = 3;

/// The version of the API that is spoken; servers of all ages have it.
pub(crate) const API_VERSION: &str = "2022-11-28";

/// What GitHub said.
#[derive(Debug)]
pub(crate) enum Reply {
    /// An answer.
    Answer(Got),
    /// An answer without content.
    Empty,
    /// What was asked for is as it was.
    Unchanged,
    /// No, and it would be the same again.
    Refused(Refused),
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Got {
    pub(crate) page: Page,
    /// The path and query of the next page.
    pub(crate) next: Option<String>,
    /// By which it is known again.
    pub(crate) tag: Option<String>,
    /// Scopes of a classic token.
    pub(crate) scopes: Option<String>,
}

/// A refusal, and what would have been enough.
#[derive(Clone, Debug)]
pub(crate) struct Refused {
    pub(crate) refusal: Refusal,
    pub(crate) accepted: Option<String>,
}

/// Asks one host.
pub(crate) struct Client {
    pub(crate) host: Host,
    credentials: Credentials,
    http: Http,
    pub(crate) stop: Stop,
    pub(crate) pace: Pace,
    pub(crate) budget: Budget,
    pub(crate) held: Arc<Held>,
    pub(crate) tell: Tell,
    slots: Semaphore,
    /// Whether the host ever answered.
    heard: AtomicBool,
    /// Calls in a row that brought no answer of any kind.
    silent: AtomicU32,
    /// Which repositories the app's installation in an organisation reaches, as GitHub says: `all`, `selected`.
    selections: Mutex<BTreeMap<String, String>>,
}

/// What an answer is before anybody knows of tries.
enum Judged {
    Reply(Reply),
    /// It is elsewhere, on the same host.
    Moved(String),
}

impl Client {
    pub(crate) fn new(
        host: Host,
        credentials: Credentials,
        stop: Stop,
        pace: Pace,
        tell: Tell,
    ) -> Result<Self, CollectError> {
        let held = Arc::new(Held::default());
        let wrong = |why: String| CollectError::NotAnAddress(host.base().to_owned(), why);
        let uri = host.base().parse().map_err(|_| wrong("it cannot be read".to_owned()))?;
        let http = Http::new(&uri, pace.answer, Arc::clone(&held)).map_err(wrong)?;
        let budget = Budget::new(pace.apart, pace.margin);
        let slots = Semaphore::new(pace.at_once);
        let (heard, silent, selections) = (AtomicBool::new(false), AtomicU32::new(0), Mutex::default());
        Ok(Self { host, credentials, http, stop, pace, budget, held, tell, slots, heard, silent, selections })
    }

    /// Reads what a path and query lead to, for an organisation; with a tag only where it is not as it was.
    pub(crate) async fn get(&self, organisation: &str, path: &str, tag: Option<&str>) -> Result<Reply, NoAnswer> {
        let mut path = path.to_owned();
        for _ in 0..REDIRECTIONS {
            let once = || self.once(organisation, &path, tag);
            match retried(&self.stop, TRIES, self.pace.first_wait, once).await {
                Ok(Judged::Reply(reply)) => return Ok(reply),
                Ok(Judged::Moved(to)) => path = to,
                Err(no) => {
                    if matches!(&no, NoAnswer::Refused(trouble) if is_silence(trouble)) {
                        self.silent.fetch_add(1, Ordering::Relaxed);
                    }
                    return Err(no);
                }
            }
        }
        Err(Refusal::new("EndlessRedirections", Why::Malformed).into())
    }

    async fn once(
        &self,
        organisation: &str,
        path: &str,
        tag: Option<&str>,
    ) -> Result<Result<Judged, Trouble>, NoAnswer> {
        let _slot = self.stop.or(self.slots.acquire()).await.ok_or(NoAnswer::Stopped)?;
        self.wait().await?;
        // After the wait: it may take longer than a token lasts.
        let token = match self.token(organisation).await {
            Ok(Ok(token)) => token,
            Ok(Err(trouble)) => {
                self.budget.done(None);
                return Ok(Err(trouble));
            }
            Err(no) => {
                self.budget.done(None);
                return Err(no);
            }
        };
        let Some(request) = self.request(path, &token, tag) else {
            self.budget.done(None);
            return Ok(Err(Refusal::new("BadAddress", Why::Unsupported).into()));
        };
        let sent = self.stop.or(self.send(request)).await.ok_or(NoAnswer::Stopped)?;
        self.budget.done(sent.as_ref().ok());
        let answer = match sent {
            Ok(answer) => answer,
            Err(trouble) => return Ok(Err(trouble)),
        };
        let judged = self.judge(answer);
        match judged.as_ref().err().map(|trouble| trouble.refusal.why) {
            Some(Why::Expired) => self.forget(&token).await,
            // Whoever else asks now would make it longer.
            Some(Why::Throttled) => self.have_all_wait(judged.as_ref().err()),
            _ => {}
        }
        Ok(judged)
    }

    async fn send(&self, request: Request<Vec<u8>>) -> Result<Answer, Trouble> {
        let sent = self.http.send(request).await;
        if sent.is_ok() {
            self.heard.store(true, Ordering::Relaxed);
            self.silent.store(0, Ordering::Relaxed);
        }
        sent
    }

    /// Whether a failure says that nobody is there: the host never answered, or does not any more.
    pub(crate) fn is_gone(&self, trouble: &Trouble) -> bool {
        is_silence(trouble) && (!self.heard.load(Ordering::Relaxed) || self.silent.load(Ordering::Relaxed) >= SILENT)
    }

    fn request(&self, path: &str, token: &Token, tag: Option<&str>) -> Option<Request<Vec<u8>>> {
        // A path that an earlier capture names could make another host's name of the address.
        if !path.starts_with('/') {
            return None;
        }
        let mut request = self.headed(Request::get(self.host.address(path)), token);
        if let Some(tag) = tag {
            request = request.header(IF_NONE_MATCH, tag);
        }
        request.body(Vec::new()).ok()
    }

    fn headed(&self, request: http::request::Builder, token: &Token) -> http::request::Builder {
        let mut secret = http::HeaderValue::try_from(token.header()).ok();
        if let Some(secret) = &mut secret {
            secret.set_sensitive(true);
        }
        let request = match secret {
            Some(secret) => request.header(AUTHORIZATION, secret),
            None => request,
        };
        request
            .header(ACCEPT, "application/vnd.github+json")
            .header("x-github-api-version", API_VERSION)
            .header(USER_AGENT, concat!("evenhand/", env!("CARGO_PKG_VERSION")))
    }

    /// Waits until the budget allows a request.
    async fn wait(&self) -> Result<(), NoAnswer> {
        // A thousand new budgets are more than a month.
        for _ in 0..1_000_000 {
            let Some(wait) = self.budget.take() else { return Ok(()) };
            if wait > Duration::from_secs(5) {
                (self.tell.0)(&format!("waits {} until GitHub answers more requests", minutes(wait)));
            }
            self.stop.or(tokio::time::sleep(wait)).await.ok_or(NoAnswer::Stopped)?;
        }
        Err(Refusal::new("NoBudget", Why::Throttled).into())
    }

    fn have_all_wait(&self, trouble: Option<&Trouble>) {
        if let Some(after) = trouble.and_then(|trouble| trouble.after) {
            self.budget.pause(after.min(TRIES.longest));
        }
    }

    /// What an answer means.
    fn judge(&self, answer: Answer) -> Result<Judged, Trouble> {
        let text = |name: http::HeaderName| answer.headers.get(name).and_then(|value| value.to_str().ok());
        match answer.status {
            204 => return Ok(Judged::Reply(Reply::Empty)),
            200..=299 => {
                let next = match text(LINK).and_then(next_link) {
                    None => None,
                    Some(_) if self.pace.first_page => None,
                    // What another host says is no part of the list.
                    Some(address) => Some(self.host.path_of(address).ok_or_else(|| {
                        Trouble::new("ForeignLink", Why::Malformed, Some("the next page is on another host".to_owned()))
                    })?),
                };
                let tag = text(ETAG).map(str::to_owned);
                let scopes = answer.header("x-oauth-scopes").map(str::to_owned);
                return Ok(Judged::Reply(Reply::Answer(Got { page: answer.page, next, tag, scopes })));
            }
            304 => return Ok(Judged::Reply(Reply::Unchanged)),
            301 | 302 | 307 | 308 => {
                let to = text(LOCATION).and_then(|address| self.host.path_of(address));
                return to.map(Judged::Moved).ok_or_else(|| {
                    Trouble::new("ForeignLink", Why::Malformed, Some("it was moved to another host".to_owned()))
                });
            }
            _ => {}
        }
        let said = Said::of(&answer);
        let code = said.code(answer.status);
        let limited = |why: Why, after: Option<Duration>| {
            Err(Trouble { refusal: Refusal::new(code.clone(), why), after, detail: None })
        };
        match answer.status {
            401 => limited(Why::Expired, None),
            403 | 429 if said.is_limit(&answer) => limited(Why::Throttled, Some(self.wait_for(&answer))),
            408 | 500..=599 => limited(Why::Failed, None),
            status => {
                let why = if status == 501 { Why::Unsupported } else { Why::Refused };
                // Single sign-on is told in a header of its own.
                let sso =
                    answer.header("x-github-sso").map(|_| "the token's authorisation for single sign-on".to_owned());
                let accepted = answer.header("x-accepted-github-permissions").map(str::to_owned).or(sso);
                Ok(Judged::Reply(Reply::Refused(Refused { refusal: Refusal::new(code, why), accepted })))
            }
        }
    }

    /// The wait that a limit asks for.
    fn wait_for(&self, answer: &Answer) -> Duration {
        let number = |name: &str| answer.header(name)?.trim().parse::<u64>().ok();
        if let Some(seconds) = number("retry-after") {
            return Duration::from_secs(seconds);
        }
        if number("x-ratelimit-remaining") == Some(0)
            && let Some(wait) = number("x-ratelimit-reset").and_then(|then| until(then, SystemTime::now()))
        {
            return wait + self.pace.margin;
        }
        self.pace.secondary_wait
    }

    /// The token to ask with. That of an installation is made by one caller at a time.
    async fn token(&self, organisation: &str) -> Result<Result<Token, Trouble>, NoAnswer> {
        let app = match &self.credentials {
            Credentials::Token(token) => return Ok(Ok(token.clone())),
            Credentials::App(app) => app,
        };
        let mut installed = self.stop.or(app.installed.lock()).await.ok_or(NoAnswer::Stopped)?;
        if let Some((of, token, ends)) = &installed.held
            && of == organisation
            && Instant::now() < *ends
        {
            return Ok(Ok(token.clone()));
        }
        if let Some(trouble) = installed.refused.get(organisation) {
            return Ok(Err(trouble.clone()));
        }
        let made = self.stop.or(self.installed(app, organisation)).await.ok_or(NoAnswer::Stopped)?;
        match &made {
            Ok(token) => installed.held = Some((organisation.to_owned(), token.clone(), Instant::now() + LASTS)),
            // Nor will it be given the next time.
            Err(trouble) if trouble.refusal.why == Why::Refused => {
                installed.refused.insert(organisation.to_owned(), trouble.clone());
            }
            Err(_) => {}
        }
        Ok(made)
    }

    /// Makes a token of the app's installation in an organisation.
    async fn installed(&self, app: &App, organisation: &str) -> Result<Token, Trouble> {
        #[derive(Deserialize)]
        struct Installation {
            id: u64,
        }
        #[derive(Deserialize)]
        struct Made {
            token: String,
            repository_selection: Option<String>,
        }
        let unsigned = || Trouble::new("NoCredentials", Why::Expired, Some("the app's key does not sign".to_owned()));
        let proof = app.proof(SystemTime::now()).ok_or_else(unsigned)?;
        let id = match app.installation {
            Some(id) => id,
            None => {
                let request = Request::get(self.host.address(&format!("/orgs/{organisation}/installation")));
                self.of_app::<Installation>(self.headed(request, &proof)).await?.id
            }
        };
        let request = Request::post(self.host.address(&format!("/app/installations/{id}/access_tokens")));
        let made: Made = self.of_app(self.headed(request, &proof)).await?;
        if let Some(selection) = made.repository_selection {
            lock(&self.selections).insert(organisation.to_owned(), selection);
        }
        Token::new(&made.token).ok_or_else(|| Refusal::new("NotUnderstood", Why::Malformed).into())
    }

    async fn of_app<T: serde::de::DeserializeOwned>(&self, request: http::request::Builder) -> Result<T, Trouble> {
        let request = request.body(Vec::new()).map_err(|_| Refusal::new("BadAddress", Why::Unsupported))?;
        let answer = self.send(request).await?;
        if matches!(answer.status, 200 | 201) {
            return serde_json::from_slice(&answer.page.bytes)
                .map_err(|_| Refusal::new("NotUnderstood", Why::Malformed).into());
        }
        let said = Said::of(&answer);
        let why = match answer.status {
            403 | 429 if said.is_limit(&answer) => Why::Throttled,
            408 | 500..=599 => Why::Failed,
            401 => Why::Expired,
            // It is not installed there, or suspended. That says nothing of other organisations.
            _ => Why::Refused,
        };
        let after = (why == Why::Throttled).then(|| self.wait_for(&answer));
        let detail = Some("no token of the app's installation could be made".to_owned());
        Err(Trouble { refusal: Refusal::new(said.code(answer.status), why), after, detail })
    }

    /// Gives up a token that was not accepted any more, unless there is another one already.
    async fn forget(&self, used: &Token) {
        if let Credentials::App(app) = &self.credentials {
            let mut installed = app.installed.lock().await;
            if installed.held.as_ref().is_some_and(|(_, token, _)| token == used) {
                installed.held = None;
            }
        }
    }

    /// Which repositories the app's installations reach, as far as GitHub told, by organisation.
    pub(crate) fn selections(&self) -> BTreeMap<String, String> {
        lock(&self.selections).clone()
    }

    /// Whether an app asks, and not a person's token.
    pub(crate) fn is_app(&self) -> bool {
        matches!(self.credentials, Credentials::App(_))
    }
}

/// Whether a failure is that nobody answered: what a host says begins with its status.
fn is_silence(trouble: &Trouble) -> bool {
    trouble.refusal.why == Why::Failed && !trouble.refusal.code.starts_with(|c: char| c.is_ascii_digit())
}

/// Before anything was answered: what a failure of the first call means.
pub(crate) fn unaccepted(client: &Client, trouble: &Trouble, organisation: &str) -> CollectError {
    let code = trouble.refusal.code.clone();
    let said = match &trouble.detail {
        Some(detail) => format!("{code}: {detail}"),
        None => code.clone(),
    };
    if client.is_gone(trouble) {
        CollectError::NoHost(client.host.base().to_owned(), said)
    } else if trouble.refusal.why == Why::Refused && client.is_app() {
        CollectError::NotInstalled(organisation.to_owned(), code)
    } else {
        CollectError::NotAccepted(said)
    }
}

/// GitHub's own words for a refusal.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Said {
    message: String,
}

impl Said {
    fn of(answer: &Answer) -> Self {
        serde_json::from_slice(&answer.page.bytes).unwrap_or_default()
    }

    /// The status with the words, as far as they fit in a line.
    fn code(&self, status: u16) -> String {
        let words: String = self.message.chars().filter(|c| !c.is_control()).take(120).collect();
        format!("{status} {}", words.trim()).trim_end().to_owned()
    }

    /// Whether it is a matter of time only.
    fn is_limit(&self, answer: &Answer) -> bool {
        let said = self.message.to_ascii_lowercase();
        answer.status == 429
            || answer.header("retry-after").is_some()
            || answer.header("x-ratelimit-remaining").is_some_and(|left| left.trim() == "0")
            || said.contains("rate limit")
            || said.contains("abuse detection")
    }
}

/// A time for people.
pub(crate) fn minutes(time: Duration) -> String {
    match time.as_secs().div_ceil(60) {
        0 | 1 => format!("{} s", time.as_secs().max(1)),
        minutes => format!("{minutes} min"),
    }
}
