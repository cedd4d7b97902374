//! One read after another from one API server: retries, limits, and what an answer means. Every loop has an end.

use std::sync::Arc;
use std::time::Duration;

use evenhand_collect::{Held, NoAnswer, Page, Stop, Tries, Trouble, causes, retried, unsent};
use evenhand_model::refusal::{Refusal, Why};
use http::header::{ACCEPT, RETRY_AFTER, USER_AGENT};
use http_body_util::BodyExt;
use hyper_util::client::legacy::Error as LegacyError;
use kube::client::{AuthError, Body};
use serde::Deserialize;
use tokio::sync::{Mutex, Semaphore};

use super::contexts::Target;

/// How calls are paced and bounded.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    /// The first wait before a call is made again; later ones double.
    pub(crate) first_wait: Duration,
    /// Calls under way at one time, to all clusters together.
    pub(crate) at_once: usize,
    /// Objects of one page at most.
    pub(crate) page: usize,
    /// Pages of one list at most.
    pub(crate) pages: usize,
    /// The time that one answer may take, from the credentials for it to its last byte.
    pub(crate) answer: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            first_wait: Duration::from_millis(200),
            at_once: 16,
            page: 500,
            pages: 100_000,
            answer: Duration::from_secs(300),
        }
    }
}

impl Pace {
    const TRIES: Tries = Tries { throttled: 12, failed: 4, malformed: 1, longest: Duration::from_secs(60) };
}

/// Answers larger than this many bytes are not taken.
const LARGEST: usize = 256 << 20;

/// What a server said.
#[derive(Debug)]
pub(crate) enum Reply {
    Answer(Page),
    /// There is no such thing.
    Absent,
    /// The list has changed too much since its first page. With the place at which it may go on, as it is now.
    Gone(Option<String>),
}

/// The server's own words for a refusal, as far as they are needed.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Status {
    kind: String,
    reason: String,
    metadata: Meta,
    details: Details,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Meta {
    #[serde(rename = "continue")]
    next: String,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Details {
    retry_after_seconds: u64,
}

/// A connection with its number: it is made anew when its credentials are over.
struct Connection {
    number: u64,
    client: Option<kube::Client>,
}

/// Asks one server.
pub(crate) struct Client {
    target: Target,
    pub(crate) stop: Stop,
    pub(crate) pace: Pace,
    slots: Arc<Semaphore>,
    held: Arc<Held>,
    connection: Mutex<Connection>,
}

impl Client {
    pub(crate) fn new(target: Target, stop: Stop, pace: Pace, slots: Arc<Semaphore>, held: Arc<Held>) -> Self {
        let connection = Mutex::new(Connection { number: 0, client: None });
        Self { target, stop, pace, slots, held, connection }
    }

    /// Reads what a path and query lead to.
    pub(crate) async fn get(&self, path: &str, accept: &str) -> Result<Reply, NoAnswer> {
        retried(&self.stop, Pace::TRIES, self.pace.first_wait, || self.once(path, accept)).await
    }

    async fn once(&self, path: &str, accept: &str) -> Result<Result<Reply, Trouble>, NoAnswer> {
        let _slot = self.stop.or(self.slots.acquire()).await.ok_or(NoAnswer::Stopped)?;
        let end = tokio::time::Instant::now() + self.pace.answer;
        let connect = tokio::time::timeout_at(end, self.connect());
        let connected = self.stop.or(connect).await.ok_or(NoAnswer::Stopped)?;
        let (number, client) = match connected.unwrap_or_else(|_| Err(self.no_connection_in_time())) {
            Ok(connected) => connected,
            Err(trouble) => return Ok(Err(trouble)),
        };
        let exchange = tokio::time::timeout_at(end, self.exchange(&client, path, accept));
        let done = self.stop.or(exchange).await.ok_or(NoAnswer::Stopped)?;
        let done = done.unwrap_or_else(|_| Err(Trouble::new("TimedOut", Why::Failed, None)));
        if done.as_ref().is_err_and(|trouble| trouble.refusal.why == Why::Expired) {
            let mut connection = self.connection.lock().await;
            if connection.number == number {
                connection.client = None;
            }
        }
        Ok(done)
    }

    async fn exchange(&self, client: &kube::Client, path: &str, accept: &str) -> Result<Reply, Trouble> {
        let agent = concat!("evenhand/", env!("CARGO_PKG_VERSION"));
        let request = http::Request::get(path).header(ACCEPT, accept).header(USER_AGENT, agent).body(Body::empty());
        let request = request.map_err(|_| Trouble::new("BadAddress", Why::Unsupported, None))?;
        let response = client.send(request).await.map_err(|error| self.unsent(&error))?;
        let status = response.status().as_u16();
        let after = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.trim().parse().ok());
        let mut body = response.into_body();
        let mut bytes = Vec::new();
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|error| Trouble::new("ConnectionLost", Why::Failed, Some(causes(&error))))?;
            if let Ok(more) = frame.into_data() {
                if bytes.len() + more.len() > LARGEST {
                    return Err(Trouble::new("TooLarge", Why::Malformed, None));
                }
                bytes.extend_from_slice(&more);
            }
        }
        if (200..300).contains(&status) {
            return Ok(Reply::Answer(self.held.page(bytes)));
        }
        judged(status, after, &bytes)
    }

    /// The connection, made where there is none. That may run a program, which takes its time.
    async fn connect(&self) -> Result<(u64, kube::Client), Trouble> {
        let mut connection = self.connection.lock().await;
        if let Some(client) = &connection.client {
            return Ok((connection.number, client.clone()));
        }
        let config = match &self.target.config {
            Ok(config) => config.clone(),
            Err(detail) => return Err(Trouble::new("BadConfiguration", Why::Unsupported, Some(detail.clone()))),
        };
        let made = tokio::task::spawn_blocking(move || kube::Client::try_from(config)).await;
        let made = made.map_err(|_| Trouble::new("NoConnection", Why::Failed, None))?;
        let client = made.map_err(|error| self.unsent(&error))?;
        connection.number += 1;
        connection.client = Some(client.clone());
        Ok((connection.number, client))
    }

    /// Making a connection waits for nothing but the program that makes the credentials.
    fn no_connection_in_time(&self) -> Trouble {
        let detail = self.target.plugin.as_ref().map(|plugin| format!("`{plugin}` did not end in time"));
        Trouble::new("TimedOut", Why::Failed, detail)
    }

    /// Why a request did not leave. What a program for credentials printed is not repeated: it may hold them.
    fn unsent(&self, error: &kube::Error) -> Trouble {
        let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
        let mut left = false;
        while let Some(one) = cause {
            let auth = match one.downcast_ref::<kube::Error>() {
                Some(kube::Error::Auth(auth)) => Some(auth),
                _ => one.downcast_ref::<AuthError>(),
            };
            if let Some(auth) = auth {
                return self.no_credentials(auth);
            }
            left |= one.is::<std::io::Error>()
                || one.downcast_ref::<LegacyError>().is_some_and(|error| !error.is_connect());
            cause = one.source();
        }
        match error {
            _ if left => unsent(error),
            kube::Error::Service(_) | kube::Error::HyperError(_) => unsent(error),
            _ => Trouble::new("BadConfiguration", Why::Unsupported, Some(causes(error))),
        }
    }

    fn no_credentials(&self, error: &AuthError) -> Trouble {
        let plugin = self.target.plugin.as_deref().unwrap_or("the credential plugin");
        let detail = match error {
            AuthError::AuthExecStart(cause) => format!("`{plugin}` could not be started: {cause}"),
            AuthError::AuthExecRun { out, .. } => format!("`{plugin}` ended with {}", out.status),
            AuthError::ReadTokenFile(cause, path) => format!("`{}`: {cause}", path.display()),
            _ => format!("`{plugin}` made none that can be used"),
        };
        Trouble::new("NoCredentials", Why::Expired, Some(detail))
    }
}

