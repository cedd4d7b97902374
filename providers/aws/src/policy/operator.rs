//! Condition operators.

use std::net::IpAddr;
use std::sync::{Arc, OnceLock};

use evenhand_model::evidence::Truth;
use evenhand_model::glob::{Glob, Token};
use evenhand_model::scope::Pattern;
use jiff::civil::Date;
use jiff::{Timestamp, tz::TimeZone};

use super::arn::{self, Template};
use super::context::{Context, Lookup};
use super::document::{ConditionTest, Qualifier};

/// How two ordered values are compared.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub(crate) enum Order {
    Equals,
    NotEquals,
    LessThan,
    LessThanEquals,
    GreaterThan,
    GreaterThanEquals,
}

/// An operator without qualifier and suffix.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub(crate) enum Operator {
    StringEquals { negated: bool },
    StringEqualsIgnoreCase { negated: bool },
    StringLike { negated: bool },
    Numeric(Order),
    Date(Order),
    Bool,
    Binary,
    IpAddress { negated: bool },
    Arn { negated: bool },
    Null,
}

impl Operator {
    /// The operator with that lower-case name.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "stringequals" => Self::StringEquals { negated: false },
            "stringnotequals" => Self::StringEquals { negated: true },
            "stringequalsignorecase" => Self::StringEqualsIgnoreCase { negated: false },
            "stringnotequalsignorecase" => Self::StringEqualsIgnoreCase { negated: true },
            "stringlike" => Self::StringLike { negated: false },
            "stringnotlike" => Self::StringLike { negated: true },
            "bool" => Self::Bool,
            "binaryequals" => Self::Binary,
            "ipaddress" => Self::IpAddress { negated: false },
            "notipaddress" => Self::IpAddress { negated: true },
            "arnequals" | "arnlike" => Self::Arn { negated: false },
            "arnnotequals" | "arnnotlike" => Self::Arn { negated: true },
            "null" => Self::Null,
            _ => {
                let (family, order): (fn(Order) -> Self, &str) = match name.strip_prefix("numeric") {
                    Some(order) => (Self::Numeric, order),
                    None => (Self::Date, name.strip_prefix("date")?),
                };
                family(match order {
                    "equals" => Order::Equals,
                    "notequals" => Order::NotEquals,
                    "lessthan" => Order::LessThan,
                    "lessthanequals" => Order::LessThanEquals,
                    "greaterthan" => Order::GreaterThan,
                    "greaterthanequals" => Order::GreaterThanEquals,
                    _ => return None,
                })
            }
        })
    }

    /// Whether the operator passes where none of its values fits.
    pub(crate) fn negated(self) -> bool {
        match self {
            Self::StringEquals { negated }
            | Self::StringEqualsIgnoreCase { negated }
            | Self::StringLike { negated }
            | Self::IpAddress { negated }
            | Self::Arn { negated } => negated,
            Self::Numeric(order) | Self::Date(order) => order == Order::NotEquals,
            Self::Bool | Self::Binary | Self::Null => false,
        }
    }
}

/// What comes of one request value and one policy value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Fit {
    Yes,
    No,
    /// A side cannot be read as what the operator compares; such a test fails, a negated one too.
    Invalid,
    Unknown,
}

impl From<bool> for Fit {
    fn from(fits: bool) -> Self {
        if fits { Self::Yes } else { Self::No }
    }
}

/// A value of a policy, read as what its operator compares.
#[derive(Debug)]
enum Value {
    Text(Arc<str>),
    /// Compared without regard to case; in lower case.
    Lower(String),
    Glob(Glob),
    Number(f64),
    Moment(i64),
    Truth(bool),
    Range((IpAddr, u32)),
    /// `None`: any name.
    Arn(Option<Pattern>),
    /// It cannot be read so.
    Invalid,
}

