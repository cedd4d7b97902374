//! Azure: role assignments, role definitions, deny assignments.
//!
//! [`rbac`] decides and lists access as Azure Resource Manager does; [`point`] decides requests that bring their assignments
//! along; [`Catalogue`] numbers the operations. It knows nothing of rules, reports or other providers, and talks to no
//! network. No documents are read yet: [`Azure`] recognises none.

mod catalog;
pub mod point;
pub mod rbac;

use evenhand_model::decide::Decides;
use evenhand_model::document::{Document, ReadError};
use evenhand_model::id::ProviderName;
use evenhand_model::inventory::Inventory;
use evenhand_model::provider::{Provider, ReadOptions, Reader, Reading};

pub use catalog::{Catalogue, entra, graph, tier0};

/// The Azure provider.
#[derive(Clone, Copy, Debug, Default)]
pub struct Azure;

impl Provider for Azure {
    fn name(&self) -> ProviderName {
        ProviderName("azure")
    }

    fn recognise(&self, _: &Document) -> Option<&'static str> {
        None
    }

    fn reader(&self, _: ReadOptions) -> Box<dyn Reader> {
        Box::new(Nothing)
    }

    fn decider(&self) -> Option<Box<dyn Decides>> {
        Some(Box::new(point::Decider::default()))
    }
}

/// The reading of no documents.
struct Nothing;

impl Reader for Nothing {
    fn read(&mut self, _: Document) -> Result<(), Vec<ReadError>> {
        Ok(())
    }

    fn finish(self: Box<Self>) -> Reading {
        Reading { inventory: Inventory::default(), resolver: None }
    }
}
