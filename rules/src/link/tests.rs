//! What is joined, on small inventories.

use evenhand_model::id::{ProviderName, ScopeId};

use super::*;

fn identity(id: &str, signals: &[(Nature, Strength)]) -> Identity {
    let mut identity =
        Identity::new(id.into(), ProviderName("test"), ScopeId::from("s"), "role", id, Evidence::whole("doc"));
    identity.signals = signals
        .iter()
        .map(|(nature, strength)| Signal {
            nature: *nature,
            strength: *strength,
            reason: "seen".into(),
            evidence: Evidence::whole("doc"),
        })
        .collect();
    identity
}

#[test]
fn the_job_of_people_goes_with_them_into_another_provider_unless_they_do_several() {
    let human = |id: &str, provider: &'static str, job: Option<&str>| {
        let mut human = identity(id, &[(Nature::HumanRole, Strength::Strong)]);
        human.provider = ProviderName(provider);
        human.job = job.map(Job::from);
        human
    };
    let enters = |source: &str, target: &str| Trust {
        source: source.into(),
        target: target.into(),
        provider: ProviderName("cloud"),
        mechanism: Mechanism::Assignment,
        constraint: "".into(),
        weak: Truth::No,
        weakness: "".into(),
        evidence: Evidence::whole("doc"),
    };
    let mut inventory = Inventory {
        identities: vec![
            human("on-call", "cloud", Some("incident response")),
            human("release", "cloud", Some("delivery")),
            human("neighbour", "cloud", None),
            human("group-1", "cluster", None),
            human("group-2", "cluster", None),
            human("group-3", "cluster", Some("support")),
            human("view", "cluster", None),
        ],
        trusts: [
            ("on-call", "group-1"),
            ("on-call", "group-2"),
            ("release", "group-2"),
            ("on-call", "group-3"),
            ("on-call", "neighbour"),
            ("on-call", "view"),
        ]
        .map(|(source, target)| enters(source, target))
        .to_vec(),
        ..Inventory::default()
    };
    inventory.identities[6].generic_role = true;
    link(&mut inventory, &JobConfig::default());
    let job = |id: &str| {
        let found = inventory.identities.iter().find(|identity| identity.id.as_str() == id);
        found.unwrap().job.as_ref().map(ToString::to_string)
    };
    assert_eq!(job("group-1").as_deref(), Some("incident response"));
    assert_eq!(job("group-2"), None, "people of two jobs enter by it");
    assert_eq!(job("group-3").as_deref(), Some("support"), "what it says of itself stands");
    assert_eq!(job("neighbour"), None, "within one provider an assignment makes nobody another's colleague");
    assert_eq!(job("view"), None);
}

fn credential(identity: &str, public_id: &str, exposure: Fact<Exposure>) -> Credential {
    let id = format!("{identity}/{public_id}");
    let mut credential =
        Credential::new(id.into(), identity.into(), ProviderName("test"), "access_key", Evidence::whole("doc"));
    credential.public_id = Some(public_id.into());
    credential.exposure = exposure;
    credential
}

fn federation(source: &str, target: &str) -> Trust {
    Trust {
        source: source.into(),
        target: target.into(),
        provider: ProviderName("test"),
        mechanism: Mechanism::Federation,
        constraint: "".into(),
        weak: Truth::No,
        weakness: "".into(),
        evidence: Evidence::whole("doc"),
    }
}

fn nature(inventory: &Inventory, id: &str) -> Nature {
    let identity = inventory.identities.iter().find(|identity| identity.id.as_str() == id).unwrap();
    nature_of(&identity.signals)
}

#[test]
fn whoever_holds_an_agents_borrowed_key_shares_its_nature() {
    let identities = vec![
        identity("agent", &[(Nature::AiAgent, Strength::Certain)]),
        identity("bot", &[]),
        identity("person", &[(Nature::Human, Strength::Certain)]),
    ];
    let credentials = vec![
        credential("agent", "KEY1", Fact::Known(Exposure::UserFile)),
        credential("agent", "KEY2", Fact::Known(Exposure::UserFile)),
        credential("bot", "KEY1", Fact::Unknown),
        credential("person", "KEY2", Fact::Unknown),
    ];
    let mut inventory = Inventory { identities, credentials, ..Inventory::default() };
    link(&mut inventory, &JobConfig::default());
    assert_eq!(nature(&inventory, "bot"), Nature::AiAgent);
    assert_eq!(nature(&inventory, "person"), Nature::Human, "a certain person stays one");
    let targets: Vec<&str> = inventory.trusts.iter().map(|trust| trust.target.as_str()).collect();
    assert_eq!(targets, ["bot", "person"]);
}

#[test]
fn a_target_named_by_a_key_or_a_pattern_is_the_identity_that_it_means() {
    let identities =
        ["x:role/Admin_0a", "x:role/Admin_0b", "x:role/Other_0a", "person"].map(|id| identity(id, &[])).into();
    let credentials = vec![credential("person", "KEY1", Fact::Unknown)];
    let mut inventory = Inventory { identities, credentials, ..Inventory::default() };
    for target in ["credential:KEY1", "credential:KEY2", "x:role/Other_??", "x:role/Admin_*", "gone"] {
        let mechanism = Mechanism::HoldsCredential;
        inventory.trusts.push(Trust { mechanism, ..federation("agent", target) });
    }
    link(&mut inventory, &JobConfig::default());
    let targets: BTreeSet<&str> = inventory.trusts.iter().map(|trust| trust.target.as_str()).collect();
    assert_eq!(targets, BTreeSet::from(["person", "credential:KEY2", "x:role/Other_0a", "x:role/Admin_*", "gone"]));
}

