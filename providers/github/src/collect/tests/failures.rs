//! What goes wrong, and what is said of it.

use evenhand_collect::State;
use evenhand_collect::served::How;
use evenhand_model::gap::GapKind;
use serde_json::json;

use super::server::{Fault, Limit, Server};
use super::world::world;
use super::{Collection, answers, documents, inventory, manifest};
use crate::collect::{CollectError, NoCapture, Stopped, Tell};
use crate::documents::route::Route;

/// The calls that failed, with their codes.
fn failed(collected: &crate::collect::Collected) -> Vec<(String, String)> {
    let all = collected.failed.iter().filter(|failed| failed.code != "404 Not Found");
    all.map(|failed| (failed.call.clone().unwrap_or_default(), failed.code.clone())).collect()
}

fn collect(
    script: impl Fn(&super::server::Seen) -> Option<Fault> + Send + Sync + 'static,
) -> (Server, tempfile::TempDir, crate::collect::Collected) {
    let server = Server::new(world, script);
    let folder = tempfile::tempdir().unwrap();
    let collected = Collection::default().run(&server.url, folder.path()).unwrap();
    (server, folder, collected)
}

#[test]
fn a_refusal_stands_where_the_answer_would_with_the_permission_that_is_enough() {
    let (server, folder, collected) = collect(|seen| match seen.route? {
        Route::OrganisationHooks => Some(Fault::Refuse(
            403,
            "Resource not accessible by integration",
            vec![("x-accepted-github-permissions", "organization_hooks=read".to_owned())],
        )),
        Route::DeployKeys if seen.path.contains("/shop/") => Fault::status(451, "Repository access blocked"),
        Route::Members if seen.page() == 2 => Fault::status(403, "Resource not accessible by integration"),
        Route::CustomRepositoryRoles => Fault::status(404, "Not Found"),
        _ => None,
    });
    let answers = answers(folder.path());
    let hooks = &answers["/orgs/acme/hooks"];
    assert_eq!(hooks["error"], json!({"code": "403 Resource not accessible by integration", "kind": "refused"}));
    assert_eq!((&hooks["accepted"], hooks.get("response")), (&json!("organization_hooks=read"), None));
    assert_eq!(answers["/repos/acme/shop/keys"]["error"]["code"], "451 Repository access blocked");
    assert!(answers["/repos/acme/site/keys"]["response"].is_array());
    let members = &answers["/orgs/acme/members"];
    assert!(
        members.get("response").is_none() && members["error"]["code"].as_str().unwrap().starts_with("403"),
        "half a list is none"
    );
    assert_eq!(server.count(Route::OrganisationHooks), 1, "a refusal is not asked again");
    let of = |call: &str| collected.failed.iter().find(|failed| failed.call.as_deref() == Some(call)).unwrap();
    assert_eq!(of("GET /orgs/{org}/hooks").detail.as_deref(), Some("needs organization_hooks=read"));
    assert_eq!(
        of("GET /orgs/{org}/custom-repository-roles").detail.as_deref(),
        Some("GitHub Enterprise Cloud only, needs organization_custom_roles=read")
    );
    assert_eq!(of("GET /repos/{owner}/{repo}/keys").place, "acme/shop");
    assert!(manifest(folder.path())["complete"] == true && collected.stopped.is_none());
    let gaps = inventory(folder.path()).gaps;
    let gap = gaps.iter().find(|gap| gap.call.contains("/hooks")).unwrap_or_else(|| panic!("{gaps:?}"));
    assert!(gap.reason.contains("organization_hooks"), "{gap:?}");
}

