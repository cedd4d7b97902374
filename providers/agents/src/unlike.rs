//! Values of another type than a client gives them. What they configure is not known: their places are told, and nothing
//! is concluded from them.

use crate::clients::{Effect, File, Servers, Words};
use crate::permissions::Grammar;
use crate::secret;
use crate::tree::{Entry, Node, Value};

/// A value of another type.
#[derive(PartialEq, Eq, Debug)]
pub(crate) struct Unlike {
    /// The key whose value it is or stands in, free of secrets.
    pub(crate) key: String,
    pub(crate) line: u32,
    is: &'static str,
    wanted: &'static str,
}

impl Unlike {
    pub(crate) fn of(key: &str, node: &Node, wanted: &'static str) -> Self {
        Self { key: secret::redact(key), line: node.line, is: node.what(), wanted }
    }

    /// What is wrong, as a sentence about the key.
    pub(crate) fn reason(&self) -> String {
        format!("`{}` is or holds {}, where {} belongs", self.key, self.is, self.wanted)
    }
}

/// The values of another type among the keys of a client's file, and in place of the maps above them.
pub(crate) fn in_settings(node: &Node, file: &File) -> Vec<Unlike> {
    let mut found: Vec<Unlike> = Vec::new();
    for key in file.keys {
        for entry in node.find(key.path) {
            found.extend(misfit(key.effect, &entry.node).map(|(node, wanted)| Unlike::of(key.path, node, wanted)));
        }
    }
    let servers = file.servers.iter().filter_map(|root| match root {
        Servers::Map(path) | Servers::List(path) | Servers::Named(path) => Some(*path),
        Servers::Top => None,
    });
    let paths: Vec<&str> = file.keys.iter().map(|key| key.path).chain(servers).collect();
    let mut blocking: Vec<&Entry> = Vec::new();
    for path in &paths {
        blocks(node, path, &mut blocking);
    }
    // A key may have a value of its own and, in another form, be the map above others.
    let own: Vec<&Entry> = paths.iter().flat_map(|path| node.find(path)).collect();
    blocking.retain(|entry| !own.iter().any(|held| std::ptr::eq(*held, *entry)));
    found.extend(blocking.iter().map(|entry| Unlike::of(&entry.key, &entry.node, "a map")));
    found
}

/// The members on the way to a path that are no maps, so that nothing can stand below them.
fn blocks<'n>(node: &'n Node, path: &str, found: &mut Vec<&'n Entry>) {
    for entry in node.entries() {
        let rest = match path.strip_prefix("*.") {
            Some(rest) => Some(rest),
            None => path.strip_prefix(entry.key.as_str()).and_then(|rest| rest.strip_prefix('.')),
        };
        let Some(rest) = rest else { continue };
        match &entry.node.value {
            Value::Map(_) => blocks(&entry.node, rest, found),
            Value::Null => {}
            _ if found.iter().any(|held| std::ptr::eq(*held, entry)) => {}
            _ => found.push(entry),
        }
    }
}

fn is_switch(node: &Node) -> bool {
    node.flag().is_some() || matches!(node.value, Value::Null)
}

fn is_word(node: &Node) -> bool {
    node.scalar().is_some() || matches!(node.value, Value::Null)
}

/// The first element that is no text; the node itself where it is no list.
fn no_texts(node: &Node) -> Option<(&Node, &'static str)> {
    match &node.value {
        Value::Null => None,
        Value::List(elements) => elements.iter().find(|element| element.text().is_none()).map(|node| (node, "text")),
        _ => Some((node, "a list")),
    }
}

/// The part of a key's value that has another type than its effect can have, with what belongs there.
fn misfit(effect: Effect, node: &Node) -> Option<(&Node, &'static str)> {
    let unless = |fits: bool, wanted: &'static str| (!fits).then_some((node, wanted));
    match effect {
        // Some clients take a map for finer modes, of which nothing is known.
        Effect::Mode(_) => unless(is_word(node) || node.is_map(), "a word"),
        Effect::Widen(words) | Effect::WidenIfSelected(_, words) => word(words, node),
        Effect::Sandbox(words)
        | Effect::SandboxApproves(words)
        | Effect::Telemetry(words)
        | Effect::ProjectServers(words)
        | Effect::Forbids(words) => word(words, node),
        Effect::Allow(grammar) | Effect::AllowInProject(grammar) | Effect::Ask(grammar) | Effect::Deny(grammar) => {
            rules(grammar, node)
        }
        Effect::AllowTool(_, words) => match &node.value {
            Value::Map(entries) => entries
                .iter()
                .find(|entry| !is_switch(&entry.node) && !entry.node.is_map())
                .map(|entry| (&entry.node, "true or false")),
            _ => word(words, node),
        },
        Effect::Escape(words) => match &node.value {
            Value::List(_) => no_texts(node),
            _ => word(words, node),
        },
        Effect::SandboxOneOf(_) | Effect::NamedProjectServers | Effect::ForbidsUnless(_) | Effect::Folders => {
            no_texts(node)
        }
        Effect::Hooks => hooks(node),
        Effect::OnlyManagedHooks | Effect::OnlyManagedRules => unless(is_switch(node), "true or false"),
        Effect::Noted => None,
        Effect::PermissionMap | Effect::AgentPermissionMap => match &node.value {
            Value::Null | Value::Text(_) => None,
            Value::Map(entries) => entries.iter().find_map(|entry| match &entry.node.value {
                Value::Map(patterns) => {
                    let pattern = patterns.iter().find(|pattern| pattern.node.text().is_none());
                    pattern.map(|pattern| (&pattern.node, "a word"))
                }
                Value::Text(_) | Value::Null => None,
                _ => Some((&entry.node, "a word")),
            }),
            _ => Some((node, "a word or a map")),
        },
        Effect::ToolMap => match &node.value {
            Value::Null => None,
            Value::Map(tools) => tools.iter().find(|tool| !tool.node.is_map()).map(|tool| (&tool.node, "a map")),
            _ => Some((node, "a map")),
        },
        Effect::PolicyRules => match &node.value {
            Value::Null => None,
            Value::List(rules) => rules.iter().find(|rule| !rule.is_map()).map(|rule| (rule, "a map")),
            _ => Some((node, "a list")),
        },
    }
}

