//! What a collection brings when all goes well.

use std::collections::BTreeSet;

use super::server::Server;
use super::world::{CANARY, OTHER, SUBSCRIPTION, agent, principal, world};
use super::*;
use crate::collect::step::About;
use crate::collect::table::STEPS;
use crate::collect::{State, calls_table, permissions};
use crate::documents::route::Asked;

#[test]
fn everything_that_is_asked_is_in_the_capture_and_nothing_but_reading_is_asked() {
    let server = Server::new(world(5), |_| None);
    let home = tempfile::tempdir().unwrap();
    let collected = Collection::default().run(&server.url, home.path()).unwrap();
    assert_eq!(collected.failed, []);
    assert_eq!((collected.stopped, collected.identities, collected.tenant.as_str()), (None, true, TENANT));
    assert_eq!((collected.subscriptions, collected.management_groups), (2, 2));
    let lines = lines(home.path());
    assert_eq!(collected.answered, lines.len());
    let expected: BTreeSet<String> = world(5).into_keys().filter(|path| path != "/subscriptions").collect();
    assert_eq!(lines.keys().cloned().collect::<BTreeSet<_>>(), expected, "each path of the tenant, once");
    for (path, line) in &lines {
        assert!(Asked::parse(path).is_some(), "{path}");
        let host = if path.starts_with("/v1.0") || path.starts_with("/beta") { "127.0.0.1" } else { "localhost" };
        assert_eq!(line["host"], host, "{path}");
    }
    let owners = &lines[&format!("/v1.0/servicePrincipals/{}/owners", principal(0))]["response"]["value"];
    assert_eq!(owners.as_array().unwrap().len(), 5, "more pages than a batch brings");
    assert_eq!(lines["/providers/Microsoft.ResourceGraph/resources"]["response"]["data"].as_array().unwrap().len(), 3);
    assert_eq!(lines["/v1.0/policies/identitySecurityDefaultsEnforcementPolicy"]["response"]["isEnabled"], true);
    assert!(lines.contains_key(&format!("/v1.0/servicePrincipals/{}/microsoft.graph.agentIdentity/sponsors", agent())));
    for (path, text) in documents(home.path()) {
        assert!(!text.contains(CANARY), "{path}: {text}");
        assert!(!text.contains("fake."), "{path} holds a token");
    }
    let manifest = manifest(home.path());
    assert_eq!((&manifest["complete"], &manifest["provider"]), (&true.into(), &"azure".into()));
    assert_eq!((&manifest["pending"], &manifest["plan"]["tenant"]), (&serde_json::json!([]), &TENANT.into()));

    let seen = server.seen();
    for one in &seen {
        let question = one.method == "POST" && one.path == "/providers/Microsoft.ResourceGraph/resources";
        assert!(one.method == "GET" || question, "{one:?}");
        assert!(!one.path.to_ascii_lowercase().contains("listkeys"), "{one:?}");
    }
    assert!(seen.iter().any(|one| one.batch == 3), "objects of the directory are asked about in batches");
    assert!(seen.iter().all(|one| one.batch == 0 || one.path.starts_with("/v1.0/")));
    let users = seen.iter().find(|one| one.path == "/v1.0/users").unwrap();
    assert!(users.query["$select"].contains("userPrincipalName") && users.query["$top"] == "999");
}

#[test]
fn the_same_tenant_makes_the_same_capture() {
    let server = Server::new(world(7), |_| None);
    let homes = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    for (home, at_once) in homes.iter().zip([1, 8]) {
        let pace = Pace { at_once, ..quickly() };
        Collection { pace, ..Collection::default() }.run(&server.url, home.path()).unwrap();
    }
    assert_eq!(documents(homes[0].path()), documents(homes[1].path()));
}

#[test]
fn who_names_subscriptions_has_only_these_asked() {
    let server = Server::new(world(3), |_| None);
    let home = tempfile::tempdir().unwrap();
    let subscriptions = vec![OTHER];
    let collected = Collection { subscriptions, ..Collection::default() }.run(&server.url, home.path()).unwrap();
    assert_eq!(collected.subscriptions, 1);
    let asked =
        |id: &str| server.seen().iter().any(|seen| seen.path.starts_with(&format!("/subscriptions/{id}/providers")));
    assert!(asked(OTHER) && !asked(SUBSCRIPTION));
    assert_eq!(server.count("/subscriptions"), 0);
}

#[test]
fn doctor_tries_every_call_once_and_says_what_each_needs() {
    let server = Server::new(world(3), |seen| {
        let refused =
            seen.path.contains("conditionalAccess") || seen.path.ends_with("/denyAssignments?$filter=atScope()");
        refused.then_some(super::server::Fault::Refuse(403, "Forbidden"))
    });
    let tried = Collection::default().doctor(&server.url).unwrap();
    assert_eq!(tried.len(), STEPS.len());
    let refused: Vec<_> = tried.iter().filter(|one| one.state.is_missing()).collect();
    assert_eq!(refused.len(), 2, "{refused:#?}");
    for one in refused {
        assert_eq!(one.state, State::Refused("403 Forbidden".to_owned()));
        assert!(["Policy.Read.All", "role Reader"].contains(&one.needs.as_deref().unwrap()));
    }
    assert!(tried.iter().all(|one| one.state != State::NothingToAsk), "the tenant has one of each");
    assert!(server.seen().iter().all(|seen| seen.batch == 0));
    assert!(calls_table().contains(About::Agent.title()) && permissions().is_object());
}
