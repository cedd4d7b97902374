//! What a document looks like that lies where no client looks for it: a hint for people, and never evidence.

use evenhand_model::document::{Document, Format};

use crate::clients::{CLIENTS, Client, Effect, File, Key};
use crate::locate;
use crate::tree::{self, Node, Syntax};

/// The largest document that is parsed for a hint.
const SMALL: usize = 1 << 20;

/// Keys of which agents have one beside a name and a description; skills and commands have not.
const OF_AGENTS: [&str; 5] = ["color", "disallowedTools", "model", "permissionMode", "tools"];

/// What it looks like, and where it would be known as that.
pub(crate) fn likeness(document: &Document) -> Option<String> {
    if document.text.len() > SMALL {
        return None;
    }
    if document.format == Format::Text {
        return text(&tree::parse(&document.text, Syntax::Frontmatter).ok()?);
    }
    let is_workflow = document.format == Format::Yaml && document.head.has("on") && document.head.has("jobs");
    if is_workflow {
        let said = "a workflow of GitHub, which is known by its place; put it into `.github/workflows`";
        return Some(said.to_owned());
    }
    let syntax = locate::syntax(document).filter(|_| is_worth_reading(document))?;
    let node = tree::parse(&document.text, syntax).ok()?;
    if let Some((client, file)) = settings(&node, syntax) {
        return Some(format!(
            "settings of {}, which are known by their place; put it at such a path as `{}`",
            client.name, file.suffix
        ));
    }
    let is_servers = syntax == Syntax::Json
        && !node.entries().is_empty()
        && node.entries().iter().all(|entry| locate::is_server(&entry.node));
    is_servers.then(|| "tool servers, which are known by the name of their file; call it `.mcp.json`".to_owned())
}

/// Whether the keys at the top, which are known without reading it again, may be those of settings or of tool servers.
fn is_worth_reading(document: &Document) -> bool {
    let head = &document.head;
    // What tool servers are called tells nothing, but each of them is a map.
    let may_be_servers = document.format == Format::Json
        && head.values.is_empty()
        && head.elements.is_empty()
        && head.empty_lists.is_empty();
    let begins =
        |path: &str, key: &str| path.strip_prefix(key).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
    let mut paths = CLIENTS.iter().flat_map(|client| client.files).flat_map(|file| file.keys).map(|key| key.path);
    may_be_servers || paths.any(|path| head.keys.iter().any(|key| begins(path, key)))
}

/// A text for people with settings before it.
fn text(head: &Node) -> Option<String> {
    let has = |key: &str| head.get(key).is_some();
    if has("name") && has("description") && OF_AGENTS.iter().any(|key| has(key)) {
        let said =
            "the definition of an agent, which is known by its place; put it into such a folder as `.claude/agents`";
        return Some(said.to_owned());
    }
    let is_workflow = has("on") && (has("engine") || has("safe-outputs"));
    is_workflow.then(|| "an agentic workflow, which is known by its place; put it into `.github/workflows`".to_owned())
}

/// The file of which most keys are there, if one of these says by itself that it is some client's.
fn settings(node: &Node, syntax: Syntax) -> Option<(&'static Client, &'static File)> {
    let mut best: Option<(usize, &'static Client, &'static File)> = None;
    for client in CLIENTS {
        for file in client.files.iter().filter(|file| file.syntax == syntax) {
            let held = file.keys.iter().filter(|key| !node.find(key.path).is_empty());
            let count = held.clone().count();
            if held.clone().any(|key| tells(key, node)) && best.is_none_or(|(most, ..)| count > most) {
                best = Some((count, client, file));
            }
        }
    }
    best.map(|(_, client, file)| (client, file))
}

/// Whether a key says that a file is a client's: it decides what runs unasked, and is no single plain word.
fn tells(key: &Key, node: &Node) -> bool {
    let is_plain = key.path.chars().all(|mark| mark.is_ascii_lowercase());
    match key.effect {
        Effect::Mode(_)
        | Effect::Widen(_)
        | Effect::WidenIfSelected(..)
        | Effect::Allow(_)
        | Effect::AllowInProject(_)
        | Effect::Ask(_)
        | Effect::Deny(_) => !is_plain,
        Effect::Hooks => ["hooks.PreToolUse", "hooks.PostToolUse"].iter().any(|event| !node.find(event).is_empty()),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use evenhand_model::document::{FileFacts, Head};

    use super::*;

    fn document(path: &str, text: &str) -> Document {
        let format = match path.rsplit('.').next() {
            Some("json") => Format::Json,
            Some("toml") => Format::Toml,
            _ => Format::Text,
        };
        Document {
            path: path.into(),
            relative: path.into(),
            source_name: "lab".into(),
            format,
            text: text.to_owned(),
            head: Head { keys: text.split(' ').map(str::to_owned).collect(), ..Head::default() },
            file: FileFacts::default(),
        }
    }

    #[test]
    fn a_workflow_that_lies_elsewhere_is_told_by_its_keys() {
        let of = |keys: &[&str]| {
            let keys = keys.iter().map(|key| (*key).to_owned()).collect();
            let head = Head { keys, ..Head::default() };
            likeness(&Document { format: Format::Yaml, head, ..document("ci.yml", "on: push\njobs: {}\n") })
        };
        let said = of(&["name", "on", "jobs"]).unwrap();
        assert!(said.starts_with("a workflow of GitHub,") && said.contains("`.github/workflows`"), "{said}");
        assert_eq!(of(&["version", "jobs"]), None);
    }

    #[test]
    fn what_has_no_key_of_any_client_is_not_read_again() {
        let like = |key: &str| {
            let mut document = document("a.json", r#"{"permissions":{"allow":["Bash(ls:*)"]},"name":"x"}"#);
            document.head.keys = vec![key.to_owned()];
            document.head.values = vec![("name".to_owned(), "x".to_owned())];
            likeness(&document).is_some()
        };
        assert_eq!((like("permissions"), like("permit"), like("scripts")), (true, false, false));
    }

    #[test]
    fn what_lies_in_another_place_is_told_by_what_it_looks_like() {
        for (path, text, said) in [
            ("a.json", r#"{"permissions":{"allow":["Bash(ls:*)"],"deny":[]},"env":{}}"#, "settings of Claude Code,"),
            ("a.json", r#"{"hooks":{"PostToolUse":[]}}"#, "settings of Claude Code,"),
            ("a.toml", "approval_policy = \"never\"\n", "settings of Codex,"),
            ("a.json", r#"{"files":{"url":"https://files.example.test"}}"#, "tool servers,"),
            ("a.md", "---\nname: a\ndescription: b\ntools: Read\n---\ntext\n", "the definition of an agent,"),
            ("a.md", "---\non: push\nsafe-outputs: {}\n---\ntext\n", "an agentic workflow,"),
            ("a.md", "---\nname: a\ndescription: b\n---\na skill\n", ""),
            ("a.md", "# Title\n", ""),
            ("a.json", r#"{"telemetry":{"enabled":true},"hooks":{},"sandbox":true}"#, ""),
            ("a.json", "{}", ""),
        ] {
            let likeness = likeness(&document(path, text)).unwrap_or_default();
            assert!(likeness.starts_with(said) && likeness.is_empty() == said.is_empty(), "{text}: {likeness}");
        }
    }
}
