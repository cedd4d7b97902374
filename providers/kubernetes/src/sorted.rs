//! Objects in the order of their names, each name once.

use std::cmp::Ordering;

use rayon::prelude::*;

/// Sorts objects. Of several that are equal the last one stays, as it does in a cluster to which one after the other is
/// applied.
pub(crate) fn last_of_each<T: Send>(objects: &mut Vec<T>, order: impl Fn(&T, &T) -> Ordering + Sync) {
    objects.par_sort_by(&order);
    objects.dedup_by(|later, earlier| {
        let same = order(later, earlier).is_eq();
        if same {
            std::mem::swap(later, earlier);
        }
        same
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_equal_objects_the_last_one_stays() {
        let mut objects = vec![("b", 1), ("a", 2), ("b", 3), ("b", 4), ("a", 5)];
        last_of_each(&mut objects, |a, b| a.0.cmp(b.0));
        assert_eq!(objects, [("a", 5), ("b", 4)]);
    }
}
