//! Machines that may write workflow files: what they write runs before anybody has looked at it, on a branch of their own,
//! with the secrets of the repository ("Security hardening for GitHub Actions", Using secrets). One of these may be the key
//! of whoever is let past a gate, or may change it: which it is, no answer tells.
//!
//! People who may write can do the same, and then a person has done it. Neither the permission for workflow files nor that
//! for contents is enough alone.

use evenhand_model::control::Way;
use evenhand_model::evidence::Truth;

use super::Faced;
use crate::documents::gates::{Environment, NamePattern};
use crate::documents::keys::Secret;
use crate::documents::told::Told;
use crate::facts::{List, OwnerFacts, RepositoryFacts};
use crate::inventory::{Actor, follows_rules};

/// So many names of secrets are told.
const NAMED: usize = 3;

/// What a machine faces that a gate stops: not for certain, where it may write workflows that get secrets.
pub(super) fn written(
    faced: Faced,
    actor: &Actor,
    repository: &str,
    owner: &OwnerFacts,
    facts: &RepositoryFacts,
) -> Faced {
    let fixed = actor.who.slug.as_deref().is_some_and(follows_rules);
    let writes = actor.who.machine && !fixed && actor.held.writes_workflows(repository);
    if faced.in_place != Truth::Yes || !writes || !facts.runs_workflows() {
        return faced;
    }
    let reason = match secrets(facts) {
        Some(names) if names.is_empty() => return faced,
        Some(names) => {
            let more = names.len().saturating_sub(NAMED);
            let first: Vec<String> = names.iter().take(NAMED).map(|name| format!("`{name}`")).collect();
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            format!("may write workflows, which get secrets ({}{more}): what these open is not known", first.join(", "))
        }
        None => format!("may write workflows; which secrets these get in {}/{} was not read", owner.name, facts.name),
    };
    Faced { in_place: Truth::Unknown, way: Some(Way::Changes), reason: reason.into(), ..faced }
}

/// Names of the secrets that a workflow gets on a branch of its writer's own, sorted; `None` = not all lists of them were
/// read.
fn secrets(facts: &RepositoryFacts) -> Option<Vec<&str>> {
    let of_environments = facts.environments.all().iter().filter_map(|environment| {
        let list = facts.environment_secrets.get(&environment.name);
        match is_open(environment, facts) {
            Truth::No => None,
            Truth::Yes => Some(list),
            // Who may use it does not matter where it has none.
            Truth::Unknown => list.and_then(Told::get).is_none_or(|secrets| !secrets.is_empty()).then_some(None),
        }
    });
    let lists: Vec<Option<&List<Secret>>> =
        [Some(&facts.secrets), Some(&facts.shared_secrets)].into_iter().chain(of_environments).collect();
    let known = lists.iter().flatten().flat_map(|list| list.all());
    let mut names: Vec<&str> = known.map(|secret| secret.name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    let all_read = facts.environments.is_read() && lists.iter().all(|list| list.is_some_and(Told::is_read));
    // One that is known is enough.
    (!names.is_empty() || all_read).then_some(names)
}

/// Whether a job on a branch or tag of its writer's own may use an environment, and no person lets it through.
fn is_open(environment: &Environment, facts: &RepositoryFacts) -> Truth {
    if environment.protection_rules.iter().any(|rule| rule.kind == "required_reviewers") {
        return Truth::No;
    }
    match environment.deployment_branch_policy {
        None => Truth::Yes,
        Some(policy) if policy.custom_branch_policies => {
            match facts.environment_branches.get(&environment.name).and_then(Told::get) {
                Some(patterns) => patterns.iter().fold(Truth::No, |some, pattern| some.or(is_free(pattern, facts))),
                None => Truth::Unknown,
            }
        }
        Some(_) => protects_nothing(facts),
    }
}

/// Whether no branch of a repository is protected: an environment that is for protected branches is open to all of them
/// then ("Managing environments for deployment", Deployment branches and tags).
fn protects_nothing(facts: &RepositoryFacts) -> Truth {
    let classic = facts.protection.values().filter_map(Told::get).any(Option::is_some);
    match facts.branches.get() {
        _ if classic => Truth::No,
        Some(branches) => branches.iter().fold(Truth::Yes, |none, branch| {
            none.and(branch.protected.map_or(Truth::Unknown, |protected| Truth::from(!protected)))
        }),
        None => Truth::Unknown,
    }
}

/// Whether whoever may push can make or change a branch or tag that fits a pattern: one that names a protected branch
/// leaves none, and one with a wildcard leaves names that nobody has taken ("Managing environments for deployment").
fn is_free(pattern: &NamePattern, facts: &RepositoryFacts) -> Truth {
    if pattern.kind.as_deref() == Some("tag") || pattern.name.contains(['*', '?', '[']) {
        return Truth::Yes;
    }
    let branches = facts.branches.all();
    let guarded = branches.iter().any(|branch| branch.name == pattern.name && branch.protected != Some(false));
    // What stands before the default branch is what this is asked for.
    match guarded || facts.default_branch() == Some(pattern.name.as_str()) {
        true => Truth::No,
        false if facts.branches.is_read() => Truth::Yes,
        false => Truth::Unknown,
    }
}
