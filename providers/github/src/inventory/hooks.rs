//! Webhooks: who is told of what happens, and by what the receiver knows that GitHub tells it.

use std::sync::Arc;

use evenhand_model::evidence::{Fact, Truth};
use evenhand_model::identity::{Nature, Strength};
use evenhand_model::trust::{Mechanism, Trust};

use super::{Actor, Join, Who, signal};
use crate::PROVIDER;
use crate::access::Held;
use crate::documents::keys::{Webhook, WebhookConfig};
use crate::documents::told::At;

impl Join<'_> {
    pub(super) fn take_hooks(&mut self) {
        let owner = self.owner;
        owner.hooks.all().iter().for_each(|hook| self.webhook(hook, ""));
        for repository in owner.repositories.values().filter(|repository| !repository.is_archived()) {
            repository.hooks.all().iter().for_each(|hook| self.webhook(hook, &repository.name));
        }
    }

    /// A webhook as an identity, and as the trust of its receiver in it. `place`: the repository; empty = the organisation.
    fn webhook(&mut self, hook: &At<Webhook>, place: &str) {
        let below = if place.is_empty() { String::new() } else { format!("{place}/") };
        let id = self.id("webhook", &format!("{below}{}", hook.id));
        let receiver = hook.config.host().unwrap_or("an address that is not told");
        let of = if place.is_empty() { self.owner.name.as_str() } else { place };
        let mut identity = self.identity(&id, "webhook", format!("{of}: webhook to {receiver}"), &hook.at);
        identity.signals.push(signal(Nature::Workload, Strength::Strong, "a webhook", &hook.at));
        identity.created_at = Fact::known(hook.created_at);
        identity.enabled = Fact::known(hook.active);
        identity.human_sign_in = Fact::Known(false);
        identity.third_party = Fact::Known(false);
        self.inventory.identities.push(identity);
        self.actors.push(Actor { id: id.clone(), who: Who::default(), held: Held::default(), worth: false });
        if hook.active == Some(false) {
            return;
        }
        let (constraint, weak, weakness) = proof(&hook.config);
        self.inventory.trusts.push(Trust {
            source: Arc::from(receiver),
            target: id,
            provider: PROVIDER,
            mechanism: Mechanism::Delivery,
            constraint: constraint.into(),
            weak,
            weakness: Arc::from(weakness),
            evidence: hook.at.clone(),
        });
    }
}

/// By what a receiver knows its sender, and what is weak about it. Without a secret nothing tells a delivery from what
/// anybody else sends to the address; where no certificate is looked at, anybody on the way receives and changes it
/// ("Validating webhook deliveries", "Creating webhooks").
fn proof(config: &WebhookConfig) -> (String, Truth, &'static str) {
    if config.url.is_none() {
        return ("how it delivers was not told".to_owned(), Truth::Unknown, "");
    }
    let signed = if config.is_signed() { "signed with a secret" } else { "not signed" };
    let verified = match (config.is_encrypted(), config.is_unverified()) {
        (Some(false), _) => "in the clear",
        (_, Some(true)) => "the certificate is not looked at",
        (Some(true), Some(false)) => "the certificate is verified",
        _ => "nothing tells whether the certificate is verified",
    };
    let (weak, weakness) = match (config.is_signed(), config.is_encrypted(), config.is_unverified()) {
        (false, ..) => (Truth::Yes, "unsigned"),
        (true, Some(false), _) => (Truth::Yes, "in-the-clear"),
        (true, _, Some(true)) => (Truth::Yes, "unverified-tls"),
        (true, Some(true), Some(false)) => (Truth::No, ""),
        (true, ..) => (Truth::Unknown, ""),
    };
    (format!("{signed}; {verified}"), weak, weakness)
}
