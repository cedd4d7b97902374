//! Point decisions about the principals of a capture.

use std::sync::Arc;

use evenhand_model::access::{DecideError, GrantIx, Outcome, Request};
use evenhand_model::catalog::Catalog;
use evenhand_model::evidence::Fact;
use evenhand_model::id::IdentityId;

use super::answer::{Layer, Standing};
use super::caller::Caller;
use super::enumerate::Limits;
use super::floor::becomes_role;
use super::index::has_none;
use super::layers::Now;
use super::question::{Absent, Question, Target, operation, owner};
use super::resolver::Resolver;
use super::verdict::{Layers, Unread, judge};
use crate::catalog::Catalogue;
use crate::policy::context::{Context, Lookup, Over, Partial};
use crate::world::{AccountId, PolicyIx, Principal};

/// A decision, statements by number.
#[derive(Debug)]
pub(crate) struct Verdict {
    pub(crate) outcome: Outcome,
    pub(crate) blocked_by: Vec<&'static str>,
    pub(crate) because: Vec<GrantIx>,
    pub(crate) conditions: Vec<String>,
}

/// Answers one question.
pub(crate) fn decide(
    resolver: &Resolver,
    identity: &IdentityId,
    request: &Request,
    absent: Absent,
) -> Result<Verdict, DecideError> {
    let operation = operation(&request.operation)?;
    let resource = request.resource.as_deref().unwrap_or("*");
    let target = Target::of(resource)?;
    let world = resolver.world();
    let Some(principal) = world.principals.get(identity) else {
        return Ok(Verdict {
            outcome: Outcome::Unknown,
            blocked_by: Vec::new(),
            because: Vec::new(),
            conditions: Vec::new(),
        });
    };
    let mut given = Partial::default();
    for (key, value) in &request.context {
        given.insert(key, value.values().iter().map(|value| Arc::from(value.as_str())).collect());
    }
    let named_owner = owner(resource);
    if let Some(owner) = named_owner
        && given.get("aws:resourceaccount") == Lookup::Unknown
    {
        given.insert("aws:resourceaccount", vec![Arc::from(owner)]);
    }
    let (caller, now) = (Caller::of(principal), Now(resolver.now));
    let timed = Over { first: &caller, then: &now };
    let rest = Over { first: &timed, then: absent.context() };
    let context = Over { first: &given, then: &rest };

    let mut unread = unread(resolver, principal);
    let becomes = becomes_role(&Catalogue::global().name(operation), resource);
    let attached = attached(resolver, becomes, resource, &mut unread);
    unread.resource = attached.is_empty() && !has_none(world, resource);
    let account: Option<AccountId> = named_owner
        .map(|owner| AccountId(Arc::from(owner)))
        .or_else(|| attached.first().map(|(_, account)| account.clone()));
    let question =
        Question { operation, resource, target, owner: account.as_ref().map(|account| &*account.0), context: &context };

    let limits = Limits::of(world, principal);
    let stand = |policies: &[PolicyIx]| -> Vec<Standing<'_>> {
        policies.iter().map(|policy| Standing::of(&world.policies, *policy)).collect()
    };
    let levels = |levels: &[Vec<PolicyIx>]| levels.iter().map(|level| stand(level)).collect();
    // Resource control policies are those of the account that owns the resource.
    let resource_control = match &account {
        Some(owner) => world
            .limits
            .get(owner)
            .and_then(|limits| limits.resource_control.value())
            .map(Vec::as_slice)
            .unwrap_or_default(),
        None => limits.resource_control.unwrap_or_default(),
    };
    let layers = Layers {
        identity: stand(&principal.identity_policies),
        boundary: limits.boundary.map(|boundary| stand(&[boundary])),
        service_control: levels(limits.service_control.unwrap_or_default()),
        resource_control: levels(resource_control),
        resource: attached.iter().map(|(policy, _)| Standing::of(&world.policies, *policy)).collect(),
        session: None,
        endpoint: None,
    };
    let judgement = judge(&caller, &layers, &unread, &question);
    let mut because: Vec<GrantIx> =
        judgement.because().iter().map(|found| world.policies.grant_number(found.policy, found.statement)).collect();
    because.sort_unstable();
    because.dedup();
    Ok(Verdict {
        outcome: judgement.outcome,
        blocked_by: judgement.blocked_by.iter().copied().map(Layer::as_str).collect(),
        because,
        conditions: judgement.conditions,
    })
}

/// What was not read of a principal.
fn unread(resolver: &Resolver, principal: &Principal) -> Unread {
    let store = &resolver.world().policies;
    let broken = principal.identity_policies.iter().filter(|policy| store.broken(**policy));
    Unread {
        own: principal.missing.iter().cloned().chain(broken.map(|policy| store.label(*policy))).collect(),
        boundary: principal.boundary == Fact::Unknown,
        trust: false,
        resource: false,
    }
}

/// The policies of the resource; for becoming a role, its trust policy. Each with the account of the resource.
fn attached(resolver: &Resolver, becomes: bool, resource: &str, unread: &mut Unread) -> Vec<(PolicyIx, AccountId)> {
    let world = resolver.world();
    let mut attached = resolver.resources.find(world, resource);
    if becomes && let Some(role) = world.principals.get(&IdentityId::from(resource)) {
        attached.extend(role.trust.map(|trust| (trust, role.account.clone())));
        unread.trust = role.trust.is_none();
    }
    attached
}
