//! Compiled statements as sets of pieces for one caller: what a layer allows, what it denies.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use evenhand_model::access::{Doubt, DoubtEffect, GrantIx};
use evenhand_model::condition::{Clause, Condition, Test};
use evenhand_model::evidence::Truth;
use evenhand_model::opset::OpSet;
use evenhand_model::scope::ResourceScope;

use crate::policy::compile::model_test;
use crate::policy::context::{Context, Lookup};
use crate::policy::document::ConditionTest;
use crate::policy::operator::{self, Operator, Order};
use crate::policy::{Effect, PolicyStore};
use crate::world::PolicyIx;

/// Operations on resources under a condition, from one statement.
#[derive(Clone, Debug)]
pub(super) struct Piece {
    pub(super) operations: Arc<OpSet>,
    pub(super) scope: Arc<ResourceScope>,
    pub(super) condition: Arc<Condition>,
    pub(super) grant: GrantIx,
}

/// Pieces beyond which nothing is taken apart further: hostile policies must not cost more than their size.
pub(super) const MOST_PIECES: usize = 20_000;

impl Piece {
    /// The piece under a clause more that nobody can decide.
    pub(super) fn doubted(self, clause: &Clause) -> Self {
        Self { condition: Arc::new(Condition::clone(&self.condition).with(clause.clone())), ..self }
    }
}

/// What something leaves of each piece. Beyond [`MOST_PIECES`] the rest stays whole under a clause that says so, and the
/// list of doubts tells.
pub(super) fn each(
    pieces: Vec<Piece>,
    doubts: &mut Vec<Doubt>,
    mut apply: impl FnMut(Piece, &mut Vec<Piece>),
) -> Vec<Piece> {
    let mut left = Vec::with_capacity(pieces.len() + 1);
    let mut pieces = pieces.into_iter();
    while left.len() <= MOST_PIECES {
        let Some(piece) = pieces.next() else { return left };
        apply(piece, &mut left);
    }
    if pieces.len() > 0 {
        let clause = Clause::Opaque("within what one of many further statements allows".into());
        left.extend(pieces.map(|piece| piece.doubted(&clause)));
        let doubt = Doubt::new("the policies limit in too many overlapping ways to take apart", DoubtEffect::Limits);
        if !doubts.contains(&doubt) {
            doubts.push(doubt);
        }
    }
    left
}

/// A deny: operations on resources where all tests hold.
#[derive(Clone, Debug)]
pub(super) struct Denial {
    pub(super) operations: Arc<OpSet>,
    pub(super) scope: Arc<ResourceScope>,
    pub(super) tests: Vec<Test>,
    /// What of the statement is not understood; it may or may not deny.
    pub(super) opaque: Option<Arc<str>>,
    /// What the deny makes of no condition: most grants have none.
    alone: OnceLock<Arc<Condition>>,
}

/// A layer that limits: a boundary, or one level of organisation policies.
#[derive(Debug, Default)]
pub(super) struct Limit {
    /// Allowed on everything, unconditionally.
    pub(super) open: OpSet,
    /// Allowed in part.
    pub(super) partial: Vec<Piece>,
}

/// What one limiting layer, or one set of policies, allows and denies.
#[derive(Debug, Default)]
pub(super) struct Layer {
    pub(super) limit: Limit,
    pub(super) denials: Denials,
}

/// What some policies deny.
#[derive(Debug, Default)]
pub(super) struct Denials {
    /// Denied whatever the request.
    pub(super) total: OpSet,
    /// Denied in part.
    pub(super) partial: Vec<Denial>,
}

impl Denials {
    /// One by one, what is denied whatever the request first.
    pub(super) fn each(&self) -> impl Iterator<Item = Denial> {
        let total = || Denial::new(Arc::new(self.total.clone()), Arc::default(), Vec::new(), None);
        (!self.total.is_empty()).then(total).into_iter().chain(self.partial.iter().cloned())
    }
}

impl From<Vec<Denial>> for Denials {
    fn from(denials: Vec<Denial>) -> Self {
        let (total, partial): (Vec<_>, Vec<_>) = denials.into_iter().partition(Denial::is_total);
        let ranges = total.iter().flat_map(|denial| denial.operations.ranges().iter().copied());
        Self { total: OpSet::from_ranges(ranges), partial }
    }
}

/// Layers that are the same for everybody below them, each taken apart once.
#[derive(Debug, Default)]
pub(super) struct Layers(RwLock<HashMap<Box<[PolicyIx]>, Arc<Layer>, foldhash::fast::RandomState>>);

