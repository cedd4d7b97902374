//! Gaps: what could not be read, and what is therefore unknown.

use std::sync::Arc;

use serde::Serialize;

use crate::id::{ProviderName, ScopeId};

/// How a gap came about. It decides whether a scan counts as incomplete.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum GapKind {
    /// A document or part of one could not be understood, or a call was refused or failed: evidence that should be
    /// there is not. The scan is incomplete.
    Failed,
    /// A document names something that is not part of the capture, or evidence was never collected: said, but no
    /// failure.
    NotCollected,
}

/// Something that was not read.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
pub struct Gap {
    /// Whose evidence it is; `None` when no provider recognised it.
    pub provider: Option<ProviderName>,
    /// The account, cluster … where that is known.
    pub scope: Option<ScopeId>,
    /// How it came about.
    pub kind: GapKind,
    /// The call or document: `organizations list-policies`, `dump.json:12:7`.
    pub call: Arc<str>,
    /// Why it was not read, in a few words, with a remedy.
    pub reason: Arc<str>,
    /// The facts that are unknown because of it.
    pub facts: Arc<str>,
}
