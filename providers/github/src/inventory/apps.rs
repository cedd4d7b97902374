//! Apps that are installed, and the agents that GitHub itself runs.

use std::collections::BTreeSet;
use std::sync::Arc;

use evenhand_model::access::{Doubt, DoubtEffect};
use evenhand_model::agent::{Agent, AgentKind, ApprovalMode};
use evenhand_model::condition::{Clause, Condition};
use evenhand_model::evidence::{Evidence, Fact};
use evenhand_model::id::IdentityId;
use evenhand_model::identity::{Nature, Strength};
use evenhand_model::workload::{Surroundings, Workload};

use super::{Actor, Join, Who, full_name, nature, signal};
use crate::PROVIDER;
use crate::access::{Held, Holding, Reach, roles};
use crate::catalog::Permissions;
use crate::documents::apps::Installation;
use crate::documents::told::{At, Told};

/// The coding agent's own app.
const COPILOT: &str = "copilot-swe-agent";

impl Join<'_> {
    pub(super) fn take_apps(&mut self) {
        let owner = self.owner;
        for installation in owner.installations.all() {
            if installation.app_slug != COPILOT || !owner.copilot_agent.is_read() {
                self.app(installation);
            }
        }
        self.copilot();
    }

    fn app(&mut self, installation: &At<Installation>) {
        let slug = installation.app_slug.as_str();
        let name = if slug.is_empty() { format!("installation {}", installation.id) } else { slug.to_owned() };
        let page = format!(
            "https://{}/organizations/{}/settings/installations/{}",
            self.owner.host, self.owner.name, installation.id
        );
        let at = Evidence::setting(Arc::clone(&installation.at.document), pointer(&installation.at), page);
        let id = self.id("app", &name);
        let mut identity = self.identity(&id, "app", name.as_str(), &at);
        identity.signals = nature::of_app(slug, &at);
        identity.created_at = Fact::known(installation.created_at);
        identity.enabled = Fact::Known(installation.suspended_at.is_none());
        identity.human_sign_in = Fact::Known(false);
        let definition = self.facts.apps.get(&(self.owner.host.clone(), slug.to_owned()));
        let own = definition
            .and_then(|app| app.owner.as_ref())
            .map(|maker| maker.login.eq_ignore_ascii_case(&self.owner.name));
        identity.third_party = match own {
            Some(own) => Fact::Known(!own),
            None if nature::is_vendors(slug) => Fact::Known(true),
            None => Fact::Unknown,
        };
        identity.purpose = match definition {
            Some(app) => Fact::read(app.description.as_deref().filter(|text| !text.is_empty()).map(Arc::from)),
            None => Fact::Unknown,
        };
        self.inventory.identities.push(identity);
        let mut credential = self.credential(format!("{id}/token"), &id, "app_installation_token", &at);
        credential.is_static = Fact::Known(false);
        credential.lifetime_days = Fact::Known(0);
        // An app gets it by its private key, which does not end ("Managing private keys for GitHub Apps").
        credential.by_unseen_static = true;
        credential.enabled = Fact::Known(installation.suspended_at.is_none());
        self.inventory.credentials.push(credential);
        let mut held = Held::default();
        let key = (self.owner.host.clone(), installation.id);
        let mut who = Who {
            app: installation.app_id,
            slug: (!slug.is_empty()).then(|| Arc::from(slug)),
            machine: true,
            ..Who::default()
        };
        let reach = match installation.repository_selection.as_deref() {
            Some("all") => Some(Reach::All),
            _ => match self.facts.installation_repositories.get(&key) {
                Some(Told::Read(names)) => Some(self.named(names.iter().map(|named| named.full_name.as_str()))),
                _ => {
                    let text = format!("which repositories the app {name} reaches");
                    held.doubts.push(Doubt::new(text, DoubtEffect::Adds));
                    None
                }
            },
        };
        match &installation.permissions {
            _ if installation.suspended_at.is_some() => {}
            Some(words) => {
                let by = format!("permissions of the app {name}");
                let given = Holding::new(roles::of_words([words]), Reach::All, by, at);
                if reach.is_none() {
                    who.unlisted.push(given.clone());
                }
                held.holdings.push(Holding { reach: reach.unwrap_or(Reach::Some(BTreeSet::new())), ..given });
            }
            None => {
                held.doubts.push(Doubt::new(format!("the permissions of the app {name}"), DoubtEffect::Adds));
                who.unread = Some(reach.unwrap_or(Reach::All));
            }
        }
        self.actors.push(Actor { id, who, held, worth: true });
    }

    /// Repositories of this organisation by their names.
    pub(super) fn named<'n>(&self, names: impl Iterator<Item = &'n str>) -> Reach {
        Reach::Some(names.filter_map(|name| self.spelled(name)).collect())
    }

    /// Owner and name of a repository of this organisation as the repository's own answer spells them.
    pub(super) fn spelled(&self, name: &str) -> Option<Arc<str>> {
        let (owner, own) = name.split_once('/')?;
        owner.eq_ignore_ascii_case(&self.owner.name).then(|| {
            let known = self.owner.find(own).map_or(own, |repository| repository.name.as_str());
            full_name(self.owner, known)
        })
    }

    /// The Copilot coding agent, where it may work at all.
    fn copilot(&mut self) {
        let Some(agent) = self.owner.copilot_agent.get() else { return };
        let mut held = Held::default();
        let reach = match agent.enabled_repositories.as_deref() {
            Some("none") => return,
            Some("all") => Reach::All,
            _ => match self.owner.copilot_agent_repositories.get() {
                Some(names) => self.named(names.iter().map(|named| named.full_name.as_str())),
                None => {
                    held.doubts.push(Doubt::new("where the Copilot coding agent may work", DoubtEffect::Adds));
                    Reach::Some(BTreeSet::new())
                }
            },
        };
        let at = agent.at.clone();
        let installed = self.owner.installations.all().iter().find(|held| held.app_slug == COPILOT);
        let app = installed.and_then(|held| held.app_id);
        let id = self.id("app", COPILOT);
        let mut identity = self.identity(&id, "copilot_agent", "Copilot coding agent", &at);
        let reason = "the Copilot coding agent is switched on";
        identity.signals.push(signal(Nature::AiAgent, Strength::Certain, reason, &at));
        identity.human_sign_in = Fact::Known(false);
        identity.third_party = Fact::Known(false);
        self.inventory.identities.push(identity);
        let mut credential = self.credential(format!("{id}/token"), &id, "app_installation_token", &at);
        credential.is_static = Fact::Known(false);
        credential.lifetime_days = Fact::Known(0);
        self.inventory.credentials.push(credential);
        // It works on branches of its own and asks for a review; see "About Copilot coding agent", Built-in security
        // protections.
        let own = Condition::unconditional()
            .with(Clause::Opaque(Arc::from("on branches named copilot/*, or of the pull request it was asked on")));
        let seen = [("metadata", "read"), ("contents", "read"), ("actions", "read"), ("checks", "read")];
        let asked = [("issues", "write"), ("pull_requests", "write")];
        let by = "the Copilot coding agent";
        let permissions = Arc::new(Permissions::of(seen.into_iter().chain(asked)));
        held.holdings.push(Holding::new(permissions, reach.clone(), by, at.clone()));
        let pushes = Arc::new(Permissions::of([("contents", "write")]));
        held.holdings
            .push(Holding { condition: Some(Arc::new(own)), ..Holding::new(pushes, reach.clone(), by, at.clone()) });
        self.actors.push(Actor {
            id: id.clone(),
            who: Who { app, slug: Some(Arc::from(COPILOT)), machine: true, ..Who::default() },
            held,
            worth: true,
        });
        self.copilot_rows(&id, &reach);
    }

    /// How the coding agent is configured: a row for all repositories that agree, one for each that differs.
    fn copilot_rows(&mut self, id: &IdentityId, reach: &Reach) {
        let owner = self.owner;
        for repository in owner.repositories.values() {
            let name = full_name(owner, &repository.name);
            let Some(configured) = repository.copilot.get().filter(|_| reach.holds(&name)) else { continue };
            let row = format!("{id}/{name}");
            let mut agent = Agent::new(
                row.as_str(),
                id.clone(),
                PROVIDER,
                self.scope.clone(),
                "copilot-coding-agent",
                AgentKind::Agent,
                "Copilot coding agent",
                configured.at.clone(),
            );
            agent.transport = Fact::Absent;
            agent.command_pinned = Fact::Absent;
            agent.command_fetched = Fact::Known(false);
            agent.remote = Fact::Known(false);
            agent.authenticated = Fact::Absent;
            agent.tls = Fact::Absent;
            agent.sandboxed = Fact::Known(true);
            // Its work waits in a pull request; with approval of workflows, so does what its work may run.
            agent.approval_mode = Fact::Known(ApprovalMode::Partial);
            agent.approval_defaulted = Fact::Known(false);
            agent.trigger = Fact::Known(Arc::from("comment, issue"));
            agent.untrusted_trigger =
                match (configured.is_automations_enabled, configured.require_write_access_for_automation_triggers) {
                    (Some(false), _) | (_, Some(true)) => Fact::Known(false),
                    (Some(true), Some(false)) => Fact::known(repository.is_public()),
                    _ => Fact::Unknown,
                };
            agent.ambient_credentials = Fact::Known(false);
            agent.file_scope = Fact::Known(Arc::from("project"));
            agent.token_writes = Fact::Known(true);
            agent.project_servers_enabled = Fact::Absent;
            let secrets = self.agent_secrets(repository);
            agent.secrets_in_reach = secrets.clone();
            self.inventory.agents.push(agent);
            let workflows = configured.require_actions_workflow_approval;
            if workflows == Some(false) {
                self.hint(
                    configured.at.clone(),
                    format!(
                        "workflows run for the Copilot coding agent in {name} without a person's approval; switch it on"
                    ),
                );
            }
            self.inventory.workloads.push(Workload {
                id: row.into(),
                identity: id.clone(),
                provider: PROVIDER,
                kind: Arc::from("coding_agent"),
                name: Arc::from("Copilot coding agent"),
                scope: self.scope.clone(),
                image: Fact::Absent,
                token_mounted: Fact::Known(true),
                needs_token: Fact::Known(true),
                exposed: Fact::Known(false),
                privileged: Fact::Known(false),
                surroundings: Surroundings {
                    default_identity: Fact::Known(false),
                    egress_restricted: Fact::known(configured.is_firewall_enabled),
                    ingress_restricted: Fact::Known(true),
                    hardening_enforced: Fact::Unknown,
                    secrets,
                },
                evidence: configured.at.clone(),
            });
        }
    }
}

/// The pointer of a place, as text.
pub(crate) fn pointer(at: &Evidence) -> Arc<str> {
    match &at.place {
        evenhand_model::evidence::Place::Pointer(pointer)
        | evenhand_model::evidence::Place::Setting { pointer, .. } => Arc::clone(pointer),
        _ => Arc::from(""),
    }
}
