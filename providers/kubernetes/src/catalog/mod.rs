//! The operations of a capture: verbs on the resources that an API server has or says it has, that custom resource
//! definitions add, and that rules name.
//!
//! Operations are sorted by group, resource, subresource and verb, reading verbs first, so that a whole group, a whole
//! resource and `get, list, watch` of a resource are one range each. URLs follow the resources.

mod aliases;
mod class;
mod draft;
mod guarded;
mod kinds;

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use evenhand_model::catalog::{AccessLevel, Catalog, CatalogSource, OperationClass};
use evenhand_model::control::ControlKind;
use evenhand_model::evidence::Truth;
use evenhand_model::glob::Glob;
use evenhand_model::opset::{OpSet, OperationIx};
use foldhash::fast::FixedState;

use crate::capture::CustomKind;
use crate::rbac::{Rule, dead_parts, non_resource_url_covers};
use draft::{Draft, ResourceKey};

pub(crate) use aliases::is_called;
pub(crate) use draft::Served;
use kinds::VERSION;

/// A resource or subresource.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) group: Arc<str>,
    pub(crate) resource: Arc<str>,
    pub(crate) sub: Arc<str>,
    pub(crate) namespaced: bool,
    /// Whether a server is known to serve it, so that its subresources are known as well; else only a definition or a rule
    /// speaks of it.
    pub(crate) listed: bool,
    /// In the order of numbering.
    pub(crate) verbs: Vec<Arc<str>>,
    /// The number of the first verb.
    first: u32,
}

/// A URL, or a pattern of URLs that stands for whatever lies below it.
#[derive(Clone, Debug)]
struct Url {
    text: Arc<str>,
    verbs: Vec<Arc<str>>,
    first: u32,
}

/// The operations of a capture.
#[derive(Clone, Debug)]
pub(crate) struct Operations {
    entries: Vec<Entry>,
    by_name: HashMap<ResourceKey, u32, FixedState>,
    urls: Vec<Url>,
    names: Vec<Arc<str>>,
    levels: Vec<AccessLevel>,
    /// Summed weights of all operations before each number.
    weights: Vec<u64>,
    resources: OpSet,
    in_namespaces: OpSet,
    escalation: OpSet,
    log_tamper: OpSet,
    gate_tamper: OpSet,
    secret_read: OpSet,
    high_risk: OpSet,
}

/// What a rule grants.
#[derive(Clone, Debug, Default)]
pub(crate) struct Granting {
    /// Bound in the whole cluster.
    pub(crate) cluster: Arc<OpSet>,
    /// Bound in a namespace.
    pub(crate) namespaced: Arc<OpSet>,
    /// Groups and resources that the rule names and no server understands: that part of it grants nothing.
    pub(crate) dead: Vec<Arc<str>>,
}

