//! People: users, the groups through which they do a job, and principals of which assignments alone tell.

use std::collections::BTreeMap;
use std::sync::Arc;

use evenhand_model::access::{Doubt, DoubtEffect};
use evenhand_model::evidence::{Evidence, Fact};
use evenhand_model::identity::{Nature, Strength};
use evenhand_model::trust::Mechanism;

use super::{Join, is_read, of_name, signal};
use crate::access::edges::Owned;
use crate::documents::directory::{Reference, User};
use crate::documents::told::{At, Told};
use crate::rbac::ObjectId;

/// Whether a list names a user, as far as it tells.
fn is_user(reference: &Reference) -> Option<bool> {
    match reference.object_type.as_deref() {
        Some(kind) => Some(kind.to_ascii_lowercase().ends_with(".user")),
        None => reference.user_principal_name.is_some().then_some(true),
    }
}

impl Join<'_> {
    /// Users, and groups that are not known to hold applications alone.
    pub(super) fn find_people(&mut self) {
        let facts = self.facts;
        let users = facts.users.iter().filter(|(_, user)| !user.is_agents());
        self.people = users.map(|(id, _)| ObjectId::new(id)).collect();
        let of_people = facts.groups.keys().filter(|id| {
            let members = facts.members.get(*id).map_or(&[][..], Told::all);
            let machines = |held: &&At<Reference>| {
                let id = held.id.to_ascii_lowercase();
                let of_agent = facts.users.get(&id).is_some_and(|user| user.is_agents());
                of_agent || facts.principals.contains_key(&id) || is_user(held) == Some(false)
            };
            members.is_empty() || !members.iter().all(|held| machines(&held))
        });
        self.people.extend(of_people.map(|id| ObjectId::new(id)));
        let typed = self.typed_principals();
        self.people.extend(
            typed.into_iter().filter(|(_, (kind, _, _))| *kind != Kind::Application).map(|(id, _)| ObjectId::new(&id)),
        );
    }

    /// Gives everybody an id before anybody is named by another.
    pub(super) fn name_everybody(&mut self) {
        let facts = self.facts;
        for (id, user) in &facts.users {
            self.ids.insert(id.clone(), self.id(word_of(user), id));
        }
        for id in facts.groups.keys() {
            self.ids.insert(id.clone(), self.id("group", id));
        }
        for (id, held) in &facts.principals {
            self.ids.insert(id.clone(), self.id(super::applications::kind_of(held), id));
        }
    }

    pub(super) fn take_users(&mut self) {
        let facts = self.facts;
        for (object, user) in &facts.users {
            let kind = word_of(user);
            let id = self.id(kind, object);
            let name = user.user_principal_name.clone().or_else(|| user.display_name.clone());
            let mut identity = self.identity(&id, kind, name.unwrap_or_else(|| object.as_str().into()), &user.at);
            identity.title = user.display_name.clone();
            identity.enabled = Fact::known(user.account_enabled);
            identity.created_at = Fact::known(user.created_date_time);
            identity.human_sign_in = Fact::Known(!user.is_agents());
            identity.third_party = Fact::known(user.user_type.as_deref().map(|kind| kind == "Guest"));
            identity.signals.push(if user.is_agents() {
                signal(Nature::AiAgent, Strength::Certain, "the user account of an agent identity", &user.at)
            } else {
                signal(Nature::Human, Strength::Strong, "a user of the tenant", &user.at)
            });
            identity.signals.extend(of_name(&identity.name, &user.at));
            self.inventory.identities.push(identity);
            self.take_controls(&id, object, &user.at);
            let parent = user.identity_parent_id.as_deref().map(str::to_ascii_lowercase);
            if let Some(agent) = parent.and_then(|parent| self.ids.get(&parent).cloned()) {
                self.trust(&agent, &id, Mechanism::Impersonation, &user.at);
                self.ground.users.push(Owned { owner: agent, target: id.clone(), evidence: user.at.clone() });
            }
            if user.is_agents() {
                self.ground.sources.push((id.clone(), ObjectId::new(object)));
            }
            let doubts = self.membership_doubts(object, "a user's groups");
            self.actor(id, object, doubts, Vec::new());
        }
    }

    pub(super) fn take_groups(&mut self) {
        let facts = self.facts;
        for (object, group) in &facts.groups {
            let id = self.id("group", object);
            let name = group.display_name.clone().unwrap_or_else(|| object.as_str().into());
            let mut identity = self.identity(&id, "group", name, &group.at);
            identity.purpose = match &group.description {
                Some(text) if !text.is_empty() => Fact::Known(Arc::clone(text)),
                _ => Fact::Unknown,
            };
            identity.created_at = Fact::known(group.created_date_time);
            identity.enabled = Fact::Known(true);
            let people = self.people.contains(&ObjectId::new(object));
            identity.signals.push(if people {
                signal(Nature::HumanRole, Strength::Strong, "a group", &group.at)
            } else {
                signal(Nature::Workload, Strength::Strong, "a group of applications", &group.at)
            });
            self.inventory.identities.push(identity);
            if people {
                self.take_controls(&id, object, &group.at);
            }
            for member in facts.members.get(object).map_or(&[][..], Told::all) {
                if let Some(source) = self.ids.get(&member.id.to_ascii_lowercase()).cloned() {
                    self.trust(&source, &id, Mechanism::Membership, &member.at);
                }
            }
            self.actor(id, object, Vec::new(), Vec::new());
        }
    }

    /// Groups that somebody may be in unseen.
    pub(super) fn membership_doubts(&self, object: &str, what: &str) -> Vec<Doubt> {
        if self.every_member_read || is_read(self.facts.member_of.get(object)) {
            return Vec::new();
        }
        vec![Doubt::new(what, DoubtEffect::Adds)]
    }

    /// Principals whom role assignments name with their kind.
    fn typed_principals(&self) -> BTreeMap<String, (Kind, Option<Arc<str>>, Evidence)> {
        let facts = self.facts;
        let lists = [&facts.role_assignments, &facts.role_active, &facts.role_eligible];
        let mut typed = BTreeMap::new();
        for held in lists.into_iter().flat_map(Told::all) {
            let id = held.own.principal_id.trim().to_ascii_lowercase();
            let kind = match held.own.principal_type.as_deref() {
                Some("User") => Kind::User,
                Some("Group") => Kind::Group,
                Some("ServicePrincipal") => Kind::Application,
                _ => continue,
            };
            let known =
                facts.users.contains_key(&id) || facts.groups.contains_key(&id) || facts.principals.contains_key(&id);
            if !known {
                let name = held.own.principal_name.clone().filter(|name| !name.is_empty());
                typed.entry(id).or_insert((kind, name, held.at.clone()));
            }
        }
        typed
    }

    /// Principals that no list describes: of them their assignments alone tell.
    pub(super) fn take_unlisted(&mut self) {
        for (object, (kind, name, at)) in self.typed_principals() {
            if self.ids.contains_key(&object) {
                continue;
            }
            let (word, nature, reason) = match kind {
                Kind::User => ("user", Nature::Human, "a user, by a role assignment"),
                Kind::Group => ("group", Nature::HumanRole, "a group, by a role assignment"),
                Kind::Application => {
                    ("service_principal", Nature::Workload, "a service principal, by a role assignment")
                }
            };
            let id = self.id(word, &object);
            self.ids.insert(object.clone(), id.clone());
            let mut identity = self.identity(&id, word, name.unwrap_or_else(|| object.as_str().into()), &at);
            identity.signals.push(signal(nature, Strength::Medium, reason, &at));
            identity.signals.extend(of_name(&identity.name, &at));
            if kind != Kind::Group {
                identity.human_sign_in = Fact::Known(kind == Kind::User);
            }
            self.inventory.identities.push(identity);
            let mut doubts = Vec::new();
            let mut unread = Vec::new();
            if kind == Kind::Application {
                doubts.push(Doubt::new(format!("application permissions of {object}"), DoubtEffect::Adds));
                unread = self.unread.clone();
                self.ground.sources.push((id.clone(), ObjectId::new(&object)));
            }
            self.actor(id, &object, doubts, unread);
        }
    }
}

/// The provider's word for a user.
fn word_of(user: &User) -> &'static str {
    if user.is_agents() { "agent_user" } else { "user" }
}

/// What a role assignment calls a principal.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    User,
    Group,
    Application,
}
