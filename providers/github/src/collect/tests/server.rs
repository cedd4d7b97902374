//! GitHub on 127.0.0.1: organisations with pages, permissions, budgets and tags; it fails where a script says so.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use evenhand_collect::served::{How, Reply, Request, Served};
use serde_json::{Value, json};

use crate::collect::table::{Pages, STEPS};
use crate::documents::route::{Asked, Route};

/// A request as the server saw it.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) query: BTreeMap<String, String>,
    pub(super) headers: BTreeMap<String, String>,
    /// The call, where it is one that is understood.
    pub(super) route: Option<Route>,
    /// How many requests with this path and page came before it.
    pub(super) before: usize,
    /// How many requests came before it.
    pub(super) number: usize,
}

impl Seen {
    pub(super) fn page(&self) -> usize {
        self.query.get("page").map_or(1, |page| page.parse().unwrap())
    }
}

/// What goes wrong with a request.
#[derive(Clone, Debug)]
pub(super) enum Fault {
    /// A refusal in GitHub's words, with headers.
    Refuse(u16, &'static str, Vec<(&'static str, String)>),
    /// Any body.
    Answer(String),
    /// The link to the next page.
    Link(String),
    /// As it is sent.
    Sent(How),
}

impl Fault {
    pub(super) fn status(status: u16, message: &'static str) -> Option<Self> {
        Some(Self::Refuse(status, message, Vec::new()))
    }
}

type Script = dyn Fn(&Seen) -> Option<Fault> + Send + Sync;
type Contents = dyn Fn(&Asked) -> Option<Value> + Send + Sync;

/// What a server allows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limit {
    /// So many requests.
    pub(super) requests: u64,
    /// In such a time, in seconds.
    pub(super) window: u64,
}

/// How the requests fared.
#[derive(Default)]
struct Log {
    seen: Vec<Seen>,
    /// How many requests with a path and a query came.
    alike: HashMap<String, usize>,
    /// Requests in the window that is told by its end.
    window: (u64, u64),
    over_budget: usize,
    windows: usize,
    unchanged: usize,
}

/// The server; it ends with the value.
pub(super) struct Server {
    pub(super) url: String,
    log: Arc<Mutex<Log>>,
    _served: Served,
}

impl Server {
    /// Serves what there is; the script says what goes wrong.
    pub(super) fn new(
        contents: impl Fn(&Asked) -> Option<Value> + Send + Sync + 'static,
        script: impl Fn(&Seen) -> Option<Fault> + Send + Sync + 'static,
    ) -> Self {
        Self::limited(None, contents, script)
    }

    pub(super) fn limited(
        limit: Option<Limit>,
        contents: impl Fn(&Asked) -> Option<Value> + Send + Sync + 'static,
        script: impl Fn(&Seen) -> Option<Fault> + Send + Sync + 'static,
    ) -> Self {
        let log: Arc<Mutex<Log>> = Arc::default();
        let held = Arc::clone(&log);
        let served = Served::new(move |request| serve(request, &held, limit, &contents, &script)).unwrap();
        Self { url: served.url.clone(), log, _served: served }
    }

    /// Everything that was asked.
    pub(super) fn seen(&self) -> Vec<Seen> {
        self.log.lock().unwrap().seen.clone()
    }

    /// How often a call was made.
    pub(super) fn count(&self, route: Route) -> usize {
        self.log.lock().unwrap().seen.iter().filter(|seen| seen.route == Some(route)).count()
    }

    /// How many requests came.
    pub(super) fn requests(&self) -> usize {
        self.log.lock().unwrap().seen.len()
    }

    /// Requests that the budget did not allow, budgets that were begun, and answers that nothing had changed.
    pub(super) fn budget(&self) -> (usize, usize, usize) {
        let log = self.log.lock().unwrap();
        (log.over_budget, log.windows, log.unchanged)
    }
}

