//! What of the present policies need not be written anew: policies of which everything may stay are left alone, and
//! statements of the others are said again as they are, as far as all that they say may stay.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use evenhand_model::access::{AccessResolver as _, GrantIx};
use evenhand_model::condition::Condition;
use evenhand_model::evidence::Truth;
use evenhand_model::id::IdentityId;
use evenhand_model::opset::OpSet;
use evenhand_model::proposal::Kept;

use super::document::{Meant, Reach};
use super::kind::Changed;
use super::{OwnDeny, Resolver, entry, tests_of};
use crate::access::caller::Caller;
use crate::catalog::Catalogue;
use crate::policy::document::{Action, Effect, Listed};
use crate::world::{PolicyIx, Principal, World};

/// How the labels of inline policies begin.
const INLINE: &str = "inline policy ";

/// The name of an inline policy, by its label; `None` = it is none.
pub(super) fn inline_name(label: &str) -> Option<&str> {
    label.strip_prefix(INLINE)
}

/// The policy that is attached under a name. `None` where it was not read.
pub(super) fn attached_policy(world: &World, principal: &Principal, arn: &str) -> Option<PolicyIx> {
    let is_named = |policy: &PolicyIx| world.managed_arns.get(policy).is_some_and(|held| **held == *arn);
    principal.identity_policies.iter().copied().find(is_named)
}

/// Whether all policies of a group are among some. Of a group with policies that were not read nobody knows.
pub(super) fn group_stays(world: &World, group: &IdentityId, left_alone: &BTreeSet<PolicyIx>) -> bool {
    world.principals.get(group).is_some_and(|group| {
        group.missing.is_empty() && group.identity_policies.iter().all(|policy| left_alone.contains(policy))
    })
}

/// The policies that a principal has itself, whether or not a group has them too.
fn own_policies(world: &World, principal: &Principal) -> BTreeSet<PolicyIx> {
    let groups = principal.groups.iter().filter_map(|group| world.principals.get(group));
    let of_groups: BTreeSet<PolicyIx> = groups.flat_map(|group| group.identity_policies.iter().copied()).collect();
    let inline = principal
        .identity_policies
        .iter()
        .copied()
        .filter(|policy| !of_groups.contains(policy) && inline_name(&world.policies.label(*policy)).is_some());
    let attached = principal.attached.iter().filter_map(|arn| attached_policy(world, principal, arn));
    inline.chain(attached).collect()
}

/// Whether a part of what is kept is all of what is there, apart from operations.
fn as_before(part: &Kept) -> bool {
    part.slice.condition == part.of.condition
        && (part.slice.scope == part.of.scope || part.slice.scope.contains(&part.of.scope) == Truth::Yes)
}

/// What a statement says again as it is.
pub(super) struct Unchanged {
    pub(super) reach: Reach,
    pub(super) meant: Meant,
    /// The operations of which it says all that may stay.
    pub(super) whole: OpSet,
}

/// What stays and what goes of the statements of an access, by their numbers.
type Balance = BTreeMap<GrantIx, (OpSet, OpSet)>;

impl Resolver {
    fn balance(&self, identity: &IdentityId, kept: &[Kept]) -> Balance {
        let mut parts: BTreeMap<GrantIx, Vec<&Kept>> = BTreeMap::new();
        for part in kept.iter().filter(|part| as_before(part)) {
            parts.entry(part.of.grant).or_default().push(part);
        }
        let mut balance = Balance::new();
        let access = self.access(identity);
        let slices = access.iter().flat_map(|access| access.slices());
        // What reaches nothing is not held, so that nothing of it goes.
        for slice in slices.filter(|slice| slice.scope.is_nothing() != Truth::Yes) {
            let of = |part: &&&Kept| part.of == *slice;
            let stays = parts.get(&slice.grant).into_iter().flatten().filter(of);
            let stays = OpSet::from_ranges(stays.flat_map(|part| part.slice.operations.ranges().iter().copied()));
            let goes = slice.operations.difference(&stays);
            let (all_stays, all_goes) = balance.entry(slice.grant).or_default();
            *all_stays = all_stays.union(&stays);
            *all_goes = all_goes.union(&goes);
        }
        balance
    }

    /// The policies of which everything may stay that they grant.
    pub(super) fn whole(&self, principal: &Principal, kept: &[Kept]) -> BTreeSet<PolicyIx> {
        let balance = self.balance(&principal.id, kept);
        let stays = |policy: &PolicyIx| balance.range(self.grants_of(*policy)).all(|(_, (_, goes))| goes.is_empty());
        self.understood(principal).filter(stays).collect()
    }

    /// The policies that grant nothing.
    pub(super) fn denying(&self, principal: &Principal) -> BTreeSet<PolicyIx> {
        let policies = &self.world().policies;
        let denies =
            |policy: &PolicyIx| policies.compiled(*policy).statements.iter().all(|held| held.effect == Effect::Deny);
        self.understood(principal).filter(denies).collect()
    }

    fn understood<'a>(&'a self, principal: &'a Principal) -> impl Iterator<Item = PolicyIx> + 'a {
        principal.identity_policies.iter().copied().filter(move |policy| !self.world().policies.broken(*policy))
    }

