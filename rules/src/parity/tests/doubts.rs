//! What was not read, and the verdicts that it leaves open.

use std::sync::Arc;

use evenhand_model::access::{Doubt, DoubtEffect};
use evenhand_model::control::{Control, ControlKind};
use evenhand_model::evidence::{Evidence, Truth};
use evenhand_model::id::IdentityId;
use evenhand_model::identity::Nature;
use evenhand_model::parity::Verdict;
use evenhand_model::scope::ResourceScope;
use evenhand_model::trust::Mechanism;

use super::{compared, none, pair_town};
use crate::parity::toy::{plain, scope, slice, when};

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
fn two_of_whom_nothing_is_known_but_that_both_may_hold_the_same_are_not_alike_for_certain() {
    use DoubtEffect::{Adds, Limits};
    for (effect, verdict) in [(Adds, Verdict::Unknown), (Limits, Verdict::Parity)] {
        let mut town = pair_town(vec![], vec![]);
        for who in ["a/ops-agent", "a/ops-people"] {
            town.access_of(who).doubts.push(Doubt::new("x", effect));
        }
        assert_eq!(compared(town).remove(0).verdict, verdict, "{effect:?}");
    }
}

#[test]
fn an_agent_that_holds_nothing_beside_people_whose_access_is_not_known_is_undecided_for_a_reason() {
    let mut town = pair_town(vec![], vec![]);
    town.toy.accesses.remove(&IdentityId::from("a/ops-people"));
    let comparison = compared(town).remove(0);
    assert_eq!(comparison.verdict, Verdict::Unknown);
    assert_eq!(comparison.doubts, [Arc::from("the access of the human role `ops-people` is not known")]);
}
