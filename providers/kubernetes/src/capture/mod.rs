//! What the documents said, cluster by cluster, in a compact form that holds no secret.
//!
//! Every object is reduced when it is met: the text of a document is gone when its reading ends. Nothing here judges.

mod agents;
mod declared;
mod pod;
mod secret;
mod signals;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use evenhand_model::Timestamp;
use evenhand_model::document::{Document, FileFacts};
use evenhand_model::evidence::Evidence;
use evenhand_model::identity::Strength;
use evenhand_model::secret::{Fingerprint, Fingerprinter};
use foldhash::fast::FixedState;
use serde::Deserialize;
use serde_json::value::RawValue;

pub(crate) use agents::{AgentResource, Approval, ToolRef};
pub(crate) use declared::Declared;
pub(crate) use signals::name_hint;

use crate::documents::{Found, Meta, Problem, Spot, Step, Text, raw};
use crate::rbac::{AggregationRule, Binding, LabelSelector, Metadata, Role, RoleRef, Rule, Subject};

/// Where something was read.
#[derive(Clone, Debug)]
pub(crate) struct Origin {
    pub(crate) document: Arc<str>,
    pub(crate) spot: Spot,
}

impl Origin {
    /// Evidence for something inside the object, by a JSON pointer below it; empty = the object.
    pub(crate) fn evidence(&self, below: &str) -> Evidence {
        Evidence { document: Arc::clone(&self.document), place: self.spot.place(below) }
    }
}

/// A ServiceAccount.
#[derive(Clone, Debug)]
pub(crate) struct Account {
    pub(crate) namespace: Arc<str>,
    pub(crate) name: Arc<str>,
    pub(crate) origin: Origin,
    pub(crate) created: Option<Timestamp>,
    pub(crate) automount: Option<bool>,
    pub(crate) declared: Declared,
    /// Roles of clouds that its pods may take: the annotation's provider and value.
    pub(crate) clouds: Vec<(Cloud, Arc<str>)>,
    pub(crate) signals: Vec<(Strength, Arc<str>)>,
    /// Whether a server returned it.
    pub(crate) from_server: bool,
}

/// Whose workload identity an annotation speaks of.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Cloud {
    Aws,
    Azure,
    Google,
}

/// A token Secret: what its metadata tells.
#[derive(Clone, Debug)]
pub(crate) struct TokenSecret {
    pub(crate) namespace: Arc<str>,
    pub(crate) name: Arc<str>,
    pub(crate) account: Arc<str>,
    pub(crate) created: Option<Timestamp>,
    pub(crate) last_used: Option<Timestamp>,
    pub(crate) invalid: bool,
    pub(crate) origin: Origin,
}

/// A literal secret: what is left of it.
#[derive(Clone, Debug)]
pub(crate) struct LiteralSecret {
    /// Whose environment or object it stands in.
    pub(crate) holder: Arc<str>,
    /// The name beside it: an environment variable, a key of a Secret.
    pub(crate) key: Arc<str>,
    pub(crate) kind: &'static str,
    pub(crate) fingerprint: Fingerprint,
    pub(crate) in_arguments: bool,
    pub(crate) origin: Origin,
    pub(crate) file: FileFacts,
}

/// A projected ServiceAccount token that a pod asks for itself.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct ProjectedToken {
    pub(crate) audience: Arc<str>,
    pub(crate) seconds: Option<i64>,
}

/// Something with a pod template, or a pod.
#[derive(Clone, Debug)]
pub(crate) struct Workload {
    /// The API kind.
    pub(crate) kind: &'static str,
    /// The word of the fact tables.
    pub(crate) word: &'static str,
    pub(crate) namespace: Arc<str>,
    pub(crate) name: Arc<str>,
    pub(crate) origin: Origin,
    pub(crate) account: Arc<str>,
    pub(crate) images: Vec<Arc<str>>,
    pub(crate) automount: Option<bool>,
    pub(crate) privileged: bool,
    pub(crate) host_port: bool,
    pub(crate) labels: Vec<(Arc<str>, Arc<str>)>,
    /// The controller that owns it: kind and name.
    pub(crate) owner: Option<(Arc<str>, Arc<str>)>,
    pub(crate) projected: Vec<ProjectedToken>,
    pub(crate) secrets: Vec<LiteralSecret>,
    /// Names of Secrets that its environment or volumes take.
    pub(crate) secret_refs: Vec<Arc<str>>,
    pub(crate) signals: Vec<(Strength, Arc<str>)>,
    pub(crate) declared: Declared,
    /// Whether the manifest leaves its namespace open.
    pub(crate) unplaced: bool,
    /// The audit settings of an API server that runs as a pod.
    pub(crate) audit: Option<Audit>,
}

