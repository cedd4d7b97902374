//! Lines that leave some or all of their objects to a capture.

use evenhand_model::decide::{Decides, Refusal, read};
use evenhand_model::kept::Kept;

use super::input::{Input, REMEDY};
use super::lists::Lists;
use super::{Around, View, World};
use crate::access::{Policy, Resolver};
use crate::rbac::{self, BindingIx, Granted, Request, Role};

/// Decides lines beside a capture.
pub(crate) struct Within<'r> {
    resolver: &'r Resolver,
    worlds: Kept<World>,
}

impl<'r> Within<'r> {
    pub(crate) fn new(resolver: &'r Resolver) -> Self {
        Self { resolver, worlds: Kept::default() }
    }

    /// The cluster that a line means.
    fn policy(&self, name: Option<&str>) -> Result<&'r Policy, Refusal> {
        const AT: &str = "/cluster";
        let clusters = || self.resolver.clusters.iter().map(|cluster| &cluster.policy);
        let names = || clusters().map(|policy| format!("`{}`", policy.name)).collect::<Vec<_>>().join(", ");
        let mut meant = clusters().filter(|policy| name.is_none_or(|name| *policy.name == *name));
        match (meant.next(), meant.next()) {
            (Some(policy), None) => Ok(policy),
            (Some(_), Some(_)) => {
                let remedy = format!("say which one is meant: {}", names());
                Err(Refusal::new(AT, "the capture holds several clusters", remedy))
            }
            (None, _) => {
                let message = format!("the capture holds no cluster `{}`", name.unwrap_or_default());
                Err(Refusal::new(AT, message, format!("it holds {}", names())))
            }
        }
    }
}

impl Decides for Within<'_> {
    fn reply(&self, line: &str) -> Result<Vec<u8>, Refusal> {
        let input: Input<'_> = read(line, REMEDY)?;
        let policy = self.policy(input.cluster.as_deref())?;
        let lists = Lists::of(&input);
        let around = Captured { policy, lists };
        if lists.are_absent() {
            let roles = policy.authorizer.roles();
            let bindings = policy.authorizer.bindings();
            let view = View {
                authorizer: &policy.authorizer,
                cluster_roles: roles.partition_point(is_of_cluster),
                cluster_bindings: bindings.partition_point(|binding| binding.metadata.namespace.is_empty()),
                notes: &[],
            };
            return view.reply(input.id, input.requests, &around);
        }
        let key = format!("{}\0{}", policy.name, lists.text());
        let world = self.worlds.of(&key, || Ok(World::new(around.filled(lists.read()?), &lists)))?;
        world.view().reply(input.id, input.requests, &around)
    }
}

fn is_of_cluster(role: &Role) -> bool {
    role.metadata.namespace.is_empty()
}

/// A cluster of a capture, and what a line brings instead.
struct Captured<'a> {
    policy: &'a Policy,
    lists: Lists<'a>,
}

impl Captured<'_> {
    /// The objects of a line, and those of the capture where the line has none.
    fn filled(&self, mut objects: rbac::World) -> rbac::World {
        let authorizer = &self.policy.authorizer;
        let roles = |clusterwide| authorizer.roles().iter().filter(move |role| is_of_cluster(role) == clusterwide);
        let bindings = |clusterwide| {
            authorizer.bindings().iter().filter(move |binding| binding.metadata.namespace.is_empty() == clusterwide)
        };
        if self.lists.cluster_roles.is_none() {
            objects.cluster_roles = roles(true).cloned().collect();
        }
        if self.lists.roles.is_none() {
            objects.roles = roles(false).cloned().collect();
        }
        if self.lists.cluster_role_bindings.is_none() {
            objects.cluster_role_bindings = bindings(true).cloned().collect();
        }
        if self.lists.role_bindings.is_none() {
            objects.role_bindings = bindings(false).cloned().collect();
        }
        objects
    }

    /// Whether roles of a kind are the capture's, which may lack some.
    fn may_lack(&self, kind: &str) -> bool {
        match kind {
            "ClusterRole" => self.lists.cluster_roles.is_none(),
            "Role" => self.lists.roles.is_none(),
            _ => false,
        }
    }
}

impl Around for Captured<'_> {
    fn written(&self, granted: Granted) -> Option<String> {
        self.lists.are_absent().then(|| self.policy.granted(granted).evidence.to_string())
    }

    fn open(&self, authorizer: &rbac::Authorizer, held: &[BindingIx], request: &Request) -> Vec<String> {
        // Bindings of a kind that was not read may grant it.
        let clusterwide = self.lists.cluster_role_bindings.is_none();
        let local = self.lists.role_bindings.is_none() && !request.namespace.is_empty();
        let unread = self.policy.bindings_unread(clusterwide, local);
        let mut open: Vec<String> = unread.map(str::to_owned).collect();
        if self.policy.complete {
            return open;
        }
        let lacking = held.iter().filter(|ix| authorizer.role_of(**ix).is_none());
        let lacking = lacking
            .filter_map(|ix| authorizer.binding(*ix))
            .filter(|binding| binding.holds_in(&request.namespace) && self.may_lack(&binding.role_ref.kind));
        let mut roles: Vec<String> = lacking
            .map(|binding| {
                let (kind, name) = (&binding.role_ref.kind, &binding.role_ref.name);
                match (&**kind, &*binding.metadata.namespace) {
                    ("Role", namespace) => {
                        format!("Role {namespace}/{name}, which is bound to the caller, was not read")
                    }
                    _ => format!("{kind} {name}, which is bound to the caller, was not read"),
                }
            })
            .collect();
        roles.sort();
        roles.dedup();
        open.append(&mut roles);
        open
    }
}
