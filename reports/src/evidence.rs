//! What a report rests on, on a terminal: how much was read, what is missing, what nobody knows.

use std::collections::BTreeSet;
use std::io::Write;

use evenhand_model::gap::GapKind;
use owo_colors::Style;

use crate::gap_lines::{GapLine, GapLines};
use crate::report::{Report, SourceFile, SourceStatus, WriteError};
use crate::screen::Screen;
use crate::text::{counted, printable, thousands};
use crate::words::settings;

impl Screen {
    /// How much was read, and what was not. `named`: the gaps that were named by their numbers, which are shown whatever is
    /// left out.
    pub(crate) fn coverage(
        &self,
        report: &Report,
        gaps: &GapLines<'_>,
        named: &BTreeSet<usize>,
        sink: &mut dyn Write,
    ) -> Result<(), WriteError> {
        self.heading("What this rests on", sink)?;
        let coverage = &report.coverage;
        let natures: Vec<String> = coverage
            .natures
            .iter()
            .filter(|(_, count)| *count > 0)
            .map(|(nature, count)| format!("{} {}", thousands(*count as u64), nature.replace('_', " ")))
            .collect();
        let natures = if natures.is_empty() { String::new() } else { format!(" ({})", natures.join(", ")) };
        let line = format!(
            "{}{natures} in {}",
            counted(coverage.identities, "identity", "identities"),
            counted(coverage.files_read + coverage.files_partial, "document", "documents")
        );
        self.say(2, &line, Style::new(), sink)?;
        if let Some(percent) = coverage.percent() {
            let checks = usize::try_from(coverage.decided + coverage.undecided).unwrap_or(usize::MAX);
            let line = format!(
                "{percent} % of {} over {} could be decided",
                counted(checks, "check", "checks"),
                counted(coverage.rules, "rule", "rules")
            );
            self.say(2, &line, Style::new(), sink)?;
        }
        for line in settings(&coverage.settings) {
            self.say(2, &printable(&line), Style::new(), sink)?;
        }
        let count = |kind| report.gaps.iter().filter(|gap| gap.kind == kind).count();
        let (failed, absent) = (count(GapKind::Failed), count(GapKind::NotCollected));
        if failed > 0 {
            let line = format!("{} could not be read: this scan is incomplete", counted(failed, "part", "parts"));
            self.say(2, &line, Style::new().red(), sink)?;
            self.gap_lines(gaps, GapKind::Failed, named, sink)?;
        }
        if absent > 0 {
            let line = format!("not part of what was read, hence unknown ({}):", counted(absent, "gap", "gaps"));
            self.say(2, &line, Style::new(), sink)?;
            self.gap_lines(gaps, GapKind::NotCollected, named, sink)?;
        }
        let unrecognised = report.scan.sources.iter().filter(|file| file.status == SourceStatus::Unrecognised);
        let (expected, unrecognised): (Vec<_>, Vec<_>) = unrecognised.partition(|file| file.is_expected());
        if !unrecognised.is_empty() {
            let line = format!("{} not recognised:", counted(unrecognised.len(), "file", "files"));
            self.say(2, &line, Style::new(), sink)?;
            self.files(&unrecognised, sink)?;
        }
        if !expected.is_empty() {
            let own = expected.iter().filter(|file| file.is_own()).count();
            let parts = [
                (expected.len() - own, "file of text for people", "files of text for people"),
                (own, "file that an earlier scan wrote", "files that an earlier scan wrote"),
            ];
            let parts = parts.iter().filter(|(count, ..)| *count > 0);
            let text: Vec<String> = parts.map(|(count, one, many)| counted(*count, one, many)).collect();
            let line = format!("{}, no document of any provider", text.join(" and "));
            let them = if expected.len() == 1 { "it" } else { "them" };
            if self.options.every_file {
                self.say(2, &format!("{line}:"), Style::new(), sink)?;
                self.files(&expected, sink)?;
            } else {
                self.say(
                    2,
                    &format!("{line}; -v or -o json lists {them} among those not recognised"),
                    Style::new(),
                    sink,
                )?;
            }
        }
        if !report.hints.is_empty() {
            self.say(2, "worth knowing:", Style::new(), sink)?;
            let shown = report.hints.len().min(self.most(5));
            for hint in report.hints.iter().take(shown) {
                let line = format!("{} ({})", printable(&hint.message), printable(&hint.evidence.to_string()));
                self.say(4, &line, Style::new(), sink)?;
            }
            self.more(shown, report.hints.len(), "--all shows them", sink)?;
        }
        Ok(())
    }

    fn files(&self, files: &[&SourceFile], sink: &mut dyn Write) -> Result<(), WriteError> {
        let shown = files.len().min(self.most(10));
        for file in files.iter().take(shown) {
            self.say(4, &format!("{}: {}", printable(&file.path), printable(&file.what)), Style::new(), sink)?;
        }
        self.more(shown, files.len(), "--all shows them", sink)
    }

    fn gap_lines(
        &self,
        gaps: &GapLines<'_>,
        kind: GapKind,
        named: &BTreeSet<usize>,
        sink: &mut dyn Write,
    ) -> Result<(), WriteError> {
        let first = self.most(3);
        let lines = gaps.of_kind(kind).into_iter().enumerate();
        let (shown, others): (Vec<_>, Vec<_>) = lines.partition(|(nth, (at, _))| *nth < first || named.contains(at));
        for (_, (at, GapLine { gap, scopes, .. })) in &shown {
            let number = if gaps.are_waited_for() { format!("gap {}: ", at + 1) } else { String::new() };
            let places = match scopes.as_slice() {
                [] => String::new(),
                [one] => format!("in {one}: "),
                [one, another] => format!("in {one} and {another}: "),
                [one, another, rest @ ..] => {
                    format!("in {one}, {another} and {} more (-o json has them): ", rest.len())
                }
            };
            let facts = if gap.facts.is_empty() { String::new() } else { format!(" (unknown: {})", gap.unknown()) };
            let line = format!("{number}{places}{}: {}{facts}", gap.call, gap.reason);
            self.say(4, &printable(&line), Style::new(), sink)?;
        }
        let count =
            |lines: &[(usize, (usize, &GapLine<'_>))]| lines.iter().map(|(_, (_, line))| line.gaps).sum::<usize>();
        let told = count(&shown);
        self.more(told, told + count(&others), "--all shows them", sink)
    }
}
