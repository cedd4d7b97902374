//! Edges: which principal can get at what more access, and by which technique.

use std::cell::OnceCell;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};

use evenhand_model::access::{Edge, EdgeTarget, GrantIx};
use evenhand_model::catalog::AccessLevel;
use evenhand_model::evidence::{Fact, Truth};
use evenhand_model::id::{IdentityId, ScopeId};
use evenhand_model::opset::{OpSet, OperationIx};
use evenhand_model::parallel::IN_A_ROW;
use rayon::prelude::*;

use super::carriers::Carriers;
use super::holds::{Acting, Holder, Place, Right};
use super::targets::Targets;
use super::techniques::{self, Target, Technique};
use super::unseen::{MayOffer, Unseen};
use crate::access::{Resolver, floor};
use crate::carrier::CarrierKind;
use crate::catalog::Catalogue;
use crate::policy::{Effect, arn};
use crate::world::{PolicyIx, Principal, PrincipalKind, World};

/// The policy that an escalation would attach, which conditions on `iam:PolicyARN` and boundaries are held against.
const WIDEST: &str = "arn:aws:iam::aws:policy/AdministratorAccess";

/// Targets of one technique that one source is listed as leading to, at most; the strongest come first.
pub(super) const MOST_TARGETS: usize = 64;

/// Once a source has so many targets of a technique and an administrator is among them, no lesser ones are looked for:
/// whoever reaches an administrator need not be listed as reaching lesser principals of that account as well.
pub(super) const ENOUGH_TARGETS: usize = 8;

/// Targets that are looked at for one source and technique, at most, so that the work grows with the sources alone.
pub(super) const MOST_LOOKED_AT: usize = 512;

/// Slices that are compared to tell whether a target holds more than a source.
const MOST_COMPARED: usize = 64;

/// The steps of a world.
#[derive(Debug, Default)]
pub(crate) struct Steps {
    /// Sorted by source, target and technique.
    pub(crate) edges: Vec<Edge>,
    pub(crate) left_out: LeftOut,
}

/// What the list of steps leaves out.
#[derive(Debug, Default)]
pub(crate) struct LeftOut {
    /// Lesser targets of a principal, in a few words for each technique; by its place in the world.
    pub(crate) lesser: BTreeMap<usize, Vec<Arc<str>>>,
    pub(crate) unread: MayOffer,
}

/// The steps of one principal, and what is left out of them.
#[derive(Default)]
struct Found {
    edges: Vec<Edge>,
    lesser: Vec<Arc<str>>,
    /// Kinds of which not all was read, and which may offer it steps.
    unread: Box<[CarrierKind]>,
}

/// Every step.
pub(crate) fn edges(resolver: &Resolver) -> Steps {
    let world = resolver.world();
    let targets = Targets::of(resolver);
    let shared = Shared {
        resolver,
        carriers: Carriers::of(world, &targets),
        unseen: Unseen::of(world, &targets),
        targets,
        all: techniques::operations(),
        ceilings: Mutex::default(),
        pass_role: Catalogue::global().operation("iam:PassRole"),
        assume_role: Catalogue::global().operation("sts:AssumeRole"),
        create_version: Catalogue::global().operation("iam:CreatePolicyVersion"),
    };
    let all: Vec<Found> =
        (0..world.principals.len()).into_par_iter().with_max_len(IN_A_ROW).map(|at| shared.from(at)).collect();
    let mut edges: Vec<Edge> = Vec::with_capacity(all.iter().map(|found| found.edges.len()).sum());
    let (mut lesser, mut unread) = (BTreeMap::new(), Vec::with_capacity(all.len()));
    for (at, found) in all.into_iter().enumerate() {
        edges.extend(found.edges);
        if !found.lesser.is_empty() {
            lesser.insert(at, found.lesser);
        }
        unread.push(found.unread);
    }
    edges.par_sort_by(|a, b| (&a.source, &a.target, &a.technique).cmp(&(&b.source, &b.target, &b.technique)));
    Steps { edges, left_out: LeftOut { lesser, unread: shared.unseen.offers(unread) } }
}

