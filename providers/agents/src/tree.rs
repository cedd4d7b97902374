//! One tree for JSON with comments, TOML and YAML, in which every value knows its line.
//!
//! The rest of the crate never asks which syntax a file is written in. A tree holds secret values and lives only as long
//! as its document is read, or, of workflows that may call each other, as their reading lasts: it has no `Debug`, and the messages of [`SyntaxError`] are fixed texts that repeat nothing of
//! the input.

use std::borrow::Cow;

use jsonc_parser::ast;
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::Spanned;
use toml::de::{DeTable, DeValue};

/// A value and the line it starts on, counted from 1.
pub(crate) struct Node {
    pub(crate) line: u32,
    pub(crate) value: Value,
}

/// A value of any of the three syntaxes.
pub(crate) enum Value {
    Null,
    Bool(bool),
    Number(String),
    Text(String),
    List(Vec<Node>),
    Map(Vec<Entry>),
}

/// A member of a map; `line` is the line of its key.
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) line: u32,
    pub(crate) node: Node,
}

/// The syntax to read a document in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Syntax {
    Json,
    Toml,
    Yaml,
    /// Markdown that begins with YAML between two lines of `---`; the text below is not looked at.
    Frontmatter,
}

/// Why a document does not parse.
#[derive(PartialEq, Eq, Debug)]
pub(crate) struct SyntaxError {
    pub(crate) line: u32,
    pub(crate) column: u32,
    pub(crate) reason: String,
}

impl Node {
    /// The member with that key; in files that repeat a key the last one counts, as in every client.
    pub(crate) fn get(&self, key: &str) -> Option<&Entry> {
        self.entries().iter().rev().find(|entry| entry.key == key)
    }

    /// Moves every line down, for a document inside another one.
    pub(crate) fn move_down(&mut self, lines: u32) {
        self.line = self.line.saturating_add(lines);
        match &mut self.value {
            Value::List(elements) => elements.iter_mut().for_each(|element| element.move_down(lines)),
            Value::Map(entries) => {
                for entry in entries {
                    entry.line = entry.line.saturating_add(lines);
                    entry.node.move_down(lines);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) => {}
        }
    }

    /// Puts everything on one line, for a part that is told of at the place that calls it.
    pub(crate) fn move_to(&mut self, line: u32) {
        self.line = line;
        match &mut self.value {
            Value::List(elements) => elements.iter_mut().for_each(|element| element.move_to(line)),
            Value::Map(entries) => {
                for entry in entries {
                    entry.line = line;
                    entry.node.move_to(line);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) => {}
        }
    }

    /// A copy.
    pub(crate) fn copied(&self) -> Self {
        self.changed(&mut |_, _| None)
    }

    /// A copy with other texts: `change` is given the key that a text stands under and the text; `None` = as it is.
    pub(crate) fn changed(&self, change: &mut dyn FnMut(&str, &str) -> Option<String>) -> Self {
        self.changed_under("", change)
    }

    fn changed_under(&self, key: &str, change: &mut dyn FnMut(&str, &str) -> Option<String>) -> Self {
        let value = match &self.value {
            Value::Null => Value::Null,
            Value::Bool(flag) => Value::Bool(*flag),
            Value::Number(number) => Value::Number(number.clone()),
            Value::Text(text) => Value::Text(change(key, text).unwrap_or_else(|| text.clone())),
            Value::List(elements) => {
                Value::List(elements.iter().map(|element| element.changed_under(key, change)).collect())
            }
            Value::Map(entries) => Value::Map(
                entries
                    .iter()
                    .map(|entry| Entry {
                        key: entry.key.clone(),
                        line: entry.line,
                        node: entry.node.changed_under(&entry.key, change),
                    })
                    .collect(),
            ),
        };
        Self { line: self.line, value }
    }

    /// The members of a map; none for anything else.
    pub(crate) fn entries(&self) -> &[Entry] {
        match &self.value {
            Value::Map(entries) => entries,
            _ => &[],
        }
    }

    /// The elements of a list; none for anything else.
    pub(crate) fn elements(&self) -> &[Node] {
        match &self.value {
            Value::List(elements) => elements,
            _ => &[],
        }
    }

    pub(crate) fn is_map(&self) -> bool {
        matches!(self.value, Value::Map(_))
    }

    /// Text as written; numbers and truth values as text, because clients take `1` and `true` for `"1"` and `"true"`.
    pub(crate) fn scalar(&self) -> Option<Cow<'_, str>> {
        match &self.value {
            Value::Text(text) | Value::Number(text) => Some(Cow::Borrowed(text)),
            Value::Bool(true) => Some(Cow::Borrowed("true")),
            Value::Bool(false) => Some(Cow::Borrowed("false")),
            Value::Null | Value::List(_) | Value::Map(_) => None,
        }
    }

    pub(crate) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn flag(&self) -> Option<bool> {
        match &self.value {
            Value::Bool(flag) => Some(*flag),
            Value::Text(text) if text.eq_ignore_ascii_case("true") => Some(true),
            Value::Text(text) if text.eq_ignore_ascii_case("false") => Some(false),
            _ => None,
        }
    }

    /// What the value is, for error messages.
    pub(crate) fn what(&self) -> &'static str {
        match self.value {
            Value::Null => "null",
            Value::Bool(_) => "a truth value",
            Value::Number(_) => "a number",
            Value::Text(_) => "text",
            Value::List(_) => "a list",
            Value::Map(_) => "a map",
        }
    }

