//! Tells the syntax of a text from its content; the name decides only where the content cannot.

use evenhand_model::document::{Format, Head};

use super::{head, json_head};

/// How much of a document is looked at.
pub(super) const LOOK: usize = 64 << 10;

/// The syntax of a text, and its head.
pub(super) fn look(name: &str, text: &str) -> (Format, Head) {
    let prefix = beginning(text, LOOK);
    let name = name.strip_suffix(".gz").or_else(|| name.strip_suffix(".zst")).unwrap_or(name);
    let ending = name.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase()).unwrap_or_default();
    match ending.as_str() {
        "toml" => return (Format::Toml, head::toml(prefix)),
        "md" | "mdc" | "markdown" => return (Format::Text, Head::default()),
        _ => {}
    }
    let json = json_head::read(prefix);
    let named_json = matches!(ending.as_str(), "json" | "jsonc" | "json5" | "jsonl" | "ndjson");
    if json.json && !named_json && head::is_flow_yaml(prefix) {
        return (Format::Yaml, head::yaml(prefix));
    }
    if json.json {
        let stream = json.stream || second_line_is_a_value(text);
        return (if stream { Format::Ndjson } else { Format::Json }, json.head);
    }
    if named_json && prefix.trim_start().starts_with('"') {
        return (Format::Json, Head::default());
    }
    if ending == "csv" || head::looks_like_csv(prefix) {
        let columns = head::csv_columns(prefix).unwrap_or_default();
        return (Format::Csv, Head { columns, ..Head::default() });
    }
    if matches!(ending.as_str(), "yaml" | "yml") || head::looks_like_yaml(prefix) {
        return (Format::Yaml, head::yaml(prefix));
    }
    (if matches!(ending.as_str(), "json" | "jsonc") { Format::Json } else { Format::Text }, Head::default())
}

/// The longest beginning of a text that fits and does not cut a character.
fn beginning(text: &str, bytes: usize) -> &str {
    text.get(..text.floor_char_boundary(bytes.min(text.len()))).unwrap_or(text)
}

/// Whether a text whose first value is longer than the look is a stream all the same: its first line ends a value and
/// the next one begins another.
fn second_line_is_a_value(text: &str) -> bool {
    let Some((first, rest)) = text.split_once('\n') else { return false };
    first.len() > LOOK && first.trim_end().ends_with(['}', ']']) && rest.trim_start().starts_with(['{', '['])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_content_tells_the_syntax_and_not_the_name() {
        for (name, text, format) in [
            ("dump", "{\"a\":1}", Format::Json),
            ("dump.txt", "{\"a\":1}\n{\"a\":2}", Format::Ndjson),
            ("dump.yaml", "{\"a\":1}", Format::Json),
            ("x", "apiVersion: v1\n", Format::Yaml),
            ("x.yaml", "{apiVersion: v1, kind: Pod}\n", Format::Yaml),
            ("x.yaml", "{\"kind\": \"Pod\"}\n---\n{\"kind\": \"Pod\"}\n", Format::Yaml),
            ("x.yaml", "[{apiVersion: v1, kind: Pod}]\n", Format::Yaml),
            ("x.json", "{a: 1}", Format::Json),
            ("x.txt", "{some words}", Format::Json),
            ("x.yml", "- a\n", Format::Yaml),
            ("x.json", "\"a\": [\n1]}\n", Format::Json),
            ("x.yaml", "\"a\": [\n1]\n", Format::Yaml),
            ("config.toml", "[a]\n", Format::Toml),
            ("report", "user,arn,created\nx,y,z\n", Format::Csv),
            ("r.csv", "a,b\n", Format::Csv),
            ("agent.md", "---\nname: x\n---\n", Format::Text),
            ("settings.jsonc", "// c\n{}", Format::Json),
            ("empty", "", Format::Text),
        ] {
            assert_eq!(look(name, text).0, format, "{name}");
        }
    }

    #[test]
    fn a_manifest_in_flow_style_is_recognised_however_long_it_is() {
        let data = "x, ".repeat(LOOK);
        for text in [
            format!(
                "{{apiVersion: v1, kind: List, items: [{{apiVersion: v1, kind: Pod, data: {{a: \"{data}\"}}}}]}}\n"
            ),
            format!("--- {{apiVersion: v1, kind: List, items: [{{apiVersion: v1, kind: Pod}}, {{a: '{data}'}}]}}\n"),
        ] {
            let (format, head) = look("x.yaml", &text);
            assert_eq!((format, head.value("kind")), (Format::Yaml, Some("List")));
            assert_eq!(head.element("items").unwrap(), ["apiVersion", "kind"]);
        }
    }

    #[test]
    fn a_stream_of_long_lines_is_a_stream() {
        let line = format!("{{\"a\":\"{}\"}}", "x".repeat(LOOK));
        assert_eq!(look("x", &format!("{line}\n{line}\n")).0, Format::Ndjson);
        assert_eq!(look("x", &format!("{line}\n")).0, Format::Json);
    }
}
