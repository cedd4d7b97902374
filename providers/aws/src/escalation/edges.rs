//! Edges: which principal can get at what more access, and by which technique.

use std::cell::OnceCell;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};

use evenhand_model::access::{Edge, EdgeTarget, GrantIx, Outcome, Request};
use evenhand_model::catalog::AccessLevel;
use evenhand_model::evidence::{Fact, Truth};
use evenhand_model::id::ScopeId;
use evenhand_model::opset::{OpSet, OperationIx};
use rayon::prelude::*;

use super::holds::{Acting, Holder, Right};
use super::targets::{Pool, Targets};
use super::techniques::{self, Target, Technique};
use crate::access::{Resolver, floor, is_admin};
use crate::catalog::Catalogue;
use crate::policy::arn;
use crate::world::{AccountId, PolicyIx, Principal, PrincipalKind};

/// The policy that an escalation would attach, which conditions on `iam:PolicyARN` and boundaries are held against.
const WIDEST: &str = "arn:aws:iam::aws:policy/AdministratorAccess";

/// Targets of one technique that one source leads to, at most; the most powerful come first. Whoever reaches an
/// administrator is not listed as reaching lesser principals of that account as well.
const MOST_TARGETS: usize = 64;

/// Once a source has so many targets of a technique and an administrator is among them, no lesser ones are looked for.
const ENOUGH_TARGETS: usize = 8;

/// Slices that are compared to tell whether a target holds more than a source.
const MOST_COMPARED: usize = 64;

/// Every edge, sorted by source, target and technique.
pub(crate) fn edges(resolver: &Resolver) -> Vec<Edge> {
    let world = resolver.world();
    // All access is needed anyway: to rank targets and to leave out administrators as sources.
    (0..world.principals.len()).into_par_iter().for_each(|at| {
        resolver.at(at);
    });
    let targets = Targets::of(resolver);
    let mut carriers: BTreeMap<&AccountId, Vec<usize>> = BTreeMap::new();
    for (at, carrier) in world.carriers.iter().enumerate() {
        if let Some(role) = world.principals.get(&carrier.role) {
            carriers.entry(&role.account).or_default().push(at);
        }
    }
    let shared = Shared {
        resolver,
        targets,
        carriers,
        all: techniques::operations(),
        ceilings: Mutex::default(),
        pass_role: Catalogue::global().operation("iam:PassRole"),
        assume_role: Catalogue::global().operation("sts:AssumeRole"),
    };
    let mut edges: Vec<Edge> =
        (0..world.principals.len()).into_par_iter().flat_map_iter(|at| shared.from(at)).collect();
    edges.sort_by(|a, b| (&a.source, &a.target, &a.technique).cmp(&(&b.source, &b.target, &b.technique)));
    edges
}

struct Shared<'a> {
    resolver: &'a Resolver,
    targets: Targets<'a>,
    carriers: BTreeMap<&'a AccountId, Vec<usize>>,
    /// Every action of every technique.
    all: OpSet,
    /// Whether a principal with all rights would be an administrator under its limits.
    ceilings: Mutex<HashMap<(AccountId, Fact<PolicyIx>), bool>>,
    pass_role: Option<OperationIx>,
    assume_role: Option<OperationIx>,
}

/// A principal that may escalate.
struct Source<'a> {
    at: usize,
    principal: &'a Principal,
    holder: Holder<'a>,
    /// Roles that it can assume, with the statements that allow it.
    assumable: OnceCell<Vec<(usize, bool, Vec<GrantIx>)>>,
    edges: Vec<(EdgeTarget, &'static str, bool, Vec<GrantIx>)>,
}

impl<'a> Shared<'a> {
    fn from(&self, at: usize) -> Vec<Edge> {
        let world = self.resolver.world();
        let Some((id, principal)) = world.principals.get_index(at) else { return Vec::new() };
        if !matches!(principal.kind, PrincipalKind::User | PrincipalKind::Role | PrincipalKind::PermissionSet) {
            return Vec::new();
        }
        let Some((access, admin)) = self.resolver.at(at) else { return Vec::new() };
        if *admin {
            return Vec::new();
        }
        let holder = Holder::new(access);
        if !holder.operations.intersects(&self.all) && self.targets.naming(principal).is_empty() {
            return Vec::new();
        }
        let mut source = Source { at, principal, holder, assumable: OnceCell::new(), edges: Vec::new() };
        for technique in techniques::all() {
            self.apply(technique, &mut source);
        }
        self.pruned(&source)
            .into_iter()
            .map(|(target, technique, conditional, grants)| Edge {
                source: id.clone(),
                target,
                technique: Arc::from(technique),
                escalation: technique != "assume-role",
                conditional,
                grants: grants.into_iter().map(|grant| world.policies.grant(grant)).collect(),
            })
            .collect()
    }

