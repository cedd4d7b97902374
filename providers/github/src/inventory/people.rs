//! People, teams and roles, and what follows from them for whoever acts in a person's name.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use evenhand_model::access::{Doubt, DoubtEffect};
use evenhand_model::control::{Control, ControlKind};
use evenhand_model::evidence::{Evidence, Fact, Truth};
use evenhand_model::id::IdentityId;
use evenhand_model::identity::{Nature, Strength};
use evenhand_model::trust::{Mechanism, Trust};

use super::accounts::Accounts;
use super::logins::{Login, Machine, of_login};
use super::{Actor, Join, Who, full_name, nature, signal};
use crate::PROVIDER;
use crate::access::{Held, Holding, Reach, roles};
use crate::catalog::Permissions;
use crate::documents::people::{Account, Team};
use crate::documents::told::{At, Told};

impl Join<'_> {
    pub(super) fn take_people(&mut self) {
        self.take_built_in_roles();
        self.take_custom_roles();
        self.take_owners_role();
        self.take_teams();
        self.take_accounts();
    }

    /// The roles that every repository knows: the measure of last resort.
    fn take_built_in_roles(&mut self) {
        if self.owner.repositories.is_empty() && !self.owner.repositories_listed.is_read() {
            return;
        }
        let at = Evidence::setting(
            self.organisation_evidence().document,
            "",
            format!("https://{}/organizations/{}/settings/repository_roles", self.owner.host, self.owner.name),
        );
        for role in roles::BUILT_IN {
            let Some(permissions) = roles::built_in(role) else { continue };
            let id = self.id("repository_role", role);
            let mut identity = self.identity(&id, "repository_role", role, &at);
            identity.generic_role = true;
            identity.owner = Fact::Absent;
            identity.signals.push(signal(
                Nature::HumanRole,
                Strength::Certain,
                "a role that every repository has",
                &at,
            ));
            self.inventory.identities.push(identity);
            let by = format!("repository role {role}");
            let held = Holding::new(Arc::new(permissions), Reach::All, by, at.clone());
            self.people(id, role_of(role, Reach::All), Held { holdings: vec![held], doubts: Vec::new() });
        }
    }

    fn take_custom_roles(&mut self) {
        for role in self.owner.custom_roles.all() {
            let id = self.id("repository_role", &role.name);
            let (meant, doubt) = self.custom(&role.name);
            let mut identity = self.identity(&id, "repository_role", role.name.as_str(), &role.at);
            identity.signals.push(signal(Nature::HumanRole, Strength::Certain, "a custom repository role", &role.at));
            self.inventory.identities.push(identity);
            let by = format!("repository role {}", role.name);
            let mut who = Who::default();
            meant.note(Reach::All, &mut who);
            let holding = Holding::new(meant.permissions, Reach::All, by, role.at.clone());
            self.people(id, who, Held { holdings: vec![holding], doubts: doubt.into_iter().collect() });
        }
    }

    fn take_owners_role(&mut self) {
        let at = match self.owner.owners.all().first() {
            Some(first) => first.at.clone(),
            None => self.organisation_evidence(),
        };
        if !self.owner.owners.is_read() && !self.owner.organisation.is_read() {
            return;
        }
        let id = self.id("organization_role", "owner");
        let mut identity = self.identity(&id, "organization_role", "organisation owner", &at);
        identity.signals.push(signal(Nature::HumanRole, Strength::Certain, "the role of owners", &at));
        self.inventory.identities.push(identity);
        let holding = Holding::new(Arc::new(roles::owner()), Reach::All, "organisation owner", at);
        let who = Who { owner: true, people: true, ..role_of("admin", Reach::All) };
        self.people(id, who, Held { holdings: vec![holding], doubts: Vec::new() });
    }

    fn take_teams(&mut self) {
        for team in self.owner.teams.all() {
            let id = self.id("team", &team.slug);
            let name = team.name.as_deref().unwrap_or(&team.slug);
            let mut identity = self.identity(&id, "team", name, &team.at);
            let members = self.owner.team_members.get(&team.slug);
            let people: Option<Vec<&At<Account>>> = members
                .and_then(Told::get)
                .map(|members| members.iter().filter(|member| self.machine(member).is_none()).collect());
            let of_machines =
                people.as_ref().is_some_and(Vec::is_empty) && !members.map_or(&[][..], Told::all).is_empty();
            identity.signals.push(match of_machines {
                true => signal(Nature::Workload, Strength::Medium, "a team of machine users alone", &team.at),
                false => signal(Nature::HumanRole, Strength::Strong, "a team", &team.at),
            });
            identity.purpose = Fact::read(team.description.as_deref().filter(|text| !text.is_empty()).map(Arc::from));
            self.inventory.identities.push(identity);
            let (held, who) = self.of_team(&team.slug);
            // What people must pass, people do: whoever else is in the team is no measure of it.
            let factors = match people {
                Some(people) => {
                    people.iter().fold(Truth::Yes, |all, member| all.and(self.second_factor(&member.login)))
                }
                None => {
                    if self.demands_second_factor() == Some(true) {
                        Truth::Yes
                    } else {
                        Truth::Unknown
                    }
                }
            };
            let who = Who { people: !of_machines, ..who };
            self.actors.push(Actor { id: id.clone(), who, held, worth: false });
            self.inventory.controls.push(Control::new(id.clone(), ControlKind::Mfa, factors, team.at.clone()));
            for member in members.map_or(&[][..], Told::all) {
                self.inventory.trusts.push(Trust {
                    source: self.id("user", &member.login).shared(),
                    target: id.clone(),
                    provider: PROVIDER,
                    mechanism: Mechanism::Membership,
                    constraint: Arc::from(""),
                    weak: Truth::No,
                    weakness: Arc::from(""),
                    evidence: member.at.clone(),
                });
            }
        }
    }

    /// People and machine users: members, outside collaborators, and whoever a repository names beside them.
    fn take_accounts(&mut self) {
        let mut accounts: BTreeMap<String, (&At<Account>, &'static str)> = BTreeMap::new();
        let lists = [
            (&self.owner.owners, "member"),
            (&self.owner.members, "member"),
            (&self.owner.outside_collaborators, "outside_collaborator"),
        ];
        for (list, kind) in lists {
            for account in list.all() {
                accounts.entry(account.login.to_lowercase()).or_insert((account, kind));
            }
        }
        for account in self.owner.repositories.values().flat_map(|repository| repository.collaborators.all()) {
            // Members are listed as collaborators too.
            let kind = if self.owner.members.is_read() { "outside_collaborator" } else { "collaborator" };
            accounts.entry(account.login.to_lowercase()).or_insert((account, kind));
        }
        let mut undecided: Vec<&At<Account>> = Vec::new();
        for (account, kind) in accounts.into_values() {
            let id = self.id("user", &account.login);
            let mut identity = self.identity(&id, kind, account.login.as_str(), &account.at);
            let machine = self.machine(account);
            // Nobody signs in as the bot of an app.
            identity.human_sign_in = Fact::Known(machine != Some(Machine::Bot));
            identity.third_party = match kind {
                "collaborator" => Fact::Unknown,
                _ => Fact::Known(kind == "outside_collaborator"),
            };
            let reason = match kind {
                "member" => "a member of the organisation",
                "collaborator" => "a collaborator of a repository",
                _ => "a collaborator from outside the organisation",
            };
            let either = match (&machine, of_login(&account.login, &self.owner.name)) {
                (None, Login::Either(word)) => Some(word),
                _ => None,
            };
            identity.signals.push(match &machine {
                Some(Machine::Configured) => {
                    signal(Nature::Workload, Strength::Certain, "a machine user by the configuration", &account.at)
                }
                Some(Machine::Bot) => signal(Nature::Workload, Strength::Strong, "the bot of an app", &account.at),
                Some(Machine::Named(word)) => {
                    let reason = format!("its name holds the word `{word}`, which machines are given");
                    signal(Nature::Workload, Strength::Medium, reason, &account.at)
                }
                None if either.is_some() => signal(Nature::Human, Strength::Medium, reason, &account.at),
                None => signal(Nature::Human, Strength::Strong, reason, &account.at),
            });
            if let Some(word) = either {
                let reason =
                    format!("its name holds the word `{word}`, which machines are given, and may be a person's");
                identity.signals.push(signal(Nature::Workload, Strength::Weak, reason, &account.at));
                undecided.push(account);
            }
            identity.signals.extend(nature::of_name(&account.login, &account.at));
            self.inventory.identities.push(identity);
            let factors = self.second_factor(&account.login);
            self.inventory.controls.push(Control::new(id.clone(), ControlKind::Mfa, factors, account.at.clone()));
            let (held, mut who) = self.of_user(&account.login);
            who.people = false;
            who.machine = machine.is_some();
            who.by_name = matches!(machine, Some(Machine::Named(_)));
            self.actors.push(Actor { id, who, held, worth: false });
        }
        self.hint_undecided(&undecided);
    }

    fn people(&mut self, id: IdentityId, who: Who, held: Held) {
        self.actors.push(Actor { id, who: Who { people: true, ..who }, held, worth: false });
    }

    /// Whether two factors are demanded of everybody.
    fn demands_second_factor(&self) -> Option<bool> {
        self.owner.organisation.get()?.two_factor_requirement_enabled
    }

    /// Whether a person signs in with a second factor.
    fn second_factor(&self, login: &str) -> Truth {
        if self.demands_second_factor() == Some(true) {
            return Truth::Yes;
        }
        let Some(list) = self.owner.without_second_factor.get() else { return Truth::Unknown };
        if list.iter().any(|one| one.login.eq_ignore_ascii_case(login)) {
            return Truth::No;
        }
        // The list is one of members; of anybody else it tells nothing.
        let lower = login.to_lowercase();
        let Accounts { members, owners, teams, .. } = &self.accounts;
        if members.contains_key(&lower) || owners.contains_key(&lower) || teams.contains_key(&lower) {
            Truth::Yes
        } else {
            Truth::Unknown
        }
    }

    /// What a role means here, and the doubt where it cannot be told.
    fn custom<'r>(&self, name: &'r str) -> (Role<'r>, Option<Doubt>) {
        let meant = |permissions, bypasses| Role { name, permissions: Arc::new(permissions), bypasses, unread: false };
        if let Some(permissions) = roles::built_in(name) {
            return (meant(permissions, false), None);
        }
        match self.owner.custom_roles.all().iter().find(|held| held.name.eq_ignore_ascii_case(name)) {
            Some(custom) => {
                let added = roles::fine_grained(&custom.permissions);
                let mut all = custom.base_role.as_deref().and_then(roles::built_in).unwrap_or_default();
                all.extend(&added.permissions);
                let doubt = added
                    .unclear
                    .then(|| Doubt::new(format!("what the custom role {name} adds to its base"), DoubtEffect::Adds));
                (meant(all, added.bypasses), doubt)
            }
            None => {
                let doubt = Doubt::new(format!("the repository role {name}, which was not read"), DoubtEffect::Adds);
                let role = meant(Permissions::of([("metadata", "read")]), false);
                (Role { unread: true, ..role }, Some(doubt))
            }
        }
    }

    /// A team and those above it, whose access it inherits.
    fn lineage(&self, slug: &str) -> Vec<&At<Team>> {
        let find = |slug: &str| self.owner.teams.all().iter().find(|team| team.slug == slug);
        let mut line: Vec<&At<Team>> = Vec::new();
        let mut next = find(slug);
        while let Some(team) = next {
            if line.iter().any(|held| held.slug == team.slug) {
                break;
            }
            line.push(team);
            next = team.parent.as_ref().and_then(|parent| find(&parent.slug));
        }
        line
    }

    /// What a team may do, and by what gates know it.
    pub(super) fn of_team(&self, slug: &str) -> (Held, Who) {
        if let Some(known) = self.teams.borrow().get(slug) {
            return known.clone();
        }
        let found = self.work_out_team(slug);
        self.teams.borrow_mut().insert(slug.to_owned(), found.clone());
        found
    }

    fn work_out_team(&self, slug: &str) -> (Held, Who) {
        let mut held = Held::default();
        let mut who = Who::default();
        for team in self.lineage(slug) {
            who.teams.insert(Arc::from(team.slug.as_str()));
            who.team_numbers.extend(team.id);
            let mut by_role: BTreeMap<String, (BTreeSet<Arc<str>>, Evidence)> = BTreeMap::new();
            let own = self.owner.team_repositories.get(&team.slug);
            let mut note = |role: &str, repository: Arc<str>, at: &Evidence| {
                let (names, _) = by_role.entry(role.to_owned()).or_insert_with(|| (BTreeSet::new(), at.clone()));
                names.insert(repository);
            };
            match own {
                Some(Told::Read(list)) => {
                    for repository in list {
                        if let (Some(role), Some(name)) = (repository.role(), self.spelled(&repository.full_name)) {
                            note(role, name, &repository.at);
                        }
                    }
                }
                _ => {
                    let mut all_read = !self.owner.repositories.is_empty();
                    for repository in self.owner.repositories.values() {
                        all_read &= repository.teams.is_read();
                        let named = repository.teams.all().iter().find(|held| held.slug == team.slug);
                        if let Some(named) = named
                            && let Some(role) = named.role_name.as_deref().or(named.permission.as_deref())
                        {
                            note(role, full_name(self.owner, &repository.name), &named.at);
                        }
                    }
                    if !all_read {
                        let text = format!("which repositories the team {} may use", team.slug);
                        held.doubts.push(Doubt::new(text, DoubtEffect::Adds));
                    }
                }
            }
            for (role, (names, at)) in by_role {
                let (meant, doubt) = self.custom(&role);
                held.doubts.extend(doubt);
                let by = format!("team {} as {role}", team.slug);
                meant.note(Reach::Some(names.clone()), &mut who);
                held.holdings.push(Holding::new(meant.permissions, Reach::Some(names), by, at));
            }
            for role in self.owner.roles.all() {
                let holds = self.owner.role_teams.get(&role.id).map_or(&[][..], Told::all);
                if holds.iter().any(|held| held.slug == team.slug) {
                    self.organisation_role(role, &mut held, &mut who);
                }
            }
        }
        (held, who)
    }

    /// What a person or machine user may do, and by what gates know them.
    pub(super) fn of_user(&self, login: &str) -> (Held, Who) {
        let mut held = Held::default();
        let mut who = Who::default();
        let lower = login.to_lowercase();
        who.user = Some((self.accounts.number(&lower), Arc::from(login)));
        if let Some(owner) = self.accounts.owners.get(&lower) {
            who.owner = true;
            let at = owner.at.clone();
            held.holdings.push(Holding::new(Arc::new(roles::owner()), Reach::All, "organisation owner", at));
            add_role(&mut who.roles, "admin", Reach::All);
            return (held, who);
        }
        if !self.owner.owners.is_read() {
            held.doubts.push(Doubt::new("who owns the organisation", DoubtEffect::Adds));
        }
        let mut base = None;
        if let Some(member) = self.accounts.members.get(&lower) {
            base = self.of_member(member, &mut held, &mut who);
        } else if !self.owner.members.is_read() && !self.accounts.outside.contains_key(&lower) {
            who.teams_unread = true;
            held.doubts.push(Doubt::new("who is a member of the organisation", DoubtEffect::Adds));
        }
        for team in self.accounts.teams.get(&lower).map_or(&[][..], Vec::as_slice) {
            let (more, known) = self.of_team(team);
            held.holdings.extend(more.holdings);
            held.doubts.extend(more.doubts);
            who.teams.extend(known.teams);
            who.team_numbers.extend(known.team_numbers);
            known.roles.into_iter().for_each(|(role, reach)| add_role(&mut who.roles, &role, reach));
            known.bypasses.into_iter().for_each(|reach| add_reach(&mut who.bypasses, reach));
            known.unread.into_iter().for_each(|reach| add_reach(&mut who.unread, reach));
        }
        // Only members are in teams.
        if self.accounts.members.contains_key(&lower) || who.teams_unread {
            for team in &self.accounts.unread_teams {
                who.teams_unread = true;
                held.doubts.push(Doubt::new(format!("who is in the team {team}"), DoubtEffect::Adds));
            }
            who.teams_unread |= !self.owner.teams.is_read();
        }
        let mut by_role: BTreeMap<&str, (BTreeSet<Arc<str>>, &Evidence)> = BTreeMap::new();
        for (repository, account) in self.accounts.repositories.get(&lower).into_iter().flatten() {
            // Lists of collaborators name everybody who may read by the base permission too.
            if let Some(role) = account.role_name.as_deref().filter(|role| base != Some(role)) {
                let (names, _) = by_role.entry(role).or_insert_with(|| (BTreeSet::new(), &account.at));
                names.insert(full_name(self.owner, &repository.name));
            }
        }
        for (role, (names, at)) in by_role {
            let (meant, doubt) = self.custom(role);
            held.doubts.extend(doubt);
            let by = format!("collaborator as {role}");
            meant.note(Reach::Some(names.clone()), &mut who);
            held.holdings.push(Holding::new(meant.permissions, Reach::Some(names), by, at.clone()));
        }
        if self.accounts.collaborators_unread {
            held.doubts.push(Doubt::new("collaborators of some repositories", DoubtEffect::Adds));
        }
        let roles = self.accounts.roles.get(&lower).map_or(&[][..], Vec::as_slice);
        for role in self.owner.roles.all().iter().filter(|role| roles.contains(&role.id)) {
            self.organisation_role(role, &mut held, &mut who);
        }
        (held, who)
    }

    /// What every member has, and the role of the base permission.
    fn of_member(&self, member: &At<Account>, held: &mut Held, who: &mut Who) -> Option<&str> {
        let nowhere = Reach::Some(BTreeSet::new());
        let permissions = Arc::new(roles::member());
        held.holdings.push(Holding::new(permissions, nowhere, "member of the organisation", member.at.clone()));
        let base = self.owner.organisation.get();
        let role = base.and_then(|base| base.default_repository_permission.as_deref());
        match (role, base) {
            (Some("none"), _) => {}
            (Some(role), Some(base)) => {
                if let Some(permissions) = roles::built_in(role) {
                    let by = format!("base permission {role} of the organisation");
                    held.holdings.push(Holding::new(Arc::new(permissions), Reach::All, by, base.at.clone()));
                    add_role(&mut who.roles, role, Reach::All);
                }
            }
            _ => held.doubts.push(Doubt::new("the base permission of the organisation", DoubtEffect::Adds)),
        }
        role
    }

    fn organisation_role(&self, role: &At<crate::documents::people::OrganisationRole>, held: &mut Held, who: &mut Who) {
        let by = format!("organisation role {}", role.name);
        let added = roles::fine_grained(&role.permissions);
        if added.bypasses {
            add_reach(&mut who.bypasses, Reach::All);
        }
        if added.unclear {
            held.doubts.push(Doubt::new(format!("what the organisation role {} adds", role.name), DoubtEffect::Adds));
        }
        if !added.permissions.is_empty() {
            let reach = Reach::Some(BTreeSet::new());
            held.holdings.push(Holding::new(Arc::new(added.permissions), reach, by.as_str(), role.at.clone()));
        }
        if let Some(base) = role.base_role.as_deref()
            && let Some(permissions) = roles::built_in(base)
        {
            held.holdings.push(Holding::new(Arc::new(permissions), Reach::All, by, role.at.clone()));
            add_role(&mut who.roles, base, Reach::All);
        }
    }
}

fn role_of(role: &str, reach: Reach) -> Who {
    Who { roles: BTreeMap::from([(Arc::from(role), reach)]), ..Who::default() }
}

/// A role as somebody holds it somewhere.
struct Role<'r> {
    name: &'r str,
    permissions: Arc<Permissions>,
    /// Whether it lets past branch protections.
    bypasses: bool,
    /// Whether nothing says what it is.
    unread: bool,
}

impl Role<'_> {
    /// Adds the role where it is held.
    fn note(&self, reach: Reach, who: &mut Who) {
        if self.bypasses {
            add_reach(&mut who.bypasses, reach.clone());
        }
        if self.unread {
            add_reach(&mut who.unread, reach.clone());
        }
        add_role(&mut who.roles, self.name, reach);
    }
}

/// Adds a role where it is held.
fn add_role(roles: &mut BTreeMap<Arc<str>, Reach>, role: &str, reach: Reach) {
    match roles.get_mut(role) {
        Some(held) => held.extend(reach),
        None => {
            roles.insert(Arc::from(role), reach);
        }
    }
}

fn add_reach(held: &mut Option<Reach>, more: Reach) {
    match held {
        Some(held) => held.extend(more),
        None => *held = Some(more),
    }
}
