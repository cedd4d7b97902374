//! What changed between two scans.

use std::collections::BTreeSet;

use evenhand_model::score::Millionths;
use serde::Serialize;

use crate::growth::grown;
use crate::held::{Exchange, Part};
use crate::snapshot::{Seen, Snapshot, Standing};

/// What changed from one scan to a later one. Everything is sorted: findings worst first, the rest by id.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// The earlier scan.
    pub old: Side,
    /// The later scan.
    pub new: Side,
    /// Findings that were not there.
    pub appeared: Vec<Change>,
    /// Findings that are no longer there.
    pub resolved: Vec<Change>,
    /// Findings that are no longer there, where what they are about was not read again: nobody knows whether they are
    /// resolved.
    pub unread: Vec<Change>,
    /// Findings that are another way than they were, or rest on more.
    pub changed: Vec<Change>,
    /// Identities that were not there.
    pub new_identities: Vec<Named>,
    /// Identities that are no longer there.
    pub gone_identities: Vec<Named>,
    /// Identities that may do more or less than they might, or that compare otherwise with their human role.
    pub access: Vec<AccessChange>,
    /// Identities that both scans know and whose access was not compared, because one of the reports is of a version that
    /// did not write it.
    pub access_not_compared: usize,
    /// People, workloads and whoever else is no AI identity, of whom both scans know how many operations they may use and
    /// nothing else of their access: where the number is the same, what they may do can be something else.
    pub access_by_number: usize,
}

/// One of the two scans.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Side {
    /// Its id.
    pub scan: String,
    /// Its moment.
    pub time: String,
    /// The version of the tool.
    pub version: String,
    /// The score in thousandths without accepted exceptions; `None` where nothing was judged, or the numbers say nothing.
    pub raw: Option<u32>,
    /// The score with them left out; `None` as there.
    pub governed: Option<u32>,
    /// [`Self::raw`] unrounded, in millionths.
    pub raw_millionths: Option<Millionths>,
    /// [`Self::governed`] unrounded, in millionths.
    pub governed_millionths: Option<Millionths>,
}

/// A finding that changed.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// Its id.
    pub id: String,
    /// What it is, or was.
    #[serde(flatten)]
    pub finding: Seen,
    /// What was another way or is more, as `severity high → critical`; empty for what appeared or was resolved.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub was: Vec<String>,
}

/// An identity.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Named {
    /// Its id.
    pub id: String,
    /// What is known of it.
    #[serde(flatten)]
    pub standing: Standing,
}

/// What changed of an identity's access.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct AccessChange {
    /// The identity.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its nature before and now; `None` where it is the same.
    pub nature: Option<(String, String)>,
    /// The number of operations before and now, of which each may be unknown; `None` where it is the same.
    pub operations: Option<(Option<i64>, Option<i64>)>,
    /// The parity verdict before and now, where it was compared; `None` where it is the same.
    pub verdict: Option<(Option<String>, Option<String>)>,
    /// Excess over the human role that is new, as `operation on scope`; what earlier excess holds is not.
    pub gained: Vec<String>,
    /// Excess that is no longer there.
    pub lost: Vec<String>,
    /// What may be excess and may not have been, of which the same holds.
    pub undecided_gained: Vec<String>,
    /// What was perhaps excess and is no longer.
    pub undecided_lost: Vec<String>,
    /// Whether an AI identity may do something else than it might, whatever its human role may.
    pub access_changed: bool,
    /// What it may do and might not, as `operation on resources`; empty too where a list is too long for a report.
    pub access_gained: Vec<String>,
    /// What it might do and no longer may.
    pub access_lost: Vec<String>,
}

/// How bad a severity is; an unknown word is worst, so that nobody overlooks it.
fn rank(severity: &str) -> usize {
    ["critical", "high", "medium", "low"].iter().position(|word| *word == severity).map_or(0, |at| at + 1)
}

