//! What identities may do: role assignments through the authorizer, directory roles and permissions beside them; single
//! decisions.
//!
//! What is granted in the directory is never denied there: that part of an access is the union of what is held. Roles that
//! are held ready are part of the access under the condition that they are activated.

pub(crate) mod activation;
pub(crate) mod bond;
pub(crate) mod edges;
pub(crate) mod holdings;
mod proposal;
mod vaults;
pub(crate) mod world;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use evenhand_model::access::{
    Access, AccessResolver, DecideError, Decision, Doubt, Edge, Grant, GrantIx, Outcome, Request, Slice, Unlisted,
    Unread,
};
use evenhand_model::catalog::Catalog;
use evenhand_model::condition::{Clause, Condition};
use evenhand_model::evidence::{Evidence, Truth};
use evenhand_model::id::IdentityId;
use evenhand_model::inventory::Hint;
use evenhand_model::opset::OpSet;
use evenhand_model::proposal::Proposes;
use evenhand_model::scope::ResourceScope;
use foldhash::fast::FixedState;
use rayon::prelude::*;

use crate::catalog::Catalogue;
use crate::cloud::Cloud;
use crate::rbac::{ArmId, Denies, Groups, KnownBlocks, ObjectId, Plane};
use bond::Bond;
use holdings::{Allowed, Holdings};
use world::Assigned;

/// Whose access is asked for.
#[derive(Clone, Debug)]
pub(crate) struct Actor {
    pub(crate) id: IdentityId,
    /// The principal by which it holds what it holds.
    pub(crate) object: ObjectId,
    /// Groups whose membership it may activate, and what that takes.
    pub(crate) ready: Vec<(ObjectId, Condition)>,
    /// What stands before all of it: a group that people are members of only while they are activated.
    pub(crate) under: Condition,
    /// What was not read and may grant more.
    pub(crate) doubts: Vec<Doubt>,
    /// What was not read and may offer steps.
    pub(crate) unread: Vec<Arc<Unread>>,
}

/// What decides over the access of a tenant's identities.
pub(crate) struct Tenant {
    pub(crate) assigned: Assigned,
    pub(crate) holdings: Holdings,
    pub(crate) actors: Vec<Actor>,
    pub(crate) ground: edges::Ground,
    pub(crate) cloud: Cloud,
}

#[derive(Debug)]
struct Compiled {
    access: Arc<Access>,
    admin: bool,
}

/// A tenant, as far as proposals ask for it.
#[derive(Debug)]
struct Origin {
    /// The number of its first grant.
    first: u32,
    groups: Groups,
    denies: Arc<Denies>,
    /// Where it lies.
    cloud: Cloud,
}

/// Access over everything that was read.
pub(crate) struct Resolver {
    catalogue: Catalogue,
    sets: Vec<Compiled>,
    identities: HashMap<IdentityId, u32, FixedState>,
    unread: HashMap<IdentityId, Vec<Arc<Unread>>, FixedState>,
    grants: Vec<Grant>,
    /// One for each grant.
    bonds: Vec<Bond>,
    /// The tenants, by their first grants.
    origins: Vec<Origin>,
    /// The groups whose membership somebody may activate.
    ready: HashMap<IdentityId, Vec<ObjectId>, FixedState>,
    edges: Vec<Edge>,
    left_out: Vec<Hint>,
}

/// Accesses that are worked out at one time.
const TOGETHER: usize = 1_024;

/// What makes two accesses the same.
#[derive(PartialEq, Eq, Hash)]
struct Key {
    assignments: Vec<usize>,
    denies: Vec<usize>,
    holdings: Vec<usize>,
    ready: Vec<(ObjectId, Condition)>,
    under: Condition,
    doubts: Vec<Doubt>,
}

/// The operations of a holding, block by block, with the condition of each.
pub(crate) type Blocks = Arc<[(Arc<OpSet>, Option<Arc<str>>)]>;

