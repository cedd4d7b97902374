//! What goes wrong is a gap that names its remedy, and costs nobody else's answers.

use evenhand_collect::served::How;

use super::server::{Fault, Server};
use super::world::{principal, world};
use super::*;

/// Collects from a tenant with three principals while something goes wrong.
fn collected(
    script: impl Fn(&super::server::Seen) -> Option<Fault> + Send + Sync + 'static,
) -> (Collected, BTreeMap<String, Value>, Server) {
    let server = Server::new(world(3), script);
    let home = tempfile::tempdir().unwrap();
    let collected = Collection::default().run(&server.url, home.path()).unwrap();
    assert_eq!(manifest(home.path())["complete"], true, "every call was made, whatever came of it");
    (collected, lines(home.path()), server)
}

#[test]
fn a_refusal_is_a_gap_with_the_permission_that_would_do_and_is_told_once() {
    let (collected, lines, _) =
        collected(|seen| seen.path.ends_with("/owners").then_some(Fault::Refuse(403, "Authorization_RequestDenied")));
    let line = &lines[&format!("/v1.0/servicePrincipals/{}/owners", principal(2))];
    assert_eq!(line["error"], serde_json::json!({"code": "403 Authorization_RequestDenied", "kind": "refused"}));
    assert_eq!((&line["accepted"], line.get("response")), (&"Application.Read.All".into(), None));
    // Of service principals and of applications.
    assert_eq!(collected.failed.len(), 2, "{:#?}", collected.failed);
    assert!(collected.failed.iter().all(|one| one.detail.as_deref() == Some("needs Application.Read.All")));
    assert!(lines[&format!("/v1.0/servicePrincipals/{}/appRoleAssignments", principal(2))].get("error").is_none());
}

#[test]
fn every_permission_that_is_missing_is_a_gap_of_its_own() {
    for (path, permission) in [
        ("/v1.0/users", "User.Read.All"),
        ("/v1.0/oauth2PermissionGrants", "Directory.Read.All"),
        ("/v1.0/roleManagement/directory/roleAssignments", "RoleManagement.Read.Directory"),
        ("/v1.0/roleManagement/directory/roleEligibilityScheduleInstances", "RoleEligibilitySchedule.Read.Directory"),
        ("/beta/reports/servicePrincipalSignInActivities", "AuditLog.Read.All"),
        ("/providers/Microsoft.ResourceGraph/resources", "role Reader"),
    ] {
        let (collected, lines, _) =
            collected(move |seen| (seen.path == path).then_some(Fault::Refuse(403, "Forbidden")));
        assert_eq!(lines[path]["accepted"], permission);
        assert_eq!(collected.failed.len(), 1, "{path}");
        assert!(collected.failed[0].call.as_deref().unwrap().ends_with(path), "{path}");
    }
}

#[test]
fn whoever_is_asked_to_come_back_later_does_so_alone_and_in_a_batch() {
    let (collected, lines, server) = collected(|seen| {
        let slow = seen.path == "/v1.0/users" || seen.path.ends_with("/transitiveMemberOf");
        let again = seen.path.ends_with("/roleDefinitions") && seen.path.starts_with("/subscriptions");
        match seen.before {
            0 | 1 if slow => Some(Fault::Later(429, 0)),
            0 if again => Some(Fault::Later(503, 0)),
            _ => None,
        }
    });
    assert_eq!(collected.failed, []);
    assert!(lines.values().all(|line| line.get("error").is_none()));
    assert_eq!(server.count("/v1.0/users"), 3);
    let member_of = format!("/v1.0/servicePrincipals/{}/transitiveMemberOf", principal(0));
    assert_eq!(server.count(&member_of), 3);
    let owners = format!("/v1.0/servicePrincipals/{}/appRoleAssignments", principal(0));
    assert_eq!(server.count(&owners), 1, "what was answered is not asked again");
}

#[test]
fn a_server_that_asks_for_it_for_ever_is_a_gap() {
    let (collected, lines, server) = collected(|seen| (seen.path == "/v1.0/users").then_some(Fault::Later(429, 0)));
    assert_eq!(lines["/v1.0/users"]["error"]["kind"], "throttled");
    assert_eq!((server.count("/v1.0/users"), collected.failed.len()), (10, 1));
}

#[test]
fn the_next_page_of_another_host_is_not_asked_for_and_no_page_is_half_a_list() {
    let stranger = Server::new(world(1), |_| None);
    let elsewhere = format!("{}/v1.0/users", stranger.url);
    let (collected, lines, _) = collected(move |seen| {
        let of = ["/v1.0/users", "/subscriptions"].contains(&seen.path.as_str()) || seen.path.ends_with("/members");
        of.then(|| Fault::Link(elsewhere.clone()))
    });
    assert_eq!(stranger.seen().len(), 0);
    for path in ["/v1.0/users", "/v1.0/groups/g1/members", "/subscriptions"] {
        assert_eq!(lines[path]["error"]["code"], "ForeignLink", "{path}");
    }
    assert!(collected.failed.iter().any(|one| one.code == "ForeignLink"));
    let server = Server::new(world(1), |seen| {
        (seen.path == "/v1.0/users").then(|| Fault::Link("http://127.0.0.1:1/v1.0/users".to_owned()))
    });
    let home = tempfile::tempdir().unwrap();
    Collection::default().run(&server.url, home.path()).unwrap();
    assert_eq!(super::lines(home.path())["/v1.0/users"]["error"]["code"], "ForeignLink");
}

