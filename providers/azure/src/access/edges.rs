//! Steps to more access: permissions and roles that lead to the whole tenant, credentials for applications, identities that
//! machines carry, assignments for oneself.
//!
//! Sources: `catalog::tier0` for what leads to the tenant; "Privileged built-in roles" and the pages of each resource type
//! for what makes one of its machines run somebody's code; "Configure an app to trust an external identity provider" for
//! federated credentials. A step that Graph lets an application take only with a permission is there only with it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use evenhand_model::access::{Access, AccessResolver, Edge, EdgeTarget, Grant, Slice};
use evenhand_model::evidence::{Evidence, Truth};
use evenhand_model::glob::Glob;
use evenhand_model::id::{IdentityId, ScopeId};
use evenhand_model::inventory::Hint;
use foldhash::fast::FixedState;
use rayon::prelude::*;

use super::{Resolver, Tenant};
use crate::catalog::Catalogue;
use crate::catalog::classes::ACTIVATION;
use crate::catalog::tier0::{Class, Kind, TIER_ZERO, TierZero};
use crate::rbac::ObjectId;

/// Steps of one identity by one technique that are listed; whoever reaches more reaches more of the same.
const MOST: usize = 64;

/// An identity that may be become.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) id: IdentityId,
    /// Its own object and, of applications, the definition's, as resources of the directory.
    pub(crate) objects: Vec<String>,
    /// Whether it leads to the whole tenant.
    pub(crate) strong: bool,
}

/// A managed identity of its own.
#[derive(Clone, Debug)]
pub(crate) struct Assignable {
    pub(crate) id: IdentityId,
    /// The id of its resource, in lower case.
    pub(crate) resource: String,
}

/// A resource that carries identities.
#[derive(Clone, Debug)]
pub(crate) struct Carrier {
    /// Its id, in lower case.
    pub(crate) resource: String,
    /// Its type, in lower case.
    pub(crate) kind: String,
    pub(crate) carries: Vec<IdentityId>,
}

/// Somebody who owns an application.
#[derive(Clone, Debug)]
pub(crate) struct Owned {
    pub(crate) owner: IdentityId,
    pub(crate) target: IdentityId,
    pub(crate) evidence: Evidence,
}

/// The technique by which a blueprint acts as an agent that is made from it.
pub(super) const AGENT_OF_BLUEPRINT: &str = "entra-agent-of-blueprint";

/// What steps lead to in a tenant.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ground {
    pub(crate) tenant: Option<ScopeId>,
    /// Who takes steps: whatever is not a person's.
    pub(crate) sources: Vec<(IdentityId, ObjectId)>,
    /// Applications, the strongest first.
    pub(crate) applications: Vec<Target>,
    pub(crate) assignable: Vec<Assignable>,
    /// Resources whose keys work, with the identity that stands for whoever holds one.
    pub(crate) keyed: Vec<Assignable>,
    pub(crate) carriers: Vec<Carrier>,
    pub(crate) owned: Vec<Owned>,
    /// Principals of blueprints with the agents made from them.
    pub(crate) blueprints: Vec<Owned>,
    /// Agents with the user accounts that are theirs.
    pub(crate) users: Vec<Owned>,
}

/// What makes a resource of some type run one's code, or shows how to.
const RUNS: &[(&str, &[&str])] = &[
    ("microsoft.app/containerapps", &["Microsoft.App/containerApps/write"]),
    (
        "microsoft.automation/automationaccounts",
        &[
            "Microsoft.Automation/automationAccounts/jobs/write",
            "Microsoft.Automation/automationAccounts/runbooks/write",
        ],
    ),
    (
        "microsoft.compute/virtualmachines",
        &[
            "Microsoft.Compute/virtualMachines/extensions/write",
            "Microsoft.Compute/virtualMachines/runCommand/action",
            "Microsoft.Compute/virtualMachines/runCommands/write",
        ],
    ),
    ("microsoft.compute/virtualmachinescalesets", &["Microsoft.Compute/virtualMachineScaleSets/extensions/write"]),
    ("microsoft.containerinstance/containergroups", &["Microsoft.ContainerInstance/containerGroups/write"]),
    (
        "microsoft.hybridcompute/machines",
        &["Microsoft.HybridCompute/machines/extensions/write", "Microsoft.HybridCompute/machines/runCommands/write"],
    ),
    ("microsoft.logic/workflows", &["Microsoft.Logic/workflows/write"]),
    ("microsoft.web/sites", &["Microsoft.Web/sites/publishxml/action", "Microsoft.Web/sites/write"]),
];

