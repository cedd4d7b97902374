//! Comparisons as a whole.

use std::sync::Arc;

use evenhand_model::access::{Doubt, DoubtEffect, Slice};
use evenhand_model::condition::{Clause, Condition, Test};
use evenhand_model::control::{Control, ControlKind, Way};
use evenhand_model::credential::Credential;
use evenhand_model::evidence::{Evidence, Fact, Truth};
use evenhand_model::gap::{Gap, GapKind, Lost, Subject};
use evenhand_model::glob::{Glob, Token};
use evenhand_model::id::{IdentityId, ProviderName};
use evenhand_model::identity::{Identity, Nature};
use evenhand_model::opset::OperationIx;
use evenhand_model::parity::{BaselineSource, Comparison, ControlComparison, GateComparison, Verdict};
use evenhand_model::scope::{Pattern, ResourceScope};
use evenhand_model::trust::{Crossing, Mechanism};

use super::toy::{TOY, Town, pattern, plain, scope, slice, test, when};
use super::{ParityConfig, compare_all, compare_one};
use crate::jobs::{JobRule, Selector};
use crate::judgements::Judgements;
use crate::resolvers::Resolvers;

fn compared(town: Town) -> Vec<Comparison> {
    let (inventory, judged, resolvers, jobs) = town.built();
    compare_all(&inventory, &judged, &resolvers, &ParityConfig::new(jobs)).comparisons
}

fn at_gates(town: Town) -> Vec<GateComparison> {
    let (inventory, judged, resolvers, jobs) = town.built();
    compare_all(&inventory, &judged, &resolvers, &ParityConfig::new(jobs)).gates
}

/// An agent `a/ops-agent` beside a human role `a/ops-people`.
pub(super) fn pair(ai: Vec<Slice>, human: Vec<Slice>) -> Comparison {
    compared(pair_town(ai, human)).remove(0)
}

fn pair_town(ai: Vec<Slice>, human: Vec<Slice>) -> Town {
    let mut town = Town::default();
    town.add(Nature::AiAgent, "a/ops-agent", Some(ai)).declared_human_role = Some("ops-people".into());
    town.add(Nature::HumanRole, "a/ops-people", Some(human));
    town
}

fn job(name: &str, human: &str, agents: &str) -> JobRule {
    let mut rule = JobRule::new(name, Evidence::whole("evenhand.toml"));
    rule.human = vec![Selector::parse(human).unwrap()];
    rule.agents = vec![Selector::parse(agents).unwrap()];
    rule
}

fn none() -> Condition {
    Condition::unconditional()
}

#[test]
fn what_an_agent_may_do_to_itself_is_held_against_what_people_may_do_to_themselves() {
    let own = |name: &str| {
        let open = Pattern::new([Glob::literal("user"), Glob::from_tokens([Token::Variable("name".into())])], '/');
        ResourceScope::any_of([pattern(&format!("user/{name}")).of_own_name(open), pattern("team/x")])
    };
    let may = |scope: ResourceScope| vec![slice(&[3], scope, none())];
    for (name, ai, human, verdict) in [
        ("the same over themselves", own("bot"), own("ann"), Verdict::Parity),
        ("over everybody", scope(&["user/*", "team/x"]), own("ann"), Verdict::Excess),
        ("over itself beside over everybody", own("bot"), scope(&["user/*", "team/x"]), Verdict::Narrower),
        ("over itself by name", scope(&["user/bot", "team/x"]), own("ann"), Verdict::Excess),
        ("over the person by name", scope(&["user/ann", "team/x"]), own("ann"), Verdict::Parity),
        ("over itself beside over another by name", own("bot"), scope(&["user/ann", "team/x"]), Verdict::Excess),
        ("over itself beside over it by name", own("bot"), scope(&["user/bot", "team/x"]), Verdict::Parity),
    ] {
        assert_eq!(pair(may(ai), may(human)).verdict, verdict, "{name}");
    }
}

#[test]
fn verdicts_at_the_edges() {
    let all = ResourceScope::everything;
    for (name, ai, human, verdict, excess) in [
        ("nothing beside nothing", vec![], vec![], Verdict::Parity, 0),
        ("nothing beside something", vec![], vec![plain(&[1])], Verdict::Narrower, 0),
        ("something beside nothing", vec![plain(&[1, 2])], vec![], Verdict::Excess, 2),
        ("the same", vec![plain(&[1, 3])], vec![plain(&[1, 3])], Verdict::Parity, 0),
        (
            "the same in other pieces",
            vec![plain(&[1]), plain(&[2, 3])],
            vec![plain(&[1, 2]), plain(&[3])],
            Verdict::Parity,
            0,
        ),
        (
            "the same under other wildcards",
            vec![slice(&[1], scope(&["?*/x"]), none())],
            vec![slice(&[1], scope(&["*?/x"]), none())],
            Verdict::Parity,
            0,
        ),
        (
            "a condition on the human side only",
            vec![plain(&[1])],
            vec![slice(&[1], all(), when("region", "eu"))],
            Verdict::Excess,
            1,
        ),
        (
            "a condition on the agent's side only",
            vec![slice(&[1], all(), when("region", "eu"))],
            vec![plain(&[1])],
            Verdict::Narrower,
            0,
        ),
        (
            "a condition on another value",
            vec![slice(&[1], all(), when("region", "us"))],
            vec![slice(&[1], all(), when("region", "eu"))],
            Verdict::Unknown,
            0,
        ),
        (
            "a scope that overlaps without containing",
            vec![slice(&[1], scope(&["prod/*"]), none())],
            vec![slice(&[1], scope(&["*/db"]), none())],
            Verdict::Excess,
            1,
        ),
        (
            "a list of patterns covered by several grants",
            vec![slice(&[1], scope(&["prod/a", "prod/b"]), none())],
            vec![slice(&[1], scope(&["*/a"]), none()), slice(&[1], scope(&["*/b"]), none())],
            Verdict::Narrower,
            0,
        ),
        (
            "an exclusion that another grant fills",
            vec![plain(&[1])],
            vec![slice(&[1], all().without([pattern("prod/*")]), none()), slice(&[1], scope(&["prod/*"]), none())],
            Verdict::Parity,
            0,
        ),
        (
            "an exclusion that nothing fills",
            vec![plain(&[1])],
            vec![slice(&[1], all().without([pattern("prod/*")]), none())],
            Verdict::Excess,
            1,
        ),
    ] {
        let comparison = pair(ai, human);
        assert_eq!(comparison.verdict, verdict, "{name}: {comparison:#?}");
        assert_eq!(comparison.excess_operations, excess, "{name}");
        assert!(!comparison.summary.is_empty(), "{name}");
    }
}

#[test]
fn excess_names_what_is_left_of_a_list() {
    let comparison = pair(
        vec![slice(&[1, 3], scope(&["dev/x", "prod/x"]), none())],
        vec![slice(&[1, 3], scope(&["dev/*"]), none())],
    );
    assert_eq!(comparison.verdict, Verdict::Excess);
    assert!(comparison.excess.iter().all(|atom| &*atom.scope == "prod/x" && atom.decided));
    assert_eq!(comparison.excess_operations, 2);
}

#[test]
fn atoms_are_heaviest_first_and_counted_once() {
    let mut town = pair_town(vec![plain(&[1, 2, 39]), slice(&[39], scope(&["x/y"]), none())], vec![plain(&[1])]);
    town.toy.used.insert("a/ops-agent".into(), [OperationIx(2)].into_iter().collect());
    let comparison = compared(town).remove(0);
    let atoms: Vec<(&str, &str, u32, Option<bool>)> =
        comparison.excess.iter().map(|atom| (&*atom.operation, &*atom.scope, atom.weight, atom.used)).collect();
    assert_eq!(
        atoms,
        [("op:39", "*", 13, Some(false)), ("op:39", "x/y", 13, Some(false)), ("op:02", "*", 3, Some(true))]
    );
    assert_eq!((comparison.excess_operations, comparison.excess_weight, comparison.high_risk_excess), (2, 16, 1));
    assert_eq!((comparison.operations, comparison.access_weight), (Some(3), Some(18)));
    assert_eq!(comparison.summary, "holds 2 operations that ops-people does not, 1 of high risk");
}

