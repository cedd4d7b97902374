//! What escalations lead to, indexed so that a source looks at few of many principals.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};

use evenhand_model::access::Access;
use evenhand_model::catalog::Catalog;
use evenhand_model::evidence::Truth;
use evenhand_model::glob::Glob;
use evenhand_model::id::IdentityId;
use evenhand_model::opset::{OpSet, OperationIx};
use evenhand_model::parallel::IN_A_ROW;
use evenhand_model::scope::ResourceScope;
use rayon::prelude::*;

use super::holds::Right;
use super::techniques::{self, Taken};
use crate::access::caller::{Caller, Who};
use crate::access::{Named, Resolver, assumes, named, speaks_of};
use crate::catalog::Catalogue;
use crate::policy::context::{Context, Lookup, Over};
use crate::policy::document::{ConditionTest, Statement};
use crate::policy::{Effect, arn, operator};
use crate::world::{AccountId, Principal, PrincipalKind, World};

/// A set of principals of one account.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub(super) enum Pool {
    Users(AccountId),
    Groups(AccountId),
    Roles(AccountId),
    /// Roles that trust a service.
    Trusting(AccountId, Arc<str>),
    /// Roles whose trust names an account, in whichever account they are.
    TrustingAccount(Arc<str>),
    /// The same, in other accounts than the one that is named.
    TrustingFromOutside(Arc<str>),
    /// Roles whose trust names everybody.
    TrustingAnyone,
}

/// How much a principal is worth as a target; the least comes first.
type Rank = (bool, bool, Reverse<u64>, usize);

/// Members of a pool within a scope.
type Reached = HashMap<(Pool, Arc<ResourceScope>), Arc<[usize]>, foldhash::fast::RandomState>;

/// The members of a pool in their order, and the place of each.
#[derive(Default)]
pub(super) struct Members {
    pub(super) sorted: Arc<[usize]>,
    place: HashMap<usize, usize, foldhash::fast::RandomState>,
}

impl Members {
    pub(super) fn of(sorted: Vec<usize>) -> Self {
        let place = sorted.iter().enumerate().map(|(place, at)| (*at, place)).collect();
        Self { sorted: sorted.into(), place }
    }

    /// Those of some that are members, in order.
    pub(super) fn among(&self, some: impl Iterator<Item = usize>) -> Arc<[usize]> {
        let mut places: Vec<usize> = some.filter_map(|at| self.place.get(&at).copied()).collect();
        places.sort_unstable();
        places.dedup();
        places.into_iter().filter_map(|place| self.sorted.get(place).copied()).collect()
    }
}

/// Roles whose trust names a principal by its own name.
#[derive(Default)]
struct Naming {
    /// By the principal's place in the world.
    by_place: HashMap<usize, Vec<usize>, foldhash::fast::RandomState>,
    /// By the name that is said, where it is a role's: names of sessions leave out the role's path.
    by_role: HashMap<Arc<str>, Vec<usize>, foldhash::fast::RandomState>,
}

impl Naming {
    fn add(&mut self, world: &World, name: Arc<str>, role: usize) {
        if let Some(place) = world.principals.get_index_of(&IdentityId::new(Arc::clone(&name))) {
            self.by_place.entry(place).or_default().push(role);
        }
        if name.contains(":role/") {
            self.by_role.entry(name).or_default().push(role);
        }
    }
}

/// Principals by what can be done to them. Members of each pool are sorted: administrators first, then those that may
/// escalate further, then by the weight of what they may do, so that looking at the first few sees what matters.
pub(super) struct Targets<'a> {
    world: &'a World,
    ranks: Vec<Rank>,
    /// What each principal holds of the actions that techniques take.
    held: Vec<OpSet>,
    pools: BTreeMap<Pool, Members>,
    naming: Naming,
    reached: Mutex<Reached>,
}

impl<'a> Targets<'a> {
    pub(super) fn of(resolver: &'a Resolver) -> Self {
        let world = resolver.world();
        let ((pools, naming), (ranks, held)) = rayon::join(|| pools(world), || ranks(resolver));
        let sorted = |(pool, mut members): (Pool, Vec<usize>)| {
            members.sort_by_key(|at| ranks.get(*at));
            members.dedup();
            (pool, Members::of(members))
        };
        let pools: Vec<(Pool, Members)> = pools.into_iter().collect::<Vec<_>>().into_par_iter().map(sorted).collect();
        let pools = pools.into_iter().collect();
        Self { world, ranks, held, pools, naming, reached: Mutex::default() }
    }

    /// What a principal is worth as a target; the least comes first.
    pub(super) fn rank(&self, at: usize) -> Option<&Rank> {
        self.ranks.get(at)
    }

    /// What a principal holds of the actions that techniques take.
    pub(super) fn held(&self, at: usize) -> Option<&OpSet> {
        self.held.get(at)
    }

    pub(super) fn pool(&self, pool: &Pool) -> Arc<[usize]> {
        self.pools.get(pool).map_or_else(|| Arc::from([]), |members| Arc::clone(&members.sorted))
    }

