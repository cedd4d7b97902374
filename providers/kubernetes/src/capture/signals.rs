//! Signs that something is an AI agent, a tool server or a model server, each with how much it proves.

use std::sync::Arc;

use evenhand_model::agent::AgentKind;
use evenhand_model::identity::Strength;

use crate::documents::Pairs;

/// Custom resources of agent platforms: group, kind, platform, and what the resource is. Kinds that describe neither an
/// agent nor a tool server (a model's settings, a registry) are not listed.
const PLATFORM_KINDS: &[(&str, &str, &str, AgentKind)] = &[
    ("kagent.dev", "Agent", "kagent", AgentKind::Agent),
    ("kagent.dev", "SandboxAgent", "kagent", AgentKind::Agent),
    ("kagent.dev", "AgentHarness", "kagent", AgentKind::Agent),
    ("kagent.dev", "Harness", "kagent", AgentKind::Agent),
    ("kagent.dev", "MCPServer", "kagent", AgentKind::ToolServer),
    ("kagent.dev", "RemoteMCPServer", "kagent", AgentKind::ToolServer),
    ("kagent.dev", "ToolServer", "kagent", AgentKind::ToolServer),
    ("toolhive.stacklok.dev", "MCPServer", "toolhive", AgentKind::ToolServer),
    ("toolhive.stacklok.dev", "MCPRemoteProxy", "toolhive", AgentKind::ToolServer),
    ("toolhive.stacklok.dev", "VirtualMCPServer", "toolhive", AgentKind::ToolServer),
    ("agents.x-k8s.io", "Sandbox", "agent-sandbox", AgentKind::Agent),
    ("extensions.agents.x-k8s.io", "SandboxTemplate", "agent-sandbox", AgentKind::Agent),
    ("kubeagents.x-k8s.io", "PlatformAgent", "kube-agents", AgentKind::Agent),
    ("core.k8sgpt.ai", "K8sGPT", "k8sgpt", AgentKind::Agent),
];

/// The agent platform of a kind, and what its resource is.
pub(crate) fn platform_of(group: &str, kind: &str) -> Option<(&'static str, AgentKind)> {
    PLATFORM_KINDS
        .iter()
        .find(|(held, name, ..)| *held == group && *name == kind)
        .map(|(_, _, platform, what)| (*platform, *what))
}

/// Images of agents and tool servers. A trailing `*` stands for anything.
const AGENT_IMAGES: &[&str] = &[
    "ghcr.io/k8sgpt-ai/k8sgpt",
    "ghcr.io/github/github-mcp-server",
    "ghcr.io/kagent-dev/*",
    "cr.kagent.dev/*",
    "ghcr.io/stacklok/toolhive/proxyrunner",
    "langgenius/dify-*",
    "langchain/langgraph-api",
    "n8nio/n8n",
    "flowiseai/flowise",
    "mcp/*",
];

/// Images that serve models or front ends to them: AI, but they act on nobody's behalf.
const MODEL_IMAGES: &[&str] =
    &["ollama/ollama", "vllm/vllm-openai", "nvcr.io/nim/*", "ghcr.io/berriai/litellm", "ghcr.io/open-webui/*"];

/// Names of environment variables that only programs that talk to a model have.
const MODEL_ENV: &[&str] = &[
    "OPENAI_API_KEY",
    "OPENAI_BASE_URL",
    "AZURE_OPENAI_API_KEY",
    "AZUREOPENAI_API_KEY",
    "ANTHROPIC_API_KEY",
    "GEMINI_API_KEY",
    "NGC_API_KEY",
    "LANGSMITH_API_KEY",
    "LITELLM_MASTER_KEY",
    "K8SGPT_BACKEND",
    "K8SGPT_MODEL",
];