impl Operations {
    /// The catalogue of a capture with these custom resources and rules, and with what a server says itself that it has.
    pub(crate) fn new<'r>(
        custom: &[CustomKind],
        served: &BTreeSet<Served>,
        rules: impl Iterator<Item = &'r Rule>,
    ) -> Self {
        let mut draft = Draft::new();
        draft.serve(served);
        draft.define(custom);
        draft.name(rules);
        let Draft { resources: draft, urls, listed } = draft;
        let mut operations = Self {
            entries: Vec::with_capacity(draft.len()),
            by_name: HashMap::default(),
            urls: Vec::with_capacity(urls.len()),
            names: Vec::new(),
            levels: Vec::new(),
            weights: vec![0],
            resources: OpSet::new(),
            in_namespaces: OpSet::new(),
            escalation: OpSet::new(),
            log_tamper: OpSet::new(),
            gate_tamper: OpSet::new(),
            secret_read: OpSet::new(),
            high_risk: OpSet::new(),
        };
        let mut classes: [Vec<(u32, u32)>; 4] = Default::default();
        let mut at = 0u32;
        for ((group, resource, sub), (namespaced, verbs)) in draft {
            let verbs: Vec<Arc<str>> = verbs.into_iter().map(|(_, verb)| verb).collect();
            let key = (Arc::clone(&group), Arc::clone(&resource), Arc::clone(&sub));
            let listed = listed.contains(&key);
            operations.by_name.insert(key, u32::try_from(operations.entries.len()).unwrap_or(u32::MAX));
            let entry = Entry { group, resource, sub, namespaced, listed, verbs, first: at };
            for verb in &entry.verbs {
                operations.names.push(format!("{verb} {}", entry.name()).into());
                operations.levels.push(class::level(&entry, verb));
                for (class, ranges) in class::CLASSES.iter().zip(&mut classes) {
                    if class::is(*class, &entry, verb) {
                        ranges.push((at, at + 1));
                    }
                }
                at += 1;
            }
            operations.entries.push(entry);
        }
        operations.resources = OpSet::from_ranges([(0, at)]);
        let local = operations.entries.iter().filter(|entry| entry.namespaced);
        operations.in_namespaces = OpSet::from_ranges(local.map(|entry| (entry.first, entry.end())));
        for (text, verbs) in urls {
            let verbs: Vec<Arc<str>> = verbs.into_iter().map(|(_, verb)| verb).collect();
            for verb in &verbs {
                operations.names.push(format!("{verb} {text}").into());
                operations.levels.push(if matches!(&**verb, "get" | "head" | "options") {
                    AccessLevel::Read
                } else {
                    AccessLevel::Write
                });
            }
            let first = at;
            at += u32::try_from(verbs.len()).unwrap_or(u32::MAX);
            operations.urls.push(Url { text, verbs, first });
        }
        let [escalation, log_tamper, gate_tamper, secret_read] = classes.map(OpSet::from_ranges);
        operations.escalation = escalation;
        operations.log_tamper = log_tamper;
        operations.gate_tamper = gate_tamper;
        operations.secret_read = secret_read;
        for operation in 0..at {
            let before = operations.weights.last().copied().unwrap_or(0);
            operations.weights.push(before + u64::from(operations.weight(OperationIx(operation))));
        }
        operations.high_risk = (0..at).map(OperationIx).filter(|operation| operations.high_risk(*operation)).collect();
        operations
    }

    /// All operations on resources, URLs apart.
    pub(crate) fn resources(&self) -> &OpSet {
        &self.resources
    }

    /// Those on resources that lie in namespaces.
    pub(crate) fn in_namespaces(&self) -> &OpSet {
        &self.in_namespaces
    }

    /// The entry of a resource.
    pub(crate) fn entry(&self, group: &str, resource: &str, sub: &str) -> Option<&Entry> {
        let at = self.by_name.get(&(Arc::from(group), Arc::from(resource), Arc::from(sub)))?;
        self.entries.get(*at as usize)
    }

    /// The resource that people call so, in a group or in any: exactly, else by its singular or a short name. Of several
    /// the first, those that a server is known to serve before others.
    pub(crate) fn called(&self, word: &str, group: Option<&str>) -> Option<&Entry> {
        let asked = |entry: &&Entry| entry.sub.is_empty() && group.is_none_or(|group| *entry.group == *group);
        let exact = match group {
            Some(group) => self.entry(group, word, ""),
            None => self.entries.iter().filter(asked).find(|entry| *entry.resource == *word),
        };
        exact.or_else(|| {
            let called = |entry: &&Entry| aliases::is_called(word, &entry.group, &entry.resource);
            let all = || self.entries.iter().filter(asked).filter(called);
            all().find(|entry| entry.listed).or_else(|| all().next())
        })
    }

    /// Whether a server is known to serve a group, so that its resources are known.
    pub(crate) fn serves(&self, group: &str) -> bool {
        self.entries.iter().any(|entry| entry.listed && *entry.group == *group)
    }

    /// Whether a group has any resource, be it that only a rule names it.
    pub(crate) fn names_group(&self, group: &str) -> bool {
        self.entries.iter().any(|entry| *entry.group == *group)
    }

    /// The operations of some verbs on one resource; on all of its subresources, with a star for them.
    pub(crate) fn operations(&self, group: &str, resource: &str, sub: &str, verbs: &[&str]) -> OpSet {
        let all = |entry: &&Entry| *entry.group == *group && *entry.resource == *resource && !entry.sub.is_empty();
        let entries: Vec<&Entry> = match sub {
            "*" => self.entries.iter().filter(all).collect(),
            _ => self.entry(group, resource, sub).into_iter().collect(),
        };
        let numbered = entries.into_iter().flat_map(Entry::numbered);
        OpSet::from_ranges(numbered.filter(|(verb, _)| verbs.contains(verb)).map(|(_, at)| (at, at + 1)))
    }

    /// The operations whose verb begins with a text, on any resource.
    pub(crate) fn verbs_with_prefix(&self, prefix: &str) -> OpSet {
        OpSet::from_ranges(
            self.entries
                .iter()
                .flat_map(Entry::numbered)
                .filter(|(verb, _)| verb.starts_with(prefix))
                .map(|(_, at)| (at, at + 1)),
        )
    }

    /// What a rule grants, by the authorizer's own matching over the operations that exist.
    pub(crate) fn granted_by(&self, rule: &Rule) -> Granting {
        let mut granting = Granting::default();
        let star = |list: &[Arc<str>]| list.iter().any(|held| &**held == "*");
        let (all_groups, all_resources, all_verbs) = (star(&rule.api_groups), star(&rule.resources), star(&rule.verbs));
        let nameless = rule.resource_names.is_empty() || rule.resource_names.iter().any(|name| name.is_empty());
        let (mut cluster, mut namespaced) = (Vec::new(), Vec::new());
        let mut take = |entry: &Entry| {
            for (verb, at) in entry.numbered() {
                if !all_verbs && !rule.verbs.iter().any(|held| **held == *verb) {
                    continue;
                }
                // These requests carry no name, so a rule with names refuses them.
                if !nameless && entry.sub.is_empty() && matches!(verb, "create" | "deletecollection") {
                    continue;
                }
                cluster.push((at, at + 1));
                if entry.is_asked_in_namespaces(verb) {
                    namespaced.push((at, at + 1));
                }
            }
        };
        let subs: Vec<&str> = rule.resources.iter().filter_map(|held| held.strip_prefix("*/")).collect();
        if all_groups || all_resources || !subs.is_empty() {
            for entry in &self.entries {
                let group = all_groups || rule.api_groups.contains(&entry.group);
                let resource = all_resources
                    || (!entry.sub.is_empty() && subs.contains(&&*entry.sub))
                    || rule.resources.iter().any(|held| entry.is(held));
                if group && resource {
                    take(entry);
                }
            }
        } else {
            for group in &rule.api_groups {
                for text in &rule.resources {
                    let (resource, sub) = text.split_once('/').unwrap_or((text, ""));
                    if let Some(entry) = self.entry(group, resource, sub) {
                        take(entry);
                    }
                }
            }
        }
        for url in &self.urls {
            if rule.non_resource_urls.iter().any(|held| non_resource_url_covers(held, &url.text)) {
                for (at, verb) in (url.first..).zip(&url.verbs) {
                    if all_verbs || rule.verbs.contains(verb) {
                        cluster.push((at, at + 1));
                    }
                }
            }
        }
        granting.cluster = Arc::new(OpSet::from_ranges(cluster));
        granting.namespaced = Arc::new(OpSet::from_ranges(namespaced));
        granting.dead.extend(dead_parts(rule).cloned());
        granting
    }

    fn matching(&self, verb: &Glob, entry: impl Fn(&Entry) -> bool) -> OpSet {
        OpSet::from_ranges(
            self.entries
                .iter()
                .filter(|one| entry(one))
                .flat_map(Entry::numbered)
                .filter(|(held, _)| verb.matches(held) == Truth::Yes)
                .map(|(_, at)| (at, at + 1)),
        )
    }
}

