//! The heads of documents that are not JSON: YAML by its lines, TOML by its lines, CSV by its header.

use evenhand_model::document::Head;
use serde_json::{Map, Value};

use super::format::LOOK;

const SHORT: usize = 128;

/// The top keys of the first document of a YAML text.
pub(super) fn yaml(prefix: &str) -> Head {
    let mut head = Head::default();
    let mut list: Option<String> = None;
    if let Some(text) = flow(prefix) {
        let read = |text: &str| serde_saphyr::from_str(text).ok().map(|value: Value| of_value(&value));
        let is_cut = prefix.len() + char::MAX_LEN_UTF8 > LOOK;
        return read(text).or_else(|| read(&closed(text).filter(|_| is_cut)?)).unwrap_or_default();
    }
    for line in prefix.lines() {
        let content = line.trim_end();
        if content.starts_with("---") || content.starts_with("...") {
            if head.keys.is_empty() && head.elements.is_empty() {
                continue;
            }
            break;
        }
        if content.is_empty() || content.trim_start().starts_with(['#', '%']) {
            continue;
        }
        if let Some(element) = content.strip_prefix("- ").or_else(|| content.strip_prefix("  - ")) {
            let named =
                if content.starts_with('-') && head.keys.is_empty() { Some(String::new()) } else { list.take() };
            if let (Some(list), Some((key, _))) = (named, pair(element))
                && !head.elements.iter().any(|(held, _)| *held == list)
            {
                head.elements.push((list, vec![key]));
            }
            continue;
        }
        if content.starts_with([' ', '\t']) {
            // Further keys of the first element of a list stand under its first key.
            if let (Some((_, keys)), Some((key, _))) = (head.elements.last_mut(), pair(content.trim_start()))
                && list.is_none()
                && matches!(content.len() - content.trim_start().len(), 2 | 4)
                && !keys.contains(&key)
            {
                keys.push(key);
            }
            continue;
        }
        let Some((key, value)) = pair(content) else { continue };
        list = value.is_empty().then(|| key.clone());
        if !value.is_empty() && value.len() <= SHORT {
            head.values.push((key.clone(), value.to_owned()));
        }
        head.keys.push(key);
    }
    head
}

/// The first document of a YAML text, where it is in flow style: `{apiVersion: v1, kind: Pod}`.
fn flow(prefix: &str) -> Option<&str> {
    let is_mark = |line: &str, mark: &str| {
        line.strip_prefix(mark).is_some_and(|rest| rest.is_empty() || rest.starts_with(char::is_whitespace))
    };
    let mut at = 0;
    for line in prefix.split_inclusive('\n') {
        let content = line.strip_prefix("---").filter(|_| is_mark(line, "---")).unwrap_or(line).trim();
        if content.starts_with(['{', '[']) && !content.starts_with("{{") {
            let start = at + line.find(['{', '['])?;
            let document = prefix.get(start..)?;
            let mut end = 0;
            let lines =
                document.split_inclusive('\n').take_while(|line| !is_mark(line, "---") && !is_mark(line, "..."));
            lines.for_each(|line| end += line.len());
            return document.get(..end);
        }
        if !content.is_empty() && !content.starts_with(['#', '%']) && !is_mark(line, "...") {
            return None;
        }
        at += line.len();
    }
    None
}

/// The beginning of a document in flow style that is cut off, up to its last whole member, with what is open there closed.
fn closed(text: &str) -> Option<String> {
    let whole = text.get(..last_comma(text).0?)?;
    let (_, open) = last_comma(whole);
    Some(whole.chars().chain(open.into_iter().rev()).collect())
}

/// Where the last comma of a text in flow style stands that is no part of a quoted text or a comment, and the marks that
/// close what is open at the end of the text.
fn last_comma(text: &str) -> (Option<usize>, Vec<char>) {
    let (mut comma, mut open) = (None, Vec::new());
    // The mark that ends a quoted text or a comment.
    let mut until = None;
    let (mut before, mut token) = (' ', ',');
    for (at, mark) in text.char_indices() {
        if let Some(end) = until {
            if end == '"' && before == '\\' {
                // It is the backslash's, and takes no other one's meaning away.
                before = ' ';
                continue;
            }
            until = until.filter(|_| mark != end);
        } else {
            match mark {
                // A quote inside a word is a mark like any other.
                '"' | '\'' if matches!(token, '{' | '[' | ',' | ':') => until = Some(mark),
                '#' if before.is_whitespace() => until = Some('\n'),
                '{' => open.push('}'),
                '[' => open.push(']'),
                '}' | ']' => {
                    open.pop();
                }
                ',' => comma = Some(at),
                _ => {}
            }
            // What follows a quoted text at once, as the second of two quotes does, goes on with it.
            if until.is_none() && !mark.is_whitespace() {
                token = mark;
            }
        }
        before = mark;
    }
    (comma, open)
}

