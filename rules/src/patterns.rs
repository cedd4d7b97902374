//! Which of many patterns may fit a text, found without trying each.
//!
//! A register or a set of profiles names thousands, and an inventory holds thousands; every one against every other is
//! more than either. A text that a pattern fits holds every whole word of the pattern as a whole word of its own, so a
//! pattern is kept under one of its words, and only patterns under the words of a text are tried on it.

use std::collections::HashMap;

/// Patterns by one of their words.
#[derive(Clone, Debug, Default)]
pub(crate) struct Patterns {
    by_word: HashMap<Box<str>, Vec<usize>, foldhash::fast::FixedState>,
    /// Patterns without a whole word, which any text may fit.
    wordless: Vec<usize>,
}

impl Patterns {
    /// Keeps patterns in which `*` and `?` are wildcards, each under a number; several may share one.
    pub(crate) fn new<'p>(patterns: impl IntoIterator<Item = (usize, &'p str)>) -> Self {
        let patterns: Vec<(usize, Vec<&str>)> =
            patterns.into_iter().map(|(number, pattern)| (number, whole_words(pattern))).collect();
        let mut frequency: HashMap<&str, usize, foldhash::fast::FixedState> = HashMap::default();
        for word in patterns.iter().flat_map(|(_, words)| words) {
            *frequency.entry(word).or_default() += 1;
        }
        let mut kept = Self::default();
        for (number, words) in &patterns {
            // The rarest word tells most; of equally rare ones the longest does.
            let rarest = words
                .iter()
                .min_by_key(|word| (frequency.get(*word).copied().unwrap_or_default(), std::cmp::Reverse(word.len())));
            match rarest {
                Some(word) => kept.by_word.entry(Box::from(*word)).or_default().push(*number),
                None => kept.wordless.push(*number),
            }
        }
        kept
    }

    /// The numbers of patterns that may fit one of some texts, sorted, each once: every one that does is among them.
    pub(crate) fn candidates<'t>(&self, texts: impl IntoIterator<Item = &'t str>) -> Vec<usize> {
        let words = texts.into_iter().flat_map(words);
        let mut found: Vec<usize> =
            words.filter_map(|word| self.by_word.get(word)).flatten().chain(&self.wordless).copied().collect();
        found.sort_unstable();
        found.dedup();
        found
    }
}

/// The words of a text: its longest runs of letters and digits.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|one: char| !one.is_alphanumeric()).filter(|word| !word.is_empty())
}

/// The words of a pattern that no wildcard can make longer.
fn whole_words(pattern: &str) -> Vec<&str> {
    let mut whole = Vec::new();
    let pieces: Vec<&str> = pattern.split(['*', '?']).collect();
    let last = pieces.len().saturating_sub(1);
    for (at, piece) in pieces.into_iter().enumerate() {
        let open_before = at > 0 && piece.starts_with(char::is_alphanumeric);
        let open_after = at < last && piece.ends_with(char::is_alphanumeric);
        let held: Vec<&str> = words(piece).collect();
        let end = held.len().saturating_sub(usize::from(open_after));
        whole.extend(held.get(usize::from(open_before)..end).unwrap_or_default());
    }
    whole
}

#[cfg(test)]
mod tests {
    use evenhand_model::evidence::Truth;
    use evenhand_model::glob::Glob;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn words_beside_a_wildcard_are_not_whole() {
        let cases: &[(&str, &[&str])] = &[
            ("role/incident-*", &["role", "incident"]),
            ("role/incident*", &["role"]),
            ("*incident-bot?", &[]),
            ("arn:aws*:iam::1:role/*AWSReservedSSO_Release_????", &["arn", "iam", "1", "role", "Release"]),
            ("plain", &["plain"]),
            ("*", &[]),
            ("a*", &[]),
        ];
        for (pattern, expected) in cases {
            assert_eq!(whole_words(pattern), *expected, "{pattern}");
        }
    }

    #[test]
    fn a_text_is_tried_against_few_of_many_patterns() {
        let texts: Vec<String> =
            (0..1_000).map(|at| format!("arn:aws:iam::111122223333:role/team-{at}/runner")).collect();
        let patterns = Patterns::new(texts.iter().enumerate().map(|(at, text)| (at, text.as_str())));
        for (at, text) in texts.iter().enumerate() {
            assert_eq!(patterns.candidates([text.as_str()]), [at]);
        }
    }

    proptest! {
        #[test]
        fn whatever_fits_is_among_the_candidates(
            patterns in proptest::collection::vec("[ab/*?_]{0,6}", 0..6),
            text in "[ab/_]{0,6}",
        ) {
            let kept = Patterns::new(patterns.iter().enumerate().map(|(at, pattern)| (at, pattern.as_str())));
            let candidates = kept.candidates([text.as_str()]);
            for (at, pattern) in patterns.iter().enumerate() {
                if Glob::wildcard(pattern).matches(&text) == Truth::Yes {
                    prop_assert!(candidates.contains(&at), "{} fits {}", pattern, text);
                }
            }
        }
    }
}
