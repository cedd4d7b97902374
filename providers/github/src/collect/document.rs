//! Documents of a capture on disk: how they are called, what stands in their lines, and what an earlier collection left of
//! them.

use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader};
use std::path::Path;

use evenhand_collect::{Folder, Lines};
use evenhand_model::refusal::Refusal;
use serde::Deserialize;

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

/// What stands before an answer: what was asked.
pub(crate) fn asked<'a>(host: &'a str, path: &'a str) -> [(&'a str, &'a str); 2] {
    [("host", host), ("path", path)]
}

/// A line that says that there is no answer.
pub(crate) fn refused(host: &str, path: &str, refusal: Refusal, accepted: Option<String>) -> Envelope<'static> {
    Envelope { host: host.to_owned(), path: path.to_owned(), response: None, error: Some(refusal), accepted }
}

/// An answer that an earlier collection left.
#[derive(Debug)]
pub(crate) struct HeldLine {
    line: Box<str>,
    /// Whether there is an answer; else there is known to be none.
    pub(crate) answered: bool,
}

impl HeldLine {
    /// Writes it again.
    pub(crate) fn copy_to(&self, lines: &mut Lines) -> io::Result<()> {
        lines.copy(&self.line, self.answered)
    }

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
        let mut lines = Lines::begin(&folder, &document).unwrap();
        lines.open(&asked("github.com", "/repos/acme/shop/keys")).unwrap();
        lines.sink().write_all(b"[]").unwrap();
        lines.close().unwrap();
        let no = |path: &str, code: &str, accepted: Option<&str>| {
            refused("github.com", path, Refusal::new(code, Why::Refused), accepted.map(str::to_owned))
        };
        lines.refused(&no("/repos/acme/shop/hooks", "403 no", Some("x=read"))).unwrap();
        let protection = "/repos/acme/shop/branches/main/protection";
        lines.refused(&no(protection, "404 Branch not protected", None)).unwrap();
        assert!(lines.finish().unwrap());
        let text = std::fs::read_to_string(home.path().join("github/github.com/repos/acme/shop.ndjson")).unwrap();
        let first = r#"{"host":"github.com","path":"/repos/acme/shop/keys","response":[]}"#;
        assert_eq!(text.lines().next(), Some(first));
        let held = read(&folder, &document, "github.com");
        assert_eq!(held.keys().map(String::as_str).collect::<Vec<_>>(), [protection, "/repos/acme/shop/keys"]);
        assert_eq!(held["/repos/acme/shop/keys"].response(), Some("[]"));
        assert!(read(&folder, &document, "git.example").is_empty());
    }
}
