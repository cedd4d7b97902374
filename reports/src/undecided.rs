//! What is not decided, on a terminal: by what would decide it.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::io::Write;

use evenhand_model::finding::{Finding, Severity, Status};
use owo_colors::Style;

use crate::gap_lines::{GapLines, Step};
use crate::report::{Report, WriteError};
use crate::screen::Screen;
use crate::text::{counted, printable, thousands};
use crate::words::some;

/// The findings of a report that are not decided and that nobody accepted, by their remedy: worst first, then the most.
pub(crate) struct Undecided<'a>(Vec<(&'a str, Vec<&'a Finding>)>);

impl<'a> Undecided<'a> {
    pub(crate) fn of(report: &'a Report) -> Self {
        let is_open = |finding: &&Finding| finding.status == Status::Unknown && finding.waiver.is_none();
        let mut by_remedy: HashMap<&str, Vec<&Finding>> = HashMap::new();
        for finding in report.findings.iter().filter(is_open) {
            by_remedy.entry(&finding.remedy).or_default().push(finding);
        }
        let mut groups: Vec<(&str, Vec<&Finding>)> = by_remedy.into_iter().collect();
        let worst = |rows: &[&Finding]| rows.iter().map(|finding| finding.severity).max();
        groups.sort_by_key(|(remedy, rows)| (Reverse(worst(rows)), Reverse(rows.len()), *remedy));
        Self(groups)
    }

    /// The remedies, each with the number of its checks.
    pub(crate) fn remedies(&self) -> impl Iterator<Item = (&'a str, usize)> {
        self.0.iter().map(|(remedy, rows)| (*remedy, rows.len()))
    }

    fn checks(&self) -> usize {
        self.0.iter().map(|(_, rows)| rows.len()).sum()
    }

    /// How many there are of each severity, in words.
    fn severities(&self) -> String {
        let of = |severity: Severity| {
            self.0.iter().flat_map(|(_, rows)| rows).filter(|finding| finding.severity == severity).count()
        };
        let counts = Severity::WORST_FIRST.map(|severity| (severity, of(severity)));
        let told: Vec<String> = counts
            .iter()
            .filter(|(_, count)| *count > 0)
            .map(|(severity, count)| format!("{} {severity}", thousands(*count as u64)))
            .collect();
        told.join(", ")
    }
}

impl Screen {
    /// What is not decided, by what would decide it.
    pub(crate) fn undecided(
        &self,
        undecided: &Undecided<'_>,
        gaps: &GapLines<'_>,
        sink: &mut dyn Write,
    ) -> Result<(), WriteError> {
        const SHOWN: usize = 3;
        let Undecided(groups) = undecided;
        if groups.is_empty() {
            return Ok(());
        }
        let checks = thousands(undecided.checks() as u64);
        let heading = format!("Not decided, for lack of evidence ({checks}: {})", undecided.severities());
        self.heading(&heading, sink)?;
        let shown = groups.len().min(self.most(SHOWN));
        for (remedy, rows) in groups.iter().take(shown) {
            let rules = some(rows.iter().map(|finding| finding.rule.as_str()), 3, ", ");
            let line = format!("{} of {rules}", counted(rows.len(), "check", "checks"));
            self.say(2, &line, Style::new().bold(), sink)?;
            if self.is_whole() {
                let missing = rows.iter().flat_map(|finding| finding.missing.iter()).map(|missing| &*missing.what);
                let what = some(missing, 3, "; ");
                if !what.is_empty() {
                    self.say(6, &format!("not known: {}", printable(&what)), Style::new(), sink)?;
                }
            }
            let steps = printable(&told(&gaps.steps(remedy)));
            self.say(6, &format!("to know it: {steps}"), Style::new(), sink)?;
        }
        let rest = groups.get(shown..).unwrap_or_default();
        if !rest.is_empty() {
            let checks: usize = rest.iter().map(|(_, rows)| rows.len()).sum();
            let line = format!("… and {} more; --all says what each lacks", counted(checks, "check", "checks"));
            self.say(2, &line, Style::new().dimmed(), sink)?;
        }
        Ok(())
    }
}

/// Steps of which any may tell, in a line.
fn told(steps: &[Step<'_>]) -> String {
    let mut parts: Vec<String> = Vec::new();
    let mut numbers: Vec<usize> = steps
        .iter()
        .filter_map(|step| match step {
            Step::Gap(at) => Some(at + 1),
            Step::Advice(_) => None,
        })
        .collect();
    numbers.sort_unstable();
    let numbers: Vec<String> = numbers.iter().map(usize::to_string).collect();
    match numbers.as_slice() {
        [] => {}
        [one] => parts.push(format!("close gap {one} below")),
        [others @ .., last] => parts.push(format!("close gap {} or {last} below", others.join(", "))),
    }
    parts.extend(steps.iter().filter_map(|step| match step {
        Step::Gap(_) => None,
        Step::Advice(advice) => Some((*advice).to_owned()),
    }));
    parts.join("; or ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_are_named_by_number_and_advice_by_its_words() {
        for (steps, words) in [
            (&[Step::Gap(0)][..], "close gap 1 below"),
            (&[Step::Gap(0), Step::Gap(4), Step::Gap(2)], "close gap 1, 3 or 5 below"),
            (&[Step::Advice("declare it"), Step::Gap(1)], "close gap 2 below; or declare it"),
            (&[Step::Advice("one"), Step::Advice("another")], "one; or another"),
        ] {
            assert_eq!(told(steps), words);
        }
    }
}
