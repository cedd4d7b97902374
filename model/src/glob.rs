//! Patterns over names: literals, `*`, `?`, and variables that only a request can fill.
//!
//! Two questions are answered exactly: does a pattern match a text, and does one pattern's language contain another's.
//! Containment is what "the human role covers this" rests on, so it is decided on languages and not on spelling:
//! `?*` contains `*a`, and `a*` does not contain `*`.

use std::fmt;
use std::sync::Arc;

use crate::evidence::Truth;

/// One element of a pattern.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Token {
    /// This character.
    Char(char),
    /// Any one character.
    One,
    /// Any characters, or none.
    Many,
    /// The value of a request variable, such as the caller's name: some text, unknown here.
    Variable(Arc<str>),
}

/// A pattern over one name. Ordered and hashed by its canonical form.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Glob {
    /// Exactly this text.
    Literal(Arc<str>),
    /// Anything at all.
    Any,
    /// A text that begins so; the commonest wildcard.
    Prefix(Arc<str>),
    /// Anything else, in canonical form: within a run of wildcards `?` come before one `*`.
    Tokens(Arc<[Token]>),
}

impl Glob {
    /// A text in which nothing is special.
    pub fn literal(text: impl Into<Arc<str>>) -> Self {
        Self::Literal(text.into())
    }

    /// A text in which `*` and `?` are wildcards and nothing else is special.
    pub fn wildcard(text: &str) -> Self {
        if text == "*" {
            return Self::Any;
        }
        let head = text.strip_suffix('*').unwrap_or(text);
        if !head.bytes().any(|byte| matches!(byte, b'*' | b'?')) {
            return if head.len() == text.len() { Self::Literal(text.into()) } else { Self::Prefix(head.into()) };
        }
        Self::from_tokens(text.chars().map(|c| match c {
            '*' => Token::Many,
            '?' => Token::One,
            other => Token::Char(other),
        }))
    }

    /// Any sequence of tokens.
    pub fn from_tokens(tokens: impl IntoIterator<Item = Token>) -> Self {
        let mut canonical: Vec<Token> = Vec::new();
        let mut many = false;
        for token in tokens {
            match token {
                Token::Many => many = true,
                Token::One => canonical.push(Token::One),
                other => {
                    if many {
                        canonical.push(Token::Many);
                        many = false;
                    }
                    canonical.push(other);
                }
            }
        }
        if many {
            canonical.push(Token::Many);
        }
        let literals = canonical.iter().take_while(|token| matches!(token, Token::Char(_))).count();
        let head = || -> Arc<str> {
            canonical
                .iter()
                .filter_map(|token| if let Token::Char(c) = token { Some(*c) } else { None })
                .collect::<String>()
                .into()
        };
        if literals == canonical.len() {
            return Self::Literal(head());
        }
        if literals + 1 == canonical.len() && canonical.last() == Some(&Token::Many) {
            return if literals == 0 { Self::Any } else { Self::Prefix(head()) };
        }
        Self::Tokens(canonical.into())
    }

    /// Whether the pattern holds a variable.
    pub fn has_variable(&self) -> bool {
        match self {
            Self::Tokens(tokens) => tokens.iter().any(|token| matches!(token, Token::Variable(_))),
            Self::Literal(_) | Self::Any | Self::Prefix(_) => false,
        }
    }

    /// The pattern character by character, in canonical form.
    pub fn tokens(&self) -> Vec<Token> {
        match self {
            Self::Literal(text) => text.chars().map(Token::Char).collect(),
            Self::Any => vec![Token::Many],
            Self::Prefix(text) => text.chars().map(Token::Char).chain([Token::Many]).collect(),
            Self::Tokens(tokens) => tokens.to_vec(),
        }
    }

    /// A text that the pattern matches, with letters for its wildcards that are in hardly any name; `None` = a variable
    /// decides.
    pub(crate) fn example(&self) -> Option<String> {
        let mut text = String::new();
        for token in self.tokens() {
            match token {
                Token::Char(c) => text.push(c),
                Token::One => text.push('q'),
                Token::Many => text.push_str("qzx7"),
                Token::Variable(_) => return None,
            }
        }
        Some(text)
    }

