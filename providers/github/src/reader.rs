//! The reading: documents in, inventory and resolver out.

use evenhand_model::document::{Document, ReadError};
use evenhand_model::inventory::Inventory;
use evenhand_model::provider::{ReadOptions, Reader, Reading};

use crate::documents;

/// Takes documents one by one.
pub(crate) struct GithubReader {
    options: ReadOptions,
}

impl GithubReader {
    pub(crate) fn new(options: ReadOptions) -> Self {
        Self { options }
    }
}

impl Reader for GithubReader {
    fn read(&mut self, document: Document) -> Result<(), Vec<ReadError>> {
        let mut errors = Vec::new();
        documents::answers(&document, &mut errors, |_answer| Ok(()));
        if errors.is_empty() { Ok(()) } else { Err(errors) }
    }

    fn finish(self: Box<Self>) -> Reading {
        let _ = self.options;
        Reading { inventory: Inventory::default(), resolver: None }
    }
}
