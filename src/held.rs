//! What an identity held before and what it holds now, by the lists of two reports: all that it may do, or its excess.
//!
//! A list is made with the catalogue of its scan, which a report does not hold: an operation that a wildcard of the other list
//! stands for was not gained or lost. Nor were resources that a pattern of the other list holds for certain, as far as its
//! text tells, under the same condition, under none, or under some of the same tests and no others.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use evenhand_model::evidence::Truth;
use evenhand_model::glob::Glob;

/// What is in one list and not in the other, as `operation on resources`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exchange {
    /// What is new.
    pub gained: Vec<String>,
    /// What is gone.
    pub lost: Vec<String>,
}

impl Exchange {
    /// From one list to a later one, as the column `access_list` holds them.
    pub fn between(old: &str, new: &str) -> Self {
        Self::of(&parts(old), &parts(new))
    }

    /// From parts to later ones.
    pub fn of(old: &BTreeSet<Part<'_>>, new: &BTreeSet<Part<'_>>) -> Self {
        Self { gained: beyond(new, old), lost: beyond(old, new) }
    }
}

/// An operation, or a wildcard for several, on what, and under what condition; that is empty where there is none.
pub type Part<'a> = (&'a str, &'a str, &'a str);

fn parts(list: &str) -> BTreeSet<Part<'_>> {
    let places = list.split("; ").filter_map(|part| part.split_once(" on "));
    let mut parts = BTreeSet::new();
    for (operations, place) in places {
        let (resources, condition) = place.split_once(" if ").unwrap_or((place, ""));
        for operation in operations.split(", ") {
            parts.extend(resources.split(" + ").map(|resource| (operation, resource, condition)));
        }
    }
    parts
}

/// The parts of one list that are not in another.
fn only<'a>(of: &BTreeSet<Part<'a>>, others: &BTreeSet<Part<'a>>) -> Vec<Wide<'a>> {
    of.difference(others).copied().map(Wide::of).collect()
}

/// The parts of a list that nothing of another one covers.
fn beyond<'a>(these: &BTreeSet<Part<'a>>, those: &BTreeSet<Part<'a>>) -> Vec<String> {
    let (own, others) = (only(these, those), only(those, these));
    let shared: Vec<Wide<'_>> = these.intersection(those).copied().map(Wide::of).collect();
    let (wider, narrower) = (ByOperation::of(others.iter().chain(&shared)), ByOperation::of(&others));
    let left = own.iter().filter(|part| !wider.standing_for(part.operation()).any(|wide| wide.covers(part)));
    left.map(|part| {
        let holds_some = match part.is_several() {
            true => others.iter().any(|held| part.covers(held)),
            false => narrower.named(part.operation()).any(|held| part.covers(held)),
        };
        match holds_some {
            true => format!("part of {part}"),
            false => part.to_string(),
        }
    })
    .collect()
}

/// Parts by their operations: excess may be of very many, and few of them are of several operations at once.
struct ByOperation<'w, 'a> {
    named: BTreeMap<&'a str, Vec<&'w Wide<'a>>>,
    several: Vec<&'w Wide<'a>>,
}

impl<'w, 'a> ByOperation<'w, 'a> {
    fn of(parts: impl IntoIterator<Item = &'w Wide<'a>>) -> Self {
        let mut held = Self { named: BTreeMap::new(), several: Vec::new() };
        for part in parts {
            match part.is_several() {
                true => held.several.push(part),
                false => held.named.entry(part.operation()).or_default().push(part),
            }
        }
        held
    }

    /// The parts of just this operation.
    fn named(&self, operation: &str) -> impl Iterator<Item = &'w Wide<'a>> {
        self.named.get(operation).into_iter().flatten().copied()
    }

    /// The parts that may stand for an operation.
    fn standing_for(&self, operation: &str) -> impl Iterator<Item = &'w Wide<'a>> {
        self.named(operation).chain(self.several.iter().copied())
    }
}

/// A part with what it stands for.
struct Wide<'a> {
    part: Part<'a>,
    operations: Glob,
    /// The tests that its condition is made of, where it is made of tests alone.
    tests: Option<BTreeSet<&'a str>>,
}

impl<'a> Wide<'a> {
    fn of(part: Part<'a>) -> Self {
        let (operation, _, condition) = part;
        Self { part, operations: Glob::wildcard(operation), tests: tests(condition) }
    }

