//! Comparisons as a whole.

mod baselines;
mod controls;
mod doubts;
mod excess;
mod gates;
mod providers;
mod subject;

use evenhand_model::access::Slice;
use evenhand_model::condition::Condition;
use evenhand_model::evidence::Evidence;
use evenhand_model::identity::Nature;
use evenhand_model::parity::Comparison;

use crate::jobs::{JobRule, Selector};
use crate::parity::toy::Town;
use crate::parity::{ParityConfig, compare_all};

fn compared(town: Town) -> Vec<Comparison> {
    let (inventory, judged, resolvers, jobs) = town.built();
    compare_all(&inventory, &judged, &resolvers, &ParityConfig::new(jobs)).comparisons
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
