//! What agents and people hold in another provider.

use std::sync::Arc;

use evenhand_model::evidence::{Evidence, Truth};
use evenhand_model::gap::{Gap, GapKind, Lost, Subject};
use evenhand_model::id::ProviderName;
use evenhand_model::identity::{Identity, Nature};
use evenhand_model::parity::{BaselineSource, Comparison, Verdict};
use evenhand_model::trust::{Crossing, Mechanism};

use super::job;
use crate::jobs::Selector;
use crate::judgements::Judgements;
use crate::parity::toy::{TOY, Town, plain};
use crate::parity::{ParityConfig, compare_all};
use crate::resolvers::Resolvers;

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