    fn operation(&self) -> &'a str {
        let (operation, ..) = self.part;
        operation
    }

    /// Whether it may stand for other operations than the one of its name.
    fn is_several(&self) -> bool {
        self.operation().contains(WILDCARDS)
    }

    fn covers(&self, other: &Self) -> bool {
        let ((_, resources, _), (operation, theirs, _)) = (self.part, other.part);
        // What is cheap to ask is asked first.
        theirs.starts_with(head(resources))
            && self.holds_whenever(other)
            && self.stands_for(operation)
            && holds(resources, theirs)
    }

    /// Whether it is held under no more tests.
    fn holds_whenever(&self, other: &Self) -> bool {
        let ((.., condition), (.., their_condition)) = (self.part, other.part);
        let both = self.tests.as_ref().zip(other.tests.as_ref());
        condition.is_empty()
            || condition == their_condition
            || both.is_some_and(|(ours, theirs)| ours.is_subset(theirs))
    }

    /// Whether an operation is one that it stands for. Those of Kubernetes name a verb and a resource with its group. Its
    /// catalogue's `summarise` writes `* *` for all that is done to resources, and `* *.apps` for what is done to those of one group.
    /// No name of a resource has a dot; one of the core group has none behind it either, and what begins with a slash is no
    /// resource.
    fn stands_for(&self, operation: &str) -> bool {
        let (text, ..) = self.part;
        let Some(group) = text.strip_prefix("* *") else {
            return self.operations.matches(operation) == Truth::Yes;
        };
        let of_resource = operation.split_once(' ').filter(|(_, resource)| !resource.starts_with('/'));
        of_resource.is_some_and(|(_, resource)| {
            let resource = resource.split_once('/').map_or(resource, |(whole, _)| whole);
            let their_group = match resource.split_once('.') {
                Some((_, group)) => group,
                None if resource == "*" => "",
                None => "core",
            };
            group.is_empty() || group.strip_prefix('.') == Some(their_group)
        })
    }
}

impl fmt::Display for Wide<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.part {
            (operation, resources, "") => write!(f, "{operation} on {resources}"),
            (operation, resources, condition) => write!(f, "{operation} on {resources} if {condition}"),
        }
    }
}

/// What stands for other characters in a pattern.
const WILDCARDS: [char; 2] = ['*', '?'];

/// What all begin with that a pattern reaches, as do the patterns within it.
fn head(pattern: &str) -> &str {
    pattern.split(WILDCARDS).next().unwrap_or_default()
}

/// The tests of a condition, `key Operator value | value` each; `None` where it is something else in part, such as what a deny
/// leaves or the words of a provider.
fn tests(condition: &str) -> Option<BTreeSet<&str>> {
    condition.split(" and ").map(|part| is_test(part).then_some(part)).collect()
}

fn is_test(text: &str) -> bool {
    let mut words = text.split(' ');
    let has_key = words.next().is_some_and(|key| !key.is_empty());
    // Neither a word of a sentence nor what opens a bracket begins as operators do.
    let has_operator = words.next().is_some_and(|operator| operator.starts_with(|c: char| c.is_ascii_uppercase()));
    let values: Vec<&str> = words.collect();
    has_key && has_operator && values.len() % 2 == 1 && values.iter().skip(1).step_by(2).all(|joint| *joint == "|")
}

/// Whether a pattern of resources reaches all that another one reaches, for certain. A wildcard reaches to the end of its
/// segment and no further. A text does not tell which separators end segments, so only the last wildcard is taken to reach
/// past one.
fn holds(outer: &str, inner: &str) -> bool {
    if outer == inner || outer == "*" {
        return true;
    }
    if !is_one_pattern(outer) || !is_one_pattern(inner) {
        return false;
    }
    let first = |text: &str| text.find([':', '/']).map_or(text.len(), |at| at + 1);
    let contains = |outer: &str, inner: &str| Glob::wildcard(outer).contains(&Glob::wildcard(inner)) == Truth::Yes;
    let (mut outer, mut inner) = (outer, inner);
    loop {
        let (Some((piece, rest)), Some((their_piece, their_rest))) =
            (outer.split_at_checked(first(outer)), inner.split_at_checked(first(inner)))
        else {
            return false;
        };
        if rest.is_empty() {
            return contains(piece, inner);
        }
        if !contains(piece, their_piece) {
            return false;
        }
        (outer, inner) = (rest, their_rest);
    }
}

