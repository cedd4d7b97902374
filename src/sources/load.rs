//! Reads one file into a document.

#[cfg(unix)]
use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Arc;

use evenhand_model::document::{Document, FileFacts, Format, Head};
#[cfg(unix)]
use rayon::prelude::*;

use super::decode::{self, Undecodable};
use super::find::{Found, io_reason};
use super::format;

pub use super::decode::Limits;

/// A place in a text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Place {
    /// Bytes before it.
    pub offset: usize,
    /// The line, from 1.
    pub line: usize,
    /// The column in bytes, from 1.
    pub column: usize,
}

impl Place {
    /// The place after a text.
    pub(super) fn after(before: &[u8]) -> Self {
        let line_start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
        Self { offset: before.len(), line, column: before.len() - line_start + 1 }
    }
}

/// Why a file is no document.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum LoadError {
    /// The operating system refuses.
    #[error("{0}")]
    Io(String),
    /// Decompression fails.
    #[error("its {format} data ends early or is damaged")]
    Compression {
        /// The compression.
        format: &'static str,
    },
    /// It is larger than allowed.
    #[error("it holds more than {mebibytes} MiB{}", if *.compressed { " when decompressed" } else { "" })]
    TooLarge {
        /// The limit.
        mebibytes: u64,
        /// Whether it is compressed.
        compressed: bool,
    },
    /// It is text in another encoding.
    #[error("it is not UTF-8 at byte {}", place.offset)]
    Encoding {
        /// The first byte that is not.
        place: Place,
        /// The syntax that the readable part suggests.
        format: Format,
        /// The head of the readable part, for recognition.
        head: Box<Head>,
        /// The beginning, with a mark for each byte that cannot be read.
        readable: String,
    },
    /// It is not text at all.
    #[error("a binary file")]
    Binary,
}

impl LoadError {
    /// What to do.
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::Io(_) => "give this user the right to read it",
            Self::Compression { .. } => "export it again",
            Self::TooLarge { compressed: true, .. } => {
                "decompress it, or raise `max_document_mib` in `[scope]` of evenhand.toml, if you trust it"
            }
            Self::TooLarge { .. } => "raise `max_document_mib` in `[scope]` of evenhand.toml, or split the export",
            Self::Encoding { .. } => "convert it to UTF-8",
            Self::Binary => "export it as text",
        }
    }
}

/// A file that was read.
#[derive(Debug)]
pub struct Loaded {
    /// The document.
    pub document: Document,
    /// Its size in bytes, decompressed.
    pub bytes: u64,
    /// A hash of its text.
    pub digest: blake3::Hash,
}

/// Reads a file. Whether version control tracks it is left open: see [`super::WorkTrees`].
///
/// # Errors
/// When it cannot be read, decompressed or decoded.
pub fn load(found: &Found, limits: Limits) -> Result<Loaded, LoadError> {
    if found.bytes > limits.document {
        return Err(LoadError::TooLarge { mebibytes: limits.document >> 20, compressed: false });
    }
    let bytes = read(&found.file, found.bytes).map_err(|error| LoadError::Io(io_reason(&error)))?;
    let compressed = decode::is_compressed(&bytes);
    let bytes = decode::decompress(bytes, limits)?;
    let name = found.relative.rsplit('/').next().unwrap_or(&found.relative);
    let text = match decode::decode(bytes) {
        Ok(text) => text,
        Err(Undecodable { binary: true, .. }) => return Err(LoadError::Binary),
        Err(Undecodable { place, bytes, .. }) => {
            let readable = String::from_utf8_lossy(bytes.get(..bytes.len().min(format::LOOK)).unwrap_or_default());
            let (format, head) = format::look(name, &readable);
            let readable = readable.into_owned();
            return Err(LoadError::Encoding { place, format, head: Box::new(head), readable });
        }
    };
    let (format, head) = format::look(name, &text);
    let (bytes, digest) = (text.len() as u64, blake3::Hasher::new().update_rayon(text.as_bytes()).finalize());
    let plain = |path: &Arc<str>| -> Arc<str> {
        match path.strip_suffix(".gz").or_else(|| path.strip_suffix(".zst")) {
            Some(plain) if compressed => plain.into(),
            _ => Arc::clone(path),
        }
    };
    Ok(Loaded {
        document: Document {
            path: Arc::clone(&found.path),
            relative: plain(&found.relative),
            source_name: plain(&found.source_name),
            format,
            text,
            head,
            file: FileFacts {
                tracked: None,
                user_level: found.user_level,
                readable_by_others: readable_by_others(&found.file),
            },
        },
        bytes,
        digest,
    })
}

