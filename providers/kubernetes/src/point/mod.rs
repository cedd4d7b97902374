//! Point decisions on objects: roles, bindings and requests in, decisions out, as the API server's RBAC authorizer gives
//! them.
//!
//! A line needs nothing of a capture; with one at hand ([`Within`]), lists that a line leaves out are those of the
//! capture. Nothing is remembered but the objects, so that a world that many lines carry is understood once. How a request
//! is decided is the business of [`rbac`](crate::rbac); this module reads lines and refuses what it does not understand
//! with its place.

mod answer;
mod input;
mod lists;
mod notes;
#[cfg(test)]
mod tests;
mod within;

use evenhand_model::decide::{Decides, Refusal, read};
use evenhand_model::kept::Kept;
use serde_json::value::RawValue;

pub use answer::{Answer, Collected, Decision, Grant, Named, Note};

use crate::rbac::{self, Authorizer, BindingIx, Granted, MASTERS, Request};
use input::{Asked, Input, REMEDY};
use lists::{CLUSTER_BINDINGS, CLUSTER_ROLES, LOCAL_BINDINGS, LOCAL_ROLES, Lists};
use notes::Notes;

pub(crate) use within::Within;

/// Decides lines that bring all their objects. Shared by threads; keeps the objects of earlier lines, up to a bound.
#[derive(Debug, Default)]
pub struct Decider {
    worlds: Kept<World>,
}

impl Decides for Decider {
    fn reply(&self, line: &str) -> Result<Vec<u8>, Refusal> {
        let input: Input<'_> = read(line, REMEDY)?;
        if input.cluster.is_some() {
            return Err(Refusal::new(
                "/cluster",
                "there is no capture to choose a cluster of",
                "leave it out, or give the capture with `--from`",
            ));
        }
        let lists = Lists::of(&input);
        let world = self.worlds.of(&lists.text(), || Ok(World::new(lists.read()?, &lists)))?;
        world.view().reply(input.id, input.requests, &Alone)
    }
}

/// The JSON Schema of a line and, below `$defs`, of its answer and of its refusal.
pub fn schema() -> serde_json::Value {
    evenhand_model::decide::schema::<Input<'static>, Answer<'static>>(
        "evenhand decide kubernetes",
        "One line of input. The answer to it is `$defs/Answer`; a line that cannot be understood is answered by \
         `$defs/Refused`.",
    )
}

/// Roles and bindings in the form that is decided from.
#[derive(Debug, Default)]
struct World {
    authorizer: Authorizer,
    cluster_roles: usize,
    cluster_bindings: usize,
    notes: Box<[Note]>,
}

impl World {
    /// A world of some objects, of which those of the line's own lists are looked at for what grants nothing.
    fn new(objects: rbac::World, lists: &Lists<'_>) -> Self {
        let (cluster_roles, cluster_bindings) = (objects.cluster_roles.len(), objects.cluster_role_bindings.len());
        let authorizer = Authorizer::new(objects);
        let mut notes = Notes::default();
        let (clusterwide, local) = authorizer.roles().split_at(cluster_roles);
        if lists.cluster_roles.is_some() {
            notes.on_roles(CLUSTER_ROLES, clusterwide);
        }
        if lists.roles.is_some() {
            notes.on_roles(LOCAL_ROLES, local);
        }
        if lists.cluster_role_bindings.is_some() {
            notes.on_bindings(CLUSTER_BINDINGS, 0..cluster_bindings, &authorizer);
        }
        if lists.role_bindings.is_some() {
            notes.on_bindings(LOCAL_BINDINGS, cluster_bindings..authorizer.bindings().len(), &authorizer);
        }
        Self { cluster_roles, cluster_bindings, notes: notes.finish(), authorizer }
    }

    fn view(&self) -> View<'_> {
        View {
            authorizer: &self.authorizer,
            cluster_roles: self.cluster_roles,
            cluster_bindings: self.cluster_bindings,
            notes: &self.notes,
        }
    }
}

