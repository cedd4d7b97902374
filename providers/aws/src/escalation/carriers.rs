//! Resources that already run with a role, indexed so that a source looks at few of many.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};

use evenhand_model::access::Access;
use evenhand_model::evidence::Truth;
use evenhand_model::opset::OperationIx;
use evenhand_model::scope::{Pattern, ResourceScope};

use super::targets::{Members, Targets, exact};
use super::techniques::Technique;
use crate::carrier::CarrierKind;
use crate::catalog::Catalogue;
use crate::policy::arn;
use crate::world::{AccountId, RoleCarrier, World};

/// The carriers of a kind in an account.
type Kind = (AccountId, CarrierKind);

/// Carriers of a kind within a scope.
type Reached = HashMap<(Kind, Arc<ResourceScope>), Arc<[usize]>, foldhash::fast::RandomState>;

/// Carriers by account and kind, those of the strongest roles first.
pub(super) struct Carriers<'a> {
    world: &'a World,
    kinds: BTreeMap<Kind, Members>,
    by_name: HashMap<&'a str, Vec<usize>, foldhash::fast::RandomState>,
    reached: Mutex<Reached>,
}

impl<'a> Carriers<'a> {
    pub(super) fn of(world: &'a World, targets: &Targets<'_>) -> Self {
        let mut kinds: BTreeMap<Kind, Vec<usize>> = BTreeMap::new();
        let mut by_name: HashMap<&str, Vec<usize>, _> = HashMap::default();
        for (at, carrier) in world.carriers.iter().enumerate() {
            let Some(role) = world.principals.get(&carrier.role) else { continue };
            by_name.entry(&carrier.arn).or_default().push(at);
            kinds.entry((role.account.clone(), carrier.kind)).or_default().push(at);
        }
        let rank = |at: &usize| {
            let role = world.carriers.get(*at).and_then(|carrier| world.principals.get_index_of(&carrier.role));
            (role.and_then(|role| targets.rank(role)).copied(), *at)
        };
        let kinds = kinds
            .into_iter()
            .map(|(kind, mut members)| {
                members.sort_by_key(rank);
                (kind, Members::of(members))
            })
            .collect();
        Self { world, kinds, by_name, reached: Mutex::default() }
    }

    pub(super) fn get(&self, at: usize) -> Option<&'a RoleCarrier> {
        self.world.carriers.get(at)
    }

    /// The carriers of a technique that an access may reach, those of the strongest roles first.
    pub(super) fn within(&self, account: &AccountId, technique: &Technique, access: &Access) -> Arc<[usize]> {
        let Some(kind) = technique.carrier.map(|kind| (account.clone(), kind)) else { return Arc::from([]) };
        let Some(members) = self.kinds.get(&kind) else { return Arc::from([]) };
        let all = &members.sorted;
        // The first action that names a carrier tells which ones are in reach; where none does, all are.
        let first = all.first().and_then(|at| self.get(*at)).and_then(|carrier| arn::split(&carrier.arn));
        let naming = first
            .and_then(|segments| technique.operations.iter().copied().find(|operation| names(*operation, &segments)));
        let Some(operation) = naming else { return Arc::clone(all) };
        let mut found: Vec<usize> = Vec::new();
        for slice in access.slices().iter().filter(|slice| slice.operations.contains(operation)) {
            if slice.scope.is_everything() {
                return Arc::clone(all);
            }
            match exact(&slice.scope) {
                Some(named) => found.extend(named.iter().filter_map(|name| self.by_name.get(&**name)).flatten()),
                None => found.extend(self.reached(&kind, all, &slice.scope).iter()),
            }
        }
        members.among(found.into_iter())
    }

    fn reached(&self, kind: &Kind, all: &Arc<[usize]>, scope: &Arc<ResourceScope>) -> Arc<[usize]> {
        let key = (kind.clone(), Arc::clone(scope));
        if let Ok(held) = self.reached.lock()
            && let Some(list) = held.get(&key)
        {
            return Arc::clone(list);
        }
        let within = |at: &usize| {
            let segments = self.get(*at).and_then(|carrier| arn::split(&carrier.arn));
            segments.is_some_and(|segments| scope.matches(&segments) != Truth::No)
        };
        let list: Arc<[usize]> = all.iter().copied().filter(within).collect();
        if let Ok(mut held) = self.reached.lock() {
            held.insert(key, Arc::clone(&list));
        }
        list
    }
}

/// Whether an action can name a resource.
pub(super) fn names(operation: OperationIx, segments: &[&str]) -> bool {
    let catalogue = Catalogue::global();
    let fits = |kind: &Pattern| !kind.is_any() && kind.matches(segments) != Truth::No;
    catalogue.resources(operation).iter().any(|kind| catalogue.patterns().get(usize::from(*kind)).is_some_and(fits))
}
