//! Where to find things of a world: the policies of a resource, principals of equal access.

use std::collections::HashMap;
use std::sync::Arc;

use evenhand_model::evidence::Fact;
use evenhand_model::id::IdentityId;
use rayon::prelude::*;

use super::attached::Attached;
use super::caller::Caller;
use super::enumerate::Limits;
use crate::policy::{Effect, arn};
use crate::world::{AccountId, PolicyIx, Principal, PrincipalKind, World};

/// Policies of resources by name.
#[derive(Debug, Default)]
pub(super) struct ResourcePolicies(HashMap<Arc<str>, Vec<usize>, foldhash::fast::RandomState>);

impl ResourcePolicies {
    pub(super) fn of(world: &World) -> Self {
        let mut by_name: HashMap<Arc<str>, Vec<usize>, _> = HashMap::default();
        for (at, held) in world.resource_policies.iter().enumerate() {
            by_name.entry(Arc::clone(&held.resource)).or_default().push(at);
        }
        Self(by_name)
    }

    /// The policies of a resource with the account that owns it. Objects have their bucket's, versions and aliases of a
    /// function have the function's.
    pub(super) fn find(&self, world: &World, resource: &str) -> Vec<(PolicyIx, AccountId)> {
        holders(resource)
            .filter_map(|name| self.0.get(name))
            .flatten()
            .filter_map(|at| world.resource_policies.get(*at))
            .map(|held| (held.policy, held.account.clone()))
            .collect()
    }
}

/// Whether a resource is known to have no policy.
pub(super) fn has_none(world: &World, resource: &str) -> bool {
    holders(resource).any(|name| world.without_policy.contains(name))
}

/// The names under which a resource may have a policy.
fn holders(resource: &str) -> impl Iterator<Item = &str> {
    let shorter = arn::split(resource).and_then(|[_, _, service, _, _, rest]| {
        let shorter = match service {
            "s3" => rest.split_once('/').map(|(bucket, _)| bucket),
            "lambda" => rest.rsplit_once(':').filter(|(head, _)| head.contains(':')).map(|(head, _)| head),
            _ => None,
        }?;
        resource.get(..resource.len() - rest.len() + shorter.len())
    });
    std::iter::once(resource).chain(shorter)
}

/// The places of principals in their world by where the texts of their ids lie. Nearly all who ask share the id with the
/// world, so that its text need not be read.
#[derive(Debug, Default)]
pub(super) struct ByAddress(HashMap<usize, u32, foldhash::fast::RandomState>);

impl ByAddress {
    pub(super) fn of(world: &World) -> Self {
        Self(world.principals.keys().map(address).zip(0_u32..).collect())
    }

    /// The place of whom this very id stands for; `None` where it is a copy of one, or nobody's.
    pub(super) fn find(&self, id: &IdentityId) -> Option<usize> {
        self.0.get(&address(id)).map(|place| *place as usize)
    }
}

/// Where the text of an id lies. As long as the world holds it, no other text lies there.
fn address(id: &IdentityId) -> usize {
    id.as_str().as_ptr().addr()
}

/// The policies of an organisation's levels.
type Levels = Fact<Vec<Vec<PolicyIx>>>;

/// Principals grouped by what decides their access.
#[derive(Debug, Default)]
pub(super) struct Groups {
    /// The group of each principal, in the world's order.
    pub(super) group: Vec<u32>,
    /// The first principal of each group.
    pub(super) first: Vec<usize>,
    /// Whether each group has more than one.
    pub(super) shared: Vec<bool>,
}

#[derive(PartialEq, Eq, Hash)]
struct Key<'w> {
    policies: &'w [PolicyIx],
    boundary: Fact<PolicyIx>,
    unread_boundary: Option<&'w str>,
    missing: &'w [Arc<str>],
    limits: u32,
    service_linked: bool,
    root: bool,
    /// What the policies depend on of who asks.
    signature: Vec<u8>,
}

impl Groups {
    pub(super) fn of(world: &World, attached: &Attached) -> Self {
        let mut numbers: HashMap<(&Levels, &Levels), u32> = HashMap::new();
        let mut by_account: HashMap<&AccountId, u32> = HashMap::new();
        for (account, limits) in &world.limits {
            let next = u32::try_from(numbers.len() + 1).unwrap_or(u32::MAX);
            let number = *numbers.entry((&limits.service_control, &limits.resource_control)).or_insert(next);
            by_account.insert(account, number);
        }
        let keys: Vec<Key<'_>> = world
            .principals
            .values()
            .collect::<Vec<_>>()
            .into_par_iter()
            .enumerate()
            .map(|(at, principal)| {
                let limits = by_account.get(&principal.account).copied().unwrap_or_default();
                let mut key = key(world, principal, limits);
                attached.signature(world, at, principal, &mut key.signature);
                key
            })
            .collect();
        let mut groups = Self::default();
        let mut seen: HashMap<Key<'_>, u32, foldhash::fast::RandomState> = HashMap::default();
        for (at, key) in keys.into_iter().enumerate() {
            let next = u32::try_from(groups.first.len()).unwrap_or(u32::MAX);
            let group = *seen.entry(key).or_insert(next);
            if group == next {
                groups.first.push(at);
                groups.shared.push(false);
            } else if let Some(shared) = groups.shared.get_mut(group as usize) {
                *shared = true;
            }
            groups.group.push(group);
        }
        groups
    }
}

fn key<'w>(world: &World, principal: &'w Principal, limits: u32) -> Key<'w> {
    let caller = Caller::of(principal);
    let mut signature = Vec::new();
    let limits_of = Limits::of(world, principal);
    for policy in principal.identity_policies.iter().copied().chain(limits_of.policies()) {
        if world.policies.personal(policy) {
            for statement in &world.policies.compiled(policy).statements {
                statement.signature(&caller, &mut signature);
            }
        }
    }
    // What denies by the resource's account holds at home only.
    let of_resources = limits_of.resource_control.unwrap_or_default().iter().flatten();
    let denies = |policy: &PolicyIx| {
        world.policies.compiled(*policy).statements.iter().any(|statement| statement.effect == Effect::Deny)
    };
    if of_resources.copied().any(|policy| denies(&policy)) {
        signature.extend(principal.account.0.as_bytes());
        signature.push(0);
    }
    Key {
        policies: &principal.identity_policies,
        boundary: principal.boundary,
        // Doubts name it, or the principal where not even its name is known.
        unread_boundary: match principal.boundary {
            Fact::Unknown => Some(principal.unread_boundary.as_deref().unwrap_or(principal.id.as_str())),
            Fact::Known(_) | Fact::Absent => None,
        },
        missing: &principal.missing,
        limits,
        service_linked: principal.service_linked,
        root: principal.kind == PrincipalKind::Root,
        signature,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::properties::principal;

    #[test]
    fn a_principal_is_found_by_the_id_that_the_world_holds_and_by_no_copy() {
        let mut world = World::default();
        for name in ["arn:aws:iam::111111111111:user/a", "arn:aws:iam::111111111111:user/b"] {
            let one = principal(name);
            world.principals.insert(one.id.clone(), one);
        }
        let by_address = ByAddress::of(&world);
        for (at, id) in world.principals.keys().enumerate() {
            assert_eq!(by_address.find(&id.clone()), Some(at));
            assert_eq!(by_address.find(&IdentityId::from(id.as_str())), None);
        }
    }
}
