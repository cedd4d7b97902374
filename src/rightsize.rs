//! Right-sizing: the part of an identity's access that may stay.
//!
//! What may stay is what the identity holds now *and* what the human role holds, or what it has used; it is decided on
//! sets, scopes and conditions, and knows no vendor. A grant of the one side and a grant of the other meet in the
//! operations of both, on the resources of both, under the conditions of both. Where the resources of both cannot be said
//! as one list of names, because two patterns overlap and neither contains the other or a variable decides, nothing is
//! kept: the cut is never wider than both sides, and what was left out for that reason is told.

use std::sync::Arc;

use evenhand_model::access::{Access, GrantIx, Slice};
use evenhand_model::condition::Condition;
use evenhand_model::evidence::Truth;
use evenhand_model::glob::Glob;
use evenhand_model::opset::OpSet;
use evenhand_model::proposal::Kept;
use evenhand_model::scope::{Pattern, ResourceScope};

/// What access is cut to.
#[derive(Clone, Copy, Debug)]
pub enum Measure<'a> {
    /// What some of these hold.
    Held(&'a [Arc<Access>]),
    /// These operations, wherever and under whatever condition they are held now.
    Operations(&'a OpSet),
}

/// An access, cut.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cut {
    /// What may stay, in the order of the slices that it is a part of.
    pub kept: Vec<Kept>,
    /// What stays whatever is done about the identity's own policies, because it is granted elsewhere.
    pub elsewhere: Vec<Slice>,
    /// Operations of slices that may or may not be within the measure, and are not kept.
    pub undecided: Vec<(Slice, Arc<str>)>,
}

/// Lists of more patterns than this are not cut one by one.
const MOST_PATTERNS: usize = 512;

/// Cuts an access. `replaced` tells of a statement whether it is one that a proposal takes the place of.
pub fn cut(access: &Access, replaced: impl Fn(GrantIx) -> bool, measure: Measure<'_>) -> Cut {
    let mut cut = Cut::default();
    let measures: Vec<Slice> = match measure {
        Measure::Held(accesses) => widest_first(accesses),
        Measure::Operations(operations) => vec![everything(operations.clone())],
    };
    for slice in access.slices() {
        if slice.operations.is_empty() || slice.scope.is_nothing() == Truth::Yes {
            continue;
        }
        match replaced(slice.grant) {
            true => cut_slice(slice, &measures, &mut cut),
            false => cut.elsewhere.push(slice.clone()),
        }
    }
    cut
}

fn everything(operations: OpSet) -> Slice {
    Slice {
        operations: Arc::new(operations),
        scope: Arc::default(),
        condition: Arc::default(),
        grant: GrantIx(u32::MAX),
    }
}

/// The slices of accesses; those that reach most come first, so that what they cover is kept as it is.
fn widest_first(accesses: &[Arc<Access>]) -> Vec<Slice> {
    let mut slices: Vec<Slice> = Vec::new();
    for access in accesses {
        slices.extend(access.slices().iter().cloned());
        if access.unlimited {
            slices.push(everything(OpSet::from_ranges([(0, u32::MAX)])));
        }
    }
    slices.sort_by_key(|slice| u8::from(!slice.condition.is_unconditional()) + u8::from(!slice.scope.is_everything()));
    slices
}

