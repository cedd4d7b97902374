//! Documents of a capture on disk: an answer a line, each after the other, and what an earlier collection left of them.

use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;

use evenhand_collect::{Folder, Unfinished};
use evenhand_model::refusal::Refusal;
use serde::Deserialize;
use serde_json::Value;

use super::step::{About, Step};
use crate::PROVIDER;
use crate::documents::envelope::Envelope;

/// The part of a capture that this provider writes.
pub(crate) fn of_capture(folder: &Path) -> Folder {
    Folder::below(folder, PROVIDER.0)
}

/// The document of a call that is made once.
pub(crate) fn of_step(tenant: &str, step: &Step) -> String {
    format!("{tenant}/{}.ndjson", step.document())
}

/// The document of all calls about something. Objects of the directory share sixteen, by the first letter of their ids, so
/// that a large tenant makes no more files than a small one and each is written in a while.
pub(crate) fn of_value(tenant: &str, about: About, value: &str) -> String {
    let name = match about {
        About::ManagementGroup | About::Subscription => file_name(value),
        About::Account | About::Project => "all".to_owned(),
        _ => file_name(value).chars().next().unwrap_or('x').to_ascii_lowercase().to_string(),
    };
    format!("{tenant}/{}/{name}.ndjson", about.folder())
}

/// A name that can be one of a file.
fn file_name(value: &str) -> String {
    let name: String =
        value.chars().map(|c| if c.is_ascii_alphanumeric() || matches!(c, '-' | '_') { c } else { '-' }).collect();
    if name.is_empty() { "-".to_owned() } else { name }
}

/// A document that is written line by line. Dropped before its end it leaves nothing.
pub(crate) struct Lines {
    document: Unfinished,
    tenant: String,
    pub(crate) answered: usize,
    written: usize,
}

impl Lines {
    pub(crate) fn begin(folder: &Folder, document: &str, tenant: &str) -> io::Result<Self> {
        Ok(Self { document: folder.begin(document)?, tenant: tenant.to_owned(), answered: 0, written: 0 })
    }

    /// Begins a line; with what to go back to where it does not come to its end.
    pub(crate) fn open(&mut self, host: &str, path: &str) -> io::Result<u64> {
        let mark = self.document.mark()?;
        let (tenant, host, path) = (Value::from(self.tenant.as_str()), Value::from(host), Value::from(path));
        write!(self.document, "{{\"tenant\":{tenant},\"host\":{host},\"path\":{path},\"response\":")?;
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
    pub(crate) fn refused(
        &mut self,
        host: &str,
        path: &str,
        refusal: Refusal,
        accepted: Option<String>,
    ) -> io::Result<()> {
        let line = Envelope {
            tenant: self.tenant.clone(),
            host: host.to_owned(),
            path: path.to_owned(),
            response: None,
            error: Some(refusal),
            accepted,
        };
        self.written += 1;
        serde_json::to_writer(&mut self.document, &line)?;
        self.document.write_all(b"\n")
    }

    /// Writes a line that is there already.
    pub(crate) fn copy(&mut self, line: &str) -> io::Result<()> {
        self.answered += 1;
        self.written += 1;
        self.document.write_all(line.as_bytes())?;
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

/// The answers of a document, by host and path. Refusals are left out, so that they are tried again.
pub(crate) fn read(folder: &Folder, document: &str, tenant: &str) -> BTreeMap<String, Box<str>> {
    #[derive(Deserialize)]
    struct Head {
        tenant: String,
        host: String,
        path: String,
        #[serde(default)]
        error: Option<Refusal>,
    }
    let Ok(file) = std::fs::File::open(folder.path().join(document)) else { return BTreeMap::new() };
    let lines = BufReader::new(file).lines().map_while(Result::ok);
    let held = lines.filter_map(|line| {
        let head: Head = serde_json::from_str(&line).ok()?;
        let counts = head.error.is_none() && head.tenant == tenant;
        counts.then(|| (format!("{}{}", head.host, head.path), line.into()))
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
        let document = of_value("t", About::ServicePrincipal, "3f1");
        let mut lines = Lines::begin(&folder, &document, "t").unwrap();
        let mark = lines.open("g", "/v1.0/servicePrincipals/3f1/owners").unwrap();
        lines.sink().write_all(b"{\"value\":[{").unwrap();
        lines.take_back(mark).unwrap();
        lines.open("g", "/v1.0/servicePrincipals/3f1/owners").unwrap();
        lines.sink().write_all(b"{\"value\":[]}").unwrap();
        lines.close().unwrap();
        let refusal = Refusal::new("403 Authorization_RequestDenied", Why::Refused);
        lines.refused("g", "/v1.0/servicePrincipals/3f1/transitiveMemberOf", refusal, Some("x".to_owned())).unwrap();
        assert!(lines.finish().unwrap());
        let path = home.path().join("azure/t/servicePrincipals/3.ndjson");
        let text = std::fs::read_to_string(path).unwrap();
        let first = r#"{"tenant":"t","host":"g","path":"/v1.0/servicePrincipals/3f1/owners","response":{"value":[]}}"#;
        assert_eq!(text.lines().next(), Some(first));
        let held = read(&folder, &document, "t");
        assert_eq!(held.keys().collect::<Vec<_>>(), ["g/v1.0/servicePrincipals/3f1/owners"]);
        assert!(read(&folder, &document, "another").is_empty());
        assert!(!Lines::begin(&folder, "x.ndjson", "t").unwrap().finish().unwrap());
    }

    #[test]
    fn names_of_documents_lead_nowhere_else() {
        assert_eq!(of_value("t", About::Subscription, "../x"), "t/subscriptions/---x.ndjson");
        assert_eq!(of_value("t", About::Identity, "/subscriptions/s"), "t/managedIdentities/-.ndjson");
    }
}
