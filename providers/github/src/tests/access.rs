//! What identities may do, and the steps that lead to more.

use super::*;

#[test]
fn access_follows_roles_teams_tokens_keys_and_blocks() {
    let mut answers =
        organisation(&json!({ "contents": "read", "issues": "write" }), "{contents: read, id-token: write}");
    answers.push(answered("/orgs/acme/credential-authorizations", &json!([
        { "login": "ann", "credential_id": 1, "credential_type": "personal access token", "scopes": ["repo"] },
        { "login": "root", "credential_id": 2, "credential_type": "personal access token", "scopes": ["repo", "admin:org"] }
    ])));
    answers.push(answered(
        "/orgs/acme/personal-access-tokens",
        &json!([{
            "id": 3, "owner": { "login": "ann" }, "repository_selection": "all", "token_name": "t",
            "permissions": { "repository": { "contents": "write", "administration": "write" } }
        }]),
    ));
    answers.push(answered("/repos/acme/other", &json!({ "name": "other", "full_name": "acme/other" })));
    answers.push(answered("/repos/acme/other/collaborators", &json!([])));
    let reading = read(&answers);
    let (shop, other) = (Some("acme/shop"), Some("acme/other"));
    for (identity, operation, resource, expected) in [
        (APP, "git/fetch", other, Outcome::Allowed),
        (APP, "git/push", shop, Outcome::ImplicitlyDenied),
        (APP, "issues create-comment", shop, Outcome::Allowed),
        (KEY, "git/push-workflow-files", shop, Outcome::Allowed),
        (KEY, "git/push", other, Outcome::ImplicitlyDenied),
        (JOB, "git/fetch", Some("ACME/Shop"), Outcome::Allowed),
        (JOB, "git/push", shop, Outcome::ImplicitlyDenied),
        (TEAM, "git/push", shop, Outcome::Allowed),
        ("github:acme:user:ann", "git/push", shop, Outcome::Allowed),
        ("github:acme:user:ann", "git/fetch", other, Outcome::ImplicitlyDenied),
        ("github:acme:user:root", "repos/delete", other, Outcome::Allowed),
        // A token opens no more than its owner may do.
        ("github:acme:token:ann/1", "git/push", shop, Outcome::Allowed),
        ("github:acme:token:ann/1", "repos/create-deploy-key", shop, Outcome::ImplicitlyDenied),
        ("github:acme:token:root/2", "repos/create-deploy-key", other, Outcome::Allowed),
        ("github:acme:token:root/2", "orgs/set-membership-for-user", None, Outcome::Allowed),
        ("github:acme:token:3", "git/push", shop, Outcome::Allowed),
        ("github:acme:token:3", "git/push", other, Outcome::ImplicitlyDenied),
        ("github:acme:token:3", "repos/create-deploy-key", shop, Outcome::ImplicitlyDenied),
    ] {
        assert_eq!(outcome(&reading, identity, operation, resource), expected, "{identity} {operation} {resource:?}");
    }
    let resolver = reading.resolver.as_ref().unwrap();
    assert_eq!(resolver.is_admin(&"github:acme:user:root".into()), Some(true));
    assert_eq!(resolver.is_admin(&APP.into()), Some(false));
    let edges = resolver.edges();
    let escalation = |source: &str| edges.iter().filter(|edge| edge.source.as_str() == source).count();
    assert_eq!((escalation(KEY), escalation(APP)), (1, 0), "the key may rewrite the job that clouds trust");
}

#[test]
fn repositories_are_the_same_however_an_answer_spells_them() {
    let mut answers = [organisation(&json!({}), "{}"), ruled(&json!([]))].concat();
    for answer in &mut answers {
        if answer["path"] == "/orgs/acme/teams/web/repos" {
            answer["response"][0]["full_name"] = json!("Acme/Shop");
        }
    }
    let reading = read(&answers);
    assert_eq!(outcome(&reading, TEAM, "git/push", Some("acme/shop")), Outcome::Allowed);
    assert_eq!(approval(&reading, TEAM), Some((Truth::Yes, None)));
}