#[test]
fn access_that_people_have_elsewhere_is_told_apart_from_access_that_they_lack() {
    let said = |ai: Vec<Slice>, human: Vec<Slice>| {
        let comparison = pair(ai, human);
        let atoms: Vec<Option<String>> =
            comparison.excess.iter().map(|atom| atom.people_have.as_deref().map(str::to_owned)).collect();
        (comparison.summary, comparison.wider_operations, atoms)
    };
    let on = |operations: &[u32], place: &str| slice(operations, scope(&[place]), none());
    let have = |place: &str| Some(place.to_owned());
    for (name, ai, human, summary, wider, people) in [
        (
            "on fewer resources",
            vec![on(&[1], "prod/*")],
            vec![on(&[1], "prod/a"), on(&[1], "prod/b")],
            "holds 1 operation more widely than ops-people does",
            1,
            vec![have("on prod/a, on prod/b")],
        ),
        (
            "under a condition",
            vec![plain(&[1])],
            vec![slice(&[1], ResourceScope::everything(), when("region", "eu"))],
            "holds 1 operation more widely than ops-people does",
            1,
            vec![have("on * if region Equals eu")],
        ),
        (
            "not at all",
            vec![plain(&[1])],
            vec![plain(&[2])],
            "holds 1 operation that ops-people does not",
            0,
            vec![None],
        ),
        (
            "some and some not",
            vec![on(&[1], "prod/*"), plain(&[3])],
            vec![on(&[1], "prod/a")],
            "holds 1 operation that ops-people does not, and 1 more widely than it does",
            1,
            vec![None, have("on prod/a")],
        ),
    ] {
        let (line, count, atoms) = said(ai, human);
        assert!(line.starts_with(summary), "{name}: {line}");
        assert_eq!((count, atoms), (wider, people), "{name}");
    }
}

#[test]
fn a_deny_on_other_resources_asks_nothing_here() {
    let unless = Clause::Unless { tests: vec![test("tag", "secret")], scope: Arc::new(scope(&["vault/*"])) };
    let human = vec![slice(&[1], ResourceScope::everything(), none().with(unless))];
    let elsewhere = pair(vec![slice(&[1], scope(&["log/*"]), none())], human.clone());
    assert_eq!(elsewhere.excess_operations, 0);
    let there = pair(vec![slice(&[1], scope(&["vault/*"]), none())], human);
    assert_eq!(there.excess_operations, 1);
}

#[test]
fn a_control_in_a_condition_is_a_control_and_no_limit() {
    let all = ResourceScope::everything;
    let worded = |operator: &str, key: &str, value: &str| Test { operator: operator.into(), ..test(key, value) };
    let asked = |operator: &str, key: &str, value: &str| none().with(Clause::When(worded(operator, key, value)));
    let denied = |operator: &str| {
        none().with(Clause::Unless { tests: vec![worded(operator, "mfa", "false")], scope: Arc::new(all()) })
    };
    let deny_without = || denied("EqualsIfExists");
    for (name, ai, human, verdict) in [
        ("only the human is asked", none(), when("mfa", "true"), Verdict::ControlGap),
        ("both are asked", when("mfa", "true"), when("mfa", "true"), Verdict::Parity),
        ("only the agent is asked", when("mfa", "true"), none(), Verdict::Parity),
        ("the human is asked by a deny", none(), deny_without(), Verdict::ControlGap),
        ("the agent is asked by a deny", deny_without(), when("mfa", "true"), Verdict::Parity),
        ("one is asked for this, one for that", when("network", "in"), when("mfa", "true"), Verdict::ControlGap),
        ("the absence of a control limits", none(), when("mfa", "false"), Verdict::Excess),
        (
            "a request without the key passes",
            asked("EqualsIfExists", "mfa", "true"),
            when("mfa", "true"),
            Verdict::Unknown,
        ),
        ("a request without the key is not denied", denied("Equals"), when("mfa", "true"), Verdict::Unknown),
        ("any network will do", when("network", "0.0.0.0/0"), when("network", "10.0.0.0/8"), Verdict::ControlGap),
        ("any network will do for people", none(), when("network", "0.0.0.0/0"), Verdict::Parity),
    ] {
        let comparison = pair(vec![slice(&[3, 4], all(), ai)], vec![slice(&[3, 4], all(), human)]);
        assert_eq!(comparison.verdict, verdict, "{name}: {comparison:#?}");
    }
    // What only reads is not compared.
    let reads = pair(vec![plain(&[1])], vec![slice(&[1], all(), when("mfa", "true"))]);
    assert_eq!(reads.verdict, Verdict::Parity);
}

#[test]
fn a_human_with_one_uncontrolled_grant_is_not_under_the_control() {
    let all = ResourceScope::everything;
    let comparison = pair(vec![plain(&[3])], vec![slice(&[3], all(), when("mfa", "true")), plain(&[3])]);
    assert_eq!(comparison.verdict, Verdict::Parity);
}

#[test]
fn controls_before_identities_and_jobs_are_compared_too() {
    let control = |identity: &str, in_place| {
        Control::new(identity.into(), ControlKind::SecondPersonApproval, in_place, Evidence::whole("toy.json"))
    };
    for (controls, verdict) in [
        (vec![], Verdict::Parity),
        (vec![control("a/ops-people", Truth::Yes)], Verdict::ControlGap),
        (vec![control("a/ops-people", Truth::No)], Verdict::Parity),
        (vec![control("a/ops-people", Truth::Yes), control("a/ops-agent", Truth::Yes)], Verdict::Parity),
        (vec![control("a/ops-people", Truth::Yes), control("a/ops-agent", Truth::Unknown)], Verdict::Unknown),
    ] {
        let mut town = pair_town(vec![plain(&[3])], vec![plain(&[3])]);
        town.inventory.controls = controls.clone();
        assert_eq!(compared(town).remove(0).verdict, verdict, "{controls:?}");
    }
    let by_process = || {
        let mut town = pair_town(vec![plain(&[3])], vec![plain(&[3])]);
        let mut rule = job("ops", "ops-people", "ops-agent");
        rule.controls = vec![ControlKind::ChangeGate];
        town.jobs.jobs.push(rule);
        town
    };
    let gate = |identity: &str| Control { kind: ControlKind::ChangeGate, ..control(identity, Truth::Yes) };
    for (controls, verdict) in [
        // What stands before both alike is not the gate that people pass beside it.
        (vec![gate("a/ops-people"), gate("a/ops-agent")], Verdict::ControlGap),
        (vec![gate("a/ops-agent")], Verdict::Parity),
    ] {
        let mut town = by_process();
        town.inventory.controls = controls.clone();
        assert_eq!(compared(town).remove(0).verdict, verdict, "{controls:?}");
    }
    let comparison = compared(by_process()).remove(0);
    assert_eq!(comparison.verdict, Verdict::ControlGap);
    assert_eq!(comparison.controls.len(), 1);
    assert_eq!(comparison.summary, "does without a change gate what ops-people does under it, 1 operation");
}

