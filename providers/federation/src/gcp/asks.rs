//! What an expression demands of claims: alternatives of demands, for the grade.
//!
//! Demands may be wider than the expression and never narrower, so that no grade is better than it should be. What is not
//! understood demands nothing, is named, and makes its alternative vague.

use std::collections::BTreeMap;
use std::iter::Peekable;
use std::str::Chars;

use evenhand_model::glob::{Glob, Token};

use super::syntax::{Expr, Op};
use crate::grade::{Alternative, Asks, Demand};
use crate::issuer::Issuer;
use crate::issuers;

/// Alternatives beyond which an expression is not taken apart.
const MOST: usize = 64;

/// What a condition demands.
pub(super) fn of(condition: &Expr, mapping: &BTreeMap<String, Expr>, issuer: Issuer) -> Asks {
    let mut taking = Taking { mapping, issuer, remarks: Vec::new(), opaque: Vec::new() };
    let alternatives = taking.take(condition, true).into_iter().filter_map(Way::alternative).collect();
    Asks { alternatives, remarks: taking.remarks, opaque: taking.opaque, ..Asks::default() }
}

/// The claim that an expression names.
pub(super) fn path(expr: &Expr, mapping: &BTreeMap<String, Expr>) -> Option<String> {
    let (of, name) = match expr {
        Expr::Member(of, name) => (of, name),
        Expr::Index(of, at) => match &**at {
            Expr::Text(name) => (of, name),
            _ => return None,
        },
        _ => return None,
    };
    match &**of {
        Expr::Name(root) if root == "assertion" => Some(name.clone()),
        Expr::Name(root) if root == "attribute" || root == "google" => {
            let none = BTreeMap::new();
            path(mapping.get(&format!("{root}.{name}"))?, &none)
        }
        inner => Some(format!("{}/{name}", path(inner, mapping)?)),
    }
}

/// One way in which an expression has the value that is wanted.
#[derive(Clone, Default)]
struct Way {
    demands: Vec<Demand>,
    /// Claims, and texts that they must not be; no text where something else than one text is forbidden.
    forbidden: Vec<(String, Option<String>)>,
    vague: bool,
}

impl Way {
    /// This way as an alternative; `None` where everything that it demands of a claim is forbidden as well.
    fn alternative(self) -> Option<Alternative> {
        let Self { mut demands, forbidden, vague } = self;
        for (claim, text) in &forbidden {
            let Some(text) = text else { continue };
            let forbidden = Glob::literal(text.as_str());
            for demand in demands.iter_mut().filter(|demand| demand.claim == *claim) {
                demand.values.retain(|value| *value != forbidden);
                if demand.values.is_empty() {
                    return None;
                }
            }
        }
        Some(Alternative { demands, forbids: !forbidden.is_empty(), vague, ..Alternative::default() })
    }
}

struct Taking<'a> {
    mapping: &'a BTreeMap<String, Expr>,
    issuer: Issuer,
    remarks: Vec<&'static str>,
    opaque: Vec<String>,
}

