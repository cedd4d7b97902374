//! One call after another, signed: retries, pages, and answers that are not ready yet. Every loop has an end.

use std::net::ToSocketAddrs;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use aws_smithy_runtime_api::client::http::HttpConnector;
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use evenhand_collect::{NoAnswer, Stop, Tries, Trouble, retried};
use evenhand_model::refusal::{Refusal, Why};
use serde_json::{Map, Value};
use tokio::sync::Semaphore;

use super::session::{Held, Partition, Session};
use super::table::{self, Call};
use super::wire::{self, Parameters};
use crate::documents::refusal::NOT_IN_REGION;

/// How calls are paced and bounded.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    /// The first wait before a call is made again; later ones double.
    pub(crate) first_wait: Duration,
    /// Calls under way at one time.
    pub(crate) at_once: usize,
    /// Pages of one answer at most.
    pub(crate) pages: usize,
    /// Whether the first page is enough.
    pub(crate) first_page: bool,
}

impl Pace {
    /// The vendor asks for no wait of a certain length.
    const TRIES: Tries = Tries { throttled: 12, failed: 3, malformed: 3, longest: Duration::ZERO };
    /// Tries of what is not ready yet.
    const UNFINISHED_TRIES: u32 = 90;

    fn wait(self, tries: u32) -> Duration {
        evenhand_collect::wait(self.first_wait, tries)
    }
}

impl Default for Pace {
    fn default() -> Self {
        Self { first_wait: Duration::from_millis(200), at_once: 16, pages: 10_000, first_page: false }
    }
}

/// Where a call goes, and as whom.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) account: Arc<str>,
    pub(crate) region: Arc<str>,
    pub(crate) credentials: Arc<Held>,
    /// The role that is assumed in this account.
    pub(crate) role: Option<Arc<str>>,
}

/// Makes calls.
#[derive(Debug)]
pub(crate) struct Client {
    pub(crate) session: Session,
    stop: Stop,
    pace: Pace,
    slots: Semaphore,
}

/// Our word for a host that cannot be reached.
const NO_CONNECTION: &str = "NoConnection";

/// Answers larger than this many bytes are not taken.
const LARGEST: usize = 256 << 20;

impl Client {
    pub(crate) fn new(session: Session, stop: Stop, pace: Pace) -> Self {
        Self { session, stop, pace, slots: Semaphore::new(pace.at_once) }
    }

    pub(crate) fn stop(&self) -> &Stop {
        &self.stop
    }

    /// Makes a call until its answer is whole: all pages, and ready.
    pub(crate) async fn ask(&self, call: &Call, place: &Place, parameters: &Parameters) -> Result<Value, NoAnswer> {
        for tries in 0..Pace::UNFINISHED_TRIES {
            let answer = self.pages(call, place, parameters).await?;
            let Some(wait) = call.wait else { return Ok(answer) };
            match answer.pointer(wait.state).and_then(Value::as_str) {
                Some(state) if state == wait.finished => return Ok(answer),
                Some(state) if wait.unfinished.contains(&state) => {}
                Some(_) => return Err(Refusal::new("NotCompleted", Why::Failed).into()),
                None => return Err(Refusal::new("NotUnderstood", Why::Malformed).into()),
            }
            self.pause(self.pace.wait(tries.min(3))).await?;
        }
        Err(Refusal::new("NotFinished", Why::Failed).into())
    }

    async fn pages(&self, call: &Call, place: &Place, parameters: &Parameters) -> Result<Value, NoAnswer> {
        let mut whole = self.retried(call, place, parameters, None).await?;
        let Some(pages) = call.pages else { return Ok(whole) };
        let mut next = token(&mut whole, pages.next)?;
        if self.pace.first_page {
            return Ok(whole);
        }
        for _ in 1..self.pace.pages {
            let Some(page) = next else { return Ok(whole) };
            let mut answer = self.retried(call, place, parameters, Some(&page)).await?;
            next = token(&mut answer, pages.next)?;
            if next.as_ref() == Some(&page) {
                break;
            }
            for list in pages.lists {
                let Some(Value::Array(more)) = answer.get_mut(*list).map(Value::take) else { continue };
                match whole.get_mut(*list) {
                    Some(Value::Array(held)) => held.extend(more),
                    _ => {
                        if let Some(whole) = whole.as_object_mut() {
                            whole.insert((*list).to_owned(), Value::Array(more));
                        }
                    }
                }
            }
        }
        match next {
            None => Ok(whole),
            // Half a list must not look like a whole one.
            Some(_) => Err(Refusal::new("EndlessPages", Why::Malformed).into()),
        }
    }

