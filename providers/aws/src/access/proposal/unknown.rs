//! Actions that the policies name and the catalogue does not know. They grant nothing that is known, and may be new with
//! AWS: what denies them is said again, and what allows them is left out and told, since nothing tells whether it may stay.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use evenhand_model::condition::Condition;

use super::document::{Reach, Tests};
use super::{Resolver, tests_of};
use crate::access::caller::Caller;
use crate::catalog::Catalogue;
use crate::policy::arn;
use crate::policy::document::{Action, Effect, Listed, Statement};
use crate::world::{PolicyIx, Principal};

/// The unknown actions of policies that go.
#[derive(Default)]
pub(super) struct Unknown {
    pub(super) denied: BTreeMap<Reach, BTreeSet<Arc<str>>>,
    /// What is not said again, for people.
    pub(super) notes: Vec<String>,
}

impl Resolver {
    /// The unknown actions of the policies of a principal that are not left alone.
    pub(super) fn unknown(&self, principal: &Principal, left_alone: &BTreeSet<PolicyIx>) -> Unknown {
        let policies = &self.world().policies;
        let caller = Caller::of(principal);
        let mut unknown = Unknown::default();
        for policy in principal.identity_policies.iter().filter(|policy| !left_alone.contains(policy)) {
            let document = policies.document(*policy);
            let (mut allowed, mut unsaid) = (BTreeSet::new(), BTreeSet::new());
            for (statement, compiled) in document.statements.iter().zip(&policies.compiled(*policy).statements) {
                let names = names(statement);
                // A condition that cannot hold neither allows nor denies.
                let (false, Some(condition)) = (names.is_empty(), compiled.condition(&caller)) else { continue };
                match (statement.effect, tests_of(&condition, &Condition::unconditional())) {
                    (Effect::Allow, _) => allowed.extend(names),
                    (Effect::Deny, Err(_)) => unsaid.extend(names),
                    (Effect::Deny, Ok(tests)) => {
                        if let Some(reach) = reach(statement, document.variables, tests) {
                            unknown.denied.entry(reach).or_default().extend(names);
                        }
                    }
                }
            }
            let label = policies.label(*policy);
            if !allowed.is_empty() {
                unknown.notes.push(format!(
                    "`{label}` allows {}, unknown to the catalogue: left out, since nothing tells whether it may stay; write \
                     it in again where it is a new action that the work needs",
                    listed(&allowed)
                ));
            }
            if !unsaid.is_empty() {
                unknown.notes.push(format!(
                    "`{label}` denies {}, unknown to the catalogue, under a condition that cannot be written again: left \
                     out; write that deny in again",
                    listed(&unsaid)
                ));
            }
        }
        unknown
    }
}

/// The unknown actions that a statement names.
fn names(statement: &Statement) -> BTreeSet<Arc<str>> {
    let Listed::In(actions) = &statement.actions else { return BTreeSet::new() };
    actions.iter().filter_map(Action::text).filter(|name| Catalogue::global().is_unknown(name)).cloned().collect()
}

/// What a statement reaches, as it is written; `None` = nothing. `variables`: whether its document has them.
fn reach(statement: &Statement, variables: bool, tests: Tests) -> Option<Reach> {
    let (texts, inverted) = match statement.resources.as_ref()? {
        Listed::In(texts) => (texts, false),
        Listed::NotIn(texts) => (texts, true),
    };
    let meant = |text: &Arc<str>| if variables { text.to_string() } else { arn::without_variables(text) };
    (!texts.is_empty()).then(|| Reach { resources: texts.iter().map(meant).collect(), inverted, tests })
}

fn listed(names: &BTreeSet<Arc<str>>) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}