    /// One edge for each target and technique; none to lesser principals of an account that is conquered anyway.
    fn pruned(&self, source: &Source<'a>) -> Vec<(EdgeTarget, &'static str, bool, Vec<GrantIx>)> {
        let mut best: BTreeMap<(&EdgeTarget, &'static str), (bool, &Vec<GrantIx>)> = BTreeMap::new();
        for (target, technique, conditional, grants) in &source.edges {
            let held = best.entry((target, technique)).or_insert((*conditional, grants));
            if held.0 && !conditional {
                *held = (*conditional, grants);
            }
        }
        best.into_iter()
            .map(|((target, technique), (conditional, grants))| {
                let mut grants = grants.clone();
                grants.sort_unstable();
                grants.dedup();
                (target.clone(), technique, conditional, grants)
            })
            .collect()
    }

    fn principal(&self, at: usize) -> Option<&'a Principal> {
        self.resolver.world().principals.get_index(at).map(|(_, principal)| principal)
    }

    fn is_admin(&self, at: usize) -> bool {
        self.resolver.at(at).is_some_and(|(_, admin)| *admin)
    }

    fn apply(&self, technique: &'static Technique, source: &mut Source<'a>) {
        let needed = technique.operations.iter().chain(&technique.helpers);
        let assume = Some(self.assume_role).flatten();
        let mut others = needed.filter(|operation| Some(**operation) != assume);
        if !others.all(|operation| source.holder.operations.contains(*operation)) {
            return;
        }
        match technique.target {
            Target::AssumableRole => self.assume(technique, source),
            Target::OwnUser | Target::OwnRole => self.rewrite_self(technique, source),
            Target::OwnGroup => self.rewrite_group(technique, source),
            Target::GroupJoined => self.join_group(technique, source),
            Target::OwnPolicy | Target::OwnPolicyVersion => self.rewrite_policy(technique, source),
            Target::OwnBoundary => self.drop_boundary(technique, source),
            Target::OwnPermissionSet | Target::AnyAccount => self.permission_set(technique, source),
            Target::UserKey
            | Target::UserKeyReplaced
            | Target::UserPasswordNew
            | Target::UserPassword
            | Target::UserRewritten => self.become_user(technique, source),
            Target::RoleTrust | Target::RoleRewritten | Target::RolePolicyRewritten => {
                self.rewrite_role(technique, source);
            }
            Target::AssumableRoleRewritten | Target::AssumableRolePolicyRewritten | Target::AssumableBoundedRole => {
                self.widen_assumable(technique, source)
            }
            Target::PassedRole | Target::PassedRoleNewProfile | Target::PassedRoleExisting => {
                self.pass_role(technique, source);
            }
            Target::Carrier => self.take_over(technique, source),
        }
    }

    /// All rights on one named thing.
    fn on(&self, source: &Source<'a>, operations: &[OperationIx], name: &str, acting: &Acting<'_>) -> Option<Rights> {
        let mut rights = Rights::default();
        for operation in operations {
            rights.add(source.holder.on(*operation, name, acting)?);
        }
        Some(rights)
    }

    fn anywhere(
        &self,
        source: &Source<'a>,
        operations: impl IntoIterator<Item = OperationIx>,
        acting: &Acting<'_>,
        rights: &mut Rights,
    ) -> bool {
        operations.into_iter().all(|operation| match source.holder.anywhere(operation, acting) {
            Some(right) => {
                rights.add(right);
                true
            }
            None => false,
        })
    }

    /// Whether a principal with all rights would be an administrator: its boundary and organisation do not hold it back.
    fn ceiling(&self, principal: &Principal) -> bool {
        let key = (principal.account.clone(), principal.boundary);
        if let Ok(held) = self.ceilings.lock()
            && let Some(open) = held.get(&key)
        {
            return *open;
        }
        let open = is_admin(&self.resolver.ceiling(principal));
        if let Ok(mut held) = self.ceilings.lock() {
            held.insert(key, open);
        }
        open
    }

