//! Budgets and secondary limits.

use std::time::{Duration, Instant};

use super::server::{Fault, Limit, Server};
use super::world::world;
use super::{Collection, answers, quickly};
use crate::collect::client::Pace;
use crate::collect::{Stopped, Tell};
use crate::documents::route::Route;

#[test]
fn a_budget_is_not_overdrawn_and_the_next_one_is_waited_for() {
    let limit = Limit { requests: 60, window: 1 };
    let server = Server::limited(Some(limit), world, |_| None);
    let folder = tempfile::tempdir().unwrap();
    let collected = Collection::default().run(&server.url, folder.path()).unwrap();
    let (over, budgets, _) = server.budget();
    assert_eq!(over, 0, "no request was refused for the budget");
    let requests = server.seen().len();
    assert!(requests > 120 && budgets >= requests / 60, "{requests} requests in {budgets} budgets");
    assert!(collected.failed.iter().all(|failed| failed.code == "404 Not Found"), "{:?}", collected.failed);
}

#[test]
fn what_github_asks_to_make_later_is_made_later() {
    let none = Vec::<(&'static str, String)>::new;
    for (status, words, headers) in [
        (403, "You have exceeded a secondary rate limit", none()),
        (403, "Forbidden", vec![("retry-after", "0".to_owned())]),
        (429, "Too Many Requests", none()),
        (
            403,
            "API rate limit exceeded",
            vec![("x-ratelimit-remaining", "0".to_owned()), ("x-ratelimit-reset", "1".to_owned())],
        ),
    ] {
        let said = headers.clone();
        let server = Server::new(world, move |seen| {
            (seen.route == Some(Route::Members) && seen.before < 2).then(|| Fault::Refuse(status, words, said.clone()))
        });
        let folder = tempfile::tempdir().unwrap();
        let collected = Collection::default().run(&server.url, folder.path()).unwrap();
        assert!(
            collected.failed.iter().all(|failed| failed.code == "404 Not Found"),
            "{words}: {:?}",
            collected.failed
        );
        assert_eq!(answers(folder.path())["/orgs/acme/members"]["response"].as_array().unwrap().len(), 5, "{words}");
    }
}

#[test]
fn a_limit_that_does_not_end_is_a_gap() {
    let server = Server::new(world, |seen| {
        (seen.route == Some(Route::Members)).then_some(Fault::status(429, "Slow down")).flatten()
    });
    let folder = tempfile::tempdir().unwrap();
    let collected = Collection::default().run(&server.url, folder.path()).unwrap();
    let failed = collected.failed.iter().find(|failed| failed.code.starts_with("429")).unwrap();
    assert_eq!(failed.call.as_deref(), Some("GET /orgs/{org}/members"));
    assert_eq!(server.count(Route::Members), 8);
    assert_eq!(answers(folder.path())["/orgs/acme/members"]["error"]["kind"], "throttled");
}

#[test]
fn a_wait_for_a_budget_ends_with_the_time_that_was_given_and_is_told() {
    let said: std::sync::Arc<std::sync::Mutex<Vec<String>>> = Default::default();
    let told = std::sync::Arc::clone(&said);
    let tell = Tell(std::sync::Arc::new(move |text| told.lock().unwrap().push(text.to_owned())));
    let server = Server::limited(Some(Limit { requests: 10, window: 3600 }), world, |_| None);
    let folder = tempfile::tempdir().unwrap();
    let began = Instant::now();
    let deadline = Some(Duration::from_millis(1500));
    let collected = Collection { deadline, tell, ..Collection::default() }.run(&server.url, folder.path()).unwrap();
    assert_eq!(collected.stopped, Some(Stopped::Deadline));
    assert!(began.elapsed() < Duration::from_secs(20));
    assert_eq!((server.seen().len(), server.budget().0), (10, 0));
    assert!(said.lock().unwrap().iter().any(|text| text.starts_with("waits 60 min")), "{said:?}");
}

#[test]
fn no_more_calls_are_under_way_than_allowed_and_they_keep_their_distance() {
    let server = Server::new(world, |_| None);
    let folder = tempfile::tempdir().unwrap();
    let pace = Pace { apart: Duration::from_millis(5), ..quickly() };
    let began = Instant::now();
    Collection { pace, ..Collection::default() }.run(&server.url, folder.path()).unwrap();
    let requests = u32::try_from(server.seen().len()).unwrap();
    assert!(began.elapsed() >= Duration::from_millis(5) * (requests - 1), "{requests} in {:?}", began.elapsed());
}
