//! RBAC exactly as the API server's authorizer applies it, on plain objects.
//!
//! Nothing here knows captures, inventories or catalogues: rules, roles, bindings and requests have the shape and the
//! field names of `rbac.authorization.k8s.io/v1`, and every answer is the one that the server gives. What the answers
//! mean for an identity is decided elsewhere.

mod authorizer;
#[cfg(test)]
pub(crate) mod conformance;
mod covers;
mod impersonate;
#[cfg(test)]
pub(crate) mod properties;
mod rule;
mod rules;
mod write;

use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize};

pub(crate) use authorizer::account_home;
pub use authorizer::{Authorizer, BindingIx, Granted, World};
pub use covers::{compact, covers, non_resource_url_covers};
pub use impersonate::may_impersonate;
pub use rule::{applies_to, dead_parts, is_dead_group, resource_matches, rule_allows};
pub use rules::Rules;
pub use write::{Write, may_write};

/// The group that the server lets through before it asks RBAC.
pub const MASTERS: &str = "system:masters";

/// Lists in API objects may be absent, null or empty, and all three mean empty.
fn list<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Vec<T>, D::Error> {
    Ok(Option::<Vec<T>>::deserialize(deserializer)?.unwrap_or_default())
}

/// Texts may be absent or null, and both mean empty.
fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Arc<str>, D::Error> {
    Ok(Option::<Arc<str>>::deserialize(deserializer)?.unwrap_or_default())
}

/// One rule of a role.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Rule {
    /// Verbs, or `*`.
    #[serde(deserialize_with = "list")]
    pub verbs: Vec<Arc<str>>,
    /// API groups, the empty text being the core group, or `*`.
    #[serde(deserialize_with = "list")]
    pub api_groups: Vec<Arc<str>>,
    /// Resources: `pods`, `pods/exec`, `*/scale` or `*`.
    #[serde(deserialize_with = "list")]
    pub resources: Vec<Arc<str>>,
    /// Names that limit the rule; none = all. A star is a literal name.
    #[serde(deserialize_with = "list")]
    pub resource_names: Vec<Arc<str>>,
    /// URLs outside the resources, possibly with a star at the end.
    #[serde(rename = "nonResourceURLs", deserialize_with = "list")]
    pub non_resource_urls: Vec<Arc<str>>,
}

/// The part of an object's metadata that RBAC reads.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Metadata {
    /// The name.
    #[serde(deserialize_with = "text")]
    pub name: Arc<str>,
    /// The namespace; empty for cluster-scoped objects.
    #[serde(deserialize_with = "text")]
    pub namespace: Arc<str>,
    /// Labels.
    #[serde(deserialize_with = "labels")]
    pub labels: Labels,
}

/// Labels, sorted by key.
pub type Labels = std::collections::BTreeMap<Arc<str>, Arc<str>>;

fn labels<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Labels, D::Error> {
    Ok(Option::<Labels>::deserialize(deserializer)?.unwrap_or_default())
}

/// A Role, or with an empty namespace a ClusterRole.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Role {
    /// Name, namespace, labels.
    pub metadata: Metadata,
    /// The rules. For an aggregated ClusterRole [`Authorizer::new`] replaces them.
    #[serde(deserialize_with = "rules")]
    pub rules: Rules,
    /// The selectors of an aggregated ClusterRole.
    pub aggregation_rule: Option<AggregationRule>,
}

fn rules<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Rules, D::Error> {
    Ok(Option::<Vec<Rule>>::deserialize(deserializer)?.unwrap_or_default().into())
}

/// Which ClusterRoles an aggregated one collects.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct AggregationRule {
    /// A ClusterRole that matches any of them is collected.
    #[serde(deserialize_with = "list")]
    pub cluster_role_selectors: Vec<LabelSelector>,
}

/// A label selector. All parts must match; an empty one matches everything.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct LabelSelector {
    /// Labels with exactly these values.
    #[serde(deserialize_with = "labels")]
    pub match_labels: Labels,
    /// Further requirements.
    #[serde(deserialize_with = "list")]
    pub match_expressions: Vec<LabelRequirement>,
}

/// One requirement of a [`LabelSelector`].
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(default)]
pub struct LabelRequirement {
    /// The label's key.
    #[serde(deserialize_with = "text")]
    pub key: Arc<str>,
    /// `In`, `NotIn`, `Exists` or `DoesNotExist`.
    #[serde(deserialize_with = "text")]
    pub operator: Arc<str>,
    /// The values of `In` and `NotIn`.
    #[serde(deserialize_with = "list")]
    pub values: Vec<Arc<str>>,
}

