//! Whom an identity is held beside.

use evenhand_model::id::IdentityId;
use evenhand_model::identity::Nature;
use evenhand_model::parity::{BaselineSource, Verdict};
use evenhand_model::trust::Mechanism;

use super::{compared, job, pair_town};
use crate::jobs::Selector;
use crate::parity::toy::{Town, plain};
use crate::parity::{ParityConfig, compare_one};

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
