//! Steps that may be there: who holds all rights to take over a kind of thing of which not all was read.
//!
//! Which things there are decides only where one of them can run with a role that gives the taker something: such a role
//! must trust the service, and roles are known. Where none is worth it, nothing that was not read matters.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex};

use evenhand_model::access::Unread;
use evenhand_model::evidence::Truth;
use evenhand_model::gap::{Gap, GapKind, Lost, Subject};
use evenhand_model::id::ScopeId;
use evenhand_model::opset::OperationIx;
use evenhand_model::scope::Pattern;

use super::edges::{MOST_LOOKED_AT, Shared, Source};
use super::holds::{Acting, Place};
use super::targets::{Pool, Targets};
use super::techniques::{self, Target, Technique};
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
    /// The roles that such a thing can run with, the strongest first.
    roles: Arc<[usize]>,
    unread: Arc<Unread>,
}

/// What principals of equal access in one account may take over.
type Told<'a> = HashMap<(u32, &'a AccountId), Box<[CarrierKind]>, foldhash::fast::RandomState>;

/// What was not read, by whom it may offer steps to.
#[derive(Debug, Default)]
pub(crate) struct MayOffer {
    /// Its kinds, by the principal's place in the world.
    kinds: Vec<Box<[CarrierKind]>>,
    unread: BTreeMap<AccountId, BTreeMap<CarrierKind, Arc<Unread>>>,
}

impl MayOffer {
    /// What may offer steps to a principal, by its place in the world and its account. Sorted.
    pub(crate) fn to(&self, at: usize, account: &AccountId) -> Vec<Arc<Unread>> {
        let kinds = self.kinds.get(at).into_iter().flat_map(|kinds| kinds.iter());
        let found = kinds.filter_map(|kind| self.unread.get(account)?.get(kind));
        let mut unread: Vec<Arc<Unread>> = found.cloned().collect();
        unread.sort_unstable();
        unread
    }
}

/// Kinds of which not all was read.
pub(super) struct Unseen<'a> {
    /// Those of one kind stand together, the one that takes least first.
    take_overs: Vec<TakeOver>,
    open: BTreeMap<&'a AccountId, BTreeMap<CarrierKind, Open>>,
    told: Mutex<Told<'a>>,
}

impl<'a> Unseen<'a> {
    pub(super) fn of(world: &'a World, targets: &Targets<'_>) -> Self {
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
                let roles = targets.pool(&Pool::Trusting(account.clone(), Arc::from(kind.service())));
                Some((*kind, Open { places: regions.into_iter().map(named).collect(), roles, unread }))
            });
            (account, kinds.collect())
        });
        Self { take_overs: take_overs(), open: open.collect(), told: Mutex::default() }
    }

    /// What may offer steps to principals, by the kinds that may do so to each in the order of the world.
    pub(super) fn offers(&self, kinds: Vec<Box<[CarrierKind]>>) -> MayOffer {
        let unread = self.open.iter().map(|(account, kinds)| {
            let unread = kinds.iter().map(|(kind, open)| (*kind, Arc::clone(&open.unread)));
            (AccountId::clone(account), unread.collect())
        });
        MayOffer { kinds, unread: unread.collect() }
    }
}

fn take_overs() -> Vec<TakeOver> {
    let catalogue = Catalogue::global();
    let all = techniques::all().iter().filter(|technique| technique.target == Target::Carrier);
    let of = |technique: &Technique| {
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
    };
    let mut take_overs: Vec<TakeOver> = all.filter_map(of).collect();
    take_overs.sort_by_key(|taking| (taking.kind, taking.takes.len()));
    take_overs
}

impl<'a> Shared<'a> {
    /// The kinds of which not all was read, and which may offer steps to a source.
    pub(super) fn unseen(&self, source: &Source<'a>) -> Box<[CarrierKind]> {
        let held = &source.holder.operations;
        let holds = |taking: &&TakeOver| taking.takes.iter().all(|(operation, _)| held.contains(*operation));
        let mut take_overs = self.unseen.take_overs.iter().filter(holds).peekable();
        let account = &source.principal.account;
        let Some(open) = take_overs.peek().and_then(|_| self.unseen.open.get(account)) else { return Box::default() };
        let group = self.resolver.group(source.at).filter(|group| self.resolver.is_shared(*group));
        let key = group.map(|group| (group, account));
        if let Some(key) = &key
            && let Ok(told) = self.unseen.told.lock()
            && let Some(found) = told.get(key)
        {
            return found.clone();
        }
        let mut found: Vec<CarrierKind> = Vec::new();
        for taking in take_overs {
            // One way to take over things of a kind is enough.
            if found.last() != Some(&taking.kind)
                && let Some(open) = open.get(&taking.kind)
                && may_take(taking, open, source)
                && self.is_worth(open, source)
            {
                found.push(taking.kind);
            }
        }
        let found: Box<[CarrierKind]> = found.into();
        if let Some(key) = key
            && let Ok(mut told) = self.unseen.told.lock()
        {
            told.insert(key, found.clone());
        }
        found
    }

    /// Whether some role that such a thing can run with gives a source something. The strongest are looked at first.
    fn is_worth(&self, open: &Open, source: &Source<'a>) -> bool {
        let worth = |at: &usize| {
            *at != source.at
                && self.principal(*at).is_some_and(|role| !role.service_linked)
                && self.gains(source.at, *at)
        };
        open.roles.len() > MOST_LOOKED_AT || open.roles.iter().any(worth)
    }
}

/// Whether a source holds everything that a technique takes where not all was read.
fn may_take(taking: &TakeOver, open: &Open, source: &Source<'_>) -> bool {
    let account = &*source.principal.account.0;
    open.places.iter().any(|(region, pattern)| {
        let place = Place { account, region: region.as_deref() };
        let at_home = ("aws:resourceaccount", account);
        let keys = [at_home, region.as_deref().map_or(at_home, |region| ("aws:requestedregion", region))];
        let acting = Acting { keys: &keys, tags: None };
        taking.takes.iter().all(|(operation, names)| match names {
            true => source.holder.over(*operation, pattern, &acting),
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