/// What the arguments of an API server say of its audit log.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Audit {
    pub(crate) policy: bool,
    pub(crate) max_age_days: Option<i64>,
}

/// A Service.
#[derive(Clone, Debug)]
pub(crate) struct Service {
    pub(crate) namespace: Arc<str>,
    pub(crate) name: Arc<str>,
    pub(crate) selector: Vec<(Arc<str>, Arc<str>)>,
    /// Whether its own type opens it to the outside.
    pub(crate) outside: bool,
}

/// A custom resource definition.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct CustomKind {
    pub(crate) group: Arc<str>,
    pub(crate) plural: Arc<str>,
    pub(crate) namespaced: bool,
    pub(crate) status: bool,
    pub(crate) scale: bool,
}

/// A role with its place.
#[derive(Clone, Debug)]
pub(crate) struct RoleObject {
    pub(crate) role: Role,
    pub(crate) origin: Origin,
    /// The lines of its rules, where the document has lines.
    pub(crate) lines: Option<Box<[u32]>>,
    /// Whether a server returned it, so that aggregated rules are complete.
    pub(crate) from_server: bool,
}

/// A binding with its place.
#[derive(Clone, Debug)]
pub(crate) struct BindingObject {
    pub(crate) binding: Binding,
    pub(crate) origin: Origin,
    pub(crate) declared: Declared,
    /// Whether the server itself made it.
    pub(crate) bootstrap: bool,
}

/// One cluster.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cluster {
    pub(crate) documents: BTreeSet<Arc<str>>,
    pub(crate) accounts: Vec<Account>,
    pub(crate) roles: Vec<RoleObject>,
    pub(crate) bindings: Vec<BindingObject>,
    pub(crate) tokens: Vec<TokenSecret>,
    pub(crate) stored: Vec<(Arc<str>, LiteralSecret)>,
    pub(crate) workloads: Vec<Workload>,
    pub(crate) services: Vec<Service>,
    /// Namespace and Service names that an Ingress or route opens.
    pub(crate) routed: BTreeSet<(Arc<str>, Arc<str>)>,
    pub(crate) namespaces: BTreeMap<Arc<str>, Declared>,
    pub(crate) custom_kinds: BTreeSet<CustomKind>,
    pub(crate) agents: Vec<AgentResource>,
    /// Whether ConfigMap kube-system/aws-auth was seen, and whether any ConfigMap of kube-system was.
    pub(crate) aws_auth: Option<bool>,
    /// The kinds that occur.
    pub(crate) seen: BTreeSet<Box<str>>,
    pub(crate) hints: Vec<(Origin, String)>,
}

/// Everything that was read.
#[derive(Debug, Default)]
pub(crate) struct Capture {
    pub(crate) clusters: BTreeMap<Arc<str>, Cluster>,
    texts: HashSet<Arc<str>, FixedState>,
    rule_sets: HashMap<Box<str>, Arc<[Rule]>, FixedState>,
}

/// What is needed while one object is taken.
struct Taking<'t> {
    document: &'t Arc<str>,
    file: FileFacts,
    fingerprinter: &'t Fingerprinter,
    texts: &'t mut HashSet<Arc<str>, FixedState>,
}

impl Taking<'_> {
    /// A shared copy of a text that occurs often.
    fn share(&mut self, text: &str) -> Arc<str> {
        if let Some(held) = self.texts.get(text) {
            return Arc::clone(held);
        }
        let shared: Arc<str> = Arc::from(text);
        self.texts.insert(Arc::clone(&shared));
        shared
    }

    fn origin(&self, spot: Spot) -> Origin {
        Origin { document: Arc::clone(self.document), spot }
    }
}

