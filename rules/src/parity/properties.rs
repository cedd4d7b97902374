//! The algebra that comparisons rest on, over random small worlds.

use std::sync::Arc;

use evenhand_model::access::Slice;
use evenhand_model::condition::{Clause, Condition};
use evenhand_model::evidence::Truth;
use evenhand_model::opset::{OpSet, OperationIx};
use evenhand_model::parity::{Comparison, Verdict};
use evenhand_model::scope::ResourceScope;
use proptest::prelude::*;

use super::tests::pair;
use super::toy::{pattern, scope, slice, test, when};

fn any_pattern() -> impl Strategy<Value = String> {
    prop_oneof![4 => "[ab*]{1,2}/[ab*]{1,2}", 1 => Just("*".to_owned())]
}

fn any_scope() -> impl Strategy<Value = ResourceScope> {
    (
        prop::collection::vec(prop::collection::vec(any_pattern(), 1..3), 0..2),
        prop::collection::vec("[ab]{1,2}/[ab*]{1,2}", 0..2),
    )
        .prop_map(|(lists, holes)| {
            let scope = lists.iter().fold(ResourceScope::everything(), |scope, list| {
                scope.limited_to(list.iter().map(|text| pattern(text)))
            });
            scope.without(holes.iter().map(|text| pattern(text)))
        })
}

fn any_condition() -> impl Strategy<Value = Condition> {
    prop_oneof![
        4 => Just(Condition::unconditional()),
        1 => Just(when("region", "eu")),
        1 => Just(when("region", "us")),
        1 => Just(when("mfa", "true")),
        1 => any_scope().prop_map(|scope| {
            Condition::unconditional().with(Clause::Unless { tests: vec![test("tag", "x")], scope: Arc::new(scope) })
        }),
    ]
}

fn operations() -> impl Strategy<Value = Vec<u32>> {
    prop::collection::vec(0..6_u32, 1..4)
}

fn any_slices() -> impl Strategy<Value = Vec<Slice>> {
    prop::collection::vec((operations(), any_scope(), any_condition()), 0..4)
        .prop_map(|parts| parts.into_iter().map(|(ops, scope, condition)| slice(&ops, scope, condition)).collect())
}

/// Rights to one resource each, without condition.
fn points() -> impl Strategy<Value = Vec<(u32, String)>> {
    prop::collection::vec((0..6_u32, "[ab]{1,2}/[ab]{1,2}"), 0..6)
}

fn excess(comparison: &Comparison) -> OpSet {
    named(comparison, true)
}

fn named(comparison: &Comparison, decided: bool) -> OpSet {
    comparison
        .excess
        .iter()
        .filter(|atom| atom.decided == decided)
        .map(|atom| OperationIx(atom.operation.trim_start_matches("op:").parse().unwrap()))
        .collect()
}

fn reaches(slices: &[Slice], operation: u32, resource: &str) -> bool {
    let segments: Vec<&str> = resource.split('/').collect();
    slices.iter().any(|slice| {
        slice.condition.is_unconditional()
            && slice.operations.contains(OperationIx(operation))
            && slice.scope.matches(&segments) == Truth::Yes
    })
}

/// Whether some slice may allow it, under whatever condition.
fn may_reach(slices: &[Slice], operation: u32, resource: &str) -> bool {
    let bare: Vec<Slice> =
        slices.iter().map(|slice| Slice { condition: Arc::new(Condition::unconditional()), ..slice.clone() }).collect();
    reaches(&bare, operation, resource)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn containment_is_reflexive(slices in any_slices()) {
        let comparison = pair(slices.clone(), slices);
        prop_assert_eq!(comparison.excess_operations, 0, "{:#?}", comparison);
        prop_assert_eq!(comparison.undecided_operations, 0, "{:#?}", comparison);
    }

    #[test]
    fn containment_is_transitive(a in any_slices(), b in any_slices(), c in any_slices()) {
        // b ∪ a contains a, and c ∪ b ∪ a contains that
        let ab: Vec<Slice> = a.iter().chain(&b).cloned().collect();
        let abc: Vec<Slice> = ab.iter().chain(&c).cloned().collect();
        prop_assert!(pair(a.clone(), ab.clone()).excess.is_empty());
        prop_assert!(pair(a.clone(), abc.clone()).excess.is_empty());
        if pair(a.clone(), b.clone()).excess.is_empty() && pair(b, c.clone()).excess.is_empty() {
            prop_assert_eq!(pair(a, c).excess_operations, 0);
        }
    }

    #[test]
    fn a_human_grant_never_adds_excess(ai in any_slices(), human in any_slices(), more in any_slices()) {
        let before = excess(&pair(ai.clone(), human.clone()));
        let after = excess(&pair(ai, human.into_iter().chain(more).collect()));
        prop_assert!(after.is_subset(&before));
    }

    #[test]
    fn a_grant_to_the_agent_never_removes_excess(ai in any_slices(), human in any_slices(), more in any_slices()) {
        let before = excess(&pair(ai.clone(), human.clone()));
        let after = excess(&pair(ai.into_iter().chain(more).collect(), human));
        prop_assert!(before.is_subset(&after));
    }

    #[test]
    fn what_only_the_agent_may_do_is_always_said(
        ai in any_slices(), human in any_slices(), operation in 0..6_u32, resource in "[abc]{1,2}/[abc]{1,2}",
    ) {
        if reaches(&ai, operation, &resource) && !may_reach(&human, operation, &resource) {
            let comparison = pair(ai, human);
            let operation = OperationIx(operation);
            prop_assert!(
                excess(&comparison).contains(operation) || named(&comparison, false).contains(operation),
                "{:#?}", comparison
            );
        }
    }

    #[test]
    fn what_the_human_may_do_too_is_never_excess(ai in points(), human in any_slices()) {
        let slices = ai.iter().map(|(op, resource)| slice(&[*op], scope(&[resource]), Condition::unconditional())).collect();
        let comparison = pair(slices, human.clone());
        for (operation, resource) in ai {
            if reaches(&human, operation, &resource) {
                let name = format!("op:{operation:02}");
                prop_assert!(
                    !comparison.excess.iter().any(|atom| *atom.operation == *name && *atom.scope == *resource),
                    "{} on {}: {:#?}", operation, resource, comparison
                );
            }
        }
    }

    #[test]
    fn counts_agree_with_the_atoms(ai in any_slices(), human in any_slices()) {
        let comparison = pair(ai, human);
        prop_assert_eq!(comparison.excess_operations as usize, excess(&comparison).len());
        let undecided = named(&comparison, false).difference(&excess(&comparison));
        prop_assert_eq!(comparison.undecided_operations as usize, undecided.len());
        prop_assert!(comparison.excess_weight <= comparison.access_weight.unwrap());
        prop_assert!(comparison.coverage.is_none_or(|coverage| (0.0..=1.0).contains(&coverage)));
        prop_assert_eq!(comparison.verdict == Verdict::Excess, comparison.excess_operations > 0);
    }
}