pub(super) struct Shared<'a> {
    pub(super) resolver: &'a Resolver,
    pub(super) targets: Targets<'a>,
    pub(super) carriers: Carriers<'a>,
    pub(super) unseen: Unseen<'a>,
    /// Every action of every technique.
    pub(super) all: OpSet,
    /// Whether a principal with all rights would be an administrator under its limits.
    ceilings: Mutex<HashMap<Ceiling, Truth>>,
    pub(super) pass_role: Option<OperationIx>,
    pub(super) assume_role: Option<OperationIx>,
    pub(super) create_version: Option<OperationIx>,
}

/// What decides how far a principal can be raised: its account, its boundary, the contents of the policies that deny it
/// something, and where those look at who asks, who it is.
type Ceiling = (crate::world::AccountId, Fact<PolicyIx>, Vec<u32>, Option<IdentityId>);

/// A step of a source.
struct Step {
    target: EdgeTarget,
    technique: &'static Technique,
    rights: Rights,
}

/// A principal that may escalate.
pub(super) struct Source<'a> {
    pub(super) at: usize,
    pub(super) principal: &'a Principal,
    pub(super) holder: Holder<'a>,
    /// Whether it controls its account already.
    pub(super) admin: bool,
    /// Roles that it can assume, with the statements that allow it.
    pub(super) assumable: OnceCell<Vec<(usize, Rights)>>,
    steps: Vec<Step>,
    /// Targets of a technique that were not looked at or are not listed.
    left_out: BTreeMap<&'static str, usize>,
}

impl Source<'_> {
    pub(super) fn step(&mut self, technique: &'static Technique, target: EdgeTarget, mut rights: Rights) {
        rights.conditional |= technique.open;
        self.steps.push(Step { target, technique, rights });
    }

    /// A step to all access in the account of a principal.
    pub(super) fn step_to_admin(&mut self, technique: &'static Technique, of: &Principal, rights: Rights) {
        self.step(technique, EdgeTarget::Admin(ScopeId::new(Arc::clone(&of.account.0))), rights);
    }

    pub(super) fn leave_out(&mut self, technique: &'static Technique, targets: usize) {
        if targets > 0 {
            *self.left_out.entry(technique.id).or_default() += targets;
        }
    }

    /// One step for each target and technique, the least conditional one, sorted. Of two ways to run something as a role
    /// of which one asks for all that the other asks for and more, the fuller is told: it leans on nothing that is there
    /// already, such as a cluster or somebody who calls a function.
    fn best(&mut self) -> Vec<Step> {
        let mut best: BTreeMap<(EdgeTarget, &'static str), (&'static Technique, Rights)> = BTreeMap::new();
        for Step { target, technique, rights } in self.steps.drain(..) {
            match best.get_mut(&(target.clone(), technique.id)) {
                Some((_, held)) if held.conditional && !rights.conditional => *held = rights,
                Some(_) => {}
                None => {
                    best.insert((target, technique.id), (technique, rights));
                }
            }
        }
        let steps: Vec<Step> =
            best.into_iter().map(|((target, _), (technique, rights))| Step { target, technique, rights }).collect();
        let fuller = |step: &Step| {
            let at = steps.partition_point(|other| other.target < step.target);
            let same = steps.get(at..).unwrap_or_default().iter().take_while(|other| other.target == step.target);
            same.into_iter().any(|other| {
                (!other.rights.conditional || step.rights.conditional) && other.technique.is_fuller_than(step.technique)
            })
        };
        let told: Vec<bool> = steps.iter().map(|step| !fuller(step)).collect();
        steps.into_iter().zip(told).filter(|(_, told)| *told).map(|(step, _)| step).collect()
    }
}

