//! The parity card: one identity, as a rule an AI identity, beside its human role, in full.

use std::io::Write;

use comfy_table::{CellAlignment, Color};
use evenhand_model::evidence::Truth;
use evenhand_model::identity::Nature;
use evenhand_model::parity::{Comparison, ControlComparison, ExcessAtom, GateComparison};
use owo_colors::Style;

use crate::report::WriteError;
use crate::screen::{Options, PLAIN, Screen, role_words, verdict_color};
use crate::text::{counted, printable, thousands};

/// Writes one comparison in full, and what stands before people where its human role does not get. `nature`: that of the
/// identity.
///
/// # Errors
/// When the sink refuses.
pub fn write(
    comparison: &Comparison,
    gates: &[GateComparison],
    nature: Nature,
    options: Options,
    sink: &mut dyn Write,
) -> Result<(), WriteError> {
    Screen { options }.card(comparison, gates, nature, sink)
}

/// What an identity is, as the head of its column and within a sentence.
fn word(nature: Nature) -> (&'static str, &'static str) {
    match nature {
        Nature::AiAgent => ("AI identity", "AI identity"),
        Nature::Workload => ("Workload", "workload"),
        Nature::ThirdParty => ("Third party", "third party"),
        Nature::Human | Nature::HumanRole | Nature::Unknown => ("Identity", "identity"),
    }
}

impl Screen {
    fn card(
        &self,
        comparison: &Comparison,
        gates: &[GateComparison],
        nature: Nature,
        sink: &mut dyn Write,
    ) -> Result<(), WriteError> {
        let (head, it) = word(nature);
        let style = match verdict_color(comparison.verdict) {
            Color::Red => Style::new().red().bold(),
            Color::Green => Style::new().green().bold(),
            _ => Style::new().yellow().bold(),
        };
        writeln!(sink, "{}", self.styled(comparison.verdict.as_str(), style))?;
        self.say(0, &printable(&comparison.summary), Style::new(), sink)?;
        let number = |value: Option<u32>| value.map_or_else(|| "?".to_owned(), |value| thousands(u64::from(value)));
        let row = |what: &str, ai: String, human: String| vec![what.to_owned(), ai, human];
        let mut sides = vec![
            row("who", printable(comparison.identity.as_str()), role_words(comparison)),
            row("operations", number(comparison.operations), number(comparison.human_operations)),
            row("weight", number(comparison.access_weight), number(comparison.human_weight)),
        ];
        sides.extend(comparison.controls.iter().map(|control| {
            let (ai, human) = (truth_words(control.identity), truth_words(control.human));
            row(&control.control.as_str().replace('_', " "), ai.to_owned(), human.to_owned())
        }));
        self.print(&self.table(&["", head, "Human role"], &sides, PLAIN), sink)?;
        let confidence = comparison.baseline.source.confidence();
        let line = format!("baseline: {}, confidence {confidence:.1}", printable(&comparison.baseline.reason));
        self.say(0, &line, Style::new(), sink)?;
        if let Some(coverage) = comparison.coverage {
            let line = format!("coverage: it holds {:.0} % of the human role's access by weight", coverage * 100.0);
            self.say(0, &line, Style::new(), sink)?;
        }
        for control in comparison.controls.iter().filter(|control| control.is_gap() == Truth::Yes) {
            let does = format!(", the {it} does not");
            self.control(&before("control gap: people", control), control, &does, sink)?;
        }
        for gate in gates {
            self.gate(gate, it, sink)?;
        }
        if !comparison.excess.is_empty() {
            self.excess(comparison, sink)?;
        }
        for doubt in &comparison.doubts {
            self.say(0, &printable(&format!("doubt: {doubt}")), Style::new(), sink)?;
        }
        Ok(())
    }

    /// A gate that the identity passes by, or may. `it`: what the identity is.
    fn gate(&self, gate: &GateComparison, it: &str, sink: &mut dyn Write) -> Result<(), WriteError> {
        let GateComparison { human_role, stands_before, control, .. } = gate;
        let people = format!("people with {human_role}");
        // They do not pass it before what takes it away.
        if !stands_before.is_empty() {
            let (whether, does) = match (control.human, control.identity) {
                (Truth::No, _) | (_, Truth::Yes) => return Ok(()),
                (Truth::Yes, Truth::No) => ("", format!(", the {it} takes it away")),
                (Truth::Yes, Truth::Unknown) => ("", format!(", the {it} may take it away")),
                (Truth::Unknown, Truth::No) => ("whether ", format!(" is not known; the {it} can take it away")),
                (Truth::Unknown, Truth::Unknown) => ("whether ", format!(" is not known; the {it} may take it away")),
            };
            let passed = format!("{} before {}", control_words(control), stands_before.join(", "));
            let said = format!("whatever the job: {whether}{people} pass {passed}");
            return self.control(&said, control, &format!("{does} by {}", control_operations(control)), sink);
        }
        let does = match control.is_gap() {
            Truth::Yes => format!(", the {it} does not"),
            Truth::Unknown => format!(", nothing tells whether the {it} does"),
            Truth::No => return Ok(()),
        };
        self.control(&before(&format!("whatever the job: {people}"), control), control, &does, sink)
    }

