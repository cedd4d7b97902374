//! Techniques by which a principal widens its own access: it rewrites a policy that reaches it, or takes away what limits
//! it.

use std::collections::BTreeSet;

use evenhand_model::access::EdgeTarget;
use evenhand_model::catalog::Catalog;
use evenhand_model::evidence::Truth;

use super::edges::{Down, Rights, Shared, Source, can_change, customer_policies, rewriting};
use super::holds::Acting;
use super::targets::Pool;
use super::techniques::{Target, Technique};
use crate::access::is_admin;
use crate::catalog::Catalogue;
use crate::policy::Effect;
use crate::world::{PolicyIx, PrincipalKind};

impl<'a> Shared<'a> {
    pub(super) fn rewrite_self(&self, technique: &'static Technique, source: &mut Source<'a>) {
        let kind = if technique.target == Target::OwnUser { PrincipalKind::User } else { PrincipalKind::Role };
        if source.principal.kind != kind || !can_change(source.principal) {
            return;
        }
        let keys = rewriting(source.principal);
        let acting = Acting { keys: &keys, tags: source.principal.tags.as_ref() };
        if let Some(rights) = self.on(source, &technique.operations, source.principal.id.as_str(), &acting) {
            self.conquer(source, source.principal, technique, rights);
        }
    }

    pub(super) fn rewrite_group(&self, technique: &'static Technique, source: &mut Source<'a>) {
        let keys = rewriting(source.principal);
        let acting = Acting { keys: &keys, tags: None };
        let found = source
            .principal
            .groups
            .iter()
            .filter_map(|group| self.on(source, &technique.operations, group.as_str(), &acting))
            .min();
        if let Some(rights) = found {
            self.conquer(source, source.principal, technique, rights);
        }
    }

    pub(super) fn join_group(&self, technique: &'static Technique, source: &mut Source<'a>) {
        if source.principal.kind != PrincipalKind::User {
            return;
        }
        let Some(operation) = technique.operations.first() else { return };
        // What a group gives is limited by its member's boundary, and by what its other policies deny.
        let denying = self.denying(source.principal, |_| false);
        let limited = source.principal.boundary != evenhand_model::evidence::Fact::Absent || !denying.is_empty();
        let bounded = limited && self.ceiling(source.principal, &denying) != Truth::Yes;
        let keys = rewriting(source.principal);
        let acting = Acting { keys: &keys, tags: None };
        let pool = Pool::Groups(source.principal.account.clone());
        let list = self.targets.within(&pool, source.holder.access, *operation);
        let mut down = Down::new(&list);
        while let Some(at) = down.next() {
            let Some(group) = self.principal(at) else { continue };
            if source.principal.groups.contains(&group.id) || !self.gains(source.at, at) {
                continue;
            }
            let Some(mut rights) = self.on(source, &technique.operations, group.id.as_str(), &acting) else { continue };
            rights.conditional |= bounded;
            down.found(self.is_admin(at) && !rights.conditional);
            source.step(technique, EdgeTarget::Identity(group.id.clone()), rights);
        }
        source.leave_out(technique, down.left());
    }

    pub(super) fn rewrite_policy(&self, technique: &'static Technique, source: &mut Source<'a>) {
        let keys = rewriting(source.principal);
        let acting = Acting { keys: &keys, tags: None };
        let found = customer_policies(source.principal)
            .filter_map(|policy| self.on(source, &technique.operations, policy, &acting))
            .min();
        if let Some(rights) = found {
            self.conquer(source, source.principal, technique, rights);
        }
    }

    pub(super) fn drop_boundary(&self, technique: &'static Technique, source: &mut Source<'a>) {
        if source.principal.boundary.value().is_none() || !can_change(source.principal) {
            return;
        }
        let keys = rewriting(source.principal);
        let acting = Acting { keys: &keys, tags: source.principal.tags.as_ref() };
        let Some(rights) = self.on(source, &technique.operations, source.principal.id.as_str(), &acting) else {
            return;
        };
        if is_admin(&self.resolver.unbounded(source.principal)) {
            source.step_to_admin(technique, source.principal, rights);
        }
    }

    /// Takes away policies that deny, where nothing else keeps the caller from being an administrator.
    pub(super) fn drop_deny(&self, technique: &'static Technique, source: &mut Source<'a>) {
        let world = self.resolver.world();
        let principal = source.principal;
        let Some(operation) = technique.operations.first() else { return };
        let action = Catalogue::global().name(*operation);
        let denies = |policy: &PolicyIx| {
            world.policies.compiled(*policy).statements.iter().any(|statement| statement.effect == Effect::Deny)
        };
        if !principal.identity_policies.iter().any(denies) || !can_change(principal) {
            return;
        }
        let groups: Vec<_> = principal.groups.iter().filter_map(|group| world.principals.get(group)).collect();
        let shared: BTreeSet<PolicyIx> =
            groups.iter().flat_map(|group| group.identity_policies.iter().copied()).collect();
        let managed = |policy: &PolicyIx| world.managed.binary_search(policy).is_ok();
        // Which managed policy is detached is not what a rewriting attaches.
        let keys = [("aws:resourceaccount", &*principal.account.0)];
        let acting = Acting { keys: &keys, tags: principal.tags.as_ref() };
        let on_group = |group: &str| self.on(source, &technique.operations, group, &acting);
        let on_self = || self.on(source, &technique.operations, principal.id.as_str(), &acting);
        let own = || principal.identity_policies.iter().filter(|policy| !shared.contains(*policy));
        let user = principal.kind == PrincipalKind::User;
        let mut gone: Vec<PolicyIx> = Vec::new();
        let mut rights = Rights::default();
        match &*action {
            "iam:DeleteUserPolicy" | "iam:DeleteRolePolicy" | "iam:DetachUserPolicy" | "iam:DetachRolePolicy" => {
                let detaches = action.starts_with("iam:Detach");
                let Some(held) = on_self().filter(|_| action.contains("User") == user) else { return };
                gone.extend(own().filter(|policy| denies(policy) && managed(policy) == detaches));
                rights.join(&held);
            }
            _ => {
                for group in &groups {
                    let policies = group.identity_policies.iter();
                    let of_group: Vec<PolicyIx> = match &*action {
                        "iam:RemoveUserFromGroup" if policies.clone().any(denies) => policies.copied().collect(),
                        "iam:DeleteGroupPolicy" => {
                            policies.copied().filter(|one| denies(one) && !managed(one)).collect()
                        }
                        "iam:DetachGroupPolicy" => {
                            policies.copied().filter(|one| denies(one) && managed(one)).collect()
                        }
                        _ => Vec::new(),
                    };
                    if of_group.is_empty() {
                        continue;
                    }
                    if let Some(held) = on_group(group.id.as_str()) {
                        gone.extend(of_group);
                        rights.join(&held);
                    }
                }
            }
        }
        if !gone.is_empty() && is_admin(&self.resolver.without(principal, &gone)) {
            source.step_to_admin(technique, principal, rights);
        }
    }

    pub(super) fn permission_set(&self, technique: &'static Technique, source: &mut Source<'a>) {
        let from_center = source.principal.kind == PrincipalKind::PermissionSet
            || source.principal.name.starts_with("AWSReservedSSO_");
        if technique.target == Target::OwnPermissionSet && !from_center {
            return;
        }
        let keys = rewriting(source.principal);
        let acting = Acting { keys: &keys, tags: None };
        let mut rights = Rights::default();
        for operation in &technique.operations {
            let Some(right) = source.holder.anywhere(*operation, &acting) else { return };
            rights.add(right);
        }
        source.step_to_admin(technique, source.principal, rights);
    }
}
