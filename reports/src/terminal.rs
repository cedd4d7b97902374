//! The terminal report: what a person wants to know first, in as many columns as the terminal has.
//!
//! The order is that of the questions: how are we doing, which AI identity holds more than the human, what is worst and
//! what to do about it, and how much of this can be trusted.

use std::io::Write;

use comfy_table::{
    Cell, CellAlignment, Color, ColumnConstraint, ContentArrangement, LineStyle, Table, TableStyle, Width,
};
use evenhand_model::finding::{Finding, Severity, Status};
use evenhand_model::gap::GapKind;
use evenhand_model::parity::{Comparison, Verdict};
use evenhand_model::score::Score;
use evenhand_model::table::Value;
use owo_colors::{OwoColorize, Style};

use crate::report::{Report, SourceStatus, WriteError};
use crate::text::{counted, printable, shortened, thousands};

/// How to write.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// The width in columns.
    pub width: usize,
    /// Whether escape sequences for colour may be used.
    pub color: bool,
    /// How many rows of each long list are shown; `None` = all.
    pub limit: Option<usize>,
}

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

/// Writes one comparison in full: the parity card.
///
/// # Errors
/// When the sink refuses.
pub fn parity_card(comparison: &Comparison, options: Options, sink: &mut dyn Write) -> Result<(), WriteError> {
    Screen { options }.card(comparison, sink)
}

/// One rule under the header: rows of a report are read down, not across.
const TABLE_STYLE: TableStyle = TableStyle::new().header_separator(LineStyle::new('─', '─', '─', '─'));

struct Screen {
    options: Options,
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

fn verdict_color(verdict: Verdict) -> Color {
    match verdict {
        Verdict::Excess | Verdict::ControlGap => Color::Red,
        Verdict::Unknown | Verdict::NoBaseline => Color::Yellow,
        Verdict::Parity | Verdict::Narrower => Color::Green,
    }
}

fn verdict_words(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Excess => "EXCESS",
        Verdict::ControlGap => "CONTROL GAP",
        Verdict::Unknown => "UNKNOWN",
        Verdict::NoBaseline => "NO BASELINE",
        Verdict::Parity => "PARITY",
        Verdict::Narrower => "NARROWER",
    }
}

impl Screen {
    fn styled(&self, text: &str, style: Style) -> String {
        if self.options.color { text.style(style).to_string() } else { text.to_owned() }
    }

    /// A line broken at the terminal's width; its continuations stand two columns further in.
    fn say(&self, indent: usize, text: &str, style: Style, sink: &mut dyn Write) -> Result<(), WriteError> {
        let room = self.options.width.saturating_sub(indent + 2).max(16);
        for (at, part) in wrapped(text, room).iter().enumerate() {
            let margin = if at == 0 { indent } else { indent + 2 };
            writeln!(sink, "{:margin$}{}", "", self.styled(part, style))?;
        }
        Ok(())
    }

    fn heading(&self, text: &str, sink: &mut dyn Write) -> Result<(), WriteError> {
        writeln!(sink, "\n{}", self.styled(text, Style::new().bold()))?;
        Ok(())
    }

    fn limit(&self) -> usize {
        self.options.limit.unwrap_or(usize::MAX)
    }

    fn more(&self, shown: usize, all: usize, how: &str, sink: &mut dyn Write) -> Result<(), WriteError> {
        if shown < all {
            let line = format!("… and {} more; {how}", thousands((all - shown) as u64));
            self.say(2, &line, Style::new().dimmed(), sink)?;
        }
        Ok(())
    }

    fn table(&self, headers: &[&str]) -> Table {
        let mut table = Table::new();
        table
            .load_style(TABLE_STYLE)
            .set_content_arrangement(ContentArrangement::Dynamic)
            .set_width(u16::try_from(self.options.width).unwrap_or(u16::MAX))
            .set_header(headers.iter().map(Cell::new));
        if self.options.color {
            table.enforce_styling();
        } else {
            table.force_no_tty();
        }
        table
    }

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
            let row = ids.binary_search_by(|held| held.as_deref().cmp(&Some(id))).ok()?;
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

