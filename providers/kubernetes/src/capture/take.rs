//! Takes objects one by one: what a kind's members mean, reduced to what is kept.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use evenhand_model::Timestamp;
use evenhand_model::document::FileFacts;
use evenhand_model::json_shape;
use evenhand_model::secret::Fingerprinter;
use foldhash::fast::FixedState;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{
    Account, BindingNote, BindingObject, Cloud, Cluster, CustomKind, Declared, KnownRules, Namespace, Origin, Repeated,
    RoleObject, Service, TokenSecret, agents, guards, mapped, network, pod, secret, signals, status,
};
use crate::documents::{Found, Meta, Problem, Spot, Step, Text, raw, steps};
use crate::rbac::{AggregationRule, Binding, Metadata, Role, RoleRef, Rule, Rules, Subject};

/// What is needed while one object is taken.
pub(super) struct Taking<'t> {
    pub(super) document: &'t Arc<str>,
    pub(super) file: FileFacts,
    pub(super) fingerprinter: &'t Fingerprinter,
    pub(super) texts: &'t mut HashSet<Arc<str>, FixedState>,
    /// Members that are not as their kind has them, of objects that are known without.
    pub(super) misfits: &'t mut Vec<Problem>,
}

impl Taking<'_> {
    /// A shared copy of a text that occurs often.
    pub(super) fn share(&mut self, text: &str) -> Arc<str> {
        if let Some(held) = self.texts.get(text) {
            return Arc::clone(held);
        }
        let shared: Arc<str> = Arc::from(text);
        self.texts.insert(Arc::clone(&shared));
        shared
    }

    pub(super) fn origin(&self, spot: Spot) -> Origin {
        Origin { document: Arc::clone(self.document), spot }
    }

    /// What a member says, and nothing where it is not as its kind has it, which is told.
    pub(super) fn or_told<T: Default>(&mut self, read: Result<T, Problem>) -> T {
        read.unwrap_or_else(|problem| {
            self.misfits.push(problem);
            T::default()
        })
    }
}

/// A reference by name.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Named<'a> {
    #[serde(borrow)]
    pub(super) name: Text<'a>,
}

/// A [`Subject`] as it stands in the document.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct SubjectText<'a> {
    #[serde(borrow)]
    kind: Text<'a>,
    #[serde(borrow)]
    api_group: Text<'a>,
    #[serde(borrow)]
    name: Text<'a>,
    #[serde(borrow)]
    namespace: Text<'a>,
}

/// A [`RoleRef`] as it stands in the document.
#[derive(Default, Deserialize)]
#[serde(default)]
struct RoleRefText<'a> {
    #[serde(borrow)]
    kind: Text<'a>,
    #[serde(borrow)]
    name: Text<'a>,
}

/// A kind as a message may repeat it: in a damaged object anything may stand there, a secret too.
fn shown(kind: &str) -> &str {
    let is_kind = kind.len() <= 63
        && kind.starts_with(|first: char| first.is_ascii_uppercase())
        && kind.contains(|letter: char| letter.is_ascii_lowercase())
        && kind.chars().all(|letter| letter.is_ascii_alphanumeric());
    if is_kind { kind } else { "an object of another kind" }
}

/// A member that is there but not as its kind has it.
fn malformed(found: &Found<'_, '_>, member: &str, pointer: &str) -> Problem {
    let object = &found.object;
    Problem {
        place: found.spot_of(&steps(pointer), pointer).place(""),
        reason: format!(
            "`{member}` of {} `{}` does not have the form that its kind has",
            shown(object.kind.as_str()),
            object.meta.name.as_str()
        ),
    }
}

/// A member of every kind that is of another type than it has.
pub(super) fn mistyped(found: &Found<'_, '_>, pointer: &str) -> Problem {
    Problem {
        place: found.spot_of(&steps(pointer), pointer).place(""),
        reason: format!(
            "`{pointer}` of {} has a value of another type than expected",
            shown(found.object.kind.as_str())
        ),
    }
}

