//! Values as the vendor's tools print them: times in three spellings, lists that may be one thing, parts that several
//! calls share.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;

use evenhand_model::Timestamp;
use serde::de::value::{BorrowedStrDeserializer, MapAccessDeserializer, StrDeserializer};
use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Unexpected, Visitor};

use crate::inventory::arn::Arn;
pub(crate) use crate::scalar::Text;

/// A text that names something and is therefore not empty.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Name<'a>(Text<'a>);

/// The name (ARN) of something, which is more than a text: what is none would be taken for an identity of that name.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct ArnText<'a>(Text<'a>);

impl Deref for Name<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl Deref for ArnText<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Name<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Only { expected: "a name", fits: |text| !text.is_empty() }).map(Self)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for ArnText<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let fits = |text: &str| Arn::parse(text).is_some_and(|arn| !arn.resource.is_empty());
        deserializer.deserialize_str(Only { expected: "a resource name (ARN)", fits }).map(Self)
    }
}

/// Reads a text of a certain kind. Another one is refused while it is read, so that the error knows its place.
struct Only {
    expected: &'static str,
    fits: fn(&str) -> bool,
}

impl<'de> Visitor<'de> for Only {
    type Value = Text<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.expected)
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Text<'de>, E> {
        if (self.fits)(text) { Ok(Text(Cow::Borrowed(text))) } else { Err(E::invalid_value(ANOTHER, &self)) }
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Text<'de>, E> {
        if (self.fits)(text) { Ok(Text(Cow::Owned(text.to_owned()))) } else { Err(E::invalid_value(ANOTHER, &self)) }
    }
}

/// What was found instead is not said: it may be a secret.
const ANOTHER: Unexpected<'static> = Unexpected::Other("another text");

/// A tag of IAM or EC2.
#[derive(serde::Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Tag<'a> {
    #[serde(borrow)]
    pub(super) key: Name<'a>,
    #[serde(borrow)]
    pub(super) value: Option<Text<'a>>,
}

/// An instance profile, of which only the name is read.
#[derive(serde::Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Profile<'a> {
    #[serde(borrow)]
    pub(super) arn: ArnText<'a>,
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

/// What stands where a moment belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum When {
    At(Timestamp),
    /// The vendor's words for none: `N/A`, `no_information`.
    NotSaid,
    /// Something that is no time.
    Odd,
}

impl When {
    /// Reads the spellings of the vendor's tools: RFC 3339, the same with a space instead of `T`, and seconds since 1970.
    pub(crate) fn parse(text: &str) -> Self {
        let text = text.trim();
        match text.parse::<Timestamp>() {
            Ok(moment) => Self::At(moment),
            Err(_) if matches!(text, "" | "N/A" | "no_information" | "not_supported") => Self::NotSaid,
            Err(_) => text.parse::<f64>().map_or(Self::Odd, Self::seconds),
        }
    }

    fn seconds(value: f64) -> Self {
        // The vendor's first service opened in 2006: what is earlier counts something else.
        const FIRST: f64 = 1_136_073_600.0;
        let since = jiff::SignedDuration::try_from_secs_f64(value).ok().filter(|_| value >= FIRST);
        since.and_then(|since| Timestamp::from_duration(since).ok()).map_or(Self::Odd, Self::At)
    }

    /// The moment, where there is one.
    pub(crate) fn time(self) -> Option<Timestamp> {
        match self {
            Self::At(moment) => Some(moment),
            Self::NotSaid | Self::Odd => None,
        }
    }
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

            fn visit_bool<E: Error>(self, _: bool) -> Result<When, E> {
                Ok(When::Odd)
            }

            fn visit_i64<E: Error>(self, _: i64) -> Result<When, E> {
                // Numbers that are not negative come as the other kind.
                Ok(When::Odd)
            }

            fn visit_u64<E: Error>(self, value: u64) -> Result<When, E> {
                // Whoever counts beyond 32 bits does not count seconds of our time.
                Ok(u32::try_from(value).map_or(When::Odd, |value| When::seconds(f64::from(value))))
            }

            fn visit_f64<E: Error>(self, value: f64) -> Result<When, E> {
                Ok(When::seconds(value))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<When, A::Error> {
                while list.next_element::<IgnoredAny>()?.is_some() {}
                Ok(When::Odd)
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<When, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(When::Odd)
            }
        }
        deserializer.deserialize_any(Moment)
    }
}

#[cfg(test)]
mod tests {
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
            assert_eq!(serde_json::from_str::<When>(json).unwrap(), When::At(expected), "{json}");
        }
        for json in [r#""N/A""#, r#""no_information""#, r#""""#] {
            assert_eq!(serde_json::from_str::<When>(json).unwrap(), When::NotSaid, "{json}");
        }
        for json in ["1e300", "7", "-7", "1678358505000", "true", "[1]", r#"{"a":{}}"#, r#""2023-03-09T10""#, r#""7""#]
        {
            assert_eq!(serde_json::from_str::<When>(json).unwrap(), When::Odd, "{json}");
        }
    }

    #[test]
    fn a_name_is_a_text_that_names_something() {
        let name = |json: &str| serde_json::from_str::<Name<'_>>(json).is_ok();
        let arn = |json: &str| serde_json::from_str::<ArnText<'_>>(json).is_ok();
        assert!(name(r#""a""#) && arn(r#""arn:aws:iam::111122223333:user/a""#));
        for json in ["7", "null", "[]", "{}", "true", r#""""#] {
            assert!(!name(json) && !arn(json), "{json}");
        }
        assert!(!arn(r#""a""#) && !arn(r#""arn:aws:iam::111122223333:""#));
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
