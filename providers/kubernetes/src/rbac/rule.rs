//! One rule against one request, and one subject list against one user.

use std::sync::Arc;

use super::{Request, Rule, Subject, account_of_user};

fn has(list: &[Arc<str>], value: &str) -> bool {
    list.iter().any(|held| **held == *value)
}

/// Whether a rule allows a request, whoever asks.
pub fn rule_allows(rule: &Rule, request: &Request) -> bool {
    if !has(&rule.verbs, "*") && !has(&rule.verbs, &request.verb) {
        return false;
    }
    if !request.resource_request {
        return rule.non_resource_urls.iter().any(|held| url_matches(held, &request.path));
    }
    (has(&rule.api_groups, "*") || has(&rule.api_groups, &request.api_group))
        && resource_allowed(&rule.resources, &request.resource, &request.subresource)
        && (rule.resource_names.is_empty() || has(&rule.resource_names, &request.name))
}

/// Whether a URL of a rule reaches the URL of a request.
pub(super) fn url_matches(held: &str, asked: &str) -> bool {
    held == asked || (held.ends_with('*') && asked.starts_with(held.trim_end_matches('*')))
}

/// Whether the resources of a rule reach a resource that is written as `pods/exec`, with its subresource beside it.
pub fn resource_matches(resources: &[Arc<str>], combined: &str, subresource: &str) -> bool {
    resources.iter().any(|held| {
        &**held == "*"
            || **held == *combined
            || (!subresource.is_empty() && held.strip_prefix("*/").is_some_and(|sub| sub == subresource))
    })
}

/// As [`resource_matches`], without writing the combined name first.
fn resource_allowed(resources: &[Arc<str>], resource: &str, subresource: &str) -> bool {
    if subresource.is_empty() {
        return resources.iter().any(|held| &**held == "*" || **held == *resource);
    }
    resources.iter().any(|held| {
        &**held == "*"
            || held.strip_prefix("*/").is_some_and(|sub| sub == subresource)
            || held.strip_prefix(resource).and_then(|rest| rest.strip_prefix('/')).is_some_and(|sub| sub == subresource)
    })
}

/// Whether a text is a way to write the core group that no server understands.
pub fn is_dead_group(group: &str) -> bool {
    matches!(group, "core" | "v1")
}

/// Groups and resources that a rule names and no request has, so that this part of it grants nothing: the core group
/// written as a word, and stars that are no wildcards.
pub fn dead_parts(rule: &Rule) -> impl Iterator<Item = &Arc<str>> {
    let groups = rule.api_groups.iter().filter(|group| is_dead_group(group));
    let star = |text: &str| text.strip_prefix("*/").is_some_and(|sub| !sub.is_empty() && !sub.contains('*'));
    groups.chain(rule.resources.iter().filter(move |text| text.contains('*') && &***text != "*" && !star(text)))
}

/// Which of the subjects of a binding is the user, if any. The namespace is the binding's.
pub fn applies_to(subjects: &[Subject], user: &str, groups: &[Arc<str>], namespace: &str) -> Option<usize> {
    subjects.iter().position(|subject| match &*subject.kind {
        "User" => *subject.name == *user,
        "Group" => has(groups, &subject.name),
        "ServiceAccount" => {
            let home = if subject.namespace.is_empty() { namespace } else { &subject.namespace };
            !home.is_empty() && account_of_user(user).is_some_and(|(held, name)| held == home && name == &*subject.name)
        }
        _ => false,
    })
}