    async fn retried(
        &self,
        call: &Call,
        place: &Place,
        parameters: &Parameters,
        page: Option<&str>,
    ) -> Result<Value, NoAnswer> {
        let once = || self.once(call, place, parameters, page);
        let done = retried(&self.stop, Pace::TRIES, self.pace.first_wait, once).await;
        match &done {
            // One failed look-up says nothing yet.
            Err(NoAnswer::Refused(trouble)) if trouble.refusal.code == NO_CONNECTION => {
                let absent = self.stop.or(self.absent(call, place)).await.ok_or(NoAnswer::Stopped)?;
                if absent { Err(Refusal::new(NOT_IN_REGION, Why::Unsupported).into()) } else { done }
            }
            _ => done,
        }
    }

    async fn pause(&self, time: Duration) -> Result<(), NoAnswer> {
        self.stop.or(tokio::time::sleep(time)).await.ok_or(NoAnswer::Stopped)
    }

    /// One request and its answer.
    async fn once(
        &self,
        call: &Call,
        place: &Place,
        parameters: &Parameters,
        page: Option<&str>,
    ) -> Result<Result<Value, Trouble>, NoAnswer> {
        // Waiting comes first: a signature is good for minutes, and so may credentials be.
        let _slot = self.stop.or(self.slots.acquire()).await.ok_or(NoAnswer::Stopped)?;
        let credentials = self.credentials(place).await?;
        let done = self.exchange(call, place, &credentials, parameters, page).await?;
        if done.as_ref().is_err_and(|refusal| refusal.why == Why::Expired) {
            place.credentials.forget(&credentials).await;
        }
        Ok(done.map_err(Trouble::from))
    }

    async fn exchange(
        &self,
        call: &Call,
        place: &Place,
        credentials: &Credentials,
        parameters: &Parameters,
        page: Option<&str>,
    ) -> Result<Result<Value, Refusal>, NoAnswer> {
        let endpoint = self.session.endpoint(call.service, &place.region);
        let Some(request) = signed(call, place, credentials, &endpoint, &wire::request(call, parameters, page)) else {
            return Ok(Err(Refusal::new("BadEndpoint", Why::Unsupported)));
        };
        let exchange = async {
            let response = self.session.connector.call(request).await.map_err(|error| {
                let code = if error.is_timeout() { "TimedOut" } else { NO_CONNECTION };
                Refusal::new(code, Why::Failed)
            })?;
            let status = response.status().as_u16();
            let header = response.headers().get("x-amzn-errortype").map(str::to_owned);
            let body = body(response).await?;
            if (200..300).contains(&status) {
                let answer = wire::answer(call, &body).and_then(|answer| whole(call, answer));
                return answer.ok_or_else(|| Refusal::new("NotUnderstood", Why::Malformed));
            }
            Err(judged(status, wire::error_code(header.as_deref(), &body), &body))
        };
        self.stop.or(exchange).await.ok_or(NoAnswer::Stopped)
    }

    /// Whether the vendor has no such service in the region: its host has no address, while the region's others have.
    async fn absent(&self, call: &Call, place: &Place) -> bool {
        let sts = table::caller().service;
        if call.service.global || call.service == sts || self.session.own_endpoint(call.service).is_some() {
            return false;
        }
        let partition = Partition::of(&place.region);
        let host = |service| partition.endpoint(service, &place.region).replacen("https://", "", 1);
        let (asked, other) = (host(call.service), host(sts));
        let known = |host: String| (host, 443).to_socket_addrs().is_ok_and(|mut found| found.next().is_some());
        tokio::task::spawn_blocking(move || !known(asked) && known(other)).await.unwrap_or(false)
    }