impl Difference {
    /// From one scan to a later one.
    pub fn between(old: &Snapshot, new: &Snapshot) -> Self {
        let only = |these: &Snapshot, those: &Snapshot| {
            let missing = these.findings.iter().filter(|(id, _)| !those.findings.contains_key(*id));
            worst_first(missing.map(|(id, seen)| Change { id: id.clone(), finding: seen.clone(), was: Vec::new() }))
        };
        let (unread, resolved) =
            only(old, new).into_iter().partition(|change: &Change| is_unread(&change.finding, old, new));
        let changed = new.findings.iter().filter_map(|(id, now)| {
            let mut was = other_ways(old.findings.get(id)?, now);
            if let Some((before, after)) = old.measures.get(id).zip(new.measures.get(id)) {
                was.extend(grown(before, after));
            }
            (!was.is_empty()).then(|| Change { id: id.clone(), finding: now.clone(), was })
        });
        let identities = |these: &Snapshot, those: &Snapshot| -> Vec<Named> {
            let missing = these.identities.iter().filter(|(id, _)| !those.identities.contains_key(*id));
            missing.map(|(id, standing)| Named { id: id.clone(), standing: standing.clone() }).collect()
        };
        Self {
            old: side(old),
            new: side(new),
            appeared: only(new, old),
            resolved,
            unread,
            changed: worst_first(changed),
            new_identities: identities(new, old),
            gone_identities: identities(old, new),
            access: access(old, new),
            access_not_compared: not_compared(old, new),
            access_by_number: by_number(old, new),
        }
    }

    /// Whether nothing changed, as far as it was compared.
    pub fn is_empty(&self) -> bool {
        let Self { old, new, appeared, resolved, unread, changed, new_identities, gone_identities, access, .. } = self;
        appeared.is_empty()
            && resolved.is_empty()
            && unread.is_empty()
            && changed.is_empty()
            && new_identities.is_empty()
            && gone_identities.is_empty()
            && access.is_empty()
            && (old.raw_millionths, old.governed_millionths) == (new.raw_millionths, new.governed_millionths)
    }
}

/// Whether the later scan did not read whom a finding is about: nobody of that account, cluster … is there any more, or
/// something was not read there that was.
fn is_unread(seen: &Seen, old: &Snapshot, new: &Snapshot) -> bool {
    !seen.scope.is_empty()
        && !new.identities.contains_key(&seen.identity)
        && (!new.scopes.contains(&seen.scope) || new.gaps.difference(&old.gaps).any(|(scope, _)| *scope == seen.scope))
}

fn side(snapshot: &Snapshot) -> Side {
    Side {
        scan: snapshot.scan.clone(),
        time: snapshot.time.clone(),
        version: snapshot.version.clone(),
        raw: snapshot.score.map(|(raw, _)| raw.thousandths()),
        governed: snapshot.score.map(|(_, governed)| governed.thousandths()),
        raw_millionths: snapshot.score.map(|(raw, _)| raw),
        governed_millionths: snapshot.score.map(|(_, governed)| governed),
    }
}

fn worst_first(changes: impl Iterator<Item = Change>) -> Vec<Change> {
    let mut changes: Vec<Change> = changes.collect();
    changes.sort_by(|a, b| {
        let key = |change: &Change| (rank(&change.finding.severity), change.finding.clone());
        key(a).cmp(&key(b)).then_with(|| a.id.cmp(&b.id))
    });
    changes
}

fn other_ways(was: &Seen, now: &Seen) -> Vec<String> {
    let mut ways = Vec::new();
    if was.severity != now.severity {
        ways.push(format!("severity {} → {}", was.severity, now.severity));
    }
    if was.status != now.status {
        ways.push(format!("status {} → {}", was.status, now.status));
    }
    match (was.waived, now.waived) {
        (false, true) => ways.push("accepted by a waiver".to_owned()),
        (true, false) => ways.push("no longer accepted by a waiver".to_owned()),
        _ => {}
    }
    ways
}

/// How many identities are known to hold access in both scans, and to hold the same only by their numbers.
fn not_compared(old: &Snapshot, new: &Snapshot) -> usize {
    let unwritten = old.without_access || new.without_access;
    let both = new.identities.iter().filter_map(|(id, now)| Some((old.identities.get(id)?, now)));
    both.filter(|(was, now)| {
        let is_known = was.operations.is_some() && now.operations.is_some();
        // A version that wrote it for some natures only left it out for the others.
        let is_missing = unwritten || was.access_hash.is_some() != now.access_hash.is_some();
        is_known && is_missing && was.nature == now.nature && !matches!(&*now.nature, "human" | "human_role")
    })
    .count()
}

/// How many identities that are no AI identities are known to hold access in both scans: of theirs a report has the number
/// of operations alone.
fn by_number(old: &Snapshot, new: &Snapshot) -> usize {
    let is_known = |identity: &Standing| identity.nature != "ai_agent" && identity.operations.is_some();
    let both = new.identities.iter().filter_map(|(id, now)| Some((old.identities.get(id)?, now)));
    both.filter(|(was, now)| is_known(was) && is_known(now)).count()
}

