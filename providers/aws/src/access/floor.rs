//! What no policy can grant, what none can take away, and which actions make one a role.

use evenhand_model::catalog::AccessLevel;
use evenhand_model::evidence::Truth;

use crate::catalog::Catalogue;
use crate::policy::arn;
use crate::policy::document::{Action, Listed, Statement};

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

/// The actions that make somebody a role, as against those that only name or tag the session.
pub(super) const BECOMING: [&str; 3] = ["sts:AssumeRole", "sts:AssumeRoleWithSAML", "sts:AssumeRoleWithWebIdentity"];

/// Whether a statement of a trust policy is about becoming the role.
pub(crate) fn assumes(statement: &Statement) -> bool {
    BECOMING.iter().any(|action| speaks_of(statement, action))
}

/// Whether a statement is about an action.
pub(crate) fn speaks_of(statement: &Statement, action: &str) -> bool {
    let catalogue = Catalogue::global();
    let number = catalogue.operation(action);
    let listed = |actions: &[Action]| {
        // Most statements spell it out.
        actions.iter().any(|held| match held {
            Action::Known(known) => number == Some(*known),
            Action::Text(name) => name.eq_ignore_ascii_case(action),
        }) || number.is_some_and(|number| {
            let wildcards = actions.iter().filter_map(Action::text).filter(|name| name.contains(['*', '?']));
            catalogue.all_of(wildcards.map(|name| &**name)).contains(number)
        })
    };
    match &statement.actions {
        Listed::In(actions) => listed(actions),
        Listed::NotIn(actions) => !listed(actions),
    }
}