/// The head of a document that was read whole.
fn of_value(value: &Value) -> Head {
    let keys = |members: &Map<String, Value>| members.keys().cloned().collect::<Vec<String>>();
    let mut head = Head::default();
    match value {
        Value::Array(elements) => {
            head.elements.extend(elements.first().and_then(Value::as_object).map(|first| (String::new(), keys(first))));
        }
        Value::Object(members) => {
            head.keys = keys(members);
            for (key, value) in members {
                match value {
                    Value::String(text) if text.len() <= SHORT => head.values.push((key.clone(), text.clone())),
                    Value::Array(elements) if elements.is_empty() => head.empty_lists.push(key.clone()),
                    Value::Array(elements) => {
                        let first = elements.first().and_then(Value::as_object);
                        head.elements.extend(first.map(|first| (key.clone(), keys(first))));
                    }
                    _ => {}
                }
            }
        }
        _ => {}
    }
    head
}

/// Whether a text that begins like JSON is YAML in flow style: its keys stand without quotes, or a mark of YAML ends its
/// first document.
pub(super) fn is_flow_yaml(prefix: &str) -> bool {
    let begins =
        prefix.trim_start().strip_prefix(['{', '[']).map(|rest| rest.trim_start_matches(['{', '[']).trim_start());
    let is_plain =
        begins.is_some_and(|rest| rest.starts_with(|first: char| first.is_ascii_alphabetic())) && prefix.contains(": ");
    let is_marked = prefix.lines().skip(1).any(|line| line.trim_end() == "---");
    let tells = || {
        let head = yaml(prefix);
        !head.keys.is_empty() || !head.elements.is_empty()
    };
    (is_plain || is_marked) && tells()
}

/// A line's key and plain value.
fn pair(line: &str) -> Option<(String, &str)> {
    let (key, value) = line.split_once(':')?;
    let ends = value.is_empty() || value.starts_with([' ', '\t']);
    let key = key.trim().trim_matches(['"', '\'']);
    let plain =
        !key.is_empty() && key.len() <= SHORT && !key.contains(['{', '}', '[', ']', '#', '&', '*', '!', '|', '>']);
    let value = value.split(" #").next().unwrap_or_default().trim().trim_matches(['"', '\'']);
    (ends && plain).then(|| (key.to_owned(), value))
}

/// Whether a text looks like YAML: its first line of content is a key, a list of keys, or a document's start.
pub(super) fn looks_like_yaml(prefix: &str) -> bool {
    let first = prefix.lines().find(|line| !line.trim().is_empty() && !line.trim_start().starts_with('#'));
    first.is_some_and(|line| {
        let line = line.trim_end();
        line == "---"
            || line.starts_with("%YAML")
            || line.starts_with("--- ")
            || pair(line.strip_prefix("- ").unwrap_or(line)).is_some_and(|(key, _)| !key.contains(' '))
    })
}

/// The top keys of a TOML text: keys before the first table, and the first parts of the tables' names.
pub(super) fn toml(prefix: &str) -> Head {
    let mut head = Head::default();
    let mut top = true;
    for line in prefix.lines().map(str::trim) {
        let (name, value) = if let Some(table) = line.strip_prefix('[') {
            top = false;
            (table.trim_start_matches('[').split(['.', ']']).next().unwrap_or_default(), "")
        } else if let (true, Some((key, value))) = (top && !line.starts_with('#'), line.split_once('=')) {
            (key.split('.').next().unwrap_or_default(), value.trim())
        } else {
            continue;
        };
        let name = name.trim().trim_matches(['"', '\'']).to_owned();
        if let Some(text) = value.strip_prefix('"').and_then(|rest| rest.split('"').next())
            && text.len() <= SHORT
        {
            head.values.push((name.clone(), text.to_owned()));
        }
        if !name.is_empty() && !head.keys.contains(&name) {
            head.keys.push(name);
        }
    }
    head
}

/// The columns of a CSV text, if its first line is a header of plain names.
pub(super) fn csv_columns(prefix: &str) -> Option<Vec<String>> {
    let mut lines = prefix.lines();
    let header = lines.next()?.trim_end();
    let mut columns: Vec<String> = header.split(',').map(|cell| cell.trim().trim_matches('"').to_owned()).collect();
    // A header that is cut behind a comma names no column there.
    if lines.next().is_none() {
        columns.pop_if(|name| name.is_empty());
    }
    let plain = |name: &String| {
        !name.is_empty() && name.len() <= SHORT && name.chars().all(|c| c.is_alphanumeric() || "_-. ()/".contains(c))
    };
    (columns.len() >= 2 && columns.iter().all(plain)).then_some(columns)
}

