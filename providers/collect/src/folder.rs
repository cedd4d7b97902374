//! A provider's part of a capture, or a part of that: a folder with documents and a manifest.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

use crate::Unfinished;

/// A folder of documents, which need not be there yet.
#[derive(Clone, Debug)]
pub struct Folder {
    root: PathBuf,
}

/// What a collector says of a folder's documents, beside them.
const MANIFEST: &str = "manifest.json";

impl Folder {
    /// A folder below another one: the part of a capture that a provider writes, or a part of that.
    pub fn below(folder: &Path, name: &str) -> Self {
        Self { root: folder.join(name) }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.root
    }

    /// Whether there is anything in it.
    pub fn is_used(&self) -> bool {
        std::fs::read_dir(&self.root).is_ok_and(|mut entries| entries.next().is_some())
    }

    /// Removes what a collection that was killed left unfinished, so many levels below it.
    pub fn clean(&self, depth: usize) {
        crate::clean(&self.root, depth);
    }

    /// Whether a document is there.
    pub fn has(&self, document: &str) -> bool {
        self.root.join(document).is_file()
    }

    /// The names of the documents in a folder below this one, sorted; what is not finished is none.
    pub fn names(&self, below: &str) -> Vec<String> {
        let entries = std::fs::read_dir(self.root.join(below)).into_iter().flatten().filter_map(Result::ok);
        let files = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_file()));
        let mut names: Vec<String> = files.filter_map(|entry| entry.file_name().into_string().ok()).collect();
        names.retain(|name| !name.starts_with('.'));
        names.sort();
        names
    }

    /// A document that an earlier collection wrote.
    pub fn read(&self, document: &str) -> Option<Vec<u8>> {
        std::fs::read(self.root.join(document)).ok()
    }

    /// Removes a document, which may not be there: what it said does not count any more.
    ///
    /// # Errors
    /// Where it is there and stays.
    pub fn remove(&self, document: &str) -> io::Result<()> {
        match std::fs::remove_file(self.root.join(document)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Writes a whole document.
    ///
    /// # Errors
    /// Where it cannot be written; then it is as it was before.
    pub fn put(&self, document: &str, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
        crate::put(self.root.join(document), write)
    }

    /// Begins a document that is written bit by bit.
    ///
    /// # Errors
    /// Where the folder or a file in it cannot be made.
    pub fn begin(&self, document: &str) -> io::Result<Unfinished> {
        Unfinished::begin(self.root.join(document))
    }

    /// The manifest of an earlier collection; `None` where there is none.
    ///
    /// # Errors
    /// Where it cannot be read, or is none.
    pub fn read_manifest<M: DeserializeOwned>(&self) -> io::Result<Option<M>> {
        match std::fs::read(self.root.join(MANIFEST)) {
            Ok(text) => Ok(Some(serde_json::from_slice(&text)?)),
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Writes the manifest.
    ///
    /// # Errors
    /// As for every document.
    pub fn write_manifest(&self, manifest: &impl serde::Serialize) -> io::Result<()> {
        self.put(MANIFEST, |sink| {
            serde_json::to_writer_pretty(&mut *sink, manifest)?;
            sink.write_all(b"\n")
        })
    }
}