impl Taking<'_> {
    /// The ways in which an expression is true, or in which it is false.
    fn take(&mut self, expr: &Expr, wanted: bool) -> Vec<Way> {
        match expr {
            Expr::Bool(value) if *value == wanted => always(),
            // What is no truth value cannot be evaluated where one is needed.
            Expr::Bool(_) | Expr::Null | Expr::Int(_) | Expr::Double(_) | Expr::Text(_) | Expr::List(_) => never(),
            Expr::Not(inner) => self.take(inner, !wanted),
            Expr::Binary(op @ (Op::And | Op::Or), left, right) => {
                let (left, right) = (self.take(left, wanted), self.take(right, wanted));
                if (*op == Op::And) == wanted { self.both(&left, &right, expr) } else { [left, right].concat() }
            }
            Expr::Binary(op @ (Op::Equals | Op::NotEquals), left, right) => {
                self.compared(left, right, (*op == Op::Equals) == wanted, expr)
            }
            Expr::Binary(Op::In, left, right) => self.within(left, right, wanted, expr),
            Expr::Call(name, arguments) => self.call(name, arguments, wanted, expr),
            Expr::Member(..) | Expr::Index(..) => match path(expr, self.mapping) {
                Some(claim) if self.is_text(&claim) => self.mismatch(),
                _ => self.not_understood(expr),
            },
            Expr::Name(_)
            | Expr::Negative(_)
            | Expr::Choice(..)
            | Expr::Foreign(_)
            | Expr::Binary(Op::Less | Op::LessEquals | Op::Greater | Op::GreaterEquals | Op::Add, ..) => {
                self.not_understood(expr)
            }
        }
    }

    fn both(&mut self, left: &[Way], right: &[Way], whole: &Expr) -> Vec<Way> {
        if left.len() * right.len() > MOST {
            return self.not_understood(whole);
        }
        let join = |one: &Way, other: &Way| Way {
            demands: [&*one.demands, &*other.demands].concat(),
            forbidden: [&*one.forbidden, &*other.forbidden].concat(),
            vague: one.vague || other.vague,
        };
        left.iter().flat_map(|one| right.iter().map(move |other| join(one, other))).collect()
    }

    fn not_understood(&mut self, expr: &Expr) -> Vec<Way> {
        self.cite(expr);
        vec![Way { vague: true, ..Way::default() }]
    }

    fn cite(&mut self, expr: &Expr) {
        let text = expr.to_string();
        if !self.opaque.contains(&text) {
            self.opaque.push(text);
        }
    }

    fn mismatch(&mut self) -> Vec<Way> {
        self.remarks.push("type-mismatch");
        never()
    }

    /// That a claim is not one of these texts; it counts for nothing in the grade, and is cited.
    fn forbidden(&mut self, claim: &str, texts: impl IntoIterator<Item = Option<String>>, whole: &Expr) -> Vec<Way> {
        self.cite(whole);
        let forbidden = texts.into_iter().map(|text| (claim.to_owned(), text)).collect();
        vec![Way { forbidden, ..Way::default() }]
    }

    /// Two that are alike, or that are not.
    fn compared(&mut self, left: &Expr, right: &Expr, alike: bool, whole: &Expr) -> Vec<Way> {
        // What cannot be evaluated holds neither way.
        if left == right {
            return if alike { always() } else { never() };
        }
        if let (Some(left), Some(right)) = (constant(left), constant(right)) {
            return if (left == right) == alike { always() } else { never() };
        }
        let (claim, wanted) = match (path(left, self.mapping), path(right, self.mapping)) {
            (Some(claim), None) => (claim, right),
            (None, Some(claim)) => (claim, left),
            _ => return self.not_understood(whole),
        };
        match (constant(wanted), wanted) {
            (Some(text), _) if alike => vec![demand(claim, vec![Glob::literal(text.as_str())])],
            (Some(text), _) => self.forbidden(&claim, [Some(text)], whole),
            // The claims of these issuers are texts, which no number and no truth value is equal to.
            (None, Expr::Int(_) | Expr::Double(_) | Expr::Bool(_) | Expr::Null) if self.is_text(&claim) => {
                if alike {
                    self.mismatch()
                } else {
                    always()
                }
            }
            _ => self.not_understood(whole),
        }
    }

    /// Whether tokens of the issuer carry a claim as one text, if they carry it.
    fn is_text(&self, claim: &str) -> bool {
        let other = ["exp", "iat", "nbf", "runner_id", "oidc.circleci.com/ssh-rerun"];
        !matches!(self.issuer, Issuer::Other | Issuer::Kubernetes)
            && !other.contains(&claim)
            && issuers::has_one_value(self.issuer, claim)
    }

    fn within(&mut self, left: &Expr, right: &Expr, wanted: bool, whole: &Expr) -> Vec<Way> {
        match (path(left, self.mapping), right, constant(left), path(right, self.mapping)) {
            (Some(claim), Expr::List(items), ..) => {
                let text = self.is_text(&claim);
                let mut texts = Vec::new();
                for item in items {
                    match (constant(item), item) {
                        (Some(held), _) => texts.push(held),
                        // No text is equal to these.
                        (None, Expr::Int(_) | Expr::Double(_) | Expr::Bool(_) | Expr::Null) if text => {}
                        _ => return self.not_understood(whole),
                    }
                }
                match (wanted, texts.is_empty()) {
                    (true, true) if items.is_empty() => never(),
                    (true, true) => self.mismatch(),
                    (true, false) => {
                        vec![demand(claim, texts.iter().map(|held| Glob::literal(held.as_str())).collect())]
                    }
                    (false, true) => always(),
                    (false, false) => self.forbidden(&claim, texts.into_iter().map(Some), whole),
                }
            }
            // Nothing is in a text.
            (None, _, Some(_), Some(claim)) if self.is_text(&claim) => self.mismatch(),
            // A text among those of a claim that is a list.
            (None, _, Some(text), Some(claim)) if wanted => vec![demand(claim, vec![Glob::literal(text.as_str())])],
            (None, _, Some(_), Some(claim)) => self.forbidden(&claim, [None], whole),
            _ => self.not_understood(whole),
        }
    }

    fn call(&mut self, name: &str, arguments: &[Expr], wanted: bool, whole: &Expr) -> Vec<Way> {
        let claim = arguments.first().and_then(|of| path(of, self.mapping));
        let (Some(claim), Some(text)) = (claim, arguments.get(1).and_then(constant)) else {
            // That a claim is there, or is not, pins nothing.
            return if name == "has" { always() } else { self.not_understood(whole) };
        };
        if !wanted {
            return match name {
                "startsWith" | "endsWith" | "contains" | "matches" => self.forbidden(&claim, [None], whole),
                _ => self.not_understood(whole),
            };
        }
        let chars = || text.chars().map(Token::Char);
        let patterns = match name {
            "startsWith" => {
                self.remarks.push("prefix-match");
                vec![Glob::from_tokens(chars().chain([Token::Many]))]
            }
            "endsWith" => vec![Glob::from_tokens([Token::Many].into_iter().chain(chars()))],
            "contains" => vec![Glob::from_tokens([Token::Many].into_iter().chain(chars()).chain([Token::Many]))],
            "matches" => {
                self.remarks.push("regex");
                let says_nothing = matches!(&*text, "" | "^" | "$" | ".*" | "^.*" | "^.*$" | ".*$");
                let all = alternatives(&text).unwrap_or_default();
                let patterns: Vec<Glob> = all.iter().map(|one| regular(one)).collect();
                // Nothing of it is understood, unless it says nothing.
                if patterns.is_empty() || (patterns.contains(&Glob::Any) && !says_nothing) {
                    return self.not_understood(whole);
                }
                patterns
            }
            _ => return self.not_understood(whole),
        };
        vec![demand(claim, patterns)]
    }
}

