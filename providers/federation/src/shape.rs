//! Patterns over subjects in pieces: between separators, with their wildcards.

use evenhand_model::glob::{Glob, Token};

/// A piece of a pattern.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Shape(Vec<Token>);

impl Shape {
    pub(crate) fn of(pattern: &Glob) -> Self {
        Self(pattern.tokens())
    }

    /// The pattern that it is.
    pub(crate) fn tokens(&self) -> &[Token] {
        &self.0
    }

    /// Whether it holds a wildcard.
    pub(crate) fn is_wild(&self) -> bool {
        self.0.iter().any(|token| !matches!(token, Token::Char(_)))
    }

    /// Whether it is nothing but wildcards.
    pub(crate) fn is_open(&self) -> bool {
        !self.0.is_empty() && self.0.iter().all(|token| !matches!(token, Token::Char(_)))
    }

    /// The text, where there is no wildcard.
    pub(crate) fn literal(&self) -> Option<String> {
        let char = |token: &Token| if let Token::Char(c) = token { Some(*c) } else { None };
        self.0.iter().map(char).collect()
    }

    /// What every text that fits begins with.
    pub(crate) fn head(&self) -> String {
        self.0.iter().map_while(|token| if let Token::Char(c) = token { Some(*c) } else { None }).collect()
    }

    /// What stands before the first separator, and what behind it.
    pub(crate) fn split_once(&self, separator: char) -> Option<(Self, Self)> {
        let mut halves = self.0.splitn(2, |token| *token == Token::Char(separator));
        let (before, after) = (halves.next()?, halves.next()?);
        Some((Self(before.to_vec()), Self(after.to_vec())))
    }

    /// The pieces between a separator. A `*` that runs over separators stays in the piece in which it stands: what is
    /// written after it has to come after it.
    pub(crate) fn split(&self, separator: char) -> Vec<Self> {
        self.0.split(|token| *token == Token::Char(separator)).map(|piece| Self(piece.to_vec())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_keep_their_wildcards() {
        let shape = Shape::of(&Glob::wildcard("repo:o/app-*:ref:refs/heads/main"));
        let pieces = shape.split(':');
        let heads: Vec<String> = pieces.iter().map(Shape::head).collect();
        assert_eq!(heads, ["repo", "o/app-", "ref", "refs/heads/main"]);
        assert_eq!(pieces.iter().map(Shape::is_wild).collect::<Vec<_>>(), [false, true, false, false]);
        let (before, after) = Shape::of(&Glob::wildcard("o/*@a@b")).split_once('@').unwrap();
        assert_eq!((before.head(), after.literal()), ("o/".to_owned(), Some("a@b".to_owned())));
        assert_eq!(shape.split_once('@'), None);
        assert!(Shape::of(&Glob::wildcard("?*")).is_open() && !Shape::of(&Glob::literal("")).is_open());
        assert_eq!(Shape::of(&Glob::literal("a*")).literal().as_deref(), Some("a*"));
    }
}
