//! Denies of policies that go. They also keep from a principal what the policies of resources grant it, sessions, and whatever
//! it is given later, so nothing tells that one of them is no longer needed: each is said again as it stands.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::Resolver;
use super::document::{self, Tests, WORDS};
use crate::policy::arn;
use crate::policy::document::{Action, Effect, Listed, Statement};
use crate::world::{PolicyIx, Principal};

/// A deny as it stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Again {
    /// Empty where it has no name.
    pub(super) sid: Arc<str>,
    pub(super) actions: Listed,
    pub(super) resources: Listed,
    pub(super) tests: Tests,
}

impl Again {
    /// `None` where it denies nothing, and an error where it cannot be said again. `variables`: whether its document has them.
    pub(super) fn of(statement: &Statement, variables: bool) -> Result<Option<Self>, &'static str> {
        let Some(resources) = statement.resources.as_ref().filter(|held| **held != Listed::In(Vec::new())) else {
            return Ok(None);
        };
        if statement.actions == Listed::In(Vec::new()) {
            return Ok(None);
        }
        if !statement.unknown.is_empty() {
            return Err("it has elements that the policy language does not know");
        }
        let mut tests = Tests::new();
        for test in statement.conditions.iter() {
            let keys = tests.entry(Arc::clone(&test.written)).or_default();
            if keys.insert(Arc::clone(&test.key), test.values.clone()).is_some() {
                return Err("it tests one key twice by one operator");
            }
        }
        let meant = |text: &Arc<str>| if variables { Arc::clone(text) } else { arn::without_variables(text).into() };
        let resources = resources.clone().map(|text| meant(&text));
        let (sid, actions) = (Arc::clone(&statement.sid), names(&statement.actions));
        Ok(Some(Self { sid, actions, resources, tests }))
    }

    /// The statement under a name.
    pub(super) fn statement(&self, sid: String) -> document::Statement {
        let (action, not_action) = parted(&self.actions, Arc::clone);
        let (resource, not_resource) = parted(&self.resources, |text| text.to_string());
        let (effect, condition) = (document::Effect::Deny, self.tests.clone());
        document::Statement { sid, effect, action, not_action, resource, not_resource, condition }
    }

    /// Its own name, where that tells it from all others of a proposal. The parts of one with a long list have letters behind
    /// it.
    pub(super) fn own_name(&self, all: &[Self]) -> Option<&str> {
        let is_made = |word: &&str| {
            self.sid.strip_prefix(*word).is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
        };
        let is_like = |other: &&Self| {
            let rest = other.sid.strip_prefix(&*self.sid);
            rest.is_some_and(|rest| rest.bytes().all(|byte| matches!(byte, b'a' | b'b')))
        };
        let is_name = !self.sid.is_empty() && self.sid.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let is_apart = !WORDS.iter().any(is_made) && all.iter().filter(is_like).count() == 1;
        (is_name && is_apart).then_some(&*self.sid)
    }
}

/// A list as what is meant, or as what is not.
fn parted<T>(listed: &Listed, form: impl Fn(&Arc<str>) -> T) -> (Option<Vec<T>>, Option<Vec<T>>) {
    match listed {
        Listed::In(texts) => (Some(texts.iter().map(form).collect()), None),
        Listed::NotIn(texts) => (None, Some(texts.iter().map(form).collect())),
    }
}

impl Resolver {
    /// The denies of a principal's policies that are not left alone, each once, and what of them cannot be said again, for
    /// people.
    pub(super) fn again(&self, principal: &Principal, left_alone: &BTreeSet<PolicyIx>) -> (Vec<Again>, Vec<String>) {
        let policies = &self.world().policies;
        let (mut again, mut notes) = (Vec::new(), Vec::new());
        for policy in principal.identity_policies.iter().filter(|policy| !left_alone.contains(policy)) {
            let (document, label) = (policies.document(*policy), policies.label(*policy));
            if policies.broken(*policy) {
                notes.push(format!(
                    "`{label}` is no policy document, so what it denies is not known, and goes with it: look at it before you \
                     take it away"
                ));
            }
            for statement in document.statements.iter().filter(|statement| statement.effect == Effect::Deny) {
                match Again::of(statement, document.variables) {
                    Ok(Some(deny)) if !again.contains(&deny) => again.push(deny),
                    Ok(_) => {}
                    Err(why) => notes.push(format!(
                        "`{label}` denies {}, which cannot be said again, since {why}: write that deny in again",
                        told(&names(&statement.actions))
                    )),
                }
            }
        }
        (again, notes)
    }
}

fn names(actions: &Listed<Action>) -> Listed {
    actions.clone().map(|action| action.name())
}

fn told(actions: &Listed) -> String {
    match actions {
        Listed::In(names) => listed(names),
        Listed::NotIn(names) => format!("all but {}", listed(names)),
    }
}

/// Names, for people.
pub(super) fn listed<'n>(names: impl IntoIterator<Item = &'n Arc<str>>) -> String {
    names.into_iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}
