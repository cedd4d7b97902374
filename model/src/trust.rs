//! Trusts: who may become whom.

use std::sync::Arc;

use serde::Serialize;

use crate::evidence::{Evidence, Truth};
use crate::id::{IdentityId, ProviderName};
use crate::identity::Identity;

/// How one identity becomes another.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Mechanism {
    /// A role is assumed by a named principal.
    AssumeRole,
    /// A token of an outside issuer is exchanged (OIDC, SAML).
    Federation,
    /// A service runs with the identity.
    Service,
    /// An identity speaks as another.
    Impersonation,
    /// A token for another identity is minted.
    TokenCreation,
    /// A workload is started that carries the identity.
    WorkloadCreation,
    /// An identity holds another one's credential.
    HoldsCredential,
    /// An agent acts through a tool server.
    UsesTool,
    /// A program runs as a person and may use whatever is configured for that person: a cloud profile, a kube context.
    Ambient,
    /// Membership of a group.
    Membership,
    /// An account or permission-set assignment.
    Assignment,
    /// Messages are delivered to somebody who acts on them: who can send the like acts in the sender's name.
    Delivery,
}

impl Mechanism {
    /// The word used in the fact tables.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AssumeRole => "assume_role",
            Self::Federation => "federation",
            Self::Service => "service",
            Self::Impersonation => "impersonation",
            Self::TokenCreation => "token_creation",
            Self::WorkloadCreation => "workload_creation",
            Self::HoldsCredential => "holds_credential",
            Self::UsesTool => "uses_tool",
            Self::Ambient => "ambient",
            Self::Membership => "membership",
            Self::Assignment => "assignment",
            Self::Delivery => "delivery",
        }
    }
}

/// A statement that `source` may become `target`.
///
/// A trust is what a document says; whether the source is also allowed to use it is decided by the provider's
/// resolver, which turns usable trusts into [`crate::access::Edge`]s.
#[derive(Clone, Debug)]
pub struct Trust {
    /// Who is trusted: an identity of the inventory, or a text for anything outside it (a service, an issuer and
    /// subject, another account).
    pub source: Arc<str>,
    /// Who may be become.
    pub target: IdentityId,
    /// Who read it.
    pub provider: ProviderName,
    /// How.
    pub mechanism: Mechanism,
    /// The conditions on it in the vendor's words; empty = none.
    pub constraint: Arc<str>,
    /// Whether the constraint is weaker than it should be.
    pub weak: Truth,
    /// The name of the weakness (`missing-sub`, `wildcard-repo`, `missing-external-id`, `any-principal` …), empty = none.
    pub weakness: Arc<str>,
    /// Where it is written.
    pub evidence: Evidence,
}

impl Trust {
    /// Whether workloads of the source are handed credentials of the target: because the source's own documents set it up so
    /// (an annotation of a service account), or the target's say that such workloads carry it. What a trust merely admits is
    /// a way that somebody may take. `target`: `None` = it was not read.
    pub fn is_handed(&self, source: &Identity, target: Option<&Identity>) -> bool {
        match self.mechanism {
            Mechanism::WorkloadCreation => true,
            Mechanism::Federation => {
                self.provider == source.provider && target.is_none_or(|target| target.provider != source.provider)
            }
            _ => false,
        }
    }
}

/// The target's side of a trust whose source side another provider read: what joins the two, or keeps them apart.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Crossing {
    /// The source of the trust.
    pub source: IdentityId,
    /// Its target.
    pub target: IdentityId,
    /// Whether the target's side admits the source; unknown where something that decides was not read, and no where it
    /// refuses what the source's side says, so that there is no trust.
    pub admitted: Truth,
    /// Where the target's side is written.
    pub evidence: Evidence,
}
