//! The roles and bindings of one cluster, with the place of each.

use std::collections::BTreeMap;
use std::sync::Arc;

use evenhand_model::access::{Grant, Link};
use evenhand_model::evidence::Evidence;
use evenhand_model::id::ScopeId;

use super::builtin;
use crate::capture::{BindingObject, Cluster, Objects, Origin, RoleObject};
use crate::rbac::{Authorizer, Binding, BindingIx, Granted, Metadata, Role, Subject, World, applies_to};
use crate::server::Version;
use crate::sorted::{Name, last_of_each};

/// Kinds of bindings, with what is said where none of them was read, and where one could not be understood.
const UNREAD: [(&str, &str, &str); 2] = [
    (
        "ClusterRoleBinding",
        "ClusterRoleBindings were not read: `kubectl get clusterrolebindings -o json`",
        "not every ClusterRoleBinding could be read: `kubectl get clusterrolebindings -o json`",
    ),
    (
        "RoleBinding",
        "RoleBindings were not read: `kubectl get rolebindings -A -o json`",
        "not every RoleBinding could be read: `kubectl get rolebindings -A -o json`",
    ),
];

/// Where a role stands; `None` = it is one that every server creates.
#[derive(Clone, Debug)]
struct RolePlace {
    origin: Option<Origin>,
    lines: Option<Box<[u32]>>,
}

/// What grants rules: a binding, or a built-in role taken by itself.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub(crate) struct Grantor(pub(crate) u32);

/// Roles and bindings of a cluster before the catalogue is known.
pub(crate) struct Policy {
    pub(crate) name: Arc<str>,
    pub(crate) scope: ScopeId,
    pub(crate) authorizer: Authorizer,
    role_places: Vec<RolePlace>,
    binding_origins: Vec<Origin>,
    /// Human roles taken by themselves: their indexes among the authorizer's roles.
    pub(super) human_roles: Vec<usize>,
    /// Whether the capture holds RBAC objects at all; without them nothing is known of anyone's access.
    pub(crate) known: bool,
    /// Whether it holds the server's own roles, and each role was understood, so that a role that is missing does not exist.
    pub(crate) complete: bool,
    /// Why not all ClusterRoleBindings, and RoleBindings, are known, each with the call that exports them.
    unread: [Option<&'static str>; 2],
    /// The version of the server, where it is known.
    pub(crate) version: Option<Version>,
}

/// The roles of a cluster in the order of their names, with the place of each: ClusterRoles, then Roles.
struct Roles {
    clusterwide: Vec<Role>,
    local: Vec<Role>,
    places: Vec<RolePlace>,
    complete: bool,
}

impl Roles {
    /// Adds those that every server creates, where the capture does not hold the server's own.
    fn of(objects: Objects<RoleObject>) -> Self {
        let mut clusterwide: BTreeMap<Arc<str>, Box<RoleObject>> = BTreeMap::new();
        let mut local = Vec::with_capacity(objects.len());
        for object in objects {
            if object.role.metadata.namespace.is_empty() {
                clusterwide.insert(Arc::clone(&object.role.metadata.name), object);
            } else {
                local.push(object);
            }
        }
        let complete =
            clusterwide.contains_key("cluster-admin") && clusterwide.contains_key("system:aggregate-to-view");
        let mut missing = Vec::new();
        for role in if complete { Vec::new() } else { builtin::roles() } {
            let object = Box::new(RoleObject { role, origin: None, lines: None, from_server: false });
            if object.role.metadata.namespace.is_empty() {
                clusterwide.entry(Arc::clone(&object.role.metadata.name)).or_insert(object);
            } else {
                missing.push(object);
            }
        }
        // What the capture holds comes later and counts.
        local.splice(0..0, missing);
        last_of_each(&mut local, |object| name(&object.role.metadata));
        for object in clusterwide.values_mut() {
            // A server's copy is filled in already, with whatever the cluster adds that the capture may lack.
            if object.from_server && !complete && !object.role.rules.is_empty() {
                object.role.aggregation_rule = None;
            }
        }
        let all = clusterwide.len() + local.len();
        let mut places = Vec::with_capacity(all);
        let mut role = |object: Box<RoleObject>| {
            let RoleObject { role, origin, lines, .. } = *object;
            places.push(RolePlace { origin, lines });
            role
        };
        let clusterwide: Vec<Role> = clusterwide.into_values().map(&mut role).collect();
        // The authorizer puts all of them into one list.
        let mut roles = Vec::with_capacity(all);
        roles.extend(local.into_iter().map(&mut role));
        Self { clusterwide, local: roles, places, complete }
    }
}

/// The bindings of a cluster in the order of their names, with the place of each: ClusterRoleBindings, then RoleBindings.
#[derive(Default)]
struct Bindings {
    clusterwide: Vec<Binding>,
    local: Vec<Binding>,
    origins: Vec<Origin>,
}

impl Bindings {
    fn of(mut objects: Objects<BindingObject>) -> Self {
        last_of_each(&mut objects, |object| name(&object.binding.metadata));
        let mut all = Self {
            local: Vec::with_capacity(objects.len()),
            origins: Vec::with_capacity(objects.len()),
            ..Self::default()
        };
        // The empty namespace sorts first, as the authorizer numbers them.
        for object in objects {
            let BindingObject { binding, origin } = *object;
            all.origins.push(origin);
            let of_kind = if binding.metadata.namespace.is_empty() { &mut all.clusterwide } else { &mut all.local };
            of_kind.push(binding);
        }
        all
    }
}

fn name(metadata: &Metadata) -> Name<'_> {
    (&*metadata.namespace, "", &*metadata.name)
}

