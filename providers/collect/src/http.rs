//! One HTTP exchange: the system's certificates, a proxy where the environment names one, a limit of time and of bytes. What
//! an answer means is its provider's business.

use std::error::Error;
use std::io::Cursor;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use evenhand_model::refusal::Why;
use http::{HeaderMap, Request, Uri};
use http_body_util::{BodyExt, Full};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::proxy::Tunnel;
use hyper_util::client::legacy::{Client, Error as LegacyError};
use hyper_util::client::proxy::matcher::Matcher;
use hyper_util::rt::TokioExecutor;

use crate::{Held, Page, Trouble, causes};

/// Answers larger than this many bytes are not taken.
const LARGEST: usize = 256 << 20;

type Body = Full<Cursor<Vec<u8>>>;

/// The way to a host.
enum Way {
    Direct(Client<HttpsConnector<HttpConnector>, Body>),
    Proxied(Client<HttpsConnector<Tunnel<HttpConnector>>, Body>),
}

/// Makes exchanges with one host.
pub struct Http {
    way: Way,
    limit: Duration,
    held: Arc<Held>,
}

impl std::fmt::Debug for Http {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Http").field("limit", &self.limit).finish_non_exhaustive()
    }
}

/// What was answered, whatever it means.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub page: Page,
}

impl Answer {
    /// A header as text; `None` where it is none.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

impl Http {
    /// The way to a host, with the time that an exchange may take. This machine is reached directly, whatever proxy the
    /// environment names: another machine's loopback is not what was meant.
    ///
    /// # Errors
    /// Where the system has no certificates, or the proxy is of a kind that is not spoken; in a few words.
    pub fn new(host: &Uri, limit: Duration, held: Arc<Held>) -> Result<Self, String> {
        Self::through(&Matcher::from_env(), host, limit, held)
    }

    fn through(proxies: &Matcher, host: &Uri, limit: Duration, held: Arc<Held>) -> Result<Self, String> {
        let mut plain = HttpConnector::new();
        plain.set_connect_timeout(Some(Duration::from_secs(10)));
        plain.set_nodelay(true);
        plain.enforce_http(false);
        let way = match proxies.intercept(host).filter(|_| !is_here(host)) {
            None => Way::Direct(Client::builder(TokioExecutor::new()).build(secured(plain)?)),
            Some(proxy) => {
                if proxy.uri().scheme_str() != Some("http") {
                    return Err("only proxies that are reached by HTTP are used".to_owned());
                }
                let mut tunnel = Tunnel::new(proxy.uri().clone(), plain);
                if let Some(who) = proxy.basic_auth() {
                    tunnel = tunnel.with_auth(who.clone());
                }
                Way::Proxied(Client::builder(TokioExecutor::new()).build(secured(tunnel)?))
            }
        };
        Ok(Self { way, limit, held })
    }

    /// Sends a request and takes its whole answer. Redirections are answers.
    ///
    /// # Errors
    /// Where there is no connection, no answer in time, or one that is cut off or too large.
    pub async fn send(&self, request: Request<Vec<u8>>) -> Result<Answer, Trouble> {
        let done = tokio::time::timeout(self.limit, self.exchange(request)).await;
        done.unwrap_or_else(|_| Err(Trouble::new("TimedOut", Why::Failed, None)))
    }

