//! Old policies make room for new ones: those that deny nothing first, and where that is not enough people are told.

use std::sync::Arc;

use evenhand_model::access::Slice;
use evenhand_model::id::IdentityId;
use evenhand_model::proposal::{Kept, Proposal};
use serde_json::{Value, json};

use crate::catalog::Catalogue;

/// What goes of each policy.
const GONE: &str = "sqs:DeleteQueue";
/// What is said of a policy that denies, before what is new is in place.
const UNDENIED: &str = "what it denies is allowed wherever something else allows it";
const REST: &str = "let its work rest";

/// A policy of which something goes.
fn policy(actions: &[&str], denies: bool) -> Value {
    let actions = [actions, &[GONE]].concat();
    let allow = json!({"Effect": "Allow", "Action": actions, "Resource": "*"});
    let deny = json!({"Effect": "Deny", "Action": "kms:Decrypt", "Resource": "*"});
    let statements = if denies { vec![allow, deny] } else { vec![allow] };
    json!({"Version": "2012-10-17", "Statement": statements})
}

/// What is proposed for a user with these inline and attached policies.
fn proposed(inline: &[(&str, Value)], attached: &[(String, Value)]) -> Proposal {
    let arn = |name: &str| format!("arn:aws:iam::111122223333:policy/{name}");
    let inline: Vec<Value> =
        inline.iter().map(|(name, held)| json!({"PolicyName": name, "PolicyDocument": held})).collect();
    let held: Vec<Value> =
        attached.iter().map(|(name, _)| json!({"PolicyName": name, "PolicyArn": arn(name)})).collect();
    let id = IdentityId::from("arn:aws:iam::111122223333:user/agent");
    let user = json!({
        "Path": "/", "UserName": "agent", "Arn": id.as_str(), "CreateDate": "2026-01-02T03:04:05+00:00",
        "GroupList": [], "UserPolicyList": inline, "AttachedManagedPolicies": held,
    });
    let policies = attached.iter().map(|(name, held)| {
        let version = json!({"VersionId": "v1", "IsDefaultVersion": true, "Document": held});
        json!({"PolicyName": name, "Arn": arn(name), "PolicyVersionList": [version]}).to_string()
    });
    let policies = policies.collect::<Vec<_>>().join(",");
    let read = crate::tests::read(&[("details.json", &crate::tests::details(&user.to_string(), "", "", &policies))]);
    let gone = Catalogue::global().all_of([GONE, "ec2:RunInstances"]);
    let cut = |slice: &Slice| Slice { operations: Arc::new(slice.operations.difference(&gone)), ..slice.clone() };
    let access = read.resolver.access(&id).unwrap();
    let kept: Vec<Kept> = access.slices().iter().map(|slice| Kept { slice: cut(slice), of: slice.clone() }).collect();
    read.resolver.proposer().unwrap().propose(&id, &kept, "").unwrap()
}

fn tells_of_more(proposal: &Proposal) -> bool {
    proposal.notes.iter().any(|note| note.contains(REST))
}

#[test]
fn an_inline_policy_that_denies_goes_after_the_new_one_where_others_make_room() {
    let padding = format!("sqs:{}", "x".repeat(1_800));
    for small_denies in [true, false] {
        let small = policy(&["s3:GetObject"], small_denies);
        let long = policy(&["s3:PutObject", &padding], !small_denies);
        let proposal = proposed(&[("small", small), ("long", long)], &[]);
        let at = |call: &str| {
            let found = proposal.steps.iter().position(|step| step.contains(call));
            found.unwrap_or_else(|| panic!("no {call} in {:#?}", proposal.steps))
        };
        let (small, long, put) = (at("--policy-name=small"), at("--policy-name=long"), at("put-user-policy"));
        assert!(long < put && proposal.steps[long].contains("# first"), "{:#?}", proposal.steps);
        assert_eq!(put < small, small_denies, "{:#?}", proposal.steps);
        assert_eq!(proposal.steps[long].ends_with(UNDENIED), !small_denies, "{:#?}", proposal.steps);
        assert_eq!(tells_of_more(&proposal), !small_denies, "{:#?}", proposal.notes);
    }
}

#[test]
fn an_attached_policy_that_denies_makes_room_only_where_all_deny_and_that_is_told() {
    for all_deny in [false, true] {
        let old = (0..10).map(|at| (format!("Old{at}"), policy(&["sns:Publish"], all_deny || at != 7)));
        let proposal = proposed(&[("old", policy(&["ec2:*"], false))], &old.collect::<Vec<_>>());
        let first = proposal.steps.iter().find(|step| step.contains("# first: 10 may be attached")).unwrap();
        assert_eq!(first.ends_with(UNDENIED), all_deny, "{first}");
        assert!(all_deny || first.contains("policy/Old7 "), "{first}");
        assert!(!all_deny || tells_of_more(&proposal), "{:#?}", proposal.notes);
    }
}

#[test]
fn an_inline_policy_that_denies_gets_its_new_text_after_the_managed_ones_that_deny_it_now() {
    let proposal = proposed(&[("old", policy(&["ec2:*"], true))], &[]);
    let at = |call: &str| proposal.steps.iter().position(|step| step.contains(call));
    let (attached, old) = (at("attach-user-policy").unwrap(), at("--policy-name=old").unwrap());
    assert!(attached < old, "{:#?}", proposal.steps);
}
