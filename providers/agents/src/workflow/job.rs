//! One job: the agents that its steps run, and what the job hands to them.

use std::sync::LazyLock;

use evenhand_model::agent::ApprovalMode;
use evenhand_model::evidence::{Fact, Truth};
use evenhand_model::secret::Fingerprinter;
use regex::Regex;

use super::agentic::Manifest;
use super::script::{self, Flags};
use super::token::{self, Token};
use super::trigger::{Audience, Event};
use super::{JobCredential, WorkflowAgent, condition, products, sorted};
use crate::clients::{CLIENTS, Level};
use crate::command;
use crate::permissions::{Grammar, Rule};
use crate::secret::Borrowed;
use crate::server::Server;
use crate::settings::Settings;
use crate::tree::{self, Entry, Node, Syntax, Value};

/// What the workflow says to all of its jobs.
pub(super) struct Whole<'w> {
    pub(super) events: &'w [Event],
    pub(super) permissions: Option<&'w Node>,
    pub(super) env: Option<&'w Node>,
    pub(super) jobs: &'w Node,
    pub(super) manifest: Option<&'w Manifest>,
    pub(super) fingerprinter: &'w Fingerprinter,
}

/// A step that runs an agent.
struct Step<'s> {
    node: &'s Node,
    product: &'static str,
    line: u32,
    flags: Flags,
}

/// Whether a job runs an agent.
pub(super) fn runs_agents(name: &str, job: &Node) -> bool {
    let steps = job.get("steps").map_or(&[][..], |entry| entry.node.elements());
    name == "copilot-setup-steps" || steps.iter().any(|step| !steps_of(step).is_empty())
}

/// The agents of a job.
pub(super) fn agents(whole: &Whole<'_>, name: &str, job: &Entry) -> Vec<WorkflowAgent> {
    let node = &job.node;
    // A compiled workflow has helpers beside its agent; what they run is part of the harness.
    if whole.manifest.is_some() && name != "agent" {
        return Vec::new();
    }
    if name == "copilot-setup-steps" {
        return vec![coding_agent(whole, name, job)];
    }
    let steps = node.get("steps").map_or(&[][..], |entry| entry.node.elements());
    let mut agents: Vec<WorkflowAgent> =
        steps.iter().flat_map(steps_of).map(|step| agent(whole, name, node, &step)).collect();
    if let Some(manifest) = whole.manifest {
        agents.truncate(1);
        for agent in &mut agents {
            agent.product = "gh-aw";
            agent.secrets.extend(manifest.secrets.iter().filter(|name| *name != "GITHUB_TOKEN").cloned());
            agent.secrets = sorted(std::mem::take(&mut agent.secrets));
            agent.pinned = Fact::known(manifest.pinned);
            // The compiler runs the agent in a container behind a firewall, and lets another job do what it writes.
            agent.sandboxed = Fact::Known(true);
        }
    }
    agents
}

fn steps_of(node: &Node) -> Vec<Step<'_>> {
    let text = |key: &str| node.get(key).and_then(|entry| entry.node.text().map(|text| (text, entry)));
    if let Some((uses, entry)) = text("uses") {
        return products::of_action(uses)
            .map(|product| Step { node, product, line: entry.line, flags: Flags::default() })
            .into_iter()
            .collect();
    }
    let Some((run, entry)) = text("run") else { return Vec::new() };
    let below = u32::from(run.contains('\n'));
    let mut steps: Vec<Step<'_>> = script::started(run)
        .into_iter()
        .map(|one| Step { node, product: one.product, line: entry.line + below + one.line, flags: one.flags })
        .collect();
    let calls = steps.is_empty() && products::MODEL_HOSTS.iter().any(|host| run.contains(host));
    if calls {
        steps.push(Step { node, product: "model-call", line: entry.line, flags: Flags::default() });
    }
    steps
}

