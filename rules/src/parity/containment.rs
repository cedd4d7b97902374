//! Excess by containment: what one access holds that others do not cover.
//!
//! An operation on a scope under a condition is covered where some slice of the other side has the operation, reaches
//! every resource of the scope, and asks nothing that the condition does not already ask. What somebody may do to himself
//! is covered by what the other side may do to itself. `Truth::Yes` of the underlying containments is always right, so
//! what is called covered is covered. Unions are seen where they occur in practice:
//! over operations, over the patterns of one list, and over the exclusions of a wide grant that another grant fills.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use evenhand_model::condition::{Clause, Condition};
use evenhand_model::evidence::Truth;
use evenhand_model::opset::OpSet;
use evenhand_model::scope::{Pattern, ResourceScope};

use super::view::{SliceView, View, held_by};

/// Lists longer than this are compared as a whole only.
const MAX_PATTERNS: usize = 64;

/// Pairs of scopes with fewer pairs of patterns are compared sooner than looked up.
const MIN_REMEMBERED: usize = 9;

/// Answers that are remembered at a time.
const MAX_REMEMBERED: usize = 1 << 16;

/// Answers on pairs of shared scopes, and what was said of slices, by address.
///
/// An entry is right as long as what it speaks of lives; the views that own it outlive every comparison of a run.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    contained: HashMap<(usize, usize), Truth, foldhash::fast::FixedState>,
    places: HashMap<usize, Arc<str>, foldhash::fast::FixedState>,
}

impl Scratch {
    /// Where a slice of the people's access grants, and under what.
    pub(crate) fn place(&mut self, slice: &SliceView) -> Arc<str> {
        if self.places.len() >= MAX_REMEMBERED {
            self.places.clear();
        }
        let place = self.places.entry(std::ptr::from_ref(slice).addr()).or_insert_with(|| {
            match slice.granted_under.is_unconditional() {
                true => format!("on {}", slice.scope).into(),
                false => format!("on {} if {}", slice.scope, slice.granted_under).into(),
            }
        });
        Arc::clone(place)
    }
}

/// A part of a slice that is not, or not certainly, covered.
#[derive(Debug)]
pub(crate) struct Piece<'a> {
    pub(crate) slice: &'a SliceView,
    /// The slice's scope, or the part of it that is concerned.
    pub(crate) scope: Arc<ResourceScope>,
    /// Certainly not covered.
    pub(crate) excess: OpSet,
    /// Nothing tells.
    pub(crate) undecided: OpSet,
}

/// What the first accesses hold and the second ones, together, do not cover; in the order of the slices.
///
/// What was not read can only be on the side of doubt: an access that may be less is in excess of nothing for certain,
/// and accesses that may be more may cover everything. That both sides share a doubt does not help: what takes from
/// both may take the very excess, and what adds to both may add it to the second ones.
pub(crate) fn uncovered<'a>(held: &[&'a View], by: &[&View], scratch: &mut Scratch) -> Vec<Piece<'a>> {
    let coverers = Coverers::of(by);
    let perhaps_covered = by.iter().any(|view| view.may_gain());
    let mut pieces = Vec::new();
    for view in held {
        let from = pieces.len();
        for slice in &view.slices {
            coverers.compare(slice, scratch, &mut pieces);
        }
        if perhaps_covered || view.may_lose() {
            pieces.iter_mut().skip(from).for_each(Piece::doubt);
        }
    }
    pieces
}

/// The operations that some slice of a view grants on a whole scope under no stricter a condition.
///
/// The condition is taken as granted, control clauses and all, so that rights under a control stay rights under it.
pub(crate) fn covered_by(view: &View, scope: &ResourceScope, condition: &Condition) -> OpSet {
    let covering = view.slices.iter().filter(|slice| {
        (slice.granted_under.is_unconditional() || slice.granted_under.implied_by(condition) == Truth::Yes)
            && (slice.scope.is_everything() || slice.reaches(scope) == Truth::Yes)
    });
    OpSet::from_ranges(covering.flat_map(|slice| slice.operations.ranges().iter().copied()))
}

/// Operations of a slice that are left, certainly and perhaps.
#[derive(PartialEq, Eq)]
struct Left {
    excess: OpSet,
    undecided: OpSet,
}

impl Left {
    fn nothing() -> Self {
        Self { excess: OpSet::new(), undecided: OpSet::new() }
    }

    fn is_nothing(&self) -> bool {
        self.excess.is_empty() && self.undecided.is_empty()
    }
}

struct Coverers<'a> {
    slices: Vec<&'a SliceView>,
    operations: Cow<'a, OpSet>,
}

