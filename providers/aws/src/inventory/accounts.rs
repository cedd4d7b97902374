//! Whose account is it: where a document says nothing, its place in the capture does; and which accounts are ours.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::facts::{Facts, Said};
use crate::world::AccountId;

/// Finds the account of documents that do not say it.
#[derive(Debug, Default)]
pub(crate) struct Accounts {
    /// Folder and account of each authorization details.
    details: Vec<(Arc<str>, AccountId)>,
    all: BTreeSet<AccountId>,
    /// Answers given already, by folder.
    near: BTreeMap<String, Option<AccountId>>,
    /// Documents that could be given to no account.
    pub(crate) homeless: BTreeSet<Arc<str>>,
}

fn folder(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

fn common(a: &str, b: &str) -> usize {
    a.split('/').zip(b.split('/')).take_while(|(a, b)| a == b).count()
}

impl Accounts {
    /// `described`: whose principals were read.
    pub(crate) fn new(facts: &Facts, described: BTreeSet<AccountId>) -> Self {
        let mut accounts = Self { all: described, ..Self::default() };
        for read in &facts.details {
            if let Some(account) = &read.account {
                accounts.details.push((Arc::clone(&read.document), account.clone()));
                accounts.all.insert(account.clone());
            }
        }
        accounts.all.retain(|account| !account.0.is_empty());
        accounts
    }

    /// Accounts whose principals were read.
    pub(crate) fn described(&self) -> &BTreeSet<AccountId> {
        &self.all
    }

    /// The account of a document that does not say it: the one whose authorization details lie nearest.
    pub(crate) fn near(&self, document: &str) -> Option<AccountId> {
        if self.all.len() == 1 {
            return self.all.first().cloned();
        }
        let mut best: BTreeMap<usize, BTreeSet<&AccountId>> = BTreeMap::new();
        for (details, account) in &self.details {
            best.entry(common(folder(details), folder(document))).or_default().insert(account);
        }
        let (_, nearest) = best.pop_last()?;
        match nearest.len() {
            1 => nearest.first().map(|account| (*account).clone()),
            _ => None,
        }
    }

    /// The account of a statement; a document without one is remembered.
    pub(crate) fn of<T>(&mut self, said: &Said<T>) -> Option<AccountId> {
        if let Some(account) = &said.account {
            return Some(account.clone());
        }
        let folder = folder(&said.evidence.document);
        let near = match self.near.get(folder) {
            Some(near) => near.clone(),
            None => {
                let near = self.near(&said.evidence.document);
                self.near.insert(folder.to_owned(), near.clone());
                near
            }
        };
        if near.is_none() {
            self.homeless.insert(Arc::clone(&said.evidence.document));
        }
        near
    }
}

/// Whether an account belongs to the organisation of the capture.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Relation {
    /// It is the same account.
    Same,
    /// It is another account of the capture or of its organisation.
    Ours,
    /// It is none of ours, and all of ours are known.
    Foreign,
    /// It is not in the capture, and whether it is ours is not known.
    Unknown,
}

/// The accounts that are ours.
#[derive(Debug)]
pub(crate) struct Membership {
    ours: BTreeSet<Arc<str>>,
    complete: bool,
}

impl Membership {
    pub(crate) fn new(facts: &Facts, accounts: &Accounts) -> Self {
        let organisation = &facts.organisation;
        let mut ours = accounts.described().clone();
        ours.extend(organisation.accounts.keys().cloned());
        ours.extend(organisation.management.iter().cloned());
        Self { ours: ours.into_iter().map(|account| account.0).collect(), complete: organisation.accounts_listed }
    }

    pub(crate) fn relation(&self, from: &AccountId, to: &str) -> Relation {
        if &*from.0 == to {
            Relation::Same
        } else if self.ours.contains(to) {
            Relation::Ours
        } else if self.complete {
            Relation::Foreign
        } else {
            Relation::Unknown
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accounts(details: &[(&str, &str)]) -> Accounts {
        let mut accounts = Accounts::default();
        for (document, account) in details {
            let account = AccountId(Arc::from(*account));
            accounts.details.push((Arc::from(*document), account.clone()));
            accounts.all.insert(account);
        }
        accounts
    }

    #[test]
    fn the_nearest_details_decide_and_a_tie_decides_nothing() {
        let two = accounts(&[("c/a/gaad.json", "111122223333"), ("c/b/gaad.json", "444455556666")]);
        assert_eq!(two.near("c/a/keys.json").unwrap().0.as_ref(), "111122223333");
        assert_eq!(two.near("c/b/iam/keys.json").unwrap().0.as_ref(), "444455556666");
        assert_eq!(two.near("c/keys.json"), None);
        let one = accounts(&[("x/gaad.json", "111122223333")]);
        assert_eq!(one.near("y/keys.json").unwrap().0.as_ref(), "111122223333");
    }
}