fn always() -> Vec<Way> {
    vec![Way::default()]
}

fn never() -> Vec<Way> {
    Vec::new()
}

fn demand(claim: String, values: Vec<Glob>) -> Way {
    Way { demands: vec![Demand::new(claim, values)], ..Way::default() }
}

/// The text of an expression that is made of texts alone.
fn constant(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Text(text) => Some(text.clone()),
        Expr::Binary(Op::Add, left, right) => Some(constant(left)? + &constant(right)?),
        _ => None,
    }
}

/// The regular expressions in which a dot that is written as one of a name stands for any character.
pub(super) fn open_dots(expr: &Expr) -> Vec<&str> {
    match expr {
        Expr::Call(name, arguments) => match (name.as_str(), arguments.as_slice()) {
            ("matches", [_, Expr::Text(text)]) if has_open_dot(text) => vec![text.as_str()],
            (_, arguments) => arguments.iter().flat_map(open_dots).collect(),
        },
        Expr::List(items) => items.iter().flat_map(open_dots).collect(),
        Expr::Member(inner, _) | Expr::Not(inner) | Expr::Negative(inner) => open_dots(inner),
        Expr::Index(one, other) | Expr::Binary(_, one, other) => [open_dots(one), open_dots(other)].concat(),
        Expr::Choice(test, yes, no) => [open_dots(test), open_dots(yes), open_dots(no)].concat(),
        Expr::Null
        | Expr::Bool(_)
        | Expr::Int(_)
        | Expr::Double(_)
        | Expr::Text(_)
        | Expr::Name(_)
        | Expr::Foreign(_) => Vec::new(),
    }
}