/// Changes of identities that both scans know.
fn access(old: &Snapshot, new: &Snapshot) -> Vec<AccessChange> {
    let changes = new.identities.iter().filter_map(|(id, now)| {
        let was = old.identities.get(id)?;
        // What is excess for certain is no part of what may be.
        let [certain, undecided] =
            [true, false].map(|decided| Exchange::of(&excess(old, id, decided), &excess(new, id, decided)));
        let exchange = was.access_list.as_ref().zip(now.access_list.as_ref());
        let exchange = exchange.map(|(was, now)| Exchange::between(was, now));
        // Lists that differ in words alone, as where a wildcard holds what one of them names too, are the same access.
        let is_other = match &exchange {
            Some(exchange) => *exchange != Exchange::default(),
            None => was.access_hash.as_ref().zip(now.access_hash.as_ref()).is_some_and(|(was, now)| was != now),
        };
        let Exchange { gained: access_gained, lost: access_lost } = exchange.unwrap_or_default();
        let change = AccessChange {
            id: id.clone(),
            name: now.name.clone(),
            nature: (was.nature != now.nature).then(|| (was.nature.clone(), now.nature.clone())),
            operations: (was.operations != now.operations).then_some((was.operations, now.operations)),
            verdict: (was.verdict != now.verdict).then(|| (was.verdict.clone(), now.verdict.clone())),
            gained: certain.gained,
            lost: certain.lost,
            undecided_gained: undecided.gained,
            undecided_lost: undecided.lost,
            access_changed: is_other,
            access_gained,
            access_lost,
        };
        let AccessChange { nature, operations, verdict, access_changed, .. } = &change;
        let excess = [&change.gained, &change.lost, &change.undecided_gained, &change.undecided_lost];
        let is_excess = excess.into_iter().any(|list| !list.is_empty());
        let is_change = nature.is_some() || operations.is_some() || verdict.is_some() || is_excess || *access_changed;
        is_change.then_some(change)
    });
    changes.collect()
}

