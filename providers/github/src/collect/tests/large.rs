//! Large organisations: the budget is kept, and what is held in memory depends on the pages, not on the organisation.

use serde_json::{Value, json};

use super::server::{Limit, Server};
use super::{Collection, quickly};
use crate::collect::client::Pace;
use crate::documents::route::{Asked, Route};

/// An organisation of so many repositories.
fn organisation(repositories: usize) -> impl Fn(&Asked) -> Option<Value> {
    move |asked: &Asked| {
        Some(match asked.route {
            Route::Repositories => (0..repositories).map(|at| one(&format!("repository-{at:05}"))).collect(),
            Route::Members => (0..repositories).map(|at| json!({"login": format!("person-{at}"), "id": at})).collect(),
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

/// Collects so many repositories within a budget; the requests, and the most that was held at one time.
fn held(repositories: usize, limit: Limit) -> (usize, usize) {
    let server = Server::limited(Some(limit), organisation(repositories), |_| None);
    let folder = tempfile::tempdir().unwrap();
    let pace = Pace { page: 100, pages: 10_000, ..quickly() };
    let collected = Collection { pace, ..Collection::default() }.run(&server.url, folder.path()).unwrap();
    assert_eq!((collected.repositories, collected.stopped), (repositories, None));
    assert_eq!(collected.failed, []);
    let (over, budgets, _) = server.budget();
    let requests = server.seen().len();
    assert_eq!(over, 0, "no request was refused for the budget");
    assert!(budgets >= requests / usize::try_from(limit.requests).unwrap(), "{requests} requests in {budgets} budgets");
    (requests, collected.most_held)
}

#[test]
fn memory_does_not_grow_with_the_organisation() {
    let limit = Limit { requests: 5_000, window: 1 };
    let (few, small) = held(200, limit);
    let (many, large) = held(400, limit);
    let page = 100 * one("repository-00000").to_string().len();
    for most in [small, large] {
        assert!(most <= 2 * page, "{most} bytes of pages of {page}");
    }
    // So many calls for each repository, and some for the organisation.
    let each = (many - few) as f64 / 200.0;
    assert!((15.0..30.0).contains(&each), "{each} calls for each repository");
}

#[test]
#[ignore = "a minute: 2,000 repositories"]
fn two_thousand_repositories_are_collected_within_the_budget_and_the_memory_of_a_few_pages() {
    let (requests, most) = held(2_000, Limit { requests: 5_000, window: 2 });
    let page = 100 * one("repository-00000").to_string().len();
    assert!(most <= 2 * page, "{most} bytes of pages of {page}");
    assert!(requests < 2_000 * 25, "{requests}");
}
