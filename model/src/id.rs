//! Identifiers: one newtype per kind of thing, so that they cannot be mixed up.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Wraps the text; the caller vouches that it is an identifier of this kind.
            pub fn new(text: impl Into<Arc<str>>) -> Self {
                Self(text.into())
            }

            /// The identifier as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// The shared text, for columns that hold many copies of it.
            pub fn shared(&self) -> Arc<str> {
                Arc::clone(&self.0)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:?}", &*self.0)
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.into())
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self(text.into())
            }
        }
    };
}

text_id!(
    /// A principal, named as its vendor names it where that name is globally unique, else prefixed by the provider.
    IdentityId
);
text_id!(
    /// A credential: identity plus what tells its credentials apart. Never contains a secret.
    CredentialId
);
text_id!(
    /// Where identities live together: an account, cluster, organisation, tenant, or a person's machine.
    ScopeId
);
text_id!(
    /// A job function, such as `incident-response`.
    Job
);
text_id!(
    /// A rule's id, equal to the name of its file.
    RuleId
);
text_id!(
    /// A finding's id: a hash of rule, provider, scope, identity and discriminator; stable over scans.
    FindingId
);

/// The provider that contributed a fact, such as `kubernetes`. The set is open: each provider names itself.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize)]
#[serde(transparent)]
pub struct ProviderName(pub &'static str);

impl fmt::Display for ProviderName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}
