//! Deploy keys, webhooks, stored secrets and variables as the API describes them.

use evenhand_model::secret::Fingerprint;
use jiff::Timestamp;
use serde::Deserialize;

/// A deploy key.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct DeployKey {
    /// Its number.
    pub id: u64,
    /// What people call it.
    #[serde(default)]
    pub title: String,
    /// Whether it may only read.
    pub read_only: Option<bool>,
    /// When it was added.
    pub created_at: Option<Timestamp>,
    /// When it was last used.
    pub last_used: Option<Timestamp>,
    /// Who added it.
    pub added_by: Option<String>,
    /// Whether it is accepted.
    pub enabled: Option<bool>,
}

/// A webhook. Its secret is masked by GitHub, so that only its presence is known.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Webhook {
    /// Its number.
    pub id: u64,
    /// Whether it is on.
    pub active: Option<bool>,
    /// Where it leads.
    #[serde(default)]
    pub config: WebhookConfig,
    /// When it was made.
    pub created_at: Option<Timestamp>,
}

/// Where a webhook leads.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct WebhookConfig {
    /// The address.
    pub url: Option<String>,
    /// `1` = the certificate of the address is not looked at.
    pub insecure_ssl: Option<Flag>,
    /// Asterisks where there is one.
    secret: Option<serde::de::IgnoredAny>,
}

impl WebhookConfig {
    /// Whether deliveries are signed.
    pub fn is_signed(&self) -> bool {
        self.secret.is_some()
    }

    /// Whether deliveries are encrypted on the way; `None` = the address was not told.
    pub fn is_encrypted(&self) -> Option<bool> {
        Some(!self.url.as_deref()?.to_ascii_lowercase().starts_with("http://"))
    }

    /// Whether the certificate of the address is not looked at; `None` = not told.
    pub fn is_unverified(&self) -> Option<bool> {
        Some(self.insecure_ssl.as_ref()?.is_set())
    }

    /// The host of the address; the rest may hold secrets.
    pub fn host(&self) -> Option<&str> {
        let (_, rest) = self.url.as_deref()?.split_once("://")?;
        let authority = rest.split(['/', '?', '#']).next()?;
        Some(authority.rsplit('@').next().unwrap_or(authority))
    }
}

/// A flag that is written as a text or a number.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum Flag {
    /// `"1"`.
    Text(String),
    /// `1`.
    Number(i64),
}

impl Flag {
    /// Whether it is set.
    pub fn is_set(&self) -> bool {
        match self {
            Self::Text(text) => text == "1",
            Self::Number(number) => *number == 1,
        }
    }
}

/// A stored secret: its name and dates; GitHub never tells the value.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Secret {
    /// Its name.
    #[serde(default)]
    pub name: String,
    /// When it was first stored.
    pub created_at: Option<Timestamp>,
    /// When its value was last changed.
    pub updated_at: Option<Timestamp>,
    /// Of an organisation: `all`, `private` or `selected` repositories.
    pub visibility: Option<String>,
}

/// A registry of packages that the organisation lets Dependabot and code scanning read with a stored secret.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct PrivateRegistry {
    /// The name of the secret.
    #[serde(default)]
    pub name: String,
    /// `maven_repository`, `npm_registry` …
    pub registry_type: Option<String>,
    /// `all`, `private` or `selected` repositories.
    pub visibility: Option<String>,
    /// When it was first stored.
    pub created_at: Option<Timestamp>,
    /// When its value was last changed.
    pub updated_at: Option<Timestamp>,
}

/// A variable as it is written; its value is dropped as soon as it is judged.
#[derive(Debug, Deserialize)]
pub(crate) struct WrittenVariable {
    #[serde(default)]
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) value: String,
    pub(crate) created_at: Option<Timestamp>,
    pub(crate) updated_at: Option<Timestamp>,
}

/// A variable whose value is a secret. Others are not kept.
#[derive(Clone, Debug)]
pub struct SecretVariable {
    /// Its name.
    pub name: String,
    /// The kind of secret.
    pub kind: &'static str,
    /// Equal for equal secrets.
    pub fingerprint: Fingerprint,
    /// When it was first stored.
    pub created_at: Option<Timestamp>,
    /// When its value was last changed.
    pub updated_at: Option<Timestamp>,
}
