//! An API server on 127.0.0.1: it serves lists with pages, single objects, discovery in both forms and its version, from
//! objects that are made while they are sent, and fails where a script says so. Tests of the built binary share it.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};

/// A request as the server saw it.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: BTreeMap<String, String>,
    pub(crate) accept: String,
    pub(crate) authorization: String,
    /// How many requests with this path came before it.
    pub(crate) before: usize,
}

/// What goes wrong with a request.
#[derive(Clone, Debug)]
pub(crate) enum Fault {
    /// A refusal in the server's own words.
    Status(u16, &'static str),
    /// The same, with the wait that it asks for in seconds.
    Later(u64),
    /// 410, with the place at which the list may go on.
    Gone(Option<String>),
    /// Any answer.
    Answer(u16, String),
    /// The connection ends without an answer.
    Reset,
    /// The connection ends in the middle of the answer.
    Cut,
    /// The answer comes bit by bit, with this wait after each.
    Slow(Duration),
}

type Make = dyn Fn(usize) -> Value + Send + Sync;
type Script = dyn Fn(&Seen) -> Option<Fault> + Send + Sync;

/// A resource with its objects.
pub(crate) struct Resource {
    group: String,
    version: String,
    name: String,
    kind: String,
    namespaced: bool,
    count: usize,
    make: Box<Make>,
}

/// What a server holds.
pub(crate) struct World {
    resources: Vec<Resource>,
    /// Whether it tells all resources at once.
    pub(crate) aggregated: bool,
}

impl Default for World {
    fn default() -> Self {
        Self { resources: Vec::new(), aggregated: true }
    }
}

impl World {
    /// Adds a resource whose objects are made one by one.
    pub(crate) fn made(
        &mut self,
        (group, version): (&str, &str),
        (name, kind): (&str, &str),
        namespaced: bool,
        count: usize,
        make: impl Fn(usize) -> Value + Send + Sync + 'static,
    ) {
        self.resources.push(Resource {
            group: group.to_owned(),
            version: version.to_owned(),
            name: name.to_owned(),
            kind: kind.to_owned(),
            namespaced,
            count,
            make: Box::new(make),
        });
    }

    /// Adds a resource with these objects.
    pub(crate) fn add(&mut self, group: (&str, &str), names: (&str, &str), namespaced: bool, objects: Vec<Value>) {
        self.made(group, names, namespaced, objects.len(), move |at| objects[at].clone());
    }

    /// All objects of a resource as `kubectl get -o json` prints them.
    pub(crate) fn export(&self, group: &str, name: &str) -> Value {
        let items: Vec<Value> = self
            .resources
            .iter()
            .filter(|resource| resource.group == group && resource.name == name)
            .flat_map(|resource| (0..resource.count).map(|at| whole(resource, (resource.make)(at))))
            .collect();
        json!({"apiVersion": "v1", "kind": "List", "metadata": {"resourceVersion": ""}, "items": items})
    }