    /// The credentials of a place. A role is assumed by one caller at a time, within the slot of that caller.
    pub(crate) async fn credentials(&self, place: &Place) -> Result<Credentials, NoAnswer> {
        let held = self.stop.or(place.credentials.get()).await.ok_or(NoAnswer::Stopped)?;
        match (held, &place.role) {
            (Ok(Some(credentials)), _) => Ok(credentials),
            (Ok(None), Some(role)) => {
                let _renewal = self.stop.or(place.credentials.renewal.lock()).await.ok_or(NoAnswer::Stopped)?;
                if let Ok(Some(credentials)) = place.credentials.get().await {
                    return Ok(credentials);
                }
                let fresh = self.assume(place, role).await?;
                place.credentials.put(fresh.clone()).await;
                Ok(fresh)
            }
            (Ok(None), None) | (Err(_), _) => Err(Refusal::new("NoCredentials", Why::Expired).into()),
        }
    }

    /// Becomes a role of another account, with the credentials at hand.
    async fn assume(&self, place: &Place, role: &str) -> Result<Credentials, NoAnswer> {
        let parameters = [("RoleArn", role), ("RoleSessionName", "evenhand")];
        let parameters = parameters.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let answer =
            retried(&self.stop, Pace::TRIES, self.pace.first_wait, || self.assume_once(place, &parameters)).await?;
        let part = |name: &str| answer.pointer(&format!("/Credentials/{name}")).and_then(Value::as_str);
        let (Some(id), Some(secret)) = (part("AccessKeyId"), part("SecretAccessKey")) else {
            return Err(Refusal::new("NotUnderstood", Why::Malformed).into());
        };
        let ends = part("Expiration").and_then(|text| text.parse::<jiff::Timestamp>().ok()).map(SystemTime::from);
        Ok(Credentials::new(id, secret, part("SessionToken").map(str::to_owned), ends, "evenhand"))
    }

    async fn assume_once(&self, place: &Place, parameters: &Parameters) -> Result<Result<Value, Trouble>, NoAnswer> {
        let own = self.stop.or(self.session.credentials.get()).await.ok_or(NoAnswer::Stopped)?;
        let Ok(Some(own)) = own else { return Err(Refusal::new("NoCredentials", Why::Expired).into()) };
        let done = self.exchange(table::assume(), place, &own, parameters, None).await?;
        if done.as_ref().is_err_and(|refusal| refusal.why == Why::Expired) {
            self.session.credentials.forget(&own).await;
        }
        Ok(done.map_err(Trouble::from))
    }
}

/// Takes the token of the next page out of an answer.
fn token(answer: &mut Value, next: &str) -> Result<Option<String>, Refusal> {
    let mut take = |name: &str| answer.as_object_mut().and_then(|answer| answer.remove(name));
    match (take("IsTruncated"), take(next)) {
        (Some(Value::Bool(false)), _) => Ok(None),
        (_, Some(Value::String(token))) if !token.is_empty() => Ok(Some(token)),
        (None | Some(Value::Null), None | Some(Value::Null | Value::String(_))) => Ok(None),
        // There is more, and no way to it.
        _ => Err(Refusal::new("NotUnderstood", Why::Malformed)),
    }
}

/// An answer that holds what every answer of the call holds; `None` for any other: something else may have answered. An
/// empty list that the service leaves out is put in.
fn whole(call: &Call, mut answer: Value) -> Option<Value> {
    let waits = |wait: table::Wait| answer.pointer(wait.state).and_then(Value::as_str) != Some(wait.finished);
    if call.wait.is_some_and(waits) {
        return Some(answer);
    }
    let lists = call.pages.map_or(&[][..], |pages| pages.lists);
    let listed = lists.is_empty() || lists.iter().any(|list| answer.get(list).is_some_and(Value::is_array));
    if listed && call.holds.is_none_or(|member| answer.get(member).is_some_and(|held| !held.is_null())) {
        return Some(answer);
    }
    let members = answer.as_object_mut().filter(|members| call.omits_empty && say_nothing(call, members))?;
    members.extend(lists.iter().copied().chain(call.holds).map(|list| (list.to_owned(), Value::Array(Vec::new()))));
    Some(answer)
}