/// Resources that take an identity when they are made or changed.
const TAKES_IDENTITY: &[&str] = &[
    "Microsoft.App/containerApps/write",
    "Microsoft.Automation/automationAccounts/write",
    "Microsoft.Compute/virtualMachineScaleSets/write",
    "Microsoft.Compute/virtualMachines/write",
    "Microsoft.ContainerInstance/containerGroups/write",
    "Microsoft.Logic/workflows/write",
    "Microsoft.Web/sites/write",
];

/// Whether an access allows something, and by what.
struct Asking<'a> {
    resolver: &'a Resolver,
    access: &'a Access,
}

impl<'a> Asking<'a> {
    fn catalogue(&self) -> &'a Catalogue {
        self.resolver.catalogue()
    }

    /// The slices that allow one of some operations; those that always do first.
    fn allowing(&self, operations: &[&str]) -> Vec<&'a Slice> {
        let wanted = self.catalogue().all_of(operations);
        if !self.access.operations().intersects(&wanted) {
            return Vec::new();
        }
        let speaking = self.access.slices().iter().filter(|slice| slice.operations.intersects(&wanted));
        let mut slices: Vec<&'a Slice> = speaking.collect();
        slices.sort_by_key(|slice| !slice.condition.is_unconditional());
        slices
    }

    /// The statements that grant some slices, each once: one may grant all that a step takes.
    fn grants<'s>(&self, slices: impl IntoIterator<Item = &'s Slice>) -> Arc<[Grant]> {
        let mut grants: Vec<Grant> = Vec::new();
        for grant in slices.into_iter().map(|slice| self.resolver.grant(slice.grant)) {
            if !grants.contains(&grant) {
                grants.push(grant);
            }
        }
        grants.into()
    }
}

/// The steps of some who hold the same, and what is left out of them, by the number of whose they are.
type Found = (Vec<Edge>, Vec<(usize, Hint)>);

/// The first of some slices that reaches a resource.
fn on<'s>(slices: &[&'s Slice], resource: &str) -> Option<&'s Slice> {
    slices.iter().copied().find(|slice| slice.scope.matches(&[resource]) == Truth::Yes)
}

