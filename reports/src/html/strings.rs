//! Texts of the page's data, each once: names and places recur in thousands of rows.

use std::collections::HashMap;

use serde::Serialize;

use crate::text::printable;

/// The number of a text.
pub(super) type StringIx = u32;

/// Texts by number, in the order of their coming. They are printable: a page shows no control characters either.
#[derive(Default)]
pub(super) struct Strings {
    numbers: HashMap<String, StringIx>,
    texts: Vec<String>,
}

impl Strings {
    /// The number of a line of text.
    pub(super) fn add(&mut self, text: &str) -> StringIx {
        if let Some(number) = self.numbers.get(text) {
            return *number;
        }
        self.insert(text, printable(text))
    }

    /// The number of a text of several lines, whose ends stay.
    pub(super) fn add_lines(&mut self, text: &str) -> StringIx {
        if let Some(number) = self.numbers.get(text) {
            return *number;
        }
        self.insert(text, text.lines().map(printable).collect::<Vec<_>>().join("\n"))
    }

    fn insert(&mut self, text: &str, shown: String) -> StringIx {
        let number = StringIx::try_from(self.texts.len()).unwrap_or(StringIx::MAX);
        self.numbers.insert(text.to_owned(), number);
        self.texts.push(shown);
        number
    }
}

impl Serialize for Strings {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.texts.serialize(serializer)
    }
}
