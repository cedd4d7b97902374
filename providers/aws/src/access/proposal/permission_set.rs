//! How a proposal for a permission set is put in place. Its policies are copied into accounts when it is provisioned; it has
//! at most one inline policy, and names managed policies that have to be in each of those accounts before.
//!
//! Source: <https://docs.aws.amazon.com/singlesignon/latest/userguide/howtocmp.html>.

use evenhand_model::proposal::quoted;
use serde_json::json;

use super::kind::Changed;
use super::stays::inline_name;
use super::steps::{Managed, Written};
use crate::world::{Principal, World};

/// What to do, and in which order.
pub(super) fn steps(world: &World, principal: &Principal, written: &Written<'_>) -> Vec<String> {
    // Where it is assigned is no part of its name.
    let arn = principal.id.as_str().split('@').next().unwrap_or_default();
    let instance = arn.split_once(":permissionSet/").and_then(|(before, rest)| {
        let (instance, _) = rest.split_once('/')?;
        Some(format!("{before}:instance/{instance}"))
    });
    let instance = quoted(instance.as_deref().unwrap_or("INSTANCE"));
    let set = format!("--instance-arn {instance} --permission-set-arn {}", quoted(arn));
    let mut steps = Vec::new();
    let has_inline =
        principal.identity_policies.iter().any(|policy| inline_name(&world.policies.label(*policy)).is_some());
    match written.inline {
        Some((file, _)) => steps.push(format!(
            "aws sso-admin put-inline-policy-to-permission-set {set} --inline-policy file://{}",
            quoted(file)
        )),
        None if has_inline => steps.push(format!("aws sso-admin delete-inline-policy-from-permission-set {set}")),
        None => {}
    }
    let managed = Managed::of(world, principal, Changed::PermissionSet, written);
    if !managed.is_empty() {
        steps.push(format!(
            "sign in to every account that this lists, one after the other, and make there the managed policies of the \
             steps that begin with `aws iam`, with its number in their ARNs; without them the set cannot be provisioned: \
             aws sso-admin list-accounts-for-provisioned-permission-set {set}"
        ));
    }
    for policy in &managed {
        steps.extend(policy.written());
    }
    for policy in managed.iter().filter(|policy| !policy.is_held) {
        steps.push(format!(
            "aws sso-admin attach-customer-managed-policy-reference-to-permission-set {set} \
             --customer-managed-policy-reference {}",
            reference(&policy.name, "/")
        ));
    }
    let stays = |held: &str| written.stays(world, principal, held) || managed.iter().any(|policy| *policy.arn == *held);
    for held in principal.attached.iter().filter(|held| !stays(held)) {
        let own = held.split_once(":policy/").filter(|(before, _)| !before.ends_with(":iam::aws"));
        steps.push(match own {
            Some((_, path)) => {
                let (path, name) = path
                    .rsplit_once('/')
                    .map_or_else(|| ("/".to_owned(), path), |(path, name)| (format!("/{path}/"), name));
                format!(
                    "aws sso-admin detach-customer-managed-policy-reference-from-permission-set {set} \
                     --customer-managed-policy-reference {}",
                    reference(name, &path)
                )
            }
            None => format!(
                "aws sso-admin detach-managed-policy-from-permission-set {set} --managed-policy-arn {}",
                quoted(held)
            ),
        });
    }
    steps.push(format!("aws sso-admin provision-permission-set {set} --target-type ALL_PROVISIONED_ACCOUNTS"));
    steps
}

/// A policy as permission sets name it. The short form of the command line ends at a comma or an equals sign, which names may
/// have; JSON does not.
fn reference(name: &str, path: &str) -> String {
    quoted(&json!({"Name": name, "Path": path}).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_a_comma_is_one_name() {
        assert_eq!(reference("a,b=c", "/x/"), r#"'{"Name":"a,b=c","Path":"/x/"}'"#);
    }
}
