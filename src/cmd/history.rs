//! `evenhand history`: the trend of a store, and queries over its tables.

use std::borrow::Cow;
use std::fmt::Display;
use std::io::{self, Write};

use comfy_table::presets::NOTHING;
use comfy_table::{CellAlignment, Table};
use evenhand_reports::csv::safe_record;
use evenhand_reports::markdown::literal;
use evenhand_reports::text::{counted, printable};
use serde_json::{Map, Value};

use super::{Failure, Invocation, say};
use crate::cli::{self, HistoryFormat};
use crate::gate::Exit;
use crate::output::to_stdout;
use crate::store::{Answer, Counts, Store, StoredScan};

pub(super) fn run(invocation: &Invocation, arguments: &cli::History) -> Result<Exit, Failure> {
    let store = Store::open(&arguments.store)?;
    if let Some(query) = &arguments.sql {
        let answer = store.query(query)?;
        print(&answer, arguments.output)?;
        invocation.console.detail(&counted(answer.rows.len(), "row", "rows"));
        return Ok(Exit::Passed);
    }
    let scans = store.scans()?;
    match arguments.output {
        HistoryFormat::Table => say(|sink| trend(&scans, sink))?,
        HistoryFormat::Markdown => to_stdout(|sink| trend_in_markdown(&scans, sink))?,
        HistoryFormat::Json => to_stdout(|sink| {
            serde_json::to_writer_pretty(&mut *sink, &scans)?;
            sink.write_all(b"\n")
        })?,
        HistoryFormat::Csv => {
            print(&store.query("SELECT * FROM scans ORDER BY scan_time, scan_id")?, HistoryFormat::Csv)?;
        }
    }
    Ok(Exit::Passed)
}

/// A line as high as a letter: one mark for each value of 0 to 1000.
fn sparkline(values: impl Iterator<Item = Option<i64>>) -> String {
    const MARKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    values
        .map(|value| {
            let step = value.map(|value| usize::try_from(value.clamp(0, 999) / 125).unwrap_or(0));
            step.and_then(|step| MARKS.get(step)).copied().unwrap_or(' ')
        })
        .collect()
}

/// The heads of the trend's columns; the first names the scan, the others are of numbers.
const HEADS: [&str; 11] = [
    "Scan",
    "Raw",
    "Governed",
    "Critical",
    "High",
    "Medium",
    "Low",
    "Undecided",
    "Identities",
    "AI compared",
    "Excess",
];

fn told(number: Option<i64>) -> String {
    number.map_or_else(|| "?".to_owned(), |number| number.to_string())
}

/// The cells of a scan, in the order of [`HEADS`].
fn cells(scan: &StoredScan) -> Vec<String> {
    let Counts { critical, high, medium, low } = scan.findings;
    let scores = [scan.raw, scan.governed];
    let others = [scan.undecided, scan.identities, scan.ai_identities, scan.excess_operations];
    let numbers = scores.into_iter().chain([critical, high, medium, low]).chain(others);
    std::iter::once(scan.time.clone()).chain(numbers.map(told)).collect()
}

/// The line of the governed scores, and the last ones in words.
fn headline(scans: &[StoredScan]) -> String {
    // More marks than a line is wide say nothing more.
    let last = scans.iter().skip(scans.len().saturating_sub(60));
    let line = sparkline(last.map(|scan| scan.governed));
    let now = |of: fn(&StoredScan) -> Option<i64>| told(scans.last().and_then(of));
    format!("{line}  {} of 1000 raw, {} governed", now(|scan| scan.raw), now(|scan| scan.governed))
}

fn trend(scans: &[StoredScan], sink: &mut dyn Write) -> io::Result<()> {
    writeln!(sink, "posture {}", headline(scans))?;
    let mut table = Table::new();
    table.load_style(NOTHING);
    table.set_header(HEADS);
    for scan in scans {
        table.add_row(cells(scan).iter().map(|cell| printable(cell)));
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    writeln!(sink, "{}", table.trim_fmt())
}

fn trend_in_markdown(scans: &[StoredScan], sink: &mut dyn Write) -> io::Result<()> {
    writeln!(sink, "### The posture of machine identities over time\n\nPosture {}\n", headline(scans))?;
    row(&HEADS, sink)?;
    writeln!(sink, "|---|{}", "---:|".repeat(HEADS.len() - 1))?;
    scans.iter().try_for_each(|scan| row(&cells(scan), sink))
}

/// A row of a table in Markdown.
fn row(cells: &[impl Display], sink: &mut dyn Write) -> io::Result<()> {
    let cells: Vec<String> = cells.iter().map(|cell| literal(&cell.to_string())).collect();
    writeln!(sink, "| {} |", cells.join(" | "))
}

fn print(answer: &Answer, format: HistoryFormat) -> Result<(), Failure> {
    let Answer { names, rows } = answer;
    match format {
        HistoryFormat::Table => say(|sink| {
            let mut table = Table::new();
            table.load_style(NOTHING);
            table.set_header(names.iter().map(|name| printable(name)));
            for row in rows {
                table.add_row(
                    row.iter().map(|cell| if cell.is_null() { "?".to_owned() } else { printable(&text(cell)) }),
                );
            }
            writeln!(sink, "{}", table.trim_fmt())
        })?,
        HistoryFormat::Markdown => to_stdout(|sink| {
            self::row(names, sink)?;
            writeln!(sink, "|{}", "---|".repeat(names.len()))?;
            let cells = |row: &Vec<Value>| -> Vec<String> {
                row.iter().map(|cell| if cell.is_null() { "?".to_owned() } else { text(cell).into_owned() }).collect()
            };
            rows.iter().try_for_each(|row| self::row(&cells(row), sink))
        })?,
        HistoryFormat::Json => to_stdout(|sink| {
            let object =
                |row: &Vec<Value>| -> Map<String, Value> { names.iter().cloned().zip(row.iter().cloned()).collect() };
            serde_json::to_writer_pretty(&mut *sink, &rows.iter().map(object).collect::<Vec<_>>())?;
            sink.write_all(b"\n")
        })?,
        HistoryFormat::Csv => to_stdout(|sink| {
            let mut out = csv::Writer::from_writer(sink);
            out.write_record(safe_record(names.iter().map(String::as_str)))?;
            for row in rows {
                let cells: Vec<_> = row.iter().map(text).collect();
                out.write_record(safe_record(cells.iter().map(|cell| &**cell)))?;
            }
            out.flush().map_err(csv::Error::from)
        })?,
    }
    Ok(())
}

/// A value as text; nothing for NULL.
fn text(value: &Value) -> Cow<'_, str> {
    match value {
        Value::Null => Cow::Borrowed(""),
        Value::String(text) => Cow::Borrowed(text),
        other => Cow::Owned(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_rises_with_the_score_and_leaves_room_for_what_is_not_known() {
        assert_eq!(sparkline([Some(0), Some(124), Some(125), None, Some(999), Some(1000)].into_iter()), "▁▁▂ ██");
    }
}