impl<'a> Coverers<'a> {
    fn of(views: &[&'a View]) -> Self {
        let mut slices = Vec::with_capacity(views.iter().map(|view| view.slices.len()).sum());
        for view in views {
            slices.extend(view.widest_first.iter().filter_map(|at| view.slices.get(*at)));
        }
        Self { slices, operations: held_by(views) }
    }

    fn compare<'s>(&self, slice: &'s SliceView, scratch: &mut Scratch, pieces: &mut Vec<Piece<'s>>) {
        // One list and nothing else: what holds of its patterns one by one is all there is to know.
        let single = slice.scope.none_of.is_empty()
            && matches!(slice.scope.all_of.as_slice(), [list] if (2..=MAX_PATTERNS).contains(&list.len()));
        let left = if single && self.operations.intersects(&slice.operations) {
            Left { excess: self.uncovered_at_sight(slice), undecided: OpSet::new() }
        } else {
            self.cover(&slice.operations, &slice.scope, &slice.condition, Some(scratch))
        };
        if left.is_nothing() {
            return;
        }
        let whole = |left: Left| Piece {
            slice,
            scope: Arc::clone(&slice.scope),
            excess: left.excess,
            undecided: left.undecided,
        };
        // Patterns of one list are alternatives: each may be covered by another grant.
        let longest = slice.scope.all_of.iter().enumerate().max_by_key(|(at, list)| (list.len(), usize::MAX - at));
        let rest = left.excess.union(&left.undecided);
        match longest {
            Some((at, list)) if (2..=MAX_PATTERNS).contains(&list.len()) && self.operations.intersects(&rest) => {
                let mut groups: Vec<(Vec<Pattern>, Left)> = Vec::new();
                for pattern in list.iter() {
                    let part = with_list(&slice.scope, at, vec![pattern.clone()]);
                    let left = if part.is_nothing() == Truth::Yes {
                        Left::nothing()
                    } else {
                        self.cover(&rest, &Arc::new(part), &slice.condition, None)
                    };
                    match groups.iter_mut().find(|(_, held)| *held == left) {
                        Some((patterns, _)) => patterns.push(pattern.clone()),
                        None => groups.push((vec![pattern.clone()], left)),
                    }
                }
                if let [(_, _)] = groups.as_slice() {
                    pieces.extend(groups.into_iter().map(|(_, left)| whole(left)).filter(|piece| !piece.is_nothing()));
                } else {
                    pieces.extend(groups.into_iter().filter(|(_, left)| !left.is_nothing()).map(|(patterns, left)| {
                        Piece {
                            slice,
                            scope: Arc::new(with_list(&slice.scope, at, patterns)),
                            excess: left.excess,
                            undecided: left.undecided,
                        }
                    }));
                }
            }
            _ => pieces.push(whole(left)),
        }
    }

    /// Operations of a slice that no grant covers on the very same scope or on everything.
    fn uncovered_at_sight(&self, slice: &SliceView) -> OpSet {
        let mut left = Cow::Borrowed(&*slice.operations);
        for by in &self.slices {
            if (by.scope.is_everything() || Arc::ptr_eq(&by.scope, &slice.scope))
                && by.operations.intersects(&left)
                && implied(by, &slice.scope, &slice.condition) == Truth::Yes
            {
                left = Cow::Owned(left.difference(&by.operations));
                if left.is_empty() {
                    break;
                }
            }
        }
        left.into_owned()
    }

    fn cover(
        &self,
        operations: &OpSet,
        scope: &Arc<ResourceScope>,
        condition: &Condition,
        mut scratch: Option<&mut Scratch>,
    ) -> Left {
        let mut left = Cow::Borrowed(operations);
        let mut unsure: Vec<(u32, u32)> = Vec::new();
        let mut stricter: Vec<&SliceView> = Vec::new();
        let mut holed: Vec<&SliceView> = Vec::new();
        if !self.operations.intersects(operations) {
            return Left { excess: operations.clone(), undecided: OpSet::new() };
        }
        for by in &self.slices {
            if !by.operations.intersects(&left) {
                continue;
            }
            let asks_no_more = implied(by, scope, condition);
            let reaches = contained(by, scope, scratch.as_deref_mut());
            match reaches.and(asks_no_more) {
                Truth::Yes => {
                    left = Cow::Owned(left.difference(&by.operations));
                    if left.is_empty() {
                        return Left::nothing();
                    }
                }
                Truth::Unknown => unsure.extend(by.operations.ranges()),
                Truth::No => {}
            }
            if reaches == Truth::Yes && asks_no_more != Truth::Yes {
                stricter.push(by);
            } else if reaches != Truth::Yes && asks_no_more == Truth::Yes && !by.scope.none_of.is_empty() {
                holed.push(by);
            }
        }
        for by in holed {
            let filled = self.filled(by, &left, scope, condition);
            if !filled.is_empty() {
                left = Cow::Owned(left.difference(&filled));
                if left.is_empty() {
                    return Left::nothing();
                }
            }
        }
        for (at, one) in stricter.iter().enumerate() {
            for other in stricter.iter().skip(at + 1).filter(|other| complementary(&one.condition, &other.condition)) {
                unsure.extend(one.operations.intersection(&other.operations).ranges());
            }
        }
        if unsure.is_empty() {
            return Left { excess: left.into_owned(), undecided: OpSet::new() };
        }
        let unsure = OpSet::from_ranges(unsure);
        Left { excess: left.difference(&unsure), undecided: left.intersection(&unsure) }
    }