/// Whether members say nothing but that there may be another page.
fn say_nothing(call: &Call, members: &Map<String, Value>) -> bool {
    let paging = |name: &str| name == "IsTruncated" || call.pages.is_some_and(|pages| name == pages.next);
    members.iter().all(|(name, value)| value.is_null() || paging(name))
}

async fn body(response: HttpResponse) -> Result<Vec<u8>, Refusal> {
    let mut stream = ByteStream::new(response.into_body());
    let mut bytes = Vec::new();
    loop {
        match stream.try_next().await {
            Ok(Some(more)) if bytes.len() + more.len() <= LARGEST => bytes.extend_from_slice(&more),
            Ok(Some(_)) => return Err(Refusal::new("TooLarge", Why::Malformed)),
            Ok(None) => return Ok(bytes),
            Err(_) => return Err(Refusal::new("ConnectionLost", Why::Failed)),
        }
    }
}

/// What an error answer means.
fn judged(status: u16, code: Option<String>, body: &[u8]) -> Refusal {
    const LATER: [&str; 11] = [
        "BandwidthLimitExceeded",
        "EC2ThrottledException",
        "LimitExceededException",
        "PriorRequestNotComplete",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "SlowDown",
        "ThrottledException",
        "TooManyRequestsException",
    ];
    const UNKNOWN: [&str; 4] =
        ["InvalidAction", "NotImplemented", "UnknownOperationException", "UnsupportedOperationException"];
    let word = code.as_deref().unwrap_or_default();
    // A signature that came too late has the code of a wrong one.
    let late = || String::from_utf8_lossy(body).to_ascii_lowercase().contains("expired");
    let signature = matches!(word, "InvalidSignatureException" | "SignatureDoesNotMatch");
    let why = if word.starts_with("ExpiredToken") || word == "RequestExpired" || (signature && late()) {
        Why::Expired
    } else if status == 429 || word.starts_with("Throttling") || LATER.contains(&word) {
        Why::Throttled
    } else if UNKNOWN.contains(&word) || status == 501 || (status == 404 && code.is_none()) {
        Why::Unsupported
    } else if status >= 500 || status == 408 || word.starts_with("RequestTimeout") {
        Why::Failed
    } else {
        Why::Refused
    };
    Refusal::new(code.unwrap_or_else(|| format!("Http{status}")), why)
}

