//! Errors in the configuration: what, where, and the nearest thing that would be right.

use std::ops::Range;
use std::sync::Arc;

use miette::{Diagnostic, LabeledSpan, NamedSource, SourceCode};

/// Something in the configuration that is not understood.
#[derive(Debug)]
pub struct ConfigProblem {
    /// `evenhand.toml:3:7: there is no level `hihg``.
    message: String,
    remedy: Option<String>,
    place: Option<Box<Place>>,
}

#[derive(Debug)]
struct Place {
    span: Range<usize>,
    source: NamedSource<Arc<str>>,
}

impl ConfigProblem {
    pub(super) fn unreadable(path: &str, error: &std::io::Error) -> Self {
        Self::of_file(path, error, "check the path given with `--config` or EVENHAND_CONFIG, or use `--no-config`")
    }

    /// A file of waivers that is there and cannot be read: a scan without them would judge what was accepted.
    pub(super) fn no_waivers(path: &str, error: &std::io::Error) -> Self {
        Self::of_file(path, error, "let this user read it, or leave waivers and configuration out with `--no-config`")
    }

    fn of_file(path: &str, error: &std::io::Error, remedy: &str) -> Self {
        Self { message: format!("`{path}` cannot be read: {error}"), remedy: Some(remedy.to_owned()), place: None }
    }

    /// What to do.
    pub fn remedy(&self) -> Option<&str> {
        self.remedy.as_deref()
    }
}

impl std::fmt::Display for ConfigProblem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for ConfigProblem {}

impl Diagnostic for ConfigProblem {
    fn help<'a>(&'a self) -> Option<Box<dyn std::fmt::Display + 'a>> {
        self.remedy.as_ref().map(|remedy| Box::new(remedy) as Box<dyn std::fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.place.as_ref().map(|place| &place.source as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let span = self.place.as_ref()?.span.clone();
        Some(Box::new(std::iter::once(LabeledSpan::underline(span))))
    }
}

/// A file's text, for naming places in it.
#[derive(Debug)]
pub(super) struct Text {
    path: Arc<str>,
    content: Arc<str>,
}

impl Text {
    pub(super) fn new(path: &str, content: String) -> Self {
        Self { path: path.into(), content: content.into() }
    }

    pub(super) fn path(&self) -> &str {
        &self.path
    }

    pub(super) fn content(&self) -> &str {
        &self.content
    }

    /// Line and column of a byte, both from 1; the column in characters.
    pub(super) fn place(&self, offset: usize) -> (usize, usize) {
        let before = self.content.get(..self.content.floor_char_boundary(offset)).unwrap_or_default();
        let line = before.rsplit('\n').next().unwrap_or_default();
        (before.matches('\n').count() + 1, line.chars().count() + 1)
    }

    pub(super) fn at(&self, span: Range<usize>, message: String, remedy: Option<String>) -> ConfigProblem {
        let (line, column) = self.place(span.start);
        ConfigProblem {
            message: format!("{}:{line}:{column}: {message}", self.path),
            remedy,
            place: Some(Box::new(Place { span, source: NamedSource::new(&self.path, Arc::clone(&self.content)) })),
        }
    }

    /// The key of the `[gate]` table whose value begins at a byte.
    fn gate_key(&self, offset: usize) -> Option<&str> {
        let before = self.content.get(..self.content.floor_char_boundary(offset))?;
        let line = before.rsplit('\n').next()?;
        let table = before.lines().rev().find_map(|line| line.trim_start().strip_prefix('['));
        let is_gate = match table {
            Some(table) => table.trim_start().starts_with("gate]"),
            None => line.trim_start().starts_with("gate"),
        };
        let key = line.trim_end().strip_suffix('=')?.trim_end().rsplit([' ', '\t', '.', '{', ',']).next()?;
        is_gate.then_some(key)
    }

    /// An error of the TOML reader. For an unknown key it lists the known ones, of which the nearest is the remedy.
    pub(super) fn syntax(&self, error: &toml::de::Error) -> ConfigProblem {
        let message = error.message().trim().to_owned();
        let words: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
        let remedy = match words.split_first() {
            Some((unknown, known)) if message.starts_with("unknown") => super::one_of(unknown, known),
            _ => None,
        };
        // What the reader says of it speaks of its own types.
        let is_large_float = message.starts_with("floating-point number overflowed");
        let is_large = message.starts_with("invalid type: integer") && message.contains(" as i128")
            || message.starts_with("integer number overflowed")
            || is_large_float;
        let remedy = match (is_large, is_large_float) {
            (true, is_float) => {
                let own = error.span().and_then(|span| super::gate::bounds(self.gate_key(span.start)?));
                let most = if is_float { "1.7e308".to_owned() } else { i64::MAX.to_string() };
                own.or_else(|| Some(format!("write a number of at most {most}")))
            }
            (false, _) => remedy,
        };
        let said = match (message.starts_with("unknown field"), words.first()) {
            (true, Some(unknown)) => format!("there is no key `{unknown}` here"),
            _ if is_large => "this number is too large".to_owned(),
            _ => message,
        };
        match error.span() {
            Some(span) => self.at(span, said, remedy),
            None => ConfigProblem { message: format!("{}: {said}", self.path), remedy, place: None },
        }
    }
}
