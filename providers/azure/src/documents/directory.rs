//! Objects of Microsoft Graph, as far as anything here asks for them. No member that can hold a secret is read: of a
//! password neither its text nor its hint.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer};

/// A moment; one that cannot be read, such as the last of the year 9999, is not known. What is no text is none and must
/// not pass for an assignment that never ends.
pub(crate) fn moment<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    Ok(Option::<String>::deserialize(deserializer)?.and_then(|text| text.parse().ok()))
}

/// The tenant.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Organisation {
    pub(crate) id: String,
}

/// A service principal: of an application, a managed identity, an agent.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct ServicePrincipal {
    #[serde(rename = "@odata.type")]
    pub(crate) object_type: Option<String>,
    pub(crate) id: String,
    pub(crate) app_id: Option<String>,
    pub(crate) display_name: Option<Arc<str>>,
    pub(crate) service_principal_type: Option<String>,
    pub(crate) account_enabled: Option<bool>,
    pub(crate) app_owner_organization_id: Option<String>,
    pub(crate) tags: Option<Vec<Arc<str>>>,
    #[serde(deserialize_with = "moment")]
    pub(crate) created_date_time: Option<Timestamp>,
    /// Of a managed identity: the resource that it is, or belongs to.
    pub(crate) alternative_names: Option<Vec<String>>,
    /// Of an agent: the application id of its blueprint.
    pub(crate) agent_identity_blueprint_id: Option<String>,
    pub(crate) app_roles: Option<Vec<AppRole>>,
    pub(crate) password_credentials: Option<Vec<CredentialOfApplication>>,
    pub(crate) key_credentials: Option<Vec<CredentialOfApplication>>,
    pub(crate) description: Option<Arc<str>>,
    pub(crate) notes: Option<Arc<str>>,
}

/// What a service principal is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum PrincipalKind {
    Application,
    ManagedIdentity,
    Agent,
    Blueprint,
}

impl ServicePrincipal {
    /// What it is, by its type, or by what only an agent has.
    pub(crate) fn kind(&self) -> PrincipalKind {
        let is = |name: &str| {
            self.object_type.as_deref().is_some_and(|held| {
                held.trim_start_matches('#').rsplit('.').next().is_some_and(|last| last.eq_ignore_ascii_case(name))
            })
        };
        if is("agentIdentity") || self.agent_identity_blueprint_id.is_some() {
            PrincipalKind::Agent
        } else if is("agentIdentityBlueprintPrincipal") {
            PrincipalKind::Blueprint
        } else if self.service_principal_type.as_deref() == Some("ManagedIdentity") {
            PrincipalKind::ManagedIdentity
        } else {
            PrincipalKind::Application
        }
    }

    /// Takes what another answer says of the same object and this one does not.
    pub(crate) fn fill(&mut self, other: Self) {
        macro_rules! fill {
            ($($member:ident),+) => { $(if self.$member.is_none() { self.$member = other.$member; })+ };
        }
        fill!(
            object_type,
            app_id,
            display_name,
            service_principal_type,
            account_enabled,
            app_owner_organization_id,
            tags,
            created_date_time,
            alternative_names,
            agent_identity_blueprint_id,
            app_roles,
            password_credentials,
            key_credentials,
            description,
            notes
        );
    }
}

/// A permission that a resource application defines.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct AppRole {
    pub(crate) id: String,
    pub(crate) value: Option<Arc<str>>,
}

/// A password or certificate. Its hint is a part of the secret and is not read.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CredentialOfApplication {
    pub(crate) key_id: Option<String>,
    #[serde(default, deserialize_with = "moment")]
    pub(crate) start_date_time: Option<Timestamp>,
    #[serde(default, deserialize_with = "moment")]
    pub(crate) end_date_time: Option<Timestamp>,
}

/// An application: the definition in its home tenant, which holds the credentials.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Application {
    pub(crate) id: String,
    pub(crate) app_id: Option<String>,
    pub(crate) display_name: Option<Arc<str>>,
    pub(crate) tags: Option<Vec<Arc<str>>>,
    pub(crate) password_credentials: Option<Vec<CredentialOfApplication>>,
    pub(crate) key_credentials: Option<Vec<CredentialOfApplication>>,
    pub(crate) description: Option<Arc<str>>,
    pub(crate) notes: Option<Arc<str>>,
    #[serde(deserialize_with = "moment")]
    pub(crate) created_date_time: Option<Timestamp>,
    /// Inherited permissions, where a blueprint was read with them.
    pub(crate) inheritable_permissions: Option<Vec<Inheritable>>,
}

impl Application {
    /// Takes what another answer says of the same object and this one does not.
    pub(crate) fn fill(&mut self, other: Self) {
        macro_rules! fill {
            ($($member:ident),+) => { $(if self.$member.is_none() { self.$member = other.$member; })+ };
        }
        fill!(
            app_id,
            display_name,
            tags,
            password_credentials,
            key_credentials,
            description,
            notes,
            created_date_time,
            inheritable_permissions
        );
    }
}