/// A list of targets, strongest first, followed as far as it is worth.
pub(super) struct Down<'l> {
    list: &'l [usize],
    at: usize,
    found: usize,
    conquered: bool,
}

impl<'l> Down<'l> {
    pub(super) fn new(list: &'l [usize]) -> Self {
        Self { list, at: 0, found: 0, conquered: false }
    }

    /// Takes note of a target that is reached; `conquers` says that it is an administrator, for certain.
    pub(super) fn found(&mut self, conquers: bool) {
        self.found += 1;
        self.conquered |= conquers;
    }

    /// How many targets were not come to.
    pub(super) fn left(&self) -> usize {
        self.list.len() - self.at
    }
}

impl Iterator for Down<'_> {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        let enough =
            self.found >= MOST_TARGETS || self.at >= MOST_LOOKED_AT || (self.found >= ENOUGH_TARGETS && self.conquered);
        let next = if enough { None } else { self.list.get(self.at).copied() };
        self.at += usize::from(next.is_some());
        next
    }
}

impl<'a> Shared<'a> {
    /// The steps of a principal, and what is not listed of them.
    fn from(&self, at: usize) -> Found {
        let world = self.resolver.world();
        let nothing = Found::default;
        let Some((id, principal)) = world.principals.get_index(at) else { return nothing() };
        if !matches!(principal.kind, PrincipalKind::User | PrincipalKind::Role | PrincipalKind::PermissionSet) {
            return nothing();
        }
        let Some(held) = self.targets.held(at) else { return nothing() };
        if !held.intersects(&self.all) && self.targets.naming(at, principal).is_empty() {
            return nothing();
        }
        let Some((access, admin)) = self.resolver.at(at) else { return nothing() };
        let mut source = Source {
            at,
            principal,
            holder: Holder::new(access, held.clone()),
            assumable: OnceCell::new(),
            admin: *admin,
            steps: Vec::new(),
            left_out: BTreeMap::new(),
        };
        for technique in techniques::within(held) {
            // Whoever controls its account gains nothing in it, but may be let in elsewhere.
            if !admin || technique.target == Target::AssumableRole {
                self.apply(technique, &mut source);
            }
        }
        let edges = source.best().into_iter().map(|step| edge(world, id, step)).collect();
        let lesser = source.left_out.iter().map(|(technique, count)| {
            let text = format!("up to {count} further targets of {technique}, none stronger than those listed");
            Arc::<str>::from(text)
        });
        Found { edges, lesser: lesser.collect(), unread: if *admin { Box::default() } else { self.unseen(&source) } }
    }

