//! GitHub: organisations as the REST API describes them.
//!
//! [`Github`] recognises answers of the API, in the envelope that `evenhand collect github` writes or bare as `gh api`
//! prints them, and reads them into the inventory without keeping a secret. It knows nothing of rules or reports. Workflow
//! files are read by `evenhand_agents::workflow`, the one reader of workflows there is. With the feature `live`, the module
//! `collect` reads organisations into such captures; nothing else here talks to a network.

mod access;
mod approval;
mod catalog;
#[cfg(feature = "live")]
pub mod collect;
pub mod documents;
pub mod facts;
mod federation;
mod inventory;
mod reader;
#[cfg(test)]
mod tests;

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

    fn is_damaged(&self, document: &Document) -> bool {
        documents::is_damaged(document)
    }

    fn known_settings(&self) -> &'static [(&'static str, &'static str)] {
        &[
            ("machine_users", "logins that software signs in with, divided by commas"),
            ("audit_retention_days", "how many days the audit log is kept where it is sent to"),
        ]
    }

    fn reader(&self, options: ReadOptions) -> Box<dyn Reader> {
        Box::new(reader::GithubReader::new(options))
    }
}
