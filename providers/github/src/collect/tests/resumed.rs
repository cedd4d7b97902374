//! Collections that go on where an earlier one ended.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use evenhand_collect::Stopper;

use super::server::{Fault, Server};
use super::world::{repository, world};
use super::{Collection, answers, documents, inventory, manifest};
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
fn a_list_that_is_not_answered_again_costs_nothing_that_it_led_to() {
    let leading = [Route::Teams, Route::Installations, Route::OrganisationSecrets, Route::Repositories];
    for (status, lists_are_gone) in [(500, false), (403, false), (500, true)] {
        let faulty = Arc::new(AtomicBool::new(false));
        let is_faulty = Arc::clone(&faulty);
        let server = Server::new(world, move |seen| {
            let fails = is_faulty.load(Ordering::SeqCst) && seen.route.is_some_and(|route| leading.contains(&route));
            fails.then_some(Fault::status(status, "Server Error")).flatten()
        });
        let folder = tempfile::tempdir().unwrap();
        Collection::default().run(&server.url, folder.path()).unwrap();
        let whole = documents(folder.path());
        let orgs = folder.path().join("github/127.0.0.1/orgs/acme");
        if lists_are_gone {
            // As where an earlier collection was refused them.
            std::fs::remove_file(orgs.join("teams.ndjson")).unwrap();
            std::fs::remove_file(orgs.join("installations.ndjson")).unwrap();
        }
        faulty.store(true, Ordering::SeqCst);
        let again = || Collection { resume: true, organisations: Vec::new(), ..Collection::default() };
        let collected = again().run(&server.url, folder.path()).unwrap();
        let failed = collected.failed.iter().filter(|failed| failed.code.contains("Server Error")).count();
        assert_eq!(failed, leading.len(), "{:?}", collected.failed);
        let held = documents(folder.path());
        for (path, text) in &whole {
            let now = held.iter().find(|(held, _)| held == path);
            assert!(now.is_some(), "{path} is gone");
            if path.contains("teams-members") || path.contains("/repos/acme/") || path.contains("secrets-repositories")
            {
                assert_eq!(now.map(|(_, text)| text), Some(text), "{path}");
            }
        }
        // The capture says both: what was answered, and that it may not be so any more.
        let text = std::fs::read_to_string(orgs.join("repos.ndjson")).unwrap();
        assert!(text.contains("Server Error") && text.contains("\"response\":["), "{text}");
        assert!(inventory(folder.path()).gaps.iter().any(|gap| gap.call.contains("/orgs/{org}/repos")));
        faulty.store(false, Ordering::SeqCst);
        again().run(&server.url, folder.path()).unwrap();
        let healed = documents(folder.path());
        for (healed, whole) in healed.iter().zip(&whole) {
            assert_eq!(healed, whole);
        }
        assert_eq!(healed.len(), whole.len());
    }
}

#[test]
fn an_answer_that_changed_is_kept_until_the_new_one_is_there() {
    let grown = Arc::new(AtomicBool::new(false));
    let (is_grown, changes) = (Arc::clone(&grown), Arc::clone(&grown));
    let contents = move |asked: &crate::documents::route::Asked| {
        let mut held = world(asked);
        if asked.route == Route::Teams && is_grown.load(Ordering::SeqCst) {
            held.as_mut()?.as_array_mut()?.push(serde_json::json!({"slug": "fresh", "name": "Fresh"}));
        }
        held
    };
    let stopper = Stopper::default();
    let stop = stopper.clone();
    let server = Server::new(contents, move |seen| {
        let anew = seen.route == Some(Route::Teams) && !seen.headers.contains_key("if-none-match");
        if anew && seen.page() == 1 && seen.before > 0 && changes.load(Ordering::SeqCst) {
            // Out of time after it was seen that it is another one.
            stop.stop();
        }
        None
    });
    let folder = tempfile::tempdir().unwrap();
    Collection::default().run(&server.url, folder.path()).unwrap();
    let teams = |folder: &std::path::Path| answers(folder)["/orgs/acme/teams"]["response"].as_array().map(Vec::len);
    grown.store(true, Ordering::SeqCst);
    let again = |stopper| Collection { resume: true, stopper, ..Collection::default() };
    let stopped = again(stopper).run(&server.url, folder.path()).unwrap();
    assert!(stopped.stopped.is_some());
    assert_eq!(teams(folder.path()), Some(3), "what was there stays");
    assert!(answers(folder.path()).contains_key("/orgs/acme/teams/ops/members"));
    again(Stopper::default()).run(&server.url, folder.path()).unwrap();
    assert_eq!(teams(folder.path()), Some(4));
    let whole = tempfile::tempdir().unwrap();
    Collection::default().run(&server.url, whole.path()).unwrap();
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

#[test]
fn what_is_told_of_a_repository_that_is_gone_does_not_stay() {
    for (told, stays) in [(Some(2), false), (Some(9), true), (None, true)] {
        let shrunk = Arc::new(AtomicBool::new(false));
        let is_shrunk = Arc::clone(&shrunk);
        let contents = move |asked: &crate::documents::route::Asked| {
            let mut held = world(asked);
            let now = is_shrunk.load(Ordering::SeqCst);
            match asked.route {
                Route::Repositories if now => held = Some(serde_json::json!([repository("shop"), repository("tools")])),
                Route::Organisation => {
                    let held = held.as_mut()?.as_object_mut()?;
                    held.insert("public_repos".to_owned(), 0.into());
                    if let Some(private) = told {
                        let private = if now { private } else { 3 };
                        held.insert("total_private_repos".to_owned(), private.into());
                    }
                }
                _ => {}
            }
            held
        };
        let server = Server::new(contents, |_| None);
        let folder = tempfile::tempdir().unwrap();
        Collection::default().run(&server.url, folder.path()).unwrap();
        assert!(answers(folder.path()).contains_key("/repos/acme/site/keys"));
        shrunk.store(true, Ordering::SeqCst);
        let again = Collection { resume: true, organisations: Vec::new(), ..Collection::default() };
        again.run(&server.url, folder.path()).unwrap();
        let held = answers(folder.path());
        assert_eq!(
            held.contains_key("/repos/acme/site/keys"),
            stays,
            "{told:?}: whole only where the organisation says so"
        );
        assert!(held.contains_key("/repos/acme/shop/keys"));
    }
}
