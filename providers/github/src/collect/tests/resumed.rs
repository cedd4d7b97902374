//! Collections that go on where an earlier one ended.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use evenhand_collect::Stopper;

use super::server::{Fault, Server};
use super::world::{repository, world};
use super::{Collection, answers, documents, manifest};
use crate::collect::{CollectError, NoCapture};
use crate::documents::route::Route;

#[test]
fn wherever_it_is_stopped_going_on_leads_to_the_same_capture() {
    let server = Server::new(world, |_| None);
    let whole = tempfile::tempdir().unwrap();
    Collection::default().run(&server.url, whole.path()).unwrap();
    let requests = server.seen().len();
    for (at, killed) in (1..requests).step_by(7).zip([false, true].into_iter().cycle()) {
        let stopper = Stopper::default();
        let (stop, seen) = (stopper.clone(), Arc::new(AtomicUsize::new(0)));
        let server = Server::new(world, move |_| {
            if seen.fetch_add(1, Ordering::SeqCst) == at {
                stop.stop();
            }
            None
        });
        let folder = tempfile::tempdir().unwrap();
        if killed {
            Collection::default().run_until(&stopper, &server.url, folder.path()).unwrap_err();
        } else {
            let first = Collection { stopper, ..Collection::default() }.run(&server.url, folder.path()).unwrap();
            assert!(first.stopped.is_some(), "stopped at request {at} of {requests}");
        }
        assert_eq!(manifest(folder.path())["complete"], false);
        let before: BTreeSet<String> = answers(folder.path()).into_keys().collect();
        let asked = server.seen().len();
        // As a plain `--resume`: what was planned is known.
        let again = Collection { resume: true, organisations: Vec::new(), ..Collection::default() };
        let second = again.run(&server.url, folder.path()).unwrap();
        assert_eq!(second.stopped, None);
        assert_eq!(documents(folder.path()), documents(whole.path()), "stopped at request {at}");
        // What was answered is asked again only where it leads on, and then it costs nothing.
        for one in server.seen().into_iter().skip(asked).filter(|one| before.contains(&one.path)) {
            let free = one.headers.contains_key("if-none-match");
            let refused = answers(folder.path())[&one.path].get("error").is_some();
            assert!(free || refused, "{} is asked again", one.path);
        }
    }
}

#[test]
fn going_on_with_what_is_whole_asks_for_refusals_and_for_what_may_have_changed() {
    let more = Arc::new(AtomicUsize::new(0));
    let (grown, healed) = (Arc::clone(&more), Arc::clone(&more));
    let contents = move |asked: &crate::documents::route::Asked| {
        let mut held = world(asked);
        if asked.route == Route::Repositories && grown.load(Ordering::SeqCst) > 1 {
            held.as_mut()?.as_array_mut()?.push(repository("fresh"));
        }
        held
    };
    let server = Server::new(contents, move |seen| {
        let refused = seen.route == Some(Route::DeployKeys) && healed.load(Ordering::SeqCst) == 0;
        refused.then_some(Fault::status(403, "Resource not accessible by integration")).flatten()
    });
    let folder = tempfile::tempdir().unwrap();
    Collection::default().run(&server.url, folder.path()).unwrap();
    let again = || Collection { resume: true, organisations: Vec::new(), ..Collection::default() };

    more.store(1, Ordering::SeqCst);
    let before = server.seen().len();
    let collected = again().run(&server.url, folder.path()).unwrap();
    let fresh: Vec<_> = server.seen().into_iter().skip(before).collect();
    let asked: BTreeSet<Route> =
        fresh.iter().filter(|one| !one.headers.contains_key("if-none-match")).map(|one| one.route.unwrap()).collect();
    assert_eq!(
        asked,
        [Route::DeployKeys, Route::BranchProtection].into(),
        "what was refused, and what may have been hidden"
    );
    assert!(answers(folder.path())["/repos/acme/shop/keys"]["response"].is_array());
    assert!(collected.requests.1 > 5, "what leads on costs nothing where it is as it was: {:?}", collected.requests);
    assert_eq!(
        server.budget().2,
        fresh.len()
            - server.seen().iter().skip(before).filter(|one| !one.headers.contains_key("if-none-match")).count()
    );

    more.store(2, Ordering::SeqCst);
    let collected = again().run(&server.url, folder.path()).unwrap();
    assert_eq!(collected.repositories, 4);
    assert!(answers(folder.path()).contains_key("/repos/acme/fresh/keys"), "what is new is found");
}

#[test]
fn a_killed_collection_leaves_whole_documents_and_is_gone_on_with() {
    let server = Server::new(world, |_| None);
    let whole = tempfile::tempdir().unwrap();
    Collection::default().run(&server.url, whole.path()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    Collection::default().run(&server.url, folder.path()).unwrap();
    // As it lies there when the process is killed: a document is missing, one is unfinished, the manifest is of the beginning.
    let host = folder.path().join("github/127.0.0.1");
    std::fs::remove_file(host.join("repos/acme/site.ndjson")).unwrap();
    std::fs::write(host.join("repos/acme/.evenhand-abcdef"), "{\"host\":").unwrap();
    let path = folder.path().join("github/manifest.json");
    let text = std::fs::read_to_string(&path).unwrap().replace("\"complete\": true", "\"complete\": false");
    std::fs::write(&path, text).unwrap();
    Collection { resume: true, ..Collection::default() }.run(&server.url, folder.path()).unwrap();
    assert_eq!(documents(folder.path()), documents(whole.path()));
}

#[test]
fn a_capture_is_not_overwritten_and_is_one_host_s() {
    let server = Server::new(world, |_| None);
    let folder = tempfile::tempdir().unwrap();
    Collection::default().run(&server.url, folder.path()).unwrap();
    let other = server.url.replace("127.0.0.1", "localhost");
    let again = Collection { resume: true, ..Collection::default() };
    let failed = again.run(&other, folder.path()).unwrap_err();
    assert!(
        matches!(&failed, CollectError::OtherHost { before, now } if before == "127.0.0.1" && now == "localhost"),
        "{failed}"
    );
    std::fs::write(folder.path().join("github/manifest.json"), "{").unwrap();
    let failed = again.run(&server.url, folder.path()).unwrap_err();
    assert!(matches!(failed, CollectError::NoCapture(NoCapture::NoManifest(_))), "{failed}");
    let empty = tempfile::tempdir().unwrap();
    let none = Collection { organisations: Vec::new(), ..Collection::default() };
    assert!(matches!(none.run(&server.url, empty.path()), Err(CollectError::NoOrganisation)));
}
