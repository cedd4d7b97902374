//! Runners and webhooks: which machines and receivers there are, and who reaches them.

use evenhand_model::trust::Mechanism;

use super::*;

#[test]
fn a_runner_serves_strangers_where_a_public_repository_may_use_it() {
    let site = |visibility: &str| {
        let body =
            json!({ "name": "site", "full_name": "acme/site", "default_branch": "main", "visibility": visibility });
        answered("/repos/acme/site", &body)
    };
    let shared = answered(
        "/orgs/acme/actions/runners",
        &json!({ "runners": [{ "id": 1, "name": "r", "runner_group_id": 4, "ephemeral": true }] }),
    );
    let own = answered("/repos/acme/site/actions/runners", &json!({ "runners": [{ "id": 2, "name": "r" }] }));
    let group = |public: Value, visibility: &str| {
        let group = json!({ "id": 4, "name": "farm", "visibility": visibility, "allows_public_repositories": public });
        answered("/orgs/acme/actions/runner-groups", &json!({ "runner_groups": [group] }))
    };
    let selected = |name: &str| {
        let path = "/orgs/acme/actions/runner-groups/4/repositories";
        answered(path, &json!({ "repositories": [{ "full_name": name }] }))
    };
    let (yes, no, unknown) = (Fact::Known(true), Fact::Known(false), Fact::Unknown);
    let (of_group, of_site) = ("github:acme:runner:r", "github:acme:runner:site/r");
    for (more, id, expected) in [
        (vec![shared.clone(), group(json!(true), "all")], of_group, yes),
        (vec![shared.clone(), group(json!(false), "all")], of_group, no),
        (vec![shared.clone(), group(json!(true), "private")], of_group, no),
        (vec![shared.clone(), group(json!(true), "selected")], of_group, unknown),
        (vec![shared.clone(), group(json!(true), "selected"), selected("Acme/Site"), site("public")], of_group, yes),
        (vec![shared.clone(), group(json!(true), "selected"), selected("acme/site"), site("internal")], of_group, no),
        (vec![shared.clone(), group(json!(true), "selected"), selected("acme/gone")], of_group, unknown),
        (vec![shared.clone(), group(Value::Null, "all")], of_group, unknown),
        (vec![shared.clone()], of_group, unknown),
        (vec![own.clone(), site("public")], of_site, yes),
        (vec![own.clone(), site("private")], of_site, no),
        (vec![own.clone()], of_site, unknown),
    ] {
        let reading = read(&[organisation(&json!({}), "{}"), more.clone()].concat());
        let row = reading.inventory.workloads.iter().find(|held| &*held.id == id).unwrap();
        assert_eq!(row.exposed, expected, "{more:?}");
        assert_eq!(&*row.kind, if id == of_group { "ephemeral_runner" } else { "self_hosted_runner" });
        assert!(reading.inventory.identities.iter().any(|held| held.id == row.identity && held.kind == "runner"));
        assert_eq!(
            outcome(&reading, id, "git/fetch", Some("acme/shop")),
            Outcome::ImplicitlyDenied,
            "jobs bring tokens"
        );
    }
}

