//! Whom findings can be about, and whose the rows of a table are.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use evenhand_model::gap::Gap;
use evenhand_model::id::{IdentityId, ProviderName, ScopeId};
use evenhand_model::identity::Identity;
use evenhand_model::inventory::Inventory;
use evenhand_model::parity::Comparison;
use evenhand_model::table::{Column, Row as _, Table};
use evenhand_model::texts::Texts;
use rayon::prelude::*;

use crate::facts::tables::WaiverRow;
use crate::judgements::Judgements;
use crate::pack::Rule;
use crate::waivers::CONFIGURATION;

/// Whom findings can be about.
pub(super) struct Subjects<'a> {
    inventory: &'a Inventory,
    judgements: &'a Judgements,
    /// Sorted.
    pub(super) providers: Vec<ProviderName>,
    /// What is in doubt about the comparison of an identity, by its position in the inventory.
    doubts: HashMap<usize, &'a [Arc<str>], foldhash::fast::FixedState>,
    gaps: BTreeMap<(ProviderName, &'a ScopeId), Vec<&'a Gap>>,
}

impl<'a> Subjects<'a> {
    pub(super) fn new(inventory: &'a Inventory, judgements: &'a Judgements, comparisons: &'a [Comparison]) -> Self {
        let identities = inventory.identities.iter().map(|identity| identity.provider);
        let all = identities
            .chain(inventory.trusts.iter().map(|trust| trust.provider))
            .chain(inventory.credentials.iter().map(|credential| credential.provider))
            .chain(inventory.workloads.iter().map(|workload| workload.provider))
            .chain(inventory.agents.iter().map(|agent| agent.provider))
            .chain(inventory.logs.iter().map(|log| log.provider))
            .chain(inventory.gaps.iter().filter_map(|gap| gap.provider));
        let mut last = ProviderName(CONFIGURATION);
        let mut providers = BTreeSet::from([last]);
        // What one provider read stands together for the most part.
        for provider in all {
            if provider != last {
                providers.insert(provider);
                last = provider;
            }
        }
        let mut gaps: BTreeMap<_, Vec<&Gap>> = BTreeMap::new();
        for gap in &inventory.gaps {
            if let (Some(provider), Some(scope)) = (gap.provider, &gap.scope) {
                gaps.entry((provider, scope)).or_default().push(gap);
            }
        }
        let doubts = comparisons.iter().filter(|comparison| !comparison.doubts.is_empty());
        Self {
            inventory,
            judgements,
            providers: providers.into_iter().collect(),
            doubts: doubts
                .filter_map(|held| Some((judgements.position(&held.identity)?, held.doubts.as_slice())))
                .collect(),
            gaps,
        }
    }

    /// The identity at a position.
    pub(super) fn identity(&self, position: usize) -> Option<&'a Identity> {
        self.inventory.identities.get(position)
    }

    /// Why the comparison of an identity, or what it may do, may be other than was found.
    pub(super) fn doubts(&self, position: Option<usize>) -> &'a [Arc<str>] {
        position.and_then(|position| self.doubts.get(&position)).copied().unwrap_or_default()
    }

    /// The gaps of a scope.
    pub(super) fn gaps<'s>(&'s self, provider: ProviderName, scope: &'s ScopeId) -> &'s [&'a Gap] {
        self.gaps.get(&(provider, scope)).map_or(&[], Vec::as_slice)
    }

    /// The place of a provider in [`Self::providers`], by its name.
    fn provider(&self, name: &str) -> Option<u8> {
        u8::try_from(self.providers.iter().position(|provider| provider.0 == name)?).ok()
    }

    /// The position of an identity, where `expected` is where most likely it is.
    fn position(&self, id: &Arc<str>, expected: usize) -> Option<usize> {
        let is_there = |at: usize| self.identity(at).is_some_and(|identity| identity.id.as_str() == &**id);
        // Of several with one id the first is meant.
        if is_there(expected) && !expected.checked_sub(1).is_some_and(is_there) {
            return Some(expected);
        }
        self.judgements.position(&IdentityId::new(Arc::clone(id)))
    }
}

/// Whether a row is about what the vendor runs itself, which nobody is judged by. A waiver is the organisation's own word,
/// whomever it names.
fn is_unjudged(table: &Table, subject: Option<&Identity>) -> bool {
    table.spec.name != WaiverRow::SPEC.name && subject.is_some_and(|identity| identity.vendor_managed)
}

/// Whom an id means.
struct Owner {
    /// A position in the inventory.
    subject: Option<u32>,
    /// A place in [`Subjects::providers`].
    provider: Option<u8>,
    is_unjudged: bool,
}

/// Whose the rows of a table are, looked up once for all rules over it.
pub(super) struct Owners<'a> {
    ids: Option<&'a Texts>,
    /// For each distinct id.
    owners: Vec<Owner>,
    /// The provider of each row, as a place in [`Subjects::providers`]; none for rows that nothing is judged by.
    providers: Vec<Option<u8>>,
}

impl<'a> Owners<'a> {
    /// The owners by the column that names them.
    pub(super) fn of(table: &'a Table, identity: &str, subjects: &Subjects<'_>) -> Self {
        /// Ids that are looked up one after the other.
        const RUN: usize = 1024;
        let texts = |name: &str| match table.column(name) {
            Some(Column::Text(texts)) => Some(texts),
            _ => None,
        };
        let Some(ids) = texts(identity) else {
            return Self { ids: None, owners: Vec::new(), providers: vec![None; table.rows()] };
        };
        let owners_of = |ids: &[Arc<str>]| {
            // Tables are in the order of the inventory for the most part.
            let mut next = 0;
            let owner = |id: &Arc<str>| {
                let position = subjects.position(id, next);
                next = position.map_or(next, |position| position + 1);
                let subject = position.and_then(|position| subjects.identity(position));
                Owner {
                    subject: position.and_then(|position| u32::try_from(position).ok()),
                    provider: subject.and_then(|identity| subjects.provider(identity.provider.0)),
                    is_unjudged: is_unjudged(table, subject),
                }
            };
            ids.iter().map(owner).collect::<Vec<_>>()
        };
        let owners: Vec<Owner> = ids.distinct().par_chunks(RUN).flat_map_iter(owners_of).collect();
        let names = texts("provider");
        let named: Vec<Option<u8>> =
            names.iter().flat_map(|names| names.distinct()).map(|name| subjects.provider(name)).collect();
        let provider = |row: usize| {
            let owner = owners.get(ids.place(row)?).filter(|owner| !owner.is_unjudged)?;
            match names.and_then(|names| names.place(row)) {
                Some(name) => named.get(name).copied().flatten(),
                None => owner.provider,
            }
        };
        let providers = (0..table.rows()).into_par_iter().map(provider).collect();
        Self { ids: Some(ids), owners, providers }
    }

    /// The identity that a row is about, as a position in the inventory.
    pub(super) fn subject(&self, row: usize) -> Option<usize> {
        Some(self.owners.get(self.ids?.place(row)?)?.subject? as usize)
    }

    /// The provider of a row that something is judged by, as a place in [`Subjects::providers`].
    pub(super) fn provider(&self, row: usize) -> Option<usize> {
        self.providers.get(row).copied().flatten().map(usize::from)
    }

    /// Which rows a rule judges.
    pub(super) fn judged_by(&self, rule: &Rule, subjects: &Subjects<'_>) -> impl Fn(usize) -> bool {
        let included: Vec<bool> =
            subjects.providers.iter().map(|provider| rule.providers.include(provider.0)).collect();
        move |row| self.provider(row).and_then(|at| included.get(at)).copied().unwrap_or(false)
    }
}
