//! Microsoft Graph and Azure Resource Manager on 127.0.0.1, with pages, batches and permissions; it fails where a script says
//! so. Graph is asked as `127.0.0.1`, Resource Manager as `localhost`.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, OnceLock};

use evenhand_collect::served::{How, Reply, Request, Served};
use serde_json::{Value, json};

use super::{TENANT, token};

/// Elements of a page, where nothing else is said.
const PAGE: usize = 2;

/// A call as the server saw it, alone or in a batch.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub(super) method: String,
    /// As captures have it.
    pub(super) path: String,
    pub(super) query: BTreeMap<String, String>,
    /// How many calls came with it; 0 = it came alone.
    pub(super) batch: usize,
    /// How many with this path and page came before it.
    pub(super) before: usize,
    /// How many calls came before it.
    pub(super) number: usize,
}

/// What goes wrong with a call.
#[derive(Clone, Debug)]
pub(super) enum Fault {
    /// A refusal with the vendor's code.
    Refuse(u16, &'static str),
    /// The same, with the seconds to wait.
    Later(u16, u64),
    /// Any body.
    Answer(String),
    /// The link to the next page.
    Link(String),
    /// As it is sent. Of a batch, that of the first call counts.
    Sent(How),
}

/// What there is: the same for every question.
pub(super) trait Holds: Send + Sync {
    /// What lies at a path, as captures have it.
    fn at(&self, path: &str) -> Option<Lying<'_>>;
}

/// What lies at a path.
pub(super) enum Lying<'a> {
    /// One object.
    One(Value),
    /// So many elements, each by its number.
    List(usize, Box<dyn Fn(usize) -> Value + 'a>),
}

impl Holds for BTreeMap<String, Value> {
    fn at(&self, path: &str) -> Option<Lying<'_>> {
        Some(match self.get(path)? {
            Value::Array(all) => Lying::List(all.len(), Box::new(|at| all[at].clone())),
            one => Lying::One(one.clone()),
        })
    }
}

/// The calls so far, and how many there were of each.
#[derive(Default)]
struct Log {
    seen: Vec<Seen>,
    counts: HashMap<String, usize>,
}

type Script = dyn Fn(&Seen) -> Option<Fault> + Send + Sync;

/// The server; it ends with the value.
pub(super) struct Server {
    pub(super) url: String,
    log: Arc<Mutex<Log>>,
    _served: Served,
}

impl Server {
    /// Serves what there is; the script says what goes wrong.
    pub(super) fn new(
        world: impl Holds + 'static,
        script: impl Fn(&Seen) -> Option<Fault> + Send + Sync + 'static,
    ) -> Self {
        Self::paged(world, PAGE, script)
    }

    /// The same in pages of another size.
    pub(super) fn paged(
        world: impl Holds + 'static,
        page: usize,
        script: impl Fn(&Seen) -> Option<Fault> + Send + Sync + 'static,
    ) -> Self {
        let log: Arc<Mutex<Log>> = Arc::default();
        let (held, url) = (Arc::clone(&log), Arc::new(OnceLock::<String>::new()));
        let own = Arc::clone(&url);
        let served = Served::new(move |request| {
            let playing =
                Playing { world: &world, page, log: &held, script: &script, url: own.get().map_or("", String::as_str) };
            playing.serve(request)
        });
        let served = served.unwrap();
        url.set(served.url.clone()).unwrap();
        Self { url: served.url.clone(), log, _served: served }
    }

    /// Everything that was asked.
    pub(super) fn seen(&self) -> Vec<Seen> {
        self.log.lock().unwrap().seen.clone()
    }

    /// How often a path was asked for, whatever the page.
    pub(super) fn count(&self, path: &str) -> usize {
        self.seen().iter().filter(|seen| seen.path == path).count()
    }
}

struct Playing<'a> {
    world: &'a dyn Holds,
    page: usize,
    log: &'a Mutex<Log>,
    script: &'a Script,
    url: &'a str,
}

/// An answer before it is sent.
struct Said {
    status: u16,
    retry: Option<u64>,
    body: String,
    how: How,
}

impl Said {
    fn error(status: u16, code: &str) -> Self {
        let body = json!({"error": {"code": code, "message": "said so"}}).to_string();
        Self { status, retry: None, body, how: How::Whole }
    }
}

