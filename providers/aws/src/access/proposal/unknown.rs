//! Actions that the policies allow and the catalogue does not know. They grant nothing that is known, and may be new with
//! AWS, so nothing tells whether they may stay: what is written anew leaves them out, and of all of them notes tell.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::Resolver;
use super::again::listed;
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
}

/// The unknown actions that a statement names.
fn unknown_names(statement: &Statement) -> impl Iterator<Item = &Arc<str>> {
    let actions = match &statement.actions {
        Listed::In(actions) => actions.as_slice(),
        Listed::NotIn(_) => &[],
    };
    actions.iter().filter_map(Action::text).filter(|name| Catalogue::global().is_unknown(name))
}

#[cfg(test)]
mod tests {
    use evenhand_model::opset::OpSet;
    use evenhand_model::proposal::Proposal;

    use super::super::fixture::{GONE, attached, document, gone, inlines, proposed};

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
