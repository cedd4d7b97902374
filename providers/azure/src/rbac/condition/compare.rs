//! Comparisons of attributes with values.

use std::cmp::Ordering;

use evenhand_model::Timestamp;
use evenhand_model::evidence::Truth;

use super::attributes::{Attribute, Attributes, Value};

/// One comparison.
#[derive(Clone, Debug)]
pub(super) struct Comparison {
    pub(super) left: Operand,
    pub(super) quantifier: Option<Quantifier>,
    pub(super) operator: Operator,
    pub(super) right: Operand,
}

/// One side of a comparison.
#[derive(Clone, Debug)]
pub(super) enum Operand {
    Attribute(Attribute),
    Texts(Vec<String>),
}

/// How several values on both sides are put together.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Quantifier {
    AnyOfAny,
    AllOfAny,
    AnyOfAll,
    AllOfAll,
}

impl Quantifier {
    pub(super) fn of(name: &str) -> Option<Self> {
        Some(match &*name.to_ascii_lowercase() {
            "foranyofanyvalues" => Self::AnyOfAny,
            "forallofanyvalues" => Self::AllOfAny,
            "foranyofallvalues" => Self::AnyOfAll,
            "forallofallvalues" => Self::AllOfAll,
            _ => return None,
        })
    }
}

/// What is asked of two values.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Operator {
    kind: Kind,
    negated: bool,
    ignores_case: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Text(Text),
    Guid,
    Bool,
    Number(Order),
    Time(Order),
    /// An operator of the language that is not decided here, such as one on times of day.
    Other,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Text {
    Equals,
    Starts,
    Like,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Order {
    Equals,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Operator {
    /// The operator of a name, in any case; `None` for a word that is no operator.
    pub(super) fn of(name: &str) -> Option<Self> {
        let lower = name.to_ascii_lowercase();
        let (bare, ignores_case) = match lower.strip_suffix("ignorecase") {
            Some(bare) => (bare, true),
            None => (&*lower, false),
        };
        let kinds = ["string", "guid", "bool", "numeric", "datetime", "timeofday", "ip", "list"];
        let (kind, asked) = kinds.iter().find_map(|kind| Some((*kind, bare.strip_prefix(kind)?)))?;
        let (asked, negated) = match asked.strip_prefix("not") {
            Some(asked) => (asked, true),
            None => (asked, false),
        };
        let order = || {
            Some(match asked {
                "equals" => Order::Equals,
                "lessthan" => Order::Less,
                "lessthanequals" => Order::LessOrEqual,
                "greaterthan" => Order::Greater,
                "greaterthanequals" => Order::GreaterOrEqual,
                _ => return None,
            })
        };
        let kind = match (kind, asked) {
            ("string", "equals") => Kind::Text(Text::Equals),
            ("string", "startswith") => Kind::Text(Text::Starts),
            ("string", "like") => Kind::Text(Text::Like),
            ("guid", "equals") => Kind::Guid,
            ("bool", "equals") => Kind::Bool,
            ("numeric", _) => Kind::Number(order()?),
            ("datetime", _) => Kind::Time(order()?),
            ("timeofday" | "ip" | "list", _) => Kind::Other,
            _ => return None,
        };
        Some(Self { kind, negated, ignores_case })
    }

    /// Whether two values pass.
    fn passes(self, left: &str, right: &str) -> Truth {
        let folded = |text: &str| if self.ignores_case { text.to_lowercase() } else { text.to_owned() };
        let (left, right) = (folded(left), folded(right));
        let asked = match self.kind {
            Kind::Text(Text::Equals) => (left == right).into(),
            Kind::Text(Text::Starts) => left.starts_with(&right).into(),
            Kind::Text(Text::Like) => evenhand_model::glob::Glob::wildcard(&right).matches(&left),
            Kind::Guid => (guid(&left) == guid(&right)).into(),
            Kind::Bool => match (truth(&left), truth(&right)) {
                (Some(left), Some(right)) => (left == right).into(),
                _ => Truth::Unknown,
            },
            Kind::Number(order) => {
                let pair = left.trim().parse::<f64>().ok().zip(right.trim().parse::<f64>().ok());
                order.holds(pair.and_then(|(left, right)| left.partial_cmp(&right)))
            }
            Kind::Time(order) => {
                let pair = left.trim().parse::<Timestamp>().ok().zip(right.trim().parse::<Timestamp>().ok());
                order.holds(pair.map(|(left, right)| left.cmp(&right)))
            }
            Kind::Other => Truth::Unknown,
        };
        if self.negated { asked.not() } else { asked }
    }
}

impl Order {
    fn holds(self, found: Option<Ordering>) -> Truth {
        let Some(found) = found else { return Truth::Unknown };
        match self {
            Self::Equals => found.is_eq(),
            Self::Less => found.is_lt(),
            Self::LessOrEqual => found.is_le(),
            Self::Greater => found.is_gt(),
            Self::GreaterOrEqual => found.is_ge(),
        }
        .into()
    }
}

/// A GUID without what may be written or not.
fn guid(text: &str) -> String {
    text.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

fn truth(text: &str) -> Option<bool> {
    match &*text.trim().to_ascii_lowercase() {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    }
}

impl Comparison {
    /// Whether it holds.
    ///
    /// Without a quantifier both sides are one value. An attribute that the request does not have passes no comparison; of
    /// a negated one it is not documented, and unknown.
    pub(super) fn holds(&self, attributes: &Attributes) -> Truth {
        let (left, right) = match (self.left.values(attributes), self.right.values(attributes)) {
            (Some(Value::Absent), Some(_)) | (Some(_), Some(Value::Absent)) => {
                return if self.operator.negated { Truth::Unknown } else { Truth::No };
            }
            (Some(Value::Texts(left)), Some(Value::Texts(right))) => (left, right),
            (None, _) | (_, None) => return Truth::Unknown,
        };
        if left.is_empty() || right.is_empty() {
            return Truth::Unknown;
        }
        let pair = |left: &String, right: &String| self.operator.passes(left, right);
        let any_right = |l: &String| right.iter().fold(Truth::No, |some, r| some.or(pair(l, r)));
        let all_right = |l: &String| right.iter().fold(Truth::Yes, |all, r| all.and(pair(l, r)));
        match self.quantifier {
            None if left.len() == 1 && right.len() == 1 => any_right(left.first().unwrap_or(&String::new())),
            None => Truth::Unknown,
            Some(Quantifier::AnyOfAny) => left.iter().fold(Truth::No, |some, l| some.or(any_right(l))),
            Some(Quantifier::AllOfAny) => left.iter().fold(Truth::Yes, |all, l| all.and(any_right(l))),
            Some(Quantifier::AnyOfAll) => left.iter().fold(Truth::No, |some, l| some.or(all_right(l))),
            Some(Quantifier::AllOfAll) => left.iter().fold(Truth::Yes, |all, l| all.and(all_right(l))),
        }
    }
}

impl Operand {
    fn values(&self, attributes: &Attributes) -> Option<Value> {
        match self {
            Self::Attribute(attribute) => attributes.get(attribute).cloned(),
            Self::Texts(texts) => Some(Value::Texts(texts.clone())),
        }
    }
}
