//! JSON read into types as they are declared: an object is an object, and no list of its members' values stands for it, as
//! serde would have it. What does not fit is told with its place.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, forward_to_deserialize_any};

use crate::decide::pointer;

/// Why a text does not fit.
#[derive(Debug)]
pub struct Unfit {
    /// Where in the text, as a JSON pointer (RFC 6901); empty for the text as a whole.
    pub below: String,
    /// Why. Its words may quote the text: [`crate::json_error::reason`] tells them without.
    pub error: serde_json::Error,
}

impl Unfit {
    /// The same, in a text that stands at a pointer.
    pub fn within(self, pointer: &str) -> Self {
        Self { below: format!("{pointer}{}", self.below), ..self }
    }
}

/// Reads a whole text.
///
/// # Errors
/// Where the text is no JSON, or not of this type.
pub fn from_str<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, Unfit> {
    whole(text).map_err(|error| {
        // Keeping track of the place costs time, so that it is done where there is something to tell.
        let mut again = serde_json::Deserializer::from_str(text);
        let tracked = serde_path_to_error::deserialize::<_, T>(Declared(&mut again));
        Unfit { below: tracked.err().map_or_else(String::new, |tracked| pointer(tracked.path(), is_member)), error }
    })
}

/// Reads a whole text, without an eye on the place of what does not fit.
///
/// # Errors
/// Where the text is no JSON, or not of this type.
pub fn whole<'a, T: Deserialize<'a>>(text: &'a str) -> serde_json::Result<T> {
    let mut source = serde_json::Deserializer::from_str(text);
    let value = read(&mut source)?;
    source.end()?;
    Ok(value)
}

/// Reads the next value of a source.
///
/// # Errors
/// Where the value is not of this type.
pub fn read<'de, T: Deserialize<'de>, D: Deserializer<'de>>(source: D) -> Result<T, D::Error> {
    T::deserialize(Declared(source))
}

/// Whether a key looks like a member of some vendor's. Any other is the document's own and may hold a secret: a pointer
/// that is told ends above it.
pub fn is_member(key: &str) -> bool {
    key.chars().all(|letter| letter.is_ascii_alphabetic() || "_@.".contains(letter))
}

/// What serde is made of, with one change: where a struct is asked for, only an object is one.
struct Declared<T>(T);

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Declared<D> {
    type Error = D::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.0.deserialize_any(Declared(visitor))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.0.deserialize_map(Declared(visitor))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.0.deserialize_option(Declared(visitor))
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, D::Error> {
        self.0.deserialize_newtype_struct(name, Declared(visitor))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.0.deserialize_enum(name, variants, visitor)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.0.deserialize_ignored_any(visitor)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map identifier
    }
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Declared<V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.expecting(f)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<V::Value, E> {
        self.0.visit_bool(value)
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<V::Value, E> {
        self.0.visit_i64(value)
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<V::Value, E> {
        self.0.visit_u64(value)
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<V::Value, E> {
        self.0.visit_f64(value)
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<V::Value, E> {
        self.0.visit_str(value)
    }

    fn visit_borrowed_str<E: Error>(self, value: &'de str) -> Result<V::Value, E> {
        self.0.visit_borrowed_str(value)
    }

    fn visit_string<E: Error>(self, value: String) -> Result<V::Value, E> {
        self.0.visit_string(value)
    }

    fn visit_unit<E: Error>(self) -> Result<V::Value, E> {
        self.0.visit_unit()
    }

    fn visit_none<E: Error>(self) -> Result<V::Value, E> {
        self.0.visit_none()
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<V::Value, D::Error> {
        self.0.visit_some(Declared(deserializer))
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<V::Value, D::Error> {
        self.0.visit_newtype_struct(Declared(deserializer))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<V::Value, A::Error> {
        self.0.visit_seq(Declared(seq))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<V::Value, A::Error> {
        self.0.visit_map(Declared(map))
    }
}

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for Declared<S> {
    type Value = S::Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<S::Value, D::Error> {
        self.0.deserialize(Declared(deserializer))
    }
}

impl<'de, A: SeqAccess<'de>> SeqAccess<'de> for Declared<A> {
    type Error = A::Error;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, A::Error> {
        self.0.next_element_seed(Declared(seed))
    }

    fn size_hint(&self) -> Option<usize> {
        self.0.size_hint()
    }
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Declared<A> {
    type Error = A::Error;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, A::Error> {
        self.0.next_key_seed(seed)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, A::Error> {
        self.0.next_value_seed(Declared(seed))
    }

    fn size_hint(&self) -> Option<usize> {
        self.0.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::value::RawValue;

    use super::*;

    #[derive(Debug, Default, Deserialize)]
    #[serde(default)]
    struct Binding<'a> {
        #[serde(borrow)]
        name: Option<&'a str>,
        #[serde(borrow)]
        subjects: Option<Vec<Subject<'a>>>,
        #[serde(borrow)]
        rest: Option<&'a RawValue>,
        labels: BTreeMap<String, Option<u64>>,
        weight: Weight,
    }

    #[derive(Debug, Default, Deserialize)]
    #[serde(default)]
    struct Subject<'a> {
        #[serde(borrow)]
        name: Option<&'a str>,
        is_group: bool,
    }

    #[derive(Debug, Default, Deserialize)]
    struct Weight(f64);

    #[test]
    fn what_fits_is_read_as_serde_reads_it() {
        let text = r#"{"name": "a", "subjects": [{"name": "b", "is_group": true}], "rest": {"x": [1]}, "labels": {"c": 1, "d": null}, "weight": 2, "other": [{}]}"#;
        let read: Binding<'_> = from_str(text).unwrap();
        let plain: Binding<'_> = serde_json::from_str(text).unwrap();
        assert_eq!(format!("{read:?}"), format!("{plain:?}"));
        assert_eq!(read.rest.map(RawValue::get), Some(r#"{"x": [1]}"#));
        let subject = read.subjects.and_then(|subjects| subjects.into_iter().next()).unwrap();
        assert!(read.name == Some("a") && subject.name == Some("b") && subject.is_group);
        assert!(read.labels.contains_key("d") && read.weight.0 > 1.0);
    }

    #[test]
    fn a_list_is_no_object_and_every_misfit_has_its_place() {
        for (text, below) in [
            (r#"["a"]"#, ""),
            (r#"{"subjects": [{}, ["b", true]]}"#, "/subjects/1"),
            (r#"{"subjects": [{"name": 7}]}"#, "/subjects/0/name"),
            (r#"{"labels": {"team": "x"}}"#, "/labels/team"),
            (r#"{"labels": {"sk-0123": "x"}}"#, "/labels"),
            (r#"{"weight": []}"#, "/weight"),
            ("{} {}", ""),
        ] {
            assert_eq!(from_str::<Binding<'_>>(text).unwrap_err().below, below, "{text}");
        }
    }
}
