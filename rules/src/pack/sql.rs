//! Just enough of SQL's lexical grammar to bind parameters and to see words that a rule must not use.
//!
//! Predicates are parsed and evaluated elsewhere; a text that this module cannot follow is left for the parser to refuse.

use std::fmt::Write as _;

use crate::pack::rule::ParamValue;

/// A piece of SQL.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Token<'a> {
    /// A bare word: a keyword, a function or a column.
    Word(&'a str),
    /// A quoted identifier, without its quotes.
    Quoted(&'a str),
    /// A text literal, quotes included.
    Text(&'a str),
    /// A parameter, without its colon.
    Param(&'a str),
    /// A number.
    Number(&'a str),
    /// Anything else, character by character; `::` is one symbol.
    Symbol(&'a str),
    /// White space and comments.
    Space(&'a str),
}

impl Token<'_> {
    /// Whether it is this keyword.
    pub(crate) fn is_word(&self, keyword: &str) -> bool {
        matches!(self, Self::Word(word) if word.eq_ignore_ascii_case(keyword))
    }
}

/// Splits SQL into tokens; joined again they are the input, apart from the marks of quoted identifiers and parameters.
pub(crate) fn tokens<'a>(sql: &'a str) -> Vec<Token<'a>> {
    let mut found = Vec::new();
    let mut rest = sql;
    while let Some(first) = rest.chars().next() {
        let (length, make): (usize, fn(&'a str) -> Token<'a>) = match first {
            '\'' => (quoted_length(rest, '\''), Token::Text),
            '"' => (quoted_length(rest, '"'), |text| {
                let text = text.strip_prefix('"').unwrap_or(text);
                Token::Quoted(text.strip_suffix('"').unwrap_or(text))
            }),
            ':' if rest.starts_with("::") => (2, Token::Symbol),
            ':' if rest.chars().nth(1).is_some_and(is_word_start) => {
                (1 + run(rest.get(1..).unwrap_or_default(), is_word), |text| {
                    Token::Param(text.strip_prefix(':').unwrap_or(text))
                })
            }
            '-' if rest.starts_with("--") => (rest.find('\n').unwrap_or(rest.len()), Token::Space),
            '/' if rest.starts_with("/*") => (rest.find("*/").map_or(rest.len(), |end| end + 2), Token::Space),
            c if c.is_whitespace() => (run(rest, char::is_whitespace), Token::Space),
            c if is_word_start(c) => (run(rest, is_word), Token::Word),
            c if c.is_ascii_digit() => (run(rest, |c| c.is_ascii_digit() || c == '.'), Token::Number),
            c => (c.len_utf8(), Token::Symbol),
        };
        let Some((token, after)) = rest.split_at_checked(length.max(1)) else { break };
        found.push(make(token));
        rest = after;
    }
    found
}

fn is_word_start(c: char) -> bool {
    c.is_alphabetic() || c == '_'
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn run(text: &str, inside: impl Fn(char) -> bool) -> usize {
    text.find(|c| !inside(c)).unwrap_or(text.len())
}

/// The length of a quoted run, in which the quote is written twice to stand for itself.
fn quoted_length(text: &str, quote: char) -> usize {
    let mut characters = text.char_indices().skip(1).peekable();
    while let Some((at, c)) = characters.next() {
        if c == quote {
            if characters.peek().is_some_and(|(_, next)| *next == quote) {
                characters.next();
            } else {
                return at + 1;
            }
        }
    }
    text.len()
}

/// Puts the values of parameters in their places, as literals of their types.
///
/// # Errors
/// The name of a parameter that is not declared.
pub(crate) fn bind<'v>(sql: &str, value_of: impl Fn(&str) -> Option<&'v ParamValue>) -> Result<String, String> {
    let mut bound = String::with_capacity(sql.len());
    for token in tokens(sql) {
        match token {
            Token::Param(name) => match value_of(name) {
                Some(value) => literal(value, &mut bound),
                None => return Err(name.to_owned()),
            },
            Token::Quoted(name) => {
                let _ = write!(bound, "\"{name}\"");
            }
            Token::Word(text) | Token::Text(text) | Token::Number(text) | Token::Symbol(text) | Token::Space(text) => {
                bound.push_str(text);
            }
        }
    }
    Ok(bound)
}

/// Writes a value so that it can only be read as that value.
fn literal(value: &ParamValue, sql: &mut String) {
    match value {
        ParamValue::Boolean(true) => sql.push_str("TRUE"),
        ParamValue::Boolean(false) => sql.push_str("FALSE"),
        // In parentheses, so that a sign cannot join what stands before it.
        ParamValue::Integer(number) => {
            let _ = write!(sql, "({number})");
        }
        ParamValue::Float(number) => {
            let _ = write!(sql, "({number:?})");
        }
        ParamValue::Text(text) => {
            sql.push('\'');
            for c in text.chars() {
                if c == '\'' {
                    sql.push('\'');
                }
                sql.push(c);
            }
            sql.push('\'');
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn parameters_are_found_outside_of_quotes_comments_and_casts_only() {
        let params = |sql: &'static str| -> Vec<&str> {
            tokens(sql).into_iter().filter_map(|t| if let Token::Param(name) = t { Some(name) } else { None }).collect()
        };
        assert_eq!(params("age_days > :max AND x = ':no' -- :no\n OR :other"), ["max", "other"]);
        assert_eq!(params("a::text = 'it''s :no' /* :no */ AND \":no\" > 1"), Vec::<&str>::new());
    }

    #[test]
    fn a_text_value_stays_one_literal() {
        let value = ParamValue::Text("x' OR TRUE --".to_owned());
        let bound = bind("name = :v", |_| Some(&value)).unwrap();
        assert_eq!(bound, "name = 'x'' OR TRUE --'");
        let kinds: Vec<bool> = tokens(&bound).iter().map(|t| matches!(t, Token::Text(_))).collect();
        assert_eq!(kinds.iter().filter(|text| **text).count(), 1);
        assert_eq!(bind("name = :w", |_| None), Err("w".to_owned()));
    }

    proptest! {
        #[test]
        fn no_text_is_lost(sql in "[a-z0-9:'\"/*\\- \n_é(]{0,40}") {
            let mut joined = String::new();
            for token in tokens(&sql) {
                match token {
                    Token::Param(name) => { joined.push(':'); joined.push_str(name); }
                    Token::Quoted(name) => joined.push_str(name),
                    Token::Word(t) | Token::Text(t) | Token::Number(t) | Token::Symbol(t) | Token::Space(t) => joined.push_str(t),
                }
            }
            prop_assert_eq!(joined.replace('"', ""), sql.replace('"', ""));
        }
    }
}
