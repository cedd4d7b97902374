//! What goes in. The doc comments are the descriptions in the JSON Schema.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use evenhand_model::decide::Refusal;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::policy::Values;
use crate::policy::context::{Context, Lookup};

/// A request and every policy that applies to it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Question")]
pub(super) struct Input<'a> {
    /// What is asked.
    #[serde(borrow)]
    pub(super) request: Request<'a>,
    /// What of context keys that the request does not carry.
    #[serde(default)]
    pub(super) mode: Mode,
    /// The caller's own policies: inline, attached, and those of its groups. Callers that have none, such as services and
    /// anonymous ones, are not granted anything by them.
    #[serde(borrow)]
    pub(super) identity_policies: Option<Vec<NamedPolicy<'a>>>,
    /// The caller's permissions boundary. Absent or empty: it has none.
    #[serde(borrow)]
    pub(super) permissions_boundaries: Option<Vec<NamedPolicy<'a>>>,
    /// The policies of the caller's session. Absent or empty: the session is not limited.
    #[serde(borrow)]
    pub(super) session_policies: Option<Vec<NamedPolicy<'a>>>,
    /// The policy of the resource; for `sts:AssumeRole…`, the trust policy of the role. Absent: it has none.
    #[serde(borrow)]
    #[schemars(with = "Option<Document>")]
    pub(super) resource_policy: Option<&'a RawValue>,
    /// Service control policies by level, from the root down to the caller's account. Every level must allow, and one
    /// without policies denies. Absent or empty: none apply, as in the management account or outside of an organisation.
    #[serde(borrow)]
    pub(super) service_control_policies: Option<Vec<Level<'a>>>,
    /// Resource control policies by level, from the root down to the account of the resource. Each level allows what it
    /// does not deny. Absent or empty: none apply.
    #[serde(borrow)]
    pub(super) resource_control_policies: Option<Vec<Level<'a>>>,
    /// The policy of the VPC endpoint that the request passes. Absent or empty: it passes none, or one without a policy.
    #[serde(borrow)]
    pub(super) endpoint_policies: Option<Vec<NamedPolicy<'a>>>,
}

/// What is asked.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Request<'a> {
    /// Who asks.
    #[serde(borrow)]
    #[schemars(with = "PrincipalSchema")]
    pub(super) principal: Principal<'a>,
    /// The action, such as `s3:GetObject`.
    #[serde(borrow)]
    pub(super) action: Cow<'a, str>,
    /// The resource: an ARN, an ARN with `*` and `?` for any one of several, or `*`. Absent: `*`.
    #[serde(borrow)]
    pub(super) resource: Option<Cow<'a, str>>,
    /// The account that owns the resource, where its name does not tell. Absent: the caller's own.
    #[serde(borrow)]
    pub(super) resource_account: Option<Cow<'a, str>>,
    /// The request's context: key to value, or to a list of values. What follows from the principal and the resource
    /// (`aws:PrincipalArn`, `aws:PrincipalAccount`, `aws:PrincipalType`, `aws:username`, `aws:PrincipalIsAWSService`,
    /// `aws:PrincipalServiceName`, `aws:ResourceAccount`, `kms:CallerAccount`) need not be given; a value that is given
    /// wins. The clock is not looked at: give `aws:CurrentTime` where a policy asks for it.
    #[serde(default)]
    #[schemars(with = "std::collections::BTreeMap<String, ContextValue>")]
    pub(super) context: Given,
}

/// What of context keys that a request does not carry.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Mode {
    /// They are absent, as AWS sees them.
    #[default]
    Decide,
    /// They may have any value: the answer tells under which of them the request would be allowed.
    Discover,
}

/// A policy with its name.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NamedPolicy<'a> {
    /// A name, for the answer. Absent: its place.
    #[serde(borrow)]
    pub(super) name: Option<Cow<'a, str>>,
    /// The document.
    #[serde(borrow)]
    #[schemars(with = "Document")]
    pub(super) policy: &'a RawValue,
}

/// A level of an organisation: the root, a unit, the account.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Level<'a> {
    /// Its id, for people.
    #[serde(borrow, default, rename = "level")]
    pub(super) _level: Option<Cow<'a, str>>,
    /// The policies attached to it.
    #[serde(borrow)]
    pub(super) policies: Vec<NamedPolicy<'a>>,
}