#[test]
fn where_members_were_not_read_nobody_is_called_one_and_teams_count_all_the_same() {
    let bypass = json!([{ "actor_type": "Team", "actor_id": 62 }]);
    let mut answers = [organisation(&json!({}), "{}"), ruled(&bypass)].concat();
    answers.push(answered("/orgs/acme/teams/web/members", &json!([{ "login": "Eve", "id": 14 }])));
    answers.push(answered(
        "/orgs/acme/personal-access-tokens",
        &json!([{
            "id": 3, "owner": { "login": "eve" }, "repository_selection": "all",
            "permissions": { "repository": { "contents": "write" } }
        }]),
    ));
    let whole = read(&answers);
    answers.retain(|answer| answer["path"] != "/orgs/acme/members");
    let reading = read(&answers);
    let of = |reading: &Reading, login: &str| {
        let id = format!("github:acme:user:{login}");
        let found = reading.inventory.identities.iter().find(|held| held.id.as_str() == id).unwrap();
        (found.kind, found.third_party)
    };
    assert_eq!(of(&whole, "ann"), ("member", Fact::Known(false)));
    assert_eq!(of(&reading, "ann"), ("collaborator", Fact::Unknown));
    assert_eq!(of(&reading, "root"), ("member", Fact::Known(false)), "owners are members");
    // What a team gives is held, and there may be more.
    assert_eq!(outcome(&reading, "github:acme:user:ann", "git/push", Some("acme/shop")), Outcome::Allowed);
    assert_eq!(outcome(&reading, "github:acme:user:ann", "git/push", Some("acme/other")), Outcome::Unknown);
    assert_eq!(outcome(&whole, "github:acme:token:3", "git/push", Some("acme/shop")), Outcome::Allowed);
    assert_eq!(approval(&reading, "github:acme:user:bob"), Some((Truth::Unknown, Some(Way::Untold))));
    assert_eq!(approval(&whole, "github:acme:user:bob"), Some((Truth::Yes, None)));
}

#[test]
fn the_list_of_members_without_a_second_factor_tells_nothing_of_others() {
    let factors = |demanded: Value| {
        let mut answers = organisation(&json!({}), "{}");
        answers[0]["response"]["two_factor_requirement_enabled"] = demanded;
        let outside = json!([{ "login": "guest", "id": 20 }]);
        answers.push(answered("/orgs/acme/outside_collaborators", &outside));
        answers.push(answered("/orgs/acme/members?filter=2fa_disabled", &json!([{ "login": "bob", "id": 12 }])));
        let reading = read(&answers);
        ["ann", "bob", "root", "guest"].map(|login| {
            let id = format!("github:acme:user:{login}");
            let mut controls = reading.inventory.controls.iter();
            controls.find(|held| held.kind == ControlKind::Mfa && held.identity.as_str() == id).unwrap().in_place
        })
    };
    assert_eq!(factors(json!(false)), [Truth::Yes, Truth::No, Truth::Yes, Truth::Unknown]);
    assert_eq!(factors(json!(true)), [Truth::Yes; 4]);
}

