//! What kind of actor something is: apps that are known, and names.

use evenhand_model::evidence::Evidence;
use evenhand_model::identity::{Nature, Signal, Strength};
use evenhand_model::words::words;

use super::signal;

/// Apps that are AI agents, by their names in paths (`https://github.com/apps/<name>`), with what people call them.
const AGENTS: &[(&str, &str)] = &[
    ("amazon-q-developer", "Amazon Q Developer"),
    ("chatgpt-codex-connector", "Codex"),
    ("claude", "Claude"),
    ("coderabbitai", "CodeRabbit"),
    ("copilot-pull-request-reviewer", "Copilot code review"),
    ("copilot-swe-agent", "Copilot coding agent"),
    ("cursor", "Cursor"),
    ("devin-ai-integration", "Devin"),
    ("ellipsis-dev", "Ellipsis"),
    ("factory-droid", "Factory"),
    ("gemini-code-assist", "Gemini Code Assist"),
    ("google-labs-jules", "Jules"),
    ("greptile-apps", "Greptile"),
    ("openhands-ai", "OpenHands"),
    ("qodo-merge-pro", "Qodo"),
    ("sourcery-ai", "Sourcery"),
    ("sweep-ai", "Sweep"),
];

/// Apps that follow fixed rules.
const WORKLOADS: &[&str] = &[
    "atlantis",
    "azure-pipelines",
    "codecov",
    "dependabot",
    "github-actions",
    "github-advanced-security",
    "github-pages",
    "mergify",
    "renovate",
    "slack",
    "snyk-io",
    "sonarqubecloud",
    "vercel",
];

/// The number of the app whose tokens workflows get.
pub(crate) const ACTIONS_APP: u64 = 15368;

/// What an app is.
pub(super) fn of_app(slug: &str, at: &Evidence) -> Vec<Signal> {
    if let Some((_, product)) = AGENTS.iter().find(|(known, _)| *known == slug) {
        return vec![signal(Nature::AiAgent, Strength::Strong, format!("the app of {product}"), at)];
    }
    let strength = if follows_rules(slug) { Strength::Strong } else { Strength::Medium };
    let mut signals = vec![signal(Nature::Workload, strength, "a GitHub App", at)];
    signals.extend(of_name(slug, at));
    signals
}

/// Whether an app follows fixed rules, and does nothing because somebody talks it into that.
pub(crate) fn follows_rules(slug: &str) -> bool {
    WORKLOADS.contains(&slug)
}

/// Whether an app is one that its vendor offers to everybody.
pub(super) fn is_vendors(slug: &str) -> bool {
    AGENTS.iter().any(|(known, _)| *known == slug) || follows_rules(slug)
}

/// A name that sounds like an agent: a hint, never a proof.
pub(super) fn of_name(name: &str, at: &Evidence) -> Option<Signal> {
    const WORDS: [&str; 10] = ["agent", "agents", "ai", "llm", "gpt", "claude", "codex", "copilot", "gemini", "devin"];
    let word = words(name).into_iter().find(|word| WORDS.contains(&word.as_str()))?;
    Some(signal(Nature::AiAgent, Strength::Weak, format!("its name holds the word `{word}`"), at))
}

#[cfg(test)]
mod tests {
    use evenhand_model::identity::judge;

    use super::*;

    #[test]
    fn known_agents_are_agents_and_a_name_alone_is_a_hint() {
        let at = Evidence::whole("x");
        assert_eq!(judge(&of_app("devin-ai-integration", &at)).nature, Nature::AiAgent);
        let named = judge(&of_app("acme-delivery-agent", &at));
        assert_eq!((named.nature, named.ai_hint.is_some()), (Nature::Workload, true));
        let plain = judge(&of_app("renovate", &at));
        assert_eq!((plain.nature, plain.ai_hint), (Nature::Workload, None));
    }
}
