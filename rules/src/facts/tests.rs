//! What the columns promise, on small inventories.

use std::sync::Arc;

use evenhand_model::access::{Doubt, DoubtEffect};
use evenhand_model::agent::{Agent, AgentKind};
use evenhand_model::catalog::{AccessLevel, Catalog, CatalogSource, OperationClass};
use evenhand_model::condition::{Clause, Condition};
use evenhand_model::control::ControlKind;
use evenhand_model::credential::{Credential, Exposure};
use evenhand_model::evidence::{Evidence, Fact, Truth};
use evenhand_model::identity::Nature;
use evenhand_model::log::Log;
use evenhand_model::opset::{OpSet, OperationIx};
use evenhand_model::parity::{Baseline, BaselineSource, Comparison, ControlComparison, GateComparison, Verdict};
use evenhand_model::scope::ResourceScope;
use evenhand_model::secret::Fingerprinter;
use evenhand_model::table::{Row as _, Value};
use evenhand_model::trust::Mechanism;
use jiff::Timestamp;

use crate::facts::tables::{IdentityRow, TABLES};
use crate::facts::{AccessTable, FactInput, Facts, build, days_between};
use crate::jobs::{Register, RegisterEntry, Selector};
use crate::parity::toy::{OPERATIONS, TOY, Town, pattern, plain, scope, slice, test, when};
use crate::paths;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// The facts of a town on a day in 2026.
fn facts(town: Town, comparisons: &[Comparison], register: Option<&Register>) -> Facts {
    facts_at_gates(town, comparisons, &[], register)
}

fn facts_at_gates(
    town: Town,
    comparisons: &[Comparison],
    gates: &[GateComparison],
    register: Option<&Register>,
) -> Facts {
    let (inventory, judgements, resolvers, _) = town.built();
    let paths = paths::find_all(&inventory, &judgements, &resolvers);
    build(&FactInput {
        inventory: &inventory,
        judgements: &judgements,
        comparisons,
        gates,
        paths: &paths,
        access: &AccessTable::new(&inventory, &judgements, &resolvers),
        register,
        stable_fingerprints: false,
        now: at("2026-07-01T00:00:00Z"),
    })
}

/// A value of the identity with an id.
fn identity(facts: &Facts, id: &str, column: &str) -> Value {
    value(facts, "identities", id, column)
}

fn value(facts: &Facts, table: &str, id: &str, column: &str) -> Value {
    let table = facts.table(table).unwrap();
    assert!(table.column(column).is_some(), "{column}");
    let row = (0..table.rows()).find(|row| table.value(*row, "id") == Value::Text(id.into())).unwrap();
    table.value(row, column)
}

fn yes() -> Value {
    Value::Boolean(true)
}

fn no() -> Value {
    Value::Boolean(false)
}

fn text(text: &str) -> Value {
    Value::Text(text.into())
}

#[test]
fn all_tables_are_built_in_the_documented_order() {
    let facts = facts(Town::default(), &[], None);
    let names: Vec<&str> = facts.tables.iter().map(|table| table.spec.name).collect();
    assert_eq!(names, TABLES.iter().map(|table| table.name).collect::<Vec<_>>());
    for table in &facts.tables {
        assert_eq!(table.columns.len(), table.spec.columns.len());
        assert!(table.columns.iter().all(evenhand_model::table::Column::is_empty), "{}", table.spec.name);
    }
}

#[test]
fn many_rows_keep_their_order_and_their_columns_one_length() {
    let mut town = Town::default();
    for number in 0..1000 {
        town.add(Nature::Workload, &format!("s/{number:04}"), None);
    }
    let facts = facts(town, &[], None);
    let table = facts.table("identities").unwrap();
    assert!(table.columns.iter().all(|column| column.len() == 1000));
    assert_eq!(table.value(777, "name"), text("0777"));
    assert_eq!(table.value(1000, "name"), Value::Null);
}

