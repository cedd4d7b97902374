//! What kind of actor a principal is: the vendor's own signs for it.

use std::sync::Arc;

use evenhand_model::evidence::Evidence;
use evenhand_model::identity::{Nature, Signal, Strength};
use evenhand_model::words::first_of;

use crate::world::Tags;

/// Services that act by themselves with the roles they are given.
const AGENT_SERVICES: [&str; 8] = [
    "bedrock.amazonaws.com",
    "bedrock-agentcore.amazonaws.com",
    "q.amazonaws.com",
    "qbusiness.amazonaws.com",
    "aidevops.amazonaws.com",
    "securityagent.amazonaws.com",
    "finops-agent.amazonaws.com",
    "developer.q.amazonaws.com",
];

/// Whether a service principal acts by itself.
pub(crate) fn is_agent_service(service: &str) -> bool {
    AGENT_SERVICES.iter().any(|known| service.eq_ignore_ascii_case(known))
}

/// A signal in one line.
pub(crate) fn signal(nature: Nature, strength: Strength, reason: impl Into<Arc<str>>, evidence: &Evidence) -> Signal {
    Signal { nature, strength, reason: reason.into(), evidence: evidence.clone() }
}

/// What the tags declare. Declarations come first: among signs of equal strength the first one decides.
pub(crate) fn of_tags(tags: &Tags, evidence: &Evidence) -> Vec<Signal> {
    let mut signals = Vec::new();
    if let Some(value) = tags.get("evenhand:nature") {
        let nature = match value.trim() {
            "human" => Some(Nature::Human),
            "human_role" | "human-role" => Some(Nature::HumanRole),
            "workload" => Some(Nature::Workload),
            "ai_agent" | "ai-agent" => Some(Nature::AiAgent),
            "third_party" | "third-party" => Some(Nature::ThirdParty),
            _ => None,
        };
        if let Some(nature) = nature {
            let reason = format!("tag evenhand:nature = {}", nature.as_str());
            signals.push(signal(nature, Strength::Certain, reason, evidence));
        }
    }
    if tags.get("evenhand:agent").is_some_and(|value| !matches!(value.trim(), "false" | "no" | "0")) {
        signals.push(signal(Nature::AiAgent, Strength::Certain, "tag evenhand:agent", evidence));
    }
    signals
}

/// A name that sounds like an agent: a hint, never a proof.
pub(crate) fn of_name(name: &str, evidence: &Evidence) -> Option<Signal> {
    let word = agent_word(name)?;
    Some(signal(Nature::AiAgent, Strength::Weak, format!("its name holds the word `{word}`"), evidence))
}

fn agent_word(name: &str) -> Option<&'static str> {
    const WORDS: [&str; 9] = ["agent", "agents", "ai", "llm", "gpt", "claude", "copilot", "bot", "chatbot"];
    first_of(name, &WORDS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_of_the_name_hints_and_a_part_of_a_word_does_not() {
        for (name, word) in [
            ("SupportAgent-v2", Some("agent")),
            ("support-ai", Some("ai")),
            ("AIOps", Some("ai")),
            ("claude_deployer", Some("claude")),
            ("maintainer", None),
            ("reagent-store", None),
            ("robot", None),
            ("EmailSender", None),
        ] {
            assert_eq!(agent_word(name), word, "{name}");
        }
    }
}