/// What an error answer means.
fn judged(status: u16, after: Option<u64>, body: &[u8]) -> Result<Reply, Trouble> {
    let said: Option<Status> = serde_json::from_slice(body).ok().filter(|said: &Status| said.kind == "Status");
    let known = said.is_some();
    let said = said.unwrap_or_default();
    let why = match status {
        // Without the server's own words somebody else may have answered.
        404 if known || status_of_paths(body) => return Ok(Reply::Absent),
        410 => return Ok(Reply::Gone(Some(said.metadata.next).filter(|next| !next.is_empty()))),
        401 => Why::Expired,
        429 => Why::Throttled,
        404 | 405 | 406 | 501 => Why::Unsupported,
        408 | 500.. => Why::Failed,
        _ => Why::Refused,
    };
    let code: String = said.reason.chars().filter(char::is_ascii_alphanumeric).take(60).collect();
    let code = if code.is_empty() { format!("Http{status}") } else { code };
    let after = after.or_else(|| Some(said.details.retry_after_seconds).filter(|seconds| *seconds > 0));
    Err(Trouble { refusal: Refusal::new(code, why), after: after.map(Duration::from_secs), detail: None })
}

/// Whether this is how API servers say that they know no such path.
fn status_of_paths(body: &[u8]) -> bool {
    body.starts_with(b"404 page not found")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_pass_is_told_from_what_will_not() {
        let said =
            |reason: &str| format!(r#"{{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"{reason}"}}"#);
        for (status, body, code, why) in [
            (403, said("Forbidden"), "Forbidden", Why::Refused),
            (401, said("Unauthorized"), "Unauthorized", Why::Expired),
            (429, said("TooManyRequests"), "TooManyRequests", Why::Throttled),
            (429, String::new(), "Http429", Why::Throttled),
            (500, said("InternalError"), "InternalError", Why::Failed),
            (503, "<html>".to_owned(), "Http503", Why::Failed),
            (504, said("Timeout"), "Timeout", Why::Failed),
            (406, said("NotAcceptable"), "NotAcceptable", Why::Unsupported),
            (404, "<html>".to_owned(), "Http404", Why::Unsupported),
            (302, String::new(), "Http302", Why::Refused),
        ] {
            let Err(trouble) = judged(status, None, body.as_bytes()) else { panic!("{status} is an answer") };
            assert_eq!((trouble.refusal.code.as_str(), trouble.refusal.why), (code, why));
        }
        assert!(matches!(judged(404, None, said("NotFound").as_bytes()), Ok(Reply::Absent)));
        assert!(matches!(judged(404, None, b"404 page not found\n"), Ok(Reply::Absent)));
        assert!(matches!(judged(410, None, said("Expired").as_bytes()), Ok(Reply::Gone(None))));
        let on = br#"{"kind":"Status","reason":"Expired","metadata":{"continue":"x"}}"#;
        assert!(matches!(judged(410, None, on), Ok(Reply::Gone(Some(next))) if next == "x"));
        let later = br#"{"kind":"Status","reason":"TooManyRequests","details":{"retryAfterSeconds":3}}"#;
        for (header, body) in [(Some(3), &b""[..]), (None, &later[..])] {
            let Err(trouble) = judged(429, header, body) else { panic!("an answer") };
            assert_eq!(trouble.after, Some(Duration::from_secs(3)));
        }
    }
}
