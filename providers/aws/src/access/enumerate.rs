//! Enumeration: the effective access of a principal as slices.

use std::collections::HashMap;
use std::sync::Arc;

use evenhand_model::access::{Access, Doubt, DoubtEffect, GrantIx, Slice};
use evenhand_model::catalog::Catalog;
use evenhand_model::condition::Clause;
use evenhand_model::evidence::{Fact, Truth};
use evenhand_model::glob::Glob;
use evenhand_model::opset::{OpSet, OperationIx};
use evenhand_model::scope::Pattern;

use super::attached::Attached;
use super::bounds::{AllBounds, Bounds};
use super::caller::{Caller, doubts};
use super::holes::{Swallowed, Whose};
use super::layers::{Denial, Denials, MOST_PIECES, Now, Piece, split};
use crate::catalog::Catalogue;
use crate::world::{AccountLimits, PolicyIx, Principal, PrincipalKind, World};

/// The limits that apply to a principal.
#[derive(Default)]
pub(super) struct Limits<'a> {
    pub(super) boundary: Option<PolicyIx>,
    pub(super) service_control: Option<&'a [Vec<PolicyIx>]>,
    pub(super) resource_control: Option<&'a [Vec<PolicyIx>]>,
}

impl<'a> Limits<'a> {
    pub(super) fn of(world: &'a World, principal: &'a Principal) -> Self {
        let account: Option<&AccountLimits> = world.limits.get(&principal.account);
        let levels = |fact: &'a Fact<Vec<Vec<PolicyIx>>>| fact.value().map(Vec::as_slice);
        Self {
            boundary: principal.boundary.value().copied(),
            // Service-linked roles are never limited by service control policies.
            service_control: account
                .filter(|_| !principal.service_linked)
                .and_then(|account| levels(&account.service_control)),
            resource_control: account
                .filter(|_| !principal.service_linked)
                .and_then(|account| levels(&account.resource_control)),
        }
    }

    /// Every policy that limits.
    pub(super) fn policies(&self) -> impl Iterator<Item = PolicyIx> {
        let levels = |levels: Option<&'a [Vec<PolicyIx>]>| levels.unwrap_or_default().iter().flatten().copied();
        self.boundary.into_iter().chain(levels(self.service_control)).chain(levels(self.resource_control))
    }
}

/// What access is resolved from.
#[derive(Clone, Copy)]
pub(super) struct Ground<'a> {
    pub(super) world: &'a World,
    pub(super) attached: &'a Attached,
    pub(super) bounds: &'a AllBounds,
    pub(super) now: &'a Now,
}

/// The access of a principal.
pub(super) fn access(ground: Ground<'_>, principal: &Principal) -> Access {
    access_within(ground, principal, &Limits::of(ground.world, principal))
}

/// The access of a principal under other limits than its own.
pub(super) fn access_within(ground: Ground<'_>, principal: &Principal, limits: &Limits<'_>) -> Access {
    let Ground { world, attached, now, .. } = ground;
    let store = &world.policies;
    let caller = Caller::of(principal);
    let mut doubts = doubts(principal);
    let granting = principal.identity_policies.iter().map(|policy| (*policy, DoubtEffect::Either));
    for (policy, effect) in granting.chain(limits.policies().map(|policy| (policy, DoubtEffect::Limits))) {
        if store.broken(policy) {
            doubts.push(Doubt {
                text: format!("`{}` could not be understood", store.label(policy)).into(),
                // Inline policies of different principals often have the same name.
                about: policy.0.saturating_add(1),
                effect,
            });
        }
    }
    doubts.sort_unstable();
    doubts.dedup();
    if principal.kind == PrincipalKind::Root {
        return Access::new(Vec::new(), doubts, true);
    }

    let bounds = ground.bounds.of(ground, limits, &caller);
    let (mut pieces, mut own) = (Vec::new(), Vec::new());
    let mut denials = Vec::new();
    for policy in &principal.identity_policies {
        match bounds.given(ground, *policy, &caller) {
            Some(given) => {
                pieces.extend(given.pieces.iter().cloned());
                denials.extend(given.denials.iter().cloned());
                doubts.extend(given.doubts.iter().cloned());
            }
            None => split(store, &[*policy], &caller, now, |piece| own.push(piece), &mut denials),
        }
    }
    pieces.extend(bounds.leave(own, Vec::new(), &mut doubts));
    if !attached.is_empty() {
        let given = attached.given(world, principal, now, &mut pieces);
        pieces.extend(bounds.leave(given.bounded, given.free, &mut doubts));
        denials.extend(given.denials);
        doubts.extend(given.doubts);
    }
    let slices = escaping(&bounds, principal, pieces, denials, &mut doubts);
    Access::new(slices, doubts, false)
}