/// The steps of a tenant's identities, and what is left out of them; `base`: the number of the first grant.
pub(super) fn of(tenant: &Tenant, resolver: &Resolver, base: usize) -> (Vec<Edge>, Vec<Hint>) {
    let ground = &tenant.ground;
    let mut owned: BTreeMap<&IdentityId, Vec<&Owned>> = BTreeMap::new();
    for held in &ground.owned {
        owned.entry(&held.owner).or_default().push(held);
    }
    let places = Places::of(ground);
    // Whoever holds the same reaches the same: that is looked for once, and not kept longer than it is asked about.
    let mut same: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
    for (number, (source, _)) in ground.sources.iter().enumerate() {
        if let Some(key) = resolver.access_key(source) {
            same.entry(key).or_default().push(number);
        }
    }
    let groups: Vec<Vec<usize>> = same.into_values().collect();
    let found: Vec<Found> = groups
        .par_iter()
        .map(|group| {
            let (mut edges, mut left_out) = (Vec::new(), Vec::new());
            let sources = || group.iter().filter_map(|number| Some((*number, ground.sources.get(*number)?)));
            let Some(access) = sources().next().and_then(|(_, (source, _))| resolver.access(source)) else {
                return (edges, left_out);
            };
            let asking = Asking { resolver, access: &access };
            let applications = to_applications(ground, &asking, group.len());
            let managed = to_managed(ground, &places, &asking, group.len());
            for (number, (source, object)) in sources() {
                to_tenant(tenant, &asking, source, object, &mut edges);
                to_scopes(tenant, &asking, base, source, &mut edges);
                let mut hints = vec![applications.take(&asking, source, &mut edges)];
                if let Some(owned) = owned.get(source) {
                    by_owning(&asking, owned, &mut edges);
                }
                hints.push(managed.take(&asking, source, &mut edges));
                left_out.extend(hints.into_iter().flatten().map(|hint| (number, hint)));
            }
            (edges, left_out)
        })
        .collect();
    let (mut edges, mut left_out) = (Vec::new(), Vec::new());
    for (more, hints) in found {
        edges.extend(more);
        left_out.extend(hints);
    }
    left_out.sort_by_key(|(number, _)| *number);
    let blueprints = ground.blueprints.iter().map(|held| (held, AGENT_OF_BLUEPRINT, "blueprint of the agent identity"));
    let users = ground.users.iter().map(|held| (held, "entra-user-of-agent", "user account of the agent identity"));
    edges.extend(blueprints.chain(users).map(|(held, technique, policy)| Edge {
        source: held.owner.clone(),
        target: EdgeTarget::Identity(held.target.clone()),
        technique: Arc::from(technique),
        escalation: false,
        conditional: false,
        grants: Arc::from([Grant {
            policy: Arc::from(policy),
            statement: None,
            name: Arc::from(""),
            evidence: held.evidence.clone(),
        }]),
    }));
    (edges, left_out.into_iter().map(|(_, hint)| hint).collect())
}

/// Resources in the order of their ids, so that those at or below a scope stand side by side.
struct Sorted<'g>(Vec<(&'g str, usize)>);

impl<'g> Sorted<'g> {
    fn of(resources: impl Iterator<Item = &'g String>) -> Self {
        let mut all: Vec<(&str, usize)> = resources.enumerate().map(|(at, id)| (id.as_str(), at)).collect();
        all.sort_unstable();
        Self(all)
    }

    /// The resources that a slice may reach: by its one list of scopes that names the fewest.
    fn near(&self, slice: &Slice) -> Vec<(&'g str, usize)> {
        let everything = || self.0.clone();
        let Some(list) = slice.scope.all_of.iter().min_by_key(|list| list.len()) else { return everything() };
        let mut near = Vec::new();
        for pattern in list.iter() {
            let (head, alone) = match pattern.segments() {
                [Glob::Literal(id)] => (id, true),
                [Glob::Prefix(head)] => (head, false),
                _ => return everything(),
            };
            let start = self.0.partition_point(|(id, _)| **id < **head);
            let behind = self.0.get(start..).unwrap_or_default().iter();
            let fits = |id: &str| if alone { *id == **head } else { id.starts_with(&**head) };
            near.extend(behind.take_while(|(id, _)| fits(id)));
        }
        near
    }

    /// The resources that some slices reach, by their places, each with the first slice that does.
    fn reached<'s>(&self, slices: &[&'s Slice]) -> BTreeMap<usize, &'s Slice> {
        let mut reached = BTreeMap::new();
        for slice in slices.iter().copied() {
            for (id, at) in self.near(slice) {
                if !reached.contains_key(&at) && slice.scope.matches(&[id]) == Truth::Yes {
                    reached.insert(at, slice);
                }
            }
        }
        reached
    }
}

/// What may be become in a tenant, by the places of their resources.
struct Places<'g> {
    assignable: Sorted<'g>,
    keyed: Sorted<'g>,
    /// By the type of the resource.
    carriers: BTreeMap<&'g str, (Vec<usize>, Sorted<'g>)>,
}

