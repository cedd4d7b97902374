//! What becomes of one file: a provider's document, no provider's for a reason, or a failure.

use std::sync::Arc;

use evenhand_model::document::{Document, FileFacts, Format, ReadError};
use evenhand_reports::report::{OWN_EVIDENCE, OWN_REPORT};

use crate::config;
use crate::sources::{Found, LoadError, Loaded};

/// What becomes of one file.
pub(super) enum Outcome {
    Recognised { slot: usize, kind: &'static str, loaded: Box<Loaded> },
    Unrecognised { reason: String, bytes: u64, digest: Option<blake3::Hash> },
    Failed { place: String, reason: String, remedy: String, provider: Option<usize> },
}

/// Judges a file by what loading made of it. `recognise` and `broken`: what the providers say of it, each known by its
/// position.
pub(super) fn judge(
    found: &Found,
    loaded: Result<Loaded, LoadError>,
    recognise: impl Fn(&Document) -> Option<(usize, &'static str)>,
    broken: impl Fn(&Document) -> Option<(usize, ReadError)>,
) -> Outcome {
    match loaded {
        Ok(loaded) => match recognise(&loaded.document) {
            Some((slot, kind)) => Outcome::Recognised { slot, kind, loaded: Box::new(loaded) },
            None => unrecognised(found, &loaded, broken),
        },
        Err(LoadError::Binary) if !found.named => {
            Outcome::Unrecognised { reason: "a binary file".to_owned(), bytes: found.bytes, digest: None }
        }
        Err(error) => {
            let (place, provider) = match &error {
                LoadError::Encoding { place, format, head } => {
                    // What would have been recognised is evidence that is missing; any other text in another encoding
                    // is none of our business.
                    let document = Document {
                        path: Arc::clone(&found.path),
                        relative: Arc::clone(&found.relative),
                        source_name: Arc::clone(&found.source_name),
                        format: *format,
                        text: String::new(),
                        head: (**head).clone(),
                        file: FileFacts::default(),
                    };
                    let provider = recognise(&document).map(|(at, _)| at);
                    if provider.is_none() && !found.named {
                        let reason = format!("{error}, and nothing in it is known");
                        return Outcome::Unrecognised { reason, bytes: found.bytes, digest: None };
                    }
                    (format!(":{}:{}", place.line, place.column), provider)
                }
                _ => (String::new(), None),
            };
            Outcome::Failed { place, reason: error.to_string(), remedy: error.remedy().to_owned(), provider }
        }
    }
}

/// Why a readable file is no document of any provider. A file that the user named must at least be well formed.
fn unrecognised(found: &Found, loaded: &Loaded, broken: impl Fn(&Document) -> Option<(usize, ReadError)>) -> Outcome {
    let document = &loaded.document;
    if found.named && document.text.trim().is_empty() {
        return Outcome::Failed {
            place: String::new(),
            reason: "it is empty".to_owned(),
            remedy: "export it again; the export may have been interrupted".to_owned(),
            provider: None,
        };
    }
    if let Some((provider, error)) = broken(document) {
        let place = error.document.strip_prefix(&*document.path).unwrap_or_default().to_owned();
        return Outcome::Failed { place, reason: error.reason, remedy: error.remedy, provider: Some(provider) };
    }
    if document.format == Format::Json
        && let Err(error) = serde_json::from_str::<serde::de::IgnoredAny>(&document.text)
    {
        // What ends early says nothing of what it was, whatever it is called. Other mistakes may be what a program allows,
        // such as comments.
        let is_cut = error.is_eof() && !document.text.trim().is_empty();
        if found.named || is_cut {
            return Outcome::Failed {
                place: format!(":{}:{}", error.line(), error.column()),
                reason: if is_cut { "it is JSON that ends early" } else { "it is not valid JSON" }.to_owned(),
                remedy: "export or write it again".to_owned(),
                provider: None,
            };
        }
    }
    let schema = document.head.values.iter().find(|(key, _)| key == "schema").map_or("", |(_, form)| form.as_str());
    let own = [("evenhand/evidence", OWN_EVIDENCE), ("evenhand/report", OWN_REPORT), ("evenhand/baseline", OWN_REPORT)];
    let own = own.into_iter().find(|(form, _)| document.format == Format::Json && schema.starts_with(form));
    if let Some((_, reason)) = own {
        return Outcome::Unrecognised { reason: reason.to_owned(), bytes: loaded.bytes, digest: None };
    }
    let reason = match document.format {
        Format::Toml if found.file.file_name().is_some_and(|name| name == config::NAME) => {
            "a configuration of evenhand that this scan does not use"
        }
        Format::Toml if found.file.file_name().is_some_and(|name| name == config::WAIVERS) => {
            "waivers of evenhand that this scan does not use"
        }
        _ if document.text.trim().is_empty() => "it is empty",
        Format::Yaml if is_workflow(&document.path) && document.head.has("jobs") => "a workflow that runs no agent",
        Format::Yaml | Format::Text if is_workflow(&document.path) => {
            "a workflow that is not valid YAML, or has no `jobs`"
        }
        Format::Json => "JSON, but no provider knows its keys",
        Format::Ndjson => "lines of JSON, but no provider knows their keys",
        Format::Yaml => "YAML, but no provider knows its keys",
        Format::Toml => "TOML, but no provider knows its keys",
        Format::Csv => "CSV, but no provider knows its columns",
        Format::Text => "text that no provider knows",
    };
    Outcome::Unrecognised { reason: reason.to_owned(), bytes: loaded.bytes, digest: Some(loaded.digest) }
}

/// Whether a file lies where GitHub looks for workflows.
fn is_workflow(path: &str) -> bool {
    let path = path.replace('\\', "/");
    (path.ends_with(".yml") || path.ends_with(".yaml")) && path.contains(".github/workflows/")
}