/// A file's bytes. `expected`: its size when it was found.
#[cfg(not(unix))]
fn read(file: &Path, _expected: u64) -> io::Result<Vec<u8>> {
    std::fs::read(file)
}

/// A file's bytes. `expected`: its size when it was found; large ones are read in parts, on all cores.
#[cfg(unix)]
fn read(file: &Path, expected: u64) -> io::Result<Vec<u8>> {
    if expected < PARTED {
        return std::fs::read(file);
    }
    match in_parts(file) {
        // It became shorter meanwhile, or is none that can be read from anywhere in it.
        Err(error) if matches!(error.kind(), io::ErrorKind::UnexpectedEof | io::ErrorKind::NotSeekable) => {
            std::fs::read(file)
        }
        outcome => outcome,
    }
}

/// From so many bytes on, a file is read in parts.
#[cfg(unix)]
const PARTED: u64 = 2 * PART as u64;

/// The bytes of a part: enough that a call to the system is nothing beside it.
#[cfg(unix)]
const PART: usize = 8 << 20;

#[cfg(unix)]
fn in_parts(file: &Path) -> io::Result<Vec<u8>> {
    use std::os::unix::fs::FileExt as _;
    let file = File::open(file)?;
    let length = usize::try_from(file.metadata()?.len()).map_err(|_| io::ErrorKind::FileTooLarge)?;
    let mut bytes = vec![0; length];
    let parts = bytes.par_chunks_mut(PART).enumerate();
    parts.try_for_each(|(at, part)| file.read_exact_at(part, (at * PART) as u64))?;
    Ok(bytes)
}

#[cfg(unix)]
fn readable_by_others(file: &Path) -> Option<bool> {
    use std::os::unix::fs::PermissionsExt;
    let mode = std::fs::metadata(file).ok()?.permissions().mode();
    Some(mode & 0o004 != 0)
}

#[cfg(not(unix))]
fn readable_by_others(_file: &Path) -> Option<bool> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(folder: &tempfile::TempDir, name: &str, content: &[u8]) -> Found {
        let file = folder.path().join(name);
        std::fs::write(&file, content).unwrap();
        Found {
            file,
            path: name.into(),
            relative: name.into(),
            source_name: name.into(),
            user_level: false,
            named: false,
            bytes: content.len() as u64,
        }
    }

    #[test]
    fn a_file_in_another_encoding_is_named_with_its_place() {
        let folder = tempfile::tempdir().unwrap();
        let error = load(&found(&folder, "a.json", b"{\"kind\":\"\xe9\"}"), Limits::default()).unwrap_err();
        let LoadError::Encoding { place, format, head, .. } = error else { panic!("{error:?}") };
        assert_eq!((place.line, place.column, format), (1, 10, Format::Json));
        assert_eq!(head.keys, ["kind"]);
    }

    #[test]
    fn pictures_are_binary_and_large_files_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let binary = load(&found(&folder, "a", b"\x89PNG\0\0"), Limits::default()).unwrap_err();
        assert_eq!(binary, LoadError::Binary);
        let large = load(&found(&folder, "b", b"{\"a\":1}"), Limits { document: 3 }).unwrap_err();
        assert!(matches!(large, LoadError::TooLarge { .. }));
    }
}
