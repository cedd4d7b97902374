//! What kind of principal is changed, and what it may hold.

use evenhand_model::proposal::NoProposal;

use super::fit::ATTACHED;
use crate::world::{Principal, PrincipalKind};

/// What kind of principal is changed, and by which calls.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Changed {
    User,
    Role,
    Group,
    PermissionSet,
}

impl Changed {
    pub(super) fn of(principal: &Principal) -> Result<Self, NoProposal> {
        let refuse =
            |reason: &str, remedy: &str| Err(NoProposal { reason: reason.to_owned(), remedy: remedy.to_owned() });
        match principal.kind {
            PrincipalKind::Root => refuse(
                "no policy limits an account's root user",
                "use a role in its place, and lock the root user away",
            ),
            PrincipalKind::JobFunction => {
                refuse("this stands for a policy of the vendor, which nobody can change", "name the role that holds it")
            }
            _ if principal.service_linked => refuse(
                "the policy of a service-linked role is the vendor's, which nobody can change",
                "limit what may use the role instead",
            ),
            PrincipalKind::User => Ok(Self::User),
            PrincipalKind::Role => Ok(Self::Role),
            PrincipalKind::Group => Ok(Self::Group),
            PrincipalKind::PermissionSet => Ok(Self::PermissionSet),
        }
    }

    pub(super) fn word(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Role => "role",
            Self::Group => "group",
            Self::PermissionSet => "permission-set",
        }
    }

    /// The most characters of its inline policies together. See [`super::fit`] for the source.
    pub(super) fn inline(self) -> usize {
        match self {
            Self::User => 2_048,
            Self::Role | Self::PermissionSet => 10_240,
            Self::Group => 5_120,
        }
    }

    /// How many managed policies it may have attached where its account has asked for more.
    pub(super) fn most_attached(self) -> usize {
        match self {
            Self::User | Self::Role | Self::PermissionSet => 20,
            Self::Group => ATTACHED,
        }
    }
}
