//! Admission: what may refuse a request that RBAC allows. Only what refuses is kept: a guard that warns, audits, or lets
//! through what it cannot judge is none.

use std::sync::Arc;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;
use serde_json::value::RawValue;

use super::take::{Taking, member};
use super::{Cluster, Origin};
use crate::documents::{Found, Problem, Step};
use crate::rbac::{LabelRequirement, LabelSelector, Subject};

/// Whose requests a guard looks at.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Whom {
    Everyone,
    /// These; other kinds of subjects than RBAC's match nobody.
    Subjects(Vec<Subject>),
    /// All but these.
    AllBut(Vec<Subject>),
    /// A condition decides that is not read here.
    Unread,
}

/// Which requests a guard looks at.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Matched {
    pub(crate) groups: Vec<Arc<str>>,
    /// As admission writes them: `pods`, `pods/*`, `*/scale`, `*` without subresources, `*/*`; or kinds.
    pub(crate) resources: Vec<Arc<str>>,
    /// Whether `resources` are kinds (`Deployment`) rather than resources.
    pub(crate) are_kinds: bool,
    pub(crate) verbs: Vec<&'static str>,
}

/// A guard.
#[derive(Clone, Debug)]
pub(crate) struct Guard {
    pub(crate) origin: Origin,
    pub(crate) matched: Vec<Matched>,
    /// The namespaces whose requests it looks at.
    pub(crate) namespaces: Vec<LabelSelector>,
    /// The one namespace that it lives in and looks at.
    pub(crate) home: Option<Arc<str>>,
    pub(crate) whom: Whom,
    /// The name by which a binding puts it in force; empty = it is.
    pub(crate) policy: Arc<str>,
}

/// A binding that puts a ValidatingAdmissionPolicy in force and refuses what it finds.
#[derive(Clone, Debug)]
pub(crate) struct GuardBinding {
    pub(crate) policy: Arc<str>,
    pub(crate) namespaces: Vec<LabelSelector>,
    pub(crate) origin: Origin,
}

const REGISTRATION: &str = "admissionregistration.k8s.io";

pub(super) fn is_guard(group: &str, kind: &str) -> bool {
    match group {
        REGISTRATION => matches!(
            kind,
            "ValidatingWebhookConfiguration" | "ValidatingAdmissionPolicy" | "ValidatingAdmissionPolicyBinding"
        ),
        "kyverno.io" => matches!(kind, "ClusterPolicy" | "Policy"),
        "policies.kyverno.io" => matches!(kind, "ValidatingPolicy" | "NamespacedValidatingPolicy"),
        "constraints.gatekeeper.sh" => true,
        _ => false,
    }
}

/// Takes a guard or its binding.
pub(super) fn take(cluster: &mut Cluster, found: &Found<'_, '_>, taking: &mut Taking<'_>) -> Result<(), Problem> {
    let object = &found.object;
    let texts = [object.spec, object.webhooks].into_iter().flatten();
    cluster.guards_pods |= texts.into_iter().any(|raw| speaks_of_pods(raw.get()));
    match (object.group(), object.kind.as_str()) {
        (REGISTRATION, "ValidatingWebhookConfiguration") => {
            let webhooks: Vec<Webhook> = member(found, object.webhooks, "webhooks")?.unwrap_or_default();
            for (at, webhook) in webhooks.into_iter().enumerate() {
                cluster.guards.extend(webhook.guard(at, found, taking));
            }
        }
        (REGISTRATION, "ValidatingAdmissionPolicyBinding") => {
            let spec: BindingSpec = member(found, object.spec, "spec")?.unwrap_or_default();
            let matched = spec.match_resources;
            if denies(&spec.validation_actions) && matched.is_whole() && matched.resource_rules.is_empty() {
                cluster.guard_bindings.push(GuardBinding {
                    policy: taking.share(&spec.policy_name),
                    namespaces: matched.namespace_selector.into_iter().filter(is_some_selector).collect(),
                    origin: taking.origin(found.spot.clone()),
                });
            }
        }
        (REGISTRATION | "policies.kyverno.io", _) => {
            let spec: PolicySpec = member(found, object.spec, "spec")?.unwrap_or_default();
            cluster.guards.extend(spec.guard(found, taking));
        }
        ("kyverno.io", _) => {
            let spec: KyvernoSpec = member(found, object.spec, "spec")?.unwrap_or_default();
            cluster.guards.extend(spec.guards(found, taking));
        }
        _ => {
            let spec: ConstraintSpec = member(found, object.spec, "spec")?.unwrap_or_default();
            cluster.guards.extend(spec.guard(found, taking));
        }
    }
    Ok(())
}