/// One tenant, against the catalogue.
struct Compiling<'t> {
    tenant: &'t Tenant,
    catalogue: &'t Catalogue,
    /// The operations of the blocks of Azure's roles.
    roles: KnownBlocks,
    /// The operations of the holdings in the directory.
    blocks: Vec<Blocks>,
    /// What only whoever controls the tenant may do everywhere.
    decisive: OpSet,
    /// The number of the first grant.
    base: usize,
}

impl Compiling<'_> {
    fn key(&self, actor: &Actor) -> Key {
        let authorizer = &self.tenant.assigned.authorizer;
        let who = authorizer.world().groups.of(&actor.object);
        let mut doubts = actor.doubts.clone();
        doubts.extend(self.doubts(&who));
        doubts.sort_unstable_by(|a, b| (&a.text, a.about).cmp(&(&b.text, b.about)));
        doubts.dedup();
        Key {
            assignments: authorizer.held_by(&who).into_iter().map(|(at, _)| at).collect(),
            denies: authorizer.denies().of(&who).into_iter().map(|(at, _)| at).collect(),
            holdings: self.holdings(&who).chain(self.own(&actor.object)).collect(),
            ready: actor.ready.clone(),
            under: actor.under.clone(),
            doubts,
        }
    }

    fn doubts<'s>(&'s self, who: &'s BTreeSet<ObjectId>) -> impl Iterator<Item = Doubt> + 's {
        let lists = [&self.tenant.holdings.doubts, &self.tenant.assigned.doubts];
        let of_these = who.iter().flat_map(move |id| lists.map(|list| list.get(id)));
        of_these.flatten().flatten().chain(&self.tenant.assigned.doubts_of_all).cloned()
    }

    fn holdings<'s>(&'s self, who: &'s BTreeSet<ObjectId>) -> impl Iterator<Item = usize> + 's {
        who.iter().filter_map(|id| self.tenant.holdings.roles.get(id)).flatten().copied()
    }

    fn own(&self, id: &ObjectId) -> impl Iterator<Item = usize> {
        self.tenant.holdings.own.get(id).into_iter().flatten().copied()
    }

    fn grant(&self, at: usize) -> GrantIx {
        GrantIx(u32::try_from(self.base + at).unwrap_or(u32::MAX))
    }

    /// Slices of what some principals hold, under a condition.
    fn slices(
        &self,
        holders: &BTreeSet<ObjectId>,
        who: &BTreeSet<ObjectId>,
        under: &Condition,
        doubts: &mut Vec<Doubt>,
        slices: &mut Vec<Slice>,
    ) {
        let assigned = &self.tenant.assigned;
        let listed = assigned.authorizer.access_of(holders, who, self.catalogue, Some(&self.roles));
        doubts.extend(listed.doubts);
        for slice in listed.slices {
            let at = slice.grant.0 as usize;
            let beside = assigned.beside.get(at).map(|beside| &beside.under);
            let condition = match beside.filter(|beside| !beside.is_unconditional() || !under.is_unconditional()) {
                Some(beside) => Arc::new(slice.condition.and(beside).and(under)),
                None => slice.condition,
            };
            slices.push(Slice { condition, grant: self.grant(at), ..slice });
        }
        self.held(self.holdings(holders), under, slices);
    }

    fn held(&self, numbers: impl Iterator<Item = usize>, under: &Condition, slices: &mut Vec<Slice>) {
        for number in numbers {
            let (Some(holding), Some(blocks)) = (self.tenant.holdings.all.get(number), self.blocks.get(number)) else {
                continue;
            };
            let reach = holding.scope.as_ref().map(|scope| self.tenant.assigned.authorizer.reach(scope));
            let scope = Arc::new(reach.unwrap_or_else(ResourceScope::everything));
            for (operations, condition) in blocks.iter().filter(|(operations, _)| !operations.is_empty()) {
                let mut condition_of = holding.under.and(under);
                if let Some(text) = condition {
                    condition_of = condition_of.with(Clause::Opaque(Arc::clone(text)));
                }
                slices.push(Slice {
                    operations: Arc::clone(operations),
                    scope: Arc::clone(&scope),
                    condition: Arc::new(condition_of),
                    grant: self.grant(self.tenant.assigned.beside.len() + number),
                });
            }
        }
    }

    fn compile(&self, actor: &Actor, doubts: Vec<Doubt>) -> (Access, bool) {
        let groups = &self.tenant.assigned.authorizer.world().groups;
        let who = groups.of(&actor.object);
        let (mut doubts, mut slices) = (doubts, Vec::new());
        self.slices(&who, &who, &actor.under, &mut doubts, &mut slices);
        self.held(self.own(&actor.object), &actor.under, &mut slices);
        for (group, under) in &actor.ready {
            let holders = groups.of(group);
            let both = who.union(&holders).cloned().collect();
            doubts.extend(self.doubts(&holders));
            self.slices(&holders, &both, under, &mut doubts, &mut slices);
        }
        doubts.sort_unstable_by(|a, b| (&a.text, a.about).cmp(&(&b.text, b.about)));
        doubts.dedup();
        let admin = slices.iter().any(|slice| {
            slice.condition.is_unconditional()
                && slice.scope.is_everything()
                && slice.operations.intersects(&self.decisive)
        });
        (Access::new(slices, doubts, false), admin)
    }
}