fn cut_slice(slice: &Slice, measures: &[Slice], cut: &mut Cut) {
    let mut left = (*slice.operations).clone();
    let first = cut.kept.len();
    for measure in measures {
        let operations = left.intersection(&measure.operations);
        if operations.is_empty() || measure.condition.implied_by(&slice.condition) != Truth::Yes {
            continue;
        }
        let whole = if measure.scope.contains(&slice.scope) == Truth::Yes {
            Arc::clone(&slice.scope)
        } else {
            // What each may do to himself is the same, though the names differ.
            let own = slice.scope.of_oneself().zip(measure.scope.of_oneself());
            match own.filter(|(mine, theirs)| theirs.contains(mine) == Truth::Yes) {
                Some((mine, _)) => Arc::new(mine),
                None => continue,
            }
        };
        let Some(scope) = as_one_list(&whole) else { continue };
        left = left.difference(&operations);
        keep(slice, operations, scope, Arc::clone(&slice.condition), first, cut);
    }
    let mut undecided = OpSet::new();
    for measure in measures {
        let operations = left.intersection(&measure.operations);
        if operations.is_empty() {
            continue;
        }
        let asked_already = measure.condition.implied_by(&slice.condition) == Truth::Yes;
        let condition = match asked_already {
            true => Arc::clone(&slice.condition),
            false => Arc::new(slice.condition.and(&measure.condition)),
        };
        let both = slice.scope.intersection(&measure.scope);
        match meet(&both) {
            Some((scope, exact)) => {
                if !exact {
                    undecided = undecided.union(&operations);
                }
                if scope.is_nothing() != Truth::Yes {
                    keep(slice, operations, Arc::new(scope), condition, first, cut);
                }
            }
            None => undecided = undecided.union(&operations),
        }
    }
    if !undecided.is_empty() {
        let slice = Slice { operations: Arc::new(undecided), ..slice.clone() };
        cut.undecided.push((slice, Arc::from("the resources that both reach cannot be named exactly")));
    }
}

/// Keeps a part of a slice, apart from what is kept of it already.
fn keep(
    slice: &Slice,
    mut operations: OpSet,
    scope: Arc<ResourceScope>,
    condition: Arc<Condition>,
    first: usize,
    cut: &mut Cut,
) {
    for held in cut.kept.iter_mut().skip(first).map(|kept| &mut kept.slice) {
        if held.scope == scope && held.condition == condition {
            held.operations = Arc::new(held.operations.union(&operations));
            return;
        }
        if held.scope.contains(&scope) == Truth::Yes && held.condition.implied_by(&condition) == Truth::Yes {
            operations = operations.difference(&held.operations);
        }
    }
    if !operations.is_empty() {
        let kept = Slice { operations: Arc::new(operations), scope, condition, grant: slice.grant };
        cut.kept.push(Kept { slice: kept, of: slice.clone() });
    }
}

/// A scope as one list with exclusions; `None` where it is no such thing.
fn as_one_list(scope: &Arc<ResourceScope>) -> Option<Arc<ResourceScope>> {
    if scope.all_of.len() <= 1 {
        return Some(Arc::clone(scope));
    }
    meet(scope).filter(|(_, exact)| *exact).map(|(scope, _)| Arc::new(scope))
}

/// The resources in all lists of a scope, as one list with exclusions, and whether that is all of them; `None` where
/// there are too many patterns to tell.
fn meet(scope: &ResourceScope) -> Option<(ResourceScope, bool)> {
    let Some((list, lists)) = scope.all_of.split_first() else { return Some((scope.clone(), true)) };
    let (mut patterns, mut exact) = (list.to_vec(), true);
    for list in lists {
        if patterns.len().saturating_mul(list.len()) > MOST_PATTERNS * MOST_PATTERNS {
            return None;
        }
        let mut both: Vec<Pattern> = Vec::new();
        for (a, b) in patterns.iter().flat_map(|a| list.iter().map(move |b| (a, b))) {
            match common(a, b) {
                Common::None => {}
                Common::Pattern(pattern) => both.push(pattern),
                Common::Untold => exact = false,
            }
        }
        both.sort_unstable();
        both.dedup();
        if both.len() > MOST_PATTERNS {
            return None;
        }
        let within = |at: usize, pattern: &Pattern| {
            both.iter().enumerate().any(|(other, wider)| {
                other != at
                    && wider.contains(pattern) == Truth::Yes
                    && (pattern.contains(wider) != Truth::Yes || other < at)
            })
        };
        patterns =
            both.iter().enumerate().filter(|(at, pattern)| !within(*at, pattern)).map(|(_, one)| one.clone()).collect();
    }
    patterns.retain(|pattern| !scope.none_of.iter().any(|hole| hole.contains(pattern) == Truth::Yes));
    let reached = |hole: &&Pattern| patterns.iter().any(|pattern| pattern.overlaps(hole) != Truth::No);
    let holes: Vec<Pattern> = scope.none_of.iter().filter(reached).cloned().collect();
    if patterns.iter().any(Pattern::is_any) {
        return Some((ResourceScope::everything().without(holes), exact));
    }
    patterns.sort_unstable();
    Some((ResourceScope { all_of: vec![patterns.into()], none_of: holes }, exact))
}

