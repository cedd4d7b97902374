//! Tokens that people made for programs: fine-grained ones, and what single sign-on let in.

use std::collections::BTreeSet;
use std::sync::Arc;

use evenhand_model::access::{Doubt, DoubtEffect};
use evenhand_model::evidence::{Evidence, Fact};
use evenhand_model::identity::{Identity, Nature, Strength};

use super::{Actor, Join, Who, full_name, nature, signal};
use crate::access::roles::Those;
use crate::access::{Held, Holding, Reach, roles};
use crate::documents::apps::{CredentialAuthorisation, TokenGrant};
use crate::documents::told::{At, Told};

impl Join<'_> {
    pub(super) fn take_tokens(&mut self) {
        let owner = self.owner;
        owner.token_grants.all().iter().for_each(|grant| self.fine_grained(grant));
        owner.authorisations.all().iter().for_each(|credential| self.authorised(credential));
        for request in owner.token_requests.all() {
            let login = request.owner.as_ref().map_or("somebody", |owner| owner.login.as_str());
            let name = request.token_name.as_deref().unwrap_or("a token");
            self.hint(
                request.at.clone(),
                format!(
                    "`{name}` of {login} waits for approval: what it asks for is not counted; approve or refuse it"
                ),
            );
        }
    }

    fn fine_grained(&mut self, grant: &At<TokenGrant>) {
        let login = grant.owner.as_ref().map(|owner| owner.login.clone()).unwrap_or_default();
        let name = grant.token_name.clone().unwrap_or_else(|| format!("token {}", grant.id));
        let id = self.id("token", &grant.id.to_string());
        let mut identity = self.identity(&id, "fine_grained_token", format!("{name} ({login})"), &grant.at);
        self.owned(&mut identity, &login);
        identity.signals.push(signal(Nature::Workload, Strength::Medium, "a token for a program", &grant.at));
        identity.signals.extend(nature::of_name(&name, &grant.at));
        identity.created_at = Fact::known(grant.access_granted_at);
        identity.last_used_at = Fact::read(grant.token_last_used_at);
        identity.enabled = Fact::Known(grant.token_expired != Some(true));
        self.inventory.identities.push(identity);
        let mut credential = self.credential(id.to_string(), &id, "github_pat_fine_grained", &grant.at);
        credential.is_static = Fact::Known(true);
        credential.federable = Fact::Known(true);
        credential.created_at = Fact::known(grant.access_granted_at);
        credential.expires_at = Fact::read(grant.token_expires_at);
        credential.last_used_at = Fact::read(grant.token_last_used_at);
        credential.enabled = Fact::Known(grant.token_expired != Some(true));
        self.inventory.credentials.push(credential);
        let mut doubts = Vec::new();
        let reach = match grant.repository_selection.as_deref() {
            Some("all") => Reach::All,
            Some("none") => Reach::Some(BTreeSet::new()),
            _ => match self.owner.token_repositories.get(&grant.id) {
                Some(Told::Read(names)) => self.named(names.iter().map(|named| named.full_name.as_str())),
                _ => {
                    doubts.push(Doubt::new(format!("which repositories the token {name} reaches"), DoubtEffect::Adds));
                    Reach::Some(BTreeSet::new())
                }
            },
        };
        let permissions = roles::of_words([&grant.permissions.repository, &grant.permissions.organization]);
        let by = format!("permissions of the token {name}");
        let unlisted = !doubts.is_empty();
        let given = Holding::new(permissions, reach, by, grant.at.clone());
        let everywhere = Holding { reach: Reach::All, ..given.clone() };
        let (held, mut who) = self.of_owners_limit(&login, &[given], doubts);
        (who.people, who.machine) = (false, true);
        if unlisted {
            who.unlisted = self.of_owners_limit(&login, &[everywhere], Vec::new()).0.holdings;
        }
        self.actors.push(Actor { id, who, held, worth: true });
    }

    fn authorised(&mut self, credential: &At<CredentialAuthorisation>) {
        let number = credential.credential_id.unwrap_or_default();
        let login = credential.login.as_str();
        let note =
            credential.authorized_credential_note.as_deref().or(credential.authorized_credential_title.as_deref());
        let (kind, word, third_party) = match credential.credential_type.to_ascii_lowercase().as_str() {
            "personal access token" => ("classic_token", "github_pat_classic", false),
            "oauth app token" => ("oauth_token", "github_oauth_token", true),
            "github app token" => ("app_user_token", "github_app_user_token", true),
            _ => {
                // A person's own key proves the person.
                let user = self.id("user", login);
                let mut key = self.credential(format!("{user}/ssh_key/{number}"), &user, "ssh_key", &credential.at);
                key.is_static = Fact::Known(true);
                key.federable = Fact::Unknown;
                key.created_at = Fact::known(credential.credential_authorized_at);
                key.expires_at = Fact::read(credential.authorized_credential_expires_at);
                key.last_used_at = Fact::read(credential.credential_accessed_at);
                self.inventory.credentials.push(key);
                return;
            }
        };
        let id = self.id("token", &format!("{login}/{number}"));
        let name = format!("{} ({login})", note.unwrap_or(credential.credential_type.as_str()));
        let mut identity = self.identity(&id, kind, name, &credential.at);
        self.owned(&mut identity, login);
        identity.signals.push(signal(Nature::Workload, Strength::Medium, "a token for a program", &credential.at));
        identity.signals.extend(note.and_then(|note| nature::of_name(note, &credential.at)));
        identity.third_party = Fact::Known(third_party);
        identity.created_at = Fact::known(credential.credential_authorized_at);
        identity.last_used_at = Fact::read(credential.credential_accessed_at);
        let over = credential.authorized_credential_expires_at.is_some_and(|end| end <= self.options.now);
        identity.enabled = Fact::Known(!over);
        self.inventory.identities.push(identity);
        let mut held = self.credential(id.to_string(), &id, word, &credential.at);
        held.is_static = Fact::Known(true);
        held.federable = Fact::Known(true);
        held.created_at = Fact::known(credential.credential_authorized_at);
        held.expires_at = Fact::read(credential.authorized_credential_expires_at);
        held.last_used_at = Fact::read(credential.credential_accessed_at);
        held.enabled = Fact::Known(!over);
        self.inventory.credentials.push(held);
        let mut doubts = Vec::new();
        if credential.scopes.is_none() {
            doubts.push(Doubt::new("the scopes of the token", DoubtEffect::Adds));
        }
        let by: Arc<str> = format!("scopes of the {}", credential.credential_type).into();
        let opened = roles::scopes(credential.scopes.as_deref().unwrap_or_default());
        let given: Vec<Holding> = opened
            .into_iter()
            .map(|(those, permissions, opens)| {
                let reach = match those {
                    Those::All => Reach::All,
                    Those::Public => self.public_repositories(&mut doubts),
                };
                Holding { opens, ..Holding::new(Arc::new(permissions), reach, Arc::clone(&by), credential.at.clone()) }
            })
            .collect();
        let (held, mut who) = self.of_owners_limit(login, &given, doubts);
        (who.people, who.machine) = (false, true);
        self.actors.push(Actor { id, who, held, worth: true });
    }

    /// The repositories that everyone can see; a doubt where some may be that were not read.
    fn public_repositories(&self, doubts: &mut Vec<Doubt>) -> Reach {
        let repositories = || self.owner.repositories.values();
        if !self.owner.repositories_listed.is_read() || repositories().any(|held| held.is_public().is_none()) {
            doubts.push(Doubt::new("which repositories are public", DoubtEffect::Adds));
        }
        let public = repositories().filter(|held| held.is_public() == Some(true));
        Reach::Some(public.map(|held| full_name(self.owner, &held.name)).collect())
    }

    /// What a token opens of what its owner may do. Where the owner's access is not known in full, what it opens may be
    /// less.
    fn of_owners_limit(&self, login: &str, given: &[Holding], mut doubts: Vec<Doubt>) -> (Held, Who) {
        let (person, who) = self.of_user(login);
        let known = person.doubts.is_empty();
        let holdings = if known {
            let limits = &person.holdings;
            given.iter().flat_map(|given| limits.iter().filter_map(|limit| given.within(limit))).collect()
        } else {
            doubts.push(Doubt::new(format!("what {login}, whose token it is, may do"), DoubtEffect::Limits));
            given.to_vec()
        };
        (Held { holdings, doubts }, who)
    }

    /// Who answers for a token: whose it is.
    pub(super) fn owned(&self, identity: &mut Identity, login: &str) {
        identity.human_sign_in = Fact::Known(false);
        identity.third_party = Fact::Known(false);
        if login.is_empty() {
            return;
        }
        identity.owner = Fact::Known(Arc::from(login));
        let lower = login.to_lowercase();
        let lists = [&self.accounts.members, &self.accounts.owners, &self.accounts.outside];
        identity.owner_active = if lists.iter().any(|list| list.contains_key(&lower)) {
            Fact::Known(true)
        } else if self.owner.members.is_read() && self.owner.outside_collaborators.is_read() {
            Fact::Known(false)
        } else {
            Fact::Unknown
        };
    }

    /// The place of something that the organisation as a whole says.
    pub(super) fn whole(&self) -> Evidence {
        self.organisation_evidence()
    }
}
