//! Credentials: what proves an identity.

use std::sync::Arc;

use jiff::Timestamp;
use serde::Serialize;

use crate::evidence::{Evidence, Fact};
use crate::id::{CredentialId, IdentityId, ProviderName};
use crate::secret::Fingerprint;

/// Who can see a credential where it lies.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Exposure {
    /// In a file under version control, or in a project's folder where it may be.
    Committed,
    /// In a file of one person.
    UserFile,
    /// In the environment of a workload, as a literal.
    Environment,
    /// In a secret store.
    Store,
    /// Not lying anywhere that was read.
    None,
}

impl Exposure {
    /// The word used in the fact tables.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Committed => "committed",
            Self::UserFile => "user_file",
            Self::Environment => "environment",
            Self::Store => "store",
            Self::None => "none",
        }
    }
}

/// Something that proves an identity. The secret itself is never here.
#[derive(Clone, Debug)]
pub struct Credential {
    /// The credential's id.
    pub id: CredentialId,
    /// Whom it proves, or who holds it where that cannot be told.
    pub identity: IdentityId,
    /// Who read it.
    pub provider: ProviderName,
    /// The kind: `access_key`, `password`, `service_account_token`, `api_key`, `federated`, `bound_token` …
    pub kind: Arc<str>,
    /// Whether it stays valid until someone revokes it (key, token, password), as opposed to short-lived proof.
    pub is_static: Fact<bool>,
    /// Whether it is issued to whoever shows another credential that stays valid until someone revokes it and that no answer
    /// tells of: the token of an app by the app's private key. However soon it ends, the next one is not far.
    pub by_unseen_static: bool,
    /// Whether a short-lived or federated way exists for the same purpose.
    pub federable: Fact<bool>,
    /// Where it lies or is described.
    pub evidence: Evidence,
    /// Who can see it there.
    pub exposure: Fact<Exposure>,
    /// Whether it stands in command arguments or a URL, where process lists and logs repeat it.
    pub in_arguments: Fact<bool>,
    /// Whether other users of the machine may read the file it lies in.
    pub file_readable_by_others: Fact<bool>,
    /// When it was made.
    pub created_at: Fact<Timestamp>,
    /// When it ends; `Absent` = never.
    pub expires_at: Fact<Timestamp>,
    /// Whole days for which one is issued, where that is known without the dates of a single one.
    pub lifetime_days: Fact<i64>,
    /// Whom it is meant for; `Absent` = for whoever trusts its issuer.
    pub audience: Fact<Arc<str>>,
    /// Whether a copy stands in metadata, which those see who may see names and labels.
    pub in_metadata: Fact<bool>,
    /// When it was last used; `Absent` = never.
    pub last_used_at: Fact<Timestamp>,
    /// Whether it is accepted at present.
    pub enabled: Fact<bool>,
    /// Equal for equal secrets, telling nothing else.
    pub fingerprint: Option<Fingerprint>,
    /// The part of a credential that is no secret and names it to the issuer (an access key id); links a configuration
    /// file to the principal it borrows.
    pub public_id: Option<Arc<str>>,
}

impl Credential {
    /// A credential of which nothing is known but whose it is and where it was seen.
    pub fn new(
        id: CredentialId,
        identity: IdentityId,
        provider: ProviderName,
        kind: impl Into<Arc<str>>,
        evidence: Evidence,
    ) -> Self {
        Self {
            id,
            identity,
            provider,
            kind: kind.into(),
            is_static: Fact::Unknown,
            by_unseen_static: false,
            federable: Fact::Unknown,
            evidence,
            exposure: Fact::Unknown,
            in_arguments: Fact::Unknown,
            file_readable_by_others: Fact::Unknown,
            created_at: Fact::Unknown,
            expires_at: Fact::Unknown,
            lifetime_days: Fact::Unknown,
            audience: Fact::Unknown,
            in_metadata: Fact::Unknown,
            last_used_at: Fact::Unknown,
            enabled: Fact::Unknown,
            fingerprint: None,
            public_id: None,
        }
    }
}
