//! Evaluation, with errors and unknown claims kept apart: what cannot be evaluated does not hold, what is not known is open.

use std::collections::{BTreeMap, BTreeSet};

use evenhand_model::token::{Claim, Token};
use serde_json::Value;

use super::syntax::{Expr, Op};

/// A value.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Val {
    Null,
    Bool(bool),
    Int(i64),
    Double(f64),
    Text(String),
    List(Vec<Val>),
    Map(BTreeMap<String, Val>),
    /// All claims of the token.
    Assertion,
    /// The attributes whose names begin so.
    Attributes(&'static str),
}

/// Why there is no value.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Fault {
    /// The expression does not go with the values.
    Error,
    /// These claims are not known, or nothing is known of what these calls give.
    Unknown(BTreeSet<String>),
}

/// What names mean.
pub(super) struct Scope<'a> {
    pub(super) token: &'a Token,
    pub(super) mapping: &'a BTreeMap<String, Expr>,
}

type Result<T> = std::result::Result<T, Fault>;

impl Scope<'_> {
    /// The value of an attribute.
    pub(super) fn attribute(&self, name: &str) -> Result<Val> {
        // A mapping is over claims alone.
        let none = BTreeMap::new();
        let claims = Scope { token: self.token, mapping: &none };
        claims.eval(self.mapping.get(name).ok_or(Fault::Error)?)
    }

    pub(super) fn eval(&self, expr: &Expr) -> Result<Val> {
        Ok(match expr {
            Expr::Null => Val::Null,
            Expr::Bool(value) => Val::Bool(*value),
            Expr::Int(value) => Val::Int(*value),
            Expr::Double(value) => Val::Double(*value),
            Expr::Text(text) => Val::Text(text.clone()),
            Expr::List(items) => Val::List(items.iter().map(|item| self.eval(item)).collect::<Result<_>>()?),
            Expr::Name(name) => match name.as_str() {
                "assertion" => Val::Assertion,
                "attribute" => Val::Attributes("attribute."),
                "google" => Val::Attributes("google."),
                _ => return Err(Fault::Error),
            },
            Expr::Member(of, name) => self.member(&self.eval(of)?, name)?,
            Expr::Index(of, at) => match (self.eval(of)?, self.eval(at)?) {
                (Val::List(list), Val::Int(at)) => {
                    let at = usize::try_from(at).ok();
                    at.and_then(|at| list.get(at)).cloned().ok_or(Fault::Error)?
                }
                (of, Val::Text(name)) => self.member(&of, &name)?,
                _ => return Err(Fault::Error),
            },
            Expr::Call(name, arguments) => self.call(name, arguments)?,
            Expr::Not(inner) => Val::Bool(!bool_of(self.eval(inner)?)?),
            Expr::Negative(inner) => match self.eval(inner)? {
                Val::Int(value) => Val::Int(value.checked_neg().ok_or(Fault::Error)?),
                Val::Double(value) => Val::Double(-value),
                _ => return Err(Fault::Error),
            },
            // Either side may decide, whatever is wrong with the other one.
            Expr::Binary(Op::And, left, right) => self.either(left, right, false)?,
            Expr::Binary(Op::Or, left, right) => self.either(left, right, true)?,
            Expr::Binary(op, left, right) => binary(*op, self.eval(left)?, self.eval(right)?)?,
            Expr::Choice(test, yes, no) => match bool_of(self.eval(test)?)? {
                true => self.eval(yes)?,
                false => self.eval(no)?,
            },
            Expr::Foreign(text) => return Err(Fault::Unknown([text.clone()].into())),
        })
    }

    /// `decides` on either side is the answer.
    fn either(&self, left: &Expr, right: &Expr, decides: bool) -> Result<Val> {
        let side = |expr: &Expr| self.eval(expr).and_then(bool_of);
        match (side(left), side(right)) {
            (Ok(one), _) | (_, Ok(one)) if one == decides => Ok(Val::Bool(decides)),
            (Ok(_), Ok(_)) => Ok(Val::Bool(!decides)),
            (Err(Fault::Unknown(mut one)), Err(Fault::Unknown(other))) => {
                one.extend(other);
                Err(Fault::Unknown(one))
            }
            // The claim that is not known may still decide.
            (Err(Fault::Unknown(open)), _) | (_, Err(Fault::Unknown(open))) => Err(Fault::Unknown(open)),
            _ => Err(Fault::Error),
        }
    }

    fn member(&self, of: &Val, name: &str) -> Result<Val> {
        match of {
            Val::Assertion => match self.token.claims.get(name) {
                Some(Claim::Value(value)) => Ok(val(value)),
                Some(Claim::AnyOf(_)) => Err(Fault::Unknown([name.to_owned()].into())),
                None if self.token.whole => Err(Fault::Error),
                None => Err(Fault::Unknown([name.to_owned()].into())),
            },
            Val::Attributes(head) => self.attribute(&format!("{head}{name}")),
            Val::Map(members) => members.get(name).cloned().ok_or(Fault::Error),
            _ => Err(Fault::Error),
        }
    }

    fn call(&self, name: &str, arguments: &[Expr]) -> Result<Val> {
        if name == "has" {
            return match arguments.first().map(|member| self.eval(member)) {
                Some(Ok(_)) => Ok(Val::Bool(true)),
                Some(Err(Fault::Error)) => Ok(Val::Bool(false)),
                Some(Err(unknown)) => Err(unknown),
                None => Err(Fault::Error),
            };
        }
        let values: Vec<Val> = arguments.iter().map(|argument| self.eval(argument)).collect::<Result<_>>()?;
        Ok(match (name, values.as_slice()) {
            ("startsWith", [Val::Text(text), Val::Text(part)]) => Val::Bool(text.starts_with(part.as_str())),
            ("endsWith", [Val::Text(text), Val::Text(part)]) => Val::Bool(text.ends_with(part.as_str())),
            ("contains", [Val::Text(text), Val::Text(part)]) => Val::Bool(text.contains(part.as_str())),
            ("matches", [Val::Text(text), Val::Text(pattern)]) => {
                // It looks for the pattern anywhere in the text.
                Val::Bool(regex::Regex::new(pattern).map_err(|_| Fault::Error)?.is_match(text))
            }
            ("extract", [Val::Text(text), Val::Text(template)]) => Val::Text(extract(text, template)?),
            ("size", [Val::Text(text)]) => Val::Int(i64::try_from(text.chars().count()).unwrap_or(i64::MAX)),
            ("size", [Val::List(list)]) => Val::Int(i64::try_from(list.len()).unwrap_or(i64::MAX)),
            ("size", [Val::Map(members)]) => Val::Int(i64::try_from(members.len()).unwrap_or(i64::MAX)),
            ("string", [Val::Text(text)]) => Val::Text(text.clone()),
            ("string", [Val::Int(value)]) => Val::Text(value.to_string()),
            ("string", [Val::Bool(value)]) => Val::Text(value.to_string()),
            ("int", [Val::Text(text)]) => Val::Int(text.parse().map_err(|_| Fault::Error)?),
            ("int", [Val::Int(value)]) => Val::Int(*value),
            ("lowerAscii", [Val::Text(text)]) => Val::Text(text.to_ascii_lowercase()),
            ("upperAscii", [Val::Text(text)]) => Val::Text(text.to_ascii_uppercase()),
            _ => return Err(Fault::Error),
        })
    }
}

