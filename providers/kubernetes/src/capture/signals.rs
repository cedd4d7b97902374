//! Signs that something is an AI agent, a tool server or a model server, each with how much it proves.
//!
//! A custom resource or a label of an agent platform is certain, an image strong, an environment variable or an argument
//! medium, a name weak. What serves models acts on nobody's behalf: it is a workload and no agent.

use std::sync::{Arc, LazyLock};

use evenhand_agents::issued;
use evenhand_model::agent::AgentKind;
use evenhand_model::identity::{Nature, Strength};

use super::Origin;
use crate::documents::Pairs;

/// What a sign speaks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Speaks {
    Agent,
    ToolServer,
    ModelServer,
}

impl Speaks {
    /// The nature of an identity that such a thing uses.
    pub(crate) fn nature(self) -> Nature {
        match self {
            Self::Agent | Self::ToolServer => Nature::AiAgent,
            Self::ModelServer => Nature::Workload,
        }
    }

    pub(crate) fn of(what: Option<AgentKind>) -> Self {
        match what {
            Some(AgentKind::Agent) => Self::Agent,
            Some(AgentKind::ToolServer) => Self::ToolServer,
            None => Self::ModelServer,
        }
    }
}

/// A sign, before its place is known.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Clue {
    pub(crate) speaks: Speaks,
    pub(crate) strength: Strength,
    pub(crate) reason: Arc<str>,
}

impl Clue {
    fn new(speaks: Speaks, strength: Strength, reason: impl Into<Arc<str>>) -> Self {
        Self { speaks, strength, reason: reason.into() }
    }

    /// That a kind of an agent platform is what it is.
    pub(super) fn of_kind(what: AgentKind, kind: &str, group: &str) -> Self {
        Self::new(Speaks::of(Some(what)), Strength::Certain, format!("is a {kind} of {group}"))
    }

    pub(super) fn at(self, origin: Origin) -> Sign {
        Sign { clue: self, origin }
    }
}

/// A sign with its place.
#[derive(Clone, Debug)]
pub(crate) struct Sign {
    pub(crate) clue: Clue,
    pub(crate) origin: Origin,
}

/// Custom resources of agent platforms: group, kind, platform, and what the resource is. Kinds that describe neither an
/// agent nor a tool server (a model's settings, a registry, results) are not listed.
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
    ("toolhive.stacklok.dev", "MCPServerEntry", "toolhive", AgentKind::ToolServer),
    ("agents.x-k8s.io", "Sandbox", "agent-sandbox", AgentKind::Agent),
    ("extensions.agents.x-k8s.io", "SandboxTemplate", "agent-sandbox", AgentKind::Agent),
    ("extensions.agents.x-k8s.io", "SandboxClaim", "agent-sandbox", AgentKind::Agent),
    ("extensions.agents.x-k8s.io", "SandboxWarmPool", "agent-sandbox", AgentKind::Agent),
    ("kagent.dev", "AgentTemplate", "kagent", AgentKind::Agent),
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

/// Custom resources that serve models, by group and kind, and notebooks: AI, but they act on nobody's behalf.
const MODEL_KINDS: &[(&str, &str, &str)] = &[
    ("serving.kserve.io", "InferenceService", "kserve"),
    ("serving.kserve.io", "LLMInferenceService", "kserve"),
    ("serving.kserve.io", "InferenceGraph", "kserve"),
    ("serving.kserve.io", "ServingRuntime", "kserve"),
    ("serving.kserve.io", "ClusterServingRuntime", "kserve"),
    ("ray.io", "RayCluster", "ray"),
    ("ray.io", "RayJob", "ray"),
    ("ray.io", "RayService", "ray"),
    ("ray.io", "RayCronJob", "ray"),
    ("production-stack.vllm.ai", "VLLMRuntime", "vllm"),
    ("production-stack.vllm.ai", "VLLMRouter", "vllm"),
    ("production-stack.vllm.ai", "CacheServer", "vllm"),
    ("toolhive.stacklok.dev", "EmbeddingServer", "toolhive"),
    ("kubeflow.org", "Notebook", "kubeflow"),
];

/// The platform of a kind that serves models.
pub(super) fn model_platform_of(group: &str, kind: &str) -> Option<&'static str> {
    MODEL_KINDS.iter().find(|(held, name, _)| *held == group && *name == kind).map(|(_, _, platform)| *platform)
}

