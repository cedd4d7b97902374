//! Documents as they reach a provider: bytes, and enough of a look at them to tell whose they are.

use std::sync::Arc;

/// The syntax of a document.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Format {
    /// One JSON value; comments and trailing commas are possible in configuration files.
    Json,
    /// One JSON value a line.
    Ndjson,
    /// One or several YAML documents.
    Yaml,
    /// TOML.
    Toml,
    /// Comma-separated values with a header.
    Csv,
    /// Anything else that is text.
    Text,
}

/// A document, decompressed, with a cheap look at its head.
#[derive(Clone, Debug)]
pub struct Document {
    /// The path as the user named it; relative paths stay relative. `/` separates on every platform.
    pub path: Arc<str>,
    /// The path below the source it was found in; equal to the file's name for a source that is a file.
    pub relative: Arc<str>,
    /// The source's own name: the folder's or file's last component.
    pub source_name: Arc<str>,
    /// The syntax, told from the content; the name only decides between TOML, CSV and text.
    pub format: Format,
    /// The content: valid UTF-8 without byte order mark.
    pub text: String,
    /// The keys at the top.
    pub head: Head,
    /// What the file system and version control tell.
    pub file: FileFacts,
}

impl Document {
    /// Whether a name stands in the text as a word of its own, whatever is around it: of a text that breaks the rules of its
    /// syntax nothing more can be said for certain.
    pub fn holds_word(&self, word: &str) -> bool {
        let is_part = |mark: char| mark.is_alphanumeric() || mark == '_';
        self.text.match_indices(word).any(|(at, _)| {
            let before = self.text.get(..at).and_then(|before| before.chars().next_back());
            let after = self.text.get(at + word.len()..).and_then(|after| after.chars().next());
            !before.is_some_and(is_part) && !after.is_some_and(is_part)
        })
    }
}

/// What can be said of a document without reading it whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Head {
    /// The keys of the top-level object (of the first one, for streams), as far as the first 64 KiB reach.
    pub keys: Vec<String>,
    /// For each top-level key whose value is a list of objects: that key and the keys of its first object. A top-level
    /// list has the empty key.
    pub elements: Vec<(String, Vec<String>)>,
    /// The top-level keys whose value is a list without elements.
    pub empty_lists: Vec<String>,
    /// The text values of short top-level members: `kind` → `List`.
    pub values: Vec<(String, String)>,
    /// The header of a CSV document.
    pub columns: Vec<String>,
}

impl Head {
    /// Whether a key stands at the top.
    pub fn has(&self, key: &str) -> bool {
        self.keys.iter().any(|held| held == key)
    }

    /// The keys of the first element of a list at the top.
    pub fn element(&self, key: &str) -> Option<&[String]> {
        self.elements.iter().find(|(held, _)| held == key).map(|(_, keys)| keys.as_slice())
    }

    /// Whether a list without elements stands at the top.
    pub fn is_empty_list(&self, key: &str) -> bool {
        self.empty_lists.iter().any(|held| held == key)
    }

    /// The text value of a short member at the top.
    pub fn value(&self, key: &str) -> Option<&str> {
        self.values.iter().find(|(held, _)| held == key).map(|(_, value)| value.as_str())
    }
}

/// What is known of the file beside its content.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FileFacts {
    /// Whether version control tracks it; `None` = not known.
    pub tracked: Option<bool>,
    /// Whether it lies in the user's home outside any project.
    pub user_level: bool,
    /// Whether other users of the machine may read it; `None` = not known.
    pub readable_by_others: Option<bool>,
}

/// A document, or a part of one, that cannot be understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{document}: {reason}; {remedy}")]
pub struct ReadError {
    /// The document with the place: `dump.json:12:7`, `dump.json#/RoleDetailList/3`.
    pub document: String,
    /// What is wrong, in a few words.
    pub reason: String,
    /// What to do.
    pub remedy: String,
}