/// Whether the rules of a guard are about pods, in any of the ways to write them.
fn speaks_of_pods(text: &str) -> bool {
    ["pods", "Pod\"", "\"*\"", "\"*/"].iter().any(|way| text.contains(way))
}

fn denies(actions: &[String]) -> bool {
    actions.iter().any(|action| action.eq_ignore_ascii_case("deny"))
}

/// Failing open is no control; what is not set fails closed.
fn closed(policy: Option<&str>) -> bool {
    policy != Some("Ignore")
}

/// Conditions decide which requests are looked at. One about who asks leaves open whose; one about the object leaves some
/// objects out, so that the guard does not stand before the operation as such.
fn whom(conditions: &[Condition]) -> Option<Whom> {
    if conditions.is_empty() {
        return Some(Whom::Everyone);
    }
    conditions.iter().all(Condition::is_about_who).then_some(Whom::Unread)
}

/// The verbs of RBAC that an admission operation stands for.
fn verbs(operations: &[String]) -> Vec<&'static str> {
    let mut verbs: Vec<&'static str> = operations
        .iter()
        .flat_map(|operation| match operation.as_str() {
            "CREATE" => &["create"][..],
            "UPDATE" => &["update", "patch"],
            "DELETE" => &["delete", "deletecollection"],
            // Sent to subresources such as pods/exec; `get` sufficed before 1.35.
            "CONNECT" => &["connect"],
            "*" => &["create", "update", "patch", "delete", "deletecollection", "connect"],
            _ => &[],
        })
        .copied()
        .collect();
    verbs.sort_unstable();
    verbs.dedup();
    verbs
}

fn shared(texts: &[String], taking: &mut Taking<'_>) -> Vec<Arc<str>> {
    texts.iter().map(|text| taking.share(text)).collect()
}

/// An expression in CEL. It is not evaluated.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Condition {
    expression: String,
}

