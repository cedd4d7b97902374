//! What a repository itself lets in: deploy keys; and the log of the organisation.

use std::sync::Arc;

use evenhand_model::evidence::{Evidence, Fact};
use evenhand_model::identity::{Nature, Strength};
use evenhand_model::log::Log;

use super::{Actor, Join, Who, full_name, nature, signal};
use crate::PROVIDER;
use crate::access::{Held, Holding, Opens, Reach};
use crate::catalog::Permissions;

/// How long GitHub keeps an organisation's audit log, in days ("Reviewing the audit log for your organization").
const AUDIT_LOG_DAYS: i64 = 180;

impl Join<'_> {
    pub(super) fn take_repositories(&mut self) {
        let owner = self.owner;
        // Switched off, it switches off those that are there ("Restricting deploy keys in your organization").
        let switched_off =
            owner.organisation.get().is_some_and(|told| told.deploy_keys_enabled_for_repositories == Some(false));
        for repository in owner.repositories.values() {
            let name = full_name(owner, &repository.name);
            for key in repository.keys.all() {
                let id = self.id("deploy_key", &format!("{}/{}", repository.name, key.id));
                let title = if key.title.is_empty() { format!("deploy key {}", key.id) } else { key.title.clone() };
                let shown = format!("{}: {title}", repository.name);
                let mut identity = self.identity(&id, "deploy_key", shown, &key.at);
                self.owned(&mut identity, key.added_by.as_deref().unwrap_or_default());
                identity.signals.push(signal(Nature::Workload, Strength::Strong, "a deploy key", &key.at));
                identity.signals.extend(nature::of_name(&title, &key.at));
                identity.created_at = Fact::known(key.created_at);
                identity.last_used_at = Fact::read(key.last_used);
                let off = match key.enabled {
                    Some(false) => Some("the key is switched off"),
                    _ => switched_off.then_some("the organisation switched deploy keys off"),
                };
                let enabled = off.is_none();
                self.off.extend(off.map(|why| (id.clone(), why)));
                identity.enabled = Fact::Known(enabled);
                self.inventory.identities.push(identity);
                let mut credential = self.credential(id.to_string(), &id, "deploy_key", &key.at);
                credential.is_static = Fact::Known(true);
                credential.federable = Fact::Known(true);
                credential.created_at = Fact::known(key.created_at);
                credential.expires_at = Fact::Absent;
                credential.last_used_at = Fact::read(key.last_used);
                credential.enabled = Fact::Known(enabled);
                self.inventory.credentials.push(credential);
                let writes = key.read_only == Some(false);
                // A push over SSH is not limited as a token is: it may carry workflow files.
                let words: &[(&str, &str)] =
                    if writes { &[("contents", "write"), ("workflows", "write")] } else { &[("contents", "read")] };
                let permissions = Arc::new(Permissions::of(words.iter().copied()));
                let by = format!("deploy key {title}, {}", if writes { "which may write" } else { "which may read" });
                // It is no token, and no call of the API takes it ("Managing deploy keys").
                let holding = Holding {
                    opens: Opens::Git,
                    ..Holding::new(permissions, Reach::one(Arc::clone(&name)), by, key.at.clone())
                };
                let holdings = if enabled { vec![holding] } else { Vec::new() };
                let held = Held { holdings, doubts: Vec::new() };
                let who = Who { deploy_key: writes && enabled, machine: true, ..Who::default() };
                self.actors.push(Actor { id, who, held, worth: true });
            }
        }
        self.take_log();
    }

    /// The audit log cannot be switched off; how long it is kept depends on where it is sent.
    fn take_log(&mut self) {
        if !self.owner.organisation.is_read() && !self.owner.audit_log.is_read() {
            return;
        }
        let streams = self.facts.log_streams.get(&self.owner.host);
        let on = streams
            .and_then(|streams| streams.get())
            .map(|streams| streams.iter().find(|stream| stream.enabled == Some(true)).map(|stream| stream.at.clone()));
        let configured = self.options.settings.get("audit_retention_days").and_then(|days| days.parse::<i64>().ok());
        let page = format!("https://{}/organizations/{}/settings/audit-log", self.owner.host, self.owner.name);
        let whole = self.whole();
        let evidence = match (&on, self.owner.audit_log.get()) {
            (Some(Some(stream)), _) => stream.clone(),
            (_, Some(log)) => log.clone(),
            _ => Evidence::setting(whole.document, "", page),
        };
        self.inventory.logs.push(Log {
            scope: self.scope.clone(),
            provider: PROVIDER,
            name: Arc::from("audit log"),
            enabled: Fact::Known(true),
            // An app's acts are recorded like a person's; reading with git is kept for seven days only.
            covers_agents: Fact::Known(true),
            retention_days: match (configured, on) {
                (Some(days), _) => Fact::Known(days),
                (None, Some(Some(_))) => Fact::Unknown,
                (None, _) => Fact::Known(AUDIT_LOG_DAYS),
            },
            tamper_protected: Fact::Known(true),
            evidence,
        });
    }
}
