//! What terminal reports share: the width, colours, lines that break, tables.

use std::io::Write;

use comfy_table::{Cell, Color, ColumnConstraint, ContentArrangement, LineStyle, Table, TableStyle, Width};
use evenhand_model::parity::{Comparison, Verdict};
use owo_colors::{OwoColorize, Style};
use unicode_width::UnicodeWidthStr;

use crate::report::WriteError;
use crate::text::{printable, thousands};
use crate::wrap::{hung, wrapped};

/// How to write.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// The width in columns.
    pub width: usize,
    /// Whether escape sequences for colour may be used.
    pub color: bool,
    /// How many rows of each long list are shown at most, and others told in short; `None` = all, in full.
    pub limit: Option<usize>,
    /// Whether files that are no document of anybody are listed one by one, rather than counted.
    pub every_file: bool,
}

/// One rule under the header: rows of a report are read down, not across.
const TABLE_STYLE: TableStyle = TableStyle::new().header_separator(LineStyle::new('─', '─', '─', '─'));

/// A terminal to write on.
pub(crate) struct Screen {
    pub(crate) options: Options,
}

impl Screen {
    pub(crate) fn styled(&self, text: &str, style: Style) -> String {
        if self.options.color { text.style(style).to_string() } else { text.to_owned() }
    }

    /// A line broken at the terminal's width; its continuations stand two columns further in.
    pub(crate) fn say(&self, indent: usize, text: &str, style: Style, sink: &mut dyn Write) -> Result<(), WriteError> {
        let room = self.options.width.saturating_sub(indent + 2).max(16);
        for (before, line) in hung(&" ".repeat(indent), indent + 2, text, room) {
            writeln!(sink, "{before}{}", self.styled(&line, style))?;
        }
        Ok(())
    }

    pub(crate) fn heading(&self, text: &str, sink: &mut dyn Write) -> Result<(), WriteError> {
        writeln!(sink)?;
        self.say(0, text, Style::new().bold(), sink)
    }

    pub(crate) fn limit(&self) -> usize {
        self.options.limit.unwrap_or(usize::MAX)
    }

    /// Whether everything is written: nothing is cut, and nothing told in short.
    pub(crate) fn is_whole(&self) -> bool {
        self.options.limit.is_none()
    }

    /// How many rows of a list are shown of which fewer than of others tell enough.
    pub(crate) fn most(&self, few: usize) -> usize {
        self.options.limit.map_or(usize::MAX, |limit| limit.min(few))
    }

    /// What is left out, and how it is had: `--all` writes everything.
    pub(crate) fn more(&self, shown: usize, all: usize, how: &str, sink: &mut dyn Write) -> Result<(), WriteError> {
        if shown < all {
            let line = format!("… and {} more; {how}", thousands((all - shown) as u64));
            self.say(2, &line, Style::new().dimmed(), sink)?;
        }
        Ok(())
    }

    pub(crate) fn print(&self, table: &Table, sink: &mut dyn Write) -> Result<(), WriteError> {
        writeln!(sink, "{}", table.trim_fmt())?;
        Ok(())
    }

    /// A table whose columns fit the terminal: wide ones give way to narrow ones, and no cell is cut inside a word.
    pub(crate) fn table(&self, headers: &[&str], rows: &[Vec<String>], color: Colors<'_>) -> Table {
        // Each column has a space on either side, and one stands between and around columns.
        let room = self.options.width.saturating_sub(3 * headers.len() + 1);
        let mut natural = natural_widths(headers, rows);
        let first = fair_widths(&natural, room);
        // Names that break well leave room that other columns can have.
        for (at, (natural, width)) in natural.iter_mut().zip(&first).enumerate() {
            let cells = rows.iter().filter_map(|row| row.get(at)).flat_map(|cell| wrapped(cell, *width));
            let header = headers.get(at).map_or(0, |header| header.width());
            let used = cells.map(|line| line.width()).max().unwrap_or(0).max(header);
            if used < *width {
                *natural = used;
            }
        }
        let widths = fair_widths(&natural, room);
        let mut table = Table::new();
        table
            .load_style(TABLE_STYLE)
            .set_content_arrangement(ContentArrangement::Dynamic)
            .set_width(u16::try_from(self.options.width).unwrap_or(u16::MAX))
            .set_header(headers.iter().map(Cell::new));
        for (at, row) in rows.iter().enumerate() {
            table.add_row(row.iter().zip(&widths).enumerate().map(|(column, (text, width))| {
                let cell = Cell::new(wrapped(text, *width).join("\n"));
                match color(at, column) {
                    Some(color) => cell.fg(color),
                    None => cell,
                }
            }));
        }
        let fixed =
            |width: &usize| ColumnConstraint::Absolute(Width::Fixed(u16::try_from(width + 2).unwrap_or(u16::MAX)));
        table.set_constraints(widths.iter().map(fixed));
        if self.options.color {
            table.enforce_styling();
        } else {
            table.force_no_tty();
        }
        table
    }
}

/// The colours of a table's cells, by row and column.
pub(crate) type Colors<'a> = &'a dyn Fn(usize, usize) -> Option<Color>;

/// A table in one colour.
pub(crate) const PLAIN: Colors<'static> = &|_, _| None;

/// The widths that columns would take if there were room.
fn natural_widths(headers: &[&str], rows: &[Vec<String>]) -> Vec<usize> {
    headers
        .iter()
        .enumerate()
        .map(|(at, header)| {
            let cells = rows.iter().filter_map(|row| row.get(at)).map(|cell| cell.width());
            cells.chain([header.width()]).max().unwrap_or(0)
        })
        .collect()
}

/// Widths that fit a room: the widest columns are cut to one width, and the others keep theirs.
fn fair_widths(natural: &[usize], room: usize) -> Vec<usize> {
    let widest = natural.iter().copied().max().unwrap_or(0);
    let cut = |most: usize| natural.iter().map(move |width| (*width).min(most));
    let most = (1..=widest).rev().find(|most| cut(*most).sum::<usize>() <= room).unwrap_or(1);
    cut(most).collect()
}

pub(crate) fn verdict_color(verdict: Verdict) -> Color {
    match verdict {
        Verdict::Excess | Verdict::ControlGap => Color::Red,
        Verdict::Unknown | Verdict::NoBaseline => Color::Yellow,
        Verdict::Parity | Verdict::Narrower => Color::Green,
    }
}

pub(crate) fn role_words(comparison: &Comparison) -> String {
    if comparison.baseline.roles.is_empty() {
        return "none known".to_owned();
    }
    printable(&comparison.baseline.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wide_columns_give_way_to_narrow_ones() {
        for (natural, room, widths) in
            [(&[5, 3][..], 20, &[5, 3][..]), (&[50, 3, 40], 60, &[28, 3, 28]), (&[9, 9], 1, &[1, 1]), (&[], 10, &[])]
        {
            assert_eq!(fair_widths(natural, room), widths, "{natural:?} {room}");
        }
    }
}
