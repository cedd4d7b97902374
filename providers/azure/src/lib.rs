//! Azure: a tenant of Entra ID and the subscriptions that trust it.
//!
//! [`Azure`] recognises answers of Microsoft Graph and Azure Resource Manager, in the envelope that a collector writes or
//! bare as `az` prints them, and reads them into the inventory without keeping a secret. [`rbac`] decides and lists access as
//! Azure Resource Manager does; what directory roles and application permissions grant stands beside it; [`point`] decides
//! requests that bring their assignments along; [`Catalogue`] numbers the operations. It knows nothing of rules, reports or
//! other providers. With the feature `live`, the module `collect` reads tenants into such captures; nothing else here talks to
//! a network.

mod access;
mod catalog;
pub mod cloud;
#[cfg(feature = "live")]
pub mod collect;
pub mod documents;
mod facts;
mod inventory;
pub mod point;
pub mod rbac;
mod reader;
#[cfg(test)]
mod tests;

use evenhand_model::decide::Decides;
use evenhand_model::document::Document;
use evenhand_model::id::ProviderName;
use evenhand_model::provider::{Provider, ReadOptions, Reader};

pub use catalog::{Catalogue, entra, graph, tier0};

/// The provider's name.
pub(crate) const PROVIDER: ProviderName = ProviderName("azure");

/// The Azure provider.
#[derive(Clone, Copy, Debug, Default)]
pub struct Azure;

impl Provider for Azure {
    fn name(&self) -> ProviderName {
        PROVIDER
    }

    fn recognise(&self, document: &Document) -> Option<&'static str> {
        documents::recognise(document)
    }

    fn is_damaged(&self, document: &Document) -> bool {
        documents::is_damaged(document)
    }

    fn reader(&self, options: ReadOptions) -> Box<dyn Reader> {
        Box::new(reader::AzureReader::new(options))
    }

    fn decider(&self) -> Option<Box<dyn Decides>> {
        Some(Box::new(point::Decider::default()))
    }
}
