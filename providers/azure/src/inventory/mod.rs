//! What the answers say, in evenhand's vocabulary: one tenant at a time.

mod activated;
mod applications;
mod credentials;
mod declared;
mod factors;
mod gaps;
mod logs;
mod people;
mod registry;
mod resources;
mod roles;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use evenhand_model::access::{AccessResolver, Doubt, DoubtEffect, Unread};
use evenhand_model::condition::Condition;
use evenhand_model::evidence::{Evidence, Fact, Truth};
use evenhand_model::gap::{Gap, GapKind};
use evenhand_model::id::{IdentityId, ScopeId};
use evenhand_model::identity::{Identity, Nature, Signal, Strength};
use evenhand_model::inventory::{Hint, Inventory};
use evenhand_model::provider::ReadOptions;
use evenhand_model::refusal::Refusal;
use evenhand_model::trust::{Mechanism, Trust};

use crate::PROVIDER;
use crate::access::edges::Ground;
use crate::access::holdings::Holdings;
use crate::access::world::Assigned;
use crate::access::{Actor, Ready, Resolver, Tenant};
use crate::catalog::graph::MICROSOFT_GRAPH;
use crate::documents::route::Route;
use crate::documents::told::Told;
use crate::facts::{Facts, TenantFacts};
use crate::rbac::{Groups, ObjectId};

/// The scope that a tenant is: `azure:<tenant id>`.
pub(crate) fn scope_of(tenant: &str) -> ScopeId {
    let name = if tenant.is_empty() { "tenant" } else { tenant };
    ScopeId::new(format!("azure:{name}"))
}

/// What takes part in a tenant, by the ids of objects in lower case.
type Ids = BTreeMap<String, IdentityId>;

/// One tenant under way.
struct Join<'a> {
    facts: &'a TenantFacts,
    tenant: &'a str,
    scope: ScopeId,
    options: &'a ReadOptions,
    groups: Groups,
    /// Whether the members of every group were read.
    every_member_read: bool,
    /// Whether it was read who holds permissions of Microsoft Graph, all holders at once.
    graphs_holders_read: bool,
    /// The refusals to tell which permissions a principal holds, by the principal.
    permissions_refused: BTreeMap<&'a str, &'a Refusal>,
    /// Who is assigned Azure roles.
    assigned: BTreeSet<ObjectId>,
    /// Users, and groups that people are in.
    people: BTreeSet<ObjectId>,
    /// Groups that people are in only while their membership is activated.
    activated: BTreeMap<String, Condition>,
    ready: Ready,
    ids: Ids,
    actors: Vec<Actor>,
    ground: Ground,
    unread: Vec<Arc<Unread>>,
    inventory: Inventory,
}

/// Joins what was read. No resolver where no tenant was.
pub(crate) fn join(facts: &Facts, options: &ReadOptions) -> (Inventory, Option<Resolver>) {
    let mut inventory = Inventory::default();
    let mut tenants = Vec::new();
    for (tenant, facts) in &facts.tenants {
        let mut join = Join::of(tenant, facts, options);
        join.take();
        let assigned = Assigned::of(facts, std::mem::take(&mut join.groups), &join.people);
        let holdings = Holdings::of(facts, &join.people);
        for (evidence, message) in &assigned.notes {
            join.inventory.hints.push(Hint { evidence: evidence.clone(), message: message.as_str().into() });
        }
        for (route, reason) in &assigned.unplaced {
            let gap = join.gap(GapKind::Failed, *route, reason.clone());
            join.inventory.gaps.push(gap);
        }
        join.strongest_first(&holdings);
        tenants.push(Tenant { assigned, holdings, actors: join.actors, ground: join.ground, cloud: facts.cloud });
        inventory.merge(join.inventory);
    }
    if inventory.identities.is_empty() {
        return (inventory, None);
    }
    let resolver = Resolver::of(&tenants);
    roles::drop_empty(&mut inventory, &resolver);
    (inventory, Some(resolver))
}

impl<'a> Join<'a> {
    fn of(tenant: &'a str, facts: &'a TenantFacts, options: &'a ReadOptions) -> Self {
        let scope = scope_of(tenant);
        let lower = |id: &str| ObjectId::new(id);
        let members = facts
            .members
            .iter()
            .flat_map(|(group, members)| members.all().iter().map(move |member| (lower(group), lower(&member.id))));
        let of_members = facts
            .member_of
            .iter()
            .flat_map(|(member, groups)| groups.all().iter().map(move |group| (lower(&group.id), lower(member))));
        let mut join = Self {
            facts,
            tenant,
            groups: Groups::new(members.chain(of_members)),
            every_member_read: facts.read.contains(&Route::Groups)
                && facts.groups.keys().all(|group| is_read(facts.members.get(group))),
            graphs_holders_read: facts.app_roles_to.iter().any(|id| is_graph(facts, id)),
            permissions_refused: facts
                .unanswered
                .iter()
                .rev()
                .filter(|held| held.route == Route::AppRoleAssignments)
                .map(|held| (held.of.as_str(), &held.refusal))
                .collect(),
            assigned: facts.role_assignments.all().iter().map(|held| lower(&held.own.principal_id)).collect(),
            people: BTreeSet::new(),
            activated: BTreeMap::new(),
            ready: Ready::new(),
            ids: Ids::new(),
            actors: Vec::new(),
            ground: Ground { tenant: Some(scope.clone()), ..Ground::default() },
            unread: Vec::new(),
            scope,
            options,
            inventory: Inventory::default(),
        };
        join.find_people();
        join.find_activated();
        join
    }

