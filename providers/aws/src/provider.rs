//! The provider as the pipeline sees it.

use evenhand_model::access::AccessResolver;
use evenhand_model::catalog::{Catalog, CatalogSource};
use evenhand_model::decide::Decides;
use evenhand_model::document::{Document, ReadError};
use evenhand_model::evidence::Truth;
use evenhand_model::id::ProviderName;
use evenhand_model::provider::{Provider, ReadOptions, Reader, Reading};

use crate::access::Resolver;
use crate::catalog::Catalogue;
use crate::documents;
use crate::inventory::facts::Facts;
use crate::inventory::{Settings, join};
use crate::point::Decider;

pub(crate) const NAME: ProviderName = ProviderName("aws");

const CENTER_MFA: &str = "identity_center_mfa";

/// Amazon Web Services, read from what its command line prints.
#[derive(Clone, Copy, Debug, Default)]
pub struct Aws;

/// Where the embedded catalogue of operations comes from, most important source first.
pub fn catalog_sources() -> Vec<CatalogSource> {
    Catalogue::global().sources()
}

impl Provider for Aws {
    fn name(&self) -> ProviderName {
        NAME
    }

    fn recognise(&self, document: &Document) -> Option<&'static str> {
        documents::recognise(document)
    }

    fn is_damaged(&self, document: &Document) -> bool {
        documents::is_damaged(document)
    }

    fn likeness(&self, document: &Document) -> Option<String> {
        documents::likeness(document)
    }

    fn known_settings(&self) -> &'static [(&'static str, &'static str)] {
        &[(
            CENTER_MFA,
            "whether signing in through Identity Center asks for several factors: `required` (the default of the \
             service, which no call reports), `off` or `unknown`",
        )]
    }

    fn reader(&self, options: ReadOptions) -> Box<dyn Reader> {
        Box::new(AwsReader { options, facts: Facts::default() })
    }

    fn decider(&self) -> Option<Box<dyn Decides>> {
        Some(Box::new(Decider::default()))
    }
}

struct AwsReader {
    options: ReadOptions,
    facts: Facts,
}

impl Reader for AwsReader {
    fn read(&mut self, document: Document) -> Result<(), Vec<ReadError>> {
        let errors = documents::read(&document, &self.options.fingerprinter, &mut self.facts);
        if errors.is_empty() { Ok(()) } else { Err(errors) }
    }

    fn finish(self: Box<Self>) -> Reading {
        let settings = Settings {
            center_mfa: match self.options.settings.get(CENTER_MFA).map(String::as_str) {
                Some("off") => Truth::No,
                Some("unknown") => Truth::Unknown,
                _ => Truth::Yes,
            },
        };
        let joined = join(self.facts, settings);
        let resolver = Resolver::new(joined.world, self.options.now);
        let resolver: Box<dyn AccessResolver> = Box::new(resolver);
        Reading { inventory: joined.inventory, resolver: Some(resolver) }
    }
}