    fn card(&self, comparison: &Comparison, sink: &mut dyn Write) -> Result<(), WriteError> {
        let style = match verdict_color(comparison.verdict) {
            Color::Red => Style::new().red().bold(),
            Color::Green => Style::new().green().bold(),
            _ => Style::new().yellow().bold(),
        };
        writeln!(sink, "{}", self.styled(verdict_words(comparison.verdict), style))?;
        for line in wrapped(&printable(&comparison.summary), self.options.width.max(24)) {
            writeln!(sink, "{line}")?;
        }
        let mut sides = self.table(&["", "AI identity", "Human role"]);
        let number = |value: Option<u32>| value.map_or_else(|| "?".to_owned(), |value| thousands(u64::from(value)));
        sides.add_row(["who".to_owned(), printable(comparison.identity.as_str()), role_words(comparison)]);
        sides.add_row(["operations".to_owned(), number(comparison.operations), number(comparison.human_operations)]);
        sides.add_row(["weight".to_owned(), number(comparison.access_weight), number(comparison.human_weight)]);
        for control in &comparison.controls {
            sides.add_row([
                control.control.as_str().replace('_', " "),
                truth_words(control.identity).to_owned(),
                truth_words(control.human).to_owned(),
            ]);
        }
        writeln!(sink, "{sides}")?;
        writeln!(
            sink,
            "baseline: {}, confidence {:.1}",
            printable(&comparison.baseline.reason),
            comparison.baseline.source.confidence()
        )?;
        if let Some(coverage) = comparison.coverage {
            writeln!(sink, "coverage: it holds {:.0} % of the human role's access by weight", coverage * 100.0)?;
        }
        for control in
            comparison.controls.iter().filter(|control| control.is_gap() == evenhand_model::evidence::Truth::Yes)
        {
            let line = format!(
                "control gap: people pass {} before {} on {}, the AI identity does not",
                control.control.as_str().replace('_', " "),
                control_operations(control),
                control.resource
            );
            for part in wrapped(&printable(&line), self.options.width.max(24)) {
                writeln!(sink, "{part}")?;
            }
        }
        if !comparison.excess.is_empty() {
            self.heading(
                &format!(
                    "Excess: {} of weight {}, {} of high risk; {} undecided",
                    counted(comparison.excess_operations as usize, "operation", "operations"),
                    thousands(u64::from(comparison.excess_weight)),
                    comparison.high_risk_excess,
                    comparison.undecided_operations
                ),
                sink,
            )?;
            let mut table = self.table(&["Operation", "Level", "Weight", "On", "Granted by"]);
            let shown = comparison.excess.len().min(self.limit());
            for atom in comparison.excess.iter().take(shown) {
                let mark = if atom.decided { "" } else { " ?" };
                let many = if atom.operations > 1 { format!(" ({})", atom.operations) } else { String::new() };
                let condition =
                    if atom.condition.is_empty() { String::new() } else { format!(" when {}", atom.condition) };
                table.add_row([
                    Cell::new(printable(&format!("{}{many}{mark}", atom.operation))),
                    Cell::new(atom.level.as_str().replace('_', " ")),
                    Cell::new(atom.weight).set_alignment(CellAlignment::Right),
                    Cell::new(printable(&format!("{}{condition}", atom.scope))),
                    Cell::new(printable(&atom.grant.to_string())),
                ]);
            }
            writeln!(sink, "{table}")?;
            self.more(shown, comparison.excess.len(), "use --all", sink)?;
            if comparison.excess.iter().any(|atom| !atom.decided) {
                self.say(2, "? = nothing read tells whether the human role covers it", Style::new().dimmed(), sink)?;
            }
            let mut places: Vec<String> = Vec::new();
            for atom in comparison.excess.iter().take(shown) {
                let place = format!("{} stands at {}", atom.grant, atom.grant.evidence);
                if !places.contains(&place) {
                    places.push(place);
                }
            }
            for place in &places {
                self.say(2, &printable(place), Style::new().dimmed(), sink)?;
            }
        }
        for doubt in &comparison.doubts {
            for part in wrapped(&printable(&format!("doubt: {doubt}")), self.options.width.max(24)) {
                writeln!(sink, "{part}")?;
            }
        }
        Ok(())
    }
}

fn control_operations(control: &evenhand_model::parity::ControlComparison) -> String {
    let named = control.operations.join(", ");
    let rest = (control.count as usize).saturating_sub(control.operations.len());
    if rest > 0 { format!("{named} and {rest} more") } else { named }
}

fn truth_words(truth: evenhand_model::evidence::Truth) -> &'static str {
    match truth {
        evenhand_model::evidence::Truth::Yes => "in place",
        evenhand_model::evidence::Truth::No => "no",
        evenhand_model::evidence::Truth::Unknown => "?",
    }
}

fn role_words(comparison: &Comparison) -> String {
    if comparison.baseline.roles.is_empty() {
        return "none known".to_owned();
    }
    printable(&comparison.baseline.name)
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

/// Words broken into lines of at most `width` columns; a longer word is broken too.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};
    let mut lines: Vec<String> = Vec::new();
    let mut line = String::new();
    for word in text.split_whitespace() {
        if !line.is_empty() && line.width() + 1 + word.width() > width {
            lines.push(std::mem::take(&mut line));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        for c in word.chars() {
            if line.width() + c.width().unwrap_or(1) > width && !line.is_empty() {
                lines.push(std::mem::take(&mut line));
            }
            line.push(c);
        }
    }
    if !line.is_empty() || lines.is_empty() {
        lines.push(line);
    }
    lines
}