/// A member that is there but not as its kind has it.
fn malformed(found: &Found<'_, '_>, member: &str, pointer: &str) -> Problem {
    let object = &found.object;
    Problem {
        place: found.spot_of(&[Step::Key(member)], pointer).place(""),
        reason: format!(
            "`{member}` of {} `{}` does not have the form that its kind has",
            object.kind.as_str(),
            object.meta.name.as_str()
        ),
    }
}

/// Parses a member that may be absent or null, but must have its form otherwise.
fn member<'a, T: Deserialize<'a>>(
    found: &Found<'a, '_>,
    value: Option<&'a RawValue>,
    name: &str,
) -> Result<Option<T>, Problem> {
    match value {
        None => Ok(None),
        Some(value) => {
            serde_json::from_str::<Option<T>>(value.get()).map_err(|_| malformed(found, name, &format!("/{name}")))
        }
    }
}

fn time(text: &Text<'_>) -> Option<Timestamp> {
    text.as_str().parse().ok()
}

/// A day such as `2026-08-01`, at its beginning, or a full timestamp.
fn day(text: &str) -> Option<Timestamp> {
    text.parse().ok().or_else(|| format!("{text}T00:00:00Z").parse().ok())
}

const RBAC: &str = "rbac.authorization.k8s.io";

impl Capture {
    /// Ends the taking.
    pub(crate) fn into_clusters(self) -> BTreeMap<Arc<str>, Cluster> {
        self.clusters
    }

    /// Takes everything from a document. What cannot be understood is returned.
    pub(crate) fn take(
        &mut self,
        cluster: &Arc<str>,
        document: &Document,
        fingerprinter: &Fingerprinter,
    ) -> Vec<Problem> {
        let Self { clusters, texts, rule_sets } = self;
        let held = clusters.entry(Arc::clone(cluster)).or_default();
        held.documents.insert(Arc::clone(&document.path));
        let mut taking = Taking { document: &document.path, file: document.file, fingerprinter, texts };
        crate::documents::read(document, &mut |found| held.take(&found, &mut taking, rule_sets))
    }
}

