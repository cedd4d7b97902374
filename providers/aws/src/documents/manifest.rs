//! The collector's own document: what a capture holds, and what it would hold if the collection had not been stopped.
//!
//! Its shape is shared by the side that writes it and the side that reads it.

use std::collections::BTreeSet;
use std::sync::Arc;

use evenhand_model::capture::Extent;
use evenhand_model::document::ReadError;
use evenhand_model::gap::{Gap, GapKind};
use evenhand_model::id::ScopeId;
use serde::{Deserialize, Serialize};

use super::form::Form;
use super::sheet::Sheet;
use crate::inventory::arn::is_account;
use crate::inventory::facts::{Asked, Facts};
use crate::provider::NAME;

/// The document `manifest.json` of a capture.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Manifest {
    /// How far it came.
    #[serde(flatten)]
    pub(crate) extent: Extent,
    /// What was to be collected, once that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) plan: Option<Planned>,
    /// Calls that were made.
    pub(crate) calls: Vec<Made>,
    /// Calls that were not.
    pub(crate) pending: Vec<Pending>,
}

/// What was to be collected. Going on with a capture means this, unless it is told otherwise.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Planned {
    /// The account of the credentials that collect.
    pub(crate) home: String,
    /// Whether all accounts of its organisation are collected.
    pub(crate) all_accounts: bool,
    /// The name of the role that is assumed in the others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) role: Option<String>,
    /// The regions; none = all that are on in an account.
    pub(crate) regions: Vec<String>,
}

/// A call that was made, once or for many things.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Made {
    /// The account that was asked about.
    pub(crate) account: String,
    /// The region, for calls that have one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) region: Option<String>,
    /// The call as the command line spells it.
    pub(crate) call: String,
    /// The document below the manifest's folder; none where there was nothing to ask about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) document: Option<String>,
    /// Answers.
    pub(crate) answered: usize,
    /// Refusals and failures.
    pub(crate) failed: usize,
}

/// A call that was not made yet, or not for everything.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Pending {
    /// The account.
    pub(crate) account: String,
    /// The region, for calls that have one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) region: Option<String>,
    /// The call as the command line spells it.
    pub(crate) call: String,
}

/// Reads a manifest: what is pending is a gap.
pub(super) fn read(sheet: &Sheet<'_>, facts: &mut Facts, errors: &mut Vec<ReadError>) {
    let Some(manifest) = sheet.whole::<Manifest>(errors) else { return };
    if manifest.extent.complete {
        return;
    }
    let mut said: BTreeSet<(&str, Form)> = BTreeSet::new();
    for pending in &manifest.pending {
        if let Some(form) = Form::of_call(&pending.call).filter(|_| is_account(&pending.account)) {
            said.insert((&pending.account, form));
        }
    }
    let reason: Arc<str> = manifest.extent.unfinished(NAME).into();
    let mut gap = |scope: Option<&str>, form: Form| {
        facts.gaps.push(Gap {
            provider: Some(NAME),
            scope: scope.map(|account| ScopeId::new(Arc::from(account))),
            kind: GapKind::Failed,
            call: Arc::from(form.call()),
            reason: Arc::clone(&reason),
            facts: vec![form.facts()],
        });
    };
    for (account, form) in &said {
        gap(Some(account), *form);
    }
    // Without a reason the end came unforeseen, and not everything that is pending may be listed.
    if said.is_empty() || manifest.extent.stopped.is_none() {
        gap(None, Form::Manifest);
    }
    for pending in &manifest.pending {
        if let Some(form) = Form::of_call(&pending.call).filter(|_| is_account(&pending.account)) {
            let account = Some(facts.account(&pending.account));
            let region = pending.region.as_deref().map(|region| facts.texts.share(region));
            facts.refused.push(Asked { form, account, region, document: Arc::clone(&sheet.path), whole: false });
        }
    }
}
