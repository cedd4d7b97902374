//! Collections that go on where an earlier one ended.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use evenhand_collect::Stopper;

use super::server::{Fault, Server};
use super::world::world;
use super::{Collection, documents, manifest};
use crate::collect::{CollectError, NoCapture};

/// How often each list was begun.
fn begun(server: &Server) -> BTreeMap<String, usize> {
    let mut begun = BTreeMap::new();
    for seen in server.seen().into_iter().filter(|seen| !seen.query.contains_key("continue")) {
        let selector = seen.query.get("fieldSelector").cloned().unwrap_or_default();
        *begun.entry(format!("{} {selector}", seen.path)).or_default() += 1;
    }
    begun
}

#[test]
fn wherever_it_is_stopped_going_on_leads_to_the_same_capture_and_repeats_no_list() {
    let server = Server::new(world(), |_| None);
    let whole = tempfile::tempdir().unwrap();
    let all = || Collection { secrets: true, ..Collection::default() };
    all().run(&server, whole.path()).unwrap();
    let requests = server.seen().len();
    for at in (1..requests).step_by(3) {
        let stopper = Stopper::default();
        let (stop, seen) = (stopper.clone(), Arc::new(AtomicUsize::new(0)));
        let over = Arc::clone(&seen);
        // The same address the second time, as the capture belongs to one cluster.
        let server = Server::new(world(), move |_| {
            if over.fetch_add(1, Ordering::SeqCst) == at {
                stop.stop();
                return Some(Fault::Slow(Duration::from_millis(20)));
            }
            None
        });
        let folder = tempfile::tempdir().unwrap();
        let first = Collection { stopper, ..all() }.run(&server, folder.path()).unwrap();
        assert!(first.stopped.is_some(), "stopped at request {at} of {requests}");
        let done: Vec<String> = manifest(folder.path(), "c")["calls"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|made| made.get("document").is_some())
            .map(|made| made["call"].as_str().unwrap().to_owned())
            .collect();
        let before = begun(&server);
        // As a plain `--resume`: what was planned is known.
        let second = Collection { resume: true, ..Collection::default() }.run(&server, folder.path()).unwrap();
        assert_eq!((second.failed, second.stopped), (Vec::new(), None));
        let mut held = documents(folder.path());
        let mut wanted = documents(whole.path());
        for documents in [&mut held, &mut wanted] {
            // The address of the server is another one each time.
            for (_, text) in documents.iter_mut().filter(|(path, _)| path.ends_with("manifest.json")) {
                let kept = text.lines().filter(|line| !line.contains("\"server\""));
                *text = kept.collect::<Vec<_>>().join("\n");
            }
        }
        assert_eq!(held, wanted, "stopped at request {at}");
        for (list, times) in begun(&server) {
            let path = list.split(' ').next().unwrap();
            let name = path.rsplit('/').next().unwrap();
            let again = times - before.get(&list).copied().unwrap_or(0);
            let finished = done.iter().any(|call| {
                let words: Vec<&str> = call.split(' ').collect();
                words[0] == "list" && words[1].split('.').next() == Some(name) && words.len() == 2
            });
            assert!(again == 0 || !finished || name == "secrets", "{list} was finished and is repeated");
        }
    }
}

#[test]
fn what_was_refused_is_asked_again_and_what_was_answered_is_not() {
    let allowed = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let now = Arc::clone(&allowed);
    let server = Server::new(world(), move |seen| {
        (seen.path == "/api/v1/pods" && !now.load(Ordering::SeqCst)).then_some(Fault::Status(403, "Forbidden"))
    });
    let folder = tempfile::tempdir().unwrap();
    Collection::default().run(&server, folder.path()).unwrap();
    assert!(matches!(
        Collection::default().run(&server, folder.path()),
        Err(CollectError::NoCapture(NoCapture::Used(_)))
    ));
    allowed.store(true, Ordering::SeqCst);
    let collected = Collection { resume: true, ..Collection::default() }.run(&server, folder.path()).unwrap();
    assert_eq!(collected.failed, []);
    assert_eq!(server.count("/api/v1/serviceaccounts"), 2, "two pages, once");
    assert_eq!(server.count("/api/v1/pods"), 4);
    let fresh = tempfile::tempdir().unwrap();
    Collection::default().run(&server, fresh.path()).unwrap();
    assert_eq!(documents(folder.path()), documents(fresh.path()));
}

#[test]
fn a_capture_is_gone_on_with_from_its_own_cluster_only() {
    let (one, other) = (Server::new(world(), |_| None), Server::new(world(), |_| None));
    let folder = tempfile::tempdir().unwrap();
    Collection::default().run(&one, folder.path()).unwrap();
    let failed = Collection { resume: true, ..Collection::default() }.run(&other, folder.path()).unwrap_err();
    assert!(matches!(failed, CollectError::OtherCluster { .. }), "{failed}");
    std::fs::write(folder.path().join("kubernetes/c/manifest.json"), "{").unwrap();
    let failed = Collection { resume: true, ..Collection::default() }.run(&one, folder.path()).unwrap_err();
    assert!(matches!(failed, CollectError::NoCapture(NoCapture::NoManifest(_))), "{failed}");
}

#[test]
fn what_a_killed_collection_left_unfinished_is_removed() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::new(world(), |_| None);
    Collection::default().run(&server, folder.path()).unwrap();
    let left = folder.path().join("kubernetes/c/.evenhand-x1");
    std::fs::write(&left, "{").unwrap();
    Collection { resume: true, ..Collection::default() }.run(&server, folder.path()).unwrap();
    assert!(!left.exists());
}