fn agent(whole: &Whole<'_>, name: &str, job: &Node, step: &Step<'_>) -> WorkflowAgent {
    let input = |key: &str| step.node.get("with").and_then(|with| with.node.get(key));
    let value = |key: &str| input(key).and_then(|entry| entry.node.scalar()).map(|text| text.trim().to_owned());
    let token = token::of(job.get("permissions").map(|entry| &entry.node), whole.permissions);
    let mut agent = WorkflowAgent {
        product: step.product,
        job: name.to_owned(),
        line: step.line,
        triggers: triggers(whole),
        audience: audience(whole, name, job, step, &value),
        token_writes: token.writes,
        untrusted_checkout: untrusted_checkout(whole, job),
        secrets: secrets(whole, job),
        approval_mode: Fact::Known(ApprovalMode::Prompt),
        approval_defaulted: true,
        tools: Vec::new(),
        external_effect: Truth::No,
        sandboxed: Fact::Unknown,
        privileged: Fact::Unknown,
        pinned: step
            .node
            .get("uses")
            .and_then(|entry| entry.node.text())
            .map_or(Fact::Absent, |uses| Fact::Known(products::is_fixed(uses))),
        approval_keys: Vec::new(),
        credentials: credentials(job, step, token),
        servers: Vec::new(),
        borrowed: borrowed(job),
    };
    for key in inputs_that_decide(step.product) {
        if let Some(entry) = input(key).filter(|entry| !is_blank(&entry.node)) {
            agent.approval_keys.push(((*key).to_owned(), entry.line));
        }
    }
    for entry in step.node.get("env").map_or(&[][..], |entry| entry.node.entries()) {
        if VARIABLES.contains(&entry.key.as_str()) {
            agent.approval_keys.push((entry.key.clone(), entry.line));
        }
    }
    let mut flags = step.flags.clone();
    agent.approval_keys.extend(flags.keys.iter().map(|key| (key.clone(), step.line)));
    match step.product {
        "claude-code-action" => {
            let words = command::split(&value("claude_args").unwrap_or_default());
            flags.take("claude-code", &words);
            flags.tools.extend(value("allowed_tools").map(|text| script::tool_list(&text)).unwrap_or_default());
            // The action edits files without asking and adds the tools that its arguments allow.
            flags.mode = Some(flags.mode.map_or(ApprovalMode::Partial, |mode| mode.max(ApprovalMode::Partial)));
            agent.approval_defaulted = flags.mode == Some(ApprovalMode::Partial) && flags.tools.is_empty();
        }
        // It runs `codex exec`, which asks nobody.
        "codex-action" => {
            let words = command::split(&value("codex-args").unwrap_or_default());
            flags.take("codex", &words);
            flags.mode = Some(ApprovalMode::Bypass);
            if flags.sandboxed == Fact::Unknown {
                flags.sandboxed = Fact::Known(value("sandbox").is_none_or(|mode| mode != "danger-full-access"));
            }
            agent.privileged = match value("safety-strategy").as_deref() {
                None | Some("" | "drop-sudo" | "unprivileged-user" | "read-only") => Fact::Known(false),
                Some("unsafe") => Fact::Known(true),
                Some(_) => Fact::Unknown,
            };
        }
        "codex" => {
            flags.mode = Some(ApprovalMode::Bypass);
            // `codex exec` reads only, unless told otherwise.
            flags.sandboxed = flags.sandboxed.or(Fact::Known(true));
        }
        // Its action.yml starts the client in the mode that asks for nothing.
        "run-gemini-cli" | "opencode" | "goose" => flags.mode = Some(ApprovalMode::Bypass),
        // A call of a model does nothing beyond its answer, unless it is given tools.
        "model-call" if value("enable-github-mcp").as_deref() == Some("true") => {
            flags.mode = Some(ApprovalMode::Bypass);
        }
        _ => {}
    }
    inline(whole, step, &mut agent, &mut flags);
    let rules: Vec<Rule> = flags.tools.iter().map(|tool| Rule::parse(tool, Grammar::Call)).collect();
    if rules.iter().any(Rule::is_blanket) {
        flags.mode = Some(ApprovalMode::Bypass);
    }
    if let Some(mode) = flags.mode {
        agent.approval_mode = Fact::Known(mode);
    } else if !rules.is_empty() {
        agent.approval_mode = Fact::Known(ApprovalMode::Partial);
    }
    agent.approval_defaulted &= flags.tools.is_empty() && step.flags.mode.is_none();
    let bypass = agent.approval_mode == Fact::Known(ApprovalMode::Bypass);
    agent.external_effect =
        if bypass { Truth::Yes } else { rules.iter().fold(Truth::No, |all, rule| all.or(rule.has_external_effect())) };
    agent.tools =
        if bypass { vec![String::from("*")] } else { sorted(rules.into_iter().map(|rule| rule.text).collect()) };
    agent.sandboxed = flags.sandboxed;
    agent
}

