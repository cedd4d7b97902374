//! What someone holds, as sets of operations by place: comparable, and equal for everyone whose bindings say the same.

use std::collections::BTreeMap;
use std::sync::Arc;

use evenhand_model::catalog::Catalog;
use evenhand_model::opset::OpSet;

use super::compiled::Compiled;
use super::sets::Held;
use crate::catalog::Operations;

/// Namespace (empty = all of them) and name.
type Place = (Arc<str>, Arc<str>);

/// Operations by place.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub(super) struct Power {
    pub(super) unlimited: bool,
    /// In the whole cluster.
    pub(super) cluster: OpSet,
    /// In namespaces, what holds in the whole cluster left out.
    pub(super) local: BTreeMap<Arc<str>, OpSet>,
    /// On single names, by namespace (empty = in all of them) and name, what holds without names left out.
    pub(super) named: BTreeMap<Place, OpSet>,
}

impl Power {
    pub(super) fn of(cluster: &Compiled, held: &Held) -> Self {
        let mut everywhere: Vec<(u32, u32)> = Vec::new();
        let mut local: BTreeMap<Arc<str>, Vec<(u32, u32)>> = BTreeMap::new();
        let mut named: BTreeMap<Place, Vec<(u32, u32)>> = BTreeMap::new();
        for grantor in &held.grantors {
            for (_, rule, operations, home) in cluster.rules_of(*grantor) {
                let ranges = operations.ranges().iter().copied();
                if ranges.len() == 0 {
                    continue;
                }
                if !rule.resource_names.is_empty() {
                    for name in &rule.resource_names {
                        named.entry((Arc::clone(home), Arc::clone(name))).or_default().extend(ranges.clone());
                    }
                } else if home.is_empty() {
                    everywhere.extend(ranges);
                } else {
                    local.entry(Arc::clone(home)).or_default().extend(ranges);
                }
            }
        }
        let everywhere = OpSet::from_ranges(everywhere);
        let local: BTreeMap<Arc<str>, OpSet> = local
            .into_iter()
            .map(|(home, ranges)| (home, OpSet::from_ranges(ranges).difference(&everywhere)))
            .filter(|(_, operations)| !operations.is_empty())
            .collect();
        let named = named
            .into_iter()
            .map(|((home, name), ranges)| {
                let mut rest = OpSet::from_ranges(ranges).difference(&everywhere);
                if let Some(held) = local.get(&home) {
                    rest = rest.difference(held);
                }
                ((home, name), rest)
            })
            .filter(|(_, operations)| !operations.is_empty())
            .collect();
        Self { unlimited: held.unlimited, cluster: everywhere, local, named }
    }

    /// What is held in a namespace, names apart.
    pub(super) fn within(&self, namespace: &str) -> OpSet {
        self.local.get(namespace).map_or_else(|| self.cluster.clone(), |held| held.union(&self.cluster))
    }

    /// Whether the whole cluster is controlled by what is held directly.
    pub(super) fn is_admin(&self, operations: &Operations) -> bool {
        self.unlimited || operations.resources().is_subset(&self.cluster)
    }

    /// Whether everything that another power reaches is reached by this one.
    pub(super) fn covers(&self, other: &Self) -> bool {
        self.unlimited
            || (!other.unlimited
                && other.cluster.is_subset(&self.cluster)
                && other.local.iter().all(|(home, held)| {
                    held.is_subset(&self.cluster)
                        || self.local.get(home).is_some_and(|ours| held.difference(&self.cluster).is_subset(ours))
                })
                && other.named.iter().all(|(place, held)| {
                    let mut rest = held.difference(&self.cluster);
                    if let Some(ours) = self.local.get(&place.0) {
                        rest = rest.difference(ours);
                    }
                    if let Some(ours) = self.named.get(place) {
                        rest = rest.difference(ours);
                    }
                    rest.is_empty()
                }))
    }

    /// How much it is, for ordering: control of all, then what holds everywhere, then the rest.
    pub(super) fn strength(&self, operations: &Operations) -> (bool, u64, u64) {
        let local = self.local.values().chain(self.named.values()).map(|held| operations.weight_of(held)).sum();
        (self.is_admin(operations), operations.weight_of(&self.cluster), local)
    }
}
