//! How a proposal for a permission set is put in place. Its policies are copied into accounts when it is provisioned; it has
//! at most one inline policy, and names managed policies that have to be in each of those accounts before.
//!
//! Nothing of the set is in force in an account before that. Somebody who assigns the set meanwhile provisions it as it is
//! then: so what is new comes first here too, and no text changes of a managed policy that accounts have already.
//!
//! Source: <https://docs.aws.amazon.com/singlesignon/latest/userguide/howtocmp.html>, and `ProvisionPermissionSet` and
//! `PutInlinePolicyToPermissionSet` of the IAM Identity Center API Reference.

use evenhand_model::proposal::quoted;
use serde_json::json;

use super::fit::ATTACHED;
use super::kind::Changed;
use super::stays::inline_name;
use super::steps::{Managed, Written, first};
use crate::world::{Principal, World};

/// What to do, and in which order. `attached`: how many managed policies it has in the end.
pub(super) fn steps(world: &World, principal: &Principal, written: &Written<'_>, attached: usize) -> Vec<String> {
    // Where it is assigned is no part of its name.
    let arn = principal.id.as_str().split('@').next().unwrap_or_default();
    let instance = arn.split_once(":permissionSet/").and_then(|(before, rest)| {
        let (instance, _) = rest.split_once('/')?;
        Some(format!("{before}:instance/{instance}"))
    });
    let instance = quoted(instance.as_deref().unwrap_or("INSTANCE"));
    let set = format!("--instance-arn {instance} --permission-set-arn {}", quoted(arn));
    let mut steps = Vec::new();
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
    let gone = principal.attached.iter().filter(|held| !written.stays(world, principal, held));
    let mut detached = gone.map(|held| detach(&set, held));
    let most = ATTACHED.max(attached).max(principal.attached.len());
    let mut free = most - principal.attached.len();
    for policy in &managed {
        match free.checked_sub(1) {
            Some(left) => free = left,
            None => {
                let why = format!("{most} may be attached at a time");
                steps.extend(detached.next().map(|step| first(&step, &why, false)));
            }
        }
        steps.push(format!(
            "aws sso-admin attach-customer-managed-policy-reference-to-permission-set {set} \
             --customer-managed-policy-reference {}",
            reference(&policy.name, "/")
        ));
    }
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
    steps.extend(detached);
    steps.push(format!(
        "aws sso-admin provision-permission-set {set} --target-type ALL_PROVISIONED_ACCOUNTS  # what stands above is in \
         force from here on; an account for which this fails keeps what it had"
    ));
    steps
}

