//! One response of one call, with the place in the document where it stands: reading it part by part, so that a part
//! that cannot be understood costs no other part.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use evenhand_model::Timestamp;
use evenhand_model::document::ReadError;
use evenhand_model::evidence::{Evidence, Fact};
use evenhand_model::{json_error, json_shape};
use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::error::Category;
use serde_json::value::RawValue;

use super::form::Main;
use super::values::{Text, When};
use crate::place;
use crate::world::AccountId;

/// A response to read.
#[derive(Clone)]
pub(crate) struct Sheet<'d> {
    /// The document's path as the user named it.
    pub(crate) path: Arc<str>,
    /// The whole document, to count lines in.
    text: &'d str,
    /// The response.
    root: &'d str,
    /// The JSON pointer of the response.
    prefix: String,
    /// The parameters of the call, where the document says them.
    pub(crate) parameters: BTreeMap<String, String>,
    /// The account of the call, where the document says it.
    pub(crate) account: Option<AccountId>,
    /// The region of the call, where the document says it.
    pub(crate) region: Option<Arc<str>>,
}

/// The members of an object: wanted lists element by element, everything else as it stands.
#[derive(Default)]
pub(crate) struct Parts<'d> {
    /// The elements of wanted lists in the order of the document: list, index, element.
    pub(crate) elements: Vec<(&'static str, usize, &'d RawValue)>,
    /// Wanted lists in whose place something else stands.
    no_lists: Vec<&'static str>,
    /// Other members.
    pub(crate) members: Vec<(Cow<'d, str>, &'d RawValue)>,
}

impl<'d> Parts<'d> {
    /// A member by its name.
    pub(crate) fn member(&self, name: &str) -> Option<&'d RawValue> {
        self.members.iter().find(|(held, _)| held == name).map(|(_, raw)| *raw)
    }
}

impl<'d> Sheet<'d> {
    /// A document that is one response.
    pub(crate) fn new(path: Arc<str>, text: &'d str) -> Self {
        Self { path, text, root: text, prefix: String::new(), parameters: BTreeMap::new(), account: None, region: None }
    }

    /// A response inside the same document.
    pub(crate) fn inside(&self, root: &'d str, step: &str) -> Self {
        Self { root, prefix: format!("{}{step}", self.prefix), ..self.clone() }
    }

