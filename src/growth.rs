//! What of a finding became more. A finding stays the same where its rule and its place do, and may be much worse all the
//! same: by numbers, and by the statements that it rests on.

use std::collections::{BTreeMap, BTreeSet};

/// Facts that count what is wrong. What changes with the days is not among them, nor how much an identity may do at all.
const NUMBERS: [&str; 11] = [
    "ai_identities",
    "control_gaps",
    "environments",
    "excess_operations",
    "excess_weight",
    "high_risk_excess",
    "shared_by",
    "static_credentials",
    "undecided_operations",
    "unused_operations",
    "used_by",
];

/// What facts that name statements are called by, behind the column that they are about.
const BY: &str = "_by";

/// Facts of a finding that tell how bad it is, by name.
pub type Measures = BTreeMap<String, String>;

/// Those among the facts of a finding.
pub fn measures<'f>(facts: impl IntoIterator<Item = (&'f str, &'f str)>) -> Measures {
    let tells = |name: &str| NUMBERS.contains(&name) || is_of_statements(name);
    let facts = facts.into_iter().filter(|(name, _)| tells(name));
    facts.map(|(name, told)| (name.to_owned(), told.to_owned())).collect()
}

/// Whether a fact names statements, and no logs or controls.
fn is_of_statements(name: &str) -> bool {
    name.strip_suffix(BY).is_some_and(|column| !column.ends_with("_list") && !column.ends_with("logged"))
}

/// What is more now, as `high_risk_excess 2 → 5`. What only one of the scans tells is left out.
pub fn grown(was: &Measures, now: &Measures) -> Vec<String> {
    let both = now.iter().filter_map(|(name, now)| Some((name.as_str(), was.get(name)?.as_str(), now.as_str())));
    let told = |(name, was, now): (&str, &str, &str)| match NUMBERS.contains(&name) {
        true => {
            let (before, after): (i64, i64) = (was.parse().ok()?, now.parse().ok()?);
            (after > before).then(|| format!("{name} {was} → {now}"))
        }
        false => {
            let more = more(was, now);
            let column = name.strip_suffix(BY).unwrap_or(name);
            (!more.is_empty()).then(|| format!("more for {column}: {}", more.join("; ")))
        }
    };
    both.filter_map(told).collect()
}

/// Some operations and the statement that grants them.
struct Granted<'t> {
    /// Both as they are told, without where the statement stands: that changes with the folder.
    text: &'t str,
    /// The statement without its number, which changes when another one is put before it.
    statement: (&'t str, &'t str),
    named: BTreeSet<&'t str>,
    /// Operations that are counted and not named.
    others: usize,
}

/// What a fact says: `operation, operation and 2 more by statement at place; …; and more`.
fn granted(told: &str) -> impl Iterator<Item = Granted<'_>> {
    told.split("; ").filter_map(|part| {
        let (text, _) = part.rsplit_once(" at ")?;
        let (operations, statement) = text.split_once(" by ")?;
        let counted = operations.rsplit_once(" and ").and_then(|(named, more)| {
            let others = more.strip_suffix(" more")?.parse::<usize>().ok()?;
            Some((named, others))
        });
        let (named, others) = counted.unwrap_or((operations, 0));
        let (policy, rest) = statement.split_once(" statement ").unwrap_or((statement, ""));
        let name = rest.trim_start_matches(|c: char| c.is_ascii_digit());
        Some(Granted { text, statement: (policy, name), named: named.split(", ").collect(), others })
    })
}

/// What is granted now and was not, as it is told now.
fn more<'t>(was: &str, now: &'t str) -> Vec<&'t str> {
    let mut before: BTreeMap<(&str, &str), (BTreeSet<&str>, usize)> = BTreeMap::new();
    for part in granted(was) {
        let (named, others) = before.entry(part.statement).or_default();
        named.extend(part.named);
        *others += part.others;
    }
    // Where not all were named, nobody knows whether another one is new.
    let all_named = !was.ends_with("; and more");
    let is_more = |part: &Granted<'_>| match before.get(&part.statement) {
        Some((named, others)) => {
            let is_other = *others == 0 && !part.named.is_subset(named);
            is_other || part.named.len() + part.others > named.len() + others
        }
        None => all_named,
    };
    granted(now).filter(is_more).map(|part| part.text).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_more_is_told_and_nothing_that_only_moved_or_shrank() {
        for (name, was, now, expected) in [
            ("high_risk_excess", "9", "12", Some("high_risk_excess 9 → 12")),
            ("high_risk_excess", "12", "9", None),
            ("high_risk_excess", "unknown", "9", None),
            ("idle_days", "9", "12", None),
            (
                "admin_by",
                "a:X by policy p statement 0 at x.json#/0",
                "a:X by policy p statement 0 at x.json#/0; a:Y by policy q statement 0 (All) at x.json#/1",
                Some("more for admin: a:Y by policy q statement 0 (All)"),
            ),
            ("admin_by", "a:X by policy p statement 0 at x.json#/0", "a:X by policy p statement 3 at y.json#/5", None),
            ("admin_by", "a:X, a:Y by p statement 0 at x", "a:X by p statement 0 at x", None),
            ("admin_by", "a:X by p at x", "a:Y by p at x", Some("more for admin: a:Y by p")),
            (
                "admin_by",
                "a:X and 3 more by p at x",
                "a:X and 4 more by p at x",
                Some("more for admin: a:X and 4 more by p"),
            ),
            ("admin_by", "a:X and 4 more by p at x", "a:Y and 3 more by p at x", None),
            ("admin_by", "a:X by p at x; and more", "a:X by q at x", None),
            (
                "admin_by",
                "a:X by role Owner at /s/1 at x",
                "a:X by role Owner at /s at x",
                Some("more for admin: a:X by role Owner at /s"),
            ),
            ("control_gap_list_by", "mfa before a:X on * at x", "mfa before a:Y by z on * at x", None),
        ] {
            let of = |told| measures([(name, told)]);
            let expected: Vec<&str> = expected.into_iter().collect();
            assert_eq!(grown(&of(was), &of(now)), expected, "{name}: {was} → {now}");
        }
        assert!(grown(&Measures::new(), &measures([("control_gaps", "3")])).is_empty(), "nobody told it before");
    }
}
