//! Lists of scalars, for which policy documents write a single scalar as well.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use serde::de::{Deserialize, Deserializer, Error, SeqAccess, Visitor};

use crate::scalar::{Scalar, Text};

/// A scalar or a list of scalars, each in the form that is wanted of it.
pub(crate) struct Texts<T = Arc<str>>(pub(crate) Vec<T>);

fn one<'de, T: From<Text<'de>>>(text: Text<'de>) -> Texts<T> {
    Texts(vec![T::from(text)])
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
                Scalar.visit_borrowed_str(text).map(one)
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Texts<T>, E> {
                Scalar.visit_str(text).map(one)
            }

            fn visit_bool<E: Error>(self, value: bool) -> Result<Texts<T>, E> {
                Scalar.visit_bool(value).map(one)
            }

            fn visit_i64<E: Error>(self, value: i64) -> Result<Texts<T>, E> {
                Scalar.visit_i64(value).map(one)
            }

            fn visit_u64<E: Error>(self, value: u64) -> Result<Texts<T>, E> {
                Scalar.visit_u64(value).map(one)
            }

            fn visit_f64<E: Error>(self, value: f64) -> Result<Texts<T>, E> {
                Scalar.visit_f64(value).map(one)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Texts<T>, A::Error> {
                let mut texts = Vec::new();
                while let Some(text) = list.next_element::<Text<'de>>()? {
                    texts.push(T::from(text));
                }
                Ok(Texts(texts))
            }
        }
        deserializer.deserialize_any(OneOrMany(PhantomData))
    }
}
