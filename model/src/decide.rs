//! Requests that bring their policies along: the contract between the command that reads them and a provider that decides
//! them.
//!
//! A provider gives a [`Decides`]; lines, order, threads and exit codes are the command's business.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::access::DecideError;

/// Decides requests, each by itself. Shared by threads.
pub trait Decides: Send + Sync {
    /// The answer to the request in one JSON object, as one JSON object on one line.
    ///
    /// # Errors
    /// When the object is no request, or something in it cannot be understood: with its place.
    fn reply(&self, request: &str) -> Result<Vec<u8>, Refusal>;
}

/// Why a line has no answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    /// Where in the line, as a JSON pointer (RFC 6901); empty for the line as a whole.
    pub at: String,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub remedy: String,
}

impl Refusal {
    /// A refusal of what stands at a place.
    pub fn new(at: impl Into<String>, message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { at: at.into(), message: message.into(), remedy: remedy.into() }
    }

    /// What the question itself is refused for.
    pub fn decision(at: &str, error: &DecideError) -> Self {
        let (message, remedy) = match error {
            DecideError::UnknownOperation { operation, remedy } => {
                (format!("no operation `{operation}` is known"), remedy.clone())
            }
            DecideError::BadResource { resource, remedy } => {
                (format!("`{resource}` is no resource name"), remedy.clone())
            }
            DecideError::BadContext { key, reason } => {
                (format!("context key `{key}` has a value that cannot be used"), reason.clone())
            }
        };
        Self::new(at, message, remedy)
    }

    /// The same, in a document that stands at a place.
    pub fn below(&self, at: &str) -> Self {
        Self { at: format!("{at}{}", self.at), ..self.clone() }
    }
}

/// The answer to a line that cannot be understood.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Refused {
    /// Why.
    pub error: LineError,
}

/// A refusal with its line.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct LineError {
    /// The line of the input, counted from 1.
    pub line: usize,
    /// Where and why.
    #[serde(flatten)]
    pub refusal: Refusal,
}

/// Reads a request from the text of one line.
///
/// # Errors
/// With the place of what is no member, of another type or missing; `remedy` says where the form is described.
pub fn read<'a, T: Deserialize<'a>>(text: &'a str, remedy: &str) -> Result<T, Refusal> {
    // A list would be read as the members in their order: that is a guess at what is meant.
    if !text.trim_start().starts_with('{') && serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok() {
        return Err(Refusal::new("", "this is no request, but something else than an object", remedy));
    }
    part(text, remedy)
}

/// Reads a part of a request that was left as text.
///
/// # Errors
/// As [`read`]; places count from the part.
pub fn part<'a, T: Deserialize<'a>>(text: &'a str, remedy: &str) -> Result<T, Refusal> {
    serde_json::from_str(text).map_err(|error| {
        if !error.is_data() {
            let said = plain(&error);
            let line = if error.line() > 1 { format!("line {} ", error.line()) } else { String::new() };
            return Refusal::new("", format!("this is no JSON: {said} at {line}column {}", error.column()), remedy);
        }
        // Once more, with an eye on the place.
        let mut deserializer = serde_json::Deserializer::from_str(text);
        match serde_path_to_error::deserialize::<_, T>(&mut deserializer) {
            Ok(_) => Refusal::new("", plain(&error), remedy),
            Err(placed) => Refusal::new(pointer(placed.path(), |_| true), plain(placed.inner()), remedy),
        }
    })
}

/// A parser's words without its own idea of the place.
pub fn plain(error: &serde_json::Error) -> String {
    let said = error.to_string();
    said.split(" at line ").next().unwrap_or(&said).to_owned()
}

/// One step of a JSON pointer to a member.
pub fn step(key: &str) -> String {
    format!("/{}", key.replace('~', "~0").replace('/', "~1"))
}

/// A path as a JSON pointer. It ends above a key that is not to be told.
pub(crate) fn pointer(path: &serde_path_to_error::Path, is_told: fn(&str) -> bool) -> String {
    use serde_path_to_error::Segment;
    let mut pointer = String::new();
    for segment in path.iter() {
        match segment {
            Segment::Seq { index } => pointer.push_str(&format!("/{index}")),
            Segment::Map { key } if is_told(key) => pointer.push_str(&step(key)),
            Segment::Map { .. } => break,
            Segment::Enum { .. } | Segment::Unknown => {}
        }
    }
    pointer
}

/// The JSON Schema of a command's requests and, below `$defs`, of its answers and of the refusal of a line.
pub fn schema<Request: JsonSchema, Answer: JsonSchema>(title: &str, description: &str) -> serde_json::Value {
    let mut generator = schemars::generate::SchemaSettings::draft2020_12().into_generator();
    let request = generator.subschema_for::<Request>().to_value();
    generator.subschema_for::<Answer>();
    generator.subschema_for::<Refused>();
    let mut schema = serde_json::json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": title,
        "description": description,
    });
    if let (Some(schema), Some(request)) = (schema.as_object_mut(), request.as_object()) {
        schema.extend(request.clone());
        schema.insert("$defs".to_owned(), generator.take_definitions(true).into());
    }
    schema
}