#[test]
fn a_row_of_controls_cites_every_one_that_stands_before_its_operations() {
    let gate = |identity: &str, document: &str, operations: &[u32]| Control {
        operations: Some(Arc::new(operations.iter().copied().map(OperationIx).collect())),
        ..Control::new(identity.into(), ControlKind::ChangeGate, Truth::Yes, Evidence::whole(document))
    };
    let mut town = pair_town(vec![plain(&[3, 8])], vec![plain(&[3, 8])]);
    town.inventory.controls = vec![
        gate("a/ops-people", "one", &[3]),
        gate("a/ops-people", "two", &[3, 8]),
        gate("a/ops-agent", "two", &[3, 8]),
        gate("a/ops-agent", "elsewhere", &[1]),
    ];
    let comparison = compared(town).remove(0);
    let cited = |row: &ControlComparison| row.evidence.iter().map(ToString::to_string).collect::<Vec<_>>();
    let rows: Vec<_> = comparison.controls.iter().map(|row| (row.identity, row.count, cited(row))).collect();
    assert_eq!(rows, [(Truth::Yes, 2, vec!["one".to_owned(), "two".to_owned()])]);

    // A tool server that two agents share stands under its own gates for each of them.
    let mut town = pair_town(vec![plain(&[3])], vec![plain(&[3, 8])]);
    town.add(Nature::AiAgent, "a/other-agent", Some(vec![plain(&[3])])).declared_human_role = Some("ops-people".into());
    town.add(Nature::Workload, "a/tool", Some(vec![plain(&[8])]));
    town.inventory.controls = vec![gate("a/ops-people", "one", &[8]), gate("a/tool", "two", &[8])];
    for agent in ["a/ops-agent", "a/other-agent"] {
        town.trust(agent, Mechanism::UsesTool, "a/tool");
    }
    let rows: Vec<_> = compared(town)
        .iter()
        .flat_map(|one| one.controls.iter().map(|row| (one.identity.clone(), cited(row))))
        .collect();
    let both = vec!["one".to_owned(), "two".to_owned()];
    assert_eq!(rows, [("a/ops-agent".into(), both.clone()), ("a/other-agent".into(), both)]);
}

#[test]
fn a_control_before_some_resources_is_compared_there() {
    let control = |identity: &str, patterns: &[&str], in_place| Control {
        scope: Arc::new(scope(patterns)),
        reason: "bypass".into(),
        ..Control::new(identity.into(), ControlKind::SecondPersonApproval, in_place, Evidence::whole("toy.json"))
    };
    let people = |patterns: &[&str]| control("a/ops-people", patterns, Truth::Yes);
    let agent = |patterns: &[&str], in_place| control("a/ops-agent", patterns, in_place);
    for (reached, controls, verdict, resource) in [
        (
            &["*"][..],
            vec![people(&["shop", "till"]), agent(&["shop", "till"], Truth::Yes)],
            Verdict::Parity,
            "shop; till",
        ),
        (
            &["*"],
            vec![people(&["shop", "till"]), agent(&["shop"], Truth::Yes), agent(&["till"], Truth::No)],
            Verdict::ControlGap,
            "till",
        ),
        (
            &["*"],
            vec![people(&["shop", "till"]), agent(&["shop"], Truth::Yes), agent(&["till"], Truth::Unknown)],
            Verdict::Unknown,
            "till",
        ),
        // What no people's control speaks of is open to everybody.
        (
            &["*"],
            vec![people(&["shop"]), agent(&["shop"], Truth::Yes), agent(&["till"], Truth::No)],
            Verdict::Parity,
            "shop",
        ),
        // What the agent does not reach is no gap.
        (&["shop"], vec![people(&["shop", "till"]), agent(&["shop"], Truth::Yes)], Verdict::Narrower, "shop"),
        (&["shop"], vec![people(&["shop", "till"])], Verdict::ControlGap, "shop"),
    ] {
        let reached = if reached == ["*"] { ResourceScope::everything() } else { scope(reached) };
        let mut town = pair_town(vec![slice(&[3], reached, none())], vec![plain(&[3])]);
        town.inventory.controls = controls.clone();
        let comparison = compared(town).remove(0);
        assert_eq!(comparison.verdict, verdict, "{controls:?}");
        assert_eq!(&*comparison.controls[0].resource, resource, "{controls:?}");
    }
}

#[test]
fn a_gate_is_told_beside_the_least_role_that_must_pass_it_whatever_the_job() {
    let control = |identity: &str, place: &str, in_place, reason: &str| Control {
        scope: Arc::new(scope(&[place])),
        operations: Some(Arc::new([OperationIx(3), OperationIx(8)].into_iter().collect())),
        reason: reason.into(),
        ..Control::new(identity.into(), ControlKind::SecondPersonApproval, in_place, Evidence::whole(identity))
    };
    let least = |in_place| control("a/write", "shop", in_place, "");
    let above = control("a/admin", "shop", Truth::No, "administers");
    let agent = control("a/ops-agent", "shop", Truth::No, "listed");
    let key = control("a/key", "shop", Truth::Unknown, "untold");
    let people = |in_place| control("a/ops-people", "shop", in_place, "");
    let approved =
        || Control::new("a/ops-agent".into(), ControlKind::SecondPersonApproval, Truth::Yes, Evidence::whole("x"));
    let row = |identity: &str, human, has, reason: &str| (identity.to_owned(), human, has, reason.to_owned());
    let (of_agent, of_key) =
        (|human| row("a/ops-agent", human, Truth::No, "listed"), |human| row("a/key", human, Truth::Unknown, "untold"));
    for (people_hold, controls, verdict, expected) in [
        // The people of the job do not get there: an excess, and a gate that others must pass.
        (
            &[1][..],
            vec![least(Truth::Yes), above.clone(), agent.clone(), key.clone()],
            Verdict::Excess,
            vec![of_agent(Truth::Yes), of_key(Truth::Yes)],
        ),
        // Their own row tells of it.
        (
            &[1, 3],
            vec![people(Truth::Yes), least(Truth::Yes), agent.clone(), key.clone()],
            Verdict::ControlGap,
            vec![of_key(Truth::Yes)],
        ),
        // They are let past themselves, which others are not.
        (&[3], vec![people(Truth::No), least(Truth::Yes), agent.clone()], Verdict::Parity, vec![of_agent(Truth::Yes)]),
        (&[1], vec![least(Truth::Unknown), agent.clone()], Verdict::Excess, vec![of_agent(Truth::Unknown)]),
        // Nobody is stopped, or nobody knows a gate there.
        (&[1], vec![least(Truth::No), above.clone(), agent.clone(), key.clone()], Verdict::Excess, vec![]),
        (&[1], vec![control("a/write", "till", Truth::Yes, ""), agent.clone()], Verdict::Excess, vec![]),
        // What stands before all that it does stands there too.
        (
            &[1],
            vec![least(Truth::Yes), agent.clone(), approved()],
            Verdict::Excess,
            vec![row("a/ops-agent", Truth::Yes, Truth::Yes, "")],
        ),
    ] {
        let mut town = pair_town(vec![plain(&[3])], vec![plain(people_hold)]);
        town.add(Nature::HumanRole, "a/write", Some(vec![plain(&[1, 3])])).generic_role = true;
        town.add(Nature::HumanRole, "a/admin", Some(vec![plain(&[1, 3, 4])])).generic_role = true;
        town.add(Nature::Workload, "a/key", Some(vec![plain(&[3])]));
        town.inventory.controls = controls.clone();
        let (inventory, judged, resolvers, jobs) = town.built();
        let found = compare_all(&inventory, &judged, &resolvers, &ParityConfig::new(jobs));
        assert_eq!(found.comparisons[0].verdict, verdict, "{controls:?}");
        let rows: Vec<_> = found
            .gates
            .iter()
            .map(|gate| {
                assert_eq!(
                    (gate.human_role.as_str(), gate.control.count, &*gate.control.resource),
                    ("a/write", 1, "shop")
                );
                (gate.identity.to_string(), gate.control.human, gate.control.identity, gate.control.reason.to_string())
            })
            .collect();
        assert_eq!(rows, expected, "{controls:?}");
    }
    for (doubt, in_place, expected) in [
        // A grant that was not read may give the same without the gate.
        (DoubtEffect::Adds, Truth::Yes, Truth::Unknown),
        (DoubtEffect::Adds, Truth::No, Truth::No),
        (DoubtEffect::Limits, Truth::Yes, Truth::Yes),
        (DoubtEffect::Limits, Truth::No, Truth::Unknown),
    ] {
        let mut town = pair_town(vec![plain(&[3])], vec![plain(&[1])]);
        town.add(Nature::HumanRole, "a/write", Some(vec![plain(&[1, 3])])).generic_role = true;
        town.access_of("a/ops-agent").doubts.push(Doubt::new("x", doubt));
        town.inventory.controls = vec![least(Truth::Yes), control("a/ops-agent", "shop", in_place, "")];
        assert_eq!(
            at_gates(town).iter().map(|gate| gate.control.identity).collect::<Vec<_>>(),
            [expected],
            "{doubt:?}"
        );
    }
}

