//! Rights and credentials: what the collector needs, and how it comes to what it has.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::server::{Fault, Server};
use super::world::world;
use super::{Collection, app, app_key, documents, inventory, manifest};
use crate::collect::{CollectError, State, Who};
use crate::documents::calls::CALLS;
use crate::documents::route::Route;

#[test]
fn the_doctor_tries_every_call_once_and_names_the_permission_that_is_missing() {
    let server = Server::new(world, |seen| match seen.route? {
        Route::OrganisationHooks => Some(Fault::Refuse(
            403,
            "Resource not accessible by integration",
            vec![("x-accepted-github-permissions", "organization_hooks=read".to_owned())],
        )),
        Route::OrganisationRulesets => Fault::status(404, "Not Found"),
        Route::Environments => Fault::status(500, "Server Error"),
        _ => None,
    });
    let (tried, notes) = Collection::default().doctor(&server.url).unwrap();
    assert_eq!(notes, [] as [&str; 0]);
    let state = |path: &str| {
        let call = format!("GET {path}");
        tried.iter().find(|one| one.call == call).unwrap_or_else(|| panic!("{path}"))
    };
    assert_eq!(state("/orgs/{org}/members").state, State::Allowed);
    let hooks = state("/orgs/{org}/hooks");
    assert_eq!(hooks.state, State::Refused("403 Resource not accessible by integration".to_owned()));
    assert_eq!(hooks.needs.as_deref(), Some("organization_hooks=read"));
    assert_eq!(state("/orgs/{org}/rulesets").needs.as_deref(), Some("organization_administration=write"));
    assert_eq!(state("/orgs/{org}/rulesets/{ruleset}").state, State::NotTried);
    assert_eq!(state("/repos/{owner}/{repo}/environments").state, State::Failed("500 Server Error".to_owned()));
    assert_eq!(state("/repos/{owner}/{repo}/branches/{branch+}/protection").state, State::Allowed);
    assert_eq!(state("/repos/{owner}/{repo}/contents/.github/workflows").state, State::Allowed);
    let made = server.seen().into_iter().filter(|seen| seen.route != Some(Route::Environments));
    assert!(made.into_iter().all(|seen| seen.before == 0));
    let about_organisations = CALLS.iter().filter(|call| !call.path.starts_with("/enterprises/")).count();
    assert_eq!(tried.len(), about_organisations);
}

#[test]
fn credentials_that_are_not_accepted_are_an_error_and_not_a_gap() {
    let server = Server::new(world, |_| Fault::status(401, "Bad credentials"));
    let folder = tempfile::tempdir().unwrap();
    let failed = Collection::default().run(&server.url, folder.path()).unwrap_err();
    assert!(matches!(&failed, CollectError::NotAccepted(code) if code == "401 Bad credentials"), "{failed}");
    assert!(Collection::default().doctor(&server.url).is_err());
    assert!(server.seen().len() <= 4);

    let later =
        Server::new(world, |seen| (seen.number > 40).then_some(Fault::status(401, "Bad credentials")).flatten());
    let folder = tempfile::tempdir().unwrap();
    let collected = Collection::default().run(&later.url, folder.path()).unwrap();
    let over: Vec<_> = collected.failed.iter().filter(|failed| failed.call.is_none()).collect();
    assert_eq!(over.len(), 1, "{over:?}");
    assert!(later.seen().len() < 80, "nothing more is asked");
    assert_eq!(super::manifest(folder.path())["complete"], false);
}

#[test]
fn files_of_credentials_are_checked_before_anything_is_asked_and_not_quoted() {
    let home = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = home.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let app = |key| Who::App { id: "1".to_owned(), key, installation: None };
    for who in [
        Who::TokenFile(home.path().join("none")),
        Who::TokenFile(file("empty", " \n")),
        Who::TokenFile(file("several", "fake-canary one\ntwo")),
        app(file("plain", "fake-canary")),
        app(file("broken", "-----BEGIN RSA PRIVATE KEY-----\nZmFrZS1jYW5hcnk=\n-----END RSA PRIVATE KEY-----\n")),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let failed =
            Collection { who: Some(who.clone()), ..Collection::default() }.run("http://127.0.0.1:1", folder.path());
        let said = failed.unwrap_err().to_string();
        assert!(said.contains("holds no credentials") && !said.contains("canary"), "{who:?}: {said}");
    }
}

