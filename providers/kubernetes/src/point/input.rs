//! What goes in. The doc comments are the descriptions in the JSON Schema.
//!
//! Objects are those of `rbac.authorization.k8s.io/v1`, with all members that the API gives them, so that what `kubectl`
//! prints can be pasted. Members that the API does not have are refused.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use evenhand_model::decide::Refusal;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, de};
use serde_json::value::RawValue;

use crate::rbac;

/// Where the form of a line is described.
pub(super) const REMEDY: &str = "see `evenhand schema decide-kubernetes`";

/// Roles, bindings, and requests that are decided by them.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "World")]
pub(super) struct Input<'a> {
    /// Any value by which the caller knows the line again; it stands in the answer. Absent: there is none.
    #[serde(borrow)]
    #[schemars(with = "Option<serde_json::Value>")]
    pub(super) id: Option<&'a RawValue>,
    /// With `--from` only: the cluster of the capture that is meant. It can be left out where there is but one.
    #[serde(borrow)]
    pub(super) cluster: Option<Cow<'a, str>>,
    /// Roles. Absent: none, or with `--from` those of the capture.
    #[serde(borrow)]
    #[schemars(with = "Option<Vec<Role>>")]
    pub(super) roles: Option<&'a RawValue>,
    /// ClusterRoles; those with an `aggregationRule` are filled in from its selectors, as the server does it. Absent: none,
    /// or with `--from` those of the capture.
    #[serde(borrow)]
    #[schemars(with = "Option<Vec<Role>>")]
    pub(super) cluster_roles: Option<&'a RawValue>,
    /// RoleBindings. Absent: none, or with `--from` those of the capture.
    #[serde(borrow)]
    #[schemars(with = "Option<Vec<Binding>>")]
    pub(super) role_bindings: Option<&'a RawValue>,
    /// ClusterRoleBindings. Absent: none, or with `--from` those of the capture.
    #[serde(borrow)]
    #[schemars(with = "Option<Vec<Binding>>")]
    pub(super) cluster_role_bindings: Option<&'a RawValue>,
    /// What is asked.
    #[serde(deserialize_with = "objects")]
    pub(super) requests: Vec<Asked>,
}

/// A request, by the members of a SubjectAccessReview.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "Request")]
pub(super) struct Asked {
    /// The verb: `get`, `list`, `create` …; for a URL, the HTTP method in lower case.
    verb: Arc<str>,
    /// The API group. Absent or empty: the core group.
    #[serde(default, deserialize_with = "text")]
    #[schemars(with = "Option<String>")]
    api_group: Arc<str>,
    /// The resource, plural.
    #[serde(default, deserialize_with = "text")]
    #[schemars(with = "Option<String>")]
    resource: Arc<str>,
    /// The subresource, such as `exec`.
    #[serde(default, deserialize_with = "text")]
    #[schemars(with = "Option<String>")]
    subresource: Arc<str>,
    /// The name of the object, where the request carries one.
    #[serde(default, deserialize_with = "text")]
    #[schemars(with = "Option<String>")]
    name: Arc<str>,
    /// The namespace. Absent or empty: none, or all of them.
    #[serde(default, deserialize_with = "text")]
    #[schemars(with = "Option<String>")]
    namespace: Arc<str>,
    /// `true`: the members above are asked; `false`: verb and `path`. Absent: `true`, unless only `path` is given.
    resource_request: Option<bool>,
    /// The URL of a request outside the resources, such as `/healthz`.
    #[serde(default, deserialize_with = "text")]
    #[schemars(with = "Option<String>")]
    path: Arc<str>,
    /// Who asks; a service account is `system:serviceaccount:NAMESPACE:NAME`.
    #[serde(default, deserialize_with = "text")]
    #[schemars(with = "Option<String>")]
    user: Arc<str>,
    /// The groups of who asks, all of them. Absent: those that the server gives by itself: `system:authenticated`, and
    /// for service accounts `system:serviceaccounts` and `system:serviceaccounts:NAMESPACE`; for `system:anonymous`,
    /// `system:unauthenticated`.
    #[serde(default)]
    groups: Option<Vec<Arc<str>>>,
}

