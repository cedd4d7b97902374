//! Objects of Azure Resource Manager, nested below `properties` as its REST API has them or flat as `az` prints them.

use std::collections::BTreeMap;
use std::sync::Arc;

use evenhand_model::json_shape::{self, Unfit};
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::directory::{ActivationRule, moment};

/// What every object has around its own members.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Outer<'a> {
    pub(crate) id: Option<String>,
    pub(crate) name: Option<String>,
    #[serde(rename = "type")]
    pub(crate) kind: Option<String>,
    #[serde(borrow)]
    pub(crate) properties: Option<&'a RawValue>,
}

/// An object: what stands around it, and its own members, which stand below `properties` where there are such.
pub(crate) fn nested<'a, T: DeserializeOwned>(raw: &'a RawValue) -> Result<(Outer<'a>, T), Unfit> {
    let outer: Outer<'_> = json_shape::from_str(raw.get())?;
    let own = match outer.properties {
        Some(held) => json_shape::from_str(held.get()).map_err(|unfit| unfit.within("/properties"))?,
        None => json_shape::from_str(raw.get())?,
    };
    Ok((outer, own))
}

/// A role assignment, standing, active or held ready.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Assignment {
    pub(crate) principal_id: String,
    pub(crate) principal_type: Option<String>,
    pub(crate) principal_name: Option<Arc<str>>,
    pub(crate) role_definition_id: String,
    pub(crate) scope: Option<String>,
    pub(crate) condition: Option<String>,
    pub(crate) assignment_type: Option<String>,
    pub(crate) origin_role_assignment_id: Option<String>,
    #[serde(default, deserialize_with = "moment")]
    pub(crate) end_date_time: Option<Timestamp>,
}

/// A role definition.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Definition {
    pub(crate) role_name: Option<Arc<str>>,
    pub(crate) permissions: Vec<Block>,
}

/// A permission block.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Block {
    pub(crate) actions: Option<Vec<String>>,
    pub(crate) not_actions: Option<Vec<String>>,
    pub(crate) data_actions: Option<Vec<String>>,
    pub(crate) not_data_actions: Option<Vec<String>>,
    pub(crate) condition: Option<String>,
}

/// A deny assignment.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Deny {
    pub(crate) deny_assignment_name: Option<Arc<str>>,
    pub(crate) deny_assignment_effect: Option<String>,
    pub(crate) scope: Option<String>,
    #[serde(default)]
    pub(crate) do_not_apply_to_child_scopes: Option<bool>,
    pub(crate) permissions: Vec<Block>,
    pub(crate) principals: Vec<Named>,
    #[serde(default)]
    pub(crate) exclude_principals: Option<Vec<Named>>,
    pub(crate) condition: Option<String>,
}

/// Somebody whom a deny assignment names.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Named {
    pub(crate) id: String,
    #[serde(rename = "type")]
    pub(crate) kind: Option<String>,
}

/// The rules for activating a role at a scope.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RoleActivation {
    pub(crate) scope: Option<String>,
    pub(crate) role_definition_id: Option<String>,
    pub(crate) effective_rules: Option<Vec<ActivationRule>>,
}

/// A managed identity of its own.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct ManagedIdentity {
    pub(crate) principal_id: Option<String>,
    pub(crate) client_id: Option<String>,
    pub(crate) tenant_id: Option<String>,
}

/// A resource, with what stands around its own members.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Resource {
    pub(crate) id: String,
    pub(crate) name: Option<Arc<str>>,
    #[serde(rename = "type")]
    pub(crate) resource_type: Option<String>,
    pub(crate) kind: Option<String>,
    pub(crate) tags: Option<BTreeMap<Arc<str>, Arc<str>>>,
    pub(crate) identity: Option<Carried>,
    #[serde(deserialize_with = "own")]
    pub(crate) properties: Option<ResourceProperties>,
}

/// A resource's own members. Each of the many types of resources has others, and those of the same name may be anything:
/// what is not as it is here is not known.
fn own<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<ResourceProperties>, D::Error> {
    let value = Option::<serde_json::Value>::deserialize(deserializer)?;
    Ok(value.and_then(|value| serde_json::from_value(value).ok()))
}

/// A moment; what is none is not known.
fn moment_if_any<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    let value = Option::<serde_json::Value>::deserialize(deserializer)?;
    Ok(value.and_then(|value| value.as_str()?.parse().ok()))
}

impl Resource {
    /// Whether its keys work; `None` = that was not read. What says nothing of it has not switched them off.
    pub(crate) fn takes_keys(&self) -> Option<bool> {
        self.properties.as_ref().map(|own| !own.disable_local_auth.unwrap_or_default())
    }
}

/// The identities that a resource carries.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Carried {
    pub(crate) principal_id: Option<String>,
    pub(crate) tenant_id: Option<String>,
    /// By their ids.
    pub(crate) user_assigned_identities: Option<BTreeMap<String, Option<ManagedIdentity>>>,
}

/// What is asked of resources that answer for models, and of their connections. The secrets of connections are in no answer.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct ResourceProperties {
    pub(crate) disable_local_auth: Option<bool>,
    /// Of a connection: how it proves itself.
    pub(crate) auth_type: Option<String>,
    /// Of a connection: what it leads to.
    pub(crate) category: Option<String>,
    #[serde(deserialize_with = "moment_if_any")]
    pub(crate) date_created: Option<Timestamp>,
    /// Of a key vault: whether it takes roles instead of its access policies.
    pub(crate) enable_rbac_authorization: Option<bool>,
    /// Of a key vault: who may do what with all of its secrets, keys and certificates.
    #[serde(deserialize_with = "policies")]
    pub(crate) access_policies: Option<VaultPolicies>,
}

