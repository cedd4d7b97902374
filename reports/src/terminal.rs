//! The terminal report: what a person wants to know first, in as many columns as the terminal has.
//!
//! The order is that of the questions: how are we doing, which AI identity holds more than the human, what is worst and
//! what to do about it, and how much of this can be trusted.

use std::collections::BTreeSet;
use std::io::Write;

use comfy_table::{CellAlignment, Color};
use evenhand_model::parity::{Comparison, Verdict};
use evenhand_model::table::Value;
use owo_colors::Style;

use crate::findings::{Identities, Ranked};
use crate::gap_lines::GapLines;
use crate::report::{Report, WriteError};
pub use crate::screen::Options;
use crate::screen::{PLAIN, Screen, role_words, verdict_color};
use crate::text::{counted, printable, thousands};
use crate::undecided::Undecided;
use crate::words::{by_severity, failing, posture, unread};
use crate::wrap::hung;

/// How an AI identity is declared.
pub(crate) const DECLARE: &str = "declare yours on the identity itself (tag `evenhand:nature` or annotation `evenhand.dev/nature`, \
                       value `ai_agent`), or name them under `agents` of a [[job]] in evenhand.toml; list those that \
                       are none under [register]";

/// Writes the report.
///
/// # Errors
/// When the sink refuses.
pub fn write(report: &Report, options: Options, sink: &mut dyn Write) -> Result<(), WriteError> {
    let screen = Screen { options };
    screen.summary(report, sink)?;
    screen.parity(report, sink)?;
    screen.possible_agents(report, sink)?;
    let ranked = Ranked::of(report);
    screen.fix_first(report, &ranked, sink)?;
    screen.findings(report, &ranked, sink)?;
    let undecided = Undecided::of(report);
    let gaps = GapLines::of(&report.gaps, undecided.open());
    let named = screen.undecided(&undecided, &gaps, sink)?;
    screen.coverage(report, &gaps, &named, sink)
}

/// Writes the identities as a table, for `inventory`.
///
/// # Errors
/// When the sink refuses.
pub fn inventory(report: &Report, options: Options, sink: &mut dyn Write) -> Result<(), WriteError> {
    Screen { options }.inventory(report, sink)
}

impl Screen {
    fn summary(&self, report: &Report, sink: &mut dyn Write) -> Result<(), WriteError> {
        let (Some(score), Some(told)) = (&report.score, posture(report)) else { return Ok(()) };
        let line = format!("evenhand posture {told}  ·  {}", finding_words(report));
        self.say(0, &line, Style::new().bold(), sink)?;
        if let Some(unread) = unread(report) {
            self.say(0, &format!("this scan is incomplete: {unread}"), Style::new().red().bold(), sink)?;
        }
        let judged: Vec<String> = report
            .coverage
            .verdicts
            .iter()
            .filter(|(_, count)| *count > 0)
            .map(|(verdict, count)| format!("{count} {verdict}"))
            .collect();
        let ai: usize = report.coverage.verdicts.iter().map(|(_, count)| count).sum();
        if ai > 0 {
            let line = format!(
                "{} beside the human who does the same job: {}",
                counted(ai, "AI identity", "AI identities"),
                judged.join(", ")
            );
            self.say(0, &line, Style::new(), sink)?;
        }
        if ai == 0 {
            let unknown =
                report.coverage.natures.iter().find(|(nature, _)| *nature == "unknown").map_or(0, |(_, n)| *n);
            let line = format!(
                "no AI identity was recognised, so this score says nothing about agents; {} of unknown nature not judged",
                counted(unknown, "identity", "identities")
            );
            self.say(0, &line, Style::new().yellow(), sink)?;
        }
        if let Some(exposure) = score.exposure {
            let line = format!(
                "{}.{} % of the machine identities have a critical or high finding",
                exposure.0 / 10_000,
                exposure.0 / 1_000 % 10
            );
            self.say(0, &line, Style::new(), sink)?;
        }
        // With several rules of the worst severity open, no single one lifts the score: then the band says more.
        let worth_it = |mover: &&evenhand_model::score::Mover| mover.fixed.0 >= score.raw.0.saturating_add(10_000);
        if let Some(mover) = score.moved_by.first().filter(worth_it) {
            let line = format!(
                "fixing {} ({} affected) alone would bring the raw score to {}",
                mover.rule,
                counted(usize::try_from(mover.open).unwrap_or(usize::MAX), "identity", "identities"),
                mover.fixed.thousandths()
            );
            self.say(0, &line, Style::new(), sink)?;
        } else if score.open.critical > 0 {
            let line = "while anything critical is open the score stays below 400";
            self.say(0, line, Style::new(), sink)?;
        }
        Ok(())
    }