    /// The response as text.
    pub(crate) fn root(&self) -> &'d str {
        self.root
    }

    /// A parameter of the call.
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(held, _)| held.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The evidence for something below the response.
    pub(crate) fn evidence(&self, pointer: &str) -> Evidence {
        if self.prefix.is_empty() && pointer.is_empty() {
            return Evidence::whole(Arc::clone(&self.path));
        }
        // Most documents are one response: their pointers are copied once.
        let pointer: Arc<str> = match &*self.prefix {
            "" => Arc::from(pointer),
            prefix => format!("{prefix}{pointer}").into(),
        };
        Evidence::pointer(Arc::clone(&self.path), pointer)
    }

    /// An error about a part of the response.
    pub(crate) fn error(&self, pointer: &str, reason: impl Into<String>, remedy: &str) -> ReadError {
        ReadError { document: self.evidence(pointer).to_string(), reason: reason.into(), remedy: remedy.to_owned() }
    }

    /// An error about a part that has another shape than expected, with the place of what is wrong in it.
    pub(crate) fn shape_error(&self, pointer: &str, part: &str, error: &serde_json::Error) -> ReadError {
        let pointer = format!("{pointer}{}", place::pointer(part, error));
        self.error(&pointer, json_error::reason(error), "export it again as JSON and leave it unchanged")
    }

    /// A moment as a fact. Unknown where the document does not say it; what is no moment is an error too.
    pub(crate) fn moment(
        &self,
        pointer: fmt::Arguments<'_>,
        when: Option<When>,
        errors: &mut Vec<ReadError>,
    ) -> Fact<Timestamp> {
        if when == Some(When::Odd) {
            errors.push(self.error(&pointer.to_string(), "is no time", "export it again and leave it unchanged"));
        }
        Fact::known(when.and_then(When::time))
    }

    /// What one of the vendor's words says. Unknown where the document does not say it; another word is an error too.
    pub(crate) fn word(
        &self,
        pointer: fmt::Arguments<'_>,
        word: Option<&str>,
        meanings: &[(&str, bool)],
        errors: &mut Vec<ReadError>,
    ) -> Fact<bool> {
        let Some(word) = word else { return Fact::Unknown };
        let meaning = meanings.iter().find(|(held, _)| held.eq_ignore_ascii_case(word)).map(|(_, says)| *says);
        if meaning.is_none() {
            let known: Vec<String> = meanings.iter().map(|(word, _)| format!("`{word}`")).collect();
            let reason = format!("is none of {}", known.join(", "));
            errors.push(self.error(&pointer.to_string(), reason, "export it again and leave it unchanged"));
        }
        Fact::known(meaning)
    }

    /// An error about the text of the response, by line and column of the document.
    fn text_error(&self, error: &serde_json::Error) -> ReadError {
        let offset = (self.root.as_ptr() as usize).saturating_sub(self.text.as_ptr() as usize);
        let before = self.text.get(..offset).unwrap_or("");
        let lines = before.bytes().filter(|byte| *byte == b'\n').count();
        let column = before.len() - before.rfind('\n').map_or(0, |at| at + 1);
        let line = lines + error.line().max(1);
        let column = if error.line() <= 1 { column + error.column() } else { error.column() };
        ReadError {
            document: format!("{}:{line}:{column}", self.path),
            reason: json_error::reason(error),
            remedy: "export it again; a cut or edited file cannot be read whole".to_owned(),
        }
    }

    /// The whole response as one thing.
    pub(crate) fn whole<T: Deserialize<'d>>(&self, errors: &mut Vec<ReadError>) -> Option<T> {
        match json_shape::whole(self.root) {
            Ok(read) => Some(read),
            Err(error) => {
                errors.push(if error.classify() == Category::Data {
                    self.shape_error("", self.root, &error)
                } else {
                    self.text_error(&error)
                });
                None
            }
        }
    }

    /// The parts of the response. After an error in its text the parts before it are kept.
    pub(crate) fn parts(&self, wanted: &[&'static str], errors: &mut Vec<ReadError>) -> Parts<'d> {
        let mut parts = Parts::default();
        let mut reader = serde_json::Deserializer::from_str(self.root);
        let read = Walk { wanted, parts: &mut parts }.deserialize(&mut reader).and_then(|()| reader.end());
        errors.extend(parts.no_lists.iter().map(|list| self.no_list(list)));
        if let Err(error) = read {
            errors.push(self.text_error(&error));
        }
        parts
    }

    /// The elements of a response that is a list. After an error in its text those before it are kept.
    pub(crate) fn elements(&self, errors: &mut Vec<ReadError>) -> Vec<&'d RawValue> {
        let mut parts = Parts::default();
        let mut reader = serde_json::Deserializer::from_str(self.root);
        let read = Elements { list: "", parts: &mut parts }.deserialize(&mut reader).and_then(|()| reader.end());
        if let Err(error) = read {
            errors.push(self.text_error(&error));
        }
        parts.elements.into_iter().map(|(_, _, element)| element).collect()
    }

    /// The error that something else stands where a list belongs.
    fn no_list(&self, name: &str) -> ReadError {
        let reason = "has another shape than expected: expected a list";
        self.error(&format!("/{name}"), reason, "export it again as JSON and leave it unchanged")
    }

    /// Whether the response says that more of it follows in another one.
    pub(crate) fn goes_on(&self) -> bool {
        let parts = self.parts(&[], &mut Vec::new());
        let told = |name: &&str| parts.member(name).is_some_and(|raw| !matches!(raw.get(), "null" | "\"\""));
        ["NextToken", "nextToken", "NextMarker"].iter().any(told)
    }

    /// Whether the response has the member that it consists of. Where it has not, that is an error.
    pub(crate) fn has(&self, main: Main, errors: &mut Vec<ReadError>) -> bool {
        let mut cut = Vec::new();
        let parts = self.parts(&[], &mut cut);
        let (name, is_list) = match main {
            Main::List(name) => (name, true),
            Main::Part(name) => (name, false),
        };
        match parts.member(name).map(RawValue::get) {
            Some(held) if (is_list && held.starts_with('[')) || (!is_list && held != "null") => true,
            Some(_) if is_list => {
                errors.push(self.no_list(name));
                false
            }
            // What follows an error in the text was not read: it is not missing.
            None if !cut.is_empty() => true,
            _ => {
                errors.push(self.error("", format!("has no `{name}`"), "export it again with the whole answer"));
                false
            }
        }
    }

    /// The elements of one list at the top of the response.
    pub(crate) fn list<T: Deserialize<'d>>(&self, key: &'static str, errors: &mut Vec<ReadError>) -> Vec<(String, T)> {
        let parts = self.parts(&[key], errors);
        let mut all = Vec::with_capacity(parts.elements.len());
        for (list, index, raw) in parts.elements {
            let pointer = format!("/{list}/{index}");
            if let Some(read) = self.part(&pointer, raw, errors) {
                all.push((pointer, read));
            }
        }
        all
    }

    /// One member at the top of the response; `None` where it is missing or null.
    pub(crate) fn member<T: Deserialize<'d>>(&self, key: &str, errors: &mut Vec<ReadError>) -> Option<T> {
        let raw = self.parts(&[], errors).member(key).filter(|raw| raw.get() != "null")?;
        self.part(&format!("/{key}"), raw, errors)
    }

    /// The member that a response consists of: without it, all of it is missing.
    pub(crate) fn needed<T: Deserialize<'d>>(&self, key: &str, errors: &mut Vec<ReadError>) -> Option<T> {
        let before = errors.len();
        let read = self.member(key, errors);
        if read.is_none() && errors.len() == before {
            errors.push(self.error("", format!("has no `{key}`"), "export it again with the whole answer"));
        }
        read
    }

    /// One part of the response.
    pub(crate) fn part<T: Deserialize<'d>>(
        &self,
        pointer: &str,
        raw: &'d RawValue,
        errors: &mut Vec<ReadError>,
    ) -> Option<T> {
        match json_shape::whole(raw.get()) {
            Ok(read) => Some(read),
            Err(error) => {
                errors.push(self.shape_error(pointer, raw.get(), &error));
                None
            }
        }
    }
}

