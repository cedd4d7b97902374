//! JSON: one object, a List, a list of objects, or a stream of any of them, in one pass.

use std::fmt;

use evenhand_model::evidence::Place;
use evenhand_model::json_error;
use evenhand_model::json_parts::{self, Receive, Source};
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, de};
use serde_json::value::RawValue;

use super::object::{Object, ObjectSeed, Text};
use super::{Found, Problem, Spot};

type Sink<'s> = dyn FnMut(Found<'_, '_>) -> Result<(), Problem> + 's;

/// Lists inside lists deeper than this are no export.
const NESTING: u32 = 8;

const NO_LIST: &str = "`items` is no list of objects";

pub(super) fn read(text: &str, sink: &mut Sink<'_>) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut rest = text;
    let mut line = 1u32;
    let mut first = true;
    loop {
        let trimmed = rest.trim_start();
        line = line.saturating_add(newlines(rest.get(..rest.len() - trimmed.len()).unwrap_or_default()));
        rest = trimmed;
        if rest.is_empty() {
            return problems;
        }
        let stream_line = (!first).then_some(line);
        let place = |at: u32, column: usize| {
            Place::LineColumn(line.saturating_add(at).saturating_sub(1), u32::try_from(column).unwrap_or(u32::MAX))
        };
        let used = match value(rest, &mut problems, sink, &|spot| match (spot, stream_line) {
            (_, Some(line)) => Spot::Line(line),
            (spot, None) => spot,
        }) {
            Ok(used) => used,
            Err(error) => {
                let at = u32::try_from(error.line()).unwrap_or(u32::MAX);
                let reason = format!("the document {}", json_error::reason(&error));
                problems.push(Problem { place: place(at, error.column()), reason });
                // A stream goes on at the next line that can begin a value; a broken list has no next one.
                after_line(rest, error.line())
            }
        };
        let (done, left) = rest.split_at_checked(used).unwrap_or((rest, ""));
        line = line.saturating_add(newlines(done));
        rest = left;
        first = false;
    }
}

/// Reads one large list of objects on all cores: what each part holds goes to a state of its own. `None` where the
/// document is anything else, or holds what is no plain object with its kind: then it is to be read in one pass.
pub(super) fn read_in_parts<S: Send>(
    text: &str,
    start: impl Fn(usize) -> S + Sync,
    take: impl Fn(&mut S, Found<'_, '_>) -> Result<(), Problem> + Sync,
) -> Option<Vec<(S, Vec<Problem>)>> {
    struct Part<'t, S, T> {
        state: S,
        problems: Vec<Problem>,
        take: &'t T,
    }
    impl<'a, S: Send, T: Fn(&mut S, Found<'_, '_>) -> Result<(), Problem> + Sync> Receive<'a> for Part<'_, S, T> {
        fn element(&mut self, _: &'static str, index: u32, source: &mut Source<'a>) -> Result<(), serde_json::Error> {
            let object = ObjectSeed.deserialize(source)?;
            if object.kind.is_empty() || object.kind.as_str().ends_with("List") {
                return Err(de::Error::custom("no plain object"));
            }
            if let Err(problem) = (self.take)(&mut self.state, Found { object, spot: Spot::Item(index), lines: None }) {
                self.problems.push(problem);
            }
            Ok(())
        }
        fn member(&mut self, _: &str, _: &'a RawValue) -> Result<(), serde_json::Error> {
            Ok(())
        }
    }
    let bytes = text.len() / json_parts::most_parts(text).max(1);
    let part = || Part { state: start(bytes), problems: Vec::new(), take: &take };
    let parts = json_parts::read_in_parts(text, &["items"], part)?;
    Some(parts.into_iter().map(|part| (part.state, part.problems)).collect())
}

/// The offset of the next line at or after `line` (from 1) that begins with a brace or bracket; the end where none does.
fn after_line(text: &str, line: usize) -> usize {
    let mut offset = 0;
    for (at, one) in text.split_inclusive('\n').enumerate() {
        if at >= line.max(1) && one.starts_with(['{', '[']) {
            return offset;
        }
        offset += one.len();
    }
    text.len()
}

fn newlines(text: &str) -> u32 {
    u32::try_from(text.bytes().filter(|byte| *byte == b'\n').count()).unwrap_or(u32::MAX)
}

