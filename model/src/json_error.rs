//! What is wrong with a JSON document, in words that hold none of its values: any of them may be a secret.

use serde_json::error::Category;

/// What is wrong, as the rest of a sentence whose subject is the document or a part of it.
///
/// The parser's own words quote the offending value; of them only what was expected is kept, and the names of members that
/// are missing or doubled, which are ours.
pub fn reason(error: &serde_json::Error) -> String {
    let message = error.to_string();
    let message = message.rfind(" at line ").and_then(|at| message.get(..at)).unwrap_or(&message);
    match error.classify() {
        Category::Eof => "ends in the middle of a value".to_owned(),
        Category::Syntax if message.starts_with("recursion limit") => "nests values too deeply".to_owned(),
        Category::Syntax | Category::Io => format!("is no valid JSON: {message}"),
        Category::Data => match kept(message) {
            Some(kept) => format!("has another shape than expected: {}", plain(kept)),
            None => "has another shape than expected".to_owned(),
        },
    }
}

/// The part of a message about a value that quotes nothing of the document.
fn kept(message: &str) -> Option<&str> {
    if ["missing field `", "duplicate field `"].iter().any(|start| message.starts_with(start)) {
        return Some(message);
    }
    let quoting = ["invalid type: ", "invalid value: ", "invalid length ", "unknown variant `", "unknown field `"];
    if !quoting.iter().any(|start| message.starts_with(start)) {
        return None;
    }
    message.get(message.rfind(", expected ")? + 2..)
}

/// What was expected, without the reader's own word for it: what people write is an object, whatever it is read into.
fn plain(kept: &str) -> &str {
    if kept.starts_with("expected struct ") || kept == "expected a map" { "expected an object" } else { kept }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    const CANARY: &str = "c4nary-Zx81-correct-horse";

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only its errors are looked at")]
    struct Form {
        number: u64,
        #[serde(default)]
        kind: Kind,
        #[serde(default)]
        made: crate::Timestamp,
    }

    #[derive(Debug, Default, Deserialize)]
    enum Kind {
        #[default]
        One,
    }

    #[test]
    fn no_value_of_the_document_is_in_the_reason() {
        for (text, expected) in [
            (format!(r#"{{"number": "{CANARY}"}}"#), "has another shape than expected: expected u64"),
            (
                format!(r#"{{"number": "{CANARY}, expected {CANARY}"}}"#),
                "has another shape than expected: expected u64",
            ),
            (format!(r#"{{"number": 1, "kind": "{CANARY}"}}"#), "has another shape than expected: expected `One`"),
            (format!(r#"{{"number": 1, "made": "{CANARY}"}}"#), "has another shape than expected"),
            (
                format!(r#"{{"{CANARY}": 1}}"#),
                "has another shape than expected: expected one of `number`, `kind`, `made`",
            ),
            ("7".to_owned(), "has another shape than expected: expected an object"),
            ("{}".to_owned(), "has another shape than expected: missing field `number`"),
            (format!(r#"{{"number": {CANARY}"#), "is no valid JSON: expected value"),
            (format!(r#"{{"number": "{CANARY}"#), "ends in the middle of a value"),
        ] {
            assert_eq!(reason(&serde_json::from_str::<Form>(&text).unwrap_err()), expected, "{text}");
        }
    }
}