/// Images of agents, and of platforms on which people build them. A trailing `*` stands for anything.
const AGENT_IMAGES: &[&str] = &[
    "ghcr.io/k8sgpt-ai/k8sgpt",
    "ghcr.io/kagent-dev/*",
    "cr.kagent.dev/*",
    "ghcr.io/open-webui/*",
    "langgenius/dify-*",
    "langchain/langgraph-api",
    "n8nio/n8n",
    "flowiseai/flowise",
];

/// Images of tool servers, beside all whose own name says so.
const TOOL_IMAGES: &[&str] = &["ghcr.io/github/github-mcp-server", "ghcr.io/stacklok/toolhive/proxyrunner", "mcp/*"];

/// Images that serve models or pass requests on to them.
const MODEL_IMAGES: &[&str] = &["ollama/ollama", "vllm/vllm-openai", "nvcr.io/nim/*", "ghcr.io/berriai/litellm"];

/// Names of environment variables that only programs that talk to a model have, beside those of the keys with which models
/// are called.
const MODEL_ENV: &[&str] =
    &["OPENAI_BASE_URL", "LANGSMITH_API_KEY", "LITELLM_MASTER_KEY", "K8SGPT_BACKEND", "K8SGPT_MODEL"];

/// Names of environment variables that programs which talk to a model have, and others too: the key is also one for maps.
const SHARED_ENV: &[&str] = &["GOOGLE_API_KEY"];

/// Names of Docker Hub, those under which caches hold it included: ECR's pull-through cache proposes `docker-hub`.
const DOCKER_HUB: &[&str] = &["docker.io", "index.docker.io", "registry-1.docker.io", "docker-hub", "dockerhub"];

/// Namespaces of the lists above that are anybody's in a registry of one's own.
const ANYBODYS: &[&str] = &["mcp", "nim"];

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

/// The registry that a repository begins with, where it names one, and its path there. A registry is told by a dot or a
/// port (the reference grammar of distribution images).
fn registry(repository: &str) -> (Option<&str>, &str) {
    match repository.split_once('/') {
        Some((host, path)) if host.contains(['.', ':']) || host == "localhost" => {
            (Some(host).filter(|host| !DOCKER_HUB.contains(host)), path)
        }
        _ => (None, repository),
    }
}

/// Images of a list.
struct Images(LazyLock<Vec<Listed>>);

/// An image, or several of one beginning.
struct Listed {
    host: Option<&'static str>,
    /// Without a star at its end.
    path: &'static str,
    /// Whether the path may go on behind that.
    goes_on: bool,
    /// Whether namespace and name are nobody else's in a registry of one's own.
    is_telling: bool,
}

impl Listed {
    fn new(image: &'static str) -> Self {
        let (host, path) = registry(image);
        let namespace = path.split_once('/').map_or("", |(namespace, _)| namespace);
        let is_telling = !namespace.is_empty() && !ANYBODYS.contains(&namespace);
        let beginning = path.strip_suffix('*');
        Self { host, path: beginning.unwrap_or(path), goes_on: beginning.is_some(), is_telling }
    }

    fn fits(&self, path: &str) -> bool {
        if self.goes_on { path.starts_with(self.path) } else { path == self.path }
    }
}

static AGENTS: Images = Images(LazyLock::new(|| AGENT_IMAGES.iter().copied().map(Listed::new).collect()));
static TOOLS: Images = Images(LazyLock::new(|| TOOL_IMAGES.iter().copied().map(Listed::new).collect()));
static MODELS: Images = Images(LazyLock::new(|| MODEL_IMAGES.iter().copied().map(Listed::new).collect()));

/// A repository, as lists are held against it.
struct Repository<'i> {
    /// Whether it names a registry of its own.
    has_registry: bool,
    /// The registries that it may be of, each with the path there: its own, and those whose names stand in its path. Where
    /// in a path the name of a registry stands, the path of that registry begins.
    places: Vec<(Option<&'i str>, &'i str)>,
    /// Its path, and what is left of that behind each slash.
    ends: Vec<&'i str>,
}