#[test]
fn an_app_signs_its_proof_and_asks_as_its_installation() {
    let made = Arc::new(AtomicUsize::new(0));
    let tokens = Arc::clone(&made);
    let server = Server::new(world, move |seen| {
        let bearer = seen.headers["authorization"].strip_prefix("Bearer ").unwrap();
        match (seen.method.as_str(), seen.path.as_str()) {
            ("GET", "/orgs/acme/installation") => {
                proven(bearer);
                Some(Fault::Answer(json!({"id": 99, "app_id": 7}).to_string()))
            }
            ("POST", "/app/installations/99/access_tokens") => {
                proven(bearer);
                let number = tokens.fetch_add(1, Ordering::SeqCst) + 1;
                Some(Fault::Answer(
                    json!({"token": format!("fake-installed-{number}"), "expires_at": "2026-01-01T00:00:00Z"})
                        .to_string(),
                ))
            }
            // The first token ends in the middle.
            ("GET", _) if bearer == "fake-installed-1" && seen.number > 50 => Fault::status(401, "Bad credentials"),
            ("GET", _) if bearer.starts_with("fake-installed-") => None,
            other => panic!("{other:?} as {bearer}"),
        }
    });
    let folder = tempfile::tempdir().unwrap();
    let (who, _home) = app(None);
    let collected = Collection { who: Some(who), ..Collection::default() }.run(&server.url, folder.path()).unwrap();
    assert!(collected.failed.iter().all(|failed| failed.code == "404 Not Found"), "{:?}", collected.failed);
    assert_eq!(made.load(Ordering::SeqCst), 2, "a token that is over is made anew, once");
    assert!(documents(folder.path()).iter().all(|(_, text)| !text.contains("fake-installed")));
}

#[test]
fn a_fault_before_the_end_of_a_token_takes_no_try_from_its_renewal() {
    let made = Arc::new(AtomicUsize::new(0));
    let tokens = Arc::clone(&made);
    let server = Server::new(world, move |seen| {
        let bearer = seen.headers["authorization"].strip_prefix("Bearer ").unwrap();
        match (seen.method.as_str(), seen.path.as_str()) {
            ("GET", "/orgs/acme/installation") => Some(Fault::Answer(json!({"id": 99}).to_string())),
            ("POST", _) => {
                let number = tokens.fetch_add(1, Ordering::SeqCst) + 1;
                Some(Fault::Answer(json!({"token": format!("fake-installed-{number}")}).to_string()))
            }
            (_, "/orgs/acme/members") if seen.before == 0 => Fault::status(502, "Server Error"),
            (_, "/orgs/acme/members") if bearer == "fake-installed-1" => Fault::status(401, "Bad credentials"),
            _ => None,
        }
    });
    let folder = tempfile::tempdir().unwrap();
    let (who, _home) = app(None);
    let collected = Collection { who: Some(who), ..Collection::default() }.run(&server.url, folder.path()).unwrap();
    assert!(collected.failed.iter().all(|failed| failed.code == "404 Not Found"), "{:?}", collected.failed);
    assert_eq!((made.load(Ordering::SeqCst), &manifest(folder.path())["complete"]), (2, &json!(true)));
}

/// A server that knows the app in `acme` and in no other organisation.
fn installed_in_acme() -> Server {
    let two = |asked: &crate::documents::route::Asked| match (asked.route, asked.at(0)) {
        (Route::Organisation, "beta") => Some(json!({"login": "beta", "id": 2})),
        (_, "beta") => None,
        _ => world(asked),
    };
    Server::new(two, |seen| match (seen.method.as_str(), seen.path.as_str()) {
        ("GET", "/orgs/acme/installation") => Some(Fault::Answer(json!({"id": 99}).to_string())),
        ("GET", path) if path.ends_with("/installation") => Fault::status(404, "Not Found"),
        ("POST", "/app/installations/99/access_tokens") => {
            Some(Fault::Answer(json!({"token": "fake-installed", "repository_selection": "all"}).to_string()))
        }
        _ => None,
    })
}

