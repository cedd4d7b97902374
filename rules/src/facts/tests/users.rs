//! Who uses an identity or a secret, and whether a record leads to one of them.

use evenhand_model::agent::{Agent, AgentKind};
use evenhand_model::credential::{Credential, Exposure};
use evenhand_model::evidence::{Evidence, Fact};
use evenhand_model::identity::Nature;
use evenhand_model::secret::Fingerprinter;
use evenhand_model::table::Value;
use evenhand_model::trust::Mechanism;

use super::{at, facts, identity, no, text, value, yes};
use crate::jobs::{Register, RegisterEntry, Selector};
use crate::parity::toy::{TOY, Town};

#[test]
fn a_record_leads_to_one_of_several_users_by_their_sessions_and_not_by_one_secret() {
    for (name, statics, expected) in [
        ("nothing read", &[][..], Value::Null),
        ("sessions only", &[Some(false)], yes()),
        ("one secret", &[Some(true), Some(false)], no()),
        ("two secrets", &[Some(true), Some(true)], Value::Null),
        ("who knows", &[None], Value::Null),
    ] {
        let mut town = Town::default();
        town.add(Nature::AiAgent, "s/shared", None);
        for id in ["a", "b"] {
            let place = Evidence::line("agents.json", 3);
            let kind = AgentKind::Agent;
            town.inventory.agents.push(Agent::new(id, "s/shared".into(), TOY, "s".into(), "client", kind, id, place));
        }
        for (at, is_static) in statics.iter().enumerate() {
            let id = at.to_string();
            let mut credential = Credential::new((&*id).into(), "s/shared".into(), TOY, "key", Evidence::whole("doc"));
            credential.is_static = Fact::known(*is_static);
            town.inventory.credentials.push(credential);
        }
        assert_eq!(identity(&facts(town, &[], None), "s/shared", "attributable"), expected, "{name}");
    }
}

#[test]
fn agents_that_act_through_a_tool_server_are_counted_though_they_share_an_identity() {
    let mut town = Town::default();
    for id in ["s/shared", "s/other", "s/tool"] {
        town.add(Nature::AiAgent, id, None);
    }
    let mut row = |id: &str, identity: &str, kind, line| {
        let place = Evidence::line("agents.json", line);
        town.inventory.agents.push(Agent::new(id, identity.into(), TOY, "s".into(), "client", kind, id, place));
    };
    row("a", "s/shared", AgentKind::Agent, 3);
    row("b", "s/shared", AgentKind::Agent, 7);
    row("t", "s/tool", AgentKind::ToolServer, 9);
    // The last two say the same of one agent.
    for (source, line) in [("s/shared", 3), ("s/shared", 7), ("s/other", 11), ("s/other", 12)] {
        town.trust(source, Mechanism::UsesTool, "s/tool");
        town.inventory.trusts.last_mut().unwrap().evidence = Evidence::line("agents.json", line);
    }
    assert_eq!(value(&facts(town, &[], None), "agents", "t", "used_by"), Value::Integer(3));
}