/// Whoever may do one of these everywhere controls the tenant: he gives himself whatever role he wants.
const ADMIN: &[&str] =
    &["Microsoft.Authorization/roleAssignments/write", "microsoft.directory/roleAssignments/allProperties/update"];

/// The operations of each holding; those that allow the same share them.
fn blocks(holdings: &Holdings, catalogue: &Catalogue) -> Vec<Blocks> {
    let mut known: HashMap<Arc<[Allowed]>, Blocks, FixedState> = HashMap::default();
    let compile = |allowed: &[Allowed]| -> Blocks {
        let each = allowed.iter().map(|block| {
            let out = catalogue.matching(&block.excluded, Plane::Directory);
            let operations = catalogue.matching(&block.actions, Plane::Directory).difference(&out);
            (Arc::new(operations), block.condition.clone())
        });
        each.collect()
    };
    let all = holdings.all.iter().map(|held| {
        let blocks = known.entry(Arc::clone(&held.allowed)).or_insert_with(|| compile(&held.allowed));
        Arc::clone(blocks)
    });
    all.collect()
}

impl Resolver {
    /// Compiles the access of all tenants.
    pub(crate) fn of(tenants: &[Tenant]) -> Self {
        let resources = tenants.iter().flat_map(|tenant| tenant.assigned.authorizer.world().patterns());
        let directory = tenants.iter().flat_map(|tenant| tenant.holdings.patterns());
        let catalogue = Catalogue::global().with(resources.chain(directory.map(|pattern| (Plane::Directory, pattern))));
        let mut resolver = Self {
            catalogue,
            sets: Vec::new(),
            identities: HashMap::default(),
            unread: HashMap::default(),
            grants: Vec::new(),
            bonds: Vec::new(),
            origins: Vec::new(),
            ready: HashMap::default(),
            edges: Vec::new(),
            left_out: Vec::new(),
        };
        for tenant in tenants {
            resolver.add(tenant);
        }
        resolver.edges.sort_by(|a, b| (&a.source, &a.target, &a.technique).cmp(&(&b.source, &b.target, &b.technique)));
        resolver.edges.dedup_by(|a, b| a.source == b.source && a.target == b.target && a.technique == b.technique);
        resolver
    }