/// Whether a single dot without a backslash stands before the letters of a name, outside of a class of characters.
fn has_open_dot(expression: &str) -> bool {
    let mut chars = expression.chars().peekable();
    let mut before = None;
    while let Some(c) = chars.next() {
        match c {
            '\\' => {
                chars.next();
            }
            '[' => while chars.next().is_some_and(|c| c != ']') {},
            '.' if before != Some('.') && chars.peek().is_some_and(|next| next.is_alphanumeric()) => return true,
            _ => {}
        }
        before = Some(c);
    }
    false
}

/// A regular expression, once for each of the texts between which its groups choose, or it as a whole; `None` where it chooses
/// between anything else.
fn alternatives(expression: &str) -> Option<Vec<String>> {
    if !expression.contains('|') {
        return Some(vec![expression.to_owned()]);
    }
    if let Some(all) = expression.split('|').map(anchored).collect() {
        return Some(all);
    }
    let mut all = vec![String::new()];
    let mut rest = expression;
    while let Some((before, after)) = rest.split_once('(') {
        let (group, behind) = after.split_once(')')?;
        // The bracket may be a character, another group may stand around it, and what is repeated is not one text.
        if before.ends_with('\\') || before.contains(['[', '|', ')']) || behind.starts_with(['*', '+', '?', '{']) {
            return None;
        }
        let group = group.strip_prefix("?:").unwrap_or(group).split('|').map(text).collect::<Option<Vec<&str>>>()?;
        if all.len() * group.len() > MOST {
            return None;
        }
        all = all.iter().flat_map(|held| group.iter().map(move |one| format!("{held}{before}{one}"))).collect();
        rest = behind;
    }
    (!rest.contains(['|', ')'])).then(|| all.into_iter().map(|held| held + rest).collect())
}

/// One of several whole expressions, if it is a text, with its anchors.
fn anchored(expression: &str) -> Option<String> {
    let inner = expression.strip_prefix('^').unwrap_or(expression);
    text(inner.strip_suffix('$').unwrap_or(inner)).map(|_| expression.to_owned())
}

/// A part of an expression that is characters alone, some of them behind a backslash.
fn text(part: &str) -> Option<&str> {
    let mut chars = part.chars();
    while let Some(c) = chars.next() {
        let is_text = match c {
            '\\' => chars.next().is_some_and(|c| !c.is_ascii_alphanumeric()),
            other => !['.', '[', ']', '(', ')', '*', '+', '?', '{', '}', '^', '$'].contains(&other),
        };
        if !is_text {
            return None;
        }
    }
    Some(part)
}

/// A pattern that fits whatever a regular expression does: characters, classes of them, and what is repeated; from the first
/// group on anything.
fn regular(expression: &str) -> Glob {
    let (anchored, rest) = match expression.strip_prefix('^') {
        Some(rest) => (true, rest),
        None => (false, expression),
    };
    // What chooses between more than texts: nothing is common to them.
    if rest.contains('|') {
        return Glob::Any;
    }
    let mut tokens = if anchored { Vec::new() } else { vec![Token::Many] };
    let mut chars = rest.chars().peekable();
    loop {
        if chars.peek().is_none() {
            tokens.push(Token::Many);
            break;
        }
        let Some(token) = one_character(&mut chars) else {
            // The end, where nothing stands behind it; otherwise what is not understood.
            if chars.next() != Some('$') || chars.next().is_some() {
                tokens.push(Token::Many);
            }
            break;
        };
        match &*repeated(&mut chars) {
            "" => tokens.push(token),
            "+" | "+?" => tokens.extend([token, Token::Many]),
            _ => tokens.push(Token::Many),
        }
    }
    // Without a character it says nothing, but for the empty text.
    let says = tokens.is_empty() || tokens.iter().any(|token| matches!(token, Token::Char(_)));
    if says { Glob::from_tokens(tokens) } else { Glob::Any }
}

/// What stands for one character, taken off; `None`, and what is not understood first in line, where nothing does.
fn one_character(chars: &mut Peekable<Chars<'_>>) -> Option<Token> {
    let mut ahead = chars.clone();
    let token = match ahead.next()? {
        '.' => Token::One,
        '\\' => escaped(ahead.next()?)?,
        '[' => class(&mut ahead)?,
        '(' | ')' | '*' | '+' | '?' | '{' | '^' | '$' => return None,
        other => Token::Char(other),
    };
    *chars = ahead;
    Some(token)
}