    /// Roles whose trust names a principal itself, which stands at a place in the world.
    pub(super) fn naming(&self, at: usize, principal: &Principal) -> Vec<usize> {
        let mut all = self.naming.by_place.get(&at).cloned().unwrap_or_default();
        if principal.kind == PrincipalKind::Role
            && !self.naming.by_role.is_empty()
            && let Some((head, path)) = principal.id.as_str().split_once(":role/")
            && path.contains('/')
        {
            let short = format!("{head}:role/{}", principal.name);
            all.extend(self.naming.by_role.get(&*short).into_iter().flatten());
        }
        all
    }

    /// Members of a pool that an access may reach with an action, most important first.
    pub(super) fn within(&self, pool: &Pool, access: &Access, operation: OperationIx) -> Arc<[usize]> {
        let mut lists: Vec<Arc<[usize]>> = Vec::new();
        for slice in access.slices().iter().filter(|slice| slice.operations.contains(operation)) {
            let list = self.reached(pool, &slice.scope);
            if !list.is_empty() {
                lists.push(list);
            }
        }
        match lists.as_slice() {
            [] => Arc::from([]),
            [one] => Arc::clone(one),
            _ => self.sorted(pool, lists.iter().flat_map(|list| list.iter().copied())),
        }
    }

    /// Those of some principals that are members of a pool, in its order.
    fn sorted(&self, pool: &Pool, some: impl Iterator<Item = usize>) -> Arc<[usize]> {
        self.pools.get(pool).map_or_else(|| Arc::from([]), |members| members.among(some))
    }

    fn reached(&self, pool: &Pool, scope: &Arc<ResourceScope>) -> Arc<[usize]> {
        let members = self.pool(pool);
        if members.is_empty() || scope.is_everything() {
            return members;
        }
        if let Some(names) = exact(scope) {
            let found =
                names.iter().filter_map(|name| self.world.principals.get_index_of(&IdentityId::from(name.as_str())));
            return self.sorted(pool, found);
        }
        let key = (pool.clone(), Arc::clone(scope));
        if let Ok(held) = self.reached.lock()
            && let Some(list) = held.get(&key)
        {
            return Arc::clone(list);
        }
        let list: Arc<[usize]> = members
            .iter()
            .copied()
            .filter(|at| {
                self.world
                    .principals
                    .get_index(*at)
                    .and_then(|(id, _)| arn::split(id.as_str()))
                    .is_some_and(|segments| scope.matches(&segments) != Truth::No)
            })
            .collect();
        if let Ok(mut held) = self.reached.lock() {
            held.insert(key, Arc::clone(&list));
        }
        list
    }
}

/// Principals by what techniques ask of their targets, in the order of the world.
fn pools(world: &World) -> (BTreeMap<Pool, Vec<usize>>, Naming) {
    let mut pools: BTreeMap<Pool, Vec<usize>> = BTreeMap::new();
    let mut naming = Naming::default();
    for (at, principal) in world.principals.values().enumerate() {
        let account = principal.account.clone();
        match principal.kind {
            PrincipalKind::User => pools.entry(Pool::Users(account)).or_default().push(at),
            PrincipalKind::Group => pools.entry(Pool::Groups(account)).or_default().push(at),
            PrincipalKind::Role => {
                for trusted in trusted(world, principal) {
                    match trusted {
                        Trusted::Service(service) => {
                            pools.entry(Pool::Trusting(account.clone(), service)).or_default().push(at);
                        }
                        Trusted::Account(trusted) => {
                            if trusted != account.0 {
                                let outside = Pool::TrustingFromOutside(Arc::clone(&trusted));
                                pools.entry(outside).or_default().push(at);
                            }
                            pools.entry(Pool::TrustingAccount(trusted)).or_default().push(at);
                        }
                        Trusted::Anyone => pools.entry(Pool::TrustingAnyone).or_default().push(at),
                        Trusted::Principal(name) => naming.add(world, name, at),
                    }
                }
                if !principal.service_linked {
                    pools.entry(Pool::Roles(account)).or_default().push(at);
                }
            }
            PrincipalKind::PermissionSet | PrincipalKind::JobFunction | PrincipalKind::Root => {}
        }
    }
    (pools, naming)
}

/// What each principal is worth as a target, and what it holds of the actions that techniques take. All access is
/// resolved for this, and looked at while it is at hand.
fn ranks(resolver: &Resolver) -> (Vec<Rank>, Vec<OpSet>) {
    let (taken, escalating) = (Taken::new(), techniques::operations());
    let rank = |at: usize| {
        let Some((access, admin)) = resolver.at(at) else { return ((true, true, Reverse(0), at), OpSet::new()) };
        let operations = access.operations();
        let held = taken.of(operations);
        let weight = Catalogue::global().weight_of(operations);
        ((!admin, !held.intersects(&escalating), Reverse(weight), at), held)
    };
    (0..resolver.world().principals.len()).into_par_iter().with_max_len(IN_A_ROW).map(rank).unzip()
}

