//! Documents of a capture on disk: an answer a line, each after the other, and what an earlier collection left of them.

use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;

use evenhand_collect::{Folder, Unfinished};
use evenhand_model::refusal::Refusal;
use serde::Deserialize;
use serde_json::Value;

use super::table::{Of, Step, is_answer};
use crate::PROVIDER;
use crate::documents::envelope::Envelope;
use crate::documents::route::Asked;

/// The part of a capture that this provider writes.
pub(crate) fn of_capture(folder: &Path) -> Folder {
    Folder::below(folder, PROVIDER.0)
}

/// The document of a call of an organisation or enterprise, or of a repository with all of its calls.
pub(crate) fn name(host: &str, of: &Of, step: Option<&Step>) -> String {
    let call = step.map(Step::document).unwrap_or_default();
    match of {
        Of::Organisation(name) => format!("{host}/orgs/{name}/{call}.ndjson"),
        Of::Enterprise(name) => format!("{host}/enterprises/{name}/{call}.ndjson"),
        Of::Repository(owner, name) => format!("{host}/repos/{owner}/{name}.ndjson"),
    }
}

/// A document that is written line by line. Dropped before its end it leaves nothing.
pub(crate) struct Lines {
    document: Unfinished,
    host: String,
    pub(crate) answered: usize,
    written: usize,
}

impl Lines {
    pub(crate) fn begin(folder: &Folder, document: &str, host: &str) -> io::Result<Self> {
        Ok(Self { document: folder.begin(document)?, host: host.to_owned(), answered: 0, written: 0 })
    }

    /// Begins a line; with what to go back to where it does not come to its end.
    pub(crate) fn open(&mut self, path: &str) -> io::Result<u64> {
        let mark = self.document.mark()?;
        let (host, path) = (Value::from(self.host.as_str()), Value::from(path));
        write!(self.document, "{{\"host\":{host},\"path\":{path},\"response\":")?;
        Ok(mark)
    }

    /// Where the answer goes.
    pub(crate) fn sink(&mut self) -> &mut dyn Write {
        &mut self.document
    }

    /// Ends a line.
    pub(crate) fn close(&mut self) -> io::Result<()> {
        self.answered += 1;
        self.written += 1;
        self.document.write_all(b"}\n")
    }

    /// Takes a line back.
    pub(crate) fn take_back(&mut self, mark: u64) -> io::Result<()> {
        self.document.rewind(mark)
    }

    /// Writes that there is no answer.
    pub(crate) fn refused(&mut self, path: &str, refusal: Refusal, accepted: Option<String>) -> io::Result<()> {
        let line =
            Envelope { host: self.host.clone(), path: path.to_owned(), response: None, error: Some(refusal), accepted };
        self.written += 1;
        serde_json::to_writer(&mut self.document, &line)?;
        self.document.write_all(b"\n")
    }

    /// Writes a line that is there already.
    pub(crate) fn copy(&mut self, held: &HeldLine) -> io::Result<()> {
        self.answered += usize::from(held.answered);
        self.written += 1;
        self.document.write_all(held.line.as_bytes())?;
        self.document.write_all(b"\n")
    }

    /// Gives the document its name, unless there is nothing in it. Returns whether there is.
    pub(crate) fn finish(self) -> io::Result<bool> {
        if self.written == 0 {
            return Ok(false);
        }
        self.document.finish()?;
        Ok(true)
    }
}

/// An answer that an earlier collection left.
#[derive(Debug)]
pub(crate) struct HeldLine {
    line: Box<str>,
    /// Whether there is an answer; else there is known to be none.
    pub(crate) answered: bool,
}

impl HeldLine {
    /// The answer itself; `None` where it is that there is none.
    pub(crate) fn response(&self) -> Option<&str> {
        let envelope: Envelope<'_> = serde_json::from_str(&self.line).ok()?;
        envelope.response.map(serde_json::value::RawValue::get)
    }
}

/// The answers of a document, by what was asked. Refusals are left out, so that they are tried again, unless they say that
/// there is no such thing.
pub(crate) fn read(folder: &Folder, document: &str, host: &str) -> BTreeMap<String, HeldLine> {
    #[derive(Deserialize)]
    struct Head {
        host: String,
        path: String,
        #[serde(default)]
        error: Option<Refusal>,
    }
    let Ok(file) = std::fs::File::open(folder.path().join(document)) else { return BTreeMap::new() };
    let lines = BufReader::new(file).lines().map_while(Result::ok);
    let held = lines.filter_map(|line| {
        let head: Head = serde_json::from_str(&line).ok()?;
        let asked = Asked::parse(&head.path)?;
        let counts = head.error.as_ref().is_none_or(|refusal| is_answer(asked.route, refusal));
        let answered = head.error.is_none();
        (head.host == host && counts).then(|| (head.path, HeldLine { line: line.into(), answered }))
    });
    held.collect()
}

#[cfg(test)]
mod tests {
    use evenhand_model::refusal::Why;

    use super::*;

    #[test]
    fn answers_are_read_back_and_refusals_are_asked_again() {
        let home = tempfile::tempdir().unwrap();
        let folder = of_capture(home.path());
        let of = Of::Repository("acme".to_owned(), "shop".to_owned());
        let document = name("github.com", &of, None);
        let mut lines = Lines::begin(&folder, &document, "github.com").unwrap();
        let mark = lines.open("/repos/acme/shop/hooks").unwrap();
        lines.sink().write_all(b"[{").unwrap();
        lines.take_back(mark).unwrap();
        lines.open("/repos/acme/shop/keys").unwrap();
        lines.sink().write_all(b"[]").unwrap();
        lines.close().unwrap();
        lines
            .refused("/repos/acme/shop/hooks", Refusal::new("403 no", Why::Refused), Some("x=read".to_owned()))
            .unwrap();
        let protection = "/repos/acme/shop/branches/main/protection";
        lines.refused(protection, Refusal::new("404 Branch not protected", Why::Refused), None).unwrap();
        assert!(lines.finish().unwrap());
        let text = std::fs::read_to_string(home.path().join("github/github.com/repos/acme/shop.ndjson")).unwrap();
        let first = r#"{"host":"github.com","path":"/repos/acme/shop/keys","response":[]}"#;
        assert_eq!(text.lines().next(), Some(first));
        let held = read(&folder, &document, "github.com");
        assert_eq!(held.keys().map(String::as_str).collect::<Vec<_>>(), [protection, "/repos/acme/shop/keys"]);
        assert_eq!(held["/repos/acme/shop/keys"].response(), Some("[]"));
        assert!(read(&folder, &document, "git.example").is_empty());
        assert!(!Lines::begin(&folder, "x.ndjson", "github.com").unwrap().finish().unwrap());
    }
}
