//! The yardstick: a typed serde_json parse of the same bytes, on one core, and nothing else.
//!
//! The structs hold what any reader of these documents needs, owned, as one would write them in an afternoon.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::kind::Kind;

/// `aws iam get-account-authorization-details`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct AuthorizationDetails {
    /// Users.
    #[serde(default)]
    pub user_detail_list: Vec<Principal>,
    /// Groups.
    #[serde(default)]
    pub group_detail_list: Vec<Principal>,
    /// Roles.
    #[serde(default)]
    pub role_detail_list: Vec<Principal>,
    /// Managed policies.
    #[serde(default)]
    pub policies: Vec<ManagedPolicy>,
}

/// A user, group or role.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Principal {
    /// The ARN.
    pub arn: String,
    /// When it was made.
    pub create_date: String,
    /// The trust policy.
    pub assume_role_policy_document: Option<Policy>,
    /// Inline policies.
    #[serde(default, alias = "UserPolicyList", alias = "GroupPolicyList", alias = "RolePolicyList")]
    pub inline: Vec<InlinePolicy>,
    /// Attached policies.
    #[serde(default)]
    pub attached_managed_policies: Vec<Attached>,
    /// Groups.
    #[serde(default)]
    pub group_list: Vec<String>,
    /// Tags.
    #[serde(default)]
    pub tags: Vec<Tag>,
}

/// A tag.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Tag {
    /// The key.
    pub key: String,
    /// The value.
    pub value: String,
}

/// An attached policy.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Attached {
    /// Its name.
    pub policy_name: String,
    /// Its ARN.
    pub policy_arn: String,
}

/// An inline policy.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct InlinePolicy {
    /// Its name.
    pub policy_name: String,
    /// Its document.
    pub policy_document: Policy,
}

/// A managed policy.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ManagedPolicy {
    /// Its ARN.
    pub arn: String,
    /// Its versions.
    pub policy_version_list: Vec<PolicyVersion>,
}

/// A version of a managed policy.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct PolicyVersion {
    /// Its document.
    pub document: Policy,
    /// Whether it is in force.
    pub is_default_version: bool,
}

/// A policy document.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Policy {
    /// Its statements.
    pub statement: Vec<Statement>,
}

/// A statement.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Statement {
    /// Allow or Deny.
    pub effect: String,
    /// Actions.
    #[serde(default)]
    pub action: Option<OneOrMany>,
    /// All but these actions.
    #[serde(default)]
    pub not_action: Option<OneOrMany>,
    /// Resources.
    #[serde(default)]
    pub resource: Option<OneOrMany>,
    /// Conditions.
    #[serde(default)]
    pub condition: BTreeMap<String, BTreeMap<String, OneOrMany>>,
}

/// A text or a list of texts.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub enum OneOrMany {
    /// One.
    One(String),
    /// Several.
    Many(Vec<String>),
}

/// `kubectl get … -o json`.
#[derive(Debug, Deserialize)]
pub struct ObjectList {
    /// The objects.
    pub items: Vec<Object>,
}

/// An object of any kind.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Object {
    /// Its kind.
    pub kind: String,
    /// Its metadata.
    pub metadata: Metadata,
    /// Rules of a role.
    #[serde(default)]
    pub rules: Vec<Rule>,
    /// The role of a binding.
    pub role_ref: Option<BTreeMap<String, String>>,
    /// The subjects of a binding.
    #[serde(default)]
    pub subjects: Vec<BTreeMap<String, String>>,
    /// The specification of a workload.
    pub spec: Option<Spec>,
}

/// An object's metadata.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Metadata {
    /// Its name.
    pub name: String,
    /// Its namespace.
    pub namespace: Option<String>,
    /// When it was made.
    pub creation_timestamp: Option<String>,
    /// Labels.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// Annotations.
    #[serde(default)]
    pub annotations: BTreeMap<String, String>,
}

/// A rule of a role.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Rule {
    /// API groups.
    #[serde(default)]
    pub api_groups: Vec<String>,
    /// Resources.
    #[serde(default)]
    pub resources: Vec<String>,
    /// Verbs.
    pub verbs: Vec<String>,
}

/// The specification of a workload.
#[derive(Debug, Deserialize)]
pub struct Spec {
    /// The pod template.
    pub template: Option<Template>,
}

/// A pod template.
#[derive(Debug, Deserialize)]
pub struct Template {
    /// The pod.
    pub spec: PodSpec,
}

/// A pod.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PodSpec {
    /// The ServiceAccount.
    pub service_account_name: Option<String>,
    /// The containers.
    #[serde(default)]
    pub containers: Vec<Container>,
}

/// A container.
#[derive(Debug, Deserialize)]
pub struct Container {
    /// Its image.
    pub image: Option<String>,
    /// Its environment.
    #[serde(default)]
    pub env: Vec<BTreeMap<String, serde_json::Value>>,
}

/// An answer of Azure with what was asked.
#[derive(Debug, Deserialize)]
pub struct Answer {
    /// The path that was asked.
    pub path: String,
    /// The answer.
    pub response: Listed,
}

/// A list.
#[derive(Debug, Deserialize)]
pub struct Listed {
    /// Its elements.
    #[serde(default)]
    pub value: Vec<Element>,
    /// Those of a query.
    #[serde(default)]
    pub data: Vec<Element>,
}

/// An object of any kind.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Element {
    /// Its id.
    pub id: String,
    /// Its name for people.
    pub display_name: Option<String>,
    /// Its application.
    pub app_id: Option<String>,
    /// Who holds it.
    pub principal_id: Option<String>,
    /// Its tags, in either form.
    #[serde(default)]
    pub tags: serde_json::Value,
    /// Secrets.
    #[serde(default)]
    pub password_credentials: Vec<BTreeMap<String, Option<String>>>,
    /// Of Resource Manager: its own members.
    #[serde(default)]
    pub properties: BTreeMap<String, serde_json::Value>,
}

/// Parses every JSON file below a folder and counts the identities in them; `None` for a file that does not parse.
pub fn parse(files: &[(Kind, String)]) -> Option<usize> {
    let mut count = 0;
    for (kind, text) in files {
        match kind {
            Kind::Kubernetes => {
                let list: ObjectList = serde_json::from_str(text).ok()?;
                count += list.items.iter().filter(|object| object.kind == "ServiceAccount").count();
            }
            Kind::Aws => {
                let details: AuthorizationDetails = serde_json::from_str(text).ok()?;
                count += details.user_detail_list.len() + details.role_detail_list.len();
            }
            Kind::Azure => {
                for answer in serde_json::Deserializer::from_str(text).into_iter::<Answer>() {
                    let answer = answer.ok()?;
                    let of_principals = answer.path.ends_with("/servicePrincipals");
                    let elements = answer.response.value.len() + answer.response.data.len();
                    count += if of_principals { elements } else { 0 };
                }
            }
        }
    }
    Some(count)
}
