//! What several formats say in the same words: how much was judged, what was not read, how an identity is looked up.

use std::collections::BTreeMap;

use evenhand_model::finding::{Severity, Status};
use evenhand_model::gap::{Gap, GapKind};
use evenhand_model::score::Score;
use evenhand_model::table::{Column, Table, Value};
use evenhand_model::waiver::Waiver;

use crate::report::{Report, Settings};
use crate::text::{counted, printable};

/// Who accepted a finding, why and until when, in a sentence without a full stop.
pub(crate) fn accepted(waiver: &Waiver) -> String {
    let Waiver { reason, owner, approver, ticket, expires, .. } = waiver;
    printable(&format!("accepted until {expires} by {approver}, owner {owner}, {ticket}: {reason}"))
}

/// The posture score without and with accepted exceptions.
pub(crate) fn posture(score: &Score) -> String {
    match (score.raw.thousandths(), score.governed.thousandths()) {
        (raw, governed) if raw == governed => format!("{raw} of 1000, raw and governed"),
        (raw, governed) => format!("{raw} of 1000 raw, {governed} governed (accepted exceptions left out)"),
    }
}

/// The findings of a report that fail and that nobody accepted, by severity, worst first.
pub(crate) fn failing(report: &Report) -> [(Severity, usize); 4] {
    let of = |severity: Severity| {
        let findings = report.findings.iter();
        findings
            .filter(|held| held.status == Status::Fail && held.severity == severity && held.waiver.is_none())
            .count()
    };
    Severity::WORST_FIRST.map(|severity| (severity, of(severity)))
}

/// The first line of a remedy, without the mark of a step.
pub(crate) fn first_line(remedy: &str) -> &str {
    let line = remedy.lines().next().unwrap_or_default();
    line.strip_prefix("- ").unwrap_or(line)
}

/// How much was read and judged, in a sentence without a full stop.
pub(crate) fn coverage(report: &Report) -> String {
    let coverage = &report.coverage;
    let identities = counted(coverage.identities, "identity", "identities");
    let documents = counted(coverage.files_read + coverage.files_partial, "document", "documents");
    let judged = match coverage.percent() {
        Some(percent) => {
            let checks = usize::try_from(coverage.decided + coverage.undecided).unwrap_or(usize::MAX);
            let rules = counted(coverage.rules, "rule", "rules");
            format!("{percent} % of {} over {rules} could be decided", counted(checks, "check", "checks"))
        }
        None => "no rule had anything to judge".to_owned(),
    };
    let kind = |kind| report.gaps.iter().filter(|gap| gap.kind == kind).count();
    let (failed, absent) = (kind(GapKind::Failed), kind(GapKind::NotCollected));
    let collected = || {
        format!("{} not collected, hence unknown", counted(absent, "kind of evidence was", "kinds of evidence were"))
    };
    let gaps = match (failed, absent) {
        (0, 0) => "nothing is known to be missing".to_owned(),
        (0, _) => collected(),
        (failed, absent) => {
            let failed =
                format!("{} could not be read, so that the scan is incomplete", counted(failed, "part", "parts"));
            if absent == 0 { failed } else { format!("{failed}; {}", collected()) }
        }
    };
    format!("{identities} in {documents}; {judged}; {gaps}")
}

/// What was in force besides the input, in lines without a full stop: names are as somebody wrote them.
pub(crate) fn settings(settings: &Settings) -> Vec<String> {
    let Settings { configuration, waivers, rules_off, rules_levelled, rules_chosen_by } = settings;
    let files = [("configuration", configuration), ("exceptions", waivers)]
        .into_iter()
        .filter_map(|(what, file)| Some(format!("{what}: {}", file.as_ref()?)));
    let off = counted(rules_off.len(), "rule", "rules");
    let levelled = counted(rules_levelled.len(), "rule is", "rules are");
    let rules = [
        (format!("{off} switched off there"), listed(rules_off)),
        (format!("{levelled} given a level there"), listed(rules_levelled)),
        ("rules chosen by".to_owned(), listed(rules_chosen_by)),
    ];
    let rules = rules.into_iter().filter(|(_, all)| !all.is_empty());
    files.chain(rules.map(|(what, all)| format!("{what}: {all}"))).collect()
}

