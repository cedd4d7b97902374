//! Steps to more access: permissions and roles that lead to the whole tenant, credentials for applications, identities that
//! machines carry, assignments for oneself.
//!
//! Sources: `catalog::tier0` for what leads to the tenant; "Privileged built-in roles" and the pages of each resource type
//! for what makes one of its machines run somebody's code; "Configure an app to trust an external identity provider" for
//! federated credentials. A step that Graph lets an application take only with a permission is there only with it.

use std::collections::BTreeMap;
use std::sync::Arc;

use evenhand_model::access::{Access, AccessResolver, Edge, EdgeTarget, Grant, Slice};
use evenhand_model::evidence::{Evidence, Truth};
use evenhand_model::id::{IdentityId, ScopeId};
use evenhand_model::inventory::Hint;

use super::{Resolver, Tenant};
use crate::catalog::Catalogue;
use crate::catalog::tier0::Class;
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

/// Whether an access allows something on a resource, and by what.
struct Asking<'a> {
    resolver: &'a Resolver,
    access: &'a Access,
}

impl Asking<'_> {
    fn catalogue(&self) -> &Catalogue {
        self.resolver.catalogue()
    }

    /// The slices that allow one of some operations; those that always do first.
    fn allowing(&self, operations: &[&str]) -> Vec<&Slice> {
        let wanted = self.catalogue().all_of(operations);
        if !self.access.operations().intersects(&wanted) {
            return Vec::new();
        }
        let speaking = self.access.slices().iter().filter(|slice| slice.operations.intersects(&wanted));
        let mut slices: Vec<&Slice> = speaking.collect();
        slices.sort_by_key(|slice| !slice.condition.is_unconditional());
        slices
    }

    fn grants(&self, slices: &[&Slice]) -> Arc<[Grant]> {
        slices.iter().map(|slice| self.resolver.grant(slice.grant)).collect()
    }
}

/// The first of some slices that reaches a resource.
fn on<'s>(slices: &[&'s Slice], resource: &str) -> Option<&'s Slice> {
    slices.iter().copied().find(|slice| slice.scope.matches(&[resource]) == Truth::Yes)
}

/// The steps of a tenant's identities, and what is left out of them; `base`: the number of the first grant.
pub(super) fn of(tenant: &Tenant, resolver: &Resolver, base: usize) -> (Vec<Edge>, Vec<Hint>) {
    let ground = &tenant.ground;
    let (mut edges, mut left_out) = (Vec::new(), Vec::new());
    let mut owned: BTreeMap<&IdentityId, Vec<&Owned>> = BTreeMap::new();
    for held in &ground.owned {
        owned.entry(&held.owner).or_default().push(held);
    }
    for (source, object) in &ground.sources {
        let Some(access) = resolver.access(source) else { continue };
        let asking = Asking { resolver, access: &access };
        to_tenant(tenant, &asking, source, object, &mut edges);
        to_scopes(tenant, &asking, base, source, &mut edges);
        to_applications(ground, &asking, source, &mut edges, &mut left_out);
        if let Some(owned) = owned.get(source) {
            by_owning(&asking, owned, &mut edges);
        }
        to_managed(ground, &asking, source, &mut edges, &mut left_out);
    }
    let blueprints =
        ground.blueprints.iter().map(|held| (held, "entra-agent-of-blueprint", "blueprint of the agent identity"));
    let users = ground.users.iter().map(|held| (held, "entra-user-of-agent", "user account of the agent identity"));
    edges.extend(blueprints.chain(users).map(|(held, technique, policy)| Edge {
        source: held.owner.clone(),
        target: EdgeTarget::Identity(held.target.clone()),
        technique: Arc::from(technique),
        escalation: false,
        conditional: false,
        grants: Arc::from([Grant {
            policy: Arc::from(policy),
            statement: 0,
            name: Arc::from(""),
            evidence: held.evidence.clone(),
        }]),
    }));
    (edges, left_out)
}

/// Permissions and roles that lead to the whole tenant. What takes something suitable besides may lead there or not.
fn to_tenant(tenant: &Tenant, asking: &Asking<'_>, source: &IdentityId, object: &ObjectId, edges: &mut Vec<Edge>) {
    let Some(scope) = &tenant.ground.tenant else { return };
    let who = tenant.assigned.authorizer.world().groups.of(object);
    let roles = who.iter().filter_map(|id| tenant.holdings.roles.get(id));
    let numbers = roles.chain(tenant.holdings.own.get(object)).flatten();
    for holding in numbers.filter_map(|number| tenant.holdings.all.get(*number)) {
        let Some(tier0) = holding.tier0 else { continue };
        let prefix = match tier0.kind {
            crate::catalog::tier0::Kind::Permission => "graph",
            crate::catalog::tier0::Kind::Role => "entra-role",
        };
        edges.push(Edge {
            source: source.clone(),
            target: EdgeTarget::Admin(scope.clone()),
            technique: format!("{prefix}.{}", tier0.name.replace(' ', "-")).into(),
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
            grants: asking.grants(&[slice]),
        });
    }
}