/// What two patterns both reach.
enum Common {
    None,
    Pattern(Pattern),
    /// Some names perhaps, but no pattern of ours says which.
    Untold,
}

fn common(a: &Pattern, b: &Pattern) -> Common {
    if a.contains(b) == Truth::Yes {
        return Common::Pattern(b.clone());
    }
    if b.contains(a) == Truth::Yes {
        return Common::Pattern(a.clone());
    }
    if a.overlaps(b) == Truth::No {
        return Common::None;
    }
    let narrower = |(a, b): (&Glob, &Glob)| match (a.contains(b), b.contains(a)) {
        (Truth::Yes, _) => Some(b.clone()),
        (_, Truth::Yes) => Some(a.clone()),
        _ => None,
    };
    let segments: Option<Vec<Glob>> = a.segments().iter().zip(b.segments()).map(narrower).collect();
    match segments {
        Some(segments) if a.segments().len() == b.segments().len() => {
            Common::Pattern(Pattern::new(segments, a.separator()))
        }
        _ => Common::Untold,
    }
}

#[cfg(test)]
mod tests {
    use evenhand_model::condition::{Clause, Test};
    use evenhand_model::glob::Token;

    use super::*;

    fn pattern(text: &str) -> Pattern {
        let glob = |text: &str| match text.strip_prefix('$') {
            Some(name) => Glob::from_tokens([Token::Variable(name.into())]),
            None => Glob::wildcard(text),
        };
        Pattern::new(text.split('/').map(glob).collect::<Vec<_>>(), '/')
    }

    /// `operations|patterns|holes|conditions`, lists with commas; `=` in front of a list of patterns joins another list.
    fn slice(text: &str) -> Slice {
        let parts: Vec<&str> = text.split('|').collect();
        let list =
            |at: usize| parts.get(at).into_iter().flat_map(|text| text.split(',')).filter(|text| !text.is_empty());
        let patterns = |text: &str| text.split(',').map(pattern).collect::<Vec<_>>();
        let scope =
            parts[1].split('=').fold(ResourceScope::everything(), |scope, text| scope.limited_to(patterns(text)));
        let test = |key: &str| {
            Clause::When(Test {
                operator: "Bool".into(),
                key: key.into(),
                values: [Arc::from("true")].into(),
                negated: false,
            })
        };
        Slice {
            operations: Arc::new(OpSet::from_ranges(
                list(0).map(|at| at.parse::<u32>().unwrap()).map(|at| (at, at + 1)),
            )),
            scope: Arc::new(scope.without(list(2).map(pattern))),
            condition: Arc::new(list(3).fold(Condition::unconditional(), |held, key| held.with(test(key)))),
            grant: GrantIx(0),
        }
    }

    fn shown(slice: &Slice) -> String {
        let operations: Vec<String> = slice.operations.iter().map(|at| at.0.to_string()).collect();
        format!("{} on {} if {}", operations.join(","), slice.scope, slice.condition)
    }

