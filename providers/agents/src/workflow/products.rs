//! Which actions and programs are agents.

/// Actions that run an agent, by owner and repository (and folder), with the word for the product.
const ACTIONS: &[(&str, &str)] = &[
    ("anthropics/claude-code-action", "claude-code-action"),
    ("anthropics/claude-code-action/base-action", "claude-code-action"),
    ("anthropics/claude-code-base-action", "claude-code-action"),
    ("openai/codex-action", "codex-action"),
    ("google-github-actions/run-gemini-cli", "run-gemini-cli"),
    ("google-gemini/gemini-cli-action", "run-gemini-cli"),
    ("actions/ai-inference", "model-call"),
    ("sst/opencode/github", "opencode"),
    ("anomalyco/opencode/github", "opencode"),
];

/// Programs that are agents, with the word for the product.
const PROGRAMS: &[(&str, &str)] = &[
    ("claude", "claude-code"),
    ("claude-code", "claude-code"),
    ("codex", "codex"),
    ("gemini", "gemini-cli"),
    ("gemini-cli", "gemini-cli"),
    ("copilot", "copilot-cli"),
    ("opencode", "opencode"),
    ("goose", "goose"),
    ("cursor-agent", "cursor-cli"),
    ("aider", "aider"),
    ("amp", "amp"),
];

/// Hosts of model providers.
pub(super) const MODEL_HOSTS: &[&str] = &[
    "api.anthropic.com",
    "api.openai.com",
    "generativelanguage.googleapis.com",
    "aiplatform.googleapis.com",
    "models.github.ai",
    "models.inference.ai.azure.com",
    "openai.azure.com",
    "api.mistral.ai",
    "openrouter.ai",
    "api.x.ai",
    "bedrock-runtime.",
];

/// The product that an action is.
pub(super) fn of_action(uses: &str) -> Option<&'static str> {
    let path = uses.split('@').next().unwrap_or(uses).to_ascii_lowercase();
    ACTIONS.iter().find(|(action, _)| *action == path).map(|(_, product)| *product)
}

/// Whether an action is the part of claude-code-action that only runs the client, with the token that the job has and for
/// whoever starts it: the checks of the actor are those of the whole action (`src/github/validation` of the action).
pub(super) fn is_base_action(uses: &str) -> bool {
    uses.split('@').next().unwrap_or(uses).to_ascii_lowercase().ends_with("base-action")
}

/// The product that a program is.
pub(super) fn of_program(name: &str) -> Option<&'static str> {
    PROGRAMS.iter().find(|(program, _)| *program == name).map(|(_, product)| *product)
}

/// Whether a text names any of them.
pub(super) fn mentions(text: &str) -> bool {
    text.contains("copilot-setup-steps")
        || ACTIONS.iter().any(|(action, _)| text.contains(action))
        || PROGRAMS.iter().any(|(program, _)| text.contains(program))
        || MODEL_HOSTS.iter().any(|host| text.contains(host))
}

/// Whether an action is fixed: to a commit, to an image's digest, or because it lies in the repository itself.
pub(super) fn is_fixed(uses: &str) -> bool {
    if uses.starts_with("./") {
        return true;
    }
    if let Some(image) = uses.strip_prefix("docker://") {
        return image.contains("@sha256:");
    }
    uses.split_once('@').is_some_and(|(_, reference)| is_commit(reference))
}

/// Whether a reference is a whole commit id.
pub(super) fn is_commit(reference: &str) -> bool {
    matches!(reference.len(), 40 | 64) && reference.bytes().all(|byte| byte.is_ascii_hexdigit())
}