#[test]
fn a_list_without_an_end_is_given_up() {
    let server = Server::new(world(1), |_| None);
    drop(server);
    let url = std::sync::OnceLock::<String>::new();
    let held = std::sync::Arc::new(url);
    let own = std::sync::Arc::clone(&held);
    let server = Server::new(world(1), move |seen| {
        let link = format!("{}/v1.0/users?$skiptoken=0&x={}", own.get()?, seen.number);
        (seen.path == "/v1.0/users").then_some(Fault::Link(link))
    });
    held.set(server.url.clone()).unwrap();
    let home = tempfile::tempdir().unwrap();
    Collection::default().run(&server.url, home.path()).unwrap();
    assert_eq!(super::lines(home.path())["/v1.0/users"]["error"]["code"], "EndlessPages");
    assert_eq!(server.count("/v1.0/users"), 50);
}

#[test]
fn answers_that_are_cut_off_or_fail_are_asked_for_again_and_then_are_gaps() {
    let (collected, lines, server) = collected(|seen| match seen.path.as_str() {
        "/v1.0/users" if seen.before < 2 => Some(Fault::Sent(How::Cut)),
        "/v1.0/groups" => Some(Fault::Sent(How::Reset)),
        "/v1.0/applications" => Some(Fault::Refuse(500, "InternalServerError")),
        "/v1.0/organization" => Some(Fault::Answer("{\"value\":[{\"id\":".to_owned())),
        path if path.ends_with("/sponsors") => Some(Fault::Refuse(502, "BadGateway")),
        _ => None,
    });
    assert!(lines["/v1.0/users"].get("error").is_none());
    let kind = |path: &str| lines[path]["error"]["kind"].as_str().unwrap().to_owned();
    assert_eq!((kind("/v1.0/groups"), kind("/v1.0/applications")), ("failed".to_owned(), "failed".to_owned()));
    assert_eq!(kind("/v1.0/organization"), "malformed");
    assert_eq!((server.count("/v1.0/groups"), server.count("/v1.0/applications")), (4, 4));
    let sponsors = lines.keys().find(|path| path.ends_with("/sponsors")).unwrap();
    assert_eq!(kind(sponsors), "failed");
    // Sponsors of agents and of blueprints.
    assert_eq!(collected.failed.len(), 5, "{:#?}", collected.failed);
}

#[test]
fn a_batch_that_is_cut_off_for_ever_is_asked_call_by_call() {
    let (collected, lines, _) = collected(|seen| (seen.batch > 0).then_some(Fault::Sent(How::Cut)));
    assert_eq!(collected.failed, []);
    assert!(lines.values().all(|line| line.get("error").is_none()));
}

#[test]
fn who_is_let_in_nowhere_has_an_error_and_no_capture_of_refusals() {
    let server = Server::new(world(1), |_| Some(Fault::Refuse(401, "InvalidAuthenticationToken")));
    let home = tempfile::tempdir().unwrap();
    let error = Collection::default().run(&server.url, home.path()).unwrap_err();
    assert!(matches!(&error, CollectError::NotAccepted(code) if code.contains("401")), "{error}");
    let who = Fake { without: Some("https://"), ..Fake::default() };
    let error = Collection { who, ..Collection::default() }.run(&server.url, home.path()).unwrap_err();
    assert!(error.to_string().contains("AADSTS0"), "{error}");
}

#[test]
fn who_may_sign_in_to_one_interface_only_has_that_one_collected() {
    let server = Server::new(world(3), |_| None);
    let home = tempfile::tempdir().unwrap();
    let who = Fake { without: Some("management"), ..Fake::default() };
    let collected = Collection { who, ..Collection::default() }.run(&server.url, home.path()).unwrap();
    assert_eq!(collected.failed.len(), 1);
    assert_eq!((collected.failed[0].call.as_deref(), collected.failed[0].place.as_str()), (None, "localhost"));
    let lines = lines(home.path());
    assert!(lines.contains_key("/v1.0/groups/g1/members"));
    assert!(lines.keys().all(|path| path.starts_with("/v1.0") || path.starts_with("/beta")));
    let manifest = manifest(home.path());
    assert_eq!(manifest["complete"], false);
    let pending = manifest["pending"].as_array().unwrap();
    assert!(pending.iter().all(|path| path.as_str().unwrap().starts_with("localhost/")) && !pending.is_empty());
}

#[test]
fn another_tenant_than_the_one_that_is_named_is_not_collected() {
    let server = Server::new(world(1), |_| None);
    let home = tempfile::tempdir().unwrap();
    let tenant = Some("7e9a0000-0000-4000-8000-00000000ffff");
    let error = Collection { tenant, ..Collection::default() }.run(&server.url, home.path()).unwrap_err();
    assert!(matches!(error, CollectError::OtherTenant { .. }), "{error}");
    for tenant in ["../x", "a/b", "a b"] {
        let tenant = Some(tenant);
        let error = Collection { tenant, ..Collection::default() }.run(&server.url, home.path()).unwrap_err();
        assert!(matches!(error, CollectError::NotAnId(_)), "{error}");
    }
    assert_eq!(documents(home.path()).len(), 0);
}