    /// All members that a dotted path leads to. Each part is a key, `*` any key; keys that contain dots themselves
    /// (`chat.tools.global.autoApprove` in editor settings) match several parts at once.
    pub(crate) fn find<'a>(&'a self, path: &str) -> Vec<&'a Entry> {
        self.find_with_key(path).into_iter().map(|(_, entry)| entry).collect()
    }

    /// As [`Node::find`], with the key that stood for the last `*` before the end of the path.
    pub(crate) fn find_with_key<'a>(&'a self, path: &str) -> Vec<(Option<&'a str>, &'a Entry)> {
        let mut found = Vec::new();
        self.collect(path, None, &mut found);
        found
    }

    fn collect<'a>(&'a self, path: &str, any: Option<&'a str>, found: &mut Vec<(Option<&'a str>, &'a Entry)>) {
        for entry in self.entries() {
            if entry.key == path || path == "*" {
                found.push((any, entry));
            } else if let Some(rest) = path.strip_prefix("*.") {
                entry.node.collect(rest, Some(&entry.key), found);
            } else if let Some(rest) = path.strip_prefix(entry.key.as_str()).and_then(|rest| rest.strip_prefix('.')) {
                entry.node.collect(rest, any, found);
            }
        }
    }
}

/// Reads a document.
///
/// # Errors
/// With the place where the document stops making sense.
pub(crate) fn parse(text: &str, syntax: Syntax) -> Result<Node, SyntaxError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    match syntax {
        Syntax::Json => json(text),
        Syntax::Toml => toml(text),
        Syntax::Yaml => yaml(text),
        Syntax::Frontmatter => {
            let Some(head) = frontmatter(text) else { return Ok(Node { line: 1, value: Value::Null }) };
            let mut node = yaml(head).map_err(|error| SyntaxError { line: error.line + 1, ..error })?;
            node.move_down(1);
            Ok(node)
        }
    }
}

/// What stands between the first two lines of `---`.
pub(crate) fn frontmatter(text: &str) -> Option<&str> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let rest = text.strip_prefix("---\n").or_else(|| text.strip_prefix("---\r\n"))?;
    let mut at = 0;
    for line in rest.split_inclusive('\n') {
        if line.trim_end() == "---" {
            return rest.get(..at);
        }
        at += line.len();
    }
    None
}

/// Whether it begins with a line of `---` that no other one closes.
pub(crate) fn has_open_frontmatter(text: &str) -> bool {
    let begun = text.strip_prefix('\u{feff}').unwrap_or(text);
    begun.lines().next() == Some("---") && frontmatter(text).is_none()
}

