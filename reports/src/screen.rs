//! What terminal reports share: the width, colours, lines that break, tables.

use std::io::Write;

use comfy_table::{Cell, Color, ContentArrangement, LineStyle, Table, TableStyle};
use evenhand_model::parity::{Comparison, Verdict};
use owo_colors::{OwoColorize, Style};

use crate::report::WriteError;
use crate::text::{printable, thousands};

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
        for (at, part) in wrapped(text, room).iter().enumerate() {
            let margin = if at == 0 { indent } else { indent + 2 };
            writeln!(sink, "{:margin$}{}", "", self.styled(part, style))?;
        }
        Ok(())
    }

    pub(crate) fn heading(&self, text: &str, sink: &mut dyn Write) -> Result<(), WriteError> {
        writeln!(sink, "\n{}", self.styled(text, Style::new().bold()))?;
        Ok(())
    }

    pub(crate) fn limit(&self) -> usize {
        self.options.limit.unwrap_or(usize::MAX)
    }

    pub(crate) fn more(&self, shown: usize, all: usize, how: &str, sink: &mut dyn Write) -> Result<(), WriteError> {
        if shown < all {
            let line = format!("… and {} more; {how}", thousands((all - shown) as u64));
            self.say(2, &line, Style::new().dimmed(), sink)?;
        }
        Ok(())
    }

    pub(crate) fn table(&self, headers: &[&str]) -> Table {
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
}

pub(crate) fn verdict_color(verdict: Verdict) -> Color {
    match verdict {
        Verdict::Excess | Verdict::ControlGap => Color::Red,
        Verdict::Unknown | Verdict::NoBaseline => Color::Yellow,
        Verdict::Parity | Verdict::Narrower => Color::Green,
    }
}

pub(crate) fn verdict_words(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Excess => "EXCESS",
        Verdict::ControlGap => "CONTROL GAP",
        Verdict::Unknown => "UNKNOWN",
        Verdict::NoBaseline => "NO BASELINE",
        Verdict::Parity => "PARITY",
        Verdict::Narrower => "NARROWER",
    }
}

pub(crate) fn role_words(comparison: &Comparison) -> String {
    if comparison.baseline.roles.is_empty() {
        return "none known".to_owned();
    }
    printable(&comparison.baseline.name)
}

/// Words broken into lines of at most `width` columns; a longer word is broken too.
pub(crate) fn wrapped(text: &str, width: usize) -> Vec<String> {
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