    /// The policies that are left alone: of those that may stay, those that can stay as they are, and of which everything
    /// that is denied stays denied.
    pub(super) fn left_alone(
        &self,
        principal: &Principal,
        kind: Changed,
        may_stay: BTreeSet<PolicyIx>,
        denies: &[OwnDeny],
    ) -> BTreeSet<PolicyIx> {
        let world = self.world();
        let mut left = may_stay;
        let own = own_policies(world, principal);
        loop {
            let before = left.len();
            // A permission set has one inline policy, in which what else may stay has its place.
            if kind == Changed::PermissionSet && before < principal.identity_policies.len() {
                left.retain(|policy| inline_name(&world.policies.label(*policy)).is_none());
            }
            let unsaid = unsaid(denies, &left);
            left.retain(|policy| !self.allowed(*policy).intersects(&unsaid));
            // What a group gives stays with all of it or not at all.
            let groups = principal.groups.iter().filter(|group| group_stays(world, group, &left));
            let given = groups.filter_map(|group| world.principals.get(group));
            let given: BTreeSet<PolicyIx> = given.flat_map(|group| group.identity_policies.iter().copied()).collect();
            left.retain(|policy| own.contains(policy) || given.contains(policy));
            if left.len() == before {
                return left;
            }
        }
    }

    /// What the statements of a policy allow, whatever else denies or limits it.
    fn allowed(&self, policy: PolicyIx) -> OpSet {
        let statements = self.world().policies.compiled(policy).statements.iter();
        let parts = statements.filter(|held| held.effect == Effect::Allow).flat_map(|statement| statement.parts.iter());
        OpSet::from_ranges(parts.flat_map(|part| part.operations.ranges().iter().copied()))
    }

    /// The statements of policies that are written anew, as far as they may say again what they say.
    pub(super) fn unchanged(
        &self,
        principal: &Principal,
        kept: &[Kept],
        left_alone: &BTreeSet<PolicyIx>,
        denies: &[OwnDeny],
    ) -> BTreeMap<GrantIx, Unchanged> {
        let caller = Caller::of(principal);
        let balance = self.balance(&principal.id, kept);
        let unsaid = unsaid(denies, left_alone);
        // What is denied whatever the request is like stays denied, so a wildcard may match it.
        let denied = denies.iter().filter(|deny| deny.is_always && deny.is_sayable);
        let denied = OpSet::from_ranges(denied.flat_map(|deny| deny.operations.ranges().iter().copied()));
        let mut unchanged = BTreeMap::new();
        for policy in principal.identity_policies.iter().filter(|policy| !left_alone.contains(policy)) {
            for (number, statement) in self.world().policies.compiled(*policy).statements.iter().enumerate() {
                let grant = self.world().policies.grant_number(*policy, number);
                let Some((stays, goes)) = balance.get(&grant) else { continue };
                let whole = stays.difference(goes).difference(&unsaid);
                let tests = statement
                    .condition(&caller)
                    .and_then(|condition| tests_of(&condition, &Condition::unconditional()).ok());
                let (Some(tests), Some((resources, inverted))) = (tests, statement.resources(&caller)) else {
                    continue;
                };
                if whole.is_empty() || resources.is_empty() {
                    continue;
                }
                let parts = statement.parts.iter().flat_map(|part| part.operations.ranges().iter().copied());
                let (parts, may) = (OpSet::from_ranges(parts), whole.union(&denied));
                let mut meant = Meant::from(whole.clone());
                for (text, matched) in self.wildcards(grant) {
                    // What the resources cannot mean a wildcard may match.
                    if matched.intersection(&parts).is_subset(&may) && !matched.intersects(&unsaid) {
                        meant.add(&matched, [text]);
                    }
                }
                let resources = resources.iter().map(entry).collect();
                unchanged.insert(grant, Unchanged { reach: Reach { resources, inverted, tests }, meant, whole });
            }
        }
        unchanged
    }

    /// The wildcards by which a statement names actions, with what each matches.
    pub(super) fn wildcards(&self, grant: GrantIx) -> Vec<(Arc<str>, OpSet)> {
        let policies = &self.world().policies;
        let Some((policy, number)) = policies.statement_of(grant) else { return Vec::new() };
        let Some(statement) = policies.document(policy).statements.get(number) else { return Vec::new() };
        let Listed::In(actions) = &statement.actions else { return Vec::new() };
        let wild = actions.iter().filter_map(Action::text).filter(|name| name.contains(['*', '?']));
        wild.map(|name| (Arc::clone(name), Catalogue::global().all_of([&**name])))
            .filter(|(_, matched)| !matched.is_empty())
            .collect()
    }

    /// The numbers of the statements of a policy.
    pub(super) fn grants_of(&self, policy: PolicyIx) -> std::ops::Range<GrantIx> {
        let policies = &self.world().policies;
        policies.grant_number(policy, 0)..policies.grant_number(policy, policies.document(policy).statements.len())
    }

    /// Whether a statement is of one of some policies.
    pub(super) fn is_of(&self, grant: GrantIx, policies: &BTreeSet<PolicyIx>) -> bool {
        self.world().policies.statement_of(grant).is_some_and(|(policy, _)| policies.contains(&policy))
    }
}

/// What is denied by policies that go in a way in which nothing can say it again.
fn unsaid(denies: &[OwnDeny], left_alone: &BTreeSet<PolicyIx>) -> OpSet {
    let unsaid = denies.iter().filter(|deny| !deny.is_sayable && !left_alone.contains(&deny.policy));
    OpSet::from_ranges(unsaid.flat_map(|deny| deny.operations.ranges().iter().copied()))
}
