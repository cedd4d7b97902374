//! What several formats say in the same words: how much was judged, what was not read, how an identity is looked up.

use std::collections::BTreeMap;

use evenhand_model::finding::{Severity, Status};
use evenhand_model::gap::{Gap, GapKind};
use evenhand_model::table::{Column, Table, Value};
use evenhand_model::waiver::Waiver;

use crate::report::{Report, Settings, SourceStatus};
use crate::text::{counted, printable, thousands};

/// Who accepted a finding, why and until when, in a sentence without a full stop.
pub(crate) fn accepted(waiver: &Waiver) -> String {
    let Waiver { reason, owner, approver, ticket, expires, .. } = waiver;
    printable(&format!("accepted until {expires} by {approver}, owner {owner}, {ticket}: {reason}"))
}

/// The posture score without and with accepted exceptions, or why there is none to tell; `None` where nothing was judged.
pub(crate) fn posture(report: &Report) -> Option<String> {
    let score = report.score.as_ref()?;
    if !report.is_score_known() {
        let why = match report.coverage.decided {
            0 => "no check could be decided",
            _ => "nothing is open in what was read, but the scan is incomplete",
        };
        return Some(format!("not known: {why}"));
    }
    let numbers = match (score.raw.thousandths(), score.governed.thousandths()) {
        (raw, governed) if raw == governed => format!("{raw} of 1000, raw and governed"),
        (raw, governed) => format!("{raw} of 1000 raw, {governed} governed (accepted exceptions left out)"),
    };
    Some(if report.is_complete() { numbers } else { format!("{numbers}, of an incomplete scan") })
}

/// How much of what should be there could not be read, in a sentence without a full stop; `None` where all could.
pub(crate) fn unread(report: &Report) -> Option<String> {
    if report.is_complete() {
        return None;
    }
    let parts = report.gaps.iter().filter(|gap| gap.kind == GapKind::Failed).count();
    let damaged = match report.coverage.files_partial + report.coverage.files_failed {
        0 => String::new(),
        damaged => format!("{} damaged or not understood; ", counted(damaged, "document is", "documents are")),
    };
    let parts = counted(parts, "part of the input", "parts of the input");
    Some(format!("{damaged}{parts} could not be read, and no number here counts what is in there"))
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

/// How many there are of each severity, in words; of those that have any.
pub(crate) fn by_severity(counts: &[(Severity, usize)]) -> String {
    let held: Vec<(Severity, usize)> = counts.iter().copied().filter(|(_, count)| *count > 0).collect();
    by_each_severity(&held)
}

/// The same, of each whether it has any or not.
pub(crate) fn by_each_severity(counts: &[(Severity, usize)]) -> String {
    let told = counts.iter().map(|(severity, count)| format!("{} {severity}", thousands(*count as u64)));
    told.collect::<Vec<_>>().join(", ")
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
    let strange = report.scan.sources.iter();
    let strange = strange.filter(|file| file.status == SourceStatus::Unrecognised && !file.is_expected()).count();
    let gaps = match (failed, absent) {
        (0, 0) if strange > 0 => {
            let files = counted(strange, "file was", "files were");
            format!("{files} not recognised, and nothing else is known to be missing")
        }
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

/// The first of some texts, each once and in the order of their coming, and how many more there are.
pub(crate) fn some<'a>(texts: impl Iterator<Item = &'a str>, most: usize, separator: &str) -> String {
    let mut distinct: Vec<&str> = Vec::new();
    for text in texts {
        if !distinct.contains(&text) {
            distinct.push(text);
        }
    }
    let more = distinct.len().saturating_sub(most);
    distinct.truncate(most);
    let named = distinct.join(separator);
    if more > 0 { format!("{named}{separator}and {more} more") } else { named }
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
    use crate::report::SourceFile;

    /// A report of which nothing matters but its score, how much was decided, and whether a document was cut.
    fn report(raw: u32, governed: u32, decided: u64, cut: bool) -> Report {
        use evenhand_model::score::{Millionths, OpenFindings, Score};

        use crate::report::{Coverage, Scan, Tool};
        let gap = Gap {
            provider: None,
            scope: None,
            kind: GapKind::Failed,
            call: "dump.json".into(),
            reason: "ends in the middle of a value".into(),
            facts: Vec::new(),
        };
        Report {
            tool: Tool {
                name: "evenhand",
                version: "".into(),
                rules: 1,
                rule_pack: String::new(),
                catalogs: Vec::new(),
            },
            scan: Scan { id: String::new(), time: jiff::Timestamp::UNIX_EPOCH, sources: Vec::new() },
            score: Some(Score {
                raw: Millionths(raw),
                governed: Millionths(governed),
                exposure: None,
                open: OpenFindings::default(),
                moved_by: Vec::new(),
            }),
            tables: Vec::new(),
            comparisons: Vec::new(),
            findings: Vec::new(),
            filtered: 0,
            gaps: if cut { vec![gap] } else { Vec::new() },
            hints: Vec::new(),
            possible_agents: Vec::new(),
            coverage: Coverage { decided, files_partial: usize::from(cut), ..Coverage::default() },
            rules: Vec::new(),
        }
    }

    #[test]
    fn both_scores_are_told_and_once_where_they_are_one() {
        let told = |raw, governed| posture(&report(raw, governed, 1, false)).unwrap();
        assert_eq!(told(8_999, 8_999), "8 of 1000, raw and governed");
        assert_eq!(told(8_000, 640_000), "8 of 1000 raw, 640 governed (accepted exceptions left out)");
        assert_eq!(told(1_000_000, 1_000_000), "1000 of 1000, raw and governed");
    }

    #[test]
    fn no_score_is_perfect_that_rests_on_nothing_or_on_a_part() {
        let best = |decided, cut| posture(&report(1_000_000, 1_000_000, decided, cut)).unwrap();
        assert_eq!(best(0, false), "not known: no check could be decided");
        assert_eq!(best(3, true), "not known: nothing is open in what was read, but the scan is incomplete");
        let low = report(640_000, 640_000, 3, true);
        assert_eq!(posture(&low).unwrap(), "640 of 1000, raw and governed, of an incomplete scan");
        assert_eq!(
            unread(&low).unwrap(),
            "1 document is damaged or not understood; 1 part of the input could not be read, and no number here counts what \
             is in there"
        );
        assert_eq!(unread(&report(640_000, 640_000, 3, false)), None);
        assert_eq!(posture(&Report { score: None, ..low }), None, "an inventory judges nothing");
    }

    #[test]
    fn severities_that_have_none_are_not_told() {
        let counts = [(Severity::Critical, 1_200), (Severity::High, 0), (Severity::Low, 3)];
        assert_eq!(by_severity(&counts), "1,200 critical, 3 low");
        assert_eq!(by_severity(&[(Severity::High, 0)]), "");
    }

    #[test]
    fn what_was_not_recognised_is_not_nothing() {
        let mut empty = report(1_000_000, 1_000_000, 0, false);
        assert!(coverage(&empty).ends_with("; nothing is known to be missing"), "{}", coverage(&empty));
        empty.scan.sources.push(SourceFile {
            path: "a.json".into(),
            status: SourceStatus::Unrecognised,
            provider: None,
            what: "JSON, but no provider knows its keys".into(),
            bytes: 1,
        });
        let told = coverage(&empty);
        assert!(told.ends_with("; 1 file was not recognised, and nothing else is known to be missing"), "{told}");
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
