//! Asks the two interfaces: which answers are to be tried again, what a refusal says, and batches of Graph.

use std::sync::Arc;
use std::time::Duration;

use evenhand_collect::{Answer, Held, Http, NoAnswer, Page, Stop, Tries, Trouble, retried, wait};
use evenhand_model::refusal::{Refusal, Why};
use http::Request;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, USER_AGENT};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::cloud::{Cloud, Host, Interface};
use super::credentials::Credentials;
use super::{CollectError, Tell};

/// How quickly a collection goes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    /// The wait after a first failure.
    pub(crate) first_wait: Duration,
    /// Things that are worked on at one time.
    pub(crate) at_once: usize,
    /// Requests in a batch; Graph takes no more than 20.
    pub(crate) batch: usize,
    /// Pages of one list at most.
    pub(crate) pages: usize,
    /// The time that one answer may take.
    pub(crate) answer: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            first_wait: Duration::from_millis(500),
            at_once: 8,
            batch: 20,
            pages: 100_000,
            answer: Duration::from_secs(100),
        }
    }
}

/// Graph asks to come back after seconds, Resource Manager after minutes.
const TRIES: Tries = Tries { throttled: 10, failed: 4, malformed: 1, longest: Duration::from_secs(600) };

/// What was said.
#[derive(Debug)]
pub(crate) enum Reply {
    /// An answer.
    Answer(Page),
    /// An answer without content.
    Empty,
    /// No, and it would be the same again.
    Refused(Refusal),
}

/// Asks one tenant.
pub(crate) struct Client {
    cloud: Cloud,
    graph: (Host, Http),
    manager: (Host, Http),
    credentials: Credentials,
    pub(crate) stop: Stop,
    pub(crate) pace: Pace,
    pub(crate) held: Arc<Held>,
    pub(crate) tell: Tell,
}

impl Client {
    pub(crate) fn new(
        cloud: Cloud,
        hosts: (Host, Host),
        credentials: Credentials,
        stop: Stop,
        pace: Pace,
        tell: Tell,
    ) -> Result<Self, CollectError> {
        let held = Arc::new(Held::default());
        let way = |host: Host| -> Result<(Host, Http), CollectError> {
            let wrong = |why: String| CollectError::NotAnAddress(host.base().to_owned(), why);
            let uri = host.base().parse().map_err(|_| wrong("it cannot be read".to_owned()))?;
            let http = Http::new(&uri, pace.answer, Arc::clone(&held)).map_err(wrong)?;
            Ok((host, http))
        };
        let (graph, manager) = (way(hosts.0)?, way(hosts.1)?);
        Ok(Self { cloud, graph, manager, credentials, stop, pace, held, tell })
    }

    pub(crate) fn host(&self, interface: Interface) -> &Host {
        match interface {
            Interface::Graph => &self.graph.0,
            Interface::Manager => &self.manager.0,
        }
    }

    /// A token for an interface, tried again as answers are.
    pub(crate) async fn token(&self, interface: Interface) -> Result<String, NoAnswer> {
        retried(&self.stop, TRIES, self.pace.first_wait, || async {
            self.stop.or(self.signed_in(interface)).await.ok_or(NoAnswer::Stopped)
        })
        .await
    }

    async fn signed_in(&self, interface: Interface) -> Result<String, Trouble> {
        self.credentials.token(&self.host(interface).scope(self.cloud, interface)).await
    }

    /// Reads what a path and query lead to; with a body, what it is asked.
    pub(crate) async fn ask(&self, interface: Interface, path: &str, body: Option<&Value>) -> Result<Reply, NoAnswer> {
        retried(&self.stop, TRIES, self.pace.first_wait, || self.once(interface, path, body)).await
    }