/// The names of a scope that lists names only.
pub(super) fn exact(scope: &ResourceScope) -> Option<Vec<String>> {
    let list = scope.all_of.first()?;
    list.iter()
        .map(|pattern| {
            pattern.segments().iter().all(|segment| matches!(segment, Glob::Literal(_))).then(|| pattern.to_string())
        })
        .collect()
}

/// Whom a role's trust policy lets in, conditions apart.
enum Trusted {
    Service(Arc<str>),
    Account(Arc<str>),
    Anyone,
    Principal(Arc<str>),
}

fn trusted(world: &World, role: &Principal) -> Vec<Trusted> {
    let mut all = Vec::new();
    let Some(trust) = role.trust else { return all };
    let statements = world.policies.document(trust).statements.iter();
    for statement in statements.filter(|held| held.effect == Effect::Allow && assumes(held)) {
        // Who is not excluded is let in.
        if statement.not_principals.is_some() {
            all.push(Trusted::Anyone);
        }
        let Some(principals) = &statement.principals else { continue };
        if principals.any {
            all.push(Trusted::Anyone);
        }
        let services = principals.service.iter().chain(&principals.federated);
        all.extend(services.map(|service| Trusted::Service(Arc::clone(service))));
        for name in &principals.aws {
            let segments = arn::split(name);
            match segments {
                None if name.len() == 12 => all.push(Trusted::Account(Arc::clone(name))),
                Some([_, _, "iam", _, account, "root"]) => all.push(Trusted::Account(account.into())),
                Some([_, partition, "sts", _, account, resource]) => {
                    // A session is its role's; the role's path is not in the session's name.
                    if let Some(role) = resource.strip_prefix("assumed-role/").and_then(|rest| rest.split('/').next()) {
                        all.push(Trusted::Principal(format!("arn:{partition}:iam::{account}:role/{role}").into()));
                    }
                }
                _ => all.push(Trusted::Principal(Arc::clone(name))),
            }
        }
    }
    all
}

/// What is true of a service that acts for something in the account of a role.
struct OfRole<'a>(&'a Principal);

impl Context for OfRole<'_> {
    fn get(&self, key: &str) -> Lookup {
        match key {
            "aws:sourceaccount" | "aws:resourceaccount" => Lookup::Known(vec![Arc::clone(&self.0.account.0)]),
            _ => Lookup::Unknown,
        }
    }
}

/// Whether a service may run as a role, in the account of the role, and the statement that says so. `None` = it may not.
pub(super) fn trusts(world: &World, role: &Principal, service: &str) -> Option<Right> {
    let trust = role.trust?;
    let statements = || world.policies.document(trust).statements.iter().enumerate();
    // A service comes by its own name; some are identity providers in trust policies.
    let ways = [Who::Service, Who::Federated].into_iter().filter_map(|who| {
        let caller = Caller::new(who, service, None, None);
        let context = Over { first: &OfRole(role), then: &caller };
        let becomes = |statement: &Statement| match who {
            Who::Service => speaks_of(statement, "sts:AssumeRole"),
            _ => assumes(statement),
        };
        let concerns = |statement: &Statement| named(statement, &caller) != Named::No && becomes(statement);
        let holds = |statement: &Statement| {
            statement.conditions.iter().fold(Truth::Yes, |all, test| {
                all.and(match operator::holds(test, &context) {
                    Truth::Unknown if statement.effect == Effect::Allow => {
                        of_own_making(test, &role.account).unwrap_or(Truth::Unknown)
                    }
                    told => told,
                })
            })
        };
        let denied = statements()
            .filter(|(_, statement)| statement.effect == Effect::Deny && concerns(statement))
            .fold(Truth::No, |some, (_, statement)| some.or(holds(statement)));
        statements()
            // Everybody is no service, and an identity provider only by its name.
            .filter(|(_, statement)| {
                let by_name = statement.principals.as_ref().is_some_and(|named| !named.any || who == Who::Service);
                statement.effect == Effect::Allow && by_name && concerns(statement)
            })
            .filter_map(|(number, statement)| {
                let truth = holds(statement).and(denied.not());
                let grant = world.policies.grant_number(trust, number);
                (truth != Truth::No).then_some(Right { conditional: truth == Truth::Unknown, grant })
            })
            .min()
    });
    ways.min()
}

/// Whether a test on the resource for which the service acts can be met by a resource that the caller makes in an
/// account. `None` = the test is about something else.
fn of_own_making(test: &ConditionTest, account: &AccountId) -> Option<Truth> {
    let positive = test.operator.is_some_and(|held| !held.negated());
    (&*test.key == "aws:sourcearn" && positive).then(|| {
        test.values.iter().filter(|value| !value.contains("${")).fold(Truth::No, |some, value| {
            let pattern = arn::pattern(value);
            some.or(pattern.segments().get(4).map_or(Truth::Yes, |owner| owner.matches(&account.0)))
        })
    })
}