#[test]
fn scopes_of_classic_tokens_for_public_repositories_and_for_deleting_are_scopes_of_their_own() {
    let token = |scopes: &[&str], listed: bool, visibility: Value| {
        let mut answers = organisation(&json!({}), "{}");
        let named = |name: &str, visibility: Value| json!({ "name": name, "full_name": format!("acme/{name}"), "visibility": visibility });
        answers.push(answered("/repos/acme/site", &named("site", json!("public"))));
        answers.push(answered("/repos/acme/new", &named("new", visibility)));
        if listed {
            answers.push(answered("/orgs/acme/repos", &json!([])));
        }
        let kind = "personal access token";
        answers.push(answered(
            "/orgs/acme/credential-authorizations",
            &json!([
                { "login": "root", "credential_id": 2, "credential_type": kind, "scopes": scopes }
            ]),
        ));
        read(&answers)
    };
    let asked = |reading: &Reading, operation: &str, name: &str| {
        outcome(reading, "github:acme:token:root/2", operation, Some(name))
    };
    use Outcome::{Allowed, ImplicitlyDenied, Unknown};
    for (scopes, site, shop, deleted) in [
        (&["public_repo"][..], Allowed, ImplicitlyDenied, ImplicitlyDenied),
        (&["repo"], Allowed, Allowed, ImplicitlyDenied),
        (&["repo", "public_repo", "delete_repo"], Allowed, Allowed, Allowed),
        (&["delete_repo"], ImplicitlyDenied, ImplicitlyDenied, Allowed),
        (&["read:org"], ImplicitlyDenied, ImplicitlyDenied, ImplicitlyDenied),
    ] {
        let reading = token(scopes, true, json!("private"));
        let push = |name| asked(&reading, "git/push", name);
        assert_eq!((push("acme/site"), push("acme/shop")), (site, shop), "{scopes:?}");
        assert_eq!(asked(&reading, "repos/delete", "acme/site"), deleted, "{scopes:?}");
    }
    let shut = asked(&token(&["delete_repo"], true, json!("private")), "repos/create-deploy-key", "acme/site");
    assert_eq!(shut, ImplicitlyDenied, "whoever may delete changes no gate");
    for (listed, visibility) in [(true, Value::Null), (false, json!("private"))] {
        let reading = token(&["public_repo"], listed, visibility);
        assert_eq!(asked(&reading, "git/push", "acme/site"), Allowed);
        assert_eq!(asked(&reading, "git/push", "acme/new"), Unknown);
    }
}

#[test]
fn a_token_takes_the_steps_that_its_owner_and_its_permissions_both_allow() {
    let grant = |owner: &str| {
        let permissions = json!({
            "organization": { "members": "write" }, "repository": { "contents": "write", "workflows": "write" }
        });
        json!([{ "id": 3, "owner": { "login": owner }, "repository_selection": "all", "permissions": permissions }])
    };
    let steps = |owner: &str, unread: &str| {
        let mut answers = organisation(&json!({}), "write-all");
        answers.retain(|answer| answer["path"] != unread);
        answers.push(answered("/orgs/acme/personal-access-tokens", &grant(owner)));
        let edges = read(&answers).resolver.unwrap().edges();
        let of_token = edges.iter().filter(|edge| edge.source.as_str() == "github:acme:token:3");
        of_token.map(|edge| (edge.technique.to_string(), edge.conditional)).collect::<Vec<_>>()
    };
    let (membership, workflow) = ("github-set-membership".to_owned(), "github-write-workflow".to_owned());
    assert_eq!(steps("root", ""), [(workflow.clone(), false), (membership.clone(), false)]);
    assert_eq!(steps("ann", ""), [(workflow.clone(), false)], "she sets no members");
    assert_eq!(steps("ann", "/orgs/acme/members?role=admin"), [(workflow, true), (membership, true)]);
}

#[test]
fn all_repositories_of_an_organisation_are_none_of_another() {
    let mut answers = organisation(&json!({ "contents": "write" }), "{}");
    answers.push(answered("/repos/other/shop", &json!({ "name": "shop", "full_name": "other/shop" })));
    let reading = read(&answers);
    for (resource, expected) in [
        (Some("acme/new"), Outcome::Unknown),
        (Some("ACME/Shop"), Outcome::Allowed),
        (Some("other/shop"), Outcome::ImplicitlyDenied),
        (None, Outcome::Allowed),
    ] {
        assert_eq!(outcome(&reading, APP, "git/push", resource), expected, "{resource:?}");
    }
}