impl Entry {
    /// `pods`, `pods/exec`, `deployments.apps/scale`.
    pub(crate) fn name(&self) -> String {
        let mut name = self.resource.to_string();
        if !self.group.is_empty() {
            name.push('.');
            name.push_str(&self.group);
        }
        if !self.sub.is_empty() {
            name.push('/');
            name.push_str(&self.sub);
        }
        name
    }

    /// Whether requests with this verb carry a namespace. Those for one Namespace carry that one, and whether a ClusterRole
    /// may be bound is asked in the namespace of the binding.
    pub(crate) fn is_asked_in_namespaces(&self, verb: &str) -> bool {
        match (&*self.group, &*self.resource) {
            ("", "namespaces") => !matches!(verb, "list" | "watch" | "create"),
            ("rbac.authorization.k8s.io", "clusterroles") => verb == "bind",
            _ => self.namespaced,
        }
    }

    fn is(&self, text: &str) -> bool {
        let (resource, sub) = text.split_once('/').unwrap_or((text, ""));
        *self.resource == *resource && *self.sub == *sub
    }

    fn numbered(&self) -> impl Iterator<Item = (&str, u32)> {
        self.verbs.iter().map(|verb| &**verb).zip(self.first..)
    }

    fn end(&self) -> u32 {
        self.first + u32::try_from(self.verbs.len()).unwrap_or(u32::MAX)
    }
}