/// Reads one value and tells how many bytes it took.
fn value(
    text: &str,
    problems: &mut Vec<Problem>,
    sink: &mut Sink<'_>,
    spot: &dyn Fn(Spot) -> Spot,
) -> Result<usize, serde_json::Error> {
    let mut top = Top { list_kind: None, kind_missing: false, is_wrong: false, depth: 0, met: 0, spot, problems, sink };
    let mut deserializer = serde_json::Deserializer::from_str(text);
    (&mut top).deserialize(&mut deserializer)?;
    let used = deserializer.into_iter::<IgnoredAny>().byte_offset();
    if top.kind_missing {
        // The items have no kind of their own and the list names it behind them: now it is known where to look.
        let head: Head<'_> = serde_json::from_str(text.get(..used).unwrap_or_default())?;
        let mut top = Top {
            list_kind: Some((head.api_version.0.into_owned(), head.kind.0.into_owned())),
            kind_missing: false,
            is_wrong: false,
            depth: 0,
            met: 0,
            spot,
            problems: top.problems,
            sink: top.sink,
        };
        (&mut top).deserialize(&mut serde_json::Deserializer::from_str(text))?;
    }
    Ok(used)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Head<'a> {
    #[serde(borrow, default)]
    api_version: Text<'a>,
    #[serde(borrow, default)]
    kind: Text<'a>,
}

/// A value at the top of a document.
struct Top<'t, 's> {
    /// apiVersion and kind of the list, once known.
    list_kind: Option<(String, String)>,
    /// Whether items went by that need the list's kind, which was not known yet.
    kind_missing: bool,
    /// Whether something else than a list stands in place of the items.
    is_wrong: bool,
    depth: u32,
    /// How many elements went by.
    met: u32,
    spot: &'t dyn Fn(Spot) -> Spot,
    problems: &'t mut Vec<Problem>,
    sink: &'t mut Sink<'s>,
}

impl Top<'_, '_> {
    fn hand_over(&mut self, mut object: Object<'_>, spot: Spot) {
        let place = |spot: &Spot, of: &Self| (of.spot)(spot.clone()).place("");
        if !object.is_object {
            let place = place(&spot, self);
            self.problems.push(Problem { place, reason: "this is no Kubernetes object".to_owned() });
            return;
        }
        if object.kind.is_empty() {
            match &self.list_kind {
                Some((api_version, kind)) => {
                    let kind = kind.strip_suffix("List").unwrap_or_default().to_owned();
                    object.kind = Text(kind.into());
                    object.api_version = Text(api_version.clone().into());
                }
                None => {
                    self.kind_missing = true;
                    return;
                }
            }
            if object.kind.is_empty() {
                let place = place(&spot, self);
                self.problems.push(Problem { place, reason: "an object without `kind`".to_owned() });
                return;
            }
        }
        if object.kind.as_str().ends_with("List")
            && let Some(items) = object.items.take_if(|items| !is_empty_list(items.get()))
        {
            if self.depth >= NESTING {
                let place = place(&spot, self);
                self.problems.push(Problem { place, reason: "lists are nested too deeply".to_owned() });
                return;
            }
            let prefix = match spot.place("") {
                Place::Pointer(pointer) => pointer.to_string(),
                _ => String::new(),
            };
            let outer = self.spot;
            let nested = |spot: Spot| match spot {
                Spot::Item(at) => outer(Spot::Pointer(format!("{prefix}/items/{at}").into())),
                other => outer(other),
            };
            let kind = (object.api_version.0.to_string(), object.kind.0.to_string());
            let mut inner = Top {
                list_kind: Some(kind),
                kind_missing: false,
                is_wrong: false,
                depth: self.depth + 1,
                met: 0,
                spot: &nested,
                problems: self.problems,
                sink: self.sink,
            };
            // The raw value was validated when it was split off, so this cannot fail.
            let _ = Items(&mut inner).deserialize(&mut serde_json::Deserializer::from_str(items.get()));
            if !inner.is_wrong {
                return;
            }
            let place = outer(Spot::Pointer(format!("{prefix}/items").into())).place("");
            self.problems.push(Problem { place, reason: NO_LIST.to_owned() });
        }
        let spot = (self.spot)(spot);
        if let Err(problem) = (self.sink)(Found { object, spot, lines: None }) {
            self.problems.push(problem);
        }
    }
}

impl<'de> DeserializeSeed<'de> for &mut Top<'_, '_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for &mut Top<'_, '_> {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a Kubernetes object")
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut object = Object { is_object: true, ..Object::default() };
        let (mut listed, mut empty) = (false, false);
        while let Some(key) = map.next_key::<Text<'de>>()? {
            if key.as_str() == "items" {
                listed = true;
                let before = self.met;
                map.next_value_seed(Items(self))?;
                empty = self.met == before;
                continue;
            }
            object.member(key.as_str(), &mut map)?;
            if !object.kind.is_empty() && !object.api_version.is_empty() && self.list_kind.is_none() {
                self.list_kind = Some((object.api_version.0.to_string(), object.kind.0.to_string()));
            }
        }
        let is_list = object.kind.is_empty() || object.kind.as_str().ends_with("List");
        if self.is_wrong && is_list {
            let place = (self.spot)(Spot::Pointer("/items".into())).place("");
            self.problems.push(Problem { place, reason: NO_LIST.to_owned() });
        }
        if !listed || (self.is_wrong && !is_list) {
            self.list_kind = None;
            let kindless = object.kind.is_empty();
            if kindless {
                let place = (self.spot)(Spot::Root).place("");
                self.problems.push(Problem { place, reason: "an object without `kind`".to_owned() });
            } else {
                self.hand_over(object, Spot::Root);
            }
        } else if empty && object.kind.as_str().ends_with("List") {
            // That there is none of a kind is said by the list alone.
            self.hand_over(object, Spot::Root);
        }
        Ok(())
    }
    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<(), A::Error> {
        let outer = self.spot;
        let mut inner = Top {
            list_kind: Some((String::new(), String::new())),
            kind_missing: false,
            is_wrong: false,
            depth: self.depth,
            met: 0,
            spot: &|spot| match spot {
                Spot::Item(at) => outer(Spot::Pointer(format!("/{at}").into())),
                other => outer(other),
            },
            problems: self.problems,
            sink: self.sink,
        };
        Items(&mut inner).visit_seq(seq)
    }
    fn visit_str<E: de::Error>(self, _: &str) -> Result<(), E> {
        Err(E::custom("no object"))
    }
}