#[test]
fn what_people_pass_a_gate_before_is_told_apart_from_what_takes_it_away() {
    let control = |identity: &str, in_place, way, operation: u32| Control {
        scope: Arc::new(scope(&["shop"])),
        operations: Some(Arc::new([OperationIx(operation)].into_iter().collect())),
        way,
        ..Control::new(identity.into(), ControlKind::SecondPersonApproval, in_place, Evidence::whole("toy.json"))
    };
    for (held, way, by, before) in
        [(4, Way::Changes, "op:04", &["op:03"][..]), (3, Way::Changes, "op:03", &[]), (3, Way::Listed, "op:03", &[])]
    {
        let mut town = pair_town(vec![plain(&[held])], vec![plain(&[1])]);
        town.add(Nature::HumanRole, "a/write", Some(vec![plain(&[1, 3])])).generic_role = true;
        town.inventory.controls =
            vec![control("a/write", Truth::Yes, None, 3), control("a/ops-agent", Truth::No, Some(way), held)];
        let gates = at_gates(town);
        let [gate] = gates.as_slice() else { panic!("{gates:?}") };
        let own: Vec<&str> = gate.control.operations.iter().map(|name| &**name).collect();
        let told: Vec<&str> = gate.stands_before.iter().map(|name| &**name).collect();
        assert_eq!((own.as_slice(), told.as_slice()), (&[by][..], before), "{way:?}");
    }
}

#[test]
fn what_an_agent_and_its_tool_server_face_alike_at_several_gates_is_told_once() {
    let control = |identity: &str, place: &str, in_place, reason: &str| Control {
        scope: Arc::new(scope(&[place])),
        reason: reason.into(),
        ..Control::new(identity.into(), ControlKind::SecondPersonApproval, in_place, Evidence::whole("toy.json"))
    };
    let mut town = pair_town(vec![plain(&[3])], vec![plain(&[1])]);
    town.add(Nature::HumanRole, "a/write", Some(vec![plain(&[1, 3])])).generic_role = true;
    town.add(Nature::Workload, "a/tool", Some(vec![plain(&[3])]));
    town.trust("a/ops-agent", Mechanism::UsesTool, "a/tool");
    town.inventory.controls = vec![
        control("a/write", "shop", Truth::Yes, ""),
        control("a/write", "till", Truth::Yes, ""),
        control("a/ops-agent", "shop", Truth::No, "listed"),
        control("a/ops-agent", "till", Truth::No, "may change it"),
    ];
    let gates = at_gates(town);
    let told: Vec<(&str, &str)> = gates.iter().map(|gate| (&*gate.control.resource, &*gate.control.reason)).collect();
    assert_eq!(told, [("shop", "listed"), ("till", "may change it")]);
}

#[test]
fn a_place_without_a_control_is_unknown_where_the_access_to_it_may_be_less() {
    use DoubtEffect::{Adds, Either, Limits};
    let control = |identity: &str, in_place| Control {
        scope: Arc::new(scope(&["shop"])),
        ..Control::new(identity.into(), ControlKind::SecondPersonApproval, in_place, Evidence::whole("toy.json"))
    };
    for (doubt, of_agent, verdict) in [
        (None, None, Verdict::ControlGap),
        (Some(Adds), None, Verdict::ControlGap),
        (Some(Limits), None, Verdict::Unknown),
        (Some(Either), None, Verdict::Unknown),
        (Some(Limits), Some(Truth::No), Verdict::Unknown),
        (Some(Adds), Some(Truth::No), Verdict::ControlGap),
    ] {
        let mut town = pair_town(vec![slice(&[3], scope(&["shop"]), none())], vec![plain(&[3])]);
        town.access_of("a/ops-agent").doubts.extend(doubt.map(|effect| Doubt::new("x", effect)));
        town.inventory.controls.push(control("a/ops-people", Truth::Yes));
        town.inventory.controls.extend(of_agent.map(|in_place| control("a/ops-agent", in_place)));
        assert_eq!(compared(town).remove(0).verdict, verdict, "{doubt:?} {of_agent:?}");
    }
}

#[test]
fn short_lived_proof_answers_factors_at_sign_in_but_not_a_condition() {
    for (is_static, by_condition, verdict) in [
        (Some(false), false, Verdict::Parity),
        (Some(true), false, Verdict::ControlGap),
        (None, false, Verdict::Unknown),
        (Some(false), true, Verdict::ControlGap),
    ] {
        let condition = if by_condition { when("mfa", "true") } else { none() };
        let mut town = pair_town(vec![plain(&[3])], vec![slice(&[3], ResourceScope::everything(), condition)]);
        if !by_condition {
            let evidence = Evidence::whole("toy.json");
            town.inventory.controls.push(Control::new("a/ops-people".into(), ControlKind::Mfa, Truth::Yes, evidence));
        }
        let evidence = Evidence::whole("toy.json");
        let mut credential = Credential::new("c".into(), "a/ops-agent".into(), super::toy::TOY, "session", evidence);
        credential.is_static = Fact::known(is_static);
        town.inventory.credentials.push(credential);
        assert_eq!(compared(town).remove(0).verdict, verdict, "{is_static:?} {by_condition}");
    }
    // A token that is got by a key that stays valid proves what the key proves.
    let mut town = pair_town(vec![plain(&[3])], vec![plain(&[3])]);
    let evidence = || Evidence::whole("toy.json");
    town.inventory.controls.push(Control::new("a/ops-people".into(), ControlKind::Mfa, Truth::Yes, evidence()));
    let mut token = Credential::new("c".into(), "a/ops-agent".into(), super::toy::TOY, "app_token", evidence());
    (token.is_static, token.by_unseen_static) = (Fact::Known(false), true);
    town.inventory.credentials.push(token);
    let comparison = compared(town).remove(0);
    assert_eq!((comparison.verdict, comparison.controls[0].identity), (Verdict::ControlGap, Truth::No));
    // Nobody can be asked for factors where nothing tells what proves it.
    let mut town = pair_town(vec![plain(&[3])], vec![plain(&[3])]);
    let evidence = Evidence::whole("toy.json");
    town.inventory.controls.push(Control::new("a/ops-people".into(), ControlKind::Mfa, Truth::Yes, evidence));
    let comparison = compared(town).remove(0);
    assert_eq!((comparison.verdict, comparison.controls[0].is_gap()), (Verdict::Unknown, Truth::Unknown));
}

#[test]
fn excess_over_a_human_role_that_was_read_in_part_is_undecided() {
    use DoubtEffect::{Adds, Either, Limits};
    for (ai, human, verdict) in [
        (None, None, Verdict::Excess),
        (None, Some(("x", Adds)), Verdict::Unknown),
        (None, Some(("x", Either)), Verdict::Unknown),
        // The people may hold less than what was read, which covers no more of the excess.
        (None, Some(("x", Limits)), Verdict::Excess),
        (Some(("x", Adds)), None, Verdict::Excess),
        (Some(("x", Either)), None, Verdict::Unknown),
        (Some(("x", Limits)), None, Verdict::Unknown),
        // What both share may be the very excess: taken from the one, or given to the other.
        (Some(("x", Limits)), Some(("x", Limits)), Verdict::Unknown),
        (Some(("x", Adds)), Some(("x", Adds)), Verdict::Unknown),
    ] {
        let mut town = pair_town(vec![plain(&[3, 4])], vec![plain(&[3])]);
        town.access_of("a/ops-agent").doubts.extend(ai.map(|(text, effect)| Doubt::new(text, effect)));
        town.access_of("a/ops-people").doubts.extend(human.map(|(text, effect)| Doubt::new(text, effect)));
        let comparison = compared(town).remove(0);
        assert_eq!(comparison.verdict, verdict, "{ai:?} {human:?}");
        assert_eq!(comparison.excess.iter().map(|atom| atom.decided).collect::<Vec<_>>(), [verdict == Verdict::Excess]);
        assert_eq!(comparison.excess_operations > 0, verdict == Verdict::Excess, "{ai:?} {human:?}");
    }
}

