//! The roles and bindings of one cluster, compiled against the catalogue.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, OnceLock};

use evenhand_model::access::{Access, Grant, GrantIx, Slice};
use evenhand_model::condition::Condition;
use evenhand_model::evidence::Evidence;
use evenhand_model::glob::Glob;
use evenhand_model::id::ScopeId;
use evenhand_model::opset::OpSet;
use evenhand_model::scope::{Pattern, ResourceScope};
use foldhash::fast::FixedState;
use rayon::prelude::*;

use super::builtin;
use crate::capture::{Cluster, Origin};
use crate::catalog::{Granting, Operations};
use crate::rbac::{Authorizer, BindingIx, Role, Rule, World, account_user};

/// Where a role stands; `None` = it is one that every server creates.
#[derive(Clone, Debug)]
struct RolePlace {
    origin: Option<Origin>,
    lines: Option<Box<[u32]>>,
}

/// What grants rules: a binding, or a built-in role taken by itself.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub(crate) struct Grantor(pub(crate) u32);

/// What an identity holds: the same set for everyone who is bound alike.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Held {
    pub(crate) grantors: Vec<Grantor>,
    pub(crate) unlimited: bool,
}

/// Roles and bindings of a cluster before the catalogue is known.
pub(crate) struct Policy {
    pub(crate) name: Arc<str>,
    pub(crate) scope: ScopeId,
    pub(crate) authorizer: Authorizer,
    role_places: Vec<RolePlace>,
    binding_origins: Vec<Origin>,
    /// Human roles taken by themselves: their indexes among the authorizer's roles.
    human_roles: Vec<usize>,
    /// Whether the capture holds RBAC objects at all; without them nothing is known of anyone's access.
    pub(crate) known: bool,
    /// Whether it holds the server's own roles, so that a role that is missing does not exist.
    pub(crate) complete: bool,
}

impl Policy {
    /// Takes the RBAC objects out of a cluster. Of several objects with one name the last one counts.
    pub(crate) fn new(name: &Arc<str>, cluster: &mut Cluster) -> Self {
        let mut clusterwide: BTreeMap<Arc<str>, (Role, RolePlace, bool)> = BTreeMap::new();
        let mut local: BTreeMap<(Arc<str>, Arc<str>), (Role, RolePlace)> = BTreeMap::new();
        let known = !cluster.roles.is_empty() || !cluster.bindings.is_empty();
        for object in std::mem::take(&mut cluster.roles) {
            let place = RolePlace { origin: Some(object.origin), lines: object.lines };
            let key = Arc::clone(&object.role.metadata.name);
            if object.role.metadata.namespace.is_empty() {
                clusterwide.insert(key, (object.role, place, object.from_server));
            } else {
                local.insert((Arc::clone(&object.role.metadata.namespace), key), (object.role, place));
            }
        }
        let complete =
            clusterwide.contains_key("cluster-admin") && clusterwide.contains_key("system:aggregate-to-view");
        for role in builtin::roles() {
            let place = RolePlace { origin: None, lines: None };
            let key = Arc::clone(&role.metadata.name);
            if !role.metadata.namespace.is_empty() {
                if !complete {
                    local.entry((Arc::clone(&role.metadata.namespace), key)).or_insert((role, place));
                }
            } else if !complete || builtin::HUMAN_ROLES.contains(&&*role.metadata.name) {
                clusterwide.entry(key).or_insert((role, place, false));
            }
        }
        for (role, _, from_server) in clusterwide.values_mut() {
            // A server's copy is filled in already, with whatever the cluster adds that the capture may lack.
            if *from_server && !complete && !role.rules.is_empty() {
                role.aggregation_rule = None;
            }
        }
        let mut bindings: BTreeMap<(Arc<str>, Arc<str>), _> = BTreeMap::new();
        for object in std::mem::take(&mut cluster.bindings) {
            let meta = &object.binding.metadata;
            bindings.insert((Arc::clone(&meta.namespace), Arc::clone(&meta.name)), object);
        }
        let mut world = World::default();
        let mut role_places = Vec::with_capacity(clusterwide.len() + local.len());
        for (role, place, _) in clusterwide.into_values() {
            world.cluster_roles.push(role);
            role_places.push(place);
        }
        for (role, place) in local.into_values() {
            world.roles.push(role);
            role_places.push(place);
        }
        // The empty namespace sorts first: ClusterRoleBindings come before RoleBindings, as the authorizer numbers them.
        let mut binding_origins = Vec::with_capacity(bindings.len());
        for object in bindings.into_values() {
            binding_origins.push(object.origin);
            if object.binding.metadata.namespace.is_empty() {
                world.cluster_role_bindings.push(object.binding);
            } else {
                world.role_bindings.push(object.binding);
            }
        }
        let authorizer = Authorizer::new(world);
        let human_roles = builtin::HUMAN_ROLES
            .iter()
            .filter_map(|name| {
                authorizer.roles().iter().position(|role| {
                    role.metadata.namespace.is_empty() && *role.metadata.name == **name && !role.rules.is_empty()
                })
            })
            .collect();
        let scope = ScopeId::new(format!("kubernetes:{name}"));
        Self { name: Arc::clone(name), scope, authorizer, role_places, binding_origins, human_roles, known, complete }
    }