    pub(super) fn principal(&self, at: usize) -> Option<&'a Principal> {
        self.resolver.world().principals.get_index(at).map(|(_, principal)| principal)
    }

    pub(super) fn is_admin(&self, at: usize) -> bool {
        self.resolver.at(at).is_some_and(|(_, admin)| *admin)
    }

    fn apply(&self, technique: &'static Technique, source: &mut Source<'a>) {
        match technique.target {
            Target::OwnUser | Target::OwnRole => self.rewrite_self(technique, source),
            Target::OwnGroup => self.rewrite_group(technique, source),
            Target::GroupJoined => self.join_group(technique, source),
            Target::OwnPolicy | Target::OwnPolicyVersion => self.rewrite_policy(technique, source),
            Target::OwnBoundary => self.drop_boundary(technique, source),
            Target::OwnDeny => self.drop_deny(technique, source),
            Target::OwnPermissionSet | Target::AnyAccount => self.permission_set(technique, source),
            Target::UserKey
            | Target::UserKeyReplaced
            | Target::UserPasswordNew
            | Target::UserPassword
            | Target::UserServiceKey
            | Target::UserRewritten => self.become_user(technique, source),
            Target::RoleTrust | Target::RoleRewritten | Target::RolePolicyRewritten => {
                self.rewrite_role(technique, source);
            }
            Target::AssumableRole => self.assume(technique, source),
            Target::AssumableRoleRewritten | Target::AssumableRolePolicyRewritten | Target::AssumableBoundedRole => {
                self.widen_assumable(technique, source);
            }
            Target::PassedRole
            | Target::PassedRoleNewProfile
            | Target::PassedRoleExisting
            | Target::PassedRoleExistingNewProfile => {
                self.pass_role(technique, source);
            }
            Target::Carrier => self.take_over(technique, source),
        }
    }

    /// All rights on one named thing.
    pub(super) fn on(
        &self,
        source: &Source<'a>,
        operations: &[OperationIx],
        name: &str,
        acting: &Acting<'_>,
    ) -> Option<Rights> {
        let mut rights = Rights::default();
        for operation in operations {
            rights.add(source.holder.on(*operation, name, acting)?);
        }
        Some(rights)
    }

    /// All rights on something in one place.
    pub(super) fn within(
        &self,
        source: &Source<'a>,
        operations: impl IntoIterator<Item = OperationIx>,
        place: Place<'_>,
        acting: &Acting<'_>,
    ) -> Option<Rights> {
        let mut rights = Rights::default();
        for operation in operations {
            rights.add(source.holder.within(operation, place, acting)?);
        }
        Some(rights)
    }

    /// The policies of a principal that deny something, but for some.
    pub(super) fn denying(&self, principal: &Principal, mut but: impl FnMut(PolicyIx) -> bool) -> Vec<PolicyIx> {
        let store = &self.resolver.world().policies;
        let denies = |policy: PolicyIx| {
            store.compiled(policy).statements.iter().any(|statement| statement.effect == Effect::Deny)
        };
        principal.identity_policies.iter().copied().filter(|policy| denies(*policy) && !but(*policy)).collect()
    }

    /// Whether a principal with all rights would be an administrator: its boundary, its organisation and the denies of
    /// some of its policies do not hold it back.
    pub(super) fn ceiling(&self, principal: &Principal, denying: &[PolicyIx]) -> Truth {
        let store = &self.resolver.world().policies;
        let mut contents: Vec<u32> = denying.iter().map(|policy| store.content(*policy)).collect();
        contents.sort_unstable();
        contents.dedup();
        let personal = denying.iter().any(|policy| store.personal(*policy));
        let key: Ceiling =
            (principal.account.clone(), principal.boundary, contents, personal.then(|| principal.id.clone()));
        if let Ok(held) = self.ceilings.lock()
            && let Some(open) = held.get(&key)
        {
            return *open;
        }
        let open = self.resolver.ceiling(principal, denying);
        if let Ok(mut held) = self.ceilings.lock() {
            held.insert(key, open);
        }
        open
    }

    /// The policies whose denies still stand once a technique has rewritten what it can of a principal's policies.
    fn left_standing(&self, source: &Source<'a>, through: &Principal, technique: &'static Technique) -> Vec<PolicyIx> {
        let world = self.resolver.world();
        let keys = rewriting(source.principal);
        let holds = |operation: OperationIx, name: &str, acting: &Acting<'_>| {
            source.holder.on(operation, name, acting).is_some()
        };
        let named = |name: &str| {
            let operation = Catalogue::global().operation(name)?;
            technique.operations.contains(&operation).then_some(operation)
        };
        let inline = named("iam:PutUserPolicy").or_else(|| named("iam:PutRolePolicy"));
        let of_groups = named("iam:PutGroupPolicy");
        let version = named("iam:CreatePolicyVersion").or_else(|| named("iam:SetDefaultPolicyVersion"));
        let untagged = Acting { keys: &keys, tags: None };
        let groups: Vec<&Principal> = through.groups.iter().filter_map(|group| world.principals.get(group)).collect();
        self.denying(through, |policy| {
            if world.managed.binary_search(&policy).is_ok() {
                let label = world.policies.label(policy);
                return version.is_some_and(|version| {
                    customer_policies(through).any(|arn| {
                        let name = arn.rsplit('/').next().unwrap_or(arn);
                        label.strip_prefix("managed policy ") == Some(name) && holds(version, arn, &untagged)
                    })
                });
            }
            match groups.iter().find(|group| group.identity_policies.contains(&policy)) {
                Some(group) => of_groups.is_some_and(|put| holds(put, group.id.as_str(), &untagged)),
                // Whoever may put an inline policy may put it in the place of another.
                None => inline.is_some(),
            }
        })
    }

    /// A principal that can be given any access. Returns whether that is certain.
    pub(super) fn conquer(
        &self,
        source: &mut Source<'a>,
        through: &Principal,
        technique: &'static Technique,
        mut rights: Rights,
    ) -> bool {
        let open = self.ceiling(through, &self.left_standing(source, through, technique));
        if open == Truth::No {
            return false;
        }
        // A boundary that was not read may hold it back, and so may a deny whose condition nobody knows.
        rights.conditional |= through.boundary == Fact::Unknown || open == Truth::Unknown;
        let certain = !rights.conditional && !technique.open;
        source.step_to_admin(technique, through, rights);
        certain
    }

    /// Whether the target holds something that the source does not. A cheap test: where it cannot tell, it does.
    pub(super) fn gains(&self, source: usize, target: usize) -> bool {
        if self.resolver.group(source) == self.resolver.group(target) {
            return false;
        }
        let (Some((mine, _)), Some((theirs, admin))) = (self.resolver.at(source), self.resolver.at(target)) else {
            return true;
        };
        if *admin {
            return true;
        }
        if theirs.slices().is_empty() && theirs.doubts.is_empty() {
            return false;
        }
        if theirs.slices().len() > MOST_COMPARED || mine.slices().len() > MOST_COMPARED {
            return true;
        }
        theirs.slices().iter().any(|their| {
            !mine.slices().iter().any(|own| {
                their.operations.is_subset(&own.operations)
                    && own.scope.contains(&their.scope) == Truth::Yes
                    && own.condition.implied_by(&their.condition) == Truth::Yes
            })
        })
    }
}

