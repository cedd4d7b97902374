//! Reads the condition language.
//!
//! What is not understood is an error with its place, and makes the whole condition undecided: guessing at a part of it
//! could turn an unknown into a yes.

use super::attributes::{Attribute, Source};
use super::compare::{Comparison, Operand, Operator, Quantifier};
use super::{Expression, NotUnderstood};
use crate::rbac::pattern::OperationPattern;

/// Parts may be nested so deep; Azure's own limit on the length of a condition allows less.
const DEEPEST: usize = 200;

pub(super) fn parse(text: &str) -> Result<Expression, NotUnderstood> {
    let mut parser = Parser { tokens: tokens(text)?, at: 0, depth: 0, end: text.chars().count() + 1 };
    let expression = parser.or()?;
    match parser.peek() {
        None => Ok(expression),
        Some(token) => Err(parser.wrong(&format!("nothing more is expected, but there is {}", token.said()))),
    }
}

#[derive(Clone, PartialEq, Debug)]
enum Token {
    Word(String),
    Text(String),
    Attribute(Attribute),
    Mark(char),
}

impl Token {
    fn said(&self) -> String {
        match self {
            Self::Word(word) => format!("`{word}`"),
            Self::Text(text) => format!("`'{text}'`"),
            Self::Attribute(attribute) => format!("`{attribute}`"),
            Self::Mark(mark) => format!("`{mark}`"),
        }
    }
}

fn tokens(text: &str) -> Result<Vec<(usize, Token)>, NotUnderstood> {
    let wrong = |at: usize, what: &str| NotUnderstood { what: what.to_owned(), at: at + 1 };
    let mut found = Vec::new();
    let mut rest = text.chars().enumerate().peekable();
    while let Some((at, c)) = rest.next() {
        let token = match c {
            _ if c.is_whitespace() => continue,
            '\'' => {
                let mut literal = String::new();
                loop {
                    match rest.next() {
                        Some((_, '\'')) => break Token::Text(literal),
                        Some((_, c)) => literal.push(c),
                        None => return Err(wrong(at, "a text has no end")),
                    }
                }
            }
            '@' => {
                let (mut source, mut name) = (String::new(), String::new());
                loop {
                    match rest.next() {
                        Some((_, '[')) => break,
                        Some((_, c)) if c.is_ascii_alphabetic() => source.push(c),
                        _ => return Err(wrong(at, "an attribute is written `@Source[name]`")),
                    }
                }
                loop {
                    match rest.next() {
                        Some((_, ']')) => break,
                        Some((_, c)) => name.push(c),
                        None => return Err(wrong(at, "an attribute has no end")),
                    }
                }
                let source = Source::of(&source).ok_or_else(|| wrong(at, "there is no such source of attributes"))?;
                Token::Attribute(Attribute::new(source, &name))
            }
            '&' | '|' => match rest.next_if(|(_, next)| *next == c) {
                Some(_) => Token::Word(if c == '&' { "and" } else { "or" }.to_owned()),
                None => return Err(wrong(at, "a sign stands alone that is written twice")),
            },
            '(' | ')' | '{' | '}' | ',' | ':' | '!' => Token::Mark(c),
            _ if c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | '+') => {
                let mut word = String::from(c);
                while let Some((_, c)) =
                    rest.next_if(|(_, c)| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | '+'))
                {
                    word.push(c);
                }
                Token::Word(word)
            }
            _ => return Err(wrong(at, "this sign has no meaning")),
        };
        found.push((at + 1, token));
    }
    Ok(found)
}

struct Parser {
    tokens: Vec<(usize, Token)>,
    at: usize,
    depth: usize,
    end: usize,
}