impl Value {
    /// Reads a text; `tokens`: the same with variables in place, whose wildcards are characters.
    fn of(operator: Operator, text: &Arc<str>, tokens: Option<Vec<Token>>) -> Self {
        let read = match operator {
            Operator::StringEquals { .. } | Operator::Binary => Some(Self::Text(Arc::clone(text))),
            Operator::StringEqualsIgnoreCase { .. } => Some(Self::Lower(text.to_lowercase())),
            Operator::StringLike { .. } => Some(Self::Glob(match tokens {
                Some(tokens) => Glob::from_tokens(tokens),
                None => Glob::wildcard(text),
            })),
            Operator::Numeric(_) => number(text).map(Self::Number),
            Operator::Date(_) => moment(text).map(Self::Moment),
            Operator::Bool => truth_value(text).map(Self::Truth),
            Operator::IpAddress { .. } => address(text).map(Self::Range),
            Operator::Arn { .. } => match tokens {
                Some(tokens) => arn::is_whole(&tokens).then(|| Self::Arn(Some(arn::filled(tokens)))),
                None if &**text == "*" => Some(Self::Arn(None)),
                None => arn::split(text).map(|_| Self::Arn(Some(arn::pattern(text)))),
            },
            Operator::Null => None,
        };
        read.unwrap_or(Self::Invalid)
    }
}

/// A value of a policy, read as far as no context is needed.
#[derive(Debug)]
enum Wanted {
    Fixed(Value),
    Template(Template),
}

/// The values of a test, read once.
#[derive(Debug)]
pub(crate) struct Prepared(Box<[Wanted]>);

impl Prepared {
    /// Reads the values of a test.
    pub(crate) fn of(test: &ConditionTest) -> Self {
        let Some(operator) = test.operator.filter(|operator| *operator != Operator::Null) else {
            return Self(Box::default());
        };
        Self(
            test.values
                .iter()
                .map(|text| {
                    if text.contains("${") {
                        Wanted::Template(Template::parse(text))
                    } else {
                        Wanted::Fixed(Value::of(operator, text, None))
                    }
                })
                .collect(),
        )
    }
}

/// Whether a test holds in a context.
pub(crate) fn holds(test: &ConditionTest, context: &dyn Context) -> Truth {
    let once = OnceLock::new();
    holds_prepared(test, &once, context)
}

/// The same for a test that is asked about often: its values are read when they are first needed, and kept.
pub(crate) fn holds_prepared(test: &ConditionTest, prepared: &OnceLock<Prepared>, context: &dyn Context) -> Truth {
    let Some(operator) = test.operator else { return Truth::Unknown };
    let lookup = context.get(&test.key);
    if operator == Operator::Null {
        let absent = match lookup {
            Lookup::Known(values) => values.is_empty(),
            Lookup::Absent => true,
            Lookup::Unknown => return Truth::Unknown,
        };
        return test
            .values
            .iter()
            .any(|value| value.eq_ignore_ascii_case(if absent { "true" } else { "false" }))
            .into();
    }
    let values = match lookup {
        Lookup::Known(values) if !values.is_empty() => values,
        Lookup::Unknown => return Truth::Unknown,
        Lookup::Known(_) | Lookup::Absent => {
            return holds_without_key(test).into();
        }
    };
    let Prepared(wanted) = prepared.get_or_init(|| Prepared::of(test));
    let one = |value: &Arc<str>| passes(operator, value, wanted, context);
    match test.qualifier {
        Qualifier::None => match values.as_slice() {
            [value] => one(value),
            _ => Truth::No,
        },
        Qualifier::ForAllValues => values.iter().fold(Truth::Yes, |all, value| all.and(one(value))),
        Qualifier::ForAnyValue => values.iter().fold(Truth::No, |some, value| some.or(one(value))),
    }
}

/// Whether a test holds where the request does not carry its key.
pub(crate) fn holds_without_key(test: &ConditionTest) -> bool {
    test.if_exists
        || match test.qualifier {
            Qualifier::ForAllValues => true,
            Qualifier::ForAnyValue => false,
            Qualifier::None => test.operator.is_some_and(Operator::negated),
        }
}

