//! One job: the agents that its steps run, and what the job hands to them.

use std::collections::BTreeMap;
use std::ops::Range;

use evenhand_model::agent::ApprovalMode;
use evenhand_model::evidence::{Fact, Truth};
use evenhand_model::secret::Fingerprinter;

use super::agentic::Manifest;
use super::condition::Kept;
use super::gate::{Gate, audience, before};
use super::script::{self, Flags};
use super::token::{self, Ceiling, Token};
use super::trigger::{Audience, Event};
use super::{WorkflowAgent, checkout, handed, products, sorted};
use crate::clients::{CLIENTS, Level};
use crate::command;
use crate::permissions::{Grammar, Rule};
use crate::server::Server;
use crate::settings::Settings;
use crate::tree::{self, Entry, Node, Syntax, Value};

/// What the workflow says to all of its jobs.
pub(super) struct Whole<'w> {
    pub(super) events: &'w [Event],
    /// By event, what the conditions before a call of the workflow keep out.
    pub(super) kept: &'w [Kept],
    pub(super) permissions: Option<&'w Node>,
    /// What the token is at most.
    pub(super) ceiling: Ceiling,
    pub(super) env: Option<&'w Node>,
    pub(super) gates: BTreeMap<&'w str, Gate<'w>>,
    pub(super) manifest: Option<&'w Manifest>,
    pub(super) fingerprinter: &'w Fingerprinter,
}