impl Condition {
    /// Whether it asks who makes the request, or what else that one may do.
    fn is_about_who(&self) -> bool {
        ["userInfo", "authorizer"].iter().any(|word| self.expression.contains(word))
    }
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ResourceRule {
    operations: Vec<String>,
    api_groups: Vec<String>,
    resources: Vec<String>,
    resource_names: Vec<String>,
}

impl ResourceRule {
    /// Rules for single objects by name do not stand before the operation as such.
    fn matched(&self, taking: &mut Taking<'_>) -> Option<Matched> {
        self.resource_names.is_empty().then(|| Matched {
            groups: shared(&self.api_groups, taking),
            resources: shared(&self.resources, taking),
            are_kinds: false,
            verbs: verbs(&self.operations),
        })
    }
}

/// An empty selector selects everything and is as good as none.
fn is_some_selector(selector: &LabelSelector) -> bool {
    !selector.match_labels.is_empty() || !selector.match_expressions.is_empty()
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Webhook {
    failure_policy: Option<String>,
    rules: Vec<ResourceRule>,
    namespace_selector: Option<LabelSelector>,
    object_selector: Option<LabelSelector>,
    match_conditions: Vec<Condition>,
}

impl Webhook {
    fn guard(self, at: usize, found: &Found<'_, '_>, taking: &mut Taking<'_>) -> Option<Guard> {
        let everything = !self.object_selector.as_ref().is_some_and(is_some_selector);
        if !closed(self.failure_policy.as_deref()) || !everything {
            return None;
        }
        let path = [Step::Key("webhooks"), Step::Index(at)];
        Some(Guard {
            origin: taking.origin(found.spot_of(&path, &format!("/webhooks/{at}"))),
            matched: self.rules.iter().filter_map(|rule| rule.matched(taking)).collect(),
            namespaces: self.namespace_selector.into_iter().filter(is_some_selector).collect(),
            home: None,
            whom: whom(&self.match_conditions)?,
            policy: taking.share(""),
        })
    }
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct MatchResources {
    resource_rules: Vec<ResourceRule>,
    exclude_resource_rules: Vec<ResourceRule>,
    namespace_selector: Option<LabelSelector>,
    object_selector: Option<LabelSelector>,
}

impl MatchResources {
    /// Whether all objects of its resources are looked at.
    fn is_whole(&self) -> bool {
        self.exclude_resource_rules.is_empty() && !self.object_selector.as_ref().is_some_and(is_some_selector)
    }
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct BindingSpec {
    policy_name: String,
    validation_actions: Vec<String>,
    match_resources: MatchResources,
}

/// ValidatingAdmissionPolicy, which a binding puts in force, and Kyverno's ValidatingPolicy, which is in force by itself.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct PolicySpec {
    failure_policy: Option<String>,
    match_constraints: MatchResources,
    match_conditions: Vec<Condition>,
    validations: Vec<Condition>,
    variables: Vec<Condition>,
    validation_actions: Vec<String>,
}

impl PolicySpec {
    fn guard(self, found: &Found<'_, '_>, taking: &mut Taking<'_>) -> Option<Guard> {
        let by_itself = found.object.group() != REGISTRATION;
        let matched = self.match_constraints;
        if !closed(self.failure_policy.as_deref())
            || !matched.is_whole()
            || (by_itself && !denies(&self.validation_actions))
        {
            return None;
        }
        let home = found.object.meta.namespace.some().filter(|_| by_itself).map(|home| taking.share(home));
        let whom = match whom(&self.match_conditions)? {
            // What it asks of a request may be asked of some and not of others.
            Whom::Everyone if self.validations.iter().chain(&self.variables).any(Condition::is_about_who) => {
                Whom::Unread
            }
            whom => whom,
        };
        Some(Guard {
            origin: taking.origin(found.spot.clone()),
            matched: matched.resource_rules.iter().filter_map(|rule| rule.matched(taking)).collect(),
            namespaces: matched.namespace_selector.into_iter().filter(is_some_selector).collect(),
            home,
            whom,
            policy: taking.share(if by_itself { "" } else { found.object.meta.name.as_str() }),
        })
    }
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct KyvernoSpec {
    validation_failure_action: Option<String>,
    failure_policy: Option<String>,
    validation_failure_action_overrides: Vec<IgnoredAny>,
    admission: Option<bool>,
    rules: Vec<KyvernoRule>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct KyvernoRule {
    r#match: KyvernoMatch,
    exclude: KyvernoMatch,
    preconditions: Option<IgnoredAny>,
    validate: Option<Box<RawValue>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct KyvernoMatch {
    any: Vec<KyvernoFilter>,
    all: Vec<KyvernoFilter>,
    #[serde(flatten)]
    alone: KyvernoFilter,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct KyvernoFilter {
    resources: Option<KyvernoResources>,
    subjects: Vec<Subject>,
    roles: Vec<String>,
    cluster_roles: Vec<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct KyvernoResources {
    kinds: Vec<String>,
    operations: Vec<String>,
    namespaces: Vec<String>,
    names: Vec<String>,
    name: Option<String>,
    selector: Option<Value>,
    annotations: Option<Value>,
    namespace_selector: Option<LabelSelector>,
}

impl KyvernoSpec {
    fn guards(self, found: &Found<'_, '_>, taking: &mut Taking<'_>) -> Vec<Guard> {
        // What is overridden in places is enforced in some only.
        let overridden = !self.validation_failure_action_overrides.is_empty();
        if !closed(self.failure_policy.as_deref()) || overridden || self.admission == Some(false) {
            return Vec::new();
        }
        let mut all = Vec::new();
        for (at, rule) in self.rules.iter().enumerate() {
            let action = |validate: &RawValue| {
                let held: Value = serde_json::from_str(validate.get()).unwrap_or_default();
                let overridden = held.get("failureActionOverrides").is_some();
                (held.get("failureAction").and_then(Value::as_str).map(str::to_owned), overridden)
            };
            let Some(validate) = rule.validate.as_ref().filter(|_| rule.preconditions.is_none()) else { continue };
            let (action, overridden) = action(validate);
            let action = action.or_else(|| self.validation_failure_action.clone()).filter(|_| !overridden);
            if action.is_some_and(|action| action.eq_ignore_ascii_case("enforce")) {
                all.extend(rule.guards(at, found, taking));
            }
        }
        all
    }
}

impl KyvernoRule {
    fn guards(&self, at: usize, found: &Found<'_, '_>, taking: &mut Taking<'_>) -> Vec<Guard> {
        let mut all = Vec::new();
        // Several filters that must all match leave some objects out.
        let filters: Vec<&KyvernoFilter> = match (&self.r#match.any[..], &self.r#match.all[..]) {
            ([], []) => vec![&self.r#match.alone],
            ([], [one]) => vec![one],
            (any, []) => any.iter().collect(),
            _ => Vec::new(),
        };
        let excluded: Vec<&KyvernoFilter> = match (&self.exclude.any[..], &self.exclude.all[..]) {
            ([], []) => vec![&self.exclude.alone],
            (any, all) => any.iter().chain(all).collect(),
        };
        let mut spared: Vec<Subject> = Vec::new();
        let mut unread = false;
        for filter in excluded.into_iter().filter(|filter| !filter.is_empty()) {
            // Objects that are spared by what they are: the rule does not stand before the operation as such.
            if filter.resources.is_some() && filter.subjects.is_empty() {
                return all;
            }
            unread |= filter.resources.is_some() || !filter.roles.is_empty() || !filter.cluster_roles.is_empty();
            spared.extend(filter.subjects.iter().cloned());
        }
        for filter in filters {
            let Some(resources) = &filter.resources else { continue };
            let some = resources.selector.is_some()
                || resources.annotations.is_some()
                || !resources.names.is_empty()
                || resources.name.is_some()
                || resources.namespaces.iter().any(|name| name.contains(['*', '?']));
            if some {
                continue;
            }
            let roles = !filter.roles.is_empty() || !filter.cluster_roles.is_empty();
            let whom = match (roles || unread, filter.subjects.is_empty(), spared.is_empty()) {
                (true, ..) | (_, false, false) => Whom::Unread,
                (_, false, true) => Whom::Subjects(filter.subjects.clone()),
                (_, true, false) => Whom::AllBut(spared.clone()),
                (_, true, true) => Whom::Everyone,
            };
            let operations = if resources.operations.is_empty() {
                vec!["CREATE".to_owned(), "UPDATE".to_owned()]
            } else {
                resources.operations.clone()
            };
            let path = ["spec", "rules"].map(Step::Key).into_iter();
            let path: Vec<_> = path.chain([Step::Index(at)]).collect();
            let mut namespaces: Vec<LabelSelector> = resources.namespace_selector.iter().cloned().collect();
            namespaces.retain(is_some_selector);
            if !resources.namespaces.is_empty() {
                namespaces.push(by_name("In", &resources.namespaces, taking));
            }
            all.push(Guard {
                origin: taking.origin(found.spot_of(&path, &format!("/spec/rules/{at}"))),
                matched: resources.kinds.iter().map(|kind| of_kind(kind, &operations, taking)).collect(),
                namespaces,
                home: found.object.meta.namespace.some().map(|home| taking.share(home)),
                whom,
                policy: taking.share(""),
            });
        }
        all
    }
}

impl KyvernoFilter {
    fn is_empty(&self) -> bool {
        self.resources.is_none() && self.subjects.is_empty() && self.roles.is_empty() && self.cluster_roles.is_empty()
    }
}

/// A kind as Kyverno writes it: `Pod`, `apps/v1/Deployment`, `*`, `Pod/exec`.
fn of_kind(text: &str, operations: &[String], taking: &mut Taking<'_>) -> Matched {
    let parts: Vec<&str> = text.split('/').collect();
    // A kind begins with a capital or is a star; before it stand group and version, after it a subresource.
    let at = parts.iter().rposition(|part| part.starts_with(|c: char| c.is_ascii_uppercase()) || *part == "*");
    let kind = at.and_then(|at| parts.get(at)).copied().unwrap_or(text);
    let sub = at.and_then(|at| parts.get(at + 1)).copied();
    let group = match at {
        Some(at) if at >= 2 => parts.first().copied().unwrap_or("*"),
        Some(1) if parts.first().is_some_and(|part| part.starts_with('v')) => "",
        _ => "*",
    };
    let resource = sub.map_or_else(|| kind.to_owned(), |sub| format!("{kind}/{sub}"));
    Matched {
        groups: vec![taking.share(group)],
        resources: vec![taking.share(&resource)],
        are_kinds: true,
        verbs: verbs(operations),
    }
}

/// Namespaces by name, as a selector on the label that the server gives every namespace.
fn by_name(operator: &str, names: &[String], taking: &mut Taking<'_>) -> LabelSelector {
    LabelSelector {
        match_labels: Default::default(),
        match_expressions: vec![LabelRequirement {
            key: taking.share("kubernetes.io/metadata.name"),
            operator: taking.share(operator),
            values: shared(names, taking),
        }],
    }
}

/// A constraint of Gatekeeper.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ConstraintSpec {
    enforcement_action: Option<String>,
    r#match: ConstraintMatch,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ConstraintMatch {
    kinds: Vec<ConstraintKinds>,
    namespaces: Vec<String>,
    excluded_namespaces: Vec<String>,
    namespace_selector: Option<LabelSelector>,
    label_selector: Option<LabelSelector>,
    name: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ConstraintKinds {
    api_groups: Vec<String>,
    kinds: Vec<String>,
}

impl ConstraintSpec {
    fn guard(self, found: &Found<'_, '_>, taking: &mut Taking<'_>) -> Option<Guard> {
        let matched = self.r#match;
        let some = matched.label_selector.as_ref().is_some_and(is_some_selector) || matched.name.is_some();
        let globs = matched.namespaces.iter().chain(&matched.excluded_namespaces).any(|name| name.contains('*'));
        if self.enforcement_action.as_deref().is_some_and(|action| action != "deny") || some || globs {
            return None;
        }
        let mut namespaces: Vec<LabelSelector> =
            matched.namespace_selector.into_iter().filter(is_some_selector).collect();
        if !matched.namespaces.is_empty() {
            namespaces.push(by_name("In", &matched.namespaces, taking));
        }
        if !matched.excluded_namespaces.is_empty() {
            namespaces.push(by_name("NotIn", &matched.excluded_namespaces, taking));
        }
        let operations = ["CREATE".to_owned(), "UPDATE".to_owned()];
        Some(Guard {
            origin: taking.origin(found.spot.clone()),
            matched: matched
                .kinds
                .iter()
                .map(|kinds| Matched {
                    groups: shared(&kinds.api_groups, taking),
                    resources: shared(&kinds.kinds, taking),
                    are_kinds: true,
                    verbs: verbs(&operations),
                })
                .collect(),
            namespaces,
            home: None,
            whom: Whom::Everyone,
            policy: taking.share(""),
        })
    }
}