/// The request, signed; `None` where the endpoint is no address.
fn signed(
    call: &Call,
    place: &Place,
    credentials: &Credentials,
    endpoint: &str,
    request: &wire::Request,
) -> Option<HttpRequest> {
    let uri = format!("{endpoint}{}", request.target);
    let partition = Partition::of(&place.region);
    let identity = credentials.clone().into();
    let parameters = v4::SigningParams::builder()
        .identity(&identity)
        .region(partition.signing_region(call.service, &place.region))
        .name(call.service.signing)
        .time(SystemTime::now())
        .settings(SigningSettings::default())
        .build()
        .ok()?
        .into();
    let headers = request.headers.iter().map(|(name, value)| (*name, value.as_str()));
    let body = SignableBody::Bytes(request.body.as_bytes());
    let signable = SignableRequest::new(request.method, uri.as_str(), headers, body).ok()?;
    let (instructions, _) = sign(signable, &parameters).ok()?.into_parts();
    let mut signed = HttpRequest::new(SdkBody::from(request.body.clone()));
    signed.set_method(request.method).ok()?;
    signed.set_uri(uri).ok()?;
    let agent = concat!("evenhand/", env!("CARGO_PKG_VERSION"));
    let told = request.headers.iter().map(|(name, value)| (*name, value.clone()));
    for (name, value) in told.chain([("user-agent", agent.to_owned())]) {
        signed.headers_mut().try_insert(name, value).ok()?;
    }
    for header in instructions.into_parts().0 {
        signed.headers_mut().try_insert(header.name(), header.value().to_owned()).ok()?;
    }
    Some(signed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_pass_is_told_from_what_will_not() {
        for (status, code, why) in [
            (400, Some("ThrottlingException"), Why::Throttled),
            (400, Some("Throttling"), Why::Throttled),
            (503, Some("SlowDown"), Why::Throttled),
            (429, None, Why::Throttled),
            (500, None, Why::Failed),
            (503, Some("ServiceUnavailable"), Why::Failed),
            (404, None, Why::Unsupported),
            (404, Some("ResourceNotFoundException"), Why::Refused),
            (403, Some("AccessDeniedException"), Why::Refused),
            (403, None, Why::Refused),
            (400, Some("InvalidAction"), Why::Unsupported),
            (408, None, Why::Failed),
            (400, Some("RequestTimeout"), Why::Failed),
            (400, Some("ExpiredTokenException"), Why::Expired),
            (403, Some("ExpiredToken"), Why::Expired),
            (400, Some("RequestExpired"), Why::Expired),
            (403, Some("InvalidSignatureException"), Why::Refused),
        ] {
            let refusal = judged(status, code.map(str::to_owned), b"");
            assert_eq!(refusal.why, why, "{status} {code:?}");
            assert!(!refusal.code.is_empty());
        }
        let late = br#"{"message":"Signature expired: 20261101T000000Z is now earlier than"}"#;
        assert_eq!(judged(403, Some("InvalidSignatureException".to_owned()), late).why, Why::Expired);
    }

    #[test]
    fn an_answer_that_is_cut_off_or_foreign_is_not_taken_for_an_empty_list() {
        use serde_json::json;
        for (mut answer, next) in [
            (json!({"Marker": "m", "IsTruncated": true}), Ok(Some("m"))),
            (json!({"Marker": "m", "IsTruncated": false}), Ok(None)),
            (json!({"Marker": "m"}), Ok(Some("m"))),
            (json!({"Marker": ""}), Ok(None)),
            (json!({"Marker": null}), Ok(None)),
            (json!({}), Ok(None)),
            (json!({"IsTruncated": true}), Err(())),
            (json!({"IsTruncated": true, "Marker": ""}), Err(())),
            (json!({"Marker": {"x": 1}}), Err(())),
        ] {
            let got = token(&mut answer, "Marker").map_err(drop);
            assert_eq!(got.as_ref().map(Option::as_deref), next.as_ref().map(|next| *next), "{answer}");
        }
        let call = |operation: &str| table::calls().find(|call| call.operation == operation).unwrap();
        for (operation, answer, taken) in [
            ("ListAgents", json!({"agentSummaries": []}), Some(json!({"agentSummaries": []}))),
            ("ListAgents", json!({}), None),
            ("ListAgents", json!({"agentSummaries": {}}), None),
            ("ListAgents", json!({"status": "ok"}), None),
            ("GetAgent", json!({}), None),
            (
                "GetServiceLastAccessedDetails",
                json!({"JobStatus": "IN_PROGRESS"}),
                Some(json!({"JobStatus": "IN_PROGRESS"})),
            ),
            ("GetServiceLastAccessedDetails", json!({"JobStatus": "COMPLETED"}), None),
            // Members that the vendor's models do not require may be left out where they are empty.
            ("ListFunctions", json!({}), Some(json!({"Functions": []}))),
            ("ListFunctions", json!({"Functions": null}), Some(json!({"Functions": []}))),
            ("ListFunctions", json!({"Functions": {}}), None),
            ("ListFunctions", json!({"status": "ok"}), None),
            ("ListFunctions", json!({"NextMarker": "m"}), Some(json!({"Functions": [], "NextMarker": "m"}))),
            ("ListSAMLProviders", json!({}), Some(json!({"SAMLProviderList": []}))),
            ("DescribeTrails", json!({}), Some(json!({"trailList": []}))),
            ("DescribeTrails", json!({"trailList": null}), Some(json!({"trailList": []}))),
            ("GetAgent", json!({"agent": null}), None),
            ("GetAccountAuthorizationDetails", json!({"IsTruncated": false}), None),
        ] {
            assert_eq!(whole(call(operation), answer.clone()), taken, "{operation} {answer}");
        }
    }
}