#[test]
fn users_of_an_identity_are_counted_and_tool_servers_are_not() {
    let mut town = Town::default();
    town.add(Nature::AiAgent, "s/one", None).owner = Fact::Absent;
    town.add(Nature::AiAgent, "s/two", None);
    town.add(Nature::AiAgent, "s/none", None);
    // A register of the provider's own, by whether it knows them; of the second it was not read.
    town.add(Nature::AiAgent, "s/own", None).registered = Fact::Known(true);
    town.add(Nature::AiAgent, "s/unread", None).registered = Fact::Unknown;
    town.add(Nature::AiAgent, "s/both", None).registered = Fact::Unknown;
    town.add(Nature::AiAgent, "s/neither", None).registered = Fact::Known(false);
    let mut agent = |id: &str, identity: &str, kind| {
        let place = Evidence::line("agents.json", 3);
        town.inventory.agents.push(Agent::new(id, identity.into(), TOY, "s".into(), "client", kind, id, place));
    };
    agent("a", "s/one", AgentKind::Agent);
    agent("t", "s/one", AgentKind::ToolServer);
    agent("b", "s/two", AgentKind::Agent);
    agent("c", "s/two", AgentKind::Agent);
    agent("d", "s/both", AgentKind::Agent);
    let entries = ["client/b", "client/d"].map(|selector| RegisterEntry {
        selector: Selector::parse(selector).unwrap(),
        evidence: Evidence::line("evenhand.toml", 3),
    });
    let register = Register::new(entries.into());
    let facts = facts(town, &[], Some(&register));
    for (id, registered) in [("s/own", yes()), ("s/unread", Value::Null), ("s/both", yes()), ("s/neither", no())] {
        assert_eq!(identity(&facts, id, "registered"), registered, "{id}");
    }
    for (id, shared_by, attributable, registered) in
        [("s/one", 1, yes(), no()), ("s/two", 2, Value::Null, yes()), ("s/none", 0, Value::Null, no())]
    {
        assert_eq!(identity(&facts, id, "shared_by"), Value::Integer(shared_by));
        assert_eq!(identity(&facts, id, "attributable"), attributable, "{id}");
        assert_eq!(identity(&facts, id, "registered"), registered, "{id}");
    }
    assert_eq!(value(&facts, "agents", "b", "registered"), yes());
    assert_eq!(value(&facts, "agents", "a", "has_owner"), no());
    assert_eq!(value(&facts, "agents", "b", "has_owner"), Value::Null);
    assert_eq!(value(&facts, "agents", "a", "registered"), no());
    assert_eq!(value(&facts, "agents", "a", "line"), Value::Integer(3));
    assert_eq!(facts.places("agents").of(0), [Evidence::line("agents.json", 3)]);
}

#[test]
fn one_secret_of_several_identities_is_seen_and_the_issuers_record_is_no_holder() {
    let mut town = Town::default();
    for id in ["s/bot", "s/agent-1", "s/agent-2"] {
        town.add(Nature::AiAgent, id, None);
    }
    let secret = Fingerprinter::ephemeral([7; 32]);
    let mut credential = |id: &str, identity: &str, exposure: Fact<Exposure>, value: Option<&str>, key: &str| {
        let mut credential = Credential::new(id.into(), identity.into(), TOY, "key", Evidence::whole("doc"));
        credential.exposure = exposure;
        credential.fingerprint = value.map(|value| secret.fingerprint(value.as_bytes()));
        credential.public_id = Some(key.into());
        credential.is_static = Fact::Known(true);
        credential.expires_at = Fact::Known(at("2026-07-01T00:00:00Z"));
        town.inventory.credentials.push(credential);
    };
    let lying = Fact::Known(Exposure::UserFile);
    credential("issued-1", "s/bot", Fact::Unknown, None, "K1");
    credential("copy-1", "s/agent-1", lying, Some("x"), "K1");
    credential("issued-2", "s/bot", Fact::Unknown, None, "K2");
    credential("copy-2", "s/agent-1", lying, Some("y"), "K2");
    credential("copy-3", "s/agent-2", lying, Some("y"), "K2");
    let facts = facts(town, &[], None);
    for (id, shared_by, name) in [
        ("issued-1", 1, Value::Null),
        ("copy-1", 1, text("secret-1")),
        ("issued-2", 2, Value::Null),
        ("copy-2", 2, text("secret-2")),
        ("copy-3", 2, text("secret-2")),
    ] {
        assert_eq!(value(&facts, "credentials", id, "shared_by"), Value::Integer(shared_by), "{id}");
        assert_eq!(value(&facts, "credentials", id, "fingerprint"), name, "{id}");
    }
    assert_eq!(value(&facts, "credentials", "copy-1", "expired"), yes(), "at the moment itself it has ended");
    assert_eq!(identity(&facts, "s/bot", "static_credentials"), Value::Integer(2));
    assert_eq!(identity(&facts, "s/bot", "attributable"), no());
}
