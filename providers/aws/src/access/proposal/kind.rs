//! What kind of principal is changed, and what it may hold.

use evenhand_model::proposal::NoProposal;

use super::fit::ATTACHED;
use crate::world::{Principal, PrincipalKind};

/// The path of roles that Identity Center makes, in their names.
const CENTER: &str = ":role/aws-reserved/sso.amazonaws.com/";

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
            // Source: "Identity Center roles" of the IAM Identity Center User Guide: IAM refuses to change what is below
            // this path.
            PrincipalKind::Role if principal.id.as_str().contains(CENTER) => {
                let rest = principal.name.strip_prefix("AWSReservedSSO_").and_then(|rest| rest.rsplit_once('_'));
                let set = rest.map_or(&*principal.name, |(set, _)| set);
                refuse(
                    &format!("`{}` is made by Identity Center, and cannot be changed in IAM", principal.name),
                    &format!(
                        "change the permission set `{set}`, of which it is made (`aws sso-admin`); or let the agent act as \
                         a role of its own"
                    ),
                )
            }
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

#[cfg(test)]
mod tests {
    use evenhand_model::id::IdentityId;

    #[test]
    fn a_role_of_identity_center_is_changed_by_its_permission_set() {
        let name = "AWSReservedSSO_Support_0123456789abcdef";
        let path = "aws-reserved/sso.amazonaws.com/eu-central-1/";
        let trust =
            r#"{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"sts:AssumeRole"}"#;
        let role = crate::tests::role(name, trust, r#","RolePolicyList":[],"AttachedManagedPolicies":[]"#)
            .replace(":role/", &format!(":role/{path}"));
        let read = crate::tests::read(&[("details.json", &crate::tests::details("", "", &role, ""))]);
        let id = IdentityId::from(format!("arn:aws:iam::111122223333:role/{path}{name}"));
        let refused = read.resolver.proposer().unwrap().propose(&id, &[], "").unwrap_err();
        assert!(refused.reason.contains("Identity Center") && refused.remedy.contains("`Support`"), "{refused:?}");
    }
}
