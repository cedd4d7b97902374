//! Whether the owner that an identity declares is an active person: looked up among the people that were read.

use std::collections::HashMap;
use std::sync::Arc;

use evenhand_model::evidence::Fact;

use super::facts::Center;

/// Whether people are active, by their names in lower case.
#[derive(Debug, Default)]
pub(super) struct Owners(HashMap<String, bool, foldhash::fast::RandomState>);

impl Owners {
    /// Adds a user who is a person.
    pub(super) fn person(&mut self, name: &str, enabled: Fact<bool>) {
        if let Fact::Known(enabled) = enabled {
            self.0.insert(name.to_lowercase(), enabled);
        }
    }

    /// Adds the people of the identity store, which knows them better than an account does.
    pub(super) fn store(&mut self, center: &Center) {
        for user in center.users.values() {
            if let Fact::Known(active) = user.active {
                for name in &user.names {
                    self.0.insert(name.clone(), active);
                }
            }
        }
    }

    /// Whether a declared owner is active. One who is nobody that was read stays unknown: a team, or someone from
    /// elsewhere.
    pub(super) fn activity(&self, owner: &Fact<Arc<str>>) -> Fact<bool> {
        match owner {
            // Copies of its names would be made for nothing.
            Fact::Known(_) if self.0.is_empty() => Fact::Unknown,
            Fact::Known(owner) => Fact::known(names(owner).iter().find_map(|name| self.0.get(name).copied())),
            Fact::Absent => Fact::Absent,
            Fact::Unknown => Fact::Unknown,
        }
    }
}

/// The ways in which an owner may be named: as written, and the address of `Ana Pop <ana@acme.example>`.
fn names(owner: &str) -> Vec<String> {
    let mut names = vec![owner.trim().to_lowercase()];
    if let Some((name, address)) = owner.split_once('<') {
        names.push(address.trim_end_matches('>').trim().to_lowercase());
        names.push(name.trim().to_lowercase());
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_owner_is_found_by_name_and_by_address() {
        assert_eq!(names("Ana Pop <ana@acme.example>"), ["ana pop <ana@acme.example>", "ana@acme.example", "ana pop"]);
        assert_eq!(names(" Ana@acme.example "), ["ana@acme.example"]);
    }
}