/// A step that runs an agent.
pub(super) struct Step<'s> {
    pub(super) node: &'s Node,
    pub(super) product: &'static str,
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
    let steps: Vec<Step<'_>> = steps.iter().flat_map(steps_of).collect();
    if steps.is_empty() {
        return Vec::new();
    }
    let before = before(whole, name);
    let mut agents: Vec<WorkflowAgent> = steps.iter().map(|step| agent(whole, name, &before, node, step)).collect();
    if let Some(manifest) = whole.manifest {
        let script = steps.first().and_then(|step| step.node.get("run")).and_then(|entry| entry.node.text());
        let confined = script.is_some_and(script::starts_confined);
        agents.truncate(1);
        for agent in &mut agents {
            agent.product = "gh-aw";
            let listed = manifest.secrets.iter().filter(|name| *name != "GITHUB_TOKEN").cloned();
            agent.secrets = agent.secrets.take().map(|held| sorted(held.into_iter().chain(listed).collect()));
            agent.pinned = Fact::known(manifest.pinned);
            // Unless the source says `sandbox.agent: false`, the compiler starts the agent in a container behind a
            // firewall (gh-aw reference, sandbox). Without it, what the agent's own flags say stays.
            if confined {
                agent.sandboxed = Fact::Known(true);
            }
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

fn agent(whole: &Whole<'_>, name: &str, before: &[Kept], job: &Node, step: &Step<'_>) -> WorkflowAgent {
    let value = |key: &str| input(step, key);
    let token = token_of(whole, job);
    let mut agent = WorkflowAgent {
        product: step.product,
        job: name.to_owned(),
        line: step.line,
        lines: lines_of(job, step.node),
        triggers: triggers(whole),
        audience: audience(whole, before, job, step, &|_| true),
        armed_audience: audience(whole, before, job, step, &Event::arms_strangers),
        token_grant: token.grant,
        token_writes: token.writes.or(token_of_step(step, token)),
        untrusted_checkout: checkout::untrusted(whole, before, job, Some(step.node)),
        secrets: Some(handed::secrets(whole, job)),
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
        credentials: handed::credentials(job, step.node, step.product, step.line, token),
        servers: Vec::new(),
        borrowed: handed::borrowed(job),
    };
    for key in inputs_that_decide(step.product) {
        let entry = step.node.get("with").and_then(|with| with.node.get(key));
        if let Some(entry) = entry.filter(|entry| !is_blank(&entry.node)) {
            agent.approval_keys.push(((*key).to_owned(), entry.line));
        }
    }
    for name in variables_that_decide(step.product) {
        if let Some(entry) = variable(whole, job, step, name) {
            agent.approval_keys.push(((*name).to_owned(), entry.line));
        }
    }
    let mut flags = step.flags.clone();
    agent.approval_keys.extend(flags.keys.iter().map(|key| (key.clone(), step.line)));
    match step.product {
        "claude-code-action" => {
            let words = command::split(&value("claude_args").unwrap_or_default());
            flags.take("claude-code", &words);
            agent.servers.extend(in_arguments(whole, step, &words));
            flags.tools.extend(value("allowed_tools").map(|text| script::tool_list(&text)).unwrap_or_default());
            // The action edits files without asking and adds the tools that its arguments allow.
            flags.mode = Some(flags.mode.map_or(ApprovalMode::Partial, |mode| mode.max(ApprovalMode::Partial)));
            agent.approval_defaulted = flags.mode == Some(ApprovalMode::Partial) && flags.tools.is_empty();
        }
        // It runs `codex exec`, which asks nobody.
        "codex-action" => {
            let given = |key: &str| value(key).filter(|mode| !mode.is_empty());
            let strategy = given("safety-strategy");
            match (given("sandbox"), given("permission-profile")) {
                _ if strategy.as_deref() == Some("read-only") => flags.confine("read-only"),
                (Some(mode), _) => flags.confine(&mode),
                (None, Some(profile)) => flags.confine(match profile.as_str() {
                    ":read-only" => "read-only",
                    ":workspace" => "workspace-write",
                    // What another one lets it do stands elsewhere.
                    _ => "",
                }),
                (None, None) => flags.confine("workspace-write"),
            }
            let words = command::split(&value("codex-args").unwrap_or_default());
            flags.take("codex", &words);
            agent.approval_mode = mode_of_codex(&flags);
            flags.mode = agent.approval_mode.value().copied();
            agent.privileged = match strategy.as_deref() {
                None | Some("" | "drop-sudo" | "unprivileged-user" | "read-only") => Fact::Known(false),
                Some("unsafe") => Fact::Known(true),
                Some(_) => Fact::Unknown,
            };
        }
        "codex" => {
            // `codex exec` reads only, unless told otherwise.
            if flags.reads_only.is_none() {
                flags.confine("read-only");
            }
            agent.approval_mode = mode_of_codex(&flags);
            flags.mode = agent.approval_mode.value().copied();
        }
        // Its action.yml starts the client in the mode that asks for nothing.
        "run-gemini-cli" => flags.mode = Some(ApprovalMode::Bypass),
        "opencode" | "goose" => {
            let name = if step.product == "goose" { GOOSE } else { OPENCODE };
            let told = variable(whole, job, step, name).map(mode_in_variable);
            agent.approval_defaulted &= told.is_none();
            agent.approval_mode = told.unwrap_or(Fact::Known(ApprovalMode::Bypass));
            flags.mode = agent.approval_mode.value().copied();
        }
        // A call of a model does nothing beyond its answer, unless it is given tools.
        "model-call" if value("enable-github-mcp").as_deref() == Some("true") => {
            flags.mode = Some(ApprovalMode::Bypass);
        }
        _ => {}
    }
    let inlined = inline(whole, step, &mut agent, &mut flags);
    let of_flags = flags.tools.iter().map(|tool| Rule::parse(tool, Grammar::Call));
    let rules: Vec<Rule> = of_flags.chain(inlined).collect();
    if rules.iter().any(Rule::is_blanket) {
        flags.mode = Some(ApprovalMode::Bypass);
    }
    if let Some(mode) = flags.mode {
        agent.approval_mode = Fact::Known(mode);
    } else if !rules.is_empty() {
        agent.approval_mode = Fact::Known(ApprovalMode::Partial);
    }
    agent.approval_defaulted &= rules.is_empty() && step.flags.mode.is_none();
    let bypass = agent.approval_mode == Fact::Known(ApprovalMode::Bypass);
    let of_mode = match agent.approval_mode {
        Fact::Known(ApprovalMode::Bypass) => Truth::Yes,
        Fact::Known(_) => Truth::No,
        Fact::Absent | Fact::Unknown => Truth::Unknown,
    };
    agent.external_effect = rules.iter().fold(of_mode, |all, rule| all.or(rule.has_external_effect()));
    agent.tools =
        if bypass { vec![String::from("*")] } else { sorted(rules.into_iter().map(|rule| rule.text).collect()) };
    agent.sandboxed = flags.sandboxed;
    agent
}

/// The lines of a step, up to where the next one begins.
fn lines_of(job: &Node, step: &Node) -> Range<u32> {
    let steps = job.get("steps").map_or(&[][..], |entry| entry.node.elements());
    let next = steps.get(steps.partition_point(|other| other.line <= step.line)..).and_then(<[Node]>::first);
    step.line..next.map_or_else(|| last_line(step).saturating_add(1), |next| next.line)
}

fn last_line(node: &Node) -> u32 {
    match &node.value {
        Value::Text(text) => node.line.saturating_add(u32::try_from(text.matches('\n').count()).unwrap_or(u32::MAX)),
        Value::List(elements) => elements.iter().map(last_line).max().unwrap_or(node.line),
        Value::Map(entries) => entries.iter().map(|entry| last_line(&entry.node)).max().unwrap_or(node.line),
        Value::Null | Value::Bool(_) | Value::Number(_) => node.line,
    }
}

/// `codex exec` asks nobody: it does what its sandbox lets it do.
fn mode_of_codex(flags: &Flags) -> Fact<ApprovalMode> {
    match (flags.mode, flags.reads_only) {
        (Some(ApprovalMode::Bypass), _) | (_, Some(Fact::Known(false))) => Fact::Known(ApprovalMode::Bypass),
        (_, Some(Fact::Known(true))) => Fact::Known(ApprovalMode::Partial),
        (_, None | Some(Fact::Absent | Fact::Unknown)) => Fact::Unknown,
    }
}

/// The variable with a name that a step gets: its own, or that of the job or the workflow.
fn variable<'n>(whole: &Whole<'n>, job: &'n Node, step: &Step<'n>, name: &str) -> Option<&'n Entry> {
    let of = |node: &'n Node| node.get("env").map(|entry| &entry.node);
    let places = [of(step.node), of(job), whole.env];
    places.into_iter().flatten().find_map(|variables| variables.get(name))
}

