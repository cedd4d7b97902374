//! The evidence folder: one file per identity with findings, at a path that depends on the identity alone.
//!
//! What is wrong in a live account has no file and no line, and tools that show findings in code want both. So each
//! identity gets a file of its own, which says what was found, on what that rests and what the fact tables hold; a
//! format that needs a place points at the lines of the finding in it.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io::{self, Write};

use evenhand_model::evidence::{Evidence, Place};
use evenhand_model::gap::Gap;
use evenhand_model::table::{Table, Value};
use serde::ser::SerializeMap;
use serde::{Deserialize, Serialize, Serializer};

use crate::each::Each;
use crate::findings::Identities;
use crate::json::{CoverageDocument, FindingDocument, RowDocument, coverage};
use crate::report::{Report, WriteError};
use crate::words::{rows_by_identity, table};

/// The version of the form of a file. Members are only ever added under one version.
const SCHEMA: &str = "evenhand/evidence/v1";
/// The version of the form of [`INDEX`].
const INDEX_SCHEMA: &str = "evenhand/evidence-index/v1";

/// The folder's name in paths, where the user named none.
pub const DEFAULT_PREFIX: &str = "evenhand-evidence";

/// The file that says what the folder holds, and by which the next scan knows what it may take away.
pub const INDEX: &str = "evenhand-evidence.json";

/// The files that an index lists, as paths below its folder, in its order; none where the text is no index. What leads out
/// of the folder is left out: anybody may have written the file.
pub fn listed(index: &str) -> Vec<String> {
    #[derive(Deserialize)]
    struct Index {
        schema: String,
        files: Vec<Entry>,
    }
    #[derive(Deserialize)]
    struct Entry {
        path: String,
    }
    let Ok(index) = serde_json::from_str::<Index>(index) else { return Vec::new() };
    let is_below = |path: &String| {
        path.split('/').all(|part| !matches!(part, "" | "." | "..") && !part.contains(['\\', ':', '\0']))
    };
    let files = if index.schema == INDEX_SCHEMA { index.files } else { Vec::new() };
    files.into_iter().map(|entry| entry.path).filter(is_below).collect()
}

/// Whether a file begins as those of an evidence folder do.
pub fn is_file_of_folder(text: &[u8]) -> bool {
    let text = text.trim_ascii_start();
    let Some(text) = text.strip_prefix(b"{") else { return false };
    text.trim_ascii_start().starts_with(format!("\"schema\": \"{SCHEMA}\"").as_bytes())
}

/// The tables of which a file holds the rows of its identity.
const TABLES: [&str; 5] = ["excess", "controls", "paths", "credentials", "agents"];

/// The lines before the first finding of a file.
const HEAD: u32 = 7;

/// The evidence folder of a report.
#[derive(Debug)]
pub struct EvidenceFolder<'a> {
    report: &'a Report,
    /// What paths begin with, without a slash at the end.
    prefix: &'a str,
    /// The findings of each identity, in the order of the report.
    findings: BTreeMap<&'a str, Vec<usize>>,
    /// The first lines of the findings of an identity, and the one past the last; filled in as they are asked for.
    lines: RefCell<BTreeMap<&'a str, Vec<u32>>>,
}

/// Lines of a file, counted from 1.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Lines {
    /// The first.
    pub first: u32,
    /// The last.
    pub last: u32,
}

/// Where a finding is shown.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Shown {
    /// A relative path, with `/`.
    pub(crate) path: String,
    /// The lines.
    pub(crate) lines: Lines,
    /// The column of the first line, where it is known.
    pub(crate) column: Option<u32>,
}

#[derive(Serialize)]
struct File<'a, F: Serialize, T: Serialize> {
    schema: &'static str,
    identity: &'a str,
    name: &'a str,
    provider: &'a str,
    scope: &'a str,
    findings: F,
    row: Option<RowDocument<'a>>,
    tables: T,
}

impl<'a> EvidenceFolder<'a> {
    /// The folder of a report. `prefix`: how a reader of the report finds the folder, as a relative path.
    pub fn of(report: &'a Report, prefix: &'a str) -> Self {
        let mut findings: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (at, finding) in report.findings.iter().enumerate() {
            findings.entry(finding.identity.as_str()).or_default().push(at);
        }
        Self { report, prefix: prefix.trim_end_matches('/'), findings, lines: RefCell::default() }
    }