impl Policy {
    /// Takes the RBAC objects out of a cluster. Of several objects with one name the last one counts.
    pub(crate) fn new(name: &Arc<str>, cluster: &mut Cluster) -> Self {
        let known = !cluster.roles.is_empty() || !cluster.bindings.is_empty();
        let (roles, bindings) = (std::mem::take(&mut cluster.roles), std::mem::take(&mut cluster.bindings));
        let (roles, bindings) = rayon::join(|| Roles::of(roles), || Bindings::of(bindings));
        let authorizer = Authorizer::new(World {
            roles: roles.local,
            cluster_roles: roles.clusterwide,
            role_bindings: bindings.local,
            cluster_role_bindings: bindings.clusterwide,
        });
        let human_roles = builtin::HUMAN_ROLES
            .iter()
            .filter_map(|name| {
                authorizer.roles().iter().position(|role| {
                    role.metadata.namespace.is_empty() && *role.metadata.name == **name && !role.rules.is_empty()
                })
            })
            .collect();
        let scope = ScopeId::new(format!("kubernetes:{name}"));
        Self {
            name: Arc::clone(name),
            scope,
            authorizer,
            role_places: roles.places,
            binding_origins: bindings.origins,
            human_roles,
            known,
            complete: roles.complete && !["ClusterRole", "Role"].iter().any(|kind| cluster.dropped.contains(*kind)),
            unread: UNREAD.map(|(kind, unseen, dropped)| match cluster.dropped.contains(kind) {
                true => Some(dropped),
                false => (!cluster.seen.contains(kind)).then_some(unseen),
            }),
            version: None,
        }
    }

    /// Kinds of bindings that were not read and may grant something, each with the call that exports them. `clusterwide` and
    /// `local`: whether ClusterRoleBindings count, and RoleBindings, which grant nothing in the whole cluster.
    pub(crate) fn bindings_unread(&self, clusterwide: bool, local: bool) -> impl Iterator<Item = &'static str> {
        let [of_cluster, of_namespaces] = self.unread;
        [of_cluster.filter(|_| clusterwide), of_namespaces.filter(|_| local)].into_iter().flatten()
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

    pub(super) fn role_evidence(&self, role: usize, rule: Option<u32>) -> Evidence {
        let Some(place) = self.role_places.get(role) else { return built_in() };
        let Some(origin) = &place.origin else { return built_in() };
        let Some(rule) = rule else { return origin.evidence("") };
        match place.lines.as_ref().and_then(|lines| lines.get(rule as usize)) {
            Some(line) if *line > 0 => Evidence::line(Arc::clone(&origin.document), *line),
            _ => Evidence { document: Arc::clone(&origin.document), place: origin.spot.element("/rules", rule) },
        }
    }