/// Whether a value may be one of some words: a switch where they are `true` and `false` alone, a map where any other value
/// means something too.
fn word<T>(words: Words<T>, node: &Node) -> Option<(&Node, &'static str)> {
    let has_others = words.iter().any(|(word, _)| *word == "*");
    let is_of_switch = words.iter().all(|(word, _)| matches!(*word, "true" | "false"));
    match &node.value {
        _ if is_of_switch => (!is_switch(node)).then_some((node, "true or false")),
        Value::Map(_) if has_others => None,
        _ => (!is_word(node)).then_some((node, "a word")),
    }
}

/// Hooks: by the event at which they run, or a list of them.
pub(crate) fn hooks(node: &Node) -> Option<(&Node, &'static str)> {
    let is_other = |node: &Node| matches!(node.value, Value::Text(_) | Value::Number(_));
    match &node.value {
        Value::Map(events) => events.iter().find(|event| is_other(&event.node)).map(|event| (&event.node, "a list")),
        _ => is_other(node).then_some((node, "a map")),
    }
}

/// Rules: a list of texts or patterns, a map to switches, or one switch.
fn rules(grammar: Grammar, node: &Node) -> Option<(&Node, &'static str)> {
    let is_text = |node: &Node, key: &str| node.get(key).is_some_and(|entry| entry.node.text().is_some());
    match &node.value {
        Value::List(elements) => {
            let other = elements.iter().find(|element| element.text().is_none() && !is_text(element, "pattern"));
            other.map(|element| (element, "text"))
        }
        Value::Map(entries) => {
            let approves = |node: &Node| node.get("approve").is_none_or(|entry| is_switch(&entry.node));
            let fits = |node: &Node| is_switch(node) || (node.is_map() && approves(node));
            let other = entries.iter().find(|entry| !fits(&entry.node));
            // Only rules for commands are documented as a map.
            other.map(|entry| match grammar {
                Grammar::Command => (&entry.node, "true or false"),
                Grammar::Call | Grammar::ServerTool | Grammar::At | Grammar::Tool => (node, "a list of rules"),
            })
        }
        Value::Number(_) | Value::Text(_) => Some((node, "a list")),
        Value::Null | Value::Bool(_) => None,
    }
}

/// The values of another type among what is read of an agent card.
pub(crate) fn in_card(node: &Node) -> Vec<Unlike> {
    let of_entry = |entry: &Entry| {
        let (fits, wanted) = match entry.key.as_str() {
            "name" | "description" | "url" => (entry.node.text().is_some(), "text"),
            "provider" | "securitySchemes" => (entry.node.is_map(), "a map"),
            "security" | "securityRequirements" | "supportedInterfaces" | "additionalInterfaces" => {
                (matches!(entry.node.value, Value::List(_)), "a list")
            }
            _ => return None,
        };
        let is_null = matches!(entry.node.value, Value::Null);
        (!fits && !is_null).then(|| Unlike::of(&entry.key, &entry.node, wanted))
    };
    node.entries().iter().filter_map(of_entry).collect()
}

/// The values of another type among what tells who an agent is that a file defines.
pub(crate) fn in_definition(node: &Node) -> Vec<Unlike> {
    let told = ["name", "description"].into_iter().filter_map(|key| node.get(key));
    let other = told.filter(|entry| entry.node.text().is_none() && !matches!(entry.node.value, Value::Null));
    other.map(|entry| Unlike::of(&entry.key, &entry.node, "text")).collect()
}

