//! Techniques by which a principal becomes another user or role of its account, or a role that trusts it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use evenhand_model::access::{EdgeTarget, Outcome, Request};
use evenhand_model::evidence::{Fact, Truth};
use evenhand_model::opset::OperationIx;

use super::edges::{Down, ENOUGH_TARGETS, MOST_LOOKED_AT, MOST_TARGETS};
use super::edges::{Rights, Shared, Source, can_change, customer_policies, rewriting};
use super::holds::Acting;
use super::targets::Pool;
use super::techniques::{Target, Technique};
use crate::access::is_admin;
use crate::catalog::Catalogue;
use crate::world::{AccountId, Principal};

impl<'a> Shared<'a> {
    pub(super) fn become_user(&self, technique: &'static Technique, source: &mut Source<'a>) {
        let Some(operation) = technique.operations.first() else { return };
        let pool = Pool::Users(source.principal.account.clone());
        let keys = rewriting(source.principal);
        let list = self.targets.within(&pool, source.holder.access, *operation);
        let mut down = Down::new(&list);
        let mut needed = technique.operations.clone();
        needed.extend(&technique.helpers);
        while let Some(at) = down.next() {
            let Some(user) = self.principal(at) else { continue };
            let fits = self.fits(technique.target, at, user);
            if at == source.at || fits == Truth::No {
                continue;
            }
            let rewritten = technique.target == Target::UserRewritten;
            if !rewritten && !self.gains(source.at, at) {
                continue;
            }
            let acting = Acting { keys: &keys, tags: user.tags.as_ref() };
            let Some(mut rights) = self.on(source, &needed, user.id.as_str(), &acting) else { continue };
            rights.conditional |= fits == Truth::Unknown;
            if rewritten {
                if self.conquer(source, user, technique, rights) {
                    return;
                }
                continue;
            }
            down.found(self.is_admin(at) && !rights.conditional);
            source.step(technique, EdgeTarget::Identity(user.id.clone()), rights);
        }
        source.leave_out(technique, down.left());
    }

    /// Whether a user is one on whom a technique works.
    fn fits(&self, target: Target, at: usize, user: &Principal) -> Truth {
        match target {
            Target::UserKey | Target::UserRewritten => match user.access_keys {
                Fact::Known(held) => (held < 2).into(),
                // Most users have room; without evidence it is the rule, not the exception.
                Fact::Absent | Fact::Unknown => Truth::Yes,
            },
            Target::UserKeyReplaced => match user.access_keys {
                Fact::Known(held) => (held >= 2).into(),
                Fact::Absent => Truth::No,
                Fact::Unknown => Truth::Unknown,
            },
            Target::UserPasswordNew => match user.password {
                Fact::Known(held) => (!held).into(),
                Fact::Absent => Truth::Yes,
                Fact::Unknown => Truth::Unknown,
            },
            // The key opens the models and nothing else that the user holds: whoever could do more would be overstated.
            Target::UserServiceKey => {
                let Some((access, admin)) = self.resolver.at(at) else { return Truth::No };
                let operations = access.operations();
                let bearer = Catalogue::global().operation("bedrock:CallWithBearerToken");
                (!admin && bearer.is_some_and(|held| operations.contains(held)) && !operations.intersects(&self.all))
                    .into()
            }
            _ => match user.password {
                Fact::Known(held) => held.into(),
                Fact::Absent => Truth::No,
                Fact::Unknown => Truth::Unknown,
            },
        }
    }

    pub(super) fn rewrite_role(&self, technique: &'static Technique, source: &mut Source<'a>) {
        let on_role: Vec<OperationIx> =
            technique.operations.iter().copied().filter(|held| Some(*held) != self.create_version).collect();
        let Some(operation) = on_role.first() else { return };
        let pool = Pool::Roles(source.principal.account.clone());
        let keys = rewriting(source.principal);
        let list = self.targets.within(&pool, source.holder.access, *operation);
        let mut down = Down::new(&list);
        while let Some(at) = down.next() {
            let Some(role) = self.principal(at) else { continue };
            if at == source.at || !can_change(role) {
                continue;
            }
            let acting = Acting { keys: &keys, tags: role.tags.as_ref() };
            if technique.target == Target::RoleTrust && !self.gains(source.at, at) {
                continue;
            }
            let Some(mut rights) = self.on(source, &on_role, role.id.as_str(), &acting) else { continue };
            if technique.target == Target::RolePolicyRewritten && !self.policy_of(source, role, &mut rights) {
                continue;
            }
            if technique.target == Target::RoleTrust {
                down.found(self.is_admin(at) && !rights.conditional);
                source.step(technique, EdgeTarget::Identity(role.id.clone()), rights);
            } else if self.conquer(source, role, technique, rights) {
                return;
            }
        }
        source.leave_out(technique, down.left());
    }

    /// Adds the right to rewrite some customer-managed policy of a role.
    fn policy_of(&self, source: &Source<'a>, role: &Principal, rights: &mut Rights) -> bool {
        let keys = rewriting(source.principal);
        let acting = Acting { keys: &keys, tags: None };
        let found =
            customer_policies(role).filter_map(|policy| source.holder.on(self.create_version?, policy, &acting)).min();
        found.is_some_and(|right| {
            rights.add(right);
            true
        })
    }