/// What is written behind a backslash.
fn escaped(c: char) -> Option<Token> {
    match c {
        'd' | 'D' | 'w' | 'W' | 's' | 'S' => Some(Token::One),
        // A place, a character by its number, a class by its name, a text.
        other if other.is_ascii_alphanumeric() => None,
        other => Some(Token::Char(other)),
    }
}

/// A class of characters, from behind its bracket on: of one character, that one.
fn class(chars: &mut Peekable<Chars<'_>>) -> Option<Token> {
    let negated = chars.next_if_eq(&'^').is_some();
    let mut held = Vec::new();
    loop {
        match chars.next()? {
            // The first one stands for itself.
            ']' if !held.is_empty() => break,
            // Another class within.
            '[' => return None,
            '\\' => held.push(escaped(chars.next()?)?),
            other => held.push(Token::Char(other)),
        }
    }
    match held.as_slice() {
        [Token::Char(one)] if !negated => Some(Token::Char(*one)),
        _ => Some(Token::One),
    }
}

/// How often what stands before may be repeated, taken off; empty: it is there once.
fn repeated(chars: &mut Peekable<Chars<'_>>) -> String {
    let mut found = String::new();
    while let Some(c) = chars.next_if(|c| matches!(c, '*' | '+' | '?' | '{')) {
        found.push(c);
        if c == '{' {
            // Up to the end where the bracket is not closed.
            while chars.next().is_some_and(|c| c != '}') {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expression_that_chooses_between_texts_is_several() {
        for (expression, all) in [
            ("^a$", &["^a$"][..]),
            ("^x(a|b)y$", &["^xay$", "^xby$"]),
            ("^(?:a|b\\.c)(/d|)$", &["^a/d$", "^a$", "^b\\.c/d$", "^b\\.c$"]),
            ("^x(a|b)[0-9]+$", &["^xa[0-9]+$", "^xb[0-9]+$"]),
            ("^a$|^b$", &["^a$", "^b$"]),
            ("^a|b$", &["^a", "b$"]),
            // What is chosen from is no text, or it is not clear what it is.
            ("^x(a|b)*$", &[]),
            ("^x(a|b.)$", &[]),
            ("^x(a|[bc])$", &[]),
            ("^x(a|(b|c))$", &[]),
            ("^x(a|\\d)$", &[]),
            ("^x((?i)a|b)$", &[]),
            ("^x(a)|b$", &[]),
            ("^x\\(a|b)$", &[]),
            ("^x[(]a|b)$", &[]),
            ("^a.*|b$", &[]),
        ] {
            assert_eq!(alternatives(expression).unwrap_or_default(), all, "{expression}");
        }
    }

    #[test]
    fn a_regular_expression_is_no_narrower_than_its_pattern() {
        for (expression, pattern) in [
            ("^refs/tags/v[0-9]+", "refs/tags/v?*"),
            ("^refs/heads/main$", "refs/heads/main"),
            ("refs/heads/main", "*refs/heads/main*"),
            ("^a\\.b", "a.b*"),
            ("^ab*", "a*"),
            ("^ab+c$", "ab*c"),
            ("^ab?c$", "a*c"),
            ("^ab{0,2}c$", "a*c"),
            ("^a[.]b$", "a.b"),
            ("^a[.-]b$", "a?b"),
            ("^a[^.]b$", "a?b"),
            ("^a[]]b$", "a]b"),
            ("^a[^]]b$", "a?b"),
            ("^a[\\^]b]$", "a^b]"),
            ("^a[[:alpha:]]b$", "a*"),
            ("^$", ""),
            ("^a.b$", "a?b"),
            ("^a.*?b$", "a*b"),
            ("^a+*b$", "*b"),
            ("^a(b)c$", "a*"),
            ("^a$b", "a*"),
            ("^a\\d\\b", "a?*"),
            ("^a.+@b$", "a?*@b"),
            ("^", "*"),
            ("^a|b$", "*"),
            ("", "*"),
            ("^\\d", "*"),
        ] {
            assert_eq!(regular(expression), Glob::wildcard(pattern), "{expression}");
        }
    }
}
