//! The lists of objects of a line.

use std::collections::BTreeSet;

use evenhand_model::decide::{Refusal, part};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::input::{Binding, Input, Objects, REMEDY, Role};
use crate::rbac;

pub(super) const LOCAL_ROLES: &str = "roles";
pub(super) const CLUSTER_ROLES: &str = "clusterRoles";
pub(super) const LOCAL_BINDINGS: &str = "roleBindings";
pub(super) const CLUSTER_BINDINGS: &str = "clusterRoleBindings";

/// The lists as text; `None` = absent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lists<'a> {
    pub(super) roles: Option<&'a RawValue>,
    pub(super) cluster_roles: Option<&'a RawValue>,
    pub(super) role_bindings: Option<&'a RawValue>,
    pub(super) cluster_role_bindings: Option<&'a RawValue>,
}

impl<'a> Lists<'a> {
    pub(super) fn of(input: &Input<'a>) -> Self {
        Self {
            roles: input.roles,
            cluster_roles: input.cluster_roles,
            role_bindings: input.role_bindings,
            cluster_role_bindings: input.cluster_role_bindings,
        }
    }

    fn all(&self) -> [Option<&'a RawValue>; 4] {
        [self.roles, self.cluster_roles, self.role_bindings, self.cluster_role_bindings]
    }

    /// Whether the line brings no objects at all.
    pub(super) fn are_absent(&self) -> bool {
        self.all().iter().all(Option::is_none)
    }

    /// All of them as one text, with a character between them that no JSON text has.
    pub(super) fn text(&self) -> String {
        self.all().map(|list| list.map_or("", RawValue::get)).join("\0")
    }

    /// The objects; lists that are absent are empty.
    pub(super) fn read(&self) -> Result<rbac::World, Refusal> {
        Ok(rbac::World {
            roles: roles(LOCAL_ROLES, "Role", self.roles)?,
            cluster_roles: roles(CLUSTER_ROLES, "ClusterRole", self.cluster_roles)?,
            role_bindings: bindings(LOCAL_BINDINGS, "RoleBinding", self.role_bindings)?,
            cluster_role_bindings: bindings(CLUSTER_BINDINGS, "ClusterRoleBinding", self.cluster_role_bindings)?,
        })
    }
}

fn list<'a, T: Deserialize<'a>>(name: &str, text: Option<&'a RawValue>) -> Result<Vec<T>, Refusal> {
    let Some(text) = text else { return Ok(Vec::new()) };
    let objects: Objects<T> =
        part(text.get(), REMEDY).map_err(|refusal: Refusal| refusal.below(&format!("/{name}")))?;
    Ok(objects.0)
}

fn roles(name: &str, kind: &str, text: Option<&RawValue>) -> Result<Vec<rbac::Role>, Refusal> {
    let mut all: Vec<rbac::Role> = Vec::new();
    let mut seen: BTreeSet<_> = BTreeSet::new();
    for (at, role) in list::<Role>(name, text)?.into_iter().enumerate() {
        let place = format!("/{name}/{at}");
        is_of(&place, kind, role.api_version.as_deref(), role.kind.as_deref())?;
        let mut role = rbac::Role::from(role);
        if kind == "ClusterRole" {
            role.metadata.namespace = "".into();
        }
        let key = (role.metadata.namespace.clone(), role.metadata.name.clone());
        if !key.1.is_empty() && !seen.insert(key) {
            return Err(Refusal::new(
                format!("{place}/metadata/name"),
                format!("there are two of kind {kind} with the name `{}`", role.metadata.name),
                "keep one of them: a cluster cannot hold both",
            ));
        }
        all.push(role);
    }
    Ok(all)
}

fn bindings(name: &str, kind: &str, text: Option<&RawValue>) -> Result<Vec<rbac::Binding>, Refusal> {
    let mut all = Vec::new();
    for (at, binding) in list::<Binding>(name, text)?.into_iter().enumerate() {
        is_of(&format!("/{name}/{at}"), kind, binding.api_version.as_deref(), binding.kind.as_deref())?;
        all.push(rbac::Binding::from(binding));
    }
    Ok(all)
}

/// Refuses an object that says it is something else than its list holds.
fn is_of(place: &str, wanted: &str, api_version: Option<&str>, kind: Option<&str>) -> Result<(), Refusal> {
    if let Some(kind) = kind.filter(|kind| *kind != wanted) {
        return Err(Refusal::new(
            format!("{place}/kind"),
            format!("`{kind}` is not of this list, which holds objects of kind {wanted}"),
            "put it in the list of its kind",
        ));
    }
    let group = api_version.map(|version| version.split('/').next().unwrap_or_default());
    if let Some(group) = group.filter(|group| *group != "rbac.authorization.k8s.io") {
        return Err(Refusal::new(
            format!("{place}/apiVersion"),
            format!("`{group}` is not the API group of roles and bindings"),
            "write `rbac.authorization.k8s.io/v1`, or leave it out",
        ));
    }
    Ok(())
}