impl Layers {
    /// What the policies of a layer allow a caller, and what they deny it.
    pub(super) fn of(&self, store: &PolicyStore, policies: &[PolicyIx], caller: &dyn Context, now: &Now) -> Arc<Layer> {
        if policies.iter().any(|policy| store.personal(*policy)) {
            return Arc::new(Layer::of(store, policies, caller, now));
        }
        if let Some(known) = self.0.read().unwrap_or_else(PoisonError::into_inner).get(policies) {
            return Arc::clone(known);
        }
        let layer = Arc::new(Layer::of(store, policies, caller, now));
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(known.entry(policies.into()).or_insert(layer))
    }
}

/// The moment of the scan as a context: tells which grants have run out.
pub(super) struct Now(pub(super) jiff::Timestamp);

impl Context for Now {
    fn get(&self, key: &str) -> Lookup {
        match key {
            "aws:currenttime" => Lookup::Known(vec![self.0.to_string().into()]),
            "aws:epochtime" => Lookup::Known(vec![self.0.as_second().to_string().into()]),
            _ => Lookup::Unknown,
        }
    }
}

/// Whether a test says that the grant ended before the scan: time only moves on.
fn has_run_out(test: &ConditionTest, now: &Now) -> bool {
    matches!(
        test.operator,
        Some(
            Operator::Date(Order::LessThan | Order::LessThanEquals)
                | Operator::Numeric(Order::LessThan | Order::LessThanEquals)
        )
    ) && matches!(&*test.key, "aws:currenttime" | "aws:epochtime")
        && operator::holds(test, now) == Truth::No
}

/// Adds what some policies allow a caller, and what they deny it.
pub(super) fn split(
    store: &PolicyStore,
    policies: &[PolicyIx],
    caller: &dyn Context,
    now: &Now,
    mut allow: impl FnMut(Piece),
    denials: &mut Vec<Denial>,
) {
    for policy in policies {
        for number in 0..store.compiled(*policy).statements.len() {
            split_one(store, (*policy, number), caller, now, &mut allow, denials);
        }
    }
}

/// Adds what one statement of a policy allows a caller, or denies it.
pub(super) fn split_one(
    store: &PolicyStore,
    (policy, number): (PolicyIx, usize),
    caller: &dyn Context,
    now: &Now,
    allow: &mut dyn FnMut(Piece),
    denials: &mut Vec<Denial>,
) {
    let Some(statement) = store.compiled(policy).statements.get(number) else { return };
    match statement.effect {
        Effect::Allow => {
            if statement.tests.iter().any(|test| has_run_out(test, now)) {
                return;
            }
            let Some(condition) = statement.condition(caller) else { return };
            for part in &statement.parts {
                let Some(scope) = statement.scope(part, caller) else { continue };
                allow(Piece {
                    operations: Arc::clone(&part.operations),
                    scope,
                    condition: Arc::clone(&condition),
                    grant: store.grant_number(policy, number),
                });
            }
        }
        Effect::Deny => {
            let mut tests = Vec::new();
            for test in statement.tests.iter() {
                match operator::holds(test, caller) {
                    Truth::Yes => {}
                    Truth::No => return,
                    Truth::Unknown => match model_test(test, caller) {
                        Some(test) => tests.push(test),
                        None => return,
                    },
                }
            }
            tests.sort_unstable();
            for part in &statement.parts {
                let Some(scope) = statement.scope(part, caller) else { continue };
                denials.push(Denial::new(
                    Arc::clone(&part.operations),
                    scope,
                    tests.clone(),
                    statement.opaque().cloned(),
                ));
            }
        }
    }
}

impl Layer {
    fn of(store: &PolicyStore, policies: &[PolicyIx], caller: &dyn Context, now: &Now) -> Self {
        let mut open: Vec<(u32, u32)> = Vec::new();
        let (mut partial, mut denials) = (Vec::new(), Vec::new());
        let allow = |piece: Piece| {
            if piece.scope.is_everything() && piece.condition.is_unconditional() {
                open.extend(piece.operations.ranges());
            } else {
                partial.push(piece);
            }
        };
        split(store, policies, caller, now, allow, &mut denials);
        Self { limit: Limit { open: OpSet::from_ranges(open), partial }, denials: denials.into() }
    }
}