impl Catalog for Operations {
    fn sources(&self) -> Vec<CatalogSource> {
        vec![
            CatalogSource { package: "kubernetes".into(), version: VERSION.into(), date: kinds::DATE.into() },
            CatalogSource {
                package: "capture".into(),
                version: "its own definitions and rules".into(),
                date: "".into(),
            },
        ]
    }

    fn len(&self) -> usize {
        self.names.len()
    }

    fn name(&self, operation: OperationIx) -> Arc<str> {
        self.names.get(operation.0 as usize).cloned().unwrap_or_default()
    }

    fn level(&self, operation: OperationIx) -> AccessLevel {
        self.levels.get(operation.0 as usize).copied().unwrap_or(AccessLevel::Write)
    }

    /// URLs outside the resources, and what an account asks of the server about itself: no namespace holds either, and
    /// every cluster grants them to everybody.
    fn unscopable(&self) -> OpSet {
        let about_itself = |entry: &&Entry| !entry.namespaced && entry.resource.starts_with("self");
        let asked = self.entries.iter().filter(about_itself).flat_map(Entry::numbered).map(|(_, at)| (at, at + 1));
        let urls = self.urls.iter().map(|url| (url.first, url.first + u32::try_from(url.verbs.len()).unwrap_or(0)));
        OpSet::from_ranges(asked.chain(urls))
    }