/// A person's account.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct User {
    #[serde(rename = "@odata.type")]
    pub(crate) object_type: Option<String>,
    pub(crate) id: String,
    /// Of an agent's user: the agent identity.
    pub(crate) identity_parent_id: Option<String>,
    pub(crate) display_name: Option<Arc<str>>,
    pub(crate) user_principal_name: Option<Arc<str>>,
    pub(crate) account_enabled: Option<bool>,
    pub(crate) user_type: Option<String>,
    #[serde(deserialize_with = "moment")]
    pub(crate) created_date_time: Option<Timestamp>,
}

impl User {
    /// Whether it is the user account of an agent.
    pub(crate) fn is_agents(&self) -> bool {
        let kind = self.object_type.as_deref().unwrap_or_default();
        self.identity_parent_id.is_some() || kind.to_ascii_lowercase().ends_with(".agentuser")
    }
}

/// A group.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Group {
    pub(crate) id: String,
    pub(crate) display_name: Option<Arc<str>>,
    pub(crate) description: Option<Arc<str>>,
    #[serde(deserialize_with = "moment")]
    pub(crate) created_date_time: Option<Timestamp>,
}

/// Another object, as lists of owners, sponsors and members name it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Reference {
    #[serde(rename = "@odata.type")]
    pub(crate) object_type: Option<String>,
    pub(crate) id: String,
    pub(crate) display_name: Option<Arc<str>>,
    pub(crate) user_principal_name: Option<Arc<str>>,
}

/// An application permission that somebody holds.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AppRoleAssignment {
    pub(crate) id: Option<Arc<str>>,
    pub(crate) principal_id: String,
    pub(crate) principal_type: Option<String>,
    pub(crate) resource_id: String,
    pub(crate) resource_display_name: Option<Arc<str>>,
    pub(crate) app_role_id: String,
}

/// Delegated permissions: what a client may do in the name of a person, or of everybody.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DelegatedGrant {
    pub(crate) id: Option<Arc<str>>,
    pub(crate) client_id: String,
    pub(crate) consent_type: Option<String>,
    pub(crate) principal_id: Option<String>,
    pub(crate) resource_id: String,
    #[serde(default)]
    pub(crate) scope: Option<String>,
}

/// What agent identities inherit of the grants of their blueprint, for one resource application.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Inheritable {
    pub(crate) resource_app_id: String,
    pub(crate) inheritable_scopes: Option<Inherited>,
    pub(crate) inheritable_roles: Option<Inherited>,
}

/// Which of them.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Inherited {
    #[serde(rename = "@odata.type")]
    pub(crate) object_type: Option<String>,
    pub(crate) kind: Option<String>,
    pub(crate) scopes: Option<Vec<String>>,
    pub(crate) roles: Option<Vec<String>>,
}

impl Inherited {
    /// Whether a permission is inherited.
    pub(crate) fn holds(&self, value: &str) -> bool {
        let said = self.kind.as_deref().or(self.object_type.as_deref()).unwrap_or_default().to_ascii_lowercase();
        let listed = self.scopes.iter().chain(&self.roles).flatten().any(|held| held.eq_ignore_ascii_case(value));
        if said.contains("allallowed") { true } else { said.contains("enumerated") && listed }
    }
}

/// A federated identity credential; the credential itself is kept as it is written, for whoever compares tokens with it.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FederatedCredential {
    pub(crate) id: Option<String>,
    pub(crate) name: Option<Arc<str>>,
    pub(crate) issuer: Option<String>,
    pub(crate) subject: Option<String>,
    pub(crate) audiences: Option<Vec<String>>,
    pub(crate) claims_matching_expression: Option<Expression>,
}

/// The expression of a flexible credential.
#[derive(Clone, Debug, Deserialize, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Expression {
    pub(crate) value: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) language_version: Option<u32>,
}

/// A directory role, assigned or held ready.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DirectoryAssignment {
    pub(crate) id: Option<String>,
    pub(crate) principal_id: String,
    pub(crate) role_definition_id: String,
    pub(crate) directory_scope_id: Option<String>,
    pub(crate) app_scope_id: Option<String>,
    /// Of an instance of a schedule: `Assigned` or `Activated`.
    pub(crate) assignment_type: Option<String>,
    /// Of an instance of a schedule: the assignment that it stands for.
    pub(crate) role_assignment_origin_id: Option<String>,
    #[serde(default, deserialize_with = "moment")]
    pub(crate) end_date_time: Option<Timestamp>,
}

/// What a directory role allows.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct DirectoryRole {
    pub(crate) id: String,
    pub(crate) template_id: Option<String>,
    pub(crate) display_name: Option<Arc<str>>,
    pub(crate) is_built_in: Option<bool>,
    pub(crate) is_enabled: Option<bool>,
    pub(crate) role_permissions: Option<Vec<DirectoryPermission>>,
}

