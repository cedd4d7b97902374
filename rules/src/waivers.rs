//! Waivers against findings: which are in force, what they cover, and the fact table of them.
//!
//! A waiver that breaks its rules covers nothing and is itself found by the rules over that table, so that nothing is
//! accepted in silence. The raw score never sees waivers; the governed one does.

use std::collections::BTreeMap;
use std::sync::Arc;

use evenhand_model::finding::Finding;
use evenhand_model::id::RuleId;
use evenhand_model::identity::Identity;
use evenhand_model::table::Table;
use evenhand_model::waiver::Waiver;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::facts::Places;
use crate::facts::tables::WaiverRow;

/// No waiver holds for longer than this, counted from the day of the scan: exceptions come up for review twice a year.
pub const MAX_DAYS: i64 = 180;

/// The provider of waivers that name nobody who was read.
pub const CONFIGURATION: &str = "configuration";

/// What the waivers of a configuration came to in one scan.
#[derive(Debug, Default)]
pub(crate) struct Applied<'a> {
    waivers: Vec<(&'a Waiver, Standing)>,
}

/// A waiver in one scan.
#[derive(Debug)]
struct Standing {
    days_left: i64,
    in_force: bool,
    /// The findings that it names; unknown where its rule was not evaluated.
    findings: Option<i64>,
    /// Whether another one in force, written before it, covers the same.
    repeated: bool,
    /// Whether it would accept what is found of waivers.
    about_waivers: bool,
}

/// Marks the findings that waivers in force cover. `evaluated` tells of a rule whether this scan evaluated it, `of_waivers`
/// whether it judges waivers: no waiver accepts that another one is at fault.
pub(crate) fn apply<'a>(
    waivers: &'a [Waiver],
    findings: &mut [Finding],
    evaluated: impl Fn(&RuleId) -> bool,
    of_waivers: impl Fn(&RuleId) -> bool,
    now: Timestamp,
) -> Applied<'a> {
    let today: Date = now.to_zoned(TimeZone::UTC).date();
    let mut named: BTreeMap<(&str, &str), (Vec<usize>, i64)> = BTreeMap::new();
    let mut standings: Vec<Standing> = Vec::with_capacity(waivers.len());
    for (at, waiver) in waivers.iter().enumerate() {
        let days_left = waiver.days_left(today);
        let about_waivers = of_waivers(&RuleId::new(Arc::clone(&waiver.rule)));
        let in_force =
            waiver.is_exact() && waiver.has_second_person() && (0..=MAX_DAYS).contains(&days_left) && !about_waivers;
        standings.push(Standing { days_left, in_force, findings: None, repeated: false, about_waivers });
        named.entry((&waiver.rule, &waiver.identity)).or_default().0.push(at);
    }
    for finding in findings.iter_mut().filter(|_| !waivers.is_empty()) {
        let Some((held, count)) = named.get_mut(&(finding.rule.as_str(), finding.identity.as_str())) else { continue };
        *count += 1;
        let by = held.iter().find(|at| standings.get(**at).is_some_and(|standing| standing.in_force));
        finding.waiver = by.and_then(|at| waivers.get(*at)).map(|waiver| Arc::new(waiver.clone()));
    }
    for (held, count) in named.values() {
        let mut is_covered = false;
        for at in held {
            let (Some(waiver), Some(standing)) = (waivers.get(*at), standings.get_mut(*at)) else { continue };
            let is_counted = !standing.about_waivers && evaluated(&RuleId::new(Arc::clone(&waiver.rule)));
            standing.findings = is_counted.then_some(*count);
            standing.repeated = standing.in_force && is_covered;
            is_covered |= standing.in_force;
        }
    }
    Applied { waivers: waivers.iter().zip(standings).collect() }
}

impl Applied<'_> {
    /// The fact table, with where each row is written. `find` looks an identity up by its id.
    pub(crate) fn table<'i>(&self, find: impl Fn(&str) -> Option<&'i Identity>) -> (Table, Places) {
        use evenhand_model::table::Row as _;

        let rows = self.waivers.iter().map(|(waiver, standing)| {
            let identity = find(&waiver.identity);
            // No calendar day is beyond what a moment can be, but for the last ones of the year 9999.
            let end = waiver.expires.to_zoned(TimeZone::UTC).map_or(Timestamp::MAX, |day| day.timestamp());
            WaiverRow {
                rule: Arc::clone(&waiver.rule),
                identity: Arc::clone(&waiver.identity),
                provider: identity.map_or_else(|| CONFIGURATION.into(), |identity| identity.provider.0.into()),
                reason: Arc::clone(&waiver.reason),
                owner: Arc::clone(&waiver.owner),
                approver: Arc::clone(&waiver.approver),
                ticket: Arc::clone(&waiver.ticket),
                expires_at: end,
                days_left: standing.days_left,
                exact: waiver.is_exact(),
                second_person: waiver.has_second_person(),
                in_force: standing.in_force,
                findings: standing.findings,
                location: waiver.evidence.to_string().into(),
                repeated: standing.repeated,
                about_waivers: standing.about_waivers,
            }
        });
        let places = self.waivers.iter().map(|(waiver, _)| waiver.evidence.clone()).collect();
        (WaiverRow::table(rows.collect()), Places::One(places))
    }
}
