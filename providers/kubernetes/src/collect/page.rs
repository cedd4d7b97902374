//! A page of a list: checked, cleaned and written object by object.

use std::io;

use evenhand_model::secret::Fingerprinter;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::folder::List;
use super::kinds::{Ask, Kind};
use super::withhold;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Whole<'a> {
    kind: String,
    api_version: String,
    #[serde(default)]
    metadata: Meta,
    #[serde(borrow, default)]
    items: Option<Vec<&'a RawValue>>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Meta {
    resource_version: String,
    #[serde(rename = "continue")]
    next: String,
}

/// Why a page was not written.
#[derive(Debug)]
pub(crate) enum NoPage {
    /// It is no list as the API has them.
    Malformed,
    /// The disk.
    Disk(io::Error),
}

impl From<io::Error> for NoPage {
    fn from(error: io::Error) -> Self {
        Self::Disk(error)
    }
}

/// What answers with metadata alone calls itself.
const METADATA: &str = "PartialObjectMetadata";

/// Writes the objects of a page. Returns where the list goes on.
pub(crate) fn write(
    bytes: &[u8],
    kind: &Kind,
    list: &mut List,
    fingerprinter: &Fingerprinter,
) -> Result<Option<String>, NoPage> {
    let page: Whole<'_> = serde_json::from_slice(bytes).map_err(|_| NoPage::Malformed)?;
    let of = page.kind.strip_suffix("List").filter(|of| !of.is_empty()).ok_or(NoPage::Malformed)?;
    let metadata = matches!(kind.ask, Ask::Metadata { .. });
    // Of a kind that has a name no other will do; of Secrets their metadata or, unasked, all of them.
    if !kind.kind.is_empty() && of != kind.kind && !(metadata && of == METADATA) {
        return Err(NoPage::Malformed);
    }
    let (api_version, of) = if metadata { (kind.version, kind.kind) } else { (page.api_version.as_str(), of) };
    list.head(api_version, of, &page.metadata.resource_version)?;
    for item in page.items.unwrap_or_default() {
        let item: Map<String, Value> = serde_json::from_str(item.get()).map_err(|_| NoPage::Malformed)?;
        list.object(&kept(item, kind, api_version, of, fingerprinter))?;
    }
    Ok(Some(page.metadata.next).filter(|next| !next.is_empty()))
}

/// Writes a single object as a list of one. False where it is of another kind.
pub(crate) fn write_one(
    bytes: &[u8],
    kind: &Kind,
    list: &mut List,
    fingerprinter: &Fingerprinter,
) -> Result<(), NoPage> {
    let object: Map<String, Value> = serde_json::from_slice(bytes).map_err(|_| NoPage::Malformed)?;
    if object.get("kind").and_then(Value::as_str) != Some(kind.kind) {
        return Err(NoPage::Malformed);
    }
    list.head(kind.version, kind.kind, "")?;
    Ok(list.object(&kept(object, kind, kind.version, kind.kind, fingerprinter))?)
}

/// What is kept of an object: its version and kind first, as single objects have them.
fn kept(
    mut object: Map<String, Value>,
    kind: &Kind,
    api_version: &str,
    of: &str,
    fingerprinter: &Fingerprinter,
) -> Map<String, Value> {
    let mut whole = Map::new();
    let mut own =
        |name: &str, other: &str| object.remove(name).filter(Value::is_string).unwrap_or_else(|| other.into());
    let (own_version, own_kind) = (own("apiVersion", api_version), own("kind", of));
    match kind.ask {
        Ask::Metadata { type_, .. } => {
            whole.insert("apiVersion".to_owned(), api_version.into());
            whole.insert("kind".to_owned(), of.into());
            // Whatever else was sent is dropped here and now.
            whole.extend(object.remove_entry("metadata"));
            whole.extend(type_.map(|type_| ("type".to_owned(), Value::from(type_))));
        }
        Ask::Objects | Ask::Object { .. } => {
            whole.insert("apiVersion".to_owned(), own_version);
            whole.insert("kind".to_owned(), own_kind);
            whole.append(&mut object);
        }
    }
    withhold::clean(&mut whole, kind.status, fingerprinter);
    whole
}
