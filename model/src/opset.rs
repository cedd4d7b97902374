//! Sets of operations: sorted ranges of catalogue numbers.
//!
//! Catalogues number operations alphabetically, so a prefix wildcard is one range and even very wide sets stay a few
//! dozen bytes. No operation of the algebra costs more than a linear merge.

use std::fmt;

/// An operation's number in its provider's catalogue.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct OperationIx(pub u32);

/// A set of operations of one catalogue.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct OpSet {
    /// Half-open, sorted, disjoint, never adjacent, never empty.
    ranges: Vec<(u32, u32)>,
}

impl OpSet {
    /// The empty set.
    pub const fn new() -> Self {
        Self { ranges: Vec::new() }
    }

    /// All operations below `len`.
    pub fn all(len: usize) -> Self {
        Self::from_ranges([(0, u32::try_from(len).unwrap_or(u32::MAX))])
    }

    /// One operation.
    pub fn single(operation: OperationIx) -> Self {
        Self { ranges: operation.0.checked_add(1).map(|end| (operation.0, end)).into_iter().collect() }
    }

    /// The union of half-open ranges, in any order, overlapping or not.
    pub fn from_ranges(ranges: impl IntoIterator<Item = (u32, u32)>) -> Self {
        let mut ranges: Vec<(u32, u32)> = ranges.into_iter().filter(|(start, end)| start < end).collect();
        if !ranges.is_sorted() {
            let end = ranges.iter().map(|(_, end)| *end).max().unwrap_or_default();
            if is_sooner_marked(ranges.len(), end) {
                let mut marks = no_marks(end);
                mark(&mut marks, &ranges);
                return Self { ranges: marked(&marks, end, ranges.len()) };
            }
            ranges.sort();
        }
        ranges.dedup_by(|later, earlier| {
            let joins = later.0 <= earlier.1;
            if joins {
                earlier.1 = earlier.1.max(later.1);
            }
            joins
        });
        ranges.shrink_to_fit();
        Self { ranges }
    }

    /// The union of any number of sets.
    pub fn union_of<'s>(sets: impl Iterator<Item = &'s Self> + Clone) -> Self {
        let (mut ranges, mut end) = (0_usize, 0_u32);
        for set in sets.clone() {
            ranges += set.ranges.len();
            end = set.ranges.last().map_or(end, |(_, last)| end.max(*last));
        }
        if !is_sooner_marked(ranges, end) {
            let mut all: Vec<(u32, u32)> = Vec::with_capacity(ranges);
            all.extend(sets.flat_map(|set| set.ranges.iter().copied()));
            return Self::from_ranges(all);
        }
        let mut marks = no_marks(end);
        for set in sets {
            mark(&mut marks, &set.ranges);
        }
        Self { ranges: marked(&marks, end, ranges) }
    }

    /// The half-open ranges, sorted.
    pub fn ranges(&self) -> &[(u32, u32)] {
        &self.ranges
    }

    /// Whether the set is empty.
    pub fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// The number of operations.
    pub fn len(&self) -> usize {
        self.ranges.iter().map(|(start, end)| (end - start) as usize).sum()
    }

    /// Whether the operation is in the set.
    pub fn contains(&self, operation: OperationIx) -> bool {
        let after = self.ranges.partition_point(|(start, _)| *start <= operation.0);
        after.checked_sub(1).and_then(|at| self.ranges.get(at)).is_some_and(|(_, end)| operation.0 < *end)
    }

    /// The operations, ascending.
    pub fn iter(&self) -> impl Iterator<Item = OperationIx> + '_ {
        self.ranges.iter().flat_map(|(start, end)| (*start..*end).map(OperationIx))
    }

    /// Operations in either set.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        if self.is_empty() {
            return other.clone();
        }
        if other.is_empty() {
            return self.clone();
        }
        Self::from_ranges(self.ranges.iter().chain(&other.ranges).copied())
    }

    /// Operations in both sets.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        let (few, many) = self.by_size(other);
        let mut ranges = Vec::new();
        let mut rest = many;
        for (start, end) in few {
            rest = reaching(rest, *start);
            let overlaps = rest.iter().take_while(|(from, _)| from < end);
            ranges.extend(overlaps.map(|(from, to)| (*start.max(from), *end.min(to))));
        }
        Self { ranges }
    }

    /// Operations in this set only.
    #[must_use]
    pub fn difference(&self, other: &Self) -> Self {
        if other.is_empty() {
            return self.clone();
        }
        let mut ranges = Vec::new();
        let mut holes = other.ranges.as_slice();
        for (start, end) in &self.ranges {
            let mut start = *start;
            holes = reaching(holes, start);
            for (from, to) in holes.iter().take_while(|(from, _)| from < end) {
                if start < *from {
                    ranges.push((start, *from));
                }
                start = *to;
            }
            if start < *end {
                ranges.push((start, *end));
            }
        }
        Self { ranges }
    }

    /// Whether every operation of this set is in the other.
    pub fn is_subset(&self, other: &Self) -> bool {
        let mut rest = other.ranges.as_slice();
        self.ranges.iter().all(|(start, end)| {
            rest = reaching(rest, *start);
            rest.first().is_some_and(|(from, to)| from <= start && end <= to)
        })
    }

    /// Whether some operation is in both.
    pub fn intersects(&self, other: &Self) -> bool {
        let (few, many) = self.by_size(other);
        let mut rest = many;
        few.iter().any(|(start, end)| {
            rest = reaching(rest, *start);
            rest.first().is_some_and(|(from, _)| from < end)
        })
    }

    /// The ranges of two sets, those of the one with fewer first.
    fn by_size<'r>(&'r self, other: &'r Self) -> (Ranges<'r>, Ranges<'r>) {
        if self.ranges.len() <= other.ranges.len() {
            (&self.ranges, &other.ranges)
        } else {
            (&other.ranges, &self.ranges)
        }
    }

    /// The lowest operation.
    pub fn first(&self) -> Option<OperationIx> {
        self.ranges.first().map(|(start, _)| OperationIx(*start))
    }
}