fn serve(request: &Request, log: &Mutex<Log>, limit: Option<Limit>, contents: &Contents, script: &Script) -> Reply {
    let query: BTreeMap<String, String> = request.fields().collect();
    let plain: Vec<&str> = request
        .query
        .split('&')
        .filter(|part| !part.is_empty() && !part.starts_with("page=") && !part.starts_with("per_page="))
        .collect();
    let path = if plain.is_empty() { request.path.clone() } else { format!("{}?{}", request.path, plain.join("&")) };
    let asked = Asked::parse(&path);
    let (seen, spent, reset) = {
        let mut log = log.lock().unwrap();
        let alike = log.alike.entry(format!("{}?{}", request.path, request.query)).or_default();
        let before = std::mem::replace(alike, *alike + 1);
        let seen = Seen {
            method: request.method.clone(),
            path: path.clone(),
            headers: request.headers.iter().cloned().collect(),
            route: asked.as_ref().map(|asked| asked.route),
            query,
            before,
            number: log.seen.len(),
        };
        log.seen.push(seen.clone());
        // Whether it costs anything is known when the answer is; what is unchanged is given back below.
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
        if let Some(limit) = limit {
            if log.window.0 <= now {
                log.window = (now + limit.window, 0);
                log.windows += 1;
            }
            log.window.1 += 1;
        }
        (seen, log.window.1, log.window.0)
    };
    let mut headers: Vec<(String, String)> = Vec::new();
    let mut header = |name: &str, value: String| headers.push((name.to_owned(), value));
    header("content-type", "application/json; charset=utf-8".to_owned());
    if let Some(limit) = limit {
        header("x-ratelimit-limit", limit.requests.to_string());
        header("x-ratelimit-remaining", limit.requests.saturating_sub(spent).to_string());
        header("x-ratelimit-reset", reset.to_string());
        header("x-ratelimit-resource", "core".to_owned());
        if spent > limit.requests {
            log.lock().unwrap().over_budget += 1;
            return Reply {
                status: 403,
                headers,
                body: message("API rate limit exceeded for user ID 1."),
                how: How::Whole,
            };
        }
    }
    let (mut how, mut link) = (How::Whole, None);
    match script(&seen) {
        Some(Fault::Refuse(status, words, more)) => {
            headers.extend(more.into_iter().map(|(name, value)| (name.to_owned(), value)));
            return Reply { status, headers, body: message(words), how };
        }
        Some(Fault::Answer(body)) => return Reply { status: 200, headers, body, how },
        Some(Fault::Link(to)) => link = Some(to),
        Some(Fault::Sent(sent)) => how = sent,
        None => {}
    }
    let Some(asked) = asked else {
        return Reply { status: 404, headers, body: message("Not Found"), how };
    };
    let pages = STEPS.iter().find(|step| step.route == asked.route).unwrap().pages;
    let whole = contents(&asked).unwrap_or_else(|| nothing(pages));
    if whole.is_null() {
        return Reply { status: 404, headers, body: message("Not Found"), how };
    }
    let size: usize = seen.query.get("per_page").map_or(30, |size| size.parse().unwrap());
    let (body, more) = page(whole, pages, seen.page(), size);
    let next = link.or_else(|| {
        let host = request.header("host");
        let plain = if plain.is_empty() { String::new() } else { format!("{}&", plain.join("&")) };
        more.then(|| format!("http://{host}{}?{plain}per_page={size}&page={}", request.path, seen.page() + 1))
    });
    if let Some(next) = next {
        headers.push(("link".to_owned(), format!("<{next}>; rel=\"next\", <{next}>; rel=\"last\"")));
    }
    let body = body.to_string();
    let tag = format!("W/\"{:x}\"", body.bytes().fold(7_u64, |hash, byte| hash.wrapping_mul(31) + u64::from(byte)));
    if request.header("if-none-match") == tag {
        let mut log = log.lock().unwrap();
        log.unchanged += 1;
        // It was counted for the window in which it came; by now another one may have begun.
        if limit.is_some() && log.window.0 == reset {
            log.window.1 -= 1;
        }
        return Reply { status: 304, headers, body: String::new(), how };
    }
    headers.push(("etag".to_owned(), tag));
    Reply { status: 200, headers, body, how }
}

pub(super) fn message(words: &str) -> String {
    json!({"message": words, "documentation_url": "https://docs.github.com/rest"}).to_string()
}

/// The answer that there is nothing.
fn nothing(pages: Pages) -> Value {
    match pages {
        Pages::One => json!({}),
        Pages::List | Pages::First => json!([]),
        Pages::Member(list) => json!({"total_count": 0, list: []}),
    }
}

/// A page of an answer, and whether there are more.
fn page(mut whole: Value, pages: Pages, page: usize, size: usize) -> (Value, bool) {
    let list = match pages {
        Pages::One => return (whole, false),
        Pages::List | Pages::First => &mut whole,
        Pages::Member(list) => &mut whole[list],
    };
    let all = list.as_array().unwrap().len();
    let some: Vec<Value> = list.as_array().unwrap().iter().skip((page - 1) * size).take(size).cloned().collect();
    *list = Value::Array(some);
    (whole, page * size < all)
}
