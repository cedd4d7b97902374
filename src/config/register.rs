//! A register kept outside the configuration: what an inventory of agents exports as CSV or JSON.

use std::path::Path;

use evenhand_model::evidence::Evidence;
use evenhand_rules::jobs::{RegisterEntry, Selector};

/// Columns and members that name an agent, the one that tells most first.
const NAMES: [&str; 5] = ["selector", "id", "identity", "agent", "name"];

/// Reads the entries of a register. What is named must be there; other columns and members are not looked at.
///
/// In CSV the first row names the columns. JSON is a list of texts or of objects, or an object with such lists in it.
///
/// # Errors
/// A message with a remedy.
pub(super) fn read(path: &Path) -> Result<Vec<RegisterEntry>, (String, String)> {
    let shown = path.to_string_lossy();
    let text = std::fs::read_to_string(path)
        .map_err(|error| (format!("`{shown}` cannot be read: {error}"), "check the path of the register".to_owned()))?;
    let named = match path.extension().and_then(std::ffi::OsStr::to_str) {
        Some("csv") => of_csv(&text),
        Some("json") => of_json(&text),
        _ => Err("the register is neither CSV nor JSON by its name".to_owned()),
    };
    let named = named.map_err(|reason| {
        let remedy = format!(
            "name the agents in a column or member called {}",
            NAMES.map(|name| format!("`{name}`")).join(", ")
        );
        (format!("`{shown}`: {reason}"), remedy)
    })?;
    named
        .into_iter()
        .map(|(name, line)| {
            let selector = Selector::parse(&name).map_err(|error| {
                (format!("`{shown}`:{line}: {error}"), "fill the cell or leave the row out".to_owned())
            })?;
            Ok(RegisterEntry { selector, evidence: Evidence::line(shown.as_ref(), line) })
        })
        .collect()
}

/// Names with their lines.
type Named = Vec<(String, u32)>;

fn of_csv(text: &str) -> Result<Named, String> {
    let mut reader = csv::ReaderBuilder::new().flexible(true).trim(csv::Trim::All).from_reader(text.as_bytes());
    let header = reader.headers().map_err(|error| error.to_string())?.clone();
    let at = |name: &str| header.iter().position(|held| held.eq_ignore_ascii_case(name));
    let column = NAMES.iter().find_map(|name| at(name)).ok_or("no column of it names the agents")?;
    let mut named = Named::new();
    for record in reader.records() {
        let record = record.map_err(|error| error.to_string())?;
        let line = record.position().map_or(1, csv::Position::line);
        if let Some(name) = record.get(column) {
            named.push((name.to_owned(), u32::try_from(line).unwrap_or(u32::MAX)));
        }
    }
    Ok(named)
}

fn of_json(text: &str) -> Result<Named, String> {
    let value: serde_json::Value = serde_json::from_str(text).map_err(|error| format!("it is no JSON: {error}"))?;
    let mut names = Vec::new();
    collect(&value, &mut names);
    if names.is_empty() {
        return Err("no list in it names agents".to_owned());
    }
    // The parser keeps no lines; a name stands where its text does.
    Ok(names
        .into_iter()
        .map(|name| {
            let quoted = serde_json::Value::String(name.clone()).to_string();
            let before = text.find(&quoted).and_then(|at| text.get(..at)).unwrap_or("");
            let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
            (name, u32::try_from(line).unwrap_or(u32::MAX))
        })
        .collect())
}

fn collect(value: &serde_json::Value, names: &mut Vec<String>) {
    match value {
        serde_json::Value::Array(elements) => {
            for element in elements {
                let named = NAMES.iter().find_map(|name| element.get(name)?.as_str());
                names.extend(element.as_str().or(named).map(str::to_owned));
            }
        }
        serde_json::Value::Object(members) => members.values().for_each(|member| collect(member, names)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(name: &str, content: &str) -> Result<Vec<(String, u32)>, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        let read = read(&path).map_err(|(message, remedy)| format!("{message}; {remedy}"))?;
        Ok(read
            .iter()
            .map(|entry| (entry.selector.to_string(), entry.evidence.line_number().unwrap_or_default()))
            .collect())
    }

    #[test]
    fn a_register_is_read_from_what_others_export() {
        let cases = [
            ("r.csv", "owner,Id\nana,agent-1\nben,agent-2\n", vec![("agent-1", 2), ("agent-2", 3)]),
            ("r.csv", "name,selector\nx,aws:role/x\n", vec![("aws:role/x", 2)]),
            ("r.json", "[\"a\",\n\"b\"]", vec![("a", 1), ("b", 2)]),
            (
                "r.json",
                "{\"agents\": [{\"id\": \"a\"}],\n\"tool_servers\": [{\"name\": \"b\"}]}",
                vec![("a", 1), ("b", 2)],
            ),
        ];
        for (name, content, expected) in cases {
            let expected: Vec<(String, u32)> =
                expected.into_iter().map(|(name, line)| (name.to_owned(), line)).collect();
            assert_eq!(entries(name, content), Ok(expected), "{content}");
        }
    }

    #[test]
    fn what_is_no_register_is_told() {
        for (name, content, said) in [
            ("r.csv", "owner\nana\n", "no column of it names the agents"),
            ("r.csv", "id\n\"\"\n", "an empty selector"),
            ("r.json", "{", "it is no JSON"),
            ("r.json", "{\"agents\": []}", "no list in it names agents"),
            ("r.xlsx", "", "neither CSV nor JSON"),
        ] {
            let error = entries(name, content).unwrap_err();
            assert!(error.contains(said), "{content}: {error}");
        }
    }
}