/// A member that its kind always has and that is absent or empty.
pub(super) fn missing(found: &Found<'_, '_>, member: &str) -> Problem {
    let object = &found.object;
    Problem {
        place: found.spot.place(""),
        reason: format!("{} `{}` has no `{member}`", shown(object.kind.as_str()), object.meta.name.as_str()),
    }
}

/// Parses a member that may be absent or null, but must have its form otherwise.
pub(super) fn member<'a, T: Deserialize<'a>>(
    found: &Found<'a, '_>,
    value: Option<&'a RawValue>,
    name: &str,
) -> Result<Option<T>, Problem> {
    match value {
        None => Ok(None),
        Some(value) => json_shape::from_str::<Option<T>>(value.get())
            .map_err(|unfit| malformed(found, name, &format!("/{name}{}", unfit.below))),
    }
}

fn time(text: &Text<'_>) -> Option<Timestamp> {
    text.as_str().parse().ok()
}

/// A day such as `2026-08-01`, at its beginning, or a full timestamp.
pub(super) fn day(text: &str) -> Option<Timestamp> {
    text.parse().ok().or_else(|| format!("{text}T00:00:00Z").parse().ok())
}

const RBAC: &str = "rbac.authorization.k8s.io";

/// Whether the labels and annotations of an object of this kind tell anything.
fn is_described(group: &str, kind: &str) -> bool {
    let is_of_server = match group {
        "" => matches!(kind, "ServiceAccount" | "Secret" | "Namespace"),
        RBAC => true,
        _ => false,
    };
    is_of_server
        || pod::is_workload(group, kind)
        || signals::platform_of(group, kind).is_some()
        || signals::model_platform_of(group, kind).is_some()
}

impl Cluster {
    /// Takes one object.
    pub(super) fn take(
        &mut self,
        found: &Found<'_, '_>,
        taking: &mut Taking<'_>,
        text: &str,
        known: &mut KnownRules,
    ) -> Result<(), Problem> {
        let object = &found.object;
        let (group, kind) = (object.group(), object.kind.as_str());
        let nameless = object.meta.name.is_empty();
        if nameless && let Some(kind) = kind.strip_suffix("List") {
            // A list that reaches this place has no items: none of the kind is there.
            if !kind.is_empty() {
                self.seen.insert(kind.into());
            }
            return Ok(());
        }
        if nameless && (group, kind) == ("", "Status") {
            self.refused.extend(status::of(found, taking));
            return Ok(());
        }
        if !self.seen.contains(kind) {
            self.seen.insert(kind.into());
        }
        if let Some(pointer) = object.wrong() {
            return Err(mistyped(found, pointer));
        }
        if object.api_version.is_empty() {
            return Err(Problem {
                place: found.spot.place(""),
                reason: format!("{} without `apiVersion`", shown(kind)),
            });
        }
        if nameless && !matches!(kind, "PodTemplate") {
            return Err(Problem {
                place: found.spot.place("/metadata"),
                reason: format!("{} without a name", shown(kind)),
            });
        }
        if let Some(pointer) = object.meta.misfit.filter(|_| is_described(group, kind)) {
            taking.misfits.push(mistyped(found, pointer));
        }
        match (group, kind) {
            ("", "ServiceAccount") => self.account(found, taking),
            ("", "Secret") => self.secret(found, taking),
            ("", "Service") => self.service(found, taking)?,
            ("", "Namespace") => {
                let declared = Declared::of(&object.meta, taking);
                let labels =
                    object.meta.labels.iter().map(|(key, value)| (taking.share(key), taking.share(value))).collect();
                self.namespaces.insert(taking.share(object.meta.name.as_str()), Namespace { declared, labels });
            }
            ("", "ConfigMap") => self.config_map(found, taking)?,
            ("networking.k8s.io" | "extensions", "NetworkPolicy") => {
                self.network.push(network::rules(found, taking)?);
            }
            _ if network::is_other(group, kind) => self.other_network = true,
            _ if guards::is_guard(group, kind) => guards::take(self, found, taking)?,
            (RBAC, "Role" | "ClusterRole") => return self.role(found, taking, text, known),
            (RBAC, "RoleBinding" | "ClusterRoleBinding") => return self.binding(found, taking),
            ("networking.k8s.io" | "extensions", "Ingress") | ("gateway.networking.k8s.io", "HTTPRoute") => {
                self.route(found, taking);
            }
            ("apiextensions.k8s.io", "CustomResourceDefinition") => self.custom_kind(found, taking)?,
            _ => {
                if let Some(workload) = pod::workload(found, taking)? {
                    if workload.unplaced && object.meta.uid.is_empty() && &*workload.account != "default" {
                        let message = format!(
                            "{kind} {} names no namespace and is read as `default/{}`; give its namespace, or read the rendered manifest",
                            workload.name, workload.name
                        );
                        self.hints.push((workload.origin.clone(), message));
                    }
                    self.workloads.push(workload);
                }
                if let Some(agent) = agents::agent(found, taking)? {
                    self.agents.push(agent);
                }
                self.models.extend(agents::model_settings(found, taking));
            }
        }
        Ok(())
    }

