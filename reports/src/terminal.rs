//! The terminal report: what a person wants to know first, in as many columns as the terminal has.
//!
//! The order is that of the questions: how are we doing, which AI identity holds more than the human, what is worst and
//! what to do about it, and how much of this can be trusted.

use std::io::Write;

use comfy_table::{Cell, CellAlignment, Color, ColumnConstraint, Width};
use evenhand_model::finding::{Finding, Severity, Status};
use evenhand_model::gap::GapKind;
use evenhand_model::parity::Comparison;
use evenhand_model::score::Score;
use evenhand_model::table::Value;
use owo_colors::Style;

use crate::report::{Report, SourceStatus, WriteError};
pub use crate::screen::Options;
use crate::screen::{Screen, role_words, verdict_color, verdict_words, wrapped};
use crate::text::{counted, printable, shortened, thousands};

/// Writes the report.
///
/// # Errors
/// When the sink refuses.
pub fn write(report: &Report, options: Options, sink: &mut dyn Write) -> Result<(), WriteError> {
    let screen = Screen { options };
    screen.summary(report, sink)?;
    screen.parity(report, sink)?;
    screen.findings(report, sink)?;
    screen.coverage(report, sink)?;
    Ok(())
}

/// Writes the identities as a table, for `inventory`.
///
/// # Errors
/// When the sink refuses.
pub fn inventory(report: &Report, options: Options, sink: &mut dyn Write) -> Result<(), WriteError> {
    Screen { options }.inventory(report, sink)
}

/// The severity, worst first, as a person reads it.
fn severity_style(severity: Severity) -> Style {
    match severity {
        Severity::Critical => Style::new().bright_red().bold(),
        Severity::High => Style::new().red(),
        Severity::Medium => Style::new().yellow(),
        Severity::Low => Style::new().dimmed(),
    }
}

