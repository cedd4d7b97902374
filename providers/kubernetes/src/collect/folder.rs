//! The part of a capture that is one cluster's: its manifest, and its documents, which are written page by page.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use evenhand_collect::Unfinished;
use serde_json::{Map, Value};

use crate::server::manifest::Manifest;

/// A cluster's folder.
#[derive(Clone, Debug)]
pub(crate) struct Folder {
    root: PathBuf,
}

const MANIFEST: &str = "manifest.json";

/// The part of a capture that this provider writes: `kubernetes` below the folder that was named. A folder of this name
/// tells the reader that those below it are named after clusters.
pub(crate) fn below(folder: &Path) -> PathBuf {
    folder.join("kubernetes")
}

/// Whether there is anything in it.
pub(crate) fn is_used(folder: &Path) -> bool {
    std::fs::read_dir(below(folder)).is_ok_and(|mut entries| entries.next().is_some())
}

/// The clusters of a capture with their manifests, sorted.
pub(crate) fn manifests(folder: &Path) -> io::Result<Vec<(String, Manifest)>> {
    let entries = match std::fs::read_dir(below(folder)) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else { continue };
        match std::fs::read_to_string(entry.path().join(MANIFEST)) {
            Ok(text) => {
                let manifest =
                    Manifest::of_text(&text).ok_or_else(|| io::Error::other(format!("`{name}/{MANIFEST}`")))?;
                found.push((name, manifest));
            }
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {}
            Err(error) => return Err(error),
        }
    }
    found.sort_by(|(one, _), (other, _)| one.cmp(other));
    Ok(found)
}

impl Folder {
    /// The folder of a cluster.
    pub(crate) fn of(folder: &Path, cluster: &str) -> Self {
        Self { root: below(folder).join(cluster) }
    }

    /// Removes what a collection that was killed left unfinished.
    pub(crate) fn clean(&self) {
        evenhand_collect::clean(&self.root, 0);
    }

    /// Whether a document is there.
    pub(crate) fn has(&self, document: &str) -> bool {
        self.root.join(document).is_file()
    }

    /// A document that an earlier collection wrote.
    pub(crate) fn read(&self, document: &str) -> Option<Vec<u8>> {
        std::fs::read(self.root.join(document)).ok()
    }

    /// Removes a document, which may not be there: what it said does not count any more.
    pub(crate) fn remove(&self, document: &str) -> io::Result<()> {
        match std::fs::remove_file(self.root.join(document)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Writes a document as the server sent it.
    pub(crate) fn write(&self, document: &str, bytes: &[u8]) -> io::Result<()> {
        evenhand_collect::put(self.root.join(document), |sink| sink.write_all(bytes))
    }

    /// Writes the manifest.
    pub(crate) fn write_manifest(&self, manifest: &Manifest) -> io::Result<()> {
        evenhand_collect::put(self.root.join(MANIFEST), |sink| {
            serde_json::to_writer_pretty(&mut *sink, manifest)?;
            sink.write_all(b"\n")
        })
    }

    /// Begins a list. Dropped before its end it leaves nothing.
    pub(crate) fn begin(&self, document: &str) -> io::Result<List> {
        Ok(List { document: Unfinished::begin(self.root.join(document))?, head: false, objects: 0 })
    }
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
