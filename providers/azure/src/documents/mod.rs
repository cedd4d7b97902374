//! Documents: answers of Microsoft Graph and Azure Resource Manager, and of which call each is.
//!
//! Everything here turns text into typed answers; nothing is looked up across documents, so their order does not matter.

pub(crate) mod directory;
pub mod envelope;
pub(crate) mod manager;
pub mod manifest;
mod place;
pub mod route;
mod take;
pub(crate) mod told;

use evenhand_model::document::{Document, Format, ReadError};
use evenhand_model::json_error;
use evenhand_model::refusal::Refusal;
use serde_json::value::RawValue;

use envelope::Envelope;
use route::Asked;
pub(crate) use take::take;

/// An answer with what was asked.
#[derive(Debug)]
pub(crate) struct Answer<'a> {
    /// The tenant; empty = nothing tells.
    pub(crate) tenant: String,
    /// The host that was asked; empty = nothing tells.
    pub(crate) host: String,
    /// What was asked.
    pub(crate) asked: Asked,
    /// The answer; `None` = it has no content.
    pub(crate) response: Option<&'a RawValue>,
    /// Why there is none.
    pub(crate) error: Option<Refusal>,
    /// What would have been enough.
    pub(crate) accepted: Option<String>,
    /// Where it stands: its index in a document of several, as a JSON pointer to the answer itself.
    pub(crate) pointer: String,
}

/// A part of an answer that cannot be understood.
#[derive(Debug)]
pub(crate) struct Problem {
    /// Where in the answer, as a JSON pointer.
    pub(crate) below: String,
    /// Why.
    pub(crate) reason: String,
}

/// What kind of document this is, if it is one of Azure's.
pub(crate) fn recognise(document: &Document) -> Option<&'static str> {
    if !matches!(document.format, Format::Json | Format::Ndjson) {
        return None;
    }
    let head = &document.head;
    if is_captured(document) {
        return Some("answers of Azure");
    }
    if head.has("evenhand_capture") {
        return (head.value("provider") == Some("azure")).then_some("manifest of an Azure collection");
    }
    place::of_bare(document).map(|_| "answer of Azure")
}

/// Names of keys that stand in no document but an answer: templates of resources, which people write, have others.
const MARKS: [&str; 3] = ["odata.context", "servicePrincipalType", "appRoleId"];

/// Whether a text that breaks the rules of JSON is an answer of Azure by the names of its keys.
pub(crate) fn is_damaged(document: &Document) -> bool {
    matches!(document.format, Format::Json | Format::Ndjson) && MARKS.iter().any(|mark| document.holds_word(mark))
}

fn is_captured(document: &Document) -> bool {
    let head = &document.head;
    let told = ["response", "error", "accepted"].iter().any(|key| head.has(key));
    told && ["tenant", "host", "path"].iter().all(|key| head.has(key))
}

/// The path of a call without its query, which may hold what nobody should see.
fn path_of(call: &str) -> &str {
    call.split(['?', '#']).next().unwrap_or_default()
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
    let several = document.format == Format::Ndjson;
    let bare = if is_captured(document) { None } else { place::of_bare(document) };
    let mut stream = serde_json::Deserializer::from_str(&document.text).into_iter::<&RawValue>();
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
        let answer = match &bare {
            Some((tenant, asked)) => Answer {
                tenant: tenant.clone(),
                host: String::new(),
                asked: asked.clone(),
                response: Some(text),
                error: None,
                accepted: None,
                pointer: before,
            },
            None => {
                let envelope: Envelope<'_> = match serde_json::from_str(text.get()) {
                    Ok(envelope) => envelope,
                    Err(reason) => {
                        let reason = format!("the answer {}", json_error::reason(&reason));
                        errors.push(error(&before, reason, "collect it again"));
                        continue;
                    }
                };
                let Some(asked) = Asked::parse(&envelope.path) else {
                    errors.push(error(
                        &format!("{before}/path"),
                        format!("`{}` is no call that is understood", path_of(&envelope.path)),
                        "leave it out, or see the calls in the page of the provider",
                    ));
                    continue;
                };
                Answer {
                    tenant: envelope.tenant,
                    host: envelope.host,
                    asked,
                    response: envelope.response,
                    error: envelope.error,
                    accepted: envelope.accepted,
                    pointer: format!("{before}/response"),
                }
            }
        };
        let pointer = answer.pointer.clone();
        for problem in take(answer) {
            errors.push(error(&format!("{pointer}{}", problem.below), problem.reason, "export it again"));
        }
    }
}
