//! Sources of agentic workflows: Markdown with the workflow's settings before the prompt (gh-aw reference, frontmatter).

use evenhand_model::agent::ApprovalMode;
use evenhand_model::evidence::{Fact, Truth};

use super::trigger::{self, Audience, Event};
use super::{Workflow, WorkflowAgent, WorkflowError, sorted, texts, token};
use crate::permissions::{Grammar, Rule};
use crate::secret::Slots;
use crate::server::Server;
use crate::tree::{self, Entry, Node, Syntax, Value};
use evenhand_model::secret::Fingerprinter;

/// Keys of which one stands in every source beside `on`.
const KEYS: &[&str] = &["engine", "safe-outputs", "tools", "permissions", "mcp-servers", "network"];

/// Keys that bear on approval or isolation.
const DECIDING: &[&str] = &["roles", "permissions", "network", "safe-outputs", "sandbox", "tools", "strict"];

/// Whether a text is a source.
pub(crate) fn is_source(text: &str) -> bool {
    let Some(head) = tree::frontmatter(text) else { return false };
    let has = |key: &str| head.lines().any(|line| line.strip_prefix(key).is_some_and(|rest| rest.starts_with(':')));
    has("on") && KEYS.iter().any(|key| has(key))
}

/// Reads a source.
///
/// # Errors
/// When what stands before the prompt is no YAML.
pub(crate) fn read_source(text: &str, fingerprinter: &Fingerprinter) -> Result<Option<Workflow>, WorkflowError> {
    let node = tree::parse(text, Syntax::Frontmatter).map_err(|error| WorkflowError {
        line: error.line,
        column: error.column,
        reason: error.reason,
    })?;
    let Some(on) = node.get("on") else { return Ok(None) };
    let roles = on.node.get("roles").or_else(|| node.get("roles"));
    let events: Vec<Event> = trigger::events(&node).into_iter().filter(Event::is_one).collect();
    let roles = roles.map(|entry| texts(&entry.node)).unwrap_or_default();
    // Without the key the compiler asks for write access.
    let lets_all_in = roles.iter().any(|role| matches!(role.as_str(), "all" | "read"));
    let audience = |some: &dyn Fn(&Event) -> bool| {
        let open = events.iter().filter(|event| some(event)).map(|event| event.audience).max();
        let is_open = lets_all_in && open.is_some_and(|open| open != Audience::Writers);
        if is_open { Audience::Anyone } else { Audience::Writers }
    };
    let block = node.get("permissions").map(|entry| &entry.node);
    let token = token::of(block, None);
    let off = node.find("sandbox.agent").iter().any(|entry| entry.node.flag() == Some(false));
    let mut keys: Vec<(String, u32)> =
        DECIDING.iter().filter_map(|key| node.get(key).map(|entry| ((*key).to_owned(), entry.line))).collect();
    if let Some(entry) = on.node.get("roles") {
        keys.push((String::from("on.roles"), entry.line));
    }
    keys.sort_by_key(|(_, line)| *line);
    let mut words: Vec<&'static str> = events.iter().map(Event::word).collect();
    words.sort_unstable();
    words.dedup();
    let rules = tools(&node);
    let servers = node.get("mcp-servers").map_or(&[][..], |entry| entry.node.entries()).iter();
    let servers: Vec<&Entry> = servers.filter(|entry| entry.node.is_map()).collect();
    let nodes: Vec<&Node> = servers.iter().map(|entry| &entry.node).collect();
    let every = rules.iter().any(|rule| rule.text.starts_with("bash(") && rule.is_blanket());
    let tools = sorted(rules.into_iter().map(|rule| rule.text).collect());
    let agent = WorkflowAgent {
        product: "gh-aw",
        job: String::from("agent"),
        line: on.line,
        lines: 0..0,
        triggers: words,
        audience: audience(&|_| true),
        armed_audience: audience(&Event::arms_strangers),
        // Where the source has no block, the compiler writes one.
        token_grant: block.and(token.grant),
        token_writes: token.writes,
        untrusted_checkout: Truth::No,
        // The compiler adds the key of the engine and its own tokens.
        secrets: None,
        approval_mode: Fact::Known(if every { ApprovalMode::Bypass } else { ApprovalMode::Partial }),
        approval_defaulted: tools.is_empty(),
        // What it writes goes through another job, which keeps to the outputs that the source declares, unless every command
        // may take its own token.
        external_effect: Truth::from(every).and(token.writes),
        tools,
        sandboxed: Fact::Known(!off),
        privileged: Fact::Unknown,
        pinned: Fact::Absent,
        approval_keys: keys,
        credentials: Vec::new(),
        servers: servers.iter().map(|entry| server(entry, fingerprinter)).collect(),
        borrowed: Vec::new(),
    };
    let mut slots = Slots::new(fingerprinter).without(&nodes);
    for entry in node.entries() {
        slots.walk(&entry.key, entry.line, &entry.node, &entry.key);
    }
    let name = node.get("name").and_then(|entry| entry.node.text()).map(crate::secret::redact);
    Ok(Some(Workflow { name, agents: vec![agent], found: slots.found, beside: Vec::new() }))
}

/// A tool server of a source.
fn server(entry: &Entry, fingerprinter: &Fingerprinter) -> Server {
    Server::read(&entry.key, None, entry.line, &entry.node, fingerprinter)
}

/// The tools that a source allows; a shell with its commands.
fn tools(node: &Node) -> Vec<Rule> {
    let mut tools = Vec::new();
    for entry in node.get("tools").map_or(&[][..], |entry| entry.node.entries()) {
        match (&entry.node.value, entry.key.as_str()) {
            (Value::List(_), "bash") => {
                tools.extend(texts(&entry.node).into_iter().map(|command| format!("bash({command})")));
            }
            (Value::Bool(false), _) => {}
            _ => tools.push(entry.key.clone()),
        }
    }
    tools.iter().map(|tool| Rule::parse(tool, Grammar::Call)).collect()
}