/// The words in which a non-empty range begins and ends.
fn words((start, end): (u32, u32)) -> (usize, usize) {
    ((start / u64::BITS) as usize, ((end - 1) / u64::BITS) as usize)
}

/// The bits of a non-empty range in one of its words.
fn bits((start, end): (u32, u32), word: usize) -> u64 {
    let (first, last) = words((start, end));
    let low = if word == first { u64::MAX << (start % u64::BITS) } else { u64::MAX };
    let high = if word == last { u64::MAX >> (u64::BITS - 1 - (end - 1) % u64::BITS) } else { u64::MAX };
    low & high
}

/// One bit for each operation before `end`, none of them set.
fn no_marks(end: u32) -> Vec<u64> {
    vec![0; end.div_ceil(u64::BITS) as usize]
}

/// Sets the bits of non-empty ranges, for all of which there are bits.
fn mark(marks: &mut [u64], ranges: &[(u32, u32)]) {
    for range in ranges {
        let (first, last) = words(*range);
        for (at, word) in (first..).zip(marks.get_mut(first..=last).unwrap_or_default()) {
            *word |= bits(*range, at);
        }
    }
}

/// Half-open ranges, sorted and apart.
type Ranges<'r> = &'r [(u32, u32)];

/// The ranges that end after an operation. Sets of very different size meet often, so the search takes steps that grow.
fn reaching(ranges: Ranges<'_>, operation: u32) -> Ranges<'_> {
    let before = |range: &(u32, u32)| range.1 <= operation;
    let mut step = 1;
    while ranges.get(step).is_some_and(before) {
        step *= 2;
    }
    // All up to half the step end before; the first that does not stands no further than the step.
    let (_, near) = ranges.split_at_checked(step / 2).unwrap_or((&[], ranges));
    let skipped = near.get(..=step).unwrap_or(near).partition_point(before);
    near.get(skipped..).unwrap_or_default()
}

/// Fewer ranges than this are sorted.
const FEWEST_MARKED: usize = 48;

/// Whether so many ranges that end at `end` or before are sooner marked than sorted: many over few operations are.
fn is_sooner_marked(ranges: usize, end: u32) -> bool {
    ranges >= FEWEST_MARKED && (end / u64::BITS) as usize <= ranges.saturating_mul(8)
}

/// The ranges that are marked, `most` of them or fewer, none of which ends after `end`.
fn marked(marks: &[u64], end: u32, most: usize) -> Vec<(u32, u32)> {
    let mut union = Vec::with_capacity(most);
    let mut open: Option<u32> = None;
    for (at, word) in (0_u32..).zip(marks.iter().copied()) {
        // Nearly all words are like this.
        if word == 0 && open.is_none() {
            continue;
        }
        let base = at * u64::BITS;
        let mut bit = 0;
        while bit < u64::BITS {
            let rest = word >> bit;
            bit += if open.is_some() { rest.trailing_ones() } else { rest.trailing_zeros() };
            if bit < u64::BITS {
                match open.take() {
                    Some(start) => union.push((start, base + bit)),
                    None => open = Some(base + bit),
                }
            }
        }
    }
    union.extend(open.map(|start| (start, end)));
    // Kept for long, so no larger than it is.
    Vec::from(union.as_slice())
}

impl FromIterator<OperationIx> for OpSet {
    fn from_iter<I: IntoIterator<Item = OperationIx>>(operations: I) -> Self {
        Self::from_ranges(operations.into_iter().map(|operation| (operation.0, operation.0.saturating_add(1))))
    }
}

impl fmt::Debug for OpSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.ranges.iter().map(|(start, end)| *start..*end)).finish()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn sets() -> impl Strategy<Value = (BTreeSet<u32>, BTreeSet<u32>)> {
        let set = || {
            prop_oneof![
                prop::collection::btree_set(0..60_u32, 0..40),
                prop::collection::btree_set(0..200_u32, 0..9),
                (0..200_u32, 0..140_u32).prop_map(|(start, length)| (start..start + length).collect()),
            ]
        };
        (set(), set())
    }

    fn op(set: &BTreeSet<u32>) -> OpSet {
        set.iter().copied().map(OperationIx).collect()
    }

    fn plain(set: &OpSet) -> BTreeSet<u32> {
        set.iter().map(|operation| operation.0).collect()
    }

    proptest! {
        #[test]
        fn a_union_of_any_number_of_ranges_holds_what_they_hold(
            ranges in prop::collection::vec((0..400_u32, 0..70_u32), 0..150),
        ) {
            let ranges: Vec<(u32, u32)> = ranges.into_iter().map(|(start, length)| (start, start + length)).collect();
            let union = OpSet::from_ranges(ranges.iter().copied());
            prop_assert_eq!(plain(&union), ranges.iter().flat_map(|(start, end)| *start..*end).collect::<BTreeSet<_>>());
            prop_assert!(union.ranges().windows(2).all(|pair| pair[0].1 < pair[1].0));
            let sets: Vec<OpSet> = ranges.chunks(3).map(|some| OpSet::from_ranges(some.iter().copied())).collect();
            prop_assert_eq!(OpSet::union_of(sets.iter()), union);
        }

        #[test]
        fn agrees_with_plain_sets((a, b) in sets()) {
            let (x, y) = (op(&a), op(&b));
            prop_assert_eq!(plain(&x.union(&y)), a.union(&b).copied().collect::<BTreeSet<_>>());
            prop_assert_eq!(plain(&x.intersection(&y)), a.intersection(&b).copied().collect::<BTreeSet<_>>());
            prop_assert_eq!(plain(&x.difference(&y)), a.difference(&b).copied().collect::<BTreeSet<_>>());
            prop_assert_eq!(x.is_subset(&y), a.is_subset(&b));
            prop_assert_eq!(x.intersects(&y), !a.is_disjoint(&b));
            prop_assert_eq!(x.len(), a.len());
            for n in 0..400 {
                prop_assert_eq!(x.contains(OperationIx(n)), a.contains(&n));
            }
        }
    }
}
