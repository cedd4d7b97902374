//! Steps to more access inside GitHub: who may write workflows becomes their jobs, who may set members becomes an owner.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use evenhand_model::access::{Doubt, Edge, EdgeTarget, Grant};
use evenhand_model::id::ScopeId;
use evenhand_model::inventory::Hint;

use super::Actor;
use crate::access::Held;
use crate::catalog::Level;
use crate::facts::OwnerFacts;

/// Steps of one identity to jobs that are listed; whoever reaches more reaches more of the same.
const MOST: usize = 64;

/// The statement of a holding that allows something.
fn grants(held: &Held, family: &str, level: Level) -> Arc<[Grant]> {
    held.holdings
        .iter()
        .find(|holding| holding.permissions.holds(family, level))
        .map(|holding| Grant {
            policy: Arc::clone(&holding.by),
            statement: None,
            name: Arc::from(family),
            evidence: holding.evidence.clone(),
        })
        .into_iter()
        .collect()
}

/// The steps of an organisation's identities, and what is left out of them.
pub(super) fn of(owner: &OwnerFacts, scope: &ScopeId, actors: &[Actor]) -> (Vec<Edge>, Vec<Hint>) {
    let mut edges = Vec::new();
    let mut left_out = Vec::new();
    let mut jobs: BTreeMap<&str, Vec<&Actor>> = BTreeMap::new();
    for actor in actors.iter().filter(|actor| actor.worth) {
        if let Some(repository) = &actor.who.job_of {
            for repository in actor.who.written_in.iter().chain([repository]) {
                jobs.entry(repository).or_default().push(actor);
            }
        }
    }
    for actor in actors.iter().filter(|actor| actor.worth && !actor.who.people) {
        // What it holds may be less: its owner, who limits it, is not known in full.
        let conditional = actor.held.doubts.iter().any(Doubt::may_limit);
        if actor.held.allows_of_organisation("members", Level::Write) {
            edges.push(Edge {
                source: actor.id.clone(),
                target: EdgeTarget::Admin(scope.clone()),
                technique: Arc::from("github-set-membership"),
                escalation: true,
                conditional,
                grants: grants(&actor.held, "members", Level::Write),
            });
        }
        let mut more = 0;
        let mut listed = BTreeSet::new();
        for (repository, targets) in &jobs {
            if !actor.held.writes_workflows(repository) {
                continue;
            }
            for target in targets {
                // A job that another repository says the steps of is reached through either.
                if listed.contains(&target.id) {
                    continue;
                }
                if listed.len() == MOST {
                    more += 1;
                    continue;
                }
                listed.insert(&target.id);
                edges.push(Edge {
                    source: actor.id.clone(),
                    target: EdgeTarget::Identity(target.id.clone()),
                    technique: Arc::from("github-write-workflow"),
                    escalation: true,
                    conditional,
                    grants: grants(&actor.held, "workflows", Level::Write),
                });
            }
        }
        if more > 0
            && let Some(held) = actor.held.holdings.first()
        {
            left_out.push(Hint {
                evidence: held.evidence.clone(),
                message: format!(
                    "{} may write workflows: of the jobs of {} that it can become {more} are not listed",
                    actor.id, owner.name
                )
                .into(),
            });
        }
    }
    (edges, left_out)
}
