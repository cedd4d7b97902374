//! What was read of the things that run with a role: kind by kind, account by account, region by region.
//!
//! A kind is read where an answered list of it is in the capture, whole and with the role of everything in it; an empty
//! list is one. What a list does not cover:
//!
//! - A refused call leaves its region unread, or the account where the document does not say the region.
//! - A thing that is listed and not described leaves its region unread.
//! - A list that says its region covers that region only. Which other regions there are is known from
//!   `ec2 describe-regions` and from the regions that lists of any kind were asked for. Where nothing tells of any, none
//!   is doubted.
//! - A list that does not say its region covers the account: whoever exports by hand prints one list for an account, and
//!   nothing says what would be missing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use evenhand_model::evidence::Fact;

use super::accounts::Accounts;
use super::arn::Arn;
use super::facts::{Asked, Carrier, Facts};
use crate::carrier::CarrierKind;
use crate::world::{AccountId, CarriersRead, Hole, Why};

/// Where something was asked or told; `None` = the document does not say.
type Region = Option<Arc<str>>;

/// What calls about one kind in one account came to.
#[derive(Default)]
struct Asking {
    answered: BTreeSet<Region>,
    refused: BTreeSet<Region>,
    /// Things without a description.
    bare: BTreeMap<Region, BTreeSet<Arc<str>>>,
}

/// Reckons what was read of every kind in every account of which anything was asked.
pub(super) fn carriers_read(facts: &Facts, accounts: &mut Accounts) -> CarriersRead {
    let mut asking: BTreeMap<(AccountId, CarrierKind), Asking> = BTreeMap::new();
    let mut regions: BTreeMap<AccountId, BTreeSet<Arc<str>>> = BTreeMap::new();
    let mut sort = |asked: &Asked, answered: bool| {
        let Some(kind) = CarrierKind::listed_by(asked.form.call()) else { return };
        let Some(account) = asked.account.clone().or_else(|| accounts.near(&asked.document)) else { return };
        regions.entry(account.clone()).or_default().extend(asked.region.clone());
        let held = asking.entry((account, kind)).or_default();
        if answered { &mut held.answered } else { &mut held.refused }.insert(asked.region.clone());
    };
    for asked in &facts.answers {
        // A page that another one follows says nothing of what is on that.
        if asked.whole {
            sort(asked, true);
        }
    }
    for asked in &facts.refused {
        sort(asked, false);
    }
    for said in &facts.regions {
        if let Some(account) = accounts.of(said) {
            regions.entry(account).or_default().insert(Arc::clone(&said.it));
        }
    }
    for ((account, kind), region, name) in bare(facts, accounts) {
        asking.entry((account, kind)).or_default().bare.entry(region).or_default().insert(name);
    }
    let mut read = CarriersRead::default();
    let none = BTreeSet::new();
    for ((account, kind), held) in asking {
        let holes = held.holes(regions.get(&account).unwrap_or(&none));
        read.note(account, kind, holes);
    }
    read
}

impl Asking {
    fn holes(self, regions: &BTreeSet<Arc<str>>) -> Vec<Hole> {
        let hole = |region: Region, why| Hole { region, why };
        let mut holes: Vec<Hole> = Vec::new();
        let open = |region: &&Region| !self.answered.contains(*region);
        holes.extend(self.refused.iter().filter(open).map(|region| hole(region.clone(), Why::Refused)));
        let everywhere = |asked: &BTreeSet<Region>| asked.contains(&None);
        if self.answered.is_empty() && self.refused.is_empty() {
            holes.push(hole(None, Why::NotListed));
        } else if !everywhere(&self.answered) && !everywhere(&self.refused) {
            let left = regions.iter().map(|region| Some(Arc::clone(region)));
            let left = left.filter(|region| !self.answered.contains(region) && !self.refused.contains(region));
            holes.extend(left.map(|region| hole(region, Why::NotListed)));
        }
        let bare = self.bare.into_iter();
        holes.extend(bare.map(|(region, names)| hole(region, Why::NotDescribed(names.into_iter().collect()))));
        holes
    }
}

type Bare = ((AccountId, CarrierKind), Region, Arc<str>);

/// Things that are listed, and of which no document says with which role they run.
fn bare(facts: &Facts, accounts: &mut Accounts) -> BTreeSet<Bare> {
    let mut open: BTreeSet<Bare> = BTreeSet::new();
    for said in &facts.listed {
        if let Some(account) = accounts.of(said) {
            open.insert(((account, said.it.kind), said.it.region.clone(), Arc::clone(&said.it.name)));
        }
    }
    for said in facts.placed.iter().filter(|said| matches!(said.it.carrier, Carrier::NotSaid)) {
        if let (Some(kind), Some(account)) = (CarrierKind::of(&said.it.arn), accounts.of(said)) {
            open.insert(((account, kind), Some(region(&said.it.arn)), Arc::clone(&said.it.arn)));
        }
    }
    if open.is_empty() {
        return open;
    }
    let mut close = |account: AccountId, arn: &Arc<str>, called: &Arc<str>| {
        let Some(kind) = CarrierKind::of(arn) else { return };
        // Lists name their things by the whole name, the last part of it, or what people call it.
        let last = arn.rsplit('/').next().unwrap_or_default();
        for name in [&**arn, called, last] {
            for region in [None, Some(region(arn))] {
                open.remove(&((account.clone(), kind), region, Arc::from(name)));
            }
        }
    };
    for said in facts.placed.iter().filter(|said| !matches!(said.it.carrier, Carrier::NotSaid)) {
        if let Some(account) = accounts.of(said) {
            close(account, &said.it.arn, &said.it.name);
        }
    }
    for said in &facts.agents {
        if let Some(account) = accounts.of(said).filter(|_| said.it.role != Fact::Unknown) {
            close(account, &said.it.arn, &said.it.name);
        }
    }
    open
}

fn region(arn: &str) -> Arc<str> {
    Arn::parse(arn).map_or("", |arn| arn.region).into()
}
