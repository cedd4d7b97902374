//! The part of CEL that conditions and mappings are written in: literals, lists, members, calls, operators, the choice
//! between two. Functions and macros beyond the list are kept as they stand, and nothing is known of what they give. No
//! messages, no maps to build.

use std::fmt;

/// How deep an expression may be.
const DEEPEST: usize = 64;

/// An expression.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Expr {
    Null,
    Bool(bool),
    Int(i64),
    Double(f64),
    Text(String),
    List(Vec<Expr>),
    Name(String),
    Member(Box<Expr>, String),
    Index(Box<Expr>, Box<Expr>),
    /// A function, or a method of its first argument.
    Call(String, Vec<Expr>),
    Not(Box<Expr>),
    Negative(Box<Expr>),
    Binary(Op, Box<Expr>, Box<Expr>),
    Choice(Box<Expr>, Box<Expr>, Box<Expr>),
    /// A function or macro of which nothing is known, as it stands.
    Foreign(String),
}

/// An operator between two.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Op {
    Or,
    And,
    Equals,
    NotEquals,
    Less,
    LessEquals,
    Greater,
    GreaterEquals,
    In,
    Add,
}

impl Expr {
    /// A claim of the token.
    pub(super) fn claim(name: &str) -> Self {
        Self::Member(Box::new(Self::Name("assertion".to_owned())), name.to_owned())
    }
}

impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(value) => write!(f, "{value}"),
            Self::Int(value) => write!(f, "{value}"),
            Self::Double(value) => write!(f, "{value}"),
            Self::Text(text) => write!(f, "'{text}'"),
            Self::List(items) => {
                f.write_str("[")?;
                separated(f, items)?;
                f.write_str("]")
            }
            Self::Name(name) => f.write_str(name),
            Self::Member(of, name) => write!(f, "{of}.{name}"),
            Self::Index(of, at) => write!(f, "{of}[{at}]"),
            Self::Call(name, arguments) => {
                let rest = match arguments.split_first() {
                    Some((of, rest)) if !PLAIN.contains(&name.as_str()) => {
                        write!(f, "{of}.")?;
                        rest
                    }
                    _ => arguments.as_slice(),
                };
                write!(f, "{name}(")?;
                separated(f, rest)?;
                f.write_str(")")
            }
            Self::Not(inner) => write!(f, "!({inner})"),
            Self::Negative(inner) => write!(f, "-{inner}"),
            Self::Binary(op, left, right) => write!(f, "{left} {} {right}", op.sign()),
            Self::Choice(test, yes, no) => write!(f, "{test} ? {yes} : {no}"),
            Self::Foreign(text) => f.write_str(text),
        }
    }
}

fn separated(f: &mut fmt::Formatter<'_>, items: &[Expr]) -> fmt::Result {
    items.iter().enumerate().try_for_each(|(at, item)| {
        if at > 0 {
            f.write_str(", ")?;
        }
        write!(f, "{item}")
    })
}

impl Op {
    fn sign(self) -> &'static str {
        match self {
            Self::Or => "||",
            Self::And => "&&",
            Self::Equals => "==",
            Self::NotEquals => "!=",
            Self::Less => "<",
            Self::LessEquals => "<=",
            Self::Greater => ">",
            Self::GreaterEquals => ">=",
            Self::In => "in",
            Self::Add => "+",
        }
    }

    fn strength(self) -> u8 {
        match self {
            Self::Or => 1,
            Self::And => 2,
            Self::Add => 4,
            _ => 3,
        }
    }
}

/// Those that are written as functions and not as methods.
const PLAIN: &[&str] =
    &["has", "int", "string", "bool", "bytes", "double", "uint", "type", "dyn", "duration", "timestamp"];

/// What else the language has, its own functions and macros and those of the extensions for texts and encodings.
const FOREIGN: &[&str] = &[
    "all",
    "exists",
    "exists_one",
    "map",
    "filter",
    "bool",
    "bytes",
    "double",
    "uint",
    "type",
    "dyn",
    "duration",
    "timestamp",
    "charAt",
    "format",
    "indexOf",
    "join",
    "lastIndexOf",
    "replace",
    "reverse",
    "split",
    "substring",
    "trim",
    "decode",
    "encode",
];

/// Functions and methods with the number of their arguments, the object included.
const FUNCTIONS: &[(&str, usize)] = &[
    ("startsWith", 2),
    ("endsWith", 2),
    ("contains", 2),
    ("matches", 2),
    ("extract", 2),
    ("size", 1),
    ("has", 1),
    ("string", 1),
    ("int", 1),
    ("lowerAscii", 1),
    ("upperAscii", 1),
];

