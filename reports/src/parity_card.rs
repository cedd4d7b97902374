//! The parity card: one AI identity beside its human role, in full.

use std::io::Write;

use comfy_table::{Cell, CellAlignment, Color};
use evenhand_model::evidence::Truth;
use evenhand_model::parity::{Comparison, ControlComparison};
use owo_colors::Style;

use crate::report::WriteError;
use crate::screen::{Options, Screen, role_words, verdict_color, verdict_words, wrapped};
use crate::text::{counted, printable, thousands};

/// Writes one comparison in full.
///
/// # Errors
/// When the sink refuses.
pub fn write(comparison: &Comparison, options: Options, sink: &mut dyn Write) -> Result<(), WriteError> {
    Screen { options }.card(comparison, sink)
}

impl Screen {
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
        for control in comparison.controls.iter().filter(|control| control.is_gap() == Truth::Yes) {
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

fn control_operations(control: &ControlComparison) -> String {
    let named = control.operations.join(", ");
    let rest = (control.count as usize).saturating_sub(control.operations.len());
    if rest > 0 { format!("{named} and {rest} more") } else { named }
}

fn truth_words(truth: Truth) -> &'static str {
    match truth {
        Truth::Yes => "in place",
        Truth::No => "no",
        Truth::Unknown => "?",
    }
}
