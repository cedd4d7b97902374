//! Environments whose deployments people must let through, and the machines that may change that.
//!
//! An environment stands before jobs and not before calls of the API, so of people it is told for the operations alone by
//! which it would be changed: those are what a machine is held beside. Who administers a repository sets its environments
//! ("Create or update an environment" takes `administration: write`).

use std::sync::Arc;

use evenhand_model::control::{Control, ControlKind, Way};
use evenhand_model::evidence::{Evidence, Truth};
use evenhand_model::glob::Glob;
use evenhand_model::scope::{Pattern, ResourceScope};

use super::rewriters::OF_REPOSITORY;
use crate::access::Reach;
use crate::catalog::{Catalogue, Level};
use crate::documents::gates::Environment;
use crate::facts::OwnerFacts;
use crate::inventory::{Actor, full_name};

/// Operations that change who must let a deployment through.
pub(super) const OPERATIONS: &[&str] = &["repos/create-or-update-environment", "repos/delete-an-environment"];

/// What stands before roles of people and before machines that administer, at each environment with reviewers.
pub(super) fn controls(owner: &OwnerFacts, actors: &[Actor]) -> Vec<Control> {
    let operations = Arc::new(Catalogue::global().all_of(OPERATIONS.iter().copied()));
    let nowhere = |reach: &Reach| matches!(reach, Reach::Some(names) if names.is_empty());
    let administers = |actor: &Actor| !nowhere(&actor.held.reach(OF_REPOSITORY, Level::Write));
    // Teams hold roles, and roles are what machines are held beside.
    let is_role = |actor: &Actor| actor.who.people && actor.who.teams.is_empty() && !administers(actor);
    let roles: Vec<&Actor> = actors.iter().filter(|actor| is_role(actor)).collect();
    let may_change = |actor: &Actor| actor.who.machine && (administers(actor) || actor.who.unread.is_some());
    let machines: Vec<&Actor> = actors.iter().filter(|actor| may_change(actor)).collect();
    let mut controls = Vec::new();
    for repository in
        owner.repositories.values().filter(|repository| repository.runs_workflows() && !machines.is_empty())
    {
        let name = full_name(owner, &repository.name);
        for environment in repository.environments.all().iter().filter(|environment| is_reviewed(environment)) {
            let scope = Arc::new(ResourceScope::any_of([place(&name, &environment.name)]));
            let row = |actor: &Actor, in_place: Truth, way: Option<Way>, reason: String, evidence: &Evidence| Control {
                operations: Some(Arc::clone(&operations)),
                scope: Arc::clone(&scope),
                way,
                reason: reason.into(),
                ..Control::new(actor.id.clone(), ControlKind::SecondPersonApproval, in_place, evidence.clone())
            };
            let deploying = roles.iter().copied().filter(|role| role.held.allows("actions", Level::Write, &name));
            controls.extend(deploying.map(|role| row(role, Truth::Yes, None, String::new(), &environment.at)));
            for machine in machines.iter().copied() {
                let unread = machine.who.unread.as_ref().is_some_and(|reach| reach.holds(&name));
                let held = machine.held.by(OF_REPOSITORY, Level::Write, Some(&*name));
                controls.extend(match held {
                    Some(held) => {
                        let reason = format!(
                            "may change the environment {} itself ({OF_REPOSITORY}: write, by {})",
                            environment.name, held.by
                        );
                        Some(row(machine, Truth::No, Some(Way::Changes), reason, &held.evidence))
                    }
                    None if unread => {
                        let reason = format!(
                            "holds permissions that were not read, which may let it change the environment {}",
                            environment.name
                        );
                        Some(row(machine, Truth::Unknown, Some(Way::Untold), reason, &environment.at))
                    }
                    None => None,
                });
            }
        }
    }
    controls
}

/// Whether people must let its deployments through.
fn is_reviewed(environment: &Environment) -> bool {
    let mut rules = environment.protection_rules.iter();
    rules.any(|rule| rule.kind == "required_reviewers" && !rule.reviewers.is_empty())
}

/// An environment as a place of its own, which no place in the repository holds.
fn place(repository: &str, environment: &str) -> Pattern {
    Pattern::new([Glob::literal(format!("{repository}/environments/{environment}"))], '/')
}
