//! Lists of scalars, for which policy documents write a single scalar as well.

use std::fmt;
use std::sync::Arc;

use serde::de::{Deserialize, Deserializer, Error, SeqAccess, Visitor};

use crate::catalog::Catalogue;
use crate::scalar::{Scalar, Text};

/// A scalar or a list of scalars.
pub(crate) struct Texts(pub(crate) Vec<Arc<str>>);

impl Texts {
    /// The texts as action names: those of the catalogue share its copy.
    pub(super) fn actions(self) -> Vec<Arc<str>> {
        let catalogue = Catalogue::global();
        self.0.into_iter().map(|name| catalogue.share(name)).collect()
    }
}

impl<'de> Deserialize<'de> for Texts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OneOrMany;
        impl<'de> Visitor<'de> for OneOrMany {
            type Value = Texts;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text or a list of texts")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Texts, E> {
                Ok(Texts(vec![Arc::from(text)]))
            }

            fn visit_bool<E: Error>(self, value: bool) -> Result<Texts, E> {
                Scalar.visit_bool(value).map(|text| Texts(vec![text.shared()]))
            }

            fn visit_i64<E: Error>(self, value: i64) -> Result<Texts, E> {
                Scalar.visit_i64(value).map(|text| Texts(vec![text.shared()]))
            }

            fn visit_u64<E: Error>(self, value: u64) -> Result<Texts, E> {
                Scalar.visit_u64(value).map(|text| Texts(vec![text.shared()]))
            }

            fn visit_f64<E: Error>(self, value: f64) -> Result<Texts, E> {
                Scalar.visit_f64(value).map(|text| Texts(vec![text.shared()]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Texts, A::Error> {
                let mut texts = Vec::new();
                while let Some(text) = list.next_element::<Text<'_>>()? {
                    texts.push(text.shared());
                }
                Ok(Texts(texts))
            }
        }
        deserializer.deserialize_any(OneOrMany)
    }
}