    fn conquer(&self, source: &mut Source<'a>, through: &Principal, technique: &'static Technique, rights: Rights) {
        if !self.ceiling(through) {
            return;
        }
        // A boundary that was not read may hold it back.
        let conditional = rights.conditional || through.boundary == Fact::Unknown;
        let target = EdgeTarget::Admin(ScopeId::new(Arc::clone(&through.account.0)));
        source.edges.push((target, technique.id, conditional, rights.grants));
    }

    fn rewrite_self(&self, technique: &'static Technique, source: &mut Source<'a>) {
        let kind = if technique.target == Target::OwnUser { PrincipalKind::User } else { PrincipalKind::Role };
        if source.principal.kind != kind || !can_change(source.principal) {
            return;
        }
        let acting = Acting { keys: &KEYS, tags: source.principal.tags.as_ref() };
        if let Some(rights) = self.on(source, &technique.operations, source.principal.id.as_str(), &acting) {
            self.conquer(source, source.principal, technique, rights);
        }
    }

    fn rewrite_group(&self, technique: &'static Technique, source: &mut Source<'a>) {
        let acting = Acting { keys: &KEYS, tags: None };
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

    fn join_group(&self, technique: &'static Technique, source: &mut Source<'a>) {
        if source.principal.kind != PrincipalKind::User {
            return;
        }
        let Some(operation) = technique.operations.first() else { return };
        let acting = Acting { keys: &KEYS, tags: None };
        let pool = Pool::Groups(source.principal.account.clone());
        for at in self.targets.within(&pool, source.holder.access, *operation).iter().take(MOST_TARGETS) {
            let Some(group) = self.principal(*at) else { continue };
            if source.principal.groups.contains(&group.id) || !self.gains(source.at, *at) {
                continue;
            }
            if let Some(rights) = self.on(source, &technique.operations, group.id.as_str(), &acting) {
                source.edges.push((
                    EdgeTarget::Identity(group.id.clone()),
                    technique.id,
                    rights.conditional,
                    rights.grants,
                ));
            }
        }
    }

    fn rewrite_policy(&self, technique: &'static Technique, source: &mut Source<'a>) {
        let acting = Acting { keys: &KEYS, tags: None };
        let found = customer_policies(source.principal)
            .filter_map(|policy| self.on(source, &technique.operations, policy, &acting))
            .min();
        if let Some(mut rights) = found {
            // That an older version is wider is not in the capture.
            rights.conditional |= technique.target == Target::OwnPolicyVersion;
            self.conquer(source, source.principal, technique, rights);
        }
    }

    fn drop_boundary(&self, technique: &'static Technique, source: &mut Source<'a>) {
        if source.principal.boundary.value().is_none() || !can_change(source.principal) {
            return;
        }
        let acting = Acting { keys: &KEYS, tags: source.principal.tags.as_ref() };
        let Some(rights) = self.on(source, &technique.operations, source.principal.id.as_str(), &acting) else {
            return;
        };
        if is_admin(&self.resolver.unbounded(source.principal)) {
            let target = EdgeTarget::Admin(ScopeId::new(Arc::clone(&source.principal.account.0)));
            source.edges.push((target, technique.id, rights.conditional, rights.grants));
        }
    }

    fn permission_set(&self, technique: &'static Technique, source: &mut Source<'a>) {
        let from_center = source.principal.kind == PrincipalKind::PermissionSet
            || source.principal.name.starts_with("AWSReservedSSO_");
        if technique.target == Target::OwnPermissionSet && !from_center {
            return;
        }
        let acting = Acting { keys: &KEYS, tags: None };
        let mut rights = Rights::default();
        if self.anywhere(source, technique.operations.iter().copied(), &acting, &mut rights) {
            // Which account rules Identity Center, and whether the set in reach is the caller's, is not decided here.
            rights.conditional = true;
            let target = EdgeTarget::Admin(ScopeId::new(Arc::clone(&source.principal.account.0)));
            source.edges.push((target, technique.id, rights.conditional, rights.grants));
        }
    }

    fn become_user(&self, technique: &'static Technique, source: &mut Source<'a>) {
        let Some(operation) = technique.operations.first() else { return };
        let pool = Pool::Users(source.principal.account.clone());
        let mut found = 0;
        for at in self.targets.within(&pool, source.holder.access, *operation).iter() {
            let Some(user) = self.principal(*at) else { continue };
            if *at == source.at {
                continue;
            }
            let (fits, unsure) = match technique.target {
                Target::UserKey | Target::UserRewritten => match user.access_keys {
                    Fact::Known(held) => (held < 2, false),
                    Fact::Absent => (true, false),
                    // Most users have room; without evidence it is the rule, not the exception.
                    Fact::Unknown => (true, false),
                },
                Target::UserKeyReplaced => match user.access_keys {
                    Fact::Known(held) => (held >= 2, false),
                    Fact::Absent => (false, false),
                    Fact::Unknown => (true, true),
                },
                Target::UserPasswordNew => match user.password {
                    Fact::Known(held) => (!held, false),
                    Fact::Absent => (true, false),
                    Fact::Unknown => (true, true),
                },
                _ => match user.password {
                    Fact::Known(held) => (held, false),
                    Fact::Absent => (false, false),
                    Fact::Unknown => (true, true),
                },
            };
            if !fits {
                continue;
            }
            let rewritten = technique.target == Target::UserRewritten;
            if !rewritten && !self.gains(source.at, *at) {
                continue;
            }
            let acting = Acting { keys: &KEYS, tags: user.tags.as_ref() };
            let mut needed = technique.operations.clone();
            needed.extend(&technique.helpers);
            let Some(mut rights) = self.on(source, &needed, user.id.as_str(), &acting) else { continue };
            rights.conditional |= unsure;
            if rewritten {
                self.conquer(source, user, technique, rights);
                break;
            }
            source.edges.push((EdgeTarget::Identity(user.id.clone()), technique.id, rights.conditional, rights.grants));
            found += 1;
            if found >= MOST_TARGETS {
                break;
            }
        }
    }

    fn rewrite_role(&self, technique: &'static Technique, source: &mut Source<'a>) {
        let catalogue = Catalogue::global();
        let on_policy = catalogue.operation("iam:CreatePolicyVersion");
        let on_role: Vec<OperationIx> =
            technique.operations.iter().copied().filter(|operation| Some(*operation) != on_policy).collect();
        let Some(operation) = on_role.first() else { return };
        let pool = Pool::Roles(source.principal.account.clone());
        let mut found = 0;
        for at in self.targets.within(&pool, source.holder.access, *operation).iter() {
            let Some(role) = self.principal(*at) else { continue };
            if *at == source.at || !can_change(role) {
                continue;
            }
            let acting = Acting { keys: &KEYS, tags: role.tags.as_ref() };
            if technique.target == Target::RoleTrust && !self.gains(source.at, *at) {
                continue;
            }
            let Some(mut rights) = self.on(source, &on_role, role.id.as_str(), &acting) else { continue };
            if technique.target == Target::RolePolicyRewritten && !self.policy_of(source, role, on_policy, &mut rights)
            {
                continue;
            }
            if technique.target != Target::RoleTrust {
                self.conquer(source, role, technique, rights);
                found += 1;
                if found >= 4 {
                    break;
                }
                continue;
            }
            source.edges.push((EdgeTarget::Identity(role.id.clone()), technique.id, rights.conditional, rights.grants));
            found += 1;
            if found >= MOST_TARGETS {
                break;
            }
        }
    }

    /// Adds the right to rewrite some customer-managed policy of a role.
    fn policy_of(
        &self,
        source: &Source<'a>,
        role: &Principal,
        operation: Option<OperationIx>,
        rights: &mut Rights,
    ) -> bool {
        let acting = Acting { keys: &KEYS, tags: None };
        let found = customer_policies(role).filter_map(|policy| source.holder.on(operation?, policy, &acting)).min();
        found.is_some_and(|right| {
            rights.add(right);
            true
        })
    }

    fn widen_assumable(&self, technique: &'static Technique, source: &mut Source<'a>) {
        let on_policy = Catalogue::global().operation("iam:CreatePolicyVersion");
        let on_role: Vec<OperationIx> = technique
            .operations
            .iter()
            .copied()
            .filter(|operation| Some(*operation) != on_policy && Some(*operation) != self.assume_role)
            .collect();
        let mut conquests = Vec::new();
        for (at, conditional, grants) in self.assumable(source) {
            let Some(role) = self.principal(*at) else { continue };
            // Policies are rewritten at home only.
            if role.account != source.principal.account || !can_change(role) {
                continue;
            }
            let acting = Acting { keys: &KEYS, tags: role.tags.as_ref() };
            let Some(mut rights) = self.on(source, &on_role, role.id.as_str(), &acting) else { continue };
            rights.conditional |= *conditional;
            rights.grants.extend(grants);
            match technique.target {
                Target::AssumableRolePolicyRewritten if !self.policy_of(source, role, on_policy, &mut rights) => {
                    continue;
                }
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
                let target = EdgeTarget::Admin(ScopeId::new(Arc::clone(&role.account.0)));
                source.edges.push((target, technique.id, rights.conditional, rights.grants));
            } else {
                self.conquer(source, role, technique, rights);
            }
        }
    }

    fn assume(&self, technique: &'static Technique, source: &mut Source<'a>) {
        let mut found = Vec::new();
        for (at, conditional, grants) in self.assumable(source) {
            if let Some(role) = self.principal(*at) {
                found.push((EdgeTarget::Identity(role.id.clone()), technique.id, *conditional, grants.clone()));
            }
        }
        source.edges.extend(found);
    }

    /// Roles that the source can assume: both sides decided, conditions included.
    fn assumable<'s>(&self, source: &'s Source<'a>) -> &'s [(usize, bool, Vec<GrantIx>)] {
        source.assumable.get_or_init(|| {
            let mut candidates: Vec<usize> = self.targets.naming(source.principal);
            if let Some(operation) = self.assume_role {
                for pool in [Pool::TrustingAccount(Arc::clone(&source.principal.account.0)), Pool::TrustingAnyone] {
                    let within = self.targets.within(&pool, source.holder.access, operation);
                    candidates.extend(within.iter().take(MOST_TARGETS));
                }
                candidates.extend(self.targets.pool(&Pool::TrustingAnyone).iter().take(MOST_TARGETS));
            }
            let mut seen = std::collections::BTreeSet::new();
            candidates.retain(|at| *at != source.at && seen.insert(*at));
            let (mut found, mut conquered) = (Vec::new(), false);
            for at in candidates {
                let Some(role) = self.principal(at) else { continue };
                let request = Request {
                    identity: source.principal.id.as_str().to_owned(),
                    operation: "sts:AssumeRole".to_owned(),
                    resource: Some(role.id.as_str().to_owned()),
                    context: BTreeMap::new(),
                };
                let Ok(decision) = self.resolver.decide_numbers(&source.principal.id, &request) else { continue };
                match decision.0 {
                    Outcome::Allowed => found.push((at, false, decision.1)),
                    Outcome::Conditional => found.push((at, true, decision.1)),
                    // Granted, but a limit was not read.
                    Outcome::Unknown if !decision.1.is_empty() => found.push((at, true, decision.1)),
                    Outcome::ImplicitlyDenied | Outcome::ExplicitlyDenied | Outcome::Unknown => {}
                }
                conquered |= self.is_admin(at) && found.last().is_some_and(|(last, unsure, _)| *last == at && !unsure);
                if found.len() >= ENOUGH_TARGETS && conquered {
                    break;
                }
            }
            found
        })
    }

    fn pass_role(&self, technique: &'static Technique, source: &mut Source<'a>) {
        let Some(pass) = self.pass_role else { return };
        let account = &source.principal.account;
        for service in &technique.services {
            let pool = Pool::Trusting(account.clone(), Arc::from(*service));
            let roles = self.targets.within(&pool, source.holder.access, pass);
            if roles.is_empty() {
                continue;
            }
            let keys = [("iam:passedtoservice", *service)];
            let acting = Acting { keys: &keys, tags: None };
            let mut base = Rights::default();
            let others = technique.operations.iter().chain(&technique.helpers).copied().filter(|other| *other != pass);
            if !self.anywhere(source, others, &acting, &mut base) {
                continue;
            }
            let exists = technique.target != Target::PassedRoleExisting
                || self.carriers.get(account).is_some_and(|carriers| {
                    carriers
                        .iter()
                        .filter_map(|at| self.resolver.world().carriers.get(*at))
                        .any(|carrier| *carrier.service == **service)
                });
            let (mut found, mut conquered) = (0, false);
            for at in roles.iter() {
                let Some(role) = self.principal(*at) else { continue };
                let needs_profile = *service == "ec2.amazonaws.com" && technique.target != Target::PassedRoleNewProfile;
                if *at == source.at
                    || role.service_linked
                    || (needs_profile && role.instance_profiles.is_empty())
                    || floor("iam:PassRole", AccessLevel::Write, role.id.as_str()) == Truth::No
                    || !self.gains(source.at, *at)
                {
                    continue;
                }
                let acting = Acting { keys: &keys, tags: role.tags.as_ref() };
                let Some(right) = source.holder.on(pass, role.id.as_str(), &acting) else { continue };
                let mut rights = base.clone();
                rights.add(right);
                rights.conditional |= !exists;
                conquered |= !rights.conditional && self.is_admin(*at);
                let target = EdgeTarget::Identity(role.id.clone());
                source.edges.push((target, technique.id, rights.conditional, rights.grants));
                found += 1;
                if found >= MOST_TARGETS || (found >= ENOUGH_TARGETS && conquered) {
                    break;
                }
            }
        }
    }

    fn take_over(&self, technique: &'static Technique, source: &mut Source<'a>) {
        let world = self.resolver.world();
        let Some(pattern) = &technique.carrier else { return };
        let catalogue = Catalogue::global();
        let Some(carriers) = self.carriers.get(&source.principal.account) else { return };
        let mut found = 0;
        for carrier in carriers.iter().filter_map(|at| world.carriers.get(*at)) {
            let Some(segments) = arn::split(&carrier.arn) else { continue };
            if pattern.matches(&segments) == Truth::No {
                continue;
            }
            let Some(at) = world.principals.get_index_of(&carrier.role) else { continue };
            if at == source.at || !self.gains(source.at, at) {
                continue;
            }
            let acting = Acting { keys: &KEYS, tags: None };
            let mut rights = Rights::default();
            let all = technique.operations.iter().chain(&technique.helpers).copied().all(|operation| {
                // An action that can name the carrier must reach it; others need only be held.
                let names_it = catalogue.resources(operation).iter().any(|kind| {
                    catalogue
                        .patterns()
                        .get(usize::from(*kind))
                        .is_some_and(|kind| !kind.is_any() && kind.matches(&segments) != Truth::No)
                });
                let right = if names_it {
                    source.holder.on(operation, &carrier.arn, &acting)
                } else {
                    source.holder.anywhere(operation, &acting)
                };
                right.is_some_and(|right| {
                    rights.add(right);
                    true
                })
            });
            if all {
                let target = EdgeTarget::Identity(carrier.role.clone());
                source.edges.push((target, technique.id, rights.conditional, rights.grants));
                found += 1;
                if found >= MOST_TARGETS {
                    break;
                }
            }
        }
    }

    /// Whether the target holds something that the source does not. A cheap test: where it cannot tell, it does.
    fn gains(&self, source: usize, target: usize) -> bool {
        if self.resolver.group(source) == self.resolver.group(target) {
            return false;
        }
        let (Some((mine, _)), Some((theirs, admin))) = (self.resolver.at(source), self.resolver.at(target)) else {
            return true;
        };
        if *admin {
            return true;
        }
        if theirs.slices.is_empty() && theirs.doubts.is_empty() {
            return false;
        }
        if theirs.slices.len() > MOST_COMPARED || mine.slices.len() > MOST_COMPARED {
            return true;
        }
        theirs.slices.iter().any(|their| {
            !mine.slices.iter().any(|own| {
                their.operations.is_subset(&own.operations)
                    && own.scope.contains(&their.scope) == Truth::Yes
                    && own.condition.implied_by(&their.condition) == Truth::Yes
            })
        })
    }
}

/// What is true of every request that rewrites policies: the widest policy is attached.
const KEYS: [(&str, &str); 2] = [("iam:policyarn", WIDEST), ("iam:permissionsboundary", WIDEST)];

/// Whether the policies of a principal can be changed at all.
fn can_change(principal: &Principal) -> bool {
    !principal.service_linked
        && floor("iam:PutRolePolicy", AccessLevel::PermissionManagement, principal.id.as_str()) == Truth::Yes
}

fn customer_policies(principal: &Principal) -> impl Iterator<Item = &str> {
    principal
        .managed_policies
        .iter()
        .map(|policy| &**policy)
        .filter(|policy| arn::split(policy).is_some_and(|segments| segments[4] != "aws"))
}

/// Several rights together.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Rights {
    conditional: bool,
    grants: Vec<GrantIx>,
}

impl Rights {
    fn add(&mut self, right: Right) {
        self.conditional |= right.conditional;
        self.grants.push(right.grant);
    }
}