    /// The characters that every matching text begins with.
    fn head(&self) -> impl Iterator<Item = char> {
        let (text, tokens): (&str, &[Token]) = match self {
            Self::Literal(text) | Self::Prefix(text) => (text, &[]),
            Self::Any => ("", &[]),
            Self::Tokens(tokens) => ("", tokens),
        };
        text.chars().chain(tokens.iter().map_while(|token| if let Token::Char(c) = token { Some(*c) } else { None }))
    }

    /// Whether texts of the two patterns differ in their first characters already, so that they share none.
    fn begins_apart(&self, other: &Self) -> bool {
        self.head().zip(other.head()).any(|(a, b)| a != b)
    }

    /// Whether the pattern matches the text. Unknown when that depends on a variable.
    pub fn matches(&self, text: &str) -> Truth {
        match self {
            Self::Any => Truth::Yes,
            Self::Literal(literal) => (**literal == *text).into(),
            Self::Prefix(prefix) => text.starts_with(&**prefix).into(),
            // A variable matches no text for certain, and any text perhaps.
            Self::Tokens(tokens) => {
                if matches_text(tokens, text) {
                    Truth::Yes
                } else if self.has_variable() && matches_text(&widened(tokens), text) {
                    Truth::Unknown
                } else {
                    Truth::No
                }
            }
        }
    }

    /// Whether every text that `inner` matches is matched by this pattern too.
    ///
    /// Exact without variables. A variable stands for one unknown text: it is contained in whatever contains every
    /// text in its place, and in the same variable; otherwise the answer is unknown, or no where even the widest
    /// reading of the outer pattern does not reach.
    pub fn contains(&self, inner: &Self) -> Truth {
        match (self, inner) {
            (Self::Any, _) => return Truth::Yes,
            (Self::Literal(a), Self::Literal(b)) => return (a == b).into(),
            (Self::Prefix(a), Self::Literal(b) | Self::Prefix(b)) => return b.starts_with(&**a).into(),
            (Self::Literal(_), Self::Any | Self::Prefix(_)) | (Self::Prefix(_), Self::Any) => return Truth::No,
            _ => {}
        }
        if self.begins_apart(inner) {
            return Truth::No;
        }
        let (outer, inner) = (self.tokens(), inner.tokens());
        if contains_language(&outer, &inner) {
            return Truth::Yes;
        }
        let variables = |tokens: &[Token]| tokens.iter().any(|token| matches!(token, Token::Variable(_)));
        let one_text = |tokens: &[Token]| !tokens.iter().any(|token| matches!(token, Token::One | Token::Many));
        match (variables(&outer), variables(&inner)) {
            // Whatever the variable stands for, one text is not many.
            (true, _) if one_text(&outer) && !one_text(&inner) => Truth::No,
            (false, false) => Truth::No,
            (false, true) if !overlaps_language(&outer, &widened(&inner)) => Truth::No,
            (true, false) if !contains_language(&widened(&outer), &inner) => Truth::No,
            (true, true) if !overlaps_language(&widened(&outer), &widened(&inner)) => Truth::No,
            _ => Truth::Unknown,
        }
    }

    /// Whether some text is matched by both patterns; unknown when a variable decides.
    pub fn overlaps(&self, other: &Self) -> Truth {
        let share = match (self, other) {
            (Self::Any, _) | (_, Self::Any) => return Truth::Yes,
            (Self::Literal(a), Self::Literal(b)) => a == b,
            (Self::Prefix(a), Self::Literal(b)) | (Self::Literal(b), Self::Prefix(a)) => b.starts_with(&**a),
            (Self::Prefix(a), Self::Prefix(b)) => a.starts_with(&**b) || b.starts_with(&**a),
            (Self::Literal(text), tokens) | (tokens, Self::Literal(text)) => return tokens.matches(text),
            (Self::Prefix(text), Self::Tokens(tokens)) | (Self::Tokens(tokens), Self::Prefix(text)) => {
                may_begin(tokens, text)
            }
            (Self::Tokens(a), Self::Tokens(b)) => {
                !self.begins_apart(other) && overlaps_language(&widened(a), &widened(b))
            }
        };
        match share {
            false => Truth::No,
            true if self.has_variable() || other.has_variable() => Truth::Unknown,
            true => Truth::Yes,
        }
    }
}