#[test]
fn only_the_principal_in_doubt_leaves_its_excess_undecided() {
    let mut town = pair_town(vec![], vec![plain(&[3])]);
    town.toy.accesses.remove(&IdentityId::from("a/ops-agent"));
    town.add(Nature::Workload, "a/bounded", Some(vec![plain(&[8])]));
    town.add(Nature::Workload, "a/free", Some(vec![plain(&[13])]));
    town.access_of("a/bounded").doubts.push(Doubt::new("x", DoubtEffect::Limits));
    for lender in ["a/bounded", "a/free"] {
        town.trust("a/ops-agent", Mechanism::HoldsCredential, lender);
    }
    let comparison = compared(town).remove(0);
    let atoms: Vec<(&str, bool)> = comparison.excess.iter().map(|atom| (&*atom.operation, atom.decided)).collect();
    assert_eq!(atoms, [("op:13", true), ("op:08", false)]);
}

#[test]
fn a_control_gap_is_undecided_where_what_was_not_read_may_close_it() {
    use DoubtEffect::{Adds, Either, Limits};
    let all = ResourceScope::everything;
    for (ai, human, gap) in [
        (None, None, Truth::Yes),
        // A boundary may ask the agent too.
        (Some(Limits), None, Truth::Unknown),
        (Some(Adds), None, Truth::Yes),
        (Some(Either), None, Truth::Unknown),
        // A grant that was not read may spare the people.
        (None, Some(Adds), Truth::Unknown),
        (None, Some(Limits), Truth::Yes),
    ] {
        let mut town = pair_town(vec![plain(&[3])], vec![slice(&[3], all(), when("mfa", "true"))]);
        town.access_of("a/ops-agent").doubts.extend(ai.map(|effect| Doubt::new("x", effect)));
        town.access_of("a/ops-people").doubts.extend(human.map(|effect| Doubt::new("y", effect)));
        let comparison = compared(town).remove(0);
        assert_eq!(comparison.controls[0].is_gap(), gap, "{ai:?} {human:?}");
        let verdict = if gap == Truth::Yes { Verdict::ControlGap } else { Verdict::Unknown };
        assert_eq!(comparison.verdict, verdict, "{ai:?} {human:?}");
    }
}

#[test]
fn just_in_time_access_is_compared_by_when_it_ends() {
    let all = ResourceScope::everything;
    let (tonight, next_year, never) = ("2026-11-01T18:00:00Z", "2027-11-01T18:00:00Z", "");
    let until = |date: &str| {
        let test = Test { operator: "DateLessThan".into(), ..test("clock", date) };
        if date.is_empty() { none() } else { none().with(Clause::When(test)) }
    };
    for (ai, human, verdict) in [
        (tonight, tonight, Verdict::Parity),
        (tonight, next_year, Verdict::Parity),
        (next_year, tonight, Verdict::Unknown),
        (never, tonight, Verdict::ControlGap),
        (tonight, never, Verdict::Parity),
    ] {
        let comparison = pair(vec![slice(&[3], all(), until(ai))], vec![slice(&[3], all(), until(human))]);
        assert_eq!(comparison.verdict, verdict, "{ai} beside {human}: {comparison:#?}");
    }
    // People who activate a role are under it; a date on the agent's grant is another thing.
    let mut town = pair_town(vec![slice(&[3], all(), until(next_year))], vec![plain(&[3])]);
    let activation = |identity: &str| {
        Control::new(identity.into(), ControlKind::JustInTime, Truth::Yes, Evidence::whole("toy.json"))
    };
    town.inventory.controls.push(activation("a/ops-people"));
    assert_eq!(compared(town).remove(0).verdict, Verdict::Unknown);
    // Whoever activates too is under it, whatever the dates.
    let mut town = pair_town(vec![slice(&[3], all(), until(next_year))], vec![slice(&[3], all(), until(tonight))]);
    town.inventory.controls.push(activation("a/ops-agent"));
    assert_eq!(compared(town).remove(0).verdict, Verdict::Parity);
    // A grant that only begins stands for ever after.
    let begins = Test { operator: "DateGreaterThan".into(), ..test("clock", tonight) };
    let since = none().with(Clause::When(begins));
    let comparison = pair(vec![slice(&[3], all(), since)], vec![slice(&[3], all(), until(next_year))]);
    assert_eq!(comparison.verdict, Verdict::Unknown);
}

#[test]
fn doubts_make_a_pass_unknown_unless_both_sides_share_them() {
    for (ai, human, verdict) in [
        (None, None, Verdict::Parity),
        (Some("x"), None, Verdict::Unknown),
        (None, Some("x"), Verdict::Unknown),
        (Some("x"), Some("x"), Verdict::Parity),
        (Some("x"), Some("y"), Verdict::Unknown),
    ] {
        let mut town = pair_town(vec![plain(&[3])], vec![plain(&[3])]);
        let doubt = |text: &str| Doubt::new(text, DoubtEffect::Either);
        town.access_of("a/ops-agent").doubts.extend(ai.map(doubt));
        town.access_of("a/ops-people").doubts.extend(human.map(doubt));
        assert_eq!(compared(town).remove(0).verdict, verdict, "{ai:?} {human:?}");
    }
    // Two things of one name are not one thing, and what is each one's own is no other's.
    for abouts in [(1, 2), (Doubt::OWN, Doubt::OWN)] {
        let mut town = pair_town(vec![plain(&[3])], vec![plain(&[3])]);
        for (who, about) in [("a/ops-agent", abouts.0), ("a/ops-people", abouts.1)] {
            town.access_of(who).doubts.push(Doubt { about, ..Doubt::new("x", DoubtEffect::Either) });
        }
        let comparison = compared(town).remove(0);
        assert_eq!(comparison.verdict, Verdict::Unknown);
        assert_eq!(comparison.doubts.len(), 1);
    }
}

#[test]
fn unlimited_access_is_everything() {
    let mut town = pair_town(vec![], vec![plain(&[3])]);
    town.access_of("a/ops-agent").unlimited = true;
    let comparison = compared(town).remove(0);
    assert_eq!(comparison.excess_operations, 39);
    assert!(comparison.excess.iter().all(|atom| &*atom.grant.evidence.document == "toy.json"));
    let mut town = pair_town(vec![plain(&[3])], vec![]);
    town.access_of("a/ops-people").unlimited = true;
    assert_eq!(compared(town).remove(0).verdict, Verdict::Narrower);
}

#[test]
fn what_a_tool_server_holds_by_logic_alone_is_cited_where_the_server_is_described() {
    let mut town = pair_town(vec![plain(&[3])], vec![plain(&[3])]);
    town.add(Nature::Workload, "a/tool", Some(vec![])).evidence = Evidence::whole("tool.json");
    town.access_of("a/tool").unlimited = true;
    town.trust("a/ops-agent", Mechanism::UsesTool, "a/tool");
    let comparison = compared(town).remove(0);
    assert_eq!(comparison.excess_operations, 39);
    assert!(comparison.excess.iter().all(|atom| &*atom.grant.evidence.document == "tool.json"));
}

const CLOUD: ProviderName = ProviderName("cloud");

/// Comparisons of a cluster beside a cloud, which is another provider.
fn beside(cluster: Town, mut cloud: Town) -> Vec<Comparison> {
    let Town { mut inventory, toy, jobs } = cluster;
    cloud.inventory.identities.iter_mut().for_each(|identity| identity.provider = CLOUD);
    cloud.inventory.trusts.iter_mut().for_each(|trust| trust.provider = CLOUD);
    inventory.merge(cloud.inventory);
    inventory.sort();
    let judged = Judgements::new(&inventory, &jobs);
    let mut resolvers = Resolvers::default();
    resolvers.insert(TOY, Box::new(toy));
    resolvers.insert(CLOUD, Box::new(cloud.toy));
    compare_all(&inventory, &judged, &resolvers, &ParityConfig::new(jobs)).comparisons
}

