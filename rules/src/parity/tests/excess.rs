//! What an identity holds beyond the human role.

use std::sync::Arc;

use evenhand_model::access::Slice;
use evenhand_model::condition::Clause;
use evenhand_model::evidence::Evidence;
use evenhand_model::glob::{Glob, Token};
use evenhand_model::identity::Nature;
use evenhand_model::opset::OperationIx;
use evenhand_model::parity::Verdict;
use evenhand_model::scope::{Pattern, ResourceScope};
use evenhand_model::trust::Mechanism;

use super::{compared, none, pair, pair_town};
use crate::parity::toy::{pattern, plain, scope, slice, test, when};

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
fn agents_of_equal_access_have_the_excess_of_one_alone() {
    let access = || vec![plain(&[1, 2]), slice(&[39], scope(&["x/y"]), none())];
    let alone = pair(access(), vec![plain(&[1])]);
    let mut town = pair_town(access(), vec![plain(&[1])]);
    town.add(Nature::AiAgent, "a/ops-twin", Some(access())).declared_human_role = Some("ops-people".into());
    let both = compared(town);
    assert_eq!((both.len(), alone.excess.len()), (2, 2));
    assert!(both.iter().all(|comparison| comparison.excess == alone.excess), "{both:#?}");
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
