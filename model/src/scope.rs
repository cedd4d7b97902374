//! Resource scopes: which resources a grant reaches.

use std::fmt;
use std::sync::Arc;

use crate::evidence::Truth;
use crate::glob::Glob;

/// A pattern over resource names of several segments, as many as the provider's names have.
///
/// A wildcard stays inside its segment. No segments at all means every resource.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Pattern {
    segments: Arc<[Glob]>,
    separator: char,
    /// The segments with the holder's own name left open; see [`Pattern::of_own_name`].
    own: Option<Arc<[Glob]>>,
    /// See [`Pattern::of_whole_scope`].
    whole: bool,
}

impl Pattern {
    /// Every resource.
    pub fn any() -> Self {
        Self { segments: Arc::from([]), separator: ':', own: None, whole: true }
    }

    /// A pattern of segments; all-wildcard segments are the same as [`Pattern::any`]. The separator is the one that
    /// stands between segments in names, for printing and for cutting.
    pub fn new(segments: impl Into<Arc<[Glob]>>, separator: char) -> Self {
        let segments: Arc<[Glob]> = segments.into();
        if segments.iter().all(|segment| *segment == Glob::Any) {
            return Self::any();
        }
        Self { segments, separator, own: None, whole: false }
    }

    /// This pattern as one that was granted by the holder's own name: `open` is the same with the name left open, equal
    /// for everybody who holds the same over himself. What the pattern reaches does not change.
    #[must_use]
    pub fn of_own_name(self, open: Self) -> Self {
        Self { own: Some(open.segments), ..self }
    }

    /// This pattern as one that reaches everything in its holder's scope, and that names the scope because resources of
    /// others are named alike. What the pattern reaches does not change.
    #[must_use]
    pub fn of_whole_scope(self) -> Self {
        Self { whole: true, ..self }
    }

    /// Whether the pattern stands for everything in its holder's scope.
    pub fn is_whole_scope(&self) -> bool {
        self.whole
    }

    /// The pattern with the holder's own name left open, where it was granted by that name; else the pattern itself.
    fn owns(&self) -> Self {
        match &self.own {
            Some(own) => Self::new(Arc::clone(own), self.separator),
            None => self.clone(),
        }
    }

    /// Whether the pattern stands for every resource.
    pub fn is_any(&self) -> bool {
        self.segments.is_empty()
    }

    /// The segments; none for every resource.
    pub fn segments(&self) -> &[Glob] {
        &self.segments
    }

    /// What stands between segments in names.
    pub fn separator(&self) -> char {
        self.separator
    }

    /// Whether a resource, given by its segments, matches.
    pub fn matches(&self, resource: &[&str]) -> Truth {
        if self.is_any() {
            return Truth::Yes;
        }
        if self.segments.len() != resource.len() {
            return Truth::No;
        }
        self.segments.iter().zip(resource).fold(Truth::Yes, |all, (glob, text)| all.and(glob.matches(text)))
    }

    /// Whether a resource, given by its whole name, matches: the name is cut at the separator into as many segments as
    /// the pattern has.
    pub fn matches_name(&self, name: &str) -> Truth {
        if self.is_any() {
            return Truth::Yes;
        }
        let segments: Vec<&str> = name.splitn(self.segments.len(), self.separator).collect();
        self.matches(&segments)
    }

    /// Whether this pattern reaches every resource that `inner` reaches.
    pub fn contains(&self, inner: &Self) -> Truth {
        if self.is_any() {
            return Truth::Yes;
        }
        if self.segments.len() != inner.segments.len() {
            return Truth::No;
        }
        let mut all = Truth::Yes;
        for (outer, inner) in self.segments.iter().zip(inner.segments.iter()) {
            all = all.and(outer.contains(inner));
            if all == Truth::No {
                break;
            }
        }
        all
    }

