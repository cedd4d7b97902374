//! The ways to more access, as data: which permissions each takes, and where it leads.
//!
//! What a technique needs must be held together in one place, by whatever bindings. The ids are those that findings and
//! paths show.

mod table;
#[cfg(test)]
mod tests;

use evenhand_model::evidence::Truth;
use evenhand_model::opset::OpSet;

pub(super) use table::{EFFECTS, TECHNIQUES};

use crate::catalog::Operations;
use crate::server::Version;

/// Group, resource and subresource; the subresource `*` stands for all of them.
pub(super) type Resource = (&'static str, &'static str, &'static str);

/// What has to be held.
#[derive(Clone, Copy, Debug)]
pub(super) enum Need {
    /// Any one of some verbs on any one of some resources.
    Any(&'static [&'static str], &'static [Resource]),
    /// Any verb that begins so, on whatever resource.
    Prefix(&'static str),
    /// One of some verbs, or without any named all verbs, on everything that there is.
    Everything(&'static [&'static str]),
}

/// Where a technique leads.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Leads {
    /// To every account of the place.
    Accounts,
    /// To the accounts that workloads of the place carry.
    Running,
    /// To the accounts whose tokens lie in Secrets of the place.
    TokenSecrets,
    /// To the accounts with these names, wherever they are.
    Controllers(&'static [&'static str]),
    /// To full control of the cluster; only where it is held in the whole cluster.
    Cluster,
    /// To full control of the cluster, in whichever namespace it is held.
    ClusterFromAnywhere,
    /// To full control of the cluster, where it is held in this namespace.
    ClusterFrom(&'static str),
    /// To no account: it harms others, or spreads what is held already.
    Nowhere,
}

/// What it means for a technique when the rules behind it are limited to names.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Names {
    /// It takes requests that carry no name, or leads nowhere in particular.
    Useless,
    /// They are the accounts that are reached.
    Accounts,
    /// They are Secrets, whose tokens are reached.
    Secrets,
    /// They are users or groups that are reached.
    Identities,
    /// They are roles, whose rules are reached.
    Roles,
    /// They are namespaces, which are the place.
    Namespaces,
    /// They are objects through which the same is reached, if they exist; of some names only where there are any.
    Objects(&'static [&'static str]),
}

/// The versions of a server on which a technique works.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Versions {
    All,
    Before(Version),
    Since(Version),
}

/// A way to more access.
#[derive(Clone, Copy, Debug)]
pub(super) struct Technique {
    pub(super) id: &'static str,
    /// All of them are needed.
    pub(super) needs: &'static [Need],
    pub(super) leads: Leads,
    /// Whether it works only under circumstances that no export shows.
    pub(super) conditional: bool,
    pub(super) names: Names,
    pub(super) versions: Versions,
}

impl Technique {
    const fn new(id: &'static str, needs: &'static [Need], leads: Leads) -> Self {
        Self { id, needs, leads, conditional: false, names: Names::Useless, versions: Versions::All }
    }

    /// The same, under circumstances that no export shows.
    const fn conditional(self) -> Self {
        Self { conditional: true, ..self }
    }

    const fn names(self, names: Names) -> Self {
        Self { names, ..self }
    }

    const fn versions(self, versions: Versions) -> Self {
        Self { versions, ..self }
    }

    /// Whether it works on a server of this version. Of an unknown one the worse is possible.
    pub(super) fn works_on(&self, version: Option<Version>) -> Truth {
        match (self.versions, version) {
            (Versions::All, _) => Truth::Yes,
            (_, None) => Truth::Unknown,
            (Versions::Before(limit), Some(held)) => Truth::from(held < limit),
            (Versions::Since(limit), Some(held)) => Truth::from(held >= limit),
        }
    }

    /// What it does, in a few words.
    pub(super) fn effect(&self) -> &'static str {
        EFFECTS.iter().find(|(id, _)| *id == self.id).map_or("", |(_, effect)| effect)
    }
}

/// A [`Need`] as operations.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    /// Any of these will do; without `whole`.
    any: OpSet,
    /// One of these has to be held whole.
    whole: Vec<OpSet>,
    /// What of these exists in the whole cluster, and in namespaces; nothing left out.
    there: [Vec<OpSet>; 2],
}

impl Wanted {
    pub(super) fn of(need: &Need, operations: &Operations) -> Self {
        let (any, whole) = match need {
            Need::Any(verbs, resources) => (
                resources.iter().fold(OpSet::new(), |all, (group, resource, sub)| {
                    all.union(&operations.operations(group, resource, sub, verbs))
                }),
                Vec::new(),
            ),
            Need::Prefix(prefix) => (operations.verbs_with_prefix(prefix), Vec::new()),
            Need::Everything([]) => (OpSet::new(), vec![operations.resources().clone()]),
            Need::Everything(verbs) => {
                (OpSet::new(), verbs.iter().map(|verb| operations.verbs_with_prefix(verb)).collect())
            }
        };
        let there = [operations.resources(), operations.in_namespaces()].map(|there| {
            let whole = whole.iter().map(|whole: &OpSet| whole.intersection(there));
            whole.filter(|whole| !whole.is_empty()).collect()
        });
        Self { any, whole, there }
    }

    /// The operations of which any one will do; none where more is needed.
    pub(super) fn any(&self) -> &OpSet {
        &self.any
    }

    /// Whether one of some sets is needed whole.
    pub(super) fn takes_whole(&self) -> bool {
        !self.whole.is_empty()
    }

    /// Whether operations that are held in one place, a namespace or the whole cluster, are enough. Of operations on
    /// everything those count that exist there.
    pub(super) fn is_met(&self, held: &OpSet, in_namespace: bool) -> bool {
        let [everywhere, local] = &self.there;
        let there = if in_namespace { local } else { everywhere };
        self.any.intersects(held) || there.iter().any(|whole| whole.is_subset(held))
    }

    /// Whether an operation contributes.
    pub(super) fn touches(&self, held: &OpSet) -> bool {
        self.any.intersects(held) || self.whole.iter().any(|whole| whole.intersects(held))
    }
}
