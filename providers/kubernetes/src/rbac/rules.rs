//! The rules of a role, in their order. Many roles of a cluster have the same ones: these can be held once.

use std::sync::Arc;

use super::Rule;

/// Rules in their order. Copies share them.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Rules(Arc<[Arc<Rule>]>);

impl Rules {
    /// The rules.
    pub fn iter(&self) -> impl Iterator<Item = &Rule> {
        self.0.iter().map(|rule| &**rule)
    }

    /// The rules, as they may be shared with others.
    pub fn shared(&self) -> &[Arc<Rule>] {
        &self.0
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// A copy of each.
    pub fn to_vec(&self) -> Vec<Rule> {
        self.iter().cloned().collect()
    }
}

impl From<Vec<Arc<Rule>>> for Rules {
    fn from(rules: Vec<Arc<Rule>>) -> Self {
        Self(rules.into())
    }
}

impl From<Vec<Rule>> for Rules {
    fn from(rules: Vec<Rule>) -> Self {
        rules.into_iter().collect()
    }
}

impl FromIterator<Rule> for Rules {
    fn from_iter<I: IntoIterator<Item = Rule>>(rules: I) -> Self {
        Self(rules.into_iter().map(Arc::new).collect())
    }
}
