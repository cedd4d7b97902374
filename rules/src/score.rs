//! The posture score: banded, in whole numbers, and free of the size of the population.
//!
//! Passes are not in the formula, so that compliant identities hide nothing: the worst open severity sets the band, and
//! inside it the score falls with the weighted number of open (identity, rule) pairs. Scores of fleets of different
//! size are therefore not comparable; the exposure rate stands beside the score for that.

use evenhand_model::finding::{Finding, Severity, Status};
use evenhand_model::id::{IdentityId, RuleId};
use evenhand_model::identity::Nature;
use evenhand_model::inventory::Inventory;
use evenhand_model::score::{Millionths, Mover, OpenFindings, Score};

use crate::judgements::Judgements;

/// The score of a set of open (identity, rule) pairs.
///
/// ```text
/// N     = 64 × critical + 16 × high + 4 × medium + low
/// score = lo + ⌊(hi − lo) × 64 ÷ (64 + N)⌋      lo, hi: the band of the worst open severity
/// ```
pub fn banded(open: &OpenFindings) -> Millionths {
    let (lowest, severity) = if open.critical > 0 {
        (0, Severity::Critical)
    } else if open.high > 0 {
        (400_000, Severity::High)
    } else if open.medium > 0 {
        (700_000, Severity::Medium)
    } else if open.low > 0 {
        (900_000, Severity::Low)
    } else {
        return Millionths(1_000_000);
    };
    let highest: u32 = ceiling(severity).0;
    let weighted = 64 * u128::from(open.critical)
        + 16 * u128::from(open.high)
        + 4 * u128::from(open.medium)
        + u128::from(open.low);
    let share = u128::from(highest - lowest) * 64 / (64 + weighted);
    Millionths(lowest.saturating_add(u32::try_from(share).unwrap_or(u32::MAX)))
}

/// The best score while the worst that is open is of a severity.
pub fn ceiling(severity: Severity) -> Millionths {
    Millionths(match severity {
        Severity::Critical => 399_999,
        Severity::High => 699_999,
        Severity::Medium => 899_999,
        Severity::Low => 999_999,
    })
}

/// The score of a scan; `strict`: a rule that cannot be decided counts like one that fails.
pub fn score(findings: &[Finding], inventory: &Inventory, judgements: &Judgements, strict: bool) -> Score {
    of(findings, strict, |raw| exposure(raw, inventory, judgements))
}

/// The score of findings that were made before, with the exposure that was found then.
pub fn again(findings: &[Finding], exposure: Option<Millionths>, strict: bool) -> Score {
    of(findings, strict, |_| exposure)
}

fn of(findings: &[Finding], strict: bool, exposure: impl FnOnce(&[Pair<'_>]) -> Option<Millionths>) -> Score {
    let counts = |finding: &&Finding| finding.status == Status::Fail || strict;
    let raw = pairs(findings.iter().filter(counts));
    let open = count(&raw);
    let governed = if findings.iter().all(|finding| finding.waiver.is_none()) {
        open
    } else {
        let kept = findings.iter().filter(counts).filter(|finding| finding.waiver.is_none());
        count(&pairs(kept))
    };
    Score {
        raw: banded(&open),
        governed: banded(&governed),
        exposure: exposure(&raw),
        moved_by: movers(&raw, &open),
        open,
    }
}

/// An open (rule, identity) pair with its worst severity.
struct Pair<'a> {
    rule: &'a RuleId,
    identity: &'a IdentityId,
    severity: Severity,
}

/// The open pairs, sorted, each once.
fn pairs<'a>(findings: impl Iterator<Item = &'a Finding>) -> Vec<Pair<'a>> {
    let mut pairs: Vec<Pair<'a>> = Vec::new();
    for Finding { rule, identity, severity, .. } in findings {
        match pairs.last_mut() {
            // Rows of one identity mostly follow each other.
            Some(last) if last.identity == identity && last.rule == rule => {
                last.severity = last.severity.max(*severity)
            }
            _ => pairs.push(Pair { rule, identity, severity: *severity }),
        }
    }
    // Findings of one severity are in this order: the stable sort is the one that makes use of it.
    pairs.sort_by(|a, b| (a.rule, a.identity).cmp(&(b.rule, b.identity)));
    pairs.dedup_by(|later, earlier| {
        let same = (later.rule, later.identity) == (earlier.rule, earlier.identity);
        if same {
            earlier.severity = earlier.severity.max(later.severity);
        }
        same
    });
    pairs
}

