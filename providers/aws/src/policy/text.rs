//! Lists, for which policy documents write a single entry as well: of names, which are texts, and of the values of
//! conditions, which may be any scalars.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use serde::de::{Deserialize, Deserializer, Error, SeqAccess, Unexpected, Visitor};

use crate::scalar::{Scalar, Text};

/// A text or a list of texts, each in the form that is wanted of it. An empty one names nothing, and the vendor takes none.
pub(crate) struct Texts<T = Arc<str>>(pub(crate) Vec<T>);

fn entry<'de, T: From<Text<'de>>, E: Error>(text: Text<'de>) -> Result<T, E> {
    if text.is_empty() {
        return Err(E::invalid_value(Unexpected::Str(""), &"a text that is not empty"));
    }
    Ok(T::from(text))
}

impl<'de, T: From<Text<'de>>> Deserialize<'de> for Texts<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OneOrMany<T>(PhantomData<T>);
        impl<'de, T: From<Text<'de>>> Visitor<'de> for OneOrMany<T> {
            type Value = Texts<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text or a list of texts")
            }

            fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Texts<T>, E> {
                entry(Text(text.into())).map(|one| Texts(vec![one]))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Texts<T>, E> {
                entry(Text(text.to_owned().into())).map(|one| Texts(vec![one]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Texts<T>, A::Error> {
                let mut texts = Vec::new();
                while let Some(text) = list.next_element::<Text<'de>>()? {
                    texts.push(entry::<T, A::Error>(text)?);
                }
                Ok(Texts(texts))
            }
        }
        deserializer.deserialize_any(OneOrMany(PhantomData))
    }
}

/// A scalar or a list of scalars.
pub(crate) struct Values(pub(crate) Vec<Arc<str>>);

impl<'de> Deserialize<'de> for Values {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OneOrMany;

        fn one(text: impl Into<Arc<str>>) -> Values {
            Values(vec![text.into()])
        }

        impl<'de> Visitor<'de> for OneOrMany {
            type Value = Values;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value or a list of values")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Values, E> {
                Ok(one(text))
            }

            fn visit_bool<E: Error>(self, value: bool) -> Result<Values, E> {
                Ok(one(value.to_string()))
            }

            fn visit_i64<E: Error>(self, value: i64) -> Result<Values, E> {
                Ok(one(value.to_string()))
            }

            fn visit_u64<E: Error>(self, value: u64) -> Result<Values, E> {
                Ok(one(value.to_string()))
            }

            fn visit_f64<E: Error>(self, value: f64) -> Result<Values, E> {
                Ok(one(value.to_string()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Values, A::Error> {
                let mut values = Vec::new();
                while let Some(Scalar(value)) = list.next_element()? {
                    values.push(value);
                }
                Ok(Values(values))
            }
        }
        deserializer.deserialize_any(OneOrMany)
    }
}