    pub(super) fn widen_assumable(&self, technique: &'static Technique, source: &mut Source<'a>) {
        let on_role: Vec<OperationIx> = technique
            .operations
            .iter()
            .copied()
            .filter(|held| Some(*held) != self.create_version && Some(*held) != self.assume_role)
            .collect();
        let keys = rewriting(source.principal);
        let mut conquests = Vec::new();
        self.settle_assumable(technique, source);
        for (at, assuming) in source.assumable.get().into_iter().flatten() {
            let Some(role) = self.principal(*at) else { continue };
            // Policies are rewritten at home only.
            if role.account != source.principal.account || !can_change(role) {
                continue;
            }
            let acting = Acting { keys: &keys, tags: role.tags.as_ref() };
            let Some(mut rights) = self.on(source, &on_role, role.id.as_str(), &acting) else { continue };
            rights.join(assuming);
            match technique.target {
                Target::AssumableRolePolicyRewritten if !self.policy_of(source, role, &mut rights) => continue,
                Target::AssumableBoundedRole
                    if role.boundary.value().is_none() || !is_admin(&self.resolver.unbounded(role)) =>
                {
                    continue;
                }
                _ => {}
            }
            conquests.push((role, rights));
        }
        for (role, rights) in conquests {
            if technique.target == Target::AssumableBoundedRole {
                source.step_to_admin(technique, role, rights);
            } else {
                self.conquer(source, role, technique, rights);
            }
        }
    }

    pub(super) fn assume(&self, technique: &'static Technique, source: &mut Source<'a>) {
        self.settle_assumable(technique, source);
        let found: Vec<(EdgeTarget, Rights)> = source
            .assumable
            .get()
            .into_iter()
            .flatten()
            .filter_map(|(at, rights)| Some((EdgeTarget::Identity(self.principal(*at)?.id.clone()), rights.clone())))
            .collect();
        for (target, rights) in found {
            source.step(technique, target, rights);
        }
    }

    /// Finds the roles that the source can assume, once.
    fn settle_assumable(&self, technique: &'static Technique, source: &mut Source<'a>) {
        if source.assumable.get().is_none() {
            let (found, left) = self.find_assumable(source);
            source.leave_out(technique, left);
            let _ = source.assumable.set(found);
        }
    }

    /// Roles that the source can assume, strongest first: both sides decided, conditions included. And how many may be
    /// missing.
    fn find_assumable(&self, source: &Source<'a>) -> (Vec<(usize, Rights)>, usize) {
        let mut candidates: Vec<usize> = self.targets.naming(source.at, source.principal);
        let account = Arc::clone(&source.principal.account.0);
        // Whoever controls its account gains nothing in it.
        let elsewhere = |at: &usize| self.principal(*at).is_some_and(|role| role.account != source.principal.account);
        let trusting = if source.admin { Pool::TrustingFromOutside(account) } else { Pool::TrustingAccount(account) };
        let mut lists = vec![self.targets.pool(&Pool::TrustingAnyone)];
        let assume = self.assume_role.filter(|assume| source.holder.operations.contains(*assume));
        lists.extend(assume.map(|assume| self.targets.within(&trusting, source.holder.access, assume)));
        // One list is in order already.
        let mixed = lists.iter().filter(|list| !list.is_empty()).count() + usize::from(!candidates.is_empty()) > 1
            || candidates.len() > 1;
        let mut left = 0;
        for list in lists {
            candidates.extend(list.iter().take(MOST_LOOKED_AT));
            left += list.len().saturating_sub(MOST_LOOKED_AT);
        }
        candidates.retain(|at| *at != source.at && (!source.admin || elsewhere(at)));
        if mixed {
            candidates.sort_by_key(|at| self.targets.rank(*at));
            candidates.dedup();
        }
        let mut found: Vec<(usize, Rights)> = Vec::new();
        let mut conquered: BTreeSet<&AccountId> = BTreeSet::new();
        let mut looked_at = 0;
        for at in candidates {
            let Some(role) = self.principal(at) else { continue };
            // Whoever controls an account need not be listed as assuming its lesser roles.
            let full = found.len() >= MOST_TARGETS || looked_at >= MOST_LOOKED_AT;
            if full || (found.len() >= ENOUGH_TARGETS && conquered.contains(&role.account)) {
                left += 1;
                continue;
            }
            looked_at += 1;
            let request = Request {
                identity: source.principal.id.as_str().to_owned(),
                operation: "sts:AssumeRole".to_owned(),
                resource: Some(role.id.as_str().to_owned()),
                context: BTreeMap::new(),
            };
            let Ok((outcome, grants)) = self.resolver.decide_numbers(&source.principal.id, &request) else { continue };
            let conditional = match outcome {
                Outcome::Allowed => false,
                Outcome::Conditional => true,
                // Granted, but a limit was not read.
                Outcome::Unknown if !grants.is_empty() => true,
                Outcome::ImplicitlyDenied | Outcome::ExplicitlyDenied | Outcome::Unknown => continue,
            };
            if !conditional && self.is_admin(at) {
                conquered.insert(&role.account);
            }
            found.push((at, Rights { conditional, grants }));
        }
        (found, left)
    }
}
