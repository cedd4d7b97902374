//! What a collection brings, and what it asks.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::server::Server;
use super::world::{CANARY, token, world};
use super::{Collection, answers, documents, inventory, manifest};
use crate::collect::Tell;
use crate::collect::table::{Pages, STEPS};
use crate::documents::calls::CALLS;
use crate::documents::route::Route;

#[test]
fn an_organisation_is_collected_with_everything_that_the_table_names() {
    let server = Server::new(world, |_| None);
    let folder = tempfile::tempdir().unwrap();
    let collection = Collection { enterprise: Some("group"), ..Collection::default() };
    let collected = collection.run(&server.url, folder.path()).unwrap();
    assert_eq!(collected.failed.iter().map(|failed| failed.code.as_str()).collect::<Vec<_>>(), ["404 Not Found"]);
    assert_eq!((collected.stopped, collected.identities, collected.repositories), (None, true, 3));
    let asked: BTreeSet<Route> = server.seen().into_iter().map(|seen| seen.route.unwrap()).collect();
    // Of a repository that was listed the list says the same.
    let all: BTreeSet<Route> =
        CALLS.iter().map(|call| call.route).filter(|route| *route != Route::Repository).collect();
    assert_eq!(asked, all);

    let answers = answers(folder.path());
    let response = |path: &str| answers.get(path).unwrap_or_else(|| panic!("{path}"))["response"].clone();
    let logins = response("/orgs/acme/members");
    let logins: Vec<&str> = logins.as_array().unwrap().iter().map(|user| user["login"].as_str().unwrap()).collect();
    assert_eq!(logins, ["ada", "bao", "cara", "dev", "eve"], "three pages are one list");
    assert_eq!(response("/orgs/acme/actions/secrets")["secrets"].as_array().unwrap().len(), 3);
    assert_eq!(response("/orgs/acme/actions/secrets")["total_count"], 3);
    assert_eq!(response("/orgs/acme/audit-log").as_array().unwrap().len(), 1, "that it can be read is enough");
    for (there, path) in [
        (true, "/orgs/acme/teams/ops/members"),
        (true, "/user/installations/11/repositories"),
        (false, "/user/installations/12/repositories"),
        (true, "/apps/reviewer"),
        (true, "/orgs/acme/personal-access-tokens/21/repositories"),
        (false, "/orgs/acme/personal-access-tokens/22/repositories"),
        (true, "/orgs/acme/actions/secrets/A/repositories"),
        (false, "/orgs/acme/actions/secrets/B/repositories"),
        (true, "/repos/acme/shop/environments/prod%2Feu/secrets"),
        (true, "/repos/acme/shop/environments/prod%2Feu/deployment-branch-policies"),
        (false, "/repos/acme/shop/environments/test/deployment-branch-policies"),
        (true, "/repos/acme/shop/rulesets/71"),
        (false, "/repos/acme/shop/rulesets/51"),
        (true, "/repos/acme/shop/rules/branches/main"),
        (true, "/repos/acme/shop/contents/.github/workflows/deploy.yaml"),
        (false, "/repos/acme/shop/contents/.github/workflows/README.md"),
        (true, "/repos/acme/site/contents/.github/workflows"),
    ] {
        assert_eq!(answers.contains_key(path), there, "{path}");
    }
    assert!(
        answers["/repos/acme/site/contents/.github/workflows"]["error"]["code"].as_str().unwrap().starts_with("404")
    );
    assert_eq!(answers.len(), collected.answered + 2, "a refusal, and an answer that there is nothing");
    let manifest = manifest(folder.path());
    assert_eq!((&manifest["complete"], &manifest["pending"]), (&json!(true), &json!([])));
    assert_eq!(manifest["plan"], json!({"host": "127.0.0.1", "organisations": ["acme"], "enterprise": "group"}));
}

#[test]
fn every_document_is_understood_and_no_secret_is_in_it() {
    let server = Server::new(world, |_| None);
    let folder = tempfile::tempdir().unwrap();
    Collection::default().run(&server.url, folder.path()).unwrap();
    for (path, text) in documents(folder.path()) {
        for secret in [CANARY, &token(), "fake-token"] {
            assert!(!text.contains(secret), "{path}: {text}");
        }
    }
    let inventory = inventory(folder.path());
    let held = |part: &str| inventory.identities.iter().any(|identity| identity.id.as_str().contains(part));
    assert!(held("deployer") && held("ada"), "{:?}", inventory.identities);
    // What was withheld is still a secret, and of the kind that it was.
    let variables: Vec<_> =
        inventory.credentials.iter().filter(|one| one.id.as_str().contains("DEPLOY_PASSWORD")).collect();
    assert!(!variables.is_empty() && variables.iter().all(|one| &*one.kind == "password"), "{variables:?}");
    assert!(!inventory.credentials.iter().any(|one| one.id.as_str().contains("REGION")));
}