/// Reads an expression.
pub(super) fn parse(text: &str) -> Result<Expr, String> {
    let mut parser = Parser { tokens: tokens(text)?, at: 0, depth: 0 };
    let expr = parser.choice()?;
    match parser.peek() {
        None => Ok(expr),
        Some(token) => Err(format!("{token} stands where the end is expected")),
    }
}

#[derive(Clone, PartialEq, Debug)]
enum Token {
    Name(String),
    Int(i64),
    Double(f64),
    Text(String),
    Sign(&'static str),
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => write!(f, "`{name}`"),
            Self::Int(value) => write!(f, "`{value}`"),
            Self::Double(value) => write!(f, "`{value}`"),
            Self::Text(text) => write!(f, "the text `{text}`"),
            Self::Sign(sign) => write!(f, "`{sign}`"),
        }
    }
}

const SIGNS: &[&str] =
    &["&&", "||", "==", "!=", "<=", ">=", "<", ">", "!", "?", ":", "(", ")", "[", "]", ",", ".", "+", "-"];

fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let raw = ["r'", "r\"", "R'", "R\""].iter().any(|head| rest.starts_with(head));
        let after = if first == '\'' || first == '"' || raw {
            let (text, after) = quoted(rest, raw)?;
            tokens.push(Token::Text(text));
            after
        } else if first.is_ascii_digit() {
            let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
            let (digits, after) = rest.split_at(end);
            // The mark of a number without sign.
            let after = after.strip_prefix(['u', 'U']).unwrap_or(after);
            let double = || digits.parse().ok().filter(|_| digits.contains('.')).map(Token::Double);
            let number = digits.parse().ok().map(Token::Int).or_else(double);
            tokens.push(number.ok_or_else(|| format!("`{digits}` is no number"))?);
            after
        } else if first.is_ascii_alphabetic() || first == '_' {
            let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
            let (name, after) = rest.split_at(end);
            tokens.push(Token::Name(name.to_owned()));
            after
        } else if let Some(sign) = SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
            tokens.push(Token::Sign(sign));
            rest.get(sign.len()..).unwrap_or_default()
        } else {
            return Err(format!("`{first}` begins nothing that is understood"));
        };
        rest = after.trim_start();
    }
    Ok(tokens)
}

/// A text in quotes, and what follows it.
fn quoted(text: &str, raw: bool) -> Result<(String, &str), String> {
    let mut chars = text.chars();
    if raw {
        chars.next();
    }
    let quote = chars.next();
    let mut content = String::new();
    loop {
        match chars.next() {
            None => return Err("a text has no end".to_owned()),
            end if end == quote => return Ok((content, chars.as_str())),
            Some('\\') if !raw => match chars.next() {
                Some('n') => content.push('\n'),
                Some('t') => content.push('\t'),
                Some('r') => content.push('\r'),
                Some(same @ ('\\' | '\'' | '"' | '`' | '?')) => content.push(same),
                other => return Err(format!("`\\{}` is no escape that is understood", other.unwrap_or(' '))),
            },
            Some(c) => content.push(c),
        }
    }
}

struct Parser {
    tokens: Vec<Token>,
    at: usize,
    depth: usize,
}

impl Parser {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    fn take(&mut self) -> Option<Token> {
        let token = self.tokens.get(self.at).cloned();
        self.at += 1;
        token
    }

    fn takes(&mut self, sign: &'static str) -> bool {
        let is = self.peek() == Some(&Token::Sign(sign));
        self.at += usize::from(is);
        is
    }

    fn expect(&mut self, sign: &'static str) -> Result<(), String> {
        if self.takes(sign) {
            return Ok(());
        }
        Err(self.unexpected(&format!("`{sign}`")))
    }

    fn unexpected(&self, wanted: &str) -> String {
        let found = self.peek().map_or("the end".to_owned(), Token::to_string);
        format!("{found} stands where {wanted} is expected")
    }