    /// All rules, for the catalogue; equal rule lists once.
    pub(crate) fn rules(&self) -> impl Iterator<Item = &Rule> {
        let mut seen: HashSet<*const Rule, FixedState> = HashSet::default();
        self.authorizer
            .roles()
            .iter()
            .filter(move |role| seen.insert(role.rules.as_ptr()))
            .flat_map(|role| role.rules.iter())
    }

    /// The built-in human roles that exist: name, and what stands for holding it cluster-wide.
    pub(crate) fn human_roles(&self) -> impl Iterator<Item = (&Arc<str>, Grantor, Evidence)> {
        self.human_roles.iter().enumerate().filter_map(|(at, role)| {
            let name = &self.authorizer.roles().get(*role)?.metadata.name;
            Some((name, Grantor(index(self.authorizer.bindings().len() + at)), self.role_evidence(*role, None)))
        })
    }

    /// The index of the role that a binding names, where it exists.
    pub(crate) fn role_index(&self, ix: BindingIx) -> Option<usize> {
        self.authorizer.role_index(ix)
    }

    pub(crate) fn binding_evidence(&self, ix: BindingIx, below: &str) -> Evidence {
        self.binding_origins.get(ix.0 as usize).map_or_else(built_in, |origin| origin.evidence(below))
    }

    fn role_evidence(&self, role: usize, rule: Option<u32>) -> Evidence {
        let Some(place) = self.role_places.get(role) else { return built_in() };
        let Some(origin) = &place.origin else { return built_in() };
        let Some(rule) = rule else { return origin.evidence("") };
        match place.lines.as_ref().and_then(|lines| lines.get(rule as usize)) {
            Some(line) if *line > 0 => Evidence::line(Arc::clone(&origin.document), *line),
            _ => origin.evidence(&format!("/rules/{rule}")),
        }
    }

    /// The binding and the index of the role of a grantor.
    fn parts(&self, grantor: Grantor) -> (Option<BindingIx>, Option<usize>) {
        let bindings = self.authorizer.bindings().len();
        let at = grantor.0 as usize;
        if at < bindings {
            let ix = BindingIx(grantor.0);
            (Some(ix), self.authorizer.role_index(ix))
        } else {
            (None, self.human_roles.get(at - bindings).copied())
        }
    }

    /// The statement of a grantor's rule, for people.
    pub(crate) fn grant(&self, grantor: Grantor, rule: u32) -> Grant {
        let (binding, role_at) = self.parts(grantor);
        let role = role_at.and_then(|at| self.authorizer.roles().get(at));
        let described = role.map_or_else(String::new, |role| {
            let kind = if role.metadata.namespace.is_empty() { "ClusterRole" } else { "Role" };
            format!("{kind} {}", role.metadata.name)
        });
        let policy = match binding.and_then(|ix| self.authorizer.binding(ix)) {
            Some(binding) if binding.metadata.namespace.is_empty() => {
                format!("{described} through ClusterRoleBinding {}", binding.metadata.name)
            }
            Some(binding) => {
                let meta = &binding.metadata;
                format!("{described} through RoleBinding {}/{}", meta.namespace, meta.name)
            }
            None => described,
        };
        Grant {
            policy: policy.into(),
            statement: rule,
            name: Arc::from(""),
            evidence: self.rule_evidence(role_at, rule),
        }
    }

