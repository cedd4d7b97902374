//! Point decisions on documents: a request and every policy that applies to it in, one decision out.
//!
//! Nothing of a capture is needed, and nothing is remembered but the policies, so that a document that many requests
//! carry is understood once. How a request is decided is the business of `access::verdict`, which the principals of a
//! capture share; this module reads requests, refuses what it does not understand with its place, and knows no files.

mod answer;
mod check;
mod input;
mod principal;
mod store;

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use evenhand_model::access::Outcome;
use evenhand_model::catalog::Catalog;
use evenhand_model::decide::Decides;
use serde_json::value::RawValue;

pub use crate::access::answer::Layer;
pub use answer::{Answer, Decided, Effect, Matched, Note};
pub use evenhand_model::decide::Refusal;

use crate::access::answer::Standing;
use crate::access::caller::{Session, Who};
use crate::access::floor::becomes_role;
use crate::access::question::{Absent, Question, Target, operation, owner};
use crate::access::verdict::{Judgement, Layers, Unread, judge};
use crate::catalog::Catalogue;
use crate::policy::PolicyRole;
use crate::policy::context::{Context, Lookup, Over};
use crate::world::PolicyIx;
use input::{Input, Level, Mode, NamedPolicy};
use principal::Asker;
pub(crate) use store::{Policies, Understood};

/// Decides requests. Shared by threads; keeps the policies of earlier requests, up to a bound.
#[derive(Debug, Default)]
pub struct Decider {
    policies: Policies,
}

impl Decider {
    /// Decides the request in one JSON object.
    ///
    /// # Errors
    /// When the object is no request, or something in it cannot be understood: with its place.
    pub fn answer<'a>(&self, text: &'a str) -> Result<Answer<'a>, Refusal> {
        let input = input::read(text)?;
        self.decide(input)
    }

    fn decide<'a>(&self, input: Input<'a>) -> Result<Answer<'a>, Refusal> {
        let request = &input.request;
        let action = operation(&request.action).map_err(|error| Refusal::decision("/request/action", &error))?;
        let resource: &str = request.resource.as_deref().unwrap_or("*");
        let target = target_of(resource)?;
        let asker = Asker::of(&request.principal)?;
        let owner = owner_of(resource, request.resource_account.as_deref())?;
        // Where nobody says whose the resource is, it is the caller's.
        let owner = owner.or(asker.account);

        let mut held = Held { policies: &self.policies, understood: Vec::new(), names: Vec::new(), notes: Vec::new() };
        let becomes = becomes_role(&Catalogue::global().name(action), resource);
        let on_resource = if becomes { PolicyRole::Trust } else { PolicyRole::Resource };
        let identity = held.list(input.identity_policies, "identity_policies", PolicyRole::Identity)?;
        let boundary = held.limit(input.permissions_boundaries, "permissions_boundaries", PolicyRole::Identity)?;
        let session = held.limit(input.session_policies, "session_policies", PolicyRole::Identity)?;
        let endpoint = held.limit(input.endpoint_policies, "endpoint_policies", PolicyRole::Endpoint)?;
        let resource_policy = held.only(input.resource_policy, "resource_policy", on_resource)?;
        let service_control =
            held.levels(input.service_control_policies, "service_control_policies", PolicyRole::ServiceControl)?;
        let resource_control =
            held.levels(input.resource_control_policies, "resource_control_policies", PolicyRole::ResourceControl)?;

        let stand = |range: Range<usize>| held.standing(range);
        let layers = Layers {
            identity: stand(identity),
            boundary: boundary.map(stand),
            session: session.map(stand),
            endpoint: endpoint.map(stand),
            resource: stand(resource_policy),
            service_control: service_control.into_iter().map(stand).collect(),
            resource_control: resource_control.into_iter().map(stand).collect(),
        };
        let mut caller = asker.caller(layers.boundary.is_some());
        // A session's name does not tell its role's path. Without `discover` the role is taken to have none.
        caller.path_open = input.mode == Mode::Discover && matches!(caller.who, Who::Role(Session::Named(_)));
        let absent = match input.mode {
            Mode::Decide => Absent::Missing,
            Mode::Discover => Absent::Unknown,
        };
        let owned = Owned(owner);
        let implied = Over { first: &caller, then: &owned };
        let rest = Over { first: &implied, then: absent.context() };
        let context = Over { first: &request.context, then: &rest };
        let question = Question { operation: action, resource, target, owner, context: &context };
        let judgement = judge(&caller, &layers, &Unread::default(), &question);
        drop(layers);
        Ok(held.answer(judgement, input.mode))
    }
}