#[test]
fn an_organisation_without_the_app_is_a_gap_of_its_own() {
    let server = installed_in_acme();
    let folder = tempfile::tempdir().unwrap();
    let (who, _home) = app(None);
    let all = || Collection {
        who: Some(who.clone()),
        organisations: vec!["beta", "acme", "gamma"],
        enterprise: Some("group"),
        ..Collection::default()
    };
    let collected = all().run(&server.url, folder.path()).unwrap();
    let gone: Vec<_> = collected.failed.iter().filter(|failed| failed.call.is_none()).collect();
    assert_eq!(gone.iter().map(|failed| failed.place.as_str()).collect::<Vec<_>>(), ["beta", "gamma"]);
    assert!(gone.iter().all(|failed| failed.detail.as_deref().unwrap().contains("not installed")), "{gone:?}");
    assert_eq!((collected.repositories, collected.stopped), (3, None), "the others are collected");
    let asked = |part: &str| server.seen().iter().filter(|seen| seen.path.contains(part)).count();
    assert_eq!((asked("beta"), asked("gamma")), (1, 1), "it is asked for once");
    assert!(asked("/enterprises/group") > 0, "an installation that there is asks about the enterprise");
    assert_eq!(manifest(folder.path())["repository_selection"], json!({"acme": "all"}));
    let gaps = inventory(folder.path()).gaps;
    assert!(
        gaps.iter().any(|gap| gap.scope.as_ref().is_some_and(|scope| scope.as_str().ends_with("/beta"))),
        "{gaps:?}"
    );

    let (tried, _) = all().doctor(&server.url).unwrap();
    assert!(tried.iter().any(|one| one.place == "acme/shop" && one.state == State::Allowed));
    assert!(tried.iter().any(|one| one.place == "beta" && matches!(one.state, State::Refused(_))));
}

#[test]
fn an_app_that_is_installed_nowhere_is_an_error() {
    let server = installed_in_acme();
    let (who, _home) = app(None);
    for organisations in [vec!["beta"], vec!["beta", "gamma"]] {
        let folder = tempfile::tempdir().unwrap();
        let collection = Collection { who: Some(who.clone()), organisations, ..Collection::default() };
        let failed = collection.run(&server.url, folder.path()).unwrap_err();
        assert!(matches!(&failed, CollectError::NotInstalled(name, _) if name == "beta"), "{failed}");
    }
    let alone = Collection { who: Some(who), organisations: vec!["beta"], ..Collection::default() };
    assert!(matches!(alone.doctor(&server.url), Err(CollectError::NotInstalled(..))));
}

/// Checks an app's proof as GitHub does.
fn proven(token: &str) {
    let parts: Vec<&str> = token.split('.').collect();
    let of = |part: &str| -> Value { serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap() };
    assert_eq!(of(parts[0]), json!({"alg": "RS256", "typ": "JWT"}));
    let claims = of(parts[1]);
    assert_eq!(claims["iss"], "7");
    let (from, to) = (claims["iat"].as_u64().unwrap(), claims["exp"].as_u64().unwrap());
    let now = std::time::SystemTime::now().duration_since(std::time::SystemTime::UNIX_EPOCH).unwrap().as_secs();
    assert!(from < now && to > now && to - from <= 600, "{claims}");
    let der: String = app_key().lines().filter(|line| !line.starts_with("-----")).collect();
    let der = base64::engine::general_purpose::STANDARD.decode(der).unwrap();
    let pair = ring::signature::RsaKeyPair::from_der(&der).unwrap();
    let key = ring::signature::UnparsedPublicKey::new(&ring::signature::RSA_PKCS1_2048_8192_SHA256, pair.public());
    let said = format!("{}.{}", parts[0], parts[1]);
    key.verify(said.as_bytes(), &URL_SAFE_NO_PAD.decode(parts[2]).unwrap()).unwrap();
}

#[test]
fn names_that_lead_elsewhere_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    for (organisations, repositories) in [
        (vec!["../x"], vec![]),
        (vec!["a b"], vec![]),
        (vec!["acme"], vec!["acme/../x"]),
        (vec!["acme"], vec!["other/x"]),
        (vec!["a", "b"], vec!["x"]),
    ] {
        let collection = Collection { organisations, repositories, ..Collection::default() };
        let failed = collection.run("http://127.0.0.1:1", folder.path()).unwrap_err();
        assert!(matches!(failed, CollectError::NotAName(_) | CollectError::Elsewhere(_)), "{failed}");
    }
}