    fn choice(&mut self) -> Result<Expr, String> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(format!("the expression is more than {DEEPEST} levels deep"));
        }
        let test = self.binary(1)?;
        let expr = if self.takes("?") {
            let yes = self.choice()?;
            self.expect(":")?;
            let no = self.choice()?;
            Expr::Choice(Box::new(test), Box::new(yes), Box::new(no))
        } else {
            test
        };
        self.depth -= 1;
        Ok(expr)
    }

    fn operator(&self) -> Option<Op> {
        Some(match self.peek()? {
            Token::Sign("||") => Op::Or,
            Token::Sign("&&") => Op::And,
            Token::Sign("==") => Op::Equals,
            Token::Sign("!=") => Op::NotEquals,
            Token::Sign("<") => Op::Less,
            Token::Sign("<=") => Op::LessEquals,
            Token::Sign(">") => Op::Greater,
            Token::Sign(">=") => Op::GreaterEquals,
            Token::Sign("+") => Op::Add,
            Token::Name(name) if name == "in" => Op::In,
            _ => return None,
        })
    }

    fn binary(&mut self, least: u8) -> Result<Expr, String> {
        let mut left = self.unary()?;
        while let Some(op) = self.operator().filter(|op| op.strength() >= least) {
            self.at += 1;
            let right = self.binary(op.strength() + 1)?;
            left = Expr::Binary(op, Box::new(left), Box::new(right));
        }
        Ok(left)
    }

    fn unary(&mut self) -> Result<Expr, String> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(format!("the expression is more than {DEEPEST} levels deep"));
        }
        let expr = if self.takes("!") {
            Expr::Not(Box::new(self.unary()?))
        } else if self.takes("-") {
            Expr::Negative(Box::new(self.unary()?))
        } else {
            self.postfix()?
        };
        self.depth -= 1;
        Ok(expr)
    }

    fn postfix(&mut self) -> Result<Expr, String> {
        let mut expr = self.primary()?;
        loop {
            if self.takes(".") {
                let Some(Token::Name(name)) = self.take() else {
                    self.at -= 1;
                    return Err(self.unexpected("a name"));
                };
                expr = if self.takes("(") {
                    let mut arguments = vec![expr];
                    arguments.extend(self.list(")")?);
                    call(name, arguments)?
                } else {
                    Expr::Member(Box::new(expr), name)
                };
            } else if self.takes("[") {
                let at = self.choice()?;
                self.expect("]")?;
                expr = Expr::Index(Box::new(expr), Box::new(at));
            } else {
                return Ok(expr);
            }
        }
    }

    fn primary(&mut self) -> Result<Expr, String> {
        match self.take() {
            Some(Token::Int(value)) => Ok(Expr::Int(value)),
            Some(Token::Double(value)) => Ok(Expr::Double(value)),
            Some(Token::Text(text)) => Ok(Expr::Text(text)),
            Some(Token::Name(name)) => match name.as_str() {
                "true" => Ok(Expr::Bool(true)),
                "false" => Ok(Expr::Bool(false)),
                "null" => Ok(Expr::Null),
                "in" => {
                    self.at -= 1;
                    Err(self.unexpected("a value"))
                }
                _ if self.takes("(") => {
                    let arguments = self.list(")")?;
                    call(name, arguments)
                }
                _ => Ok(Expr::Name(name)),
            },
            Some(Token::Sign("(")) => {
                let inner = self.choice()?;
                self.expect(")")?;
                Ok(inner)
            }
            Some(Token::Sign("[")) => Ok(Expr::List(self.list("]")?)),
            _ => {
                self.at -= 1;
                Err(self.unexpected("a value"))
            }
        }
    }

    fn list(&mut self, end: &'static str) -> Result<Vec<Expr>, String> {
        let mut items = Vec::new();
        while !self.takes(end) {
            if !items.is_empty() {
                self.expect(",")?;
            }
            items.push(self.choice()?);
        }
        Ok(items)
    }
}

fn call(name: String, arguments: Vec<Expr>) -> Result<Expr, String> {
    if FOREIGN.iter().any(|known| *known == name) {
        return Ok(Expr::Foreign(Expr::Call(name, arguments).to_string()));
    }
    let Some((_, wanted)) = FUNCTIONS.iter().find(|(known, _)| *known == name) else {
        return Err(format!("there is no function `{name}`"));
    };
    if arguments.len() != *wanted {
        return Err(format!("`{name}` is given another number of values than it takes"));
    }
    if let (true, Some(Expr::Text(pattern))) = (name == "matches", arguments.get(1)) {
        regex::Regex::new(pattern).map_err(|_| format!("`{pattern}` is no regular expression"))?;
    }
    if name == "has" && !matches!(arguments.first(), Some(Expr::Member(..))) {
        return Err("`has` is asked of a member, as in `has(assertion.environment)`".to_owned());
    }
    Ok(Expr::Call(name, arguments))
}