/// The resource that is asked about. Whoever writes a request is told of parts that no name has.
fn target_of(resource: &str) -> Result<Target<'_>, Refusal> {
    const AT: &str = "/request/resource";
    let target = Target::of(resource).map_err(|error| Refusal::decision(AT, &error))?;
    let Target::Name([_, partition, service, _, account, rest]) = &target else { return Ok(target) };
    let odd = if !partition.starts_with("aws") {
        "the partition is `aws`, `aws-cn`, `aws-us-gov` or another that begins so"
    } else if service.is_empty() {
        "name the service after the partition"
    } else if account.bytes().all(|byte| byte.is_ascii_digit()) && !account.is_empty() && account.len() != 12 {
        "an account has twelve digits"
    } else if rest.is_empty() {
        "name the resource after the account"
    } else {
        return Ok(target);
    };
    Err(Refusal::new(AT, format!("`{resource}` is no resource name"), odd))
}

/// The account that owns the resource, from its name or as said; they must not differ.
fn owner_of<'a>(resource: &'a str, said: Option<&'a str>) -> Result<Option<&'a str>, Refusal> {
    const AT: &str = "/request/resource_account";
    let named = owner(resource);
    let Some(said) = said else { return Ok(named) };
    if !principal::is_account(said) {
        return Err(Refusal::new(AT, format!("`{said}` is no account"), "write its twelve digits, as text"));
    }
    if let Some(named) = named.filter(|named| *named != said) {
        return Err(Refusal::new(
            AT,
            format!("`{said}` is not the account in the resource's name, `{named}`"),
            "leave `resource_account` out where the name tells it",
        ));
    }
    Ok(Some(said))
}

/// What the resource tells of the context.
struct Owned<'a>(Option<&'a str>);

impl Context for Owned<'_> {
    fn get(&self, key: &str) -> Lookup {
        match (key, self.0) {
            ("aws:resourceaccount", Some(account)) => Lookup::Known(vec![Arc::from(account)]),
            _ => Lookup::Unknown,
        }
    }
}

/// The policies of one request: a policy's place in the lists is its number.
struct Held<'a, 'd> {
    policies: &'d Policies,
    understood: Vec<Arc<Understood>>,
    names: Vec<Cow<'a, str>>,
    notes: Vec<Note>,
}