/// Who asks, as written.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Principal<'a> {
    Name(Cow<'a, str>),
    Anonymous,
    Canonical(Cow<'a, str>),
}

impl<'de: 'a, 'a> Deserialize<'de> for Principal<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(tag = "type", deny_unknown_fields)]
        enum Object {
            Anonymous {},
            CanonicalUser { id: String },
        }
        struct NameOrObject;
        impl<'de> Visitor<'de> for NameOrObject {
            type Value = Principal<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an ARN, a service principal, or an object such as {\"type\":\"Anonymous\"}")
            }

            fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Principal<'de>, E> {
                Ok(Principal::Name(Cow::Borrowed(text)))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Principal<'de>, E> {
                Ok(Principal::Name(Cow::Owned(text.to_owned())))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Principal<'de>, A::Error> {
                Ok(match Object::deserialize(serde::de::value::MapAccessDeserializer::new(map))? {
                    Object::Anonymous {} => Principal::Anonymous,
                    Object::CanonicalUser { id } => Principal::Canonical(Cow::Owned(id)),
                })
            }
        }
        deserializer.deserialize_any(NameOrObject)
    }
}

/// A request's context, sorted by key. Keys are kept in lower case: their case does not matter.
#[derive(Debug, Default)]
pub(super) struct Given(Vec<(String, Vec<Arc<str>>)>);

impl<'de> Deserialize<'de> for Given {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Keys;
        impl<'de> Visitor<'de> for Keys {
            type Value = Given;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("context keys with their values")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Given, A::Error> {
                let mut given: Vec<(String, Vec<Arc<str>>)> = Vec::with_capacity(map.size_hint().unwrap_or_default());
                while let Some(mut key) = map.next_key::<String>()? {
                    key.make_ascii_lowercase();
                    given.push((key, map.next_value::<Values>()?.0));
                }
                given.sort_unstable();
                if let Some((key, _)) = given.windows(2).find_map(|pair| match pair {
                    [one, other] if one.0 == other.0 => Some(one),
                    _ => None,
                }) {
                    return Err(A::Error::custom(format!(
                        "the context key `{key}` is given twice; the case of keys does not matter"
                    )));
                }
                Ok(Given(given))
            }
        }
        deserializer.deserialize_map(Keys)
    }
}

impl Context for Given {
    fn get(&self, key: &str) -> Lookup {
        let at = self.0.binary_search_by(|(held, _)| held.as_str().cmp(key));
        match at.ok().and_then(|at| self.0.get(at)) {
            Some((_, values)) => Lookup::Known(values.clone()),
            None => Lookup::Unknown,
        }
    }
}

/// Reads one line.
pub(super) fn read(text: &str) -> Result<Input<'_>, Refusal> {
    const REMEDY: &str = "see `evenhand schema decide-aws`";
    evenhand_model::decide::read(text, REMEDY)
}

/// A policy document in the policy language of AWS.
pub(super) struct Document;

impl JsonSchema for Document {
    fn schema_name() -> Cow<'static, str> {
        "Policy".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A policy in the policy language of AWS. Elements and condition operators that the language \
                            does not have are refused, as are principals in policies that name none. `${…}` is a variable under version 2012-10-17 only.",
            "type": "object",
            "properties": {
                "Version": { "enum": ["2012-10-17", "2008-10-17"], "default": "2008-10-17" },
                "Id": { "type": "string" },
                "Statement": { "type": ["object", "array"], "items": { "type": "object" } }
            },
            "required": ["Statement"],
            "additionalProperties": false
        })
    }
}

/// Who asks.
struct PrincipalSchema;

impl JsonSchema for PrincipalSchema {
    fn schema_name() -> Cow<'static, str> {
        "Principal".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "Who asks. A role's ARN means the role and none of its sessions in particular; a session's ARN \
                            does not tell its role's path.",
            "oneOf": [
                {
                    "type": "string",
                    "description": "the ARN of a user, a role, a session of a role, a federated user or an account's root; \
                                    the ARN or name of an identity provider, for whom it vouches; or a service principal",
                    "examples": [
                        "arn:aws:iam::111122223333:user/ann",
                        "arn:aws:sts::111122223333:assumed-role/deploy/session",
                        "lambda.amazonaws.com"
                    ]
                },
                {
                    "type": "object",
                    "description": "nobody: the request is not signed",
                    "properties": { "type": { "const": "Anonymous" } },
                    "required": ["type"],
                    "additionalProperties": false
                },
                {
                    "type": "object",
                    "description": "an account by its canonical user id",
                    "properties": { "type": { "const": "CanonicalUser" }, "id": { "type": "string" } },
                    "required": ["type", "id"],
                    "additionalProperties": false
                }
            ]
        })
    }
}

/// A value of a context key, or a list of them.
struct ContextValue;

impl JsonSchema for ContextValue {
    fn schema_name() -> Cow<'static, str> {
        "ContextValue".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "One value, or several. With an empty list the key is absent.",
            "type": ["string", "number", "boolean", "array"],
            "items": { "type": ["string", "number", "boolean"] }
        })
    }
}