    fn parity(&self, report: &Report, sink: &mut dyn Write) -> Result<(), WriteError> {
        if report.comparisons.is_empty() {
            if report.score.is_some() {
                self.heading("No AI identity was recognised", sink)?;
                let line = format!("nothing read proves one; {DECLARE}");
                self.say(2, &line, Style::new(), sink)?;
            }
            return Ok(());
        }
        self.heading("AI identities and the human who does the same job", sink)?;
        let mut ranked: Vec<&Comparison> = report.comparisons.iter().collect();
        ranked.sort_by(|a, b| {
            (a.verdict, std::cmp::Reverse(a.high_risk_excess), std::cmp::Reverse(a.excess_weight), &a.identity).cmp(&(
                b.verdict,
                std::cmp::Reverse(b.high_risk_excess),
                std::cmp::Reverse(b.excess_weight),
                &b.identity,
            ))
        });
        // Who is in line, and whom nobody is known to be like, is named; what differs is told of the others.
        let differs = |held: &&&Comparison| held.verdict < Verdict::NoBaseline;
        let shown = match self.options.limit {
            None => ranked.len(),
            Some(limit) => ranked.iter().take_while(differs).take(limit).count(),
        };
        let (told, named) = ranked.split_at(shown);
        let identities = Identities::of(report);
        if self.options.width < 90 {
            for comparison in told {
                self.parity_lines(&identities, comparison, sink)?;
            }
        } else if !told.is_empty() {
            let row = |comparison: &&Comparison| {
                vec![
                    identities.name(comparison.identity.as_str()),
                    comparison.verdict.as_str().to_owned(),
                    role_words(comparison),
                    printable(&comparison.summary),
                ]
            };
            let rows: Vec<Vec<String>> = told.iter().map(row).collect();
            let headers = ["AI identity", "Verdict", "Human role", "What differs"];
            let color = |row: usize, column: usize| {
                let comparison = told.get(row).filter(|_| column == 1)?;
                Some(verdict_color(comparison.verdict))
            };
            self.print(&self.table(&headers, &rows, &color), sink)?;
        }
        self.named(&identities, named, told.last().map(|last| last.verdict), sink)
    }

    /// AI identities by verdict, with their human role and no more. `told`: the verdict of the last that was told in full.
    fn named(
        &self,
        identities: &Identities<'_>,
        ranked: &[&Comparison],
        told: Option<Verdict>,
        sink: &mut dyn Write,
    ) -> Result<(), WriteError> {
        if ranked.is_empty() {
            return Ok(());
        }
        let mut counted_only = 0;
        for held in ranked.chunk_by(|one, other| one.verdict == other.verdict) {
            let Some(verdict) = held.first().map(|first| first.verdict) else { continue };
            let shown = held.len().min(self.limit());
            let names = held.iter().take(shown).map(|comparison| {
                let name = identities.name(comparison.identity.as_str());
                match comparison.baseline.roles.is_empty() {
                    true => name,
                    false => format!("{name} beside {}", role_words(comparison)),
                }
            });
            let names = names.collect::<Vec<_>>().join("; ");
            let rest = held.len() - shown;
            counted_only += rest;
            let more = if rest > 0 { format!("; and {} more", thousands(rest as u64)) } else { String::new() };
            let further = if told == Some(verdict) { " more" } else { "" };
            let line = format!("{} ({}{further}): {names}{more}", verdict.as_str(), thousands(held.len() as u64));
            self.say(2, &line, verdict_style(verdict), sink)?;
        }
        let named = thousands((ranked.len() - counted_only) as u64);
        let not_named = match counted_only {
            0 => String::new(),
            count => format!(", and only counted {}", thousands(count as u64)),
        };
        let line = format!("… only named are {named} more{not_named}; --all tells what differs");
        self.say(2, &line, Style::new().dimmed(), sink)
    }

