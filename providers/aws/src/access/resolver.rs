//! The resolver: the crate's answer to questions about access.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use evenhand_model::Timestamp;
use evenhand_model::access::{
    Access, AccessResolver, DecideError, Decision, Edge, Grant, GrantIx, Link, Outcome, Request, Unlisted, Unread,
};
use evenhand_model::catalog::Catalog;
use evenhand_model::evidence::{Evidence, Truth};
use evenhand_model::id::IdentityId;
use evenhand_model::inventory::Hint;
use evenhand_model::opset::OpSet;
use evenhand_model::parallel::IN_A_ROW;
use evenhand_model::proposal::Proposes;
use rayon::prelude::*;

use super::attached::Attached;
use super::bounds::AllBounds;
use super::enumerate::Denies;
use super::index::{ByAddress, Groups, ResourcePolicies};
use super::layers::Now;
use super::question::Absent;
use super::{admin, decide, enumerate, usage};
use crate::catalog::Catalogue;
use crate::escalation::{self, LeftOut};
use crate::world::{AccountId, PolicyIx, Principal, World};

/// Access over a whole capture. Each combination of policies is resolved once, when it is first asked for.
#[derive(Debug)]
pub(crate) struct Resolver {
    pub(super) world: World,
    pub(super) now: Timestamp,
    pub(super) resources: ResourcePolicies,
    attached: Attached,
    bounds: AllBounds,
    by_address: ByAddress,
    groups: Groups,
    accesses: Vec<OnceLock<(Arc<Access>, bool)>>,
    /// What the list of edges leaves out, once that was made.
    left_out: OnceLock<LeftOut>,
}

impl Drop for Resolver {
    /// Gives back what there is most of on all cores, as the store of policies does with documents.
    fn drop(&mut self) {
        let accesses = std::mem::take(&mut self.accesses);
        let principals = std::mem::take(&mut self.world.principals);
        let (attached, bounds) = (std::mem::take(&mut self.attached), std::mem::take(&mut self.bounds));
        rayon::join(
            || accesses.into_par_iter().with_max_len(IN_A_ROW).for_each(drop),
            || rayon::join(|| drop(principals), || drop((attached, bounds))),
        );
    }
}

impl Resolver {
    /// Takes a world whose policies are compiled.
    pub(crate) fn new(world: World, now: Timestamp) -> Self {
        let attached = Attached::of(&world);
        let (by_address, groups) = rayon::join(|| ByAddress::of(&world), || Groups::of(&world, &attached));
        Self {
            resources: ResourcePolicies::of(&world),
            attached,
            bounds: AllBounds::default(),
            by_address,
            accesses: (0..groups.first.len()).map(|_| OnceLock::new()).collect(),
            groups,
            world,
            now,
            left_out: OnceLock::new(),
        }
    }

    /// What access is resolved from.
    pub(crate) fn world(&self) -> &World {
        &self.world
    }

    /// The access and whether it is an administrator's, by the principal's place in the world.
    pub(crate) fn at(&self, index: usize) -> Option<&(Arc<Access>, bool)> {
        let group = *self.groups.group.get(index)?;
        let slot = self.accesses.get(group as usize)?;
        Some(slot.get_or_init(|| {
            let first = self.groups.first.get(group as usize).copied().unwrap_or(index);
            match self.world.principals.get_index(first) {
                Some((_, principal)) => {
                    let access = enumerate::access(self.ground(&Now(self.now)), principal);
                    let admin = admin::is_admin(&access);
                    (Arc::new(access), admin)
                }
                None => (Arc::default(), false),
            }
        }))
    }

    fn ground<'a>(&'a self, now: &'a Now) -> enumerate::Ground<'a> {
        enumerate::Ground { world: &self.world, attached: &self.attached, bounds: &self.bounds, now }
    }

    /// The group of principals of equal access.
    pub(crate) fn group(&self, index: usize) -> Option<u32> {
        self.groups.group.get(index).copied()
    }

    /// Whether there is more than one principal in a group.
    pub(crate) fn is_shared(&self, group: u32) -> bool {
        self.groups.shared.get(group as usize).copied().unwrap_or(false)
    }

    /// The access that a principal would have without its boundary.
    pub(crate) fn unbounded(&self, principal: &Principal) -> Access {
        let mut limits = enumerate::Limits::of(&self.world, principal);
        limits.boundary = None;
        enumerate::access_within(self.ground(&Now(self.now)), principal, &limits)
    }

    /// The access that a principal would have without some of its policies.
    pub(crate) fn without(&self, principal: &Principal, policies: &[PolicyIx]) -> Access {
        let mut rest = principal.clone();
        rest.identity_policies.retain(|policy| !policies.contains(policy));
        enumerate::access(self.ground(&Now(self.now)), &rest)
    }

    /// Whether a principal would be an administrator if it held everything but what its limits and the denies of some
    /// policies take away. Unknown where it depends on a condition of the denies.
    pub(crate) fn ceiling(&self, principal: &Principal, denying: &[PolicyIx]) -> Truth {
        let now = Now(self.now);
        let admin = |counted| admin::is_admin(&enumerate::ceiling(self.ground(&now), principal, denying, counted));
        if admin(Denies::All) {
            Truth::Yes
        } else if !denying.is_empty() && admin(Denies::Certain) {
            Truth::Unknown
        } else {
            Truth::No
        }
    }