/// The values of another type in the map of a tool server.
pub(crate) fn in_server(node: &Node) -> Vec<Unlike> {
    let of_entry = |entry: &Entry| {
        let (node, wanted) = of_server(&entry.key, &entry.node)?;
        Some(Unlike::of(&entry.key, node, wanted))
    };
    node.entries().iter().filter_map(of_entry).collect()
}

/// The part of a member of a tool server that has another type than any client gives it, with what belongs there.
fn of_server<'n>(key: &str, node: &'n Node) -> Option<(&'n Node, &'static str)> {
    if matches!(node.value, Value::Null) {
        return None;
    }
    let unless = |fits: bool, wanted: &'static str| (!fits).then_some((node, wanted));
    let word_list = || match &node.value {
        Value::Text(_) => None,
        Value::List(words) => words.iter().find(|word| word.scalar().is_none()).map(|word| (word, "text")),
        _ => Some((node, "a list")),
    };
    match key {
        "url" | "httpUrl" | "serverUrl" | "uri" | "default_tools_approval_mode" | "bearer_token_env_var" => {
            unless(node.text().is_some(), "text")
        }
        "disabled" | "enabled" | "trust" | "sandboxEnabled" => unless(is_switch(node), "true or false"),
        "command" | "cmd" if node.is_map() => {
            let program = node.get("path").or_else(|| node.get("command"));
            unless(program.is_some_and(|entry| entry.node.text().is_some()), "text or a map with `path`")
        }
        "command" | "cmd" | "args" => word_list(),
        "alwaysAllow" | "autoApprove" | "always_allow" => {
            if node.flag().is_some() {
                None
            } else {
                no_texts(node)
            }
        }
        "env" | "environment" | "envs" | "headers" | "http_headers" | "env_http_headers" => match &node.value {
            Value::Map(entries) => {
                let is_list = |entry: &&Entry| matches!(entry.node.value, Value::List(_));
                entries.iter().find(is_list).map(|entry| (&entry.node, "text"))
            }
            Value::List(pairs) => pairs.iter().find(|pair| !pair.is_map()).map(|pair| (pair, "a map")),
            _ => Some((node, "a map")),
        },
        "tools" => match &node.value {
            Value::Map(tools) => tools.iter().find_map(|tool| of_tool(&tool.node)),
            Value::List(_) | Value::Text(_) => None,
            _ => Some((node, "a map or a list")),
        },
        _ => None,
    }
}

/// The part of what a server says of one tool that has another type than any client gives it: a switch, or a map of settings.
fn of_tool(tool: &Node) -> Option<(&Node, &'static str)> {
    match &tool.value {
        Value::Null | Value::Bool(_) => None,
        Value::Map(_) => {
            let mode = &tool.get("approval_mode")?.node;
            (mode.text().is_none() && !matches!(mode.value, Value::Null)).then_some((mode, "text"))
        }
        Value::Number(_) | Value::Text(_) | Value::List(_) => Some((tool, "a map")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::{self, Syntax};

    fn server(text: &str) -> Vec<(String, u32)> {
        let Ok(node) = tree::parse(text, Syntax::Json) else { panic!("{text}") };
        in_server(&node).into_iter().map(|one| (one.key, one.line)).collect()
    }

    #[test]
    fn every_form_that_some_client_documents_fits() {
        for text in [
            r#"{"command": "npx -y pkg", "args": [1, true, "x"], "env": {"A": "x", "B": 1, "C": null, "D": {"from": "x"}}}"#,
            r#"{"command": ["npx", "pkg"], "env": [{"name": "A", "value": "x"}], "alwaysAllow": true, "tools": ["*"]}"#,
            r#"{"command": {"path": "x", "args": []}, "autoApprove": ["a"], "tools": {"a": {"approval_mode": "approve"}, "b": true}}"#,
            r#"{"url": "https://x.test", "headers": {"A": "x"}, "disabled": false, "trust": "true", "args": null}"#,
        ] {
            assert!(server(text).is_empty(), "{text}");
        }
    }

    #[test]
    fn what_no_client_documents_is_told_with_its_line() {
        for (member, line) in [
            (r#""command": 7"#, 2),
            (r#""args": {"a": 1}"#, 2),
            ("\"args\": [\n[]]", 3),
            (r#""env": ["KEY=x"]"#, 2),
            (r#""env": "KEY=x""#, 2),
            (r#""headers": "Authorization: x""#, 2),
            (r#""url": ["x"]"#, 2),
            (r#""trust": 7"#, 2),
            ("\"alwaysAllow\": [\"a\",\n7]", 3),
            (r#""autoApprove": "a""#, 2),
            (r#""command": {"wrongk": "x"}"#, 2),
            ("\"tools\": {\n\"search\": \"approve\"}", 3),
            ("\"tools\": {\"search\": {\n\"approval_mode\": [\"approve\"]}}", 3),
        ] {
            let key = member.split('"').nth(1).unwrap_or_default().to_owned();
            assert_eq!(server(&format!("{{\n{member}\n}}")), [(key, line)], "{member}");
        }
    }
}