    fn parity_lines(
        &self,
        identities: &Identities<'_>,
        comparison: &Comparison,
        sink: &mut dyn Write,
    ) -> Result<(), WriteError> {
        let verdict = format!("{:<11}", comparison.verdict.as_str());
        let head = format!("  {}  ", self.styled(&verdict, verdict_style(comparison.verdict)));
        let name = identities.name(comparison.identity.as_str());
        for (before, line) in hung(&head, 15, &name, self.options.width.saturating_sub(15).max(12)) {
            writeln!(sink, "{before}{line}")?;
        }
        let summary = printable(&comparison.summary);
        let line = match comparison.baseline.roles.is_empty() {
            true => summary,
            false => format!("beside {}: {summary}", role_words(comparison)),
        };
        self.say(6, &line, Style::new(), sink)
    }

    /// Whoever may be an agent although nothing proves it.
    fn possible_agents(&self, report: &Report, sink: &mut dyn Write) -> Result<(), WriteError> {
        if report.possible_agents.is_empty() {
            return Ok(());
        }
        let identities = Identities::of(report);
        let count = thousands(report.possible_agents.len() as u64);
        self.heading(&format!("May be AI agents, by weak signs only ({count})"), sink)?;
        let shown = report.possible_agents.len().min(self.most(8));
        for possible in report.possible_agents.iter().take(shown) {
            let line = format!("{}: {}", identities.name(possible.identity.as_str()), printable(&possible.hint));
            self.say(2, &line, Style::new(), sink)?;
        }
        self.more(shown, report.possible_agents.len(), "--all shows them", sink)?;
        self.say(2, &format!("not compared with people; {DECLARE}"), Style::new(), sink)
    }

    fn inventory(&self, report: &Report, sink: &mut dyn Write) -> Result<(), WriteError> {
        let Some(identities) = report.tables.iter().find(|table| table.spec.name == "identities") else {
            return Ok(());
        };
        let text = |row: usize, column: &str| match identities.value(row, column) {
            Value::Text(text) => printable(&text),
            Value::Boolean(truth) => if truth { "yes" } else { "no" }.to_owned(),
            Value::Integer(number) => number.to_string(),
            Value::Float(number) => number.to_string(),
            Value::Timestamp(moment) => moment.to_string(),
            Value::Null => "?".to_owned(),
        };
        let gaps = GapLines::of(&report.gaps, std::iter::empty());
        let headers = ["Identity", "Kind", "Scope", "Nature", "Because", "Owner", "Idle days"];
        let shown = identities.rows().min(self.limit());
        let owner = |row: usize| match identities.value(row, "has_owner") {
            Value::Boolean(false) => "none".to_owned(),
            _ => text(row, "owner"),
        };
        if self.options.width < 90 {
            self.heading("Identities", sink)?;
            for row in 0..shown {
                let nature = text(row, "nature").replace('_', " ");
                self.say(2, &format!("{}: {nature}", text(row, "name")), Style::new(), sink)?;
                let kind = text(row, "kind").replace('_', " ");
                let place = format!("{kind} in {}, owner {}", text(row, "scope"), owner(row));
                self.say(6, &place, Style::new().dimmed(), sink)?;
            }
            self.more(shown, identities.rows(), "--all shows them", sink)?;
            return self.coverage(report, &gaps, &BTreeSet::new(), sink);
        }
        let row = |row: usize| {
            let mut cells: Vec<String> =
                ["name", "kind", "scope", "nature", "nature_evidence"].iter().map(|column| text(row, column)).collect();
            cells.extend([owner(row), text(row, "idle_days")]);
            cells
        };
        let rows: Vec<Vec<String>> = (0..shown).map(row).collect();
        let mut table = self.table(&headers, &rows, PLAIN);
        if let Some(column) = table.column_mut(6) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        self.print(&table, sink)?;
        self.more(shown, identities.rows(), "--all shows them", sink)?;
        self.coverage(report, &gaps, &BTreeSet::new(), sink)
    }
}

fn verdict_style(verdict: Verdict) -> Style {
    match verdict_color(verdict) {
        Color::Red => Style::new().red(),
        Color::Green => Style::new().green(),
        _ => Style::new().yellow(),
    }
}

fn finding_words(report: &Report) -> String {
    let failing = by_severity(&failing(report));
    let found = match (failing.is_empty(), report.is_complete()) {
        (true, true) => "no finding".to_owned(),
        (true, false) => "no finding in what was read".to_owned(),
        (false, _) => format!("findings: {failing}"),
    };
    match report.filtered {
        0 => found,
        filtered => format!("{found}, {} not shown", thousands(filtered as u64)),
    }
}