impl<'g> Places<'g> {
    fn of(ground: &'g Ground) -> Self {
        let mut by_kind: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (at, carrier) in ground.carriers.iter().enumerate() {
            by_kind.entry(&carrier.kind).or_default().push(at);
        }
        let sorted = |numbers: Vec<usize>| {
            let ids = numbers.iter().filter_map(|at| Some(&ground.carriers.get(*at)?.resource));
            let sorted = Sorted::of(ids);
            (numbers, sorted)
        };
        Self {
            assignable: Sorted::of(ground.assignable.iter().map(|held| &held.resource)),
            keyed: Sorted::of(ground.keyed.iter().map(|held| &held.resource)),
            carriers: by_kind.into_iter().map(|(kind, numbers)| (kind, sorted(numbers))).collect(),
        }
    }
}

/// A step to an identity. There may be tens of thousands for each of tens of thousands, so that none allocates.
struct Step<'a> {
    target: &'a IdentityId,
    technique: &'static str,
    by: &'a Slice,
    /// What is needed besides.
    with: Option<&'a Slice>,
}

impl<'a> Step<'a> {
    fn slices(&self) -> impl Iterator<Item = &'a Slice> {
        std::iter::once(self.by).chain(self.with)
    }
}

/// So many sources look through all steps sooner than those are counted by where they lead.
const FEW: usize = 8;

/// Steps that all who hold the same have in common; nobody takes one to himself.
struct Steps<'a> {
    /// What they are, for people.
    what: &'static str,
    all: Vec<Step<'a>>,
    /// How many lead to each, where many sources ask.
    to: Option<HashMap<&'a IdentityId, usize, FixedState>>,
}

impl<'a> Steps<'a> {
    fn of(what: &'static str, all: Vec<Step<'a>>, sources: usize) -> Self {
        let to = (sources > FEW && all.len() > MOST).then(|| {
            let mut to: HashMap<&IdentityId, usize, FixedState> = HashMap::default();
            all.iter().for_each(|step| *to.entry(step.target).or_default() += 1);
            to
        });
        Self { what, all, to }
    }

    /// How many lead to an identity.
    fn to(&self, identity: &IdentityId) -> usize {
        match &self.to {
            Some(to) => to.get(identity).copied().unwrap_or_default(),
            None => self.all.iter().filter(|step| step.target == identity).count(),
        }
    }

    /// Adds the steps of one source, as many as are listed; returns a word about those that are left out.
    fn take(&self, asking: &Asking<'_>, source: &IdentityId, edges: &mut Vec<Edge>) -> Option<Hint> {
        let others = || self.all.iter().filter(|step| step.target != source);
        edges.extend(others().take(MOST).map(|step| Edge {
            source: source.clone(),
            target: EdgeTarget::Identity(step.target.clone()),
            technique: Arc::from(step.technique),
            escalation: true,
            conditional: step.slices().any(|slice| !slice.condition.is_unconditional()),
            grants: asking.grants(step.slices()),
        }));
        if self.all.len() <= MOST {
            return None;
        }
        let more = (self.all.len() - self.to(source)).saturating_sub(MOST);
        let last = self.all.iter().rev().find(|step| step.target != source).filter(|_| more > 0)?;
        Some(Hint {
            evidence: asking.resolver.grant(last.by.grant).evidence,
            message: format!("{source} may {}: {more} further ones are not listed", self.what).into(),
        })
    }
}

/// The name of what leads to the whole tenant, as techniques have it.
fn written(tier0: &TierZero) -> String {
    tier0.name.replace(' ', "-")
}