/// Which denies are counted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Denies {
    /// All.
    All,
    /// Those that hold for every request.
    Certain,
}

/// What the limits of a principal, and what some of its policies deny it, would leave of all access.
pub(super) fn ceiling(ground: Ground<'_>, principal: &Principal, denying: &[PolicyIx], counted: Denies) -> Access {
    let everything = Piece {
        operations: Arc::new(OpSet::all(Catalogue::global().len())),
        scope: Arc::default(),
        condition: Arc::default(),
        grant: GrantIx(0),
    };
    let mut doubts = Vec::new();
    let caller = Caller::of(principal);
    let bounds = ground.bounds.of(ground, &Limits::of(ground.world, principal), &caller);
    let mut denials = Vec::new();
    split(&ground.world.policies, denying, &caller, ground.now, |_| {}, &mut denials);
    denials.retain(|denial| counted == Denies::All || (denial.tests.is_empty() && denial.opaque.is_none()));
    let pieces = bounds.leave(vec![everything], Vec::new(), &mut doubts);
    let slices = escaping(&bounds, principal, pieces, denials, &mut doubts);
    Access::new(slices, doubts, false)
}

/// What denies leave of pieces within all limits, as slices.
fn escaping(
    bounds: &Bounds,
    principal: &Principal,
    pieces: Vec<Piece>,
    mut denials: Vec<Denial>,
    doubts: &mut Vec<Doubt>,
) -> Vec<Slice> {
    if pieces.is_empty() {
        return Vec::new();
    }
    for layer in &bounds.resource_control {
        denials.extend(layer.denials.each().flat_map(|denial| at_home(denial, principal)));
    }
    let pieces = reaching(deny(pieces, &Denials::from(denials), doubts));
    let mut slices: Vec<Slice> = merged(pieces)
        .into_iter()
        .map(|piece| Slice {
            operations: piece.operations,
            scope: piece.scope,
            condition: piece.condition,
            grant: piece.grant,
        })
        .collect();
    // The statement tells nearly all apart.
    slices.sort_by(|a, b| {
        let rest =
            || (a.operations.first(), &a.scope, &a.condition).cmp(&(b.operations.first(), &b.scope, &b.condition));
        a.grant.cmp(&b.grant).then_with(rest)
    });
    slices
}

/// What a resource control policy of a principal's account denies it: what lies in the account, or may lie there because
/// its name has none. Resources of other accounts are under the policies of those.
fn at_home(denial: Denial, principal: &Principal) -> impl Iterator<Item = Denial> + use<> {
    let catalogue = Catalogue::global();
    let operations = denial.operations.intersection(catalogue.resource_controlled());
    let named = |kind: &u16| {
        let account = catalogue.patterns().get(usize::from(*kind)).and_then(|kind| kind.segments().get(4));
        account.is_some_and(|account| *account != Glob::literal(""))
    };
    let (abroad, here): (Vec<_>, Vec<_>) =
        operations.iter().partition(|operation| catalogue.resources(*operation).iter().any(named));
    let home = |account: &str| {
        let any = || Glob::Any;
        Pattern::new([any(), any(), any(), any(), Glob::literal(account), any()], ':')
    };
    let scope = Arc::new(denial.scope.limited_to([home(&principal.account.0), home("")]));
    let of = |operations: Vec<OperationIx>, scope| {
        let operations = Arc::new(operations.into_iter().collect());
        Denial::new(operations, scope, denial.tests.clone(), denial.opaque.clone())
    };
    [of(here, Arc::clone(&denial.scope)), of(abroad, scope)].into_iter().filter(|denial| !denial.operations.is_empty())
}