#[test]
fn a_group_of_runners_is_told_with_the_repositories_that_may_use_it() {
    let group = |id: u64, more: Value| {
        let mut group = json!({ "id": id, "name": format!("g{id}"), "allows_public_repositories": true });
        for (key, value) in more.as_object().unwrap() {
            group[key] = value.clone();
        }
        group
    };
    let groups = json!({ "runner_groups": [
        group(4, json!({ "visibility": "all" })),
        group(5, json!({ "visibility": "private" })),
        group(6, json!({ "visibility": "selected" })),
        group(7, json!({ "visibility": "selected" })),
        group(8, json!({ "visibility": "all", "restricted_to_workflows": true })),
        group(9, json!({ "visibility": "all", "restricted_to_workflows": true,
            "selected_workflows": ["acme/shop/.github/workflows/ci.yml@main"] })),
        group(10, json!({ "visibility": "all", "restricted_to_workflows": true,
            "selected_workflows": ["acme/site/.github/workflows/ci.yml@main"] }))
    ] });
    let site = json!({ "name": "site", "full_name": "acme/site", "default_branch": "main", "visibility": "public" });
    let reading = read(
        &[
            organisation(&json!({}), "{}"),
            vec![
                answered("/orgs/acme/actions/runner-groups", &groups),
                answered(
                    "/orgs/acme/actions/runner-groups/6/repositories",
                    &json!({ "repositories": [{ "full_name": "acme/site" }, { "full_name": "acme/shop" }] }),
                ),
                answered(
                    "/orgs/acme/actions/runners",
                    &json!({ "runners": [{ "id": 1, "name": "r", "runner_group_id": 4 }] }),
                ),
                answered("/repos/acme/site", &site),
                answered("/repos/acme/site/actions/runners", &json!({ "runners": [{ "id": 2, "name": "own" }] })),
            ],
        ]
        .concat(),
    );
    let users = |id: &str| {
        let trusts = reading.inventory.trusts.iter().filter(|held| held.target.as_str() == id);
        let trusts = trusts.filter(|held| held.mechanism == Mechanism::WorkloadCreation);
        trusts.map(|held| (&*held.source, &*held.constraint, held.weak)).collect::<Vec<_>>()
    };
    let of_group = |id: u64| format!("github:acme:runner_group:{id}");
    assert_eq!(users(&of_group(4)), [("acme/*", "all repositories, public ones too", Truth::Yes)]);
    assert_eq!(users(&of_group(5)), [("acme/*", "all private repositories", Truth::No)]);
    let selected = "selected repositories, public ones too";
    assert_eq!(users(&of_group(6)), [("acme/shop", selected, Truth::No), ("acme/site", selected, Truth::Yes)]);
    let unread = "selected repositories, which were not read, public ones too";
    assert_eq!(users(&of_group(7)), [("acme/*", unread, Truth::Unknown)]);
    let listed = "all repositories, public ones too, listed workflows only";
    assert_eq!(users(&of_group(8)), [("acme/*", listed, Truth::Unknown)]);
    // No public repository runs a file of one that is not; who starts that of a public one is not known.
    assert_eq!(users(&of_group(9)), [("acme/*", listed, Truth::No)]);
    assert_eq!(users(&of_group(10)), [("acme/*", listed, Truth::Unknown)]);
    let own = "the repository's own runner";
    assert_eq!(users("github:acme:runner:site/own"), [("acme/site", own, Truth::Yes)]);
    // A group stands for machines that are made for a job; where it has some, these stand for themselves.
    let exposed = |id: u64| {
        let row = reading.inventory.workloads.iter().find(|held| *held.id == *of_group(id));
        row.map(|held| (held.kind.to_string(), held.exposed))
    };
    let row = |exposed| Some(("runner_group".to_owned(), exposed));
    assert_eq!(exposed(4), None);
    assert_eq!(exposed(5), row(Fact::Known(false)));
    assert_eq!(exposed(6), row(Fact::Known(true)));
    assert_eq!((exposed(7), exposed(8)), (row(Fact::Unknown), row(Fact::Unknown)));
}

#[test]
fn a_webhook_is_told_by_its_host_and_by_what_proves_its_deliveries() {
    const CANARY: &str = "c4nary-Zx81-correct-horse";
    let address = |scheme: &str| format!("{scheme}://bot:{CANARY}@hooks.acme.example/in/{CANARY}?token={CANARY}");
    let signed = |url: String, insecure: Value| json!({ "url": url, "secret": "********", "insecure_ssl": insecure });
    for (config, constraint, weak, weakness) in [
        (signed(address("https"), json!("0")), "signed with a secret; the certificate is verified", Truth::No, ""),
        (
            signed(address("https"), json!(1)),
            "signed with a secret; the certificate is not looked at",
            Truth::Yes,
            "unverified-tls",
        ),
        (signed(address("HTTP"), json!("0")), "signed with a secret; in the clear", Truth::Yes, "in-the-clear"),
        (
            json!({ "url": address("https"), "insecure_ssl": "0" }),
            "not signed; the certificate is verified",
            Truth::Yes,
            "unsigned",
        ),
        (
            json!({ "url": address("https"), "secret": "********" }),
            "signed with a secret; nothing tells whether the certificate is verified",
            Truth::Unknown,
            "",
        ),
    ] {
        for (path, id) in
            [("/orgs/acme/hooks", "github:acme:webhook:8"), ("/repos/acme/shop/hooks", "github:acme:webhook:shop/8")]
        {
            let hook = |active: bool| answered(path, &json!([{ "id": 8, "active": active, "config": config }]));
            let reading = read(&[organisation(&json!({}), "{}"), vec![hook(true)]].concat());
            let trust = reading.inventory.trusts.iter().find(|held| held.target.as_str() == id).unwrap();
            assert_eq!((&*trust.source, trust.mechanism), ("hooks.acme.example", Mechanism::Delivery));
            assert_eq!((&*trust.constraint, trust.weak, &*trust.weakness), (constraint, weak, weakness));
            assert!(!format!("{:?}", reading.inventory).contains(CANARY));
            let off = read(&[organisation(&json!({}), "{}"), vec![hook(false)]].concat());
            assert!(off.inventory.trusts.iter().all(|held| held.target.as_str() != id), "nothing is delivered");
        }
    }
    let untold = answered("/orgs/acme/hooks", &json!([{ "id": 8, "active": true }]));
    let reading = read(&[organisation(&json!({}), "{}"), vec![untold]].concat());
    let trust = reading.inventory.trusts.iter().find(|held| held.mechanism == Mechanism::Delivery).unwrap();
    assert_eq!(trust.weak, Truth::Unknown, "what was cut from a capture is not taken for missing");
}
