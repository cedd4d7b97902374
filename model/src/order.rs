//! Long lists in the order of a text, such as the id, of each thing in them.

use std::cmp::Ordering;

use rayon::prelude::*;

/// So many numbers of eight bytes each stand for a text.
const NUMBERS: usize = 4;

/// Sorts a list by a text of each thing, and things of one text by `then`. What is equal in both keeps its order.
///
/// Names lie all over memory and begin alike. So the bytes after what all of them begin with, by which most are told
/// apart, are brought together and sorted; and things, which are large, are moved once, when the place of each is known.
/// Where names of several providers are among them, all begin alike with little or nothing, and those of one provider may
/// be told apart only by their whole text: slower, and the same order.
pub fn sort_by_text<T: Sync>(
    list: &mut [T],
    text: impl Fn(&T) -> &str + Sync,
    then: impl Fn(&T, &T) -> Ordering + Sync,
) {
    let order = |a: &T, b: &T| text(a).cmp(text(b)).then_with(|| then(a, b));
    if list.par_windows(2).all(|pair| matches!(pair, [a, b] if order(a, b).is_le())) {
        return;
    }
    let held: &[T] = list;
    let with = |first: &str| held.par_iter().map(|thing| alike(first, text(thing))).min();
    let shared = held.first().and_then(|first| with(text(first))).unwrap_or(0);
    let key = |thing: &T| numbers(text(thing).as_bytes().get(shared..).unwrap_or_default());
    let mut places: Vec<([u64; NUMBERS], usize)> =
        held.par_iter().enumerate().map(|(at, thing)| (key(thing), at)).collect();
    places.par_sort_unstable_by(|(a, x), (b, y)| {
        let whole = || match (held.get(*x), held.get(*y)) {
            (Some(one), Some(other)) => order(one, other),
            _ => Ordering::Equal,
        };
        a.cmp(b).then_with(whole).then(x.cmp(y))
    });
    arrange(list, places.into_iter().map(|(_, from)| from).collect());
}

/// How many bytes two texts begin with alike.
fn alike(a: &str, b: &str) -> usize {
    a.bytes().zip(b.bytes()).take_while(|(a, b)| a == b).count()
}

/// The first bytes of a text as numbers, in the order of texts. Of a shorter text the rest is zero, as of one that ends
/// in zeros.
fn numbers(text: &[u8]) -> [u64; NUMBERS] {
    let mut bytes = [0; 8 * NUMBERS];
    bytes.iter_mut().zip(text).for_each(|(to, from)| *to = *from);
    let mut numbers = [0; NUMBERS];
    let (eights, _) = bytes.as_chunks::<8>();
    numbers.iter_mut().zip(eights).for_each(|(number, eight)| *number = u64::from_be_bytes(*eight));
    numbers
}

/// Moves each thing to its place. `order`: for each place, where its thing stands.
fn arrange<T>(list: &mut [T], mut order: Vec<usize>) {
    for first in 0..order.len() {
        let mut at = first;
        // Whose thing has come gives a place to the next one, until all that wait for each other have theirs.
        while let Some(place) = order.get_mut(at) {
            let from = std::mem::replace(place, at);
            if from == first {
                break;
            }
            list.swap(at, from);
            at = from;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sorted(things: &[(String, u8, usize)]) -> Vec<(String, u8, usize)> {
        let mut list = things.to_vec();
        sort_by_text(&mut list, |thing| thing.0.as_str(), |a, b| a.1.cmp(&b.1));
        list
    }

    fn numbered(things: Vec<(String, u8)>) -> Vec<(String, u8, usize)> {
        things.into_iter().enumerate().map(|(at, (text, second))| (text, second, at)).collect()
    }

    #[test]
    fn texts_that_differ_late_or_by_their_length_alone_are_in_order() {
        let long = "x".repeat(100);
        let names = [format!("{long}b"), long.clone(), format!("{long}\0"), format!("{long}a"), "x".to_owned()];
        let list = sorted(&numbered(names.into_iter().map(|name| (name, 0)).collect()));
        let places: Vec<usize> = list.iter().map(|(_, _, at)| *at).collect();
        assert_eq!(places, [4, 1, 2, 3, 0]);
    }

    proptest! {
        #[test]
        fn the_order_is_that_of_a_stable_sort(
            beginning in "[a:]{0,40}",
            ends in prop::collection::vec(("[ab\\x00é]{0,3}", "[ab]{0,40}", 0_u8..3), 0..60),
        ) {
            let things = ends.into_iter().map(|(short, long, second)| (format!("{beginning}{short}{long}"), second));
            let things = numbered(things.collect());
            let mut expected = things.clone();
            expected.sort_by(|a, b| (&a.0, a.1).cmp(&(&b.0, b.1)));
            prop_assert_eq!(sorted(&things), expected);
        }
    }
}