struct Walk<'w, 'd> {
    wanted: &'w [&'static str],
    parts: &'w mut Parts<'d>,
}

impl<'d> DeserializeSeed<'d> for Walk<'_, 'd> {
    type Value = ();

    fn deserialize<D: Deserializer<'d>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'d> Visitor<'d> for Walk<'_, 'd> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'d>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(Text(key)) = map.next_key()? {
            match self.wanted.iter().find(|wanted| **wanted == key) {
                Some(list) => map.next_value_seed(Elements { list, parts: self.parts })?,
                None => {
                    let value: &'d RawValue = map.next_value()?;
                    self.parts.members.push((key, value));
                }
            }
        }
        Ok(())
    }
}

struct Elements<'w, 'd> {
    list: &'static str,
    parts: &'w mut Parts<'d>,
}

impl Elements<'_, '_> {
    fn no_list<E>(self) -> Result<(), E> {
        self.parts.no_lists.push(self.list);
        Ok(())
    }
}

impl<'d> DeserializeSeed<'d> for Elements<'_, 'd> {
    type Value = ();

    fn deserialize<D: Deserializer<'d>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'d> Visitor<'d> for Elements<'_, 'd> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    // What is no list costs no other one.
    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.no_list()
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<(), E> {
        self.no_list()
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<(), E> {
        self.no_list()
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<(), E> {
        self.no_list()
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<(), E> {
        self.no_list()
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<(), E> {
        self.no_list()
    }

    fn visit_map<A: MapAccess<'d>>(self, mut map: A) -> Result<(), A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        self.no_list()
    }

    fn visit_seq<A: SeqAccess<'d>>(self, mut list: A) -> Result<(), A::Error> {
        let mut index = 0;
        while let Some(element) = list.next_element::<&'d RawValue>()? {
            self.parts.elements.push((self.list, index, element));
            index += 1;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_document_keeps_what_stands_before_the_cut() {
        let text = "{\n \"A\": [1, 2,\n 3";
        let sheet = Sheet::new("x.json".into(), text);
        let mut errors = Vec::new();
        let parts = sheet.parts(&["A"], &mut errors);
        assert_eq!(parts.elements.len(), 3);
        assert_eq!(errors.len(), 1);
        assert!(errors[0].document.starts_with("x.json:3:"), "{}", errors[0].document);
    }

    #[test]
    fn a_part_of_wrong_shape_costs_no_other_part_and_tells_no_value() {
        let text = r#"{"A": [1, "canary-value", 3]}"#;
        let sheet = Sheet::new("x.json".into(), text);
        let mut errors = Vec::new();
        let numbers: Vec<u32> = sheet.list("A", &mut errors).into_iter().map(|(_, n)| n).collect();
        assert_eq!(numbers, [1, 3]);
        assert_eq!(errors[0].document, "x.json#/A/1");
        assert!(!errors[0].to_string().contains("canary"), "{}", errors[0]);
    }

    #[test]
    fn what_is_no_list_costs_no_other_list() {
        for wrong in ["7", "-7", "7.5", "true", "null", r#""a""#, r#"{"a": [1]}"#] {
            let text = format!(r#"{{"A": {wrong}, "B": [1, 2]}}"#);
            let sheet = Sheet::new("x.json".into(), &text);
            let mut errors = Vec::new();
            let parts = sheet.parts(&["A", "B"], &mut errors);
            assert_eq!((parts.elements.len(), errors.len()), (2, 1), "{wrong}");
            assert_eq!((&*errors[0].document, errors[0].reason.ends_with("expected a list")), ("x.json#/A", true));
        }
    }

    #[test]
    fn of_a_list_that_is_cut_the_elements_before_the_cut_are_kept() {
        let mut errors = Vec::new();
        let text = "[{\"a\": 1}, {\"b\": 2}";
        assert_eq!(Sheet::new("x.json".into(), text).elements(&mut errors).len(), 2);
        assert_eq!(errors.len(), 1);
        assert!(errors[0].document.starts_with("x.json:1:"), "{}", errors[0].document);
    }

    #[test]
    fn a_list_is_no_object() {
        #[derive(Debug, serde::Deserialize)]
        #[expect(dead_code, reason = "only whether it is read is looked at")]
        struct Named {
            name: String,
        }
        let text = r#"{"A": [["a"], {"name": "b"}]}"#;
        let sheet = Sheet::new("x.json".into(), text);
        let mut errors = Vec::new();
        assert_eq!(sheet.list::<Named>("A", &mut errors).len(), 1);
        assert_eq!((&*errors[0].document, errors[0].reason.ends_with("expected an object")), ("x.json#/A/0", true));
    }

    #[test]
    fn lines_are_counted_in_the_document_and_not_in_the_part() {
        let text = "{\"call\": \"x\",\n\"response\":\n {\"A\": [1,]}}";
        let sheet = Sheet::new("x.json".into(), text);
        let inner = text.get(text.find("{\"A\"").unwrap()..text.len() - 1).unwrap();
        let mut errors = Vec::new();
        sheet.inside(inner, "/response").parts(&["A"], &mut errors);
        assert!(errors[0].document.starts_with("x.json:3:"), "{}", errors[0].document);
    }
}
