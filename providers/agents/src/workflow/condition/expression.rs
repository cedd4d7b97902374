//! The form of GitHub's expressions: operators, parentheses, calls, operands. What they mean is for others.

use crate::tree::{self, Syntax};

/// One side of a comparison. GitHub compares texts without regard to case, so all are in lower case.
#[derive(Debug, PartialEq)]
pub(super) enum Operand {
    Text(String),
    Bool(bool),
    /// `github.event.issue.number` and its like.
    Path(String),
    Other,
}

impl Operand {
    pub(super) fn of(text: &str) -> Self {
        let text = unwrapped(text.trim()).to_ascii_lowercase();
        let is_path = |text: &str| {
            text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
                && text.chars().all(|one| one.is_ascii_alphanumeric() || matches!(one, '.' | '_' | '-'))
        };
        match text.as_str() {
            "true" => Self::Bool(true),
            "false" => Self::Bool(false),
            _ => match literal(&text) {
                Some(value) => Self::Text(value),
                None if is_path(&text) => Self::Path(text),
                None => Self::Other,
            },
        }
    }

    pub(super) fn path(&self) -> Option<&str> {
        match self {
            Self::Path(path) => Some(path),
            Self::Text(_) | Self::Bool(_) | Self::Other => None,
        }
    }
}

/// What a text in quotes says.
fn literal(text: &str) -> Option<String> {
    let inner = text.strip_prefix('\'')?.strip_suffix('\'')?;
    (!inner.replace("''", "").contains('\'')).then(|| inner.replace("''", "'"))
}

/// The words of a list in JSON.
pub(super) fn elements(json: &str) -> Option<Vec<String>> {
    let node = tree::parse(json, Syntax::Json).ok()?;
    match &node.value {
        tree::Value::List(elements) => elements.iter().map(|element| element.text().map(str::to_owned)).collect(),
        _ => None,
    }
}

/// The arguments of a call that is all of a text.
pub(super) fn call<'t>(text: &'t str, name: &str) -> Option<Vec<&'t str>> {
    let (start, rest) = text.trim().split_at_checked(name.len())?;
    let inner = rest.trim_start().strip_prefix('(')?.strip_suffix(')')?;
    (start.eq_ignore_ascii_case(name) && is_whole(inner)).then(|| split(inner, ","))
}

/// The two sides of an operator that stands once in a text.
pub(super) fn halves<'t>(text: &'t str, operator: &str) -> Option<(&'t str, &'t str)> {
    match split(text, operator)[..] {
        [one, other] => Some((one, other)),
        _ => None,
    }
}

/// A text without parentheses that hold all of it.
pub(super) fn unwrapped(mut text: &str) -> &str {
    /// Nobody writes more of them around one another.
    const MOST: usize = 16;
    for _ in 0..MOST {
        let Some(inner) = text.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')) else { break };
        if !is_whole(inner) {
            break;
        }
        text = inner.trim();
    }
    text
}

/// Whether every parenthesis and quote in a text has its partner in it.
fn is_whole(text: &str) -> bool {
    let (mut depth, mut quoted) = (0_i32, false);
    let never_below = text.chars().all(|character| {
        match character {
            '\'' => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted => depth -= 1,
            _ => {}
        }
        depth >= 0
    });
    never_below && depth == 0 && !quoted
}

/// Cuts at an operator outside parentheses and quotes.
pub(super) fn split<'t>(text: &'t str, operator: &str) -> Vec<&'t str> {
    let (mut parts, mut from, mut depth, mut quoted) = (Vec::new(), 0, 0_i32, false);
    for (at, character) in text.char_indices() {
        match character {
            '\'' => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted => depth -= 1,
            _ => {}
        }
        if !quoted && depth == 0 && at >= from && text.get(at..).is_some_and(|rest| rest.starts_with(operator)) {
            parts.push(text.get(from..at).unwrap_or("").trim());
            from = at + operator.len();
        }
    }
    parts.push(text.get(from..).unwrap_or("").trim());
    parts
}
