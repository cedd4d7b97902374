//! GitHub: organisations as the REST API describes them.
//!
//! [`Github`] recognises answers of the API, in the envelope that `evenhand collect github` writes or bare as `gh api`
//! prints them, and reads them into the inventory without keeping a secret. It knows nothing of rules or reports. Workflow
//! files are read by `evenhand_agents::workflow`, the one reader of workflows there is. With the feature `live`, the module
//! `collect` reads organisations into such captures; nothing else here talks to a network.

#[cfg(feature = "live")]
pub mod collect;
pub mod documents;
mod inventory;
mod reader;

use evenhand_model::document::Document;
use evenhand_model::id::ProviderName;
use evenhand_model::provider::{Provider, ReadOptions, Reader};

/// The provider's name.
pub(crate) const PROVIDER: ProviderName = ProviderName("github");

/// The GitHub provider.
#[derive(Clone, Copy, Debug, Default)]
pub struct Github;

impl Provider for Github {
    fn name(&self) -> ProviderName {
        PROVIDER
    }

    fn recognise(&self, document: &Document) -> Option<&'static str> {
        documents::recognise(document)
    }

    fn reader(&self, options: ReadOptions) -> Box<dyn Reader> {
        Box::new(reader::GithubReader::new(options))
    }
}
