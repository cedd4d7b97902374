//! Actions that the policies allow and the catalogue does not know. They grant nothing that is known, and may be new with
//! AWS, so nothing tells whether they may stay: what is written anew leaves them out, and of all of them notes tell. What a policy
//! leaves out by an unknown name stays out.

use std::collections::BTreeSet;
use std::sync::Arc;

use evenhand_model::evidence::Truth;
use evenhand_model::glob::Glob;

use super::Resolver;
use super::again::listed;
use super::document::{self, Document};
use crate::access::caller::Caller;
use crate::catalog::Catalogue;
use crate::policy::document::{Action, Effect, Listed, Statement};
use crate::world::{PolicyIx, Principal};

impl Resolver {
    /// What the policies of a principal allow of unknown actions, for people.
    pub(super) fn unknown(&self, principal: &Principal, left_alone: &BTreeSet<PolicyIx>) -> Vec<String> {
        let policies = &self.world().policies;
        let caller = Caller::of(principal);
        let mut notes = Vec::new();
        for policy in &principal.identity_policies {
            let statements = policies.document(*policy).statements.iter().zip(&policies.compiled(*policy).statements);
            // A condition that cannot hold allows nothing.
            let allow = statements
                .filter(|(said, compiled)| said.effect == Effect::Allow && compiled.condition(&caller).is_some());
            let names: BTreeSet<&Arc<str>> = allow.flat_map(|(said, _)| unknown_names(said)).collect();
            if names.is_empty() {
                continue;
            }
            let (label, names) = (policies.label(*policy), listed(names));
            notes.push(match left_alone.contains(policy) {
                true => format!(
                    "`{label}` stays as it is and allows {names}, unknown to the catalogue: nothing tells whether that may \
                     stay; take it out where the work does not need it"
                ),
                false => format!(
                    "`{label}` allows {names}, unknown to the catalogue: left out, since nothing tells whether it may stay; \
                     write it in again where it is a new action that the work needs"
                ),
            });
        }
        notes
    }

    /// The unknown actions that allowing statements of policies that are written anew leave out.
    pub(super) fn excepted(&self, principal: &Principal, left_alone: &BTreeSet<PolicyIx>) -> BTreeSet<Arc<str>> {
        let gone = principal.identity_policies.iter().filter(|policy| !left_alone.contains(policy));
        let statements = gone.flat_map(|policy| &self.world().policies.document(*policy).statements);
        let allow = statements.filter(|said| said.effect == Effect::Allow);
        let actions = allow.flat_map(|said| match &said.actions {
            Listed::NotIn(actions) => actions.as_slice(),
            Listed::In(_) => &[],
        });
        unknown(actions).cloned().collect()
    }
}

/// The actions of some that wildcards of what is granted match: AWS may know them by now.
pub(super) fn matched(names: &BTreeSet<Arc<str>>, statements: &[document::Statement]) -> Vec<Arc<str>> {
    if names.is_empty() {
        return Vec::new();
    }
    let glob = |name: &Arc<str>| Glob::wildcard(&name.to_ascii_lowercase());
    let granted = statements.iter().filter(|statement| statement.effect == document::Effect::Allow);
    let wild = granted.flat_map(document::Statement::actions).filter(|name| name.contains(['*', '?']));
    let wild: Vec<Glob> = wild.map(glob).collect();
    let is_matched = |name: &&Arc<str>| wild.iter().any(|held| held.overlaps(&glob(name)) != Truth::No);
    names.iter().filter(is_matched).cloned().collect()
}

/// That such actions are denied, for people.
pub(super) fn denied<'d>(names: &BTreeSet<Arc<str>>, documents: impl Iterator<Item = &'d Document>) -> Option<String> {
    let names: BTreeSet<Arc<str>> = documents.flat_map(|held| matched(names, &held.statement)).collect();
    (!names.is_empty()).then(|| {
        format!(
            "the present policies leave out {}, unknown to the catalogue, and wildcards of the files match that: a statement \
             denies it, whatever else allows it; take that out where another policy is to go on allowing it",
            listed(&names)
        )
    })
}

/// The unknown actions that a statement names.
fn unknown_names(statement: &Statement) -> impl Iterator<Item = &Arc<str>> {
    unknown(match &statement.actions {
        Listed::In(actions) => actions.as_slice(),
        Listed::NotIn(_) => &[],
    })
}

/// Those of some actions that are unknown.
fn unknown<'a>(actions: impl IntoIterator<Item = &'a Action>) -> impl Iterator<Item = &'a Arc<str>> {
    actions.into_iter().filter_map(Action::text).filter(|name| Catalogue::global().is_unknown(name))
}

#[cfg(test)]
mod tests {
    use evenhand_model::access::Slice;
    use evenhand_model::id::IdentityId;
    use evenhand_model::opset::OpSet;
    use evenhand_model::proposal::{Kept, Proposal};

    use super::super::fixture::{GONE, attached, document, gone, inlines, proposed};
    use super::*;