#[test]
fn absent_unknown_and_known_are_three_things() {
    let mut town = Town::default();
    let known = town.add(Nature::Workload, "s/known", None);
    known.owner = Fact::Known("ada".into());
    known.created_at = Fact::Known(at("2026-01-01T00:00:00Z"));
    known.last_used_at = Fact::Known(at("2026-06-29T23:00:00Z"));
    let absent = town.add(Nature::Workload, "s/absent", None);
    absent.owner = Fact::Absent;
    absent.created_at = Fact::Known(at("2026-01-01T00:00:00Z"));
    absent.last_used_at = Fact::Absent;
    town.add(Nature::Workload, "s/unknown", None);
    let facts = facts(town, &[], None);
    for (id, has_owner, ever_used, idle_days) in [
        ("s/known", yes(), yes(), Value::Integer(1)),
        ("s/absent", no(), no(), Value::Integer(181)),
        ("s/unknown", Value::Null, Value::Null, Value::Null),
    ] {
        assert_eq!(identity(&facts, id, "has_owner"), has_owner);
        assert_eq!(identity(&facts, id, "ever_used"), ever_used);
        assert_eq!(identity(&facts, id, "idle_days"), idle_days, "{id}");
    }
    assert_eq!(identity(&facts, "s/known", "registered"), Value::Null, "without a register nothing is unregistered");
}

#[test]
fn days_are_whole_and_never_negative() {
    for (from, to, days) in [
        ("2026-01-01T00:00:00Z", "2026-01-01T23:59:59Z", 0),
        ("2026-01-01T12:00:00Z", "2026-01-03T11:59:59Z", 1),
        ("2026-01-02T00:00:00Z", "2026-01-01T00:00:00Z", 0),
    ] {
        assert_eq!(days_between(at(from), at(to)), days, "{from} {to}");
    }
}

#[test]
fn access_columns_follow_the_slices() {
    let mut town = Town::default();
    // Operation 3 writes; the toy's operations are services of one operation each.
    town.add(Nature::AiAgent, "s/writer", Some(vec![plain(&[0, 3])]));
    town.add(Nature::AiAgent, "s/part", Some(vec![slice(&[3], scope(&["team/*"]), Condition::unconditional())]));
    town.add(Nature::AiAgent, "s/asked", Some(vec![slice(&[3], scope(&["*"]), when("mfa", "true"))]));
    town.add(Nature::AiAgent, "s/unread", None);
    town.add(Nature::AiAgent, "s/root", Some(vec![]));
    town.access_of("s/root").unlimited = true;
    town.add(Nature::AiAgent, "s/doubted", Some(vec![plain(&[0])]));
    town.access_of("s/doubted").doubts.push(Doubt::new("a policy was not read", DoubtEffect::Either));
    town.add(Nature::Workload, "s/same", Some(vec![plain(&[0, 3])]));
    town.toy.used.insert("s/writer".into(), OpSet::from_ranges([(0, 1)]));
    let facts = facts(town, &[], None);
    for (id, list) in [
        ("s/writer", text("op:00, op:03 on *")),
        ("s/asked", text("op:03 on * if mfa Equals true")),
        ("s/unread", Value::Null),
        ("s/same", Value::Null),
    ] {
        assert_eq!(identity(&facts, id, "access_list"), list, "{id}");
        assert_eq!(identity(&facts, id, "access_hash") == Value::Null, list == Value::Null, "{id}");
    }
    for (id, operations, weight, write_on_everything) in [
        ("s/writer", Value::Integer(2), Value::Integer(6), yes()),
        ("s/part", Value::Integer(1), Value::Integer(5), no()),
        ("s/asked", Value::Integer(1), Value::Integer(5), no()),
        ("s/unread", Value::Null, Value::Null, Value::Null),
        ("s/doubted", Value::Integer(1), Value::Integer(1), Value::Null),
    ] {
        assert_eq!(identity(&facts, id, "operations"), operations, "{id}");
        assert_eq!(identity(&facts, id, "access_weight"), weight, "{id}");
        assert_eq!(identity(&facts, id, "write_on_everything"), write_on_everything, "{id}");
    }
    assert_eq!(identity(&facts, "s/root", "operations"), Value::Integer(OPERATIONS as i64));
    assert_eq!(identity(&facts, "s/root", "admin"), yes());
    assert_eq!(identity(&facts, "s/writer", "unused_operations"), Value::Integer(1));
    assert_eq!(identity(&facts, "s/part", "unused_operations"), Value::Null);
    assert_eq!(identity(&facts, "s/writer", "scope_wide"), yes());
    assert_eq!(identity(&facts, "s/part", "scope_wide"), no());
}

