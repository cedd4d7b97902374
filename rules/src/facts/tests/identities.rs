//! What an identity says of itself, and what its surroundings say of it.

use evenhand_model::access::EdgeTarget;
use evenhand_model::evidence::{Evidence, Fact};
use evenhand_model::identity::Nature;
use evenhand_model::log::Log;
use evenhand_model::table::Value;
use evenhand_model::trust::Mechanism;

use super::{at, facts, identity, no, text, yes};
use crate::facts::days_between;
use crate::parity::toy::{TOY, Town, plain};

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
fn what_each_can_become_is_told_beside_it_though_nothing_is_told_of_one_before_it() {
    let mut town = Town::default();
    town.add(Nature::AiAgent, "a/agent", Some(vec![plain(&[1])]));
    town.add(Nature::Workload, "a/vendor", Some(vec![plain(&[1])])).vendor_managed = true;
    town.add(Nature::AiAgent, "a/second", Some(vec![plain(&[1])]));
    town.add(Nature::Workload, "a/tools", Some(vec![plain(&[1, 2])]));
    town.add(Nature::Workload, "a/way", Some(vec![plain(&[1])]));
    town.edge("a/second", EdgeTarget::Identity("a/way".into()), "uses-tool", false, false);
    town.edge("a/way", EdgeTarget::Identity("a/tools".into()), "take-over", true, false);
    let facts = facts(town, &[], None);
    for (id, can_escalate, target, path) in [
        ("a/agent", no(), Value::Null, Value::Null),
        ("a/vendor", Value::Null, Value::Null, Value::Null),
        ("a/second", yes(), text("a/tools"), text("uses-tool (as a/way) > take-over")),
        ("a/tools", no(), Value::Null, Value::Null),
        ("a/way", yes(), text("a/tools"), text("take-over")),
    ] {
        assert_eq!(identity(&facts, id, "can_escalate"), can_escalate, "{id}");
        assert_eq!(identity(&facts, id, "escalation_target"), target, "{id}");
        assert_eq!(identity(&facts, id, "escalation_path"), path, "{id}");
    }
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