    /// Whether some resource is reached by both.
    pub fn overlaps(&self, other: &Self) -> Truth {
        if self.is_any() || other.is_any() {
            return Truth::Yes;
        }
        if self.segments.len() != other.segments.len() {
            return Truth::No;
        }
        self.segments.iter().zip(other.segments.iter()).fold(Truth::Yes, |all, (a, b)| all.and(a.overlaps(b)))
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_any() {
            return f.write_str("*");
        }
        // Of a whole scope its name says all.
        let free = self.segments.iter().rev().take_while(|segment| self.whole && **segment == Glob::Any).count();
        for (at, segment) in self.segments.iter().take(self.segments.len() - free).enumerate() {
            if at > 0 {
                write!(f, "{}", self.separator)?;
            }
            write!(f, "{segment}")?;
        }
        Ok(())
    }
}

/// The resources that a grant reaches: in some pattern of *each* list of `all_of`, and in no pattern of `none_of`.
///
/// One list comes from the granting statement; each further one from a boundary or organisation policy that limits it;
/// exclusions come from denies. No lists and no exclusions: every resource.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Default)]
pub struct ResourceScope {
    /// Each list limits; inside a list any pattern will do. Lists are sorted.
    pub all_of: Vec<Arc<[Pattern]>>,
    /// Resources taken away. Sorted.
    pub none_of: Vec<Pattern>,
}

impl ResourceScope {
    /// Every resource.
    pub fn everything() -> Self {
        Self::default()
    }

    /// Resources in some pattern of the list.
    pub fn any_of(patterns: impl IntoIterator<Item = Pattern>) -> Self {
        Self::everything().limited_to(patterns)
    }

    /// Whether nothing limits the scope.
    pub fn is_everything(&self) -> bool {
        self.all_of.is_empty() && self.none_of.is_empty()
    }

    /// Whether every resource of the holder's scope is reached.
    pub fn is_whole_scope(&self) -> bool {
        self.none_of.is_empty() && self.all_of.iter().all(|list| list.iter().any(Pattern::is_whole_scope))
    }

    /// This scope, limited further to some pattern of the list.
    #[must_use]
    pub fn limited_to(&self, patterns: impl IntoIterator<Item = Pattern>) -> Self {
        let mut list: Vec<Pattern> = patterns.into_iter().collect();
        if list.iter().any(Pattern::is_any) {
            return self.clone();
        }
        list.sort_unstable();
        list.dedup();
        let list: Arc<[Pattern]> = list.into();
        let mut limited = self.clone();
        if !limited.all_of.contains(&list) {
            // Hundreds of thousands of scopes have one limit.
            limited.all_of.reserve_exact(1);
            limited.all_of.push(list);
            limited.all_of.sort_unstable();
        }
        limited
    }

    /// This scope without the resources of a pattern.
    #[must_use]
    pub fn without(&self, patterns: impl IntoIterator<Item = Pattern>) -> Self {
        let mut less = self.clone();
        less.none_of.extend(patterns);
        less.none_of.sort_unstable();
        less.none_of.dedup();
        less
    }

