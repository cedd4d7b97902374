//! Documents on disk: each is written under another name and then renamed, so that it is whole or not there.

use std::fs::File;
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

/// Begins the names of documents that are not finished.
const UNFINISHED: &str = ".evenhand-";

/// A document that is written bit by bit. Dropped before its end it leaves nothing.
#[derive(Debug)]
pub struct Unfinished {
    sink: BufWriter<NamedTempFile>,
    path: PathBuf,
}

impl Unfinished {
    /// Begins a document, and the folder that it lies in. It is readable by its owner only: it says who may do what.
    ///
    /// # Errors
    /// Where the folder or a file in it cannot be made.
    pub fn begin(path: PathBuf) -> io::Result<Self> {
        let folder = path.parent().unwrap_or(Path::new("."));
        std::fs::create_dir_all(folder)?;
        let file = tempfile::Builder::new().prefix(UNFINISHED).tempfile_in(folder)?;
        Ok(Self { sink: BufWriter::with_capacity(1 << 16, file), path })
    }

    /// How much of it there is, to go back to.
    ///
    /// # Errors
    /// Where the file cannot be used any more.
    pub fn mark(&mut self) -> io::Result<u64> {
        self.sink.stream_position()
    }

    /// Takes back everything since a mark.
    ///
    /// # Errors
    /// Where the file cannot be made shorter.
    pub fn rewind(&mut self, mark: u64) -> io::Result<()> {
        self.sink.seek(SeekFrom::Start(mark))?;
        self.sink.get_ref().as_file().set_len(mark)
    }

    /// Gives the document its name; one that had it before is replaced.
    ///
    /// # Errors
    /// Where the rest cannot be written, or the name is taken by something else than a document.
    pub fn finish(self) -> io::Result<()> {
        let file = self.sink.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.persist(self.path).map(|_: File| ()).map_err(|error| error.error)
    }
}

impl Write for Unfinished {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.sink.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.sink.flush()
    }
}

/// Writes a whole document.
///
/// # Errors
/// Where it cannot be written; then it is as it was before.
pub fn put(path: PathBuf, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let mut document = Unfinished::begin(path)?;
    write(&mut document)?;
    document.finish()
}

/// Removes what collections that were killed left unfinished in a folder and so many levels below it.
pub fn clean(root: &Path, depth: usize) {
    let mut folders = vec![(root.to_owned(), 0)];
    while let Some((folder, at)) = folders.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let Ok(kind) = entry.file_type() else { continue };
            if kind.is_dir() && at < depth {
                folders.push((entry.path(), at + 1));
            } else if kind.is_file() && entry.file_name().to_string_lossy().starts_with(UNFINISHED) {
                // One that stays is skipped by scans.
                let _ = std::fs::remove_file(entry.path());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_whole_or_not_there() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("a/b.json");
        let mut begun = Unfinished::begin(path.clone()).unwrap();
        begun.write_all(b"half").unwrap();
        drop(begun);
        assert!(!path.exists());
        put(path.clone(), |sink| sink.write_all(b"whole")).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "whole");
        assert!(put(path.clone(), |_| Err(io::Error::other("no"))).is_err());
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "whole");
        assert_eq!(std::fs::read_dir(home.path().join("a")).unwrap().count(), 1);
    }

    #[test]
    fn what_is_taken_back_was_never_written() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("a.json");
        let mut begun = Unfinished::begin(path.clone()).unwrap();
        begun.write_all(b"one\n").unwrap();
        let mark = begun.mark().unwrap();
        begun.write_all(&[b'x'; 1 << 17]).unwrap();
        begun.rewind(mark).unwrap();
        begun.write_all(b"two\n").unwrap();
        begun.finish().unwrap();
        assert_eq!(std::fs::read_to_string(path).unwrap(), "one\ntwo\n");
    }

    #[test]
    fn what_was_left_unfinished_is_removed_and_nothing_else() {
        let home = tempfile::tempdir().unwrap();
        for name in ["a/.evenhand-1", "a/kept.json", "a/b/c/.evenhand-2"] {
            let path = home.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        }
        clean(home.path(), 2);
        assert!(!home.path().join("a/.evenhand-1").exists());
        assert!(home.path().join("a/kept.json").exists() && home.path().join("a/b/c/.evenhand-2").exists());
    }
}
