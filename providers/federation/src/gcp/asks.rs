//! What an expression demands of claims: alternatives of demands, for the grade.
//!
//! Demands may be wider than the expression and never narrower, so that no grade is better than it should be. What is not
//! understood demands nothing and is named.

use std::collections::BTreeMap;

use evenhand_model::glob::{Glob, Token};

use super::syntax::{Expr, Op};
use crate::grade::{Asks, Demand};
use crate::issuer::Issuer;

/// Alternatives beyond which an expression is not taken apart.
const MOST: usize = 64;

/// What a condition demands.
pub(super) fn of(condition: &Expr, mapping: &BTreeMap<String, Expr>, issuer: Issuer) -> Asks {
    let mut taking = Taking { mapping, issuer, remarks: Vec::new(), opaque: Vec::new() };
    let alternatives = taking.take(condition, true);
    Asks { alternatives, remarks: taking.remarks, opaque: taking.opaque }
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

type Alternatives = Vec<Vec<Demand>>;

struct Taking<'a> {
    mapping: &'a BTreeMap<String, Expr>,
    issuer: Issuer,
    remarks: Vec<&'static str>,
    opaque: Vec<String>,
}

impl Taking<'_> {
    /// The alternatives under which an expression is true, or under which it is false.
    fn take(&mut self, expr: &Expr, wanted: bool) -> Alternatives {
        match expr {
            Expr::Bool(value) if *value == wanted => vec![Vec::new()],
            Expr::Bool(_) => Vec::new(),
            Expr::Not(inner) => self.take(inner, !wanted),
            Expr::Binary(op @ (Op::And | Op::Or), left, right) => {
                let (left, right) = (self.take(left, wanted), self.take(right, wanted));
                if (*op == Op::And) == wanted { self.both(&left, right, expr) } else { [left, right].concat() }
            }
            Expr::Binary(Op::Equals, left, right) if wanted => self.equals(left, right),
            // That a claim is not this one text is no demand, and neither is any other test that fails.
            Expr::Binary(Op::NotEquals, left, right) if !wanted => self.equals(left, right),
            Expr::Binary(Op::Equals | Op::NotEquals, ..) => vec![Vec::new()],
            Expr::Binary(Op::In, left, right) if wanted => self.within(left, right, expr),
            Expr::Call(name, arguments) if wanted => self.call(name, arguments, expr),
            _ if wanted => self.not_understood(expr),
            _ => vec![Vec::new()],
        }
    }

    fn both(&mut self, left: &[Vec<Demand>], right: Alternatives, whole: &Expr) -> Alternatives {
        if left.len() * right.len() > MOST {
            return self.not_understood(whole);
        }
        left.iter().flat_map(|one| right.iter().map(move |other| [one.as_slice(), other].concat())).collect()
    }

    fn not_understood(&mut self, expr: &Expr) -> Alternatives {
        self.opaque.push(expr.to_string());
        vec![Vec::new()]
    }

    fn equals(&mut self, left: &Expr, right: &Expr) -> Alternatives {
        let (claim, wanted) = match (path(left, self.mapping), path(right, self.mapping)) {
            (Some(claim), None) => (claim, right),
            (None, Some(claim)) => (claim, left),
            _ => return self.not_understood(&Expr::Binary(Op::Equals, left.clone().into(), right.clone().into())),
        };
        match wanted {
            Expr::Text(text) => vec![vec![Demand::new(claim, vec![Glob::literal(text.as_str())])]],
            // The claims of these issuers are texts, which no number and no truth value is equal to.
            Expr::Int(_) | Expr::Double(_) | Expr::Bool(_) | Expr::Null if self.is_text(&claim) => {
                self.remarks.push("type-mismatch");
                Vec::new()
            }
            _ => vec![Vec::new()],
        }
    }

    fn is_text(&self, claim: &str) -> bool {
        let other = ["exp", "iat", "nbf", "runner_id", "oidc.circleci.com/ssh-rerun", "oidc.circleci.com/context-ids"];
        !matches!(self.issuer, Issuer::Other | Issuer::Kubernetes) && !other.contains(&claim)
    }

    fn within(&mut self, left: &Expr, right: &Expr, whole: &Expr) -> Alternatives {
        match (path(left, self.mapping), right, left, path(right, self.mapping)) {
            (Some(claim), Expr::List(items), _, _) => {
                let texts = items.iter().filter_map(|item| match item {
                    Expr::Text(text) => Some(Glob::literal(text.as_str())),
                    _ => None,
                });
                vec![vec![Demand::new(claim, texts.collect())]]
            }
            // A text among those of a claim that is a list.
            (None, _, Expr::Text(text), Some(claim)) => {
                vec![vec![Demand::new(claim, vec![Glob::literal(text.as_str())])]]
            }
            _ => self.not_understood(whole),
        }
    }

    fn call(&mut self, name: &str, arguments: &[Expr], whole: &Expr) -> Alternatives {
        let claim = arguments.first().and_then(|of| path(of, self.mapping));
        let (Some(claim), Some(Expr::Text(text))) = (claim, arguments.get(1)) else {
            // That a claim is there pins nothing.
            return if name == "has" { vec![Vec::new()] } else { self.not_understood(whole) };
        };
        let chars = || text.chars().map(Token::Char);
        let pattern = match name {
            "startsWith" => {
                self.remarks.push("prefix-match");
                Glob::from_tokens(chars().chain([Token::Many]))
            }
            "endsWith" => Glob::from_tokens([Token::Many].into_iter().chain(chars())),
            "contains" => Glob::from_tokens([Token::Many].into_iter().chain(chars()).chain([Token::Many])),
            "matches" => {
                self.remarks.push("regex");
                regular(text)
            }
            _ => return self.not_understood(whole),
        };
        vec![vec![Demand::new(claim, vec![pattern])]]
    }
}

/// A pattern that fits whatever a regular expression does, by the text that it begins with.
fn regular(expression: &str) -> Glob {
    let (anchored, rest) = match expression.strip_prefix('^') {
        Some(rest) => (true, rest),
        None => (false, expression),
    };
    let mut tokens = if anchored { Vec::new() } else { vec![Token::Many] };
    // One of several, each with its own anchor: nothing is common to them.
    if rest.contains('|') {
        return Glob::Any;
    }
    let mut chars = rest.chars().peekable();
    while let Some(c) = chars.next() {
        let literal = match c {
            '$' if chars.peek().is_none() => return Glob::from_tokens(tokens),
            '\\' => chars.next().filter(|escaped| !escaped.is_ascii_alphanumeric()),
            '.' | '[' | '(' | ')' | '*' | '+' | '?' | '{' | '^' | '$' => None,
            other => Some(other),
        };
        // What is repeated, or may be missing, is no longer certain.
        let certain = !matches!(chars.peek(), Some('*' | '+' | '?' | '{'));
        match literal {
            Some(literal) if certain => tokens.push(Token::Char(literal)),
            _ => break,
        }
    }
    tokens.push(Token::Many);
    Glob::from_tokens(tokens)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_regular_expression_is_no_narrower_than_its_pattern() {
        for (expression, pattern) in [
            ("^refs/tags/v[0-9]+", "refs/tags/v*"),
            ("^refs/heads/main$", "refs/heads/main"),
            ("refs/heads/main", "*refs/heads/main*"),
            ("^a\\.b", "a.b*"),
            ("^ab*", "a*"),
            ("^a|b$", "*"),
            ("", "*"),
            ("^\\d", "*"),
        ] {
            assert_eq!(regular(expression), Glob::wildcard(pattern), "{expression}");
        }
    }
}
