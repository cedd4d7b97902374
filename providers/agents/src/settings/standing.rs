//! The rules that let something run unasked once those that ask or deny are taken away.

use std::collections::BTreeMap;

use super::{Said, Settings};
use crate::permissions::Rule;

/// Rules that stand.
pub(crate) struct Standing<'s> {
    /// In the order of precedence.
    pub(crate) rules: Vec<&'s Said<Rule>>,
    /// Those that speak of one tool server, by its name.
    of_servers: BTreeMap<&'s str, Vec<&'s Rule>>,
}

impl Standing<'_> {
    /// The rules that speak of a tool server.
    pub(crate) fn of_server(&self, name: &str) -> &[&Rule] {
        self.of_servers.get(name).map_or(&[], Vec::as_slice)
    }
}

impl Settings {
    /// The rules that stand.
    pub(crate) fn standing(&self) -> Standing<'_> {
        let is_taken_away = |rule: &Rule| self.deny.iter().chain(&self.ask).any(|other| other.covers(rule));
        let rules: Vec<&Said<Rule>> = self.allow.iter().filter(|said| !is_taken_away(&said.value)).collect();
        let mut of_servers: BTreeMap<&str, Vec<&Rule>> = BTreeMap::new();
        for said in &rules {
            #[cfg(test)]
            crate::work::step();
            if let Some(server) = said.value.server() {
                of_servers.entry(server).or_default().push(&said.value);
            }
        }
        Standing { rules, of_servers }
    }
}
