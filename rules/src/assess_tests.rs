//! The whole way from an inventory to a score, with the rules of the pack.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Instant;

use evenhand_model::condition::{Clause, Condition};
use evenhand_model::control::ControlKind;
use evenhand_model::credential::Credential;
use evenhand_model::evidence::{Evidence, Fact};
use evenhand_model::finding::Status;
use evenhand_model::identity::Nature;
use evenhand_model::scope::ResourceScope;
use jiff::Timestamp;

use crate::evaluate::{Assessed, Assessment, Keep, Stage, assess};
use crate::jobs::{JobConfig, JobRule, Selector};
use crate::pack::RuleSet;
use crate::parity::ParityConfig;
use crate::parity::toy::{TOY, Town, plain, slice, test};

fn now() -> Timestamp {
    "2026-07-01T00:00:00Z".parse().unwrap()
}

fn assessed(town: Town, strict: bool, progress: &dyn Fn(Stage)) -> Assessed {
    let (inventory, _, resolvers, jobs) = town.built();
    let mut rules = RuleSet::embedded().rules;
    // The pack names the providers that it knows; the toy is none of them.
    rules = rules
        .iter()
        .cloned()
        .map(|mut rule| {
            rule.providers = crate::pack::Providers::All;
            rule
        })
        .collect();
    assess(
        inventory,
        resolvers,
        Assessment {
            parity: &ParityConfig::new(jobs),
            register: None,
            rules: &rules,
            waivers: &[],
            strict,
            stable_fingerprints: false,
            now: now(),
            keep: Keep::Everything,
        },
        progress,
    )
}

/// A job with one human role and agents that hold more, the same and less.
fn workshop() -> Town {
    let mut town = Town::default();
    let mut job = JobRule::new("delivery", Evidence::line("evenhand.toml", 1));
    job.human = vec![Selector::parse("s/role").unwrap()];
    job.agents = vec![Selector::parse("s/agent-*").unwrap()];
    town.jobs = JobConfig { jobs: vec![job] };
    town.add(Nature::HumanRole, "s/role", Some(vec![plain(&[0, 1, 3])]));
    town.add(Nature::AiAgent, "s/agent-more", Some(vec![plain(&[0, 1, 3, 4, 38])]));
    town.add(Nature::AiAgent, "s/agent-same", Some(vec![plain(&[0, 1, 3])]));
    town.add(Nature::Unknown, "s/agent-less", Some(vec![plain(&[0])]));
    let managed = town.add(Nature::AiAgent, "s/agent-of-the-vendor", Some(vec![plain(&[0, 1, 3, 4])]));
    managed.vendor_managed = true;
    town
}

#[test]
fn stages_follow_each_other_and_every_verdict_reaches_the_tables() {
    let stages = RefCell::new(Vec::new());
    let assessed = assessed(workshop(), false, &|stage| stages.borrow_mut().push(stage));
    let stages = stages.into_inner();
    assert!(stages.is_sorted() && stages.first() == Some(&Stage::Link) && stages.last() == Some(&Stage::Done));
    assert!(assessed.errors.is_empty(), "{:?}", assessed.errors);

    let identities = assessed.facts.table("identities").unwrap();
    let verdicts: Vec<String> = (0..identities.rows())
        .map(|row| format!("{:?} {:?}", identities.value(row, "name"), identities.value(row, "verdict")))
        .collect();
    assert!(verdicts.iter().any(|row| row.contains("agent-more") && row.contains("EXCESS")), "{verdicts:?}");
    assert!(verdicts.iter().any(|row| row.contains("agent-less") && row.contains("NARROWER")), "{verdicts:?}");
    let rules: BTreeSet<&str> = assessed
        .findings
        .iter()
        .filter(|finding| &*finding.name == "agent-more" && finding.status == Status::Fail)
        .map(|finding| finding.rule.as_str())
        .collect();
    assert!(rules.contains("high-risk-excess-over-human-role"), "{rules:?}");
    assert!(!assessed.findings.iter().any(|finding| &*finding.name == "agent-of-the-vendor"), "listed, never judged");
    assert!(assessed.score.raw < evenhand_model::score::Millionths(1_000_000));
    assert_eq!(assessed.score.raw, assessed.score.governed);
}

#[test]
fn a_finding_about_access_names_the_operations_and_the_statement_that_grants_them() {
    let assessed = assessed(workshop(), false, &|_| {});
    let of = |rule: &str| {
        let mut of_rule = assessed.findings.iter().filter(|finding| finding.rule.as_str() == rule);
        of_rule.find(|finding| &*finding.name == "agent-more").unwrap()
    };
    let by = |rule: &str, column: &str| {
        let named = of(rule).facts.iter().find(|(name, _)| &**name == column);
        named.map(|(_, by)| by.clone()).unwrap_or_default()
    };
    let written = by("write-on-all-resources", "write_on_everything_by");
    assert_eq!(written, "op:03, op:04, op:38 by policy statement 0 at toy.json");
    let excess = by("high-risk-excess-over-human-role", "high_risk_excess_by");
    assert!(excess.starts_with("op:38") && excess.ends_with("by policy statement 0 at toy.json"), "{excess}");
    assert!(!of("no-owner").facts.iter().any(|(name, _)| name.ends_with("_by")), "it rests on no statement");
}