    async fn exchange(&self, request: Request<Vec<u8>>) -> Result<Answer, Trouble> {
        let request = request.map(|body| Full::new(Cursor::new(body)));
        let response = match &self.way {
            Way::Direct(client) => client.request(request).await,
            Way::Proxied(client) => client.request(request).await,
        };
        let (head, mut body) = response.map_err(|error| unsent(&error))?.into_parts();
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
        Ok(Answer { status: head.status.as_u16(), headers: head.headers, page: self.held.page(bytes) })
    }
}

/// Whether an address leads to this machine.
fn is_here(host: &Uri) -> bool {
    let name = host.host().unwrap_or_default().trim_matches(['[', ']']);
    name.eq_ignore_ascii_case("localhost") || name.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}

fn secured<C>(inner: C) -> Result<HttpsConnector<C>, String> {
    let builder = HttpsConnectorBuilder::new()
        .with_provider_and_native_roots(rustls::crypto::ring::default_provider())
        .map_err(|error| format!("the system's certificates cannot be read: {error}"))?;
    Ok(builder.https_or_http().enable_http1().wrap_connector(inner))
}

/// Why a request did not leave, or its answer did not come.
pub fn unsent(error: &(dyn Error + 'static)) -> Trouble {
    let mut connected = false;
    let mut cause = Some(error);
    while let Some(one) = cause {
        if let Some(io) = one.downcast_ref::<std::io::Error>() {
            use std::io::ErrorKind as Kind;
            let detail = causes(io);
            let code = match io.kind() {
                _ if detail.contains("certificate") => "NoTrust",
                Kind::TimedOut => "TimedOut",
                Kind::ConnectionReset | Kind::ConnectionAborted | Kind::BrokenPipe | Kind::UnexpectedEof => {
                    "ConnectionLost"
                }
                _ => "NoConnection",
            };
            return Trouble::new(code, Why::Failed, Some(detail));
        }
        connected |= one.downcast_ref::<LegacyError>().is_some_and(|error| !error.is_connect());
        cause = one.source();
    }
    let code = if connected { "ConnectionLost" } else { "NoConnection" };
    Trouble::new(code, Why::Failed, Some(causes(error)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::served::{How, Reply, Served};

    fn ask(how: How) -> Result<(u16, Vec<u8>), String> {
        let served = Served::new(move |request| Reply {
            status: 302,
            body: format!("{} {}?{} {}", request.method, request.path, request.query, request.body),
            how,
            ..Reply::default()
        });
        let served = served.unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let request = Request::post(format!("{}/a?b=c", served.url)).body(b"said".to_vec()).unwrap();
        let host = request.uri().clone();
        let done = runtime
            .block_on(async { Http::new(&host, Duration::from_secs(5), Arc::default()).unwrap().send(request).await });
        done.map(|answer| (answer.status, answer.page.bytes.clone())).map_err(|trouble| trouble.refusal.code)
    }

    #[test]
    fn an_answer_is_whole_or_none_and_redirections_are_not_followed() {
        assert_eq!(ask(How::Whole), Ok((302, b"POST /a?b=c said".to_vec())));
        for how in [How::Cut, How::Reset] {
            assert_eq!(ask(how), Err("ConnectionLost".to_owned()), "{how:?}");
        }
    }

    #[test]
    fn this_machine_is_reached_without_a_proxy() {
        let proxies = Matcher::builder().all("http://127.0.0.1:9").build();
        let is_proxied = |url: &str| {
            let http = Http::through(&proxies, &url.parse().unwrap(), Duration::from_secs(5), Arc::default());
            matches!(http.unwrap().way, Way::Proxied(_))
        };
        for url in ["http://127.0.0.1:8080", "http://127.8.9.1", "https://localhost/api", "http://[::1]:8080"] {
            assert!(!is_proxied(url), "{url}");
        }
        for url in ["https://git.acme.example/api/v3", "http://128.0.0.1", "https://localhost.example"] {
            assert!(is_proxied(url), "{url}");
        }
    }

    #[test]
    fn a_host_that_does_not_answer_is_told_from_one_that_hangs_up() {
        let served = Served::new(|_| Reply::default()).unwrap();
        let url = served.url.clone();
        drop(served);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let request = Request::get(url).body(Vec::new()).unwrap();
        let host = request.uri().clone();
        let trouble = runtime.block_on(async {
            Http::new(&host, Duration::from_secs(5), Arc::default()).unwrap().send(request).await.unwrap_err()
        });
        assert!(["NoConnection", "ConnectionLost"].contains(&trouble.refusal.code.as_str()), "{trouble:?}");
    }
}