impl Playing<'_> {
    fn serve(&self, request: &Request) -> Reply {
        let graph = request.header("host").starts_with("127.0.0.1");
        let audience = if graph { "https://graph.microsoft.com" } else { "https://management.azure.com" };
        let said = if request.header("authorization")
            != format!("Bearer {}", token(TENANT, &format!("{audience}/.default")))
        {
            Said::error(401, "InvalidAuthenticationToken")
        } else if request.path.ends_with("/$batch") {
            self.batch(&request.body)
        } else {
            let target = if request.query.is_empty() {
                request.path.clone()
            } else {
                format!("{}?{}", request.path, request.query)
            };
            self.call(&request.method, &target, &request.body, graph, 0)
        };
        let headers = said.retry.map(|after| ("retry-after".to_owned(), after.to_string())).into_iter().collect();
        Reply { status: said.status, headers, body: said.body, how: said.how }
    }

    fn batch(&self, body: &str) -> Said {
        let body: Value = serde_json::from_str(body).unwrap();
        let requests = body["requests"].as_array().unwrap();
        assert!((1..=20).contains(&requests.len()));
        let (mut responses, mut how) = (Vec::new(), How::Whole);
        for request in requests {
            let target = format!("/v1.0{}", request["url"].as_str().unwrap());
            let said = self.call(request["method"].as_str().unwrap(), &target, "", true, requests.len());
            if how == How::Whole {
                how = said.how;
            }
            let headers =
                said.retry.map(|after| json!({"Retry-After": after.to_string()})).unwrap_or_else(|| json!({}));
            let body: Value = serde_json::from_str(&said.body).unwrap_or_else(|_| said.body.clone().into());
            responses.push(json!({"id": request["id"], "status": said.status, "headers": headers, "body": body}));
        }
        // Graph answers in any order.
        responses.reverse();
        Said { status: 200, retry: None, body: json!({ "responses": responses }).to_string(), how }
    }

    fn call(&self, method: &str, target: &str, body: &str, graph: bool, batch: usize) -> Said {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let fields: BTreeMap<String, String> = query
            .split('&')
            .filter_map(|part| part.split_once('='))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        let filter = fields.get("$filter").map(|filter| format!("?$filter={filter}")).unwrap_or_default();
        let path = format!("{path}{filter}");
        let seen = {
            let mut log = self.log.lock().unwrap();
            let count = log.counts.entry(format!("{path} {fields:?}")).or_default();
            let before = *count;
            *count += 1;
            let number = log.seen.len();
            let seen = Seen { method: method.to_owned(), path: path.clone(), query: fields, batch, before, number };
            log.seen.push(seen.clone());
            seen
        };
        let mut link = None;
        match (self.script)(&seen) {
            None => {}
            Some(Fault::Refuse(status, code)) => return Said::error(status, code),
            Some(Fault::Later(status, after)) => {
                return Said { retry: Some(after), ..Said::error(status, "TooManyRequests") };
            }
            Some(Fault::Answer(body)) => return Said { status: 200, retry: None, body, how: How::Whole },
            Some(Fault::Link(address)) => link = Some(address),
            Some(Fault::Sent(how)) => {
                return Said { status: 200, retry: None, body: "{\"value\":[]}   ".to_owned(), how };
            }
        }
        let (count, element) = match self.world.at(&path) {
            None => return Said::error(404, "Request_ResourceNotFound"),
            Some(Lying::One(held)) => {
                return Said { status: 200, retry: None, body: held.to_string(), how: How::Whole };
            }
            Some(Lying::List(count, element)) => (count, element),
        };
        let asked: Value = serde_json::from_str(body).unwrap_or_default();
        let at = seen.query.get("$skiptoken").map(String::as_str).or_else(|| asked["options"]["$skipToken"].as_str());
        let at: usize = at.map_or(0, |at| at.parse().unwrap());
        let page: Vec<Value> = (at..count).take(self.page).map(element).collect();
        let next = (at + self.page < count).then(|| at + self.page);
        let mut answer = if method == "POST" { json!({ "data": page }) } else { json!({ "value": page }) };
        let members = answer.as_object_mut().unwrap();
        if method == "POST" {
            members.extend(next.map(|next| ("$skipToken".to_owned(), next.to_string().into())));
        } else {
            let host = if graph { self.url.to_owned() } else { self.url.replace("127.0.0.1", "localhost") };
            let bare: String =
                target.split("&$skiptoken").next().unwrap().split("?$skiptoken").next().unwrap().to_owned();
            let joint = if bare.contains('?') { '&' } else { '?' };
            let link = link.or_else(|| next.map(|next| format!("{host}{bare}{joint}$skiptoken={next}")));
            let name = if graph { "@odata.nextLink" } else { "nextLink" };
            members.extend(link.map(|link| (name.to_owned(), link.into())));
        }
        Said { status: 200, retry: None, body: answer.to_string(), how: How::Whole }
    }
}