#[test]
fn a_repository_that_nobody_listed_is_not_there_where_the_list_is_whole_and_unknown_elsewhere() {
    use Outcome::{Allowed, ImplicitlyDenied, Unknown};
    let asked = |more: &[Value], counted: Value, operation: &str, name: &str| {
        let mut answers = organisation(&json!({ "contents": "write", "administration": "write" }), "{}");
        for (key, value) in counted.as_object().unwrap() {
            answers[0]["response"][key] = value.clone();
        }
        let reading = read(&[answers, more.to_vec()].concat());
        let request = Request {
            identity: APP.to_owned(),
            operation: operation.to_owned(),
            resource: Some(name.to_owned()),
            context: Default::default(),
        };
        let decision = reading.resolver.as_ref().unwrap().decide(&APP.into(), &request).unwrap();
        (decision.outcome, decision.blocked_by.iter().map(ToString::to_string).collect::<String>())
    };
    let list = [answered("/orgs/acme/repos", &json!([{ "name": "shop", "full_name": "acme/shop" }]))];
    let (all, more) = (
        json!({ "public_repos": 0, "total_private_repos": 1 }),
        json!({ "public_repos": 0, "total_private_repos": 9 }),
    );
    let (outcome, why) = asked(&list, all.clone(), "git/push", "acme/new");
    assert_eq!(outcome, ImplicitlyDenied);
    assert_eq!(why, "the list of repositories: all of acme were read, and `acme/new` is none of them");
    let (outcome, why) = asked(&list, more, "git/push", "acme/new");
    assert_eq!(outcome, Unknown);
    assert!(why.contains("nothing tells whether acme has more"), "{why}");
    assert_eq!(asked(&[], json!({}), "git/push", "acme/new").0, Unknown, "no list was read");
    assert_eq!(asked(&list, all.clone(), "git/push", "ACME/Shop").0, Allowed);
    assert_eq!(asked(&list, all.clone(), "issues/create-comment", "acme/new").0, ImplicitlyDenied);
    assert_eq!(asked(&list, all, "repos/create-in-org", "acme/new").0, Allowed, "it is made by that");
}

#[test]
fn a_repository_that_a_list_of_an_app_names_is_there() {
    let mut answers = organisation(&json!({ "contents": "write" }), "{}");
    for answer in &mut answers {
        if answer["path"] == "/orgs/acme/installations" {
            answer["response"]["installations"][0]["repository_selection"] = json!("selected");
        }
    }
    let path = "/user/installations/1/repositories";
    answers.push(answered(path, &json!({ "repositories": [{ "full_name": "acme/tool" }] })));
    assert_eq!(outcome(&read(&answers), APP, "git/push", Some("acme/tool")), Outcome::Allowed);
}

#[test]
fn what_is_held_elsewhere_alone_is_denied_by_the_place_and_not_by_the_permission() {
    let mut answers = organisation(&json!({ "contents": "write" }), "{}");
    answers[0]["response"]["public_repos"] = json!(0);
    answers[0]["response"]["total_private_repos"] = json!(2);
    for answer in &mut answers {
        if answer["path"] == "/orgs/acme/installations" {
            answer["response"]["installations"][0]["repository_selection"] = json!("selected");
        }
    }
    let named = |name: &str| json!({ "name": name, "full_name": format!("acme/{name}") });
    answers.push(answered("/orgs/acme/repos", &json!([named("shop"), named("site")])));
    answers.push(answered("/user/installations/1/repositories", &json!({ "repositories": [named("shop")] })));
    let reading = read(&answers);
    for (operation, resource, expected) in [
        ("pulls/merge", "acme/site", "the repositories it reaches: `acme/site` is none of them"),
        (
            "pulls/merge",
            "acme/shopp",
            "the list of repositories: all of acme were read, and `acme/shopp` is none of them",
        ),
        ("pulls/merge", "other/shop", "its owner: it acts in repositories of acme"),
        ("repos/create-deploy-key", "acme/site", "its permissions (administration: write)"),
        ("repos/create-deploy-key", "acme/shopp", "its permissions (administration: write)"),
    ] {
        let request = Request {
            identity: APP.to_owned(),
            operation: operation.to_owned(),
            resource: Some(resource.to_owned()),
            context: Default::default(),
        };
        let decision = reading.resolver.as_ref().unwrap().decide(&APP.into(), &request).unwrap();
        let why: Vec<&str> = decision.blocked_by.iter().map(|why| &**why).collect();
        assert_eq!((decision.outcome, why), (Outcome::ImplicitlyDenied, vec![expected]), "{operation} {resource}");
    }
}

