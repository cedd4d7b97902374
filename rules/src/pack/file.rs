//! The shape of a rule file, before anything in it is checked.

use std::sync::Arc;

use evenhand_model::finding::{Dimension, Severity};
use indexmap::IndexMap;
use serde::Deserialize;
use serde_saphyr::{Location, Spanned};

use crate::pack::rule::{Docs, Expect, FrameworkRef, ParamValue};

/// A rule file. Unknown fields are refused, so that a misspelt one is not silently without effect.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RuleFile {
    pub(crate) id: Spanned<String>,
    #[serde(default)]
    pub(crate) check: Option<String>,
    pub(crate) title: String,
    pub(crate) dimension: Spanned<Dimension>,
    pub(crate) severity: Severity,
    pub(crate) since: String,
    pub(crate) providers: Spanned<ProviderList>,
    pub(crate) table: Spanned<String>,
    #[serde(default)]
    pub(crate) applies_to: Option<Spanned<String>>,
    #[serde(default)]
    pub(crate) params: IndexMap<String, ParamValue>,
    pub(crate) predicate: Spanned<String>,
    #[serde(default)]
    pub(crate) identity: Option<Spanned<String>>,
    #[serde(default)]
    pub(crate) discriminator: Option<Vec<Spanned<String>>>,
    pub(crate) message: Spanned<String>,
    #[serde(default)]
    pub(crate) show: Vec<Spanned<String>>,
    #[serde(default)]
    pub(crate) frameworks: Vec<FrameworkRef>,
    pub(crate) docs: Docs,
    #[serde(default)]
    pub(crate) unknown_is_ok_because: Option<String>,
    #[serde(default)]
    pub(crate) cases: Vec<CaseFile>,
}

/// `all`, or names.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum ProviderList {
    /// One word; only `all` is meant.
    Word(String),
    /// Names.
    Names(Vec<String>),
}

/// A case.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CaseFile {
    pub(crate) name: Spanned<String>,
    #[serde(default)]
    pub(crate) row: IndexMap<String, Option<ParamValue>>,
    pub(crate) expect: Expect,
}

/// Something wrong with a rule file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}{}: {message}", place(*.line, *.column))]
pub struct Problem {
    /// The file.
    pub file: Arc<str>,
    /// The line, from 1; 0 = the file as a whole.
    pub line: u64,
    /// The column, from 1; 0 = the file as a whole.
    pub column: u64,
    /// Whether the rule cannot be used.
    pub fatal: bool,
    /// What is wrong, with a remedy.
    pub message: String,
}

fn place(line: u64, column: u64) -> String {
    if line == 0 { String::new() } else { format!(":{line}:{column}") }
}

impl Problem {
    /// A problem at a place, or with the file as a whole.
    pub(crate) fn new(file: &Arc<str>, place: Option<Location>, fatal: bool, message: impl Into<String>) -> Self {
        let (line, column) = place.map_or((0, 0), |place| (place.line(), place.column()));
        Self { file: Arc::clone(file), line, column, fatal, message: message.into() }
    }
}

/// Reads a rule file.
pub(crate) fn parse(file: &Arc<str>, text: &str) -> Result<RuleFile, Problem> {
    serde_saphyr::from_str(text).map_err(|error| {
        let error = error.without_snippet();
        let place = error.location();
        // The place is told by the problem itself: the parser's own mention of it would say it twice.
        let told = error.to_string();
        let told = told.lines().next().unwrap_or_default();
        let message = match place {
            Some(at) => told.replace(&format!(" at line {}, column {}", at.line(), at.column()), ""),
            None => told.to_owned(),
        };
        Problem::new(file, place, true, message)
    })
}