/// Whether one value of the request passes an operator with its values.
fn passes(operator: Operator, value: &str, wanted: &[Wanted], context: &dyn Context) -> Truth {
    if operator.negated() {
        return wanted.iter().fold(Truth::Yes, |all, wanted| {
            all.and(match fit(operator, value, wanted, context) {
                Fit::No => Truth::Yes,
                Fit::Yes | Fit::Invalid => Truth::No,
                Fit::Unknown => Truth::Unknown,
            })
        });
    }
    wanted.iter().fold(Truth::No, |some, wanted| {
        some.or(match fit(operator, value, wanted, context) {
            Fit::Yes => Truth::Yes,
            Fit::No | Fit::Invalid => Truth::No,
            Fit::Unknown => Truth::Unknown,
        })
    })
}

/// Whether a request value fits a policy value, negation apart.
fn fit(operator: Operator, value: &str, wanted: &Wanted, context: &dyn Context) -> Fit {
    let template = match wanted {
        Wanted::Fixed(wanted) => return fit_value(operator, value, wanted),
        Wanted::Template(template) => template,
    };
    let Some(tokens) = template.fill(context) else { return Fit::Invalid };
    // Text comparison where variables have been put in place: wildcards count only for operators that have them.
    let mut text = String::new();
    for token in &tokens {
        match token {
            Token::Char(c) => text.push(*c),
            Token::Many => text.push('*'),
            Token::One => text.push('?'),
            Token::Variable(_) => return Fit::Unknown,
        }
    }
    fit_value(operator, value, &Value::of(operator, &text.into(), Some(tokens)))
}

fn fit_value(operator: Operator, value: &str, wanted: &Value) -> Fit {
    let truth = |truth: Truth| match truth {
        Truth::Yes => Fit::Yes,
        Truth::No => Fit::No,
        Truth::Unknown => Fit::Unknown,
    };
    let fits = match wanted {
        Value::Text(wanted) => Some((**wanted == *value).into()),
        Value::Lower(wanted) => Some((*wanted == value.to_lowercase()).into()),
        Value::Glob(wanted) => Some(truth(wanted.matches(value))),
        Value::Number(wanted) => number(value).map(|value| compare(operator, &value, wanted)),
        Value::Moment(wanted) => moment(value).map(|value| compare(operator, &value, wanted)),
        Value::Truth(wanted) => truth_value(value).map(|value| (value == *wanted).into()),
        Value::Range(outer) => address(value).map(|inner| within(inner, *outer).into()),
        Value::Arn(wanted) => arn::split(value).map(|segments| match wanted {
            Some(wanted) => truth(wanted.matches(&segments)),
            None => Fit::Yes,
        }),
        Value::Invalid => None,
    };
    fits.unwrap_or(Fit::Invalid)
}

/// A finite number.
fn number(text: &str) -> Option<f64> {
    text.trim().parse::<f64>().ok().filter(|number| number.is_finite())
}

fn compare<T: PartialOrd>(operator: Operator, value: &T, wanted: &T) -> Fit {
    let (Operator::Numeric(order) | Operator::Date(order)) = operator else { return Fit::Invalid };
    match order {
        // Negation is the caller's.
        Order::Equals | Order::NotEquals => (value == wanted).into(),
        Order::LessThan => (value < wanted).into(),
        Order::LessThanEquals => (value <= wanted).into(),
        Order::GreaterThan => (value > wanted).into(),
        Order::GreaterThanEquals => (value >= wanted).into(),
    }
}

fn truth_value(text: &str) -> Option<bool> {
    if text.eq_ignore_ascii_case("true") {
        Some(true)
    } else if text.eq_ignore_ascii_case("false") {
        Some(false)
    } else {
        None
    }
}

/// Milliseconds since 1970 of an ISO date, an ISO time, or epoch time. Numbers below 10¹¹ are seconds.
fn moment(text: &str) -> Option<i64> {
    let text = text.trim();
    if let Ok(number) = text.parse::<i64>() {
        return Some(if number.abs() < 100_000_000_000 { number.checked_mul(1000)? } else { number });
    }
    if let Ok(time) = text.parse::<Timestamp>() {
        return Some(time.as_millisecond());
    }
    let date = match text.parse::<Date>() {
        Ok(date) => date,
        Err(_) if text.len() == 7 => format!("{text}-01").parse::<Date>().ok()?,
        Err(_) => return None,
    };
    Some(date.to_zoned(TimeZone::UTC).ok()?.timestamp().as_millisecond())
}