/// The approval mode that a variable of Goose or opencode sets; what an expression yields is not in the file.
fn mode_in_variable(entry: &Entry) -> Fact<ApprovalMode> {
    let read = || {
        let (client, key, node) = match entry.key.as_str() {
            GOOSE => ("goose", GOOSE, entry.node.copied()),
            _ => ("opencode", "permission", tree::parse(entry.node.text()?, Syntax::Json).ok()?),
        };
        let mut files = CLIENTS.iter().find(|held| held.id == client)?.files.iter();
        let keys = files.find(|file| file.keys.iter().any(|held| held.path == key))?.keys;
        let root = Value::Map(vec![Entry { key: key.to_owned(), line: entry.line, node }]);
        let settings = Settings::of(&Node { line: entry.line, value: root }, keys, &"".into(), Level::Local);
        settings.mode.and_then(|said| said.value)
    };
    Fact::known(read())
}

/// What a step hands to its action under a name.
pub(super) fn input(step: &Step<'_>, key: &str) -> Option<String> {
    let entry = step.node.get("with")?.node.get(key)?;
    entry.node.scalar().map(|text| text.trim().to_owned())
}

/// The token of a job.
pub(super) fn token_of(whole: &Whole<'_>, job: &Node) -> Token {
    let own = job.get("permissions").map(|entry| &entry.node);
    match whole.ceiling {
        Ceiling::Caller(ceiling) if own.or(whole.permissions).is_none() => ceiling,
        Ceiling::Caller(ceiling) => token::of(own, whole.permissions).within(ceiling),
        Ceiling::Untold => token::of(own, whole.permissions).unless_less(),
        Ceiling::Nothing => token::of(own, whole.permissions),
    }
}