    /// The resources in both scopes.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        let mut both = self.clone();
        for list in &other.all_of {
            if !both.all_of.contains(list) {
                both.all_of.push(Arc::clone(list));
            }
        }
        both.all_of.sort_unstable();
        both.without(other.none_of.iter().cloned())
    }

    /// The scope with the holder's own name left open, so that what two of them may do to themselves can be compared;
    /// `None` where nothing in it was granted by that name.
    pub fn of_oneself(&self) -> Option<Self> {
        let mut patterns = self.all_of.iter().flat_map(|list| list.iter()).chain(&self.none_of);
        patterns.any(|pattern| pattern.own.is_some()).then(|| {
            let owns = |list: &[Pattern]| list.iter().map(Pattern::owns).collect::<Vec<_>>();
            let limited = self.all_of.iter().fold(Self::everything(), |scope, list| scope.limited_to(owns(list)));
            limited.without(owns(&self.none_of))
        })
    }

    /// Whether the scope reaches nothing. `Unknown` when only a variable, or a combination of limits, could tell.
    pub fn is_nothing(&self) -> Truth {
        if self.all_of.iter().any(|list| list.is_empty()) || self.none_of.iter().any(Pattern::is_any) {
            return Truth::Yes;
        }
        let gone =
            |pattern: &Pattern| self.none_of.iter().fold(Truth::No, |gone, hole| gone.or(hole.contains(pattern)));
        for (at, list) in self.all_of.iter().enumerate() {
            if list.iter().fold(Truth::Yes, |all, pattern| all.and(gone(pattern))) == Truth::Yes {
                return Truth::Yes;
            }
            for other in self.all_of.iter().skip(at + 1) {
                let disjoint = list.iter().all(|a| other.iter().all(|b| a.overlaps(b) == Truth::No));
                if disjoint {
                    return Truth::Yes;
                }
            }
        }
        if self.all_of.len() <= 1 && self.none_of.is_empty() { Truth::No } else { Truth::Unknown }
    }

    /// Whether a resource, given by its segments, is reached.
    pub fn matches(&self, resource: &[&str]) -> Truth {
        self.reaches(|pattern| pattern.matches(resource))
    }

    /// Whether a resource, given by its whole name, is reached: see [`Pattern::matches_name`].
    pub fn matches_name(&self, name: &str) -> Truth {
        self.reaches(|pattern| pattern.matches_name(name))
    }

    fn reaches(&self, matches: impl Fn(&Pattern) -> Truth) -> Truth {
        let mut all = Truth::Yes;
        for list in &self.all_of {
            all = all.and(list.iter().fold(Truth::No, |some, pattern| some.or(matches(pattern))));
        }
        for pattern in &self.none_of {
            all = all.and(matches(pattern).not());
        }
        all
    }

    /// Whether this scope reaches every resource that `inner` reaches.
    ///
    /// `Yes` is always right. `No` is right where both sides are single lists without exclusions, and elsewhere where some
    /// resource shows it; combinations of limits and exclusions that this cannot see through are `Unknown`.
    pub fn contains(&self, inner: &Self) -> Truth {
        match self.seems_to_contain(inner) {
            Truth::Unknown
                if inner.examples().any(|one| inner.has(&one) == Truth::Yes && self.has(&one) == Truth::No) =>
            {
                Truth::No
            }
            seems => seems,
        }
    }

    /// Names of resources that are within the scope if its limits and exclusions let them.
    fn examples(&self) -> impl Iterator<Item = Vec<String>> {
        const LOOKED_AT: usize = 8;
        let patterns = self.all_of.iter().flat_map(|list| list.iter()).filter(|pattern| !pattern.is_any());
        patterns
            .take(LOOKED_AT)
            .filter_map(|pattern| pattern.segments.iter().map(Glob::example).collect::<Option<Vec<String>>>())
    }

    fn has(&self, resource: &[String]) -> Truth {
        self.matches(&resource.iter().map(String::as_str).collect::<Vec<_>>())
    }

    fn seems_to_contain(&self, inner: &Self) -> Truth {
        let mut all = Truth::Yes;
        for list in &self.all_of {
            // Some one limit of the inner scope must lie within this limit of ours.
            let mut within = Truth::No;
            for limits in &inner.all_of {
                let fits = limits.iter().fold(Truth::Yes, |fits, pattern| {
                    fits.and(list.iter().fold(Truth::No, |some, outer| some.or(outer.contains(pattern))))
                });
                within = within.or(fits);
                if within == Truth::Yes {
                    break;
                }
            }
            if within == Truth::No && (inner.all_of.len() > 1 || !inner.none_of.is_empty()) {
                within = Truth::Unknown;
            }
            all = all.and(within);
        }
        for hole in &self.none_of {
            // A hole of ours is harmless where the inner scope has it too or never reaches it.
            let mut harmless = inner.none_of.iter().fold(Truth::No, |some, theirs| some.or(theirs.contains(hole)));
            for limits in &inner.all_of {
                let apart = limits.iter().fold(Truth::Yes, |apart, pattern| apart.and(pattern.overlaps(hole).not()));
                harmless = harmless.or(apart);
            }
            if harmless == Truth::No && (inner.all_of.len() > 1 || !inner.none_of.is_empty()) {
                harmless = Truth::Unknown;
            }
            all = all.and(harmless);
        }
        all
    }
}

