//! Credentials that see some repositories of an organisation only.

use serde_json::{Value, json};

use super::server::{Fault, Server};
use super::world::world;
use super::{Collection, app, inventory, manifest};
use crate::documents::route::{Asked, Route};

/// The organisation tells so many repositories, of which three are listed.
fn telling(counts: Value) -> impl Fn(&Asked) -> Option<Value> {
    move |asked| match asked.route {
        Route::Organisation => {
            let mut told = json!({"login": "acme", "id": 1, "type": "Organization"});
            told.as_object_mut()?.extend(counts.as_object()?.clone());
            Some(told)
        }
        _ => world(asked),
    }
}

/// What is said of the list: by the collector, and by the reader of the capture.
fn said(collected: &crate::collect::Collected, folder: &std::path::Path) -> (Vec<String>, Vec<String>) {
    let failed = collected.failed.iter().filter(|failed| failed.code == "PartlyListed");
    let gaps = inventory(folder).gaps;
    let gaps = gaps.iter().filter(|gap| gap.unknown().contains("were not listed"));
    (failed.map(|failed| failed.detail.clone().unwrap()).collect(), gaps.map(|gap| gap.reason.to_string()).collect())
}

#[test]
fn a_token_that_sees_some_repositories_leaves_a_gap_that_says_which_were_read() {
    for (counts, unread) in [
        (json!({"public_repos": 2, "total_private_repos": 10}), Some("3 of 12 repositories")),
        (json!({"public_repos": 2, "total_private_repos": null}), Some("was withheld, and 3 repositories")),
        (json!({"public_repos": 2, "total_private_repos": 1}), None),
    ] {
        let server = Server::new(telling(counts.clone()), |_| None);
        let folder = tempfile::tempdir().unwrap();
        let collected = Collection::default().run(&server.url, folder.path()).unwrap();
        let (failed, gaps) = said(&collected, folder.path());
        assert_eq!((failed.len(), gaps.len()), (usize::from(unread.is_some()), failed.len()), "{counts}: {gaps:?}");
        for (text, unread) in failed.iter().chain(&gaps).zip(unread.into_iter().cycle()) {
            assert!(text.contains(unread), "{text}");
        }
        assert!(gaps.iter().all(|gap| gap.ends_with("unread are all but shop, site, tools")), "{gaps:?}");
        // Going on reads the same from what is there.
        let again = Collection { resume: true, ..Collection::default() }.run(&server.url, folder.path()).unwrap();
        assert_eq!(said(&again, folder.path()), (failed, gaps));
    }
    // Who names repositories does not ask for all.
    let server = Server::new(telling(json!({"public_repos": 2, "total_private_repos": 10})), |_| None);
    let folder = tempfile::tempdir().unwrap();
    let some = Collection { repositories: vec!["shop"], ..Collection::default() };
    let collected = some.run(&server.url, folder.path()).unwrap();
    assert_eq!(said(&collected, folder.path()), (Vec::new(), Vec::new()));
}

#[test]
fn an_app_that_is_installed_on_selected_repositories_leaves_a_gap_unless_these_are_all() {
    for (counts, selection, unread) in [
        (json!({"public_repos": 2}), "selected", true),
        (json!({"public_repos": 2}), "all", false),
        (json!({"public_repos": 2, "total_private_repos": 1}), "selected", false),
        (json!({"public_repos": 2, "total_private_repos": 2}), "selected", true),
    ] {
        let server =
            Server::new(telling(counts.clone()), move |seen| match (seen.method.as_str(), seen.path.as_str()) {
                ("GET", "/orgs/acme/installation") => Some(Fault::Answer(json!({"id": 99}).to_string())),
                ("POST", _) => Some(Fault::Answer(
                    json!({"token": "fake-installed", "repository_selection": selection}).to_string(),
                )),
                _ => None,
            });
        let folder = tempfile::tempdir().unwrap();
        let (who, _home) = app(None);
        let collected = Collection { who: Some(who), ..Collection::default() }.run(&server.url, folder.path()).unwrap();
        let (failed, gaps) = said(&collected, folder.path());
        assert_eq!(
            (failed.len(), gaps.len()),
            (usize::from(unread), usize::from(unread)),
            "{counts} {selection}: {gaps:?}"
        );
        assert_eq!(manifest(folder.path())["repository_selection"], json!({"acme": selection}));
    }
}
