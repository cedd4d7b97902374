//! Settings and tool servers that a step carries as texts of JSON, in the inputs of its action.

use evenhand_model::agent::ApprovalMode;
use evenhand_model::evidence::Fact;

use super::WorkflowAgent;
use super::job::{Step, Whole};
use super::script::Flags;
use crate::clients::{CLIENTS, Level};
use crate::server::Server;
use crate::settings::Settings;
use crate::tree::{self, Node, Syntax};

/// Settings of Gemini CLI that leave only the tools which they list, the second one in older versions.
const CORE_TOOLS: &[&str] = &["tools.core", "coreTools"];

/// Settings and tool servers that a step carries as a text of JSON.
pub(super) fn inline(whole: &Whole<'_>, step: &Step<'_>, agent: &mut WorkflowAgent, flags: &mut Flags) {
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
        for (path, entry) in
            CORE_TOOLS.iter().flat_map(|path| node.find(path).into_iter().map(move |entry| (path, entry)))
        {
            let core = super::texts(&entry.node);
            if step.product == "run-gemini-cli" && !core.is_empty() {
                // Of its own tools there is nothing else that could run unasked.
                flags.tools.extend(core);
                flags.mode = Some(ApprovalMode::Partial);
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
pub(super) fn in_arguments(whole: &Whole<'_>, step: &Step<'_>, words: &[String]) -> Vec<Server> {
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