/// The coding agent that a set-up workflow prepares: it starts for people who may change the repository, in a machine of
/// its own (GitHub documentation of the Copilot coding agent).
fn coding_agent(whole: &Whole<'_>, name: &str, job: &Entry) -> WorkflowAgent {
    let node = &job.node;
    let token = token::of(node.get("permissions").map(|entry| &entry.node), whole.permissions);
    WorkflowAgent {
        product: "copilot-coding-agent",
        job: name.to_owned(),
        line: job.line,
        triggers: vec!["issue"],
        audience: Audience::Writers,
        token_writes: token.writes,
        untrusted_checkout: Truth::No,
        secrets: secrets(whole, node),
        approval_mode: Fact::Unknown,
        approval_defaulted: false,
        tools: Vec::new(),
        external_effect: Truth::Unknown,
        sandboxed: Fact::Known(true),
        privileged: Fact::Unknown,
        pinned: Fact::Absent,
        approval_keys: node
            .get("permissions")
            .map(|entry| (String::from("permissions"), entry.line))
            .into_iter()
            .collect(),
        credentials: Vec::new(),
        servers: Vec::new(),
        borrowed: borrowed(node),
    }
}

/// Inputs of an action that bear on approval or isolation.
fn inputs_that_decide(product: &str) -> &'static [&'static str] {
    match product {
        "claude-code-action" => {
            &["allowed_non_write_users", "allowed_bots", "allowed_tools", "claude_args", "settings", "show_full_output"]
        }
        "codex-action" => &["sandbox", "safety-strategy", "codex-user", "allow-users", "allow-bots", "codex-args"],
        "run-gemini-cli" => &["settings"],
        "model-call" => &["enable-github-mcp"],
        _ => &[],
    }
}

/// Variables of agents that bear on approval or isolation.
const VARIABLES: &[&str] = &[
    "CODEX_UNSAFE_ALLOW_NO_SANDBOX",
    "GEMINI_CLI_TRUST_WORKSPACE",
    "GEMINI_SANDBOX",
    "GOOSE_MODE",
    "OPENCODE_PERMISSION",
];

fn is_blank(node: &Node) -> bool {
    match &node.value {
        Value::Null => true,
        Value::Text(text) => text.trim().is_empty(),
        Value::Bool(_) | Value::Number(_) | Value::List(_) | Value::Map(_) => false,
    }
}

/// Settings and tool servers that a step carries as a text of JSON.
fn inline(whole: &Whole<'_>, step: &Step<'_>, agent: &mut WorkflowAgent, flags: &mut Flags) {
    let client = match step.product {
        "claude-code-action" => "claude-code",
        "run-gemini-cli" => "gemini-cli",
        _ => return,
    };
    let keys = CLIENTS
        .iter()
        .find(|held| held.id == client)
        .and_then(|client| client.files.iter().find(|file| file.suffix.ends_with("/settings.json")))
        .map_or(&[][..], |file| file.keys);
    for (_, node) in inlined(step.node) {
        let settings = Settings::of(&node, keys, &"".into(), Level::Local);
        agent.approval_keys.extend(
            settings.keys.iter().map(|(key, evidence)| (key.to_string(), evidence.line_number().unwrap_or(step.line))),
        );
        flags.tools.extend(settings.allow.iter().map(|said| said.value.text.clone()));
        if let Some(mode) = settings.mode.as_ref().and_then(|said| said.value) {
            flags.mode = Some(flags.mode.map_or(mode, |held| held.max(mode)));
            agent.approval_defaulted = false;
        }
        if let Some(on) = settings.sandboxed.as_ref().and_then(|said| said.value) {
            flags.sandboxed = Fact::Known(on);
        }
        for entry in node.get("mcpServers").map_or(&[][..], |entry| entry.node.entries()) {
            agent.servers.push(Server::read(&entry.key, None, entry.line, &entry.node, whole.fingerprinter));
        }
    }
}