/// Whether a text is an address, or a range of them.
pub(crate) fn is_address(text: &str) -> bool {
    address(text).is_some()
}

/// An address with the length of its prefix.
fn address(text: &str) -> Option<(IpAddr, u32)> {
    let (address, prefix) = match text.trim().split_once('/') {
        Some((address, prefix)) => (address.parse::<IpAddr>().ok()?, Some(prefix.parse::<u32>().ok()?)),
        None => (text.trim().parse::<IpAddr>().ok()?, None),
    };
    let full = if address.is_ipv4() { 32 } else { 128 };
    let prefix = prefix.unwrap_or(full);
    (prefix <= full).then_some((address, prefix))
}

fn within((inner, inner_prefix): (IpAddr, u32), (outer, outer_prefix): (IpAddr, u32)) -> bool {
    if inner_prefix < outer_prefix {
        return false;
    }
    let (inner, outer, full) = match (inner, outer) {
        (IpAddr::V4(inner), IpAddr::V4(outer)) => (u128::from(inner.to_bits()), u128::from(outer.to_bits()), 32),
        (IpAddr::V6(inner), IpAddr::V6(outer)) => (inner.to_bits(), outer.to_bits(), 128),
        _ => return false,
    };
    let shift = full - outer_prefix;
    inner.checked_shr(shift).unwrap_or(0) == outer.checked_shr(shift).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::super::context::{Known, NothingKnown};
    use super::super::document::PolicyDocument;
    use super::*;

    fn test(condition: &str) -> ConditionTest {
        let json = format!(
            r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Action":"*","Resource":"*","Condition":{condition}}}}}"#
        );
        PolicyDocument::parse(&json).unwrap().statements[0].conditions[0].clone()
    }

    fn context(values: &[&str]) -> Known {
        values.iter().fold(Known::default().with("aws:username", "bob"), |known, value| known.with("k", value))
    }

    #[test]
    fn operators_agree_with_the_documentation() {
        for (condition, values, expected) in [
            (r#"{"StringEquals":{"k":"a*"}}"#, &["ab"][..], false),
            (r#"{"StringEquals":{"k":["x","ab"]}}"#, &["ab"], true),
            (r#"{"StringEquals":{"K":"AB"}}"#, &["ab"], false),
            (r#"{"StringEqualsIgnoreCase":{"k":"AB"}}"#, &["ab"], true),
            (r#"{"StringLike":{"k":"a*"}}"#, &["ab"], true),
            (r#"{"StringLike":{"k":"${aws:username}/*"}}"#, &["bob/x"], true),
            (r#"{"StringLike":{"k":"${aws:nothing}*"}}"#, &["x"], false),
            (r#"{"StringNotLike":{"k":"${aws:nothing}*"}}"#, &["x"], false),
            (r#"{"StringNotEquals":{"k":["a","b"]}}"#, &["c"], true),
            (r#"{"StringNotEquals":{"k":["a","b"]}}"#, &["b"], false),
            (r#"{"StringNotEquals":{"k":"a"}}"#, &[], true),
            (r#"{"StringEquals":{"k":"a"}}"#, &[], false),
            (r#"{"StringEqualsIfExists":{"k":"a"}}"#, &[], true),
            (r#"{"StringEquals":{"k":"a"}}"#, &["a", "b"], false),
            (r#"{"ForAllValues:StringEquals":{"k":["a","b"]}}"#, &["a", "b"], true),
            (r#"{"ForAllValues:StringEquals":{"k":["a"]}}"#, &["a", "b"], false),
            (r#"{"ForAllValues:StringEquals":{"k":["a"]}}"#, &[], true),
            (r#"{"ForAnyValue:StringEquals":{"k":["a"]}}"#, &["a", "b"], true),
            (r#"{"ForAnyValue:StringEquals":{"k":["a"]}}"#, &[], false),
            (r#"{"ForAnyValue:StringNotEquals":{"k":["a"]}}"#, &["a", "b"], true),
            (r#"{"NumericEquals":{"k":"10"}}"#, &["10.0"], true),
            (r#"{"NumericLessThan":{"k":"10"}}"#, &["9"], true),
            (r#"{"NumericNotEquals":{"k":"10"}}"#, &["ten"], false),
            (r#"{"NumericNotEquals":{"k":"ten"}}"#, &["10"], false),
            (r#"{"DateGreaterThan":{"k":"2026-01-01"}}"#, &["2026-01-01T00:00:01Z"], true),
            (r#"{"DateLessThan":{"k":"2026-01-01T00:00:00Z"}}"#, &["1767225599"], true),
            (r#"{"DateNotEquals":{"k":"soon"}}"#, &["2026-01-01"], false),
            (r#"{"Bool":{"k":true}}"#, &["TRUE"], true),
            (r#"{"Bool":{"k":"true"}}"#, &["yes"], false),
            (r#"{"BoolIfExists":{"k":"true"}}"#, &[], true),
            (r#"{"BinaryEquals":{"k":"QmFzZTY0"}}"#, &["QmFzZTY0"], true),
            (r#"{"IpAddress":{"k":"203.0.113.0/24"}}"#, &["203.0.113.9"], true),
            (r#"{"IpAddress":{"k":"203.0.113.0/24"}}"#, &["203.0.114.9"], false),
            (r#"{"IpAddress":{"k":"2001:db8::/32"}}"#, &["2001:db8::1"], true),
            (r#"{"IpAddress":{"k":"203.0.113.0/24"}}"#, &["2001:db8::1"], false),
            (r#"{"NotIpAddress":{"k":"203.0.113.0/24"}}"#, &["2001:db8::1"], true),
            (r#"{"NotIpAddress":{"k":"203.0.113.0/24"}}"#, &["nowhere"], false),
            (r#"{"IpAddress":{"k":"0.0.0.0/0"}}"#, &["203.0.113.9"], true),
            (r#"{"ArnLike":{"k":"arn:aws:iam::*:role/a*"}}"#, &["arn:aws:iam::1:role/ab"], true),
            (r#"{"ArnEquals":{"k":"arn:aws:iam::*:role/a*"}}"#, &["arn:aws:iam::1:role/ab"], true),
            (r#"{"ArnNotLike":{"k":"arn:aws:iam::*:role/a*"}}"#, &["arn:aws:iam::1:role/b"], true),
            (r#"{"ArnLike":{"k":"arn:aws:iam::*:role/a*"}}"#, &["arn:aws:iam:role/ab"], false),
            (r#"{"ArnLike":{"k":"arn:aws:${aws:username}"}}"#, &["arn:aws:bob:::x"], false),
            (r#"{"ArnNotLike":{"k":"arn:aws:${aws:username}"}}"#, &["arn:aws:s3:::x"], false),
            (r#"{"ArnLike":{"k":"arn:aws:s3:::${aws:username}"}}"#, &["arn:aws:s3:::bob"], true),
            (r#"{"Null":{"k":"true"}}"#, &[], true),
            (r#"{"Null":{"k":"true"}}"#, &["a"], false),
            (r#"{"Null":{"k":"false"}}"#, &["a"], true),
            (r#"{"ForAllValues:Null":{"k":"true"}}"#, &["a"], false),
        ] {
            assert_eq!(holds(&test(condition), &context(values)), expected.into(), "{condition} {values:?}");
        }
    }

    #[test]
    fn what_is_not_known_is_neither_met_nor_unmet() {
        let nothing = NothingKnown;
        for condition in [
            r#"{"StringEquals":{"k":"a"}}"#,
            r#"{"StringNotEquals":{"k":"a"}}"#,
            r#"{"StringEqualsIfExists":{"k":"a"}}"#,
            r#"{"ForAllValues:StringEquals":{"k":"a"}}"#,
            r#"{"Null":{"k":"true"}}"#,
            r#"{"StringSoundsLike":{"k":"a"}}"#,
        ] {
            assert_eq!(holds(&test(condition), &nothing), Truth::Unknown, "{condition}");
        }
    }
}
