//! What no policy can grant, and what none can take away.

use evenhand_model::catalog::AccessLevel;
use evenhand_model::evidence::Truth;

use crate::policy::arn;

/// What no policy can grant: changes to policies that AWS manages, to roles that AWS or Identity Center owns, and to the
/// aliases that AWS gives its keys.
pub(crate) fn floor(action: &str, level: AccessLevel, resource: &str) -> Truth {
    let reads = matches!(level, AccessLevel::List | AccessLevel::Read);
    if reads || resource == "*" {
        return Truth::Yes;
    }
    let Some([_, _, service, _, account, rest]) = arn::split(resource) else { return Truth::Yes };
    let fixed = match service {
        "iam" if account == "aws" => action.starts_with("iam:") && !action.starts_with("iam:Attach"),
        "iam" => {
            action.starts_with("iam:")
                // Making and removing a service-linked role have actions of their own.
                && !action.ends_with("ServiceLinkedRole")
                && (rest.starts_with("role/aws-service-role/") || rest.starts_with("role/aws-reserved/"))
        }
        "kms" => rest.starts_with("alias/aws/"),
        _ => false,
    };
    if fixed { Truth::No } else { Truth::Yes }
}

/// Whether nothing can forbid the action.
pub(super) fn is_always_allowed(action: &str) -> bool {
    action == "sts:GetCallerIdentity"
}

/// Whether the action becomes a role or shapes its session: the role's trust policy has to agree.
pub(crate) fn becomes_role(action: &str, resource: &str) -> bool {
    match action {
        "sts:AssumeRole" | "sts:AssumeRoleWithSAML" | "sts:AssumeRoleWithWebIdentity" => true,
        "sts:TagSession" | "sts:SetSourceIdentity" | "sts:SetContext" => arn::split(resource)
            .is_some_and(|[_, _, service, _, _, rest]| service == "iam" && rest.starts_with("role/")),
        _ => false,
    }
}