/// A cloud with a role that holds some operations and one of people that holds others.
fn cloud(role: &[u32], people: &[u32]) -> Town {
    let mut cloud = Town::default();
    cloud.add(Nature::Workload, "z/robot", Some(vec![plain(role)]));
    cloud.add(Nature::HumanRole, "z/people", Some(vec![plain(people)]));
    cloud
}

/// An agent with a tool server, and people who hold what the agent does, here and in the cloud.
fn cluster() -> Town {
    let mut town = Town::default();
    town.add(Nature::AiAgent, "a/agent", Some(vec![plain(&[1])]));
    town.add(Nature::Workload, "a/tool", Some(vec![plain(&[1])]));
    town.add(Nature::HumanRole, "a/people", Some(vec![plain(&[1])]));
    town.trust("a/agent", Mechanism::UsesTool, "a/tool");
    town.jobs.jobs.push(job("j", "people", "agent"));
    town
}

#[test]
fn what_workloads_are_handed_in_another_provider_is_part_of_the_sum_with_its_statement_and_the_way() {
    for holder in ["a/agent", "a/tool"] {
        for (role, people, verdict, excess) in [
            (&[2, 3][..], &[2][..], Verdict::Excess, 1),
            (&[2], &[2], Verdict::Parity, 0),
            (&[2], &[2, 3], Verdict::Narrower, 0),
        ] {
            let mut town = cluster();
            town.trust(holder, Mechanism::Federation, "z/robot");
            let comparison = beside(town, cloud(role, people)).remove(0);
            assert_eq!((comparison.verdict, comparison.excess_operations), (verdict, excess), "{comparison:#?}");
            assert_eq!(comparison.operations, Some(1 + u32::try_from(role.len()).unwrap()));
            for atom in &comparison.excess {
                assert_eq!(atom.grant.to_string(), "policy statement 0 (through role robot)");
                assert_eq!(&*atom.grant.evidence.document, "toy.json");
            }
        }
    }
}

#[test]
fn a_role_that_workloads_are_handed_and_that_was_not_read_leaves_the_comparison_open() {
    let mut town = cluster();
    town.trust("a/tool", Mechanism::Federation, "z/gone");
    let comparison = beside(town, cloud(&[2], &[2])).remove(0);
    assert_eq!(comparison.verdict, Verdict::Unknown);
    assert!(comparison.doubts[0].starts_with("`z/gone`, which workloads of `tool` may become, is none that was read"));
}

#[test]
fn where_a_job_names_nobody_its_agents_access_is_excess_or_undecided_and_never_left_out() {
    type Change = fn(&mut Town, &mut Town);
    let read: Change = |_, _| {};
    let doubted = "no human role of the job is known in cloud";
    let cases: [(&str, Change, Option<&str>); 9] = [
        ("people of other jobs were read there", read, None),
        (
            "nobody is let in from where the people of the job are",
            |_, cloud| cloud.inventory.trusts.clear(),
            Some(": nothing tells as whom people of toy are let in there"),
        ),
        (
            "nobody was read there",
            |_, cloud| cloud.inventory.identities.retain(|identity| &*identity.name == "robot"),
            Some(": nobody but machines was read there"),
        ),
        (
            "lists of people's roles are missing",
            |_, cloud| cloud.inventory.gaps.push(unread_people(CLOUD, "z")),
            Some(": list people was not read"),
        ),
        (
            "lists that tell of people are missing in a place where it does not act",
            |_, cloud| cloud.inventory.gaps.push(unread_people(CLOUD, "elsewhere")),
            None,
        ),
        (
            "lists that tell as whom the people of the job enter are missing",
            |town, _| town.inventory.gaps.push(unread_people(TOY, "a")),
            Some(": list people was not read"),
        ),
        (
            "people are let in by one of several roles",
            |_, cloud| {
                cloud.add(Nature::HumanRole, "z/others", Some(vec![plain(&[2])]));
                cloud.trust("z/people", Mechanism::Assignment, "a/people");
                cloud.trust("z/others", Mechanism::Assignment, "a/people");
            },
            Some(": 2 roles are let in as `people`, and nothing tells which of them people of the job have"),
        ),
        (
            "somebody does the job elsewhere",
            |_, cloud| cloud.add(Nature::Human, "y/bob", Some(vec![plain(&[2])])).job = Some("j".into()),
            Some(" where it acts, though there are some elsewhere"),
        ),
        (
            "the baseline is a person whose credential it uses",
            |town, _| {
                town.jobs.jobs.clear();
                town.add(Nature::Human, "a/ann", Some(vec![plain(&[1])]));
                town.trust("a/agent", Mechanism::HoldsCredential, "a/ann");
            },
            Some(""),
        ),
    ];
    for (name, change, why) in cases {
        let mut town = cluster();
        town.jobs.jobs[0].human = vec![Selector::parse("toy:a/people").unwrap()];
        town.trust("a/agent", Mechanism::Federation, "z/robot");
        town.add(Nature::HumanRole, "a/others", Some(vec![plain(&[1])]));
        let mut outer = cloud(&[2, 3], &[2]);
        outer.trust("a/others", Mechanism::Assignment, "z/people");
        change(&mut town, &mut outer);
        let comparison = beside(town, outer).remove(0);
        let counted = (comparison.verdict, comparison.excess_operations, comparison.undecided_operations);
        let atoms: Vec<_> = comparison.excess.iter().map(|atom| (&*atom.operation, atom.decided)).collect();
        assert_eq!(atoms, [("op:03", why.is_none()), ("op:02", why.is_none())], "{name}");
        assert!(comparison.excess.iter().all(|atom| atom.grant.to_string().contains("through role robot")), "{name}");
        assert_eq!(comparison.operations, Some(3), "{name}");
        match why {
            None => {
                assert_eq!(counted, (Verdict::Excess, 2, 0), "{name}");
                assert_eq!(comparison.doubts, [] as [Arc<str>; 0], "{name}");
                let nothing = "; by all that was read, people of the job hold nothing in cloud";
                assert!(comparison.baseline.reason.ends_with(nothing), "{name}: {}", comparison.baseline.reason);
                assert!(comparison.summary.contains("2 of them in cloud, where people hold nothing"), "{name}");
            }
            Some(why) => {
                assert_eq!(counted, (Verdict::Unknown, 0, 2), "{name}");
                assert_eq!(comparison.doubts, [Arc::from(format!("{doubted}{why}"))], "{name}");
            }
        }
    }
}

fn unread_people(provider: ProviderName, scope: &str) -> Gap {
    Gap {
        provider: Some(provider),
        scope: Some(scope.into()),
        kind: GapKind::NotCollected,
        call: "list people".into(),
        reason: "not read".into(),
        facts: vec![Lost::of("which roles people have", &[Subject::HumanRoles])],
    }
}

#[test]
fn a_place_where_an_agent_holds_nothing_leaves_nothing_open() {
    let mut town = cluster();
    town.trust("a/agent", Mechanism::Federation, "z/robot");
    let mut empty = cloud(&[], &[2]);
    empty.inventory.identities.retain(|identity| &*identity.name == "robot");
    let comparison = beside(town, empty).remove(0);
    assert_eq!((comparison.verdict, comparison.undecided_operations), (Verdict::Parity, 0));
}

#[test]
fn an_agent_that_holds_nothing_beside_people_whose_access_is_not_known_is_undecided_for_a_reason() {
    let mut town = pair_town(vec![], vec![]);
    town.toy.accesses.remove(&IdentityId::from("a/ops-people"));
    let comparison = compared(town).remove(0);
    assert_eq!(comparison.verdict, Verdict::Unknown);
    assert_eq!(comparison.doubts, [Arc::from("the access of the human role `ops-people` is not known")]);
}

