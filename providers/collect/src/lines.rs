//! Documents of answers: one a line, each after the other, with what was asked before it.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::Value;

use crate::{Folder, Unfinished};

/// A document that is written line by line. Dropped before its end it leaves nothing.
#[derive(Debug)]
pub struct Lines {
    document: Unfinished,
    answered: usize,
    written: usize,
}

impl Lines {
    /// Begins a document.
    ///
    /// # Errors
    /// Where the folder or a file in it cannot be made.
    pub fn begin(folder: &Folder, document: &str) -> io::Result<Self> {
        Ok(Self { document: folder.begin(document)?, answered: 0, written: 0 })
    }

    /// How many answers stand in it.
    pub fn answered(&self) -> usize {
        self.answered
    }

    /// Begins a line with what was asked, as names and texts; with what to go back to where it does not come to its end.
    ///
    /// # Errors
    /// Those of the file.
    pub fn open(&mut self, asked: &[(&str, &str)]) -> io::Result<u64> {
        let mark = self.document.mark()?;
        self.document.write_all(b"{")?;
        for (name, text) in asked {
            write!(self.document, "{}:{},", Value::from(*name), Value::from(*text))?;
        }
        self.document.write_all(b"\"response\":")?;
        Ok(mark)
    }

    /// Where the answer goes.
    pub fn sink(&mut self) -> &mut dyn Write {
        &mut self.document
    }

    /// Ends a line.
    ///
    /// # Errors
    /// Those of the file.
    pub fn close(&mut self) -> io::Result<()> {
        self.answered += 1;
        self.written += 1;
        self.document.write_all(b"}\n")
    }

    /// Takes a line back.
    ///
    /// # Errors
    /// Those of the file.
    pub fn take_back(&mut self, mark: u64) -> io::Result<()> {
        self.document.rewind(mark)
    }

    /// Writes a line that says that there is no answer.
    ///
    /// # Errors
    /// Those of the file.
    pub fn refused(&mut self, line: &impl Serialize) -> io::Result<()> {
        self.written += 1;
        serde_json::to_writer(&mut self.document, line)?;
        self.document.write_all(b"\n")
    }

    /// Writes a line that is there already; `answered`: whether it holds an answer.
    ///
    /// # Errors
    /// Those of the file.
    pub fn copy(&mut self, line: &str, answered: bool) -> io::Result<()> {
        self.answered += usize::from(answered);
        self.written += 1;
        self.document.write_all(line.as_bytes())?;
        self.document.write_all(b"\n")
    }

    /// Gives the document its name, unless there is nothing in it. Returns whether there is.
    ///
    /// # Errors
    /// Where it cannot be written; then the document is as it was before.
    pub fn finish(self) -> io::Result<bool> {
        if self.written == 0 {
            return Ok(false);
        }
        self.document.finish()?;
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_whole_or_taken_back_and_nothing_is_no_document() {
        let home = tempfile::tempdir().unwrap();
        let folder = Folder::below(home.path(), "vendor");
        let mut lines = Lines::begin(&folder, "a/b.ndjson").unwrap();
        let mark = lines.open(&[("host", "h"), ("path", "/half")]).unwrap();
        lines.sink().write_all(b"[{").unwrap();
        lines.take_back(mark).unwrap();
        lines.open(&[("host", "h"), ("path", "/a\"b")]).unwrap();
        lines.sink().write_all(b"[]").unwrap();
        lines.close().unwrap();
        lines.refused(&serde_json::json!({ "error": 1 })).unwrap();
        lines.copy("{}", false).unwrap();
        lines.copy("{\"response\":1}", true).unwrap();
        assert_eq!(lines.answered(), 2);
        assert!(lines.finish().unwrap());
        let text = std::fs::read_to_string(home.path().join("vendor/a/b.ndjson")).unwrap();
        let expected = "{\"host\":\"h\",\"path\":\"/a\\\"b\",\"response\":[]}\n{\"error\":1}\n{}\n{\"response\":1}\n";
        assert_eq!(text, expected);
        assert_eq!(folder.names("a"), ["b.ndjson"]);
        assert!(!Lines::begin(&folder, "x.ndjson").unwrap().finish().unwrap());
        assert!(!folder.has("x.ndjson"));
    }
}
