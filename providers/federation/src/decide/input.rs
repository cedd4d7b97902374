//! What goes in. The doc comments are the descriptions in the JSON Schema.

use std::borrow::Cow;
use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::entra::Credential;
use crate::gcp::Provider;

pub(super) const REMEDY: &str = "see `evenhand schema decide-federation`";

/// A token, and the condition that it is put against.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Question")]
pub(super) struct Input<'a> {
    /// A name for the line; it stands in its answer.
    #[serde(borrow)]
    pub(super) id: Option<Cow<'a, str>>,
    /// Who admits the token.
    pub(super) platform: Cloud,
    /// Who signs it: an address, or `github`, `gitlab`, `bitbucket`, `circleci`, `terraform-cloud`, `kubernetes`. Absent:
    /// the claim `iss`, or whoever has subjects of this form.
    #[serde(borrow)]
    pub(super) issuer: Option<Cow<'a, str>>,
    /// The subject, the claim `sub`.
    #[serde(borrow)]
    pub(super) subject: Option<Cow<'a, str>>,
    /// All claims of the token: what is not here is not in it. Absent: nothing but the subject is known, and a condition
    /// on another claim is left open.
    pub(super) claims: Option<BTreeMap<String, Value>>,
    /// The condition, as the platform writes it.
    #[serde(borrow)]
    #[schemars(with = "ConditionSchema")]
    pub(super) condition: &'a RawValue,
}

/// Who admits tokens.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Cloud {
    /// AWS: `sts:AssumeRoleWithWebIdentity`.
    Aws,
    /// Entra ID: a federated identity credential of an application or a user-assigned identity.
    Entra,
    /// Google Cloud: a provider of a workload identity pool.
    Gcp,
}

/// A condition.
#[derive(JsonSchema)]
#[serde(untagged)]
#[schemars(rename = "Condition")]
#[expect(dead_code, reason = "describes what each platform reads by itself")]
enum ConditionSchema {
    /// `aws`: the `Condition` of a statement, operator to key to values.
    AwsCondition(BTreeMap<String, BTreeMap<String, Value>>),
    /// `aws`: a whole trust policy. Statements for other issuers do not count, those that deny do.
    AwsTrustPolicy(AwsTrustPolicy),
    /// `entra`: a federated identity credential.
    Entra(Credential),
    /// `gcp`: a provider of a workload identity pool, and whom a binding means.
    Gcp(Provider),
}

/// A trust policy.
#[derive(JsonSchema)]
#[serde(rename_all = "PascalCase")]
#[expect(dead_code, reason = "describes what the platform reads by itself")]
struct AwsTrustPolicy {
    /// The version of the language.
    version: Option<String>,
    /// One statement or several.
    statement: Value,
}