    /// Group, name and kind of every resource.
    pub(crate) fn names(&self) -> Vec<(String, String)> {
        self.resources.iter().map(|resource| (resource.group.clone(), resource.name.clone())).collect()
    }
}

fn api_version(resource: &Resource) -> String {
    if resource.group.is_empty() {
        resource.version.clone()
    } else {
        format!("{}/{}", resource.group, resource.version)
    }
}

/// An object with its version and kind in front.
fn whole(resource: &Resource, object: Value) -> Value {
    let mut whole = serde_json::Map::new();
    whole.insert("apiVersion".to_owned(), api_version(resource).into());
    whole.insert("kind".to_owned(), resource.kind.clone().into());
    if let Value::Object(mut members) = object {
        whole.append(&mut members);
    }
    Value::Object(whole)
}

/// The server; it ends with the value.
pub(crate) struct Server {
    pub(crate) url: String,
    pub(crate) world: Arc<World>,
    seen: Arc<Mutex<Vec<Seen>>>,
    over: Arc<AtomicBool>,
}

impl Server {
    /// Serves a world; the script says what goes wrong.
    pub(crate) fn new(world: World, script: impl Fn(&Seen) -> Option<Fault> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (world, seen) = (Arc::new(world), Arc::new(Mutex::new(Vec::new())));
        let over = Arc::new(AtomicBool::new(false));
        let script: Arc<Script> = Arc::new(script);
        let (held, log, end) = (Arc::clone(&world), Arc::clone(&seen), Arc::clone(&over));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if end.load(Ordering::SeqCst) {
                    return;
                }
                let (world, log, script) = (Arc::clone(&held), Arc::clone(&log), Arc::clone(&script));
                std::thread::spawn(move || serve(stream.unwrap(), &world, &log, &*script));
            }
        });
        Self { url, world, seen, over }
    }

    /// Everything that was asked.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// How often a path was asked for.
    pub(crate) fn count(&self, path: &str) -> usize {
        self.seen().iter().filter(|seen| seen.path == path).count()
    }

    /// A kubeconfig whose contexts lead to these servers.
    pub(crate) fn kubeconfig(servers: &[(&str, &Self)]) -> String {
        let named: Vec<(&str, &str)> = servers.iter().map(|(name, server)| (*name, server.url.as_str())).collect();
        kubeconfig(&named, &json!({"token": "fake-token"}))
    }
}

/// A kubeconfig whose contexts lead to these addresses as this user.
pub(crate) fn kubeconfig(servers: &[(&str, &str)], user: &Value) -> String {
    let clusters: Vec<Value> =
        servers.iter().map(|(name, url)| json!({"name": name, "cluster": {"server": url}})).collect();
    let contexts: Vec<Value> =
        servers.iter().map(|(name, _)| json!({"name": name, "context": {"cluster": name, "user": "user"}})).collect();
    json!({
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": servers[0].0,
        "clusters": clusters,
        "contexts": contexts,
        "users": [{"name": "user", "user": user}],
    })
    .to_string()
}

impl Drop for Server {
    fn drop(&mut self) {
        self.over.store(true, Ordering::SeqCst);
        // Wakes the listener, so that it sees that it is over.
        drop(TcpStream::connect(self.url.trim_start_matches("http://")));
    }
}

fn serve(mut stream: TcpStream, world: &World, log: &Mutex<Vec<Seen>>, script: &Script) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut first = String::new();
    if reader.read_line(&mut first).unwrap_or(0) == 0 {
        return;
    }
    let (mut accept, mut authorization) = (String::new(), String::new());
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) == 0 || line.trim().is_empty() {
            break;
        }
        let (name, value) = line.split_once(':').unwrap();
        match name.to_ascii_lowercase().as_str() {
            "accept" => accept = value.trim().to_owned(),
            "authorization" => authorization = value.trim().to_owned(),
            _ => {}
        }
    }
    let mut words = first.split_whitespace();
    let (method, target) = (words.next().unwrap().to_owned(), words.next().unwrap());
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let query = query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .map(|(name, value)| (name.to_owned(), decoded(value)))
        .collect();
    let seen = {
        let mut log = log.lock().unwrap();
        let before = log.iter().filter(|seen| seen.path == path).count();
        log.push(Seen { method, path: path.to_owned(), query, accept, authorization, before });
        log.last().unwrap().clone()
    };
    let fault = script(&seen);
    let (status, body, headers) = match &fault {
        Some(Fault::Status(status, reason)) => (*status, refusal(*status, reason, None), String::new()),
        Some(Fault::Later(seconds)) => {
            (429, refusal(429, "TooManyRequests", None), format!("Retry-After: {seconds}\r\n"))
        }
        Some(Fault::Gone(next)) => (410, refusal(410, "Expired", next.as_deref()), String::new()),
        Some(Fault::Answer(status, body)) => (*status, body.clone(), String::new()),
        Some(Fault::Reset) => return,
        Some(Fault::Cut | Fault::Slow(_)) | None => {
            let (status, body) = answer(world, &seen);
            (status, body, String::new())
        }
    };
    // By this clients tell which form they were given.
    let form = if body.starts_with("{\"kind\":\"APIGroupDiscoveryList\"") {
        ";g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
    } else {
        ""
    };
    let head = format!(
        "HTTP/1.1 {status} x\r\nContent-Type: application/json{form}\r\nContent-Length: {}\r\n{headers}Connection: close\r\n\r\n",
        body.len()
    );
    let _ = stream.write_all(head.as_bytes());
    match fault {
        Some(Fault::Cut) => drop(stream.write_all(&body.as_bytes()[..body.len() / 2])),
        Some(Fault::Slow(wait)) => {
            for bit in body.as_bytes().chunks(16) {
                if stream.write_all(bit).is_err() {
                    return;
                }
                std::thread::sleep(wait);
            }
        }
        _ => drop(stream.write_all(body.as_bytes())),
    }
}

fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let (mut out, mut at) = (Vec::new(), 0);
    while at < bytes.len() {
        if bytes[at] == b'%' {
            out.push(u8::from_str_radix(text.get(at + 1..at + 3).unwrap(), 16).unwrap());
            at += 3;
        } else {
            out.push(bytes[at]);
            at += 1;
        }
    }
    String::from_utf8(out).unwrap()
}

/// A refusal as the API has it.
pub(crate) fn refusal(status: u16, reason: &str, next: Option<&str>) -> String {
    json!({
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": next.map_or_else(|| json!({}), |next| json!({"continue": next})),
        "status": "Failure",
        "message": format!("{reason} by the test"),
        "reason": reason,
        "code": status,
    })
    .to_string()
}

fn answer(world: &World, seen: &Seen) -> (u16, String) {
    let parts: Vec<&str> = seen.path.trim_matches('/').split('/').collect();
    match parts.as_slice() {
        ["version"] => (200, json!({"major": "1", "minor": "36", "gitVersion": "v1.36.1"}).to_string()),
        ["api"] => (200, discovery(world, true, seen)),
        ["apis"] => (200, discovery(world, false, seen)),
        ["api", version] => (200, old_list(world, "", version)),
        ["apis", group, version] => (200, old_list(world, group, version)),
        ["api", version, rest @ ..] => objects(world, "", version, rest, seen),
        ["apis", group, version, rest @ ..] => objects(world, group, version, rest, seen),
        _ => (404, "404 page not found\n".to_owned()),
    }
}

/// The groups of a part, with their versions and the resources of each.
fn groups(world: &World, core: bool) -> BTreeMap<&str, BTreeMap<&str, Vec<&Resource>>> {
    let mut groups: BTreeMap<&str, BTreeMap<&str, Vec<&Resource>>> = BTreeMap::new();
    for resource in world.resources.iter().filter(|resource| resource.group.is_empty() == core) {
        groups.entry(&resource.group).or_default().entry(&resource.version).or_default().push(resource);
    }
    groups
}

