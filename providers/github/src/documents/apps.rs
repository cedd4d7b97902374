//! Apps, tokens and what authorises them, as the API describes them.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;

use super::people::Account;

/// Permissions as GitHub writes them: family to level. Families and levels are open sets.
pub type Words = BTreeMap<String, String>;

/// An app that is installed in an organisation.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Installation {
    /// The installation's number.
    pub id: u64,
    /// The app's number, as rulesets name it.
    pub app_id: Option<u64>,
    /// The app's name in paths.
    #[serde(default)]
    pub app_slug: String,
    /// `all` = all repositories, also those to come; `selected` = a list.
    pub repository_selection: Option<String>,
    /// What it may do; none = it was not told.
    pub permissions: Option<Words>,
    /// What tells it of changes.
    #[serde(default, deserialize_with = "super::absent::or_default")]
    pub events: Vec<String>,
    /// When it was installed.
    pub created_at: Option<Timestamp>,
    /// When it was changed.
    pub updated_at: Option<Timestamp>,
    /// When it was put on hold.
    pub suspended_at: Option<Timestamp>,
}

/// An app as its owner defined it.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct App {
    /// Its name in paths.
    #[serde(default)]
    pub slug: String,
    /// Who made it.
    pub owner: Option<Account>,
    /// What it says it is for.
    pub description: Option<String>,
}

/// A repository by its name.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Named {
    /// Owner and name.
    #[serde(default)]
    pub full_name: String,
}

/// A fine-grained token that reaches an organisation, or asks to.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct TokenGrant {
    /// The grant's number.
    pub id: u64,
    /// Whose it is.
    pub owner: Option<Account>,
    /// `none`, `all`, `subset`.
    pub repository_selection: Option<String>,
    /// What it may do.
    #[serde(default)]
    pub permissions: GrantedWords,
    /// When access was granted.
    pub access_granted_at: Option<Timestamp>,
    /// The token's own number.
    pub token_id: Option<u64>,
    /// What its owner calls it.
    pub token_name: Option<String>,
    /// Whether it is over.
    pub token_expired: Option<bool>,
    /// When it ends; none = never.
    pub token_expires_at: Option<Timestamp>,
    /// When it was last used.
    pub token_last_used_at: Option<Timestamp>,
}

/// Permissions of a token by what they are about.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct GrantedWords {
    /// About the organisation.
    #[serde(default)]
    pub organization: Words,
    /// About repositories.
    #[serde(default)]
    pub repository: Words,
}

/// A credential that single sign-on let in: a classic token, an SSH key, a token of an app.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct CredentialAuthorisation {
    /// Whose it is.
    #[serde(default)]
    pub login: String,
    /// Its number.
    pub credential_id: Option<u64>,
    /// `personal access token`, `SSH key`, `OAuth app token`, `GitHub app token`.
    #[serde(default)]
    pub credential_type: String,
    /// When it was let in.
    pub credential_authorized_at: Option<Timestamp>,
    /// When it was last used.
    pub credential_accessed_at: Option<Timestamp>,
    /// Scopes of a classic token.
    pub scopes: Option<Vec<String>>,
    /// When it ends.
    pub authorized_credential_expires_at: Option<Timestamp>,
    /// What its owner calls it.
    pub authorized_credential_note: Option<String>,
    /// The title of a key.
    pub authorized_credential_title: Option<String>,
}
