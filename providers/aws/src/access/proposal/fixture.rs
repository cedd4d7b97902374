//! A user with policies, and what is proposed for it where something of them goes.

use std::sync::Arc;

use evenhand_model::access::Slice;
use evenhand_model::id::IdentityId;
use evenhand_model::opset::OpSet;
use evenhand_model::proposal::{Kept, NoProposal, Proposal};

use crate::catalog::Catalogue;

pub(super) const ACCOUNT: &str = "111122223333";
/// What goes in most tests; every inline policy of a test holds the first.
pub(super) const GONE: [&str; 2] = ["sqs:DeleteQueue", "ec2:RunInstances"];

pub(super) fn gone() -> OpSet {
    Catalogue::global().all_of(GONE)
}

/// What is proposed for a user without some operations. The documents of the policies are those that were read.
pub(super) fn proposed(
    user: &str,
    group: &str,
    name: &str,
    policies: &str,
    gone: &OpSet,
) -> Result<Proposal, NoProposal> {
    let user = format!(
        r#"{{"Path":"/","UserName":"{name}","Arn":"arn:aws:iam::{ACCOUNT}:user/{name}",
        "CreateDate":"2026-01-02T03:04:05+00:00","GroupList":["g"],{user}}}"#
    );
    let group = format!(
        r#"{{"Path":"/","GroupName":"g","Arn":"arn:aws:iam::{ACCOUNT}:group/g",
        "CreateDate":"2026-01-02T03:04:05+00:00","GroupPolicyList":[],{group}}}"#
    );
    let read = crate::tests::read(&[("details.json", &crate::tests::details(&user, &group, "", policies))]);
    let id = IdentityId::from(format!("arn:aws:iam::{ACCOUNT}:user/{name}"));
    let access = read.resolver.access(&id).unwrap();
    let cut = |slice: &Slice| Slice { operations: Arc::new(slice.operations.difference(gone)), ..slice.clone() };
    let kept: Vec<Kept> = access.slices().iter().map(|slice| Kept { slice: cut(slice), of: slice.clone() }).collect();
    read.resolver.proposer().unwrap().propose(&id, &kept, "")
}

pub(super) fn steps_of(user: &str, group: &str, name: &str) -> Vec<String> {
    proposed(user, group, name, "", &gone()).unwrap().steps
}

pub(super) fn attached(names: &[String]) -> String {
    let policy =
        |name: &String| format!(r#"{{"PolicyName":"{name}","PolicyArn":"arn:aws:iam::{ACCOUNT}:policy/{name}"}}"#);
    let policies: Vec<String> = names.iter().map(policy).collect();
    format!(r#""AttachedManagedPolicies":[{}]"#, policies.join(","))
}

pub(super) fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

pub(super) fn document(actions: &[&str]) -> String {
    let actions: Vec<String> = actions.iter().map(|action| format!("\"{action}\"")).collect();
    format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":[{}],"Resource":"*"}}]}}"#,
        actions.join(",")
    )
}

pub(super) fn inlines(policies: &[(&str, &[&str])]) -> String {
    let policy = |(name, actions): &(&str, &[&str])| {
        format!(r#"{{"PolicyName":"{name}","PolicyDocument":{}}}"#, document(actions))
    };
    let policies: Vec<String> = policies.iter().map(policy).collect();
    format!(r#""UserPolicyList":[{}]"#, policies.join(","))
}

/// An inline policy of which something goes.
pub(super) fn inline(name: &str, action: &str) -> String {
    inlines(&[(name, &[action, GONE[0]])])
}

pub(super) fn managed(name: &str, actions: &[&str]) -> String {
    format!(
        r#"{{"PolicyName":"{name}","Arn":"arn:aws:iam::{ACCOUNT}:policy/{name}","PolicyVersionList":[
        {{"VersionId":"v1","IsDefaultVersion":true,"Document":{}}}]}}"#,
        document(actions)
    )
}

pub(super) fn at(steps: &[String], step: &str) -> usize {
    steps.iter().position(|held| held.starts_with(step)).unwrap_or_else(|| panic!("no {step} in {steps:#?}"))
}