    /// The ConfigMaps that speak of identities.
    fn config_map(&mut self, found: &Found<'_, '_>, taking: &mut Taking<'_>) -> Result<(), Problem> {
        let object = &found.object;
        if object.meta.namespace.as_str() != "kube-system" {
            return Ok(());
        }
        let name = object.meta.name.as_str();
        self.aws_auth = Some(self.aws_auth.unwrap_or(false) || name == "aws-auth");
        match name {
            "aws-auth" => self.mapped.extend(mapped::of(found, taking)?),
            "kube-apiserver-legacy-service-account-token-tracking" => {
                let data: BTreeMap<Text<'_>, Text<'_>> = member(found, object.data, "data")?.unwrap_or_default();
                let since = data.iter().find(|(key, _)| key.as_str() == "since");
                self.tracked_since = since.and_then(|(_, since)| day(since.as_str()));
            }
            _ => {}
        }
        Ok(())
    }

    fn account(&mut self, found: &Found<'_, '_>, taking: &mut Taking<'_>) {
        let automount = taking.or_told(member(found, found.object.automount, "automountServiceAccountToken"));
        let pull_secrets: Option<Vec<Named<'_>>> =
            taking.or_told(member(found, found.object.pull_secrets, "imagePullSecrets"));
        let meta = &found.object.meta;
        let mut clouds: Vec<(Cloud, Arc<str>)> = meta
            .annotations
            .iter()
            .filter_map(|(key, value)| {
                let cloud = match key {
                    "eks.amazonaws.com/role-arn" => Cloud::Aws,
                    "azure.workload.identity/client-id" => Cloud::Azure,
                    "iam.gke.io/gcp-service-account" => Cloud::Google,
                    _ => return None,
                };
                // The ids of clients in Azure are the same in either case.
                let lower = (cloud == Cloud::Azure).then(|| Arc::from(value.trim().to_ascii_lowercase()));
                (!value.is_empty()).then(|| (cloud, lower.unwrap_or_else(|| Arc::from(value))))
            })
            .collect();
        clouds.sort();
        self.accounts.push(Box::new(Account {
            namespace: namespace(meta, taking),
            name: Arc::from(meta.name.as_str()),
            origin: taking.origin(found.spot.clone()),
            created: time(&meta.created),
            automount,
            declared: Declared::of(meta, taking),
            clouds,
            signals: signals::of_labels(&meta.labels)
                .map(|(key, clue)| {
                    let path = [Step::Key("metadata"), Step::Key("labels"), Step::Key(key)];
                    clue.at(taking.origin(found.spot_of(&path, &format!("/metadata/labels/{}", pod::escaped(key)))))
                })
                .collect(),
            pull_secrets: pull_secrets
                .iter()
                .flatten()
                .filter_map(|secret| secret.name.some())
                .map(|name| taking.share(name))
                .collect(),
            from_server: !meta.uid.is_empty(),
        }));
    }

