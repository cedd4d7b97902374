//! What goes in. The doc comments are the descriptions in the JSON Schema.
//!
//! Objects are taken as the REST API nests them below `properties` and as `az` flattens them; a member that neither knows
//! is refused.

use std::borrow::Cow;
use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// Where the form is described.
pub(super) const REMEDY: &str = "see `evenhand schema decide-azure`";

/// A request and everything that decides it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Input<'a> {
    /// What is asked.
    pub(super) request: Asked,
    /// Role assignments that hold now, as `az role assignment list --all` or the REST API return them. Absent: none.
    #[serde(borrow, default)]
    #[schemars(with = "Option<Vec<Assignment>>")]
    pub(super) role_assignments: Option<&'a RawValue>,
    /// Role definitions, as `az role definition list` or the REST API return them. Absent: none.
    #[serde(borrow, default)]
    #[schemars(with = "Option<Vec<Definition>>")]
    pub(super) role_definitions: Option<&'a RawValue>,
    /// Deny assignments, as the REST API returns them. Absent: none.
    #[serde(borrow, default)]
    #[schemars(with = "Option<Vec<Deny>>")]
    pub(super) deny_assignments: Option<&'a RawValue>,
    /// Groups with their direct members. Absent: nobody is in a group.
    #[serde(borrow, default)]
    #[schemars(with = "Option<Vec<Group>>")]
    pub(super) groups: Option<&'a RawValue>,
    /// Management groups and subscriptions with the management group that they lie in. Absent: not known, so that what is
    /// assigned at a management group and could decide leaves the decision `unknown`.
    #[serde(borrow, default)]
    #[schemars(with = "Option<Vec<Lies>>")]
    pub(super) management_groups: Option<&'a RawValue>,
}

/// What is asked: one operation on one resource.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Asked {
    /// The object id of who asks.
    pub(super) principal: String,
    /// The operation on the resource itself, such as `Microsoft.Compute/virtualMachines/start/action`. Either this or
    /// `dataAction`.
    #[serde(default)]
    pub(super) action: Option<String>,
    /// The operation on the data in the resource.
    #[serde(default)]
    pub(super) data_action: Option<String>,
    /// The id of the resource, or of the scope that is acted on, from the root on.
    pub(super) resource: String,
    /// The suboperation, such as `Blob.List`, that conditions may ask for; an empty text: there is none. Absent: not known.
    #[serde(default)]
    pub(super) sub_operation: Option<String>,
    /// Attributes that conditions may ask for, by their spelling in conditions, such as
    /// `@Resource[Microsoft.Storage/storageAccounts/blobServices/containers:name]`. One that is not here is not known; one
    /// that is `null` is known to be absent.
    #[serde(default)]
    pub(super) attributes: Option<BTreeMap<String, Option<Given>>>,
}

/// The value of an attribute, or several.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(super) enum Given {
    /// One.
    One(Plain),
    /// Several.
    Many(Vec<Plain>),
}

/// A value.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(super) enum Plain {
    /// A text: also GUIDs and times.
    Text(String),
    /// A truth.
    Bool(bool),
    /// A number.
    Number(serde_json::Number),
}

impl Plain {
    fn text(self) -> String {
        match self {
            Self::Text(text) => text,
            Self::Bool(held) => held.to_string(),
            Self::Number(held) => held.to_string(),
        }
    }
}

impl Given {
    pub(super) fn texts(self) -> Vec<String> {
        match self {
            Self::One(one) => vec![one.text()],
            Self::Many(many) => many.into_iter().map(Plain::text).collect(),
        }
    }
}

/// A member that does not count.
#[derive(Clone, Debug, Default)]
pub(super) struct Ignored;

impl<'de> Deserialize<'de> for Ignored {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        IgnoredAny::deserialize(deserializer).map(|_| Self)
    }
}

impl JsonSchema for Ignored {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Ignored".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        true.into()
    }
}

