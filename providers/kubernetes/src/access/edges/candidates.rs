//! The accounts that can be become, place by place, strongest first.

use std::sync::Arc;

use evenhand_model::id::IdentityId;

use super::{EQUALS, Map};

/// An account that can be become.
pub(super) struct Account<'r> {
    pub(super) id: &'r IdentityId,
    pub(super) namespace: &'r Arc<str>,
    pub(super) name: &'r Arc<str>,
    pub(super) power: usize,
    /// Whether a document states a step from it: what lies behind is no part of its own access.
    pub(super) leads_on: bool,
}

/// Accounts of one place, as numbers.
#[derive(Default)]
pub(super) struct Candidates {
    /// Those that lead on by what a document states.
    pub(super) leading: Vec<u32>,
    /// The others by what they hold, strongest first.
    pub(super) groups: Vec<Group>,
    /// How many they are.
    pub(super) grouped: usize,
}

/// Accounts that hold the same.
pub(super) struct Group {
    pub(super) power: usize,
    /// A few of them.
    pub(super) members: Vec<u32>,
    /// How many there are.
    pub(super) count: usize,
}

impl Candidates {
    fn add(&mut self, number: u32, account: &Account<'_>) {
        if account.leads_on {
            self.leading.push(number);
            return;
        }
        self.grouped += 1;
        match self.groups.last_mut() {
            Some(group) if group.power == account.power => {
                group.count += 1;
                if group.members.len() < EQUALS {
                    group.members.push(number);
                }
            }
            _ => self.groups.push(Group { power: account.power, members: vec![number], count: 1 }),
        }
    }
}

/// Accounts by place.
#[derive(Default)]
pub(super) struct Places {
    everywhere: Candidates,
    by_namespace: Map<Arc<str>, Candidates>,
    nobody: Candidates,
}

impl Places {
    pub(super) fn add(&mut self, number: u32, account: &Account<'_>) {
        self.everywhere.add(number, account);
        self.by_namespace.entry(Arc::clone(account.namespace)).or_default().add(number, account);
    }

    pub(super) fn in_place(&self, place: Option<&Arc<str>>) -> &Candidates {
        match place {
            None => &self.everywhere,
            Some(namespace) => self.by_namespace.get(namespace).unwrap_or(&self.nobody),
        }
    }
}