/// What surrounds the objects of a line.
trait Around {
    /// Where a rule is written, if that is known.
    fn written(&self, granted: Granted) -> Option<String>;

    /// What was not read and may allow a request that nothing allows; empty = nothing may.
    fn open(&self, authorizer: &Authorizer, held: &[BindingIx], request: &Request) -> Vec<String>;
}

/// Nothing: the line says everything.
struct Alone;

impl Around for Alone {
    fn written(&self, _: Granted) -> Option<String> {
        None
    }

    fn open(&self, _: &Authorizer, _: &[BindingIx], _: &Request) -> Vec<String> {
        Vec::new()
    }
}

/// What a line is decided from.
struct View<'w> {
    authorizer: &'w Authorizer,
    /// How many of the roles are ClusterRoles; they come first.
    cluster_roles: usize,
    /// How many of the bindings are ClusterRoleBindings; they come first.
    cluster_bindings: usize,
    notes: &'w [Note],
}

impl<'w> View<'w> {
    fn reply(&self, id: Option<&RawValue>, asked: Vec<Asked>, around: &dyn Around) -> Result<Vec<u8>, Refusal> {
        let mut decisions = Vec::with_capacity(asked.len());
        for (at, asked) in asked.into_iter().enumerate() {
            let request = asked.request().map_err(|refusal| refusal.below(&format!("/requests/{at}")))?;
            decisions.push(self.decide(&request, around));
        }
        serde_json::to_vec(&Answer { id, decisions, notes: self.notes })
            .map_err(|error| Refusal::new("", format!("the answer cannot be written: {error}"), "report it"))
    }

    fn decide(&self, request: &Request, around: &dyn Around) -> Decision<'w> {
        if request.groups.iter().any(|group| &**group == MASTERS) {
            return Decision { allowed: Some(true), by: Vec::new(), unlimited: true, unread: Vec::new() };
        }
        let held = self.authorizer.bindings_of(&request.user, &request.groups);
        let granted = self.authorizer.granted_within(&held, request);
        let by: Vec<Grant<'w>> = granted.filter_map(|granted| self.grant(granted, around)).collect();
        let unread = if by.is_empty() { around.open(self.authorizer, &held, request) } else { Vec::new() };
        let allowed = unread.is_empty().then_some(!by.is_empty());
        Decision { allowed, by, unlimited: false, unread }
    }

    fn grant(&self, granted: Granted, around: &dyn Around) -> Option<Grant<'w>> {
        let role = self.authorizer.role_index(granted.binding)?;
        let (source, rule) = self.authorizer.written(role, granted.rule);
        let collected_from = (source != role).then(|| self.role(source)).flatten().map(|role| Collected { role, rule });
        Some(Grant {
            binding: self.binding(granted.binding)?,
            role: self.role(role)?,
            rule: granted.rule,
            collected_from,
            at: around.written(granted),
        })
    }

    fn role(&self, at: usize) -> Option<Named<'w>> {
        let metadata = &self.authorizer.roles().get(at)?.metadata;
        let (kind, place) = match at.checked_sub(self.cluster_roles) {
            None => ("ClusterRole", (CLUSTER_ROLES, at)),
            Some(at) => ("Role", (LOCAL_ROLES, at)),
        };
        Some(Named { kind, namespace: &metadata.namespace, name: &metadata.name, place })
    }

    fn binding(&self, ix: BindingIx) -> Option<Named<'w>> {
        let metadata = &self.authorizer.binding(ix)?.metadata;
        let at = ix.0 as usize;
        let (kind, place) = match at.checked_sub(self.cluster_bindings) {
            None => ("ClusterRoleBinding", (CLUSTER_BINDINGS, at)),
            Some(at) => ("RoleBinding", (LOCAL_BINDINGS, at)),
        };
        Some(Named { kind, namespace: &metadata.namespace, name: &metadata.name, place })
    }
}
