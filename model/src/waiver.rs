//! Waivers: exceptions that somebody accepted, as they are written. Whether one is in force is known in `rules`.

use std::sync::Arc;

use jiff::civil::Date;
use serde::Serialize;

use crate::evidence::Evidence;

/// An accepted exception: one rule, for one identity, for some time.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Waiver {
    /// The rule, by its id.
    pub rule: Arc<str>,
    /// The identity, by its id.
    pub identity: Arc<str>,
    /// Why it is accepted.
    pub reason: Arc<str>,
    /// Who answers for it.
    pub owner: Arc<str>,
    /// Who accepted it.
    pub approver: Arc<str>,
    /// Where that was discussed.
    pub ticket: Arc<str>,
    /// The last day on which it holds, UTC.
    pub expires: Date,
    /// Where it is written.
    pub evidence: Evidence,
}

impl Waiver {
    /// Whether it names one rule and one identity, rather than a pattern.
    pub fn is_exact(&self) -> bool {
        let is_name = |text: &str| !text.trim().is_empty() && !text.contains(['*', '?']);
        is_name(&self.rule) && is_name(&self.identity)
    }

    /// Whether somebody else than its owner accepted it. Names are compared as people read them: case and outer spaces do
    /// not make another person.
    pub fn has_second_person(&self) -> bool {
        let person = |text: &str| text.trim().to_lowercase();
        !self.approver.trim().is_empty() && person(&self.approver) != person(&self.owner)
    }

    /// Whole days from a day to its last one; negative once it has expired.
    pub fn days_left(&self, today: Date) -> i64 {
        i64::from(today.until(self.expires).map_or(0, |span| span.get_days()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waiver() -> Waiver {
        Waiver {
            rule: "no-owner".into(),
            identity: "arn:aws:iam::111122223333:role/bot".into(),
            reason: "moves in spring".into(),
            owner: "alice@acme.example".into(),
            approver: "bao@acme.example".into(),
            ticket: "SEC-1".into(),
            expires: jiff::civil::date(2027, 1, 31),
            evidence: Evidence::whole("evenhand.toml"),
        }
    }

    #[test]
    fn the_last_day_counts() {
        for (today, left) in [((2027, 1, 30), 1), ((2027, 1, 31), 0), ((2027, 2, 1), -1), ((2026, 11, 30), 62)] {
            assert_eq!(waiver().days_left(jiff::civil::date(today.0, today.1, today.2)), left, "{today:?}");
        }
    }

    #[test]
    fn a_pattern_is_not_exact_and_nobody_approves_for_themselves() {
        assert!(waiver().is_exact() && waiver().has_second_person());
        assert!(!Waiver { identity: "arn:aws:iam::*:role/bot".into(), ..waiver() }.is_exact());
        assert!(!Waiver { rule: "no-*".into(), ..waiver() }.is_exact());
        assert!(!Waiver { approver: " Alice@acme.example".into(), ..waiver() }.has_second_person());
        assert!(!Waiver { approver: "".into(), ..waiver() }.has_second_person());
    }
}
