//! Whether the owner that an identity declares is an active person: looked up among the people that were read.

use std::collections::HashMap;

use evenhand_model::evidence::Fact;
use evenhand_model::identity::{Identity, Nature, judge};

use super::facts::Center;

/// Fills in whether each declared owner is active. An owner who is nobody that was read stays unknown: a team, or
/// someone from elsewhere.
pub(super) fn activity(identities: &mut [Identity], center: &Center) {
    let mut people: HashMap<String, bool, foldhash::fast::RandomState> = HashMap::default();
    for identity in identities.iter().filter(|identity| identity.kind == "user") {
        if let Fact::Known(enabled) = identity.enabled
            && judge(&identity.signals).nature == Nature::Human
        {
            people.insert(identity.name.to_lowercase(), enabled);
        }
    }
    // The identity store knows people better than an account does.
    for user in center.users.values() {
        if let Fact::Known(active) = user.active {
            for name in &user.names {
                people.insert(name.clone(), active);
            }
        }
    }
    for identity in identities {
        identity.owner_active = match &identity.owner {
            Fact::Known(owner) => Fact::known(names(owner).iter().find_map(|name| people.get(name).copied())),
            Fact::Absent => Fact::Absent,
            Fact::Unknown => Fact::Unknown,
        };
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