fn bool_of(value: Val) -> Result<bool> {
    match value {
        Val::Bool(value) => Ok(value),
        _ => Err(Fault::Error),
    }
}

fn binary(op: Op, left: Val, right: Val) -> Result<Val> {
    use std::cmp::Ordering;
    let order = |wanted: fn(Ordering) -> bool| {
        let order = match (&left, &right) {
            (Val::Int(a), Val::Int(b)) => a.cmp(b),
            (Val::Text(a), Val::Text(b)) => a.cmp(b),
            (Val::Double(a), Val::Double(b)) => a.partial_cmp(b).ok_or(Fault::Error)?,
            (Val::Bool(a), Val::Bool(b)) => a.cmp(b),
            #[expect(clippy::cast_precision_loss, reason = "numbers of both kinds are compared as the language does")]
            (Val::Int(a), Val::Double(b)) => (*a as f64).partial_cmp(b).ok_or(Fault::Error)?,
            #[expect(clippy::cast_precision_loss, reason = "numbers of both kinds are compared as the language does")]
            (Val::Double(a), Val::Int(b)) => a.partial_cmp(&(*b as f64)).ok_or(Fault::Error)?,
            _ => return Err(Fault::Error),
        };
        Ok(Val::Bool(wanted(order)))
    };
    match op {
        // Values of different types are unlike, which is no error.
        Op::Equals => Ok(Val::Bool(equal(&left, &right))),
        Op::NotEquals => Ok(Val::Bool(!equal(&left, &right))),
        Op::Less => order(Ordering::is_lt),
        Op::LessEquals => order(Ordering::is_le),
        Op::Greater => order(Ordering::is_gt),
        Op::GreaterEquals => order(Ordering::is_ge),
        Op::In => match right {
            Val::List(list) => Ok(Val::Bool(list.iter().any(|one| equal(one, &left)))),
            Val::Map(members) => match left {
                Val::Text(name) => Ok(Val::Bool(members.contains_key(&name))),
                _ => Err(Fault::Error),
            },
            _ => Err(Fault::Error),
        },
        Op::Add => match (left, right) {
            (Val::Text(a), Val::Text(b)) => Ok(Val::Text(a + &b)),
            (Val::Int(a), Val::Int(b)) => a.checked_add(b).map(Val::Int).ok_or(Fault::Error),
            (Val::Double(a), Val::Double(b)) => Ok(Val::Double(a + b)),
            (Val::List(mut a), Val::List(b)) => {
                a.extend(b);
                Ok(Val::List(a))
            }
            _ => Err(Fault::Error),
        },
        Op::And | Op::Or => Err(Fault::Error),
    }
}

fn equal(left: &Val, right: &Val) -> bool {
    match (left, right) {
        #[expect(clippy::cast_precision_loss, reason = "numbers of both kinds are compared as the language does")]
        (Val::Int(a), Val::Double(b)) | (Val::Double(b), Val::Int(a)) => *a as f64 == *b,
        _ => left == right,
    }
}

/// What stands in the text where the template has its name in braces; empty where the text has another form.
fn extract(text: &str, template: &str) -> Result<String> {
    let (before, rest) = template.split_once('{').ok_or(Fault::Error)?;
    let (_, after) = rest.split_once('}').ok_or(Fault::Error)?;
    let Some((_, found)) = text.split_once(before) else { return Ok(String::new()) };
    if after.is_empty() {
        return Ok(found.to_owned());
    }
    Ok(found.split_once(after).map_or(String::new(), |(found, _)| found.to_owned()))
}

fn val(value: &Value) -> Val {
    match value {
        Value::Null => Val::Null,
        Value::Bool(value) => Val::Bool(*value),
        Value::Number(number) => {
            number.as_i64().map_or_else(|| Val::Double(number.as_f64().unwrap_or(f64::NAN)), Val::Int)
        }
        Value::String(text) => Val::Text(text.clone()),
        Value::Array(list) => Val::List(list.iter().map(val).collect()),
        Value::Object(members) => Val::Map(members.iter().map(|(name, value)| (name.clone(), val(value))).collect()),
    }
}
