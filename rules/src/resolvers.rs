//! The resolvers of all providers, by provider.

use std::collections::BTreeMap;
use std::fmt;

use evenhand_model::access::AccessResolver;
use evenhand_model::id::ProviderName;

/// One resolver for each provider whose identities hold access of their own.
#[derive(Default)]
pub struct Resolvers(BTreeMap<ProviderName, Box<dyn AccessResolver>>);

impl Resolvers {
    /// No resolvers.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a provider's resolver; a second one for the same provider replaces the first.
    pub fn insert(&mut self, provider: ProviderName, resolver: Box<dyn AccessResolver>) {
        self.0.insert(provider, resolver);
    }

    /// A provider's resolver; `None` for providers without access of their own.
    pub fn get(&self, provider: ProviderName) -> Option<&dyn AccessResolver> {
        self.0.get(&provider).map(AsRef::as_ref)
    }

    /// All resolvers, sorted by provider.
    pub fn iter(&self) -> impl Iterator<Item = (ProviderName, &dyn AccessResolver)> {
        self.0.iter().map(|(provider, resolver)| (*provider, resolver.as_ref()))
    }
}

impl fmt::Debug for Resolvers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}
