//! A human role mined from people: what most of them hold.

use std::sync::Arc;

use evenhand_model::access::{Access, Doubt, GrantIx, Slice};
use evenhand_model::condition::Condition;
use evenhand_model::identity::Identity;
use evenhand_model::opset::OpSet;
use evenhand_model::scope::ResourceScope;
use indexmap::IndexSet;

use super::containment::covered_by;
use super::view::{Operations, View};
use super::world::World;

/// More peers than this are not asked; the first ones by id speak for the rest.
pub(crate) const MAX_PEERS: usize = 200;

/// What at least `tau` of the peers hold; `None` where fewer than `min_peers` of them have a known access.
///
/// A right is a set of operations on one scope under one condition, as some peer is granted it; a peer holds it if its
/// access covers it, however that is written.
pub(crate) fn mine(
    world: &World<'_>,
    operations: &Operations<'_>,
    peers: &[&Identity],
    tau: f64,
    min_peers: usize,
) -> Option<View> {
    let mut keys: Vec<(u64, Arc<View>)> = peers.iter().take(MAX_PEERS).filter_map(|peer| world.view(peer)).collect();
    let asked = keys.len();
    if asked < min_peers.max(1) {
        return None;
    }
    keys.sort_by_key(|(key, _)| *key);
    let mut views: Vec<(usize, Arc<View>)> = Vec::new();
    let mut last = None;
    for (key, view) in keys {
        if last == Some(key)
            && let Some((count, _)) = views.last_mut()
        {
            *count += 1;
        } else {
            views.push((1, view));
        }
        last = Some(key);
    }
    // How many peers are enough: at least tau of them, and at least one.
    let enough = (1..=asked).find(|count| *count as f64 >= tau * asked as f64).unwrap_or(asked);
    let rights: IndexSet<(&ResourceScope, &Condition)> =
        views.iter().flat_map(|(_, view)| &view.slices).map(|slice| (&*slice.scope, &*slice.granted_under)).collect();
    let mut slices = Vec::new();
    for (scope, condition) in rights {
        let scope = Arc::new(scope.clone());
        let mut edges: Vec<(u32, i64)> = Vec::new();
        for (count, view) in &views {
            let held = covered_by(view, &scope, condition);
            let count = i64::try_from(*count).unwrap_or(i64::MAX);
            edges.extend(held.ranges().iter().flat_map(|(start, end)| [(*start, count), (*end, -count)]));
        }
        let held = held_by_enough(edges, i64::try_from(enough).unwrap_or(i64::MAX));
        if !held.is_empty() {
            slices.push(Slice {
                operations: Arc::new(held),
                scope,
                condition: Arc::new(condition.clone()),
                grant: GrantIx(0),
            });
        }
    }
    let mut doubts: Vec<Doubt> = views.iter().flat_map(|(_, view)| view.doubts.iter().cloned()).collect();
    doubts.sort();
    doubts.dedup();
    Some(View::of(&Access::new(slices, doubts, false), operations.catalog))
}

/// The operations on which the counts of half-open ranges sum up to enough.
fn held_by_enough(mut edges: Vec<(u32, i64)>, enough: i64) -> OpSet {
    edges.sort_unstable();
    let mut ranges = Vec::new();
    let mut count = 0_i64;
    let mut since: Option<u32> = None;
    let mut edges = edges.into_iter().peekable();
    while let Some((at, change)) = edges.next() {
        count += change;
        if edges.peek().is_some_and(|(next, _)| *next == at) {
            continue;
        }
        match since {
            None if count >= enough => since = Some(at),
            Some(start) if count < enough => {
                ranges.push((start, at));
                since = None;
            }
            _ => {}
        }
    }
    OpSet::from_ranges(ranges)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_held_by_enough_are_found_across_edges() {
        let edges = vec![(0, 2), (5, -2), (3, 1), (9, -1), (5, 2), (7, -2)];
        assert_eq!(held_by_enough(edges.clone(), 3), OpSet::from_ranges([(3, 7)]));
        assert_eq!(held_by_enough(edges, 2), OpSet::from_ranges([(0, 7)]));
    }
}