    /// The binding and the index of the role of a grantor.
    pub(super) fn parts(&self, grantor: Grantor) -> (Option<BindingIx>, Option<usize>) {
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
        let role = role_at.and_then(|at| self.authorizer.roles().get(at)).map(|role| &role.metadata);
        let (kind, role) = match role {
            Some(meta) if meta.namespace.is_empty() => ("ClusterRole ", &*meta.name),
            Some(meta) => ("Role ", &*meta.name),
            None => ("", ""),
        };
        let policy = match binding.and_then(|ix| self.authorizer.binding(ix)).map(|binding| &binding.metadata) {
            Some(meta) if meta.namespace.is_empty() => {
                [kind, role, " through ClusterRoleBinding ", &*meta.name].concat()
            }
            Some(meta) => [kind, role, " through RoleBinding ", &*meta.namespace, "/", &*meta.name].concat(),
            None => [kind, role].concat(),
        };
        Grant {
            policy: policy.into(),
            statement: Some(rule),
            name: Arc::from(""),
            evidence: self.rule_evidence(role_at, rule),
        }
    }

    /// The statement of a grantor's rule, beside that of another of its rules.
    pub(super) fn grant_beside(&self, other: &Grant, grantor: Grantor, rule: u32) -> Grant {
        let (_, role_at) = self.parts(grantor);
        Grant {
            policy: Arc::clone(&other.policy),
            statement: Some(rule),
            name: Arc::clone(&other.name),
            evidence: self.rule_evidence(role_at, rule),
        }
    }

    /// The statement of a binding's rule.
    pub(crate) fn granted(&self, granted: Granted) -> Grant {
        self.grant(Grantor(granted.binding.0), granted.rule)
    }

    /// What leads from a user in some groups to a grantor's rule: the subject that the binding names him by and, for an
    /// aggregated role, the role that the rule is collected from.
    pub(super) fn links(&self, grantor: Grantor, rule: u32, user: &str, groups: &[Arc<str>]) -> Vec<Link> {
        let (binding, role) = self.parts(grantor);
        let named = binding.and_then(|ix| self.named(ix, user, groups));
        let collected = role.and_then(|role| self.collected(role, rule));
        named.into_iter().chain(collected).collect()
    }

    /// How a binding names a user in some groups.
    fn named(&self, ix: BindingIx, user: &str, groups: &[Arc<str>]) -> Option<Link> {
        let Binding { metadata, subjects, .. } = self.authorizer.binding(ix)?;
        let at = applies_to(subjects, user, groups, &metadata.namespace)?;
        let Subject { kind, name, .. } = subjects.get(at)?;
        let binding = match &*metadata.namespace {
            "" => format!("ClusterRoleBinding {}", metadata.name),
            home => format!("RoleBinding {home}/{}", metadata.name),
        };
        let text = format!("{binding}, which names {kind} {name}").into();
        Some(Link { text, evidence: self.binding_evidence(ix, &format!("/subjects/{at}")) })
    }

    /// The role that an aggregated one collects a rule from.
    fn collected(&self, role: usize, rule: u32) -> Option<Link> {
        let (source, _) = self.authorizer.written(role, rule);
        let name = |at: usize| self.authorizer.roles().get(at).map(|role| &role.metadata.name);
        let (into, from) = (name(role)?, name(source)?);
        let text = format!("ClusterRole {into}, which collects the rule from ClusterRole {from}").into();
        (source != role).then(|| Link { text, evidence: self.role_evidence(source, None) })
    }

    /// Where a rule is written: for an aggregated role, in the role that it was collected from.
    fn rule_evidence(&self, role_at: Option<usize>, rule: u32) -> Evidence {
        let Some(at) = role_at else { return built_in() };
        let (role, rule) = self.authorizer.written(at, rule);
        self.role_evidence(role, Some(rule))
    }
}

fn built_in() -> Evidence {
    Evidence::whole("Kubernetes 1.36 built-in roles")
}

pub(super) fn index(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}
