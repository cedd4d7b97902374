//! What is not decided, on a terminal: by what would decide it.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::Write;

use evenhand_model::finding::{Finding, Severity, Status};
use evenhand_model::id::ProviderName;
use owo_colors::Style;

use crate::gap_lines::{GapLines, Open, Steps};
use crate::report::{Report, WriteError};
use crate::screen::Screen;
use crate::text::{counted, printable};
use crate::words::{by_severity, some};

/// The findings of a report that are not decided and that nobody accepted, by their provider and remedy.
pub(crate) struct Undecided<'a>(Vec<((ProviderName, &'a str), Vec<&'a Finding>)>);

impl<'a> Undecided<'a> {
    pub(crate) fn of(report: &'a Report) -> Self {
        let is_open = |finding: &&Finding| finding.status == Status::Unknown && finding.waiver.is_none();
        let mut by_remedy: HashMap<(ProviderName, &str), Vec<&Finding>> = HashMap::new();
        for finding in report.findings.iter().filter(is_open) {
            by_remedy.entry((finding.provider, &*finding.remedy)).or_default().push(finding);
        }
        let mut groups: Vec<_> = by_remedy.into_iter().collect();
        groups.sort_by_key(|(of, _)| *of);
        Self(groups)
    }

    /// What is open, by its remedy.
    pub(crate) fn open(&self) -> impl Iterator<Item = Open<'a>> {
        self.0.iter().map(|((provider, remedy), rows)| Open { provider: *provider, remedy, checks: rows.len() })
    }

    /// The findings by what would decide them, worst first, then the most: remedies that name one thing in several scopes
    /// are one.
    fn by_steps(&self, gaps: &GapLines<'_>) -> Vec<(Steps<'a>, Vec<&'a Finding>)> {
        let mut by_steps: BTreeMap<Steps<'a>, Vec<&Finding>> = BTreeMap::new();
        for ((provider, remedy), rows) in &self.0 {
            by_steps.entry(gaps.steps(*provider, remedy)).or_default().extend(rows);
        }
        let mut groups: Vec<_> = by_steps.into_iter().collect();
        let worst = |rows: &[&Finding]| rows.iter().map(|finding| finding.severity).max();
        groups.sort_by_key(|(_, rows)| (Reverse(worst(rows)), Reverse(rows.len())));
        groups
    }

    fn checks(&self) -> usize {
        self.0.iter().map(|(_, rows)| rows.len()).sum()
    }

    /// How many there are of each severity, in words.
    fn severities(&self) -> String {
        let of = |severity: Severity| {
            self.0.iter().flat_map(|(_, rows)| rows).filter(|finding| finding.severity == severity).count()
        };
        by_severity(&Severity::WORST_FIRST.map(|severity| (severity, of(severity))))
    }
}

impl Screen {
    /// What is not decided, by what would decide it. Returns the gaps that are named by their numbers.
    pub(crate) fn undecided(
        &self,
        undecided: &Undecided<'_>,
        gaps: &GapLines<'_>,
        sink: &mut dyn Write,
    ) -> Result<BTreeSet<usize>, WriteError> {
        const SHOWN: usize = 3;
        let mut named = BTreeSet::new();
        let groups = undecided.by_steps(gaps);
        if groups.is_empty() {
            return Ok(named);
        }
        let checks = counted(undecided.checks(), "check", "checks");
        let heading = format!("Not decided, for lack of evidence ({checks}: {})", undecided.severities());
        self.heading(&heading, sink)?;
        let shown = groups.len().min(self.most(SHOWN));
        for (steps, rows) in groups.iter().take(shown) {
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
            let (by_number, others) = self.told_by_number(&steps.gaps);
            named.extend(by_number);
            let line = format!("to know it: {}", printable(&told(by_number, others.len(), &steps.advice)));
            self.say(6, &line, Style::new(), sink)?;
        }
        let rest = groups.get(shown..).unwrap_or_default();
        if !rest.is_empty() {
            let checks: usize = rest.iter().map(|(_, rows)| rows.len()).sum();
            let line = format!("… and {} more; --all says what each lacks", counted(checks, "check", "checks"));
            self.say(2, &line, Style::new().dimmed(), sink)?;
        }
        Ok(named)
    }

    /// Those of the gaps that are named, each of which is shown too, and the others.
    fn told_by_number<'g>(&self, gaps: &'g [usize]) -> (&'g [usize], &'g [usize]) {
        const NAMED: usize = 4;
        gaps.split_at(gaps.len().min(self.most(NAMED)))
    }
}

/// Steps of which any may tell, in a line. `others`: how many gaps are not named.
fn told(gaps: &[usize], others: usize, advice: &[&str]) -> String {
    let numbers: Vec<String> = gaps.iter().map(|at| (at + 1).to_string()).collect();
    let close = match numbers.as_slice() {
        [] => None,
        [one] => Some(format!("close gap {one} below")),
        [before @ .., last] => Some(format!("close gap {} or {last} below", before.join(", "))),
    };
    let others = (others > 0).then(|| format!("one of {others} more that --all names"));
    let parts: Vec<&str> =
        [&close, &others].into_iter().flatten().map(String::as_str).chain(advice.iter().copied()).collect();
    parts.join("; or ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_are_named_by_number_and_advice_by_its_words() {
        for (gaps, others, advice, words) in [
            (&[1][..], 0, &["declare it"][..], "close gap 2 below; or declare it"),
            (&[0], 0, &[], "close gap 1 below"),
            (&[0, 2, 4], 0, &[], "close gap 1, 3 or 5 below"),
            (&[0, 2], 7, &[], "close gap 1 or 3 below; or one of 7 more that --all names"),
            (&[], 0, &["one", "another"], "one; or another"),
        ] {
            assert_eq!(told(gaps, others, advice), words);
        }
    }
}
