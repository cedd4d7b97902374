//! Where in a JSON text a reading stopped, as a JSON pointer: the reader itself tells lines and columns only.

use std::borrow::Cow;

use evenhand_model::decide;
use evenhand_model::json_shape::is_member;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::scalar::Text;

/// The pointer from the top of a text to the value that could not be read as wanted; empty where that is the whole. It ends
/// above a key that may hold a secret.
pub(crate) fn pointer(json: &str, error: &serde_json::Error) -> String {
    let mut pointer = String::new();
    // What is no JSON is told by line and column; what nests too deeply, by where it begins.
    let Some(mut at) = offset(json, error).filter(|_| error.is_data()) else { return pointer };
    let mut json = json;
    while let Some((step, begin, value)) = step(json, at) {
        pointer.push_str(&step);
        at -= begin;
        json = value;
    }
    pointer
}

/// How many bytes were read when the error was met.
fn offset(json: &str, error: &serde_json::Error) -> Option<usize> {
    let before = error.line().checked_sub(1)?;
    let lines: usize = json.split_inclusive('\n').take(before).map(str::len).sum();
    Some(lines + error.column())
}

/// The member or element in which, or just behind which, the reading stopped: the step to it, where it begins, and itself.
/// `None` also for a member whose name is not told.
fn step(json: &str, at: usize) -> Option<(String, usize, &str)> {
    let reached = |value: &RawValue| {
        let begin = (value.get().as_ptr() as usize).checked_sub(json.as_ptr() as usize)?;
        // A list or object that is not wanted is not entered; a text or number is read first.
        let is_entered = begin < at || value.get().starts_with(['[', '{']);
        ((begin..=begin + value.get().len()).contains(&at) && is_entered).then_some(begin)
    };
    if json.starts_with('[') {
        let mut elements = serde_json::from_str::<Vec<&RawValue>>(json).ok()?.into_iter().enumerate();
        return elements.find_map(|(index, value)| Some((format!("/{index}"), reached(value)?, value.get())));
    }
    let Members(members) = serde_json::from_str(json).ok()?;
    let (name, begin, value) =
        members.into_iter().find_map(|(name, value)| Some((name, reached(value)?, value.get())))?;
    is_member(&name).then(|| (decide::step(&name), begin, value))
}

/// The members of an object in its order, doubled ones too.
struct Members<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct All;
        impl<'de> Visitor<'de> for All {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
                let mut members = Vec::new();
                while let Some((Text(name), value)) = map.next_entry()? {
                    members.push((name, value));
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(All)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize)]
    #[expect(dead_code, reason = "only its errors are looked at")]
    struct Form<'a> {
        #[serde(borrow)]
        name: Text<'a>,
        #[serde(default)]
        numbers: Vec<u32>,
        #[serde(borrow, default)]
        more: BTreeMap<String, Vec<Form<'a>>>,
    }

    #[test]
    fn a_value_of_another_kind_is_found_wherever_it_stands() {
        for (json, expected) in [
            (r#"{"name":7}"#, "/name"),
            (r#"{"name": null, "numbers": []}"#, "/name"),
            (r#"{"numbers": [], "name": {"a": 1}}"#, "/name"),
            (r#"{"numbers": [], "name": [1]}"#, "/name"),
            ("{\n  \"name\": \"é\",\n  \"numbers\": [1,\n 2, \"3\"]\n}", "/numbers/2"),
            (r#"{"name":"a","numbers":{}}"#, "/numbers"),
            (r#"{"name":"a","more":{"b":[{"name":"d"},{"name":true}]}}"#, "/more/b/1/name"),
            // A key that may be a secret is not told.
            (r#"{"name":"a","more":{"ghp_16C7":[{"name":"d"},{"name":true}]}}"#, "/more"),
            (r#"{"name":"a","more":{"b/c":[{"name":true}]}}"#, "/more"),
            (r#"{"name":"a","more":{"b":[{"name":"d"},{}]}}"#, "/more/b/1"),
            (r#"{"numbers":[]}"#, ""),
            ("7", ""),
            (r#"{"name":"a","numbers":[1,]}"#, ""),
        ] {
            let error = serde_json::from_str::<Form<'_>>(json).err().unwrap();
            assert_eq!(pointer(json, &error), expected, "{json}");
        }
    }
}