impl Asked {
    /// The request as the authorizer takes it.
    pub(super) fn request(self) -> Result<rbac::Request, Refusal> {
        let about_resource = !self.resource.is_empty() || !self.subresource.is_empty() || !self.name.is_empty();
        let resource_request = match self.resource_request {
            Some(said) => said,
            None if self.path.is_empty() => true,
            None if !about_resource => false,
            None => {
                return Err(Refusal::new(
                    "",
                    "the request names both a resource and a path",
                    "give `resourceRequest`: `true` for the resource, `false` for the path",
                ));
            }
        };
        if self.user.is_empty() && self.groups.is_none() {
            return Err(Refusal::new("", "nobody asks", "give `user`, or `groups` for some member of them"));
        }
        Ok(rbac::Request {
            verb: self.verb,
            api_group: self.api_group,
            resource: self.resource,
            subresource: self.subresource,
            name: self.name,
            namespace: self.namespace,
            resource_request,
            path: self.path,
            groups: self.groups.unwrap_or_else(|| rbac::implied_groups(&self.user)),
            user: self.user,
        })
    }
}

/// A Role or ClusterRole.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Role {
    /// `rbac.authorization.k8s.io/v1`. May be absent.
    pub(super) api_version: Option<Arc<str>>,
    /// The kind that the list is of. May be absent.
    pub(super) kind: Option<Arc<str>>,
    /// Name, namespace, labels.
    #[serde(default, deserialize_with = "object")]
    metadata: Metadata,
    /// What it grants. Those of a ClusterRole with an `aggregationRule` are not looked at.
    #[serde(default, deserialize_with = "objects")]
    #[schemars(with = "Option<Vec<Rule>>")]
    rules: Vec<Rule>,
    /// The rules of a ClusterRole are those of all ClusterRoles that these selectors match.
    #[serde(default, deserialize_with = "maybe_object")]
    aggregation_rule: Option<AggregationRule>,
}

/// A RoleBinding or ClusterRoleBinding.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Binding {
    /// `rbac.authorization.k8s.io/v1`. May be absent.
    pub(super) api_version: Option<Arc<str>>,
    /// The kind that the list is of. May be absent.
    pub(super) kind: Option<Arc<str>>,
    /// Name, namespace.
    #[serde(default, deserialize_with = "object")]
    metadata: Metadata,
    /// Who is bound.
    #[serde(default, deserialize_with = "objects")]
    #[schemars(with = "Option<Vec<Subject>>")]
    subjects: Vec<Subject>,
    /// What is bound.
    #[serde(default, deserialize_with = "object")]
    #[schemars(with = "Option<RoleRef>")]
    role_ref: RoleRef,
}

/// One rule.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Rule {
    /// Verbs, or `*`.
    #[serde(default)]
    verbs: Option<Vec<Arc<str>>>,
    /// API groups, the empty text being the core group, or `*`.
    #[serde(default)]
    api_groups: Option<Vec<Arc<str>>>,
    /// Resources: `pods`, `pods/exec`, `*/scale` or `*`.
    #[serde(default)]
    resources: Option<Vec<Arc<str>>>,
    /// Names that limit the rule. Absent or empty: all. A star is a literal name.
    #[serde(default)]
    resource_names: Option<Vec<Arc<str>>>,
    /// URLs, possibly with a star at the end.
    #[serde(default, rename = "nonResourceURLs")]
    non_resource_urls: Option<Vec<Arc<str>>>,
}

/// Which ClusterRoles an aggregated one collects.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct AggregationRule {
    /// A ClusterRole that any of them matches is collected.
    #[serde(default, deserialize_with = "objects")]
    #[schemars(with = "Option<Vec<LabelSelector>>")]
    cluster_role_selectors: Vec<LabelSelector>,
}