/// What a step to the whole tenant takes that does not lead there by itself.
pub(super) fn takes(technique: &str) -> Option<Arc<str>> {
    let (prefix, name) = technique.split_once('.')?;
    let kind = match prefix {
        "graph" => Kind::Permission,
        "entra-role" | "entra-eligible" => Kind::Role,
        _ => return None,
    };
    let tier0 = TIER_ZERO.iter().find(|held| held.kind == kind && written(held) == name)?;
    match tier0.class {
        Class::Direct => None,
        Class::Indirect => Some(format!("there is something suitable: its holder {}", tier0.way).into()),
        Class::Legacy => {
            Some(format!("an interface that is being retired still lets it: its holder {}", tier0.way).into())
        }
    }
}

/// Permissions and roles that lead to the whole tenant. What takes something suitable besides may lead there or not.
fn to_tenant(tenant: &Tenant, asking: &Asking<'_>, source: &IdentityId, object: &ObjectId, edges: &mut Vec<Edge>) {
    let Some(scope) = &tenant.ground.tenant else { return };
    let who = tenant.assigned.authorizer.world().groups.of(object);
    let roles = who.iter().filter_map(|id| tenant.holdings.roles.get(id));
    let numbers = roles.chain(tenant.holdings.own.get(object)).flatten();
    let held =
        numbers.filter_map(|number| tenant.holdings.all.get(*number)).filter_map(|held| Some((held, held.tier0?)));
    let (ready, standing): (Vec<_>, Vec<_>) = held.partition(|(held, _)| held.under.keys().contains(&ACTIVATION));
    // What has to be activated first adds nothing to what is held anyway.
    for (holding, tier0) in if standing.is_empty() { ready } else { standing } {
        let prefix = match tier0.kind {
            Kind::Permission => "graph",
            Kind::Role if holding.under.keys().contains(&ACTIVATION) => "entra-eligible",
            Kind::Role => "entra-role",
        };
        edges.push(Edge {
            source: source.clone(),
            target: EdgeTarget::Admin(scope.clone()),
            technique: format!("{prefix}.{}", written(tier0)).into(),
            escalation: true,
            conditional: tier0.class != Class::Direct
                || !holding.under.is_unconditional()
                || asking.access.doubts.iter().any(evenhand_model::access::Doubt::may_limit),
            grants: Arc::from([holding.grant.clone()]),
        });
    }
}

/// Role assignments for oneself.
fn to_scopes(tenant: &Tenant, asking: &Asking<'_>, base: usize, source: &IdentityId, edges: &mut Vec<Edge>) {
    let assignments = &tenant.assigned.authorizer.world().assignments;
    for slice in asking.allowing(&["Microsoft.Authorization/roleAssignments/write"]) {
        let Some(held) = (slice.grant.0 as usize).checked_sub(base).and_then(|at| assignments.get(at)) else {
            continue;
        };
        edges.push(Edge {
            source: source.clone(),
            target: EdgeTarget::Admin(ScopeId::new(format!("azure:{}", held.scope))),
            technique: Arc::from("azure-role-assignment-write"),
            escalation: true,
            conditional: !slice.condition.is_unconditional() || !slice.scope.none_of.is_empty(),
            grants: asking.grants([slice]),
        });
    }
}

/// A credential of one's own for an application.
fn to_applications<'a>(ground: &'a Ground, asking: &Asking<'a>, sources: usize) -> Steps<'a> {
    const WRITES: [&str; 2] = [
        "microsoft.directory/applications/credentials/update",
        "microsoft.directory/servicePrincipals/credentials/update",
    ];
    let writes = asking.allowing(&WRITES);
    let reached = ground.applications.iter().filter(|_| !writes.is_empty()).filter_map(|target| {
        let reached = target.objects.iter().filter_map(|object| on(&writes, object));
        let best = reached.min_by_key(|slice| !slice.condition.is_unconditional())?;
        Some(Step { target: &target.id, technique: "entra-add-credential", by: best, with: None })
    });
    Steps::of("add a credential to applications", reached.collect(), sources)
}

