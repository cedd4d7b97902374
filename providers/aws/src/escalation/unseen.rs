//! Steps that may be there: who holds all rights to take over a kind of thing of which not all was read.
//!
//! Which things there are decides only where one of them can run with a role that gives the taker something: such a role
//! must trust the service, and roles are known. Where none is worth it, nothing that was not read matters.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex};

use evenhand_model::access::{Unlisted, Unread};
use evenhand_model::evidence::Truth;
use evenhand_model::gap::{Gap, GapKind, Lost, Subject};
use evenhand_model::id::ScopeId;
use evenhand_model::opset::OperationIx;
use evenhand_model::scope::Pattern;

use super::edges::{MOST_LOOKED_AT, Shared, Source};
use super::holds::{Acting, Place};
use super::targets::Pool;
use super::techniques::{self, Target};
use crate::carrier::{CarrierKind, DescribedBy};
use crate::catalog::Catalogue;
use crate::provider::NAME;
use crate::world::{AccountId, Hole, Why, World};

/// What is unknown because of it.
const FACTS: Lost = Lost::of("which identities can take over running compute", &[Subject::Escalation]);

/// Names and regions that are told of a long list.
const NAMED: usize = 5;

/// A technique that takes over things of one kind.
struct TakeOver {
    kind: CarrierKind,
    /// The actions that it takes, and whether each can name such a thing.
    takes: Vec<(OperationIx, bool)>,
}

/// A kind of which not all was read in an account.
struct Open {
    /// Where: a region, `None` = anywhere in the account; and how things of the kind are named there.
    places: Vec<(Option<Arc<str>>, Pattern)>,
    unread: Arc<Unread>,
}

/// What is told of principals of equal access in one account.
type Told<'a> = HashMap<(u32, &'a AccountId), Arc<[Unlisted]>, foldhash::fast::RandomState>;

/// Kinds of which not all was read.
pub(super) struct Unseen<'a> {
    take_overs: Vec<TakeOver>,
    open: BTreeMap<&'a AccountId, BTreeMap<CarrierKind, Open>>,
    told: Mutex<Told<'a>>,
}

impl<'a> Unseen<'a> {
    pub(super) fn of(world: &'a World) -> Self {
        let accounts: BTreeSet<&AccountId> = world.principals.values().map(|principal| &principal.account).collect();
        let open = accounts.into_iter().map(|account| {
            let kinds = CarrierKind::ALL.iter().filter_map(|kind| {
                let holes = world.carriers_read.holes(account, *kind);
                let unread = Arc::new(unread(account, *kind, &holes)?);
                let regions: BTreeSet<Option<Arc<str>>> = holes.into_iter().map(|hole| hole.region).collect();
                let named = |region: Option<Arc<str>>| {
                    let place = Place { account: &account.0, region: region.as_deref() };
                    let pattern = place.named(&kind.pattern());
                    (region, pattern)
                };
                Some((*kind, Open { places: regions.into_iter().map(named).collect(), unread }))
            });
            (account, kinds.collect())
        });
        Self { take_overs: take_overs(), open: open.collect(), told: Mutex::default() }
    }
}

fn take_overs() -> Vec<TakeOver> {
    let catalogue = Catalogue::global();
    let all = techniques::all().iter().filter(|technique| technique.target == Target::Carrier);
    all.filter_map(|technique| {
        let kind = technique.carrier?;
        let pattern = kind.pattern();
        let names = |operation: OperationIx| {
            let mut known = catalogue.resources(operation).iter();
            known.any(|at| {
                let known = catalogue.patterns().get(usize::from(*at));
                known.is_some_and(|known| !known.is_any() && known.overlaps(&pattern) != Truth::No)
            })
        };
        let takes = technique.operations.iter().chain(&technique.helpers).map(|held| (*held, names(*held))).collect();
        Some(TakeOver { kind, takes })
    })
    .collect()
}

impl<'a> Shared<'a> {
    /// What was not read and may offer steps to a source.
    pub(super) fn unseen(&self, source: &Source<'a>) -> Arc<[Unlisted]> {
        let account = &source.principal.account;
        let key = self.resolver.group(source.at).map(|group| (group, account));
        if let (Some(key), Ok(told)) = (&key, self.unseen.told.lock())
            && let Some(found) = told.get(key)
        {
            return Arc::clone(found);
        }
        let open = self.unseen.open.get(account);
        let found: BTreeSet<Unlisted> = self
            .unseen
            .take_overs
            .iter()
            .filter_map(|taking| {
                let open = open?.get(&taking.kind)?;
                (may_take(taking, open, source) && self.is_worth(taking.kind, source))
                    .then(|| Unlisted::Unread(Arc::clone(&open.unread)))
            })
            .collect();
        let found: Arc<[Unlisted]> = found.into_iter().collect();
        if let (Some(key), Ok(mut told)) = (key, self.unseen.told.lock()) {
            told.insert(key, Arc::clone(&found));
        }
        found
    }