#[test]
fn what_was_not_read_leaves_open_what_it_may_add_or_take() {
    for (effect, held, lacked) in [
        (DoubtEffect::Adds, yes(), Value::Null),
        (DoubtEffect::Limits, Value::Null, no()),
        (DoubtEffect::Either, Value::Null, Value::Null),
    ] {
        let mut town = Town::default();
        town.add(Nature::AiAgent, "s/strong", Some(vec![plain(&[3, 33])]));
        town.add(Nature::AiAgent, "s/weak", Some(vec![plain(&[0])]));
        town.toy.admins.push("s/strong".into());
        for id in ["s/strong", "s/weak"] {
            town.access_of(id).doubts.push(Doubt::new("x", effect));
        }
        let facts = facts(town, &[], None);
        for column in ["admin", "write_on_everything", "log_tamper"] {
            assert_eq!(identity(&facts, "s/strong", column), held, "{column} {effect:?}");
            assert_eq!(identity(&facts, "s/weak", column), lacked, "{column} {effect:?}");
        }
    }
}

#[test]
fn power_over_logs_and_gates_reaches_what_the_scope_reaches() {
    let all = Condition::unconditional;
    let region =
        |key: &str| all().with(Clause::Unless { tests: vec![test(key, "us")], scope: std::sync::Arc::default() });
    for (patterns, condition, log, gate) in [
        (&["*"][..], all(), yes(), yes()),
        // All of a kind, in one part of the scope.
        (&["eu/*"], all(), yes(), yes()),
        // A log that exists, and one that is off.
        (&["eu/main"], all(), yes(), Value::Null),
        (&["eu/old"], all(), Value::Null, Value::Null),
        // Its own gate.
        (&["s/agent"], all(), Value::Null, yes()),
        (&["s/other"], all(), Value::Null, Value::Null),
        (&["*"], when("team", "ai"), Value::Null, Value::Null),
        (&["s/agent"], when("team", "ai"), Value::Null, Value::Null),
        (&["*"], when("mfa", "true"), yes(), yes()),
        (&["*"], region("region"), yes(), yes()),
        (&["*"], region("tag"), Value::Null, Value::Null),
    ] {
        let mut town = Town::default();
        let slices = vec![slice(&[33, 34], scope(patterns), condition.clone())];
        town.add(Nature::AiAgent, "s/agent", Some(slices));
        for (name, on) in [("eu/main", true), ("eu/old", false)] {
            town.inventory.logs.push(Log {
                scope: "s".into(),
                provider: TOY,
                name: name.into(),
                enabled: Fact::Known(on),
                covers_agents: Fact::Unknown,
                retention_days: Fact::Unknown,
                tamper_protected: Fact::Unknown,
                evidence: Evidence::whole("log"),
            });
        }
        let facts = facts(town, &[], None);
        assert_eq!(identity(&facts, "s/agent", "log_tamper"), log, "{patterns:?} {condition}");
        assert_eq!(identity(&facts, "s/agent", "gate_tamper"), gate, "{patterns:?} {condition}");
    }
    // A hole spares what it names; whether anything else is left to tamper with is not known.
    let mut town = Town::default();
    let spared = ResourceScope::everything().without([pattern("eu/main")]);
    town.add(Nature::AiAgent, "s/agent", Some(vec![slice(&[33], spared, all())]));
    let facts = facts(town, &[], None);
    assert_eq!(identity(&facts, "s/agent", "log_tamper"), Value::Null);
    assert_eq!(identity(&facts, "s/agent", "gate_tamper"), no());
}