/// What denies leave of pieces.
pub(super) fn deny(mut pieces: Vec<Piece>, denials: &Denials, doubts: &mut Vec<Doubt>) -> Vec<Piece> {
    if !denials.total.is_empty() {
        for piece in &mut pieces {
            if piece.operations.intersects(&denials.total) {
                piece.operations = Arc::new(piece.operations.difference(&denials.total));
            }
        }
        pieces.retain(|piece| !piece.operations.is_empty());
    }
    for denial in &denials.partial {
        if pieces.len() > MOST_PIECES {
            let clause = Clause::Opaque("unless denied by one of many further statements".into());
            pieces = pieces.into_iter().map(|piece| piece.doubted(&clause)).collect();
            let doubt = Doubt::new("the policies deny in too many overlapping ways to take apart", DoubtEffect::Limits);
            if !doubts.contains(&doubt) {
                doubts.push(doubt);
            }
            break;
        }
        if !pieces.iter().any(|piece| piece.operations.intersects(&denial.operations)) {
            continue;
        }
        let mut left = Vec::with_capacity(pieces.len() + 1);
        for piece in pieces {
            denial.apply(piece, &mut left);
        }
        pieces = left;
    }
    pieces
}

/// Pieces without the operations of which denies by name leave no resource.
fn reaching(mut pieces: Vec<Piece>) -> Vec<Piece> {
    let mut swallowed = Swallowed::new(Whose::Everybodys);
    for piece in pieces.iter_mut().filter(|piece| !piece.scope.none_of.is_empty()) {
        if let Some(gone) = swallowed.by(&piece.scope.none_of)
            && piece.operations.intersects(gone)
        {
            piece.operations = Arc::new(piece.operations.difference(gone));
        }
    }
    pieces
}

/// Pieces of one statement that differ in their operations only become one.
pub(super) fn merged(mut pieces: Vec<Piece>) -> Vec<Piece> {
    pieces.retain(keep);
    // Stable, so that what a statement grants stays in its order.
    pieces.sort_by_key(|piece| piece.grant);
    if pieces.is_sorted_by(|a, b| a.grant < b.grant) {
        return pieces;
    }
    let mut out: Vec<Piece> = Vec::with_capacity(pieces.len());
    let mut first = 0;
    let mut many: HashMap<_, usize, foldhash::fast::RandomState> = HashMap::default();
    for piece in pieces {
        if out.get(first).is_some_and(|held| held.grant != piece.grant) {
            first = out.len();
            many.clear();
        }
        let held = out.get(first..).unwrap_or_default();
        // Comparing with each is sooner done than hashing, where they are few.
        let known = if held.len() < FEW {
            held.iter().position(|held| same_reach(held, &piece))
        } else {
            if many.is_empty() {
                let keys = held.iter().map(|held| (Arc::clone(&held.scope), Arc::clone(&held.condition)));
                many.extend(keys.zip(0..));
            }
            let key = (Arc::clone(&piece.scope), Arc::clone(&piece.condition));
            let next = held.len();
            Some(*many.entry(key).or_insert(next)).filter(|at| *at < next)
        };
        match known.and_then(|at| out.get_mut(first + at)) {
            Some(held) => held.operations = Arc::new(held.operations.union(&piece.operations)),
            None => out.push(piece),
        }
    }
    out
}

/// Pieces of one statement up to which each is compared with each.
const FEW: usize = 16;

/// Whether two pieces reach the same resources under the same condition.
fn same_reach(a: &Piece, b: &Piece) -> bool {
    (Arc::ptr_eq(&a.scope, &b.scope) || a.scope == b.scope)
        && (Arc::ptr_eq(&a.condition, &b.condition) || a.condition == b.condition)
}

fn keep(piece: &Piece) -> bool {
    !piece.operations.is_empty() && piece.scope.is_nothing() != Truth::Yes
}