    /// Whether some role that such a thing can run with gives a source something. The strongest are looked at first.
    fn is_worth(&self, kind: CarrierKind, source: &Source<'a>) -> bool {
        let pool = Pool::Trusting(source.principal.account.clone(), Arc::from(kind.service()));
        let roles = self.targets.pool(&pool);
        let worth = |at: &usize| {
            *at != source.at
                && self.principal(*at).is_some_and(|role| !role.service_linked)
                && self.gains(source.at, *at)
        };
        roles.len() > MOST_LOOKED_AT || roles.iter().any(worth)
    }
}

/// Whether a source holds everything that a technique takes where not all was read.
fn may_take(taking: &TakeOver, open: &Open, source: &Source<'_>) -> bool {
    if !taking.takes.iter().all(|(operation, _)| source.holder.operations.contains(*operation)) {
        return false;
    }
    let account = &*source.principal.account.0;
    open.places.iter().any(|(region, pattern)| {
        let place = Place { account, region: region.as_deref() };
        let at_home = ("aws:resourceaccount", account);
        let keys = [at_home, region.as_deref().map_or(at_home, |region| ("aws:requestedregion", region))];
        let acting = Acting { keys: &keys, tags: None };
        taking.takes.iter().all(|(operation, names)| match names {
            true => source.holder.over(*operation, pattern, &acting).is_some(),
            false => source.holder.within(*operation, place, &acting).is_some(),
        })
    })
}

/// What to say of a kind of which not all was read; `None` = all was.
fn unread(account: &AccountId, kind: CarrierKind, holes: &[Hole]) -> Option<Unread> {
    let mut regions: BTreeSet<Option<&str>> = BTreeSet::new();
    let mut bare: BTreeSet<&str> = BTreeSet::new();
    let (mut listed, mut refused) = (true, false);
    for hole in holes {
        regions.insert(hole.region.as_deref());
        match &hole.why {
            Why::NotListed => listed = false,
            Why::NotDescribed(names) => bare.extend(names.iter().map(|name| &**name)),
            Why::Refused => refused = true,
        }
    }
    let place = if regions.contains(&None) { String::new() } else { among(" in ", regions.into_iter().flatten()) };
    let list = kind.list();
    let (call, reason) = match kind.described_by() {
        _ if holes.is_empty() => return None,
        // The call that was refused has said why.
        _ if listed && refused => (list.to_owned(), format!("brought no answer{place}; make the call again")),
        DescribedBy::Call(describe) if listed => {
            (format!("aws {describe}"), format!("listed but not described{}", among(": ", bare.into_iter())))
        }
        DescribedBy::Nothing if listed => {
            (format!("aws {list}"), format!("what these run as, no document tells{}", among(": ", bare.into_iter())))
        }
        DescribedBy::List if listed => {
            (format!("aws {list}"), format!("listed without role or region{}", among(": ", bare.into_iter())))
        }
        DescribedBy::Call(describe) => {
            let word = describe.rsplit(' ').next().unwrap_or(describe);
            (format!("aws {list}, then {word} for each"), format!("not part of the capture{place}"))
        }
        DescribedBy::Nothing | DescribedBy::List => (format!("aws {list}"), format!("not part of the capture{place}")),
    };
    let remedy = match kind.described_by() {
        _ if listed && refused => "",
        DescribedBy::Nothing if listed => "; look at their instances, or take the right to deploy away",
        DescribedBy::List if listed => "; wrap the output with its region",
        _ => "; run the call and add its output",
    };
    Some(Unread {
        what: format!("{kind} of account {}{place}", account.0).into(),
        gap: Gap {
            provider: Some(NAME),
            scope: Some(ScopeId::new(Arc::clone(&account.0))),
            kind: GapKind::NotCollected,
            call: call.into(),
            reason: format!("{reason}{remedy}").into(),
            facts: vec![FACTS],
        },
    })
}

/// Some of many names, after an introduction; nothing where there are none.
fn among<'a>(before: &str, names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<&str> = names.collect();
    let shown = names.iter().take(NAMED).copied().collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(NAMED) {
        _ if names.is_empty() => String::new(),
        0 => format!("{before}{shown}"),
        more => format!("{before}{shown} and {more} more"),
    }
}