    /// Writes every file and [`INDEX`], which says what the folder holds. `open` writes one file of the folder: a
    /// relative path with `/`, and the writer of its content.
    ///
    /// # Errors
    /// The first one of `open`.
    pub fn write<E>(
        &self,
        mut open: impl FnMut(&str, &dyn Fn(&mut dyn Write) -> Result<(), WriteError>) -> Result<(), E>,
    ) -> Result<(), E> {
        let identities = Identities::of(self.report);
        let tables: Vec<(&Table, BTreeMap<&str, Vec<usize>>)> = TABLES
            .iter()
            .filter_map(|name| table(self.report, name))
            .map(|table| (table, rows_by_identity(table)))
            .collect();
        for (identity, found) in &self.findings {
            let Some(subject) = self.subject(&identities, identity) else { continue };
            open(&subject.path, &|sink| {
                let file = File {
                    schema: SCHEMA,
                    identity,
                    name: &subject.name,
                    provider: &subject.provider,
                    scope: &subject.scope,
                    findings: Each(
                        found.iter().filter_map(|at| self.report.findings.get(*at)).map(FindingDocument::of),
                    ),
                    row: identities.row(identity).map(|(table, row)| RowDocument { table, row }),
                    tables: Tables { tables: &tables, identity },
                };
                serde_json::to_writer_pretty(&mut *sink, &file)?;
                sink.write_all(b"\n")?;
                Ok(())
            })?;
        }
        open(INDEX, &|sink| self.index(&identities, sink))
    }

    fn index(&self, identities: &Identities<'_>, sink: &mut dyn Write) -> Result<(), WriteError> {
        #[derive(Serialize)]
        struct Index<'a, F: Serialize> {
            schema: &'static str,
            scan: &'a str,
            time: jiff::Timestamp,
            tool_version: &'a str,
            coverage: CoverageDocument<'a>,
            gaps: &'a [Gap],
            files: F,
        }
        #[derive(Serialize)]
        struct Entry<'a> {
            path: String,
            identity: &'a str,
            findings: usize,
        }
        let files = self.findings.iter().filter_map(|(identity, found)| {
            let subject = self.subject(identities, identity)?;
            Some(Entry { path: subject.path, identity, findings: found.len() })
        });
        let index = Index {
            schema: INDEX_SCHEMA,
            scan: &self.report.scan.id,
            time: self.report.scan.time,
            tool_version: &self.report.tool.version,
            coverage: coverage(&self.report.coverage),
            gaps: &self.report.gaps,
            files: Each(files),
        };
        serde_json::to_writer_pretty(&mut *sink, &index)?;
        sink.write_all(b"\n")?;
        Ok(())
    }

    /// Where a finding is shown: in the user's own file, where it is one below the folder that evenhand ran in and has a
    /// line, else in the file of its identity. `None` for a place beyond the report.
    pub(crate) fn shown(&self, at: usize) -> Option<Shown> {
        let finding = self.report.findings.get(at)?;
        if let Some(own) = finding.evidence.iter().find_map(own_file) {
            return Some(own);
        }
        let (identity, found) = self.findings.get_key_value(finding.identity.as_str())?;
        let mut held = self.lines.borrow_mut();
        let lines = held.entry(identity).or_insert_with(|| self.first_lines(found));
        let nth = found.binary_search(&at).ok()?;
        let (first, next) = (*lines.get(nth)?, *lines.get(nth + 1)?);
        let subject = self.subject(&Identities::of(self.report), identity)?;
        let path = format!("{}/{}", self.prefix, subject.path);
        Some(Shown { path, lines: Lines { first, last: next - 1 }, column: None })
    }

    fn first_lines(&self, found: &[usize]) -> Vec<u32> {
        let mut first = HEAD + 1;
        let mut lines = vec![first];
        for finding in found.iter().filter_map(|at| self.report.findings.get(*at)) {
            first = first.saturating_add(line_count(&FindingDocument::of(finding)));
            lines.push(first);
        }
        lines
    }

    fn subject(&self, identities: &Identities<'_>, identity: &str) -> Option<Subject> {
        let at = *self.findings.get(identity)?.first()?;
        let finding = self.report.findings.get(at)?;
        let row = identities.row(identity);
        let held = |column: &str| {
            row.and_then(|(table, row)| match table.value(row, column) {
                Value::Text(text) => Some(text.to_string()),
                _ => None,
            })
        };
        let provider = held("provider").unwrap_or_else(|| finding.provider.0.to_owned());
        let scope = held("scope").unwrap_or_else(|| finding.scope.to_string());
        let kind = held("kind").unwrap_or_else(|| "identity".to_owned());
        let name = held("name").unwrap_or_else(|| finding.name.to_string());
        let place = scope.strip_prefix(&*provider).and_then(|rest| rest.strip_prefix(':')).unwrap_or(&scope);
        // Two identities may bear one name, and file systems do not tell `A` from `a`; the id tells.
        let hash = blake3::hash(identity.as_bytes()).to_hex();
        let hash = hash.get(..12).unwrap_or_default();
        let path = format!(
            "{}/{}/{}/{}-{hash}.json",
            file_name(&provider),
            file_name(place),
            file_name(&kind),
            file_name(&name)
        );
        Some(Subject { path, name, provider, scope })
    }
}