#[test]
fn a_deny_elsewhere_does_not_hide_a_write_on_everything() {
    let unless = |key: &str| Clause::Unless { tests: vec![test(key, "us")], scope: std::sync::Arc::default() };
    for (condition, expected) in [
        (Condition::unconditional().with(unless("region")), yes()),
        (Condition::unconditional().with(unless("tag")), Value::Null),
        (when("region", "eu"), no()),
    ] {
        let mut town = Town::default();
        let slices = vec![slice(&[3], ResourceScope::everything(), condition.clone())];
        town.add(Nature::AiAgent, "s/agent", Some(slices));
        assert_eq!(identity(&facts(town, &[], None), "s/agent", "write_on_everything"), expected, "{condition}");
    }
}

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

#[test]
fn logs_of_the_scope_speak_for_its_identities() {
    let mut town = Town::default();
    for scope in ["on", "off", "unread", "none", "mixed"] {
        town.add(Nature::AiAgent, &format!("{scope}/a"), None);
    }
    let mut log = |scope: &str, enabled, covers_agents| {
        town.inventory.logs.push(Log {
            scope: scope.into(),
            provider: TOY,
            name: "audit".into(),
            enabled,
            covers_agents,
            retention_days: Fact::Absent,
            tamper_protected: Fact::Unknown,
            evidence: Evidence::whole("logs.json"),
        });
    };
    log("on", Fact::Known(true), Fact::Known(true));
    log("off", Fact::Known(false), Fact::Known(true));
    log("unread", Fact::Unknown, Fact::Unknown);
    log("mixed", Fact::Known(false), Fact::Known(true));
    log("mixed", Fact::Known(true), Fact::Unknown);
    let facts = facts(town, &[], None);
    for (id, logged, agents) in [
        ("on/a", yes(), yes()),
        ("off/a", no(), no()),
        ("unread/a", Value::Null, Value::Null),
        ("none/a", Value::Null, Value::Null),
        ("mixed/a", yes(), Value::Null),
    ] {
        assert_eq!(identity(&facts, id, "logged"), logged, "{id}");
        assert_eq!(identity(&facts, id, "agent_activity_logged"), agents, "{id}");
    }
    let logs = facts.table("logs").unwrap();
    assert_eq!(logs.value(0, "has_retention_limit"), no());
    assert_eq!(logs.value(0, "ai_identities"), Value::Integer(1));
}

#[test]
fn environments_are_those_of_the_identity_and_of_whoever_becomes_it() {
    let mut town = Town::default();
    town.add(Nature::AiAgent, "s/agent", None).environment = Fact::Known("production".into());
    town.add(Nature::Workload, "s/stage", None).environment = Fact::Known("staging".into());
    town.add(Nature::Workload, "s/prod", None).environment = Fact::Known("production".into());
    town.trust("s/stage", Mechanism::AssumeRole, "s/agent");
    town.trust("s/prod", Mechanism::AssumeRole, "s/agent");
    let facts = facts(town, &[], None);
    assert_eq!(identity(&facts, "s/agent", "environments"), Value::Integer(2));
    assert_eq!(identity(&facts, "s/prod", "environments"), Value::Integer(1));
}

