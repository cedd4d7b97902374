//! Kubernetes objects, flat and borrowed: what every kind shares is parsed, the rest stays raw until its kind is known.
//!
//! A member of the wrong type is read as absent here and its place is noted, so that one broken object does not end the
//! list it stands in and is not taken for another one.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, de};
use serde_json::value::RawValue;

/// Text, borrowed where the document allows; empty where it is absent or null. Nothing else may stand in its place.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Text<'a>(pub(crate) Cow<'a, str>);

impl Text<'_> {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The text, where there is any.
    pub(crate) fn some(&self) -> Option<&str> {
        Some(self.as_str()).filter(|text| !text.is_empty())
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor;
        impl<'de> Visitor<'de> for TextVisitor {
            type Value = Text<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("text or null")
            }
            fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Borrowed(text)))
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
            fn visit_unit<E: de::Error>(self) -> Result<Self::Value, E> {
                Ok(Text::default())
            }
        }
        deserializer.deserialize_any(TextVisitor)
    }
}

/// Visits that read a value of a type that may not stand there as `$value`.
macro_rules! otherwise {
    ($value:expr) => {
        fn visit_bool<E: de::Error>(self, _: bool) -> Result<Self::Value, E> {
            Ok($value)
        }
        fn visit_i64<E: de::Error>(self, _: i64) -> Result<Self::Value, E> {
            Ok($value)
        }
        fn visit_u64<E: de::Error>(self, _: u64) -> Result<Self::Value, E> {
            Ok($value)
        }
        fn visit_f64<E: de::Error>(self, _: f64) -> Result<Self::Value, E> {
            Ok($value)
        }
        fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
            while seq.next_element::<IgnoredAny>()?.is_some() {}
            Ok($value)
        }
    };
}

/// The same for a value that is a map or null.
macro_rules! otherwise_than_map {
    ($value:expr) => {
        fn visit_unit<E: de::Error>(self) -> Result<Self::Value, E> {
            Ok(Self::Value::default())
        }
        fn visit_str<E: de::Error>(self, _: &str) -> Result<Self::Value, E> {
            Ok($value)
        }
        otherwise!($value);
    };
}

/// Text or null; `None` where something else stands in its place.
struct TextIfAny<'a>(Option<Text<'a>>);

impl<'de: 'a, 'a> Deserialize<'de> for TextIfAny<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AnyVisitor;
        impl<'de> Visitor<'de> for AnyVisitor {
            type Value = TextIfAny<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("any value")
            }
            fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(TextIfAny(Some(Text(Cow::Borrowed(text)))))
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(TextIfAny(Some(Text(Cow::Owned(text.to_owned())))))
            }
            fn visit_unit<E: de::Error>(self) -> Result<Self::Value, E> {
                Ok(TextIfAny(Some(Text::default())))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(TextIfAny(None))
            }
            otherwise!(TextIfAny(None));
        }
        deserializer.deserialize_any(AnyVisitor)
    }
}

/// A value that has to be text: of another scalar its text, as a shell or a server would read it, and of anything else
/// none.
#[derive(Clone, Debug)]
pub(crate) struct ScalarText<'a> {
    pub(crate) text: Text<'a>,
    /// Whether it was text or null.
    pub(crate) fits: bool,
}

impl Default for ScalarText<'_> {
    fn default() -> Self {
        Self { text: Text::default(), fits: true }
    }
}

impl ScalarText<'_> {
    pub(crate) fn as_str(&self) -> &str {
        self.text.as_str()
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for ScalarText<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ScalarVisitor;
        fn other<'de>(value: impl ToString) -> ScalarText<'de> {
            ScalarText { text: Text(Cow::Owned(value.to_string())), fits: false }
        }
        impl<'de> Visitor<'de> for ScalarVisitor {
            type Value = ScalarText<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("any value")
            }
            fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(ScalarText { text: Text(Cow::Borrowed(text)), fits: true })
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(ScalarText { text: Text(Cow::Owned(text.to_owned())), fits: true })
            }
            fn visit_unit<E: de::Error>(self) -> Result<Self::Value, E> {
                Ok(ScalarText::default())
            }
            fn visit_bool<E: de::Error>(self, value: bool) -> Result<Self::Value, E> {
                Ok(other(value))
            }
            fn visit_i64<E: de::Error>(self, value: i64) -> Result<Self::Value, E> {
                Ok(other(value))
            }
            fn visit_u64<E: de::Error>(self, value: u64) -> Result<Self::Value, E> {
                Ok(other(value))
            }
            fn visit_f64<E: de::Error>(self, value: f64) -> Result<Self::Value, E> {
                Ok(other(value))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                Ok(other(""))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(other(""))
            }
        }
        deserializer.deserialize_any(ScalarVisitor)
    }
}