/// Whether a token that a step gets beside the job's may change the repository.
///
/// Without a `github_token`, claude-code-action exchanges the job's proof of identity for a token of its GitHub App, which
/// by default may write contents, issues and pull requests; `additional_permissions` overrides single scopes
/// (`src/github/token.ts` of the action). Its base action gets none.
fn token_of_step(step: &Step<'_>, token: Token) -> Truth {
    if step.product != "claude-code-action" || is_base_action(step) {
        return Truth::No;
    }
    let input = |key: &str| {
        let with = step.node.get("with")?;
        with.node.get(key).map(|entry| &entry.node).filter(|node| !is_blank(node))
    };
    match input("github_token") {
        Some(handed) if handed.text().is_some_and(token::is_of_job) => Truth::No,
        Some(_) => Truth::Unknown,
        None if input("additional_permissions").is_some() => token.federates.and(Truth::Unknown),
        None => token.federates,
    }
}

/// Whether a step only runs the client, without what claude-code-action does before and after.
pub(super) fn is_base_action(step: &Step<'_>) -> bool {
    step.node.get("uses").and_then(|entry| entry.node.text()).is_some_and(products::is_base_action)
}

/// The coding agent that a set-up workflow prepares: it starts for people who may change the repository, in a machine of
/// its own (GitHub documentation of the Copilot coding agent).
fn coding_agent(whole: &Whole<'_>, name: &str, job: &Entry) -> WorkflowAgent {
    let node = &job.node;
    let token = token_of(whole, node);
    WorkflowAgent {
        product: "copilot-coding-agent",
        job: name.to_owned(),
        line: job.line,
        lines: 0..0,
        triggers: vec!["issue"],
        audience: Audience::Writers,
        armed_audience: Audience::Writers,
        token_grant: token.grant,
        token_writes: token.writes,
        untrusted_checkout: Truth::No,
        secrets: Some(handed::secrets(whole, node)),
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
        borrowed: handed::borrowed(node),
    }
}

/// Inputs of an action that bear on approval or isolation.
fn inputs_that_decide(product: &str) -> &'static [&'static str] {
    match product {
        "claude-code-action" => {
            &["allowed_non_write_users", "allowed_bots", "allowed_tools", "claude_args", "settings", "show_full_output"]
        }
        "codex-action" => &[
            "sandbox",
            "permission-profile",
            "safety-strategy",
            "codex-user",
            "allow-users",
            "allow-bots",
            "allow-bot-users",
            "codex-args",
        ],
        "run-gemini-cli" => &["settings"],
        "model-call" => &["enable-github-mcp"],
        _ => &[],
    }
}

/// Variables of an agent that bear on approval or isolation.
fn variables_that_decide(product: &str) -> &'static [&'static str] {
    match product {
        "codex-action" | "codex" => &["CODEX_UNSAFE_ALLOW_NO_SANDBOX"],
        "run-gemini-cli" | "gemini-cli" => &["GEMINI_CLI_TRUST_WORKSPACE", "GEMINI_SANDBOX"],
        "goose" => &[GOOSE],
        "opencode" => &[OPENCODE],
        _ => &[],
    }
}

/// Variables that set the approval mode of Goose and the permissions of opencode, as JSON.
const GOOSE: &str = "GOOSE_MODE";
const OPENCODE: &str = "OPENCODE_PERMISSION";

/// Settings of Gemini CLI that leave of its own tools only those which they list, the second one in older versions.
const CORE_TOOLS: &[&str] = &["tools.core", "coreTools"];

pub(super) fn is_blank(node: &Node) -> bool {
    match &node.value {
        Value::Null => true,
        Value::Text(text) => text.trim().is_empty(),
        Value::Bool(_) | Value::Number(_) | Value::List(_) | Value::Map(_) => false,
    }
}