    /// What people pass a control before and the identity does not, or may not, with why and where that is written. `does`
    /// goes on behind the place.
    fn control(
        &self,
        people: &str,
        control: &ControlComparison,
        does: &str,
        sink: &mut dyn Write,
    ) -> Result<(), WriteError> {
        let why = if control.reason.is_empty() { String::new() } else { format!(": {}", control.reason) };
        let line = format!("{people} on {}{does}{why}", control.resource);
        self.say(0, &printable(&line), Style::new(), sink)?;
        for evidence in &control.evidence {
            self.say(1, &printable(&format!("at {evidence}")), Style::new(), sink)?;
        }
        Ok(())
    }

    fn excess(&self, comparison: &Comparison, sink: &mut dyn Write) -> Result<(), WriteError> {
        let wider = match comparison.wider_operations {
            0 => String::new(),
            wider => format!(" ({wider} that people have too, on less or under conditions)"),
        };
        self.heading(
            &format!(
                "Excess: {}{wider} of weight {}, {} of high risk; {} undecided",
                counted(comparison.excess_operations as usize, "operation", "operations"),
                thousands(u64::from(comparison.excess_weight)),
                comparison.high_risk_excess,
                comparison.undecided_operations
            ),
            sink,
        )?;
        let shown = comparison.excess.len().min(self.limit());
        let rows = comparison.excess.iter().take(shown).map(ExcessLine::of);
        if self.options.width < NARROW {
            for row in rows {
                self.say(2, &format!("{} ({}, weight {})", row.operation, row.level, row.weight), Style::new(), sink)?;
                self.say(6, &format!("on {}", row.place), Style::new(), sink)?;
                if let Some(people) = &row.people {
                    self.say(6, people, Style::new(), sink)?;
                }
                self.say(6, &format!("by {}", row.grant), Style::new().dimmed(), sink)?;
            }
        } else {
            let cells = |row: ExcessLine| {
                let place = match row.people {
                    Some(people) => format!("{} ({people})", row.place),
                    None => row.place,
                };
                vec![row.operation, row.level, row.weight, place, row.grant]
            };
            let rows: Vec<Vec<String>> = rows.map(cells).collect();
            let mut table = self.table(&["Operation", "Level", "Weight", "On", "Granted by"], &rows, PLAIN);
            if let Some(weight) = table.column_mut(2) {
                weight.set_cell_alignment(CellAlignment::Right);
            }
            self.print(&table, sink)?;
        }
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
        Ok(())
    }
}

/// On terminals narrower than this, a table of excess is a list.
const NARROW: usize = 90;

/// An excess atom in words.
struct ExcessLine {
    operation: String,
    level: String,
    weight: String,
    place: String,
    people: Option<String>,
    grant: String,
}

impl ExcessLine {
    fn of(atom: &ExcessAtom) -> Self {
        let mark = if atom.decided { "" } else { " ?" };
        let many = if atom.operations > 1 { format!(" ({})", atom.operations) } else { String::new() };
        let condition = if atom.condition.is_empty() { String::new() } else { format!(" when {}", atom.condition) };
        Self {
            operation: printable(&format!("{}{many}{mark}", atom.operation)),
            level: atom.level.as_str().replace('_', " "),
            weight: atom.weight.to_string(),
            place: printable(&format!("{}{condition}", atom.scope)),
            people: atom.people_have.as_ref().map(|place| printable(&format!("people have it {place} only"))),
            grant: printable(&atom.grant.to_string()),
        }
    }
}

/// That people pass a control before its operations.
fn before(people: &str, control: &ControlComparison) -> String {
    format!("{people} pass {} before {}", control_words(control), control_operations(control))
}

fn control_words(control: &ControlComparison) -> String {
    control.control.as_str().replace('_', " ")
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