/// The same by name, for programs; what is not set is left out.
pub(crate) fn settings_by_name(settings: &Settings) -> Vec<(&'static str, String)> {
    let Settings { configuration, waivers, rules_off, rules_levelled, rules_chosen_by } = settings;
    let files = [("configuration", configuration), ("waivers", waivers)]
        .into_iter()
        .filter_map(|(name, file)| Some((name, printable(file.as_ref()?))));
    let rules = [
        ("rules_off", listed(rules_off)),
        ("rules_levelled", listed(rules_levelled)),
        ("rules_chosen_by", listed(rules_chosen_by)),
    ];
    let rules = rules.into_iter().filter(|(_, all)| !all.is_empty());
    files.chain(rules.map(|(name, all)| (name, printable(&all)))).collect()
}

fn listed<T: ToString>(all: &[T]) -> String {
    all.iter().map(T::to_string).collect::<Vec<_>>().join(", ")
}

/// A gap in a line: what, why, and what is therefore unknown.
pub(crate) fn gap(gap: &Gap) -> String {
    let place = gap.scope.as_ref().map(|scope| format!("{scope}: ")).unwrap_or_default();
    let unknown = if gap.facts.is_empty() { String::new() } else { format!(" (unknown: {})", gap.unknown()) };
    printable(&format!("{place}{}: {}{unknown}", gap.call, gap.reason))
}

/// What tells a gap apart from others of its scan: 16 hexadecimal digits.
pub(crate) fn gap_id(gap: &Gap) -> String {
    let provider = gap.provider.map_or("", |provider| provider.0);
    let scope = gap.scope.as_ref().map_or("", |scope| scope.as_str());
    let key = [provider, scope, &gap.call, &gap.reason].join("\0");
    blake3::hash(key.as_bytes()).to_hex().chars().take(16).collect()
}

/// Text of at most so many characters; what is cut ends with `…`.
pub(crate) fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        None => text.to_owned(),
        Some(_) => text.chars().take(most.saturating_sub(1)).chain(['…']).collect(),
    }
}

/// The table of a report by its name.
pub(crate) fn table<'a>(report: &'a Report, name: &str) -> Option<&'a Table> {
    report.tables.iter().find(|table| table.spec.name == name)
}

/// The rows of a table by the identity that they are about.
pub(crate) fn rows_by_identity<'a>(table: &'a Table) -> BTreeMap<&'a str, Vec<usize>> {
    let mut rows: BTreeMap<&'a str, Vec<usize>> = BTreeMap::new();
    if let Some(Column::Text(ids)) = table.column("identity") {
        for (row, id) in ids.iter().enumerate() {
            if let Some(id) = id {
                rows.entry(id).or_default().push(row);
            }
        }
    }
    rows
}

/// A value as text; `None` where it is unknown.
pub(crate) fn text(value: Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::Text(text) => Some(text.to_string()),
        Value::Integer(number) => Some(number.to_string()),
        Value::Float(number) => Some(number.to_string()),
        Value::Boolean(truth) => Some(truth.to_string()),
        Value::Timestamp(moment) => Some(moment.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_scores_are_told_and_once_where_they_are_one() {
        use evenhand_model::score::{Millionths, OpenFindings};
        let told = |raw, governed| {
            let (raw, governed) = (Millionths(raw), Millionths(governed));
            posture(&Score { raw, governed, exposure: None, open: OpenFindings::default(), moved_by: Vec::new() })
        };
        assert_eq!(told(8_999, 8_999), "8 of 1000, raw and governed");
        assert_eq!(told(8_000, 640_000), "8 of 1000 raw, 640 governed (accepted exceptions left out)");
    }

    #[test]
    fn a_remedy_that_is_all_steps_begins_with_the_first_of_them() {
        assert_eq!(first_line("Do it.\n- so"), "Do it.");
        assert_eq!(first_line("- Replace it.\n- so"), "Replace it.");
        assert_eq!(first_line(""), "");
    }

    #[test]
    fn a_cut_text_says_so_and_keeps_to_its_length() {
        assert_eq!(cut("räksmörgås", 10), "räksmörgås");
        assert_eq!(cut("räksmörgås", 5), "räks…");
        assert_eq!(cut("", 5), "");
    }
}