/// Byte offsets of line starts, to tell lines from offsets.
struct Lines<'t> {
    text: &'t str,
    starts: Vec<usize>,
}

impl<'t> Lines<'t> {
    fn new(text: &'t str) -> Self {
        let starts = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Self { text, starts }
    }

    fn line(&self, offset: usize) -> u32 {
        u32::try_from(self.starts.partition_point(|start| *start <= offset)).unwrap_or(u32::MAX)
    }

    fn column(&self, offset: usize) -> u32 {
        let line = self.starts.partition_point(|start| *start <= offset);
        let start = self.starts.get(line.saturating_sub(1)).copied().unwrap_or(0);
        let before = self.text.get(start..offset).map_or(0, |before| before.chars().count());
        u32::try_from(before + 1).unwrap_or(u32::MAX)
    }
}

fn json(text: &str) -> Result<Node, SyntaxError> {
    // A file without a comma is broken for every client; reading on could pair keys with the wrong values.
    let options = jsonc_parser::ParseOptions { allow_missing_commas: false, ..Default::default() };
    let parsed = jsonc_parser::parse_to_ast(text, &jsonc_parser::CollectOptions::default(), &options);
    let lines = Lines::new(text);
    match parsed {
        Ok(parsed) => match parsed.value {
            Some(value) => Ok(json_node(value, &lines)),
            None => Err(SyntaxError { line: 1, column: 1, reason: String::from("the JSON document is empty") }),
        },
        Err(error) => {
            use jsonc_parser::errors::ParseErrorKind as Kind;
            let reason = match error.kind() {
                Kind::ExpectedComma => "a comma is missing",
                Kind::UnterminatedArray => "a list is not closed",
                Kind::UnterminatedObject => "a map is not closed",
                Kind::UnterminatedCommentBlock => "a comment is not closed",
                Kind::NestingDepthExceeded => "values are nested too deeply",
                Kind::MultipleRootJsonValues => "something follows the JSON value",
                Kind::ExpectedColonAfterObjectKey => "a colon is missing after a key",
                Kind::ExpectedObjectValue => "a value is missing after a key",
                Kind::String(_) => "a text is not closed or has a wrong escape",
                _ => "this is not valid JSON",
            };
            let start = error.range().start;
            Err(SyntaxError { line: lines.line(start), column: lines.column(start), reason: reason.into() })
        }
    }
}

fn json_node(value: ast::Value<'_>, lines: &Lines<'_>) -> Node {
    use jsonc_parser::common::Ranged;
    let line = lines.line(value.range().start);
    let value = match value {
        ast::Value::NullKeyword(_) => Value::Null,
        ast::Value::BooleanLit(literal) => Value::Bool(literal.value),
        ast::Value::NumberLit(literal) => Value::Number(literal.value.to_owned()),
        ast::Value::StringLit(literal) => Value::Text(literal.value.into_owned()),
        ast::Value::Array(array) => {
            Value::List(array.elements.into_iter().map(|element| json_node(element, lines)).collect())
        }
        ast::Value::Object(object) => Value::Map(
            object
                .properties
                .into_iter()
                .map(|property| Entry {
                    line: lines.line(property.range.start),
                    key: property.name.into_string(),
                    node: json_node(property.value, lines),
                })
                .collect(),
        ),
    };
    Node { line, value }
}

fn toml(text: &str) -> Result<Node, SyntaxError> {
    let lines = Lines::new(text);
    match DeTable::parse(text) {
        Ok(table) => {
            let line = lines.line(table.span().start);
            Ok(Node { line, value: Value::Map(toml_entries(table.get_ref(), &lines)) })
        }
        Err(error) => {
            let start = error.span().map_or(0, |span| span.start);
            Err(SyntaxError {
                line: lines.line(start),
                column: lines.column(start),
                reason: String::from("this is not valid TOML"),
            })
        }
    }
}

