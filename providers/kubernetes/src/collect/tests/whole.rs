//! Collections of everything that there is.

use std::collections::BTreeSet;

use evenhand_model::identity::{Nature, judge};
use serde_json::Value;

use super::server::{Seen, Server};
use super::world::{CANARY, world};
use super::{Collection, documents, failures, manifest, read};

#[test]
fn everything_is_read_and_only_read_and_no_secret_is_asked_for_or_kept() {
    let server = Server::new(world(), |_| None);
    let folder = tempfile::tempdir().unwrap();
    let collected = Collection { secrets: true, ..Collection::default() }.run(&server, folder.path()).unwrap();
    assert_eq!(collected.failed, []);
    assert_eq!(collected.clusters, ["c"]);
    assert!(collected.identities && collected.stopped.is_none());
    let manifest = manifest(folder.path(), "c");
    assert!(manifest["complete"] == true && manifest["pending"].as_array().unwrap().is_empty(), "{manifest}");
    assert_eq!(failures(folder.path()), []);

    let seen = server.seen();
    assert!(seen.iter().all(|seen| seen.method == "GET" && seen.authorization == "Bearer fake-token"), "{seen:?}");
    for seen in &seen {
        assert!(!seen.query.contains_key("watch"), "{seen:?}");
        let secrets = seen.path.ends_with("/secrets");
        let metadata = seen.accept == "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";
        assert_eq!(secrets, metadata, "{seen:?}");
        let list = !seen.path.ends_with("aws-auth") && !seen.path.ends_with("token-tracking");
        let about = seen.path == "/version" || seen.path == "/api" || seen.path == "/apis";
        assert!(about || !list || seen.query["limit"] == "2", "{seen:?}");
    }
    for (path, text) in documents(folder.path()) {
        assert!(!text.to_lowercase().contains("canary"), "{path} holds a secret: {text}");
        assert!(!text.contains("fake-token"), "{path} holds the credentials");
    }

    let reading = read(&documents(folder.path()));
    let natures: BTreeSet<(&str, Nature)> =
        reading.inventory.identities.iter().map(|one| (one.id.as_str(), judge(&one.signals).nature)).collect();
    assert!(natures.contains(&("kubernetes:c:serviceaccount:ops/agent", Nature::AiAgent)), "{natures:?}");
    let keys: Vec<&str> = reading.inventory.credentials.iter().map(|one| &*one.kind).collect();
    assert!(keys.contains(&"api_key") && keys.contains(&"password"), "{keys:?}");
}

#[test]
fn without_being_told_nobody_asks_for_secrets() {
    let server = Server::new(world(), |_| None);
    let folder = tempfile::tempdir().unwrap();
    Collection::default().run(&server, folder.path()).unwrap();
    assert!(server.seen().iter().all(|seen| !seen.path.contains("secret")));
    let reading = read(&documents(folder.path()));
    let gaps: Vec<_> =
        reading.inventory.gaps.iter().filter(|gap| gap.unknown().contains("tokens without expiry")).collect();
    assert!(gaps.len() == 1 && gaps[0].reason.contains("--secrets"), "{gaps:?}");
}