/// How a managed policy goes from a set.
fn detach(set: &str, held: &str) -> String {
    match held.split_once(":policy/").filter(|(before, _)| !before.ends_with(":iam::aws")) {
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
    }
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
    use evenhand_model::catalog::Catalog;
    use evenhand_model::opset::OpSet;
    use evenhand_model::proposal::{Kept, Proposal};

    use super::*;
    use crate::catalog::Catalogue;

    #[test]
    fn a_name_with_a_comma_is_one_name() {
        assert_eq!(reference("a,b=c", "/x/"), r#"'{"Name":"a,b=c","Path":"/x/"}'"#);
    }

    const INLINE: &str = r#"{"Statement":[{"Effect":"Deny","Action":"kms:Decrypt","Resource":"*"},{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}]}"#;

    /// What is proposed for a set with this inline policy, with the policies `c` below `/a/` and `/b/`, and with others of
    /// these names, without what goes.
    fn proposed(inline: &str, others: &[&str], gone: &OpSet) -> Proposal {
        let set = "arn:aws:sso:::permissionSet/ssoins-1/ps-1";
        let named = |name: &&str| format!(r#",{{"Name":"{name}","Path":"/"}}"#);
        let references: String = others.iter().map(named).collect();
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
                &format!(
                    r#"{{"CustomerManagedPolicyReferences":[{{"Name":"c","Path":"/a/"}},{{"Name":"c","Path":"/b/"}}{references}]}}"#
                ),
            ),
            call("get-permissions-boundary-for-permission-set", "{}"),
            call(
                "get-inline-policy-for-permission-set",
                &format!(r#"{{"InlinePolicy":{inline}}}"#),
            ),
            call(
                "list-account-assignments",
                &format!(
                    r#"{{"AccountAssignments":[{{"AccountId":"111122223333","PermissionSetArn":"{set}","PrincipalType":"GROUP","PrincipalId":"g"}}]}}"#
                ),
            ),
        ]
        .join("\n");
        let policy = |path: &str, name: &str, action: &str| {
            format!(
                r#"{{"PolicyName":"{name}","Arn":"arn:aws:iam::111122223333:policy{path}{name}","PolicyVersionList":[{{"VersionId":"v1",
                "IsDefaultVersion":true,"Document":{{"Statement":[{{"Effect":"Allow","Action":"{action}","Resource":"*"}}]}}}}]}}"#
            )
        };
        let mut policies = vec![policy("/a/", "c", "sqs:*"), policy("/b/", "c", "sns:Publish")];
        policies.extend(others.iter().map(|name| policy("/", name, "sqs:*")));
        let trust =
            r#"{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"sts:AssumeRole"}"#;
        let role = crate::tests::role("other", trust, "");
        let details = crate::tests::details("", "", &role, &policies.join(","));
        let read = crate::tests::read(&[("gaad.json", &details), ("centre.ndjson", &lines)]);
        let id = &read.identity("Support").id;
        let access = read.resolver.access(id).unwrap();
        let cut = |slice: &Slice| Slice { operations: Arc::new(slice.operations.difference(gone)), ..slice.clone() };
        let kept: Vec<Kept> =
            access.slices().iter().map(|slice| Kept { slice: cut(slice), of: slice.clone() }).collect();
        read.resolver.proposer().unwrap().propose(id, &kept, "").unwrap()
    }

    #[test]
    fn an_inline_policy_that_stays_is_left_alone_with_all_others_or_said_again() {
        assert_eq!(proposed(INLINE, &[], &OpSet::new()), Proposal::default());
        let cut = proposed(INLINE, &[], &Catalogue::global().all_of(["sqs:DeleteQueue"]));
        let [file] = cut.files.as_slice() else { panic!("{cut:?}") };
        assert!(file.text.contains("s3:GetObject") && !file.text.contains("sns:Publish"), "{}", file.text);
        assert!(file.text.contains("kms:Decrypt"), "what only a deny names stays denied: {}", file.text);
        let detached: Vec<&String> = cut.steps.iter().filter(|step| step.contains("detach-")).collect();
        assert!(matches!(detached.as_slice(), [one] if one.contains(r#""Path":"/a/""#)), "{cut:#?}");
    }

    #[test]
    fn all_that_is_new_is_in_a_set_before_what_goes_and_no_text_changes_that_accounts_have() {
        // More than an inline policy holds.
        let catalogue = Catalogue::global();
        let mut actions: Vec<String> = Vec::new();
        for operation in OpSet::all(catalogue.len()).iter().filter(|at| at.0 % 2 == 0).take(600) {
            actions.push(format!("\"{}\"", catalogue.name(operation)));
        }
        let inline =
            format!(r#"{{"Statement":[{{"Effect":"Allow","Action":[{}],"Resource":"*"}}]}}"#, actions.join(","));
        let held = "permission-set-Support-right-sized-1";
        let gone = catalogue.all_of(["sqs:DeleteQueue"]).union(&catalogue.expand(actions[0].trim_matches('"')));
        let steps = proposed(&inline, &[held], &gone).steps;
        let at = |call: &str| {
            let found = steps.iter().position(|step| step.starts_with(&format!("aws {call}")));
            found.unwrap_or_else(|| panic!("no {call} in {steps:#?}"))
        };
        let last = |call: &str| steps.iter().rposition(|step| step.starts_with(&format!("aws {call}"))).unwrap();
        let inline = steps.iter().position(|step| step.contains("-inline-policy-")).unwrap();
        assert!(last("iam create-policy ") < at("sso-admin attach-"), "{steps:#?}");
        assert!(last("sso-admin attach-") < inline && inline < at("sso-admin detach-"), "{steps:#?}");
        assert_eq!(at("sso-admin provision-permission-set"), steps.len() - 1, "{steps:#?}");
        let made = steps.iter().any(|step| step.starts_with("aws iam") && step.contains("right-sized-1 "));
        assert!(!made, "the text of {held} stays: {steps:#?}");
    }
}