impl Parser {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at).map(|(_, token)| token)
    }

    fn next(&mut self) -> Option<Token> {
        let token = self.peek().cloned();
        self.at += 1;
        token
    }

    fn wrong(&self, what: &str) -> NotUnderstood {
        let at = self.tokens.get(self.at).map_or(self.end, |(at, _)| *at);
        NotUnderstood { what: what.to_owned(), at }
    }

    fn is_word(&self, word: &str) -> bool {
        matches!(self.peek(), Some(Token::Word(held)) if held.eq_ignore_ascii_case(word))
    }

    fn takes_word(&mut self, word: &str) -> bool {
        let is = self.is_word(word);
        self.at += usize::from(is);
        is
    }

    fn takes(&mut self, mark: char) -> bool {
        let is = self.peek() == Some(&Token::Mark(mark));
        self.at += usize::from(is);
        is
    }

    fn expect(&mut self, mark: char) -> Result<(), NotUnderstood> {
        if self.takes(mark) { Ok(()) } else { Err(self.wrong(&format!("`{mark}` is expected"))) }
    }

    fn or(&mut self) -> Result<Expression, NotUnderstood> {
        let mut left = self.and()?;
        while self.takes_word("or") {
            left = Expression::Or(Box::new(left), Box::new(self.and()?));
        }
        Ok(left)
    }

    fn and(&mut self) -> Result<Expression, NotUnderstood> {
        let mut left = self.not()?;
        while self.takes_word("and") {
            left = Expression::And(Box::new(left), Box::new(self.not()?));
        }
        Ok(left)
    }

    fn not(&mut self) -> Result<Expression, NotUnderstood> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(self.wrong("parts are nested too deep"));
        }
        let expression = if self.takes('!') || self.takes_word("not") {
            Expression::Not(Box::new(self.not()?))
        } else if self.takes('(') {
            let inner = self.or()?;
            self.expect(')')?;
            inner
        } else {
            self.test()?
        };
        self.depth -= 1;
        Ok(expression)
    }

    fn test(&mut self) -> Result<Expression, NotUnderstood> {
        if self.takes_word("actionmatches") {
            return Ok(Expression::ActionMatches(self.patterns()?));
        }
        if self.takes_word("suboperationmatches") {
            return Ok(Expression::SubOperationMatches(self.patterns()?));
        }
        if self.takes_word("exists") {
            return match self.next() {
                Some(Token::Attribute(attribute)) => Ok(Expression::Exists(attribute)),
                _ => Err(self.wrong("`Exists` asks for an attribute")),
            };
        }
        let left = self.operand()?;
        let (quantifier, operator) = self.operator()?;
        let right = self.operand()?;
        Ok(Expression::Compare(Comparison { left, quantifier, operator, right }))
    }

    fn operator(&mut self) -> Result<(Option<Quantifier>, Operator), NotUnderstood> {
        let mut quantifier = None;
        if let Some(Token::Word(word)) = self.peek()
            && let Some(found) = Quantifier::of(word)
        {
            quantifier = Some(found);
            self.at += 1;
            self.expect(':')?;
        }
        match self.peek() {
            Some(Token::Word(word)) => match Operator::of(word) {
                Some(operator) => {
                    self.at += 1;
                    Ok((quantifier, operator))
                }
                None => Err(self.wrong(&format!("there is no operator `{word}`"))),
            },
            _ => Err(self.wrong("an operator is expected")),
        }
    }

    fn patterns(&mut self) -> Result<Vec<OperationPattern>, NotUnderstood> {
        let texts = self.set()?;
        Ok(texts.iter().map(|text| OperationPattern::new(text)).collect())
    }

    fn set(&mut self) -> Result<Vec<String>, NotUnderstood> {
        self.expect('{')?;
        let mut texts = Vec::new();
        while !self.takes('}') {
            if !texts.is_empty() {
                self.expect(',')?;
            }
            match self.peek() {
                Some(Token::Text(text) | Token::Word(text)) => texts.push(text.clone()),
                _ => return Err(self.wrong("a value is expected")),
            }
            self.at += 1;
        }
        Ok(texts)
    }

    fn operand(&mut self) -> Result<Operand, NotUnderstood> {
        match self.peek() {
            Some(Token::Mark('{')) => Ok(Operand::Texts(self.set()?)),
            Some(Token::Attribute(attribute)) => {
                let operand = Operand::Attribute(attribute.clone());
                self.at += 1;
                Ok(operand)
            }
            Some(Token::Text(text) | Token::Word(text)) => {
                let operand = Operand::Texts(vec![text.clone()]);
                self.at += 1;
                Ok(operand)
            }
            _ => Err(self.wrong("an attribute or a value is expected")),
        }
    }
}