#[test]
fn a_capture_says_what_an_export_of_the_same_objects_says() {
    let server = Server::new(world(), |_| None);
    let folder = tempfile::tempdir().unwrap();
    Collection { secrets: true, ..Collection::default() }.run(&server, folder.path()).unwrap();
    let live = documents(folder.path());
    // As `kubectl` prints them: everything that is in them, in the documents of the same names.
    let export = |name: &str| {
        let (resource, group) = name.split_once('.').unwrap_or((name, ""));
        let only = |resource: &str, wanted: &dyn Fn(&Value) -> bool| {
            let mut list = server.world.export("", resource);
            list["items"].as_array_mut().unwrap().retain(|item| wanted(item));
            list
        };
        let token = |item: &Value| item["type"] == "kubernetes.io/service-account-token";
        match name {
            "secrets" => only("secrets", &|item| !token(item)),
            "secrets-service-account-tokens" => only("secrets", &token),
            "configmap-aws-auth" => only("configmaps", &|item| item["metadata"]["name"] == "aws-auth"),
            "configmap-token-tracking" => only("configmaps", &|item| item["data"].get("since").is_some()),
            _ => server.world.export(group, resource),
        }
    };
    let mut exported = Vec::new();
    for (path, text) in &live {
        match path.rsplit('/').next().unwrap().trim_end_matches(".json") {
            "manifest" => {}
            "version" | "discovery-api" | "discovery-apis" => exported.push((path.clone(), text.clone())),
            // An empty `List` of `kubectl` does not say of what.
            _ if text.ends_with("\"items\":[\n]}\n") => exported.push((path.clone(), text.clone())),
            name => exported.push((path.clone(), export(name).to_string())),
        }
    }
    let secrets = exported.iter().filter(|(path, text)| path.contains("/secrets") && text.contains(CANARY));
    assert_eq!(secrets.count(), 2, "the exports hold what the capture must not");
    let (live, exported) = (read(&live), read(&exported));
    let told = |reading: &super::Reading| {
        let mut inventory = reading.inventory.clone();
        inventory.sort();
        // What is only said of collections.
        inventory.hints.retain(|hint| !hint.message.contains("without TLS"));
        format!("{inventory:#?}")
    };
    let (one, other) = (told(&live), told(&exported));
    for (one, other) in one.lines().zip(other.lines()) {
        assert_eq!(one, other);
    }
    assert_eq!(one, other);
    let (resolver, second) = (live.resolver.unwrap(), exported.resolver.unwrap());
    let mut compared = 0;
    for identity in &live.inventory.identities {
        let names = |resolver: &dyn evenhand_model::access::AccessResolver| -> Option<Vec<String>> {
            let access = resolver.access(&identity.id)?;
            Some(access.operations().iter().map(|one| resolver.catalog().name(one).to_string()).collect())
        };
        let held = names(&*resolver);
        assert_eq!(held, names(&*second), "{}", identity.id.as_str());
        compared += usize::from(held.is_some());
    }
    assert!(compared > 5, "{compared}");
}

#[test]
fn older_servers_that_tell_their_resources_group_by_group_are_asked_so() {
    let mut older = world();
    older.aggregated = false;
    let server = Server::new(older, |_| None);
    let folder = tempfile::tempdir().unwrap();
    let collected = Collection::default().run(&server, folder.path()).unwrap();
    assert_eq!(collected.failed, []);
    let names: Vec<String> = documents(folder.path()).into_iter().map(|(path, _)| path).collect();
    for name in ["discovery-apis.kagent.dev.v1alpha2", "discovery-api.v1", "agents.kagent.dev", "mcpservers.kagent.dev"]
    {
        assert!(names.contains(&format!("kubernetes/c/{name}.json")), "{name}: {names:?}");
    }
    assert_eq!(failures(folder.path()), []);
}

#[test]
fn several_clusters_are_read_beside_each_other_and_one_that_is_gone_costs_no_other() {
    let (one, other) = (Server::new(world(), |_| None), Server::new(world(), |_| None));
    let gone = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}", listener.local_addr().unwrap())
    };
    let servers = [("prod", one.url.as_str()), ("a/b:c", other.url.as_str()), ("gone", gone.as_str())];
    let kubeconfig = super::server::kubeconfig(&servers, &serde_json::json!({"token": "fake-token"}));
    let folder = tempfile::tempdir().unwrap();
    let all = Collection { all_contexts: true, ..Collection::default() };
    let collected = all.run_as(&kubeconfig, folder.path()).unwrap();
    assert_eq!(collected.clusters, ["a-b-c", "gone", "prod"]);
    let failed: Vec<(&str, Option<&str>, &str)> = collected
        .failed
        .iter()
        .map(|failed| (failed.place.as_str(), failed.call.as_deref(), failed.code.as_str()))
        .collect();
    assert_eq!(failed, [("gone", None, "NoConnection")]);
    assert!(collected.failed[0].detail.as_ref().is_some_and(|detail| detail.contains("refused")), "{collected:?}");
    let reading = read(&documents(folder.path()));
    let scopes: BTreeSet<&str> = reading.inventory.identities.iter().map(|one| one.scope.as_str()).collect();
    assert_eq!(scopes, ["kubernetes:a-b-c", "kubernetes:prod"].into());
    let gaps: Vec<_> = reading.inventory.gaps.iter().filter(|gap| gap.kind == super::GapKind::Failed).collect();
    assert!(gaps.len() == 1 && gaps[0].scope.as_ref().unwrap().as_str() == "kubernetes:gone", "{gaps:?}");
    assert!(collected.notes.iter().filter(|note| note.contains("without TLS")).count() == 3, "{:?}", collected.notes);
    assert!(reading.inventory.hints.iter().any(|hint| hint.message.contains("without TLS")));
}

/// The requests that ask for objects.
pub(super) fn of_objects(server: &Server) -> Vec<Seen> {
    let about = |path: &str| path == "/version" || path == "/api" || path == "/apis";
    server.seen().into_iter().filter(|seen| !about(&seen.path)).collect()
}
