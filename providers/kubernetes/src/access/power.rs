//! What someone holds, as sets of operations by place: comparable, and equal for everyone whose bindings say the same.

use std::borrow::Borrow;
use std::sync::Arc;

use evenhand_model::catalog::Catalog;
use evenhand_model::opset::OpSet;

use super::compiled::Compiled;
use super::sets::Held;
use crate::catalog::Operations;

/// Namespace (empty = all of them) and name.
type Place = (Arc<str>, Arc<str>);

/// Namespace (empty = all of them), the name that it is limited to, and the operations.
type Granted<'r> = (&'r Arc<str>, Option<&'r Arc<str>>, &'r Arc<OpSet>);

/// Operations by place.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub(super) struct Power {
    pub(super) unlimited: bool,
    /// In the whole cluster.
    pub(super) cluster: OpSet,
    /// In namespaces, what holds in the whole cluster left out.
    pub(super) local: ByPlace<Arc<str>>,
    /// On single names, by namespace (empty = in all of them) and name, what holds without names left out.
    pub(super) named: ByPlace<Place>,
}

/// Which operations are held, in whatever place, as a few bits: several operations share one. Whoever holds a bit that
/// another lacks holds something that the other does not.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Outline([u64; 4]);

impl Outline {
    /// Lacks nothing.
    pub(super) const FULL: Self = Self([u64::MAX; 4]);

    fn add(&mut self, (start, end): (u32, u32)) {
        // So many in a row bear all bits.
        for operation in start..end.min(start.saturating_add(1 << 12)) {
            let bit = operation.wrapping_mul(0x9e37_79b9) >> 24;
            if let Some(word) = self.0.get_mut((bit / 64) as usize) {
                *word |= 1 << (bit % 64);
            }
        }
    }

    /// Whether something of another is certainly missing here.
    pub(super) fn lacks(&self, other: &Self) -> bool {
        self.0.iter().zip(&other.0).any(|(ours, theirs)| theirs & !ours != 0)
    }
}

/// Operations by place, sorted: few for each identity, and most identities hold some.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(super) struct ByPlace<P>(Vec<(P, OpSet)>);

impl<P> Default for ByPlace<P> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<P> ByPlace<P> {
    pub(super) fn iter(&self) -> impl Iterator<Item = (&P, &OpSet)> {
        self.0.iter().map(|(place, held)| (place, held))
    }

    pub(super) fn values(&self) -> impl Iterator<Item = &OpSet> {
        self.0.iter().map(|(_, held)| held)
    }

    fn get<K: Ord + ?Sized>(&self, place: &K) -> Option<&OpSet>
    where
        P: Borrow<K>,
    {
        let at = self.0.binary_search_by(|(held, _)| held.borrow().cmp(place)).ok()?;
        self.0.get(at).map(|(_, held)| held)
    }
}

impl Power {
    pub(super) fn of(cluster: &Compiled, held: &Held) -> Self {
        let mut granted: Vec<Granted<'_>> = Vec::with_capacity(4 * held.grantors.len());
        for grantor in &held.grantors {
            for (_, rule, operations, home) in cluster.rules_of(*grantor) {
                if operations.is_empty() {
                    continue;
                }
                if rule.resource_names.is_empty() {
                    granted.push((home, None, operations));
                } else {
                    granted.extend(rule.resource_names.iter().map(|name| (home, Some(name), operations)));
                }
            }
        }
        // What holds in the whole cluster comes first, and what holds in a namespace before names in it.
        granted.sort_by_key(|(home, name, _)| (*home, *name));
        let mut power = Self { unlimited: held.unlimited, ..Self::default() };
        for alike in granted.chunk_by(|a, b| a.0 == b.0 && a.1 == b.1) {
            let Some((home, name, first)) = alike.first() else { continue };
            let operations = match alike {
                [_] => OpSet::clone(first),
                _ => OpSet::from_ranges(alike.iter().flat_map(|(.., held)| held.ranges().iter().copied())),
            };
            if name.is_none() && home.is_empty() {
                power.cluster = operations;
                continue;
            }
            let mut rest = if power.cluster.is_empty() { operations } else { operations.difference(&power.cluster) };
            match name {
                None if rest.is_empty() => {}
                None => power.local.0.push((Arc::clone(home), rest)),
                Some(name) => {
                    if let Some(held) = power.local.get(&***home) {
                        rest = rest.difference(held);
                    }
                    if !rest.is_empty() {
                        power.named.0.push(((Arc::clone(home), Arc::clone(name)), rest));
                    }
                }
            }
        }
        power
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
                && other.local.iter().all(|(home, held)| match self.local.get(&**home) {
                    Some(ours) => held.is_subset(ours) || held.difference(&self.cluster).is_subset(ours),
                    None => held.is_subset(&self.cluster),
                })
                && other.named.iter().all(|(place, held)| {
                    let mut rest = held.difference(&self.cluster);
                    if let Some(ours) = self.local.get(&*place.0) {
                        rest = rest.difference(ours);
                    }
                    if let Some(ours) = self.named.get(place) {
                        rest = rest.difference(ours);
                    }
                    rest.is_empty()
                }))
    }

    /// Its outline.
    pub(super) fn outline(&self) -> Outline {
        let mut outline = Outline::default();
        for held in [&self.cluster].into_iter().chain(self.local.values()).chain(self.named.values()) {
            held.ranges().iter().for_each(|range| outline.add(*range));
        }
        outline
    }

    /// How much it is, for ordering: control of all, then what holds everywhere, then the rest.
    pub(super) fn strength(&self, operations: &Operations) -> (bool, u64, u64) {
        let local = self.local.values().chain(self.named.values()).map(|held| operations.weight_of(held)).sum();
        (self.is_admin(operations), operations.weight_of(&self.cluster), local)
    }
}
