//! Large organisations: the budget is kept, what is held in memory depends on the pages and not on the organisation, and one
//! that is killed and gone on with is the same as one that was not.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use evenhand_collect::Stopper;
use serde_json::{Value, json};

use super::server::{Limit, Server};
use super::{Collection, documents, quickly};
use crate::collect::Collected;
use crate::collect::client::Pace;
use crate::documents::route::{Asked, Route};

/// As many as GitHub gives an app for an hour; here it is a second.
const LIMIT: Limit = Limit { requests: 5_000, window: 1 };

/// An organisation of so many repositories.
fn organisation(repositories: usize) -> impl Fn(&Asked) -> Option<Value> {
    let all: Value = (0..repositories).map(|at| one(&format!("repository-{at:05}"))).collect();
    let members: Value = (0..repositories).map(|at| json!({"login": format!("person-{at}"), "id": at})).collect();
    move |asked: &Asked| {
        Some(match asked.route {
            Route::Organisation => {
                json!({"login": "acme", "public_repos": 0, "total_private_repos": repositories})
            }
            Route::Repositories => all.clone(),
            Route::Members => members.clone(),
            Route::WorkflowFiles => json!([{"path": ".github/workflows/ci.yml", "type": "file"}]),
            Route::File => {
                json!({"path": asked.at(2), "type": "file", "encoding": "base64", "content": "b246IHB1c2gK"})
            }
            _ => return None,
        })
    }
}

fn one(name: &str) -> Value {
    let mut whole = super::world::repository(name);
    // As large as GitHub's own.
    whole["description"] = "x".repeat(4_000).into();
    whole
}

fn collection() -> Collection {
    Collection { pace: Pace { page: 100, pages: 10_000, ..quickly() }, ..Collection::default() }
}

/// Collects so many repositories within a budget; the requests that it took.
fn whole(repositories: usize, folder: &Path) -> (usize, Collected) {
    let server = Server::limited(Some(LIMIT), organisation(repositories), |_| None);
    let collected = collection().run(&server.url, folder).unwrap();
    assert_eq!((collected.repositories, collected.stopped), (repositories, None));
    assert_eq!(collected.failed, []);
    within_budget(&server);
    let page = 100 * one("repository-00000").to_string().len();
    assert!(collected.most_held <= 2 * page, "{} bytes of pages of {page}", collected.most_held);
    (server.requests(), collected)
}

fn within_budget(server: &Server) {
    let (over, budgets, _) = server.budget();
    let requests = server.requests();
    assert_eq!(over, 0, "no request was refused for the budget");
    assert!(budgets >= requests / usize::try_from(LIMIT.requests).unwrap(), "{requests} requests in {budgets} budgets");
}

#[test]
fn two_thousand_repositories_take_the_memory_of_a_page_and_the_budget_and_may_be_killed() {
    const ALL: usize = 2_000;
    let (few, _) = whole(ALL / 20, tempfile::tempdir().unwrap().path());
    let uninterrupted = tempfile::tempdir().unwrap();
    let (many, _) = whole(ALL, uninterrupted.path());
    // So many calls for each repository, and some for the organisation.
    let each = (many - few) as f64 / (ALL - ALL / 20) as f64;
    assert!((15.0..30.0).contains(&each), "{each} calls for each repository");

    let stopper = Stopper::default();
    let (stop, seen) = (stopper.clone(), AtomicUsize::new(0));
    let server = Server::limited(Some(LIMIT), organisation(ALL), move |_| {
        if seen.fetch_add(1, Ordering::SeqCst) == many / 2 {
            stop.stop();
        }
        None
    });
    let folder = tempfile::tempdir().unwrap();
    collection().run_until(&stopper, &server.url, folder.path()).unwrap_err();
    Collection { resume: true, organisations: Vec::new(), ..collection() }.run(&server.url, folder.path()).unwrap();
    within_budget(&server);
    assert!(server.requests() < many + many / 10, "what was there is not asked for again");
    let (held, expected) = (documents(folder.path()), documents(uninterrupted.path()));
    assert_eq!(held.len(), expected.len());
    for (held, expected) in held.iter().zip(&expected) {
        assert_eq!(held, expected);
    }
}
