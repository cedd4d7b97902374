//! A column of texts: most columns of a fleet say the same few things over and over.

use std::collections::HashMap;
use std::sync::Arc;

/// Texts by row, some unknown. Texts that share their memory are held once where parts with repetitions were [joined]; in a
/// column that is built row by row they are, if they follow each other closely.
///
/// [joined]: Self::joined
#[derive(Clone, Debug, Default)]
pub struct Texts {
    /// The texts, in the order of their first row.
    distinct: Vec<Arc<str>>,
    /// For each row: 0 = unknown, else one more than a place in `distinct`.
    of: Vec<u32>,
}

/// After so many rows that all differ, a part of a column is taken for one of names, where looking finds nothing.
const ALL_DIFFER: usize = 32;

type Known = HashMap<usize, u32, foldhash::fast::FixedState>;

impl Texts {
    /// The number of rows.
    pub fn len(&self) -> usize {
        self.of.len()
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.of.is_empty()
    }

    /// The text of a row; `None` = unknown, or no such row.
    pub fn get(&self, row: usize) -> Option<&Arc<str>> {
        self.text(*self.of.get(row)?)
    }

    /// The texts of all rows, in the order of their first row. Equal ones may stand there several times: where rows do not
    /// share the memory, or where nobody looked whether they do.
    pub fn distinct(&self) -> &[Arc<str>] {
        &self.distinct
    }

    /// Where the text of a row stands among the distinct ones; `None` = unknown, or no such row.
    pub fn place(&self, row: usize) -> Option<usize> {
        (*self.of.get(row)? as usize).checked_sub(1)
    }

    /// The rows in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Option<&Arc<str>>> {
        self.of.iter().map(|number| self.text(*number))
    }

    /// The first row of a text in a column that is sorted by it.
    pub fn position_sorted(&self, text: &str) -> Option<usize> {
        self.position_sorted_near(text, 0)
    }

    /// The same, sought from some row onwards at first: the nearer the text is behind it, the sooner it is found. Whoever
    /// looks for sorted texts one after the other passes the row that was found before.
    pub fn position_sorted_near(&self, text: &str, from: usize) -> Option<usize> {
        let before = |row: &usize| self.get(*row).map(|held| &**held) < Some(text);
        let from = from.min(self.len());
        // All rows before `low` are smaller; of those from `high` on nothing is known.
        let mut low = if from.checked_sub(1).is_none_or(|row| before(&row)) { from } else { 0 };
        let mut step = 1;
        let mut high = low;
        while high < self.len() && before(&high) {
            low = high + 1;
            high = low.saturating_add(step);
            step *= 2;
        }
        high = high.min(self.len());
        while low < high {
            let middle = low.midpoint(high);
            if before(&middle) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        (self.get(low).map(|held| &**held) == Some(text)).then_some(low)
    }

    /// Adds a row.
    pub fn push(&mut self, text: Option<Arc<str>>) {
        let number = match text {
            None => 0,
            Some(text) => match self.distinct.last() {
                Some(last) if Arc::ptr_eq(last, &text) => self.last(),
                _ => self.add(text),
            },
        };
        self.of.push(number);
    }

    /// Joins the rows of several columns into one that takes no more room than it needs.
    pub fn joined(parts: Vec<Self>) -> Self {
        let mut all = Self {
            distinct: Vec::with_capacity(parts.iter().map(|part| part.distinct.len()).sum()),
            of: Vec::with_capacity(parts.iter().map(Self::len).sum()),
        };
        let mut known = Known::default();
        for part in parts {
            // A part without repetitions is most likely one of many such. Its texts are numbered as its rows are.
            if part.len() > ALL_DIFFER && part.distinct.len() == part.len() {
                let before = all.last();
                all.of.extend(part.of.into_iter().map(|number| number.saturating_add(before)));
                all.distinct.extend(part.distinct);
                continue;
            }
            let texts = part.distinct.into_iter().map(|text| all.add_known(text, &mut known));
            let numbers: Vec<u32> = std::iter::once(0).chain(texts).collect();
            all.of.extend(part.of.into_iter().map(|held| numbers.get(held as usize).copied().unwrap_or(0)));
        }
        all.distinct.shrink_to_fit();
        all
    }

    fn text(&self, number: u32) -> Option<&Arc<str>> {
        self.distinct.get(number.checked_sub(1)? as usize)
    }

    /// The number of the text that was added last.
    fn last(&self) -> u32 {
        // A table of 2³² distinct texts does not fit any machine.
        u32::try_from(self.distinct.len()).unwrap_or(u32::MAX)
    }

    fn add(&mut self, text: Arc<str>) -> u32 {
        self.distinct.push(text);
        self.last()
    }

    /// The number of a text, by its address: it stays what it is while the text is held here.
    fn add_known(&mut self, text: Arc<str>, known: &mut Known) -> u32 {
        let address = Arc::as_ptr(&text).addr();
        if let Some(number) = known.get(&address) {
            return *number;
        }
        let number = self.add(text);
        known.insert(address, number);
        number
    }
}