#[test]
fn a_way_that_a_role_leaves_open_is_not_one_that_workloads_are_handed() {
    // What the role's own side admits is a path, and so is what a holder of a credential may do with it.
    let mut town = cluster();
    let mut outer = cloud(&[2, 3], &[2]);
    outer.trust("a/agent", Mechanism::Federation, "z/robot");
    town.trust("a/agent", Mechanism::HoldsCredential, "z/robot");
    let comparison = beside(town, outer).remove(0);
    assert_eq!((comparison.verdict, comparison.operations), (Verdict::Parity, Some(1)));

    for (admitted, verdict) in [(Truth::Yes, Verdict::Excess), (Truth::Unknown, Verdict::Unknown)] {
        let mut town = cluster();
        town.trust("a/agent", Mechanism::Federation, "z/robot");
        town.inventory.crossings.push(Crossing {
            source: "a/agent".into(),
            target: "z/robot".into(),
            admitted,
            evidence: Evidence::whole("trust.json"),
        });
        assert_eq!(beside(town, cloud(&[2, 3], &[2])).remove(0).verdict, verdict);
    }
}

#[test]
fn less_evidence_of_what_a_role_admits_never_gives_a_surer_verdict() {
    // The role was read, and its trust was or was not.
    for (weak, verdict) in
        [(Truth::No, Verdict::Excess), (Truth::Yes, Verdict::Excess), (Truth::Unknown, Verdict::Unknown)]
    {
        let mut town = cluster();
        town.trust("a/agent", Mechanism::Federation, "z/robot");
        town.inventory.trusts.last_mut().unwrap().weak = weak;
        let comparison = beside(town, cloud(&[2, 3], &[2])).remove(0);
        assert_eq!(comparison.verdict, verdict, "{weak:?}");
        let doubted = comparison.doubts.iter().any(|doubt| doubt.contains("lets `agent` become it"));
        assert_eq!(doubted, weak == Truth::Unknown, "{:?}", comparison.doubts);
    }
}

#[test]
fn what_the_other_side_says_that_workloads_carry_is_handed_to_them_on_through_its_chain() {
    let town = cluster();
    let mut outer = cloud(&[], &[]);
    outer.add(Nature::Workload, "z/target", Some(vec![plain(&[3])]));
    outer.trust("a/tool", Mechanism::WorkloadCreation, "z/robot");
    outer.trust("z/robot", Mechanism::WorkloadCreation, "z/target");
    let comparison = beside(town, outer).remove(0);
    assert_eq!((comparison.verdict, comparison.excess_operations), (Verdict::Excess, 1));
    assert!(comparison.excess[0].grant.to_string().ends_with("(through role target)"));
}

#[test]
fn people_who_are_let_in_as_a_human_role_hold_what_they_are_let_in_by() {
    let named = |names: &[&str], entries: &[&str]| {
        let mut town = cluster();
        town.jobs.jobs[0].human = names.iter().map(|name| Selector::parse(name).unwrap()).collect();
        town.trust("a/agent", Mechanism::Federation, "z/robot");
        let mut outer = cloud(&[2], &[2]);
        outer.add(Nature::HumanRole, "z/others", Some(vec![plain(&[2])]));
        for source in entries {
            outer.trust(source, Mechanism::Assignment, "a/people");
        }
        let comparison = beside(town, outer).remove(0);
        (comparison.verdict, comparison.baseline.roles.len())
    };
    assert_eq!(named(&["toy:a/people"], &["z/people"]), (Verdict::Parity, 2));
    assert_eq!(named(&["cloud:z/people"], &["z/people"]), (Verdict::Parity, 2));
    // Nobody need hold all the roles by which people are let in.
    assert_eq!(named(&["toy:a/people"], &["z/people", "z/others"]), (Verdict::Unknown, 1));
    // Where nobody is let in, it is not known as whom these people are.
    assert_eq!(named(&["toy:a/people"], &[]), (Verdict::Unknown, 1));
    assert_eq!(named(&["cloud:z/people"], &[]).1, 1);
}

#[test]
fn a_job_that_names_people_of_another_provider_is_measured_by_whoever_they_are_let_in_as() {
    let compared = |nature: Nature, change: fn(&mut Identity)| {
        let mut town = Town::default();
        town.add(Nature::AiAgent, "a/agent", Some(vec![plain(&[1])]));
        change(town.add(nature, "a/entered", Some(vec![plain(&[1])])));
        town.jobs.jobs.push(job("j", "cloud:z/people", "agent"));
        town.jobs.jobs.push(job("k", "cloud:z/others", "nobody"));
        let mut outer = cloud(&[], &[]);
        outer.add(Nature::HumanRole, "z/others", Some(vec![]));
        for source in ["z/people", "z/others"] {
            outer.trust(source, Mechanism::Assignment, "a/entered");
        }
        beside(town, outer).remove(0)
    };
    // A group, a user by name, a role that the provider ships, and one that says that it does another job.
    for (nature, change) in [
        (Nature::HumanRole, (|_| {}) as fn(&mut Identity)),
        (Nature::Human, |_| {}),
        (Nature::HumanRole, |identity| identity.generic_role = true),
        (Nature::HumanRole, |identity| identity.job = Some("other".into())),
    ] {
        let comparison = compared(nature, change);
        assert_eq!((comparison.verdict, comparison.baseline.source), (Verdict::Parity, BaselineSource::Configured));
        assert_eq!((&*comparison.baseline.name, comparison.doubts.as_slice()), ("entered", &[][..]));
    }
}

#[test]
fn baselines_are_found_in_the_order_of_their_confidence() {
    use BaselineSource as S;
    // Each step takes the best source away.
    let build = |sources: &[S]| {
        let mut town = Town::default();
        let has = |source: S| sources.contains(&source);
        let agent = town.add(Nature::AiAgent, "a/billing-agent", Some(vec![plain(&[1])]));
        if has(S::Declared) {
            agent.declared_human_role = Some("declared".into());
        }
        if has(S::Mined) {
            agent.job = Some("money".into());
        }
        for name in ["configured", "declared"] {
            town.add(Nature::HumanRole, &format!("a/{name}"), Some(vec![plain(&[1])]));
        }
        if has(S::Configured) {
            town.jobs.jobs.push(job("j", "configured", "billing-*"));
        }
        if has(S::Delegated) {
            town.add(Nature::Human, "a/delegator", Some(vec![plain(&[1])]));
            town.trust("a/delegator", Mechanism::HoldsCredential, "a/billing-agent");
        }
        if has(S::Named) {
            town.add(Nature::HumanRole, "a/billing-people", Some(vec![plain(&[1])]));
        }
        for person in ["x", "y", "z"] {
            town.add(Nature::Human, &format!("a/{person}"), Some(vec![plain(&[1])])).job = Some("money".into());
        }
        if has(S::Generic) {
            town.add(Nature::HumanRole, "a/generic", Some(vec![plain(&[1])])).generic_role = true;
        }
        town
    };
    let order = [S::Configured, S::Declared, S::Delegated, S::Named, S::Mined, S::Generic];
    for at in 0..=order.len() {
        let comparison = compared(build(&order[at..])).remove(0);
        let expected = order.get(at).copied().unwrap_or(S::None);
        assert_eq!(comparison.baseline.source, expected, "{comparison:#?}");
        let verdict = if expected == S::None { Verdict::NoBaseline } else { Verdict::Parity };
        assert_eq!(comparison.verdict, verdict, "{comparison:#?}");
    }
}

#[test]
fn roles_of_a_job_unite_and_those_nearby_come_first() {
    let mut town = Town::default();
    town.add(Nature::AiAgent, "a/agent", Some(vec![plain(&[1, 2])]));
    town.add(Nature::HumanRole, "a/one", Some(vec![plain(&[1])]));
    town.add(Nature::HumanRole, "a/two", Some(vec![plain(&[2])]));
    town.add(Nature::HumanRole, "b/far", Some(vec![plain(&[1, 2, 3])]));
    let mut rule = job("j", "one", "agent");
    rule.human.extend(["two", "far"].map(|name| Selector::parse(name).unwrap()));
    rule.reviewed_by = Some("ana".into());
    town.jobs.jobs.push(rule);
    let comparison = compared(town).remove(0);
    assert_eq!(comparison.verdict, Verdict::Parity);
    assert_eq!(&*comparison.baseline.name, "one + two");
    assert_eq!(&*comparison.baseline.reason, "job `j` in evenhand.toml, reviewed by ana");
}