/// An application adds credentials to those that it owns with a permission of its own alone.
fn by_owning(asking: &Asking<'_>, owned: &[&Owned], edges: &mut Vec<Edge>) {
    let permission = asking.allowing(&["microsoft.graph/Application.ReadWrite.OwnedBy"]);
    let Some(permission) = permission.first() else { return };
    for held in owned.iter().take(MOST) {
        let mut grants = vec![asking.resolver.grant(permission.grant)];
        grants.push(Grant {
            policy: Arc::from("owner of the application"),
            statement: None,
            name: Arc::from(""),
            evidence: held.evidence.clone(),
        });
        edges.push(Edge {
            source: held.owner.clone(),
            target: EdgeTarget::Identity(held.target.clone()),
            technique: Arc::from("entra-owner-adds-credential"),
            escalation: true,
            conditional: !permission.condition.is_unconditional(),
            grants: grants.into(),
        });
    }
}

/// Keys of resources, and managed identities: handed to a machine of one's own, given a federated credential, or used on
/// the machine that carries them.
fn to_managed<'a>(ground: &'a Ground, places: &Places<'_>, asking: &Asking<'a>, sources: usize) -> Steps<'a> {
    const ASSIGN: [&str; 2] = [
        "Microsoft.ManagedIdentity/userAssignedIdentities/*/assign/action",
        "Microsoft.ManagedIdentity/userAssignedIdentities/assign/action",
    ];
    const TRUST: [&str; 1] = ["Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials/write"];
    const LIST_KEYS: [&str; 1] = ["Microsoft.CognitiveServices/accounts/listKeys/action"];
    let mut found: Vec<Step<'a>> = Vec::new();
    let step = |target, technique, by| Step { target, technique, by, with: None };
    if !ground.assignable.is_empty() {
        let makes = asking.allowing(TAKES_IDENTITY);
        let assigns = places.assignable.reached(&if makes.is_empty() { Vec::new() } else { asking.allowing(&ASSIGN) });
        let trusts = places.assignable.reached(&asking.allowing(&TRUST));
        let either: BTreeSet<usize> = assigns.keys().chain(trusts.keys()).copied().collect();
        for (at, identity) in either.iter().filter_map(|at| Some((at, ground.assignable.get(*at)?))) {
            if let Some(trust) = trusts.get(at) {
                found.push(step(&identity.id, "azure-write-federated-credential", *trust));
            }
            if let (Some(make), Some(assign)) = (makes.first(), assigns.get(at)) {
                let with = Some(*make);
                found.push(Step { with, ..step(&identity.id, "azure-assign-managed-identity", *assign) });
            }
        }
    }
    if !ground.keyed.is_empty() {
        let lists = places.keyed.reached(&asking.allowing(&LIST_KEYS));
        let keyed = lists.into_iter().filter_map(|(at, lists)| Some((&ground.keyed.get(at)?.id, lists)));
        found.extend(keyed.map(|(id, lists)| step(id, "azure-list-keys", lists)));
    }
    let mut runs: BTreeMap<usize, &Slice> = BTreeMap::new();
    for (kind, operations) in RUNS {
        let Some((numbers, sorted)) = places.carriers.get(kind) else { continue };
        let reached = sorted.reached(&asking.allowing(operations));
        runs.extend(reached.into_iter().filter_map(|(at, run)| Some((*numbers.get(at)?, run))));
    }
    for (carrier, run) in runs.into_iter().filter_map(|(at, run)| Some((ground.carriers.get(at)?, run))) {
        found.extend(carrier.carries.iter().map(|held| step(held, "azure-run-code-on-carrier", run)));
    }
    Steps::of("become managed identities", found, sources)
}

#[cfg(test)]
mod tests {
    use evenhand_model::catalog::Catalog;

    use super::*;

    #[test]
    fn every_operation_of_a_step_is_in_the_catalogue() {
        let catalogue = Catalogue::global();
        for name in RUNS.iter().flat_map(|(_, names)| *names).chain(TAKES_IDENTITY) {
            assert_eq!(catalogue.expand(name).len(), 1, "{name}");
        }
    }
}
