//! One list or object: its address, the form that is asked for, and the document that keeps the answer.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::kinds::{Ask, Kind};
use crate::server::manifest::Call;

/// The vendor's own form.
pub(crate) const JSON: &str = "application/json";
/// Metadata and nothing else: a server that cannot is to refuse.
const METADATA: &str = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";

/// Everything but what may stand in a query as it is.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A list or object to ask for: a kind, as the server serves it.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    pub(crate) kind: &'static Kind,
    pub(crate) resource: String,
    pub(crate) version: String,
}

impl Item {
    /// The call as roles name it.
    pub(crate) fn call(&self) -> Call {
        self.kind.call_of(&self.resource)
    }

    /// The document of the answer.
    pub(crate) fn document(&self) -> String {
        match self.kind.ask {
            Ask::Metadata { document, .. } | Ask::Object { document, .. } => format!("{document}.json"),
            Ask::Objects if self.kind.group.is_empty() => format!("{}.json", self.resource),
            Ask::Objects => format!("{}.{}.json", self.resource, self.kind.group),
        }
    }

    /// The path, and what follows it but for the paging.
    pub(crate) fn path(&self) -> String {
        let base = match self.kind.group {
            "" => format!("/api/{}", self.version),
            group => format!("/apis/{group}/{}", self.version),
        };
        match self.kind.ask {
            Ask::Objects | Ask::Metadata { .. } => format!("{base}/{}", self.resource),
            Ask::Object { namespace, name, .. } => format!("{base}/namespaces/{namespace}/{}/{name}", self.resource),
        }
    }

    /// The form that is asked for.
    pub(crate) fn accept(&self) -> &'static str {
        if matches!(self.kind.ask, Ask::Metadata { .. }) { METADATA } else { JSON }
    }

    /// The address of a page of so many objects at most.
    pub(crate) fn page(&self, limit: usize, next: Option<&str>) -> String {
        let mut address = format!("{}?limit={limit}", self.path());
        if let Ask::Metadata { selector, .. } = self.kind.ask {
            address = format!("{address}&fieldSelector={}", utf8_percent_encode(selector, ENCODED));
        }
        match next {
            Some(next) => format!("{address}&continue={}", utf8_percent_encode(next, ENCODED)),
            None => address,
        }
    }
}
