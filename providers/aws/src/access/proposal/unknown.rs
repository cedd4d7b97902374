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
