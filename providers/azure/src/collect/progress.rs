//! How far a collection is: what was planned and what is pending. The manifest says it on disk.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use evenhand_collect::Stopped;
use evenhand_model::capture::Extent;

use super::step::About;
use crate::PROVIDER;
use crate::documents::manifest::{Manifest, Planned};

/// The state of a collection.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    planned: Planned,
    /// Whether this run asks less than the capture is to hold.
    narrower: bool,
    /// Calls that are not made yet, by host and path.
    pending: BTreeSet<String>,
    counts: BTreeMap<About, usize>,
    pub(crate) answered: usize,
    pub(crate) documents: usize,
    /// When it was last written.
    pub(crate) written: Option<Instant>,
}

impl Progress {
    /// What is planned: this, and what was planned before.
    pub(crate) fn new(tenant: &str, before: Option<&Manifest>, subscriptions: &BTreeSet<String>) -> Self {
        let before = before.map(|before| &before.plan).filter(|plan| !plan.tenant.is_empty());
        let all = match before {
            // All of them were.
            Some(before) if before.subscriptions.is_empty() => BTreeSet::new(),
            Some(before) => before.subscriptions.iter().chain(subscriptions).cloned().collect(),
            None => subscriptions.clone(),
        };
        let narrower = all != *subscriptions;
        let planned = Planned { tenant: tenant.to_owned(), subscriptions: all.into_iter().collect() };
        Self { planned, narrower, ..Self::default() }
    }

    pub(crate) fn pend(&mut self, path: String) {
        self.pending.insert(path);
    }

    pub(crate) fn made(&mut self, path: &str) {
        self.pending.remove(path);
    }

    /// Notes how many there are to ask about.
    pub(crate) fn found(&mut self, about: About, count: usize) {
        self.counts.insert(about, count);
    }

    pub(crate) fn count(&self, about: About) -> usize {
        self.counts.get(&about).copied().unwrap_or_default()
    }

    pub(crate) fn is_whole(&self) -> bool {
        self.pending.is_empty()
    }

    /// The manifest; `end` = that the collection is over, and why it ended early.
    pub(crate) fn manifest(&self, end: Option<Option<Stopped>>) -> Manifest {
        Manifest {
            extent: Extent {
                evenhand_capture: Extent::VERSION,
                provider: PROVIDER.0.to_owned(),
                complete: end == Some(None) && self.is_whole() && !self.narrower,
                stopped: end.flatten().map(|stopped| stopped.as_str().to_owned()),
            },
            plan: self.planned.clone(),
            pending: self.pending.iter().cloned().collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_narrower_run_does_not_complete_a_wider_capture() {
        let ids = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
        let complete = |progress: &Progress| progress.manifest(Some(None)).extent.complete;
        let first = Progress::new("t", None, &ids(&[]));
        assert!(complete(&first));
        let wide = first.manifest(None);
        assert!(!complete(&Progress::new("t", Some(&wide), &ids(&["a"]))));
        let one = Progress::new("t", None, &ids(&["a"])).manifest(None);
        assert!(complete(&Progress::new("t", Some(&one), &ids(&["a"]))));
        let more = Progress::new("t", Some(&one), &ids(&["b"]));
        assert_eq!((more.planned.subscriptions.len(), complete(&more)), (2, false));
    }
}