#[test]
fn a_role_that_an_annotation_names_by_its_client_id_is_the_identity_of_that_client() {
    let identities = ["cluster/account", "cloud/app", "cloud/machine", "cloud/here", "cloud/there"];
    let identities = identities.map(|id| identity(id, &[])).into();
    let credentials = vec![credential("cloud/app", "of-key", Fact::Known(Exposure::None))];
    let aliases = [
        ("of-key", "cloud/app"),
        ("without-key", "cloud/machine"),
        ("of-several", "cloud/here"),
        ("of-several", "cloud/there"),
        ("of-nobody", "cloud/gone"),
    ];
    let aliases = aliases.map(|(alias, id)| (alias.into(), id.into())).into();
    let mut inventory = Inventory { identities, credentials, aliases, ..Inventory::default() };
    for target in ["of-key", "without-key", "of-several", "of-nobody", "unknown"] {
        inventory.trusts.push(federation("cluster/account", target));
    }
    link(&mut inventory, &JobConfig::default());
    let targets: Vec<&str> = inventory.trusts.iter().map(|trust| trust.target.as_str()).collect();
    assert_eq!(targets, ["cloud/app", "cloud/machine", "of-nobody", "of-several", "unknown"]);
}

#[test]
fn whoever_enters_another_provider_under_an_id_that_others_have_for_it_is_that_identity() {
    let identities = ["cloud/path/role", "cluster/group"].map(|id| identity(id, &[])).into();
    let aliases = vec![("cloud/role".into(), "cloud/path/role".into()), ("cloud/other".into(), "cloud/gone".into())];
    let mut inventory = Inventory { identities, aliases, ..Inventory::default() };
    for source in ["cloud/role", "cloud/other"] {
        let mechanism = Mechanism::Assignment;
        inventory.trusts.push(Trust { mechanism, ..federation(source, "cluster/group") });
    }
    link(&mut inventory, &JobConfig::default());
    let sources: Vec<&str> = inventory.trusts.iter().map(|trust| &*trust.source).collect();
    assert_eq!(sources, ["cloud/other", "cloud/path/role"]);
}

#[test]
fn federation_carries_the_nature_over_several_steps_in_any_order() {
    for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0]] {
        let trusts = [federation("a", "b"), federation("b", "c"), federation("x", "d")];
        let identities = ["d", "c", "b", "a"].map(|id| identity(id, &[])).into();
        let mut inventory = Inventory { identities, ..Inventory::default() };
        inventory.identities[3].signals = identity("a", &[(Nature::AiAgent, Strength::Certain)]).signals;
        inventory.trusts = order.map(|at: usize| trusts[at].clone()).into();
        link(&mut inventory, &JobConfig::default());
        assert_eq!(nature(&inventory, "c"), Nature::AiAgent);
        assert_eq!(nature(&inventory, "d"), Nature::Unknown);
    }
}

#[test]
fn an_owner_is_as_active_as_the_person_of_that_name() {
    let person = |name: &str, enabled| {
        let mut person = identity(name, &[(Nature::Human, Strength::Certain)]);
        person.enabled = enabled;
        person
    };
    let owned = |id: &str, owner: &str| {
        let mut owned = identity(id, &[]);
        owned.owner = Fact::Known(owner.into());
        owned
    };
    let known = |id: &str, owner: &str, active| {
        let mut known = owned(id, owner);
        known.owner_active = Fact::Known(active);
        known
    };
    let identities = vec![
        person("Ada", Fact::Known(true)),
        person("bob", Fact::Known(false)),
        person("eve", Fact::Unknown),
        owned("1", "ada@example.com"),
        owned("2", "BOB"),
        owned("3", "eve"),
        owned("4", "nobody"),
        owned("5", "Zoe@example.com"),
        known("6", "zoe@example.com", true),
        owned("7", "max@example.com"),
        known("8", "max@example.com", true),
        known("9", "max@example.com", false),
    ];
    let mut inventory = Inventory { identities, ..Inventory::default() };
    link(&mut inventory, &JobConfig::default());
    let active = |id: &str| inventory.identities.iter().find(|i| i.id.as_str() == id).unwrap().owner_active;
    for (id, expected) in [
        ("1", Fact::Known(true)),
        ("2", Fact::Known(false)),
        ("3", Fact::Unknown),
        ("4", Fact::Unknown),
        ("5", Fact::Known(true)),
        ("7", Fact::Unknown),
    ] {
        assert_eq!(active(id), expected, "{id}");
    }
}

#[test]
fn a_job_declares_the_nature_of_what_it_names() {
    let mut job = JobRule::new("delivery", Evidence::line("evenhand.toml", 3));
    job.agents = vec![Selector::parse("test:role/bot-*").unwrap()];
    job.human = vec![Selector::parse("deployers").unwrap(), Selector::parse("ada").unwrap()];
    let identities = vec![
        identity("bot-1", &[(Nature::Workload, Strength::Certain)]),
        identity("deployers", &[]),
        identity("ada", &[(Nature::Human, Strength::Strong)]),
    ];
    let mut inventory = Inventory { identities, ..Inventory::default() };
    link(&mut inventory, &JobConfig { jobs: vec![job] });
    assert_eq!(nature(&inventory, "bot-1"), Nature::AiAgent);
    assert_eq!(nature(&inventory, "deployers"), Nature::HumanRole);
    assert_eq!(nature(&inventory, "ada"), Nature::Human);
}