    #[test]
    fn what_both_hold_stays_and_nothing_else() {
        for (holds, human, kept, undecided) in [
            // Operations.
            ("1,2|*", "2,3|*", vec!["2 on * if "], 0),
            // Resources: the narrower side, segment by segment.
            ("1|a/*", "1|*", vec!["1 on a/* if "], 0),
            ("1|*", "1|a/*", vec!["1 on a/* if "], 0),
            ("1|*/x", "1|a/*", vec!["1 on a/x if "], 0),
            ("1|a/*", "1|b/*", vec![], 0),
            ("1|a/x,b/y,c/z", "1|a/*,b/*", vec!["1 on a/x, b/y if "], 0),
            // Two patterns that overlap without containment: not kept, and told.
            ("1|a/x*", "1|a/*y", vec![], 1),
            ("1|a/x*,b/z", "1|a/*y,b/*", vec!["1 on b/z if "], 1),
            // A variable is contained in itself and in everything, and tells nothing of a name.
            ("1|a/$who", "1|a/*", vec!["1 on a/${who} if "], 0),
            ("1|a/$who", "1|a/$who", vec!["1 on a/${who} if "], 0),
            ("1|a/$who", "1|a/x", vec![], 1),
            // Exclusions of the human side stay exclusions.
            ("1|*", "1|*|a/secret", vec!["1 on * except a/secret if "], 0),
            ("1|b/*", "1|*|a/secret", vec!["1 on b/* if "], 0),
            ("1|a/secret", "1|*|a/secret", vec![], 0),
            // Conditions of both.
            ("1|*||mfa", "1|*", vec!["1 on * if mfa Bool true"], 0),
            ("1|*", "1|*||mfa", vec!["1 on * if mfa Bool true"], 0),
            ("1|*||tls", "1|a/*||mfa", vec!["1 on a/* if mfa Bool true and tls Bool true"], 0),
            // A limit of another policy is one more list.
            ("1|a/*=*/x", "1|*", vec!["1 on a/x if "], 0),
        ] {
            let access = Access::new(vec![slice(holds)], Vec::new(), false);
            let measure = [Arc::new(Access::new(vec![slice(human)], Vec::new(), false))];
            let cut = cut(&access, |_| true, Measure::Held(&measure));
            let found: Vec<String> = cut.kept.iter().map(|kept| shown(&kept.slice)).collect();
            assert_eq!(found, kept, "{holds} beside {human}");
            assert_eq!(cut.undecided.len(), undecided, "{holds} beside {human}");
        }
    }

    #[test]
    fn several_grants_of_people_are_met_one_by_one_and_the_widest_first() {
        let access = Access::new(vec![slice("1,2,3|*")], Vec::new(), false);
        let human =
            Access::new(vec![slice("1|a/*"), slice("2,1|*||mfa"), slice("1|b/*"), slice("3|*")], Vec::new(), false);
        let cut = cut(&access, |_| true, Measure::Held(&[Arc::new(human)]));
        let found: Vec<String> = cut.kept.iter().map(|kept| shown(&kept.slice)).collect();
        assert_eq!(found, ["3 on * if ", "1 on a/* if ", "1,2 on * if mfa Bool true", "1 on b/* if "]);
    }

    #[test]
    fn who_holds_everything_leaves_everything_and_use_leaves_what_was_used() {
        let access = Access::new(vec![slice("1,2|a/*||mfa")], Vec::new(), false);
        let all = [Arc::new(Access::new(Vec::new(), Vec::new(), true))];
        let whole = cut(&access, |_| true, Measure::Held(&all));
        assert_eq!(whole.kept.iter().map(|kept| &kept.slice).collect::<Vec<_>>(), [&slice("1,2|a/*||mfa")]);
        let used = cut(&access, |_| true, Measure::Operations(&OpSet::from_ranges([(2, 9)])));
        assert_eq!(used.kept.iter().map(|kept| shown(&kept.slice)).collect::<Vec<_>>(), ["2 on a/* if mfa Bool true"]);
    }

    #[test]
    fn what_is_granted_elsewhere_is_not_cut() {
        let access = Access::new(vec![slice("1|*")], Vec::new(), false);
        let cut = cut(&access, |_| false, Measure::Held(&[]));
        assert_eq!((cut.kept.len(), cut.elsewhere), (0, vec![slice("1|*")]));
    }
}