/// Settings and tool servers that a step carries as a text of JSON; what these settings let run unasked.
fn inline(whole: &Whole<'_>, step: &Step<'_>, agent: &mut WorkflowAgent, flags: &mut Flags) -> Vec<Rule> {
    let client = match step.product {
        "claude-code-action" => "claude-code",
        "run-gemini-cli" => "gemini-cli",
        _ => return Vec::new(),
    };
    let keys = CLIENTS
        .iter()
        .find(|held| held.id == client)
        .and_then(|client| client.files.iter().find(|file| file.suffix.ends_with("/settings.json")))
        .map_or(&[][..], |file| file.keys);
    let mut core: Vec<String> = Vec::new();
    let mut rules: Vec<Rule> = Vec::new();
    for (_, node) in inlined(step.node) {
        let settings = Settings::of(&node, keys, &"".into(), Level::Local);
        agent.approval_keys.extend(
            settings.keys.iter().map(|(key, evidence)| (key.to_string(), evidence.line_number().unwrap_or(step.line))),
        );
        rules.extend(settings.allow.iter().map(|said| said.value.clone()));
        if let Some(mode) = settings.mode.as_ref().and_then(|said| said.value) {
            flags.mode = Some(flags.mode.map_or(mode, |held| held.max(mode)));
            agent.approval_defaulted = false;
        }
        for (path, entry) in
            CORE_TOOLS.iter().flat_map(|path| node.find(path).into_iter().map(move |entry| (path, entry)))
        {
            let listed = super::texts(&entry.node);
            if step.product == "run-gemini-cli" && !listed.is_empty() {
                core.extend(listed);
                agent.approval_keys.push(((*path).to_owned(), entry.line));
            }
        }
        if let Some(on) = settings.sandboxed.as_ref().and_then(|said| said.value) {
            flags.sandboxed = Fact::Known(on);
        }
        for entry in node.get("mcpServers").map_or(&[][..], |entry| entry.node.entries()) {
            agent.servers.push(Server::read(&entry.key, None, entry.line, &entry.node, whole.fingerprinter));
        }
    }
    // Of its own tools there is nothing else that could run unasked; those of a server run unasked all the same.
    if !core.is_empty() && agent.servers.is_empty() {
        flags.tools.extend(core);
        flags.mode = Some(ApprovalMode::Partial);
    }
    rules
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

/// The tool servers that the arguments of Claude Code hold as a text of JSON. What secrets these hold is told with the input.
fn in_arguments(whole: &Whole<'_>, step: &Step<'_>, words: &[String]) -> Vec<Server> {
    const FLAG: &str = "--mcp-config";
    let input = step.node.get("with").and_then(|with| with.node.get("claude_args"));
    let text = input.and_then(|entry| entry.node.text()).unwrap_or_default();
    let before = text.split(FLAG).next().unwrap_or_default().matches('\n').count();
    let below = u32::try_from(before + usize::from(text.contains('\n'))).unwrap_or(u32::MAX);
    let line = input.map_or(step.line, |entry| entry.line).saturating_add(below);
    let values = words.iter().enumerate().filter_map(|(at, word)| match word.strip_prefix(FLAG) {
        Some("") => words.get(at + 1).map(String::as_str),
        Some(value) => value.strip_prefix('='),
        None => None,
    });
    let trees = values.filter(|value| value.trim_start().starts_with('{'));
    let mut servers = Vec::new();
    for mut node in trees.filter_map(|value| tree::parse(value, Syntax::Json).ok()) {
        node.move_to(line);
        for entry in node.get("mcpServers").map_or(&[][..], |entry| entry.node.entries()) {
            let server = Server::read(&entry.key, None, entry.line, &entry.node, whole.fingerprinter);
            servers.push(Server { found: Vec::new(), ..server });
        }
    }
    servers
}

fn triggers(whole: &Whole<'_>) -> Vec<&'static str> {
    let mut words: Vec<&'static str> = whole.events.iter().map(Event::word).collect();
    words.sort_unstable();
    words.dedup();
    words
}
