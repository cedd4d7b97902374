//! Documents: answers of GitHub's REST API, and of which call each is.
//!
//! Everything here turns text into typed answers; nothing is looked up across documents, so their order does not matter.

mod absent;
pub mod actions;
pub mod apps;
pub mod calls;
pub mod copilot;
pub mod envelope;
pub mod gates;
pub mod keys;
pub(crate) mod listed;
pub mod manifest;
pub(crate) mod page;
pub mod people;
mod place;
pub mod route;
mod take;
pub mod told;

use evenhand_model::document::{Document, Format, ReadError};
use evenhand_model::json_error;
use evenhand_model::refusal::Refusal;
use serde_json::value::RawValue;

use envelope::Envelope;
pub use place::GITHUB_COM;
use route::Asked;
pub(crate) use take::take;

/// An answer with what was asked.
#[derive(Debug)]
pub struct Answer<'a> {
    /// The host that people know.
    pub host: String,
    /// What was asked.
    pub asked: Asked,
    /// The answer; `None` = it has no content.
    pub response: Option<&'a RawValue>,
    /// Why there is none.
    pub error: Option<Refusal>,
    /// What would have been enough.
    pub accepted: Option<String>,
    /// Where it stands: its index in a document of several, as a JSON pointer to the answer itself.
    pub pointer: String,
}

/// A part of an answer that cannot be understood.
#[derive(Debug)]
pub(crate) struct Problem {
    /// Where in the answer, as a JSON pointer.
    pub(crate) below: String,
    /// Why.
    pub(crate) reason: String,
}

/// What kind of document this is, if it is one of GitHub's.
pub fn recognise(document: &Document) -> Option<&'static str> {
    if !matches!(document.format, Format::Json | Format::Ndjson) {
        return None;
    }
    let head = &document.head;
    if head.has("host") && head.has("path") && (head.has("response") || head.has("error") || head.has("accepted")) {
        return Some("answers of GitHub");
    }
    if head.has("evenhand_capture") {
        return (head.value("provider") == Some("github")).then_some("manifest of a GitHub collection");
    }
    place::of_bare(document).map(|_| "answer of GitHub")
}

/// Names of keys that stand in no document but an answer of the API: of installations, repositories and protected branches.
const MARKS: [&str; 6] = [
    "app_slug",
    "repository_selection",
    "default_workflow_permissions",
    "default_repository_permission",
    "required_pull_request_reviews",
    "allow_merge_commit",
];

/// Whether a text that breaks the rules of JSON is an answer of GitHub by the names of its keys.
pub(crate) fn is_damaged(document: &Document) -> bool {
    matches!(document.format, Format::Json | Format::Ndjson) && MARKS.iter().any(|mark| document.holds_word(mark))
}

/// What is wrong with the text of a document, and where.
fn no_json(error: &serde_json::Error) -> String {
    format!("the document {}, at line {} column {}", json_error::reason(error), error.line(), error.column())
}

/// Goes through the answers in a document. What cannot be understood is an error; everything else is kept.
pub(crate) fn answers(
    document: &Document,
    errors: &mut Vec<ReadError>,
    mut take: impl FnMut(Answer<'_>) -> Vec<Problem>,
) {
    let error = |pointer: &str, reason: String, remedy: &str| ReadError {
        document: if pointer.is_empty() { document.path.to_string() } else { format!("{}#{pointer}", document.path) },
        reason,
        remedy: remedy.to_owned(),
    };
    if let Some((host, asked)) = place::of_bare(document) {
        // Pages of objects are printed one after the other.
        let pages: Result<Vec<&RawValue>, _> =
            serde_json::Deserializer::from_str(&document.text).into_iter::<&RawValue>().collect();
        let pages = match pages {
            Ok(pages) => pages,
            Err(reason) => {
                errors.push(error("", no_json(&reason), "export it again"));
                return;
            }
        };
        let several = pages.len() > 1;
        for (index, page) in pages.into_iter().enumerate() {
            let pointer = if several { format!("/{index}") } else { String::new() };
            let answer = Answer {
                host: host.clone(),
                asked: asked.clone(),
                response: Some(page),
                error: None,
                accepted: None,
                pointer: pointer.clone(),
            };
            for problem in take(answer) {
                let place = format!("{pointer}{}", problem.below);
                errors.push(error(&place, problem.reason, "export it again with `gh api --paginate`"));
            }
        }
        return;
    }
    let mut stream = serde_json::Deserializer::from_str(&document.text).into_iter::<&RawValue>();
    let several = document.format == Format::Ndjson;
    let mut index = 0_usize;
    loop {
        let before = if several { format!("/{index}") } else { String::new() };
        let text = match stream.next() {
            None => return,
            Some(Ok(text)) => text,
            Some(Err(reason)) => {
                errors.push(error(&before, no_json(&reason), "collect it again"));
                return;
            }
        };
        index += 1;
        let envelope: Envelope<'_> = match serde_json::from_str(text.get()) {
            Ok(envelope) => envelope,
            Err(reason) => {
                errors.push(error(&before, format!("the answer {}", json_error::reason(&reason)), "collect it again"));
                continue;
            }
        };
        let Some(asked) = Asked::parse(&envelope.path) else {
            errors.push(error(
                &format!("{before}/path"),
                format!("`{}` is no call that is understood", envelope.path),
                "leave it out, or see the calls in the page of the provider",
            ));
            continue;
        };
        let pointer = format!("{before}/response");
        let answer = Answer {
            host: envelope.host,
            asked,
            response: envelope.response,
            error: envelope.error,
            accepted: envelope.accepted,
            pointer: pointer.clone(),
        };
        for problem in take(answer) {
            errors.push(error(&format!("{pointer}{}", problem.below), problem.reason, "collect it again"));
        }
    }
}