impl<'i> Repository<'i> {
    fn new(repository: &'i str) -> Self {
        let (host, path) = registry(repository);
        let (mut places, mut ends) = (vec![(host, path)], vec![path]);
        for (at, _) in path.match_indices('/') {
            let below = path.get(at + 1..).unwrap_or_default();
            ends.push(below);
            let segment = path.get(..at).and_then(|before| before.rsplit('/').next()).unwrap_or_default();
            let (host, inner) = registry(path.get(at - segment.len()..).unwrap_or_default());
            if host.is_some() {
                places.push((host, inner));
            } else if DOCKER_HUB.contains(&segment) {
                places.push((None, below));
            }
        }
        Self { has_registry: host.is_some(), places, ends }
    }
}

impl Images {
    /// Whether an image is one of these: at its own registry, or as a mirror or a pull-through cache holds it, below the name
    /// of that registry or with namespace and name at the end of its path.
    fn hold(&self, image: &Repository<'_>) -> bool {
        self.0.iter().any(|listed| {
            image.places.iter().any(|(host, path)| *host == listed.host && listed.fits(path))
                || (listed.is_telling && image.has_registry && image.ends.iter().any(|end| listed.fits(end)))
        })
    }
}

pub(super) fn of_image(image: &str) -> Option<Clue> {
    let repository = repository(image);
    let own_name = repository.rsplit('/').next().unwrap_or(repository);
    let image = Repository::new(repository);
    if TOOLS.hold(&image) || own_name.contains("mcp-server") || own_name.contains("mcpserver") {
        Some(Clue::new(Speaks::ToolServer, Strength::Strong, format!("runs the tool server image {repository}")))
    } else if AGENTS.hold(&image) {
        Some(Clue::new(Speaks::Agent, Strength::Strong, format!("runs the agent image {repository}")))
    } else if MODELS.hold(&image) {
        Some(Clue::new(Speaks::ModelServer, Strength::Strong, format!("runs the model server image {repository}")))
    } else if own_name.split(|c: char| !c.is_ascii_alphanumeric()).any(|word| word.starts_with("mcp")) {
        let reason = format!("runs the image {repository}, named after the tool protocol");
        Some(Clue::new(Speaks::ToolServer, Strength::Medium, reason))
    } else {
        None
    }
}

pub(super) fn of_env(name: &str) -> Option<Clue> {
    let reason = || format!("has {name} in its environment");
    if name.starts_with("MCP_") {
        Some(Clue::new(Speaks::ToolServer, Strength::Medium, reason()))
    } else if SHARED_ENV.contains(&name) {
        Some(Clue::new(Speaks::Agent, Strength::Weak, reason()))
    } else if MODEL_ENV.contains(&name) || issued::by_name(name).is_some_and(|issued| issued.calls_models) {
        Some(Clue::new(Speaks::Agent, Strength::Medium, reason()))
    } else {
        None
    }
}

/// Arguments by which programs are told to speak the tool protocol, with the number of the one that tells.
pub(super) fn of_arguments<'a>(arguments: impl Iterator<Item = &'a str>) -> Option<(usize, Clue)> {
    let (mut serving, mut transport) = (false, false);
    for (at, argument) in arguments.enumerate() {
        let speaks = argument == "--mcp"
            || (serving && argument == "--mcp-http")
            || matches!(argument, "--transport=streamable-http" | "--transport=sse")
            || (transport && matches!(argument, "streamable-http" | "sse"));
        if speaks {
            let clue = Clue::new(Speaks::ToolServer, Strength::Medium, format!("is started with {argument}"));
            return Some((at, clue));
        }
        serving |= argument == "serve";
        transport = argument == "--transport";
    }
    None
}