/// The inputs of a step that hold JSON, with the tree of it, its lines those of the workflow.
pub(super) fn inlined(step: &Node) -> Vec<(&Node, Node)> {
    let Some(with) = step.get("with") else { return Vec::new() };
    ["settings", "mcp_config", "mcp-config"]
        .iter()
        .filter_map(|key| with.node.get(key))
        .filter_map(|entry| {
            let text = entry.node.text().filter(|text| text.trim_start().starts_with('{'))?;
            let mut node = tree::parse(text, Syntax::Json).ok()?;
            // The text of a block begins on the line after its key.
            node.move_down(entry.line - u32::from(!text.trim_end().contains('\n')));
            Some((&entry.node, node))
        })
        .collect()
}

fn triggers(whole: &Whole<'_>) -> Vec<&'static str> {
    let mut words: Vec<&'static str> = whole.events.iter().map(Event::word).collect();
    words.sort_unstable();
    words.dedup();
    words
}

/// Who may start the agent: whoever can cause an event and passes every condition on the way.
fn audience(
    whole: &Whole<'_>,
    name: &str,
    job: &Node,
    step: &Step<'_>,
    value: &dyn Fn(&str) -> Option<String>,
) -> Audience {
    let own = step.node.get("if").and_then(|entry| entry.node.scalar());
    let mut audience = Audience::Writers;
    for event in whole.events {
        let before = job_keeps_out(whole, name, job, &event.name, 0);
        let kept = own.as_deref().map_or(Truth::No, |own| condition::keeps_out(own, &event.name)).or(before);
        audience = audience.max(match kept {
            Truth::Yes => Audience::Writers,
            Truth::Unknown => event.audience.min(Audience::Unknown),
            Truth::No => event.audience,
        });
    }
    if audience == Audience::Writers {
        return audience;
    }
    let everyone = |key: &str| value(key).is_some_and(|users| users.split(',').any(|user| user.trim() == "*"));
    audience = match (whole.manifest, step.product) {
        // The compiler asks for a role unless the source says that all may start it.
        (Some(manifest), _) => match manifest.roles.as_deref() {
            Some(roles) if !roles.split(',').any(|role| matches!(role.trim(), "all" | "read")) => Audience::Writers,
            _ => Audience::Anyone,
        },
        (None, "claude-code-action") => match everyone("allowed_non_write_users") || everyone("allowed_bots") {
            true => Audience::Anyone,
            // The action refuses actors without write access where an issue, a comment or a pull request starts it.
            false if audience == Audience::Readers => Audience::Writers,
            false => audience,
        },
        (None, "codex-action") => match everyone("allow-users") {
            true => Audience::Anyone,
            false => Audience::Writers,
        },
        _ => audience,
    };
    // Reviewers of an environment may stand before the job; only the environment tells.
    if job.get("environment").is_some() { audience.min(Audience::Unknown) } else { audience }
}

/// Whether a job, or one that it waits for, keeps strangers out.
fn job_keeps_out(whole: &Whole<'_>, name: &str, job: &Node, event: &str, depth: u32) -> Truth {
    const DEPTH: u32 = 16;
    let condition = job.get("if").and_then(|entry| entry.node.scalar()).unwrap_or_default();
    let own = condition::keeps_out(&condition, event);
    let goes_on = ["always()", "cancelled()", "failure()"].iter().any(|word| condition.contains(word));
    if own == Truth::Yes || goes_on || depth > DEPTH {
        return own;
    }
    let before = job.get("needs").map(|entry| super::texts(&entry.node)).unwrap_or_default();
    let before = before.iter().filter(|other| *other != name).filter_map(|other| Some((other, whole.jobs.get(other)?)));
    before.fold(own, |all, (other, entry)| all.or(job_keeps_out(whole, other, &entry.node, event, depth + 1)))
}

/// References to what the author of an event wrote.
const WRITTEN_BY_OTHERS: &[&str] = &[
    "github.event.pull_request.head",
    "github.event.pull_request.merge_commit_sha",
    "github.head_ref",
    "github.event.workflow_run.head_",
    "github.event.workflow_run.pull_requests",
    "github.event.issue.number",
    "refs/pull/",
];

fn untrusted_checkout(whole: &Whole<'_>, job: &Node) -> Truth {
    let privileged = |event: &&Event| event.is_privileged();
    let risk = match whole.events.iter().find(privileged) {
        None => return Truth::No,
        Some(_) if whole.events.iter().filter(privileged).all(|event| event.name == "workflow_call") => Truth::Unknown,
        Some(_) => Truth::Yes,
    };
    let names = |node: Option<&Entry>| {
        node.and_then(|entry| entry.node.scalar())
            .is_some_and(|text| WRITTEN_BY_OTHERS.iter().any(|word| text.contains(word)))
    };
    let steps = job.get("steps").map_or(&[][..], |entry| entry.node.elements());
    let found = steps.iter().any(|step| {
        let uses = step.get("uses").and_then(|entry| entry.node.text()).unwrap_or("");
        let run = step.get("run").and_then(|entry| entry.node.text()).unwrap_or("");
        let with = |key: &str| step.get("with").and_then(|with| with.node.get(key));
        let checkout = uses.starts_with("actions/checkout@") && (names(with("ref")) || names(with("repository")));
        let fetch = run.contains("gh pr checkout")
            || ((run.contains("git fetch") || run.contains("git checkout") || run.contains("git switch"))
                && WRITTEN_BY_OTHERS.iter().any(|word| run.contains(word)));
        checkout || fetch
    });
    if found { risk } else { Truth::No }
}

/// `secrets.NAME` in an expression. A test proves that it compiles.
static SECRET: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r#"\bsecrets(?:\.([A-Za-z_][A-Za-z0-9_]*)|\[\s*'([A-Za-z0-9_]+)'\s*\])"#).ok());

/// Names of the secrets that a job holds: whatever a step is given lies on the runner that the agent works on.
fn secrets(whole: &Whole<'_>, job: &Node) -> Vec<String> {
    let mut names = Vec::new();
    for node in whole.env.into_iter().chain([job]) {
        collect(node, &mut names);
    }
    names.retain(|name| name != "GITHUB_TOKEN");
    sorted(names)
}

fn collect(node: &Node, names: &mut Vec<String>) {
    match &node.value {
        Value::Text(text) => {
            // Outside an expression the word is a script's own.
            for expression in text.split("${{").skip(1).filter_map(|rest| rest.split("}}").next()) {
                if expression.to_ascii_lowercase().contains("tojson(secrets)") {
                    names.push(String::from("*"));
                }
                for found in SECRET.iter().flat_map(|pattern| pattern.captures_iter(expression)) {
                    if let Some(name) = found.get(1).or_else(|| found.get(2)) {
                        names.push(name.as_str().to_owned());
                    }
                }
            }
        }
        Value::List(elements) => elements.iter().for_each(|element| collect(element, names)),
        Value::Map(entries) => entries.iter().for_each(|entry| collect(&entry.node, names)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Inputs and variables that hand a credential to an agent: name, kind, static, federation offered by the issuer.
const CREDENTIALS: &[(&str, &str, bool, Option<bool>)] = &[
    ("anthropic_api_key", "anthropic_api_key", true, Some(true)),
    ("ANTHROPIC_API_KEY", "anthropic_api_key", true, Some(true)),
    ("ANTHROPIC_AUTH_TOKEN", "anthropic_api_key", true, Some(true)),
    ("claude_code_oauth_token", "anthropic_oauth_token", true, None),
    ("CLAUDE_CODE_OAUTH_TOKEN", "anthropic_oauth_token", true, None),
    ("anthropic_federation_rule_id", "federated", false, Some(true)),
    ("openai-api-key", "openai_api_key", true, None),
    ("OPENAI_API_KEY", "openai_api_key", true, None),
    ("CODEX_API_KEY", "openai_api_key", true, None),
    ("AZURE_OPENAI_API_KEY", "azure_resource_key", true, Some(true)),
    ("gemini_api_key", "google_api_key", true, Some(true)),
    ("google_api_key", "google_api_key", true, Some(true)),
    ("GEMINI_API_KEY", "google_api_key", true, Some(true)),
    ("GOOGLE_API_KEY", "google_api_key", true, Some(true)),
    ("gcp_workload_identity_provider", "federated", false, Some(true)),
    ("AWS_BEARER_TOKEN_BEDROCK", "bedrock_api_key", true, Some(true)),
    ("COPILOT_GITHUB_TOKEN", "github_token", true, Some(true)),
    ("OPENROUTER_API_KEY", "openrouter_api_key", true, None),
    ("MISTRAL_API_KEY", "api_key", true, None),
    ("XAI_API_KEY", "xai_api_key", true, None),
    ("aws-access-key-id", "aws_access_key", true, Some(true)),
    ("credentials_json", "google_service_account_key", true, Some(true)),
    ("role-to-assume", "federated", false, Some(true)),
    ("workload_identity_provider", "federated", false, Some(true)),
];

fn credentials(job: &Node, step: &Step<'_>, token: Token) -> Vec<JobCredential> {
    let mut held: Vec<JobCredential> = Vec::new();
    let mut look = |entries: &[Entry]| {
        for entry in entries.iter().filter(|entry| !is_blank(&entry.node)) {
            let Some((name, kind, is_static, federable)) =
                CREDENTIALS.iter().find(|(name, ..)| *name == entry.key.as_str())
            else {
                continue;
            };
            if !held.iter().any(|one| one.slot == *name) {
                held.push(JobCredential {
                    slot: (*name).to_owned(),
                    kind,
                    is_static: *is_static,
                    federable: *federable,
                    line: entry.line,
                });
            }
        }
    };
    for key in ["with", "env"] {
        look(step.node.get(key).map_or(&[][..], |entry| entry.node.entries()));
    }
    look(job.get("env").map_or(&[][..], |entry| entry.node.entries()));
    // Sign-in to a cloud is a step of its own, and what it leaves behind serves every later step.
    for other in job.get("steps").map_or(&[][..], |entry| entry.node.elements()) {
        let uses = other.get("uses").and_then(|entry| entry.node.text()).unwrap_or("");
        if ["aws-actions/configure-aws-credentials@", "google-github-actions/auth@"]
            .iter()
            .any(|action| uses.starts_with(action))
        {
            look(other.get("with").map_or(&[][..], |entry| entry.node.entries()));
        }
    }
    if step.product == "model-call" && held.is_empty() && token.models {
        held.push(JobCredential {
            slot: String::from("permissions.models"),
            kind: "federated",
            is_static: false,
            federable: Some(true),
            line: step.line,
        });
    }
    held
}

/// Principals that a job signs in as, where the file names them.
fn borrowed(job: &Node) -> Vec<Borrowed> {
    const SIGN_IN: &[(&str, &str, &str)] = &[
        ("aws-actions/configure-aws-credentials@", "role-to-assume", ""),
        ("google-github-actions/auth@", "service_account", ""),
        ("azure/login@", "client-id", "azure-app:"),
    ];
    let mut borrowed = Vec::new();
    for step in job.get("steps").map_or(&[][..], |entry| entry.node.elements()) {
        let uses = step.get("uses").and_then(|entry| entry.node.text()).unwrap_or("");
        for (action, key, prefix) in SIGN_IN {
            let named = step.get("with").and_then(|with| with.node.get(key));
            let named = named.and_then(|entry| entry.node.text().map(|text| (text.trim(), entry.line)));
            if let (true, Some((text, line))) = (uses.to_ascii_lowercase().starts_with(action), named)
                && !text.is_empty()
                && !text.contains("${{")
            {
                borrowed.push(Borrowed { target: format!("{prefix}{text}"), key, line });
            }
        }
    }
    borrowed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pattern_of_secrets_compiles() {
        assert!(SECRET.is_some());
    }
}