#[test]
fn a_finding_about_a_control_tells_of_this_one_alone() {
    let mut town = workshop();
    town.jobs.jobs[0].controls = ControlKind::ALL.to_vec();
    let assessed = assessed(town, false, &|_| {});
    for (rule, controls) in [
        ("human-needs-approval-agent-does-not", &["second_person_approval", "change_gate"][..]),
        ("standing-privilege-where-humans-activate", &["just_in_time"]),
    ] {
        let mut of_rule = assessed.findings.iter().filter(|finding| finding.rule.as_str() == rule);
        let facts = &of_rule.find(|finding| &*finding.name == "agent-same").unwrap().facts;
        let told: Vec<&String> =
            facts.iter().filter(|(name, _)| &**name == "control_gap_list_by").map(|(_, by)| by).collect();
        let [by] = told[..] else { panic!("{told:?}") };
        let named: Vec<&str> = by.split("; ").filter_map(|part| Some(part.split_once(" before ")?.0)).collect();
        assert_eq!(named, controls, "{rule}");
    }
}

#[test]
fn what_is_not_known_is_told_of_where_the_finding_waits_for_it() {
    let mut town = Town::default();
    // Whether a deny by tag leaves anything to write is not known.
    let deny = Clause::Unless { tests: vec![test("tag", "x")], scope: Arc::default() };
    for (id, operation) in [("s/ruler", 3), ("s/writer", 8)] {
        let condition = Condition::unconditional().with(deny.clone());
        let slices = vec![slice(&[operation], ResourceScope::everything(), condition)];
        town.add(Nature::ThirdParty, id, Some(slices)).reviewed_at = Fact::Absent;
    }
    town.toy.admins.push("s/ruler".into());
    let assessed = assessed(town, false, &|_| {});
    for (name, status, grounds) in
        [("ruler", Status::Fail, ["admin_by"]), ("writer", Status::Unknown, ["write_on_everything_by"])]
    {
        let rule = "third-party-broad-and-unvetted";
        let mut of_rule = assessed.findings.iter().filter(|finding| finding.rule.as_str() == rule);
        let finding = of_rule.find(|finding| &*finding.name == name).unwrap();
        let told: Vec<&str> =
            finding.facts.iter().map(|(name, _)| &**name).filter(|name| name.ends_with("_by")).collect();
        assert_eq!((finding.status, &told[..]), (status, &grounds[..]), "{name}");
    }
}

#[test]
fn findings_are_sorted_unique_and_the_same_each_time() {
    let (first, second) = (assessed(workshop(), false, &|_| {}), assessed(workshop(), true, &|_| {}));
    let ids: Vec<_> = first.findings.iter().map(|finding| finding.id.clone()).collect();
    assert_eq!(ids, second.findings.iter().map(|finding| finding.id.clone()).collect::<Vec<_>>());
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len());
    assert!(
        first.findings.is_sorted_by(|a, b| (b.severity, &a.rule, &a.identity) <= (a.severity, &b.rule, &b.identity))
    );
    assert!(second.score.raw <= first.score.raw, "unknown counts in full when strict");
}

#[test]
#[ignore = "measures"]
fn a_hundred_thousand_identities() {
    let mut town = Town::default();
    for number in 0..100_000 {
        let nature = match number % 10 {
            0 => Nature::AiAgent,
            1..=4 => Nature::Human,
            5 => Nature::HumanRole,
            _ => Nature::Workload,
        };
        let identity = town.add(nature, &format!("{}/identity-{number:06}", number / 1000), None);
        identity.created_at = Fact::Known("2025-01-01T00:00:00Z".parse().unwrap());
        identity.owner =
            if number % 3 == 0 { Fact::Absent } else { Fact::Known(format!("owner-{}", number % 500).into()) };
        let id = identity.id.clone();
        if number % 2 == 0 {
            let name = format!("key-{number}");
            let mut key = Credential::new(name.as_str().into(), id, TOY, "access_key", Evidence::whole("toy.json"));
            key.is_static = Fact::Known(true);
            key.created_at = Fact::Known("2026-05-01T00:00:00Z".parse().unwrap());
            town.inventory.credentials.push(key);
        }
    }
    let last = RefCell::new((Instant::now(), Stage::Link));
    let assessed = assessed(town, false, &|stage| {
        let (since, before) = last.replace((Instant::now(), stage));
        println!("{:>10} {:?}", before.as_str(), since.elapsed());
    });
    println!("{} findings, score {:?}", assessed.findings.len(), assessed.score.raw);
}
