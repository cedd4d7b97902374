//! Documents to objects: JSON lists, single objects, streams of either, and YAML manifests.
//!
//! This part knows how Kubernetes wraps objects and where each stands in its document. What an object means is the
//! business of the capture that receives it.

mod cluster;
mod json;
mod object;
mod recognise;
mod yaml;

use std::fmt::Write;
use std::sync::Arc;

use evenhand_model::document::{Document, Format, ReadError};
use evenhand_model::evidence::{Evidence, Place};

pub(crate) use cluster::cluster_of;
#[cfg(feature = "live")]
pub(crate) use object::LAST_APPLIED;
pub(crate) use object::{Meta, Object, Pairs, ScalarText, Text, raw};
pub(crate) use recognise::{is_damaged, recognise};
pub(crate) use yaml::{Lines, Step, steps};

/// Where an object stands in its document.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Spot {
    /// It is the document.
    Root,
    /// An element of the list at the top.
    Item(u32),
    /// Deeper: a JSON pointer.
    Pointer(Arc<str>),
    /// It begins at a line, in formats that people read by lines.
    Line(u32),
}

impl Spot {
    /// The place of something inside the object, where a pointer can say it; else the object's.
    pub(crate) fn place(&self, below: &str) -> Place {
        match self {
            Self::Root if below.is_empty() => Place::Whole,
            Self::Line(line) => Place::Line(*line),
            _ => Place::Pointer(self.pointer(below, None).into()),
        }
    }

    /// The place of an element of a list inside the object.
    pub(crate) fn element(&self, list: &str, number: u32) -> Place {
        match self {
            Self::Line(line) => Place::Line(*line),
            _ => Place::Pointer(self.pointer(list, Some(number)).into()),
        }
    }

    /// A JSON pointer to something inside the object, or to an element of it. There are very many of them.
    fn pointer(&self, below: &str, element: Option<u32>) -> String {
        let above = if let Self::Pointer(above) = self { above.len() } else { 0 };
        let mut pointer = String::with_capacity(above + below.len() + "/items/4294967295/4294967295".len());
        // Writing to a text does not fail.
        let _ = match self {
            Self::Item(at) => write!(pointer, "/items/{at}"),
            Self::Pointer(above) => pointer.write_str(above),
            Self::Root | Self::Line(_) => Ok(()),
        };
        pointer.push_str(below);
        if let Some(number) = element {
            let _ = write!(pointer, "/{number}");
        }
        pointer
    }
}

/// An object with its surroundings.
pub(crate) struct Found<'a, 'b> {
    /// The object.
    pub(crate) object: Object<'a>,
    /// Where it stands.
    pub(crate) spot: Spot,
    /// The lines of the text, for YAML.
    pub(crate) lines: Option<&'b Lines<'b>>,
}

impl Found<'_, '_> {
    /// The line of something inside the object, for YAML; never a guess: the object's own line where it is not found.
    pub(crate) fn spot_of(&self, path: &[Step<'_>], below: &str) -> Spot {
        match (&self.spot, self.lines) {
            (Spot::Line(line), Some(lines)) => Spot::Line(lines.find(*line, path)),
            (Spot::Line(line), None) => Spot::Line(*line),
            (spot, _) => match spot.place(below) {
                Place::Pointer(pointer) => Spot::Pointer(pointer),
                _ => Spot::Root,
            },
        }
    }
}

/// A part of a document that cannot be read.
#[derive(Debug)]
pub(crate) struct Problem {
    /// Where.
    pub(crate) place: Place,
    /// What is wrong. Never quotes the document: it may hold secrets.
    pub(crate) reason: String,
}

impl Problem {
    /// `read`: what was read all the same.
    pub(crate) fn into_error(self, document: &Arc<str>, read: &str) -> ReadError {
        ReadError {
            document: Evidence { document: Arc::clone(document), place: self.place }.to_string(),
            reason: self.reason,
            remedy: format!("export it again with `kubectl get … -o json`; {read} was read"),
        }
    }
}

/// Hands every object of a document to `sink`, in order. What cannot be read is returned; the rest is handed over.
pub(crate) fn read(document: &Document, sink: &mut dyn FnMut(Found<'_, '_>) -> Result<(), Problem>) -> Vec<Problem> {
    match document.format {
        Format::Json | Format::Ndjson => json::read(&document.text, sink),
        _ => yaml::read(&document.text, sink),
    }
}

/// Reads one large list on all cores, where the document is one: the objects go to several states, one behind the other
/// in the order of the list. `start` makes them, and is told about how many bytes a part has. `None` where it is not one.
pub(crate) fn read_in_parts<S: Send>(
    document: &Document,
    start: impl Fn(usize) -> S + Sync,
    take: impl Fn(&mut S, Found<'_, '_>) -> Result<(), Problem> + Sync,
) -> Option<Vec<(S, Vec<Problem>)>> {
    if document.format == Format::Json { json::read_in_parts(&document.text, start, take) } else { None }
}
