//! Where a fact comes from, and whether it is known at all.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// A place in a document that was read.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct Evidence {
    /// The document, as the user named it (relative paths stay relative).
    pub document: Arc<str>,
    /// Where in the document.
    pub place: Place,
}

/// A place inside a document.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// The document as a whole.
    Whole,
    /// A JSON pointer (RFC 6901); YAML streams prefix it with the document's index, as in `/2/spec`.
    Pointer(Arc<str>),
    /// A JSON pointer to a setting, and the address of the page on which people see and change it.
    Setting {
        /// As for [`Place::Pointer`]; empty for a document that is the setting.
        pointer: Arc<str>,
        /// An `https` address.
        page: Arc<str>,
    },
    /// A line, counted from 1.
    Line(u32),
    /// A line and a column, both counted from 1.
    LineColumn(u32, u32),
}

impl Evidence {
    /// Evidence that is a whole document.
    pub fn whole(document: impl Into<Arc<str>>) -> Self {
        Self { document: document.into(), place: Place::Whole }
    }

    /// Evidence at a JSON pointer.
    pub fn pointer(document: impl Into<Arc<str>>, pointer: impl Into<Arc<str>>) -> Self {
        Self { document: document.into(), place: Place::Pointer(pointer.into()) }
    }

    /// Evidence that is a setting with a page of its own.
    pub fn setting(document: impl Into<Arc<str>>, pointer: impl Into<Arc<str>>, page: impl Into<Arc<str>>) -> Self {
        Self { document: document.into(), place: Place::Setting { pointer: pointer.into(), page: page.into() } }
    }

    /// Evidence at a line.
    pub fn line(document: impl Into<Arc<str>>, line: u32) -> Self {
        Self { document: document.into(), place: Place::Line(line) }
    }

    /// The line, where the place has one.
    pub fn line_number(&self) -> Option<u32> {
        match self.place {
            Place::Line(line) | Place::LineColumn(line, _) => Some(line),
            Place::Whole | Place::Pointer(_) | Place::Setting { .. } => None,
        }
    }
}

impl fmt::Display for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Place::Whole => f.write_str(&self.document),
            // What nearly all places are, without the cost of formatting.
            Place::Pointer(pointer) => {
                f.write_str(&self.document)?;
                f.write_str("#")?;
                f.write_str(pointer)
            }
            Place::Setting { pointer, page } if pointer.is_empty() => write!(f, "{} ({page})", self.document),
            Place::Setting { pointer, page } => write!(f, "{}#{pointer} ({page})", self.document),
            Place::Line(line) => write!(f, "{}:{line}", self.document),
            Place::LineColumn(line, column) => write!(f, "{}:{line}:{column}", self.document),
        }
    }
}

/// A fact with the two ways in which it can be missing kept apart.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Default)]
pub enum Fact<T> {
    /// Read, and this is the value.
    Known(T),
    /// Read, and there is none: a key that never expires, an identity without owner.
    Absent,
    /// Not read, or not readable: becomes NULL in the fact tables.
    #[default]
    Unknown,
}

impl<T> Fact<T> {
    /// The value, where there is one.
    pub fn value(&self) -> Option<&T> {
        match self {
            Self::Known(value) => Some(value),
            Self::Absent | Self::Unknown => None,
        }
    }

    /// Whether there is a value: `Some(false)` is a known absence, `None` is unknown.
    pub fn present(&self) -> Option<bool> {
        match self {
            Self::Known(_) => Some(true),
            Self::Absent => Some(false),
            Self::Unknown => None,
        }
    }

    /// What was read: an optional value that, when missing, is known to be absent.
    pub fn read(value: Option<T>) -> Self {
        match value {
            Some(value) => Self::Known(value),
            None => Self::Absent,
        }
    }

    /// An optional value that, when missing, tells nothing.
    pub fn known(value: Option<T>) -> Self {
        match value {
            Some(value) => Self::Known(value),
            None => Self::Unknown,
        }
    }

    /// Applies a function to the value.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Fact<U> {
        match self {
            Self::Known(value) => Fact::Known(f(value)),
            Self::Absent => Fact::Absent,
            Self::Unknown => Fact::Unknown,
        }
    }

    /// This fact, or the other one where this one is unknown.
    pub fn or(self, other: Self) -> Self {
        match self {
            Self::Unknown => other,
            known => known,
        }
    }
}

/// Three-valued truth, as in SQL.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Truth {
    /// Certainly not.
    No,
    /// Cannot be decided from what was read.
    Unknown,
    /// Certainly.
    Yes,
}

impl Truth {
    /// Kleene conjunction.
    #[inline]
    pub fn and(self, other: Self) -> Self {
        self.min(other)
    }

    /// Kleene disjunction.
    #[inline]
    pub fn or(self, other: Self) -> Self {
        self.max(other)
    }

    /// Kleene negation: what is unknown stays so.
    #[must_use]
    #[expect(clippy::should_implement_trait, reason = "named like its siblings `and` and `or`")]
    pub fn not(self) -> Self {
        match self {
            Self::Yes => Self::No,
            Self::No => Self::Yes,
            Self::Unknown => Self::Unknown,
        }
    }

    /// NULL for unknown.
    pub fn known(self) -> Option<bool> {
        match self {
            Self::Yes => Some(true),
            Self::No => Some(false),
            Self::Unknown => None,
        }
    }
}

impl From<bool> for Truth {
    fn from(value: bool) -> Self {
        if value { Self::Yes } else { Self::No }
    }
}