    /// Where a rule is written: for an aggregated role, in the role that it was collected from.
    fn rule_evidence(&self, role_at: Option<usize>, rule: u32) -> Evidence {
        let Some(at) = role_at else { return built_in() };
        let roles = self.authorizer.roles();
        let Some(role) = roles.get(at) else { return built_in() };
        if role.aggregation_rule.is_some()
            && let Some(wanted) = role.rules.get(rule as usize)
        {
            for (source, held) in roles.iter().enumerate() {
                if held.aggregation_rule.is_none()
                    && held.metadata.namespace.is_empty()
                    && let Some(index_there) = held.rules.iter().position(|rule| rule == wanted)
                {
                    return self.role_evidence(source, Some(index(index_there)));
                }
            }
        }
        self.role_evidence(at, Some(rule))
    }
}

fn built_in() -> Evidence {
    Evidence::whole("Kubernetes 1.36 built-in roles")
}

fn index(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

/// A policy whose rules are sets of operations.
pub(crate) struct Compiled {
    pub(crate) policy: Policy,
    /// For each role, what each of its rules grants. Equal rule lists share.
    granting: Vec<Arc<[Granting]>>,
    /// The number of the first rule of each grantor.
    bases: Vec<u32>,
    /// The number of this cluster's first rule among those of all clusters.
    first: u32,
    end: u32,
    scopes: HashMap<Arc<str>, Arc<ResourceScope>, FixedState>,
    everywhere: Arc<ResourceScope>,
    always: Arc<Condition>,
    sets: Vec<Held>,
    accesses: Vec<OnceLock<Arc<Access>>>,
}

impl Compiled {
    pub(crate) fn new(policy: Policy, operations: &Operations, first: u32, sets: Vec<Held>) -> Self {
        let roles = policy.authorizer.roles();
        let mut distinct: HashMap<*const Rule, usize, FixedState> = HashMap::default();
        let mut lists: Vec<&Arc<[Rule]>> = Vec::new();
        let numbers: Vec<usize> = roles
            .iter()
            .map(|role| {
                *distinct.entry(role.rules.as_ptr()).or_insert_with(|| {
                    lists.push(&role.rules);
                    lists.len() - 1
                })
            })
            .collect();
        let compiled: Vec<Arc<[Granting]>> = lists
            .par_iter()
            .map(|rules| rules.iter().map(|rule| operations.granted_by(rule)).collect::<Vec<_>>().into())
            .collect();
        let granting: Vec<Arc<[Granting]>> =
            numbers.iter().map(|at| compiled.get(*at).cloned().unwrap_or_else(|| Arc::from([]))).collect();
        let mut scopes: HashMap<Arc<str>, Arc<ResourceScope>, FixedState> = HashMap::default();
        for binding in policy.authorizer.bindings() {
            let home = &binding.metadata.namespace;
            if !home.is_empty() && !scopes.contains_key(home) {
                let pattern = Pattern::new([Glob::literal(Arc::clone(home)), Glob::Any], '/');
                scopes.insert(Arc::clone(home), Arc::new(ResourceScope::any_of([pattern])));
            }
        }
        let grantors = policy.authorizer.bindings().len() + policy.human_roles.len();
        let mut bases = Vec::with_capacity(grantors);
        let mut end = first;
        for grantor in 0..grantors {
            bases.push(end);
            let (_, role) = policy.parts(Grantor(index(grantor)));
            let rules = role.and_then(|role| roles.get(role)).map_or(0, |role| role.rules.len());
            end = end.saturating_add(index(rules));
        }
        let accesses = sets.iter().map(|_| OnceLock::new()).collect();
        Self {
            policy,
            granting,
            bases,
            first,
            end,
            scopes,
            everywhere: Arc::new(ResourceScope::everything()),
            always: Arc::new(Condition::unconditional()),
            sets,
            accesses,
        }
    }

    /// The number after this cluster's last rule.
    pub(crate) fn end(&self) -> u32 {
        self.end
    }

    pub(crate) fn set(&self, set: u32) -> Option<&Held> {
        self.sets.get(set as usize)
    }

    pub(crate) fn sets(&self) -> &[Held] {
        &self.sets
    }

    /// The statement behind a number, if it is one of this cluster's.
    pub(crate) fn grant(&self, grant: GrantIx) -> Option<Grant> {
        if grant.0 < self.first || grant.0 >= self.end {
            return None;
        }
        let after = self.bases.partition_point(|base| *base <= grant.0);
        let grantor = after.checked_sub(1)?;
        let base = self.bases.get(grantor)?;
        Some(self.policy.grant(Grantor(index(grantor)), grant.0 - base))
    }

    /// What each rule of a grantor grants, with the namespace it is bound in.
    pub(crate) fn rules_of(&self, grantor: Grantor) -> impl Iterator<Item = (u32, &Rule, &Arc<OpSet>, &Arc<str>)> {
        let (binding, role) = self.policy.parts(grantor);
        let everywhere = self.everywhere_name();
        let home = binding
            .and_then(|ix| self.policy.authorizer.binding(ix))
            .map_or(everywhere, |binding| &binding.metadata.namespace);
        let rules = role.and_then(|role| self.policy.authorizer.roles().get(role)).map_or(&[][..], |role| &role.rules);
        let granting = role.and_then(|role| self.granting.get(role)).map_or(&[][..], |granting| granting);
        (0u32..).zip(rules.iter().zip(granting)).map(move |(at, (rule, granting))| {
            (at, rule, if home.is_empty() { &granting.cluster } else { &granting.namespaced }, home)
        })
    }

    fn everywhere_name(&self) -> &Arc<str> {
        static EVERYWHERE: OnceLock<Arc<str>> = OnceLock::new();
        EVERYWHERE.get_or_init(|| Arc::from(""))
    }

    /// Rules that name what no server understands: where, and what to do.
    pub(crate) fn dead_rules(&self) -> Vec<(Evidence, String)> {
        let mut all = Vec::new();
        for (at, (role, granting)) in self.policy.authorizer.roles().iter().zip(&self.granting).enumerate() {
            for (number, rule) in (0u32..).zip(granting.iter()) {
                let Some(first) = rule.dead.first() else { continue };
                if role.aggregation_rule.is_some() {
                    continue;
                }
                let message = format!(
                    "rule {number} of role {} names `{first}`, which grants nothing: write the core group as an empty text, and subresources one by one or as `*/NAME`",
                    role.metadata.name
                );
                all.push((self.policy.role_evidence(at, Some(number)), message));
            }
        }
        all
    }

    /// Whether a ClusterRole grants all of some operations when it is bound in the whole cluster.
    pub(crate) fn grants_everything(&self, role: &str, operations: &OpSet) -> bool {
        let roles = self.policy.authorizer.roles();
        let at = roles.iter().position(|held| held.metadata.namespace.is_empty() && *held.metadata.name == *role);
        let Some((role, granting)) = at.and_then(|at| Some((roles.get(at)?, self.granting.get(at)?))) else {
            return false;
        };
        let unnamed = role.rules.iter().zip(granting.iter()).filter(|(rule, _)| rule.resource_names.is_empty());
        operations
            .is_subset(&OpSet::from_ranges(unnamed.flat_map(|(_, granting)| granting.cluster.ranges().iter().copied())))
    }

    /// The access of a set, computed once.
    pub(crate) fn access(&self, set: u32) -> Option<Arc<Access>> {
        let cell = self.accesses.get(set as usize)?;
        let held = self.sets.get(set as usize)?;
        Some(Arc::clone(cell.get_or_init(|| Arc::new(self.resolve(held)))))
    }

    fn resolve(&self, held: &Held) -> Access {
        let mut access = Access { unlimited: held.unlimited, ..Access::default() };
        for grantor in &held.grantors {
            let base = self.bases.get(grantor.0 as usize).copied().unwrap_or(self.first);
            for (at, rule, operations, home) in self.rules_of(*grantor) {
                if operations.is_empty() {
                    continue;
                }
                let scope = if !rule.resource_names.is_empty() {
                    let namespace = if home.is_empty() { Glob::Any } else { Glob::literal(Arc::clone(home)) };
                    Arc::new(ResourceScope::any_of(
                        rule.resource_names
                            .iter()
                            .map(|name| Pattern::new([namespace.clone(), Glob::literal(Arc::clone(name))], '/')),
                    ))
                } else if home.is_empty() {
                    Arc::clone(&self.everywhere)
                } else {
                    self.scopes.get(home).map_or_else(|| Arc::clone(&self.everywhere), Arc::clone)
                };
                access.slices.push(Slice {
                    operations: Arc::clone(operations),
                    scope,
                    condition: Arc::clone(&self.always),
                    grant: GrantIx(base.saturating_add(at)),
                });
            }
            self.doubt(*grantor, &mut access);
        }
        access
    }

    /// A role that is bound but not in the capture may grant something, unless the capture is the whole cluster.
    fn doubt(&self, grantor: Grantor, access: &mut Access) {
        let (Some(ix), None) = self.policy.parts(grantor) else { return };
        if self.policy.complete {
            return;
        }
        if let Some(binding) = self.policy.authorizer.binding(ix) {
            let doubt: Arc<str> =
                format!("{} {} is bound but not in the capture", binding.role_ref.kind, binding.role_ref.name).into();
            if !access.doubts.contains(&doubt) {
                access.doubts.push(doubt);
            }
        }
    }
}

/// The groups of a service account.
pub(crate) fn account_groups(namespace: &str) -> [Arc<str>; 3] {
    [
        Arc::from("system:serviceaccounts"),
        format!("system:serviceaccounts:{namespace}").into(),
        Arc::from("system:authenticated"),
    ]
}

/// The public keys of the cluster's token issuer are open to every service account and to no human role. They are left
/// out of the access of service accounts, because a comparison would show the same meaningless excess for each; single
/// decisions know them.
const ISSUER_DISCOVERY: &str = "system:service-account-issuer-discovery";

/// Collects what identities hold, equal holdings once.
#[derive(Default)]
pub(crate) struct Sets {
    numbers: HashMap<Held, u32, FixedState>,
    sets: Vec<Held>,
}

impl Sets {
    pub(crate) fn of_account(&mut self, policy: &Policy, namespace: &str, name: &str) -> u32 {
        let mut held: Vec<BindingIx> = policy.authorizer.bindings_of_user(&account_user(namespace, name));
        for group in account_groups(namespace) {
            held.extend(policy.authorizer.bindings_of_group(&group).iter().filter(|ix| {
                !(&*group == "system:serviceaccounts"
                    && policy
                        .authorizer
                        .binding(**ix)
                        .is_some_and(|binding| &*binding.role_ref.name == ISSUER_DISCOVERY))
            }));
        }
        self.number(held.into_iter().map(|ix| Grantor(ix.0)).collect(), false)
    }

    pub(crate) fn of_user(&mut self, policy: &Policy, name: &str) -> u32 {
        let mut held = policy.authorizer.bindings_of_user(name);
        held.extend(policy.authorizer.bindings_of_group(general_group(name)));
        self.number(held.into_iter().map(|ix| Grantor(ix.0)).collect(), false)
    }

    pub(crate) fn of_group(&mut self, policy: &Policy, name: &str) -> u32 {
        let mut held = policy.authorizer.bindings_of_group(name).to_vec();
        held.extend(policy.authorizer.bindings_of_group(general_group(name)));
        self.number(held.into_iter().map(|ix| Grantor(ix.0)).collect(), name == crate::rbac::MASTERS)
    }

    pub(crate) fn of_role(&mut self, policy: &Policy, role: Grantor) -> u32 {
        let mut held = vec![role];
        held.extend(policy.authorizer.bindings_of_group("system:authenticated").iter().map(|ix| Grantor(ix.0)));
        self.number(held, false)
    }

    fn number(&mut self, mut grantors: Vec<Grantor>, unlimited: bool) -> u32 {
        grantors.sort_unstable();
        grantors.dedup();
        let held = Held { grantors, unlimited };
        if let Some(number) = self.numbers.get(&held) {
            return *number;
        }
        let number = index(self.sets.len());
        self.sets.push(held.clone());
        self.numbers.insert(held, number);
        number
    }

    pub(crate) fn finish(self) -> Vec<Held> {
        self.sets
    }
}

/// The group that everyone who shows a valid credential is in, and the one of everyone else.
pub(crate) fn general_group(name: &str) -> &'static str {
    if matches!(name, "system:anonymous" | "system:unauthenticated") {
        "system:unauthenticated"
    } else {
        "system:authenticated"
    }
}