    fn take(&mut self) {
        self.take_gaps();
        self.name_everybody();
        self.take_users();
        self.take_groups();
        self.take_principals();
        self.take_resources();
        self.take_unlisted();
        self.take_roles();
        self.take_owned();
        self.take_logs();
        self.take_registry();
        self.take_risks();
    }

    /// An identity's id.
    fn id(&self, kind: &str, object: &str) -> IdentityId {
        IdentityId::new(format!("{}:{kind}:{}", self.scope, object.to_ascii_lowercase()))
    }

    fn identity(&self, id: &IdentityId, kind: &'static str, name: impl Into<Arc<str>>, at: &Evidence) -> Identity {
        Identity::new(id.clone(), PROVIDER, self.scope.clone(), kind, name, at.clone())
    }

    fn trust(&mut self, source: &IdentityId, target: &IdentityId, mechanism: Mechanism, at: &Evidence) {
        self.inventory.trusts.push(Trust {
            source: source.shared(),
            target: target.clone(),
            provider: PROVIDER,
            mechanism,
            constraint: Arc::from(""),
            weak: Truth::No,
            weakness: Arc::from(""),
            evidence: at.clone(),
        });
    }

    /// Whether a list was read.
    fn is_read(&self, route: Route) -> bool {
        self.facts.read.contains(&route)
    }

    /// Something whose access is asked for.
    fn actor(&mut self, id: IdentityId, object: &str, mut doubts: Vec<Doubt>, unread: Vec<Arc<Unread>>) {
        let object = ObjectId::new(object);
        let facts = self.facts;
        if !facts.directory_assignments.is_read() && !facts.directory_active.is_read() {
            doubts.push(Doubt::new("directory roles", DoubtEffect::Adds));
        }
        if !facts.role_assignments.is_read() {
            doubts.push(Doubt::new("Azure role assignments", DoubtEffect::Adds));
        } else if !self.is_read(Route::DenyAssignments) && self.holds_roles(&object) {
            doubts.push(Doubt::new("deny assignments", DoubtEffect::Limits));
        }
        let ready = self.ready.get(&object).cloned().unwrap_or_default();
        let under = self.activated.get(object.as_str()).cloned().unwrap_or_default();
        self.actors.push(Actor { id, object, ready, under, doubts, unread });
    }

    fn holds_roles(&self, object: &ObjectId) -> bool {
        self.groups.of(object).iter().any(|holder| self.assigned.contains(holder))
    }

    /// What was not read and may offer steps to whoever acts by itself.
    fn note_unread(&mut self, what: &str, gap: &Gap) {
        self.unread.push(Arc::new(Unread { what: what.into(), gap: gap.clone() }));
    }

    /// Evidence of what follows from the tenant as a whole.
    fn somewhere(&self) -> Evidence {
        let organisation = self.facts.organisation.as_ref().map(|held| held.at.clone());
        organisation.or_else(|| self.facts.somewhere.clone()).unwrap_or_else(|| Evidence::whole("azure"))
    }

    /// Sorts applications so that those are listed first from which a way leads to the whole tenant.
    fn strongest_first(&mut self, holdings: &Holdings) {
        let object_of: BTreeMap<&IdentityId, &str> =
            self.ids.iter().map(|(object, id)| (id, object.as_str())).collect();
        for target in &mut self.ground.applications {
            let Some(object) = object_of.get(&target.id).map(|object| ObjectId::new(object)) else { continue };
            let lists = [holdings.own.get(&object), holdings.roles.get(&object)];
            let mut numbers = lists.into_iter().flatten().flatten();
            target.strong = numbers.any(|number| holdings.all.get(*number).is_some_and(|held| held.tier0.is_some()));
        }
        self.ground.applications.sort_by(|a, b| (!a.strong, &a.id).cmp(&(!b.strong, &b.id)));
    }
}

/// A signal in one line.
fn signal(nature: Nature, strength: Strength, reason: impl Into<Arc<str>>, at: &Evidence) -> Signal {
    Signal { nature, strength, reason: reason.into(), evidence: at.clone() }
}

/// A name that sounds like an agent: a hint, never a proof.
fn of_name(name: &str, at: &Evidence) -> Option<Signal> {
    const WORDS: [&str; 10] = ["agent", "agents", "ai", "llm", "gpt", "claude", "codex", "copilot", "gemini", "devin"];
    let word = evenhand_model::words::words(name).into_iter().find(|word| WORDS.contains(&word.as_str()))?;
    Some(signal(Nature::AiAgent, Strength::Weak, format!("its name holds the word `{word}`"), at))
}

/// Two sources of one fact: either may know it, and only both can rule it out.
fn either<T>(one: Fact<T>, other: Fact<T>) -> Fact<T> {
    match (one, other) {
        (Fact::Known(value), _) | (_, Fact::Known(value)) => Fact::Known(value),
        (Fact::Absent, Fact::Absent) => Fact::Absent,
        _ => Fact::Unknown,
    }
}

/// Whether a principal is that of Microsoft Graph.
fn is_graph(facts: &TenantFacts, id: &str) -> bool {
    let app = facts.principals.get(id).and_then(|held| held.app_id.as_deref());
    app.is_some_and(|app| app.eq_ignore_ascii_case(MICROSOFT_GRAPH))
}

fn is_read<T>(list: Option<&Told<T>>) -> bool {
    list.is_some_and(Told::is_read)
}

/// Whether an identity holds anything at all.
fn holds_something(resolver: &Resolver, id: &IdentityId) -> bool {
    resolver.access(id).is_some_and(|access| !access.slices().is_empty() || !access.doubts.is_empty())
}