    fn add(&mut self, tenant: &Tenant) {
        let compiling = Compiling {
            tenant,
            catalogue: &self.catalogue,
            roles: tenant.assigned.authorizer.known_blocks(&self.catalogue),
            blocks: blocks(&tenant.holdings, &self.catalogue),
            decisive: self.catalogue.all_of(ADMIN),
            base: self.grants.len(),
        };
        let keys: Vec<Key> = tenant.actors.par_iter().map(|actor| compiling.key(actor)).collect();
        let first = u32::try_from(self.sets.len()).unwrap_or(u32::MAX);
        let mut numbers: HashMap<&Key, u32, FixedState> = HashMap::default();
        let mut distinct: Vec<(&Actor, &Key)> = Vec::new();
        let mut places: Vec<(IdentityId, u32)> = Vec::with_capacity(keys.len());
        for (actor, key) in tenant.actors.iter().zip(&keys) {
            let number = *numbers.entry(key).or_insert_with(|| {
                distinct.push((actor, key));
                first.saturating_add(u32::try_from(distinct.len() - 1).unwrap_or(u32::MAX))
            });
            places.push((actor.id.clone(), number));
        }
        // Many hold the same roles in different places: what they allow together is kept once, and not first made for all.
        let mut held = BTreeSet::new();
        for some in distinct.chunks(TOGETHER) {
            let sets: Vec<(Access, bool)> =
                some.par_iter().map(|(actor, key)| compiling.compile(actor, key.doubts.clone())).collect();
            let shared = sets.into_iter().map(|(access, admin)| (Arc::new(access.sharing(&mut held)), admin));
            self.sets.extend(shared.map(|(access, admin)| Compiled { access, admin }));
        }
        self.identities.extend(places);
        let unread = tenant.actors.iter().filter(|actor| !actor.unread.is_empty());
        self.unread.extend(unread.map(|actor| (actor.id.clone(), actor.unread.clone())));
        let ready = tenant.actors.iter().filter(|actor| !actor.ready.is_empty());
        let names = |actor: &Actor| -> Vec<ObjectId> { actor.ready.iter().map(|(group, _)| group.clone()).collect() };
        self.ready.extend(ready.map(|actor| (actor.id.clone(), names(actor))));
        let base = self.grants.len();
        let authorizer = &tenant.assigned.authorizer;
        self.origins.push(Origin {
            first: u32::try_from(base).unwrap_or(u32::MAX),
            groups: authorizer.world().groups.clone(),
            denies: Arc::clone(authorizer.denies()),
            cloud: tenant.cloud,
        });
        self.bonds.extend(tenant.assigned.beside.iter().map(|beside| beside.bond.clone()));
        self.bonds.extend(tenant.holdings.all.iter().map(|held| held.bond.clone()));
        self.grants.extend(tenant.assigned.beside.iter().map(|beside| beside.grant.clone()));
        self.grants.extend(tenant.holdings.all.iter().map(|held| held.grant.clone()));
        let (edges, left_out) = edges::of(tenant, self, base);
        self.edges.extend(edges);
        self.left_out.extend(left_out);
    }

    pub(crate) fn catalogue(&self) -> &Catalogue {
        &self.catalogue
    }

    fn compiled(&self, identity: &IdentityId) -> Option<&Compiled> {
        self.sets.get(*self.identities.get(identity)? as usize)
    }

    /// The operations that a question names.
    fn operation(&self, asked: &str) -> Result<OpSet, DecideError> {
        let name = asked.trim();
        let found = if name.contains('*') { OpSet::new() } else { self.catalogue.expand(name) };
        if found.is_empty() {
            return Err(DecideError::UnknownOperation {
                operation: asked.to_owned(),
                remedy: "write it as role definitions do, such as `Microsoft.Compute/virtualMachines/start/action` or \
                         `microsoft.directory/users/password/update`, or `microsoft.graph/Mail.Read` for a permission"
                    .to_owned(),
            });
        }
        Ok(found)
    }
}

impl AccessResolver for Resolver {
    fn catalog(&self) -> &dyn Catalog {
        &self.catalogue
    }

    fn access_key(&self, identity: &IdentityId) -> Option<u64> {
        self.identities.get(identity).map(|number| u64::from(*number))
    }

    fn access(&self, identity: &IdentityId) -> Option<Arc<Access>> {
        self.compiled(identity).map(|compiled| Arc::clone(&compiled.access))
    }