#[test]
fn what_may_pass_is_tried_again_and_what_does_not_is_a_gap() {
    let (server, folder, collected) = collect(|seen| match seen.route? {
        Route::Members if seen.before == 0 => Fault::status(502, "Server Error"),
        Route::Owners if seen.before < 2 => Some(Fault::Sent(How::Cut)),
        Route::Teams if seen.before == 0 => Some(Fault::Sent(How::Reset)),
        Route::OrganisationActions => Fault::status(500, "Server Error"),
        Route::RunnerGroups => Some(Fault::Answer("<html>sign in</html>".to_owned())),
        Route::OrganisationRunners => Some(Fault::Answer("[]".to_owned())),
        _ => None,
    });
    assert_eq!(
        failed(&collected),
        [
            ("GET /orgs/{org}/actions/permissions", "500 Server Error"),
            ("GET /orgs/{org}/actions/runner-groups", "NotUnderstood"),
            ("GET /orgs/{org}/actions/runners", "NotUnderstood"),
        ]
        .map(|(call, code)| (call.to_owned(), code.to_owned()))
    );
    assert_eq!(server.count(Route::OrganisationActions), 4);
    let answers = answers(folder.path());
    assert_eq!(answers["/orgs/acme/members"]["response"].as_array().unwrap().len(), 5);
    assert_eq!(answers["/orgs/acme/actions/permissions"]["error"]["kind"], "failed");
    assert_eq!(answers["/orgs/acme/actions/runners"]["error"]["kind"], "malformed");
}

#[test]
fn a_link_to_another_host_is_not_followed_and_a_list_without_end_ends() {
    // Whoever follows the link is seen by this one.
    let other = Server::new(world, |_| None);
    let foreign = format!("{}/orgs/acme/members?page=2", other.url);
    let elsewhere = foreign.clone();
    let (server, folder, collected) = collect(move |seen| match seen.route? {
        Route::Members => Some(Fault::Link(foreign.clone())),
        Route::Owners => Some(Fault::Link("https://api.github.com/resource?page=2".to_owned())),
        Route::OutsideCollaborators => {
            Some(Fault::Refuse(301, "Moved Permanently", vec![("location", elsewhere.clone())]))
        }
        _ => None,
    });
    assert_eq!(other.seen().len(), 0);
    for call in ["members", "members?role=admin", "outside_collaborators"] {
        let code = (format!("GET /orgs/{{org}}/{call}"), "ForeignLink".to_owned());
        assert!(failed(&collected).contains(&code), "{call}: {:?}", collected.failed);
    }
    assert!(answers(folder.path())["/orgs/acme/members"].get("response").is_none());
    assert!(server.count(Route::Members) == 1);

    let endless = Server::new(world, |seen| {
        (seen.route == Some(Route::Members)).then(|| {
            Fault::Link(format!("http://{}/orgs/acme/members?per_page=2&page={}", seen.headers["host"], seen.number))
        })
    });
    let folder = tempfile::tempdir().unwrap();
    let collected = Collection::default().run(&endless.url, folder.path()).unwrap();
    assert_eq!(failed(&collected), [("GET /orgs/{org}/members".to_owned(), "EndlessPages".to_owned())]);
    assert_eq!(endless.count(Route::Members), 50);
}

#[test]
fn what_was_renamed_is_found_at_its_new_address_on_the_same_host() {
    let (server, folder, collected) = collect(|seen| match seen.path.as_str() {
        "/repos/acme/shop/keys" => {
            let to = format!("http://{}/repos/acme/tools/keys?per_page=2", seen.headers["host"]);
            Some(Fault::Refuse(301, "Moved Permanently", vec![("location", to)]))
        }
        "/repos/acme/site/keys" => {
            let to = format!("http://{}/repos/acme/site/keys", seen.headers["host"]);
            Some(Fault::Refuse(301, "Moved Permanently", vec![("location", to)]))
        }
        _ => None,
    });
    assert!(answers(folder.path())["/repos/acme/shop/keys"]["response"].is_array());
    assert_eq!(failed(&collected), [("GET /repos/{owner}/{repo}/keys".to_owned(), "EndlessRedirections".to_owned())]);
    assert!(server.count(Route::DeployKeys) < 10);
}