impl Screen {
    fn summary(&self, report: &Report, sink: &mut dyn Write) -> Result<(), WriteError> {
        let Some(score) = &report.score else { return Ok(()) };
        let governed = if score.governed == score.raw {
            String::new()
        } else {
            format!(" (governed {})", score.governed.thousandths())
        };
        let line = format!("evenhand posture {} of 1000{governed}  ·  {}", score.raw.thousandths(), open_words(score));
        self.say(0, &line, Style::new().bold(), sink)?;
        let judged: Vec<String> = report
            .coverage
            .verdicts
            .iter()
            .filter(|(_, count)| *count > 0)
            .map(|(verdict, count)| format!("{count} {}", verdict.replace('_', " ")))
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
                "no AI identity was found, so this score says nothing about agents; {} of unknown nature not judged",
                counted(unknown, "identity", "identities")
            );
            self.say(0, &line, Style::new().yellow(), sink)?;
        }
        if let Some(exposure) = score.exposure {
            let line = format!(
                "{}.{} % of the machine identities have an open critical or high finding",
                exposure.0 / 10_000,
                exposure.0 / 1_000 % 10
            );
            self.say(0, &line, Style::new(), sink)?;
        }
        // With several rules of the worst severity open, no single one lifts the score: then the band says more.
        let worth_it = |mover: &&evenhand_model::score::Mover| mover.fixed.0 >= score.raw.0.saturating_add(10_000);
        if let Some(mover) = score.moved_by.first().filter(worth_it) {
            let line = format!(
                "fixing {} ({} open) alone would bring the score to {}",
                mover.rule,
                mover.open,
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
                self.heading("No AI identity found", sink)?;
                let line = "nothing read proves one; name yours with the tag evenhand:nature=ai_agent or a [[job]] in evenhand.toml";
                self.say(2, line, Style::new(), sink)?;
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
        let shown = ranked.len().min(self.limit());
        if self.options.width < 90 {
            for comparison in ranked.iter().take(shown) {
                self.parity_lines(report, comparison, sink)?;
            }
        } else {
            let mut table = self.table(&["AI identity", "Verdict", "Human role", "What differs"]);
            for comparison in ranked.iter().take(shown) {
                let name = self.name_of(report, comparison.identity.as_str());
                let role = role_words(comparison);
                table.add_row([
                    Cell::new(name),
                    Cell::new(verdict_words(comparison.verdict)).fg(verdict_color(comparison.verdict)),
                    Cell::new(role),
                    Cell::new(printable(&comparison.summary)),
                ]);
            }
            let fair = |share: usize| Width::Fixed(u16::try_from(self.options.width * share / 100).unwrap_or(40));
            table.set_constraints([
                ColumnConstraint::UpperBoundary(fair(28)),
                ColumnConstraint::ContentWidth,
                ColumnConstraint::UpperBoundary(fair(24)),
                ColumnConstraint::UpperBoundary(fair(45)),
            ]);
            writeln!(sink, "{table}")?;
        }
        self.more(shown, ranked.len(), "-o json has them all", sink)?;
        Ok(())
    }

    fn parity_lines(&self, report: &Report, comparison: &Comparison, sink: &mut dyn Write) -> Result<(), WriteError> {
        let style = match verdict_color(comparison.verdict) {
            Color::Red => Style::new().red(),
            Color::Green => Style::new().green(),
            _ => Style::new().yellow(),
        };
        let name = self.name_of(report, comparison.identity.as_str());
        writeln!(
            sink,
            "  {:<11}  {}",
            self.styled(&format!("{:<11}", verdict_words(comparison.verdict)), style),
            shortened(&name, self.options.width.saturating_sub(16).max(12))
        )?;
        writeln!(
            sink,
            "      beside {}",
            shortened(&role_words(comparison), self.options.width.saturating_sub(14).max(12))
        )?;
        for line in wrapped(&printable(&comparison.summary), self.options.width.saturating_sub(6).max(20)) {
            writeln!(sink, "      {line}")?;
        }
        Ok(())
    }

    /// An identity as people call it, with where it lives.
    fn name_of(&self, report: &Report, id: &str) -> String {
        let found = report.tables.iter().find(|table| table.spec.name == "identities").and_then(|table| {
            let evenhand_model::table::Column::Text(ids) = table.column("id")? else { return None };
            let row = ids.position_sorted(id)?;
            match (table.value(row, "name"), table.value(row, "scope")) {
                (Value::Text(name), Value::Text(scope)) => {
                    let place = scope.split_once(':').map_or(&*scope, |(_, place)| place);
                    // Some names say already where they live.
                    Some(if name.contains(place) { name.to_string() } else { format!("{name} ({scope})") })
                }
                _ => None,
            }
        });
        printable(&found.unwrap_or_else(|| id.to_owned()))
    }

    fn findings(&self, report: &Report, sink: &mut dyn Write) -> Result<(), WriteError> {
        if report.score.is_none() {
            return Ok(());
        }
        let failed: Vec<&Finding> = report.findings.iter().filter(|finding| finding.status == Status::Fail).collect();
        let unknown = report.findings.len() - failed.len();
        if failed.is_empty() {
            self.heading("No finding", sink)?;
        } else {
            self.heading(&format!("Findings, worst first ({})", thousands(failed.len() as u64)), sink)?;
        }
        // One rule at a time: people fix rules, not rows.
        let mut rules: Vec<(&str, Vec<&Finding>)> = Vec::new();
        for finding in &failed {
            match rules.iter_mut().find(|(rule, _)| *rule == finding.rule.as_str()) {
                Some((_, rows)) => rows.push(finding),
                None => rules.push((finding.rule.as_str(), vec![finding])),
            }
        }
        let shown = rules.len().min(self.limit());
        for (rule, rows) in rules.iter().take(shown) {
            let Some(first) = rows.first() else { continue };
            let label = format!("{:<8}", first.severity.as_str());
            writeln!(
                sink,
                "  {} {} {}",
                self.styled(&label, severity_style(first.severity)),
                self.styled(rule, Style::new().bold()),
                self.styled(&format!("({})", rows.len()), Style::new().dimmed())
            )?;
            let width = self.options.width.saturating_sub(11).max(24);
            let each = if self.options.limit.is_some() { 3 } else { usize::MAX };
            for row in rows.iter().take(each) {
                self.say(11, &printable(&row.title), Style::new(), sink)?;
                if let Some(evidence) = row.evidence.first() {
                    let place = shortened(&printable(&evidence.to_string()), width.saturating_sub(3));
                    writeln!(sink, "           {}", self.styled(&format!("at {place}"), Style::new().dimmed()))?;
                }
            }
            if rows.len() > each {
                let more = format!("… and {} more like this", thousands((rows.len() - each) as u64));
                writeln!(sink, "           {}", self.styled(&more, Style::new().dimmed()))?;
            }
            // A remedy's first line says what to do; its steps, a list per vendor, are a page that `explain` prints.
            let mut remedy = first.remedy.lines();
            let what = printable(remedy.next().unwrap_or_default());
            let steps =
                if remedy.next().is_some() { format!(" Steps: evenhand explain {rule}") } else { String::new() };
            self.say(11, &format!("fix: {what}{steps}"), Style::new(), sink)?;
        }
        self.more(shown, rules.len(), "use -o csv:findings=findings.csv or -o json=report.json for all of them", sink)?;
        if unknown > 0 {
            let line = format!(
                "{} could not be decided for lack of evidence (in -o json, status unknown)",
                counted(unknown, "check", "checks")
            );
            self.say(2, &line, Style::new(), sink)?;
        }
        if report.filtered > 0 {
            writeln!(sink, "  {} left out by filters", counted(report.filtered, "finding", "findings"))?;
        }
        Ok(())
    }

    fn coverage(&self, report: &Report, sink: &mut dyn Write) -> Result<(), WriteError> {
        self.heading("What this rests on", sink)?;
        let coverage = &report.coverage;
        let natures: Vec<String> = coverage
            .natures
            .iter()
            .filter(|(_, count)| *count > 0)
            .map(|(nature, count)| format!("{} {}", thousands(*count as u64), nature.replace('_', " ")))
            .collect();
        let line = format!(
            "{} ({}) in {}",
            counted(coverage.identities, "identity", "identities"),
            natures.join(", "),
            counted(coverage.files_read + coverage.files_partial, "document", "documents")
        );
        self.say(2, &line, Style::new(), sink)?;
        if let Some(percent) = coverage.percent() {
            writeln!(
                sink,
                "  {percent} % of {} over {} could be decided",
                counted(
                    usize::try_from(coverage.decided + coverage.undecided).unwrap_or(usize::MAX),
                    "check",
                    "checks"
                ),
                counted(coverage.rules, "rule", "rules")
            )?;
        }
        let failed: Vec<_> = report.gaps.iter().filter(|gap| gap.kind == GapKind::Failed).collect();
        let absent: Vec<_> = report.gaps.iter().filter(|gap| gap.kind == GapKind::NotCollected).collect();
        let width = self.options.width.saturating_sub(4).max(24);
        if !failed.is_empty() {
            let line =
                format!("  {} could not be read: this scan is incomplete", counted(failed.len(), "part", "parts"));
            writeln!(sink, "{}", self.styled(&line, Style::new().red()))?;
            self.gap_lines(&failed, sink)?;
        }
        if !absent.is_empty() {
            writeln!(sink, "  not part of what was read, hence unknown:")?;
            self.gap_lines(&absent, sink)?;
        }
        let unrecognised: Vec<_> =
            report.scan.sources.iter().filter(|file| file.status == SourceStatus::Unrecognised).collect();
        if !unrecognised.is_empty() {
            writeln!(sink, "  {} not recognised:", counted(unrecognised.len(), "file", "files"))?;
            let shown = unrecognised.len().min(self.limit());
            for file in unrecognised.iter().take(shown) {
                let line = format!("{}: {}", printable(&file.path), printable(&file.what));
                writeln!(sink, "    {}", shortened(&line, width))?;
            }
            self.more(shown, unrecognised.len(), "-o json has them all", sink)?;
        }
        if !report.hints.is_empty() {
            writeln!(sink, "  worth knowing:")?;
            let shown = report.hints.len().min(self.limit());
            for hint in report.hints.iter().take(shown) {
                let line = format!("{} ({})", printable(&hint.message), printable(&hint.evidence.to_string()));
                self.say(4, &line, Style::new(), sink)?;
            }
            self.more(shown, report.hints.len(), "-o json has them all", sink)?;
        }
        Ok(())
    }

    fn gap_lines(&self, gaps: &[&evenhand_model::gap::Gap], sink: &mut dyn Write) -> Result<(), WriteError> {
        // The same thing missing in forty accounts is one line, not forty.
        let mut lines: Vec<(String, Vec<&str>)> = Vec::new();
        for gap in gaps {
            let facts = if gap.facts.is_empty() { String::new() } else { format!(" (unknown: {})", gap.facts) };
            let line = format!("{}: {}{facts}", gap.call, gap.reason);
            let scope = gap.scope.as_ref().map(|scope| scope.as_str());
            match lines.iter_mut().find(|(held, _)| *held == line) {
                Some((_, scopes)) => scopes.extend(scope),
                None => lines.push((line, scope.into_iter().collect())),
            }
        }
        let shown = lines.len().min(self.limit());
        for (line, scopes) in lines.iter().take(shown) {
            let places = match scopes.as_slice() {
                [] => String::new(),
                [one] => format!("in {one}: "),
                [one, another] => format!("in {one} and {another}: "),
                [one, another, rest @ ..] => format!("in {one}, {another} and {} more: ", rest.len()),
            };
            self.say(4, &printable(&format!("{places}{line}")), Style::new(), sink)?;
        }
        self.more(shown, lines.len(), "-o json has them all", sink)
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
        let narrow = self.options.width < 90;
        let headers: &[&str] = if narrow {
            &["Identity", "Nature"]
        } else {
            &["Identity", "Kind", "Scope", "Nature", "Because", "Owner", "Idle days"]
        };
        let mut table = self.table(headers);
        let shown = identities.rows().min(self.limit());
        for row in 0..shown {
            let owner = match identities.value(row, "has_owner") {
                Value::Boolean(false) => "none".to_owned(),
                _ => text(row, "owner"),
            };
            if narrow {
                table.add_row([text(row, "name"), text(row, "nature")]);
            } else {
                table.add_row([
                    text(row, "name"),
                    text(row, "kind"),
                    text(row, "scope"),
                    text(row, "nature"),
                    text(row, "nature_evidence"),
                    owner,
                    text(row, "idle_days"),
                ]);
            }
        }
        if let Some(column) = table.column_mut(6) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        writeln!(sink, "{table}")?;
        self.more(shown, identities.rows(), "-o csv:inventory=inventory.csv has them all", sink)?;
        self.coverage(report, sink)
    }
}

fn open_words(score: &Score) -> String {
    let open = &score.open;
    let parts: Vec<String> =
        [(open.critical, "critical"), (open.high, "high"), (open.medium, "medium"), (open.low, "low")]
            .iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, word)| format!("{} {word}", thousands(*count)))
            .collect();
    if parts.is_empty() { "nothing open".to_owned() } else { format!("open: {}", parts.join(", ")) }
}
