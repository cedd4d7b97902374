//! Texts as documents write them. A name is a text and nothing else: `7` in its place is a fault. Where documents write
//! `true` and `"true"`, `5` and `"5"` for the same thing, any scalar is read as its text.

use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use serde::de::{Deserialize, Deserializer, Error, Visitor};

/// A text, borrowed where the document holds it without escapes.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Text<'a>(pub(crate) Cow<'a, str>);

impl Text<'_> {
    pub(crate) fn shared(self) -> Arc<str> {
        Arc::from(self.0)
    }
}

impl From<Text<'_>> for Arc<str> {
    fn from(text: Text<'_>) -> Self {
        text.shared()
    }
}

impl<'a> From<Text<'a>> for Cow<'a, str> {
    fn from(text: Text<'a>) -> Self {
        text.0
    }
}

impl Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Letters;
        impl<'de> Visitor<'de> for Letters {
            type Value = Text<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text")
            }

            fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Borrowed(text)))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(Letters)
    }
}

/// A scalar as text.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Scalar(pub(crate) Arc<str>);

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl Visitor<'_> for Any {
            type Value = Scalar;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text, a number or a truth value")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Scalar, E> {
                Ok(Scalar(Arc::from(text)))
            }

            fn visit_bool<E: Error>(self, value: bool) -> Result<Scalar, E> {
                Ok(Scalar(Arc::from(if value { "true" } else { "false" })))
            }

            fn visit_i64<E: Error>(self, value: i64) -> Result<Scalar, E> {
                Ok(Scalar(Arc::from(value.to_string())))
            }

            fn visit_u64<E: Error>(self, value: u64) -> Result<Scalar, E> {
                Ok(Scalar(Arc::from(value.to_string())))
            }

            fn visit_f64<E: Error>(self, value: f64) -> Result<Scalar, E> {
                Ok(Scalar(Arc::from(value.to_string())))
            }
        }
        deserializer.deserialize_any(Any)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_no_other_scalar_and_any_scalar_is_a_value() {
        let text = |json: &str| serde_json::from_str::<Text<'_>>(json).ok().map(|text| text.to_string());
        let value = |json: &str| serde_json::from_str::<Scalar>(json).ok().map(|value| value.0.to_string());
        assert_eq!((text(r#""5""#).as_deref(), value(r#""5""#).as_deref()), (Some("5"), Some("5")));
        for (json, scalar) in [("5", Some("5")), ("true", Some("true")), ("null", None), ("[]", None), ("{}", None)] {
            assert_eq!((text(json), value(json).as_deref()), (None, scalar), "{json}");
        }
    }
}