/// Whether a text is one pattern without variables, and not several with limits or exceptions. A space, a comma or a
/// semicolon of a name is escaped, which is no variable: it is compared as it is written.
fn is_one_pattern(text: &str) -> bool {
    let has_variable = text.split("${").skip(1).any(|rest| !rest.starts_with([' ', ',', ';']));
    !has_variable && ![", ", " within ", " except "].iter().any(|mark| text.contains(mark))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_gained_and_lost_is_named_and_what_a_wildcard_holds_is_neither() {
        let cases: [(&str, &str, &[&str], &[&str]); 35] = [
            ("a:X on b/* + x/*", "a:X on b/*; a:X on x/*", &[], &[]),
            ("a:X on b/* + x/* if mfa", "a:X on b/* if mfa", &[], &["a:X on x/* if mfa"]),
            ("a:X on b/*, x/* except b/y", "a:X on b/*, x/*", &["a:X on b/*, x/*"], &["a:X on b/*, x/* except b/y"]),
            ("s3:GetObject on a/*", "s3:PutObject on a/*", &["s3:PutObject on a/*"], &["s3:GetObject on a/*"]),
            ("s3:* on *", "s3:GetObject on *", &[], &["part of s3:* on *"]),
            ("s3:GetObject on *", "s3:* on *", &["part of s3:* on *"], &[]),
            ("s3:* on *", "s3:GetObject on a/*; s3:* on *", &[], &[]),
            ("s3:GetObject on a/*", "s3:GetObject on *", &["part of s3:GetObject on *"], &[]),
            ("s3:GetObject on a/*", "s3:GetObject on b/*", &["s3:GetObject on b/*"], &["s3:GetObject on a/*"]),
            ("a:X on * if mfa", "a:X on *", &["part of a:X on *"], &[]),
            ("a:X on * if k Is v", "a:X on * if k Is v and t Null false", &[], &["part of a:X on * if k Is v"]),
            ("a:X on b/* if t Is v", "a:X on b/c if k Is v | w and t Is v", &[], &["part of a:X on b/* if t Is v"]),
            ("a:X on * if k Is v and t Is w", "a:X on * if t Is w", &["part of a:X on * if t Is w"], &[]),
            ("a:X on b if t Is v", "a:X on b if t Is v | w", &["a:X on b if t Is v | w"], &["a:X on b if t Is v"]),
            (
                "a:X on b if k Is v",
                "a:X on b if unless (j Is u and k Is v and t Is w)",
                &["a:X on b if unless (j Is u and k Is v and t Is w)"],
                &["a:X on b if k Is v"],
            ),
            (
                "a:X on b if k Is v",
                "a:X on b if k Is v and in words of its own",
                &["a:X on b if k Is v and in words of its own"],
                &["a:X on b if k Is v"],
            ),
            (
                "a:X on b if on it",
                "a:X on b if on it and mine",
                &["a:X on b if on it and mine"],
                &["a:X on b if on it"],
            ),
            ("a:X, a:Y on *", "a:X, a:Y on *", &[], &[]),
            ("* * on *", "get pods, list pods on ns/*", &[], &["part of * * on *"]),
            ("* *.a.io on *", "* *.a.io, get x.b.a.io on *", &["get x.b.a.io on *"], &[]),
            ("* *.apps on *", "patch deployments.apps/scale on *", &[], &["part of * *.apps on *"]),
            ("* *.core on *", "get pods, get pods/exec, get x.y on *", &["get x.y on *"], &["part of * *.core on *"]),
            ("* * on *", "* *.core, get /metrics on *", &["get /metrics on *"], &["part of * * on *"]),
            ("", "a:X on *", &["a:X on *"], &[]),
            ("a:X on b/*", "a:X on b/* + b/c/*", &[], &[]),
            ("a:X on b/c/*", "a:X on b/*", &["part of a:X on b/*"], &[]),
            ("a:X on b/*", "a:X on b/*; a:X on b/c/* if mfa", &[], &[]),
            ("a:X on b/* if mfa", "a:X on b/* if mfa; a:X on b/c/*", &["a:X on b/c/*"], &[]),
            ("a:X on b/*", "a:X on b/*; a:X on b/c, x/* except b/d", &["a:X on b/c, x/* except b/d"], &[]),
            ("a:X on l:*:1:g:*", "a:X on l:*:1:g:* + l:eu:1:g:/app/*", &[], &[]),
            ("a:X on l:*:g", "a:X on l:*:g + l:eu:1:g", &["a:X on l:eu:1:g"], &[]),
            ("a:X on b/?", "a:X on b/? + b/x + b/xy", &["a:X on b/xy"], &[]),
            ("a:X on n/${*}", "a:X on n/${*} + n/${x}", &["a:X on n/${x}"], &[]),
            ("a:X on n/*", "a:X on n/* + n/a${ }if${ }b${;}", &[], &[]),
            ("a:X on n/a", "a:X on n/a + n/a${ }if${ }b", &["a:X on n/a${ }if${ }b"], &[]),
        ];
        for (old, new, gained, lost) in cases {
            let exchange = Exchange::between(old, new);
            assert_eq!(
                (&exchange.gained[..], &exchange.lost[..]),
                (&owned(gained)[..], &owned(lost)[..]),
                "{old} → {new}"
            );
        }
    }

    #[test]
    fn very_many_parts_are_held_against_those_of_their_own_operation() {
        let names: Vec<String> = (0..20_000).map(|number| format!("a:Do{number}")).collect();
        let all =
            |condition| names.iter().map(|name| (name.as_str(), "b/*", condition)).collect::<BTreeSet<Part<'_>>>();
        let (old, new) = (all("k Is v"), all("k Is w"));
        let exchange = Exchange::of(&old, &new);
        assert_eq!((exchange.gained.len(), exchange.lost.len()), (names.len(), names.len()));
        assert_eq!(exchange.gained.first().map(String::as_str), Some("a:Do0 on b/* if k Is w"));
        let several = BTreeSet::from([("a:*", "*", "")]);
        assert_eq!(Exchange::of(&several, &new).gained, [""; 0]);
        assert_eq!(Exchange::of(&new, &several).gained, ["part of a:* on *"]);
    }

    fn owned(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }
}
