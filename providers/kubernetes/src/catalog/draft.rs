//! Which operations there are: those of every API server, those that a server says it serves, those that definitions add,
//! and those that rules name.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::kinds::{self, STANDARD_VERBS, verb_rank};
use crate::capture::CustomKind;
use crate::rbac::{Rule, is_dead_group};

/// Group, resource, subresource.
pub(super) type ResourceKey = (Arc<str>, Arc<str>, Arc<str>);

/// Verbs in the order of numbering.
pub(super) type Verbs = BTreeSet<(usize, Arc<str>)>;

/// A resource or subresource that a server says it serves.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Served {
    pub(crate) group: Arc<str>,
    pub(crate) resource: Arc<str>,
    /// Empty = the resource itself.
    pub(crate) sub: Arc<str>,
    pub(crate) namespaced: bool,
    pub(crate) verbs: Vec<Arc<str>>,
}

/// The operations, before they are numbered.
pub(super) struct Draft {
    /// For each resource whether it is namespaced, and its verbs.
    pub(super) resources: BTreeMap<ResourceKey, (bool, Verbs)>,
    pub(super) urls: BTreeMap<Arc<str>, Verbs>,
    /// The resources that a server is known to serve, with their verbs and subresources.
    pub(super) listed: BTreeSet<ResourceKey>,
}

fn ranked(verb: &str) -> (usize, Arc<str>) {
    (verb_rank(verb), Arc::from(verb))
}

fn all(verbs: &[&str]) -> Verbs {
    verbs.iter().map(|verb| ranked(verb)).collect()
}

impl Draft {
    /// What every API server has.
    pub(super) fn new() -> Self {
        let resources = kinds::builtin();
        let listed = resources.keys().cloned().collect();
        let urls = kinds::URLS.iter().map(|url| (Arc::from(*url), all(&["get"]))).collect();
        Self { resources, urls, listed }
    }

    /// Adds what a server says it serves.
    pub(super) fn serve(&mut self, served: &BTreeSet<Served>) {
        for one in served {
            let key = (Arc::clone(&one.group), Arc::clone(&one.resource), Arc::clone(&one.sub));
            self.listed.insert(key.clone());
            let (_, verbs) = self.resources.entry(key).or_insert_with(|| (one.namespaced, Verbs::new()));
            verbs.extend(one.verbs.iter().map(|verb| (verb_rank(verb), Arc::clone(verb))));
        }
    }

    /// Adds what definitions add.
    pub(super) fn define(&mut self, custom: &[CustomKind]) {
        for kind in custom {
            let mut add = |sub: &str, verbs: &[&str]| {
                self.resources
                    .entry((Arc::clone(&kind.group), Arc::clone(&kind.plural), Arc::from(sub)))
                    .or_insert_with(|| (kind.namespaced, all(verbs)));
            };
            add("", STANDARD_VERBS);
            if kind.status {
                add("status", kinds::STATE_VERBS);
            }
            if kind.scale {
                add("scale", kinds::STATE_VERBS);
            }
        }
    }

    /// Adds what rules name: there may be resources that nothing else speaks of.
    pub(super) fn name<'r>(&mut self, rules: impl Iterator<Item = &'r Rule>) {
        let mut open_groups: BTreeSet<Arc<str>> = BTreeSet::new();
        let mut open_resources: BTreeSet<(Arc<str>, Arc<str>)> = BTreeSet::new();
        for rule in rules {
            for url in rule.non_resource_urls.iter().filter(|url| !url.trim_end_matches('*').is_empty()) {
                let held = self.urls.entry(Arc::clone(url)).or_insert_with(|| all(&["get"]));
                held.extend(rule.verbs.iter().filter(|one| is_verb(one)).map(|one| ranked(one)));
            }
            for group in rule.api_groups.iter().filter(|group| !is_dead_group(group)) {
                for text in &rule.resources {
                    if &**text == "*" {
                        if &**group != "*" {
                            open_groups.insert(Arc::clone(group));
                        }
                        continue;
                    }
                    if text.contains('*') {
                        continue;
                    }
                    let (resource, sub) = text.split_once('/').unwrap_or((text, ""));
                    if resource.is_empty() {
                        continue;
                    }
                    let key = (Arc::clone(group), Arc::<str>::from(resource), Arc::<str>::from(sub));
                    if &**group == "*" {
                        open_resources.insert((key.1, key.2));
                    } else {
                        self.name_one(key, &rule.verbs);
                    }
                }
            }
        }
        // A star over a group of which nothing else is known still grants something: one entry stands for it.
        let none: Arc<str> = Arc::from("");
        for group in open_groups {
            if !self.resources.keys().any(|(held, ..)| *held == group) {
                self.resources.insert((group, Arc::from("*"), Arc::clone(&none)), (true, all(STANDARD_VERBS)));
            }
        }
        for (resource, sub) in open_resources {
            if !self.resources.keys().any(|(_, held, held_sub)| *held == resource && *held_sub == sub) {
                self.resources.insert((Arc::from("*"), resource, sub), (true, all(STANDARD_VERBS)));
            }
        }
    }

    /// Adds a resource that a rule names with these verbs.
    fn name_one(&mut self, key: ResourceKey, verbs: &[Arc<str>]) {
        let known = self.listed.contains(&key);
        let whole = (Arc::clone(&key.0), Arc::clone(&key.1), Arc::from(""));
        let namespaced = self.resources.get(&whole).is_none_or(|(namespaced, _)| *namespaced);
        let usual = match &*key.2 {
            "" => STANDARD_VERBS,
            "status" | "scale" => kinds::STATE_VERBS,
            _ => &[],
        };
        let (_, held) = self.resources.entry(key).or_insert_with(|| (namespaced, all(usual)));
        let mut named = verbs.iter().filter(|one| is_verb(one)).peekable();
        if named.peek().is_none() && held.is_empty() {
            held.extend(all(&["get", "create", "patch", "update"]));
        }
        // A standard verb that a listed resource does not have is refused by the server whoever asks.
        held.extend(named.filter(|one| !known || !STANDARD_VERBS.contains(&&***one)).map(|one| ranked(one)));
    }
}

/// A verb that a request can have: lower-case, and no star.
fn is_verb(verb: &str) -> bool {
    !verb.is_empty()
        && !verb.contains('*')
        && !verb.chars().any(|c| c.is_ascii_uppercase())
        && !matches!(verb, "proxy" | "redirect")
}
