//! The limits of a principal, taken apart, and what they leave of policies that many principals hold: worked out once for
//! all principals below the same limits. It knows no principal, and nothing of what the policies of resources grant.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use evenhand_model::access::Doubt;

use super::caller::Caller;
use super::enumerate::{Ground, Limits, deny, merged};
use super::layers::{Denial, Layer, Layers, Limit, Piece, each, split};
use crate::world::PolicyIx;

/// The limits of all principals, each combination of them once.
#[derive(Debug, Default)]
pub(super) struct AllBounds {
    known: RwLock<HashMap<Box<[u32]>, Arc<Bounds>, foldhash::fast::RandomState>>,
    layers: Layers,
}

/// The limits of principals.
#[derive(Debug)]
pub(super) struct Bounds {
    boundary: Option<Arc<Layer>>,
    controls: Vec<Level>,
    /// The levels of resource control policies. What they deny depends on where the principal is at home.
    pub(super) resource_control: Vec<Arc<Layer>>,
    /// Whether they are the same for whoever asks.
    shared: bool,
    /// What is left of managed policies, once it was asked for.
    given: RwLock<HashMap<PolicyIx, Arc<Given>, foldhash::fast::RandomState>>,
}

/// A level of service control policies.
#[derive(Debug)]
struct Level {
    layer: Arc<Layer>,
    /// Whether all of its documents are understood. What one that is not allows is unknown; what its neighbours deny is not.
    whole: bool,
}

/// What a policy gives within limits.
#[derive(Debug, Default)]
pub(super) struct Given {
    pub(super) pieces: Vec<Piece>,
    pub(super) denials: Vec<Denial>,
    pub(super) doubts: Vec<Doubt>,
}

impl AllBounds {
    /// The limits of a caller.
    pub(super) fn of(&self, ground: Ground<'_>, limits: &Limits<'_>, caller: &Caller<'_>) -> Arc<Bounds> {
        let store = &ground.world.policies;
        if limits.policies().any(|policy| store.personal(policy)) {
            return Arc::new(self.take_apart(ground, limits, caller, false));
        }
        let key = key(limits);
        if let Some(known) = self.known.read().unwrap_or_else(PoisonError::into_inner).get(&*key) {
            return Arc::clone(known);
        }
        let bounds = Arc::new(self.take_apart(ground, limits, caller, true));
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(known.entry(key.into()).or_insert(bounds))
    }

    fn take_apart(&self, ground: Ground<'_>, limits: &Limits<'_>, caller: &Caller<'_>, shared: bool) -> Bounds {
        let store = &ground.world.policies;
        let layer = |policies: &[PolicyIx]| self.layers.of(store, policies, caller, ground.now);
        let level = |policies: &Vec<PolicyIx>| Level {
            layer: layer(policies),
            whole: !policies.iter().any(|policy| store.broken(*policy)),
        };
        let boundary = limits.boundary.filter(|boundary| !store.broken(*boundary));
        Bounds {
            boundary: boundary.map(|boundary| layer(&[boundary])),
            controls: limits.service_control.unwrap_or_default().iter().map(level).collect(),
            resource_control: limits.resource_control.unwrap_or_default().iter().map(|level| layer(level)).collect(),
            shared,
            given: RwLock::default(),
        }
    }
}

/// The numbers of the policies, each level with its length before it.
fn key(limits: &Limits<'_>) -> Vec<u32> {
    let mut key = vec![limits.boundary.map_or(0, |boundary| boundary.0.saturating_add(1))];
    for levels in [limits.service_control, limits.resource_control] {
        let levels = levels.unwrap_or_default();
        key.push(u32::try_from(levels.len()).unwrap_or(u32::MAX));
        for level in levels {
            key.push(u32::try_from(level.len()).unwrap_or(u32::MAX));
            key.extend(level.iter().map(|policy| policy.0));
        }
    }
    key
}

impl Bounds {
    /// What is left of a policy that many may hold and that is the same for all of them; `None` for other policies.
    pub(super) fn given(&self, ground: Ground<'_>, policy: PolicyIx, caller: &Caller<'_>) -> Option<Arc<Given>> {
        let Ground { world, now, .. } = ground;
        let many = self.shared && world.managed.binary_search(&policy).is_ok();
        if !many || world.policies.personal(policy) {
            return None;
        }
        if let Some(known) = self.given.read().unwrap_or_else(PoisonError::into_inner).get(&policy) {
            return Some(Arc::clone(known));
        }
        let mut given = Given::default();
        let mut pieces = Vec::new();
        split(&world.policies, &[policy], caller, now, |piece| pieces.push(piece), &mut given.denials);
        given.pieces = self.leave(pieces, Vec::new(), &mut given.doubts);
        let mut known = self.given.write().unwrap_or_else(PoisonError::into_inner);
        Some(Arc::clone(known.entry(policy).or_insert_with(|| Arc::new(given))))
    }

    /// What the limits leave of pieces, and of free ones, which a boundary that is silent does not limit.
    pub(super) fn leave(&self, mut pieces: Vec<Piece>, free: Vec<Piece>, doubts: &mut Vec<Doubt>) -> Vec<Piece> {
        if let Some(boundary) = &self.boundary {
            pieces = within(&boundary.limit, pieces, doubts);
        }
        pieces.extend(free);
        for level in self.controls.iter().filter(|level| level.whole) {
            pieces = within(&level.layer.limit, pieces, doubts);
        }
        for layer in self.boundary.iter().chain(self.controls.iter().map(|level| &level.layer)) {
            pieces = deny(pieces, &layer.denials, doubts);
        }
        pieces
    }
}

/// What a limiting layer lets through.
fn within(limit: &Limit, mut pieces: Vec<Piece>, doubts: &mut Vec<Doubt>) -> Vec<Piece> {
    let Some(first) = pieces.iter().position(|piece| !piece.operations.is_subset(&limit.open)) else { return pieces };
    let rest = pieces.split_off(first);
    pieces.extend(each(rest, doubts, |piece, left| limit.apply(piece, left)));
    merged(pieces)
}