    /// Operations of a grant with exclusions that reaches the scope apart from them, where other grants fill every
    /// exclusion.
    fn filled(&self, by: &SliceView, left: &OpSet, scope: &ResourceScope, condition: &Condition) -> OpSet {
        let wide = ResourceScope { all_of: by.scope.all_of.clone(), none_of: Vec::new() };
        if wide.contains(scope) != Truth::Yes {
            return OpSet::new();
        }
        let mut filled = left.intersection(&by.operations);
        for hole in &by.scope.none_of {
            let hole = scope.limited_to([hole.clone()]);
            if hole.is_nothing() == Truth::Yes {
                continue;
            }
            let mut open = filled.clone();
            for other in &self.slices {
                if other.operations.intersects(&open)
                    && other.reaches(&hole) == Truth::Yes
                    && implied(other, &hole, condition) == Truth::Yes
                {
                    open = open.difference(&other.operations);
                }
            }
            filled = filled.difference(&open);
            if filled.is_empty() {
                break;
            }
        }
        filled
    }
}

impl Piece<'_> {
    /// Leaves nothing of it certain.
    pub(crate) fn doubt(&mut self) {
        self.undecided = self.undecided.union(&std::mem::take(&mut self.excess));
    }

    fn is_nothing(&self) -> bool {
        self.excess.is_empty() && self.undecided.is_empty()
    }
}

/// The scope with one of its lists replaced.
fn with_list(scope: &ResourceScope, at: usize, patterns: Vec<Pattern>) -> ResourceScope {
    let others = scope.all_of.iter().enumerate().filter(|(place, _)| *place != at).map(|(_, list)| Arc::clone(list));
    let narrowed = ResourceScope { all_of: others.collect(), none_of: scope.none_of.clone() };
    narrowed.limited_to(patterns)
}

fn contained(by: &SliceView, scope: &Arc<ResourceScope>, scratch: Option<&mut Scratch>) -> Truth {
    if by.scope.is_everything() || Arc::ptr_eq(&by.scope, scope) {
        return Truth::Yes;
    }
    match scratch {
        Some(scratch) if patterns(&by.scope) * patterns(scope) >= MIN_REMEMBERED => {
            if scratch.contained.len() >= MAX_REMEMBERED {
                scratch.contained.clear();
            }
            *scratch
                .contained
                .entry((Arc::as_ptr(&by.scope).addr(), Arc::as_ptr(scope).addr()))
                .or_insert_with(|| by.reaches(scope))
        }
        _ => by.reaches(scope),
    }
}

impl SliceView {
    /// Whether the grant reaches a scope. Where both are by their holders' own names, what each may do to himself is
    /// compared.
    fn reaches(&self, scope: &ResourceScope) -> Truth {
        let plain = self.scope.contains(scope);
        let of_oneself = || Some(self.oneself.as_ref()?.contains(&scope.of_oneself()?));
        if plain != Truth::Yes && of_oneself() == Some(Truth::Yes) { Truth::Yes } else { plain }
    }
}

fn patterns(scope: &ResourceScope) -> usize {
    scope.all_of.iter().map(|list| list.len()).sum::<usize>() + scope.none_of.len()
}

/// Whether a grant asks no more than a condition does, for the resources of a scope.
fn implied(by: &SliceView, scope: &ResourceScope, condition: &Condition) -> Truth {
    if by.condition.is_unconditional() {
        return Truth::Yes;
    }
    let plain = by.condition.implied_by(condition);
    if plain == Truth::Yes || !by.partial_clauses {
        return plain;
    }
    // A deny on other resources asks nothing here.
    let here = by.condition.filtered(|clause| match clause {
        Clause::Unless { scope: denied, .. } => scope.intersection(denied).is_nothing() != Truth::Yes,
        _ => true,
    });
    here.implied_by(condition)
}

/// Whether two conditions test one key the one positively and the other negatively, so that together they may ask nothing.
fn complementary(one: &Condition, other: &Condition) -> bool {
    let tests = |condition: &Condition| {
        condition
            .clauses()
            .filter_map(|clause| match clause {
                Clause::When(test) => Some((Arc::clone(&test.key), test.negated)),
                _ => None,
            })
            .collect::<Vec<_>>()
    };
    let ours = tests(one);
    tests(other)
        .iter()
        .any(|(key, negated)| ours.iter().any(|(held, held_negated)| held == key && held_negated != negated))
}
