//! Secrets in custom resources, wherever they stand: literals in environments, headers, URLs and command lines, and the
//! names of Secrets.

use std::sync::Arc;

use evenhand_agents::issued::Issued;
use evenhand_model::secret::Fingerprint;
use serde_json::Value;

use super::take::Taking;
use super::{LiteralSecret, arguments, pod, secret};
use crate::documents::{Found, Step};

/// What a custom resource says of secrets.
#[derive(Default)]
pub(super) struct Held {
    pub(super) literals: Vec<LiteralSecret>,
    /// Names of Secrets, sorted.
    pub(super) refs: Vec<Arc<str>>,
}

/// Members whose text members are environment variables or headers by name.
const BY_NAME: &[&str] = &["env", "headers", "addPlaintextHeaders", "defaultHeaders"];
/// Members whose elements have a `name` and perhaps a literal `value`.
const BY_ELEMENT: &[&str] = &["env", "headersFrom", "headers", "httpHeaders"];
/// Ends of members that are addresses, in lower case.
const ADDRESSES: &[&str] = &["url", "uri", "webhook", "endpoint"];
/// Members that are the words of a command line.
const WORDS: &[&str] = &["args", "command", "extraArgs"];
/// Members that name a Secret by `name`.
const REFERENCES: &[&str] =
    &["secretKeyRef", "secretRef", "valueSecretRef", "gitAuthSecretRef", "passwordRef", "clientSecretRef"];
/// Members whose elements name Secrets by `name`.
const LISTS: &[&str] = &["secrets", "secretRefs", "imagePullSecrets"];

/// Everything below `spec`.
pub(super) fn of_spec(spec: &Value, holder: &Arc<str>, found: &Found<'_, '_>, taking: &mut Taking<'_>) -> Held {
    let mut search = Search { holder, found, held: Held::default(), path: vec![Part::Key("spec")] };
    search.value(spec, taking);
    let mut held = search.held;
    held.refs.sort();
    held.refs.dedup();
    held
}

fn is_address(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    ADDRESSES.iter().any(|end| key.ends_with(end))
}

#[derive(Clone, Copy)]
enum Part<'v> {
    Key(&'v str),
    Index(usize),
}

struct Search<'v, 's> {
    holder: &'s Arc<str>,
    found: &'s Found<'s, 's>,
    held: Held,
    path: Vec<Part<'v>>,
}

impl<'v> Search<'v, '_> {
    fn value(&mut self, value: &'v Value, taking: &mut Taking<'_>) {
        match value {
            Value::Object(object) => {
                for (key, inner) in object {
                    self.path.push(Part::Key(key));
                    self.member(key, inner, taking);
                    self.value(inner, taking);
                    self.path.pop();
                }
            }
            Value::Array(list) => {
                for (at, inner) in list.iter().enumerate() {
                    self.path.push(Part::Index(at));
                    self.value(inner, taking);
                    self.path.pop();
                }
            }
            _ => {}
        }
    }

    fn member(&mut self, key: &str, value: &'v Value, taking: &mut Taking<'_>) {
        let name = |value: &'v Value| value.get("name")?.as_str().filter(|name| !name.is_empty());
        match value {
            Value::Object(object) if BY_NAME.contains(&key) => {
                for (variable, text) in object {
                    if let Some(text) = text.as_str() {
                        self.literal(variable, text, false, Some(Part::Key(variable)), taking);
                    }
                }
            }
            Value::Object(_) if REFERENCES.contains(&key) => {
                self.held.refs.extend(name(value).map(|name| taking.share(name)));
            }
            // A reference of kagent says what it refers to.
            Value::Object(object)
                if key == "valueFrom" && object.get("type").and_then(Value::as_str) == Some("Secret") =>
            {
                self.held.refs.extend(name(value).map(|name| taking.share(name)));
            }
            Value::Array(list) if BY_ELEMENT.contains(&key) => {
                for (at, element) in list.iter().enumerate() {
                    if let (Some(variable), Some(text)) = (name(element), element.get("value").and_then(Value::as_str))
                    {
                        self.literal(variable, text, false, Some(Part::Index(at)), taking);
                    }
                }
            }
            Value::Array(list) if WORDS.contains(&key) => {
                let words = list.iter().map(|word| word.as_str().unwrap_or_default());
                for held in arguments::secrets(words, taking.fingerprinter) {
                    let secret = (held.kind, held.issued, held.fingerprint);
                    self.keep(&held.name, secret, true, Some(Part::Index(held.at)), taking);
                }
            }
            Value::Array(list) if LISTS.contains(&key) => {
                self.held.refs.extend(list.iter().filter_map(name).map(|name| taking.share(name)));
            }
            // What stands in an environment is taken by its name.
            Value::String(text) if is_address(key) && !self.is_below_names() => {
                self.literal(key, text, true, None, taking);
            }
            _ => {}
        }
    }

    fn is_below_names(&self) -> bool {
        let above = self.path.iter().rev().nth(1);
        above.is_some_and(|part| matches!(part, Part::Key(key) if BY_NAME.contains(key)))
    }

    fn literal(&mut self, name: &str, value: &str, in_url: bool, last: Option<Part<'_>>, taking: &mut Taking<'_>) {
        if let Some((kind, fingerprint)) = secret::found(name, value, taking.fingerprinter) {
            self.keep(name, (kind, secret::issued(name, value), fingerprint), in_url, last, taking);
        }
    }

    fn keep(
        &mut self,
        name: &str,
        (kind, issued, fingerprint): (&'static str, Option<Issued>, Fingerprint),
        in_arguments: bool,
        last: Option<Part<'_>>,
        taking: &mut Taking<'_>,
    ) {
        let parts = || self.path.iter().copied().chain(last);
        let path: Vec<Step<'_>> = parts()
            .map(|part| match part {
                Part::Key(key) => Step::Key(key),
                Part::Index(at) => Step::Index(at),
            })
            .collect();
        let pointer: String = parts()
            .map(|part| match part {
                Part::Key(key) => format!("/{}", pod::escaped(key)),
                Part::Index(at) => format!("/{at}"),
            })
            .collect();
        self.held.literals.push(LiteralSecret {
            holder: Arc::clone(self.holder),
            key: taking.share(name),
            kind,
            issued,
            fingerprint,
            in_arguments,
            in_metadata: self.found.object.meta.annotations.last_applied,
            origin: taking.origin(self.found.spot_of(&path, &pointer)),
            file: taking.file,
        });
    }
}