/// A block of actions.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct DirectoryPermission {
    pub(crate) allowed_resource_actions: Option<Vec<String>>,
    pub(crate) excluded_resource_actions: Option<Vec<String>>,
    pub(crate) condition: Option<String>,
}

/// The rules for activating a role.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ActivationPolicy {
    pub(crate) scope_id: Option<String>,
    pub(crate) scope_type: Option<String>,
    pub(crate) role_definition_id: Option<String>,
    pub(crate) policy: Option<PolicyOfRules>,
}

/// The policy, with its rules where they were asked for.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct PolicyOfRules {
    pub(crate) rules: Option<Vec<ActivationRule>>,
}

/// One rule, of Graph or of Resource Manager.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct ActivationRule {
    pub(crate) id: Option<String>,
    pub(crate) maximum_duration: Option<String>,
    pub(crate) enabled_rules: Option<Vec<String>>,
    pub(crate) is_enabled: Option<bool>,
    pub(crate) setting: Option<ApprovalSetting>,
}

/// Whether somebody approves.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct ApprovalSetting {
    pub(crate) is_approval_required: Option<bool>,
}

/// A group whose membership may be activated.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct GroupEligibility {
    pub(crate) principal_id: String,
    pub(crate) group_id: String,
    pub(crate) access_id: Option<String>,
}

/// A conditional access policy.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct ConditionalAccess {
    pub(crate) display_name: Option<Arc<str>>,
    pub(crate) state: Option<String>,
    pub(crate) conditions: Option<AccessConditions>,
    pub(crate) grant_controls: Option<GrantControls>,
}

/// When it applies.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct AccessConditions {
    pub(crate) users: Option<Included>,
    pub(crate) applications: Option<Included>,
    pub(crate) client_applications: Option<Included>,
    pub(crate) locations: Option<Included>,
    pub(crate) client_app_types: Option<Vec<String>>,
    pub(crate) sign_in_risk_levels: Option<Vec<String>>,
    pub(crate) user_risk_levels: Option<Vec<String>>,
    pub(crate) service_principal_risk_levels: Option<Vec<String>>,
    pub(crate) platforms: Option<serde::de::IgnoredAny>,
    pub(crate) devices: Option<serde::de::IgnoredAny>,
}

/// Whom or what a policy means, and whom or what not.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Included {
    pub(crate) include_users: Option<Vec<String>>,
    pub(crate) exclude_users: Option<Vec<String>>,
    pub(crate) include_groups: Option<Vec<String>>,
    pub(crate) exclude_groups: Option<Vec<String>>,
    pub(crate) include_roles: Option<Vec<String>>,
    pub(crate) exclude_roles: Option<Vec<String>>,
    pub(crate) include_applications: Option<Vec<String>>,
    pub(crate) exclude_applications: Option<Vec<String>>,
    pub(crate) include_service_principals: Option<Vec<String>>,
    pub(crate) exclude_service_principals: Option<Vec<String>>,
    pub(crate) include_locations: Option<Vec<String>>,
    pub(crate) exclude_locations: Option<Vec<String>>,
}

/// What it asks for.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct GrantControls {
    pub(crate) operator: Option<String>,
    pub(crate) built_in_controls: Option<Vec<String>>,
    pub(crate) authentication_strength: Option<serde::de::IgnoredAny>,
}

/// Whether every account registers several factors.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SecurityDefaults {
    pub(crate) is_enabled: Option<bool>,
}

/// An agent in the registry of agents.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct AgentInstance {
    pub(crate) id: String,
    pub(crate) display_name: Option<Arc<str>>,
    /// The agent identity, by its object id.
    pub(crate) agent_identity_id: Option<String>,
    /// The agent's user account, by its object id.
    pub(crate) agent_user_id: Option<String>,
    /// Where it was made.
    pub(crate) originating_store: Option<Arc<str>>,
}

/// An application or agent that signed in as if somebody else had its credentials.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Risky {
    /// The object id of the principal.
    pub(crate) id: String,
    pub(crate) risk_level: Option<String>,
    pub(crate) risk_state: Option<String>,
}

/// What every application's credentials have to be like, where no policy of its own says otherwise.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct CredentialPolicy {
    pub(crate) is_enabled: Option<bool>,
}

/// When a service principal last signed in.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SignInActivity {
    pub(crate) app_id: String,
    pub(crate) last_sign_in_activity: Option<LastSignIn>,
    /// As the application itself, apart from sign-ins in a person's name.
    pub(crate) application_authentication_client_sign_in_activity: Option<LastSignIn>,
}

/// A sign-in.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LastSignIn {
    #[serde(default, deserialize_with = "moment")]
    pub(crate) last_sign_in_date_time: Option<Timestamp>,
}

/// When a secret or certificate was last used.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CredentialActivity {
    pub(crate) key_id: String,
    pub(crate) sign_in_activity: Option<LastSignIn>,
}