impl LabelSelector {
    /// Whether an object with these labels is selected.
    pub fn matches(&self, labels: &Labels) -> bool {
        self.match_labels.iter().all(|(key, value)| labels.get(key) == Some(value))
            && self.match_expressions.iter().all(|wanted| {
                let held = labels.get(&wanted.key);
                match &*wanted.operator {
                    "In" => held.is_some_and(|held| wanted.values.contains(held)),
                    "NotIn" => held.is_none_or(|held| !wanted.values.contains(held)),
                    "Exists" => held.is_some(),
                    "DoesNotExist" => held.is_none(),
                    _ => false,
                }
            })
    }
}

/// Who is bound.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Subject {
    /// `User`, `Group` or `ServiceAccount`; any other kind matches nobody.
    #[serde(deserialize_with = "text")]
    pub kind: Arc<str>,
    /// The API group of users and groups. The authorizer does not read it.
    #[serde(deserialize_with = "text")]
    pub api_group: Arc<str>,
    /// The name, exact.
    #[serde(deserialize_with = "text")]
    pub name: Arc<str>,
    /// A ServiceAccount's namespace; empty = that of the binding.
    #[serde(deserialize_with = "text")]
    pub namespace: Arc<str>,
}

/// What is bound.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default, Deserialize)]
#[serde(default)]
pub struct RoleRef {
    /// `Role` or `ClusterRole`.
    #[serde(deserialize_with = "text")]
    pub kind: Arc<str>,
    /// Its name.
    #[serde(deserialize_with = "text")]
    pub name: Arc<str>,
}

/// A RoleBinding, or with an empty namespace a ClusterRoleBinding.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Binding {
    /// Name, namespace.
    pub metadata: Metadata,
    /// Who is bound.
    #[serde(deserialize_with = "list")]
    pub subjects: Vec<Subject>,
    /// What is bound.
    pub role_ref: RoleRef,
}

impl Binding {
    /// Whether it counts for requests in a namespace; empty = in the whole cluster.
    pub fn holds_in(&self, namespace: &str) -> bool {
        self.metadata.namespace.is_empty() || *self.metadata.namespace == *namespace
    }
}

/// A question to the authorizer. A missing field is the empty text.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Request {
    /// The verb, lower-case.
    pub verb: Arc<str>,
    /// The API group; empty = core.
    pub api_group: Arc<str>,
    /// The resource, plural.
    pub resource: Arc<str>,
    /// The subresource, or empty.
    pub subresource: Arc<str>,
    /// The object's name, where the request carries one.
    pub name: Arc<str>,
    /// The namespace; empty = not namespaced, or all namespaces.
    pub namespace: Arc<str>,
    /// Whether the fields above are asked, as opposed to verb and `path`.
    pub resource_request: bool,
    /// The URL of a request outside the resources.
    pub path: Arc<str>,
    /// Who asks.
    pub user: Arc<str>,
    /// The groups of who asks.
    #[serde(deserialize_with = "list")]
    pub groups: Vec<Arc<str>>,
}

/// The groups that the server gives to whoever shows a valid credential, and to whoever shows none.
pub const AUTHENTICATED: &str = "system:authenticated";
/// See [`AUTHENTICATED`].
pub const UNAUTHENTICATED: &str = "system:unauthenticated";
/// The user of requests without a credential.
pub const ANONYMOUS: &str = "system:anonymous";
/// The group of all service accounts. Those of one namespace are in a second one, with `:` and the namespace behind it.
pub const ACCOUNTS: &str = "system:serviceaccounts";

/// The groups that the server gives to a user by itself, whatever else its credential says.
pub fn implied_groups(user: &str) -> Vec<Arc<str>> {
    if user == ANONYMOUS {
        return vec![Arc::from(UNAUTHENTICATED)];
    }
    match account_of_user(user) {
        Some((namespace, _)) => account_groups(namespace).to_vec(),
        None => vec![Arc::from(AUTHENTICATED)],
    }
}

/// The groups of the service accounts of a namespace.
pub fn account_groups(namespace: &str) -> [Arc<str>; 3] {
    [Arc::from(ACCOUNTS), format!("{ACCOUNTS}:{namespace}").into(), Arc::from(AUTHENTICATED)]
}

/// The user name of a service account.
pub fn account_user(namespace: &str, name: &str) -> String {
    format!("system:serviceaccount:{namespace}:{name}")
}

/// The namespace and name of the service account with that user name.
pub fn account_of_user(user: &str) -> Option<(&str, &str)> {
    user.strip_prefix("system:serviceaccount:")?
        .split_once(':')
        .filter(|(namespace, name)| !namespace.is_empty() && !name.is_empty() && !name.contains(':'))
}