    /// What is proposed for a role that may do all but some actions, without an action that is known.
    fn proposed_beside(excepted: &str) -> Proposal {
        let policy = format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","NotAction":["{excepted}"],"Resource":"*"}}]}}"#
        );
        let more = format!(
            r#","RolePolicyList":[{{"PolicyName":"p","PolicyDocument":{policy}}}],"AttachedManagedPolicies":[]"#
        );
        let role = crate::tests::role("bot", "", &more);
        let read = crate::tests::read(&[("details.json", &crate::tests::details("", "", &role, ""))]);
        let id = IdentityId::from("arn:aws:iam::111122223333:role/bot");
        let gone = Catalogue::global().all_of(["ec2:RunInstances"]);
        let cut = |slice: &Slice| Slice { operations: Arc::new(slice.operations.difference(&gone)), ..slice.clone() };
        let access = read.resolver.access(&id).unwrap();
        let kept: Vec<Kept> =
            access.slices().iter().map(|slice| Kept { slice: cut(slice), of: slice.clone() }).collect();
        read.resolver.proposer().unwrap().propose(&id, &kept, "").unwrap()
    }

    #[test]
    fn no_wildcard_grants_an_unknown_action_that_a_policy_leaves_out() {
        for (excepted, is_matched) in [("s3:NewThing", true), ("S3:New*", true), ("newservice:*", false)] {
            let proposal = proposed_beside(excepted);
            let documents = proposal.files.iter().map(|file| serde_json::from_str(&file.text).unwrap());
            let documents: Vec<serde_json::Value> = documents.collect();
            let statements = documents.iter().flat_map(|held| held["Statement"].as_array().unwrap());
            let denies: Vec<&serde_json::Value> = statements.filter(|held| held["Effect"] == "Deny").collect();
            let expected = serde_json::json!([excepted]);
            assert_eq!(denies.len(), usize::from(is_matched), "{excepted}: {denies:#?}");
            assert!(denies.iter().all(|deny| deny["Action"] == expected && deny["Resource"][0] == "*"), "{denies:#?}");
            assert_eq!(proposal.notes.len(), usize::from(is_matched), "{:#?}", proposal.notes);
            assert!(proposal.notes.iter().all(|note| note.contains(&format!("leave out `{excepted}`"))));
        }
    }

    #[test]
    fn unknown_actions_stay_denied_and_of_those_that_were_allowed_a_note_tells() {
        let deny = |action: &str, more: &str| {
            format!(r#"{{"Effect":"Deny","Action":"{action}","NotResource":"arn:aws:s3:::${{aws:username}}/*"{more}}}"#)
        };
        let denies = format!("{},{}", deny("s3:DropNothing", ""), deny("s3:DropLess", r#","Made":"up""#));
        let mixed = document(&[GONE[0], "sqs:ListQueues", "s3:MakeNothing", "new:*"])
            .replace("[{\"Effect", &format!("[{denies},{{\"Effect"));
        let user = format!(r#""UserPolicyList":[{{"PolicyName":"mixed","PolicyDocument":{mixed}}}],{}"#, attached(&[]));
        let proposal = proposed(&user, &attached(&[]), "agent", "", &gone()).unwrap();
        let [file] = proposal.files.as_slice() else { panic!("{proposal:?}") };
        let written: serde_json::Value = serde_json::from_str(&file.text).unwrap();
        let [allow, deny] = written["Statement"].as_array().unwrap().as_slice() else { panic!("{written:#}") };
        assert_eq!(allow["Action"], serde_json::json!(["sqs:ListQueues"]), "{written:#}");
        assert_eq!((&deny["Effect"], &deny["Action"]), (&"Deny".into(), &serde_json::json!(["s3:DropNothing"])));
        assert_eq!(deny["NotResource"], serde_json::json!(["arn:aws:s3:::${aws:username}/*"]), "{written:#}");
        let [allowed, denied] = proposal.notes.as_slice() else { panic!("{:#?}", proposal.notes) };
        assert!(allowed.starts_with("`inline policy mixed` allows `new:*`, `s3:MakeNothing`, "), "{allowed}");
        assert!(denied.contains(" denies `s3:DropLess`, "), "{denied}");
    }

    #[test]
    fn a_note_tells_of_unknown_actions_that_a_policy_goes_on_allowing() {
        let both = [("act", &["sqs:ListQueues", GONE[0]][..]), ("odd", &["s3:GetObject", "new:*"])];
        let user = format!("{},{}", inlines(&both), attached(&[]));
        let told = |gone: &OpSet| proposed(&user, &attached(&[]), "agent", "", gone).unwrap();
        let [note]: [String; 1] = told(&gone()).notes.try_into().unwrap();
        assert!(note.starts_with("`inline policy odd` stays as it is and allows `new:*`, "), "{note}");
        assert_eq!(told(&OpSet::new()), Proposal { notes: vec![note], ..Proposal::default() });
    }
}