    fn secret(&mut self, found: &Found<'_, '_>, taking: &mut Taking<'_>) {
        let object = &found.object;
        let meta = &object.meta;
        let (home, name) = (namespace(meta, taking), Arc::<str>::from(meta.name.as_str()));
        let origin = taking.origin(found.spot.clone());
        let in_metadata = meta.annotations.last_applied;
        let kind: Option<Text<'_>> = taking.or_told(member(found, object.type_, "type"));
        let kind = kind.unwrap_or_default();
        if kind.as_str() == "kubernetes.io/service-account-token" {
            let account = meta.annotations.get("kubernetes.io/service-account.name").unwrap_or_default();
            let last_used = meta.labels.get("kubernetes.io/legacy-token-last-used").and_then(day);
            let invalid = meta.labels.get("kubernetes.io/legacy-token-invalid-since").is_some();
            let created = time(&meta.created);
            let account = taking.share(account);
            self.tokens.push(TokenSecret {
                namespace: home,
                name,
                account,
                created,
                last_used,
                invalid,
                in_metadata,
                origin,
            });
            return;
        }
        let literals = secret::of_object(found, &home, &name, taking);
        if in_metadata && literals.is_empty() {
            let created = time(&meta.created);
            self.repeated.push(Repeated { namespace: Arc::clone(&home), name, created, origin });
        }
        self.stored.extend(literals.into_iter().map(|one| (Arc::clone(&home), one)));
    }

    fn service(&mut self, found: &Found<'_, '_>, taking: &mut Taking<'_>) -> Result<(), Problem> {
        #[derive(Default, Deserialize)]
        #[serde(rename_all = "camelCase", default)]
        struct Spec {
            selector: Option<BTreeMap<String, String>>,
            #[serde(rename = "type")]
            type_: Option<String>,
            #[serde(rename = "externalIPs")]
            external_ips: Option<Vec<String>>,
        }
        let spec: Spec = member(found, found.object.spec, "spec")?.unwrap_or_default();
        let selector = spec.selector.unwrap_or_default();
        self.services.push(Service {
            namespace: namespace(&found.object.meta, taking),
            name: Arc::from(found.object.meta.name.as_str()),
            selector: selector.iter().map(|(key, value)| (taking.share(key), taking.share(value))).collect(),
            outside: matches!(spec.type_.as_deref(), Some("LoadBalancer" | "NodePort"))
                || spec.external_ips.is_some_and(|ips| !ips.is_empty()),
        });
        Ok(())
    }

    /// The Services that an Ingress or HTTPRoute names, wherever they stand in it.
    fn route(&mut self, found: &Found<'_, '_>, taking: &mut Taking<'_>) {
        let mut routes = Routes::default();
        if let Some(spec) = raw::<serde_json::Value>(found.object.spec) {
            routes.below("/spec", "spec", &spec);
        }
        let Routes { names, wrong } = routes;
        if !wrong.is_empty() {
            // It may open any Service.
            self.dropped.insert(found.object.kind.as_str().into());
        }
        taking.misfits.extend(wrong.iter().map(|pointer| mistyped(found, pointer)));
        let home = namespace(&found.object.meta, taking);
        self.routed.extend(names.into_iter().map(|name| (Arc::clone(&home), Arc::from(name))));
    }

