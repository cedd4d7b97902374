//! The reading: documents in, inventory and resolver out.

use std::sync::Arc;

use evenhand_model::access::AccessResolver;
use evenhand_model::document::{Document, ReadError};
use evenhand_model::gap::Gap;
use evenhand_model::json_error;
use evenhand_model::provider::{ReadOptions, Reader, Reading};

use crate::PROVIDER;
use crate::documents::manifest::Manifest;
use crate::documents::{answers, take};
use crate::facts::Facts;
use crate::inventory::{join, scope_of};

/// Takes documents one by one.
pub(crate) struct GithubReader {
    options: ReadOptions,
    facts: Facts,
    gaps: Vec<Gap>,
}

impl GithubReader {
    pub(crate) fn new(options: ReadOptions) -> Self {
        Self { options, facts: Facts::default(), gaps: Vec::new() }
    }
}

impl Reader for GithubReader {
    fn read(&mut self, document: Document) -> Result<(), Vec<ReadError>> {
        let mut errors = Vec::new();
        if document.head.has("evenhand_capture") {
            match serde_json::from_str::<Manifest>(&document.text) {
                Ok(manifest) => {
                    self.gaps.extend(manifest.gaps());
                    let host = manifest.plan.host;
                    let selections = manifest.repository_selection.into_iter();
                    self.facts
                        .selections
                        .extend(selections.map(|(name, of)| ((host.clone(), name.to_lowercase()), of)));
                }
                Err(error) => errors.push(ReadError {
                    document: document.path.to_string(),
                    reason: format!("the manifest {}", json_error::reason(&error)),
                    remedy: "collect it again".to_owned(),
                }),
            }
        } else {
            let path = Arc::clone(&document.path);
            answers(&document, &mut errors, |answer| take(answer, &path, &self.options.fingerprinter, &mut self.facts));
        }
        if errors.is_empty() {
            return Ok(());
        }
        self.gaps.extend(errors.iter().map(|error| Gap::not_understood(PROVIDER, error)));
        Err(errors)
    }

    fn unread(&self) -> Vec<String> {
        self.facts.hidden().map(|owner| scope_of(&owner.host, &owner.name).to_string()).collect()
    }

    fn finish(self: Box<Self>) -> Reading {
        let Self { options, facts, gaps } = *self;
        let (mut inventory, resolver) = join(&facts, &options);
        inventory.gaps.extend(gaps);
        inventory.sort();
        Reading { inventory, resolver: resolver.map(|resolver| Box::new(resolver) as Box<dyn AccessResolver>) }
    }
}
