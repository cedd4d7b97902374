//! An API server on 127.0.0.1: it serves lists with pages, single objects, discovery in both forms and its version, from
//! objects that are made while they are sent, and fails where a script says so. Tests of the built binary share it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use evenhand_collect::served::{How, Reply, Request, Served};
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
    _served: Served,
}

impl Server {
    /// Serves a world; the script says what goes wrong.
    pub(crate) fn new(world: World, script: impl Fn(&Seen) -> Option<Fault> + Send + Sync + 'static) -> Self {
        let (world, seen) = (Arc::new(world), Arc::new(Mutex::new(Vec::new())));
        let (held, log) = (Arc::clone(&world), Arc::clone(&seen));
        let served = Served::new(move |request| serve(request, &held, &log, &script)).unwrap();
        Self { url: served.url.clone(), world, seen, _served: served }
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

fn serve(request: &Request, world: &World, log: &Mutex<Vec<Seen>>, script: &Script) -> Reply {
    let seen = {
        let mut log = log.lock().unwrap();
        let before = log.iter().filter(|seen| seen.path == request.path).count();
        log.push(Seen {
            method: request.method.clone(),
            path: request.path.clone(),
            query: request.fields().collect(),
            accept: request.header("accept").to_owned(),
            authorization: request.header("authorization").to_owned(),
            before,
        });
        log.last().unwrap().clone()
    };
    let mut headers = Vec::new();
    let mut how = How::Whole;
    let (status, body) = match script(&seen) {
        Some(Fault::Status(status, reason)) => (status, refusal(status, reason, None)),
        Some(Fault::Later(seconds)) => {
            headers.push(("Retry-After".to_owned(), seconds.to_string()));
            (429, refusal(429, "TooManyRequests", None))
        }
        Some(Fault::Gone(next)) => (410, refusal(410, "Expired", next.as_deref())),
        Some(Fault::Answer(status, body)) => (status, body),
        Some(Fault::Reset) => return Reply { how: How::Reset, ..Reply::default() },
        Some(Fault::Cut) => {
            how = How::Cut;
            answer(world, &seen)
        }
        Some(Fault::Slow(wait)) => {
            how = How::Slow(wait);
            answer(world, &seen)
        }
        None => answer(world, &seen),
    };
    // By this clients tell which form they were given.
    let form = if body.starts_with("{\"kind\":\"APIGroupDiscoveryList\"") {
        ";g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
    } else {
        ""
    };
    headers.push(("Content-Type".to_owned(), format!("application/json{form}")));
    Reply { status, headers, body, how }
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