/// A credential of one's own for an application.
fn to_applications(
    ground: &Ground,
    asking: &Asking<'_>,
    source: &IdentityId,
    edges: &mut Vec<Edge>,
    left_out: &mut Vec<Hint>,
) {
    const WRITES: [&str; 2] = [
        "microsoft.directory/applications/credentials/update",
        "microsoft.directory/servicePrincipals/credentials/update",
    ];
    let writes = asking.allowing(&WRITES);
    if writes.is_empty() {
        return;
    }
    let (mut listed, mut more) = (0_usize, 0_usize);
    let mut last = None;
    for target in ground.applications.iter().filter(|target| target.id != *source) {
        let reached = target.objects.iter().filter_map(|object| on(&writes, object));
        let Some(best) = reached.min_by_key(|slice| !slice.condition.is_unconditional()) else { continue };
        last = Some(best);
        if listed == MOST {
            more += 1;
            continue;
        }
        listed += 1;
        edges.push(Edge {
            source: source.clone(),
            target: EdgeTarget::Identity(target.id.clone()),
            technique: Arc::from("entra-add-credential"),
            escalation: true,
            conditional: !best.condition.is_unconditional(),
            grants: asking.grants(&[best]),
        });
    }
    leave_out(asking, source, "add a credential to applications", more, last, left_out);
}

/// An application adds credentials to those that it owns with a permission of its own alone.
fn by_owning(asking: &Asking<'_>, owned: &[&Owned], edges: &mut Vec<Edge>) {
    let permission = asking.allowing(&["microsoft.graph/Application.ReadWrite.OwnedBy"]);
    let Some(permission) = permission.first() else { return };
    for held in owned.iter().take(MOST) {
        let mut grants = vec![asking.resolver.grant(permission.grant)];
        grants.push(Grant {
            policy: Arc::from("owner of the application"),
            statement: 0,
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

/// Keys of resources, and managed identities: handed to a machine of one's own, given a federated credential, or used on the machine that carries
/// them.
fn to_managed(
    ground: &Ground,
    asking: &Asking<'_>,
    source: &IdentityId,
    edges: &mut Vec<Edge>,
    left_out: &mut Vec<Hint>,
) {
    const ASSIGN: [&str; 2] = [
        "Microsoft.ManagedIdentity/userAssignedIdentities/*/assign/action",
        "Microsoft.ManagedIdentity/userAssignedIdentities/assign/action",
    ];
    const TRUST: [&str; 1] = ["Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials/write"];
    const LIST_KEYS: [&str; 1] = ["Microsoft.CognitiveServices/accounts/listKeys/action"];
    let (makes, assigns, trusts) = (asking.allowing(TAKES_IDENTITY), asking.allowing(&ASSIGN), asking.allowing(&TRUST));
    let mut found: Vec<(&IdentityId, &'static str, Vec<&Slice>)> = Vec::new();
    for identity in ground.assignable.iter().filter(|held| held.id != *source) {
        if let Some(trust) = on(&trusts, &identity.resource) {
            found.push((&identity.id, "azure-write-federated-credential", vec![trust]));
        }
        if let (Some(make), Some(assign)) = (makes.first(), on(&assigns, &identity.resource)) {
            found.push((&identity.id, "azure-assign-managed-identity", vec![assign, *make]));
        }
    }
    let lists = if ground.keyed.is_empty() { Vec::new() } else { asking.allowing(&LIST_KEYS) };
    for keyed in &ground.keyed {
        if let Some(lists) = on(&lists, &keyed.resource) {
            found.push((&keyed.id, "azure-list-keys", vec![lists]));
        }
    }
    let runs: Vec<(&str, Vec<&Slice>)> = RUNS
        .iter()
        .map(|(kind, operations)| (*kind, asking.allowing(operations)))
        .filter(|(_, slices)| !slices.is_empty())
        .collect();
    for carrier in ground.carriers.iter().filter(|_| !runs.is_empty()) {
        let of_kind = runs.iter().find(|(kind, _)| *kind == carrier.kind);
        if let Some(run) = of_kind.and_then(|(_, slices)| on(slices, &carrier.resource)) {
            let others = carrier.carries.iter().filter(|held| *held != source);
            found.extend(others.map(|held| (held, "azure-run-code-on-carrier", vec![run])));
        }
    }
    let more = found.len().saturating_sub(MOST);
    let last = found.last().and_then(|(_, _, slices)| slices.first().copied());
    for (target, technique, slices) in found.into_iter().take(MOST) {
        edges.push(Edge {
            source: source.clone(),
            target: EdgeTarget::Identity(target.clone()),
            technique: Arc::from(technique),
            escalation: true,
            conditional: slices.iter().any(|slice| !slice.condition.is_unconditional()),
            grants: asking.grants(&slices),
        });
    }
    leave_out(asking, source, "become managed identities", more, last, left_out);
}

fn leave_out(
    asking: &Asking<'_>,
    source: &IdentityId,
    what: &str,
    more: usize,
    by: Option<&Slice>,
    left_out: &mut Vec<Hint>,
) {
    if let Some(slice) = by.filter(|_| more > 0) {
        left_out.push(Hint {
            evidence: asking.resolver.grant(slice.grant).evidence,
            message: format!("{source} may {what}: {more} further ones are not listed").into(),
        });
    }
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