#[test]
fn mined_baselines_hold_what_most_peers_hold() {
    let mut town = Town::default();
    town.add(Nature::AiAgent, "a/agent", Some(vec![plain(&[1, 2, 3])])).job = Some("j".into());
    for (name, operations) in [("x", &[1, 2][..]), ("y", &[1, 3]), ("z", &[1, 2])] {
        town.add(Nature::Human, &format!("a/{name}"), Some(vec![plain(operations)])).job = Some("j".into());
    }
    let comparison = compared(town).remove(0);
    assert_eq!(comparison.baseline.source, BaselineSource::Mined);
    let left: Vec<&str> = comparison.excess.iter().map(|atom| &*atom.operation).collect();
    assert_eq!(left, ["op:03"]);
    assert_eq!(comparison.summary, "holds 1 operation that 60 % of 3 people of job `j` do not");
}

#[test]
fn the_generic_role_that_differs_least_is_chosen_and_never_an_admin() {
    let mut town = Town::default();
    town.add(Nature::AiAgent, "a/agent", Some(vec![plain(&[1, 2])]));
    for (name, operations) in [("view", &[1][..]), ("edit", &[1, 2, 3]), ("admin", &[1, 2])] {
        town.add(Nature::HumanRole, &format!("a/{name}"), Some(vec![plain(operations)])).generic_role = true;
    }
    town.toy.admins.push("a/admin".into());
    let comparison = compared(town).remove(0);
    // view differs by weight 3, edit by 5
    assert_eq!(&*comparison.baseline.name, "view");
}

#[test]
fn an_agent_in_configuration_is_compared_by_the_access_it_borrows() {
    let town = || {
        let mut town = Town::default();
        town.add(Nature::AiAgent, "desk/agent", None).declared_human_role = Some("people".into());
        town.add(Nature::AiAgent, "desk/tool", None);
        town.add(Nature::Workload, "a/robot", Some(vec![plain(&[1, 2])]));
        town.add(Nature::HumanRole, "a/people", Some(vec![plain(&[1])]));
        town.trust("desk/agent", Mechanism::UsesTool, "desk/tool");
        town
    };
    let unknown = compared(town());
    assert_eq!(unknown.iter().map(|one| one.verdict).collect::<Vec<_>>(), [Verdict::Unknown, Verdict::NoBaseline]);
    assert_eq!(unknown[0].operations, None);
    let mut town = town();
    town.trust("desk/tool", Mechanism::HoldsCredential, "a/robot");
    let known = compared(town);
    assert_eq!((known[0].verdict, known[0].excess_operations), (Verdict::Excess, 1));
}

#[test]
fn a_second_credential_of_one_principal_leaves_nothing_open() {
    let compare = |leads: &[&str]| {
        let mut town = Town::default();
        town.add(Nature::AiAgent, "desk/agent", None).declared_human_role = Some("people".into());
        town.add(Nature::Workload, "a/robot", Some(vec![plain(&[1])]));
        town.add(Nature::HumanRole, "a/people", Some(vec![plain(&[1])]));
        for tool in ["desk/one", "desk/two"] {
            town.add(Nature::AiAgent, tool, None);
            town.trust("desk/agent", Mechanism::UsesTool, tool);
            let evidence = Evidence::whole("toy.json");
            let key = Credential::new(format!("{tool}/key").into(), tool.into(), super::toy::TOY, "key", evidence);
            town.inventory.credentials.push(key);
        }
        for tool in leads {
            town.trust(tool, Mechanism::HoldsCredential, "a/robot");
        }
        let comparison = compared(town).remove(0);
        (comparison.verdict, comparison.doubts.len())
    };
    assert_eq!(compare(&["desk/one", "desk/two"]), (Verdict::Parity, 0));
    assert_eq!(compare(&["desk/one"]), (Verdict::Unknown, 1));
}

#[test]
fn an_agent_is_held_beside_people_with_what_its_tools_may_do() {
    let town = |tool: Option<&[u32]>| {
        let mut town = Town::default();
        town.add(Nature::AiAgent, "a/agent", Some(vec![plain(&[1])])).declared_human_role = Some("people".into());
        town.add(Nature::AiAgent, "a/mate", Some(vec![plain(&[1])]));
        town.add(Nature::AiAgent, "a/tool", tool.map(|held| vec![plain(held)]));
        town.add(Nature::HumanRole, "a/people", Some(vec![plain(&[1, 2])]));
        town.trust("a/agent", Mechanism::UsesTool, "a/mate");
        // They use each other.
        town.trust("a/mate", Mechanism::UsesTool, "a/agent");
        town.trust("a/mate", Mechanism::UsesTool, "a/tool");
        town
    };
    for (tool, verdict, excess) in [
        (Some(&[1, 2, 3][..]), Verdict::Excess, 1),
        (Some(&[2]), Verdict::Parity, 0),
        (Some(&[1]), Verdict::Narrower, 0),
        (None, Verdict::Unknown, 0),
    ] {
        let comparison = compared(town(tool)).remove(0);
        assert_eq!((comparison.verdict, comparison.excess_operations), (verdict, excess), "{tool:?}");
        let through = comparison.summary.ends_with(", acting through mate and tool");
        assert_eq!(through, verdict == Verdict::Excess, "{}", comparison.summary);
    }
    let mut lost = town(Some(&[1]));
    lost.trust("a/agent", Mechanism::UsesTool, "a/elsewhere");
    let comparison = compared(lost).remove(0);
    assert_eq!(comparison.verdict, Verdict::Unknown, "at least what is shown: {:?}", comparison.doubts);
}

#[test]
fn an_agent_with_a_persons_credential_is_held_beside_that_person() {
    let mut town = Town::default();
    town.add(Nature::AiAgent, "desk/agent", None);
    town.add(Nature::Human, "a/alice", Some(vec![plain(&[1, 2])]));
    town.trust("desk/agent", Mechanism::HoldsCredential, "a/alice");
    let comparison = compared(town).remove(0);
    assert_eq!(comparison.baseline.source, BaselineSource::Delegated);
    assert_eq!(comparison.verdict, Verdict::Parity);
    assert_eq!(comparison.excess_operations, 0);
}

#[test]
fn vendor_managed_identities_are_not_compared_and_others_are_sorted() {
    let mut town = Town::default();
    town.add(Nature::AiAgent, "a/z", Some(vec![]));
    town.add(Nature::AiAgent, "a/vendor", Some(vec![])).vendor_managed = true;
    town.add(Nature::AiAgent, "a/b", Some(vec![])).purpose = Fact::Known("none".into());
    let ids: Vec<String> = compared(town).iter().map(|one| one.identity.to_string()).collect();
    assert_eq!(ids, ["a/b", "a/z"]);
}

#[test]
fn one_comparison_can_name_its_human_role() {
    let mut town = pair_town(vec![plain(&[1, 2])], vec![plain(&[1])]);
    town.add(Nature::Human, "a/bob", Some(vec![plain(&[1, 2])]));
    let (inventory, judged, resolvers, jobs) = town.built();
    let config = ParityConfig::new(jobs);
    let one = |human: Option<&str>| {
        let human = human.map(IdentityId::from);
        compare_one(&inventory, &judged, &resolvers, &config, &"a/ops-agent".into(), human.as_ref()).map(|one| one.0)
    };
    assert_eq!(one(None).unwrap().verdict, Verdict::Excess);
    assert_eq!(one(Some("a/bob")).unwrap().verdict, Verdict::Parity);
    assert!(one(Some("a/nobody")).is_none());
}