/// An object of Azure Resource Manager with what all of them say of who made and changed them and when, none of which counts.
macro_rules! stamped {
    ($(#[$about:meta])* pub(super) struct $name:ident { $($members:tt)* }) => {
        $(#[$about])*
        pub(super) struct $name {
            $($members)*
            #[serde(rename = "createdOn")]
            _created_on: Ignored,
            #[serde(rename = "createdBy")]
            _created_by: Ignored,
            #[serde(rename = "updatedOn")]
            _updated_on: Ignored,
            #[serde(rename = "updatedBy")]
            _updated_by: Ignored,
        }
    };
}

stamped! {
/// A role assignment.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(super) struct Assignment {
    /// Its id. May be absent.
    pub(super) id: Option<String>,
    /// The members below, where the REST API nests them.
    pub(super) properties: Option<Box<Self>>,
    /// The object id of who is given the role.
    pub(super) principal_id: Option<String>,
    /// The role: the id of its definition, or the last part of it.
    pub(super) role_definition_id: Option<String>,
    /// Where. Absent: the scope in `id`.
    pub(super) scope: Option<String>,
    /// Under which condition.
    pub(super) condition: Option<String>,
    #[serde(rename = "name")]
    _name: Ignored,
    #[serde(rename = "type")]
    _type: Ignored,
    #[serde(rename = "principalType")]
    _principal_type: Ignored,
    #[serde(rename = "principalName")]
    _principal_name: Ignored,
    #[serde(rename = "roleDefinitionName")]
    _role_definition_name: Ignored,
    #[serde(rename = "conditionVersion")]
    _condition_version: Ignored,
    #[serde(rename = "description")]
    _description: Ignored,
    #[serde(rename = "delegatedManagedIdentityResourceId")]
    _delegated: Ignored,
    #[serde(rename = "resourceGroup")]
    _resource_group: Ignored,
}
}

stamped! {
/// A role definition.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(super) struct Definition {
    /// Its id. Absent: `name` is the last part of it.
    pub(super) id: Option<String>,
    /// The last part of its id.
    pub(super) name: Option<String>,
    /// The members below, where the REST API nests them.
    pub(super) properties: Option<Box<Self>>,
    /// Its name for people.
    pub(super) role_name: Option<String>,
    /// What it grants: the union of these.
    pub(super) permissions: Option<Vec<Block>>,
    #[serde(rename = "type")]
    _type: Ignored,
    #[serde(rename = "roleType")]
    _role_type: Ignored,
    #[serde(rename = "description")]
    _description: Ignored,
    #[serde(rename = "assignableScopes")]
    _assignable_scopes: Ignored,
}
}

/// A permission block.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(super) struct Block {
    /// Operations on resources; `*` stands for any text.
    pub(super) actions: Option<Vec<String>>,
    /// What is taken out of them, in this block only.
    pub(super) not_actions: Option<Vec<String>>,
    /// Operations on data.
    pub(super) data_actions: Option<Vec<String>>,
    /// What is taken out of them.
    pub(super) not_data_actions: Option<Vec<String>>,
    /// Under which condition the block counts.
    pub(super) condition: Option<String>,
    #[serde(rename = "conditionVersion")]
    _condition_version: Ignored,
}

stamped! {
/// A deny assignment.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(super) struct Deny {
    /// Its id. May be absent.
    pub(super) id: Option<String>,
    /// The members below, where the REST API nests them.
    pub(super) properties: Option<Box<Self>>,
    /// Its name for people.
    pub(super) deny_assignment_name: Option<String>,
    /// What it denies: the union of these.
    pub(super) permissions: Option<Vec<Block>>,
    /// Where. Absent: the scope in `id`.
    pub(super) scope: Option<String>,
    /// Whether it holds at that scope alone and not below it.
    pub(super) do_not_apply_to_child_scopes: Option<bool>,
    /// For whom.
    pub(super) principals: Option<Vec<Principal>>,
    /// And for whom not.
    pub(super) exclude_principals: Option<Vec<Principal>>,
    /// Under which condition.
    pub(super) condition: Option<String>,
    /// Whether it denies, or only records what it would deny. Absent: it denies.
    pub(super) deny_assignment_effect: Option<DenyEffect>,
    #[serde(rename = "name")]
    _name: Ignored,
    #[serde(rename = "type")]
    _type: Ignored,
    #[serde(rename = "description")]
    _description: Ignored,
    #[serde(rename = "conditionVersion")]
    _condition_version: Ignored,
    #[serde(rename = "isSystemProtected")]
    _is_system_protected: Ignored,
}
}

/// Whether a deny assignment denies.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum DenyEffect {
    /// It does.
    #[serde(alias = "Enforced")]
    Enforced,
    /// It records what it would deny.
    #[serde(alias = "Audit")]
    Audit,
}

/// Whom a deny assignment names. The id of zeros and the type `SystemDefined` are everybody.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Principal {
    /// The object id.
    pub(super) id: String,
    /// `User`, `Group`, `ServicePrincipal`, `SystemDefined`.
    #[serde(default, rename = "type")]
    pub(super) kind: Option<String>,
    #[serde(default, rename = "displayName")]
    _display_name: Ignored,
    #[serde(default, rename = "email")]
    _email: Ignored,
}

/// A group.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Group {
    /// Its object id.
    pub(super) id: String,
    /// The object ids of its direct members, groups among them.
    pub(super) members: Vec<String>,
}

/// Where a management group or subscription lies.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Lies {
    /// Its id, such as `/subscriptions/ID` or `/providers/Microsoft.Management/managementGroups/NAME`.
    pub(super) id: String,
    /// The id of the management group that it lies in; `null`: it lies in none.
    pub(super) parent: Option<String>,
}
