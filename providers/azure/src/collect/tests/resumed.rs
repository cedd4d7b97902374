//! A collection that ended early is gone on with, without asking again for what is there.

use super::server::{Fault, Server};
use super::world::world;
use super::*;

/// Stops, or kills, at a number of calls.
fn ended(at: usize, killed: bool) -> tempfile::TempDir {
    let stopper = Stopper::default();
    let stop = stopper.clone();
    let server = Server::new(world(20), move |seen| {
        if seen.number == at {
            stop.stop();
        }
        None
    });
    let home = tempfile::tempdir().unwrap();
    let collection =
        Collection { stopper: if killed { Stopper::default() } else { stopper.clone() }, ..Collection::default() };
    let done = match killed {
        true => collection.run_until(&stopper, &server.url, home.path()),
        false => collection.run(&server.url, home.path()),
    };
    match done {
        Ok(collected) => assert!(!killed && collected.stopped.is_some(), "at {at}: {collected:?}"),
        Err(error) => assert!(killed, "{error}"),
    }
    home
}

#[test]
fn wherever_it_ends_going_on_makes_the_same_capture() {
    let server = Server::new(world(20), |_| None);
    let expected = tempfile::tempdir().unwrap();
    Collection::default().run(&server.url, expected.path()).unwrap();
    let all = server.seen().len();
    for (at, killed) in [(1, false), (all / 3, false), (all * 3 / 4, false), (all / 2, true), (all - 20, true)] {
        let home = ended(at, killed);
        let manifest = manifest(home.path());
        assert_eq!(manifest["complete"], false);
        assert_eq!(manifest.get("stopped").is_some(), !killed);
        assert!(!manifest["pending"].as_array().unwrap().is_empty());
        for (path, text) in documents(home.path()) {
            assert!(!path.contains(".evenhand-") || killed, "{path}");
            assert!(text.is_empty() || text.ends_with('\n'), "{path}");
        }
        let server = Server::new(world(20), |_| None);
        let resume = Collection { resume: true, ..Collection::default() };
        let collected = resume.run(&server.url, home.path()).unwrap();
        assert_eq!((collected.stopped, collected.failed.len()), (None, 0));
        assert_eq!(lines(home.path()), lines(expected.path()), "ended at {at}");
        assert_eq!(super::manifest(home.path())["complete"], true);
        assert!(documents(home.path()).keys().all(|path| !path.contains(".evenhand-")));
    }
}

#[test]
fn what_was_answered_is_not_asked_again_and_what_was_refused_is() {
    let server =
        Server::new(world(20), |seen| seen.path.ends_with("/owners").then_some(Fault::Refuse(403, "Forbidden")));
    let home = tempfile::tempdir().unwrap();
    Collection::default().run(&server.url, home.path()).unwrap();
    let server = Server::new(world(20), |_| None);
    Collection { resume: true, ..Collection::default() }.run(&server.url, home.path()).unwrap();
    for seen in server.seen() {
        let owners = seen.path.ends_with("/owners");
        // What decides what else is asked is asked anew.
        let leads = seen.batch == 0;
        assert!(owners || leads, "{seen:?}");
        assert!(!seen.path.ends_with("/roleAssignments"), "{seen:?}");
    }
    assert!(lines(home.path()).values().all(|line| line.get("error").is_none()));
}

#[test]
fn a_folder_that_holds_another_tenant_is_left_alone() {
    let server = Server::new(world(2), |_| None);
    let home = tempfile::tempdir().unwrap();
    Collection::default().run(&server.url, home.path()).unwrap();
    let before = documents(home.path());
    let who = Fake { tenant: Some("7e9a0000-0000-4000-8000-00000000ffff"), ..Fake::default() };
    let error = Collection { resume: true, who, ..Collection::default() }.run(&server.url, home.path()).unwrap_err();
    assert!(matches!(error, CollectError::OtherTenant { .. }), "{error}");
    assert_eq!(documents(home.path()), before);
}

#[test]
fn a_deadline_ends_it_with_what_there_is() {
    let server = Server::new(world(20), |seen| {
        // One answer takes longer than there is time.
        if seen.number == 30 {
            std::thread::sleep(Duration::from_millis(2_200));
        }
        None
    });
    let home = tempfile::tempdir().unwrap();
    let deadline = Some(Duration::from_secs(2));
    let collected = Collection { deadline, ..Collection::default() }.run(&server.url, home.path()).unwrap();
    assert_eq!(collected.stopped, Some(crate::collect::Stopped::Deadline));
    assert_eq!(manifest(home.path())["stopped"], "deadline");
}