/// The text of a member, or nothing and a note that another type stands at that pointer.
fn text<'de, A: MapAccess<'de>>(
    map: &mut A,
    wrong: &mut Option<&'static str>,
    pointer: &'static str,
) -> Result<Text<'de>, A::Error> {
    let TextIfAny(text) = map.next_value()?;
    if text.is_none() {
        *wrong = wrong.or(Some(pointer));
    }
    Ok(text.unwrap_or_default())
}

/// The text of a member that means something for some kinds only; in the others it may be anything.
fn any_text<'de, A: MapAccess<'de>>(map: &mut A) -> Result<Text<'de>, A::Error> {
    let TextIfAny(text) = map.next_value()?;
    Ok(text.unwrap_or_default())
}

/// Labels or annotations, in the order of the document.
#[derive(Clone, Default, Debug)]
pub(crate) struct Pairs<'a> {
    pairs: Vec<(Text<'a>, Text<'a>)>,
    /// Whether the annotation is there that repeats the whole object. Its value is dropped unread: it holds whatever
    /// secrets the object holds.
    pub(crate) last_applied: bool,
    /// Whether something is no text that has to be one.
    is_wrong: bool,
}

/// The annotation in which `kubectl apply` keeps a copy of the whole object.
pub(crate) const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

impl Pairs<'_> {
    pub(crate) fn get(&self, key: &str) -> Option<&str> {
        self.pairs.iter().find(|(held, _)| held.as_str() == key).map(|(_, value)| value.as_str())
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.pairs.iter().map(|(key, value)| (key.as_str(), value.as_str()))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Pairs<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct PairsVisitor;
        impl<'de> Visitor<'de> for PairsVisitor {
            type Value = Pairs<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("labels or annotations")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut pairs = Pairs::default();
                while let Some(key) = map.next_key::<Text<'de>>()? {
                    if key.as_str() == LAST_APPLIED {
                        pairs.last_applied = true;
                        map.next_value::<IgnoredAny>()?;
                    } else {
                        let ScalarText { text, fits } = map.next_value()?;
                        pairs.is_wrong |= !fits;
                        pairs.pairs.push((key, text));
                    }
                }
                Ok(pairs)
            }
            otherwise_than_map!(Pairs { is_wrong: true, ..Pairs::default() });
        }
        deserializer.deserialize_any(PairsVisitor)
    }
}

/// An object's metadata.
#[derive(Clone, Default, Debug)]
pub(crate) struct Meta<'a> {
    pub(crate) name: Text<'a>,
    pub(crate) namespace: Text<'a>,
    /// Given by a server; absent in manifests.
    pub(crate) uid: Text<'a>,
    pub(crate) created: Text<'a>,
    pub(crate) labels: Pairs<'a>,
    pub(crate) annotations: Pairs<'a>,
    pub(crate) owners: Option<&'a RawValue>,
    /// A pointer to the first member that is not of its type, without which nothing is known of what the object is.
    pub(crate) wrong: Option<&'static str>,
    /// A pointer to the first member that is not of its type and tells of an object that is known without.
    pub(crate) misfit: Option<&'static str>,
}

impl<'de: 'a, 'a> Deserialize<'de> for Meta<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct MetaVisitor;
        impl<'de> Visitor<'de> for MetaVisitor {
            type Value = Meta<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("metadata")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut meta = Meta::default();
                let (wrong, misfit) = (&mut meta.wrong, &mut meta.misfit);
                while let Some(key) = map.next_key::<Text<'de>>()? {
                    match key.as_str() {
                        "name" => meta.name = text(&mut map, wrong, "/metadata/name")?,
                        "namespace" => meta.namespace = text(&mut map, wrong, "/metadata/namespace")?,
                        "uid" => meta.uid = text(&mut map, misfit, "/metadata/uid")?,
                        "creationTimestamp" => meta.created = text(&mut map, misfit, "/metadata/creationTimestamp")?,
                        "labels" => {
                            meta.labels = map.next_value()?;
                            if meta.labels.is_wrong {
                                *misfit = misfit.or(Some("/metadata/labels"));
                            }
                        }
                        "annotations" => {
                            meta.annotations = map.next_value()?;
                            if meta.annotations.is_wrong {
                                *misfit = misfit.or(Some("/metadata/annotations"));
                            }
                        }
                        "ownerReferences" => meta.owners = Some(map.next_value()?),
                        _ => {
                            map.next_value::<IgnoredAny>()?;
                        }
                    }
                }
                Ok(meta)
            }
            otherwise_than_map!(Meta { wrong: Some("/metadata"), ..Meta::default() });
        }
        deserializer.deserialize_any(MetaVisitor)
    }
}

