//! Machines that may write workflow files: what they write runs before anybody has looked at it, on a branch of their own,
//! with the secrets of the repository ("Security hardening for GitHub Actions", Using secrets). One of these may be the key
//! of whoever is let past a gate, or may change it: which it is, no answer tells.
//!
//! People who may write can do the same, and then a person has done it. Neither the permission for workflow files nor that
//! for contents is enough alone.

use evenhand_model::control::Way;
use evenhand_model::evidence::Truth;

use super::Faced;
use crate::documents::gates::Environment;
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

/// Names of the secrets that a workflow gets on any branch, sorted; `None` = not all lists of them were read.
fn secrets(facts: &RepositoryFacts) -> Option<Vec<&str>> {
    let open = |environment: &&Environment| {
        let reviewed = environment.protection_rules.iter().any(|rule| rule.kind == "required_reviewers");
        !reviewed && environment.deployment_branch_policy.is_none()
    };
    let of_environments = facts.environments.all().iter().map(|held| &held.value).filter(open);
    let of_environments = of_environments.map(|environment| facts.environment_secrets.get(&environment.name));
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
