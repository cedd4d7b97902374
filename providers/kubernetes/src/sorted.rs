//! Objects in the order of their names, each name once.

use std::collections::HashMap;

use foldhash::fast::FixedState;
use rayon::prelude::*;

/// Namespace, kind and name.
pub(crate) type Name<'n> = (&'n str, &'static str, &'n str);

/// Sorts objects. Of several with one name the last one stays, as it does in a cluster to which one after the other is
/// applied.
pub(crate) fn last_of_each<T: Send + Sync>(objects: &mut Vec<T>, name: impl Fn(&T) -> Name<'_> + Sync) {
    let order = order(objects, &name);
    let mut before: Vec<Option<T>> = std::mem::take(objects).into_iter().map(Some).collect();
    objects.reserve_exact(order.len());
    objects.extend(order.into_iter().filter_map(|(_, at)| before.get_mut(at as usize)?.take()));
}

/// The places of the objects that stay, in the order of their names; each beside the number of its namespace. Very many
/// objects stand in few namespaces: these are compared once, and their numbers from then on.
fn order<T: Sync>(objects: &[T], name: &(impl Fn(&T) -> Name<'_> + Sync)) -> Vec<(u32, u32)> {
    let number = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
    let mut homes: HashMap<&str, u32, FixedState> = HashMap::default();
    let met: Vec<u32> = objects
        .iter()
        .map(|object| {
            let next = number(homes.len());
            *homes.entry(name(object).0).or_insert(next)
        })
        .collect();
    let mut sorted: Vec<(&str, u32)> = homes.into_iter().collect();
    sorted.par_sort_unstable();
    let mut ranks: Vec<u32> = vec![0; sorted.len()];
    for (rank, (_, met)) in (0_u32..).zip(sorted) {
        if let Some(held) = ranks.get_mut(met as usize) {
            *held = rank;
        }
    }
    let rank = |met: u32| ranks.get(met as usize).copied().unwrap_or(u32::MAX);
    let mut order: Vec<(u32, u32)> = met.into_iter().zip(0_u32..).map(|(met, at)| (rank(met), at)).collect();
    let within = |at: u32| objects.get(at as usize).map(|object| (name(object).1, name(object).2));
    order.par_sort_unstable_by(|a, b| {
        a.0.cmp(&b.0).then_with(|| within(a.1).cmp(&within(b.1))).then_with(|| a.1.cmp(&b.1))
    });
    let same = |a: (u32, u32), b: (u32, u32)| a.0 == b.0 && within(a.1) == within(b.1);
    if order.par_windows(2).any(|pair| matches!(pair, [a, b] if same(*a, *b))) {
        order.dedup_by(|later, earlier| {
            let same = same(*later, *earlier);
            if same {
                *earlier = *later;
            }
            same
        });
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_are_sorted_and_of_equal_ones_the_last_one_stays() {
        let mut objects = vec![
            ("n", "Pod", "b", 1),
            ("m", "Pod", "z", 2),
            ("n", "Job", "c", 3),
            ("n", "Pod", "b", 4),
            ("", "Pod", "q", 5),
            ("n", "Pod", "b", 6),
            ("n", "Pod", "a", 7),
            ("m", "Pod", "z", 8),
        ];
        last_of_each(&mut objects, |object| (object.0, object.1, object.2));
        assert_eq!(objects.iter().map(|object| object.3).collect::<Vec<_>>(), [5, 8, 3, 7, 6]);
    }
}