#[test]
fn what_a_default_gives_is_unknown_where_the_default_was_not_read() {
    let mut answers = organisation(&json!({}), "null");
    for answer in &mut answers {
        if answer["path"].as_str().unwrap().ends_with("ci.yml") {
            answer["response"]["content"] = json!("on: push\njobs: {do: {runs-on: x, steps: [{run: make}]}}\n");
        }
    }
    let push = |answers: &[Value]| outcome(&read(answers), JOB, "git/push", Some("acme/shop"));
    assert_eq!(push(&answers), Outcome::ImplicitlyDenied, "the default is to read");
    answers.retain(|answer| !answer["path"].as_str().unwrap().ends_with("permissions/workflow"));
    assert_eq!(push(&answers), Outcome::Unknown);
}

#[test]
fn machine_users_are_told_by_the_configuration() {
    let text: String = organisation(&json!({}), "{}").iter().map(|answer| format!("{answer}\n")).collect();
    let (reading, _) = read_documents(vec![document("x.ndjson", &text)], &[("machine_users", "Bob, eve")]);
    let nature = |login: &str| {
        let id = format!("github:acme:user:{login}");
        judge(&reading.inventory.identities.iter().find(|held| held.id.as_str() == id).unwrap().signals).nature
    };
    assert_eq!((nature("ann"), nature("bob")), (Nature::Human, Nature::Workload));
}

#[test]
fn a_machine_user_of_the_configuration_that_nobody_is_gets_a_hint() {
    let text: String = organisation(&json!({}), "{}").iter().map(|answer| format!("{answer}\n")).collect();
    for (configured, missing) in [
        ("Bob", None),
        ("Bob, eve,, mallory", Some("names `eve` and `mallory`, which are no members")),
        (" ", None),
        ("eve", Some("`eve`, which is no member")),
    ] {
        let (reading, _) = read_documents(vec![document("x.ndjson", &text)], &[("machine_users", configured)]);
        let hints: Vec<&str> = reading.inventory.hints.iter().map(|hint| &*hint.message).collect();
        match missing {
            None => assert!(hints.iter().all(|hint| !hint.contains("machine_users")), "{hints:?}"),
            Some(missing) => assert!(hints.iter().any(|hint| hint.contains(missing)), "{hints:?}"),
        }
    }
}

#[test]
fn an_account_whose_name_may_be_a_persons_is_one_and_is_named_in_a_hint() {
    let mut answers = organisation(&json!({}), "{}");
    for answer in &mut answers {
        if answer["path"] == "/orgs/acme/members" {
            let more = answer["response"].as_array_mut().unwrap();
            more.extend(["ci-smith", "katy-jenkins"].map(|login| json!({ "login": login, "id": 20 })));
        }
    }
    let judged = |reading: &Reading, login: &str| {
        let id = format!("github:acme:user:{login}");
        let found = judge(&reading.inventory.identities.iter().find(|held| held.id.as_str() == id).unwrap().signals);
        (found.nature, found.confidence)
    };
    let reading = read(&answers);
    assert_eq!(judged(&reading, "ann"), (Nature::Human, 0.9));
    assert_eq!(judged(&reading, "ci-smith"), (Nature::Human, 0.6));
    let hints: Vec<&str> = reading.inventory.hints.iter().map(|hint| &*hint.message).collect();
    assert!(hints.iter().any(|hint| hint.contains("`ci-smith`, `katy-jenkins`;")), "{hints:?}");
    let text: String = answers.iter().map(|answer| format!("{answer}\n")).collect();
    let settings = [("machine_users", "ci-smith, katy-jenkins")];
    let (reading, _) = read_documents(vec![document("x.ndjson", &text)], &settings);
    assert_eq!(judged(&reading, "ci-smith").0, Nature::Workload);
    assert!(reading.inventory.hints.iter().all(|hint| !hint.message.contains("ci-smith")));
}

#[test]
fn a_permission_is_no_operation_and_is_told_where_it_is_one() {
    let reading = read(&organisation(&json!({ "contents": "write" }), "{}"));
    let asked = |operation: &str| {
        let request = Request {
            identity: APP.to_owned(),
            operation: operation.to_owned(),
            resource: None,
            context: Default::default(),
        };
        reading.resolver.as_ref().unwrap().decide(&APP.into(), &request).unwrap_err().to_string()
    };
    assert!(asked("contents: write").contains("evenhand explain"));
    assert!(asked("push").contains("git/push"));
}