    fn custom_kind(&mut self, found: &Found<'_, '_>, taking: &mut Taking<'_>) -> Result<(), Problem> {
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct Spec {
            group: String,
            scope: String,
            names: Names,
            versions: Option<Vec<Version>>,
        }
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct Names {
            plural: String,
        }
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct Version {
            subresources: Option<BTreeMap<String, serde::de::IgnoredAny>>,
        }
        let Some(spec) = member::<Spec>(found, found.object.spec, "spec")? else { return Ok(()) };
        let has = |name: &str| {
            spec.versions
                .iter()
                .flatten()
                .any(|version| version.subresources.as_ref().is_some_and(|held| held.contains_key(name)))
        };
        let (status, scale) = (has("status"), has("scale"));
        if !spec.group.is_empty() && !spec.names.plural.is_empty() {
            self.custom_kinds.insert(CustomKind {
                group: taking.share(&spec.group),
                plural: taking.share(&spec.names.plural),
                namespaced: spec.scope != "Cluster",
                status,
                scale,
            });
        }
        Ok(())
    }

    fn role(
        &mut self,
        found: &Found<'_, '_>,
        taking: &mut Taking<'_>,
        text: &str,
        known: &mut KnownRules,
    ) -> Result<(), Problem> {
        let object = &found.object;
        let clusterwide = object.kind.as_str() == "ClusterRole";
        let KnownRules { each, lists } = known;
        let rules = match object.rules {
            Some(list) => lists.of(text, list.get(), || -> Result<Rules, Problem> {
                let parts: Vec<&RawValue> = member(found, Some(list), "rules")?.unwrap_or_default();
                let mut rules: Vec<Arc<Rule>> = Vec::with_capacity(parts.len());
                for part in parts {
                    rules.push(each.of(text, part.get(), || rule(found, part, taking))?);
                }
                Ok(rules.into())
            })?,
            None => Rules::default(),
        };
        let aggregation_rule: Option<AggregationRule> = member(found, object.aggregation_rule, "aggregationRule")?;
        let labels = if clusterwide {
            object.meta.labels.iter().map(|(key, value)| (taking.share(key), taking.share(value))).collect()
        } else {
            BTreeMap::new()
        };
        let lines = found.lines.map(|_| {
            (0..rules.len())
                .map(|at| match found.spot_of(&[Step::Key("rules"), Step::Index(at)], "") {
                    Spot::Line(line) => line,
                    _ => 0,
                })
                .collect()
        });
        self.roles.push(Box::new(RoleObject {
            role: Role {
                metadata: Metadata {
                    name: taking.share(object.meta.name.as_str()),
                    namespace: if clusterwide { Arc::from("") } else { namespace(&object.meta, taking) },
                    labels,
                },
                rules,
                aggregation_rule,
            },
            origin: Some(taking.origin(found.spot.clone())),
            lines,
            from_server: !object.meta.uid.is_empty(),
        }));
        Ok(())
    }

    fn binding(&mut self, found: &Found<'_, '_>, taking: &mut Taking<'_>) -> Result<(), Problem> {
        let object = &found.object;
        let clusterwide = object.kind.as_str() == "ClusterRoleBinding";
        let subjects: Vec<SubjectText<'_>> = member(found, object.subjects, "subjects")?.unwrap_or_default();
        let role_ref: RoleRefText<'_> = member(found, object.role_ref, "roleRef")?.unwrap_or_default();
        if role_ref.kind.is_empty() || role_ref.name.is_empty() {
            return Err(missing(found, "roleRef"));
        }
        if subjects.iter().any(|subject| subject.kind.is_empty() || subject.name.is_empty()) {
            return Err(malformed(found, "subjects", "/subjects"));
        }
        let mut share = |text: &Text<'_>| taking.share(&text.0);
        let subjects: Vec<Subject> = subjects
            .iter()
            .map(|subject| Subject {
                kind: share(&subject.kind),
                api_group: share(&subject.api_group),
                name: share(&subject.name),
                namespace: share(&subject.namespace),
            })
            .collect();
        let role_ref = RoleRef { kind: share(&role_ref.kind), name: share(&role_ref.name) };
        // In many namespaces it bears the name of its role.
        let name = object.meta.name.as_str();
        let name = if *name == *role_ref.name { Arc::clone(&role_ref.name) } else { Arc::from(name) };
        let metadata = Metadata {
            name,
            namespace: if clusterwide { Arc::from("") } else { namespace(&object.meta, taking) },
            labels: BTreeMap::new(),
        };
        let declared = Declared::of(&object.meta, taking);
        let bootstrap = object.meta.labels.get("kubernetes.io/bootstrapping").is_some();
        if bootstrap || declared.get().is_some() {
            let (namespace, name) = (Arc::clone(&metadata.namespace), Arc::clone(&metadata.name));
            self.binding_notes.push(BindingNote { namespace, name, declared, bootstrap });
        }
        self.bindings.push(Box::new(BindingObject {
            binding: Binding { metadata, subjects, role_ref },
            origin: taking.origin(found.spot.clone()),
        }));
        Ok(())
    }
}