fn toml_entries(table: &DeTable<'_>, lines: &Lines<'_>) -> Vec<Entry> {
    let mut entries: Vec<Entry> = table
        .iter()
        .map(|(key, value)| Entry {
            key: key.get_ref().to_string(),
            line: lines.line(key.span().start),
            node: Node { line: lines.line(value.span().start), value: toml_value(value.get_ref(), lines) },
        })
        .collect();
    entries.sort_by_key(|entry| entry.line);
    entries
}

fn toml_value(value: &DeValue<'_>, lines: &Lines<'_>) -> Value {
    match value {
        DeValue::String(text) => Value::Text(text.to_string()),
        DeValue::Integer(number) => Value::Number(number.to_string()),
        DeValue::Float(number) => Value::Number(number.to_string()),
        DeValue::Boolean(flag) => Value::Bool(*flag),
        DeValue::Datetime(moment) => Value::Text(moment.to_string()),
        DeValue::Array(elements) => Value::List(
            elements
                .iter()
                .map(|element| Node {
                    line: lines.line(element.span().start),
                    value: toml_value(element.get_ref(), lines),
                })
                .collect(),
        ),
        DeValue::Table(table) => Value::Map(toml_entries(table, lines)),
    }
}

fn yaml(text: &str) -> Result<Node, SyntaxError> {
    match serde_saphyr::from_str::<Spanned<YamlValue>>(text) {
        Ok(root) => Ok(yaml_node(root)),
        Err(error) => {
            let place = error.location();
            let number = |value: u64| u32::try_from(value).unwrap_or(u32::MAX).max(1);
            Err(SyntaxError {
                line: place.map_or(1, |place| number(place.line())),
                column: place.map_or(1, |place| number(place.column())),
                reason: String::from("this is not valid YAML"),
            })
        }
    }
}

/// A YAML value while it is read.
enum YamlValue {
    Null,
    Bool(bool),
    Number(String),
    Text(String),
    List(Vec<Spanned<YamlValue>>),
    Map(Vec<(Spanned<String>, Spanned<YamlValue>)>),
}

fn yaml_line(place: serde_saphyr::Location) -> u32 {
    u32::try_from(place.line()).unwrap_or(u32::MAX).max(1)
}

fn yaml_node(spanned: Spanned<YamlValue>) -> Node {
    let line = yaml_line(spanned.referenced);
    let value = match spanned.value {
        YamlValue::Null => Value::Null,
        YamlValue::Bool(flag) => Value::Bool(flag),
        YamlValue::Number(number) => Value::Number(number),
        YamlValue::Text(text) => Value::Text(text),
        YamlValue::List(elements) => Value::List(elements.into_iter().map(yaml_node).collect()),
        YamlValue::Map(members) => Value::Map(
            members
                .into_iter()
                .map(|(key, node)| Entry { line: yaml_line(key.referenced), key: key.value, node: yaml_node(node) })
                .collect(),
        ),
    };
    Node { line, value }
}

impl<'de> Deserialize<'de> for YamlValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(YamlVisitor)
    }
}

struct YamlVisitor;