/// Any object. Members that mean something for some kinds only stay raw.
#[derive(Clone, Default, Debug)]
pub(crate) struct Object<'a> {
    pub(crate) api_version: Text<'a>,
    pub(crate) kind: Text<'a>,
    pub(crate) meta: Meta<'a>,
    pub(crate) spec: Option<&'a RawValue>,
    pub(crate) rules: Option<&'a RawValue>,
    pub(crate) aggregation_rule: Option<&'a RawValue>,
    pub(crate) role_ref: Option<&'a RawValue>,
    pub(crate) subjects: Option<&'a RawValue>,
    pub(crate) data: Option<&'a RawValue>,
    pub(crate) string_data: Option<&'a RawValue>,
    pub(crate) type_: Option<&'a RawValue>,
    pub(crate) automount: Option<&'a RawValue>,
    pub(crate) pull_secrets: Option<&'a RawValue>,
    pub(crate) webhooks: Option<&'a RawValue>,
    pub(crate) items: Option<&'a RawValue>,
    /// Of a `Status`, as `reason`, `code` and `details`.
    pub(crate) message: Text<'a>,
    pub(crate) reason: Text<'a>,
    pub(crate) code: Option<&'a RawValue>,
    pub(crate) details: Option<&'a RawValue>,
    /// Whether the value was an object at all.
    pub(crate) is_object: bool,
    /// Whether `apiVersion` is no text.
    pub(super) version_is_wrong: bool,
}

impl<'a> Object<'a> {
    /// Reads the value of one member.
    pub(super) fn member<A: MapAccess<'a>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "apiVersion" => {
                let TextIfAny(version) = map.next_value()?;
                self.version_is_wrong = version.is_none();
                self.api_version = version.unwrap_or_default();
            }
            "kind" => self.kind = any_text(map)?,
            "metadata" => self.meta = map.next_value()?,
            "spec" => self.spec = Some(map.next_value()?),
            "rules" => self.rules = Some(map.next_value()?),
            "aggregationRule" => self.aggregation_rule = Some(map.next_value()?),
            "roleRef" => self.role_ref = Some(map.next_value()?),
            "subjects" => self.subjects = Some(map.next_value()?),
            "data" => self.data = Some(map.next_value()?),
            "stringData" => self.string_data = Some(map.next_value()?),
            "type" => self.type_ = Some(map.next_value()?),
            "automountServiceAccountToken" => self.automount = Some(map.next_value()?),
            "imagePullSecrets" => self.pull_secrets = Some(map.next_value()?),
            "webhooks" => self.webhooks = Some(map.next_value()?),
            "items" => self.items = Some(map.next_value()?),
            "message" => self.message = any_text(map)?,
            "reason" => self.reason = any_text(map)?,
            "code" => self.code = Some(map.next_value()?),
            "details" => self.details = Some(map.next_value()?),
            _ => {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }

    /// A pointer to the first member that is not of the type that it has in every kind, and without which nothing is known of
    /// what the object is.
    pub(crate) fn wrong(&self) -> Option<&'static str> {
        self.version_is_wrong.then_some("/apiVersion").or(self.meta.wrong)
    }

    /// The API group; empty for the core group.
    pub(crate) fn group(&self) -> &str {
        self.api_version.as_str().rsplit_once('/').map_or("", |(group, _)| group)
    }
}

/// Reads one object.
pub(super) struct ObjectSeed;

impl<'de> DeserializeSeed<'de> for ObjectSeed {
    type Value = Object<'de>;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ObjectSeed {
    type Value = Object<'de>;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut object = Object { is_object: true, ..Object::default() };
        while let Some(key) = map.next_key::<Text<'de>>()? {
            object.member(key.as_str(), &mut map)?;
        }
        Ok(object)
    }
    otherwise_than_map!(Object::default());
}

/// Parses a raw member. `None` where it is absent, null or of another shape.
pub(crate) fn raw<'a, T: Deserialize<'a>>(member: Option<&'a RawValue>) -> Option<T> {
    member.and_then(|member| serde_json::from_str(member.get()).ok())
}
