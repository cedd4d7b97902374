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
    use std::sync::Arc;

    use evenhand_model::access::Slice;
    use evenhand_model::opset::OpSet;
    use evenhand_model::proposal::{Kept, Proposal};

    use super::*;
    use crate::catalog::Catalogue;

    #[test]
    fn a_name_with_a_comma_is_one_name() {
        assert_eq!(reference("a,b=c", "/x/"), r#"'{"Name":"a,b=c","Path":"/x/"}'"#);
    }

    #[test]
    fn an_inline_policy_that_stays_is_left_alone_with_all_others_or_said_again() {
        let set = "arn:aws:sso:::permissionSet/ssoins-1/ps-1";
        let call = |name: &str, response: &str| {
            format!(
                r#"{{"call":"sso-admin {name}","parameters":{{"InstanceArn":"arn:aws:sso:::instance/ssoins-1","PermissionSetArn":"{set}"}},"response":{response}}}"#
            )
        };
        let lines = [
            call(
                "describe-permission-set",
                &format!(r#"{{"PermissionSet":{{"Name":"Support","PermissionSetArn":"{set}"}}}}"#),
            ),
            call("list-managed-policies-in-permission-set", r#"{"AttachedManagedPolicies":[]}"#),
            call(
                "list-customer-managed-policy-references-in-permission-set",
                r#"{"CustomerManagedPolicyReferences":[{"Name":"c","Path":"/a/"},{"Name":"c","Path":"/b/"}]}"#,
            ),
            call("get-permissions-boundary-for-permission-set", "{}"),
            call(
                "get-inline-policy-for-permission-set",
                r#"{"InlinePolicy":{"Statement":[{"Effect":"Deny","Action":"kms:Decrypt","Resource":"*"},{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}]}}"#,
            ),
            call(
                "list-account-assignments",
                &format!(
                    r#"{{"AccountAssignments":[{{"AccountId":"111122223333","PermissionSetArn":"{set}","PrincipalType":"GROUP","PrincipalId":"g"}}]}}"#
                ),
            ),
        ]
        .join("\n");
        let policy = |path: &str, action: &str| {
            format!(
                r#"{{"PolicyName":"c","Arn":"arn:aws:iam::111122223333:policy/{path}/c","PolicyVersionList":[{{"VersionId":"v1",
                "IsDefaultVersion":true,"Document":{{"Statement":[{{"Effect":"Allow","Action":"{action}","Resource":"*"}}]}}}}]}}"#
            )
        };
        let policies = [policy("a", "sqs:*"), policy("b", "sns:Publish")].join(",");
        let trust =
            r#"{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"sts:AssumeRole"}"#;
        let role = crate::tests::role("other", trust, "");
        let details = crate::tests::details("", "", &role, &policies);
        let read = crate::tests::read(&[("gaad.json", &details), ("centre.ndjson", &lines)]);
        let id = &read.identity("Support").id;
        let access = read.resolver.access(id).unwrap();
        let proposed = |gone: &OpSet| {
            let cut =
                |slice: &Slice| Slice { operations: Arc::new(slice.operations.difference(gone)), ..slice.clone() };
            let kept: Vec<Kept> =
                access.slices().iter().map(|slice| Kept { slice: cut(slice), of: slice.clone() }).collect();
            read.resolver.proposer().unwrap().propose(id, &kept, "").unwrap()
        };
        assert_eq!(proposed(&OpSet::new()), Proposal::default());
        let cut = proposed(&Catalogue::global().all_of(["sqs:DeleteQueue"]));
        let [file] = cut.files.as_slice() else { panic!("{cut:?}") };
        assert!(file.text.contains("s3:GetObject") && !file.text.contains("sns:Publish"), "{}", file.text);
        assert!(file.text.contains("kms:Decrypt"), "what only a deny names stays denied: {}", file.text);
        let detached: Vec<&String> = cut.steps.iter().filter(|step| step.contains("detach-")).collect();
        assert!(matches!(detached.as_slice(), [one] if one.contains(r#""Path":"/a/""#)), "{cut:#?}");
    }
}