/// Labels that only agent platforms set, with the key of each.
pub(super) fn of_labels<'p>(labels: &'p Pairs<'_>) -> impl Iterator<Item = (&'p str, Clue)> {
    labels.iter().filter_map(|(key, value)| {
        let speaks = match key {
            "toolhive" | "toolhive-name" => Speaks::ToolServer,
            "app" if value == "kagent" => Speaks::Agent,
            "kagent" | "kube-agents/tier" => Speaks::Agent,
            _ if key.starts_with("agents.x-k8s.io/") => Speaks::Agent,
            _ => return None,
        };
        let reason = format!("carries the agent platform's label {key}={value}");
        Some((key, Clue::new(speaks, Strength::Certain, reason)))
    })
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
            ("ghcr.io/k8sgpt-ai/k8sgpt:v0.4.24", Some((Speaks::Agent, Strength::Strong))),
            ("localhost:5000/team/github-mcp-server@sha256:00", Some((Speaks::ToolServer, Strength::Strong))),
            ("docker.io/n8nio/n8n", Some((Speaks::Agent, Strength::Strong))),
            ("mcp/fetch", Some((Speaks::ToolServer, Strength::Strong))),
            ("ollama/ollama:latest", Some((Speaks::ModelServer, Strength::Strong))),
            ("ghcr.io/berriai/litellm:main", Some((Speaks::ModelServer, Strength::Strong))),
            ("localhost:5000/microsoft-mcpgateway-service:latest", Some((Speaks::ToolServer, Strength::Medium))),
            ("registry.k8s.io/kube-proxy:v1.36.2", None),
            // The vendor's own registry, mirrors and pull-through caches.
            ("docker.n8n.io/n8nio/n8n:1.80.0", Some((Speaks::Agent, Strength::Strong))),
            ("docker.litellm.ai/berriai/litellm:main", Some((Speaks::ModelServer, Strength::Strong))),
            ("registry.corp/mirror/docker.io/ollama/ollama", Some((Speaks::ModelServer, Strength::Strong))),
            ("registry.corp:5000/ollama/ollama", Some((Speaks::ModelServer, Strength::Strong))),
            (
                "123.dkr.ecr.eu-west-1.amazonaws.com/docker-hub/ollama/ollama:0.5",
                Some((Speaks::ModelServer, Strength::Strong)),
            ),
            ("europe-docker.pkg.dev/acme/hub/langgenius/dify-api@sha256:00", Some((Speaks::Agent, Strength::Strong))),
            ("harbor.corp/proxy/ghcr.io/open-webui/open-webui", Some((Speaks::Agent, Strength::Strong))),
            ("registry.corp/kagent-dev/kagent/app", Some((Speaks::Agent, Strength::Strong))),
            ("registry.corp/cache/cr.kagent.dev/kagent/app", Some((Speaks::Agent, Strength::Strong))),
            ("registry.corp/nvcr.io/nim/meta/llama", Some((Speaks::ModelServer, Strength::Strong))),
            ("registry.corp/docker-hub/mcp/fetch", Some((Speaks::ToolServer, Strength::Strong))),
            // What only sounds like one.
            ("registry.corp/team/ollama", None),
            ("registry.corp/not-ollama/ollama", None),
            ("registry.corp/ollama/ollama-exporter", None),
            ("registry.corp/ollama/ollama/exporter", None),
            ("ollama", None),
            ("someone/ollama", None),
            ("registry.corp/team/n8n", None),
            ("registry.corp/n8nio/n8n-docs", None),
            ("registry.corp/nim/compiler", None),
            ("registry.corp/mcp/mainframe", None),
            ("langgenius/difyrent", None),
        ] {
            assert_eq!(of_image(image).map(|clue| (clue.speaks, clue.strength)), expected, "{image}");
        }
    }

    #[test]
    fn a_key_that_maps_use_too_is_a_hint_only() {
        for (name, expected) in [
            ("ANTHROPIC_API_KEY", Some(Strength::Medium)),
            ("MCP_SERVER_URL", Some(Strength::Medium)),
            ("GOOGLE_API_KEY", Some(Strength::Weak)),
            ("MISTRAL_API_KEY", Some(Strength::Medium)),
            ("GROQ_API_KEY", Some(Strength::Medium)),
            ("DEEPSEEK_API_KEY", Some(Strength::Medium)),
            ("CLAUDE_CODE_OAUTH_TOKEN", Some(Strength::Medium)),
            ("AWS_BEARER_TOKEN_BEDROCK", Some(Strength::Medium)),
            ("NGC_API_KEY", Some(Strength::Medium)),
            ("GITHUB_TOKEN", None),
            ("API_KEY", None),
        ] {
            assert_eq!(of_env(name).map(|clue| clue.strength), expected, "{name}");
        }
    }

    #[test]
    fn arguments_tell_the_tool_protocol_however_they_are_written() {
        for (arguments, expected) in [
            (&["serve", "--mcp-http"][..], Some(1)),
            (&["--mcp-http"], None),
            (&["--mcp"], Some(0)),
            (&["--transport=sse"], Some(0)),
            (&["--transport", "streamable-http"], Some(1)),
            (&["--transport", "tcp"], None),
        ] {
            let found = of_arguments(arguments.iter().copied());
            assert_eq!(found.map(|(at, _)| at), expected, "{arguments:?}");
        }
    }
}