#[test]
fn a_secret_of_a_workflow_has_the_fingerprint_that_a_reader_of_the_file_gives_it() {
    let text = format!(
        "on: issue_comment\njobs:\n  a:\n    runs-on: x\n    steps:\n      - uses: anthropics/claude-code-action@v1\n        \
         env:\n          API_TOKEN: {}\n          DB_PASSWORD: 'fake,canary''s #1'\n          \
         OTHER_SECRET: \"Bearer fakecanary0123456789\"\n",
        token()
    );
    let file = text.clone();
    let server = Server::new(
        move |asked| match asked.route {
            Route::File if asked.at(2).ends_with("ci.yml") => Some(json!({"path": asked.at(2), "type": "file",
                "encoding": "base64", "content": STANDARD.encode(&file)})),
            Route::File | Route::WorkflowFiles if asked.at(1) != "shop" => Some(serde_json::Value::Null),
            Route::File => {
                Some(json!({"path": asked.at(2), "type": "file", "content": "b246IHB1c2gK", "encoding": "base64"}))
            }
            _ => world(asked),
        },
        |_| None,
    );
    let folder = tempfile::tempdir().unwrap();
    Collection::default().run(&server.url, folder.path()).unwrap();
    assert!(documents(folder.path()).iter().all(|(_, text)| !text.contains("canary'") && !text.contains("fakecanary")));
    let of_jobs = |inventory: &evenhand_model::inventory::Inventory| -> BTreeSet<String> {
        let of_job = |one: &&evenhand_model::credential::Credential| {
            one.identity.as_str().contains(":job:") && !one.id.as_str().contains(":variable:")
        };
        let prints = inventory.credentials.iter().filter(of_job).filter_map(|one| one.fingerprint);
        prints.map(|one| one.to_hex()).collect()
    };
    let collected = of_jobs(&inventory(folder.path()));
    // The same file as it is exported by hand.
    let bare = tempfile::tempdir().unwrap();
    let path = bare.path().join("github/repos/acme/shop/contents/.github/workflows");
    std::fs::create_dir_all(&path).unwrap();
    let content = STANDARD.encode(&text);
    std::fs::write(
        path.join("ci.yml.json"),
        json!({"path": ".github/workflows/ci.yml", "type": "file", "encoding": "base64", "content": content})
            .to_string(),
    )
    .unwrap();
    let exported = of_jobs(&inventory(bare.path()));
    assert_eq!((exported.len(), &exported), (3, &collected));
}

#[test]
fn only_reads_are_made_each_once_and_as_github_asks_for_them() {
    let server = Server::new(world, |_| None);
    let folder = tempfile::tempdir().unwrap();
    let said: Arc<Mutex<Vec<String>>> = Arc::default();
    let told = Arc::clone(&said);
    let tell = Tell(Arc::new(move |text| told.lock().unwrap().push(text.to_owned())));
    let collected = Collection { tell, ..Collection::default() }.run(&server.url, folder.path()).unwrap();
    let seen = server.seen();
    assert_eq!(collected.requests, (u64::try_from(seen.len()).unwrap(), 0));
    for one in &seen {
        assert_eq!((one.method.as_str(), one.before), ("GET", 0), "{}", one.path);
        let header = |name: &str| one.headers.get(name).map(String::as_str);
        assert_eq!(header("authorization"), Some("Bearer fake-token"));
        assert_eq!(header("accept"), Some("application/vnd.github+json"));
        assert_eq!(header("x-github-api-version"), Some("2022-11-28"));
        assert!(header("user-agent").unwrap().starts_with("evenhand/"));
        let step = STEPS.iter().find(|step| Some(step.route) == one.route).unwrap();
        let paged = step.pages != Pages::One && step.most > 0;
        assert_eq!(one.query.contains_key("per_page"), paged, "{}", one.path);
    }
    assert_eq!(said.lock().unwrap().last().map(String::as_str), Some("3 of 3 repositories"));
}

#[test]
fn only_the_repositories_that_are_named_are_asked_about() {
    let server = Server::new(world, |_| None);
    let folder = tempfile::tempdir().unwrap();
    let collection = Collection { repositories: vec!["shop", "acme/site"], ..Collection::default() };
    let collected = collection.run(&server.url, folder.path()).unwrap();
    assert_eq!(collected.repositories, 2);
    assert_eq!((server.count(Route::Repositories), server.count(Route::Repository)), (0, 2));
    assert_eq!(server.count(Route::BranchProtection), 2, "the default branch is told by each");
    let manifest = manifest(folder.path());
    assert_eq!(manifest["plan"]["repositories"], json!(["acme/shop", "acme/site"]));
    assert_eq!(manifest["complete"], true);
}
