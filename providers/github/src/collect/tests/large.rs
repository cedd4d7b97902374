//! Large organisations: the budget is kept, what is held in memory depends on the pages and not on the organisation, and one
//! that is killed and gone on with is the same as one that was not.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use evenhand_collect::Stopper;
use serde_json::{Value, json};

use super::server::{Limit, Server};
use super::{Collection, answers, documents, manifest, quickly};
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
    Collection {
        pace: Pace { page: 100, pages: 10_000, answer: Duration::from_secs(3_600), ..quickly() },
        ..Collection::default()
    }
}

/// Whether everything was collected, within the budget and the memory of a page.
fn is_whole(server: &Server, repositories: usize, collected: &Collected) {
    assert_eq!((collected.repositories, collected.stopped), (repositories, None));
    assert_eq!(collected.failed, []);
    let (over, budgets, free) = server.budget();
    let requests = server.requests() - free;
    assert_eq!(over, 0, "no request was refused for the budget");
    assert!(budgets >= requests / usize::try_from(LIMIT.requests).unwrap(), "{requests} requests in {budgets} budgets");
    let page = 100 * one("repository-00000").to_string().len();
    assert!(collected.most_held <= 2 * page, "{} bytes of pages of {page}", collected.most_held);
}

/// What an uninterrupted collection of one repository of such an organisation leaves: all of them are alike but for their
/// names.
fn expected(whole: &[(String, String)], name: &str) -> (String, String) {
    let alike = |text: &str| text.replace("repository-00000", name);
    let (path, text) = whole.iter().find(|(path, _)| path.ends_with("repository-00000.ndjson")).unwrap();
    (alike(path), alike(text))
}

#[test]
fn two_thousand_repositories_take_the_memory_of_a_page_and_the_budget_and_may_be_killed() {
    const FEW: usize = 100;
    const ALL: usize = 2_000;
    let server = Server::limited(Some(LIMIT), organisation(FEW), |_| None);
    let folder = tempfile::tempdir().unwrap();
    let collected = collection().run(&server.url, folder.path()).unwrap();
    is_whole(&server, FEW, &collected);
    let (few, uninterrupted) = (server.requests(), documents(folder.path()));
    for at in [1, FEW - 1] {
        let expected = expected(&uninterrupted, &format!("repository-{at:05}"));
        assert!(uninterrupted.contains(&expected), "they are alike");
    }

    let stopper = Stopper::default();
    let (stop, seen) = (stopper.clone(), AtomicUsize::new(0));
    let server = Server::limited(Some(LIMIT), organisation(ALL), move |_| {
        if seen.fetch_add(1, Ordering::SeqCst) == few * (ALL / FEW / 2) {
            stop.stop();
        }
        None
    });
    let folder = tempfile::tempdir().unwrap();
    collection().run_until(&stopper, &server.url, folder.path()).unwrap_err();
    let before = documents(folder.path()).len();
    let again = Collection { resume: true, organisations: Vec::new(), ..collection() };
    let collected = again.run(&server.url, folder.path()).unwrap();
    is_whole(&server, ALL, &collected);
    let held = documents(folder.path());
    assert!((ALL / 4..ALL * 3 / 4).contains(&before), "{before} of {} documents when it was killed", held.len());
    assert_eq!(held.len(), uninterrupted.len() + ALL - FEW);
    for at in 0..ALL {
        let expected = expected(&uninterrupted, &format!("repository-{at:05}"));
        let found = held.binary_search_by(|(path, _)| path.cmp(&expected.0)).unwrap();
        assert_eq!(held[found], expected);
    }
    let of_organisation = |all: &[(String, String)]| -> Vec<(String, String)> {
        let own = |path: &str| {
            path.contains("/orgs/") && !path.ends_with("repos.ndjson") && !path.ends_with("members.ndjson")
        };
        all.iter().filter(|(path, _)| own(path) && !path.ends_with("organization.ndjson")).cloned().collect()
    };
    assert_eq!(of_organisation(&held), of_organisation(&uninterrupted));
    let listed = answers(folder.path())["/orgs/acme/repos"]["response"].as_array().map(Vec::len);
    assert_eq!(listed, Some(ALL));
    assert_eq!(manifest(folder.path())["complete"], true);
    // So many calls for each repository, and some for the organisation; what was there is not asked for again.
    let each = (server.requests() - few) as f64 / (ALL - FEW) as f64;
    assert!((15.0..30.0).contains(&each), "{each} calls for each repository");
}