/// The access policies of a key vault.
#[derive(Clone, Debug, Default)]
pub(crate) struct VaultPolicies {
    pub(crate) read: Vec<VaultPolicy>,
    /// How many there are beside these that are not understood.
    pub(crate) others: usize,
}

/// An access policy of a key vault.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct VaultPolicy {
    pub(crate) object_id: String,
    /// The application through which alone it counts.
    #[serde(default)]
    pub(crate) application_id: Option<String>,
    #[serde(default)]
    pub(crate) permissions: VaultPermissions,
}

/// What it allows, by kind of thing.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct VaultPermissions {
    pub(crate) secrets: Option<Vec<String>>,
    pub(crate) keys: Option<Vec<String>>,
    pub(crate) certificates: Option<Vec<String>>,
}

/// Access policies, each by itself; what has that name elsewhere is none.
fn policies<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<VaultPolicies>, D::Error> {
    let Some(serde_json::Value::Array(all)) = Option::<serde_json::Value>::deserialize(deserializer)? else {
        return Ok(None);
    };
    let mut policies = VaultPolicies::default();
    for one in all {
        match serde_json::from_value(one) {
            Ok(policy) => policies.read.push(policy),
            Err(_) => policies.others += 1,
        }
    }
    Ok(Some(policies))
}

/// Where a resource's logs go.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Diagnostic {
    pub(crate) workspace_id: Option<String>,
    pub(crate) storage_account_id: Option<String>,
    pub(crate) event_hub_authorization_rule_id: Option<String>,
    pub(crate) logs: Option<Vec<LogOfKind>>,
}

/// One kind of log, or a group of kinds.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct LogOfKind {
    pub(crate) category: Option<String>,
    pub(crate) category_group: Option<String>,
    pub(crate) enabled: Option<bool>,
    pub(crate) retention_policy: Option<Retention>,
}

/// How long it is kept in a storage account; 0 days = for ever.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Retention {
    pub(crate) enabled: Option<bool>,
    pub(crate) days: Option<i64>,
}

/// What lies below a management group.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Descendant {
    pub(crate) parent: Option<Parent>,
}

/// What it lies in.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Parent {
    pub(crate) id: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_of_other_types_cost_no_resource() {
        let text = r#"{"id":"/x","properties":{"category":["a"],"disableLocalAuth":true}}"#;
        let held: Resource = serde_json::from_str(text).unwrap();
        assert!(held.properties.is_none());
        let held: Resource =
            serde_json::from_str(r#"{"id":"/x","properties":{"disableLocalAuth":true,"dateCreated":7}}"#).unwrap();
        assert_eq!(held.takes_keys(), Some(false));
    }

    #[test]
    fn properties_that_are_no_object_are_told_and_not_passed_over() {
        for (text, below) in [
            (r#"{"id":"/x","properties":7}"#, "/properties"),
            (r#"{"id":"/x","properties":[]}"#, "/properties"),
            (r#"{"id":"/x","properties":{"scope":7}}"#, "/properties/scope"),
            (r#"{"id":"/x","properties":{"effectiveRules":[[]]}}"#, "/properties/effectiveRules/0"),
        ] {
            let raw: &RawValue = serde_json::from_str(text).unwrap();
            assert_eq!(nested::<RoleActivation>(raw).unwrap_err().below, below);
        }
    }

    #[test]
    fn an_assignment_whose_end_is_no_text_is_none_without_end() {
        for end in ["7", "[]", "{}"] {
            let text = format!(
                r#"{{"id":"/x","properties":{{"principalId":"P","roleDefinitionId":"R","endDateTime":{end}}}}}"#
            );
            let raw: Box<RawValue> = serde_json::from_str(&text).unwrap();
            assert_eq!(nested::<Assignment>(&raw).unwrap_err().below, "/properties/endDateTime", "{end}");
        }
        for end in ["null", r#""9999-12-31T23:59:59.9999999Z""#] {
            let text = format!(r#"{{"principalId":"P","roleDefinitionId":"R","endDateTime":{end}}}"#);
            let raw: Box<RawValue> = serde_json::from_str(&text).unwrap();
            assert!(nested::<Assignment>(&raw).unwrap().1.end_date_time.is_none(), "{end}");
        }
    }

    #[test]
    fn an_object_is_read_nested_and_flat() {
        for text in [
            r#"{"id":"/a/providers/Microsoft.Authorization/roleAssignments/x","properties":{"principalId":"P","roleDefinitionId":"R","scope":"/a"}}"#,
            r#"{"id":"/a/providers/Microsoft.Authorization/roleAssignments/x","principalId":"P","roleDefinitionId":"R","scope":"/a"}"#,
        ] {
            let raw: &RawValue = serde_json::from_str(text).unwrap();
            let (outer, own) = nested::<Assignment>(raw).unwrap();
            assert_eq!((own.principal_id.as_str(), own.scope.as_deref()), ("P", Some("/a")));
            assert!(outer.id.is_some());
        }
    }
}
