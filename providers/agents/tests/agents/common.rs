//! Documents in memory and readings of them.

use evenhand_agents::Agents;
use evenhand_model::agent::{Agent, AgentKind};
use evenhand_model::document::{Document, FileFacts, Format, Head, ReadError};
use evenhand_model::inventory::Inventory;
use evenhand_model::provider::{Provider, ReadOptions, Reading};
use evenhand_model::secret::Fingerprinter;

/// A document at a path below the source `lab`, with a head as the pipeline makes it for plain JSON.
pub(crate) fn document(path: &str, text: &str) -> Document {
    let format = match path.rsplit('.').next() {
        Some("json" | "jsonc") => Format::Json,
        Some("toml") => Format::Toml,
        Some("yaml" | "yml") => Format::Yaml,
        _ if text.trim_start().starts_with('{') => Format::Json,
        _ => Format::Text,
    };
    Document {
        path: format!("lab/{path}").into(),
        relative: path.into(),
        source_name: "lab".into(),
        format,
        text: text.to_owned(),
        head: Head { keys: keys(text, format), ..Head::default() },
        file: FileFacts::default(),
    }
}

fn keys(text: &str, format: Format) -> Vec<String> {
    match format {
        Format::Json => top_keys(text),
        Format::Yaml => text
            .lines()
            .filter(|line| !line.starts_with([' ', '#', '-']))
            .filter_map(|line| Some(line.split_once(':')?.0.to_owned()))
            .collect(),
        _ => Vec::new(),
    }
}

fn top_keys(text: &str) -> Vec<String> {
    // Good enough for fixtures without braces in texts: quoted words before a colon at depth one.
    let mut keys = Vec::new();
    let (mut depth, mut word, mut quoted) = (0, String::new(), false);
    for character in text.chars() {
        match character {
            '"' if quoted => quoted = false,
            '"' => {
                quoted = true;
                word.clear();
            }
            _ if quoted => word.push(character),
            '{' | '[' => depth += 1,
            '}' | ']' => depth -= 1,
            ':' if depth == 1 => keys.push(word.clone()),
            _ => {}
        }
    }
    keys
}

/// Reads documents; errors of all of them together.
pub(crate) fn read(documents: Vec<Document>) -> (Reading, Vec<ReadError>) {
    let options = ReadOptions {
        now: "2026-11-23T00:00:00Z".parse().unwrap(),
        fingerprinter: Fingerprinter::keyed("test"),
        settings: Default::default(),
    };
    let mut reader = Agents.reader(options);
    let mut errors = Vec::new();
    for document in documents {
        assert!(Agents.recognise(&document).is_some(), "{} is not recognised", document.path);
        if let Err(found) = reader.read(document) {
            errors.extend(found);
        }
    }
    (reader.finish(), errors)
}

/// Reads files that must be free of errors.
pub(crate) fn inventory(files: &[(&str, &str)]) -> Inventory {
    let (reading, errors) = read(files.iter().map(|(path, text)| document(path, text)).collect());
    assert!(errors.is_empty(), "{errors:?}");
    reading.inventory
}

/// The row of a client.
pub(crate) fn client<'i>(inventory: &'i Inventory, id: &str) -> &'i Agent {
    let mut rows = inventory.agents.iter().filter(|agent| agent.kind == AgentKind::Agent && &*agent.client == id);
    let row = rows.next().unwrap_or_else(|| panic!("no row of {id}"));
    assert!(rows.next().is_none(), "several rows of {id}");
    row
}

/// The row of a tool server.
pub(crate) fn server<'i>(inventory: &'i Inventory, name: &str) -> &'i Agent {
    let mut rows = inventory.agents.iter().filter(|agent| agent.kind == AgentKind::ToolServer && &*agent.name == name);
    let row = rows.next().unwrap_or_else(|| panic!("no server {name}"));
    assert!(rows.next().is_none(), "several servers {name}");
    row
}
