//! Human roles by where they are, so that those near an AI identity are found without asking all.

use std::collections::{BTreeMap, HashMap};

use evenhand_model::id::{ProviderName, ScopeId};
use evenhand_model::identity::Identity;

use super::subject::Subject;

/// With none nearby, this many roles elsewhere still are a job's roles; more are a crowd, and no measure for anyone.
const MAX_ELSEWHERE: usize = 64;

/// Identities that may serve as baseline, by provider and scope.
#[derive(Debug, Default)]
pub(crate) struct Candidates<'a> {
    providers: BTreeMap<ProviderName, Places<'a>>,
}

#[derive(Debug, Default)]
struct Places<'a> {
    all: Vec<&'a Identity>,
    by_scope: HashMap<&'a ScopeId, Vec<&'a Identity>, foldhash::fast::FixedState>,
}

impl<'a> Candidates<'a> {
    pub(crate) fn push(&mut self, identity: &'a Identity) {
        let places = self.providers.entry(identity.provider).or_default();
        places.all.push(identity);
        places.by_scope.entry(&identity.scope).or_default().push(identity);
    }

    /// All of them.
    pub(crate) fn all(&self) -> impl Iterator<Item = &'a Identity> {
        self.providers.values().flat_map(|places| places.all.iter().copied())
    }

    /// Whether some are in a provider.
    pub(crate) fn is_in(&self, provider: ProviderName) -> bool {
        self.providers.contains_key(&provider)
    }

    /// Those that can be measured against: in the providers of the subject's access, in its scopes where some are, else
    /// anywhere in the provider. From everywhere where its access is not known, so that the baseline can be named.
    /// Sorted by id.
    pub(crate) fn within_reach(&self, subject: &Subject<'_>) -> Vec<&'a Identity> {
        let mut chosen: Vec<&Identity> = Vec::new();
        if subject.parts.is_empty() {
            for places in self.providers.values() {
                chosen.extend(places.all.iter().take(MAX_ELSEWHERE + 1));
            }
            if chosen.len() > MAX_ELSEWHERE {
                return Vec::new();
            }
        }
        for part in &subject.parts {
            let Some(places) = self.providers.get(&part.provider) else { continue };
            let before = chosen.len();
            chosen.extend(
                part.scopes
                    .iter()
                    .filter_map(|scope| places.by_scope.get(scope))
                    .flatten()
                    .filter(|role| role.id != subject.identity.id),
            );
            if chosen.len() == before && places.all.len() <= MAX_ELSEWHERE {
                chosen.extend(places.all.iter().filter(|role| role.id != subject.identity.id));
            }
        }
        chosen.sort_by(|a, b| a.id.cmp(&b.id));
        chosen.dedup_by(|a, b| a.id == b.id);
        chosen
    }
}

impl<'a> FromIterator<&'a Identity> for Candidates<'a> {
    fn from_iter<I: IntoIterator<Item = &'a Identity>>(identities: I) -> Self {
        let mut candidates = Self::default();
        identities.into_iter().for_each(|identity| candidates.push(identity));
        candidates
    }
}
