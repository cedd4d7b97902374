//! Deploy keys: what they open, when they open nothing, and past what they are.

use super::*;

/// The organisation with one deploy key, and answers in place of those of the same paths.
fn with_key(key: &Value, more: &[Value]) -> Reading {
    let mut answers = organisation(&json!({}), "{}");
    answers.retain(|answer| !more.iter().any(|one| one["path"] == answer["path"]));
    for answer in &mut answers {
        if answer["path"] == "/repos/acme/shop/keys" {
            answer["response"] = json!([key]);
        }
    }
    read(&[answers, more.to_vec()].concat())
}

#[test]
fn a_deploy_key_opens_git_and_no_call_of_the_api() {
    let writes = ["git/fetch", "git/push", "git/push-workflow-files"];
    for (read_only, expected) in [(true, &writes[..1]), (false, &writes[..])] {
        let reading = with_key(&json!({ "id": 5, "title": "sync", "read_only": read_only }), &[]);
        let resolver = reading.resolver.as_ref().unwrap();
        let access = resolver.access(&KEY.into()).unwrap();
        let names: Vec<String> =
            access.operations().iter().map(|operation| resolver.catalog().name(operation).to_string()).collect();
        assert_eq!(names, expected);
        for operation in ["pulls/merge", "repos/get", "repos/delete-file"] {
            assert_eq!(outcome(&reading, KEY, operation, Some("acme/shop")), Outcome::ImplicitlyDenied, "{operation}");
        }
    }
}

#[test]
fn a_key_that_is_switched_off_opens_nothing_and_is_past_nothing() {
    let keys = json!([{ "actor_type": "DeployKey", "actor_id": null, "bypass_mode": "always" }]);
    for (enabled, of_organisation, acts) in [
        (Value::Null, Value::Null, true),
        (json!(true), json!(true), true),
        (json!(false), json!(true), false),
        (json!(true), json!(false), false),
    ] {
        let own = answered(
            "/orgs/acme",
            &json!({
                "login": "acme", "default_repository_permission": "none",
                "deploy_keys_enabled_for_repositories": of_organisation
            }),
        );
        let key = json!({ "id": 5, "title": "sync", "read_only": false, "enabled": enabled });
        let reading = with_key(&key, &[vec![own], ruled(&keys)].concat());
        let expected = if acts { Outcome::Allowed } else { Outcome::ImplicitlyDenied };
        assert_eq!(outcome(&reading, KEY, "git/push", Some("acme/shop")), expected, "{key} {of_organisation}");
        assert_eq!(approval(&reading, KEY), acts.then_some((Truth::No, Some(Way::Listed))), "{key} {of_organisation}");
        let identity = reading.inventory.identities.iter().find(|held| held.id.as_str() == KEY).unwrap();
        let credential = reading.inventory.credentials.iter().find(|held| held.identity.as_str() == KEY).unwrap();
        assert_eq!((identity.enabled, credential.enabled), (Fact::Known(acts), Fact::Known(acts)));
    }
}

#[test]
fn a_key_that_may_write_is_past_a_protection_that_administrators_need_not_obey() {
    let (off, on) = (json!({ "enabled": false }), json!({ "enabled": true }));
    let owned_by = |kind: &str| json!({ "login": "acme", "type": kind });
    let unenforced = Some((Truth::No, Some(Way::Unenforced)));
    let stopped = Some((Truth::Yes, None));
    let open = Some((Truth::Unknown, Some(Way::Untold)));
    for (read_only, enforced, owner, expected) in [
        (false, &off, Value::Null, unenforced),
        (false, &off, owned_by("Organization"), unenforced),
        // In a repository of a person it is a collaborator.
        (false, &off, owned_by("User"), stopped),
        (false, &on, Value::Null, stopped),
        (false, &Value::Null, Value::Null, open),
        (true, &off, Value::Null, None),
    ] {
        let repository = json!({
            "name": "shop", "full_name": "acme/shop", "default_branch": "main", "visibility": "private", "owner": owner
        });
        let protection = json!({
            "required_pull_request_reviews": { "required_approving_review_count": 1 }, "enforce_admins": enforced
        });
        let more = [
            answered("/repos/acme/shop", &repository),
            answered("/repos/acme/shop/rules/branches/main", &json!([])),
            answered("/repos/acme/shop/branches/main/protection", &protection),
        ];
        let reading = with_key(&json!({ "id": 5, "title": "sync", "read_only": read_only }), &more);
        assert_eq!(approval(&reading, KEY), expected, "{read_only} {enforced} {owner}");
    }
}

#[test]
fn a_key_is_denied_for_the_reason_that_holds() {
    let own = |enabled: bool| {
        let answer = json!({ "login": "acme", "deploy_keys_enabled_for_repositories": enabled });
        answered("/orgs/acme", &answer)
    };
    for (read_only, enabled, of_organisation, operation, expected) in [
        (false, false, true, "git/push", "its state: the key is switched off"),
        (false, false, false, "git/push", "its state: the key is switched off"),
        (false, true, false, "git/push", "its state: the organisation switched deploy keys off"),
        (false, true, true, "pulls/merge", "its kind: a deploy key is no token of the API"),
        (true, true, true, "git/push", "its permissions (contents: write)"),
    ] {
        let key = json!({ "id": 5, "title": "sync", "read_only": read_only, "enabled": enabled });
        let reading = with_key(&key, &[own(of_organisation)]);
        let request = Request {
            identity: KEY.to_owned(),
            operation: operation.to_owned(),
            resource: Some("acme/shop".to_owned()),
            context: Default::default(),
        };
        let decision = reading.resolver.as_ref().unwrap().decide(&KEY.into(), &request).unwrap();
        let why: Vec<&str> = decision.blocked_by.iter().map(|why| &**why).collect();
        assert_eq!((decision.outcome, why), (Outcome::ImplicitlyDenied, vec![expected]), "{operation} {key}");
    }
}
