//! What a line is like, and its answer.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::answer;

#[test]
fn the_name_of_a_line_stands_in_its_answer() {
    let mut line = json!({ "platform": "entra", "subject": "repo:o/r:x", "condition": { "subject": "repo:o/r:x" } });
    assert_eq!(answer(&line).unwrap().get("id"), None);
    line["id"] = json!("row 7");
    assert_eq!(answer(&line).unwrap()["id"], "row 7");
}

#[test]
fn a_bad_line_is_refused_with_its_place() {
    let good = json!({ "platform": "entra", "subject": "s", "condition": { "subject": "s" } });
    let with = |name: &str, value: Value| {
        let mut line = good.clone();
        line[name] = value;
        line
    };
    for (line, at) in [
        (with("platform", json!("vault")), "/platform"),
        (with("issuer", json!("jenkins")), "/issuer"),
        (with("claims", json!({ "sub": "t" })), "/claims/sub"),
        (with("condition", json!({ "subjects": "s" })), "/condition/subjects"),
        (with("condition", json!("s")), "/condition"),
        (with("subjekt", json!("s")), "/subjekt"),
        (json!({ "platform": "entra", "condition": { "subject": "s" } }), ""),
        (json!({ "platform": "aws", "subject": "s", "condition": {} }), "/condition/x"),
        (json!([]), ""),
    ] {
        let refusal = answer(&line).unwrap_err();
        assert_eq!(refusal.at, at, "{line}: {}", refusal.message);
        assert!(!refusal.message.is_empty() && !refusal.remedy.is_empty());
    }
}

proptest! {
    /// Nothing that is written makes a reader stumble.
    #[test]
    fn any_text_is_answered_or_refused(text in ".{0,40}", expression in "[a-z.'()!&|=\\[\\]<>? ,\"0-9]{0,40}") {
        for condition in [
            json!({ "claimsMatchingExpression": { "value": text } }),
            json!({ "claimsMatchingExpression": { "value": format!("claims['sub'] {text}") } }),
        ] {
            let _ = answer(&json!({ "platform": "entra", "subject": "repo:o/r:x", "condition": condition }));
        }
        for text in [&text, &expression] {
            let condition = json!({ "attributeCondition": text });
            let _ = answer(&json!({ "platform": "gcp", "subject": text, "condition": condition }));
        }
    }
}