    fn is_admin(&self, identity: &IdentityId) -> Option<bool> {
        let compiled = self.compiled(identity)?;
        let may_gain = compiled.access.doubts.iter().any(Doubt::may_add);
        let may_lose = compiled.access.doubts.iter().any(Doubt::may_limit);
        if compiled.admin && may_lose || !compiled.admin && may_gain { None } else { Some(compiled.admin) }
    }

    fn grant(&self, grant: GrantIx) -> Grant {
        self.grants.get(grant.0 as usize).cloned().unwrap_or_else(|| Grant {
            policy: Arc::from(""),
            statement: None,
            name: Arc::from(""),
            evidence: Evidence::whole(""),
        })
    }

    fn decide(&self, identity: &IdentityId, request: &Request) -> Result<Decision, DecideError> {
        let asked = self.operation(&request.operation)?;
        let named = request.resource.as_deref().map(str::trim).filter(|text| *text != "*");
        let resource = named.map(ArmId::parse).transpose().map_err(|bad| DecideError::BadResource {
            resource: bad.0,
            remedy:
                "write its id from the root on, such as `/subscriptions/ID/resourceGroups/NAME`; leave it out for the \
                     directory"
                    .to_owned(),
        })?;
        let mut decision =
            Decision { outcome: Outcome::Unknown, blocked_by: Vec::new(), because: Vec::new(), conditions: Vec::new() };
        let Some(compiled) = self.compiled(identity) else { return Ok(decision) };
        let reaches = |slice: &Slice| match &resource {
            Some(id) => slice.scope.matches(&[id.as_str()]),
            None => Truth::Yes,
        };
        let speaking = compiled.access.slices().iter().filter(|slice| slice.operations.intersects(&asked));
        let held: Vec<(&Slice, Truth)> =
            speaking.map(|slice| (slice, reaches(slice))).filter(|(_, reach)| *reach != Truth::No).collect();
        let sure: Vec<&(&Slice, Truth)> = held.iter().filter(|(_, reach)| *reach == Truth::Yes).collect();
        let free = sure.iter().any(|(slice, _)| slice.condition.is_unconditional());
        let may_add = compiled.access.doubts.iter().any(Doubt::may_add) || held.len() > sure.len();
        let may_limit = compiled.access.doubts.iter().any(Doubt::may_limit);
        decision.outcome = match (sure.is_empty(), free) {
            (true, _) if may_add => Outcome::Unknown,
            (true, _) => Outcome::ImplicitlyDenied,
            (false, _) if may_limit => Outcome::Unknown,
            (false, true) => Outcome::Allowed,
            (false, false) => Outcome::Conditional,
        };
        if sure.is_empty() {
            decision.blocked_by =
                vec![Arc::from("its roles and permissions: none grants it, or a deny assignment takes it away")];
        }
        if decision.outcome == Outcome::Conditional {
            decision.conditions = sure.iter().map(|(slice, _)| slice.condition.to_string()).collect();
        }
        decision.because = sure.iter().map(|(slice, _)| self.grant(slice.grant)).collect();
        decision.because.sort();
        decision.because.dedup();
        Ok(decision)
    }

    fn edges(&self) -> Vec<Edge> {
        self.edges.clone()
    }

    fn takes(&self, technique: &str) -> Option<Arc<str>> {
        edges::takes(technique)
    }

    fn edges_left_out(&self) -> Vec<Hint> {
        self.left_out.clone()
    }

    fn unlisted(&self, identity: &IdentityId) -> Vec<Unlisted> {
        self.unread.get(identity).into_iter().flatten().cloned().map(Unlisted::Unread).collect()
    }

    fn proposer(&self) -> Option<&dyn Proposes> {
        Some(self)
    }

    fn used(&self, _identity: &IdentityId) -> Option<OpSet> {
        None
    }
}

/// Who may activate the membership of which group, by member.
pub(crate) type Ready = BTreeMap<ObjectId, Vec<(ObjectId, Condition)>>;
