//! What is understood of answers, what is a gap, and that no secret stays.

use super::*;

#[test]
fn no_value_of_a_variable_or_tool_server_is_kept() {
    const CANARY: &str = "c4nary-Zx81-correct-horse";
    let mut answers = organisation(&json!({}), "{}");
    answers.push(answered(
        "/repos/acme/shop/actions/variables",
        &json!({ "variables": [
            { "name": "DEPLOY_PASSWORD", "value": CANARY }, { "name": "REGION", "value": "eu" }
        ]}),
    ));
    answers.push(answered("/orgs/acme/copilot/coding-agent/permissions", &json!({ "enabled_repositories": "all" })));
    answers.push(answered("/repos/acme/shop/copilot/cloud-agent/configuration", &json!({
        "mcp_configuration": { "mcpServers": { "erp": { "env": { "TOKEN": CANARY } } } }, "is_firewall_enabled": false
    })));
    let reading = read(&answers);
    assert!(!format!("{:?}", reading.inventory).contains(CANARY));
    let found: Vec<_> = reading.inventory.credentials.iter().filter(|held| held.fingerprint.is_some()).collect();
    assert_eq!(found.len(), 1, "the region is no secret");
    let agent = reading.inventory.workloads.iter().find(|held| &*held.kind == "coding_agent").unwrap();
    assert_eq!(agent.surroundings.egress_restricted, Fact::Known(false));
}

#[test]
fn what_was_refused_is_a_gap_that_names_the_permission_and_a_plan_is_no_failure() {
    let mut answers = organisation(&json!({}), "{}");
    let refused = |path: &str, code: &str, accepted: Option<&str>| {
        let error = json!({ "code": code, "kind": "refused" });
        json!({ "host": "github.com", "path": path, "error": error, "accepted": accepted })
    };
    answers.push(refused(
        "/orgs/acme/hooks",
        "403 Resource not accessible by integration",
        Some("organization_hooks=read"),
    ));
    answers.push(refused("/orgs/acme/custom-repository-roles", "404 Not Found", None));
    answers.push(refused("/repos/acme/shop/hooks", "403 Forbidden", None));
    let reading = read(&answers);
    let gap = |call: &str| reading.inventory.gaps.iter().find(|gap| &*gap.call == call).unwrap();
    let hooks = gap("/orgs/{org}/hooks");
    assert!(hooks.kind == GapKind::Failed && hooks.reason.contains("organization_hooks=read"), "{hooks:?}");
    assert_eq!(gap("/orgs/{org}/custom-repository-roles").kind, GapKind::NotCollected);
    assert!(gap("/repos/{owner}/{repo}/hooks").reason.contains("in shop"));
    assert_eq!(gap("/orgs/{org}/personal-access-tokens").kind, GapKind::NotCollected, "nobody asked");
}

#[test]
fn an_organisation_that_is_hidden_is_told_where_nothing_else_was_read() {
    let hidden = json!({ "host": "github.com", "path": "/orgs/hidden", "error": { "code": "404 Not Found" } });
    let refused = json!({ "host": "github.com", "path": "/orgs/other", "error": { "code": "403 Forbidden" } });
    let mine = answered("/repos/ann/notes", &json!({ "name": "notes", "full_name": "ann/notes" }));
    for (more, expected) in [
        (None, &["github:hidden"][..]),
        (Some(refused), &["github:hidden"]),
        (Some(answered("/orgs/acme", &json!({ "login": "acme" }))), &[]),
        (Some(answered("/orgs/hidden/members", &json!([]))), &[]),
        (Some(mine), &[]),
    ] {
        let text: String = std::iter::once(&hidden).chain(&more).map(|answer| format!("{answer}\n")).collect();
        let mut reader = Github.reader(options(&[]));
        reader.read(document("github/org.ndjson", &text)).unwrap();
        assert_eq!(reader.unread(), expected, "{more:?}");
    }
}

#[test]
fn bare_answers_say_the_same_as_those_with_their_question() {
    let answers = [organisation(&json!({ "contents": "write" }), "{}"), ruled(&json!([]))].concat();
    let bare = answers.iter().filter(|answer| answer.get("response").is_some()).map(|answer| {
        let path = answer["path"].as_str().unwrap();
        document(&format!("capture/github{path}.json"), &answer["response"].to_string())
    });
    let (reading, errors) = read_documents(bare.collect(), &[]);
    assert_eq!(errors, []);
    let ids = |reading: &Reading| -> Vec<String> {
        reading.inventory.identities.iter().map(|identity| identity.id.to_string()).collect()
    };
    assert_eq!(ids(&reading), ids(&read(&answers)));
    // The refusal that says that nothing protects the branch has no bare form; the ruleset stops it all the same.
    assert_eq!(approval(&reading, APP), Some((Truth::Yes, None)));
}

#[test]
fn an_element_of_another_form_is_an_error_and_costs_no_other() {
    let answer = answered("/repos/acme/shop/keys", &json!([{ "id": "no number" }, { "id": 5, "title": "sync" }]));
    let (reading, errors) = read_documents(vec![document("x.json", &answer.to_string())], &[]);
    let [error] = errors.as_slice() else { panic!("{errors:?}") };
    assert_eq!(error.document, "x.json#/response/0/id");
    assert!(reading.inventory.identities.iter().any(|identity| identity.id.as_str() == KEY));
    assert!(reading.inventory.gaps.iter().any(|gap| gap.kind == GapKind::Failed));
}

#[test]
fn a_list_in_place_of_an_object_is_an_error_with_its_place() {
    let answer = answered("/repos/acme/shop/keys", &json!([[5, "sync"], { "id": 5, "title": "sync" }]));
    let (_, errors) = read_documents(vec![document("x.json", &answer.to_string())], &[]);
    let places: Vec<&str> = errors.iter().map(|error| error.document.as_str()).collect();
    assert_eq!(places, ["x.json#/response/0"]);
}

#[test]
fn no_value_of_another_form_is_in_an_error_or_gap() {
    const CANARY: &str = "c4nary-Zx81-correct-horse";
    let one = |answer: Value| document("x.json", &answer.to_string());
    let bare = |path: &str, text: String| Document { head: Head::default(), text, ..document(path, "{}") };
    for document in [
        one(answered("/repos/acme/shop/actions/variables", &json!({ "variables": CANARY }))),
        one(answered("/repos/acme/shop/actions/variables", &json!({ "variables": [CANARY, { "value": [CANARY] }] }))),
        one(answered(
            "/repos/acme/shop/actions/variables",
            &json!({ "variables": [{ "name": "A", "value": "b", "created_at": CANARY }] }),
        )),
        one(answered("/orgs/acme", &json!(CANARY))),
        one(json!({ "host": "github.com", "path": "/orgs/acme", "error": CANARY })),
        one(json!({ "host": "github.com", "path": "/orgs/acme", "response": null, "accepted": [CANARY] })),
        bare("github/orgs/acme.json", format!("{{\"login\": {CANARY}}}")),
    ] {
        let (reading, errors) = read_documents(vec![document], &[]);
        assert!(!errors.is_empty());
        let said = format!("{errors:?} {:?}", reading.inventory);
        assert!(!said.contains(CANARY), "{said}");
    }
}