/// A label selector: all parts must match.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct LabelSelector {
    /// Labels with exactly these values.
    #[serde(default)]
    match_labels: Option<BTreeMap<Arc<str>, Arc<str>>>,
    /// Further requirements.
    #[serde(default, deserialize_with = "objects")]
    #[schemars(with = "Option<Vec<LabelRequirement>>")]
    match_expressions: Vec<LabelRequirement>,
}

/// One requirement of a label selector.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct LabelRequirement {
    /// The label's key.
    key: Arc<str>,
    /// What is required.
    operator: Operator,
    /// The values of `In` and `NotIn`.
    #[serde(default)]
    values: Option<Vec<Arc<str>>>,
}

/// What a requirement asks of a label.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
enum Operator {
    /// It has one of the values.
    In,
    /// It has none of them.
    NotIn,
    /// It is there.
    Exists,
    /// It is not there.
    DoesNotExist,
}

impl Operator {
    fn as_str(self) -> &'static str {
        match self {
            Self::In => "In",
            Self::NotIn => "NotIn",
            Self::Exists => "Exists",
            Self::DoesNotExist => "DoesNotExist",
        }
    }
}

/// Who is bound.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Subject {
    /// `User`, `Group` or `ServiceAccount`; any other kind matches nobody.
    #[serde(default, deserialize_with = "text")]
    #[schemars(with = "Option<String>")]
    kind: Arc<str>,
    /// The API group of users and groups. It is not looked at.
    #[serde(default, deserialize_with = "text")]
    #[schemars(with = "Option<String>")]
    api_group: Arc<str>,
    /// The name, exact.
    #[serde(default, deserialize_with = "text")]
    #[schemars(with = "Option<String>")]
    name: Arc<str>,
    /// The namespace of a ServiceAccount. Absent or empty: that of the binding.
    #[serde(default, deserialize_with = "text")]
    #[schemars(with = "Option<String>")]
    namespace: Arc<str>,
}

/// What is bound.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct RoleRef {
    /// The API group. It is not looked at.
    #[serde(default, rename = "apiGroup", deserialize_with = "text")]
    #[schemars(with = "Option<String>")]
    _api_group: Arc<str>,
    /// `Role` or `ClusterRole`.
    #[serde(default, deserialize_with = "text")]
    #[schemars(with = "Option<String>")]
    kind: Arc<str>,
    /// Its name.
    #[serde(default, deserialize_with = "text")]
    #[schemars(with = "Option<String>")]
    name: Arc<str>,
}

/// The part of an object's metadata that counts.
#[derive(Debug, Default)]
struct Metadata(rbac::Metadata);

/// Members of an object's metadata that do not count.
const IGNORED: &[&str] = &[
    "annotations",
    "creationTimestamp",
    "deletionGracePeriodSeconds",
    "deletionTimestamp",
    "finalizers",
    "generateName",
    "generation",
    "managedFields",
    "ownerReferences",
    "resourceVersion",
    "selfLink",
    "uid",
];

/// A member of an object's metadata.
struct Key<'a>(Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Key<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        const TAKEN: &[&str] = &["name", "namespace", "labels"];
        let key = Cow::<'de, str>::deserialize(deserializer)?;
        if TAKEN.contains(&&*key) || IGNORED.contains(&&*key) {
            Ok(Self(key))
        } else {
            Err(de::Error::unknown_field(&key, TAKEN))
        }
    }
}

impl<'de> Deserialize<'de> for Metadata {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Metadata;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("metadata")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Metadata, A::Error> {
                let mut held = rbac::Metadata::default();
                while let Some(Key(key)) = map.next_key()? {
                    match &*key {
                        "name" => held.name = map.next_value::<Option<_>>()?.unwrap_or_default(),
                        "namespace" => held.namespace = map.next_value::<Option<_>>()?.unwrap_or_default(),
                        "labels" => held.labels = map.next_value::<Option<_>>()?.unwrap_or_default(),
                        _ => {
                            map.next_value::<IgnoredAny>()?;
                        }
                    }
                }
                Ok(Metadata(held))
            }
        }
        deserializer.deserialize_map(Members)
    }
}