/// Whether tokens match a text in which nothing is special: greedy, going back to the last `*` only.
fn matches_text(tokens: &[Token], text: &str) -> bool {
    let (mut at, mut rest) = (0, text.chars());
    let mut back: Option<(usize, std::str::Chars<'_>)> = None;
    loop {
        let mut ahead = rest.clone();
        let fits = match tokens.get(at) {
            Some(Token::Many) => {
                back = Some((at + 1, rest.clone()));
                at += 1;
                continue;
            }
            Some(Token::One) => ahead.next().is_some(),
            Some(Token::Char(c)) => ahead.next() == Some(*c),
            Some(Token::Variable(_)) => false,
            None if rest.as_str().is_empty() => return true,
            None => false,
        };
        if fits {
            (at, rest) = (at + 1, ahead);
            continue;
        }
        let Some((to, mut from)) = back.take() else { return false };
        if from.next().is_none() {
            return false;
        }
        (at, rest) = (to, from.clone());
        back = Some((to, from));
    }
}

/// Whether some text that begins so is matched by tokens, variables read as any text. A wildcard takes whatever is left.
fn may_begin(tokens: &[Token], text: &str) -> bool {
    let mut rest = text.chars();
    for token in tokens {
        let Some(next) = rest.next() else { return true };
        match token {
            Token::Many | Token::Variable(_) => return true,
            Token::One => {}
            Token::Char(c) if *c == next => {}
            Token::Char(_) => return false,
        }
    }
    rest.as_str().is_empty()
}

/// Variables read as any text.
fn widened(tokens: &[Token]) -> Vec<Token> {
    tokens.iter().map(|token| if let Token::Variable(_) = token { Token::Many } else { token.clone() }).collect()
}

/// The positions of `pattern` that are reachable without consuming anything more.
fn close(pattern: &[Token], states: &mut [bool]) {
    for at in 0..pattern.len() {
        if states.get(at) == Some(&true)
            && pattern.get(at) == Some(&Token::Many)
            && let Some(next) = states.get_mut(at + 1)
        {
            *next = true;
        }
    }
}

/// One symbol of the inner pattern, seen by the outer one. `None` is a character that occurs nowhere in the outer
/// pattern: the hardest one to match, hence the only one to try for a wildcard.
fn step(pattern: &[Token], states: &[bool], symbol: Option<&Token>) -> Vec<bool> {
    let mut next = vec![false; pattern.len() + 1];
    for (at, token) in pattern.iter().enumerate() {
        if states.get(at) != Some(&true) {
            continue;
        }
        let to = match token {
            // A variable inside is a text of unknown length: only `*` swallows it whole, or the same variable.
            Token::Many => Some(at),
            Token::One => (!matches!(symbol, Some(Token::Variable(_)))).then_some(at + 1),
            Token::Char(_) | Token::Variable(_) => (symbol == Some(token)).then_some(at + 1),
        };
        if let Some(slot) = to.and_then(|to| next.get_mut(to)) {
            *slot = true;
        }
    }
    close(pattern, &mut next);
    next
}

/// Language inclusion by subset construction: `outer` is determinised while `inner` is walked.
fn contains_language(outer: &[Token], inner: &[Token]) -> bool {
    let mut start = vec![false; outer.len() + 1];
    if let Some(first) = start.first_mut() {
        *first = true;
    }
    close(outer, &mut start);
    let mut frontier: Vec<Vec<bool>> = vec![start];
    for token in inner {
        let mut next: Vec<Vec<bool>> = Vec::new();
        let mut keep = |states: Vec<bool>| {
            if !next.contains(&states) {
                next.push(states);
            }
        };
        for states in &frontier {
            match token {
                Token::Char(_) | Token::Variable(_) => keep(step(outer, states, Some(token))),
                Token::One => keep(step(outer, states, None)),
                Token::Many => {
                    let mut seen = vec![states.clone()];
                    let mut current = states.clone();
                    loop {
                        current = step(outer, &current, None);
                        if seen.contains(&current) {
                            break;
                        }
                        seen.push(current.clone());
                    }
                    seen.into_iter().for_each(&mut keep);
                }
            }
        }
        if next.iter().any(|states| !states.contains(&true)) {
            return false;
        }
        frontier = next;
    }
    frontier.iter().all(|states| states.last() == Some(&true))
}

/// Whether two patterns without variables share a text.
fn overlaps_language(a: &[Token], b: &[Token]) -> bool {
    // reach[j] = the first i tokens of `a` and the first j of `b` can describe the same text.
    let mut reach = vec![false; b.len() + 1];
    let mut next = reach.clone();
    if let Some(first) = reach.first_mut() {
        *first = true;
    }
    close(b, &mut reach);
    for token in a {
        if *token == Token::Many {
            let from = reach.iter().position(|held| *held).unwrap_or(usize::MAX);
            reach.iter_mut().skip(from).for_each(|slot| *slot = true);
            continue;
        }
        next.fill(false);
        for (at, other) in b.iter().enumerate() {
            if reach.get(at) != Some(&true) {
                continue;
            }
            let to = match (token, other) {
                (_, Token::Many) => Some(at),
                (Token::One, _) | (_, Token::One) => Some(at + 1),
                (x, y) => (x == y).then_some(at + 1),
            };
            if let Some(slot) = to.and_then(|to| next.get_mut(to)) {
                *slot = true;
            }
        }
        close(b, &mut next);
        std::mem::swap(&mut reach, &mut next);
    }
    reach.last() == Some(&true)
}

impl fmt::Display for Glob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Literal(text) => f.write_str(text),
            Self::Any => f.write_str("*"),
            Self::Prefix(text) => write!(f, "{text}*"),
            Self::Tokens(tokens) => tokens.iter().try_for_each(|token| match token {
                Token::Char(c) => write!(f, "{c}"),
                Token::One => f.write_str("?"),
                Token::Many => f.write_str("*"),
                Token::Variable(name) => write!(f, "${{{name}}}"),
            }),
        }
    }
}