struct Subject {
    path: String,
    name: String,
    provider: String,
    scope: String,
}

struct Tables<'a> {
    tables: &'a [(&'a Table, BTreeMap<&'a str, Vec<usize>>)],
    identity: &'a str,
}

impl Serialize for Tables<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (table, rows) in self.tables {
            if let Some(rows) = rows.get(self.identity) {
                map.serialize_entry(table.spec.name, &Each(rows.iter().map(|row| RowDocument { table, row: *row })))?;
            }
        }
        map.end()
    }
}

/// The place of evidence in a file of the user's own: a relative path below the folder that evenhand ran in, and a line.
fn own_file(evidence: &Evidence) -> Option<Shown> {
    let (line, column) = match evidence.place {
        Place::Line(line) => (line, None),
        Place::LineColumn(line, column) => (line, Some(column)),
        Place::Whole | Place::Pointer(_) | Place::Setting { .. } => return None,
    };
    let path = evidence.document.replace('\\', "/");
    let path = path.trim_start_matches("./");
    let is_drive = path.as_bytes().get(1) == Some(&b':');
    let is_outside = path.is_empty()
        || path.starts_with(['/', '~'])
        || is_drive
        || path.contains("://")
        || path.split('/').any(|part| part == "..");
    (!is_outside && line > 0).then(|| Shown { path: path.to_owned(), lines: Lines { first: line, last: line }, column })
}

/// A name that somebody chose, as the name of a file: letters, digits, `.`, `_` and `-`, no leading dot, at most 64 long.
fn file_name(text: &str) -> String {
    let safe = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-') { c } else { '-' };
    let name: String = text.chars().map(safe).take(64).collect();
    let name = name.trim_matches(['.', '-']);
    if name.is_empty() { "unnamed".to_owned() } else { name.to_owned() }
}

/// The number of lines of a value in pretty JSON.
fn line_count<T: Serialize>(value: &T) -> u32 {
    struct Counter(u32);
    impl Write for Counter {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let count = bytes.iter().filter(|byte| **byte == b'\n').count();
            self.0 = self.0.saturating_add(u32::try_from(count).unwrap_or(u32::MAX));
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut counter = Counter(1);
    // A finding always serialises; if not, writing the file says why.
    drop(serde_json::to_writer_pretty(&mut counter, value));
    counter.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_line_of_a_file_below_the_folder_is_the_users_own() {
        for (document, own) in [
            (".mcp.json", true),
            ("./a/b.json", true),
            ("a\\b.json", true),
            ("/home/a/.mcp.json", false),
            ("C:\\a.json", false),
            ("~/.mcp.json", false),
            ("../a.json", false),
            ("a/../../b.json", false),
            ("https://example.org/a.yml", false),
        ] {
            assert_eq!(own_file(&Evidence::line(document, 3)).is_some(), own, "{document}");
        }
        assert!(own_file(&Evidence::pointer("a.json", "/0")).is_none());
        assert!(own_file(&Evidence::line("a.json", 0)).is_none());
    }

    #[test]
    fn an_index_lists_what_lies_below_it_and_nothing_else() {
        let files = ["aws/1/role/a-1.json", "../../etc/passwd", "/etc/passwd", "a//b", "a/./b", "c:\\\\x", "b-2.json"];
        let entries: Vec<String> = files.iter().map(|path| format!(r#"{{"path":"{path}"}}"#)).collect();
        let index = |schema: &str| format!(r#"{{"schema":"{schema}","files":[{}]}}"#, entries.join(","));
        assert_eq!(listed(&index(INDEX_SCHEMA)), ["aws/1/role/a-1.json", "b-2.json"]);
        assert!(listed(&index("evenhand/report/v1")).is_empty() && listed("{").is_empty());
        assert!(is_file_of_folder(b"{\n  \"schema\": \"evenhand/evidence/v1\",\n"));
        assert!(!is_file_of_folder(b"{\"mine\": 1}") && !is_file_of_folder(b""));
    }

    #[test]
    fn no_name_leaves_the_folder() {
        for (name, file) in [
            ("../../etc/passwd", "etc-passwd"),
            ("..", "unnamed"),
            ("", "unnamed"),
            ("a/b", "a-b"),
            ("Deploy Role", "Deploy-Role"),
            (".hidden", "hidden"),
            ("a\u{0}b", "a-b"),
        ] {
            assert_eq!(file_name(name), file, "{name:?}");
        }
    }
}
