//! Collections of which not everything can be had: refusals, faults, limits, ends before the end.

use std::time::{Duration, Instant};

use super::server::{Fault, Server};
use super::world::world;
use super::{Collection, documents, failures, manifest, read};
use crate::collect::{CollectError, NoCapture, Stopped};

const PODS: &str = "/api/v1/pods";

fn names(folder: &std::path::Path, document: &str) -> Vec<String> {
    let text = std::fs::read_to_string(folder.join("kubernetes/c").join(document)).unwrap();
    let list: serde_json::Value = serde_json::from_str(&text).unwrap();
    let items = list["items"].as_array().unwrap().iter();
    items.map(|item| item["metadata"]["name"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn every_kind_of_failure_is_a_gap_that_names_the_facts_and_costs_nothing_else() {
    let server = Server::new(world(), |seen| match seen.path.as_str() {
        "/api/v1/nodes" => Some(Fault::Status(403, "Forbidden")),
        "/apis/batch/v1/cronjobs" => Some(Fault::Status(503, "ServiceUnavailable")),
        "/apis/apps/v1/daemonsets" => Some(Fault::Answer(200, "<!doctype html>".to_owned())),
        "/apis/apps/v1/statefulsets" => Some(Fault::Answer(404, "<!doctype html>".to_owned())),
        "/apis/kagent.dev/v1alpha2/agents" => Some(Fault::Status(403, "Forbidden")),
        "/apis/kagent.dev/v1alpha1/mcpservers" => Some(Fault::Status(404, "NotFound")),
        "/apis/apps/v1/replicasets" => Some(Fault::Cut),
        "/apis/batch/v1/jobs" => Some(Fault::Reset),
        "/apis/networking.k8s.io/v1/ingresses" => Some(Fault::Status(404, "NotFound")),
        "/api/v1/namespaces/kube-system/configmaps/aws-auth" => Some(Fault::Status(404, "NotFound")),
        _ => None,
    });
    let folder = tempfile::tempdir().unwrap();
    let collected = Collection::default().run(&server, folder.path()).unwrap();
    let failed: Vec<(&str, &str)> =
        collected.failed.iter().map(|failed| (failed.call.as_deref().unwrap(), failed.code.as_str())).collect();
    assert_eq!(
        failed,
        [
            ("list agents.kagent.dev", "Forbidden"),
            ("list cronjobs.batch", "ServiceUnavailable"),
            ("list daemonsets.apps", "NotUnderstood"),
            ("list ingresses.networking.k8s.io", "NotFound"),
            ("list jobs.batch", "ConnectionLost"),
            ("list nodes", "Forbidden"),
            ("list replicasets.apps", "ConnectionLost"),
            ("list statefulsets.apps", "Http404"),
        ]
    );
    let caused = collected.failed.iter().filter(|failed| failed.detail.is_some());
    assert!(caused.clone().all(|failed| failed.code == "ConnectionLost"), "a cause is that of its own failure");
    assert!(caused.count() > 0);
    let gaps = failures(folder.path());
    let calls: Vec<&str> = gaps.iter().map(|(call, _)| call.as_str()).collect();
    assert_eq!(calls, failed.iter().map(|(call, _)| *call).collect::<Vec<_>>(), "absent things are none");
    assert!(gaps[0].1.contains("refused: Forbidden") && gaps[0].1.contains("grant"), "{gaps:?}");
    assert!(manifest(folder.path(), "c")["complete"] == true);
    assert_eq!(names(folder.path(), "pods.json").len(), 5);
    assert_eq!(server.count("/api/v1/nodes"), 1, "what is refused is not asked again");
    let reading = read(&documents(folder.path()));
    let pods = "kubectl get pods,deployments";
    assert!(!reading.inventory.gaps.iter().any(|gap| gap.call.contains(pods)), "{:?}", reading.inventory.gaps);
}

#[test]
fn what_was_refused_is_said_once_with_its_cause() {
    let server =
        Server::new(world(), |seen| seen.path.ends_with("/rolebindings").then_some(Fault::Status(403, "Forbidden")));
    let folder = tempfile::tempdir().unwrap();
    Collection::default().run(&server, folder.path()).unwrap();
    let gaps = read(&documents(folder.path())).inventory.gaps;
    let of: Vec<_> = gaps.iter().filter(|gap| gap.unknown() == "access in namespaces").collect();
    assert!(of.len() == 1 && of[0].reason.contains("Forbidden"), "{of:?}");
}

#[test]
fn what_may_pass_is_asked_again() {
    let server = Server::new(world(), |seen| match (seen.path.as_str(), seen.before) {
        (PODS, 0) => Some(Fault::Later(0)),
        (PODS, 1) => Some(Fault::Reset),
        (PODS, 2) => Some(Fault::Status(500, "InternalError")),
        (PODS, 4) => Some(Fault::Cut),
        ("/api/v1/services", 0) => Some(Fault::Later(1)),
        ("/version", 0) => Some(Fault::Reset),
        _ => None,
    });
    let folder = tempfile::tempdir().unwrap();
    let began = Instant::now();
    let collected = Collection::default().run(&server, folder.path()).unwrap();
    assert_eq!(collected.failed, []);
    assert!(began.elapsed() >= Duration::from_secs(1), "the server asked for a second");
    assert_eq!(names(folder.path(), "pods.json").len(), 5);
    assert_eq!(server.count(PODS), 7, "three pages, and four tries that failed");
}

#[test]
fn a_list_that_has_changed_too_much_is_begun_anew_and_then_goes_on() {
    // Whatever was written of the first beginning is gone.
    let once = Server::new(world(), |seen| (seen.path == PODS && seen.before == 1).then_some(Fault::Gone(None)));
    let folder = tempfile::tempdir().unwrap();
    let collected = Collection::default().run(&once, folder.path()).unwrap();
    assert_eq!(collected.failed, []);
    assert_eq!(names(folder.path(), "pods.json").len(), 5);
    assert_eq!(once.count(PODS), 5);

    // Twice: the server's own offer is taken.
    let twice = Server::new(world(), |seen| match (seen.path.as_str(), seen.before) {
        (PODS, 1) => Some(Fault::Gone(None)),
        (PODS, 3) => Some(Fault::Gone(
            Some("at=2".to_owned()).filter(|_| seen.query["continue"] != "at=2").or(Some("at=02".to_owned())),
        )),
        _ => None,
    });
    let folder = tempfile::tempdir().unwrap();
    let collected = Collection::default().run(&twice, folder.path()).unwrap();
    assert_eq!(collected.failed, []);
    let pods = names(folder.path(), "pods.json");
    assert_eq!(pods, (0..5).map(|at| format!("tools-{at:06}")).collect::<Vec<_>>(), "none is lost, none comes twice");

    // No offer: half a list is none.
    let never = Server::new(world(), |seen| (seen.path == PODS && seen.before % 2 == 1).then_some(Fault::Gone(None)));
    let folder = tempfile::tempdir().unwrap();
    let collected = Collection::default().run(&never, folder.path()).unwrap();
    assert_eq!(collected.failed[0].code, "Expired");
    assert!(!folder.path().join("kubernetes/c/pods.json").exists());
}

#[test]
fn pages_without_end_are_no_list() {
    let page = r#"{"kind":"PodList","apiVersion":"v1","metadata":{"continue":"same"},"items":[]}"#;
    let server = Server::new(world(), move |seen| (seen.path == PODS).then(|| Fault::Answer(200, page.to_owned())));
    let folder = tempfile::tempdir().unwrap();
    let collected = Collection::default().run(&server, folder.path()).unwrap();
    assert_eq!(
        (collected.failed[0].call.as_deref(), collected.failed[0].code.as_str()),
        (Some("list pods"), "EndlessPages")
    );
    assert_eq!(server.count(PODS), 2);
}

#[test]
fn the_end_comes_in_time_whatever_the_server_does() {
    for fault in [Fault::Slow(Duration::from_millis(200)), Fault::Later(30)] {
        let slow = fault.clone();
        let server = Server::new(world(), move |seen| (seen.path == PODS).then(|| slow.clone()));
        let folder = tempfile::tempdir().unwrap();
        let began = Instant::now();
        let deadline = Some(Duration::from_millis(1500));
        let collected = Collection { deadline, ..Collection::default() }.run(&server, folder.path()).unwrap();
        assert!(began.elapsed() < Duration::from_secs(6), "{fault:?}");
        assert_eq!(collected.stopped, Some(Stopped::Deadline));
        let manifest = manifest(folder.path(), "c");
        assert_eq!((&manifest["complete"], &manifest["stopped"]), (&false.into(), &"deadline".into()));
        assert_eq!(manifest["pending"][0]["call"], "list pods", "{manifest}");
        let gaps = failures(folder.path());
        assert!(gaps.len() == 1 && gaps[0].0 == "list pods" && gaps[0].1.contains("ran out of time"), "{gaps:?}");
        let left: Vec<_> =
            documents(folder.path()).into_iter().filter(|(path, _)| path.contains(".evenhand")).collect();
        assert_eq!(left, []);
    }
}

#[test]
fn an_answer_that_takes_too_long_fails() {
    let server = Server::new(world(), |seen| (seen.path == PODS).then_some(Fault::Slow(Duration::from_millis(100))));
    let folder = tempfile::tempdir().unwrap();
    let collected =
        Collection { answer: Duration::from_millis(200), ..Collection::default() }.run(&server, folder.path()).unwrap();
    let failed: Vec<(&str, &str)> =
        collected.failed.iter().map(|failed| (failed.call.as_deref().unwrap(), failed.code.as_str())).collect();
    assert_eq!(failed, [("list pods", "TimedOut")]);
}

#[test]
fn secrets_that_are_sent_unasked_are_dropped_on_receipt() {
    // A server, or something before it, that does not heed what is asked for.
    let list = super::world::world().export("", "secrets");
    let items = list["items"].clone();
    let whole =
        serde_json::json!({"kind": "SecretList", "apiVersion": "v1", "metadata": {}, "items": items}).to_string();
    let server =
        Server::new(world(), move |seen| seen.path.ends_with("/secrets").then(|| Fault::Answer(200, whole.clone())));
    let folder = tempfile::tempdir().unwrap();
    Collection { secrets: true, ..Collection::default() }.run(&server, folder.path()).unwrap();
    let text = std::fs::read_to_string(folder.path().join("kubernetes/c/secrets.json")).unwrap();
    assert!(
        !text.to_lowercase().contains("canary") && !text.contains("\"data\"") && text.contains("tools-token"),
        "{text}"
    );
}

#[test]
fn a_document_that_cannot_be_written_ends_the_collection() {
    let folder = tempfile::tempdir().unwrap();
    // A folder where a document has to be.
    std::fs::create_dir_all(folder.path().join("kubernetes/c/pods.json")).unwrap();
    let server = Server::new(world(), |_| None);
    let failed = Collection { resume: true, ..Collection::default() }.run(&server, folder.path()).unwrap_err();
    assert!(matches!(failed, CollectError::NoCapture(NoCapture::NotWritten(_))), "{failed}");
    let manifest = manifest(folder.path(), "c");
    assert!(manifest["complete"] == false && manifest["pending"].to_string().contains("list pods"), "{manifest}");
}

/// What a server that has these groups only says of them, all as fresh as this.
fn told(groups: &[(&str, &str, &str)]) -> String {
    let group = |(name, version, freshness): &(&str, &str, &str)| {
        serde_json::json!({"metadata": {"name": name},
            "versions": [{"version": version, "freshness": freshness, "resources": []}]})
    };
    let items: Vec<_> = groups.iter().map(group).collect();
    // By its beginning the server knows the form.
    serde_json::json!({"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "items": items})
        .to_string()
}

#[test]
fn what_the_server_could_not_ask_for_itself_is_missing_and_not_absent() {
    let stale = told(&[("kagent.dev", "v1alpha2", "Stale"), ("ray.io", "v1", "Current")]);
    let server = Server::new(world(), move |seen| match seen.path.as_str() {
        "/apis" if seen.before == 0 => Some(Fault::Answer(200, stale.clone())),
        _ => None,
    });
    let folder = tempfile::tempdir().unwrap();
    let collected = Collection::default().run(&server, folder.path()).unwrap();
    let failed: Vec<(&str, &str)> =
        collected.failed.iter().map(|failed| (failed.call.as_deref().unwrap(), failed.code.as_str())).collect();
    assert_eq!(failed, [("get /apis", "Stale"), ("list *.kagent.dev", "NotTold")]);
    assert_eq!(collected.failed[0].detail.as_deref(), Some("the server could not ask for kagent.dev/v1alpha2"));
    let apis = |folder: &std::path::Path| {
        let manifest = manifest(folder, "c");
        let of = manifest["calls"].as_array().unwrap().iter().find(|made| made["call"] == "get /apis");
        of.unwrap_or_else(|| panic!("{manifest}")).clone()
    };
    let made = apis(folder.path());
    assert_eq!((&made["document"], &made["refused"]["code"]), (&"discovery-apis.json".into(), &"Stale".into()));
    let gaps: Vec<String> = failures(folder.path()).into_iter().map(|(call, _)| call).collect();
    assert_eq!(gaps, ["get /apis", "list *.kagent.dev"], "what the document says of itself is said once");
    // Going on asks again.
    let again = Collection { resume: true, ..Collection::default() }.run(&server, folder.path()).unwrap();
    assert_eq!(again.failed, []);
    assert!(apis(folder.path()).get("refused").is_none());
    assert!(folder.path().join("kubernetes/c/agents.kagent.dev.json").exists());
}

#[test]
fn without_being_told_what_there_is_nothing_that_may_be_there_is_absent() {
    let server = Server::new(world(), |seen| (seen.path == "/apis").then_some(Fault::Status(403, "Forbidden")));
    let folder = tempfile::tempdir().unwrap();
    let collected = Collection::default().run(&server, folder.path()).unwrap();
    let codes: std::collections::BTreeMap<&str, &str> =
        collected.failed.iter().map(|failed| (failed.call.as_deref().unwrap(), failed.code.as_str())).collect();
    assert_eq!(codes["get /apis"], "Forbidden");
    for call in ["list httproutes.gateway.networking.k8s.io", "list *.kagent.dev"] {
        assert_eq!(codes[call], "NotTold");
        assert!(failures(folder.path()).iter().any(|(gap, _)| gap == call), "{call}");
    }
    assert!(folder.path().join("kubernetes/c/deployments.apps.json").exists(), "every server has them");
    assert!(server.seen().iter().all(|seen| !seen.path.contains("httproutes")), "no version is guessed");
}

#[test]
fn groups_that_were_not_asked_for_in_time_are_pending() {
    let mut older = world();
    older.aggregated = false;
    let slow = "/apis/batch/v1";
    let server = Server::new(older, move |seen| (seen.path == slow).then_some(Fault::Slow(Duration::from_millis(200))));
    let folder = tempfile::tempdir().unwrap();
    let deadline = Some(Duration::from_millis(1500));
    let collected = Collection { deadline, ..Collection::default() }.run(&server, folder.path()).unwrap();
    assert_eq!(collected.stopped, Some(Stopped::Deadline));
    let gaps: Vec<String> = failures(folder.path()).into_iter().map(|(call, _)| call).collect();
    for call in ["get /apis/batch/v1", "get /apis/kagent.dev/v1alpha2", "list *.kagent.dev"] {
        assert!(gaps.iter().any(|gap| gap == call), "{call}: {gaps:?}");
    }
    assert!(!gaps.iter().any(|gap| gap == "get /apis/apps/v1"), "{gaps:?}");
}
