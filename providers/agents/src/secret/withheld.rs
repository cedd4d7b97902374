//! What collectors wrote in place of secrets: it is read as the secret would be, and known by the fingerprint that they left.

use std::ops::Range;

use evenhand_model::secret::{Fingerprint, of_withheld};

use super::Kind;

/// Every mark begins like this; what follows are a kind and a fingerprint of so many digits.
const MARK: &str = "evenhand:withheld:";
const DIGITS: usize = 32;

/// Finds the marks that stand for secrets, with the kinds that collectors tell.
pub(super) fn find(text: &str, mut take: impl FnMut(Range<usize>, Kind)) {
    for (start, _) in text.match_indices(MARK) {
        let kind =
            text.get(start + MARK.len()..).and_then(|rest| rest.split_once(':')).map_or(0, |(kind, _)| kind.len());
        let range = start..start + MARK.len() + kind + 1 + DIGITS;
        if let Some(Some((kind, _))) = text.get(range.clone()).and_then(of_withheld) {
            take(range, Kind::named(kind));
        }
    }
}

/// The fingerprint of the secret that a mark stands for; `None` where the text is no mark.
pub(super) fn fingerprint(text: &str) -> Option<Fingerprint> {
    of_withheld(text)?.map(|(_, fingerprint)| fingerprint)
}

#[cfg(test)]
mod tests {
    use evenhand_model::secret::{Fingerprinter, withheld};

    use super::super::value::in_slot;
    use super::*;

    #[test]
    fn a_mark_is_the_secret_that_it_stands_for_wherever_it_stands() {
        let held = Fingerprinter::keyed("k").fingerprint(b"fake");
        let mark = withheld(Some(("token", held)));
        for (name, text) in [
            ("API_TOKEN", mark.clone()),
            ("Authorization", format!("Bearer {mark}")),
            ("", format!("curl -H 'x: {mark}' https://u:{mark}@host.example/")),
            ("DB_PASSWORD", format!("${{DB_PASSWORD:-{mark}}}")),
        ] {
            let hits = in_slot(name, &text);
            assert!(!hits.is_empty(), "{text}");
            for hit in hits {
                assert_eq!(text.get(hit.range).and_then(fingerprint), Some(held), "{text}");
            }
        }
        for text in [
            "evenhand:withheld",
            "evenhand:withheld:token:",
            "evenhand:withheld:other:00",
            "https://x/evenhand:withheld",
        ] {
            let mut found = 0;
            find(text, |_, _| found += 1);
            assert_eq!(found, 0, "{text}");
        }
    }
}