#[test]
fn an_organisation_that_nobody_may_see_is_told_once() {
    let server = Server::new(world, |_| None);
    let folder = tempfile::tempdir().unwrap();
    let both = Collection { organisations: vec!["acme", "hidden"], ..Collection::default() };
    let collected = both.run(&server.url, folder.path()).unwrap();
    let gone: Vec<_> = collected.failed.iter().filter(|failed| failed.call.is_none()).collect();
    assert_eq!(gone.iter().map(|failed| failed.place.as_str()).collect::<Vec<_>>(), ["hidden"]);
    assert_eq!(server.seen().iter().filter(|seen| seen.path.contains("hidden")).count(), 1);
    let manifest = manifest(folder.path());
    assert!(manifest["complete"] == false && manifest["pending"].as_array().unwrap().len() > 20);
}

#[test]
fn a_repository_that_nobody_may_see_is_told_once_and_the_others_are_collected() {
    let server = Server::new(world, |seen| {
        let hidden = seen.path.starts_with("/repos/acme/shopp");
        hidden.then(|| Fault::Refuse(404, "Not Found", Vec::new()))
    });
    let folder = tempfile::tempdir().unwrap();
    let named = Collection { repositories: vec!["shop", "shopp"], ..Collection::default() };
    let collected = named.run(&server.url, folder.path()).unwrap();
    let gone: Vec<_> = collected.failed.iter().filter(|failed| failed.call.is_none()).collect();
    let [failed] = gone.as_slice() else { panic!("{gone:?}") };
    assert_eq!((failed.place.as_str(), collected.repositories), ("acme/shopp", 1));
    assert!(failed.detail.as_deref().unwrap().contains("no such repository"), "{failed:?}");
    assert_eq!(server.seen().iter().filter(|seen| seen.path.contains("/shopp")).count(), 1);
    assert_eq!(manifest(folder.path())["complete"], true);
    let inventory = inventory(folder.path());
    let about: Vec<_> = inventory.gaps.iter().filter(|gap| gap.reason.contains("shopp")).collect();
    let [gap] = about.as_slice() else { panic!("{about:?}") };
    assert!(gap.kind == GapKind::Failed && gap.reason.contains("check its spelling"), "{gap:?}");
    let (permissions, notes) = Collection { repositories: vec!["shopp"], ..named }.doctor(&server.url).unwrap();
    assert!(notes.iter().any(|note| note.contains("no repository `acme/shopp`")), "{notes:?}");
    let tried = permissions.iter().filter(|one| one.place == "acme/shopp" && one.state != State::NotTried).count();
    assert_eq!(tried, 1, "nothing else is asked about it");
}

#[test]
fn what_github_says_is_not_there_may_be_hidden_and_the_permission_is_named() {
    let (_server, folder, collected) = collect(|seen| match seen.route? {
        Route::DeployKeys if seen.path.contains("/shop/") => Some(Fault::Refuse(404, "Not Found", Vec::new())),
        Route::RepositorySecrets => Some(Fault::Refuse(403, "Forbidden", Vec::new())),
        Route::OrganisationHooks => Some(Fault::Refuse(500, "Server Error", Vec::new())),
        _ => None,
    });
    let detail = |call: &str| {
        let failed = collected.failed.iter().find(|failed| failed.call.as_deref() == Some(call));
        failed.unwrap_or_else(|| panic!("{call}: {:?}", collected.failed)).detail.clone()
    };
    assert_eq!(detail("GET /repos/{owner}/{repo}/keys").as_deref(), Some("needs administration=read"));
    assert_eq!(detail("GET /repos/{owner}/{repo}/actions/secrets").as_deref(), Some("needs secrets=read"));
    assert_eq!(detail("GET /orgs/{org}/hooks"), None, "no permission helps against a fault");
    let gaps = inventory(folder.path()).gaps;
    let of_keys = gaps.iter().find(|gap| gap.call.ends_with("/keys")).unwrap_or_else(|| panic!("{gaps:?}"));
    assert!(of_keys.reason.contains("administration=read"), "{of_keys:?}");
}

