//! Values as the vendor's tools print them: times in three spellings, lists that may be one thing, parts that several
//! calls share.

use std::fmt;
use std::marker::PhantomData;

use evenhand_model::Timestamp;
use evenhand_model::evidence::Fact;
use serde::de::value::{BorrowedStrDeserializer, MapAccessDeserializer, StrDeserializer};
use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};

pub(crate) use crate::scalar::Text;

/// A tag of IAM or EC2.
#[derive(serde::Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Tag<'a> {
    #[serde(borrow)]
    pub(super) key: Text<'a>,
    #[serde(borrow)]
    pub(super) value: Option<Text<'a>>,
}

/// An instance profile, of which only the name is read.
#[derive(serde::Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Profile<'a> {
    #[serde(borrow)]
    pub(super) arn: Text<'a>,
}

/// A list; a single thing stands for a list of one, and null for an empty one.
#[derive(Clone, Debug)]
pub(crate) struct List<T>(pub(crate) Vec<T>);

impl<T> Default for List<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for List<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OneOrMany<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for OneOrMany<T> {
            type Value = List<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list")
            }

            fn visit_unit<E: Error>(self) -> Result<List<T>, E> {
                Ok(List::default())
            }

            fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<List<T>, E> {
                T::deserialize(BorrowedStrDeserializer::new(text)).map(|one| List(vec![one]))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<List<T>, E> {
                T::deserialize(StrDeserializer::new(text)).map(|one| List(vec![one]))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<List<T>, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(|one| List(vec![one]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<List<T>, A::Error> {
                let mut all = Vec::with_capacity(list.size_hint().unwrap_or(0).min(64));
                while let Some(one) = list.next_element()? {
                    all.push(one);
                }
                Ok(List(all))
            }
        }
        deserializer.deserialize_any(OneOrMany(PhantomData))
    }
}

/// A moment; `None` where the text is no time, as in `N/A` or `no_information`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct When(pub(crate) Option<Timestamp>);

impl When {
    /// Reads the spellings of the vendor's tools: RFC 3339, the same with a space instead of `T`, and seconds since 1970.
    pub(crate) fn parse(text: &str) -> Self {
        let text = text.trim();
        Self(text.parse::<Timestamp>().ok().or_else(|| text.parse::<f64>().ok().and_then(seconds)))
    }
}

fn seconds(value: f64) -> Option<Timestamp> {
    jiff::SignedDuration::try_from_secs_f64(value).ok().and_then(|since| Timestamp::from_duration(since).ok())
}

impl<'de> Deserialize<'de> for When {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Moment;
        impl<'de> Visitor<'de> for Moment {
            type Value = When;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a time")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<When, E> {
                Ok(When::parse(text))
            }

            fn visit_i64<E: Error>(self, value: i64) -> Result<When, E> {
                Ok(When(Timestamp::from_second(value).ok()))
            }

            fn visit_u64<E: Error>(self, value: u64) -> Result<When, E> {
                Ok(When(i64::try_from(value).ok().and_then(|value| Timestamp::from_second(value).ok())))
            }

            fn visit_f64<E: Error>(self, value: f64) -> Result<When, E> {
                Ok(When(seconds(value)))
            }
        }
        deserializer.deserialize_any(Moment)
    }
}

/// The moment as a fact; unknown where the document does not say or says it in a way that is no time.
pub(crate) fn moment(when: Option<When>) -> Fact<Timestamp> {
    Fact::known(when.and_then(|when| when.0))
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;

    #[test]
    fn a_moment_is_read_in_every_spelling_of_the_vendor() {
        let expected: Timestamp = "2023-03-09T10:41:45Z".parse().unwrap();
        for json in [
            r#""2023-03-09 10:41:45+00:00""#,
            r#""2023-03-09T10:41:45Z""#,
            r#""2023-03-09T10:41:45+00:00""#,
            r#""2023-03-09T11:41:45.000000+01:00""#,
            "1678358505",
            "1678358505.0",
            r#""1678358505""#,
        ] {
            assert_eq!(serde_json::from_str::<When>(json).unwrap(), When(Some(expected)), "{json}");
        }
        for json in [r#""N/A""#, r#""no_information""#, r#""""#, "1e300"] {
            assert_eq!(serde_json::from_str::<When>(json).unwrap(), When(None), "{json}");
        }
    }

    #[test]
    fn one_thing_is_a_list_of_one_and_null_is_an_empty_list() {
        let texts = |json: &str| serde_json::from_str::<List<String>>(json).unwrap().0;
        assert_eq!(texts(r#""a""#), ["a"]);
        assert_eq!(texts(r#"["a","b"]"#), ["a", "b"]);
        assert_eq!(texts("null"), Vec::<String>::new());
        let text = serde_json::from_str::<List<Text<'_>>>(r#"["a","\u0062"]"#).unwrap().0;
        assert!(matches!(text.as_slice(), [Text(Cow::Borrowed("a")), Text(Cow::Owned(b))] if b == "b"));
    }
}