impl JsonSchema for Metadata {
    fn schema_name() -> Cow<'static, str> {
        "Metadata".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let mut properties = serde_json::Map::new();
        let text = |description: &str| serde_json::json!({ "type": ["string", "null"], "description": description });
        properties.insert("name".to_owned(), text("The name."));
        properties
            .insert("namespace".to_owned(), text("The namespace; that of a ClusterRole or its binding is dropped."));
        properties.insert(
            "labels".to_owned(),
            serde_json::json!({
                "type": ["object", "null"],
                "additionalProperties": { "type": "string" },
                "description": "Labels, by which aggregated ClusterRoles select."
            }),
        );
        for key in IGNORED {
            properties.insert((*key).to_owned(), true.into());
        }
        json_schema!({
            "description": "An object's metadata.",
            "type": ["object", "null"],
            "properties": properties,
            "additionalProperties": false
        })
    }
}

impl From<Role> for rbac::Role {
    fn from(role: Role) -> Self {
        Self {
            metadata: role.metadata.0,
            rules: role.rules.into_iter().map(rbac::Rule::from).collect(),
            aggregation_rule: role.aggregation_rule.map(|held| rbac::AggregationRule {
                cluster_role_selectors: held
                    .cluster_role_selectors
                    .into_iter()
                    .map(rbac::LabelSelector::from)
                    .collect(),
            }),
        }
    }
}

impl From<Rule> for rbac::Rule {
    fn from(rule: Rule) -> Self {
        Self {
            verbs: rule.verbs.unwrap_or_default(),
            api_groups: rule.api_groups.unwrap_or_default(),
            resources: rule.resources.unwrap_or_default(),
            resource_names: rule.resource_names.unwrap_or_default(),
            non_resource_urls: rule.non_resource_urls.unwrap_or_default(),
        }
    }
}

impl From<LabelSelector> for rbac::LabelSelector {
    fn from(selector: LabelSelector) -> Self {
        Self {
            match_labels: selector.match_labels.unwrap_or_default(),
            match_expressions: selector
                .match_expressions
                .into_iter()
                .map(|held| rbac::LabelRequirement {
                    key: held.key,
                    operator: held.operator.as_str().into(),
                    values: held.values.unwrap_or_default(),
                })
                .collect(),
        }
    }
}

impl From<Binding> for rbac::Binding {
    fn from(binding: Binding) -> Self {
        Self {
            metadata: binding.metadata.0,
            subjects: binding
                .subjects
                .into_iter()
                .map(|held| rbac::Subject {
                    kind: held.kind,
                    api_group: held.api_group,
                    name: held.name,
                    namespace: held.namespace,
                })
                .collect(),
            role_ref: rbac::RoleRef { kind: binding.role_ref.kind, name: binding.role_ref.name },
        }
    }
}

fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Arc<str>, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// An object. A list would be read as the members in their order, which is a guess at what is meant.
struct Object<T>(T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Members<T> {
            type Value = T;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map))
            }
        }
        deserializer.deserialize_map(Members(PhantomData)).map(Object)
    }
}

/// A member that is an object, or absent, or null.
fn object<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(deserializer: D) -> Result<T, D::Error> {
    Ok(Option::<Object<T>>::deserialize(deserializer)?.map_or_else(T::default, |held| held.0))
}

/// A member that is a list of objects, or absent, or null.
fn objects<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Vec<T>, D::Error> {
    let all = Option::<Vec<Object<T>>>::deserialize(deserializer)?.unwrap_or_default();
    Ok(all.into_iter().map(|held| held.0).collect())
}

/// A member that is an object, or absent, or null; the last two are told apart from an empty object.
fn maybe_object<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    Ok(Option::<Object<T>>::deserialize(deserializer)?.map(|held| held.0))
}

/// A list of objects that stands by itself.
pub(super) struct Objects<T>(pub(super) Vec<T>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Objects<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        objects(deserializer).map(Self)
    }
}
