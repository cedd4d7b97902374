//! Attributes that conditions ask about: where they come from, and what is known of them.

use std::collections::BTreeMap;
use std::fmt;

/// What an attribute is one of.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Source {
    /// What the request brings along, such as the role that is to be assigned.
    Request,
    /// What is acted on.
    Resource,
    /// Who acts.
    Principal,
    /// From where and when.
    Environment,
}

impl Source {
    /// The source of a name, in any case.
    pub fn of(name: &str) -> Option<Self> {
        [Self::Request, Self::Resource, Self::Principal, Self::Environment]
            .into_iter()
            .find(|source| source.as_str().eq_ignore_ascii_case(name))
    }

    /// Its name in conditions.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Request => "Request",
            Self::Resource => "Resource",
            Self::Principal => "Principal",
            Self::Environment => "Environment",
        }
    }
}

/// An attribute: `@Resource[Microsoft.Storage/storageAccounts/blobServices/containers:name]`.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Attribute {
    source: Source,
    /// In lower case: names of attributes have none.
    name: Box<str>,
}

impl Attribute {
    /// An attribute by its name in brackets. The mark behind a tag's key, such as `<$key_case_sensitive$>`, is no part of
    /// its name.
    pub fn new(source: Source, name: &str) -> Self {
        let name = name.trim();
        let bare = name.split_once("<$").map_or(name, |(bare, _)| bare);
        Self { source, name: bare.to_ascii_lowercase().into() }
    }
}

impl fmt::Display for Attribute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "@{}[{}]", self.source.as_str(), self.name)
    }
}

/// What is known of an attribute.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Value {
    /// The request has none such.
    Absent,
    /// Its values; numbers and truths as texts.
    Texts(Vec<String>),
}

/// What is known of a request's attributes. An attribute that is not there is not known.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Attributes(BTreeMap<Attribute, Value>);

impl Attributes {
    /// Nothing is known.
    pub const NONE: &'static Self = &Self(BTreeMap::new());

    /// What is known of an attribute.
    pub fn get(&self, attribute: &Attribute) -> Option<&Value> {
        self.0.get(attribute)
    }

    /// Adds what is known of an attribute.
    pub fn insert(&mut self, attribute: Attribute, value: Value) {
        self.0.insert(attribute, value);
    }
}
