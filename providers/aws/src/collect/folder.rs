//! The capture on disk. A document is whole or not there: it is written under another name and then renamed.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use evenhand_model::refusal::Refusal;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::table::{Call, Reach};
use super::wire::Parameters;
use crate::documents::manifest::Manifest;
use crate::documents::refusal::is_answer;
use crate::provider::NAME;

/// What a call brought for one set of parameters.
pub(crate) type Outcome = Result<Value, Refusal>;

/// The answers of a call in one place, by what was asked.
pub(crate) type Answers = BTreeMap<Parameters, Outcome>;

/// A call in one place: what a document holds.
#[derive(Clone, Debug)]
pub(crate) struct Slot {
    pub(crate) call: &'static Call,
    pub(crate) account: String,
    /// The region, for calls that have one.
    pub(crate) region: Option<String>,
}

impl Slot {
    /// The account, and the region where there is one, for people.
    pub(crate) fn place(&self) -> String {
        self.region.as_ref().map_or_else(|| self.account.clone(), |region| format!("{} {region}", self.account))
    }

    /// The document's path below the capture, with `/`.
    pub(crate) fn document(&self) -> String {
        let ending =
            if self.call.bare || (self.call.each.is_empty() && self.call.vary.is_none()) { "json" } else { "ndjson" };
        let folder = match self.call.reach {
            Reach::Organisation => "organization",
            Reach::Center => "identity-center",
            Reach::Account | Reach::Region => &self.account,
        };
        let region = self.region.as_ref().map(|region| format!("{region}/")).unwrap_or_default();
        format!("{folder}/{region}{}.{ending}", self.call.file)
    }
}

/// One line of a document.
#[derive(Serialize)]
struct Line<'a> {
    call: &'a str,
    parameters: &'a Parameters,
    account: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response: Option<&'a Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a Refusal>,
}

/// The same as it is read back.
#[derive(Deserialize)]
struct Held {
    #[serde(default)]
    parameters: Parameters,
    account: Option<String>,
    region: Option<String>,
    response: Option<Value>,
    error: Option<Refusal>,
}

/// The folder of a capture.
#[derive(Clone, Debug)]
pub(crate) struct Folder(evenhand_collect::Folder);

impl Folder {
    /// The part of a capture that this provider writes: `aws` below the folder that was named.
    pub(crate) fn of_capture(folder: &Path) -> Self {
        Self(evenhand_collect::Folder::below(folder, NAME.0))
    }

    /// Whether there is anything in it.
    pub(crate) fn is_used(&self) -> bool {
        self.0.is_used()
    }

    /// Removes what a collection that was killed left unfinished.
    pub(crate) fn clean(&self) {
        // Accounts, and regions below them.
        self.0.clean(2);
    }

    /// Removes the document of a call, which may not be there.
    pub(crate) fn remove(&self, slot: &Slot) -> io::Result<()> {
        self.0.remove(&slot.document())
    }

    /// Writes the answers of a call. Where there are none there is no document either: what an earlier collection was
    /// refused does not count any more.
    pub(crate) fn write(&self, slot: &Slot, answers: &Answers) -> io::Result<()> {
        if answers.is_empty() {
            return self.remove(slot);
        }
        let bare = answers.values().next().filter(|_| slot.call.bare && answers.len() == 1);
        self.0.put(&slot.document(), |sink| {
            if let Some(Ok(answer)) = bare {
                serde_json::to_writer(&mut *sink, answer)?;
                return sink.write_all(b"\n");
            }
            for (parameters, outcome) in answers {
                let line = Line {
                    call: slot.call.form.call(),
                    parameters,
                    account: &slot.account,
                    region: slot.region.as_deref(),
                    response: outcome.as_ref().ok(),
                    error: outcome.as_ref().err(),
                };
                serde_json::to_writer(&mut *sink, &line)?;
                sink.write_all(b"\n")?;
            }
            Ok(())
        })
    }

    /// What an earlier collection brought for a call. Refusals are left out, so that they are tried again, unless they
    /// say that there is no such thing.
    pub(crate) fn read(&self, slot: &Slot) -> Answers {
        let held = self.0.read(&slot.document()).and_then(|text| String::from_utf8(text).ok());
        let Some(text) = held else { return Answers::new() };
        let lines = text.lines().filter_map(|line| {
            let held: Held = serde_json::from_str(line).ok()?;
            // An answer about another place is none to this question.
            let here = held.account.as_ref() == Some(&slot.account) && held.region == slot.region;
            if !here && (held.response.is_some() || held.error.is_some()) {
                return None;
            }
            match (held.response, held.error) {
                (Some(answer), _) => Some((held.parameters, Ok(answer))),
                (None, Some(refusal)) if is_answer(slot.call.form, &refusal.code) => {
                    Some((held.parameters, Err(refusal)))
                }
                (None, None) if slot.call.bare => Some((Parameters::new(), Ok(serde_json::from_str(line).ok()?))),
                _ => None,
            }
        });
        lines.collect()
    }

    /// The manifest of an earlier collection; `None` where there is none.
    pub(crate) fn read_manifest(&self) -> io::Result<Option<Manifest>> {
        self.0.read_manifest()
    }

    /// Writes the manifest.
    pub(crate) fn write_manifest(&self, manifest: &Manifest) -> io::Result<()> {
        self.0.write_manifest(manifest)
    }
}