#[test]
fn out_of_time_it_ends_with_what_there_is() {
    let server = Server::new(world, |seen| {
        (seen.route == Some(Route::DeployKeys)).then_some(Fault::Sent(How::Slow(std::time::Duration::from_millis(500))))
    });
    let folder = tempfile::tempdir().unwrap();
    let deadline = Some(std::time::Duration::from_millis(1500));
    let collected = Collection { deadline, ..Collection::default() }.run(&server.url, folder.path()).unwrap();
    assert_eq!(collected.stopped, Some(Stopped::Deadline));
    let manifest = manifest(folder.path());
    assert_eq!((&manifest["complete"], &manifest["stopped"]), (&json!(false), &json!("deadline")));
    let pending = manifest["pending"].as_array().unwrap();
    assert!(
        pending.contains(&json!("/repos/acme/shop/keys")) && !pending.contains(&json!("/orgs/acme/members")),
        "{pending:?}"
    );
    assert!(documents(folder.path()).iter().all(|(path, _)| !path.contains(".evenhand-")));
    assert!(answers(folder.path()).contains_key("/repos/acme/shop/collaborators"), "what was read is kept");
}

#[test]
fn a_document_that_cannot_be_written_ends_it() {
    let server = Server::new(world, |_| None);
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(folder.path().join("github/127.0.0.1/orgs/acme/members.ndjson/x")).unwrap();
    let failed = Collection::default().run(&server.url, folder.path()).unwrap_err();
    assert!(matches!(failed, CollectError::NoCapture(NoCapture::NotWritten(_))), "{failed}");
}

#[test]
fn a_host_that_is_not_there_is_one_error() {
    let url = Server::new(world, |_| None).url.clone();
    let folder = tempfile::tempdir().unwrap();
    let failed = Collection::default().run(&url, folder.path()).unwrap_err();
    assert!(matches!(&failed, CollectError::NoHost(host, _) if *host == url), "{failed}");
    assert!(matches!(Collection::default().doctor(&url), Err(CollectError::NoHost(..))));
}

#[test]
fn a_host_that_goes_away_ends_it_with_one_failure_and_it_can_be_gone_on_with() {
    let (server, whole, _) = collect(|_| None);
    drop(server);
    for last in [30, 80] {
        let server = Server::new(world, move |seen| (seen.number > last).then_some(Fault::Sent(How::Reset)));
        let folder = tempfile::tempdir().unwrap();
        let collected = Collection::default().run(&server.url, folder.path()).unwrap();
        let gone: Vec<_> = collected.failed.iter().filter(|failed| failed.call.is_none()).collect();
        assert_eq!(gone.len(), 1, "{gone:?}");
        assert!(collected.failed.len() < 30, "{:?}", collected.failed);
        assert!(server.requests() < 200, "nothing more is asked: {}", server.requests());
        assert_eq!(manifest(folder.path())["complete"], false);
        drop(server);
        let back = Server::new(world, |_| None);
        Collection { resume: true, ..Collection::default() }.run(&back.url, folder.path()).unwrap();
        assert_eq!(answers(folder.path()), answers(whole.path()));
    }
}

#[test]
fn a_task_that_panics_is_a_failure_and_what_it_would_have_asked_is_a_gap() {
    for requests in [20, 60] {
        let server = Server::limited(Some(Limit { requests, window: 3600 }), world, |_| None);
        let folder = tempfile::tempdir().unwrap();
        // Whoever waits for the budget is hit.
        let tell = Tell(std::sync::Arc::new(|text| assert!(!text.starts_with("waits"), "a fault of the test's")));
        let collected = Collection { tell, ..Collection::default() }.run(&server.url, folder.path()).unwrap();
        let lost: Vec<_> = collected.failed.iter().filter(|failed| failed.code == "Panicked").collect();
        assert!(!lost.is_empty(), "{:?}", collected.failed);
        assert!(lost.iter().all(|failed| failed.place.starts_with("acme")), "{lost:?}");
        assert!(!collected.failed.iter().any(|failed| failed.code == "PartlyListed"));
        let manifest = manifest(folder.path());
        assert!(manifest["complete"] == false && !manifest["pending"].as_array().unwrap().is_empty());
        assert!(inventory(folder.path()).gaps.iter().any(|gap| gap.unknown().contains("not collected yet")));
    }
}