fn discovery(world: &World, core: bool, seen: &Seen) -> String {
    let groups = groups(world, core);
    if world.aggregated && seen.accept.contains("APIGroupDiscoveryList") {
        let resource = |resource: &&Resource| {
            json!({
                "resource": resource.name,
                "responseKind": {"group": resource.group, "version": resource.version, "kind": resource.kind},
                "scope": if resource.namespaced { "Namespaced" } else { "Cluster" },
                "singularResource": resource.kind.to_lowercase(),
                "verbs": ["get", "list"],
            })
        };
        let items: Vec<Value> = groups
            .iter()
            .map(|(group, versions)| {
                let versions: Vec<Value> = versions
                    .iter()
                    .map(|(version, held)| {
                        json!({"version": version, "freshness": "Current",
                            "resources": held.iter().map(resource).collect::<Vec<_>>()})
                    })
                    .collect();
                let metadata = if group.is_empty() { json!({}) } else { json!({"name": group}) };
                json!({"metadata": metadata, "versions": versions})
            })
            .collect();
        return json!({"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {}, "items": items})
            .to_string();
    }
    if core {
        return json!({"kind": "APIVersions", "versions": ["v1"]}).to_string();
    }
    let list: Vec<Value> = groups
        .iter()
        .map(|(group, versions)| {
            let one = |version: &&str| json!({"groupVersion": format!("{group}/{version}"), "version": version});
            let all: Vec<Value> = versions.keys().map(one).collect();
            json!({"name": group, "versions": all, "preferredVersion": all[0]})
        })
        .collect();
    json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": list}).to_string()
}

fn old_list(world: &World, group: &str, version: &str) -> String {
    let of = |resource: &&Resource| resource.group == group && resource.version == version;
    let resources: Vec<Value> = world
        .resources
        .iter()
        .filter(of)
        .map(|resource| {
            json!({"name": resource.name, "singularName": resource.kind.to_lowercase(), "namespaced": resource.namespaced,
                "kind": resource.kind, "verbs": ["get", "list"]})
        })
        .collect();
    let group_version = if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") };
    json!({"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": group_version, "resources": resources})
        .to_string()
}

fn objects(world: &World, group: &str, version: &str, rest: &[&str], seen: &Seen) -> (u16, String) {
    let (namespace, name, object) = match rest {
        ["namespaces", namespace, name] => (Some(*namespace), *name, None),
        ["namespaces", namespace, name, object] => (Some(*namespace), *name, Some(*object)),
        [name] => (None, *name, None),
        [name, object] => (None, *name, Some(*object)),
        _ => return (404, refusal(404, "NotFound", None)),
    };
    let of = |resource: &&Resource| resource.group == group && resource.version == version && resource.name == name;
    let Some(resource) = world.resources.iter().find(of) else { return (404, "404 page not found\n".to_owned()) };
    let all = || (0..resource.count).map(|at| (resource.make)(at));
    if let Some(object) = object {
        let is = |one: &Value| {
            one["metadata"]["name"] == object && namespace.is_none_or(|held| one["metadata"]["namespace"] == held)
        };
        return match all().find(is) {
            Some(found) => (200, whole(resource, found).to_string()),
            None => (404, refusal(404, "NotFound", None)),
        };
    }
    let selector = seen.query.get("fieldSelector").cloned().unwrap_or_default();
    let selected = |one: &Value| match selector.split_once('=') {
        Some(("type!", other)) => one["type"] != other,
        Some(("type", own)) => one["type"] == own,
        _ => true,
    };
    let limit: usize = seen.query.get("limit").map_or(usize::MAX, |limit| limit.parse().unwrap());
    let from: usize = seen.query.get("continue").map_or(0, |next| next.trim_start_matches("at=").parse().unwrap());
    let mut items = Vec::new();
    let mut more = false;
    let (first, lazily) = if selector.is_empty() { (from, 0) } else { (0, from) };
    for one in (first..resource.count).map(|at| (resource.make)(at)).filter(selected).skip(lazily) {
        if items.len() == limit {
            more = true;
            break;
        }
        items.push(one);
    }
    let metadata = if more {
        json!({"resourceVersion": "7", "continue": format!("at={}", from + items.len())})
    } else {
        json!({"resourceVersion": "7"})
    };
    let partial = seen.accept.contains("as=PartialObjectMetadataList");
    let custom = group.contains('.') && !group.ends_with(".k8s.io");
    let items: Vec<Value> = items
        .into_iter()
        .map(|one| match (partial, custom) {
            (true, _) => {
                json!({"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": one["metadata"]})
            }
            (false, true) => whole(resource, one),
            (false, false) => one,
        })
        .collect();
    let (api_version, kind) = match partial {
        true => ("meta.k8s.io/v1".to_owned(), "PartialObjectMetadataList".to_owned()),
        false => (api_version(resource), format!("{}List", resource.kind)),
    };
    (200, json!({"kind": kind, "apiVersion": api_version, "metadata": metadata, "items": items}).to_string())
}
