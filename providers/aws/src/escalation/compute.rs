//! Techniques by which a principal runs something as a role: it passes the role to a service, or takes over what runs
//! with the role already.

use std::sync::Arc;

use evenhand_model::access::EdgeTarget;
use evenhand_model::catalog::AccessLevel;
use evenhand_model::evidence::Truth;

use super::carriers::names;
use super::edges::{Down, Rights, Shared, Source};
use super::holds::{Acting, Place};
use super::targets::{Pool, trusts};
use super::techniques::Technique;
use crate::access::floor;
use crate::policy::arn;

impl<'a> Shared<'a> {
    /// Roles are passed at home only, so every other action of the technique must reach something at home too.
    pub(super) fn pass_role(&self, technique: &'static Technique, source: &mut Source<'a>) {
        let Some(pass) = self.pass_role else { return };
        let account = &source.principal.account;
        let place = Place { account: &account.0, region: None };
        let existing = technique.target.is_existing();
        for service in &technique.services {
            let pool = Pool::Trusting(account.clone(), Arc::from(*service));
            let roles = self.targets.within(&pool, source.holder.access, pass);
            if roles.is_empty() {
                continue;
            }
            let keys = [("iam:passedtoservice", *service), ("aws:resourceaccount", &*account.0)];
            let acting = Acting { keys: &keys, tags: None };
            let others = technique.operations.iter().chain(&technique.helpers).copied().filter(|other| *other != pass);
            let Some(mut base) = self.within(source, others, place, &acting) else { return };
            // That there is none in the capture does not say that there is none.
            base.conditional |= existing && self.carriers.within(account, technique, source.holder.access).is_empty();
            let needs_profile = *service == "ec2.amazonaws.com" && !technique.target.makes_profile();
            let mut down = Down::new(&roles);
            while let Some(at) = down.next() {
                let Some(role) = self.principal(at) else { continue };
                if at == source.at
                    || role.service_linked
                    || (needs_profile && role.instance_profiles.is_empty())
                    || floor("iam:PassRole", AccessLevel::Write, role.id.as_str()) == Truth::No
                    || !self.gains(source.at, at)
                {
                    continue;
                }
                let Some(trusted) = trusts(self.resolver.world(), role, service) else { continue };
                let acting = Acting { keys: &keys, tags: role.tags.as_ref() };
                let Some(right) = source.holder.on(pass, role.id.as_str(), &acting) else { continue };
                let mut rights = base.clone();
                rights.add(right);
                rights.add(trusted);
                down.found(self.is_admin(at) && !rights.conditional);
                source.step(technique, EdgeTarget::Identity(role.id.clone()), rights);
            }
            source.leave_out(technique, down.left());
        }
    }

    pub(super) fn take_over(&self, technique: &'static Technique, source: &mut Source<'a>) {
        let world = self.resolver.world();
        let account = &source.principal.account;
        let list = self.carriers.within(account, technique, source.holder.access);
        let keys = [("aws:resourceaccount", &*account.0)];
        let acting = Acting { keys: &keys, tags: None };
        let mut down = Down::new(&list);
        while let Some(number) = down.next() {
            let Some(carrier) = self.carriers.get(number) else { continue };
            let (Some(segments), Some((at, _, role))) =
                (arn::split(&carrier.arn), world.principals.get_full(&carrier.role))
            else {
                continue;
            };
            if at == source.at || !self.gains(source.at, at) {
                continue;
            }
            // An action that can name the carrier must reach it; others must reach something beside it.
            let place = Place { account: &account.0, region: Some(segments[3]).filter(|region| !region.is_empty()) };
            let mut rights = Rights::default();
            let all = technique.operations.iter().chain(&technique.helpers).copied().all(|operation| {
                let right = if names(operation, &segments) {
                    source.holder.on(operation, &carrier.arn, &acting)
                } else {
                    source.holder.within(operation, place, &acting)
                };
                right.is_some_and(|right| {
                    rights.add(right);
                    true
                })
            });
            if !all {
                continue;
            }
            rights.conditional |= !self.serves(at, technique);
            down.found(self.is_admin(at) && !rights.conditional);
            source.step(technique, EdgeTarget::Identity(role.id.clone()), rights);
        }
        source.leave_out(technique, down.left());
    }

    /// Whether a role may do what its resource must do to be reached, such as calling in at Systems Manager.
    fn serves(&self, role: usize, technique: &Technique) -> bool {
        technique.role_needs.is_empty()
            || self.resolver.at(role).is_some_and(|(access, _)| {
                technique
                    .role_needs
                    .iter()
                    .all(|needed| access.slices().iter().any(|slice| slice.operations.contains(*needed)))
            })
    }
}
