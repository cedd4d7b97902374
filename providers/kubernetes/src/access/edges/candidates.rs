//! The accounts that can be become, namespace by namespace, strongest first.

use std::sync::Arc;

use super::super::power::Outline;
use super::{EQUALS, Home};

/// An account that can be become.
pub(super) struct Account<'r> {
    /// Of its identity.
    pub(super) number: u32,
    pub(super) namespace: &'r Arc<str>,
    pub(super) name: &'r Arc<str>,
    /// The number of its namespace.
    pub(super) home: u32,
    pub(super) power: usize,
    /// Whether a document states a step from it: what lies behind is no part of its own access.
    pub(super) leads_on: bool,
    /// Whether some workload carries its token.
    pub(super) carried: bool,
}

/// Accounts of one namespace, or of the whole cluster, as numbers.
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
    pub(super) outline: Outline,
    /// How many there are.
    pub(super) count: usize,
    members: [u32; EQUALS],
}

impl Group {
    /// A few of them.
    pub(super) fn members(&self) -> &[u32] {
        self.members.get(..self.count).unwrap_or(&self.members)
    }
}

impl Candidates {
    fn add(&mut self, number: u32, account: &Account<'_>, outline: Outline) {
        if account.leads_on {
            self.leading.push(number);
            return;
        }
        self.grouped += 1;
        match self.groups.last_mut() {
            Some(group) if group.power == account.power => {
                if let Some(member) = group.members.get_mut(group.count) {
                    *member = number;
                }
                group.count += 1;
            }
            _ => {
                let members = [number; EQUALS];
                self.groups.push(Group { power: account.power, outline, count: 1, members });
            }
        }
    }
}

/// Accounts by namespace.
pub(super) struct Pools {
    everywhere: Candidates,
    /// By the numbers of the namespaces.
    by_home: Vec<Candidates>,
    nobody: Candidates,
}

impl Pools {
    /// Nobody, in so many namespaces.
    pub(super) fn new(homes: usize) -> Self {
        let mut by_home = Vec::with_capacity(homes);
        by_home.resize_with(homes, Candidates::default);
        Self { everywhere: Candidates::default(), by_home, nobody: Candidates::default() }
    }

    pub(super) fn add(&mut self, number: u32, account: &Account<'_>, outline: Outline) {
        self.everywhere.add(number, account, outline);
        if let Some(held) = self.by_home.get_mut(account.home as usize) {
            held.add(number, account, outline);
        }
    }

    /// Those of a namespace; `None` = of the whole cluster.
    pub(super) fn within(&self, home: Option<Home<'_>>) -> &Candidates {
        match home {
            None => &self.everywhere,
            Some(home) => self.by_home.get(home.number as usize).unwrap_or(&self.nobody),
        }
    }
}
