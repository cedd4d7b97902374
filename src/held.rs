//! What an identity held before and what it holds now, by the lists of two reports.
//!
//! A list is made with the catalogue of its scan, which a report does not hold: an operation that a wildcard of the other list
//! stands for was not gained or lost, and resources are the same where they are spelled so.

use std::collections::BTreeSet;

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
        let (old, new) = (parts(old), parts(new));
        Self { gained: beyond(&new, &old), lost: beyond(&old, &new) }
    }
}

/// An operation, or a wildcard for several, on what, and under what condition; that is empty where there is none.
type Part<'a> = (&'a str, &'a str, &'a str);

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
fn only<'a>(of: &BTreeSet<Part<'a>>, others: &BTreeSet<Part<'a>>) -> Vec<Wide> {
    of.difference(others).copied().map(Wide::of).collect()
}

/// The parts of a list that nothing of another one covers.
fn beyond<'a>(these: &BTreeSet<Part<'a>>, those: &BTreeSet<Part<'a>>) -> Vec<String> {
    // What both hold covers nothing more of the one than of the other, but for wildcards.
    let (own, others) = (only(these, those), only(those, these));
    let shared: Vec<Wide> = these.intersection(those).copied().map(Wide::of).filter(Wide::is_wide).collect();
    let left = own.iter().filter(|part| !others.iter().chain(&shared).any(|wide| wide.covers(part)));
    left.map(|part| match others.iter().any(|held| part.covers(held)) {
        true => format!("part of {} on {}", part.operation, part.place),
        false => format!("{} on {}", part.operation, part.place),
    })
    .collect()
}

/// A part with what it stands for.
struct Wide {
    operation: String,
    place: String,
    pattern: Glob,
}

impl Wide {
    fn of((operation, resource, condition): Part<'_>) -> Self {
        let place = match condition {
            "" => resource.to_owned(),
            condition => format!("{resource} if {condition}"),
        };
        Self { operation: operation.to_owned(), place, pattern: Glob::wildcard(operation) }
    }

    /// Whether it stands for more than what it spells.
    fn is_wide(&self) -> bool {
        self.place == "*" || !matches!(self.pattern, Glob::Literal(_))
    }

    fn covers(&self, other: &Self) -> bool {
        (self.place == other.place || self.place == "*") && self.pattern.matches(&other.operation) == Truth::Yes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_gained_and_lost_is_named_and_what_a_wildcard_holds_is_neither() {
        let cases: [(&str, &str, &[&str], &[&str]); 13] = [
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
            ("a:X, a:Y on *", "a:X, a:Y on *", &[], &[]),
            ("* * on *", "get pods, list pods on ns/*", &[], &["part of * * on *"]),
            ("", "a:X on *", &["a:X on *"], &[]),
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

    fn owned(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }
}