impl fmt::Display for ResourceScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |f: &mut fmt::Formatter<'_>, patterns: &[Pattern]| {
            patterns.iter().enumerate().try_for_each(|(at, pattern)| {
                if at > 0 {
                    f.write_str(", ")?;
                }
                write!(f, "{pattern}")
            })
        };
        if self.all_of.is_empty() {
            f.write_str("*")?;
        }
        for (at, patterns) in self.all_of.iter().enumerate() {
            if at > 0 {
                f.write_str(" within ")?;
            }
            list(f, patterns)?;
        }
        if !self.none_of.is_empty() {
            f.write_str(" except ")?;
            list(f, &self.none_of)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pattern(text: &str) -> Pattern {
        Pattern::new(text.split('/').map(Glob::wildcard).collect::<Vec<_>>(), '/')
    }

    #[test]
    fn a_whole_scope_is_told_from_everything_and_holds_no_other() {
        let whole = |owner: &str| {
            let segments = [Glob::wildcard(&format!("{owner}/*")), Glob::Any];
            ResourceScope::any_of([Pattern::new(segments, '/').of_whole_scope()])
        };
        let (here, there) = (whole("acme"), whole("other"));
        assert!(here.is_whole_scope() && !here.is_everything() && ResourceScope::everything().is_whole_scope());
        assert_eq!((here.matches(&["acme/shop", "x"]), here.matches(&["other/shop", "x"])), (Truth::Yes, Truth::No));
        assert_eq!((here.contains(&here), here.contains(&there)), (Truth::Yes, Truth::No));
        assert_eq!(here.to_string(), "acme/*");
        assert!(!here.without([Pattern::new([Glob::literal("acme/shop"), Glob::Any], '/')]).is_whole_scope());
    }

    #[test]
    fn holes_and_limits_are_honoured() {
        let all = ResourceScope::everything();
        let prod = ResourceScope::any_of([pattern("prod/*")]);
        assert_eq!(all.contains(&prod), Truth::Yes);
        assert_eq!(prod.contains(&all), Truth::No);
        let not_prod = all.without([pattern("prod/*")]);
        assert_eq!(not_prod.contains(&prod), Truth::No);
        assert_eq!(not_prod.contains(&ResourceScope::any_of([pattern("dev/x")])), Truth::Yes);
        assert_eq!(prod.without([pattern("prod/*")]).is_nothing(), Truth::Yes);
        assert_eq!(prod.limited_to([pattern("dev/*")]).is_nothing(), Truth::Yes);
    }

    #[test]
    fn what_two_may_do_to_themselves_is_the_same_and_reaches_different_resources() {
        use crate::glob::Token;
        let open = Glob::from_tokens([Token::Variable("name".into())]);
        let own = |name: &str| {
            let named = Pattern::new([Glob::literal("user"), Glob::literal(name)], '/');
            named.of_own_name(Pattern::new([Glob::literal("user"), open.clone()], '/'))
        };
        let (a, b) = (ResourceScope::any_of([own("a")]), ResourceScope::any_of([own("b")]));
        assert_eq!(a.contains(&b), Truth::No);
        assert_eq!(a.matches(&["user", "a"]), Truth::Yes);
        assert_eq!(a.to_string(), "user/a");
        let (mine, yours) = (a.of_oneself().unwrap(), b.of_oneself().unwrap());
        assert_eq!((mine.contains(&yours), yours.contains(&mine)), (Truth::Yes, Truth::Yes));
        assert_eq!(mine.contains(&ResourceScope::any_of([pattern("user/b")])), Truth::Unknown);
        assert_eq!(ResourceScope::any_of([pattern("user/a")]).of_oneself(), None);
        let without = ResourceScope::everything().without([own("a")]);
        assert_eq!(without.of_oneself().unwrap().to_string(), "* except user/${name}");
    }

    #[test]
    fn a_whole_name_is_cut_into_as_many_segments_as_the_pattern_has() {
        let team = ResourceScope::any_of([pattern("team/*")]).without([pattern("team/secret")]);
        for (name, expected) in [
            ("team/a", Truth::Yes),
            ("team/a/b", Truth::Yes),
            ("team/secret", Truth::No),
            ("other/a", Truth::No),
            ("team", Truth::No),
        ] {
            assert_eq!(team.matches_name(name), expected, "{name}");
        }
    }

    #[test]
    fn an_exclusion_hides_no_resource_that_is_outside_all_the_same() {
        let of = |patterns: &[&str], holes: &[&str]| {
            ResourceScope::any_of(patterns.iter().map(|text| pattern(text)))
                .without(holes.iter().map(|text| pattern(text)))
        };
        let limited = of(&["a/*"], &[]).limited_to([pattern("*/x*")]);
        for (outer, inner, expected) in [
            (of(&["a/*"], &[]), of(&["b/*"], &["b/k*"]), Truth::No),
            (of(&["a/*"], &[]), of(&["a/*", "b/*"], &["b/k*"]), Truth::No),
            (of(&["a/*"], &[]), of(&["a/*"], &["a/k*"]), Truth::Yes),
            (of(&["a/*"], &[]), of(&["a/*", "b/k"], &["b/*"]), Truth::Unknown),
            // No example of one list is in the other.
            (of(&["a/l*"], &[]), limited.clone(), Truth::Unknown),
            (of(&["*/x*"], &[]), limited, Truth::Yes),
        ] {
            assert_eq!(outer.contains(&inner), expected, "{outer} / {inner}");
        }
    }

    fn scopes() -> impl Strategy<Value = ResourceScope> {
        let patterns = || prop::collection::vec("[ab*]{1,2}/[ab*]{1,2}", 1..3);
        (prop::collection::vec(patterns(), 0..2), prop::collection::vec("[ab*]{1,2}/[ab*]{1,2}", 0..2)).prop_map(
            |(all_of, none_of)| {
                let scope = all_of.iter().fold(ResourceScope::everything(), |scope, list| {
                    scope.limited_to(list.iter().map(|text| pattern(text)))
                });
                scope.without(none_of.iter().map(|text| pattern(text)))
            },
        )
    }

    proptest! {
        #[test]
        fn containment_never_lies_about_a_resource(outer in scopes(), inner in scopes(), a in "[abc]{0,3}", b in "[abc]{0,3}") {
            if outer.contains(&inner) == Truth::Yes && inner.matches(&[&a, &b]) == Truth::Yes {
                prop_assert_eq!(outer.matches(&[&a, &b]), Truth::Yes);
            }
            if inner.is_nothing() == Truth::Yes {
                prop_assert_ne!(inner.matches(&[&a, &b]), Truth::Yes);
                prop_assert_ne!(outer.contains(&inner), Truth::No, "nothing is within everything");
            }
        }

        #[test]
        fn intersection_reaches_what_both_reach(x in scopes(), y in scopes(), a in "[abc]{0,3}", b in "[abc]{0,3}") {
            let both = x.intersection(&y).matches(&[&a, &b]) == Truth::Yes;
            prop_assert_eq!(both, x.matches(&[&a, &b]) == Truth::Yes && y.matches(&[&a, &b]) == Truth::Yes);
        }
    }
}
