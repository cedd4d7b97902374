//! A2A agent cards: what a remote agent says of itself.

use std::sync::Arc;

use evenhand_model::agent::{Agent, AgentKind};
use evenhand_model::evidence::{Evidence, Fact};
use evenhand_model::id::{IdentityId, ScopeId};
use evenhand_model::identity::{Identity, Nature, Signal, Strength};
use evenhand_model::inventory::Inventory;

use crate::provider_name;
use crate::scope::Place;
use crate::secret::redact;
use crate::server::is_loopback;
use crate::tree::{Node, Value};
use crate::unlike::Unlike;

/// Adds the agent that a card describes. `unlike`: the members that have another type, of which nothing is concluded.
pub(crate) fn read(node: &Node, unlike: &[Unlike], document: &Arc<str>, place: &Place, inventory: &mut Inventory) {
    let is_like = |key: &str| !unlike.iter().any(|one| one.key == key);
    let text = |key: &str| node.get(key).and_then(|entry| entry.node.text());
    let name = redact(text("name").unwrap_or("agent"));
    let line = node.get("name").map_or(node.line, |entry| entry.line);
    let evidence = Evidence::line(Arc::clone(document), line);
    let scope = ScopeId::new(format!("agents:{}", place.shown));
    let id = IdentityId::new(format!("agent:a2a:{}#{name}", place.shown));
    let mut identity =
        Identity::new(id.clone(), provider_name(), scope.clone(), "agent_card", name.as_str(), evidence.clone());
    identity.signals.push(Signal {
        nature: Nature::AiAgent,
        strength: Strength::Certain,
        reason: Arc::from("an A2A agent card describes it"),
        evidence: evidence.clone(),
    });
    let provider =
        node.get("provider").and_then(|entry| entry.node.get("organization")).and_then(|entry| entry.node.text());
    if is_like("provider") {
        identity.owner =
            Fact::read(provider.filter(|provider| !provider.is_empty()).map(|provider| redact(provider).into()));
    }
    if is_like("description") {
        let purpose = text("description").filter(|text| !text.is_empty());
        identity.purpose = Fact::read(purpose.map(|text| redact(text).into()));
    }
    let mut agent =
        Agent::new(id.as_str(), id.clone(), provider_name(), scope, "a2a", AgentKind::Agent, name.as_str(), evidence);
    agent.transport = Fact::Known(Arc::from("http"));
    agent.trigger = Fact::Known(Arc::from("request"));
    let schemes = node.get("securitySchemes").is_some_and(|entry| !entry.node.entries().is_empty());
    let demanded = ["security", "securityRequirements"]
        .iter()
        .any(|key| node.get(key).is_some_and(|entry| !entry.node.elements().is_empty()));
    if ["securitySchemes", "security", "securityRequirements"].into_iter().all(is_like) {
        agent.authenticated = Fact::Known(schemes && demanded);
    }
    agent.untrusted_trigger = if schemes && demanded { Fact::Known(false) } else { Fact::Unknown };
    let address = text("url").map(str::to_owned).or_else(|| interface(node));
    if let Some((scheme, rest)) = address.as_deref().and_then(|address| address.split_once("://")) {
        let authority = rest.split(['/', '?', '#']).next().unwrap_or("");
        let host = authority.rsplit('@').next().unwrap_or("");
        agent.remote = Fact::Known(!is_loopback(host));
        agent.tls = Fact::Known(matches!(scheme, "https" | "wss" | "grpcs"));
    }
    inventory.identities.push(identity);
    inventory.agents.push(agent);
}

/// The address of the first interface, in cards that list several.
fn interface(node: &Node) -> Option<String> {
    ["supportedInterfaces", "additionalInterfaces"].iter().find_map(|key| {
        let list = &node.get(key)?.node;
        let Value::List(interfaces) = &list.value else { return None };
        interfaces
            .iter()
            .find_map(|interface| interface.get("url").and_then(|entry| entry.node.text()).map(str::to_owned))
    })
}