/// Whether a text without a telling name is CSV: a header of plain names, and a second line of as many cells.
pub(super) fn looks_like_csv(prefix: &str) -> bool {
    let Some(columns) = csv_columns(prefix) else { return false };
    columns.len() >= 3
        && columns.iter().all(|name| !name.contains(' '))
        && prefix.lines().nth(1).is_none_or(|line| line.split(',').count() >= columns.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_top_keys_of_the_first_yaml_document_are_seen() {
        let head = yaml(
            "# c\n---\napiVersion: v1\nkind: \"List\" # x\nitems:\n- apiVersion: v1\n  kind: Pod\n---\nother: 1\n",
        );
        assert_eq!(head.keys, ["apiVersion", "kind", "items"]);
        assert_eq!(head.value("kind"), Some("List"));
        assert_eq!(head.element("items").unwrap(), ["apiVersion", "kind"]);
        assert_eq!(yaml("- name: a\n  x: 1\n").element("").unwrap(), ["name", "x"]);
    }

    #[test]
    fn the_top_keys_of_a_document_in_flow_style_are_seen() {
        for text in [
            "---\n{apiVersion: v1, kind: Pod, metadata: {name: a}}\n---\nother: 1\n",
            "--- {apiVersion: v1, kind: Pod, metadata: {name: a}}\n...\n",
            "# c\n\n{\n  apiVersion: v1, # c\n  \"kind\": 'Pod',\n  metadata: {name: a}\n}\n",
        ] {
            let head = yaml(text);
            assert_eq!(head.keys, ["apiVersion", "kind", "metadata"], "{text}");
            assert_eq!((head.value("apiVersion"), head.value("kind")), (Some("v1"), Some("Pod")), "{text}");
        }
        let list = yaml("--- {kind: List, items: [{apiVersion: v1, kind: Pod}], none: []}");
        assert_eq!(list.element("items").unwrap(), ["apiVersion", "kind"]);
        assert!(list.is_empty_list("none"));
        assert_eq!(yaml("[{name: a}, {b: c}]").element("").unwrap(), ["name"]);
        for (text, keys) in [("{{ if .Values.x }}\na: b\n", &["a"][..]), ("---\n{a: [\n", &[]), ("{a b c\n", &[])] {
            let head = yaml(text);
            assert_eq!(head.keys, keys, "{text}");
            assert_eq!(head.value("a"), keys.first().map(|_| "b"), "{text}");
        }
    }

    #[test]
    fn a_document_that_is_cut_off_is_closed_after_its_last_whole_member() {
        for (text, whole) in [
            ("{a: b, c: [{d: e, f: \"g, h", Some("{a: b, c: [{d: e}]}")),
            ("[{a: 'it''s, {', b: don't}, {c", Some("[{a: 'it''s, {', b: don't}]")),
            ("{a: \"\\\\\", b: \"\\\", [\", c: d", Some("{a: \"\\\\\", b: \"\\\", [\"}")),
            ("{a: b, # c, d\n  e: f", Some("{a: b}")),
            ("{a: [", None),
            ("{a b c", None),
        ] {
            assert_eq!(closed(text).as_deref(), whole, "{text}");
        }
    }

    #[test]
    fn text_is_not_taken_for_yaml() {
        for text in ["# Title\n\nSome words: and more\n", "hello\n", "", "see http://x\n"] {
            assert!(!looks_like_yaml(text), "{text:?}");
        }
        assert!(looks_like_yaml("apiVersion: v1\n") && looks_like_yaml("---\n"));
    }

    #[test]
    fn toml_tables_are_keys() {
        let head = toml("model = \"m\"\n[mcp_servers.a]\ncommand = \"x\"\n[[rule]]\n[\"mcp_servers\".b]\n");
        assert_eq!(head.keys, ["model", "mcp_servers", "rule"]);
        assert_eq!(head.value("model"), Some("m"));
    }

    #[test]
    fn a_header_makes_csv() {
        assert!(looks_like_csv("user,arn,user_creation_time\na,b,c\n"));
        assert_eq!(csv_columns("user,arn,").unwrap(), ["user", "arn"], "cut behind a comma");
        assert_eq!(csv_columns("user,arn,\na,b,c\n"), None);
        assert!(!looks_like_csv("Dear all, this is, a letter\nx\n"));
    }
}