impl<'a> Held<'a, '_> {
    /// Takes a policy of a list; `at` spells out its place, which most never need.
    fn push(&mut self, policy: NamedPolicy<'a>, role: PolicyRole, at: impl Fn() -> String) -> Result<(), Refusal> {
        self.take(policy.policy, role, || format!("/{}/policy", at()))?;
        self.names.push(policy.name.unwrap_or_else(|| at().into()));
        Ok(())
    }

    /// Takes a document; `at` is its place as a JSON pointer.
    fn take(&mut self, text: &RawValue, role: PolicyRole, at: impl Fn() -> String) -> Result<(), Refusal> {
        let understood = self.policies.understand(role, text.get()).map_err(|problem| problem.below(&at()))?;
        self.notes.extend(understood.notes.iter().map(|message| Note { at: at(), message: message.clone() }));
        self.understood.push(understood);
        Ok(())
    }

    /// The one policy of a member that holds no list.
    fn only(&mut self, text: Option<&RawValue>, at: &'static str, role: PolicyRole) -> Result<Range<usize>, Refusal> {
        let from = self.understood.len();
        if let Some(text) = text {
            self.take(text, role, || format!("/{at}"))?;
            self.names.push(at.into());
        }
        Ok(from..self.understood.len())
    }

    fn list(
        &mut self,
        policies: Option<Vec<NamedPolicy<'a>>>,
        at: &str,
        role: PolicyRole,
    ) -> Result<Range<usize>, Refusal> {
        let from = self.understood.len();
        for (number, policy) in policies.into_iter().flatten().enumerate() {
            self.push(policy, role, || format!("{at}/{number}"))?;
        }
        Ok(from..self.understood.len())
    }

    /// A layer that limits where it has a policy.
    fn limit(
        &mut self,
        policies: Option<Vec<NamedPolicy<'a>>>,
        at: &str,
        role: PolicyRole,
    ) -> Result<Option<Range<usize>>, Refusal> {
        let range = self.list(policies, at, role)?;
        Ok((!range.is_empty()).then_some(range))
    }

    fn levels(
        &mut self,
        levels: Option<Vec<Level<'a>>>,
        at: &str,
        role: PolicyRole,
    ) -> Result<Vec<Range<usize>>, Refusal> {
        let mut ranges = Vec::new();
        for (number, level) in levels.into_iter().flatten().enumerate() {
            let from = self.understood.len();
            for (inner, policy) in level.policies.into_iter().enumerate() {
                self.push(policy, role, || format!("{at}/{number}/policies/{inner}"))?;
            }
            ranges.push(from..self.understood.len());
        }
        Ok(ranges)
    }

    fn standing(&self, range: Range<usize>) -> Vec<Standing<'_>> {
        let from = range.start;
        let held = self.understood.get(range).unwrap_or_default();
        (from..)
            .zip(held)
            .map(|(number, held)| Standing {
                index: PolicyIx(u32::try_from(number).unwrap_or(u32::MAX)),
                document: &held.document,
                compiled: &held.compiled,
                broken: false,
            })
            .collect()
    }

    fn answer(self, judgement: Judgement, mode: Mode) -> Answer<'a> {
        let matched = judgement
            .matched()
            .map(|(effect, found)| Matched {
                policy: self.names.get(found.policy.0 as usize).cloned().unwrap_or_default(),
                statement: found.statement,
                effect: effect.into(),
            })
            .collect();
        let discovering = mode == Mode::Discover;
        let decision = match judgement.outcome {
            Outcome::Allowed => Decided::Allowed,
            Outcome::Conditional | Outcome::Unknown if discovering => Decided::Conditional,
            // Every key is known to be there or not, so that nothing is left open.
            Outcome::Conditional | Outcome::Unknown | Outcome::ImplicitlyDenied => Decided::ImplicitlyDenied,
            Outcome::ExplicitlyDenied => Decided::ExplicitlyDenied,
        };
        Answer {
            decision,
            blocked_by: judgement.blocked_by.into_iter().collect(),
            matched,
            missing_keys: discovering.then(|| judgement.keys.into_iter().collect()),
            conditions: discovering.then_some(judgement.conditions),
            notes: self.notes,
        }
    }
}

impl Decides for Decider {
    fn reply(&self, request: &str) -> Result<Vec<u8>, Refusal> {
        let answer = self.answer(request)?;
        serde_json::to_vec(&answer)
            .map_err(|error| Refusal::new("", format!("the answer cannot be written: {error}"), "report it"))
    }
}

/// The JSON Schema of a request and, below `$defs`, of its answer and of the refusal of a line.
pub fn schema() -> serde_json::Value {
    evenhand_model::decide::schema::<Input<'static>, Answer<'static>>(
        "evenhand decide aws",
        "One line of input. The answer to it is `$defs/Answer`; a line that cannot be understood is answered by \
         `$defs/Refused`.",
    )
}

#[cfg(test)]
mod tests;
