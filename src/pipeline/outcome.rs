//! What becomes of one file: a provider's document, no provider's for a reason, or a failure.

use std::sync::Arc;

use evenhand_model::document::{Document, FileFacts, Format, ReadError};
use evenhand_reports::report::{LOOKS_LIKE, OWN_EVIDENCE, OWN_REPORT};

use super::malformed::Malformed;
use super::reason;
use crate::sources::{Found, LoadError, Loaded};

/// What becomes of one file.
pub(super) enum Outcome {
    Recognised { slot: usize, kind: &'static str, loaded: Box<Loaded> },
    Unrecognised { reason: String, bytes: u64, digest: Option<blake3::Hash>, damage: Option<Damage> },
    Failed { place: String, reason: String, remedy: String, provider: Option<usize> },
}

/// What is wrong with a file of which nothing tells whose it is: a failure where only documents lie.
pub(super) struct Damage {
    pub(super) place: String,
    pub(super) reason: String,
    pub(super) remedy: String,
}

/// Judges a file by what loading made of it. `recognise`, `broken`, `damaged` and `likeness`: what the providers say of it,
/// each provider known by its position.
pub(super) fn judge(
    found: &Found,
    loaded: Result<Loaded, LoadError>,
    recognise: impl Fn(&Document) -> Option<(usize, &'static str)>,
    broken: impl Fn(&Document) -> Option<(usize, ReadError)>,
    damaged: impl Fn(&Document) -> Option<usize>,
    likeness: impl Fn(&Document) -> Option<String>,
) -> Outcome {
    match loaded {
        Ok(loaded) => match recognise(&loaded.document) {
            Some((slot, kind)) => Outcome::Recognised { slot, kind, loaded: Box::new(loaded) },
            None => unrecognised(found, &loaded, broken, damaged, likeness),
        },
        Err(error @ LoadError::Binary) if !found.named => Outcome::Unrecognised {
            reason: error.to_string(),
            bytes: found.bytes,
            digest: None,
            damage: Some(Damage { place: String::new(), reason: error.to_string(), remedy: error.remedy().to_owned() }),
        },
        Err(error) => {
            let (place, provider) = match &error {
                LoadError::Encoding { place, format, head, readable } => {
                    let at = format!(":{}:{}", place.line, place.column);
                    // What would have been recognised is evidence that is missing; any other text in another encoding
                    // is none of our business.
                    let document = Document {
                        path: Arc::clone(&found.path),
                        relative: Arc::clone(&found.relative),
                        source_name: Arc::clone(&found.source_name),
                        format: *format,
                        text: readable.clone(),
                        head: (**head).clone(),
                        file: FileFacts::default(),
                    };
                    let provider = recognise(&document).map(|(at, _)| at).or_else(|| damaged(&document));
                    if provider.is_none() && !found.named {
                        return Outcome::Unrecognised {
                            reason: format!("{error}, and nothing in it is known"),
                            bytes: found.bytes,
                            digest: None,
                            damage: Some(Damage {
                                place: at,
                                reason: error.to_string(),
                                remedy: error.remedy().to_owned(),
                            }),
                        };
                    }
                    (at, provider)
                }
                _ => (String::new(), None),
            };
            Outcome::Failed { place, reason: error.to_string(), remedy: error.remedy().to_owned(), provider }
        }
    }
}

/// Why a readable file is no document of any provider. A file that the user named must at least be well formed.
fn unrecognised(
    found: &Found,
    loaded: &Loaded,
    broken: impl Fn(&Document) -> Option<(usize, ReadError)>,
    damaged: impl Fn(&Document) -> Option<usize>,
    likeness: impl Fn(&Document) -> Option<String>,
) -> Outcome {
    let document = &loaded.document;
    let mut damage = document.text.trim().is_empty().then(|| Damage {
        place: String::new(),
        reason: "it is empty".to_owned(),
        remedy: "export it again; the export may have been interrupted".to_owned(),
    });
    if let Some(Damage { place, reason, remedy }) = damage.take_if(|_| found.named) {
        return Outcome::Failed { place, reason, remedy, provider: None };
    }
    if let Some((provider, error)) = broken(document) {
        let place = error.document.strip_prefix(&*document.path).unwrap_or_default().to_owned();
        return Outcome::Failed { place, reason: error.reason, remedy: error.remedy, provider: Some(provider) };
    }
    let malformed = Malformed::of(document);
    let template = reason::is_template(found, document, malformed);
    // What ends early says nothing of what it was, whatever it is called. Other mistakes may be what a program allows, such
    // as comments, unless a provider knows its own document by what is left of it.
    if let Some(Malformed { syntax, line, column, is_cut }) = malformed
        && !template
    {
        let place = format!(":{line}:{column}");
        let reason =
            if is_cut { format!("it is {syntax} that ends early") } else { format!("it is not valid {syntax}") };
        let remedy = if reason::has_marks(document) {
            "export or write it again, or scan what it is rendered to where it is a template".to_owned()
        } else {
            "export or write it again".to_owned()
        };
        let provider = damaged(document);
        if found.named || is_cut || provider.is_some() {
            return Outcome::Failed { place, reason, remedy, provider };
        }
        damage = Some(Damage { place, reason, remedy });
    }
    // An answer as captures hold it that has lost what tells of which call it is.
    let answers = ["response", "error"].iter().any(|key| document.head.has(key));
    if damage.is_none() && answers && !template && damaged(document).is_some() {
        damage = Some(Damage {
            place: String::new(),
            reason: "it is the answer of no call that is read".to_owned(),
            remedy: "export it again, or leave it out".to_owned(),
        });
    }
    let schema = document.head.values.iter().find(|(key, _)| key == "schema").map_or("", |(_, form)| form.as_str());
    let own = [("evenhand/evidence", OWN_EVIDENCE), ("evenhand/report", OWN_REPORT), ("evenhand/baseline", OWN_REPORT)];
    let own = own.into_iter().find(|(form, _)| document.format == Format::Json && schema.starts_with(form));
    if let Some((_, reason)) = own {
        return Outcome::Unrecognised { reason: reason.to_owned(), bytes: loaded.bytes, digest: None, damage: None };
    }
    let reason = reason::special(found, document, template)
        .map(str::to_owned)
        .or_else(|| likeness(document).map(|likeness| format!("{LOOKS_LIKE}{likeness}")))
        .unwrap_or_else(|| reason::unknown(document.format, malformed));
    Outcome::Unrecognised { reason, bytes: loaded.bytes, digest: Some(loaded.digest), damage }
}