    /// A verdict with its statements spelled out.
    pub(crate) fn spelled(&self, verdict: decide::Verdict) -> Decision {
        Decision {
            outcome: verdict.outcome,
            blocked_by: verdict.blocked_by.iter().map(|layer| Arc::from(*layer)).collect(),
            because: verdict.because.into_iter().map(|grant| self.world.policies.grant(grant)).collect(),
            conditions: verdict.conditions,
        }
    }

    /// A decision with the numbers of its statements.
    pub(crate) fn decide_numbers(
        &self,
        identity: &IdentityId,
        request: &Request,
    ) -> Result<(Outcome, Vec<GrantIx>), DecideError> {
        decide::decide(self, identity, request, Absent::Unknown).map(|verdict| (verdict.outcome, verdict.because))
    }

    /// What the list of edges leaves out.
    fn left_out(&self) -> &LeftOut {
        self.left_out.get_or_init(|| escalation::edges(self).left_out)
    }

    /// That steps of some identities of an account are too many to be listed.
    fn hint(&self, account: &AccountId, sources: &[(&Principal, &Arc<str>)]) -> Option<Hint> {
        let (first, unlisted) = sources.first()?;
        let policy = first.identity_policies.first();
        let evidence = policy.map_or_else(
            || Evidence::whole(Arc::clone(&account.0)),
            |policy| self.world.policies.grant(self.world.policies.grant_number(*policy, 0)).evidence,
        );
        let (count, have) = (sources.len(), if sources.len() == 1 { "identity has" } else { "identities have" });
        let message = format!(
            "{count} {have} more steps in account {} than are listed, {} among them ({}); take the technique's rights \
             away and none is left",
            account.0, first.id, unlisted
        );
        Some(Hint { evidence, message: message.into() })
    }

    /// The place of a principal in the world.
    fn place(&self, identity: &IdentityId) -> Option<usize> {
        self.by_address.find(identity).or_else(|| self.world.principals.get_index_of(identity))
    }

    fn of(&self, identity: &IdentityId) -> Option<&(Arc<Access>, bool)> {
        self.at(self.place(identity)?)
    }
}

impl AccessResolver for Resolver {
    fn catalog(&self) -> &dyn Catalog {
        Catalogue::global()
    }

    fn access_key(&self, identity: &IdentityId) -> Option<u64> {
        self.group(self.place(identity)?).map(u64::from)
    }

    fn access(&self, identity: &IdentityId) -> Option<Arc<Access>> {
        self.of(identity).map(|(access, _)| Arc::clone(access))
    }

    fn is_admin(&self, identity: &IdentityId) -> Option<bool> {
        self.of(identity).map(|(_, admin)| *admin)
    }

    fn grant(&self, grant: GrantIx) -> Grant {
        self.world.policies.grant(grant)
    }

    /// A managed policy of a group may be attached to a member, too: taking him out of the group does not take it away.
    fn links(&self, identity: &IdentityId, grant: GrantIx) -> Vec<Link> {
        let own = || {
            let (_, principal) = self.world.principals.get_index(self.place(identity)?)?;
            let (policy, _) = self.world.policies.statement_of(grant)?;
            let arn = self.world.managed_arns.get(&policy)?;
            let is_own = !principal.groups.is_empty() && principal.attached.contains(arn);
            let evidence = self.world.policies.grant(grant).evidence;
            is_own.then(|| Link { text: "its own attachment of the policy".into(), evidence })
        };
        own().into_iter().collect()
    }

    fn decide(&self, identity: &IdentityId, request: &Request) -> Result<Decision, DecideError> {
        let verdict = decide::decide(self, identity, request, Absent::Unknown)?;
        Ok(self.spelled(verdict))
    }

    fn weighs_context(&self) -> bool {
        true
    }

    fn edges(&self) -> Vec<Edge> {
        let steps = escalation::edges(self);
        // The same world gives the same steps however often it is asked.
        let _ = self.left_out.set(steps.left_out);
        steps.edges
    }

    fn edges_left_out(&self) -> Vec<Hint> {
        let mut by_account: BTreeMap<&AccountId, Vec<_>> = BTreeMap::new();
        for (at, lesser) in &self.left_out().lesser {
            if let (Some((_, principal)), Some(text)) = (self.world.principals.get_index(*at), lesser.first()) {
                by_account.entry(&principal.account).or_default().push((principal, text));
            }
        }
        by_account.into_iter().filter_map(|(account, sources)| self.hint(account, &sources)).collect()
    }

    fn unlisted(&self, identity: &IdentityId) -> Vec<Unlisted> {
        let at = self.place(identity);
        let lesser = at.and_then(|at| self.left_out().lesser.get(&at)).into_iter().flatten();
        let mut unlisted: Vec<Unlisted> = lesser.map(|text| Unlisted::Lesser(Arc::clone(text))).collect();
        unlisted.extend(self.unread(identity).into_iter().map(Unlisted::Unread));
        unlisted
    }

    fn unread(&self, identity: &IdentityId) -> Vec<Arc<Unread>> {
        let at = self.place(identity);
        let mut unread = match at.and_then(|at| Some((at, self.world.principals.get_index(at)?))) {
            Some((at, (_, principal))) => self.left_out().unread.to(at, &principal.account),
            None => Vec::new(),
        };
        unread.extend(self.world.unread.get(identity).into_iter().flatten().cloned());
        unread
    }

    fn proposer(&self) -> Option<&dyn Proposes> {
        Some(self)
    }

    fn used(&self, identity: &IdentityId) -> Option<OpSet> {
        self.world.usage.get(identity.as_str()).map(|uses| usage::used(uses, self.now))
    }
}
