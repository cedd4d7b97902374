//! What several formats say in the same words: how much was judged, what was not read, how an identity is looked up.

use std::collections::BTreeMap;

use evenhand_model::gap::{Gap, GapKind};
use evenhand_model::table::{Column, Table, Value};
use evenhand_model::waiver::Waiver;

use crate::report::Report;
use crate::text::{counted, printable};

/// Who accepted a finding, why and until when, in a sentence without a full stop.
pub(crate) fn accepted(waiver: &Waiver) -> String {
    let Waiver { reason, owner, approver, ticket, expires, .. } = waiver;
    printable(&format!("accepted until {expires} by {approver}, owner {owner}, {ticket}: {reason}"))
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
    fn a_cut_text_says_so_and_keeps_to_its_length() {
        assert_eq!(cut("räksmörgås", 10), "räksmörgås");
        assert_eq!(cut("räksmörgås", 5), "räks…");
        assert_eq!(cut("", 5), "");
    }
}
