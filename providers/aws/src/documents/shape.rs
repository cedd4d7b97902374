//! The keys of an answer that stands inside a document: lines of a stream, elements of a list.

use evenhand_model::document::Head;
use serde_json::value::RawValue;

use super::sheet::Sheet;

/// The keys at the top of a JSON text and of the first object of each list there, and which lists have none.
pub(crate) fn head_of(json: &str) -> Head {
    let mut head = Head::default();
    let mut ignored = Vec::new();
    let parts = Sheet::new("".into(), json).parts(&[], &mut ignored);
    for (key, raw) in &parts.members {
        head.keys.push(key.to_string());
        match raw.get().as_bytes().first() {
            Some(b'[') => {
                if serde_json::from_str::<Vec<&RawValue>>(raw.get()).is_ok_and(|list| list.is_empty()) {
                    head.empty_lists.push(key.to_string());
                } else if let Some(first) = first_element(raw.get()) {
                    let keys = Sheet::new("".into(), first).parts(&[], &mut ignored).members;
                    head.elements.push((key.to_string(), keys.into_iter().map(|(key, _)| key.into_owned()).collect()));
                }
            }
            Some(b'"') if raw.get().len() <= 256 => {
                if let Ok(text) = serde_json::from_str::<String>(raw.get()) {
                    head.values.push((key.to_string(), text));
                }
            }
            _ => {}
        }
    }
    head
}

/// The keys of an object that is a member at the top of a JSON text. `None` where it is none, or cut.
pub(crate) fn head_of_member(json: &str, member: &str) -> Option<Head> {
    let parts = Sheet::new("".into(), json).parts(&[], &mut Vec::new());
    parts.member(member).map(RawValue::get).filter(|raw| raw.starts_with('{')).map(head_of)
}

/// The first object of a list: an element before it is damaged and tells nothing.
fn first_element(list: &str) -> Option<&str> {
    let elements: Vec<&RawValue> = serde_json::from_str(list).ok()?;
    elements.into_iter().map(RawValue::get).find(|raw| raw.starts_with('{'))
}