impl fmt::Debug for Glob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.to_string())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn containment_is_decided_on_languages_not_on_spelling() {
        for (outer, inner, expected) in [
            ("*", "a", Truth::Yes),
            ("a*", "*", Truth::No),
            ("*?", "?*", Truth::Yes),
            ("?*", "*a", Truth::Yes),
            ("*a*", "ba", Truth::Yes),
            ("*a*b", "aab", Truth::Yes),
            ("a*b", "a?b", Truth::Yes),
            ("a?b", "a*b", Truth::No),
            ("??*", "*a*", Truth::No),
            ("*ab*", "*aab*", Truth::Yes),
            ("role/app-*", "role/app-*-eu", Truth::Yes),
        ] {
            assert_eq!(Glob::wildcard(outer).contains(&Glob::wildcard(inner)), expected, "{outer} ⊇ {inner}");
        }
    }

    #[test]
    fn variables_are_undecided_unless_everything_or_nothing_fits() {
        let own = Glob::from_tokens("user/".chars().map(Token::Char).chain([Token::Variable("aws:username".into())]));
        assert_eq!(Glob::wildcard("user/*").contains(&own), Truth::Yes);
        assert_eq!(own.contains(&own), Truth::Yes);
        assert_eq!(Glob::wildcard("user/bob").contains(&own), Truth::Unknown);
        assert_eq!(own.contains(&Glob::wildcard("user/bob")), Truth::Unknown);
        assert_eq!(own.contains(&Glob::wildcard("role/bob")), Truth::No);
        assert_eq!(own.contains(&Glob::wildcard("user/*")), Truth::No);
        assert_eq!(Glob::wildcard("role/*").contains(&own), Truth::No);
    }

    #[test]
    fn whether_a_text_is_shared_is_undecided_where_a_variable_has_a_say() {
        let own = Glob::from_tokens("user/".chars().map(Token::Char).chain([Token::Variable("aws:username".into())]));
        for (other, expected) in [
            ("*", Truth::Yes),
            ("user/*", Truth::Unknown),
            ("us*", Truth::Unknown),
            ("user/b*", Truth::Unknown),
            ("u*b", Truth::Unknown),
            ("user/bob", Truth::Unknown),
            ("role/*", Truth::No),
            ("r*b", Truth::No),
            ("role/bob", Truth::No),
        ] {
            let other = Glob::wildcard(other);
            assert_eq!((own.overlaps(&other), other.overlaps(&own)), (expected, expected), "{other}");
        }
    }

    #[test]
    fn a_beginning_shares_a_text_with_what_may_begin_so() {
        for (a, b, expected) in [
            ("abc*", "*/*", Truth::Yes),
            ("abc*", "a?c", Truth::Yes),
            ("abc*", "?bcd", Truth::Yes),
            ("abc*", "a?", Truth::No),
            ("abc*", "a?d*x", Truth::No),
            ("abc*", "ab*c*d", Truth::Yes),
        ] {
            let (p, q) = (Glob::wildcard(a), Glob::wildcard(b));
            assert_eq!((p.overlaps(&q), q.overlaps(&p)), (expected, expected), "{a} {b}");
        }
    }

    #[test]
    fn however_it_is_read_a_pattern_has_one_form() {
        for text in ["", "*", "**", "a", "a*", "a**", "?", "a?", "?*", "*?", "a*b", "ab*?*"] {
            let tokens = text.chars().map(|c| match c {
                '*' => Token::Many,
                '?' => Token::One,
                other => Token::Char(other),
            });
            assert_eq!(Glob::wildcard(text), Glob::from_tokens(tokens), "{text}");
        }
    }

    /// Every text over a tiny alphabet up to length four.
    fn texts() -> Vec<String> {
        let mut all = vec![String::new()];
        let mut last = all.clone();
        for _ in 0..4 {
            last = last.iter().flat_map(|text| ["a", "b", "c"].map(|c| format!("{text}{c}"))).collect();
            all.extend(last.clone());
        }
        all
    }

    proptest! {
        #[test]
        fn contained_patterns_match_no_more_texts(outer in "[ab*?]{0,4}", inner in "[ab*?]{0,4}") {
            let (p, q) = (Glob::wildcard(&outer), Glob::wildcard(&inner));
            let counterexample =
                texts().into_iter().find(|text| q.matches(text) == Truth::Yes && p.matches(text) == Truth::No);
            match p.contains(&q) {
                Truth::Yes => prop_assert_eq!(counterexample, None),
                // `c` occurs in no pattern, so a witness of length four or less exists for patterns this short, or the
                // inner pattern is longer than the texts tried.
                Truth::No => prop_assert!(counterexample.is_some() || inner.chars().filter(|c| *c != '*').count() >= 3),
                Truth::Unknown => prop_assert!(false, "no variables, no doubt"),
            }
        }

        #[test]
        fn matching_a_text_is_containing_it(pattern in "[ab*?]{0,6}", text in "[abc]{0,6}") {
            let glob = Glob::wildcard(&pattern);
            prop_assert_eq!(glob.matches(&text), glob.contains(&Glob::literal(text.as_str())));
        }

        #[test]
        fn containment_is_transitive(a in "[ab*?]{0,4}", b in "[ab*?]{0,4}", c in "[ab*?]{0,4}") {
            let (a, b, c) = (Glob::wildcard(&a), Glob::wildcard(&b), Glob::wildcard(&c));
            if a.contains(&b) == Truth::Yes && b.contains(&c) == Truth::Yes {
                prop_assert_eq!(a.contains(&c), Truth::Yes);
            }
        }

        #[test]
        fn overlap_is_a_shared_text(a in "[ab*?]{0,3}", b in "[ab*?]{0,3}") {
            let (p, q) = (Glob::wildcard(&a), Glob::wildcard(&b));
            let shared = texts().iter().any(|text| p.matches(text) == Truth::Yes && q.matches(text) == Truth::Yes);
            // Two patterns of three tokens share a text of at most four characters if they share any.
            prop_assert_eq!(p.overlaps(&q) == Truth::Yes, shared);
        }
    }
}
