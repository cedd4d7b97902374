//! What the columns of access tell of slices, doubts and power over logs and gates.

use std::sync::Arc;

use evenhand_model::access::{Doubt, DoubtEffect, GrantIx, Slice};
use evenhand_model::catalog::{AccessLevel, Catalog, CatalogSource, OperationClass};
use evenhand_model::condition::{Clause, Condition};
use evenhand_model::control::ControlKind;
use evenhand_model::evidence::{Evidence, Fact};
use evenhand_model::identity::Nature;
use evenhand_model::log::Log;
use evenhand_model::opset::{OpSet, OperationIx};
use evenhand_model::scope::ResourceScope;
use evenhand_model::table::Value;

use super::{facts, facts_read, identity, no, text, yes};
use crate::facts::access::services_of;
use crate::parity::toy::{OPERATIONS, TOY, Town, pattern, plain, scope, slice, test, when};

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

/// Of the first two identities of a town: column and words of what their facts rest on.
fn grounds(town: Town, reads: &[&str]) -> [Vec<(&'static str, String)>; 2] {
    let facts = facts_read(town, &[], &[], None, &reads.iter().copied().collect());
    [0, 1].map(|at| facts.grounds().of(at).iter().map(|ground| (ground.column, ground.by.to_string())).collect())
}

#[test]
fn power_over_its_own_gates_rests_on_the_statement_that_names_it() {
    let on = |number: u32, name: &str| Slice {
        grant: GrantIx(number),
        ..slice(&[34], scope(&[name]), Condition::unconditional())
    };
    let town = || {
        let mut slices: Vec<Slice> = (0..6).map(|number| on(number, &format!("s/other-{number}"))).collect();
        slices.push(on(6, "s/agent"));
        let mut town = Town::default();
        town.add(Nature::AiAgent, "s/agent", Some(slices.clone()));
        town.add(Nature::AiAgent, "s/stranger", Some(slices));
        town
    };
    let [agent, stranger] = grounds(town(), &["gate_tamper"]);
    assert_eq!(agent, [("gate_tamper", "op:34 by policy statement 6 at toy.json".to_owned())]);
    let [(column, by)] = &stranger[..] else { panic!("{stranger:?}") };
    assert!(*column == "gate_tamper" && by.ends_with("; and more"), "what leaves it open: {by}");
    assert!(grounds(town(), &["admin"]).iter().all(Vec::is_empty), "nobody reads of it");
}

#[test]
fn who_is_denied_nothing_rests_on_no_statement() {
    let mut town = Town::default();
    for id in ["s/root", "s/other"] {
        town.add(Nature::AiAgent, id, Some(vec![]));
    }
    town.access_of("s/root").unlimited = true;
    let [root, other] = grounds(town, &["admin", "gate_tamper"]);
    assert!(root.len() == 1 && root[0].0 == "admin" && root[0].1.starts_with("no statement"), "{root:?}");
    assert!(other.is_empty(), "{other:?}");
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
fn a_whole_service_is_seen_although_all_services_together_have_a_name_of_their_own() {
    let catalog = Grouped::default();
    let services: Vec<(u32, u32)> =
        services_of(&catalog).iter().flat_map(|service| service.ranges().to_vec()).collect();
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