    fn expand(&self, pattern: &str) -> OpSet {
        let pattern = pattern.trim();
        if pattern == "*" {
            return OpSet::all(self.len());
        }
        let Some((verb, what)) = pattern.split_once(char::is_whitespace) else { return OpSet::new() };
        let (verb, what) = (Glob::wildcard(verb), what.trim());
        if what.starts_with('/') {
            let wanted = Glob::wildcard(what);
            let verb = match &verb {
                Glob::Literal(text) => Glob::literal(text.to_ascii_lowercase()),
                other => other.clone(),
            };
            return OpSet::from_ranges(
                self.urls
                    .iter()
                    .filter(|url| wanted.matches(&url.text) == Truth::Yes)
                    .flat_map(|url| url.verbs.iter().zip(url.first..))
                    .filter(|(held, _)| verb.matches(held) == Truth::Yes)
                    .map(|(_, at)| (at, at + 1)),
            );
        }
        if what == "*" {
            return self.matching(&verb, |_| true);
        }
        let (what, sub) = what.split_once('/').unwrap_or((what, ""));
        let sub = Glob::wildcard(sub);
        let found = match what.split_once('.') {
            Some((resource, group)) => {
                let group = Glob::wildcard(if group == "core" { "" } else { group });
                // A star over a group is everything in it, as in a rule.
                let whole = resource == "*" && sub == Glob::literal("");
                let resource = Glob::wildcard(resource);
                self.matching(&verb, |entry| {
                    group.matches(&entry.group) == Truth::Yes
                        && resource.matches(&entry.resource) == Truth::Yes
                        && (whole || sub.matches(&entry.sub) == Truth::Yes)
                })
            }
            None => {
                let resource = Glob::wildcard(what);
                let named = |entry: &Entry| {
                    resource.matches(&entry.resource) == Truth::Yes && sub.matches(&entry.sub) == Truth::Yes
                };
                // Without a group the core group is meant where it has the resource.
                let core = self.matching(&verb, |entry| entry.group.is_empty() && named(entry));
                if core.is_empty() || matches!(resource, Glob::Any) { self.matching(&verb, named) } else { core }
            }
        };
        if !found.is_empty() {
            return found;
        }
        // It may be the singular or a short name, as a point decision takes it too.
        let (word, group) = match what.split_once('.') {
            Some((word, group)) => (word, Some(if group == "core" { "" } else { group })),
            None => (what, None),
        };
        self.called(word, group).map_or_else(OpSet::new, |called| {
            self.matching(&verb, |entry| {
                entry.group == called.group
                    && entry.resource == called.resource
                    && sub.matches(&entry.sub) == Truth::Yes
            })
        })
    }

    fn class(&self, class: OperationClass) -> &OpSet {
        match class {
            OperationClass::Escalation => &self.escalation,
            OperationClass::LogTamper => &self.log_tamper,
            OperationClass::GateTamper => &self.gate_tamper,
            OperationClass::SecretRead => &self.secret_read,
        }
    }

    fn control_of_key(&self, _key: &str) -> Option<ControlKind> {
        // RBAC has no conditions.
        None
    }

    fn summarise(&self, operations: &OpSet) -> Vec<(Arc<str>, OpSet)> {
        let mut all: Vec<(Arc<str>, OpSet)> = Vec::new();
        let mut rest = operations.clone();
        if self.resources.is_subset(operations) {
            all.push(("* *".into(), self.resources.clone()));
            rest = rest.difference(&self.resources);
        }
        let mut groups: Vec<(&Arc<str>, u32, u32)> = Vec::new();
        for entry in &self.entries {
            match groups.last_mut() {
                Some((group, _, end)) if **group == entry.group => *end = entry.end(),
                _ => groups.push((&entry.group, entry.first, entry.end())),
            }
        }
        let single = |rest: &OpSet| -> Vec<(Arc<str>, OpSet)> {
            rest.iter().map(|operation| (self.name(operation), OpSet::single(operation))).collect()
        };
        for (group, first, end) in groups {
            let whole = OpSet::from_ranges([(first, end)]);
            let part = rest.intersection(&whole);
            if part.is_empty() {
                continue;
            }
            if part == whole {
                let name = if group.is_empty() { "core" } else { group };
                all.push((format!("* *.{name}").into(), whole));
            } else {
                all.extend(single(&part));
            }
        }
        all.extend(single(&rest.difference(&self.resources)));
        all
    }

    fn weight_of(&self, operations: &OpSet) -> u64 {
        let before = |at: u32| self.weights.get(at as usize).or(self.weights.last()).copied().unwrap_or(0);
        operations.ranges().iter().map(|(start, end)| before(*end) - before(*start)).sum()
    }

    fn high_risk_set(&self) -> OpSet {
        self.high_risk.clone()
    }
}

#[cfg(test)]
mod tests;
