//! The part of a capture that is one cluster's: its manifest, and its documents, which are written page by page.

use std::io::{self, Write};
use std::path::Path;

use evenhand_collect::{Folder, Unfinished};
use serde_json::{Map, Value};

use crate::inventory::PROVIDER;
use crate::server::manifest::Manifest;

/// The part of a capture that this provider writes. A folder of this name tells the reader that those below it are named
/// after clusters.
pub(crate) fn of_capture(folder: &Path) -> Folder {
    Folder::below(folder, PROVIDER.0)
}

/// A cluster's folder.
pub(crate) fn of_cluster(folder: &Path, cluster: &str) -> Folder {
    Folder::below(of_capture(folder).path(), cluster)
}

/// The clusters of a capture with their manifests, sorted.
pub(crate) fn manifests(folder: &Path) -> io::Result<Vec<(String, Manifest)>> {
    let entries = match std::fs::read_dir(of_capture(folder).path()) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut found = Vec::new();
    for entry in entries {
        let Ok(name) = entry?.file_name().into_string() else { continue };
        let held = of_cluster(folder, &name).read_manifest();
        let manifest = held.map_err(|error| io::Error::other(format!("`{name}`: {error}")))?;
        found.extend(manifest.map(|manifest| (name, manifest)));
    }
    found.sort_by(|(one, _), (other, _)| one.cmp(other));
    Ok(found)
}

/// Begins a list. Dropped before its end it leaves nothing.
pub(crate) fn begin(folder: &Folder, document: &str) -> io::Result<List> {
    Ok(List { document: folder.begin(document)?, head: false, objects: 0 })
}

/// A list that is written object by object, as `kubectl` would print it: each with its version and kind.
#[derive(Debug)]
pub(crate) struct List {
    document: Unfinished,
    head: bool,
    objects: u64,
}

impl List {
    /// Writes what stands before the objects, once.
    pub(crate) fn head(&mut self, api_version: &str, kind: &str, resource_version: &str) -> io::Result<()> {
        if std::mem::replace(&mut self.head, true) {
            return Ok(());
        }
        let text = |text: &str| Value::from(text).to_string();
        let (version, kind, at) = (text(api_version), text(&format!("{kind}List")), text(resource_version));
        write!(
            self.document,
            "{{\"apiVersion\":{version},\"kind\":{kind},\"metadata\":{{\"resourceVersion\":{at}}},\"items\":["
        )
    }

    /// Writes one object.
    pub(crate) fn object(&mut self, object: &Map<String, Value>) -> io::Result<()> {
        self.document.write_all(if self.objects == 0 { b"\n" } else { b",\n" })?;
        serde_json::to_writer(&mut self.document, object)?;
        self.objects += 1;
        Ok(())
    }

    /// How many objects it holds.
    pub(crate) fn objects(&self) -> u64 {
        self.objects
    }

    /// Ends it.
    pub(crate) fn finish(mut self) -> io::Result<()> {
        self.document.write_all(b"\n]}\n")?;
        self.document.finish()
    }
}