/// What an Ingress or HTTPRoute says of Services.
#[derive(Default)]
struct Routes {
    names: Vec<String>,
    /// Pointers to what leads to a Service and has another type than expected.
    wrong: Vec<String>,
}

impl Routes {
    fn below(&mut self, pointer: &str, key: &str, value: &serde_json::Value) {
        use serde_json::Value;
        let fits = match key {
            "spec" | "defaultBackend" | "backend" | "http" | "service" => value.is_object(),
            "rules" | "paths" | "backendRefs" => value.is_array(),
            "serviceName" => value.is_string(),
            _ => true,
        };
        if !fits && !value.is_null() {
            self.wrong.push(pointer.to_owned());
            return;
        }
        match value {
            Value::String(name) if key == "serviceName" => self.names.push(name.clone()),
            Value::Object(service) if key == "service" => self.name(pointer, service.get("name")),
            Value::Object(object) => {
                for (key, inner) in object {
                    self.below(&format!("{pointer}/{key}"), key, inner);
                }
            }
            Value::Array(list) => {
                for (number, inner) in list.iter().enumerate() {
                    let pointer = format!("{pointer}/{number}");
                    match key {
                        "rules" | "paths" | "backendRefs" if !inner.is_object() => self.wrong.push(pointer),
                        "backendRefs" => self.name(&pointer, inner.get("name")),
                        _ => self.below(&pointer, "", inner),
                    }
                }
            }
            _ => {}
        }
    }

    fn name(&mut self, pointer: &str, name: Option<&serde_json::Value>) {
        match name {
            None | Some(serde_json::Value::Null) => {}
            Some(serde_json::Value::String(name)) => self.names.push(name.clone()),
            Some(_) => self.wrong.push(format!("{pointer}/name")),
        }
    }
}

/// A rule of a role.
fn rule(found: &Found<'_, '_>, part: &RawValue, taking: &mut Taking<'_>) -> Result<Arc<Rule>, Problem> {
    // Equal rules are read once, so that a rule does not know its place in the list.
    let rule = json_shape::from_str::<Rule>(part.get()).ok().filter(|rule| !rule.verbs.is_empty());
    let mut rule = rule.ok_or_else(|| malformed(found, "rules", "/rules"))?;
    for list in [
        &mut rule.verbs,
        &mut rule.api_groups,
        &mut rule.resources,
        &mut rule.resource_names,
        &mut rule.non_resource_urls,
    ] {
        for text in list {
            *text = taking.share(text);
        }
    }
    Ok(Arc::new(rule))
}

/// The namespace of a namespaced object; where a manifest leaves it open, the one that `kubectl apply` uses.
pub(super) fn namespace(meta: &Meta<'_>, taking: &mut Taking<'_>) -> Arc<str> {
    taking.share(meta.namespace.some().unwrap_or("default"))
}