/// Texts that are added row by row. One that shares its memory with one of the last few takes the place of that.
#[derive(Debug)]
pub struct TextsBuilder {
    texts: Texts,
    /// Addresses of texts that came last and their numbers, each where its address puts it.
    recent: Vec<(usize, u32)>,
}

/// The number of texts that are remembered, a power of two.
const RECENT: usize = 64;

impl TextsBuilder {
    /// Without rows, with room for some.
    pub fn with_capacity(rows: usize) -> Self {
        let texts = Texts { distinct: Vec::new(), of: Vec::with_capacity(rows) };
        Self { texts, recent: vec![(0, 0); RECENT] }
    }

    /// Adds a row.
    pub fn push(&mut self, text: Option<Arc<str>>) {
        let number = text.map_or(0, |text| {
            let address = Arc::as_ptr(&text).addr();
            // The lowest bits of addresses are all the same.
            match self.recent.get_mut(((address >> 4) ^ (address >> 10)) % RECENT) {
                Some((held, number)) if *held == address => *number,
                Some(recent) => {
                    *recent = (address, self.texts.add(text));
                    recent.1
                }
                None => self.texts.add(text),
            }
        });
        self.texts.of.push(number);
    }

    /// The texts of all rows.
    pub fn build(self) -> Texts {
        self.texts
    }
}

impl FromIterator<Option<Arc<str>>> for Texts {
    fn from_iter<I: IntoIterator<Item = Option<Arc<str>>>>(texts: I) -> Self {
        let texts = texts.into_iter();
        let mut all = TextsBuilder::with_capacity(texts.size_hint().0);
        texts.for_each(|text| all.push(text));
        all.build()
    }
}

impl PartialEq for Texts {
    /// Whether the rows are equal, however they are held.
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.iter().eq(other.iter())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn texts_that_share_memory_are_held_once() {
        let word: Arc<str> = "role".into();
        let texts: Texts = (0..100).map(|_| Some(Arc::clone(&word))).collect();
        assert_eq!((texts.len(), texts.distinct.len()), (100, 1));
        let twice = Texts::joined(vec![texts.clone(), texts]);
        assert_eq!((twice.len(), twice.distinct.len()), (200, 1));
        // More than are remembered, so that some are added anew: joined, they are held once again.
        let words: Vec<Arc<str>> = (0..3 * RECENT).map(|at| at.to_string().into()).collect();
        let rows = words.iter().chain(&words).chain([&word, &word]).map(|word| Some(Arc::clone(word)));
        let joined = Texts::joined(vec![rows.collect()]);
        assert_eq!((joined.len(), joined.distinct.len()), (2 * words.len() + 2, words.len() + 1));
    }

    proptest! {
        #[test]
        fn a_text_is_found_at_its_first_row_wherever_the_search_begins(
            mut rows in prop::collection::vec(0..40_usize, 0..60),
            wanted in 0..41_usize,
            from in 0..70_usize,
        ) {
            rows.sort_unstable();
            let texts: Texts = rows.iter().map(|row| Some(format!("{row:02}").into())).collect();
            let first = rows.iter().position(|row| *row == wanted);
            prop_assert_eq!(texts.position_sorted(&format!("{wanted:02}")), first);
            prop_assert_eq!(texts.position_sorted_near(&format!("{wanted:02}"), from), first);
        }

        #[test]
        fn rows_come_back_as_they_went_in(
            parts in prop::collection::vec(prop::collection::vec(prop::option::of(0..60_usize), 0..90), 0..4),
            shared in any::<bool>(),
        ) {
            let words: Vec<Arc<str>> = (0..60).map(|at| at.to_string().into()).collect();
            let text = |at: usize| if shared { Arc::clone(&words[at]) } else { at.to_string().into() };
            let texts = |rows: &Vec<Option<usize>>| rows.iter().map(|at| at.map(text)).collect::<Texts>();
            let joined = Texts::joined(parts.iter().map(texts).collect());
            let rows: Vec<Option<usize>> = parts.concat();
            prop_assert_eq!(joined.len(), rows.len());
            for (row, at) in rows.iter().enumerate() {
                prop_assert_eq!(joined.get(row).map(|text| text.to_string()), at.map(|at| at.to_string()));
                prop_assert_eq!(joined.place(row).map(|place| &joined.distinct()[place]), joined.get(row));
            }
            let mut pushed = Texts::default();
            rows.iter().for_each(|at| pushed.push(at.map(text)));
            prop_assert_eq!(&pushed, &joined);
            prop_assert_eq!(joined.get(rows.len()), None);
        }
    }
}