impl Limit {
    /// What of a piece the layer lets through.
    pub(super) fn apply(&self, piece: Piece, into: &mut Vec<Piece>) {
        if piece.operations.is_subset(&self.open) {
            into.push(piece);
            return;
        }
        let open = piece.operations.intersection(&self.open);
        let rest = piece.operations.difference(&self.open);
        if !open.is_empty() {
            into.push(Piece { operations: Arc::new(open), ..piece.clone() });
        }
        for limit in &self.partial {
            let operations = rest.intersection(&limit.operations);
            if operations.is_empty() {
                continue;
            }
            let scope = if limit.scope.is_everything() {
                Arc::clone(&piece.scope)
            } else if piece.scope.is_everything() {
                Arc::clone(&limit.scope)
            } else {
                Arc::new(piece.scope.intersection(&limit.scope))
            };
            if scope.is_nothing() == Truth::Yes {
                continue;
            }
            into.push(Piece {
                operations: Arc::new(operations),
                scope,
                condition: Arc::new(piece.condition.and(&limit.condition)),
                grant: piece.grant,
            });
        }
    }
}

impl Denial {
    pub(super) fn new(
        operations: Arc<OpSet>,
        scope: Arc<ResourceScope>,
        tests: Vec<Test>,
        opaque: Option<Arc<str>>,
    ) -> Self {
        Self { operations, scope, tests, opaque, alone: OnceLock::new() }
    }

    /// What is asked of those whom the deny does not stop; `None` where it stops all that it hits.
    fn clause(&self) -> Option<Clause> {
        if let Some(opaque) = &self.opaque {
            return Some(Clause::Opaque(format!("unless denied by a statement that {opaque}").into()));
        }
        let unless = || Clause::Unless { tests: self.tests.clone(), scope: Arc::clone(&self.scope) };
        (!self.tests.is_empty()).then(unless)
    }

    /// A condition with what is asked of those whom the deny does not stop.
    fn escaped(&self, condition: &Condition) -> Option<Arc<Condition>> {
        if let Some(alone) = self.alone.get().filter(|_| condition.is_unconditional()) {
            return Some(Arc::clone(alone));
        }
        let escaped = Arc::new(condition.clone().with(self.clause()?));
        if condition.is_unconditional() {
            return Some(Arc::clone(self.alone.get_or_init(|| escaped)));
        }
        Some(escaped)
    }

    /// Whether the deny holds for every request of its operations.
    fn is_total(&self) -> bool {
        self.scope.is_everything() && self.tests.is_empty() && self.opaque.is_none()
    }

    /// What the deny leaves of a piece.
    pub(super) fn apply(&self, piece: Piece, into: &mut Vec<Piece>) {
        if !piece.operations.intersects(&self.operations) || apart(&piece.scope, &self.scope) {
            into.push(piece);
            return;
        }
        let rest = piece.operations.difference(&self.operations);
        let hit = if rest.is_empty() {
            Arc::clone(&piece.operations)
        } else {
            Arc::new(piece.operations.intersection(&self.operations))
        };
        let (grant, scope, condition) = (piece.grant, Arc::clone(&piece.scope), Arc::clone(&piece.condition));
        if !rest.is_empty() {
            into.push(Piece { operations: Arc::new(rest), ..piece });
        }
        if let Some(condition) = self.escaped(&condition) {
            into.push(Piece { operations: hit, scope, condition, grant });
            return;
        }
        // Outside of `all_of` and inside of `none_of`, either of which is enough to escape the deny.
        let mut escape = |scope: ResourceScope| {
            if scope.is_nothing() != Truth::Yes {
                into.push(Piece {
                    operations: Arc::clone(&hit),
                    scope: Arc::new(scope),
                    condition: Arc::clone(&condition),
                    grant,
                });
            }
        };
        for list in &self.scope.all_of {
            escape(scope.without(list.iter().cloned()));
        }
        if !self.scope.none_of.is_empty() {
            escape(scope.limited_to(self.scope.none_of.iter().cloned()));
        }
    }
}

/// Whether two scopes share no resource for certain.
pub(super) fn apart(a: &ResourceScope, b: &ResourceScope) -> bool {
    if a.is_everything() || b.is_everything() {
        return false;
    }
    let lists = a.all_of.iter().any(|left| {
        b.all_of.iter().any(|right| left.iter().all(|left| right.iter().all(|right| left.overlaps(right) == Truth::No)))
    });
    let inside = |list: &[evenhand_model::scope::Pattern], holes: &[evenhand_model::scope::Pattern]| {
        !holes.is_empty() && list.iter().all(|pattern| holes.iter().any(|hole| hole.contains(pattern) == Truth::Yes))
    };
    lists
        || a.all_of.iter().any(|list| inside(list, &b.none_of))
        || b.all_of.iter().any(|list| inside(list, &a.none_of))
}