/// What an identity of a scan holds beyond its human role, for certain or perhaps.
fn excess<'a>(scan: &'a Snapshot, identity: &str, decided: bool) -> BTreeSet<Part<'a>> {
    let atoms = scan.excess.get(identity).into_iter().flatten().filter(|atom| atom.decided == decided);
    atoms.map(|atom| (atom.operation.as_str(), atom.scope.as_str(), atom.condition.as_str())).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::growth::measures;
    use crate::snapshot::Atom;

    fn seen(severity: &str, status: &str, waived: bool) -> Seen {
        Seen {
            rule: "no-owner".to_owned(),
            severity: severity.to_owned(),
            status: status.to_owned(),
            identity: "bot".to_owned(),
            title: "nobody answers for bot".to_owned(),
            waived,
            provider: String::new(),
            scope: String::new(),
        }
    }

    fn atom(operation: &str, scope: &str, condition: &str, decided: bool) -> Atom {
        let [operation, scope, condition] = [operation, scope, condition].map(str::to_owned);
        Atom { operation, scope, condition, decided }
    }

    fn snapshot(findings: &[(&str, Seen)], operations: &[(&str, i64)], excess: &[(&str, &str, &str)]) -> Snapshot {
        let mut atoms: BTreeMap<String, BTreeSet<Atom>> = BTreeMap::new();
        for (id, operation, scope) in excess {
            atoms.entry((*id).to_owned()).or_default().insert(atom(operation, scope, "", true));
        }
        Snapshot {
            score: Some((Millionths(500_000), Millionths(500_000))),
            findings: findings.iter().map(|(id, seen)| ((*id).to_owned(), seen.clone())).collect(),
            identities: operations
                .iter()
                .map(|(id, count)| {
                    let standing = Standing { name: (*id).to_owned(), operations: Some(*count), ..Standing::default() };
                    ((*id).to_owned(), standing)
                })
                .collect(),
            excess: atoms,
            ..Snapshot::default()
        }
    }

    #[test]
    fn what_appeared_what_was_resolved_and_what_changed_are_told_apart() {
        let old = snapshot(
            &[
                ("a", seen("high", "fail", false)),
                ("b", seen("low", "unknown", false)),
                ("c", seen("low", "fail", false)),
            ],
            &[("bot", 3), ("gone", 1)],
            &[("bot", "s3:GetObject", "*")],
        );
        let new = snapshot(
            &[
                ("b", seen("low", "fail", false)),
                ("c", seen("low", "fail", true)),
                ("d", seen("critical", "fail", false)),
            ],
            &[("bot", 4), ("fresh", 1)],
            &[("bot", "s3:PutObject", "*")],
        );
        let difference = Difference::between(&old, &new);
        let ids = |changes: &[Change]| changes.iter().map(|change| change.id.clone()).collect::<Vec<_>>();
        assert_eq!(ids(&difference.appeared), ["d"]);
        assert_eq!(ids(&difference.resolved), ["a"]);
        let ways: Vec<_> = difference.changed.iter().flat_map(|change| change.was.clone()).collect();
        assert_eq!(ways, ["status unknown → fail", "accepted by a waiver"]);
        assert_eq!(difference.new_identities[0].id, "fresh");
        assert_eq!(difference.gone_identities[0].id, "gone");
        let [bot] = difference.access.as_slice() else { panic!("{difference:?}") };
        assert_eq!(bot.operations, Some((Some(3), Some(4))));
        assert_eq!(
            (&bot.gained[..], &bot.lost[..]),
            (&["s3:PutObject on *".to_owned()][..], &["s3:GetObject on *".to_owned()][..])
        );
    }

    #[test]
    fn a_finding_where_nothing_was_read_again_is_not_resolved() {
        let found = Seen { scope: "1".to_owned(), ..seen("high", "fail", false) };
        let of = |ids: &[(&str, i64)], findings: &[(&str, Seen)], gaps: &[&str]| Snapshot {
            scopes: ids.iter().map(|_| "1".to_owned()).collect(),
            gaps: gaps.iter().map(|call| ("1".to_owned(), (*call).to_owned())).collect(),
            ..snapshot(findings, ids, &[])
        };
        let old = of(&[("bot", 1), ("other", 1)], &[("a", found)], &["list keys"]);
        for (case, new, is_resolved) in [
            ("it is there still", of(&[("bot", 1)], &[], &["list bots"]), true),
            ("it was deleted", of(&[("other", 1)], &[], &["list keys"]), true),
            ("the account was not read", of(&[], &[], &[]), false),
            ("a call is missing now", of(&[("other", 1)], &[], &["list bots"]), false),
        ] {
            let difference = Difference::between(&old, &new);
            assert_eq!(
                (difference.resolved.len(), difference.unread.len()),
                if is_resolved { (1, 0) } else { (0, 1) },
                "{case}"
            );
            assert!(!difference.is_empty());
        }
    }

    #[test]
    fn a_finding_that_rests_on_more_has_changed_though_it_is_the_same() {
        let scan = |count: &str| {
            let mut scan = snapshot(&[("a", seen("high", "fail", false))], &[], &[]);
            scan.measures.insert("a".to_owned(), measures([("high_risk_excess", count)]));
            scan
        };
        let worse = Difference::between(&scan("2"), &scan("5"));
        assert_eq!(worse.changed[0].was, ["high_risk_excess 2 → 5"]);
        assert!(worse.appeared.is_empty() && worse.resolved.is_empty());
        assert!(Difference::between(&scan("5"), &scan("2")).is_empty());
    }

    #[test]
    fn excess_that_earlier_excess_holds_is_no_change() {
        let scan = |excess: &[(&str, &str, &str)]| snapshot(&[], &[("bot", 1)], excess);
        let wide = scan(&[("bot", "s3:GetObject", "b/*")]);
        let beside = scan(&[("bot", "s3:GetObject", "b/*"), ("bot", "s3:GetObject", "b/c/*")]);
        assert!(Difference::between(&wide, &beside).is_empty());
        assert!(Difference::between(&beside, &wide).is_empty());
        let narrow = scan(&[("bot", "s3:GetObject", "b/c/*")]);
        let part = ["part of s3:GetObject on b/*".to_owned()];
        let told = Difference::between(&narrow, &wide);
        assert_eq!((&told.access[0].gained[..], told.access[0].lost.is_empty()), (&part[..], true));
        // A condition is part of what is held.
        let mut held = scan(&[]);
        held.excess.insert("bot".to_owned(), BTreeSet::from([atom("s3:GetObject", "b/*", "mfa", true)]));
        let told = Difference::between(&held, &wide);
        assert_eq!((&told.access[0].gained[..], told.access[0].lost.is_empty()), (&part[..], true));
    }

    #[test]
    fn what_may_have_been_excess_hides_no_excess_that_is_certain_now() {
        let scan = |scope: &str, decided: bool| {
            let mut scan = snapshot(&[], &[("bot", 1)], &[]);
            scan.excess.insert("bot".to_owned(), BTreeSet::from([atom("s3:GetObject", scope, "", decided)]));
            scan
        };
        let told = Difference::between(&scan("b/*", false), &scan("b/c/*", true));
        let [bot] = told.access.as_slice() else { panic!("{told:?}") };
        assert_eq!(bot.gained, ["s3:GetObject on b/c/*"]);
        assert_eq!(bot.undecided_lost, ["s3:GetObject on b/*"]);
        assert!(bot.lost.is_empty() && bot.undecided_gained.is_empty(), "{bot:?}");
        // What may be excess is held against what may have been.
        assert!(Difference::between(&scan("b/*", false), &scan("b/*", false)).is_empty());
        let told = Difference::between(&scan("b/*", false), &scan("b/c/*", false));
        assert_eq!(told.access[0].undecided_lost, ["part of s3:GetObject on b/*"]);
        assert!(told.access[0].undecided_gained.is_empty() && told.access[0].gained.is_empty());
    }

    #[test]
    fn one_operation_for_another_is_a_change_though_the_counts_are_the_same() {
        let scan = |list: Option<&str>, hash: &str| {
            let mut scan = snapshot(&[], &[("bot", 1)], &[]);
            let bot = scan.identities.get_mut("bot").unwrap();
            (bot.access_list, bot.access_hash) = (list.map(str::to_owned), Some(hash.to_owned()));
            scan
        };
        let (read, write) = (scan(Some("s3:GetObject on *"), "1"), scan(Some("s3:PutObject on *"), "2"));
        let difference = Difference::between(&read, &write);
        let [bot] = difference.access.as_slice() else { panic!("{difference:?}") };
        assert_eq!((&*bot.access_gained[0], &*bot.access_lost[0]), ("s3:PutObject on *", "s3:GetObject on *"));
        assert!(!difference.is_empty() && bot.access_changed && bot.operations.is_none());
        // What is too long to be listed changed all the same.
        let long = Difference::between(&scan(None, "1"), &scan(None, "2"));
        assert!(long.access[0].access_changed && long.access[0].access_gained.is_empty());
        let same = Difference::between(&read, &read);
        assert!(same.is_empty() && same.access_not_compared == 0);
    }

    #[test]
    fn access_that_an_earlier_version_did_not_write_is_counted_as_not_compared() {
        let scan = |nature: &str, hash: Option<&str>, without_access| {
            let mut scan = Snapshot { without_access, ..snapshot(&[], &[("bot", 1)], &[]) };
            let bot = scan.identities.get_mut("bot").unwrap();
            (bot.nature, bot.access_hash) = (nature.to_owned(), hash.map(str::to_owned));
            scan
        };
        for (nature, old, new, expected) in [
            ("ai_agent", (None, true), (Some("1"), false), 1),
            ("ai_agent", (Some("1"), false), (None, true), 1),
            ("ai_agent", (None, true), (None, true), 1),
            ("workload", (None, false), (Some("1"), false), 1),
            ("workload", (Some("1"), false), (Some("1"), false), 0),
            ("human", (None, true), (None, false), 0),
            // Who acts by the access of others has none of its own in any version.
            ("ai_agent", (None, false), (None, false), 0),
        ] {
            let (before, after) = (scan(nature, old.0, old.1), scan(nature, new.0, new.1));
            let difference = Difference::between(&before, &after);
            assert_eq!(difference.access_not_compared, expected, "{nature} {old:?} {new:?}");
            assert!(difference.is_empty(), "{difference:?}");
        }
    }

    #[test]
    fn of_whom_the_number_of_operations_alone_is_compared_is_counted() {
        let mut scan = snapshot(&[], &[("bot", 1), ("shop", 2), ("alice", 3)], &[]);
        for (id, nature) in [("bot", "ai_agent"), ("shop", "workload"), ("alice", "human")] {
            scan.identities.get_mut(id).unwrap().nature = nature.to_owned();
        }
        let difference = Difference::between(&scan, &scan);
        assert!(difference.is_empty() && difference.access_by_number == 2, "{difference:?}");
        assert_eq!(Difference::between(&snapshot(&[], &[], &[]), &scan).access_by_number, 0);
    }

    #[test]
    fn a_scan_does_not_differ_from_itself_and_swapping_swaps() {
        let one = snapshot(&[("a", seen("high", "fail", false))], &[("bot", 3)], &[]);
        let two = snapshot(&[], &[], &[]);
        assert!(Difference::between(&one, &one).is_empty());
        let (there, back) = (Difference::between(&one, &two), Difference::between(&two, &one));
        assert_eq!(there.resolved, back.appeared);
        assert_eq!(there.gone_identities, back.new_identities);
    }
}