fn edge(world: &World, source: &IdentityId, step: Step) -> Edge {
    let mut grants: Vec<GrantIx> = step.rights.grants;
    grants.sort_unstable();
    grants.dedup();
    Edge {
        source: source.clone(),
        target: step.target,
        technique: Arc::from(step.technique.id),
        escalation: step.technique.target != Target::AssumableRole,
        conditional: step.rights.conditional,
        grants: grants.into_iter().map(|grant| world.policies.grant(grant)).collect(),
    }
}

/// What is true of every request of a principal that rewrites policies at home: the widest policy is attached.
pub(super) fn rewriting(principal: &Principal) -> [(&'static str, &str); 3] {
    [("iam:policyarn", WIDEST), ("iam:permissionsboundary", WIDEST), ("aws:resourceaccount", &principal.account.0)]
}

/// Whether the policies of a principal can be changed at all.
pub(super) fn can_change(principal: &Principal) -> bool {
    !principal.service_linked
        && floor("iam:PutRolePolicy", AccessLevel::PermissionManagement, principal.id.as_str()) == Truth::Yes
}

pub(super) fn customer_policies(principal: &Principal) -> impl Iterator<Item = &str> {
    principal
        .managed_policies
        .iter()
        .map(|policy| &**policy)
        .filter(|policy| arn::split(policy).is_some_and(|segments| segments[4] != "aws"))
}

/// Several rights together.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Rights {
    pub(super) conditional: bool,
    pub(super) grants: Vec<GrantIx>,
}

impl Rights {
    pub(super) fn add(&mut self, right: Right) {
        self.conditional |= right.conditional;
        self.grants.push(right.grant);
    }

    pub(super) fn join(&mut self, other: &Self) {
        self.conditional |= other.conditional;
        self.grants.extend(&other.grants);
    }
}