fn comparison(id: &str, verdict: Verdict) -> Comparison {
    Comparison {
        identity: id.into(),
        verdict,
        summary: String::new(),
        baseline: Baseline {
            roles: vec!["s/role".into()],
            name: "role".into(),
            source: BaselineSource::Configured,
            reason: "".into(),
        },
        operations: Some(4),
        access_weight: Some(10),
        human_operations: Some(3),
        human_weight: Some(8),
        excess: Vec::new(),
        excess_operations: 0,
        wider_operations: 0,
        excess_weight: 0,
        high_risk_excess: 0,
        undecided_operations: 0,
        coverage: Some(1.0),
        controls: Vec::new(),
        doubts: Vec::new(),
    }
}

#[test]
fn comparison_columns_are_null_where_there_is_nothing_to_compare() {
    let mut town = Town::default();
    for id in ["s/equal", "s/lost", "s/alone", "s/empty"] {
        town.add(Nature::AiAgent, id, None);
    }
    town.add(Nature::HumanRole, "s/role", None);
    let lost = Comparison { operations: None, access_weight: None, ..comparison("s/lost", Verdict::Unknown) };
    let mut alone = comparison("s/alone", Verdict::NoBaseline);
    alone.baseline.roles.clear();
    alone.baseline.source = BaselineSource::None;
    let empty = Comparison { operations: Some(0), access_weight: Some(0), ..comparison("s/empty", Verdict::Narrower) };
    let comparisons = [comparison("s/equal", Verdict::Parity), lost, alone, empty];
    let facts = facts(town, &comparisons, None);
    for (id, verdict, excess, ratio) in [
        ("s/equal", text("PARITY"), Value::Integer(0), Value::Float(0.0)),
        ("s/lost", text("UNKNOWN"), Value::Null, Value::Null),
        ("s/alone", text("NO_BASELINE"), Value::Null, Value::Null),
        ("s/empty", text("NARROWER"), Value::Integer(0), Value::Float(0.0)),
        ("s/role", Value::Null, Value::Null, Value::Null),
    ] {
        assert_eq!(identity(&facts, id, "verdict"), verdict, "{id}");
        assert_eq!(identity(&facts, id, "excess_operations"), excess, "{id}");
        assert_eq!(identity(&facts, id, "excess_ratio"), ratio, "{id}");
    }
    assert_eq!(identity(&facts, "s/alone", "baseline_source"), text("none"));
    assert_eq!(identity(&facts, "s/alone", "human_role"), Value::Null);
    assert_eq!(identity(&facts, "s/equal", "human_role"), text("s/role"));
}

#[test]
fn a_control_gap_that_may_be_there_is_unknown_and_a_certain_one_is_counted() {
    let control = |kind, identity| ControlComparison {
        control: kind,
        operations: vec!["op".into()],
        count: 7,
        resource: "*".into(),
        human: Truth::Yes,
        identity,
        way: None,
        reason: "".into(),
        evidence: Vec::new(),
    };
    let mut town = Town::default();
    for id in ["s/gap", "s/maybe", "s/fine", "s/unread"] {
        town.add(Nature::AiAgent, id, None);
    }
    let with = |id, controls| Comparison { controls, ..comparison(id, Verdict::Parity) };
    let comparisons = [
        with("s/gap", vec![control(ControlKind::Mfa, Truth::No), control(ControlKind::JustInTime, Truth::Unknown)]),
        with("s/maybe", vec![control(ControlKind::Mfa, Truth::Unknown)]),
        with("s/fine", vec![control(ControlKind::Mfa, Truth::Yes)]),
        Comparison { human_operations: None, ..comparison("s/unread", Verdict::Unknown) },
    ];
    let facts = facts(town, &comparisons, None);
    for (id, gaps, list, open) in [
        ("s/gap", Value::Integer(1), text("mfa"), text("just_in_time")),
        ("s/maybe", Value::Null, Value::Null, text("mfa")),
        ("s/fine", Value::Integer(0), text(""), text("")),
        ("s/unread", Value::Null, Value::Null, Value::Null),
    ] {
        assert_eq!(identity(&facts, id, "open_control_gap_list"), open, "{id}");
        assert_eq!(identity(&facts, id, "control_gaps"), gaps, "{id}");
        assert_eq!(identity(&facts, id, "control_gap_list"), list, "{id}");
    }
    let controls = facts.table("controls").unwrap();
    assert_eq!(controls.rows(), 4);
    assert_eq!(controls.value(0, "operation"), text("op and 6 more"));
}

