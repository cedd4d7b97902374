//! Covers: whether rules reach everything that other rules reach, as the server's escalation check decides it.
//!
//! The comparison is syntactic: a star is covered by a star only, and two rules never combine.

use std::sync::Arc;

use super::Rule;
use super::rule::url_matches;

/// Whether one URL pattern covers another.
pub fn non_resource_url_covers(owner: &str, requested: &str) -> bool {
    url_matches(owner, requested)
}

/// The parts of `servant` that no rule of `owner` covers; none = all is covered.
///
/// Each part has one verb and one group with one resource and at most one name, or one verb and one URL.
pub fn covers(owner: &[Rule], servant: &[Rule]) -> Vec<Rule> {
    servant.iter().flat_map(parts).filter(|part| !owner.iter().any(|rule| rule_covers(rule, part))).collect()
}

fn parts(rule: &Rule) -> Vec<Rule> {
    let mut parts = Vec::new();
    for group in &rule.api_groups {
        for resource in &rule.resources {
            for verb in &rule.verbs {
                let part = Rule {
                    verbs: vec![Arc::clone(verb)],
                    api_groups: vec![Arc::clone(group)],
                    resources: vec![Arc::clone(resource)],
                    ..Rule::default()
                };
                if rule.resource_names.is_empty() {
                    parts.push(part);
                } else {
                    parts.extend(
                        rule.resource_names
                            .iter()
                            .map(|name| Rule { resource_names: vec![Arc::clone(name)], ..part.clone() }),
                    );
                }
            }
        }
    }
    for url in &rule.non_resource_urls {
        parts.extend(rule.verbs.iter().map(|verb| Rule {
            verbs: vec![Arc::clone(verb)],
            non_resource_urls: vec![Arc::clone(url)],
            ..Rule::default()
        }));
    }
    parts
}

fn has(list: &[Arc<str>], value: &str) -> bool {
    list.iter().any(|held| **held == *value)
}

fn all_or_star(owner: &[Arc<str>], part: &[Arc<str>]) -> bool {
    has(owner, "*") || part.iter().all(|value| has(owner, value))
}

fn rule_covers(owner: &Rule, part: &Rule) -> bool {
    all_or_star(&owner.verbs, &part.verbs)
        && all_or_star(&owner.api_groups, &part.api_groups)
        && (has(&owner.resources, "*") || part.resources.iter().all(|resource| resource_covered(owner, resource)))
        && part.non_resource_urls.iter().all(|url| owner.non_resource_urls.iter().any(|held| url_matches(held, url)))
        && (owner.resource_names.is_empty()
            || (!part.resource_names.is_empty()
                && part.resource_names.iter().all(|name| has(&owner.resource_names, name))))
}

fn resource_covered(owner: &Rule, resource: &str) -> bool {
    has(&owner.resources, resource)
        || resource.split_once('/').is_some_and(|(_, sub)| {
            owner.resources.iter().any(|held| held.strip_prefix("*/").is_some_and(|held| held == sub))
        })
}

/// Joins the verbs of rules that have one group, one resource, at most one name and no URLs.
pub fn compact(rules: &[Rule]) -> Vec<Rule> {
    let mut compacted: Vec<Rule> = Vec::new();
    let simple = |rule: &Rule| {
        rule.api_groups.len() == 1
            && rule.resources.len() == 1
            && rule.resource_names.len() <= 1
            && rule.non_resource_urls.is_empty()
    };
    for rule in rules {
        let same = compacted.iter_mut().find(|held| {
            simple(rule)
                && simple(held)
                && held.api_groups == rule.api_groups
                && held.resources == rule.resources
                && held.resource_names == rule.resource_names
        });
        match same {
            Some(held) => held.verbs.extend(rule.verbs.iter().cloned()),
            None => compacted.push(rule.clone()),
        }
    }
    compacted
}
