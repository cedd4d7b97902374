//! Who is where, by login, looked up once: organisations have thousands of people and repositories.

use std::collections::HashMap;

use foldhash::fast::FixedState;

use crate::documents::people::Account;
use crate::documents::told::{At, Told};
use crate::facts::{OwnerFacts, RepositoryFacts};

type ByLogin<T> = HashMap<String, T, FixedState>;

/// What lists say of each login, in lower case.
#[derive(Default)]
pub(super) struct Accounts<'a> {
    pub(super) members: ByLogin<&'a At<Account>>,
    pub(super) owners: ByLogin<&'a At<Account>>,
    pub(super) outside: ByLogin<&'a At<Account>>,
    /// Names of the teams that each is in.
    pub(super) teams: ByLogin<Vec<&'a str>>,
    /// Teams of which nothing tells who is in them.
    pub(super) unread_teams: Vec<&'a str>,
    /// Repositories that each may use, with the entry that says as what.
    pub(super) repositories: ByLogin<Vec<(&'a RepositoryFacts, &'a At<Account>)>>,
    /// Whether some repository's collaborators were not read.
    pub(super) collaborators_unread: bool,
    /// Organisation roles of each, by their numbers.
    pub(super) roles: ByLogin<Vec<u64>>,
}

impl<'a> Accounts<'a> {
    pub(super) fn of(owner: &'a OwnerFacts) -> Self {
        let mut all = Self {
            members: by_login(owner.members.all()),
            owners: by_login(owner.owners.all()),
            outside: by_login(owner.outside_collaborators.all()),
            ..Self::default()
        };
        for team in owner.teams.all() {
            match owner.team_members.get(&team.slug) {
                Some(Told::Read(members)) => {
                    for member in members {
                        all.teams.entry(member.login.to_lowercase()).or_default().push(&team.slug);
                    }
                }
                _ => all.unread_teams.push(&team.slug),
            }
        }
        for repository in owner.repositories.values() {
            all.collaborators_unread |= !repository.collaborators.is_read();
            for account in repository.collaborators.all() {
                all.repositories.entry(account.login.to_lowercase()).or_default().push((repository, account));
            }
        }
        for (role, users) in &owner.role_users {
            for user in users.all() {
                all.roles.entry(user.login.to_lowercase()).or_default().push(*role);
            }
        }
        all
    }

    /// The number of an account, where some list tells it.
    pub(super) fn number(&self, lower: &str) -> Option<u64> {
        let lists = [&self.members, &self.owners, &self.outside];
        let named = lists.iter().find_map(|list| list.get(lower)?.id);
        named.or_else(|| self.repositories.get(lower)?.iter().find_map(|(_, account)| account.id))
    }
}

fn by_login(list: &[At<Account>]) -> ByLogin<&At<Account>> {
    list.iter().map(|account| (account.login.to_lowercase(), account)).collect()
}