/// An image without registry defaults, tag and digest.
fn repository(image: &str) -> &str {
    let image = image.split_once('@').map_or(image, |(name, _)| name);
    // A colon after the last slash begins a tag; before it, a port.
    let image = match (image.rfind(':'), image.rfind('/')) {
        (Some(colon), slash) if slash.is_none_or(|slash| slash < colon) => image.get(..colon).unwrap_or(image),
        _ => image,
    };
    ["docker.io/library/", "docker.io/", "index.docker.io/"]
        .iter()
        .find_map(|prefix| image.strip_prefix(prefix))
        .unwrap_or(image)
}

fn image_in(list: &[&str], repository: &str) -> bool {
    list.iter().any(|held| match held.strip_suffix('*') {
        Some(head) => repository.starts_with(head),
        None => repository == *held,
    })
}

pub(super) fn of_image(image: &str) -> Option<(Strength, Arc<str>)> {
    let repository = repository(image);
    let own_name = repository.rsplit('/').next().unwrap_or(repository);
    if image_in(AGENT_IMAGES, repository) {
        Some((Strength::Strong, format!("runs the agent or tool server image {repository}").into()))
    } else if own_name.contains("mcp-server") || own_name.contains("mcpserver") {
        Some((Strength::Strong, format!("runs the tool server image {repository}").into()))
    } else if image_in(MODEL_IMAGES, repository) {
        Some((Strength::Medium, format!("runs the model server image {repository}").into()))
    } else if own_name.split(|c: char| !c.is_ascii_alphanumeric()).any(|word| word.starts_with("mcp")) {
        Some((Strength::Medium, format!("runs the image {repository}, named after the tool protocol").into()))
    } else {
        None
    }
}

pub(super) fn of_env(name: &str) -> Option<(Strength, Arc<str>)> {
    (MODEL_ENV.contains(&name) || name.starts_with("MCP_"))
        .then(|| (Strength::Medium, format!("has {name} in its environment").into()))
}

/// Arguments by which programs are told to speak the tool protocol.
pub(super) fn of_arguments<'a>(arguments: impl Iterator<Item = &'a str>) -> Option<(Strength, Arc<str>)> {
    let mut serving = false;
    for argument in arguments {
        serving |= argument == "serve";
        let speaks = argument == "--mcp"
            || (serving && argument == "--mcp-http")
            || matches!(argument, "--transport=streamable-http" | "--transport=sse");
        if speaks {
            return Some((Strength::Medium, format!("is started with {argument}").into()));
        }
    }
    None
}

pub(super) fn of_labels(labels: &Pairs<'_>) -> Vec<(Strength, Arc<str>)> {
    let mut found = Vec::new();
    for (key, value) in labels.iter() {
        let certain = (key == "app" && value == "kagent")
            || matches!(key, "kagent" | "toolhive" | "toolhive-name" | "kube-agents/tier")
            || key.starts_with("agents.x-k8s.io/");
        if certain {
            found.push((Strength::Certain, format!("carries the agent platform's label {key}={value}").into()));
        }
    }
    found
}

/// A name that sounds like an agent. Proves nothing.
pub(crate) fn name_hint(name: &str) -> Option<(Strength, Arc<str>)> {
    let word = ["mcp", "llm", "gpt"].into_iter().find(|word| name.contains(word)).or_else(|| {
        name.split(|c: char| !c.is_ascii_alphanumeric()).find(|word| matches!(*word, "agent" | "agents" | "copilot"))
    })?;
    Some((Strength::Weak, format!("its name contains `{word}`").into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_are_compared_without_tag_and_digest() {
        for (image, expected) in [
            ("ghcr.io/k8sgpt-ai/k8sgpt:v0.4.24", Some(Strength::Strong)),
            ("localhost:5000/team/github-mcp-server@sha256:00", Some(Strength::Strong)),
            ("docker.io/n8nio/n8n", Some(Strength::Strong)),
            ("mcp/fetch", Some(Strength::Strong)),
            ("ollama/ollama:latest", Some(Strength::Medium)),
            ("localhost:5000/microsoft-mcpgateway-service:latest", Some(Strength::Medium)),
            ("registry.k8s.io/kube-proxy:v1.36.2", None),
        ] {
            assert_eq!(of_image(image).map(|(strength, _)| strength), expected, "{image}");
        }
    }
}
