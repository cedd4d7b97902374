//! Where a text that no provider knows breaks the rules of its syntax.

use evenhand_model::document::{Document, Format};
use serde::de::IgnoredAny;

/// A longer text in YAML is not parsed only to say why nobody knows it.
const LONGEST_YAML: usize = 1 << 20;

/// The first break of the rules.
#[derive(Clone, Copy, Debug)]
pub(super) struct Malformed {
    /// What it was taken for.
    pub(super) syntax: &'static str,
    /// The line, from 1.
    pub(super) line: u64,
    /// The column, from 1.
    pub(super) column: u64,
    /// Whether the text ends too early, which no program allows.
    pub(super) is_cut: bool,
}

impl Malformed {
    /// `None` where a document is well formed, or its syntax has no rules that are looked at here.
    pub(super) fn of(document: &Document) -> Option<Self> {
        match document.format {
            _ if document.text.trim().is_empty() => None,
            Format::Json => {
                let error = serde_json::from_str::<IgnoredAny>(&document.text).err()?;
                let (line, column) = (error.line() as u64, error.column() as u64);
                Some(Self { syntax: "JSON", line, column, is_cut: error.is_eof() })
            }
            Format::Yaml if document.text.len() <= LONGEST_YAML => {
                let options = serde_saphyr::options! { with_snippet: false };
                let parsed = serde_saphyr::from_multiple_with_options::<IgnoredAny>(&document.text, options);
                // Other errors are limits and tastes of the parser.
                let error = parsed.err().filter(|error| {
                    matches!(
                        error,
                        serde_saphyr::Error::ExternalMessage { .. } | serde_saphyr::Error::UnknownAnchor { .. }
                    )
                })?;
                let (line, column) = error.location().map_or((1, 1), |at| (at.line(), at.column()));
                Some(Self { syntax: "YAML", line, column, is_cut: false })
            }
            _ => None,
        }
    }
}