impl<'de> Visitor<'de> for YamlVisitor {
    type Value = YamlValue;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("any value")
    }

    fn visit_unit<E>(self) -> Result<YamlValue, E> {
        Ok(YamlValue::Null)
    }

    fn visit_none<E>(self) -> Result<YamlValue, E> {
        Ok(YamlValue::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<YamlValue, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_bool<E>(self, value: bool) -> Result<YamlValue, E> {
        Ok(YamlValue::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<YamlValue, E> {
        Ok(YamlValue::Number(value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<YamlValue, E> {
        Ok(YamlValue::Number(value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<YamlValue, E> {
        Ok(YamlValue::Number(value.to_string()))
    }

    fn visit_str<E>(self, value: &str) -> Result<YamlValue, E> {
        Ok(YamlValue::Text(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<YamlValue, E> {
        Ok(YamlValue::Text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<YamlValue, A::Error> {
        let mut elements = Vec::new();
        while let Some(element) = sequence.next_element()? {
            elements.push(element);
        }
        Ok(YamlValue::List(elements))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<YamlValue, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(YamlValue::Map(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line_of(text: &str, syntax: Syntax, path: &str) -> Vec<u32> {
        parse(text, syntax).ok().unwrap().find(path).iter().map(|entry| entry.line).collect()
    }

    #[test]
    fn every_syntax_tells_lines() {
        let json = "// head\n{\n  \"a\": {\n    \"b.c\": 1,\n    /* x */ \"d\": [\n 2,],\n  },\n}\n";
        assert_eq!(line_of(json, Syntax::Json, "a.b.c"), [4]);
        assert_eq!(line_of(json, Syntax::Json, "a.*"), [4, 5]);
        let toml = "x = 1\n[servers.one]\ncommand = 'a'\n[servers.two]\ncommand = 'b'\n";
        assert_eq!(line_of(toml, Syntax::Toml, "servers.*"), [2, 4]);
        assert_eq!(line_of(toml, Syntax::Toml, "servers.*.command"), [3, 5]);
        let yaml = "# c\nextensions:\n  one:\n    cmd: a\n    envs: {K: 5}\n  two:\n    cmd: b\n";
        assert_eq!(line_of(yaml, Syntax::Yaml, "extensions.*"), [3, 6]);
        assert_eq!(line_of(yaml, Syntax::Yaml, "extensions.one.envs.K"), [5]);
    }

    #[test]
    fn carriage_returns_and_byte_order_marks_do_not_move_lines() {
        let json = "\u{feff}{\r\n\"a\": 1,\r\n\"b\": 2\r\n}";
        assert_eq!(line_of(json, Syntax::Json, "b"), [3]);
        let yaml = "\u{feff}a: 1\r\nb: 2\r\n";
        assert_eq!(line_of(yaml, Syntax::Yaml, "b"), [2]);
        let toml = "\u{feff}a = 1\r\nb = 2\r\n";
        assert_eq!(line_of(toml, Syntax::Toml, "b"), [2]);
    }

    #[test]
    fn errors_name_the_place_and_repeat_nothing() {
        let error = parse("{\n \"a\": \"sekret\"\n \"b\": 1}", Syntax::Json).err().unwrap();
        assert_eq!((error.line, error.reason.as_str()), (2, "a comma is missing"));
        let error = parse("a = 1\nb = sekret\n", Syntax::Toml).err().unwrap();
        assert_eq!((error.line, error.reason.as_str()), (2, "this is not valid TOML"));
        let error = parse("a: 1\nb: [sekret\n", Syntax::Yaml).err().unwrap();
        assert_eq!(error.reason, "this is not valid YAML");
        assert!(parse("{\"a\": 1", Syntax::Json).is_err());
        assert!(parse("", Syntax::Json).is_err());
        assert!(parse(&"[".repeat(100_000), Syntax::Json).is_err());
    }

    #[test]
    fn front_matter_is_open_until_a_line_closes_it() {
        for text in ["---", "---\n", "---\r\nname: a\r\n", "\u{feff}---\nname: a\n--", "---\nname: a\n----\n"] {
            assert!(has_open_frontmatter(text), "{text:?}");
        }
        for text in ["", "# Title\n---\n", "----\n", "---\nname: a\n---", "---\r\nname: a\r\n---\r\nText\r\n"] {
            assert!(!has_open_frontmatter(text), "{text:?}");
        }
    }

    #[test]
    fn scalars_of_any_type_are_text() {
        let node = parse("{\"a\": 1, \"b\": true, \"c\": \"x\", \"d\": null}", Syntax::Json).ok().unwrap();
        let text = |key: &str| node.get(key).and_then(|entry| entry.node.scalar()).map(Cow::into_owned);
        assert_eq!(text("a").as_deref(), Some("1"));
        assert_eq!(text("b").as_deref(), Some("true"));
        assert_eq!(text("c").as_deref(), Some("x"));
        assert_eq!(text("d"), None);
    }
}
