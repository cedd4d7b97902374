//! Operations, resources and conditions as texts that no two of them share.
//!
//! It is the text for people with marks in it, which are control characters: behind a name, behind a list, and wherever the
//! text for people does not tell two things apart. Names are chosen by others: what would part the text, or be read as
//! another thing, stands escaped in them, as `${ }` and `${*}` do, and so does every control character.

use std::fmt::Write as _;

use evenhand_model::catalog::Catalog;
use evenhand_model::condition::{Clause, Condition, Test};
use evenhand_model::glob::{Glob, Token};
use evenhand_model::opset::OpSet;
use evenhand_model::scope::{Pattern, ResourceScope};

/// Stands behind a name or a value, and between the segments of a pattern.
const NAME: char = '\u{1f}';
/// Stands behind the last of a list.
const LIST: char = '\u{1e}';
/// Stands before a condition in the words of its provider.
const WORDS: char = '\u{1d}';

/// What stands between resources of which the same is told.
pub(super) const JOINT: &str = " + ";

/// Names that would be read as what stands between two resources, or behind them.
const JOINTS: [&str; 4] = ["+", "if", "within", "except"];

/// The text for people: without marks.
pub(super) fn for_people(text: &str) -> String {
    text.replace([NAME, LIST, WORDS], "")
}

/// Operations, a whole group in one.
pub(super) fn operations(operations: &OpSet, catalog: &dyn Catalog, out: &mut String) {
    let mut begun = false;
    catalog.name_groups(operations, &mut |name| {
        if std::mem::replace(&mut begun, true) {
            out.push_str(", ");
        }
        operation(name, out);
    });
    out.push(LIST);
}

fn operation(name: &str, out: &mut String) {
    // Operations of Kubernetes are a verb and a resource, with a space that is left to them.
    let parts = name.split(' ').any(|word| word == "on" || word.ends_with([',', ';']));
    escaped(name, |c| c.is_control() || (parts && matches!(c, ' ' | ',' | ';')), out);
    out.push(NAME);
}

/// A pattern, as [`Pattern`] itself is told.
pub(super) fn pattern(pattern: &Pattern, out: &mut String) {
    let segments = pattern.segments();
    if segments.is_empty() {
        out.push('*');
        return;
    }
    // Of a whole scope its name says all.
    let free = match pattern.is_whole_scope() {
        true => segments.iter().rev().take_while(|segment| **segment == Glob::Any).count(),
        false => 0,
    };
    let named = segments.len() - free;
    for (at, segment) in segments.iter().enumerate() {
        if at > 0 {
            if at < named {
                out.push(pattern.separator());
            }
            out.push(NAME);
        }
        match segment {
            Glob::Literal(text) if named == 1 && JOINTS.contains(&&**text) => joint(text, out),
            _ if at < named => glob(segment, out),
            _ => {}
        }
    }
}

/// A name that is a word of the text.
fn joint(name: &str, out: &mut String) {
    let mut rest = name.chars();
    if let Some(first) = rest.next() {
        escape(first, out);
    }
    out.push_str(rest.as_str());
}

fn glob(glob: &Glob, out: &mut String) {
    let is_mark = |c: char| matches!(c, '*' | '?' | ' ' | ',' | ';') || c.is_control();
    match glob {
        Glob::Any => out.push('*'),
        Glob::Literal(text) => escaped(text, is_mark, out),
        Glob::Prefix(text) => {
            escaped(text, is_mark, out);
            out.push('*');
        }
        Glob::Tokens(tokens) => {
            let mut tokens = tokens.iter().peekable();
            while let Some(token) = tokens.next() {
                let opens = matches!(tokens.peek(), Some(Token::Char('{')));
                match token {
                    Token::Char(c) if is_mark(*c) || (*c == '$' && opens) => escape(*c, out),
                    Token::Char(c) => out.push(*c),
                    Token::One => out.push('?'),
                    Token::Many => out.push('*'),
                    Token::Variable(name) => {
                        out.push_str("${");
                        for c in name.chars() {
                            match is_mark(c) || matches!(c, '$' | '}') {
                                true => escape(c, out),
                                false => out.push(c),
                            }
                        }
                        out.push('}');
                    }
                }
            }
        }
    }
}

/// A scope, as [`ResourceScope`] itself is told.
pub(super) fn scope(scope: &ResourceScope, out: &mut String) {
    let list = |patterns: &[Pattern], out: &mut String| {
        for (at, one) in patterns.iter().enumerate() {
            if at > 0 {
                out.push_str(", ");
            }
            pattern(one, out);
        }
    };
    if scope.all_of.is_empty() {
        out.push('*');
    }
    for (at, patterns) in scope.all_of.iter().enumerate() {
        if at > 0 {
            out.push_str(" within ");
        }
        list(patterns, out);
    }
    if !scope.none_of.is_empty() {
        out.push_str(" except ");
        list(&scope.none_of, out);
    }
}

/// A condition, as [`Condition`] itself is told but for semicolons, which part the list.
pub(super) fn condition(condition: &Condition, out: &mut String) {
    for (at, clause) in condition.clauses().enumerate() {
        if at > 0 {
            out.push_str(" and ");
        }
        match clause {
            Clause::When(one) => test(one, out),
            Clause::Unless { tests, scope: reached } => {
                out.push_str("unless (");
                for (at, one) in tests.iter().enumerate() {
                    if at > 0 {
                        out.push_str(" and ");
                    }
                    test(one, out);
                }
                out.push(LIST);
                out.push(')');
                if !reached.is_everything() {
                    out.push_str(" on ");
                    scope(reached, out);
                }
                out.push(LIST);
            }
            Clause::AnyOf(alternatives) => {
                out.push_str("one of (");
                for (at, one) in alternatives.iter().enumerate() {
                    if at > 0 {
                        out.push_str(" or ");
                    }
                    self::condition(one, out);
                }
                out.push(LIST);
                out.push(')');
            }
            // Sentences, in which a space is no mark.
            Clause::Opaque(text) => {
                out.push(WORDS);
                escaped(text, |c| c == ';' || c.is_control(), out);
                out.push(NAME);
            }
        }
    }
    out.push(LIST);
}

fn test(test: &Test, out: &mut String) {
    for text in [&test.key, &test.operator] {
        word(text, out);
        out.push(' ');
    }
    for (at, value) in test.values.iter().enumerate() {
        if at > 0 {
            out.push_str(" | ");
        }
        word(value, out);
    }
    out.push(LIST);
}

/// A key, an operator or a value. A variable of the vendor stays what it is where nothing beside it is escaped.
fn word(text: &str, out: &mut String) {
    let is_mark = |c: char| matches!(c, ' ' | ';') || c.is_control();
    match text.contains(is_mark) {
        true => escaped(text, is_mark, out),
        false => out.push_str(text),
    }
    out.push(NAME);
}

/// A text in which marks, and what an escape begins with, are escaped.
fn escaped(text: &str, is_mark: impl Fn(char) -> bool, out: &mut String) {
    if !text.contains(|c: char| c == '$' || is_mark(c)) {
        out.push_str(text);
        return;
    }
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match is_mark(c) || (c == '$' && chars.peek() == Some(&'{')) {
            true => escape(c, out),
            false => out.push(c),
        }
    }
}

/// A character that stands for itself: by its number where people could not see it, or would misread it.
fn escape(c: char, out: &mut String) {
    out.push_str("${");
    match c {
        '*' | '?' | '$' | ' ' | ',' | ';' => out.push(c),
        _ => {
            let _ = write!(out, " {:x}", u32::from(c));
        }
    }
    out.push('}');
}