fn is_empty_list(json: &str) -> bool {
    json.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).is_some_and(|inside| inside.trim().is_empty())
}

/// The elements of a list, one by one: a list of any length needs the memory of one element.
struct Items<'i, 't, 's>(&'i mut Top<'t, 's>);

impl Items<'_, '_, '_> {
    fn found_none<E>(self) -> Result<(), E> {
        self.0.is_wrong = true;
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Items<'_, '_, '_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Items<'_, '_, '_> {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of objects")
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let mut at = 0;
        while let Some(object) = seq.next_element_seed(ObjectSeed)? {
            self.0.met = self.0.met.saturating_add(1);
            self.0.hand_over(object, Spot::Item(at));
            at = at.saturating_add(1);
        }
        Ok(())
    }
    fn visit_unit<E: de::Error>(self) -> Result<(), E> {
        Ok(())
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        self.found_none()
    }
    fn visit_str<E: de::Error>(self, _: &str) -> Result<(), E> {
        self.found_none()
    }
    fn visit_bool<E: de::Error>(self, _: bool) -> Result<(), E> {
        self.found_none()
    }
    fn visit_i64<E: de::Error>(self, _: i64) -> Result<(), E> {
        self.found_none()
    }
    fn visit_u64<E: de::Error>(self, _: u64) -> Result<(), E> {
        self.found_none()
    }
    fn visit_f64<E: de::Error>(self, _: f64) -> Result<(), E> {
        self.found_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Seen = (String, String);

    fn note(seen: &mut Vec<Seen>, found: &Found<'_, '_>) -> Result<(), Problem> {
        let name = found.object.meta.name.as_str().to_owned();
        let place = found.spot.place("");
        if name.ends_with('7') {
            return Err(Problem { place, reason: name });
        }
        seen.push((format!("{place:?}"), name));
        Ok(())
    }

    #[test]
    fn parts_of_a_large_list_hold_the_objects_and_problems_of_the_whole() {
        let item = |at: usize| {
            let items = [serde_json::json!({"name": "{"}), serde_json::json!({"name": "},\n"})];
            serde_json::json!({"kind": "Pod", "metadata": {"name": format!("pod-{at}")}, "spec": {"containers": items}})
        };
        let list = serde_json::json!({"kind": "List", "items": (0..30_000).map(item).collect::<Vec<_>>()});
        let text = serde_json::to_string_pretty(&list).unwrap();
        let mut whole = Vec::new();
        let problems = read(&text, &mut |found| note(&mut whole, &found));
        let pool = rayon::ThreadPoolBuilder::new().num_threads(3).build().unwrap();
        let parts = pool.install(|| read_in_parts(&text, |_| Vec::new(), |seen, found| note(seen, &found))).unwrap();
        assert!(parts.len() > 1);
        let (seen, found): (Vec<_>, Vec<_>) = parts.into_iter().unzip();
        assert_eq!(seen.concat(), whole);
        let texts = |all: Vec<Problem>| all.iter().map(|one| format!("{one:?}")).collect::<Vec<_>>();
        assert_eq!(texts(found.into_iter().flatten().collect()), texts(problems));
    }

    #[test]
    fn lists_of_lists_and_kindless_items_are_left_to_one_pass() {
        for inner in [serde_json::json!({"kind": "PodList", "items": []}), serde_json::json!({"metadata": {}})] {
            let filler = "x".repeat(1000);
            let items: Vec<_> =
                (0..6000).map(|_| serde_json::json!({"kind": "Pod", "text": filler})).chain([inner]).collect();
            let text = serde_json::to_string_pretty(&serde_json::json!({"kind": "List", "items": items})).unwrap();
            let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap();
            assert!(pool.install(|| read_in_parts(&text, |_| (), |(), _| Ok(()))).is_none());
        }
    }
}
