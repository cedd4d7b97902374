//! The accounts of a cluster, each with a number: those of the capture, and behind them those that something merely names.

use std::sync::Arc;

use evenhand_model::identity::Identity;
use foldhash::fast::FixedState;
use indexmap::{Equivalent, IndexSet};

use super::Key;
use crate::capture::{Account, Objects};

/// Accounts by their numbers, which are the places in these lists.
#[derive(Default)]
pub(super) struct Roster {
    keys: IndexSet<Key, FixedState>,
    /// Those of the capture.
    pub(super) objects: Objects<Account>,
    pub(super) identities: Vec<Identity>,
    /// Whether some workload carries its token; `false` also for those behind the end.
    carried: Vec<bool>,
}

/// A key that is looked for.
#[derive(Hash)]
struct Wanted<'k>(&'k str, &'k str);

impl Equivalent<Key> for Wanted<'_> {
    fn equivalent(&self, (namespace, name): &Key) -> bool {
        *self.0 == **namespace && *self.1 == **name
    }
}

impl Roster {
    /// Takes the accounts of the capture. Of several with one name the last one counts.
    pub(super) fn list(&mut self, objects: Objects<Account>) {
        self.keys.reserve(objects.len());
        self.objects.reserve_exact(objects.len());
        for object in objects {
            let (number, new) = self.keys.insert_full((Arc::clone(&object.namespace), Arc::clone(&object.name)));
            match self.objects.get_mut(number) {
                Some(held) if !new => *held = object,
                _ => self.objects.push(object),
            }
        }
    }

    /// Adds an account that something names.
    pub(super) fn add(&mut self, key: Key, identity: Identity) -> usize {
        self.identities.push(identity);
        self.keys.insert_full(key).0
    }

    pub(super) fn number(&self, namespace: &str, name: &str) -> Option<usize> {
        self.keys.get_index_of(&Wanted(namespace, name))
    }

    pub(super) fn object(&self, number: usize) -> Option<&Account> {
        self.objects.get(number).map(|object| &**object)
    }

    pub(super) fn identity(&self, number: usize) -> Option<&Identity> {
        self.identities.get(number)
    }

    pub(super) fn identity_mut(&mut self, number: usize) -> Option<&mut Identity> {
        self.identities.get_mut(number)
    }

    /// Notes that a workload carries the token of an account.
    pub(super) fn carry(&mut self, number: usize) {
        if self.carried.len() <= number {
            self.carried.resize(self.keys.len().max(number + 1), false);
        }
        if let Some(carried) = self.carried.get_mut(number) {
            *carried = true;
        }
    }

    pub(super) fn is_carried(&self, number: usize) -> bool {
        self.carried.get(number) == Some(&true)
    }

    /// All accounts: their names, their identities, and whether some workload carries their token.
    pub(super) fn finish(mut self) -> (Vec<Key>, Vec<Identity>, Vec<bool>) {
        self.carried.resize(self.keys.len(), false);
        (self.keys.into_iter().collect(), self.identities, self.carried)
    }
}

#[cfg(test)]
mod tests {
    use evenhand_model::evidence::Evidence;
    use evenhand_model::id::IdentityId;

    use super::*;
    use crate::inventory::PROVIDER;

    #[test]
    fn accounts_are_found_by_their_names_and_keep_their_numbers() {
        let key = |namespace: &str, name: &str| -> Key { (namespace.into(), name.into()) };
        let identity = |id: &str| {
            Identity::new(IdentityId::from(id), PROVIDER, "s".into(), "service_account", id, Evidence::whole("x"))
        };
        let mut roster = Roster::default();
        assert_eq!(roster.add(key("a", "bc"), identity("a/bc")), 0);
        assert_eq!(roster.add(key("ab", "c"), identity("ab/c")), 1);
        roster.carry(1);
        assert_eq!(roster.add(key("a", "c"), identity("a/c")), 2);
        let numbers = [("a", "bc"), ("ab", "c"), ("a", "c"), ("a", "b")];
        assert_eq!(numbers.map(|(namespace, name)| roster.number(namespace, name)), [Some(0), Some(1), Some(2), None]);
        assert_eq!(roster.identity(2).map(|held| held.id.as_str()), Some("a/c"));
        assert_eq!([0, 1, 2, 3].map(|number| roster.is_carried(number)), [false, true, false, false]);
        let (keys, identities, carried) = roster.finish();
        assert_eq!((keys.len(), identities.len(), carried), (3, 3, vec![false, true, false]));
    }
}