fn count(pairs: &[Pair<'_>]) -> OpenFindings {
    let mut open = OpenFindings::default();
    for pair in pairs {
        *slot(&mut open, pair.severity) += 1;
    }
    open
}

fn slot(open: &mut OpenFindings, severity: Severity) -> &mut u64 {
    match severity {
        Severity::Critical => &mut open.critical,
        Severity::High => &mut open.high,
        Severity::Medium => &mut open.medium,
        Severity::Low => &mut open.low,
    }
}

/// Judged identities with an open critical or high pair, over all judged ones. People and what vendors run themselves
/// are not judged.
fn exposure(pairs: &[Pair<'_>], inventory: &Inventory, judgements: &Judgements) -> Option<Millionths> {
    let is_judged = |position: usize| {
        let human = matches!(judgements.nature_at(position), Nature::Human | Nature::HumanRole);
        !human && inventory.identities.get(position).is_some_and(|identity| !identity.vendor_managed)
    };
    let mut is_open = vec![false; inventory.identities.len()];
    for pair in pairs.iter().filter(|pair| pair.severity >= Severity::High) {
        if let Some(open) = judgements.position(pair.identity).and_then(|position| is_open.get_mut(position)) {
            *open = true;
        }
    }
    let judged = || is_open.iter().enumerate().filter(|(position, _)| is_judged(*position));
    let all = judged().count();
    if all == 0 {
        return None;
    }
    let exposed = judged().filter(|(_, open)| **open).count();
    let share = exposed as u128 * 1_000_000 / all as u128;
    Some(Millionths(u32::try_from(share).unwrap_or(u32::MAX)))
}

/// What fixing each rule alone would give, best gain first.
fn movers(pairs: &[Pair<'_>], open: &OpenFindings) -> Vec<Mover> {
    let mut movers: Vec<Mover> = pairs
        .chunk_by(|a, b| a.rule == b.rule)
        .filter_map(|of_rule| {
            let (rule, own) = (of_rule.first()?.rule, count(of_rule));
            let rest = OpenFindings {
                critical: open.critical.saturating_sub(own.critical),
                high: open.high.saturating_sub(own.high),
                medium: open.medium.saturating_sub(own.medium),
                low: open.low.saturating_sub(own.low),
            };
            let pairs = own.critical + own.high + own.medium + own.low;
            Some(Mover { rule: rule.clone(), open: pairs, fixed: banded(&rest) })
        })
        .collect();
    movers.sort_by(|a, b| b.fixed.cmp(&a.fixed).then_with(|| b.open.cmp(&a.open)).then_with(|| a.rule.cmp(&b.rule)));
    movers
}

#[cfg(test)]
mod tests {
    use evenhand_model::score::OpenFindings;
    use proptest::prelude::*;

    use super::*;

    fn open(critical: u64, high: u64, medium: u64, low: u64) -> OpenFindings {
        OpenFindings { critical, high, medium, low }
    }

    #[test]
    fn documented_examples_hold() {
        for (findings, expected) in [
            (open(0, 0, 0, 0), 1_000_000),
            (open(1, 0, 0, 0), 199_999),
            (open(5, 0, 0, 0), 66_666),
            (open(0, 1, 0, 0), 639_999),
            (open(0, 10, 0, 0), 485_714),
            (open(0, 0, 20, 0), 788_888),
            (open(0, 0, 0, 50), 956_139),
        ] {
            assert_eq!(banded(&findings), Millionths(expected), "{findings:?}");
        }
    }

    fn sets() -> impl Strategy<Value = OpenFindings> {
        (0..200u64, 0..200u64, 0..200u64, 0..200u64).prop_map(|(c, h, m, l)| open(c, h, m, l))
    }

    proptest! {
        #[test]
        fn fixing_never_lowers_and_a_new_finding_never_raises(set in sets(), severity in 0..4usize) {
            let mut more = set;
            *slot(&mut more, Severity::WORST_FIRST[severity]) += 1;
            prop_assert!(banded(&more) <= banded(&set));
        }

        #[test]
        fn downgrading_never_lowers(set in sets(), from in 0..3usize, steps in 1..4usize) {
            let to = (from + steps).min(3);
            let mut before = set;
            *slot(&mut before, Severity::WORST_FIRST[from]) += 1;
            let mut after = set;
            *slot(&mut after, Severity::WORST_FIRST[to]) += 1;
            prop_assert!(banded(&after) >= banded(&before));
        }

        #[test]
        fn any_critical_caps_the_score(set in sets()) {
            let set = open(set.critical + 1, set.high, set.medium, set.low);
            prop_assert!(banded(&set) <= Millionths(399_999));
        }

        #[test]
        fn numbers_beyond_any_fleet_do_not_overflow(c in any::<u64>(), h in any::<u64>(), m in any::<u64>(), l in any::<u64>()) {
            prop_assert!(banded(&open(c, h, m, l)) <= Millionths(1_000_000));
        }
    }
}
