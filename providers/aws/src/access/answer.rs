//! What the policies of one layer say of a question.

use std::collections::BTreeSet;
use std::sync::Arc;

use evenhand_model::condition::Test;
use evenhand_model::evidence::Truth;
use schemars::JsonSchema;
use serde::Serialize;

use super::caller::Caller;
use super::matching::{Named, session_test, ways};
use super::question::Question;
use crate::policy::compile::{CompiledPolicy, CompiledStatement, Part, model_test};
use crate::policy::context::Lookup;
use crate::policy::document::condition_test;
use crate::policy::{Effect, PolicyDocument, PolicyStore, arn, operator};
use crate::world::PolicyIx;

/// A layer of policies, in the order in which they are told.
// The doc comments are the descriptions in the JSON Schema of point decisions.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Layer {
    /// Service control policies.
    #[serde(rename = "scp")]
    ServiceControl,
    /// Resource control policies.
    #[serde(rename = "rcp")]
    ResourceControl,
    /// The permissions boundary.
    Boundary,
    /// The session policies.
    Session,
    /// The policy of the VPC endpoint.
    Endpoint,
    /// The caller's own policies.
    Identity,
    /// The policy of the resource.
    Resource,
    /// The service itself, which lets nobody do this: a policy that AWS manages is to be changed, for example.
    Service,
}

impl Layer {
    /// The word used everywhere.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::ServiceControl => "scp",
            Self::ResourceControl => "rcp",
            Self::Boundary => "boundary",
            Self::Session => "session",
            Self::Endpoint => "endpoint",
            Self::Identity => "identity",
            Self::Resource => "resource",
            Self::Service => "service",
        }
    }
}

/// A policy where it stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Standing<'a> {
    pub(crate) index: PolicyIx,
    pub(crate) document: &'a PolicyDocument,
    pub(crate) compiled: &'a CompiledPolicy,
    /// It was not understood, so it may allow or deny anything.
    pub(crate) broken: bool,
}

impl<'a> Standing<'a> {
    /// A policy of a capture.
    pub(crate) fn of(store: &'a PolicyStore, index: PolicyIx) -> Self {
        Self { index, document: store.document(index), compiled: store.compiled(index), broken: store.broken(index) }
    }
}

/// A statement that matches, or may match.
#[derive(Clone, Debug)]
pub(crate) struct Match {
    pub(crate) policy: PolicyIx,
    pub(crate) statement: usize,
    pub(crate) close: Named,
    pub(crate) holds: Truth,
    /// What is left open, for people; empty where nothing is.
    pub(crate) open: String,
    /// The context keys that it is left open by.
    pub(crate) keys: BTreeSet<Arc<str>>,
}

/// What a layer says.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    pub(crate) allows: Vec<Match>,
    pub(crate) denies: Vec<Match>,
    /// Whether one of its documents was not read or not understood: it may allow or deny anything.
    pub(crate) unread: bool,
}

/// Asks the policies of one layer. `caller`: whom a statement has to name, in layers whose policies name principals.
pub(crate) fn ask<'a>(
    policies: impl IntoIterator<Item = Standing<'a>>,
    question: &Question<'_>,
    caller: Option<&Caller<'_>>,
) -> Answer {
    let mut answer = Answer::default();
    for policy in policies {
        answer.unread |= policy.broken;
        for (number, statement) in policy.compiled.statements.iter().enumerate() {
            let Some(part) = statement.parts.iter().find(|part| part.operations.contains(question.operation)) else {
                continue;
            };
            let mut add = |close: Named, session: Option<Test>| {
                let Some((holds, open, keys)) = apply(statement, part, question, session.as_ref()) else { return };
                let found = Match { policy: policy.index, statement: number, close, holds, open, keys };
                match statement.effect {
                    Effect::Allow => answer.allows.push(found),
                    Effect::Deny => answer.denies.push(found),
                }
            };
            let Some(caller) = caller else {
                add(Named::Itself, None);
                continue;
            };
            let Some(written) = policy.document.statements.get(number) else { continue };
            for close in ways(written, caller) {
                add(close, (close == Named::Session).then(|| session_test(written, caller)));
            }
        }
    }
    answer
}

/// Whether a statement's resources and conditions fit, and what leaves that open. `None` = they do not. `session`: that
/// the caller is one of the sessions that the statement means, where it is about some sessions of a role only.
fn apply(
    statement: &CompiledStatement,
    part: &Part,
    question: &Question<'_>,
    session: Option<&Test>,
) -> Option<(Truth, String, BTreeSet<Arc<str>>)> {
    let context = question.context;
    let mut open: Vec<String> = Vec::new();
    let mut keys = BTreeSet::new();
    let mut note = |key: &Arc<str>| {
        if context.get(key) == Lookup::Unknown {
            keys.insert(Arc::clone(key));
        }
    };
    let scope = statement.scope(part, context)?;
    let mut holds = question.is_reached(&scope, statement.effect);
    if holds == Truth::Unknown {
        open.push(format!("the resource is one of {scope}"));
        statement.variables().for_each(&mut note);
    }
    if let Some(test) = session {
        // Which session asks is not known unless the question tells; that nobody told is no answer.
        let told = matches!(context.get(&test.key), Lookup::Known(_));
        let compared = condition_test(&test.operator, &test.key, &test.values);
        let truth = if told { operator::holds(&compared, context) } else { Truth::Unknown };
        holds = holds.and(truth);
        if truth == Truth::Unknown {
            let names: Vec<&str> = test.values.iter().filter_map(|value| value.strip_prefix("*:")).collect();
            let is = if test.negated { "is not" } else { "is" };
            open.push(format!("the caller's session {is} {} ({test})", names.join(" or ")));
            note(&test.key);
        }
    }
    if holds == Truth::No {
        return None;
    }
    for (test, truth) in statement.tested(context) {
        if truth == Truth::No {
            return None;
        }
        if truth == Truth::Unknown {
            open.push(model_test(test, context)?.to_string());
            note(&test.key);
            for value in test.values.iter().filter(|value| value.contains("${")) {
                arn::Template::parse(value).keys().for_each(&mut note);
            }
        }
        holds = holds.and(truth);
    }
    if let Some(opaque) = statement.opaque() {
        holds = holds.and(Truth::Unknown);
        open.push(opaque.to_string());
    }
    (holds != Truth::No).then(|| (holds, open.join(" and "), keys))
}

impl Answer {
    /// What documents that were not read may say.
    fn perhaps(&self) -> Truth {
        if self.unread { Truth::Unknown } else { Truth::No }
    }

    /// Whether something of at least that closeness allows.
    pub(crate) fn allow(&self, least: Named) -> Truth {
        self.allows.iter().filter(|found| found.close >= least).fold(self.perhaps(), |some, found| some.or(found.holds))
    }

    /// Whether something of just that closeness allows.
    pub(crate) fn allow_exactly(&self, close: Named) -> Truth {
        self.allows.iter().filter(|found| found.close == close).fold(self.perhaps(), |some, found| some.or(found.holds))
    }

    /// Whether something allows the caller itself, not only its account.
    pub(crate) fn direct(&self) -> Truth {
        self.allows.iter().fold(self.perhaps(), |some, found| some.or(found.holds.and(found.close.direct())))
    }

    /// Whether something denies.
    pub(crate) fn denied(&self) -> Truth {
        self.denies.iter().fold(self.perhaps(), |some, found| some.or(found.holds))
    }
}