#[test]
fn a_control_that_a_machine_changes_is_told_with_what_people_pass_it_before() {
    let gate = |stands_before: &[&str]| GateComparison {
        identity: "s/key".into(),
        human_role: "s/write".into(),
        control: ControlComparison {
            control: ControlKind::ChangeGate,
            operations: vec!["rules/change".into()],
            count: 3,
            resource: "shop".into(),
            human: Truth::Yes,
            identity: Truth::No,
            way: None,
            reason: "".into(),
            evidence: Vec::new(),
        },
        stands_before: stands_before.iter().map(|name| (*name).into()).collect(),
    };
    let mut town = Town::default();
    town.add(Nature::Workload, "s/key", None);
    let facts = facts_at_gates(town, &[], &[gate(&["push", "merge"]), gate(&[])], None);
    let controls = facts.table("controls").unwrap();
    let told = [0, 1].map(|row| controls.value(row, "operation"));
    assert_eq!(told, [text("push, merge"), text("rules/change and 2 more")]);
}

#[test]
fn columns_are_documented() {
    for table in TABLES {
        assert!(!table.row.is_empty());
        for column in table.columns {
            assert!(
                column.doc.ends_with(['.', '…', '?']) && column.doc.len() > 5,
                "{}.{}: {:?}",
                table.name,
                column.name,
                column.doc
            );
        }
    }
    let names: Vec<Arc<str>> = IdentityRow::SPEC.columns.iter().map(|column| column.name.into()).collect();
    assert!(names.contains(&"nature".into()));
}

#[test]
fn a_whole_service_is_seen_although_all_services_together_have_a_name_of_their_own() {
    let catalog = Grouped::default();
    let services: Vec<(u32, u32)> =
        super::access::services_of(&catalog).iter().flat_map(|service| service.ranges().to_vec()).collect();
    assert_eq!(services, [(0, 3), (3, 5), (6, 10)], "a service of one operation is no wildcard");
}

/// Services of three, two, one and four operations; all ten together are one group.
#[derive(Default)]
struct Grouped(OpSet);

impl Catalog for Grouped {
    fn sources(&self) -> Vec<CatalogSource> {
        Vec::new()
    }

    fn len(&self) -> usize {
        10
    }

    fn name(&self, operation: OperationIx) -> Arc<str> {
        operation.0.to_string().into()
    }

    fn level(&self, _: OperationIx) -> AccessLevel {
        AccessLevel::Write
    }

    fn expand(&self, _: &str) -> OpSet {
        OpSet::new()
    }

    fn class(&self, _: OperationClass) -> &OpSet {
        &self.0
    }

    fn control_of_key(&self, _: &str) -> Option<ControlKind> {
        None
    }

    fn summarise(&self, operations: &OpSet) -> Vec<(Arc<str>, OpSet)> {
        if operations.len() == self.len() {
            return vec![("*".into(), operations.clone())];
        }
        let services = [(0, 3), (3, 5), (5, 6), (6, 10)].map(|range| OpSet::from_ranges([range]));
        let (whole, broken): (Vec<OpSet>, Vec<OpSet>) =
            services.into_iter().partition(|service| service.is_subset(operations));
        let single = broken.iter().flat_map(OpSet::iter).filter(|operation| operations.contains(*operation));
        let single: Vec<OpSet> = single.map(OpSet::single).collect();
        whole.into_iter().chain(single).map(|set| ("group".into(), set)).collect()
    }
}