    async fn once(
        &self,
        interface: Interface,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Result<Reply, Trouble>, NoAnswer> {
        let token = match self.stop.or(self.signed_in(interface)).await.ok_or(NoAnswer::Stopped)? {
            Ok(token) => token,
            Err(trouble) => return Ok(Err(trouble)),
        };
        let Some(request) = self.request(interface, path, body, &token) else {
            return Ok(Err(Refusal::new("BadAddress", Why::Unsupported).into()));
        };
        let http = match interface {
            Interface::Graph => &self.graph.1,
            Interface::Manager => &self.manager.1,
        };
        Ok(match self.stop.or(http.send(request)).await.ok_or(NoAnswer::Stopped)? {
            Ok(answer) => judged(answer),
            Err(trouble) => Err(trouble),
        })
    }

    fn request(&self, interface: Interface, path: &str, body: Option<&Value>, token: &str) -> Option<Request<Vec<u8>>> {
        // A path that an earlier capture names could make another host's name of the address.
        if !path.starts_with('/') {
            return None;
        }
        let address = format!("{}{path}", self.host(interface).base());
        let mut secret = http::HeaderValue::try_from(format!("Bearer {token}")).ok()?;
        secret.set_sensitive(true);
        let request = match body {
            None => Request::get(address),
            Some(_) => Request::post(address).header(CONTENT_TYPE, "application/json"),
        };
        request
            .header(AUTHORIZATION, secret)
            .header(ACCEPT, "application/json")
            .header(USER_AGENT, concat!("evenhand/", env!("CARGO_PKG_VERSION")))
            .body(body.map(|body| body.to_string().into_bytes()).unwrap_or_default())
            .ok()
    }

    /// Makes several calls of Graph at once, and each again by itself that is to be tried again. The replies are in the
    /// order of the addresses, which begin with the version.
    pub(crate) async fn batch(&self, addresses: &[String]) -> Result<Vec<Result<Reply, Trouble>>, NoAnswer> {
        let mut replies: Vec<Option<Result<Reply, Trouble>>> = addresses.iter().map(|_| None).collect();
        let mut tried = 0;
        loop {
            let open: Vec<usize> = replies
                .iter()
                .enumerate()
                .filter(|(_, reply)| again(reply.as_ref(), tried))
                .map(|(at, _)| at)
                .collect();
            if open.is_empty() {
                let all = replies.into_iter().map(|reply| reply.unwrap_or_else(|| Err(missing())));
                return Ok(all.collect());
            }
            if tried > 0 {
                let asked = open.iter().filter_map(|at| replies.get(*at)?.as_ref()?.as_ref().err()?.after).max();
                let asked = asked.unwrap_or_default().min(TRIES.longest);
                let pause = tokio::time::sleep(asked + wait(self.pace.first_wait, tried));
                self.stop.or(pause).await.ok_or(NoAnswer::Stopped)?;
            }
            tried += 1;
            let questions: Vec<Value> = open
                .iter()
                .filter_map(|at| {
                    let (_, below) = addresses.get(*at)?.strip_prefix('/')?.split_once('/')?;
                    Some(json!({"id": at.to_string(), "method": "GET", "url": format!("/{below}")}))
                })
                .collect();
            let body = json!({ "requests": questions });
            let page = match self.ask(Interface::Graph, "/v1.0/$batch", Some(&body)).await? {
                Reply::Answer(page) => page,
                Reply::Empty => return Err(missing().into()),
                // A batch is refused as a whole where each of its calls would be.
                Reply::Refused(refusal) => return Err(refusal.into()),
            };
            let answers: Answers<'_> = match serde_json::from_slice(&page.bytes) {
                Ok(answers) => answers,
                Err(_) => return Err(Refusal::new("NotUnderstood", Why::Malformed).into()),
            };
            for one in answers.responses {
                let Some(slot) = one.id.parse().ok().and_then(|at: usize| replies.get_mut(at)) else { continue };
                *slot = Some(one.judged(&self.held));
            }
        }
    }
}

/// Whether a call of a batch is to be made again.
fn again(reply: Option<&Result<Reply, Trouble>>, tried: u32) -> bool {
    match reply {
        None => tried < TRIES.failed,
        Some(Ok(_)) => false,
        Some(Err(trouble)) => tried < TRIES.of(trouble.refusal.why),
    }
}

fn missing() -> Trouble {
    Trouble::new("NotUnderstood", Why::Malformed, Some("the batch has no answer to it".to_owned()))
}

#[derive(Deserialize)]
struct Answers<'a> {
    #[serde(borrow)]
    responses: Vec<One<'a>>,
}

/// An answer in a batch.
#[derive(Deserialize)]
struct One<'a> {
    id: String,
    status: u16,
    #[serde(default)]
    headers: serde_json::Map<String, Value>,
    #[serde(borrow, default)]
    body: Option<&'a RawValue>,
}

impl One<'_> {
    fn judged(&self, held: &Arc<Held>) -> Result<Reply, Trouble> {
        let header = self.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("retry-after"));
        let after = header.and_then(|(_, value)| value.as_str()?.trim().parse().ok()).map(Duration::from_secs);
        let body = self.body.map(RawValue::get).unwrap_or_default();
        judge(self.status, after, body.as_bytes(), || held.page(body.as_bytes().to_vec()))
    }
}

fn judged(answer: Answer) -> Result<Reply, Trouble> {
    let after = answer.header("retry-after").and_then(|text| text.trim().parse().ok()).map(Duration::from_secs);
    let Answer { status, page, .. } = answer;
    // The body is looked at before it is handed on.
    let failure = (!(200..=299).contains(&status)).then(|| Said::of(&page.bytes));
    match failure {
        None => judge(status, after, &[], || page),
        Some(said) => no(status, after, &said),
    }
}

/// What an answer means.
fn judge(status: u16, after: Option<Duration>, body: &[u8], page: impl FnOnce() -> Page) -> Result<Reply, Trouble> {
    match status {
        204 => Ok(Reply::Empty),
        200..=299 => Ok(Reply::Answer(page())),
        _ => no(status, after, &Said::of(body)),
    }
}

fn no(status: u16, after: Option<Duration>, said: &Said) -> Result<Reply, Trouble> {
    let code = format!("{status} {}", said.code).trim_end().to_owned();
    let why = match status {
        401 => Why::Expired,
        429 => Why::Throttled,
        503 if after.is_some() => Why::Throttled,
        408 | 500 | 502..=599 => Why::Failed,
        501 => Why::Unsupported,
        300..=399 => Why::Malformed,
        _ => return Ok(Reply::Refused(Refusal::new(code, Why::Refused))),
    };
    Err(Trouble { refusal: Refusal::new(code, why), after, detail: None })
}

/// The vendor's own code of a failure.
struct Said {
    code: String,
}

impl Said {
    fn of(body: &[u8]) -> Self {
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct Body {
            error: Inner,
        }
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct Inner {
            code: String,
        }
        let body: Body = serde_json::from_slice(body).unwrap_or_default();
        let plain = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
        Self { code: body.error.code.chars().filter(plain).take(80).collect() }
    }
}