impl Cluster {
    fn take(
        &mut self,
        found: &Found<'_, '_>,
        taking: &mut Taking<'_>,
        rule_sets: &mut HashMap<Box<str>, Arc<[Rule]>, FixedState>,
    ) -> Result<(), Problem> {
        let object = &found.object;
        let (group, kind) = (object.group(), object.kind.as_str());
        if !self.seen.contains(kind) {
            self.seen.insert(kind.into());
        }
        let nameless = object.meta.name.is_empty();
        if nameless && !matches!(kind, "PodTemplate") {
            return Err(Problem { place: found.spot.place("/metadata"), reason: format!("{kind} without a name") });
        }
        match (group, kind) {
            ("", "ServiceAccount") => self.account(found, taking),
            ("", "Secret") => self.secret(found, taking),
            ("", "Service") => self.service(found, taking),
            ("", "Namespace") => {
                let declared = Declared::of(&object.meta, taking);
                self.namespaces.insert(taking.share(object.meta.name.as_str()), declared);
            }
            ("", "ConfigMap") => {
                if object.meta.namespace.as_str() == "kube-system" {
                    let is = object.meta.name.as_str() == "aws-auth";
                    self.aws_auth = Some(self.aws_auth.unwrap_or(false) || is);
                }
            }
            (RBAC, "Role" | "ClusterRole") => return self.role(found, taking, rule_sets),
            (RBAC, "RoleBinding" | "ClusterRoleBinding") => return self.binding(found, taking),
            ("networking.k8s.io" | "extensions", "Ingress") | ("gateway.networking.k8s.io", "HTTPRoute") => {
                self.route(found, taking);
            }
            ("apiextensions.k8s.io", "CustomResourceDefinition") => self.custom_kind(found, taking),
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
                if let Some(agent) = agents::agent(found, taking) {
                    self.agents.push(agent);
                }
            }
        }
        Ok(())
    }

    fn account(&mut self, found: &Found<'_, '_>, taking: &mut Taking<'_>) {
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
                (!value.is_empty()).then(|| (cloud, Arc::from(value)))
            })
            .collect();
        clouds.sort();
        self.accounts.push(Account {
            namespace: namespace(meta, taking),
            name: Arc::from(meta.name.as_str()),
            origin: taking.origin(found.spot.clone()),
            created: time(&meta.created),
            automount: raw(found.object.automount),
            declared: Declared::of(meta, taking),
            clouds,
            signals: signals::of_labels(&meta.labels),
            from_server: !meta.uid.is_empty(),
        });
    }

    fn secret(&mut self, found: &Found<'_, '_>, taking: &mut Taking<'_>) {
        let object = &found.object;
        let meta = &object.meta;
        let (home, name) = (namespace(meta, taking), Arc::<str>::from(meta.name.as_str()));
        let origin = taking.origin(found.spot.clone());
        if meta.annotations.last_applied {
            self.hints.push((
                origin.clone(),
                format!(
                    "Secret {home}/{name} repeats its values in the annotation of `kubectl apply`: whoever reads its metadata reads them; recreate it with `kubectl create`"
                ),
            ));
        }
        if object.type_.as_str() == "kubernetes.io/service-account-token" {
            let account = meta.annotations.get("kubernetes.io/service-account.name").unwrap_or_default();
            let last_used = meta.labels.get("kubernetes.io/legacy-token-last-used").and_then(day);
            let invalid = meta.labels.get("kubernetes.io/legacy-token-invalid-since").is_some();
            let created = time(&meta.created);
            let account = taking.share(account);
            self.tokens.push(TokenSecret { namespace: home, name, account, created, last_used, invalid, origin });
        } else {
            self.stored
                .extend(secret::of_object(found, &home, &name, taking).into_iter().map(|one| (Arc::clone(&home), one)));
        }
    }

    fn service(&mut self, found: &Found<'_, '_>, taking: &mut Taking<'_>) {
        #[derive(Default, Deserialize)]
        #[serde(rename_all = "camelCase", default)]
        struct Spec {
            selector: Option<BTreeMap<String, String>>,
            #[serde(rename = "type")]
            type_: Option<String>,
            #[serde(rename = "externalIPs")]
            external_ips: Option<Vec<String>>,
        }
        let spec: Spec = raw(found.object.spec).unwrap_or_default();
        let selector = spec.selector.unwrap_or_default();
        self.services.push(Service {
            namespace: namespace(&found.object.meta, taking),
            name: Arc::from(found.object.meta.name.as_str()),
            selector: selector.iter().map(|(key, value)| (taking.share(key), taking.share(value))).collect(),
            outside: matches!(spec.type_.as_deref(), Some("LoadBalancer" | "NodePort"))
                || spec.external_ips.is_some_and(|ips| !ips.is_empty()),
        });
    }

    /// The Services that an Ingress or HTTPRoute names, wherever they stand in it.
    fn route(&mut self, found: &Found<'_, '_>, taking: &mut Taking<'_>) {
        fn services(value: &serde_json::Value, names: &mut Vec<String>) {
            match value {
                serde_json::Value::Object(object) => {
                    for (key, inner) in object {
                        match (key.as_str(), inner) {
                            ("serviceName", serde_json::Value::String(name)) => names.push(name.clone()),
                            ("service", serde_json::Value::Object(service)) => {
                                names.extend(service.get("name").and_then(|name| name.as_str()).map(str::to_owned));
                            }
                            ("backendRefs", serde_json::Value::Array(backends)) => names
                                .extend(backends.iter().filter_map(|one| one.get("name")?.as_str()).map(str::to_owned)),
                            _ => services(inner, names),
                        }
                    }
                }
                serde_json::Value::Array(list) => list.iter().for_each(|inner| services(inner, names)),
                _ => {}
            }
        }
        let mut names = Vec::new();
        if let Some(spec) = raw(found.object.spec) {
            services(&spec, &mut names);
        }
        let home = namespace(&found.object.meta, taking);
        self.routed.extend(names.into_iter().map(|name| (Arc::clone(&home), Arc::from(name))));
    }

    fn custom_kind(&mut self, found: &Found<'_, '_>, taking: &mut Taking<'_>) {
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct Spec {
            group: String,
            scope: String,
            names: Names,
            versions: Vec<Version>,
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
        let Some(spec): Option<Spec> = raw(found.object.spec) else { return };
        let has = |name: &str| {
            spec.versions
                .iter()
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
    }

    fn role(
        &mut self,
        found: &Found<'_, '_>,
        taking: &mut Taking<'_>,
        rule_sets: &mut HashMap<Box<str>, Arc<[Rule]>, FixedState>,
    ) -> Result<(), Problem> {
        let object = &found.object;
        let clusterwide = object.kind.as_str() == "ClusterRole";
        // Equal roles are written equally by a server, so equal texts are parsed once and shared.
        let rules = match object.rules {
            None => Arc::from([]),
            Some(text) => match rule_sets.get(text.get()) {
                Some(rules) => Arc::clone(rules),
                None => {
                    let mut rules: Vec<Rule> = member(found, Some(text), "rules")?.unwrap_or_default();
                    for rule in &mut rules {
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
                    }
                    let rules: Arc<[Rule]> = rules.into();
                    rule_sets.insert(text.get().into(), Arc::clone(&rules));
                    rules
                }
            },
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
        self.roles.push(RoleObject {
            role: Role {
                metadata: Metadata {
                    name: taking.share(object.meta.name.as_str()),
                    namespace: if clusterwide { Arc::from("") } else { namespace(&object.meta, taking) },
                    labels,
                },
                rules,
                aggregation_rule,
            },
            origin: taking.origin(found.spot.clone()),
            lines,
            from_server: !object.meta.uid.is_empty(),
        });
        Ok(())
    }

    fn binding(&mut self, found: &Found<'_, '_>, taking: &mut Taking<'_>) -> Result<(), Problem> {
        let object = &found.object;
        let clusterwide = object.kind.as_str() == "ClusterRoleBinding";
        let mut subjects: Vec<Subject> = member(found, object.subjects, "subjects")?.unwrap_or_default();
        for subject in &mut subjects {
            for text in [&mut subject.kind, &mut subject.api_group, &mut subject.name, &mut subject.namespace] {
                *text = taking.share(text);
            }
        }
        let mut role_ref: RoleRef = member(found, object.role_ref, "roleRef")?.unwrap_or_default();
        for text in [&mut role_ref.kind, &mut role_ref.name] {
            *text = taking.share(text);
        }
        self.bindings.push(BindingObject {
            binding: Binding {
                metadata: Metadata {
                    name: taking.share(object.meta.name.as_str()),
                    namespace: if clusterwide { Arc::from("") } else { namespace(&object.meta, taking) },
                    labels: BTreeMap::new(),
                },
                subjects,
                role_ref,
            },
            origin: taking.origin(found.spot.clone()),
            declared: Declared::of(&object.meta, taking),
            bootstrap: object.meta.labels.get("kubernetes.io/bootstrapping").is_some(),
        });
        Ok(())
    }
}

/// The namespace of a namespaced object; where a manifest leaves it open, the one that `kubectl apply` uses.
fn namespace(meta: &Meta<'_>, taking: &mut Taking<'_>) -> Arc<str> {
    taking.share(meta.namespace.some().unwrap_or("default"))
}

/// Whether an object of this kind can select by labels as Services do.
pub(crate) fn selects(selector: &[(Arc<str>, Arc<str>)], labels: &[(Arc<str>, Arc<str>)]) -> bool {
    !selector.is_empty() && selector.iter().all(|pair| labels.contains(pair))
}

/// Used where an aggregation selector is built from a label alone.
pub(crate) fn label_selector(label: &str) -> LabelSelector {
    LabelSelector { match_labels: [(Arc::from(label), Arc::from("true"))].into(), match_expressions: Vec::new() }
}
