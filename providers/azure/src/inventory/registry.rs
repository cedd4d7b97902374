//! What Entra itself holds of applications and agents: its registry of agents, whom it holds for compromised, and whether it
//! limits their secrets.

use std::collections::BTreeSet;

use evenhand_model::evidence::Fact;
use evenhand_model::inventory::Hint;

use super::Join;

/// Identities that are agents, as the registry knows them.
const AGENTS: [&str; 2] = ["agent_identity", "agent_user"];

/// States of risk that somebody dealt with.
const DEALT_WITH: [&str; 4] = ["none", "confirmedSafe", "remediated", "dismissed"];

impl Join<'_> {
    pub(super) fn take_registry(&mut self) {
        let facts = self.facts;
        let instances = facts.registry.all();
        let named = |id: &Option<String>| id.as_deref().map(str::to_ascii_lowercase).filter(|id| !id.is_empty());
        let known: BTreeSet<String> = instances
            .iter()
            .flat_map(|held| [named(&held.agent_identity_id), named(&held.agent_user_id)])
            .flatten()
            .collect();
        let registered: BTreeSet<_> = known.iter().filter_map(|object| self.ids.get(object).cloned()).collect();
        let others = match (facts.registry.is_read(), instances.is_empty()) {
            // A registry that nobody keeps says of no agent that it is missing.
            (true, true) => Fact::Absent,
            (true, false) => Fact::Known(false),
            (false, _) => Fact::Unknown,
        };
        for identity in self.inventory.identities.iter_mut().filter(|held| AGENTS.contains(&held.kind)) {
            identity.registered = if registered.contains(&identity.id) { Fact::Known(true) } else { others };
        }
        for held in instances {
            let own = [named(&held.agent_identity_id), named(&held.agent_user_id)];
            if own.iter().flatten().any(|object| self.ids.contains_key(object)) {
                continue;
            }
            let name = held.display_name.as_deref().unwrap_or(&held.id);
            let store = held.originating_store.as_deref().map_or_else(String::new, |store| format!(" of {store}"));
            let message = format!(
                "the agent `{name}`{store} is in the registry of agents without an identity of its own here; find out as \
                 whom it acts"
            );
            self.inventory.hints.push(Hint { evidence: held.at.clone(), message: message.into() });
        }
    }

    pub(super) fn take_risks(&mut self) {
        let facts = self.facts;
        for held in facts.risky.all() {
            let state = held.risk_state.as_deref().unwrap_or("atRisk");
            if DEALT_WITH.iter().any(|one| one.eq_ignore_ascii_case(state)) {
                continue;
            }
            let object = held.id.to_ascii_lowercase();
            let who = self.ids.get(&object).map_or(object.as_str(), |id| id.as_str());
            let level = held.risk_level.as_deref().unwrap_or("unknown");
            let message = format!(
                "Entra sees a risk in how {who} signs in: {state}, level {level}; look into it before trusting what it holds"
            );
            self.inventory.hints.push(Hint { evidence: held.at.clone(), message: message.into() });
        }
        if let Some(policy) = &facts.credential_policy
            && policy.is_enabled == Some(false)
        {
            let message = "the tenant's policy for credentials of applications is off: anybody who owns one adds secrets \
                           of any lifetime; turn on the default app management policy";
            self.inventory.hints.push(Hint { evidence: policy.at.clone(), message: message.into() });
        }
    }
}
