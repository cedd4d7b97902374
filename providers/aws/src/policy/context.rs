//! What is known of a request's context.

use std::collections::BTreeMap;
use std::sync::Arc;

/// The value of a context key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Lookup {
    /// These values; more than one for keys of several values.
    Known(Vec<Arc<str>>),
    /// The request certainly does not carry the key.
    Absent,
    /// Nothing tells.
    Unknown,
}

/// A request's context, as far as it is known.
pub(crate) trait Context {
    /// The values of a key, given in lower case.
    fn get(&self, key: &str) -> Lookup;
}

/// Some keys on top of a context about which nothing else is known than what another one tells.
pub(crate) struct Over<'a> {
    /// Asked first.
    pub(crate) first: &'a dyn Context,
    /// Asked where the first does not know.
    pub(crate) then: &'a dyn Context,
}

impl Context for Over<'_> {
    fn get(&self, key: &str) -> Lookup {
        match self.first.get(key) {
            Lookup::Unknown => self.then.get(key),
            known => known,
        }
    }
}

/// Of no key anything is known.
pub(crate) struct NothingKnown;

impl Context for NothingKnown {
    fn get(&self, _: &str) -> Lookup {
        Lookup::Unknown
    }
}

/// The request carries no key.
pub(crate) struct NothingGiven;

impl Context for NothingGiven {
    fn get(&self, _: &str) -> Lookup {
        Lookup::Absent
    }
}

/// Some keys; of all others nothing is known.
#[derive(Clone, Debug, Default)]
pub(crate) struct Partial(BTreeMap<Arc<str>, Vec<Arc<str>>>);

impl Partial {
    /// This context with a key.
    pub(crate) fn insert(&mut self, key: &str, values: Vec<Arc<str>>) {
        self.0.insert(key.to_ascii_lowercase().into(), values);
    }
}

impl Context for Partial {
    fn get(&self, key: &str) -> Lookup {
        self.0.get(key).map_or(Lookup::Unknown, |values| Lookup::Known(values.clone()))
    }
}

/// A context that is known whole: what it does not hold is absent.
#[cfg(test)]
#[derive(Clone, Debug, Default)]
pub(crate) struct Known(BTreeMap<Arc<str>, Vec<Arc<str>>>);

#[cfg(test)]
impl Known {
    /// This context with one key more.
    #[must_use]
    pub(crate) fn with(mut self, key: &str, value: &str) -> Self {
        self.0.entry(key.to_ascii_lowercase().into()).or_default().push(Arc::from(value));
        self
    }
}

#[cfg(test)]
impl Context for Known {
    fn get(&self, key: &str) -> Lookup {
        self.0.get(key).map_or(Lookup::Absent, |values| Lookup::Known(values.clone()))
    }
}
